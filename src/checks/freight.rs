//! Where a Stage takes Freight from, and how long that must have soaked.

use std::collections::BTreeSet;

use kargo_types::{FreightSources, SelectionPolicy, Stage, StageSpec};

use super::index::{Index, Typed};
use crate::diagnostics::{Code, code};
use crate::synth::Problem;

pub(super) fn check(index: &Index<'_>, problems: &mut Vec<Problem>) {
    for stage in index.stages.values() {
        let mut origins = BTreeSet::new();
        for (at, requested) in stage.get().spec.requested_freight.iter().enumerate() {
            let mut refuse = |code: Code, field: &str, message: String| {
                let pointer = format!("/spec/requestedFreight/{at}{field}");
                problems.push(stage.problem(code, message).pointer(pointer));
            };
            let origin = requested.origin.name.as_str();
            if !origins.insert(origin) {
                let message = format!("Freight of `{origin}` is requested twice");
                refuse(code::FREIGHT_SOURCES, "/origin/name", message);
            }
            if let Some((field, message)) = unreachable(&requested.sources) {
                refuse(code::FREIGHT_SOURCES, field, message.to_owned());
            }
            if let Some((field, message)) = never_soaks(index, stage, &requested.sources) {
                refuse(code::NEVER_SOAKS, field, message);
            }
        }
    }
}

/// Sources that admit no Freight, or that Kargo reads otherwise than they look.
fn unreachable(sources: &FreightSources) -> Option<(&'static str, &'static str)> {
    let direct = sources.direct == Some(true);
    let stages = sources.stages.as_ref().map_or(0, Vec::len);
    let policy = sources
        .auto_promotion_options
        .as_ref()
        .and_then(|o| o.selection_policy);
    if direct && stages > 0 {
        Some((
            "/sources/stages",
            "with `direct: true` Kargo does not look at `stages`",
        ))
    } else if direct && sources.availability_strategy.is_some() {
        Some((
            "/sources/availabilityStrategy",
            "with `direct: true` Kargo does not look at `availabilityStrategy`",
        ))
    } else if !direct && stages == 0 {
        Some((
            "/sources",
            "neither `direct: true` nor any Stage: only Freight that a person approves gets in",
        ))
    } else if policy == Some(SelectionPolicy::MatchUpstream) && (direct || stages != 1) {
        Some((
            "/sources/autoPromotionOptions/selectionPolicy",
            "`MatchUpstream` needs exactly one upstream Stage, and no `direct: true`",
        ))
    } else {
        None
    }
}

/// A soak that Kargo never finds fulfilled.
fn never_soaks(
    index: &Index<'_>,
    stage: &Typed<'_, Stage>,
    sources: &FreightSources,
) -> Option<(&'static str, String)> {
    let upstream = sources.stages.as_deref().unwrap_or_default();
    let policy = sources
        .auto_promotion_options
        .as_ref()
        .and_then(|o| o.selection_policy);
    let soaks = sources
        .required_soak_time
        .is_some_and(|soak| soak.as_nanos() > 0);
    if soaks && sources.direct == Some(true) {
        let message = "Freight straight from its Warehouse does not soak";
        return Some(("/sources/requiredSoakTime", message.to_owned()));
    }
    if soaks || policy == Some(SelectionPolicy::MatchUpstream) {
        let control_flow =
            |name: &&String| index.stage(stage.object, name).is_some_and(is_control_flow);
        let name = upstream.iter().find(control_flow)?;
        let message = format!(
            "`{name}` is a control-flow Stage: no Freight ever stays in it, so nothing soaks behind it"
        );
        return Some(("/sources/stages", message));
    }
    None
}

/// A Stage without promotion steps marks all Freight as verified at once.
pub(super) fn is_control_flow(stage: &StageSpec) -> bool {
    let steps = stage
        .promotion_template
        .as_ref()
        .and_then(|template| template.spec.steps.as_ref());
    steps.is_none_or(Vec::is_empty)
}
