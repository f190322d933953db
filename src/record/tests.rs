use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::diagnostics::{Severity, any_error, code};
use crate::model::{Digest, InputFile, InputFiles, Name, ObjectName, Parse as _, Tag, Time};
use crate::state::{BaseDoc, DigestText, ImageDoc};
use crate::tree::Tree;

use super::*;

mod attempts;

const ENROLLED: &str = "
- {name: shop, registry: ghcr.io, repository: acme/shop, source: {repo: acme/shop}, rebuildDelay: 7d}
- {name: desk, registry: ghcr.io, repository: acme/desk, source: {repo: acme/desk}, rebuildDelay: 30d, autoRebuild: false}
- {name: parent, registry: ghcr.io, repository: acme/parent, source: {repo: acme/parent}}
- {name: postgres, registry: docker.io, repository: library/postgres, allowTags: ^16$}
- {name: redis, registry: docker.io, repository: library/redis, constraint: ^7}
";

const A_DAY: Waiting = Waiting {
    delay: Duration::from_days(1),
    window: Duration::from_minutes(30),
    max_delay: None,
};

fn d(n: u8) -> Digest {
    Digest::parse(&format!("sha256:{n:064x}")).expect("a digest")
}

fn t(text: &str) -> Time {
    Time::parse(text).expect(text)
}

/// A day of March 2026.
fn day(day: u32) -> Time {
    t(&format!("2026-03-{day:02}T00:00:00Z"))
}

fn base_text(name: &str, image: &str, dependents: &str) -> String {
    let (repository, tag) = image.rsplit_once(':').expect("a tag");
    format!(
        "name: {name}\nfullImage: {image}\nregistry: docker.io\nrepository: {repository}\ntag: \"{tag}\"\nrepoURL: {repository}\n\
         allowTags: ^{tag}$\nimageSelectionStrategy: Lexical\nfirstDiscovered: \"2026-03-01T00:00:00Z\"\nlastChecked: null\n\
         dependentImages: [{dependents}]\ncurrentDigest: null\nlastUpdated: null\n"
    )
}

fn image_text(name: &str, bases: &str) -> String {
    format!(
        "name: {name}\nenrolledAt: \"2026-03-01T00:00:00Z\"\nlastDiscovery: null\ndiscoveryStatus: success\n\
         enrollment: {{registry: ghcr.io, repository: acme/{name}, source: {{repo: acme/{name}}}}}\nbaseImages: [{bases}]\n\
         currentVersion: null\ncurrentDigest: null\nlastBuilt: null\nrebuildState: {{status: monitoring, pendingRebuild: false}}\n"
    )
}

fn tree_of(images: &[(&str, String)], bases: &[(&str, String)]) -> Tree {
    let files = |folder: &str, files: &[(&str, String)]| {
        let mut files: Vec<InputFile> = files
            .iter()
            .map(|(name, text)| InputFile {
                path: format!("state/{folder}/{name}.yaml").into(),
                text: text.clone(),
            })
            .collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files
    };
    Tree {
        inputs: InputFiles {
            enrollment: vec![InputFile {
                path: "images.yaml".into(),
                text: ENROLLED.to_owned(),
            }],
            images: files("images", images),
            bases: files("base-images", bases),
            ..InputFiles::default()
        },
        ..Tree::default()
    }
}

/// shop on node and our parent, desk on node, both with a base of their own.
fn tree() -> Tree {
    tree_of(
        &[
            ("shop", image_text("shop", "acme-parent-1, node-22")),
            ("desk", image_text("desk", "node-22")),
            ("parent", image_text("parent", "")),
        ],
        &[
            ("node-22", base_text("node-22", "node:22", "desk, shop")),
            (
                "acme-parent-1",
                base_text("acme-parent-1", "ghcr.io/acme/parent:1", "shop"),
            ),
        ],
    )
}

fn seen(name: &str, digest: Digest) -> Seen {
    Seen {
        name: name.to_owned(),
        digest,
        tag: None,
        metadata: None,
    }
}

fn built(image: &str, tag: &str, digest: Digest, created: Option<Time>) -> Built {
    Built {
        image: Name::parse(image).expect(image),
        tag: Some(Tag::parse(tag).expect(tag)),
        digest,
        created,
        base_digests: BTreeMap::new(),
    }
}

/// The tree after a digest, of which nothing may be wrong.
fn see(tree: &Tree, name: &str, found: Digest, now: Time) -> Tree {
    let outcome = digest(tree, &seen(name, found), now);
    assert_eq!(outcome.diagnostics, [], "{name}");
    assert_eq!(outcome.learned, !outcome.edit.is_empty());
    tree.with(&outcome.edit)
}

