//! The text of a facts file: line-oriented, indented, made to be reviewed.
//!
//! ```text
//! crd-facts 1 (…)
//! name Greeting
//! source example v1 greeting.yaml
//! licence Apache-2.0
//!
//! root: object
//!   spec!: object
//!     / What to say, and to whom.
//!     @rule "self.to != ''"
//!     to!: string maxLength=63
//!     words: list minItems=1
//!       items: string
//! ```
//!
//! One line is one value: its name, `!` when it is required, its type, then
//! modifiers whose values are JSON. Lines that start with `/` are our own words,
//! lines that start with `@` hold CEL rules and `oneOf`, `anyOf`, `allOf`, `not`.
//! [`parse`] refuses what [`write()`] would not write, so that no two files say the
//! same thing in two ways; `docs/crd-import.md` is the reference.

mod cursor;
mod header;
pub(crate) mod modifiers;
mod parse;
mod write;

#[cfg(test)]
mod tests;

pub use cursor::FormatError;
pub use parse::parse;
#[cfg(feature = "import")]
pub(crate) use write::canonical;
pub use write::write;
pub(crate) use write::{column_text, rule_text, type_text};

/// What the first line starts with: the format and its version.
pub(crate) const MAGIC: &str = "crd-facts 1";

/// How deep values may nest. The readers of YAML and JSON stop at 128 nested
/// nodes, of which a schema uses two a level.
pub(crate) const MAX_DEPTH: usize = 100;

/// True for a name that is written without quotes.
pub(crate) fn is_bare(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && name.chars().all(is_bare_char)
}

/// True for a character that may stand in a name without quotes.
pub(crate) fn is_bare_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.' | '-' | '/')
}

/// True for text that can stand as the rest of a line: it has no control
/// characters, no blank at either end and does not look like a JSON string.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('"')
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() || c == '\u{feff}')
}
