//! The full reader: any YAML, from the events of `saphyr-parser`.
//!
//! Built with a stack of its own instead of recursion, so that depth costs no
//! stack; collections deeper than the limit end the reading at once.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as CharSpan, Tag};

use super::errors::{Limits, ReadError, ReadErrorKind};
use super::node::{Kind, Node, Scalar};
use super::places::Places;
use crate::diagnostics::Span;

/// Reads at most `documents` documents; one more is an error. `text` has no byte
/// order mark; `offset` is the length of the one that was taken off.
pub(super) fn read<'a>(
    text: &'a str,
    offset: usize,
    limits: &Limits,
    documents: usize,
) -> (Vec<Option<Node<'a>>>, Vec<ReadError>) {
    let mut builder = Builder {
        text,
        offset,
        places: Places::new(text),
        limits,
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        aliased: 0,
        root: None,
        errors: Vec::new(),
    };
    let mut nodes = Vec::new();
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((Event::DocumentStart(_), span)) if nodes.len() >= documents => {
                Err(builder.second_document(span))
            }
            Ok((Event::DocumentEnd, _)) => {
                nodes.push(builder.end_document());
                Ok(())
            }
            Ok((event, span)) => builder.event(event, span),
            Err(error) => {
                nodes.clear();
                Err(builder.syntax(&error))
            }
        };
        if let Err(error) = step {
            builder.errors.push(error);
            break;
        }
    }
    (nodes, builder.errors)
}

/// A collection that is being read.
struct Open<'a> {
    start: usize,
    /// Written with brackets; a block collection ends with its last entry.
    flow: bool,
    anchor: usize,
    kind: Kind<'a>,
    /// The key whose value comes next.
    key: Option<Node<'a>>,
    /// Nodes inside, and how deep they go below this one.
    nodes: usize,
    height: usize,
}

/// A node that aliases can repeat.
struct Anchored<'a> {
    node: Node<'a>,
    nodes: usize,
    height: usize,
}

struct Builder<'a, 'l> {
    text: &'a str,
    offset: usize,
    places: Places<'a>,
    limits: &'l Limits,
    stack: Vec<Open<'a>>,
    anchors: BTreeMap<usize, Anchored<'a>>,
    aliased: usize,
    root: Option<Node<'a>>,
    errors: Vec<ReadError>,
}

