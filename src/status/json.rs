//! The rows for machines.

use serde_json::{Value, json};

use super::Row;

/// `{"images": [{"name", "kind", "bases", "dependents", "digest", "pending", "dueAt",
/// "problems", …}]}`.
#[must_use]
pub fn json(rows: &[Row]) -> Value {
    let one = |row: &Row| {
        let pending = row.pending.as_ref();
        let changes: Vec<Value> = pending
            .into_iter()
            .flat_map(|pending| &pending.bases)
            .map(|base| {
                json!({
                    "base": base.name.as_str(),
                    "from": base.from.as_ref().map(|digest| digest.as_str()),
                    "to": base.to.as_str(),
                    "since": base.since.to_string(),
                })
            })
            .collect();
        json!({
            "name": row.name,
            "kind": row.kind.as_str(),
            "bases": row.bases,
            "dependents": row.dependents,
            "digest": row.digest,
            "pending": pending.is_some(),
            "dueAt": pending.map(|pending| pending.due.to_string()),
            "problems": row.problems,
            "reference": row.reference,
            "version": row.version,
            "digestSince": row.since.map(|time| time.to_string()),
            "lastBuilt": row.last_built.map(|time| time.to_string()),
            "discoveryStatus": row.discovery,
            "autoRebuild": row.auto,
            "pendingSince": pending.map(|pending| pending.since.to_string()),
            "changes": changes,
            "attempt": row.attempts.as_ref().map(|one| json!({
                "attempt": one.attempt,
                "at": one.at.map(|time| time.to_string()),
                "outcome": one.outcome,
                "open": one.open,
                "link": one.link,
                "detail": one.detail,
                "failures": one.failures,
            })),
        })
    };
    json!({"images": rows.iter().map(one).collect::<Vec<Value>>()})
}
