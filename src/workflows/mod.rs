//! Workflows and pipelines that people take: what builds an image when Image Factory
//! asks for it, and what runs Image Factory by the clock. They are written once and
//! belong to their repository from then on, so they hold nothing that changes by itself.

use std::collections::BTreeSet;

use crate::model::{Image, Model, Provider, Settings, Source};
use crate::names;
use crate::template::{BuildWorkflow, ScheduleWorkflow, TemplateError, Templates, Text};
use crate::yaml::{self, Limits, Node};

#[cfg(test)]
mod tests;

/// A file of a repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Its path from the top of the repository.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Built for when the entry names no platforms.
const PLATFORMS: &str = "linux/amd64,linux/arm64";

/// The line with the names and references of the base images.
const BASES: &str = "BASES: ";

/// What a repository on GitLab needs to find the files below.
const GITLAB_FOLDER: &str = ".gitlab/image-factory";

/// The files that build `image`, in the repository of its source.
///
/// # Errors
/// A template that cannot be filled in: a fault of the product.
pub fn build(model: &Model, image: &Image, source: &Source) -> Result<Vec<File>, TemplateError> {
    let templates = Templates::new()?;
    let quoted = |text: &str| quoted(text, source.provider);
    let platforms: Vec<&str> = image.platforms.iter().map(AsRef::as_ref).collect();
    let platforms = match platforms.as_slice() {
        [] => PLATFORMS.to_owned(),
        some => some.join(","),
    };
    let args: Vec<String> = source
        .build_args
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    // A base that is pinned by its digest stays what it is.
    let bases: Vec<String> = model
        .bases_of(image)
        .filter(|base| base.digest.is_none())
        .map(|base| format!("{} {}", base.name, base.full_image))
        .collect();
    let job = source
        .job
        .as_ref()
        .map_or_else(|| format!("build-{}", image.name), ToString::to_string);
    let target = source.target.as_ref().map(AsRef::as_ref);
    let settings = &model.settings;
    let factory = settings.git.repo.as_ref();
    let factory = factory.map_or("https://HOST/OWNER/FACTORY", AsRef::as_ref);
    let text = BuildWorkflow {
        image: image.name.as_str(),
        name: &quoted(image.name.as_str()),
        repository: &quoted(image.repository.url()),
        registry: image.repository.registry(),
        registry_text: &quoted(image.repository.registry()),
        dockerfile: &quoted(source.dockerfile.as_str()),
        context: &quoted(source.context.as_str()),
        target: &match (target, source.provider) {
            // A variable of a job may be empty; an input that is not given is left out.
            (None, Provider::GitHub) => String::new(),
            (target, _) => quoted(target.unwrap_or_default()),
        },
        platforms: &quoted(&platforms),
        args: &match (args.as_slice(), source.provider) {
            ([], Provider::GitHub) => String::new(),
            (args, _) => quoted(&args.join("\n")),
        },
        bases: &quoted(&bases.join("\n")),
        job: &serde_json::Value::from(job).to_string(),
        program: &quoted(&program(settings)),
        factory: &quoted(factory),
        branch: &quoted(settings.git.branch.as_str()),
        folder: &quoted(settings.git.path.as_str()),
        token_env: settings.providers.get(source.provider).token_env.as_str(),
    };
    let render = |text: Text<'_>| templates.render(&text).map(line);
    Ok(match source.provider {
        Provider::GitHub => vec![File {
            path: format!(".github/workflows/{}", source.workflow),
            text: render(Text::GithubBuild(&text))?,
        }],
        Provider::GitLab => vec![
            File {
                path: format!("{GITLAB_FOLDER}/{}.yml", image.name),
                text: render(Text::GitlabBuild(&text))?,
            },
            File {
                path: source.pipeline.to_string(),
                text: render(Text::GitlabRoot)?,
            },
        ],
    })
}

/// The files that run Image Factory by the clock, in its own repository on `provider`.
///
/// # Errors
/// A template that cannot be filled in: a fault of the product.
pub fn schedule(settings: &Settings, provider: Provider) -> Result<Vec<File>, TemplateError> {
    let templates = Templates::new()?;
    let quoted = |text: &str| quoted(text, provider);
    let text = ScheduleWorkflow {
        program: &quoted(&program(settings)),
        folder: &quoted(settings.git.path.as_str()),
        branch: &quoted(settings.git.branch.as_str()),
        github_env: settings.providers.github.token_env.as_str(),
        gitlab_env: settings.providers.gitlab.token_env.as_str(),
        trigger_env: settings.providers.trigger_token_env.as_str(),
    };
    let render = |text: Text<'_>| templates.render(&text).map(line);
    Ok(match provider {
        Provider::GitHub => vec![File {
            path: ".github/workflows/image-factory.yml".to_owned(),
            text: render(Text::GithubSchedule(&text))?,
        }],
        Provider::GitLab => vec![
            File {
                path: format!("{GITLAB_FOLDER}/schedule.yml"),
                text: render(Text::GitlabSchedule(&text))?,
            },
            File {
                path: ".gitlab-ci.yml".to_owned(),
                text: render(Text::GitlabRoot)?,
            },
        ],
    })
}

/// The image that has the program in it.
fn program(settings: &Settings) -> String {
    match &settings.jobs_image {
        Some(reference) => reference.to_string(),
        None => names::JOBS_IMAGE.to_owned(),
    }
}

/// The lines that a pipeline of one's own needs to take in what was written beside it.
#[must_use]
pub fn gitlab_include() -> String {
    format!("include:\n  - local: /{GITLAB_FOLDER}/*.yml")
}

/// The list of base images in a file that [`build`] wrote for the same image as `written`,
/// if it is another one: the line that it should have.
#[must_use]
pub fn other_bases<'w>(there: &str, written: &'w str) -> Option<&'w str> {
    if !is_of_ours(there, written) {
        return None;
    }
    let line = written
        .lines()
        .map(str::trim)
        .find(|l| l.starts_with(BASES))?;
    (bases(there)? != bases(written)?).then_some(line)
}

/// Does the file pin no base image, being one that [`build`] wrote for the same image?
#[must_use]
pub fn pins_none(there: &str, written: &str) -> bool {
    is_of_ours(there, written) && bases(there).is_some_and(|found| found.is_empty())
}

/// By the first line: which image is built here, and who asks for it.
fn is_of_ours(there: &str, written: &str) -> bool {
    let first = there.lines().next();
    first == written.lines().next() && first.is_some_and(|line| line.starts_with("# Builds "))
}

/// The list of base images in a workflow, however its owners write it.
fn bases(text: &str) -> Option<BTreeSet<String>> {
    let (root, _) = yaml::read(text, &Limits::default());
    let list = list(root.as_ref()?)?;
    let lines = list.lines().map(str::trim).filter(|line| !line.is_empty());
    Some(lines.map(ToOwned::to_owned).collect())
}

fn list<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    node.as_mapping()?
        .iter()
        .find_map(|(key, value)| match value.as_str() {
            Some(text) if key.as_str() == Some("BASES") => Some(text),
            _ => list(value),
        })
}

fn line(mut text: String) -> String {
    text.push('\n');
    text
}

/// A text as a YAML scalar that the provider takes as it stands: GitHub would fill in
/// `${{ … }}`, GitLab variables.
fn quoted(text: &str, provider: Provider) -> String {
    let text = match provider {
        Provider::GitHub => text.replace("${{", "${{ '${{' }}"),
        Provider::GitLab => text.replace('$', "$$"),
    };
    // JSON's quotes are YAML's.
    serde_json::Value::from(text).to_string()
}
