//! The schemas that schemars derives from the structs say what the facts say.

use std::collections::BTreeSet;

use crd_codegen::facts::{Schema, Type};
use serde_json::{Map, Value, json};

use crate::sample::{Special, World, is_duration, takes_expressions};
use crate::types;

/// How schemas of values that may be expressions mark them.
const EXPRESSION: &str = r"\$\{[{%]";

/// The facts in a form that both sides can be brought to.
fn of_facts(world: &World, path: &str, schema: &Schema) -> Value {
    let special = world.special(path);
    if let Some(Special::Subscription) = special {
        let properties: Map<String, Value> = types::SUBSCRIPTIONS
            .iter()
            .map(|(key, facts)| {
                (
                    (*key).to_string(),
                    of_facts(world, facts, &world.facts[*facts].root),
                )
            })
            .collect();
        return json!({"type": "object", "properties": properties});
    }
    let mut out = Map::new();
    let ty = match &schema.ty {
        Type::Any => "any".to_string(),
        Type::String => "string".to_string(),
        Type::Integer => "integer".to_string(),
        Type::Number => "number".to_string(),
        Type::Boolean => "boolean".to_string(),
        Type::IntOrString => "int-or-string".to_string(),
        Type::Object(_) | Type::Map(_) => "object".to_string(),
        Type::List(_) => "array".to_string(),
        Type::Core { name, .. } => name.rsplit('.').next().unwrap().to_string(),
        Type::Ref(name) => panic!("{name}"),
    };
    let structural = matches!(schema.ty, Type::Boolean | Type::Integer | Type::Number)
        || !schema.enumeration.is_empty()
        || is_duration(path, schema);
    if takes_expressions(path) && structural {
        out.insert("expression".to_string(), json!(true));
    }
    out.insert("type".to_string(), json!(ty));
    match &schema.ty {
        Type::Object(properties) if !properties.is_empty() => {
            let mut found = Map::new();
            let mut required = BTreeSet::new();
            for property in properties {
                let root = path == world.facts[path.split('/').next().unwrap()].name;
                let resource = root && world.facts[path].resource.is_some();
                let step = matches!(special, Some(Special::Step { .. }));
                let left_out = resource
                    && matches!(property.name.as_str(), "apiVersion" | "kind" | "metadata")
                    || step && property.name == "config"
                    || matches!(special, Some(Special::Step { task: false }))
                        && property.name == "task";
                if left_out {
                    continue;
                }
                let mut inner = of_facts(
                    world,
                    &format!("{path}/{}", property.name),
                    &property.schema,
                );
                if step && property.name == "uses" {
                    let configs: Map<String, Value> = types::STEPS
                        .iter()
                        .map(|(step, facts)| {
                            (
                                (*step).to_string(),
                                of_facts(world, facts, &world.facts[*facts].root),
                            )
                        })
                        .collect();
                    inner = json!({"type": "string", "of": configs});
                }
                found.insert(property.name.clone(), inner);
                if property.required && !resource {
                    required.insert(property.name.clone());
                }
            }
            out.insert("properties".to_string(), Value::Object(found));
            if !required.is_empty() {
                out.insert("required".to_string(), json!(required));
            }
        }
        // Values of any type are what an object without known properties has, too.
        Type::Map(inner) if inner.ty == Type::Any => {}
        Type::Map(inner) => {
            out.insert(
                "values".to_string(),
                of_facts(world, &format!("{path}/values"), inner),
            );
        }
        Type::List(inner) => {
            out.insert(
                "items".to_string(),
                of_facts(world, &format!("{path}/items"), inner),
            );
        }
        _ => {}
    }
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(key.to_string(), value);
        }
    };
    let sorted: BTreeSet<String> = schema.enumeration.iter().map(Value::to_string).collect();
    put("enum", (!sorted.is_empty()).then(|| json!(sorted)));
    put("nullable", schema.nullable.then(|| json!(true)));
    put("pattern", schema.pattern.clone().map(Value::from));
    put("default", schema.default.clone());
    put(
        "format",
        schema
            .format
            .clone()
            .filter(|format| format != "int64")
            .map(Value::from),
    );
    put("minLength", schema.min_length.map(Value::from));
    put("maxLength", schema.max_length.map(Value::from));
    put("minItems", schema.min_items.map(Value::from));
    put("maxItems", schema.max_items.map(Value::from));
    put("minProperties", schema.min_properties.map(Value::from));
    put("maxProperties", schema.max_properties.map(Value::from));
    put("minimum", schema.minimum.clone().map(Value::from));
    put("maximum", schema.maximum.clone().map(Value::from));
    put("uniqueItems", schema.unique_items.then(|| json!(true)));
    // Upstream closes a list once (kustomize-build's apiVersions), which means nothing.
    let closed = schema.closed && matches!(schema.ty, Type::Object(_));
    put("closed", closed.then(|| json!(true)));
    put(
        "x-kubernetes-list-type",
        schema.list_type.clone().map(Value::from),
    );
    put(
        "x-kubernetes-map-type",
        schema.map_type.clone().map(Value::from),
    );
    let keys = &schema.list_map_keys;
    put(
        "x-kubernetes-list-map-keys",
        (!keys.is_empty()).then(|| json!(keys)),
    );
    let open =
        matches!(&schema.ty, Type::Any) || matches!(&schema.ty, Type::Object(p) if p.is_empty());
    put(
        "x-kubernetes-preserve-unknown-fields",
        (open && schema.preserve_unknown_fields).then(|| json!(true)),
    );
    let rules: Vec<Value> = schema
        .rules
        .iter()
        .map(|rule| json!({"rule": rule.rule}))
        .collect();
    put(
        "x-kubernetes-validations",
        (!rules.is_empty()).then(|| json!(rules)),
    );
    // A choice says it by its shape, if that says all of it; the proof is part of
    // the generator, and the verdicts are compared in `rules`.
    if is_choice(schema) {
        put("allOf", Some(json!("by shape")));
    } else {
        let alternatives = [("oneOf", &schema.one_of), ("anyOf", &schema.any_of)];
        let said: Vec<Value> = alternatives
            .into_iter()
            .filter(|(_, said)| !said.is_empty())
            .map(|(keyword, said)| json!({ keyword: said }))
            .collect();
        put("allOf", (!said.is_empty()).then(|| json!(said)));
    }
    Value::Object(out)
}

