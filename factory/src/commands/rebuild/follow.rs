//! Attempts and those who build: asked for, looked at, waited for.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: the clock that does not jump, and sleeping"
)]

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use factory::trigger::{Call, LOOK_EVERY, Triggers};
use image_factory::cli::run::Said;
use image_factory::cli::{Format, Streams};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{Image, Name, Source, Time};
use image_factory::plan;
use image_factory::record::{self, ANSWER_WITHIN, Answer, Answered, OpenAttempt, Progress, Start};
use image_factory::tree::Tree;

use super::super::landing::Landed;
use super::record::Planned;
use super::{Run, message};

/// Before the first looks it is waited less.
const SOON: [Duration; 3] = [
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(15),
];

/// An attempt, and how it stands.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    pub(super) image: Name,
    pub(super) attempt: u64,
    pub(super) at: Time,
    pub(super) outcome: &'static str,
    pub(super) run: Option<String>,
    pub(super) link: Option<String>,
    pub(super) detail: Option<String>,
    start: Start,
}

impl Followed {
    fn of(open: OpenAttempt) -> Self {
        Self {
            image: open.image,
            attempt: open.attempt,
            at: open.at,
            outcome: open.outcome.as_str(),
            run: open.run,
            link: open.link,
            detail: None,
            start: open.start,
        }
    }

    fn is(&self, answered: &Answered) -> bool {
        self.image == answered.image && self.attempt == answered.attempt
    }

    /// Is a run of it under way, as far as is known?
    fn is_under_way(&self) -> bool {
        [Progress::Triggered, Progress::Running]
            .iter()
            .any(|progress| progress.as_str() == self.outcome)
    }

    fn note(&mut self, answer: &Answer) {
        self.outcome = message::word(answer);
        if let Some(link) = answer.link() {
            self.link = Some(link.to_owned());
        }
        if let Some(run) = answer.run() {
            self.run = Some(run.to_owned());
        }
        if let Answer::Failed { why, .. } | Answer::Refused { why } | Answer::Lost { why } = answer
        {
            self.detail = Some(why.clone());
        }
    }
}

/// Follows attempts.
pub(super) struct Follower<'a> {
    work: &'a Run<'a>,
    triggers: &'a Triggers,
    images: Vec<Image>,
    /// The runs that attempts own.
    runs: Vec<(Name, u64, String)>,
    looked: Vec<Followed>,
    pub(super) followed: Vec<Followed>,
    /// Did something not go well?
    pub(super) failed: bool,
}

/// What there is to ask for.
struct Asked<'p> {
    start: &'p Start,
    attempt: u64,
    at: Time,
    /// When this run recorded that it would ask.
    taken: Time,
    /// An earlier run may have asked.
    again: bool,
}

impl<'a> Follower<'a> {
    pub(super) fn new(work: &'a Run<'a>, triggers: &'a Triggers, tree: &Tree) -> Self {
        Self {
            work,
            triggers,
            images: work.images.clone(),
            runs: record::runs(tree),
            looked: Vec::new(),
            followed: Vec::new(),
            failed: false,
        }
    }

    /// Looks at all attempts that are open.
    pub(super) fn look(
        &mut self,
        tree: &Tree,
        streams: &mut Streams<'_>,
        out: &mut Vec<Diagnostic>,
    ) -> Vec<Answered> {
        let mut answers = Vec::new();
        let concerns = |open: &OpenAttempt| self.work.ask.concerns(&open.image);
        let open: Vec<OpenAttempt> = record::open(tree).into_iter().filter(concerns).collect();
        let now = self.work.common.now();
        for open in open {
            let old = record::is_over(open.at, now);
            if open.outcome == Progress::Requested && !old {
                if !open.is_left(now) {
                    out.push(left(&open.image, open.attempt, open.taken));
                }
                continue;
            }
            let mut followed = Followed::of(open);
            self.tell(streams, &followed, "looking at");
            if let Some(answer) = self.answer(&followed, out) {
                followed.note(&answer);
                self.claim(&followed);
                if let Some(diagnostic) = failure(&followed, &answer) {
                    out.push(diagnostic);
                }
                answers.push(Answered {
                    image: followed.image.clone(),
                    attempt: followed.attempt,
                    answer,
                });
                self.looked.push(followed);
            }
        }
        answers
    }

