//! Commits and pushes: what lands, what is refused, what is left behind.

use std::cell::Cell;
use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use factory::git::auth::Credentials;
use factory::git::publish::{Change, Options, Patience, PublishError, Published, Target, publish};
use factory::git::pull_request::Host;
use factory::git::{Checkout, Git};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{Branch, InputFile, InputFiles, Parse as _, Settings};
use image_factory::tree::{Edit, Tree};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::servers::git::{Fault, GitServer, Repository, git};
use crate::servers::http::{Answer, Server};

const IMAGES: &str = "settings: {git: {repo: 'https://github.com/acme/factory'}}\nimages: []\n";

/// A remote with images.yaml below `prefix`, and a folder for clones of it.
struct Scene {
    server: GitServer,
    remote: Repository,
    folder: TempDir,
    prefix: &'static str,
}

impl Scene {
    fn new(prefix: &'static str) -> Self {
        let server = GitServer::start();
        let remote = server.repository("acme/factory");
        remote.commit(
            "main",
            &[
                (&format!("{prefix}images.yaml"), IMAGES),
                (&format!("{prefix}state/images/old.yaml"), "name: old\n"),
                ("README.md", "hello\n"),
            ],
        );
        Self {
            server,
            remote,
            folder: tempfile::tempdir().unwrap(),
            prefix,
        }
    }

    /// A clone by path.
    fn clone(&self, name: &str, options: &[&str]) -> Clone {
        let address = format!("file://{}", self.remote.folder().display());
        self.clone_of(&address, name, options)
    }

    fn clone_of(&self, address: &str, name: &str, options: &[&str]) -> Clone {
        let folder = self.folder.path().join(name);
        let mut arguments = vec!["clone", "--quiet"];
        arguments.extend(options);
        arguments.extend([address, folder.to_str().unwrap()]);
        done(self.folder.path(), &arguments);
        Clone {
            root: folder.join(self.prefix),
            folder,
        }
    }

    fn show(&self, path: &str) -> String {
        self.remote.show("main", &format!("{}{path}", self.prefix))
    }

    fn count(&self) -> usize {
        self.remote
            .git(&["rev-list", "--count", "main"])
            .parse()
            .unwrap()
    }
}

struct Clone {
    folder: PathBuf,
    root: PathBuf,
}

