//! A file as logical lines: directives, comments, continuations, here-documents.

use std::borrow::Cow;
use std::ops::Range;

use super::text::{first_char, leading_space};
use super::{Fault, fault};
use crate::diagnostics::Span;

/// What BuildKit's scanner holds of one physical line.
const MAX_LINE: usize = 65_535;

/// From places in a joined text to places in the file it was joined from.
#[derive(Clone, Debug, Default)]
pub(super) struct SourceMap {
    /// Where the first piece stands in the file.
    first: usize,
    /// Where each further piece starts in the joined text, and in the file.
    rest: Vec<(usize, usize)>,
}

impl SourceMap {
    pub(super) const fn new(first: usize) -> Self {
        Self {
            first,
            rest: Vec::new(),
        }
    }

    /// From `at` in the joined text on, it is what stands from `source` on.
    pub(super) fn piece(&mut self, at: usize, source: usize) {
        if at == 0 {
            self.first = source;
            self.rest.clear();
        } else if self.source(at) != source {
            self.rest.push((at, source));
        }
    }

    fn source(&self, at: usize) -> usize {
        let after = self.rest.partition_point(|(start, _)| *start <= at);
        match after.checked_sub(1).and_then(|index| self.rest.get(index)) {
            Some((start, source)) => source + (at - start),
            None => self.first + at,
        }
    }

    /// The stretch of the file that `range` was joined from.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let start = self.source(range.start);
        match range.end.checked_sub(1) {
            Some(last) if range.end > range.start => Span::new(start, self.source(last) + 1),
            _ => Span::new(start, start),
        }
    }

    /// The pieces of `range`: where each starts in the joined text, and in the file.
    pub(super) fn pieces(&self, range: Range<usize>) -> Vec<(usize, usize)> {
        let mut pieces = vec![(range.start, self.source(range.start))];
        let inside = |(at, _): &&(usize, usize)| *at > range.start && *at < range.end;
        pieces.extend(self.rest.iter().filter(inside));
        pieces
    }
}

/// An instruction's line, its continuations joined.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) text: Cow<'a, [u8]>,
    pub(super) map: SourceMap,
    /// The number of its first physical line.
    pub(super) number: usize,
}

impl Line<'_> {
    pub(super) fn part(&self, range: Range<usize>) -> &[u8] {
        self.text.get(range).unwrap_or_default()
    }
}

/// Reads a file line by line; what is wrong with lines as such is in `faults`.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    number: usize,
    pub(super) escape: u8,
    directives: Directives,
    ended: bool,
    pub(super) faults: Vec<Fault>,
}