fn put_build(tree: &Tree, event: &Built, now: Time) -> Tree {
    let outcome = build(tree, event, now);
    assert_eq!(outcome.diagnostics, []);
    tree.with(&outcome.edit)
}

fn base(tree: &Tree, name: &str) -> BaseDoc {
    let path = tree.base_path(name);
    let text = tree.text(&path).expect(name).to_owned();
    let read = BaseDoc::read(&InputFile {
        path: path.into(),
        text,
    });
    read.doc.unwrap_or_else(|| panic!("{:?}", read.diagnostics))
}

fn image(tree: &Tree, name: &str) -> ImageDoc {
    let path = tree.image_path(name);
    let text = tree.text(&path).expect(name).to_owned();
    let read = ImageDoc::read(&InputFile {
        path: path.into(),
        text,
    });
    read.doc.unwrap_or_else(|| panic!("{:?}", read.diagnostics))
}

/// Pending since and due, by the day of March; `None` if nothing is pending.
fn waits(tree: &Tree, name: &str) -> Option<(String, String)> {
    let doc = image(tree, name);
    let state = doc.rebuild_state.expect("a state");
    assert_eq!(state.pending, state.due_at.is_some());
    assert_eq!(
        state.status.as_str(),
        if state.pending {
            "pending"
        } else {
            "monitoring"
        }
    );
    Some((state.pending_since?.to_string(), state.due_at?.to_string()))
}

fn pair(since: Time, due: Time) -> Option<(String, String)> {
    Some((since.to_string(), due.to_string()))
}

#[test]
fn the_first_sight_of_a_digest_triggers_nothing() {
    let tree = see(&tree(), "node-22", d(1), day(2));
    let doc = base(&tree, "node-22");
    assert!(doc.current_digest.is_some_and(|found| found.is(&d(1))));
    assert_eq!(
        (doc.last_updated, doc.previous_digest, doc.update_history),
        (None, None, vec![])
    );
    assert_eq!(doc.last_checked.map(|at| at.time()), Some(day(2)));
    assert_eq!((waits(&tree, "shop"), waits(&tree, "desk")), (None, None));
    // Also if the image says that it was built from another one.
    let mut event = built("shop", "1.0.0", d(9), Some(day(3)));
    event.base_digests.insert("node:22".to_owned(), d(8));
    let tree = put_build(&tree, &event, day(3));
    assert_eq!(waits(&tree, "shop"), None);
}

#[test]
fn a_change_is_recorded_and_dependents_wait_their_own_delay() {
    let tree = see(&tree(), "node-22", d(1), day(2));
    let outcome = digest(&tree, &seen("node-22", d(2)), day(5));
    let facts = outcome.facts.expect("facts");
    assert_eq!(
        (facts.from, facts.to, facts.base),
        (Some(d(1).into()), d(2), true)
    );
    let followers: Vec<_> = facts
        .dependents
        .iter()
        .map(|follower| {
            (
                follower.name.as_str(),
                follower.due.to_string(),
                follower.auto,
            )
        })
        .collect();
    assert_eq!(
        followers,
        [
            ("desk", "2026-04-04T00:00:00Z".to_owned(), false),
            ("shop", "2026-03-12T00:00:00Z".to_owned(), true)
        ]
    );
    let tree = tree.with(&outcome.edit);
    let doc = base(&tree, "node-22");
    assert_eq!(doc.last_updated.as_ref().map(|at| at.time()), Some(day(5)));
    assert!(
        doc.previous_digest
            .as_ref()
            .is_some_and(|found| found.is(&d(1)))
    );
    assert_eq!(doc.update_history.len(), 1);
    assert_eq!(waits(&tree, "shop"), pair(day(5), day(12)));
    assert_eq!(
        waits(&tree, "desk"),
        pair(day(5), t("2026-04-04T00:00:00Z"))
    );
    // A second change does not move the day that the first one set.
    let tree = see(&tree, "node-22", d(3), day(7));
    assert_eq!(waits(&tree, "shop"), pair(day(5), day(12)));
    // Back to the digest that nobody was built with yet, and a change all the same.
    let tree = see(&tree, "node-22", d(2), day(8));
    assert_eq!(base(&tree, "node-22").update_history.len(), 3);
}

