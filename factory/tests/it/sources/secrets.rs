//! Who gets which credentials, and where they never stand.

use super::*;

#[test]
fn a_token_opens_its_own_host_only() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    server.protect("/", Some("x-access-token"), TOKEN);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    let mut machine = Machine::new(&server);
    let (kind, _, help) = machine.error(&file);
    assert_eq!(kind, SourceErrorKind::Denied);
    assert!(help.contains("set `GITHUB_TOKEN`"), "{help}");

    machine.set("GITHUB_TOKEN", TOKEN);
    assert_eq!(machine.text(&file), "FROM a\n");

    // A deploy token names its user.
    machine.set("GITHUB_TOKEN", &format!("x-access-token:{TOKEN}"));
    let fresh = Machine {
        home: tempfile::tempdir().unwrap(),
        ..machine
    };
    assert_eq!(fresh.text(&file), "FROM a\n");

    let mut wrong = Machine::new(&server);
    wrong.set("GITHUB_TOKEN", "another-s3cret");
    let (kind, message, help) = wrong.error(&file);
    assert_eq!(kind, SourceErrorKind::Denied);
    assert!(help.contains("the token in `GITHUB_TOKEN`"), "{help}");
    assert!(!format!("{message}{help}").contains("another-s3cret"));

    // The same address, but the provider lives elsewhere.
    server.forget();
    let mut elsewhere = Machine::new(&server);
    elsewhere.github = "https://api.github.com".to_owned();
    elsewhere.set("GITHUB_TOKEN", TOKEN);
    let (kind, _, help) = elsewhere.error(&file);
    assert_eq!(kind, SourceErrorKind::Denied);
    assert!(
        help.contains("no token of ours is for http://127.0.0.1:"),
        "{help}"
    );
    assert!(
        server
            .requests()
            .iter()
            .all(|r| r.header("authorization").is_none())
    );
}

#[test]
fn a_redirect_to_another_host_gets_no_token() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let thief = GitServer::start();
    thief
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM thief\n")]);
    server.protect("/", None, TOKEN);
    thief.protect("/", None, "whatever you have");
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    for part in ["/info/refs", "/git-upload-pack"] {
        let mut machine = Machine::new(&server);
        machine.set("GITHUB_TOKEN", TOKEN);
        server.fault(part, 99, Fault::Redirect(thief.url()));
        let (_, message, _) = machine.error(&file);
        for request in thief.requests() {
            assert_eq!(request.header("authorization"), None, "{part} {request:?}");
            assert!(!format!("{:?}", request.headers).contains(TOKEN));
        }
        // Nothing after the first question leads elsewhere.
        let followed = part == "/info/refs";
        assert_eq!(!thief.requests().is_empty(), followed, "{message}");
        server.heal();
        thief.forget();
        assert_eq!(machine.text(&file), "FROM a\n");
    }
}

#[test]
fn another_host_that_asks_for_credentials_gets_none() {
    let server = GitServer::start();
    server.repository("acme/shop");
    let thief = GitServer::start();
    thief.protect("/", None, "whatever you have");
    server.fault("/info/refs", 99, Fault::Redirect(thief.url()));
    let mut machine = Machine::new(&server);
    machine.set("GITHUB_TOKEN", TOKEN);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    let (kind, message, _) = machine.error(&file);
    assert_eq!(kind, SourceErrorKind::Denied, "{message}");
    assert!(!thief.requests().is_empty());
    for request in thief.requests() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
    }
}

#[test]
fn helpers_of_the_environment_come_first_for_the_own_repository() {
    let server = GitServer::start();
    server
        .repository("acme/factory")
        .commit("main", &[("Dockerfile", "FROM own\n")]);
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM shop\n")]);
    server.protect("/acme/factory", Some("bot"), "own-s3cret");
    server.protect("/acme/shop", None, TOKEN);
    let mut machine = Machine::new(&server);
    machine.own = Some(server.address("acme/factory"));
    // As the rendered Jobs have it.
    machine.set("GIT_CONFIG_COUNT", "1");
    machine.set(
        "GIT_CONFIG_KEY_0",
        &format!("credential.{}.helper", server.url()),
    );
    machine.set(
        "GIT_CONFIG_VALUE_0",
        r#"!f() { printf 'username=%s\npassword=%s\n' "$GIT_USERNAME" "$GIT_PASSWORD"; }; f"#,
    );
    machine.set("GIT_USERNAME", "bot");
    machine.set("GIT_PASSWORD", "own-s3cret");
    machine.set("GITHUB_TOKEN", TOKEN);
    let own = wanted(&server.address("acme/factory"), "main", "Dockerfile");
    let shop = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    assert_eq!(machine.text(&own), "FROM own\n");
    let given = |server: &GitServer| -> Vec<(String, String)> {
        let headers = server.requests();
        let headers = headers.iter().filter_map(|r| r.header("authorization"));
        headers
            .filter_map(|h| basic(h.strip_prefix("Basic ")?))
            .collect()
    };
    assert!(given(&server).iter().all(|(user, _)| user == "bot"));
    server.forget();
    assert_eq!(machine.text(&shop), "FROM shop\n");
    assert!(
        given(&server)
            .iter()
            .all(|(user, _)| user == "x-access-token")
    );
    // Either opens what the other cannot.
    server.protect("/acme/shop", Some("bot"), "own-s3cret");
    let other = Machine {
        home: tempfile::tempdir().unwrap(),
        ..machine
    };
    assert_eq!(other.text(&own), "FROM own\n");
    assert_eq!(other.text(&shop), "FROM shop\n");
}

