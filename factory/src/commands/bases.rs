//! `bases FILE…`: what Dockerfiles are built on.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: reads the files that are named"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use clap::builder::styling::{AnsiColor, Style};
use image_factory::cli::run::Said;
use image_factory::cli::{Common, Exit, Format, Streams, Surroundings};
use image_factory::diagnostics::{self, Diagnostic, Place, code};
use image_factory::dockerfile::{self, Bases, Options, Stage, Unresolved, Use};
use serde_json::{Map, Value, json};

/// A larger file is not read. A builder takes far less.
const MAX_SIZE: u64 = 64 << 20;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const LACKING: Style = AnsiColor::Yellow.on_default();

/// What Dockerfiles are built on
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "A base that depends on a variable without value is shown as such; the exit code stays 0.\n\
                  A file that no build would take is told with its place; the others are answered, the exit code is 2."
)]
pub(crate) struct Args {
    /// A Dockerfile; `-` is the standard input
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<String>,
    /// A build argument, as `docker build` takes it
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = build_arg)]
    build_args: Vec<(String, String)>,
    /// The stage that is built: only what it needs is shown [default: the last; all is shown]
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
}

fn build_arg(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is `NAME=VALUE`".to_owned()),
    }
}

/// The answer for one file.
struct Answer {
    file: String,
    /// `None` if the file cannot be read, or no build would take it.
    bases: Option<Bases>,
    said: Said,
}

/// Shows the bases of each file.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let build_args: BTreeMap<String, String> = args.build_args.iter().cloned().collect();
    let options = Options {
        build_args: &build_args,
        target: args.target.as_deref(),
    };
    let mut input = None;
    let answers: Vec<Answer> = args
        .files
        .iter()
        .map(|file| answer(file, around, &options, &mut input))
        .collect();
    for (number, answer) in answers.iter().enumerate() {
        if number > 0 && answer.said.any_error() {
            streams.tell("\n");
        }
        answer.said.tell(common, streams);
    }
    let several = answers.len() > 1;
    let text = match common.format {
        Format::Json => {
            let mut objects: Vec<Value> = answers.iter().map(|one| object(one, several)).collect();
            let whole = match (several, objects.pop()) {
                (false, Some(one)) => one,
                (_, last) => objects.into_iter().chain(last).collect(),
            };
            format!("{whole:#}\n")
        }
        Format::Human | Format::Drawing(_) if common.quiet => String::new(),
        Format::Human | Format::Drawing(_) => human(&answers, several, common.verbose),
    };
    match streams.print(&text) {
        Err(error) => {
            streams.tell(&format!("error: the answer cannot be printed: {error}\n"));
            Exit::Wrong
        }
        Ok(()) if answers.iter().any(|answer| answer.bases.is_none()) => Exit::Wrong,
        Ok(()) => Exit::Done,
    }
}

fn answer(
    file: &str,
    around: &Surroundings,
    options: &Options<'_>,
    input: &mut Option<Vec<u8>>,
) -> Answer {
    let mut answer = Answer {
        file: file.to_owned(),
        bases: None,
        said: Said::default(),
    };
    let read = match (file, &*input) {
        // There is one standard input, however often it is named.
        ("-", Some(bytes)) => Ok(bytes.clone()),
        ("-", None) => take(io::stdin().lock()),
        _ => read(&around.folder.join(file)),
    };
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(unread) => {
            answer.said.stop([unread.diagnostic(file)]);
            return answer;
        }
    };
    match dockerfile::bases(&bytes, options) {
        Ok(mut bases) => {
            if options.target.is_some() {
                bases.uses.retain(|one| one.reachable);
                bases.unresolved.retain(|one| one.reachable);
            }
            answer.bases = Some(bases);
        }
        Err(faults) => {
            answer.said.sources.add(file, dockerfile::readable(&bytes));
            answer
                .said
                .stop(faults.iter().map(|fault| fault.diagnostic(file)));
        }
    }
    if file == "-" {
        *input = Some(bytes);
    }
    answer
}