impl Clone {
    /// A git that knows nobody.
    fn program(&self, more: &[(&str, &Path)]) -> Git {
        let path = std::env::var_os("PATH").unwrap();
        let mut env: Vec<(OsString, OsString)> = vec![
            ("PATH".into(), path),
            ("HOME".into(), self.folder.clone().into()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ("GITHUB_TOKEN".into(), "t0ken".into()),
        ];
        env.extend(
            more.iter()
                .map(|(name, value)| ((*name).into(), (*value).into())),
        );
        Git::new(env, Path::new(env!("CARGO_BIN_EXE_image-factory")))
    }

    fn git(&self, arguments: &[&str]) -> String {
        done(&self.folder, arguments)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Branch, index and working tree agree, and with this commit.
    fn is_clean_at(&self, commit: &str) {
        assert_eq!(self.git(&["rev-parse", "refs/heads/main"]), commit);
        assert_eq!(self.git(&["status", "--porcelain"]), "");
        assert_eq!(self.git(&["symbolic-ref", "HEAD"]), "refs/heads/main");
    }
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = git(folder).args(arguments).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {words}");
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

const SOON: Patience = Patience {
    first: Duration::from_millis(20),
    longest: Duration::from_millis(400),
    all: Duration::from_secs(120),
    failures: 4,
};

fn main_branch() -> Branch {
    Branch::parse("main").unwrap()
}

type Outcome = Result<Option<Published>, PublishError<Infallible>>;

fn publish_to(
    clone: &Clone,
    target: Target<'_>,
    compute: &mut dyn FnMut(&Tree) -> Option<Change>,
) -> Outcome {
    let options = Options {
        places: &Tree::default(),
        target,
        topic: "test",
        patience: SOON,
        tell: &|_| {},
    };
    let git = clone.program(&[]);
    let checkout = Checkout::around(&git, &clone.root).unwrap();
    publish(&checkout, &options, &mut |tree| Ok(compute(tree)))
}

/// A change that writes one state file, unless it stands there already.
fn writes(name: &str) -> impl FnMut(&Tree) -> Option<Change> {
    let path = format!("state/images/{name}.yaml");
    let text = format!("name: {name}\n");
    let message = format!("Record {name}\n\nBecause of a test.\n");
    move |tree| {
        let mut edit = Edit::default();
        edit.write(path.clone(), text.clone());
        (tree.text(&path) != Some(&text)).then(|| Change {
            edit,
            message: message.clone(),
        })
    }
}

fn push(clone: &Clone, name: &str) -> Outcome {
    publish_to(clone, Target::Push(&main_branch()), &mut writes(name))
}

fn landed(outcome: Outcome) -> Published {
    let published = outcome.unwrap().unwrap();
    assert!(published.warnings.is_empty(), "{:?}", published.warnings);
    published
}

fn stopped(outcome: Outcome) -> Diagnostic {
    let stopped = match outcome {
        Err(PublishError::Stopped(mut diagnostics)) => Some(diagnostics.remove(0)),
        _ => None,
    };
    stopped.unwrap()
}

#[test]
fn a_change_lands_here_or_there_and_the_checkout_follows() {
    for prefix in ["", "deploy/my factory/"] {
        let scene = Scene::new(prefix);
        let clone = scene.clone("a", &[]);
        let here = landed(publish_to(&clone, Target::Here, &mut writes("here")));
        clone.is_clean_at(&here.commit);
        assert_eq!(clone.read("state/images/here.yaml"), "name: here\n");
        assert_eq!(scene.count(), 1, "not pushed");

        let there = landed(push(&clone, "there"));
        clone.is_clean_at(&there.commit);
        assert_eq!(scene.remote.head("main"), Some(there.commit));
        // What was committed here before went along.
        assert_eq!(scene.show("state/images/here.yaml"), "name: here");
        assert_eq!(scene.show("state/images/there.yaml"), "name: there");
        assert_eq!(scene.remote.show("main", "README.md"), "hello");
        let log = clone.git(&["log", "-1", "--format=%B|%an|%ae|%cn|%ce"]);
        assert_eq!(
            log,
            "Record there\n\nBecause of a test.\n|Image Factory Bot|image-factory-bot@noreply.invalid|Image Factory Bot|image-factory-bot@noreply.invalid"
        );
    }
}

#[test]
fn who_is_configured_is_the_author() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    clone.git(&["config", "user.name", "Ada"]);
    clone.git(&["config", "user.email", "ada@example.com"]);
    landed(push(&clone, "x"));
    assert_eq!(
        clone.git(&["log", "-1", "--format=%an <%ae>"]),
        "Ada <ada@example.com>"
    );
}

#[test]
fn nothing_to_say_makes_no_commit() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    let first = landed(push(&clone, "x")).commit;
    for target in [Target::Here, Target::Push(&main_branch())] {
        assert!(
            publish_to(&clone, target, &mut writes("x"))
                .unwrap()
                .is_none()
        );
        let mut same = |_: &Tree| {
            let mut edit = Edit::default();
            edit.write("state/images/x.yaml", "name: x\n");
            edit.delete("state/images/never-there.yaml");
            Some(Change {
                edit,
                message: "No change".to_owned(),
            })
        };
        assert!(publish_to(&clone, target, &mut same).unwrap().is_none());
    }
    clone.is_clean_at(&first);
    assert_eq!(scene.count(), 2);
}

#[test]
fn files_are_deleted_and_empty_folders_go() {
    let scene = Scene::new("f/");
    let clone = scene.clone("a", &[]);
    let mut moves = |tree: &Tree| {
        assert_eq!(tree.text("state/images/old.yaml"), Some("name: old\n"));
        let mut edit = Edit::default();
        edit.delete("state/images/old.yaml");
        edit.write("state/_archive/images/old.yaml", "name: old\n");
        Some(Change {
            edit,
            message: "Retire old".to_owned(),
        })
    };
    let published = landed(publish_to(&clone, Target::Push(&main_branch()), &mut moves));
    clone.is_clean_at(&published.commit);
    assert!(!clone.root.join("state/images").exists());
    assert_eq!(
        scene.remote.git(&["ls-tree", "-r", "--name-only", "main"]),
        "README.md\nf/images.yaml\nf/state/_archive/images/old.yaml"
    );
}

#[test]
fn a_push_that_lost_the_race_is_computed_anew() {
    let scene = Scene::new("");
    let (one, other) = (scene.clone("one", &[]), scene.clone("other", &[]));
    landed(push(&other, "other"));
    let seen = Cell::new(0);
    let mut writes = writes("one");
    let mut compute = |tree: &Tree| {
        seen.set(seen.get() + 1);
        // The second time, the other's change is there.
        assert_eq!(
            tree.text("state/images/other.yaml").is_some(),
            seen.get() == 2
        );
        writes(tree)
    };
    let published = landed(publish_to(&one, Target::Push(&main_branch()), &mut compute));
    assert_eq!((published.attempts, seen.get()), (2, 2));
    one.is_clean_at(&published.commit);
    assert_eq!(scene.show("state/images/one.yaml"), "name: one");
    assert_eq!(scene.show("state/images/other.yaml"), "name: other");
    assert_eq!(
        scene
            .remote
            .git(&["rev-list", "--min-parents=2", "--count", "main"]),
        "0"
    );
    assert_eq!(scene.count(), 3);
}

#[test]
fn a_change_that_somebody_else_made_meanwhile_is_not_made_twice() {
    let scene = Scene::new("");
    let (one, other) = (scene.clone("one", &[]), scene.clone("other", &[]));
    // Else both commits would be one, byte for byte.
    other.git(&["config", "user.name", "Ada"]);
    other.git(&["config", "user.email", "ada@example.com"]);
    landed(push(&other, "same"));
    assert!(push(&one, "same").unwrap().is_none());
    assert_eq!(scene.count(), 2);
}

#[test]
fn twenty_writers_all_land() {
    let scene = Scene::new("");
    let clones: Vec<Clone> = (0..20)
        .map(|n| scene.clone(&n.to_string(), &["--depth=1"]))
        .collect();
    std::thread::scope(|scope| {
        for (n, clone) in clones.iter().enumerate() {
            scope.spawn(move || landed(push(clone, &format!("image-{n}"))));
        }
    });
    assert_eq!(scene.count(), 21);
    let files = scene
        .remote
        .git(&["ls-tree", "--name-only", "main", "state/images/"]);
    assert_eq!(files.lines().count(), 21, "{files}");
    scene.remote.git(&["fsck", "--strict"]);
}

#[test]
fn a_locked_branch_and_a_failing_server_are_tried_again() {
    let scene = Scene::new("");
    let clone = scene.clone_of(&scene.server.address("acme/factory"), "a", &[]);
    let lock = scene.remote.folder().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let unlock = lock.clone();
    let opener = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        fs::remove_file(unlock).unwrap();
    });
    assert!(landed(push(&clone, "x")).attempts > 1);
    opener.join().unwrap();

    scene.server.fault("receive-pack", 2, Fault::Status(503));
    assert!(landed(push(&clone, "y")).attempts > 1);
    // The answer is lost, the commit has landed.
    scene.server.fault("git-receive-pack?", 0, Fault::Cut);
    scene
        .server
        .fault("factory.git/git-receive-pack", 1, Fault::Cut);
    let published = landed(push(&clone, "z"));
    assert_eq!(scene.remote.head("main"), Some(published.commit.clone()));
    clone.is_clean_at(&published.commit);
    assert_eq!(scene.count(), 4);
}

