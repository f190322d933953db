//! What all our Stages have in common: one cheap promotion step that notes who
//! promoted what, and a verification that runs our program.
//!
//! A failed Promotion is not retried and a step may run twice, so nothing that
//! matters happens in a step. Verification starts once the Promotion is through,
//! and finds what it must know of it in the Stage's metadata.

use std::collections::BTreeMap;

use kargo_types::{
    AnalysisTemplateReference, GoDuration, MetadataKind, MetadataUpdate, OrExpr, PromotionStep,
    RequestedFreight, SetMetadataConfig, Stage, StageSpec, Verification, VerificationArg,
};

use crate::model::Duration;
use crate::names;

/// Does Kargo promote a Stage by itself?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Promotion {
    /// As soon as there is Freight for it.
    Automatic,
    /// When a person says so.
    ByHand,
}

/// A Stage that notes its Promotions and then has `template` run.
pub(super) fn verified(
    name: &str,
    freight: Vec<RequestedFreight>,
    template: &str,
    args: Vec<VerificationArg>,
) -> Stage {
    Stage::new(
        name,
        StageSpec {
            verification: Some(Verification {
                analysis_templates: Some(vec![AnalysisTemplateReference {
                    name: template.to_owned(),
                    kind: None,
                }]),
                args: Some(args),
                analysis_run_metadata: None,
            }),
            ..StageSpec::of(freight, [note()])
        },
    )
}

/// Labels a Stage with the image it belongs to and with how it is promoted.
pub(super) fn label(stage: &mut Stage, image: Option<&str>, promotion: Promotion) {
    let mut labels = BTreeMap::new();
    if promotion == Promotion::Automatic {
        labels.insert(names::AUTO_PROMOTE.to_owned(), "true".to_owned());
    }
    if let Some(image) = image {
        labels.insert(names::IMAGE.to_owned(), image.to_owned());
    }
    stage.metadata.labels = Some(labels).filter(|labels| !labels.is_empty());
}

/// Freight of a Warehouse that has passed a Stage, and has stayed there if that
/// is asked for.
pub(super) fn after(warehouse: &str, stage: String, soak: Option<Duration>) -> RequestedFreight {
    let freight = RequestedFreight::after(warehouse, stage);
    match soak.filter(|soak| !soak.is_zero()) {
        Some(soak) => freight.soaking(go_duration(soak)),
        None => freight,
    }
}

/// A duration as Kargo's API has it.
pub(super) fn go_duration(duration: Duration) -> GoDuration {
    GoDuration::from_nanos(i64::from(duration.minutes()) * 60 * 1_000_000_000)
}

/// An argument of a verification.
pub(super) fn arg(name: &str, value: impl Into<String>) -> VerificationArg {
    VerificationArg {
        name: name.to_owned(),
        value: value.into(),
    }
}

/// Reads what [`note`] left in the Stage's metadata. Quoted, because Kargo takes
/// a text that looks like a number for one.
pub(super) fn noted(key: &str) -> String {
    noted_or(key, "")
}

/// The same, with a text for when there is nothing: Kargo's Stage reconciler, at work
/// while the step runs, now and then writes the metadata back as it was before.
pub(super) fn noted_or(key: &str, otherwise: &str) -> String {
    [
        "${{ quote(stageMetadata(ctx.stage)?.",
        key,
        " ?? '",
        otherwise,
        "') }}",
    ]
    .concat()
}

/// A field (`Tag`, `Digest`) of the image that the Freight at hand has of a
/// repository; empty while there is none.
pub(super) fn image_from(repository: &str, field: &str) -> String {
    [
        "${{ quote(imageFrom(\"",
        repository,
        "\")?.",
        field,
        " ?? '') }}",
    ]
    .concat()
}

/// The commit that the Freight at hand has of a git repository; empty while there is none.
pub(super) fn commit_from(repository: &str) -> String {
    ["${{ quote(commitFrom(\"", repository, "\")?.ID ?? '') }}"].concat()
}

/// The step that notes on its Stage which Promotion brought which Freight, and
/// on whose behalf.
fn note() -> PromotionStep {
    let values = [
        ("promotion", "${{ quote(ctx.promotion) }}"),
        ("actor", "${{ quote(ctx.meta.promotion.actor) }}"),
        ("freight", "${{ quote(ctx.targetFreight.name) }}"),
        ("origin", "${{ quote(ctx.targetFreight.origin.name) }}"),
    ];
    PromotionStep::uses(SetMetadataConfig {
        updates: vec![MetadataUpdate {
            kind: OrExpr::from(MetadataKind::Stage),
            name: "${{ ctx.stage }}".to_owned(),
            values: values
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.into()))
                .collect(),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_the_api_server_stores_them() {
        for (minutes, stored) in [
            (0, "0s"),
            (30, "30m0s"),
            (90, "1h30m0s"),
            (7 * 24 * 60, "168h0m0s"),
            (3650 * 24 * 60, "87600h0m0s"),
        ] {
            let duration = go_duration(Duration::from_minutes(minutes));
            assert_eq!(duration.to_string(), stored);
        }
    }

    #[test]
    fn a_soak_comes_with_its_selection_policy_and_none_without() {
        let soaking = after("w", "track-w".to_owned(), Some(Duration::from_days(7)));
        assert!(soaking.sources.auto_promotion_options.is_some());
        for soak in [None, Some(Duration::from_days(0))] {
            let at_once = after("w", "track-w".to_owned(), soak);
            assert_eq!(at_once.sources.required_soak_time, None);
            assert_eq!(at_once.sources.auto_promotion_options, None);
        }
    }
}
