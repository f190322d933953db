//! The state of base images: a file for each reference that somebody is built on.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{Diagnostic, Place, code};
use crate::dockerfile::ImageReference;
use crate::model::{
    Image, Name, ObjectName, Parse as _, Repository, Strategy, TagFilter, Time, Watch,
};
use crate::state::{BaseDoc, Warehouse};

use super::dockerfiles::subscription;
use super::old;

/// Who has which base images, and who is built where.
pub(super) struct Links {
    /// The enrolled images that are built on a base image, by its name.
    dependents: BTreeMap<ObjectName, BTreeSet<Name>>,
    /// Our own images, by registry and repository.
    managed: BTreeMap<String, Name>,
}

impl Links {
    pub(super) fn new(images: &[Image]) -> Self {
        let mut managed = BTreeMap::new();
        for image in images.iter().filter(|image| image.is_managed()) {
            managed
                .entry(image.repository.url().to_owned())
                .or_insert_with(|| image.name.clone());
        }
        Self {
            dependents: BTreeMap::new(),
            managed,
        }
    }

    pub(super) fn add(&mut self, image: &Name, bases: &[ObjectName]) {
        for base in bases {
            let dependents = self.dependents.entry(base.clone()).or_default();
            dependents.insert(image.clone());
        }
    }

    /// Every base image that somebody is built on.
    pub(super) fn needed(&self) -> impl Iterator<Item = &ObjectName> {
        self.dependents.keys()
    }

    pub(super) fn is_needed(&self, name: &str) -> bool {
        self.dependents.contains_key(name)
    }

    /// Our own image that this is.
    pub(super) fn managed(&self, image: &ImageReference) -> Option<&Name> {
        self.managed
            .get(&format!("{}/{}", image.registry, image.path))
    }
}

/// The state of a base image after a run.
pub(super) fn merge(
    name: &ObjectName,
    image: &ImageReference,
    spelling: &str,
    old: Option<&BaseDoc>,
    links: &Links,
    now: Time,
) -> BaseDoc {
    let mut doc = old
        .cloned()
        .unwrap_or_else(|| BaseDoc::new(name.clone(), spelling, now));
    doc.registry = Some(image.registry.clone());
    doc.repository = Some(image.path.clone());
    doc.tag.clone_from(&image.tag);
    doc.warehouse = warehouse(image, &doc.warehouse);
    if doc.first_discovered.is_none() {
        doc.first_discovered = Some(doc.last_checked.clone().unwrap_or_else(|| now.into()));
    }
    let dependents = links.dependents.get(name);
    doc.dependents = dependents.into_iter().flatten().cloned().collect();
    doc.managed_image = links.managed(image).cloned();
    doc
}

/// What Kargo is to watch. What somebody chose in the file stays, if it can be.
fn warehouse(image: &ImageReference, old: &Warehouse) -> Warehouse {
    let Ok(reference) = subscription(image) else {
        return Warehouse::default();
    };
    let url = reference.repository.url();
    let watch = image.tag.as_ref().and(reference.tag.map(Watch::Tag));
    let mut new = Warehouse::new(url, watch.as_ref());
    let mirror = old.repo_url.as_ref();
    if let Some(mirror) = mirror.filter(|url| Repository::parse(url).is_ok()) {
        new.repo_url = Some(mirror.clone());
    }
    if watch.is_none() {
        return new;
    }
    let pattern = old.allow_tags.as_ref();
    if let Some(pattern) = pattern.filter(|text| TagFilter::parse(text).is_ok()) {
        new.allow_tags = Some(pattern.clone());
    }
    let strategy = old.strategy.as_ref();
    if let Some(strategy) = strategy.filter(|text| Strategy::parse(text).is_ok()) {
        new.strategy = Some(strategy.clone());
    }
    new.constraint.clone_from(&old.constraint);
    new
}

/// A pin that holds back a newer image.
pub(super) fn outdated(doc: &BaseDoc, file: &str) -> Option<Diagnostic> {
    let pinned = old::identity(doc)?.digest?;
    let current = doc.current_digest.as_ref()?;
    if doc.tag.is_none() || current.as_str() == pinned {
        return None;
    }
    let message = format!(
        "`{}` is pinned to an older image: its tag points to `{current}` now",
        doc.full_image
    );
    let help = "write the new digest into the Dockerfile; until then a rebuild changes nothing";
    Some(
        Diagnostic::warning(code::BASE_PIN_OUTDATED, message)
            .help(help)
            .at(Place::file(file.to_owned())),
    )
}
