//! The life of images, as the two programs see it: discover, then synth.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const NOON: &str = "2026-11-21T12:00:00Z";
const LATER: &str = "2026-11-22T12:00:00Z";

/// A factory in a folder, without git, and the programs on it.
struct Factory {
    folder: tempfile::TempDir,
}

impl Factory {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn enroll(&self, entries: &[&str]) -> &Self {
        let head = "settings:\n  git: {repo: https://github.com/acme/factory}\nimages:\n";
        let none = if entries.is_empty() { "  []\n" } else { "" };
        self.write("images.yaml", &[head, none, &entries.concat()].concat())
    }

    fn dockerfile(&self, image: &str, text: &str) -> &Self {
        self.write(&format!("apps/{image}/Dockerfile"), text)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_image-factory"))
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .env(
                "GIT_CEILING_DIRECTORIES",
                self.folder.path().parent().unwrap(),
            )
            .output()
            .unwrap()
    }

    /// `discover` with these arguments; the exit code and the report.
    fn discover(&self, now: &str, args: &[&str]) -> (i32, Value) {
        let args = [&["discover", "--format", "json", "--now", now], args].concat();
        let output = self.run(&args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.stdout.is_empty(), "{said}");
        let report = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), report)
    }

    /// Discovers what must go well, then renders; what is in the two files of manifests
    /// about images: upstream, and our own.
    fn settle(&self, now: &str) -> (Vec<String>, Vec<String>) {
        let (exit, report) = self.discover(now, &[]);
        assert_eq!(exit, 0, "{report:#}");
        self.render()
    }

    fn render(&self) -> (Vec<String>, Vec<String>) {
        let output = self.run(&["synth", "--diff", "none"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(!said.contains("warning"), "{said}");
        let names = |file: &str| {
            let mut kind = "";
            // A file without objects is not there.
            let path = self.path(&format!("dist/{file}.k8s.yaml"));
            let text = fs::read_to_string(path).unwrap_or_default();
            let mut found = Vec::new();
            for line in text.lines() {
                if let Some(word) = line.strip_prefix("kind: ") {
                    kind = if matches!(word, "Warehouse" | "Stage") {
                        word
                    } else {
                        ""
                    };
                } else if let Some(name) = line.strip_prefix("  name: ")
                    && !kind.is_empty()
                {
                    found.push(format!("{kind} {name}"));
                    kind = "";
                }
            }
            found.sort();
            found
        };
        (names("image-factory"), names("managed-images"))
    }

    /// Every file of state and dist with its content.
    fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for folder in ["state", "dist"] {
            add(&self.path(folder), folder, &mut files);
        }
        files
    }

    fn files(&self) -> Vec<String> {
        let files = self.tree().into_keys();
        files.filter(|path| path.starts_with("state/")).collect()
    }
}

fn add(folder: &Path, name: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = format!("{name}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            add(&path, &name, files);
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

fn managed(name: &str) -> String {
    format!(
        "  - name: {name}\n    registry: ghcr.io\n    repository: acme/{name}\n    source: {{repo: acme/factory, dockerfile: apps/{name}/Dockerfile}}\n"
    )
}

fn external(name: &str) -> String {
    format!(
        "  - name: {name}\n    registry: ghcr.io\n    repository: acme/{name}\n    allowTags: ^16-alpine$\n"
    )
}

/// A factory with `shop` on `node:22`, which has lived: versions, digests, history, and
/// keys of other programs.
fn lived() -> Factory {
    let factory = Factory::new();
    factory
        .enroll(&[&managed("shop")])
        .dockerfile("shop", "FROM node:22 AS build\nFROM scratch\n");
    factory.settle(NOON);
    let digest = format!("sha256:{}", "a".repeat(64));
    let shop = factory
        .read("state/images/shop.yaml")
        .replace("currentVersion: null", "currentVersion: \"1.10\"")
        .replace("currentDigest: null", &format!("currentDigest: {digest}"));
    factory.write("state/images/shop.yaml", &(shop + "team: {on: 1.10}\n"));
    let node = factory
        .read("state/base-images/node-22.yaml")
        .replace("currentDigest: null", &format!("currentDigest: {digest}"));
    factory.write("state/base-images/node-22.yaml", &(node + "note: 0o17\n"));
    factory
}

fn words<'t>(texts: &[&'t str]) -> Vec<&'t str> {
    texts.to_vec()
}

