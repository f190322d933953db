//! When an image is due whose base images changed at different times.

use crate::model::{Duration, Image, Settings, Time};

use super::reason::Rule;

/// How long an image waits after changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// After a change of somebody else's image: the image's `rebuildDelay`.
    pub delay: Duration,
    /// Changes that are due within this time of the first make one rebuild.
    pub window: Duration,
    /// The longest it waits after the first change.
    pub max_delay: Option<Duration>,
}

impl Waiting {
    /// What the settings and the image's entry say.
    #[must_use]
    pub const fn of(settings: &Settings, image: &Image) -> Self {
        Self {
            delay: image.rebuild_delay,
            window: settings.window,
            max_delay: settings.max_delay,
        }
    }

    /// When one change is due.
    #[must_use]
    pub const fn due(&self, since: Time, own: bool) -> Time {
        if own { since } else { since.plus(self.delay) }
    }
}

/// When an image is due, and what each change has to do with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coordinated {
    /// When the first change was learnt.
    pub since: Time,
    /// When the image is due.
    pub due: Time,
    /// For each change, in their order: the one that decides has [`Rule::Delay`],
    /// [`Rule::OwnImage`] or [`Rule::MaxDelay`], the others [`Rule::Window`] or
    /// [`Rule::RideAlong`].
    pub rules: Vec<Rule>,
}

/// The changes, each with the time it was learnt and whether the base image is our own,
/// together. Those whose delay ends within one window of the first that does are due with
/// the last of these; later ones are built in as well, and postpone nothing. A single change
/// is not postponed.
#[must_use]
pub fn coordinate(changes: &[(Time, bool)], waiting: &Waiting) -> Option<Coordinated> {
    let dues: Vec<Time> = changes
        .iter()
        .map(|&(since, own)| waiting.due(since, own))
        .collect();
    let since = changes.iter().map(|&(since, _)| since).min()?;
    let first = dues.iter().copied().min()?;
    let end = first.plus(waiting.window);
    let grouped = dues.iter().copied().filter(|due| *due <= end).max()?;
    let latest = waiting.max_delay.map(|longest| since.plus(longest));
    let (due, cut) = match latest {
        Some(latest) if latest < grouped => (latest, true),
        _ => (grouped, false),
    };
    let mut rules: Vec<Rule> = dues
        .iter()
        .map(|due| {
            if *due <= end {
                Rule::Window
            } else {
                Rule::RideAlong
            }
        })
        .collect();
    let decides = if cut {
        changes.iter().position(|change| change.0 == since)
    } else {
        dues.iter().position(|one| *one == due)
    }?;
    let own = changes.get(decides).is_some_and(|change| change.1);
    *rules.get_mut(decides)? = match (cut, own) {
        (true, _) => Rule::MaxDelay,
        (false, true) => Rule::OwnImage,
        (false, false) => Rule::Delay,
    };
    Some(Coordinated { since, due, rules })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Time {
        Time::from_unix_seconds(minutes * 60)
    }

    const fn waiting(delay: u32, window: u32, max_delay: Option<u32>) -> Waiting {
        Waiting {
            delay: Duration::from_minutes(delay),
            window: Duration::from_minutes(window),
            max_delay: match max_delay {
                Some(minutes) => Some(Duration::from_minutes(minutes)),
                None => None,
            },
        }
    }

    #[test]
    fn when_changes_are_due_together() {
        use Rule::{Delay, MaxDelay, OwnImage, RideAlong, Window};
        // Changes by minute, `true`: our own; delay 100, window 30.
        for (what, changes, max_delay, due, rules) in [
            (
                "one is not postponed",
                &[(5, false)][..],
                None,
                105,
                &[Delay][..],
            ),
            ("our own has no delay", &[(5, true)], None, 5, &[OwnImage]),
            (
                "two in a window",
                &[(5, false), (35, false)],
                None,
                135,
                &[Window, Delay],
            ),
            (
                "in any order",
                &[(35, false), (5, false)],
                None,
                135,
                &[Delay, Window],
            ),
            (
                "one minute too late",
                &[(5, false), (36, false)],
                None,
                105,
                &[Delay, RideAlong],
            ),
            (
                "the window is not pushed on",
                &[(0, false), (30, false), (60, false)],
                None,
                130,
                &[Window, Delay, RideAlong],
            ),
            (
                "at the same time",
                &[(5, false), (5, false)],
                None,
                105,
                &[Delay, Window],
            ),
            (
                "our own first",
                &[(0, false), (50, true)],
                None,
                50,
                &[RideAlong, OwnImage],
            ),
            (
                "our own near the end",
                &[(0, false), (110, true)],
                None,
                110,
                &[Window, OwnImage],
            ),
            (
                "our own after it",
                &[(0, false), (131, true)],
                None,
                100,
                &[Delay, RideAlong],
            ),
            ("at most so long", &[(0, false)], Some(60), 60, &[MaxDelay]),
            (
                "longer than the delay",
                &[(0, false)],
                Some(600),
                100,
                &[Delay],
            ),
            (
                "the window is cut as well",
                &[(20, false), (0, false)],
                Some(110),
                110,
                &[Window, MaxDelay],
            ),
        ] {
            let changes: Vec<_> = changes.iter().map(|&(t, own)| (at(t), own)).collect();
            let found = coordinate(&changes, &waiting(100, 30, max_delay)).expect(what);
            assert_eq!(
                (found.due, found.rules.as_slice()),
                (at(due), rules),
                "{what}"
            );
        }
        assert_eq!(coordinate(&[], &waiting(1, 1, None)), None);
    }

    proptest! {
        #[test]
        fn nothing_goes_early_and_nothing_is_postponed_beyond_a_window(
            changes in prop::collection::vec((0i64..500, any::<bool>()), 1..8),
            delay in 0u32..300, window in 0u32..100, max_delay in prop::option::of(0u32..400),
        ) {
            let changes: Vec<_> = changes.into_iter().map(|(t, own)| (at(t), own)).collect();
            let how = waiting(delay, window, max_delay);
            let found = coordinate(&changes, &how).expect("due");
            let first = changes.iter().map(|&(since, own)| how.due(since, own)).min().expect("one");
            let latest = how.max_delay.map(|longest| found.since.plus(longest));
            prop_assert!(found.due >= first || Some(found.due) == latest);
            prop_assert!(found.due <= first.plus(how.window));
            prop_assert!(latest.is_none_or(|latest| found.due <= latest));
            let decide = |rule: &&Rule| matches!(rule, Rule::Delay | Rule::OwnImage | Rule::MaxDelay);
            prop_assert_eq!(found.rules.iter().filter(decide).count(), 1);
            // The order in which they are told does not count.
            let turned: Vec<_> = changes.iter().rev().copied().collect();
            prop_assert_eq!(coordinate(&turned, &how).map(|turned| turned.due), Some(found.due));
        }
    }
}
