//! The working copy that holds a factory: where it is, what it stands at, what in it
//! is not committed.

use std::path::Path;

use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{GitUrl, Parse as _};

use super::Git;
use super::auth::Credentials;
use super::program::{Answer, Program, Trouble};
use super::tree_at::missing;
use super::words::{Cause, cause};

/// A working copy of a git repository, with the factory's folder in it.
#[derive(Clone, Debug)]
pub struct Checkout<'a> {
    pub(super) git: Program<'a>,
    /// The factory's folder relative to the top: empty, or with `/` at its end.
    pub(super) prefix: String,
    pub(super) shallow: bool,
    /// Whether objects are fetched when they are first needed.
    partial: bool,
    credentials: Credentials,
}

/// Which way things go between a checkout and a remote: the addresses may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Fetch,
    Push,
}

/// What a working copy stands at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Full name of the branch; `None` where HEAD is detached.
    pub(super) branch: Option<String>,
    pub(super) commit: String,
}

impl<'a> Checkout<'a> {
    /// The working copy around `root`, which is the folder of images.yaml.
    ///
    /// # Errors
    ///
    /// No git, or no working copy there.
    pub fn around(git: &'a Git, root: &Path) -> Result<Self, Diagnostic> {
        let here = Program::new(git, root);
        let asked = here.line(
            &[
                "rev-parse",
                "--show-prefix",
                "--is-shallow-repository",
                "--is-inside-work-tree",
            ],
            b"",
        );
        let answer = asked.map_err(|trouble| no_checkout(root, &trouble.to_string()))?;
        let mut lines = answer.lines();
        let (Some(prefix), Some(shallow), Some("true")) =
            (lines.next(), lines.next(), lines.next())
        else {
            return Err(no_checkout(root, "it is no working copy"));
        };
        let top = here
            .line(&["rev-parse", "--show-toplevel"], b"")
            .map_err(|trouble| no_checkout(root, &trouble.to_string()))?;
        let partial = here
            .perhaps(&["config", "--get", "extensions.partialClone"])
            .and_then(|named| match named {
                None => here.perhaps(&["config", "--get-regexp", r"^remote\..*\.promisor$"]),
                named => Ok(named),
            })
            .map_err(|trouble| no_checkout(root, &trouble.to_string()))?;
        Ok(Self {
            git: Program::new(git, Path::new(&top)),
            prefix: prefix.to_owned(),
            shallow: shallow == "true",
            partial: partial.is_some(),
            credentials: Credentials::default(),
        })
    }