#[test]
fn a_managed_image_is_enrolled() {
    let factory = Factory::new();
    factory.enroll(&[&managed("shop")]).dockerfile(
        "shop",
        "FROM node:22 AS build\nFROM gcr.io/distroless/static:nonroot\n",
    );
    let (upstream, own) = factory.settle(NOON);
    assert_eq!(
        upstream,
        words(&[
            "Stage rebuild-shop",
            "Stage track-distroless-static-nonroot",
            "Stage track-node-22",
            "Warehouse distroless-static-nonroot",
            "Warehouse node-22",
        ])
    );
    assert_eq!(
        own,
        words(&[
            "Stage analyze-dockerfile-shop",
            "Stage analyzed-shop",
            "Warehouse shop"
        ])
    );
    let before = factory.tree();
    assert_eq!(factory.discover(LATER, &["--check"]).0, 0);
    factory.settle(LATER);
    assert_eq!(factory.tree(), before, "a second run changes no byte");
}

#[test]
fn an_external_image_is_enrolled_and_removed() {
    let factory = Factory::new();
    factory.enroll(&[&external("postgres")]);
    let (upstream, own) = factory.settle(NOON);
    assert_eq!(
        upstream,
        words(&["Stage track-postgres", "Warehouse postgres"])
    );
    assert!(own.is_empty());
    let text = factory.read("state/images/postgres.yaml");
    for line in [
        "discoveryStatus: external",
        "repoURL: ghcr.io/acme/postgres",
        "allowTags: ^16-alpine$",
        "imageSelectionStrategy: Lexical",
        "baseImages: []",
    ] {
        assert!(
            text.lines().any(|it| it == line),
            "{line} is not in\n{text}"
        );
    }
    factory.enroll(&[]);
    assert!(factory.settle(LATER).0.is_empty());
    assert_eq!(
        factory.files(),
        words(&["state/_archive/images/postgres.yaml"])
    );
    assert_eq!(factory.read("state/_archive/images/postgres.yaml"), text);
}

#[test]
fn external_becomes_managed_and_external_again() {
    let factory = Factory::new();
    factory
        .enroll(&[&external("shop")])
        .dockerfile("shop", "FROM node:22\n");
    let before = factory.settle(NOON);
    let text = factory.read("state/images/shop.yaml") + "note: 1.10\n";
    factory.write("state/images/shop.yaml", &text);

    factory.enroll(&[&managed("shop")]);
    let (upstream, own) = factory.settle(LATER);
    assert!(
        !upstream.contains(&"Warehouse shop".to_owned()),
        "{upstream:?}"
    );
    assert!(
        upstream.contains(&"Stage rebuild-shop".to_owned()),
        "{upstream:?}"
    );
    assert!(own.contains(&"Warehouse shop".to_owned()), "{own:?}");
    let now = factory.read("state/images/shop.yaml");
    for key in ["repoURL", "allowTags", "imageSelectionStrategy"] {
        assert!(!now.contains(key), "{now}");
    }
    assert!(
        now.contains("- node-22") && now.contains("note: 1.10"),
        "{now}"
    );

    factory.enroll(&[&external("shop")]);
    assert_eq!(factory.settle(LATER), before);
    let back = factory.read("state/images/shop.yaml");
    for line in text.lines().filter(|l| !l.starts_with("lastDiscovery")) {
        assert!(
            back.lines().any(|it| it == line),
            "{line} is not in\n{back}"
        );
    }
    assert!(!back.contains("source:"), "{back}");
    assert!(!back.contains("rebuildState"), "{back}");
}

