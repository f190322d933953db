//! What a run tells: people in sentences, machines in JSON.

use image_factory::discover::{Change, ImageResult, Outcome, Status};
use image_factory::model::ObjectName;
use image_factory::record::SeenFacts;
use image_factory::tree::Edit;
use serde_json::{Value, json};

/// What there is to tell.
#[derive(Default)]
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// Digests that registries told, and that are new.
    pub(super) seen: Vec<SeenFacts>,
    /// All that changes.
    pub(super) edit: Edit,
    /// Was it written? If not, it would be.
    pub(super) written: bool,
    /// The commit, if one was made.
    pub(super) commit: Option<String>,
    /// The address of the pull request that proposes it, if one was asked for.
    pub(super) pull_request: Option<String>,
}

/// What was learnt, a line each. `verbose`: also what is as it was.
pub(super) fn news(done: &Done, verbose: bool) -> Vec<String> {
    let outcome = &done.outcome;
    let mut lines: Vec<String> = Vec::new();
    for image in &outcome.images {
        lines.extend(sentence(image, verbose).map(|text| format!("{}: {text}", image.name)));
    }
    let archived = outcome.archived_images.iter();
    lines.extend(archived.map(|name| format!("{name}: not enrolled any more, archived")));
    let new = outcome.new_bases.iter();
    lines.extend(new.map(|name| format!("{name}: new base image")));
    let restored = outcome.restored_bases.iter();
    lines.extend(restored.map(|name| format!("{name}: base image, back from the archive")));
    let archived = outcome.archived_bases.iter();
    lines.extend(archived.map(|name| format!("{name}: base image that nothing needs, archived")));
    for seen in &done.seen {
        let what = match &seen.from {
            None => format!("is {}", seen.to),
            Some(from) => format!("changed from {from} to {}", seen.to),
        };
        lines.push(format!("{}: {} {what}", seen.name, seen.reference));
    }
    lines
}

/// For people. `command` mends what `--check` found.
pub(super) fn text(done: &Done, command: &str, verbose: bool) -> String {
    let outcome = &done.outcome;
    let mut lines = news(done, verbose);
    let files = match done.edit.files.len() {
        0 => {
            let count = outcome.images.len();
            let images = if count == 1 { "image" } else { "images" };
            format!("nothing new: {count} {images}")
        }
        count => {
            let files = if count == 1 { "file" } else { "files" };
            match (&done.commit, done.written) {
                (Some(commit), _) => {
                    let short = commit.get(..12).unwrap_or(commit);
                    let proposed = match &done.pull_request {
                        Some(url) => format!(", proposed as {url}"),
                        None => String::new(),
                    };
                    format!("{count} {files} changed, committed as {short}{proposed}")
                }
                (None, true) => format!("{count} {files} changed"),
                (None, false) => {
                    format!("{count} {files} would change; to change them, run: {command}")
                }
            }
        }
    };
    lines.push(files);
    lines.join("\n") + "\n"
}

/// What is new about an image; nothing if nothing is.
fn sentence(image: &ImageResult, verbose: bool) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    match image.change {
        Change::Enrolled => parts.push("enrolled".to_owned()),
        Change::Restored => parts.push("enrolled again, back from the archive".to_owned()),
        Change::ToManaged => parts.push("managed now".to_owned()),
        Change::ToExternal => parts.push("external now".to_owned()),
        Change::Updated | Change::None => {}
    }
    match image.status {
        Status::Failed if image.bases.is_empty() => parts.push("failed".to_owned()),
        Status::Failed => {
            parts.push("failed, still on".to_owned() + " " + &list(&image.bases));
        }
        Status::Damaged => parts.push("its state file is damaged, and left as it is".to_owned()),
        Status::External | Status::Pending | Status::Success => {}
    }
    if image.status != Status::Failed {
        if !image.added.is_empty() {
            parts.push(format!("built on {}", list(&image.added)));
        }
        if !image.removed.is_empty() {
            parts.push(format!("no longer on {}", list(&image.removed)));
        }
    }
    if parts.is_empty() && image.change == Change::Updated {
        parts.push("its entry has changed".to_owned());
    }
    if parts.is_empty() && verbose {
        parts.push(match (image.status, image.bases.is_empty()) {
            (Status::External, _) => "external, as before".to_owned(),
            (_, true) => "no base images, as before".to_owned(),
            (_, false) => format!("on {}, as before", list(&image.bases)),
        });
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn list(names: &[ObjectName]) -> String {
    let names: Vec<&str> = names.iter().map(ObjectName::as_str).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// For machines.
pub(super) fn object(done: &Done) -> Value {
    let outcome = &done.outcome;
    let image = |image: &ImageResult| {
        json!({
            "name": image.name.as_str(),
            "status": image.status.as_str(),
            "bases": names(&image.bases),
            "added": names(&image.added),
            "removed": names(&image.removed),
            "changed": image.change != Change::None,
            "change": word(image.change),
        })
    };
    let images: Vec<Value> = outcome.images.iter().map(image).collect();
    let archived: Vec<&str> = outcome
        .archived_images
        .iter()
        .map(|name| name.as_str())
        .collect();
    let files = done.edit.files.iter().map(|(path, text)| {
        json!({"path": path, "change": if text.is_some() { "written" } else { "deleted" }})
    });
    let files: Vec<Value> = files.collect();
    let seen = done.seen.iter().map(|seen| {
        json!({
            "name": seen.name,
            "reference": seen.reference,
            "from": seen.from.as_ref().map(|digest| digest.as_str()),
            "to": seen.to.as_str(),
        })
    });
    let seen: Vec<Value> = seen.collect();
    json!({
        "images": images,
        "archived": archived,
        "bases": {
            "new": names(&outcome.new_bases),
            "restored": names(&outcome.restored_bases),
            "archived": names(&outcome.archived_bases),
        },
        "digests": seen,
        "files": files,
        "written": done.written,
        "commit": done.commit,
        "pullRequest": done.pull_request,
    })
}

const fn word(change: Change) -> Option<&'static str> {
    match change {
        Change::None => None,
        Change::Enrolled => Some("enrolled"),
        Change::Restored => Some("restored"),
        Change::ToManaged => Some("to-managed"),
        Change::ToExternal => Some("to-external"),
        Change::Updated => Some("updated"),
    }
}

fn names(names: &[ObjectName]) -> Vec<&str> {
    names.iter().map(ObjectName::as_str).collect()
}
