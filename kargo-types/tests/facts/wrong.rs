//! One thing wrong at a time is refused, and the pointer says where.

use crd_codegen::facts::{Schema, Type};
use serde_json::{Value, json};

use crate::oracle::Oracle;
use crate::sample::{Sampler, Special, World, below, is_duration, takes_expressions};

/// An object with one mistake.
struct Wrong {
    what: &'static str,
    /// Where the value was put, and which value; `None` removes it.
    at: String,
    value: Option<Value>,
    /// Where it must be reported (or below, where `below` is set).
    expected: String,
    below: bool,
}

struct Walk<'a> {
    world: &'a World,
    oracle: Oracle,
    sampler: Sampler<'a>,
    found: Vec<Wrong>,
}

impl Walk<'_> {
    fn put(&mut self, what: &'static str, at: &str, value: Value) {
        self.found.push(Wrong {
            what,
            at: at.to_string(),
            value: Some(value),
            expected: at.to_string(),
            below: false,
        });
    }

    fn visit(&mut self, path: &str, schema: &Schema, value: &Value, at: &str) {
        let special = self.world.special(path);
        let schema = &self.world.effective(path, schema, value);
        let wrong_type = match &schema.ty {
            Type::Any => None,
            Type::Integer | Type::Number => Some(json!("many")),
            Type::Boolean => Some(json!("maybe")),
            Type::IntOrString => Some(json!(true)),
            _ => Some(json!(7)),
        };
        if let Some(wrong_type) = wrong_type {
            self.put("type", at, wrong_type);
            self.put("null", at, Value::Null);
        }
        match &schema.ty {
            Type::String => self.text(path, schema, at),
            Type::Integer => {
                if let Some(least) = schema.minimum.as_ref().and_then(|n| n.as_i64()) {
                    self.put("minimum", at, json!(least - 1));
                }
                if let Some(most) = schema.maximum.as_ref().and_then(|n| n.as_i64()) {
                    self.put("maximum", at, json!(most + 1));
                }
                self.put("whole number", at, json!(1.5));
            }
            Type::Object(properties) => {
                if schema.min_properties.is_some() {
                    self.put("minProperties", at, json!({}));
                }
                if properties.is_empty() {
                    return;
                }
                if !schema.preserve_unknown_fields {
                    let key = format!("{at}/noSuchKey");
                    self.put("unknown key", &key, json!(1));
                }
                for property in properties {
                    let root = at.is_empty()
                        && matches!(property.name.as_str(), "apiVersion" | "kind" | "metadata");
                    let Some(inner) = value.get(&property.name).filter(|_| !root) else {
                        continue;
                    };
                    let pointer = format!(
                        "{at}/{}",
                        property.name.replace('~', "~0").replace('/', "~1")
                    );
                    if property.required {
                        // A union reports at itself that one of its keys is missing.
                        let union = matches!(special, Some(Special::Subscription));
                        let content = property.name == "config" && special.is_some();
                        self.found.push(Wrong {
                            what: "required",
                            at: pointer.clone(),
                            value: None,
                            expected: if union {
                                at.to_string()
                            } else {
                                pointer.clone()
                            },
                            below: content,
                        });
                    }
                    let uses = value
                        .get("uses")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    let path = below(path, special.as_ref(), &property.name, uses);
                    self.visit(&path, &property.schema, inner, &pointer);
                }
                self.broken_rule(path, schema, value, at);
            }
            Type::Map(inner) => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                    self.visit(&format!("{path}/values"), inner, value, &at);
                }
            }
            Type::List(inner) => self.list(path, schema, inner, value, at),
            Type::Core { .. } => {
                let key = format!("{at}/noSuchKey");
                self.put("unknown key", &key, json!(1));
            }
            _ => {}
        }
    }

    fn list(&mut self, path: &str, schema: &Schema, inner: &Schema, value: &Value, at: &str) {
        let items = value.as_array().unwrap();
        if schema.min_items.is_some() {
            self.put("minItems", at, json!([]));
        }
        if schema.unique_items || schema.list_type.as_deref() == Some("set") {
            let mut twice = items.clone();
            twice.insert(0, items[0].clone());
            self.found.push(Wrong {
                what: "uniqueItems",
                at: at.to_string(),
                value: Some(Value::Array(twice)),
                expected: at.to_string(),
                below: true,
            });
        }
        if let Some(most) = schema.max_items {
            let many: Vec<Value> = (0..=most).map(|n| json!(format!("item-{n}"))).collect();
            self.put("maxItems", at, Value::Array(many));
        }
        if !schema.rules.is_empty() {
            self.put("CEL", at, json!(["NoSuchOutcome"]));
        }
        for (index, item) in items.iter().enumerate() {
            self.visit(
                &format!("{path}/items"),
                inner,
                item,
                &format!("{at}/{index}"),
            );
        }
    }

    fn text(&mut self, path: &str, schema: &Schema, at: &str) {
        if !schema.enumeration.is_empty() {
            return self.put("enum", at, json!("NoSuchValue"));
        }
        if schema.format.as_deref() == Some("date-time") {
            return self.put("date-time", at, json!("yesterday"));
        }
        if matches!(schema.format.as_deref(), Some("email" | "uri")) {
            self.put("format", at, json!("example org"));
        }
        if is_duration(path, schema) {
            for text in ["7 dogs", "", "5", "99999999h"] {
                self.put("duration", at, json!(text));
            }
            if schema
                .pattern
                .as_deref()
                .is_some_and(|pattern| pattern.starts_with('^'))
            {
                self.put("pattern", at, json!("10ms"));
                self.put("pattern", at, json!("-5m"));
            }
            return;
        }
        if let Some(most) = schema.max_length {
            self.put("maxLength", at, json!("a".repeat(most as usize + 1)));
        }
        if schema.min_length.is_some() {
            self.put("minLength", at, json!(""));
        }
        if let Some(pattern) = &schema.pattern {
            let regex = regex::bytes::Regex::new(&format!("(?-u){pattern}")).unwrap();
            let candidates = ["!", " ", "a b", "$", "-", "x/y/z/!", "ä"];
            let bad: Vec<&&str> = candidates
                .iter()
                .filter(|text| !regex.is_match(text.as_bytes()))
                .collect();
            assert!(!bad.is_empty(), "{pattern}");
            for text in bad {
                self.put("pattern", at, json!(text));
            }
        }
    }

    /// Changes which properties are set until the oracle says a rule is broken.
    fn broken_rule(&mut self, path: &str, schema: &Schema, value: &Value, at: &str) {
        let ruled =
            !(schema.rules.is_empty() && schema.one_of.is_empty() && schema.any_of.is_empty());
        let Type::Object(properties) = &schema.ty else {
            return;
        };
        if !ruled {
            return;
        }
        let mut seen = 0;
        for _ in 0..60 {
            let property = &properties[self.sampler.below(properties.len())];
            if property.required {
                continue;
            }
            let mut changed = value.clone();
            let map = changed.as_object_mut().unwrap();
            if map.remove(&property.name).is_none() {
                let new =
                    self.sampler
                        .value(&format!("{path}/{}", property.name), &property.schema, 9);
                // What is only known at run time breaks no rule yet.
                if takes_expressions(path) && new.to_string().contains("${{") {
                    continue;
                }
                map.insert(property.name.clone(), new);
            }
            // Content without its tag is not what is looked for here.
            let loose = changed.get("config").is_some() && changed.get("uses").is_none();
            if !loose && !self.oracle.keeps(schema, &changed) {
                self.found.push(Wrong {
                    what: "rule",
                    at: at.to_string(),
                    value: Some(changed),
                    expected: at.to_string(),
                    below: true,
                });
                seen += 1;
                if seen == 3 {
                    return;
                }
            }
        }
    }
}

