use proptest::prelude::*;

use super::*;

fn tree(text: &str) -> Tree {
    let mut tree = Tree::default();
    tree.inputs.enrollment.push(InputFile {
        path: "images.yaml".into(),
        text: text.to_owned(),
    });
    tree
}

fn redis() -> Entry {
    Entry {
        name: "redis".to_owned(),
        repository: "redis".to_owned(),
        allow_tags: Some("^7$".to_owned()),
        ..Entry::default()
    }
}

fn added(text: &str) -> Result<String, Vec<Diagnostic>> {
    add(&tree(text), &redis())
        .map(|edit| edit.files["images.yaml"].clone().unwrap())
        .map_err(|refused| refused.diagnostics)
}

fn removed(text: &str, name: &str) -> Result<String, Vec<Diagnostic>> {
    remove(&tree(text), name)
        .map(|edit| edit.files["images.yaml"].clone().unwrap())
        .map_err(|refused| refused.diagnostics)
}

#[test]
fn an_entry_comes_after_the_last_and_nothing_else_changes() {
    let x = "- {name: x, repository: x, allowTags: ^1$}\n";
    for (name, before, after) in [
        (
            "empty",
            "",
            "- name: redis\n  repository: redis\n  allowTags: ^7$\n",
        ),
        (
            "comments only",
            "# The images.\n",
            "# The images.\n\n- name: redis\n  repository: redis\n  allowTags: ^7$\n",
        ),
        (
            "bare list",
            x,
            "- {name: x, repository: x, allowTags: ^1$}\n\n- name: redis\n  repository: redis\n  allowTags: ^7$\n",
        ),
        (
            "two without a gap, and a comment at the end",
            "- {name: x, repository: x, allowTags: ^1$}\n- name: y\n  repository: y # why\n  allowTags: ^1$\n  # more of y\n# the end\n",
            "- {name: x, repository: x, allowTags: ^1$}\n- name: y\n  repository: y # why\n  allowTags: ^1$\n  # more of y\n- name: redis\n  repository: redis\n  allowTags: ^7$\n# the end\n",
        ),
        (
            "no end of line",
            "- name: x\n  repository: x\n  allowTags: ^1$",
            "- name: x\n  repository: x\n  allowTags: ^1$\n\n- name: redis\n  repository: redis\n  allowTags: ^7$\n",
        ),
        (
            "map, settings below",
            "images:\n    - name: x\n      repository: x\n      allowTags: ^1$\n\nsettings: {window: 1h}\n",
            "images:\n    - name: x\n      repository: x\n      allowTags: ^1$\n\n    - name: redis\n      repository: redis\n      allowTags: ^7$\n\nsettings: {window: 1h}\n",
        ),
        (
            "list not indented in a map",
            "images:\n- name: x\n  repository: x\n  allowTags: ^1$\n",
            "images:\n- name: x\n  repository: x\n  allowTags: ^1$\n\n- name: redis\n  repository: redis\n  allowTags: ^7$\n",
        ),
        (
            "key without value",
            "images: # none\nsettings: {}\n",
            "images: # none\n  - name: redis\n    repository: redis\n    allowTags: ^7$\nsettings: {}\n",
        ),
        (
            "no key",
            "settings:\n  window: 1h\n",
            "settings:\n  window: 1h\n\nimages:\n  - name: redis\n    repository: redis\n    allowTags: ^7$\n",
        ),
        (
            "empty list in a map",
            "settings: {}\nimages: [] # none\n# end\n",
            "settings: {}\nimages: # none\n  - name: redis\n    repository: redis\n    allowTags: ^7$\n# end\n",
        ),
        (
            "empty list",
            "[]\n",
            "- name: redis\n  repository: redis\n  allowTags: ^7$\n",
        ),
        (
            "Windows",
            "- name: x\r\n  repository: x\r\n  allowTags: ^1$\r\n",
            "- name: x\r\n  repository: x\r\n  allowTags: ^1$\r\n\r\n- name: redis\r\n  repository: redis\r\n  allowTags: ^7$\r\n",
        ),
        (
            "a text of several lines at the end",
            "- name: x\n  repository: x\n  allowTags: ^1$\n  description: |\n    one\n    # no comment\n",
            "- name: x\n  repository: x\n  allowTags: ^1$\n  description: |\n    one\n    # no comment\n\n- name: redis\n  repository: redis\n  allowTags: ^7$\n",
        ),
    ] {
        assert_eq!(added(before).as_deref(), Ok(after), "{name}");
        let model = enrolled(&tree(after)).unwrap();
        assert!(model.image("redis").is_some(), "{name}");
    }
}

