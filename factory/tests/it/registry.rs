//! The registry client against a registry that behaves, and one that does not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use factory::http::{Proxies, Timeouts};
use factory::registry::{
    Concurrency, Credentials, Host, Kind, Options, Patience, Registry, RegistryError, Wanted,
};
use image_factory::model::{Digest, Parse, Reference};

use crate::servers::registry::{Door, Fault, INDEX, Registry as Stub};

fn options() -> Options {
    Options {
        timeouts: Timeouts {
            // Only who hangs reaches these, and its tests have shorter ones.
            connect: Duration::from_secs(20),
            answer: Duration::from_secs(20),
            whole: Duration::from_secs(20),
        },
        patience: Patience {
            attempts: 3,
            pause: Duration::from_millis(1),
            longest: Duration::from_secs(2),
        },
        proxies: Proxies::default(),
        hosts: BTreeMap::new(),
        credentials: Credentials::anonymous(),
        notice: Box::new(|_| {}),
    }
}

fn client() -> Registry {
    Registry::new(options())
}

/// A client whose Docker configuration is this text.
fn knowing(config: String) -> Registry {
    let home = |name: &str| (name == "DOCKER_CONFIG").then(|| PathBuf::from("/configured"));
    let read = move |_: &Path| Ok(config.clone().into_bytes());
    Registry::new(Options {
        credentials: Credentials::from_files(home, read),
        ..options()
    })
}

