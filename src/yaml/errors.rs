//! What can be wrong with a YAML text, and how much of it is read.

use crate::diagnostics::{Diagnostic, Span, code};

/// How much is read before a text is refused. The defaults hold a hundred
/// thousand enrolled images, and stop what was made to exhaust a reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Collections inside each other.
    pub depth: usize,
    /// Nodes that aliases (`*name`) may add in all; a text counts once more for each 64 of its bytes.
    pub aliased_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 32 * 1024 * 1024,
            depth: 64,
            aliased_nodes: 100_000,
        }
    }
}

/// What is wrong, for people who match on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum ReadErrorKind {
    /// No YAML.
    Syntax,
    /// A key stands twice in one mapping.
    DuplicateKey,
    /// More than one document where one is read.
    SecondDocument,
    /// More bytes than [`Limits::bytes`].
    TooLarge,
    /// Deeper than [`Limits::depth`].
    TooDeep,
    /// Aliases that expand beyond [`Limits::aliased_nodes`], or into themselves.
    AliasBomb,
    /// A tag that is not of the core schema, or does not fit its value.
    Tag,
    /// A key that is a collection or nothing.
    ComplexKey,
    /// A merge key, `<<`.
    MergeKey,
}

/// Trouble in a YAML text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// What is wrong.
    pub kind: ReadErrorKind,
    /// Where.
    pub span: Span,
    /// The other place concerned: for a duplicate key its first use.
    pub related: Option<Span>,
    /// One line for people.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// As people and machines are told; the place is the caller's to add.
impl From<ReadError> for Diagnostic {
    fn from(error: ReadError) -> Self {
        let code = match error.kind {
            ReadErrorKind::Syntax => code::YAML_SYNTAX,
            ReadErrorKind::DuplicateKey => code::DUPLICATE_KEY,
            ReadErrorKind::SecondDocument => code::SECOND_DOCUMENT,
            ReadErrorKind::TooLarge | ReadErrorKind::TooDeep | ReadErrorKind::AliasBomb => {
                code::YAML_LIMIT
            }
            ReadErrorKind::Tag | ReadErrorKind::ComplexKey | ReadErrorKind::MergeKey => {
                code::YAML_UNSUPPORTED
            }
        };
        let mut diagnostic = Self::error(code, error.message);
        diagnostic.help = error.help;
        diagnostic
    }
}

impl ReadError {
    pub(super) fn new(kind: ReadErrorKind, span: Span, message: impl Into<String>) -> Self {
        Self {
            kind,
            span,
            related: None,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn too_large(found: usize, limits: &Limits) -> Self {
        let message = format!("{found} bytes of YAML, at most {} are read", limits.bytes);
        Self::new(ReadErrorKind::TooLarge, Span { start: 0, end: 0 }, message)
            .help("split the file, or remove what does not belong in it")
    }

    pub(super) fn unprintable(at: usize, found: char) -> Self {
        let message = format!("the character U+{:04X} may not stand in YAML", found as u32);
        let span = Span {
            start: at,
            end: at + found.len_utf8(),
        };
        Self::new(ReadErrorKind::Syntax, span, message).help(
            "the file may be binary or in another encoding; a control character in a string is \
             written with an escape between double quotes, as \"\\u0007\"",
        )
    }
}

/// The first character that YAML does not allow to stand unescaped
/// (specification 1.2.2, section 5.1), and its byte offset.
pub(super) fn first_unprintable(text: &str) -> Option<(usize, char)> {
    let mut from = 0;
    while let Some(rest) = text.get(from..) {
        // Bytes that may begin such a character; the rest is passed over quickly.
        let hit = from
            + rest.bytes().position(|b| {
                (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || matches!(b, 0x7f | 0xc2 | 0xef)
            })?;
        let found = text.get(hit..)?.chars().next()?;
        if is_unprintable(found) {
            return Some((hit, found));
        }
        from = hit + found.len_utf8();
    }
    None
}

fn is_unprintable(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))
        || matches!(c, '\u{fffe}' | '\u{ffff}')
}
