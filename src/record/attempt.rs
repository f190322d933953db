//! Attempts to rebuild an image: started, answered, still open.

mod answer;
mod runs;
mod start;
mod under_way;

use std::collections::BTreeSet;

use crate::diagnostics::secrets::masked;
use crate::diagnostics::{Diagnostic, Place, code};
use crate::model::{Duration, Name, Time};
use crate::state::{Attempt, Stamp};

use super::clock;
use super::reason::{Reason, Trigger};

pub use answer::answer;
pub use runs::runs;
pub use start::start;
pub use under_way::{open, overdue, take_over};

/// An attempt that has no answer after this time has failed; 6 hours.
pub const ANSWER_WITHIN: Duration = Duration::from_minutes(6 * 60);

/// After so many attempts in a row that failed, an image is given up.
pub const GIVE_UP_AFTER: u32 = 5;

/// An attempt that was recorded as `requested` and not asked for within this time is
/// taken over by another run; 5 minutes. Whoever recorded it asks no more by then.
pub const TAKE_OVER_AFTER: Duration = Duration::from_minutes(5);

/// The key for when another run took an attempt over.
const TAKEN_AT: &str = "takenAt";

/// As many attempts are remembered of an image.
const KEPT: usize = 100;

/// As many characters are kept of what a provider said.
const LONGEST_DETAIL: usize = 500;

/// A rebuild to be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// The image.
    pub image: Name,
    /// What makes it start.
    pub trigger: Trigger,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Who asked, if somebody did.
    pub requested_by: Option<String>,
    /// The reason that they gave.
    pub reason: Option<String>,
}

/// A rebuild that was recorded as started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    /// The image.
    pub image: Name,
    /// The number of the attempt: counted by image, never used again.
    pub attempt: u64,
    /// When it was started.
    pub at: Time,
}

/// What is learnt of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The provider took the request.
    Accepted {
        /// What the run is called there, if it said so.
        run: Option<String>,
        /// Where people can look at it.
        link: Option<String>,
    },
    /// Its run was found.
    Running {
        /// What the run is called there.
        run: String,
        /// Where people can look at it.
        link: String,
    },
    /// The run ended well.
    Succeeded {
        /// What the run is called there, if that is known.
        run: Option<String>,
        /// Where people can look at it.
        link: Option<String>,
    },
    /// The run failed.
    Failed {
        /// How, in a few words.
        why: String,
        /// What the run is called there, if that is known.
        run: Option<String>,
        /// Where people can look at it.
        link: Option<String>,
    },
    /// Somebody stopped the run.
    Cancelled {
        /// What the run is called there, if that is known.
        run: Option<String>,
        /// Where people can look at it.
        link: Option<String>,
    },
    /// The provider did not take the request.
    Refused {
        /// What it said.
        why: String,
    },
    /// It was asked, and no run was found.
    Lost {
        /// What happened.
        why: String,
    },
    /// There was no answer within [`ANSWER_WITHIN`].
    Expired,
}

impl Answer {
    /// What the run is called at its provider, as far as the answer says so.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        match self {
            Self::Running { run, .. } => Some(run),
            Self::Accepted { run, .. }
            | Self::Succeeded { run, .. }
            | Self::Failed { run, .. }
            | Self::Cancelled { run, .. } => run.as_deref(),
            Self::Refused { .. } | Self::Lost { .. } | Self::Expired => None,
        }
    }

    /// Where people can look at it.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        match self {
            Self::Running { link, .. } => Some(link),
            Self::Accepted { link, .. }
            | Self::Succeeded { link, .. }
            | Self::Failed { link, .. }
            | Self::Cancelled { link, .. } => link.as_deref(),
            Self::Refused { .. } | Self::Lost { .. } | Self::Expired => None,
        }
    }
}

/// An answer to one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// The image.
    pub image: Name,
    /// The attempt.
    pub attempt: u64,
    /// What is learnt of it.
    pub answer: Answer,
}

