//! The out folder: what is ours is replaced, what is not stays.

use std::fs;

use crate::support::{Tree, skipped};

const FILE: &str = "dist/image-factory.k8s.yaml";

#[test]
fn only_files_that_changed_are_touched() {
    let tree = Tree::rendered();
    tree.drift();
    let before = tree.state_of("dist");
    tree.synth(&[]).expect(0);
    let after = tree.state_of("dist");
    let touched: Vec<_> = after
        .iter()
        .filter(|(path, now)| path.is_file() && before.get(*path) != Some(now))
        .map(|(path, _)| path.strip_prefix(tree.root()).unwrap().to_owned())
        .collect();
    assert_eq!(touched, [std::path::Path::new(FILE)]);
    assert!(before.len() > 2, "there was a file not to touch");
}

#[test]
fn a_file_written_by_hand_is_not_overwritten() {
    let tree = Tree::new();
    tree.write(FILE, "apiVersion: v1\nkind: Namespace\n");
    let before = tree.state_of("dist");
    for args in [&[][..], &["--check"], &["--dry-run"]] {
        let ran = tree.synth(args).refused("IF150", FILE);
        assert!(ran.stderr.contains("help: move it away"), "{ran:#?}");
        assert_eq!(tree.state_of("dist"), before);
    }
}

#[test]
fn what_is_no_longer_rendered_is_deleted_if_it_bears_the_mark() {
    let tree = Tree::rendered();
    let mark = tree.read(FILE).lines().next().unwrap().to_owned();
    let old = format!("{mark}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: gone\n");
    tree.write("dist/old.k8s.yaml", &old);
    tree.write("dist/folder/old.k8s.yaml", &old);
    tree.write("dist/kept/old.k8s.yaml", &old);
    let stay = [
        ("dist/README.md", "hello\n"),
        ("dist/by-hand.yaml", "apiVersion: v1\n"),
        ("dist/later.yaml", &format!("---\n{old}")),
        ("dist/kept/by-hand.yaml", "a: 1\n"),
        ("dist/.hidden/old.yaml", &old),
        ("dist/old.txt", &old),
    ];
    for (path, text) in stay {
        tree.write(path, text);
    }
    let check = tree.synth(&["--check"]).expect(1);
    assert!(check.stdout.contains("- ConfigMap/gone\n"), "{check:#?}");
    assert!(tree.path("dist/old.k8s.yaml").exists());
    tree.synth(&[]).expect(0);
    for gone in ["dist/old.k8s.yaml", "dist/folder", "dist/kept/old.k8s.yaml"] {
        assert!(!tree.path(gone).exists(), "{gone}");
    }
    for (path, text) in stay {
        assert_eq!(tree.read(path), text, "{path}");
    }
    tree.synth(&["--check"]).expect(0);
}

#[test]
fn links_in_the_out_folder_are_never_written_through() {
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "# precious\n").unwrap();

    let tree = Tree::new();
    fs::create_dir(tree.path("dist")).unwrap();
    tree.link(&victim, FILE);
    tree.synth(&[]).refused("IF151", FILE);

    let tree = Tree::new();
    tree.link(outside.path(), "dist");
    tree.synth(&[]).refused("IF008", "outside the root");
    tree.synth(&["--out", "dist"])
        .refused("IF008", "outside the root");
    tree.synth(&["--out", "dist/below"])
        .refused("IF008", "outside the root");

    assert_eq!(fs::read_to_string(&victim).unwrap(), "# precious\n");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn an_out_folder_may_be_a_link_within_the_root() {
    let tree = Tree::new();
    fs::create_dir(tree.path("made")).unwrap();
    tree.link("made", "dist");
    tree.synth(&[]).expect(0);
    assert!(tree.path("made/image-factory.k8s.yaml").is_file());
    tree.synth(&["--check"]).expect(0);
}

#[test]
fn an_out_folder_outside_the_root_is_taken_when_named() {
    let tree = Tree::new();
    let outside = tempfile::tempdir().unwrap();
    let out = outside.path().join("new/folder");
    tree.synth(&["--out", out.to_str().unwrap()]).expect(0);
    assert!(out.join("image-factory.k8s.yaml").is_file());
    assert!(!tree.path("dist").exists());
}

#[test]
fn what_is_in_the_way_is_named() {
    let tree = Tree::new();
    fs::create_dir_all(tree.path(FILE)).unwrap();
    tree.synth(&[]).refused("IF151", FILE);
    let tree = Tree::new();
    tree.write("dist", "no folder");
    tree.synth(&[]).refused("IF151", "`dist` is not a folder");
    assert_eq!(tree.read("dist"), "no folder");
}

#[test]
fn a_folder_that_may_not_be_written_to() {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = Tree::rendered();
    tree.drift();
    fs::set_permissions(tree.path("dist"), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(tree.path("dist/probe"), "").is_ok() {
        return skipped("this user may write everywhere");
    }
    let before = tree.state_of("dist");
    tree.synth(&[]).refused("IF151", "permission denied");
    assert_eq!(tree.state_of("dist"), before);
    fs::set_permissions(tree.path("dist"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn manifests_do_not_go_among_the_inputs() {
    let tree = Tree::rendered();
    let before = tree.state_of(".");
    let above = tree.path("..");
    for out in [
        ".",
        "state",
        "state/images",
        ".git",
        ".git/x",
        "images.d",
        "/",
    ] {
        tree.synth(&["--out", out])
            .refused("IF151", "name a folder of its own");
    }
    tree.synth(&["--out", above.to_str().unwrap()])
        .refused("IF151", "name a folder of its own");
    assert_eq!(tree.state_of("."), before);
}
