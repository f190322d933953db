//! Image Factory's pure core.
pub mod yaml;
