//! The texts of `templates/`, compiled in by the build, which has checked that each
//! parses and names declared variables only. Manifests are never made this way.

#[cfg(test)]
mod check;
mod environment;

use std::fmt;

use minijinja::value::Serde;
use serde::Serialize;

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// What the texts about an `updates` target may say.
#[derive(Clone, Debug, Serialize)]
pub struct Updates<'a> {
    /// Name of the image, as enrolled.
    pub image: &'a str,
    /// Registry and repository that the target's references name.
    pub repository: &'a str,
    /// The new version: usually a Kargo expression, `${{ … }}`, that the promotion fills in.
    pub version: &'a str,
    /// Name of the Stage that makes the change.
    pub stage: &'a str,
    /// Files that change, relative to the target repository.
    pub paths: &'a [String],
}

/// What the message of a commit may say that brings state or enrollment up to date.
#[derive(Clone, Debug, Serialize)]
pub struct Discovery<'a> {
    /// The first line.
    pub subject: &'a str,
    /// What was learnt, a line each.
    pub news: &'a [String],
    /// The program and its version.
    pub by: &'a str,
}

/// What the message of a commit that records a digest may say. What is not known is
/// an empty text.
#[derive(Clone, Debug, Serialize)]
pub struct RecordCommit<'a> {
    /// The base image or external image.
    pub name: &'a str,
    /// The reference.
    pub reference: &'a str,
    /// The tag that the digest was found behind.
    pub tag: &'a str,
    /// The digest before; empty if this is the first.
    pub from: &'a str,
    /// The digest.
    pub digest: &'a str,
    /// Its first digits.
    pub short: &'a str,
    /// When it was learnt.
    pub at: &'a str,
    /// The Kargo Freight that brought it.
    pub freight: &'a str,
    /// The images that have to follow, each with when and how.
    pub dependents: &'a [String],
    /// The program and its version.
    pub by: &'a str,
}

/// What the commit message of an analysis may say.
#[derive(Clone, Debug, Serialize)]
pub struct Analysis<'a> {
    /// The first line.
    pub subject: &'a str,
    /// What made it happen; a sentence.
    pub why: &'a str,
    /// What was found, a line each.
    pub facts: &'a [String],
    /// The program and its version.
    pub by: &'a str,
}

/// What the message of a commit may say that records attempts to rebuild images.
#[derive(Clone, Debug, Serialize)]
pub struct RebuildCommit<'a> {
    /// The first line.
    pub subject: &'a str,
    /// The attempts, a line each.
    pub lines: &'a [String],
    /// What tells this run of the program from all others, so that no two make the same
    /// commit and both take it for theirs.
    pub run: &'a str,
    /// The program and its version.
    pub by: &'a str,
}

/// What a workflow or pipeline that builds an image may say. What ends in the file as a
/// value comes quoted, but for `image` and `registry`; what is not given is empty.
#[derive(Clone, Debug, Serialize)]
pub struct BuildWorkflow<'a> {
    /// Name of the image, as enrolled; bare.
    pub image: &'a str,
    /// The same.
    pub name: &'a str,
    /// Registry and repository.
    pub repository: &'a str,
    /// The registry; bare.
    pub registry: &'a str,
    /// The same.
    pub registry_text: &'a str,
    /// The Dockerfile, from the top of the repository.
    pub dockerfile: &'a str,
    /// The build context, from there.
    pub context: &'a str,
    /// The build stage.
    pub target: &'a str,
    /// The platforms, with commas.
    pub platforms: &'a str,
    /// The build arguments, `NAME=VALUE`, one a line.
    pub args: &'a str,
    /// The base images, `NAME REFERENCE`, one a line.
    pub bases: &'a str,
    /// Name of the job.
    pub job: &'a str,
    /// The program's image.
    pub program: &'a str,
    /// The address of the factory's repository.
    pub factory: &'a str,
    /// The branch of it that is read and written.
    pub branch: &'a str,
    /// The factory's folder in it.
    pub folder: &'a str,
    /// The variable that the program reads a token for the source's host from; bare.
    pub token_env: &'a str,
}

/// What a workflow or pipeline that runs this program may say; values come quoted, but
/// for the names of variables.
#[derive(Clone, Debug, Serialize)]
pub struct ScheduleWorkflow<'a> {
    /// The program's image.
    pub program: &'a str,
    /// The factory's folder in its repository.
    pub folder: &'a str,
    /// The branch that is read and written.
    pub branch: &'a str,
    /// The variable that the program reads a token for GitHub from; bare.
    pub github_env: &'a str,
    /// And for GitLab; bare.
    pub gitlab_env: &'a str,
    /// The variable for a trigger token of GitLab's; bare.
    pub trigger_env: &'a str,
}

