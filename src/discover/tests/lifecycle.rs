//! What becomes of an image and its files over time, there and back.

use super::*;

const APP: &str = "state/images/app.yaml";
const NODE: &str = "state/base-images/node-22.yaml";

/// A factory with `app` on `node:22`, with some history.
fn lived() -> Factory {
    let factory = Factory::new(&managed("app"))
        .dockerfile("app", "FROM node:22\n")
        .then(NOON);
    let app = factory
        .text(APP)
        .replace("currentVersion: null", "currentVersion: \"1.10\"")
        + "rebuildHistory:\n  - at: \"2026-11-21T13:00:00Z\"\n    attempt: 1\n    outcome: built\nmine: [a, 1.10]\n";
    let node = factory
        .text(NODE)
        .replace("metadata: {}", "metadata:\n  os: linux")
        + "mine: 0o17\n";
    factory.file(APP, &app).file(NODE, &node)
}

#[test]
fn removed_and_enrolled_again() {
    let factory = lived();
    let (app, node) = (factory.text(APP).to_owned(), factory.text(NODE).to_owned());
    let gone = factory.clone().enrollment("[]").then(LATER);
    assert_eq!(
        gone.state(),
        [
            "state/_archive/base-images/node-22.yaml",
            "state/_archive/images/app.yaml"
        ]
    );
    assert_eq!(gone.text("state/_archive/images/app.yaml"), app);
    assert_eq!(gone.text("state/_archive/base-images/node-22.yaml"), node);
    assert_eq!(paths(&gone.at(LATER)), [""; 0]);
    let back = gone.enrollment(&managed("app")).then(LATER);
    assert_eq!(back.state(), [APP, NODE]);
    assert_eq!(back.text(APP), app);
    assert_eq!(back.text(NODE), node);
}

#[test]
fn another_image_of_the_name_starts_anew() {
    let gone = lived().enrollment("[]").then(LATER);
    let old = gone.text("state/_archive/images/app.yaml").to_owned();
    let other = managed("app").replace("acme/app\n", "other/app\n");
    let gone = gone.enrollment(&other);
    assert_eq!(codes(&gone.at(LATER)), ["IF240"]);
    let other = gone.then(LATER);
    assert_eq!(
        other.lines(APP, &["currentVersion"]),
        ["currentVersion: null"]
    );
    assert_eq!(other.text("state/_archive/images/app.yaml"), old);
    assert_eq!(codes(&other.at(LATER)), [""; 0], "told once");
    // Both are in the archive then, and the right one comes back.
    let both = other.enrollment("[]").then(LATER);
    assert_eq!(both.text("state/_archive/images/app~1.yaml"), old);
    let back = both.enrollment(&managed("app")).then(LATER);
    assert_eq!(back.text(APP), old);
    assert_eq!(back.state(), [APP, NODE, "state/_archive/images/app.yaml"]);
}

#[test]
fn an_entry_that_is_changed_to_another_image_starts_anew() {
    let one = lived();
    let old = one.text(APP).to_owned();
    let entry = managed("app").replace("acme/app\n", "other/app\n");
    let one = one.enrollment(&entry);
    let outcome = one.at(LATER);
    assert_eq!(codes(&outcome), ["IF240"]);
    assert_eq!(outcome.images[0].change, crate::discover::Change::Enrolled);
    let other = one.then(LATER);
    let keys = ["currentVersion", "enrolledAt", "attempt", "mine", "- "];
    assert_eq!(
        other.lines(APP, &keys),
        [
            format!("enrolledAt: \"{LATER}\""),
            "- node-22".to_owned(),
            "currentVersion: null".to_owned(),
        ]
    );
    assert_eq!(other.text("state/_archive/images/app.yaml"), old);
    assert_eq!(other.at(LATER).edit, crate::tree::Edit::default());
    assert_eq!(codes(&other.at(LATER)), [""; 0], "told once");
    // And changed back: each comes out of the archive as it went there.
    let new = other.text(APP).to_owned();
    let back = other.enrollment(&managed("app")).then(LATER);
    assert_eq!(back.text(APP), old);
    assert_eq!(back.text("state/_archive/images/app.yaml"), new);
    let again = back.enrollment(&entry).only(&["app"]).then(LATER);
    assert_eq!(again.text(APP), new);
    assert_eq!(again.text("state/_archive/images/app.yaml"), old);
    assert_eq!(again.state(), [APP, NODE, "state/_archive/images/app.yaml"]);
    // Third place: nothing in the archive is lost.
    let third = managed("app").replace("acme/app\n", "third/app\n");
    let third = again.enrollment(&third).then(LATER);
    assert_eq!(third.text("state/_archive/images/app.yaml"), new);
    assert_eq!(third.text("state/_archive/images/app~1.yaml"), old);
    // A spelling is no other image, and without a Dockerfile nothing is known.
    let mut blind = lived().enrollment(&entry);
    blind.found.clear();
    assert_eq!(paths(&blind.at(LATER)), [""; 0]);
}

