//! What every command does before and after its work: find the factory, lock it, read
//! it, and tell what there is to say.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Common, Exit, Format, Streams, Surroundings, quoted};
use crate::diagnostics::{self, Diagnostic, Sources, code, human};
use crate::model::InputFile;
use crate::tree::Tree;
use crate::workspace::{self, Busy, Hold, Layout, Loaded, Lock};

/// So many diagnostics are shown to people; a file can hold a million mistakes.
const MOST: usize = 1000;

/// Where the factory is.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Root {
    /// The folder that holds images.yaml and state/ [default: the nearest one upwards]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub root: Option<PathBuf>,
}

/// What there is to say of the inputs, and the texts it points into.
#[derive(Debug, Default)]
pub struct Said {
    /// All of it; in the order of a report when it is told.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that diagnostics point into.
    pub sources: Sources,
}

/// Stopped by errors, all of them told in [`Said`]; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl Said {
    /// Takes in what stopped the run.
    pub fn stop(&mut self, errors: impl IntoIterator<Item = Diagnostic>) -> Stopped {
        self.diagnostics.extend(errors);
        diagnostics::sort(&mut self.diagnostics);
        Stopped
    }

    /// Is one of them an error?
    #[must_use]
    pub fn any_error(&self) -> bool {
        diagnostics::any_error(&self.diagnostics)
    }

    /// Takes in the texts of a tree, for diagnostics to point into.
    pub fn know(&mut self, tree: &Tree) {
        let mut add = |file: &InputFile| self.sources.add(file.path.clone(), file.text.as_str());
        let inputs = &tree.inputs;
        for files in [
            &inputs.enrollment,
            &inputs.images,
            &inputs.bases,
            &tree.archive,
        ] {
            files.iter().for_each(&mut add);
        }
    }

    /// Tells people, on standard error: errors, and warnings unless they want it quiet.
    pub fn tell(&self, common: &Common, streams: &mut Streams<'_>) {
        let (shown, left) = told(&self.diagnostics, common.quiet);
        if !shown.is_empty() {
            streams.tell(&human::render(&shown, &self.sources, true));
        }
        if left > 0 {
            streams.tell(&format!(
                "\nand {left} more; `--format json` has them all\n"
            ));
        }
        let errors = self.diagnostics.iter().filter(|d| d.is_error()).count();
        if errors > 1 {
            streams.tell(&format!("\n{errors} errors\n"));
        }
    }

    /// Ends a command: tells what there is to say, and prints the result. `json` is an
    /// object, which gets the diagnostics as one more field.
    pub fn end(
        mut self,
        common: &Common,
        streams: &mut Streams<'_>,
        exit: Exit,
        text: impl FnOnce() -> String,
        json: impl FnOnce() -> Value,
    ) -> Exit {
        diagnostics::sort(&mut self.diagnostics);
        self.tell(common, streams);
        let text = match common.format {
            Format::Human if common.quiet => String::new(),
            Format::Human | Format::Drawing(_) => text(),
            Format::Json => {
                let mut whole = json();
                if let Some(object) = whole.as_object_mut() {
                    let said = diagnostics::json::diagnostics(&self.diagnostics, &self.sources);
                    object.insert("diagnostics".to_owned(), said);
                }
                format!("{whole:#}\n")
            }
        };
        match streams.print(&text) {
            Ok(()) => exit,
            Err(error) => {
                streams.tell(&format!("error: the report cannot be printed: {error}\n"));
                Exit::Wrong
            }
        }
    }
}