fn is_choice(schema: &Schema) -> bool {
    let Type::Object(properties) = &schema.ty else {
        return false;
    };
    types::CHOICES.iter().any(|(_, _, _, names)| {
        names
            .iter()
            .all(|name| properties.iter().any(|property| property.name == *name))
            && !schema.one_of.is_empty()
    })
}

/// A schema of schemars in that form.
fn of_struct(schema: &Value, defs: &Value) -> Value {
    let Value::Object(schema) = schema else {
        return json!({"type": "any"});
    };
    let mut schema = schema.clone();
    if let Some(Value::String(name)) = schema.remove("$ref") {
        let name = name.rsplit('/').next().unwrap().to_string();
        let special = match name.as_str() {
            "io.k8s.apimachinery.pkg.util.intstr.IntOrString" => Some("int-or-string"),
            other if other.starts_with("io.k8s.") && !other.ends_with(".Time") => {
                other.rsplit('.').next()
            }
            _ => None,
        };
        if let Some(special) = special {
            schema.insert("type".to_string(), json!(special));
            schema.remove("description");
            return Value::Object(schema);
        }
        let mut target = of_struct(&defs[&name], defs);
        let own = of_struct(&Value::Object(schema), defs);
        let target_map = target.as_object_mut().unwrap();
        for (key, value) in own.as_object().unwrap() {
            if key != "type" {
                target_map.insert(key.clone(), value.clone());
            }
        }
        return target;
    }
    for noise in ["$schema", "title", "description", "$defs", "deprecated"] {
        schema.remove(noise);
    }
    let mut out = Map::new();
    if let Some(Value::Array(two)) = schema.get("anyOf").cloned()
        && let [value, marked] = two.as_slice()
        && marked["pattern"] == EXPRESSION
    {
        schema.remove("anyOf");
        out.extend(of_struct(value, defs).as_object().unwrap().clone());
        out.insert("expression".to_string(), json!(true));
    }
    let texts = |alternatives: &Value| -> Option<BTreeSet<String>> {
        let all: Vec<&Value> = alternatives.as_array()?.iter().collect();
        all.into_iter()
            .map(|one| one.get("const").map(Value::to_string))
            .collect()
    };
    if let Some(values) = schema.get("oneOf").and_then(texts) {
        schema.remove("oneOf");
        out.insert("type".to_string(), json!("string"));
        out.insert("enum".to_string(), json!(values));
    }
    let mut properties = Map::new();
    let alternatives = schema.remove("oneOf").or_else(|| schema.remove("anyOf"));
    if let Some(alternatives) = alternatives {
        union(&alternatives, defs, &mut properties);
    }
    for (key, value) in schema {
        match key.as_str() {
            "properties" => {
                for (name, value) in value.as_object().unwrap() {
                    properties.insert(name.clone(), of_struct(value, defs));
                }
            }
            "required" => {
                let names: BTreeSet<&str> = value
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(Value::as_str)
                    .collect();
                out.insert(key, json!(names));
            }
            "items" => {
                out.insert(key, of_struct(&value, defs));
            }
            "additionalProperties" | "unevaluatedProperties" => match value {
                Value::Bool(false) => {
                    out.insert("closed".to_string(), json!(true));
                }
                Value::Object(_) => {
                    out.insert("values".to_string(), of_struct(&value, defs));
                }
                _ => {}
            },
            "enum" => {
                let texts: BTreeSet<String> = value
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(Value::to_string)
                    .collect();
                out.insert(key, json!(texts));
            }
            "const" => {
                out.insert("enum".to_string(), json!([value.to_string()]));
            }
            "format" if value == "int64" || value == "double" => {}
            "pattern" => {
                let text = value.as_str().unwrap();
                let plain = text
                    .strip_prefix("(?:")
                    .and_then(|text| text.strip_suffix(&format!(")|{EXPRESSION}")))
                    .unwrap_or(text);
                out.insert(key, json!(plain));
            }
            _ => {
                out.insert(key, value);
            }
        }
    }
    if !properties.is_empty() {
        out.insert("properties".to_string(), Value::Object(properties));
        out.insert("type".to_string(), json!("object"));
    }
    if !out.contains_key("type") {
        out.insert("type".to_string(), json!("any"));
    }
    Value::Object(out)
}

