//! The facts files against the files they come from, where these are found: in
//! the folder that `IMAGE_FACTORY_UPSTREAM` names, or `../shared/upstream` beside
//! the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crd_codegen::facts::{Facts, Schema, Type};
use crd_codegen::import;
use serde_json::{Map, Value, json};

use crate::schemas;

fn upstream() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = match std::env::var_os("IMAGE_FACTORY_UPSTREAM") {
        Some(folder) => PathBuf::from(folder),
        None => root.join("../shared/upstream"),
    };
    if folder.join("crds").is_dir() {
        return Some(folder);
    }
    println!("skipped: no upstream files in {}", folder.display());
    None
}

/// The file that a facts file comes from.
fn original(folder: &Path, facts: &Facts) -> PathBuf {
    let file = facts.origin.source.rsplit('/').next().unwrap();
    ["crds", "schemas/steps", "schemas/subscription"]
        .iter()
        .map(|part| folder.join(part).join(file))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{file} is not in {}", folder.display()))
}

#[test]
fn every_file_is_in_sync() {
    let Some(folder) = upstream() else { return };
    for (name, facts) in schemas::all() {
        let path = original(&folder, &facts);
        let text = fs::read_to_string(&path).unwrap();
        let mut siblings =
            |file: &str| fs::read_to_string(path.with_file_name(file)).map_err(|e| e.to_string());
        let changes = import::check(&facts, "x", &text, &mut siblings).unwrap();
        assert_eq!(changes, vec![], "{name}");
    }
}

