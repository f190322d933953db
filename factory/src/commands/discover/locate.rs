//! Where the Dockerfile of an image comes from: this repository, a checkout that was
//! named, or a clone.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: reads the Dockerfiles of checkouts"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use factory::git::Git;
use factory::git::auth::Credentials;
use factory::git::cache::Cache;
use factory::git::own;
use factory::git::sources::{self, Progress, SourceError, Sources, Wanted};
use image_factory::cli::Surroundings;
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::discover::{Found, Scope, wanted};
use image_factory::model::{Image, Name, Parse as _, RepoPath, RepoSlug, Settings, Source};
use image_factory::workspace;

/// More than any Dockerfile; what is larger is none.
pub(crate) const LIMIT: u64 = 64 << 20;

/// `--source OWNER/REPO=DIR`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Checkout {
    /// The repository.
    pub(crate) repo: RepoSlug,
    /// A folder that has it.
    pub(crate) folder: PathBuf,
}

impl Checkout {
    /// Reads the argument.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (repo, folder) = text
            .split_once('=')
            .ok_or_else(|| "write OWNER/REPO=DIR".to_owned())?;
        let repo = RepoSlug::parse(repo)
            .map_err(|invalid| format!("`{repo}` {}; {}", invalid.why, invalid.help))?;
        if folder.is_empty() {
            return Err("the folder is missing: write OWNER/REPO=DIR".to_owned());
        }
        Ok(Self {
            repo,
            folder: PathBuf::from(folder),
        })
    }
}

/// The checkouts that were named, as absolute folders that are there; or all that is
/// wrong with them.
pub(crate) fn checkouts(
    sources: &[Checkout],
    images: &[Image],
    around: &Surroundings,
) -> Result<Vec<Checkout>, Vec<Diagnostic>> {
    let mut checkouts = Vec::new();
    let mut wrong = Vec::new();
    for named in sources {
        let folder = workspace::absolute(&around.folder, &named.folder);
        let used = |image: &Image| image.source().is_some_and(|s| s.repo == named.repo);
        if !is_folder(&folder) {
            let message = format!("`{}` is no folder", named.folder.display());
            let help = format!("name a folder that has `{}` checked out", named.repo);
            wrong.push(Diagnostic::error(code::CHECKOUT_UNUSABLE, message).help(help));
        } else if !images.iter().any(used) {
            let message = format!("no enrolled image is built from `{}`", named.repo);
            let help = "`--source` takes a repository as `source.repo` in images.yaml has it";
            wrong.push(Diagnostic::error(code::CHECKOUT_UNUSABLE, message).help(help));
        }
        checkouts.push(Checkout {
            repo: named.repo.clone(),
            folder,
        });
    }
    if wrong.is_empty() {
        Ok(checkouts)
    } else {
        Err(wrong)
    }
}

/// Where to look.
pub(crate) struct Places<'a> {
    pub(crate) git: &'a Git,
    /// The factory's root.
    pub(crate) root: &'a Path,
    /// The checkouts that were named; absolute.
    pub(crate) checkouts: &'a [Checkout],
    pub(crate) settings: &'a Settings,
}

/// What was found, and what to call it.
#[derive(Default)]
pub(crate) struct Located {
    pub(crate) found: BTreeMap<Name, Found>,
    pub(crate) shown: BTreeMap<Name, String>,
    /// What was read from the working tree, by path from the top of the repository.
    pub(crate) own: BTreeSet<String>,
    /// Why others could not be asked. That says nothing about an image, whose state
    /// stays as it is.
    pub(crate) unreachable: Vec<Diagnostic>,
}

