//! `rebuildState` and `rebuildHistory`.

use crate::model::Time;

use super::decode::{File, Map};
use super::raw::{Entries, Raw, Text};
use super::values::Stamp;

/// What becomes of an image after its base images changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RebuildState {
    /// Where it stands.
    pub status: RebuildStatus,
    /// Is there a change of a base image that the image was not built with?
    pub pending: bool,
    /// When the first such change was learnt.
    pub pending_since: Option<Stamp>,
    /// When the image's delay is over.
    pub due_at: Option<Stamp>,
    /// The attempt that was started and is not answered yet.
    pub attempt: Option<Text>,
    /// How often somebody had it rebuilt as an emergency.
    pub emergencies: Option<u64>,
    /// Other keys.
    pub unknown: Entries,
}

/// `rebuildState.status`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum RebuildStatus {
    /// `monitoring`: nothing to do.
    #[default]
    Monitoring,
    /// `pending`: to be rebuilt once the delay is over.
    Pending,
    /// Another word.
    Other(Box<str>),
}

impl RebuildStatus {
    /// The word in files.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Monitoring => "monitoring",
            Self::Pending => "pending",
            Self::Other(word) => word,
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "monitoring" => Self::Monitoring,
            "pending" => Self::Pending,
            other => Self::Other(other.into()),
        }
    }
}

const STATE: &[&str] = &[
    "status",
    "pendingRebuild",
    "pendingSince",
    "dueAt",
    "attempt",
    "emergencies",
];

impl RebuildState {
    pub(super) fn read(file: &mut File<'_>, map: &Map<'_, '_>) -> Option<Self> {
        let map = file.map(map, "rebuildState", "rebuildState.")?;
        Some(Self {
            status: file
                .text(&map, "status")
                .map(RebuildStatus::of)
                .unwrap_or_default(),
            pending: file.bool(&map, "pendingRebuild").unwrap_or_default(),
            pending_since: file.stamp(&map, "pendingSince"),
            due_at: file.stamp(&map, "dueAt"),
            attempt: scalar(file, &map, "attempt"),
            emergencies: file.count(&map, "emergencies"),
            unknown: file.unknown(&map, STATE),
        })
    }

    pub(super) fn to_raw(&self) -> Raw {
        let mut entries = Entries::new();
        entries.add("status", Raw::text(self.status.as_str()));
        entries.add("pendingRebuild", Raw::bool(self.pending));
        entries.add_some("pendingSince", self.pending_since.as_ref());
        entries.add_some("dueAt", self.due_at.as_ref());
        if let Some(attempt) = &self.attempt {
            entries.add("attempt", Raw::Scalar(attempt.clone()));
        }
        if let Some(count) = self.emergencies {
            entries.add("emergencies", Raw::number(count));
        }
        entries.add_all(&self.unknown);
        Raw::Map(entries)
    }

    /// Notes a change that the image has to follow, learnt and due at these times.
    pub fn wait(&mut self, since: Time, due: Time) {
        put(&mut self.pending_since, since);
        put(&mut self.due_at, due);
        self.pending = true;
        if self.status == RebuildStatus::Monitoring {
            self.status = RebuildStatus::Pending;
        }
    }

    /// Notes that there is no such change.
    pub fn rest(&mut self) {
        self.pending = false;
        self.pending_since = None;
        self.due_at = None;
        if self.status == RebuildStatus::Pending {
            self.status = RebuildStatus::Monitoring;
        }
    }
}

/// A time that is there already keeps its spelling.
fn put(slot: &mut Option<Stamp>, time: Time) {
    if slot.as_ref().map(Stamp::time) != Some(time) {
        *slot = Some(time.into());
    }
}

/// An entry of `rebuildHistory`: one attempt to rebuild the image.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attempt {
    /// When it was started.
    pub at: Option<Stamp>,
    /// What it is called: a number, usually.
    pub attempt: Option<Text>,
    /// What made it start.
    pub trigger: Option<String>,
    /// Why, as `plan` says it: a list of `rule`, `base`, `from`, `to`, `since`.
    pub reasons: Option<Raw>,
    /// How it ended; nothing while it is under way.
    pub outcome: Option<String>,
    /// Where it can be watched.
    pub link: Option<String>,
    /// Who asked for it, if somebody did.
    pub requested_by: Option<String>,
    /// The reason that they gave.
    pub reason: Option<String>,
    /// What the run is called at the provider.
    pub run: Option<String>,
    /// More about how it ended, for people.
    pub detail: Option<String>,
    /// When it was learnt that it had ended.
    pub ended_at: Option<Stamp>,
    /// Other keys.
    pub unknown: Entries,
}

