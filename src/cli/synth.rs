//! `synth`: render the manifests, then write them, check them or show them.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: measures how long it took"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::run::{self, Root, Said, Stopped, command_line, lock};
use super::{Common, Exit, Format, Streams, Surroundings, git, report};
use crate::diagnostics::{self, Diagnostic, code};
use crate::model::{GitRepo, InputFile};
use crate::pipeline;
use crate::synth::diff::{self, ChangeKind, FileChange};
use crate::synth::{FileSpec, is_generated};
use crate::workspace::{self, Hold, Layout, Loaded};

/// What to render, where to, and what to do with it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Where images.yaml is.
    #[command(flatten)]
    pub at: Root,
    /// The folder that manifests are written to [default: dist in the root]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write nothing; exit 1 if the out folder is not what would be written
    #[arg(long, conflicts_with = "dry_run")]
    pub check: bool,
    /// Write nothing; show what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Write nothing; compare with the out folder as this git revision committed it
    #[arg(long, value_name = "REV", allow_hyphen_values = true)]
    pub against: Option<String>,
    /// How changes are shown
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub diff: Diff,
}

/// How changes are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Diff {
    /// Changed lines, then the summary.
    #[default]
    Unified,
    /// One line an object.
    Summary,
    /// The same as `--format json`.
    Json,
    /// Only how many there are.
    None,
}

/// What a run was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Write,
    Check,
    Show,
}

/// A run that came to its end.
pub(super) struct Done {
    pub(super) goal: Goal,
    /// The revision compared with; `None`: the disk.
    pub(super) against: Option<String>,
    /// The out folder, for people.
    pub(super) out: String,
    /// What was rendered.
    pub(super) files: Vec<FileSpec>,
    /// What it was compared with.
    pub(super) old: BTreeMap<String, String>,
    /// How they differ, by path.
    pub(super) changes: Vec<FileChange>,
    /// Whether the out folder was changed.
    pub(super) written: bool,
}

