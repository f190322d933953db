//! Which repository an address names.

use crate::model::{GitUrl, Parse as _, Provider, Providers, RepoSlug, usable_origin};

/// The repository that an address is of, as git says it (https, ssh), if it is on a host
/// that images are built on.
#[must_use]
pub fn repository_of(address: &str, providers: &Providers) -> Option<(Provider, RepoSlug)> {
    let url = GitUrl::parse(&usable_origin(address)?).ok()?;
    let by_ssh = !address.trim().contains("://") || address.trim().starts_with("ssh://");
    [Provider::GitHub, Provider::GitLab]
        .into_iter()
        .find_map(|provider| {
            let path = below(url.as_str(), &providers.get(provider).web(), by_ssh)?;
            let path = path.strip_suffix(".git").unwrap_or(path);
            let slug = RepoSlug::parse(path).ok()?;
            (provider == Provider::GitLab || slug.parts() == 2).then_some((provider, slug))
        })
}

/// What of an address is below a host's. Addresses for ssh have a port of their own, and
/// not the folder that a host may live in.
fn below<'a>(url: &'a str, web: &str, by_ssh: bool) -> Option<&'a str> {
    if !by_ssh {
        let (start, rest) = url.split_at_checked(web.len())?;
        return rest
            .strip_prefix('/')
            .filter(|_| start.eq_ignore_ascii_case(web));
    }
    let (_, rest) = url.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    host.eq_ignore_ascii_case(host_of(web)).then_some(path)
}

/// The host of an address, without its port.
pub(super) fn host_of(web: &str) -> &str {
    let rest = web.split_once("://").map_or(web, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest)
}

/// The registry that a host has for what is built on it, if there is one known.
#[must_use]
pub fn usual_registry(provider: Provider, providers: &Providers) -> Option<&'static str> {
    match provider {
        Provider::GitHub => Some("ghcr.io"),
        Provider::GitLab if host_of(&providers.gitlab.web()) == "gitlab.com" => {
            Some("registry.gitlab.com")
        }
        Provider::GitLab => None,
    }
}