const ATTEMPT: &[&str] = &[
    "at",
    "attempt",
    "trigger",
    "requestedBy",
    "reason",
    "reasons",
    "outcome",
    "detail",
    "endedAt",
    "run",
    "link",
];

impl Attempt {
    /// The word for an attempt that an analysed build answered.
    pub const BUILT: &'static str = "built";
    /// The word for one that was not answered before a later one was.
    pub const SUPERSEDED: &'static str = "superseded";
    /// Recorded, and not yet asked for.
    pub const REQUESTED: &'static str = "requested";
    /// The provider took the request.
    pub const TRIGGERED: &'static str = "triggered";
    /// Its run was found.
    pub const RUNNING: &'static str = "running";
    /// The run ended well; what came out of it was not analysed yet.
    pub const SUCCEEDED: &'static str = "succeeded";
    /// The run failed.
    pub const FAILED: &'static str = "failed";
    /// Somebody stopped the run.
    pub const CANCELLED: &'static str = "cancelled";
    /// The provider did not take the request.
    pub const REFUSED: &'static str = "refused";
    /// It was asked for, and no run was found.
    pub const LOST: &'static str = "lost";
    /// There was no answer in time.
    pub const EXPIRED: &'static str = "expired";

    pub(super) fn read(file: &mut File<'_>, map: &Map<'_, '_>) -> Vec<Self> {
        let maps = file.maps(map, "rebuildHistory", "rebuildHistory.");
        let mut attempts = Vec::with_capacity(maps.len());
        for map in &maps {
            attempts.push(Self {
                at: file.stamp(map, "at"),
                attempt: scalar(file, map, "attempt"),
                trigger: file.owned(map, "trigger"),
                requested_by: file.owned(map, "requestedBy"),
                reason: file.owned(map, "reason"),
                reasons: file.raw(map, "reasons"),
                outcome: file.owned(map, "outcome"),
                detail: file.owned(map, "detail"),
                ended_at: file.stamp(map, "endedAt"),
                run: file.owned(map, "run"),
                link: file.owned(map, "link"),
                unknown: file.unknown(map, ATTEMPT),
            });
        }
        attempts
    }

    pub(super) fn to_raw(&self) -> Raw {
        let mut entries = Entries::new();
        entries.add_text("at", self.at.as_ref());
        if let Some(attempt) = &self.attempt {
            entries.add("attempt", Raw::Scalar(attempt.clone()));
        }
        entries.add_some("trigger", self.trigger.as_ref());
        entries.add_some("requestedBy", self.requested_by.as_ref());
        entries.add_some("reason", self.reason.as_ref());
        if let Some(reasons) = &self.reasons {
            entries.add("reasons", reasons.clone());
        }
        entries.add_text("outcome", self.outcome.as_ref());
        entries.add_some("detail", self.detail.as_ref());
        entries.add_some("endedAt", self.ended_at.as_ref());
        entries.add_some("run", self.run.as_ref());
        entries.add_some("link", self.link.as_ref());
        entries.add_all(&self.unknown);
        Raw::Map(entries)
    }

    /// Its number; nothing if it is called otherwise, as by hand or by other programs.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.attempt.as_ref()?.as_str().parse().ok()
    }

    /// Did it end in another way than well?
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let failures = [
            Self::FAILED,
            Self::CANCELLED,
            Self::REFUSED,
            Self::LOST,
            Self::EXPIRED,
        ];
        let outcome = self.outcome.as_deref();
        outcome.is_some_and(|outcome| failures.contains(&outcome))
    }

    /// May a build still come of it? Its run may have gone on although nobody saw it.
    #[must_use]
    pub fn awaits_build(&self) -> bool {
        let unseen = [Self::SUCCEEDED, Self::LOST, Self::EXPIRED];
        let outcome = self.outcome.as_deref();
        self.is_open() || outcome.is_some_and(|outcome| unseen.contains(&outcome))
    }

    /// Has it not ended yet?
    #[must_use]
    pub fn is_open(&self) -> bool {
        let under_way = ["pending", "requested", "triggered", "queued", "running"];
        self.outcome
            .as_deref()
            .is_none_or(|outcome| under_way.contains(&outcome))
    }
}

/// A number or text, as it is written.
fn scalar(file: &mut File<'_>, map: &Map<'_, '_>, key: &'static str) -> Option<Text> {
    match file.raw(map, key)? {
        Raw::Scalar(text) => Some(text),
        Raw::List(_) | Raw::Map(_) => {
            let node = map.get(key)?;
            file.wrong_type(&format!("`{key}`"), node, "a number or text");
            None
        }
    }
}
