//! What the facts leave open, for `build.rs` and for the tests that generate again.

use crd_codegen::{Generator, TaggedUnion};

/// The value of `uses` and the facts of its `config`, for every step that
/// open-source Kargo has.
pub(crate) const STEPS: &[(&str, &str)] = &[
    ("argocd-update", "ArgoCDUpdateConfig"),
    ("argocd-wait", "ArgoCDWaitConfig"),
    ("compose-output", "ComposeOutput"),
    ("copy", "CopyConfig"),
    ("delete", "DeleteConfig"),
    ("fail", "FailConfig"),
    ("file-write", "FileWriteConfig"),
    ("git-clear", "GitClearConfig"),
    ("git-clone", "GitCloneConfig"),
    ("git-commit", "GitCommitConfig"),
    ("git-merge-pr", "GitMergePRConfig"),
    ("git-open-pr", "GitOpenPRConfig"),
    ("git-push", "GitPushConfig"),
    ("git-tag", "GitTagConfig"),
    ("git-wait-for-pr", "GitWaitForPRConfig"),
    ("github-push", "GitHubPushConfig"),
    ("helm-template", "HelmTemplateConfig"),
    ("helm-update-chart", "HelmUpdateChartConfig"),
    ("http", "HTTPConfig"),
    ("http-download", "HTTPDownloadConfig"),
    ("json-parse", "JSONParseConfig"),
    ("json-update", "JSONUpdateConfig"),
    ("kustomize-build", "KustomizeBuildConfig"),
    ("kustomize-set-image", "KustomizeSetImageConfig"),
    ("oci-download", "OCIDownloadConfig"),
    ("oci-push", "OCIPushConfig"),
    ("set-freight-alias", "SetFreightAliasConfig"),
    ("set-metadata", "SetMetadataConfig"),
    ("toml-parse", "TOMLParseConfig"),
    ("toml-update", "TOMLUpdateConfig"),
    ("untar", "UntarConfig"),
    ("yaml-merge", "YAMLMergeConfig"),
    ("yaml-parse", "YAMLParseConfig"),
    ("yaml-update", "YAMLUpdateConfig"),
];

/// What a Warehouse can subscribe to.
pub(crate) const SUBSCRIPTIONS: &[(&str, &str)] = &[
    ("image", "ImageSubscription"),
    ("git", "GitSubscription"),
    ("chart", "ChartSubscription"),
];

/// Where a list of steps stands; only a Stage's may refer to tasks.
pub(crate) const STAGE_STEPS: &str = "Stage/spec/promotionTemplate/spec/steps/items";
pub(crate) const TASK_STEPS: &[&str] = &[
    "Promotion/spec/steps/items",
    "PromotionTask/spec/steps/items",
    "ClusterPromotionTask/spec/steps/items",
];

/// Adds to a generator what is not in the facts.
pub(crate) fn describe(generator: Generator) -> Generator {
    let generator = generator
        .core("batch/v1.JobSpec", "k8s_openapi::api::batch::v1::JobSpec")
        .core(
            "meta/v1.LabelSelector",
            "k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector",
        )
        .core(
            "meta/v1.Condition",
            "k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition",
        )
        .keyed_union(
            "Warehouse/spec/subscriptions/items",
            "Subscription",
            SUBSCRIPTIONS,
        );
    choices(names(steps(generator)))
}

fn steps(mut generator: Generator) -> Generator {
    for (_, facts) in STEPS {
        generator = generator.expressions(facts);
    }
    let union = TaggedUnion {
        name: "BuiltinStep",
        tag: "uses",
        content: "config",
        variants: STEPS,
        or: None,
    };
    let or_task = TaggedUnion {
        or: Some(("StepAction", "task")),
        ..union
    };
    generator = generator.rename(STAGE_STEPS, "PromotionStep").tagged_union(
        STAGE_STEPS,
        "action",
        &or_task,
    );
    for steps in TASK_STEPS {
        generator = generator
            .rename(steps, "TaskStep")
            .tagged_union(steps, "action", &union);
    }
    for steps in TASK_STEPS.iter().chain([&STAGE_STEPS]) {
        generator = generator
            .rename(&format!("{steps}/retry"), "StepRetry")
            .duration(&format!("{steps}/retry/timeout"));
    }
    generator
}

/// Properties that exclude each other: where, the field they become, its type.
/// That the facts' rules say so is proved when the types are generated.
pub(crate) const CHOICES: &[(&str, &str, &str, &[&str])] = &[
    (
        "ProjectConfig/spec/promotionPolicies/items",
        "stages",
        "PolicyStages",
        &["stage", "stageSelector"],
    ),
    (
        "Promotion/spec",
        "of",
        "PromotionOf",
        &["freight", "origin"],
    ),
    (
        "GitCloneConfig/checkout/items",
        "revision",
        "CheckoutRevision",
        &["branch", "commit", "tag"],
    ),
    (
        "GitPushConfig",
        "target",
        "GitPushTarget",
        &["generateTargetBranch", "targetBranch", "tag"],
    ),
    (
        "GitHubPushConfig",
        "target",
        "GitHubPushTarget",
        &["generateTargetBranch", "targetBranch"],
    ),
    ("DeleteConfig", "what", "DeleteWhat", &["path", "paths"]),
    (
        "KustomizeSetImageConfig/images/items",
        "to",
        "KustomizeImageVersion",
        &["tag", "digest"],
    ),
    (
        "ArgoCDUpdateConfig#argoCDAppUpdate",
        "app",
        "ArgoCDUpdateApp",
        &["name", "selector"],
    ),
    (
        "ArgoCDWaitConfig#argoCDAppWait",
        "app",
        "ArgoCDWaitApp",
        &["name", "selector"],
    ),
    (
        "ArgoCDUpdateConfig#argoCDKustomizeImageUpdate",
        "to",
        "ArgoCDImageVersion",
        &["tag", "digest"],
    ),
];

