//! From a text of someone's file to a checked value.

use crate::diagnostics::secrets::{masked, masked_address};
use crate::diagnostics::{Code, Diagnostic, code};

/// Why a text is no value of its type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// What is wrong, to be read after the value: "has a blank".
    pub why: String,
    /// What to write instead.
    pub help: String,
}

impl Invalid {
    pub(super) fn new(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            help: help.into(),
        }
    }
}

/// A value that has a text form which can be wrong.
pub trait Parse: Sized {
    /// The code of a wrong text.
    const CODE: Code;
    /// What the text is, as in a message: "branch".
    const WHAT: &'static str;
    /// Reads the text.
    ///
    /// # Errors
    /// Says why the text is no such value.
    fn parse(text: &str) -> Result<Self, Invalid>;

    /// Reads the text; a wrong one as a diagnostic without a place.
    ///
    /// # Errors
    /// [`Self::CODE`], with the reason and help.
    fn check(text: &str) -> Result<Self, Diagnostic> {
        Self::parse(text).map_err(|invalid| {
            let text = quotable::<Self>(text);
            let message = format!("{} `{text}` {}", Self::WHAT, invalid.why);
            Diagnostic::error(Self::CODE, message).help(invalid.help)
        })
    }
}

/// A wrong text of this type as a message can hold it, without credentials.
pub(super) fn quotable<T: Parse>(text: &str) -> String {
    if T::CODE == code::INVALID_URL {
        shorten(&masked_address(text))
    } else {
        shorten(text)
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

/// A newtype around a text that was checked.
macro_rules! text_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A text of ours that is known to be right.
            #[allow(dead_code, reason = "not every type has a value that we know")]
            pub(in crate::model) fn known(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, f)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// An enum whose variants are words of a file.
macro_rules! choice_type {
    ($(#[$meta:meta])* $name:ident($what:literal) { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$vmeta])* $variant,)* }

        impl $name {
            /// All words, in the order of the variants.
            pub const WORDS: &[&'static str] = &[$($word),*];

            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl $crate::model::Parse for $name {
            const CODE: $crate::diagnostics::Code = $crate::diagnostics::code::INVALID_CHOICE;
            const WHAT: &'static str = $what;
            fn parse(text: &str) -> Result<Self, $crate::model::Invalid> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::model::Invalid::new(
                        "is not one of the choices",
                        $crate::diagnostics::did_you_mean(text, Self::WORDS),
                    )),
                }
            }
        }
    };
}

pub(super) use {choice_type, text_type};
