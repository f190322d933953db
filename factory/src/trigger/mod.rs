//! Starts builds where they run, and follows them to their end: workflows of GitHub,
//! pipelines of GitLab.
//!
//! What is sent and what an answer means are pure functions (`api` and the files of
//! the hosts); `exchange` sends, and `fire` and `look` decide what comes next. A
//! request whose answer was lost is not repeated before its run was looked for, and no
//! answer leads anywhere: redirects are not followed, and links are only shown.

mod api;
mod exchange;
mod fire;
mod github;
mod gitlab;
mod look;
pub use look::LOOK_EVERY;
mod pace;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{Input, Name, Provider, Providers, Settings, Source, Time};
use image_factory::plan::Inputs;
use image_factory::record::Answer;

use crate::http::{Client, Proxies, Timeouts};
use crate::process::Mask;
use crate::tokens::Tokens;

use api::Api;
use exchange::Exchange;
pub use pace::{PATIENCE, Pace, REQUESTS, WINDOW};

/// The hosts that builds are started on, with the tokens for them.
pub struct Triggers {
    providers: Providers,
    tokens: Tokens,
    client: Client,
    pace: Pace,
    budgets: Mutex<BTreeMap<(Name, u64), pace::Budget>>,
    /// When a build was last asked for.
    asked: Mutex<BTreeMap<(Name, u64), Time>>,
    unseen: Mutex<bool>,
}

impl fmt::Debug for Triggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Triggers").finish_non_exhaustive()
    }
}

/// An attempt to build an image.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What the image is built from.
    pub source: &'a Source,
    /// What is sent.
    pub inputs: &'a Inputs,
    /// The image.
    pub image: &'a Name,
    /// The number of the attempt.
    pub attempt: u64,
    /// When it was recorded.
    pub at: Time,
    /// The runs that other attempts own.
    pub claimed: &'a BTreeSet<String>,
}

/// What became of a request to build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fired {
    /// What is learnt; `None`: nothing. Then the attempt stays as it is, and a later run
    /// goes on with it by [`Triggers::again`].
    pub answer: Option<Answer>,
    /// What people are told.
    pub diagnostics: Vec<Diagnostic>,
}

/// What was seen of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Looked {
    /// What is learnt; `None`: nothing new, or it could not be asked.
    pub answer: Option<Answer>,
    /// What people are told.
    pub diagnostics: Vec<Diagnostic>,
}

impl Triggers {
    /// The hosts that images.yaml names, with the tokens that `variable` reads from the
    /// environment.
    #[must_use]
    pub fn new(settings: &Settings, variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            providers: settings.providers.clone(),
            tokens: Tokens::new(&settings.providers, variable),
            client: Client::new(
                Timeouts::default(),
                Proxies::from_environment(),
                BTreeMap::new(),
            ),
            pace: Pace::default(),
            budgets: Mutex::default(),
            asked: Mutex::default(),
            unseen: Mutex::new(false),
        }
    }

    /// The same with other times to wait for answers.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.client = Client::new(timeouts, Proxies::from_environment(), BTreeMap::new());
        self
    }

    /// The same at another pace.
    #[must_use]
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Why no build of this source can be asked for: there are no credentials for its
    /// host. That is to be known before an attempt is recorded; it is none.
    #[must_use]
    pub fn unable(&self, source: &Source) -> Option<Diagnostic> {
        let provider = source.provider;
        let trigger = provider == Provider::GitLab && self.tokens.trigger().is_some();
        if trigger {
            return None;
        }
        match self.tokens.wrong(provider) {
            Some(wrong) => Some(wrong.clone()),
            None if self.tokens.is_set(provider) => None,
            None => {
                let host = api::host(provider);
                let what = format!("nothing is triggered on {host}");
                Some(fire::missing(&self.tokens, source).diagnostic(&what))
            }
        }
    }

    /// Starts a build for an attempt that was recorded just now, and for which nothing
    /// was sent yet.
    pub fn fire(&self, call: &Call<'_>, now: &dyn Fn() -> Time) -> Fired {
        self.asked(call, now, false)
    }

    /// The same for an attempt of an earlier run, of which nobody knows whether it was
    /// sent: its run is looked for first.
    pub fn again(&self, call: &Call<'_>, now: &dyn Fn() -> Time) -> Fired {
        self.asked(call, now, true)
    }

    fn asked(&self, call: &Call<'_>, now: &dyn Fn() -> Time, look_first: bool) -> Fired {
        let mut diagnostics = Vec::new();
        let talk = self.talk(call, now);
        let answer = fire::fire(&talk, look_first, &mut diagnostics);
        let (answer, diagnostics) = self.masked(answer, diagnostics);
        Fired {
            answer,
            diagnostics,
        }
    }

    /// Looks how the run of an attempt stands; `run` is what it is called, if that is
    /// known.
    pub fn look(&self, call: &Call<'_>, run: Option<&str>, now: &dyn Fn() -> Time) -> Looked {
        let mut diagnostics = Vec::new();
        let talk = self.talk(call, now);
        let answer = look::look(&talk, run, &mut diagnostics);
        let (answer, diagnostics) = self.masked(answer, diagnostics);
        Looked {
            answer,
            diagnostics,
        }
    }

    fn talk<'a>(&'a self, call: &'a Call<'a>, now: &'a dyn Fn() -> Time) -> Talk<'a> {
        let provider = call.source.provider;
        let settings = self.providers.get(provider);
        let api: Box<dyn Api> = match provider {
            Provider::GitHub => Box::new(github::Workflow::new(settings, call.source)),
            Provider::GitLab => {
                let trigger = self.tokens.trigger();
                Box::new(gitlab::Project::new(settings, call.source, trigger))
            }
        };
        let attempt = (call.image.clone(), call.attempt);
        Talk {
            triggers: self,
            call,
            api,
            exchange: Exchange::new(self, provider, attempt, now),
        }
    }

    fn budget<T>(&self, attempt: &(Name, u64), with: impl FnOnce(&mut pace::Budget) -> T) -> T {
        let mut all = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.pace.elapsed();
        all.retain(|other, budget| other == attempt || !budget.is_over(now));
        with(all.entry(attempt.clone()).or_default())
    }

    fn last_asked(&self, attempt: &(Name, u64)) -> Option<Time> {
        let all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(attempt).copied()
    }

    fn note_asked(&self, attempt: (Name, u64), now: Time) {
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(attempt, now);
    }

    /// Is it the first time that somebody asks?
    fn first_unseen(&self) -> bool {
        let mut said = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        !std::mem::replace(&mut said, true)
    }

    /// Takes tokens out of all that is told or kept.
    fn masked(
        &self,
        answer: Option<Answer>,
        diagnostics: Vec<Diagnostic>,
    ) -> (Option<Answer>, Vec<Diagnostic>) {
        let mask = self.tokens.mask();
        let diagnostics = diagnostics.into_iter().map(|mut diagnostic| {
            diagnostic.message = mask.apply(&diagnostic.message);
            diagnostic.help = diagnostic.help.map(|help| mask.apply(&help));
            diagnostic
        });
        (
            answer.map(|answer| plain(answer, &mask)),
            diagnostics.collect(),
        )
    }
}

