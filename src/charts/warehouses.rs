//! Warehouses: what Kargo watches.

use kargo_types::{
    CommitSelectionStrategy, FreightCreationPolicy, GitSubscription, ImageSelectionStrategy,
    ImageSubscription, Subscription, Warehouse, WarehouseSpec,
};

use super::Context;
use super::stage::go_duration;
use super::topology::{Tracked, own_bases, watched_upstream};
use crate::model::{Duration, RepoPath, Repository, Source, Watch};
use crate::synth::Chart;
use crate::template::TemplateError;

/// How many images Kargo looks at after sorting; the newest is what counts.
const IMAGES: i64 = 10;
/// How many commits Kargo looks at.
const COMMITS: i64 = 5;

/// A Warehouse for every base and external image.
pub(super) fn add_watched(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    let intervals = &context.model.settings.intervals;
    for tracked in watched_upstream(context.model) {
        let interval = match tracked {
            Tracked::Base(..) => intervals.base,
            Tracked::External(_) => intervals.external,
        };
        add_image_only(chart, tracked, interval);
    }
    Ok(())
}

/// A Warehouse for every base that is one of our own images. It watches the
/// image only: the image's other Warehouse makes Freight for each commit too.
pub(super) fn add_own(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    for tracked in own_bases(context.model) {
        add_image_only(chart, tracked, context.model.settings.intervals.managed);
    }
    Ok(())
}

fn add_image_only(chart: &mut Chart, tracked: Tracked<'_>, interval: Duration) {
    let subscription = image(tracked.repo_url(), tracked.watch());
    let object = warehouse(tracked.name(), interval, vec![subscription]);
    let object = chart.add(object);
    chart.origin(object, tracked.place());
}

/// A Warehouse for every managed image: its builds and its source.
pub(super) fn add_managed(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    for (managed, source) in context.model.managed() {
        let subscriptions = vec![
            image(&managed.repo_url, &managed.watch),
            git(context, source),
        ];
        let interval = context.model.settings.intervals.managed;
        let object = chart.add(warehouse(managed.name.as_str(), interval, subscriptions));
        chart.origin(object, managed.place());
    }
    Ok(())
}

fn warehouse(name: &str, interval: Duration, subscriptions: Vec<Subscription>) -> Warehouse {
    Warehouse::new(
        name,
        WarehouseSpec {
            interval: go_duration(interval),
            freight_creation_policy: Some(FreightCreationPolicy::Automatic),
            subscriptions,
            ..WarehouseSpec::default()
        },
    )
}

/// Defaults are written out: the API server would add them inside the list, and
/// Argo CD would see a difference for ever.
fn image(repository: &Repository, watch: &Watch) -> Subscription {
    let (strategy, constraint, tags) = match watch {
        Watch::Tag(tag) => (ImageSelectionStrategy::Digest, Some(tag.to_string()), None),
        Watch::SemVer { constraint, tags } => (
            ImageSelectionStrategy::SemVer,
            constraint.as_ref().map(ToString::to_string),
            tags.as_ref(),
        ),
        Watch::Lexical { tags } => (ImageSelectionStrategy::Lexical, None, tags.as_ref()),
        Watch::NewestBuild { tags } => (ImageSelectionStrategy::NewestBuild, None, tags.as_ref()),
    };
    Subscription::Image(ImageSubscription {
        repo_url: repository.url().to_owned(),
        image_selection_strategy: Some(strategy),
        constraint,
        strict_semvers: Some(false),
        allow_tags_regexes: tags.map(|tags| vec![tags.to_string()]),
        discovery_limit: Some(IMAGES),
        ..ImageSubscription::default()
    })
}

fn git(context: &Context<'_>, source: &Source) -> Subscription {
    let ours = source.git_url.identity() == context.repo.identity();
    Subscription::Git(GitSubscription {
        repo_url: source.git_url.to_string(),
        commit_selection_strategy: Some(CommitSelectionStrategy::NewestFromBranch),
        branch: Some(source.branch.to_string()),
        strict_semvers: Some(false),
        include_paths: Some(included(context, source, ours)),
        exclude_paths: ours.then(|| super::written(context.model)),
        discovery_limit: Some(COMMITS),
        ..GitSubscription::default()
    })
}

/// The paths whose commits count: the app's folder, the build context where it
/// is another one, and the enrollment where it lives in the same repository.
fn included(context: &Context<'_>, source: &Source, ours: bool) -> Vec<String> {
    let mut paths = vec![app_folder(&source.dockerfile)];
    if !source.context.is_top() {
        paths.push(folder(source.context.as_str()));
    }
    if ours {
        paths.push(super::inside(context.model, "images.yaml"));
        paths.push(super::inside(context.model, "images.d/"));
    }
    paths.sort();
    paths.dedup();
    // A folder inside another included one adds nothing.
    let all = paths.clone();
    paths.retain(|path| {
        !all.iter()
            .any(|other| other != path && other.ends_with('/') && path.starts_with(other.as_str()))
    });
    if paths.iter().any(|path| path == EVERYTHING) {
        vec![EVERYTHING.to_owned()]
    } else {
        paths
    }
}

/// Every path: a Dockerfile at the top may build from anything.
const EVERYTHING: &str = "glob:**";

/// The folder of the app that a Dockerfile belongs to: `apps/X/` for
/// `apps/X/…`, else the first folder.
fn app_folder(dockerfile: &RepoPath) -> String {
    let mut parts = dockerfile.as_str().split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("apps"), Some(app), Some(_)) => ["apps/", app, "/"].concat(),
        (Some(first), Some(_), _) => folder(first),
        _ => EVERYTHING.to_owned(),
    }
}

fn folder(path: &str) -> String {
    [path, "/"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Parse;

    #[test]
    fn the_folder_of_an_app() {
        let cases = [
            (
                "apps/backstage/packages/backend/Dockerfile",
                "apps/backstage/",
            ),
            ("apps/uv/Dockerfile", "apps/uv/"),
            ("apps/Dockerfile", "apps/"),
            ("services/shop/Dockerfile", "services/"),
            ("Dockerfile", "glob:**"),
        ];
        for (dockerfile, expected) in cases {
            let path = RepoPath::parse(dockerfile).unwrap();
            assert_eq!(app_folder(&path), expected, "{dockerfile}");
        }
    }
}
