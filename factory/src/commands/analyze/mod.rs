//! `analyze`: one image, one build. Its Dockerfile is read at the commit of its source,
//! its state brought up to date and the build recorded; with `--commit` all that is
//! computed from the commit that the factory is at, and again if that has moved.

mod args;
mod find;
mod report;

use std::cell::RefCell;
use std::collections::BTreeMap;

use factory::git::Git;
use factory::git::auth::Credentials;
use image_factory::cli::run::{self, Said, Stopped};
use image_factory::cli::{Common, Exit, Format, Streams, Surroundings};
use image_factory::diagnostics::{self, Diagnostic, code};
use image_factory::discover::{self, Found, Status, not_enrolled};
use image_factory::model::{self, Image, Settings, Source, Time};
use image_factory::record::{self, Built};
use image_factory::tree::{Edit, Tree};
use image_factory::workspace;

pub(crate) use args::Args;
use args::Job;
use report::Learnt;

use super::landing::{self, Change, Landed, land};

/// Analyses, and prints what came of it as the last line.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let streams = RefCell::new(streams);
    let tell = |line: &str| {
        if !common.quiet && common.format == Format::Human {
            streams.borrow_mut().tell(&format!("{line}\n"));
        }
    };
    let outcome = analyze(args, common, around, &tell, &streams, &mut said);
    diagnostics::sort(&mut said.diagnostics);
    let (exit, mut line) = match &outcome {
        Ok((job, learnt, landed)) => {
            let exit = match learnt.result.status {
                Status::Failed if args.landing.commits() => Exit::Done,
                Status::Success if !said.any_error() => Exit::Done,
                _ => Exit::No,
            };
            (
                exit,
                report::object(job, learnt, landed, args.landing.pushes()),
            )
        }
        Err(exit) => (*exit, report::stopped(&args.image, &said.diagnostics)),
    };
    let streams = streams.into_inner();
    said.tell(common, streams);
    if common.format == Format::Json
        && let Some(object) = line.as_object_mut()
    {
        let told = diagnostics::json::diagnostics(&said.diagnostics, &said.sources);
        object.insert("diagnostics".to_owned(), told);
    }
    match streams.print(&format!("{line}\n")) {
        Ok(()) => exit,
        Err(error) => {
            streams.tell(&format!("error: the report cannot be printed: {error}\n"));
            Exit::Wrong
        }
    }
}

/// Everything that the analysis is computed with.
struct Run<'a> {
    job: &'a Job,
    now: Time,
    found: BTreeMap<model::Name, Found>,
    /// How the Dockerfile is called in what is told.
    shown: BTreeMap<model::Name, String>,
    built: find::Said,
}

/// A change of a tree, and what it is about.
struct Computed {
    edit: Edit,
    learnt: Learnt,
    image: Image,
}

fn analyze(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    tell: &dyn Fn(&str),
    streams: &RefCell<&mut Streams<'_>>,
    said: &mut Said,
) -> Result<(Job, Learnt, Landed), Exit> {
    let wrong = |said: &mut Said, errors: Vec<Diagnostic>| {
        said.stop(errors);
        Exit::Wrong
    };
    let job = args.job().map_err(|errors| wrong(said, errors))?;
    let git = Git::of_process();
    let at = args.image_factory_dir.as_deref();
    let at = at.map(|folder| workspace::absolute(&around.folder, folder));
    let root = find::factory(&git, args, &job, at.as_deref(), &mut |line| tell(line))
        .map_err(|error| wrong(said, vec![error]))?;
    let layout =
        run::layout(root.as_deref(), None, around).map_err(|error| wrong(said, vec![error]))?;
    let places = run::load(&layout, said).map_err(|_| Exit::Wrong)?;
    // What is wrong with other files of state is others' business.
    said.diagnostics
        .retain(|d| !d.is_error() || !of_state(d, &places));
    if said.any_error() {
        return Err(Exit::Wrong);
    }
    let (settings, images) = enrolled(&places, said)?;
    let (image, source) = subject(&images, &job, said)?;
    said.diagnostics
        .extend(args.contradictions(source, &settings));
    tell(&format!(
        "analyzing {}: {} of {}",
        job.title(),
        source.dockerfile,
        source.repo
    ));

    let own = settings.git.repo.as_ref();
    let credentials = Credentials::new(&git, &settings.providers, own);
    let found = find::dockerfile(
        &git,
        &credentials,
        &layout.root,
        (image, source),
        &settings,
        &job,
    )
    .map_err(|error| wrong(said, vec![error]))?;
    let (built, warning) = find::built(&settings, &layout.root, image, &job);
    said.diagnostics.extend(warning);
    let run = Run {
        job: &job,
        now: common.now(),
        found: BTreeMap::from([(job.image.clone(), found)]),
        shown: BTreeMap::from([(job.image.clone(), source.dockerfile.to_string())]),
        built,
    };
    // What is said of a tree replaces what was said before.
    let before = std::mem::take(&mut said.diagnostics);
    let landed = run.land(args, &layout, streams, said);
    said.diagnostics.extend(before);
    let (learnt, landed) = landed?;
    for fact in report::facts(image, &job, &learnt) {
        tell(&fact);
    }
    match landed.text().trim_end() {
        "" => tell("nothing new"),
        text => tell(text),
    }
    Ok((job, learnt, landed))
}

