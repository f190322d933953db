//! What is looked at: the factory, the Dockerfile, the image that was built.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use factory::git::auth::Credentials;
use factory::git::cache::Cache;
use factory::git::own::{self, CommitError};
use factory::git::sources::{self, Limits, Sources, Wanted};
use factory::git::{Checkout, Git, clone};
use factory::registry::{Options, Registry};
use image_factory::diagnostics::{Diagnostic, Severity, code};
use image_factory::discover::Found;
use image_factory::model::{
    self, Branch, Digest, Image, InputFiles, Parse as _, RepoPath, Settings, Source, Time,
};

use super::args::{Args, Job};
use crate::commands::discover::locate::{self, LIMIT};

/// The folder of the factory, cloned if it is not there.
pub(super) fn factory(
    git: &Git,
    args: &Args,
    job: &Job,
    at: Option<&Path>,
    tell: &mut dyn FnMut(&str),
) -> Result<Option<PathBuf>, Diagnostic> {
    let Some(folder) = at else {
        return Ok(None);
    };
    if !locate::is_empty(folder) {
        return Ok(Some(folder.to_owned()));
    }
    let Some(repo) = &job.git_repo else {
        return Err(Diagnostic::error(
            code::NOT_CLONED,
            format!("`{}` is not there, or empty", folder.display()),
        )
        .help("name the folder that holds images.yaml, or what to clone into it: `--git-repo URL --git-branch BRANCH`"));
    };
    let branch = job.git_branch.clone();
    let branch = branch.or_else(|| Branch::parse("main").ok());
    let branch = branch.as_ref().map_or("main", Branch::as_str);
    tell(&format!("cloning {repo}, branch {branch}"));
    let (settings, _) = model::enrollment(&InputFiles::default());
    let credentials = settings
        .map(|(settings, _)| Credentials::new(git, &settings.providers, Some(repo)))
        .unwrap_or_default();
    clone::shallow(git, &credentials, repo, branch, folder).map_err(|why| {
        Diagnostic::error(
            code::NOT_CLONED,
            format!("`{repo}` cannot be cloned: {why}"),
        )
        .help(format!(
            "see whether `{}` and its branch `{branch}` are right, and who may read them",
            args.git_repo.trim()
        ))
    })?;
    Ok(Some(folder.to_owned()))
}

/// A Dockerfile, or why there is none; an error is a fault of the surroundings.
pub(super) fn dockerfile(
    git: &Git,
    credentials: &Credentials,
    root: &Path,
    (image, source): (&Image, &Source),
    settings: &Settings,
    job: &Job,
) -> Result<Found, Diagnostic> {
    let local = locate::of_state_repository(image);
    let in_state_repository = local.is_some();
    if in_state_repository || locate::is_own(source, settings) {
        let paths = local.unwrap_or_else(|| vec![source.dockerfile.clone()]);
        let commit = job.commit.as_deref().filter(|_| !in_state_repository);
        match own(git, root, &paths, commit)? {
            Some(found) => return Ok(found),
            // Not in this clone, which may be of one commit only.
            None if !in_state_repository => {}
            None => return Err(no_commit(root)),
        }
    }
    remote(git, credentials, source, job)
}

/// From the checkout around the factory: a commit's, not the files on the disk. `None`:
/// it does not have that commit.
fn own(
    git: &Git,
    root: &Path,
    paths: &[RepoPath],
    commit: Option<&str>,
) -> Result<Option<Found>, Diagnostic> {
    let checkout = Checkout::around(git, root)?;
    let head = checkout
        .at()
        .map_err(|trouble| git_failed(&trouble.to_string()))?;
    let Some(commit) = commit.map(str::to_owned).or(head) else {
        return Ok(None);
    };
    let mut missing = None;
    for path in paths {
        match own::file_at(git, root, &commit, path, LIMIT) {
            Ok(bytes) => {
                let commit = Some(commit);
                return Ok(Some(Found::Read { bytes, commit }));
            }
            Err(CommitError::NoCommit(_)) => return Ok(None),
            Err(error @ CommitError::File(_)) => {
                let reason = format!("`{path}` of this repository at {}: {error}", short(&commit));
                missing.get_or_insert(reason);
            }
            Err(error) => return Err(git_failed(&error.to_string())),
        }
    }
    Ok(Some(Found::Failed {
        reason: missing.unwrap_or_else(|| "no path is given".to_owned()),
        help: Some("mend `source.dockerfile` in images.yaml, or the repository".to_owned()),
    }))
}

fn no_commit(root: &Path) -> Diagnostic {
    Diagnostic::error(
        code::NO_CHECKOUT,
        format!("`{}` has no commit to read from", root.display()),
    )
}

fn git_failed(why: &str) -> Diagnostic {
    Diagnostic::error(code::GIT_FAILED, why)
        .help("see what `git status` says in the factory's checkout")
}

fn remote(
    git: &Git,
    credentials: &Credentials,
    source: &Source,
    job: &Job,
) -> Result<Found, Diagnostic> {
    let cache = Cache::of_environment(git).map_err(|error| {
        Diagnostic::error(
            code::SOURCE_ENVIRONMENT,
            format!("the folder for clones cannot be used: {error}"),
        )
        .help("name a folder that can be written: `IMAGE_FACTORY_CACHE`")
    })?;
    let mut limits = Limits::default();
    limits.file = limits.file.min(LIMIT);
    let all = Sources {
        git,
        credentials,
        cache: &cache,
        limits,
    };
    let wanted = Wanted {
        url: source.git_url.clone(),
        branch: source.branch.clone(),
        commit: job.commit.clone(),
        path: source.dockerfile.clone(),
    };
    match sources::fetch(&[wanted], &all, &|_| {}).into_iter().next() {
        Some(Ok(fetched)) => Ok(Found::Read {
            bytes: fetched.bytes,
            commit: Some(fetched.commit),
        }),
        Some(Err(error)) if error.is_infrastructure() => Err(error.diagnostic()),
        Some(Err(error)) => Ok(Found::Failed {
            reason: error.message,
            help: error.help,
        }),
        None => Err(git_failed("there is no answer")),
    }
}

/// What the image says of itself.
#[derive(Default)]
pub(super) struct Said {
    pub(super) created: Option<Time>,
    pub(super) base_digests: BTreeMap<String, Digest>,
}

/// Asks the registry about the image that was built. One that gives no answer is a
/// warning: the build is recorded with what else is known.
pub(super) fn built(
    settings: &Settings,
    root: &Path,
    image: &Image,
    job: &Job,
) -> (Said, Option<Diagnostic>) {
    let Some(digest) = &job.digest else {
        return (Said::default(), None);
    };
    let warning = |mut diagnostic: Diagnostic| {
        diagnostic.severity = Severity::Warning;
        (Said::default(), Some(diagnostic))
    };
    let registry = match Options::of_factory(settings, root) {
        Ok(options) => Registry::new(options),
        Err(diagnostic) => return warning(diagnostic),
    };
    match registry.describe(&image.repo_url, digest) {
        Ok(description) => {
            let created = description.created.as_deref();
            let mut said = Said {
                created: created.and_then(|text| Time::parse(text).ok()),
                base_digests: BTreeMap::new(),
            };
            if let (Some(name), Some(digest)) = (description.base_name(), description.base_digest())
            {
                said.base_digests.insert(name.to_owned(), digest);
            }
            (said, None)
        }
        Err(error) => warning(error.diagnostic()),
    }
}

/// A commit or digest as people read it.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
