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
use image_factory::enroll::{Found, Source};
use image_factory::model::Model;
use walkdir::WalkDir;

use super::super::init::inside;
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
pub(super) fn source(args: &Args, folder: &Path) -> Result<Source, Diagnostic> {
    let repo = args.source_repo.clone().or_else(|| {
        let origin = origin(folder)?;
        let path = origin.trim_end_matches('/').trim_end_matches(".git");
        let mut parts = path.rsplit(['/', ':']);
        let (name, owner) = (parts.next()?, parts.next()?);
        (!name.is_empty() && !owner.is_empty()).then(|| format!("{owner}/{name}"))
    });
    let repo = repo.ok_or_else(|| {
        let message = format!(
            "`--source-repo` is needed: `{}` is no checkout with an `origin`",
            folder.display()
        );
        Diagnostic::error(code::FLAG_MISSING, message)
            .help("say which repository the Dockerfiles are in: `--source-repo OWNER/REPO`")
    })?;
    Ok(Source {
        provider: args.provider.clone(),
        repo,
        branch: args.branch.clone(),
        ..Source::default()
    })
}

/// The registry that most managed images are in.
pub(super) fn registry(model: &Model) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (image, _) in model.managed() {
        *counts.entry(image.repository.registry()).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or("ghcr.io", |(registry, _)| registry).to_owned()
}
