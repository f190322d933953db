//! `rebuild [IMAGE…]`: what is due is triggered, and followed.
//!
//! An attempt is recorded, and pushed, before anybody is asked to build: git is the lock.
//! Of two runs at once the slower computes anew on what the faster pushed, and finds
//! nothing left to start.

mod ask;
mod early;
mod follow;
mod message;
mod record;
mod report;
mod window;

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

use factory::trigger::Triggers;
use image_factory::cli::run::{self, Root, Said, Stopped};
use image_factory::cli::{Common, Exit, Streams, Surroundings};
use image_factory::diagnostics::{Diagnostic, code, did_you_mean};
use image_factory::discover::Scope;
use image_factory::model::{self, Image, Name, OneLine, Parse as _, Settings};
use image_factory::plan::Plan;
use image_factory::record as records;
use image_factory::tree::Tree;
use image_factory::workspace::{Hold, Layout};

use super::discover::{Answers, Bar};
use super::landing::{self, Landed, Landing};
use super::plan::decide;

use ask::Ask;
use follow::{Followed, Follower};
use record::Planned;

/// Trigger the rebuilds that are due, or those of the images named, and follow them
#[derive(Clone, Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).multiple(true).args(["images", "due"])))]
pub(crate) struct Args {
    /// The images to rebuild, due or not
    #[arg(value_name = "IMAGE", value_parser = name)]
    images: Vec<Name>,
    /// Whatever is due; with names: of these
    #[arg(long)]
    due: bool,
    /// At once, also in a freeze; it is recorded who asked and why, and counted
    #[arg(long, requires = "images", requires = "reason", conflicts_with = "due")]
    emergency: bool,
    /// Why, in one line
    #[arg(long, value_name = "TEXT", requires = "images", value_parser = reason)]
    reason: Option<String>,
    /// Show what would be triggered, and with what; nobody is asked and nothing changes
    #[arg(long, conflicts_with = "resolve")]
    dry_run: bool,
    /// Wait until the builds have ended
    #[arg(long)]
    wait: bool,
    /// Who asks, as Kargo names them; a person lifts the hold of `autoRebuild: false`
    #[arg(long, value_name = "WHO")]
    requested_by: Option<String>,
    /// Ask the registries first what is behind the tags of the base images
    #[arg(long)]
    resolve: bool,
    #[command(flatten)]
    landing: Landing,
    #[command(flatten)]
    root: Root,
}

/// The name of an image, as an argument.
pub(super) fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|invalid| format!("it {}", invalid.why))
}

fn reason(text: &str) -> Result<String, String> {
    OneLine::parse(text)
        .map(|line| line.to_string())
        .map_err(|invalid| format!("it {}; {}", invalid.why, invalid.help))
}

/// Rebuilds.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let done = rebuild(args, common, around, streams, &mut said);
    let exit = match &done {
        Err(Stopped) => Exit::Wrong,
        Ok(done) if done.failed => Exit::No,
        // Whoever rebuilds what is due answers for all images.
        Ok(_) if args.due && said.diagnostics.iter().any(keeps_one) => Exit::No,
        // As with `record`: another image's file that is wrong is told, and is no reason
        // for a Job to say that nothing was done. That of an image that was named is.
        Ok(done) if said.any_error() && !(args.landing.commits() && done.quiet) => Exit::No,
        Ok(_) => Exit::Done,
    };
    said.end(
        common,
        streams,
        exit,
        || {
            let text = |done: &Done| report::text(done, common.verbose);
            done.as_ref().map_or_else(|_| String::new(), text)
        },
        || report::object(done.as_ref().ok(), common.now()),
    )
}

/// Does it keep an image from ever being rebuilt, while all others are?
fn keeps_one(diagnostic: &Diagnostic) -> bool {
    [code::DEPENDENCY_CYCLE, code::BASE_STATE_MISSING].contains(&diagnostic.code)
}

/// What was done.
struct Done {
    plan: Plan,
    followed: Vec<Followed>,
    /// What would be sent.
    requests: Option<Vec<report::Request>>,
    landed: Vec<Landed>,
    /// Were images named?
    named: bool,
    /// Is the answer no?
    failed: bool,
    /// Were all errors those of state files, and of no image that was named?
    quiet: bool,
}

/// What every step needs.
struct Run<'a> {
    args: &'a Args,
    common: &'a Common,
    layout: &'a Layout,
    ask: Ask,
    settings: Settings,
    images: Vec<Image>,
    /// What tells this run from all others.
    token: String,
}

/// Two runs in the same second that decide the same would make the same commit, to the
/// bit. The push of the second would then be no news, and both would take it for theirs.
fn token() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

