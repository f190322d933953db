//! The repository that a factory lives in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use image_factory::model::RepoPath;

use super::Git;
use super::objects::{self, Object, is_id};
use super::read::{self, FileFault, Store};
use crate::process::ProcessError;

const DEADLINE: Duration = Duration::from_secs(120);

/// The top folder of the checkout around `folder`; `None` if there is none.
///
/// # Errors
///
/// If git cannot be run.
pub fn top_level(git: &Git, folder: &Path) -> Result<Option<PathBuf>, ProcessError> {
    let asked = git
        .in_checkout(folder, &["rev-parse", "--show-toplevel"])
        .run();
    match asked {
        Ok(output) => Ok(Some(path(&output.stdout)).filter(|path| !path.as_os_str().is_empty())),
        Err(error @ ProcessError::NotStarted { .. }) if !folder.is_dir() => {
            drop(error);
            Ok(None)
        }
        Err(error @ (ProcessError::NotStarted { .. } | ProcessError::TimedOut { .. })) => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

fn path(line: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    PathBuf::from(std::ffi::OsStr::from_bytes(line))
}

/// Why a file of a checkout's commit cannot be had.
#[derive(Debug)]
pub enum CommitError {
    /// What is asked for is no full id of a commit, or the checkout does not have it.
    NoCommit(String),
    /// There is no such file.
    File(FileFault),
    /// Git failed.
    Git(ProcessError),
    /// Git answered what it should not.
    Damaged(String),
}

impl std::fmt::Display for CommitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCommit(commit) => write!(f, "the checkout has no commit `{commit}`"),
            Self::File(FileFault::Path(fault)) => write!(f, "{fault}"),
            Self::File(FileFault::TooLarge { size, limit }) => {
                write!(
                    f,
                    "the file has {size} bytes, more than the {limit} that are read"
                )
            }
            Self::Git(error) => write!(f, "{error}"),
            Self::Damaged(what) => write!(f, "the repository is not whole: {what}"),
        }
    }
}

impl std::error::Error for CommitError {}

/// A file as a commit of the checkout around `folder` has it; its path counts from the
/// top of the repository. Files of a partial clone are fetched as git is set up to.
///
/// # Errors
///
/// No such commit, no such file, one with more bytes than `limit`, a git that fails.
pub fn file_at(
    git: &Git,
    folder: &Path,
    commit: &str,
    path: &RepoPath,
    limit: u64,
) -> Result<Vec<u8>, CommitError> {
    let shown = || commit.escape_default().take(80).collect::<String>();
    if !is_id(commit) {
        return Err(CommitError::NoCommit(shown()));
    }
    let store = Checkout { git, folder };
    let name = format!("{commit}^{{tree}}");
    if store
        .ask(&[&name], None)?
        .into_values()
        .all(|object| object.is_none())
    {
        return Err(CommitError::NoCommit(shown()));
    }
    let files = read::files(&store, commit, &[path.as_str()], limit)?;
    match files.into_iter().next() {
        Some(file) => file.map_err(CommitError::File),
        None => Err(store.damaged("there is no answer")),
    }
}

struct Checkout<'a> {
    git: &'a Git,
    folder: &'a Path,
}

impl Store for Checkout<'_> {
    type Error = CommitError;

    fn ask<'n>(
        &self,
        names: &[&'n str],
        content: Option<u64>,
    ) -> Result<BTreeMap<&'n str, Option<Object>>, CommitError> {
        let how = if content.is_some() {
            "--batch"
        } else {
            "--batch-check"
        };
        let list: String = names.iter().map(|name| format!("{name}\n")).collect();
        let lines = 256 * names.len() as u64;
        let output = self
            .git
            .in_checkout(self.folder, &["cat-file", how])
            .stdin(list)
            .limit(content.unwrap_or(0) + lines)
            .deadline(DEADLINE)
            .run()
            .map_err(CommitError::Git)?;
        objects::answers(names, &output.stdout, content.is_some())
            .ok_or_else(|| self.damaged("git says what it should not"))
    }

    fn bring(&self, _: &[&str]) -> Result<(), CommitError> {
        // Git has tried that already.
        Ok(())
    }

    fn damaged(&self, what: &str) -> CommitError {
        CommitError::Damaged(what.to_owned())
    }
}