/// Why there is nothing to read.
enum Unread {
    System(io::Error),
    Folder,
    Large,
}

impl Unread {
    fn diagnostic(self, file: &str) -> Diagnostic {
        let place = Place::file(file);
        match self {
            Self::System(error) => {
                Diagnostic::error(code::UNREADABLE, format!("it cannot be read: {error}"))
                    .at(place)
                    .help("name a Dockerfile that is there, or `-` for standard input")
            }
            Self::Folder => Diagnostic::error(code::UNREADABLE, "it is a folder")
                .at(place)
                .help(format!(
                    "name the file in it: `{}/Dockerfile`",
                    file.trim_end_matches('/')
                )),
            Self::Large => {
                let most = MAX_SIZE >> 20;
                Diagnostic::error(
                    code::DOCKERFILE_TOO_LARGE,
                    format!("it is larger than {most} MiB"),
                )
                .at(place)
                .help("name the Dockerfile itself; nothing that large is one")
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Unread> {
    let file = File::open(path).map_err(Unread::System)?;
    match file.metadata() {
        Ok(about) if about.is_dir() => Err(Unread::Folder),
        Ok(about) if about.len() > MAX_SIZE => Err(Unread::Large),
        _ => take(file),
    }
}

fn take(from: impl io::Read) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    let size = from
        .take(MAX_SIZE + 1)
        .read_to_end(&mut bytes)
        .map_err(Unread::System)?;
    if size as u64 > MAX_SIZE {
        return Err(Unread::Large);
    }
    Ok(bytes)
}

/// `{bases, unresolved, diagnostics}`, with `file` if there are several.
fn object(answer: &Answer, several: bool) -> Value {
    let mut object = Map::new();
    if several {
        object.insert("file".to_owned(), answer.file.clone().into());
    }
    let found = answer.bases.as_ref();
    let stages = found.map_or(&[][..], |found| &found.stages);
    let name = |stage: usize| stages.get(stage).and_then(|stage| stage.name.clone());
    let base = |one: &Use| {
        json!({
            "reference": one.reference,
            "image": one.image.to_string(),
            "line": one.line,
            "stage": one.stage,
            "stageName": name(one.stage),
            "kind": one.kind.as_str(),
            "reachable": one.reachable,
            "tag": one.image.tag,
            "implicitLatest": one.image.implicit_latest,
            "digest": one.image.digest,
        })
    };
    let unresolved = |one: &Unresolved| {
        json!({
            "variable": one.variable,
            "declared": one.declared,
            "line": one.line,
            "stage": one.stage,
            "stageName": name(one.stage),
            "kind": one.kind.as_str(),
            "reachable": one.reachable,
        })
    };
    let bases = found.map_or_else(Vec::new, |found| found.uses.iter().map(base).collect());
    let lacking = found.map_or_else(Vec::new, |found| {
        found.unresolved.iter().map(unresolved).collect()
    });
    object.insert("bases".to_owned(), bases.into());
    object.insert("unresolved".to_owned(), lacking.into());
    let said = &answer.said;
    let said = diagnostics::json::diagnostics(&said.diagnostics, &said.sources);
    object.insert("diagnostics".to_owned(), said);
    object.into()
}

/// A row of the table: cells, what there is to note, and how it looks.
struct Row {
    place: usize,
    line: usize,
    stage: String,
    kind: &'static str,
    reference: String,
    image: String,
    note: &'static str,
    style: Style,
}

fn human(answers: &[Answer], several: bool, full: bool) -> String {
    let mut text = String::new();
    for answer in answers {
        let Some(found) = &answer.bases else {
            continue;
        };
        if several {
            let gap = if text.is_empty() { "" } else { "\n" };
            let file: String = answer.file.chars().filter(|c| !c.is_control()).collect();
            let _ = writeln!(text, "{gap}{BOLD}{file}{BOLD:#}");
        }
        table(found, full, &mut text);
    }
    text
}

fn table(found: &Bases, full: bool, text: &mut String) {
    let rows = rows(found, full);
    if rows.is_empty() {
        text.push_str("no base: it is built on nothing but `scratch`\n");
        return;
    }
    let wide = |cell: fn(&Row) -> usize, head: usize| rows.iter().map(cell).fold(head, usize::max);
    let line = wide(|row| row.line.to_string().len(), 4);
    let stage = wide(|row| row.stage.chars().count(), 5);
    let reference = wide(|row| row.reference.chars().count(), 9);
    let image = wide(|row| row.image.chars().count(), 5);
    let head = format!(
        "{:>line$}  {:stage$}  KIND   {:reference$}  IMAGE",
        "LINE", "STAGE", "REFERENCE"
    );
    let _ = writeln!(text, "{BOLD}{head}{BOLD:#}");
    for row in &rows {
        let cells = format!(
            "{:>line$}  {:stage$}  {:5}  {:reference$}  {:image$}  {}",
            row.line, row.stage, row.kind, row.reference, row.image, row.note
        );
        let style = row.style;
        let _ = writeln!(text, "{style}{}{style:#}", cells.trim_end());
    }
    for declared in [true, false] {
        lacking(found, declared, text);
    }
}

/// The variables without value, and how they get one.
fn lacking(found: &Bases, declared: bool, text: &mut String) {
    let with = |one: &&Unresolved| one.declared == declared;
    let names: BTreeSet<&str> = found
        .unresolved
        .iter()
        .filter(with)
        .map(|one| one.variable.as_str())
        .collect();
    let Some(first) = names.first() else {
        return;
    };
    let (what, how) = match declared {
        true => ("without value", format!("--build-arg {first}=…")),
        false => (
            "not declared",
            format!("ARG {first}=… before the first FROM"),
        ),
    };
    let names = names.iter().copied().collect::<Vec<_>>().join(", ");
    let _ = writeln!(
        text,
        "\n{LACKING}{what}: {names}{LACKING:#}; what gives a value: {BOLD}{how}{BOLD:#}"
    );
}

/// A reference with as much of its digest as tells it from others.
fn brief(reference: &str) -> String {
    const DIGITS: usize = 12;
    match reference.split_once('@') {
        Some((name, digest)) => {
            let (algorithm, encoded) = digest.split_once(':').unwrap_or(("", digest));
            let start: String = encoded.chars().take(DIGITS).collect();
            format!("{name}@{algorithm}:{start}…")
        }
        None => reference.to_owned(),
    }
}

/// The rows in the order of the file; `full`, digests and all.
fn rows(found: &Bases, full: bool) -> Vec<Row> {
    let stage = |index: usize| match found.stages.get(index) {
        Some(Stage {
            name: Some(name), ..
        }) => name.clone(),
        _ => index.to_string(),
    };
    let unneeded = |reachable: bool| match reachable {
        true => "",
        false => "not needed by the build",
    };
    let shown = |reference: String| match full {
        true => reference,
        false => brief(&reference),
    };
    let style = |reachable: bool| if reachable { Style::new() } else { DIM };
    let mut rows: Vec<Row> = Vec::new();
    for one in &found.uses {
        let note = match &one.image.tag {
            _ if !one.reachable => unneeded(false),
            None => "pinned by digest alone: no tag to watch",
            Some(_) if one.image.implicit_latest => "no tag is written",
            Some(_) => "",
        };
        rows.push(Row {
            place: one.span.start,
            line: one.line,
            stage: stage(one.stage),
            kind: one.kind.as_str(),
            reference: shown(one.reference.clone()),
            image: shown(one.image.to_string()),
            note,
            style: style(one.reachable),
        });
    }
    for one in &found.unresolved {
        rows.push(Row {
            place: one.span.start,
            line: one.line,
            stage: stage(one.stage),
            kind: one.kind.as_str(),
            reference: format!("needs ${}", one.variable),
            image: "?".to_owned(),
            note: unneeded(one.reachable),
            style: if one.reachable { LACKING } else { DIM },
        });
    }
    rows.sort_by_key(|row| row.place);
    rows
}
