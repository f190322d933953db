//! `status [IMAGE]`: what is tracked, and how it stands.

use image_factory::cli::run::{self, Root, Said, Stopped};
use image_factory::cli::{Common, Exit, Streams, Surroundings};
use image_factory::diagnostics::Diagnostic;
use image_factory::status::{self, Report};
use image_factory::workspace::Hold;
use serde_json::json;

/// Show what is tracked: kinds, bases, digests, pending rebuilds, problems
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this image, in full
    #[arg(value_name = "IMAGE")]
    image: Option<String>,
    #[command(flatten)]
    root: Root,
}

/// Shows how everything stands.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let report = attempt(args, common, around, streams, &mut said);
    let exit = match &report {
        Ok(report) if report.damaged => Exit::No,
        Ok(_) => Exit::Done,
        Err(Stopped) => Exit::Wrong,
    };
    let (now, alone) = (common.now(), args.image.is_some());
    let human = || {
        report.as_ref().map_or_else(
            |_| String::new(),
            |report| status::human(&report.rows, alone, now),
        )
    };
    let machine = || {
        report.as_ref().map_or_else(
            |_| json!({"images": []}),
            |report| status::json(&report.rows),
        )
    };
    said.end(common, streams, exit, human, machine)
}

fn attempt(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Report, Stopped> {
    let layout =
        run::layout(args.root.root.as_deref(), None, around).map_err(|e| said.stop([e]))?;
    let _lock = run::lock(&layout, &layout.root, Hold::Shared, streams, said)?;
    let tree = run::load(&layout, said)?;
    // Without the enrollment there is nothing to show; a state file is one image's problem.
    let state = format!("{}/", tree.state);
    let of_state = |d: &Diagnostic| {
        let place = d.place.as_ref();
        place.is_some_and(|place| place.file.starts_with(&state))
    };
    if !said.diagnostics.iter().all(of_state) {
        return Err(said.stop([]));
    }
    let unread = std::mem::take(&mut said.diagnostics);
    let mut report =
        status::report(&tree, &unread, common.now()).map_err(|errors| said.stop(errors))?;
    if let Some(wanted) = &args.image {
        report.only(wanted).map_err(|error| said.stop([error]))?;
    }
    said.diagnostics.append(&mut report.diagnostics);
    Ok(report)
}
