//! Write, check, show: what each does, says and exits with.

use std::process::{Command, Stdio};

use crate::support::{Ran, Tree};

#[test]
fn the_first_run_writes_and_the_second_says_in_one_line_that_all_is_in_sync() {
    let tree = Tree::new();
    let first = tree.synth(&[]).expect(0);
    assert!(
        first.stdout.contains("+++ dist/image-factory.k8s.yaml"),
        "{first:#?}"
    );
    assert!(first.stdout.contains("\nwritten: "), "{first:#?}");
    let before = tree.state_of("dist");
    let second = tree.synth(&[]).expect(0);
    assert!(second.stdout.starts_with("in sync: "), "{second:#?}");
    assert!(second.stdout.contains(" match dist/"), "{second:#?}");
    assert_eq!(second.stdout.lines().count(), 1);
    assert_eq!(
        tree.state_of("dist"),
        before,
        "not even a time of change may differ"
    );
}

#[test]
fn a_check_finds_drift_writes_nothing_and_names_the_command_that_mends_it() {
    let tree = Tree::rendered();
    tree.synth(&["--check"]).expect(0);
    tree.drift();
    let before = tree.state_of(".");
    let check = tree.synth(&["--check"]).expect(1);
    assert_eq!(tree.state_of("."), before);
    assert!(check.stdout.contains("\n-"), "{check:#?}");
    assert!(check.stdout.contains("\n+"), "{check:#?}");
    assert!(check.stdout.contains("\ndrift: "), "{check:#?}");

    let last = check.stdout.lines().last().unwrap();
    let command = last.strip_prefix("to mend it, run: ").unwrap();
    let mended = Command::new("sh")
        .args(["-c", command])
        .current_dir(tree.root())
        .output()
        .unwrap();
    assert!(mended.status.success(), "{command}");
    tree.synth(&["--check"]).expect(0);
}

#[test]
fn the_command_that_mends_names_the_same_folders() {
    let tree = Tree::new();
    std::fs::rename(tree.path("images.yaml"), tree.path("it's.yaml")).unwrap();
    std::fs::create_dir(tree.path("a b")).unwrap();
    std::fs::rename(tree.path("it's.yaml"), tree.path("a b/images.yaml")).unwrap();
    std::fs::rename(tree.path("state"), tree.path("a b/state")).unwrap();
    let check = tree
        .synth(&["--check", "--root", "a b", "--out", "it's"])
        .expect(1);
    let last = check.stdout.lines().last().unwrap();
    assert!(last.ends_with(" --root 'a b' --out 'it'\\''s'"), "{last}");
    let command = last.strip_prefix("to mend it, run: ").unwrap();
    let mended = Command::new("sh")
        .args(["-c", command])
        .current_dir(tree.root())
        .output()
        .unwrap();
    assert!(mended.status.success(), "{command}");
    assert!(tree.path("it's/image-factory.k8s.yaml").is_file());
}

#[test]
fn a_dry_run_shows_the_same_diff_and_writes_nothing() {
    let tree = Tree::rendered();
    tree.drift();
    let before = tree.state_of(".");
    let dry = tree.synth(&["--dry-run"]).expect(0);
    assert_eq!(tree.state_of("."), before);
    let wet = tree.synth(&[]).expect(0);
    let diff = |ran: &Ran| {
        let end = ran
            .stdout
            .find("\nwritten: ")
            .or(ran.stdout.find("\nnot written: "));
        ran.stdout[..end.unwrap()].to_owned()
    };
    assert_eq!(diff(&dry), diff(&wet));
    tree.synth(&["--check", "--dry-run"]).expect(2);
}

#[test]
fn a_dry_run_makes_no_out_folder() {
    let tree = Tree::new();
    tree.synth(&["--dry-run"]).expect(0);
    tree.synth(&["--check"]).expect(1);
    assert!(!tree.path("dist").exists());
}

