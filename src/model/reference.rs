//! Where images live: registries, repositories, tags, digests, references.

use std::fmt;

use crate::diagnostics::{Code, code};

use super::parse::{Invalid, Parse, text_type};

/// The registry that is meant when none is given.
pub(super) const DOCKER_HUB: &str = "docker.io";

text_type! {
    /// A registry: a host in lower case with an optional port.
    Registry
}

impl Parse for Registry {
    const CODE: Code = code::INVALID_REGISTRY;
    const WHAT: &'static str = "registry";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write the host only, such as `ghcr.io` or `registry.example.com:5000`";
        if let Some((scheme, rest)) = text.split_once("://") {
            let host = rest.split('/').next().unwrap_or(rest);
            let help = if is_host_and_port(host) {
                format!("write `{host}`")
            } else {
                help.to_owned()
            };
            return Err(Invalid::new(format!("has a scheme, `{scheme}://`"), help));
        }
        if let Some((host, path)) = text.split_once('/') {
            let help = if is_host_and_port(host) && is_repository_path(path) {
                format!("write `registry: {host}`, and begin `repository` with `{path}/`")
            } else {
                help.to_owned()
            };
            return Err(Invalid::new("has a path", help));
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(Invalid::new(
                "has capital letters",
                "hosts are written in lower case here, so that one registry has one spelling",
            ));
        }
        if !is_host_and_port(text) {
            return Err(Invalid::new("is no host", help));
        }
        if !(text.contains(['.', ':']) || text == "localhost") {
            return Err(Invalid::new(
                "would be read as the first part of a path on Docker Hub",
                "a registry has a dot or a port in its name, or is `localhost`",
            ));
        }
        Ok(Self(canonical_host(text).into()))
    }
}

/// Docker Hub answers to several names.
fn canonical_host(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => DOCKER_HUB,
        other => other,
    }
}

/// A host as registries and Kargo's `repoURL` rule both take it.
fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    host.len() <= 253
        && host.split(['.', '-']).all(part)
        && port.is_none_or(|port| {
            port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0)
        })
}

/// An image without tag and digest, in its one canonical spelling:
/// `docker.io/library/node`, `ghcr.io/owner/app`, `localhost:5000/app`.
///
/// Docker Hub is always named `docker.io`, and its one-part paths have
/// `library/`, so two values are equal exactly if they mean the same images.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    url: Box<str>,
    slash: usize,
}

impl Repository {
    /// The repository of this path in this registry.
    ///
    /// # Errors
    /// Says what is wrong with the path.
    pub fn new(registry: &Registry, path: &str) -> Result<Self, Invalid> {
        check_path(path)?;
        let library = registry.as_str() == DOCKER_HUB && !path.contains('/');
        let library = if library { "library/" } else { "" };
        let mut url =
            String::with_capacity(registry.as_str().len() + 1 + library.len() + path.len());
        for part in [registry.as_str(), "/", library, path] {
            url.push_str(part);
        }
        if url.len() > 255 {
            return Err(Invalid::new(
                "is longer than the 255 characters that registries allow",
                "shorten it",
            ));
        }
        Ok(Self {
            url: url.into(),
            slash: registry.as_str().len(),
        })
    }

    /// Registry and path, as Kargo subscribes to it: `docker.io/library/node`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The host with its port: `docker.io`.
    #[must_use]
    pub fn registry(&self) -> &str {
        self.url.get(..self.slash).unwrap_or_default()
    }

    /// The path: `library/node`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.get(self.slash + 1..).unwrap_or_default()
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.url, f)
    }
}

/// `repoURL`: registry and path together; a text without a registry is of Docker Hub.
impl Parse for Repository {
    const CODE: Code = code::INVALID_REPO_URL;
    const WHAT: &'static str = "image address";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write registry and repository, such as `ghcr.io/owner/app`";
        if text.contains("://") {
            return Err(Invalid::new("has a scheme", help));
        }
        if text.contains('@') {
            return Err(Invalid::new("has a digest", help));
        }
        let (registry, path) = split_registry(text);
        if path.contains(':') {
            return Err(Invalid::new("has a tag", help));
        }
        let registry = Registry::parse(registry.unwrap_or(DOCKER_HUB)).map_err(|invalid| {
            Invalid::new(format!("has a registry that {}", invalid.why), invalid.help)
        })?;
        Self::new(&registry, path)
    }
}

/// Splits off a registry as every client does: the first part, if it has a dot
/// or a colon or is `localhost`.
fn split_registry(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), rest)
        }
        _ => (None, text),
    }
}