#[test]
fn what_cannot_be_edited_is_refused_with_what_to_paste() {
    for text in [
        "[{name: x, repository: x, allowTags: ^1$}]\n",
        "images: [{name: x, repository: x, allowTags: ^1$}]\n",
        "{images: []}\n",
        "{settings: {}}\n",
        "images: null\n",
        "null\n",
        "-\n  name: x\n  repository: x\n  allowTags: ^1$\n",
        "- &x\n  name: x\n  repository: x\n  allowTags: ^1$\n",
        "- name: x\n  repository: x\n  allowTags: ^1$\n  description: |+\n    text\n\n\n",
    ] {
        let refused = added(text).unwrap_err();
        assert_eq!(refused[0].code, code::EDIT_BY_HAND, "{text} {refused:?}");
        let help = refused[0].help.clone().unwrap();
        assert!(
            help.contains("- name: redis\n  repository: redis"),
            "{help}"
        );
    }
}

#[test]
fn what_is_enrolled_or_cannot_be_is_refused() {
    for (text, code) in [
        (
            "- {name: redis, repository: y, allowTags: ^1$}\n",
            code::ENROLLED_ALREADY,
        ),
        (
            "- {name: y, repository: docker.io/library/redis, allowTags: ^1$}\n",
            code::INVALID_REPOSITORY,
        ),
        (
            "- {name: y, repository: library/redis, allowTags: ^7$}\n",
            code::ENROLLED_ALREADY,
        ),
        (
            "- {name: y, registry: docker.io, repository: redis, source: {repo: a/b}}\n",
            code::ENROLLED_ALREADY,
        ),
        ("- {nmae: y}\n", code::UNKNOWN_KEY),
        ("a: [\n", code::YAML_SYNTAX),
    ] {
        let refused = added(text).unwrap_err();
        assert!(
            refused.iter().any(|d| d.code == code),
            "{text}: {refused:?}"
        );
    }
    // Another tag of the same repository is another external image.
    assert!(added("- {name: redis-6, repository: redis, allowTags: ^6$}\n").is_ok());
    let mut wrong = redis();
    wrong.name = "Redis".to_owned();
    wrong.allow_tags = Some("(".to_owned());
    let refused = add(&tree(""), &wrong).unwrap_err();
    assert_eq!(refused.diagnostics.len(), 2, "{refused:?}");
    assert!(refused.text.is_some());
}

#[test]
fn the_name_of_a_base_image_is_only_for_the_same_image() {
    let mut tree = tree("- {name: x, repository: x, allowTags: ^1$}\n");
    tree.inputs.bases.push(InputFile {
        path: "state/base-images/redis.yaml".into(),
        text: "name: redis\nfullImage: debian:13\n".to_owned(),
    });
    let refused = add(&tree, &redis()).unwrap_err();
    let codes: Vec<_> = refused.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, [code::NAME_CLASH]);
    assert!(refused.text.is_some());
    let mut other = redis();
    other.name = "redis-7".to_owned();
    assert!(add(&tree, &other).is_ok());
    tree.inputs.bases[0].text = "name: redis\nfullImage: redis:7\n".to_owned();
    assert!(add(&tree, &redis()).is_ok());
}

#[test]
fn values_are_quoted_where_they_have_to_be() {
    let entry = Entry {
        name: "on".to_owned(),
        registry: Some("localhost:5000".to_owned()),
        repository: "a/1.10".to_owned(),
        source: Some(Source {
            repo: "a/b".to_owned(),
            branch: Some("1.10".to_owned()),
            workflow: Some("build.yml".to_owned()),
            ..Source::default()
        }),
        rebuild_delay: Some("14d".to_owned()),
        by_hand: true,
        ..Entry::default()
    };
    let edit = add(&tree("# c\n"), &entry).unwrap();
    assert_eq!(
        edit.files["images.yaml"].as_deref(),
        Some(
            "# c\n\n- name: \"on\"\n  registry: localhost:5000\n  repository: a/1.10\n  source:\n    repo: a/b\n    branch: \"1.10\"\n    workflow: build.yml\n  rebuildDelay: 14d\n  autoRebuild: false\n"
        )
    );
}

