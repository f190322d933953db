//! Attempts: started, answered, answered late, twice, or never.

use super::*;

use crate::record::attempt::{
    Answer, Answered, Progress, Start, Started, answer, open, overdue, runs, start, take_over,
};
use crate::record::reason::{Reason, Rule, Trigger};
use crate::state::{RebuildStatus, Stamp};

fn named(name: &str) -> Name {
    Name::parse(name).expect(name)
}

fn to(base: &str, digest: &Digest) -> Reason {
    Reason {
        base: ObjectName::parse(base).ok(),
        to: Some(digest.into()),
        ..Reason::new(Rule::Delay)
    }
}

fn starting(image: &str, reasons: Vec<Reason>) -> Start {
    Start {
        image: named(image),
        trigger: Trigger::Change,
        reasons,
        requested_by: None,
        reason: None,
    }
}

fn answered(image: &str, attempt: u64, answer: Answer) -> Answered {
    Answered {
        image: named(image),
        attempt,
        answer,
    }
}

fn link(n: u64) -> Option<String> {
    Some(format!("https://ci.example.com/{n}"))
}

fn running(n: u64) -> Answer {
    Answer::Running {
        run: n.to_string(),
        link: format!("https://ci.example.com/{n}"),
    }
}

fn accepted() -> Answer {
    Answer::Accepted {
        run: None,
        link: None,
    }
}

/// The tree after a start, and what was started.
fn go(tree: &Tree, starts: &[Start], now: Time) -> (Tree, Vec<Started>) {
    let outcome = start(tree, starts, now);
    assert_eq!(outcome.diagnostics, []);
    let started = outcome.facts.expect("nothing is wrong");
    assert_eq!(outcome.learned, !started.is_empty());
    assert_eq!(outcome.learned, !outcome.edit.is_empty());
    (tree.with(&outcome.edit), started)
}

/// The tree after answers, and how many of them counted.
fn hear(tree: &Tree, answers: &[Answered], now: Time) -> (Tree, usize) {
    let outcome = answer(tree, answers, now);
    assert_eq!(outcome.diagnostics, []);
    let counted = outcome.facts.expect("nothing is wrong").len();
    assert_eq!(outcome.learned, counted > 0);
    assert_eq!(outcome.edit.is_empty(), counted == 0);
    (tree.with(&outcome.edit), counted)
}

/// shop is due: node-22 changed.
fn due() -> Tree {
    let tree = see(&tree(), "node-22", d(1), day(2));
    see(&tree, "node-22", d(2), day(3))
}

fn outcomes(tree: &Tree, name: &str) -> Vec<String> {
    let history = image(tree, name).rebuild_history;
    let outcome = |a: Attempt| a.outcome.unwrap_or_default();
    history.into_iter().map(outcome).collect()
}

#[test]
fn an_attempt_is_recorded_as_it_was_decided() {
    let mut asked = starting("shop", vec![to("node-22", &d(2))]);
    asked.trigger = Trigger::Emergency;
    asked.requested_by = Some("Ada".to_owned());
    asked.reason = Some("CVE-2026-1: \"now\"".to_owned());
    let (tree, started) = go(&due(), std::slice::from_ref(&asked), day(11));
    let path = tree.image_path("shop");
    let text = tree.text(&path).expect("it is there");
    let tail = text.split("rebuildState:").nth(1).expect(text);
    assert_eq!(
        tail,
        "
  status: requested
  pendingRebuild: true
  pendingSince: \"2026-03-03T00:00:00Z\"
  dueAt: \"2026-03-10T00:00:00Z\"
  attempt: 1
  emergencies: 1
rebuildHistory:
  - at: \"2026-03-11T00:00:00Z\"
    attempt: 1
    trigger: emergency
    requestedBy: Ada
    reason: 'CVE-2026-1: \"now\"'
    reasons:
      - rule: delay
        base: node-22
        to: sha256:0000000000000000000000000000000000000000000000000000000000000002
    outcome: requested
"
    );
    let found = open(&tree);
    let [one] = &*found else { panic!("{found:?}") };
    assert_eq!((one.attempt, one.at), (1, day(11)));
    assert_eq!(one.outcome, Progress::Requested);
    assert_eq!((&one.run, &one.link), (&None, &None));
    assert_eq!(one.start, asked);
    assert_eq!(started[0].attempt, 1);
}

