//! What `state/` remembers, as far as manifests depend on it.

use std::sync::Arc;

use crate::diagnostics::Place;

use super::fields::Fields;
use super::names::{Name, ObjectName};
use super::reference::{Digest, Repository, Tag};
use super::watch::Watch;

/// `state/images/NAME.yaml`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageState {
    /// The image's name, which is the file's.
    pub name: Name,
    /// How the last discovery ended.
    pub status: DiscoveryStatus,
    /// Where it lived when discovery last saw it enrolled, as far as the file says.
    pub repository: Option<Repository>,
    /// The base images that the last successful discovery found, sorted.
    pub bases: Vec<ObjectName>,
    /// The file, relative to the root.
    pub file: Arc<str>,
}

/// How the last discovery of an image ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiscoveryStatus {
    /// There was none yet.
    Pending,
    /// Well.
    Success,
    /// Not well; the base images are those found before.
    Failed,
    /// The image is external.
    External,
}

/// `state/base-images/NAME.yaml`: an image reference that some Dockerfile names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base {
    /// Its name, which is the file's, and of its Kargo objects.
    pub name: ObjectName,
    /// The reference as the Dockerfile spells it, variables expanded.
    pub full_image: String,
    /// Its canonical repository.
    pub repository: Repository,
    /// What Kargo subscribes to; usually the same.
    pub repo_url: Repository,
    /// Its tag; `None` only if it is pinned by digest alone.
    pub tag: Option<Tag>,
    /// The digest that it is pinned by.
    pub digest: Option<Digest>,
    /// What to watch; `None` if it cannot change, being pinned by digest alone, or if
    /// Kargo cannot subscribe to it.
    pub watch: Option<Watch>,
    /// Whether it is an enrolled image.
    pub link: Link,
    /// The enrolled images that are built on it, sorted.
    pub dependents: Vec<Name>,
    /// Where its keys stand.
    pub fields: Fields,
}

impl Base {
    /// Its state file.
    #[must_use]
    pub fn place(&self) -> Place {
        self.fields.of("fullImage")
    }

    /// The managed image that it is, if any.
    #[must_use]
    pub const fn managed_image(&self) -> Option<&Name> {
        match &self.link {
            Link::Managed(name) => Some(name),
            Link::External(_) | Link::Upstream => None,
        }
    }
}

/// Whether a base image is an enrolled image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    /// It is not: somebody else's image that nobody enrolled.
    Upstream,
    /// It is one of our own: same registry and repository.
    Managed(Name),
    /// It is an enrolled external image: same registry and repository, and what
    /// that watches is just this tag.
    External(Name),
}
