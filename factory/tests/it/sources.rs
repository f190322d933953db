//! Reading files of other repositories, against a server of git's own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use factory::git::Git;
use factory::git::auth::Credentials;
use factory::git::cache::Cache;
use factory::git::sources::{self, Fetched, Limits, SourceError, SourceErrorKind, Sources, Wanted};
use image_factory::model::{self, Branch, GitUrl, InputFile, InputFiles, Parse, RepoPath};

use crate::servers::git::{Entry, Fault, GitServer, basic};

const TOKEN: &str = "t0p-s3cret/token";

/// A machine: its home, its cache, its environment.
struct Machine {
    home: tempfile::TempDir,
    env: Vec<(OsString, OsString)>,
    limits: Limits,
    /// The API of GitHub, and so the host that its token is for.
    github: String,
    own: Option<String>,
}

impl Machine {
    fn new(server: &GitServer) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut machine = Self {
            env: Vec::new(),
            limits: Limits {
                pause: Duration::from_millis(5),
                answer: Duration::from_secs(20),
                fetch: Duration::from_secs(20),
                ..Limits::default()
            },
            github: server.url(),
            own: None,
            home,
        };
        let path = std::env::var("PATH").unwrap();
        let home = machine.home.path().to_str().unwrap().to_owned();
        machine.set("PATH", &path);
        machine.set("HOME", &home);
        machine
    }

    fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.into()));
    }

    fn cache(&self) -> PathBuf {
        self.home.path().join(".cache/image-factory")
    }

    fn git(&self) -> Git {
        let askpass = Path::new(env!("CARGO_BIN_EXE_image-factory"));
        Git::new(self.env.clone(), askpass)
    }

    fn credentials(&self, git: &Git) -> Credentials {
        let text = format!(
            "settings: {{providers: {{github: {{api: '{}'}}}}}}\nimages: []\n",
            self.github
        );
        let files = InputFiles {
            enrollment: vec![InputFile {
                path: Arc::from("images.yaml"),
                text,
            }],
            ..InputFiles::default()
        };
        let (model, diagnostics) = model::load(&files);
        let model = model.ok_or(diagnostics).unwrap();
        let own = self.own.as_deref().map(|url| GitUrl::parse(url).unwrap());
        Credentials::new(git, &model.settings.providers, own.as_ref())
    }

    fn fetch(&self, wanted: &[Wanted]) -> Vec<Result<Fetched, SourceError>> {
        let git = self.git();
        let cache = Cache::of_environment(&git).unwrap();
        let sources = Sources {
            git: &git,
            credentials: &self.credentials(&git),
            cache: &cache,
            limits: self.limits,
        };
        let answers = sources::fetch(wanted, &sources, &|_| {});
        assert_eq!(answers.len(), wanted.len());
        for answer in &answers {
            if let Err(error) = answer {
                let said = format!("{error:?} {error} {:?}", error.diagnostic());
                assert!(!said.contains(TOKEN), "{said}");
            }
        }
        answers
    }

    fn one(&self, wanted: &Wanted) -> Result<Fetched, SourceError> {
        self.fetch(std::slice::from_ref(wanted)).remove(0)
    }

    fn text_bytes(&self, wanted: &Wanted) -> Vec<u8> {
        self.one(wanted).unwrap().bytes
    }

    fn text(&self, wanted: &Wanted) -> String {
        let fetched = self.one(wanted).unwrap();
        String::from_utf8(fetched.bytes).unwrap()
    }

    fn error(&self, wanted: &Wanted) -> (SourceErrorKind, String, String) {
        let error = self.one(wanted).unwrap_err();
        (
            error.kind,
            error.message.clone(),
            error.help.unwrap_or_default(),
        )
    }
}

fn wanted(url: &str, branch: &str, path: &str) -> Wanted {
    Wanted {
        url: GitUrl::parse(url).unwrap(),
        branch: Branch::parse(branch).unwrap(),
        commit: None,
        path: RepoPath::parse(path).unwrap(),
    }
}

fn at(commit: &str, wanted: &Wanted) -> Wanted {
    Wanted {
        commit: Some(commit.to_owned()),
        ..wanted.clone()
    }
}

/// What was fetched, not only asked: packs that a server was asked to make.
fn fetches(server: &GitServer) -> usize {
    let is_fetch = |body: &[u8]| body.windows(13).any(|part| part == b"command=fetch");
    server
        .requests()
        .iter()
        .filter(|request| is_fetch(&request.body))
        .count()
}