#[test]
fn a_base_becomes_our_own_image_and_a_base_again() {
    let factory = lived();
    factory.dockerfile("shop", "FROM ghcr.io/acme/lib:1\n");
    factory.dockerfile("lib", "FROM node:22\n");
    let before = factory.settle(LATER);
    assert!(
        before.0.contains(&"Warehouse acme-lib-1".to_owned()),
        "{before:?}"
    );
    let file = "state/base-images/acme-lib-1.yaml";
    let text = factory.read(file);

    factory.enroll(&[&managed("shop"), &managed("lib")]);
    let (upstream, own) = factory.settle(LATER);
    assert!(
        !upstream.contains(&"Warehouse acme-lib-1".to_owned()),
        "{upstream:?}"
    );
    assert!(own.contains(&"Warehouse acme-lib-1".to_owned()), "{own:?}");
    assert!(own.contains(&"Warehouse lib".to_owned()), "{own:?}");
    assert!(factory.read(file).contains("managedImage: lib\n"));

    factory.enroll(&[&managed("shop")]);
    let (exit, _) = factory.discover(LATER, &[]);
    assert_eq!(exit, 0);
    assert_eq!(factory.render(), before);
    assert_eq!(factory.read(file), text);
}

#[test]
fn after_a_retirement_nothing_is_left_to_be_discovered() {
    let factory = lived();
    factory
        .enroll(&[&managed("shop"), &managed("lib"), &managed("web")])
        .dockerfile("shop", "FROM ghcr.io/acme/lib:1\n")
        .dockerfile("lib", "FROM debian:13\n")
        .dockerfile("web", "FROM ghcr.io/acme/lib:1\n");
    factory.settle(LATER);
    // It loses a link, and then one of those that are built on it.
    for (name, archived) in [("lib", vec!["debian-13", "lib"]), ("web", vec!["web"])] {
        let output = factory.run(&["retire", name, "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let there: Vec<&str> = archived.into_iter().filter(|one| *one != "lib").collect();
        assert_eq!(report["archived"], serde_json::json!(there));
        let (exit, report) = factory.discover(LATER, &["--check"]);
        assert_eq!(exit, 0, "{name} {report:#}");
        factory.render();
    }
    let base = factory.read("state/base-images/acme-lib-1.yaml");
    assert!(
        !base.contains("managedImage") && !base.contains("web"),
        "{base}"
    );
}

#[test]
fn the_state_of_a_retired_image_that_is_damaged_is_told() {
    let factory = lived();
    factory.enroll(&[&managed("shop"), &external("db")]);
    factory.settle(LATER);
    let file = "state/images/db.yaml";
    factory.write(file, "{\n");
    let output = factory.run(&["retire", "db", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (exit, later) = factory.discover(LATER, &[]);
    assert_eq!(exit, 1, "{later:#}");
    for report in [report, later] {
        let told = report["diagnostics"].as_array().unwrap();
        assert_eq!(told.len(), 1, "{report:#}");
        assert_eq!(told[0]["file"], file);
        let help = told[0]["help"].as_str().unwrap();
        assert!(help.contains("delete it"), "{help}");
    }
    assert_eq!(factory.read(file), "{\n");
    fs::remove_file(factory.path(file)).unwrap();
    assert_eq!(factory.discover(LATER, &[]).0, 0);
}

#[test]
fn configuration_changes_and_changes_back() {
    let factory = lived();
    let before = factory.tree();
    let entry = managed("shop") + "    rebuildDelay: 30d\n    autoRebuild: false\n";
    factory.enroll(&[&entry]);
    factory.settle(LATER);
    let text = factory.read("state/images/shop.yaml");
    for line in [
        "rebuildDelay: 30d",
        "autoRebuild: false",
        "currentVersion: \"1.10\"",
        "on: 1.10",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(
        factory
            .read("dist/image-factory.k8s.yaml")
            .contains("requiredSoakTime: 720h")
    );
    factory.enroll(&[&managed("shop")]);
    factory.settle(LATER);
    let after = factory.tree();
    // What somebody wrote on one line is on two now.
    let differ: Vec<&String> = before
        .keys()
        .filter(|path| before[*path] != after[*path])
        .collect();
    assert_eq!(differ, ["state/images/shop.yaml"]);
}

#[test]
fn a_new_base_version_replaces_the_old_one_and_back() {
    let factory = lived();
    let node = factory.read("state/base-images/node-22.yaml");
    factory.dockerfile("shop", "FROM node:24 AS build\nFROM scratch\n");
    let (upstream, _) = factory.settle(LATER);
    assert_eq!(
        upstream,
        words(&[
            "Stage rebuild-shop",
            "Stage track-node-24",
            "Warehouse node-24"
        ])
    );
    assert_eq!(
        factory.files(),
        words(&[
            "state/_archive/base-images/node-22.yaml",
            "state/base-images/node-24.yaml",
            "state/images/shop.yaml",
        ])
    );
    assert_eq!(
        factory.read("state/_archive/base-images/node-22.yaml"),
        node
    );
    factory.dockerfile(
        "shop",
        "FROM docker.io/library/node:22 AS build\nFROM scratch\n",
    );
    factory.settle(LATER);
    assert_eq!(factory.read("state/base-images/node-22.yaml"), node);
}

#[test]
fn removed_and_enrolled_again_with_all_its_history() {
    let factory = lived();
    factory.settle(NOON);
    let before = factory.tree();
    factory.enroll(&[]);
    let (upstream, own) = factory.settle(LATER);
    assert!(
        upstream.is_empty() && own.is_empty(),
        "{upstream:?} {own:?}"
    );
    assert_eq!(
        factory.files(),
        words(&[
            "state/_archive/base-images/node-22.yaml",
            "state/_archive/images/shop.yaml",
        ])
    );
    factory.enroll(&[&managed("shop")]);
    factory.settle(LATER);
    assert_eq!(factory.tree(), before);
}

#[test]
fn check_says_what_would_change_and_writes_nothing() {
    let factory = lived();
    factory.dockerfile("shop", "FROM node:24\n");
    let before = factory.tree();
    let output = factory.run(&["discover", "--check"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("shop: built on node-24; no longer on node-22\n"),
        "{text}"
    );
    let program = env!("CARGO_BIN_EXE_image-factory");
    let last = format!("4 files would change; to change them, run: {program} discover\n");
    assert!(text.ends_with(&last), "{text}");
    assert_eq!(factory.tree(), before);
}

#[test]
fn one_that_fails_stops_nobody() {
    let factory = lived();
    factory
        .enroll(&[&managed("shop"), &managed("lib"), &managed("none")])
        .dockerfile("lib", "FROM alpine:3\nFRM x\n")
        .dockerfile("shop", "FROM node:24\n");
    let (exit, report) = factory.discover(LATER, &[]);
    assert_eq!(exit, 1);
    let status = |at: usize| report["images"][at]["status"].as_str().unwrap().to_owned();
    assert_eq!(
        [status(0), status(1), status(2)],
        ["success", "failed", "failed"]
    );
    let places: Vec<String> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| format!("{} {} {}", d["code"], d["file"], d["line"]))
        .collect();
    assert_eq!(
        places,
        [
            "\"IF200\" \"apps/lib/Dockerfile\" 2",
            "\"IF235\" \"images.yaml\" 15"
        ]
    );
    assert!(
        factory
            .read("state/images/none.yaml")
            .contains("there is no `apps/none/Dockerfile`")
    );
    let before = factory.tree();
    assert_eq!(factory.discover(LATER, &[]).0, 1);
    assert_eq!(factory.tree(), before);
}

#[test]
fn a_server_that_is_away_says_nothing_about_an_image() {
    let factory = lived();
    let before = factory.read("state/images/shop.yaml");
    // Nobody listens on port 1.
    let away = managed("shop").replace(
        "{repo: acme/factory,",
        "{repo: acme/shop, url: \"http://127.0.0.1:1/acme/shop.git\",",
    );
    factory
        .enroll(&[&away, &managed("lib")])
        .dockerfile("lib", "FROM alpine:3\n");
    let (exit, report) = factory.discover(LATER, &[]);
    assert_eq!(exit, 1, "{report:#}");
    let said = report["diagnostics"].as_array().unwrap();
    assert_eq!(said.len(), 1, "{report:#}");
    assert_eq!(said[0]["code"], "IF253", "{report:#}");
    let message = said[0]["message"].as_str().unwrap();
    assert!(message.contains("`shop` was not looked at"), "{message}");
    assert_eq!(factory.read("state/images/shop.yaml"), before);
    let lib = factory.read("state/images/lib.yaml");
    assert!(lib.contains("discoveryStatus: success"), "{lib}");
}

#[test]
fn a_wrong_enrollment_changes_nothing() {
    let factory = lived();
    let before = factory.tree();
    factory.write("images.yaml", "- name: A\n- nam: b\n");
    let (exit, report) = factory.discover(LATER, &[]);
    assert_eq!(exit, 2);
    assert!(report["diagnostics"].as_array().unwrap().len() > 1);
    assert_eq!(factory.tree(), before);
    factory.enroll(&[&managed("shop")]);
    for args in [
        &["shpo"][..],
        &["--source", "acme/other=."],
        &["--source", "acme/factory=nowhere"],
    ] {
        assert_eq!(factory.discover(LATER, args).0, 2, "{args:?}");
    }
    let output = factory.run(&["discover", "--reset-state"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(factory.tree(), before);
}

#[test]
fn a_checkout_can_stand_in_for_a_clone() {
    let factory = lived();
    let entry = managed("shop").replace("repo: acme/factory", "repo: acme/shop, branch: next");
    factory.enroll(&[&entry]);
    factory.write("there/apps/shop/Dockerfile", "FROM alpine:3\n");
    let (exit, report) = factory.discover(LATER, &["--source", "acme/shop=there"]);
    assert_eq!(exit, 0, "{report:#}");
    assert_eq!(report["images"][0]["bases"][0], "alpine-3");
    // Nothing outside of it is read.
    factory.write("secret", "FROM secret:1\n");
    fs::remove_file(factory.path("there/apps/shop/Dockerfile")).unwrap();
    std::os::unix::fs::symlink(
        "../../../secret",
        factory.path("there/apps/shop/Dockerfile"),
    )
    .unwrap();
    let (exit, report) = factory.discover(LATER, &["--source", "acme/shop=there"]);
    assert_eq!(exit, 1);
    assert_eq!(report["images"][0]["bases"][0], "alpine-3");
    let message = report["diagnostics"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("leads out of the checkout of `acme/shop`"),
        "{message}"
    );
}

#[test]
fn a_dockerfile_of_the_state_repository_is_used_instead() {
    let factory = lived();
    for (local, path) in [
        (
            "{dir: own/shop, dockerfile: Dockerfile}",
            "own/shop/Dockerfile",
        ),
        ("{dockerfile: own/Shopfile}", "own/Shopfile"),
    ] {
        let entry = managed("shop").replace("repo: acme/factory", "repo: acme/else");
        factory.enroll(&[&format!("{entry}    local: {local}\n")]);
        factory.write(path, &format!("FROM debian:{}\n", path.len()));
        let (exit, report) = factory.discover(LATER, &[]);
        assert_eq!(exit, 0, "{report:#}");
        assert_eq!(
            report["images"][0]["bases"][0],
            format!("debian-{}", path.len())
        );
    }
}

#[test]
fn a_damaged_state_file_is_left_until_its_image_is_reset() {
    let factory = lived();
    factory
        .enroll(&[&managed("shop"), &managed("lib")])
        .dockerfile("lib", "FROM alpine:3\n");
    for nonsense in [
        &b"name: shop\nbaseImages: 3\n"[..],
        b"\xff\xfe",
        b"a: [\n",
        b"name: other\n",
    ] {
        fs::write(factory.path("state/images/shop.yaml"), nonsense).unwrap();
        let (exit, report) = factory.discover(LATER, &[]);
        assert_eq!(exit, 1, "{report:#}");
        assert_eq!(report["images"][0]["status"], "damaged");
        assert_eq!(report["images"][1]["status"], "success");
        let told = report["diagnostics"].as_array().unwrap();
        assert!(
            told.iter().any(|d| d["file"] == "state/images/shop.yaml"),
            "{report:#}"
        );
        assert_eq!(
            fs::read(factory.path("state/images/shop.yaml")).unwrap(),
            nonsense
        );
        let (exit, report) = factory.discover(LATER, &["shop", "--reset-state"]);
        assert_eq!(exit, 0, "{report:#}");
        assert_eq!(factory.discover(LATER, &["--check"]).0, 0);
    }
}

#[test]
fn state_of_an_older_program_is_mended_once() {
    let factory = Factory::new();
    factory
        .enroll(&[&managed("shop")])
        .dockerfile("shop", "FROM ubuntu:22.04\n")
        .write(
            "state/images/shop.yaml",
            "name: shop\nenrolledAt: '2025-01-01T00:00:00.123456'\ndiscoveryStatus: discovered\nenrollment:\n  registry: ghcr.io\n  repository: acme/shop\n  source: {provider: github, repo: acme/factory, dockerfile: apps/shop/Dockerfile, branch: None}\nbaseImages:\n- ubuntu-22.04\ncurrentVersion: None\ncurrentDigest: None\n",
        )
        .write(
            "state/base-images/ubuntu-22.04.yaml",
            "name: ubuntu-22.04\nfullImage: ubuntu:22.04\nregistry: docker.io\nrepository: library/ubuntu\ntag: 22.04\nrepoURL: docker.io/library/ubuntu\nallowTags: ^22\\\\.04$\nimageSelectionStrategy: Lexical\ncurrentDigest: None\n",
        );
    let (exit, report) = factory.discover(NOON, &[]);
    assert_eq!(exit, 0, "{report:#}");
    let told = report["diagnostics"].as_array().unwrap();
    assert!(
        told.len() == 2 && told.iter().all(|d| d["code"] == "IF220"),
        "{report:#}"
    );
    assert!(
        factory
            .read("state/base-images/ubuntu-22.04.yaml")
            .contains("allowTags: ^22\\.04$\n")
    );
    let before = factory.tree();
    let (exit, report) = factory.discover(LATER, &[]);
    assert_eq!(
        (exit, report["diagnostics"].as_array().unwrap().len()),
        (0, 0)
    );
    assert_eq!(factory.tree(), before);
}

impl Factory {
    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=T", "-c", "user.email=t@example.com"])
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn state_and_manifests_are_one_commit() {
    let factory = Factory::new();
    factory
        .enroll(&[&managed("shop")])
        .dockerfile("shop", "FROM node:22\n");
    factory.git(&["init", "-q", "-b", "main"]);
    factory.git(&["config", "user.name", "T"]);
    factory.git(&["config", "user.email", "t@example.com"]);
    factory.git(&["add", "."]);
    factory.git(&["commit", "-qm", "Begin"]);
    let (exit, report) = factory.discover(NOON, &["--commit"]);
    assert_eq!(exit, 0, "{report:#}");
    let head = factory.git(&["rev-parse", "HEAD"]);
    assert_eq!(report["commit"], head.trim());
    let files = factory.git(&["show", "--name-only", "--format=%s", "HEAD"]);
    for line in [
        "Discover what is new about shop and 1 more",
        "dist/image-factory.k8s.yaml",
        "state/base-images/node-22.yaml",
        "state/images/shop.yaml",
    ] {
        assert!(
            files.lines().any(|it| it == line),
            "{line} is not in\n{files}"
        );
    }
    assert_eq!(factory.git(&["status", "--short"]), "");
    assert_eq!(factory.run(&["synth", "--check"]).status.code(), Some(0));
    let (exit, report) = factory.discover(LATER, &["--commit"]);
    assert_eq!((exit, &report["commit"]), (0, &Value::Null));
    assert_eq!(factory.git(&["rev-parse", "HEAD"]), head, "no empty commit");

    // What is on the disk only is not what the commit would be about.
    factory.dockerfile("shop", "FROM node:24\n");
    let (exit, report) = factory.discover(LATER, &["--commit"]);
    assert_eq!(exit, 2, "{report:#}");
    let message = report["diagnostics"][0]["message"].as_str().unwrap();
    assert!(message.contains("uncommitted changes"), "{message}");
    assert_eq!(factory.git(&["rev-parse", "HEAD"]), head);
}
