//! Attempts to rebuild an image: started, answered, still open.

use crate::model::{Duration, Name, Time};
use crate::tree::Tree;

use super::Outcome;
use super::reason::{Reason, Trigger};

/// An attempt that has no answer after this time has failed; 6 hours.
pub const ANSWER_WITHIN: Duration = Duration::from_minutes(6 * 60);

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
        /// Where people can look at it.
        link: Option<String>,
    },
    /// The run failed.
    Failed {
        /// How, in a few words.
        why: String,
        /// Where people can look at it.
        link: Option<String>,
    },
    /// Somebody stopped the run.
    Cancelled {
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

/// An attempt that has not ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenAttempt {
    /// The image.
    pub image: Name,
    /// Its number.
    pub attempt: u64,
    /// When it was started.
    pub at: Time,
    /// `requested`, `triggered` or `running`.
    pub outcome: String,
    /// What the run is called at the provider, once that is known.
    pub run: Option<String>,
    /// Where people can look at it.
    pub link: Option<String>,
}

/// Records that rebuilds start: an entry `requested` in the history of each. An image
/// that has an open attempt, or is not enrolled any more, gets none.
#[must_use]
pub fn start(tree: &Tree, starts: &[Start], now: Time) -> Outcome<Vec<Started>> {
    let _ = (tree, starts, now);
    Outcome::nothing(Vec::new())
}

/// Records what is learnt of attempts. An attempt that is unknown, or has ended, stays
/// as it is: the answer is a duplicate, or came late. Gives the answers that counted.
#[must_use]
pub fn answer(tree: &Tree, answers: &[Answered], now: Time) -> Outcome<Vec<Answered>> {
    let _ = (tree, answers, now);
    Outcome::nothing(Vec::new())
}

/// The attempts that have to be followed, in the order in which they were started; also
/// those of images that are not enrolled any more.
#[must_use]
pub fn open(tree: &Tree) -> Vec<OpenAttempt> {
    let _ = tree;
    Vec::new()
}
