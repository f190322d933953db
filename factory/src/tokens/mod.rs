//! Tokens for the APIs of GitHub and GitLab, and for git at them: from the variables
//! that `settings.providers` names, or of a GitHub App's installation.
//!
//! There is one place for all of them, so that whoever asks a host asks with the same
//! rights, and a token of an App is asked for once.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: a token lasts until a time of the machine's clock"
)]

mod app;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{Provider, Providers, Time};

use crate::http::{Answer, Request, Trouble};
use crate::process::Mask;

pub use app::{APP_ID, INSTALLATION_ID, PRIVATE_KEY};

/// What a pipeline trigger token of GitLab begins with.
const TRIGGER_PREFIX: &str = "glptt-";
/// A token that ends so soon, in seconds, is replaced.
const SPARE: i64 = 300;

/// How a request is sent.
pub type Send<'a> = &'a dyn Fn(&Request) -> Result<Answer, Trouble>;

/// All tokens there are.
pub struct Tokens {
    github: Kind,
    gitlab: Kind,
    trigger: Option<String>,
    names: Names,
    api: String,
    minted: Mutex<Option<app::Minted>>,
}

/// The variables that tokens are read from.
struct Names {
    github: String,
    gitlab: String,
    trigger: String,
}

/// Why there is no token.
#[derive(Clone, Debug)]
pub struct NoToken {
    /// May it be over a moment later?
    pub passing: bool,
    /// What people are told.
    pub diagnostic: Diagnostic,
}