#[test]
fn only_those_are_named_that_have_to_follow_this_base() {
    let tree = see(&tree(), "node-22", d(1), day(2));
    let tree = see(&tree, "node-22", d(2), day(5));
    // `shop` waits for node-22, and is built on the parent as well.
    for (n, name, number, names) in [
        (0, "acme-parent-1", 7, &[][..]),
        (1, "acme-parent-1", 8, &["shop"]),
        (2, "node-22", 3, &["desk", "shop"]),
    ] {
        let tree = if n == 1 {
            see(&tree, name, d(7), day(6))
        } else {
            tree.clone()
        };
        let outcome = digest(&tree, &seen(name, d(number)), day(7));
        let facts = outcome.facts.expect("facts");
        let found: Vec<&str> = facts
            .dependents
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(found, names, "{name} {number}");
        assert!(waits(&tree.with(&outcome.edit), "shop").is_some());
    }
}

#[test]
fn times_of_other_programs_keep_their_spelling() {
    let tree = see(&tree(), "node-22", d(1), day(2));
    let tree = see(&tree, "node-22", d(2), day(5));
    let path = "state/images/shop.yaml";
    let text = tree.text(path).expect("a file");
    let mut edit = Edit::default();
    let spelled = "pendingSince: \"2026-03-05T01:00:00.5+01:00\"";
    edit.write(
        path,
        text.replace("pendingSince: \"2026-03-05T00:00:00Z\"", spelled),
    );
    let tree = see(&tree.with(&edit), "node-22", d(3), day(7));
    let text = tree.text(path).expect("a file");
    assert!(text.contains(spelled), "{text}");
}

#[test]
fn a_digest_that_repeats_changes_no_byte() {
    let mut event = seen("node-22", d(1));
    event.metadata = Some(Metadata {
        architecture: Some("amd64".to_owned()),
        os: Some("linux".to_owned()),
        size: Some(12),
        created: Some(day(1)),
        labels: BTreeMap::from([("a".to_owned(), "1.10".to_owned())]),
    });
    let first = digest(&tree(), &event, day(2));
    let tree = tree().with(&first.edit);
    let text = tree.text("state/base-images/node-22.yaml").expect("a file");
    assert!(text.contains("metadata:\n  architecture: amd64\n  os: linux\n  size: 12\n  created: \"2026-03-01T00:00:00Z\"\n  labels:\n    a: \"1.10\"\n"), "{text}");
    for event in [event, seen("node-22", d(1))] {
        let again = digest(&tree, &event, day(9));
        assert!(again.edit.is_empty() && !again.learned, "{event:?}");
        assert_eq!(again.diagnostics, []);
    }
}

#[test]
fn our_own_image_as_a_base_has_no_delay() {
    let tree = see(&tree(), "acme-parent-1", d(1), day(2));
    let tree = see(&tree, "acme-parent-1", d(2), day(4));
    assert_eq!(waits(&tree, "shop"), pair(day(4), day(4)));
    // The other base image has a delay, but the first of both is what counts.
    let tree = see(&tree, "node-22", d(1), day(3));
    let tree = see(&tree, "node-22", d(5), day(3));
    assert_eq!(waits(&tree, "shop"), pair(day(3), day(4)));
}

#[test]
fn a_build_takes_in_what_was_known_when_it_was_made() {
    let tree = see(&tree(), "node-22", d(1), day(2));
    let tree = see(&tree, "node-22", d(2), day(5));
    let tree = see(&tree, "node-22", d(3), day(9));
    // Created on the 6th, analysed on the 10th: the change of the 9th is not in it.
    let tree = put_build(&tree, &built("shop", "1.0.0", d(50), Some(day(6))), day(10));
    let doc = image(&tree, "shop");
    assert_eq!(doc.current_version.as_deref(), Some("1.0.0"));
    assert_eq!(doc.last_built.as_ref().map(|at| at.time()), Some(day(6)));
    let node = ObjectName::parse("node-22").expect("a name");
    assert!(
        doc.built_from
            .get(&node)
            .is_some_and(|found| found.is(&d(2)))
    );
    assert_eq!(waits(&tree, "shop"), pair(day(9), day(16)));
    // The same again: no byte.
    let again = build(&tree, &built("shop", "1.0.0", d(50), Some(day(6))), day(11));
    assert!(again.edit.is_empty() && !again.learned);
    // A build with the newest: nothing is left.
    let tree = put_build(
        &tree,
        &built("shop", "1.0.1", d(51), Some(day(11))),
        day(11),
    );
    assert_eq!(waits(&tree, "shop"), None);
    // And the digest that is built in triggers nothing when the tag returns to it.
    let tree = see(&tree, "node-22", d(4), day(12));
    assert_eq!(waits(&tree, "shop"), pair(day(12), day(19)));
    let tree = see(&tree, "node-22", d(3), day(13));
    assert_eq!(waits(&tree, "shop"), None);
    // Once it moves on, the delay counts from then, not from the excursion.
    let tree = see(&tree, "node-22", d(6), day(14));
    assert_eq!(waits(&tree, "shop"), pair(day(14), day(21)));
}

