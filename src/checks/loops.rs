//! A Warehouse that watches the repository we write to must not see our commits:
//! each analysis would cause the next.

use kargo_types::{GitSubscription, Subscription};

use super::index::{git_identity, warehouses};
use crate::diagnostics::code;
use crate::model::GitUrl;
use crate::synth::{Objects, Problem, Validator};

/// Refuses git subscriptions that would take commits of the factory itself for
/// news.
#[derive(Clone, Debug)]
pub struct NoLoop {
    repository: String,
    written: Vec<String>,
}

impl NoLoop {
    /// `repository` holds state and manifests, in these folders from its top.
    #[must_use]
    pub fn new(repository: &GitUrl, written: &[String]) -> NoLoop {
        NoLoop {
            repository: git_identity(repository.as_str()),
            written: written
                .iter()
                .map(|folder| folder.trim_end_matches('/').to_owned())
                .collect(),
        }
    }

    /// The folder whose commits the subscription would see.
    fn seen<'a>(&'a self, git: &GitSubscription) -> Option<&'a str> {
        let includes = git.include_paths.as_deref().unwrap_or_default();
        let excludes = git.exclude_paths.as_deref().unwrap_or_default();
        self.written.iter().map(String::as_str).find(|folder| {
            let included =
                includes.is_empty() || includes.iter().any(|path| overlaps(path, folder));
            let excluded = excludes.iter().any(|path| is_inside(folder, path));
            included && !excluded
        })
    }
}

impl Validator for NoLoop {
    fn check(&self, objects: &Objects<'_>, problems: &mut Vec<Problem>) {
        for warehouse in warehouses(objects) {
            let subscriptions = &warehouse.get().spec.subscriptions;
            for (at, subscription) in subscriptions.iter().enumerate() {
                let Subscription::Git(git) = subscription else {
                    continue;
                };
                if git_identity(&git.repo_url) != self.repository {
                    continue;
                }
                let Some(folder) = self.seen(git) else {
                    continue;
                };
                let message = format!(
                    "watches `{folder}/` of the repository that we commit to: each analysis would cause the next"
                );
                problems.push(
                    warehouse
                        .problem(code::WATCHES_ITSELF, message)
                        .pointer(format!("/spec/subscriptions/{at}/git/excludePaths"))
                        .help("exclude the folder, or include the app's folder only"),
                );
            }
        }
    }
}

/// A pattern may match anything; a folder overlaps what it holds and what holds it.
fn overlaps(path: &str, folder: &str) -> bool {
    is_pattern(path) || is_inside(folder, path) || is_inside(path, folder)
}

fn is_pattern(path: &str) -> bool {
    ["glob:", "regex:", "regexp:"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// Is `path` the folder `folder`, or in it?
fn is_inside(path: &str, folder: &str) -> bool {
    let (path, folder) = (path.trim_end_matches('/'), folder.trim_end_matches('/'));
    folder.is_empty()
        || folder == "."
        || path == folder
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}
