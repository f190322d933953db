//! Metrics of analysis templates: what Argo Rollouts refuses when a run begins.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kargo_types::{AnalysisTemplateSpec, GoDuration, Metric};

use super::expressions::rollouts_tags;
use super::index::Index;
use crate::diagnostics::code;
use crate::synth::Problem;

/// Most characters of a Job metric's name that stay in the Job's name
/// (`<run uid>.<metric>.<n>` in 63): two that differ behind that share a Job.
const JOB_METRIC: usize = 24;

pub(super) fn check(index: &Index<'_>, problems: &mut Vec<Problem>) {
    let namespaced = index.templates.values().map(|t| (t.object, &t.get().spec));
    let specs = namespaced.map(|(object, spec)| (object, spec.metrics.as_deref(), arguments(spec)));
    let cluster = index.cluster_templates.values().map(|t| {
        let spec = &t.get().spec;
        let args = spec
            .args
            .iter()
            .flatten()
            .map(|arg| arg.name.as_str())
            .collect();
        (t.object, spec.metrics.as_deref(), args)
    });
    for (object, metrics, args) in specs.chain(cluster) {
        let metrics = metrics.unwrap_or_default();
        let mut refuse = |pointer: String, message: String| {
            let problem = Problem::new(code::METRIC_INVALID, message);
            problems.push(problem.object(object.id()).pointer(pointer));
        };
        if metrics.is_empty() {
            refuse(
                "/spec/metrics".to_owned(),
                "an analysis without metrics cannot run".to_owned(),
            );
        }
        let mut names = BTreeSet::new();
        let mut jobs = BTreeSet::new();
        for (at, metric) in metrics.iter().enumerate() {
            let pointer = |field: &str| format!("/spec/metrics/{at}{field}");
            if !names.insert(metric.name.as_str()) {
                refuse(
                    pointer("/name"),
                    format!("two metrics are called `{}`", metric.name),
                );
            } else if metric.provider.job.is_some()
                && !jobs.insert(metric.name.get(..JOB_METRIC).unwrap_or(&metric.name))
            {
                let message = format!(
                    "the first {JOB_METRIC} characters of `{}` name another Job metric too",
                    metric.name
                );
                refuse(pointer("/name"), message);
            }
            for (field, message) in wrong(metric) {
                refuse(pointer(field), message);
            }
            for tag in unresolved(metric, &args) {
                let message = format!(
                    "`{{{{{tag}}}}}` is no argument of the template; Rollouts cannot resolve it"
                );
                refuse(pointer(""), message);
            }
        }
    }
}

fn arguments(spec: &AnalysisTemplateSpec) -> BTreeSet<&str> {
    spec.args
        .iter()
        .flatten()
        .map(|arg| arg.name.as_str())
        .collect()
}

/// The limits of one metric (`utils/analysis/factory.go`).
fn wrong(metric: &Metric) -> Vec<(&'static str, String)> {
    let number = |value: &Option<IntOrString>| match value {
        None => 0,
        Some(IntOrString::Int(number)) => i64::from(*number),
        Some(IntOrString::String(text)) => text.parse().unwrap_or(0),
    };
    let (count, failures) = (number(&metric.count), number(&metric.failure_limit));
    let successes = number(&metric.consecutive_success_limit);
    let inconclusive = number(&metric.inconclusive_limit);
    let interval = metric.interval.as_deref().unwrap_or_default();
    let mut wrong = Vec::new();
    let mut refuse = |bad: bool, field: &'static str, message: &str| {
        if bad {
            wrong.push((field, message.to_owned()));
        }
    };
    refuse(failures < -1, "/failureLimit", "must be -1 (none) or more");
    refuse(
        successes < 0,
        "/consecutiveSuccessLimit",
        "must be 0 (none) or more",
    );
    refuse(inconclusive < 0, "/inconclusiveLimit", "must be 0 or more");
    refuse(
        number(&metric.consecutive_error_limit) < 0,
        "/consecutiveErrorLimit",
        "must be 0 or more",
    );
    refuse(
        failures == -1 && successes == 0,
        "/failureLimit",
        "failures and successes cannot both be without limit",
    );
    refuse(
        count > 0 && count < failures.max(0) + successes,
        "/count",
        "must be at least failureLimit + consecutiveSuccessLimit",
    );
    refuse(
        count > 0 && count < inconclusive,
        "/count",
        "must be at least inconclusiveLimit",
    );
    refuse(
        count > 1 && interval.is_empty(),
        "/interval",
        "more than one measurement needs an interval",
    );
    refuse(
        count == 0 && !interval.is_empty(),
        "/interval",
        "an interval without `count` measures for ever, so the Stage is never verified",
    );
    for (field, text) in [
        ("/interval", &metric.interval),
        ("/initialDelay", &metric.initial_delay),
    ] {
        let bad = text
            .as_deref()
            .is_some_and(|text| !text.contains("{{") && text.parse::<GoDuration>().is_err());
        refuse(bad, field, "is no duration such as `30s` or `5m`");
    }
    let provider = serde_json::to_value(&metric.provider).unwrap_or_default();
    let providers = provider.as_object().map_or(0, serde_json::Map::len);
    refuse(
        providers != 1,
        "/provider",
        "a metric has exactly one provider",
    );
    wrong
}

/// Tags in the metric that no argument fills in.
fn unresolved(metric: &Metric, args: &BTreeSet<&str>) -> Vec<String> {
    let text = serde_json::to_string(metric).unwrap_or_default();
    rollouts_tags(&text)
        .into_iter()
        .filter(|tag| {
            !tag.strip_prefix("args.")
                .is_some_and(|name| args.contains(name))
        })
        .map(str::to_owned)
        .collect()
}
