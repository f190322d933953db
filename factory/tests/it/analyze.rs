//! `analyze` as a Job runs it: from a clone of the factory, one image, one line of JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::servers::git::{Fault, GitServer, Repository, git};
use crate::servers::http::{Answer, Server};

const DOCKERFILE: &str =
    "FROM node:22-bookworm-slim AS build\nFROM debian:bookworm-slim\nCOPY --from=build /app /app\n";

fn digest(of: char) -> String {
    format!("sha256:{}", of.to_string().repeat(64))
}

/// A factory's repository and one of apps, served with a password.
struct Scene {
    server: GitServer,
    factory: Repository,
    apps: Repository,
    folder: TempDir,
    /// Answers for images that were built.
    registry: Server,
    prefix: &'static str,
}

impl Scene {
    fn new(prefix: &'static str) -> Self {
        let server = GitServer::start();
        let factory = server.repository("acme/factory");
        let apps = server.repository("acme/apps");
        let registry = Server::start(|_| Answer::text(503, "no\n"));
        let scene = Self {
            factory,
            apps,
            folder: tempfile::tempdir().unwrap(),
            registry,
            server,
            prefix,
        };
        scene.server.protect("/", Some("robot"), "pa55word");
        scene.apps.commit(
            "main",
            &[
                ("shop/Dockerfile", DOCKERFILE),
                ("crawler/Dockerfile", "FROM scratch\n"),
            ],
        );
        let images = scene.images(&[
            ("shop", "shop/Dockerfile"),
            ("crawler", "crawler/Dockerfile"),
        ]);
        scene
            .factory
            .commit("main", &[(&format!("{prefix}images.yaml"), &images)]);
        scene
    }

    fn images(&self, images: &[(&str, &str)]) -> String {
        let registry = self.registry.url().replace("http://", "");
        let mut text = format!(
            "settings:\n  git: {{repo: '{}', path: '{}'}}\nimages:\n  - {{name: cache, registry: docker.io, repository: library/redis, allowTags: '^7$'}}\n",
            self.server.address("acme/factory"),
            if self.prefix.is_empty() {
                "."
            } else {
                self.prefix.trim_end_matches('/')
            },
        );
        for (name, dockerfile) in images {
            text.push_str(&format!(
                "  - {{name: {name}, registry: '{registry}', repository: acme/{name}, source: {{repo: acme/apps, url: '{}', dockerfile: {dockerfile}}}}}\n",
                self.server.address("acme/apps"),
            ));
        }
        text
    }

