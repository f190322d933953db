//! The state of enrolled images: the old file and what was learnt, merged.
//!
//! What images.yaml says is copied over what the file says; digests, times and
//! histories are the file's alone; base images are those of the last Dockerfile that
//! could be read.

use crate::model::{DiscoveryStatus, Image, ObjectName, Time};
use crate::state::{DiscoveryError, ImageDoc, Stamp};

use super::{Change, Status};

/// What the Dockerfile of an image came to.
pub(super) enum Learnt {
    /// These base images, sorted.
    Bases(Vec<ObjectName>),
    /// Nothing, for this reason.
    Failed(String),
    /// Nobody looked.
    Nothing,
}

/// The state of an image after a run.
pub(super) fn merge(image: &Image, old: Option<&ImageDoc>, learnt: Learnt, now: Time) -> ImageDoc {
    let mut doc = old.cloned().unwrap_or_else(|| ImageDoc::new(image, now));
    if image.is_managed() && matches!(learnt, Learnt::Nothing) && doc.is_managed() {
        // The copy tells for which source the base images were found.
        return doc;
    }
    doc.set_enrollment(image);
    if doc.enrolled_at.is_none() {
        let known = doc.last_discovery.as_ref().map_or(now, Stamp::time);
        doc.enrolled_at = Some(known.min(now).into());
    }
    if !image.is_managed() {
        // Others build it: nothing is pending any more. What we tried stays in its history.
        doc.rebuild_state = None;
        return doc;
    }
    match learnt {
        Learnt::Bases(bases) => {
            doc.status = DiscoveryStatus::Success;
            doc.discovery_error = None;
            doc.bases = Some(bases);
        }
        Learnt::Failed(message) => {
            doc.status = DiscoveryStatus::Failed;
            let same = |error: &DiscoveryError| error.message == message;
            if !doc.discovery_error.as_ref().is_some_and(same) {
                let at = not_before(now, [doc.last_discovery.as_ref(), doc.enrolled_at.as_ref()]);
                doc.discovery_error = Some(DiscoveryError::new(message, at));
            }
            return doc;
        }
        Learnt::Nothing => return doc,
    }
    let before = old.map(|old| (old.status, &old.bases));
    if before != Some((doc.status, &doc.bases)) || doc.last_discovery.is_none() {
        let failed = old.and_then(|old| old.discovery_error.as_ref()?.at.as_ref());
        let at = not_before(
            now,
            [
                doc.last_discovery.as_ref(),
                doc.enrolled_at.as_ref(),
                failed,
            ],
        );
        doc.last_discovery = Some(at.into());
    }
    doc
}

/// Now, but not before anything that is recorded to have happened before.
pub(super) fn not_before<'s>(
    now: Time,
    recorded: impl IntoIterator<Item = Option<&'s Stamp>>,
) -> Time {
    let latest = recorded.into_iter().flatten().map(Stamp::time).max();
    latest.map_or(now, |latest| latest.max(now))
}

/// How the discovery of an image with this state ended.
pub(super) const fn status(doc: &ImageDoc) -> Status {
    match doc.status {
        DiscoveryStatus::Pending => Status::Pending,
        DiscoveryStatus::Success => Status::Success,
        DiscoveryStatus::Failed => Status::Failed,
        DiscoveryStatus::External => Status::External,
    }
}

/// What is new about it.
pub(super) fn change(old: Option<&ImageDoc>, new: &ImageDoc, restored: bool) -> Change {
    let external = |doc: &ImageDoc| doc.status == DiscoveryStatus::External;
    match old {
        _ if restored => Change::Restored,
        None => Change::Enrolled,
        Some(old) if old == new => Change::None,
        Some(old) if external(old) && !external(new) => Change::ToManaged,
        Some(old) if !external(old) && external(new) => Change::ToExternal,
        Some(_) => Change::Updated,
    }
}