#[test]
fn a_file_of_each_branch_is_read_and_a_repeat_fetches_nothing() {
    let server = GitServer::start();
    let shop = server.repository("acme/shop");
    let main = shop.commit(
        "main",
        &[
            ("a/Dockerfile", "FROM node:22\n"),
            ("a/big", &"x".repeat(9999)),
        ],
    );
    let next = shop.commit(
        "release/2",
        &[("a/Dockerfile", "FROM node:24\n"), ("b", "FROM b\n")],
    );
    let machine = Machine::new(&server);
    let url = server.address("acme/shop");
    let all = [
        wanted(&url, "main", "a/Dockerfile"),
        wanted(&url, "release/2", "a/Dockerfile"),
        wanted(&url, "release/2", "b"),
        wanted(&url, "main", "a/Dockerfile"),
    ];
    let read = |machine: &Machine| {
        let answers = machine.fetch(&all).into_iter().map(Result::unwrap);
        answers
            .map(|f| (String::from_utf8(f.bytes).unwrap(), f.commit))
            .collect::<Vec<_>>()
    };
    let first = read(&machine);
    let expected = [
        ("FROM node:22\n", &main),
        ("FROM node:24\n", &next),
        ("FROM b\n", &next),
        ("FROM node:22\n", &main),
    ];
    for ((text, commit), expected) in first.iter().zip(expected) {
        assert_eq!((text.as_str(), commit), expected);
    }
    // Folders and files, for two branches; the other file of the commit stays there.
    assert_eq!(fetches(&server), 4);
    let sent: usize = server.requests().iter().map(|r| r.body.len()).sum();
    assert!(sent < 5000, "{sent}");

    server.forget();
    assert_eq!(read(&machine), first);
    assert_eq!(fetches(&server), 0);
    assert_eq!(server.requests().len(), 2, "one question for both branches");

    // Another file of a commit that is known takes one fetch, of that file.
    server.forget();
    assert_eq!(machine.text(&wanted(&url, "main", "a/big")).len(), 9999);
    assert_eq!(fetches(&server), 1);

    // A branch that has moved is read anew.
    let moved = shop.commit("main", &[("a/Dockerfile", "FROM node:26\n")]);
    let fetched = machine.one(&all[0]).unwrap();
    assert_eq!(
        (fetched.bytes.as_slice(), fetched.commit),
        (&b"FROM node:26\n"[..], moved)
    );
    assert_eq!(machine.text(&all[1]), "FROM node:24\n");
}

#[test]
fn names_that_look_alike_share_nothing() {
    let server = GitServer::start();
    let machine = Machine::new(&server);
    let mut all = Vec::new();
    for slug in ["a_b/c", "a/b_c", "a/b-c", "a/b.c"] {
        server
            .repository(slug)
            .commit("main", &[("Dockerfile", slug)]);
        all.push((slug, wanted(&server.address(slug), "main", "Dockerfile")));
    }
    for _ in 0..2 {
        for (slug, wanted) in &all {
            assert_eq!(machine.text(wanted), *slug);
        }
    }
}

#[test]
fn one_that_fails_takes_no_other_along() {
    let server = GitServer::start();
    server.repository("acme/shop").commit(
        "main",
        &[
            ("apps/shop/Dockerfile", "FROM a\n"),
            ("apps/shop/notes", ""),
        ],
    );
    let machine = Machine::new(&server);
    let url = server.address("acme/shop");
    let gone = server.address("acme/gone");
    let answers = machine.fetch(&[
        wanted(&gone, "main", "Dockerfile"),
        wanted(&url, "mian", "Dockerfile"),
        wanted(&url, "main", "apps/shop/Dockerfil"),
        wanted(&url, "main", "apps/shop/Dockerfile"),
        wanted(&url, "main", "apps/shop"),
        at("HEAD", &wanted(&url, "main", "apps/shop/Dockerfile")),
        at(
            &"12".repeat(20),
            &wanted(&url, "main", "apps/shop/Dockerfile"),
        ),
    ]);
    assert_eq!(answers[3].as_ref().unwrap().bytes, b"FROM a\n");
    let told = |at: usize| {
        let error = answers[at].as_ref().unwrap_err();
        assert!(!error.is_infrastructure());
        (
            error.kind,
            error.message.replace(&server.url(), "S"),
            error.help.clone().unwrap(),
        )
    };
    use SourceErrorKind as Kind;
    assert_eq!(
        told(0),
        (
            Kind::NoRepository,
            "there is no repository `S/acme/gone.git`, or no access to it".into(),
            "see the address; if the repository is private, set `GITHUB_TOKEN` to a token that may read it".into()
        )
    );
    assert_eq!(
        told(1),
        (
            Kind::NoBranch,
            "`S/acme/shop.git` has no branch `mian`".into(),
            "did you mean `main`?".into()
        )
    );
    assert_eq!(
        told(2),
        (
            Kind::NoFile,
            "there is no `apps/shop/Dockerfil` in `S/acme/shop.git`, branch `main`".into(),
            "did you mean `apps/shop/Dockerfile`?".into()
        )
    );
    assert_eq!(
        told(4).1,
        "`apps/shop` is a folder in `S/acme/shop.git`, branch `main`"
    );
    assert_eq!(told(5).1, "`HEAD` is no full id of a commit");
    assert_eq!(told(6).0, Kind::NoCommit);
    // None of this is tried again.
    let asked = server
        .requests()
        .iter()
        .filter(|r| r.path.starts_with("/acme/gone"))
        .count();
    assert_eq!(asked, 1);
}

