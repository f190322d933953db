//! What stands in the out folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use walkdir::WalkDir;

use super::Layout;
use super::guard::plain;
use super::read::{TooLarge, read_up_to};
use super::write::is_temporary;
use crate::diagnostics::{Diagnostic, Place, code};
use crate::synth::is_generated;

/// More than the manifests of a hundred thousand images need.
const LIMIT: u64 = 1 << 30;
/// The mark stands in the first line.
const MARK_WITHIN: u64 = 256;
/// Files lie in the out folder and one folder below.
const DEPTH: usize = 2;

/// The files of the out folder that bear our mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Path under the out folder (with `/`) and text.
    pub files: BTreeMap<String, String>,
    /// Temporary files stand there, left by a run that was killed.
    pub leftovers: bool,
}

/// Looks at the out folder, with the paths that will be written to it. Symbolic
/// links are not followed; whatever is in the way of a path to be written is an error.
///
/// # Errors
///
/// Everything for which the out folder cannot be used.
pub fn snapshot(layout: &Layout, paths: &BTreeSet<&str>) -> Result<Snapshot, Vec<Diagnostic>> {
    let mut looked = Looked {
        layout,
        snapshot: Snapshot::default(),
        faults: Vec::new(),
    };
    if !looked.folder() {
        return looked.end();
    }
    for path in paths {
        looked.target(path);
    }
    looked.others(paths);
    looked.end()
}

struct Looked<'a> {
    layout: &'a Layout,
    snapshot: Snapshot,
    faults: Vec<Diagnostic>,
}

impl Looked<'_> {
    fn end(self) -> Result<Snapshot, Vec<Diagnostic>> {
        if self.faults.is_empty() {
            Ok(self.snapshot)
        } else {
            Err(self.faults)
        }
    }

    fn name(&self, path: &str) -> String {
        self.layout.display(&self.layout.out.join(path))
    }

    fn fault(&mut self, name: &str, message: String) {
        let fault = Diagnostic::error(code::OUT_UNUSABLE, message)
            .at(Place::file(name))
            .help("move it away, or name another folder: `--out DIR`");
        self.faults.push(fault);
    }

    /// Whether there is an out folder to look at, and it is where it seems to be.
    fn folder(&mut self) -> bool {
        let out = &self.layout.out;
        let name = self.layout.display(out);
        let layout = self.layout;
        let why = if layout.root.starts_with(out) {
            "holds what is rendered from"
        } else if out.starts_with(&layout.state) || out.starts_with(layout.root.join("images.d")) {
            "is among what is rendered from"
        } else if out.components().any(|part| part.as_os_str() == ".git") {
            "belongs to git"
        } else {
            ""
        };
        if !why.is_empty() {
            let message = format!("`{name}` {why}, so no manifests are written there");
            let fault = Diagnostic::error(code::OUT_UNUSABLE, message)
                .help("name a folder of its own: `--out dist`");
            self.faults.push(fault.at(Place::file(name)));
            return false;
        }
        // The part of the path that exists; the rest will be made.
        let there = out
            .ancestors()
            .find(|folder| folder.symlink_metadata().is_ok());
        let resolved = match there.unwrap_or(out).canonicalize() {
            Ok(resolved) => resolved,
            Err(error) => {
                self.fault(&name, format!("cannot use `{name}`: {}", plain(&error)));
                return false;
            }
        };
        let root = &self.layout.root;
        if out.starts_with(root) && !resolved.starts_with(root) {
            let message = format!(
                "`{name}` leads to `{}`, outside the root",
                resolved.display()
            );
            self.faults.push(
                Diagnostic::error(code::SYMLINK_OUTSIDE, message)
                    .at(Place::file(name))
                    .help("name the folder itself: `--out DIR`"),
            );
            return false;
        }
        if !resolved.is_dir() {
            self.fault(&name, format!("`{name}` is not a folder"));
            return false;
        }
        there == Some(out.as_path())
    }

    /// One path that will be written to.
    fn target(&mut self, path: &str) {
        let name = self.name(path);
        let whole = self.layout.out.join(path);
        let above = whole
            .ancestors()
            .skip(1)
            .take_while(|f| **f != self.layout.out);
        for folder in above {
            match folder.symlink_metadata() {
                Ok(seen) if !seen.is_dir() => {
                    let shown = self.layout.display(folder);
                    self.fault(
                        &shown,
                        format!("`{shown}` is in the way: a folder belongs there"),
                    );
                    return;
                }
                _ => {}
            }
        }
        match whole.symlink_metadata() {
            Ok(seen) if seen.is_file() => self.read(path, &name, &whole),
            Ok(seen) => {
                let what = if seen.is_symlink() {
                    "a symbolic link"
                } else {
                    "no regular file"
                };
                self.fault(&name, format!("`{name}` is in the way: it is {what}"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.fault(&name, format!("cannot look at `{name}`: {}", plain(&error))),
        }
    }

    fn read(&mut self, path: &str, name: &str, whole: &Path) {
        match read_up_to(whole, LIMIT) {
            Ok(Ok(bytes)) => {
                // Ours are UTF-8; one that was damaged differs, and is written anew.
                let text = String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
                if is_generated(&text) {
                    self.snapshot.files.insert(path.to_owned(), text);
                } else {
                    self.faults.push(
                        Diagnostic::error(
                            code::NOT_GENERATED,
                            format!("`{name}` was not written by synth, and would be overwritten"),
                        )
                        .at(Place::file(name))
                        .help("move it away or delete it, then run again"),
                    );
                }
            }
            Ok(Err(TooLarge(size))) => self.fault(
                name,
                format!("`{name}` has {size} bytes; at most {LIMIT} are read"),
            ),
            Err(error) => self.fault(name, format!("cannot read `{name}`: {}", plain(&error))),
        }
    }

    /// Files that bear the mark and will no longer be written; all else is somebody's.
    fn others(&mut self, paths: &BTreeSet<&str>) {
        let walk = WalkDir::new(&self.layout.out)
            .min_depth(1)
            .max_depth(DEPTH)
            .follow_links(false)
            .into_iter()
            .filter_entry(|entry| entry.file_type().is_file() || !is_hidden(entry.file_name()));
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let shown = error
                        .path()
                        .map_or_else(String::new, |p| self.layout.display(p));
                    let why = error
                        .io_error()
                        .map_or_else(|| "it moves".to_owned(), plain);
                    self.fault(&shown, format!("cannot look into `{shown}`: {why}"));
                    continue;
                }
            };
            if !entry.file_type().is_file() {
                continue;
            }
            if entry.depth() == 1 && is_temporary(entry.file_name()) {
                self.snapshot.leftovers = true;
            }
            let relative = entry.path().strip_prefix(&self.layout.out).ok();
            let Some(path) = relative.and_then(Path::to_str) else {
                continue;
            };
            let path = path.replace(std::path::MAIN_SEPARATOR, "/");
            if !path.ends_with(".yaml")
                || paths.contains(path.as_str())
                || !bears_mark(entry.path())
            {
                continue;
            }
            let name = self.name(&path);
            self.read(&path, &name, entry.path());
        }
    }
}

fn is_hidden(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Whether the file begins with our mark; one that cannot be read does not.
fn bears_mark(path: &Path) -> bool {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MARK_WITHIN).read_to_end(&mut start))
        .is_ok_and(|_| is_generated(&String::from_utf8_lossy(&start)))
}
