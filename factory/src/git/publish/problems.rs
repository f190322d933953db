//! What stands in the way of a commit or a push, for people.

use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::Branch;

use super::patience::Tries;
use crate::git::program::{Trouble, without_secrets};

/// The remote branch that it is about.
#[derive(Clone, Copy)]
pub(super) struct There<'a> {
    pub(super) name: &'a str,
    pub(super) branch: &'a Branch,
}

impl There<'_> {
    pub(super) fn pull_first(&self) -> Diagnostic {
        let (name, branch) = (&self.name, self.branch);
        Diagnostic::error(
            code::PULL_FIRST,
            format!("the checkout has commits that `{branch}` of `{name}` does not have, and the other way round"),
        )
        .help(format!("pull first: `git pull --rebase {name} {branch}`, then run this again"))
    }

    pub(super) fn protected(&self, words: &str) -> Diagnostic {
        let message = format!("`{}` takes no pushes: {}", self.branch, told(words));
        Diagnostic::error(code::BRANCH_PROTECTED, message).help(
            "let the one who pushes pass by the rule, or have it proposed: `--pull-request` pushes \
             to a branch of its own and opens a pull or merge request",
        )
    }

    pub(super) fn refused(&self, words: &str) -> Diagnostic {
        let message = format!("`{}` did not take the push: {}", self.name, told(words));
        Diagnostic::error(code::PUSH_REFUSED, message).help(
            "see whether who pushes may write to the repository, and what the server's rules ask of a commit",
        )
    }

    pub(super) fn fetch_failed(&self, words: &str) -> Diagnostic {
        let message = format!(
            "`{}` of `{}` cannot be fetched: {}",
            self.branch,
            self.name,
            told(words)
        );
        Diagnostic::error(code::FETCH_FAILED, message).help(format!(
            "see whether `git fetch {}` works in this checkout",
            self.name
        ))
    }
}

pub(super) fn uncommitted(paths: &[&str]) -> Diagnostic {
    let few: Vec<String> = paths
        .iter()
        .take(5)
        .map(|path| format!("`{path}`"))
        .collect();
    let more = match paths.len().saturating_sub(few.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Diagnostic::error(
        code::UNCOMMITTED,
        format!("there are uncommitted changes in {}{more}", few.join(", ")),
    )
    .help("with `--commit`, what is computed comes from the commit: commit or restore these first")
}

pub(super) fn other_branch(head: Option<&str>, branch: &Branch) -> Diagnostic {
    let now = match head {
        Some(head) => format!("on `{}`", head.strip_prefix("refs/heads/").unwrap_or(head)),
        None => "on no branch".to_owned(),
    };
    Diagnostic::error(
        code::OTHER_BRANCH,
        format!("the checkout is {now}, and the factory's branch is `{branch}`"),
    )
    .help(format!(
        "`git switch {branch}`; or commit without `--push`; or mend `settings.git.branch`"
    ))
}

pub(super) fn not_opened(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error(
        code::PULL_REQUEST_FAILED,
        format!("the branch `{name}` is there, but no pull request could be opened: {why}"),
    )
    .help("a further run goes on with the same branch; or open it by hand")
}

pub(super) fn no_commit() -> Diagnostic {
    Diagnostic::error(code::NO_CHECKOUT, "the checkout has no commit yet")
        .help("commit images.yaml first: `git add images.yaml && git commit`")
}

pub(super) fn given_up(tries: &Tries<'_>, why: &str) -> Diagnostic {
    let (attempts, seconds) = (tries.attempts, tries.begin.elapsed().as_secs());
    Diagnostic::error(
        code::PUSH_GIVEN_UP,
        format!(
            "given up after {attempts} attempts in {seconds} seconds: {}",
            told(why)
        ),
    )
    .help("nothing was changed; run this again later")
}

pub(super) fn failed(trouble: &Trouble) -> Diagnostic {
    Diagnostic::error(code::GIT_FAILED, without_secrets(&trouble.to_string()))
        .help("nothing was changed; see what `git status` says in this checkout")
}

/// What a server or git said, as part of a sentence.
pub(super) fn told(words: &str) -> String {
    let lines: Vec<&str> = words
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    without_secrets(&lines.join("; "))
}
