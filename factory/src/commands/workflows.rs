//! Writing workflows into repositories: new files only.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "shell: writes files of repositories around the factory"
)]

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};

use image_factory::cli::run::{self, Said, Stopped};
use image_factory::cli::{Streams, Surroundings};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{self, Model, Provider, Settings, Source};
use image_factory::workflows::{self, File};
use image_factory::workspace::{self, Hold, Layout};

use super::discover::locate::{self, Checkout};
use super::init::top;

/// What is to be written.
pub(super) struct Wanted<'a> {
    /// The factory's folder.
    pub(super) factory: &'a Path,
    /// Where its repository is; if nothing is said, what `settings.git.repo` is below of.
    pub(super) provider: Option<Provider>,
    /// Checkouts of other repositories.
    pub(super) sources: &'a [Checkout],
    pub(super) around: &'a Surroundings,
}

/// Writes what is not there, and says what is.
pub(super) fn write(
    wanted: &Wanted<'_>,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Vec<String>, Stopped> {
    let unusable = |error: std::io::Error| {
        let message = format!("`{}` cannot be used: {error}", wanted.factory.display());
        Diagnostic::error(code::OUT_UNUSABLE, message)
    };
    let layout = Layout::of(wanted.factory).map_err(|error| said.stop([unusable(error)]))?;
    let _lock = run::lock(&layout, &layout.root, Hold::Shared, streams, said)?;
    let tree = run::load(&layout, said)?;
    let (model, diagnostics) = model::load(&tree.inputs);
    let Some(model) = model else {
        return Err(said.stop(diagnostics));
    };
    let own = top(&layout.root).unwrap_or(&layout.root).to_owned();
    let files = collect(wanted, &model, &own, said)?;
    let mut written = Vec::new();
    for (folder, file) in files {
        match create(&folder, &file) {
            Ok(true) => written.push(shown(&own, &folder, &file)),
            Ok(false) => kept(&folder, &file, said),
            Err(error) => {
                let path = folder.join(&file.path);
                let message = format!("`{}` cannot be written: {error}", path.display());
                let stopped = Diagnostic::error(code::OUT_UNUSABLE, message)
                    .help("files that were written before it stay; run again once it can be");
                return Err(said.stop([stopped]));
            }
        }
    }
    Ok(written)
}

/// All files, each with the repository's folder that it is for. A file that two ask for
/// is written once.
fn collect(
    wanted: &Wanted<'_>,
    model: &Model,
    own: &Path,
    said: &mut Said,
) -> Result<Vec<(PathBuf, File)>, Stopped> {
    let fault = |error: image_factory::template::TemplateError| {
        Diagnostic::error(code::TEXT_FAILED, error.to_string())
    };
    let settings = &model.settings;
    let provider = wanted.provider.unwrap_or_else(|| host(settings));
    let mut files: Vec<(PathBuf, File)> = workflows::schedule(settings, provider)
        .map_err(|error| said.stop([fault(error)]))?
        .into_iter()
        .map(|file| (own.to_owned(), file))
        .collect();
    for (image, source) in model.managed() {
        let named = wanted
            .sources
            .iter()
            .find(|named| named.repo == source.repo);
        let folder = match named {
            Some(named) => workspace::absolute(&wanted.around.folder, &named.folder),
            None if is_own(settings, source) => own.to_owned(),
            None => {
                let message = format!(
                    "no workflow is written for `{}`: it is built in `{}`",
                    image.name, source.repo
                );
                let elsewhere = Diagnostic::warning(code::WORKFLOW_ELSEWHERE, message)
                    .help(format!(
                        "name a checkout of it: `--source {}=DIR`",
                        source.repo
                    ))
                    .at(image.place());
                said.diagnostics.push(elsewhere);
                continue;
            }
        };
        if !locate::is_folder(&folder) {
            let message = format!("`{}` is no folder", folder.display());
            let wrong = Diagnostic::error(code::CHECKOUT_UNUSABLE, message).help(format!(
                "name a folder that has `{}` checked out",
                source.repo
            ));
            return Err(said.stop([wrong]));
        }
        let found = workflows::build(model, image, source);
        for file in found.map_err(|error| said.stop([fault(error)]))? {
            if !files
                .iter()
                .any(|(at, known)| *at == folder && known.path == file.path)
            {
                files.push((folder.clone(), file));
            }
        }
    }
    Ok(files)
}

/// Is this the factory's own repository?
fn is_own(settings: &Settings, source: &Source) -> bool {
    let repo = settings.git.repo.as_ref();
    repo.is_some_and(|repo| repo.identity() == source.git_url.identity())
}

/// Where the factory's repository is: on GitHub, unless its address is a GitLab's.
fn host(settings: &Settings) -> Provider {
    let gitlab = settings.providers.gitlab.web();
    let below = settings.git.repo.as_ref().is_some_and(|repo| {
        let rest = repo.as_str().strip_prefix(&gitlab);
        rest.is_some_and(|rest| rest.starts_with('/'))
    });
    if below {
        Provider::GitLab
    } else {
        Provider::GitHub
    }
}

/// Writes a file that is not there. False if something of its name is.
fn create(folder: &Path, file: &File) -> std::io::Result<bool> {
    let mut at = folder.to_owned();
    let parts: Vec<_> = Path::new(&file.path).components().collect();
    let Some((name, folders)) = parts.split_last() else {
        return Err(ErrorKind::InvalidInput.into());
    };
    for part in folders {
        let Component::Normal(part) = part else {
            return Err(ErrorKind::InvalidInput.into());
        };
        at.push(part);
        // A link might lead out of the repository.
        match at.symlink_metadata() {
            Ok(seen) if seen.is_dir() => {}
            Ok(_) => {
                return Err(std::io::Error::other(format!(
                    "`{}` is no folder",
                    at.display()
                )));
            }
            Err(_) => std::fs::create_dir(&at)?,
        }
    }
    at.push(name);
    match OpenOptions::new().write(true).create_new(true).open(&at) {
        Ok(mut open) => open.write_all(file.text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// A file of the factory's own repository by its path in it, another one whole.
fn shown(own: &Path, folder: &Path, file: &File) -> String {
    if folder == own {
        file.path.clone()
    } else {
        folder.join(&file.path).display().to_string()
    }
}

fn kept(folder: &Path, file: &File, said: &mut Said) {
    let path = folder.join(&file.path);
    let same = std::fs::read(&path).is_ok_and(|there| there == file.text.as_bytes());
    if same {
        return;
    }
    let message = format!("`{}` is there already, and stays as it is", file.path);
    let root = file.text.contains(&workflows::gitlab_include());
    let help = if root {
        format!(
            "take in what was written beside it:\n{}",
            workflows::gitlab_include()
        )
    } else {
        "move it away to have it written; docs/workflows.md says what a workflow of your own needs"
            .to_owned()
    };
    let kept = Diagnostic::warning(code::WORKFLOW_KEPT, message).help(help);
    said.diagnostics.push(kept);
}
