//! A project that Kargo takes, and what each rule says when one thing in it is
//! wrong.

use super::{Kargo, NoLoop};
use crate::diagnostics::code;
use crate::model::{GitUrl, Parse};
use crate::synth::{App, Chart, Problem};

const GOOD: &str = r#"
apiVersion: kargo.akuity.io/v1alpha1
kind: ProjectConfig
metadata: {name: shop}
spec:
  promotionPolicies:
  - autoPromotionEnabled: true
    stageSelector:
      name: "regex:^(track|ship)-"
      matchLabels: {image-factory.io/auto-promote: "true"}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: app}
spec:
  interval: 5m0s
  subscriptions:
  - image:
      repoURL: ghcr.io/acme/app
      imageSelectionStrategy: Lexical
      allowTagsRegexes: ['^v\d+$']
  - git:
      repoURL: https://github.com/acme/app.git
      includePaths: [apps/app/, "regex:^docs/"]
      excludePaths: [state/, dist/]
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: {name: track-app, labels: {image-factory.io/auto-promote: "true"}}
spec:
  requestedFreight:
  - origin: {kind: Warehouse, name: app}
    sources: {direct: true}
  promotionTemplate:
    spec:
      steps:
      - uses: set-metadata
        as: note
        config:
          updates:
          - kind: Stage
            name: ${{ ctx.stage }}
            values: {tag: '${{ quote(imageFrom("ghcr.io/acme/app").Tag) }}'}
      - task: {name: tell}
  verification:
    analysisTemplates: [{name: check}]
    args:
    - {name: tag, value: '${{ quote(imageFrom("ghcr.io/acme/app").Tag) }}'}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: {name: pass-app}
spec:
  requestedFreight:
  - origin: {kind: Warehouse, name: app}
    sources: {stages: [track-app]}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: {name: ship-app, labels: {image-factory.io/auto-promote: "true"}}
spec:
  requestedFreight:
  - origin: {kind: Warehouse, name: app}
    sources:
      stages: [track-app]
      requiredSoakTime: 24h0m0s
      autoPromotionOptions: {selectionPolicy: MatchUpstream}
  promotionTemplate:
    spec:
      steps:
      - uses: git-clear
        config: {path: ./src}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: PromotionTask
metadata: {name: tell}
spec:
  steps:
  - uses: git-clear
    config: {path: ./src}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: check}
spec:
  args:
  - {name: tag}
  - {name: mode, value: fast}
  metrics:
  - name: smoke
    count: 2
    interval: 30s
    provider:
      job:
        spec:
          template:
            spec:
              restartPolicy: Never
              containers: [{name: smoke, image: "acme/smoke:{{args.tag}}", args: ["{{ args.mode }}"]}]
"#;

fn problems(yaml: &str) -> Vec<Problem> {
    let mut chart = Chart::new("shop").namespace("shop");
    chart.include(yaml).expect("the YAML can be read");
    let mut app = App::new();
    app.add(chart);
    app.validator(Kargo);
    let repository = GitUrl::parse("https://github.com/acme/app").expect("an address");
    app.validator(NoLoop::new(&repository, &["state/".into(), "dist/".into()]));
    app.synth().err().unwrap_or_default()
}

#[test]
fn a_good_project_has_no_problems() {
    assert_eq!(problems(GOOD), []);
}

