//! What the rendered objects promise, read from them as a cluster would: who waits
//! for whom, what a Job may do, and what a failure takes along.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use image_factory::model::{InputFile, InputFiles};
use image_factory::pipeline;
use serde_yaml::Value;

fn input(path: &str, text: &str) -> InputFile {
    InputFile {
        path: Arc::from(path),
        text: text.to_owned(),
    }
}

/// The state of a managed image with these bases.
fn image(name: &str, bases: &[&str]) -> InputFile {
    let text = format!(
        "name: {name}\nenrolledAt: \"2026-03-02T08:00:00Z\"\ndiscoveryStatus: success\nbaseImages: [{}]\n",
        bases.join(", ")
    );
    input(&format!("state/images/{name}.yaml"), &text)
}

fn base(name: &str, repository: &str, tag: &str, of: Option<&str>) -> InputFile {
    let (registry, path) = repository.split_once('/').unwrap();
    let managed = of.map_or(String::new(), |image| format!("managedImage: {image}\n"));
    let text = format!(
        "name: {name}\nfullImage: {repository}:{tag}\nregistry: {registry}\nrepository: {path}\n\
         tag: \"{tag}\"\nrepoURL: {repository}\nallowTags: ^{}$\n\
         imageSelectionStrategy: Lexical\ndependentImages: []\n{managed}",
        tag.replace('.', "\\."),
    );
    input(&format!("state/base-images/{name}.yaml"), &text)
}

/// All objects of a factory, by kind and name.
struct Objects(BTreeMap<(String, String), Value>);

impl Objects {
    fn of(images: &str, state: Vec<InputFile>, bases: Vec<InputFile>) -> Objects {
        let outcome = pipeline::render(&InputFiles {
            enrollment: vec![input("images.yaml", images)],
            images: state,
            bases,
            ..InputFiles::default()
        });
        let errors: Vec<_> = outcome
            .diagnostics
            .iter()
            .filter(|d| d.is_error())
            .collect();
        assert_eq!(errors, [] as [&_; 0]);
        let mut objects = BTreeMap::new();
        for file in outcome.files.unwrap() {
            for document in &file.documents {
                let value: Value = serde_yaml::from_str(file.document(document)).unwrap();
                objects.insert((document.id.kind.clone(), document.id.name.clone()), value);
            }
        }
        Objects(objects)
    }

    fn get(&self, kind: &str, name: &str) -> &Value {
        let key = (kind.to_owned(), name.to_owned());
        self.0
            .get(&key)
            .unwrap_or_else(|| panic!("no {kind} {name}"))
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let kind = kind.to_owned();
        self.0
            .iter()
            .filter(move |((k, _), _)| *k == kind)
            .map(|(_, v)| v)
    }

    fn stage(&self, name: &str) -> &Value {
        &self.get("Stage", name)["spec"]
    }

    /// Every Job that we let run, with the name of what starts it.
    fn jobs(&self) -> BTreeMap<String, &Value> {
        let name = |object: &Value| text(&object["metadata"]["name"]).to_owned();
        let mut jobs = BTreeMap::new();
        for template in self.of_kind("AnalysisTemplate") {
            let metrics = list(&template["spec"]["metrics"]);
            assert_eq!(metrics.len(), 1);
            // One measurement: a metric that were repeated would never be done.
            assert!(metrics[0]["interval"].is_null() && metrics[0]["count"].is_null());
            jobs.insert(name(template), &metrics[0]["provider"]["job"]["spec"]);
        }
        for cron in self.of_kind("CronJob") {
            jobs.insert(name(cron), &cron["spec"]["jobTemplate"]["spec"]);
        }
        jobs
    }
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value:?}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_sequence().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> Vec<&str> {
    list(value).iter().map(text).collect()
}

fn program(job: &Value) -> &Value {
    let containers = list(&job["template"]["spec"]["containers"]);
    assert_eq!(containers.len(), 1);
    &containers[0]
}

