//! The graph for Mermaid, which GitHub and GitLab draw in Markdown.

use std::fmt::Write as _;

use super::{Graph, Kind};

/// With more edges than this Mermaid draws an error unless the page configures it
/// otherwise.
pub const MOST_EDGES: usize = 500;

/// A flowchart, left to right.
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let mut text = String::from("flowchart LR\n");
    for node in graph.nodes() {
        let (id, label) = (id(&node.name), label(&node.name));
        let _ = match node.kind {
            Kind::Managed => writeln!(text, "  {id}(\"{label}\"):::managed"),
            Kind::External => writeln!(text, "  {id}([\"{label}\"]):::external"),
            Kind::Base => writeln!(text, "  {id}[\"{label}\"]:::base"),
        };
    }
    for (from, to) in graph.edges() {
        let _ = writeln!(text, "  {} --> {}", id(&from.name), id(&to.name));
    }
    // Both ground and letters, so that it can be read on a page of either colour.
    text.push_str(
        "  classDef managed fill:#ddf4ff,stroke:#0969da,stroke-width:2px,color:#1f2328\n  \
         classDef external fill:#fff8c5,stroke:#9a6700,stroke-dasharray:4 3,color:#1f2328\n  \
         classDef base fill:#f6f8fa,stroke:#57606a,color:#1f2328\n",
    );
    text
}

/// An identifier that no other name has and that is no word of Mermaid's: `end`,
/// `default` and the like break a chart, and so do dots and most other characters.
fn id(name: &str) -> String {
    let mut id = String::from("i_");
    for c in name.chars() {
        match c {
            'a'..='z' | '0'..='9' => id.push(c),
            '-' => id.push('_'),
            // Capitals are in no name, so what follows cannot be mistaken.
            _ => {
                let _ = write!(id, "X{:X}X", u32::from(c));
            }
        }
    }
    id
}

/// Text between double quotes; `#` begins an entity there.
fn label(name: &str) -> String {
    let mut label = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/' | ':') {
            label.push(c);
        } else {
            let _ = write!(label, "#{};", u32::from(c));
        }
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn identifiers_are_words_and_labels_are_escaped() {
        for (name, expected) in [
            ("end", "i_end"),
            ("node-22-slim", "i_node_22_slim"),
            ("python-3.12", "i_python_3X2EX12"),
            ("a_b", "i_aX5FXb"),
            ("A", "i_X41X"),
        ] {
            assert_eq!(id(name), expected);
        }
        assert_eq!(label("a\"b#<c>"), "a#34;b#35;#60;c#62;");
    }

    proptest! {
        #[test]
        fn two_names_never_share_an_identifier(a in "[-a-z0-9._A-Z\"]{1,8}", b in "[-a-z0-9._A-Z\"]{1,8}") {
            prop_assert_eq!(id(&a) == id(&b), a == b);
            prop_assert!(id(&a).bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        }
    }
}
