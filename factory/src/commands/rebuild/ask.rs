//! Who wants what rebuilt, and what is said if it is not.

use std::path::Path;

use factory::git::Git;
use image_factory::cli::Surroundings;
use image_factory::cli::run::Said;
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::Name;
use image_factory::plan::{Action, Decision, Order, Plan, is_a_person};
use image_factory::record::{Reason, Rule, Start};

use super::Args;

/// What is asked for.
pub(super) struct Ask {
    images: Vec<Name>,
    due: bool,
    emergency: bool,
    /// Whom `--requested-by` names.
    by: Option<String>,
    /// Who is recorded.
    who: Option<String>,
    reason: Option<String>,
}

impl Ask {
    pub(super) fn of(args: &Args, root: &Path) -> Self {
        let by = args.requested_by.as_deref().map(str::trim);
        let who = match by {
            Some("") => None,
            Some(by) => Some(by.to_owned()),
            None if args.due => None,
            None => Some(person(root)),
        };
        Self {
            images: args.images.clone(),
            due: args.due,
            emergency: args.emergency,
            by: by.map(str::to_owned),
            who,
            reason: args.reason.clone(),
        }
    }

    pub(super) fn order(&self) -> Order<'_> {
        let images = &self.images;
        match &self.by {
            _ if self.due => Order::Due,
            _ if self.emergency => Order::Emergency { images },
            Some(by) => Order::Requested { images, by },
            None => Order::Person { images },
        }
    }

    /// Is it about this image?
    pub(super) fn concerns(&self, image: &Name) -> bool {
        self.images.is_empty() || self.images.contains(image)
    }

    /// Leaves of the plan what it is about.
    pub(super) fn only(&self, plan: &mut Plan) {
        plan.decisions
            .retain(|decision| self.concerns(&decision.image));
    }

    /// The start that a decision means.
    pub(super) fn start(&self, decision: &Decision) -> Start {
        Start {
            image: decision.image.clone(),
            trigger: decision.trigger,
            reasons: decision.reasons.clone(),
            requested_by: self.who.clone(),
            reason: self.reason.clone(),
        }
    }

    /// Does a Job of Kargo's ask, for a Promotion that nobody ordered?
    pub(super) fn is_kargos(&self) -> bool {
        !self.due && self.by.as_ref().is_some_and(|by| !is_a_person(by))
    }

    /// Did a person ask for these images?
    fn is_a_persons(&self) -> bool {
        !self.due && self.by.as_ref().is_none_or(|by| is_a_person(by))
    }

    /// Tells what does not start although it should. Is the answer no?
    pub(super) fn judge(&self, plan: &Plan, said: &mut Said) -> bool {
        let mut no = false;
        for decision in &plan.decisions {
            let Some(reason) = obstacle(decision) else {
                continue;
            };
            let diagnostic = match reason.rule {
                // What is wrong is told already.
                Rule::Circle => {
                    no = true;
                    continue;
                }
                Rule::GaveUp if !self.is_a_persons() => gave_up(decision, reason),
                _ if self.is_a_persons() => held(decision, reason),
                _ => continue,
            };
            no = true;
            said.diagnostics.push(diagnostic);
        }
        no
    }
}

/// What stands against a rebuild, for those who ordered it.
fn obstacle(decision: &Decision) -> Option<&Reason> {
    let stands = |reason: &&Reason| match decision.action {
        Action::Hold => matches!(
            reason.rule,
            Rule::Freeze | Rule::GaveUp | Rule::Limit | Rule::OwnBuilder | Rule::Circle
        ),
        Action::Wait => reason.rule == Rule::Limit,
        Action::Rebuild | Action::None => false,
    };
    decision.reasons.iter().find(stands)
}

fn gave_up(decision: &Decision, reason: &Reason) -> Diagnostic {
    let since = reason
        .since
        .map_or(String::new(), |at| format!(" since {at}"));
    let message = format!(
        "`{}` is not rebuilt: too many attempts failed{since}",
        decision.image
    );
    Diagnostic::warning(code::GAVE_UP, message).help(format!(
        "see why with `image-factory status {0}`, then order it: `image-factory rebuild {0}`",
        decision.image
    ))
}

fn held(decision: &Decision, reason: &Reason) -> Diagnostic {
    let what = match reason.rule {
        Rule::Freeze => "there is a freeze",
        Rule::Limit => "as many rebuilds as `settings.limits` allows were started",
        Rule::GaveUp => "too many attempts failed",
        Rule::OwnBuilder => "`build: factory` comes with a later release",
        _ => "a rule stands against it",
    };
    let until = decision
        .at
        .map_or(String::new(), |at| format!(" until {at}"));
    let detail = reason.detail.as_ref();
    let detail = detail.map_or(String::new(), |detail| format!(": {detail}"));
    let help = match reason.rule {
        Rule::Freeze => "wait, or order it with `--emergency --reason TEXT`",
        Rule::Limit => "the next `rebuild --due` does it if it is due; or repeat the order then",
        Rule::GaveUp => "order it by hand: `image-factory rebuild NAME`",
        _ => "leave `build` away for a workflow or pipeline",
    };
    let message = format!("`{}` is not rebuilt: {what}{until}{detail}", decision.image);
    Diagnostic::error(code::REBUILD_HELD, message).help(help)
}

/// Who sits at the terminal: as git knows them, or as the system does.
fn person(root: &Path) -> String {
    let git = Git::of_process();
    let setting = |key: &str| {
        let asked = git
            .in_checkout(root, &["config", "--get", key])
            .run()
            .ok()?;
        let text = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    match (setting("user.name"), setting("user.email")) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => Surroundings::variable("USER")
            .filter(|user| !user.is_empty())
            .unwrap_or_else(|| "unknown".to_owned()),
    }
}
