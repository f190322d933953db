//! From places in characters, as `saphyr-parser` counts, to places in bytes.

/// The text without a byte order mark at its start, and the mark's length.
pub(super) fn strip_bom(text: &str) -> (&str, usize) {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => (rest, text.len() - rest.len()),
        None => (text, 0),
    }
}

use std::cell::OnceCell;

/// Every how many characters the table notes the byte offset.
const STEP: usize = 64;

/// Finds the byte offset of a character in constant time.
pub(super) struct Places<'a> {
    text: &'a str,
    /// Byte offset of each `STEP`th character; empty when all are one byte long.
    table: Vec<usize>,
    /// Byte offsets of all line breaks, found when first asked for.
    breaks: OnceCell<Vec<usize>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let table = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices()
                .step_by(STEP)
                .map(|(byte, _)| byte)
                .collect()
        };
        Self {
            text,
            table,
            breaks: OnceCell::new(),
        }
    }

    /// The byte offset of the `index`th character, or the text's length when
    /// it has fewer.
    pub(super) fn byte(&self, index: usize) -> usize {
        if self.table.is_empty() {
            return index.min(self.text.len());
        }
        let Some(&from) = self.table.get(index / STEP) else {
            return self.text.len();
        };
        self.text
            .get(from..)
            .and_then(|rest| rest.char_indices().nth(index % STEP))
            .map_or(self.text.len(), |(byte, _)| from + byte)
    }

    /// The 1-based line of a byte offset.
    pub(super) fn line(&self, byte: usize) -> usize {
        let breaks = self.breaks.get_or_init(|| {
            let bytes = self.text.bytes().enumerate();
            bytes
                .filter(|(_, b)| *b == b'\n')
                .map(|(at, _)| at)
                .collect()
        });
        1 + breaks.partition_point(|at| *at < byte)
    }
}
