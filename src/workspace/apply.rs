//! Puts an edit of a tree on the disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::guard::{self, Found};
use super::{Layout, write};
use crate::diagnostics::{Diagnostic, Place, code};
use crate::tree::Edit;

/// Writes and deletes the files of an edit: first all texts beside their places, then
/// renames, then deletions. A run that is stopped leaves each file old or new.
///
/// The caller holds the lock of the root.
///
/// # Errors
///
/// What is in the way of a file, or what the system refused; before the first rename
/// nothing has changed.
pub fn apply(layout: &Layout, edit: &Edit) -> Result<(), Vec<Diagnostic>> {
    let mut sound = BTreeSet::new();
    let faults: Vec<Diagnostic> = edit
        .files
        .keys()
        .filter_map(|path| in_the_way(layout, path, &mut sound).err())
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    // A state folder elsewhere may be on another disk, where files of the root
    // cannot be renamed to.
    let state = (!layout.state.starts_with(&layout.root)).then_some(&layout.state);
    let elsewhere =
        |path: &str| state.is_some_and(|state| layout.root.join(path).starts_with(state));
    for (folder, there) in [(&layout.root, false), (&layout.state, true)] {
        let mut files = Vec::new();
        let mut stale = Vec::new();
        for (path, text) in edit
            .files
            .iter()
            .filter(|(path, _)| elsewhere(path) == there)
        {
            match text {
                Some(text) => files.push((path.as_str(), text.as_str())),
                None => stale.push(path.as_str()),
            }
        }
        if !(files.is_empty() && stale.is_empty()) {
            write(folder, &files, &stale).map_err(|error| vec![error.diagnostic()])?;
        }
    }
    Ok(())
}

/// Whether a regular file can be at `path`, and would be where it seems to be. `sound`
/// are the folders that were looked at already: many files share few.
fn in_the_way(
    layout: &Layout,
    path: &str,
    sound: &mut BTreeSet<PathBuf>,
) -> Result<(), Diagnostic> {
    let whole = layout.root.join(path);
    let folder = whole.parent().unwrap_or(&whole);
    if sound.contains(folder) && whole.symlink_metadata().is_err() {
        return Ok(());
    }
    let there: Option<PathBuf> = whole
        .ancestors()
        .find(|part| part.symlink_metadata().is_ok())
        .map(Path::to_owned);
    let state = layout.state.canonicalize().ok();
    let mut inside = vec![layout.root.as_path()];
    inside.extend(state.as_deref());
    let refuse = |what: &str| {
        Diagnostic::error(
            code::OUT_UNUSABLE,
            format!("`{path}` is in the way: it is {what}"),
        )
        .at(Place::file(path))
        .help("move it away, then run again")
    };
    let Some(there) = there else {
        return Ok(());
    };
    if there == whole {
        return match whole.symlink_metadata() {
            Ok(seen) if seen.is_symlink() => Err(refuse("a symbolic link")),
            Ok(seen) if !seen.is_file() => Err(refuse("no regular file")),
            _ if sound.contains(folder) => Ok(()),
            _ => {
                guard::look(folder, path, &inside)?;
                sound.insert(folder.to_owned());
                Ok(())
            }
        };
    }
    match guard::look(&there, path, &inside)? {
        Found::There(_, kind) if kind.is_dir() => {
            if there == folder {
                sound.insert(there);
            }
            Ok(())
        }
        _ => Err(refuse("no folder")),
    }
}
