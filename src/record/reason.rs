//! Why an image is rebuilt, or is not: what a decision says, and what an attempt
//! remembers of it.

use std::fmt;

use crate::model::{ObjectName, Parse as _, Time};
use crate::state::{DigestText, Entries, Raw};

/// One reason of a decision.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reason {
    /// What decided.
    pub rule: Rule,
    /// The base image that it is about.
    pub base: Option<ObjectName>,
    /// What the image was built from, if that is known.
    pub from: Option<DigestText>,
    /// What it would be built from now.
    pub to: Option<DigestText>,
    /// Since when there is that reason.
    pub since: Option<Time>,
    /// What else there is to say: ids of findings, why there is a freeze, who asked.
    pub detail: Option<String>,
}

/// What decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rule {
    /// A base image changed, and the image's `rebuildDelay` counts from there.
    Delay,
    /// A base image changed within one window of the first that did.
    Window,
    /// `settings.maxDelay` is over.
    MaxDelay,
    /// The base image is one of our own: no delay.
    OwnImage,
    /// A base image changed later than those that decide, and is built in with them.
    RideAlong,
    /// An image that this one is built on is to be rebuilt before.
    Parent,
    /// The image's `schedule`.
    Schedule,
    /// The image's `maxAge`.
    MaxAge,
    /// A critical finding in a base image that a newer one of it has not.
    CriticalCve,
    /// Somebody asked for it.
    Order,
    /// Somebody asked for it at once.
    Emergency,
    /// `settings.freeze`.
    Freeze,
    /// `autoRebuild: false`.
    AutoRebuildOff,
    /// `build: factory`.
    OwnBuilder,
    /// `settings.limits`.
    Limit,
    /// An attempt failed, and the next waits.
    Backoff,
    /// Too many attempts failed.
    GaveUp,
    /// The image is built on itself, or in a circle with others.
    Circle,
    /// An attempt is under way.
    Running,
}

impl Rule {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Delay,
        Self::Window,
        Self::MaxDelay,
        Self::OwnImage,
        Self::RideAlong,
        Self::Parent,
        Self::Schedule,
        Self::MaxAge,
        Self::CriticalCve,
        Self::Order,
        Self::Emergency,
        Self::Freeze,
        Self::AutoRebuildOff,
        Self::OwnBuilder,
        Self::Limit,
        Self::Backoff,
        Self::GaveUp,
        Self::Circle,
        Self::Running,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Window => "window",
            Self::MaxDelay => "max-delay",
            Self::OwnImage => "own-image",
            Self::RideAlong => "ride-along",
            Self::Parent => "parent",
            Self::Schedule => "schedule",
            Self::MaxAge => "max-age",
            Self::CriticalCve => "critical-cve",
            Self::Order => "order",
            Self::Emergency => "emergency",
            Self::Freeze => "freeze",
            Self::AutoRebuildOff => "auto-rebuild-off",
            Self::OwnBuilder => "own-builder",
            Self::Limit => "limit",
            Self::Backoff => "backoff",
            Self::GaveUp => "gave-up",
            Self::Circle => "circle",
            Self::Running => "running",
        }
    }

    /// The rule of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.as_str() == word)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What made an attempt start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trigger {
    /// Base images changed.
    Change,
    /// The image's `schedule`.
    Schedule,
    /// The image's `maxAge`.
    MaxAge,
    /// A critical finding.
    Cve,
    /// Somebody asked for it.
    Order,
    /// Somebody asked for it at once.
    Emergency,
}

impl Trigger {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Change,
        Self::Schedule,
        Self::MaxAge,
        Self::Cve,
        Self::Order,
        Self::Emergency,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Schedule => "schedule",
            Self::MaxAge => "max-age",
            Self::Cve => "cve",
            Self::Order => "order",
            Self::Emergency => "emergency",
        }
    }

    /// The trigger of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|trigger| trigger.as_str() == word)
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Reason {
    /// A reason that is about no base image.
    #[must_use]
    pub const fn new(rule: Rule) -> Self {
        Self {
            rule,
            base: None,
            from: None,
            to: None,
            since: None,
            detail: None,
        }
    }

    /// As `rebuildHistory` has it: what is not known is not there.
    #[must_use]
    pub fn to_raw(&self) -> Raw {
        let mut entries = Entries::new();
        entries.put("rule", Raw::text(self.rule.as_str()));
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                entries.put(key, Raw::text(value));
            }
        };
        put("base", self.base.as_ref().map(ToString::to_string));
        put("from", self.from.as_ref().map(ToString::to_string));
        put("to", self.to.as_ref().map(ToString::to_string));
        put("since", self.since.as_ref().map(ToString::to_string));
        put("detail", self.detail.clone());
        Raw::Map(entries)
    }

    /// Reads what [`to_raw`](Self::to_raw) wrote. Of what another version wrote: what
    /// is understood, and nothing if that is not even the rule.
    #[must_use]
    pub fn read(raw: &Raw) -> Option<Self> {
        let map = raw.as_map()?;
        Some(Self {
            rule: Rule::of(map.text("rule")?)?,
            base: map.text("base").and_then(|t| ObjectName::parse(t).ok()),
            from: map.text("from").and_then(DigestText::read),
            to: map.text("to").and_then(DigestText::read),
            since: map.text("since").and_then(|t| Time::parse(t).ok()),
            detail: map.text("detail").map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for rule in Rule::ALL {
            assert_eq!(Rule::of(rule.as_str()), Some(*rule));
        }
        for trigger in Trigger::ALL {
            assert_eq!(Trigger::of(trigger.as_str()), Some(*trigger));
        }
        assert_eq!((Rule::of("Delay"), Trigger::of("")), (None, None));
    }

    #[test]
    fn a_reason_is_read_back_whatever_it_has() {
        let full = Reason {
            rule: Rule::Delay,
            base: ObjectName::parse("node-22").ok(),
            from: DigestText::read("sha256:aa"),
            to: DigestText::read("sha256:bb"),
            since: Time::parse("2026-12-20T00:00:00Z").ok(),
            detail: Some("a: \"b\"\n{{ c }}".to_owned()),
        };
        for reason in [full, Reason::new(Rule::GaveUp)] {
            assert_eq!(Reason::read(&reason.to_raw()), Some(reason));
        }
        assert_eq!(Reason::read(&Raw::text("delay")), None);
    }
}
