//! `rebuild` and `plan`: from a change to one request, and back to state.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::servers::hosts::{Fault, Host};
use super::servers::http::Answer;
use super::{err, out};

const NOW: &str = "2026-12-01T08:00:00Z";

const NODE: &str = "\
name: node-22
fullImage: node:22
registry: docker.io
repository: library/node
tag: \"22\"
repoURL: docker.io/library/node
allowTags: ^22$
imageSelectionStrategy: Lexical
firstDiscovered: \"2026-03-01T00:00:00Z\"
lastChecked: \"2026-03-01T00:00:00Z\"
dependentImages: [desk, shop]
currentDigest: D2
lastUpdated: \"2026-11-20T00:00:00Z\"
previousDigest: D1
metadata: {}
updateHistory:
  - {at: \"2026-11-20T00:00:00Z\", from: D1, to: D2}
";

fn digest(n: u8) -> String {
    format!("sha256:{n:064x}")
}

fn node() -> String {
    NODE.replace("D1", &digest(1)).replace("D2", &digest(2))
}

fn image(name: &str) -> String {
    format!(
        "name: {name}\nenrolledAt: \"2026-03-01T00:00:00Z\"\nlastDiscovery: null\ndiscoveryStatus: success\n\
         enrollment:\n  registry: ghcr.io\n  repository: acme/{name}\n  source:\n    repo: acme/shop\n\
         baseImages:\n  - node-22\ncurrentVersion: null\ncurrentDigest: null\nlastBuilt: \"2026-10-01T00:00:00Z\"\n\
         rebuildState:\n  status: monitoring\n  pendingRebuild: false\n"
    )
}

/// A factory with shop, which is due, and desk, which waits for a person.
struct Factory {
    folder: TempDir,
    host: Host,
}

impl Factory {
    fn new() -> Self {
        Self::with("", "")
    }

    /// With more settings, and more keys of both images.
    fn with(settings: &str, keys: &str) -> Self {
        let factory = Self {
            folder: tempfile::tempdir().unwrap(),
            host: Host::github(),
        };
        factory.enroll(&["shop", "desk"], settings, keys);
        factory.write("state/base-images/node-22.yaml", &node());
        factory.write("state/images/shop.yaml", &image("shop"));
        factory.write("state/images/desk.yaml", &image("desk"));
        factory
    }

    fn enroll(&self, images: &[&str], settings: &str, keys: &str) {
        let mut text = format!(
            "settings:\n  git: {{repo: 'https://github.com/acme/factory'}}\n  providers: {{github: {{api: '{}'}}}}\n{settings}images:\n",
            self.host.api()
        );
        for name in images {
            let auto = if *name == "desk" {
                ", autoRebuild: false"
            } else {
                ""
            };
            text.push_str(&format!(
                "- {{name: {name}, registry: ghcr.io, repository: acme/{name}, source: {{repo: acme/shop, workflow: shop.yml, dockerfile: {name}/Dockerfile}}{auto}{keys}}}\n"
            ));
        }
        self.write("images.yaml", &text);
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("factory")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    fn command(&self, name: &str, folder: &Path) -> Command {
        let mut command = Command::new(name);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GITHUB_TOKEN", "t0ken")
            .env("USER", "ada")
            .envs([
                ("GIT_AUTHOR_NAME", "somebody"),
                ("GIT_AUTHOR_EMAIL", "a@example.com"),
                ("GIT_COMMITTER_NAME", "somebody"),
                ("GIT_COMMITTER_EMAIL", "a@example.com"),
            ])
            .current_dir(folder);
        command
    }

    /// `image-factory rebuild …` at this time, as a command.
    fn rebuild_in(&self, folder: &Path, now: &str, words: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_image-factory"), folder);
        command.args(["rebuild", "--now", now]).args(words);
        command
    }

    fn at(&self, now: &str, words: &[&str]) -> Output {
        self.rebuild_in(&self.root(), now, words).output().unwrap()
    }

    fn rebuild(&self, words: &[&str]) -> Output {
        self.at(NOW, words)
    }

    fn git(&self, folder: &Path, words: &[&str]) -> String {
        let done = self.command("git", folder).args(words).output().unwrap();
        assert!(done.status.success(), "git {words:?}: {}", err(&done));
        out(&done).trim_end().to_owned()
    }

    /// Puts all of it into a commit, and a bare repository beside it.
    fn commit(&self) {
        let root = self.root();
        self.git(&root, &["init", "--quiet", "--initial-branch=main"]);
        self.git(&root, &["add", "--all"]);
        self.git(&root, &["commit", "--quiet", "--message=all"]);
        let remote = self.remote();
        let remote = remote.to_str().unwrap();
        self.git(&root, &["clone", "--quiet", "--bare", ".", remote]);
        self.git(&root, &["remote", "add", "origin", remote]);
        self.git(&root, &["fetch", "--quiet", "origin"]);
    }

    fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    /// Another checkout.
    fn clone(&self, name: &str) -> PathBuf {
        let remote = self.remote();
        let words = ["clone", "--quiet", remote.to_str().unwrap(), name];
        self.git(self.folder.path(), &words);
        self.folder.path().join(name)
    }

    /// What every push to the remote does from now on.
    fn hook(&self, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.remote().join("hooks/pre-receive");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The requests that started something, or wanted to.
    fn posts(&self) -> usize {
        let asked = self.host.asked();
        asked
            .iter()
            .filter(|asked| asked.starts_with("POST"))
            .count()
    }

    /// The state of shop that is pushed.
    fn pushed(&self) -> String {
        self.git(&self.remote(), &["show", "main:state/images/shop.yaml"])
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn exits(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}{}",
        out(output),
        err(output)
    );
}

#[test]
fn what_is_due_is_triggered_once_and_followed_to_its_end() {
    let factory = Factory::new();
    factory.commit();
    let push = ["--due", "--commit", "--push", "--format", "json"];
    let first = factory.rebuild(&push);
    exits(&first, 0);
    let whole = json(&first);
    assert_eq!(whole["now"], NOW);
    assert_eq!(whole["decisions"][0]["image"], "shop");
    assert_eq!(whole["decisions"][0]["action"], "rebuild");
    assert_eq!(whole["decisions"][1]["action"], "hold");
    assert_eq!(whole["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(whole["attempts"][0]["outcome"], "triggered");
    let posts: Vec<_> = factory
        .host
        .requests()
        .into_iter()
        .filter(|r| r.method == "POST")
        .collect();
    assert_eq!(posts.len(), 1);
    let body: Value = serde_json::from_slice(&posts[0].body).unwrap();
    assert_eq!(body["ref"], "main");
    assert_eq!(body["inputs"]["image"], "shop");
    assert_eq!(body["inputs"]["base_image"], "node-22");
    assert_eq!(body["inputs"]["base_digest"], digest(2));
    assert_eq!(body["inputs"]["attempt"], "1");
    let log = factory.git(&factory.remote(), &["log", "--format=%s", "-2", "main"]);
    assert_eq!(
        log,
        "Record that the rebuild of shop is triggered\nRebuild shop: node-22 changed"
    );
    assert!(factory.pushed().contains("outcome: triggered"));

    // Again, and again later: it is under way.
    for now in [NOW, "2026-12-01T09:00:00Z"] {
        let again = factory.at(now, &push);
        exits(&again, 0);
        assert_eq!(factory.posts(), 1);
    }
    let text = factory.pushed();
    assert!(
        text.contains("outcome: running") && text.contains("run: \"1001\""),
        "{text}"
    );
    factory.host.set(1001, "completed", Some("success"));
    let end = factory.at("2026-12-01T10:00:00Z", &push);
    exits(&end, 0);
    assert_eq!(json(&end)["attempts"][0]["outcome"], "succeeded");
    let text = factory.pushed();
    assert!(
        text.contains("outcome: succeeded") && text.contains("pendingRebuild: false"),
        "{text}"
    );
    assert!(
        text.contains(&format!("builtFrom:\n  node-22: {}", digest(2))),
        "{text}"
    );
    let commits = factory.git(&factory.remote(), &["rev-list", "--count", "main"]);
    exits(&factory.at("2026-12-01T11:00:00Z", &push), 0);
    assert_eq!(
        factory.git(&factory.remote(), &["rev-list", "--count", "main"]),
        commits
    );
    assert_eq!(factory.posts(), 1);
    factory.host.check();
}

#[test]
fn of_two_runs_at_once_one_triggers() {
    let factory = Factory::new();
    factory.commit();
    // Neither pushes before the other has made its commit, which would be the same one.
    let ready = factory.folder.path().join("ready");
    let both = format!(
        "n=$(date +%N)-$$; mkdir -p {0}; : > {0}/$n; i=0; while test $(ls {0} | wc -l) -lt 2 && test $i -lt 100; do sleep 0.1; i=$((i+1)); done",
        ready.display()
    );
    factory.hook(&both);
    let folders = [factory.clone("one"), factory.clone("two")];
    let words = [
        "shop",
        "--requested-by",
        "controller:kargo",
        "--commit",
        "--push",
    ];
    let started = folders.map(|folder| {
        let mut command = factory.rebuild_in(&folder, NOW, &words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // The same commit, to the second.
        command
            .env("GIT_AUTHOR_DATE", NOW)
            .env("GIT_COMMITTER_DATE", NOW);
        command.spawn().unwrap()
    });
    for child in started {
        exits(&child.wait_with_output().unwrap(), 0);
    }
    assert_eq!(factory.posts(), 1, "{:?}", factory.host.asked());
    assert_eq!(factory.pushed().matches("attempt: 1").count(), 2);
}

#[test]
fn an_attempt_that_may_have_been_asked_for_is_looked_up_first() {
    let requested = |at: &str| {
        image("shop").replace(
            "pendingRebuild: false\n",
            "pendingRebuild: true\n  attempt: 3\n",
        ) + &format!(
            "rebuildHistory:\n  - {{at: \"{at}\", attempt: 3, trigger: change, reasons: [], outcome: requested}}\n"
        )
    };
    // It was asked for, and its run is there.
    let factory = Factory::new();
    factory.write("state/images/shop.yaml", &requested("2026-12-01T07:50:00Z"));
    factory
        .host
        .add("image-factory shop #3", "2026-12-01T07:50:05Z");
    exits(&factory.rebuild(&["--due"]), 0);
    assert_eq!(factory.posts(), 0);
    assert!(
        factory
            .read("state/images/shop.yaml")
            .contains("outcome: running")
    );
    // It was not: the same attempt is asked for, not a second one.
    let factory = Factory::new();
    factory.write("state/images/shop.yaml", &requested("2026-12-01T07:50:00Z"));
    let done = factory.rebuild(&["--due"]);
    exits(&done, 0);
    let asked = factory.host.asked();
    assert!(
        asked[0].starts_with("GET") && asked.last().unwrap().starts_with("POST"),
        "{asked:?}"
    );
    assert_eq!(factory.posts(), 1);
    let text = factory.read("state/images/shop.yaml");
    assert!(
        text.contains("outcome: triggered") && !text.contains("attempt: 4"),
        "{text}"
    );
    // Whoever recorded it may be about to ask.
    let factory = Factory::new();
    factory.write("state/images/shop.yaml", &requested("2026-12-01T07:58:00Z"));
    let done = factory.rebuild(&["shop"]);
    exits(&done, 0);
    assert!(err(&done).contains("IF296"), "{}", err(&done));
    let from = "a run at 2026-12-01T08:03:00Z or later takes it over";
    assert!(err(&done).contains(from), "{}", err(&done));
    assert_eq!(factory.host.asked(), Vec::<String>::new());
    // Nobody will.
    let factory = Factory::new();
    factory.write("state/images/shop.yaml", &requested("2026-12-01T01:00:00Z"));
    exits(&factory.rebuild(&["shop", "--requested-by="]), 0);
    assert!(
        factory
            .read("state/images/shop.yaml")
            .contains("outcome: lost")
    );
}

#[test]
fn a_refusal_is_recorded_and_tried_again_later() {
    let factory = Factory::new();
    factory.host.fault(
        "POST",
        Fault::Instead(Answer::text(404, "{\"message\": \"Not Found\"}")),
    );
    let done = factory.rebuild(&["--due"]);
    exits(&done, 1);
    assert!(err(&done).contains("404"), "{}", err(&done));
    let text = factory.read("state/images/shop.yaml");
    assert!(
        text.contains("outcome: refused") && text.contains("detail: "),
        "{text}"
    );
    let soon = factory.at("2026-12-01T08:30:00Z", &["--due", "--format", "json"]);
    exits(&soon, 0);
    assert_eq!(json(&soon)["decisions"][0]["reasons"][0]["rule"], "backoff");
    assert_eq!(factory.posts(), 1);
    exits(&factory.at("2026-12-01T09:00:00Z", &["--due"]), 0);
    assert_eq!(factory.posts(), 2);
    assert!(
        factory
            .read("state/images/shop.yaml")
            .contains("attempt: 2")
    );
}

#[test]
fn a_failed_run_is_told_and_recorded() {
    let factory = Factory::new();
    exits(&factory.rebuild(&["--due"]), 0);
    factory.host.set(1001, "completed", Some("failure"));
    let done = factory.at("2026-12-01T08:20:00Z", &["--due", "--format", "json"]);
    exits(&done, 0);
    let whole = json(&done);
    assert_eq!(whole["attempts"][0]["outcome"], "failed");
    assert_eq!(whole["diagnostics"][0]["code"], "IF293");
    assert!(
        factory
            .read("state/images/shop.yaml")
            .contains("outcome: failed")
    );
}

#[test]
fn two_attempts_never_own_the_same_run() {
    let triggered = |name: &str, second: u8| {
        image(name).replace(
            "pendingRebuild: false\n",
            "pendingRebuild: true\n  attempt: 3\n",
        ) + &format!(
            "rebuildHistory:\n  - {{at: \"2026-12-01T07:50:0{second}Z\", attempt: 3, trigger: change, reasons: [], outcome: triggered}}\n"
        )
    };
    for orders in [
        &["--due"][..],
        &["shop desk --due"],
        &["shop --due", "desk --due"],
    ] {
        let factory = Factory::new();
        factory.write("state/images/shop.yaml", &triggered("shop", 0));
        factory.write("state/images/desk.yaml", &triggered("desk", 1));
        // They share a workflow, and no name tells their runs apart.
        let failed = factory.host.add("Build", "2026-12-01T07:56:02Z");
        let good = factory.host.add("Build", "2026-12-01T07:56:03Z");
        factory.host.set(failed, "completed", Some("failure"));
        factory.host.set(good, "completed", Some("success"));
        for order in orders {
            let words: Vec<&str> = order.split(' ').collect();
            exits(&factory.rebuild(&words), 0);
        }
        for (name, run, outcome) in [("shop", failed, "failed"), ("desk", good, "succeeded")] {
            let text = factory.read(&format!("state/images/{name}.yaml"));
            let has = |words: &str| text.contains(words);
            assert!(
                has(&format!("outcome: {outcome}")) && has(&format!("run: \"{run}\"")),
                "{orders:?}: {text}"
            );
        }
    }
}

#[test]
fn an_order_fails_if_the_images_own_state_cannot_be_read() {
    let factory = Factory::new();
    let wrong = "name: shop\nenrolledAt: not-a-time\n";
    factory.write("state/images/shop.yaml", wrong);
    factory.commit();
    factory.remote();
    let commit = ["--commit", "--push"];
    for (words, code) in [
        (&["shop"][..], 2),
        (&["shop", "--emergency", "--reason", "x"], 2),
        (&["shop", "--due"], 1),
        (&["shop", "desk", "--format", "json"], 1),
        // Of whatever is due it is one file among many.
        (&["--due"], 0),
        (&["desk", "--due"], 0),
    ] {
        let done = factory.rebuild(&[words, &commit[..]].concat());
        exits(&done, code);
        if words.contains(&"json") {
            let whole = json(&done);
            let all = whole["decisions"].as_array().unwrap();
            let acts = |one: &&Value| one["action"] == "rebuild";
            let names: Vec<&Value> = all.iter().filter(acts).map(|one| &one["image"]).collect();
            assert_eq!(names, ["desk"], "{whole}");
        } else {
            assert!(err(&done).contains("not-a-time"), "{}", err(&done));
        }
    }
    assert_eq!(factory.posts(), 1);
}

#[test]
fn an_image_held_from_rebuilds_waits_for_a_person() {
    let factory = Factory::new();
    let controller = factory.rebuild(&["desk", "--requested-by", "controller:kargo"]);
    exits(&controller, 0);
    assert_eq!(factory.posts(), 0);
    assert!(out(&controller).contains("hold"), "{}", out(&controller));
    exits(
        &factory.rebuild(&["desk", "--requested-by", "ada@example.com"]),
        0,
    );
    assert_eq!(factory.posts(), 1);
    let text = factory.read("state/images/desk.yaml");
    assert!(text.contains("requestedBy: ada@example.com"), "{text}");
    // Without a change a promotion means nothing, and an order at the terminal does.
    let quiet = Factory::new();
    quiet.write(
        "state/base-images/node-22.yaml",
        &node().replace("2026-11-20", "2026-09-20"),
    );
    exits(
        &quiet.rebuild(&["shop", "--requested-by", "ada@example.com"]),
        0,
    );
    assert_eq!(quiet.posts(), 0);
    exits(&quiet.rebuild(&["shop"]), 0);
    assert_eq!(quiet.posts(), 1);
    assert!(
        quiet
            .read("state/images/shop.yaml")
            .contains("requestedBy: ada\n")
    );
}

#[test]
fn a_freeze_holds_all_but_emergencies() {
    let freeze =
        "  freeze: [{from: '2026-11-30T00:00:00Z', to: '2026-12-03T00:00:00Z', reason: sale}]\n";
    let factory = Factory::with(freeze, "");
    exits(&factory.rebuild(&["--due"]), 0);
    let ordered = factory.rebuild(&["shop"]);
    exits(&ordered, 1);
    assert!(
        err(&ordered).contains("IF291") && err(&ordered).contains("sale"),
        "{}",
        err(&ordered)
    );
    assert_eq!(factory.posts(), 0);
    exits(&factory.rebuild(&["shop", "--emergency"]), 2);
    exits(
        &factory.rebuild(&["shop", "--emergency", "--reason", "a\nb"]),
        2,
    );
    exits(
        &factory.rebuild(&["--due", "--emergency", "--reason", "x"]),
        2,
    );
    let words = [
        "shop",
        "--emergency",
        "--reason",
        "CVE-2026-1: <b>\"now\"</b>",
    ];
    exits(&factory.rebuild(&words), 0);
    let text = factory.read("state/images/shop.yaml");
    assert!(
        text.contains("emergencies: 1") && text.contains("trigger: emergency"),
        "{text}"
    );
    assert!(
        text.contains("requestedBy: ada") && text.contains("<b>"),
        "{text}"
    );
    let posts: Vec<_> = factory
        .host
        .requests()
        .into_iter()
        .filter(|r| r.method == "POST")
        .collect();
    let body: Value = serde_json::from_slice(&posts[0].body).unwrap();
    let reason = body["inputs"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("CVE-2026-1: b now /b") && !reason.contains('<'),
        "{reason}"
    );
}

#[test]
fn what_is_over_the_limit_waits() {
    let factory = Factory::with("  limits: {concurrent: 1}\n", "");
    exits(&factory.rebuild(&["shop"]), 0);
    let over = factory.rebuild(&["desk"]);
    exits(&over, 1);
    assert!(err(&over).contains("IF291"), "{}", err(&over));
    assert_eq!(factory.posts(), 1);
}

#[test]
fn a_first_installation_triggers_nothing() {
    let factory = Factory::new();
    let first = node().split("lastUpdated").next().unwrap().to_owned() + "lastUpdated: null\n";
    factory.write("state/base-images/node-22.yaml", &first);
    exits(&factory.rebuild(&["--due"]), 0);
    assert_eq!(factory.posts(), 0);
    assert_eq!(factory.read("state/images/shop.yaml"), image("shop"));
}

#[test]
fn an_image_that_is_not_enrolled_any_more_starts_nothing() {
    let factory = Factory::new();
    exits(&factory.rebuild(&["--due"]), 0);
    factory.enroll(&["desk"], "", "");
    let named = factory.rebuild(&["shop", "--requested-by", "ada"]);
    exits(&named, 0);
    assert!(err(&named).contains("IF290"), "{}", err(&named));
    exits(&factory.at("2026-12-01T15:00:00Z", &["--due"]), 0);
    assert!(
        factory
            .read("state/images/shop.yaml")
            .contains("outcome: expired")
    );
    assert_eq!(factory.posts(), 1);
    exits(&factory.rebuild(&["nobody"]), 2);
}

#[test]
fn nothing_is_sent_if_the_start_cannot_be_pushed() {
    let factory = Factory::new();
    factory.commit();
    factory.hook("exit 1");
    let done = factory.rebuild(&["--due", "--commit", "--push"]);
    exits(&done, 2);
    assert_eq!(factory.host.asked(), Vec::<String>::new());
    let proposed = factory.rebuild(&["--due", "--commit", "--push", "--pull-request"]);
    exits(&proposed, 2);
    assert!(err(&proposed).contains("IF295"), "{}", err(&proposed));
}

#[test]
fn what_was_sent_and_cannot_be_pushed_is_said_and_found_again() {
    let factory = Factory::new();
    factory.commit();
    // The first push passes, the second does not.
    factory.hook("test ! -e pushed && touch pushed");
    let done = factory.rebuild(&["--due", "--commit", "--push"]);
    exits(&done, 1);
    assert!(
        err(&done).contains("IF294") && err(&done).contains("shop #1: triggered"),
        "{}",
        err(&done)
    );
    assert_eq!(factory.posts(), 1);
    assert!(factory.pushed().contains("outcome: requested"));
    factory.hook("exit 0");
    let later = factory.clone("later");
    let mut command = factory.rebuild_in(
        &later,
        "2026-12-01T08:10:00Z",
        &["--due", "--commit", "--push"],
    );
    exits(&command.output().unwrap(), 0);
    assert_eq!(factory.posts(), 1);
    let text = factory.pushed();
    assert!(
        text.contains("outcome: running") && !text.contains("attempt: 2"),
        "{text}"
    );
}

#[test]
fn a_dry_run_asks_nobody_and_changes_nothing() {
    let factory = Factory::new();
    let before = factory.read("state/images/shop.yaml");
    let done = factory.rebuild(&["--due", "--dry-run", "--format", "json"]);
    exits(&done, 0);
    let whole = json(&done);
    assert_eq!(whole["requests"][0]["inputs"]["base_digest"], digest(2));
    assert_eq!(whole["requests"][0]["attempt"], 1);
    assert_eq!(whole["attempts"].as_array().unwrap().len(), 0);
    assert_eq!(factory.host.asked(), Vec::<String>::new());
    assert_eq!(factory.read("state/images/shop.yaml"), before);
}

#[test]
fn a_registry_that_is_away_holds_no_trigger() {
    let factory = Factory::with("  registries: {docker.io: {insecure: false}}\n", "");
    let text = factory.read("state/base-images/node-22.yaml");
    let away = text.replace(
        "repoURL: docker.io/library/node",
        "repoURL: 127.0.0.1:9/library/node",
    );
    factory.write("state/base-images/node-22.yaml", &away);
    let done = factory.rebuild(&["shop", "--resolve"]);
    exits(&done, 0);
    assert!(err(&done).contains("warning"), "{}", err(&done));
    assert_eq!(factory.posts(), 1);
}

#[test]
fn without_a_token_no_attempt_is_recorded() {
    let factory = Factory::new();
    let before = factory.read("state/images/shop.yaml");
    for words in [&["--due"][..], &["shop"]] {
        let mut command = factory.rebuild_in(&factory.root(), NOW, words);
        let done = command.env_remove("GITHUB_TOKEN").output().unwrap();
        exits(&done, 2);
        let said = err(&done);
        assert!(
            said.contains("error[IF322]: nothing is triggered on GitHub"),
            "{said}"
        );
        assert_eq!(said.matches("IF322").count(), 1, "{said}");
        assert_eq!(factory.read("state/images/shop.yaml"), before);
    }
    assert_eq!(factory.host.asked(), Vec::<String>::new());
    exits(&factory.rebuild(&["--due"]), 0);
    assert_eq!(factory.posts(), 1);
}

#[test]
fn waiting_follows_a_run_to_its_end() {
    let factory = Factory::new();
    let mut command = factory.rebuild_in(&factory.root(), NOW, &["shop", "--wait"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while factory.host.inside.lock().unwrap().runs.is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    factory.host.set(1001, "completed", Some("success"));
    exits(&child.wait_with_output().unwrap(), 0);
    assert!(
        factory
            .read("state/images/shop.yaml")
            .contains("outcome: succeeded")
    );
}

#[test]
fn inputs_that_a_workflow_does_not_know_are_left_out() {
    let factory = Factory::new();
    factory.host.inside.lock().unwrap().declared = Some(vec!["image".into(), "attempt".into()]);
    exits(&factory.rebuild(&["--due"]), 0);
    assert_eq!(factory.posts(), 2);
    assert!(
        factory
            .read("state/images/shop.yaml")
            .contains("outcome: triggered")
    );
    factory.host.check();
}

/// The example repository, and what its registries showed since.
fn example() -> TempDir {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &Path, to: &str| {
        let to = folder.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    copy(&here.join("../images.yaml"), "images.yaml");
    for kind in ["images", "base-images"] {
        let state = here.join("tests/golden/rebuild/state").join(kind);
        for entry in fs::read_dir(state).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            copy(&path, &format!("state/{kind}/{name}"));
        }
    }
    folder
}

#[test]
fn the_example_is_planned_at_three_times_and_the_docs_show_it() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = example();
    let docs = here.join("../docs/plan.md");
    let mut page = fs::read_to_string(&docs).unwrap();
    for day in ["2026-11-25", "2026-11-28", "2026-12-01"] {
        let mut text = String::new();
        let now = format!("{day}T00:00:00Z");
        let plan = ["plan", "--now", &now];
        let dry = ["rebuild", "--due", "--dry-run", "--now", &now];
        for words in [&plan[..], &dry[..]] {
            let mut program = Command::new(env!("CARGO_BIN_EXE_image-factory"));
            let done = program
                .args(words)
                .env_clear()
                .current_dir(folder.path())
                .output()
                .unwrap();
            exits(&done, 0);
            assert_eq!(err(&done), "");
            text.push_str(&format!(
                "$ image-factory {}\n{}",
                words.join(" "),
                out(&done)
            ));
        }
        let golden = here.join(format!("tests/golden/rebuild/{day}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let old = fs::read_to_string(&golden).unwrap();
            page = page.replace(&old, &text);
            fs::write(&docs, &page).unwrap();
            fs::write(&golden, &text).unwrap();
        }
        assert_eq!(text, fs::read_to_string(&golden).unwrap(), "{day}");
        assert!(
            page.contains(&text),
            "docs/plan.md does not show {day} as it is"
        );
    }
}

#[test]
fn plan_and_status_give_one_answer_and_look_ahead_only() {
    let factory = Factory::new();
    let run = |words: &[&str]| {
        let root = factory.root();
        let mut command = factory.command(env!("CARGO_BIN_EXE_image-factory"), &root);
        let done = command.args(words).output().unwrap();
        exits(&done, 0);
        done
    };
    // The base changed on 20 November.
    for (now, back) in [
        ("2026-11-19T00:00:00Z", true),
        ("2026-11-20T00:00:00Z", false),
        ("2026-12-30T00:00:00Z", false),
    ] {
        let planned = run(&["plan", "--now", now, "--format", "json"]);
        let told = json(&planned)["diagnostics"].to_string();
        assert_eq!(told.matches("IF297").count(), usize::from(back), "{told}");
        let stands = run(&["status", "--now", now, "--format", "json"]);
        let (planned, stands) = (json(&planned), json(&stands));
        let decisions = planned["decisions"].as_array().unwrap();
        assert_eq!(decisions.len(), 2);
        for decision in decisions {
            let rows = stands["images"].as_array().unwrap().iter();
            let mut same = rows.filter(|row| row["name"] == decision["image"]);
            let row = same.next().unwrap();
            for key in ["action", "at", "after", "emergency"] {
                assert_eq!(row[key], decision[key], "{now} {key}");
            }
            assert_eq!(row["rule"], decision["reasons"][0]["rule"], "{now}");
        }
    }
    let told = err(&run(&["plan", "--now", "2026-11-19T00:00:00Z"]));
    assert!(
        told.contains("later than --now, up to 2026-11-20T00:00:00Z"),
        "{told}"
    );
    let stands = out(&run(&["status", "--now", NOW]));
    assert!(stands.contains("0 waiting, 1 held"), "{stands}");
}

#[test]
fn what_was_written_is_said_once() {
    let factory = Factory::new();
    let done = factory.rebuild(&["shop"]);
    exits(&done, 0);
    let text = out(&done);
    assert_eq!(text.matches("written").count(), 1, "{text}");
    assert!(text.ends_with("1 file written\n"), "{text}");
}