/// How far an attempt is that has not ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Progress {
    /// It was recorded; whether it was asked for is not known.
    Requested,
    /// The provider took the request.
    Triggered,
    /// Its run was found.
    Running,
}

impl Progress {
    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => Attempt::REQUESTED,
            Self::Triggered => Attempt::TRIGGERED,
            Self::Running => Attempt::RUNNING,
        }
    }

    fn of(attempt: &Attempt) -> Self {
        match attempt.outcome.as_deref() {
            Some(Attempt::RUNNING) => Self::Running,
            Some(Attempt::TRIGGERED | "queued") => Self::Triggered,
            _ => Self::Requested,
        }
    }
}

/// An attempt that has not ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenAttempt {
    /// The image.
    pub image: Name,
    /// Its number.
    pub attempt: u64,
    /// When it was started.
    pub at: Time,
    /// When a run last set out to ask for it.
    pub taken: Time,
    /// How far it is.
    pub outcome: Progress,
    /// What the run is called at the provider, once that is known.
    pub run: Option<String>,
    /// Where people can look at it.
    pub link: Option<String>,
    /// What it was started with.
    pub start: Start,
}

impl OpenAttempt {
    /// Did another run leave it, and may it be taken over?
    #[must_use]
    pub fn is_left(&self, now: Time) -> bool {
        let over = self.taken.plus(TAKE_OVER_AFTER) <= now;
        self.outcome == Progress::Requested && (over || clock::is_ahead(self.taken, now))
    }
}

/// Has an attempt that was started then, and has not ended, failed for want of an answer?
/// So has one that cannot have been started yet: nothing can be known of it.
#[must_use]
pub fn is_over(started: Time, now: Time) -> bool {
    started.plus(ANSWER_WITHIN) <= now || clock::is_ahead(started, now)
}

/// The open attempts that can be followed. One without a number, which other programs
/// or people wrote, ends with the next build; so does the older of two with one number.
fn live(history: &[Attempt]) -> impl Iterator<Item = (u64, &Attempt)> {
    let places = history.iter().enumerate();
    places.filter_map(|(at, attempt)| {
        let number = attempt.number()?;
        (place_of(history, number) == Some(at) && attempt.is_open()).then_some((number, attempt))
    })
}

/// Which entry a number means: the newest open one, else the newest.
fn place_of(history: &[Attempt], number: u64) -> Option<usize> {
    let is_it = |attempt: &Attempt| attempt.number() == Some(number);
    let open = history.iter().rposition(|a| is_it(a) && a.is_open());
    open.or_else(|| history.iter().rposition(is_it))
}

/// Takes a number that several entries have from all but the one that it means.
fn mend(history: &mut [Attempt], path: &str, out: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for number in history.iter().filter_map(Attempt::number) {
        if !seen.insert(number) {
            twice.insert(number);
        }
    }
    for number in twice {
        let means = place_of(history, number);
        for (at, attempt) in history.iter_mut().enumerate() {
            if attempt.number() == Some(number) && Some(at) != means {
                attempt.attempt = None;
            }
        }
        let message = format!("two attempts have the number {number}");
        let help = "the one that is open, or the newer, keeps it; the other has none any more";
        let told = Diagnostic::warning(code::STATE_MENDED, message).help(help);
        out.push(told.at(Place::file(path)));
    }
}

/// What others said, as a file can hold it: one line, bounded, no password of an address.
fn one_line(text: &str) -> Option<String> {
    let text = masked(text);
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(LONGEST_DETAIL).collect();
    // Older programs wrote this word for nothing, and so it is read.
    (!line.is_empty() && line != "None").then_some(line)
}

/// When it was started. One without a time is as old as can be, and expires.
fn begun(attempt: &Attempt) -> Time {
    (attempt.at.as_ref()).map_or(Time::from_unix_seconds(0), Stamp::time)
}