/// Is there a folder?
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Is nothing there, or a folder without files?
pub(crate) fn is_empty(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Looks for the Dockerfiles of a scope. `progress` is told how many repositories of
/// how many were asked.
pub(crate) fn locate(
    images: &[Image],
    scope: &Scope,
    places: &Places<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Located {
    let mut located = Located::default();
    let mut remote: Vec<(&Name, Wanted)> = Vec::new();
    // Without git, or outside of a repository, the root is the top.
    let top = own::top_level(places.git, places.root).ok().flatten();
    let top = top.as_deref().unwrap_or(places.root);
    for (image, source) in wanted(images, scope) {
        let (found, shown) = if let Some(paths) = of_state_repository(image) {
            let found = first(top, "this repository", &paths);
            located.own.extend(paths.iter().map(ToString::to_string));
            (found, paths.first().map(ToString::to_string))
        } else if let Some(named) = places.checkouts.iter().find(|c| c.repo == source.repo) {
            let whose = format!("the checkout of `{}`", source.repo);
            let shown = named.folder.join(source.dockerfile.as_str());
            let found = file(&named.folder, &whose, &source.dockerfile);
            (found, Some(shown.display().to_string()))
        } else if is_own(source, places.settings) {
            let found = file(top, "this repository", &source.dockerfile);
            located.own.insert(source.dockerfile.to_string());
            (found, Some(source.dockerfile.to_string()))
        } else {
            let wanted = Wanted {
                url: source.git_url.clone(),
                branch: source.branch.clone(),
                commit: None,
                path: source.dockerfile.clone(),
            };
            remote.push((&image.name, wanted));
            continue;
        };
        located.found.insert(image.name.clone(), found);
        if let Some(shown) = shown {
            located.shown.insert(image.name.clone(), shown);
        }
    }
    if !remote.is_empty() {
        clone(remote, places, progress, &mut located);
    }
    located
}

/// Is the source the repository that the factory lives in, on its branch?
pub(crate) fn is_own(source: &Source, settings: &Settings) -> bool {
    let git = &settings.git;
    let same = |url: &image_factory::model::GitUrl| url.identity() == source.git_url.identity();
    git.repo.as_ref().is_some_and(same) && git.branch == source.branch
}

/// The Dockerfile in the state repository, if the image has one there. A bare name may
/// be meant in the folder of the image's files.
pub(crate) fn of_state_repository(image: &Image) -> Option<Vec<RepoPath>> {
    let local = image.local.as_ref()?;
    let path = local.dockerfile.clone()?;
    let bare = !path.as_str().contains('/');
    let inside = local.dir.as_ref().filter(|dir| bare && !dir.is_top());
    let inside = inside.and_then(|dir| RepoPath::parse(&format!("{dir}/{path}")).ok());
    Some(inside.into_iter().chain([path]).collect())
}

fn first(top: &Path, whose: &str, paths: &[RepoPath]) -> Found {
    let there = |path: &&RepoPath| top.join(path.as_str()).symlink_metadata().is_ok();
    let path = paths.iter().find(there).or(paths.last());
    match path {
        Some(path) => file(top, whose, path),
        None => failed("no path is given".to_owned(), "name one in images.yaml"),
    }
}

fn failed(reason: String, help: &str) -> Found {
    Found::Failed {
        reason,
        help: Some(help.to_owned()),
    }
}

/// Reads a file of a checkout: a regular one, inside of it also after every link, and
/// no larger than a Dockerfile may be.
pub(crate) fn file(top: &Path, whose: &str, path: &RepoPath) -> Found {
    let mend = "mend `source.dockerfile` in images.yaml, or the repository";
    let unreadable = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no `{path}` in {whose}"),
        _ => format!("`{path}` in {whose} cannot be read: {error}"),
    };
    let resolved = top
        .canonicalize()
        .and_then(|top| Ok((top.join(path.as_str()).canonicalize()?, top)));
    let (real, top) = match resolved {
        Ok(both) => both,
        Err(error) => return failed(unreadable(&error), mend),
    };
    if !real.starts_with(&top) {
        return failed(format!("`{path}` leads out of {whose}"), mend);
    }
    let inside = real.strip_prefix(&top).unwrap_or(&real);
    if inside.components().any(|part| part.as_os_str() == ".git") {
        return failed(
            format!("`{path}` leads into the folder that belongs to git"),
            mend,
        );
    }
    match real.metadata() {
        Ok(seen) if !seen.is_file() => {
            return failed(format!("`{path}` in {whose} is no regular file"), mend);
        }
        Ok(_) => {}
        Err(error) => return failed(unreadable(&error), mend),
    }
    let mut bytes = Vec::new();
    let read = File::open(&real).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > LIMIT => failed(
            format!(
                "`{path}` in {whose} is larger than the {} MiB that are read",
                LIMIT >> 20
            ),
            "a Dockerfile is a short text; see whether another file was meant",
        ),
        Ok(_) => Found::Read {
            bytes,
            commit: None,
        },
        Err(error) => failed(unreadable(&error), mend),
    }
}

