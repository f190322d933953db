//! `image-factory`: every command of the product.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use image_factory::cli::{self, Common, explain, synth};

/// Keeps container images on fresh bases: one enrollment file in git, Kargo manifests
/// made from it, rebuilds when a base changed
#[derive(Parser)]
#[command(name = "image-factory", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Render the Kargo project that images.yaml and state/ describe into dist/
    Synth(synth::Args),
    /// Say what the code of a diagnostic means, and how to mend it
    Explain(explain::Args),
}

fn main() -> ExitCode {
    let Cli { command, common } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::answer_usage(&error),
    };
    cli::on_process(common.color, |around, streams| match &command {
        Command::Synth(args) => synth::run(args, &common, " synth", around, streams),
        Command::Explain(args) => explain::run(args, &common, streams),
    })
}
