//! The one place that starts a process, and the process is git.
//!
//! What a user or a repository says reaches git through its standard input or as
//! the folder to work in, never as an option; no shell is involved.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: the one place that starts a process"
)]

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// More than the manifests of a hundred thousand images need.
const LIMIT: usize = 1 << 30;

/// Why git did not give what was asked for.
#[derive(Debug)]
pub(super) enum GitError {
    /// There is no git program, or it cannot be started.
    NotStarted(io::Error),
    /// The text can be no revision.
    NotARevision(String),
    /// The repository has no such revision.
    UnknownRevision(String),
    /// Git gave up; its own words.
    Failed(String),
    /// Git answered something that it should not.
    Unexpected(String),
}

impl fmt::Display for GitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(error) => write!(f, "git cannot be started: {error}"),
            Self::NotARevision(text) => write!(f, "`{text}` cannot be a revision"),
            Self::UnknownRevision(text) => write!(f, "git knows no commit `{text}`"),
            Self::Failed(words) => write!(f, "git: {words}"),
            Self::Unexpected(what) => write!(f, "git answered unexpectedly: {what}"),
        }
    }
}

impl std::error::Error for GitError {}

/// The `*.yaml` files under `folder` as the revision committed them: path relative to
/// `folder`, with `/`, and content. A folder that the revision does not have is empty.
/// `folder` itself need not exist, what is above it must.
///
/// # Errors
///
/// No git, no repository, no such revision.
pub(super) fn files_at(
    folder: &Path,
    revision: &str,
) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
    check_revision(revision)?;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name().and_then(|n| n.to_str()))
    else {
        return Err(GitError::Failed(format!(
            "`{}` is no folder in a repository",
            folder.display()
        )));
    };
    let mut objects = Objects::open(parent)?;
    let Some(commit) = objects.get(&format!("{revision}^{{commit}}"))? else {
        return Err(GitError::UnknownRevision(revision.to_owned()));
    };
    let mut files = BTreeMap::new();
    if name.contains('\n') {
        return Err(GitError::Failed(format!(
            "`{}` has a name with a line break",
            folder.display()
        )));
    }
    if let Some(tree) = objects.get(&format!("{}:./{name}", commit.id))? {
        objects.walk(&tree, "", &mut files)?;
    }
    Ok(files)
}

/// The address of the remote `origin` of the repository around `folder`, if any.
#[must_use]
pub fn origin(folder: &Path) -> Option<String> {
    let output = git(folder)
        .args(["config", "--get", "remote.origin.url"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let url = String::from_utf8(output.stdout).ok()?;
    let url = url.trim();
    (output.status.success() && !url.is_empty()).then(|| url.to_owned())
}

/// What git would take for something else than a name of a commit.
fn check_revision(text: &str) -> Result<(), GitError> {
    let bad = text.is_empty()
        || text.starts_with('-')
        || text.contains(':')
        || text.chars().any(char::is_control);
    if bad {
        return Err(GitError::NotARevision(text.escape_default().to_string()));
    }
    Ok(())
}

/// Git in `folder`, free of what a surrounding git (a hook) set, asking nobody.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    for variable in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    ] {
        command.env_remove(variable);
    }
    command
        .env("LC_ALL", "C")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1");
    command
}

/// One object of the repository.
struct Object {
    id: String,
    kind: String,
    content: Vec<u8>,
}

