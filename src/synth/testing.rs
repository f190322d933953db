//! Helpers for the tests of charts.
//!
//! ```
//! use image_factory::synth::{App, Chart, testing};
//!
//! let mut chart = Chart::new("shop").namespace("shop");
//! chart.include("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n").unwrap();
//! let mut app = App::new();
//! app.add(chart);
//!
//! // With insta: insta::assert_snapshot!(testing::snapshot(&app));
//! assert!(testing::snapshot(&app).contains("namespace: shop"));
//! let object = testing::find(&app, "ConfigMap", "a").unwrap();
//! assert_eq!(object["metadata"]["namespace"], "shop");
//! ```

use std::fmt::Write as _;

use serde_json::Value;

use super::{App, ObjectId};

/// All files of an app as one text, each behind a line with its path; or, where
/// the app has problems, all of them, a line each. Made for snapshots.
#[must_use]
pub fn snapshot(app: &App) -> String {
    let mut text = String::new();
    match app.synth() {
        Ok(files) => {
            for file in files {
                let _ = write!(text, "=== {}\n{}", file.path, file.text);
            }
        }
        Err(problems) => {
            for problem in problems {
                let _ = writeln!(text, "{} {problem}", problem.code);
            }
        }
    }
    text
}

/// An object of an app as JSON, by kind and name.
#[must_use]
pub fn find(app: &App, kind: &str, name: &str) -> Option<Value> {
    app.charts()
        .flat_map(|chart| chart.objects())
        .find(|object| object.kind() == kind && object.name() == name)
        .map(|object| object.value().clone())
}

/// What names each object, in the order of the files.
#[must_use]
pub fn ids(app: &App) -> Vec<ObjectId> {
    let files = app.synth().unwrap_or_default();
    files
        .into_iter()
        .flat_map(|file| file.documents)
        .map(|document| document.id)
        .collect()
}
