//! `graph`, by the program itself.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

const IMAGES: &str = "\
- {name: app, registry: ghcr.io, repository: acme/app, source: {repo: acme/app}}
- {name: web, registry: ghcr.io, repository: acme/web, source: {repo: acme/web}, rebuildDelay: 1d}
- {name: redis, repository: redis, allowTags: ^7$}
";

fn image(name: &str, bases: &str) -> String {
    format!(
        "name: {name}\ndiscoveryStatus: success\nenrollment: {{source: {{repo: acme/{name}, branch: main, dockerfile: Dockerfile}}}}\nbaseImages: [{bases}]\n"
    )
}

/// `web` on `app` on `node-22`.
pub(crate) fn factory() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("images.yaml", IMAGES);
    write("state/images/app.yaml", &image("app", "node-22"));
    write("state/images/web.yaml", &image("web", "acme-app-1"));
    write(
        "state/base-images/node-22.yaml",
        "name: node-22\nfullImage: node:22\n",
    );
    write(
        "state/base-images/acme-app-1.yaml",
        "name: acme-app-1\nfullImage: ghcr.io/acme/app:1\n",
    );
    folder
}

pub(crate) fn run(root: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_image-factory"))
        .args(args)
        .env_clear()
        .current_dir(root)
        .output()
        .unwrap()
}

fn printed(root: &Path, args: &[&str]) -> String {
    let output = run(root, args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_fixed_fields_are_there_for_all_and_for_one() {
    let folder = factory();
    let root = folder.path();
    let all: serde_json::Value =
        serde_json::from_str(&printed(root, &["graph", "--format", "json"])).unwrap();
    let kinds: Vec<(&str, &str)> = all["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            (
                node["name"].as_str().unwrap(),
                node["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("acme-app-1", "base"),
            ("app", "managed"),
            ("node-22", "base"),
            ("redis", "external"),
            ("web", "managed")
        ]
    );
    assert_eq!(
        all["edges"],
        json!([
            {"from": "acme-app-1", "to": "web"},
            {"from": "app", "to": "acme-app-1"},
            {"from": "node-22", "to": "app"},
        ])
    );
    assert_eq!(all["order"], json!(["app", "web"]));
    assert!(all["diagnostics"].is_array());

    // The option may stand before the command, and the image may be a reference.
    let args = [
        "--format",
        "json",
        "graph",
        "node:22",
        "--now",
        "2026-12-01T00:00:00Z",
    ];
    let one: serde_json::Value = serde_json::from_str(&printed(root, &args)).unwrap();
    assert_eq!(one["image"], "node-22");
    assert_eq!(one["nodes"].as_array().unwrap().len(), 4);
    assert_eq!(one["cascade"][0]["image"], "app");
    assert_eq!(one["cascade"][0]["at"], "2026-12-08T00:00:00Z");
    assert_eq!(one["cascade"][1]["after"], json!(["app"]));
}

#[test]
fn each_format_is_what_it_says() {
    let folder = factory();
    let root = folder.path();
    for (format, begin) in [
        ("human", "node-22 (base)\n└─ app\n"),
        ("mermaid", "flowchart LR\n"),
        ("dot", "digraph images {\n"),
        ("svg", "<svg xmlns="),
    ] {
        let text = printed(root, &["graph", "--format", format]);
        assert!(text.starts_with(begin), "{text}");
        assert_eq!(text, printed(root, &["graph", "--format", format]));
        let one = printed(root, &["graph", "web", "--format", format]);
        assert!(one.contains("node-22") || one.contains("node_22"), "{one}");
        assert!(!one.contains("redis"), "{one}");
    }
    assert_eq!(printed(root, &["graph", "-q"]), "");
    // A drawing is no chatter.
    assert!(printed(root, &["graph", "-q", "--format", "dot"]).starts_with("digraph"));
}

#[test]
fn other_commands_draw_nothing() {
    let folder = factory();
    for args in [
        &["explain", "IF001", "--format", "svg"][..],
        &["--format", "svg", "graph"],
        &["graph", "--format", "png"],
    ] {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?} {output:?}");
    }
}

#[test]
fn an_unknown_image_is_refused_with_the_nearest() {
    let folder = factory();
    let output = run(folder.path(), &["graph", "node-21"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("error[IF280]"), "{said}");
    assert!(said.contains("did you mean `node-22`?"), "{said}");
}

#[test]
fn a_circle_is_refused_with_its_way() {
    let folder = factory();
    let state = folder.path().join("state");
    std::fs::write(
        state.join("images/app.yaml"),
        image("app", "node-22, acme-web-1"),
    )
    .unwrap();
    std::fs::write(
        state.join("base-images/acme-web-1.yaml"),
        "name: acme-web-1\nfullImage: ghcr.io/acme/web:1\n",
    )
    .unwrap();
    for args in [
        &["graph"][..],
        &["graph", "redis"],
        &["graph", "--format", "svg"],
    ] {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("`app` → `web` → `app`"), "{said}");
    }
    let output = run(folder.path(), &["graph", "--format", "json"]);
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["edges"], json!([]));
    assert!(!object["diagnostics"].as_array().unwrap().is_empty());
}