/// A git that answers which object a name stands for, one after another.
struct Objects {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Objects {
    fn open(folder: &Path) -> Result<Self, GitError> {
        let mut child = git(folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GitError::NotStarted)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self {
                child,
                input,
                output: BufReader::new(output),
            }),
            _ => Err(GitError::Unexpected("no pipes".to_owned())),
        }
    }

    /// The object of this name, which holds no line break; `None` if there is none.
    fn get(&mut self, name: &str) -> Result<Option<Object>, GitError> {
        match self.ask(name) {
            Ok(Some(answer)) => Ok(answer),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(GitError::Unexpected(
                format!("an object of more than {LIMIT} bytes"),
            )),
            // It ended: what it has to say stands in its error output.
            Ok(None) | Err(_) => Err(self.last_words()),
        }
    }

    /// The outer `None` is the end of git.
    fn ask(&mut self, name: &str) -> io::Result<Option<Option<Object>>> {
        writeln!(self.input, "{name}")?;
        self.input.flush()?;
        let mut header = Vec::new();
        if self.output.read_until(b'\n', &mut header)? == 0 {
            return Ok(None);
        }
        let header = String::from_utf8_lossy(&header);
        let mut words = header.trim_end().rsplitn(3, ' ');
        let (size, kind, id) = (words.next(), words.next(), words.next());
        // `NAME missing` and `NAME ambiguous` have no number at their end.
        let size = size.and_then(|size| size.parse::<usize>().ok());
        let (Some(size), Some(kind), Some(id)) = (size, kind, id) else {
            return Ok(Some(None));
        };
        if size > LIMIT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut content = vec![0; size];
        self.output.read_exact(&mut content)?;
        self.output.read_exact(&mut [0])?;
        Ok(Some(Some(Object {
            id: id.to_owned(),
            kind: kind.to_owned(),
            content,
        })))
    }

    fn last_words(&mut self) -> GitError {
        let mut words = String::new();
        if let Some(stderr) = self.child.stderr.as_mut() {
            let _ = stderr.take(4096).read_to_string(&mut words);
        }
        let words = words.trim();
        let words = words.strip_prefix("fatal: ").unwrap_or(words);
        GitError::Failed(
            if words.is_empty() {
                "ended early"
            } else {
                words
            }
            .to_owned(),
        )
    }

    /// Puts every `*.yaml` file under a tree into `files`.
    fn walk(
        &mut self,
        tree: &Object,
        prefix: &str,
        files: &mut BTreeMap<String, Vec<u8>>,
    ) -> Result<(), GitError> {
        if tree.kind != "tree" {
            return Err(GitError::Failed(
                "the out folder is no folder there".to_owned(),
            ));
        }
        let entries = entries(&tree.content, tree.id.len() / 2)
            .ok_or_else(|| GitError::Unexpected("a broken tree".to_owned()))?;
        for entry in entries {
            let path = format!("{prefix}{}", entry.name);
            let wanted = match entry.mode {
                Mode::Folder => true,
                Mode::File => path.ends_with(".yaml"),
                Mode::Other => false,
            };
            if !wanted {
                continue;
            }
            let Some(object) = self.get(&entry.id)? else {
                return Err(GitError::Unexpected(format!("`{path}` is missing")));
            };
            if entry.mode == Mode::Folder {
                self.walk(&object, &format!("{path}/"), files)?;
            } else {
                files.insert(path, object.content);
            }
        }
        Ok(())
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // It would end by itself once its input closes; nobody waits for it then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Folder,
    File,
    /// A symbolic link or a submodule.
    Other,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mode: Mode,
    name: String,
    /// In hexadecimal.
    id: String,
}

/// The entries of a tree object, each `MODE SP NAME NUL ID` with the id as `length`
/// bytes; `None` for a tree that is cut off.
fn entries(mut tree: &[u8], length: usize) -> Option<Vec<Entry>> {
    let mut all = Vec::new();
    while !tree.is_empty() {
        let space = tree.iter().position(|b| *b == b' ')?;
        let (mode, rest) = tree.split_at_checked(space)?;
        let end = rest.iter().position(|b| *b == 0)?;
        let (id, after) = rest.get(end + 1..)?.split_at_checked(length)?;
        all.push(Entry {
            mode: match mode {
                b"40000" => Mode::Folder,
                mode if mode.starts_with(b"100") => Mode::File,
                _ => Mode::Other,
            },
            name: String::from_utf8_lossy(rest.get(1..end)?).into_owned(),
            id: id.iter().map(|b| format!("{b:02x}")).collect(),
        });
        tree = after;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_to_its_end() {
        let mut tree = b"40000 backstage\0".to_vec();
        tree.extend([0xab; 20]);
        tree.extend(b"100644 a b.yaml\0");
        tree.extend([0x01; 20]);
        tree.extend(b"120000 link\0");
        tree.extend([0x02; 20]);
        let all = entries(&tree, 20).unwrap();
        let seen: Vec<_> = all
            .iter()
            .map(|e| (e.mode, e.name.as_str(), &e.id))
            .collect();
        let expected = [
            (Mode::Folder, "backstage", &"ab".repeat(20)),
            (Mode::File, "a b.yaml", &"01".repeat(20)),
            (Mode::Other, "link", &"02".repeat(20)),
        ];
        assert_eq!(seen, expected);
        for cut in 1..tree.len() {
            let whole = entries(&tree[..cut], 20);
            assert!(whole.is_none() || whole.unwrap().len() < 3, "{cut}");
        }
        assert_eq!(entries(b"", 20), Some(Vec::new()));
    }

    #[test]
    fn what_git_could_take_for_something_else_is_no_revision() {
        for bad in ["", "-p", "--output=x", "HEAD:dist", ":/fix", "a\nb", "a\0b"] {
            assert!(check_revision(bad).is_err(), "{bad:?}");
        }
        for good in [
            "main",
            "HEAD~2",
            "origin/main",
            "v1.0^{}",
            "main@{1 day ago}",
            "0f3a",
        ] {
            assert!(check_revision(good).is_ok(), "{good:?}");
        }
    }
}
