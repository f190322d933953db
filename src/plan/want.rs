//! What an image would be rebuilt for, and when, were it not for anything else.

use super::standing::Standing;
use super::{BaseFacts, Change, Cure, ImageFacts, Policy};
use crate::model::Time;
use crate::record::{Coordinated, Reason, Rule, Trigger, Waiting, coordinate};

/// A cause to rebuild an image.
pub(super) struct Want {
    /// When it is due.
    pub(super) at: Time,
    pub(super) trigger: Trigger,
    pub(super) emergency: bool,
    /// Why, what decides first.
    pub(super) reasons: Vec<Reason>,
}

/// The changes that an image was not built with.
pub(super) struct Changes<'f> {
    /// By the names of the base images.
    open: Vec<(&'f BaseFacts, &'f Change)>,
    together: Option<Coordinated>,
    waiting: Waiting,
}

impl<'f> Changes<'f> {
    pub(super) fn of(image: &'f ImageFacts, policy: &Policy) -> Self {
        let mut open: Vec<(&BaseFacts, &Change)> = image
            .bases
            .iter()
            .filter_map(|base| Some((base, base.change.as_ref()?)))
            .collect();
        open.sort_by(|one, other| one.0.name.cmp(&other.0.name));
        let times: Vec<(Time, bool)> = open
            .iter()
            .map(|(base, change)| (change.since, base.parent.is_some()))
            .collect();
        let waiting = Waiting {
            delay: image.delay,
            window: policy.window,
            max_delay: policy.max_delay,
        };
        Self {
            together: coordinate(&times, &waiting),
            open,
            waiting,
        }
    }

    pub(super) fn due(&self) -> Option<Time> {
        self.together.as_ref().map(|together| together.due)
    }

    /// When the newest of them was learnt.
    pub(super) fn newest(&self) -> Option<Time> {
        self.open.iter().map(|(_, change)| change.newest).max()
    }

    /// The base images, and since when each is open.
    pub(super) fn since(&self) -> impl Iterator<Item = (&'f BaseFacts, Time)> {
        self.open.iter().map(|(base, change)| (*base, change.since))
    }

    /// A reason for each, the one that decides first. If others decide (`along`), those
    /// that are not due yet ride along.
    fn reasons(&self, along: bool, now: Time) -> Vec<Reason> {
        let rules = self.together.iter().flat_map(|together| &together.rules);
        let mut reasons: Vec<Reason> = self
            .open
            .iter()
            .zip(rules)
            .map(|((base, change), rule)| Reason {
                rule: match rule {
                    _ if along && self.due().is_none_or(|due| due > now) => Rule::RideAlong,
                    rule => *rule,
                },
                base: Some(base.name.clone()),
                from: change.from.clone(),
                to: Some(change.to.clone()),
                since: Some(change.since),
                detail: match rule {
                    Rule::MaxDelay => self.waiting.max_delay.map(|delay| delay.to_string()),
                    _ if base.parent.is_some() => None,
                    _ => Some(self.waiting.delay.to_string()),
                },
            })
            .collect();
        let rank = |rule| match rule {
            Rule::RideAlong => 2,
            Rule::Window => 1,
            _ => 0,
        };
        reasons.sort_by_key(|reason| (rank(reason.rule), reason.since));
        reasons
    }
}

