//! Writing workflows into repositories: new files only.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "shell: writes files of repositories around the factory"
)]

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use image_factory::cli::run::{self, Said, Stopped};
use image_factory::cli::{Streams, Surroundings};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{self, DiscoveryStatus, Image, Model, Name, Provider, Settings, Source};
use image_factory::workflows::{self, File};
use image_factory::workspace::{Hold, Layout};

use super::discover::locate::{self, Checkout};
use super::init::top;

/// A larger file is no workflow.
const LARGEST: u64 = 1 << 20;

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

/// What was done.
#[derive(Default)]
pub(super) struct Done {
    /// The files that were written.
    pub(super) files: Vec<String>,
    /// How many images are built in repositories of which no checkout was named.
    pub(super) elsewhere: usize,
}

/// A file, and the repository's folder that it is for.
struct Planned {
    folder: PathBuf,
    file: File,
    /// Its image, if it is not known what that is built on.
    unknown: Option<Name>,
}

/// Writes what is not there, and says what is.
pub(super) fn write(
    wanted: &Wanted<'_>,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Done, Stopped> {
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
    let mut done = Done::default();
    for planned in collect(wanted, &model, &own, &mut done.elsewhere, said)? {
        match create(&planned.folder, &planned.file) {
            Ok(new) => {
                if new {
                    let shown = shown(&own, &planned.folder, &planned.file);
                    done.files.push(shown);
                }
                look(&planned, said);
            }
            Err(error) => {
                let path = planned.folder.join(&planned.file.path);
                let message = format!("`{}` cannot be written: {error}", path.display());
                let stopped = Diagnostic::error(code::OUT_UNUSABLE, message)
                    .help("files that were written before it stay; run again once it can be");
                return Err(said.stop([stopped]));
            }
        }
    }
    Ok(done)
}

/// All files. One that two ask for is written once.
fn collect(
    wanted: &Wanted<'_>,
    model: &Model,
    own: &Path,
    elsewhere: &mut usize,
    said: &mut Said,
) -> Result<Vec<Planned>, Stopped> {
    let fault = |error: image_factory::template::TemplateError| {
        Diagnostic::error(code::TEXT_FAILED, error.to_string())
    };
    let checkouts = locate::checkouts(wanted.sources, &model.images, wanted.around)
        .map_err(|wrong| said.stop(wrong))?;
    let settings = &model.settings;
    let provider = wanted.provider.unwrap_or_else(|| host(settings));
    let mut planned: Vec<Planned> = workflows::schedule(settings, provider)
        .map_err(|error| said.stop([fault(error)]))?
        .into_iter()
        .map(|file| Planned {
            folder: own.to_owned(),
            file,
            unknown: None,
        })
        .collect();
    for (image, source) in model.managed() {
        let named = checkouts.iter().find(|named| named.repo == source.repo);
        let folder = match named {
            Some(named) => named.folder.clone(),
            None if is_own(settings, source) => own.to_owned(),
            None => {
                *elsewhere += 1;
                said.diagnostics.push(nowhere(image, source));
                continue;
            }
        };
        let known = model
            .image_states
            .get(image.name.as_str())
            .is_some_and(|state| state.status == DiscoveryStatus::Success);
        let unknown = !known && image.bases.is_empty();
        let found = workflows::build(model, image, source);
        for file in found.map_err(|error| said.stop([fault(error)]))? {
            if !planned
                .iter()
                .any(|known| known.folder == folder && known.file.path == file.path)
            {
                planned.push(Planned {
                    folder: folder.clone(),
                    file,
                    unknown: unknown.then(|| image.name.clone()),
                });
            }
        }
    }
    Ok(planned)
}

/// An image of another repository.
fn nowhere(image: &Image, source: &Source) -> Diagnostic {
    let message = format!(
        "no workflow is written for `{}`: it is built in `{}`",
        image.name, source.repo
    );
    let help = format!("name a checkout of it: `--source {}=DIR`", source.repo);
    Diagnostic::warning(code::WORKFLOW_ELSEWHERE, message)
        .help(help)
        .at(image.place())
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

/// Says what there is to say of a file that is there now.
fn look(planned: &Planned, said: &mut Said) {
    let Planned {
        folder,
        file,
        unknown,
    } = planned;
    let there = read(&folder.join(&file.path));
    let same = there.as_deref() == Some(file.text.as_str());
    let there = there.unwrap_or_default();
    if let Some(image) = unknown
        && workflows::pins_none(&there, &file.text)
    {
        let message =
            format!("nothing is known of the bases of `{image}` yet, so its workflow pins none");
        let help = format!(
            "run `image-factory discover` first, then this again: it says the list to put into `{}`",
            file.path
        );
        let unpinned = Diagnostic::warning(code::WORKFLOW_UNPINNED, message).help(help);
        said.diagnostics.push(unpinned);
    }
    if same {
        return;
    }
    let other = workflows::other_bases(&there, &file.text).filter(|_| unknown.is_none());
    let kept = if let Some(line) = other {
        let message = format!(
            "`{}` stays as it is, and pins by a list of bases that state/ does not have",
            file.path
        );
        Diagnostic::warning(code::WORKFLOW_BASES, message).help(format!("make it\n{line}"))
    } else {
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
        Diagnostic::warning(code::WORKFLOW_KEPT, message).help(help)
    };
    said.diagnostics.push(kept);
}

/// A file's text, if it is one of a length that people write.
fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(LARGEST).read_to_string(&mut text).ok()?;
    Some(text)
}