fn login(host: &str, user: &str) -> String {
    use base64::Engine as _;
    let auth = base64::prelude::BASE64_STANDARD.encode(user);
    format!(r#"{{"auths": {{"{host}": {{"auth": "{auth}"}}}}}}"#)
}

fn reference(stub: &Stub, rest: &str) -> Reference {
    Reference::parse(&format!("{}/{rest}", stub.host())).unwrap()
}

fn failure(registry: &Registry, reference: &Reference) -> RegistryError {
    registry.resolve(reference, None).unwrap_err()
}

#[test]
fn a_new_digest_is_fetched_and_hashed_and_a_known_one_costs_one_head() {
    let stub = Stub::start();
    let first = stub.push("a/b", "1", "first");
    let (client, image) = (client(), reference(&stub, "a/b:1"));
    let got = client.resolve(&image, None).unwrap();
    assert_eq!(got.digest, first);
    assert_eq!(got.media_type, "application/vnd.oci.image.manifest.v1+json");
    assert_eq!(
        stub.asked(),
        [
            "HEAD /v2/a/b/manifests/1".to_owned(),
            format!("GET /v2/a/b/manifests/{first}")
        ]
    );
    // The same again: 304.
    assert_eq!(client.resolve(&image, Some(&first)).unwrap().digest, first);
    let requests = stub.requests();
    assert_eq!(
        requests[0].header("if-none-match"),
        Some(&*format!("\"{first}\""))
    );
    assert_eq!(stub.asked(), ["HEAD /v2/a/b/manifests/1"]);
    // From a registry that knows no conditions.
    stub.fault("HEAD", "/manifests/", 1, Fault::Header(first.to_string()));
    assert_eq!(client.resolve(&image, Some(&first)).unwrap().digest, first);
    assert_eq!(stub.asked(), ["HEAD /v2/a/b/manifests/1"]);
    // Another one.
    let second = stub.push("a/b", "1", "second");
    assert_eq!(client.resolve(&image, Some(&first)).unwrap().digest, second);
    assert_eq!(stub.asked().len(), 2);
}

#[test]
fn a_digest_without_tag_is_asked_for_itself() {
    let stub = Stub::start();
    let digest = stub.push("a", "1", "x");
    let pinned = reference(&stub, &format!("a@{digest}"));
    assert_eq!(client().resolve(&pinned, None).unwrap().digest, digest);
    assert_eq!(stub.asked(), [format!("HEAD /v2/a/manifests/{digest}")]);
    let gone = format!("sha256:{}", "0".repeat(64));
    let error = failure(&client(), &reference(&stub, &format!("a@{gone}")));
    assert_eq!(error.kind, Kind::NoSuchTag);
}

#[test]
fn a_missing_header_is_made_up_for_by_hashing() {
    let stub = Stub::start();
    let digest = stub.push("a", "1", "x");
    stub.fault("", "/manifests/", 9, Fault::Header(String::new()));
    let got = client().resolve(&reference(&stub, "a:1"), None).unwrap();
    assert_eq!(got.digest, digest);
    assert_eq!(
        stub.asked(),
        ["HEAD /v2/a/manifests/1", "GET /v2/a/manifests/1"]
    );
    // No HEAD at all.
    stub.heal();
    stub.fault("HEAD", "", 9, Fault::Status(405, Vec::new()));
    let got = client().resolve(&reference(&stub, "a:1"), None).unwrap();
    assert_eq!(got.digest, digest);
}

#[test]
fn a_registry_that_lies_about_digests_is_believed_nothing() {
    let stub = Stub::start();
    let (one, two) = (stub.push("a", "1", "one"), stub.push("a", "2", "two"));
    let image = reference(&stub, "a:1");
    let is_refused = |known: Option<&Digest>| {
        let error = client().resolve(&image, known).unwrap_err();
        assert_eq!(error.kind, Kind::WrongDigest, "{error}");
        assert_eq!(error.code().id(), "IF276");
        stub.heal();
    };
    // The header names what is not behind the tag, and the bytes are others.
    let wrong = format!("sha256:{}", "1".repeat(64));
    stub.tag("a", &wrong, &one);
    stub.fault("HEAD", "", 1, Fault::Header(wrong.clone()));
    is_refused(None);
    stub.fault("HEAD", "", 1, Fault::Header(wrong.clone()));
    is_refused(Some(&two));
    // The bytes of another image.
    stub.fault(
        "GET",
        "/manifests/",
        1,
        Fault::Body(br#"{"schemaVersion":2}"#.to_vec()),
    );
    is_refused(None);
    // No header first, and a wrong one with the bytes.
    stub.fault("HEAD", "", 1, Fault::Header(String::new()));
    stub.fault("GET", "", 1, Fault::Header(wrong));
    is_refused(None);
    // A configuration that was exchanged.
    stub.fault(
        "GET",
        "/blobs/",
        1,
        Fault::Body(br#"{"os":"evil"}"#.to_vec()),
    );
    let error = client().describe(&image.repository, &one).unwrap_err();
    assert_eq!(error.kind, Kind::WrongDigest);
}

#[test]
fn what_an_image_says_is_read_through_its_index() {
    let stub = Stub::start();
    let base = format!("sha256:{}", "b".repeat(64));
    let labels = [("org.opencontainers.image.base.digest", &*base), ("x", "y")];
    let (amd, arm) = (stub.image("amd64", &labels), stub.image("arm64", &[]));
    let attestation = stub.image("unknown", &[]);
    let platform = |digest: &Digest, os: &str, architecture: &str| {
        serde_json::json!({"mediaType": "m", "digest": digest.as_str(), "size": 1,
            "platform": {"os": os, "architecture": architecture}})
    };
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "annotations": {"k": "v"}, "manifests": [
        platform(&attestation, "unknown", "unknown"), platform(&arm, "linux", "arm64"), platform(&amd, "linux", "amd64")]});
    let digest = stub.keep(INDEX, index.to_string().as_bytes());
    stub.tag("a", "1", &digest);
    let (client, image) = (client(), reference(&stub, "a:1"));
    let got = client.resolve(&image, None).unwrap();
    assert_eq!((&got.digest, got.media_type.as_str()), (&digest, INDEX));
    stub.asked();
    let said = client.describe(&image.repository, &digest).unwrap();
    assert_eq!(said.architecture.as_deref(), Some("amd64"));
    assert_eq!(said.os.as_deref(), Some("linux"));
    assert_eq!(said.created.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert_eq!((said.size, said.labels["x"].as_str()), (Some(1000), "y"));
    assert_eq!(said.annotations["k"], "v");
    assert_eq!(said.base_digest().unwrap().as_str(), base);
    // The index is at hand from before: its entry and that one's configuration.
    assert_eq!(stub.asked().len(), 2);
}

#[test]
fn what_is_gone_is_told_apart() {
    let stub = Stub::start();
    stub.push("a/b", "1", "x");
    let gone = failure(&client(), &reference(&stub, "a/b:2"));
    assert_eq!((gone.kind, gone.code().id()), (Kind::NoSuchTag, "IF270"));
    let host = stub.host();
    assert_eq!(
        gone.to_string(),
        format!("`{host}/a/b:2`: `{host}` has no `2` in `a/b`")
    );
    let gone = failure(&client(), &reference(&stub, "a/c:1"));
    assert_eq!(gone.kind, Kind::NoSuchRepository);
}

#[test]
fn anonymous_tokens_are_had_and_used_again() {
    let stub = Stub::start();
    stub.door(Door::Token {
        realm: String::new(),
        user: String::new(),
    });
    let digest = stub.push("a", "1", "x");
    stub.push("b/c", "1", "y");
    let client = client();
    assert_eq!(
        client
            .resolve(&reference(&stub, "a:1"), None)
            .unwrap()
            .digest,
        digest
    );
    let asked = stub.asked();
    assert_eq!(
        asked,
        [
            "HEAD /v2/a/manifests/1",
            "GET /token",
            "HEAD /v2/a/manifests/1",
            &format!("GET /v2/a/manifests/{digest}")
        ]
    );
    client
        .resolve(&reference(&stub, "a:1"), Some(&digest))
        .unwrap();
    assert_eq!(
        stub.asked(),
        ["HEAD /v2/a/manifests/1"],
        "the token is good for longer"
    );
    client.resolve(&reference(&stub, "b/c:1"), None).unwrap();
    assert_eq!(
        stub.asked()[..2],
        ["GET /token", "HEAD /v2/b/c/manifests/1"]
    );
}

#[test]
fn passwords_and_tokens_of_docker_open_private_registries() {
    let private = |door: Door| {
        let stub = Stub::start();
        stub.push("a", "1", "x");
        stub.door(door);
        stub
    };
    let token = |user: &str| Door::Token {
        realm: String::new(),
        user: user.to_owned(),
    };
    for door in [Door::Basic("me:secret".to_owned()), token("me:secret")] {
        let stub = private(door.clone());
        let image = reference(&stub, "a:1");
        let client = knowing(login(&stub.host(), "me:secret"));
        client.resolve(&image, None).unwrap();
        let before = stub.asked().len();
        client.resolve(&image, None).unwrap();
        assert!(
            stub.asked().len() < before,
            "{door:?}: who is asked once knows"
        );

        let error = failure(&knowing(login(&stub.host(), "me:old")), &image);
        assert_eq!((error.kind, error.code().id()), (Kind::Denied, "IF271"));
        assert!(error.reason.contains("/configured/config.json"), "{error}");
        assert!(!format!("{error:?}").contains("old"), "{error:?}");

        let error = failure(&knowing("{}".to_owned()), &image);
        assert_eq!(error.kind, Kind::Denied);
        assert!(
            error
                .reason
                .contains("there are none for it in /configured/config.json"),
            "{error}"
        );
        assert!(error.help.unwrap().contains("docker login"));
    }
    let stub = private(token("refresh-me"));
    let config = format!(
        r#"{{"auths": {{"{}": {{"identitytoken": "refresh-me"}}}}}}"#,
        stub.host()
    );
    knowing(config)
        .resolve(&reference(&stub, "a:1"), None)
        .unwrap();
    assert!(stub.asked().contains(&"POST /token".to_owned()));
}

#[test]
fn a_token_that_was_refused_is_renewed_once() {
    let stub = Stub::start();
    stub.push("a", "1", "x");
    stub.door(Door::Token {
        realm: String::new(),
        user: String::new(),
    });
    let client = client();
    let image = reference(&stub, "a:1");
    let digest = client.resolve(&image, None).unwrap().digest;
    stub.asked();
    let challenge = format!(
        "Bearer realm=\"{}/token\",service=\"stub\",scope=\"repository:a:pull\"",
        stub.url()
    );
    stub.fault(
        "HEAD",
        "",
        1,
        Fault::Status(401, vec![("www-authenticate", challenge.clone())]),
    );
    client.resolve(&image, Some(&digest)).unwrap();
    assert_eq!(
        stub.asked(),
        [
            "HEAD /v2/a/manifests/1",
            "GET /token",
            "HEAD /v2/a/manifests/1"
        ]
    );
    stub.fault(
        "HEAD",
        "",
        9,
        Fault::Status(401, vec![("www-authenticate", challenge)]),
    );
    assert_eq!(failure(&client, &image).kind, Kind::Denied);
    assert_eq!(stub.asked().len(), 3, "not again and again");
}

#[test]
fn credentials_go_to_nobody_else() {
    let (home, other) = (Stub::start(), Stub::start());
    home.door(Door::Basic("me:secret".to_owned()));
    let digest = home.push("a", "1", "x");
    assert_eq!(other.push("a", "1", "x"), digest);
    let client = knowing(login(&home.host(), "me:secret"));
    let image = reference(&home, "a:1");
    // Once so that it is known what the registry wants, and sent without being asked.
    client.resolve(&image, None).unwrap();
    let away = |path: &str| Fault::Redirect(format!("{}{path}", other.url()));
    home.fault("HEAD", "", 1, away("/v2/a/manifests/1"));
    home.fault(
        "GET",
        "/manifests/",
        1,
        away(&format!("/v2/a/manifests/{digest}")),
    );
    assert_eq!(client.resolve(&image, None).unwrap().digest, digest);
    assert!(!other.requests().is_empty());
    for request in other.requests() {
        assert_eq!(request.header("authorization"), None, "{}", request.path);
    }
    // Who wants to see some there gets none either.
    other.door(Door::Basic("me:secret".to_owned()));
    home.fault("HEAD", "", 1, away("/v2/a/manifests/1"));
    let error = failure(&client, &image);
    assert_eq!(error.kind, Kind::Denied);
    assert!(error.reason.contains("another server"), "{error}");
    assert!(
        other
            .requests()
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}

#[test]
fn a_realm_that_leads_away_gets_the_password_only_if_the_registry_names_it_itself() {
    let (home, other) = (Stub::start(), Stub::start());
    home.push("a", "1", "x");
    let user = || "me:secret".to_owned();
    home.door(Door::Token {
        realm: format!("{}/token", other.url()),
        user: user(),
    });
    other.door(Door::Token {
        realm: String::new(),
        user: user(),
    });
    let client = knowing(login(&home.host(), "me:secret"));
    client.resolve(&reference(&home, "a:1"), None).unwrap();
    assert!(other.requests()[0].header("authorization").is_some());
    // A token service that leads on with a password in hand is not followed.
    let third = Stub::start();
    third.door(Door::Token {
        realm: String::new(),
        user: String::new(),
    });
    other.fault(
        "",
        "/token",
        9,
        Fault::Redirect(format!("{}/token", third.url())),
    );
    let client = knowing(login(&home.host(), "me:secret"));
    assert_eq!(
        failure(&client, &reference(&home, "a:1")).kind,
        Kind::Garbage
    );
    assert!(third.requests().is_empty());
    // Nor is a place without encryption elsewhere.
    home.door(Door::Token {
        realm: "http://auth.example.com/token".to_owned(),
        user: user(),
    });
    let client = knowing(login(&home.host(), "me:secret"));
    let error = failure(&client, &reference(&home, "a:1"));
    assert_eq!((error.kind, error.code().id()), (Kind::Unsafe, "IF278"));
}

#[test]
fn what_may_pass_is_asked_again_and_no_more() {
    let stub = Stub::start();
    let digest = stub.push("a", "1", "x");
    let image = reference(&stub, "a:1");
    stub.fault("", "", 2, Fault::Status(503, Vec::new()));
    assert_eq!(client().resolve(&image, None).unwrap().digest, digest);
    assert_eq!(stub.asked().len(), 4);
    stub.fault("GET", "", 1, Fault::Cut);
    assert_eq!(client().resolve(&image, None).unwrap().digest, digest);
    assert_eq!(stub.asked().len(), 3);
    stub.fault("", "", 9, Fault::Status(502, Vec::new()));
    let error = failure(&client(), &image);
    assert_eq!(
        (error.kind, error.code().id()),
        (Kind::Unreachable, "IF273")
    );
    assert_eq!(stub.asked().len(), 3, "attempts are bounded");
    stub.heal();
    stub.fault("", "", 9, Fault::Status(400, Vec::new()));
    assert_eq!(failure(&client(), &image).kind, Kind::Garbage);
    assert_eq!(stub.asked().len(), 1, "a refusal stays one");
}

#[test]
fn a_short_pause_is_kept_and_a_long_one_ends_the_run_with_that_host() {
    let stub = Stub::start();
    stub.push("a", "1", "x");
    stub.push("b", "1", "y");
    let image = reference(&stub, "a:1");
    let limited = |seconds: &str| Fault::Status(429, vec![("retry-after", seconds.to_owned())]);
    stub.fault("", "", 1, limited("1"));
    let start = Instant::now();
    client().resolve(&image, None).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(990));
    stub.asked();

    stub.fault("", "", 1, limited("7200"));
    let client = client();
    let error = failure(&client, &image);
    let wait = Some(Duration::from_secs(7200));
    assert_eq!(
        (error.kind, error.code().id()),
        (Kind::RateLimited { wait }, "IF272")
    );
    assert!(error.help.unwrap().contains("2 h"));
    assert_eq!(stub.asked().len(), 1);
    // The limit is gone, but nobody asks any more: that is what was wanted of us.
    let error = failure(&client, &reference(&stub, "b:1"));
    assert!(matches!(error.kind, Kind::RateLimited { .. }));
    assert!(error.image.ends_with("/b:1"), "{error}");
    assert!(stub.asked().is_empty());
}

#[test]
fn a_host_that_hangs_costs_its_timeout_once() {
    let stub = Stub::start();
    stub.fault("", "", 99, Fault::Hang);
    let client = Registry::new(Options {
        timeouts: Timeouts {
            connect: Duration::from_millis(150),
            answer: Duration::from_millis(150),
            whole: Duration::from_millis(150),
        },
        ..options()
    });
    let error = failure(&client, &reference(&stub, "a:1"));
    assert_eq!(error.kind, Kind::Unreachable);
    assert!(error.reason.contains("in time"), "{error}");
    assert_eq!(stub.asked().len(), 3);
    let start = Instant::now();
    for image in ["a:2", "b:1", "c:1"] {
        assert_eq!(
            failure(&client, &reference(&stub, image)).kind,
            Kind::Unreachable
        );
    }
    assert!(
        start.elapsed() < Duration::from_millis(400),
        "nobody was asked"
    );
    assert!(stub.asked().is_empty());
}

#[test]
fn one_slow_image_stops_no_other_of_its_registry() {
    let stub = Stub::start();
    stub.push("good", "1", "x");
    let client = Registry::new(Options {
        timeouts: Timeouts {
            connect: Duration::from_millis(800),
            answer: Duration::from_millis(800),
            whole: Duration::from_millis(800),
        },
        ..options()
    });
    client.resolve(&reference(&stub, "good:1"), None).unwrap();
    stub.fault("", "/bad/", 99, Fault::Hang);
    assert_eq!(
        failure(&client, &reference(&stub, "bad:1")).kind,
        Kind::Unreachable
    );
    client.resolve(&reference(&stub, "good:1"), None).unwrap();
}

#[test]
fn nothing_is_made_of_garbage() {
    let stub = Stub::start();
    stub.push("a", "1", "x");
    let image = reference(&stub, "a:1");
    let page = b"<html>sign in</html>".to_vec();
    let sign_in = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        page.len()
    );
    for (what, fault) in [
        ("no HTTP", Fault::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        (
            "a sign-in page",
            Fault::Raw([sign_in.into_bytes(), page].concat()),
        ),
        ("no sha256", Fault::Header("md5:abc".to_owned())),
        ("a status of nobody", Fault::Status(299, Vec::new())),
        ("a redirect to nowhere", Fault::Redirect("::".to_owned())),
        ("a circle", Fault::Redirect("/v2/a/manifests/1".to_owned())),
        ("an answer to no question", Fault::Status(304, Vec::new())),
        ("no way in", Fault::Status(401, Vec::new())),
    ] {
        stub.fault("", "", 99, fault);
        let error = failure(&client(), &image);
        assert_eq!(error.kind, Kind::Garbage, "{what}: {error}");
        assert!(stub.asked().len() <= 6, "{what}");
        stub.heal();
    }
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    stub.fault("", "", 99, Fault::Raw(huge.into_bytes()));
    assert_eq!(failure(&client(), &image).kind, Kind::Garbage);
}

#[test]
fn a_huge_body_is_not_read_to_its_end() {
    let stub = Stub::start();
    stub.push("a", "1", "x");
    let body = vec![b' '; (8 << 20) + 1];
    stub.fault("GET", "", 9, Fault::Body(body));
    let client = Registry::new(Options {
        timeouts: Timeouts::default(),
        ..options()
    });
    let error = failure(&client, &reference(&stub, "a:1"));
    assert_eq!((error.kind, error.code().id()), (Kind::Garbage, "IF275"));
    assert!(error.reason.contains("longer than"), "{error}");
}

#[test]
fn who_is_not_there_is_named() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let closed = Reference::parse(&format!("127.0.0.1:{port}/a:1")).unwrap();
    let error = failure(&client(), &closed);
    assert_eq!(error.kind, Kind::Unreachable, "{error}");
    // TLS is spoken to who is no loopback, and to who should speak it by a setting.
    let stub = Stub::start();
    let host = Host {
        insecure: Some(false),
        authorities: None,
    };
    let client = Registry::new(Options {
        hosts: BTreeMap::from([(stub.host(), host)]),
        ..options()
    });
    let error = failure(&client, &reference(&stub, "a:1"));
    // Most answer something, which is no TLS; this one hangs up.
    assert!(
        matches!(error.kind, Kind::Tls | Kind::Unreachable),
        "{error:?}"
    );
}

#[test]
fn many_are_asked_at_once_and_answered_in_order() {
    let (one, two) = (Stub::start(), Stub::start());
    let mut wanted = Vec::new();
    let mut expected = Vec::new();
    for number in 0..30 {
        let stub = if number % 3 == 0 { &two } else { &one };
        let repository = format!("a/b{number}");
        expected.push((number % 7 != 0).then(|| stub.push(&repository, "1", &repository)));
        wanted.push(Wanted {
            reference: reference(stub, &format!("{repository}:1")),
            known: None,
            describe: number % 2 == 0,
        });
    }
    let steps = Arc::new(Mutex::new(Vec::new()));
    let progress = |done: usize| steps.lock().unwrap().push(done);
    let concurrency = Concurrency {
        all: 6,
        per_registry: 2,
    };
    let answers = client().resolve_all(&wanted, concurrency, &progress);
    assert_eq!(answers.len(), 30);
    for (number, (answer, expected)) in answers.iter().zip(&expected).enumerate() {
        let got = answer.as_ref().ok();
        assert_eq!(got.map(|got| &got.digest), expected.as_ref(), "{number}");
        let described = got.and_then(|got| got.description.as_ref());
        assert_eq!(
            described.is_some(),
            expected.is_some() && number % 2 == 0,
            "{number}"
        );
    }
    let mut steps = steps.lock().unwrap().clone();
    steps.sort_unstable();
    assert_eq!(steps, (1..=30).collect::<Vec<_>>());
    let none = client().resolve_all(&[], Concurrency::default(), &|_| {});
    assert!(none.is_empty());
}

#[test]
fn a_helper_is_asked_once_and_by_its_input() {
    use std::os::unix::fs::PermissionsExt as _;
    let stub = Stub::start();
    stub.push("a", "1", "x");
    stub.push("b", "1", "y");
    stub.door(Door::Basic("me:secret".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let helper = |name: &str, script: &str| {
        let path = folder.path().join(format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    helper(
        "good",
        "read -r server\necho \"$* $server $MINE\" >>\"$LOG\"\n\
         echo '{\"ServerURL\":\"x\",\"Username\":\"me\",\"Secret\":\"secret\"}'\n",
    );
    helper(
        "nothing",
        "echo credentials not found in native keychain\nexit 1\n",
    );
    helper("locked", "echo the vault is locked\nexit 1\n");
    let log = folder.path().join("log");
    let by = |name: &str| {
        let config = format!(r#"{{"credHelpers": {{"{}": "{name}"}}}}"#, stub.host());
        let home = |name: &str| (name == "DOCKER_CONFIG").then(|| PathBuf::from("/configured"));
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let variables = [
            ("PATH", path),
            ("LOG", log.display().to_string()),
            ("MINE", "mine".to_owned()),
        ];
        let credentials = Credentials::from_files(home, move |_| Ok(config.clone().into_bytes()));
        Registry::new(Options {
            credentials: credentials
                .with_environment(variables.map(|(name, value)| (name.into(), value.into()))),
            ..options()
        })
    };
    let client = by("good");
    client.resolve(&reference(&stub, "a:1"), None).unwrap();
    client.resolve(&reference(&stub, "b:1"), None).unwrap();
    let said = std::fs::read_to_string(&log).unwrap();
    assert_eq!(said, format!("get {} mine\n", stub.host()));

    let error = failure(&by("nothing"), &reference(&stub, "a:1"));
    assert_eq!(error.kind, Kind::Denied);
    for name in ["locked", "missing", "../evil"] {
        let error = failure(&by(name), &reference(&stub, "a:1"));
        assert_eq!(
            (error.kind, error.code().id()),
            (Kind::Credentials, "IF277"),
            "{name}"
        );
        assert_eq!(
            error.reason.contains("the vault is locked"),
            name == "locked",
            "{error}"
        );
    }
}

#[test]
fn who_is_elsewhere_is_asked_through_the_proxy() {
    use crate::servers::http::{Answer, Server};
    let proxy = Server::start(|_| Answer::text(407, "no"));
    let address = proxy.url().replace("http://", "http://me:hunter2@");
    let variable = move |name: &str| match name {
        "https_proxy" | "http_proxy" => Some(address.clone()),
        "no_proxy" => Some("direct.invalid".to_owned()),
        _ => None,
    };
    let plain = Host {
        insecure: Some(true),
        authorities: None,
    };
    let client = Registry::new(Options {
        proxies: Proxies::new(variable),
        hosts: BTreeMap::from([("plain.example.com".to_owned(), plain)]),
        ..options()
    });
    let stub = Stub::start();
    stub.push("a", "1", "x");
    client.resolve(&reference(&stub, "a:1"), None).unwrap();
    assert!(
        proxy.requests().is_empty(),
        "this machine is asked directly"
    );
    for (image, line) in [
        ("tls.example.com/a:1", "CONNECT tls.example.com:443"),
        ("plain.example.com/a:1", "CONNECT plain.example.com:80"),
    ] {
        let image = Reference::parse(image).unwrap();
        let error = failure(&client, &image);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let requests = proxy.requests();
        assert_eq!(format!("{} {}", requests[0].method, requests[0].path), line);
        assert!(requests[0].header("proxy-authorization").is_some());
        proxy.forget();
    }
    let direct = Reference::parse("direct.invalid/a:1").unwrap();
    assert_eq!(failure(&client, &direct).kind, Kind::Unreachable);
    assert!(proxy.requests().is_empty());
}
