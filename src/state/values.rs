//! Times and digests as files have them.

use std::fmt;

use crate::model::{Digest, Parse as _, Time};

/// A recorded time. One that another program spelled otherwise (fractions of a
/// second, another zone) keeps its spelling.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    time: Time,
    written: Option<Box<str>>,
}

impl Stamp {
    /// The point in time.
    #[must_use]
    pub const fn time(&self) -> Time {
        self.time
    }

    /// Reads a time of RFC 3339.
    pub(super) fn read(text: &str) -> Option<Self> {
        let time = Time::parse(text).ok()?;
        let usual = time.to_string() == text;
        Some(Self {
            time,
            written: (!usual).then(|| text.into()),
        })
    }
}

impl From<Time> for Stamp {
    fn from(time: Time) -> Self {
        Self {
            time,
            written: None,
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.written {
            Some(text) => f.write_str(text),
            None => self.time.fmt(f),
        }
    }
}

/// A recorded digest: what stands after an algorithm and a colon. Older programs
/// and people's notes have shortened ones, which are kept, and equal no digest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DigestText(Box<str>);

impl DigestText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digest, if it is a whole one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        Digest::parse(&self.0).ok()
    }

    /// Is it this digest?
    #[must_use]
    pub fn is(&self, digest: &Digest) -> bool {
        *self.0 == *digest.as_str()
    }

    /// Reads what may stand for a digest in a file.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (algorithm, hex) = text.split_once(':')?;
        let fits = !algorithm.is_empty()
            && !hex.is_empty()
            && algorithm
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+._-".contains(&b))
            && hex
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"=_.-".contains(&b));
        fits.then(|| Self(text.into()))
    }
}

impl From<&Digest> for DigestText {
    fn from(digest: &Digest) -> Self {
        Self(digest.as_str().into())
    }
}

impl From<Digest> for DigestText {
    fn from(digest: Digest) -> Self {
        Self::from(&digest)
    }
}

impl fmt::Display for DigestText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