impl<'a> Builder<'a, '_> {
    fn event(&mut self, event: Event<'a>, span: CharSpan) -> Result<(), ReadError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // A copy of a long text costs as much as many short ones.
                let weight = 1 + text.len() / 64;
                let node = self.scalar(text, style, tag.as_deref(), span)?;
                self.add(node, anchor, weight, 0)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(Kind::Sequence(Vec::new()), anchor, tag.as_deref(), span)
            }
            Event::MappingStart(anchor, tag) => {
                self.open(Kind::Mapping(Vec::new()), anchor, tag.as_deref(), span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn end_document(&mut self) -> Option<Node<'a>> {
        self.anchors.clear();
        self.stack.clear();
        // A document of nothing has an empty plain scalar as its root.
        self.root.take().filter(|node| match &node.kind {
            Kind::Scalar(scalar) => !(scalar.plain && scalar.text.is_empty()),
            Kind::Sequence(_) | Kind::Mapping(_) => true,
        })
    }

    fn scalar(
        &self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: CharSpan,
    ) -> Result<Node<'a>, ReadError> {
        let from = self.places.byte(span.start.index());
        let to = self.places.byte(span.end.index());
        let start = if tag.is_some() || matches!(self.byte_at(from), Some(b'&')) {
            self.skip_properties(from).min(to)
        } else {
            from
        };
        let (start, end) = match style {
            ScalarStyle::Plain if text.is_empty() => self.empty_place(start),
            ScalarStyle::Plain => (start, to),
            ScalarStyle::SingleQuoted => (start, self.quote_end(start, to, b'\'')),
            ScalarStyle::DoubleQuoted => (start, self.quote_end(start, to, b'"')),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let content = self.text.get(start..to).unwrap_or_default();
                (start, start + content.trim_end().len())
            }
        };
        let span = self.span(start, end);
        let scalar = Scalar {
            text,
            plain: style == ScalarStyle::Plain,
        };
        let scalar = match tag {
            Some(tag) => tagged(scalar, tag, span)?,
            None => scalar,
        };
        Ok(Node {
            span,
            kind: Kind::Scalar(scalar),
        })
    }

    fn open(
        &mut self,
        kind: Kind<'a>,
        anchor: usize,
        tag: Option<&Tag>,
        span: CharSpan,
    ) -> Result<(), ReadError> {
        let from = self.places.byte(span.start.index());
        let start = self.skip_properties(from);
        if self.stack.len() >= self.limits.depth {
            return Err(self.too_deep(self.span(start, start)));
        }
        if let Some(tag) = tag {
            let wanted = match kind {
                Kind::Sequence(_) => "seq",
                Kind::Mapping(_) | Kind::Scalar(_) => "map",
            };
            let fits = tag.is_yaml_core_schema() && tag.suffix == wanted;
            if !fits && !is_non_specific(tag) {
                return Err(wrong_tag(tag, self.span(from, start)));
            }
        }
        let bracket = match kind {
            Kind::Sequence(_) => b'[',
            Kind::Mapping(_) | Kind::Scalar(_) => b'{',
        };
        // The start of a block collection takes no characters of its own.
        let flow =
            self.byte_at(start) == Some(bracket) && self.places.byte(span.end.index()) > start;
        let start = match kind {
            Kind::Sequence(_) if !flow && start == from => self.sequence_start(start),
            _ => start,
        };
        self.stack.push(Open {
            start,
            flow,
            anchor,
            kind,
            key: None,
            nodes: 1,
            height: 0,
        });
        Ok(())
    }

    fn close(&mut self, span: CharSpan) -> Result<(), ReadError> {
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        let end = if open.flow {
            self.places.byte(span.start.index()) + 1 + self.offset
        } else {
            last_end(&open.kind).unwrap_or(open.start + self.offset)
        };
        let start = match first_start(&open.kind) {
            Some(first) if !open.flow && matches!(open.kind, Kind::Mapping(_)) => first,
            _ => open.start + self.offset,
        };
        if let Kind::Mapping(entries) = &open.kind {
            self.find_duplicates(entries);
        }
        // A list that is a key of nothing (`? #` and then `-`) is reported to start
        // behind its dash.
        let start = start.min(end);
        let node = Node {
            span: Span { start, end },
            kind: open.kind,
        };
        self.add(node, open.anchor, open.nodes, open.height + 1)
    }

    fn alias(&mut self, anchor: usize, span: CharSpan) -> Result<(), ReadError> {
        let place = self.span(
            self.places.byte(span.start.index()),
            self.places.byte(span.end.index()),
        );
        let Some(anchored) = self.anchors.get(&anchor) else {
            let message = "this alias stands inside what it refers to";
            return Err(ReadError::new(ReadErrorKind::AliasBomb, place, message)
                .help("write the value out"));
        };
        self.aliased += anchored.nodes;
        if self.aliased > self.limits.aliased_nodes {
            let message = format!(
                "aliases add more than {} values to this document",
                self.limits.aliased_nodes
            );
            return Err(ReadError::new(ReadErrorKind::AliasBomb, place, message)
                .help("write the values out"));
        }
        if self.stack.len() + anchored.height > self.limits.depth {
            return Err(self.too_deep(place));
        }
        let (nodes, height) = (anchored.nodes, anchored.height);
        let mut node = anchored.node.clone();
        node.span = place;
        self.add(node, 0, nodes, height)
    }

    /// Puts a finished node where it belongs.
    fn add(
        &mut self,
        node: Node<'a>,
        anchor: usize,
        nodes: usize,
        height: usize,
    ) -> Result<(), ReadError> {
        if anchor > 0 {
            // Anchored values inside anchored values are kept once each, so the
            // copies need a budget too.
            self.aliased += nodes;
            let anchored = Anchored {
                node: node.clone(),
                nodes,
                height,
            };
            self.anchors.insert(anchor, anchored);
        }
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.nodes += nodes;
        open.height = open.height.max(height);
        match (&mut open.kind, open.key.take()) {
            (Kind::Mapping(entries), Some(key)) => entries.push((key, node)),
            (Kind::Mapping(_), None) => {
                check_key(&node)?;
                open.key = Some(node);
            }
            (Kind::Sequence(items), _) => items.push(node),
            (Kind::Scalar(_), _) => {}
        }
        Ok(())
    }

    fn find_duplicates(&mut self, entries: &[(Node<'a>, Node<'a>)]) {
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for (key, _) in entries {
            let Some(name) = key.as_str() else { continue };
            let Some(first) = seen.get(name) else {
                seen.insert(name, key.span);
                continue;
            };
            let line = self.places.line(first.start.saturating_sub(self.offset));
            let message = format!("the key `{name}` is given twice, first on line {line}");
            let mut error = ReadError::new(ReadErrorKind::DuplicateKey, key.span, message)
                .help("remove one of the two");
            error.related = Some(*first);
            self.errors.push(error);
        }
    }

    fn second_document(&self, span: CharSpan) -> ReadError {
        let start = self.places.byte(span.start.index());
        let end = self.places.byte(span.end.index());
        let message = "a second document starts here, one is read";
        ReadError::new(
            ReadErrorKind::SecondDocument,
            self.span(start, end.max(start)),
            message,
        )
        .help("remove the `---` line, or move what follows to a file of its own")
    }

    fn syntax(&self, error: &saphyr_parser::ScanError) -> ReadError {
        let at = self.places.byte(error.marker().index());
        if error.info() == "recursion limit exceeded" {
            return self.too_deep(self.span(at, at));
        }
        let next = self.text.get(at..).and_then(|rest| rest.chars().next());
        let end = at + next.filter(|c| *c != '\n').map_or(0, char::len_utf8);
        let found = ReadError::new(ReadErrorKind::Syntax, self.span(at, end), error.info());
        match hint(error.info(), next) {
            Some(help) => found.help(help),
            None => found.help(
                "look at this line and the one above it: indentation, a missing `:` or quote, a bracket left open",
            ),
        }
    }

    fn too_deep(&self, span: Span) -> ReadError {
        let message = format!(
            "collections are nested more than {} deep",
            self.limits.depth
        );
        ReadError::new(ReadErrorKind::TooDeep, span, message)
            .help("nothing here is nested so deep: look for brackets that are not closed")
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span {
            start: start + self.offset,
            end: end + self.offset,
        }
    }

    fn byte_at(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Where a value that was left out stands: after the indicator before it.
    /// `saphyr-parser` reports the colon, but for a dash the end of its line.
    fn empty_place(&self, at: usize) -> (usize, usize) {
        let place = match self.byte_at(at) {
            Some(b':') => at + 1,
            None | Some(b'\n' | b'\r') => {
                let start = self.line_start(at);
                let line = self.text.get(start..at).unwrap_or_default();
                // No scalar stands before such a dash, so `#` begins a comment.
                let line = line.find('#').and_then(|at| line.get(..at)).unwrap_or(line);
                let line = line.trim_end();
                if line.ends_with('-') {
                    start + line.len()
                } else {
                    at
                }
            }
            _ => at,
        };
        (place, place)
    }

    fn line_start(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.rfind('\n').map_or(0, |at| at + 1)
    }

    /// Where a block sequence starts. For one in the column of its key
    /// `saphyr-parser` reports what follows the first dash, not the dash.
    fn sequence_start(&self, at: usize) -> usize {
        let below_key = self.stack.last().is_some_and(|open| open.key.is_some());
        if !below_key {
            return at;
        }
        let line = self.line_start(at);
        let blanks = self.text.get(line..at).unwrap_or_default();
        let dash = line + blanks.len() - blanks.trim_start_matches(' ').len();
        if self.byte_at(dash) == Some(b'-') {
            dash
        } else {
            at
        }
    }

    /// The end of a quoted scalar that starts at `start`: `saphyr-parser` counts
    /// the blanks and the comment after it as part of it.
    fn quote_end(&self, start: usize, to: usize, quote: u8) -> usize {
        let mut at = start + 1;
        while at < to {
            match self.byte_at(at) {
                Some(b'\\') if quote == b'"' => at += 2,
                Some(found) if found == quote => {
                    at += 1;
                    if quote == b'"' || self.byte_at(at) != Some(quote) {
                        return at;
                    }
                    at += 1;
                }
                _ => at += 1,
            }
        }
        to
    }

    /// The first byte after tag, anchor, and the blanks, line breaks and comments
    /// that follow them.
    fn skip_properties(&self, from: usize) -> usize {
        let mut at = from;
        loop {
            match self.byte_at(at) {
                Some(b'&' | b'!') => {
                    while self.byte_at(at).is_some_and(|b| {
                        !matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}')
                    }) {
                        at += 1;
                    }
                }
                _ => return at,
            }
            loop {
                match self.byte_at(at) {
                    Some(b' ' | b'\t' | b'\n' | b'\r') => at += 1,
                    Some(b'#') => {
                        while self.byte_at(at).is_some_and(|b| b != b'\n') {
                            at += 1;
                        }
                    }
                    _ => break,
                }
            }
        }
    }
}

