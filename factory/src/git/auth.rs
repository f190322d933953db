//! Which credentials a git gets, and how.
//!
//! A token belongs to one host, that of its provider. It stands in the environment
//! of the one git that talks to this host, and leaves it only as the answer to
//! git's own question for exactly this host: [`answer`], for which git starts us
//! once more. So it is in no URL, argument, file or message, and a server that
//! sends git elsewhere does not take it along.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use image_factory::model::{GitUrl, Provider, Providers};

use super::{FIXED, Git, Setting, fixed};
use crate::http::{Client, Proxies, Timeouts};
use crate::process::{Mask, Process};
use crate::tokens::{Tokens, unix_now};

/// User for the factory's own repository, where a helper reads it.
pub(super) const USERNAME: &str = "GIT_USERNAME";
/// Password for the factory's own repository, where a helper reads it.
pub(super) const PASSWORD: &str = "GIT_PASSWORD";

/// What [`answer`] reads. The first one is also what tells us that git is asking.
const ASKED_FOR: &str = "IMAGE_FACTORY_ASKPASS_FOR";
const ASKED_USER: &str = "IMAGE_FACTORY_ASKPASS_USER";
const ASKED_SECRET: &str = "IMAGE_FACTORY_ASKPASS_SECRET";

/// Scheme, host and port: what credentials are bound to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Origin(String);

impl Origin {
    /// The origin of an address `https://host/…` or `http://host/…`; a user in it does
    /// not count.
    #[must_use]
    pub fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = match authority.rsplit_once('@') {
            Some((_, host)) => host,
            None => authority,
        };
        let scheme = scheme.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "https" => ":443",
            "http" => ":80",
            _ => return None,
        };
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix(usual).unwrap_or(&host);
        (!host.is_empty()).then(|| Self(format!("{scheme}://{host}")))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A token and whose it is.
#[derive(Clone)]
struct Token {
    variable: String,
    user: String,
    secret: Option<String>,
}

/// All credentials there are, by the hosts that they belong to.
#[derive(Clone, Default)]
pub struct Credentials {
    tokens: BTreeMap<Origin, Token>,
    own: Option<GitUrl>,
    app: Option<Arc<App>>,
}

/// A GitHub App, whose token is asked for when it is needed.
struct App {
    origin: Origin,
    tokens: Tokens,
    /// Why there is none.
    trouble: Mutex<Option<String>>,
}