/// What people are told, in the order of the report, and how much is left out: no one
/// reads more than [`MOST`], and errors go before warnings.
fn told(all: &[Diagnostic], quiet: bool) -> (Vec<Diagnostic>, usize) {
    let errors = all.iter().filter(|d| d.is_error()).count();
    let warnings = if quiet { 0 } else { all.len() - errors };
    let mut room = MOST;
    let mut other_room = MOST.saturating_sub(errors).min(warnings);
    let fits = |diagnostic: &&Diagnostic| {
        let room = if diagnostic.is_error() {
            &mut room
        } else {
            &mut other_room
        };
        let fits = *room > 0;
        *room = room.saturating_sub(1);
        fits
    };
    let shown: Vec<Diagnostic> = all.iter().filter(fits).cloned().collect();
    let left = errors + warnings - shown.len();
    (shown, left)
}

/// Where things are, by the arguments, then the environment, then the usual places.
/// `out` is the `--out` of commands that have it.
///
/// # Errors
///
/// If there is no images.yaml upwards, or the root cannot be used.
pub fn layout(
    root: Option<&Path>,
    out: Option<&Path>,
    around: &Surroundings,
) -> Result<Layout, Diagnostic> {
    let at = |path: &Path| workspace::absolute(&around.folder, path);
    let enrollment = around.enrollment.as_deref().map(at);
    let root = match (root, &enrollment) {
        (Some(root), _) => at(root),
        (None, Some(file)) => file.parent().unwrap_or(file).to_owned(),
        (None, None) => workspace::find_root(&around.folder)
            .ok_or_else(|| {
                Diagnostic::error(
                    code::ENROLLMENT_MISSING,
                    format!(
                        "neither `{}` nor a folder above it holds an images.yaml",
                        around.folder.display()
                    ),
                )
                .help("name the folder that does: `--root DIR`")
            })?
            .to_owned(),
    };
    let mut layout = Layout::of(&root).map_err(|error| {
        Diagnostic::error(
            code::UNREADABLE,
            format!("the root `{}` cannot be used: {error}", root.display()),
        )
        .help("name the folder that holds images.yaml: `--root DIR`")
    })?;
    // A path under the root as it was named is one under the resolved root.
    let under = |path: PathBuf| match path.strip_prefix(&root) {
        Ok(inside) => layout.root.join(inside),
        Err(_) => path,
    };
    let enrollment = enrollment.map(under);
    let state = around.state.as_deref().map(at).map(under);
    let out = out.or(around.out.as_deref()).map(at).map(under);
    layout.enrollment = enrollment.unwrap_or(layout.enrollment);
    layout.state = state.unwrap_or(layout.state);
    layout.out = out.unwrap_or(layout.out);
    Ok(layout)
}

/// Takes hold of a folder, telling people if that takes a while.
///
/// # Errors
///
/// If another run keeps it.
pub fn lock(
    layout: &Layout,
    folder: &Path,
    hold: Hold,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Lock, Stopped> {
    let name = folder.display().to_string();
    let waiting = || streams.tell(&format!("waiting for another run in {name}\n"));
    Lock::acquire(folder, hold, waiting)
        .map_err(|busy: Busy| said.stop([busy.diagnostic(&layout.display(folder))]))
}

/// Reads the tree from the disk, taking in what of it cannot be read. What is wrong
/// *in* the files, `model` says.
///
/// # Errors
///
/// If there is no enrollment file.
pub fn load(layout: &Layout, said: &mut Said) -> Result<Tree, Stopped> {
    let (tree, loaded) = workspace::load_tree(layout);
    let Loaded {
        damaged,
        diagnostics,
        ..
    } = loaded;
    said.know(&tree);
    for file in damaged {
        said.sources.add(file.path, file.text);
    }
    said.diagnostics.extend(diagnostics);
    let missing = |d: &Diagnostic| d.code == code::ENROLLMENT_MISSING;
    if said.diagnostics.iter().any(missing) {
        return Err(said.stop([]));
    }
    Ok(tree)
}

/// A command for people to repeat: the program as it was called, then these words as a
/// shell reads them.
#[must_use]
pub fn command_line(around: &Surroundings, words: &[OsString]) -> String {
    let mut command = quoted(&OsString::from(&around.program));
    for word in words {
        command.push(' ');
        command.push_str(&quoted(word));
    }
    command
}