#[test]
fn an_image_with_an_open_attempt_gets_no_second_one() {
    let shop = starting("shop", Vec::new());
    let (tree, started) = go(&due(), &[shop.clone(), shop.clone()], day(11));
    assert_eq!(started.len(), 1);
    let (same, started) = go(&tree, std::slice::from_ref(&shop), day(12));
    assert_eq!(started, []);
    assert_eq!(same.inputs.images[2].text, tree.inputs.images[2].text);
    let (tree, _) = hear(&tree, &[answered("shop", 1, Answer::Expired)], day(13));
    let (_, started) = go(&tree, &[shop], day(14));
    assert_eq!(started[0].attempt, 2);
}

#[test]
fn what_nobody_builds_here_is_not_started() {
    let starts = ["postgres", "gone"].map(|name| starting(name, Vec::new()));
    assert_eq!(go(&due(), &starts, day(11)).1, []);
}

#[test]
fn a_rebuild_may_come_before_discovery() {
    let empty = tree_of(&[], &[]);
    let (tree, started) = go(&empty, &[starting("shop", Vec::new())], day(2));
    assert_eq!(started.len(), 1);
    assert_eq!(open(&tree).len(), 1);
}

#[test]
fn every_answer_is_told_in_the_state() {
    let refused = Answer::Refused {
        why: "404: no\nsuch workflow at https://me:ghp_x@example.com/".to_owned(),
    };
    let failed = Answer::Failed {
        why: "failure".to_owned(),
        run: None,
        link: link(1),
    };
    let lost = Answer::Lost {
        why: "no run".to_owned(),
    };
    for (given, outcome, failure, keeps_attempt) in [
        (accepted(), "triggered", false, true),
        (running(1), "running", false, true),
        (
            Answer::Succeeded {
                run: None,
                link: link(1),
            },
            "succeeded",
            false,
            true,
        ),
        (failed, "failed", true, false),
        (
            Answer::Cancelled {
                run: None,
                link: None,
            },
            "cancelled",
            true,
            false,
        ),
        (refused, "refused", true, false),
        (lost, "lost", true, false),
        (Answer::Expired, "expired", true, false),
    ] {
        let (tree, _) = go(&due(), &[starting("shop", Vec::new())], day(11));
        let (tree, counted) = hear(&tree, &[answered("shop", 1, given)], day(12));
        assert_eq!(counted, 1);
        let doc = image(&tree, "shop");
        let attempt = &doc.rebuild_history[0];
        assert_eq!(attempt.outcome.as_deref(), Some(outcome));
        assert_eq!(attempt.has_failed(), failure, "{outcome}");
        assert_eq!(attempt.is_open(), attempt.ended_at.is_none(), "{outcome}");
        let state = doc.rebuild_state.expect("it has one");
        assert_eq!(state.status, RebuildStatus::of(outcome));
        assert_eq!(state.attempt.is_some(), keeps_attempt, "{outcome}");
        let detail = attempt.detail.clone().unwrap_or_default();
        assert!(
            !detail.contains("ghp_") && !detail.contains('\n'),
            "{detail}"
        );
        assert_eq!(open(&tree).len(), usize::from(attempt.is_open()));
    }
}

