//! What is learnt of attempts.

use crate::diagnostics::Diagnostic;
use crate::model::{Model, Name, Time};
use crate::state::{Attempt, DigestText, ImageDoc, Raw, RebuildState, RebuildStatus, Text};
use crate::tree::{Edit, Tree};

use super::super::coordinate::Waiting;
use super::super::documents::{self, Opened};
use super::super::pending::{self, On};
use super::super::{Outcome, clock};
use super::runs::{Owned, owned};
use super::{ANSWER_WITHIN, Answer, Answered, Progress, begun, mend, one_line};

/// Records what is learnt of attempts. An attempt that is unknown, or has ended, stays
/// as it is: the answer is a duplicate, or came late. So does one whose answer is about
/// the run of another attempt, which somebody else was faster to find. Gives the answers
/// that counted.
#[must_use]
pub fn answer(tree: &Tree, answers: &[Answered], now: Time) -> Outcome<Vec<Answered>> {
    let mut out = Vec::new();
    let Some(model) = documents::enrolled(tree, &mut out) else {
        return Outcome::nothing(out);
    };
    let mut images: Vec<&Name> = answers.iter().map(|answered| &answered.image).collect();
    images.sort_unstable();
    images.dedup();
    let mut edit = Edit::default();
    let mut counted: Vec<Answered> = Vec::new();
    let mut owned = owned(tree);
    for image in images {
        let Some(mut opened) = wherever(tree, image, &mut out) else {
            continue;
        };
        for answered in answers.iter().filter(|answered| answered.image == *image) {
            let is_anothers = owned.iter().any(|owned| owned.is_what(answered));
            if !is_anothers && put(&mut opened, answered, now, &mut out) {
                owned.extend(Owned::by(answered));
                counted.push(answered.clone());
            }
        }
        if opened.changed() {
            note(&model, tree, &mut opened.doc);
            opened.save(&mut edit, ImageDoc::write, &mut out);
        }
    }
    Outcome {
        learned: !counted.is_empty(),
        edit,
        facts: Some(counted),
        diagnostics: out,
    }
}

/// The state of an image, be it archived.
fn wherever(tree: &Tree, image: &Name, out: &mut Vec<Diagnostic>) -> Option<Opened<ImageDoc>> {
    let archived = tree.archived_image_path(image.as_str());
    documents::image(tree, image.as_str(), out)
        .or_else(|| documents::image_at(tree, &archived, out))?
}

/// Puts an answer into the history; says whether it told anything new.
fn put(
    opened: &mut Opened<ImageDoc>,
    answered: &Answered,
    now: Time,
    out: &mut Vec<Diagnostic>,
) -> bool {
    let doc = &mut opened.doc;
    let open = |a: &&mut Attempt| a.number() == Some(answered.attempt) && a.is_open();
    if doc.rebuild_history.iter_mut().rfind(open).is_none() {
        return false;
    }
    mend(&mut doc.rebuild_history, &opened.path, out);
    let Some(attempt) = doc.rebuild_history.iter_mut().rfind(open) else {
        return false;
    };
    let before = attempt.clone();
    tell(attempt, &answered.answer);
    if !attempt.is_open() {
        clock::ahead(now, [attempt.at.as_ref()], &opened.path, out);
        // From then on it had failed, whenever somebody looked.
        let expired = begun(attempt).plus(ANSWER_WITHIN);
        let at = match answered.answer {
            Answer::Expired if attempt.at.is_some() => expired.min(now),
            _ => now,
        };
        attempt.ended_at = Some(at.into());
    }
    let attempt = attempt.clone();
    if attempt == before {
        return false;
    }
    if attempt.outcome.as_deref() == Some(Attempt::SUCCEEDED) {
        build_in(doc, &attempt);
    }
    if let Some(state) = &mut doc.rebuild_state {
        follow(state, &attempt);
    }
    true
}

/// What the answer makes of an open attempt. It only goes on, never back.
fn tell(attempt: &mut Attempt, answer: &Answer) {
    let progress = Progress::of(attempt);
    let (outcome, detail, link) = match answer {
        Answer::Accepted { link, .. } => (Attempt::TRIGGERED, None, link.as_deref()),
        Answer::Running { link, .. } => (Attempt::RUNNING, None, Some(link.as_str())),
        Answer::Succeeded { link, .. } => (Attempt::SUCCEEDED, None, link.as_deref()),
        Answer::Failed { why, link, .. } => (Attempt::FAILED, Some(why), link.as_deref()),
        Answer::Cancelled { link, .. } => (Attempt::CANCELLED, None, link.as_deref()),
        Answer::Refused { why } => (Attempt::REFUSED, Some(why), None),
        Answer::Lost { why } => (Attempt::LOST, Some(why), None),
        Answer::Expired => (Attempt::EXPIRED, None, None),
    };
    let back = matches!(answer, Answer::Accepted { .. }) && progress > Progress::Requested;
    if !back {
        attempt.outcome = Some(outcome.to_owned());
    }
    if let Some(run) = answer.run().filter(|_| !back || attempt.run.is_none()) {
        attempt.run = one_line(run);
    }
    if let Some(link) = link.filter(|_| !back || attempt.link.is_none()) {
        attempt.link = one_line(link);
    }
    if let Some(detail) = detail {
        attempt.detail = one_line(detail);
    }
}

/// `rebuildState` says where the newest attempt stands.
fn follow(state: &mut RebuildState, attempt: &Attempt) {
    let current = state.attempt.as_ref().map(Text::as_str);
    if current != attempt.attempt.as_ref().map(Text::as_str) {
        return;
    }
    if let Some(outcome) = &attempt.outcome {
        state.status = RebuildStatus::of(outcome);
    }
    if attempt.has_failed() {
        state.attempt = None;
    }
}

/// The digests that the attempt was started for are built in; the analysis of the build
/// will say more, or has.
fn build_in(doc: &mut ImageDoc, attempt: &Attempt) {
    for (base, to) in targets(attempt) {
        let known = doc.bases.as_ref();
        let known = known.and_then(|bases| bases.iter().find(|name| name.as_str() == base));
        if let Some(name) = known {
            doc.built_from.insert(name.clone(), to);
        }
    }
}

fn targets(attempt: &Attempt) -> impl Iterator<Item = (&str, DigestText)> {
    let reasons = attempt.reasons.as_ref().and_then(Raw::as_list);
    let reasons = reasons.unwrap_or_default().iter().filter_map(Raw::as_map);
    reasons.filter_map(|reason| {
        let to = DigestText::read(reason.text("to")?)?;
        Some((reason.text("base")?, to))
    })
}

/// Computes anew what the image still has to follow. How long one that is not enrolled
/// any more would wait is not known, so only that nothing is left is noted.
fn note(model: &Model, tree: &Tree, doc: &mut ImageDoc) {
    let bases = documents::bases_of(tree, doc);
    if let Some(image) = model.image(doc.name.as_str()) {
        let on = bases.iter().map(|base| On {
            base,
            own: documents::is_own(model, base),
        });
        let waiting = Waiting::of(&model.settings, image);
        let pending = pending::pending(doc, &waiting, on);
        doc.note(pending.map(|pending| (pending.since, pending.due)));
    } else if (bases.iter()).all(|base| pending::open_change(doc, base).is_none()) {
        doc.note(None);
    }
}
