//! The documents of a YAML file, and what names them, without parsing what need
//! not be.

use super::ObjectId;
use crate::yaml::{self, Limits};

/// A document of a file.
pub(super) struct Document<'t> {
    /// From the line after the last document, so with its `---`, to its last line.
    pub(super) text: &'t str,
    /// What names the object in it; `None` if it is none.
    pub(super) id: Option<ObjectId>,
}

impl<'t> Document<'t> {
    fn new(text: &'t str) -> Self {
        let body = without_marker(text);
        Self {
            text,
            id: quick_id(body).or_else(|| slow_id(body)),
        }
    }

    /// The document without its `---`, and without comments in front of it.
    pub(super) fn body(&self) -> &'t str {
        let mut body = without_marker(self.text);
        while body.starts_with('#') {
            body = body.split_once('\n').map_or("", |(_, rest)| rest);
        }
        body
    }
}

fn without_marker(text: &str) -> &str {
    text.strip_prefix("---\n").unwrap_or(text)
}

/// Splits at `---` lines; all texts together are the file.
pub(super) fn split(file: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in file.split_inclusive('\n') {
        if at > start && line.trim_end() == "---" {
            documents.extend(file.get(start..at).map(Document::new));
            start = at;
        }
        at += line.len();
    }
    documents.extend(
        file.get(start..)
            .filter(|text| !text.is_empty())
            .map(Document::new),
    );
    documents
}

/// What names an object, from the lines that our emitter writes it with; `None`
/// if they are written in any other way.
fn quick_id(body: &str) -> Option<ObjectId> {
    let (mut api_version, mut kind, mut name, mut namespace) = (None, None, None, None);
    let mut in_metadata = false;
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("  ") {
            if in_metadata && let Some(value) = rest.strip_prefix("name: ") {
                name = Some(word(value)?);
            } else if in_metadata && let Some(value) = rest.strip_prefix("namespace: ") {
                namespace = Some(word(value)?);
            }
            continue;
        }
        if in_metadata && name.is_some() {
            break;
        }
        in_metadata = line == "metadata:";
        if let Some(value) = line.strip_prefix("apiVersion: ") {
            api_version = Some(word(value)?);
        } else if let Some(value) = line.strip_prefix("kind: ") {
            kind = Some(word(value)?);
        }
    }
    Some(ObjectId {
        api_version: api_version?.to_owned(),
        kind: kind?.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name?.to_owned(),
    })
}

/// A plain scalar, or one between quotes without anything that needs undoing.
fn word(text: &str) -> Option<&str> {
    let quoted = |quote| {
        text.strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    let inner = quoted('"').or_else(|| quoted('\'')).unwrap_or(text);
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/' | b':' | b'_');
    (!inner.is_empty() && inner.bytes().all(plain)).then_some(inner)
}

fn slow_id(body: &str) -> Option<ObjectId> {
    let (node, _) = yaml::read(body, &Limits::default());
    let node = node?;
    let metadata = node.get("metadata")?;
    let text = |node: Option<&yaml::Node<'_>>| Some(node?.as_str()?.to_owned());
    Some(ObjectId {
        api_version: text(node.get("apiVersion"))?,
        kind: text(node.get("kind"))?,
        namespace: text(metadata.get("namespace")),
        name: text(metadata.get("name"))?,
    })
}
