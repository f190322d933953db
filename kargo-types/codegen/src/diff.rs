//! What one set of facts says that another does not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::facts::{Facts, Property, Resource, Rule, Schema, Type};
use crate::format::{column_text, modifiers, rule_text, type_text};
use crate::pointer::escape;

/// What a change means for those who write objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Something new that may be used.
    Added,
    /// Something that may be used no more.
    Removed,
    /// Objects that were right may be wrong now.
    Tightened,
    /// Objects that were wrong may be right now.
    Loosened,
    /// Neither or both: objects may mean something else.
    Changed,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Class::Added => "added",
            Class::Removed => "removed",
            Class::Tightened => "tightened",
            Class::Loosened => "loosened",
            Class::Changed => "changed",
        })
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Where: a pointer (see [`crate::pointer`]), or a header line's name.
    pub pointer: String,
    /// What it means.
    pub class: Class,
    /// What it is, as `pattern "a" → "b"`.
    pub what: String,
}

/// All changes from `old` to `new`, in order of pointer. Our own words, the
/// origin, and the order of properties and of enum values are no facts. No change
/// is found exactly where both say the same.
pub fn diff(old: &Facts, new: &Facts) -> Vec<Change> {
    let mut found = Found {
        changes: Vec::new(),
        pointer: String::new(),
    };
    found.header("name", &old.name, &new.name);
    match (&old.resource, &new.resource) {
        (Some(old), Some(new)) => found.resource(old, new),
        (None, None) => {}
        (Some(_), None) => {
            found.push_at("group", Class::Changed, "no Kubernetes resource any more")
        }
        (None, Some(_)) => found.push_at("group", Class::Changed, "a Kubernetes resource now"),
    }
    found.schema(&old.root, &new.root);
    let olds = by_name(&old.definitions);
    let news = by_name(&new.definitions);
    for name in olds.keys().chain(news.keys()).collect::<BTreeSet<_>>() {
        found.pointer = format!("#{}", escape(name));
        match (olds.get(name), news.get(name)) {
            (Some(old), Some(new)) => found.schema(old, new),
            (Some(_), None) => found.push(Class::Removed, "definition"),
            (None, _) => found.push(Class::Added, "definition"),
        }
    }
    found.changes.sort();
    found.changes
}

fn by_name(definitions: &[(String, Schema)]) -> BTreeMap<&str, &Schema> {
    definitions
        .iter()
        .map(|(name, schema)| (name.as_str(), schema))
        .collect()
}

/// The changes as lines for people, with a last line that counts them; empty if
/// there are none.
pub fn render(changes: &[Change]) -> String {
    let mut text = String::new();
    let width = changes
        .iter()
        .map(|change| shown(change).chars().count())
        .max()
        .unwrap_or(0);
    for change in changes {
        let pointer = shown(change);
        text.push_str(&format!(
            "{:<9}  {pointer:<width$}  {}\n",
            change.class, change.what
        ));
    }
    if !changes.is_empty() {
        text.push_str(&count(changes));
    }
    text
}

fn shown(change: &Change) -> &str {
    if change.pointer.is_empty() {
        "/"
    } else {
        &change.pointer
    }
}

fn count(changes: &[Change]) -> String {
    let classes = [
        Class::Added,
        Class::Removed,
        Class::Tightened,
        Class::Loosened,
        Class::Changed,
    ];
    let counts: Vec<String> = classes
        .iter()
        .map(|class| {
            (
                changes
                    .iter()
                    .filter(|change| change.class == *class)
                    .count(),
                class,
            )
        })
        .filter(|(count, _)| *count > 0)
        .map(|(count, class)| format!("{count} {class}"))
        .collect();
    let noun = if changes.len() == 1 {
        "change"
    } else {
        "changes"
    };
    format!("{} {noun}: {}\n", changes.len(), counts.join(", "))
}

struct Found {
    changes: Vec<Change>,
    pointer: String,
}

impl Found {
    fn push(&mut self, class: Class, what: impl Into<String>) {
        let pointer = self.pointer.clone();
        self.changes.push(Change {
            pointer,
            class,
            what: what.into(),
        });
    }

    fn push_at(&mut self, header: &str, class: Class, what: impl Into<String>) {
        self.changes.push(Change {
            pointer: header.to_owned(),
            class,
            what: what.into(),
        });
    }