#[test]
fn what_a_build_was_made_from_by_the_surest_source() {
    let history = see(&tree(), "node-22", d(1), day(2));
    let history = see(&history, "node-22", d(2), day(5));
    let history = see(&history, "node-22", d(3), day(8));
    let attempt = "rebuildHistory:\n  - at: \"2026-03-06T00:00:00Z\"\n    attempt: 1\n    reasons:\n      - rule: base\n        base: node-22\n        to: ";
    let attempt = format!("{attempt}{}\n", d(7));
    for (said, attempted, created, from) in [
        // What the image says, under any spelling of the reference.
        (Some(("node:22", d(9))), true, Some(day(9)), Some(d(9))),
        (
            Some(("docker.io/library/node:22", d(9))),
            false,
            Some(day(9)),
            Some(d(9)),
        ),
        (Some(("node:20", d(9))), false, Some(day(9)), Some(d(3))),
        // The attempt that made it, but not one that was started later.
        (None, true, Some(day(9)), Some(d(7))),
        (None, true, Some(t("2026-03-05T12:00:00Z")), Some(d(2))),
        // The history, at the time of the build.
        (None, false, Some(day(9)), Some(d(3))),
        (None, false, Some(day(8)), Some(d(3))),
        (None, false, Some(day(7)), Some(d(2))),
        (None, false, Some(day(3)), Some(d(1))),
        (None, false, Some(Time::from_unix_seconds(0)), Some(d(3))),
        (None, false, None, Some(d(3))),
    ] {
        let mut tree = history.clone();
        if attempted {
            let mut text = tree
                .text("state/images/shop.yaml")
                .expect("a file")
                .to_owned();
            text.push_str(&attempt);
            let mut edit = Edit::default();
            edit.write("state/images/shop.yaml", text);
            tree = tree.with(&edit);
        }
        let mut event = built("shop", "1.0.0", d(50), created);
        event.base_digests.extend(
            said.iter()
                .map(|(name, digest)| ((*name).to_owned(), digest.clone())),
        );
        let outcome = build(&tree, &event, day(10));
        let found = outcome
            .facts
            .expect("facts")
            .built_from
            .get("node-22")
            .cloned();
        assert_eq!(
            found,
            from.map(DigestText::from),
            "{said:?} {attempted} {created:?}"
        );
    }
}

#[test]
fn a_digest_that_the_history_does_not_have_leaves_the_decision_to_time() {
    let tree = see(&tree(), "node-22", d(1), day(2));
    let tree = see(&tree, "node-22", d(2), day(5));
    // The digest of one platform, say: it never equals what is behind the tag. What was
    // learnt in the second of the build had happened before.
    let mut event = built("shop", "1.0.0", d(50), Some(day(5)));
    event.base_digests.insert("node:22".to_owned(), d(99));
    let tree = put_build(&tree, &event, day(6));
    assert_eq!(waits(&tree, "shop"), None);
    let tree = see(&tree, "node-22", d(3), day(7));
    assert_eq!(waits(&tree, "shop"), pair(day(7), day(14)));
}

#[test]
fn pins_are_what_is_built_from_and_wait_for_nothing() {
    let pinned = format!("node:22@{}", d(1));
    let text = base_text("node-22", "node:22", "shop")
        .replace("fullImage: node:22", &format!("fullImage: {pinned}"));
    let tree = tree_of(
        &[("shop", image_text("shop", "node-22"))],
        &[("node-22", text)],
    );
    let tree = see(&tree, "node-22", d(1), day(2));
    let tree = see(&tree, "node-22", d(2), day(3));
    assert_eq!(waits(&tree, "shop"), None);
    let tree = put_build(&tree, &built("shop", "1.0.0", d(50), Some(day(6))), day(6));
    assert!(
        image(&tree, "shop")
            .built_from
            .values()
            .all(|found| found.is(&d(1)))
    );
    assert_eq!(waits(&tree, "shop"), None);
}

