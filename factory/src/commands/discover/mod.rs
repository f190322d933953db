//! `discover [IMAGE…]`: which base images the enrolled images have, into state/.

mod bar;
mod commit;
pub(crate) mod locate;
mod report;
mod resolve;

use std::collections::BTreeSet;
use std::ffi::OsString;

use factory::git::Git;
use image_factory::cli::run::{self, Root, Said, Stopped, command_line};
use image_factory::cli::{Common, Exit, Streams, Surroundings};
use image_factory::diagnostics::{Diagnostic, Place};
use image_factory::discover::{self, Options, Scope, not_enrolled};
use image_factory::model::{self, Image, Name, Parse as _, Settings, Time};
use image_factory::tree::Tree;
use image_factory::workspace::{self, Hold, Layout};

use super::landing::{self, Landing};

pub(super) use bar::Bar;
pub(super) use resolve::{Answers, ask};

use locate::{Checkout, Located, Places};
use report::Done;

/// Find the base images in the Dockerfiles of enrolled images, and bring state/ up to date
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these images [default: all that are enrolled]
    #[arg(value_name = "IMAGE", value_parser = name)]
    images: Vec<Name>,
    /// Write nothing; exit 1 if a run would change something
    #[arg(long, conflicts_with = "commit")]
    check: bool,
    /// Ask the registries what is behind the tags of base and external images
    #[arg(long)]
    resolve: bool,
    /// Read the Dockerfiles of a repository in this folder instead of a clone
    #[arg(long = "source", value_name = "OWNER/REPO=DIR", value_parser = Checkout::parse)]
    sources: Vec<Checkout>,
    /// Make the state of the named images anew; what it remembers is lost
    #[arg(long, requires = "images")]
    reset_state: bool,
    #[command(flatten)]
    landing: Landing,
    #[command(flatten)]
    root: Root,
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|invalid| format!("it {}", invalid.why))
}

/// Discovers.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let done = discover(args, common, around, streams, &mut said);
    let exit = match &done {
        Err(Stopped) => Exit::Wrong,
        Ok(done) => {
            let drift = args.check && !done.edit.is_empty();
            if drift || said.any_error() {
                Exit::No
            } else {
                Exit::Done
            }
        }
    };
    let nothing = Done::default();
    let shown = done.as_ref().unwrap_or(&nothing);
    said.end(
        common,
        streams,
        exit,
        || match &done {
            Ok(done) => report::text(done, &mend(args, around), common.verbose),
            Err(Stopped) => String::new(),
        },
        || report::object(shown),
    )
}

/// The same command without `--check`.
fn mend(args: &Args, around: &Surroundings) -> String {
    let mut words: Vec<OsString> = vec!["discover".into()];
    words.extend(args.images.iter().map(|name| name.as_str().into()));
    if args.resolve {
        words.push("--resolve".into());
    }
    for source in &args.sources {
        words.push("--source".into());
        let mut word = OsString::from(format!("{}=", source.repo));
        word.push(&source.folder);
        words.push(word);
    }
    if args.reset_state {
        words.push("--reset-state".into());
    }
    if let Some(root) = &args.root.root {
        words.push("--root".into());
        words.push(root.into());
    }
    command_line(around, &words)
}

/// What is known before the state is looked at for writing.
struct Gathered {
    git: Git,
    settings: Settings,
    located: Located,
    answers: Answers,
    scope: Scope,
}

/// Everything that a run computes with.
struct Run<'a> {
    args: &'a Args,
    now: Time,
    layout: &'a Layout,
}

