//! What is to be rebuilt, when, and why: facts and a time in, a decision for every
//! managed image out. Same facts, same decisions, in whatever order the facts come.
//!
//! [`facts`] reads a tree; [`plan`] has nothing of files and texts, so that a
//! simulation can ask it a million times. docs/rebuilds.md has the rules for people.

mod clock;
mod decide;
mod facts;
mod family;
mod gate;
mod human;
mod json;
mod limits;
mod order;
mod request;
mod standing;
mod want;

use std::cmp::Reverse;

use crate::model::{
    Builder, Criticality, Duration, Freeze, Limits, Name, ObjectName, Schedule, Time,
};
use crate::record::{Reason, Trigger};
use crate::state::DigestText;

use family::Family;
use limits::Places;

pub use facts::{facts, newest};
pub use human::{brief, human, why};
pub use json::json;
pub use order::is_a_person;
pub use request::{Inputs, attempt, harmless};

/// All that decisions are made of, but the time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// What holds for all images.
    pub policy: Policy,
    /// The managed images.
    pub images: Vec<ImageFacts>,
    /// Attempts for images that are not enrolled any more; they count for the limits.
    pub others: Vec<AttemptFacts>,
}

/// What `settings` say of rebuilds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Changes of several base images within this time make one rebuild.
    pub window: Duration,
    /// The longest a rebuild waits after the first change.
    pub max_delay: Option<Duration>,
    /// How much is triggered.
    pub limits: Limits,
    /// When nothing is triggered, emergencies excepted.
    pub freeze: Vec<Freeze>,
}

/// A managed image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageFacts {
    /// Its name.
    pub name: Name,
    /// What goes first when not everything can.
    pub criticality: Criticality,
    /// How long after a change it is rebuilt.
    pub delay: Duration,
    /// Is it rebuilt without anybody's order?
    pub auto: bool,
    /// Who builds it.
    pub builder: Builder,
    /// When it is rebuilt in any case.
    pub schedule: Option<Schedule>,
    /// How old its newest build may become.
    pub max_age: Option<Duration>,
    /// When it was enrolled.
    pub enrolled_at: Option<Time>,
    /// When its newest build was made.
    pub last_built: Option<Time>,
    /// What it is built on.
    pub bases: Vec<BaseFacts>,
    /// The attempts to rebuild it, in the order of their numbers.
    pub attempts: Vec<AttemptFacts>,
}

/// A base image of an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseFacts {
    /// Its name.
    pub name: ObjectName,
    /// The managed image that it is.
    pub parent: Option<Name>,
    /// When it last changed, built in or not.
    pub moved: Option<Time>,
    /// Its change that the image was not built with.
    pub change: Option<Change>,
    /// A critical finding in what the image was built from that is gone now.
    pub cure: Option<Cure>,
}

/// A change of a base image that an image was not built with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What the image was built from, if that is known.
    pub from: Option<DigestText>,
    /// What it would be built from now.
    pub to: DigestText,
    /// When the first such change was learnt.
    pub since: Time,
    /// When the last one was.
    pub newest: Time,
}

/// Findings that a rebuild takes away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cure {
    /// What has them: what the image was built from.
    pub from: DigestText,
    /// What has them no more.
    pub to: DigestText,
    /// When a rebuild first helped: they were found, and the newer digest was seen.
    pub since: Time,
    /// When the newest of them was found.
    pub newest: Time,
    /// What the findings are called, sorted.
    pub ids: Vec<String>,
}

/// An attempt to rebuild an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptFacts {
    /// What tells the order of attempts, whatever the clocks said.
    pub number: u64,
    /// Can what becomes of it be recorded?
    pub followed: bool,
    /// When it was started.
    pub at: Time,
    /// When it ended, as far as that is known.
    pub ended: Option<Time>,
    /// How.
    pub end: End,
    /// The changes that it was started for: the base images, and since when.
    pub changes: Vec<(ObjectName, Time)>,
}

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It did not yet.
    Open,
    /// Well, and the new image was not analysed yet.
    Succeeded,
    /// It did not bring an image.
    Failed,
    /// Nobody built anything: the provider said no.
    Refused,
    /// With an image that was analysed, or in another way that needs nothing more.
    Done,
}

/// What is to be done, for all managed images or for those that an order names, in the
/// order in which it would be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The time for which it was decided.
    pub now: Time,
    /// A decision an image.
    pub decisions: Vec<Decision>,
}

