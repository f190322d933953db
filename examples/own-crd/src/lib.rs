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
                    "schedule": "0 3 * * *",
                    "target": {"bucket": "nightly-backups", "path": "db/"},
                },
            })
        );
        assert_eq!(api::check_value(&json), Some(Vec::new()));
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
}
