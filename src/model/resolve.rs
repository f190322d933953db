//! What follows from all files together: which base image is whose, and where
//! the files do not fit each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Place, Span, any_error, code};

use super::decode::Reader;
use super::image::Image;
use super::names::{Name, ObjectName};
use super::read_state::{self, ReadImage};
use super::reference::{Digest, Repository, Tag};
use super::state::{DiscoveryStatus, ImageState, Link};
use super::watch::Watch;
use super::{InputFiles, Model, cycles};

/// Where the base images of an image are named.
type BasePlaces = Vec<(ObjectName, Span)>;

/// Reads state and joins it to the enrolled images.
pub(super) fn state(files: &InputFiles, model: &mut Model, out: &mut Vec<Diagnostic>) {
    // With an entry missing, what belongs to it would look like nobody's.
    let complete = !any_error(out);
    let broken_bases = bases(files, model, out);
    link(model, out);
    let places = image_states(files, model, out);
    depend(model, &places, &broken_bases, out);
    if complete {
        not_enrolled(model, out);
    }
    clashes(model, out);
    if complete {
        unused(model, out);
    }
    cycles::check(model, out);
}

/// Reads the base images; gives the names of those that are there but wrong.
fn bases<'f>(
    files: &'f InputFiles,
    model: &mut Model,
    out: &mut Vec<Diagnostic>,
) -> BTreeSet<&'f str> {
    let mut broken = BTreeSet::new();
    for file in &files.bases {
        let Some(stem) = read_state::state_name(file) else {
            continue;
        };
        match read_state::base(&mut Reader::new(&file.path, out), file, stem) {
            Some(base) => {
                model.bases.insert(stem.to_owned(), base);
            }
            None => {
                broken.insert(stem);
            }
        }
    }
    broken
}

/// Links base images that are enrolled images to these.
fn link(model: &mut Model, out: &mut Vec<Diagnostic>) {
    let mut managed: BTreeMap<&Repository, &Image> = BTreeMap::new();
    let mut external: BTreeMap<(&Repository, &Tag), &Name> = BTreeMap::new();
    for image in &model.images {
        if !image.is_managed() {
            if let Watch::Tag(tag) = &image.watch {
                external
                    .entry((&image.repository, tag))
                    .or_insert(&image.name);
            }
        } else if let Some(first) = managed.get(&image.repository) {
            let message = format!(
                "`{}` and `{}` are both pushed to `{}`",
                first.name, image.name, image.repository
            );
            let help = format!(
                "give each a repository of its own; a `FROM` of it is taken for `{}`",
                first.name
            );
            let place = image.fields.of("repository");
            out.push(
                Diagnostic::warning(code::SHARED_REPOSITORY, message)
                    .help(help)
                    .at(place),
            );
        } else {
            managed.insert(&image.repository, image);
        }
    }
    let mut known: BTreeMap<(&Repository, &Option<Tag>, &Option<Digest>), &ObjectName> =
        BTreeMap::new();
    let mut links = Vec::with_capacity(model.bases.len());
    for base in model.bases.values() {
        let identity = (&base.repository, &base.tag, &base.digest);
        if let Some(first) = known.get(&identity) {
            let message = format!(
                "`{}` and `{first}` are the same image, `{}`",
                base.name, base.full_image
            );
            let help = "delete the file with the longer name and run `image-factory discover`";
            out.push(
                Diagnostic::warning(code::SHARED_BASE, message)
                    .help(help)
                    .at(base.place()),
            );
        } else {
            known.insert(identity, &base.name);
        }
        links.push(match (managed.get(&base.repository), &base.watch) {
            (Some(image), _) => Link::Managed(image.name.clone()),
            (None, Some(Watch::Tag(tag))) => match external.get(&(&base.repository, tag)) {
                Some(&name) => Link::External(name.clone()),
                None => Link::Upstream,
            },
            (None, _) => Link::Upstream,
        });
    }
    for (base, link) in model.bases.values_mut().zip(links) {
        base.link = link;
    }
}

/// Reads what is remembered of images; gives, for each enrolled managed image
/// in the order of the model, where its base images are named.
fn image_states(
    files: &InputFiles,
    model: &mut Model,
    out: &mut Vec<Diagnostic>,
) -> Vec<BasePlaces> {
    let mut places: Vec<BasePlaces> = vec![Vec::new(); model.images.len()];
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    for file in &files.images {
        let Some(stem) = read_state::state_name(file) else {
            continue;
        };
        let at = model.by_name.get(stem).copied();
        let image = at.and_then(|at| model.images.get(at));
        seen.extend(at);
        let source = image.and_then(Image::source);
        let read = read_state::image(&mut Reader::new(&file.path, out), file, stem, source);
        let Some(ReadImage {
            state,
            base_places,
            fresh,
        }) = read
        else {
            continue;
        };
        match image {
            None => {}
            Some(image) => {
                doubts(image, &state, fresh, out);
                if let Some(places) = at
                    .and_then(|at| places.get_mut(at))
                    .filter(|_| source.is_some())
                {
                    *places = base_places;
                }
            }
        }
        model.image_states.insert(stem.to_owned(), state);
    }
    for (at, image) in model.images.iter().enumerate() {
        if image.is_managed() && !seen.contains(&at) {
            never_discovered(image, out);
        }
    }
    places
}

