//! What is asked of a server, again where that may help.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::auth::Access;
use super::cache::{Cache, Entry};
use super::objects::is_id;
use super::retry::{Again, Retry};
use super::words::{self, Cause};
use super::{Git, sources::Limits};
use crate::process::{Output, Process, ProcessError};

/// Branches that are asked for by one git.
const AT_ONCE: usize = 64;
/// For all branches of a large repository.
const LISTING: u64 = 16 << 20;

/// Why a server did not give what was asked for.
#[derive(Debug)]
pub(super) enum Failure {
    /// What git said.
    Cause(Cause),
    /// Nothing came within this time.
    TimedOut(Duration),
    /// More came than anybody needs.
    TooMuch,
    /// Git itself does not run.
    NoGit(String),
}

/// One repository on its server.
pub(super) struct Remote<'a> {
    git: &'a Git,
    cache: &'a Cache,
    limits: &'a Limits,
    accesses: Vec<Access>,
    /// The access that has worked.
    working: Cell<Option<usize>>,
    /// The most that anything was tried.
    tries: Cell<u32>,
}

impl<'a> Remote<'a> {
    pub(super) fn new(
        git: &'a Git,
        cache: &'a Cache,
        limits: &'a Limits,
        accesses: Vec<Access>,
    ) -> Self {
        Self {
            git,
            cache,
            limits,
            accesses,
            working: Cell::new(None),
            tries: Cell::new(1),
        }
    }

    /// How often the last thing was tried.
    pub(super) fn tries(&self) -> u32 {
        self.tries.get()
    }

    /// The commits that branches are at; those that do not exist are left out. Others may
    /// be among them: git takes a name for the end of a longer one too.
    pub(super) fn heads(&self, branches: &[&str]) -> Result<BTreeMap<String, String>, Failure> {
        let mut all = BTreeMap::new();
        for some in branches.chunks(AT_ONCE) {
            let refs: Vec<String> = some.iter().map(|b| format!("refs/heads/{b}")).collect();
            all.append(&mut self.list(&refs)?);
        }
        Ok(all)
    }

    /// All branches.
    pub(super) fn all_heads(&self) -> Result<Vec<String>, Failure> {
        Ok(self.list(&[])?.into_keys().collect())
    }

    fn list(&self, refs: &[String]) -> Result<BTreeMap<String, String>, Failure> {
        let folder = self.cache.neutral(40);
        let output = self.run(|access| {
            let url = access.url().as_str();
            let mut args = vec!["ls-remote", "--quiet", "--heads", "--", url];
            args.extend(refs.iter().map(String::as_str));
            self.process(access, &folder, &[], &args)
                .limit(LISTING)
                .deadline(self.limits.answer)
        })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let head = |line: &str| {
            let (id, name) = line.split_once('\t')?;
            let name = name.strip_prefix("refs/heads/")?;
            is_id(id).then(|| (name.to_owned(), id.to_owned()))
        };
        Ok(text.lines().filter_map(head).collect())
    }

    /// Fetches a commit with its folders, without files if the server can do that.
    pub(super) fn commit(&self, folder: &Path, entry: &Entry, commit: &str) -> Result<(), Failure> {
        let spec = format!("+{commit}:refs/factory/newest");
        self.fetch(
            folder,
            entry,
            "consecutive",
            &["--depth=1", "origin", &spec],
            &[],
        )
    }

    /// Fetches files by their ids.
    pub(super) fn files(&self, folder: &Path, entry: &Entry, ids: &[&str]) -> Result<(), Failure> {
        let list: String = ids.iter().map(|id| format!("{id}\n")).collect();
        // What is there already is not worth a word: none of it is asked for.
        self.fetch(
            folder,
            entry,
            "noop",
            &["--stdin", "origin"],
            list.as_bytes(),
        )
    }

    fn fetch(
        &self,
        folder: &Path,
        entry: &Entry,
        negotiation: &str,
        what: &[&str],
        input: &[u8],
    ) -> Result<(), Failure> {
        let mut args = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-write-commit-graph",
            "--no-show-forced-updates",
            "--recurse-submodules=no",
            "--filter=blob:none",
        ];
        args.extend(what);
        let most = entry.weight() + self.limits.pack;
        self.run(|access| {
            let negotiation = ("fetch.negotiationAlgorithm", negotiation);
            self.process(access, folder, &[negotiation], &args)
                .stdin(input)
                .deadline(self.limits.fetch)
                .watch(|| entry.weight() <= most)
        })?;
        // What comes fast is through before anybody looks.
        if entry.weight() > most {
            return Err(Failure::TooMuch);
        }
        Ok(())
    }

    fn process<'p>(
        &self,
        access: &Access,
        folder: &Path,
        more: &[(&str, &str)],
        args: &[&str],
    ) -> Process<'p> {
        let silence = self.limits.silence.as_secs().max(1).to_string();
        let mut settings = vec![
            // A huge file goes to the disk as it comes, not through memory.
            ("core.bigFileThreshold", "32m"),
            ("http.lowSpeedLimit", "1"),
            ("http.lowSpeedTime", silence.as_str()),
        ];
        settings.extend(more);
        access.in_cache(self.git, folder, &settings, args)
    }

    /// Runs a git with each access until one is let in, and again while that may help.
    fn run<'p>(&self, make: impl Fn(&Access) -> Process<'p>) -> Result<Output, Failure> {
        let retry = Retry {
            tries: self.limits.tries,
            pause: self.limits.pause,
        };
        let (result, tries) = retry.run(again, || self.with_any_access(&make));
        self.tries.set(tries);
        result
    }

    fn with_any_access<'p>(
        &self,
        make: impl Fn(&Access) -> Process<'p>,
    ) -> Result<Output, Failure> {
        let mut shut_out = None;
        for (at, access) in self.accesses.iter().enumerate() {
            if self.working.get().is_some_and(|working| working != at) {
                continue;
            }
            match make(access).run().map_err(Failure::from) {
                Ok(output) => {
                    self.working.set(Some(at));
                    return Ok(output);
                }
                Err(failure @ Failure::Cause(Cause::Denied | Cause::NotFound)) => {
                    shut_out.get_or_insert(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(shut_out.unwrap_or_else(|| Failure::NoGit("no way to reach it".to_owned())))
    }
}

impl From<ProcessError> for Failure {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::NotStarted { .. } => Self::NoGit(error.to_string()),
            ProcessError::TimedOut { after, .. } => Self::TimedOut(after),
            ProcessError::TooMuch { .. } => Self::TooMuch,
            ProcessError::Failed { stderr, .. } => Self::Cause(words::cause(&stderr)),
        }
    }
}

fn again(failure: &Failure) -> Again {
    match failure {
        Failure::Cause(Cause::Transient(_)) => Again::Often,
        Failure::TimedOut(_) => Again::Once,
        _ => Again::Never,
    }
}
