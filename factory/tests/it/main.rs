//! Tests of the program `image-factory`, in one binary.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests start programs and fail by panicking; helpers outside #[test] too"
)]

mod analyze;
mod bases;
mod enroll;
mod git_server;
mod graph;
mod own;
mod process;
mod publish;
mod rebuild;
mod record;
mod registry;
mod scenarios;
mod servers;
mod sources;
mod triggers;

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_image-factory"))
        .args(args)
        .env_clear()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn explain_prints_the_entry_of_a_code_in_any_case() {
    let upper = run(&["explain", "IF011"]);
    assert_eq!(upper.status.code(), Some(0));
    let text = out(&upper);
    assert!(text.starts_with("IF011: unknown key\n\n"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert_eq!(out(&run(&["explain", "if011"])), text);

    let json = run(&["explain", "IF011", "--format", "json"]);
    let entry: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(entry["code"], "IF011");
    assert_eq!(entry["title"], "unknown key");
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        words(entry["explanation"].as_str().unwrap()),
        words(&text)[3..]
    );
}

#[test]
fn every_code_can_be_explained() {
    for code in image_factory::diagnostics::codes::ALL {
        let explained = run(&["explain", code.id()]);
        assert_eq!(explained.status.code(), Some(0), "{code}");
        assert!(out(&explained).contains(code.title()), "{code}");
    }
}

#[test]
fn an_unknown_code_is_refused_with_the_nearest() {
    let unknown = run(&["explain", "IF0111"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert_eq!(out(&unknown), "");
    assert_eq!(
        err(&unknown),
        "error: there is no code `IF0111`; the nearest is IF011\n"
    );
    let evil = err(&run(&["explain", "\u{1b}[31m"]));
    assert!(!evil.contains('\u{1b}'), "{evil}");
}

#[test]
fn synth_is_a_subcommand_and_names_itself_where_it_tells_how_to_mend() {
    let tree = tempfile::tempdir().unwrap();
    let images = "settings: {git: {repo: https://github.com/acme/factory}}\nimages: []\n";
    std::fs::write(tree.path().join("images.yaml"), images).unwrap();
    let root = tree.path().to_str().unwrap();
    let check = run(&["synth", "--root", root, "--check"]);
    assert_eq!(check.status.code(), Some(1), "{}", err(&check));
    let text = out(&check);
    let mend = text.lines().last().unwrap();
    assert!(mend.contains("image-factory synth --root "), "{mend}");
    assert!(!tree.path().join("dist").exists());
    let written = run(&["synth", "--root", root, "--format", "json"]);
    assert_eq!(written.status.code(), Some(0), "{}", err(&written));
    assert!(tree.path().join("dist/kustomization.yaml").is_file());
    assert_eq!(
        run(&["-q", "synth", "--root", root, "--check"])
            .status
            .code(),
        Some(0)
    );
}

#[test]
fn usage_help_and_version() {
    assert_eq!(run(&[]).status.code(), Some(2));
    assert_eq!(run(&["syntth"]).status.code(), Some(2));
    let version = run(&["--version"]);
    assert_eq!(
        out(&version),
        format!("image-factory {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = out(&run(&["--help"]));
    assert!(help.contains("synth") && help.contains("explain"), "{help}");
}
