//! From a tree with places to a JSON value without them.

use serde_json::{Map, Number, Value};

use super::{Kind, Node, Scalar};

/// The value as JSON, typed by the YAML 1.2 core schema, keys as strings.
///
/// Of a duplicate key the last value stays. A whole number beyond `u64` becomes
/// the nearest float, as in the Kubernetes API; `.inf` and `.nan`, which JSON
/// lacks, stay the text that was written.
#[must_use]
pub fn to_value(node: &Node<'_>) -> Value {
    to_value_by(node, &scalar_value)
}

/// The value as JSON, each scalar as `typed` has it.
pub(super) fn to_value_by(node: &Node<'_>, typed: &dyn Fn(&Scalar<'_>) -> Value) -> Value {
    match &node.kind {
        Kind::Scalar(scalar) => typed(scalar),
        Kind::Sequence(items) => {
            Value::Array(items.iter().map(|item| to_value_by(item, typed)).collect())
        }
        Kind::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = key.as_str().unwrap_or_default();
                map.insert(key.to_owned(), to_value_by(value, typed));
            }
            Value::Object(map)
        }
    }
}

pub(super) fn scalar_value(scalar: &Scalar<'_>) -> Value {
    if scalar.is_null() {
        return Value::Null;
    }
    if let Some(flag) = scalar.as_bool() {
        return Value::Bool(flag);
    }
    if let Some(int) = scalar.as_i64() {
        return Value::from(int);
    }
    if let Some(int) = scalar.as_u64() {
        return Value::from(int);
    }
    scalar
        .as_f64()
        .and_then(Number::from_f64)
        .map_or_else(|| Value::String(scalar.text.to_string()), Value::Number)
}
