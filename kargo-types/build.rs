//! Writes the types from the facts in `schemas/`.
//!
//! `KINDS` says nothing about Kargo that the facts could say; what stands here
//! is what the CRDs leave open (what a subscription is, what belongs to which
//! step) and short names where the facts repeat a shape in several places.

use crd_codegen::{Errors, Generator};

#[path = "types.rs"]
mod types;

fn main() -> Result<(), Errors> {
    types::describe(Generator::new())
        .facts_dir("schemas")
        .out_dir_file("types.rs")
        .run()
}
