use std::collections::BTreeSet;

use super::check::{Declaration, TEMPLATES, Variable, check};
use super::{
    Analysis, BuildWorkflow, Discovery, RebuildCommit, RecordCommit, SOURCES, ScheduleWorkflow,
    Templates, Text, Updates,
};

const ONE: Declaration = Declaration {
    path: "one.txt",
    variables: &[Variable::Text("image"), Variable::List("paths")],
};

fn fault(source: &str) -> String {
    check(&ONE, source).unwrap_err().to_string()
}

#[test]
fn a_good_template_passes() {
    check(
        &ONE,
        "{{ image }}:{% for path in paths %} {{ path }}{% endfor %}\n",
    )
    .unwrap();
}

#[test]
fn a_template_that_does_not_parse_is_named_with_its_line() {
    let message = fault("first\n{% for path in paths %}\nno end\n");
    assert!(message.starts_with("templates/one.txt:"), "{message}");
    let message = fault("first\n{{ image | }}\n");
    assert!(
        message.starts_with("templates/one.txt:2: syntax error"),
        "{message}"
    );
}

#[test]
fn an_unknown_variable_is_named_with_its_line() {
    let table = [
        ("image\n\n{{ imag }}\n", 3, "imag"),
        ("{{ image }} {{ digest }}", 1, "digest"),
        (
            "digest {# digest #}\n{% if digest %}{% endif %}",
            2,
            "digest",
        ),
        // Also where no render would come by.
        (
            "{{ image }}\n{% if false %}\n{{ digest }}{% endif %}",
            3,
            "digest",
        ),
        ("{%\nif\ndigest %}{% endif %}", 3, "digest"),
    ];
    for (source, line, name) in table {
        let message = fault(source);
        let start = format!("templates/one.txt:{line}: unknown variable `{name}`");
        assert!(message.starts_with(&start), "{source:?}: {message}");
        assert!(message.ends_with("declared are image, paths"), "{message}");
    }
}

#[test]
fn an_unknown_filter_is_named_with_its_line() {
    let message = fault("\n{{ image|shout }}");
    assert!(
        message.starts_with("templates/one.txt:2: unknown filter"),
        "{message}"
    );
}

fn rebuild(lines: &[String]) -> RebuildCommit<'_> {
    RebuildCommit {
        subject: "Rebuild shop: node-22 changed",
        lines,
        run: "0123456789abcdef",
        by: "image-factory 0.0.0",
    }
}

#[test]
fn the_context_has_exactly_the_declared_variables() {
    let paths = ["a".to_owned()];
    let updates = updates(&paths);
    let record = record(&paths);
    let facts = analysis(&paths);
    let mut every = all(&updates, &record);
    every.push(Text::AnalyzeCommit(&facts));
    let rebuild = rebuild(&paths);
    every.push(Text::RebuildCommit(&rebuild));
    let (build, schedule) = (build(), schedule());
    every.extend(workflows(&build, &schedule));
    for text in every {
        let declared = TEMPLATES.iter().find(|t| t.path == text.path()).unwrap();
        let value = match text {
            Text::RecordCommit(record) => serde_json::to_value(record).unwrap(),
            Text::AnalyzeCommit(analysis) => serde_json::to_value(analysis).unwrap(),
            Text::RebuildCommit(rebuild) => serde_json::to_value(rebuild).unwrap(),
            Text::GithubBuild(build) | Text::GitlabBuild(build) => {
                serde_json::to_value(build).unwrap()
            }
            Text::GithubSchedule(schedule) | Text::GitlabSchedule(schedule) => {
                serde_json::to_value(schedule).unwrap()
            }
            Text::GitlabRoot => serde_json::json!({}),
            _ => serde_json::to_value(updates.clone()).unwrap(),
        };
        let given: BTreeSet<_> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let known: BTreeSet<_> = declared.variables.iter().map(|v| v.name()).collect();
        assert_eq!(given, known, "{}", declared.path);
    }
}

#[test]
fn every_template_has_a_text_and_the_other_way_round() {
    let paths = [];
    let updates = updates(&paths);
    let record = record(&paths);
    let news = [];
    let discovery = Discovery {
        subject: "Discover",
        news: &news,
        by: "image-factory 0.0.0",
    };
    let mut known = all(&updates, &record);
    known.push(Text::DiscoverCommit(&discovery));
    let analysis = analysis(&paths);
    known.push(Text::AnalyzeCommit(&analysis));
    let rebuild = rebuild(&paths);
    known.push(Text::RebuildCommit(&rebuild));
    let (build, schedule) = (build(), schedule());
    known.extend(workflows(&build, &schedule));
    let known: BTreeSet<_> = known.iter().map(Text::path).collect();
    let there: BTreeSet<_> = SOURCES.iter().map(|(path, _)| *path).collect();
    assert_eq!(known, there);
}

#[test]
fn texts_read_well_and_keep_expressions_as_they_are() {
    let paths = ["apps/a/kustomization.yaml".to_owned(), "b.yaml".to_owned()];
    let updates = updates(&paths);
    let templates = Templates::new().unwrap();
    let [commit, title, body] = texts(&updates).map(|text| templates.render(&text).unwrap());
    assert_eq!(
        commit,
        "Update backstage to ${{ imageFrom(\"ghcr.io/o/b\").Tag }}\n\n\
         ghcr.io/o/b has a new build. This changes the reference in:\n\
         - apps/a/kustomization.yaml\n- b.yaml"
    );
    assert_eq!(
        title,
        "Update backstage to ${{ imageFrom(\"ghcr.io/o/b\").Tag }}"
    );
    assert!(
        body.contains("\n- `apps/a/kustomization.yaml`\n- `b.yaml`\n\nOpened by"),
        "{body}"
    );
    assert!(
        body.contains("the Kargo Stage `update-backstage`"),
        "{body}"
    );
}

