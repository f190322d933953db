//! YAML, read with places and written safely.
//!
//! [`read`] gives a tree of [`Node`]s that know where they stand; what a plain
//! scalar means is asked for when it is needed, by the YAML 1.2 core schema.
//! [`to_string`] writes any `serde` value so that YAML 1.1 readers (`kubectl`,
//! PyYAML) and 1.2 readers agree on every scalar.
//!
//! Reading has two ways with one result: [`read_fast`](self) understands the plain
//! block style that people and this program write, and declines everything
//! else; the full reader, on `saphyr-parser`, takes what was declined.

mod emit;
mod errors;
mod kubectl;
mod node;
mod places;
mod quote;
mod read_fast;
mod read_full;
mod value;

pub use emit::{EmitError, Emitter, to_string};
pub use errors::{Limits, ReadError, ReadErrorKind};
pub use kubectl::to_value_as_kubectl;
pub use node::{Kind, Node, Scalar};
pub use value::to_value;

/// Whether every reader takes the text for itself when it stands without quotes.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    quote::is_plain(text.as_bytes())
}

/// Whether the text can be written as a literal block, `|`.
#[must_use]
pub fn is_literal(text: &str) -> bool {
    quote::is_literal(text)
}

/// Writes a text on one line: plain if it may be, else between the quotes that
/// need the fewest escapes.
pub fn push_text(out: &mut String, text: &str) {
    quote::push(out, text);
}

/// Writes a text on one line between quotes, whatever it holds.
pub fn push_quoted(out: &mut String, text: &str) {
    quote::push_quoted(out, text);
}

use errors::first_unprintable;
use places::strip_bom;

/// Reads a text of one document.
///
/// The node is `None` for an empty document, and when the text is no YAML. All
/// duplicate keys are reported (and kept in the tree, in their order), but only
/// one syntax error, since what follows it would be guesswork. A second
/// document is an error at the place where it starts.
#[must_use]
pub fn read<'a>(text: &'a str, limits: &Limits) -> (Option<Node<'a>>, Vec<ReadError>) {
    let (nodes, errors) = read_documents(text, limits, 1);
    (nodes.into_iter().flatten().next(), errors)
}

/// Reads a text of any number of documents, as `kubectl apply -f` would; a
/// document that is empty gives `None`.
#[must_use]
pub fn read_all<'a>(text: &'a str, limits: &Limits) -> (Vec<Option<Node<'a>>>, Vec<ReadError>) {
    read_documents(text, limits, usize::MAX)
}

fn read_documents<'a>(
    text: &'a str,
    limits: &Limits,
    documents: usize,
) -> (Vec<Option<Node<'a>>>, Vec<ReadError>) {
    if text.len() > limits.bytes {
        return (Vec::new(), vec![ReadError::too_large(text.len(), limits)]);
    }
    let (body, offset) = strip_bom(text);
    if let Some(node) = read_fast::read(body, offset, limits.depth) {
        return (vec![Some(node)], Vec::new());
    }
    read_slowly(text, limits, documents)
}

/// The full reader alone: what [`read_documents`] falls back to.
fn read_slowly<'a>(
    text: &'a str,
    limits: &Limits,
    documents: usize,
) -> (Vec<Option<Node<'a>>>, Vec<ReadError>) {
    let (body, offset) = strip_bom(text);
    if let Some((at, found)) = first_unprintable(body) {
        let error = ReadError::unprintable(offset + at, found);
        return (Vec::new(), vec![error]);
    }
    read_full::read(body, offset, limits, documents)
}

#[cfg(test)]
mod tests {
    mod emit;
    mod fast;
    mod hazards;
    mod kubectl;
    mod read;
}
