//! Files that nothing needs any more, and files that are needed again.

use std::collections::BTreeSet;

use crate::diagnostics::{Diagnostic, Place, code};
use crate::model::{Image, InputFile, Parse as _, Registry, Repository};
use crate::state::ImageDoc;
use crate::tree::{Edit, Tree};

use super::old::Archived;

/// Moves files into the archive and back.
pub(super) struct Mover<'t> {
    tree: &'t Tree,
    /// Paths in the archive that are taken.
    taken: BTreeSet<String>,
    pub(super) edit: Edit,
}

impl<'t> Mover<'t> {
    pub(super) fn new(tree: &'t Tree) -> Self {
        let path = |file: &InputFile| file.path.to_string();
        Self {
            tree,
            taken: tree.archive.iter().map(path).collect(),
            edit: Edit::default(),
        }
    }

    /// Moves a file to this place in the archive, as it is. What stands there already is
    /// of another image, or of another time, and makes way.
    pub(super) fn put_away(&mut self, path: &str, to: &str) {
        self.keep(path, to);
        self.edit.delete(path);
    }

    /// The same for a file in the place of which another one comes.
    pub(super) fn keep(&mut self, path: &str, to: &str) {
        let Some(text) = self.tree.text(path) else {
            return;
        };
        if self.taken.contains(to)
            && let Some(there) = self.tree.text(to)
            && there != text
            && !self.edit.files.contains_key(to)
        {
            let beside = self.beside(to);
            self.edit.write(beside.clone(), there);
            self.taken.insert(beside);
        }
        self.taken.insert(to.to_owned());
        self.edit.write(to, text);
    }

    /// A free place for an older file of the same name.
    fn beside(&self, path: &str) -> String {
        let stem = path.strip_suffix(".yaml").unwrap_or(path);
        let mut number = 1_u64;
        loop {
            let beside = format!("{stem}~{number}.yaml");
            if !self.taken.contains(&beside) {
                return beside;
            }
            number += 1;
        }
    }

    /// Moves a file out of the archive: as it is, or with a new text.
    pub(super) fn bring_back(&mut self, from: &str, path: String, text: Option<String>) {
        let as_it_is = || self.tree.text(from).unwrap_or_default().to_owned();
        let text = text.unwrap_or_else(as_it_is);
        self.edit.write(path, text);
        self.taken.remove(from);
        self.edit.delete(from);
    }
}

/// What the archive has of an image that is enrolled again. What is there under its
/// name, but of another image, is told, and stays there.
pub(super) fn of_image<'o>(
    image: &Image,
    archived: &'o [Archived<ImageDoc>],
    out: &mut Vec<Diagnostic>,
) -> Option<&'o Archived<ImageDoc>> {
    let mut named = archived.iter().filter(|file| file.doc.name == image.name);
    let fits = |file: &&Archived<ImageDoc>| is_of(&file.doc, image);
    // The newest stands under the plain name, which comes first or last.
    let mut fitting: Vec<&Archived<ImageDoc>> = named.clone().filter(fits).collect();
    fitting.sort_by_key(|file| (file.path.contains('~'), &file.path));
    if let Some(file) = fitting.first() {
        return Some(file);
    }
    let other = named.next()?;
    let repository = repository(&other.doc).map_or_else(String::new, |url| format!(" `{url}`"));
    let message = format!(
        "`{}` was enrolled before as another image,{repository}, so its old state is left in the archive",
        image.name
    );
    let help = format!(
        "nothing is to be done; if it is the same image, move `{}` back by hand, with the new `registry` and `repository` in it",
        other.path
    );
    out.push(
        Diagnostic::warning(code::ARCHIVE_OF_ANOTHER, message)
            .help(help)
            .at(Place::file(other.path.clone())),
    );
    None
}

/// Is this the state of the image that is enrolled now, not of one that lived elsewhere?
pub(super) fn is_of(doc: &ImageDoc, image: &Image) -> bool {
    repository(doc).is_none_or(|repository| repository == image.repository)
}

/// Tells that an entry was changed to another image.
pub(super) fn replaced(image: &Image, old: &ImageDoc, archived: String) -> Diagnostic {
    let was = repository(old).map_or_else(String::new, |url| format!(" `{url}`"));
    let message = format!(
        "`{}` was another image,{was}, so it begins anew as `{}`, and its old state is in the archive",
        image.name, image.repository
    );
    let help = format!(
        "nothing is to be done; if it is the same image, move `{archived}` back by hand, with the new `registry` and `repository` in it"
    );
    Diagnostic::warning(code::ARCHIVE_OF_ANOTHER, message)
        .help(help)
        .at(image.place())
}

/// Where the image of a state file lived.
pub(super) fn repository(doc: &ImageDoc) -> Option<Repository> {
    let registry = doc.enrollment.text("registry").unwrap_or("docker.io");
    let registry = Registry::parse(registry).ok()?;
    Repository::new(&registry, doc.enrollment.text("repository")?).ok()
}