#[test]
fn what_stays_wrong_is_given_up_and_nothing_has_changed() {
    let scene = Scene::new("");
    let clone = scene.clone_of(&scene.server.address("acme/factory"), "a", &[]);
    let before = clone.git(&["rev-parse", "HEAD"]);
    scene.server.fault("receive-pack", 99, Fault::Status(500));
    assert_eq!(stopped(push(&clone, "x")).code, code::PUSH_GIVEN_UP);
    scene.server.heal();
    scene.server.fault("receive-pack", 99, Fault::Status(403));
    scene.server.forget();
    let refused = stopped(push(&clone, "x"));
    assert_eq!(refused.code, code::PUSH_REFUSED, "{refused:?}");
    assert_eq!(scene.server.requests().len(), 1, "not tried again");
    scene.server.heal();
    clone.is_clean_at(&before);
    assert_eq!(scene.count(), 1);

    scene.remote.hook(
        "update",
        "#!/bin/sh\necho 'GH006: Protected branch update failed' >&2\nexit 1\n",
    );
    let protected = stopped(push(&clone, "x"));
    assert_eq!(protected.code, code::BRANCH_PROTECTED, "{protected:?}");
    assert!(protected.help.unwrap().contains("--pull-request"));
    clone.is_clean_at(&before);
}

