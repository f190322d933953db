//! The rows for machines.

use serde_json::{Value, json};

use super::Row;

/// `{"images": [{"name", "kind", "bases", "dependents", "digest", "pending", "dueAt",
/// "problems", …}]}`. `pending` and `dueAt` are of the changes of bases alone; `action`,
/// `at`, `emergency`, `after` and `rule` are what `plan` says of the image.
#[must_use]
pub fn json(rows: &[Row]) -> Value {
    let one = |row: &Row| {
        let pending = row.pending.as_ref();
        let next = row.next.as_ref();
        let after = next.into_iter().flat_map(|next| &next.after);
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
            "action": next.map(|next| next.action.as_str()),
            "at": next.and_then(|next| next.at).map(|at| at.to_string()),
            "emergency": next.is_some_and(|next| next.emergency),
            "after": after.map(AsRef::as_ref).collect::<Vec<&str>>(),
            "rule": row.decided_by().map(|rule| rule.as_str()),
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
