//! Facts: their text, their import, what changed, and the files in `schemas/`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests, which read files, run the program and may panic"
)]

mod arbitrary;
mod cli;
mod diffs;
mod garbage;
mod importer;
mod roundtrip;
mod schemas;
mod upstream;
mod words;

use crd_codegen::facts::{Facts, Schema, Type};
use crd_codegen::import::{self, ImportError, Options};

/// Reads a schema or CRD without files beside it.
fn read(text: &str, options: &Options) -> Result<import::Imported, ImportError> {
    import::read("x.yaml", text, options, &mut |_| {
        Err("no such file".to_owned())
    })
}

/// The facts of a schema written as YAML.
fn schema(text: &str) -> Facts {
    read(text, &Options::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
        .facts
}

/// The tree of a facts file: all from `root:` on.
fn tree(facts: &Facts) -> String {
    let text = crd_codegen::format::write(facts);
    text[text.find("root:").unwrap()..].to_owned()
}

/// The facts without what `diff` does not look at.
fn bare(facts: &Facts) -> Facts {
    fn strip(schema: &mut Schema) {
        schema.doc.clear();
        schema.enumeration.sort_by_key(|value| value.to_string());
        match &mut schema.ty {
            Type::Object(properties) => {
                properties.sort_by(|a, b| a.name.cmp(&b.name));
                properties
                    .iter_mut()
                    .for_each(|property| strip(&mut property.schema));
            }
            Type::Map(inner) | Type::List(inner) => strip(inner),
            _ => {}
        }
    }
    let mut facts = facts.clone();
    facts.origin = Default::default();
    strip(&mut facts.root);
    facts
        .definitions
        .iter_mut()
        .for_each(|(_, schema)| strip(schema));
    facts
}
