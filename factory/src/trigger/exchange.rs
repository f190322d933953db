//! Sends what a trigger asks: with the token that belongs to it, within the budget, and
//! never anywhere else.

use std::cell::Cell;
use std::time::Duration;

use image_factory::diagnostics::Diagnostic;
use image_factory::model::{Name, Provider, Time};

use super::Triggers;
use super::pace::PATIENCE;
use crate::http::said::mask_body;
use crate::http::{Answer, Request, Trouble};
use crate::tokens::NoToken;

/// The conversation of one trigger with its host.
pub(super) struct Exchange<'a> {
    triggers: &'a Triggers,
    provider: Provider,
    attempt: (Name, u64),
    pub(super) now: &'a dyn Fn() -> Time,
    waited: Cell<Duration>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Silence {
    /// There is none from the host.
    Trouble(Trouble),
    /// There is no token to ask with.
    Token(NoToken),
    /// It would take too long to stay within the budget.
    Impatient,
}

impl<'a> Exchange<'a> {
    pub(super) fn new(
        triggers: &'a Triggers,
        provider: Provider,
        attempt: (Name, u64),
        now: &'a dyn Fn() -> Time,
    ) -> Self {
        Self {
            triggers,
            provider,
            attempt,
            now,
            waited: Cell::new(Duration::ZERO),
        }
    }

    /// Waits, unless that would be longer than a run is for. Was it waited?
    pub(super) fn pause(&self, time: Duration) -> bool {
        let waited = self.waited.get().saturating_add(time);
        if waited > PATIENCE {
            return false;
        }
        self.waited.set(waited);
        self.triggers.pace.sleep(time);
        true
    }

    /// Sends a request with the access token of its host.
    pub(super) fn ask(&self, request: &Request) -> Result<Answer, Silence> {
        let token = self.token()?;
        let answer = self.send(&self.with(request, token.as_deref()))?;
        let (401, Some(used)) = (answer.status, token) else {
            return Ok(answer);
        };
        // A token of an App may have ended early; another one is had for the asking.
        if !self.triggers.tokens.renew(self.provider, &used) {
            return Ok(answer);
        }
        let token = self.token()?;
        self.send(&self.with(request, token.as_deref()))
    }

    fn token(&self) -> Result<Option<String>, Silence> {
        // As it is: the answer is a token.
        let send = |request: &Request| match self.exchange(request) {
            Ok(answer) => Ok(answer),
            Err(Silence::Trouble(trouble)) => Err(trouble),
            Err(_) => Err(Trouble::Timeout("place in the budget")),
        };
        self.triggers
            .tokens
            .get(self.provider, (self.now)(), &send)
            .map_err(Silence::Token)
    }

    fn with(&self, request: &Request, token: Option<&str>) -> Request {
        let request = request.clone();
        match (self.provider, token) {
            (_, None) => request,
            (Provider::GitHub, Some(token)) => {
                request.header("authorization", format!("Bearer {token}"))
            }
            (Provider::GitLab, Some(token)) => request.header("private-token", token),
        }
    }

    /// Sends a request as it is; what comes back is without our tokens.
    pub(super) fn send(&self, request: &Request) -> Result<Answer, Silence> {
        let mut answer = self.exchange(request)?;
        let mask = self.triggers.tokens.mask();
        mask_body(&mut answer, &mask);
        for (_, value) in &mut answer.headers {
            *value = mask.apply(value);
        }
        Ok(answer)
    }

    fn exchange(&self, request: &Request) -> Result<Answer, Silence> {
        let pace = &self.triggers.pace;
        let wait = self
            .triggers
            .budget(&self.attempt, |budget| budget.wait(pace.elapsed()));
        if !self.pause(wait) {
            return Err(Silence::Impatient);
        }
        self.triggers
            .budget(&self.attempt, |budget| budget.spend(pace.elapsed()));
        self.triggers.client.send(request).map_err(Silence::Trouble)
    }
}

impl Silence {
    /// In words, without the host's name.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Trouble(trouble) => trouble.to_string(),
            Self::Token(none) => none.diagnostic.message.clone(),
            Self::Impatient => {
                "five requests in a minute are enough, and the minute is not over".to_owned()
            }
        }
    }

    /// What to say, if it has been said already.
    pub(super) fn diagnostic(&self) -> Option<Diagnostic> {
        match self {
            Self::Token(none) => Some(none.diagnostic.clone()),
            Self::Trouble(_) | Self::Impatient => None,
        }
    }
}
