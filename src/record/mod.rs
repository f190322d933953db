//! What happens is recorded: a digest that was seen, a build that was analysed.
//!
//! Each event is a function of the tree as it stands, so that one that met another
//! can be computed again on the newer tree. An event that says nothing new gives an
//! empty edit.

mod attempt;
mod built;
mod clock;
mod coordinate;
mod documents;
mod pending;
mod reason;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::diagnostics::Diagnostic;
use crate::model::{Digest, Duration, Name, Tag, Time};
use crate::state::{Attempt, DigestText, Text};
use crate::tree::Edit;

pub use attempt::{
    ANSWER_WITHIN, Answer, Answered, GIVE_UP_AFTER, OpenAttempt, Progress, Start, Started,
    TAKE_OVER_AFTER, answer, is_over, open, overdue, runs, start, take_over,
};
pub use built::build;
pub use clock::is_ahead;
pub use coordinate::{Coordinated, Waiting, coordinate};
pub use pending::{
    On, OpenChange, Pending, PendingBase, digest_at, is_pinned, open_change, pending,
};
pub use reason::{Reason, Rule, Trigger};
pub use seen::{digest, digests};

/// What came of an event.
#[derive(Clone, Debug)]
pub struct Outcome<F> {
    /// The files that change.
    pub edit: Edit,
    /// Did the event say something new?
    pub learned: bool,
    /// What there is to tell; nothing if an error stood in the way of all of it.
    pub facts: Option<F>,
    /// What is wrong, and what is noteworthy. With an error and without facts nothing
    /// was recorded; with both, some file was left as it is.
    pub diagnostics: Vec<Diagnostic>,
}

impl<F> Outcome<F> {
    fn nothing(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            edit: Edit::default(),
            learned: false,
            facts: None,
            diagnostics,
        }
    }
}

/// A digest that a registry, or Kargo, saw behind a reference.
#[derive(Clone, Debug)]
pub struct Seen {
    /// A base image, or an external image.
    pub name: String,
    /// The digest.
    pub digest: Digest,
    /// The tag that it was found behind.
    pub tag: Option<Tag>,
    /// What else is known of the image.
    pub metadata: Option<Metadata>,
}

/// What the registry says about an image.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Metadata {
    /// The processor that it is for.
    pub architecture: Option<String>,
    /// The system that it is for.
    pub os: Option<String>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// When it was made.
    pub created: Option<Time>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What recording a digest meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenFacts {
    /// The base image or external image.
    pub name: String,
    /// Is it a base image that some Dockerfile names?
    pub base: bool,
    /// The reference.
    pub reference: String,
    /// The digest before; nothing when it is seen for the first time.
    pub from: Option<DigestText>,
    /// The digest now.
    pub to: Digest,
    /// When that was learnt.
    pub at: Time,
    /// The images that have to follow.
    pub dependents: Vec<Follower>,
}

/// An image that has to follow a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Follower {
    /// The image.
    pub name: Name,
    /// When its delay is over.
    pub due: Time,
    /// Its delay.
    pub delay: Duration,
    /// Is it rebuilt without anybody's order?
    pub auto: bool,
}

/// A build of one of our own images.
#[derive(Clone, Debug)]
pub struct Built {
    /// The image.
    pub image: Name,
    /// The tag it was published under.
    pub tag: Option<Tag>,
    /// Its digest.
    pub digest: Digest,
    /// When it was built, as the image itself says.
    pub created: Option<Time>,
    /// What it was made from, as the image itself says: digests by reference.
    pub base_digests: BTreeMap<String, Digest>,
}

/// What recording a build meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuiltFacts {
    /// The image.
    pub image: Name,
    /// The tag.
    pub tag: Option<Tag>,
    /// The digest.
    pub digest: Digest,
    /// The build before.
    pub from: Option<DigestText>,
    /// What it was made from.
    pub built_from: BTreeMap<String, DigestText>,
    /// The attempt that it answers.
    pub answers: Option<Text>,
    /// What the image still has to follow.
    pub pending: Option<Pending>,
    /// Was an older build analysed late, and so not recorded?
    pub older: bool,
}

/// The entry that an open attempt has in the history.
fn open_attempts(history: &[Attempt]) -> impl Iterator<Item = (usize, &Attempt)> {
    history
        .iter()
        .enumerate()
        .filter(|(_, attempt)| attempt.is_open())
}
