//! What holds whatever happens.

use proptest::prelude::*;

use super::build::*;
use super::world::{Dice, Fate, HOUR, World};
use crate::model::{Criticality, Duration, Freeze, OneLine, Time};
use crate::plan::{Action, Facts, ImageFacts, Order, plan};

/// Some images on some of four bases and on each other.
fn some_facts() -> impl Strategy<Value = Facts> {
    let image = (
        prop::collection::btree_set(0u32..4, 1..3),
        prop::collection::btree_set(0usize..8, 0..3),
        0u32..10,
        0u32..4,
        prop::bool::weighted(0.9),
    );
    let images = prop::collection::vec(image, 2..8);
    let limits = (1u32..4, 1u32..4, 4u32..12);
    let freeze = prop::option::of((0u32..30, 1u32..6));
    let max_delay = prop::option::of(1u32..12);
    (images, limits, freeze, max_delay, 0u32..200).prop_map(
        |(images, limits, freeze, max_delay, window)| {
            let mut facts = facts(images.into_iter().enumerate().map(
                |(at, (bases, parents, delay, criticality, auto))| {
                    let mut one: ImageFacts = image_of(at).waits(Duration::from_days(delay));
                    one.auto = auto;
                    one.criticality = match criticality {
                        0 => Criticality::Low,
                        1 => Criticality::Normal,
                        2 => Criticality::High,
                        _ => Criticality::Critical,
                    };
                    for base in bases {
                        one = one.on(&format!("base-{base}"), None);
                    }
                    for parent in parents.into_iter().filter(|parent| *parent < at) {
                        one = one.under(&format!("image-{parent}"), None);
                    }
                    one
                },
            ));
            facts = facts.limited(limits.0, limits.1, limits.2);
            facts.policy.window = Duration::from_minutes(window);
            facts.policy.max_delay = max_delay.map(Duration::from_days);
            facts.policy.freeze = freeze
                .map(|(from, days)| Freeze {
                    from: day(from + 1, 0),
                    to: day(from + days + 1, 0),
                    reason: parse::<OneLine>("why not"),
                })
                .into_iter()
                .collect();
            facts
        },
    )
}

