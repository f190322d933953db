//! `init`, `enroll`, `retire`, `status`, `completions` and `man`, by the program itself.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::graph::{factory, run};

fn ok(root: &Path, args: &[&str]) -> String {
    let output = run(root, args);
    assert_eq!(output.status.code(), Some(0), "{args:?} {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(root: &Path, args: &[&str]) -> String {
    let output: Output = run(root, args);
    assert_eq!(output.status.code(), Some(2), "{args:?} {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn json_of(root: &Path, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
    serde_json::from_slice(&run(root, &args).stdout).unwrap()
}

fn read(root: &Path, path: &str) -> String {
    std::fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn an_image_is_enrolled_by_one_added_block() {
    let folder = factory();
    let root = folder.path();
    let before = read(root, "images.yaml");
    let said = ok(
        root,
        &[
            "enroll",
            "api",
            "--registry",
            "ghcr.io",
            "--repository",
            "acme/api",
            "--source-repo",
            "acme/api",
            "--dockerfile",
            "deploy/Dockerfile",
            "--branch",
            "1.10",
            "--workflow",
            "api.yml",
            "--rebuild-delay",
            "14d",
            "--no-auto-rebuild",
            "--no-verify",
        ],
    );
    assert!(said.contains("added to images.yaml"), "{said}");
    let block = "- name: api\n  registry: ghcr.io\n  repository: acme/api\n  source:\n    repo: acme/api\n    branch: \"1.10\"\n    dockerfile: deploy/Dockerfile\n    workflow: api.yml\n  rebuildDelay: 14d\n  autoRebuild: false\n";
    assert_eq!(read(root, "images.yaml"), format!("{before}{block}"));

    let object = json_of(
        root,
        &[
            "enroll",
            "postgres",
            "--repository",
            "postgres",
            "--allow-tags",
            "^16$",
            "--no-verify",
        ],
    );
    assert_eq!(object["images"], json!(["postgres"]));
    assert_eq!(object["written"], true);
    let kinds = json_of(root, &["status"]);
    let kinds: Vec<&str> = kinds["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds[..5],
        ["managed", "managed", "external", "managed", "external"]
    );
}

#[test]
fn what_is_missing_is_listed_and_what_is_wrong_is_not_written() {
    let folder = factory();
    let root = folder.path();
    let before = read(root, "images.yaml");
    let said = refused(root, &["enroll", "api", "--source-repo", "acme/api"]);
    assert!(
        said.contains("`--registry` is needed") && said.contains("`--repository` is needed"),
        "{said}"
    );
    let said = refused(root, &["enroll", "api"]);
    assert!(
        said.contains("--source-repo") && said.contains("--allow-tags"),
        "{said}"
    );
    for (args, words) in [
        (
            &["enroll", "web", "--repository", "x", "--allow-tags", "^1$"][..],
            "error[IF283]",
        ),
        (
            &[
                "enroll",
                "x",
                "--registry",
                "ghcr.io",
                "--repository",
                "acme/web",
                "--source-repo",
                "a/b",
            ],
            "error[IF283]",
        ),
        (
            &["enroll", "X", "--repository", "x", "--allow-tags", "^1$"],
            "error[IF020]",
        ),
        (
            &["enroll", "x", "--repository", "x", "--allow-tags", "("],
            "error[",
        ),
        (&["enroll", "--", "-x"], "error"),
        (&["enroll"], "error"),
        (&["enroll", "x", "--write"], "error"),
        (&["retire", "wbe"], "did you mean `web`?"),
    ] {
        let args: Vec<&str> = if args[0] == "enroll" && args.len() > 3 && !args.contains(&"--") {
            args.iter().copied().chain(["--no-verify"]).collect()
        } else {
            args.to_vec()
        };
        let said = refused(root, &args);
        assert!(said.contains(words), "{args:?} {said}");
    }
    assert_eq!(read(root, "images.yaml"), before);
}

#[test]
fn dockerfiles_are_found_and_entries_proposed_and_written() {
    let folder = factory();
    let root = folder.path();
    let source = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("web/Dockerfile", "FROM node:22\n"),
        (
            "shop/api/Dockerfile",
            "FROM golang:1.24 AS build\nFROM scratch\nCOPY --from=build /x /x\n",
        ),
        ("shop/node_modules/y/Dockerfile", "FROM evil\n"),
        (".git/Dockerfile", "FROM evil\n"),
        ("broken/Dockerfile", "FRM x\n"),
    ] {
        let path = source.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(root, source.path().join("link")).unwrap();
    let scan = [
        "enroll",
        "--scan",
        source.path().to_str().unwrap(),
        "--source-repo",
        "acme/mono",
    ];
    let before = read(root, "images.yaml");
    let text = ok(root, &scan);
    assert_eq!(
        text,
        "- name: broken\n  registry: ghcr.io\n  repository: acme/broken\n  source:\n    repo: acme/mono\n    dockerfile: broken/Dockerfile\n\n\
         # built on golang:1.24\n- name: api\n  registry: ghcr.io\n  repository: acme/api\n  source:\n    repo: acme/mono\n    dockerfile: shop/api/Dockerfile\n\n\
         # built on node:22\n- name: mono-web\n  registry: ghcr.io\n  repository: acme/mono-web\n  source:\n    repo: acme/mono\n    dockerfile: web/Dockerfile\n"
    );
    assert_eq!(read(root, "images.yaml"), before);
    let write: Vec<&str> = scan.iter().copied().chain(["--write"]).collect();
    ok(root, &write);
    assert_eq!(
        json_of(root, &["status"])["images"]
            .as_array()
            .unwrap()
            .len(),
        8
    );
    // What is enrolled is not proposed again.
    assert_eq!(ok(root, &scan), "");
    // Paths are from the top of the checkout, wherever the search begins.
    let below = source.path().join("shop");
    std::fs::write(below.join("Dockerfile"), "FROM node:22\n").unwrap();
    let below = below.to_str().unwrap();
    let text = ok(
        root,
        &["enroll", "--scan", below, "--source-repo", "acme/mono"],
    );
    assert!(text.contains("    dockerfile: shop/Dockerfile\n"), "{text}");
    let said = refused(
        root,
        &["enroll", "--scan", "nowhere", "--source-repo", "a/b"],
    );
    assert!(said.contains("cannot be looked into"), "{said}");
}

#[test]
fn the_origin_says_on_which_host_the_scanned_repository_is() {
    let folder = factory();
    let root = folder.path();
    let checkout = |origin: &str| {
        let folder = tempfile::tempdir().unwrap();
        for args in [&["init", "-q"][..], &["remote", "add", "origin", origin]] {
            let git = std::process::Command::new("git")
                .args(args)
                .current_dir(folder.path())
                .output();
            assert!(git.unwrap().status.success());
        }
        std::fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").unwrap();
        folder
    };
    let scan = |origin: &str, more: &[&str]| {
        let folder = checkout(origin);
        let args = ["enroll", "--scan", folder.path().to_str().unwrap()];
        let args: Vec<&str> = args.iter().chain(more).copied().collect();
        let output = run(root, &args);
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let ledger = "- name: ledger\n  registry: registry.gitlab.com\n  repository: borealis/finance/ledger\n  source:\n    provider: gitlab\n    repo: borealis/finance/ledger\n";
    let shop = "- name: shop\n  registry: ghcr.io\n  repository: acme/shop\n  source:\n    repo: acme/shop\n";
    for (origin, expected) in [
        ("https://gitlab.com/borealis/finance/ledger.git", ledger),
        ("git@gitlab.com:borealis/finance/ledger.git", ledger),
        ("https://github.com/acme/shop", shop),
        ("ssh://git@github.com/acme/shop.git", shop),
    ] {
        assert_eq!(
            scan(origin, &[]),
            (Some(0), expected.to_owned(), String::new())
        );
    }
    for origin in [
        "https://bitbucket.org/acme/shop",
        "https://me:hidden@git.example.com/acme/shop",
        "/srv/git/acme/shop.git",
    ] {
        let (code, text, said) = scan(origin, &[]);
        assert_eq!((code, text.as_str()), (Some(2), ""), "{origin} {said}");
        assert!(
            said.contains("error[IF284]: `--source-repo` is needed") && !said.contains("hidden"),
            "{said}"
        );
    }
    let (code, text, _) = scan("/srv/git/shop.git", &["--source-repo", "acme/shop"]);
    assert_eq!((code, text.as_str()), (Some(0), shop));

    // Of a GitLab of one's own no registry is known until an image says one, whatever
    // the images on GitHub have.
    let own = "settings: {providers: {gitlab: {api: https://git.example.com/api/v4}}}\nimages:\n";
    let image = "- {name: books, registry: r.example.com, repository: b/books, source: {provider: gitlab, repo: b/c/books}}\n- {name: web, registry: ghcr.io, repository: b/web, source: {repo: b/web}}\n- {name: api, registry: ghcr.io, repository: b/api, source: {repo: b/api}}\n";
    std::fs::write(root.join("images.yaml"), format!("{own}  []\n")).unwrap();
    let (code, _, said) = scan("git@git.example.com:b/c/ledger.git", &[]);
    assert!(
        code == Some(2) && said.contains("error[IF284]: `--registry` is needed"),
        "{said}"
    );
    std::fs::write(root.join("images.yaml"), format!("{own}{image}")).unwrap();
    let (_, text, said) = scan("git@git.example.com:b/c/ledger.git", &[]);
    assert!(
        text.contains("  registry: r.example.com\n  repository: b/c/ledger\n"),
        "{text} {said}"
    );

    // In the factory's own checkout its settings know better than a clone's origin, and
    // what an image is built from is not proposed again.
    let checkout = checkout("/srv/mirror/elsewhere.git");
    std::fs::create_dir_all(checkout.path().join("ops/a")).unwrap();
    std::fs::write(checkout.path().join("ops/a/Dockerfile"), "FROM scratch\n").unwrap();
    std::fs::write(
        checkout.path().join("ops/images.yaml"),
        "settings: {git: {repo: https://github.com/acme/mono, path: ops}}\nimages:\n\
         - {name: mono, registry: quay.io, repository: acme/mono, source: {repo: Acme/mono}}\n",
    )
    .unwrap();
    assert_eq!(
        ok(&checkout.path().join("ops"), &["enroll", "--scan", ".."]),
        "- name: a\n  registry: quay.io\n  repository: acme/a\n  source:\n    repo: acme/mono\n    dockerfile: ops/a/Dockerfile\n"
    );
}

#[test]
fn a_retired_image_leaves_its_state_to_the_archive() {
    let folder = factory();
    let root = folder.path();
    let state = read(root, "state/images/web.yaml");
    let said = ok(root, &["retire", "web"]);
    assert!(said.contains("archived the state of `web`"), "{said}");
    assert!(!read(root, "images.yaml").contains("name: web"));
    assert!(!root.join("state/images/web.yaml").exists());
    assert_eq!(read(root, "state/_archive/images/web.yaml"), state);
    // Nothing else was built on it.
    assert!(!root.join("state/base-images/acme-app-1.yaml").exists());
    assert!(
        root.join("state/_archive/base-images/acme-app-1.yaml")
            .exists()
    );
    assert!(root.join("state/base-images/node-22.yaml").exists());
    refused(root, &["retire", "web"]);
}

#[test]
fn a_new_factory_passes_the_check_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let said = run(root, &["init", "new/factory"]);
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    let warned = String::from_utf8(said.stderr).unwrap();
    assert!(warned.contains("warning[IF286]"), "{warned}");
    let place = root.join("new/factory");
    ok(&place, &["synth", "--check"]);
    assert_eq!(json_of(&place, &["status"])["images"], json!([]));
    let before = read(&place, "images.yaml");
    let said = refused(&place, &["init"]);
    assert!(said.contains("holds an images.yaml already"), "{said}");
    assert_eq!(read(&place, "images.yaml"), before);
    ok(
        &place,
        &[
            "enroll",
            "redis",
            "--repository",
            "redis",
            "--allow-tags",
            "^7$",
            "--no-verify",
        ],
    );
    ok(&place, &["synth"]);
    ok(&place, &["synth", "--check"]);

    let repo = "https://github.com/acme/images";
    let object = json_of(root, &["init", "b", "--repo", repo]);
    assert_eq!(object["diagnostics"], json!([]));
    assert!(read(root, "b/images.yaml").contains("    repo: https://github.com/acme/images\n"));
    ok(&root.join("b"), &["synth", "--check"]);
    refused(root, &["init", "c", "--repo", "not a url"]);
    assert!(!root.join("c/images.yaml").exists());
}

#[test]
fn a_new_factory_takes_the_address_and_place_from_the_checkout() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let git = |args: &[&str]| {
        let done = std::process::Command::new("git")
            .args(args)
            .current_dir(root)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q"]);
    git(&["remote", "add", "origin", "git@github.com:acme/mono.git"]);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_image-factory"))
        .args(["init", "ops/images"])
        .current_dir(root)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = read(root, "ops/images/images.yaml");
    assert!(
        text.contains("    repo: https://github.com/acme/mono"),
        "{text}"
    );
    assert!(text.contains("    path: ops/images\n"), "{text}");
}

#[test]
fn a_damaged_state_file_is_a_problem_and_hides_nothing() {
    let folder = factory();
    let root = folder.path();
    std::fs::write(root.join("state/images/app.yaml"), "name: [\n").unwrap();
    let output = run(root, &["status", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let images = object["images"].as_array().unwrap();
    assert_eq!(images.len(), 5);
    let app = images.iter().find(|image| image["name"] == "app").unwrap();
    assert!(!app["problems"].as_array().unwrap().is_empty(), "{app}");
    let web = images.iter().find(|image| image["name"] == "web").unwrap();
    assert_eq!(web["bases"], json!(["acme-app-1"]));
    let text = ok(
        &factory().keep(),
        &["status", "web", "--now", "2026-12-01T00:00:00Z"],
    );
    assert!(
        text.starts_with("web (managed)  ghcr.io/acme/web\n"),
        "{text}"
    );
    let said = refused(root, &["status", "wbe"]);
    assert!(said.contains("error[IF280]"), "{said}");
}

#[test]
fn an_enrollment_that_cannot_be_read_is_no_empty_table() {
    let folder = factory();
    let root = folder.path();
    let enrollment = root.join("images.yaml");
    std::fs::remove_file(&enrollment).unwrap();
    std::fs::create_dir(&enrollment).unwrap();
    assert!(refused(root, &["status"]).contains("error[IF006]"));
    std::fs::remove_dir(&enrollment).unwrap();
    std::fs::write(&enrollment, [0xff, 0xfe]).unwrap();
    let output = run(root, &["status", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["images"], json!([]));
    assert_eq!(object["diagnostics"][0]["code"], "IF007");
}

#[test]
fn a_state_file_that_discover_refuses_is_a_problem() {
    let folder = factory();
    let root = folder.path();
    let path = root.join("state/images/app.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}rebuildHistory: 3\n")).unwrap();
    let output = run(root, &["status", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let images = object["images"].as_array().unwrap();
    let app = images.iter().find(|image| image["name"] == "app").unwrap();
    assert_eq!(app["problems"].as_array().unwrap().len(), 1, "{app}");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = ok(root, &["completions", shell]);
        assert!(
            script.contains("graph") && script.contains("enroll"),
            "{shell}"
        );
    }
    let page = ok(root, &["man"]);
    assert!(
        page.contains(".TH image") && page.contains("retire"),
        "{page}"
    );
    assert!(ok(root, &["man", "enroll"]).contains("rebuild"));
    assert!(refused(root, &["man", "grahp"]).contains("did you mean `graph`?"));
}

#[test]
fn an_entry_and_its_retirement_are_one_commit_each() {
    let folder = factory();
    let root = folder.path();
    let git = |args: &[&str]| -> String {
        let output = std::process::Command::new("git")
            .arg("-C")
            .arg(root)
            .args(["-c", "user.name=T", "-c", "user.email=t@example.com"])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?} {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "Begin"]);
    let entry = [
        "enroll",
        "cache",
        "--repository",
        "library/cache",
        "--allow-tags",
        "^7-alpine$",
        "--no-verify",
        "--commit",
    ];
    let enrolled = json_of(root, &entry);
    assert_eq!(enrolled["commit"], git(&["rev-parse", "HEAD"]).trim());
    let shown = git(&["show", "--name-only", "--format=%s", "HEAD"]);
    assert!(shown.starts_with("Enroll cache\n"), "{shown}");
    assert!(shown.contains("\nimages.yaml\n"), "{shown}");
    assert!(read(root, "images.yaml").contains("- name: cache\n"));
    assert_eq!(git(&["status", "--short"]), "");

    let retired = json_of(root, &["retire", "cache", "--commit"]);
    assert_eq!(retired["commit"], git(&["rev-parse", "HEAD"]).trim());
    assert!(git(&["log", "-1", "--format=%s"]).starts_with("Retire cache"));
    assert!(!read(root, "images.yaml").contains("- name: cache\n"));
    assert_eq!(git(&["status", "--short"]), "");
}

#[test]
fn workflows_are_written_once_and_never_over_anything() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("repo/.git")).unwrap();
    std::fs::create_dir_all(root.join("shop")).unwrap();
    let factory = root.join("repo/images");
    let repo = "https://github.com/acme/factory";
    let init = ["init", "repo/images", "--with-workflow", "--repo", repo];

    // A new factory has the workflow that runs by the clock, at the top of the repository.
    let said = ok(root, &init);
    let clock = "repo/.github/workflows/image-factory.yml";
    assert!(
        said.contains("written: .github/workflows/image-factory.yml\n"),
        "{said}"
    );
    assert!(
        read(root, clock).contains("FOLDER: \"images\"\n"),
        "{}",
        read(root, clock)
    );

    // One that is there gets those of its images; of another repository, where that is.
    let images = format!(
        "settings:\n  git: {{repo: \"{repo}\", path: images}}\nimages:\n\
         - {{name: own, registry: ghcr.io, repository: acme/own, source: {{repo: acme/factory, workflow: own.yml}}}}\n\
         - {{name: shop, registry: ghcr.io, repository: acme/shop, source: {{repo: acme/shop, workflow: build.yml}}}}\n"
    );
    std::fs::write(factory.join("images.yaml"), &images).unwrap();
    let output = run(root, &["init", "repo/images", "--with-workflow"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stdout, "written: .github/workflows/own.yml\n");
    assert!(
        stderr.contains("warning[IF341]") && stderr.contains("--source acme/shop=DIR"),
        "{stderr}"
    );
    assert!(
        stderr.contains("nothing is known of the bases of `own` yet, so its workflow pins none"),
        "{stderr}"
    );
    let said = ok(root, &["init", "repo/images", "--with-workflow"]);
    assert_eq!(
        said,
        "nothing written; 1 image is built elsewhere: name its checkout with --source\n"
    );

    // What `discover` found since then is missing in it, until its owner mends that.
    let state = |path: &str, text: &str| {
        let path = factory.join("state").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    state(
        "images/own.yaml",
        "name: own\nenrolledAt: \"2026-03-02T08:00:00Z\"\ndiscoveryStatus: success\nbaseImages: [node-22]\n",
    );
    state(
        "base-images/node-22.yaml",
        "name: node-22\nfullImage: node:22\n",
    );
    let again = || {
        let output = run(root, &["init", "repo/images", "--with-workflow"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = again();
    assert!(
        said.contains("warning[IF343]")
            && said.contains("BASES: \"node-22 node:22\"")
            && !said.contains("IF340")
            && !said.contains("IF342"),
        "{said}"
    );
    let workflow = read(root, "repo/.github/workflows/own.yml");
    let mended = workflow.replace("BASES: \"\"", "BASES: \"node-22 node:22\"");
    std::fs::write(root.join("repo/.github/workflows/own.yml"), mended).unwrap();
    let said = again();
    assert!(!said.contains("IF343") && !said.contains("IF340"), "{said}");

    // A checkout of what no image is built from is a slip.
    for (at, source) in [
        ("repo/images", "nosuch/x=shop"),
        ("repo/images", "acme/shop=nowhere"),
        ("new", "acme/shop=shop"),
    ] {
        let said = refused(root, &["init", at, "--with-workflow", "--source", source]);
        assert!(said.contains("error[IF242]"), "{said}");
    }
    assert!(!root.join("new").exists());
    assert_eq!(
        std::fs::read_to_string(factory.join("images.yaml")).unwrap(),
        images
    );

    let own = "repo/.github/workflows/own.yml";
    std::fs::write(root.join(own), "mine\n").unwrap();
    let source = [
        "init",
        "repo/images",
        "--with-workflow",
        "github",
        "--source",
        "acme/shop=shop",
    ];
    let output = run(root, &source);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("warning[IF340]") && stderr.contains("own.yml"),
        "{stderr}"
    );
    assert_eq!(read(root, own), "mine\n");
    assert!(
        read(root, "shop/.github/workflows/build.yml")
            .contains("run-name: \"image-factory ${{ inputs.image }}")
    );

    // A second time there is nothing to write; another host has other files.
    assert!(ok(root, &source).contains("nothing to write"));
    let said = ok(root, &["init", "repo/images", "--with-workflow", "gitlab"]);
    assert!(said.contains("written: .gitlab-ci.yml\n"), "{said}");

    // Without the flag a factory is not made anew, and a link is not followed.
    let said = refused(root, &["init", "repo/images"]);
    assert!(said.contains("--with-workflow"), "{said}");
    #[cfg(unix)]
    {
        std::fs::remove_dir_all(root.join("shop/.github")).unwrap();
        std::os::unix::fs::symlink(root.join("repo"), root.join("shop/.github")).unwrap();
        let said = refused(root, &source);
        assert!(said.contains("is no folder"), "{said}");
        assert!(!root.join("repo/workflows").exists());
    }
}
