//! Decisions as people and machines see them.

use serde_json::json;

use super::build::*;
use crate::plan::{End, Order, human, json, plan};

#[test]
fn people_see_a_line_for_each_reason() {
    let all = facts([
        image("shop").on("node", day(2, 0)).on("python", day(3, 0)),
        image("desk").on("node", day(4, 0)),
        image("deep").under("shop", None),
        image("tried").on("node", day(1, 1)).failed(2, day(8, 20)),
        image("runs").tried(day(8, 22), End::Open, None),
        image("quiet"),
    ]);
    let planned = plan(&all, &Order::Due, day(9, 0));
    let expected = "\
IMAGE  ACTION   WHEN                          WHY                                                                           AFTER
shop   rebuild  now                           node changed 7d ago (sha256:000000000000… → sha256:000000000000…), delay 7d
                                              python changed 6d ago (sha256:000000000000… → sha256:000000000000…), rides along
tried  rebuild  now, due 23h ago";
    let shown = human(&planned, false);
    let trimmed: Vec<String> = shown
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in expected.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            trimmed.iter().any(|shown| shown.starts_with(&line)),
            "{line}\n{shown}"
        );
    }
    for line in [
        "deep wait - waits for a new shop (acme-shop-1) shop",
        "desk wait 2026-03-11T00:00:00Z, in 2d node changed 5d ago",
        "runs wait - an attempt is under way, started 2h ago",
        "2 to rebuild now, 3 waiting, 0 held, 1 with nothing to do",
    ] {
        assert!(
            trimmed.iter().any(|shown| shown.starts_with(line)),
            "{line}\n{shown}"
        );
    }
    assert!(!shown.contains("quiet") && human(&planned, true).contains("quiet  none"));
}

#[test]
fn what_waits_over_limits_says_so() {
    let all = facts([
        image("a").on("node", day(1, 0)),
        image("b").on("node", day(1, 0)),
    ]);
    let shown = human(&plan(&all.limited(1, 9, 9), &Order::Due, day(9, 0)), false);
    assert!(shown.contains("over the limit: 1 at once"), "{shown}");
    assert!(shown.contains("1 waiting (1 over limits)"), "{shown}");
}

#[test]
fn nothing_of_state_reaches_the_terminal_as_a_command() {
    let bad = image("shop")
        .on("node", day(2, 0))
        .cured(day(2, 0), &["CVE\u{1b}[31m\n\u{202e}-1"]);
    let shown = human(&plan(&facts([bad]), &Order::Due, day(2, 1)), false);
    assert!(shown.contains("EMERGENCY: CVE?[31m??-1"), "{shown}");
    assert!(shown.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn machines_read_the_fixed_fields() {
    let child = image("child").on("node", day(2, 0)).under("parent", None);
    let all = facts([child, image("parent").on("node", day(2, 0)), image("quiet")]);
    let found = json(&plan(&all, &Order::Due, day(9, 0)));
    assert_eq!(found["now"], "2026-03-09T00:00:00Z");
    let decisions = found["decisions"].as_array().expect("a list");
    assert_eq!(
        decisions[0],
        json!({
            "image": "parent", "action": "rebuild", "at": "2026-03-09T00:00:00Z", "emergency": false,
            "after": [], "trigger": "change",
            "reasons": [{
                "rule": "delay", "base": "node", "from": digest(1).as_str(), "to": digest(2).as_str(),
                "since": "2026-03-02T00:00:00Z", "detail": "7d",
            }],
        })
    );
    assert_eq!(decisions[1]["after"], json!(["parent"]));
    assert_eq!(decisions[1]["at"], json!(null));
    assert_eq!(
        decisions[1]["reasons"][0],
        json!({
            "rule": "parent", "base": "acme-parent-1", "from": null, "to": null,
            "since": "2026-03-02T00:00:00Z", "detail": "parent",
        })
    );
    let quiet = json!({
        "image": "quiet", "action": "none", "at": null, "emergency": false, "after": [], "trigger": null, "reasons": [],
    });
    assert_eq!(decisions[2], quiet);
}
