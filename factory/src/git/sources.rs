//! Files of other repositories: Dockerfiles, most of all.
//!
//! For each repository the branches are looked up by one question. What has not moved
//! since the last time is answered from the [`cache`](super::cache); of what has, the
//! folders of the new commit are fetched, without history and files, and then all
//! wanted files at once. Repositories are read side by side. What fails, fails alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fmt, thread};

use image_factory::model::{Branch, GitUrl, RepoPath};

pub use super::error::{SourceError, SourceErrorKind};
pub use super::read::FileFault;
pub use super::resolve::PathFault;

use super::Git;
use super::auth::Credentials;
use super::cache::{Cache, Entry};
use super::objects::{self, Object};
use super::read::{self, Store};
use super::remote::{Failure, Remote};
use super::words::Cause;
use super::{error, objects::is_id};
use crate::process::ProcessError;

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where the repository is.
    pub url: GitUrl,
    /// The branch that has it.
    pub branch: Branch,
    /// The commit, its full id; `None`: the branch's newest.
    pub commit: Option<String>,
    /// Its path, from the top of the repository.
    pub path: RepoPath,
}

/// A file as it was found.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its content.
    pub bytes: Vec<u8>,
    /// The commit that has it.
    pub commit: String,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched")
            .field("bytes", &self.bytes.len())
            .field("commit", &self.commit)
            .finish()
    }
}

/// How much patience and room there is.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For an answer to a question.
    pub answer: Duration,
    /// For a fetch.
    pub fetch: Duration,
    /// Without a single byte on the line.
    pub silence: Duration,
    /// Tries of what may be over when tried again.
    pub tries: u32,
    /// The pause after the first try; each later one is twice as long.
    pub pause: Duration,
    /// Bytes of one file.
    pub file: u64,
    /// Bytes of one fetch.
    pub pack: u64,
    /// Repositories that are read at the same time.
    pub parallel: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(60),
            fetch: Duration::from_secs(300),
            silence: Duration::from_secs(60),
            tries: 4,
            pause: Duration::from_secs(1),
            file: 64 << 20,
            pack: 1 << 30,
            parallel: 8,
        }
    }
}

/// What reading takes.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The program.
    pub git: &'a Git,
    /// Who may read what.
    pub credentials: &'a Credentials,
    /// What was read before.
    pub cache: &'a Cache,
    /// How much patience and room there is.
    pub limits: Limits,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Repositories that are done with.
    pub done: usize,
    /// Repositories in all.
    pub total: usize,
    /// The repository that was done with just now; `None` at the beginning.
    pub url: Option<&'a GitUrl>,
}

type Answer = Result<Fetched, SourceError>;

/// Gets all of them; the answers stand in the order of what was wanted. `progress` is
/// told from several threads.
pub fn fetch(
    wanted: &[Wanted],
    sources: &Sources<'_>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Vec<Answer> {
    let mut repositories: BTreeMap<&str, Vec<&Wanted>> = BTreeMap::new();
    for one in wanted {
        repositories.entry(one.url.as_str()).or_default().push(one);
    }
    let total = repositories.len();
    progress(Progress {
        done: 0,
        total,
        url: None,
    });
    let waiting = Mutex::new(repositories.into_values());
    let found: Mutex<BTreeMap<Key<'_>, Answer>> = Mutex::new(BTreeMap::new());
    let done = AtomicUsize::new(0);
    let work = || {
        loop {
            let next = lock(&waiting).next();
            let Some(group) = next else { return };
            let answers = repository(&group, sources);
            lock(&found).extend(answers);
            let done = done.fetch_add(1, Ordering::SeqCst) + 1;
            let url = group.first().map(|one| &one.url);
            progress(Progress { done, total, url });
        }
    };
    thread::scope(|scope| {
        for _ in 0..sources.limits.parallel.clamp(1, total.max(1)) {
            scope.spawn(work);
        }
    });
    let found = lock(&found);
    let answer = |one: &Wanted| found.get(&key(one)).cloned().unwrap_or_else(|| Err(lost()));
    wanted.iter().map(answer).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn lost() -> SourceError {
    SourceError::new(SourceErrorKind::Environment, "the reading ended early")
}

/// What makes two wishes the same.
type Key<'w> = (&'w str, &'w str, Option<&'w str>, &'w str);

fn key(one: &Wanted) -> Key<'_> {
    (
        one.url.as_str(),
        one.branch.as_str(),
        one.commit.as_deref(),
        one.path.as_str(),
    )
}