#[test]
fn the_token_of_a_host_opens_it_to_pushes() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    clone.git(&[
        "remote",
        "set-url",
        "origin",
        &scene.server.address("acme/factory"),
    ]);
    scene.server.protect("/", None, "t0ken");
    let refused = stopped(push(&clone, "x"));
    assert_eq!(refused.code, code::PUSH_REFUSED, "{refused:?}");

    let text = format!(
        "settings: {{providers: {{github: {{api: '{}'}}}}}}\nimages: []\n",
        scene.server.url()
    );
    let git = clone.program(&[]);
    let credentials = Credentials::new(&git, &settings(text).providers, None);
    let checkout = Checkout::around(&git, &clone.root)
        .unwrap()
        .with(credentials);
    let other = scene.clone("other", &[]);
    landed(push(&other, "other"));
    let options = Options {
        places: &Tree::default(),
        target: Target::Push(&main_branch()),
        topic: "test",
        patience: SOON,
        tell: &|_| {},
    };
    let mut write = writes("x");
    let outcome: Outcome = publish(&checkout, &options, &mut |tree| Ok(write(tree)));
    assert_eq!(landed(outcome).attempts, 2, "fetched as well");
    let config = fs::read_to_string(clone.folder.join(".git/config")).unwrap();
    assert!(!config.contains("t0ken"));
}

#[test]
fn no_password_of_an_address_is_told() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    let address = scene
        .server
        .address("acme/factory")
        .replace("http://", "http://me:s3cret@");
    clone.git(&["remote", "set-url", "origin", &address]);
    scene.server.fault("receive-pack", 99, Fault::Status(403));
    let told = format!("{:?}", stopped(push(&clone, "x")));
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn commits_of_the_checkout_go_along_or_stop_the_run() {
    let scene = Scene::new("");
    let (ours, theirs) = (scene.clone("ours", &[]), scene.clone("theirs", &[]));
    for clone in [&ours, &theirs] {
        clone.git(&["config", "user.name", "Ada"]);
        clone.git(&["config", "user.email", "ada@example.com"]);
    }
    ours.write("notes.txt", "mine\n");
    ours.git(&["add", "notes.txt"]);
    ours.git(&["commit", "--quiet", "-m", "Mine"]);
    let own = ours.git(&["rev-parse", "HEAD"]);
    landed(push(&theirs, "theirs"));
    let parted = stopped(push(&ours, "ours"));
    assert_eq!(parted.code, code::PULL_FIRST);
    ours.is_clean_at(&own);
    // A further try knows it before it pushes.
    assert_eq!(stopped(push(&ours, "ours")).code, code::PULL_FIRST);
    ours.git(&["pull", "--quiet", "--rebase"]);
    let published = landed(push(&ours, "ours"));
    ours.is_clean_at(&published.commit);
    assert_eq!(scene.remote.show("main", "notes.txt"), "mine");
    assert_eq!(scene.count(), 4);
}

#[test]
fn a_checkout_that_is_behind_starts_from_what_it_knows_of_the_remote() {
    let scene = Scene::new("");
    let (ours, theirs) = (scene.clone("ours", &[]), scene.clone("theirs", &[]));
    landed(push(&theirs, "theirs"));
    ours.git(&["fetch", "--quiet"]);
    let published = landed(push(&ours, "ours"));
    assert_eq!(published.attempts, 1);
    ours.is_clean_at(&published.commit);
}

