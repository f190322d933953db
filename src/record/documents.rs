//! The documents that an event is about, read from the tree when they are needed.

use std::sync::Arc;

use crate::diagnostics::Diagnostic;
use crate::model::{
    self, Image, InputFile, InputFiles, Model, Parse as _, Reference, Repository, Watch,
};
use crate::state::{BaseDoc, ImageDoc, Read};
use crate::tree::{Edit, Tree};

/// The enrolled images; `None` if the enrollment is wrong. What state holds does not
/// count: one file that is wrong must not keep others from being written.
pub(super) fn enrolled(tree: &Tree, out: &mut Vec<Diagnostic>) -> Option<Model> {
    let files = InputFiles {
        enrollment: tree.inputs.enrollment.clone(),
        ..InputFiles::default()
    };
    let (model, diagnostics) = model::load(&files);
    if model.is_none() {
        out.extend(diagnostics);
    }
    model
}

/// A document and the file it came from.
pub(super) struct Opened<D> {
    pub(super) path: String,
    before: Option<D>,
    pub(super) doc: D,
    mended: bool,
    notice: Option<Diagnostic>,
}

impl<D: Clone + PartialEq> Opened<D> {
    /// One that is not there yet.
    pub(super) fn new(path: String, doc: D) -> Self {
        Self {
            path,
            before: None,
            doc,
            mended: false,
            notice: None,
        }
    }

    fn of(read: Read<D>, file: &InputFile, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let notice = read.notice(file);
        out.extend(read.diagnostics);
        let doc = read.doc?;
        Some(Self {
            path: file.path.to_string(),
            before: Some(doc.clone()),
            doc,
            mended: !read.mended.is_empty(),
            notice,
        })
    }

    pub(super) fn changed(&self) -> bool {
        self.before.as_ref() != Some(&self.doc)
    }

    /// Puts the document into the edit if it changed.
    pub(super) fn save(
        self,
        edit: &mut Edit,
        write: impl FnOnce(&D) -> String,
        out: &mut Vec<Diagnostic>,
    ) {
        if self.changed() {
            edit.write(self.path, write(&self.doc));
            if self.mended {
                out.extend(self.notice);
            }
        }
    }
}

fn file(tree: &Tree, path: &str) -> Option<InputFile> {
    tree.text(path).map(|text| InputFile {
        path: Arc::from(path),
        text: text.to_owned(),
    })
}

/// The state of an enrolled image: `None` if there is none, `Some(None)` if it is wrong.
pub(super) fn image(
    tree: &Tree,
    name: &str,
    out: &mut Vec<Diagnostic>,
) -> Option<Option<Opened<ImageDoc>>> {
    image_at(tree, &tree.image_path(name), out)
}

/// The state of an image in this file, as [`image`].
pub(super) fn image_at(
    tree: &Tree,
    path: &str,
    out: &mut Vec<Diagnostic>,
) -> Option<Option<Opened<ImageDoc>>> {
    let file = file(tree, path)?;
    Some(Opened::of(ImageDoc::read(&file), &file, out))
}

/// What is known of the image's base images; what cannot be read is not.
pub(super) fn bases_of(tree: &Tree, image: &ImageDoc) -> Vec<BaseDoc> {
    let names = image.bases.as_deref().unwrap_or_default();
    names
        .iter()
        .filter_map(|name| base(tree, name.as_str(), &mut Vec::new()).flatten())
        .map(|opened| opened.doc)
        .collect()
}

/// The state of a base image, as [`image`].
pub(super) fn base(
    tree: &Tree,
    name: &str,
    out: &mut Vec<Diagnostic>,
) -> Option<Option<Opened<BaseDoc>>> {
    let file = file(tree, &tree.base_path(name))?;
    Some(Opened::of(BaseDoc::read(&file), &file, out))
}

/// Is the base image one of our own?
pub(super) fn is_own(model: &Model, base: &BaseDoc) -> bool {
    repository(base)
        .is_some_and(|found| model.managed().any(|(image, _)| image.repository == found))
}

/// The external image that stands for the base image: one of the same repository that
/// watches just this tag.
pub(super) fn external_of<'m>(model: &'m Model, base: &BaseDoc) -> Option<&'m Image> {
    let reference = Reference::parse(&base.full_image).ok()?;
    if is_own(model, base) {
        return None;
    }
    model
        .external()
        .find(|image| is_of(image, &reference) && watches_its_tag(base))
}

/// The external image that a reference stands for.
pub(super) fn external_at<'m>(model: &'m Model, reference: &Reference) -> Option<&'m Image> {
    model.external().find(|image| is_of(image, reference))
}

fn is_of(image: &Image, reference: &Reference) -> bool {
    image.repository == reference.repository
        && matches!(&image.watch, Watch::Tag(tag) if Some(tag) == reference.tag.as_ref())
}

/// Whether one tag is watched, not a pattern that somebody wrote.
pub(super) fn watches_its_tag(base: &BaseDoc) -> bool {
    let reference = Reference::parse(&base.full_image).ok();
    let pattern = reference
        .and_then(|reference| reference.tag)
        .map(|tag| tag.pattern());
    base.warehouse.allow_tags.is_none() || base.warehouse.allow_tags == pattern
}

fn repository(base: &BaseDoc) -> Option<Repository> {
    Some(Reference::parse(&base.full_image).ok()?.repository)
}
