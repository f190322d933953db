//! Attempts to rebuild an image: started, answered, still open.

use std::collections::BTreeSet;

use crate::diagnostics::secrets::masked;
use crate::diagnostics::{Diagnostic, Place, code};
use crate::model::{Duration, Image, InputFile, Model, Name, Parse as _, Time, state_name};
use crate::state::{Attempt, DigestText, ImageDoc, Raw, RebuildState, RebuildStatus, Stamp, Text};
use crate::tree::{Edit, Tree};

use super::coordinate::Waiting;
use super::documents::{self, Opened};
use super::pending::{self, On};
use super::reason::{Reason, Trigger};
use super::{Outcome, clock};

/// An attempt that has no answer after this time has failed; 6 hours.
pub const ANSWER_WITHIN: Duration = Duration::from_minutes(6 * 60);

/// After so many attempts in a row that failed, an image is given up.
pub const GIVE_UP_AFTER: u32 = 5;

/// An attempt that was recorded as `requested` and not asked for within this time is
/// taken over by another run; 5 minutes. Whoever recorded it asks no more by then.
pub const TAKE_OVER_AFTER: Duration = Duration::from_minutes(5);

/// The key for when another run took an attempt over.
const TAKEN_AT: &str = "takenAt";

/// As many attempts are remembered of an image.
const KEPT: usize = 100;

/// As many characters are kept of what a provider said.
const LONGEST_DETAIL: usize = 500;

/// A rebuild to be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// The image.
    pub image: Name,
    /// What makes it start.
    pub trigger: Trigger,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Who asked, if somebody did.
    pub requested_by: Option<String>,
    /// The reason that they gave.
    pub reason: Option<String>,
}

/// A rebuild that was recorded as started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    /// The image.
    pub image: Name,
    /// The number of the attempt: counted by image, never used again.
    pub attempt: u64,
    /// When it was started.
    pub at: Time,
}

/// What is learnt of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The provider took the request.
    Accepted {
        /// What the run is called there, if it said so.
        run: Option<String>,
        /// Where people can look at it.
        link: Option<String>,
    },
    /// Its run was found.
    Running {
        /// What the run is called there.
        run: String,
        /// Where people can look at it.
        link: String,
    },
    /// The run ended well.
    Succeeded {
        /// What the run is called there, if that is known.
        run: Option<String>,
        /// Where people can look at it.
        link: Option<String>,
    },
    /// The run failed.
    Failed {
        /// How, in a few words.
        why: String,
        /// What the run is called there, if that is known.
        run: Option<String>,
        /// Where people can look at it.
        link: Option<String>,
    },
    /// Somebody stopped the run.
    Cancelled {
        /// What the run is called there, if that is known.
        run: Option<String>,
        /// Where people can look at it.
        link: Option<String>,
    },
    /// The provider did not take the request.
    Refused {
        /// What it said.
        why: String,
    },
    /// It was asked, and no run was found.
    Lost {
        /// What happened.
        why: String,
    },
    /// There was no answer within [`ANSWER_WITHIN`].
    Expired,
}

impl Answer {
    /// What the run is called at its provider, as far as the answer says so.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        match self {
            Self::Running { run, .. } => Some(run),
            Self::Accepted { run, .. }
            | Self::Succeeded { run, .. }
            | Self::Failed { run, .. }
            | Self::Cancelled { run, .. } => run.as_deref(),
            Self::Refused { .. } | Self::Lost { .. } | Self::Expired => None,
        }
    }

    /// Where people can look at it.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        match self {
            Self::Running { link, .. } => Some(link),
            Self::Accepted { link, .. }
            | Self::Succeeded { link, .. }
            | Self::Failed { link, .. }
            | Self::Cancelled { link, .. } => link.as_deref(),
            Self::Refused { .. } | Self::Lost { .. } | Self::Expired => None,
        }
    }
}

/// An answer to one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answered {
    /// The image.
    pub image: Name,
    /// The attempt.
    pub attempt: u64,
    /// What is learnt of it.
    pub answer: Answer,
}

/// How far an attempt is that has not ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Progress {
    /// It was recorded; whether it was asked for is not known.
    Requested,
    /// The provider took the request.
    Triggered,
    /// Its run was found.
    Running,
}

impl Progress {
    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => Attempt::REQUESTED,
            Self::Triggered => Attempt::TRIGGERED,
            Self::Running => Attempt::RUNNING,
        }
    }

    fn of(attempt: &Attempt) -> Self {
        match attempt.outcome.as_deref() {
            Some(Attempt::RUNNING) => Self::Running,
            Some(Attempt::TRIGGERED | "queued") => Self::Triggered,
            _ => Self::Requested,
        }
    }
}

/// An attempt that has not ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenAttempt {
    /// The image.
    pub image: Name,
    /// Its number.
    pub attempt: u64,
    /// When it was started.
    pub at: Time,
    /// When a run last set out to ask for it.
    pub taken: Time,
    /// How far it is.
    pub outcome: Progress,
    /// What the run is called at the provider, once that is known.
    pub run: Option<String>,
    /// Where people can look at it.
    pub link: Option<String>,
    /// What it was started with.
    pub start: Start,
}

