//! What is recorded: before anybody is asked, and after.

use factory::trigger::Triggers;
use image_factory::cli::Streams;
use image_factory::cli::run::{Said, Stopped};
use image_factory::diagnostics::{Diagnostic, Severity, code};
use image_factory::model::{self, Image, Name};
use image_factory::plan::{Action, Plan};
use image_factory::record::{self, Answered, OpenAttempt, Outcome, Start, Started};
use image_factory::tree::{Edit, Tree};

use super::super::discover::Answers;
use super::super::landing::{self, Change, Landed};
use super::super::plan::decide;
use super::follow::source;
use super::window::Window;
use super::{Run, message};

/// What was decided on a tree, and recorded.
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// What was learnt of attempts before.
    pub(super) learned: Vec<Answered>,
    /// Attempts of earlier runs that were never asked for.
    pub(super) taken: Vec<OpenAttempt>,
    /// What starts, in the order of the plan.
    pub(super) started: Vec<(Started, Start)>,
    /// Did an order name images that could not be started, as their state cannot be read?
    pub(super) unread: bool,
    /// What is open after all of it.
    pub(super) open: Vec<OpenAttempt>,
    /// The images that are enrolled.
    pub(super) images: Vec<Image>,
    /// When what starts or is taken over may be asked for.
    pub(super) window: Window,
}

/// A tree that one event after the other changes.
struct Growing {
    tree: Tree,
    edit: Edit,
}

impl Growing {
    fn take<F: Default>(&mut self, outcome: Outcome<F>, said: &mut Said) -> F {
        self.apply(outcome.edit);
        for diagnostic in outcome.diagnostics {
            if !said.diagnostics.contains(&diagnostic) {
                said.diagnostics.push(diagnostic);
            }
        }
        outcome.facts.unwrap_or_default()
    }

    fn apply(&mut self, edit: Edit) {
        self.tree.apply(&edit);
        self.edit = std::mem::take(&mut self.edit).then(edit);
    }
}

impl Run<'_> {
    /// What is recorded before anybody is asked to build.
    pub(super) fn compute(
        &self,
        tree: &Tree,
        resolved: Option<&Answers>,
        answers: &[Answered],
        triggers: &Triggers,
        said: &mut Said,
    ) -> Result<(Planned, Option<Change>), Stopped> {
        let window = Window::begin();
        let now = self.common.now();
        let mut growing = Growing {
            tree: tree.clone(),
            edit: Edit::default(),
        };
        let mut seen = 0;
        if let Some(resolved) = resolved {
            let mut apart = Said::default();
            let recorded = resolved.record(tree, now, &mut apart);
            seen = recorded.seen.len();
            growing.apply(recorded.edit);
            // A registry that is away holds nothing.
            said.diagnostics
                .extend(apart.diagnostics.into_iter().map(warning));
        }
        let outcome = record::answer(&growing.tree, answers, now);
        let learned = growing.take(outcome, said);
        let (enrolled, diagnostics) = model::enrollment(&growing.tree.inputs);
        let (_, images) = enrolled.ok_or_else(|| said.stop(diagnostics))?;
        // What nobody can be asked for is not started: an attempt would be one for nothing.
        let unable = |image: &Name| triggers.unable(source(&images, image)?);
        let concerns = |image: &Name| {
            self.ask.concerns(image) && source(&images, image).is_some() && unable(image).is_none()
        };
        let outcome = record::take_over(&growing.tree, &concerns, now);
        let taken = growing.take(outcome, said);
        let mut plan = decide(&growing.tree, &self.ask.order(), self.common, said)?;
        self.ask.only(&mut plan);
        let mut missing: Vec<Diagnostic> = Vec::new();
        let due = plan.decisions.iter();
        let due = due.filter(|decision| decision.action == Action::Rebuild);
        let starts: Vec<Start> = due
            .filter(|decision| {
                let wrong = unable(&decision.image);
                let able = wrong.is_none();
                missing.extend(wrong);
                able
            })
            .map(|decision| self.ask.start(decision))
            .collect();
        missing.dedup_by(|one, other| one.message == other.message);
        let started = growing.take(record::start(&growing.tree, &starts, now), said);
        let started: Vec<(Started, Start)> = started
            .into_iter()
            .filter_map(|started| {
                let start = starts.iter().find(|start| start.image == started.image)?;
                Some((started, start.clone()))
            })
            .collect();
        let is_started = |image: &Name| started.iter().any(|(_, start)| start.image == *image);
        let unread: Vec<&Name> = (starts.iter().map(|start| &start.image))
            .filter(|image| !is_started(image))
            .collect();
        // What was decided of a state that cannot be read is not done.
        plan.decisions
            .retain(|decision| !unread.contains(&&decision.image));
        let unread = !unread.is_empty() && !self.args.images.is_empty();
        if growing.edit.is_empty() && (unread || !missing.is_empty()) {
            return Err(said.stop(missing));
        }
        said.diagnostics.append(&mut missing);
        let planned = Planned {
            open: record::open(&growing.tree),
            images,
            plan,
            learned,
            taken,
            started,
            unread,
            window,
        };
        let change = if growing.edit.is_empty() {
            None
        } else {
            let message = message::before(&planned, seen, &self.token);
            Some(Change {
                edit: growing.edit,
                message: message.map_err(|error| said.stop([landing::fault(&error)]))?,
            })
        };
        Ok((planned, change))
    }

    /// Lets a change land. What is said of it joins what was said before.
    pub(super) fn land(
        &self,
        streams: &mut Streams<'_>,
        said: &mut Said,
        compute: &mut landing::Compute<'_>,
    ) -> Result<Landed, Stopped> {
        let mut apart = Said::default();
        let landing = &self.args.landing;
        let landed = landing::land(
            landing,
            self.layout,
            "rebuild",
            streams,
            &mut apart,
            compute,
        );
        said.sources.merge(apart.sources);
        for diagnostic in apart.diagnostics {
            if !said.diagnostics.contains(&diagnostic) {
                said.diagnostics.push(diagnostic);
            }
        }
        landed
    }

    /// Records what came of requests. `false`: it could not be, which is told.
    pub(super) fn keep(
        &self,
        answers: &[Answered],
        landed: &mut Vec<Landed>,
        streams: &mut Streams<'_>,
        said: &mut Said,
    ) -> bool {
        if answers.is_empty() {
            return true;
        }
        let now = self.common.now();
        let done = self.land(streams, said, &mut |tree, said| {
            let outcome = record::answer(tree, answers, now);
            said.diagnostics.extend(outcome.diagnostics);
            let counted = outcome.facts.unwrap_or_default();
            if outcome.edit.is_empty() {
                return Ok(None);
            }
            let message = message::after(&counted, &self.token);
            Ok(Some(Change {
                edit: outcome.edit,
                message: message.map_err(|error| said.stop([landing::fault(&error)]))?,
            }))
        });
        match done {
            Ok(one) => {
                landed.push(one);
                true
            }
            Err(Stopped) => {
                said.diagnostics.push(not_recorded(answers));
                false
            }
        }
    }
}

fn not_recorded(answers: &[Answered]) -> Diagnostic {
    let lines: Vec<String> = answers.iter().map(message::answered).collect();
    let message = format!("this was done and is not recorded: {}", lines.join("; "));
    Diagnostic::error(code::NOT_RECORDED, message)
        .help("run it again later: the attempts are recorded, and their runs are found by them")
}

fn warning(diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        ..diagnostic
    }
}
