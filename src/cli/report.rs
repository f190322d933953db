//! What `synth` says of what it did.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style};
use serde_json::{Value, json};

use super::synth::{Diff, Done, Goal};
use crate::diagnostics::{self, Diagnostic, Sources};
use crate::synth::diff::{self, ChangeKind, FileChange, ObjectChange};

/// As many lines of a diff, or of a summary, are shown to who reads along.
const GIST: usize = 200;
/// As many fields of an object are named in a line of the summary.
const FIELDS: usize = 3;

const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const CHANGED: Style = AnsiColor::Yellow.on_default();
const HUNK: Style = AnsiColor::Cyan.on_default();
const BOLD: Style = Style::new().bold();

/// How to show it.
pub(super) struct View {
    pub(super) diff: Diff,
    /// Cut what is long.
    pub(super) short: bool,
    /// Name every field that changed.
    pub(super) fields: bool,
    /// The command that writes what a check found missing.
    pub(super) mend: String,
    pub(super) took: Duration,
}

/// For people, with styles.
pub(super) fn human(done: &Done, view: &View) -> String {
    let took = format!("({} ms)", view.took.as_millis());
    let objects: usize = done.files.iter().map(|file| file.documents.len()).sum();
    let objects = count(objects, "object");
    let files = count(done.files.len(), "file");
    let whole = match &done.against {
        None => format!("{}/", done.out.trim_end_matches('/')),
        Some(revision) => format!(
            "{}/ at {}",
            done.out.trim_end_matches('/'),
            visible(revision)
        ),
    };
    if done.changes.is_empty() {
        return format!("in sync: {objects} in {files} match {whole} {took}\n");
    }
    let mut text = String::new();
    if view.diff == Diff::Unified {
        let mut page = Page::new(&mut text, view.short);
        for change in &done.changes {
            unified(done, change, &mut page);
        }
        page.end("diff");
    }
    if matches!(view.diff, Diff::Unified | Diff::Summary) {
        let mut page = Page::new(&mut text, view.short);
        for change in &done.changes {
            summary(change, view.fields, &mut page);
        }
        page.end("summary");
    }
    let what = tally(&done.changes);
    match done.goal {
        Goal::Write => {
            let _ = writeln!(
                text,
                "written: {what}; {objects} in {files} now stand in {whole} {took}"
            );
        }
        Goal::Show => {
            let _ = writeln!(text, "not written: {what}, compared with {whole} {took}");
        }
        Goal::Check => {
            let _ = writeln!(
                text,
                "drift: {what}; {whole} is not what images.yaml and state say {took}"
            );
            let _ = writeln!(text, "to mend it, run: {BOLD}{}{BOLD:#}", view.mend);
        }
    }
    text
}

/// For machines: `{inSync, written, changes: [{path, change, objects: […]}], diagnostics}`.
/// Without `done` the run was stopped by errors.
pub(super) fn json(done: Option<&Done>, diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let changes: Vec<Value> = done
        .iter()
        .flat_map(|done| &done.changes)
        .map(|change| {
            let objects: Vec<Value> = change.objects.iter().map(object).collect();
            json!({"path": change.path, "change": word(change.kind), "objects": objects})
        })
        .collect();
    let whole = json!({
        "inSync": done.is_some_and(|done| done.changes.is_empty()),
        "written": done.is_some_and(|done| done.written),
        "changes": changes,
        "diagnostics": diagnostics::json::diagnostics(diagnostics, sources),
    });
    format!("{whole:#}\n")
}

fn object(change: &ObjectChange) -> Value {
    let fields: Vec<Value> = change
        .fields
        .iter()
        .map(|field| json!({"path": field.path, "from": field.from, "to": field.to}))
        .collect();
    json!({
        "change": word(change.kind),
        "apiVersion": change.id.api_version,
        "kind": change.id.kind,
        "namespace": change.id.namespace,
        "name": change.id.name,
        "fields": fields,
        "moreFields": change.more,
    })
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Changed => "changed",
        ChangeKind::Removed => "removed",
    }
}