/// Why the image is to be rebuilt next, and when.
pub(super) fn want(
    image: &ImageFacts,
    changes: &Changes<'_>,
    standing: &Standing<'_>,
    now: Time,
) -> Option<Want> {
    if let Some(cure) = cured(image, changes, now) {
        return Some(cure);
    }
    let scheduled = scheduled(image, standing);
    let aged = aged(image, standing);
    let causes = [
        (changes.due(), Trigger::Change),
        (scheduled, Trigger::Schedule),
        (aged, Trigger::MaxAge),
    ];
    let (at, trigger) = causes
        .into_iter()
        .filter_map(|(at, trigger)| Some((at?, trigger)))
        .min_by_key(|(at, _)| *at)?;
    let known = |at: Option<Time>| at.filter(|at| *at <= now);
    let by_schedule = Reason {
        since: known(scheduled),
        detail: image.schedule.as_ref().map(ToString::to_string),
        ..Reason::new(Rule::Schedule)
    };
    let by_age = Reason {
        since: image.last_built,
        detail: image.max_age.map(|age| age.to_string()),
        ..Reason::new(Rule::MaxAge)
    };
    let mut reasons = Vec::new();
    match trigger {
        Trigger::Schedule => reasons.push(by_schedule.clone()),
        Trigger::MaxAge => reasons.push(by_age.clone()),
        _ => {}
    }
    reasons.extend(changes.reasons(trigger != Trigger::Change, now));
    if trigger != Trigger::Schedule && known(scheduled).is_some() {
        reasons.push(by_schedule);
    }
    if trigger != Trigger::MaxAge && known(aged).is_some() {
        reasons.push(by_age);
    }
    Some(Want {
        at,
        trigger,
        emergency: false,
        reasons,
    })
}

/// The same at a person's order: now, for that and for all that there is to build in.
pub(super) fn ordered(rule: Rule, by: Option<&str>, changes: &Changes<'_>, now: Time) -> Want {
    let mut reasons = vec![Reason {
        since: Some(now),
        detail: by.map(str::to_owned),
        ..Reason::new(rule)
    }];
    reasons.extend(changes.reasons(true, now));
    let emergency = rule == Rule::Emergency;
    Want {
        at: now,
        trigger: if emergency {
            Trigger::Emergency
        } else {
            Trigger::Order
        },
        emergency,
        reasons,
    }
}

fn cured(image: &ImageFacts, changes: &Changes<'_>, now: Time) -> Option<Want> {
    let mut cures: Vec<(&BaseFacts, &Cure)> = image
        .bases
        .iter()
        .filter_map(|base| Some((base, base.cure.as_ref()?)))
        .filter(|(_, cure)| cure.since <= now)
        .collect();
    cures.sort_by_key(|(base, cure)| (cure.since, &base.name));
    let at = cures.first()?.1.since;
    let mut reasons: Vec<Reason> = cures
        .iter()
        .map(|(base, cure)| Reason {
            rule: Rule::CriticalCve,
            base: Some(base.name.clone()),
            from: Some(cure.from.clone()),
            to: Some(cure.to.clone()),
            since: Some(cure.since),
            detail: Some(cure.ids.join(" ")),
        })
        .collect();
    let others = changes.reasons(true, now);
    reasons.extend(others.into_iter().filter(|reason| {
        let mut named = cures.iter();
        !named.any(|(base, _)| Some(&base.name) == reason.base.as_ref())
    }));
    Some(Want {
        at,
        trigger: Trigger::Cve,
        emergency: true,
        reasons,
    })
}

/// When the newest finding came that a rebuild takes away.
pub(super) fn found(image: &ImageFacts, now: Time) -> Option<Time> {
    let cures = image.bases.iter().filter_map(|base| base.cure.as_ref());
    cures
        .map(|cure| cure.newest)
        .filter(|newest| *newest <= now)
        .max()
}

/// The first time of the schedule that nothing answered. An attempt that failed did not.
fn scheduled(image: &ImageFacts, standing: &Standing<'_>) -> Option<Time> {
    let schedule = image.schedule.as_ref()?;
    let attempts = [standing.open, standing.good];
    let attempts = attempts.into_iter().flatten().map(|attempt| attempt.at);
    let answered = [image.last_built, image.enrolled_at].into_iter().flatten();
    schedule.next(answered.chain(attempts).max()?)
}

/// When the newest build is too old. What is not known to have been built is not old.
fn aged(image: &ImageFacts, standing: &Standing<'_>) -> Option<Time> {
    let built = image.last_built?;
    let renewed = standing.good.map_or(built, |good| built.max(good.at));
    Some(renewed.plus(image.max_age?))
}
