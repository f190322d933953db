//! The rows for people.

use std::fmt::Write as _;

use super::Row;
use crate::graph::Kind;
use crate::model::Time;
use crate::plan::{self, Action};
use crate::record::Rule;

/// As much of a list of bases is shown in the table.
const WIDEST: usize = 44;

/// A table, or all about the one row that there is, if it was asked for.
#[must_use]
pub fn human(rows: &[Row], alone: bool, now: Time) -> String {
    match rows {
        [row] if alone => details(row, now),
        _ => table(rows, now),
    }
}

fn table(rows: &[Row], now: Time) -> String {
    const HEAD: [&str; 6] = ["IMAGE", "KIND", "BASES", "DIGEST", "AGE", "REBUILD"];
    let cells: Vec<[String; 6]> = rows
        .iter()
        .map(|row| {
            [
                row.name.clone(),
                row.kind.as_str().to_owned(),
                shortened(&row.bases),
                row.digest.as_deref().map_or_else(dash, short_digest),
                row.since.map_or_else(dash, |since| age(since, now)),
                rebuild(row, now),
            ]
        })
        .collect();
    let width = |column: usize| {
        let head = HEAD.get(column).map_or(0, |head| head.len());
        let cells = cells.iter().filter_map(|cells| cells.get(column));
        cells
            .map(|cell| cell.chars().count())
            .fold(head, usize::max)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut text = String::new();
    let line = |cells: &[&str]| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        line.trim_end().to_owned()
    };
    let _ = writeln!(text, "{}", line(&HEAD));
    for (row, cells) in rows.iter().zip(&cells) {
        let _ = writeln!(text, "{}", line(&cells.each_ref().map(String::as_str)));
        for problem in &row.problems {
            let _ = writeln!(text, "  ! {problem}");
        }
    }
    let count = |kind: Kind| rows.iter().filter(|row| row.kind == kind).count();
    let planned = |action: Action| {
        let next = rows.iter().filter_map(|row| row.next.as_ref());
        next.filter(|next| next.action == action).count()
    };
    let problems = rows.iter().filter(|row| !row.problems.is_empty()).count();
    let _ = writeln!(
        text,
        "{} managed, {} external, {} base; {} to rebuild now, {} waiting, {} held, {problems} with problems",
        count(Kind::Managed),
        count(Kind::External),
        count(Kind::Base),
        planned(Action::Rebuild),
        planned(Action::Wait),
        planned(Action::Hold)
    );
    text
}

fn details(row: &Row, now: Time) -> String {
    let mut text = format!("{} ({})  {}\n", row.name, row.kind.as_str(), row.reference);
    let mut say = |what: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = writeln!(text, "{what:<12}{value}");
        }
    };
    say("bases", Some(row.bases.join(", ")));
    say("dependents", Some(row.dependents.join(", ")));
    say("version", row.version.clone());
    say("digest", row.digest.clone());
    say(
        "since",
        row.since.map(|at| format!("{at}, {} ago", age(at, now))),
    );
    say("last built", row.last_built.map(|at| at.to_string()));
    say("discovery", row.discovery.map(str::to_owned));
    if row.kind == Kind::Managed {
        say("rebuild", Some(rebuild(row, now)));
        for why in row.next.iter().flat_map(|next| plan::why(next, now)) {
            say("why", Some(why));
        }
    }
    if let Some(attempts) = &row.attempts {
        let at = attempts.at.map_or(String::new(), |at| format!(" at {at}"));
        let link = attempts.link.as_ref();
        let link = link.map_or(String::new(), |link| format!(", {link}"));
        say("attempt", Some(format!("{}{at}{link}", attempts.words())));
    }
    for base in row.pending.iter().flat_map(|pending| &pending.bases) {
        let from = base
            .from
            .as_ref()
            .map_or("unknown", |digest| digest.as_str());
        let _ = writeln!(
            text,
            "  {} changed at {}: {} → {}",
            base.name,
            base.since,
            short_digest(from),
            short_digest(base.to.as_str())
        );
    }
    for problem in &row.problems {
        let _ = writeln!(text, "  ! {problem}");
    }
    text
}

/// What `plan` says, in a word or two.
fn rebuild(row: &Row, now: Time) -> String {
    let open = row.attempts.as_ref().filter(|attempts| attempts.open);
    match (&row.next, open) {
        // An attempt that has waited for too long is open in state only.
        (_, Some(open)) if row.decided_by() == Some(Rule::Running) => open.words(),
        (Some(next), _) => plan::brief(next),
        (None, Some(open)) => open.words(),
        (None, None) => pending(row, now),
    }
}

/// What is known without a plan.
fn pending(row: &Row, now: Time) -> String {
    match &row.pending {
        None => dash(),
        Some(_) if !row.auto => "by hand".to_owned(),
        Some(pending) if pending.due <= now => "now".to_owned(),
        Some(pending) => format!("due {}", pending.due),
    }
}

fn dash() -> String {
    "-".to_owned()
}

fn short_digest(digest: &str) -> String {
    match digest.split_once(':') {
        Some((algorithm, hex)) => {
            let begin: String = hex.chars().take(12).collect();
            format!("{algorithm}:{begin}")
        }
        None => digest.to_owned(),
    }
}

fn shortened(names: &[String]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        let more = names.len() - at;
        if at > 0 && text.chars().count() + name.chars().count() > WIDEST {
            let _ = write!(text, " +{more}");
            break;
        }
        let comma = if at == 0 { "" } else { ", " };
        let _ = write!(text, "{comma}{name}");
    }
    if text.is_empty() { dash() } else { text }
}

/// How long ago, in its largest whole unit.
fn age(since: Time, now: Time) -> String {
    let seconds = now
        .unix_seconds()
        .saturating_sub(since.unix_seconds())
        .max(0);
    for (unit, length) in [("d", 86_400), ("h", 3600), ("m", 60)] {
        if seconds >= length {
            return format!("{}{unit}", seconds / length);
        }
    }
    format!("{seconds}s")
}
