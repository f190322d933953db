//! References to images, as a build takes them.

use std::fmt;

use super::text::short;

/// What stands for a registry that is not named.
const DOCKER_HUB: &str = "docker.io";

/// The longest path of a repository.
const MAX_PATH: usize = 255;

/// A reference to an image, with Docker Hub's short names spelled out.
///
/// Two references to one image are equal, however they were written. It is
/// wider than what Kargo can subscribe to: IPv6 registries, registries of one
/// word in capitals and digests other than sha256 are valid here.
///
/// ```
/// use image_factory::dockerfile::ImageReference;
/// let image = ImageReference::parse("node:22").unwrap();
/// assert_eq!(image.to_string(), "docker.io/library/node:22");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    /// Host and port: `docker.io`, `localhost:5000`, `[::1]:5000`.
    pub registry: String,
    /// The repository in it: `library/node`.
    pub path: String,
    /// The tag; `latest` if neither tag nor digest is named, `None` if only a digest is.
    pub tag: Option<String>,
    /// The digest that pins it: `sha256:…`.
    pub digest: Option<String>,
    /// Is `tag` the `latest` that nobody wrote?
    pub implicit_latest: bool,
}

/// Why a text is no reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReferenceFault {
    /// What is wrong with it.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for ReferenceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReferenceFault {}

impl fmt::Display for ImageReference {
    /// The canonical form: registry, path, tag and digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl std::str::FromStr for ImageReference {
    type Err = ReferenceFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl ImageReference {
    /// Reads a reference.
    ///
    /// # Errors
    ///
    /// If a build would refuse it, why.
    pub fn parse(text: &str) -> Result<Self, ReferenceFault> {
        let fault = |reason: &str, help: &str| ReferenceFault {
            message: format!("`{}` is no image reference: {reason}", short(text)),
            help: (!help.is_empty()).then(|| help.to_owned()),
        };
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(fault(
                "64 hexadecimal digits are the id of an image on one machine, not a name",
                "Name the repository it was pushed to, with `@sha256:…` to pin it.",
            ));
        }
        if text.contains("://") {
            return Err(fault(
                "it is a URL",
                "Leave what stands before the registry away.",
            ));
        }
        let (registry, rest) = registry(text);
        let (named, digest) = match rest.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (rest.as_str(), None),
        };
        let (path, tag) = match named.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (named, None),
        };
        if path.chars().any(char::is_uppercase) {
            return Err(fault(
                "the name of a repository has no capital letters",
                "Write it in lower case.",
            ));
        }
        let hosted = is_registry(&registry) || is_path(&registry);
        if !hosted {
            let reason = format!("`{}` is no registry", short(&registry));
            return Err(fault(
                &reason,
                "A registry is a host, with its port if it has one: `registry.example.com:5000/name`.",
            ));
        }
        if !is_path(path) {
            return Err(fault(&path_reason(path), ""));
        }
        if path.len() > MAX_PATH {
            let reason = format!("the name is longer than {MAX_PATH} characters");
            return Err(fault(&reason, ""));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(tag_fault(&fault, tag));
        }
        if let Some(reason) = digest.and_then(digest_reason) {
            return Err(fault(
                &reason,
                "A digest is `sha256:` and 64 hexadecimal digits in lower case.",
            ));
        }
        let implicit_latest = tag.is_none() && digest.is_none();
        let tag = if implicit_latest { Some("latest") } else { tag };
        Ok(Self {
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
            registry,
            implicit_latest,
        })
    }
}

/// The registry, named or not, and what follows it.
fn registry(text: &str) -> (String, String) {
    let library = |registry: &str, rest: &str| {
        let prefix = if rest.contains('/') { "" } else { "library/" };
        (registry.to_owned(), format!("{prefix}{rest}"))
    };
    match text.split_once('/') {
        None => library(DOCKER_HUB, text),
        // BuildKit knows the first two; to the others the same images answer, and
        // one image must not be taken for several.
        Some((
            DOCKER_HUB | "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com",
            rest,
        )) => library(DOCKER_HUB, rest),
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.chars().any(char::is_uppercase) =>
        {
            (first.to_owned(), rest.to_owned())
        }
        Some(_) => (DOCKER_HUB.to_owned(), text.to_owned()),
    }
}

const fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// `host`, `host:port`, `[IPv6]:port`.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else {
                return false;
            };
            let digits = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
            if address.is_empty() || !address.bytes().all(digits) {
                return false;
            }
            (None, port)
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (host, port) = text.split_at_checked(end).unwrap_or((text, ""));
            (Some(host), port)
        }
    };
    let label = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| {
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
    port && host.is_none_or(|host| host.split('.').all(label))
}

/// Parts joined by `/`, of words joined by `.`, `_`, `__` or dashes.
fn is_path(text: &str) -> bool {
    text.split('/').all(is_component)
}

fn is_component(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !text
        .bytes()
        .all(|byte| word(byte) || matches!(byte, b'.' | b'_' | b'-'))
    {
        return false;
    }
    let separators = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let ends = text.bytes().next().is_some_and(word) && text.bytes().next_back().is_some_and(word);
    ends && separators
        .filter(|separator| !separator.is_empty())
        .all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        })
}

fn path_reason(path: &str) -> String {
    if path.is_empty() || path == "library/" {
        return "it has no name".to_owned();
    }
    match path.split('/').find(|part| !is_component(part)) {
        Some("") => "a part of the name is empty".to_owned(),
        Some(part) => format!(
            "`{}` cannot be part of a name, which is lower-case letters and digits, with `.`, `_`, `__` or dashes between",
            short(part)
        ),
        None => "the name is not valid".to_owned(),
    }
}

fn is_tag(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=128).contains(&text.len()) && text.bytes().all(inside) && !text.starts_with(['.', '-'])
}

fn tag_fault(fault: &dyn Fn(&str, &str) -> ReferenceFault, tag: &str) -> ReferenceFault {
    if tag.is_empty() {
        return fault(
            "no tag follows the colon",
            "Remove the colon, or write the tag.",
        );
    }
    let reason = format!("`{}` is no tag", short(tag));
    fault(
        &reason,
        "A tag is up to 128 letters, digits, `_`, `.` and `-`, and starts with none of the last two.",
    )
}

/// What is wrong with a digest, if anything.
fn digest_reason(text: &str) -> Option<String> {
    let wrong = || Some(format!("`{}` is no digest", short(text)));
    let Some((algorithm, encoded)) = text.split_once(':') else {
        return wrong();
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return wrong(),
    };
    if encoded.len() != length {
        let is = encoded.len();
        return Some(format!(
            "a digest of {algorithm} has {length} digits, this one {is}"
        ));
    }
    if encoded.bytes().all(is_lower_hex) {
        None
    } else {
        wrong()
    }
}
