//! Replaces files in one go.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{fmt, process};

use super::guard::plain;
use crate::diagnostics::{Diagnostic, code};

const PREFIX: &str = ".synth-";
const SUFFIX: &str = ".tmp";

/// How far a run got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Nothing,
    /// So many of all files.
    Placed(usize, usize),
    /// All files; some that are no longer wanted are still there.
    Written,
}

/// What could not be done with which file of the out folder.
#[derive(Debug)]
pub struct WriteError {
    doing: &'static str,
    path: PathBuf,
    error: io::Error,
    /// What was done before.
    done: Done,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot {} `{}`: {}",
            self.doing,
            self.path.display(),
            plain(&self.error)
        )
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl WriteError {
    /// As people and machines are told.
    #[must_use]
    pub fn diagnostic(&self) -> Diagnostic {
        let help = match self.done {
            Done::Nothing => "nothing was changed".to_owned(),
            Done::Placed(some, all) => format!(
                "{some} of {all} files were already replaced, each as a whole; run `synth` again once this is mended"
            ),
            Done::Written => {
                "every file was written; run `synth` again once this is mended, to delete what is left over".to_owned()
            }
        };
        Diagnostic::error(code::OUT_UNUSABLE, self.to_string()).help(help)
    }
}

/// Writes `files` (path under `out`, text) and then deletes `stale` (paths under `out`).
///
/// All texts are first written to temporary files in `out` and flushed to the disk;
/// only then do renames put them in place. Whatever stops it before (a full disk, a
/// signal) leaves every file as it was; between two renames each file is old or new,
/// never half of one. Temporary files of a run that was killed are cleared away.
/// The caller holds the lock, and has looked at `out` with [`snapshot`](super::snapshot).
///
/// # Errors
///
/// The first thing that the system refused.
pub fn write(out: &Path, files: &[(&str, &str)], stale: &[&str]) -> Result<(), WriteError> {
    let mut staged = Staged::prepare(out)?;
    for (path, text) in files {
        staged.add(out.join(path), text)?;
    }
    staged.place()?;
    for path in stale {
        remove(out, path)?;
    }
    // Makes the renames last through a power cut; some systems cannot, and need not.
    let _ = File::open(out).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Temporary files that wait for their place; those that did not get there are
/// removed with this.
struct Staged {
    out: PathBuf,
    /// Folders that were made for this, outermost first; none once all is in place.
    made: Vec<PathBuf>,
    /// Temporary file and target, in the order of the targets.
    files: Vec<(PathBuf, PathBuf)>,
    placed: usize,
}

impl Staged {
    fn prepare(out: &Path) -> Result<Self, WriteError> {
        let mut staged = Self {
            out: out.to_owned(),
            made: Vec::new(),
            files: Vec::new(),
            placed: 0,
        };
        staged.make_folder(out)?;
        clear(out);
        Ok(staged)
    }

    /// Makes a folder and those above it, remembering which were not there.
    fn make_folder(&mut self, folder: &Path) -> Result<(), WriteError> {
        let missing: Vec<&Path> = folder.ancestors().take_while(|f| !f.exists()).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).map_err(|error| self.failed("make", folder, error))?;
            self.made.push(folder.to_owned());
        }
        Ok(())
    }

    fn add(&mut self, target: PathBuf, text: &str) -> Result<(), WriteError> {
        if let Some(folder) = target.parent() {
            self.make_folder(folder)?;
        }
        let name = format!("{PREFIX}{}-{}{SUFFIX}", process::id(), self.files.len());
        let temporary = self.out.join(name);
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary);
        let mut file = opened.map_err(|error| self.failed("write", &target, error))?;
        self.files.push((temporary, target.clone()));
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| self.failed("write", &target, error))
    }

    fn place(&mut self) -> Result<(), WriteError> {
        for (temporary, target) in &self.files {
            fs::rename(temporary, target).map_err(|error| self.failed("replace", target, error))?;
            self.placed += 1;
        }
        self.made.clear();
        Ok(())
    }

    fn failed(&self, doing: &'static str, path: &Path, error: io::Error) -> WriteError {
        WriteError {
            doing,
            path: path.to_owned(),
            error,
            done: match self.placed {
                0 => Done::Nothing,
                placed => Done::Placed(placed, self.files.len()),
            },
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Best effort: what is left over the next run clears away.
        for (temporary, _) in self.files.iter().skip(self.placed) {
            let _ = fs::remove_file(temporary);
        }
        // Refused where a file came to stand in it.
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Removes the temporary files of runs that were killed. Nobody else is at work here.
pub fn clear(out: &Path) {
    let Ok(entries) = fs::read_dir(out) else {
        return;
    };
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Is this the name of a temporary file of ours?
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes())
}

/// Deletes a file, and the folders under `out` that it leaves empty.
fn remove(out: &Path, path: &str) -> Result<(), WriteError> {
    let file = out.join(path);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(WriteError {
                doing: "delete",
                path: file,
                error,
                done: Done::Written,
            });
        }
        _ => {}
    }
    for folder in file.ancestors().skip(1).take_while(|folder| *folder != out) {
        // Refused where something else is left in it.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}
