//! Existing YAML as objects.

use serde_json::Value;

use super::problem::Problem;
use crate::diagnostics::code;
use crate::yaml::{self, Limits};

/// The objects of all documents; empty documents are skipped, lists unpacked.
pub(super) fn objects(text: &str) -> Result<Vec<Value>, Vec<Problem>> {
    let (nodes, errors) = yaml::read_all(text, &Limits::default());
    if !errors.is_empty() {
        let problem = |error: yaml::ReadError| {
            let before = text.get(..error.span.start).unwrap_or_default();
            let line = 1 + before.bytes().filter(|b| *b == b'\n').count();
            let problem = Problem::new(
                code::INCLUDE_INVALID,
                format!("line {line} of the included YAML: {}", error.message),
            );
            Problem {
                help: error.help,
                ..problem
            }
        };
        return Err(errors.into_iter().map(problem).collect());
    }
    let mut objects = Vec::new();
    for node in nodes.iter().flatten() {
        unpack(yaml::to_value_as_kubectl(node), &mut objects);
    }
    Ok(objects)
}

/// `kubectl get -o yaml` writes a `List` around its objects; lists are nested
/// by nobody, so one level is enough.
fn unpack(mut value: Value, objects: &mut Vec<Value>) {
    let is_list = value
        .get("apiVersion")
        .is_some_and(|version| version == "v1")
        && value.get("kind").is_some_and(|kind| kind == "List");
    match value.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if is_list => objects.extend(items),
        Some(items) => {
            if let Some(slot) = value.get_mut("items") {
                *slot = items;
            }
            objects.push(value);
        }
        None => objects.push(value),
    }
}
