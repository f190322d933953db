//! Subscriptions of Warehouses. Admission reads them leniently: two of one
//! repository and patterns that do not compile pass, and discovery fails.

use std::collections::BTreeSet;

use kargo_types::{
    GitSubscription, ImageSelectionStrategy, ImageSubscription, Subscription, Warehouse,
};

use super::index::{Index, Typed, git_identity};
use crate::diagnostics::{Code, code};
use crate::model::{Parse, Pattern};
use crate::synth::Problem;

pub(super) fn check(index: &Index<'_>, problems: &mut Vec<Problem>) {
    for warehouse in index.warehouses.values() {
        let mut seen = BTreeSet::new();
        for (at, subscription) in warehouse.get().spec.subscriptions.iter().enumerate() {
            let kind = match subscription {
                Subscription::Image(_) => "image",
                Subscription::Git(_) => "git",
                Subscription::Chart(_) => "chart",
            };
            let mut found = Found {
                warehouse,
                at: format!("/spec/subscriptions/{at}/{kind}"),
                problems,
            };
            match subscription {
                Subscription::Image(image) => image_subscription(image, &mut found),
                Subscription::Git(git) => git_subscription(git, &mut found),
                Subscription::Chart(_) => {}
            }
            let identity = identity(subscription);
            if !seen.insert(identity.clone()) {
                let message = format!(
                    "subscribes to `{}` twice: Kargo can then make no Freight",
                    identity.1
                );
                found.add(code::SUBSCRIPTION_TWICE, "/repoURL", message);
            }
        }
    }
}

/// What Kargo takes for the same repository.
fn identity(subscription: &Subscription) -> (&'static str, String, String) {
    match subscription {
        Subscription::Image(image) => ("image", image.repo_url.clone(), String::new()),
        Subscription::Git(it) => ("git", git_identity(&it.repo_url), String::new()),
        Subscription::Chart(it) => (
            "chart",
            it.repo_url.to_lowercase(),
            it.name.clone().unwrap_or_default(),
        ),
    }
}

struct Found<'a, 'o> {
    warehouse: &'a Typed<'o, Warehouse>,
    at: String,
    problems: &'a mut Vec<Problem>,
}

impl Found<'_, '_> {
    fn add(&mut self, code: Code, field: &str, message: impl Into<String>) {
        let pointer = [&self.at, field].concat();
        self.problems
            .push(self.warehouse.problem(code, message).pointer(pointer));
    }

    fn gone(&mut self, field: &str, present: bool, instead: &str) {
        if present {
            let message =
                format!("discovery fails with this field since Kargo 1.11: use `{instead}`");
            self.add(code::DEAD_FIELD, field, message);
        }
    }

    fn patterns(&mut self, field: &str, patterns: Option<&Vec<String>>) {
        for (at, pattern) in patterns.into_iter().flatten().enumerate() {
            if let Err(invalid) = Pattern::parse(pattern) {
                let message = format!("the pattern `{pattern}` {}", invalid.why);
                self.add(code::UNREADABLE_PATTERN, &format!("{field}/{at}"), message);
            }
        }
    }

    fn paths(&mut self, field: &str, paths: Option<&Vec<String>>) {
        for (at, path) in paths.into_iter().flatten().enumerate() {
            let regex = ["regexp:", "regex:"]
                .iter()
                .find_map(|prefix| path.strip_prefix(prefix));
            if let Some(Err(invalid)) = regex.map(Pattern::parse) {
                let message = format!("the pattern `{path}` {}", invalid.why);
                self.add(code::UNREADABLE_PATTERN, &format!("{field}/{at}"), message);
            }
        }
    }
}

fn image_subscription(image: &ImageSubscription, found: &mut Found<'_, '_>) {
    found.gone("/allowTags", image.allow_tags.is_some(), "allowTagsRegexes");
    found.gone(
        "/ignoreTags",
        image.ignore_tags.is_some(),
        "ignoreTagsRegexes",
    );
    found.patterns("/allowTagsRegexes", image.allow_tags_regexes.as_ref());
    found.patterns("/ignoreTagsRegexes", image.ignore_tags_regexes.as_ref());
    let digest = image.image_selection_strategy == Some(ImageSelectionStrategy::Digest);
    if digest && image.constraint.as_deref().unwrap_or_default().is_empty() {
        found.add(
            code::SCHEMA_VIOLATION,
            "/constraint",
            "the strategy `Digest` needs the tag as `constraint`",
        );
    }
}

fn git_subscription(git: &GitSubscription, found: &mut Found<'_, '_>) {
    found.gone("/allowTags", git.allow_tags.is_some(), "allowTagsRegexes");
    found.gone(
        "/ignoreTags",
        git.ignore_tags.is_some(),
        "ignoreTagsRegexes",
    );
    found.patterns("/allowTagsRegexes", git.allow_tags_regexes.as_ref());
    found.patterns("/ignoreTagsRegexes", git.ignore_tags_regexes.as_ref());
    found.paths("/includePaths", git.include_paths.as_ref());
    found.paths("/excludePaths", git.exclude_paths.as_ref());
}