/// The variables that come from a Secret: name, Secret, key, and whether it may lack.
fn secrets(container: &Value) -> BTreeSet<(&str, &str, &str, bool)> {
    let variables = list(&container["env"]).iter().filter_map(|variable| {
        let from = &variable["valueFrom"]["secretKeyRef"];
        Some((
            variable["name"].as_str()?,
            from["name"].as_str()?,
            from["key"].as_str()?,
            from["optional"].as_bool() == Some(true),
        ))
    });
    variables.collect()
}

const FACTORY: &str = "\
settings:
  git: {repo: https://git.example.com/acme/factory}
  providers:
    github: {api: https://ghe.example.com/api/v3, tokenEnv: GHE_TOKEN}
    gitlab: {api: https://git.example.com/api/v4, triggerTokenEnv: START}
  secrets: {github: hub, gitlab: lab}
  webhooks: [{type: github, secret: hook}]
images:
  - name: quick
    registry: ghcr.io
    repository: acme/quick
    source: {repo: acme/quick}
    rebuildDelay: 1d
  - name: slow
    registry: ghcr.io
    repository: acme/slow
    source: {repo: acme/slow}
    rebuildDelay: 14d
  - name: asked
    registry: ghcr.io
    repository: acme/asked
    source: {repo: acme/asked}
    rebuildDelay: 14d
    autoRebuild: false
  - name: own
    registry: ghcr.io
    repository: acme/own
    source: {provider: gitlab, repo: acme/factory, dockerfile: apps/own/Dockerfile}
    rebuildDelay: 7d
";

fn factory() -> Objects {
    factory_of(FACTORY)
}

fn factory_of(images: &str) -> Objects {
    let both = ["node-22", "acme-own-1.2"];
    Objects::of(
        images,
        vec![
            image("quick", &both),
            image("slow", &both),
            image("asked", &both),
            image("own", &["node-22"]),
        ],
        vec![
            base("node-22", "docker.io/library/node", "22", None),
            base("acme-own-1.2", "ghcr.io/acme/own", "1.2", Some("own")),
        ],
    )
}

#[test]
fn images_with_different_delays_on_one_base_wait_for_it_apart() {
    let objects = factory();
    for (image, soak) in [
        ("quick", "24h0m0s"),
        ("slow", "336h0m0s"),
        ("own", "168h0m0s"),
    ] {
        let stage = objects.stage(&format!("rebuild-{image}"));
        for freight in list(&stage["requestedFreight"]) {
            let origin = text(&freight["origin"]["name"]);
            let sources = &freight["sources"];
            // Exactly one upstream Stage an entry: with several, what Kargo offers and
            // what it admits disagree, and the Stage stands still.
            assert_eq!(texts(&sources["stages"]), [format!("track-{origin}")]);
            assert!(sources["direct"].is_null());
            let policy = &sources["autoPromotionOptions"]["selectionPolicy"];
            if origin == "node-22" {
                assert_eq!(sources["requiredSoakTime"], soak, "{image}");
                assert_eq!(policy, "MatchUpstream", "{image}");
            } else {
                // Our own image: what was worth waiting for has been waited for.
                assert!(
                    sources["requiredSoakTime"].is_null() && policy.is_null(),
                    "{image}"
                );
            }
        }
    }
    // Nothing that several images wait for is held by one of them: a `track-` Stage
    // takes its Freight from the Warehouse and from nowhere else.
    let track = objects.stage("track-node-22");
    assert_eq!(track["requestedFreight"][0]["sources"]["direct"], true);
}

#[test]
fn an_image_that_waits_for_a_person_is_promoted_by_nobody_else() {
    let objects = factory();
    let (asked, slow) = (
        objects.get("Stage", "rebuild-asked"),
        objects.get("Stage", "rebuild-slow"),
    );
    let automatic =
        |stage: &Value| stage["metadata"]["labels"]["image-factory.io/auto-promote"].clone();
    assert!(automatic(asked).is_null());
    assert_eq!(automatic(slow), "true");
    let like = |stage: &Value| {
        serde_yaml::to_string(&stage["spec"])
            .unwrap()
            .replace("asked", "slow")
            // Who promoted can get lost; here it was a person in any case.
            .replace("'a person'", "''")
    };
    assert_eq!(like(asked), like(slow));

    // The policy asks for the label, so no pattern of names can let it through.
    let policies =
        &objects.get("ProjectConfig", "image-factory-kargo")["spec"]["promotionPolicies"];
    assert_eq!(list(policies).len(), 1);
    let labels = &policies[0]["stageSelector"]["matchLabels"];
    assert_eq!(labels["image-factory.io/auto-promote"], "true");
}

#[test]
fn who_promoted_reaches_the_planner() {
    let objects = factory();
    for (stage, lost) in [("rebuild-asked", "a person"), ("rebuild-slow", "")] {
        let stage = objects.stage(stage);
        let steps = list(&stage["promotionTemplate"]["spec"]["steps"]);
        assert_eq!(steps.len(), 1, "one cheap step, safe to repeat");
        assert_eq!(steps[0]["uses"], "set-metadata");
        let note = &steps[0]["config"]["updates"][0];
        assert_eq!(
            (text(&note["kind"]), text(&note["name"])),
            ("Stage", "${{ ctx.stage }}")
        );
        assert_eq!(
            note["values"]["actor"],
            "${{ quote(ctx.meta.promotion.actor) }}"
        );
        let args = list(&stage["verification"]["args"]);
        let actor = args.iter().find(|arg| arg["name"] == "actor").unwrap();
        assert_eq!(
            actor["value"],
            format!("${{{{ quote(stageMetadata(ctx.stage)?.actor ?? '{lost}') }}}}")
        );
    }
    let jobs = objects.jobs();
    let command = texts(&program(jobs["trigger-rebuild"])["args"]);
    assert_eq!(
        command,
        [
            "rebuild",
            "{{args.image}}",
            "--requested-by={{args.actor}}",
            "--commit",
            "--push"
        ]
    );
    let command = texts(&program(jobs["rebuild-due"])["args"]);
    assert_eq!(command, ["rebuild", "--due", "--commit", "--push"]);
}

#[test]
fn a_job_holds_the_credentials_that_it_uses() {
    let objects = factory();
    let git = [
        ("GIT_PASSWORD", "image-factory-git", "password", false),
        ("GIT_USERNAME", "image-factory-git", "username", false),
    ];
    // An App's key opens repositories, as a token does; a trigger token opens none.
    let read = [
        ("GHE_TOKEN", "hub", "token", true),
        ("GITHUB_APP_ID", "hub", "appId", true),
        ("GITHUB_APP_INSTALLATION_ID", "hub", "installationId", true),
        ("GITHUB_APP_PRIVATE_KEY", "hub", "privateKey", true),
        ("GITLAB_TOKEN", "lab", "token", true),
    ];
    let trigger = [("START", "lab", "triggerToken", true)];
    let jobs = objects.jobs();
    assert_eq!(jobs.len(), 5, "{:?}", jobs.keys());
    for (name, job) in jobs {
        let mut expected: BTreeSet<_> = git.iter().chain(&read).copied().collect();
        if name.contains("rebuild") {
            expected.extend(trigger);
        }
        assert_eq!(secrets(program(job)), expected, "{name}");
        let clone = &job["template"]["spec"]["initContainers"][0];
        assert_eq!(secrets(clone), BTreeSet::from(git), "{name}");
    }
}

#[test]
fn a_provider_that_builds_nothing_gets_no_credentials() {
    let end = FACTORY.find("  - name: own").unwrap();
    let objects = factory_of(&FACTORY[..end].replace("asked", "another"));
    let jobs = objects.jobs();
    let names: BTreeSet<&str> = secrets(program(jobs["rebuild-due"]))
        .into_iter()
        .map(|(_, secret, ..)| secret)
        .collect();
    assert_eq!(names, BTreeSet::from(["hub", "image-factory-git"]));
}

#[test]
fn an_answer_is_not_asked_for_again_and_a_lost_node_is_no_answer() {
    for (name, job) in factory().jobs() {
        assert_eq!(job["template"]["spec"]["restartPolicy"], "Never", "{name}");
        assert_eq!(job["backoffLimit"], 1, "{name}");
        assert_eq!(job["activeDeadlineSeconds"], 1800, "{name}");
        let rules = list(&job["podFailurePolicy"]["rules"]);
        assert_eq!(rules[0]["action"], "Ignore", "{name}");
        assert_eq!(
            rules[0]["onPodConditions"][0]["type"], "DisruptionTarget",
            "{name}"
        );
        if name.contains("rebuild") {
            let answer = &rules[1]["onExitCodes"];
            assert_eq!(rules[1]["action"], "FailJob", "{name}");
            assert_eq!(answer["containerName"], program(job)["name"], "{name}");
            assert_eq!(answer["operator"], "In", "{name}");
            assert_eq!(
                answer["values"],
                serde_yaml::from_str::<Value>("[1]").unwrap(),
                "{name}"
            );
        } else {
            assert_eq!(rules.len(), 1, "{name}");
        }
    }
}

#[test]
fn a_commit_of_state_or_manifests_is_no_news() {
    let objects = factory();
    for warehouse in objects.of_kind("Warehouse") {
        let name = text(&warehouse["metadata"]["name"]);
        for subscription in list(&warehouse["spec"]["subscriptions"]) {
            let git = &subscription["git"];
            if git.is_null() {
                continue;
            }
            let includes = texts(&git["includePaths"]);
            assert!(!includes.is_empty(), "{name}");
            if name == "own" {
                assert_eq!(includes, ["apps/own/", "images.d/", "images.yaml"]);
                assert_eq!(texts(&git["excludePaths"]), ["dist/", "state/"]);
            } else {
                assert!(git["excludePaths"].is_null(), "{name}");
            }
        }
    }
}

#[test]
fn webhooks_change_no_interval() {
    let without = FACTORY.replace("  webhooks: [{type: github, secret: hook}]\n", "");
    let (with, without) = (factory(), factory_of(&without));
    for warehouse in with.of_kind("Warehouse") {
        let name = text(&warehouse["metadata"]["name"]);
        let own = name.contains("own") || ["quick", "slow", "asked"].contains(&name);
        let expected = if own { "5m0s" } else { "24h0m0s" };
        assert_eq!(warehouse["spec"]["interval"], expected, "{name}");
        assert_eq!(warehouse, without.get("Warehouse", name));
    }
}

const FOLLOWED: &str = "\
settings:
  git: {repo: https://github.com/acme/factory}
images:
  - name: shop
    registry: ghcr.io
    repository: acme/shop
    source: {repo: acme/shop}
    updates:
      - {repo: acme/a, path: prod, type: kustomize-set-image}
      - {repo: acme/a, path: test, type: kustomize-set-image}
      - {repo: acme/b, path: prod, type: kustomize-set-image, pullRequest: true}
      - {repo: acme/c, path: prod, type: kustomize-set-image}
      - {repo: acme/a, path: values.yaml, type: helm-update-image}
      - {repo: acme/a, path: prod/v.yaml, type: yaml-update, key: app.image, pullRequest: true}
";

/// What Kargo makes of steps when the clone of one repository fails: which run.
/// An `if` is taken in the three forms that we write, and anything else is a fault.
fn run<'s>(steps: &'s [Value], broken: &str, changes: bool) -> Vec<(&'s str, &'static str)> {
    let mut done: Vec<(&str, &str)> = Vec::new();
    let mut said = Vec::new();
    for step in steps {
        let kind = text(&step["uses"]);
        let alias = step["as"].as_str().unwrap_or_default();
        let failed = done.iter().any(|(_, status)| *status == "Errored");
        let runs = match step["if"].as_str() {
            None => !failed,
            Some("${{ always() }}") => true,
            Some(condition) => {
                let of = condition
                    .strip_prefix("${{ status('")
                    .and_then(|rest| rest.strip_suffix("') == 'Succeeded' }}"))
                    .unwrap_or_else(|| panic!("{condition}"));
                assert!(
                    done.iter().any(|(a, _)| *a == of),
                    "{of} is no step before {kind}"
                );
                done.iter()
                    .any(|(a, status)| *a == of && *status == "Succeeded")
            }
        };
        let status = match kind {
            _ if !runs => "Skipped",
            "git-clone" if step["config"]["repoURL"] == broken => "Errored",
            "git-commit" if !changes => "Skipped",
            _ => "Succeeded",
        };
        done.push((alias, status));
        said.push((kind, status));
    }
    said
}

#[test]
fn files_that_follow_are_changed_by_repository_and_a_broken_one_stops_no_other() {
    let objects = Objects::of(FOLLOWED, vec![image("shop", &[])], vec![]);
    let stage = objects.stage("update-kustomize-shop");
    assert_eq!(
        stage["requestedFreight"][0]["sources"]["stages"][0],
        "analyzed-shop"
    );
    let steps = list(&stage["promotionTemplate"]["spec"]["steps"]);
    let kinds: Vec<&str> = steps.iter().map(|step| text(&step["uses"])).collect();
    let commit = ["kustomize-set-image", "git-commit", "git-push"];
    let a = [&["git-clone", "kustomize-set-image"][..], &commit].concat();
    let b = [&["git-clone"][..], &commit, &["git-open-pr"]].concat();
    let c = [&["git-clone"][..], &commit].concat();
    assert_eq!(kinds, [a.clone(), b.clone(), c.clone()].concat());

    // Everything is there: everything runs.
    for (kind, status) in run(steps, "", true) {
        assert_eq!(status, "Succeeded", "{kind}");
    }
    // Nothing to change: nothing is pushed, and nothing fails.
    for (kind, status) in run(steps, "", false) {
        let skipped = ["git-commit", "git-push", "git-open-pr"].contains(&kind);
        assert_eq!(
            status,
            if skipped { "Skipped" } else { "Succeeded" },
            "{kind}"
        );
    }
    // One is broken: its own steps are skipped, and the Promotion fails with its reason.
    let mut at = 0;
    let ranges: Vec<_> = [a.len(), b.len(), c.len()]
        .into_iter()
        .map(|len| {
            at += len;
            at - len..at
        })
        .collect();
    for (broken, range) in ["a", "b", "c"].into_iter().zip(ranges) {
        let url = format!("https://github.com/acme/{broken}.git");
        let said = run(steps, &url, true);
        for (at, (kind, status)) in said.into_iter().enumerate() {
            let expected = match at {
                _ if at == range.start => "Errored",
                _ if range.contains(&at) => "Skipped",
                _ => "Succeeded",
            };
            assert_eq!(status, expected, "{broken} broken: step {at}, {kind}");
        }
    }
    for step in steps {
        assert!(step["continueOnError"].is_null(), "a failure has to show");
    }
}

#[test]
fn a_new_tag_is_written_as_text_into_what_names_it() {
    let objects = Objects::of(FOLLOWED, vec![image("shop", &[])], vec![]);
    let steps = |stage: &str| {
        let stage = objects.stage(stage);
        list(&stage["promotionTemplate"]["spec"]["steps"]).to_vec()
    };
    let tag = "${{ quote(imageFrom(\"ghcr.io/acme/shop\").Tag) }}";
    for step in steps("update-kustomize-shop") {
        if step["uses"] == "kustomize-set-image" {
            let images = list(&step["config"]["images"]);
            assert_eq!(
                images.len(),
                1,
                "without it Kargo would set all images of the Freight"
            );
            assert_eq!(
                (text(&images[0]["image"]), text(&images[0]["tag"])),
                ("ghcr.io/acme/shop", tag)
            );
        }
    }
    let yaml: Vec<(String, String)> = steps("update-yaml-shop")
        .iter()
        .filter(|step| step["uses"] == "yaml-update")
        .map(|step| {
            let update = &step["config"]["updates"][0];
            (
                text(&update["key"]).to_owned(),
                text(&update["value"]).to_owned(),
            )
        })
        .collect();
    let reference = "${{ quote(\"ghcr.io/acme/shop:\" + imageFrom(\"ghcr.io/acme/shop\").Tag) }}";
    assert_eq!(
        yaml,
        [
            ("image.tag".to_owned(), tag.to_owned()),
            ("app.image".to_owned(), reference.to_owned()),
        ]
    );
}
