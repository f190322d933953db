//! `--against`: what a git revision committed.

use std::fs;
use std::process::Command;

use crate::support::{Ran, Tree};

fn git(tree: &Tree, args: &[&str]) {
    let done = Command::new("git")
        .arg("-C")
        .arg(tree.root())
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(args)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn committed() -> Tree {
    let tree = Tree::rendered();
    git(&tree, &["init", "-q", "-b", "main"]);
    git(&tree, &["add", "."]);
    git(&tree, &["commit", "-q", "-m", "one"]);
    tree
}

#[test]
fn a_revision_is_compared_with_and_nothing_is_written() {
    let tree = committed();
    let same = tree.synth(&["--against", "main"]).expect(0);
    assert!(same.stdout.starts_with("in sync: "), "{same:#?}");
    assert!(same.stdout.contains(" match dist/ at main "), "{same:#?}");

    tree.drift();
    // What stands on the disk does not matter, nor whether there is anything.
    tree.synth(&[]).expect(0);
    let before = tree.state_of("dist");
    for revision in ["main", "HEAD", "HEAD^{commit}", "main@{0}"] {
        let ran = tree
            .synth(&["--against", revision, "--diff", "summary"])
            .expect(0);
        assert!(
            ran.stdout.starts_with("~ Stage/rebuild-web  spec."),
            "{ran:#?}"
        );
    }
    tree.synth(&["--against", "main", "--check"]).expect(1);
    assert_eq!(tree.state_of("dist"), before);
    fs::remove_dir_all(tree.path("dist")).unwrap();
    let json = tree
        .synth(&["--against", "main", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(json["inSync"], false);
    assert_eq!(json["changes"].as_array().unwrap().len(), 1);
    assert!(!tree.path("dist").exists());
}

#[test]
fn a_revision_without_dist_shows_everything_as_added() {
    let tree = Tree::new();
    git(&tree, &["init", "-q", "-b", "main"]);
    git(&tree, &["add", "images.yaml"]);
    git(&tree, &["commit", "-q", "-m", "one"]);
    let ran = tree
        .synth(&["--against", "main", "--format", "json"])
        .expect(0)
        .json();
    let changes = ran["changes"].as_array().unwrap();
    assert!(changes.len() > 1);
    assert!(
        changes.iter().all(|change| change["change"] == "added"),
        "{ran:#}"
    );
}

#[test]
fn a_root_below_the_top_of_the_repository() {
    let tree = committed();
    fs::create_dir(tree.path("below")).unwrap();
    for part in ["images.yaml", "state", "dist"] {
        fs::rename(tree.path(part), tree.path("below").join(part)).unwrap();
    }
    git(&tree, &["add", "-A"]);
    git(&tree, &["commit", "-q", "-m", "two"]);
    tree.synth(&["--root", "below", "--against", "HEAD", "--check"])
        .expect(0);
    let before = tree
        .synth(&["--root", "below", "--against", "HEAD~1", "--format", "json"])
        .expect(0);
    assert_eq!(before.json()["changes"][0]["change"], "added");
}

#[test]
fn what_a_hook_sets_does_not_mislead_git() {
    let tree = committed();
    let mut command = tree.command(&["--against", "HEAD", "--check"]);
    Ran::of(
        command
            .env("GIT_DIR", "/nowhere")
            .env("GIT_INDEX_FILE", "/nowhere/index"),
    )
    .expect(0);
}

#[test]
fn what_is_no_revision_is_refused() {
    let tree = committed();
    tree.drift();
    let before = tree.state_of(".");
    for (revision, words) in [
        ("no-such-branch", "git knows no commit `no-such-branch`"),
        ("HEAD~99", "git knows no commit"),
        ("--output=stolen", "cannot be a revision"),
        ("-p", "cannot be a revision"),
        ("HEAD:dist", "cannot be a revision"),
        ("", "cannot be a revision"),
        ("main\nmain", "cannot be a revision"),
        ("a b", "git knows no commit"),
    ] {
        tree.synth(&["--against", revision]).refused("IF153", words);
    }
    assert_eq!(tree.state_of("."), before);
}

#[test]
fn no_repository_and_no_git() {
    let tree = Tree::rendered();
    tree.synth(&["--against", "main"])
        .refused("IF153", "not a git repository");
    let mut command = tree.command(&["--against", "main"]);
    Ran::of(command.env("PATH", tree.root())).refused("IF153", "git cannot be started");
    // Without --against no git is needed.
    Ran::of(tree.command(&["--check"]).env("PATH", tree.root())).expect(0);
}