fn check_path(path: &str) -> Result<(), Invalid> {
    let help = "write the path below the registry, such as `owner/app`";
    let why = if path.is_empty() {
        "is empty"
    } else if path.contains("://") {
        "has a scheme"
    } else if path.contains('@') {
        "has a digest"
    } else if path.contains(':') {
        "has a tag or a port"
    } else if path.starts_with('/') || path.ends_with('/') || path.contains("//") {
        "has an empty part"
    } else if path.bytes().any(|b| b.is_ascii_uppercase()) {
        "has capital letters, which registries do not allow"
    } else if path.split('/').any(|part| part == "." || part == "..") {
        "has a part that leads elsewhere"
    } else if path.contains("--") {
        "has two dashes in a row, which Kargo refuses"
    } else if !is_repository_path(path) {
        "is no path of an image"
    } else {
        return Ok(());
    };
    Err(Invalid::new(why, help))
}

/// Parts as the distribution specification has them, less what Kargo refuses.
fn is_repository_path(path: &str) -> bool {
    path.split('/').all(|part| {
        let mut alphanumeric = false;
        let mut separators = 0;
        for b in part.bytes() {
            match b {
                b'a'..=b'z' | b'0'..=b'9' => {
                    alphanumeric = true;
                    separators = 0;
                }
                b'.' | b'-' if alphanumeric && separators == 0 => separators = 2,
                b'_' if alphanumeric && separators < 2 => separators += 1,
                _ => return false,
            }
        }
        alphanumeric && separators == 0
    })
}

text_type! {
    /// A tag: 1 to 128 of letters, digits, `_`, `.`, `-`, not beginning with `.` or `-`.
    Tag
}

impl Parse for Tag {
    const CODE: Code = code::INVALID_REFERENCE;
    const WHAT: &'static str = "tag";
    fn parse(text: &str) -> Result<Self, Invalid> {
        if is_tag(text) {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new(
            "is no tag",
            "a tag has 1 to 128 letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`",
        ))
    }
}

/// Is this a tag?
pub(super) fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

text_type! {
    /// A digest: `sha256:` and 64 digits `0-9a-f`, or `sha512:` and 128.
    Digest
}

impl Digest {
    /// The digest of what has this SHA-256.
    #[must_use]
    pub fn of_sha256(hash: &[u8; 32]) -> Self {
        let mut text = String::with_capacity(71);
        text.push_str("sha256:");
        for byte in hash {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
        }
        Self(text.into())
    }
}

impl Parse for Digest {
    const CODE: Code = code::INVALID_REFERENCE;
    const WHAT: &'static str = "digest";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let fits = [("sha256:", 64), ("sha512:", 128)]
            .iter()
            .filter_map(|(algorithm, length)| Some((text.strip_prefix(algorithm)?, *length)))
            .any(|(digits, length)| digits.len() == length && digits.bytes().all(hex));
        if fits {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new(
            "is no digest",
            "a digest is `sha256:` and 64 of `0-9a-f`",
        ))
    }
}

/// An image reference: a repository with a tag, a digest or both.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reference {
    /// The canonical repository.
    pub repository: Repository,
    /// The tag; `latest` if the text had neither tag nor digest.
    pub tag: Option<Tag>,
    /// The digest.
    pub digest: Option<Digest>,
}

impl Parse for Reference {
    const CODE: Code = code::INVALID_IMAGE;
    const WHAT: &'static str = "image";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::parse(digest)?)),
            None => (text, None),
        };
        // A colon after the last slash begins a tag; one before it, a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(Tag::parse(tag)?)),
            _ => (rest, None),
        };
        let tag = match (tag, &digest) {
            (None, None) => Some(Tag("latest".into())),
            (tag, _) => tag,
        };
        Ok(Self {
            repository: Repository::parse(name)?,
            tag,
            digest,
        })
    }
}

