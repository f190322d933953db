//! State files with all that is in them: read, mended, changed, written again.
//!
//! [`model`](crate::model) reads of state what manifests depend on; here a file is
//! a document. What this version does not know (keys of other versions and of other
//! programs, also inside maps and lists) is kept with its value and its spelling;
//! comments are not.

mod base;
mod decode;
mod encode;
mod enrollment;
mod image;
mod raw;
mod rebuild;
#[cfg(test)]
mod tests;
mod values;
mod write;

use std::fmt;

use crate::diagnostics::{Diagnostic, Place, code};
use crate::model::InputFile;

pub use base::{BaseDoc, Finding};
pub use image::{DiscoveryError, ImageDoc, Warehouse};
pub use raw::{Entries, Raw, Text};
pub use rebuild::{Attempt, RebuildState, RebuildStatus};
pub use values::{DigestText, Stamp};

/// What reading a state file gave.
#[derive(Clone, Debug)]
pub struct Read<D> {
    /// The document; `None` if the file says what cannot be, and then it stays as it is.
    pub doc: Option<D>,
    /// What was not as it should be, and is in the document. If there is any, the
    /// file is to be written, also if nothing else was learnt.
    pub mended: Vec<Mending>,
    /// What is wrong, with places.
    pub diagnostics: Vec<Diagnostic>,
}

impl<D> Read<D> {
    /// One notice for all that was mended in this file.
    #[must_use]
    pub fn notice(&self, file: &InputFile) -> Option<Diagnostic> {
        if self.mended.is_empty() {
            return None;
        }
        let what: Vec<String> = self.mended.iter().map(Mending::to_string).collect();
        let message = format!("mended what an older program wrote: {}", what.join("; "));
        Some(
            Diagnostic::warning(code::STATE_MENDED, message)
                .help("nothing is to be done; commit the file")
                .at(Place::file(std::sync::Arc::clone(&file.path))),
        )
    }
}

/// One thing that an older program wrote otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mending {
    /// `allowTags` with doubled backslashes, which matched no tag.
    DoubleEscape,
    /// A word for what is called otherwise now, under this key: `discovered`.
    OlderWord(&'static str),
    /// The text `None`, or an empty one, for null, under this key.
    NoneText(String),
    /// A version or tag without quotes, which other readers take for a number.
    Unquoted(String),
    /// A time without a zone.
    NoZone(String),
    /// A key that is not there.
    Missing(&'static str),
}

impl fmt::Display for Mending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DoubleEscape => f.write_str("`allowTags` was escaped twice"),
            Self::OlderWord(key) => write!(f, "`{key}` had an older word"),
            Self::NoneText(key) => write!(f, "`{key}` had a text for null"),
            Self::Unquoted(key) => write!(f, "`{key}` had no quotes"),
            Self::NoZone(key) => write!(f, "`{key}` had no time zone"),
            Self::Missing(key) => write!(f, "`{key}` was missing"),
        }
    }
}

/// An entry of `updateHistory`: the digest behind a reference changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpdateEntry {
    /// When that was learnt.
    pub at: Option<Stamp>,
    /// The digest before.
    pub from: Option<DigestText>,
    /// The digest since then.
    pub to: Option<DigestText>,
    /// Other keys.
    pub unknown: Entries,
}
