//! What runs by the clock, and the identity of all our Jobs.
//!
//! Kargo's soak is a debounce, it retries no failed Promotion, makes no Freight
//! of a tag that returns to an old digest and knows no CVEs; the CronJobs cover
//! all of that with the same planner.

use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, JobTemplateSpec};
use k8s_openapi::api::core::v1::{LocalObjectReference, ServiceAccount};
use kube::core::ObjectMeta;

use super::Context;
use super::argocd;
use super::runner::{Purpose, Runner};
use crate::names;
use crate::synth::Chart;
use crate::template::TemplateError;

/// Every hour; not the full one, when everybody's jobs run.
const HOURLY: &str = "7 * * * *";
/// Every night.
const DAILY: &str = "37 3 * * *";

/// ServiceAccount and CronJobs. No Role: no Job of ours asks the Kubernetes API.
pub(super) fn add(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    chart.add(ServiceAccount {
        metadata: metadata(names::SERVICE_ACCOUNT),
        automount_service_account_token: Some(false),
        image_pull_secrets: Some(vec![LocalObjectReference {
            name: context.model.settings.secrets.registry.to_string(),
        }]),
        secrets: None,
    });
    let runner = Runner::new(context.model, context.repo);
    chart.add(cron(
        &runner,
        Purpose::Trigger,
        names::CRON_REBUILD,
        HOURLY,
        &["rebuild", "--due"],
    ));
    chart.add(cron(
        &runner,
        Purpose::Record,
        names::CRON_DISCOVER,
        DAILY,
        &["discover", "--resolve"],
    ));
    Ok(())
}

fn cron(
    runner: &Runner<'_>,
    purpose: Purpose,
    name: &str,
    schedule: &str,
    command: &[&str],
) -> CronJob {
    let words = command
        .iter()
        .chain(&["--commit", "--push"])
        .map(|word| (*word).to_owned());
    CronJob {
        metadata: metadata(name),
        spec: Some(CronJobSpec {
            // Two at once would only race for the same push.
            concurrency_policy: Some("Forbid".to_owned()),
            failed_jobs_history_limit: Some(3),
            job_template: JobTemplateSpec {
                metadata: None,
                spec: Some(runner.job(purpose, words.collect())),
            },
            schedule: schedule.to_string(),
            // A controller that was away starts one run, not one for each missed hour.
            starting_deadline_seconds: Some(600),
            successful_jobs_history_limit: Some(1),
            time_zone: Some("Etc/UTC".to_owned()),
            ..CronJobSpec::default()
        }),
        status: None,
    }
}

fn metadata(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        annotations: Some(argocd::wave(argocd::CONFIG)),
        ..ObjectMeta::default()
    }
}
