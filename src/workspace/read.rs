//! Loads images.yaml, images.d/ and state/.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::guard::{self, Found};
use super::{ENROLLMENT, Layout};
use crate::diagnostics::{Diagnostic, Place, Span, code};
use crate::model::{InputFile, InputFiles};
use crate::tree::{Tree, is_read};

/// More than an enrollment file of a hundred thousand images needs.
const ENROLLMENT_LIMIT: u64 = 16 << 20;
/// More than a state file with a full history needs.
const STATE_LIMIT: u64 = 1 << 20;

/// The usual name of the state folder.
const STATE: &str = "state";

/// What a tree says, and what of it could not be read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The files that are whole.
    pub files: InputFiles,
    /// Files that are no text, as far as they can be shown; diagnostics point into them.
    pub damaged: Vec<InputFile>,
    /// All that is wrong, errors without exception.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads every input of the tree, in the order of their names. A missing folder is an
/// empty one; a missing images.yaml is an error.
#[must_use]
pub fn load(layout: &Layout) -> Loaded {
    // What was named by hand may stand elsewhere; the usual places may not lead there.
    let by_hand = |path: &Path, usual: &str| *path != layout.root.join(usual);
    let mut inside = vec![layout.root.clone()];
    if by_hand(&layout.state, STATE) {
        inside.extend(layout.state.canonicalize());
    }
    let mut reader = Reader {
        layout,
        inside,
        loaded: Loaded::default(),
    };
    let enrolled = if by_hand(&layout.enrollment, ENROLLMENT) {
        layout.enrollment.canonicalize().ok()
    } else {
        None
    };
    let mut files = InputFiles::default();
    reader.enrollment(enrolled.as_deref(), &mut files.enrollment);
    let [more, images, bases] = [
        layout.root.join("images.d"),
        layout.state.join("images"),
        layout.state.join("base-images"),
    ];
    reader.folder(&more, ENROLLMENT_LIMIT, &mut files.enrollment);
    if reader.state(by_hand(&layout.state, STATE)) {
        reader.folder(&images, STATE_LIMIT, &mut files.images);
        reader.folder(&bases, STATE_LIMIT, &mut files.bases);
    }
    reader.loaded.files = files;
    reader.loaded
}

/// Reads the archive of the state folder as well, and says where all of it stands.
#[must_use]
pub fn load_tree(layout: &Layout) -> (Tree, Loaded) {
    let mut loaded = load(layout);
    let mut tree = Tree {
        inputs: std::mem::take(&mut loaded.files),
        archive: Vec::new(),
        out: BTreeMap::new(),
        enrollment: layout.display(&layout.enrollment),
        state: layout.display(&layout.state),
        out_folder: layout.display(&layout.out),
    };
    let mut inside = vec![layout.root.clone()];
    inside.extend(layout.state.canonicalize());
    let mut reader = Reader {
        layout,
        inside,
        loaded,
    };
    for folder in ["base-images", "images"] {
        let folder = layout.state.join("_archive").join(folder);
        reader.folder(&folder, STATE_LIMIT, &mut tree.archive);
    }
    (tree, reader.loaded)
}

struct Reader<'a> {
    layout: &'a Layout,
    /// Where links may lead; resolved.
    inside: Vec<PathBuf>,
    loaded: Loaded,
}

