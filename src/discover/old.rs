//! What state says before a run.

use std::collections::BTreeMap;

use super::Options;
use crate::diagnostics::{Diagnostic, Place, code};
use crate::dockerfile::{ImageReference, ReferenceFault};
use crate::model::{InputFile, state_name};
use crate::state::{BaseDoc, ImageDoc, Read};
use crate::tree::Tree;

/// A state file.
pub(super) enum File<D> {
    /// It says what can be.
    Good(Good<D>),
    /// It does not, and is left as it is.
    Damaged,
}

/// A state file that could be read.
pub(super) struct Good<D> {
    pub(super) doc: D,
    /// What was mended in it, so that it has to be written.
    pub(super) notice: Option<Diagnostic>,
}

impl<D> File<D> {
    pub(super) const fn doc(&self) -> Option<&D> {
        match self {
            Self::Good(good) => Some(&good.doc),
            Self::Damaged => None,
        }
    }
}

/// A file in the archive.
pub(super) struct Archived<D> {
    pub(super) path: String,
    pub(super) doc: D,
}

/// All of state. What is wrong with files is told by `damage`, for whom it concerns.
#[derive(Default)]
pub(super) struct Old {
    pub(super) images: BTreeMap<String, File<ImageDoc>>,
    pub(super) bases: BTreeMap<String, File<BaseDoc>>,
    pub(super) archived_images: Vec<Archived<ImageDoc>>,
    pub(super) archived_bases: Vec<Archived<BaseDoc>>,
    /// What is wrong, by the path of the file.
    pub(super) damage: BTreeMap<String, Vec<Diagnostic>>,
}

impl Old {
    pub(super) fn read(tree: &Tree, options: &Options) -> Self {
        let mut old = Self::default();
        for file in &tree.inputs.images {
            let read = ImageDoc::read(file);
            add(file, read, &mut old.images, &mut old.damage);
        }
        for file in &tree.inputs.bases {
            let mut read = BaseDoc::read(file);
            if let Some(Err(fault)) = read.doc.as_ref().map(reference) {
                read.doc = None;
                read.diagnostics.push(
                    Diagnostic::error(code::INVALID_REFERENCE, fault.message)
                        .help("restore the file from git, or delete it and run `image-factory discover`")
                        .at(Place::file(file.path.clone())),
                );
            }
            add(file, read, &mut old.bases, &mut old.damage);
        }
        for path in &options.damaged {
            let Some((folder, name)) = path.rsplit_once('/') else {
                continue;
            };
            let Some(name) = name.strip_suffix(".yaml") else {
                continue;
            };
            if folder == format!("{}/images", tree.state) {
                old.images.insert(name.to_owned(), File::Damaged);
            } else if folder == format!("{}/base-images", tree.state) {
                old.bases.insert(name.to_owned(), File::Damaged);
            }
        }
        let images = format!("{}/_archive/images/", tree.state);
        for file in &tree.archive {
            let path = file.path.to_string();
            if path.starts_with(&images) {
                if let Some(doc) = ImageDoc::read(&renamed(file)).doc {
                    old.archived_images.push(Archived { path, doc });
                }
            } else if let Some(doc) = BaseDoc::read(&renamed(file)).doc {
                old.archived_bases.push(Archived { path, doc });
            }
        }
        old
    }
}

/// An archived file may have a number behind its name, which its content has not.
fn renamed(file: &InputFile) -> InputFile {
    let mut file = file.clone();
    if let Some((name, _)) = file.path.split_once('~') {
        file.path = format!("{name}.yaml").into();
    }
    file
}

fn add<D>(
    file: &InputFile,
    read: Read<D>,
    files: &mut BTreeMap<String, File<D>>,
    damage: &mut BTreeMap<String, Vec<Diagnostic>>,
) {
    let Some(name) = state_name(file) else {
        return;
    };
    let notice = read.notice(file);
    if !read.diagnostics.is_empty() {
        damage.insert(file.path.to_string(), read.diagnostics);
    }
    let read = match read.doc {
        Some(doc) => File::Good(Good { doc, notice }),
        None => File::Damaged,
    };
    files.insert(name.to_owned(), read);
}

/// What a base file is about.
fn reference(doc: &BaseDoc) -> Result<ImageReference, ReferenceFault> {
    ImageReference::parse(&doc.full_image)
}

/// The same for a file that was found to be good.
pub(super) fn identity(doc: &BaseDoc) -> Option<ImageReference> {
    reference(doc).ok()
}