#[test]
fn an_external_image_that_is_changed_to_another_starts_anew() {
    let hub = |repository: &str, registry: &str| {
        format!("- {{name: app, {registry}repository: {repository}, allowTags: ^1$}}\n")
    };
    let start = Factory::new(&hub("postgres", "")).then(NOON);
    let text = start.text(APP).replace(
        "currentDigest: null",
        "currentDigest: sha256:0000000000000000000000000000000000000000000000000000000000000001",
    );
    let start = start.file(APP, &text);
    let same = start
        .clone()
        .enrollment(&hub("library/postgres", "registry: index.docker.io, "));
    assert_eq!(codes(&same.at(LATER)), [""; 0], "the same image");
    assert!(same.then(LATER).text(APP).contains("sha256:0"));
    let other = start.enrollment(&hub("nginx", ""));
    assert_eq!(codes(&other.at(LATER)), ["IF240"]);
    let other = other.then(LATER);
    assert!(!other.text(APP).contains("sha256:0"));
    assert_eq!(other.text("state/_archive/images/app.yaml"), text);
}

#[test]
fn hosts_of_docker_hub_are_one_registry() {
    let images = [
        managed("app"),
        managed("web"),
        managed("lib").replace("ghcr.io", "docker.io"),
    ];
    let factory = Factory::new(&images.concat())
        .dockerfile(
            "app",
            "FROM node:22\nFROM registry.hub.docker.com/acme/lib:1.2\n",
        )
        .dockerfile("web", "FROM registry-1.docker.io/library/node:22\n")
        .dockerfile("lib", "FROM index.docker.io/library/node:22\n")
        .then(NOON);
    let names = ["acme-lib-1.2", "node-22"];
    assert_eq!(factory.bases("app"), names);
    assert_eq!(
        (factory.bases("web"), factory.bases("lib")),
        (vec!["node-22".to_owned()], vec!["node-22".to_owned()])
    );
    let lib = "state/base-images/acme-lib-1.2.yaml";
    assert_eq!(
        factory.lines(lib, &["managedImage", "fullImage"]),
        [
            "fullImage: registry.hub.docker.com/acme/lib:1.2",
            "managedImage: lib"
        ]
    );
}

#[test]
fn external_and_managed() {
    let start = Factory::new(&external("app"))
        .dockerfile("app", "FROM node:22\n")
        .then(NOON);
    let start = start
        .clone()
        .file(APP, &(start.text(APP).to_owned() + "mine: 1.10\n"));
    let warehouse = [
        "repoURL",
        "allowTags",
        "imageSelection",
        "source",
        "discoveryStatus",
        "mine",
        "- ",
    ];
    let before = start.lines(APP, &warehouse);
    let managed_now = start.enrollment(&managed("app")).then(LATER);
    assert_eq!(
        managed_now.lines(APP, &warehouse),
        [
            "discoveryStatus: success",
            "source:",
            "- node-22",
            "mine: 1.10"
        ]
    );
    assert!(managed_now.tree.text(NODE).is_some());
    let back = managed_now.enrollment(&external("app")).then(LATER);
    assert_eq!(back.lines(APP, &warehouse), before);
    assert_eq!(
        back.state(),
        [APP, "state/_archive/base-images/node-22.yaml"]
    );
}

#[test]
fn a_base_that_becomes_our_own_and_back() {
    let base = "state/base-images/acme-lib-1.yaml";
    let factory = Factory::new(&managed("app"))
        .dockerfile("app", "FROM ghcr.io/acme/lib:1\n")
        .dockerfile("lib", "FROM node:22\n")
        .then(NOON);
    let before = factory.text(base).to_owned();
    let own = factory
        .enrollment(&[managed("app"), managed("lib")].concat())
        .then(LATER);
    assert_eq!(
        own.text(base),
        before.replace("currentDigest", "managedImage: lib\ncurrentDigest")
    );
    let back = own.clone().enrollment(&managed("app")).then(LATER);
    assert_eq!(back.text(base), before);
    // The image keeps its file: `app` is still built on it.
    assert!(back.tree.text("state/images/lib.yaml").is_some());
    assert!(
        back.tree
            .text("state/_archive/base-images/node-22.yaml")
            .is_some()
    );
    assert_eq!(paths(&back.at(LATER)), [""; 0]);
    let unneeded = back.dockerfile("app", "FROM alpine:3\n").then(LATER);
    assert!(
        unneeded
            .tree
            .text("state/_archive/images/lib.yaml")
            .is_some()
    );
    // Linked too if only the new image is looked at.
    let only = Factory {
        tree: unneeded.tree,
        ..own
    };
    let only = only
        .enrollment(&managed("app"))
        .dockerfile("app", "FROM ghcr.io/acme/lib:1\n")
        .then(LATER)
        .enrollment(&[managed("app"), managed("lib")].concat())
        .only(&["lib"])
        .then(LATER);
    assert_eq!(only.lines(base, &["managedImage"]), ["managedImage: lib"]);
}

