//! The commands, one file each.

mod analyze;
mod bases;
mod discover;
mod enroll;
mod graph;
mod init;
mod landing;
mod pages;
mod plan;
mod rebuild;
mod record;
mod retire;
mod status;
mod workflows;

use clap::Subcommand;
use image_factory::cli::{Common, Exit, Streams, Surroundings, explain, synth};

/// Every command of `image-factory`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Render the Kargo project that images.yaml and state/ describe into dist/
    Synth(synth::Args),
    /// Find the base images in the Dockerfiles of enrolled images, and bring state/ up to date
    Discover(discover::Args),
    /// Show what Dockerfiles are built on
    Bases(bases::Args),
    /// Record what a base image or an external image points to now
    Record(record::Args),
    /// Read the Dockerfile of one image that was built, and record the build
    Analyze(Box<analyze::Args>),
    /// Make a new factory: an images.yaml to fill, its schema, and first manifests
    Init(init::Args),
    /// Add an image to images.yaml, or propose entries for the Dockerfiles of a folder
    Enroll(Box<enroll::Args>),
    /// Take an image out of images.yaml; its state moves to the archive
    Retire(retire::Args),
    /// Show what is tracked: kinds, bases, digests, pending rebuilds, problems
    Status(status::Args),
    /// Show which image is built on which
    Graph(graph::Args),
    /// Show what would be rebuilt when, and why
    Plan(plan::Args),
    /// Trigger the rebuilds that are due, or those of the images named, and follow them
    Rebuild(Box<rebuild::Args>),
    /// Print a script that completes arguments in a shell
    Completions(pages::Completions),
    /// Print a manual page
    Man(pages::Man),
    /// Say what the code of a diagnostic means, and how to mend it
    Explain(explain::Args),
}

/// Runs a command.
pub(crate) fn run(
    command: &Command,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    match command {
        Command::Synth(args) => synth::run(args, common, " synth", around, streams),
        Command::Discover(args) => discover::run(args, common, around, streams),
        Command::Bases(args) => bases::run(args, common, around, streams),
        Command::Analyze(args) => analyze::run(args, common, around, streams),
        Command::Init(args) => init::run(args, common, around, streams),
        Command::Enroll(args) => enroll::run(args, common, around, streams),
        Command::Retire(args) => retire::run(args, common, around, streams),
        Command::Status(args) => status::run(args, common, around, streams),
        Command::Plan(args) => plan::run(args, common, around, streams),
        Command::Rebuild(args) => rebuild::run(args, common, around, streams),
        Command::Completions(args) => pages::completions(args, streams),
        Command::Man(args) => pages::man(args, streams),
        Command::Graph(args) => graph::run(args, common, around, streams),
        Command::Record(args) => record::run(args, common, around, streams),
        Command::Explain(args) => explain::run(args, common, streams),
    }
}
