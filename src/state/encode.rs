//! From typed fields to the entries of a file.

use super::UpdateEntry;
use super::raw::{Entries, Raw, Text};

impl Entries {
    /// Adds a key at the end.
    pub(super) fn add(&mut self, key: &'static str, value: Raw) {
        self.0.push((Text::new(key), value));
    }

    /// Adds a text, or null.
    pub(super) fn add_text<T: ToString>(&mut self, key: &'static str, value: Option<&T>) {
        let value = value.map_or_else(Raw::null, |value| Raw::text(value.to_string()));
        self.add(key, value);
    }

    /// Adds a text if there is one.
    pub(super) fn add_some<T: ToString>(&mut self, key: &'static str, value: Option<&T>) {
        if value.is_some() {
            self.add_text(key, value);
        }
    }

    /// Adds what is unknown to us.
    pub(super) fn add_all(&mut self, others: &Self) {
        self.0.extend(others.0.iter().cloned());
    }
}

/// `updateHistory`.
pub(super) fn updates(history: &[UpdateEntry]) -> Raw {
    let entry = |update: &UpdateEntry| {
        let mut entry = Entries::new();
        entry.add_text("at", update.at.as_ref());
        entry.add_text("from", update.from.as_ref());
        entry.add_text("to", update.to.as_ref());
        entry.add_all(&update.unknown);
        Raw::Map(entry)
    };
    Raw::List(history.iter().map(entry).collect())
}
