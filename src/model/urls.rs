//! Addresses: of git repositories and of APIs.

use crate::diagnostics::{Code, code};

use super::parse::{Invalid, Parse, text_type};

text_type! {
    /// The address of a git repository: `https://host/path`, or `http://` on
    /// loopback. Without user, password, query and fragment.
    GitUrl
}

impl Parse for GitUrl {
    const CODE: Code = code::INVALID_URL;
    const WHAT: &'static str = "repository address";
    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.starts_with("ssh://") || text.starts_with("git@") || text.starts_with("git://") {
            return Err(Invalid::new(
                "is not https",
                "write `https://host/owner/repository`; Kargo gives up SSH addresses, and \
                 credentials come from a Secret",
            ));
        }
        let path = web_url(text)?;
        if path.trim_matches('/').is_empty() {
            return Err(Invalid::new(
                "names no repository",
                "write `https://host/owner/repository`",
            ));
        }
        Ok(Self(text.strip_suffix('/').unwrap_or(text).into()))
    }
}

impl GitUrl {
    /// The same without what does not tell repositories apart: lower case, no
    /// `.git` at the end.
    #[must_use]
    pub fn identity(&self) -> String {
        let lower = self.as_str().to_ascii_lowercase();
        lower.strip_suffix(".git").unwrap_or(&lower).to_owned()
    }
}

text_type! {
    /// The address of an API: `https://host/path`, or `http://` on loopback.
    /// Without user, password, query, fragment and `/` at the end.
    ApiUrl
}

impl Parse for ApiUrl {
    const CODE: Code = code::INVALID_URL;
    const WHAT: &'static str = "API address";
    fn parse(text: &str) -> Result<Self, Invalid> {
        web_url(text)?;
        Ok(Self(text.trim_end_matches('/').into()))
    }
}

/// Checks a URL and gives its path.
fn web_url(text: &str) -> Result<&str, Invalid> {
    let help = "write `https://host/path`, without user, password, query or fragment";
    let (rest, secure) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => return Err(Invalid::new("does not begin with `https://`", help)),
    };
    if text.len() > 1024 {
        return Err(Invalid::new("is longer than 1024 characters", help));
    }
    if rest.contains('@') {
        return Err(Invalid::new(
            "names a user",
            "credentials do not belong into this file: `settings.secrets` names the Secrets that hold them",
        ));
    }
    let plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/' | b':' | b'~');
    if !rest.bytes().all(plain) {
        return Err(Invalid::new(
            "has a blank, a query, a fragment or an escape",
            help,
        ));
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let port_fits =
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0);
    if !host.split('.').all(label) || !port_fits {
        return Err(Invalid::new("has no valid host", help));
    }
    if path.contains(':')
        || path.contains("//")
        || path
            .split('/')
            .any(|part| part.starts_with('-') || part == ".." || part == ".")
    {
        return Err(Invalid::new(
            "has a part in its path that leads elsewhere",
            help,
        ));
    }
    let loopback = host == "localhost" || is_loopback_v4(host);
    if !secure && !loopback {
        return Err(Invalid::new(
            "is not encrypted",
            "write `https://`; plain `http://` is for loopback addresses only",
        ));
    }
    Ok(path)
}

fn is_loopback_v4(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>()
        .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all<T: Parse>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(T::parse(text).is_ok(), "{} {text:?}", T::WHAT);
        }
        for text in bad {
            assert!(T::parse(text).is_err(), "{} {text:?}", T::WHAT);
        }
    }

    #[test]
    fn addresses() {
        all::<GitUrl>(
            &[
                "https://github.com/a/b",
                "https://github.com/a/b.git",
                "https://git.example.com:8443/g/s/a",
                "http://localhost:3000/a/b",
                "http://127.0.0.1/a",
                "https://dev.azure.com/o/p/_git/r",
            ],
            &[
                "",
                "github.com/a/b",
                "http://github.com/a/b",
                "https://user:pw@github.com/a/b",
                "https://github.com",
                "https://github.com/",
                "git@github.com:a/b.git",
                "ssh://git@github.com/a/b",
                "file:///etc",
                "https://github.com/a/../b",
                "https://github.com/a b",
                "https://github.com/a?b",
                "https://github.com/a#b",
                "https://-x/a",
                "https:///a",
                "https://a:b/c",
                "https://a.b/--upload-pack",
                "https://127.1.evil/a\n",
                "http://127.0.0.1.evil.com/a",
            ],
        );
        all::<ApiUrl>(
            &["https://api.github.com", "https://gitlab.com/api/v4/"],
            &["api.github.com", "http://api.github.com", "https://"],
        );
        let same = |a: &str, b: &str| {
            GitUrl::parse(a).expect(a).identity() == GitUrl::parse(b).expect(b).identity()
        };
        assert!(same(
            "https://github.com/A/b.git",
            "https://GitHub.com/a/b/"
        ));
        assert!(!same("https://github.com/a/b", "https://github.com/a/c"));
    }

    proptest! {
        #[test]
        fn any_text_is_answered_and_what_passes_is_stable(text in "(https?://)?[a-z./:@ -]{0,30}|.{0,20}") {
            let _ = ApiUrl::parse(&text);
            if let Ok(url) = GitUrl::parse(&text) {
                prop_assert_eq!(GitUrl::parse(url.as_str()), Ok(url));
            }
        }
    }
}
