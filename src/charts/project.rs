//! Namespace, Project, and the one promotion policy.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Namespace;
use kargo_types::{
    GenericWebhook, IndexKey, IndexRequirement, IndexSelector, PolicyStages, Project,
    ProjectConfig, ProjectConfigSpec, PromotionPolicy, PromotionPolicySelector, SecretReference,
    SecretWebhook, WebhookAction, WebhookActionKind, WebhookReceiver, WebhookTarget,
    WebhookTargetKind,
};
use kube::core::ObjectMeta;

use super::Context;
use super::argocd;
use super::topology::watched_upstream;
use crate::model::{Webhook, WebhookKind};
use crate::names;
use crate::synth::Chart;
use crate::template::TemplateError;

/// Kargo adopts a namespace that bears this label.
const PROJECT_LABEL: &str = "kargo.akuity.io/project";
/// Deleting the Project leaves the namespace and all that is in it.
const KEEP_NAMESPACE: &str = "kargo.akuity.io/keep-namespace";

pub(super) fn add(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    let project = context.model.settings.project.as_str();
    let protected = |wave| {
        let mut annotations = argocd::wave(wave);
        annotations.insert(argocd::SYNC_OPTIONS.to_owned(), "Prune=false".to_owned());
        annotations.insert(KEEP_NAMESPACE.to_owned(), "true".to_owned());
        Some(annotations)
    };
    chart.add(Namespace {
        metadata: ObjectMeta {
            name: Some(project.to_owned()),
            labels: Some(BTreeMap::from([(
                PROJECT_LABEL.to_owned(),
                "true".to_owned(),
            )])),
            annotations: protected(argocd::NAMESPACE),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    });
    let mut object = Project::new(project);
    object.metadata.annotations = protected(argocd::PROJECT);
    chart.add(object);

    // One policy, not one a Stage: an object must not grow with the number of
    // images, and the first of many policies that matches would win.
    let mut config = ProjectConfig::new(
        project,
        ProjectConfigSpec {
            promotion_policies: promotes(context).then(|| vec![policy()]),
            webhook_receivers: receivers(&context.model.settings.webhooks),
            ..ProjectConfigSpec::default()
        },
    );
    config.metadata.annotations = Some(argocd::wave(argocd::CONFIG));
    chart.add(config);
    Ok(())
}

/// Every image has a Stage that promotes by itself; without images there is none,
/// and the policy would match nothing.
fn promotes(context: &Context<'_>) -> bool {
    !context.model.images.is_empty() || watched_upstream(context.model).next().is_some()
}

fn policy() -> PromotionPolicy {
    PromotionPolicy {
        auto_promotion_enabled: Some(true),
        stages: PolicyStages::StageSelector(PromotionPolicySelector {
            name: Some(names::auto_promoted()),
            match_labels: Some(BTreeMap::from([(
                names::AUTO_PROMOTE.to_owned(),
                "true".to_owned(),
            )])),
            match_expressions: None,
        }),
        auto_rollback: None,
    }
}

/// What lets a registry or git host tell Kargo of news instead of being asked.
fn receivers(webhooks: &[Webhook]) -> Option<Vec<WebhookReceiver>> {
    let receivers: Vec<WebhookReceiver> = webhooks.iter().map(receiver).collect();
    (!receivers.is_empty()).then_some(receivers)
}

fn receiver(webhook: &Webhook) -> WebhookReceiver {
    let secret_ref = SecretReference {
        name: Some(webhook.secret.to_string()),
    };
    let mut receiver = WebhookReceiver {
        name: webhook.name.to_string(),
        ..WebhookReceiver::default()
    };
    let slot = match webhook.kind {
        WebhookKind::Artifactory => {
            receiver.artifactory = Some(kargo_types::ArtifactoryWebhook {
                secret_ref,
                virtual_repo_name: None,
            });
            return receiver;
        }
        WebhookKind::Generic => {
            receiver.generic = Some(GenericWebhook {
                actions: Some(vec![refresh(webhook)]),
                secret_ref,
            });
            return receiver;
        }
        WebhookKind::Azure => &mut receiver.azure,
        WebhookKind::Bitbucket => &mut receiver.bitbucket,
        WebhookKind::DockerHub => &mut receiver.dockerhub,
        WebhookKind::Gitea => &mut receiver.gitea,
        WebhookKind::GitHub => &mut receiver.github,
        WebhookKind::GitLab => &mut receiver.gitlab,
        WebhookKind::Harbor => &mut receiver.harbor,
        WebhookKind::Quay => &mut receiver.quay,
    };
    *slot = Some(SecretWebhook { secret_ref });
    receiver
}

/// The Warehouses that watch the image that a request is about look at once. What they
/// subscribe to is indexed in its short form, so that is what is asked for.
fn refresh(webhook: &Webhook) -> WebhookAction {
    let repository = webhook.repository.as_ref();
    let repository = repository.map_or("request.body.repository", |path| path.as_str());
    WebhookAction {
        action: WebhookActionKind::Refresh,
        parameters: None,
        target_selection_criteria: Some(vec![WebhookTarget {
            index_selector: Some(IndexSelector {
                match_indices: Some(vec![IndexRequirement {
                    key: IndexKey::SubscribedUrls,
                    operator: "Equals".to_owned(),
                    value: ["${{ normalizeImage(", repository, ") }}"].concat(),
                }]),
            }),
            kind: WebhookTargetKind::Warehouse,
            label_selector: None,
            name: None,
        }]),
        when_expression: None,
    }
}
