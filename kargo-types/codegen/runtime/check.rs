/// A regular expression of the schema: RE2's syntax, found anywhere in the text
/// unless it is anchored. Compiled once, when it is first needed.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<regex::bytes::Regex>>,
}

impl Pattern {
    /// A pattern, not compiled yet.
    pub const fn new(text: &'static str) -> Pattern {
        Pattern { text, compiled: OnceLock::new() }
    }

    /// As the schema has it.
    pub fn as_str(&self) -> &'static str {
        self.text
    }

    /// True when the pattern is found in the text, or cannot be compiled, which
    /// a test of the generator rules out.
    pub fn is_match(&self, text: &str) -> bool {
        self.compiled
            // RE2 means ASCII by `\w` and `\d`.
            .get_or_init(|| regex::bytes::Regex::new(&format!("(?-u){}", self.text)).ok())
            .as_ref()
            .is_none_or(|regex| regex.is_match(text.as_bytes()))
    }
}

/// True when the text holds an expression, whose value is only known at run time.
pub fn is_expression(text: &str) -> bool {
    text.contains("${{") || text.contains("${%")
}

/// Checks of single values.
pub mod check {
    use super::{At, GoDuration, Pattern, Serialize, Value, Violation};
    use std::collections::BTreeSet;
    use std::ops::{Bound, RangeBounds};

    fn show(range: &impl RangeBounds<usize>, what: &str) -> String {
        let bound = |bound: Bound<&usize>| match bound {
            Bound::Included(count) => Some(*count),
            Bound::Excluded(count) => Some(*count),
            Bound::Unbounded => None,
        };
        match (bound(range.start_bound()), bound(range.end_bound())) {
            (Some(least), Some(most)) => format!("{least} to {most} {what}"),
            (Some(least), None) => format!("at least {least} {what}"),
            (None, Some(most)) => format!("at most {most} {what}"),
            (None, None) => format!("any number of {what}"),
        }
    }

    fn count(
        count: usize,
        range: &impl RangeBounds<usize>,
        what: &str,
        at: &At<'_>,
        out: &mut Vec<Violation>,
    ) {
        if !range.contains(&count) {
            at.wrong(out, format!("has {count} {what}, must have {}", show(range, what)));
        }
    }

    /// Characters of a text.
    pub fn length(text: &str, range: impl RangeBounds<usize>, at: &At<'_>, out: &mut Vec<Violation>) {
        count(text.chars().count(), &range, "characters", at, out);
    }

    /// Items of a list.
    pub fn items(items: usize, range: impl RangeBounds<usize>, at: &At<'_>, out: &mut Vec<Violation>) {
        count(items, &range, "items", at, out);
    }

    /// Keys of an object.
    pub fn properties(keys: usize, range: impl RangeBounds<usize>, at: &At<'_>, out: &mut Vec<Violation>) {
        count(keys, &range, "keys", at, out);
    }

