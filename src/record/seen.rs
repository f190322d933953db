//! A digest was seen behind the reference of a base image or an external image.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, Place, code, did_you_mean};
use crate::model::{
    Image, Model, Name, ObjectName, Parse as _, Reference, Time, Watch, state_name,
};
use crate::state::{BaseDoc, DigestText, Entries, ImageDoc, Raw, Stamp, UpdateEntry};
use crate::tree::{Edit, Tree};

use super::clock;
use super::coordinate::Waiting;
use super::documents::{self, Opened};
use super::pending::{self, On, Pending, pending};
use super::{Follower, Metadata, Outcome, Seen, SeenFacts};

/// This many changes are kept, and more as long as some image was not built with them.
const LONGEST_HISTORY: usize = 10;

/// Records a digest. The first one that is seen changes nothing for anybody; one that
/// is there already says nothing new; another one is a change, also if the reference
/// had it before, and the images built on it have to follow. One whose file was wrong
/// when the change was recorded learns of it when the digest is recorded again.
///
/// An external image and the base image that it stands for are one reference: both
/// are recorded under either name.
#[must_use]
pub fn digest(tree: &Tree, seen: &Seen, now: Time) -> Outcome<SeenFacts> {
    let mut out = Vec::new();
    match documents::enrolled(tree, &mut out) {
        Some(model) => one(tree, &model, seen, now, true),
        None => Outcome::nothing(out),
    }
}

/// Records several digests, each on what the ones before it leave; the enrollment is
/// read once.
#[must_use]
pub fn digests(tree: &Tree, seen: &[Seen], now: Time) -> Vec<Outcome<SeenFacts>> {
    let mut out = Vec::new();
    let Some(model) = documents::enrolled(tree, &mut out) else {
        return vec![Outcome::nothing(out)];
    };
    let mut tree = tree.clone();
    let mut outcomes = Vec::with_capacity(seen.len());
    for seen in seen {
        let outcome = one(&tree, &model, seen, now, false);
        tree.apply(&outcome.edit);
        outcomes.push(outcome);
    }
    outcomes
}

/// `catch_up`: also dependents of which an earlier change was not noted, since their
/// files were wrong then, learn of it.
fn one(tree: &Tree, model: &Model, seen: &Seen, now: Time, catch_up: bool) -> Outcome<SeenFacts> {
    let mut out = Vec::new();
    let Some(subject) = subject(tree, model, seen, now, &mut out) else {
        return Outcome::nothing(out);
    };
    let Subject {
        mut bases,
        mut external,
    } = subject;
    let from = match (bases.first(), &external) {
        (Some(base), _) => base.doc.current_digest.clone(),
        (None, Some(image)) => image.doc.current_digest.clone(),
        (None, None) => None,
    };
    let mut at = now;
    for base in &mut bases {
        at = at.max(see_base(base, seen, now, &mut out));
    }
    if let Some(image) = &mut external {
        at = at.max(see_external(image, seen, now, &mut out));
    }
    let changed = bases.iter().any(Opened::changed);
    let mut learned = changed || external.as_ref().is_some_and(Opened::changed);
    let mut facts = SeenFacts {
        name: seen.name.clone(),
        base: !bases.is_empty(),
        reference: reference(&bases, external.as_ref(), model),
        from,
        to: seen.digest.clone(),
        at,
        dependents: Vec::new(),
    };
    let mut edit = Edit::default();
    if changed || catch_up {
        let mut dependents = dependents(tree, model, &bases, &mut out);
        let mut followers = follow(tree, model, &bases, &mut dependents);
        if !changed {
            dependents.retain(|(_, image)| image.changed());
            let late = |name: &Name| dependents.iter().any(|(_, image)| image.doc.name == *name);
            followers.retain(|follower| late(&follower.name));
            learned |= !dependents.is_empty();
        }
        facts.dependents = followers;
        for base in bases.iter_mut().filter(|base| base.changed()) {
            shorten(
                &mut base.doc,
                dependents.iter().map(|(_, image)| &image.doc),
            );
        }
        for (_, image) in dependents {
            image.save(&mut edit, ImageDoc::write, &mut out);
        }
    }
    for base in bases {
        base.save(&mut edit, BaseDoc::write, &mut out);
    }
    if let Some(image) = external {
        image.save(&mut edit, ImageDoc::write, &mut out);
    }
    Outcome {
        edit,
        learned,
        facts: Some(facts),
        diagnostics: out,
    }
}

