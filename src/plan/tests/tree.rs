//! The planner with the real records, on the texts of a tree: restarts cost nothing, and
//! events that come twice or late change nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::build::{day, parse};
use super::world::Dice;
use crate::diagnostics::code;
use crate::model::{Digest, Duration, InputFile, InputFiles, Time};
use crate::plan::{Action, Decision, Order, facts, plan};
use crate::record::{self, Answer, Answered, Built, Rule, Seen, Start};
use crate::state::ImageDoc;
use crate::tree::Tree;

const ENROLLED: &str = "
- {name: parent, registry: ghcr.io, repository: acme/parent, source: {repo: acme/parent}, rebuildDelay: 2d}
- {name: shop, registry: ghcr.io, repository: acme/shop, source: {repo: acme/shop}, rebuildDelay: 3d}
";

fn file(path: &str, text: &str) -> InputFile {
    InputFile {
        path: path.into(),
        text: text.to_owned(),
    }
}

fn tree() -> Tree {
    let base = |name: &str, image: &str| {
        let text = format!("name: {name}\nfullImage: {image}\ndependentImages: []\n");
        file(&format!("state/base-images/{name}.yaml"), &text)
    };
    let image = |name: &str, bases: &str| {
        let text = format!(
            "name: {name}\nenrolledAt: \"2026-03-01T00:00:00Z\"\ndiscoveryStatus: success\nenrollment: {{source: {{repo: acme/{name}}}}}\nbaseImages: [{bases}]\n"
        );
        file(&format!("state/images/{name}.yaml"), &text)
    };
    Tree {
        inputs: InputFiles {
            enrollment: vec![file("images.yaml", ENROLLED)],
            images: vec![
                image("parent", "node-22"),
                image("shop", "acme-parent-1, node-22"),
            ],
            bases: vec![
                base("acme-parent-1", "ghcr.io/acme/parent:1"),
                base("node-22", "node:22"),
            ],
            ..InputFiles::default()
        },
        ..Tree::default()
    }
}

fn digest(n: u64) -> Digest {
    parse(&format!("sha256:{n:064x}"))
}

fn see(tree: &mut Tree, name: &str, n: u64, now: Time) {
    let seen = Seen {
        name: name.to_owned(),
        digest: digest(n),
        tag: None,
        metadata: None,
    };
    let edit = record::digest(tree, &seen, now).edit;
    tree.apply(&edit);
}

fn docs(tree: &Tree) -> Vec<ImageDoc> {
    let files = tree.inputs.images.iter();
    files
        .map(|file| ImageDoc::read(file).doc.expect("a document"))
        .collect()
}

/// An hour: what is due is started, and some of what runs ends; everything is told twice.
fn hour(tree: &mut Tree, dice: &mut Dice, now: Time, fails: bool) {
    let (known, wrong) = facts(tree).expect("facts");
    assert!(wrong.iter().all(|fault| !fault.is_error()), "{wrong:?}");
    let planned = plan(&known, &Order::Due, now);
    for (decision, doc) in planned
        .decisions
        .iter()
        .flat_map(|d| docs(tree).into_iter().map(move |doc| (d, doc)))
    {
        let due = doc
            .rebuild_state
            .as_ref()
            .and_then(|state| state.due_at.as_ref());
        let alone = decision
            .reasons
            .first()
            .is_some_and(|reason| matches!(reason.rule, Rule::Delay | Rule::OwnImage));
        if doc.name == decision.image && alone && decision.after.is_empty() {
            assert_eq!(due.map(|due| due.time()), decision.at, "{decision:?}");
        }
    }
    let goes = planned
        .decisions
        .into_iter()
        .filter(|d| d.action == Action::Rebuild);
    let starts: Vec<Start> = goes
        .map(|decision| Start {
            image: decision.image,
            trigger: decision.trigger,
            reasons: decision.reasons,
            requested_by: None,
            reason: None,
        })
        .collect();
    for _ in 0..2 {
        let edit = record::start(tree, &starts, now).edit;
        tree.apply(&edit);
    }
    let mut answers = Vec::new();
    for open in record::open(tree) {
        let answer = match dice.roll(4) {
            0 if fails => Answer::Failed {
                why: "no".to_owned(),
                run: None,
                link: None,
            },
            1 if fails => continue,
            _ => Answer::Succeeded {
                run: None,
                link: None,
            },
        };
        answers.push(Answered {
            image: open.image,
            attempt: open.attempt,
            answer,
        });
    }
    for _ in 0..2 {
        let edit = record::answer(tree, &answers, now).edit;
        tree.apply(&edit);
    }
    for answered in answers
        .iter()
        .filter(|one| matches!(one.answer, Answer::Succeeded { .. }))
    {
        let n = 1_000_000 + dice.roll(1_000_000_000);
        let built = Built {
            image: answered.image.clone(),
            tag: None,
            digest: digest(n),
            created: Some(now),
            base_digests: BTreeMap::new(),
        };
        for _ in 0..2 {
            let edit = record::build(tree, &built, now).edit;
            tree.apply(&edit);
        }
        if answered.image.as_str() == "parent" {
            see(tree, "acme-parent-1", n, now);
        }
    }
}

