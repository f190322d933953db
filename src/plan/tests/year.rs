//! A year of 1,000 images, in figures that docs/rebuild-simulation.md has.

use super::build::*;
use super::world::{Dice, Fate, HOUR, Totals, World};
use crate::model::{Criticality, Duration, Limits, ObjectName, Time};
use crate::plan::{Facts, ImageFacts};

const SEED: u64 = 2027;
const DAY: i64 = 24 * HOUR;

/// Somebody's images: how many, and how often they change on average, in days.
const BASES: [(&str, u64, u64); 4] = [
    ("nightly", 1, 1),
    ("weekly", 5, 7),
    ("monthly", 24, 30),
    ("seldom", 30, 90),
];

/// Our own: 40 on somebody's, 60 on these, the rest on any of them.
const FIRST: u64 = 40;
const SECOND: u64 = 100;
const IMAGES: u64 = 1000;

fn some_base(dice: &mut Dice) -> String {
    let (kind, count, _) = match dice.roll(100) {
        0 => BASES[0],
        1..=9 => BASES[1],
        10..=59 => BASES[2],
        _ => BASES[3],
    };
    format!("{kind}-{:02}", dice.roll(count))
}

fn factory(dice: &mut Dice) -> Facts {
    let images = (0..IMAGES).map(|at| {
        let mut one: ImageFacts = image(&format!("image-{at:04}"));
        let own = match at {
            0..FIRST => 0,
            FIRST..SECOND => FIRST,
            _ => SECOND,
        };
        // A third of the leaves are on one of ours, some on two, most on somebody's too.
        let parents = match (at, dice.roll(9)) {
            (0..FIRST, _) => 0,
            (FIRST..SECOND, _) | (_, 0..=2) => 1,
            (_, 3) => 2,
            _ => 0,
        };
        for _ in 0..parents {
            let parent = format!("image-{:04}", dice.roll(own));
            let known = one.bases.iter().filter_map(|base| base.parent.as_ref());
            if known.into_iter().all(|name| name.as_str() != parent) {
                one = one.under(&parent, None);
            }
        }
        if parents == 0 || dice.roll(3) == 0 {
            one = one.on(&some_base(dice), None);
        }
        one.delay =
            Duration::from_days([1, 7, 7, 7, 14, 30][usize::try_from(dice.roll(6)).unwrap()]);
        one.criticality = match dice.roll(20) {
            0 => Criticality::Critical,
            1..=3 => Criticality::High,
            4..=15 => Criticality::Normal,
            _ => Criticality::Low,
        };
        one.auto = dice.roll(50) != 0;
        one
    });
    facts(images.collect::<Vec<_>>())
}

struct Year {
    totals: Totals,
    behind: usize,
    by_hand: usize,
}

fn year(limits: Limits) -> Year {
    let mut dice = Dice(SEED);
    let mut facts = factory(&mut dice).frozen(
        parse::<Time>("2027-12-20T00:00:00Z"),
        parse::<Time>("2028-01-03T00:00:00Z"),
        "holidays",
    );
    facts.policy.limits = limits;
    let by_hand = facts.images.iter().filter(|image| !image.auto).count();
    let start = parse::<Time>("2027-02-01T00:00:00Z");
    let mut world = World::new(facts, start);
    let mut events: Vec<(i64, ObjectName, bool)> = Vec::new();
    for (kind, count, days) in BASES {
        for n in 0..count {
            let mut at = 0;
            loop {
                let span = 2 * days * 24 * 60;
                at += i64::try_from(dice.roll(span)).unwrap() * 60;
                if at >= 365 * DAY {
                    break;
                }
                events.push((at, parse(&format!("{kind}-{n:02}")), false));
            }
        }
    }
    // Four times a finding is critical, one of them in the holidays.
    for (day, base) in [
        (50, "monthly-03"),
        (140, "weekly-01"),
        (251, "seldom-07"),
        (327, "monthly-11"),
    ] {
        events.push((day * DAY, parse(base), false));
        events.push((day * DAY + HOUR, parse(base), true));
    }
    events.sort();
    let mut fates = Dice(SEED + 1);
    let mut fate = |_: &_| {
        let fate = match fates.roll(100) {
            0..=2 => Fate::Fails,
            3 => Fate::Vanishes,
            _ => Fate::Succeeds,
        };
        (fate, 4 + i64::try_from(fates.roll(27)).unwrap())
    };
    for (at, base, weak) in events {
        let at = start.unix_seconds() + at;
        if at - world.now >= HOUR {
            world.run(at / HOUR * HOUR, &mut fate);
        }
        if weak {
            world.weak(&base);
        } else {
            world.updates(&base);
        }
    }
    let end = start.unix_seconds() + 365 * DAY;
    world.run(end, &mut fate);
    // What was open at the end is built in; only a person's images are left.
    world.run(end + 60 * DAY, |_| (Fate::Succeeds, 10));
    Year {
        behind: world.behind().len(),
        totals: world.totals,
        by_hand,
    }
}

