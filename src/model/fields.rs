//! Where the keys of an entry stand.

use std::sync::Arc;

use crate::diagnostics::{Place, Span};

/// The places of an entry and of those of its keys that are given.
///
/// Two of them always compare equal: entries are the same if they say the same,
/// wherever it stands.
#[derive(Clone, Debug)]
pub struct Fields {
    file: Arc<str>,
    entry: Option<Span>,
    keys: Vec<(&'static str, Span)>,
}

impl PartialEq for Fields {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Fields {}

impl Fields {
    pub(super) fn new(file: Arc<str>, entry: Option<Span>) -> Self {
        Self {
            file,
            entry,
            keys: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, key: &'static str, value: Span) {
        if self.keys.capacity() == 0 {
            // As many keys as an entry with a source commonly has.
            self.keys.reserve(16);
        }
        self.keys.push((key, value));
    }

    /// Where the entry stands.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            file: Arc::clone(&self.file),
            span: self.entry,
        }
    }

    /// Where the value of a key stands; keys in maps are written with dots:
    /// `rebuildDelay`, `source.branch`. The entry itself if the key is not given.
    #[must_use]
    pub fn of(&self, key: &str) -> Place {
        Place {
            file: Arc::clone(&self.file),
            span: self.span(key).or(self.entry),
        }
    }

    /// Is the key given, with a value?
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.span(key).is_some()
    }

    fn span(&self, key: &str) -> Option<Span> {
        let found = self.keys.iter().find(|(known, _)| *known == key)?;
        Some(found.1)
    }
}
