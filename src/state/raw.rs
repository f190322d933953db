//! YAML as it stands in a file, kept so that it can be written again: what other
//! programs and other versions put into a state file.

use crate::diagnostics::Span;
use crate::model::{Duration, Parse as _};
use crate::yaml::{self, Kind, Limits, Node, Scalar};

/// A scalar with its spelling: `1.10`, `"1.10"` and `0o17` stay what they are.
#[derive(Clone, Debug)]
pub struct Text {
    text: Box<str>,
    /// Written without quotes, so that it may be a null, a boolean or a number.
    plain: bool,
    /// How it stood in the file, if that was one line between quotes.
    written: Option<Box<str>>,
}

/// Two are equal if they say the same: which quotes stand around a text does not count.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.plain == other.plain
    }
}
impl Eq for Text {}

impl Text {
    /// A text of ours, which every reader takes for a text.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        Self {
            plain: is_plain(&text),
            text,
            written: None,
        }
    }

    /// A whole number.
    #[must_use]
    pub fn of_number(value: u64) -> Self {
        Self::bare(value.to_string())
    }

    fn bare(text: impl Into<Box<str>>) -> Self {
        Self {
            text: text.into(),
            plain: true,
            written: None,
        }
    }

    /// What it says.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn of(scalar: &Scalar<'_>, span: Span, file: &str) -> Self {
        let text: Box<str> = scalar.text.as_ref().into();
        if scalar.plain {
            return Self {
                plain: text.is_empty()
                    || is_plain(&text)
                    || (!text.contains('\n') && reads_as(&text, scalar)),
                text,
                written: None,
            };
        }
        let written = file
            .get(span.start..span.end)
            .filter(|slice| slice.starts_with(['"', '\'']) && !slice.contains('\n'))
            .filter(|slice| reads_as(slice, scalar));
        Self {
            text,
            plain: false,
            written: written.map(Into::into),
        }
    }

    fn scalar(&self) -> Scalar<'_> {
        Scalar {
            text: (&*self.text).into(),
            plain: self.plain,
        }
    }

    /// Writes it after `key:`, or as a key.
    pub(super) fn write(&self, out: &mut String) {
        if self.plain {
            out.push_str(&self.text);
        } else if let Some(written) = &self.written {
            out.push_str(written);
        } else {
            yaml::push_quoted(out, &self.text);
        }
    }

    /// Whether it is best written as lines of their own.
    pub(super) fn is_block(&self) -> bool {
        !self.plain && self.written.is_none() && yaml::is_literal(&self.text)
    }
}

/// Does this stand for that scalar where a value is expected?
fn reads_as(spelling: &str, scalar: &Scalar<'_>) -> bool {
    let text = format!("k: {spelling}\n");
    let (node, errors) = yaml::read(&text, &Limits::default());
    let kind = node.as_ref().and_then(|node| node.get("k"));
    errors.is_empty() && matches!(kind.map(|node| &node.kind), Some(Kind::Scalar(s)) if s == scalar)
}

/// What the emitter writes without quotes, and patterns and durations: nobody
/// takes them for anything else, and people like to read them.
fn is_plain(text: &str) -> bool {
    let pattern = |rest: &str| {
        rest.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'+' | b'\\' | b'$')
        })
    };
    yaml::is_plain(text)
        || text.strip_prefix('^').is_some_and(pattern)
        || (text.starts_with(|c: char| c.is_ascii_digit()) && Duration::parse(text).is_ok())
}

/// A value of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Raw {
    /// One value.
    Scalar(Text),
    /// A list.
    List(Vec<Raw>),
    /// Keys and values.
    Map(Entries),
}

