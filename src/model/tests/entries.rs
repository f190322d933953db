//! What an entry says.

use proptest::prelude::*;

use super::{files, model};
use crate::model::{
    Builder, Criticality, Duration, Image, Input, Kind, Provider, Severity, UpdateKind, Verify,
    Watch,
};

#[track_caller]
fn image(text: &str, warnings: &[&str]) -> Image {
    let model = model(&files(text), warnings);
    assert_eq!(model.images.len(), 1);
    model.images.into_iter().next().expect("one image")
}

fn managed(lines: &str) -> String {
    format!("- name: a\n  registry: ghcr.io\n  repository: o/a\n  source: {{repo: o/src}}\n{lines}")
}

const NEW: &[&str] = &["IF062"];

#[test]
fn a_managed_image_has_defaults() {
    let image = image(&managed(""), NEW);
    let source = image.source().expect("managed");
    assert_eq!(source.provider, Provider::GitHub);
    assert_eq!(source.git_url.as_str(), "https://github.com/o/src.git");
    assert_eq!(source.branch.as_str(), "main");
    assert_eq!(source.dockerfile.as_str(), "Dockerfile");
    assert!(source.context.is_top());
    assert_eq!(source.workflow.as_str(), "a.yml");
    assert_eq!(source.pipeline.as_str(), ".gitlab-ci.yml");
    assert_eq!(
        (
            source.target.clone(),
            source.job.clone(),
            source.inputs.clone()
        ),
        (None, None, None)
    );
    assert_eq!(image.repository.url(), "ghcr.io/o/a");
    assert_eq!(image.repo_url, image.repository);
    assert_eq!(image.watch, Watch::any_version());
    assert_eq!(image.rebuild_delay, Duration::from_days(7));
    assert!(image.auto_rebuild);
    assert_eq!(
        (image.criticality, image.build),
        (Criticality::Normal, Builder::Workflow)
    );
    assert!(image.updates.is_empty() && image.platforms.is_empty() && image.schedule.is_none());
}