fn first_start(kind: &Kind<'_>) -> Option<usize> {
    match kind {
        Kind::Mapping(entries) => entries.first().map(|(key, _)| key.span.start),
        Kind::Sequence(items) => items.first().map(|item| item.span.start),
        Kind::Scalar(_) => None,
    }
}

fn last_end(kind: &Kind<'_>) -> Option<usize> {
    match kind {
        Kind::Mapping(entries) => entries.last().map(|(_, value)| value.span.end),
        Kind::Sequence(items) => items.last().map(|item| item.span.end),
        Kind::Scalar(_) => None,
    }
}

fn check_key(key: &Node<'_>) -> Result<(), ReadError> {
    let Kind::Scalar(scalar) = &key.kind else {
        let message = "a key must be a single value, not a list or a mapping";
        return Err(ReadError::new(ReadErrorKind::ComplexKey, key.span, message)
            .help("a value that begins with `{` or `[` needs quotes: \"{{ x }}\""));
    };
    if scalar.plain && scalar.text.is_empty() {
        let message = "a key is missing before this `:`";
        return Err(ReadError::new(ReadErrorKind::ComplexKey, key.span, message));
    }
    if scalar.plain && scalar.text == "<<" {
        let message = "merge keys (`<<`) are not supported";
        return Err(ReadError::new(ReadErrorKind::MergeKey, key.span, message)
            .help("they are no part of YAML 1.2; write the keys out"));
    }
    Ok(())
}

