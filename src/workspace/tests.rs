use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::tree::Edit;

#[test]
fn the_root_is_found_upwards_and_the_nearest_wins() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b/c");
    fs::create_dir_all(&inner).unwrap();
    fs::write(folder.path().join("a/images.yaml"), "").unwrap();
    assert_eq!(find_root(&inner), Some(folder.path().join("a").as_path()));
    fs::write(folder.path().join("a/b/images.yaml"), "").unwrap();
    assert_eq!(find_root(&inner), Some(folder.path().join("a/b").as_path()));
    assert_eq!(find_root(folder.path()), None);
}

#[test]
fn paths_are_seen_from_the_working_folder() {
    for (path, expected) in [
        ("dist", "/here/dist"),
        ("./dist/", "/here/dist"),
        ("../dist", "/dist"),
        ("a/../../b/./c", "/b/c"),
        ("/elsewhere/x", "/elsewhere/x"),
        ("../../..", "/"),
        (".", "/here"),
    ] {
        assert_eq!(
            absolute(Path::new("/here"), Path::new(path)),
            Path::new(expected),
            "{path}"
        );
    }
}

#[test]
fn people_read_paths_from_the_root() {
    let layout = Layout {
        root: "/r".into(),
        enrollment: "/r/images.yaml".into(),
        state: "/r/state".into(),
        out: "/r/dist".into(),
    };
    for (path, expected) in [
        ("/r/a/b", "a/b"),
        ("/r", "."),
        ("/x/y", "/x/y"),
        ("/rr/y", "/rr/y"),
    ] {
        assert_eq!(layout.display(Path::new(path)), expected);
    }
}

proptest! {
    #[test]
    fn an_absolute_path_has_no_dots_left(path in "[a./]{0,20}") {
        let whole = absolute(Path::new("/w"), Path::new(&path));
        prop_assert!(whole.is_absolute());
        prop_assert!(!whole.components().any(|part| matches!(part, Component::CurDir | Component::ParentDir)));
    }

    /// Whatever stood there before, a write leaves exactly the texts it was given.
    #[test]
    fn a_write_leaves_what_it_was_given(
        before in prop::collection::btree_map("[abc]\\.yaml", "[xy\n]{0,9}", 0..3),
        after in prop::collection::btree_map("([ab]/)?[abc]\\.yaml", "[xyü\n]{0,9}", 0..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("made/dist");
        let pairs = |map: &std::collections::BTreeMap<String, String>| -> Vec<(String, String)> {
            map.iter().map(|(p, t)| (p.clone(), t.clone())).collect()
        };
        for set in [pairs(&before), pairs(&after)] {
            let files: Vec<_> = set.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
            let stale: Vec<_> = before.keys().filter(|p| !files.iter().any(|(f, _)| f == p)).map(String::as_str).collect();
            write(&out, &files, &stale).unwrap();
        }
        let mut found = std::collections::BTreeMap::new();
        for entry in walkdir::WalkDir::new(&out).min_depth(1) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(&out).unwrap().to_str().unwrap().to_owned();
                found.insert(path, fs::read_to_string(entry.path()).unwrap());
            }
        }
        prop_assert_eq!(found, after);
    }
}

#[test]
fn a_failure_says_how_far_it_got() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("dist");
    // `b` cannot be replaced by a file: it is a folder that holds something.
    fs::create_dir_all(out.join("b/c")).unwrap();
    let help = |files: &[(&str, &str)]| {
        write(&out, files, &[])
            .unwrap_err()
            .diagnostic()
            .help
            .unwrap()
    };
    assert_eq!(help(&[("b", "1")]), "nothing was changed");
    let after = help(&[("a", "1"), ("b", "2"), ("c", "3")]);
    assert!(
        after.starts_with("1 of 3 files were already replaced"),
        "{after}"
    );
    let left: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "no temporary file stays: {left:?}");
    let stale = write(&out, &[("a", "2")], &["b"]).unwrap_err().diagnostic();
    assert!(stale.help.unwrap().starts_with("every file was written"));
}

/// A root with an images.yaml and one state file.
fn factory() -> (tempfile::TempDir, Layout) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("images.yaml"), "[]\n").unwrap();
    fs::create_dir_all(folder.path().join("state/images")).unwrap();
    fs::write(folder.path().join("state/images/a.yaml"), "name: a\n").unwrap();
    let layout = Layout::of(folder.path()).unwrap();
    (folder, layout)
}

#[test]
fn a_tree_has_its_archive_and_an_edit_reaches_the_disk() {
    let (_folder, layout) = factory();
    let mut edit = Edit::default();
    edit.delete("state/images/a.yaml");
    edit.write("state/_archive/images/a.yaml", "name: a\n");
    edit.write("state/base-images/n.yaml", "name: n\n");
    edit.write("images.yaml", "# changed\n[]\n");
    apply(&layout, &edit).unwrap();
    let (tree, loaded) = load_tree(&layout);
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(tree.text("images.yaml"), Some("# changed\n[]\n"));
    assert_eq!(tree.text("state/images/a.yaml"), None);
    assert_eq!(tree.text("state/_archive/images/a.yaml"), Some("name: a\n"));
    assert_eq!(tree.text("state/base-images/n.yaml"), Some("name: n\n"));
    let left: Vec<_> = fs::read_dir(&layout.root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with('.'))
        .collect();
    assert_eq!(left, Vec::<std::ffi::OsString>::new());
}

#[test]
fn an_edit_goes_to_a_state_folder_elsewhere() {
    let (_folder, mut layout) = factory();
    let elsewhere = tempfile::tempdir().unwrap();
    layout.state = elsewhere.path().canonicalize().unwrap();
    let (tree, _) = load_tree(&layout);
    let mut edit = Edit::default();
    edit.write(tree.image_path("b"), "name: b\n");
    apply(&layout, &edit).unwrap();
    let (tree, _) = load_tree(&layout);
    assert_eq!(tree.text(&tree.image_path("b")), Some("name: b\n"));
    assert!(elsewhere.path().join("images/b.yaml").exists());
}

#[cfg(unix)]
#[test]
fn an_edit_leaves_links_and_folders_alone_and_then_changes_nothing() {
    let (_folder, layout) = factory();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "s").unwrap();
    let images = layout.root.join("state/images");
    std::os::unix::fs::symlink(outside.path().join("secret"), images.join("l.yaml")).unwrap();
    std::os::unix::fs::symlink(outside.path(), layout.root.join("state/base-images")).unwrap();
    fs::create_dir(images.join("d.yaml")).unwrap();
    for path in [
        "state/images/l.yaml",
        "state/images/d.yaml",
        "state/base-images/n.yaml",
        "state/images/a.yaml/n.yaml",
    ] {
        let mut edit = Edit::default();
        edit.write("state/images/a.yaml", "changed");
        edit.write(path, "text");
        assert!(apply(&layout, &edit).is_err(), "{path}");
        let kept = fs::read_to_string(images.join("a.yaml")).unwrap();
        assert_eq!(kept, "name: a\n", "{path}");
    }
    assert_eq!(
        fs::read_to_string(outside.path().join("secret")).unwrap(),
        "s"
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}
