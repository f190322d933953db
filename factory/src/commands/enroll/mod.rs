//! `enroll NAME …`: adds an entry to images.yaml; `enroll --scan DIR` proposes some.

mod ask;
mod scan;
mod verify;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use image_factory::cli::run::{self, Root, Said, Stopped};
use image_factory::cli::{Common, Exit, Streams, Surroundings};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::enroll::{self, Entry, Refused, Source};
use image_factory::template::{Discovery, Templates, Text};
use image_factory::tree::{Edit, Tree};
use image_factory::workspace::{self, Hold, Layout};
use serde_json::{Value, json};

use super::landing::{self, Change, Landed, Landing};

/// Add an image to images.yaml
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// What to call the image: its state file and its Kargo objects
    #[arg(value_name = "NAME", required_unless_present = "scan")]
    name: Option<String>,
    /// Where it is pushed to or pulled from, such as ghcr.io [default for external images: docker.io]
    #[arg(long, value_name = "HOST")]
    registry: Option<String>,
    /// Its path below the registry, such as acme/shop
    #[arg(long, value_name = "PATH")]
    repository: Option<String>,
    /// Managed: the repository with its Dockerfile, OWNER/REPO
    #[arg(long, value_name = "OWNER/REPO")]
    source_repo: Option<String>,
    /// Managed: the kind of git host, github or gitlab [default: github]
    #[arg(long, value_name = "KIND", requires = "source_repo")]
    provider: Option<String>,
    /// Managed: the branch that is built [default: main]
    #[arg(long, value_name = "BRANCH", requires = "source_repo")]
    branch: Option<String>,
    /// Managed: its Dockerfile [default: Dockerfile]
    #[arg(long, value_name = "PATH", requires = "source_repo")]
    dockerfile: Option<String>,
    /// Managed: the build stage that becomes the image [default: the last]
    #[arg(long, value_name = "STAGE", requires = "source_repo")]
    target: Option<String>,
    /// Managed: the GitHub workflow that builds it [default: NAME.yml]
    #[arg(long, value_name = "FILE", requires = "source_repo")]
    workflow: Option<String>,
    /// A pattern for the tags that count, such as ^16-alpine$
    #[arg(long, value_name = "REGEX")]
    allow_tags: Option<String>,
    /// A range of versions that count, such as ^16
    #[arg(long, value_name = "RANGE")]
    constraint: Option<String>,
    /// How the newest tag is chosen: Lexical, SemVer, NewestBuild or Digest
    #[arg(long, value_name = "STRATEGY")]
    strategy: Option<String>,
    /// How long after a change of a base image it is rebuilt [default: 7d]
    #[arg(long, value_name = "DURATION")]
    rebuild_delay: Option<String>,
    /// Only a person starts its rebuilds
    #[arg(long)]
    no_auto_rebuild: bool,
    /// Add it without asking whether its Dockerfile and its registry are there
    #[arg(long)]
    no_verify: bool,
    /// Look for Dockerfiles in this folder and print entries for them
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with_all = ["name", "repository", "dockerfile", "workflow", "target", "allow_tags", "constraint", "strategy"])]
    scan: Option<PathBuf>,
    /// With --scan: add the entries instead of printing them
    #[arg(long, requires = "scan")]
    write: bool,
    #[command(flatten)]
    landing: Landing,
    #[command(flatten)]
    root: Root,
}

/// What was added, or is proposed.
struct Done {
    file: String,
    text: String,
    names: Vec<String>,
    /// What became of the change; `None`: it was only shown.
    landed: Option<Landed>,
}

/// Enrolls an image, or shows which could be.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let done = attempt(args, around, streams, &mut said);
    let exit = match &done {
        Ok(_) => Exit::Done,
        Err(Stopped) => Exit::Wrong,
    };
    let human = || {
        done.as_ref()
            .map_or_else(|_| String::new(), |done| text(done, around))
    };
    let machine = || done.as_ref().map_or_else(|_| json!({"images": []}), object);
    said.end(common, streams, exit, human, machine)
}