#[test]
fn an_attempt_goes_on_and_never_back() {
    let (tree, _) = go(&due(), &[starting("shop", Vec::new())], day(11));
    let (tree, _) = hear(&tree, &[answered("shop", 1, running(7))], day(11));
    let late = Answer::Accepted {
        run: Some("8".to_owned()),
        link: link(8),
    };
    let (tree, counted) = hear(&tree, &[answered("shop", 1, late)], day(12));
    assert_eq!(counted, 0);
    assert_eq!(open(&tree)[0].run.as_deref(), Some("7"));
    let end = [
        answered(
            "shop",
            1,
            Answer::Cancelled {
                run: None,
                link: None,
            },
        ),
        answered(
            "shop",
            1,
            Answer::Succeeded {
                run: None,
                link: None,
            },
        ),
        answered("shop", 1, running(9)),
        answered("shop", 2, running(9)),
        answered("gone", 1, running(9)),
    ];
    let (tree, counted) = hear(&tree, &end, day(12));
    assert_eq!(
        (counted, outcomes(&tree, "shop")),
        (1, vec!["cancelled".to_owned()])
    );
    assert_eq!(hear(&tree, &end, day(13)).1, 0);
}

#[test]
fn a_run_belongs_to_the_attempt_that_was_first_to_find_it() {
    let ended = |n: u64| Answer::Succeeded {
        run: Some(n.to_string()),
        link: link(n),
    };
    let (tree, _) = go(
        &due(),
        &[starting("shop", Vec::new()), starting("desk", Vec::new())],
        day(11),
    );
    let both = [answered("shop", 1, ended(7)), answered("desk", 1, ended(7))];
    let (tree, counted) = hear(&tree, &both, day(11));
    let left = open(&tree);
    assert_eq!((counted, left.len()), (1, 1));
    let owner = if outcomes(&tree, "shop") == ["succeeded"] {
        "shop"
    } else {
        "desk"
    };
    let runs_now = runs(&tree);
    assert_eq!(runs_now, [(named(owner), 1, "7".to_owned())]);
    // Neither later, with what is recorded, nor for another number of the same image.
    let other = left[0].image.to_string();
    let again = [answered(&other, 1, ended(7))];
    assert_eq!(hear(&tree, &again, day(12)).1, 0);
    let (tree, counted) = hear(&tree, &[answered(&other, 1, ended(8))], day(12));
    assert_eq!((counted, runs(&tree).len()), (1, 2));
    // Where two hosts count alike, their links tell runs apart.
    let (tree, _) = go(&tree, &[starting("shop", Vec::new())], day(13));
    let elsewhere = Answer::Running {
        run: "7".to_owned(),
        link: "https://gitlab.com/acme/shop/-/pipelines/7".to_owned(),
    };
    assert_eq!(hear(&tree, &[answered("shop", 2, elsewhere)], day(13)).1, 1);
}

#[test]
fn what_succeeded_is_built_in() {
    let reasons = vec![
        to("node-22", &d(2)),
        to("elsewhere", &d(9)),
        Reason::new(Rule::Order),
    ];
    let (tree, _) = go(&due(), &[starting("shop", reasons)], day(11));
    // Another change meanwhile is not in it.
    let later = see(&tree, "node-22", d(3), day(12));
    let success = [answered(
        "shop",
        1,
        Answer::Succeeded {
            run: None,
            link: None,
        },
    )];
    let (tree, _) = hear(&tree, &success, day(13));
    let shop = image(&tree, "shop");
    assert_eq!(shop.built_from.len(), 1, "{:?}", shop.built_from);
    let state = shop.rebuild_state.expect("it has one");
    assert!(!state.pending && state.due_at.is_none());
    let (later, _) = hear(&later, &success, day(13));
    let state = image(&later, "shop").rebuild_state.expect("it has one");
    assert!(state.pending);
    assert_eq!(state.pending_since.map(|at| at.time()), Some(day(12)));
    assert_eq!(state.due_at.map(|at| at.time()), Some(day(19)));
}

