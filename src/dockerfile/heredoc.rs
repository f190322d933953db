//! Here-documents: which an instruction's line starts.

use std::collections::BTreeMap;

use super::expand::{Budget, Style, Variables, expand};

/// A here-document that a word starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heredoc {
    /// The line that ends it.
    pub(super) name: String,
    /// `<<-`: tabs before that line do not count.
    pub(super) tabs: bool,
    /// Are variables in it expanded? Not if its name is quoted.
    pub(super) expands: bool,
}

/// The escape character of the file does not matter here.
const STYLE: Style = Style {
    escape: '\\',
    raw_quotes: true,
    raw_escapes: true,
    ignore_quotes: false,
    keep_unset: true,
    words: true,
};

fn split(text: &str, style: Style, budget: &mut Budget) -> Option<Vec<String>> {
    let none = BTreeMap::new();
    let expanded = expand(text, style, Variables::Known(&none), budget).ok()?;
    Some(expanded.words)
}

/// The here-documents of a line, in their order. A quote that is left open, or
/// a variable that cannot be read, turns looking for them off; `None` if a
/// name makes no sense.
pub(super) fn of_line(line: &str, budget: &mut Budget) -> Option<Vec<Heredoc>> {
    let mut found = Vec::new();
    for word in split(line, STYLE, budget).unwrap_or_default() {
        found.extend(of_word(&word, budget)?);
    }
    Some(found)
}

/// The here-document that a word starts, if it does; `None` if its name makes no sense.
pub(super) fn of_word(word: &str, budget: &mut Budget) -> Option<Option<Heredoc>> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(rest) = rest.strip_prefix("<<") else {
        return Some(None);
    };
    let (rest, tabs) = match rest.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let rest = rest.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    if rest.is_empty() || rest.contains('<') {
        return Some(None);
    }
    let plain = Style {
        raw_quotes: false,
        raw_escapes: false,
        ..STYLE
    };
    let words = split(rest, plain, budget)?;
    let [name] = words.as_slice() else {
        return Some(None);
    };
    let raw = Style {
        raw_escapes: false,
        ..STYLE
    };
    let words = split(rest, raw, budget)?;
    let [written] = words.as_slice() else {
        return None;
    };
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    Some(Some(Heredoc {
        name: name.clone(),
        tabs,
        expands: quotes(name) == quotes(written),
    }))
}
