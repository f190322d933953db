//! `plan [IMAGE…]`: what would be rebuilt when, and why.

use image_factory::cli::run::{self, Root, Said, Stopped};
use image_factory::cli::{Common, Exit, Streams, Surroundings};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::Name;
use image_factory::plan::{self, Facts, Order, Plan};
use image_factory::tree::Tree;
use image_factory::workspace::Hold;
use serde_json::json;

use super::landing;
use super::rebuild::{known, name};

/// Show what would be rebuilt when, and why
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these images [default: all that are managed]
    #[arg(value_name = "IMAGE", value_parser = name)]
    images: Vec<Name>,
    #[command(flatten)]
    root: Root,
}

/// Shows what is planned.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let planned = look(args, common, around, streams, &mut said);
    let exit = match &planned {
        Err(Stopped) => Exit::Wrong,
        // A file of state that says what cannot be: the others are planned.
        Ok(_) if said.any_error() => Exit::No,
        Ok(_) => Exit::Done,
    };
    let all = common.verbose || !args.images.is_empty();
    said.end(
        common,
        streams,
        exit,
        || {
            let text = |planned: &Plan| plan::human(planned, all);
            planned.as_ref().map_or_else(|_| String::new(), text)
        },
        || {
            let nothing = || json!({"now": common.now().to_string(), "decisions": []});
            planned.as_ref().map_or_else(|_| nothing(), plan::json)
        },
    )
}

fn look(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Plan, Stopped> {
    let layout =
        run::layout(args.root.root.as_deref(), None, around).map_err(|error| said.stop([error]))?;
    let _lock = run::lock(&layout, &layout.root, Hold::Shared, streams, said)?;
    let tree = landing::load(&layout, said)?;
    known(&tree, &args.images, said)?;
    let facts = facts(&tree, said)?;
    looks_ahead(&facts, common, said);
    let mut planned = plan::plan(&facts, &Order::Due, common.now());
    if !args.images.is_empty() {
        let wanted = |name: &Name| args.images.contains(name);
        planned.decisions.retain(|decision| wanted(&decision.image));
    }
    Ok(planned)
}

/// The plan for a tree; what is wrong with single state files is told.
pub(super) fn decide(
    tree: &Tree,
    order: &Order<'_>,
    common: &Common,
    said: &mut Said,
) -> Result<Plan, Stopped> {
    let facts = facts(tree, said)?;
    Ok(plan::plan(&facts, order, common.now()))
}

fn facts(tree: &Tree, said: &mut Said) -> Result<Facts, Stopped> {
    let (facts, diagnostics) = plan::facts(tree).map_err(|errors| said.stop(errors))?;
    for diagnostic in diagnostics {
        if !said.diagnostics.contains(&diagnostic) {
            said.diagnostics.push(diagnostic);
        }
    }
    Ok(facts)
}

/// Says that a time that is past does not bring back what was planned then.
fn looks_ahead(facts: &Facts, common: &Common, said: &mut Said) {
    let Some(now) = common.now else { return };
    if let Some(newest) = plan::newest(facts).filter(|newest| *newest > now) {
        let message = format!(
            "state has changes later than --now, up to {newest}; plan looks ahead, not back"
        );
        let help = "give a time after that, or check out the state of that time";
        said.diagnostics
            .push(Diagnostic::warning(code::LOOKS_BACK, message).help(help));
    }
}
