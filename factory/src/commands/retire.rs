//! `retire NAME`: takes an entry out of images.yaml, and its state to the archive.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use image_factory::cli::run::{self, Root, Said, Stopped};
use image_factory::cli::{Common, Exit, Streams, Surroundings};
use image_factory::diagnostics::Diagnostic;
use image_factory::discover::{self, Options};
use image_factory::enroll;
use image_factory::model::Time;
use image_factory::tree::{Edit, Tree};
use serde_json::{Value, json};

use super::enroll::{change, refuse};
use super::landing::{self, Landed, Landing};

/// Take an image out of images.yaml; its state moves to the archive
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The image
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    landing: Landing,
    #[command(flatten)]
    root: Root,
}

/// What was done.
struct Done {
    name: String,
    landed: Landed,
    archived: Vec<String>,
}

/// Retires an image.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let done = attempt(args, common.now(), around, streams, &mut said);
    let exit = match &done {
        Ok(_) if said.any_error() => Exit::No,
        Ok(_) => Exit::Done,
        Err(Stopped) => Exit::Wrong,
    };
    let human = || {
        done.as_ref()
            .map_or_else(|_| String::new(), |done| text(done, around))
    };
    let machine = || {
        done.as_ref()
            .map_or_else(|_| json!({"image": null}), object)
    };
    said.end(common, streams, exit, human, machine)
}

fn text(done: &Done, around: &Surroundings) -> String {
    let mut text = format!("`{}` is not enrolled any more\n", done.name);
    for name in &done.archived {
        text.push_str(&format!("archived the state of `{name}`\n"));
    }
    let synth = run::command_line(around, &[OsString::from("synth")]);
    text + &done.landed.text() + &format!("next: {synth}\n")
}

fn object(done: &Done) -> Value {
    let mut whole = json!({"image": done.name, "archived": done.archived});
    done.landed.add_to(&mut whole);
    whole
}

fn attempt(
    args: &Args,
    now: Time,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Done, Stopped> {
    let layout =
        run::layout(args.root.root.as_deref(), None, around).map_err(|e| said.stop([e]))?;
    let mut archived = Vec::new();
    let mut compute = |tree: &Tree, said: &mut Said| {
        let (edit, names) = retired(tree, &args.name, now, said)?;
        let news: Vec<String> = names
            .iter()
            .map(|name| format!("{name}: archived"))
            .collect();
        archived = names;
        change(edit, &format!("Retire {}", args.name), &news, said).map(Some)
    };
    let topic = format!("retire-{}", args.name);
    let landed = landing::land(&args.landing, &layout, &topic, streams, said, &mut compute)?;
    Ok(Done {
        name: args.name.clone(),
        landed,
        archived,
    })
}

/// The tree without the entry, and what is archived with it.
fn retired(
    tree: &Tree,
    name: &str,
    now: Time,
    said: &mut Said,
) -> Result<(Edit, Vec<String>), Stopped> {
    let removed = enroll::remove(tree, name).map_err(|refused| refuse(refused, said))?;
    // No Dockerfile is looked for, so all that this learns is what is not needed any more.
    let outcome = discover::run(
        &tree.with(&removed),
        &BTreeMap::new(),
        now,
        &Options::default(),
    );
    let file = tree.image_path(name);
    let of_it = |d: &Diagnostic| d.place.as_ref().is_some_and(|place| *place.file == *file);
    let known = said.diagnostics.clone();
    let told = outcome.diagnostics.into_iter().filter(of_it);
    said.diagnostics.extend(told.filter(|d| !known.contains(d)));
    let images = outcome.archived_images.iter().map(ToString::to_string);
    let bases = outcome.archived_bases.iter().map(ToString::to_string);
    let names: BTreeSet<String> = images.chain(bases).collect();
    // What goes to the archive, and the links of base images; of the images that stay
    // the next discovery says more.
    let folders = [tree.base_path(""), tree.archived_base_path("")];
    let mut edit = removed;
    for (path, text) in outcome.edit.files {
        let mut folders = folders.iter().map(|path| path.trim_end_matches(".yaml"));
        let name = path.rsplit('/').next().unwrap_or(&path);
        let name = name.trim_end_matches(".yaml");
        let name = name.split('~').next().unwrap_or(name);
        if folders.any(|folder| path.starts_with(folder)) || names.contains(name) {
            edit.files.insert(path, text);
        }
    }
    Ok((edit, names.into_iter().collect()))
}
