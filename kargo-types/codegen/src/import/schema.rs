//! Schemas of CRDs (OpenAPI v3, structural) and JSON Schema (2020-12, the part
//! that facts can express) to [`Schema`].

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::references::Wanted;
use super::{ImportError, Imported, Options, Place};
use crate::facts::{Facts, Property, Rule, Schema, Type};
use crate::format::MAX_DEPTH;
use crate::format::modifiers::{self, SetError};
use crate::pointer::escape;

/// Gives the text of a file that stands beside the one being read, by its name;
/// an error is why it cannot.
pub type Siblings<'a> = &'a mut dyn FnMut(&str) -> Result<String, String>;

/// Keywords that hold words for people.
pub(super) const PROSE: [&str; 6] = [
    "title",
    "description",
    "$comment",
    "example",
    "examples",
    "externalDocs",
];

/// Keywords with the name and value of a modifier.
const SAME: [&str; 13] = [
    "format",
    "enum",
    "default",
    "pattern",
    "minimum",
    "maximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
];

/// Keywords that are true or false, and the modifier that true stands for.
const FLAGS: [(&str, &str); 5] = [
    ("nullable", "nullable"),
    ("uniqueItems", "uniqueItems"),
    ("deprecated", "deprecated"),
    (
        "x-kubernetes-preserve-unknown-fields",
        "preserveUnknownFields",
    ),
    ("x-kubernetes-embedded-resource", "embeddedResource"),
];

/// Kubernetes' keywords with the value of a modifier.
const RENAMED: [(&str, &str); 3] = [
    ("x-kubernetes-list-type", "listType"),
    ("x-kubernetes-list-map-keys", "listMapKeys"),
    ("x-kubernetes-map-type", "mapType"),
];

/// A JSON pointer of path segments.
pub(super) fn segment_pointer(path: &[String]) -> String {
    path.iter()
        .map(|segment| format!("/{}", escape(segment)))
        .collect()
}

/// Reads a free-standing JSON Schema.
pub(super) fn read(
    file: &str,
    document: &Value,
    options: &Options,
    siblings: Siblings<'_>,
) -> Result<Imported, ImportError> {
    let mut reader = Reader::new(file, Vec::new());
    reader.siblings = Some(siblings);
    reader
        .documents
        .insert(String::new(), Rc::new(document.clone()));
    let Some(map) = document.as_object() else {
        return Err(reader.error("expected a CustomResourceDefinition or a JSON Schema, an object"));
    };
    reader.dialect(map)?;
    if !["type", "properties", "$ref", "definitions", "$defs"]
        .iter()
        .any(|key| map.contains_key(*key))
    {
        return Err(reader.error("this is neither a CustomResourceDefinition nor a JSON Schema"));
    }
    let root = reader.value(document)?;
    for key in ["definitions", "$defs"] {
        if let Some(Value::Object(definitions)) = map.get(key) {
            definitions
                .keys()
                .try_for_each(|name| reader.want("", key, name).map(drop))?;
        }
    }
    let definitions = reader.definitions()?;
    let stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = stem.split('.').next().unwrap_or(stem);
    let name = map
        .get("title")
        .and_then(Value::as_str)
        .unwrap_or(stem)
        .to_owned();
    let origin = options.origin.clone();
    let facts = Facts {
        origin,
        name,
        resource: None,
        root,
        definitions,
    };
    for (name, schema) in &facts.definitions {
        if facts.resolve(&schema.ty).is_none() {
            reader.path = vec!["definitions".to_owned(), name.clone()];
            return Err(reader.error("this definition leads only to itself"));
        }
    }
    Ok(Imported {
        facts,
        notes: Vec::new(),
    })
}

/// Reads one document's schemas, and those of other files that it refers to.
pub(super) struct Reader<'a> {
    pub(super) main: &'a str,
    /// The file being read beside `main`; empty for `main` itself.
    pub(super) file: String,
    pub(super) path: Vec<String>,
    pub(super) siblings: Option<Siblings<'a>>,
    pub(super) documents: BTreeMap<String, Rc<Value>>,
    pub(super) wanted: BTreeMap<String, Wanted>,
}

