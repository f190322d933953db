//! `crd-import`: arguments, files and printing.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "shell: the one place of this crate that reads and writes files and prints"
)]

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::facts::{Facts, Origin};
use crate::import::{self, Fold, Options};
use crate::{diff, docs, format};

/// Larger input is refused; the largest CRDs known are below 10 MB.
const MAX_BYTES: u64 = 64 << 20;

/// Turns a CRD or JSON Schema into facts, and says what changed between two.
///
/// Facts are what a schema says without its prose. Exit code: 0 done or no
/// difference, 1 a difference, 2 bad input.
#[derive(Parser, Debug)]
#[command(
    name = "crd-import",
    disable_version_flag = true,
    about,
    after_help = "\
Pointers are paths of property names, with `items` for list items and `values` for map values: \
/spec/metrics/items/provider. The format of facts files is described in docs/crd-import.md."
)]
pub struct Arguments {
    /// CRD (YAML or JSON) or JSON Schema; `-` reads from stdin
    #[arg(value_name = "IN", required_unless_present_any = ["diff", "check"])]
    input: Option<PathBuf>,

    /// Write the facts here instead of to stdout; words, source and licence of a
    /// facts file that is already there are kept
    #[arg(short, long, value_name = "OUT", requires = "input")]
    output: Option<PathBuf>,

    /// Keep the words of this facts file
    #[arg(long, value_name = "OLD", requires = "input")]
    docs_from: Option<PathBuf>,

    /// The version to take; without it the storage version
    #[arg(long = "version", value_name = "V")]
    version_name: Option<String>,

    /// The kind to take from a file with several CRDs
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,

    /// Fold a value that is a core Kubernetes object, as
    /// /spec/job/spec=batch/v1.JobSpec
    #[arg(long = "core", value_name = "POINTER=NAME")]
    folds: Vec<Fold>,

    /// Where the input comes from: project, version and path
    #[arg(long, value_name = "TEXT", requires = "input")]
    source: Option<String>,

    /// SPDX identifier of the input's licence
    #[arg(long, value_name = "SPDX", requires = "input")]
    licence: Option<String>,

    /// Say what differs between two facts files, CRDs or JSON Schemas
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["input", "check"])]
    diff: Option<Vec<PathBuf>>,

    /// Say where facts no longer say what the CRD or JSON Schema says
    #[arg(long, num_args = 2, value_names = ["FACTS", "CRD"], conflicts_with_all = ["input", "folds", "version_name", "kind"])]
    check: Option<Vec<PathBuf>>,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let result = run(&Arguments::parse());
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// False when there is a difference.
fn run(arguments: &Arguments) -> Result<bool, String> {
    match (&arguments.diff, &arguments.check, &arguments.input) {
        (Some(files), ..) => compare(files, arguments),
        (_, Some(files), _) => check(files),
        (.., Some(input)) => import(input, arguments).map(|()| true),
        _ => Err("nothing to do".to_owned()),
    }
}

fn import(input: &Path, arguments: &Arguments) -> Result<(), String> {
    let old = old_facts(arguments)?;
    let kept = old
        .as_ref()
        .map(|old| old.origin.clone())
        .unwrap_or_default();
    let or = |given: &Option<String>, kept: String, otherwise: String| match given {
        Some(given) => given.clone(),
        None if kept.is_empty() => otherwise,
        None => kept,
    };
    let origin = Origin {
        source: or(&arguments.source, kept.source, file_name(input)),
        licence: or(&arguments.licence, kept.licence, "NOASSERTION".to_owned()),
    };
    let mut facts = read_document(input, &text_of(input)?, arguments, origin)?;
    if let Some(old) = &old {
        for pointer in docs::carry(old, &mut facts) {
            eprintln!("note: {pointer}: words dropped, there is no such value any more");
        }
    }
    let text = format::write(&facts);
    match &arguments.output {
        Some(output) => write_whole(output, &text),
        None => print(&text),
    }
}

