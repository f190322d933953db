//! AnalysisTemplates: how a Stage's verification runs our program.

use kargo_types::{
    AnalysisArg, AnalysisTemplate, AnalysisTemplateSpec, JobMetric, Metric, MetricProvider,
};

use super::Context;
use super::argocd;
use super::runner::{Purpose, Runner};
use crate::names;
use crate::synth::Chart;
use crate::template::TemplateError;

/// The three templates. Each run is one measurement: a metric without interval
/// and count.
pub(super) fn add(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    let runner = Runner::new(context.model, context.repo);
    let root = runner.root();
    for template in [
        template(
            &runner,
            Purpose::Record,
            names::RECORD_UPDATE,
            "record-update",
            &["image", "tag", "digest", "freight"],
            &[
                "record",
                "{{args.image}}",
                "--tag={{args.tag}}",
                "--digest={{args.digest}}",
                "--freight={{args.freight}}",
            ],
        ),
        template(
            &runner,
            Purpose::Trigger,
            names::TRIGGER_REBUILD,
            "trigger-rebuild",
            &["image", "actor"],
            &["rebuild", "{{args.image}}", "--requested-by={{args.actor}}"],
        ),
        template(
            &runner,
            Purpose::Record,
            names::ANALYZE_DOCKERFILE,
            // Jobs and their logs are found by this label; it fits the 63 characters of a Job's name.
            "dockerfile-analysis",
            &[
                "imageName",
                "imageTag",
                "imageDigest",
                "dockerfile",
                "sourceRepo",
                "sourceProvider",
                "sourceCommit",
                "gitRepo",
                "gitBranch",
                "freight",
            ],
            &[
                "analyze",
                "--image={{args.imageName}}",
                "--tag={{args.imageTag}}",
                "--digest={{args.imageDigest}}",
                "--dockerfile={{args.dockerfile}}",
                "--source-repo={{args.sourceRepo}}",
                "--source-provider={{args.sourceProvider}}",
                "--source-commit={{args.sourceCommit}}",
                "--git-repo={{args.gitRepo}}",
                "--git-branch={{args.gitBranch}}",
                "--freight={{args.freight}}",
                &["--image-factory-dir=", &root].concat(),
            ],
        ),
    ] {
        chart.add(template);
    }
    Ok(())
}

fn template(
    runner: &Runner<'_>,
    purpose: Purpose,
    name: &str,
    metric: &str,
    args: &[&str],
    command: &[&str],
) -> AnalysisTemplate {
    let words = command
        .iter()
        .chain(&["--commit", "--push"])
        .map(|word| (*word).to_owned());
    let mut template = AnalysisTemplate::new(
        name,
        AnalysisTemplateSpec {
            args: Some(
                args.iter()
                    .map(|arg| AnalysisArg {
                        name: (*arg).to_owned(),
                        ..AnalysisArg::default()
                    })
                    .collect(),
            ),
            metrics: Some(vec![Metric {
                name: metric.to_owned(),
                provider: MetricProvider {
                    job: Some(JobMetric {
                        metadata: None,
                        spec: runner.job(purpose, words.collect()),
                    }),
                    ..MetricProvider::default()
                },
                ..Metric::default()
            }]),
            ..AnalysisTemplateSpec::default()
        },
    );
    template.metadata.annotations = Some(argocd::wave(argocd::CONFIG));
    template
}
