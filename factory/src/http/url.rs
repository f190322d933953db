//! Addresses on the web, as far as our clients use them.

use std::fmt;

/// `http://…` or `https://…` without user, password and fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    tls: bool,
    /// Host in lower case, with a port unless it is the usual one.
    authority: String,
    /// Begins with `/`; with the query.
    path: String,
}

impl Url {
    /// The address of a path, which begins with `/`, on a host with an optional port.
    #[must_use]
    pub fn of(tls: bool, authority: &str, path: impl Into<String>) -> Self {
        let authority = authority.to_ascii_lowercase();
        let usual = if tls { ":443" } else { ":80" };
        let authority = match authority.strip_suffix(usual) {
            // `[::1:443` would not be the host; there the suffix is a port after `]`.
            Some(host) if !host.is_empty() => host.to_owned(),
            _ => authority,
        };
        Self {
            tls,
            authority,
            path: path.into(),
        }
    }

    /// Reads an address of somebody else: no user, no blanks or control
    /// characters, and only what HTTP can carry.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (tls, rest) = if let Some(rest) = strip_scheme(text, "https://") {
            (true, rest)
        } else {
            (false, strip_scheme(text, "http://")?)
        };
        let rest = rest.split('#').next().unwrap_or(rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        if !is_authority(authority) || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Some(Self::of(tls, authority, path))
    }

    /// The address that a `Location` header leads to, seen from this one.
    #[must_use]
    pub fn join(&self, location: &str) -> Option<Self> {
        if strip_scheme(location, "https://").is_some()
            || strip_scheme(location, "http://").is_some()
        {
            return Self::parse(location);
        }
        let scheme = if self.tls { "https:" } else { "http:" };
        if location.starts_with("//") {
            return Self::parse(&format!("{scheme}{location}"));
        }
        if location.starts_with('/') {
            return Self::parse(&format!("{scheme}//{}{location}", self.authority));
        }
        let path = self.path.split('?').next().unwrap_or_default();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if location.is_empty()
            || location
                .split('/')
                .next()
                .is_some_and(|first| first.contains(':'))
        {
            return None;
        }
        Self::parse(&format!("{scheme}//{}{folder}/{location}", self.authority))
    }

    /// Is it https?
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host, with a port unless it is the usual one.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path with its query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The host without its port.
    #[must_use]
    pub fn host(&self) -> &str {
        host_of(&self.authority)
    }

    /// Is the host this machine?
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host())
    }

    /// Do both lead to the same server, in the same way?
    #[must_use]
    pub fn same_server(&self, other: &Self) -> bool {
        self.tls == other.tls && self.authority == other.authority
    }

    /// The same with a parameter added to its query.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        self.path
            .push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(name);
        self.path.push('=');
        self.path.push_str(&encode(value));
        self
    }
}

/// Without the query, which may hold the signature of a storage service.
impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.0.tls { "https" } else { "http" };
        let path = self.0.path.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{}{path}", self.0.authority)
    }
}

/// A way to print an address to people.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a Url);

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

/// A value as a query or a form carries it.
#[must_use]
pub fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for b in value.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(b));
            }
            _ => {
                text.push('%');
                for digit in [b >> 4, b & 15] {
                    let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                    text.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
    text
}

/// The host of a host with an optional port.
pub(crate) fn host_of(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority.split_inclusive(']').next().unwrap_or(authority);
    }
    authority.split(':').next().unwrap_or(authority)
}

/// Is this host the machine itself?
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn strip_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else {
                return false;
            };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            let port = match port.strip_prefix(':') {
                Some(port) => Some(port),
                None if port.is_empty() => None,
                None => return false,
            };
            ("v6", port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-' || b == b'_')
        && port.is_none_or(|port| {
            port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_others_are_read_strictly() {
        for (text, is) in [
            (
                "https://auth.docker.io/token",
                Some("https://auth.docker.io/token"),
            ),
            (
                "HTTPS://Auth.Docker.io:443",
                Some("https://auth.docker.io/"),
            ),
            ("http://127.0.0.1:80/a?b=c", Some("http://127.0.0.1/a?b=c")),
            ("http://[::1]:5000/v2/", Some("http://[::1]:5000/v2/")),
            ("https://a.io?x=1", Some("https://a.io/?x=1")),
            ("https://a.io/x#part", Some("https://a.io/x")),
            ("ftp://a.io/", None),
            ("https://", None),
            ("https:///x", None),
            ("https://user@a.io/", None),
            ("https://user:pw@a.io/", None),
            ("https://a.io:0/", None),
            ("https://a.io:99999/", None),
            ("https://a.io:/", None),
            ("https://a b.io/", None),
            ("https://a.io/\r\nX: y", None),
            ("https://a.io/ü", None),
            ("https://[::1/", None),
            ("https://[::1]x/", None),
            ("https://a.io\\@b.io/", None),
            ("", None),
        ] {
            let got = Url::parse(text).map(|url| url.to_string());
            assert_eq!(got.as_deref(), is, "{text}");
        }
    }

    #[test]
    fn locations_are_joined() {
        let from = Url::parse("https://a.io:5000/v2/x/blobs/1?q=2").unwrap();
        for (location, is) in [
            ("https://b.io/z", Some("https://b.io/z")),
            ("http://b.io/z", Some("http://b.io/z")),
            ("//b.io/z", Some("https://b.io/z")),
            ("/z?k=v", Some("https://a.io:5000/z?k=v")),
            ("2", Some("https://a.io:5000/v2/x/blobs/2")),
            ("javascript:x", None),
            ("file:///etc/passwd", None),
            ("", None),
        ] {
            let got = from.join(location).map(|url| url.to_string());
            assert_eq!(got.as_deref(), is, "{location}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for (text, is) in [
            ("http://localhost:1/", true),
            ("http://127.0.0.1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://registry.localhost/", true),
            ("http://localhost.example.com/", false),
            ("http://127.0.0.1.example.com/", false),
            ("http://10.0.0.1/", false),
            ("http://0.0.0.0/", false),
        ] {
            assert_eq!(Url::parse(text).unwrap().is_loopback(), is, "{text}");
        }
    }

    #[test]
    fn queries_carry_any_value() {
        let url = Url::parse("https://a.io/token").unwrap();
        let url = url
            .with_query("service", "registry.docker.io")
            .with_query("scope", "repository:a/b:pull &x=ü");
        assert_eq!(
            url.to_string(),
            "https://a.io/token?service=registry.docker.io&scope=repository%3Aa%2Fb%3Apull%20%26x%3D%C3%BC"
        );
        assert_eq!(Shown(&url).to_string(), "https://a.io/token");
    }
}