#[test]
fn every_key_of_an_entry_is_read() {
    let text = "\
- name: a
  registry: registry.example.com:5000
  repository: team/a
  repoURL: mirror.example.com/team/a
  constraint: ^1
  allowTags: ^v
  imageSelectionStrategy: SemVer
  rebuildDelay: 12h
  autoRebuild: false
  platforms: [linux/amd64, linux/arm64]
  criticality: critical
  build: factory
  schedule: 0 4 * * mon
  maxAge: 90d
  verify: {key: keys/cosign.pub}
  title: A
  description: |
    Two
    lines.
  owner: team-a
  system: shop
  lifecycle: production
  local:
    dir: images/a
    dockerfile: images/a/Dockerfile
    patchFiles: [fix.patch, common/all.patch]
    versionFile: images/a/VERSION
  source:
    provider: gitlab
    repo: g/s/a
    branch: release/1
    dockerfile: ./docker/Dockerfile
    context: docker/
    target: runtime
    buildArgs: {VERSION: 1.10, DEBUG: \"yes\"}
    pipeline: ci/build.yml
    job: build image
    inputs: [tag, reason]
  updates:
    - {repo: o/deploy, path: overlays/prod, type: kustomize-set-image}
    - {repo: https://git.example.com/o/x, branch: dev, path: values.yaml, type: yaml-update, key: app.tag, pullRequest: true}
    - {repo: o/deploy, path: values.yaml, type: helm-update-image}
";
    let image = image(text, NEW);
    let source = image.source().expect("managed");
    assert_eq!(image.repository.url(), "registry.example.com:5000/team/a");
    assert_eq!(image.repo_url.url(), "mirror.example.com/team/a");
    assert!(
        matches!(&image.watch, Watch::SemVer { constraint: Some(range), tags: Some(tags) } if range.as_str() == "^1" && tags.as_str() == "^v")
    );
    assert_eq!(
        (image.rebuild_delay.minutes(), image.auto_rebuild),
        (720, false)
    );
    assert_eq!(image.platforms.len(), 2);
    assert_eq!(
        (image.criticality, image.build),
        (Criticality::Critical, Builder::Factory)
    );
    assert_eq!(
        image.schedule.as_ref().map(|s| s.as_str()),
        Some("0 4 * * mon")
    );
    assert_eq!(image.max_age, Some(Duration::from_days(90)));
    assert!(matches!(&image.verify, Some(Verify::Key(key)) if key.as_str() == "keys/cosign.pub"));
    assert_eq!(
        image.about.owner.as_ref().map(|o| o.as_str()),
        Some("team-a")
    );
    assert_eq!(image.about.description.as_deref(), Some("Two\nlines.\n"));
    let local = image.local.as_ref().expect("local");
    let patches: Vec<&str> = local.patch_files.iter().map(|p| p.as_str()).collect();
    assert_eq!(patches, ["images/a/fix.patch", "common/all.patch"]);
    assert_eq!(source.git_url.as_str(), "https://gitlab.com/g/s/a.git");
    assert_eq!(source.dockerfile.as_str(), "docker/Dockerfile");
    assert_eq!(source.context.as_str(), "docker");
    let arguments: Vec<(&str, &str)> = source
        .build_args
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(arguments, [("DEBUG", "yes"), ("VERSION", "1.10")]);
    assert_eq!(source.pipeline.as_str(), "ci/build.yml");
    assert_eq!(
        source.inputs.as_deref(),
        Some(&[Input::Tag, Input::Reason][..])
    );
    let repos: Vec<&str> = image.updates.iter().map(|u| u.repo.as_str()).collect();
    assert_eq!(
        repos,
        [
            "https://gitlab.com/o/deploy.git",
            "https://git.example.com/o/x",
            "https://gitlab.com/o/deploy.git"
        ]
    );
    assert_eq!(image.updates[0].kind, UpdateKind::Kustomize);
    assert!(
        matches!(&image.updates[1].kind, UpdateKind::Yaml { key } if key.as_str() == "app.tag")
    );
    assert!(image.updates[1].pull_request && image.updates[1].branch.as_str() == "dev");
    assert!(
        matches!(&image.updates[2].kind, UpdateKind::Yaml { key } if key.as_str() == "image.tag")
    );
}

#[test]
fn what_is_watched_follows_from_three_keys() {
    for (lines, expected) in [
        ("allowTags: ^16-alpine$", "Tag(\"16-alpine\")"),
        (
            "allowTags: ^16-alpine$\n  imageSelectionStrategy: Lexical",
            "Tag(\"16-alpine\")",
        ),
        (
            "allowTags: '^3\\.12-slim$'\n  imageSelectionStrategy: SemVer",
            "Tag(\"3.12-slim\")",
        ),
        ("allowTags: ^16", "Lexical { tags: Some(\"^16\") }"),
        (
            "allowTags: ^16\n  imageSelectionStrategy: NewestBuild",
            "NewestBuild { tags: Some(\"^16\") }",
        ),
        (
            "constraint: ^16",
            "SemVer { constraint: Some(\"^16\"), tags: None }",
        ),
        (
            "constraint: latest\n  imageSelectionStrategy: Digest",
            "Tag(\"latest\")",
        ),
        (
            "constraint: latest\n  allowTags: ^latest$\n  imageSelectionStrategy: Digest",
            "Tag(\"latest\")",
        ),
        (
            "allowTags: ^latest$\n  imageSelectionStrategy: Digest",
            "Tag(\"latest\")",
        ),
    ] {
        let image = image(&format!("- name: a\n  repository: b\n  {lines}\n"), &[]);
        assert_eq!(format!("{:?}", image.watch), expected, "{lines}");
        assert_eq!(image.repository.url(), "docker.io/library/b");
    }
    let entry = |lines| format!("{:?}", image(&managed(lines), NEW).watch);
    assert_eq!(
        entry("  allowTags: ^v\n"),
        "SemVer { constraint: None, tags: Some(\"^v\") }"
    );
    assert_eq!(
        entry("  imageSelectionStrategy: NewestBuild\n"),
        "NewestBuild { tags: None }"
    );
}

#[test]
fn an_empty_source_is_none() {
    for source in [
        "source:",
        "source: null",
        "source: {}",
        "source: {repo: ''}",
        "source: {repo: null}",
    ] {
        let image = image(
            &format!("- name: a\n  repository: b\n  allowTags: ^1$\n  {source}\n"),
            &[],
        );
        assert_eq!(image.kind, Kind::External, "{source}");
    }
}

#[test]
fn an_address_alone_is_enough() {
    let image = image("- name: a\n  repoURL: ghcr.io/o/a\n  allowTags: ^1$\n", &[]);
    assert_eq!(
        (image.repository.url(), image.repo_url.url()),
        ("ghcr.io/o/a", "ghcr.io/o/a")
    );
}

#[test]
fn the_older_spelling_says_the_same() {
    let old = "- name: a\n  enrollment:\n    registry: ghcr.io\n    repository: o/a\n    source: {repo: o/src}\n    rebuildDelay: 1d\n";
    let new = "- name: a\n  registry: ghcr.io\n  repository: o/a\n  source: {repo: o/src}\n  rebuildDelay: 1d\n";
    assert_eq!(image(old, &["IF062", "IF041"]), image(new, NEW));
}

#[test]
fn keys_without_effect_are_warned_of() {
    let image = image(
        "- name: a\n  repository: b\n  allowTags: ^1$\n  schedule: '@daily'\n",
        &["IF040"],
    );
    assert!(image.schedule.is_some());
}

#[test]
fn places_of_keys_are_kept() {
    let image = image(&managed("  rebuildDelay: 1d\n"), NEW);
    let place = image.fields.of("rebuildDelay");
    let text = managed("  rebuildDelay: 1d\n");
    let span = place.span.expect("a span");
    assert_eq!(text.get(span.start..span.end), Some("1d"));
    assert!(image.fields.has("source.repo") && !image.fields.has("source.branch"));
    assert_eq!(image.fields.of("maxAge"), image.fields.place());
}

#[test]
fn settings_are_read() {
    let text = "\
settings:
  project: my-factory
  git: {repo: https://git.example.com/o/f, branch: dev, path: factory/}
  intervals: {base: 12h, external: 6h, managed: 10m}
  window: 1h
  maxDelay: 14d
  limits: {concurrent: 1, perRun: 2, perDay: 3}
  cve: {severity: high}
  freeze: [{from: 2026-12-20T00:00:00Z, to: 2027-01-02T00:00:00Z, reason: holidays}]
  providers:
    github: {api: https://ghe.example.com/api/v3, tokenEnv: GHE}
    gitlab: {api: https://gl.example.com/api/v4/}
  registries:
    registry.example.com:5000: {ca: certificates/own.pem}
    plain.example.com: {insecure: true}
    index.docker.io: {}
  secrets: {git: a, github: b, gitlab: c, registry: d}
  jobs: {image: ghcr.io/o/factory:1.2}
  webhooks: [{type: github, secret: hook}, {name: hub, type: dockerhub, secret: hub}]
  notifications: [{type: slack, secret: slack}]
images:
  - {name: a, registry: ghcr.io, repository: o/a, source: {repo: o/a}}
";
    let model = model(&files(text), NEW);
    let settings = &model.settings;
    assert_eq!(settings.project.as_str(), "my-factory");
    assert_eq!(
        settings.git_repo(None).map(|url| url.as_str().to_owned()),
        Ok("https://git.example.com/o/f".to_owned())
    );
    assert_eq!(
        (settings.git.branch.as_str(), settings.git.path.as_str()),
        ("dev", "factory")
    );
    assert_eq!(settings.intervals.managed.minutes(), 10);
    assert_eq!(
        (settings.window.minutes(), settings.max_delay),
        (60, Some(Duration::from_days(14)))
    );
    assert_eq!(
        (
            settings.limits.concurrent,
            settings.limits.per_run,
            settings.limits.per_day
        ),
        (1, 2, 3)
    );
    assert_eq!(settings.freeze.len(), 1);
    assert_eq!(settings.cve.severity, Severity::High);
    assert_eq!(settings.providers.github.web(), "https://ghe.example.com");
    assert_eq!(settings.providers.gitlab.web(), "https://gl.example.com");
    assert_eq!(settings.providers.gitlab.token_env.as_str(), "GITLAB_TOKEN");
    let registries: Vec<_> = settings
        .registries
        .iter()
        .map(|(host, said)| {
            (
                host.as_str(),
                said.insecure,
                said.ca.as_ref().map(AsRef::as_ref),
            )
        })
        .collect();
    assert_eq!(
        registries,
        [
            ("docker.io", None, None),
            ("plain.example.com", Some(true), None),
            (
                "registry.example.com:5000",
                None,
                Some("certificates/own.pem")
            ),
        ]
    );
    assert_eq!(settings.secrets.registry.as_str(), "d");
    assert_eq!(
        settings.jobs_image.as_ref().map(ToString::to_string),
        Some("ghcr.io/o/factory:1.2".to_owned())
    );
    let hooks: Vec<&str> = settings
        .webhooks
        .iter()
        .map(|hook| hook.name.as_str())
        .collect();
    assert_eq!(hooks, ["github", "hub"]);
    let source = model.images[0].source().expect("managed");
    assert_eq!(source.git_url.as_str(), "https://ghe.example.com/o/a.git");
}

#[test]
fn defaults_are_values_that_could_be_written() {
    use crate::model::Parse;
    use crate::model::{ApiUrl, Branch, EnvName, Name, ObjectName};
    let settings = model(&files(""), &[]).settings;
    assert_eq!(
        Name::parse(settings.project.as_str()),
        Ok(settings.project.clone())
    );
    assert_eq!(
        Branch::parse(settings.git.branch.as_str()),
        Ok(settings.git.branch.clone())
    );
    for provider in [&settings.providers.github, &settings.providers.gitlab] {
        assert_eq!(
            ApiUrl::parse(provider.api.as_str()),
            Ok(provider.api.clone())
        );
        assert_eq!(
            EnvName::parse(provider.token_env.as_str()),
            Ok(provider.token_env.clone())
        );
    }
    let secrets = &settings.secrets;
    for secret in [
        &secrets.git,
        &secrets.github,
        &secrets.gitlab,
        &secrets.registry,
    ] {
        assert_eq!(ObjectName::parse(secret.as_str()), Ok(secret.clone()));
    }
    assert_eq!(settings.providers.github.web(), "https://github.com");
    assert_eq!(settings.providers.gitlab.web(), "https://gitlab.com");
}

proptest! {
    #[test]
    fn the_order_of_keys_does_not_matter(
        lines in Just(vec![
            "name: a", "registry: ghcr.io", "repository: o/a", "source: {repo: o/s, branch: b}", "rebuildDelay: 1d",
            "autoRebuild: false", "criticality: high", "platforms: [linux/amd64]", "maxAge: 1d", "owner: o",
        ]).prop_shuffle()
    ) {
        let sorted = "- {name: a, registry: ghcr.io, repository: o/a, source: {repo: o/s, branch: b}, rebuildDelay: 1d, autoRebuild: false, criticality: high, platforms: [linux/amd64], maxAge: 1d, owner: o}\n";
        let shuffled = format!("- {}\n", lines.join("\n  "));
        prop_assert_eq!(image(&shuffled, NEW), image(sorted, NEW));
    }
}