#[test]
fn the_diff_can_be_a_summary_or_nothing() {
    let tree = Tree::rendered();
    tree.drift();
    let summary = tree.synth(&["--dry-run", "--diff", "summary"]).expect(0);
    assert!(!summary.stdout.contains("@@"), "{summary:#?}");
    let none = tree.synth(&["--dry-run", "--diff", "none"]).expect(0);
    assert_eq!(none.stdout.lines().count(), 1, "{none:#?}");
    let quiet = tree.synth(&["--check", "-q"]).expect(1);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn a_changed_delay_changes_the_stage_of_its_image_only() {
    let tree = Tree::rendered();
    tree.drift();
    let summary = tree.synth(&["--check", "--diff", "summary"]).expect(1);
    let objects: Vec<&str> = summary
        .stdout
        .lines()
        .filter(|l| l.starts_with(['~', '+', '-']))
        .collect();
    assert_eq!(objects.len(), 1, "{summary:#?}");
    assert!(
        objects[0].starts_with("~ Stage/rebuild-web  spec."),
        "{objects:?}"
    );
    assert!(objects[0].contains(" → "), "{objects:?}");
}

#[test]
fn machines_get_one_object() {
    let tree = Tree::rendered();
    let sync = tree.synth(&["--format", "json"]).expect(0).json();
    let empty =
        serde_json::json!({"inSync": true, "written": false, "changes": [], "diagnostics": []});
    assert_eq!(sync, empty);

    tree.drift();
    let check = tree
        .synth(&["--check", "--format", "json"])
        .expect(1)
        .json();
    assert_eq!(check["inSync"], false);
    assert_eq!(check["written"], false);
    let file = &check["changes"][0];
    assert_eq!(file["path"], "image-factory.k8s.yaml");
    assert_eq!(file["change"], "changed");
    let object = &file["objects"][0];
    assert_eq!(object["change"], "changed");
    assert_eq!(object["kind"], "Stage");
    assert_eq!(object["name"], "rebuild-web");
    assert_eq!(object["apiVersion"], "kargo.akuity.io/v1alpha1");
    assert!(
        object["fields"][0]["path"]
            .as_str()
            .unwrap()
            .starts_with("spec."),
        "{object:#}"
    );

    let other = tree.synth(&["--check", "--diff", "json"]).expect(1).json();
    assert_eq!(other, check);
    let written = tree.synth(&["--format", "json"]).expect(0).json();
    assert_eq!(written["written"], true);
    assert_eq!(written["changes"], check["changes"]);

    tree.edit("allowTags", "alowTags");
    let wrong = tree.synth(&["--format", "json"]).expect(2);
    let object = wrong.json();
    assert_eq!(object["inSync"], false);
    assert_eq!(object["written"], false);
    let told: Vec<_> = object["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| &d["code"])
        .collect();
    assert!(told.contains(&&serde_json::json!("IF011")), "{object:#}");
    assert!(
        wrong.stderr.contains("error[IF011]"),
        "people are told too: {wrong:#?}"
    );
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let tree = Tree::new();
    assert!(
        !tree
            .synth(&["--dry-run"])
            .expect(0)
            .stdout
            .contains('\u{1b}')
    );
    let always = tree.synth(&["--dry-run", "--color", "always"]).expect(0);
    assert!(always.stdout.contains("\u{1b}["), "{always:#?}");
    tree.edit("allowTags", "alowTags");
    assert!(!tree.synth(&[]).expect(2).stderr.contains('\u{1b}'));
    assert!(
        tree.synth(&["--color=always"])
            .expect(2)
            .stderr
            .contains("\u{1b}[")
    );
}

#[test]
fn what_stands_in_dist_cannot_steer_the_terminal() {
    let tree = Tree::rendered();
    let old = tree.read("dist/image-factory.k8s.yaml");
    tree.write(
        "dist/image-factory.k8s.yaml",
        format!("{old}# \u{1b}]0;owned\u{7}\u{202e}\n"),
    );
    let shown = tree.synth(&["--dry-run", "--color", "always"]).expect(0);
    assert!(
        shown.stdout.contains("-# \\u{1b}]0;owned\\u{7}\\u{202e}"),
        "{shown:#?}"
    );
    assert!(!shown.stdout.contains(['\u{7}', '\u{202e}']));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let tree = Tree::large(300);
    let mut child = tree
        .command(&[])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(0);
    assert_eq!(ran.stderr, "");
    tree.synth(&["--check"]).expect(0);
}

#[test]
fn a_report_that_cannot_be_printed_is_an_error() {
    let tree = Tree::rendered();
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return crate::support::skipped("there is no /dev/full");
    };
    let ran = Ran::of(tree.command(&["--check"]).stdout(full)).expect(2);
    assert!(ran.stderr.contains("cannot be printed"), "{ran:#?}");
}

#[test]
fn the_root_is_the_nearest_folder_upwards_that_has_an_images_yaml() {
    let tree = Tree::new();
    std::fs::create_dir_all(tree.path("apps/web")).unwrap();
    let mut command = tree.command(&[]);
    Ran::of(command.current_dir(tree.path("apps/web"))).expect(0);
    assert!(tree.path("dist/image-factory.k8s.yaml").is_file());

    let nowhere = tempfile::tempdir().unwrap();
    let ran = Ran::of(tree.command(&[]).current_dir(nowhere.path()));
    ran.refused("IF009", "--root DIR");
    let ran = Ran::of(tree.command(&["--root", "."]).current_dir(nowhere.path()));
    ran.refused("IF009", "there is no `images.yaml`");
    tree.synth(&["--root", "no/such"])
        .refused("IF006", "no/such");
}

#[test]
fn the_environment_names_the_parts_of_a_tree_that_stand_elsewhere() {
    let tree = Tree::rendered();
    let expected = tree.read("dist/image-factory.k8s.yaml");
    let other = tempfile::tempdir().unwrap();
    let at = |name: &str| other.path().join(name);
    std::fs::rename(tree.path("images.yaml"), at("enrolled.yaml")).unwrap();
    std::fs::rename(tree.path("state"), at("memory")).unwrap();
    let mut command = tree.command(&["--root", "."]);
    command
        .env("IMAGES_YAML", at("enrolled.yaml"))
        .env("IMAGE_FACTORY_STATE_DIR", at("memory"))
        .env("CDK8S_OUTDIR", at("made"));
    Ran::of(&mut command).expect(0);
    let made = std::fs::read_to_string(at("made/image-factory.k8s.yaml")).unwrap();
    assert_eq!(made, expected);
    // An option wins over the environment.
    let option = Ran::of(command.args(["--check", "--out", "dist"])).expect(0);
    assert!(option.stdout.contains(" match dist/"), "{option:#?}");
}

#[test]
fn usage_help_and_version() {
    let tree = Tree::new();
    let wrong = tree.synth(&["--chekc"]).expect(2);
    assert!(wrong.stderr.contains("--check"), "{wrong:#?}");
    tree.synth(&["stray"]).expect(2);
    let version = tree.synth(&["--version"]).expect(0);
    assert_eq!(
        version.stdout,
        format!("synth {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = tree.synth(&["--help"]).expect(0);
    for option in [
        "--root",
        "--out",
        "--check",
        "--dry-run",
        "--against",
        "--diff",
        "Exit codes",
    ] {
        assert!(help.stdout.contains(option), "{option}");
    }
}