impl Reference {
    /// A reference that builds take and Kargo does not: a registry with an IPv6 address
    /// or capitals, two dashes in a row. Whether a build really takes it, discovery knows.
    pub(super) fn for_builds(text: &str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::parse(digest).ok()?)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(Tag::parse(tag).ok()?)),
            _ => (rest, None),
        };
        let capital = |part: &str| part.bytes().any(|b| b.is_ascii_uppercase());
        let (registry, path) = match (split_registry(name), name.split_once('/')) {
            ((None, _), Some((first, rest))) if capital(first) => (first, rest),
            ((registry, path), _) => (registry.unwrap_or(DOCKER_HUB), path),
        };
        let host = |b: u8| b.is_ascii_alphanumeric() || b"[]:.-_".contains(&b);
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let part = |part: &str| !part.is_empty() && part != ".." && part.bytes().all(word);
        let fits = !registry.is_empty()
            && registry.bytes().all(host)
            && path.split('/').all(part)
            && name.len() <= 512;
        if !fits {
            return None;
        }
        let library = registry == DOCKER_HUB && !path.contains('/');
        let library = if library { "library/" } else { "" };
        Some(Self {
            repository: Repository {
                url: [registry, "/", library, path].concat().into(),
                slash: registry.len(),
            },
            tag: match (tag, &digest) {
                (None, None) => Some(Tag::known("latest")),
                (tag, _) => tag,
            },
            digest,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.repository.url())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn registries_are_hosts() {
        for (text, is) in [
            ("ghcr.io", "ghcr.io"),
            ("index.docker.io", "docker.io"),
            ("localhost", "localhost"),
            ("localhost:5000", "localhost:5000"),
            ("my-registry.example.com:443", "my-registry.example.com:443"),
            ("10.0.0.1:5000", "10.0.0.1:5000"),
        ] {
            assert_eq!(
                Registry::parse(text).map(|r| r.to_string()),
                Ok(is.to_owned()),
                "{text}"
            );
        }
        for bad in [
            "",
            "https://ghcr.io",
            "ghcr.io/owner",
            "ghcr",
            "GHCR.io",
            "a b.io",
            " ghcr.io",
            "-a.io",
            "a..b",
            "a.io:",
            "a.io:0",
            "a.io:65536",
            "a.io:+1",
            "[::1]:5000",
            "user@ghcr.io",
            "xn--a.io",
            "a.io\n",
            "$(id).io",
        ] {
            assert!(Registry::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn repositories_have_one_spelling() {
        for (text, url) in [
            ("node", "docker.io/library/node"),
            ("docker.io/node", "docker.io/library/node"),
            (
                "registry-1.docker.io/library/node",
                "docker.io/library/node",
            ),
            ("owner/app", "docker.io/owner/app"),
            ("ghcr.io/app", "ghcr.io/app"),
            ("ghcr.io/a/b__c/d.e-f_g", "ghcr.io/a/b__c/d.e-f_g"),
            ("localhost:5000/app", "localhost:5000/app"),
        ] {
            let got = Repository::parse(text).expect(text);
            assert_eq!(got.url(), url, "{text}");
            assert_eq!(format!("{}/{}", got.registry(), got.path()), url);
        }
        for bad in [
            "",
            "https://ghcr.io/a",
            "ghcr.io/a:1",
            "a:1",
            "a@sha256:0",
            "ghcr.io/",
            "ghcr.io//a",
            "ghcr.io/A",
            "ghcr.io/a--b",
            "ghcr.io/a..b",
            "ghcr.io/a/../b",
            "ghcr.io/a_",
            "ghcr.io/_a",
            "ghcr.io/a___b",
            "ghcr.io/a b",
            "ghcr.io/a/",
        ] {
            assert!(Repository::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_hash_is_a_digest() {
        let mut hash = [0; 32];
        hash[0] = 0xa9;
        hash[31] = 0x0f;
        let digest = Digest::of_sha256(&hash);
        assert_eq!(digest.as_str(), format!("sha256:a9{}0f", "0".repeat(60)));
        assert_eq!(Digest::parse(digest.as_str()), Ok(digest));
    }

    #[test]
    fn references_split_as_clients_do() {
        let digest = format!("sha256:{}", "0".repeat(64));
        for (text, shown) in [
            (
                "node:22-bookworm-slim".to_owned(),
                "docker.io/library/node:22-bookworm-slim".to_owned(),
            ),
            (
                "ghcr.io/owner/image:v1.0".to_owned(),
                "ghcr.io/owner/image:v1.0".to_owned(),
            ),
            (
                "nginx".to_owned(),
                "docker.io/library/nginx:latest".to_owned(),
            ),
            (
                "localhost:5000/app".to_owned(),
                "localhost:5000/app:latest".to_owned(),
            ),
            (
                format!("node@{digest}"),
                format!("docker.io/library/node@{digest}"),
            ),
            (
                format!("a.io:1/b:2@{digest}"),
                format!("a.io:1/b:2@{digest}"),
            ),
        ] {
            let got = Reference::parse(&text).expect(&text);
            assert_eq!(got.to_string(), shown);
            assert_eq!(Reference::parse(&shown), Ok(got), "it parses again");
        }
        for bad in [
            "",
            ":1",
            "a:",
            "a:-1",
            "a@",
            "a@sha256:1",
            "A/b",
            "a b",
            "a:1:2",
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered_and_what_passes_is_stable(text in "[a-zA-Z0-9./:@_ -]{0,40}|.{0,20}") {
            let _ = (Registry::parse(&text), Tag::parse(&text), Digest::parse(&text));
            if let Ok(repository) = Repository::parse(&text) {
                prop_assert_eq!(Repository::parse(repository.url()), Ok(repository.clone()));
            }
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference));
            }
        }
    }
}
