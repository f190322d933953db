//! From a CRD or a JSON Schema to facts.
//!
//! Nothing here touches a disk: the caller hands in text, and a function that
//! finds the files beside it.

mod crd;
mod document;
mod fold;
mod raw;
mod references;
mod schema;

use std::fmt;

use serde_json::Value;

use crate::diff::{self, Change, Class};
use crate::facts::{Facts, Origin};

pub use fold::{Fold, digest};
pub use schema::Siblings;

/// What to take of a document, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The CRD's version; the storage version if absent.
    pub version: Option<String>,
    /// The CRD's kind, for files with several CRDs.
    pub kind: Option<String>,
    /// Core Kubernetes objects to fold.
    pub folds: Vec<Fold>,
    /// What to write down as the origin.
    pub origin: Origin,
}

/// Facts, and what the document says that facts have no place for.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The facts.
    pub facts: Facts,
    /// Parts of the CRD outside its schema that were left out.
    pub notes: Vec<String>,
}

/// Why a document could not be read, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Where in the file.
    pub place: Place,
    /// What is wrong and what to do about it.
    pub message: String,
    /// True when all that is wrong is that the version asked for is not served.
    pub is_version: bool,
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// JSON pointer into the document; empty for all of it.
    Pointer(String),
    /// Line and column, from 1, where the document could not be parsed.
    Position(usize, usize),
    /// Pointer into the facts (see [`crate::pointer`]).
    Facts(String),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Position(line, column) => {
                write!(f, "{}:{line}:{column}: {}", self.file, self.message)
            }
            Place::Pointer(pointer) | Place::Facts(pointer) if pointer.is_empty() => {
                write!(f, "{}: {}", self.file, self.message)
            }
            Place::Pointer(pointer) | Place::Facts(pointer) => {
                write!(f, "{}: {pointer}: {}", self.file, self.message)
            }
        }
    }
}

impl std::error::Error for ImportError {}

/// Reads the CRD or JSON Schema in `text`; `file` is its name for messages, and
/// `siblings` gives the text of the files beside it that a `$ref` names.
///
/// # Errors
/// Text that is neither YAML nor JSON; a CRD without the version or kind asked
/// for; a keyword or a combination of keywords that facts cannot express; a fold
/// that finds nothing.
pub fn read(
    file: &str,
    text: &str,
    options: &Options,
    siblings: Siblings<'_>,
) -> Result<Imported, ImportError> {
    let mut imported = read_unfolded(file, text, options, siblings)?;
    for fold in &options.folds {
        if !fold::apply(&mut imported.facts, fold) {
            return Err(ImportError {
                file: file.to_owned(),
                place: Place::Facts(fold.pointer.clone()),
                message: format!("there is nothing here to fold as {}", fold.name),
                is_version: false,
            });
        }
    }
    Ok(imported)
}

fn read_unfolded(
    file: &str,
    text: &str,
    options: &Options,
    siblings: Siblings<'_>,
) -> Result<Imported, ImportError> {
    let documents = document::parse(file, text)?;
    let is_crd = |document: &Value| {
        document.get("kind").and_then(Value::as_str) == Some("CustomResourceDefinition")
    };
    match documents.as_slice() {
        [schema] if !is_crd(schema) => schema::read(file, schema, options, siblings),
        _ => crd::read(
            file,
            documents.iter().filter(|d| is_crd(d)).collect(),
            options,
        ),
    }
}

/// The kind that `facts` describe and the folds they hold, to read another
/// document as they were read. The version is left to the caller.
pub fn options_of(facts: &Facts) -> Options {
    Options {
        version: None,
        kind: facts.resource.as_ref().map(|_| facts.name.clone()),
        folds: fold::of(facts),
        origin: Origin::default(),
    }
}

/// Reads a document like [`read`], but leaves out the folds that find nothing:
/// what `facts` hold and the document does not is a difference, not an error.
///
/// # Errors
/// As for [`read`], folds aside.
pub fn read_like(
    file: &str,
    text: &str,
    options: &Options,
    siblings: Siblings<'_>,
) -> Result<Facts, ImportError> {
    let mut imported = read_unfolded(file, text, options, siblings)?;
    fold::replay(&mut imported.facts, &options.folds);
    Ok(imported.facts)
}

/// What `facts` no longer say as the document in `text` says it; folds are those
/// of `facts`, and our own words do not count.
///
/// # Errors
/// As for [`read_like`]. A version that is not served any more is a difference.
pub fn check(
    facts: &Facts,
    file: &str,
    text: &str,
    siblings: Siblings<'_>,
) -> Result<Vec<Change>, ImportError> {
    let mut options = options_of(facts);
    options.version = facts
        .resource
        .as_ref()
        .map(|resource| resource.version.clone());
    match read_like(file, text, &options, siblings) {
        Ok(read) => Ok(diff::diff(facts, &read)),
        Err(error) if error.is_version => {
            let pointer = "version".to_owned();
            Ok(vec![Change {
                pointer,
                class: Class::Removed,
                what: error.message,
            }])
        }
        Err(error) => Err(error),
    }
}