fn old_facts(arguments: &Arguments) -> Result<Option<Facts>, String> {
    let existing = arguments.output.as_ref().filter(|output| output.exists());
    match arguments.docs_from.as_ref().or(existing) {
        None => Ok(None),
        Some(path) => read_facts(path, &text_of(path)?).map(Some),
    }
}

fn compare(files: &[PathBuf], arguments: &Arguments) -> Result<bool, String> {
    let [old, new] = files else {
        return Err("--diff takes two files".to_owned());
    };
    let (old_text, new_text) = (text_of(old)?, text_of(new)?);
    // A facts file says which version, kind and core types are meant.
    let reference = [(old, &old_text), (new, &new_text)]
        .into_iter()
        .find(|(_, text)| is_facts(text))
        .map(|(path, text)| read_facts(path, text))
        .transpose()?;
    let read = |path: &Path, text: &str| match &reference {
        _ if is_facts(text) => read_facts(path, text),
        Some(facts) if arguments.folds.is_empty() => read_like(path, text, facts, arguments),
        _ => read_document(path, text, arguments, Origin::default()),
    };
    report(&diff::diff(&read(old, &old_text)?, &read(new, &new_text)?))
}

fn read_like(
    path: &Path,
    text: &str,
    facts: &Facts,
    arguments: &Arguments,
) -> Result<Facts, String> {
    let mut options = import::options_of(facts);
    options.version = arguments.version_name.clone();
    if arguments.kind.is_some() {
        options.kind = arguments.kind.clone();
    }
    import::read_like(&file_name(path), text, &options, &mut siblings(path))
        .map_err(|error| error.to_string())
}

fn check(files: &[PathBuf]) -> Result<bool, String> {
    let [facts, document] = files else {
        return Err("--check takes two files".to_owned());
    };
    let facts = read_facts(facts, &text_of(facts)?)?;
    let text = text_of(document)?;
    let changes = import::check(&facts, &file_name(document), &text, &mut siblings(document))
        .map_err(|error| error.to_string())?;
    report(&changes)
}

fn report(changes: &[diff::Change]) -> Result<bool, String> {
    print(&diff::render(changes))?;
    Ok(changes.is_empty())
}

fn read_document(
    path: &Path,
    text: &str,
    arguments: &Arguments,
    origin: Origin,
) -> Result<Facts, String> {
    let options = Options {
        version: arguments.version_name.clone(),
        kind: arguments.kind.clone(),
        folds: arguments.folds.clone(),
        origin,
    };
    let imported = import::read(&file_name(path), text, &options, &mut siblings(path))
        .map_err(|error| error.to_string())?;
    for note in imported.notes {
        eprintln!("note: {}: {note}", file_name(path));
    }
    Ok(imported.facts)
}

fn is_facts(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .starts_with("crd-facts ")
}

fn read_facts(path: &Path, text: &str) -> Result<Facts, String> {
    format::parse(&file_name(path), text).map_err(|error| error.to_string())
}

/// Reads the files beside `path`, which a `$ref` may name.
fn siblings(path: &Path) -> impl FnMut(&str) -> Result<String, String> {
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    move |name| text_of(&folder.join(name))
}

fn file_name(path: &Path) -> String {
    if is_stdin(path) {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn text_of(path: &Path) -> Result<String, String> {
    let fail = |why: &dyn std::fmt::Display| format!("{}: {why}", file_name(path));
    let source: Box<dyn Read> = match is_stdin(path) {
        true => Box::new(io::stdin().lock()),
        false => Box::new(fs::File::open(path).map_err(|error| fail(&error))?),
    };
    let mut bytes = Vec::new();
    source
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fail(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(fail(&"larger than 64 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| fail(&"not UTF-8 text"))
}

/// Writes beside `path` first, so that a full disk leaves the old file whole.
fn write_whole(path: &Path, text: &str) -> Result<(), String> {
    let beside = path.with_extension("facts.new");
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        format!("{}: {error}", path.display())
    })
}

fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader went away, as `head` does: nothing is wrong with the input.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| format!("stdout: {error}")),
    }
}
