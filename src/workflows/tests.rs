//! The files as they are written: compared with the reviewed ones, and read by a YAML
//! parser for what the triggers and the hosts hold to.

use serde_yaml::Value;

use super::{File, build, gitlab_include, other_bases, pins_none, quoted, schedule};
use crate::model::{InputFile, InputFiles, Model, Provider, load};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn input(path: &str, text: &str) -> InputFile {
    InputFile {
        path: path.into(),
        text: text.to_owned(),
    }
}

const IMAGES: &str = "\
settings:
  git: {repo: https://github.com/acme/factory, path: images, branch: trunk}
  providers: {github: {tokenEnv: HUB}, gitlab: {api: https://git.example.com/api/v4}}
images:
  - name: shop
    registry: ghcr.io
    repository: acme/shop
    source: {repo: acme/shop, workflow: build.yml}
  - name: billing
    registry: registry.example.com:5000
    repository: acme/billing
    platforms: [linux/amd64, linux/s390x]
    source:
      repo: acme/shop
      dockerfile: 'it''s a \"folder\"/Dockerfile'
      context: billing
      target: runtime
      buildArgs: {A: 'x ${{ github.token }} \"y\"', B: 'z: #1'}
  - name: ledger
    registry: registry.example.com:5000
    repository: acme/ledger
    source:
      provider: gitlab
      repo: acme/books/ledger
      job: 'image: ledger'
      buildArgs: {A: 'x $CI_JOB_TOKEN', B: 'z'}
";

fn model() -> Model {
    let state = |name: &str| {
        let text = format!(
            "name: {name}\nenrolledAt: \"2026-03-02T08:00:00Z\"\ndiscoveryStatus: success\nbaseImages: [node-22, tini]\n"
        );
        input(&format!("state/images/{name}.yaml"), &text)
    };
    let base = |name: &str, image: &str, tag: &str, digest: &str| {
        let text = format!(
            "name: {name}\nfullImage: {image}\nregistry: docker.io\nrepository: library/{name}\ntag: {tag}\n{digest}repoURL: docker.io/library/{name}\nallowTags: ^{tag}$\nimageSelectionStrategy: Lexical\ndependentImages: []\n"
        );
        input(&format!("state/base-images/{name}.yaml"), &text)
    };
    let files = InputFiles {
        enrollment: vec![input("images.yaml", IMAGES)],
        images: ["shop", "billing", "ledger"].map(state).to_vec(),
        bases: vec![
            base("node-22", "node:22", "\"22\"", ""),
            base("tini", "docker.io/library/tini:v1", "v1", ""),
        ],
        ..InputFiles::default()
    };
    let (model, diagnostics) = load(&files);
    model.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

fn files() -> Vec<(&'static str, File)> {
    let model = model();
    let mut files = Vec::new();
    for image in &model.images {
        let source = image.source().unwrap();
        let folder = source.provider.as_str();
        files.extend(
            build(&model, image, source)
                .unwrap()
                .into_iter()
                .map(|f| (folder, f)),
        );
    }
    for provider in [Provider::GitHub, Provider::GitLab] {
        let found = schedule(&model.settings, provider).unwrap();
        files.extend(found.into_iter().map(|f| (provider.as_str(), f)));
    }
    files
}

fn file(path: &str) -> (String, Value) {
    let (_, file) = files().into_iter().find(|(_, f)| f.path == path).unwrap();
    let value = serde_yaml::from_str(&file.text).unwrap_or_else(|e| panic!("{path}: {e}"));
    (file.text, value)
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "golden files are read and rewritten here"
)]
fn what_is_written_is_what_was_reviewed() {
    for (folder, file) in files() {
        let path = format!(
            "{ROOT}/tests/workflows/{folder}/{}",
            file.path.trim_start_matches('.')
        );
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let parent = std::path::Path::new(&path).parent().unwrap();
            std::fs::create_dir_all(parent).unwrap();
            std::fs::write(&path, &file.text).unwrap();
        }
        let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            reviewed == file.text,
            "{path} changed; see with UPDATE_GOLDEN=1 and git diff"
        );
    }
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "the example's workflows are read here"
)]
fn the_example_builds_its_images_by_the_template() {
    let read = |path: &str| std::fs::read_to_string(format!("{ROOT}/{path}")).unwrap();
    let state = |kind: &str, names: &[&str]| {
        let of = |name: &&str| {
            let path = format!("state/{kind}/{name}.yaml");
            input(&path, &read(&path))
        };
        names.iter().map(of).collect::<Vec<_>>()
    };
    let inputs = InputFiles {
        enrollment: vec![input("images.yaml", &read("images.yaml"))],
        images: state("images", &["backstage", "postgres", "redis", "uv-service"]),
        bases: state(
            "base-images",
            &["node-22-bookworm-slim", "python-3.12-slim"],
        ),
        ..InputFiles::default()
    };
    let model = load(&inputs).0.unwrap();
    for (image, source) in model.managed() {
        for file in build(&model, image, source).unwrap() {
            assert!(
                read(&file.path) == file.text,
                "{} is not what `init --with-workflow` writes",
                file.path
            );
        }
    }
}

