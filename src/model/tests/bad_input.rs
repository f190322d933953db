//! One row at least for each kind of bad input: code and place.

use super::{file, files, report, with_state};
use crate::diagnostics::{Code, Diagnostic, Sources, code};
use crate::model::{GitRepo, InputFiles, load};

/// A managed image with one more line, which stands at line 5.
fn managed(line: &str) -> String {
    format!(
        "- name: a\n  registry: ghcr.io\n  repository: o/a\n  source: {{repo: o/a}}\n  {line}\n"
    )
}

/// A managed image with one more line in its source, which stands at line 6.
fn source(line: &str) -> String {
    format!(
        "- name: a\n  registry: ghcr.io\n  repository: o/a\n  source:\n    repo: o/a\n    {line}\n"
    )
}

/// An external image with one more line, which stands at line 3.
fn external(line: &str) -> String {
    format!("- name: a\n  repository: b\n  {line}\n")
}

#[test]
fn each_bad_value_has_its_code_and_place() {
    let long = format!(
        "- name: {}\n  repository: b\n  allowTags: ^1$\n",
        "a".repeat(64)
    );
    let cases: Vec<(Code, &str, String)> = vec![
        // YAML.
        (code::YAML_SYNTAX, "1:10", "- name: a: b\n".into()),
        (code::DUPLICATE_KEY, "2:3", "- name: a\n  name: a\n  repository: b\n  allowTags: ^1$\n".into()),
        (code::SECOND_DOCUMENT, "2:1", "[]\n---\n[]\n".into()),
        (code::YAML_UNSUPPORTED, "1:1", "!!python/object:os.system []\n".into()),
        // Types and keys.
        (code::WRONG_TYPE, "1:1", "a text\n".into()),
        (code::WRONG_TYPE, "1:3", "- just a text\n".into()),
        (code::WRONG_TYPE, "1:9", "images: {name: a}\n".into()),
        (code::WRONG_TYPE, "5:16", managed("autoRebuild: yes")),
        (code::WRONG_TYPE, "5:16", managed("autoRebuild: 'true'")),
        (code::INVALID_DURATION, "5:17", managed("rebuildDelay: 7")),
        (code::WRONG_TYPE, "5:17", managed("rebuildDelay: [7d]")),
        (code::WRONG_TYPE, "5:12", managed("updates: x")),
        (code::WRONG_TYPE, "4:11", "- name: a\n  registry: ghcr.io\n  repository: o/a\n  source: o/a\n".into()),
        (code::WRONG_TYPE, "3:15", external("constraint: 1.10")),
        (code::UNKNOWN_KEY, "5:3", managed("rebuildDely: 7d")),
        (code::UNKNOWN_KEY, "6:5", source("dockerFile: x")),
        (code::UNKNOWN_KEY, "1:1", "setings: {}\nimages: []\n".into()),
        (code::UNKNOWN_KEY, "1:12", "settings: {projct: a}\n".into()),
        (code::UNKNOWN_KEY, "5:14", managed("updates: [{x: y, repo: o/b, path: p, type: yaml-update}]")),
        (code::MISSING_KEY, "1:3", "- repository: b\n  allowTags: ^1$\n".into()),
        (code::MISSING_KEY, "1:3", "- name: a\n  allowTags: ^1$\n".into()),
        (code::MISSING_KEY, "1:3", "- name: a\n  repository: o/a\n  source: {repo: o/a}\n".into()),
        (code::MISSING_KEY, "3:11", external("source: {branch: main}")),
        // Names.
        (code::INVALID_NAME, "1:9", "- name: ../../x\n  repository: b\n  allowTags: ^1$\n".into()),
        (code::INVALID_NAME, "1:9", "- name: My_App\n  repository: b\n  allowTags: ^1$\n".into()),
        (code::INVALID_NAME, "1:9", long),
        (code::DUPLICATE_NAME, "4:9", "- name: a\n  repository: b\n  allowTags: ^1$\n- name: a\n  repository: c\n  allowTags: ^1$\n".into()),
        // Addresses of images.
        (code::INVALID_REGISTRY, "2:13", "- name: a\n  registry: https://ghcr.io\n  repository: b\n  allowTags: ^1$\n".into()),
        (code::INVALID_REGISTRY, "2:13", "- name: a\n  registry: 'ghcr .io'\n  repository: b\n  allowTags: ^1$\n".into()),
        (code::INVALID_REPOSITORY, "2:15", "- name: a\n  repository: Owner/App\n  allowTags: ^1$\n".into()),
        (code::INVALID_REPOSITORY, "2:15", "- name: a\n  repository: o/a:1.2\n  allowTags: ^1$\n".into()),
        (code::INVALID_REPOSITORY, "2:15", "- name: a\n  repository: ''\n  allowTags: ^1$\n".into()),
        (code::INVALID_REPOSITORY, "3:15", "- name: a\n  registry: ghcr.io\n  repository: ghcr.io/o/a\n  allowTags: ^1$\n".into()),
        (code::INVALID_REPO_URL, "3:12", external("repoURL: https://ghcr.io/o/a\n  allowTags: ^1$")),
        // Times.
        (code::INVALID_DURATION, "5:17", managed("rebuildDelay: 7 dogs")),
        (code::INVALID_DURATION, "5:17", managed("rebuildDelay: -7d")),
        (code::INVALID_DURATION, "5:17", managed("rebuildDelay: 99999999999999999999d")),
        (code::INVALID_DURATION, "5:11", managed("maxAge: 1.5h")),
        (code::INVALID_DURATION, "5:11", managed("maxAge: 0d")),
        (code::INVALID_PATH, "5:31", managed("updates: [{repo: o/b, path: ., type: yaml-update}]")),
        (code::INVALID_PATH, "5:31", managed("updates: [{repo: o/b, path: v/, type: helm-update-image}]")),
        (code::INVALID_PATH, "5:31", managed("updates: [{repo: o/b, path: .git/config, type: yaml-update}]")),
        (code::INVALID_PATH, "6:17", source("dockerfile: $(GITHUB_TOKEN)/Dockerfile")),
        (code::INVALID_PATH, "6:17", source("dockerfile: '{{args.imageName}}'")),
        (code::INVALID_NAME, "1:21", "settings: {project: kube-system}\n".into()),
        (code::INVALID_NAME, "1:21", "settings: {project: default}\n".into()),
        (code::INVALID_SETTING, "1:43", "settings: {providers: {github: {tokenEnv: GIT_PASSWORD}}}\n".into()),
        (code::INVALID_SETTING, "1:43", "settings: {providers: {gitlab: {tokenEnv: LD_PRELOAD}}}\n".into()),
        (code::CONFLICTING_KEYS, "1:43", "settings: {providers: {gitlab: {tokenEnv: GITLAB_TRIGGER_TOKEN}}}\n".into()),
        (code::INVALID_SETTING, "1:43", "settings: {providers: {github: {tokenEnv: GITHUB_APP_PRIVATE_KEY}}}\n".into()),
        (code::INVALID_SCHEDULE, "5:13", managed("schedule: often")),
        // Tags.
        (code::MISSING_SELECTION, "1:3", "- name: a\n  repository: b\n".into()),
        (code::MISSING_SELECTION, "1:3", "- name: a\n  repository: b\n  source:\n".into()),
        (code::INVALID_PATTERN, "3:14", external("allowTags: '(?=a)'")),
        (code::INVALID_PATTERN, "3:14", external("allowTags: a**")),
        (code::INVALID_PATTERN, "3:14", external("allowTags: 'a{'")),
        (code::INVALID_PATTERN, "3:14", external("allowTags: ''")),
        (code::INVALID_CONSTRAINT, "3:15", external("constraint: latest")),
        (code::INVALID_CONSTRAINT, "3:15", external("constraint: ^1\n  imageSelectionStrategy: Lexical")),
        (code::INVALID_CONSTRAINT, "3:15", external("constraint: 'a b'\n  imageSelectionStrategy: Digest")),
        (code::CONFLICTING_KEYS, "4:15", external("allowTags: ^1$\n  constraint: ^1")),
        (code::CONFLICTING_KEYS, "3:14", external("allowTags: ^1\n  imageSelectionStrategy: Digest")),
        (code::INVALID_CHOICE, "3:27", external("imageSelectionStrategy: semver\n  allowTags: ^1$")),
        // Sources.
        (code::INVALID_CHOICE, "6:15", source("provider: gitea")),
        (code::INVALID_BRANCH, "6:13", source("branch: --upload-pack=x")),
        (code::INVALID_BRANCH, "6:13", source("branch: a..b")),
        (code::INVALID_BRANCH, "6:13", source("branch: 'a b'")),
        (code::INVALID_PATH, "6:17", source("dockerfile: /etc/passwd")),
        (code::INVALID_PATH, "6:17", source("dockerfile: ../Dockerfile")),
        (code::INVALID_PATH, "6:17", source("dockerfile: a/")),
        (code::INVALID_PATH, "6:14", source("context: ..")),
        (code::INVALID_WORKFLOW, "6:15", source("workflow: ../x.yml")),
        (code::INVALID_WORKFLOW, "6:15", source("workflow: -x.yml")),
        (code::INVALID_WORKFLOW, "7:15", source("provider: gitlab\n    pipeline: ci.txt")),
        (code::INVALID_URL, "6:10", source("url: http://git.example.com/o/a")),
        (code::INVALID_URL, "6:10", source("url: https://u:p@git.example.com/o/a")),
        (code::INVALID_SETTING, "6:17", source("buildArgs: {1A: x}")),
        (code::INVALID_CHOICE, "6:14", source("inputs: [tags]")),
        (code::INVALID_SOURCE_REPO, "4:18", "- name: a\n  registry: ghcr.io\n  repository: o/a\n  source: {repo: -o/a}\n".into()),
        (code::INVALID_SOURCE_REPO, "4:18", "- name: a\n  registry: ghcr.io\n  repository: o/a\n  source: {repo: g/s/a}\n".into()),
        (code::INVALID_SOURCE_REPO, "4:18", "- name: a\n  registry: ghcr.io\n  repository: o/a\n  source: {repo: 'https://github.com/o/a'}\n".into()),
        // The rest of an entry.
        (code::INVALID_PLATFORM, "5:15", managed("platforms: [amd64]")),
        (code::INVALID_CHOICE, "5:16", managed("criticality: urgent")),
        (code::INVALID_CHOICE, "5:10", managed("build: me")),
        (code::CONFLICTING_KEYS, "1:43", "settings: {providers: {github: {tokenEnv: GITLAB_TOKEN}}}\n".into()),
        (code::CONFLICTING_KEYS, "1:50", "settings: {providers: {gitlab: {triggerTokenEnv: GITLAB_TOKEN}}}\n".into()),
        (code::UNKNOWN_KEY, "1:33", "settings: {providers: {github: {triggerTokenEnv: A}}}\n".into()),
        (code::CONFLICTING_KEYS, "5:11", managed("verify: {identity: x}")),
        (code::INVALID_PATH, "5:31", managed("updates: [{repo: o/b, path: /x, type: yaml-update}]")),
        (code::INVALID_PATH, "5:27", managed("local: {patchFiles: [a, ../b]}")),
        // Settings.
        (code::NAME_CLASH, "3:11", "settings: {project: a-b}\nimages:\n  - name: a-b\n    registry: ghcr.io\n    repository: o/a\n    source: {repo: o/a}\n".into()),
        (code::INVALID_URL, "1:24", "settings: {git: {repo: git@github.com:o/a.git}}\n".into()),
        (code::INVALID_NAME, "1:21", "settings: {project: Image_Factory}\n".into()),
        (code::INVALID_DURATION, "1:30", "settings: {intervals: {base: 0m}}\n".into()),
        (code::INVALID_NUMBER, "1:33", "settings: {limits: {concurrent: 0}}\n".into()),
        (code::INVALID_NUMBER, "1:33", "settings: {limits: {concurrent: -4}}\n".into()),
        (code::INVALID_TIME, "1:28", "settings: {freeze: [{from: 2026-12-20, to: 2027-01-02T00:00:00Z, reason: x}]}\n".into()),
        (code::INVALID_TIME, "1:21", "settings: {freeze: [{from: 2027-12-20T00:00:00Z, to: 2027-01-02T00:00:00Z, reason: x}]}\n".into()),
        (code::INVALID_IMAGE, "1:26", "settings: {jobs: {image: ghcr.io/o/a:latest}}\n".into()),
        (code::INVALID_IMAGE, "1:26", "settings: {jobs: {image: 'ghcr.io/o/a:1@sha256:12'}}\n".into()),
        (code::INVALID_SETTING, "1:27", "settings: {secrets: {git: a_b}}\n".into()),
        (code::INVALID_SETTING, "1:43", "settings: {providers: {github: {tokenEnv: 1A}}}\n".into()),
        (code::DUPLICATE_NAME, "1:50", "settings: {webhooks: [{type: github, secret: a}, {type: github, secret: b}]}\n".into()),
        (code::INVALID_CHOICE, "1:30", "settings: {webhooks: [{type: ghcr, secret: a}]}\n".into()),
        (code::INVALID_SETTING, "1:62", "settings: {webhooks: [{type: generic, secret: a, repository: 'request.body.a) }}'}]}\n".into()),
        (code::INVALID_SETTING, "1:62", "settings: {webhooks: [{type: generic, secret: a, repository: body.name}]}\n".into()),
        (code::MISSING_KEY, "1:28", "settings: {notifications: [{type: slack}]}\n".into()),
        (code::WRONG_TYPE, "1:24", "settings: {registries: [a.io]}\n".into()),
        (code::WRONG_TYPE, "1:31", "settings: {registries: {a.io: true}}\n".into()),
        (code::WRONG_TYPE, "1:42", "settings: {registries: {a.io: {insecure: 1}}}\n".into()),
        (code::UNKNOWN_KEY, "1:32", "settings: {registries: {a.io: {insecur: true}}}\n".into()),
        (code::INVALID_REGISTRY, "1:25", "settings: {registries: {'https://a.io': {}}}\n".into()),
        (code::INVALID_PATH, "1:36", "settings: {registries: {a.io: {ca: /etc/passwd}}}\n".into()),
        (code::INVALID_PATH, "1:36", "settings: {registries: {a.io: {ca: ../x}}}\n".into()),
        (code::CONFLICTING_KEYS, "1:31", "settings: {registries: {a.io: {insecure: true, ca: x.pem}}}\n".into()),
        (code::DUPLICATE_NAME, "1:40", "settings: {registries: {docker.io: {}, index.docker.io: {}}}\n".into()),
    ];
    let mut wrong = Vec::new();
    for (code, at, text) in &cases {
        let files = files(text);
        let (model, mut diagnostics) = load(&files);
        diagnostics.retain(Diagnostic::is_error);
        let got = report(&files, &diagnostics);
        let expected = format!("{code} images.yaml:{at}");
        if got != [expected.clone()] || model.is_some() {
            wrong.push(format!(
                "{text}  expected {expected}\n  got {got:?} {diagnostics:#?}"
            ));
        }
        for diagnostic in &diagnostics {
            if diagnostic.help.is_none() {
                wrong.push(format!("{text}  no help"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn credentials_are_in_no_report() {
    let source = |url: &str| {
        format!(
            "- name: a\n  registry: ghcr.io\n  repository: o/a\n  source:\n    repo: o/a\n    url: {url}\n"
        )
    };
    let long = format!("https://user:s3cr3t{}@h/o/a", "s3cr3t".repeat(30));
    let texts = [
        "settings: {git: {repo: 'https://user:s3cr3t@github.com/o/a'}}\n".to_owned(),
        "settings: {git: {repo: user:s3cr3t@github.com/o/a}}\n".to_owned(),
        "settings: {git: {repo: 'https://user:s3 s3cr3t@github.com/o/a'}}\n".to_owned(),
        "settings: {providers: {github: {api: 'https://s3cr3t@api.github.com'}}}\n".to_owned(),
        source("https://user:s3cr3t@h/o/a"),
        source("https://s3cr3t@h/o/a"),
        source(&long),
        "- name: a\n  registry: https://user:s3cr3t@h\n  repository: o/a\n  source: {repo: o/a}\n".to_owned(),
        "- name: a\n  registry: ghcr.io\n  repository: o/a\n  source: {repo: 'https://u:s3cr3t@h/o/a'}\n".to_owned(),
        "- name: a\n  registry: ghcr.io\n  repository: o/a\n  url: https://u:s3cr3t@h/o/a\n  source: {repo: o/a}\n".to_owned(),
        "https://u:s3cr3t@h/o/a: 1\n".to_owned(),
    ];
    for text in &texts {
        let (_, diagnostics) = load(&files(text));
        assert!(diagnostics.iter().any(Diagnostic::is_error), "{text}");
        let mut sources = Sources::new();
        sources.add("images.yaml", text.as_str());
        let people = crate::diagnostics::human::render(&diagnostics, &sources, false);
        let machines = crate::diagnostics::json::diagnostics(&diagnostics, &sources).to_string();
        for shown in [people, machines] {
            assert!(!shown.contains("s3"), "{shown}");
        }
    }
}

#[test]
fn an_interval_that_kargo_would_raise_is_doubted() {
    for (interval, doubted) in [("4m", true), ("5m", false), ("1h", false)] {
        let files = files(&format!("settings: {{intervals: {{base: {interval}}}}}\n"));
        let (model, diagnostics) = load(&files);
        let expected: &[String] = if doubted {
            &[format!("{} images.yaml:1:30", code::SHORT_INTERVAL)]
        } else {
            &[]
        };
        assert_eq!(report(&files, &diagnostics), expected, "{interval}");
        assert!(model.is_some());
    }
}

#[test]
fn settings_are_not_missed_in_a_file_that_could_not_be_read() {
    let mut files = files("settings: {git: [\n");
    files.git_repo = GitRepo::Required { origin: None };
    let (_, diagnostics) = load(&files);
    assert_eq!(
        report(&files, &diagnostics),
        [format!("{} images.yaml:2:1", code::YAML_SYNTAX)]
    );
}

#[test]
fn all_that_is_wrong_is_reported_at_once() {
    let mut files = files(
        "settings: {window: soon, colour: red}\nimages:\n- name: A\n  registry: 'x y'\n  repository: B\n  source:\n    repo: x\n    branch: -b\n    dockerfile: /d\n  rebuildDelay: 7 dogs\n- 7\n",
    );
    files
        .enrollment
        .push(file("images.d/team.yaml", "- name: b\n"));
    files
        .enrollment
        .push(file("images.d/other.yaml", "settings: {}\n"));
    let files = with_state(
        files,
        &[
            ("state/images/c.yaml", "name: d\n"),
            ("state/base-images/e.yaml", "name: e\nfullImage: E:1\n"),
        ],
    );
    let (model, diagnostics) = load(&files);
    assert!(model.is_none());
    let expected = [
        (code::WRONG_TYPE, "images.d/other.yaml:1:1"),
        (code::MISSING_KEY, "images.d/team.yaml:1:3"),
        (code::MISSING_SELECTION, "images.d/team.yaml:1:3"),
        (code::INVALID_DURATION, "images.yaml:1:20"),
        (code::UNKNOWN_KEY, "images.yaml:1:26"),
        (code::INVALID_NAME, "images.yaml:3:9"),
        (code::INVALID_REGISTRY, "images.yaml:4:13"),
        (code::INVALID_REPOSITORY, "images.yaml:5:15"),
        (code::INVALID_SOURCE_REPO, "images.yaml:7:11"),
        (code::INVALID_BRANCH, "images.yaml:8:13"),
        (code::INVALID_PATH, "images.yaml:9:17"),
        (code::INVALID_DURATION, "images.yaml:10:17"),
        (code::WRONG_TYPE, "images.yaml:11:3"),
        (code::INVALID_REFERENCE, "state/base-images/e.yaml:2:12"),
        (code::STATE_MISPLACED, "state/images/c.yaml:1:7"),
    ]
    .map(|(code, place)| format!("{code} {place}"));
    assert_eq!(report(&files, &diagnostics), expected);
}

#[test]
fn names_are_unique_across_files_and_both_places_are_named() {
    let entry = "- name: a\n  repository: b\n  allowTags: ^1$\n";
    let mut files = files(entry);
    files.enrollment.push(file("images.d/team.yaml", entry));
    let (_, diagnostics) = load(&files);
    assert_eq!(
        report(&files, &diagnostics),
        [format!("{} images.d/team.yaml:1:9", code::DUPLICATE_NAME)]
    );
    assert!(
        diagnostics[0]
            .help
            .as_deref()
            .is_some_and(|help| help.contains("images.yaml:1:9"))
    );
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest() {
    let (_, diagnostics) = load(&files(&managed("rebuildDely: 7d")));
    assert_eq!(
        diagnostics[1].help.as_deref(),
        Some("did you mean `rebuildDelay`?")
    );
}

#[test]
fn bombs_are_refused() {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let last = level - 1;
        let list = vec![format!("*a{last}"); 10].join(", ");
        aliases.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let large = format!("# {}\n", "x".repeat(33 * 1024 * 1024));
    for text in [aliases, deep, large] {
        let (model, diagnostics) = load(&files(&text));
        assert!(model.is_none());
        assert_eq!(
            diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(),
            [code::YAML_LIMIT]
        );
    }
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_panics(images in "(.|\n){0,80}", part in "[-a-z: \n{}\\[\\]&*!]{0,60}", state in "(.|\n){0,60}") {
            let mut files: InputFiles = files(&images);
            files.enrollment.push(file("images.d/a.yaml", &part));
            let files = with_state(files, &[("state/images/a.yaml", &state), ("state/base-images/b.yaml", &part)]);
            let _ = load(&files);
        }

        #[test]
        fn in_any_known_key_never_panics(key in prop::sample::select(crate::model::enroll_image::IMAGE), value in ".{0,30}") {
            let text = format!("- name: a\n  repository: b\n  {key}: {value}\n");
            let _ = load(&files(&text));
            let text = format!("- {{name: a, repository: b, source: {{repo: o/a, {key}: {value}}}}}\n");
            let _ = load(&files(&text));
        }
    }
}