#[test]
fn what_keeps_one_image_from_being_rebuilt_is_told() {
    let codes = |tree: &Tree| {
        let (known, said) = facts(tree).expect("facts");
        let said = said.iter().filter(|one| one.is_error());
        let said = said.map(|one| (one.code, one.place.is_some()));
        (known.images.len(), said.collect::<Vec<_>>())
    };
    let mut gone = tree();
    gone.inputs.bases.remove(1);
    assert_eq!(codes(&gone), (2, vec![(code::BASE_STATE_MISSING, true); 2]));
    let mut circle = tree();
    let parent = &mut circle.inputs.images[0].text;
    *parent = parent.replace("[node-22]", "[node-22, acme-shop-1]");
    assert_eq!(codes(&circle), (2, vec![(code::BASE_STATE_MISSING, true)]));
    let shop = "name: acme-shop-1\nfullImage: ghcr.io/acme/shop:1\ndependentImages: []\n";
    let shop = file("state/base-images/acme-shop-1.yaml", shop);
    circle.inputs.bases.insert(1, shop);
    assert_eq!(codes(&circle), (2, vec![(code::DEPENDENCY_CYCLE, true)]));
}

#[test]
fn attempts_of_images_in_the_archive_count() {
    let text = "name: old\nbaseImages: []\nrebuildHistory:\n- {at: \"2026-03-01T00:00:00Z\", attempt: 1, outcome: running}\n";
    let mut tree = tree();
    tree.archive = vec![
        file("state/_archive/images/old.yaml", text),
        // It is enrolled again, and has its state elsewhere.
        file(
            "state/_archive/images/shop.yaml",
            &text.replace("old", "shop"),
        ),
    ];
    assert_eq!(facts(&tree).expect("facts").0.others.len(), 1);
}

/// A run, as `rebuild --due` is one: what expired is told, then what is due starts.
/// Says what the plan alone would have said.
fn run(tree: &mut Tree, now: Time) -> bool {
    let decided = |tree: &Tree| plan(&facts(tree).expect("facts").0, &Order::Due, now).decisions;
    let before = decided(tree);
    let edit = record::answer(tree, &record::overdue(tree, now), now).edit;
    tree.apply(&edit);
    let after = decided(tree);
    let gist = |all: &[Decision]| {
        all.iter()
            .map(|d| (d.image.clone(), d.action, d.at))
            .collect::<Vec<_>>()
    };
    assert_eq!(gist(&before), gist(&after), "at {now}");
    let goes = after.into_iter().filter(|d| d.action == Action::Rebuild);
    let starts: Vec<Start> = goes
        .map(|decision| Start {
            image: decision.image,
            trigger: decision.trigger,
            reasons: decision.reasons,
            requested_by: None,
            reason: None,
        })
        .collect();
    let started = record::start(tree, &starts, now);
    let any = started.facts.is_some_and(|started| !started.is_empty());
    tree.apply(&started.edit);
    any
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// However wrong clocks were, an attempt comes within a day and the time of an answer
    /// once they are right; and what is planned is what is done.
    #[test]
    fn wrong_clocks_hold_nothing_for_long(jumps in prop::collection::vec((-9000i64..9000, 0u8..3), 1..4)) {
        let mut tree = tree();
        see(&mut tree, "node-22", 1, day(1, 0));
        see(&mut tree, "node-22", 2, day(2, 0));
        // Both fail, but not so often that they give up.
        for (hours, what) in jumps {
            let now = Time::from_unix_seconds(day(20, 0).unix_seconds() + hours * 3600);
            run(&mut tree, now);
            let answer = |open: record::OpenAttempt| Answered {
                image: open.image,
                attempt: open.attempt,
                answer: if what == 0 { Answer::Lost { why: "no".to_owned() } } else { Answer::Expired },
            };
            let answers: Vec<Answered> = record::open(&tree).into_iter().map(answer).collect();
            if what < 2 {
                let edit = record::answer(&tree, &answers, now).edit;
                tree.apply(&edit);
            }
        }
        let mut now = day(20, 0);
        let end = now.plus(Duration::from_minutes(30 * 60 + 60));
        let mut any = false;
        while now < end {
            any |= run(&mut tree, now);
            now = now.plus(Duration::from_minutes(60));
        }
        prop_assert!(any);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]
    #[test]
    fn the_records_bring_every_change_into_one_build(seed: u64) {
        let mut dice = Dice(seed);
        let mut tree = tree();
        see(&mut tree, "node-22", 1, day(1, 0));
        see(&mut tree, "acme-parent-1", 2, day(1, 0));
        let mut now = day(1, 1);
        for n in 0..240 {
            if dice.roll(40) == 0 {
                see(&mut tree, "node-22", 10 + n, now);
            }
            now = now.plus(Duration::from_minutes(60));
            hour(&mut tree, &mut dice, now, true);
        }
        // What runs without an answer ends, and whom all attempts failed gets a change.
        see(&mut tree, "node-22", 5, now.plus(Duration::from_minutes(8 * 60)));
        for _ in 0..24 * 9 {
            now = now.plus(Duration::from_minutes(60));
            hour(&mut tree, &mut dice, now, false);
        }
        for doc in docs(&tree) {
            prop_assert!(doc.rebuild_state.is_none_or(|state| !state.pending), "{}", doc.name);
            let built = doc.rebuild_history.iter().filter(|attempt| attempt.outcome.as_deref() == Some("built"));
            prop_assert!(built.count() > 0);
            prop_assert_eq!(doc.built_from.get("node-22").map(|d| d.is(&digest(5))), Some(true));
        }
    }
}
