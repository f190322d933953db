//! Someone's own CRD, typed: `backup.crd.yaml` became `schemas/backup.facts`, and
//! `build.rs` makes [`api`] of it.
//!
//! ```
//! use own_crd::api::{Backup, runtime::Validate as _};
//!
//! let backup = own_crd::nightly()?;
//! assert_eq!(backup.validate(), []);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

/// The types of `example.org/v1`.
pub mod api {
    #![allow(clippy::all, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

use api::{Backup, BackupSpec, Compression, Place, Target};

/// A backup every night, kept for thirty days.
///
/// # Errors
///
/// Never with the duration written here; `parse` cannot know that.
pub fn nightly() -> Result<Backup, api::runtime::GoDurationError> {
    let spec = BackupSpec {
        schedule: "0 3 * * *".to_string(),
        keep_for: Some("720h".parse()?),
        keep_at_least: None,
        compression: Some(Compression::Zstd),
        megabytes_per_second: Some(12.5),
        max_bytes: None,
        note: None,
        notify: None,
        target: Target {
            place: Place::Bucket("nightly-backups".to_string()),
            path: Some("db/".to_string()),
        },
    };
    Ok(Backup::new("nightly", spec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_written_as_kubernetes_reads_it() {
        let json = serde_json::to_value(nightly().unwrap()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "apiVersion": "example.org/v1",
                "kind": "Backup",
                "metadata": {"name": "nightly"},
                "spec": {
                    "compression": "zstd",
                    "keepFor": "720h0m0s",
                    "megabytesPerSecond": 12.5,
                    "schedule": "0 3 * * *",
                    "target": {"bucket": "nightly-backups", "path": "db/"},
                },
            })
        );
        assert_eq!(api::check_value(&json), Some(Vec::new()));
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "tests: reads the CRD beside it")]
    fn the_facts_are_those_of_the_crd() {
        let folder = env!("CARGO_MANIFEST_DIR");
        let read = |file: &str| std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
        let file = "schemas/backup.facts";
        let facts = crd_codegen::format::parse(file, &read(file)).unwrap();
        let file = "backup.crd.yaml";
        let changes = crd_codegen::import::check(&facts, file, &read(file), &mut |_| {
            Err("there are no files beside it".to_string())
        });
        assert_eq!(changes.unwrap(), []);
    }

    #[test]
    fn what_the_schema_forbids_is_found_with_its_place() {
        for (spec, pointer, says) in [
            (
                serde_json::json!({"schedule": "daily", "target": {"volume": "a"}}),
                "/spec/schedule",
                "does not match",
            ),
            (
                serde_json::json!({"schedule": "0 3 * * *", "target": {"bucket": "a-b-c"}}),
                "/spec/target",
                "!has(self.bucket) || has(self.path)",
            ),
            (
                serde_json::json!({"schedule": "0 3 * * *", "target": {"volume": "a", "bucket": "abc", "path": "x"}}),
                "/spec/target/volume",
                "cannot be set together with `bucket`",
            ),
            (
                serde_json::json!({"schedule": "0 3 * * *", "target": {"volume": "a"}, "keepForr": "1h"}),
                "/spec/keepForr",
                "is `keepFor` meant?",
            ),
            (
                serde_json::json!({"schedule": "0 3 * * *", "target": {"volume": "a"}, "megabytesPerSecond": 0}),
                "/spec/megabytesPerSecond",
                "is not more than 0",
            ),
            (
                serde_json::json!({"schedule": "0 3 * * *", "target": {"volume": "a"}, "megabytesPerSecond": 0.7}),
                "/spec/megabytesPerSecond",
                "is no multiple of 0.5",
            ),
            (
                serde_json::json!({"schedule": "0 3 * * *", "target": {"volume": "a"}, "notify": {"apiVersion": "v1"}}),
                "/spec/notify/kind",
                "is required",
            ),
            (
                serde_json::json!({"schedule": "0 3 * * *", "target": {"bucket": "ää", "path": "x"}}),
                "/spec/target/bucket",
                "has 2 characters",
            ),
        ] {
            let object = serde_json::json!({
                "apiVersion": "example.org/v1", "kind": "Backup", "metadata": {"name": "a"}, "spec": spec,
            });
            let found = api::check_value(&object).unwrap();
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].pointer, pointer);
            assert!(found[0].message.contains(says), "{found:?}");
        }
    }

    #[test]
    fn what_this_crd_does_not_need_is_checked_too() {
        use api::runtime::{At, check};

        assert!(check::exactly_one(&[false, true, false]));
        assert!(!check::exactly_one(&[true, true]));
        assert!(!check::exactly_one(&[false]));
        let mut found = Vec::new();
        check::less_than(1, 2, &At::ROOT, &mut found);
        check::at_most(2, 2, &At::ROOT, &mut found);
        check::at_least(2, 2, &At::ROOT, &mut found);
        assert_eq!(found, []);
        check::less_than(2, 2, &At::ROOT, &mut found);
        check::at_most(3, 2, &At::ROOT, &mut found);
        check::at_least(1, 2, &At::ROOT, &mut found);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn the_schema_says_what_the_crd_says() {
        let schema = schemars::schema_for!(BackupSpec);
        let notify = schema.pointer("/properties/notify").unwrap();
        assert_eq!(notify["x-kubernetes-embedded-resource"], true);
        let most = schema.pointer("/properties/maxBytes/maximum").unwrap();
        assert_eq!(most, 4_294_967_295_i64);
        let note = schema.pointer("/properties/note/default").unwrap();
        assert_eq!(note, "bell \u{7} and \"quotes\"");
    }
}
