//! `track-NAME`: the Stage that takes each Freight of a Warehouse at once and
//! has the digest recorded. Soak counts from here.

use kargo_types::RequestedFreight;

use super::Context;
use super::stage::{Promotion, arg, image_from, label, noted, verified};
use super::topology::{Tracked, own_bases, watched_upstream};
use crate::names;
use crate::synth::Chart;
use crate::template::TemplateError;

/// One for every base and external image.
pub(super) fn add_watched(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    watched_upstream(context.model).for_each(|tracked| add(chart, tracked));
    Ok(())
}

/// One for every base that is one of our own images.
pub(super) fn add_own(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    own_bases(context.model).for_each(|tracked| add(chart, tracked));
    Ok(())
}

fn add(chart: &mut Chart, tracked: Tracked<'_>) {
    let repository = tracked.repo_url().url();
    let args = vec![
        arg("image", tracked.name()),
        arg("tag", image_from(repository, "Tag")),
        arg("digest", image_from(repository, "Digest")),
        arg("freight", noted("freight")),
    ];
    let name = names::track(tracked.name());
    let mut stage = verified(
        &name,
        vec![RequestedFreight::direct(tracked.name())],
        names::RECORD_UPDATE,
        args,
    );
    label(&mut stage, None, Promotion::Automatic);
    let stage = chart.add(stage);
    chart.origin(stage, tracked.place());
}
