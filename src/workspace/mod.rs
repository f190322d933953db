//! SHELL: the disk. Reads what a tree says and the files that stand in its out
//! folder, and replaces those in one go. Nothing else of the library touches files.
//!
//! Every file of the tree is untrusted: no symbolic link is followed out of it, no
//! pipe or device is opened, nothing is read that is larger than it can need to be.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: the one place that reads and writes files"
)]

mod apply;
mod guard;
mod lock;
mod out;
mod read;
mod write;

pub use apply::apply;
pub use lock::{Busy, Hold, Lock};
pub use out::{Snapshot, snapshot};
pub use read::{Loaded, load, load_tree};
pub use write::{WriteError, clear, write};

use std::io;
use std::path::{Component, Path, PathBuf};

/// Name of the enrollment file, which marks a root.
pub const ENROLLMENT: &str = "images.yaml";

/// Where the parts of a tree are. All paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The folder that holds everything; resolved, so free of symbolic links.
    pub root: PathBuf,
    /// The enrollment file.
    pub enrollment: PathBuf,
    /// The folder of `images/` and `base-images/`.
    pub state: PathBuf,
    /// The folder that manifests are written to.
    pub out: PathBuf,
}

impl Layout {
    /// The usual places under `root`.
    ///
    /// # Errors
    ///
    /// If `root` does not exist or cannot be looked at.
    pub fn of(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        if !root.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self {
            enrollment: root.join(ENROLLMENT),
            state: root.join("state"),
            out: root.join("dist"),
            root,
        })
    }

    /// How people are told of `path`: relative to the root with `/` where it is
    /// inside, else as it is.
    #[must_use]
    pub fn display(&self, path: &Path) -> String {
        let shown = path.strip_prefix(&self.root).unwrap_or(path);
        if shown.as_os_str().is_empty() {
            return ".".to_owned();
        }
        let shown = shown.to_string_lossy();
        if std::path::MAIN_SEPARATOR == '/' {
            shown.into_owned()
        } else {
            shown.replace(std::path::MAIN_SEPARATOR, "/")
        }
    }
}

/// The nearest folder from `start` upwards that holds an images.yaml.
#[must_use]
pub fn find_root(start: &Path) -> Option<&Path> {
    start
        .ancestors()
        .find(|folder| folder.join(ENROLLMENT).symlink_metadata().is_ok())
}

/// `path` seen from `base`, without `.` and with `..` taken away from what stands
/// before it; symbolic links are not looked at.
#[must_use]
pub fn absolute(base: &Path, path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    whole
}

#[cfg(test)]
mod tests;
