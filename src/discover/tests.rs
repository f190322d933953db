//! Runs from texts to texts.

mod lifecycle;
mod merging;
mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Found, Options, Outcome, Scope, run};
use crate::diagnostics::{Code, Severity};
use crate::model::{InputFile, Name, Parse as _, Time};
use crate::state::ImageDoc;
use crate::tree::Tree;

/// A factory and the Dockerfiles of its images.
#[derive(Clone, Default)]
struct Factory {
    tree: Tree,
    found: BTreeMap<Name, Found>,
    options: Options,
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

const NOON: &str = "2026-11-21T12:00:00Z";
const LATER: &str = "2026-11-22T12:00:00Z";

impl Factory {
    fn new(enrollment: &str) -> Self {
        Self::default().enrollment(enrollment)
    }

    fn enrollment(mut self, text: &str) -> Self {
        self.tree.inputs.enrollment = vec![InputFile {
            path: Arc::from("images.yaml"),
            text: text.to_owned(),
        }];
        self
    }

    fn dockerfile(mut self, image: &str, text: impl AsRef<[u8]>) -> Self {
        let found = Found::Read {
            bytes: text.as_ref().to_vec(),
            commit: None,
        };
        self.found.insert(name(image), found);
        self
    }

    fn fails(mut self, image: &str, reason: &str) -> Self {
        let found = Found::Failed {
            reason: reason.to_owned(),
            help: Some("mend it".to_owned()),
        };
        self.found.insert(name(image), found);
        self
    }

    fn file(mut self, path: &str, text: &str) -> Self {
        let mut edit = crate::tree::Edit::default();
        edit.write(path, text);
        self.tree = self.tree.with(&edit);
        self
    }

    fn only(mut self, names: &[&str]) -> Self {
        self.options.scope = Scope::Only(names.iter().map(|text| name(text)).collect());
        self
    }

    fn all(mut self) -> Self {
        self.options.scope = Scope::All;
        self
    }

    fn at(&self, now: &str) -> Outcome {
        run(&self.tree, &self.found, time(now), &self.options)
    }

    /// The factory after a run.
    fn then(mut self, now: &str) -> Self {
        let outcome = self.at(now);
        self.tree = self.tree.with(&outcome.edit);
        self
    }

    fn text(&self, path: &str) -> &str {
        self.tree
            .text(path)
            .unwrap_or_else(|| panic!("there is no {path}"))
    }

    fn lines(&self, path: &str, keys: &[&str]) -> Vec<String> {
        let starts = |line: &&str| keys.iter().any(|key| line.trim_start().starts_with(key));
        let lines = self.text(path).lines().filter(starts);
        lines.map(|line| line.trim().to_owned()).collect()
    }

    /// The base images of an image's file.
    fn bases(&self, image: &str) -> Vec<String> {
        let path = self.tree.image_path(image);
        let file = InputFile {
            path: path.as_str().into(),
            text: self.text(&path).to_owned(),
        };
        let doc = ImageDoc::read(&file).doc.unwrap();
        doc.bases
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Every state file.
    fn state(&self) -> Vec<String> {
        let inputs = &self.tree.inputs;
        let groups = [&inputs.images, &inputs.bases, &self.tree.archive];
        groups
            .into_iter()
            .flatten()
            .map(|file| file.path.to_string())
            .collect()
    }
}

/// The paths of an edit: written with `+`, deleted with `-`.
fn paths(outcome: &Outcome) -> Vec<String> {
    let sign = |text: &Option<String>| if text.is_some() { '+' } else { '-' };
    let files = outcome.edit.files.iter();
    files
        .map(|(path, text)| format!("{}{path}", sign(text)))
        .collect()
}

/// The codes of what is told, errors with `!`.
fn codes(outcome: &Outcome) -> Vec<String> {
    let code = |code: Code, severity: Severity| match severity {
        Severity::Error => format!("{}!", code.id()),
        Severity::Warning => code.id().to_owned(),
    };
    let all: BTreeSet<String> = outcome
        .diagnostics
        .iter()
        .map(|d| code(d.code, d.severity))
        .collect();
    all.into_iter().collect()
}

/// An entry of a managed image.
fn managed(name: &str) -> String {
    format!(
        "- name: {name}\n  registry: ghcr.io\n  repository: acme/{name}\n  source: {{repo: acme/{name}}}\n"
    )
}

/// An entry of an external image.
fn external(name: &str) -> String {
    format!(
        "- name: {name}\n  registry: ghcr.io\n  repository: acme/{name}\n  allowTags: ^1\\.2$\n"
    )
}