#[test]
fn an_attempt_is_closed_by_the_build_that_answers_it() {
    let open = "rebuildHistory:
  - at: \"2026-03-04T00:00:00Z\"
    attempt: 1
    outcome: triggered
  - at: \"2026-03-06T00:00:00Z\"
    attempt: 2
    trigger: plan
    outcome: null
    link: https://ci.example.com/2
  - at: \"2026-03-08T00:00:00Z\"
    attempt: 3
    outcome: null
";
    let text = image_text("shop", "").replace(
        "rebuildState: {status: monitoring, pendingRebuild: false}",
        "rebuildState: {status: triggered, pendingRebuild: true, attempt: 2}",
    ) + open;
    let tree = tree_of(&[("shop", text)], &[]);
    for (created, outcomes, answers, status) in [
        (day(3), [Some("triggered"), None, None], None, "triggered"),
        (
            day(7),
            [Some("superseded"), Some("built"), None],
            Some("2"),
            "triggered",
        ),
        (
            day(9),
            [Some("superseded"), Some("superseded"), Some("built")],
            Some("3"),
            "monitoring",
        ),
    ] {
        let outcome = build(
            &tree,
            &built("shop", "1.0.0", d(50), Some(created)),
            day(10),
        );
        assert_eq!(outcome.diagnostics, []);
        let facts = outcome.facts.expect("facts");
        assert_eq!(facts.answers.as_ref().map(Text::as_str), answers);
        let doc = image(&tree.with(&outcome.edit), "shop");
        let found: Vec<_> = doc
            .rebuild_history
            .iter()
            .map(|a| a.outcome.as_deref())
            .collect();
        assert_eq!(found, outcomes);
        let state = doc.rebuild_state.expect("a state");
        assert_eq!(
            (state.status.as_str(), state.attempt.is_none()),
            (status, status == "monitoring")
        );
    }
}

#[test]
fn an_older_build_does_not_replace_a_newer_one() {
    let tree = put_build(
        &tree(),
        &built("shop", "1.1.0", d(50), Some(day(5))),
        day(6),
    );
    let early = Time::from_unix_seconds(0);
    for (tag, created, older) in [
        ("1.0.0", Some(day(4)), true),
        ("main", Some(day(4)), true),
        // A higher version is the newer one, whenever it was made.
        ("1.1.1", Some(day(4)), false),
        ("v1.10.0", Some(early), false),
        ("1.0.0", Some(day(6)), false),
        // Without a time, versions decide; without versions, the later analysis.
        ("1.0.9", None, true),
        ("1.0.9", Some(early), true),
        ("main", None, false),
        ("1.2.0", None, false),
    ] {
        let outcome = build(&tree, &built("shop", tag, d(51), created), day(7));
        assert_eq!(
            outcome.facts.as_ref().map(|facts| facts.older),
            Some(older),
            "{tag} {created:?}"
        );
        assert_eq!(outcome.learned, !older, "{tag} {created:?}");
        let codes: Vec<_> = outcome
            .diagnostics
            .iter()
            .map(|d| (d.code, d.severity))
            .collect();
        let told = [(code::BUILD_OLDER, Severity::Warning)];
        assert_eq!(
            codes,
            if older { &told[..] } else { &[] },
            "{tag} {created:?}"
        );
    }
}

#[test]
fn times_never_go_back() {
    let tree = see(&tree(), "node-22", d(1), day(10));
    let tree = see(&tree, "node-22", d(2), day(12));
    let outcome = digest(&tree, &seen("node-22", d(3)), day(11));
    let codes: Vec<_> = outcome
        .diagnostics
        .iter()
        .map(|d| (d.code, d.severity))
        .collect();
    assert_eq!(codes, [(code::CLOCK_BEHIND, Severity::Warning)]);
    let tree = tree.with(&outcome.edit);
    let doc = base(&tree, "node-22");
    let times: Vec<_> = doc
        .update_history
        .iter()
        .filter_map(|c| c.at.as_ref())
        .map(|at| at.time())
        .collect();
    assert_eq!(times, [day(12), day(12)]);
    assert_eq!(doc.last_checked.map(|at| at.time()), Some(day(12)));
    let tree = put_build(
        &tree,
        &built("shop", "1.0.0", d(50), Some(day(20))),
        day(20),
    );
    let outcome = build(&tree, &built("shop", "1.0.1", d(51), None), day(19));
    assert_eq!(
        outcome
            .diagnostics
            .iter()
            .map(|d| d.code)
            .collect::<Vec<_>>(),
        [code::CLOCK_BEHIND]
    );
    assert_eq!(
        image(&tree.with(&outcome.edit), "shop")
            .last_built
            .map(|at| at.time()),
        Some(day(20))
    );
    // A build from the future was made at the latest when it was analysed.
    let outcome = build(
        &tree,
        &built("shop", "1.0.1", d(51), Some(day(30))),
        day(21),
    );
    assert_eq!(
        image(&tree.with(&outcome.edit), "shop")
            .last_built
            .map(|at| at.time()),
        Some(day(21))
    );
}

