//! What state says, and how it fits the enrollment.

use super::{files, model, report, with_state};
use crate::diagnostics::{Code, code};
use crate::model::{DiscoveryStatus, InputFiles, Link, load};

const APP: &str =
    "- name: app\n  registry: ghcr.io\n  repository: o/app\n  source: {repo: o/app}\n";
const APP_STATE: (&str, &str) = (
    "state/images/app.yaml",
    "name: app\ndiscoveryStatus: success\nbaseImages: [node-22]\n",
);
const NODE: (&str, &str) = (
    "state/base-images/node-22.yaml",
    "name: node-22\nfullImage: node:22\n",
);

#[test]
fn bases_are_joined_to_images() {
    let files = with_state(files(APP), &[APP_STATE, NODE]);
    let model = model(&files, &[]);
    let base = &model.bases["node-22"];
    assert_eq!(base.repository.url(), "docker.io/library/node");
    assert_eq!(format!("{:?}", base.watch), "Some(Tag(\"22\"))");
    assert_eq!(base.link, Link::Upstream);
    assert_eq!(
        base.dependents
            .iter()
            .map(|n| n.as_str())
            .collect::<Vec<_>>(),
        ["app"]
    );
    let image = model.image("app").expect("enrolled");
    assert_eq!(
        image.bases.iter().map(|n| n.as_str()).collect::<Vec<_>>(),
        ["node-22"]
    );
    assert_eq!(model.image_states["app"].status, DiscoveryStatus::Success);
}

#[test]
fn state_of_a_removed_image_waits_while_others_are_built_on_it() {
    let lib = |repository: &str| {
        format!("name: lib\nenrollment: {{registry: ghcr.io, repository: {repository}}}\n")
    };
    for (repository, told) in [("o/lib", vec![]), ("o/else", vec!["IF061"])] {
        let lib = lib(repository);
        let base = (
            "state/base-images/node-22.yaml",
            "fullImage: ghcr.io/o/lib:1\n",
        );
        let state = [APP_STATE, base, ("state/images/lib.yaml", lib.as_str())];
        model(&with_state(files(APP), &state), &told);
    }
}

#[test]
fn a_base_that_kargo_cannot_subscribe_to_is_not_watched() {
    for (reference, url) in [
        ("[::1]:5000/app:1", "[::1]:5000/app"),
        ("REGISTRY/app:1", "REGISTRY/app"),
        ("ghcr.io/a--b/c:1", "ghcr.io/a--b/c"),
        ("a--b:1", "docker.io/library/a--b"),
    ] {
        let text = format!("fullImage: \"{reference}\"\n");
        let base = ("state/base-images/node-22.yaml", text.as_str());
        let found = model(&with_state(files(APP), &[APP_STATE, base]), &[]);
        let base = &found.bases["node-22"];
        assert_eq!((base.repository.url(), &base.watch), (url, &None));
        let text = text.clone() + "allowTags: ^1$\n";
        let base = ("state/base-images/node-22.yaml", text.as_str());
        let (found, _) = load(&with_state(files(APP), &[APP_STATE, base]));
        assert!(found.is_none(), "{reference} is to be watched");
    }
}

#[test]
fn what_older_programs_wrote_is_read() {
    let digest = "0".repeat(64);
    let pinned = format!(
        "fullImage: node@sha256:{digest}\nregistry: docker.io\nrepository: library/node@sha256\ntag: \"{digest}\"\n"
    );
    let both = format!("fullImage: node:22@sha256:{digest}\n");
    for (text, watch) in [
        (
            "fullImage: ubuntu:22.04\nallowTags: ^22\\\\.04$\nrepoURL: docker.io/library/ubuntu\n",
            "Some(Tag(\"22.04\"))",
        ),
        (
            "fullImage: ubuntu:22.04\nallowTags: \"^22\\\\.04$\"\n",
            "Some(Tag(\"22.04\"))",
        ),
        (
            "fullImage: ubuntu:22.04\nallowTags: None\nrepoURL: None\n",
            "Some(Tag(\"22.04\"))",
        ),
        (
            "registry: docker.io\nrepository: library/ubuntu\ntag: 22.04\nunknown: [1]\n",
            "Some(Tag(\"22.04\"))",
        ),
        ("fullImage: ubuntu\n", "Some(Tag(\"latest\"))"),
        (
            "fullImage: ubuntu:22.04\nallowTags: ^22\\.\nimageSelectionStrategy: SemVer\n",
            "Some(SemVer { constraint: None, tags: Some(\"^22\\\\.\") })",
        ),
        (pinned.as_str(), "None"),
        (both.as_str(), "Some(Tag(\"22\"))"),
    ] {
        let files = with_state(
            files(APP),
            &[
                (
                    "state/images/app.yaml",
                    "name: app\ndiscoveryStatus: discovered\nbaseImages: [b]\ncurrentDigest: None\n",
                ),
                ("state/base-images/b.yaml", text),
            ],
        );
        let model = model(&files, &[]);
        assert_eq!(format!("{:?}", model.bases["b"].watch), watch, "{text}");
    }
}

