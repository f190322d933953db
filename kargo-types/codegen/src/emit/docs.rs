//! What the docs of a field say: our words, then what the facts say of the value.

use serde_json::Value;

use crate::ir::{Node, Ty};

/// The doc text of a field.
pub(super) fn field(json: &str, node: &Node, required: bool) -> String {
    let mut text = if node.doc.is_empty() {
        format!("The property `{json}`.")
    } else {
        node.doc.clone()
    };
    let notes = notes(node, required);
    if !notes.is_empty() {
        text.push_str("\n\n");
        text.push_str(&notes.join(" "));
    }
    text
}

fn notes(node: &Node, required: bool) -> Vec<String> {
    let limits = &node.limits;
    let mut notes = Vec::new();
    if node.deprecated {
        notes.push("Deprecated upstream.".to_string());
    }
    if required {
        notes.push("Required.".to_string());
    }
    if let Some(default) = &node.default {
        let shown = match default {
            Value::String(text) if text.is_empty() => "the empty text".to_string(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        notes.push(format!("Default: {shown}."));
    }
    for (least, most, what) in [
        (limits.min_length, limits.max_length, "character"),
        (limits.min_items, limits.max_items, "item"),
        (limits.min_properties, limits.max_properties, "key"),
    ] {
        notes.extend(range(least, most, what));
    }
    let least = limits
        .minimum
        .as_ref()
        .map(|value| (value, limits.exclusive_minimum));
    let most = limits
        .maximum
        .as_ref()
        .map(|value| (value, limits.exclusive_maximum));
    if let Some((value, exclusive)) = least {
        notes.push(format!(
            "{} {value}.",
            if exclusive { "More than" } else { "At least" }
        ));
    }
    if let Some((value, exclusive)) = most {
        notes.push(format!(
            "{} {value}.",
            if exclusive { "Less than" } else { "At most" }
        ));
    }
    if let Some(pattern) = &limits.pattern {
        notes.push(format!("Matches `{pattern}`."));
    }
    if let (Some(format), Ty::String) = (&limits.format, &node.ty) {
        notes.push(format!("Format: `{format}`."));
    }
    if limits.unique_items {
        notes.push("No item twice.".to_string());
    }
    for rule in &limits.rules {
        notes.push(format!("Rule: `{}`.", rule.text));
    }
    if let Ty::List(inner) | Ty::Map(inner) = &node.ty {
        let each = self::notes(inner, false);
        if !each.is_empty() {
            notes.push(format!("Each: {}", each.join(" ")));
        }
    }
    notes
}

fn range(least: Option<u64>, most: Option<u64>, what: &str) -> Option<String> {
    let plural = |count: u64| if count == 1 { "" } else { "s" };
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most} {what}{}.", plural(most))),
        (Some(least), None) => Some(format!("At least {least} {what}{}.", plural(least))),
        (None, Some(most)) => Some(format!("At most {most} {what}{}.", plural(most))),
        (None, None) => None,
    }
}