#[test]
fn history_is_kept_as_long_as_somebody_needs_it() {
    let mut tree = see(&tree(), "node-22", d(0), day(1));
    for n in 1..=15 {
        tree = see(&tree, "node-22", d(n), day(u32::from(n) + 1));
    }
    // Nobody was built since: all of it is open.
    assert_eq!(base(&tree, "node-22").update_history.len(), 15);
    assert_eq!(waits(&tree, "shop"), pair(day(2), day(9)));
    // Shop has it all; desk was built on the 4th.
    tree = put_build(
        &tree,
        &built("shop", "1.0.0", d(50), Some(day(17))),
        day(17),
    );
    tree = put_build(&tree, &built("desk", "1.0.0", d(60), Some(day(4))), day(17));
    tree = see(&tree, "node-22", d(16), day(17));
    assert_eq!(base(&tree, "node-22").update_history.len(), 13);
    assert_eq!(
        waits(&tree, "desk"),
        pair(day(5), t("2026-04-04T00:00:00Z"))
    );
    tree = put_build(
        &tree,
        &built("desk", "1.0.1", d(61), Some(day(18))),
        day(18),
    );
    tree = see(&tree, "node-22", d(17), day(19));
    assert_eq!(base(&tree, "node-22").update_history.len(), 10);
    assert_eq!(
        waits(&tree, "desk").map(|(since, _)| since),
        Some(day(19).to_string())
    );
}

#[test]
fn external_images_have_their_own_history() {
    let mut event = seen("redis", d(1));
    event.tag = Tag::parse("7.1.0").ok();
    let first = digest(&tree(), &event, day(2));
    assert_eq!((first.diagnostics.len(), first.learned), (0, true));
    let mut now = tree().with(&first.edit);
    let doc = image(&now, "redis");
    assert_eq!(
        (doc.current_version.as_deref(), doc.last_updated),
        (Some("7.1.0"), None)
    );
    assert_eq!(doc.enrolled_at.map(|at| at.time()), Some(day(2)));
    for n in 2..=14 {
        now = see(&now, "redis", d(n), day(u32::from(n) + 1));
    }
    let doc = image(&now, "redis");
    assert_eq!(doc.update_history.len(), 10);
    assert!(doc.previous_digest.is_some_and(|found| found.is(&d(13))));
    assert!(digest(&now, &seen("redis", d(14)), day(20)).edit.is_empty());
}

#[test]
fn an_external_image_and_the_base_it_stands_for_are_one_reference() {
    let bases = [
        (
            "postgres-16",
            base_text("postgres-16", "docker.io/postgres:16", "shop"),
        ),
        ("postgres-17", base_text("postgres-17", "postgres:17", "")),
    ];
    let tree = tree_of(&[("shop", image_text("shop", "postgres-16"))], &bases);
    for name in ["postgres", "postgres-16"] {
        let tree = see(&tree, name, d(1), day(2));
        let tree = see(&tree, name, d(2), day(3));
        assert!(
            base(&tree, "postgres-16")
                .current_digest
                .is_some_and(|found| found.is(&d(2)))
        );
        assert!(
            image(&tree, "postgres")
                .current_digest
                .is_some_and(|found| found.is(&d(2)))
        );
        assert_eq!(base(&tree, "postgres-17").current_digest, None);
        assert_eq!(waits(&tree, "shop"), pair(day(3), day(10)));
    }
}