#[test]
fn the_commit_of_a_discovery_lists_what_is_new() {
    let news = [
        "app: enrolled".to_owned(),
        "node-22: new base image".to_owned(),
    ];
    let discovery = Discovery {
        subject: "Discover app",
        news: &news,
        by: "image-factory 0.0.0",
    };
    let text = Templates::new()
        .and_then(|templates| templates.render(&Text::DiscoverCommit(&discovery)))
        .unwrap();
    assert_eq!(
        text,
        "Discover app\n\n- app: enrolled\n- node-22: new base image\n\n\
         Recorded-by: image-factory 0.0.0"
    );
}

#[test]
fn a_recorded_digest_is_told_with_what_is_known_of_it() {
    let dependents = ["shop, due 2026-03-12T00:00:00Z".to_owned()];
    let templates = Templates::new().unwrap();
    let commit = |record: &RecordCommit<'_>| templates.render(&Text::RecordCommit(record)).unwrap();
    assert_eq!(
        commit(&record(&dependents)),
        "Record 0123456789ab for node-22\n\n\
         node:22 points to another image now.\n\n\
         From:    sha256:ab\n\
         To:      sha256:0123456789abcd\n\
         Tag:     22\n\
         At:      2026-03-05T00:00:00Z\n\
         Freight: f00d\n\n\
         Images to be rebuilt:\n\
         - shop, due 2026-03-12T00:00:00Z\n\n\
         Recorded-by: image-factory 0.0.0"
    );
    let first = RecordCommit {
        from: "",
        tag: "",
        freight: "",
        ..record(&[])
    };
    assert_eq!(
        commit(&first),
        "Record 0123456789ab for node-22\n\n\
         node:22 is seen for the first time.\n\n\
         To:      sha256:0123456789abcd\n\
         At:      2026-03-05T00:00:00Z\n\n\
         Recorded-by: image-factory 0.0.0"
    );
}

fn all<'a>(updates: &'a Updates<'a>, record: &'a RecordCommit<'a>) -> Vec<Text<'a>> {
    let mut all = vec![Text::RecordCommit(record)];
    all.extend(texts(updates));
    all
}

fn workflows<'a>(
    build: &'a BuildWorkflow<'a>,
    schedule: &'a ScheduleWorkflow<'a>,
) -> [Text<'a>; 5] {
    [
        Text::GithubBuild(build),
        Text::GithubSchedule(schedule),
        Text::GitlabBuild(build),
        Text::GitlabSchedule(schedule),
        Text::GitlabRoot,
    ]
}

fn build() -> BuildWorkflow<'static> {
    BuildWorkflow {
        image: "app",
        name: "\"app\"",
        repository: "\"ghcr.io/o/app\"",
        registry: "ghcr.io",
        registry_text: "\"ghcr.io\"",
        dockerfile: "\"Dockerfile\"",
        context: "\".\"",
        target: "",
        platforms: "\"linux/amd64\"",
        args: "",
        bases: "\"\"",
        job: "\"build-app\"",
        program: "\"ghcr.io/o/program:1\"",
        factory: "\"https://github.com/o/factory\"",
        branch: "\"main\"",
        folder: "\".\"",
        token_env: "GITHUB_TOKEN",
    }
}

fn schedule() -> ScheduleWorkflow<'static> {
    ScheduleWorkflow {
        program: "\"ghcr.io/o/program:1\"",
        folder: "\".\"",
        branch: "\"main\"",
        github_env: "GITHUB_TOKEN",
        gitlab_env: "GITLAB_TOKEN",
        trigger_env: "GITLAB_TRIGGER_TOKEN",
    }
}

fn analysis(facts: &[String]) -> Analysis<'_> {
    Analysis {
        subject: "Analyze app 1.2",
        why: "A new build was published: Freight f00d.",
        facts,
        by: "image-factory 0.0.0",
    }
}

#[test]
fn the_commit_of_an_analysis_says_what_why_and_by_whom() {
    let facts = ["Base: a".to_owned(), "Base: b".to_owned()];
    let text = Templates::new()
        .and_then(|templates| templates.render(&Text::AnalyzeCommit(&analysis(&facts))))
        .unwrap();
    assert_eq!(
        text,
        "Analyze app 1.2\n\nA new build was published: Freight f00d.\n\n- Base: a\n- Base: b\n\n\
         Recorded-by: image-factory 0.0.0"
    );
}

fn record(dependents: &[String]) -> RecordCommit<'_> {
    RecordCommit {
        name: "node-22",
        reference: "node:22",
        tag: "22",
        from: "sha256:ab",
        digest: "sha256:0123456789abcd",
        short: "0123456789ab",
        at: "2026-03-05T00:00:00Z",
        freight: "f00d",
        dependents,
        by: "image-factory 0.0.0",
    }
}

fn texts<'a>(updates: &'a Updates<'a>) -> [Text<'a>; 3] {
    [
        Text::UpdatesCommit(updates),
        Text::UpdatesPullRequestTitle(updates),
        Text::UpdatesPullRequestBody(updates),
    ]
}

fn updates(paths: &[String]) -> Updates<'_> {
    Updates {
        image: "backstage",
        repository: "ghcr.io/o/b",
        version: "${{ imageFrom(\"ghcr.io/o/b\").Tag }}",
        stage: "update-backstage",
        paths,
    }
}
