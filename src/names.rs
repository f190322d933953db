//! Every name that another file, a cluster object or a person matches on.
//!
//! Names never move: renaming a Stage loses its soak, renaming a Warehouse its
//! Freight. A change here is a breaking change.

use crate::synth::name::subdomain;

/// Label on the Stages that Kargo promotes by itself.
pub const AUTO_PROMOTE: &str = "image-factory.io/auto-promote";
/// Label with the managed image a Stage belongs to.
pub const IMAGE: &str = "image-factory.io/image";

/// Label on everything we render.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "image-factory");

/// Prefix of the Stage that records what a Warehouse saw.
pub const TRACK: &str = "track-";
/// Prefix of the Stage that asks for a rebuild.
pub const REBUILD: &str = "rebuild-";
/// Prefix of the Stage that reads the Dockerfile of a new build.
pub const ANALYZE: &str = "analyze-dockerfile-";
/// Prefix of the control-flow Stage behind [`ANALYZE`].
pub const ANALYZED: &str = "analyzed-";
/// Prefix of the Stage that bumps kustomizations.
pub const UPDATE_KUSTOMIZE: &str = "update-kustomize-";
/// Prefix of the Stage that bumps YAML files.
pub const UPDATE_YAML: &str = "update-yaml-";

/// AnalysisTemplate behind [`TRACK`].
pub const RECORD_UPDATE: &str = "record-update";
/// AnalysisTemplate behind [`REBUILD`].
pub const TRIGGER_REBUILD: &str = "trigger-rebuild";
/// AnalysisTemplate behind [`ANALYZE`].
pub const ANALYZE_DOCKERFILE: &str = "analyze-dockerfile";
/// ServiceAccount of every Job of ours.
pub const SERVICE_ACCOUNT: &str = "image-factory";
/// CronJob that asks the planner what is due.
pub const CRON_REBUILD: &str = "rebuild-due";
/// CronJob that asks the registries.
pub const CRON_DISCOVER: &str = "discover-resolve";

/// What the Jobs run unless images.yaml says otherwise: this program's own
/// image at this version, never `latest`.
pub const JOBS_IMAGE: &str = concat!(
    "ghcr.io/craigedmunds/image-factory:",
    env!("CARGO_PKG_VERSION")
);

/// File of what watches upstream and asks for rebuilds.
pub const FILE_FACTORY: &str = "image-factory";
/// File of what belongs to our own images.
pub const FILE_MANAGED: &str = "managed-images";
/// File of what runs our program.
pub const FILE_AUTOMATION: &str = "automation";

/// The Stage that records what Warehouse `warehouse` saw.
#[must_use]
pub fn track(warehouse: &str) -> String {
    prefixed(TRACK, warehouse)
}

/// The Stage that asks for a rebuild of `image`.
#[must_use]
pub fn rebuild(image: &str) -> String {
    prefixed(REBUILD, image)
}

/// The Stage that reads the Dockerfile of a new build of `image`.
#[must_use]
pub fn analyze(image: &str) -> String {
    prefixed(ANALYZE, image)
}

/// The Stage that a build of `image` reaches once analysed.
#[must_use]
pub fn analyzed(image: &str) -> String {
    prefixed(ANALYZED, image)
}

/// The Stages that may bear [`AUTO_PROMOTE`], as a pattern of Kargo's for their names.
#[must_use]
pub fn auto_promoted() -> String {
    let prefixes = [TRACK, REBUILD, ANALYZE, UPDATE_KUSTOMIZE, UPDATE_YAML];
    ["regex:^(", &prefixes.join("|"), ")"].concat()
}

/// `prefix` and `name`; where that is too long for an object, cut and told apart
/// by a hash.
#[must_use]
pub fn prefixed(prefix: &str, name: &str) -> String {
    subdomain(&[prefix.trim_end_matches('-'), name])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::name::SUBDOMAIN;

    #[test]
    fn names_are_the_documented_ones() {
        assert_eq!(
            track("node-22-bookworm-slim"),
            "track-node-22-bookworm-slim"
        );
        assert_eq!(track("python-3.12-slim"), "track-python-3.12-slim");
        assert_eq!(rebuild("backstage"), "rebuild-backstage");
        assert_eq!(analyze("backstage"), "analyze-dockerfile-backstage");
        assert_eq!(analyzed("backstage"), "analyzed-backstage");
        assert_eq!(
            prefixed(UPDATE_KUSTOMIZE, "backstage"),
            "update-kustomize-backstage"
        );
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let a = "a".repeat(250) + "xyz";
        let b = "a".repeat(250) + "xyw";
        assert!(track(&a).len() <= SUBDOMAIN);
        assert_ne!(track(&a), track(&b));
        assert!(track(&a).starts_with("track-aaa"));
    }

    #[test]
    fn the_pattern_covers_every_prefix_that_promotes_by_itself() {
        let pattern = auto_promoted();
        for prefix in [TRACK, REBUILD, ANALYZE, UPDATE_KUSTOMIZE, UPDATE_YAML] {
            assert!(pattern.contains(prefix), "{pattern}");
        }
        assert!(!pattern.contains(ANALYZED));
    }
}