#[test]
fn what_cannot_be_recorded_is_refused() {
    let mut other_tag = seen("node-22", d(1));
    other_tag.tag = Tag::parse("23").ok();
    let mut other_external = seen("postgres", d(1));
    other_external.tag = Tag::parse("17").ok();
    let only_digest = base_text("pinned", "node:22", "")
        .replace(
            "fullImage: node:22\n",
            &format!("fullImage: node@{}\n", d(1)),
        )
        .replace("tag: \"22\"\n", "tag: null\n");
    let mut tree = tree();
    let mut edit = Edit::default();
    edit.write("state/base-images/pinned.yaml", only_digest);
    edit.write("state/base-images/broken.yaml", "name: [");
    tree = tree.with(&edit);
    for (event, code, help) in [
        (seen("node-23", d(1)), code::RECORD_UNKNOWN, "node-22"),
        (
            seen("docker.io/library/node:22", d(1)),
            code::RECORD_UNKNOWN,
            "its name is wanted: `node-22`",
        ),
        (
            seen("golang:1.24-alpine", d(1)),
            code::RECORD_UNKNOWN,
            "a name is wanted",
        ),
        (
            seen("shop", d(1)),
            code::RECORD_MANAGED,
            "image-factory analyze --image shop",
        ),
        (other_tag, code::RECORD_MISFIT, "discover"),
        (other_external, code::RECORD_MISFIT, "images.yaml"),
        (seen("pinned", d(2)), code::RECORD_MISFIT, "nothing"),
        (seen("broken", d(2)), code::YAML_SYNTAX, ""),
    ] {
        let outcome = digest(&tree, &event, day(2));
        assert!(outcome.edit.is_empty() && outcome.facts.is_none() && !outcome.learned);
        let [diagnostic] = &outcome.diagnostics[..] else {
            panic!("{:?}", outcome.diagnostics);
        };
        assert_eq!(diagnostic.code, code, "{diagnostic:?}");
        assert!(
            diagnostic
                .help
                .as_deref()
                .unwrap_or_default()
                .contains(help),
            "{diagnostic:?}"
        );
    }
    assert!(digest(&tree, &seen("pinned", d(1)), day(2)).learned);
    for (image, code) in [
        ("postgres", code::RECORD_EXTERNAL),
        ("shopp", code::RECORD_UNKNOWN),
    ] {
        let outcome = build(&tree, &built(image, "1", d(1), None), day(2));
        assert_eq!(
            outcome
                .diagnostics
                .iter()
                .map(|d| d.code)
                .collect::<Vec<_>>(),
            [code]
        );
        assert!(outcome.edit.is_empty() && outcome.facts.is_none());
    }
}

#[test]
fn one_file_that_is_wrong_keeps_no_other_from_being_written() {
    let mut edit = Edit::default();
    edit.write("state/images/desk.yaml", "baseImages: node-22");
    edit.write("state/base-images/other.yaml", "name: [");
    let tree = see(&tree(), "node-22", d(1), day(2)).with(&edit);
    let outcome = digest(&tree, &seen("node-22", d(2)), day(3));
    assert!(any_error(&outcome.diagnostics) && outcome.learned);
    let paths: Vec<_> = outcome.edit.files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        ["state/base-images/node-22.yaml", "state/images/shop.yaml"]
    );
}

#[test]
fn a_tag_that_comes_back_to_what_stood_at_enrollment_is_nothing_to_follow() {
    let first = see(&tree(), "node-22", d(1), day(2));
    let waits = |tree: &Tree| image(tree, "shop").rebuild_state.expect("a state").pending;
    let away = see(&first, "node-22", d(2), day(3));
    assert!(waits(&away));
    let back = see(&away, "node-22", d(1), day(4));
    assert!(!waits(&back));
    let on = base(&back, "node-22");
    let on = On {
        base: &on,
        own: false,
    };
    let shop = image(&back, "shop");
    assert_eq!(pending(&shop, &A_DAY, [on]), None);
    // Only what came after that counts.
    let third = see(&back, "node-22", d(3), day(5));
    let state = image(&third, "shop").rebuild_state.expect("a state");
    assert_eq!(state.pending_since.map(|at| at.time()), Some(day(5)));
}

#[test]
fn a_dependent_that_is_no_yaml_is_named_and_learns_of_the_change_later() {
    let first = see(&tree(), "node-22", d(1), day(2));
    let whole = first.text("state/images/shop.yaml").unwrap().to_owned();
    for broken in ["{", "name: shop\nbaseImages: [\n", "x"] {
        let mut edit = Edit::default();
        edit.write("state/images/shop.yaml", broken);
        let damaged = first.with(&edit);
        let outcome = digest(&damaged, &seen("node-22", d(2)), day(3));
        let places: Vec<&str> = outcome
            .diagnostics
            .iter()
            .filter(|d| d.is_error())
            .map(|d| &*d.place.as_ref().unwrap().file)
            .collect();
        assert_eq!(places, ["state/images/shop.yaml"], "{broken:?}");
        let names = |outcome: &Outcome<SeenFacts>| -> Vec<String> {
            let facts = outcome.facts.as_ref().unwrap();
            let names = facts.dependents.iter();
            names.map(|follower| follower.name.to_string()).collect()
        };
        assert_eq!(names(&outcome), ["desk"]);
        let damaged = damaged.with(&outcome.edit);
        assert_eq!(damaged.text("state/images/shop.yaml"), Some(broken));

        let mut edit = Edit::default();
        edit.write("state/images/shop.yaml", whole.as_str());
        let restored = damaged.with(&edit);
        let again = digest(&restored, &seen("node-22", d(2)), day(4));
        assert_eq!(again.diagnostics, []);
        assert!(again.learned);
        assert_eq!(names(&again), ["shop"]);
        let paths: Vec<_> = again.edit.files.keys().map(String::as_str).collect();
        assert_eq!(paths, ["state/images/shop.yaml"]);
        let tree = restored.with(&again.edit);
        let state = image(&tree, "shop").rebuild_state.expect("a state");
        assert!(state.pending);
        assert_eq!(state.pending_since.map(|at| at.time()), Some(day(3)));
        let last = digest(&tree, &seen("node-22", d(2)), day(5));
        assert!(!last.learned && last.edit.is_empty());
    }
}

