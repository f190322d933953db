//! Reading maps, lists and values out of a YAML tree, noting all that is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostics::{Code, Diagnostic, Place, Span, code, did_you_mean};
use crate::yaml::{self, Kind, Limits, Node};

use super::fields::Fields;
use super::parse::{Parse, quotable, shorten};

/// Reads one file's values and collects what is wrong with them.
///
/// A value that is wrong is reported and then missing, so that reading goes on.
pub(super) struct Reader<'d> {
    pub(super) file: &'d Arc<str>,
    pub(super) out: &'d mut Vec<Diagnostic>,
    /// Where the keys of the entry at hand stand.
    pub(super) fields: Fields,
}

/// The entries of a mapping.
#[derive(Clone, Copy)]
pub(super) struct Map<'n, 't> {
    entries: &'n [(Node<'t>, Node<'t>)],
    /// Entries of an older spelling, which count where `entries` has nothing.
    older: &'n [(Node<'t>, Node<'t>)],
    pub(super) span: Span,
}

impl<'n, 't> Map<'n, 't> {
    /// The value of a key that is there and not null.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node<'t>> {
        find(self.entries, key).or_else(|| find(self.older, key))
    }

    /// The same map, with entries of an older spelling behind its own.
    pub(super) fn with_older(self, older: Map<'n, 't>) -> Self {
        Self {
            older: older.entries,
            ..self
        }
    }

    /// Keys and values that are not null.
    pub(super) fn entries(
        &self,
    ) -> impl Iterator<Item = (&'n Node<'t>, &'n Node<'t>)> + use<'n, 't> {
        let filled =
            |(key, value): &'n (Node<'t>, Node<'t>)| (!value.is_null()).then_some((key, value));
        self.entries.iter().filter_map(filled)
    }
}

fn find<'n, 't>(entries: &'n [(Node<'t>, Node<'t>)], key: &str) -> Option<&'n Node<'t>> {
    let (_, value) = entries
        .iter()
        .find(|(found, _)| found.as_str() == Some(key))?;
    (!value.is_null()).then_some(value)
}

/// The last part of a path such as `source.branch`.
fn key_of(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, key)| key)
}

impl<'d> Reader<'d> {
    pub(super) fn new(file: &'d Arc<str>, out: &'d mut Vec<Diagnostic>) -> Self {
        let fields = Fields::new(Arc::clone(file), None);
        Self { file, out, fields }
    }

    /// Starts a new entry; gives back where the keys of the last one stand.
    pub(super) fn begin(&mut self, span: Option<Span>) -> Fields {
        std::mem::replace(&mut self.fields, Fields::new(Arc::clone(self.file), span))
    }

    pub(super) fn place(&self, span: Span) -> Place {
        Place::new(Arc::clone(self.file), span)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic, span: Span) {
        let place = self.place(span);
        self.out.push(diagnostic.at(place));
    }

