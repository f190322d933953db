use super::*;
use crate::model::InputFile;

fn file(path: &str, text: &str) -> InputFile {
    InputFile {
        path: path.into(),
        text: text.to_owned(),
    }
}

fn digest(letter: &str) -> String {
    format!("sha256:{}", letter.repeat(64))
}

/// `web` on a changed `node-22` and on our `app`; `app` failed; `new` was never looked at.
fn tree() -> Tree {
    let managed = |name: &str| {
        format!(
            "- {{name: {name}, registry: ghcr.io, repository: a/{name}, source: {{repo: a/{name}}}, rebuildDelay: 2d}}\n"
        )
    };
    let images = [
        managed("web"),
        managed("app"),
        managed("new"),
        "- {name: redis, repository: redis, allowTags: ^7$}\n".to_owned(),
        "- {name: cache, repository: memcached, allowTags: ^1$, autoRebuild: false}\n".to_owned(),
    ]
    .concat();
    let image = |name: &str, status: &str, more: &str| {
        file(
            &format!("state/images/{name}.yaml"),
            &format!(
                "name: {name}\nenrolledAt: \"2026-01-01T00:00:00Z\"\ndiscoveryStatus: {status}\nenrollment: {{registry: ghcr.io, repository: a/{name}, source: {{provider: github, repo: a/{name}, branch: main, dockerfile: Dockerfile}}, rebuildDelay: 2d, autoRebuild: true}}\n{more}"
            ),
        )
    };
    let (old, new) = (digest("a"), digest("b"));
    let mut tree = Tree::default();
    tree.inputs.enrollment = vec![file("images.yaml", &images)];
    tree.inputs.images = vec![
        image(
            "app",
            "failed",
            "discoveryError: {message: no such branch, at: \"2026-02-01T00:00:00Z\"}\nbaseImages: [node-22]\n",
        ),
        file("state/images/redis.yaml", "name: [\n"),
        image(
            "web",
            "success",
            &format!(
                "baseImages: [a-app-1, node-22]\ncurrentVersion: \"1.10\"\ncurrentDigest: {}\nlastBuilt: \"2026-02-01T00:00:00Z\"\nbuiltFrom: {{node-22: {old}}}\n",
                digest("c")
            ),
        ),
    ];
    tree.inputs.bases = vec![
        file(
            "state/base-images/a-app-1.yaml",
            "name: a-app-1\nfullImage: ghcr.io/a/app:1\ntag: \"1\"\nmanagedImage: app\n",
        ),
        file(
            "state/base-images/node-22.yaml",
            &format!(
                "name: node-22\nfullImage: node:22@{old}\ntag: \"22\"\nfirstDiscovered: \"2026-01-01T00:00:00Z\"\ncurrentDigest: {new}\nlastUpdated: \"2026-02-10T00:00:00Z\"\npreviousDigest: {old}\nupdateHistory:\n  - {{at: \"2026-02-10T00:00:00Z\", from: {old}, to: {new}}}\n"
            ),
        ),
    ];
    tree
}

fn at(time: &str) -> Time {
    Time::parse(time).unwrap()
}

fn unpinned() -> Tree {
    let mut tree = tree();
    let base = &mut tree.inputs.bases[1];
    base.text = base
        .text
        .replace(&format!("node:22@{}", digest("a")), "node:22");
    tree
}

fn row<'r>(report: &'r Report, name: &str) -> &'r Row {
    report.rows.iter().find(|row| row.name == name).unwrap()
}

#[test]
fn rows_say_what_is_tracked_and_what_waits() {
    let report = report(&unpinned(), &[], at("2026-02-11T06:00:00Z")).unwrap();
    let names: Vec<&str> = report.rows.iter().map(|row| &*row.name).collect();
    assert_eq!(
        names,
        ["web", "app", "new", "redis", "cache", "a-app-1", "node-22"]
    );
    let web = row(&report, "web");
    assert_eq!(web.bases, ["a-app-1", "node-22"]);
    assert_eq!(web.version.as_deref(), Some("1.10"));
    let pending = web.pending.as_ref().unwrap();
    assert_eq!(pending.due.to_string(), "2026-02-12T00:00:00Z");
    assert_eq!(web.problems, [] as [&str; 0]);
    assert_eq!(row(&report, "app").dependents, ["web"]);
    assert_eq!(row(&report, "a-app-1").dependents, ["web"]);
    assert_eq!(row(&report, "node-22").dependents, ["app", "web"]);
    assert_eq!(
        row(&report, "node-22").since.unwrap().to_string(),
        "2026-02-10T00:00:00Z"
    );
}