#[test]
fn what_is_not_committed_is_never_lost() {
    let scene = Scene::new("f/");
    let clone = scene.clone("a", &[]);
    let before = clone.git(&["rev-parse", "HEAD"]);
    for (path, text) in [
        ("images.yaml", "images: [] # changed\n"),
        ("images.d/new.yaml", "[]\n"),
        ("state/images/x.yaml", "mine: true\n"),
    ] {
        clone.write(path, text);
        for target in [Target::Here, Target::Push(&main_branch())] {
            let refused = stopped(publish_to(&clone, target, &mut writes("x")));
            assert_eq!(refused.code, code::UNCOMMITTED);
            assert!(refused.message.contains(path), "{}", refused.message);
            assert_eq!(clone.read(path), text);
        }
        assert_eq!(clone.git(&["rev-parse", "HEAD"]), before);
        clone.git(&["checkout", "--quiet", "."]);
        clone.git(&["clean", "-fdq"]);
    }
    assert_eq!(scene.count(), 1);

    // What nobody touches stays as it is, staged or not.
    clone.write("../README.md", "mine\n");
    clone.write("state/images/old.yaml", "mine: true\n");
    clone.git(&["add", "f/state/images/old.yaml"]);
    landed(push(&clone, "x"));
    assert_eq!(
        clone.git(&["status", "--porcelain"]),
        " M README.md\nM  f/state/images/old.yaml"
    );

    // What the remote changed as well keeps the checkout where it is.
    let other = scene.clone("other", &[]);
    landed(publish_to(
        &other,
        Target::Push(&main_branch()),
        &mut |_| {
            let mut edit = Edit::default();
            edit.write("state/images/old.yaml", "theirs: true\n");
            Some(Change {
                edit,
                message: "Theirs".to_owned(),
            })
        },
    ));
    let published = push(&clone, "y").unwrap().unwrap();
    assert_eq!(published.warnings[0].code, code::CHECKOUT_STAYED);
    assert_eq!(clone.read("state/images/old.yaml"), "mine: true\n");
    assert_eq!(scene.remote.head("main"), Some(published.commit));
}

#[test]
fn only_the_factorys_branch_is_pushed_to() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    clone.git(&["switch", "--quiet", "-c", "feature"]);
    assert_eq!(stopped(push(&clone, "x")).code, code::OTHER_BRANCH);
    let here = landed(publish_to(&clone, Target::Here, &mut writes("x")));
    assert_eq!(clone.git(&["rev-parse", "feature"]), here.commit);
    clone.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(stopped(push(&clone, "y")).code, code::OTHER_BRANCH);
    let here = landed(publish_to(&clone, Target::Here, &mut writes("y")));
    assert_eq!(clone.git(&["rev-parse", "HEAD"]), here.commit);
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
}

#[test]
fn shallow_and_partial_clones_do() {
    let scene = Scene::new("");
    for n in 0..5 {
        scene
            .remote
            .commit("main", &[("README.md", &format!("{n}\n"))]);
    }
    let address = scene.server.address("acme/factory");
    let clones = [
        scene.clone_of(&address, "one", &["--depth=1"]),
        scene.clone_of(&address, "three", &["--depth=3"]),
        scene.clone_of(&address, "blobless", &["--filter=blob:none", "--sparse"]),
        scene.clone_of(
            &address,
            "both",
            &["--filter=blob:none", "--depth=1", "--no-checkout"],
        ),
    ];
    clones[2].git(&["sparse-checkout", "set", "state"]);
    clones[3].git(&["reset", "--quiet", "--hard"]);
    for (n, clone) in clones.iter().enumerate() {
        let name = format!("image-{n}");
        // Each but the first has to fetch before it can push.
        let published = landed(push(clone, &name));
        assert_eq!(published.attempts, if n == 0 { 1 } else { 2 });
        clone.is_clean_at(&published.commit);
        assert_eq!(
            scene.show(&format!("state/images/{name}.yaml")),
            format!("name: {name}")
        );
    }
    assert_eq!(scene.count(), 10);
    assert_eq!(
        clones[0].git(&["rev-list", "--count", "HEAD"]),
        "2",
        "no history came along"
    );
    assert!(
        clones[1]
            .git(&["rev-list", "--count", "HEAD"])
            .parse::<usize>()
            .unwrap()
            >= 4
    );
}