impl OpenAttempt {
    /// Did another run leave it, and may it be taken over?
    #[must_use]
    pub fn is_left(&self, now: Time) -> bool {
        let over = self.taken.plus(TAKE_OVER_AFTER) <= now;
        self.outcome == Progress::Requested && (over || clock::is_ahead(self.taken, now))
    }
}

/// Has an attempt that was started then, and has not ended, failed for want of an answer?
/// So has one that cannot have been started yet: nothing can be known of it.
#[must_use]
pub fn is_over(started: Time, now: Time) -> bool {
    started.plus(ANSWER_WITHIN) <= now || clock::is_ahead(started, now)
}

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

/// The open attempts that can be followed. One without a number, which other programs
/// or people wrote, ends with the next build; so does the older of two with one number.
fn live(history: &[Attempt]) -> impl Iterator<Item = (u64, &Attempt)> {
    let places = history.iter().enumerate();
    places.filter_map(|(at, attempt)| {
        let number = attempt.number()?;
        (place_of(history, number) == Some(at) && attempt.is_open()).then_some((number, attempt))
    })
}

/// Which entry a number means: the newest open one, else the newest.
fn place_of(history: &[Attempt], number: u64) -> Option<usize> {
    let is_it = |attempt: &Attempt| attempt.number() == Some(number);
    let open = history.iter().rposition(|a| is_it(a) && a.is_open());
    open.or_else(|| history.iter().rposition(is_it))
}

/// Takes a number that several entries have from all but the one that it means.
fn mend(history: &mut [Attempt], path: &str, out: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for number in history.iter().filter_map(Attempt::number) {
        if !seen.insert(number) {
            twice.insert(number);
        }
    }
    for number in twice {
        let means = place_of(history, number);
        for (at, attempt) in history.iter_mut().enumerate() {
            if attempt.number() == Some(number) && Some(at) != means {
                attempt.attempt = None;
            }
        }
        let message = format!("two attempts have the number {number}");
        let help = "the one that is open, or the newer, keeps it; the other has none any more";
        let told = Diagnostic::warning(code::STATE_MENDED, message).help(help);
        out.push(told.at(Place::file(path)));
    }
}

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

/// What others said, as a file can hold it: one line, bounded, no password of an address.
fn one_line(text: &str) -> Option<String> {
    let text = masked(text);
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(LONGEST_DETAIL).collect();
    // Older programs wrote this word for nothing, and so it is read.
    (!line.is_empty() && line != "None").then_some(line)
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

/// When it was started. One without a time is as old as can be, and expires.
fn begun(attempt: &Attempt) -> Time {
    (attempt.at.as_ref()).map_or(Time::from_unix_seconds(0), Stamp::time)
}

fn taken(attempt: &Attempt) -> Time {
    let again = attempt.unknown.text(TAKEN_AT);
    let again = again.and_then(|text| Time::parse(text).ok());
    again.map_or(begun(attempt), |again| again.max(begun(attempt)))
}

/// The runs that attempts own, with the attempts: of all images, and also of attempts that
/// have ended, as long as they are remembered.
#[must_use]
pub fn runs(tree: &Tree) -> Vec<(Name, u64, String)> {
    let owned = owned(tree).into_iter();
    owned
        .map(|owned| (owned.image, owned.attempt, owned.run))
        .collect()
}

/// A run, and the attempt that it is of.
struct Owned {
    image: Name,
    attempt: u64,
    run: String,
    /// Two hosts may count alike.
    link: Option<String>,
}

impl Owned {
    fn by(answered: &Answered) -> Option<Self> {
        Some(Self {
            image: answered.image.clone(),
            attempt: answered.attempt,
            run: one_line(answered.answer.run()?)?,
            link: answered.answer.link().and_then(one_line),
        })
    }

    /// Is another attempt answered by this run?
    fn is_what(&self, answered: &Answered) -> bool {
        let others = (&self.image, self.attempt) != (&answered.image, answered.attempt);
        let same =
            |run: &Self| self.link.is_some() && (&self.run, &self.link) == (&run.run, &run.link);
        others && Self::by(answered).is_some_and(|run| same(&run))
    }
}

fn owned(tree: &Tree) -> Vec<Owned> {
    let files = tree.inputs.images.iter().chain(&tree.archive);
    let may = files.filter(|file| file.text.contains("rebuildHistory"));
    let docs = may.filter_map(|file| ImageDoc::read(file).doc);
    docs.flat_map(|doc| {
        let attempts = doc.rebuild_history.into_iter();
        let owned = attempts.filter_map(|attempt| {
            Some(Owned {
                image: doc.name.clone(),
                attempt: attempt.number()?,
                run: attempt.run?,
                link: attempt.link,
            })
        });
        owned.collect::<Vec<_>>()
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