#[test]
fn what_an_older_program_wrote_is_mended_on_the_way() {
    let text =
        base_text("node-22", "node:22", "").replace("currentDigest: null", "currentDigest: None");
    let tree = tree_of(&[], &[("node-22", text)]);
    let outcome = digest(&tree, &seen("node-22", d(1)), day(2));
    assert_eq!(
        outcome
            .diagnostics
            .iter()
            .map(|d| d.code)
            .collect::<Vec<_>>(),
        [code::STATE_MENDED]
    );
    // A file that has a change but no history still has that change.
    let text = format!(
        "{}previousDigest: {}\n",
        base_text("node-22", "node:22", "shop"),
        d(1)
    )
    .replace(
        "currentDigest: null\nlastUpdated: null",
        &format!(
            "currentDigest: {}\nlastUpdated: \"2026-03-04T00:00:00Z\"",
            d(2)
        ),
    );
    let tree = tree_of(
        &[("shop", image_text("shop", "node-22"))],
        &[("node-22", text)],
    );
    let on = base(&tree, "node-22");
    let found = pending(
        &image(&tree, "shop"),
        &A_DAY,
        [On {
            base: &on,
            own: false,
        }],
    );
    let found = found.expect("pending");
    assert_eq!((found.since, found.due), (day(4), day(5)));
    assert_eq!(
        (found.bases[0].from.clone(), found.bases[0].to.clone()),
        (Some(d(1).into()), d(2).into())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Whatever happens, in any order: nothing is lost that was not built in, times go
    /// forward, and the same event again changes no byte.
    #[test]
    fn any_order_of_events(events in prop::collection::vec((0u8..4, 0u8..4, 0i64..40), 1..25)) {
        let mut tree = tree();
        let mut builds = 100u8;
        for (what, n, hours) in events {
            let now = Time::from_unix_seconds(day(5).unix_seconds() + hours * 3600);
            let (after, again) = match what {
                0 | 1 => {
                    let event = seen(if what == 0 { "node-22" } else { "acme-parent-1" }, d(n));
                    let outcome = digest(&tree, &event, now);
                    prop_assert!(!any_error(&outcome.diagnostics));
                    let after = tree.with(&outcome.edit);
                    let again = digest(&after, &event, now);
                    (after, again.edit)
                }
                _ => {
                    builds += 1;
                    let event = built(if what == 2 { "shop" } else { "desk" }, "main", d(builds), Some(now));
                    let outcome = build(&tree, &event, now);
                    prop_assert!(!any_error(&outcome.diagnostics));
                    let after = tree.with(&outcome.edit);
                    let again = build(&after, &event, now);
                    (after, again.edit)
                }
            };
            prop_assert!(again.is_empty(), "{:?}", again);
            tree = after;
            for name in ["node-22", "acme-parent-1"] {
                let doc = base(&tree, name);
                let times: Vec<_> = doc.update_history.iter().filter_map(|c| c.at.as_ref()).map(|at| at.time()).collect();
                prop_assert!(times.is_sorted());
                let links = doc.update_history.windows(2).all(|pair| pair[0].to == pair[1].from);
                prop_assert!(links);
                if let Some(last) = doc.update_history.last() {
                    prop_assert_eq!(&last.to, &doc.current_digest);
                }
            }
            for name in ["shop", "desk"] {
                let doc = image(&tree, name);
                let state = doc.rebuild_state.expect("a state");
                prop_assert_eq!(state.pending, state.due_at.is_some());
                prop_assert!(state.due_at.map(|at| at.time()) >= state.pending_since.map(|at| at.time()));
            }
        }
    }
}
