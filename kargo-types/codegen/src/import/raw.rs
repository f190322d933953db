//! `oneOf`, `anyOf`, `allOf` and `not`, which stay JSON, without prose.

use serde_json::{Map, Value};

use super::ImportError;
use super::schema::{PROSE, Reader};
use crate::facts::{Schema, Type};

/// Keywords that hold one schema, and several.
const RAW_SCHEMA: [&str; 3] = ["items", "additionalProperties", "not"];
const RAW_SCHEMAS: [&str; 3] = ["oneOf", "anyOf", "allOf"];

impl Reader<'_> {
    pub(super) fn alternatives(&mut self, value: &Value) -> Result<Vec<Value>, ImportError> {
        let list = value.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| self.error("expected a list, not empty"))?;
        let mut alternatives = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            alternatives.push(self.within(&index.to_string(), |r| r.raw(value))?);
        }
        Ok(alternatives)
    }

    /// A schema within `oneOf` and its like: kept as JSON, without prose.
    pub(super) fn raw(&mut self, value: &Value) -> Result<Value, ImportError> {
        let map = match value {
            Value::Bool(_) => return Ok(value.clone()),
            Value::Object(map) => map,
            _ => return Err(self.error("expected a schema: an object")),
        };
        let mut kept = Map::new();
        for (keyword, value) in map {
            if PROSE.contains(&keyword.as_str()) {
                continue;
            }
            let value = self.within(keyword, |r| r.raw_keyword(keyword, value))?;
            kept.insert(keyword.clone(), value);
        }
        Ok(Value::Object(kept))
    }

    fn raw_keyword(&mut self, keyword: &str, value: &Value) -> Result<Value, ImportError> {
        match keyword {
            "properties" => {
                let map = value
                    .as_object()
                    .ok_or_else(|| self.error("expected an object"))?;
                let mut kept = Map::new();
                for (name, value) in map {
                    kept.insert(name.clone(), self.within(name, |r| r.raw(value))?);
                }
                Ok(Value::Object(kept))
            }
            "$ref" => Ok(Value::from(format!(
                "#/definitions/{}",
                self.reference(value)?
            ))),
            _ if RAW_SCHEMA.contains(&keyword) => self.raw(value),
            _ if RAW_SCHEMAS.contains(&keyword) => Ok(Value::Array(self.alternatives(value)?)),
            "type" | "required" | "const" | "exclusiveMinimum" | "exclusiveMaximum" => {
                Ok(value.clone())
            }
            _ => {
                self.modifier(keyword, value, &mut Schema::of(Type::Any))?;
                Ok(value.clone())
            }
        }
    }
}