fn image_of(at: usize) -> ImageFacts {
    image(&format!("image-{at}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Under random updates, failures and clocks nothing is built early, twice at a time
    /// or for nothing ([`World`] checks each start), and in the end everything is built in.
    #[test]
    fn every_change_is_built_in_once_in_the_long_run(facts in some_facts(), seed: u64) {
        let mut dice = Dice(seed);
        let mut world = World::new(facts, day(1, 0));
        let end = day(40, 0).unix_seconds();
        while world.now < end {
            let base = parse(&format!("base-{}", dice.roll(4)));
            match dice.roll(8) {
                // A tag may come back to what it was.
                0 => world.changes(&base, 1_000_000 + dice.roll(3)),
                1 | 2 => world.updates(&base),
                3 => world.weak(&base),
                // The clock is wrong for a while.
                4 if seed % 2 == 0 => world.clock = i64::try_from(dice.roll(20)).unwrap() * HOUR - 10 * HOUR,
                _ => world.clock = 0,
            }
            let hours = i64::try_from(dice.roll(30)).unwrap();
            let until = world.now + hours * HOUR;
            world.run(until, |_| {
                let fate = match dice.roll(6) {
                    0 => Fate::Fails,
                    1 => Fate::Vanishes,
                    _ => Fate::Succeeds,
                };
                (fate, i64::try_from(dice.roll(90)).unwrap() + 1)
            });
        }
        // What runs ends.
        world.clock = 0;
        let half = world.now + 12 * HOUR;
        world.run(half, |_| (Fate::Succeeds, 10));
        // Whom all attempts failed is tried again when a base changes once more.
        for base in 0..4 {
            world.updates(&parse(&format!("base-{base}")));
        }
        let fine = |_: &_| (Fate::Succeeds, 10);
        let days = world.now + 40 * 24 * HOUR;
        world.run(days, fine);
        prop_assert_eq!(world.behind(), Vec::<String>::new());
        // Each rebuild took in a change that no other had.
        prop_assert!(world.totals.rebuilds <= world.totals.changes);
        let before = world.totals.clone();
        let month = world.now + 30 * 24 * HOUR;
        world.run(month, fine);
        prop_assert_eq!(&world.totals, &before);
    }

    /// The same facts in another order are decided the same.
    #[test]
    fn the_order_of_facts_does_not_count(facts in some_facts(), seed: u64, days in 0u32..60) {
        let mut dice = Dice(seed);
        let mut world = World::new(facts, day(1, 0));
        for _ in 0..6 {
            world.updates(&parse(&format!("base-{}", dice.roll(4))));
            let until = world.now + 60 * HOUR;
            world.run(until, |_| (if dice.roll(3) == 0 { Fate::Fails } else { Fate::Succeeds }, 70));
        }
        let now = day(days + 1, 0);
        let facts = world.facts;
        let decided = plan(&facts, &Order::Due, now);
        prop_assert_eq!(&plan(&facts, &Order::Due, now), &decided);
        let mut turned = facts;
        turned.images.reverse();
        for image in &mut turned.images {
            image.bases.reverse();
            image.attempts.reverse();
        }
        prop_assert_eq!(plan(&turned, &Order::Due, now), decided);
    }

    /// However the limits are, all that is due gets its turn, and the limits hold.
    #[test]
    fn nothing_starves_under_limits(count in 1u32..40, concurrent in 1u32..4, per_run in 1u32..4, per_day in 1u32..9) {
        let images = (0..count).map(|n| image(&format!("image-{n:02}")).on("node", None));
        let mut world = World::new(facts(images).limited(concurrent, per_run, per_day), day(1, 0));
        world.updates(&parse("node"));
        let days = 8 + count.div_ceil(per_day) + count.div_ceil(concurrent.min(per_run) * 12);
        let until = world.now + i64::from(days) * 24 * HOUR;
        world.run(until, |_| (Fate::Succeeds, 90));
        prop_assert_eq!(world.behind(), Vec::<String>::new());
        prop_assert_eq!(world.totals.rebuilds, u64::from(count));
        prop_assert!(world.totals.most_at_once <= concurrent as usize);
        prop_assert!(world.totals.most_in_a_day <= per_day as usize);
    }
}

#[test]
fn a_tag_that_changes_daily_is_rebuilt_weekly() {
    let mut world = World::new(facts([image("shop").on("nightly", None)]), day(1, 0));
    for _ in 0..70 {
        world.updates(&parse("nightly"));
        let until = world.now + 24 * HOUR;
        world.run(until, |_| (Fate::Succeeds, 20));
    }
    // A day passes between a build and the change that the next one waits for.
    assert_eq!(world.totals.rebuilds, 9);
    assert!(
        world.totals.stalest <= 7 * 24 * HOUR + 2 * HOUR,
        "{:?}",
        world.totals
    );
}

/// A parent that changes every day, and a child with a delay that is longer.
#[test]
fn a_parent_that_is_for_ever_pending_starves_nobody() {
    let parent = image("a-parent")
        .on("nightly", None)
        .waits(Duration::from_days(2));
    let child = image("child").on("node", None).under("a-parent", None);
    // Its own tag of the parent never moves.
    let mut world = World::new(facts([parent, child]), day(1, 0));
    world.updates(&parse("node"));
    let mut built = None;
    for days in 0..14 {
        world.updates(&parse("nightly"));
        let until = world.now + 24 * HOUR;
        world.run(until, |decision| {
            if decision.image.as_str() == "child" {
                built.get_or_insert(days);
            }
            (Fate::Fails, 20)
        });
    }
    // At the end of the seventh day.
    assert_eq!(built, Some(6));
}

#[test]
fn a_diamond_is_built_once() {
    let a = image("a").on("node", None);
    let b = image("b").under("a", None);
    let c = image("c").under("a", None).on("node", None);
    let d = image("d")
        .under("b", None)
        .under("c", None)
        .on("node", None);
    let mut world = World::new(facts([a, b, c, d]), day(1, 0));
    world.updates(&parse("node"));
    let mut built = Vec::new();
    let until = world.now + 20 * 24 * HOUR;
    world.run(until, |decision| {
        built.push(decision.image.to_string());
        (Fate::Succeeds, 20)
    });
    assert_eq!(built, ["a", "b", "c", "d"]);
    assert_eq!(world.behind(), Vec::<String>::new());
}

/// A circle or a duplicate hangs nothing, whatever the facts say.
#[test]
fn the_same_image_twice_is_decided_once() {
    let twice = facts([
        image("shop").on("node", day(1, 0)),
        image("shop").on("node", day(1, 0)),
    ]);
    let decisions = plan(&twice, &Order::Due, Time::from_unix_seconds(i64::MAX)).decisions;
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].action, Action::Rebuild);
}
