//! The fast reader: block mappings and sequences of one-line scalars, comments,
//! `[]`, `{}` and one-line lists of simple words; which is what people write in
//! images.yaml and what this program writes to `state/`.
//!
//! It gives exactly what the full reader would, spans included, or nothing: on
//! anything else, right or wrong, it returns `None` and the full reader decides.
//! That is the one rule for changes here: when in doubt, decline.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::node::{Kind, Node, Scalar};
use crate::diagnostics::Span;

/// The full reader takes no key longer than 1,024 characters.
const LONGEST_KEY: usize = 1000;

/// Mappings up to this size are searched for duplicates pair by pair.
const SMALL: usize = 12;

pub(super) fn read(text: &str, offset: usize, depth: usize) -> Option<Node<'_>> {
    if !is_tame(text) {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        offset,
        at: 0,
        column: 0,
    };
    reader.next_content()?;
    let node = reader.collection(reader.column, depth)?;
    // All must be read: a line that fits nowhere is the full reader's to explain.
    (reader.at == reader.bytes.len()).then_some(node)
}

/// Whether the text is free of tabs, carriage returns, control characters, byte
/// order marks and non-characters, judged by single bytes: 0xc2 begins U+0080 to
/// U+00BF, 0xef begins U+F000 to U+FFFF. Written so that it runs vectorised.
fn is_tame(text: &str) -> bool {
    text.bytes().fold(true, |tame, b| {
        tame & (b == b'\n' || (b >= 0x20 && b != 0x7f && b != 0xc2 && b != 0xef))
    })
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    offset: usize,
    /// Between nodes: the first byte of a line's content, or the text's end.
    at: usize,
    /// The column of `at`.
    column: usize,
}