#[test]
fn a_build_wins_over_every_answer_that_left_it_open() {
    let success = Answer::Succeeded {
        run: None,
        link: link(1),
    };
    let lost = Answer::Lost { why: String::new() };
    let cancelled = Answer::Cancelled {
        run: None,
        link: None,
    };
    for (given, after) in [
        (success, "built"),
        (lost, "built"),
        (Answer::Expired, "built"),
        (running(1), "built"),
        (cancelled, "cancelled"),
    ] {
        let (tree, _) = go(
            &due(),
            &[starting("shop", vec![to("node-22", &d(2))])],
            day(11),
        );
        let (tree, _) = hear(&tree, &[answered("shop", 1, given)], day(12));
        let event = built("shop", "1.0.1", d(50), Some(t("2026-03-11T12:00:00Z")));
        let tree = put_build(&tree, &event, day(13));
        assert_eq!(outcomes(&tree, "shop"), [after]);
        let state = image(&tree, "shop").rebuild_state.expect("it has one");
        assert_eq!(
            (state.attempt, state.status),
            (None, RebuildStatus::Monitoring)
        );
        assert!(!state.pending);
        let late = answered(
            "shop",
            1,
            Answer::Succeeded {
                run: None,
                link: link(1),
            },
        );
        assert_eq!(hear(&tree, &[late], day(14)).1, 0);
    }
}

#[test]
fn a_build_answers_no_attempt_from_before_the_last_build() {
    let (tree, _) = go(
        &due(),
        &[starting("shop", vec![to("node-22", &d(2))])],
        day(11),
    );
    let (tree, _) = hear(&tree, &[answered("shop", 1, Answer::Expired)], day(12));
    let (tree, _) = go(
        &tree,
        &[starting("shop", vec![to("node-22", &d(2))])],
        day(12),
    );
    let tree = put_build(
        &tree,
        &built("shop", "1.0.1", d(50), Some(day(13))),
        day(13),
    );
    let tree = put_build(
        &tree,
        &built("shop", "1.0.2", d(51), Some(day(14))),
        day(14),
    );
    assert_eq!(outcomes(&tree, "shop"), ["expired", "built"]);
}

#[test]
fn an_archived_image_still_gets_its_answer_and_starts_nothing() {
    let (tree, _) = go(
        &due(),
        &[starting("shop", vec![to("node-22", &d(2))])],
        day(11),
    );
    let mut edit = Edit::default();
    let shop = tree
        .text("state/images/shop.yaml")
        .expect("there")
        .to_owned();
    edit.delete("state/images/shop.yaml");
    edit.write("state/_archive/images/shop.yaml", shop);
    edit.write(
        "images.yaml",
        ENROLLED
            .lines()
            .filter(|l| !l.contains("shop"))
            .fold(String::new(), |text, line| text + line + "\n"),
    );
    let tree = tree.with(&edit);
    assert_eq!(open(&tree).len(), 1);
    assert_eq!(go(&tree, &[starting("shop", Vec::new())], day(12)).1, []);
    let (tree, counted) = hear(&tree, &[answered("shop", 1, Answer::Expired)], day(12));
    assert_eq!((counted, open(&tree).len()), (1, 0));
    let text = tree.text("state/_archive/images/shop.yaml").expect("there");
    assert!(text.contains("outcome: expired"), "{text}");
    // The base changed, and nobody knows the delay any more: what is pending stays.
    assert!(text.contains("dueAt: \"2026-03-10T00:00:00Z\""), "{text}");
}

#[test]
fn what_nobody_asked_for_is_taken_over_once() {
    let (tree, _) = go(&due(), &[starting("shop", Vec::new())], day(11));
    let all = |_: &Name| true;
    let soon = Time::from_unix_seconds(day(11).unix_seconds() + 299);
    assert_eq!(take_over(&tree, &all, soon).facts, Some(Vec::new()));
    assert_eq!(
        take_over(&tree, &|_| false, day(12)).facts,
        Some(Vec::new())
    );
    let took = take_over(&tree, &all, day(12));
    assert_eq!(took.facts.as_ref().map(Vec::len), Some(1));
    let tree = tree.with(&took.edit);
    assert_eq!(open(&tree)[0].taken, day(12));
    assert_eq!(open(&tree)[0].at, day(11));
    let again = take_over(&tree, &all, day(12));
    assert!(again.edit.is_empty() && !again.learned);
    let (tree, _) = hear(&tree, &[answered("shop", 1, running(5))], day(12));
    assert_eq!(take_over(&tree, &all, day(20)).facts, Some(Vec::new()));
    assert_eq!(runs(&tree), [(named("shop"), 1, "5".to_owned())]);
}

