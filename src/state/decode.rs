//! Reading values out of a state file, noting what is wrong and what was mended.

use std::sync::Arc;

use crate::diagnostics::secrets::masked;
use crate::diagnostics::{Code, Diagnostic, Place, Span, any_error, code, did_you_mean};
use crate::model::{InputFile, Parse, state_name};
use crate::yaml::{self, Kind, Limits, Node};

use super::raw::{Entries, Raw};
use super::values::{DigestText, Stamp};
use super::{Mending, Read, UpdateEntry};

/// One file being read.
pub(super) struct File<'f> {
    path: &'f Arc<str>,
    text: &'f str,
    /// What the file is called, without `.yaml`.
    pub(super) stem: &'f str,
    /// Is it that of a base image?
    of_base: bool,
    diagnostics: Vec<Diagnostic>,
    mended: Vec<Mending>,
}

/// The map that a file is, or that one of its keys has.
#[derive(Clone, Copy)]
pub(super) struct Map<'n, 't> {
    node: &'n Node<'t>,
    /// How messages call it: nothing, or `rebuildState.`.
    prefix: &'static str,
}

impl<'n, 't> Map<'n, 't> {
    pub(super) const fn top(node: &'n Node<'t>) -> Self {
        Self { node, prefix: "" }
    }

    /// The value of a key, null included.
    fn node(&self, key: &str) -> Option<&'n Node<'t>> {
        self.node.get(key)
    }

    /// Whether the key is there, be it null.
    pub(super) fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// The value of a key that is there and not null.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node<'t>> {
        self.node(key).filter(|node| !node.is_null())
    }
}

impl<'f> File<'f> {
    pub(super) fn new(file: &'f InputFile, of_base: bool) -> Self {
        Self {
            of_base,
            path: &file.path,
            text: &file.text,
            stem: state_name(file).unwrap_or_default(),
            diagnostics: Vec::new(),
            mended: Vec::new(),
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic, span: Span) {
        let place = Place::new(Arc::clone(self.path), span);
        self.diagnostics.push(diagnostic.at(place));
    }

    /// What came of it: nothing if an error stood in the way.
    pub(super) fn finish<D>(self, doc: Option<D>) -> Read<D> {
        let doc = doc.filter(|_| !any_error(&self.diagnostics));
        Read {
            mended: if doc.is_some() {
                self.mended
            } else {
                Vec::new()
            },
            doc,
            diagnostics: self.diagnostics,
        }
    }

    pub(super) fn mend(&mut self, mending: Mending) {
        if !self.mended.contains(&mending) {
            self.mended.push(mending);
        }
    }

    /// The tree; `None` if the file is empty, or is no YAML, which alone is reported.
    pub(super) fn parse(&mut self) -> Option<Node<'f>> {
        let (node, errors) = yaml::read(self.text, &Limits::default());
        for error in errors {
            let span = error.span;
            self.report(error.into(), span);
        }
        node.filter(|node| !node.is_null() && self.diagnostics.is_empty())
    }

    /// A file that holds nothing: what it remembered is lost, and that is for
    /// people to see.
    pub(super) fn empty(&mut self, span: Span) {
        let message = "the file holds no state: what it remembered is not there any more";
        let help = self.restore();
        self.report(
            Diagnostic::error(code::WRONG_TYPE, message).help(help),
            span,
        );
    }

