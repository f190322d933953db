//! `rebuild-NAME`: the Stage of a managed image that waits for its base images
//! and then asks the planner. Who depends on what, and what waits for what, is
//! so to be seen in Kargo.
//!
//! The Freight is only the occasion: the Job asks about all bases of the image.

use super::Context;
use super::stage::{Promotion, after, arg, label, noted, noted_or, verified};
use super::topology::upstreams;
use crate::model::Image;
use crate::names;
use crate::synth::Chart;
use crate::template::TemplateError;

/// One for every managed image with a base image that can change.
pub(super) fn add(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    for (image, _) in context.model.managed() {
        add_one(context, chart, image);
    }
    Ok(())
}

fn add_one(context: &Context<'_>, chart: &mut Chart, image: &Image) {
    let freight: Vec<_> = upstreams(context.model, image)
        .iter()
        .map(|upstream| {
            let soak = upstream.soaks.then_some(image.rebuild_delay);
            after(upstream.warehouse, upstream.track(), soak)
        })
        .collect();
    // A Stage without Freight is none: nothing that changes can reach the image.
    if freight.is_empty() {
        return;
    }
    let name = image.name.as_str();
    // Only people promote a Stage that does not promote itself.
    let (promotion, actor) = if image.auto_rebuild {
        (Promotion::Automatic, noted("actor"))
    } else {
        (Promotion::ByHand, noted_or("actor", "a person"))
    };
    let args = vec![arg("image", name), arg("actor", actor)];
    let mut stage = verified(&names::rebuild(name), freight, names::TRIGGER_REBUILD, args);
    label(&mut stage, Some(name), promotion);
    let stage = chart.add(stage);
    chart.origin(stage, image.place());
}
