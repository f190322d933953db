//! Promotion steps, as far as a generator can know what happens when they run.

use std::collections::BTreeSet;

use kargo_types::{PromotionStep, Stage, Subscription};
use serde_json::Value;

use super::expressions::{expressions, literal_arguments};
use super::index::{Index, Typed};
use crate::diagnostics::code;
use crate::synth::Problem;

pub(super) fn check(index: &Index<'_>, problems: &mut Vec<Problem>) {
    let mut harmless = None;
    for stage in index.stages.values() {
        aliases(stage, problems);
        arguments(index, stage, problems);
        steps(index, stage, &mut harmless, problems);
    }
}

/// Aliases are unique, and not of the form that Kargo gives to steps without one.
fn aliases(stage: &Typed<'_, Stage>, problems: &mut Vec<Problem>) {
    let Some(template) = &stage.get().spec.promotion_template else {
        return;
    };
    let mut seen = BTreeSet::new();
    for (at, step) in template.spec.steps.iter().flatten().enumerate() {
        let Some(alias) = step
            .r#as
            .as_deref()
            .map(str::trim)
            .filter(|a| !a.is_empty())
        else {
            continue;
        };
        let number = ["step-", "task-"]
            .iter()
            .find_map(|prefix| alias.strip_prefix(prefix));
        let message =
            if number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())) {
                format!("Kargo keeps aliases like `{alias}` for steps without one")
            } else if !seen.insert(alias) {
                format!("two steps have the alias `{alias}`")
            } else {
                continue;
            };
        problems.push(
            stage
                .problem(code::STEP_INVALID, message)
                .pointer(format!("/spec/promotionTemplate/spec/steps/{at}/as")),
        );
    }
}

/// Every text that Kargo evaluates closes its expressions and asks only for
/// images that the Stage's Freight can have: arguments of the verification …
fn arguments(index: &Index<'_>, stage: &Typed<'_, Stage>, problems: &mut Vec<Problem>) {
    let verification = stage.get().spec.verification.iter();
    let args = verification.flat_map(|verification| verification.args.iter().flatten());
    for (at, arg) in args.enumerate() {
        let pointer = || format!("/spec/verification/args/{at}/value");
        text(index, stage, &arg.value, pointer, problems);
    }
}

/// … and whatever is in a step. `harmless` is a step seen before that is right
/// whatever its Stage takes Freight from; most Stages have the same one.
fn steps<'i>(
    index: &'i Index<'_>,
    stage: &'i Typed<'_, Stage>,
    harmless: &mut Option<&'i PromotionStep>,
    problems: &mut Vec<Problem>,
) {
    let template = stage.get().spec.promotion_template.iter();
    let steps = template.flat_map(|template| template.spec.steps.iter().flatten());
    for (at, step) in steps.enumerate() {
        if *harmless == Some(step) {
            continue;
        }
        // As JSON every text in a step is reached.
        let Ok(value) = serde_json::to_value(step) else {
            continue;
        };
        let before = problems.len();
        let mut asks = false;
        let pointer = format!("/spec/promotionTemplate/spec/steps/{at}");
        every_text(&value, &pointer, &mut |pointer, value| {
            asks |= value.contains(IMAGE_FROM);
            text(index, stage, value, || pointer.to_owned(), problems);
        });
        if !asks && problems.len() == before {
            *harmless = Some(step);
        }
    }
}

/// The function that gives the image of a repository in the Freight at hand.
const IMAGE_FROM: &str = "imageFrom";

fn every_text(value: &Value, pointer: &str, visit: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) if text.contains("${") => visit(pointer, text),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                every_text(item, &format!("{pointer}/{at}"), visit);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                every_text(item, &format!("{pointer}/{key}"), visit);
            }
        }
        _ => {}
    }
}

fn text(
    index: &Index<'_>,
    stage: &Typed<'_, Stage>,
    text: &str,
    pointer: impl Fn() -> String,
    problems: &mut Vec<Problem>,
) {
    let expressions = match expressions(text) {
        Ok(expressions) => expressions,
        Err(open) => {
            let message = format!("the expression `{open}` is never closed");
            problems.push(
                stage
                    .problem(code::EXPRESSION_INVALID, message)
                    .pointer(pointer()),
            );
            return;
        }
    };
    for expression in expressions {
        for repository in literal_arguments(expression, IMAGE_FROM) {
            if !subscribes(index, stage, repository) {
                let message = format!(
                    "no Warehouse that this Stage takes Freight from subscribes to `{repository}`, spelt like this"
                );
                problems.push(
                    stage
                        .problem(code::EXPRESSION_INVALID, message)
                        .pointer(pointer()),
                );
            }
        }
    }
}

/// Kargo compares texts: `node` and `docker.io/library/node` are two.
fn subscribes(index: &Index<'_>, stage: &Typed<'_, Stage>, repository: &str) -> bool {
    let requested = stage.get().spec.requested_freight.iter();
    let mut warehouses =
        requested.filter_map(|requested| index.warehouse(stage.object, &requested.origin.name));
    warehouses.any(|warehouse| {
        warehouse.subscriptions.iter().any(
            |subscription| matches!(subscription, Subscription::Image(image) if image.repo_url == repository),
        )
    })
}