    /// What to do about a file that says what cannot be.
    const fn restore(&self) -> &'static str {
        if self.of_base {
            "restore the file from git, or delete it and run `image-factory discover`"
        } else {
            "restore the file from git, or make it anew with \
             `image-factory discover IMAGE --reset-state`"
        }
    }

    /// Whether an error was found.
    pub(super) fn failed(&self) -> bool {
        any_error(&self.diagnostics)
    }

    /// The name in the file must be that of the file.
    pub(super) fn name<T: Parse>(&mut self, map: Option<&Map<'_, '_>>, what: &str) -> Option<T> {
        let stem = self.stem;
        let Ok(name) = T::parse(stem) else {
            let message = format!("`{stem}.yaml` is not named after {what}");
            let help = "delete the file and run `image-factory discover`, which names it";
            let place = Place::file(Arc::clone(self.path));
            self.diagnostics.push(
                Diagnostic::error(code::STATE_MISPLACED, message)
                    .help(help)
                    .at(place),
            );
            return None;
        };
        match map.and_then(|map| map.get("name")) {
            None => self.mend(Mending::Missing("name")),
            Some(node) if node.as_str() == Some(stem) => {}
            Some(node) => {
                let found = shorten(node.as_str().unwrap_or("?"));
                let message =
                    format!("the file is called `{stem}.yaml`, but holds the state of `{found}`");
                let help = "rename the file or mend `name`; `image-factory discover` writes a \
                            deleted file anew";
                self.report(
                    Diagnostic::error(code::STATE_MISPLACED, message).help(help),
                    node.span,
                );
                return None;
            }
        }
        Some(name)
    }

    /// The map that the whole file has to be, and no Kubernetes object.
    pub(super) fn top<'n, 't>(&mut self, node: &'n Node<'t>) -> Option<Map<'n, 't>> {
        if node.as_mapping().is_none() {
            self.wrong_type("a state file", node, "a map of keys and values");
            return None;
        }
        let map = Map::top(node);
        if let Some(kind) = map.get("kind")
            && (map.get("apiVersion").is_some() || map.get("spec").is_some())
        {
            let message = format!(
                "a Kubernetes object, `{}`, stands among the state files",
                shorten(kind.as_str().unwrap_or("?"))
            );
            let help = "enroll the image in images.yaml and delete this file; what the cluster \
                        should hold belongs elsewhere";
            self.report(
                Diagnostic::error(code::STATE_IS_DEFINITION, message).help(help),
                kind.span,
            );
            return None;
        }
        Some(map)
    }

    /// A file that belongs into the other folder.
    pub(super) fn misplaced(&mut self, node: &Node<'_>, is: &str, among: &str, folder: &str) {
        let message = format!("the file describes {is}, but stands among the {among}");
        let help = format!(
            "move it to `state/{folder}/{}.yaml`, or delete it",
            self.stem
        );
        self.report(
            Diagnostic::error(code::STATE_MISPLACED, message).help(help),
            node.span,
        );
    }

    pub(super) fn wrong_type(&mut self, what: &str, node: &Node<'_>, expected: &str) {
        let found = match &node.kind {
            Kind::Mapping(_) => "a map",
            Kind::Sequence(_) => "a list",
            Kind::Scalar(scalar) if scalar.is_null() => "empty",
            Kind::Scalar(scalar) if scalar.as_bool().is_some() => "a boolean",
            Kind::Scalar(scalar) if scalar.as_f64().is_some() => "a number",
            Kind::Scalar(_) => "a text",
        };
        let message = format!("{what} is {found}, not {expected}");
        let help = self.restore();
        self.report(
            Diagnostic::error(code::WRONG_TYPE, message).help(help),
            node.span,
        );
    }

    fn wrong_value(
        &mut self,
        code: Code,
        map: &Map<'_, '_>,
        key: &str,
        node: &Node<'_>,
        why: &str,
    ) {
        let found = shorten(node.as_str().unwrap_or("?"));
        let message = format!("`{}{key}` is `{found}`, which {why}", map.prefix);
        let help = self.restore();
        self.report(Diagnostic::error(code, message).help(help), node.span);
    }

    /// A text; what YAML takes for a number counts as it is written, and the words
    /// that an older program wrote for null are null.
    pub(super) fn text<'n>(&mut self, map: &Map<'n, '_>, key: &'static str) -> Option<&'n str> {
        let node = map.get(key)?;
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong_type(&format!("`{}{key}`", map.prefix), node, "a text");
            return None;
        };
        let text: &str = &scalar.text;
        if matches!(text, "None" | "") {
            self.mend(Mending::NoneText(format!("{}{key}", map.prefix)));
            return None;
        }
        if !scalar.is_string() {
            self.mend(Mending::Unquoted(format!("{}{key}", map.prefix)));
        }
        Some(text)
    }

    pub(super) fn owned(&mut self, map: &Map<'_, '_>, key: &'static str) -> Option<String> {
        self.text(map, key).map(str::to_owned)
    }

    /// A time. Without a zone, as Python writes them, it is UTC.
    pub(super) fn stamp(&mut self, map: &Map<'_, '_>, key: &'static str) -> Option<Stamp> {
        let text = self.text(map, key)?;
        if let Some(stamp) = Stamp::read(text) {
            return Some(stamp);
        }
        if let Some(stamp) = Stamp::read(&format!("{text}Z")) {
            self.mend(Mending::NoZone(format!("{}{key}", map.prefix)));
            return Some(stamp);
        }
        let node = map.get(key)?;
        let why = "is not a time of RFC 3339, such as `2026-12-20T00:00:00Z`";
        self.wrong_value(code::INVALID_TIME, map, key, node, why);
        None
    }

    pub(super) fn digest(&mut self, map: &Map<'_, '_>, key: &'static str) -> Option<DigestText> {
        let text = self.text(map, key)?;
        let digest = DigestText::read(text);
        if digest.is_none()
            && let Some(node) = map.get(key)
        {
            let why = "is no digest, such as `sha256:` and 64 of `0-9a-f`";
            self.wrong_value(code::INVALID_REFERENCE, map, key, node, why);
        }
        digest
    }

    /// How often something happened.
    pub(super) fn count(&mut self, map: &Map<'_, '_>, key: &'static str) -> Option<u64> {
        let node = map.get(key)?;
        let value = node.as_str().and_then(|text| text.parse().ok());
        if value.is_none() {
            self.wrong_type(&format!("`{}{key}`", map.prefix), node, "a whole number");
        }
        value
    }

    pub(super) fn bool(&mut self, map: &Map<'_, '_>, key: &'static str) -> Option<bool> {
        let node = map.get(key)?;
        let value = match &node.kind {
            Kind::Scalar(scalar) => scalar.as_bool(),
            _ => None,
        };
        if value.is_none() {
            self.wrong_type(&format!("`{}{key}`", map.prefix), node, "true or false");
        }
        value
    }

    /// One of several words; `older` are words of older programs.
    pub(super) fn word<T: Copy>(
        &mut self,
        map: &Map<'_, '_>,
        key: &'static str,
        words: &[(&'static str, T)],
        older: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(map, key)?;
        let find = |words: &[(&str, T)]| words.iter().find(|(word, _)| *word == text).map(|w| w.1);
        if let Some(value) = find(words) {
            return Some(value);
        }
        if let Some(value) = find(older) {
            self.mend(Mending::OlderWord(key));
            return Some(value);
        }
        let choices: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!(
            "`{}{key}` is `{}`, which is not one of the choices",
            map.prefix,
            shorten(text)
        );
        let diagnostic =
            Diagnostic::error(code::INVALID_CHOICE, message).help(did_you_mean(text, &choices));
        if let Some(node) = map.get(key) {
            self.report(diagnostic, node.span);
        }
        None
    }

    /// A checked text.
    pub(super) fn parsed<T: Parse>(&mut self, map: &Map<'_, '_>, key: &'static str) -> Option<T> {
        let text = self.text(map, key)?;
        match T::parse(text) {
            Ok(value) => Some(value),
            Err(invalid) => {
                let node = map.get(key)?;
                self.wrong_value(T::CODE, map, key, node, &invalid.why);
                None
            }
        }
    }

    /// Keys and values of a map under a key.
    pub(super) fn pairs<'n, 't>(
        &mut self,
        map: &Map<'n, 't>,
        key: &'static str,
        prefix: &'static str,
    ) -> Vec<(&'n str, &'n Node<'t>)> {
        let map = self.map(map, key, prefix);
        let entries = map
            .and_then(|map| map.node.as_mapping())
            .unwrap_or_default();
        entries
            .iter()
            .filter_map(|(key, value)| Some((key.as_str()?, value)))
            .collect()
    }

    /// A list of names, sorted and each once; `None` if the key is not there.
    pub(super) fn names<T: Parse + Ord>(
        &mut self,
        map: &Map<'_, '_>,
        key: &'static str,
    ) -> Option<Vec<T>> {
        let node = map.get(key)?;
        if node
            .as_str()
            .is_some_and(|text| matches!(text, "None" | ""))
        {
            self.mend(Mending::NoneText(key.to_owned()));
            return None;
        }
        let Some(items) = node.as_sequence() else {
            self.wrong_type(&format!("`{}{key}`", map.prefix), node, "a list");
            return None;
        };
        let mut names = Vec::with_capacity(items.len());
        for item in items {
            match item.as_str().map(T::parse) {
                Some(Ok(name)) => names.push(name),
                Some(Err(invalid)) => self.wrong_value(T::CODE, map, key, item, &invalid.why),
                None => self.wrong_type(&format!("an item of `{key}`"), item, "a name"),
            }
        }
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    /// A map under a key.
    pub(super) fn map<'n, 't>(
        &mut self,
        map: &Map<'n, 't>,
        key: &'static str,
        prefix: &'static str,
    ) -> Option<Map<'n, 't>> {
        let node = map.get(key)?;
        if node.as_mapping().is_some() {
            return Some(Map { node, prefix });
        }
        if node
            .as_str()
            .is_some_and(|text| matches!(text, "None" | ""))
        {
            self.mend(Mending::NoneText(key.to_owned()));
        } else {
            self.wrong_type(&format!("`{key}`"), node, "a map");
        }
        None
    }

    /// The maps of a list under a key.
    pub(super) fn maps<'n, 't>(
        &mut self,
        map: &Map<'n, 't>,
        key: &'static str,
        prefix: &'static str,
    ) -> Vec<Map<'n, 't>> {
        let Some(node) = map.get(key) else {
            return Vec::new();
        };
        let Some(items) = node.as_sequence() else {
            self.wrong_type(&format!("`{key}`"), node, "a list");
            return Vec::new();
        };
        let mut maps = Vec::with_capacity(items.len());
        for node in items {
            if node.as_mapping().is_some() {
                maps.push(Map { node, prefix });
            } else {
                self.wrong_type(&format!("an item of `{key}`"), node, "a map");
            }
        }
        maps
    }

    /// A map as it stands in the file, with all that is in it.
    pub(super) fn entries(&mut self, map: &Map<'_, '_>, key: &'static str) -> Entries {
        match self
            .map(map, key, "")
            .map(|map| Raw::of(map.node, self.text))
        {
            Some(Raw::Map(entries)) => entries,
            _ => Entries::new(),
        }
    }

    /// A value as it stands in the file.
    pub(super) fn raw(&self, map: &Map<'_, '_>, key: &str) -> Option<Raw> {
        map.get(key).map(|node| Raw::of(node, self.text))
    }

    /// What `known` does not name.
    pub(super) fn unknown(&self, map: &Map<'_, '_>, known: &[&str]) -> Entries {
        Entries::unknown(map.node, known, self.text)
    }

    /// Notes which keys should be there and are not; one that is null is there.
    pub(super) fn expect(&mut self, map: &Map<'_, '_>, keys: &[&'static str]) {
        for key in keys {
            if map.node(key).is_none() {
                self.mend(Mending::Missing(key));
            }
        }
    }

    /// `updateHistory`.
    pub(super) fn updates(&mut self, map: &Map<'_, '_>) -> Vec<UpdateEntry> {
        let entries = self.maps(map, "updateHistory", "updateHistory.");
        let mut updates = Vec::with_capacity(entries.len());
        for map in &entries {
            updates.push(UpdateEntry {
                at: self.stamp(map, "at"),
                from: self.digest(map, "from"),
                to: self.digest(map, "to"),
                unknown: self.unknown(map, &["at", "from", "to"]),
            });
        }
        updates
    }
}

/// The text, cut if nobody would read all of it.
pub(super) fn shorten(text: &str) -> String {
    // What is cut might be what tells a password.
    let text = masked(text);
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.into_owned(),
    }
}