const THREE: &str = "\
images:
  # Managed images.
  - name: web
    registry: ghcr.io
    repository: a/web
    source: {repo: a/web}

  # Why redis is here.
  - name: redis
    repository: redis
    allowTags: ^7$
    # and what it is for

  - name: postgres
    repository: postgres
    allowTags: ^16$
";

#[test]
fn an_entry_goes_with_its_comments() {
    assert_eq!(
        removed(THREE, "redis").as_deref(),
        Ok("\
images:
  # Managed images.
  - name: web
    registry: ghcr.io
    repository: a/web
    source: {repo: a/web}

  - name: postgres
    repository: postgres
    allowTags: ^16$
")
    );
    // The first comment is the list's.
    let first = removed(THREE, "web").unwrap();
    assert!(
        first.starts_with("images:\n  # Managed images.\n  # Why redis"),
        "{first}"
    );
    let last = removed(THREE, "postgres").unwrap();
    assert!(last.ends_with("    # and what it is for\n"), "{last}");
    let only = "images:\n  - {name: x, repository: x, allowTags: ^1$}\nsettings: {}\n";
    assert_eq!(removed(only, "x").as_deref(), Ok("images:\nsettings: {}\n"));
    let named = "# x is old\n- {name: x, repository: x, allowTags: ^1$}\n";
    assert_eq!(removed(named, "x").as_deref(), Ok(""));
    for flow in [
        "[{name: x, repository: x, allowTags: ^1$}]\n",
        "[{name: y, repository: y, allowTags: ^1$}, {name: x, repository: x, allowTags: ^1$}]\n",
    ] {
        assert_eq!(removed(flow, "x").unwrap_err()[0].code, code::EDIT_BY_HAND);
    }
    let unknown = removed(THREE, "rediss").unwrap_err();
    assert_eq!(unknown[0].code, code::UNKNOWN_IMAGE);
    assert_eq!(unknown[0].help.as_deref(), Some("did you mean `redis`?"));
}

#[test]
fn an_entry_is_found_in_the_file_that_has_it_and_an_empty_one_goes() {
    let mut two = tree(THREE);
    two.inputs.enrollment.push(InputFile {
        path: "images.d/team.yaml".into(),
        text: "- {name: x, repository: x, allowTags: ^1$}\n".to_owned(),
    });
    let edit = remove(&two, "x").unwrap();
    assert_eq!(edit.files["images.d/team.yaml"], None);
    assert_eq!(edit.files.len(), 1);
}

#[test]
fn names_come_from_folders() {
    let found = |path: &str| Found {
        path: path.to_owned(),
        bases: vec!["node:22".to_owned()],
    };
    let all = [
        "Dockerfile",
        "apps/web/Dockerfile",
        "apps/web/Dockerfile.worker",
        "apps/api/docker/Dockerfile",
        "tools/api/Containerfile",
        "My_App/Dockerfile",
        "old/web/Dockerfile",
    ]
    .map(found);
    let source = Source {
        repo: "Acme/shop".to_owned(),
        ..Source::default()
    };
    let model = enrolled(&tree(
        "- {name: my-app, repository: x, allowTags: ^1$}\n- {name: taken, registry: ghcr.io, repository: a/b, source: {repo: Acme/shop, dockerfile: old/web/Dockerfile}}\n",
    ))
    .unwrap();
    let proposals = propose(&all, &source, "ghcr.io", &model);
    let names: Vec<(&str, Option<&str>)> = proposals
        .iter()
        .map(|p| {
            (
                p.entry.name.as_str(),
                p.entry.source.as_ref().unwrap().dockerfile.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("shop", None),
            ("shop-my-app", Some("My_App/Dockerfile")),
            ("apps-api", Some("apps/api/docker/Dockerfile")),
            ("web", Some("apps/web/Dockerfile")),
            ("web-worker", Some("apps/web/Dockerfile.worker")),
            ("tools-api", Some("tools/api/Containerfile")),
        ]
    );
    assert!(proposals[0].text().starts_with(
        "# built on node:22\n- name: shop\n  registry: ghcr.io\n  repository: acme/shop\n"
    ));
    // All of them can be enrolled, one after the other.
    let mut tree = tree("");
    for proposal in &proposals {
        let edit = add(&tree, &proposal.entry).unwrap();
        tree = tree.with(&edit);
    }
    assert_eq!(enrolled(&tree).unwrap().images.len(), 6);
}

#[test]
fn an_address_is_of_a_repository_on_a_known_host() {
    let of = |settings: &str, address: &str| {
        let model = enrolled(&tree(&format!("settings: {settings}\nimages: []\n"))).unwrap();
        repository_of(address, &model.settings.providers)
            .map(|(provider, repo)| format!("{provider} {repo}"))
    };
    for (address, expected) in [
        ("https://github.com/Acme/shop.git", Some("github Acme/shop")),
        (
            "https://user:secret@GitHub.com/acme/shop",
            Some("github acme/shop"),
        ),
        ("git@github.com:acme/shop.git", Some("github acme/shop")),
        (
            "ssh://git@github.com:22/acme/shop/",
            Some("github acme/shop"),
        ),
        (
            "https://gitlab.com/borealis/finance/ledger.git",
            Some("gitlab borealis/finance/ledger"),
        ),
        (
            "git@gitlab.com:borealis/finance/ledger.git",
            Some("gitlab borealis/finance/ledger"),
        ),
        (
            "ssh://git@gitlab.com:2222/borealis/ledger",
            Some("gitlab borealis/ledger"),
        ),
        ("https://github.com/acme/group/shop", None),
        ("https://github.com.evil.example/acme/shop", None),
        ("https://gitlab.com:8443/borealis/ledger", None),
        ("https://bitbucket.org/acme/shop", None),
        ("/srv/git/acme/shop.git", None),
        ("../acme/shop", None),
        ("acme/shop", None),
        ("", None),
    ] {
        assert_eq!(of("{}", address).as_deref(), expected, "{address}");
    }
    let hosts = "{providers: {github: {api: https://hub.example.com/api/v3}, gitlab: {api: https://example.com:8443/git/api/v4}}}";
    for (address, expected) in [
        (
            "git@hub.example.com:acme/shop.git",
            Some("github acme/shop"),
        ),
        (
            "https://example.com:8443/git/a/b/c.git",
            Some("gitlab a/b/c"),
        ),
        ("ssh://git@example.com:2222/a/b/c.git", Some("gitlab a/b/c")),
        ("https://example.com:8443/a/b", None),
        // An entry would be looked for on the other host.
        ("https://gitlab.com/a/b", None),
        ("https://github.com/a/b", None),
    ] {
        assert_eq!(of(hosts, address).as_deref(), expected, "{address}");
    }
}

#[test]
fn images_of_gitlabs_own_registry_are_below_their_project() {
    let found = [
        "Dockerfile",
        "api/Dockerfile",
        "old/Dockerfile",
        "here/x.Dockerfile",
    ]
    .map(|path| Found {
        path: path.to_owned(),
        bases: Vec::new(),
    });
    let source = Source {
        provider: Some("gitlab".to_owned()),
        repo: "Borealis/finance/ledger".to_owned(),
        ..Source::default()
    };
    let places = |registry: &str| {
        let model = enrolled(&tree(
            "settings: {git: {repo: https://gitlab.com/borealis/finance/ledger}}\nimages:\n\
             - {name: old, registry: r.example, repository: x/old, source: {provider: gitlab, repo: borealis/finance/Ledger, dockerfile: old/Dockerfile}}\n\
             - {name: here, registry: r.example, repository: x/here, source: {provider: gitlab, repo: borealis/b}, local: {dir: here, dockerfile: x.Dockerfile}}\n",
        ))
        .unwrap();
        propose(&found, &source, registry, &model)
            .into_iter()
            .map(|p| p.entry.repository)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        places("registry.gitlab.com"),
        ["borealis/finance/ledger", "borealis/finance/ledger/api"]
    );
    assert_eq!(
        places("quay.io"),
        ["borealis/finance/ledger", "borealis/finance/api"]
    );
}

#[test]
fn dockerfiles_are_known_by_their_names() {
    for name in [
        "Dockerfile",
        "Containerfile",
        "Dockerfile.api",
        "api.Dockerfile",
    ] {
        assert!(Found::is_dockerfile(name), "{name}");
    }
    for name in [
        "dockerfile.go",
        "Dockerfile.md",
        "Dockerfile.dockerignore",
        "Dockerfile.",
        "MyDockerfile",
        ".Dockerfile",
        "Dockerfile.j2",
    ] {
        assert!(!Found::is_dockerfile(name), "{name}");
    }
}

fn any_file() -> impl Strategy<Value = String> {
    let entry = prop_oneof![
        Just("- name: NAME\n  repository: NAME\n  allowTags: ^1$\n"),
        Just("- {name: NAME, repository: NAME, allowTags: ^1$}\n"),
        Just("-   name: NAME\n    repository: NAME\n    allowTags: ^1$ # one\n    # below\n"),
        Just("# above\n- name: NAME\n  repository: NAME\n  allowTags: ^1$\n"),
        Just(
            "- name: NAME\n  repository: NAME\n  allowTags: ^1$\n  description: |\n    text\n\n    - name: no\n"
        ),
        Just("- repository: \"NAME\"\n  allowTags: ^1$\n  'name': 'NAME'\n"),
    ];
    let gap = prop_oneof![Just(""), Just("\n"), Just("\n\n"), Just("\n# between\n\n")];
    (
        prop::collection::vec((entry, gap), 0..5),
        0usize..4,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(entries, indent, map, settings)| {
            let mut text = String::new();
            if map && settings {
                text.push_str("settings:\n  window: 1h # often\n\n");
            }
            if map {
                text.push_str("images:\n");
            }
            for (number, (entry, gap)) in entries.iter().enumerate() {
                let name = format!("n{number}");
                for line in entry.replace("NAME", &name).lines() {
                    let indent = if map { indent } else { 0 };
                    let line = format!("{:indent$}{line}", "");
                    text.push_str(line.trim_end());
                    text.push('\n');
                }
                text.push_str(gap);
            }
            if map && !settings {
                text.push_str("settings: {}\n");
            }
            text
        })
}

proptest! {
    #[test]
    fn one_block_is_added_and_the_same_one_goes_again(text in any_file()) {
        let with = added(&text).map_err(|d| TestCaseError::fail(format!("{d:?}")))?;
        // The old text, with one block of lines more.
        let (old, new): (Vec<&str>, Vec<&str>) = (text.lines().collect(), with.lines().collect());
        let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let left = old.len() - begin;
        prop_assert!(new.len() >= old.len() + 3);
        prop_assert_eq!(&old[begin..], &new[new.len() - left..]);
        let count = enrolled(&tree(&text)).unwrap().images.len();
        prop_assert_eq!(enrolled(&tree(&with)).unwrap().images.len(), count + 1);
        let without = removed(&with, "redis").map_err(|d| TestCaseError::fail(format!("{d:?}")))?;
        prop_assert_eq!(without.trim_end(), text.trim_end());
    }

    #[test]
    fn any_entry_can_go_and_the_others_stay(text in any_file(), which in 0usize..5) {
        let model = enrolled(&tree(&text)).unwrap();
        let name = format!("n{which}");
        match removed(&text, &name) {
            Ok(left) => {
                let left = enrolled(&tree(&left)).unwrap();
                prop_assert_eq!(left.images.len() + 1, model.images.len());
                prop_assert!(left.image(&name).is_none());
            }
            Err(refused) => {
                prop_assert!(model.image(&name).is_none());
                prop_assert_eq!(refused[0].code, code::UNKNOWN_IMAGE);
            }
        }
    }

    #[test]
    fn any_text_is_answered(text in "([-a-z:#\\[\\]{}&*|> \n\r\t\"'?!]|name: x\n|- |  ){0,30}") {
        if let Ok(with) = added(&text) {
            prop_assert!(enrolled(&tree(&with)).is_ok());
        }
        let _ = removed(&text, "x");
    }
}
