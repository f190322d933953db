//! The texts that diagnostics point into.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Place;

/// A line and column as editors count: from 1, the column in characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// The texts of the files that were read, by their path relative to the root.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: BTreeMap<Arc<str>, Source>,
}

#[derive(Clone, Debug)]
struct Source {
    text: Arc<str>,
    /// Where each line starts, in bytes; never empty.
    lines: Vec<usize>,
}

/// One line of a source around a span; see [`Sources::excerpt`].
pub(super) struct Excerpt<'s> {
    /// The line without its end.
    pub(super) text: &'s str,
    /// Where the span starts and ends in `text`, in bytes, cut to the line.
    pub(super) range: std::ops::Range<usize>,
    /// Where the span starts in the file.
    pub(super) position: Position,
}

impl Sources {
    /// No texts at all: places are then shown without line and column.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the text of a file; a later text of the same file replaces it.
    pub fn add(&mut self, file: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        let text = text.into();
        let lines = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        self.files.insert(file.into(), Source { text, lines });
    }

    /// Adds all texts of `other`.
    pub fn merge(&mut self, other: Self) {
        self.files.extend(other.files);
    }

    /// Line and column of a place, if its file is known and it has a span.
    #[must_use]
    pub fn position(&self, place: &Place) -> Option<Position> {
        self.excerpt(place).map(|excerpt| excerpt.position)
    }

    pub(super) fn excerpt(&self, place: &Place) -> Option<Excerpt<'_>> {
        let span = place.span?;
        let source = self.files.get(&place.file)?;
        // A span may end in the middle of a character or after the text only
        // by a mistake of ours; the report should then still come out.
        let start = source.text.floor_char_boundary(span.start);
        let line = source.lines.partition_point(|&from| from <= start);
        let from = source.lines.get(line.saturating_sub(1)).copied()?;
        let rest = source.text.get(from..)?;
        let text = rest.split('\n').next().unwrap_or(rest);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let begin = (start - from).min(text.len());
        let end = text
            .floor_char_boundary(span.end.saturating_sub(from))
            .max(begin);
        let column = text.get(..begin)?.chars().count() + 1;
        Some(Excerpt {
            text,
            range: begin..end,
            position: Position { line, column },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::Span;
    use proptest::prelude::*;

    fn position(text: &str, start: usize) -> Option<(usize, usize)> {
        let mut sources = Sources::new();
        sources.add("f", text);
        let place = Place::new("f", Span::new(start, start + 1));
        sources.position(&place).map(|p| (p.line, p.column))
    }

    #[test]
    fn positions_count_characters_from_one() {
        for (text, start, line, column) in [
            ("abc", 0, 1, 1),
            ("abc", 2, 1, 3),
            ("abc", 99, 1, 4),
            ("", 0, 1, 1),
            ("a\nbc\n", 2, 2, 1),
            ("a\nbc\n", 5, 3, 1),
            ("ä\r\nöx", 3, 1, 2),
            ("ä\r\nöx", 6, 2, 2),
        ] {
            assert_eq!(
                position(text, start),
                Some((line, column)),
                "{text:?} {start}"
            );
        }
        assert_eq!(
            Sources::new().position(&Place::new("f", Span::new(0, 1))),
            None
        );
    }

    proptest! {
        #[test]
        fn any_span_of_any_text_has_a_position(text in "(.|\n|\r){0,40}", start in 0usize..200, len in 0usize..50) {
            let mut sources = Sources::new();
            sources.add("f", text);
            let place = Place::new("f", Span::new(start, start + len));
            prop_assert!(sources.position(&place).is_some());
        }
    }
}
