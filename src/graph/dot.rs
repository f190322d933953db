//! The graph for Graphviz.

use std::fmt::Write as _;

use super::{Graph, Kind};

/// A digraph, left to right. Every name is quoted, so none is a keyword.
#[must_use]
pub fn dot(graph: &Graph) -> String {
    let mut text = String::from(
        "digraph images {\n  rankdir=LR\n  node [shape=box, style=\"rounded,filled\", fontname=\"monospace\"]\n  edge [color=\"#768390\"]\n",
    );
    for node in graph.nodes() {
        let look = match node.kind {
            Kind::Managed => "fillcolor=\"#ddf4ff\", color=\"#0969da\", penwidth=2",
            Kind::External => "fillcolor=\"#fff8c5\", color=\"#9a6700\", style=\"dashed,filled\"",
            Kind::Base => "fillcolor=\"#f6f8fa\", color=\"#57606a\", style=\"filled\"",
        };
        let _ = writeln!(
            text,
            "  {} [tooltip={}, {look}]",
            quoted(&node.name),
            quoted(&node.reference)
        );
    }
    for (from, to) in graph.edges() {
        let _ = writeln!(text, "  {} -> {}", quoted(&from.name), quoted(&to.name));
    }
    text.push_str("}\n");
    text
}

/// A double-quoted string: only `"` needs escaping in it, but a backslash would begin
/// one of the escapes that labels have.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_escaped() {
        for (text, expected) in [
            ("node", "\"node\""),
            ("a\"b", "\"a\\\"b\""),
            ("a\\", "\"a\\\\\""),
            ("a\\\"", "\"a\\\\\\\"\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