/// `!` alone: whatever the value is anyway, and a string if it is a scalar.
fn is_non_specific(tag: &Tag) -> bool {
    tag.handle.is_empty() && tag.suffix == "!"
}

fn tagged<'a>(scalar: Scalar<'a>, tag: &Tag, span: Span) -> Result<Scalar<'a>, ReadError> {
    if is_non_specific(tag) {
        return Ok(Scalar {
            plain: false,
            ..scalar
        });
    }
    if !tag.is_yaml_core_schema() {
        return Err(wrong_tag(tag, span));
    }
    let as_plain = Scalar {
        text: scalar.text,
        plain: true,
    };
    let fits = match tag.suffix.as_str() {
        "str" => {
            return Ok(Scalar {
                plain: false,
                ..as_plain
            });
        }
        "null" => as_plain.is_null(),
        "bool" => as_plain.as_bool().is_some(),
        "int" => as_plain.as_i64().is_some() || as_plain.as_u64().is_some(),
        "float" => as_plain.as_f64().is_some(),
        _ => false,
    };
    if fits {
        Ok(as_plain)
    } else {
        Err(wrong_tag(tag, span))
    }
}

fn wrong_tag(tag: &Tag, span: Span) -> ReadError {
    let shown = if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        tag.to_string()
    };
    let message = format!("the tag `{shown}` is not supported, or does not fit its value");
    ReadError::new(ReadErrorKind::Tag, span, message).help(
        "remove the tag; to have a string, use quotes. Known: !!str !!int !!float !!bool !!null \
         !!seq !!map",
    )
}

/// What most often is behind a syntax error.
fn hint(info: &str, next: Option<char>) -> Option<&'static str> {
    if info.contains("mapping values are not allowed") {
        return Some("a value with `: ` in it needs quotes; or the indentation is wrong");
    }
    if info.contains("tab") {
        return Some("indent with spaces");
    }
    match next {
        Some('@' | '`' | '%') => Some("a value that begins with this character needs quotes"),
        Some('\t') => Some("indent with spaces"),
        _ if info.contains("unknown anchor") => {
            Some("a value that begins with `*` needs quotes, unless an alias is meant")
        }
        _ if info.contains("escape") => {
            Some("between double quotes a backslash begins an escape; single quotes have none")
        }
        _ => None,
    }
}
