//! Symbolic links stay inside, or are not followed.

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, Place, code};

/// What stands at a path.
pub(super) enum Found {
    /// Nothing.
    Missing,
    /// A file or folder, directly or behind a link that stays inside; with the path
    /// to open.
    There(PathBuf, FileType),
}

/// Looks at `path`, which `name` stands for in what people read. Symbolic links on
/// the way are followed, but only to a target under one of the resolved folders `inside`.
pub(super) fn look(path: &Path, name: &str, inside: &[&Path]) -> Result<Found, Diagnostic> {
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        // A link that leads nowhere is there all the same.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match fs::symlink_metadata(path) {
                Ok(_) => Err(unreadable(name, &error)),
                Err(_) => Ok(Found::Missing),
            };
        }
        Err(error) => return Err(unreadable(name, &error)),
    };
    if !inside.iter().any(|folder| target.starts_with(folder)) {
        return Err(Diagnostic::error(
            code::SYMLINK_OUTSIDE,
            format!("`{name}` leads to `{}`, outside the root", target.display()),
        )
        .at(Place::file(name))
        .help("replace the symbolic link by the file or folder itself"));
    }
    let seen = fs::metadata(&target).map_err(|error| unreadable(name, &error))?;
    Ok(Found::There(target, seen.file_type()))
}

/// The diagnostic for a file that the system does not let us read.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error(
        code::UNREADABLE,
        format!("cannot read `{name}`: {}", plain(error)),
    )
    .at(Place::file(name))
    .help("see who may read it, and where it leads if it is a symbolic link")
}

/// What the system said, without the number that Rust adds.
pub(super) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}
