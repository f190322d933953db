//! `synth`: images.yaml and state/ in, Kargo manifests out.

use std::process::ExitCode;

use clap::Parser;
use image_factory::cli::{self, Common, synth};

/// Renders the Kargo project that images.yaml and state/ describe into dist/
///
/// Prints what it changes. Nothing is written if anything is wrong, and files that
/// do not change are not touched.
#[derive(Parser)]
#[command(name = "synth", version, after_help = AFTER)]
struct Cli {
    #[command(flatten)]
    args: synth::Args,
    #[command(flatten)]
    common: Common,
}

const AFTER: &str = "\
Exit codes: 0 done, or in sync; 1 drift, under --check; 2 bad input or surroundings, nothing changed
Environment: IMAGES_YAML (the enrollment file), IMAGE_FACTORY_STATE_DIR (the folder of images/ and
base-images/), CDK8S_OUTDIR (the out folder, unless --out names one), NO_COLOR";

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(Cli { args, common }) => cli::on_process(common.color, |around, streams| {
            synth::run(&args, &common, "", around, streams)
        }),
        Err(error) => cli::answer_usage(&error),
    }
}
