//! Image Factory's pure core.
pub mod template;
pub mod yaml;
