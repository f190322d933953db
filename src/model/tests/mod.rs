//! What files say and what is wrong with them.

mod bad_input;
mod entries;
mod state;

use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Sources, code};

use super::{GitRepo, InputFile, InputFiles, Model, load};

pub(super) fn file(path: &str, text: &str) -> InputFile {
    InputFile {
        path: path.into(),
        text: text.to_owned(),
    }
}

pub(super) fn files(images: &str) -> InputFiles {
    InputFiles {
        enrollment: vec![file("images.yaml", images)],
        ..InputFiles::default()
    }
}

/// Adds `state/...` files by their paths.
pub(super) fn with_state(mut files: InputFiles, state: &[(&str, &str)]) -> InputFiles {
    for (path, text) in state {
        let list = if path.starts_with("state/images/") {
            &mut files.images
        } else {
            &mut files.bases
        };
        list.push(file(path, text));
    }
    files
}

/// `CODE file:line:column` of each diagnostic.
pub(super) fn report(files: &InputFiles, diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut sources = Sources::new();
    for file in files
        .enrollment
        .iter()
        .chain(&files.images)
        .chain(&files.bases)
    {
        sources.add(Arc::clone(&file.path), file.text.as_str());
    }
    let place = |diagnostic: &Diagnostic| {
        let place = diagnostic
            .place
            .as_ref()
            .expect("every diagnostic has a place");
        match sources.position(place) {
            Some(at) => format!("{}:{}:{}", place.file, at.line, at.column),
            None => place.file.to_string(),
        }
    };
    diagnostics
        .iter()
        .map(|d| format!("{} {}", d.code, place(d)))
        .collect()
}

/// The model of files with no error; warnings must be of the given codes.
#[track_caller]
pub(super) fn model(files: &InputFiles, warnings: &[&str]) -> Model {
    let (model, diagnostics) = load(files);
    let codes: Vec<&str> = diagnostics.iter().map(|d| d.code.id()).collect();
    assert_eq!(codes, warnings, "{diagnostics:#?}");
    model.expect("no errors, so a model")
}

#[test]
fn nothing_is_an_empty_list() {
    for files in [
        InputFiles::default(),
        files(""),
        files("[]\n"),
        files("images:\n"),
        files("# only a comment\n"),
        files("settings: {}\n"),
    ] {
        assert!(model(&files, &[]).images.is_empty());
    }
}

#[test]
fn a_required_repository_is_asked_for_with_the_lines_to_add() {
    let mut files = files("- name: a\n  repository: b\n  allowTags: ^1$\n");
    files.git_repo = GitRepo::Required {
        origin: Some("git@github.com:acme/factory.git".to_owned()),
    };
    let (model, diagnostics) = load(&files);
    assert!(model.is_none());
    assert_eq!(
        report(&files, &diagnostics),
        [format!("{} images.yaml", code::MISSING_GIT_REPO)]
    );
    let help = diagnostics[0].help.as_deref().expect("help");
    assert!(
        help.contains("settings:\n  git:\n    repo: https://github.com/acme/factory.git\nimages:"),
        "{help}"
    );

    let text = "settings:\n  git:\n    branch: x\nimages: []\n";
    let mut files = self::files(text);
    files.git_repo = GitRepo::Required { origin: None };
    let (_, diagnostics) = load(&files);
    assert_eq!(
        report(&files, &diagnostics),
        [format!("{} images.yaml:3:5", code::MISSING_GIT_REPO)]
    );
    assert!(
        diagnostics[0]
            .help
            .as_deref()
            .is_some_and(|help| help.contains("OWNER/REPOSITORY"))
    );

    // A wrong address is one error, not two.
    let mut files = self::files("settings: {git: {repo: x}}\n");
    files.git_repo = GitRepo::Required { origin: None };
    assert_eq!(
        report(&files, &load(&files).1),
        [format!("{} images.yaml:1:24", code::INVALID_URL)]
    );
}

#[test]
fn this_repository_is_in_order() {
    let files = InputFiles {
        enrollment: vec![file("images.yaml", include_str!("../../../images.yaml"))],
        images: vec![
            file(
                "state/images/backstage.yaml",
                include_str!("../../../state/images/backstage.yaml"),
            ),
            file(
                "state/images/postgres.yaml",
                include_str!("../../../state/images/postgres.yaml"),
            ),
            file(
                "state/images/redis.yaml",
                include_str!("../../../state/images/redis.yaml"),
            ),
            file(
                "state/images/uv-service.yaml",
                include_str!("../../../state/images/uv-service.yaml"),
            ),
        ],
        bases: vec![
            file(
                "state/base-images/node-22-bookworm-slim.yaml",
                include_str!("../../../state/base-images/node-22-bookworm-slim.yaml"),
            ),
            file(
                "state/base-images/python-3.12-slim.yaml",
                include_str!("../../../state/base-images/python-3.12-slim.yaml"),
            ),
        ],
        git_repo: GitRepo::Required { origin: None },
    };
    let model = model(&files, &[]);
    let bases = |name: &str| -> Vec<String> {
        let image = model.image(name).expect("enrolled");
        model
            .bases_of(image)
            .map(|base| base.repo_url.to_string())
            .collect()
    };
    assert_eq!(bases("backstage"), ["docker.io/library/node"]);
    assert_eq!(bases("uv-service"), ["docker.io/library/python"]);
    assert!(bases("postgres").is_empty());
    assert_eq!(model.managed().count(), 2);
    assert_eq!(model.external().count(), 2);
}
