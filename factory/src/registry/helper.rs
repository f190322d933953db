//! `docker-credential-NAME`: programs that keep credentials.

use super::credentials::Secret;
use super::error::{Kind, RegistryError, excerpt};

/// Asks a helper for what it has for a server; `None` if it has nothing.
pub(super) fn get(program: &str, server: &str) -> Result<Option<Secret>, RegistryError> {
    if !is_name(program) {
        return Err(failed(program, "it is no name of a program"));
    }
    run(program, server)
}

/// What a helper is called is a part of a file name, whoever wrote it.
fn is_name(program: &str) -> bool {
    program.len() <= 64
        && program
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && program.bytes().any(|b| b.is_ascii_alphanumeric())
}

fn failed(program: &str, why: &str) -> RegistryError {
    RegistryError::new(
        Kind::Credentials,
        format!(
            "the credential helper docker-credential-{} failed: {}",
            excerpt(program),
            excerpt(why)
        ),
    )
    .help("try it: echo REGISTRY | docker-credential-NAME get; or take it out of Docker's configuration")
}

fn run(program: &str, _server: &str) -> Result<Option<Secret>, RegistryError> {
    Err(failed(program, "no helper can be run yet"))
}
