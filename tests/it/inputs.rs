//! Whatever is wrong with the inputs is told with its place, all at once, and dist
//! stays as it is.

use std::fs::{self, File};
use std::process::Command;

use crate::support::{IMAGES, Ran, Tree, skipped};

/// Runs on a tree whose dist stands; it must still stand, byte for byte, afterwards.
fn refused(damage: impl FnOnce(&Tree), code: &str, words: &str) -> Ran {
    let tree = Tree::rendered();
    tree.drift();
    damage(&tree);
    let before = tree.state_of("dist");
    let ran = tree.synth(&[]).refused(code, words);
    assert_eq!(tree.state_of("dist"), before);
    assert_eq!(ran.stdout, "");
    ran
}

#[test]
fn a_misspelt_key_is_told_with_file_line_and_column() {
    let ran = refused(
        |tree| tree.edit("allowTags", "alowTags"),
        "IF011",
        "--> images.yaml:15:5",
    );
    assert!(ran.stderr.contains("`allowTags`"), "{ran:#?}");
}

#[test]
fn everything_wrong_is_told_at_once() {
    let ran = refused(
        |tree| {
            tree.edit("allowTags", "alowTags");
            tree.write("images.d/more.yaml", "- name: more\n  registri: ghcr.io\n");
            tree.write("state/images/bytes.yaml", b"name: \xff\n");
            tree.link("/etc/hostname", "state/images/link.yaml");
        },
        "IF011",
        "alowTags",
    );
    for words in [
        "registri",
        "images.d/more.yaml:2:3",
        "state/images/bytes.yaml:1:7",
        "state/images/link.yaml",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:#?}");
    }
}

#[test]
fn no_images_yaml() {
    refused(
        |tree| fs::remove_file(tree.path("images.yaml")).unwrap(),
        "IF009",
        "--root DIR",
    );
}

#[test]
fn broken_yaml() {
    refused(
        |tree| tree.write("images.yaml", "images: [\n"),
        "IF001",
        "--> images.yaml:",
    );
}

#[test]
fn a_missing_repository_is_suggested_from_the_checkout() {
    let tree = Tree::new();
    tree.edit(
        "  git:\n    repo: https://github.com/acme/factory\n",
        "  project: acme\n",
    );
    tree.synth(&[]).refused("IF039", "settings");
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .arg("-C")
            .arg(tree.root())
            .args(args)
            .output()
            .unwrap();
        assert!(done.status.success());
    };
    git(&["init", "-q"]);
    git(&[
        "remote",
        "add",
        "origin",
        "https://me:secret@github.com/acme/factory.git",
    ]);
    let ran = tree
        .synth(&[])
        .refused("IF039", "repo: https://github.com/acme/factory.git\n");
    assert!(!ran.stderr.contains("secret"), "{ran:#?}");
}

#[test]
fn text_that_is_no_utf_8() {
    refused(
        |tree| tree.write("images.yaml", b"- name: web\n- name: \xe9t\xe9\n"),
        "IF007",
        "--> images.yaml:2:9",
    );
    refused(
        |tree| tree.write("state/images/x.yaml", [0x7f, b'E', b'L', b'F', 0xff]),
        "IF007",
        "x.yaml:1:5",
    );
}

#[test]
fn a_huge_file_is_refused_unread() {
    for (path, size) in [
        ("images.yaml", 100 << 20),
        ("state/images/web.yaml", 2 << 20),
    ] {
        refused(|tree| grow(tree, path, size), "IF004", path);
    }
    // With less memory than it would take to hold it.
    let tree = Tree::rendered();
    grow(&tree, "images.yaml", 100 << 20);
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        "ulimit -v 98304; exec \"$0\"",
        env!("CARGO_BIN_EXE_synth"),
    ]);
    Ran::of(shell.current_dir(tree.root())).refused("IF004", "images.yaml");
}

fn grow(tree: &Tree, path: &str, size: u64) {
    let file = File::options().append(true).open(tree.path(path)).unwrap();
    file.set_len(size).unwrap();
}

