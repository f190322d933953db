//! A tree in a temporary folder, and the real program run on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;
use std::{fmt, fs};

use tempfile::TempDir;

pub(crate) const IMAGES: &str = "\
settings:
  git:
    repo: https://github.com/acme/factory
images:
  - name: web
    registry: ghcr.io
    repository: acme/web
    source:
      repo: acme/web
      dockerfile: app/Dockerfile
    rebuildDelay: 7d
  - name: postgres
    registry: docker.io
    repository: library/postgres
    allowTags: ^16-alpine$
";

const WEB: &str = "\
name: web
enrolledAt: \"2026-01-01T00:00:00Z\"
lastDiscovery: \"2026-01-01T00:00:00Z\"
discoveryStatus: success
enrollment:
  registry: ghcr.io
  repository: acme/web
  source: {provider: github, repo: acme/web, branch: main, dockerfile: app/Dockerfile}
  rebuildDelay: 7d
baseImages: [node-22-slim]
";

const NODE: &str = "\
name: node-22-slim
fullImage: node:22-slim
registry: docker.io
repository: library/node
tag: \"22-slim\"
repoURL: docker.io/library/node
allowTags: ^22-slim$
imageSelectionStrategy: Lexical
dependentImages: [web]
";

const POSTGRES: &str = "\
name: postgres
enrolledAt: \"2026-01-01T00:00:00Z\"
discoveryStatus: external
enrollment: {registry: docker.io, repository: library/postgres}
repoURL: docker.io/library/postgres
allowTags: ^16-alpine$
imageSelectionStrategy: Lexical
baseImages: []
";

pub(crate) struct Tree {
    folder: TempDir,
}

impl Tree {
    /// Two images and the base of one, never rendered.
    pub(crate) fn new() -> Self {
        let tree = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        tree.write("images.yaml", IMAGES);
        tree.write("state/images/web.yaml", WEB);
        tree.write("state/images/postgres.yaml", POSTGRES);
        tree.write("state/base-images/node-22-slim.yaml", NODE);
        tree
    }

    /// The same, with an out folder in sync.
    pub(crate) fn rendered() -> Self {
        let tree = Self::new();
        tree.synth(&[]).expect(0);
        assert!(tree.path("dist/image-factory.k8s.yaml").is_file());
        tree
    }

    /// The same, with `count` images that nobody builds, so that there is much to write.
    pub(crate) fn large(count: usize) -> Self {
        let tree = Self::new();
        tree.enrol(count, "^1$");
        tree
    }

    /// Replaces the images by many that watch the tags of `pattern`.
    pub(crate) fn enrol(&self, count: usize, pattern: &str) {
        let mut text = IMAGES.to_owned();
        for number in 0..count {
            text.push_str(&format!(
                "  - name: external-{number}\n    registry: docker.io\n    \
                 repository: acme/external-{number}\n    allowTags: {pattern}\n"
            ));
        }
        self.write("images.yaml", &text);
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Replaces text of images.yaml that must be there.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = self.read("images.yaml");
        assert!(text.contains(from), "{from:?} is not in images.yaml");
        self.write("images.yaml", text.replace(from, to));
    }

    /// A change of one setting, which changes what is rendered.
    pub(crate) fn drift(&self) {
        self.edit("rebuildDelay: 7d", "rebuildDelay: 9d");
    }

    pub(crate) fn link(&self, target: impl AsRef<Path>, path: &str) {
        std::os::unix::fs::symlink(target, self.path(path)).unwrap();
    }

    /// Path, content and time of change of everything under a folder.
    pub(crate) fn state_of(&self, folder: &str) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let mut all = BTreeMap::new();
        gather(&self.path(folder), &mut all);
        all
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_synth"));
        command
            .args(args)
            .current_dir(self.root())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn synth(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args))
    }
}

fn gather(path: &Path, all: &mut BTreeMap<PathBuf, (Vec<u8>, SystemTime)>) {
    let Ok(seen) = path.symlink_metadata() else {
        return;
    };
    let content = if seen.is_file() {
        fs::read(path).unwrap()
    } else {
        Vec::new()
    };
    all.insert(path.to_owned(), (content, seen.modified().unwrap()));
    if seen.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            gather(&entry.unwrap().path(), all);
        }
    }
}

/// How a run ended and what it said.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Debug for Ran {
    /// The ends of what it said: a diff can be long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit code {:?}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let lines: Vec<&str> = text.lines().collect();
            let last = &lines[lines.len().saturating_sub(40)..];
            writeln!(f, "{name} ({} lines):\n{}", lines.len(), last.join("\n"))?;
        }
        Ok(())
    }
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Fails unless it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Fails unless it ended with 2 and a diagnostic of this code, naming `words`.
    #[track_caller]
    pub(crate) fn refused(self, code: &str, words: &str) -> Self {
        let ran = self.expect(2);
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{ran:#?}");
        assert!(ran.stderr.contains(words), "{ran:#?}");
        ran
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Says that a test proves nothing here, and why.
pub(crate) fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}
