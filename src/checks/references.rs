//! What Stages refer to is there. Admission lets them refer to nothing; the
//! Stage then waits for ever, or its Promotion ends in an error.

use kargo_types::StepAction;

use super::index::{Index, Typed};
use crate::diagnostics::code;
use crate::synth::Problem;

pub(super) fn check(index: &Index<'_>, problems: &mut Vec<Problem>) {
    for stage in index.stages.values() {
        origins(index, stage, problems);
        templates(index, stage, problems);
        tasks(index, stage, problems);
    }
}

fn origins(index: &Index<'_>, stage: &Typed<'_, kargo_types::Stage>, problems: &mut Vec<Problem>) {
    for (at, requested) in stage.get().spec.requested_freight.iter().enumerate() {
        let origin = requested.origin.name.as_str();
        if index.warehouse(stage.object, origin).is_none() {
            problems.push(
                stage
                    .problem(
                        code::MISSING_REFERENCE,
                        format!("there is no Warehouse `{origin}`"),
                    )
                    .pointer(format!("/spec/requestedFreight/{at}/origin/name")),
            );
        }
        let upstream = requested.sources.stages.iter().flatten();
        for (position, name) in upstream.enumerate() {
            let message = match index.stage(stage.object, name) {
                None => format!("there is no Stage `{name}`"),
                Some(spec)
                    if !spec
                        .requested_freight
                        .iter()
                        .any(|f| f.origin.name == origin) =>
                {
                    format!(
                        "the Stage `{name}` takes no Freight of `{origin}`, so none ever comes from it"
                    )
                }
                Some(_) => continue,
            };
            problems.push(
                stage
                    .problem(code::MISSING_REFERENCE, message)
                    .pointer(format!(
                        "/spec/requestedFreight/{at}/sources/stages/{position}"
                    )),
            );
        }
    }
}

fn templates(
    index: &Index<'_>,
    stage: &Typed<'_, kargo_types::Stage>,
    problems: &mut Vec<Problem>,
) {
    let Some(verification) = &stage.get().spec.verification else {
        return;
    };
    for (at, template) in verification.analysis_templates.iter().flatten().enumerate() {
        if index
            .arguments(stage.object, template.kind, &template.name)
            .is_none()
        {
            let message = format!("there is no AnalysisTemplate `{}`", template.name);
            problems.push(
                stage
                    .problem(code::MISSING_REFERENCE, message)
                    .pointer(format!("/spec/verification/analysisTemplates/{at}/name")),
            );
        }
    }
}

fn tasks(index: &Index<'_>, stage: &Typed<'_, kargo_types::Stage>, problems: &mut Vec<Problem>) {
    let Some(template) = &stage.get().spec.promotion_template else {
        return;
    };
    for (at, step) in template.spec.steps.iter().flatten().enumerate() {
        let StepAction::Task(task) = &step.action else {
            continue;
        };
        if !index.has_task(stage.object, task.kind, &task.name) {
            let message = format!("there is no promotion task `{}`", task.name);
            problems.push(
                stage
                    .problem(code::MISSING_REFERENCE, message)
                    .pointer(format!("/spec/promotionTemplate/spec/steps/{at}/task/name")),
            );
        }
    }
}