    /// The same with credentials for the hosts that remotes are on. Without, git's own
    /// configuration has to know them.
    #[must_use]
    pub fn with(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Runs a git that talks to a remote, by the ways that there are to get at it.
    pub(super) fn remote(
        &self,
        name: &str,
        way: Way,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Answer, Trouble> {
        let mut asked = vec!["remote", "get-url"];
        if way == Way::Push {
            asked.push("--push");
        }
        asked.extend(["--", name]);
        let address = self.git.perhaps(&asked)?;
        // Another kind of address (ssh, a folder) has credentials of its own kind.
        let url = address.and_then(|address| GitUrl::parse(&without_user(&address)).ok());
        let mut accesses = match url {
            Some(url) => self.credentials.access(self.git.git(), &url),
            None => Vec::new(),
        }
        .into_iter();
        let mut access = accesses.next();
        loop {
            let answer = self.git.remote(access.as_ref(), arguments, input)?;
            let denied = || matches!(cause(&answer.words), Cause::Denied | Cause::NotFound);
            access = accesses.next();
            if answer.done || access.is_none() || !denied() {
                return Ok(answer);
            }
        }
    }

    /// The commit that HEAD is at; `None` before the first one.
    ///
    /// # Errors
    ///
    /// If git cannot be run.
    pub fn at(&self) -> Result<Option<String>, Trouble> {
        self.commit("HEAD")
    }

    /// What HEAD is.
    pub(super) fn head(&self) -> Result<Option<Head>, Trouble> {
        let branch = self.git.perhaps(&["symbolic-ref", "-q", "HEAD"])?;
        let commit = self.commit("HEAD")?;
        Ok(commit.map(|commit| Head { branch, commit }))
    }

    /// The commit that a ref stands for, if there is such a ref.
    pub(super) fn commit(&self, name: &str) -> Result<Option<String>, Trouble> {
        let name = format!("{name}^{{commit}}");
        self.git.perhaps(&["rev-parse", "-q", "--verify", &name])
    }

    /// Is everything of `one` in `other`? In a shallow clone that may not be known: no.
    pub(super) fn is_ancestor(&self, one: &str, other: &str) -> Result<bool, Trouble> {
        Ok(one == other
            || self
                .git
                .run(&["merge-base", "--is-ancestor", one, other], b"")?
                .done)
    }

    /// One setting of the user's or the repository's.
    pub(super) fn setting(&self, key: &str) -> Result<Option<String>, Trouble> {
        self.git.perhaps(&["config", "--get", key])
    }

    /// Is a clone of one commit, whose parents are cut off?
    pub(super) fn is_cut_at(&self, commit: &str) -> Result<bool, Trouble> {
        if !self.shallow {
            return Ok(false);
        }
        let parents = self
            .git
            .line(&["rev-list", "--parents", "--max-count=1", commit], b"")?;
        Ok(parents.split(' ').nth(1).is_none())
    }

    /// Fetches, in one go, those of the objects that a partial clone does not have.
    pub(super) fn bring<'w>(
        &self,
        commit: &str,
        wanted: impl Iterator<Item = &'w str>,
    ) -> Result<(), Trouble> {
        let Some(remote) = self.promisor()? else {
            return Ok(());
        };
        let folder = format!("{commit}:{}", self.prefix.trim_end_matches('/'));
        let listed = self.git.line(
            &[
                "rev-list",
                "--objects",
                "--no-object-names",
                "--missing=print",
                &folder,
            ],
            b"",
        )?;
        let missing = missing(&listed, wanted);
        if missing.is_empty() {
            return Ok(());
        }
        let mut input = String::new();
        for id in missing {
            input.push_str(id);
            input.push('\n');
        }
        let fetched = self.remote(
            &remote,
            Way::Fetch,
            &[
                "-c",
                "fetch.negotiationAlgorithm=noop",
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--recurse-submodules=no",
                "--filter=blob:none",
                "--stdin",
                "--end-of-options",
                &remote,
            ],
            input.as_bytes(),
        )?;
        if fetched.done {
            Ok(())
        } else {
            Err(Trouble::Failed("fetch".to_owned(), fetched.words))
        }
    }

    /// What in some folders and files of the root is not as HEAD has it, or not
    /// tracked: paths relative to the root.
    pub(super) fn uncommitted(&self, paths: &[&str]) -> Result<Vec<String>, Trouble> {
        let paths: Vec<String> = paths.iter().map(|path| self.top_path(path)).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let mut found = self.uncommitted_of_top(&paths)?;
        found.retain(|path| path.starts_with(&self.prefix));
        for path in &mut found {
            path.drain(..self.prefix.len());
        }
        Ok(found)
    }

    /// What is not committed of paths of the repository.
    pub(super) fn uncommitted_of_top(&self, paths: &[&str]) -> Result<Vec<String>, Trouble> {
        let mut arguments = vec![
            "--no-optional-locks",
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignored=matching",
            "--ignore-submodules=all",
            "--",
        ];
        arguments.extend(paths);
        let out = self.git.bytes(&arguments, b"")?;
        let mut found: Vec<String> = out
            .split(|byte| *byte == 0)
            .filter_map(|line| line.get(3..))
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        found.sort();
        Ok(found)
    }

    /// A path of the root as a path of the repository.
    pub(super) fn top_path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Replaces, in index and working tree, what two commits differ in.
    fn replace(&self, from: &str, to: &str) -> Result<(), Trouble> {
        let arguments = ["read-tree", "-m", "-u", from, to];
        // A partial clone fetches what it now needs.
        let answer = match self.promisor()? {
            Some(remote) => self.remote(&remote, Way::Fetch, &arguments, b"")?,
            None => self.git.run(&arguments, b"")?,
        };
        if answer.done {
            Ok(())
        } else {
            Err(Trouble::Failed("read-tree".to_owned(), answer.words))
        }
    }

    /// The remote that a partial clone gets its objects from.
    fn promisor(&self) -> Result<Option<String>, Trouble> {
        if !self.partial {
            return Ok(None);
        }
        let named = self.setting("extensions.partialClone")?;
        Ok(Some(named.unwrap_or_else(|| "origin".to_owned())))
    }

    /// Takes index and working tree from one commit to another where nothing
    /// uncommitted is in the way, and then the branch, if it still is where it was.
    /// `false`: the branch has moved, and all is as before.
    pub(super) fn advance(&self, head: &Head, to: &str) -> Result<bool, Trouble> {
        // Says which files have changed since, which is no fault.
        self.git.run(&["update-index", "-q", "--refresh"], b"")?;
        let from = head.commit.as_str();
        self.replace(from, to)?;
        let name = head.branch.as_deref().unwrap_or("HEAD");
        let moved = self.git.run(
            &[
                "update-ref",
                "-m",
                "image-factory",
                "--no-deref",
                name,
                to,
                from,
            ],
            b"",
        )?;
        if moved.done {
            return Ok(true);
        }
        self.replace(to, from)?;
        match self.head()? {
            Some(now) if now == *head => Err(Trouble::Failed("update-ref".to_owned(), moved.words)),
            _ => Ok(false),
        }
    }
}

/// An address without the user that it may name.
fn without_user(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority
                .rsplit_once('@')
                .map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => address.to_owned(),
    }
}

fn no_checkout(root: &Path, why: &str) -> Diagnostic {
    Diagnostic::error(
        code::NO_CHECKOUT,
        format!("`{}` cannot be committed to: {why}", root.display()),
    )
    .help("`--commit` needs a clone of the factory's repository; leave it away to change the files only")
}