#[test]
fn links_out_of_the_root() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x.yaml"), IMAGES).unwrap();
    let file = outside.path().join("x.yaml");
    let swap = |tree: &Tree, path: &str, target: &std::path::Path| {
        let there = tree.path(path);
        if there.is_dir() {
            fs::remove_dir_all(&there).unwrap();
        } else if there.exists() {
            fs::remove_file(&there).unwrap();
        }
        tree.link(target, path);
    };
    for path in [
        "images.yaml",
        "state/images/web.yaml",
        "state/base-images/new.yaml",
    ] {
        refused(|tree| swap(tree, path, &file), "IF008", path);
    }
    for path in ["images.d", "state/images", "state/base-images"] {
        refused(|tree| swap(tree, path, outside.path()), "IF008", path);
    }
    // The whole of state/, whether or not what is asked for exists at the other end.
    for _ in 0..2 {
        refused(
            |tree| swap(tree, "state", outside.path()),
            "IF008",
            "`state` leads to",
        );
        fs::create_dir_all(outside.path().join("images")).unwrap();
    }
    // A folder whose name only begins like the root's is outside too.
    let sibling = |tree: &Tree| {
        let mut near = tree.root().as_os_str().to_owned();
        near.push("-near");
        fs::create_dir(&near).unwrap();
        swap(tree, "images.d", near.as_ref());
        fs::remove_dir(&near).unwrap();
        fs::create_dir(&near).unwrap();
        near
    };
    let mut near = None;
    refused(|tree| near = Some(sibling(tree)), "IF008", "images.d");
    fs::remove_dir(near.unwrap()).unwrap();
}

#[test]
fn links_within_the_root_are_followed() {
    let tree = Tree::rendered();
    let expected = tree.read("dist/image-factory.k8s.yaml");
    fs::rename(tree.path("images.yaml"), tree.path("real.txt")).unwrap();
    tree.link("real.txt", "images.yaml");
    fs::rename(tree.path("state"), tree.path("memory")).unwrap();
    tree.link("memory", "state");
    fs::rename(tree.path("memory/images/web.yaml"), tree.path("web.txt")).unwrap();
    tree.link("../../web.txt", "memory/images/web.yaml");
    tree.synth(&["--check"]).expect(0);
    assert_eq!(tree.read("dist/image-factory.k8s.yaml"), expected);
    // The root itself may be reached over a link.
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("root");
    std::os::unix::fs::symlink(tree.root(), &link).unwrap();
    tree.synth(&["--check", "--root", link.to_str().unwrap()])
        .expect(0);
}

#[test]
fn a_link_that_leads_nowhere() {
    refused(
        |tree| tree.link("nowhere", "state/images/x.yaml"),
        "IF006",
        "state/images/x.yaml",
    );
    refused(
        |tree| tree.link("images.d", "images.d"),
        "IF006",
        "images.d",
    );
}

#[test]
fn what_is_no_file_is_not_opened() {
    let fifo = |tree: &Tree| {
        let made = Command::new("mkfifo")
            .arg(tree.path("state/images/x.yaml"))
            .status()
            .unwrap();
        assert!(made.success());
    };
    refused(fifo, "IF006", "state/images/x.yaml");
    refused(
        |tree| fs::create_dir(tree.path("state/images/x.yaml")).unwrap(),
        "IF006",
        "x.yaml",
    );
    refused(
        |tree| tree.write("images.d", "no folder"),
        "IF006",
        "images.d",
    );
    refused(
        |tree| {
            fs::remove_file(tree.path("images.yaml")).unwrap();
            fs::create_dir(tree.path("images.yaml")).unwrap();
        },
        "IF006",
        "images.yaml",
    );
}

#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = Tree::rendered();
    fs::set_permissions(
        tree.path("state/images/web.yaml"),
        fs::Permissions::from_mode(0o000),
    )
    .unwrap();
    if File::open(tree.path("state/images/web.yaml")).is_ok() {
        return skipped("this user may read every file");
    }
    tree.synth(&[]).refused("IF006", "state/images/web.yaml");
}

