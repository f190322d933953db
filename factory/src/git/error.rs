//! Why a file of another repository cannot be had, for people.

use std::fmt;

use image_factory::diagnostics::{Code, Diagnostic, code, nearest};
use image_factory::model::{Branch, GitUrl};

use super::auth::{Credentials, Origin};
use super::read::FileFault;
use super::remote::Failure;
use super::sources::Wanted;
use super::words::Cause;
use crate::process::seconds;

/// What kind of trouble it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceErrorKind {
    /// There is no such repository, or we may not see it.
    NoRepository,
    /// The server wants other credentials than it got.
    Denied,
    /// The repository has no such branch.
    NoBranch,
    /// The repository has no such commit, or does not give it away.
    NoCommit,
    /// There is no such file, or it is none that is read.
    NoFile,
    /// Something else came than was asked for.
    OtherCommit,
    /// The server cannot be reached, gives up, or takes too long.
    Unavailable,
    /// The server answers what no git server answers.
    Unexpected,
    /// Git does not run here, or the cache cannot be used.
    Environment,
}

/// Why a file cannot be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceError {
    /// The kind of trouble.
    pub kind: SourceErrorKind,
    /// What is wrong, as a message: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl SourceError {
    pub(super) fn new(kind: SourceErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Is it the surroundings that failed, not what was asked for? Then it says nothing
    /// about the image, and trying later may help.
    #[must_use]
    pub const fn is_infrastructure(&self) -> bool {
        match self.kind {
            SourceErrorKind::NoRepository
            | SourceErrorKind::NoBranch
            | SourceErrorKind::NoCommit
            | SourceErrorKind::NoFile => false,
            SourceErrorKind::Denied
            | SourceErrorKind::OtherCommit
            | SourceErrorKind::Unavailable
            | SourceErrorKind::Unexpected
            | SourceErrorKind::Environment => true,
        }
    }

    /// The code of this kind of trouble.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self.kind {
            SourceErrorKind::NoRepository | SourceErrorKind::Denied => code::SOURCE_NO_ACCESS,
            SourceErrorKind::NoBranch | SourceErrorKind::NoCommit => code::SOURCE_NO_BRANCH,
            SourceErrorKind::NoFile => code::SOURCE_NO_FILE,
            SourceErrorKind::OtherCommit
            | SourceErrorKind::Unavailable
            | SourceErrorKind::Unexpected => code::SOURCE_SERVER,
            SourceErrorKind::Environment => code::SOURCE_ENVIRONMENT,
        }
    }

    /// As people and machines are told.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code(), self.message.clone());
        match &self.help {
            Some(help) => diagnostic.help(help.clone()),
            None => diagnostic,
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SourceError {}

/// The server, or git, failed.
pub(super) fn of_failure(
    failure: &Failure,
    tries: u32,
    url: &GitUrl,
    credentials: &Credentials,
) -> SourceError {
    use SourceErrorKind as Kind;
    let tried = match tries {
        1 => String::new(),
        _ => format!(" (tried {tries} times)"),
    };
    match failure {
        Failure::Cause(Cause::NotFound) => {
            let message = format!("there is no repository `{url}`, or no access to it");
            SourceError::new(Kind::NoRepository, message).help(access_help(url, credentials))
        }
        Failure::Cause(Cause::Denied) => {
            let message = format!("`{url}` is not open to us");
            SourceError::new(Kind::Denied, message).help(access_help(url, credentials))
        }
        Failure::Cause(Cause::NoRef) => {
            let message = format!("`{url}` has no such commit, or does not give it away");
            SourceError::new(Kind::NoCommit, message)
                .help("see whether the branch still holds the commit; some servers give away the newest of a branch only")
        }
        Failure::Cause(Cause::OtherObjects) => other_commit(url),
        Failure::Cause(Cause::Certificate(words)) => {
            SourceError::new(Kind::Unavailable, format!("`{url}` cannot be trusted: {words}"))
                .help("name the certificate of the authority that vouches for it: `GIT_SSL_CAINFO=FILE`, `SSL_CERT_FILE=FILE`, or `http.sslCAInfo` in git's configuration")
        }
        Failure::Cause(Cause::Transient(words)) => {
            SourceError::new(Kind::Unavailable, format!("`{url}` cannot be read: {words}{tried}"))
                .help("try again later")
        }
        Failure::Cause(Cause::Permanent(words)) => {
            SourceError::new(Kind::Unexpected, format!("`{url}` cannot be read: {words}"))
                .help("see whether this is the address of a git repository")
        }
        Failure::TimedOut(after) => {
            let message = format!("`{url}` did not answer within {}{tried}", seconds(*after));
            SourceError::new(Kind::Unavailable, message).help("try again later")
        }
        Failure::TooMuch => {
            let message = format!("`{url}` sent more than a repository's folders and Dockerfiles can be");
            SourceError::new(Kind::Unexpected, message)
                .help("a checkout can be read instead: `--source OWNER/REPO=DIR`")
        }
        Failure::NoGit(words) => SourceError::new(Kind::Environment, words.clone())
            .help("install git, and see that it is in `PATH`"),
    }
}

pub(super) fn other_commit(url: &GitUrl) -> SourceError {
    SourceError::new(
        SourceErrorKind::OtherCommit,
        format!("`{url}` serves a different commit than was asked for"),
    )
    .help("somebody between us and the repository changes what it says, or it is damaged")
}

/// Which credentials there are for this host, and what to do about them.
fn access_help(url: &GitUrl, credentials: &Credentials) -> String {
    if let Some(trouble) = credentials.trouble(url) {
        return trouble;
    }
    match credentials.variable(url) {
        Some((variable, true)) => format!(
            "see the address, and whether the token in `{variable}` may read the repository's contents"
        ),
        Some((variable, false)) => {
            format!(
                "see the address; if the repository is private, set `{variable}` to a token that may read it"
            )
        }
        None => {
            let host = Origin::of(url.as_str()).map(|origin| origin.to_string());
            format!(
                "see the address; no token of ours is for {}: set up a credential helper of git's for it, or name \
                 the provider's API there in `settings.providers`",
                host.unwrap_or_default()
            )
        }
    }
}

/// The branch is not there; `branches` are.
pub(super) fn no_branch(url: &GitUrl, branch: &Branch, branches: &[String]) -> SourceError {
    if branches.is_empty() {
        // A page of a proxy's is taken by git for a repository without branches.
        let message = format!("`{url}` names no branches: it is empty, or no git server");
        return SourceError::new(SourceErrorKind::Unexpected, message)
            .help("see whether this is the address of a git repository");
    }
    let message = format!("`{url}` has no branch `{branch}`");
    let known: Vec<&str> = branches.iter().map(String::as_str).collect();
    let usual = || {
        known
            .iter()
            .find(|name| ["main", "master"].contains(name))
            .copied()
    };
    let help = match nearest(branch.as_str(), &known).or_else(usual) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let some: Vec<&str> = known.iter().take(8).copied().collect();
            format!("it has `{}`", some.join("`, `"))
        }
    };
    let visible = help.chars().filter(|c| !c.is_control()).take(600);
    SourceError::new(SourceErrorKind::NoBranch, message).help(visible.collect::<String>())
}

/// There is no such file at the commit.
pub(super) fn no_file(wanted: &Wanted, fault: &FileFault) -> SourceError {
    let whence = match &wanted.commit {
        None => format!("branch `{}`", wanted.branch),
        Some(commit) => format!("commit `{}`", commit.chars().take(12).collect::<String>()),
    };
    match fault {
        FileFault::Path(fault) => SourceError::new(
            SourceErrorKind::NoFile,
            format!("{fault} in `{}`, {whence}", wanted.url),
        )
        .help(fault.help()),
        FileFault::TooLarge { size, limit } => SourceError::new(
            SourceErrorKind::NoFile,
            format!(
                "`{}` in `{}`, {whence}, has {size} bytes, more than the {limit} that are read",
                wanted.path, wanted.url
            ),
        )
        .help("see whether it is the Dockerfile"),
    }
}