#[test]
fn problems_are_told_at_their_image_and_hide_no_other() {
    let report = report(&unpinned(), &[], at("2026-02-11T06:00:00Z")).unwrap();
    assert!(report.damaged);
    let app = &row(&report, "app").problems;
    assert_eq!(
        app,
        &["discovery failed at 2026-02-01T00:00:00Z: no such branch"]
    );
    let new = &row(&report, "new").problems;
    assert_eq!(new, &["the base images of `new` are not known yet"]);
    let redis = &row(&report, "redis").problems;
    assert_eq!(redis.len(), 1, "{redis:?}");
    let cache = &row(&report, "cache").problems;
    assert_eq!(cache.len(), 1, "{cache:?}");
}

#[test]
fn what_discover_calls_damaged_is_a_problem() {
    let mut sound = unpinned();
    let image = |file: &InputFile| !file.path.ends_with("redis.yaml");
    sound.inputs.images.retain(image);
    assert!(
        !report(&sound, &[], at("2026-02-11T06:00:00Z"))
            .unwrap()
            .damaged
    );
    let web = "state/images/web.yaml";
    let node = "state/base-images/node-22.yaml";
    for (path, from, to) in [
        (web, "discoveryStatus: success", "discoveryStatus: 17"),
        (web, "2026-01-01T00:00:00Z", "yesterday"),
        (
            web,
            "currentVersion: ",
            "rebuildHistory: 3\ncurrentVersion: ",
        ),
        (node, "updateHistory:\n", "metadata: 3\nupdateHistory:\n"),
        (node, "tag: ", "managedImage: [1]\ntag: "),
    ] {
        let mut tree = sound.clone();
        let inputs = &mut tree.inputs;
        let files = inputs.images.iter_mut().chain(&mut inputs.bases);
        for file in files.filter(|file| &*file.path == path) {
            assert!(file.text.contains(from), "{from}");
            file.text = file.text.replace(from, to);
        }
        let report = report(&tree, &[], at("2026-02-11T06:00:00Z")).unwrap();
        assert!(report.damaged, "{to}");
        if path == web {
            assert_eq!(row(&report, "web").problems.len(), 1, "{to}");
        } else {
            // Without a document there is no row.
            let file = &report.diagnostics[0].place.as_ref().unwrap().file;
            assert_eq!(&**file, node, "{to}");
        }
    }
}

#[test]
fn a_pin_that_its_tag_has_left_is_a_problem_and_no_rebuild() {
    let report = report(&tree(), &[], at("2026-02-11T06:00:00Z")).unwrap();
    let problems = &row(&report, "node-22").problems;
    assert!(
        problems[0].contains("pins a digest that its tag has left"),
        "{problems:?}"
    );
    assert!(row(&report, "web").pending.is_none());
}

#[test]
fn the_fixed_fields_are_there() {
    let report = report(&unpinned(), &[], at("2026-02-11T06:00:00Z")).unwrap();
    let object = json(&report.rows);
    let web = &object["images"][0];
    assert_eq!(web["kind"], "managed");
    assert_eq!(web["pending"], true);
    assert_eq!(web["dueAt"], "2026-02-12T00:00:00Z");
    assert_eq!(web["digest"], digest("c"));
    assert_eq!(web["changes"][0]["base"], "node-22");
    let cache = &object["images"][4];
    assert_eq!(cache["kind"], "external");
    assert_eq!(cache["pending"], false);
    assert!(cache["dueAt"].is_null() && cache["digest"].is_null());
}

#[test]
fn tables_line_up_and_one_image_is_told_in_full() {
    let now = Time::parse("2026-02-11T06:00:00Z").unwrap();
    let mut all = report(&unpinned(), &[], at("2026-02-11T06:00:00Z")).unwrap();
    let text = human(&all.rows, false, now);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[1],
        "web      managed   a-app-1, node-22  sha256:cccccccccccc  10d  due 2026-02-12T00:00:00Z"
    );
    assert!(text.contains("\n  ! discovery failed at"), "{text}");
    assert!(
        text.ends_with(
            "3 managed, 2 external, 2 base; 0 to rebuild now, 2 waiting, 0 held, 4 with problems\n"
        ),
        "{text}"
    );
    all.only("web").unwrap();
    let text = human(&all.rows, true, now);
    assert!(
        text.contains(
            "node-22 changed at 2026-02-10T00:00:00Z: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("rebuild     due 2026-02-12T00:00:00Z\n"),
        "{text}"
    );
    let unknown = report(&tree(), &[], at("2026-02-11T06:00:00Z"))
        .unwrap()
        .only("wbe")
        .unwrap_err();
    assert_eq!(unknown.help.unwrap(), "did you mean `web`?");
}

