//! Offers a commit to a remote branch, and understands the answer.

use super::checkout::{Checkout, Way};
use super::program::Trouble;
use super::words::{Cause, cause};

/// What became of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// The branch is there now.
    Landed,
    /// The branch has moved meanwhile, or somebody else was moving it.
    Moved,
    /// Something that may be over when tried again; git's words.
    Transient(String),
    /// Nobody may push to this branch; the server's words.
    Protected(String),
    /// It will not be better next time; the server's or git's words.
    Refused(String),
}

/// Pushes a commit to a branch (`refs/heads/…`), never by force.
pub(super) fn push(
    checkout: &Checkout<'_>,
    remote: &str,
    commit: &str,
    branch: &str,
) -> Result<Pushed, Trouble> {
    let refspec = format!("{commit}:{branch}");
    let answer = checkout.remote(
        remote,
        Way::Push,
        &[
            "-c",
            "push.followTags=false",
            "push",
            "--porcelain",
            "--no-force-with-lease",
            "--recurse-submodules=no",
            "--end-of-options",
            remote,
            &refspec,
        ],
        b"",
    );
    let answer = match answer {
        Err(trouble @ Trouble::Hung(..)) => return Ok(Pushed::Transient(trouble.to_string())),
        answer => answer?,
    };
    let report = String::from_utf8_lossy(&answer.out);
    if answer.done {
        return Ok(Pushed::Landed);
    }
    Ok(understood(&report, &answer.words))
}

/// The answer to a push that failed: the report on standard output, and the words of
/// git and the server.
pub(super) fn understood(report: &str, words: &str) -> Pushed {
    // `!` TAB refs TAB `[rejected] (fetch first)`
    let refused = report.lines().find_map(|line| line.strip_prefix("!\t"));
    let summary = refused.and_then(|line| line.split('\t').nth(1));
    let all = format!("{}\n{words}", summary.unwrap_or_default());
    let says = |parts: &[&str]| {
        let lower = all.to_ascii_lowercase();
        parts.iter().any(|part| lower.contains(part))
    };
    let told = match summary {
        Some(summary) => format!("{summary}\n{words}"),
        None => words.to_owned(),
    };
    if says(&PROTECTED) {
        Pushed::Protected(told)
    } else if says(&["exists; cannot create"]) {
        // Another branch bears a part of this one's name.
        Pushed::Refused(told)
    } else if summary.is_some() && says(&MOVED) {
        Pushed::Moved
    } else if summary.is_none() && matches!(cause(words), Cause::Transient(_)) {
        Pushed::Transient(told)
    } else {
        Pushed::Refused(told)
    }
}

/// Words of hosts for a branch that takes pull requests only.
const PROTECTED: [&str; 8] = [
    "gh006",
    "gh013",
    "protected branch",
    "protected branches",
    "repository rule violations",
    "must use a pull request",
    "only through pull request",
    "modified through pull request",
];

/// Words of git for a branch that is no longer where it was.
const MOVED: [&str; 9] = [
    "fetch first",
    "non-fast-forward",
    "stale info",
    "needs force",
    "cannot lock ref",
    "failed to lock",
    "failed to update ref",
    "incorrect old value",
    "reference already exists",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(summary: &str) -> String {
        format!("To https://h/x\n!\tabc:refs/heads/main\t{summary}\nDone\n")
    }

    #[test]
    fn refusals_are_told_apart() {
        let failed = "failed to push some refs to 'https://h/x'";
        for (report, words, expected) in [
            (rejected("[rejected] (fetch first)"), failed, "moved"),
            (rejected("[rejected] (non-fast-forward)"), failed, "moved"),
            (rejected("[rejected] (stale info)"), failed, "moved"),
            (
                rejected(
                    "[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)",
                ),
                failed,
                "moved",
            ),
            (
                rejected("[remote rejected] (failed to update ref)"),
                failed,
                "moved",
            ),
            (
                rejected("[remote rejected] (incorrect old value provided)"),
                failed,
                "moved",
            ),
            (
                rejected(
                    "[remote rejected] (cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b')",
                ),
                failed,
                "refused",
            ),
            (
                rejected("[remote rejected] (protected branch hook declined)"),
                "remote: error: GH006: Protected branch update failed for refs/heads/main.",
                "protected",
            ),
            (
                rejected("[remote rejected] (push declined due to repository rule violations)"),
                "remote: error: GH013: Repository rule violations found for refs/heads/main.",
                "protected",
            ),
            (
                rejected("[remote rejected] (pre-receive hook declined)"),
                "remote: GitLab: You are not allowed to push code to protected branches on this project.",
                "protected",
            ),
            (
                rejected("[remote rejected] (pre-receive hook declined)"),
                "remote: no",
                "refused",
            ),
            (
                String::new(),
                "unable to access 'https://h/': The requested URL returned error: 403",
                "refused",
            ),
            (
                String::new(),
                "Authentication failed for 'https://h/'",
                "refused",
            ),
            (
                String::new(),
                "repository 'https://h/' not found",
                "refused",
            ),
            (
                String::new(),
                "unable to access 'https://h/': The requested URL returned error: 503",
                "transient",
            ),
            (
                String::new(),
                "unable to access 'https://h/': Could not resolve host: h",
                "transient",
            ),
            (
                String::new(),
                "the remote end hung up unexpectedly",
                "transient",
            ),
            (
                String::new(),
                "src refspec abc does not match any",
                "refused",
            ),
        ] {
            let kind = match understood(&report, words) {
                Pushed::Landed => "landed",
                Pushed::Moved => "moved",
                Pushed::Transient(_) => "transient",
                Pushed::Protected(_) => "protected",
                Pushed::Refused(_) => "refused",
            };
            assert_eq!(kind, expected, "{report} {words}");
        }
    }
}