enum Kind {
    Missing,
    Given {
        user: Option<String>,
        secret: String,
    },
    App(Box<app::App>),
    Wrong(Box<Diagnostic>),
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// The tokens of the environment, which `variable` reads.
    #[must_use]
    pub fn new(providers: &Providers, variable: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name: &str| {
            let value = variable(name)?;
            let value = value.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let names = Names {
            github: providers.github.token_env.as_str().to_owned(),
            gitlab: providers.gitlab.token_env.as_str().to_owned(),
            trigger: providers.trigger_token_env.as_str().to_owned(),
        };
        let github = match app::App::read(&read) {
            Ok(Some(app)) => Kind::App(Box::new(app)),
            Ok(None) => given(read(&names.github)),
            Err(why) => Kind::Wrong(Box::new(why)),
        };
        let access = read(&names.gitlab);
        let (gitlab, trigger) = match access {
            Some(token) if token.starts_with(TRIGGER_PREFIX) => (Kind::Missing, Some(token)),
            access => (given(access), None),
        };
        Self {
            github,
            gitlab,
            trigger: read(&names.trigger).or(trigger),
            names,
            api: providers.github.api.as_str().to_owned(),
            minted: Mutex::new(None),
        }
    }

    fn kind(&self, provider: Provider) -> &Kind {
        match provider {
            Provider::GitHub => &self.github,
            Provider::GitLab => &self.gitlab,
        }
    }

    /// Is there an access token, or a way to get one?
    #[must_use]
    pub fn is_set(&self, provider: Provider) -> bool {
        !matches!(self.kind(provider), Kind::Missing)
    }

    /// Why a GitHub App that is configured cannot give any.
    #[must_use]
    pub fn wrong(&self, provider: Provider) -> Option<&Diagnostic> {
        match self.kind(provider) {
            Kind::Wrong(why) => Some(why),
            _ => None,
        }
    }

    /// Is a GitHub App to give the tokens?
    #[must_use]
    pub fn is_app(&self, provider: Provider) -> bool {
        matches!(self.kind(provider), Kind::App(_) | Kind::Wrong(_))
    }

    /// Where an access token comes from, as a message names it.
    #[must_use]
    pub fn source(&self, provider: Provider) -> &str {
        match (provider, self.kind(provider)) {
            (_, Kind::App(_)) => PRIVATE_KEY,
            (Provider::GitHub, _) => &self.names.github,
            (Provider::GitLab, _) => &self.names.gitlab,
        }
    }

    /// The variable that a trigger token is read from.
    #[must_use]
    pub fn trigger_source(&self) -> &str {
        &self.names.trigger
    }

    /// GitLab's trigger token.
    #[must_use]
    pub fn trigger(&self) -> Option<&str> {
        self.trigger.as_deref()
    }

    /// The user that git gives with a token, if the variable names one.
    #[must_use]
    pub fn user(&self, provider: Provider) -> Option<&str> {
        match self.kind(provider) {
            Kind::Given { user, .. } => user.as_deref(),
            _ => None,
        }
    }

    /// The token of the variable, if there is one; an App has none.
    #[must_use]
    pub fn given(&self, provider: Provider) -> Option<&str> {
        match self.kind(provider) {
            Kind::Given { secret, .. } => Some(secret),
            _ => None,
        }
    }

    /// The access token for a provider's API; `None` without one. Only for an App
    /// something may be sent.
    ///
    /// # Errors
    /// If an App is half configured, or gives no token.
    pub fn get(
        &self,
        provider: Provider,
        now: Time,
        send: Send<'_>,
    ) -> Result<Option<String>, NoToken> {
        let app = match self.kind(provider) {
            Kind::Missing => return Ok(None),
            Kind::Given { secret, .. } => return Ok(Some(secret.clone())),
            Kind::Wrong(why) => {
                return Err(NoToken {
                    passing: false,
                    diagnostic: (**why).clone(),
                });
            }
            Kind::App(app) => app,
        };
        let mut minted = self.minted();
        if let Some(known) = minted.as_ref()
            && known.until.unix_seconds() - now.unix_seconds() > SPARE
        {
            return Ok(Some(known.token.clone()));
        }
        let new = app.mint(&self.api, now, send)?;
        let token = new.token.clone();
        *minted = Some(new);
        Ok(Some(token))
    }

    /// Forgets a token that was not accepted. Is there hope for another one?
    #[must_use]
    pub fn renew(&self, provider: Provider, used: &str) -> bool {
        if !matches!(self.kind(provider), Kind::App(_)) {
            return false;
        }
        let mut minted = self.minted();
        if minted.as_ref().is_some_and(|known| known.token == used) {
            *minted = None;
        }
        true
    }

    /// What no message may show.
    #[must_use]
    pub fn mask(&self) -> Mask {
        let mut mask = Mask::default();
        for kind in [&self.github, &self.gitlab] {
            match kind {
                Kind::Given { user, secret } => mask.add(user.as_deref(), secret),
                Kind::App(app) => mask.add(None, app.key()),
                Kind::Missing | Kind::Wrong(_) => {}
            }
        }
        if let Some(trigger) = &self.trigger {
            mask.add(None, trigger);
        }
        if let Some(minted) = self.minted().as_ref() {
            mask.add(Some("x-access-token"), &minted.token);
        }
        mask
    }

    fn minted(&self) -> MutexGuard<'_, Option<app::Minted>> {
        self.minted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time of the machine's clock.
#[must_use]
pub fn unix_now() -> Time {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Time::from_unix_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A deploy token has a user of its own: `user:token`.
fn given(value: Option<String>) -> Kind {
    let Some(value) = value else {
        return Kind::Missing;
    };
    let (user, secret) = match value.split_once(':') {
        Some((user, secret)) => (Some(user.to_owned()), secret.trim().to_owned()),
        None => (None, value),
    };
    // What cannot stand in a header is no token, and would end up in an error.
    match secret.bytes().all(|b| b.is_ascii_graphic()) {
        true if secret.is_empty() => Kind::Missing,
        true => Kind::Given { user, secret },
        false => Kind::Wrong(Box::new(
            Diagnostic::error(
                code::TRIGGER_TOKEN,
                "a token has characters that none has, such as a blank or a line break",
            )
            .help("look at the value of the variable; nothing but the token may stand in it"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Url;
    use image_factory::model::{InputFile, InputFiles, Settings, enrollment};
    use std::cell::RefCell;

    const KEY: &str = include_str!("../../tests/it/servers/app-key.pem");
    const KEY_PKCS1: &str = include_str!("../../tests/it/servers/app-key-pkcs1.pem");

    fn settings() -> Settings {
        let files = InputFiles {
            enrollment: vec![InputFile {
                path: "images.yaml".into(),
                text: "images: []\n".into(),
            }],
            ..InputFiles::default()
        };
        enrollment(&files).0.unwrap().0
    }

    fn tokens(variables: &[(&str, &str)]) -> Tokens {
        Tokens::new(&settings().providers, |name| {
            let mut all = variables.iter();
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    fn at(seconds: i64) -> Time {
        Time::from_unix_seconds(seconds)
    }

    fn refused(_: &Request) -> Result<Answer, Trouble> {
        panic!("nothing is to be sent")
    }

    #[test]
    fn tokens_are_read_from_the_variables() {
        for (variables, provider, token, trigger) in [
            (&[][..], Provider::GitHub, None, None),
            (
                &[("GITHUB_TOKEN", " t\n")],
                Provider::GitHub,
                Some("t"),
                None,
            ),
            (
                &[("GITHUB_TOKEN", "u:t")],
                Provider::GitHub,
                Some("t"),
                None,
            ),
            (&[("GITLAB_TOKEN", "t")], Provider::GitLab, Some("t"), None),
            (
                &[("GITLAB_TOKEN", "glptt-1")],
                Provider::GitLab,
                None,
                Some("glptt-1"),
            ),
            (
                &[("GITLAB_TOKEN", "t"), ("GITLAB_TRIGGER_TOKEN", "x")],
                Provider::GitLab,
                Some("t"),
                Some("x"),
            ),
        ] {
            let tokens = tokens(variables);
            let got = tokens.get(provider, at(0), &refused).unwrap();
            assert_eq!(got.as_deref(), token, "{variables:?}");
            assert_eq!(tokens.trigger(), trigger, "{variables:?}");
            assert_eq!(tokens.is_set(provider), token.is_some(), "{variables:?}");
            assert!(!tokens.renew(provider, "t"));
            let shown = format!("{tokens:?} {}", tokens.mask().apply("a t b"));
            assert!(!shown.contains("glptt"), "{shown}");
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_unshown() {
        let tokens = tokens(&[("GITHUB_TOKEN", "se\ncret")]);
        let why = tokens
            .get(Provider::GitHub, at(0), &refused)
            .unwrap_err()
            .diagnostic;
        assert!(!format!("{why:?}").contains("cret"), "{why:?}");
    }

    fn app(key: &str) -> Tokens {
        tokens(&[
            ("GITHUB_TOKEN", "other"),
            (APP_ID, "12"),
            (INSTALLATION_ID, "34"),
            (PRIVATE_KEY, key),
        ])
    }

    fn minted(token: &str) -> Answer {
        Answer {
            status: 201,
            headers: Vec::new(),
            body: format!(r#"{{"token":"{token}","expires_at":"1970-01-01T01:00:00Z"}}"#)
                .into_bytes(),
        }
    }

    #[test]
    fn an_app_gives_a_token_that_is_kept_until_shortly_before_its_end() {
        for key in [
            KEY.to_owned(),
            KEY_PKCS1.to_owned(),
            KEY.replace('\n', "\\n"),
        ] {
            let tokens = app(&key);
            let sent = RefCell::new(Vec::new());
            let send = |request: &Request| {
                sent.borrow_mut().push(request.clone());
                Ok(minted(&format!("ghs_{}", sent.borrow().len())))
            };
            let get = |now| tokens.get(Provider::GitHub, at(now), &send).unwrap();
            assert_eq!(get(0).as_deref(), Some("ghs_1"));
            assert_eq!(get(3299).as_deref(), Some("ghs_1"));
            assert_eq!(get(3300).as_deref(), Some("ghs_2"));
            assert!(tokens.renew(Provider::GitHub, "ghs_1"), "an old one");
            assert_eq!(sent.borrow().len(), 2);
            assert!(tokens.renew(Provider::GitHub, "ghs_2"));
            assert_eq!(get(0).as_deref(), Some("ghs_3"));
            let first = &sent.borrow()[0];
            assert_eq!(first.method, "POST");
            let url = "https://api.github.com/app/installations/34/access_tokens";
            assert_eq!(Some(&first.url), Url::parse(url).as_ref());
            let mask = tokens.mask();
            assert_eq!(mask.apply("x ghs_3"), "x ***");
        }
    }

    #[test]
    fn an_app_without_a_token_says_why() {
        let answer = |status, body: &str| {
            Ok(Answer {
                status,
                headers: Vec::new(),
                body: body.into(),
            })
        };
        for (answer, words) in [
            (
                answer(
                    401,
                    r#"{"message":"A JSON web token could not be decoded"}"#,
                ),
                "could not be decoded",
            ),
            (answer(404, r#"{"message":"Not Found"}"#), "Not Found"),
            (
                answer(403, r#"{"message":"This installation has been suspended"}"#),
                "suspended",
            ),
            (answer(201, "{}"), "is not the API's"),
            (
                answer(
                    201,
                    r#"{"token":"a b","expires_at":"1970-01-01T01:00:00Z"}"#,
                ),
                "is not the API's",
            ),
            (answer(201, "<html>"), "is not the API's"),
            (answer(302, ""), "redirect"),
            (Err(Trouble::NoSuchHost), "no such host"),
        ] {
            let send = |_: &Request| answer.clone();
            let why = app(KEY)
                .get(Provider::GitHub, at(0), &send)
                .unwrap_err()
                .diagnostic;
            assert!(why.message.contains(words), "{why:?}");
            assert!(!format!("{why:?}").contains("BEGIN"), "{why:?}");
        }
    }

    #[test]
    fn half_an_app_is_refused() {
        for (variables, words) in [
            (&[(APP_ID, "1")][..], INSTALLATION_ID),
            (&[(APP_ID, "1"), (INSTALLATION_ID, "2")], PRIVATE_KEY),
            (
                &[(APP_ID, "1"), (INSTALLATION_ID, "2/3"), (PRIVATE_KEY, KEY)],
                "number",
            ),
            (
                &[(APP_ID, "a b"), (INSTALLATION_ID, "2"), (PRIVATE_KEY, KEY)],
                APP_ID,
            ),
            (
                &[
                    (APP_ID, "1"),
                    (INSTALLATION_ID, "2"),
                    (PRIVATE_KEY, "secret"),
                ],
                "PEM",
            ),
        ] {
            let why = tokens(variables)
                .get(Provider::GitHub, at(0), &refused)
                .unwrap_err()
                .diagnostic;
            assert!(why.message.contains(words), "{why:?}");
            assert!(!why.message.contains("secret"), "{why:?}");
        }
        // The variable of the installation alone says nothing.
        let none = tokens(&[("GITHUB_TOKEN", "t")]);
        assert!(
            none.get(Provider::GitHub, at(0), &refused)
                .unwrap()
                .is_some()
        );
    }
}