/// State of images that are enrolled no more. That of one that others are still built
/// on waits where it is.
fn not_enrolled(model: &Model, out: &mut Vec<Diagnostic>) {
    let needed: BTreeSet<&Repository> = model
        .bases
        .values()
        .filter(|base| !base.dependents.is_empty())
        .map(|base| &base.repository)
        .collect();
    for (name, state) in &model.image_states {
        let waits = |repository: &Repository| needed.contains(repository);
        if model.image(name).is_some() || state.repository.as_ref().is_some_and(waits) {
            continue;
        }
        let message = format!("`{name}` has state, but is not enrolled");
        let help = "enroll it in images.yaml, or run `image-factory discover`, which archives the state of removed images";
        let place = Place::file(Arc::clone(&state.file));
        out.push(
            Diagnostic::warning(code::STATE_NOT_ENROLLED, message)
                .help(help)
                .at(place),
        );
    }
}

fn never_discovered(image: &Image, out: &mut Vec<Diagnostic>) {
    let message = format!("the base images of `{}` are not known yet", image.name);
    let help = format!("run `image-factory discover {}`", image.name);
    out.push(
        Diagnostic::warning(code::NEVER_DISCOVERED, message)
            .help(help)
            .at(image.place()),
    );
}

/// What makes it doubtful that state has the base images of the entry as it is.
fn doubts(image: &Image, state: &ImageState, fresh: bool, out: &mut Vec<Diagnostic>) {
    if !image.is_managed() {
        return;
    }
    let help = || format!("run `image-factory discover {}`", image.name);
    if state.status == DiscoveryStatus::Failed {
        let message = format!(
            "the last discovery of `{}` failed, so its base images may be old",
            image.name
        );
        out.push(
            Diagnostic::warning(code::DISCOVERY_FAILED, message)
                .help(help())
                .at(image.place()),
        );
    } else if state.bases.is_empty() && state.status != DiscoveryStatus::Success {
        never_discovered(image, out);
    } else if !fresh {
        let message = format!(
            "the source of `{}` has changed since its base images were found",
            image.name
        );
        let place = image.fields.of("source");
        out.push(
            Diagnostic::warning(code::DISCOVERY_STALE, message)
                .help(help())
                .at(place),
        );
    }
}

/// The error about a base image that an image names, and that has no file.
pub(crate) fn base_missing(image: &Name, base: &str) -> Diagnostic {
    let message = format!("`{image}` is built on `{base}`, of which there is no state");
    Diagnostic::error(code::BASE_STATE_MISSING, message).help(format!(
        "run `image-factory discover {image}`, or restore `state/base-images/{base}.yaml` from git"
    ))
}

/// Gives each managed image its base images, and these their dependents.
fn depend(
    model: &mut Model,
    places: &[BasePlaces],
    broken: &BTreeSet<&str>,
    out: &mut Vec<Diagnostic>,
) {
    let Model {
        images,
        image_states,
        bases,
        ..
    } = model;
    for (image, places) in images.iter_mut().zip(places) {
        if !image.is_managed() {
            continue;
        }
        let Some(state) = image_states.get(image.name.as_str()) else {
            continue;
        };
        for (name, span) in places {
            if bases.contains_key(name.as_str()) || broken.contains(name.as_str()) {
                continue;
            }
            let place = Place::new(Arc::clone(&state.file), *span);
            out.push(base_missing(&image.name, name.as_str()).at(place));
        }
        image.bases = state
            .bases
            .iter()
            .filter(|name| bases.contains_key(name.as_str()))
            .cloned()
            .collect();
        for name in &image.bases {
            if let Some(base) = bases.get_mut(name.as_str()) {
                base.dependents.push(image.name.clone());
            }
        }
    }
    for base in bases.values_mut() {
        base.dependents.sort_unstable();
    }
}

/// A base image and an enrolled image of one name must be one thing.
fn clashes(model: &Model, out: &mut Vec<Diagnostic>) {
    let project = &model.settings.project;
    for image in &model.images {
        // The Namespace and the Project have that name in the file that names no managed image.
        if image.is_managed() && image.name == *project {
            let message = format!("`{project}` is the name of a managed image and of the project");
            let help = "rename the entry, or say `settings.project`";
            out.push(
                Diagnostic::error(code::NAME_CLASH, message)
                    .help(help)
                    .at(image.place()),
            );
        }
        let Some(base) = model.bases.get(image.name.as_str()) else {
            continue;
        };
        if matches!(&base.link, Link::External(name) if *name == image.name) {
            continue;
        }
        let message = format!(
            "`{}` is the name of an enrolled image, `{}`, and of a base image, `{}`",
            image.name, image.repository, base.full_image
        );
        let help = format!(
            "rename the entry; the base image is described in {}",
            base.fields.place().file
        );
        out.push(
            Diagnostic::error(code::NAME_CLASH, message)
                .help(help)
                .at(image.place()),
        );
    }
}

fn unused(model: &Model, out: &mut Vec<Diagnostic>) {
    for base in model
        .bases
        .values()
        .filter(|base| base.dependents.is_empty())
    {
        let message = format!(
            "no enrolled image is built on `{}`, but it is still watched",
            base.name
        );
        let help = "run `image-factory discover`, which archives base images that nothing needs";
        out.push(
            Diagnostic::warning(code::BASE_UNUSED, message)
                .help(help)
                .at(base.fields.place()),
        );
    }
}