impl App {
    fn token(&self) -> Option<String> {
        let proxies = Proxies::from_environment();
        let client = Client::new(Timeouts::default(), proxies, BTreeMap::new());
        let send = |request: &_| client.send(request);
        match self.tokens.get(Provider::GitHub, unix_now(), &send) {
            Ok(token) => token,
            Err(none) => {
                let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
                *trouble = Some(none.diagnostic.message);
                None
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// The tokens of the providers from git's environment. `own` is the repository of
    /// the factory itself, for which credential helpers come first.
    #[must_use]
    pub fn new(git: &Git, providers: &Providers, own: Option<&GitUrl>) -> Self {
        let all = Tokens::new(providers, |name| git.variable(name).map(str::to_owned));
        let mut tokens = BTreeMap::new();
        let mut app_at = None;
        for (provider, user) in [
            (Provider::GitHub, "x-access-token"),
            (Provider::GitLab, "oauth2"),
        ] {
            let Some(origin) = Origin::of(&providers.get(provider).web()) else {
                continue;
            };
            if provider == Provider::GitHub && all.is_app(provider) {
                app_at = Some(origin.clone());
            }
            tokens.entry(origin).or_insert_with(|| Token {
                variable: all.source(provider).to_owned(),
                user: all.user(provider).unwrap_or(user).to_owned(),
                secret: all.given(provider).map(str::to_owned),
            });
        }
        let app = app_at.map(|origin| {
            Arc::new(App {
                origin,
                tokens: all,
                trouble: Mutex::new(None),
            })
        });
        Self {
            tokens,
            own: own.cloned(),
            app,
        }
    }

    /// The ways to get at a repository, the one to try first in front.
    #[must_use]
    pub fn access(&self, git: &Git, url: &GitUrl) -> Vec<Access> {
        let origin = Origin::of(url.as_str());
        let own = self
            .own
            .as_ref()
            .filter(|own| Origin::of(own.as_str()) == origin);
        let access = |identity| Access {
            url: url.clone(),
            identity,
            on_own_host: own.is_some(),
        };
        let helpers = access(Identity::Helpers);
        let token = origin
            .and_then(|origin| {
                let mut token = self.tokens.get(&origin)?.clone();
                if token.secret.is_none() {
                    let app = self.app.as_ref().filter(|app| app.origin == origin)?;
                    token.secret = Some(app.token()?);
                }
                Some(Identity::Token(origin, token))
            })
            .map(access);
        let has_helpers = git.picked().iter().any(|(key, _)| is_helper(key));
        match token {
            None => vec![helpers],
            Some(token) if own.is_some_and(|own| own.identity() == url.identity()) => {
                vec![helpers, token]
            }
            Some(token) if has_helpers => vec![token, helpers],
            Some(token) => vec![token],
        }
    }

    /// The variable whose token goes to the host of this address, and whether it is set.
    #[must_use]
    pub fn variable(&self, url: &GitUrl) -> Option<(&str, bool)> {
        let token = self.tokens.get(&Origin::of(url.as_str())?)?;
        Some((&token.variable, token.secret.is_some()))
    }

    /// Why the App for the host of this address has given no token, if it was asked.
    #[must_use]
    pub fn trouble(&self, url: &GitUrl) -> Option<String> {
        let app = self.app.as_ref()?;
        let origin = Origin::of(url.as_str())?;
        let trouble = app.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone().filter(|_| app.origin == origin)
    }
}

#[derive(Clone)]
enum Identity {
    /// What the user's credential helpers say; without any, nobody.
    Helpers,
    Token(Origin, Token),
}

/// One way to get at one repository.
#[derive(Clone)]
pub struct Access {
    url: GitUrl,
    identity: Identity,
    on_own_host: bool,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("url", &self.url)
            .field("token", &self.variable())
            .finish_non_exhaustive()
    }
}

impl Access {
    /// The address of the repository.
    #[must_use]
    pub fn url(&self) -> &GitUrl {
        &self.url
    }

    /// The variable whose token is used, if one is.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match &self.identity {
            Identity::Helpers => None,
            Identity::Token(_, token) => Some(&token.variable),
        }
    }

    /// Git against this repository from one of ours at `folder`.
    pub(super) fn in_cache<'a>(
        &self,
        git: &Git,
        folder: &std::path::Path,
        more: &[(&str, &str)],
        args: &[&str],
    ) -> Process<'a> {
        let picked = git.picked().iter().cloned();
        let mut settings: Vec<Setting> = picked.chain(self.settings()).collect();
        settings.extend(more.iter().map(|(key, value)| fixed(key, value)));
        self.lend(git, git.in_cache(folder, settings, args))
    }

    /// Git against this repository from a checkout of the user's: as
    /// [`Git::in_checkout`], with the credentials of this access. The address has to be
    /// among the arguments; a remote's name leads wherever the checkout's configuration
    /// says.
    #[must_use]
    pub fn in_checkout<'a>(
        &self,
        git: &Git,
        folder: &std::path::Path,
        args: &[&str],
    ) -> Process<'a> {
        self.lend(git, git.in_checkout_with(folder, self.settings(), args))
    }

    fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        if matches!(self.identity, Identity::Token(..)) {
            // From here on no helper counts that was named before.
            settings.push(fixed("credential.helper", ""));
        }
        settings.extend(FIXED.iter().map(|(key, value)| fixed(key, value)));
        settings.push(fixed("protocol.allow", "never"));
        // Plain http is for loopback, which the type of the address sees to.
        let scheme = match self.url.as_str().split_once("://") {
            Some(("http", _)) => "http",
            _ => "https",
        };
        settings.push(fixed(&format!("protocol.{scheme}.allow"), "always"));
        settings
    }

    /// Gives a git the secrets of this access, and nothing else of any.
    fn lend<'a>(&self, git: &Git, mut process: Process<'a>) -> Process<'a> {
        let mut mask = git.mask.clone();
        match &self.identity {
            Identity::Helpers if self.on_own_host => {
                for name in [USERNAME, PASSWORD] {
                    if let Some(value) = git.variable(name) {
                        process = process.env(name, value);
                    }
                }
            }
            Identity::Helpers => {}
            Identity::Token(origin, token) => {
                let secret = token.secret.as_deref().unwrap_or_default();
                mask.add(Some(&token.user), secret);
                process = process
                    .env("GIT_ASKPASS", &git.askpass)
                    .env(ASKED_FOR, &origin.0)
                    .env(ASKED_USER, &token.user)
                    .env(ASKED_SECRET, secret);
            }
        }
        process.mask(mask)
    }

    /// What no message about this access may show.
    #[must_use]
    pub fn mask(&self, git: &Git) -> Mask {
        let mut mask = git.mask.clone();
        if let Identity::Token(_, token) = &self.identity {
            mask.add(
                Some(&token.user),
                token.secret.as_deref().unwrap_or_default(),
            );
        }
        mask
    }
}