#[test]
fn other_files_are_not_state() {
    let files = with_state(
        files(APP),
        &[
            APP_STATE,
            NODE,
            ("state/images/x.example.yaml", "]["),
            ("state/images/README.md", "]["),
            ("state/base-images/y.yml", "]["),
        ],
    );
    model(&files, &[]);
}

#[test]
fn empty_state_is_no_state() {
    let files = with_state(files(APP), &[("state/images/app.yaml", "")]);
    model(&files, &["IF062"]);
}

#[test]
fn pending_with_bases_is_known_enough() {
    let files = with_state(
        files(APP),
        &[
            (
                "state/images/app.yaml",
                "discoveryStatus: pending\nbaseImages: [node-22]\n",
            ),
            NODE,
        ],
    );
    model(&files, &[]);
}

#[track_caller]
fn one(files: &InputFiles, code: Code, place: &str, fails: bool) -> String {
    let (model, diagnostics) = load(files);
    assert_eq!(
        report(files, &diagnostics),
        [format!("{code} {place}")],
        "{diagnostics:#?}"
    );
    assert_eq!(model.is_none(), fails);
    let help = diagnostics[0].help.clone();
    assert!(help.is_some() || code == code::YAML_SYNTAX);
    help.unwrap_or_default()
}

#[test]
fn state_in_the_wrong_place_is_an_error() {
    let entry = "- name: a\n  repository: b\n  allowTags: ^1$\n";
    for (path, text, code, at) in [
        (
            "state/images/a.yaml",
            "name: b\n",
            code::STATE_MISPLACED,
            ":1:7",
        ),
        (
            "state/images/a.yaml",
            "name: a\nfullImage: b:1\n",
            code::STATE_MISPLACED,
            ":2:12",
        ),
        ("state/images/A_B.yaml", "", code::STATE_MISPLACED, ""),
        (
            "state/base-images/a.yaml",
            "name: a\nenrolledAt: x\n",
            code::STATE_MISPLACED,
            ":2:13",
        ),
        (
            "state/base-images/a.yaml",
            "name: b\nfullImage: c\n",
            code::STATE_MISPLACED,
            ":1:7",
        ),
        ("state/base-images/A.yaml", "", code::STATE_MISPLACED, ""),
        (
            "state/images/a.yaml",
            "apiVersion: v1\nkind: ImageDefinition\nmetadata: {name: a}\n",
            code::STATE_IS_DEFINITION,
            ":2:7",
        ),
        (
            "state/base-images/a.yaml",
            "apiVersion: v1\nkind: ImageDefinition\n",
            code::STATE_IS_DEFINITION,
            ":2:7",
        ),
        ("state/images/a.yaml", "- a\n", code::WRONG_TYPE, ":1:1"),
        ("state/images/a.yaml", "a: [\n", code::YAML_SYNTAX, ":2:1"),
        (
            "state/images/a.yaml",
            "baseImages: x\n",
            code::WRONG_TYPE,
            ":1:13",
        ),
        (
            "state/images/a.yaml",
            "baseImages: [A/B]\n",
            code::INVALID_REFERENCE,
            ":1:14",
        ),
        (
            "state/base-images/a.yaml",
            "",
            code::INVALID_REFERENCE,
            ":1:1",
        ),
        (
            "state/base-images/a.yaml",
            "name: a\n",
            code::INVALID_REFERENCE,
            ":1:1",
        ),
        (
            "state/base-images/a.yaml",
            "fullImage: ${BASE}\n",
            code::INVALID_REFERENCE,
            ":1:12",
        ),
        (
            "state/base-images/a.yaml",
            "fullImage: b:1\nrepoURL: https://b\n",
            code::INVALID_REFERENCE,
            ":2:10",
        ),
        (
            "state/base-images/a.yaml",
            "fullImage: b:1\nallowTags: '(?=1)'\n",
            code::INVALID_REFERENCE,
            ":2:12",
        ),
        (
            "state/base-images/a.yaml",
            "repository: b\ntag: '-1'\n",
            code::INVALID_REFERENCE,
            ":2:6",
        ),
    ] {
        let files = with_state(files(entry), &[(path, text)]);
        one(&files, code, &format!("{path}{at}"), true);
    }
}