    fn job(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let helper =
            r#"!f() { printf 'username=%s\npassword=%s\n' "$GIT_USERNAME" "$GIT_PASSWORD"; }; f"#;
        command
            .env_clear()
            .current_dir(self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_COUNT", "1")
            .env(
                "GIT_CONFIG_KEY_0",
                format!("credential.{}.helper", self.server.url()),
            )
            .env("GIT_CONFIG_VALUE_0", helper)
            .env("GIT_USERNAME", "robot")
            .env("GIT_PASSWORD", "pa55word");
        command
    }

    fn clone(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        let cloned = self
            .job("git")
            .args([
                "clone",
                "--quiet",
                "--depth=1",
                "--no-tags",
                "--single-branch",
                "--branch",
                "main",
                "--",
            ])
            .arg(self.server.address("acme/factory"))
            .arg(&folder)
            .status();
        assert!(cloned.unwrap().success());
        folder.join(self.prefix.trim_end_matches('/'))
    }

    /// Analyses shop 1.10 with the flags of a rendered Job, and some more.
    fn analyze(&self, root: &Path, more: &[&str]) -> Output {
        let mut arguments: Vec<String> = [
            ("image", "shop"),
            ("tag", "1.10"),
            ("digest", &digest('a')),
            ("dockerfile", "shop/Dockerfile"),
            ("source-repo", "acme/apps"),
            ("source-provider", "github"),
            ("source-commit", ""),
            ("git-repo", &self.server.address("acme/factory")),
            ("git-branch", "main"),
            ("image-factory-dir", root.to_str().unwrap()),
            ("freight", "f0f0"),
        ]
        .iter()
        .filter(|(flag, _)| {
            !more
                .iter()
                .any(|word| word.starts_with(&format!("--{flag}=")))
        })
        .map(|(flag, value)| format!("--{flag}={value}"))
        .collect();
        arguments.extend(more.iter().map(|word| (*word).to_owned()));
        let output = self
            .job(env!("CARGO_BIN_EXE_image-factory"))
            .args(["--now", "2026-03-02T08:00:00Z", "analyze"])
            .args(arguments)
            .output()
            .unwrap();
        let all = [output.stdout.as_slice(), &output.stderr].concat();
        assert!(!String::from_utf8_lossy(&all).contains("pa55word"));
        output
    }

    fn state(&self, path: &str) -> String {
        self.factory
            .show("main", &format!("{}state/{path}.yaml", self.prefix))
    }

    fn count(&self) -> usize {
        self.factory
            .git(&["rev-list", "--count", "main"])
            .parse()
            .unwrap()
    }
}

/// The last line of standard output.
fn line(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn clean(root: &Path) -> bool {
    let output = git(root).args(["status", "--porcelain"]).output().unwrap();
    output.status.success() && output.stdout.is_empty()
}

#[test]
fn a_build_is_read_recorded_committed_and_pushed() {
    for prefix in ["", "deploy/factory/"] {
        let scene = Scene::new(prefix);
        let root = scene.clone("job");
        let output = scene.analyze(&root, &["--commit", "--push"]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        let said = line(&output);
        let head = scene.factory.head("main").unwrap();
        for (key, value) in [
            ("image", json!("shop")),
            ("tag", json!("1.10")),
            ("digest", json!(digest('a'))),
            ("status", json!("success")),
            ("error", Value::Null),
            ("sourceCommit", json!(scene.apps.head("main"))),
            (
                "bases",
                json!(["debian-bookworm-slim", "node-22-bookworm-slim"]),
            ),
            ("freight", json!("f0f0")),
            ("changed", json!(true)),
            ("commit", json!(head)),
            ("pushed", json!(true)),
            ("attempts", json!(1)),
        ] {
            assert_eq!(said[key], value, "{key}: {said}");
        }
        let state = scene.state("images/shop");
        for expected in [
            "currentVersion: \"1.10\"",
            &format!("currentDigest: {}", digest('a')),
            "discoveryStatus: success",
        ] {
            assert!(state.contains(expected), "{expected}: {state}");
        }
        assert!(
            scene
                .state("base-images/node-22-bookworm-slim")
                .contains("- shop")
        );
        // Nobody else was looked at.
        let files = scene.factory.git(&["ls-tree", "-r", "--name-only", "main"]);
        assert!(!files.contains("crawler"), "{files}");
        // The manifests followed, in the same commit.
        let show = scene
            .factory
            .show("main", &format!("{prefix}dist/image-factory.k8s.yaml"));
        assert!(show.contains("name: track-node-22-bookworm-slim"));
        assert_eq!(scene.count(), 2);
        assert!(clean(&root));
        let message = scene
            .factory
            .git(&["log", "-1", "--format=%an%n%B", "main"]);
        let registry = scene.registry.url().replace("http://", "");
        let apps = scene.apps.head("main").unwrap();
        assert_eq!(
            message,
            format!(
                "Image Factory Bot\nAnalyze shop 1.10\n\nA new build was published: Freight f0f0.\n\n- Image: {registry}/acme/shop:1.10@{}\n- Dockerfile: shop/Dockerfile of acme/apps at {apps}\n- Base: debian-bookworm-slim\n- Base: node-22-bookworm-slim\n- Added: debian-bookworm-slim\n- Added: node-22-bookworm-slim\n\nRecorded-by: image-factory {}",
                digest('a'),
                env!("CARGO_PKG_VERSION")
            )
        );
        // The same once more: nothing new, no commit.
        let again = scene.analyze(&root, &["--commit", "--push"]);
        assert_eq!(again.status.code(), Some(0), "{}", err(&again));
        assert_eq!(
            (&line(&again)["changed"], &line(&again)["commit"]),
            (&json!(false), &Value::Null)
        );
        assert_eq!(scene.count(), 2);
        // A registry that gives no answer is told, and no more.
        assert!(err(&output).contains("warning"), "{}", err(&output));
    }
}

#[test]
fn empty_values_are_no_values() {
    let scene = Scene::new("");
    let root = scene.clone("job");
    let output = scene.analyze(
        &root,
        &[
            "--tag=",
            "--digest=",
            "--dockerfile=",
            "--source-repo=",
            "--source-provider=",
            "--git-repo=",
            "--git-branch=",
            "--freight=",
            "--commit",
            "--push",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = line(&output);
    assert_eq!(
        (&said["tag"], &said["digest"], &said["freight"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert!(scene.state("images/shop").contains("currentDigest: null"));
    assert!(!err(&output).contains("IF311"));
}

#[test]
fn the_source_is_read_at_the_commit_that_is_named() {
    let scene = Scene::new("");
    let old = scene.apps.head("main").unwrap();
    scene
        .apps
        .commit("main", &[("shop/Dockerfile", "FROM alpine:3.20\n")]);
    let root = scene.clone("job");
    let output = scene.analyze(&root, &["--commit", &format!("--source-commit={old}")]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(
        line(&output)["bases"],
        json!(["debian-bookworm-slim", "node-22-bookworm-slim"])
    );
    assert_eq!(line(&output)["pushed"], json!(false));
    assert_eq!(scene.count(), 1, "not pushed");
    let newest = scene.analyze(&root, &["--commit", "--push"]);
    assert_eq!(line(&newest)["bases"], json!(["alpine-3.20"]));
    assert_eq!(
        line(&newest)["removed"],
        json!(["debian-bookworm-slim", "node-22-bookworm-slim"])
    );
    assert_eq!(scene.count(), 3);
}

#[test]
fn the_factorys_own_repository_is_read_at_a_commit_and_not_on_the_disk() {
    let scene = Scene::new("");
    let images = scene.images(&[])
        + &format!(
            "  - {{name: shop, registry: ghcr.io, repository: acme/shop, source: {{repo: acme/factory, url: '{}', dockerfile: shop/Dockerfile}}}}\n",
            scene.server.address("acme/factory")
        );
    let old = scene.factory.commit(
        "main",
        &[
            ("images.yaml", &images),
            ("shop/Dockerfile", "FROM old:1\n"),
        ],
    );
    scene
        .factory
        .commit("main", &[("shop/Dockerfile", "FROM new:2\n")]);
    let root = scene.clone("job");
    fs::write(root.join("shop/Dockerfile"), "FROM disk:3\n").unwrap();
    let head = scene.analyze(&root, &["--commit", "--digest="]);
    assert_eq!(line(&head)["bases"], json!(["new-2"]), "{}", err(&head));
    assert!(err(&head).contains("`--tag` is given without `--digest`"));
    // Not in this clone of one commit, but at its origin.
    let named = scene.analyze(
        &root,
        &["--commit", "--digest=", &format!("--source-commit={old}")],
    );
    assert_eq!(line(&named)["bases"], json!(["old-1"]), "{}", err(&named));
}

#[test]
fn a_dockerfile_that_cannot_be_read_is_a_result_with_a_commit_and_a_no_without() {
    let scene = Scene::new("");
    scene
        .apps
        .commit("main", &[("shop/Dockerfile", "FROM a:1\nRUN x\nFRM b\n")]);
    let images = scene.images(&[
        ("shop", "shop/Dockerfile"),
        ("crawler", "missing/Dockerfile"),
    ]);
    scene.factory.commit("main", &[("images.yaml", &images)]);
    let root = scene.clone("job");
    let output = scene.analyze(&root, &["--commit", "--push"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(line(&output)["status"], "failed");
    assert!(
        err(&output).contains("shop/Dockerfile:3"),
        "{}",
        err(&output)
    );
    let state = scene.state("images/shop");
    assert!(state.contains("discoveryStatus: failed"), "{state}");
    assert!(state.contains("currentVersion: \"1.10\""), "{state}");

    let crawler = ["--image=crawler", "--dockerfile=missing/Dockerfile"];
    let missing = scene.analyze(&root, &[&crawler[..], &["--commit", "--push"]].concat());
    assert_eq!(missing.status.code(), Some(0), "{}", err(&missing));
    assert!(
        line(&missing)["error"]
            .as_str()
            .unwrap()
            .contains("`missing`")
    );
    let subject = scene.factory.git(&["log", "-1", "--format=%s", "main"]);
    assert_eq!(
        subject,
        "Analyze crawler 1.10: its Dockerfile cannot be read"
    );

    let dry = scene.analyze(&scene.clone("other"), &crawler);
    assert_eq!(dry.status.code(), Some(1));
    assert_eq!(line(&dry)["status"], "failed");
}

#[test]
fn surroundings_that_fail_record_nothing() {
    let scene = Scene::new("");
    let root = scene.clone("job");
    // The server of the sources wants another password.
    scene.server.protect("/acme/apps", Some("robot"), "other");
    let denied = scene.analyze(&root, &["--commit", "--push"]);
    assert_eq!(denied.status.code(), Some(2), "{}", err(&denied));
    assert_eq!(line(&denied)["status"], "error");
    scene
        .server
        .protect("/acme/apps", Some("robot"), "pa55word");
    let scene = Scene::new("");
    let root = scene.clone("job");
    scene
        .server
        .fault("git-receive-pack", 1000, Fault::Status(403));
    let refused = scene.analyze(&root, &["--commit", "--push"]);
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
    assert_eq!(line(&refused)["commit"], Value::Null);
    assert!(clean(&root));
    assert_eq!(scene.count(), 1);
}

#[test]
fn who_cannot_be_analysed_is_a_no_with_its_reason() {
    let scene = Scene::new("");
    let root = scene.clone("job");
    for (image, code, says) in [
        ("shpo", 1, "no image `shpo` is enrolled"),
        ("cache", 1, "external"),
        ("../evil", 2, "--image"),
        ("", 2, "--image"),
    ] {
        let output = scene.analyze(&root, &[&format!("--image={image}"), "--commit", "--push"]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{image}: {}",
            err(&output)
        );
        assert!(err(&output).contains(says), "{image}: {}", err(&output));
        assert_eq!(line(&output)["status"], "error");
    }
    for (flag, says) in [
        ("--digest=sha256:12", "digest"),
        ("--tag=a b", "tag"),
        ("--source-commit=--upload-pack=x", "commit"),
        ("--git-branch=-x", "git-branch"),
        ("--git-repo=ext::sh -c id", "git-repo"),
    ] {
        let output = scene.analyze(&root, &[flag, "--commit", "--push"]);
        assert_eq!(output.status.code(), Some(2), "{flag}");
        assert!(err(&output).contains(says), "{flag}: {}", err(&output));
    }
    // Taken out of images.yaml after this clone was made.
    scene.factory.commit(
        "main",
        &[(
            "images.yaml",
            &scene.images(&[("crawler", "crawler/Dockerfile")]),
        )],
    );
    let output = scene.analyze(&root, &["--commit", "--push"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert_eq!(scene.count(), 2);
    assert!(clean(&root));
}

#[test]
fn a_damaged_state_file_is_named_and_left() {
    let scene = Scene::new("");
    let nonsense = "name: shop\nenrolledAt: [1, 2\n";
    scene
        .factory
        .commit("main", &[("state/images/shop.yaml", nonsense)]);
    let root = scene.clone("job");
    let output = scene.analyze(&root, &["--commit", "--push"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(
        err(&output).contains("state/images/shop.yaml:"),
        "{}",
        err(&output)
    );
    assert_eq!(line(&output)["commit"], Value::Null);
    assert_eq!(scene.state("images/shop"), nonsense.trim_end());
    // The others go on.
    let other = [
        "--image=crawler",
        "--dockerfile=crawler/Dockerfile",
        "--commit",
        "--push",
    ];
    let output = scene.analyze(&root, &other);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(
        scene
            .state("images/crawler")
            .contains("discoveryStatus: success")
    );
    assert_eq!(scene.state("images/shop"), nonsense.trim_end());
}

#[test]
fn images_yaml_wins_over_arguments_with_a_warning() {
    let scene = Scene::new("");
    let root = scene.clone("job");
    let output = scene.analyze(
        &root,
        &[
            "--dockerfile=other/Dockerfile",
            "--source-repo=evil/apps",
            "--git-branch=trunk",
            "--commit",
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(err(&output).matches("IF311").count(), 3, "{}", err(&output));
    assert_eq!(
        line(&output)["bases"],
        json!(["debian-bookworm-slim", "node-22-bookworm-slim"])
    );
}

#[test]
fn a_folder_that_is_not_there_is_cloned() {
    let scene = Scene::new("");
    let root = scene.folder.path().join("made/here");
    let output = scene.analyze(&root, &["--commit", "--push"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(root.join("state/images/shop.yaml").is_file());
    assert_eq!(scene.count(), 2);
    let nowhere = scene.folder.path().join("nowhere");
    let repo = format!("--git-repo={}", scene.server.address("acme/none"));
    let output = scene.analyze(&nowhere, &[&repo, "--commit", "--push"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert!(err(&output).contains("IF312"), "{}", err(&output));
    let output = scene.analyze(&nowhere, &["--git-repo=", "--commit", "--push"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
}

#[test]
fn without_a_commit_the_files_are_written() {
    let scene = Scene::new("");
    let root = scene.clone("job");
    let output = scene.analyze(&root, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(line(&output)["diagnostics"].is_array());
    assert!(root.join("state/images/shop.yaml").is_file());
    assert_eq!(scene.count(), 1);
    // With one, they are in the way.
    let output = scene.analyze(&root, &["--commit"]);
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
    assert!(
        err(&output).contains("state/images/shop.yaml"),
        "{}",
        err(&output)
    );
}

#[test]
fn what_the_image_says_of_itself_is_recorded() {
    let scene = Scene::new("");
    let root = scene.clone("job");
    drop(scene.analyze(&root, &["--commit", "--digest="]));
    // The registry of this scene knows one image.
    let config = json!({"architecture": "amd64", "os": "linux", "created": "2026-03-01T07:00:00Z",
        "config": {"Labels": {"org.opencontainers.image.base.name": "docker.io/library/debian:bookworm-slim",
                              "org.opencontainers.image.base.digest": digest('d')}}})
    .to_string();
    let hash = |text: &str| format!("sha256:{}", sha256(text.as_bytes()));
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": hash(&config), "size": config.len()},
        "layers": []})
    .to_string();
    let built = hash(&manifest);
    let wanted = built.clone();
    let registry = Server::start(move |request| {
        if request.path.ends_with(&wanted) {
            Answer::text(200, &manifest)
                .with("docker-content-digest", &wanted)
                .with("content-type", "application/vnd.oci.image.manifest.v1+json")
        } else if request.path.contains("/blobs/") {
            Answer::text(200, &config)
        } else {
            Answer::text(404, "{}")
        }
    });
    let images = fs::read_to_string(root.join("images.yaml")).unwrap();
    let here = |server: &Server| server.url().replace("http://", "");
    fs::write(
        root.join("images.yaml"),
        images.replace(&here(&scene.registry), &here(&registry)),
    )
    .unwrap();
    let output = scene.analyze(&root, &[&format!("--digest={built}")]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let state = fs::read_to_string(root.join("state/images/shop.yaml")).unwrap();
    assert!(
        state.contains("lastBuilt: \"2026-03-01T07:00:00Z\""),
        "{state}"
    );
    assert_eq!(
        line(&output)["builtFrom"]["debian-bookworm-slim"],
        digest('d'),
        "{}",
        line(&output)
    );
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn a_run_that_is_killed_leaves_a_checkout_that_can_be_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("git"))
        .find(|path| path.is_file())
        .unwrap();
    let scene = Scene::new("");
    for at in [
        "fast-import",
        "mktree",
        "commit-tree",
        "push",
        "update-index",
        "read-tree",
        "update-ref",
    ] {
        // One more build, so that there is something to record each time.
        let tag = format!("--tag=1.{}", scene.count());
        let root = scene.clone(at);
        let bin = scene.folder.path().join(format!("bin-{at}"));
        fs::create_dir(&bin).unwrap();
        let script = format!(
            "#!/bin/sh\nfor word in \"$@\"; do if [ \"$word\" = {at} ]; then kill -9 $PPID; sleep 5; fi; done\nexec {} \"$@\"\n",
            real.display()
        );
        fs::write(bin.join("git"), script).unwrap();
        fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::join_paths(
            std::iter::once(bin.clone())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let killed = scene
            .job(env!("CARGO_BIN_EXE_image-factory"))
            .env("PATH", path.unwrap())
            .args(["analyze", "--image=shop", &tag, "--commit", "--push"])
            .arg(format!("--digest={}", digest('b')))
            .arg(format!("--image-factory-dir={}", root.display()))
            .output()
            .unwrap();
        assert_eq!(killed.status.code(), None, "{at}: {}", err(&killed));
        let locks = git(&root).args(["ls-files"]).output().unwrap();
        assert!(locks.status.success(), "{at}");
        assert!(!root.join(".git/index.lock").exists(), "{at}");
        let head = git(&root).args(["diff", "--quiet"]).status().unwrap();
        assert!(head.success(), "{at}: working tree and index have parted");
        // A person goes on, and so does the next run.
        let pulled = scene
            .job("git")
            .arg("-C")
            .arg(&root)
            .args(["pull", "--quiet", "--ff-only"])
            .output();
        let pulled = pulled.unwrap();
        assert!(pulled.status.success(), "{at}: {}", err(&pulled));
        assert!(clean(&root), "{at}");
        let again = scene.analyze(&root, &[&tag, "--commit", "--push"]);
        assert_eq!(again.status.code(), Some(0), "{at}: {}", err(&again));
        assert!(clean(&root), "{at}");
        let state = scene.state("images/shop");
        assert!(
            state.contains(&format!(
                "currentVersion: \"{}\"",
                tag.replace("--tag=", "")
            )),
            "{at}: {state}"
        );
    }
    scene.factory.git(&["fsck", "--strict"]);
}
