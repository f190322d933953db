//! The commands, one file each.

mod discover;
mod graph;

use clap::Subcommand;
use image_factory::cli::{Common, Exit, Streams, Surroundings, explain, synth};

/// Every command of `image-factory`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Render the Kargo project that images.yaml and state/ describe into dist/
    Synth(synth::Args),
    /// Find the base images in the Dockerfiles of enrolled images, and bring state/ up to date
    Discover(discover::Args),
    /// Show which image is built on which
    Graph(graph::Args),
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
        Command::Graph(args) => graph::run(args, common, around, streams),
        Command::Explain(args) => explain::run(args, common, streams),
    }
}
