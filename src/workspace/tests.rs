use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

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
