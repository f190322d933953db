//! What is wrong with someone's files, as data.
//!
//! Every layer reports trouble as [`Diagnostic`]s and goes on; only the shell
//! turns them into text, with [`human`] for people and [`json`] for machines.

pub mod codes;
pub mod human;
pub mod json;
mod nearest;
pub(crate) mod secrets;
mod sources;

use std::cmp::Ordering;
use std::sync::Arc;

pub use codes::{Code, code};
pub use nearest::{did_you_mean, nearest};
pub use sources::{Position, Sources};

/// A stretch of a text, in bytes from its start; `end` is exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// First byte after it.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// Where something stands: a file, and the stretch of it if that is known.
#[derive(Clone, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Path relative to the root, with `/` between its parts.
    pub file: Arc<str>,
    /// The stretch of the file; `None` means the file as a whole.
    pub span: Option<Span>,
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            span: None,
        }
    }

    /// A stretch of a file.
    #[must_use]
    pub fn new(file: impl Into<Arc<str>>, span: Span) -> Self {
        Self {
            file: file.into(),
            span: Some(span),
        }
    }
}

/// How bad it is. Any error means that nothing is written and the exit code is 2.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The input cannot be used as it is.
    Error,
    /// The input can be used, but probably does not say what was meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing to tell: what, how bad, where, and what to do.
///
/// `message` starts in lower case, has no full stop, and names offending
/// values in backticks; `help` says what to do, in whole lines of text. Neither shows
/// the user and password of an address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Which rule speaks.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// Where; `None` if no file is to blame.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without place and help.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            place: None,
            message: secrets::masked(&message.into()).into_owned(),
            help: None,
        }
    }

    /// A warning without place and help.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// The same, standing at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(secrets::masked(&help.into()).into_owned());
        self
    }

    /// Is this an error, not a warning?
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The order of a report: file, place in it, code, text.
    fn report_order(&self, other: &Self) -> Ordering {
        self.place
            .cmp(&other.place)
            .then_with(|| self.code.cmp(&other.code))
            .then_with(|| self.message.cmp(&other.message))
    }
}

/// Brings diagnostics into the order of a report: by file, place in the file,
/// code. What has no place comes first.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(Diagnostic::report_order);
}

/// Is at least one of them an error?
#[must_use]
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_ordered_by_file_place_and_code() {
        let at = |file: &str, start| Place::new(file, Span::new(start, start + 1));
        let mut all = vec![
            Diagnostic::error(code::UNKNOWN_KEY, "d").at(at("b", 1)),
            Diagnostic::error(code::UNKNOWN_KEY, "c").at(at("a", 9)),
            Diagnostic::error(code::UNKNOWN_KEY, "b").at(at("a", 2)),
            Diagnostic::warning(code::WRONG_TYPE, "a").at(at("a", 2)),
            Diagnostic::error(code::UNKNOWN_KEY, "whole").at(Place::file("a")),
            Diagnostic::error(code::UNKNOWN_KEY, "none"),
        ];
        sort(&mut all);
        let order: Vec<&str> = all.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(order, ["none", "whole", "a", "b", "c", "d"]);
        assert!(any_error(&all));
        assert!(!any_error(&[Diagnostic::warning(code::UNKNOWN_KEY, "w")]));
    }
}
