//! The flags that each instruction knows.

use super::text::short;
use super::words::Word;
use crate::diagnostics::did_you_mean;

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Text,
    /// Any number of times.
    Texts,
}

type Table = &'static [(&'static str, Kind)];

const ADD: Table = &[
    ("chown", Kind::Text),
    ("chmod", Kind::Text),
    ("link", Kind::Bool),
    ("keep-git-dir", Kind::Bool),
    ("checksum", Kind::Text),
    ("unpack", Kind::Bool),
    ("exclude", Kind::Texts),
];
const COPY: Table = &[
    ("chown", Kind::Text),
    ("from", Kind::Text),
    ("chmod", Kind::Text),
    ("link", Kind::Bool),
    ("exclude", Kind::Texts),
    ("parents", Kind::Bool),
];
const FROM: Table = &[("platform", Kind::Text)];
const HEALTHCHECK: Table = &[
    ("interval", Kind::Text),
    ("timeout", Kind::Text),
    ("start-period", Kind::Text),
    ("start-interval", Kind::Text),
    ("retries", Kind::Text),
];
const RUN: Table = &[
    ("mount", Kind::Texts),
    ("network", Kind::Text),
    ("security", Kind::Text),
    ("device", Kind::Texts),
];

/// The flags of an instruction, `name` being in lower case.
fn table(name: &str) -> Table {
    match name {
        "add" => ADD,
        "copy" => COPY,
        "from" => FROM,
        "healthcheck" => HEALTHCHECK,
        "run" => RUN,
        _ => &[],
    }
}

/// A flag that was given: its name, its value, and the word.
pub(super) struct Flag<'w> {
    pub(super) name: &'static str,
    pub(super) value: &'w str,
    pub(super) word: &'w Word,
}

/// A word that is no flag here, with message and help.
pub(super) type Wrong<'w> = (&'w Word, String, Option<String>);

/// Checks the flags of the instruction `name`.
pub(super) fn check<'w>(name: &str, words: &'w [Word]) -> Result<Vec<Flag<'w>>, Wrong<'w>> {
    let known = table(name);
    let upper = name.to_ascii_uppercase();
    let mut flags: Vec<Flag<'w>> = Vec::new();
    for word in words {
        let (key, value) = match word.text.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (word.text.as_str(), None),
        };
        let key = key.strip_prefix("--").unwrap_or(key);
        let Some((name, kind)) = known.iter().find(|(name, _)| *name == key) else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let help = match names.is_empty() {
                true => format!("{upper} has no flags."),
                false => did_you_mean(key, &names),
            };
            return Err((
                word,
                format!("{upper} has no flag `--{}`", short(key)),
                Some(help),
            ));
        };
        if *kind != Kind::Texts && flags.iter().any(|flag| flag.name == *name) {
            return Err((word, format!("`--{name}` is given twice"), None));
        }
        let valid = match (kind, value) {
            (Kind::Bool, None) => true,
            (Kind::Bool, Some(value)) => {
                matches!(value.to_ascii_lowercase().as_str(), "true" | "false")
            }
            (Kind::Text | Kind::Texts, value) => value.is_some(),
        };
        if !valid {
            let (message, help) = match kind {
                Kind::Bool => (
                    "is true or false",
                    format!("Write `--{name}`, or `--{name}=false`."),
                ),
                _ => (
                    "has no value",
                    format!("Write `--{name}=…`, without blanks around the `=`."),
                ),
            };
            return Err((word, format!("`--{name}` {message}"), Some(help)));
        }
        flags.push(Flag {
            name,
            value: value.unwrap_or("true"),
            word,
        });
    }
    Ok(flags)
}