/// Whose digest it is.
struct Subject {
    bases: Vec<Opened<BaseDoc>>,
    external: Option<Opened<ImageDoc>>,
}

fn subject(
    tree: &Tree,
    model: &Model,
    seen: &Seen,
    now: Time,
    out: &mut Vec<Diagnostic>,
) -> Option<Subject> {
    let mut bases = Vec::new();
    if let Some(base) = documents::base(tree, &seen.name, out) {
        let base = base?;
        fits(&base, seen, out)?;
        bases.push(base);
    }
    let image = match bases.first() {
        Some(base) => documents::external_of(model, &base.doc),
        None => model
            .external()
            .find(|image| image.name.as_str() == seen.name),
    };
    if let Some(image) = image {
        for name in bases_of(tree, model, image) {
            if bases.iter().all(|base| base.doc.name != name) {
                bases.extend(documents::base(tree, name.as_str(), out).flatten());
            }
        }
    }
    if let Some(image) = image {
        fits_external(image, seen, out)?;
    }
    if bases.is_empty() && image.is_none() {
        out.push(unknown(tree, model, &seen.name));
        return None;
    }
    let external = match image {
        Some(image) => Some(match documents::image(tree, image.name.as_str(), out) {
            Some(image) => image?,
            None => Opened::new(
                tree.image_path(image.name.as_str()),
                ImageDoc::new(image, now),
            ),
        }),
        None => None,
    };
    Some(Subject { bases, external })
}

/// The base images that an external image stands for.
fn bases_of(tree: &Tree, model: &Model, image: &Image) -> Vec<ObjectName> {
    let path = image.repository.path();
    let last = path.rsplit('/').next().unwrap_or(path);
    let files = tree.inputs.bases.iter();
    files
        .filter(|file| state_name(file).is_some() && file.text.contains(last))
        .filter_map(|file| BaseDoc::read(file).doc)
        .filter(|base| {
            documents::external_of(model, base).map(|found| &found.name) == Some(&image.name)
        })
        .map(|base| base.name)
        .collect()
}

/// A reference that is pinned cannot change, and one tag is not another.
fn fits(base: &Opened<BaseDoc>, seen: &Seen, out: &mut Vec<Diagnostic>) -> Option<()> {
    let doc = &base.doc;
    let refuse = |message: String, help: &str| {
        Diagnostic::error(code::RECORD_MISFIT, message)
            .help(help)
            .at(Place::file(base.path.as_str()))
    };
    let pin = pending::pin(doc);
    if doc.tag.is_none()
        && let Some(pin) = pin
        && !pin.is(&seen.digest)
    {
        let message = format!("`{}` is pinned to `{pin}` and cannot change", doc.name);
        out.push(refuse(message, "nothing is to be recorded for it"));
        return None;
    }
    if let (Some(tag), Some(own)) = (&seen.tag, &doc.tag)
        && tag.as_str() != own
        && documents::watches_its_tag(doc)
    {
        let message = format!("`{}` is the tag `{own}`, not `{tag}`", doc.name);
        let help = "another tag is another base image, which `image-factory discover` names";
        out.push(refuse(message, help));
        return None;
    }
    Some(())
}

/// The entry may have another tag by now than when the Job of this digest was started.
fn fits_external(image: &Image, seen: &Seen, out: &mut Vec<Diagnostic>) -> Option<()> {
    let (Watch::Tag(own), Some(tag)) = (&image.watch, &seen.tag) else {
        return Some(());
    };
    if own == tag {
        return Some(());
    }
    let message = format!("`{}` watches the tag `{own}`, not `{tag}`", image.name);
    let help =
        "the entry in images.yaml says which tag counts; apply `dist/` if Kargo watches another";
    out.push(
        Diagnostic::error(code::RECORD_MISFIT, message)
            .help(help)
            .at(image.place()),
    );
    None
}

fn unknown(tree: &Tree, model: &Model, name: &str) -> Diagnostic {
    if model.image(name).is_some() {
        let message = format!("`{name}` is an image of our own, whose builds are analysed");
        return Diagnostic::error(code::RECORD_MANAGED, message).help(format!(
            "run `image-factory analyze --image {name} …`; what is recorded are digests of base \
             images and external images"
        ));
    }
    let mut known: Vec<&str> = tree.inputs.bases.iter().filter_map(state_name).collect();
    known.extend(model.external().map(|image| image.name.as_str()));
    let message = format!("`{name}` is neither a base image nor an external image");
    let help = match Reference::parse(name) {
        _ if known.is_empty() => "run `image-factory discover` first".to_owned(),
        // What a Dockerfile has in its `FROM`, and no name could be.
        Ok(reference) if name.contains([':', '/', '@']) => {
            match named(tree, model, &reference, &known) {
                Some(found) => {
                    format!("that is a reference, and its name is wanted: `{found}`")
                }
                None => "that is a reference, and a name is wanted: `image-factory status` \
                         shows those that are tracked, and this is none of them"
                    .to_owned(),
            }
        }
        _ => did_you_mean(name, &known),
    };
    Diagnostic::error(code::RECORD_UNKNOWN, message).help(help)
}