fn of_state(diagnostic: &Diagnostic, tree: &Tree) -> bool {
    let place = diagnostic.place.as_ref();
    place.is_some_and(|place| place.file.starts_with(&format!("{}/", tree.state)))
}

/// Settings and images; nothing can be done with an enrollment that is wrong.
fn enrolled(tree: &Tree, said: &mut Said) -> Result<(Settings, Vec<Image>), Exit> {
    let (enrolled, found) = model::enrollment(&tree.inputs);
    enrolled.ok_or_else(|| {
        said.stop(found);
        Exit::Wrong
    })
}

/// The image, which has to be enrolled and ours: it may have been taken out meanwhile.
fn subject<'i>(
    images: &'i [Image],
    job: &Job,
    said: &mut Said,
) -> Result<(&'i Image, &'i Source), Exit> {
    let Some(image) = report::enrolled(images, &job.image) else {
        said.stop(not_enrolled(images, &job.scope()));
        return Err(Exit::No);
    };
    let Some(source) = image.source() else {
        said.stop([Diagnostic::error(
            code::NOT_ANALYZABLE,
            format!("`{}` is enrolled as an external image", job.image),
        )
        .help(format!(
            "`image-factory record {} --digest …` records a new digest of it",
            job.image
        ))]);
        return Err(Exit::No);
    };
    Ok((image, source))
}

impl Run<'_> {
    /// Lets the change land where it is to go.
    fn land(
        &self,
        args: &Args,
        layout: &workspace::Layout,
        streams: &RefCell<&mut Streams<'_>>,
        said: &mut Said,
    ) -> Result<(Learnt, Landed), Exit> {
        let mut exit = Exit::Wrong;
        let mut learnt = None;
        let mut compute = |tree: &Tree, said: &mut Said| {
            let computed = self.compute(tree, said).map_err(|why| {
                exit = why;
                Stopped
            })?;
            let Computed {
                edit,
                image,
                learnt: found,
            } = computed;
            let message = report::message(&image, self.job, &found);
            learnt = Some(found);
            if edit.is_empty() {
                return Ok(None);
            }
            let message = message.map_err(|error| said.stop([landing::fault(&error)]))?;
            Ok(Some(Change { edit, message }))
        };
        let topic = self.job.topic();
        let mut streams = streams.borrow_mut();
        let landed = land(
            &args.landing,
            layout,
            &topic,
            &mut streams,
            said,
            &mut compute,
        );
        match (landed, learnt) {
            (Ok(landed), Some(learnt)) => Ok((learnt, landed)),
            _ => Err(exit),
        }
    }

    /// What has to change in a tree.
    fn compute(&self, tree: &Tree, said: &mut Said) -> Result<Computed, Exit> {
        let (_, images) = enrolled(tree, said)?;
        let (image, _) = subject(&images, self.job, said)?;
        let options = discover::Options {
            scope: self.job.scope(),
            shown: self.shown.clone(),
            ..discover::Options::default()
        };
        let mut outcome = discover::run(tree, &self.found, self.now, &options);
        said.sources.merge(std::mem::take(&mut outcome.sources));
        let told = outcome.diagnostics.clone();
        said.diagnostics.append(&mut outcome.diagnostics);
        let Some(result) = outcome.images.pop().filter(|_| !outcome.refused) else {
            return Err(Exit::Wrong);
        };
        if result.status == Status::Damaged {
            return Err(Exit::No);
        }
        let found = self.found.get(&self.job.image);
        let (commit, reason) = match found {
            Some(Found::Read { commit, .. }) => (commit.clone(), None),
            Some(Found::Failed { reason, .. }) => (None, Some(reason.as_str())),
            None => (None, None),
        };
        let mut learnt = Learnt {
            failure: report::failure(&result, &told, reason),
            result,
            commit: commit.or_else(|| self.job.commit.clone()),
            build: None,
        };
        let mut edit = outcome.edit;
        if let Some(digest) = &self.job.digest {
            let built = Built {
                image: self.job.image.clone(),
                tag: self.job.tag.clone(),
                digest: digest.clone(),
                created: self.built.created,
                base_digests: self.built.base_digests.clone(),
            };
            let mut recorded = record::build(&tree.with(&edit), &built, self.now);
            said.diagnostics.append(&mut recorded.diagnostics);
            learnt.build = Some(recorded.facts.ok_or(Exit::No)?);
            edit = edit.then(recorded.edit);
        }
        Ok(Computed {
            edit,
            learnt,
            image: image.clone(),
        })
    }
}
