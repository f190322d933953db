//! Facts in few words, and decisions as one line of text each.

use crate::model::{
    Builder, Criticality, Duration, Freeze, Limits, Name, ObjectName, OneLine, Parse, Schedule,
    Time,
};
use crate::plan::{
    AttemptFacts, BaseFacts, Change, Cure, Decision, End, Facts, ImageFacts, Order, Policy, plan,
};
use crate::state::DigestText;

pub(super) fn parse<T: Parse>(text: &str) -> T {
    T::parse(text).unwrap_or_else(|_| panic!("{text}"))
}

/// A day of March 2026, and an hour of it.
pub(super) fn day(day: u32, hour: u32) -> Time {
    let first = parse::<Time>("2026-03-01T00:00:00Z");
    first.plus(Duration::from_minutes(((day - 1) * 24 + hour) * 60))
}

pub(super) fn digest(n: u64) -> DigestText {
    DigestText::read(&format!("sha256:{n:064x}")).expect("a digest")
}

pub(super) const NOBODY: Limits = Limits {
    concurrent: 100_000,
    per_run: 100_000,
    per_day: 100_000,
};

pub(super) fn facts(images: impl IntoIterator<Item = ImageFacts>) -> Facts {
    Facts {
        policy: Policy {
            window: Duration::from_minutes(30),
            max_delay: None,
            limits: NOBODY,
            freeze: Vec::new(),
        },
        images: images.into_iter().collect(),
        others: Vec::new(),
    }
}

/// An image built on the first of March, with a delay of 7 days.
pub(super) fn image(name: &str) -> ImageFacts {
    ImageFacts {
        name: parse(name),
        criticality: Criticality::Normal,
        delay: Duration::from_days(7),
        auto: true,
        builder: Builder::Workflow,
        schedule: None,
        max_age: None,
        enrolled_at: Some(day(1, 0)),
        last_built: Some(day(1, 0)),
        bases: Vec::new(),
        attempts: Vec::new(),
    }
}

fn base(name: &str, parent: Option<&str>, changed: Option<Time>) -> BaseFacts {
    BaseFacts {
        name: parse(name),
        parent: parent.map(parse),
        moved: changed,
        change: changed.map(|since| Change {
            from: Some(digest(1)),
            to: digest(2),
            since,
            newest: since,
        }),
        cure: None,
    }
}

impl ImageFacts {
    /// On somebody's image that changed then.
    pub(super) fn on(mut self, name: &str, changed: impl Into<Option<Time>>) -> Self {
        self.bases.push(base(name, None, changed.into()));
        self
    }

    /// On one of ours, whose new digest was seen then.
    pub(super) fn under(mut self, parent: &str, changed: impl Into<Option<Time>>) -> Self {
        let name = format!("acme-{parent}-1");
        self.bases.push(base(&name, Some(parent), changed.into()));
        self
    }

    /// Of the last base: findings that are gone.
    pub(super) fn cured(mut self, since: Time, ids: &[&str]) -> Self {
        let base = self.bases.last_mut().expect("a base");
        base.cure = Some(Cure {
            from: digest(1),
            to: digest(2),
            since,
            newest: since,
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        });
        self
    }

    pub(super) fn tried(mut self, at: Time, end: End, ended: impl Into<Option<Time>>) -> Self {
        let number = self.attempts.len().try_into().expect("a number");
        self.attempts.push(AttemptFacts {
            number,
            followed: true,
            at,
            ended: ended.into(),
            end,
            changes: Vec::new(),
        });
        self
    }

    /// What the last attempt was started for.
    pub(super) fn because(mut self, base: &str, since: Time) -> Self {
        let last = self.attempts.last_mut().expect("an attempt");
        last.changes.push((parse::<ObjectName>(base), since));
        self
    }

    /// So many attempts that failed, an hour apart, the last at that time.
    pub(super) fn failed(mut self, count: u32, last: Time) -> Self {
        for n in (0..count).rev() {
            let at = Time::from_unix_seconds(last.unix_seconds() - i64::from(n) * 3600);
            self = self.tried(at, End::Failed, at);
        }
        self
    }

    pub(super) fn by_hand(mut self) -> Self {
        self.auto = false;
        self
    }

    pub(super) fn first(mut self, criticality: Criticality) -> Self {
        self.criticality = criticality;
        self
    }

    pub(super) fn waits(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(super) fn on_schedule(mut self, schedule: &str) -> Self {
        self.schedule = Some(parse::<Schedule>(schedule));
        self
    }

    pub(super) fn at_most(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    pub(super) fn by_factory(mut self) -> Self {
        self.builder = Builder::Factory;
        self
    }
}

impl Facts {
    pub(super) fn limited(mut self, concurrent: u32, per_run: u32, per_day: u32) -> Self {
        self.policy.limits = Limits {
            concurrent,
            per_run,
            per_day,
        };
        self
    }

    pub(super) fn frozen(mut self, from: Time, to: Time, reason: &str) -> Self {
        self.policy.freeze.push(Freeze {
            from,
            to,
            reason: parse::<OneLine>(reason),
        });
        self
    }

    pub(super) fn at_latest(mut self, delay: Duration) -> Self {
        self.policy.max_delay = Some(delay);
        self
    }
}

pub(super) fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|name| parse(name)).collect()
}

/// `shop wait 08T00 after parent: parent acme-parent-1, delay node-22`; `!` marks an
/// emergency, the time is a day of March and its hour.
pub(super) fn line(decision: &Decision) -> String {
    let mut line = format!("{} {}", decision.image, decision.action.as_str());
    if decision.emergency {
        line.push('!');
    }
    if let Some(at) = decision.at {
        let text = at.to_string();
        let part = |from, to| text.get(from..to).expect("ASCII");
        line.push_str(&format!(" {}", part(8, 13)));
        if part(14, 16) != "00" {
            line.push_str(part(13, 16));
        }
        if part(5, 7) != "03" {
            line.push_str(&format!(" of {}", part(0, 7)));
        }
    }
    if !decision.after.is_empty() {
        let after: Vec<&str> = decision.after.iter().map(AsRef::as_ref).collect();
        line.push_str(&format!(" after {}", after.join(" ")));
    }
    let reasons: Vec<String> = decision
        .reasons
        .iter()
        .map(|reason| match &reason.base {
            Some(base) => format!("{} {base}", reason.rule),
            None => reason.rule.to_string(),
        })
        .collect();
    if !reasons.is_empty() {
        line.push_str(&format!(": {}", reasons.join(", ")));
    }
    line
}

/// The decisions as lines.
pub(super) fn decided(facts: &Facts, order: &Order<'_>, now: Time) -> Vec<String> {
    plan(facts, order, now).decisions.iter().map(line).collect()
}

/// What is due, by the clock.
#[track_caller]
pub(super) fn expect(facts: &Facts, now: Time, lines: &[&str]) {
    assert_eq!(decided(facts, &Order::Due, now), lines, "at {now}");
}