/// Each case: a text of [`GOOD`], what stands there instead, the rule that
/// speaks, where, and a part of what it says.
#[test]
fn each_rule_speaks() {
    let cases = [
        // Schema.
        (
            "interval: 5m0s",
            "interval: 5 days",
            code::SCHEMA_VIOLATION,
            "/spec/interval",
            "",
        ),
        (
            "config: {path: ./src}\n---",
            "config: {pth: ./src}\n---",
            code::SCHEMA_VIOLATION,
            "/spec/promotionTemplate/spec/steps/0/config/pth",
            "is `path` meant",
        ),
        (
            "allowTagsRegexes: [",
            "allowTagRegexes: [",
            code::SCHEMA_VIOLATION,
            "/spec/subscriptions/0/image/allowTagRegexes",
            "unknown key",
        ),
        (
            "    stageSelector:\n",
            "    stage: x\n    stageSelector:\n",
            code::SCHEMA_VIOLATION,
            "/spec/promotionPolicies/0/stageSelector",
            "together with `stage`",
        ),
        (
            "imageSelectionStrategy: Lexical",
            "imageSelectionStrategy: Digest",
            code::SCHEMA_VIOLATION,
            "/spec/subscriptions/0/image/constraint",
            "needs the tag",
        ),
        // References.
        (
            "origin: {kind: Warehouse, name: app}\n    sources: {direct: true}",
            "origin: {kind: Warehouse, name: ap}\n    sources: {direct: true}",
            code::MISSING_REFERENCE,
            "/spec/requestedFreight/0/origin/name",
            "no Warehouse `ap`",
        ),
        (
            "sources: {stages: [track-app]}",
            "sources: {stages: [track-ap]}",
            code::MISSING_REFERENCE,
            "/spec/requestedFreight/0/sources/stages/0",
            "no Stage `track-ap`",
        ),
        (
            "analysisTemplates: [{name: check}]",
            "analysisTemplates: [{name: chek}]",
            code::MISSING_REFERENCE,
            "/spec/verification/analysisTemplates/0/name",
            "`chek`",
        ),
        (
            "analysisTemplates: [{name: check}]",
            "analysisTemplates: [{name: check, kind: ClusterAnalysisTemplate}]",
            code::MISSING_REFERENCE,
            "/spec/verification/analysisTemplates/0/name",
            "`check`",
        ),
        (
            "task: {name: tell}",
            "task: {name: tel}",
            code::MISSING_REFERENCE,
            "/spec/promotionTemplate/spec/steps/1/task/name",
            "`tel`",
        ),
        // Freight.
        (
            "sources: {direct: true}",
            "sources: {direct: true, stages: [ship-app]}",
            code::FREIGHT_SOURCES,
            "/spec/requestedFreight/0/sources/stages",
            "does not look at `stages`",
        ),
        (
            "sources: {direct: true}",
            "sources: {direct: true, availabilityStrategy: All}",
            code::FREIGHT_SOURCES,
            "/spec/requestedFreight/0/sources/availabilityStrategy",
            "",
        ),
        (
            "sources: {direct: true}",
            "sources: {}",
            code::FREIGHT_SOURCES,
            "/spec/requestedFreight/0/sources",
            "neither",
        ),
        (
            "sources: {direct: true}",
            "sources: {direct: true, autoPromotionOptions: {selectionPolicy: MatchUpstream}}",
            code::FREIGHT_SOURCES,
            "/spec/requestedFreight/0/sources/autoPromotionOptions/selectionPolicy",
            "exactly one",
        ),
        (
            "      stages: [track-app]\n",
            "      stages: [track-app, track-app]\n",
            code::FREIGHT_SOURCES,
            "/spec/requestedFreight/0/sources/autoPromotionOptions/selectionPolicy",
            "exactly one",
        ),
        (
            "    sources: {direct: true}\n",
            "    sources: {direct: true}\n  - origin: {kind: Warehouse, name: app}\n    sources: {direct: true}\n",
            code::FREIGHT_SOURCES,
            "/spec/requestedFreight/1/origin/name",
            "twice",
        ),
        (
            "sources: {direct: true}",
            "sources: {direct: true, requiredSoakTime: 1h0m0s}",
            code::NEVER_SOAKS,
            "/spec/requestedFreight/0/sources/requiredSoakTime",
            "straight",
        ),
        (
            "      stages: [track-app]\n      requiredSoakTime",
            "      stages: [pass-app]\n      requiredSoakTime",
            code::NEVER_SOAKS,
            "/spec/requestedFreight/0/sources/stages",
            "control-flow",
        ),
        (
            "      stages: [track-app]\n      requiredSoakTime: 24h0m0s\n",
            "      stages: [pass-app]\n",
            code::NEVER_SOAKS,
            "/spec/requestedFreight/0/sources/stages",
            "control-flow",
        ),
        // Circles.
        (
            "sources: {direct: true}",
            "sources: {stages: [ship-app]}",
            code::STAGE_CYCLE,
            "/spec/requestedFreight",
            "`track-app` ← `ship-app` ← `track-app`",
        ),
        (
            "sources: {direct: true}",
            "sources: {stages: [track-app]}",
            code::STAGE_CYCLE,
            "/spec/requestedFreight",
            "`track-app` ← `track-app`",
        ),
        // Subscriptions.
        (
            "  - git:\n",
            "  - image: {repoURL: ghcr.io/acme/app}\n  - git:\n",
            code::SUBSCRIPTION_TWICE,
            "/spec/subscriptions/1/image/repoURL",
            "twice",
        ),
        (
            "  - git:\n",
            "  - git: {repoURL: https://github.com/Acme/app/, excludePaths: [state, dist]}\n  - git:\n",
            code::SUBSCRIPTION_TWICE,
            "/spec/subscriptions/2/git/repoURL",
            "twice",
        ),
        (
            "allowTagsRegexes: ['^v\\d+$']",
            "allowTags: ^v",
            code::DEAD_FIELD,
            "/spec/subscriptions/0/image/allowTags",
            "allowTagsRegexes",
        ),
        (
            "includePaths:",
            "ignoreTags: [a]\n      includePaths:",
            code::DEAD_FIELD,
            "/spec/subscriptions/1/git/ignoreTags",
            "ignoreTagsRegexes",
        ),
        (
            "'^v\\d+$'",
            "'^v(?=1)'",
            code::UNREADABLE_PATTERN,
            "/spec/subscriptions/0/image/allowTagsRegexes/0",
            "(?=1)",
        ),
        (
            "regex:^docs/",
            "regex:^docs/(",
            code::UNREADABLE_PATTERN,
            "/spec/subscriptions/1/git/includePaths/1",
            "regex:^docs/(",
        ),
        // Steps and expressions.
        (
            "as: note",
            "as: step-1",
            code::STEP_INVALID,
            "/spec/promotionTemplate/spec/steps/0/as",
            "`step-1`",
        ),
        (
            "- task: {name: tell}",
            "- task: {name: tell}\n        as: ' note '",
            code::STEP_INVALID,
            "/spec/promotionTemplate/spec/steps/1/as",
            "two steps",
        ),
        (
            "name: ${{ ctx.stage }}",
            "name: ${{ ctx.stage }",
            code::EXPRESSION_INVALID,
            "/spec/promotionTemplate/spec/steps/0/config/updates/0/name",
            "never closed",
        ),
        (
            "args:\n    - {name: tag, value: '${{ quote(imageFrom(\"ghcr.io/acme/app\")",
            "args:\n    - {name: tag, value: '${{ quote(imageFrom(\"acme/app\")",
            code::EXPRESSION_INVALID,
            "/spec/verification/args/0/value",
            "`acme/app`",
        ),
        (
            "values: {tag: '${{ quote(imageFrom(\"ghcr.io/acme/app\")",
            "values: {tag: '${{ quote(imageFrom(\"ghcr.io/acme/ap\")",
            code::EXPRESSION_INVALID,
            "/spec/promotionTemplate/spec/steps/0/config/updates/0/values/tag",
            "`ghcr.io/acme/ap`",
        ),
        // Arguments.
        (
            "- {name: tag, value: '",
            "- {name: tagg, value: '",
            code::ARGUMENT_INVALID,
            "/spec/verification/args/0/name",
            "`tagg`",
        ),
        (
            "  - {name: mode, value: fast}",
            "  - {name: mode}",
            code::ARGUMENT_INVALID,
            "/spec/verification/args",
            "`mode`",
        ),
        // Metrics.
        (
            "{{args.tag}}",
            "{{args.tga}}",
            code::METRIC_INVALID,
            "/spec/metrics/0",
            "`{{args.tga}}`",
        ),
        (
            "    count: 2\n",
            "",
            code::METRIC_INVALID,
            "/spec/metrics/0/interval",
            "for ever",
        ),
        (
            "    interval: 30s\n",
            "",
            code::METRIC_INVALID,
            "/spec/metrics/0/interval",
            "needs an interval",
        ),
        (
            "interval: 30s",
            "interval: 30 s",
            code::METRIC_INVALID,
            "/spec/metrics/0/interval",
            "no duration",
        ),
        (
            "count: 2",
            "count: 2\n    failureLimit: 3",
            code::METRIC_INVALID,
            "/spec/metrics/0/count",
            "failureLimit",
        ),
        (
            "count: 2",
            "count: 2\n    inconclusiveLimit: '3'",
            code::METRIC_INVALID,
            "/spec/metrics/0/count",
            "inconclusiveLimit",
        ),
        (
            "count: 2",
            "count: 2\n    failureLimit: -2",
            code::METRIC_INVALID,
            "/spec/metrics/0/failureLimit",
            "-1",
        ),
        (
            "count: 2",
            "count: 2\n    failureLimit: -1",
            code::METRIC_INVALID,
            "/spec/metrics/0/failureLimit",
            "without limit",
        ),
        (
            "count: 2",
            "count: 2\n    consecutiveSuccessLimit: -1",
            code::METRIC_INVALID,
            "/spec/metrics/0/consecutiveSuccessLimit",
            "",
        ),
        (
            "count: 2",
            "count: 2\n    consecutiveErrorLimit: -1",
            code::METRIC_INVALID,
            "/spec/metrics/0/consecutiveErrorLimit",
            "",
        ),
        (
            "    provider:\n",
            "    provider:\n      prometheus: {query: up}\n",
            code::METRIC_INVALID,
            "/spec/metrics/0/provider",
            "exactly one",
        ),
        (
            "  metrics:\n",
            "  metrics:\n  - {name: smoke, provider: {prometheus: {query: up}}}\n",
            code::METRIC_INVALID,
            "/spec/metrics/1/name",
            "`smoke`",
        ),
        // Policies.
        (
            "^(track|ship)-",
            "^(trak|shp)-",
            code::POLICY_INVALID,
            "/spec/promotionPolicies/0",
            "no Stage",
        ),
        (
            "^(track|ship)-",
            "^track-",
            code::POLICY_INVALID,
            "/metadata/labels",
            "no promotion policy",
        ),
        (
            "\"regex:^(track|ship)-\"",
            "\"glob:{track,pass}-*\"",
            code::POLICY_INVALID,
            "/metadata/labels",
            "no promotion policy",
        ),
        (
            "\"regex:^(track|ship)-\"",
            "track-app",
            code::POLICY_INVALID,
            "/metadata/labels",
            "no promotion policy",
        ),
        (
            "regex:^(track|ship)-",
            "rex:^(track|ship)-",
            code::POLICY_INVALID,
            "/spec/promotionPolicies/0",
            "`rex:`",
        ),
        (
            "regex:^(track|ship)-",
            "regex:^(track|ship",
            code::POLICY_INVALID,
            "/spec/promotionPolicies/0",
            "(track|ship",
        ),
        (
            "autoPromotionEnabled: true",
            "autoPromotionEnabled: false",
            code::POLICY_INVALID,
            "/metadata/labels",
            "no promotion policy",
        ),
        (
            "  promotionPolicies:\n",
            "  promotionPolicies:\n  - {autoPromotionEnabled: true, stageSelector: {}}\n",
            code::POLICY_INVALID,
            "/spec/promotionPolicies/1",
            "earlier policy",
        ),
        // Loops.
        (
            "      excludePaths: [state/, dist/]\n",
            "      excludePaths: [dist/]\n",
            code::WATCHES_ITSELF,
            "/spec/subscriptions/1/git/excludePaths",
            "`state/`",
        ),
    ];
    let mut silent = Vec::new();
    for (good, bad, code, pointer, says) in cases {
        assert!(GOOD.contains(good), "the project has no `{good}`");
        let found = problems(&GOOD.replacen(good, bad, 1));
        let spoken = found
            .iter()
            .any(|p| p.code == code && p.pointer == pointer && p.message.contains(says));
        if !spoken {
            let found: Vec<_> = found
                .iter()
                .map(|p| format!("{} {} {}", p.code, p.pointer, p.message))
                .collect();
            silent.push(format!("`{bad}`: {code} at {pointer}; got {found:#?}"));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn a_step_that_asks_for_an_image_is_looked_at_in_every_stage() {
    let good = GOOD.replace("      - task: {name: tell}\n", "");
    let stage = good
        .split("---\n")
        .find(|document| document.contains("name: track-app,"))
        .expect("a Stage");
    let other = stage
        .replace("track-app", "track-other")
        .replace("name: app}", "name: other}")
        .replace(
            "args:\n    - {name: tag, value: '${{ quote(imageFrom(\"ghcr.io/acme/app\")",
            "args:\n    - {name: tag, value: '${{ quote(imageFrom(\"a/b\")",
        );
    let warehouse = "apiVersion: kargo.akuity.io/v1alpha1\nkind: Warehouse\nmetadata: {name: other}\nspec: {interval: 5m0s, subscriptions: [{image: {repoURL: a/b}}]}\n";
    let found = problems(&[&good, "---\n", warehouse, "---\n", &other].concat());
    let [problem] = found.as_slice() else {
        panic!("{found:#?}");
    };
    assert_eq!(problem.code, code::EXPRESSION_INVALID);
    assert_eq!(
        problem.object.as_ref().map(|id| id.name.as_str()),
        Some("track-other")
    );
}

#[test]
fn globs_and_expressions_of_selectors_select() {
    for selector in [
        "{name: 'glob:*-app'}",
        "{name: 'glob:{track,ship}-a?p'}",
        "{matchExpressions: [{key: image-factory.io/auto-promote, operator: Exists}]}",
        "{matchExpressions: [{key: image-factory.io/auto-promote, operator: In, values: ['true']}]}",
        "{matchExpressions: [{key: team, operator: DoesNotExist}, {key: team, operator: NotIn, values: [a]}]}",
        "{}",
    ] {
        let (before, rest) = GOOD.split_once("    stageSelector:").expect("a selector");
        let (_, after) = rest.split_once("---").expect("an end");
        let yaml = format!("{before}    stageSelector: {selector}\n---{after}");
        assert_eq!(problems(&yaml), [], "{selector}");
    }
}

#[test]
fn a_long_chain_of_stages_is_walked() {
    let mut yaml = String::from(
        "apiVersion: kargo.akuity.io/v1alpha1\nkind: Warehouse\nmetadata: {name: w}\nspec: {interval: 5m0s, subscriptions: [{image: {repoURL: a/b}}]}\n",
    );
    for at in 0..2000 {
        let sources = if at == 0 {
            "direct: true".to_owned()
        } else {
            format!("stages: [s{}]", at - 1)
        };
        yaml += &format!(
            "---\napiVersion: kargo.akuity.io/v1alpha1\nkind: Stage\nmetadata: {{name: s{at}}}\nspec: {{requestedFreight: [{{origin: {{kind: Warehouse, name: w}}, sources: {{{sources}}}}}]}}\n"
        );
    }
    assert_eq!(problems(&yaml), []);
}