    /// The form of a mail address: something, `@`, something, no blanks.
    pub fn email(text: &str, at: &At<'_>, out: &mut Vec<Violation>) {
        let fits = text.rsplit_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)
        });
        if !fits {
            at.wrong(out, format!("`{text}` is no mail address"));
        }
    }

    /// The form of an absolute URI: a scheme, `:`, something, no blanks.
    pub fn uri(text: &str, at: &At<'_>, out: &mut Vec<Violation>) {
        let fits = text.split_once(':').is_some_and(|(scheme, rest)| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
                && !rest.is_empty()
                && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        });
        if !fits {
            at.wrong(out, format!("`{text}` is no absolute URI"));
        }
    }

    /// A text must match.
    pub fn pattern(text: &str, pattern: &Pattern, at: &At<'_>, out: &mut Vec<Violation>) {
        if !pattern.is_match(text) {
            at.wrong(out, format!("`{text}` does not match `{}`", pattern.as_str()));
        }
    }

    /// A duration must match as it is written. Whole seconds from zero on do
    /// under every pattern that is taken for a duration, and need no regex.
    pub fn duration_pattern(value: GoDuration, expected: &Pattern, at: &At<'_>, out: &mut Vec<Violation>) {
        if !value.is_whole_seconds() {
            pattern(&value.to_string(), expected, at, out);
        }
    }

    /// A smallest value.
    pub fn at_least<T: PartialOrd + std::fmt::Display>(value: T, bound: T, at: &At<'_>, out: &mut Vec<Violation>) {
        if value < bound {
            at.wrong(out, format!("{value} is less than {bound}"));
        }
    }

    /// A largest value.
    pub fn at_most<T: PartialOrd + std::fmt::Display>(value: T, bound: T, at: &At<'_>, out: &mut Vec<Violation>) {
        if value > bound {
            at.wrong(out, format!("{value} is more than {bound}"));
        }
    }

    /// A value to stay above.
    pub fn more_than<T: PartialOrd + std::fmt::Display>(value: T, bound: T, at: &At<'_>, out: &mut Vec<Violation>) {
        if value <= bound {
            at.wrong(out, format!("{value} is not more than {bound}"));
        }
    }

    /// A value to stay below.
    pub fn less_than<T: PartialOrd + std::fmt::Display>(value: T, bound: T, at: &At<'_>, out: &mut Vec<Violation>) {
        if value >= bound {
            at.wrong(out, format!("{value} is not less than {bound}"));
        }
    }

    /// A divisor.
    pub fn multiple_of<T>(value: T, of: T, at: &At<'_>, out: &mut Vec<Violation>)
    where
        T: std::ops::Rem<Output = T> + PartialEq + Default + Copy + std::fmt::Display,
    {
        if value % of != T::default() {
            at.wrong(out, format!("{value} is no multiple of {of}"));
        }
    }

    /// No item may be there twice.
    pub fn unique<T: Serialize>(items: &[T], at: &At<'_>, out: &mut Vec<Violation>) {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let text = serde_json::to_string(item).unwrap_or_default();
            if !seen.insert(text) {
                at.index(index).wrong(out, "is in the list already");
            }
        }
    }

    /// No two items may agree in these keys.
    pub fn unique_by<T: Serialize>(items: &[T], keys: &[&str], at: &At<'_>, out: &mut Vec<Violation>) {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let item = serde_json::to_value(item).unwrap_or_default();
            let key: Vec<String> = keys
                .iter()
                .map(|key| item.get(key).map_or(String::new(), Value::to_string))
                .collect();
            if !seen.insert(key) {
                at.index(index)
                    .wrong(out, format!("has the same `{}` as an item before", keys.join("`, `")));
            }
        }
    }

    /// An object of any kind within another: the API server wants to know the kind.
    pub fn embedded_resource(object: &serde_json::Map<String, Value>, at: &At<'_>, out: &mut Vec<Violation>) {
        for key in ["apiVersion", "kind"] {
            match object.get(key) {
                Some(Value::String(text)) if !text.is_empty() => {}
                Some(_) => at.key(key).wrong(out, "must be a text that is not empty"),
                None => at.key(key).wrong(out, "is required"),
            }
        }
        if object.get("metadata").is_some_and(|metadata| !metadata.is_object()) {
            at.key("metadata").wrong(out, "must be an object");
        }
    }

    /// A rule over several values is broken.
    pub fn broken(message: &str, at: &At<'_>, out: &mut Vec<Violation>) {
        at.wrong(out, message);
    }

    /// For `oneOf`.
    pub fn exactly_one(alternatives: &[bool]) -> bool {
        alternatives.iter().filter(|holds| **holds).count() == 1
    }

    /// A count as CEL has it.
    pub fn size(count: usize) -> i64 {
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// Characters of a text, as CEL counts them.
    pub fn size_of_text(text: &str) -> i64 {
        size(text.chars().count())
    }
}