/// `2 objects changed, 1 added in 1 file`
fn tally(changes: &[FileChange]) -> String {
    let objects: Vec<ChangeKind> = changes
        .iter()
        .flat_map(|change| &change.objects)
        .map(|object| object.kind)
        .collect();
    let files = count(changes.len(), "file");
    let mut parts = Vec::new();
    for kind in [ChangeKind::Changed, ChangeKind::Added, ChangeKind::Removed] {
        let number = objects.iter().filter(|one| **one == kind).count();
        if number > 0 {
            parts.push(match parts.is_empty() {
                true => format!("{} {}", count(number, "object"), word(kind)),
                false => format!("{number} {}", word(kind)),
            });
        }
    }
    if parts.is_empty() {
        return format!("no object changed, the text of {files} did");
    }
    format!("{} in {files}", parts.join(", "))
}

fn count(number: usize, thing: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{s}")
}

/// Lines, or as many as somebody who reads along wants to see.
struct Page<'t> {
    text: &'t mut String,
    /// Also what is cut off.
    lines: usize,
    most: usize,
}

impl<'t> Page<'t> {
    fn new(text: &'t mut String, short: bool) -> Self {
        let most = if short { GIST } else { usize::MAX };
        Self {
            text,
            lines: 0,
            most,
        }
    }

    /// A line in one style.
    fn line(&mut self, style: Style, line: &str) {
        if self.starts_line() {
            let line = visible(line);
            let _ = writeln!(self.text, "{style}{line}{style:#}");
        }
    }

    /// Counts a line that is about to be written; not if it is cut off.
    fn starts_line(&mut self) -> bool {
        self.lines += 1;
        self.lines <= self.most
    }

    fn end(self, what: &str) {
        if let Some(rest) = self.lines.checked_sub(self.most).filter(|rest| *rest > 0) {
            let _ = writeln!(
                self.text,
                "{HUNK}… {rest} more lines of the {what}; all of them: -v{HUNK:#}"
            );
        }
        if self.lines > 0 {
            self.text.push('\n');
        }
    }
}

/// The changed lines of a file, with those around them.
fn unified(done: &Done, change: &FileChange, page: &mut Page<'_>) {
    let old = done.old.get(&change.path);
    let new = done.files.iter().find(|file| file.path == change.path);
    let path = format!("{}/{}", done.out.trim_end_matches('/'), change.path);
    let lines = diff::unified(
        &path,
        old.map_or("", String::as_str),
        new.map_or("", |file| &file.text),
    );
    for line in lines.lines() {
        let style = match line.as_bytes() {
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => BOLD,
            [b'@', b'@', ..] => HUNK,
            [b'+', ..] => ADDED,
            [b'-', ..] => REMOVED,
            _ => Style::new(),
        };
        page.line(style, line);
    }
}

/// `~ Warehouse/node-22-bookworm-slim  spec.interval 5m0s → 24h0m0s`
fn summary(change: &FileChange, all: bool, page: &mut Page<'_>) {
    let most = if all { usize::MAX } else { FIELDS };
    for object in &change.objects {
        if !page.starts_line() {
            continue;
        }
        let (style, sign) = match object.kind {
            ChangeKind::Added => (ADDED, '+'),
            ChangeKind::Changed => (CHANGED, '~'),
            ChangeKind::Removed => (REMOVED, '-'),
        };
        let name = object.id.to_string();
        let text = &mut *page.text;
        let _ = write!(
            text,
            "{style}{sign}{style:#} {BOLD}{}{BOLD:#}",
            visible(&name)
        );
        if object.kind == ChangeKind::Changed {
            for (number, field) in object.fields.iter().take(most).enumerate() {
                let gap = if number == 0 { "  " } else { ", " };
                let step = step(field.from.as_deref(), field.to.as_deref());
                let _ = write!(text, "{gap}{} {step}", visible(&field.path));
            }
            let more = object.fields.len().saturating_sub(most) + object.more;
            if more > 0 {
                let _ = write!(text, ", and {more} more");
            }
        }
        text.push('\n');
    }
}

/// `5m0s → 24h0m0s`
fn step(from: Option<&str>, to: Option<&str>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!("{} → {}", brief(from), brief(to)),
        (None, Some(to)) => format!("+{}", brief(to)),
        (Some(from), None) => format!("-{}", brief(from)),
        (None, None) => String::new(),
    }
}

/// The start of a value, in one line.
fn brief(value: &str) -> String {
    const MOST: usize = 60;
    let mut short: String = value.chars().take(MOST).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    visible(&short).into_owned()
}

/// The text with control characters as escapes: what stands in a file of the out
/// folder must not steer the terminal.
fn visible(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| (c.is_control() && c != '\t') || diagnostics::human::invisible(c);
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