#[test]
fn state_that_does_not_fit_the_enrollment_is_told() {
    let not_enrolled = with_state(files(""), &[("state/images/gone.yaml", "name: gone\n")]);
    let help = one(
        &not_enrolled,
        code::STATE_NOT_ENROLLED,
        "state/images/gone.yaml",
        false,
    );
    assert!(help.contains("image-factory discover"), "{help}");

    let help = one(
        &files(APP),
        code::NEVER_DISCOVERED,
        "images.yaml:1:9",
        false,
    );
    assert_eq!(help, "run `image-factory discover app`");

    // A misspelt `baseImages` must not pass for an image without bases.
    let misspelt = with_state(
        files(APP),
        &[(
            "state/images/app.yaml",
            "discoveryStatus: success\nbaseImage: [a]\n",
        )],
    );
    one(&misspelt, code::NEVER_DISCOVERED, "images.yaml:1:9", false);

    let failed = with_state(
        files(APP),
        &[("state/images/app.yaml", "discoveryStatus: failed\n")],
    );
    one(&failed, code::DISCOVERY_FAILED, "images.yaml:1:9", false);

    let no_base = with_state(files(APP), &[APP_STATE]);
    one(
        &no_base,
        code::BASE_STATE_MISSING,
        "state/images/app.yaml:3:14",
        true,
    );

    let unused = with_state(files(""), &[NODE]);
    one(
        &unused,
        code::BASE_UNUSED,
        "state/base-images/node-22.yaml",
        false,
    );

    let twice = with_state(
        files(APP),
        &[
            (
                "state/images/app.yaml",
                "discoveryStatus: success\nbaseImages: [library-node-22, node-22]\n",
            ),
            NODE,
            (
                "state/base-images/library-node-22.yaml",
                "fullImage: docker.io/library/node:22\n",
            ),
        ],
    );
    one(
        &twice,
        code::SHARED_BASE,
        "state/base-images/node-22.yaml:2:12",
        false,
    );

    let clash = with_state(
        files(&APP.replace("app", "node-22")),
        &[
            (
                "state/images/node-22.yaml",
                "discoveryStatus: success\nbaseImages: [node-22]\n",
            ),
            NODE,
        ],
    );
    one(&clash, code::NAME_CLASH, "images.yaml:1:9", true);
}

#[test]
fn a_changed_source_makes_the_bases_doubtful() {
    let copy = "discoveryStatus: success\nbaseImages: []\nenrollment: {source: {provider: github, repo: o/app, dockerfile: Dockerfile}}\n";
    for (lines, fresh) in [
        ("", true),
        (
            ", branch: main, dockerfile: ./Dockerfile, workflow: x.yml, context: sub",
            true,
        ),
        (", branch: dev", false),
        (", dockerfile: b/Dockerfile", false),
        (", target: t", false),
        (", buildArgs: {A: b}", false),
        (", provider: gitlab", false),
        (", url: https://git.example.com/o/app", true),
    ] {
        let entry = APP.replace("repo: o/app", &format!("repo: o/app{lines}"));
        let files = with_state(files(&entry), &[("state/images/app.yaml", copy)]);
        let codes: Vec<Code> = load(&files).1.iter().map(|d| d.code).collect();
        let expected: &[Code] = if fresh { &[] } else { &[code::DISCOVERY_STALE] };
        assert_eq!(codes, expected, "{lines}");
    }
    for copy in [
        "enrollment: null",
        "enrollment: {}",
        "enrollment: {source: null}",
    ] {
        let text = format!("discoveryStatus: success\nbaseImages: []\n{copy}\n");
        model(
            &with_state(files(APP), &[("state/images/app.yaml", &text)]),
            &[],
        );
    }
}