#[test]
fn only_yaml_files_of_the_folders_themselves_are_state() {
    let tree = Tree::rendered();
    for path in [
        "state/images/web.example.yaml",
        "state/images/notes.txt",
        "state/images/web.yaml.orig",
        "state/images/.#web.yaml",
        "state/images/_archive/old.yaml",
        "state/_archive/images/old.yaml",
        "state/base-images/more/x.yaml",
        "images.d/readme.md",
    ] {
        tree.write(path, b"%%% \xff no yaml: [\n");
    }
    let ran = tree.synth(&["--check"]).expect(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn missing_folders_are_empty_ones() {
    let tree = Tree::new();
    fs::remove_dir_all(tree.path("state")).unwrap();
    let managed = IMAGES.find("  - name: web").unwrap()..IMAGES.find("  - name: postgres").unwrap();
    tree.edit(&IMAGES[managed], "");
    tree.synth(&[]).expect(0);
}

#[test]
fn more_files_add_images() {
    let tree = Tree::rendered();
    let more = "- name: redis\n  registry: docker.io\n  repository: library/redis\n  allowTags: ^7-alpine$\n";
    tree.write("images.d/more.yaml", more);
    let ran = tree.synth(&["--diff", "summary"]).expect(0);
    assert!(ran.stdout.contains("+ Warehouse/redis\n"), "{ran:#?}");
}

#[test]
fn a_state_folder_that_was_named_but_is_not_there() {
    let tree = Tree::rendered();
    let before = tree.state_of("dist");
    Ran::of(
        tree.command(&[])
            .env("IMAGE_FACTORY_STATE_DIR", tree.path("sate")),
    )
    .refused("IF006", "there is no folder `sate`");
    assert_eq!(tree.state_of("dist"), before);
}

#[test]
fn what_was_not_read_is_not_said_to_lack_settings() {
    let link = |tree: &Tree| {
        fs::remove_file(tree.path("images.yaml")).unwrap();
        tree.link("/etc/hostname", "images.yaml");
    };
    for ran in [
        refused(
            |tree| tree.write("images.yaml", b"\xff"),
            "IF007",
            "images.yaml",
        ),
        refused(
            |tree| tree.write("images.yaml", "images: [\n"),
            "IF001",
            "images.yaml",
        ),
        refused(link, "IF008", "images.yaml"),
    ] {
        assert!(!ran.stderr.contains("IF039"), "{ran:#?}");
    }
}

#[test]
fn of_a_million_mistakes_as_many_are_shown_as_anyone_reads() {
    let tree = Tree::rendered();
    let mut text = String::from("- {name: x, repository: y, allowTags: ^1$");
    (0..3000).for_each(|at| text.push_str(&format!(", k{at}: 1")));
    tree.write("images.d/more.yaml", format!("{text}}}\n"));
    let ran = tree.synth(&[]).refused("IF011", "and 2000 more");
    assert_eq!(ran.stderr.matches("error[").count(), 1000);
    assert!(ran.stderr.contains("\n3000 errors\n"));
    let ran = tree.synth(&["--format", "json"]).expect(2);
    let all = ran.json();
    assert_eq!(all["diagnostics"].as_array().unwrap().len(), 3000);
}

#[test]
fn a_file_of_another_ending_is_not_ignored_without_a_word() {
    let tree = Tree::rendered();
    tree.write("images.d/team.yml", "- name: web\n");
    tree.write("state/images/web.yml", "name: web\n");
    let ran = tree.synth(&[]).expect(0);
    for path in ["images.d/team.yml", "state/images/web.yml"] {
        assert!(
            ran.stderr.contains(&format!("`{path}` is not read")),
            "{ran:#?}"
        );
    }
    assert!(ran.stderr.contains("warning[IF013]"), "{ran:#?}");
}
