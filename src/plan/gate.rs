//! What stands between an image and its rebuild.

use super::standing::Standing;
use super::want::Want;
use super::{Action, BaseFacts, Decision};
use crate::model::{Freeze, Name, Time};
use crate::record::{Reason, Rule, Trigger};

/// An image that is to be built, or is being built, and nothing keeps it from that.
#[derive(Clone, Copy)]
pub(super) struct Active {
    /// Since when there is what it is built for, through however many images that came.
    pub(super) origin: Time,
    /// When it is built, if not at once.
    pub(super) at: Option<Time>,
}

/// A parent that an image waits for.
pub(super) struct Hold<'f> {
    /// What the image calls it.
    pub(super) base: &'f BaseFacts,
    pub(super) parent: &'f Name,
    pub(super) active: Active,
}

/// What may stand in the way.
pub(super) struct Gate<'a> {
    pub(super) now: Time,
    pub(super) freezes: &'a [Freeze],
    pub(super) standing: &'a Standing<'a>,
    /// Is it `autoRebuild: false`, and did nobody ask?
    pub(super) held: bool,
    pub(super) own_builder: bool,
    /// Is it built on itself, or in a circle with others?
    pub(super) circle: bool,
    /// The newest change that was not built in, or the newest finding.
    pub(super) newest: Option<Time>,
    /// Did a person order it, whatever failed before?
    pub(super) at_once: bool,
    pub(super) holds: &'a [Hold<'a>],
}