fn put(object: &mut Value, pointer: &str, value: Option<Value>) {
    if pointer.is_empty() {
        *object = value.unwrap();
        return;
    }
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let last = last.replace("~1", "/").replace("~0", "~");
    match (object.pointer_mut(parent).unwrap(), value) {
        (Value::Object(map), Some(value)) => {
            map.insert(last, value);
        }
        (Value::Object(map), None) => {
            map.shift_remove(&last);
        }
        (Value::Array(items), Some(value)) => items[last.parse::<usize>().unwrap()] = value,
        (other, _) => panic!("{parent} is {other}"),
    }
}

fn check(name: &str, seeds: u64, counts: &mut std::collections::BTreeMap<&'static str, usize>) {
    let world = World::load();
    for seed in 0..seeds {
        let object = Sampler::new(&world, seed).kind(name);
        let mut walk = Walk {
            world: &world,
            oracle: Oracle::default(),
            sampler: Sampler::new(&world, seed + 1_000),
            found: Vec::new(),
        };
        walk.visit(name, &world.facts[name].root, &object, "");
        for wrong in walk.found {
            if wrong.at.is_empty() && wrong.value.as_ref().is_none_or(|value| !value.is_object()) {
                continue;
            }
            let mut changed = object.clone();
            put(&mut changed, &wrong.at, wrong.value.clone());
            let found = kargo_types::check_value(&changed).unwrap();
            let context = || {
                format!(
                    "{} at {} of {name}, seed {seed}: {found:?}\n{:?}",
                    wrong.what, wrong.at, wrong.value
                )
            };
            let inside = format!("{}/", wrong.expected);
            assert!(
                found
                    .iter()
                    .any(|violation| violation.pointer == wrong.expected
                        || (wrong.below && violation.pointer.starts_with(&inside))),
                "{}",
                context()
            );
            assert!(
                found
                    .iter()
                    .all(|violation| violation.pointer == wrong.expected
                        || violation.pointer.starts_with(&inside)),
                "{}",
                context()
            );
            *counts.entry(wrong.what).or_default() += 1;
        }
    }
}

