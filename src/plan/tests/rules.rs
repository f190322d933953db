//! A table for each rule.

use super::build::*;
use crate::model::{Criticality, Duration};
use crate::plan::{End, Facts, Order};

#[test]
fn nothing_changed() {
    let facts = facts([image("shop").on("node", None), image("desk")]);
    expect(&facts, day(20, 0), &["desk none", "shop none"]);
    expect(&super::build::facts([]), day(20, 0), &[]);
}

#[test]
fn a_change_waits_its_delay() {
    let facts = facts([image("shop").on("node", day(2, 0))]);
    expect(&facts, day(2, 0), &["shop wait 09T00: delay node"]);
    expect(&facts, day(8, 23), &["shop wait 09T00: delay node"]);
    expect(&facts, day(9, 0), &["shop rebuild 09T00: delay node"]);
    expect(&facts, day(20, 0), &["shop rebuild 09T00: delay node"]);
}

#[test]
fn an_image_of_ours_that_changed_is_followed_at_once() {
    let facts = facts([image("child").under("parent", day(2, 0)), image("parent")]);
    expect(
        &facts,
        day(2, 0),
        &[
            "child rebuild 02T00: own-image acme-parent-1",
            "parent none",
        ],
    );
}

#[test]
fn several_changes() {
    let hours = |h: u32| Duration::from_minutes(h * 60);
    let shop = image("shop")
        .on("a", day(2, 0))
        .on("b", day(3, 0))
        .on("c", day(4, 0));
    let mut all = facts([shop]);
    expect(
        &all,
        day(5, 0),
        &["shop wait 09T00: delay a, ride-along b, ride-along c"],
    );
    all.policy.window = hours(24);
    expect(
        &all,
        day(5, 0),
        &["shop wait 10T00: delay b, window a, ride-along c"],
    );
    all.policy.window = hours(48);
    expect(
        &all,
        day(5, 0),
        &["shop wait 11T00: delay c, window a, window b"],
    );
    let all = all.at_latest(Duration::from_days(8));
    expect(
        &all,
        day(5, 0),
        &["shop wait 10T00: max-delay a, window b, window c"],
    );
    let all = all.at_latest(Duration::from_days(1));
    expect(
        &all,
        day(5, 0),
        &["shop rebuild 03T00: max-delay a, window b, window c"],
    );
}

#[test]
fn parents_are_built_before_children() {
    let parent = || image("parent").on("node", day(2, 0));
    let child = || image("child").on("node", day(2, 0)).under("parent", None);
    // Both soak; the child tells whom it will wait for.
    expect(
        &facts([child(), parent()]),
        day(3, 0),
        &[
            "parent wait 09T00: delay node",
            "child wait 09T00 after parent: delay node, parent acme-parent-1",
        ],
    );
    // A parent that soaks longer decides.
    expect(
        &facts([child().waits(Duration::from_days(1)), parent()]),
        day(4, 0),
        &[
            "parent wait 09T00: delay node",
            "child wait 09T00 after parent: parent acme-parent-1, delay node",
        ],
    );
    let waits = "child wait after parent: parent acme-parent-1, delay node";
    expect(
        &facts([child(), parent()]),
        day(9, 0),
        &["parent rebuild 09T00: delay node", waits],
    );
    // Under way, then built and not analysed, then its digest not arrived yet.
    let running = image("parent")
        .tried(day(9, 0), End::Open, None)
        .because("node", day(2, 0));
    expect(
        &facts([child(), running]),
        day(9, 1),
        &["parent wait: running", waits],
    );
    let ended = |end| {
        let parent = image("parent").tried(day(9, 0), end, day(9, 1));
        parent.because("node", day(2, 0))
    };
    expect(
        &facts([child(), ended(End::Succeeded)]),
        day(9, 2),
        &["parent wait: running", waits],
    );
    expect(
        &facts([child(), ended(End::Done)]),
        day(9, 1),
        &[waits, "parent none"],
    );
    let arrived = image("child")
        .on("node", day(2, 0))
        .under("parent", day(9, 1));
    expect(
        &facts([arrived, ended(End::Done)]),
        day(9, 1),
        // Its digest came more than a window after the delay, and rides along.
        &[
            "child rebuild 09T00: delay node, ride-along acme-parent-1",
            "parent none",
        ],
    );
    // It never arrives: the child has another tag of it.
    expect(
        &facts([child(), ended(End::Done)]),
        day(9, 2),
        &["child rebuild 09T00: delay node", "parent none"],
    );
    expect(
        &facts([child(), ended(End::Succeeded)]),
        day(9, 7),
        &["child rebuild 09T00: delay node", "parent none"],
    );
}

