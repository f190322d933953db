//! Decisions for people.

use std::fmt::Write as _;

use super::{Action, Decision, Plan};
use crate::model::Time;
use crate::record::{Reason, Rule};

/// So much of a digest tells it from others.
const SHORT: usize = 12;

const HEAD: [&str; 5] = ["IMAGE", "ACTION", "WHEN", "WHY", "AFTER"];

/// A table, a line for each reason. Images about which nothing is to be done are
/// counted, or with `all` have a line each.
#[must_use]
pub fn human(plan: &Plan, all: bool) -> String {
    let shown = |decision: &&Decision| all || decision.action != Action::None;
    let mut lines: Vec<[String; 5]> = Vec::new();
    for decision in plan.decisions.iter().filter(shown) {
        lines.extend(rows(decision, plan.now));
    }
    let mut text = String::new();
    if !lines.is_empty() {
        table(&lines, &mut text);
    }
    let _ = writeln!(text, "{}", summary(plan));
    text
}

fn table(lines: &[[String; 5]], text: &mut String) {
    let width = |column: usize| {
        let head = HEAD.get(column).map_or(0, |head| head.len());
        let cells = lines.iter().filter_map(|cells| cells.get(column));
        cells
            .map(|cell| cell.chars().count())
            .fold(head, usize::max)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut line = |cells: [&str; 5]| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    };
    line(HEAD);
    for cells in lines {
        line(cells.each_ref().map(String::as_str));
    }
}

/// Why a decision is as it is, a line for each reason.
#[must_use]
pub fn why(decision: &Decision, now: Time) -> Vec<String> {
    let reasons = decision.reasons.iter();
    reasons
        .map(|reason| plain(&words(decision, reason, now)))
        .collect()
}

/// What is done about an image, in as few words as a column has.
#[must_use]
pub fn brief(decision: &Decision) -> String {
    let at = |what: &str, joint: &str| match decision.at {
        Some(at) => format!("{what}{joint}{at}"),
        None => what.to_owned(),
    };
    let rule = decision.reasons.first().map(|reason| reason.rule);
    let text = match (decision.action, rule) {
        (Action::None, _) => return "-".to_owned(),
        (Action::Rebuild, _) => "now".to_owned(),
        (_, Some(Rule::Running)) => {
            let detail = decision.reasons.first().and_then(|r| r.detail.as_deref());
            plain(detail.unwrap_or("running"))
        }
        (_, Some(Rule::Limit)) => at("over the limit", ", "),
        (_, Some(Rule::Freeze)) => at("frozen", " until "),
        (_, Some(Rule::GaveUp)) => "gave up".to_owned(),
        (_, Some(Rule::OwnBuilder)) => "build: factory".to_owned(),
        (_, Some(Rule::Backoff)) => at("retry", " "),
        (Action::Hold, _) => at("by hand", ", due "),
        (Action::Wait, Some(Rule::Parent)) => {
            let after: Vec<&str> = decision.after.iter().map(AsRef::as_ref).collect();
            format!("after {}", after.join(", "))
        }
        (Action::Wait, _) => at("due", " "),
    };
    if decision.emergency {
        format!("EMERGENCY {text}")
    } else {
        text
    }
}

fn rows(decision: &Decision, now: Time) -> Vec<[String; 5]> {
    let mut whys = why(decision, now);
    if whys.is_empty() {
        whys.push("nothing changed".to_owned());
    }
    if decision.emergency
        && let Some(first) = whys.first_mut()
    {
        first.insert_str(0, "EMERGENCY: ");
    }
    let after: Vec<&str> = decision.after.iter().map(AsRef::as_ref).collect();
    let mut lines = Vec::with_capacity(whys.len());
    for (at, why) in whys.into_iter().enumerate() {
        lines.push(if at == 0 {
            [
                decision.image.to_string(),
                decision.action.as_str().to_owned(),
                when(decision, now),
                why,
                after.join(", "),
            ]
        } else {
            [
                String::new(),
                String::new(),
                String::new(),
                why,
                String::new(),
            ]
        });
    }
    lines
}

fn when(decision: &Decision, now: Time) -> String {
    match (decision.action, decision.at) {
        (Action::Rebuild, Some(at)) if at < now => format!("now, due {}", relative(at, now)),
        (Action::Rebuild, _) => "now".to_owned(),
        (_, Some(at)) => format!("{at}, {}", relative(at, now)),
        (_, None) => "-".to_owned(),
    }
}