#[derive(Default)]
struct Directives {
    over: bool,
    seen: Vec<String>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            number: 0,
            escape: b'\\',
            directives: Directives::default(),
            ended: false,
            faults: Vec::new(),
        }
    }

    fn get(&self, range: Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// The next physical line, without its end.
    fn physical(&mut self) -> Option<Range<usize>> {
        if self.ended || self.at >= self.bytes.len() {
            return None;
        }
        let start = self.at;
        let window = self.get(start..self.bytes.len().min(start + MAX_LINE + 1));
        let end = match window.iter().position(|byte| *byte == b'\n') {
            Some(length) => start + length,
            None if window.len() <= MAX_LINE => start + window.len(),
            None => {
                self.ended = true;
                self.number += 1;
                self.faults.push(
                    fault(
                        Span::new(start, start + 1),
                        format!("line {} is longer than {MAX_LINE} bytes", self.number),
                    )
                    .help(
                        "Break the line; an instruction may go on over as many lines as it likes.",
                    ),
                );
                return None;
            }
        };
        self.at = end + 1;
        self.number += 1;
        Some(start..end)
    }

    /// The same without carriage returns at its end.
    fn chomped(&mut self) -> Option<Range<usize>> {
        let Range { start, mut end } = self.physical()?;
        while end > start && self.bytes.get(end - 1) == Some(&b'\r') {
            end -= 1;
        }
        Some(start..end)
    }

    /// Is the line continued, and what of it stays?
    fn continued(&self, range: Range<usize>) -> (Range<usize>, bool) {
        let line = self.get(range.clone());
        let blanks = line
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b' ' | b'\t'));
        let end = line.len() - blanks.count();
        let at = |back: usize| end.checked_sub(back).and_then(|at| line.get(at)).copied();
        if at(1) == Some(self.escape) && at(2) != Some(self.escape) {
            (range.start..range.start + end - 1, true)
        } else {
            (range, false)
        }
    }

    /// The next instruction's line.
    pub(super) fn next(&mut self) -> Option<Line<'a>> {
        loop {
            let mut range = self.chomped()?;
            if self.number == 1 && self.get(range.clone()).starts_with(b"\xef\xbb\xbf") {
                range.start += 3;
            }
            range.start += leading_space(self.get(range.clone()));
            self.directive(range.clone());
            if self.get(range.clone()).first() == Some(&b'#') {
                continue;
            }
            let (first, more) = self.continued(range);
            if first.is_empty() && !more {
                continue;
            }
            return Some(self.join(first, more));
        }
    }

    fn join(&mut self, first: Range<usize>, mut more: bool) -> Line<'a> {
        let number = self.number;
        let mut map = SourceMap::new(first.start);
        let mut text = Cow::Borrowed(self.get(first));
        while more {
            let Some(range) = self.chomped() else {
                break;
            };
            let line = self.get(range.clone());
            let blank = leading_space(line);
            if blank == line.len() || line.get(blank) == Some(&b'#') {
                continue;
            }
            let (range, goes_on) = self.continued(range);
            more = goes_on;
            map.piece(text.len(), range.start);
            let part = self.get(range);
            if text.is_empty() {
                text = Cow::Borrowed(part);
            } else {
                text.to_mut().extend_from_slice(part);
            }
        }
        Line { text, map, number }
    }

    /// The body of a here-document up to the line that ends it, and that line.
    pub(super) fn body(&mut self, name: &[u8], tabs: bool) -> Option<(Range<usize>, Range<usize>)> {
        let start = self.at;
        loop {
            let begin = self.at;
            let mut end = self.chomped()?;
            if tabs {
                let line = self.get(end.clone());
                end.start += line.iter().take_while(|byte| **byte == b'\t').count();
            }
            if self.get(end.clone()) == name {
                return Some((start..begin, end));
            }
        }
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &'a [u8] {
        self.get(range)
    }

    /// Reads a parser directive, as long as there may be one.
    fn directive(&mut self, range: Range<usize>) {
        if self.directives.over {
            return;
        }
        let found = self
            .get(range.clone())
            .strip_prefix(b"#")
            .and_then(directive);
        let Some((key, value)) = found.filter(|(key, _)| is_directive(key)) else {
            self.directives.over = true;
            return;
        };
        let span = Span::new(range.start, range.end);
        if self.directives.seen.contains(&key) {
            self.faults.push(
                fault(span, format!("a second `{key}` directive"))
                    .help(format!("Keep one `# {key}=…` line.")),
            );
            self.directives.over = true;
            return;
        }
        match (key.as_str(), value) {
            ("escape", [escape @ (b'\\' | b'`')]) => self.escape = *escape,
            ("escape", other) => {
                let other = super::text::decode(other);
                self.faults.push(
                    fault(
                        span,
                        format!(
                            "the escape character cannot be `{}`",
                            super::text::short(&other)
                        ),
                    )
                    .help("It is `\\`, or a backtick."),
                );
            }
            _ => {}
        }
        self.directives.seen.push(key);
    }
}

fn is_directive(key: &str) -> bool {
    matches!(key, "syntax" | "escape" | "check")
}

/// `key = value` of what follows the `#`, the key in lower case.
pub(super) fn directive(line: &[u8]) -> Option<(String, &[u8])> {
    const fn is_space(byte: u8) -> bool {
        matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
    }
    let line = line.get(leading_space(line)..)?;
    let name = line
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let (name, rest) = line.split_at_checked(name)?;
    if !name.first()?.is_ascii_alphabetic() {
        return None;
    }
    let blanks = rest.iter().take_while(|byte| is_space(**byte)).count();
    let rest = rest.get(blanks..)?.strip_prefix(b"=")?;
    // A value of blanks only is one.
    first_char(rest)?;
    let start = rest.iter().position(|byte| !is_space(*byte));
    let end = rest.iter().rposition(|byte| !is_space(*byte));
    let value = match (start, end) {
        (Some(start), Some(end)) => rest.get(start..=end)?,
        _ => rest.get(..1)?,
    };
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    Some((name, value))
}