#[test]
fn a_parent_that_does_not_go_by_itself_keeps_nobody_waiting() {
    let child = || image("child").on("node", day(2, 0)).under("parent", None);
    let parent = || image("parent").on("node", day(2, 0));
    let goes = "child rebuild 09T00: delay node";
    for (parent, line) in [
        (
            parent().by_hand(),
            "parent hold 09T00: auto-rebuild-off, delay node",
        ),
        (
            parent().by_factory(),
            "parent hold 09T00: own-builder, delay node",
        ),
        (
            parent().failed(1, day(9, 0)),
            "parent wait 09T01: backoff, delay node",
        ),
        (
            parent().failed(5, day(9, 0)),
            "parent hold: gave-up, delay node",
        ),
        // Also while it is tried again.
        (
            parent()
                .failed(1, day(9, 0))
                .tried(day(9, 0), End::Open, None),
            "parent wait: running, delay node",
        ),
        // What began after the child was due.
        (
            image("parent").on("other", day(9, 0).plus(Duration::from_minutes(1))),
            "parent wait 16T00:01: delay other",
        ),
    ] {
        expect(
            &facts([child(), parent]),
            day(9, 0).plus(Duration::from_minutes(2)),
            &[goes, line],
        );
    }
    // It was built since the child became due, and is due again.
    let again = parent()
        .tried(day(9, 2), End::Done, day(9, 3))
        .because("node", day(1, 0));
    expect(
        &facts([child(), again]),
        day(9, 9),
        &["parent rebuild 09T00: delay node", goes],
    );
}

#[test]
fn a_cascade_is_seen_from_its_beginning() {
    let facts = |hour: u32| {
        let a = image("a").on("node", day(2, hour));
        facts([image("c").under("b", None), image("b").under("a", None), a])
    };
    expect(
        &facts(0),
        day(3, 0),
        &[
            "a wait 09T00: delay node",
            "b wait 09T00 after a: parent acme-a-1",
            "c wait 09T00 after b: parent acme-b-1",
        ],
    );
    expect(
        &facts(0),
        day(9, 0),
        &[
            "a rebuild 09T00: delay node",
            "b wait after a: parent acme-a-1",
            "c wait after b: parent acme-b-1",
        ],
    );
}

/// The child is on the same base as its grandparent: it waits until both were built.
#[test]
fn a_long_diamond_builds_the_child_once() {
    let child = || image("c").on("node", day(2, 0)).under("b", None);
    let waits = "c wait after b: parent acme-b-1, delay node";
    let built = image("a")
        .tried(day(9, 0), End::Done, day(9, 1))
        .because("node", day(2, 0));
    let b = image("b").under("a", day(9, 1));
    // b's own change is younger than c's due time, but came of one that is older.
    expect(
        &facts([child(), b, built.clone()]),
        day(9, 1),
        &["b rebuild 09T01: own-image acme-a-1", waits, "a none"],
    );
    let b = image("b")
        .under("a", None)
        .tried(day(9, 1), End::Open, None);
    let b = b.because("acme-a-1", day(9, 1));
    expect(
        &facts([child(), b, built]),
        day(9, 2),
        &["b wait: running", waits, "a none"],
    );
}