#[test]
fn no_file_upstream_is_forgotten() {
    let Some(folder) = upstream() else { return };
    let known: BTreeSet<PathBuf> = schemas::all()
        .iter()
        .map(|(_, facts)| original(&folder, facts))
        .collect();
    let mut forgotten = Vec::new();
    for part in ["crds", "schemas/steps", "schemas/subscription"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if !known.contains(&path) {
                forgotten.push(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    forgotten.sort();
    // Two that only hold definitions, and a kind that no chart writes.
    assert_eq!(
        forgotten,
        [
            "argocd-common.json",
            "common.json",
            "kargo.akuity.io_clusterconfigs.yaml"
        ]
    );
}

/// The schema as upstream writes it, without prose; made without the importer.
fn stripped(value: &Value) -> Value {
    let Some(map) = value.as_object() else {
        return value.clone();
    };
    let mut kept = Map::new();
    for (keyword, value) in map {
        let value = match keyword.as_str() {
            "description" | "title" | "$schema" | "definitions" => continue,
            "properties" => {
                let entries = value.as_object().unwrap().iter();
                Value::Object(
                    entries
                        .map(|(name, value)| (name.clone(), stripped(value)))
                        .collect(),
                )
            }
            "items" | "additionalProperties" | "not" => stripped(value),
            "oneOf" | "anyOf" | "allOf" => value.as_array().unwrap().iter().map(stripped).collect(),
            "$ref" => {
                let target = value.as_str().unwrap();
                json!(format!("#{}", target.split_once('#').unwrap().1))
            }
            "required" => {
                let names: BTreeSet<&str> = value
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|v| v.as_str().unwrap())
                    .collect();
                json!(names)
            }
            "x-kubernetes-validations" => value
                .as_array()
                .unwrap()
                .iter()
                .map(|rule| {
                    let kept = rule
                        .as_object()
                        .unwrap()
                        .iter()
                        .filter(|(key, _)| *key != "message");
                    Value::Object(
                        kept.map(|(key, value)| (key.clone(), value.clone()))
                            .collect(),
                    )
                })
                .collect(),
            _ => value.clone(),
        };
        kept.insert(keyword.clone(), value);
    }
    Value::Object(kept)
}

/// The schema that facts stand for.
fn rendered(schema: &Schema) -> Value {
    let mut map = Map::new();
    let mut put =
        |keyword: &str, value: Value| assert!(map.insert(keyword.into(), value).is_none());
    let ty = match &schema.ty {
        Type::Any | Type::IntOrString | Type::Ref(_) | Type::Core { .. } => None,
        Type::String => Some("string"),
        Type::Integer => Some("integer"),
        Type::Number => Some("number"),
        Type::Boolean => Some("boolean"),
        Type::Object(_) | Type::Map(_) => Some("object"),
        Type::List(_) => Some("array"),
    };
    if let Some(ty) = ty {
        put("type", json!(ty));
    }
    match &schema.ty {
        Type::IntOrString => {
            put("x-kubernetes-int-or-string", json!(true));
            put(
                "anyOf",
                json!([{ "type": "integer" }, { "type": "string" }]),
            );
        }
        Type::Object(properties) => {
            let required: BTreeSet<&str> = properties
                .iter()
                .filter(|p| p.required)
                .map(|p| p.name.as_str())
                .collect();
            if !required.is_empty() {
                put("required", json!(required));
            }
            if !properties.is_empty() {
                let entries = properties
                    .iter()
                    .map(|p| (p.name.clone(), rendered(&p.schema)));
                put("properties", Value::Object(entries.collect()));
            }
        }
        Type::Map(values) if **values == Schema::of(Type::Any) => {
            put("additionalProperties", json!(true))
        }
        Type::Map(values) => put("additionalProperties", rendered(values)),
        Type::List(items) => put("items", rendered(items)),
        Type::Ref(name) => put("$ref", json!(format!("#/definitions/{name}"))),
        Type::Core { name, .. } => put("folded", json!(name)),
        _ => {}
    }
    let flags = [
        ("nullable", schema.nullable),
        ("uniqueItems", schema.unique_items),
        ("deprecated", schema.deprecated),
        ("exclusiveMinimum", schema.exclusive_minimum),
        ("exclusiveMaximum", schema.exclusive_maximum),
        (
            "x-kubernetes-preserve-unknown-fields",
            schema.preserve_unknown_fields,
        ),
        ("x-kubernetes-embedded-resource", schema.embedded_resource),
    ];
    flags
        .iter()
        .filter(|(_, set)| *set)
        .for_each(|(keyword, _)| put(keyword, json!(true)));
    if schema.closed {
        put("additionalProperties", json!(false));
    }
    let options = [
        ("format", schema.format.as_ref().map(|v| json!(v))),
        (
            "enum",
            (!schema.enumeration.is_empty()).then(|| json!(schema.enumeration)),
        ),
        ("default", schema.default.clone()),
        ("pattern", schema.pattern.as_ref().map(|v| json!(v))),
        ("minimum", schema.minimum.as_ref().map(|v| json!(v))),
        ("maximum", schema.maximum.as_ref().map(|v| json!(v))),
        ("multipleOf", schema.multiple_of.as_ref().map(|v| json!(v))),
        ("minLength", schema.min_length.map(|v| json!(v))),
        ("maxLength", schema.max_length.map(|v| json!(v))),
        ("minItems", schema.min_items.map(|v| json!(v))),
        ("maxItems", schema.max_items.map(|v| json!(v))),
        ("minProperties", schema.min_properties.map(|v| json!(v))),
        ("maxProperties", schema.max_properties.map(|v| json!(v))),
        (
            "x-kubernetes-list-type",
            schema.list_type.as_ref().map(|v| json!(v)),
        ),
        (
            "x-kubernetes-list-map-keys",
            (!schema.list_map_keys.is_empty()).then(|| json!(schema.list_map_keys)),
        ),
        (
            "x-kubernetes-map-type",
            schema.map_type.as_ref().map(|v| json!(v)),
        ),
        (
            "oneOf",
            (!schema.one_of.is_empty()).then(|| json!(schema.one_of)),
        ),
        (
            "anyOf",
            (!schema.any_of.is_empty()).then(|| json!(schema.any_of)),
        ),
        (
            "allOf",
            (!schema.all_of.is_empty()).then(|| json!(schema.all_of)),
        ),
        ("not", schema.not.clone()),
    ];
    for (keyword, value) in options {
        if let Some(value) = value {
            put(keyword, value);
        }
    }
    if !schema.rules.is_empty() {
        let rules = schema.rules.iter().map(|rule| json!({ "rule": rule.rule }));
        assert!(
            schema.rules.iter().all(|rule| rule.extra.is_empty()),
            "no file has these yet"
        );
        put("x-kubernetes-validations", rules.collect());
    }
    Value::Object(map)
}

/// Puts a mark where `facts` has folded a value, so that the rest can be compared.
fn fold_alike(original: &mut Value, rendered: &Value, folded: &mut usize) {
    match (original, rendered) {
        (original, Value::Object(map)) if map.contains_key("folded") => {
            assert!(original.get("properties").is_some(), "something was folded");
            *original = rendered.clone();
            *folded += 1;
        }
        (Value::Object(original), Value::Object(rendered)) => {
            for (key, value) in original {
                if let Some(other) = rendered.get(key) {
                    fold_alike(value, other, folded);
                }
            }
        }
        _ => {}
    }
}

/// How often each keyword stands in a schema.
fn count(schema: &Value, counts: &mut BTreeMap<String, usize>) {
    let Some(map) = schema.as_object() else {
        return;
    };
    for (keyword, value) in map {
        *counts.entry(keyword.clone()).or_default() += 1;
        match keyword.as_str() {
            "properties" => value.as_object().unwrap().values().for_each(|value| {
                *counts.entry("a property".into()).or_default() += 1;
                count(value, counts);
            }),
            "items" | "additionalProperties" | "not" => count(value, counts),
            "oneOf" | "anyOf" | "allOf" => value
                .as_array()
                .unwrap()
                .iter()
                .for_each(|value| count(value, counts)),
            _ => {}
        }
    }
}

/// The documents of a file, read by other means than the importer's.
fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        return vec![serde_json::from_str(&text).unwrap()];
    }
    use serde::Deserialize;
    let documents = serde_yaml::Deserializer::from_str(&text);
    documents
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|v| !v.is_null())
        .collect()
}