    fn within(&mut self, name: &str, f: impl FnOnce(&mut Found)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&escape(name));
        f(self);
        self.pointer.truncate(length);
    }

    fn header(&mut self, key: &str, old: &str, new: &str) {
        if old != new {
            self.push_at(key, Class::Changed, format!("{old} → {new}"));
        }
    }

    fn resource(&mut self, old: &Resource, new: &Resource) {
        let scope = |namespaced: bool| if namespaced { "Namespaced" } else { "Cluster" };
        self.header("group", &old.group, &new.group);
        self.header("version", &old.version, &new.version);
        self.header("plural", &old.plural, &new.plural);
        self.header("singular", &old.singular, &new.singular);
        self.header("scope", scope(old.namespaced), scope(new.namespaced));
        self.set("shortNames", &old.short_names, &new.short_names);
        self.set("categories", &old.categories, &new.categories);
        match (old.status_subresource, new.status_subresource) {
            (false, true) => self.push_at("subresource", Class::Added, "status"),
            (true, false) => self.push_at("subresource", Class::Removed, "status"),
            _ => {}
        }
        let olds: Vec<String> = old.columns.iter().map(column_text).collect();
        let news: Vec<String> = new.columns.iter().map(column_text).collect();
        self.set("column", &olds, &news);
    }

    /// A list whose members matter more than their order.
    fn set(&mut self, key: &str, old: &[String], new: &[String]) {
        let before = self.changes.len();
        for name in new.iter().filter(|name| !old.contains(name)) {
            self.push_at(key, Class::Added, name);
        }
        for name in old.iter().filter(|name| !new.contains(name)) {
            self.push_at(key, Class::Removed, name);
        }
        if self.changes.len() == before && old != new {
            let what = format!("order or number: {} → {}", old.join(", "), new.join(", "));
            self.push_at(key, Class::Changed, what);
        }
    }

    fn schema(&mut self, old: &Schema, new: &Schema) {
        self.modifiers(old, new);
        self.rules(&old.rules, &new.rules);
        self.alternatives("oneOf", &old.one_of, &new.one_of);
        self.alternatives("anyOf", &old.any_of, &new.any_of);
        self.alternatives("allOf", &old.all_of, &new.all_of);
        match (&old.not, &new.not) {
            (None, Some(new)) => self.push(Class::Tightened, format!("not {new}")),
            (Some(old), None) => self.push(Class::Loosened, format!("no more: not {old}")),
            (Some(old), Some(new)) if old != new => {
                self.push(Class::Changed, format!("not {old} → {new}"));
            }
            _ => {}
        }
        match (&old.ty, &new.ty) {
            (Type::Object(old), Type::Object(new)) => self.properties(old, new),
            (Type::Map(old), Type::Map(new)) => self.within("values", |f| f.schema(old, new)),
            (Type::List(old), Type::List(new)) => self.within("items", |f| f.schema(old, new)),
            (old, new) if old != new => {
                let what = format!("type {} → {}", type_text(old), type_text(new));
                self.push(types(old, new), what);
            }
            _ => {}
        }
    }

    fn properties(&mut self, olds: &[Property], news: &[Property]) {
        let by_name = |list: &[Property]| -> BTreeMap<String, usize> {
            list.iter()
                .enumerate()
                .map(|(index, p)| (p.name.clone(), index))
                .collect()
        };
        let (old_at, new_at) = (by_name(olds), by_name(news));
        for name in old_at.keys().chain(new_at.keys()).collect::<BTreeSet<_>>() {
            let old = old_at.get(name).and_then(|index| olds.get(*index));
            let new = new_at.get(name).and_then(|index| news.get(*index));
            self.within(name, |f| match (old, new) {
                (Some(old), Some(new)) => f.property(old, new),
                (Some(_), None) => f.push(Class::Removed, "property"),
                (None, Some(new)) if new.required => {
                    f.push(
                        Class::Tightened,
                        format!("new required property: {}", type_text(&new.schema.ty)),
                    );
                }
                (None, Some(new)) => f.push(
                    Class::Added,
                    format!("property: {}", type_text(&new.schema.ty)),
                ),
                (None, None) => {}
            });
        }
    }

    fn property(&mut self, old: &Property, new: &Property) {
        match (old.required, new.required) {
            (false, true) => self.push(Class::Tightened, "required now"),
            (true, false) => self.push(Class::Loosened, "optional now"),
            _ => {}
        }
        self.schema(&old.schema, &new.schema);
    }

    fn modifiers(&mut self, old: &Schema, new: &Schema) {
        let olds: BTreeMap<_, _> = modifiers::of(old).into_iter().collect();
        let news: BTreeMap<_, _> = modifiers::of(new).into_iter().collect();
        for name in olds.keys().chain(news.keys()).collect::<BTreeSet<_>>() {
            match (olds.get(name), news.get(name)) {
                (Some(Some(old)), Some(Some(new))) if *name == "enum" => self.enumeration(old, new),
                (Some(old), Some(new)) if old == new => {}
                (Some(Some(old)), Some(Some(new))) => {
                    self.push(moved(name, old, new), format!("{name} {old} → {new}"));
                }
                (None, Some(value)) => self.push(gained(name), with(name, value)),
                (Some(value), _) => {
                    self.push(
                        gained(name).reverse(),
                        format!("no more: {}", with(name, value)),
                    );
                }
                (None, None) => {}
            }
        }
    }

    fn enumeration(&mut self, old: &Value, new: &Value) {
        let values = |list: &Value| -> BTreeSet<String> {
            list.as_array()
                .into_iter()
                .flatten()
                .map(Value::to_string)
                .collect()
        };
        let (old, new) = (values(old), values(new));
        for value in new.difference(&old) {
            self.push(Class::Loosened, format!("enum value {value} added"));
        }
        for value in old.difference(&new) {
            self.push(Class::Tightened, format!("enum value {value} removed"));
        }
    }

    fn rules(&mut self, old: &[Rule], new: &[Rule]) {
        let old: Vec<String> = old.iter().map(rule_text).collect();
        let new: Vec<String> = new.iter().map(rule_text).collect();
        self.list(&old, &new, Class::Tightened);
    }

    fn alternatives(&mut self, keyword: &str, old: &[Value], new: &[Value]) {
        let text = |value: &Value| format!("{keyword} {}", sorted(value));
        let olds: Vec<String> = old.iter().map(text).collect();
        let news: Vec<String> = new.iter().map(text).collect();
        if olds == news {
            return;
        }
        match (olds.is_empty(), news.is_empty()) {
            (true, _) => self.push(
                Class::Tightened,
                format!("{keyword} with {} alternatives", new.len()),
            ),
            (_, true) => self.push(Class::Loosened, format!("no more: {keyword}")),
            _ => self.list(
                &olds,
                &news,
                match keyword {
                    "allOf" => Class::Tightened,
                    "anyOf" => Class::Loosened,
                    _ => Class::Changed,
                },
            ),
        }
    }

    /// Members gained are of class `gained`, members lost of its reverse.
    fn list(&mut self, old: &[String], new: &[String], gained: Class) {
        let before = self.changes.len();
        for text in new.iter().filter(|text| !old.contains(text)) {
            self.push(gained, text);
        }
        for text in old.iter().filter(|text| !new.contains(text)) {
            self.push(gained.reverse(), format!("no more: {text}"));
        }
        if self.changes.len() == before && old != new {
            self.push(
                Class::Changed,
                format!("order or number: {} → {}", old.join("; "), new.join("; ")),
            );
        }
    }
}

