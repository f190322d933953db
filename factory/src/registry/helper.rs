//! `docker-credential-NAME`: programs that keep credentials.

use std::time::Duration;

use serde::Deserialize;

use super::credentials::{Environment, Secret};
use super::error::{Kind, RegistryError, excerpt};
use crate::process::{Process, ProcessError};

/// How long a helper may take; it may have to ask a cloud.
const DEADLINE: Duration = Duration::from_secs(30);
/// More than any answer needs.
const LIMIT: u64 = 1 << 20;

/// Asks a helper for what it has for a server; `None` if it has nothing. The server
/// goes by its input and the secret comes by its output, so neither is an argument.
pub(super) fn get(
    program: &str,
    server: &str,
    environment: &Environment,
) -> Result<Option<Secret>, RegistryError> {
    if !is_name(program) {
        return Err(failed(program, "that is no name of a program"));
    }
    let mut process = Process::new(format!("docker-credential-{program}"))
        .arg("get")
        .stdin(server)
        .deadline(DEADLINE)
        .limit(LIMIT);
    for (name, value) in environment {
        process = process.env(name, value);
    }
    match process.run() {
        Ok(output) => read(program, &output.stdout),
        Err(error) => refused(program, &error),
    }
}

/// What a helper is called is a part of a file name, whoever wrote it.
fn is_name(program: &str) -> bool {
    program.len() <= 64
        && program
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && program.bytes().any(|b| b.is_ascii_alphanumeric())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

fn read(program: &str, stdout: &[u8]) -> Result<Option<Secret>, RegistryError> {
    // What cannot be read may hold a secret, so it is not shown.
    let answer: Answer = serde_json::from_slice(stdout)
        .map_err(|_| failed(program, "what it answers is no JSON of a user and a secret"))?;
    if answer.secret.is_empty() {
        return Ok(None);
    }
    let secret = Secret::of(answer.username, answer.secret);
    if !secret.can_be_sent() {
        return Err(failed(
            program,
            "its answer has characters that no credentials have",
        ));
    }
    Ok(Some(secret))
}

/// A helper says on its output that it has nothing, and ends with an error.
fn refused(program: &str, error: &ProcessError) -> Result<Option<Secret>, RegistryError> {
    if let ProcessError::Failed { stdout, stderr, .. } = error {
        let said = String::from_utf8_lossy(stdout);
        if said.contains("credentials not found") || stderr.contains("credentials not found") {
            return Ok(None);
        }
        // Its words, unless they are an answer all the same.
        if !said.trim().is_empty() && !said.contains('{') {
            return Err(failed(program, &said));
        }
    }
    Err(failed(program, &error.to_string()))
}

fn failed(program: &str, why: &str) -> RegistryError {
    let program = excerpt(program);
    RegistryError::new(
        Kind::Credentials,
        format!(
            "the credential helper docker-credential-{program} failed: {}",
            excerpt(why)
        ),
    )
    .help(format!(
        "try it: echo REGISTRY | docker-credential-{program} get; or take it out of the configuration that names it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_are_called_by_plain_names() {
        for (name, fine) in [
            ("ecr-login", true),
            ("osxkeychain", true),
            ("acr_env.2", true),
            ("", false),
            ("..", false),
            ("-", false),
            ("../../bin/sh", false),
            ("a b", false),
            ("a;b", false),
            ("$(id)", false),
            ("a\0", false),
        ] {
            assert_eq!(is_name(name), fine, "{name:?}");
        }
        let error = get("../evil", "a.io", &Vec::new()).unwrap_err();
        assert_eq!(error.kind, Kind::Credentials);
    }

    #[test]
    fn answers_are_read_and_hidden() {
        let got = |json: &str| read("x", json.as_bytes());
        let password = Secret::of("me".to_owned(), "secret".to_owned());
        assert_eq!(
            got(r#"{"ServerURL":"a.io","Username":"me","Secret":"secret"}"#),
            Ok(Some(password))
        );
        let identity = Secret::Identity("t".to_owned());
        assert_eq!(
            got(r#"{"Username":"<token>","Secret":"t"}"#),
            Ok(Some(identity))
        );
        assert_eq!(got(r#"{"Username":"","Secret":""}"#), Ok(None));
        for bad in [
            "",
            "secret",
            r#"{"Username":"me","Secret":"a\nb"}"#,
            r#"{"Secret":1}"#,
        ] {
            let error = got(bad).unwrap_err();
            assert_eq!(error.kind, Kind::Credentials, "{bad}");
            assert!(!error.reason.contains("secret:"), "{error}");
        }
    }

    #[test]
    fn a_refusal_is_told_from_having_nothing() {
        let ended = |stdout: &str, stderr: &str| {
            let error = ProcessError::Failed {
                program: "docker-credential-x".to_owned(),
                code: Some(1),
                stdout: stdout.into(),
                stderr: stderr.to_owned(),
            };
            refused("x", &error).map_err(|error| error.reason)
        };
        assert_eq!(
            ended("credentials not found in native keychain\n", ""),
            Ok(None)
        );
        assert_eq!(ended("", "error: credentials not found"), Ok(None));
        let reason = |stdout, stderr| ended(stdout, stderr).unwrap_err();
        assert!(reason("the vault is locked\n", "").ends_with("failed: the vault is locked"));
        assert!(reason("", "no such region").ends_with("no such region"));
        assert!(!reason("{\"Secret\": \"s3cret\"", "").contains("s3cret"));
    }
}