fn choices(mut generator: Generator) -> Generator {
    for (pointer, field, name, properties) in CHOICES {
        generator = generator.choice(pointer, field, name, properties);
    }
    generator
}

/// Short names, and one name for a shape that the facts repeat. The first that
/// fits counts.
const NAMES: &[(&str, &str)] = &[
    // Warehouse.
    (
        "Warehouse/status/discoveredArtifacts/git/items",
        "DiscoveredCommits",
    ),
    (
        "Warehouse/status/discoveredArtifacts/git/items/commits/items",
        "DiscoveredCommit",
    ),
    (
        "Warehouse/status/discoveredArtifacts/images/items",
        "DiscoveredImages",
    ),
    (
        "Warehouse/status/discoveredArtifacts/images/items/references/items",
        "DiscoveredImage",
    ),
    (
        "Warehouse/status/discoveredArtifacts/charts/items",
        "DiscoveredCharts",
    ),
    (
        "Warehouse/status/discoveredArtifacts/results/items",
        "DiscoveredResult",
    ),
    ("*/observedRefs/tags/items", "ObservedTag"),
    // Argo Rollouts: the three kinds have the same metrics.
    ("*Analysis*/spec/args/items", "AnalysisArg"),
    ("*Analysis*/spec/dryRun/items", "DryRun"),
    ("*Analysis*/spec/metrics/items", "Metric"),
    ("*/metrics/items/provider", "MetricProvider"),
    ("*/provider/cloudWatch", "CloudWatchMetrics"),
    ("*/metricDataQueries/items", "CloudWatchQuery"),
    ("*/metricStat", "CloudWatchStat"),
    ("*/metricStat/metric", "CloudWatchMetric"),
    ("*/dimensions/items", "CloudWatchDimension"),
    ("*/provider/datadog", "DatadogMetric"),
    ("*/datadog/aggregator", "DatadogAggregator"),
    ("*/datadog/apiVersion", "DatadogApiVersion"),
    ("*/datadog/secretRef", "DatadogSecret"),
    ("*/provider/graphite", "GraphiteMetric"),
    ("*/provider/influxdb", "InfluxdbMetric"),
    ("*/provider/job", "JobMetric"),
    ("*/provider/job/metadata", "JobMetricMetadata"),
    ("*/provider/kayenta", "KayentaMetric"),
    ("*/kayenta/scopes/items", "KayentaScope"),
    ("*/kayenta/scopes/items/*Scope", "KayentaScopeTarget"),
    ("*/kayenta/threshold", "KayentaThreshold"),
    ("*/provider/newRelic", "NewRelicMetric"),
    ("*/provider/prometheus", "PrometheusMetric"),
    ("*/provider/*/authentication", "MetricAuthentication"),
    ("*/provider/*/headers/items", "MetricHeader"),
    ("*/prometheus/rangeQuery", "PrometheusRange"),
    ("*/provider/skywalking", "SkywalkingMetric"),
    ("*/provider/wavefront", "WavefrontMetric"),
    ("*/provider/web", "WebMetric"),
    (
        "*AnalysisTemplate/spec/templates/items",
        "TemplateReference",
    ),
    ("AnalysisRun/status/runSummary", "RunSummary"),
    ("AnalysisRun/status/dryRunSummary", "RunSummary"),
    // Freight, as it is and as others refer to it.
    ("*/origin", "FreightOrigin"),
    ("*/origin/kind", "FreightOriginKind"),
    ("Freight/charts/items", "FreightChart"),
    ("Freight/commits/items", "FreightCommit"),
    ("Freight/images/items", "FreightImage"),
    ("*/status/*/charts/items", "FreightChart"),
    ("*/status/*/commits/items", "FreightCommit"),
    ("*/status/*/images/items", "FreightImage"),
    ("*/status/*reight", "FreightReference"),
    ("*/freightCollection/items/values", "FreightReference"),
    ("*/freightHistory/items/items/values", "FreightReference"),
    ("*/freightCollection", "FreightCollection"),
    ("*/freightHistory/items", "FreightCollection"),
    ("*/verificationHistory/items", "VerificationInfo"),
    (
        "*/verificationHistory/items/analysisRun",
        "AnalysisRunReference",
    ),
    // Promotions and their steps.
    ("Stage/status/*Promotion", "PromotionReference"),
    ("Stage/status/*Promotion/status", "PromotionStatus"),
    ("*/steps/items/task", "PromotionTaskReference"),
    ("*/steps/items/task/kind", "PromotionTaskKind"),
    ("*/vars/items", "Variable"),
    // Stage.
    (
        "Stage/spec/requestedFreight/items/sources",
        "FreightSources",
    ),
    (
        "Stage/spec/verification/analysisTemplates/items",
        "AnalysisTemplateReference",
    ),
    (
        "Stage/spec/verification/analysisTemplates/items/kind",
        "AnalysisTemplateKind",
    ),
    ("Stage/spec/verification/args/items", "VerificationArg"),
    (
        "Stage/status/*utoPromotionHolds/values",
        "AutoPromotionHold",
    ),
    ("Stage/status/health", "StageHealth"),
    // ProjectConfig and Project.
    ("ProjectConfig/spec/*Links/items", "Link"),
    (
        "ProjectConfig/spec/promotionPolicies/items",
        "PromotionPolicy",
    ),
    ("*/stageSelector", "PromotionPolicySelector"),
    (
        "*/stageSelector/matchExpressions/items",
        "PromotionPolicyRequirement",
    ),
    (
        "ProjectConfig/spec/webhookReceivers/items",
        "WebhookReceiver",
    ),
    ("ProjectConfig/spec/*/secretRef", "SecretReference"),
    (
        "ProjectConfig/spec/webhookReceivers/items/generic",
        "GenericWebhook",
    ),
    (
        "ProjectConfig/spec/webhookReceivers/items/artifactory",
        "ArtifactoryWebhook",
    ),
    ("*/generic/actions/items", "WebhookAction"),
    ("*/generic/actions/items/action", "WebhookActionKind"),
    ("*/targetSelectionCriteria/items", "WebhookTarget"),
    ("*/targetSelectionCriteria/items/kind", "WebhookTargetKind"),
    ("*/indexSelector/matchIndices/items", "IndexRequirement"),
    ("*/indexSelector/matchIndices/items/key", "IndexKey"),
    (
        "ProjectConfig/status/webhookReceivers/items",
        "WebhookReceiverStatus",
    ),
    ("Project/status/stats", "ProjectStats"),
    ("Project/status/stats/*/health", "HealthStats"),
    ("Project/status/stats/stages", "KindStats"),
    ("Project/status/stats/warehouses", "KindStats"),
    // Step configurations.
    ("*/provider", "GitProvider"),
    ("GitCloneConfig/author", "GitAuthor"),
    ("GitCommitConfig/author", "GitCommitAuthor"),
    ("GitCloneConfig/checkout/items", "GitCheckout"),
    ("*#argoCDAppSelector", "ArgoCDAppSelector"),
    (
        "*#argoCDAppSelector/matchExpressions/items",
        "ArgoCDAppRequirement",
    ),
    (
        "*#argoCDAppSelector/matchExpressions/items/operator",
        "ArgoCDAppOperator",
    ),
    ("*#argoCDAppUpdate", "ArgoCDAppUpdate"),
    ("*#argoCDAppSourceUpdate", "ArgoCDSourceUpdate"),
    ("*#argoCDHelmParameterUpdates", "ArgoCDHelmUpdates"),
    ("*#argoCDHelmImageUpdate", "ArgoCDHelmUpdate"),
    ("*#argoCDKustomizeImageUpdates", "ArgoCDKustomizeUpdates"),
    ("*#argoCDKustomizeImageUpdate", "ArgoCDKustomizeUpdate"),
    ("*#argoCDAppWait", "ArgoCDAppWait"),
    ("*#argoCDAppWait/waitFor/items", "ArgoCDWaitFor"),
    ("*#httpOutput", "StepOutput"),
    ("*#*Parse", "StepOutput"),
    ("*#*Update", "KeyUpdate"),
    ("HelmTemplateConfig#setValues", "HelmSetValue"),
    ("HelmTemplateConfig/outLayout", "HelmOutLayout"),
    ("HelmUpdateChartConfig/charts/items", "HelmChartUpdate"),
    ("KustomizeBuildConfig/outputFormat", "KustomizeOutputFormat"),
    ("KustomizeBuildConfig/plugin", "KustomizePlugin"),
    ("KustomizeBuildConfig/plugin/helm", "KustomizeHelm"),
    ("KustomizeSetImageConfig/images/items", "KustomizeImage"),
    ("SetMetadataConfig/updates/items", "MetadataUpdate"),
    ("SetMetadataConfig/updates/items/kind", "MetadataKind"),
];

/// Webhook receivers that need a secret and nothing else.
const PLAIN_RECEIVERS: &[&str] = &[
    "azure",
    "bitbucket",
    "dockerhub",
    "gitea",
    "github",
    "gitlab",
    "harbor",
    "quay",
];

fn names(mut generator: Generator) -> Generator {
    for (pointer, name) in NAMES {
        generator = generator.rename(pointer, name);
    }
    for receiver in PLAIN_RECEIVERS {
        let pointer = format!("ProjectConfig/spec/webhookReceivers/items/{receiver}");
        generator = generator.rename(&pointer, "SecretWebhook");
    }
    generator
}
