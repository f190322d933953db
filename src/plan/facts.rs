//! The facts of a tree.

use std::collections::BTreeMap;

use super::{AttemptFacts, BaseFacts, Change, Cure, End, Facts, ImageFacts, Policy};
use crate::diagnostics::{Diagnostic, Place};
use crate::model::cycles;
use crate::model::resolve::base_missing;
use crate::model::{
    self, Image, Name, Parse as _, Reference, Repository, Settings, Severity, Time,
};
use crate::record::{Reason, digest_at, is_pinned, open_change};
use crate::state::{Attempt, BaseDoc, DigestText, ImageDoc, Raw, Stamp};
use crate::tree::Tree;

/// Reads the facts. What is wrong with single state files is told beside them; an image
/// whose file is wrong is as one of which nothing is known.
///
/// # Errors
///
/// What is wrong with the enrollment.
pub fn facts(tree: &Tree) -> Result<(Facts, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (enrolled, mut said) = model::enrollment(&tree.inputs);
    let Some((settings, images)) = enrolled else {
        return Err(said);
    };
    let mut docs: BTreeMap<String, ImageDoc> = BTreeMap::new();
    for file in &tree.inputs.images {
        let read = ImageDoc::read(file);
        said.extend(read.diagnostics);
        docs.extend(read.doc.map(|doc| (doc.name.to_string(), doc)));
    }
    let mut bases: BTreeMap<String, BaseDoc> = BTreeMap::new();
    for file in &tree.inputs.bases {
        let read = BaseDoc::read(file);
        said.extend(read.diagnostics);
        bases.extend(read.doc.map(|doc| (doc.name.to_string(), doc)));
    }
    let managed = || images.iter().filter(|image| image.is_managed());
    let reading = Reading {
        settings: &settings,
        own: managed()
            .map(|image| (&image.repository, &image.name))
            .collect(),
        bases: &bases,
    };
    let known = managed().map(|image| reading.image(image, docs.get(image.name.as_str())));
    let known: Vec<ImageFacts> = known.collect();
    said.extend(circles(&managed().collect::<Vec<_>>(), &known, &bases));
    said.extend(missing(tree, managed(), &docs, &bases));
    for image in managed() {
        docs.remove(image.name.as_str());
    }
    let archived = archived(tree);
    let others = docs.values().chain(&archived);
    let others = others.flat_map(|doc| attempts(&doc.rebuild_history));
    let facts = Facts {
        images: known,
        others: others.collect(),
        policy: Policy {
            window: settings.window,
            max_delay: settings.max_delay,
            limits: settings.limits,
            freeze: settings.freeze.clone(),
        },
    };
    crate::diagnostics::sort(&mut said);
    Ok((facts, said))
}

/// The newest of what is known to have happened, if anything is.
#[must_use]
pub fn newest(facts: &Facts) -> Option<Time> {
    let attempts = |all: &[AttemptFacts]| {
        let times = all.iter().map(|one| Some(one.at).max(one.ended));
        times.max().flatten()
    };
    let of_image = |image: &ImageFacts| {
        let bases = image.bases.iter();
        let bases = bases.map(|base| base.moved.max(base.change.as_ref().map(|one| one.newest)));
        let known = [
            image.enrolled_at,
            image.last_built,
            attempts(&image.attempts),
        ];
        known.into_iter().chain(bases).max().flatten()
    };
    let images = facts.images.iter().map(of_image);
    images.max().flatten().max(attempts(&facts.others))
}

/// The images in the archive of which something may run, or ran a moment ago. One that is
/// enrolled again has its state elsewhere.
fn archived(tree: &Tree) -> Vec<ImageDoc> {
    // Most have no attempt, and reading costs.
    let files = tree.archive.iter();
    let files = files.filter(|file| file.text.contains("rebuildHistory"));
    let its = files.filter(|file| {
        model::state_name(file).is_some_and(|name| {
            *file.path == *tree.archived_image_path(name)
                && tree.text(&tree.image_path(name)).is_none()
        })
    });
    its.filter_map(|file| ImageDoc::read(file).doc).collect()
}

/// The errors about images that are built on themselves.
fn circles(
    images: &[&Image],
    known: &[ImageFacts],
    bases: &BTreeMap<String, BaseDoc>,
) -> Vec<Diagnostic> {
    let places = images.iter().enumerate();
    let places: BTreeMap<&Name, usize> = places.map(|(at, image)| (&image.name, at)).collect();
    let edges = known.iter().map(|image| {
        let parents = image.bases.iter().filter_map(|base| base.parent.as_ref());
        let parents = parents.filter_map(|parent| places.get(parent).copied());
        parents.collect()
    });
    let edges: Vec<Vec<usize>> = edges.collect();
    let from = |image: &Image, parent: &Image| {
        let image = known.get(*places.get(&image.name)?)?;
        let mut on = image.bases.iter();
        let base = on.find(|base| base.parent.as_ref() == Some(&parent.name))?;
        Some(bases.get(base.name.as_str())?.full_image.clone())
    };
    let found = cycles::circles(&edges).into_iter();
    found
        .filter_map(|circle| {
            let circle = circle.iter().filter_map(|at| images.get(*at).copied());
            cycles::told(&circle.collect::<Vec<_>>(), from)
        })
        .collect()
}

