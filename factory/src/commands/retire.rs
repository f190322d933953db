//! `retire NAME`: takes an entry out of images.yaml, and its state to the archive.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use image_factory::cli::run::{self, Root, Said, Stopped};
use image_factory::cli::{Common, Exit, Streams, Surroundings};
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
    let archived = |path: &String| {
        let image = tree.archived_image_path("");
        let base = tree.archived_base_path("");
        [image, base].iter().find_map(|shape| {
            let folder = shape.trim_end_matches(".yaml");
            path.strip_prefix(folder)?
                .strip_suffix(".yaml")
                .map(str::to_owned)
        })
    };
    let moved: BTreeSet<&String> = outcome
        .edit
        .files
        .keys()
        .filter(|path| archived(path).is_some())
        .collect();
    let names: BTreeSet<String> = moved.into_iter().filter_map(archived).collect();
    // Only what goes to the archive; the rest is for the next discovery.
    let mut edit = removed;
    for (path, text) in outcome.edit.files {
        let stem = path
            .rsplit('/')
            .next()
            .and_then(|file| file.strip_suffix(".yaml"));
        let gone = text.is_none() && stem.is_some_and(|stem| names.contains(stem));
        if archived(&path).is_some() || gone {
            edit.files.insert(path, text);
        }
    }
    Ok((edit, names.into_iter().collect()))
}
