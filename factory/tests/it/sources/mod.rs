//! Reading files of other repositories, against a server of git's own.

mod patience;
mod secrets;

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