/// A git that writes down how it was called.
fn recorder(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let find = |name: &str| {
        let path = std::env::var_os("PATH").unwrap();
        std::env::split_paths(&path)
            .map(|dir| dir.join(name))
            .find(|file| file.is_file())
            .unwrap()
    };
    let bin = folder.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let log = folder.join("log");
    let script = format!(
        "#!/bin/sh\n{{ printf '%s\\n' \"git $*\"; env | grep -v '^PATH=' | sed 's/^/    /'; }} >> '{}'\nexec '{}' \"$@\"\n",
        log.display(),
        find("git").display()
    );
    std::fs::write(bin.join("git"), script).unwrap();
    std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
    log
}

#[test]
fn secrets_stand_in_no_argument_file_or_message_and_in_one_environment() {
    let server = GitServer::start();
    let other = GitServer::start();
    for server in [&server, &other] {
        server
            .repository("acme/shop")
            .commit("main", &[("Dockerfile", "FROM a\n")]);
    }
    server.protect("/", None, TOKEN);
    let mut machine = Machine::new(&server);
    let log = recorder(machine.home.path());
    let path = std::env::var("PATH").unwrap();
    machine.set(
        "PATH",
        &format!("{}:{path}", machine.home.path().join("bin").display()),
    );
    machine.set("GITHUB_TOKEN", TOKEN);
    machine.set("GIT_PASSWORD", "own-s3cret");
    machine.set("GIT_TRACE_CURL", "1");
    machine.set("AWS_SECRET_ACCESS_KEY", "aws-s3cret");
    for server in [&server, &other] {
        let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
        assert_eq!(machine.text(&file), "FROM a\n");
    }
    let log = std::fs::read_to_string(log).unwrap();
    let mut calls = 0;
    for call in log.split("\ngit ") {
        let (arguments, env) = call.split_once('\n').unwrap_or((call, ""));
        assert!(!arguments.contains(TOKEN), "{arguments}");
        assert!(
            !env.contains("aws-s3cret") && !env.contains("own-s3cret"),
            "{call}"
        );
        assert!(
            !env.contains("GIT_TRACE") && !env.contains("GITHUB_TOKEN"),
            "{call}"
        );
        let talks = call.starts_with("ls-remote")
            || call.starts_with("fetch")
            || call.contains("git ls-remote");
        let to_us = call.contains("protocol.http.allow") && env.contains(&server.url());
        if env.contains(TOKEN) {
            calls += 1;
            assert!(talks && to_us, "{call}");
        }
    }
    assert!(calls >= 3, "{log}");
    let mut stack = vec![machine.cache()];
    while let Some(folder) = stack.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                let found = bytes
                    .windows(TOKEN.len())
                    .any(|part| part == TOKEN.as_bytes());
                assert!(!found, "{}", path.display());
            }
        }
    }
}

#[test]
fn the_users_configuration_leads_nowhere_else() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let machine = Machine::new(&server);
    let proof = machine.home.path().join("proof");
    let config = format!(
        "[url \"ext::touch {0} \"]\n\tinsteadOf = {1}\n[core]\n\tsshCommand = touch {0}\n\tfsmonitor = touch {0}\n\
         [protocol \"ext\"]\n\tallow = always\n[alias]\n\tfetch = !touch {0}\n",
        proof.display(),
        server.url()
    );
    std::fs::write(machine.home.path().join(".gitconfig"), config).unwrap();
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    assert_eq!(machine.text(&file), "FROM a\n");
    assert!(!proof.exists());

    // Its helpers are asked, for what no token is for.
    server.protect("/", Some("me"), TOKEN);
    let helper = format!(
        "[credential]\n\thelper = \"!printf 'username=me\\\\npassword={TOKEN}\\\\n'; :\"\n"
    );
    std::fs::write(machine.home.path().join(".gitconfig"), helper).unwrap();
    let fresh = Machine {
        env: machine.env.clone(),
        ..Machine::new(&server)
    };
    std::fs::remove_dir_all(machine.cache()).unwrap();
    assert_eq!(fresh.text(&file), "FROM a\n");
}

#[test]
fn whom_to_trust_is_told_to_git_whichever_way_it_is_said() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    for (variables, config, expected) in [
        (&[("SSL_CERT_FILE", "/ca/all")][..], "", Some("/ca/all")),
        (
            &[("SSL_CERT_FILE", "/ca/all"), ("GIT_SSL_CAINFO", "/ca/git")],
            "",
            Some("/ca/git"),
        ),
        (
            &[("SSL_CERT_FILE", "/ca/all")],
            "[http \"https://git.example.com\"]\n\tsslCAInfo = /ca/one\n",
            None,
        ),
        (&[], "", None),
    ] {
        let mut machine = Machine::new(&server);
        let log = recorder(machine.home.path());
        let path = std::env::var("PATH").unwrap();
        let bin = machine.home.path().join("bin");
        machine.set("PATH", &format!("{}:{path}", bin.display()));
        for (name, value) in variables {
            machine.set(name, value);
        }
        std::fs::write(machine.home.path().join(".gitconfig"), config).unwrap();
        let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
        assert_eq!(machine.text(&file), "FROM a\n");
        let log = std::fs::read_to_string(log).unwrap();
        let asked = log
            .split("\ngit ")
            .find(|call| call.starts_with("ls-remote"));
        let told = asked
            .unwrap()
            .lines()
            .find_map(|line| line.trim().strip_prefix("GIT_SSL_CAINFO="));
        assert_eq!(told, expected);
        assert_eq!(config.is_empty(), !log.contains("/ca/one"));
    }
}
