//! YAML and JSON text to values, refusing what a reader could take in two ways:
//! duplicate keys, keys that are no strings, tags, numbers JSON has not.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{ImportError, Place};

/// All documents of `text` that say something; JSON is told from YAML by how
/// it starts.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Value>, ImportError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let fail = |place: Option<(usize, usize)>, message: String| {
        let (line, column) = place.unwrap_or((1, 1));
        ImportError {
            file: file.to_owned(),
            place: Place::Position(line, column),
            message,
            is_version: false,
        }
    };
    if is_json(text) {
        let parsed: Result<Strict, _> = serde_json::from_str(text);
        return match parsed {
            Ok(Strict(value)) => Ok(vec![value]),
            Err(error) => Err(fail(Some((error.line(), error.column())), short(&error))),
        };
    }
    if let Some(place) = too_deep(text) {
        return Err(fail(
            Some(place),
            format!("more than {MAX_OPEN} brackets are open at once"),
        ));
    }
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        match Strict::deserialize(document) {
            Ok(Strict(Value::Null)) => {}
            Ok(Strict(value)) => documents.push(value),
            Err(error) => {
                let place = error.location().map(|at| (at.line(), at.column()));
                return Err(fail(place, short(&error)));
            }
        }
    }
    if documents.is_empty() {
        return Err(fail(None, "there is no document in this file".to_owned()));
    }
    Ok(documents)
}

/// How many brackets may be open at once in YAML, prose included: the reader takes
/// quadratic time over them before it counts how deep values nest.
const MAX_OPEN: usize = 1000;

/// Line and column of the bracket that is one too many.
fn too_deep(text: &str) -> Option<(usize, usize)> {
    let mut open = 0usize;
    for (index, line) in text.lines().enumerate() {
        for (column, c) in line.chars().enumerate() {
            match c {
                '[' | '{' => open += 1,
                ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > MAX_OPEN {
                return Some((index + 1, column + 1));
            }
        }
    }
    None
}

/// True for an object with its first key in quotes; YAML's flow style has keys
/// without quotes too.
fn is_json(text: &str) -> bool {
    let inner = text.trim_start().strip_prefix('{').map(str::trim_start);
    inner.is_some_and(|inner| inner.starts_with(['"', '}']) || inner.is_empty())
}

/// A parser's message without its own line and column.
fn short(error: &dyn fmt::Display) -> String {
    let text = error.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values).map(Strict)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value as in JSON, without tags")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number that JSON has not"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let Strict(value) = map.next_value()?;
            if values.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}