#[test]
fn a_wrong_file_keeps_no_other_from_starting() {
    let mut tree = due();
    let desk = tree
        .inputs
        .images
        .iter_mut()
        .find(|f| f.path.contains("desk"));
    desk.expect("it is there").text = "name: [\n".to_owned();
    let starts = ["desk", "shop"].map(|name| starting(name, Vec::new()));
    let outcome = start(&tree, &starts, day(11));
    assert!(any_error(&outcome.diagnostics));
    let started = outcome.facts.expect("the other goes on");
    assert_eq!(started.len(), 1);
    assert_eq!(outcome.edit.files.len(), 1);
}

#[test]
fn attempts_of_others_stay_and_count() {
    let text = image_text("shop", "node-22")
        + "rebuildHistory:\n  - {at: null, attempt: by-hand, outcome: null, note: 1.10}\n  - {attempt: \"41\", outcome: odd}\n";
    let tree = tree_of(
        &[("shop", text)],
        &[("node-22", base_text("node-22", "node:22", "shop"))],
    );
    assert_eq!(open(&tree), []);
    let (tree, started) = go(&tree, &[starting("shop", Vec::new())], day(2));
    assert_eq!(started[0].attempt, 42);
    let text = tree.text("state/images/shop.yaml").expect("there");
    assert!(
        text.contains("note: 1.10") && text.contains("outcome: odd"),
        "{text}"
    );
}

#[test]
fn the_history_is_kept_within_bounds() {
    let shop = starting("shop", Vec::new());
    let mut tree = due();
    // A hundred and fifty in one day: all of them count.
    for n in 1..=150u32 {
        let now = Time::from_unix_seconds(day(11).unix_seconds() + i64::from(n) * 60);
        (tree, _) = go(&tree, std::slice::from_ref(&shop), now);
        (tree, _) = hear(
            &tree,
            &[answered("shop", u64::from(n), Answer::Expired)],
            now,
        );
    }
    assert_eq!(outcomes(&tree, "shop").len(), 150);
    // One that somebody else wrote, and that has not ended, is not dropped either.
    let mut edit = Edit::default();
    let path = tree.image_path("shop");
    let text = tree.text(&path).unwrap();
    let text = text.replacen("    attempt: 1\n", "", 1);
    edit.write(
        path,
        text.replacen("outcome: expired", "outcome: running", 1),
    );
    let others = tree.with(&edit);
    let (others, _) = go(&others, std::slice::from_ref(&shop), day(20));
    let history = image(&others, "shop").rebuild_history;
    assert_eq!(history.len(), 100);
    assert_eq!((history[0].number(), history[1].number()), (None, Some(53)));
    let (tree, started) = go(&tree, &[shop], day(20));
    assert_eq!(started[0].attempt, 151);
    let history = image(&tree, "shop").rebuild_history;
    assert_eq!(history.len(), 100);
    assert_eq!(history[0].number(), Some(52));
}

