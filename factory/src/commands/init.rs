//! `init [DIR]`: a new factory, and the workflows for one.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: makes the folder of the factory"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use image_factory::cli::run::{self, Said, Stopped};
use image_factory::cli::{Common, Exit, Streams, Surroundings, origin};
use image_factory::diagnostics::{Diagnostic, Place, code};
use image_factory::enroll::{PLACEHOLDER, new_factory};
use image_factory::model::{Provider, usable_origin};
use image_factory::pipeline;
use image_factory::workspace::{self, ENROLLMENT, Hold, Layout};
use serde_json::json;

use super::discover::locate::{self, Checkout};
use super::workflows;

/// Make a new factory: an images.yaml to fill, its schema, and first manifests
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Where; it is made if it is not there
    #[arg(value_name = "DIR", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
    /// The address of the repository that holds it [default: the origin of the checkout]
    #[arg(long, value_name = "URL")]
    repo: Option<String>,
    /// Write workflows: to run by the clock, and to build the images whose source is this
    /// repository. Nothing that is there is changed, and in a factory that is there
    /// only these are written [possible values: github, gitlab; default: where the repository is]
    #[arg(long, value_name = "PROVIDER", num_args = 0..=1, value_parser = provider)]
    with_workflow: Option<Option<Provider>>,
    /// With --with-workflow: a checkout of a repository of images, to write their workflows to
    #[arg(long = "source", value_name = "OWNER/REPO=DIR", value_parser = Checkout::parse, requires = "with_workflow")]
    sources: Vec<Checkout>,
}

fn provider(text: &str) -> Result<Provider, String> {
    use image_factory::model::Parse as _;
    Provider::parse(text).map_err(|invalid| invalid.help)
}

/// Makes a factory.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let done = attempt(args, around, streams, &mut said);
    let (exit, done) = match done {
        Ok(done) => (Exit::Done, done),
        Err(Stopped) => (Exit::Wrong, workflows::Done::default()),
    };
    let files = &done.files;
    let human = || {
        let mut text = String::new();
        for file in files {
            text.push_str(&format!("written: {file}\n"));
        }
        let made = files.iter().any(|file| file == ENROLLMENT);
        if exit == Exit::Done && (made || args.with_workflow.is_none()) {
            let next = run::command_line(around, &["enroll", "--help"].map(OsString::from));
            text.push_str(&format!("next, enroll images: {next}\n"));
        } else if exit == Exit::Done && files.is_empty() {
            text.push_str(match done.elsewhere {
                0 => "nothing to write: the workflows are there\n",
                1 => {
                    "nothing written; 1 image is built elsewhere: name its checkout with --source\n"
                }
                _ => "",
            });
            if done.elsewhere > 1 {
                text.push_str(&format!(
                    "nothing written; {} images are built elsewhere: name their checkouts with --source\n",
                    done.elsewhere
                ));
            }
        }
        text
    };
    said.end(common, streams, exit, human, || json!({"files": files}))
}

fn attempt(
    args: &Args,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<workflows::Done, Stopped> {
    let folder = workspace::absolute(&around.folder, &args.folder);
    let there = folder.join(ENROLLMENT).symlink_metadata().is_ok();
    if !there {
        // A new factory has no images that a checkout could be of.
        locate::checkouts(&args.sources, &[], around).map_err(|wrong| said.stop(wrong))?;
    }
    let mut files = match there && args.with_workflow.is_some() {
        true => Vec::new(),
        false => new(args, &folder, streams, said)?,
    };
    let mut done = workflows::Done::default();
    if let Some(provider) = args.with_workflow {
        let wanted = workflows::Wanted {
            factory: &folder,
            provider,
            sources: &args.sources,
            around,
        };
        done = workflows::write(&wanted, streams, said)?;
    }
    files.append(&mut done.files);
    done.files = files;
    Ok(done)
}

/// A factory where there is none.
fn new(
    args: &Args,
    folder: &Path,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Vec<String>, Stopped> {
    let unusable = |error: std::io::Error| {
        let message = format!("`{}` cannot be used: {error}", folder.display());
        Diagnostic::error(code::OUT_UNUSABLE, message)
            .help("name a folder that can be made and written")
    };
    if folder.join(ENROLLMENT).symlink_metadata().is_ok() {
        let message = format!("`{}` holds an images.yaml already", folder.display());
        let exists = Diagnostic::error(code::FACTORY_EXISTS, message)
            .help("enroll images in it: `image-factory enroll NAME`; write workflows for it: `--with-workflow`; or name another folder")
            .at(Place::file(ENROLLMENT));
        return Err(said.stop([exists]));
    }
    std::fs::create_dir_all(folder).map_err(|error| said.stop([unusable(error)]))?;
    let layout = Layout::of(folder).map_err(|error| said.stop([unusable(error)]))?;
    let _lock = run::lock(&layout, &layout.root, Hold::Alone, streams, said)?;
    let repo = match &args.repo {
        Some(repo) => repo.clone(),
        None => match origin(&layout.root).as_deref().and_then(usable_origin) {
            Some(origin) => origin,
            None => {
                let message = format!("`settings.git.repo` is `{PLACEHOLDER}`, which is nobody's");
                let warning = Diagnostic::warning(code::PLACEHOLDER_REPO, message)
                    .help("write the address of the repository that will hold this folder into images.yaml");
                said.diagnostics.push(warning);
                PLACEHOLDER.to_owned()
            }
        },
    };
    let mut edit = new_factory(&repo, &inside(&layout.root)).map_err(|errors| said.stop(errors))?;
    let tree = image_factory::tree::Tree::default().with(&edit);
    for (path, text) in &edit.files {
        said.sources
            .add(path.as_str(), text.as_deref().unwrap_or_default());
    }
    let (out, diagnostics) = pipeline::out_edit(&tree);
    said.diagnostics.extend(diagnostics);
    let Some(out) = out else {
        return Err(said.stop([]));
    };
    edit = edit.then(out);
    // Somebody else's files of these names stay.
    if let Some(path) = edit
        .files
        .keys()
        .find(|path| layout.root.join(path).symlink_metadata().is_ok())
    {
        let message = format!("`{path}` is there already");
        let exists = Diagnostic::error(code::FACTORY_EXISTS, message)
            .help("name another folder, or move it away")
            .at(Place::file(path.as_str()));
        return Err(said.stop([exists]));
    }
    workspace::apply(&layout, &edit).map_err(|faults| said.stop(faults))?;
    Ok(edit.files.into_keys().collect())
}

/// The checkout around a folder.
pub(super) fn top(root: &Path) -> Option<&Path> {
    root.ancestors()
        .find(|folder| folder.join(".git").symlink_metadata().is_ok())
}

/// Where a folder is in the checkout around it; `.` for its top, and without one.
pub(super) fn inside(root: &Path) -> String {
    let path = top(root).and_then(|top| root.strip_prefix(top).ok());
    let parts: Vec<String> = path
        .into_iter()
        .flat_map(Path::iter)
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}