#[test]
fn a_run_is_named_after_its_attempt_and_takes_what_triggers_send() {
    let (_, workflow) = file(".github/workflows/build.yml");
    assert_eq!(
        workflow["run-name"],
        "image-factory ${{ inputs.image }} #${{ inputs.attempt }}"
    );
    let inputs = workflow["on"]["workflow_dispatch"]["inputs"]
        .as_mapping()
        .unwrap();
    let names: Vec<&str> = inputs.keys().map(|k| k.as_str().unwrap()).collect();
    assert_eq!(names, crate::model::Input::WORDS);
    for (name, input) in inputs {
        assert_eq!(input["type"], "string", "{name:?}");
        assert_eq!(input["default"], "", "{name:?}: a run by hand needs none");
        assert!(input["required"].is_null(), "{name:?}");
    }
    let permissions = serde_yaml::to_string(&workflow["permissions"]).unwrap();
    assert_eq!(permissions, "contents: read\npackages: write\n");
    let (_, other) = file(".github/workflows/billing.yml");
    assert_eq!(
        serde_yaml::to_string(&other["permissions"]).unwrap(),
        "contents: read\n"
    );

    let (_, pipeline) = file(".gitlab/image-factory/ledger.yml");
    let (text, _) = file(".gitlab/image-factory/ledger.yml");
    assert!(!pipeline["image: ledger"].is_null(), "{text}");
    for word in crate::model::Input::WORDS {
        assert!(
            text.contains(&format!("${}", word.to_uppercase())),
            "{word}"
        );
    }
}

/// Expressions are filled in before a shell sees the script: none may stand there.
#[test]
fn no_script_holds_an_expression() {
    for (_, file) in files().iter().filter(|(folder, _)| *folder == "github") {
        let value: Value = serde_yaml::from_str(&file.text).unwrap();
        for (_, job) in value["jobs"].as_mapping().unwrap() {
            for step in job["steps"].as_sequence().unwrap() {
                let script = step["run"].as_str().unwrap_or_default();
                assert!(!script.contains("${{"), "{}: {script}", file.path);
            }
        }
    }
}

#[test]
fn what_an_entry_says_reaches_the_build_as_it_stands() {
    let (_, workflow) = file(".github/workflows/billing.yml");
    let steps = workflow["jobs"]["build"]["steps"].as_sequence().unwrap();
    let build = &steps.iter().find(|step| step["id"] == "build").unwrap()["with"];
    assert_eq!(build["file"], "it's a \"folder\"/Dockerfile");
    assert_eq!(build["context"], "billing");
    assert_eq!(build["target"], "runtime");
    assert_eq!(build["platforms"], "linux/amd64,linux/s390x");
    // Filled in by GitHub, the first is the text again.
    assert_eq!(
        build["build-args"],
        "A=x ${{ '${{' }} github.token }} \"y\"\nB=z: #1"
    );
    let env = &workflow["jobs"]["build"]["env"];
    assert_eq!(
        env["BASES"],
        "node-22 node:22\ntini docker.io/library/tini:v1"
    );

    let (_, pipeline) = file(".gitlab/image-factory/ledger.yml");
    let variables = &pipeline["image: ledger"]["variables"];
    assert_eq!(variables["BUILD_ARGS"], "A=x $$CI_JOB_TOKEN\nB=z");
    assert_eq!(variables["TARGET"], "");
    assert_eq!(variables["PLATFORMS"], "linux/amd64,linux/arm64");
}

#[test]
fn the_clock_runs_what_the_cron_jobs_run_and_one_at_a_time() {
    let (text, workflow) = file(".github/workflows/image-factory.yml");
    let crons: Vec<&str> = workflow["on"]["schedule"]
        .as_sequence()
        .unwrap()
        .iter()
        .map(|entry| entry["cron"].as_str().unwrap())
        .collect();
    assert_eq!(crons, ["7 * * * *", "37 3 * * *"]);
    assert!(text.contains("rebuild --due --commit --push"), "{text}");
    assert!(
        text.contains("discover --resolve --commit --push"),
        "{text}"
    );
    assert_eq!(workflow["concurrency"]["cancel-in-progress"], false);
    let step = &workflow["jobs"]["image-factory"]["steps"][1];
    assert!(!step["env"]["HUB"].is_null() && step["run"].as_str().unwrap().contains("--env HUB "));
    assert_eq!(workflow["jobs"]["image-factory"]["env"]["FOLDER"], "images");
    assert_eq!(
        workflow["jobs"]["image-factory"]["steps"][0]["with"]["ref"],
        "trunk"
    );

    let (text, pipeline) = file(".gitlab/image-factory/schedule.yml");
    assert_eq!(pipeline["image-factory"]["resource_group"], "image-factory");
    assert!(text.contains("rebuild --due --commit --push"), "{text}");
    assert!(
        text.contains("discover --resolve --commit --push"),
        "{text}"
    );
    let (text, _) = file(".gitlab-ci.yml");
    assert!(text.contains(&gitlab_include()), "{text}");
}