    /// Parses a text; what is wrong with it as YAML is reported.
    pub(super) fn parse<'t>(&mut self, text: &'t str) -> Option<Node<'t>> {
        let (node, errors) = yaml::read(text, &Limits::default());
        for error in errors {
            let span = error.span;
            self.report(error.into(), span);
        }
        node
    }

    /// A mapping; anything else is reported as no `what`.
    pub(super) fn map<'n, 't>(&mut self, node: &'n Node<'t>, what: &str) -> Option<Map<'n, 't>> {
        match &node.kind {
            Kind::Mapping(entries) => Some(Map {
                entries,
                older: &[],
                span: node.span,
            }),
            _ => {
                self.wrong_type(node, what, "a map of keys and values");
                None
            }
        }
    }

    /// A mapping of which all keys are known; others are reported.
    pub(super) fn known_map<'n, 't>(
        &mut self,
        node: &'n Node<'t>,
        what: &str,
        keys: &[&str],
    ) -> Option<Map<'n, 't>> {
        let map = self.map(node, what)?;
        for (key, _) in map.entries {
            let Some(text) = key.as_str() else { continue };
            if !keys.contains(&text) {
                let message = format!("unknown key `{}` in {}", shorten(text), quoted(what));
                let diagnostic =
                    Diagnostic::error(code::UNKNOWN_KEY, message).help(did_you_mean(text, keys));
                self.report(diagnostic, key.span);
            }
        }
        Some(map)
    }

    /// The items of a list under a key, or none.
    pub(super) fn list<'n, 't>(&mut self, map: &Map<'n, 't>, path: &'static str) -> &'n [Node<'t>] {
        let Some(node) = map.get(key_of(path)) else {
            return &[];
        };
        self.fields.add(path, node.span);
        match node.as_sequence() {
            Some(items) => items,
            None => {
                self.wrong_type(node, path, "a list");
                &[]
            }
        }
    }

    /// The map under a key, with known keys only.
    pub(super) fn submap<'n, 't>(
        &mut self,
        map: &Map<'n, 't>,
        path: &'static str,
        keys: &[&str],
    ) -> Option<Map<'n, 't>> {
        let node = map.get(key_of(path))?;
        self.fields.add(path, node.span);
        self.known_map(node, path, keys)
    }

    /// The text under a key; a boolean or number must be quoted to be one.
    pub(super) fn text<'n>(
        &mut self,
        map: &Map<'n, '_>,
        path: &'static str,
    ) -> Option<(&'n str, Span)> {
        let node = map.get(key_of(path))?;
        self.fields.add(path, node.span);
        Some((self.text_of(node, path)?, node.span))
    }

    /// The text of a node which a message calls `path`.
    pub(super) fn text_of<'n>(&mut self, node: &'n Node<'_>, path: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.is_string() => Some(&scalar.text),
            Kind::Scalar(scalar) => {
                let what = kind_of(node);
                let message = format!("{} is {what}, not a text", quoted(path));
                let help = format!("put it in quotes: \"{}\"", shorten(&scalar.text));
                self.report(
                    Diagnostic::error(code::WRONG_TYPE, message).help(help),
                    node.span,
                );
                None
            }
            _ => {
                self.wrong_type(node, path, "a text");
                None
            }
        }
    }

    /// A checked value under a key.
    pub(super) fn value<T: Parse>(&mut self, map: &Map<'_, '_>, path: &'static str) -> Option<T> {
        let node = map.get(key_of(path))?;
        self.fields.add(path, node.span);
        self.value_of(node, path)
    }

    /// The checked value of a node. What YAML takes for a number or boolean is
    /// told to be quoted only if that would make it right.
    fn value_of<T: Parse>(&mut self, node: &Node<'_>, path: &str) -> Option<T> {
        if let Kind::Scalar(scalar) = &node.kind
            && scalar.is_string()
            && let Ok(value) = T::parse(&scalar.text)
        {
            return Some(value);
        }
        let text = match &node.kind {
            Kind::Scalar(scalar) if T::parse(&scalar.text).is_err() => &*scalar.text,
            _ => self.text_of(node, path)?,
        };
        self.checked(text, node.span, path, T::CODE)
    }

    /// A checked value, with a code of its own for a wrong one.
    pub(super) fn checked<T: Parse>(
        &mut self,
        text: &str,
        span: Span,
        path: &str,
        code: Code,
    ) -> Option<T> {
        match T::parse(text) {
            Ok(value) => Some(value),
            Err(invalid) => {
                let message = format!(
                    "{} is `{}`, which {}",
                    quoted(path),
                    quotable::<T>(text),
                    invalid.why
                );
                self.report(Diagnostic::error(code, message).help(invalid.help), span);
                None
            }
        }
    }

    /// The checked values of a list under a key.
    pub(super) fn values<T: Parse>(&mut self, map: &Map<'_, '_>, path: &'static str) -> Vec<T> {
        let items = self.list(map, path);
        items
            .iter()
            .filter_map(|item| self.value_of(item, path))
            .collect()
    }

    /// `true` or `false` under a key.
    pub(super) fn bool(&mut self, map: &Map<'_, '_>, path: &'static str) -> Option<bool> {
        let node = map.get(key_of(path))?;
        self.fields.add(path, node.span);
        if let Kind::Scalar(scalar) = &node.kind
            && let Some(value) = scalar.as_bool()
        {
            return Some(value);
        }
        self.wrong_type(node, path, "`true` or `false`");
        None
    }

    /// A whole number under a key, written plain.
    pub(super) fn count(&mut self, map: &Map<'_, '_>, path: &'static str) -> Option<u32> {
        let node = map.get(key_of(path))?;
        self.fields.add(path, node.span);
        match &node.kind {
            Kind::Scalar(scalar) if scalar.as_f64().is_some() => {
                let count: super::settings::Count =
                    self.checked(&scalar.text, node.span, path, super::settings::Count::CODE)?;
                Some(count.0)
            }
            _ => {
                self.wrong_type(node, path, "a whole number");
                None
            }
        }
    }

    /// A map from checked names to any scalars, taken as they are written.
    pub(super) fn texts<K: Parse + Ord>(
        &mut self,
        map: &Map<'_, '_>,
        path: &'static str,
    ) -> BTreeMap<K, String> {
        let mut texts = BTreeMap::new();
        let Some(node) = map.get(key_of(path)) else {
            return texts;
        };
        self.fields.add(path, node.span);
        let Some(inner) = self.map(node, path) else {
            return texts;
        };
        for (key, value) in inner.entries() {
            let name = key
                .as_str()
                .and_then(|text| self.checked(text, key.span, path, K::CODE));
            match (name, value.as_str()) {
                (Some(name), Some(text)) => {
                    texts.insert(name, text.to_owned());
                }
                (None, Some(_)) => {}
                (_, None) => self.wrong_type(value, &format!("a value of `{path}`"), "a text"),
            }
        }
        texts
    }

    pub(super) fn missing(&mut self, key: &str, span: Span, help: impl Into<String>) {
        let message = format!("{} is missing", quoted(key));
        self.report(
            Diagnostic::error(code::MISSING_KEY, message).help(help),
            span,
        );
    }

    pub(super) fn wrong_type(&mut self, node: &Node<'_>, what: &str, expected: &str) {
        let what = quoted(what);
        let message = format!("{what} is {}, not {expected}", kind_of(node));
        let help = format!("write {expected}");
        self.report(
            Diagnostic::error(code::WRONG_TYPE, message).help(help),
            node.span,
        );
    }
}

/// Keys are shown in backticks, words (`an image`) as they are.
fn quoted(what: &str) -> String {
    if what.contains([' ', '`']) {
        what.to_owned()
    } else {
        format!("`{what}`")
    }
}

fn kind_of(node: &Node<'_>) -> &'static str {
    match &node.kind {
        Kind::Mapping(_) => "a map",
        Kind::Sequence(_) => "a list",
        Kind::Scalar(scalar) if scalar.is_null() => "empty",
        Kind::Scalar(scalar) if scalar.as_bool().is_some() => "a boolean",
        Kind::Scalar(scalar) if scalar.as_f64().is_some() => "a number",
        Kind::Scalar(_) => "a text",
    }
}