fn plain(answer: Answer, mask: &Mask) -> Answer {
    let text = |text: String| mask.apply(&text);
    let link = |link: Option<String>| link.map(text);
    match answer {
        Answer::Accepted { run, link: at } => Answer::Accepted {
            run,
            link: link(at),
        },
        Answer::Running { run, link: at } => Answer::Running {
            run,
            link: text(at),
        },
        Answer::Succeeded { run, link: at } => Answer::Succeeded {
            run,
            link: link(at),
        },
        Answer::Failed { why, run, link: at } => Answer::Failed {
            run,
            why: text(why),
            link: link(at),
        },
        Answer::Cancelled { run, link: at } => Answer::Cancelled {
            run,
            link: link(at),
        },
        Answer::Refused { why } => Answer::Refused { why: text(why) },
        Answer::Lost { why } => Answer::Lost { why: text(why) },
        Answer::Expired => Answer::Expired,
    }
}

/// One attempt, its host, and the way to talk to it.
struct Talk<'a> {
    triggers: &'a Triggers,
    call: &'a Call<'a>,
    api: Box<dyn Api + 'a>,
    exchange: Exchange<'a>,
}

impl<'a> Talk<'a> {
    fn provider(&self) -> Provider {
        self.call.source.provider
    }

    /// The host as people call it.
    fn host(&self) -> &'static str {
        api::host(self.provider())
    }

    fn now(&self) -> Time {
        (self.exchange.now)()
    }

    fn attempt(&self) -> (Name, u64) {
        (self.call.image.clone(), self.call.attempt)
    }

    /// The inputs that are sent, unless the workflow refuses some.
    fn inputs(&self) -> Vec<(Input, &'a str)> {
        self.call.inputs.chosen(self.call.source.inputs.as_deref())
    }

    /// Can runs be looked at?
    fn can_look(&self) -> bool {
        self.triggers.tokens.is_set(self.provider())
    }

    /// Says once that nothing can be seen.
    fn unseen(&self, out: &mut Vec<Diagnostic>) {
        if self.triggers.first_unseen() {
            let tokens = &self.triggers.tokens;
            let message = format!(
                "a trigger token starts pipelines and sees none: what becomes of them is known only once their images were analysed ({} #{})",
                self.call.image, self.call.attempt
            );
            let help = format!(
                "put an access token with the scope `read_api` into `{}`",
                tokens.source(Provider::GitLab)
            );
            out.push(Diagnostic::warning(code::RUN_UNSEEN, message).help(help));
        }
    }
}
