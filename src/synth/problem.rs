//! What is wrong with objects, as data.

use std::fmt;

use super::ObjectId;
use crate::diagnostics::{Code, Diagnostic, Place};

/// One thing that is wrong with an object, or with the app as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Which rule speaks.
    pub code: Code,
    /// The object, if one is to blame.
    pub object: Option<ObjectId>,
    /// The line of the input that led to the object, where the chart told.
    pub origin: Option<Place>,
    /// JSON pointer (RFC 6901) into the object; empty for the object as a whole.
    pub pointer: String,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem of the app as a whole.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            object: None,
            origin: None,
            pointer: String::new(),
            message: message.into(),
            help: None,
        }
    }

    /// Says which object it is about.
    #[must_use]
    pub fn object(mut self, object: ObjectId) -> Self {
        self.object = Some(object);
        self
    }

    /// Says where the object comes from.
    #[must_use]
    pub fn origin(mut self, origin: Option<Place>) -> Self {
        self.origin = origin;
        self
    }

    /// Says which part of the object it is about, as a JSON pointer.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    /// `Warehouse/node-22 spec.interval: must be …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(object) = &self.object {
            write!(f, "{object}")?;
            if !self.pointer.is_empty() {
                write!(f, " {}", dotted(&self.pointer))?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// A JSON pointer as people write paths: `/spec/steps/0` is `spec.steps[0]`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            path += &format!("[{part}]");
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path += &part;
        }
    }
    path
}

impl From<Problem> for Diagnostic {
    fn from(problem: Problem) -> Self {
        let diagnostic = Self::error(problem.code, problem.to_string());
        let diagnostic = match problem.origin {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        };
        match problem.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}
