//! Who depends on whom, in Kargo's terms: which Warehouse and `track-` Stage
//! stand for a base image, and what a managed image waits for.

use std::collections::BTreeMap;

use crate::diagnostics::Place;
use crate::model::{Base, Image, Link, Model, Repository, Watch};
use crate::names;

/// The Warehouse and Stage that stand for one base image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upstream<'a> {
    /// Name of the Warehouse that watches the reference.
    pub(super) warehouse: &'a str,
    /// False for our own images: what was worth waiting for has been waited for
    /// when we built them.
    pub(super) soaks: bool,
}

impl Upstream<'_> {
    /// The Stage that records what the Warehouse saw.
    pub(super) fn track(&self) -> String {
        names::track(self.warehouse)
    }
}

/// Something with an image-only Warehouse and a `track-` Stage of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tracked<'a> {
    /// A base image found in a Dockerfile.
    Base(&'a Base, &'a Watch),
    /// An enrolled image that somebody else builds.
    External(&'a Image),
}

impl<'a> Tracked<'a> {
    /// Its name, which is its Warehouse's.
    pub(super) fn name(self) -> &'a str {
        match self {
            Tracked::Base(base, _) => base.name.as_str(),
            Tracked::External(image) => image.name.as_str(),
        }
    }

    /// What its Warehouse subscribes to.
    pub(super) fn repo_url(self) -> &'a Repository {
        match self {
            Tracked::Base(base, _) => &base.repo_url,
            Tracked::External(image) => &image.repo_url,
        }
    }

    /// Which tags count.
    pub(super) fn watch(self) -> &'a Watch {
        match self {
            Tracked::Base(_, watch) => watch,
            Tracked::External(image) => &image.watch,
        }
    }

    /// Where it stands in the input.
    pub(super) fn place(self) -> Place {
        match self {
            Tracked::Base(base, _) => base.place(),
            Tracked::External(image) => image.place(),
        }
    }
}

/// All that somebody else builds: external images and base images. Not here are
/// base images that an enrolled external image stands for (one Warehouse an
/// identity), and those pinned by digest alone (there is no tag to watch).
pub(super) fn watched_upstream(model: &Model) -> impl Iterator<Item = Tracked<'_>> {
    let bases = watched(model).filter(|(base, _)| base.link == Link::Upstream);
    let bases = bases.map(|(base, watch)| Tracked::Base(base, watch));
    bases.chain(model.external().map(Tracked::External))
}

/// The base images that are our own.
pub(super) fn own_bases(model: &Model) -> impl Iterator<Item = Tracked<'_>> {
    watched(model)
        .filter(|(base, _)| base.managed_image().is_some())
        .map(|(base, watch)| Tracked::Base(base, watch))
}

fn watched(model: &Model) -> impl Iterator<Item = (&Base, &Watch)> {
    model
        .bases
        .values()
        .filter_map(|base| Some((base, base.watch.as_ref()?)))
}

/// What `image` waits for: one entry a Warehouse, in the order of their names.
pub(super) fn upstreams<'a>(model: &'a Model, image: &'a Image) -> Vec<Upstream<'a>> {
    let mut found = BTreeMap::new();
    for base in model.bases_of(image).filter(|base| base.watch.is_some()) {
        let (warehouse, soaks) = match &base.link {
            Link::Upstream => (base.name.as_str(), true),
            Link::Managed(_) => (base.name.as_str(), false),
            Link::External(name) => (name.as_str(), true),
        };
        found.insert(warehouse, Upstream { warehouse, soaks });
    }
    found.into_values().collect()
}