#[test]
fn a_commit_is_signed_where_git_is_told_to() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    let key = scene.folder.path().join("key");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "bot", "-f"])
        .arg(&key)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("no ssh-keygen here: signing by ssh is not tested");
        return;
    }
    clone.git(&["config", "commit.gpgsign", "true"]);
    clone.git(&["config", "gpg.format", "ssh"]);
    clone.git(&["config", "user.signingkey", key.to_str().unwrap()]);
    let published = landed(push(&clone, "x"));
    let signed = scene.remote.git(&["cat-file", "commit", &published.commit]);
    assert!(
        signed.contains("gpgsig -----BEGIN SSH SIGNATURE-----"),
        "{signed}"
    );
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = scene.folder.path().join("allowed");
    fs::write(&allowed, format!("* {public}")).unwrap();
    clone.git(&[
        "config",
        "gpg.ssh.allowedSignersFile",
        allowed.to_str().unwrap(),
    ]);
    clone.git(&["verify-commit", "HEAD"]);

    // A key that cannot be used stops the run.
    clone.git(&["config", "user.signingkey", "/nowhere/key"]);
    let failed = stopped(push(&clone, "y"));
    assert_eq!(failed.code, code::GIT_FAILED);
    clone.is_clean_at(&published.commit);
}

#[test]
fn a_commit_is_signed_by_gpg() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    // The agent's socket needs a short path.
    let home = tempfile::Builder::new()
        .prefix("g")
        .tempdir_in("/tmp")
        .unwrap();
    let gpg = |arguments: &[&str]| {
        std::process::Command::new("gpg")
            .args([
                "--batch",
                "--quiet",
                "--passphrase",
                "",
                "--pinentry-mode",
                "loopback",
            ])
            .args(arguments)
            .env("GNUPGHOME", home.path())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !gpg(&[
        "--quick-generate-key",
        "bot@example.com",
        "ed25519",
        "sign",
        "never",
    ]) {
        eprintln!("no gpg here: signing by gpg is not tested");
        return;
    }
    clone.git(&["config", "commit.gpgsign", "true"]);
    clone.git(&["config", "user.signingkey", "bot@example.com"]);
    let options = Options {
        places: &Tree::default(),
        target: Target::Push(&main_branch()),
        topic: "test",
        patience: SOON,
        tell: &|_| {},
    };
    let git = clone.program(&[("GNUPGHOME", home.path())]);
    let checkout = Checkout::around(&git, &clone.root).unwrap();
    let mut write = writes("x");
    let outcome: Outcome = publish(&checkout, &options, &mut |tree| Ok(write(tree)));
    let published = landed(outcome);
    let signed = scene.remote.git(&["cat-file", "commit", &published.commit]);
    assert!(
        signed.contains("gpgsig -----BEGIN PGP SIGNATURE-----"),
        "{signed}"
    );
    let _ = std::process::Command::new("gpgconf")
        .args(["--kill", "all"])
        .env("GNUPGHOME", home.path())
        .status();
}

#[test]
fn paths_that_lead_elsewhere_are_not_committed() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    let before = clone.git(&["rev-parse", "HEAD"]);
    for path in [
        "../x",
        "/etc/x",
        ".git/config",
        "state/.GIT/x",
        "a//b",
        "a\nb",
        "README.md/x",
    ] {
        let mut compute = |_: &Tree| {
            let mut edit = Edit::default();
            edit.write(path, "x");
            Some(Change {
                edit,
                message: "Evil".to_owned(),
            })
        };
        let refused = stopped(publish_to(&clone, Target::Here, &mut compute));
        assert_eq!(refused.code, code::GIT_FAILED, "{path}");
    }
    clone.is_clean_at(&before);
}

#[test]
fn what_a_commit_has_instead_of_files_is_named() {
    let scene = Scene::new("");
    for (path, target) in [("state", "elsewhere"), ("images.yaml", "README.md")] {
        let scene = Scene::new("");
        let remote = &scene.remote;
        remote.pipe(
            &["fast-import", "--quiet"],
            format!(
                "commit refs/heads/main\ncommitter T <t@e> 1767225600 +0000\ndata 1\nx\nfrom refs/heads/main^0\nD {path}\nM 120000 inline {path}\ndata {}\n{target}\n",
                target.len()
            )
            .as_bytes(),
        );
        let clone = scene.clone("a", &[]);
        let refused = stopped(publish_to(&clone, Target::Here, &mut writes("x")));
        assert_eq!(refused.code, code::UNREADABLE, "{refused:?}");
        assert!(refused.message.contains(path));
    }
    let clone = scene.clone("a", &[]);
    clone.git(&["rm", "--quiet", "images.yaml"]);
    done(
        &clone.folder,
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "-qm",
            "x",
        ],
    );
    let refused = stopped(publish_to(&clone, Target::Here, &mut writes("x")));
    assert_eq!(refused.code, code::ENROLLMENT_MISSING);
}

