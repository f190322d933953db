//! A clone of the factory's own repository: one commit of one branch.

use std::path::Path;
use std::time::Duration;

use image_factory::model::GitUrl;

use super::Git;
use super::auth::Credentials;
use super::words::{Cause, cause, telling};
use crate::process::ProcessError;

/// A clone of one commit takes no longer, unless the network hangs.
const DEADLINE: Duration = Duration::from_secs(600);

/// Clones the newest commit of a branch into a folder that is not there, or empty.
///
/// # Errors
///
/// Git's words.
pub fn shallow(
    git: &Git,
    credentials: &Credentials,
    url: &GitUrl,
    branch: &str,
    folder: &Path,
) -> Result<(), String> {
    let parent = folder
        .ancestors()
        .skip(1)
        .find(|parent| parent.is_dir())
        .unwrap_or(Path::new("/"));
    let folder = folder
        .to_str()
        .ok_or("the folder has a name that is not UTF-8")?;
    let branch = format!("--branch={branch}");
    let arguments = [
        "clone",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--single-branch",
        &branch,
        "--",
        url.as_str(),
        folder,
    ];
    let mut why = "there is no way to get at it".to_owned();
    for access in credentials.access(git, url) {
        let process = access.in_checkout(git, parent, &arguments);
        match process.deadline(DEADLINE).run() {
            Ok(_) => return Ok(()),
            Err(error) => {
                let again = matches!(cause(error.stderr()), Cause::Denied | Cause::NotFound);
                why = match &error {
                    ProcessError::Failed { stderr, .. } => telling(stderr),
                    error => error.to_string(),
                };
                if !again {
                    break;
                }
            }
        }
    }
    Err(why)
}