/// The properties of a union, as those of one object.
fn union(alternatives: &Value, defs: &Value, properties: &mut Map<String, Value>) {
    for one in alternatives.as_array().unwrap() {
        let one = match one.get("$ref").and_then(Value::as_str) {
            Some(name) => &defs[name.rsplit('/').next().unwrap()],
            None => one,
        };
        for keyword in ["oneOf", "anyOf"] {
            if let Some(inner) = one.get(keyword) {
                union(inner, defs, properties);
            }
        }
        let Some(Value::Object(found)) = one.get("properties") else {
            continue;
        };
        if let Some(step) = found.get("uses").and_then(|uses| uses.get("const")) {
            let configs = properties
                .entry("uses")
                .or_insert_with(|| json!({"type": "string", "of": {}}));
            configs["of"][step.as_str().unwrap()] = of_struct(&found["config"], defs);
            continue;
        }
        for (name, value) in found {
            properties.insert(name.clone(), of_struct(value, defs));
        }
    }
}

/// The first place where the two differ.
fn difference(facts: &Value, types: &Value, at: &str) -> Option<String> {
    match (facts, types) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            keys.into_iter().find_map(|key| {
                let at = format!("{at}/{key}");
                if left.get(key).is_some_and(|said| said == "by shape") {
                    return None;
                }
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => difference(left, right, &at),
                    (left, right) => Some(format!("{at}: facts {left:?}, types {right:?}")),
                }
            })
        }
        _ if facts == types => None,
        _ => Some(format!("{at}: facts {facts}, types {types}")),
    }
}

#[test]
fn derived_schemas_are_those_of_the_facts() {
    let world = World::load();
    macro_rules! each {
        ($kind:ident) => {
            let schema = schemars::schema_for!(kargo_types::$kind);
            let mut schema = serde_json::to_value(&schema).unwrap();
            // Nor does it say that an absent status need not be null.
            if let Some(status) = schema.pointer_mut("/properties/status") {
                if let Some(alternatives) = status.get("anyOf") {
                    *status = alternatives[0].clone();
                }
            }
            let mut types = of_struct(&schema, &schema["$defs"]);
            // kube's derive has no optional spec.
            types.as_object_mut().unwrap().remove("required");
            let name = stringify!($kind);
            let mut facts = of_facts(&world, name, &world.facts[name].root);
            if let Some(facts) = facts.as_object_mut() {
                facts.remove("required");
            }
            assert_eq!(difference(&facts, &types, name), None);
        };
    }
    crate::every_kind!(each);
}