/// A host's API that knows one repository, and remembers what was opened.
fn api(gitlab: bool) -> Server {
    let opened: Mutex<Vec<Value>> = Mutex::default();
    Server::start(move |request| {
        let page = |number: usize| format!("https://host/acme/factory/{number}");
        let mut opened = opened.lock().unwrap();
        if request.path == "/app/installations/34/access_tokens" {
            let token = json!({"token": "t0ken", "expires_at": "2999-01-01T00:00:00Z"});
            return Answer::text(201, &token.to_string());
        }
        if request.header(if gitlab {
            "private-token"
        } else {
            "authorization"
        }) != Some(if gitlab { "t0ken" } else { "Bearer t0ken" })
        {
            return Answer::text(401, r#"{"message":"Bad credentials"}"#);
        }
        match request.method.as_str() {
            "GET" => {
                let head = request.query.split('&').find_map(|pair| {
                    pair.strip_prefix("head=acme%3A")
                        .or(pair.strip_prefix("source_branch="))
                });
                let head = head.unwrap().replace("%2F", "/");
                let found: Vec<Value> = opened
                    .iter()
                    .enumerate()
                    .filter(|(_, one)| one[if gitlab { "source_branch" } else { "head" }] == *head)
                    .map(|(number, _)| {
                        json!({"html_url": page(number), "web_url": page(number),
                               "head": {"ref": head}, "source_branch": head})
                    })
                    .collect();
                Answer::text(200, &Value::from(found).to_string())
            }
            "POST" => {
                opened.push(serde_json::from_slice(&request.body).unwrap());
                let page = page(opened.len() - 1);
                Answer::text(201, &json!({"html_url": page, "web_url": page}).to_string())
            }
            _ => Answer::text(405, "{}"),
        }
    })
}

fn settings(text: String) -> Settings {
    let file = InputFile {
        path: "images.yaml".into(),
        text,
    };
    let inputs = InputFiles {
        enrollment: vec![file],
        ..InputFiles::default()
    };
    image_factory::model::load(&inputs).0.unwrap().settings
}

fn host(api: &Server, provider: &str, path: &str) -> Host {
    let url = format!("{}{path}", api.url());
    let text = format!(
        "settings: {{git: {{repo: '{}/acme/factory.git'}}, providers: {{{provider}: {{api: '{url}', tokenEnv: MY_TOKEN}}}}}}\nimages: []\n",
        api.url()
    );
    let settings = settings(text);
    assert_eq!(
        Host::of(&settings, |_| None).unwrap_err().code,
        code::PULL_REQUEST_FAILED
    );
    Host::of(&settings, |name| {
        (name == "MY_TOKEN").then(|| "t0ken".to_owned())
    })
    .unwrap()
}

#[test]
fn a_pull_request_is_opened_with_the_token_of_an_app() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &["--depth=1"]);
    let api = api(false);
    let text = format!(
        "settings: {{git: {{repo: '{0}/acme/factory.git'}}, providers: {{github: {{api: '{0}'}}}}}}\nimages: []\n",
        api.url()
    );
    let host = Host::of(&settings(text), |name| {
        let value = match name {
            "GITHUB_APP_ID" => "12",
            "GITHUB_APP_INSTALLATION_ID" => "34",
            "GITHUB_APP_PRIVATE_KEY" => include_str!("servers/app-key.pem"),
            _ => return None,
        };
        Some(value.to_owned())
    })
    .unwrap();
    let main = main_branch();
    let target = Target::PullRequest(&main, &host);
    let landed = landed(publish_to(&clone, target, &mut writes("x")));
    let page = "https://host/acme/factory/0";
    assert_eq!(landed.pull_request.as_deref(), Some(page));
    let asked = api.requests();
    let minted = asked.iter().filter(|r| r.path.starts_with("/app/")).count();
    assert_eq!(minted, 1, "for all that is asked");
}