#[test]
fn limits() {
    let due = |name: &str| image(name).on("node", day(2, 0));
    let all = |facts: Facts| decided(&facts, &Order::Due, day(9, 0));
    let three = || facts([due("c"), due("b").first(Criticality::High), due("a")]);
    let over = |name: &str, at: &str| format!("{name} wait{at}: limit, delay node");
    assert_eq!(
        all(three().limited(2, 9, 9)),
        [
            "b rebuild 09T00: delay node".to_owned(),
            "a rebuild 09T00: delay node".to_owned(),
            over("c", "")
        ]
    );
    assert_eq!(
        all(three().limited(9, 1, 9)),
        [
            "b rebuild 09T00: delay node".to_owned(),
            over("a", ""),
            over("c", "")
        ]
    );
    // Running ones have a place, and those of the last day have one in the day.
    let running = || image("r").tried(day(8, 23), End::Open, None);
    let mut some = three().limited(2, 9, 9);
    some.images.push(running());
    assert_eq!(
        all(some)[0..2],
        ["b rebuild 09T00: delay node".to_owned(), over("a", "")]
    );
    let mut some = three().limited(9, 9, 2);
    let earlier = image("e").tried(day(8, 5), End::Done, day(8, 6));
    some.images
        .push(earlier.tried(day(8, 0), End::Done, day(8, 1)));
    assert_eq!(
        all(some)[0..3],
        [
            "b rebuild 09T00: delay node".to_owned(),
            over("a", " 09T05"),
            over("c", " 10T00")
        ]
    );
    // Attempts for images that are gone count, and so do emergencies of today.
    let mut some = three().limited(9, 9, 1);
    some.others = image("x").tried(day(8, 4), End::Failed, day(8, 5)).attempts;
    some.images.push(due("e").cured(day(8, 0), &["CVE-1"]));
    assert_eq!(
        all(some),
        [
            "e rebuild! 08T00: critical-cve node".to_owned(),
            over("b", " 10T00"),
            over("a", ""),
            over("c", "")
        ]
    );
    // Of attempts that were refused nothing was started; of others it was.
    for (end, goes) in [
        (End::Refused, 3),
        (End::Failed, 2),
        (End::Succeeded, 2),
        (End::Done, 2),
        (End::Open, 2),
    ] {
        let mut some = three().limited(9, 9, 3);
        some.images.push(image("r").tried(day(8, 23), end, None));
        some.others = image("x").tried(day(8, 23), End::Refused, None).attempts;
        let lines = all(some);
        let count = lines
            .iter()
            .filter(|line| line.contains(" rebuild "))
            .count();
        assert_eq!(count, goes, "{end:?}: {lines:?}");
    }
    // An attempt without an answer has no place.
    let mut some = three().limited(3, 9, 9);
    some.images
        .push(image("r").tried(day(8, 18), End::Open, None));
    assert_eq!(
        all(some)
            .iter()
            .filter(|line| line.contains("rebuild"))
            .count(),
        3
    );
}

#[test]
fn priority_is_criticality_then_depth_then_name() {
    // y is due and not held: the change of z is younger than that.
    let z = || image("z").on("node", day(3, 1));
    let y = image("y").under("z", day(3, 0));
    let x = image("x").under("y", day(3, 0)).first(Criticality::Low);
    let y_goes = "y rebuild 03T00: own-image acme-z-1";
    let x_waits = "x wait after y: parent acme-y-1, own-image acme-y-1";
    expect(
        &facts([x.clone(), y.clone(), z()]).limited(1, 9, 9),
        day(10, 1),
        &[
            "z rebuild 10T01: delay node",
            "y wait: limit, own-image acme-z-1",
            x_waits,
        ],
    );
    expect(
        &facts([x, y, z().first(Criticality::Low)]).limited(1, 9, 9),
        day(10, 1),
        &[y_goes, "z wait: limit, delay node", x_waits],
    );
}