fn is_helper(key: &str) -> bool {
    key.starts_with("credential.") && key.ends_with(".helper")
}

/// Answers a question of git's, if that is what we were started for: `None` if not.
/// To be called before anything else.
#[must_use]
pub fn answer() -> Option<ExitCode> {
    let origin = std::env::var(ASKED_FOR).ok()?;
    let question = std::env::args().nth(1)?;
    let variable = match what_is_asked(&question, &origin)? {
        Asked::User => ASKED_USER,
        Asked::Secret => ASKED_SECRET,
        Asked::Nothing => return Some(ExitCode::FAILURE),
    };
    let Ok(value) = std::env::var(variable) else {
        return Some(ExitCode::FAILURE);
    };
    let printed = writeln!(std::io::stdout(), "{value}");
    Some(if printed.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[derive(PartialEq, Eq, Debug)]
enum Asked {
    User,
    Secret,
    /// Something that we do not answer: another host's credentials, most of all.
    Nothing,
}

/// What git wants to know; `None` if that is no question of git's.
fn what_is_asked(question: &str, origin: &str) -> Option<Asked> {
    let (asked, rest) = [
        (Asked::User, "Username for "),
        (Asked::Secret, "Password for "),
    ]
    .into_iter()
    .find_map(|(asked, start)| Some((asked, question.strip_prefix(start)?)))?;
    let url = rest
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix("': "));
    let host = url.and_then(Origin::of);
    Some(match host {
        Some(host) if host.0 == origin => asked,
        _ => Asked::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (url, origin) in [
            ("https://github.com/a/b", Some("https://github.com")),
            ("https://GitHub.com:443/a", Some("https://github.com")),
            ("https://me:pw@github.com", Some("https://github.com")),
            ("https://a@b@github.com/x@y", Some("https://github.com")),
            ("http://127.0.0.1:80/a", Some("http://127.0.0.1")),
            ("http://127.0.0.1:443/a", Some("http://127.0.0.1:443")),
            (
                "https://github.com:8443/a?x",
                Some("https://github.com:8443"),
            ),
            ("ssh://git@github.com/a", None),
            ("https:///a", None),
            ("github.com", None),
        ] {
            assert_eq!(Origin::of(url).map(|o| o.0).as_deref(), origin, "{url}");
        }
    }

    #[test]
    fn only_questions_for_our_host_are_answered() {
        let origin = "https://github.com";
        for (question, asked) in [
            ("Username for 'https://github.com': ", Some(Asked::User)),
            (
                "Password for 'https://x-access-token@github.com': ",
                Some(Asked::Secret),
            ),
            (
                "Password for 'https://github.com/a/b': ",
                Some(Asked::Secret),
            ),
            ("Password for 'http://x@github.com': ", Some(Asked::Nothing)),
            (
                "Password for 'https://x@github.com.evil.com': ",
                Some(Asked::Nothing),
            ),
            (
                "Password for 'https://github.com@evil.com': ",
                Some(Asked::Nothing),
            ),
            (
                "Password for 'https://evil.com/https://github.com': ",
                Some(Asked::Nothing),
            ),
            (
                "Password for 'https://github.com:444': ",
                Some(Asked::Nothing),
            ),
            ("Password for 'cert:///x': ", Some(Asked::Nothing)),
            ("Password for https://github.com: ", Some(Asked::Nothing)),
            ("Enter passphrase for key", None),
            ("", None),
        ] {
            assert_eq!(what_is_asked(question, origin), asked, "{question}");
        }
    }
}