/// The keywords that make up the type, kept until all are seen.
#[derive(Default)]
struct Parts<'v> {
    ty: Option<&'v str>,
    properties: Option<Vec<Property>>,
    additional: Option<Additional>,
    items: Option<Schema>,
    required: BTreeSet<String>,
    reference: Option<String>,
    int_or_string: bool,
    any_of: Option<&'v Value>,
}

enum Additional {
    Any,
    None,
    Of(Box<Schema>),
}

impl<'a> Reader<'a> {
    /// A reader of the schema at `path`; without `siblings`, of a CRD, it takes no
    /// `$ref`.
    pub(super) fn new(file: &'a str, path: Vec<String>) -> Reader<'a> {
        Reader {
            main: file,
            file: String::new(),
            path,
            siblings: None,
            documents: BTreeMap::new(),
            wanted: BTreeMap::new(),
        }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> ImportError {
        ImportError {
            file: if self.file.is_empty() {
                self.main.to_owned()
            } else {
                self.file.clone()
            },
            place: Place::Pointer(segment_pointer(&self.path)),
            message: message.into(),
            is_version: false,
        }
    }

    pub(super) fn within<T>(
        &mut self,
        segment: &str,
        f: impl FnOnce(&mut Self) -> Result<T, ImportError>,
    ) -> Result<T, ImportError> {
        self.path.push(segment.to_owned());
        let result = f(self);
        self.path.pop();
        result
    }

    fn dialect(&mut self, map: &Map<String, Value>) -> Result<(), ImportError> {
        let known = [
            "https://json-schema.org/draft/2020-12/schema",
            "https://json-schema.org/draft/2019-09/schema",
            "http://json-schema.org/draft-07/schema",
            "http://json-schema.org/draft-06/schema",
        ];
        match map.get("$schema").map(Value::as_str) {
            None => Ok(()),
            Some(Some(dialect)) if known.contains(&dialect.trim_end_matches('#')) => Ok(()),
            Some(_) => self.within("$schema", |r| {
                Err(r.error("this dialect of JSON Schema is not read"))
            }),
        }
    }

    /// Reads one schema.
    pub(super) fn value(&mut self, value: &Value) -> Result<Schema, ImportError> {
        // Two segments a level: the keyword and the name.
        if self.path.len() > 2 * MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let map = match value {
            Value::Bool(true) => return Ok(Schema::of(Type::Any)),
            Value::Object(map) => map,
            _ => return Err(self.error("expected a schema: an object")),
        };
        let mut schema = Schema::of(Type::Any);
        let mut parts = Parts::default();
        for (keyword, value) in map {
            self.within(keyword, |r| {
                r.keyword(keyword, value, &mut schema, &mut parts)
            })?;
        }
        self.exclusive(map, &mut schema)?;
        self.assemble(parts, schema)
    }

    fn keyword<'v>(
        &mut self,
        keyword: &str,
        value: &'v Value,
        schema: &mut Schema,
        parts: &mut Parts<'v>,
    ) -> Result<(), ImportError> {
        match keyword {
            _ if PROSE.contains(&keyword) => Ok(()),
            "$schema" | "$id" | "definitions" | "$defs" if self.path.len() == 1 => Ok(()),
            // Their meaning depends on `minimum` and `maximum`: see `exclusive`.
            "exclusiveMinimum" | "exclusiveMaximum" => Ok(()),
            "type" => self.ty(value, schema, parts),
            "properties" => {
                parts.properties = Some(self.properties(value)?);
                Ok(())
            }
            "additionalProperties" => {
                parts.additional = Some(match value {
                    Value::Bool(true) => Additional::Any,
                    Value::Bool(false) => Additional::None,
                    other => Additional::Of(Box::new(self.value(other)?)),
                });
                Ok(())
            }
            "items" => {
                parts.items = Some(self.value(value)?);
                Ok(())
            }
            "required" => {
                let names = modifiers::strings(Some(value));
                parts.required = names
                    .ok_or_else(|| self.error("expected a list of strings"))?
                    .into_iter()
                    .collect();
                Ok(())
            }
            "$ref" => {
                parts.reference = Some(self.reference(value)?);
                Ok(())
            }
            "const" if schema.enumeration.is_empty() => {
                self.set(schema, "enum", Value::Array(vec![value.clone()]))
            }
            "enum" if !schema.enumeration.is_empty() => Err(self.error("`enum` beside `const`")),
            "const" => Err(self.error("`const` beside `enum`")),
            "x-kubernetes-int-or-string" => {
                parts.int_or_string = self.boolean(value)?;
                Ok(())
            }
            "x-kubernetes-validations" => {
                schema.rules = self.rules(value)?;
                Ok(())
            }
            "anyOf" => {
                parts.any_of = Some(value);
                Ok(())
            }
            "oneOf" => {
                schema.one_of = self.alternatives(value)?;
                Ok(())
            }
            "allOf" => {
                schema.all_of.splice(0..0, self.alternatives(value)?);
                Ok(())
            }
            "not" => {
                schema.not = Some(self.raw(value)?);
                Ok(())
            }
            _ => self.modifier(keyword, value, schema),
        }
    }

    pub(super) fn modifier(
        &mut self,
        keyword: &str,
        value: &Value,
        schema: &mut Schema,
    ) -> Result<(), ImportError> {
        if SAME.contains(&keyword) {
            return self.set(schema, keyword, value.clone());
        }
        if let Some((_, name)) = RENAMED.iter().find(|(key, _)| *key == keyword) {
            return self.set(schema, name, value.clone());
        }
        if let Some((_, name)) = FLAGS.iter().find(|(key, _)| *key == keyword) {
            if self.boolean(value)? {
                self.taken(modifiers::set(schema, name, None))?;
            }
            return Ok(());
        }
        Err(self.error(format!("facts know nothing of the keyword `{keyword}`")))
    }

    fn set(&self, schema: &mut Schema, name: &str, value: Value) -> Result<(), ImportError> {
        self.taken(modifiers::set(schema, name, Some(value)))
    }

    fn taken(&self, result: Result<(), SetError>) -> Result<(), ImportError> {
        result.map_err(|error| match error {
            SetError::Unknown => self.error("facts know nothing of this keyword"),
            SetError::Expected(what) => self.error(format!("expected {what}")),
        })
    }

    fn boolean(&self, value: &Value) -> Result<bool, ImportError> {
        value
            .as_bool()
            .ok_or_else(|| self.error("expected true or false"))
    }

    /// The exclusive bounds, which are flags in OpenAPI v3 and numbers in JSON
    /// Schema.
    fn exclusive(
        &mut self,
        map: &Map<String, Value>,
        schema: &mut Schema,
    ) -> Result<(), ImportError> {
        for (exclusive, inclusive) in [
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ] {
            let Some(value) = map.get(exclusive) else {
                continue;
            };
            self.within(exclusive, |r| match (value, map.contains_key(inclusive)) {
                (Value::Bool(false), _) => Ok(()),
                (Value::Bool(true), true) => r.taken(modifiers::set(schema, exclusive, None)),
                (Value::Bool(true), false) => {
                    Err(r.error(format!("there is no `{inclusive}` to exclude")))
                }
                (_, true) => Err(r.error(format!("a second bound beside `{inclusive}`"))),
                (_, false) => {
                    r.set(schema, inclusive, value.clone())?;
                    r.taken(modifiers::set(schema, exclusive, None))
                }
            })?;
        }
        Ok(())
    }

    fn ty<'v>(
        &self,
        value: &'v Value,
        schema: &mut Schema,
        parts: &mut Parts<'v>,
    ) -> Result<(), ImportError> {
        let names: Vec<Option<&str>> = match value {
            Value::Array(list) => list.iter().map(Value::as_str).collect(),
            one => vec![one.as_str()],
        };
        parts.ty = match names.as_slice() {
            [Some(name)] => Some(name),
            [Some("null"), Some(name)] | [Some(name), Some("null")] => {
                schema.nullable = true;
                Some(name)
            }
            _ => return Err(self.error("expected one type, besides null")),
        };
        Ok(())
    }

