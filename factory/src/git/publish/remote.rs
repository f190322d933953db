//! The branch of a remote: onto it, or beside it with a request to pull.

use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::Branch;
use image_factory::tree::Tree;

use super::patience::Tries;
use super::problems::{There, failed, given_up, not_opened};
use super::{Change, Made, PublishError, Published, Run};
use crate::git::checkout::Way;
use crate::git::program::Trouble;
use crate::git::pull_request::{self, Host, Proposal};
use crate::git::push::{Pushed, push};
use crate::git::words::{Cause, cause};

pub(super) struct Remote<'a> {
    run: Run<'a>,
    name: String,
    branch: &'a Branch,
    /// `refs/heads/BRANCH`
    full: String,
    /// `refs/remotes/NAME/BRANCH`
    tracking: String,
    tries: Tries<'a>,
}

impl<'a> Remote<'a> {
    pub(super) fn new(run: Run<'a>, name: String, branch: &'a Branch) -> Self {
        Self {
            full: format!("refs/heads/{branch}"),
            tracking: format!("refs/remotes/{name}/{branch}"),
            tries: Tries::new(&run.options.patience),
            branch,
            name,
            run,
        }
    }

    fn there(&self) -> There<'_> {
        There {
            name: &self.name,
            branch: self.branch,
        }
    }

    /// Makes the change the next commit of the remote branch.
    pub(super) fn push<E>(
        mut self,
        compute: &mut dyn FnMut(&Tree) -> Result<Option<Change>, E>,
    ) -> Result<Option<Published>, PublishError<E>> {
        let (mut base, mut own) = self.start()?;
        // A commit of which it is not known whether it arrived.
        let mut sent: Option<Made> = None;
        loop {
            self.tries.attempts += 1;
            let made = match (self.run.make(&base, compute)?, sent.take()) {
                (Some(made), _) => made,
                // All that there was to say stands there: it did arrive.
                (None, Some(sent)) => return Ok(Some(self.follow(sent, &base))),
                (None, None) => return Ok(None),
            };
            let failure = match push(self.run.checkout, &self.name, &made.commit, &self.full)? {
                Pushed::Landed => {
                    let to = made.commit.clone();
                    return Ok(Some(self.follow(made, &to)));
                }
                Pushed::Moved => None,
                Pushed::Transient(words) => {
                    sent = Some(made);
                    Some(words)
                }
                Pushed::Protected(words) => return Err(self.there().protected(&words).into()),
                Pushed::Refused(words) => return Err(self.there().refused(&words).into()),
            };
            self.wait(failure)?;
            (base, own) = self.newer(own)?;
        }
    }

    /// The commit to begin with, and whether it is HEAD with commits of its own: else it
    /// is what is known of the remote branch.
    fn start(&mut self) -> Result<(String, bool), Diagnostic> {
        let head = self.run.head.commit.clone();
        match self.known(&self.tracking)? {
            Some(known) if self.is_ancestor(&head, &known)? => Ok((known, false)),
            Some(known) if self.is_ancestor(&known, &head)? => Ok((head, true)),
            _ => self.newer(true),
        }
    }

    /// The same, as the remote has it now.
    fn newer(&mut self, own: bool) -> Result<(String, bool), Diagnostic> {
        let now = self.fetch(&self.full.clone(), &self.tracking.clone())?;
        let head = self.run.head.commit.clone();
        if !own || self.is_ancestor(&head, &now)? {
            Ok((now, false))
        } else if self.is_ancestor(&now, &head)? {
            Ok((head, true))
        } else {
            Err(self.there().pull_first())
        }
    }

    fn known(&self, name: &str) -> Result<Option<String>, Diagnostic> {
        self.run
            .checkout
            .commit(name)
            .map_err(|trouble| failed(&trouble))
    }

    fn is_ancestor(&self, one: &str, other: &str) -> Result<bool, Diagnostic> {
        let known = self.run.checkout.is_ancestor(one, other);
        known.map_err(|trouble| failed(&trouble))
    }

    /// Fetches a branch of the remote, and gives the commit that it is at.
    fn fetch(&mut self, from: &str, to: &str) -> Result<String, Diagnostic> {
        let checkout = self.run.checkout;
        let refspec = format!("+{from}:{to}");
        let mut arguments = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--recurse-submodules=no",
        ];
        let cut = checkout.is_cut_at(&self.run.head.commit);
        if cut.map_err(|trouble| failed(&trouble))? {
            arguments.push("--depth=1");
        }
        let name = self.name.clone();
        arguments.extend(["--end-of-options", &name, &refspec]);
        self.ask(&arguments)?;
        self.known(to)?
            .ok_or_else(|| self.there().fetch_failed("the branch is not there"))
    }

    /// Pauses before the next attempt.
    fn wait(&mut self, failure: Option<String>) -> Result<(), Diagnostic> {
        let tell = self.run.options.tell;
        match &failure {
            Some(words) => {
                self.tries.failures += 1;
                tell(&format!("{}: {words}; trying again", self.name));
            }
            None => {
                self.tries.failures = 0;
                tell(&format!(
                    "{} has moved on; computing anew on it",
                    self.branch
                ));
            }
        }
        if self.tries.again() {
            return Ok(());
        }
        let why = failure.unwrap_or_else(|| format!("`{}` keeps moving", self.branch));
        Err(given_up(&self.tries, &why))
    }

    /// It landed: the checkout comes along as far as nothing is in its way.
    fn follow(&self, made: Made, to: &str) -> Published {
        let checkout = self.run.checkout;
        let followed = match checkout.head() {
            Ok(Some(now)) if now == self.run.head => checkout.advance(&now, to),
            Ok(_) => Ok(false),
            Err(trouble) => Err(trouble),
        };
        let why = match followed {
            Ok(true) => None,
            Ok(false) => Some("it has moved meanwhile".to_owned()),
            Err(trouble) => Some(trouble.to_string()),
        };
        let mut published = made.published(&self.tries);
        published.warnings.extend(why.map(|why| {
            Diagnostic::warning(
                code::CHECKOUT_STAYED,
                format!("the commit was pushed, but the checkout could not follow: {why}"),
            )
            .help("run `git pull` once nothing is in its way")
        }));
        published
    }

    /// Makes the change the next commit of a branch of its own, and asks for a pull.
    pub(super) fn propose<E>(
        mut self,
        host: &Host,
        compute: &mut dyn FnMut(&Tree) -> Result<Option<Change>, E>,
    ) -> Result<Option<Published>, PublishError<E>> {
        let target = self.fetch(&self.full.clone(), &self.tracking.clone())?;
        self.tries.attempts = 1;
        let Some(first) = self.run.make(&target, compute)? else {
            return Ok(None);
        };
        let message = first.change.message.clone();
        let (name, commit) = self.proposed(host, first, compute)?;
        let proposal = Proposal::new(&name, self.branch.as_str(), &message);
        let url = pull_request::open(host, &proposal).map_err(|why| not_opened(&name, &why))?;
        Ok(Some(Published {
            commit,
            attempts: self.tries.attempts,
            pull_request: Some(url),
            warnings: Vec::new(),
        }))
    }

    /// Pushes what is proposed, and gives the branch and the commit that it is at.
    fn proposed<E>(
        &mut self,
        host: &Host,
        first: Made,
        compute: &mut dyn FnMut(&Tree) -> Result<Option<Change>, E>,
    ) -> Result<(String, String), PublishError<E>> {
        let mut count = 1;
        loop {
            let name = pull_request::branch(self.run.options.topic, count);
            let full = format!("refs/heads/{name}");
            let commit = if self.exists(&full)? {
                let tracking = format!("refs/remotes/{}/{name}", self.name);
                let base = self.fetch(&full, &tracking)?;
                let Some(made) = self.run.make(&base, compute)? else {
                    // Proposed before, all of it.
                    return Ok((name, base));
                };
                let open = pull_request::find(host, &name, self.branch.as_str());
                if open.map_err(|why| not_opened(&name, &why))?.is_none() {
                    // Merged or closed, and left over.
                    count += 1;
                    continue;
                }
                made.commit
            } else {
                first.commit.clone()
            };
            match push(self.run.checkout, &self.name, &commit, &full)? {
                Pushed::Landed => return Ok((name, commit)),
                Pushed::Moved => self.wait(None)?,
                Pushed::Transient(words) => self.wait(Some(words))?,
                Pushed::Protected(words) | Pushed::Refused(words) => {
                    return Err(self.there().refused(&words).into());
                }
            }
            self.tries.attempts += 1;
        }
    }

    /// Has the remote this branch?
    fn exists(&mut self, full: &str) -> Result<bool, Diagnostic> {
        let name = self.name.clone();
        let arguments = ["ls-remote", "--quiet", "--end-of-options", &name, full];
        Ok(!self.ask(&arguments)?.is_empty())
    }

    /// What a git that reads from the remote prints; what may pass is tried again.
    fn ask(&mut self, arguments: &[&str]) -> Result<Vec<u8>, Diagnostic> {
        loop {
            let checkout = self.run.checkout;
            let words = match checkout.remote(&self.name, Way::Fetch, arguments, b"") {
                Ok(answer) if answer.done => return Ok(answer.out),
                Ok(answer) if matches!(cause(&answer.words), Cause::Transient(_)) => answer.words,
                Ok(answer) => return Err(self.there().fetch_failed(&answer.words)),
                Err(trouble @ Trouble::Hung(..)) => trouble.to_string(),
                Err(trouble) => return Err(failed(&trouble)),
            };
            self.wait(Some(words))?;
        }
    }
}