#[test]
fn a_text_means_itself_to_each_provider() {
    for (text, github, gitlab) in [
        ("plain", "\"plain\"", "\"plain\""),
        ("a \"b\" \\", r#""a \"b\" \\""#, r#""a \"b\" \\""#),
        ("$HOME", "\"$HOME\"", "\"$$HOME\""),
        ("${{ x }}", "\"${{ '${{' }} x }}\"", "\"$${{ x }}\""),
    ] {
        assert_eq!(quoted(text, Provider::GitHub), github);
        assert_eq!(quoted(text, Provider::GitLab), gitlab);
    }
}

#[test]
fn a_list_of_bases_is_compared_however_it_is_written() {
    for (path, ours) in [
        (".github/workflows/build.yml", "# Builds shop: "),
        (".gitlab/image-factory/ledger.yml", "# Builds ledger: "),
    ] {
        let (text, _) = file(path);
        let line = "BASES: \"node-22 node:22\\ntini docker.io/library/tini:v1\"";
        let with = |list: &str| text.replace(line, &format!("BASES: {list}"));
        assert_ne!(with("x"), text, "{path}");
        for (list, other) in [
            (
                "|-\n        tini:   docker.io/library/tini:v1\n        node-22 node:22",
                true,
            ),
            (
                "|\n        tini docker.io/library/tini:v1\n        node-22 node:22\n",
                false,
            ),
            ("node-22 node:22", true),
            ("\"\"", true),
        ] {
            assert_eq!(
                other_bases(&with(list), &text),
                other.then_some(line),
                "{list}"
            );
            assert_eq!(pins_none(&with(list), &text), list == "\"\"", "{list}");
        }
        assert_eq!(other_bases(&text, &text), None);
        // One that people wrote, or of another image, and one that is no YAML any more.
        let stale = with("\"\"");
        for there in [
            stale.replace(ours, "# Makes "),
            stale.replace(ours, "# Builds another: "),
            format!("{stale}\n{{"),
            text.replace(line, "PINS: x"),
            String::new(),
        ] {
            assert_eq!(other_bases(&there, &text), None, "{there}");
            assert!(!pins_none(&there, &text), "{there}");
        }
    }
}

/// The lines that people take the `#` away from: those without a blank behind it, or with
/// two or more.
fn uncommented(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let rest = line.trim_start().strip_prefix('#');
        let code = rest
            .filter(|rest| !rest.is_empty() && (!rest.starts_with(' ') || rest.starts_with("  ")));
        match code {
            Some(code) => out.push_str(&line.replacen(&format!("#{code}"), code, 1)),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[test]
fn without_its_marks_the_last_part_tells_the_factory() {
    let analyze = "image-factory analyze --image \"$NAME\" --tag \"$TAG\" --digest \"$DIGEST\" --commit --push'";
    let (text, workflow) = file(".github/workflows/build.yml");
    let before = workflow["jobs"]["build"]["steps"]
        .as_sequence()
        .unwrap()
        .len();
    let workflow: Value = serde_yaml::from_str(&uncommented(&text)).unwrap();
    let steps = workflow["jobs"]["build"]["steps"].as_sequence().unwrap();
    assert_eq!(steps.len(), before + 1);
    let step = steps
        .iter()
        .find(|s| s["name"] == "Tell the factory")
        .unwrap();
    let script = step["run"].as_str().unwrap();
    assert!(
        script.contains(analyze) && !script.contains("${{"),
        "{script}"
    );
    assert!(script.contains("--env HUB \"$PROGRAM\""), "{script}");
    let env = &step["env"];
    assert_eq!(env["FACTORY"], "https://github.com/acme/factory");
    assert_eq!(
        (&env["BRANCH"], &env["FOLDER"]),
        (&"trunk".into(), &"images".into())
    );
    assert_eq!(env["HUB"], "${{ secrets.IMAGE_FACTORY_TOKEN }}");

    let (text, _) = file(".gitlab/image-factory/ledger.yml");
    let pipeline: Value = serde_yaml::from_str(&uncommented(&text)).unwrap();
    let job = &pipeline["image: ledger"];
    assert_eq!(
        job["variables"]["FACTORY"],
        "https://github.com/acme/factory"
    );
    let script = job["script"][0].as_str().unwrap();
    assert!(script.contains(&format!("\n    {analyze}")), "{script}");
    assert!(
        script.contains("\nexport TAG DIGEST GITLAB_TOKEN=\"$IMAGE_FACTORY_TOKEN\"\n"),
        "{script}"
    );
}
