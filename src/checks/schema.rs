//! Schemas and CEL rules: what the API server would refuse.

use kargo_types::{
    AnalysisTemplate, ClusterAnalysisTemplate, ClusterPromotionTask, Freight, Project,
    ProjectConfig, Promotion, PromotionTask, Stage, Validate, Violation, Warehouse, check_value,
};

use crate::diagnostics::code;
use crate::synth::{ApiObject, Objects, Problem};

/// Typed objects hold most by construction and are asked for the rest; objects
/// without a type are read strictly first.
pub(super) fn check(objects: &Objects<'_>, problems: &mut Vec<Problem>) {
    for object in objects.iter() {
        let violations = match typed(object) {
            Some(violations) => violations,
            None if is_ours(object.api_version()) => {
                check_value(object.value()).unwrap_or_default()
            }
            None => continue,
        };
        problems.extend(violations.into_iter().map(|violation| {
            Problem::new(code::SCHEMA_VIOLATION, violation.message)
                .object(object.id())
                .pointer(violation.pointer)
        }));
    }
}

fn is_ours(api_version: &str) -> bool {
    ["kargo.akuity.io/", "argoproj.io/"]
        .iter()
        .any(|group| api_version.starts_with(group))
}

fn typed(object: &ApiObject) -> Option<Vec<Violation>> {
    fn ask<T: Validate + 'static>(object: &ApiObject) -> Option<Vec<Violation>> {
        object.downcast::<T>().map(Validate::validate)
    }
    match object.kind() {
        "Stage" => ask::<Stage>(object),
        "Warehouse" => ask::<Warehouse>(object),
        "AnalysisTemplate" => ask::<AnalysisTemplate>(object),
        "ClusterAnalysisTemplate" => ask::<ClusterAnalysisTemplate>(object),
        "PromotionTask" => ask::<PromotionTask>(object),
        "ClusterPromotionTask" => ask::<ClusterPromotionTask>(object),
        "Project" => ask::<Project>(object),
        "ProjectConfig" => ask::<ProjectConfig>(object),
        "Promotion" => ask::<Promotion>(object),
        "Freight" => ask::<Freight>(object),
        _ => None,
    }
}