/// Everything that is wanted of one repository.
fn repository<'w>(group: &[&'w Wanted], sources: &Sources<'_>) -> Vec<(Key<'w>, Answer)> {
    let Some(url) = group.first().map(|one| &one.url) else {
        return Vec::new();
    };
    let accesses = sources.credentials.access(sources.git, url);
    let remote = Remote::new(sources.git, sources.cache, &sources.limits, accesses);
    let reader = Reader {
        url,
        sources,
        remote,
    };
    let branches: BTreeSet<&str> = group
        .iter()
        .filter(|one| one.commit.is_none())
        .map(|one| one.branch.as_str())
        .collect();
    let branches: Vec<&str> = branches.into_iter().collect();
    let heads = if branches.is_empty() {
        Ok(BTreeMap::new())
    } else {
        reader
            .remote
            .heads(&branches)
            .map_err(|failure| reader.error(&failure))
    };
    let mut commits: BTreeMap<(&str, &str), Vec<&'w Wanted>> = BTreeMap::new();
    let mut answers = Vec::new();
    let mut others = None;
    for one in group {
        match (&one.commit, &heads) {
            (Some(commit), _) if is_id(commit) => {
                commits
                    .entry((one.branch.as_str(), commit))
                    .or_default()
                    .push(one);
            }
            (Some(commit), _) => answers.push((key(one), Err(no_id(commit)))),
            (None, Err(error)) => answers.push((key(one), Err(error.clone()))),
            (None, Ok(heads)) => match heads.get(one.branch.as_str()) {
                Some(commit) => {
                    commits
                        .entry((one.branch.as_str(), commit))
                        .or_default()
                        .push(one);
                }
                None => {
                    let others = others.get_or_insert_with(|| reader.remote.all_heads());
                    let error = match others {
                        Ok(others) => error::no_branch(url, &one.branch, others),
                        Err(failure) => reader.error(failure),
                    };
                    answers.push((key(one), Err(error)));
                }
            },
        }
    }
    for ((_, commit), group) in commits {
        let found = reader.commit(commit, &group);
        answers.extend(group.into_iter().map(key).zip(found));
    }
    answers
}

fn no_id(commit: &str) -> SourceError {
    let shown: String = commit.escape_default().take(80).collect();
    SourceError::new(
        SourceErrorKind::NoCommit,
        format!("`{shown}` is no full id of a commit"),
    )
    .help("write all of its 40 digits, in lower case")
}

/// Reads one repository.
struct Reader<'a> {
    url: &'a GitUrl,
    sources: &'a Sources<'a>,
    remote: Remote<'a>,
}

impl Reader<'_> {
    fn error(&self, failure: &Failure) -> SourceError {
        let credentials = self.sources.credentials;
        error::of_failure(failure, self.remote.tries(), self.url, credentials)
    }

    /// The wanted files of one commit; all are of the same branch.
    fn commit(&self, commit: &str, group: &[&Wanted]) -> Vec<Answer> {
        let Some(branch) = group.first().map(|one| &one.branch) else {
            return Vec::new();
        };
        let paths: BTreeSet<&str> = group.iter().map(|one| one.path.as_str()).collect();
        let paths: Vec<&str> = paths.into_iter().collect();
        let files = match self.sources.cache.entry(self.url, branch) {
            Ok(entry) => self.files(&entry, commit, &paths),
            Err(error) => Err(cache_trouble(&error)),
        };
        let answer = |one: &&Wanted| match &files {
            Err(error) => Err(error.clone()),
            Ok(files) => match files.get(one.path.as_str()) {
                Some(Ok(bytes)) => Ok(Fetched {
                    bytes: bytes.clone(),
                    commit: commit.to_owned(),
                }),
                Some(Err(fault)) => Err(error::no_file(one, fault)),
                None => Err(lost()),
            },
        };
        group.iter().map(answer).collect()
    }

    fn files<'p>(
        &self,
        entry: &Entry,
        commit: &str,
        paths: &[&'p str],
    ) -> Result<BTreeMap<&'p str, Result<Vec<u8>, FileFault>>, SourceError> {
        let known = entry.recall(commit, paths);
        let unknown: Vec<&str> = paths
            .iter()
            .copied()
            .filter(|p| !known.contains_key(p))
            .collect();
        let mut all: BTreeMap<_, _> = known
            .into_iter()
            .map(|(path, file)| (path, Ok(file)))
            .collect();
        if unknown.is_empty() {
            return Ok(all);
        }
        let found = match self.read(entry, commit, &unknown) {
            // What was there may be the trouble; once more without.
            Err(Trouble::Old(_)) => {
                entry.discard().map_err(|error| cache_trouble(&error))?;
                self.read(entry, commit, &unknown)
            }
            other => other,
        };
        let found = found.map_err(|trouble| match trouble {
            Trouble::Old(error) | Trouble::New(error) => error,
        })?;
        all.extend(unknown.into_iter().zip(found));
        let good = all
            .iter()
            .filter_map(|(path, file)| Some((*path, file.as_deref().ok()?)));
        entry.remember(commit, &good.collect());
        Ok(all)
    }

    fn read(
        &self,
        entry: &Entry,
        commit: &str,
        paths: &[&str],
    ) -> Result<Vec<Result<Vec<u8>, FileFault>>, Trouble> {
        let (folder, old) = entry
            .repository(commit.len())
            .map_err(|error| Trouble::New(cache_trouble(&error)))?;
        let store = Kept {
            reader: self,
            entry,
            folder: &folder,
            old,
        };
        store.need(commit)?;
        read::files(&store, commit, paths, self.sources.limits.file)
    }
}

