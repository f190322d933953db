//! What an analysis tells: a commit message, and one line for machines.

use image_factory::diagnostics::Diagnostic;
use image_factory::discover::{ImageResult, Status};
use image_factory::model::{Image, Name, ObjectName};
use image_factory::record::BuiltFacts;
use image_factory::template::{Analysis, TemplateError, Templates, Text};
use serde_json::{Value, json};

use super::args::Job;
use crate::commands::landing::Landed;

/// What was learnt.
#[derive(Clone, Debug)]
pub(super) struct Learnt {
    pub(super) result: ImageResult,
    /// Why the Dockerfile could not be read.
    pub(super) failure: Option<String>,
    /// The commit that the Dockerfile is of.
    pub(super) commit: Option<String>,
    pub(super) build: Option<BuiltFacts>,
}

/// The message of the commit: what happened to which image, why, and what was found.
pub(super) fn message(image: &Image, job: &Job, learnt: &Learnt) -> Result<String, TemplateError> {
    let mut subject = format!("Analyze {}", job.title());
    if learnt.failure.is_some() {
        subject.push_str(": its Dockerfile cannot be read");
    }
    let what = match (&job.digest, &job.commit) {
        (Some(_), _) => "A new build was published",
        (None, Some(_)) => "The source has changed",
        (None, None) => "Somebody asked for it",
    };
    let why = match &job.freight {
        Some(freight) => format!("{what}: Freight {freight}."),
        None => format!("{what}."),
    };
    let facts = facts(image, job, learnt);
    let analysis = Analysis {
        subject: &subject,
        why: &why,
        facts: &facts,
        by: concat!("image-factory ", env!("CARGO_PKG_VERSION")),
    };
    Templates::new().and_then(|templates| templates.render(&Text::AnalyzeCommit(&analysis)))
}

/// What was found, a line each.
pub(super) fn facts(image: &Image, job: &Job, learnt: &Learnt) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(job.reference(image).map(|image| format!("Image: {image}")));
    if let Some(source) = image.source() {
        let at = learnt
            .commit
            .as_deref()
            .map(|commit| format!(" at {commit}"));
        facts.push(format!(
            "Dockerfile: {} of {}{}",
            source.dockerfile,
            source.repo,
            at.unwrap_or_default()
        ));
    }
    facts.extend(learnt.failure.as_ref().map(|why| format!("Failed: {why}")));
    let result = &learnt.result;
    let build = learnt.build.as_ref();
    for base in &result.bases {
        let from = build.and_then(|build| build.built_from.get(base.as_str()));
        let from = from.map(|digest| format!(" {}", digest.as_str()));
        facts.push(format!("Base: {base}{}", from.unwrap_or_default()));
    }
    facts.extend(result.added.iter().map(|base| format!("Added: {base}")));
    facts.extend(result.removed.iter().map(|base| format!("Removed: {base}")));
    if let Some(build) = build {
        let answers = build.answers.as_ref();
        facts.extend(
            answers.map(|attempt| format!("Answers: rebuild attempt {}", attempt.as_str())),
        );
        if build.older {
            facts.push("Older than the build that is recorded".to_owned());
        }
        facts.extend(
            build
                .pending
                .as_ref()
                .map(|pending| format!("Pending: since {}, due {}", pending.since, pending.due)),
        );
    }
    facts
}

/// For machines: what was learnt and what became of it.
pub(super) fn object(job: &Job, learnt: &Learnt, landed: &Landed, pushed: bool) -> Value {
    let published = landed.published();
    let names =
        |names: &[ObjectName]| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
    let result = &learnt.result;
    let build = learnt.build.as_ref();
    let built_from = build.map(|build| {
        let pairs = build.built_from.iter();
        pairs
            .map(|(base, digest)| (base.clone(), Value::from(digest.as_str())))
            .collect::<serde_json::Map<_, _>>()
    });
    json!({
        "image": result.name.as_str(),
        "tag": job.tag.as_ref().map(|tag| tag.as_str()),
        "digest": job.digest.as_ref().map(|digest| digest.as_str()),
        "status": result.status.as_str(),
        "error": learnt.failure,
        "sourceCommit": learnt.commit,
        "bases": names(&result.bases),
        "added": names(&result.added),
        "removed": names(&result.removed),
        "builtFrom": built_from,
        "answers": build.and_then(|build| build.answers.as_ref()).map(|attempt| attempt.as_str()),
        "pending": build.is_some_and(|build| build.pending.is_some()),
        "freight": job.freight,
        "changed": !landed.files().is_empty(),
        "commit": published.map(|published| &published.commit),
        "pushed": pushed && published.is_some(),
        "attempts": published.map_or(0, |published| published.attempts),
        "pullRequest": published.and_then(|published| published.pull_request.as_ref()),
    })
}

/// For machines: that it came to nothing.
pub(super) fn stopped(image: &str, diagnostics: &[Diagnostic]) -> Value {
    let image: String = image
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    let why = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
    json!({
        "image": image,
        "status": "error",
        "error": why.map(|why| why.message.as_str()),
        "changed": false,
        "commit": Value::Null,
        "pushed": false,
    })
}

/// Did the Dockerfile of this image fail?
pub(super) fn failure(
    result: &ImageResult,
    diagnostics: &[Diagnostic],
    found: Option<&str>,
) -> Option<String> {
    (result.status == Status::Failed).then(|| {
        let told = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
        let told = told.map(|diagnostic| diagnostic.message.as_str());
        found.or(told).unwrap_or("it cannot be read").to_owned()
    })
}

/// Is it enrolled, and ours?
pub(super) fn enrolled<'i>(images: &'i [Image], name: &Name) -> Option<&'i Image> {
    images.iter().find(|image| image.name == *name)
}