impl Raw {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self::Scalar(Text::new(text))
    }

    /// `null`.
    #[must_use]
    pub fn null() -> Self {
        Self::Scalar(Text::bare("null"))
    }

    /// `true` or `false`.
    #[must_use]
    pub fn bool(value: bool) -> Self {
        Self::Scalar(Text::bare(if value { "true" } else { "false" }))
    }

    /// A whole number.
    #[must_use]
    pub fn number(value: u64) -> Self {
        Self::Scalar(Text::bare(value.to_string()))
    }

    /// A list of texts.
    pub fn texts<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(
            items
                .into_iter()
                .map(|item| Self::text(item.as_ref()))
                .collect(),
        )
    }

    /// The value as it stands in the file.
    pub(super) fn of(node: &Node<'_>, file: &str) -> Self {
        match &node.kind {
            Kind::Scalar(scalar) => Self::Scalar(Text::of(scalar, node.span, file)),
            Kind::Sequence(items) => {
                Self::List(items.iter().map(|item| Self::of(item, file)).collect())
            }
            Kind::Mapping(entries) => {
                let entries = entries.iter();
                Self::Map(Entries(
                    entries
                        .map(|(key, value)| (key_of(key, file), Self::of(value, file)))
                        .collect(),
                ))
            }
        }
    }

    /// Is it a null?
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(text) if text.scalar().is_null())
    }

    /// The text of a scalar that is not null, numbers and booleans as they are written.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) if !self.is_null() => Some(text.as_str()),
            _ => None,
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map.
    #[must_use]
    pub const fn as_map(&self) -> Option<&Entries> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Do both mean the same, however they are spelled? `True` is `true`, and a
    /// text is itself with and without quotes.
    #[must_use]
    pub fn means(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(one), Self::Scalar(two)) => {
                let (one, two) = (one.scalar(), two.scalar());
                one == two
                    || (one.is_null() && two.is_null())
                    || (one.as_bool().is_some() && one.as_bool() == two.as_bool())
                    || (one.is_string() && two.is_string() && one.text == two.text)
            }
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.means(two))
            }
            (Self::Map(one), Self::Map(two)) => {
                one.0.len() == two.0.len()
                    && one.0.iter().all(|(key, value)| {
                        two.get(key.as_str())
                            .is_some_and(|other| value.means(other))
                    })
            }
            _ => false,
        }
    }
}

/// Keys and values of a map, in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entries(pub(super) Vec<(Text, Raw)>);

impl Entries {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Raw)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Raw> {
        self.iter()
            .find(|(found, _)| *found == key)
            .map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Raw> {
        self.0
            .iter_mut()
            .find(|(found, _)| found.as_str() == key)
            .map(|(_, value)| value)
    }

    /// The text of a key, if that is a scalar and not null.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The map under a key.
    #[must_use]
    pub fn map(&self, key: &str) -> Option<&Self> {
        self.get(key)?.as_map()
    }

    /// Adds a key at the end, or gives a key that is there another value. One that
    /// means the same keeps its spelling.
    pub fn put(&mut self, key: &str, value: Raw) {
        match self.get_mut(key) {
            Some(old) if old.means(&value) => {}
            Some(old) => *old = value,
            None => self.0.push((Text::new(key), value)),
        }
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) -> Option<Raw> {
        let at = self.0.iter().position(|(found, _)| found.as_str() == key)?;
        Some(self.0.remove(at).1)
    }

    /// All that `known` does not name.
    pub(super) fn unknown(node: &Node<'_>, known: &[&str], file: &str) -> Self {
        let entries = node.as_mapping().unwrap_or_default().iter();
        Self(
            entries
                .filter(|(key, _)| key.as_str().is_none_or(|key| !known.contains(&key)))
                .map(|(key, value)| (key_of(key, file), Raw::of(value, file)))
                .collect(),
        )
    }
}

/// Reading refuses keys that are no scalars.
fn key_of(key: &Node<'_>, file: &str) -> Text {
    match &key.kind {
        Kind::Scalar(scalar) => Text::of(scalar, key.span, file),
        Kind::Sequence(_) | Kind::Mapping(_) => Text::new(""),
    }
}