    /// How an attempt stands now, if that is new.
    fn answer(&self, followed: &Followed, out: &mut Vec<Diagnostic>) -> Option<Answer> {
        let now = || self.work.common.now();
        let old = record::is_over(followed.at, now());
        let expired = old.then_some(Answer::Expired);
        // Nobody knows any more where an image is built that is not enrolled.
        let Some(source) = source(&self.images, &followed.image) else {
            return expired;
        };
        let inputs = plan::attempt(&followed.start, followed.attempt);
        let claimed = self.claimed(&followed.image, followed.attempt);
        let call = Call {
            source,
            inputs: &inputs,
            image: &followed.image,
            attempt: followed.attempt,
            at: followed.at,
            claimed: &claimed,
        };
        let looked = self.triggers.look(&call, followed.run.as_deref(), &now);
        out.extend(looked.diagnostics);
        match looked.answer {
            // It goes on, but not for ever.
            None | Some(Answer::Accepted { .. } | Answer::Running { .. }) if old => expired,
            answer => answer,
        }
    }

    /// Takes in what was planned and recorded.
    pub(super) fn planned(&mut self, planned: &Planned) {
        self.images.clone_from(&planned.images);
        let counts = |one: &Followed| planned.learned.iter().any(|answered| one.is(answered));
        let ended = |one: &Followed| !one.is_under_way();
        let looked = std::mem::take(&mut self.looked).into_iter();
        self.followed = looked.filter(|one| counts(one) && ended(one)).collect();
        let open = planned.open.iter().cloned();
        let open = open.filter(|open| self.work.ask.concerns(&open.image));
        self.followed.extend(open.map(Followed::of));
    }

    /// Asks for what was recorded, in order.
    pub(super) fn fire(
        &mut self,
        planned: &Planned,
        streams: &mut Streams<'_>,
        said: &mut Said,
    ) -> Vec<Answered> {
        let taken = planned.taken.iter().map(|open| Asked {
            start: &open.start,
            attempt: open.attempt,
            at: open.at,
            taken: open.taken,
            again: true,
        });
        let started = planned.started.iter().map(|(started, start)| Asked {
            start,
            attempt: started.attempt,
            at: started.at,
            taken: started.at,
            again: false,
        });
        let mut answers = Vec::new();
        for asked in taken.chain(started) {
            let image = &asked.start.image;
            if planned.window.is_over() {
                said.diagnostics
                    .push(left(image, asked.attempt, asked.taken));
                self.failed = true;
                continue;
            }
            if let Some(answer) = self.ask(&asked, streams, said) {
                answers.push(Answered {
                    image: image.clone(),
                    attempt: asked.attempt,
                    answer,
                });
            }
        }
        answers
    }

    fn ask(
        &mut self,
        asked: &Asked<'_>,
        streams: &mut Streams<'_>,
        said: &mut Said,
    ) -> Option<Answer> {
        let Asked {
            start,
            attempt,
            at,
            again,
            ..
        } = *asked;
        let source = source(&self.images, &start.image)?.clone();
        let inputs = plan::attempt(start, attempt);
        let claimed = self.claimed(&start.image, attempt);
        let call = Call {
            source: &source,
            inputs: &inputs,
            image: &start.image,
            attempt,
            at,
            claimed: &claimed,
        };
        let now = || self.work.common.now();
        let mut shown = self.followed.iter_mut();
        let shown = shown.find(|one| one.image == start.image && one.attempt == attempt);
        if self.work.common.format == Format::Human && !self.work.common.quiet {
            streams.tell(&format!("triggering {} #{attempt}\n", start.image));
        }
        let fired = if again {
            self.triggers.again(&call, &now)
        } else {
            self.triggers.fire(&call, &now)
        };
        said.diagnostics.extend(fired.diagnostics);
        let good = matches!(
            fired.answer,
            Some(Answer::Accepted { .. } | Answer::Running { .. } | Answer::Succeeded { .. })
        );
        self.failed |= !good;
        if let (Some(shown), Some(answer)) = (shown, &fired.answer) {
            shown.note(answer);
            let shown = shown.clone();
            self.claim(&shown);
        }
        fired.answer
    }

