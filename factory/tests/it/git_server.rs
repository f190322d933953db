//! The test server itself: what is tested against it must be able to trust it.

use std::process::Output;

use crate::servers::git::{Entry, Fault, GitServer, git};

fn clone(folder: &std::path::Path, url: &str) -> Output {
    git(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["clone", "--quiet", url, "copy"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn it_serves_what_was_committed_and_takes_pushes() {
    let server = GitServer::start();
    let repository = server.repository("acme/shop");
    let first = repository.commit("main", &[("a/Dockerfile", "FROM node:22\n")]);
    let second = repository.commit_entries(
        "main",
        &[("link", Entry::Link("a")), ("raw", Entry::File(&[0, 255]))],
    );
    assert_ne!(first, second);
    let folder = tempfile::tempdir().unwrap();
    let output = clone(folder.path(), &server.address("acme/shop"));
    assert!(output.status.success(), "{output:?}");
    let copy = folder.path().join("copy");
    assert_eq!(
        std::fs::read_to_string(copy.join("link/Dockerfile")).unwrap(),
        "FROM node:22\n"
    );
    assert!(
        server
            .requests()
            .iter()
            .all(|r| r.header("authorization").is_none())
    );

    let push = git(&copy)
        .args(["push", "--quiet", "origin", "HEAD~1:refs/heads/other"])
        .output()
        .unwrap();
    assert!(push.status.success(), "{push:?}");
    assert_eq!(repository.head("other"), Some(first));
    assert_eq!(repository.show("other", "a/Dockerfile"), "FROM node:22");
}

#[test]
fn it_asks_for_passwords_and_misbehaves_on_demand() {
    let server = GitServer::start();
    server
        .repository("acme/shop")
        .commit("main", &[("Dockerfile", "FROM a\n")]);
    server.protect("/acme/", Some("me"), "s3cret");
    let folder = tempfile::tempdir().unwrap();
    let url = server.address("acme/shop");
    assert!(!clone(folder.path(), &url).status.success());
    let with = url.replace("http://", "http://me:s3cret@");
    assert!(clone(folder.path(), &with).status.success());
    std::fs::remove_dir_all(folder.path().join("copy")).unwrap();
    assert!(
        !clone(folder.path(), &with.replace("me:", "you:"))
            .status
            .success()
    );

    server.fault("/info/refs", 1, Fault::Status(503));
    let output = clone(folder.path(), &with);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("503"),
        "{output:?}"
    );
    assert!(clone(folder.path(), &with).status.success(), "only once");
}
