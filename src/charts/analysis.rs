//! `analyze-dockerfile-NAME` → `analyzed-NAME`: a new build of a managed image,
//! or a new commit of its source, has its Dockerfile read again.

use kargo_types::{RequestedFreight, Stage, StageSpec};

use super::Context;
use super::stage::{Promotion, after, arg, commit_from, image_from, label, noted, verified};
use crate::model::{Image, Source};
use crate::names;
use crate::synth::Chart;
use crate::template::TemplateError;

/// The two Stages of every managed image.
pub(super) fn add(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    for (image, source) in context.model.managed() {
        let analyze = chart.add(analyze(context, image, source));
        chart.origin(analyze, image.place());
        let analyzed = chart.add(analyzed(image));
        chart.origin(analyzed, image.place());
    }
    Ok(())
}

fn analyze(context: &Context<'_>, image: &Image, source: &Source) -> Stage {
    let name = image.name.as_str();
    let repository = image.repo_url.url();
    let args = vec![
        arg("imageName", name),
        arg("imageTag", image_from(repository, "Tag")),
        arg("imageDigest", image_from(repository, "Digest")),
        arg("dockerfile", source.dockerfile.as_str()),
        arg("sourceRepo", source.repo.as_str()),
        arg("sourceProvider", source.provider.as_str()),
        arg("sourceCommit", commit_from(source.git_url.as_str())),
        arg("gitRepo", context.repo.as_str()),
        arg("gitBranch", context.model.settings.git.branch.as_str()),
        arg("freight", noted("freight")),
    ];
    let stage = names::analyze(name);
    let mut stage = verified(
        &stage,
        vec![RequestedFreight::direct(name)],
        names::ANALYZE_DOCKERFILE,
        args,
    );
    label(&mut stage, Some(name), Promotion::Automatic);
    stage
}

/// Control-flow: Freight that was analysed is here at once, for whatever follows.
/// Nothing may soak behind it.
fn analyzed(image: &Image) -> Stage {
    let name = image.name.as_str();
    let mut stage = Stage::new(
        &names::analyzed(name),
        StageSpec {
            requested_freight: vec![after(name, names::analyze(name), None)],
            ..StageSpec::default()
        },
    );
    label(&mut stage, Some(name), Promotion::ByHand);
    stage
}