/// What is to be done about an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// The image.
    pub image: Name,
    /// What.
    pub action: Action,
    /// A rebuild: since when it is due. Else when something is to be expected, if that
    /// is known.
    pub at: Option<Time>,
    /// Does it go past delays, freezes and the limit of the day?
    pub emergency: bool,
    /// The images whose new builds it waits for, sorted.
    pub after: Vec<Name>,
    /// Why; what decides comes first.
    pub reasons: Vec<Reason>,
    /// What a rebuild would be started for.
    pub trigger: Trigger,
}

/// What is done about an image.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// It is rebuilt now.
    Rebuild,
    /// It will be, by itself.
    Wait,
    /// It would be, but something that people decide stands against it.
    Hold,
    /// Nothing.
    None,
}

impl Action {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rebuild => "rebuild",
            Self::Wait => "wait",
            Self::Hold => "hold",
            Self::None => "none",
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order<'a> {
    /// The clock: whatever is due.
    Due,
    /// Kargo's Job for these images; `by` is who promoted, `controller:…` being Kargo.
    Requested {
        /// The images.
        images: &'a [Name],
        /// Who.
        by: &'a str,
    },
    /// A person at a terminal.
    Person {
        /// The images.
        images: &'a [Name],
    },
    /// A person for whom nothing may wait.
    Emergency {
        /// The images.
        images: &'a [Name],
    },
}

/// Decides. An order that names images is answered for these alone.
#[must_use]
pub fn plan(facts: &Facts, order: &Order<'_>, now: Time) -> Plan {
    let facts = clock::known(facts, now);
    let facts = facts.as_ref();
    let family = Family::of(facts);
    let decided = decide::decide(facts, &family, order, now);
    let urgency = urgency(&family, &decided);
    // Who a person names needs no place before others; whom Kargo names does.
    let candidate = |name: &Name| !order.is_a_persons() || order.names(name);
    let mut ranked: Vec<(Rank, Decision)> = decided
        .into_iter()
        .enumerate()
        .filter_map(|(at, decision)| {
            let criticality = urgency.get(at).copied()?;
            let decision = decision.filter(|decision| candidate(&decision.image))?;
            let mut rank = Rank {
                criticality: Reverse(criticality),
                depth: family.depth(at),
                name: at,
                ..Rank::default()
            };
            rank.see(&decision);
            Some((rank, decision))
        })
        .collect();
    ranked.sort_by_cached_key(|(rank, _)| *rank);
    let mut places = Places::of(facts, now);
    let mut over = false;
    for (rank, decision) in &mut ranked {
        if decision.action == Action::Rebuild {
            places.take(decision);
            rank.see(decision);
            over |= decision.action != Action::Rebuild;
        }
    }
    if over {
        ranked.sort_by_cached_key(|(rank, _)| *rank);
    }
    let decisions = ranked.into_iter().map(|(_, decision)| decision);
    Plan {
        now,
        decisions: decisions
            .filter(|decision| order.names(&decision.image))
            .collect(),
    }
}

/// How critical each image is: as the most critical of those that wait for it, at least.
fn urgency(family: &Family<'_>, decided: &[Option<Decision>]) -> Vec<Criticality> {
    let images = family.images.iter();
    let mut urgency: Vec<Criticality> = images.map(|image| image.criticality).collect();
    for &at in family.order.iter().rev() {
        let waits = decided.get(at).and_then(Option::as_ref);
        let waits = waits.filter(|decision| decision.action == Action::Wait);
        let (Some(decision), Some(&least)) = (waits, urgency.get(at)) else {
            continue;
        };
        for (_, parent) in family.parents(at) {
            let name = family.images.get(*parent).map(|image| &image.name);
            if name.is_some_and(|name| decision.after.contains(name))
                && let Some(parent) = urgency.get_mut(*parent)
            {
                *parent = least.max(*parent);
            }
        }
    }
    urgency
}

/// What is done first, then what is expected first, then what is held, then the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    action: Action,
    urgent: Reverse<bool>,
    /// When; what is not known comes last.
    at: (bool, Option<Time>),
    criticality: Reverse<Criticality>,
    depth: usize,
    /// The place among all names.
    name: usize,
}

impl Default for Rank {
    fn default() -> Self {
        Self {
            action: Action::None,
            urgent: Reverse(false),
            at: (false, None),
            criticality: Reverse(Criticality::Normal),
            depth: 0,
            name: 0,
        }
    }
}

impl Rank {
    fn see(&mut self, decision: &Decision) {
        self.action = decision.action;
        self.urgent = Reverse(decision.action == Action::Rebuild && decision.emergency);
        self.at = match decision.action {
            Action::Rebuild | Action::None => (false, None),
            Action::Wait | Action::Hold => (decision.at.is_none(), decision.at),
        };
    }
}

#[cfg(test)]
mod tests;