/// `5d ago`, `in 3h`.
fn relative(at: Time, now: Time) -> String {
    let seconds = at.unix_seconds().saturating_sub(now.unix_seconds());
    let length = seconds.saturating_abs();
    let (count, unit) = match length {
        0..60 => (length, "s"),
        60..3600 => (length / 60, "m"),
        3600..86_400 => (length / 3600, "h"),
        _ => (length / 86_400, "d"),
    };
    match seconds {
        0 => "just now".to_owned(),
        1.. => format!("in {count}{unit}"),
        _ => format!("{count}{unit} ago"),
    }
}

fn words(decision: &Decision, reason: &Reason, now: Time) -> String {
    let since = reason.since.map(|since| relative(since, now));
    let since = since.unwrap_or_else(|| "some time ago".to_owned());
    let detail = reason.detail.as_deref().unwrap_or_default();
    let name = &decision.image;
    match reason.rule {
        Rule::Delay => format!("{}, delay {detail}", changed(reason, &since)),
        Rule::Window => format!("{}, in the same window", changed(reason, &since)),
        Rule::MaxDelay => format!("{}, maxDelay {detail}", changed(reason, &since)),
        Rule::OwnImage => format!("{}, our own: no delay", changed(reason, &since)),
        Rule::RideAlong => format!("{}, rides along", changed(reason, &since)),
        Rule::Parent => {
            let base = reason.base.as_ref().map(ToString::to_string);
            format!("waits for a new {detail} ({})", base.unwrap_or_default())
        }
        Rule::Schedule => format!("schedule `{detail}`"),
        Rule::MaxAge => format!("built {since}, maxAge {detail}"),
        Rule::CriticalCve => {
            let base = reason.base.as_ref().map(ToString::to_string);
            let base = base.unwrap_or_default();
            format!("{detail} in what it has of {base}, gone {}", moved(reason))
        }
        Rule::Order if detail.is_empty() => "ordered".to_owned(),
        Rule::Order => format!("ordered by {detail}"),
        Rule::Emergency => "ordered".to_owned(),
        Rule::Freeze => format!("frozen: {detail}"),
        Rule::AutoRebuildOff => {
            format!("autoRebuild is false: `image-factory rebuild {name}` starts it")
        }
        Rule::OwnBuilder => "build: factory, which this version cannot start yet".to_owned(),
        Rule::Circle => "built on itself, or in a circle with others: see the error".to_owned(),
        Rule::Limit => format!("over the limit: {detail}"),
        Rule::Backoff => format!("{detail}, the last {since}"),
        Rule::GaveUp => format!(
            "gave up: {detail}, the last {since}; `image-factory rebuild {name}` tries again"
        ),
        Rule::Running if detail.is_empty() => format!("an attempt is under way, started {since}"),
        Rule::Running => detail.to_owned(),
    }
}

fn changed(reason: &Reason, since: &str) -> String {
    let base = reason.base.as_ref().map(ToString::to_string);
    let base = base.unwrap_or_else(|| "a base image".to_owned());
    format!("{base} changed {since} {}", moved(reason))
}

fn moved(reason: &Reason) -> String {
    let short = |digest: &str| {
        let shown = match digest.split_once(':') {
            Some((algorithm, hex)) => format!("{algorithm}:{}", begin(hex)),
            None => begin(digest),
        };
        if shown.len() < digest.len() {
            format!("{shown}…")
        } else {
            shown
        }
    };
    let from = reason.from.as_ref().map(|digest| short(digest.as_str()));
    let to = reason.to.as_ref().map(|digest| short(digest.as_str()));
    format!(
        "({} → {})",
        from.as_deref().unwrap_or("unknown"),
        to.as_deref().unwrap_or("unknown")
    )
}

fn begin(text: &str) -> String {
    text.chars().take(SHORT).collect()
}

/// What others wrote, without what moves a cursor or turns the direction of writing.
fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    text.chars()
        .map(|c| if c.is_control() || turns(c) { '?' } else { c })
        .collect()
}

fn summary(plan: &Plan) -> String {
    let count = |action: Action| {
        let decisions = plan.decisions.iter();
        decisions
            .filter(|decision| decision.action == action)
            .count()
    };
    let urgent = plan.decisions.iter();
    let urgent = urgent
        .filter(|decision| decision.emergency && decision.action == Action::Rebuild)
        .count();
    let limited = plan.decisions.iter().filter(|decision| {
        let first = decision.reasons.first();
        first.is_some_and(|reason| reason.rule == Rule::Limit)
    });
    let mut text = format!("{} to rebuild now", count(Action::Rebuild));
    if urgent > 0 {
        let _ = write!(text, " ({urgent} at once: emergencies)");
    }
    let _ = write!(text, ", {} waiting", count(Action::Wait));
    let limited = limited.count();
    if limited > 0 {
        let _ = write!(text, " ({limited} over limits)");
    }
    let _ = write!(
        text,
        ", {} held, {} with nothing to do",
        count(Action::Hold),
        count(Action::None)
    );
    text
}
