//! Decisions for machines.

use serde_json::{Value, json};

use super::{Decision, Plan};
use crate::record::Reason;

/// `{"now", "decisions": [{"image", "action", "at", "emergency", "after", "reasons":
/// [{"rule", "base", "from", "to", "since", …}], …}]}`.
#[must_use]
pub fn json(plan: &Plan) -> Value {
    let decisions: Vec<Value> = plan.decisions.iter().map(decision).collect();
    json!({"now": plan.now.to_string(), "decisions": decisions})
}

fn decision(decision: &Decision) -> Value {
    let after: Vec<&str> = decision.after.iter().map(AsRef::as_ref).collect();
    let reasons: Vec<Value> = decision.reasons.iter().map(reason).collect();
    json!({
        "image": decision.image.as_str(),
        "action": decision.action.as_str(),
        "at": decision.at.map(|at| at.to_string()),
        "emergency": decision.emergency,
        "after": after,
        "reasons": reasons,
        "trigger": (!decision.reasons.is_empty()).then(|| decision.trigger.as_str()),
    })
}

fn reason(reason: &Reason) -> Value {
    json!({
        "rule": reason.rule.as_str(),
        "base": reason.base.as_ref().map(AsRef::<str>::as_ref),
        "from": reason.from.as_ref().map(|digest| digest.as_str()),
        "to": reason.to.as_ref().map(|digest| digest.as_str()),
        "since": reason.since.map(|since| since.to_string()),
        "detail": reason.detail,
    })
}
