//! Attempts that have not ended: found, expired, taken over.

use crate::model::{InputFile, Name, Parse as _, Time, state_name};
use crate::state::{Attempt, ImageDoc, Raw};
use crate::tree::{Edit, Tree};

use super::super::Outcome;
use super::super::documents;
use super::super::reason::{Reason, Trigger};
use super::{
    Answer, Answered, OpenAttempt, Progress, Start, TAKEN_AT, begun, is_over, live, place_of,
};

/// The answer to each attempt that has none for too long.
#[must_use]
pub fn overdue(tree: &Tree, now: Time) -> Vec<Answered> {
    let over = open(tree).into_iter().filter(|open| is_over(open.at, now));
    over.map(|open| Answered {
        image: open.image,
        attempt: open.attempt,
        answer: Answer::Expired,
    })
    .collect()
}

/// The attempts that have to be followed, in the order in which they were started; also
/// those of images that are not enrolled any more.
#[must_use]
pub fn open(tree: &Tree) -> Vec<OpenAttempt> {
    let files = tree.inputs.images.iter().chain(&tree.archive);
    let mut found: Vec<OpenAttempt> = files.flat_map(|file| open_in(tree, file)).collect();
    found.sort_by(|one, other| {
        let key = |open: &OpenAttempt| (open.at, open.attempt);
        let by_time = key(one).cmp(&key(other));
        by_time.then_with(|| one.image.cmp(&other.image))
    });
    found
}

fn open_in(tree: &Tree, file: &InputFile) -> Vec<OpenAttempt> {
    // Most images have no attempt, and reading costs.
    let may = file.text.contains("rebuildHistory");
    // An archived image that is enrolled again has its state elsewhere.
    let is_its = state_name(file).is_some_and(|name| {
        let path = tree.image_path(name);
        *file.path == *path
            || (*file.path == *tree.archived_image_path(name) && tree.text(&path).is_none())
    });
    if !may || !is_its {
        return Vec::new();
    }
    ImageDoc::read(file).doc.map_or_else(Vec::new, |doc| {
        let open = live(&doc.rebuild_history);
        open.map(|(number, attempt)| opened(&doc.name, number, attempt))
            .collect()
    })
}

fn opened(image: &Name, number: u64, attempt: &Attempt) -> OpenAttempt {
    let reasons = attempt.reasons.as_ref().and_then(Raw::as_list);
    let trigger = attempt.trigger.as_deref().and_then(Trigger::of);
    OpenAttempt {
        image: image.clone(),
        attempt: number,
        at: begun(attempt),
        taken: taken(attempt),
        outcome: Progress::of(attempt),
        run: attempt.run.clone(),
        link: attempt.link.clone(),
        start: Start {
            image: image.clone(),
            trigger: trigger.unwrap_or(Trigger::Change),
            reasons: (reasons.unwrap_or_default().iter())
                .filter_map(Reason::read)
                .collect(),
            requested_by: attempt.requested_by.clone(),
            reason: attempt.reason.clone(),
        },
    }
}

/// Takes over attempts that were recorded and never asked for, as far as is known: of
/// the images that `concerns` names, those old enough. Gives them with the time noted, so
/// that of two runs at once only one takes them.
#[must_use]
pub fn take_over(
    tree: &Tree,
    concerns: &dyn Fn(&Name) -> bool,
    now: Time,
) -> Outcome<Vec<OpenAttempt>> {
    let mut out = Vec::new();
    let mut edit = Edit::default();
    let mut took: Vec<OpenAttempt> = Vec::new();
    for open in open(tree) {
        // An image in the archive is built by nobody.
        let path = tree.image_path(open.image.as_str());
        if !concerns(&open.image) || !open.is_left(now) || tree.text(&path).is_none() {
            continue;
        }
        let Some(mut opened) = documents::image(tree, open.image.as_str(), &mut out).flatten()
        else {
            continue;
        };
        let history = &mut opened.doc.rebuild_history;
        let place = place_of(history, open.attempt);
        if let Some(attempt) = place.and_then(|at| history.get_mut(at)) {
            attempt.unknown.put(TAKEN_AT, Raw::text(now.to_string()));
            took.push(OpenAttempt { taken: now, ..open });
        }
        opened.save(&mut edit, ImageDoc::write, &mut out);
    }
    Outcome {
        learned: !took.is_empty(),
        edit,
        facts: Some(took),
        diagnostics: out,
    }
}

fn taken(attempt: &Attempt) -> Time {
    let again = attempt.unknown.text(TAKEN_AT);
    let again = again.and_then(|text| Time::parse(text).ok());
    again.map_or(begun(attempt), |again| again.max(begun(attempt)))
}
