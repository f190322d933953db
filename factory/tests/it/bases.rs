//! `bases`, by the program itself.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const WEB: &str = "\
# syntax=docker/dockerfile:1
ARG NODE=22 NGINX
FROM node:${NODE}-bookworm-slim AS build
RUN --mount=type=cache,target=/root/.npm npm ci
COPY --from=ghcr.io/acme/tools:v1.0 /bin/tool /bin/tool

FROM busybox AS unused

FROM nginx:$NGINX
COPY --from=build /app /usr/share/nginx/html
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    write("web.Dockerfile", WEB.as_bytes());
    let pin = "0123456789abcdef".repeat(4);
    write(
        "pinned.Dockerfile",
        format!("FROM alpine@sha256:{pin}\n").as_bytes(),
    );
    write("scratch.Dockerfile", b"FROM scratch\nCOPY x /x\n");
    write("broken.Dockerfile", b"FROM Node\n# \xff\nRNU x\xff\n");
    folder
}

fn run(root: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_image-factory"))
        .arg("bases")
        .args(args)
        .env_clear()
        .current_dir(root)
        .output()
        .unwrap()
}

fn printed(output: &Output) -> (Option<i32>, &str, &str) {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn answered(output: &Output, exit: i32) -> Value {
    assert_eq!(output.status.code(), Some(exit), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn people_get_a_table() {
    let folder = folder();
    let output = run(folder.path(), &["web.Dockerfile"]);
    let table = "\
LINE  STAGE   KIND   REFERENCE                IMAGE
   3  build   from   node:22-bookworm-slim    docker.io/library/node:22-bookworm-slim
   5  build   copy   ghcr.io/acme/tools:v1.0  ghcr.io/acme/tools:v1.0
   7  unused  from   busybox                  docker.io/library/busybox:latest         not needed by the build
   9  2       from   needs $NGINX             ?

without value: NGINX; what gives a value: --build-arg NGINX=…
";
    assert_eq!(printed(&output), (Some(0), table, ""));
    let output = run(folder.path(), &["scratch.Dockerfile"]);
    let nothing = "no base: it is built on nothing but `scratch`\n";
    assert_eq!(printed(&output), (Some(0), nothing, ""));
    let output = run(folder.path(), &["-q", "web.Dockerfile"]);
    assert_eq!(printed(&output), (Some(0), "", ""));
}

#[test]
fn machines_get_one_object_with_the_fixed_fields() {
    let folder = folder();
    let found = answered(
        &run(folder.path(), &["web.Dockerfile", "--format", "json"]),
        0,
    );
    let bases = found["bases"].as_array().unwrap();
    assert_eq!(bases.len(), 3);
    assert_eq!(
        bases[0],
        json!({
            "reference": "node:22-bookworm-slim", "image": "docker.io/library/node:22-bookworm-slim",
            "line": 3, "stage": 0, "stageName": "build", "kind": "from", "reachable": true,
            "tag": "22-bookworm-slim", "implicitLatest": false, "digest": null,
        })
    );
    assert_eq!(
        (&bases[1]["kind"], &bases[2]["reachable"]),
        (&json!("copy"), &json!(false))
    );
    assert_eq!(bases[2]["implicitLatest"], true);
    assert_eq!(
        found["unresolved"],
        json!([{"variable": "NGINX", "declared": true, "line": 9, "stage": 2, "stageName": null, "kind": "from", "reachable": true}])
    );
    assert_eq!(found["diagnostics"], json!([]));
    assert!(found.get("file").is_none());
}

#[test]
fn build_arguments_and_target_are_those_of_a_build() {
    let folder = folder();
    let args = [
        "web.Dockerfile",
        "--format=json",
        "--build-arg",
        "NODE=24",
        "--build-arg=NGINX=1",
    ];
    let found = answered(&run(folder.path(), &args), 0);
    let references: Vec<&str> = found["bases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|base| base["reference"].as_str().unwrap())
        .collect();
    assert_eq!(
        references,
        [
            "node:24-bookworm-slim",
            "ghcr.io/acme/tools:v1.0",
            "busybox",
            "nginx:1"
        ]
    );
    let found = answered(
        &run(
            folder.path(),
            &["web.Dockerfile", "--format=json", "--target=Unused"],
        ),
        0,
    );
    assert_eq!(found["bases"][0]["reference"], "busybox");
    assert_eq!(found["bases"].as_array().unwrap().len(), 1);
    assert_eq!(found["unresolved"], json!([]));

    let output = run(folder.path(), &["web.Dockerfile", "--target=biuld"]);
    let (code, stdout, stderr) = printed(&output);
    assert_eq!((code, stdout), (Some(2), ""));
    assert!(
        stderr.contains("IF202") && stderr.contains("did you mean `build`?"),
        "{stderr}"
    );
    assert_eq!(
        run(folder.path(), &["web.Dockerfile", "--build-arg", "NODE"])
            .status
            .code(),
        Some(2)
    );
    assert_eq!(run(folder.path(), &[]).status.code(), Some(2));
}

#[test]
fn a_file_that_no_build_takes_is_told_and_the_others_are_answered() {
    let folder = folder();
    let output = run(
        folder.path(),
        &["broken.Dockerfile", "pinned.Dockerfile", "missing", "."],
    );
    let (code, stdout, stderr) = printed(&output);
    assert_eq!(code, Some(2));
    let pin = "0123456789abcdef".repeat(4);
    assert!(
        stdout.starts_with("pinned.Dockerfile\nLINE  STAGE  KIND"),
        "{stdout}"
    );
    assert!(
        stdout.contains("alpine@sha256:0123456789ab…  docker.io/library/alpine@sha256:0123456789ab…  pinned by digest alone: no tag to watch"),
        "{stdout}"
    );
    for told in [
        "broken.Dockerfile:1:6",
        "broken.Dockerfile:3:1",
        "did you mean `RUN`?",
        "RNU x?",
        "missing",
        "./Dockerfile",
    ] {
        assert!(stderr.contains(told), "{told}: {stderr}");
    }
    let found = answered(
        &run(
            folder.path(),
            &["broken.Dockerfile", "pinned.Dockerfile", "--format=json"],
        ),
        2,
    );
    assert_eq!(found[0]["file"], "broken.Dockerfile");
    assert_eq!(found[0]["bases"], json!([]));
    assert_eq!(found[0]["diagnostics"][0]["code"], "IF201");
    assert_eq!(found[0]["diagnostics"][1]["line"], 3);
    assert_eq!(found[1]["file"], "pinned.Dockerfile");
    assert_eq!(found[1]["bases"][0]["tag"], Value::Null);
    assert_eq!(found[1]["bases"][0]["digest"], format!("sha256:{pin}"));
    let one = answered(
        &run(folder.path(), &["broken.Dockerfile", "--format=json"]),
        2,
    );
    assert_eq!(one["bases"], json!([]));
    assert_eq!(one["diagnostics"].as_array().unwrap().len(), 2);
}

#[test]
fn a_dash_is_the_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_image-factory"))
        .args(["bases", "-"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"FROM node").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let table = "LINE  STAGE  KIND   REFERENCE  IMAGE\n   1  0      from   node       docker.io/library/node:latest  no tag is written\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), table);
}

#[test]
fn nothing_of_a_file_steers_the_terminal() {
    let folder = folder();
    let evil = folder.path().join("evil");
    std::fs::write(&evil, b"FROM \x1b[31mx:$\xc3\x85\x1b[0m\n\x1b]0;x\x07 y\n").unwrap();
    let output = run(folder.path(), &["evil", "--color=always", "a\u{1b}[31m"]);
    let (code, stdout, stderr) = printed(&output);
    assert_eq!(code, Some(2));
    assert!(
        !format!("{stdout}{stderr}").contains("\u{1b}[31mx"),
        "{stderr}"
    );
    assert!(!stderr.contains("\u{1b}]"), "{stderr}");
}

#[test]
fn a_huge_file_is_read_in_no_time_and_a_larger_one_is_not_read() {
    let folder = folder();
    let huge = folder.path().join("huge");
    let mut text = b"FROM node:22\n".to_vec();
    while text.len() < 50 << 20 {
        text.extend_from_slice(
            b"RUN echo a rather ordinary line of a Dockerfile that someone generated\n",
        );
    }
    std::fs::write(&huge, &text).unwrap();
    let found = answered(&run(folder.path(), &["huge", "--format=json"]), 0);
    assert_eq!(found["bases"].as_array().unwrap().len(), 1);
    std::fs::File::options()
        .write(true)
        .open(&huge)
        .unwrap()
        .set_len((64 << 20) + 1)
        .unwrap();
    let output = run(folder.path(), &["huge"]);
    let (code, stdout, stderr) = printed(&output);
    assert_eq!((code, stdout), (Some(2), ""));
    assert!(stderr.contains("IF203"), "{stderr}");
}

#[test]
fn a_digest_is_shown_in_full_on_request() {
    let folder = folder();
    let output = run(folder.path(), &["-v", "pinned.Dockerfile"]);
    let (code, stdout, stderr) = printed(&output);
    assert_eq!((code, stderr), (Some(0), ""));
    let pin = "0123456789abcdef".repeat(4);
    assert!(
        stdout.contains(&format!("alpine@sha256:{pin}  ")),
        "{stdout}"
    );
}
