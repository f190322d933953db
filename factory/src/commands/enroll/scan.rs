//! Finding the Dockerfiles of a folder.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: looks into a folder that somebody named"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use image_factory::cli::origin;
use image_factory::cli::run::Said;
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::dockerfile::{self, Options};
use image_factory::enroll::{Found, Source, repository_of, usual_registry};
use image_factory::model::{Model, Parse as _, Provider, Settings, usable_origin};
use walkdir::WalkDir;

use super::super::init::{inside, top};
use super::Args;

/// Deeper there is nothing that people wrote.
const DEEPEST: usize = 32;
/// A larger file is no Dockerfile.
const LARGEST: u64 = 1 << 20;
/// Folders with other people's Dockerfiles, and with copies.
const SKIPPED: &[&str] = &[".git", "node_modules", "vendor", "target", ".venv", "dist"];

/// The Dockerfiles below a folder, links left alone.
pub(super) fn dockerfiles(folder: &Path, said: &mut Said) -> Result<Vec<Found>, Diagnostic> {
    let unusable = |error: &dyn std::fmt::Display| {
        let message = format!("`{}` cannot be looked into: {error}", folder.display());
        Diagnostic::error(code::UNREADABLE, message).help("name a folder: `--scan DIR`")
    };
    let meta = std::fs::symlink_metadata(folder).map_err(|error| unusable(&error))?;
    if !meta.is_dir() {
        return Err(unusable(&"it is no folder"));
    }
    // Entries name paths from the top of the checkout, wherever the search begins.
    let prefix = match inside(folder).as_str() {
        "." => String::new(),
        inside => format!("{inside}/"),
    };
    let mut found = Vec::new();
    let walk = WalkDir::new(folder)
        .max_depth(DEEPEST)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0 || !entry.file_type().is_dir() || !SKIPPED.contains(&&*name)
        });
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                said.diagnostics.push(
                    Diagnostic::warning(code::UNREADABLE, format!("not looked at: {error}"))
                        .help("the other folders were"),
                );
                continue;
            }
        };
        let name = entry.file_name().to_string_lossy();
        if !entry.file_type().is_file() || !Found::is_dockerfile(&name) {
            continue;
        }
        let parts = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let Some(parts) = parts
            .iter()
            .map(|part| part.to_str())
            .collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        found.push(Found {
            path: format!("{prefix}{}", parts.join("/")),
            bases: bases(entry.path()),
        });
    }
    Ok(found)
}

/// What a Dockerfile is built on, as far as it can be read; discovery says the rest.
fn bases(path: &Path) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    let none = BTreeMap::new();
    let options = Options {
        build_args: &none,
        target: None,
    };
    let found = read
        .ok()
        .and_then(|_| dockerfile::bases(&bytes, &options).ok());
    let names: BTreeSet<String> = found
        .into_iter()
        .flat_map(|found| found.uses)
        .map(|used| used.reference)
        .collect();
    names.into_iter().collect()
}

/// What the Dockerfiles have in common: the repository that the folder is a checkout of.
pub(super) fn source(
    args: &Args,
    folder: &Path,
    root: &Path,
    settings: &Settings,
) -> Result<Source, Diagnostic> {
    let common = |provider: Option<String>, repo: String| Source {
        provider,
        repo,
        branch: args.branch.clone(),
        ..Source::default()
    };
    if let Some(repo) = &args.source_repo {
        return Ok(common(args.provider.clone(), repo.clone()));
    }
    let own = settings.git.repo.as_ref().filter(|_| is_own(folder, root));
    let (address, whose) = match own {
        Some(own) => (Some(own.to_string()), "`settings.git.repo`"),
        None => (origin(folder), "its `origin`"),
    };
    let found = address
        .as_deref()
        .and_then(|address| repository_of(address, &settings.providers));
    if let Some((provider, repo)) = found {
        let gitlab = (provider == Provider::GitLab).then(|| provider.to_string());
        return Ok(common(gitlab, repo.to_string()));
    }
    let why = match &address {
        None => format!("`{}` is no checkout with an `origin`", folder.display()),
        Some(address) => {
            // The https form: what git says may have a password in it.
            let address = usable_origin(address).map_or_else(String::new, |at| format!(", `{at}`"));
            format!(
                "{whose}{address} is below neither {} nor {}",
                settings.providers.github.web(),
                settings.providers.gitlab.web()
            )
        }
    };
    let needed = Diagnostic::error(
        code::FLAG_MISSING,
        format!("`--source-repo` is needed: {why}"),
    );
    Err(needed.help(
        "say which repository the Dockerfiles are in: `--source-repo OWNER/REPO`, of a GitLab with `--provider gitlab`",
    ))
}

/// Is a folder in the checkout that the factory is in?
fn is_own(folder: &Path, root: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (folder, root) = (real(folder), real(root));
    match top(&root) {
        Some(own) => top(&folder) == Some(own),
        None => folder.starts_with(&root) && top(&folder).is_none(),
    }
}

/// The registry that most managed images of the source's kind of host are in, else the
/// host's own.
pub(super) fn registry(source: &Source, model: &Model) -> Result<String, Diagnostic> {
    let provider = source.provider.as_deref().map(Provider::parse);
    // What is no provider is refused with the entry.
    let provider = provider.and_then(Result::ok).unwrap_or(Provider::GitHub);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (image, known) in model.managed() {
        if known.provider == provider {
            *counts.entry(image.repository.registry()).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(registry, _)| registry)
        .or_else(|| usual_registry(provider, &model.settings.providers))
        .map(ToOwned::to_owned)
        .ok_or_else(|| {
            let web = model.settings.providers.get(provider).web();
            let message = format!(
                "`--registry` is needed: no managed image of {web} says which registry it has"
            );
            Diagnostic::error(code::FLAG_MISSING, message)
                .help("say where the images are pushed to: `--registry HOST`")
        })
}