#[test]
fn a_freeze_holds_and_an_emergency_passes() {
    let shop = || image("shop").on("node", day(2, 0));
    let all = || {
        facts([
            shop(),
            image("desk")
                .on("node", day(3, 0))
                .cured(day(4, 0), &["CVE-1"]),
        ])
    };
    let frozen = all().frozen(day(9, 0), day(12, 0), "holidays");
    expect(
        &frozen,
        day(10, 0),
        &[
            "desk rebuild! 04T00: critical-cve node",
            "shop hold 12T00: freeze, delay node",
        ],
    );
    expect(
        &frozen,
        day(12, 0),
        &[
            "desk rebuild! 04T00: critical-cve node",
            "shop rebuild 09T00: delay node",
        ],
    );
    // It is foreseen, also where one takes over from another.
    let frozen =
        facts([shop()])
            .frozen(day(8, 0), day(11, 0), "a")
            .frozen(day(11, 0), day(13, 0), "b");
    expect(&frozen, day(3, 0), &["shop wait 13T00: freeze, delay node"]);
    expect(&frozen, day(9, 0), &["shop hold 13T00: freeze, delay node"]);
    let later = facts([shop()]).frozen(day(20, 0), day(21, 0), "a");
    expect(&later, day(3, 0), &["shop wait 09T00: delay node"]);
}

#[test]
fn what_only_a_person_starts() {
    let shop = facts([
        image("shop").on("node", day(2, 0)).by_hand(),
        image("desk").by_hand(),
    ]);
    expect(
        &shop,
        day(3, 0),
        &["shop hold 09T00: auto-rebuild-off, delay node", "desk none"],
    );
    expect(
        &shop,
        day(10, 0),
        &["shop hold 09T00: auto-rebuild-off, delay node", "desk none"],
    );
    let cve = image("shop")
        .on("node", day(2, 0))
        .cured(day(3, 0), &["CVE-1"])
        .by_hand();
    expect(
        &facts([cve]),
        day(3, 0),
        &["shop hold! 03T00: auto-rebuild-off, critical-cve node"],
    );
    let own = image("shop").on("node", day(2, 0)).by_factory();
    expect(
        &facts([own]),
        day(10, 0),
        &["shop hold 09T00: own-builder, delay node"],
    );
}

#[test]
fn schedules_and_ages() {
    let nightly = || image("shop").on_schedule("0 4 * * *");
    expect(
        &facts([nightly()]),
        day(1, 3),
        &["shop wait 01T04: schedule"],
    );
    expect(
        &facts([nightly()]),
        day(1, 4),
        &["shop rebuild 01T04: schedule"],
    );
    // The first that was missed counts, and only once.
    expect(
        &facts([nightly()]),
        day(5, 0),
        &["shop rebuild 01T04: schedule"],
    );
    let open = nightly().tried(day(5, 0), End::Open, None);
    expect(&facts([open]), day(5, 1), &["shop wait: running, schedule"]);
    let built = nightly().tried(day(5, 0), End::Succeeded, day(5, 1));
    expect(&facts([built]), day(5, 2), &["shop wait 05T04: schedule"]);
    // One that failed is tried again.
    let failed = nightly().tried(day(5, 0), End::Failed, day(5, 1));
    expect(
        &facts([failed.clone()]),
        day(5, 1),
        &["shop wait 05T02: backoff, schedule"],
    );
    expect(
        &facts([failed]),
        day(5, 2),
        &["shop rebuild 01T04: schedule"],
    );
    expect(
        &facts([nightly().by_hand()]),
        day(5, 0),
        &["shop hold 01T04: auto-rebuild-off, schedule"],
    );
    // Changes ride along, or decide if they are due before.
    let changed = nightly().on("node", day(2, 0));
    expect(
        &facts([changed.clone()]),
        day(3, 0),
        &["shop rebuild 01T04: schedule, ride-along node"],
    );
    let weekly = image("shop").on_schedule("0 4 * * 0").on("node", day(1, 0));
    expect(
        &facts([weekly.clone()]),
        day(1, 2),
        &["shop wait 01T04: schedule, ride-along node"],
    );
    let weekly = weekly.waits(Duration::from_minutes(60));
    expect(
        &facts([weekly.clone()]),
        day(1, 2),
        &["shop rebuild 01T01: delay node"],
    );
    expect(
        &facts([weekly]),
        day(1, 4),
        &["shop rebuild 01T01: delay node, schedule"],
    );
    expect(
        &facts([image("shop").on_schedule("0 0 30 2 *")]),
        day(5, 0),
        &["shop none"],
    );

    let old = || image("shop").at_most(Duration::from_days(10));
    expect(&facts([old()]), day(5, 0), &["shop wait 11T00: max-age"]);
    expect(
        &facts([old()]),
        day(11, 0),
        &["shop rebuild 11T00: max-age"],
    );
    let mut never = old();
    never.last_built = None;
    expect(&facts([never]), day(20, 0), &["shop none"]);
    // A build that was not analysed yet is young all the same.
    let built = old().tried(day(11, 0), End::Succeeded, day(11, 1));
    expect(&facts([built]), day(12, 0), &["shop wait 21T00: max-age"]);
    // A child does not wait for what only the calendar will bring to its parent.
    let child = image("child").on("node", day(2, 0)).under("shop", None);
    expect(
        &facts([child, old()]),
        day(9, 0),
        &[
            "child rebuild 09T00: delay node",
            "shop wait 11T00: max-age",
        ],
    );
}