/// A template together with what fills it.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// Message of the commit that `discover`, `enroll` or `retire` makes.
    DiscoverCommit(&'a Discovery<'a>),
    /// Message of the commit that records a digest.
    RecordCommit(&'a RecordCommit<'a>),
    /// Message of the commit that `analyze --commit` makes.
    AnalyzeCommit(&'a Analysis<'a>),
    /// Message of the commit that records attempts to rebuild images.
    RebuildCommit(&'a RebuildCommit<'a>),
    /// Message of the commit that an `updates` Stage makes.
    UpdatesCommit(&'a Updates<'a>),
    /// Title of the pull request that an `updates` Stage opens.
    UpdatesPullRequestTitle(&'a Updates<'a>),
    /// Body (Markdown) of the pull request that an `updates` Stage opens.
    UpdatesPullRequestBody(&'a Updates<'a>),
    /// GitHub workflow that builds an image.
    GithubBuild(&'a BuildWorkflow<'a>),
    /// GitHub workflow that runs this program by the clock.
    GithubSchedule(&'a ScheduleWorkflow<'a>),
    /// GitLab job that builds an image.
    GitlabBuild(&'a BuildWorkflow<'a>),
    /// GitLab job that runs this program by the clock.
    GitlabSchedule(&'a ScheduleWorkflow<'a>),
    /// GitLab pipeline that takes in the jobs.
    GitlabRoot,
}

impl Text<'_> {
    fn path(&self) -> &'static str {
        match self {
            Self::DiscoverCommit(_) => "commits/discover.txt",
            Self::RecordCommit(_) => "commits/record.txt",
            Self::AnalyzeCommit(_) => "commits/analyze.txt",
            Self::RebuildCommit(_) => "commits/rebuild.txt",
            Self::UpdatesCommit(_) => "updates/commit-message.txt",
            Self::UpdatesPullRequestTitle(_) => "updates/pull-request-title.txt",
            Self::UpdatesPullRequestBody(_) => "updates/pull-request-body.md",
            Self::GithubBuild(_) => "workflows/github-build.yml",
            Self::GithubSchedule(_) => "workflows/github-schedule.yml",
            Self::GitlabBuild(_) => "workflows/gitlab-build.yml",
            Self::GitlabSchedule(_) => "workflows/gitlab-schedule.yml",
            Self::GitlabRoot => "workflows/gitlab-root.yml",
        }
    }

    fn context(&self) -> minijinja::Value {
        match self {
            Self::DiscoverCommit(discovery) => minijinja::Value::from(Serde(discovery)),
            Self::RecordCommit(record) => minijinja::Value::from(Serde(record)),
            Self::AnalyzeCommit(analysis) => minijinja::Value::from(Serde(analysis)),
            Self::RebuildCommit(rebuild) => minijinja::Value::from(Serde(rebuild)),
            Self::UpdatesCommit(updates)
            | Self::UpdatesPullRequestTitle(updates)
            | Self::UpdatesPullRequestBody(updates) => minijinja::Value::from(Serde(updates)),
            Self::GithubBuild(build) | Self::GitlabBuild(build) => {
                minijinja::Value::from(Serde(build))
            }
            Self::GithubSchedule(schedule) | Self::GitlabSchedule(schedule) => {
                minijinja::Value::from(Serde(schedule))
            }
            Self::GitlabRoot => minijinja::Value::from(()),
        }
    }
}

/// A template that could not be filled in: a fault of the template, not of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    path: &'static str,
    message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "templates/{}: {}", self.path, self.message)
    }
}

impl std::error::Error for TemplateError {}

/// The templates of the product, parsed once. Cheap to keep, not free to make.
pub struct Templates {
    environment: minijinja::Environment<'static>,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").finish_non_exhaustive()
    }
}

impl Templates {
    /// Parses every template.
    ///
    /// # Errors
    ///
    /// A template that does not parse; the build refuses those before.
    pub fn new() -> Result<Self, TemplateError> {
        let mut environment = environment::environment();
        for &(path, source) in SOURCES {
            environment
                .add_template(path, source)
                .map_err(|error| failure(path, &error))?;
        }
        Ok(Self { environment })
    }

    /// Fills in a template. The text has no newline at its end.
    ///
    /// # Errors
    ///
    /// What the engine refuses, such as a variable that has no value.
    pub fn render(&self, text: &Text<'_>) -> Result<String, TemplateError> {
        let path = text.path();
        self.environment
            .get_template(path)
            .and_then(|template| template.render(text.context()))
            .map(|mut rendered| {
                rendered.truncate(rendered.trim_end().len());
                rendered
            })
            .map_err(|error| failure(path, &error))
    }
}

fn failure(path: &'static str, error: &minijinja::Error) -> TemplateError {
    TemplateError {
        path,
        message: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