impl Class {
    fn reverse(self) -> Class {
        match self {
            Class::Added => Class::Removed,
            Class::Removed => Class::Added,
            Class::Tightened => Class::Loosened,
            Class::Loosened => Class::Tightened,
            Class::Changed => Class::Changed,
        }
    }
}

fn with(name: &str, value: &Option<Value>) -> String {
    match value {
        None => name.to_owned(),
        Some(value) => format!("{name} {value}"),
    }
}

/// What it means that a modifier is there now.
fn gained(name: &str) -> Class {
    match name {
        "nullable" | "preserveUnknownFields" => Class::Loosened,
        "default" | "deprecated" | "listType" | "listMapKeys" | "mapType" => Class::Changed,
        _ => Class::Tightened,
    }
}

/// What it means that a modifier's value is another now.
fn moved(name: &str, old: &Value, new: &Value) -> Class {
    let higher_is_tighter = match name {
        "minimum" | "minLength" | "minItems" | "minProperties" => true,
        "maximum" | "maxLength" | "maxItems" | "maxProperties" => false,
        _ => return Class::Changed,
    };
    match old.as_f64().partial_cmp(&new.as_f64()) {
        Some(std::cmp::Ordering::Less) if higher_is_tighter => Class::Tightened,
        Some(std::cmp::Ordering::Less) => Class::Loosened,
        Some(std::cmp::Ordering::Greater) if higher_is_tighter => Class::Loosened,
        Some(std::cmp::Ordering::Greater) => Class::Tightened,
        _ => Class::Changed,
    }
}

/// What it means that the type is another now.
fn types(old: &Type, new: &Type) -> Class {
    match (old, new) {
        (_, Type::Any) => Class::Loosened,
        (Type::Any, _) => Class::Tightened,
        (Type::Integer, Type::Number) | (Type::Integer | Type::String, Type::IntOrString) => {
            Class::Loosened
        }
        (Type::Number, Type::Integer) | (Type::IntOrString, Type::Integer | Type::String) => {
            Class::Tightened
        }
        _ => Class::Changed,
    }
}

/// A JSON value's text with keys in order.
fn sorted(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}
