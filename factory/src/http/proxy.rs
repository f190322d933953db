//! Proxies by the environment, as curl and git take them.

use super::Trouble;
use super::url::{Url, host_of, is_loopback};

/// Which proxy a request goes through.
#[derive(Clone, Default)]
pub struct Proxies {
    https: Option<String>,
    http: Option<String>,
    none: Vec<String>,
}

/// Without the addresses, which may hold a password.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies")
            .field("none", &self.none)
            .finish_non_exhaustive()
    }
}

impl Proxies {
    /// Reads `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`, in capitals
    /// too, but `http_proxy`, which a CGI server sets from a header if it is in capitals.
    #[must_use]
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let any = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        };
        Self {
            https: any(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            http: any(&["http_proxy", "all_proxy", "ALL_PROXY"]),
            none: any(&["no_proxy", "NO_PROXY"])
                .unwrap_or_default()
                .split([',', ' '])
                .map(|entry| entry.trim().to_ascii_lowercase())
                .filter(|entry| !entry.is_empty())
                .collect(),
        }
    }

    /// Those of this process.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    pub(super) fn of(&self, url: &Url) -> Result<Option<ureq::Proxy>, Trouble> {
        let Some(address) = self.address(url) else {
            return Ok(None);
        };
        // The address may hold a password, so it is not shown.
        let proxy = ureq::Proxy::new(address).map_err(|_| {
            Trouble::Protocol(
                "the address of the proxy in the environment cannot be read; write it as `http://HOST:PORT`"
                    .to_owned(),
            )
        })?;
        Ok(Some(proxy))
    }

    fn address(&self, url: &Url) -> Option<&str> {
        if is_loopback(url.host()) || self.none.iter().any(|entry| excepts(entry, url)) {
            return None;
        }
        let address = if url.is_tls() {
            &self.https
        } else {
            &self.http
        };
        address.as_deref()
    }
}

/// Does an entry of `no_proxy` mean this host? `*`, a host with all below it,
/// with or without a leading dot, an address, a network such as `10.0.0.0/8`.
fn excepts(entry: &str, url: &Url) -> bool {
    if entry == "*" || entry == url.authority() {
        return true;
    }
    let host = url.host();
    if let Some((network, bits)) = entry.split_once('/') {
        let parsed = (
            network.parse::<std::net::Ipv4Addr>(),
            bits.parse::<u32>(),
            host.parse::<std::net::Ipv4Addr>(),
        );
        let (Ok(network), Ok(bits @ 0..=32), Ok(address)) = parsed else {
            return false;
        };
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        return network.to_bits() & mask == address.to_bits() & mask;
    }
    if host_of(entry) != entry {
        return false; // A port, and not this one.
    }
    let name = entry.trim_start_matches("*.").trim_start_matches('.');
    host.strip_suffix(name)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        && !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(environment: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = Proxies::new(|name| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        proxies
            .address(&Url::parse(url).unwrap())
            .map(str::to_owned)
    }

    #[test]
    fn a_proxy_is_chosen_by_scheme_and_host() {
        let all = [
            ("HTTPS_PROXY", "http://s:1"),
            ("http_proxy", "http://p:2"),
            (
                "NO_PROXY",
                "internal.example.com, .corp,10.0.0.0/8,a.io:5000,*.wild.io",
            ),
        ];
        for (url, is) in [
            ("https://ghcr.io/", Some("http://s:1")),
            ("http://ghcr.io/", Some("http://p:2")),
            ("https://internal.example.com/", None),
            ("https://x.internal.example.com/", None),
            ("https://notinternal.example.com/", Some("http://s:1")),
            ("https://git.corp/", None),
            ("https://10.1.2.3:5000/", None),
            ("https://11.1.2.3/", Some("http://s:1")),
            ("https://a.io:5000/", None),
            ("https://a.io/", Some("http://s:1")),
            ("https://x.wild.io/", None),
            ("https://localhost:5000/", None),
            ("http://127.0.0.1:5000/", None),
        ] {
            assert_eq!(chosen(&all, url).as_deref(), is, "{url}");
        }
        let only = |name, value| chosen(&[(name, value)], "http://ghcr.io/");
        assert_eq!(only("HTTP_PROXY", "http://evil:1"), None);
        assert_eq!(only("https_proxy", "http://s:1"), None);
        assert_eq!(
            only("ALL_PROXY", "http://a:1").as_deref(),
            Some("http://a:1")
        );
        assert_eq!(only("http_proxy", ""), None);
        let star = [("HTTPS_PROXY", "http://s:1"), ("no_proxy", "*")];
        assert_eq!(chosen(&star, "https://ghcr.io/"), None);
    }

    #[test]
    fn an_unreadable_proxy_is_an_error_that_hides_it() {
        let proxies =
            Proxies::new(|name| (name == "https_proxy").then(|| "gopher://me:secret@p".to_owned()));
        let trouble = proxies
            .of(&Url::parse("https://ghcr.io/").unwrap())
            .unwrap_err();
        assert!(!trouble.to_string().contains("secret"), "{trouble}");
        assert!(!format!("{proxies:?}").contains("secret"));
    }
}