#[test]
fn failures() {
    let shop = |count| {
        image("shop")
            .on("node", day(2, 0))
            .failed(count, day(9, 12))
    };
    for (count, next) in [(1, "09T13"), (2, "09T14"), (3, "09T16"), (4, "09T20")] {
        let facts = facts([shop(count)]);
        let waits = format!("shop wait {next}: backoff, delay node");
        expect(&facts, day(9, 12), &[&waits]);
        expect(&facts, day(9, 20), &["shop rebuild 09T00: delay node"]);
    }
    expect(
        &facts([shop(5)]),
        day(20, 0),
        &["shop hold: gave-up, delay node"],
    );
    // A newer change gives one more try, after the pause.
    let again = |count, newest| {
        let mut shop = shop(count);
        shop.bases[0].change.as_mut().expect("a change").newest = newest;
        facts([shop])
    };
    expect(
        &again(5, day(9, 13)),
        day(9, 13),
        &["shop wait 10T04: backoff, delay node"],
    );
    expect(
        &again(5, day(9, 13)),
        day(10, 4),
        &["shop rebuild 09T00: delay node"],
    );
    expect(
        &again(6, day(9, 13)),
        day(10, 11),
        &["shop wait 10T12: backoff, delay node"],
    );
    expect(
        &again(9, day(9, 13)),
        day(10, 12),
        &["shop rebuild 09T00: delay node"],
    );
    expect(
        &again(6, day(9, 12)),
        day(20, 0),
        &["shop hold: gave-up, delay node"],
    );
    // One that went well ends it, and so does a build that came without us.
    let well = shop(3)
        .tried(day(9, 13), End::Done, day(9, 13))
        .failed(1, day(9, 14));
    expect(
        &facts([well]),
        day(9, 14),
        &["shop wait 09T15: backoff, delay node"],
    );
    let mut built = shop(5);
    built.last_built = Some(day(9, 15));
    expect(
        &facts([built]),
        day(9, 15),
        &["shop rebuild 09T00: delay node"],
    );
    // No answer for six hours is one: no.
    let open = image("shop")
        .on("node", day(2, 0))
        .tried(day(9, 0), End::Open, None);
    expect(
        &facts([open.clone()]),
        day(9, 5),
        &["shop wait: running, delay node"],
    );
    expect(
        &facts([open.clone()]),
        day(9, 6),
        &["shop wait 09T07: backoff, delay node"],
    );
    expect(
        &facts([open]),
        day(9, 7),
        &["shop rebuild 09T00: delay node"],
    );
}

