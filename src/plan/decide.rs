//! The decision about each image, parents before children.

use super::family::Family;
use super::gate::{Active, Gate, Hold};
use super::order::Lift;
use super::standing::Standing;
use super::want::{Changes, Want, found, ordered, want};
use super::{Action, AttemptFacts, Decision, Facts, Order};
use crate::model::{Builder, Time};
use crate::record::Rule;

/// What children have to know of an image.
#[derive(Clone, Default)]
struct Seen {
    /// It is to be built, or is being built, and nothing keeps it from that.
    active: Option<Active>,
    /// The attempt of which the image is awaited as a base of others.
    awaited: Option<Awaited>,
    /// When its newest good attempt was started.
    good: Option<Time>,
    /// Since when there was what that attempt built in.
    carried: Option<Time>,
}

#[derive(Clone, Copy)]
struct Awaited {
    started: Time,
    origin: Time,
}

/// Decides for each image, by its place; limits do not count yet.
pub(super) fn decide(
    facts: &Facts,
    family: &Family<'_>,
    order: &Order<'_>,
    now: Time,
) -> Vec<Option<Decision>> {
    let mut all = Deciding {
        facts,
        family,
        now,
        seen: vec![Seen::default(); family.images.len()],
    };
    let mut decisions: Vec<Option<Decision>> = Vec::new();
    decisions.resize_with(family.images.len(), || None);
    for &at in &family.order {
        let Some(image) = family.images.get(at) else {
            continue;
        };
        let (decision, seen) = all.one(at, order.lift(&image.name));
        if let (Some(slot), Some(known)) = (decisions.get_mut(at), all.seen.get_mut(at)) {
            *slot = decision;
            *known = seen;
        }
    }
    decisions
}

struct Deciding<'f> {
    facts: &'f Facts,
    family: &'f Family<'f>,
    now: Time,
    seen: Vec<Seen>,
}

impl<'f> Deciding<'f> {
    fn one(&self, at: usize, lift: Lift<'_>) -> (Option<Decision>, Seen) {
        let Some(image) = self.family.images.get(at) else {
            return (None, Seen::default());
        };
        let now = self.now;
        let policy = &self.facts.policy;
        let standing = Standing::of(image, policy.window, now);
        let changes = Changes::of(image, policy);
        let mut wanted = want(image, &changes, &standing, now);
        let answers = lift.changed && changes.due().is_some();
        let emergency = wanted.as_ref().is_some_and(|want| want.emergency);
        if lift.at_once {
            let rule = if lift.emergency {
                Rule::Emergency
            } else {
                Rule::Order
            };
            wanted = Some(ordered(rule, None, &changes, now));
        } else if answers && !emergency {
            wanted = Some(ordered(Rule::Order, lift.by, &changes, now));
        }
        let mut holds = self.holds(at, wanted.as_ref());
        if wanted.as_ref().is_some_and(|want| want.emergency) || lift.at_once {
            holds.clear();
        } else if answers {
            // A person lifts delays, also those of parents; who builds already is waited for.
            holds.retain(|hold| hold.active.at.is_none());
        }
        let origin = self.origin(at, wanted.as_ref(), &changes);
        let held = !(image.auto || lift.at_once || answers);
        let gate = Gate {
            now,
            freezes: &policy.freeze,
            standing: &standing,
            held,
            own_builder: image.builder == Builder::Factory,
            circle: self.family.in_circle(at),
            newest: changes.newest().max(found(image, now)),
            at_once: lift.at_once,
            holds: &holds,
        };
        let decision = match wanted {
            Some(want) => gate.wanted(&image.name, want),
            None => gate.unwanted(&image.name),
        };
        let stays = standing.failures > 0 || gate.own_builder || gate.circle || held;
        let active = match standing.open {
            Some(open) if standing.failures == 0 => Some(Active {
                origin: self.carried(at, open),
                at: None,
            }),
            Some(_) => None,
            None if stays || decision.action == Action::None => None,
            None => {
                let carried = holds.iter().map(|hold| hold.active.origin);
                carried.chain(origin).min().map(|origin| Active {
                    origin,
                    at: decision.at.filter(|_| decision.action != Action::Rebuild),
                })
            }
        };
        // If an attempt failed before, that let go of those that waited: what came later
        // is as new to them.
        let carried = standing.good.map(|good| self.carried(at, good));
        let carried = carried.max(standing.failed_before.filter(|_| carried.is_some()));
        let awaited = standing
            .good
            .zip(carried)
            .filter(|_| standing.awaited_until.is_some());
        let seen = Seen {
            active,
            awaited: awaited.map(|(good, origin)| Awaited {
                started: good.at,
                origin,
            }),
            good: standing.good.map(|good| good.at),
            carried,
        };
        (Some(decision), seen)
    }

    /// The parents that an image waits for.
    ///
    /// A parent counts if what it is built for was there before the image became due, and
    /// if it has not been built since then: so one that changes all the time starves
    /// nobody, and each holds an image once at most.
    fn holds(&self, at: usize, want: Option<&Want>) -> Vec<Hold<'f>> {
        let before = |time: Time| want.is_none_or(|want| time <= want.at);
        let mut holds = Vec::new();
        for (base, parent) in self.family.parents(at) {
            let (Some(seen), Some(image)) =
                (self.seen.get(*parent), self.family.images.get(*parent))
            else {
                continue;
            };
            let awaited = seen.awaited.filter(|awaited| {
                let arrived = base.moved.is_some_and(|moved| moved >= awaited.started);
                !arrived && before(awaited.origin)
            });
            let built_since =
                want.is_some_and(|want| seen.good.is_some_and(|good| good >= want.at));
            let active = seen
                .active
                .filter(|active| !built_since && before(active.origin));
            let active = active.or(awaited.map(|awaited| Active {
                origin: awaited.origin,
                at: None,
            }));
            if let Some(active) = active {
                holds.push(Hold {
                    base,
                    parent: &image.name,
                    active,
                });
            }
        }
        holds
    }

    /// Since when there is what an image wants to be built for. What only the calendar
    /// says does not count before its time.
    fn origin(&self, at: usize, want: Option<&Want>, changes: &Changes<'_>) -> Option<Time> {
        let calendar = want.map(|want| want.at).filter(|at| *at <= self.now);
        let changes = changes
            .since()
            .map(|(base, since)| self.through(at, base.name.as_str(), since));
        changes.chain(calendar).min()
    }

    /// Since when there is what an attempt builds in.
    fn carried(&self, at: usize, attempt: &AttemptFacts) -> Time {
        let changes = attempt.changes.iter();
        let times = changes.map(|(base, since)| self.through(at, base.as_str(), *since));
        times.min().unwrap_or(attempt.at)
    }

    /// Since when there is a change that a base has since `since`: if that is ours, it came
    /// of what that was built for.
    fn through(&self, at: usize, base: &str, since: Time) -> Time {
        let parent = self.family.parent(at, base);
        let seen = parent.and_then(|parent| self.seen.get(parent));
        match seen.and_then(|seen| seen.good.zip(seen.carried)) {
            Some((started, carried)) if started <= since => since.min(carried),
            _ => since,
        }
    }
}
