//! Git in the folder of a checkout: arguments in, answer out.
//!
//! Nothing that a user or a repository says becomes an option: names come through
//! types that refuse them, object ids are hexadecimal, the rest goes through
//! standard input. No shell is involved. What git says is freed of secrets before
//! anybody reads it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Git;
use super::auth::Access;
use crate::process::{Process, ProcessError};

/// For what works on files only.
const LOCAL: Duration = Duration::from_secs(120);
/// For what talks to another machine.
const REMOTE: Duration = Duration::from_secs(300);
/// More than all files of a factory have.
const LIMIT: u64 = 1 << 30;
/// Words of git's that people get to see.
const WORDS: usize = 4096;

/// Why git did not give what was asked for.
#[derive(Debug)]
pub enum Trouble {
    /// Git did not run to its end: its subcommand, and why.
    NotRun(String, String),
    /// Git did not come to an end in time: its subcommand, and how.
    Hung(String, String),
    /// Git gave up: its subcommand and its own words.
    Failed(String, String),
    /// Git answered something that it should not.
    Unexpected(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun(what, why) | Self::Hung(what, why) => write!(f, "git {what}: {why}"),
            Self::Failed(what, words) => write!(f, "git {what}: {words}"),
            Self::Unexpected(what) => write!(f, "git answered unexpectedly: {what}"),
        }
    }
}

impl std::error::Error for Trouble {}

/// What a run of git left.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) done: bool,
    pub(super) out: Vec<u8>,
    /// Without secrets.
    pub(super) words: String,
}

/// Git in one folder.
#[derive(Clone, Debug)]
pub(super) struct Program<'a> {
    git: &'a Git,
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl<'a> Program<'a> {
    pub(super) fn new(git: &'a Git, folder: &Path) -> Self {
        Self {
            git,
            folder: folder.to_owned(),
            environment: Vec::new(),
        }
    }

    /// The same with a variable set.
    pub(super) fn with(&self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let mut other = self.clone();
        other
            .environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        other
    }

    /// The git behind it.
    pub(super) const fn git(&self) -> &'a Git {
        self.git
    }

    /// Runs git on files, whatever comes of it.
    pub(super) fn run(&self, arguments: &[&str], input: &[u8]) -> Result<Answer, Trouble> {
        let process = self.git.in_checkout(&self.folder, arguments);
        self.end(process.deadline(LOCAL), arguments, input)
    }

    /// Runs git against another machine, whatever comes of it; without an access, as
    /// git itself is configured.
    pub(super) fn remote(
        &self,
        access: Option<&Access>,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Answer, Trouble> {
        let process = match access {
            Some(access) => access.in_checkout(self.git, &self.folder, arguments),
            None => self.git.in_checkout(&self.folder, arguments),
        };
        self.end(process.deadline(REMOTE), arguments, input)
    }

    fn end(
        &self,
        process: Process<'_>,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Answer, Trouble> {
        let mut process = process.stdin(input).limit(LIMIT);
        for (name, value) in &self.environment {
            process = process.env(name, value);
        }
        match process.run() {
            Ok(output) => Ok(Answer {
                done: true,
                out: output.stdout,
                words: readable(&output.stderr),
            }),
            Err(ProcessError::Failed { stdout, stderr, .. }) => Ok(Answer {
                done: false,
                out: stdout,
                words: readable(&stderr),
            }),
            Err(error @ ProcessError::TimedOut { .. }) => {
                Err(Trouble::Hung(name(arguments), error.to_string()))
            }
            Err(error) => Err(Trouble::NotRun(name(arguments), error.to_string())),
        }
    }

    /// What git prints; anything but success is an error.
    pub(super) fn bytes(&self, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Trouble> {
        let answer = self.run(arguments, input)?;
        if answer.done {
            Ok(answer.out)
        } else {
            Err(Trouble::Failed(name(arguments), answer.words))
        }
    }

    /// The one line that git prints.
    pub(super) fn line(&self, arguments: &[&str], input: &[u8]) -> Result<String, Trouble> {
        let out = self.bytes(arguments, input)?;
        let text = String::from_utf8(out)
            .map_err(|_| Trouble::Unexpected("something that is no text".to_owned()))?;
        Ok(text.trim_end_matches('\n').to_owned())
    }

    /// The one line that git prints, if it succeeds and prints one.
    pub(super) fn perhaps(&self, arguments: &[&str]) -> Result<Option<String>, Trouble> {
        match self.line(arguments, b"") {
            Ok(line) => Ok(Some(line).filter(|line| !line.is_empty())),
            Err(trouble @ Trouble::NotRun(..)) => Err(trouble),
            Err(_) => Ok(None),
        }
    }
}

/// The subcommand among arguments.
fn name(arguments: &[&str]) -> String {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match *word {
            "-c" => drop(words.next()),
            word if word.starts_with('-') => {}
            word => return word.to_owned(),
        }
    }
    String::new()
}

/// What git said, without its prefixes, control characters and secrets.
fn readable(words: &str) -> String {
    let lines: Vec<String> = words
        .lines()
        .map(|line| {
            line.rsplit('\r')
                .find(|part| !part.is_empty())
                .unwrap_or("")
        })
        .map(|line| {
            let line = line.trim_end();
            let line = line.strip_prefix("fatal: ").unwrap_or(line);
            line.strip_prefix("error: ").unwrap_or(line)
        })
        .filter(|line| !line.is_empty() && !line.starts_with("hint: "))
        .map(|line| without_secrets(&line.replace(char::is_control, " ")))
        .collect();
    let mut text = lines.join("\n");
    let mut end = text.len().min(WORDS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    if text.is_empty() {
        "it gave no reason".clone_into(&mut text);
    }
    text
}

/// A text in which no address holds a user and password.
pub(super) fn without_secrets(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || "'\"<>".contains(c))
            .unwrap_or(after.len());
        let (authority, path) = after.split_at_checked(end).unwrap_or((after, ""));
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                clean.push_str("***@");
                clean.push_str(host);
            }
            None => clean.push_str(authority),
        }
        rest = path;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_an_address_is_shown() {
        for (said, shown) in [
            (
                "unable to access 'https://user:s3cret@git.example.com/a/b/'",
                "unable to access 'https://***@git.example.com/a/b/'",
            ),
            (
                "https://s3cret@h/x and http://a:b@h",
                "https://***@h/x and http://***@h",
            ),
            ("https://a:p@ss@h/x", "https://***@h/x"),
            (
                "mail me@h about https://h/x@y",
                "mail me@h about https://h/x@y",
            ),
            ("://", "://"),
        ] {
            assert_eq!(without_secrets(said), shown);
        }
    }

    #[test]
    fn words_are_made_readable() {
        assert_eq!(
            readable("remote: Counting\rremote: Done\nfatal: it is over\nhint: do not\n\u{1b}[31m"),
            "remote: Done\nit is over\n [31m"
        );
        assert_eq!(readable("\n"), "it gave no reason");
        assert!(readable(&"ä".repeat(WORDS)).len() <= WORDS);
    }

    #[test]
    fn a_subcommand_is_named_without_its_options() {
        assert_eq!(name(&["-c", "a.b=c", "--no-x", "push", "origin"]), "push");
        assert_eq!(name(&[]), "");
    }
}
