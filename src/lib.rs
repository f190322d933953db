//! Image Factory's pure core.
pub mod cli;
pub mod diagnostics;
pub mod model;
pub mod pipeline;
pub mod synth;
pub mod template;
pub mod workspace;
pub mod yaml;
