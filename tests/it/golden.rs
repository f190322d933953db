//! Whole factories: `tests/golden/CASE/in` rendered by the real binary is
//! `tests/golden/CASE/out`. `UPDATE_GOLDEN=1` rewrites `out`; read the diff.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image_factory::model::{GitRepo, InputFile, InputFiles};
use image_factory::pipeline;

/// The files below a folder, by path.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap);
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            (path.to_str().unwrap().to_owned(), text)
        })
        .collect()
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn each_factory_renders_to_what_was_reviewed() {
    assert!(!cases().is_empty());
    for case in cases() {
        let rendered = tempfile::tempdir().unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_synth"))
            .env_clear()
            .arg("--quiet")
            .arg("--root")
            .arg(case.join("in"))
            .arg("--out")
            .arg(rendered.path())
            .status()
            .unwrap();
        assert!(status.success(), "{}", case.display());
        let expected = case.join("out");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let _ = fs::remove_dir_all(&expected);
            fs::create_dir_all(&expected).unwrap();
            for (path, text) in files(rendered.path()) {
                fs::write(expected.join(path), text).unwrap();
            }
        }
        let (expected, rendered) = (files(&expected), files(rendered.path()));
        assert_eq!(
            expected.keys().collect::<Vec<_>>(),
            rendered.keys().collect::<Vec<_>>()
        );
        for (path, text) in expected {
            assert!(
                text == rendered[&path],
                "{}: {path} changed; see with UPDATE_GOLDEN=1 and git diff",
                case.display()
            );
        }
    }
}

/// The files of a case, as the shell hands them over.
fn inputs(case: &Path) -> InputFiles {
    let of = |folder: &str| -> Vec<InputFile> {
        let read = |(path, text): (String, String)| InputFile {
            path: format!("{folder}/{path}").into(),
            text,
        };
        files(&case.join("in").join(folder))
            .into_iter()
            .map(read)
            .collect()
    };
    let images = InputFile {
        path: "images.yaml".into(),
        text: fs::read_to_string(case.join("in/images.yaml")).unwrap(),
    };
    InputFiles {
        enrollment: std::iter::once(images).chain(of("images.d")).collect(),
        images: of("state/images"),
        bases: of("state/base-images"),
        git_repo: GitRepo::Required { origin: None },
    }
}

fn rendered(inputs: &InputFiles) -> Vec<(String, String)> {
    let outcome = pipeline::render(inputs);
    let files = outcome
        .files
        .unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics));
    files
        .into_iter()
        .map(|file| (file.path, file.text))
        .collect()
}

#[test]
fn the_order_of_entries_and_files_changes_nothing() {
    for case in cases() {
        let straight = inputs(&case);
        let mut turned = straight.clone();
        turned.images.reverse();
        turned.bases.reverse();
        for file in &mut turned.enrollment {
            let mut document: serde_yaml::Value = serde_yaml::from_str(&file.text).unwrap();
            match &mut document {
                serde_yaml::Value::Sequence(images) => images.reverse(),
                map => map["images"].as_sequence_mut().unwrap().reverse(),
            }
            file.text = serde_yaml::to_string(&document).unwrap();
        }
        assert_eq!(rendered(&straight), rendered(&turned), "{}", case.display());
    }
}

#[test]
fn runtime_fields_of_state_reach_no_manifest() {
    const RUNTIME: &str = "\
currentVersion: \"9.9.9\"
currentDigest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
lastBuilt: \"2026-11-20T10:00:00Z\"
lastUpdated: \"2026-11-20T10:00:00Z\"
rebuildState: {status: pending, pendingRebuild: true, dueAt: \"2026-11-27T10:00:00Z\"}
rebuildHistory: [{at: \"2026-11-20T10:00:00Z\", attempt: 1}]
somethingUnknown: 1
";
    for case in cases() {
        let before = inputs(&case);
        let mut after = before.clone();
        for file in after.images.iter_mut().chain(&mut after.bases) {
            file.text.push_str(RUNTIME);
        }
        assert_eq!(rendered(&before), rendered(&after), "{}", case.display());
    }
}

/// Configuration is images.yaml's: what state copied of it last time is not looked
/// at, so manifests are the same before and after `discover`.
#[test]
fn a_copy_of_the_configuration_in_state_changes_nothing() {
    const COPY: &str = "\
enrollment:
  registry: old.example.com
  repository: old/old
  rebuildDelay: 99d
  autoRebuild: false
";
    for case in cases() {
        let before = inputs(&case);
        let mut after = before.clone();
        for file in &mut after.images {
            file.text.push_str(COPY);
        }
        assert_eq!(rendered(&before), rendered(&after), "{}", case.display());
    }
}