#[test]
fn critical_findings() {
    let cured = || {
        image("shop")
            .on("node", day(8, 0))
            .cured(day(8, 1), &["CVE-1", "CVE-2"])
    };
    expect(
        &facts([cured()]),
        day(8, 1),
        &["shop rebuild! 08T01: critical-cve node"],
    );
    expect(
        &facts([cured()]),
        day(8, 0),
        &["shop wait 15T00: delay node"],
    );
    // Others ride along; it waits for no parent, but for an attempt that failed.
    let more = || cured().under("parent", None).on("python", day(7, 0));
    let parent = || image("parent").on("node", day(1, 1));
    expect(
        &facts([more(), parent()]),
        day(8, 1),
        &[
            "shop rebuild! 08T01: critical-cve node, ride-along python",
            "parent rebuild 08T01: delay node",
        ],
    );
    expect(
        &facts([cured().failed(1, day(8, 2))]),
        day(8, 2),
        &["shop wait! 08T03: backoff, critical-cve node"],
    );
    expect(
        &facts([cured().tried(day(8, 2), End::Open, None)]),
        day(8, 2),
        &["shop wait!: running, critical-cve node"],
    );
    // They go first, the more critical before.
    let all = facts([
        image("high")
            .on("node", day(1, 0))
            .first(Criticality::Critical),
        cured(),
        image("desk")
            .on("node", day(8, 0))
            .cured(day(8, 1), &["CVE-1"])
            .first(Criticality::High),
    ]);
    let lines = decided(&all.limited(9, 9, 1), &Order::Due, day(8, 2));
    assert_eq!(
        lines,
        [
            "desk rebuild! 08T01: critical-cve node",
            "shop rebuild! 08T01: critical-cve node",
            "high wait 09T02: limit, delay node"
        ]
    );
}

#[test]
fn orders() {
    let named = names(&["shop"]);
    let by = |by| Order::Requested { images: &named, by };
    let person = Order::Person { images: &named };
    let emergency = Order::Emergency { images: &named };
    let quiet = || image("shop").on("node", None);
    let soaks = || image("shop").on("node", day(8, 0));
    let parent = || image("parent").on("node", day(8, 0));
    let runs = || {
        image("parent")
            .tried(day(9, 0), End::Open, None)
            .because("node", day(1, 0))
    };
    let frozen = |image| facts([image]).frozen(day(9, 0), day(12, 0), "holidays");
    let soaking = "shop wait 15T00: delay node";
    for (what, facts, order, expected) in [
        (
            "Kargo, in time",
            facts([soaks()]),
            by("controller:kargo"),
            soaking,
        ),
        ("nobody", facts([soaks()]), by(""), soaking),
        (
            "Kargo, by hand",
            facts([soaks().by_hand()]),
            by("controller:x"),
            "shop hold 15T00: auto-rebuild-off, delay node",
        ),
        (
            "a promotion",
            facts([soaks()]),
            by("admin"),
            "shop rebuild 09T01: order, ride-along node",
        ),
        (
            "by hand",
            facts([soaks().by_hand()]),
            by("admin"),
            "shop rebuild 09T01: order, ride-along node",
        ),
        (
            "of nothing",
            facts([quiet().by_hand()]),
            by("admin"),
            "shop none",
        ),
        (
            "after a failure",
            facts([soaks().failed(1, day(9, 1))]),
            by("admin"),
            "shop wait 09T02: backoff, order, ride-along node",
        ),
        (
            "beside a parent that soaks",
            facts([soaks().under("parent", None), parent()]),
            by("admin"),
            "shop rebuild 09T01: order, ride-along node",
        ),
        (
            "after a parent that runs",
            facts([soaks().under("parent", None), runs()]),
            by("admin"),
            "shop wait after parent: parent acme-parent-1, order, ride-along node",
        ),
        (
            "in a freeze",
            frozen(soaks()),
            by("admin"),
            "shop hold 12T00: freeze, order, ride-along node",
        ),
        (
            "of an emergency",
            frozen(soaks().cured(day(8, 2), &["CVE-1"])),
            by("admin"),
            "shop rebuild! 08T02: critical-cve node",
        ),
        (
            "person: anything",
            facts([quiet()]),
            person,
            "shop rebuild 09T01: order",
        ),
        (
            "person: before time",
            facts([soaks().by_hand()]),
            person,
            "shop rebuild 09T01: order, ride-along node",
        ),
        (
            "person: given up",
            facts([soaks().failed(7, day(9, 1))]),
            person,
            "shop rebuild 09T01: order, ride-along node",
        ),
        (
            "person: parents",
            facts([soaks().under("parent", None), runs()]),
            person,
            "shop rebuild 09T01: order, ride-along node",
        ),
        (
            "person: running",
            facts([quiet().tried(day(9, 0), End::Open, None)]),
            person,
            "shop wait: running, order",
        ),
        (
            "person: freeze",
            frozen(quiet()),
            person,
            "shop hold 12T00: freeze, order",
        ),
        (
            "person: factory",
            facts([quiet().by_factory()]),
            person,
            "shop hold 09T01: own-builder, order",
        ),
        (
            "person: day",
            facts([quiet().tried(day(8, 23), End::Done, day(8, 23))]).limited(9, 9, 1),
            person,
            "shop wait 09T23: limit, order",
        ),
        (
            "emergency: freeze",
            frozen(quiet().failed(9, day(9, 1)).by_hand()),
            emergency,
            "shop rebuild! 09T01: emergency",
        ),
        (
            "emergency: day",
            facts([quiet().tried(day(8, 23), End::Done, day(8, 23))]).limited(9, 9, 1),
            emergency,
            "shop rebuild! 09T01: emergency",
        ),
        (
            "emergency: running",
            facts([soaks().tried(day(9, 0), End::Open, None)]),
            emergency,
            "shop wait!: running, emergency, ride-along node",
        ),
        (
            "emergency: at once",
            facts([quiet(), image("r").tried(day(9, 0), End::Open, None)]).limited(1, 9, 9),
            emergency,
            "shop wait!: limit, emergency",
        ),
    ] {
        // Only what is named is answered.
        assert_eq!(decided(&facts, &order, day(9, 1)), [expected], "{what}");
    }
}