impl Gate<'_> {
    /// There is something to rebuild the image for.
    pub(super) fn wanted(&self, image: &Name, want: Want) -> Decision {
        let due = want.at <= self.now;
        let frozen = (due && !want.emergency)
            .then(|| covering(self.freezes, self.now))
            .flatten();
        let stops = (!self.at_once).then_some(());
        let (action, at, first) = if self.circle {
            (Action::Hold, None, Some(Reason::new(Rule::Circle)))
        } else if self.own_builder {
            (
                Action::Hold,
                Some(want.at),
                Some(Reason::new(Rule::OwnBuilder)),
            )
        } else if let Some(running) = self.running() {
            (Action::Wait, None, Some(running))
        } else if self.held {
            (
                Action::Hold,
                Some(want.at),
                Some(Reason::new(Rule::AutoRebuildOff)),
            )
        } else if stops.is_some() && self.standing.gave_up(self.newest) {
            (Action::Hold, None, Some(self.failed(Rule::GaveUp)))
        } else if let Some(freeze) = frozen {
            let end = after_freezes(self.freezes, self.now);
            (Action::Hold, Some(end), Some(frozen_by(freeze)))
        } else {
            return self.free(image, want);
        };
        let mut reasons: Vec<Reason> = first.into_iter().collect();
        reasons.extend(want.reasons);
        Decision {
            image: image.clone(),
            action,
            at,
            emergency: want.emergency,
            after: Vec::new(),
            reasons,
            trigger: want.trigger,
        }
    }

    /// Nobody decided against it: it goes, now or later.
    fn free(&self, image: &Name, want: Want) -> Decision {
        let backoff = self.standing.next_try();
        let backoff = backoff.filter(|next| !self.at_once && *next > self.now.max(want.at));
        let soaks = (want.at > self.now).then_some(want.at);
        let goes = [soaks, backoff].into_iter().flatten().max();
        let parents = self.parents_at();
        let (action, mut at) = match (goes, self.holds.is_empty()) {
            (None, true) => (Action::Rebuild, Some(want.at)),
            (Some(goes), true) => (Action::Wait, Some(goes)),
            (None, false) => (Action::Wait, parents),
            (Some(goes), false) => (Action::Wait, Some(parents.map_or(goes, |at| at.max(goes)))),
        };
        let mut reasons = Vec::new();
        if action == Action::Wait
            && !want.emergency
            && let Some((time, freeze)) = at.and_then(|at| Some((at, covering(self.freezes, at)?)))
        {
            at = Some(after_freezes(self.freezes, time));
            reasons.push(frozen_by(freeze));
        }
        reasons.extend(backoff.map(|_| self.failed(Rule::Backoff)));
        // Who is waited for longest decides.
        let parents_decide = goes.is_none_or(|goes| parents.is_some_and(|at| at > goes));
        if parents_decide {
            reasons.extend(self.parents());
        }
        reasons.extend(want.reasons);
        if !parents_decide {
            reasons.extend(self.parents());
        }
        Decision {
            image: image.clone(),
            action,
            at,
            emergency: want.emergency,
            after: self.after(),
            reasons,
            trigger: want.trigger,
        }
    }

    /// There is nothing to rebuild the image for, or not yet.
    pub(super) fn unwanted(&self, image: &Name) -> Decision {
        let nothing = Decision {
            image: image.clone(),
            action: Action::None,
            at: None,
            emergency: false,
            after: Vec::new(),
            reasons: Vec::new(),
            trigger: Trigger::Change,
        };
        if self.circle {
            return Decision {
                action: Action::Hold,
                reasons: vec![Reason::new(Rule::Circle)],
                ..nothing
            };
        }
        if let Some(running) = self.running() {
            return Decision {
                action: Action::Wait,
                reasons: vec![running],
                ..nothing
            };
        }
        if !self.holds.is_empty() && !self.held && !self.own_builder {
            return Decision {
                action: Action::Wait,
                at: self.parents_at(),
                after: self.after(),
                reasons: self.parents().collect(),
                ..nothing
            };
        }
        if let Some(good) = self.standing.analysis_awaited() {
            return Decision {
                action: Action::Wait,
                reasons: vec![Reason {
                    since: Some(good.ended.unwrap_or(good.at)),
                    detail: Some("built; its analysis is awaited".to_owned()),
                    ..Reason::new(Rule::Running)
                }],
                ..nothing
            };
        }
        nothing
    }

    fn running(&self) -> Option<Reason> {
        let open = self.standing.open?;
        Some(Reason {
            since: Some(open.at),
            ..Reason::new(Rule::Running)
        })
    }

    fn failed(&self, rule: Rule) -> Reason {
        let count = self.standing.failures;
        let attempts = if count == 1 { "attempt" } else { "attempts" };
        Reason {
            since: self.standing.last_failure,
            detail: Some(format!("{count} {attempts} failed")),
            ..Reason::new(rule)
        }
    }

    fn parents(&self) -> impl Iterator<Item = Reason> {
        self.holds.iter().map(|hold| Reason {
            base: Some(hold.base.name.clone()),
            since: Some(hold.active.origin),
            detail: Some(hold.parent.to_string()),
            ..Reason::new(Rule::Parent)
        })
    }

    /// When all parents are built, if that is known of all.
    fn parents_at(&self) -> Option<Time> {
        let known = self.holds.iter().all(|hold| hold.active.at.is_some());
        let times = self.holds.iter().filter_map(|hold| hold.active.at);
        times.max().filter(|_| known)
    }

    fn after(&self) -> Vec<Name> {
        let mut after: Vec<Name> = self.holds.iter().map(|hold| hold.parent.clone()).collect();
        after.sort();
        after.dedup();
        after
    }
}

fn frozen_by(freeze: &Freeze) -> Reason {
    Reason {
        since: Some(freeze.from),
        detail: Some(freeze.reason.to_string()),
        ..Reason::new(Rule::Freeze)
    }
}

/// The freeze that holds at a time, the one that ends last.
fn covering(freezes: &[Freeze], at: Time) -> Option<&Freeze> {
    freezes
        .iter()
        .filter(|freeze| freeze.from <= at && at < freeze.to)
        .max_by_key(|freeze| (freeze.to, freeze.from, freeze.reason.as_str()))
}

/// The end of the freeze that holds at a time, and of those that take over from it.
fn after_freezes(freezes: &[Freeze], at: Time) -> Time {
    let mut end = at;
    while let Some(freeze) = covering(freezes, end) {
        end = freeze.to;
    }
    end
}
