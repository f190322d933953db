//! What would change: files, objects, fields, lines. Pure: texts in, data out.
//!
//! Files are compared document by document, so that only what differs is parsed
//! and compared line by line; the cost is that of reading the texts once.

mod documents;
mod fields;
mod lines;

use std::collections::{BTreeMap, BTreeSet};

use super::files::{FileSpec, is_generated};
use super::object::ObjectId;
use documents::Document;

pub use lines::unified;

/// Most fields of an object that are named; of the rest the number is given.
pub const MOST_FIELDS: usize = 12;

/// What happens to a file or an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ChangeKind {
    /// It was not there.
    Added,
    /// It was there with other content.
    Changed,
    /// It is no longer rendered.
    Removed,
}

/// A file that is not as it would be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileChange {
    /// Relative to the folder of all output.
    pub path: String,
    /// What happens to it.
    pub kind: ChangeKind,
    /// The objects in it that differ, in the order of the new file, the removed ones
    /// last. Empty when only comments, the order or the style of the text differ.
    pub objects: Vec<ObjectChange>,
}

/// An object that is not as it would be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectChange {
    /// What happens to it.
    pub kind: ChangeKind,
    /// What names it.
    pub id: ObjectId,
    /// For a changed object the fields that differ, at most [`MOST_FIELDS`].
    pub fields: Vec<FieldChange>,
    /// How many more fields differ.
    pub more: usize,
}

/// A field that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldChange {
    /// `spec.interval`, `spec.steps[clone].config.branch`, `spec.args[2]`: items of
    /// lists by their name where all have one, else by their index from 0.
    pub path: String,
    /// What it was: the text of a scalar, else JSON; `None` if it was not there.
    pub from: Option<String>,
    /// What it becomes; `None` if it is taken away.
    pub to: Option<String>,
}

/// Compares what stands in a folder (path and text of each file) with what would be
/// written. Changes are sorted by path. A file that would no longer be written is
/// removed only if it bears our mark, or the mark that the new files bear.
#[must_use]
pub fn files(old: &BTreeMap<String, String>, new: &[FileSpec]) -> Vec<FileChange> {
    let mut changes = Vec::new();
    for file in new {
        match old.get(&file.path) {
            Some(text) if *text == file.text => {}
            Some(text) => changes.push(FileChange {
                path: file.path.clone(),
                kind: ChangeKind::Changed,
                objects: objects(text, &file.text),
            }),
            None => changes.push(FileChange {
                path: file.path.clone(),
                kind: ChangeKind::Added,
                objects: file
                    .documents
                    .iter()
                    .map(|document| whole(ChangeKind::Added, document.id.clone()))
                    .collect(),
            }),
        }
    }
    let written: BTreeSet<&str> = new.iter().map(|file| file.path.as_str()).collect();
    let mark = new.first().and_then(|file| file.text.lines().next());
    let bears_mark = |text: &str| {
        is_generated(text)
            || mark.is_some_and(|mark| mark.starts_with('#') && text.lines().next() == Some(mark))
    };
    for (path, text) in old
        .iter()
        .filter(|(path, _)| !written.contains(path.as_str()))
    {
        if bears_mark(text) {
            changes.push(FileChange {
                path: path.clone(),
                kind: ChangeKind::Removed,
                objects: objects(text, ""),
            });
        }
    }
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    changes
}

/// How many objects of the new files stand in the old ones as they would be written.
#[must_use]
pub fn in_sync(new: &[FileSpec], changes: &[FileChange]) -> usize {
    let all: usize = new.iter().map(|file| file.documents.len()).sum();
    let differ = changes.iter().flat_map(|change| &change.objects);
    all.saturating_sub(
        differ
            .filter(|object| object.kind != ChangeKind::Removed)
            .count(),
    )
}

fn whole(kind: ChangeKind, id: ObjectId) -> ObjectChange {
    ObjectChange {
        kind,
        id,
        fields: Vec::new(),
        more: 0,
    }
}

/// The objects that differ between two texts of a file.
fn objects(old: &str, new: &str) -> Vec<ObjectChange> {
    let (old, new) = (documents::split(old), documents::split(new));
    let mut before: BTreeMap<&ObjectId, &Document<'_>> = BTreeMap::new();
    for document in &old {
        if let Some(id) = &document.id {
            before.insert(id, document);
        }
    }
    let mut changes = Vec::new();
    for document in &new {
        let Some(id) = &document.id else { continue };
        match before.remove(id) {
            Some(old) if old.body() == document.body() => {}
            Some(old) => {
                let (fields, more) = fields::differing(old.body(), document.body());
                if !fields.is_empty() {
                    changes.push(ObjectChange {
                        fields,
                        more,
                        ..whole(ChangeKind::Changed, id.clone())
                    });
                }
            }
            None => changes.push(whole(ChangeKind::Added, id.clone())),
        }
    }
    changes.extend(
        before
            .into_keys()
            .map(|id| whole(ChangeKind::Removed, id.clone())),
    );
    changes
}
