//! What is computed from a commit becomes the next one, on the branch that all share.
//!
//! Everything is computed from a commit, never from the files on the disk. If the
//! branch has moved meanwhile, it is computed again from where the branch is now:
//! nothing is merged as text, nothing is forced, nothing of anybody's is lost. The
//! commit is made object by object; working tree, index and branch of the checkout
//! stay as they are until it has landed.

mod patience;
mod problems;
mod remote;

use std::collections::BTreeSet;

use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::Branch;
use image_factory::tree::{Edit, Tree};

pub use patience::Patience;

use super::checkout::{Checkout, Head};
use super::commit::commit;
use super::program::Trouble;
use super::pull_request::Host;
use super::tree_at::{NoTree, tree_at};
use patience::Tries;
use problems::{failed, given_up, no_commit, other_branch, uncommitted};
use remote::Remote;

/// What is to be committed.
#[derive(Clone, Debug)]
pub struct Change {
    /// The files.
    pub edit: Edit,
    /// The whole message; its first line is the subject.
    pub message: String,
}

/// Where a change goes.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Onto the branch that the checkout is on, and no further.
    Here,
    /// Onto this branch of the remote, which the checkout is on.
    Push(&'a Branch),
    /// Onto a branch of its own, with a request to pull it into this one.
    PullRequest(&'a Branch, &'a Host),
}

/// How a change is published.
pub struct Options<'a> {
    /// Where the parts of a factory are; its texts do not count.
    pub places: &'a Tree,
    /// Where it goes.
    pub target: Target<'a>,
    /// What tells one proposal from another, such as `analyze-shop-1a2b`: a second
    /// run with the same topic goes on with the same pull request.
    pub topic: &'a str,
    /// How long to keep trying.
    pub patience: Patience,
    /// Told of what takes time, a line each.
    pub tell: &'a dyn Fn(&str),
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("target", &self.target)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The commit.
    pub commit: String,
    /// How often it was computed.
    pub attempts: u32,
    /// Where a person can look at the pull request.
    pub pull_request: Option<String>,
    /// What is not as it should be although it landed.
    pub warnings: Vec<Diagnostic>,
}

/// Why nothing was published. Nothing has changed.
#[derive(Debug)]
pub enum PublishError<E> {
    /// What computes the change says no.
    Compute(E),
    /// Git, the server or the checkout says no.
    Stopped(Vec<Diagnostic>),
}

impl<E> From<Diagnostic> for PublishError<E> {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Stopped(vec![diagnostic])
    }
}

impl<E> From<Trouble> for PublishError<E> {
    fn from(trouble: Trouble) -> Self {
        failed(&trouble).into()
    }
}

impl<E> From<NoTree> for PublishError<E> {
    fn from(no: NoTree) -> Self {
        match no {
            NoTree::Git(trouble) => trouble.into(),
            NoTree::Files(faults) => Self::Stopped(faults),
        }
    }
}

/// Computes a change on the commit that the checkout, or its remote branch, is at, and
/// makes it the next commit there; on a newer commit it is computed anew. `None`: there
/// is nothing to change.
///
/// The caller holds the lock of the root.
///
/// # Errors
///
/// What `compute` says, or what stands in the way. Nothing has changed then, on no side.
pub fn publish<E>(
    checkout: &Checkout<'_>,
    options: &Options<'_>,
    compute: &mut dyn FnMut(&Tree) -> Result<Option<Change>, E>,
) -> Result<Option<Published>, PublishError<E>> {
    let head = checkout.head()?.ok_or_else(no_commit)?;
    let run = Run {
        checkout,
        options,
        dirty: dirty(checkout, options.places)?,
        head,
    };
    match options.target {
        Target::Here => run.here(compute),
        Target::Push(branch) => run.remote(branch)?.push(compute),
        Target::PullRequest(branch, host) => run.remote(branch)?.propose(host, compute),
    }
}

struct Run<'a> {
    checkout: &'a Checkout<'a>,
    options: &'a Options<'a>,
    head: Head,
    /// What is not committed, of all that a factory has.
    dirty: Vec<String>,
}

/// A commit that is made, and what it is about.
struct Made {
    commit: String,
    change: Change,
}

impl<'a> Run<'a> {
    /// Computes and commits on `base`; nothing refers to the commit yet.
    fn make<E>(
        &self,
        base: &str,
        compute: &mut dyn FnMut(&Tree) -> Result<Option<Change>, E>,
    ) -> Result<Option<Made>, PublishError<E>> {
        let tree = tree_at(self.checkout, base, self.options.places)?;
        let Some(mut change) = compute(&tree).map_err(PublishError::Compute)? else {
            return Ok(None);
        };
        change
            .edit
            .files
            .retain(|path, text| tree.group(path).is_none() || tree.text(path) != text.as_deref());
        let in_the_way: Vec<&str> = self
            .dirty
            .iter()
            .map(String::as_str)
            .filter(|dirty| change.edit.files.keys().any(|path| covers(dirty, path)))
            .collect();
        if !in_the_way.is_empty() {
            return Err(uncommitted(&in_the_way).into());
        }
        let commit = commit(self.checkout, base, &change.edit, &change.message)?;
        Ok(commit.map(|commit| Made { commit, change }))
    }