    fn properties(&mut self, value: &Value) -> Result<Vec<Property>, ImportError> {
        let map = value
            .as_object()
            .ok_or_else(|| self.error("expected an object"))?;
        let mut properties = Vec::with_capacity(map.len());
        for (name, value) in map {
            let schema = self.within(name, |r| r.value(value))?;
            properties.push(Property {
                name: name.clone(),
                required: false,
                schema,
            });
        }
        Ok(properties)
    }

    fn assemble(
        &mut self,
        mut parts: Parts<'_>,
        mut schema: Schema,
    ) -> Result<Schema, ImportError> {
        if let Some(value) = parts.any_of {
            let implied = parts.int_or_string && is_int_or_string(value);
            if !implied {
                schema.any_of = self.within("anyOf", |r| r.alternatives(value))?;
            }
        }
        schema.ty = match (parts.reference.take(), parts.ty, parts.int_or_string) {
            (Some(name), None, false) => Type::Ref(name),
            (Some(_), ..) => return Err(self.error("a type beside `$ref`")),
            (None, None, true) => Type::IntOrString,
            (None, Some(_), true) => {
                return Err(self.error("a type beside x-kubernetes-int-or-string"));
            }
            (None, None, false) => Type::Any,
            (None, Some("string"), _) => Type::String,
            (None, Some("integer"), _) => Type::Integer,
            (None, Some("number"), _) => Type::Number,
            (None, Some("boolean"), _) => Type::Boolean,
            (None, Some("array"), _) => {
                let items = parts.items.take().unwrap_or_else(|| Schema::of(Type::Any));
                Type::List(Box::new(items))
            }
            (None, Some("object"), _) => self.object(&mut parts, &mut schema)?,
            (None, Some(other), _) => {
                return Err(self.error(format!("`{other}` is no type that facts know")));
            }
        };
        if parts.properties.is_some() {
            return Err(self.error("`properties` without `type: object`"));
        }
        if parts.items.is_some() {
            return Err(self.error("`items` without `type: array`"));
        }
        match parts.additional {
            None | Some(Additional::Any) => {}
            Some(Additional::None) => schema.closed = true,
            Some(Additional::Of(_)) => {
                return Err(self.error("`additionalProperties` without `type: object`"));
            }
        }
        if !parts.required.is_empty() {
            let names: Vec<String> = parts.required.into_iter().collect();
            schema.all_of.push(serde_json::json!({ "required": names }));
        }
        Ok(schema)
    }

