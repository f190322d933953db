//! A build of one of our own images was analysed.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, Place, code, did_you_mean};
use crate::model::{Image, Model, ObjectName, Parse as _, Reference, Time};
use crate::state::{Attempt, BaseDoc, DigestText, ImageDoc, Raw, RebuildStatus, Text};
use crate::tree::{Edit, Tree};

use super::clock;
use super::coordinate::Waiting;
use super::documents::{self, Opened};
use super::pending::{self, On, digest_at};
use super::{Built, BuiltFacts, Outcome, open_attempts};

/// Before this, images say when they were built only to hide it: reproducible builds
/// have 1970 or 1980 there.
const FIRST_PLAUSIBLE: Time = Time::from_unix_seconds(946_684_800);

/// Records a build. The same build again says nothing new; one that is older than what
/// is recorded (its Job was delayed) is told of and not recorded.
///
/// A build is older if it was created before `lastBuilt`, unless its tag is the higher
/// version. If it does not say when it was created, it is older if its tag is the lower
/// version; otherwise what is analysed last is the newest.
#[must_use]
pub fn build(tree: &Tree, built: &Built, now: Time) -> Outcome<BuiltFacts> {
    let mut out = Vec::new();
    let Some(model) = documents::enrolled(tree, &mut out) else {
        return Outcome::nothing(out);
    };
    let Some(image) = subject(&model, built, &mut out) else {
        return Outcome::nothing(out);
    };
    let opened = match documents::image(tree, built.image.as_str(), &mut out) {
        None => Some(Opened::new(
            tree.image_path(built.image.as_str()),
            ImageDoc::new(image, now),
        )),
        Some(opened) => opened,
    };
    let Some(mut opened) = opened else {
        return Outcome::nothing(out);
    };
    let bases = documents::bases_of(tree, &opened.doc);
    let mut facts = BuiltFacts {
        image: built.image.clone(),
        tag: built.tag.clone(),
        digest: built.digest.clone(),
        from: opened.doc.current_digest.clone(),
        built_from: BTreeMap::new(),
        answers: None,
        pending: None,
        older: is_older(&opened.doc, built, now),
    };
    if facts.older {
        out.push(told_older(&opened, built));
    } else {
        facts.answers = put(&mut opened, built, &bases, now, &mut out);
    }
    let on = bases.iter().map(|base| On {
        base,
        own: documents::is_own(&model, base),
    });
    let waiting = Waiting::of(&model.settings, image);
    facts.pending = pending::pending(&opened.doc, &waiting, on);
    if !facts.older {
        let pending = facts.pending.as_ref();
        opened
            .doc
            .note(pending.map(|pending| (pending.since, pending.due)));
    }
    let named = opened.doc.built_from.iter();
    facts.built_from = named
        .map(|(name, digest)| (name.to_string(), digest.clone()))
        .collect();
    let learned = opened.changed();
    let mut edit = Edit::default();
    opened.save(&mut edit, ImageDoc::write, &mut out);
    Outcome {
        edit,
        learned,
        facts: Some(facts),
        diagnostics: out,
    }
}

fn subject<'m>(model: &'m Model, built: &Built, out: &mut Vec<Diagnostic>) -> Option<&'m Image> {
    let name = built.image.as_str();
    let diagnostic = match model.image(name) {
        Some(image) if image.is_managed() => return Some(image),
        Some(image) => {
            let message = format!("`{name}` is an external image, which others build");
            Diagnostic::error(code::RECORD_EXTERNAL, message)
                .help(format!(
                    "record its digest: `image-factory record {name} --digest {}`",
                    built.digest
                ))
                .at(image.place())
        }
        None => {
            let known: Vec<&str> = model
                .managed()
                .map(|(image, _)| image.name.as_str())
                .collect();
            let message = format!("`{name}` is not enrolled");
            let help = if known.is_empty() {
                "enroll it in images.yaml".to_owned()
            } else {
                did_you_mean(name, &known)
            };
            Diagnostic::error(code::RECORD_UNKNOWN, message).help(help)
        }
    };
    out.push(diagnostic);
    None
}

fn created(built: &Built) -> Option<Time> {
    built.created.filter(|created| *created >= FIRST_PLAUSIBLE)
}

fn is_older(image: &ImageDoc, built: &Built, now: Time) -> bool {
    let Some(current) = &image.current_digest else {
        return false;
    };
    if current.is(&built.digest) {
        return false;
    }
    let version = |text: &str| version(text);
    let ours = image.current_version.as_deref().and_then(version);
    let theirs = built.tag.as_ref().and_then(|tag| version(tag.as_str()));
    let order = ours.zip(theirs).map(|(ours, theirs)| theirs.cmp(&ours));
    match (created(built), &image.last_built) {
        // A time that cannot be yet says nothing.
        (Some(created), Some(last)) if !clock::is_ahead(last.time(), now) => {
            created < last.time() && order != Some(std::cmp::Ordering::Greater)
        }
        _ => order == Some(std::cmp::Ordering::Less),
    }
}

/// The numbers of a version tag without pre-release: `v1.10.2`.
fn version(tag: &str) -> Option<Vec<u64>> {
    let numbers = tag.strip_prefix('v').unwrap_or(tag).split('.');
    let numbers: Option<Vec<u64>> = numbers
        .map(|part| {
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        })
        .collect();
    numbers.filter(|numbers| numbers.len() == 3)
}