#[test]
fn a_base_that_nobody_needs_and_back() {
    let factory = lived();
    let node = factory.text(NODE).to_owned();
    let other = factory.dockerfile("app", "FROM alpine:3\n").then(LATER);
    assert_eq!(
        other.state(),
        [
            APP,
            "state/base-images/alpine-3.yaml",
            "state/_archive/base-images/node-22.yaml"
        ]
    );
    // It comes back under its name in whatever spelling.
    let back = other
        .dockerfile("app", "FROM docker.io/library/node:22\n")
        .then(LATER);
    assert_eq!(back.text(NODE), node);
    assert_eq!(
        back.state(),
        [APP, NODE, "state/_archive/base-images/alpine-3.yaml"]
    );
}

#[test]
fn two_files_of_one_base_become_one() {
    let factory = lived();
    let longer = factory
        .text(NODE)
        .replace("name: node-22", "name: library-node-22");
    let factory = factory
        .file("state/base-images/library-node-22.yaml", &longer)
        .then(LATER);
    assert_eq!(
        factory.state(),
        [APP, NODE, "state/_archive/base-images/library-node-22.yaml"]
    );
}

#[test]
fn a_circle_is_recorded_and_named() {
    let factory = Factory::new(&[managed("a"), managed("b")].concat())
        .dockerfile("a", "FROM ghcr.io/acme/b\n")
        .dockerfile("b", "FROM ghcr.io/acme/a:2\n");
    let outcome = factory.at(NOON);
    assert_eq!(codes(&outcome), ["IF080!"]);
    assert!(!outcome.refused);
    let factory = factory.then(NOON);
    assert_eq!(factory.bases("a"), ["acme-b"]);
    assert_eq!(factory.bases("b"), ["acme-a-2"]);
    assert_eq!(
        factory.lines("state/base-images/acme-b.yaml", &["managedImage", "- "]),
        ["- a", "managedImage: b"]
    );
}

#[test]
fn the_others_are_left_alone() {
    let factory = Factory::new(&[managed("app"), managed("two")].concat())
        .dockerfile("app", "FROM node:22\n")
        .dockerfile("two", "FROM alpine:3\n");
    let one = factory.only(&["app"]).then(NOON);
    assert_eq!(one.state(), [APP, NODE]);
    let both = one.only(&["two"]).then(NOON);
    assert_eq!(both.state().len(), 4);
    let changed = both
        .dockerfile("app", "FROM debian:13\n")
        .dockerfile("two", "FROM node:22\n");
    assert_eq!(
        paths(&changed.at(LATER)),
        [
            "+state/_archive/base-images/alpine-3.yaml",
            "-state/base-images/alpine-3.yaml",
            "+state/base-images/node-22.yaml",
            "+state/images/two.yaml"
        ]
    );
    let changed = changed.then(LATER);
    assert_eq!(changed.lines(NODE, &["- "]), ["- app", "- two"]);
    assert_eq!(changed.bases("app"), ["node-22"]);
    // Nor are removed images anybody's business then.
    let fewer = changed.enrollment(&managed("two"));
    assert_eq!(paths(&fewer.at(LATER)), ["+state/base-images/node-22.yaml"]);
    // A damaged file of another image does not concern this one.
    let damaged = fewer
        .enrollment(&[managed("app"), managed("two")].concat())
        .file(APP, "name: [\n");
    assert_eq!(codes(&damaged.at(LATER)), [""; 0]);
}

#[test]
fn an_enrolled_name_is_not_given_to_a_base() {
    let factory = Factory::new(&[managed("nginx"), managed("app")].concat())
        .dockerfile("nginx", "FROM nginx\n")
        .dockerfile("app", "FROM scratch\n");
    let outcome = factory.at(NOON);
    assert!(!outcome.any_error(), "{:?}", outcome.diagnostics);
    let bases = factory.then(NOON).bases("nginx");
    assert!(bases[0].starts_with("nginx-"), "{bases:?}");
}