/// The errors about base images that have no file. One that is wrong is told already.
fn missing<'t>(
    tree: &Tree,
    images: impl Iterator<Item = &'t Image>,
    docs: &BTreeMap<String, ImageDoc>,
    bases: &BTreeMap<String, BaseDoc>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for image in images {
        let doc = docs.get(image.name.as_str());
        let names = doc.and_then(|doc| doc.bases.as_deref()).unwrap_or_default();
        for name in names {
            let name = name.as_str();
            if !bases.contains_key(name) && tree.text(&tree.base_path(name)).is_none() {
                let place = Place::file(tree.image_path(image.name.as_str()).as_str());
                found.push(base_missing(&image.name, name).at(place));
            }
        }
    }
    found
}

struct Reading<'t> {
    settings: &'t Settings,
    own: BTreeMap<&'t Repository, &'t Name>,
    bases: &'t BTreeMap<String, BaseDoc>,
}

impl Reading<'_> {
    fn image(&self, image: &Image, doc: Option<&ImageDoc>) -> ImageFacts {
        let time = |stamp: Option<&Stamp>| stamp.map(Stamp::time);
        let names = doc.and_then(|doc| doc.bases.as_deref()).unwrap_or_default();
        let bases = names.iter().filter_map(|name| {
            let base = self.bases.get(name.as_str())?;
            Some(self.base(doc?, base))
        });
        ImageFacts {
            name: image.name.clone(),
            criticality: image.criticality,
            delay: image.rebuild_delay,
            auto: image.auto_rebuild,
            builder: image.build,
            schedule: image.schedule.clone(),
            max_age: image.max_age,
            enrolled_at: doc.and_then(|doc| time(doc.enrolled_at.as_ref())),
            last_built: doc.and_then(|doc| time(doc.last_built.as_ref())),
            bases: bases.collect(),
            attempts: doc.map_or_else(Vec::new, |doc| attempts(&doc.rebuild_history).collect()),
        }
    }

    fn base(&self, image: &ImageDoc, base: &BaseDoc) -> BaseFacts {
        let reference = Reference::parse(&base.full_image).ok();
        let parent = reference.and_then(|reference| self.own.get(&reference.repository).copied());
        let change = open_change(image, base).map(|change| Change {
            from: change.from,
            to: change.to,
            since: change.since,
            newest: change.newest,
        });
        let newest = base.update_history.last().and_then(|last| last.at.as_ref());
        let moved = newest.or(base.last_updated.as_ref()).map(Stamp::time);
        BaseFacts {
            name: base.name.clone(),
            parent: parent.cloned(),
            moved,
            cure: cure(image, base, moved, self.settings.cve.severity),
            change,
        }
    }
}

/// The findings in what the image was built from that the newer digest has not.
fn cure(
    image: &ImageDoc,
    base: &BaseDoc,
    moved: Option<Time>,
    threshold: Severity,
) -> Option<Cure> {
    if base.findings.is_empty() || is_pinned(base) {
        return None;
    }
    let to = base.current_digest.as_ref()?;
    let then = image.last_built.as_ref().or(image.enrolled_at.as_ref());
    let from: DigestText = match image.built_from.get(&base.name) {
        Some(digest) => digest.clone(),
        None => digest_at(base, then?.time())?,
    };
    if from == *to {
        return None;
    }
    let has = |digest: &DigestText, id: &str| {
        let mut findings = base.findings.iter();
        findings.any(|one| one.digest.as_ref() == Some(digest) && one.id.as_deref() == Some(id))
    };
    let mut found: Vec<(&str, Option<Time>)> = base
        .findings
        .iter()
        .filter(|finding| finding.digest.as_ref() == Some(&from))
        .filter(|finding| finding.severity().is_some_and(|found| found >= threshold))
        .filter_map(|finding| Some((finding.id.as_deref()?, finding.at.as_ref().map(Stamp::time))))
        .filter(|(id, _)| !has(to, id))
        .collect();
    found.sort_unstable();
    let first = found.iter().map(|(_, at)| *at).min()?;
    let last = found.iter().map(|(_, at)| *at).max()?;
    let mut ids: Vec<String> = found.into_iter().map(|(id, _)| id.to_owned()).collect();
    ids.dedup();
    // Without any time it is one that is there already.
    let since = first.max(moved).or(then.map(Stamp::time))?;
    Some(Cure {
        from,
        to: to.clone(),
        since,
        newest: last.unwrap_or(since),
        ids,
    })
}

fn attempts(history: &[Attempt]) -> impl Iterator<Item = AttemptFacts> {
    let mut newest = 0;
    history.iter().map(move |attempt| {
        // One without a number comes with the one before.
        let number = attempt.number();
        newest = number.unwrap_or(newest);
        let ended = attempt.ended_at.as_ref().map(Stamp::time);
        let at = attempt.at.as_ref().map(Stamp::time);
        // Without a time it has no answer for long.
        let at = at.or(ended).unwrap_or(Time::from_unix_seconds(0));
        let reasons = attempt.reasons.as_ref().and_then(Raw::as_list);
        let changes = reasons.unwrap_or_default().iter().filter_map(|raw| {
            let reason = Reason::read(raw).filter(|reason| reason.to.is_some())?;
            Some((reason.base?, reason.since?))
        });
        AttemptFacts {
            number: newest,
            followed: number.is_some(),
            at,
            ended,
            end: end(attempt),
            changes: changes.collect(),
        }
    })
}

fn end(attempt: &Attempt) -> End {
    if attempt.is_open() {
        End::Open
    } else if attempt.outcome.as_deref() == Some(Attempt::REFUSED) {
        End::Refused
    } else if attempt.has_failed() {
        End::Failed
    } else if attempt.outcome.as_deref() == Some(Attempt::SUCCEEDED) {
        End::Succeeded
    } else {
        End::Done
    }
}