fn rebuild(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Done, Stopped> {
    if args.landing.proposes() {
        return Err(said.stop([not_proposed()]));
    }
    let layout =
        run::layout(args.root.root.as_deref(), None, around).map_err(|error| said.stop([error]))?;
    let lock = run::lock(&layout, &layout.root, Hold::Shared, streams, said)?;
    let tree = landing::load(&layout, said)?;
    drop(lock);
    known(&tree, &args.images, said)?;
    let (enrolled, diagnostics) = model::enrollment(&tree.inputs);
    let (settings, images) = enrolled.ok_or_else(|| said.stop(diagnostics))?;
    let run = Run {
        args,
        common,
        layout: &layout,
        ask: Ask::of(args, &layout.root),
        settings,
        images,
        token: token(),
    };
    if args.dry_run {
        run.dry(&tree, said)
    } else {
        run.go(&tree, streams, said)
    }
}

impl Run<'_> {
    /// Shows what would be triggered.
    fn dry(&self, tree: &Tree, said: &mut Said) -> Result<Done, Stopped> {
        // As the real run does, if nobody has an answer.
        let now = self.common.now();
        let ended = records::answer(tree, &records::overdue(tree, now), now);
        said.diagnostics.extend(ended.diagnostics);
        let tree = tree.with(&ended.edit);
        let mut plan = decide(&tree, &self.ask.order(), self.common, said)?;
        self.ask.only(&mut plan);
        let quiet = true;
        let failed = self.ask.judge(&plan, said);
        let requests = report::requests(&plan, &self.ask, &tree, &self.images);
        Ok(Done {
            plan,
            followed: Vec::new(),
            requests: Some(requests),
            landed: Vec::new(),
            named: !self.args.images.is_empty(),
            failed,
            quiet,
        })
    }

    fn go(&self, tree: &Tree, streams: &mut Streams<'_>, said: &mut Said) -> Result<Done, Stopped> {
        self.until_due(tree, streams, said)?;
        let resolved = self.resolve(tree, said)?;
        let triggers = Triggers::new(&self.settings, Surroundings::variable);
        let mut follower = Follower::new(self, &triggers, tree);
        let mut telling = Vec::new();
        // Without keeping others waiting: what became of the attempts that are open.
        let answers = follower.look(tree, streams, &mut telling);
        let mut planned = None;
        let landed = self.land(streams, said, &mut |tree, said| {
            let (now, change) = self.compute(tree, resolved.as_ref(), &answers, &triggers, said)?;
            planned = Some(now);
            Ok(change)
        })?;
        let planned: Planned = planned.ok_or_else(|| said.stop([]))?;
        let quiet = said.diagnostics.iter().all(|d| self.is_aside(tree, d));
        said.diagnostics.append(&mut telling);
        let mut done = Done {
            failed: self.ask.judge(&planned.plan, said) || planned.unread,
            plan: planned.plan.clone(),
            followed: Vec::new(),
            requests: None,
            landed: vec![landed],
            named: !self.args.images.is_empty(),
            quiet,
        };
        follower.planned(&planned);
        let answers = follower.fire(&planned, streams, said);
        done.failed |= !self.keep(&answers, &mut done.landed, streams, said);
        if self.args.wait {
            done.failed |= !follower.wait(&mut done.landed, streams, said);
        }
        done.failed |= follower.failed;
        done.followed = follower.followed;
        Ok(done)
    }

    /// Is it about a file, and none of an image that was named?
    fn is_aside(&self, tree: &Tree, diagnostic: &Diagnostic) -> bool {
        let named = self.args.images.iter().map(Name::as_str);
        let own = |file: &str| {
            named
                .clone()
                .any(|name| file == tree.image_path(name) || file == tree.archived_image_path(name))
        };
        diagnostic.place.as_ref().is_some_and(|place| {
            let file: &str = &place.file;
            !diagnostic.is_error() || !own(file)
        })
    }

    /// Asks the registries. One that is away holds nothing.
    fn resolve(&self, tree: &Tree, said: &mut Said) -> Result<Option<Answers>, Stopped> {
        if !self.args.resolve {
            return Ok(None);
        }
        let scope = match &self.args.images[..] {
            [] => Scope::All,
            names => Scope::Only(names.iter().cloned().collect()),
        };
        let bar = Bar::new(self.common, "references");
        let enrolled = (&self.settings, &self.images[..]);
        let root: &Path = &self.layout.root;
        let tell = |done, total| bar.at(done, total);
        let asked = super::discover::ask(tree, enrolled, &scope, root, &tell, bar.notice());
        bar.end();
        asked.map(Some).map_err(|error| said.stop([error]))
    }
}

/// Sees to it that these are managed images. One that is not enrolled any more, and has
/// state, is told.
pub(super) fn known(tree: &Tree, wanted: &[Name], said: &mut Said) -> Result<(), Stopped> {
    let (enrolled, diagnostics) = model::enrollment(&tree.inputs);
    let Some((_, images)) = enrolled else {
        return Err(said.stop(diagnostics));
    };
    let managed = images.iter().filter(|image| image.is_managed());
    let managed: Vec<&str> = managed.map(|image| image.name.as_str()).collect();
    let mut wrong = Vec::new();
    for name in wanted {
        let text = name.as_str();
        if managed.contains(&text) {
            continue;
        }
        if let Some(image) = images.iter().find(|image| image.name == *name) {
            let message = format!("`{text}` is an external image, which others build");
            let help = "name one of the managed images, which `image-factory status` shows";
            let error = Diagnostic::error(code::NOT_REBUILDABLE, message).help(help);
            wrong.push(error.at(image.place()));
            continue;
        }
        let paths = [tree.image_path(text), tree.archived_image_path(text)];
        if paths.iter().any(|path| tree.text(path).is_some()) {
            let message = format!("`{text}` is not enrolled any more");
            let help = "nothing is rebuilt; enroll it again if it should be";
            said.diagnostics
                .push(Diagnostic::warning(code::NOT_REBUILDABLE, message).help(help));
            continue;
        }
        let message = format!("`{text}` is not enrolled");
        wrong.push(
            Diagnostic::error(code::NOT_REBUILDABLE, message).help(did_you_mean(text, &managed)),
        );
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(said.stop(wrong))
    }
}

fn not_proposed() -> Diagnostic {
    let message = "an attempt to rebuild cannot be proposed: it is recorded before it starts";
    Diagnostic::error(code::NOT_PROPOSED, message).help("use `--commit --push`")
}