#[test]
fn whom_a_person_names_needs_no_place_before_others() {
    let due = |name: &str| image(name).on("node", day(1, 0));
    let all = || facts([due("a"), due("b")]).limited(1, 1, 1);
    let named = names(&["b"]);
    let goes = ["b rebuild 09T00: order, delay node"];
    let order = Order::Person { images: &named };
    assert_eq!(decided(&all(), &order, day(9, 0)), goes);
    let kargo = Order::Requested {
        images: &named,
        by: "controller:kargo",
    };
    assert_eq!(
        decided(&all(), &kargo, day(9, 0)),
        ["b wait: limit, delay node"]
    );
}

#[test]
fn the_order_of_decisions() {
    let all = facts([
        image("none"),
        image("held").on("node", day(1, 0)).by_hand(),
        image("later").on("node", day(4, 0)),
        image("sooner").on("node", day(3, 0)),
        image("running").tried(day(8, 20), End::Open, None),
        image("low").on("node", day(1, 0)).first(Criticality::Low),
        image("deep").under("none", day(2, 0)),
        image("high")
            .under("none", day(2, 0))
            .first(Criticality::High),
        image("normal").on("node", day(1, 0)),
        image("cve")
            .on("node", day(8, 0))
            .cured(day(8, 0), &["CVE-1"])
            .first(Criticality::Low),
    ]);
    let lines = decided(&all, &Order::Due, day(9, 0));
    let first: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let expected = [
        "cve", "high", "normal", "deep", "low", "sooner", "later", "running", "held", "none",
    ];
    assert_eq!(first, expected);
}

#[test]
fn what_is_in_a_circle_is_held_and_others_go_on() {
    let a = image("a").on("node", day(1, 0)).under("b", None);
    let b = image("b")
        .under("a", day(1, 0))
        .cured(day(2, 0), &["CVE-1"]);
    let child = image("child").on("node", day(2, 0)).under("a", day(2, 0));
    let own = image("own").under("own", None);
    let all = facts([a, b, child, own, image("z").on("node", day(1, 0))]);
    let held = [
        "a hold: circle, delay node",
        "b hold!: circle, critical-cve acme-a-1",
        "own hold: circle",
    ];
    let mut lines = decided(&all, &Order::Due, day(9, 0));
    lines.sort();
    assert_eq!(
        lines,
        [
            held[0],
            held[1],
            "child rebuild 02T00: own-image acme-a-1, ride-along node",
            held[2],
            "z rebuild 08T00: delay node",
        ]
    );
    // Whoever orders it.
    for order in [
        Order::Person {
            images: &names(&["own"]),
        },
        Order::Emergency {
            images: &names(&["own"]),
        },
        Order::Requested {
            images: &names(&["own"]),
            by: "a person",
        },
    ] {
        let lines = decided(&all, &order, day(9, 0));
        assert!(
            matches!(&lines[..], [line] if line.starts_with("own hold") && line.contains(": circle")),
            "{lines:?}"
        );
    }
}