#[test]
fn links_are_followed_inside_and_submodules_not_at_all() {
    let server = GitServer::start();
    server.repository("acme/shop").commit_entries(
        "main",
        &[
            ("docker/prod", Entry::File(b"FROM a\n")),
            ("apps/Dockerfile", Entry::Link("../docker/prod")),
            ("linked", Entry::Link("apps")),
            ("out", Entry::Link("/etc/passwd")),
            ("up", Entry::Link("../../../../etc/passwd")),
            ("circle", Entry::Link("circle")),
            (
                "sub",
                Entry::Module("1234567890123456789012345678901234567890"),
            ),
        ],
    );
    let machine = Machine::new(&server);
    let url = server.address("acme/shop");
    for path in ["docker/prod", "apps/Dockerfile", "linked/Dockerfile"] {
        assert_eq!(
            machine.text(&wanted(&url, "main", path)),
            "FROM a\n",
            "{path}"
        );
    }
    for (path, part) in [
        ("out", "outside the repository"),
        ("up", "outside the repository"),
        ("circle", "circle"),
        ("sub", "submodule"),
        ("sub/Dockerfile", "submodule"),
    ] {
        let (kind, message, _) = machine.error(&wanted(&url, "main", path));
        assert_eq!(kind, SourceErrorKind::NoFile);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_commit_is_read_by_its_id_and_nothing_else_is_taken_for_it() {
    let server = GitServer::start();
    let shop = server.repository("acme/shop");
    let old = shop.commit("main", &[("Dockerfile", "FROM old\n")]);
    let new = shop.commit("main", &[("Dockerfile", "FROM new\n")]);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    let machine = Machine::new(&server);
    let fetched = machine.one(&at(&old, &file)).unwrap();
    assert_eq!(
        (fetched.bytes.as_slice(), &fetched.commit),
        (&b"FROM old\n"[..], &old)
    );
    assert_eq!(machine.text(&file), "FROM new\n");
    // A commit cannot change, so what is known of it needs no server.
    server.forget();
    assert_eq!(machine.text(&at(&new, &file)), "FROM new\n");
    assert_eq!(server.requests().len(), 0);

    for wish in [at(&old, &file), file] {
        let fresh = Machine::new(&server);
        let (from, to) = if wish.commit.is_some() {
            (&old, &new)
        } else {
            (&new, &old)
        };
        server.fault("git-upload-pack", 9, Fault::Swap(from.clone(), to.clone()));
        let (kind, message, _) = fresh.error(&wish);
        assert_eq!(kind, SourceErrorKind::OtherCommit, "{message}");
        server.heal();
        assert!(fresh.one(&wish).is_ok(), "and nothing of it is kept");
    }
}

#[test]
fn what_may_be_over_is_tried_again_and_nothing_else() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    for (part, fault) in [
        ("/info/refs", Fault::Status(503)),
        ("/info/refs", Fault::Status(429)),
        ("/info/refs", Fault::Cut),
        ("/git-upload-pack", Fault::Status(502)),
        ("/git-upload-pack", Fault::Cut),
    ] {
        let machine = Machine::new(&server);
        server.fault(part, 2, fault.clone());
        assert_eq!(machine.text(&file), "FROM a\n", "{part} {fault:?}");
        server.heal();
        server.forget();
        server.fault(part, 99, fault.clone());
        let machine = Machine::new(&server);
        let (kind, message, _) = machine.error(&file);
        assert_eq!(kind, SourceErrorKind::Unavailable, "{fault:?} {message}");
        assert!(message.ends_with("(tried 4 times)"), "{message}");
        server.heal();
    }
    for (fault, kind) in [
        (Fault::Status(403), SourceErrorKind::Denied),
        (Fault::Status(404), SourceErrorKind::NoRepository),
        (Fault::Status(400), SourceErrorKind::Unexpected),
        (
            Fault::Garbage(b"<html>welcome to the hotel</html>".to_vec()),
            SourceErrorKind::Unexpected,
        ),
    ] {
        server.forget();
        server.fault("/info/refs", 99, fault.clone());
        let machine = Machine::new(&server);
        assert_eq!(machine.error(&file).0, kind, "{fault:?}");
        // A page is taken for a repository without branches, after asking twice.
        let asked = 1 + usize::from(matches!(fault, Fault::Garbage(_)));
        assert!(server.requests().len() <= 2 * asked, "{fault:?}");
        server.heal();
    }
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    for (part, fault) in [
        ("/info/refs", Fault::Hang),
        ("/git-upload-pack", Fault::Stall),
    ] {
        let mut machine = Machine::new(&server);
        machine.limits.answer = Duration::from_millis(700);
        machine.limits.fetch = Duration::from_millis(700);
        server.fault(part, 99, fault.clone());
        let start = Instant::now();
        let (kind, message, _) = machine.error(&file);
        assert_eq!(kind, SourceErrorKind::Unavailable);
        assert!(
            message.ends_with("did not answer within 0.7 s (tried 2 times)"),
            "{message}"
        );
        assert!(start.elapsed() < Duration::from_secs(15), "{fault:?}");
        server.heal();
        machine.limits.answer = Duration::from_secs(20);
        machine.limits.fetch = Duration::from_secs(20);
        assert_eq!(machine.text(&file), "FROM a\n");
    }
}

#[test]
fn what_is_larger_than_any_dockerfile_is_not_read() {
    let server = GitServer::start();
    let mut state = 88_172_645_463_325_252_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(300_000)
    .collect();
    server.repository("acme/shop").commit_entries(
        "main",
        &[
            ("Dockerfile", Entry::File(&[b'x'; 2000])),
            ("noise", Entry::File(&noise)),
        ],
    );
    let url = server.address("acme/shop");
    let mut machine = Machine::new(&server);
    machine.limits.file = 1000;
    let (kind, message, _) = machine.error(&wanted(&url, "main", "Dockerfile"));
    assert_eq!(kind, SourceErrorKind::NoFile);
    assert!(
        message.ends_with("has 2000 bytes, more than the 1000 that are read"),
        "{message}"
    );
    // Of what is larger still not even all is fetched.
    let mut narrow = Machine::new(&server);
    narrow.limits.pack = 50_000;
    let (kind, message, _) = narrow.error(&wanted(&url, "main", "noise"));
    assert_eq!(kind, SourceErrorKind::Unexpected);
    assert!(message.contains("sent more than"), "{message}");
    narrow.limits.pack = 1 << 20;
    assert_eq!(narrow.text_bytes(&wanted(&url, "main", "noise")), noise);
    machine.limits.file = 2000;
    assert_eq!(
        machine.text(&wanted(&url, "main", "Dockerfile")).len(),
        2000
    );
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("a/Dockerfile", "FROM a\n"), ("b", "FROM b\n")]);
    let file = wanted(&server.address("acme/shop"), "main", "a/Dockerfile");
    let other = wanted(&server.address("acme/shop"), "main", "b");
    let machine = Machine::new(&server);
    assert_eq!(machine.text(&file), "FROM a\n");
    let each = |damage: &dyn Fn(&Path)| {
        let mut stack = vec![machine.cache()];
        while let Some(folder) = stack.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    stack.push(path);
                } else {
                    damage(&path);
                }
            }
        }
    };
    let named = |path: &Path, part: &str| path.to_str().unwrap().contains(part);
    let truncate = |path: &Path| {
        let _ = std::fs::remove_file(path);
        std::fs::write(path, "").unwrap();
    };
    let damages: [&dyn Fn(&Path); 6] = [
        &|path| {
            if named(path, "/files/") {
                std::fs::write(path, "FROM evil\n").unwrap()
            }
        },
        &|path| {
            if named(path, ".pack") {
                truncate(path)
            }
        },
        &|path| {
            if named(path, "seen") {
                std::fs::write(path, [0, 255, 10]).unwrap()
            }
        },
        &|path| {
            if named(path, "/git/config") {
                truncate(path)
            }
        },
        &|path| {
            if named(path, "/git/HEAD") {
                truncate(path)
            }
        },
        &|path| {
            if named(path, "/git/config") {
                std::fs::write(path.with_file_name("shallow.lock"), "").unwrap()
            }
        },
    ];
    for (at, damage) in damages.iter().enumerate() {
        each(*damage);
        assert_eq!(machine.text(&file), "FROM a\n", "{at}");
        assert_eq!(machine.text(&other), "FROM b\n", "{at}");
        // Without what was remembered all has to come from the repository.
        each(&|path| {
            if named(path, "seen") {
                truncate(path)
            }
        });
        each(*damage);
        assert_eq!(machine.text(&other), "FROM b\n", "{at}");
    }
    std::fs::remove_dir_all(machine.cache()).unwrap();
    assert_eq!(machine.text(&file), "FROM a\n");
}