#[test]
fn wrong_enrollment_is_no_table() {
    let mut tree = tree();
    tree.inputs.enrollment = vec![file("images.yaml", "- {nmae: x}\n")];
    assert!(report(&tree, &[], at("2026-02-11T06:00:00Z")).is_err());
}

/// What the column REBUILD says of `web`, and the rule in JSON.
fn column(tree: &Tree, now: &str) -> (String, String) {
    let now = at(now);
    let mut report = report(tree, &[], now).unwrap();
    let rule = json(&report.rows)["images"][0]["rule"].clone();
    report.only("web").unwrap();
    let text = human(&report.rows, true, now);
    let column = text.lines().find_map(|line| line.strip_prefix("rebuild "));
    let rule = rule.as_str().unwrap_or_default().to_owned();
    (column.unwrap_or_default().trim().to_owned(), rule)
}

#[test]
fn the_column_says_what_plan_says() {
    /// What images.yaml says besides, and what the state of `web` does.
    type Case = (
        &'static str,
        String,
        &'static str,
        &'static str,
        &'static str,
    );
    let tried = |outcome: &str, days: &[u32]| {
        let entries = days.iter().zip(1..).map(|(day, number)| {
            format!(
                "  - {{at: \"2026-02-{day:02}T00:00:00Z\", attempt: {number}, outcome: {outcome}}}\n"
            )
        });
        format!("rebuildHistory:\n{}", entries.collect::<String>())
    };
    let freeze = "settings: {freeze: [{from: \"2026-02-11T00:00:00Z\", to: \"2026-02-20T00:00:00Z\", reason: fair}]}\n";
    let found = "found";
    let limits = "settings: {limits: {perDay: 2}}\n";
    let by_hand = "by hand";
    let (early, late) = ("2026-02-11T00:00:00Z", "2026-02-13T00:00:00Z");
    let cases: Vec<Case> = vec![
        (
            "",
            String::new(),
            early,
            "due 2026-02-12T00:00:00Z",
            "delay",
        ),
        ("", String::new(), late, "after app", "parent"),
        ("alone", String::new(), late, "now", "delay"),
        (
            by_hand,
            String::new(),
            late,
            "by hand, due 2026-02-12T00:00:00Z",
            "auto-rebuild-off",
        ),
        (
            freeze,
            String::new(),
            late,
            "frozen until 2026-02-20T00:00:00Z",
            "freeze",
        ),
        (
            limits,
            String::new(),
            late,
            "over the limit, 2026-02-13T01:00:00Z",
            "limit",
        ),
        (found, String::new(), early, "EMERGENCY now", "critical-cve"),
        (
            "alone",
            tried("running", &[13]),
            late,
            "#1 running",
            "running",
        ),
        // It has waited for too long.
        ("alone", tried("running", &[12]), late, "now", "delay"),
        (
            "alone",
            tried("failed", &[13]),
            late,
            "retry 2026-02-13T01:00:00Z",
            "backoff",
        ),
        (
            "alone",
            tried("failed", &[13; 5]),
            late,
            "gave up",
            "gave-up",
        ),
        // What changed after five that failed is tried.
        ("alone", tried("failed", &[8; 5]), late, "now", "delay"),
    ];
    for (more, history, now, expected, rule) in cases {
        let mut tree = unpinned();
        let inputs = &mut tree.inputs;
        let text = &mut inputs.enrollment[0].text;
        match more {
            "alone" | "" => {}
            _ if more == found => {
                let finding = format!(
                    "findings:\n  - {{id: CVE-1, severity: critical, digest: {}}}\n",
                    digest("a")
                );
                inputs.bases[1].text.push_str(&finding);
            }
            _ if more == by_hand => {
                *text = text.replacen(
                    "rebuildDelay: 2d",
                    "rebuildDelay: 2d, autoRebuild: false",
                    1,
                );
            }
            settings => {
                let indented: String = text.lines().map(|line| format!("  {line}\n")).collect();
                *text = format!("{settings}images:\n{indented}");
            }
        }
        if !more.is_empty() {
            // Nothing of ours below it.
            let web = inputs.images.last_mut().unwrap();
            web.text = web.text.replace("[a-app-1, node-22]", "[node-22]");
        }
        inputs.images.last_mut().unwrap().text.push_str(&history);
        if more == limits {
            // Somebody else has the place of the day.
            let app =
                "rebuildHistory:\n  - {at: \"2026-02-12T01:00:00Z\", attempt: 1, outcome: built}\n";
            inputs.images[0].text.push_str(app);
        }
        let found = column(&tree, now);
        assert_eq!(
            found,
            (expected.to_owned(), rule.to_owned()),
            "{more} {history}"
        );
    }
}
