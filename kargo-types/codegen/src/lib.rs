//! From a CRD or JSON Schema to facts, and from facts to readable Rust.
mod cel;
pub mod diff;
pub mod docs;
mod emit;
mod error;
pub mod facts;
pub mod format;
mod generator;
#[cfg(feature = "import")]
pub mod import;
mod ir;
mod lower;
mod names;
pub mod pointer;
mod rules;
#[cfg(feature = "import")]
pub mod shell;

pub use error::{Error, Errors};
pub use generator::{Generated, Generator, TaggedUnion};
