//! From enrollments and Dockerfiles to state: which base images there are, what
//! they are called, and what becomes of files that nothing needs any more.
//!
//! The way of a run: `dockerfiles` reads what was found, `naming` gives each
//! reference its name, `images` and `bases` bring the state files up to date,
//! `archive` moves away what nothing needs and fetches back what is needed again.

mod archive;
mod bases;
mod dockerfiles;
mod images;
mod naming;
mod old;
mod run;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{Diagnostic, Sources};
use crate::model::{Image, Name, ObjectName, Source};
use crate::tree::Edit;

pub use run::{not_enrolled, run};

/// Which images a run is about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Scope {
    /// Every enrolled image, and everything that is not enrolled any more.
    #[default]
    All,
    /// These images. Of what others have, only the lists of dependents follow.
    Only(BTreeSet<Name>),
}

impl Scope {
    /// Is the image one of them?
    #[must_use]
    pub fn has(&self, name: &Name) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

/// How a run is done.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which images it is about.
    pub scope: Scope,
    /// Make the state of the images of [`Scope::Only`] anew, whatever their files say.
    pub reset_state: bool,
    /// State files that are there but could not be read, by path; they are left as
    /// they are.
    pub damaged: BTreeSet<String>,
    /// What to call a Dockerfile in what is told, if not after its repository.
    pub shown: BTreeMap<Name, String>,
}

/// What came of looking for a Dockerfile.
#[derive(Clone, Debug)]
pub enum Found {
    /// It was read.
    Read {
        /// All of it.
        bytes: Vec<u8>,
        /// The commit that it stands in, if it comes from one.
        commit: Option<String>,
    },
    /// It could not be.
    Failed {
        /// Why, for people.
        reason: String,
        /// What to do about it.
        help: Option<String>,
    },
}

/// How the discovery of an image ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Its Dockerfile was read, and its base images are known.
    Success,
    /// Its Dockerfile could not be read; its base images are those of before.
    Failed,
    /// It is not built here.
    External,
    /// Nobody looked for its Dockerfile.
    Pending,
    /// Its state file says what cannot be, and was left as it is.
    Damaged,
}

impl Status {
    /// One word for it, as in state files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::External => "external",
            Self::Pending => "pending",
            Self::Damaged => "damaged",
        }
    }
}

/// What is new about the state of an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing.
    None,
    /// It had no state.
    Enrolled,
    /// Its state came back from the archive.
    Restored,
    /// It was external and is managed now.
    ToManaged,
    /// It was managed and is external now.
    ToExternal,
    /// Something else in its file.
    Updated,
}

/// What a run learnt about one image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageResult {
    /// Its name.
    pub name: Name,
    /// How its discovery ended.
    pub status: Status,
    /// Its base images now, sorted.
    pub bases: Vec<ObjectName>,
    /// Those of them that it did not have before.
    pub added: Vec<ObjectName>,
    /// Those that it has no more.
    pub removed: Vec<ObjectName>,
    /// What is new.
    pub change: Change,
}

/// What a run comes to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The files to be written and deleted; none if nothing new was learnt.
    pub edit: Edit,
    /// The images that the run was about, in the order of images.yaml.
    pub images: Vec<ImageResult>,
    /// Enrolled no more, and moved to the archive.
    pub archived_images: Vec<Name>,
    /// Base images that were found for the first time.
    pub new_bases: Vec<ObjectName>,
    /// Base images that nobody needs any more, and that were moved to the archive.
    pub archived_bases: Vec<ObjectName>,
    /// Base images that came back from the archive.
    pub restored_bases: Vec<ObjectName>,
    /// What there is to say.
    pub diagnostics: Vec<Diagnostic>,
    /// The Dockerfiles that diagnostics point into.
    pub sources: Sources,
    /// The enrollment is wrong, or the scope names what is not enrolled: nothing was
    /// looked at.
    pub refused: bool,
}

impl Outcome {
    /// Is anything not as it should be, so that the answer is no?
    #[must_use]
    pub fn any_error(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// The images of a scope that have a Dockerfile to be found, with their sources, in
/// the order of images.yaml.
#[must_use]
pub fn wanted<'m>(images: &'m [Image], scope: &Scope) -> Vec<(&'m Image, &'m Source)> {
    images
        .iter()
        .filter(|image| scope.has(&image.name))
        .filter_map(|image| Some((image, image.source()?)))
        .collect()
}
