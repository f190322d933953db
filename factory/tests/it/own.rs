//! The repository around us.

use std::path::Path;

use factory::git::Git;
use factory::git::own::{CommitError, file_at, top_level};
use factory::git::sources::{FileFault, PathFault};
use image_factory::model::{Parse, RepoPath};

use crate::servers::git::{Entry, GitServer, git};

fn our_git(home: &Path) -> Git {
    let path = std::env::var_os("PATH").unwrap();
    let env = [("PATH".into(), path), ("HOME".into(), home.into())];
    Git::new(env, Path::new("/nonexistent"))
}

#[test]
fn the_top_is_found_from_below_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let inside = root.join("re po/a/b");
    std::fs::create_dir_all(&inside).unwrap();
    let made = git(&root)
        .args(["init", "--quiet", "re po"])
        .output()
        .unwrap();
    assert!(made.status.success());
    let program = our_git(&root);
    for folder in [&inside, &root.join("re po")] {
        assert_eq!(
            top_level(&program, folder).unwrap(),
            Some(root.join("re po"))
        );
    }
    assert_eq!(top_level(&program, &root).unwrap(), None);
    assert_eq!(top_level(&program, &root.join("none")).unwrap(), None);
    let without = Git::new([("PATH".into(), "/nonexistent".into())], Path::new(""));
    assert!(top_level(&without, &root).is_err());
}

#[test]
fn a_file_is_read_as_a_commit_has_it() {
    let server = GitServer::start();
    let factory = server.repository("acme/factory");
    let old = factory.commit("main", &[("apps/Dockerfile", "FROM old\n")]);
    let new = factory.commit_entries(
        "main",
        &[
            ("apps/Dockerfile", Entry::File(b"FROM new\n")),
            ("link", Entry::Link("apps/Dockerfile")),
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let program = our_git(folder.path());
    let url = server.address("acme/factory");
    for (name, more) in [
        ("whole", &[][..]),
        ("partial", &["--filter=blob:none", "--no-checkout"][..]),
    ] {
        let cloned = git(folder.path())
            .args(["clone", "--quiet"])
            .args(more)
            .args([&url, name])
            .output()
            .unwrap();
        assert!(cloned.status.success(), "{cloned:?}");
        let checkout = folder.path().join(name);
        std::fs::create_dir_all(checkout.join("below")).unwrap();
        let read = |commit: &str, path: &str| {
            let path = RepoPath::parse(path).unwrap();
            file_at(&program, &checkout.join("below"), commit, &path, 100)
        };
        assert_eq!(read(&old, "apps/Dockerfile").unwrap(), b"FROM old\n");
        assert_eq!(read(&new, "apps/Dockerfile").unwrap(), b"FROM new\n");
        assert_eq!(read(&new, "link").unwrap(), b"FROM new\n");
        let missing = read(&old, "link").unwrap_err();
        assert!(
            matches!(
                missing,
                CommitError::File(FileFault::Path(PathFault::Missing { .. }))
            ),
            "{missing}"
        );
        for commit in ["HEAD", "-p", &"12".repeat(20)] {
            let unknown = read(commit, "link").unwrap_err();
            assert!(matches!(unknown, CommitError::NoCommit(_)), "{unknown}");
        }
    }
}
