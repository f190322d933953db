//! What commits say of attempts. What people and providers wrote is quoted as JSON does,
//! so that it stays on its line.

use image_factory::plan;
use image_factory::record::{Answer, Answered, Start, Trigger};
use image_factory::template::{RebuildCommit, TemplateError, Templates, Text};
use serde_json::Value;

use super::record::Planned;

/// A first line is no longer.
const LONGEST: usize = 72;

/// The message of the commit that is made before anybody is asked.
pub(super) fn before(planned: &Planned, seen: usize, run: &str) -> Result<String, TemplateError> {
    let started = &planned.started;
    let subject = match (&started[..], planned.learned.len(), planned.taken.len()) {
        ([(_, start)], ..) => one(start),
        ([], 0, 0) => digests(seen),
        ([], 0, taken) => format!("Ask for {} again", rebuilds(taken)),
        ([], learned, _) => format!("Record the outcome of {}", rebuilds(learned)),
        (many, ..) => format!("Rebuild {} images", many.len()),
    };
    let mut lines: Vec<String> = started
        .iter()
        .map(|(started, start)| begun(start, started.attempt))
        .collect();
    let again = planned.taken.iter();
    lines.extend(again.map(|open| begun(&open.start, open.attempt)));
    lines.extend(planned.learned.iter().map(answered));
    if seen > 0 {
        lines.push(digests(seen));
    }
    render(&subject, &lines, run)
}

/// The message of the commit that is made after.
pub(super) fn after(counted: &[Answered], run: &str) -> Result<String, TemplateError> {
    let subject = match counted {
        [Answered { image, answer, .. }] => {
            let word = word(answer);
            format!("Record that the rebuild of {image} is {word}")
        }
        many => format!("Record the outcome of {}", rebuilds(many.len())),
    };
    let lines: Vec<String> = counted.iter().map(answered).collect();
    render(&subject, &lines, run)
}

fn render(subject: &str, lines: &[String], run: &str) -> Result<String, TemplateError> {
    Templates::new()?.render(&Text::RebuildCommit(&RebuildCommit {
        subject,
        lines,
        run,
        by: concat!("image-factory ", env!("CARGO_PKG_VERSION")),
    }))
}

fn rebuilds(count: usize) -> String {
    match count {
        1 => "a rebuild".to_owned(),
        count => format!("{count} rebuilds"),
    }
}

fn digests(count: usize) -> String {
    match count {
        1 => "Record a digest that a registry showed".to_owned(),
        count => format!("Record {count} digests that registries showed"),
    }
}

fn one(start: &Start) -> String {
    let image = &start.image;
    let base = start.reasons.iter().find_map(|reason| reason.base.as_ref());
    let why = match (start.trigger, base) {
        (Trigger::Change, Some(base)) => format!("{base} changed"),
        (Trigger::Cve, Some(base)) => format!("{base} has a critical finding"),
        (Trigger::Change, None) => "its base images changed".to_owned(),
        (Trigger::Cve, None) => "a critical finding".to_owned(),
        (Trigger::Schedule, _) => "its schedule says so".to_owned(),
        (Trigger::MaxAge, _) => "it is too old".to_owned(),
        (Trigger::Order, _) => "somebody asked for it".to_owned(),
        (Trigger::Emergency, _) => "an emergency".to_owned(),
    };
    let whole = format!("Rebuild {image}: {why}");
    if whole.len() <= LONGEST {
        whole
    } else {
        format!("Rebuild {image}")
    }
}

fn begun(start: &Start, attempt: u64) -> String {
    let bare = Start {
        requested_by: None,
        reason: None,
        ..start.clone()
    };
    let why = plan::attempt(&bare, attempt).reason;
    let mut line = format!("{} #{attempt}: {why}", start.image);
    if let Some(by) = &start.requested_by {
        line.push_str(&format!(", requested by {}", quoted(by)));
    }
    if let Some(reason) = &start.reason {
        line.push_str(&format!(", because {}", quoted(reason)));
    }
    line
}

/// One attempt and what is learnt of it.
pub(super) fn answered(answered: &Answered) -> String {
    let Answered {
        image,
        attempt,
        answer,
    } = answered;
    let mut line = format!("{image} #{attempt}: {}", word(answer));
    if let Answer::Failed { why, .. } | Answer::Refused { why } | Answer::Lost { why } = answer {
        line.push_str(&format!(", {}", quoted(why)));
    }
    if let Some(link) = answer.link() {
        line.push_str(&format!(", {}", quoted(link)));
    }
    line
}

fn quoted(text: &str) -> String {
    let line: String = text.chars().take(300).collect();
    Value::String(line).to_string()
}

/// The word for an answer, as state has it.
pub(super) const fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accepted { .. } => "triggered",
        Answer::Running { .. } => "running",
        Answer::Succeeded { .. } => "succeeded",
        Answer::Failed { .. } => "failed",
        Answer::Cancelled { .. } => "cancelled",
        Answer::Refused { .. } => "refused",
        Answer::Lost { .. } => "lost",
        Answer::Expired => "expired",
    }
}
