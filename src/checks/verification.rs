//! Arguments of verifications against the templates they are for. Kargo drops an
//! argument that no template declares without a word, and fails the verification
//! of a declared one that nobody gives.

use kargo_types::{AnalysisArg, Stage};

use super::index::{Index, Typed};
use crate::diagnostics::code;
use crate::synth::Problem;

pub(super) fn check(index: &Index<'_>, problems: &mut Vec<Problem>) {
    for stage in index.stages.values() {
        arguments(index, stage, problems);
    }
}

fn arguments(index: &Index<'_>, stage: &Typed<'_, Stage>, problems: &mut Vec<Problem>) {
    let Some(verification) = &stage.get().spec.verification else {
        return;
    };
    let names = verification.analysis_templates.iter().flatten();
    let templates: Option<Vec<&[AnalysisArg]>> = names
        .map(|t| index.arguments(stage.object, t.kind, &t.name))
        .collect();
    // Of a template that is missing the arguments are not known.
    let Some(templates) = templates else { return };
    let given = verification.args.as_deref().unwrap_or_default();
    let declared = || templates.iter().copied().flatten();

    for (at, arg) in given.iter().enumerate() {
        if !declared().any(|declared| declared.name == arg.name) {
            let message = format!(
                "no template of the verification has the argument `{}`",
                arg.name
            );
            let pointer = format!("/spec/verification/args/{at}/name");
            problems.push(
                stage
                    .problem(code::ARGUMENT_INVALID, message)
                    .pointer(pointer),
            );
        }
    }
    for arg in declared() {
        let has_value = arg.value.is_some() || arg.value_from.is_some();
        if !has_value && !given.iter().any(|given| given.name == arg.name) {
            let message = format!("the argument `{}` of the template gets no value", arg.name);
            problems.push(
                stage
                    .problem(code::ARGUMENT_INVALID, message)
                    .pointer("/spec/verification/args"),
            );
        }
    }
}