    /// An object with known properties, or a map. Names in `required` that are
    /// no property stay in `parts`.
    fn object(&self, parts: &mut Parts<'_>, schema: &mut Schema) -> Result<Type, ImportError> {
        let properties = parts.properties.take();
        match (properties, parts.additional.take()) {
            (None, Some(Additional::Of(values))) => Ok(Type::Map(values)),
            (None, Some(Additional::Any)) => Ok(Type::Map(Box::new(Schema::of(Type::Any)))),
            (Some(_), Some(Additional::Of(_))) => Err(self.error(
                "facts cannot express `properties` beside `additionalProperties` of a type",
            )),
            (properties, additional) => {
                schema.closed = matches!(additional, Some(Additional::None));
                let mut properties = properties.unwrap_or_default();
                for property in &mut properties {
                    property.required = parts.required.remove(&property.name);
                }
                Ok(Type::Object(properties))
            }
        }
    }

    fn rules(&mut self, value: &Value) -> Result<Vec<Rule>, ImportError> {
        let list = value
            .as_array()
            .ok_or_else(|| self.error("expected a list"))?;
        let mut rules = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            rules.push(self.within(&index.to_string(), |r| r.rule(value))?);
        }
        Ok(rules)
    }

    fn rule(&mut self, value: &Value) -> Result<Rule, ImportError> {
        let map = value
            .as_object()
            .ok_or_else(|| self.error("expected an object"))?;
        let mut expression = None;
        let mut extra = Vec::new();
        for (key, value) in map {
            self.within(key, |r| match (key.as_str(), value) {
                ("rule", Value::String(rule)) => {
                    expression = Some(rule.clone());
                    Ok(())
                }
                ("message" | "messageExpression", _) => Ok(()),
                ("reason" | "fieldPath", Value::String(text)) => {
                    extra.push((key.clone(), text.clone()));
                    Ok(())
                }
                ("optionalOldSelf", Value::Bool(flag)) => {
                    extra.push((key.clone(), flag.to_string()));
                    Ok(())
                }
                _ => Err(r.error("facts know nothing of this key or value")),
            })?;
        }
        extra.sort();
        let rule = expression.ok_or_else(|| self.error("there is no `rule`"))?;
        Ok(Rule { rule, extra })
    }
}

/// The alternatives that `x-kubernetes-int-or-string` brings along.
fn is_int_or_string(value: &Value) -> bool {
    *value == serde_json::json!([{ "type": "integer" }, { "type": "string" }])
}
