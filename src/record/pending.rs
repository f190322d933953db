//! What an image was built from, and what it has not been built with yet.

use crate::model::{ObjectName, Parse as _, Reference, Time};
use crate::state::{BaseDoc, DigestText, ImageDoc, UpdateEntry};

use super::coordinate::{Waiting, coordinate};
use super::reason::Rule;

/// A base image of an image.
#[derive(Clone, Copy, Debug)]
pub struct On<'b> {
    /// What is known of it.
    pub base: &'b BaseDoc,
    /// Is it one of our own images? Then no delay applies: it was waited for when
    /// that was built.
    pub own: bool,
}

/// Changes of base images that an image has to follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    /// When the first of them was learnt.
    pub since: Time,
    /// When the image is due: when the delay of the first is over, or of those that are
    /// due within a window of it.
    pub due: Time,
    /// The base images, in the order of their names.
    pub bases: Vec<PendingBase>,
}

/// A base image that changed since the image was built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingBase {
    /// Its name.
    pub name: ObjectName,
    /// What the image was built from, if that is known.
    pub from: Option<DigestText>,
    /// What it would be built from now.
    pub to: DigestText,
    /// When the first change that is not built in was learnt.
    pub since: Time,
    /// When the last one was.
    pub newest: Time,
    /// What it has to do with when the image is due.
    pub rule: Rule,
}

/// What an image has to follow. Only what *changed* counts, so that a first
/// installation triggers nothing, and only until a build has it in.
#[must_use]
pub fn pending<'b>(
    image: &ImageDoc,
    waiting: &Waiting,
    bases: impl IntoIterator<Item = On<'b>>,
) -> Option<Pending> {
    let mut changes: Vec<(On<'_>, OpenChange)> = bases
        .into_iter()
        .filter_map(|on| Some((on, open_change(image, on.base)?)))
        .collect();
    changes.sort_by(|(one, _), (other, _)| one.base.name.cmp(&other.base.name));
    let times: Vec<(Time, bool)> = changes
        .iter()
        .map(|(on, change)| (change.since, on.own))
        .collect();
    let together = coordinate(&times, waiting)?;
    let bases = changes
        .into_iter()
        .zip(together.rules)
        .map(|((on, change), rule)| PendingBase {
            name: on.base.name.clone(),
            from: change.from,
            to: change.to,
            since: change.since,
            newest: change.newest,
            rule,
        });
    Some(Pending {
        since: together.since,
        due: together.due,
        bases: bases.collect(),
    })
}

/// A change that an image was not built with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenChange {
    /// What the image was built from: as recorded, else what stood before the change.
    pub from: Option<DigestText>,
    /// When the first such change was learnt.
    pub since: Time,
    /// When the last one was.
    pub newest: Time,
    /// The digest to build with.
    pub to: DigestText,
}

/// What changed of a base image since the image was built.
#[must_use]
pub fn open_change(image: &ImageDoc, base: &BaseDoc) -> Option<OpenChange> {
    // A rebuild does not move a pin.
    if is_pinned(base) {
        return None;
    }
    let current = base.current_digest.as_ref()?;
    if image.built_from.get(&base.name) == Some(current) {
        return None;
    }
    let changes = changes(base);
    let open = changes.get(first_open(image, base, &changes)..)?;
    let learnt = |change: &UpdateEntry| {
        let at = change.at.as_ref().or(base.last_updated.as_ref())?;
        Some(at.time())
    };
    let built = image.built_from.get(&base.name).cloned();
    Some(OpenChange {
        from: built.or_else(|| open.first()?.from.clone()),
        since: learnt(open.first()?)?,
        newest: learnt(open.last()?)?,
        to: current.clone(),
    })
}

/// The changes that are known: the history, or what files without one say.
pub(super) fn changes(base: &BaseDoc) -> Vec<UpdateEntry> {
    if base.update_history.is_empty()
        && let (Some(at), Some(to)) = (&base.last_updated, &base.current_digest)
    {
        return vec![UpdateEntry {
            at: Some(at.clone()),
            from: base.previous_digest.clone(),
            to: Some(to.clone()),
            unknown: crate::state::Entries::new(),
        }];
    }
    base.update_history.clone()
}

/// The index of the first change that the image was not built with.
///
/// By the digest that it was built from, if the history has that. One that it does
/// not have (that of a single platform, say) tells nothing, so then, as without one,
/// time decides: what was learnt before the build is in it, and so is a change that
/// came back to what stood then.
pub(super) fn first_open(image: &ImageDoc, base: &BaseDoc, changes: &[UpdateEntry]) -> usize {
    if let Some(built) = image.built_from.get(&base.name) {
        let built = Some(built);
        // A tag may return to a digest it had: the last time counts.
        if let Some(at) = changes
            .iter()
            .rposition(|change| change.to.as_ref() == built)
        {
            return at + 1;
        }
        if let Some(at) = changes
            .iter()
            .position(|change| change.from.as_ref() == built)
        {
            return at;
        }
    }
    let Some(built) = image.last_built.as_ref().or(image.enrolled_at.as_ref()) else {
        return 0;
    };
    let later = |change: &UpdateEntry| {
        let at = change.at.as_ref();
        at.is_some_and(|at| at.time() > built.time())
    };
    let open = changes.iter().position(later).unwrap_or(changes.len());
    let then = digest_at(base, built.time());
    let back = changes
        .iter()
        .rposition(|change| then.is_some() && change.to == then);
    back.map_or(open, |at| open.max(at + 1))
}

/// What the reference pointed to at that time, as far as is known.
#[must_use]
pub fn digest_at(base: &BaseDoc, time: Time) -> Option<DigestText> {
    if let Some(pin) = pin(base) {
        return Some(pin);
    }
    let changes = changes(base);
    let before = changes
        .iter()
        .rfind(|change| change.at.as_ref().is_some_and(|at| at.time() <= time));
    match (before, changes.first()) {
        (Some(change), _) => change.to.clone(),
        (None, Some(first)) => first.from.clone(),
        (None, None) => base.current_digest.clone(),
    }
}

/// The digest that the reference is pinned by.
pub(super) fn pin(base: &BaseDoc) -> Option<DigestText> {
    let digest = Reference::parse(&base.full_image).ok()?.digest?;
    Some(digest.into())
}

/// Does the reference name its digest, so that a rebuild moves nothing?
#[must_use]
pub fn is_pinned(base: &BaseDoc) -> bool {
    base.full_image.contains('@')
}