/// The name of what a reference stands for.
fn named(tree: &Tree, model: &Model, wanted: &Reference, known: &[&str]) -> Option<String> {
    let is = |base: &BaseDoc| Reference::parse(&base.full_image).as_ref() == Ok(wanted);
    let base = known
        .iter()
        .filter_map(|name| documents::base(tree, name, &mut Vec::new())?)
        .find(|base| is(&base.doc));
    match base {
        Some(base) => Some(base.doc.name.to_string()),
        None => documents::external_at(model, wanted).map(|image| image.name.to_string()),
    }
}

/// Puts the digest into the base image; gives the time that was written.
fn see_base(base: &mut Opened<BaseDoc>, seen: &Seen, now: Time, out: &mut Vec<Diagnostic>) -> Time {
    let doc = &mut base.doc;
    if let Some(metadata) = &seen.metadata {
        describe(&mut doc.metadata, metadata);
    }
    let mut at = now;
    if !doc
        .current_digest
        .as_ref()
        .is_some_and(|old| old.is(&seen.digest))
    {
        let history = doc.update_history.iter().map(|change| change.at.as_ref());
        let recorded = history.chain([doc.last_updated.as_ref(), doc.first_discovered.as_ref()]);
        at = clock::after(now, recorded, &base.path, out);
        let mut change = Change {
            current: &mut doc.current_digest,
            previous: &mut doc.previous_digest,
            updated: &mut doc.last_updated,
            history: &mut doc.update_history,
        };
        change.to(&seen.digest.clone().into(), at);
    }
    if base.changed() {
        let checked = base.doc.last_checked.as_ref().map(Stamp::time);
        if checked.is_none_or(|checked| checked < at) {
            base.doc.last_checked = Some(at.into());
        }
    }
    at
}

fn see_external(
    image: &mut Opened<ImageDoc>,
    seen: &Seen,
    now: Time,
    out: &mut Vec<Diagnostic>,
) -> Time {
    let doc = &mut image.doc;
    if let Some(tag) = &seen.tag {
        doc.current_version = Some(tag.to_string());
    }
    if doc
        .current_digest
        .as_ref()
        .is_some_and(|old| old.is(&seen.digest))
    {
        return now;
    }
    let history = doc.update_history.iter().map(|change| change.at.as_ref());
    let recorded = history.chain([doc.last_updated.as_ref(), doc.enrolled_at.as_ref()]);
    let at = clock::after(now, recorded, &image.path, out);
    let mut change = Change {
        current: &mut doc.current_digest,
        previous: &mut doc.previous_digest,
        updated: &mut doc.last_updated,
        history: &mut doc.update_history,
    };
    change.to(&seen.digest.clone().into(), at);
    let surplus = doc.update_history.len().saturating_sub(LONGEST_HISTORY);
    doc.update_history.drain(..surplus);
    at
}

/// The fields in which a change of digest is written.
struct Change<'d> {
    current: &'d mut Option<DigestText>,
    previous: &'d mut Option<DigestText>,
    updated: &'d mut Option<Stamp>,
    history: &'d mut Vec<UpdateEntry>,
}

impl Change<'_> {
    fn to(&mut self, digest: &DigestText, at: Time) {
        let before = self.current.replace(digest.clone());
        // Seen for the first time: nothing changed.
        let Some(before) = before else { return };
        self.history.push(UpdateEntry {
            at: Some(at.into()),
            from: Some(before.clone()),
            to: Some(digest.clone()),
            unknown: Entries::new(),
        });
        *self.previous = Some(before);
        *self.updated = Some(at.into());
    }
}