fn told_older(opened: &Opened<ImageDoc>, built: &Built) -> Diagnostic {
    let name = |tag: Option<&str>, digest: &str| match tag {
        Some(tag) => format!("`{tag}` (`{digest}`)"),
        None => format!("`{digest}`"),
    };
    let doc = &opened.doc;
    let message = format!(
        "the build {} of `{}` is older than {}, which is recorded",
        name(built.tag.as_ref().map(AsRef::as_ref), built.digest.as_str()),
        doc.name,
        name(
            doc.current_version.as_deref(),
            doc.current_digest.as_ref().map_or("?", DigestText::as_str)
        ),
    );
    Diagnostic::warning(code::BUILD_OLDER, message)
        .help("it is not recorded; its analysis came late")
        .at(Place::file(opened.path.as_str()))
}

/// Puts the build into the image; gives the attempt that it answers.
fn put(
    opened: &mut Opened<ImageDoc>,
    built: &Built,
    bases: &[BaseDoc],
    now: Time,
    out: &mut Vec<Diagnostic>,
) -> Option<Text> {
    let doc = &mut opened.doc;
    let again = doc
        .current_digest
        .as_ref()
        .is_some_and(|current| current.is(&built.digest));
    if let Some(tag) = &built.tag {
        doc.current_version = Some(tag.to_string());
    }
    if !again {
        doc.current_digest = Some(built.digest.clone().into());
        let recorded = [doc.last_built.as_ref(), doc.enrolled_at.as_ref()];
        let at = match created(built) {
            // Nothing is analysed before it was built: a clock is wrong.
            Some(created) if created <= now => created,
            _ => clock::after(now, recorded, &opened.path, out),
        };
        doc.last_built = Some(at.into());
    }
    let at = doc
        .last_built
        .as_ref()
        .map_or(now, crate::state::Stamp::time);
    let answered = if again { None } else { answered(doc, at) };
    if !again || doc.built_from.is_empty() {
        let attempt = answered.and_then(|index| doc.rebuild_history.get(index));
        doc.built_from = made_from(bases, built, attempt, at);
    }
    let answers = answered.and_then(|index| close(doc, index, built, now));
    if !again {
        rest(doc);
    }
    answers
}

/// What the build was made from, by the surest source for each base image: the pin in
/// the Dockerfile, what the image says, the digests of the attempt, the history.
fn made_from(
    bases: &[BaseDoc],
    built: &Built,
    attempt: Option<&Attempt>,
    at: Time,
) -> BTreeMap<ObjectName, DigestText> {
    let of = |base: &BaseDoc| {
        pending::pin(base)
            .or_else(|| said(base, built))
            .or_else(|| attempted(base, attempt?))
            .or_else(|| digest_at(base, at))
    };
    bases
        .iter()
        .filter_map(|base| Some((base.name.clone(), of(base)?)))
        .collect()
}

/// What the image itself says of the base image.
fn said(base: &BaseDoc, built: &Built) -> Option<DigestText> {
    let reference = Reference::parse(&base.full_image).ok();
    let same = |text: &String| match (&reference, Reference::parse(text)) {
        (Some(reference), Ok(said)) => {
            said.repository == reference.repository && said.tag == reference.tag
        }
        _ => *text == base.full_image,
    };
    let (_, digest) = built.base_digests.iter().find(|(text, _)| same(text))?;
    Some(digest.clone().into())
}

/// What the attempt was started for: `to` of the reason that names the base image.
fn attempted(base: &BaseDoc, attempt: &Attempt) -> Option<DigestText> {
    let reasons = attempt.reasons.as_ref()?.as_list()?;
    let reason = reasons
        .iter()
        .filter_map(Raw::as_map)
        .rfind(|reason| reason.text("base") == Some(base.name.as_str()))?;
    DigestText::read(reason.text("to")?)
}

/// The newest attempt that was started before the build was made, and that a build may
/// still come of. What was before a build that is known, that one has answered.
fn answered(doc: &ImageDoc, at: Time) -> Option<usize> {
    let history = &doc.rebuild_history;
    let built = |attempt: &Attempt| attempt.outcome.as_deref() == Some(Attempt::BUILT);
    let known = history.iter().rposition(built);
    history.iter().enumerate().rposition(|(index, attempt)| {
        let start = attempt.at.as_ref();
        attempt.awaits_build()
            && start.is_none_or(|start| start.time() <= at)
            && (attempt.is_open() || known.is_none_or(|known| index > known))
    })
}

/// Closes the attempt, and those before it that nothing answered.
fn close(doc: &mut ImageDoc, index: usize, built: &Built, now: Time) -> Option<Text> {
    let mut name = None;
    for (at, attempt) in doc.rebuild_history.iter_mut().enumerate().take(index + 1) {
        if at == index {
            attempt.outcome = Some(Attempt::BUILT.to_owned());
            attempt.ended_at.get_or_insert_with(|| now.into());
            attempt
                .unknown
                .put("digest", Raw::text(built.digest.as_str()));
            name = attempt.attempt.clone();
        } else if attempt.is_open() {
            attempt.outcome = Some(Attempt::SUPERSEDED.to_owned());
        }
    }
    name
}

/// After a new build nothing is left of the attempts before, unless one is under way.
fn rest(doc: &mut ImageDoc) {
    let still_open = open_attempts(&doc.rebuild_history).next().is_some();
    if let Some(state) = &mut doc.rebuild_state
        && !still_open
    {
        state.attempt = None;
        state.status = RebuildStatus::Monitoring;
    }
}