#[test]
fn who_is_waited_for_is_as_critical_as_those_who_wait() {
    let low = |name| image(name).on("node", day(2, 0)).first(Criticality::Low);
    let between = image("q").under("p", None).on("node", day(2, 0));
    let critical = image("c")
        .under("q", None)
        .on("node", day(2, 0))
        .first(Criticality::Critical);
    let n = |name| image(name).on("node", day(2, 0)).first(Criticality::High);
    let all = facts([low("p"), between, critical, low("a"), n("n")]);
    let lines = decided(&all.limited(9, 1, 9), &Order::Due, day(9, 0));
    assert_eq!(
        lines,
        [
            "p rebuild 09T00: delay node",
            "q wait after p: parent acme-p-1, delay node",
            "c wait after q: parent acme-q-1, delay node",
            "n wait: limit, delay node",
            "a wait: limit, delay node",
        ]
    );
}

#[test]
fn a_finding_after_the_last_failure_is_worth_one_more_try() {
    let shop = |count, found| {
        let shop = image("shop")
            .on("node", day(2, 0))
            .failed(count, day(9, 12));
        facts([shop.cured(found, &["CVE-1"])])
    };
    for (count, found, line) in [
        (5, day(9, 11), "shop hold!: gave-up, critical-cve node"),
        (5, day(9, 13), "shop rebuild! 09T13: critical-cve node"),
        (6, day(9, 12), "shop hold!: gave-up, critical-cve node"),
    ] {
        expect(&shop(count, found), day(11, 0), &[line]);
    }
    expect(
        &shop(5, day(9, 13)),
        day(9, 14),
        &["shop wait! 10T04: backoff, critical-cve node"],
    );
}

#[test]
fn times_that_cannot_be_yet_hold_nothing() {
    let shop = || image("shop").on("node", day(2, 0));
    let rebuild = "shop rebuild 09T00: delay node";
    let failed = |ended| shop().tried(day(9, 0), End::Failed, ended);
    for (shop, line) in [
        // Started in a year: it fails now, as the next run notes.
        (
            shop().tried(day(300, 0), End::Open, None),
            "shop wait 10T01: backoff, delay node",
        ),
        // By a clock that is a little ahead.
        (
            shop().tried(day(10, 0).plus(Duration::from_minutes(10)), End::Open, None),
            "shop wait: running, delay node",
        ),
        (shop().tried(day(300, 0), End::Failed, day(300, 0)), rebuild),
        (failed(day(300, 0)), rebuild),
        (
            failed(day(9, 23)).tried(day(300, 0), End::Failed, None),
            "shop wait 10T01: backoff, delay node",
        ),
        (
            failed(day(9, 23)).tried(day(300, 0), End::Succeeded, None),
            rebuild,
        ),
    ] {
        expect(&facts([shop]), day(10, 0), &[line]);
    }
    // Nobody can record what becomes of it.
    let mut left = shop().tried(day(300, 0), End::Open, None);
    left.attempts[0].followed = false;
    expect(&facts([left]), day(10, 0), &[rebuild]);
    // Places are free, schedules go on.
    let mut other = facts([shop()]).limited(1, 1, 1);
    other.others = image("gone").tried(day(300, 0), End::Failed, None).attempts;
    expect(&other, day(10, 0), &[rebuild]);
    let mut calendar = image("shop").on_schedule("0 0 * * *");
    calendar.last_built = Some(day(300, 0));
    expect(
        &facts([calendar]),
        day(3, 0),
        &["shop rebuild 02T00: schedule"],
    );
}
