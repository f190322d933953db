//! The modules under test, taken from the package by path: as a dependency, the
//! package would bring all of Kubernetes' types to be instrumented.
#![allow(dead_code, missing_docs, reason = "only a part of the package")]

#[path = "../../src/diagnostics/mod.rs"]
pub mod diagnostics;
#[path = "../../src/dockerfile/mod.rs"]
pub mod dockerfile;