#[test]
fn a_clock_that_is_wrong_writes_its_own_time() {
    let (tree, _) = go(&due(), &[starting("shop", Vec::new())], day(11));
    assert_eq!(overdue(&tree, day(11)), []);
    let over = overdue(&tree, day(4));
    assert_eq!(over, [answered("shop", 1, Answer::Expired)]);
    let outcome = answer(&tree, &over, day(4));
    assert_eq!(outcome.diagnostics[0].code, code::CLOCK_BEHIND);
    let tree = tree.with(&outcome.edit);
    let outcome = start(&tree, &[starting("shop", Vec::new())], day(5));
    assert_eq!(outcome.diagnostics[0].code, code::CLOCK_BEHIND);
    let history = image(&tree.with(&outcome.edit), "shop").rebuild_history;
    let time = |stamp: &Option<Stamp>| stamp.as_ref().map(Stamp::time);
    assert_eq!(time(&history[0].ended_at), Some(day(4)));
    assert_eq!(
        (time(&history[1].at), history[1].number()),
        (Some(day(5)), Some(2))
    );
    // One that was never asked for is taken over, whatever the clock says.
    let taken = take_over(&tree.with(&outcome.edit), &|_| true, day(3));
    assert_eq!(taken.facts.expect("facts").len(), 1);
}

#[test]
fn an_attempt_expires_when_its_time_is_over_not_when_somebody_looks() {
    let (tree, _) = go(&due(), &[starting("shop", Vec::new())], day(11));
    let (tree, _) = hear(&tree, &overdue(&tree, day(20)), day(20));
    let ended = image(&tree, "shop").rebuild_history[0].ended_at.clone();
    assert_eq!(ended.map(|at| at.time()), Some(day(11).plus(ANSWER_WITHIN)));
}

#[test]
fn of_two_attempts_with_one_number_the_open_one_has_it() {
    let one = |at: u32, outcome: &str| {
        format!("- {{at: \"2026-03-{at}T00:00:00Z\", attempt: 1, outcome: {outcome}}}\n")
    };
    for (history, follows, left) in [
        (
            [one(11, "running"), one(12, "failed")],
            true,
            [Some(1), None],
        ),
        (
            [one(11, "failed"), one(12, "running")],
            true,
            [None, Some(1)],
        ),
        (
            [one(11, "running"), one(12, "running")],
            true,
            [None, Some(1)],
        ),
        (
            [one(11, "failed"), one(12, "failed")],
            false,
            [None, Some(1)],
        ),
    ] {
        let shop = image_text("shop", "node-22") + "rebuildHistory:\n" + &history.concat();
        let tree = tree_of(&[("shop", shop)], &[]);
        assert_eq!(open(&tree).len(), usize::from(follows));
        let (edit, told) = if follows {
            let outcome = answer(&tree, &overdue(&tree, day(20)), day(20));
            (outcome.edit, outcome.diagnostics)
        } else {
            let outcome = start(&tree, &[starting("shop", Vec::new())], day(20));
            (outcome.edit, outcome.diagnostics)
        };
        let codes: Vec<_> = told.iter().map(|d| d.code).collect();
        assert_eq!(codes, [code::STATE_MENDED]);
        let tree = tree.with(&edit);
        let numbers: Vec<_> = image(&tree, "shop")
            .rebuild_history
            .iter()
            .map(Attempt::number)
            .take(2)
            .collect();
        assert_eq!(numbers, left);
        if follows {
            assert_eq!(open(&tree), []);
            let (_, started) = go(&tree, &[starting("shop", Vec::new())], day(21));
            assert_eq!(started[0].attempt, 2);
        }
    }
}

/// Something that happens to shop or desk.
#[derive(Clone, Debug)]
enum Event {
    Start(usize),
    Answer(usize, u64, u8),
    Build(usize, u8),
}

const IMAGES: [&str; 2] = ["shop", "desk"];

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (0..2usize).prop_map(Event::Start),
        (0..2usize, 1..6u64, 0..8u8).prop_map(|(i, n, a)| Event::Answer(i, n, a)),
        (0..2usize, 0..4u8).prop_map(|(i, n)| Event::Build(i, n)),
    ];
    proptest::collection::vec(event, 0..40)
}

