//! The facts files of this repository.

use std::fs;
use std::path::{Path, PathBuf};

use crd_codegen::facts::Facts;
use crd_codegen::format;

/// The folder `kargo-types/schemas`.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

/// Every facts file by its path in the folder, in order.
pub(crate) fn all() -> Vec<(String, Facts)> {
    let mut found = Vec::new();
    for part in ["", "steps", "subscriptions"] {
        for entry in fs::read_dir(folder().join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "facts")
            {
                let name = path.file_name().unwrap().to_str().unwrap();
                let name = Path::new(part).join(name).to_str().unwrap().to_owned();
                let text = fs::read_to_string(&path).unwrap();
                let facts = format::parse(&name, &text).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(
                    format::write(&facts),
                    text,
                    "{name} is as crd-import writes it"
                );
                found.push((name, facts));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn every_kind_subscription_and_step_is_there() {
    let all = all();
    let kinds: Vec<&str> = all
        .iter()
        .filter(|(_, f)| f.resource.is_some())
        .map(|(_, f)| f.name.as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "AnalysisRun",
            "AnalysisTemplate",
            "ClusterAnalysisTemplate",
            "ClusterPromotionTask",
            "Freight",
            "ProjectConfig",
            "Project",
            "PromotionTask",
            "Promotion",
            "Stage",
            "Warehouse",
        ]
    );
    let count = |part: &str| {
        all.iter()
            .filter(|(name, _)| name.starts_with(part))
            .count()
    };
    assert_eq!((count("steps/"), count("subscriptions/")), (34, 3));
    for (name, facts) in &all {
        assert_eq!(facts.origin.licence, "Apache-2.0", "{name}");
        let upstream = ["akuity/kargo v1.11.2 ", "argoproj/argo-rollouts v1.9.1 "];
        assert!(
            upstream
                .iter()
                .any(|start| facts.origin.source.starts_with(start)),
            "{name}"
        );
    }
}