fn text(done: &Done, around: &Surroundings) -> String {
    let Some(landed) = &done.landed else {
        return done.text.clone();
    };
    let next = |word: &str| run::command_line(around, &[OsString::from(word)]);
    format!(
        "{}\nadded to {}\n{}next:\n  {}\n  {}\n",
        done.text,
        done.file,
        landed.text(),
        next("discover"),
        next("synth")
    )
}

fn object(done: &Done) -> Value {
    let written = done.landed.is_some();
    let mut whole =
        json!({"images": done.names, "file": done.file, "text": done.text, "written": written});
    if let Some(landed) = &done.landed {
        landed.add_to(&mut whole);
    }
    whole
}

fn attempt(
    args: &Args,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Done, Stopped> {
    let layout =
        run::layout(args.root.root.as_deref(), None, around).map_err(|e| said.stop([e]))?;
    if let Some(folder) = &args.scan {
        let folder = workspace::absolute(&around.folder, folder);
        return scan(args, &layout, &folder, streams, said);
    }
    // Who answers questions takes time, so the lock is for afterwards.
    let entry = entry(args, streams).map_err(|e| said.stop(e))?;
    let mut verified = args.no_verify;
    let mut compute = |tree: &Tree, said: &mut Said| {
        let edit = enroll::add(tree, &entry).map_err(|refused| refuse(refused, said))?;
        if !std::mem::replace(&mut verified, true) {
            verify(tree, &edit, &entry.name, &layout, said)?;
        }
        change(edit, &format!("Enroll {}", entry.name), &[], said).map(Some)
    };
    let topic = format!("enroll-{}", entry.name);
    let landed = landing::land(&args.landing, &layout, &topic, streams, said, &mut compute)?;
    Ok(Done {
        file: layout.display(&layout.enrollment),
        text: entry.text(),
        names: vec![entry.name],
        landed: Some(landed),
    })
}

/// Asks whether what a new entry names is there.
fn verify(
    tree: &Tree,
    edit: &Edit,
    name: &str,
    layout: &Layout,
    said: &mut Said,
) -> Result<(), Stopped> {
    let model = enroll::enrolled(&tree.with(edit)).map_err(|errors| said.stop(errors))?;
    let image = model.image(name);
    let missing = image.map(|image| verify::verify(image, &model, &layout.root));
    match missing.unwrap_or_default() {
        missing if missing.is_empty() => Ok(()),
        missing => Err(said.stop(missing)),
    }
}

/// The edit with the message of its commit.
pub(super) fn change(
    edit: Edit,
    subject: &str,
    news: &[String],
    said: &mut Said,
) -> Result<Change, Stopped> {
    let text = Discovery {
        subject,
        news,
        by: concat!("image-factory ", env!("CARGO_PKG_VERSION")),
    };
    let message = Templates::new()
        .and_then(|templates| templates.render(&Text::DiscoverCommit(&text)))
        .map_err(|error| said.stop([landing::fault(&error)]))?;
    Ok(Change { edit, message })
}

/// Reads the tree; what cannot be read of it stops who wants to write.
pub(super) fn read(layout: &Layout, said: &mut Said) -> Result<Tree, Stopped> {
    let tree = run::load(layout, said)?;
    if said.any_error() {
        return Err(said.stop([]));
    }
    Ok(tree)
}

/// Takes in why an edit is refused.
pub(super) fn refuse(refused: Refused, said: &mut Said) -> Stopped {
    if let Some(file) = refused.text {
        said.sources.add(file.path, file.text);
    }
    said.stop(refused.diagnostics)
}

/// The entry that the flags say, and on a terminal the answers.
fn entry(args: &Args, streams: &mut Streams<'_>) -> Result<Entry, Vec<Diagnostic>> {
    let mut entry = Entry {
        name: args.name.clone().unwrap_or_default(),
        registry: args.registry.clone(),
        repository: args.repository.clone().unwrap_or_default(),
        source: args.source_repo.clone().map(|repo| Source {
            provider: args.provider.clone(),
            repo,
            branch: args.branch.clone(),
            dockerfile: args.dockerfile.clone(),
            target: args.target.clone(),
            workflow: args.workflow.clone(),
        }),
        allow_tags: args.allow_tags.clone(),
        constraint: args.constraint.clone(),
        strategy: args.strategy.clone(),
        rebuild_delay: args.rebuild_delay.clone(),
        by_hand: args.no_auto_rebuild,
    };
    let missing = missing(&entry);
    if missing.is_empty() {
        return Ok(entry);
    }
    if io::stdin().is_terminal() {
        ask::complete(&mut entry, &mut io::stdin().lock(), streams)?;
        return Ok(entry);
    }
    let one = |(flag, why): &(&str, &str)| {
        Diagnostic::error(code::FLAG_MISSING, format!("`{flag}` is needed: {why}"))
            .help("say it, or run this on a terminal, which asks for it")
    };
    Err(missing.iter().map(one).collect())
}

/// The flags without which there is no entry, and why.
fn missing(entry: &Entry) -> Vec<(&'static str, &'static str)> {
    let mut missing = Vec::new();
    let managed = entry.source.is_some();
    let tags = entry.allow_tags.is_some() || entry.constraint.is_some();
    if !managed && !tags {
        missing.push((
            "--source-repo",
            "which repository an image that we build is built from; or `--allow-tags` or `--constraint`: which tags count of one that we only watch",
        ));
    }
    if managed && entry.registry.is_none() {
        missing.push(("--registry", "where a managed image is pushed to"));
    }
    if entry.repository.is_empty() {
        missing.push(("--repository", "the image's path below its registry"));
    }
    missing
}

fn scan(
    args: &Args,
    layout: &Layout,
    folder: &std::path::Path,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Done, Stopped> {
    let found = scan::dockerfiles(folder, said).map_err(|error| said.stop([error]))?;
    let mut proposals = Vec::new();
    let mut compute = |tree: &Tree, said: &mut Said| {
        let model = enroll::enrolled(tree).map_err(|errors| said.stop(errors))?;
        let source = scan::source(args, folder, &layout.root, &model.settings)
            .map_err(|error| said.stop([error]))?;
        let registry = match &args.registry {
            Some(registry) => Ok(registry.clone()),
            None => scan::registry(&source, &model),
        };
        let registry = registry.map_err(|error| said.stop([error]))?;
        proposals = enroll::propose(&found, &source, &registry, &model);
        let mut tree = tree.clone();
        let mut whole = Edit::default();
        for proposal in &proposals {
            let mut entry = proposal.entry.clone();
            entry.rebuild_delay.clone_from(&args.rebuild_delay);
            entry.by_hand = args.no_auto_rebuild;
            let edit = enroll::add(&tree, &entry).map_err(|refused| refuse(refused, said))?;
            tree = tree.with(&edit);
            whole = whole.then(edit);
        }
        if whole.is_empty() {
            return Ok(None);
        }
        let names: Vec<String> = proposals.iter().map(|p| p.entry.name.clone()).collect();
        let subject = match names.as_slice() {
            [name] => format!("Enroll {name}"),
            names => format!("Enroll {} images", names.len()),
        };
        change(whole, &subject, &names, said).map(Some)
    };
    // Who wants a commit wants the entries in it.
    let landed = if args.write || args.landing.commits() {
        let landed = landing::land(&args.landing, layout, "enroll", streams, said, &mut compute)?;
        Some(landed)
    } else {
        let _lock = run::lock(layout, &layout.root, Hold::Shared, streams, said)?;
        let tree = read(layout, said)?;
        compute(&tree, said)?;
        None
    };
    let text: Vec<String> = proposals.iter().map(enroll::Proposal::text).collect();
    let names = proposals.into_iter().map(|proposal| proposal.entry.name);
    let names: Vec<String> = names.collect();
    Ok(Done {
        file: layout.display(&layout.enrollment),
        text: text.join("\n"),
        landed: landed.filter(|_| !names.is_empty()),
        names,
    })
}
