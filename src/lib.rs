//! Image Factory's pure core.
pub mod diagnostics;
pub mod model;
pub mod template;
pub mod yaml;
