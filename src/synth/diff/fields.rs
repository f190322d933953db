//! Which fields of an object differ.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{FieldChange, MOST_FIELDS};
use crate::yaml::{self, Limits};

/// What names an item of a list where all items have it, and each its own.
const NAMES: [&str; 6] = [
    "/name",
    "/origin/name",
    "/as",
    "/key",
    "/path",
    "/image/repoURL",
];

/// The fields that differ between two documents, and how many more do. A document
/// that cannot be read differs as a whole.
pub(super) fn differing(old: &str, new: &str) -> (Vec<FieldChange>, usize) {
    let value = |text| {
        yaml::read(text, &Limits::default())
            .0
            .as_ref()
            .map_or(Value::Null, yaml::to_value)
    };
    let mut found = Found::default();
    compare(&value(old), &value(new), &mut String::new(), &mut found);
    (found.fields, found.more)
}

#[derive(Default)]
struct Found {
    fields: Vec<FieldChange>,
    more: usize,
}

impl Found {
    fn push(&mut self, path: &str, from: Option<&Value>, to: Option<&Value>) {
        if self.fields.len() == MOST_FIELDS {
            self.more += 1;
            return;
        }
        self.fields.push(FieldChange {
            path: path.to_owned(),
            from: from.map(shown),
            to: to.map(shown),
        });
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn compare(old: &Value, new: &Value, path: &mut String, found: &mut Found) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(old), Value::Object(new)) => objects(old, new, path, found),
        (Value::Array(old), Value::Array(new)) => lists(old, new, path, found),
        _ => found.push(path, Some(old), Some(new)),
    }
}

/// Calls with the path longer by a part.
fn inside(path: &mut String, part: &str, then: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(part);
    then(path);
    path.truncate(length);
}

fn objects(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    path: &mut String,
    found: &mut Found,
) {
    let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
    let both = old
        .iter()
        .map(|(key, value)| (key, Some(value), new.get(key)));
    for (key, from, to) in both.chain(added.map(|(key, value)| (key, None, Some(value)))) {
        let part = key_part(key, path.is_empty());
        inside(path, &part, |path| one(from, to, path, found));
    }
}

fn one(from: Option<&Value>, to: Option<&Value>, path: &mut String, found: &mut Found) {
    match (from, to) {
        (Some(from), Some(to)) => compare(from, to, path, found),
        (None, None) => {}
        _ => found.push(path, from, to),
    }
}

/// `.key`, or `["a.b/c"]` for one that would read as several.
fn key_part(key: &str, first: bool) -> String {
    if key.is_empty() || key.contains(['.', '[', ']', ' ', '"']) {
        format!("[{}]", Value::from(key))
    } else if first {
        key.to_owned()
    } else {
        format!(".{key}")
    }
}

fn lists(old: &[Value], new: &[Value], path: &mut String, found: &mut Found) {
    if let Some(pointer) = NAMES
        .iter()
        .find(|pointer| all_named(old, pointer) && all_named(new, pointer))
    {
        let name = |item: &Value| item.pointer(pointer).map(shown).unwrap_or_default();
        for item in old {
            let name = name(item);
            let other = new
                .iter()
                .find(|other| other.pointer(pointer) == item.pointer(pointer));
            inside(path, &format!("[{name}]"), |path| {
                one(Some(item), other, path, found)
            });
        }
        for item in new {
            if !old
                .iter()
                .any(|other| other.pointer(pointer) == item.pointer(pointer))
            {
                inside(path, &format!("[{}]", name(item)), |path| {
                    one(None, Some(item), path, found)
                });
            }
        }
        return;
    }
    // What both begin and end with is not touched, so one item put in is one change.
    let same = |pair: &(&Value, &Value)| pair.0 == pair.1;
    let start = old.iter().zip(new).take_while(same).count();
    let (old_rest, new_rest) = (
        old.get(start..).unwrap_or_default(),
        new.get(start..).unwrap_or_default(),
    );
    let end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(same)
        .count();
    let middle = |rest: &[Value]| rest.len().saturating_sub(end);
    for at in 0..middle(old_rest).max(middle(new_rest)) {
        let from = old_rest.get(at).filter(|_| at < middle(old_rest));
        let to = new_rest.get(at).filter(|_| at < middle(new_rest));
        inside(path, &format!("[{}]", start + at), |path| {
            one(from, to, path, found)
        });
    }
}

fn all_named(items: &[Value], pointer: &str) -> bool {
    let mut seen = BTreeSet::new();
    items.iter().all(|item| {
        item.pointer(pointer)
            .and_then(Value::as_str)
            .is_some_and(|name| seen.insert(name))
    })
}