#[test]
fn our_own_images_are_linked_whether_or_not_state_says_so() {
    let two = "- name: base\n  registry: ghcr.io\n  repository: o/base\n  source: {repo: o/base}\n";
    let entries = format!(
        "{two}{APP}- name: pg\n  repository: postgres\n  allowTags: ^16$\n- name: any-redis\n  repository: redis\n  allowTags: ^7\n"
    );
    let files = with_state(
        files(&entries),
        &[
            (
                "state/images/base.yaml",
                "discoveryStatus: success\nbaseImages: []\n",
            ),
            (
                "state/images/app.yaml",
                "discoveryStatus: success\nbaseImages: [b, p, p15, r]\n",
            ),
            (
                "state/base-images/b.yaml",
                "fullImage: ghcr.io/o/base:1.2\n",
            ),
            (
                "state/base-images/p.yaml",
                "fullImage: postgres:16\nmanagedImage: gone\n",
            ),
            ("state/base-images/p15.yaml", "fullImage: postgres:15\n"),
            ("state/base-images/r.yaml", "fullImage: redis:7\n"),
        ],
    );
    let model = model(&files, &[]);
    let link = |name: &str| format!("{:?}", model.bases[name].link);
    assert_eq!(link("b"), "Managed(\"base\")");
    assert_eq!(link("p"), "External(\"pg\")");
    assert_eq!(link("p15"), "Upstream");
    assert_eq!(link("r"), "Upstream");
}

#[test]
fn a_base_may_have_the_name_of_the_external_image_that_it_is() {
    let entries = format!("{APP}- name: node-22\n  repository: node\n  allowTags: ^22$\n");
    let model = model(&with_state(files(&entries), &[APP_STATE, NODE]), &[]);
    assert!(
        matches!(&model.bases["node-22"].link, Link::External(name) if name.as_str() == "node-22")
    );
}

#[test]
fn circles_are_named_in_full() {
    let entry = |name: &str| {
        format!(
            "- name: {name}\n  registry: ghcr.io\n  repository: o/{name}\n  source: {{repo: o/{name}}}\n"
        )
    };
    let entries = format!("{}{}{}", entry("a"), entry("b"), entry("c"));
    let files = with_state(
        files(&entries),
        &[
            (
                "state/images/a.yaml",
                "discoveryStatus: success\nbaseImages: [o-b]\n",
            ),
            (
                "state/images/b.yaml",
                "discoveryStatus: success\nbaseImages: [o-c]\n",
            ),
            (
                "state/images/c.yaml",
                "discoveryStatus: success\nbaseImages: [o-a]\n",
            ),
            ("state/base-images/o-a.yaml", "fullImage: ghcr.io/o/a\n"),
            ("state/base-images/o-b.yaml", "fullImage: ghcr.io/o/b\n"),
            ("state/base-images/o-c.yaml", "fullImage: ghcr.io/o/c\n"),
        ],
    );
    let (_, diagnostics) = load(&files);
    assert_eq!(
        report(&files, &diagnostics),
        [format!("{} images.yaml:1:9", code::DEPENDENCY_CYCLE)]
    );
    assert!(
        diagnostics[0].message.ends_with("`a` → `b` → `c` → `a`"),
        "{}",
        diagnostics[0].message
    );
    let help = diagnostics[0].help.as_deref().expect("help");
    assert!(
        help.contains("`c` is built on `a` (`FROM ghcr.io/o/a`) in Dockerfile of o/c"),
        "{help}"
    );

    let own = with_state(
        super::files(&entry("a")),
        &[
            (
                "state/images/a.yaml",
                "discoveryStatus: success\nbaseImages: [o-a]\n",
            ),
            ("state/base-images/o-a.yaml", "fullImage: ghcr.io/o/a\n"),
        ],
    );
    let (_, diagnostics) = load(&own);
    assert_eq!(diagnostics[0].message, "`a` is built on itself");
}

#[test]
fn two_images_in_one_repository_are_warned_of() {
    let entries = format!("{APP}{}", APP.replace("name: app", "name: app2"));
    let files = with_state(
        files(&entries),
        &[
            (
                "state/images/app.yaml",
                "discoveryStatus: success\nbaseImages: []\n",
            ),
            (
                "state/images/app2.yaml",
                "discoveryStatus: success\nbaseImages: []\n",
            ),
        ],
    );
    one(&files, code::SHARED_REPOSITORY, "images.yaml:7:15", false);
}

#[test]
fn the_examples_of_the_reference_are_right() {
    let guide = include_str!("../../../docs/state-format.md");
    let examples: Vec<&str> = guide
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(example, _)| example))
        .collect();
    let [image, base] = examples.as_slice() else {
        panic!("an image and a base image");
    };
    let entry = "- name: shop-api\n  registry: ghcr.io\n  repository: acme/shop-api\n  source: {repo: acme/shop, dockerfile: api/Dockerfile, workflow: build-api.yml}\n  rebuildDelay: 14d\n";
    let files = with_state(
        files(entry),
        &[
            ("state/images/shop-api.yaml", image),
            ("state/base-images/golang-1.24-alpine.yaml", base),
        ],
    );
    let model = model(&files, &[]);
    assert_eq!(model.images[0].bases.len(), 1);
}