impl Reader<'_> {
    /// The enrollment file, which alone must be there. One that was named by hand comes
    /// resolved, and is inside its own folder.
    fn enrollment(&mut self, by_hand: Option<&Path>, into: &mut Vec<InputFile>) {
        let layout = self.layout;
        let name = layout.display(&layout.enrollment);
        let found = match by_hand.and_then(|path| Some((path, path.parent()?))) {
            Some((path, folder)) => self.keep(guard::look(path, &name, &[folder])),
            None => self.look(&layout.enrollment, &name),
        };
        match found {
            Some(Found::There(path, kind)) if kind.is_file() => {
                self.file(&path, name, ENROLLMENT_LIMIT, into);
            }
            Some(Found::There(..)) => self.refuse_kind(&name),
            Some(Found::Missing) => self.loaded.diagnostics.push(
                Diagnostic::error(code::ENROLLMENT_MISSING, format!("there is no `{name}`")).help(
                    "write one (an empty list `[]` and your settings will do to begin with), \
                     or name the folder that holds it: `--root DIR`",
                ),
            ),
            None => {}
        }
    }

    /// Whether there is a state folder to look into. One that was named by hand and is
    /// not there would otherwise pass for a factory that has discovered nothing.
    fn state(&mut self, by_hand: bool) -> bool {
        let layout = self.layout;
        let name = layout.display(&layout.state);
        let message = match self.look(&layout.state, &name) {
            Some(Found::There(_, kind)) if kind.is_dir() => return true,
            Some(Found::Missing) if by_hand => format!("there is no folder `{name}`"),
            Some(Found::There(..)) => format!("`{name}` is not a folder"),
            Some(Found::Missing) | None => return false,
        };
        let help = "it holds state/images and state/base-images; `IMAGE_FACTORY_STATE_DIR` may name another folder";
        self.loaded.diagnostics.push(
            Diagnostic::error(code::UNREADABLE, message)
                .at(Place::file(name))
                .help(help),
        );
        false
    }

    fn look(&mut self, path: &Path, name: &str) -> Option<Found> {
        let inside: Vec<&Path> = self.inside.iter().map(PathBuf::as_path).collect();
        self.keep(guard::look(path, name, &inside))
    }

    fn keep(&mut self, looked: Result<Found, Diagnostic>) -> Option<Found> {
        match looked {
            Ok(found) => Some(found),
            Err(diagnostic) => {
                self.loaded.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// Every `*.yaml` of a folder but examples and hidden files. Folders within it,
    /// `_archive` above all, are not looked into.
    fn folder(&mut self, path: &Path, limit: u64, into: &mut Vec<InputFile>) {
        let name = self.layout.display(path);
        let folder = match self.look(path, &name) {
            Some(Found::There(folder, kind)) if kind.is_dir() => folder,
            Some(Found::There(..)) => {
                let message = format!("`{name}` is not a folder");
                self.loaded.diagnostics.push(
                    Diagnostic::error(code::UNREADABLE, message)
                        .at(Place::file(name))
                        .help("move away what stands there; a missing folder is an empty one"),
                );
                return;
            }
            Some(Found::Missing) | None => return,
        };
        let listed = fs::read_dir(&folder).and_then(|entries| {
            entries
                .map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))))
                .collect::<Result<Vec<_>, _>>()
        });
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(error) => {
                self.loaded
                    .diagnostics
                    .push(guard::unreadable(&name, &error));
                return;
            }
        };
        for (file, _) in &entries {
            if file.as_encoded_bytes().ends_with(b".yml") {
                let path = format!("{name}/{}", file.to_string_lossy());
                self.loaded.diagnostics.push(
                    Diagnostic::warning(code::FILE_IGNORED, format!("`{path}` is not read"))
                        .at(Place::file(path.as_str()))
                        .help("rename it to end in `.yaml`"),
                );
            }
        }
        entries.retain(|(file, _)| is_read(&file.to_string_lossy()));
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        into.reserve(entries.len());
        for (file, kind) in entries {
            let Some(utf8) = file.to_str() else {
                let shown = file.to_string_lossy();
                self.loaded.diagnostics.push(
                    Diagnostic::error(
                        code::NOT_TEXT,
                        format!("`{name}/{shown}` has a name that is not UTF-8"),
                    )
                    .at(Place::file(name.as_str()))
                    .help("rename or delete it"),
                );
                continue;
            };
            let name = format!("{name}/{utf8}");
            let path = folder.join(&file);
            if kind.is_file() {
                self.file(&path, name, limit, into);
            } else if kind.is_symlink() {
                match self.look(&path, &name) {
                    Some(Found::There(path, kind)) if kind.is_file() => {
                        self.file(&path, name, limit, into)
                    }
                    Some(_) => self.refuse_kind(&name),
                    None => {}
                }
            } else {
                self.refuse_kind(&name);
            }
        }
    }

    /// Reads one regular file.
    fn file(&mut self, path: &Path, name: String, limit: u64, into: &mut Vec<InputFile>) {
        let bytes = match read_up_to(path, limit) {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(TooLarge(size))) => {
                self.loaded.diagnostics.push(
                    Diagnostic::error(
                        code::YAML_LIMIT,
                        format!("`{name}` has {size} bytes; at most {limit} are read"),
                    )
                    .at(Place::file(name))
                    .help("remove what does not belong in it, or see what wrote it"),
                );
                return;
            }
            Err(error) => {
                self.loaded
                    .diagnostics
                    .push(guard::unreadable(&name, &error));
                return;
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => into.push(InputFile {
                path: name.into(),
                text,
            }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let file = InputFile {
                    path: name.as_str().into(),
                    text,
                };
                self.loaded.diagnostics.push(
                    Diagnostic::error(
                        code::NOT_TEXT,
                        format!("`{name}` is not UTF-8 text from here on"),
                    )
                    .at(Place::new(file.path.clone(), Span::new(at, at + 1)))
                    .help("save the file as UTF-8"),
                );
                self.loaded.damaged.push(file);
            }
        }
    }

    fn refuse_kind(&mut self, name: &str) {
        self.loaded.diagnostics.push(
            Diagnostic::error(code::UNREADABLE, format!("`{name}` is not a regular file"))
                .at(Place::file(name))
                .help("put a file in its place, or remove it"),
        );
    }
}

/// A file that has more bytes than it may: how many.
pub(super) struct TooLarge(pub(super) u64);

/// The bytes of a regular file; its size is known before the first is read.
pub(super) fn read_up_to(path: &Path, limit: u64) -> std::io::Result<Result<Vec<u8>, TooLarge>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > limit {
        return Ok(Err(TooLarge(size)));
    }
    // As much as there is said to be, so that the end needs no asking for; a file
    // without a size may still hold something.
    let most = if size == 0 { limit + 1 } else { size };
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(most).read_to_end(&mut bytes)?;
    let read = bytes.len() as u64;
    Ok(if read > limit {
        Err(TooLarge(read))
    } else {
        Ok(bytes)
    })
}
