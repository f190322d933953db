//! What a Dockerfile is built on: its base images, each with its place.
//!
//! A file is read as BuildKit reads it, for linux/amd64: what a build would
//! pull is found, what a build would refuse is a [`Fault`]. One rule is ours:
//! a reference that depends on a variable without value is neither guessed
//! nor refused, but [`Unresolved`].
//!
//! The way of a text: `lines` joins continuations and skips comments and
//! here-documents; `words` takes a line apart; `instruction` checks it and
//! keeps what matters; `stages` expands, links and judges the whole.

mod expand;
mod flags;
mod heredoc;
mod instruction;
mod json;
mod lines;
mod mount;
mod pattern;
mod reference;
mod stages;
mod text;
mod values;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::diagnostics::{Code, Diagnostic, Place, Position, Span, code};

pub use reference::{ImageReference, ReferenceFault};

/// What a build is started with.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// `--build-arg`: they replace the defaults of declared ARGs.
    pub build_args: &'a BTreeMap<String, String>,
    /// `--target`: the stage that is built; the last one if `None`.
    pub target: Option<&'a str>,
}

/// What a Dockerfile is built on. Everything is in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bases {
    /// Every reference to an image outside of the file, of all stages.
    pub uses: Vec<Use>,
    /// The references that depend on a variable without value.
    pub unresolved: Vec<Unresolved>,
    /// The stages, by their index.
    pub stages: Vec<Stage>,
}

/// One reference to an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Use {
    /// The text after expansion, nothing added: `node:22`.
    pub reference: String,
    /// What it refers to.
    pub image: ImageReference,
    /// Where it stands.
    pub kind: UseKind,
    /// The index of the stage that uses it.
    pub stage: usize,
    /// The reference in the file, as it is written.
    pub span: Span,
    /// The line on which its instruction begins.
    pub line: usize,
    /// Does the build of the target need it?
    pub reachable: bool,
}

/// A reference that cannot be known before a variable has a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unresolved {
    /// The variable: one that is not declared, or declared without a value.
    pub variable: String,
    /// Does an ARG before the first FROM declare it? If not, no build argument
    /// gives it a value.
    pub declared: bool,
    /// The reference in the file, as it is written.
    pub span: Span,
    /// The line on which its instruction begins.
    pub line: usize,
    /// The index of the stage that uses it.
    pub stage: usize,
    /// Where it stands.
    pub kind: UseKind,
    /// Does the build of the target need it?
    pub reachable: bool,
}

/// Where a reference stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum UseKind {
    /// `FROM image`.
    From,
    /// `COPY --from=image`.
    Copy,
    /// `RUN --mount=from=image`.
    Mount,
}

impl UseKind {
    /// `from`, `copy` or `mount`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::Copy => "copy",
            Self::Mount => "mount",
        }
    }
}

/// A stage: a FROM and what follows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stage {
    /// Its name in lower case, if it has one.
    pub name: Option<String>,
    /// Its FROM.
    pub span: Span,
    /// The line on which that begins.
    pub line: usize,
    /// Does the build of the target need it?
    pub reachable: bool,
}

/// Why a build would refuse the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What kind of fault it is.
    pub code: Code,
    /// Where, in bytes.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

fn fault(span: Span, message: impl Into<String>) -> Fault {
    Fault {
        code: code::DOCKERFILE_INVALID,
        span,
        message: message.into(),
        help: None,
    }
}

impl Fault {
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// Line and column of its start, both from 1, the column in characters;
    /// `bytes` is the file.
    #[must_use]
    pub fn position(&self, bytes: &[u8]) -> Position {
        position(bytes, self.span)
    }

    /// The same as a diagnostic about `file`.
    #[must_use]
    pub fn diagnostic(&self, file: &str) -> Diagnostic {
        let place = Place::new(file, self.span);
        let diagnostic = Diagnostic::error(self.code, self.message.clone()).at(place);
        match &self.help {
            Some(help) => diagnostic.help(help.clone()),
            None => diagnostic,
        }
    }
}

/// Line and column of a span's start in a file of bytes.
#[must_use]
pub fn position(bytes: &[u8], span: Span) -> Position {
    let before = bytes.get(..span.start).unwrap_or(bytes);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let column = text::decode(before.get(start..).unwrap_or_default())
        .chars()
        .count()
        + 1;
    Position { line, column }
}

/// The file as text in which spans stay true: each byte that is no UTF-8 is a `?`.
#[must_use]
pub fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

/// The images that the Dockerfile `bytes` is built on.
///
/// ```
/// use image_factory::dockerfile::{Options, bases};
/// let text = "ARG NODE=22\nFROM node:${NODE}-slim\nCOPY --from=busybox /bin/sh /sh\n";
/// let options = Options { build_args: &Default::default(), target: None };
/// let found = bases(text.as_bytes(), &options).unwrap();
/// let references: Vec<&str> = found.uses.iter().map(|one| one.reference.as_str()).collect();
/// assert_eq!(references, ["node:22-slim", "busybox"]);
/// ```
///
/// # Errors
///
/// If a build would refuse the file: every reason that was found, in the order
/// of the file, at least one.
pub fn bases(bytes: &[u8], options: &Options<'_>) -> Result<Bases, Vec<Fault>> {
    stages::bases(bytes, options)
}
