//! The planner with the real records, on the texts of a tree: restarts cost nothing, and
//! events that come twice or late change nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::build::{day, parse};
use super::world::Dice;
use crate::model::{Digest, Duration, InputFile, InputFiles, Time};
use crate::plan::{Action, Order, facts, plan};
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