fn cache_trouble(error: &std::io::Error) -> SourceError {
    SourceError::new(
        SourceErrorKind::Environment,
        format!("the cache of repositories cannot be used: {error}"),
    )
    .help("name another folder by `IMAGE_FACTORY_CACHE`")
}

/// Why a commit cannot be read.
enum Trouble {
    /// It may be because of what was in the cache.
    Old(SourceError),
    New(SourceError),
}

/// The objects in the cache, and behind them those on the server.
struct Kept<'a> {
    reader: &'a Reader<'a>,
    entry: &'a Entry,
    folder: &'a std::path::Path,
    /// Was it there before?
    old: bool,
}

impl Kept<'_> {
    fn trouble(&self, error: SourceError) -> Trouble {
        if self.old {
            Trouble::Old(error)
        } else {
            Trouble::New(error)
        }
    }

    fn failed(&self, failure: &Failure) -> Trouble {
        let error = self.reader.error(failure);
        match failure {
            Failure::Cause(Cause::Permanent(_) | Cause::OtherObjects) => self.trouble(error),
            Failure::TooMuch => {
                // It would only lie around.
                let _ = self.entry.discard();
                Trouble::New(error)
            }
            _ => Trouble::New(error),
        }
    }

    /// Fetches the commit if it is not there.
    fn need(&self, commit: &str) -> Result<(), Trouble> {
        let name = format!("{commit}^{{tree}}");
        let there = || {
            let answer = self.ask(&[&name], None)?;
            Ok(answer.into_values().any(|object| object.is_some()))
        };
        if there()? {
            return Ok(());
        }
        self.reader
            .remote
            .commit(self.folder, self.entry, commit)
            .map_err(|failure| self.failed(&failure))?;
        if there()? {
            Ok(())
        } else {
            Err(self.trouble(error::other_commit(self.reader.url)))
        }
    }
}

impl Store for Kept<'_> {
    type Error = Trouble;

    fn ask<'n>(
        &self,
        names: &[&'n str],
        content: Option<u64>,
    ) -> Result<BTreeMap<&'n str, Option<Object>>, Trouble> {
        let length = names.iter().map(|name| name.len()).max().unwrap_or(0);
        let neutral = self
            .reader
            .sources
            .cache
            .neutral(if length >= 64 { 64 } else { 40 });
        let how = if content.is_some() {
            "--batch"
        } else {
            "--batch-check"
        };
        let list: String = names.iter().map(|name| format!("{name}\n")).collect();
        let lines = 256 * names.len() as u64;
        let process = self
            .reader
            .sources
            .git
            .in_cache(&neutral, Vec::new(), &["cat-file", how])
            .env("GIT_OBJECT_DIRECTORY", self.folder.join("objects"))
            .stdin(list)
            .limit(content.unwrap_or(0) + lines)
            .deadline(self.reader.sources.limits.fetch);
        match process.run() {
            Ok(output) => objects::answers(names, &output.stdout, content.is_some())
                .ok_or_else(|| self.damaged("git says what it should not")),
            Err(error @ ProcessError::NotStarted { .. }) => Err(self.failed(&Failure::from(error))),
            Err(error) => Err(self.damaged(&error.to_string())),
        }
    }

    fn bring(&self, ids: &[&str]) -> Result<(), Trouble> {
        let fetched = self.reader.remote.files(self.folder, self.entry, ids);
        fetched.map_err(|failure| self.failed(&failure))
    }

    fn damaged(&self, what: &str) -> Trouble {
        self.trouble(SourceError::new(
            SourceErrorKind::Unexpected,
            format!(
                "`{}` gave a repository that is not whole: {what}",
                self.reader.url
            ),
        ))
    }
}