/// Runs `synth`.
///
/// `subcommand` is how it is called after the program's own name: empty, or ` synth`.
pub fn run(
    args: &Args,
    common: &Common,
    subcommand: &str,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let start = Instant::now();
    let mut said = Said::default();
    let done = attempt(args, around, streams, &mut said);
    said.tell(common, streams);
    let exit = match &done {
        Err(Stopped) => Exit::Wrong,
        Ok(done) if done.goal == Goal::Check && !done.changes.is_empty() => Exit::No,
        Ok(_) => Exit::Done,
    };
    let text = if common.format == Format::Json || args.diff == Diff::Json {
        report::json(done.as_ref().ok(), &said.diagnostics, &said.sources)
    } else {
        match &done {
            Ok(done) if !common.quiet => {
                let view = report::View {
                    diff: args.diff,
                    // Who reads along wants the gist; a pipe takes everything.
                    short: streams.terminal && !common.verbose,
                    fields: common.verbose,
                    mend: mend(args, subcommand, around),
                    took: start.elapsed(),
                };
                report::human(done, &view)
            }
            _ => String::new(),
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

/// The command that brings the out folder in step: this one, writing.
fn mend(args: &Args, subcommand: &str, around: &Surroundings) -> String {
    let mut words: Vec<OsString> = subcommand.split_whitespace().map(OsString::from).collect();
    for (option, folder) in [("--root", &args.at.root), ("--out", &args.out)] {
        if let Some(folder) = folder {
            words.extend([option.into(), folder.clone().into_os_string()]);
        }
    }
    command_line(around, &words)
}

fn attempt(
    args: &Args,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Done, Stopped> {
    let goal = match (args.check, args.dry_run || args.against.is_some()) {
        (true, _) => Goal::Check,
        (false, true) => Goal::Show,
        (false, false) => Goal::Write,
    };
    let layout = run::layout(args.at.root.as_deref(), args.out.as_deref(), around)
        .map_err(|error| said.stop([error]))?;
    let hold = if goal == Goal::Write {
        Hold::Alone
    } else {
        Hold::Shared
    };
    let _root = lock(&layout, &layout.root, hold, streams, said)?;
    let files = render(&layout, said)?;
    // Whoever writes to it from another root locks the out folder, as this does.
    let _out = if layout.out.starts_with(&layout.root) {
        None
    } else {
        Some(lock(&layout, &layout.out, hold, streams, said)?)
    };

    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut leftovers = false;
    let old = match &args.against {
        Some(revision) => committed(&layout, revision).map_err(|error| said.stop([error]))?,
        None => {
            let snapshot =
                workspace::snapshot(&layout, &paths).map_err(|faults| said.stop(faults))?;
            leftovers = snapshot.leftovers;
            snapshot.files
        }
    };
    let changes = diff::files(&old, &files);
    let written = goal == Goal::Write && !changes.is_empty();
    if written {
        apply(&layout.out, &files, &changes).map_err(|error| said.stop([error]))?;
    } else if leftovers && goal == Goal::Write {
        workspace::clear(&layout.out);
    }
    Ok(Done {
        goal,
        against: args.against.clone(),
        out: layout.display(&layout.out),
        files,
        old,
        changes,
        written,
    })
}

/// Reads the tree and renders it, taking in all that is to be said.
fn render(layout: &Layout, said: &mut Said) -> Result<Vec<FileSpec>, Stopped> {
    let Loaded {
        files: mut inputs,
        damaged,
        diagnostics,
    } = workspace::load(layout);
    let unread = !diagnostics.is_empty();
    said.diagnostics = diagnostics;
    let missing = |d: &Diagnostic| d.code == code::ENROLLMENT_MISSING;
    if said.diagnostics.iter().any(missing) {
        return Err(said.stop([]));
    }
    inputs.git_repo = GitRepo::Required { origin: None };
    let mut outcome = pipeline::render(&inputs);
    let asked = |d: &Diagnostic| d.code == code::MISSING_GIT_REPO;
    let enrollment = layout.display(&layout.enrollment);
    let enrolled = inputs.enrollment.iter().any(|f| *f.path == *enrollment);
    if enrolled && outcome.diagnostics.iter().any(asked) {
        // Only the help needs it, so only then is git started.
        let origin = git::origin(&layout.root);
        inputs.git_repo = GitRepo::Required { origin };
        outcome = pipeline::render(&inputs);
    }
    said.diagnostics.extend(
        outcome
            .diagnostics
            .into_iter()
            // What is missing may stand in the file that could not be read.
            .filter(|diagnostic| diagnostic.is_error() || !unread)
            .filter(|diagnostic| enrolled || !asked(diagnostic)),
    );
    diagnostics::sort(&mut said.diagnostics);
    if !said.diagnostics.is_empty() {
        let mut add = |file: &InputFile| said.sources.add(file.path.clone(), file.text.as_str());
        for files in [&inputs.enrollment, &inputs.images, &inputs.bases, &damaged] {
            files.iter().for_each(&mut add);
        }
    }
    match outcome.files {
        Some(files) if !diagnostics::any_error(&said.diagnostics) => Ok(files),
        _ => Err(Stopped),
    }
}

/// What the out folder held at a revision.
fn committed(layout: &Layout, revision: &str) -> Result<BTreeMap<String, String>, Diagnostic> {
    let files = git::files_at(&layout.out, revision)
        .map_err(|error| {
            Diagnostic::error(code::REVISION, error.to_string()).help(
                "name a branch, tag or commit of the repository that holds the out folder, such as `--against main`",
            )
        })?;
    Ok(files
        .into_iter()
        .map(|(path, bytes)| (path, String::from_utf8_lossy(&bytes).into_owned()))
        .filter(|(_, text)| is_generated(text))
        .collect())
}

fn apply(out: &Path, files: &[FileSpec], changes: &[FileChange]) -> Result<(), Diagnostic> {
    let texts: BTreeMap<&str, &str> = files
        .iter()
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let mut write = Vec::new();
    let mut stale = Vec::new();
    for change in changes {
        let path = change.path.as_str();
        match (change.kind, texts.get(path)) {
            (ChangeKind::Added | ChangeKind::Changed, Some(text)) => write.push((path, *text)),
            _ => stale.push(path),
        }
    }
    workspace::write(out, &write, &stale).map_err(|error| error.diagnostic())
}