/// As it is told of the image, whose state stays as it is.
fn unreachable(name: &Name, error: &SourceError) -> Diagnostic {
    let mut diagnostic = error.diagnostic();
    diagnostic.message = format!(
        "the Dockerfile of `{name}` was not looked at: {}",
        diagnostic.message
    );
    diagnostic
}

/// Reads the others through git.
fn clone(
    wanted: Vec<(&Name, Wanted)>,
    places: &Places<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
    located: &mut Located,
) {
    let own = places.settings.git.repo.as_ref();
    let credentials = Credentials::new(places.git, &places.settings.providers, own);
    let cache = match Cache::of_environment(places.git) {
        Ok(cache) => cache,
        Err(error) => {
            let message = format!("the folder for clones cannot be used: {error}");
            let help = "name a folder that can be written: `IMAGE_FACTORY_CACHE`";
            let error = Diagnostic::error(code::SOURCE_ENVIRONMENT, message).help(help);
            located.unreachable.push(error);
            return;
        }
    };
    let mut limits = sources::Limits::default();
    limits.file = limits.file.min(LIMIT);
    let sources = Sources {
        git: places.git,
        credentials: &credentials,
        cache: &cache,
        limits,
    };
    let (names, wanted): (Vec<&Name>, Vec<Wanted>) = wanted.into_iter().unzip();
    let tell = |at: Progress<'_>| progress(at.done, at.total);
    let answers = sources::fetch(&wanted, &sources, &tell);
    for (name, answer) in names.into_iter().zip(answers) {
        let answer = match answer {
            Ok(fetched) => Found::Read {
                bytes: fetched.bytes,
                commit: Some(fetched.commit),
            },
            Err(error) if error.is_infrastructure() => {
                located.unreachable.push(unreachable(name, &error));
                continue;
            }
            Err(error) => Found::Failed {
                reason: error.message,
                help: error.help,
            },
        };
        located.found.insert(name.clone(), answer);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn read(top: &Path, path: &str) -> Result<String, String> {
        match file(top, "it", &RepoPath::parse(path).unwrap()) {
            Found::Read { bytes, .. } => Ok(String::from_utf8(bytes).unwrap()),
            Found::Failed { reason, .. } => Err(reason),
        }
    }

    #[test]
    fn nothing_outside_of_a_checkout_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("top");
        fs::create_dir_all(top.join("a/.git")).unwrap();
        fs::write(folder.path().join("secret"), "s").unwrap();
        fs::write(top.join("a/Dockerfile"), "FROM a").unwrap();
        fs::write(top.join("a/.git/config"), "c").unwrap();
        symlink("a/Dockerfile", top.join("inside")).unwrap();
        symlink("../secret", top.join("outside")).unwrap();
        symlink("..", top.join("up")).unwrap();
        symlink("loop", top.join("loop")).unwrap();
        symlink("a/.git/config", top.join("git")).unwrap();
        let large = File::create(top.join("large")).unwrap();
        large.set_len(LIMIT + 1).unwrap();
        let socket = std::os::unix::net::UnixListener::bind(top.join("socket")).unwrap();
        for (path, expected) in [
            ("a/Dockerfile", Ok("FROM a")),
            ("inside", Ok("FROM a")),
            ("none", Err("there is no `none` in it")),
            ("outside", Err("`outside` leads out of it")),
            ("up/secret", Err("`up/secret` leads out of it")),
            ("up/top/a/Dockerfile", Ok("FROM a")),
            (
                "git",
                Err("`git` leads into the folder that belongs to git"),
            ),
            ("a", Err("`a` in it is no regular file")),
            ("socket", Err("`socket` in it is no regular file")),
            (
                "large",
                Err("`large` in it is larger than the 64 MiB that are read"),
            ),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(read(&top, path), expected, "{path}");
        }
        assert!(read(&top, "loop").is_err());
        drop(socket);
    }

    #[test]
    fn checkouts_are_named_with_their_repository() {
        let checkout = Checkout::parse("acme/shop=../a=b").unwrap();
        assert_eq!(checkout.repo.as_str(), "acme/shop");
        assert_eq!(checkout.folder, Path::new("../a=b"));
        for wrong in [
            "",
            "acme/shop",
            "acme=x",
            "acme/shop=",
            "https://x/y=z",
            "-a/b=c",
        ] {
            assert!(Checkout::parse(wrong).is_err(), "{wrong}");
        }
    }
}
