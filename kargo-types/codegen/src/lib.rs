//! From a CRD or JSON Schema to facts, and from facts to readable Rust.
pub mod facts;
