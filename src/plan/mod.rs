//! When an image is rebuilt, why, and what is sent for it.

mod request;

pub use request::{Inputs, attempt, harmless};