#[test]
fn a_protected_branch_is_gone_round_by_a_pull_request() {
    for (gitlab, provider, path) in [(false, "github", ""), (true, "gitlab", "/api/v4")] {
        let scene = Scene::new("");
        scene.remote.hook(
            "update",
            "#!/bin/sh\n[ \"$1\" != refs/heads/main ] || { echo 'protected branch' >&2; exit 1; }\n",
        );
        let clone = scene.clone("a", &["--depth=1"]);
        let before = clone.git(&["rev-parse", "HEAD"]);
        let api = api(gitlab);
        let host = host(&api, provider, path);
        let main = main_branch();
        assert_eq!(stopped(push(&clone, "x")).code, code::BRANCH_PROTECTED);

        let target = Target::PullRequest(&main, &host);
        let first = landed(publish_to(&clone, target, &mut writes("x")));
        assert_eq!(
            first.pull_request.as_deref(),
            Some("https://host/acme/factory/0")
        );
        clone.is_clean_at(&before);
        assert_eq!(scene.count(), 1);
        let branches = || {
            scene
                .remote
                .git(&["for-each-ref", "--format=%(refname:short)"])
        };
        let names = branches();
        let branch = names.lines().next().unwrap();
        assert!(branch.starts_with("image-factory/test-"), "{names}");
        assert_eq!(scene.remote.head(branch), Some(first.commit.clone()));
        let sent = api.requests().pop().unwrap();
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        assert_eq!(body["title"], "Record x");
        let path = if gitlab {
            "/api/v4/projects/acme%2Ffactory/merge_requests"
        } else {
            "/repos/acme/factory/pulls"
        };
        assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", path));

        // The same again, and more of the same topic: one branch, one request.
        let again = landed(publish_to(&clone, target, &mut writes("x")));
        assert_eq!(
            (again.commit, again.pull_request),
            (first.commit.clone(), first.pull_request.clone())
        );
        let more = landed(publish_to(&clone, target, &mut writes("y")));
        assert_eq!(more.pull_request, first.pull_request);
        assert_eq!(
            scene.remote.git(&["rev-parse", &format!("{branch}^")]),
            first.commit
        );
        assert_eq!(branches().lines().count(), 2);
        assert_eq!(
            api.requests().iter().filter(|r| r.method == "POST").count(),
            1
        );
    }
}

#[test]
fn a_branch_left_over_from_a_merged_request_is_not_built_on() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    let main = main_branch();
    let (old, new) = (api(false), api(false));
    let old_host = host(&old, "github", "");
    let first = landed(publish_to(
        &clone,
        Target::PullRequest(&main, &old_host),
        &mut writes("x"),
    ));
    // It was squashed onto main, and nothing is open any more.
    scene
        .remote
        .commit("main", &[("state/images/x.yaml", "name: x\n")]);
    let new_host = host(&new, "github", "");
    let second = landed(publish_to(
        &clone,
        Target::PullRequest(&main, &new_host),
        &mut writes("y"),
    ));
    assert_ne!(second.commit, first.commit);
    let parent = scene
        .remote
        .git(&["rev-parse", &format!("{}^", second.commit)]);
    assert_eq!(Some(parent), scene.remote.head("main"));
    let body: Value = serde_json::from_slice(&new.requests().pop().unwrap().body).unwrap();
    assert!(body["head"].as_str().unwrap().ends_with("-2"), "{body}");
}

#[test]
fn a_token_follows_no_redirect_and_is_told_to_nobody() {
    let scene = Scene::new("");
    let clone = scene.clone("a", &[]);
    let elsewhere = Server::start(|_| Answer::text(200, "[]"));
    let to = elsewhere.url();
    let api = Server::start(move |_| Answer::text(307, "").with("location", &to));
    let host = host(&api, "github", "");
    let target = Target::PullRequest(&main_branch(), &host);
    let refused = stopped(publish_to(&clone, target, &mut writes("x")));
    assert_eq!(refused.code, code::PULL_REQUEST_FAILED);
    assert!(refused.message.contains("redirect"), "{}", refused.message);
    assert!(!format!("{refused:?}").contains("t0ken"));
    assert!(elsewhere.requests().is_empty());
}