fn discover(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Done, Stopped> {
    let layout =
        run::layout(args.root.root.as_deref(), None, around).map_err(|error| said.stop([error]))?;
    let run = Run {
        args,
        now: common.now(),
        layout: &layout,
    };
    // What takes long, git and registries, is done without keeping others waiting.
    let gathered = run.gather(common, around, streams, said)?;
    let hold = if args.check {
        Hold::Shared
    } else {
        Hold::Alone
    };
    let _lock = run::lock(&layout, &layout.root, hold, streams, said)?;
    let tree = run.load(said)?;
    if args.landing.commits() {
        return commit::commit(&run, &tree, &gathered, streams, said);
    }
    let mut done = run.compute(&tree, &gathered, said)?;
    if !args.check && !done.edit.is_empty() {
        workspace::apply(&layout, &done.edit).map_err(|faults| said.stop(faults))?;
        done.written = true;
    }
    Ok(done)
}

impl Run<'_> {
    /// Reads the tree. A state file that cannot be read is told, and stands in nobody's
    /// way; anything else that cannot be is.
    fn load(&self, said: &mut Said) -> Result<Tree, Stopped> {
        *said = Said::default();
        landing::load(self.layout, said)
    }

    /// Reads Dockerfiles and asks registries.
    fn gather(
        &self,
        common: &Common,
        around: &Surroundings,
        streams: &mut Streams<'_>,
        said: &mut Said,
    ) -> Result<Gathered, Stopped> {
        let lock = run::lock(self.layout, &self.layout.root, Hold::Shared, streams, said)?;
        let tree = self.load(said)?;
        drop(lock);
        let (settings, images) = enrolled(&tree, said)?;
        let scope = self.scope(&images, said)?;
        let checkouts = locate::checkouts(&self.args.sources, &images, around)
            .map_err(|wrong| said.stop(wrong))?;
        let git = Git::of_process();
        let places = Places {
            git: &git,
            root: &self.layout.root,
            checkouts: &checkouts,
            settings: &settings,
        };
        let bar = Bar::new(common, "repositories");
        let located = locate::locate(&images, &scope, &places, &|done, total| {
            bar.at(done, total);
        });
        bar.end();
        let mut gathered = Gathered {
            git,
            settings,
            located,
            answers: Answers::default(),
            scope,
        };
        if self.args.resolve {
            let done = self.compute(&tree, &gathered, &mut Said::default())?;
            let after = tree.with(&done.edit);
            let bar = Bar::new(common, "references");
            let asked = ask(
                &after,
                (&gathered.settings, &images),
                &gathered.scope,
                &self.layout.root,
                &|done, total| bar.at(done, total),
                bar.notice(),
            );
            bar.end();
            gathered.answers = asked.map_err(|error| said.stop([error]))?;
        }
        Ok(gathered)
    }

    fn scope(&self, images: &[Image], said: &mut Said) -> Result<Scope, Stopped> {
        if self.args.images.is_empty() {
            return Ok(Scope::All);
        }
        let scope = Scope::Only(self.args.images.iter().cloned().collect());
        let unknown = not_enrolled(images, &scope);
        if unknown.is_empty() {
            Ok(scope)
        } else {
            Err(said.stop(unknown))
        }
    }

    /// What has to change in this tree.
    fn compute(&self, tree: &Tree, gathered: &Gathered, said: &mut Said) -> Result<Done, Stopped> {
        let damaged: BTreeSet<String> = said
            .diagnostics
            .iter()
            .filter(|d| d.is_error())
            .filter_map(|d| d.place.as_ref())
            .map(|Place { file, .. }| file.to_string())
            .collect();
        let options = Options {
            scope: gathered.scope.clone(),
            reset_state: self.args.reset_state,
            damaged,
            shown: gathered.located.shown.clone(),
        };
        let mut outcome = discover::run(tree, &gathered.located.found, self.now, &options);
        said.sources.merge(std::mem::take(&mut outcome.sources));
        // What was wrong with a file that is made anew is over.
        let anew = |d: &Diagnostic| {
            let place = d.place.as_ref();
            place.is_some_and(|place| outcome.edit.files.contains_key(&*place.file))
        };
        said.diagnostics.retain(|d| !anew(d));
        said.diagnostics.append(&mut outcome.diagnostics);
        said.diagnostics
            .extend(gathered.located.unreachable.iter().cloned());
        if outcome.refused {
            return Err(said.stop([]));
        }
        let after = tree.with(&outcome.edit);
        let recorded = gathered.answers.record(&after, self.now, said);
        Ok(Done {
            edit: outcome.edit.clone().then(recorded.edit),
            seen: recorded.seen,
            outcome,
            written: false,
            commit: None,
            pull_request: None,
        })
    }
}

/// Settings and images; nothing can be done with an enrollment that is wrong.
fn enrolled(tree: &Tree, said: &mut Said) -> Result<(Settings, Vec<Image>), Stopped> {
    let (enrolled, diagnostics) = model::enrollment(&tree.inputs);
    enrolled.ok_or_else(|| said.stop(diagnostics))
}
