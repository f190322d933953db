//! From a CRD or JSON Schema to facts, and from facts to readable Rust.
pub mod diff;
pub mod docs;
pub mod facts;
pub mod format;
#[cfg(feature = "import")]
pub mod import;
pub mod pointer;
#[cfg(feature = "import")]
pub mod shell;
