//! Which files differ from what stood there.

use std::collections::{BTreeMap, BTreeSet};

use crate::synth::{FileSpec, ObjectId};

/// What became of a file or an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ChangeKind {
    Added,
    Changed,
    Removed,
}

/// A file that is not what it was.
#[derive(Clone, Debug)]
pub(super) struct FileChange {
    pub(super) path: String,
    pub(super) kind: ChangeKind,
    /// Its objects that are not what they were.
    pub(super) objects: Vec<ObjectChange>,
}

/// An object that is not what it was.
#[derive(Clone, Debug)]
pub(super) struct ObjectChange {
    pub(super) kind: ChangeKind,
    pub(super) id: ObjectId,
    pub(super) fields: Vec<FieldChange>,
}

/// A field that is not what it was.
#[derive(Clone, Debug)]
pub(super) struct FieldChange {
    pub(super) path: String,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
}

/// Files by path that differ between `old` and `new`.
pub(super) fn files(old: &BTreeMap<String, String>, new: &[FileSpec]) -> Vec<FileChange> {
    let change = |path: &str, kind| FileChange {
        path: path.to_owned(),
        kind,
        objects: Vec::new(),
    };
    let mut changes = Vec::new();
    for file in new {
        match old.get(&file.path) {
            None => changes.push(change(&file.path, ChangeKind::Added)),
            Some(text) if *text != file.text => {
                changes.push(change(&file.path, ChangeKind::Changed))
            }
            Some(_) => {}
        }
    }
    let kept: BTreeSet<&str> = new.iter().map(|file| file.path.as_str()).collect();
    let gone = old.keys().filter(|path| !kept.contains(path.as_str()));
    changes.extend(gone.map(|path| change(path, ChangeKind::Removed)));
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    changes
}

/// The lines of a file that changed, with three around them.
pub(super) fn unified(path: &str, old: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .header(path, path)
        .to_string()
}