#[test]
fn one_mistake_is_refused_with_its_pointer() {
    let mut counts = std::collections::BTreeMap::new();
    macro_rules! each {
        ($kind:ident) => {
            // The kinds with most rules of their own are small.
            let seeds = match stringify!($kind) {
                "ProjectConfig" | "PromotionTask" => 25,
                _ => 4,
            };
            check(stringify!($kind), seeds, &mut counts);
        };
    }
    crate::every_kind!(each);
    println!("{counts:?}");
    for what in [
        "type",
        "null",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "required",
        "unknown key",
        "rule",
        "CEL",
        "duration",
        "date-time",
        "format",
    ] {
        assert!(
            counts.get(what).is_some_and(|count| *count > 0),
            "no {what} was tried: {counts:?}"
        );
    }
}

#[test]
fn an_object_that_says_it_is_something_else_is_refused() {
    for (object, expected) in [
        (json!({"apiVersion": "v1", "kind": "Secret"}), None),
        (json!({"kind": "Stage"}), None),
        (json!("text"), None),
        (
            json!({"apiVersion": "kargo.akuity.io/v1alpha1", "kind": "Project", "metadata": {"name": "a"}, "spec": {}}),
            Some(vec!["/spec"]),
        ),
        (
            json!({"apiVersion": "kargo.akuity.io/v1alpha1", "kind": "Project", "metadata": {"nam": "a", "labels": {"a": 1}}}),
            Some(vec!["/metadata/labels/a"]),
        ),
        (
            json!({"apiVersion": "kargo.akuity.io/v1alpha1", "kind": "Stage", "metadata": {"nam": "a"}, "spec": {}}),
            Some(vec!["/metadata/nam", "/spec/requestedFreight"]),
        ),
    ] {
        let found = kargo_types::check_value(&object);
        let pointers = found.as_ref().map(|found| {
            found
                .iter()
                .map(|violation| violation.pointer.as_str())
                .collect::<Vec<_>>()
        });
        assert_eq!(pointers, expected, "{object}");
    }
}
