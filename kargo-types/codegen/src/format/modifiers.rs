//! The modifiers of a value: one table for the writer, the parser, the importer
//! and the comparison, so that none of them can forget one.

use serde_json::{Number, Value};

use crate::facts::Schema;

/// A modifier as it stands on a line: its name and, unless it is a flag, its value.
pub(crate) type Modifier = (&'static str, Option<Value>);

/// What `schema` says besides its type, rules and alternatives.
pub(crate) fn of(schema: &Schema) -> Vec<Modifier> {
    let flag = |set: bool| set.then_some(None);
    let text = |value: &Option<String>| value.clone().map(|v| Some(Value::String(v)));
    let number = |value: &Option<Number>| value.clone().map(|v| Some(Value::Number(v)));
    let count = |value: Option<u64>| value.map(|v| Some(Value::from(v)));
    let names = |value: &[String]| (!value.is_empty()).then(|| Some(Value::from(value.to_vec())));
    let values = &schema.enumeration;
    [
        ("nullable", flag(schema.nullable)),
        ("format", text(&schema.format)),
        (
            "enum",
            (!values.is_empty()).then(|| Some(Value::Array(values.clone()))),
        ),
        ("default", schema.default.clone().map(Some)),
        ("pattern", text(&schema.pattern)),
        ("minimum", number(&schema.minimum)),
        ("exclusiveMinimum", flag(schema.exclusive_minimum)),
        ("maximum", number(&schema.maximum)),
        ("exclusiveMaximum", flag(schema.exclusive_maximum)),
        ("multipleOf", number(&schema.multiple_of)),
        ("minLength", count(schema.min_length)),
        ("maxLength", count(schema.max_length)),
        ("minItems", count(schema.min_items)),
        ("maxItems", count(schema.max_items)),
        ("uniqueItems", flag(schema.unique_items)),
        ("minProperties", count(schema.min_properties)),
        ("maxProperties", count(schema.max_properties)),
        ("closed", flag(schema.closed)),
        ("deprecated", flag(schema.deprecated)),
        ("listType", text(&schema.list_type)),
        ("listMapKeys", names(&schema.list_map_keys)),
        ("mapType", text(&schema.map_type)),
        (
            "preserveUnknownFields",
            flag(schema.preserve_unknown_fields),
        ),
        ("embeddedResource", flag(schema.embedded_resource)),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect()
}

/// Why a modifier was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SetError {
    /// No modifier has this name.
    Unknown,
    /// The modifier takes no value, or needs one; what it takes.
    Expected(&'static str),
}

/// Sets one modifier. Says what it takes when `value` is of another type.
pub(crate) fn set(schema: &mut Schema, name: &str, value: Option<Value>) -> Result<(), SetError> {
    match name {
        "nullable" => flag(&mut schema.nullable, value),
        "format" => text(&mut schema.format, value),
        "enum" => enumeration(&mut schema.enumeration, value),
        "default" => {
            schema.default = Some(value.ok_or(SetError::Expected("a JSON value"))?);
            Ok(())
        }
        "pattern" => text(&mut schema.pattern, value),
        "minimum" => number(&mut schema.minimum, value),
        "exclusiveMinimum" => flag(&mut schema.exclusive_minimum, value),
        "maximum" => number(&mut schema.maximum, value),
        "exclusiveMaximum" => flag(&mut schema.exclusive_maximum, value),
        "multipleOf" => number(&mut schema.multiple_of, value),
        "minLength" => count(&mut schema.min_length, value),
        "maxLength" => count(&mut schema.max_length, value),
        "minItems" => count(&mut schema.min_items, value),
        "maxItems" => count(&mut schema.max_items, value),
        "uniqueItems" => flag(&mut schema.unique_items, value),
        "minProperties" => count(&mut schema.min_properties, value),
        "maxProperties" => count(&mut schema.max_properties, value),
        "closed" => flag(&mut schema.closed, value),
        "deprecated" => flag(&mut schema.deprecated, value),
        "listType" => text(&mut schema.list_type, value),
        "listMapKeys" => names(&mut schema.list_map_keys, value),
        "mapType" => text(&mut schema.map_type, value),
        "preserveUnknownFields" => flag(&mut schema.preserve_unknown_fields, value),
        "embeddedResource" => flag(&mut schema.embedded_resource, value),
        _ => Err(SetError::Unknown),
    }
}

fn flag(field: &mut bool, value: Option<Value>) -> Result<(), SetError> {
    match value {
        None => {
            *field = true;
            Ok(())
        }
        Some(_) => Err(SetError::Expected("no value")),
    }
}

fn text(field: &mut Option<String>, value: Option<Value>) -> Result<(), SetError> {
    match value {
        Some(Value::String(text)) => {
            *field = Some(text);
            Ok(())
        }
        _ => Err(SetError::Expected("a JSON string")),
    }
}

fn number(field: &mut Option<Number>, value: Option<Value>) -> Result<(), SetError> {
    match value {
        Some(Value::Number(number)) => {
            *field = Some(number);
            Ok(())
        }
        _ => Err(SetError::Expected("a number")),
    }
}

fn count(field: &mut Option<u64>, value: Option<Value>) -> Result<(), SetError> {
    match value.as_ref().and_then(Value::as_u64) {
        Some(count) => {
            *field = Some(count);
            Ok(())
        }
        None => Err(SetError::Expected("a whole number, zero or more")),
    }
}

fn names(field: &mut Vec<String>, value: Option<Value>) -> Result<(), SetError> {
    let names = strings(value.as_ref()).filter(|names| !names.is_empty());
    *field = names.ok_or(SetError::Expected("a list of JSON strings, at least one"))?;
    Ok(())
}

fn enumeration(field: &mut Vec<Value>, value: Option<Value>) -> Result<(), SetError> {
    const TAKES: SetError =
        SetError::Expected("a list of JSON scalars, at least one, no two equal");
    let Some(Value::Array(values)) = value else {
        return Err(TAKES);
    };
    let scalars = values.iter().all(|v| !v.is_array() && !v.is_object());
    let texts: std::collections::BTreeSet<String> = values.iter().map(Value::to_string).collect();
    if values.is_empty() || !scalars || texts.len() != values.len() {
        return Err(TAKES);
    }
    *field = values;
    Ok(())
}

/// The strings of a JSON list of strings; `None` for anything else.
pub(crate) fn strings(value: Option<&Value>) -> Option<Vec<String>> {
    value?
        .as_array()?
        .iter()
        .map(|v| v.as_str().map(str::to_owned))
        .collect()
}
