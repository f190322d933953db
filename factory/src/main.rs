//! `image-factory`: every command of the product.

mod commands;

use std::process::ExitCode;

use clap::Parser;
use image_factory::cli::{self, Common};

use commands::Command;

/// Keeps container images on fresh bases: one enrollment file in git, Kargo manifests
/// made from it, rebuilds when a base changed
#[derive(Parser)]
#[command(name = "image-factory", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    // Git asks us for credentials by starting us once more.
    if let Some(code) = factory::git::auth::answer() {
        return code;
    }
    match Cli::try_parse() {
        Ok(Cli { command, common }) => cli::on_process(common.color, |around, streams| {
            commands::run(&command, &common, around, streams)
        }),
        Err(error) => cli::answer_usage(&error),
    }
}