    /// Waits until all have ended. `false`: what came of them could not be recorded.
    pub(super) fn wait(
        &mut self,
        landed: &mut Vec<Landed>,
        streams: &mut Streams<'_>,
        said: &mut Said,
    ) -> bool {
        let begin = Instant::now();
        let longest = Duration::from_secs(u64::from(ANSWER_WITHIN.minutes()) * 60);
        let mut pauses = SOON.into_iter();
        let mut kept = true;
        while self.followed.iter().any(Followed::is_under_way) && begin.elapsed() < longest {
            thread::sleep(pauses.next().unwrap_or(LOOK_EVERY));
            let mut ended = Vec::new();
            for at in 0..self.followed.len() {
                let Some(one) = self.followed.get(at).filter(|one| one.is_under_way()) else {
                    continue;
                };
                let mut out = Vec::new();
                let Some(answer) = self.answer(one, &mut out) else {
                    add(said, out);
                    continue;
                };
                add(said, out);
                let mut one = one.clone();
                let before = one.outcome;
                one.note(&answer);
                self.claim(&one);
                if one.outcome != before {
                    self.tell(streams, &one, one.outcome);
                }
                if !one.is_under_way() {
                    self.failed |= !matches!(answer, Answer::Succeeded { .. });
                    said.diagnostics.extend(failure(&one, &answer));
                    ended.push(Answered {
                        image: one.image.clone(),
                        attempt: one.attempt,
                        answer,
                    });
                }
                if let Some(slot) = self.followed.get_mut(at) {
                    *slot = one;
                }
            }
            kept &= self.work.keep(&ended, landed, streams, said);
        }
        kept
    }

    /// From now on the run is this attempt's, and no other's.
    fn claim(&mut self, one: &Followed) {
        if let Some(run) = &one.run {
            let owned = (one.image.clone(), one.attempt, run.clone());
            if !self.runs.contains(&owned) {
                self.runs.push(owned);
            }
        }
    }

    /// The runs that other attempts own.
    fn claimed(&self, image: &Name, attempt: u64) -> BTreeSet<String> {
        let others = self.runs.iter();
        let others = others.filter(|(name, number, _)| (name, *number) != (image, attempt));
        others.map(|(_, _, run)| run.clone()).collect()
    }

    fn tell(&self, streams: &mut Streams<'_>, one: &Followed, what: &str) {
        if self.work.common.format == Format::Human && !self.work.common.quiet {
            let link = one.link.as_ref();
            let link = link.map_or(String::new(), |link| format!(", {link}"));
            streams.tell(&format!("{what} {} #{}{link}\n", one.image, one.attempt));
        }
    }
}

/// What a managed image is built from.
pub(super) fn source<'i>(images: &'i [Image], name: &Name) -> Option<&'i Source> {
    images.iter().find(|image| image.name == *name)?.source()
}

/// The same is said once, however often it is looked.
fn add(said: &mut Said, all: Vec<Diagnostic>) {
    for diagnostic in all {
        if !said.diagnostics.contains(&diagnostic) {
            said.diagnostics.push(diagnostic);
        }
    }
}

fn left(image: &Name, attempt: u64, taken: Time) -> Diagnostic {
    let from = taken.plus(record::TAKE_OVER_AFTER);
    let message =
        format!("attempt #{attempt} to rebuild `{image}` is recorded and left to another run");
    Diagnostic::warning(code::ATTEMPT_LEFT, message)
        .help(format!("a run at {from} or later takes it over"))
}

/// What is told of an attempt that did not end well. What the provider said to a request
/// is told already.
fn failure(one: &Followed, answer: &Answer) -> Option<Diagnostic> {
    let bad = matches!(
        answer,
        Answer::Failed { .. } | Answer::Cancelled { .. } | Answer::Lost { .. } | Answer::Expired
    );
    if !bad {
        return None;
    }
    let detail = one.detail.as_ref();
    let detail = detail.map_or(String::new(), |detail| format!(": {detail}"));
    let message = format!(
        "attempt #{} to rebuild `{}` {}{detail}",
        one.attempt,
        one.image,
        match answer {
            Answer::Expired => "has no answer",
            Answer::Lost { .. } => "was lost",
            Answer::Cancelled { .. } => "was cancelled",
            _ => "failed",
        }
    );
    let help = match &one.link {
        Some(link) => format!("see {link}"),
        None => "see the runs of its repository".to_owned(),
    };
    Some(Diagnostic::warning(code::ATTEMPT_FAILED, message).help(help))
}
