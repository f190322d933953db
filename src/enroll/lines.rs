//! The lines of a text around the items of a list.

use crate::diagnostics::Span;

/// The lines of a text, each with its end.
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Where each begins.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        if starts.last() == Some(&text.len()) {
            starts.pop();
        }
        Self { text, starts }
    }

    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// Where a line begins; after the last, the end of the text.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// The line that a byte is in.
    pub(super) fn at(&self, byte: usize) -> usize {
        self.starts
            .partition_point(|&start| start <= byte)
            .saturating_sub(1)
    }

    /// A line without its end.
    pub(super) fn line(&self, line: usize) -> &'t str {
        let text = self.text.get(self.start(line)..self.start(line + 1));
        text.unwrap_or_default().trim_end_matches(['\n', '\r'])
    }

    pub(super) fn is_blank(&self, line: usize) -> bool {
        line < self.count() && self.line(line).trim().is_empty()
    }

    /// How far a comment that has its line for itself is indented.
    pub(super) fn comment(&self, line: usize) -> Option<usize> {
        let line = self.line(line);
        line.trim_start()
            .starts_with('#')
            .then(|| line.len() - line.trim_start().len())
    }

    /// How far the dash is indented that an item begins with, if it stands before the
    /// item on the same line, and nothing else does.
    pub(super) fn dash(&self, item: Span) -> Option<usize> {
        let start = self.start(self.at(item.start));
        let before = self.text.get(start..item.start)?;
        let before = before.strip_prefix('\u{feff}').unwrap_or(before);
        let indent = before.len() - before.trim_start_matches(' ').len();
        (before.trim() == "-" && !before.contains('\t')).then_some(indent)
    }

    /// The line after an item whose dash is so far indented, and after the comments below
    /// it that are indented further.
    pub(super) fn after(&self, item: Span, dash: usize) -> usize {
        let mut next = self.at(item.end.saturating_sub(1).max(item.start)) + 1;
        while self.comment(next).is_some_and(|indent| indent > dash) {
            next += 1;
        }
        next
    }
}