/// What follows a key or a dash on its line.
enum Rest<'a> {
    Nothing,
    Value(Node<'a>),
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> u8 {
        // A line break stands in for the end of the text; they end the same things.
        self.bytes.get(self.at + ahead).copied().unwrap_or(b'\n')
    }

    fn slice(&self, start: usize, end: usize) -> Option<&'a str> {
        self.text.get(start..end)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            start: start + self.offset,
            end: end + self.offset,
        }
    }

    fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// From the start of a line to the next content, over blank lines and
    /// comments; declines directives and document markers.
    fn next_content(&mut self) -> Option<()> {
        loop {
            let line = self.at;
            while self.peek(0) == b' ' {
                self.at += 1;
            }
            self.column = self.at - line;
            if self.at_end() {
                self.at = self.bytes.len();
                self.column = 0;
                return Some(());
            }
            match self.peek(0) {
                b'\n' => self.at += 1,
                b'#' => self.skip_line(),
                b'%' if self.column == 0 => return None,
                b'-' | b'.' if self.column == 0 && self.is_document_marker() => return None,
                _ => return Some(()),
            }
        }
    }

    fn is_document_marker(&self) -> bool {
        let first = self.peek(0);
        self.peek(1) == first && self.peek(2) == first
    }

    /// To the start of the next line.
    fn skip_line(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| *b == b'\n');
        self.at += length.map_or(rest.len(), |length| length + 1);
    }

    /// Blanks and a comment up to the end of the line; declines anything else.
    fn end_line(&mut self) -> Option<()> {
        let before = self.at;
        while self.peek(0) == b' ' {
            self.at += 1;
        }
        match self.peek(0) {
            b'\n' => {}
            b'#' if self.at > before => {}
            _ => return None,
        }
        self.skip_line();
        self.next_content()
    }

    /// A block collection whose first entry is at `at`, in `column`.
    fn collection(&mut self, column: usize, depth: usize) -> Option<Node<'a>> {
        if depth == 0 || self.at_end() {
            return None;
        }
        if self.at_dash() {
            self.sequence(column, depth)
        } else {
            let key = self.key()?;
            self.mapping(key, column, depth)
        }
    }

    fn at_dash(&self) -> bool {
        self.peek(0) == b'-' && matches!(self.peek(1), b' ' | b'\n')
    }

    /// A sequence with its dashes in `column`. It ends with the first line that is
    /// no item of it; whether that line may stand there is for the caller to say.
    fn sequence(&mut self, column: usize, depth: usize) -> Option<Node<'a>> {
        let start = self.at;
        let mut items = Vec::new();
        let mut end;
        loop {
            let dash = self.at;
            self.at += 1;
            let item = match self.rest(column, dash + 1, depth - 1, true)? {
                Rest::Value(node) => node,
                Rest::Nothing => self.below(column + 1, dash + 1, depth - 1)?,
            };
            end = item.span.end;
            items.push(item);
            if self.at_end() || self.column != column || !self.at_dash() {
                break;
            }
        }
        Some(Node {
            span: Span {
                start: start + self.offset,
                end,
            },
            kind: Kind::Sequence(items),
        })
    }

    /// A mapping whose keys stand in `column`; the first is read already.
    fn mapping(&mut self, first: Node<'a>, column: usize, depth: usize) -> Option<Node<'a>> {
        let start = first.span.start;
        let mut key = first;
        let mut entries: Vec<(Node<'a>, Node<'a>)> = Vec::new();
        loop {
            let colon = self.at;
            let value = match self.rest(column, colon, depth - 1, false)? {
                Rest::Value(node) => node,
                Rest::Nothing if self.column == column && !self.at_end() && self.at_dash() => {
                    if depth == 1 {
                        return None;
                    }
                    self.sequence(column, depth - 1)?
                }
                Rest::Nothing => self.below(column + 1, colon, depth - 1)?,
            };
            entries.push((key, value));
            if self.at_end() || self.column < column {
                break;
            }
            if self.column > column || self.at_dash() {
                return None;
            }
            key = self.key()?;
        }
        if has_duplicates(&entries) {
            return None;
        }
        let end = entries.last().map(|(_, value)| value.span.end)?;
        Some(Node {
            span: Span { start, end },
            kind: Kind::Mapping(entries),
        })
    }

    /// The value on the lines below a key or a dash: a collection that stands at
    /// `least` or further right, or nothing.
    fn below(&mut self, least: usize, place: usize, depth: usize) -> Option<Node<'a>> {
        if !self.at_end() && self.column >= least {
            return self.collection(self.column, depth);
        }
        Some(Node {
            span: self.span(place, place),
            kind: Kind::Scalar(Scalar {
                text: Cow::Borrowed(""),
                plain: true,
            }),
        })
    }

    /// What follows a key's colon or a dash, from just after it, on this line;
    /// leaves `at` at the next content. `column` is that of the collection.
    fn rest(
        &mut self,
        column: usize,
        after: usize,
        depth: usize,
        in_sequence: bool,
    ) -> Option<Rest<'a>> {
        while self.peek(0) == b' ' {
            self.at += 1;
        }
        if self.peek(0) == b'\n' || (self.peek(0) == b'#' && self.at > after) {
            self.skip_line();
            self.next_content()?;
            return Some(Rest::Nothing);
        }
        if self.at == after {
            return None;
        }
        if in_sequence {
            let inner = column + 1 + (self.at - after);
            if self.at_dash() {
                if depth == 0 {
                    return None;
                }
                return self.sequence(inner, depth).map(Rest::Value);
            }
            let start = self.at;
            if let Some(key) = self.key() {
                if depth == 0 {
                    return None;
                }
                return self.mapping(key, inner, depth).map(Rest::Value);
            }
            self.at = start;
        }
        let node = self.value(depth)?;
        self.end_line()?;
        // A line further right would continue a plain scalar, or is wrong; no
        // collection around takes it, so the text is declined.
        Some(Rest::Value(node))
    }

    /// A key and its colon, with a blank or the line's end after it. Leaves `at`
    /// behind the colon; where there is no key, anywhere.
    fn key(&mut self) -> Option<Node<'a>> {
        let start = self.at;
        let node = match self.peek(0) {
            b'"' | b'\'' => {
                let node = self.quoted()?;
                if self.peek(0) != b':' || !matches!(self.peek(1), b' ' | b'\n') {
                    return None;
                }
                node
            }
            first if starts_plain(first) => {
                let rest = self.bytes.get(start..)?;
                let mut length = 0;
                loop {
                    match rest.get(length) {
                        None | Some(b'\n') => return None,
                        Some(b':') if matches!(rest.get(length + 1), None | Some(b' ' | b'\n')) => {
                            break;
                        }
                        Some(b' ')
                            if matches!(
                                rest.get(length + 1),
                                None | Some(b' ' | b'#' | b':' | b'\n')
                            ) =>
                        {
                            return None;
                        }
                        Some(_) => length += 1,
                    }
                }
                self.at = start + length;
                let text = self.slice(start, self.at)?;
                if text == "<<" {
                    return None;
                }
                self.plain(text, start)
            }
            _ => return None,
        };
        if self.at - start > LONGEST_KEY {
            return None;
        }
        self.at += 1;
        Some(node)
    }

    fn plain(&self, text: &'a str, start: usize) -> Node<'a> {
        Node {
            span: self.span(start, start + text.len()),
            kind: Kind::Scalar(Scalar {
                text: Cow::Borrowed(text),
                plain: true,
            }),
        }
    }

    /// A scalar, an empty collection or a list of words; leaves `at` behind it.
    fn value(&mut self, depth: usize) -> Option<Node<'a>> {
        let start = self.at;
        match self.peek(0) {
            b'"' | b'\'' => self.quoted(),
            b'[' if depth > 0 => self.words(),
            b'{' if depth > 0 && self.peek(1) == b'}' => {
                self.at += 2;
                Some(Node {
                    span: self.span(start, self.at),
                    kind: Kind::Mapping(Vec::new()),
                })
            }
            first if starts_plain(first) => {
                let rest = self.bytes.get(start..)?;
                let mut length = 0;
                // The end without the blanks before a comment or the line's end.
                let mut end = 0;
                loop {
                    match rest.get(length) {
                        None | Some(b'\n') => break,
                        Some(b'#') if length > end => break,
                        Some(b':') if matches!(rest.get(length + 1), None | Some(b' ' | b'\n')) => {
                            return None;
                        }
                        Some(b' ') => length += 1,
                        Some(_) => {
                            length += 1;
                            end = length;
                        }
                    }
                }
                self.at = start + end;
                Some(self.plain(self.slice(start, self.at)?, start))
            }
            _ => None,
        }
    }

    /// A quoted scalar on one line, without backslashes; leaves `at` behind it.
    fn quoted(&mut self) -> Option<Node<'a>> {
        let start = self.at;
        let quote = self.peek(0);
        let mut doubled = false;
        self.at += 1;
        loop {
            match self.peek(0) {
                b'\n' => return None,
                b'\\' if quote == b'"' => return None,
                found if found != quote => self.at += 1,
                _ if quote == b'\'' && self.peek(1) == quote => {
                    doubled = true;
                    self.at += 2;
                }
                _ => break,
            }
        }
        let inner = self.slice(start + 1, self.at)?;
        self.at += 1;
        let text = if doubled {
            Cow::Owned(inner.replace("''", "'"))
        } else {
            Cow::Borrowed(inner)
        };
        Some(Node {
            span: self.span(start, self.at),
            kind: Kind::Scalar(Scalar { text, plain: false }),
        })
    }

    /// `[]`, or `[a, b]` of words of letters, digits and `_./-`.
    fn words(&mut self) -> Option<Node<'a>> {
        let start = self.at;
        let mut items = Vec::new();
        self.at += 1;
        if self.peek(0) != b']' {
            loop {
                let word = self.at;
                if !(self.peek(0).is_ascii_alphanumeric()) {
                    return None;
                }
                while matches!(self.peek(0), b'_' | b'.' | b'/' | b'-')
                    || self.peek(0).is_ascii_alphanumeric()
                {
                    self.at += 1;
                }
                items.push(self.plain(self.slice(word, self.at)?, word));
                match (self.peek(0), self.peek(1)) {
                    (b']', _) => break,
                    (b',', b' ') => self.at += 2,
                    _ => return None,
                }
            }
        }
        self.at += 1;
        Some(Node {
            span: self.span(start, self.at),
            kind: Kind::Sequence(items),
        })
    }
}

/// Bytes that begin a plain scalar whatever follows them. Of the indicators only
/// those are left out that could; `-`, `?` and `:` need a look at the next byte,
/// which is not worth it.
fn starts_plain(first: u8) -> bool {
    first.is_ascii_alphanumeric()
        || first >= 0x80
        || matches!(
            first,
            b'_' | b'/'
                | b'.'
                | b'$'
                | b'^'
                | b'('
                | b')'
                | b'+'
                | b'~'
                | b'<'
                | b'='
                | b';'
                | b'\\'
        )
}

fn has_duplicates(entries: &[(Node<'_>, Node<'_>)]) -> bool {
    let name = |entry: &(Node<'_>, Node<'_>)| match &entry.0.kind {
        Kind::Scalar(scalar) => scalar.text.len(),
        Kind::Sequence(_) | Kind::Mapping(_) => 0,
    };
    if entries.len() > SMALL {
        let mut seen = BTreeSet::new();
        return !entries.iter().all(|(key, _)| seen.insert(key.as_str()));
    }
    entries.iter().enumerate().any(|(at, entry)| {
        entries
            .iter()
            .take(at)
            .any(|other| name(other) == name(entry) && other.0.as_str() == entry.0.as_str())
    })
}