fn given(kind: u8) -> Answer {
    match kind {
        0 => accepted(),
        1 => running(1),
        2 => Answer::Succeeded {
            run: None,
            link: None,
        },
        3 => Answer::Failed {
            why: "it failed".to_owned(),
            run: None,
            link: link(2),
        },
        4 => Answer::Cancelled {
            run: None,
            link: None,
        },
        5 => Answer::Refused {
            why: "no".to_owned(),
        },
        6 => Answer::Lost {
            why: "?".to_owned(),
        },
        _ => Answer::Expired,
    }
}

fn happen(tree: &Tree, event: &Event, now: Time) -> Tree {
    match event {
        Event::Start(i) => {
            go(
                tree,
                &[starting(IMAGES[*i], vec![to("node-22", &d(2))])],
                now,
            )
            .0
        }
        Event::Answer(i, n, kind) => hear(tree, &[answered(IMAGES[*i], *n, given(*kind))], now).0,
        Event::Build(i, n) => {
            let outcome = build(tree, &built(IMAGES[*i], "1.0", d(100 + n), None), now);
            tree.with(&outcome.edit)
        }
    }
}

fn texts(tree: &Tree) -> Vec<String> {
    tree.inputs
        .images
        .iter()
        .map(|file| file.text.clone())
        .collect()
}

/// Whether an attempt may go from one outcome to the other.
fn may_become(before: &Attempt, after: &Attempt) -> bool {
    let word = |attempt: &Attempt| attempt.outcome.clone().unwrap_or_default();
    let (from, into) = (word(before), word(after));
    let rank = |word: &str| {
        ["requested", "triggered", "running"]
            .iter()
            .position(|w| *w == word)
    };
    match (rank(&from), rank(&into)) {
        (Some(from), Some(into)) => from <= into,
        (Some(_), None) => true,
        (None, Some(_)) => false,
        (None, None) => from == into || (into == "built" && before.awaits_build()),
    }
}

proptest! {
    #[test]
    fn whatever_people_say_is_read_back_as_one_line(by in any::<String>(), said in "(None|\\PC|\\s){0,80}") {
        let mut asked = starting("shop", Vec::new());
        asked.requested_by = Some(by);
        asked.reason = Some(said);
        let (tree, _) = go(&due(), &[asked], day(11));
        let (tree, _) = hear(&tree, &[answered("shop", 1, running(1))], day(12));
        let start = open(&tree).remove(0).start;
        let texts = [start.requested_by, start.reason];
        prop_assert!(texts.iter().flatten().all(|text| !text.contains(char::is_control)));
    }

    #[test]
    fn no_attempt_is_lost_reopened_or_doubled(events in events()) {
        let mut tree = due();
        for (n, event) in events.iter().enumerate() {
            let now = Time::from_unix_seconds(day(11).unix_seconds() + n as i64 * 3600);
            let next = happen(&tree, event, now);
            for name in IMAGES {
                let (before, after) = (image(&tree, name), image(&next, name));
                let (before, after) = (before.rebuild_history, after.rebuild_history);
                prop_assert!(before.len() <= after.len(), "lost");
                for (one, two) in before.iter().zip(&after) {
                    prop_assert_eq!((&one.at, &one.attempt), (&two.at, &two.attempt));
                    prop_assert!(may_become(one, two), "{:?} to {:?}", one, two);
                }
                let numbers: Vec<_> = after.iter().map(|a| a.number()).collect();
                let expected: Vec<_> = (1..=after.len() as u64).map(Some).collect();
                prop_assert_eq!(numbers, expected);
                prop_assert!(after.iter().filter(|a| a.is_open()).count() <= 1, "doubled");
            }
            // What is told again says nothing new, nor does what is told late.
            if let Event::Answer(..) = event {
                prop_assert_eq!(texts(&happen(&next, event, now)), texts(&next));
            }
            let open: Vec<_> = open(&next).iter().map(|o| (o.image.clone(), o.attempt)).collect();
            prop_assert!(open.len() <= 2);
            tree = next;
        }
    }
}