    /// Commits onto the branch that the checkout is on.
    fn here<E>(
        mut self,
        compute: &mut dyn FnMut(&Tree) -> Result<Option<Change>, E>,
    ) -> Result<Option<Published>, PublishError<E>> {
        let mut tries = Tries::new(&self.options.patience);
        loop {
            tries.attempts += 1;
            let Some(made) = self.make(&self.head.commit, compute)? else {
                return Ok(None);
            };
            if self.checkout.advance(&self.head, &made.commit)? {
                return Ok(Some(made.published(&tries)));
            }
            if !tries.again() {
                return Err(given_up(&tries, "the branch keeps moving").into());
            }
            self.head = self.checkout.head()?.ok_or_else(no_commit)?;
        }
    }

    /// The remote that the checkout's branch follows. What else is checked before
    /// anything is pushed: that it is that branch.
    fn remote(self, branch: &'a Branch) -> Result<Remote<'a>, Diagnostic> {
        if self.head.branch != Some(format!("refs/heads/{branch}")) {
            return Err(other_branch(self.head.branch.as_deref(), branch));
        }
        let setting = |key: &str| {
            self.checkout
                .setting(key)
                .map_err(|trouble| failed(&trouble))
        };
        let name = setting(&format!("branch.{branch}.remote"))?;
        let name = name.filter(|name| name != ".");
        let name = name.unwrap_or_else(|| "origin".to_owned());
        if setting(&format!("remote.{name}.url"))?.is_none() {
            return Err(Diagnostic::error(
                code::PUSH_REFUSED,
                format!("the checkout has no remote `{name}` to push to"),
            )
            .help(format!("add it: `git remote add {name} URL`")));
        }
        Ok(Remote::new(self, name, branch))
    }
}

impl Made {
    fn published(self, tries: &Tries<'_>) -> Published {
        Published {
            commit: self.commit,
            attempts: tries.attempts,
            pull_request: None,
            warnings: Vec::new(),
        }
    }
}

/// What is not committed of what a factory has. That of the enrollment is an error: what
/// is computed comes from the commit, and would not be what the file says.
fn dirty(checkout: &Checkout<'_>, places: &Tree) -> Result<Vec<String>, Diagnostic> {
    let folders = [
        places.enrollment.as_str(),
        "images.d",
        &places.state,
        &places.out_folder,
    ];
    if let Some(outside) = folders
        .iter()
        .find(|path| path.starts_with('/') || path.starts_with(".."))
    {
        return Err(Diagnostic::error(
            code::NO_CHECKOUT,
            format!("`{outside}` is outside the root, so it cannot be committed with it"),
        )
        .help("leave `--commit` away, or keep images.yaml, state/ and dist/ in one folder"));
    }
    let dirty = checkout
        .uncommitted(&folders)
        .map_err(|trouble| failed(&trouble))?;
    let enrollment: Vec<&str> = dirty
        .iter()
        .map(String::as_str)
        .filter(|path| covers(path, &places.enrollment) || path.starts_with("images.d/"))
        .collect();
    if enrollment.is_empty() {
        Ok(dirty)
    } else {
        Err(uncommitted(&enrollment))
    }
}

/// Sees to it that these files, by their paths from the top of the repository, are on the
/// disk as they are committed: what was read of them then holds for the commit.
///
/// # Errors
///
/// Which are not, or why git cannot say.
pub fn all_committed(checkout: &Checkout<'_>, paths: &BTreeSet<String>) -> Result<(), Diagnostic> {
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    // As many as fit into one call.
    for some in paths.chunks(1000) {
        let some = checkout.uncommitted_of_top(some);
        found.extend(some.map_err(|trouble| failed(&trouble))?);
    }
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    if found.is_empty() {
        Ok(())
    } else {
        Err(uncommitted(&found))
    }
}

/// Is `path` what git lists as not committed, or in a folder that it lists?
fn covers(listed: &str, path: &str) -> bool {
    listed == path || (listed.ends_with('/') && path.starts_with(listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_folder_covers_what_is_in_it() {
        assert!(covers("state/a.yaml", "state/a.yaml"));
        assert!(covers("dist/", "dist/a.yaml"));
        assert!(!covers("dist", "dist/a.yaml"));
        assert!(!covers("state/a.yaml", "state/a.yaml.orig"));
    }
}