/// Writes what is known; what is not known takes nothing away.
fn describe(entries: &mut Entries, metadata: &Metadata) {
    for (key, value) in [
        (
            "architecture",
            metadata.architecture.as_deref().map(Raw::text),
        ),
        ("os", metadata.os.as_deref().map(Raw::text)),
        ("size", metadata.size.map(Raw::number)),
        (
            "created",
            metadata.created.map(|at| Raw::text(at.to_string())),
        ),
    ] {
        if let Some(value) = value {
            entries.put(key, value);
        }
    }
    if !metadata.labels.is_empty() {
        let mut labels = Entries::new();
        for (key, value) in &metadata.labels {
            labels.put(key, Raw::text(value.as_str()));
        }
        entries.put("labels", Raw::Map(labels));
    }
}

fn reference(
    bases: &[Opened<BaseDoc>],
    external: Option<&Opened<ImageDoc>>,
    model: &Model,
) -> String {
    match (bases.first(), external) {
        (Some(base), _) => base.doc.full_image.clone(),
        (None, Some(image)) => model
            .image(image.doc.name.as_str())
            .map_or_else(String::new, |image| image.repo_url.to_string()),
        (None, None) => String::new(),
    }
}

/// The enrolled managed images that are built on one of the base images, with their
/// state. One that cannot be read is told of and left as it is.
fn dependents<'m>(
    tree: &Tree,
    model: &'m Model,
    bases: &[Opened<BaseDoc>],
    out: &mut Vec<Diagnostic>,
) -> Vec<(&'m Image, Opened<ImageDoc>)> {
    let names: Vec<&str> = bases.iter().map(|base| base.doc.name.as_str()).collect();
    // A file that is wrong may not name its base images any more.
    let known = |image: &Image| {
        let mut all = bases.iter().flat_map(|base| &base.doc.dependents);
        all.any(|name| *name == image.name)
    };
    let mut found = Vec::new();
    for file in &tree.inputs.images {
        let image = state_name(file).and_then(|name| model.image(name));
        let Some(image) = image.filter(|image| image.is_managed()) else {
            continue;
        };
        if !names.iter().any(|name| file.text.contains(name)) && !known(image) {
            continue;
        }
        let Some(Some(opened)) = documents::image(tree, image.name.as_str(), out) else {
            continue;
        };
        let on = opened.doc.bases.as_deref().unwrap_or_default();
        if on.iter().any(|base| names.contains(&base.as_str())) {
            found.push((image, opened));
        }
    }
    found
}

/// Notes in each dependent what it has to follow; gives those that have to follow one of
/// these base images.
fn follow(
    tree: &Tree,
    model: &Model,
    changed: &[Opened<BaseDoc>],
    dependents: &mut [(&Image, Opened<ImageDoc>)],
) -> Vec<Follower> {
    let mut others: BTreeMap<ObjectName, Option<BaseDoc>> = BTreeMap::new();
    for base in changed {
        others.insert(base.doc.name.clone(), Some(base.doc.clone()));
    }
    let mut followers = Vec::new();
    for (image, opened) in dependents {
        let names = opened.doc.bases.clone().unwrap_or_default();
        for name in &names {
            if !others.contains_key(name) {
                // What is wrong with the state of another base image is not said here.
                let doc = documents::base(tree, name.as_str(), &mut Vec::new());
                others.insert(name.clone(), doc.flatten().map(|opened| opened.doc));
            }
        }
        let on = names.iter().filter_map(|name| {
            let base = others.get(name)?.as_ref()?;
            let own = documents::is_own(model, base);
            Some(On { base, own })
        });
        let waiting = Waiting::of(&model.settings, image);
        let pending = pending(&opened.doc, &waiting, on);
        opened
            .doc
            .note(pending.as_ref().map(|pending| (pending.since, pending.due)));
        // It may have to follow another base image alone.
        let concerned = |pending: &Pending| {
            let mut names = pending.bases.iter().map(|base| &base.name);
            names.any(|name| changed.iter().any(|base| base.doc.name == *name))
        };
        followers.extend(pending.filter(concerned).map(|pending| Follower {
            name: image.name.clone(),
            due: pending.due,
            delay: image.rebuild_delay,
            auto: image.auto_rebuild,
        }));
    }
    followers
}

/// Takes away the oldest changes beyond the limit that every dependent was built with.
fn shorten<'d>(base: &mut BaseDoc, dependents: impl Iterator<Item = &'d ImageDoc>) {
    let surplus = base.update_history.len().saturating_sub(LONGEST_HISTORY);
    let open = dependents
        .filter(|image| {
            let bases = image.bases.as_deref().unwrap_or_default();
            bases.contains(&base.name)
        })
        .map(|image| pending::first_open(image, base, &base.update_history))
        .min();
    let surplus = surplus.min(open.unwrap_or(surplus));
    base.update_history.drain(..surplus);
}
