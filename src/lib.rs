//! Image Factory's pure core.
pub mod diagnostics;
pub mod model;
pub mod synth;
pub mod template;
pub mod yaml;
