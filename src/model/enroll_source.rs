//! Reading `source`: what a managed image is built from.

use crate::diagnostics::{Diagnostic, code};

use super::decode::{Map, Reader};
use super::git::{Branch, Provider, RepoPath, RepoSlug, WorkflowFile};
use super::image::{Input, Source};
use super::names::Name;
use super::parse::Parse;
use super::settings::Providers;
use super::urls::GitUrl;

/// The keys of `source`.
pub const SOURCE_KEYS: &[&str] = &[
    "provider",
    "repo",
    "url",
    "branch",
    "dockerfile",
    "context",
    "target",
    "buildArgs",
    "workflow",
    "pipeline",
    "job",
    "inputs",
];

/// What became of a part that need not be there.
pub(super) enum Given<T> {
    Absent,
    Wrong,
    Right(T),
}

pub(super) fn source(
    reader: &mut Reader<'_>,
    map: &Map<'_, '_>,
    name: Option<&Name>,
    providers: &Providers,
) -> Given<Box<Source>> {
    let Some(node) = map.get("source") else {
        return Given::Absent;
    };
    let Some(map) = reader.submap(map, "source", SOURCE_KEYS) else {
        return Given::Wrong;
    };
    let nothing = map.get("repo").is_none_or(|repo| repo.as_str() == Some(""));
    if nothing {
        if map.entries().all(|(key, _)| key.as_str() == Some("repo")) {
            return Given::Absent;
        }
        let help = "write `owner/repository`; an image without source repository is external, and has no `source`";
        reader.missing("source.repo", node.span, help);
        return Given::Wrong;
    }
    let provider = reader.value(&map, "source.provider");
    let provider_wrong = provider.is_none() && map.get("provider").is_some();
    let provider = provider.unwrap_or(Provider::GitHub);
    let repo = slug(reader, &map, provider);
    let url: Option<GitUrl> = reader.value(&map, "source.url");
    let url_wrong = url.is_none() && map.get("url").is_some();
    let branch = reader
        .value(&map, "source.branch")
        .unwrap_or_else(|| Branch::known("main"));
    let dockerfile =
        file(reader, &map, "source.dockerfile").unwrap_or_else(|| RepoPath::known("Dockerfile"));
    let context = reader
        .value(&map, "source.context")
        .unwrap_or_else(RepoPath::top);
    let target = reader.value(&map, "source.target");
    let build_args = reader.texts(&map, "source.buildArgs");
    let workflow = reader
        .value(&map, "source.workflow")
        .or_else(|| name.map(WorkflowFile::of));
    let pipeline = pipeline(reader, &map).unwrap_or_else(|| RepoPath::known(".gitlab-ci.yml"));
    let job = reader.value(&map, "source.job");
    let inputs = map
        .get("inputs")
        .map(|_| reader.values::<Input>(&map, "source.inputs"));
    match provider {
        _ if provider_wrong => {}
        Provider::GitHub => ignored(
            reader,
            &["source.pipeline", "source.job"],
            "they are for `provider: gitlab`",
        ),
        Provider::GitLab => ignored(reader, &["source.workflow"], "it is for `provider: github`"),
    }
    let (Some(repo), Some(workflow), false, false) = (repo, workflow, provider_wrong, url_wrong)
    else {
        return Given::Wrong;
    };
    let git_url = url.unwrap_or_else(|| clone_address(providers, provider, &repo));
    Given::Right(Box::new(Source {
        provider,
        repo,
        git_url,
        branch,
        dockerfile,
        context,
        target,
        build_args,
        workflow,
        pipeline,
        job,
        inputs,
    }))
}

/// What git clones when nothing else is said.
pub(super) fn clone_address(providers: &Providers, provider: Provider, repo: &RepoSlug) -> GitUrl {
    let mut url = providers.get(provider).web();
    for part in ["/", repo.as_str(), ".git"] {
        url.push_str(part);
    }
    GitUrl::known(&url)
}

fn slug(reader: &mut Reader<'_>, map: &Map<'_, '_>, provider: Provider) -> Option<RepoSlug> {
    let repo: RepoSlug = reader.value(map, "source.repo")?;
    if provider == Provider::GitHub && repo.parts() != 2 {
        let message = format!("`source.repo` is `{repo}`, but GitHub has no groups in groups");
        let place = reader.fields.of("source.repo");
        let help = "write `owner/repository`, or `provider: gitlab`";
        reader.out.push(
            Diagnostic::error(code::INVALID_SOURCE_REPO, message)
                .help(help)
                .at(place),
        );
        return None;
    }
    Some(repo)
}

/// A path that must be a file's.
pub(super) fn file(
    reader: &mut Reader<'_>,
    map: &Map<'_, '_>,
    path: &'static str,
) -> Option<RepoPath> {
    let (text, span) = reader.text(map, path)?;
    let file: RepoPath = reader.checked(text, span, path, RepoPath::CODE)?;
    if file.is_top() || text.ends_with('/') {
        let message = format!("`{path}` is `{text}`, which is a folder");
        let help = "write the path of the file, such as `apps/shop/Dockerfile`";
        reader.report(
            Diagnostic::error(code::INVALID_PATH, message).help(help),
            span,
        );
        return None;
    }
    Some(file)
}

fn pipeline(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> Option<RepoPath> {
    let (text, span) = reader.text(map, "source.pipeline")?;
    let file: RepoPath = reader.checked(text, span, "source.pipeline", code::INVALID_WORKFLOW)?;
    if text.ends_with(".yml") || text.ends_with(".yaml") {
        return Some(file);
    }
    let message = format!("`source.pipeline` is `{file}`, which does not end in `.yml` or `.yaml`");
    let help = "write the path of the pipeline's file, such as `.gitlab-ci.yml`";
    reader.report(
        Diagnostic::error(code::INVALID_WORKFLOW, message).help(help),
        span,
    );
    None
}

pub(super) fn ignored(reader: &mut Reader<'_>, keys: &[&'static str], why: &str) {
    for &key in keys.iter().filter(|key| reader.fields.has(key)) {
        let message = format!("`{key}` has no effect: {why}");
        let place = reader.fields.of(key);
        reader.out.push(
            Diagnostic::warning(code::IGNORED_KEY, message)
                .help("remove it")
                .at(place),
        );
    }
}