#[test]
fn every_property_enum_bound_pattern_default_and_rule_is_there() {
    let Some(folder) = upstream() else { return };
    let mut counts = BTreeMap::new();
    let mut folded = 0;
    for (name, facts) in schemas::all() {
        let path = original(&folder, &facts);
        let [document] = documents(&path).try_into().unwrap();
        let mut compare = |original: &Value, schema: &Schema, what: &str| {
            let rendered = rendered(schema);
            let mut original = stripped(original);
            fold_alike(&mut original, &rendered, &mut folded);
            assert_eq!(rendered, original, "{name} {what}");
            count(&rendered, &mut counts);
        };
        match &facts.resource {
            None => compare(&document, &facts.root, ""),
            Some(resource) => {
                let spec = &document["spec"];
                let version = &spec["versions"][0];
                compare(&version["schema"]["openAPIV3Schema"], &facts.root, "");
                assert_eq!(spec["versions"].as_array().unwrap().len(), 1);
                assert_eq!(json!(facts.name), spec["names"]["kind"]);
                assert_eq!(json!(resource.group), spec["group"]);
                assert_eq!(json!(resource.version), version["name"]);
                assert_eq!(json!(resource.plural), spec["names"]["plural"]);
                assert_eq!(json!(resource.singular), spec["names"]["singular"]);
                let short = spec["names"]
                    .get("shortNames")
                    .cloned()
                    .unwrap_or(json!([]));
                assert_eq!(json!(resource.short_names), short);
                assert_eq!(resource.namespaced, spec["scope"] == "Namespaced");
                assert_eq!(
                    resource.status_subresource,
                    version["subresources"].get("status").is_some()
                );
                let columns = version["additionalPrinterColumns"].as_array().unwrap();
                assert_eq!(resource.columns.len(), columns.len());
                for (column, original) in resource.columns.iter().zip(columns) {
                    assert_eq!(json!(column.name), original["name"]);
                    assert_eq!(json!(column.ty), original["type"]);
                    assert_eq!(json!(column.json_path), original["jsonPath"]);
                    assert_eq!(json!(column.format), original["format"]);
                    assert_eq!(
                        json!(column.priority),
                        original.get("priority").cloned().unwrap_or(json!(0))
                    );
                }
            }
        }
        // Definitions stand in this file or in the one that `$ref`s name.
        for (definition, schema) in &facts.definitions {
            let mut places = vec![document.clone()];
            places.extend(documents(&path.with_file_name("argocd-common.json")));
            let found: Vec<&Value> = places
                .iter()
                .filter_map(|place| place["definitions"].get(definition))
                .collect();
            assert_eq!(found.len(), 1, "{name} {definition}");
            compare(found[0], schema, definition);
        }
        let own = document
            .get("definitions")
            .and_then(Value::as_object)
            .map_or(0, Map::len);
        assert!(facts.definitions.len() >= own, "{name}");
    }
    println!("{folded} folded; {counts:?}");
    assert_eq!(folded, 8);
    for keyword in [
        "a property",
        "enum",
        "default",
        "pattern",
        "minimum",
        "maxLength",
        "required",
        "x-kubernetes-validations",
        "oneOf",
    ] {
        assert!(
            counts.get(keyword).is_some_and(|count| *count > 2),
            "{keyword}: {counts:?}"
        );
    }
}