/// `9d 6h`.
fn long(seconds: i64) -> String {
    format!("{}d {}h", seconds / DAY, seconds % DAY / HOUR)
}

const MARK: &str = "<!-- Below: generated from src/plan/tests/year.rs; `UPDATE_GOLDEN=1 cargo test` rewrites it. -->\n";

#[allow(
    clippy::disallowed_methods,
    reason = "the page is read and rewritten here"
)]
fn golden(table: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rebuild-simulation.md");
    let page = std::fs::read_to_string(path).expect("the page is there");
    let (written, _) = page.split_once(MARK).expect("the mark");
    let expected = format!("{written}{MARK}{table}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &expected).expect("the page is written");
    } else {
        assert!(
            page == expected,
            "{path} is old: run the tests with UPDATE_GOLDEN=1"
        );
    }
}

#[test]
fn a_year_of_a_thousand_images() {
    let Year {
        totals,
        behind,
        by_hand,
    } = year(Limits {
        concurrent: 10,
        per_run: 20,
        per_day: 200,
    });
    // All that changed is built in.
    assert_eq!(behind, 0);
    let rows = [
        (
            "images, of which only a person starts some",
            format!("{IMAGES}, {by_hand}"),
        ),
        ("changes of base images", totals.updates.to_string()),
        (
            "the same, for each image that is built on them and follows by itself",
            totals.changes.to_string(),
        ),
        ("rebuilds that succeeded", totals.rebuilds.to_string()),
        (
            "redundant rebuilds avoided",
            (totals.changes - totals.rebuilds).to_string(),
        ),
        (
            "attempts that failed or were never answered",
            totals.failures.to_string(),
        ),
        ("emergencies", totals.emergencies.to_string()),
        (
            "most rebuilds at once (limit 10), in 24 hours (limit 200)",
            format!("{}, {}", totals.most_at_once, totals.most_in_a_day),
        ),
        ("longest wait over the limits", long(totals.longest_over)),
        (
            "worst staleness: from a change to the build that has it",
            long(totals.stalest),
        ),
        (
            "changes that were not built in by the end",
            behind.to_string(),
        ),
    ];
    let rows: Vec<String> = rows
        .iter()
        .map(|(what, count)| format!("| {what} | {count} |\n"))
        .collect();
    golden(&format!("\n| | |\n| --- | --- |\n{}", rows.concat()));
    // These figures are the contract; whoever changes a rule sees what it does to them.
    assert_eq!(
        totals,
        Totals {
            updates: 1910,
            changes: 15369,
            attempts: 10679,
            rebuilds: 10250,
            failures: 429,
            emergencies: 42,
            stalest: 4_886_280,
            longest_over: 140_400,
            most_in_a_day: 200,
            most_at_once: 10,
        }
    );
}
