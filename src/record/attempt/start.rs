//! Attempts that start.

use crate::diagnostics::Diagnostic;
use crate::model::{Image, Time};
use crate::state::{Attempt, ImageDoc, Raw, RebuildStatus, Stamp, Text};
use crate::tree::{Edit, Tree};

use super::super::documents::{self, Opened};
use super::super::reason::{Reason, Trigger};
use super::super::{Outcome, clock};
use super::{KEPT, Start, Started, live, mend, one_line};

/// Records that rebuilds start: an entry `requested` in the history of each. An image
/// that has an open attempt, or is not enrolled any more, gets none.
#[must_use]
pub fn start(tree: &Tree, starts: &[Start], now: Time) -> Outcome<Vec<Started>> {
    let mut out = Vec::new();
    let Some(model) = documents::enrolled(tree, &mut out) else {
        return Outcome::nothing(out);
    };
    let mut edit = Edit::default();
    let mut started: Vec<Started> = Vec::new();
    for start in starts {
        let image = model.image(start.image.as_str());
        let Some(image) = image.filter(|image| image.is_managed()) else {
            continue;
        };
        if started.iter().any(|other| other.image == image.name) {
            continue;
        }
        let Some(mut opened) = state_of(tree, image, now, &mut out) else {
            continue;
        };
        if live(&opened.doc.rebuild_history).next().is_none() {
            started.push(begin(&mut opened, start, now, &mut out));
            opened.save(&mut edit, ImageDoc::write, &mut out);
        }
    }
    Outcome {
        learned: !started.is_empty(),
        edit,
        facts: Some(started),
        diagnostics: out,
    }
}

/// The image's document, a new one if there is none; nothing if it is wrong.
fn state_of(
    tree: &Tree,
    image: &Image,
    now: Time,
    out: &mut Vec<Diagnostic>,
) -> Option<Opened<ImageDoc>> {
    let name = image.name.as_str();
    documents::image(tree, name, out).unwrap_or_else(|| {
        let path = tree.image_path(name);
        Some(Opened::new(path, ImageDoc::new(image, now)))
    })
}

fn begin(
    opened: &mut Opened<ImageDoc>,
    start: &Start,
    now: Time,
    out: &mut Vec<Diagnostic>,
) -> Started {
    let doc = &mut opened.doc;
    mend(&mut doc.rebuild_history, &opened.path, out);
    let times = doc.rebuild_history.iter();
    let times = times.map(|attempt| attempt.at.as_ref());
    // Numbers order the history. A time that cannot be yet would hold the image until then.
    clock::ahead(now, times, &opened.path, out);
    let number = next_number(doc);
    let reasons = start.reasons.iter().map(Reason::to_raw);
    doc.rebuild_history.push(Attempt {
        at: Some(now.into()),
        attempt: Some(numbered(number)),
        trigger: Some(start.trigger.to_string()),
        requested_by: start.requested_by.as_deref().and_then(one_line),
        reason: start.reason.as_deref().and_then(one_line),
        reasons: Some(Raw::List(reasons.collect())),
        outcome: Some(Attempt::REQUESTED.to_owned()),
        ..Attempt::default()
    });
    forget(&mut doc.rebuild_history, now);
    let state = doc.rebuild_state.get_or_insert_default();
    state.attempt = Some(numbered(number));
    state.status = RebuildStatus::of(Attempt::REQUESTED);
    if start.trigger == Trigger::Emergency {
        state.emergencies = Some(state.emergencies.unwrap_or_default().saturating_add(1));
    }
    Started {
        image: start.image.clone(),
        attempt: number,
        at: now,
    }
}

fn numbered(number: u64) -> Text {
    Text::of_number(number)
}

/// One more than any number that is known to have been used.
fn next_number(doc: &ImageDoc) -> u64 {
    let current = doc.rebuild_state.as_ref().and_then(|s| s.attempt.as_ref());
    let current = current.and_then(|text| text.as_str().parse().ok());
    let used = doc.rebuild_history.iter().filter_map(Attempt::number);
    used.chain(current)
        .max()
        .unwrap_or_default()
        .saturating_add(1)
}

/// Drops the oldest attempts beyond [`KEPT`], but none of the last 24 hours, by which
/// starts are counted, and none that is open.
fn forget(history: &mut Vec<Attempt>, now: Time) {
    const DAY: i64 = 24 * 60 * 60;
    let mut over = history.len().saturating_sub(KEPT);
    history.retain(|attempt| {
        let old = |at: &Stamp| {
            let age = now.unix_seconds().saturating_sub(at.time().unix_seconds());
            age > DAY || clock::is_ahead(at.time(), now)
        };
        let drop = over > 0 && !attempt.is_open() && attempt.at.as_ref().is_none_or(old);
        over -= usize::from(drop);
        !drop
    });
}