#[test]
fn runs_at_the_same_time_wait_for_each_other() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    let machine = Machine::new(&server);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(machine.text(&file), "FROM a\n"));
        }
    });
    assert_eq!(fetches(&server), 2);
}

#[test]
fn many_repositories_are_read_side_by_side_and_progress_is_told() {
    let server = GitServer::start();
    let slow = Duration::from_millis(300);
    let all: Vec<Wanted> = (0..8)
        .map(|n| {
            let slug = format!("acme/r{n}");
            server
                .repository(&slug)
                .commit("main", &[("Dockerfile", &slug)]);
            wanted(&server.address(&slug), "main", "Dockerfile")
        })
        .collect();
    server.fault("/info/refs", 99, Fault::Slow(slow));
    let machine = Machine::new(&server);
    let git = machine.git();
    let cache = Cache::of_environment(&git).unwrap();
    let sources = Sources {
        git: &git,
        credentials: &machine.credentials(&git),
        cache: &cache,
        limits: machine.limits,
    };
    let steps = Mutex::new(Vec::new());
    let answers = sources::fetch(&all, &sources, &|progress| {
        steps.lock().unwrap().push((progress.done, progress.total));
    });
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap().bytes, format!("acme/r{n}").as_bytes());
    }
    let mut steps = steps.into_inner().unwrap();
    steps.sort_unstable();
    assert_eq!(steps, (0..=8).map(|n| (n, 8)).collect::<Vec<_>>());
    // Three questions each; one after another they would take 24 times as long.
    let asked: Vec<String> = server
        .requests()
        .into_iter()
        .map(|r| r.path)
        .take(8)
        .collect();
    let different: std::collections::BTreeSet<&String> = asked.iter().collect();
    assert!(different.len() >= 6, "{asked:?}");
}

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
        assert!(
            part != "/info/refs" || !thief.requests().is_empty(),
            "{message}"
        );
        server.heal();
        thief.forget();
        assert_eq!(machine.text(&file), "FROM a\n");
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
fn a_server_without_filters_is_read_too() {
    let server = GitServer::start();
    let shop = server.repository("acme/shop");
    shop.commit("main", &[("Dockerfile", "FROM a\n")]);
    shop.set("uploadpack.allowFilter", "false");
    shop.set("uploadpack.allowAnySHA1InWant", "false");
    let machine = Machine::new(&server);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    assert_eq!(machine.text(&file), "FROM a\n");
    shop.commit("main", &[("Dockerfile", "FROM b\n")]);
    assert_eq!(machine.text(&file), "FROM b\n");
    shop.set("protocol.version", "0");
    shop.commit("main", &[("Dockerfile", "FROM c\n")]);
    assert_eq!(machine.text(&file), "FROM c\n");
}

#[test]
fn without_git_or_a_cache_it_says_so() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    let mut machine = Machine::new(&server);
    let file = wanted(&server.address("acme/shop"), "main", "Dockerfile");
    machine.set("PATH", "/nonexistent");
    let (kind, message, help) = machine.error(&file);
    assert_eq!(kind, SourceErrorKind::Environment);
    assert!(message.starts_with("git cannot be started: "), "{message}");
    assert!(help.contains("install git"), "{help}");
}
