//! Why a registry's answer is none, and what to do about it.

use std::fmt;
use std::time::Duration;

use image_factory::diagnostics::{Code, Diagnostic, code};

use crate::http::Trouble;
use crate::http::said::line;
pub(super) use crate::http::said::wait_text;

/// What kind of failure it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The repository is there, the tag or digest is not.
    NoSuchTag,
    /// The repository is not there, or hides itself.
    NoSuchRepository,
    /// The registry wants other credentials, or refuses these.
    Denied,
    /// There were too many requests; how long it wants us to wait, if it says.
    RateLimited {
        /// From now on.
        wait: Option<Duration>,
    },
    /// It cannot be reached, or does not answer, or says that it cannot.
    Unreachable,
    /// It cannot show who it is.
    Tls,
    /// What it answers is none.
    Garbage,
    /// What it serves is not what it names.
    WrongDigest,
    /// Our own credentials cannot be read.
    Credentials,
    /// It leads to where nothing may be sent.
    Unsafe,
}

/// A question to a registry that has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistryError {
    /// What kind of failure it is.
    pub kind: Kind,
    /// The registry, a host with an optional port.
    pub registry: String,
    /// What was asked for, canonical.
    pub image: String,
    /// What happened, without the image.
    pub reason: String,
    /// What to do.
    pub help: Option<String>,
}

impl RegistryError {
    pub(super) fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            registry: String::new(),
            image: String::new(),
            reason: reason.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, about this image.
    pub(super) fn about(mut self, registry: &str, image: &str) -> Self {
        registry.clone_into(&mut self.registry);
        image.clone_into(&mut self.image);
        self
    }

    pub(super) fn garbage(reason: impl Into<String>) -> Self {
        Self::new(Kind::Garbage, reason).help(
            "is this host a registry? A proxy or a sign-in page in between answers for others, too",
        )
    }

    /// A request that had no answer at all.
    pub(super) fn trouble(host: &str, trouble: &Trouble) -> Self {
        match trouble {
            Trouble::NoSuchHost => {
                Self::new(Kind::Unreachable, format!("there is no host `{host}`"))
                    .help("mend the registry's name; in a cluster, look at its DNS and at the proxy's settings")
            }
            Trouble::Connection(why) => {
                Self::new(Kind::Unreachable, format!("`{host}` cannot be reached: {why}"))
                    .help("is the registry up, and reachable from here? `https_proxy` and `no_proxy` of the environment are honoured")
            }
            Trouble::Timeout(what) => {
                Self::new(Kind::Unreachable, format!("`{host}` gave no {what} in time"))
                    .help("try again later; a proxy or a firewall may swallow what is sent")
            }
            Trouble::Tls(why) => {
                Self::new(Kind::Tls, format!("`{host}` cannot show who it is: {why}")).help(format!(
                    "if an authority of your own signed its certificate, commit that authority's (PEM) and say so in images.yaml:\n\
                     settings:\n  registries:\n    {host}: {{ca: PATH}}\n\
                     or add it to the system's, or name a file of all in SSL_CERT_FILE; a registry without TLS needs `insecure: true` there"
                ))
            }
            Trouble::NoRoots(why) => Self::new(Kind::Tls, why.clone()).help(
                "install the package ca-certificates, or name a readable file of certificates (PEM) in SSL_CERT_FILE",
            ),
            Trouble::Authority(why) => {
                Self::new(Kind::Tls, why.clone()).help("the file has to hold certificates as PEM")
            }
            Trouble::TooLarge(limit) => Self::garbage(format!(
                "the answer is longer than the {limit} bytes that any such answer needs"
            )),
            Trouble::Protocol(why) => Self::garbage(format!("what it answers is no HTTP: {why}")),
        }
    }

    /// The code of the diagnostic.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self.kind {
            Kind::NoSuchTag | Kind::NoSuchRepository => code::IMAGE_NOT_FOUND,
            Kind::Denied => code::REGISTRY_DENIED,
            Kind::RateLimited { .. } => code::REGISTRY_RATE_LIMIT,
            Kind::Unreachable => code::REGISTRY_UNREACHABLE,
            Kind::Tls => code::REGISTRY_TLS,
            Kind::Garbage => code::REGISTRY_ANSWER,
            Kind::WrongDigest => code::WRONG_DIGEST,
            Kind::Credentials => code::REGISTRY_CREDENTIALS,
            Kind::Unsafe => code::REGISTRY_UNSAFE,
        }
    }

    /// The same for people and machines; without a place.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.code(), self.to_string());
        diagnostic.help.clone_from(&self.help);
        diagnostic
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.image.is_empty() {
            f.write_str(&self.reason)
        } else {
            write!(f, "`{}`: {}", self.image, self.reason)
        }
    }
}

impl std::error::Error for RegistryError {}

/// A text of somebody else, in one short line without control characters.
pub(super) fn excerpt(text: &str) -> String {
    line(text, 160)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_are_one_short_line() {
        assert_eq!(excerpt("a\r\n\u{1b}[31mb\u{202e}c"), "a [31mb c");
        assert_eq!(excerpt(&"x".repeat(500)).chars().count(), 161);
        assert_eq!(excerpt("  \n "), "");
    }
}
