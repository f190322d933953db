//! Random instances of facts, grafts included.

use std::collections::BTreeMap;
use std::path::Path;

use crd_codegen::facts::{Facts, Property, Schema, Type};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::oracle::Oracle;
use crate::types;

/// All facts by name, with references replaced by what they refer to.
pub(crate) struct World {
    pub(crate) facts: BTreeMap<String, Facts>,
}

/// Where something other than the facts says what a value is.
pub(crate) enum Special {
    /// A subscription: one key.
    Subscription,
    /// A step, and whether it may stand for a task.
    Step { task: bool },
}

impl World {
    pub(crate) fn load() -> World {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let mut facts = BTreeMap::new();
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path
                    .extension()
                    .is_some_and(|extension| extension == "facts")
                {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let mut one =
                        crd_codegen::format::parse(&path.display().to_string(), &text).unwrap();
                    one.root = inline(&one, &one.root);
                    facts.insert(one.name.clone(), one);
                }
            }
        }
        World { facts }
    }

    pub(crate) fn special(&self, path: &str) -> Option<Special> {
        if path == "Warehouse/spec/subscriptions/items" {
            Some(Special::Subscription)
        } else if path == types::STAGE_STEPS {
            Some(Special::Step { task: true })
        } else {
            types::TASK_STEPS
                .contains(&path)
                .then_some(Special::Step { task: false })
        }
    }

    /// The schema that holds for one value where the facts leave it open.
    pub(crate) fn effective(&self, path: &str, schema: &Schema, value: &Value) -> Schema {
        match self.special(path) {
            None => schema.clone(),
            Some(Special::Subscription) => {
                let properties = types::SUBSCRIPTIONS
                    .iter()
                    .filter(|(key, _)| value.get(key).is_some())
                    .map(|(key, facts)| self.property(key, facts))
                    .collect();
                Schema::of(Type::Object(properties))
            }
            Some(Special::Step { task }) => {
                let mut schema = schema.clone();
                let uses = value
                    .get("uses")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let config = types::STEPS.iter().find(|(step, _)| *step == uses);
                if let Type::Object(properties) = &mut schema.ty {
                    properties.retain(|property| task || property.name != "task");
                    for property in properties {
                        if property.name == "uses" {
                            property.schema.enumeration =
                                types::STEPS.iter().map(|(step, _)| json!(step)).collect();
                        }
                        if let ("config", Some((_, facts))) = (property.name.as_str(), config) {
                            *property = self.property("config", facts);
                            property.required = needs_content(&property.schema);
                        }
                    }
                }
                schema
            }
        }
    }

    fn property(&self, name: &str, facts: &str) -> Property {
        Property {
            name: name.to_string(),
            required: true,
            schema: self.facts[facts].root.clone(),
        }
    }
}

/// True when an empty object would not do.
pub(crate) fn needs_content(schema: &Schema) -> bool {
    match &schema.ty {
        Type::Object(properties) => {
            schema.min_properties.is_some()
                || !schema.one_of.is_empty()
                || properties.iter().any(|property| property.required)
        }
        _ => false,
    }
}

/// The path within other facts that a property of a union leads to.
pub(crate) fn below(path: &str, special: Option<&Special>, name: &str, uses: &str) -> String {
    let lookup = |table: &[(&str, &str)], key: &str| {
        table
            .iter()
            .find(|(one, _)| *one == key)
            .map(|(_, facts)| (*facts).to_string())
    };
    let found = match special {
        Some(Special::Subscription) => lookup(types::SUBSCRIPTIONS, name),
        Some(Special::Step { .. }) if name == "config" => lookup(types::STEPS, uses),
        _ => None,
    };
    found.unwrap_or_else(|| format!("{path}/{name}"))
}

fn inline(facts: &Facts, schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    if let Type::Ref(name) = &schema.ty {
        let target = facts.definition(name).unwrap();
        return inline(facts, target);
    }
    match &mut schema.ty {
        Type::Object(properties) => {
            for property in properties {
                property.schema = inline(facts, &property.schema);
            }
        }
        Type::List(inner) | Type::Map(inner) => **inner = inline(facts, inner),
        _ => {}
    }
    schema
}

/// True for a string whose value is a Go duration.
pub(crate) fn is_duration(path: &str, schema: &Schema) -> bool {
    let loose = schema.pattern.as_deref() == Some(r"(?:\d+(ns|us|µs|ms|s|m|h))+");
    let strict = schema.pattern.as_deref() == Some(r"^([0-9]+(\.[0-9]+)?(s|m|h))+$");
    loose || strict || path.ends_with("/retry/timeout")
}

/// True for facts whose scalars may be expressions.
pub(crate) fn takes_expressions(path: &str) -> bool {
    types::STEPS.iter().any(|(_, facts)| {
        path == *facts
            || path
                .strip_prefix(facts)
                .is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Makes instances.
pub(crate) struct Sampler<'a> {
    world: &'a World,
    runner: TestRunner,
    state: u64,
    oracle: Oracle,
    /// Rules between properties are kept.
    pub(crate) lawful: bool,
}

impl<'a> Sampler<'a> {
    pub(crate) fn new(world: &'a World, seed: u64) -> Sampler<'a> {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Sampler {
            world,
            runner: TestRunner::new_with_rng(Config::default(), rng),
            state: seed,
            oracle: Oracle::default(),
            lawful: true,
        }
    }

    /// SplitMix64.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// A whole object of a kind.
    pub(crate) fn kind(&mut self, name: &str) -> Value {
        let facts = &self.world.facts[name];
        let resource = facts.resource.as_ref().unwrap();
        let mut object = self.value(name, &facts.root, 0);
        object["apiVersion"] = json!(format!("{}/{}", resource.group, resource.version));
        object["kind"] = json!(name);
        object["metadata"] = json!({"name": "some-name", "labels": {"a": "b"}});
        object
    }

    pub(crate) fn value(&mut self, path: &str, schema: &Schema, depth: usize) -> Value {
        if self.world.special(path).is_some() {
            return self.special(path, schema, depth);
        }
        if takes_expressions(path)
            && self.lawful
            && matches!(schema.ty, Type::String | Type::Boolean | Type::Integer)
            && self.chance(10)
        {
            return json!("${{ vars.some }}");
        }
        match &schema.ty {
            Type::Any => self.pick(&[
                json!({"a": [1, "x", null]}),
                json!("text"),
                json!(3),
                json!([true]),
            ]),
            Type::String => self.text(path, schema),
            Type::Integer => {
                let least = schema
                    .minimum
                    .as_ref()
                    .and_then(|n| n.as_i64())
                    .unwrap_or(-3);
                let most = schema
                    .maximum
                    .as_ref()
                    .and_then(|n| n.as_i64())
                    .unwrap_or(2_000);
                json!(
                    least
                        + self.below(usize::try_from((most - least).min(1_000)).unwrap() + 1)
                            as i64
                )
            }
            Type::Number => json!(1.5),
            Type::Boolean => json!(self.chance(50)),
            Type::IntOrString => self.pick(&[json!(3), json!("50%"), json!("{{ args.n }}")]),
            Type::Object(properties) if properties.is_empty() => {
                json!({"some": {"key": 1}, "other": "x"})
            }
            Type::Object(properties) => self.object(path, schema, properties, depth),
            Type::Map(inner) => {
                let mut map = Map::new();
                for key in ["one", "two/three", "~4"] {
                    if map.is_empty() || self.chance(50) {
                        map.insert(
                            key.to_string(),
                            self.value(&format!("{path}/values"), inner, depth + 1),
                        );
                    }
                }
                Value::Object(map)
            }
            Type::List(inner) => self.list(path, schema, inner, depth),
            Type::Core { name, .. } => core(name),
            Type::Ref(name) => panic!("{name} was not replaced"),
        }
    }

    fn list(&mut self, path: &str, schema: &Schema, inner: &Schema, depth: usize) -> Value {
        let least = schema.min_items.unwrap_or(0).max(1) as usize;
        let most = schema.max_items.map_or(least + 2, |most| most as usize);
        // Samples of core objects all have the same key.
        let most = if schema.list_map_keys.is_empty() {
            most
        } else {
            1
        };
        let wanted = least + self.below(most - least + 1);
        let mut items = Vec::new();
        for _ in 0..wanted {
            let item = self.value(&format!("{path}/items"), inner, depth + 1);
            let unique = schema.unique_items || schema.list_type.as_deref() == Some("set");
            if !(unique && items.contains(&item)) {
                items.push(item);
            }
        }
        let list = Value::Array(items);
        if self.lawful && !self.oracle.keeps(schema, &list) {
            // The rules on lists are about the outcomes of promotions.
            return json!(["Failed"]);
        }
        list
    }

    fn special(&mut self, path: &str, schema: &Schema, depth: usize) -> Value {
        if let Some(Special::Subscription) = self.world.special(path) {
            let (key, facts) = self.pick(types::SUBSCRIPTIONS);
            return json!({ key: self.value(facts, &self.world.facts[facts].root, depth + 1) });
        }
        let (uses, facts) = self.pick(types::STEPS);
        for _ in 0..200 {
            let effective = self.world.effective(path, schema, &json!({ "uses": uses }));
            let Type::Object(properties) = &effective.ty else {
                panic!()
            };
            let mut step = self.some_of(path, properties, depth);
            if let Some(given) = step.get_mut("uses") {
                *given = json!(uses);
                let config = &self.world.facts[facts].root;
                let value = self.value(facts, config, depth + 1);
                if value != json!({}) {
                    step["config"] = value;
                } else if let Value::Object(step) = &mut step {
                    step.remove("config");
                }
            } else if let Value::Object(step) = &mut step {
                step.remove("config");
            }
            if !self.lawful || self.oracle.keeps(schema, &step) {
                return step;
            }
        }
        panic!("no lawful step at {path}")
    }

    fn object(
        &mut self,
        path: &str,
        schema: &Schema,
        properties: &[Property],
        depth: usize,
    ) -> Value {
        for _ in 0..500 {
            let object = self.some_of(path, properties, depth);
            let alone = |names: &[&str]| {
                names
                    .iter()
                    .filter(|name| object.get(name).is_some())
                    .count()
                    <= 1
            };
            let clear = types::CHOICES
                .iter()
                .filter(|(_, _, _, names)| {
                    names
                        .iter()
                        .all(|name| properties.iter().any(|property| property.name == *name))
                        && !schema.one_of.is_empty()
                })
                .all(|(_, _, _, names)| alone(names));
            if !self.lawful || (clear && self.oracle.keeps(schema, &object)) {
                return object;
            }
        }
        panic!("no lawful object at {path}")
    }

    /// The required properties and some of the others.
    fn some_of(&mut self, path: &str, properties: &[Property], depth: usize) -> Value {
        let mut object = Map::new();
        for property in properties {
            let likely = if depth < 3 { 60 } else { 35 };
            let root_spec = depth == 0 && property.name == "spec";
            if property.required || root_spec || self.chance(likely) {
                let below = format!("{path}/{}", property.name);
                object.insert(
                    property.name.clone(),
                    self.value(&below, &property.schema, depth + 1),
                );
            }
        }
        Value::Object(object)
    }

    fn text(&mut self, path: &str, schema: &Schema) -> Value {
        if !schema.enumeration.is_empty() {
            return self.pick(&schema.enumeration);
        }
        if is_duration(path, schema) {
            return json!(self.pick(&["5m0s", "24h0m0s", "1.5s", "1m30s", "0s", "49h1m7s"]));
        }
        match schema.format.as_deref() {
            Some("date-time") => {
                return json!(self.pick(&["2026-01-31T12:00:00Z", "1999-12-31T23:59:59Z"]));
            }
            Some("email") => return json!("a@example.org"),
            Some("uri") => return json!("https://example.org/x"),
            _ => {}
        }
        let Some(pattern) = &schema.pattern else {
            let hazards = [
                "a",
                "yes",
                "1e3",
                "0x1f",
                "x: y",
                "- a",
                "# no",
                "null",
                "~",
                "2026-01-31",
                "{}",
                "two\nlines\n",
                "  blanks  ",
                "ä€𝄞",
                "'\"",
                "12:30:45",
                "=",
            ];
            let mut text = self.pick(&hazards).to_string();
            if !self.lawful && schema.min_length.is_none() && self.chance(25) {
                text.clear();
            }
            return json!(text);
        };
        let strategy = proptest::string::string_regex(&unanchored(pattern)).unwrap();
        let regex = regex::bytes::Regex::new(&format!("(?-u){pattern}")).unwrap();
        for _ in 0..2_000 {
            let text = strategy.new_tree(&mut self.runner).unwrap().current();
            let length = text.chars().count() as u64;
            let fits = schema.min_length.is_none_or(|least| length >= least)
                && schema.max_length.is_none_or(|most| length <= most)
                && !text.is_empty();
            if fits && regex.is_match(text.as_bytes()) {
                return json!(text);
            }
        }
        panic!("no text matches {pattern}")
    }
}

/// The pattern as proptest takes it: no anchors, ASCII classes, printable dots.
fn unanchored(pattern: &str) -> String {
    let mut out = String::new();
    let mut in_class = false;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('w') if in_class => out.push_str("0-9A-Za-z_"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('d') if in_class => out.push_str("0-9"),
                Some('d') => out.push_str("[0-9]"),
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => {}
            },
            '[' => {
                in_class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '^' | '$' if !in_class => {}
            '.' if !in_class => out.push_str("[ -~]"),
            other => out.push(other),
        }
    }
    out
}

fn core(name: &str) -> Value {
    match name {
        "batch/v1.JobSpec" => json!({
            "backoffLimit": 0,
            "template": {"spec": {
                "containers": [{"name": "main", "image": "registry.example.org/a:1", "args": ["x"],
                    "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}}}],
                "restartPolicy": "Never",
            }},
        }),
        "meta/v1.LabelSelector" => json!({
            "matchLabels": {"a": "b"},
            "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}],
        }),
        "meta/v1.Condition" => json!({
            "lastTransitionTime": "2026-01-31T12:00:00Z", "message": "m", "reason": "R", "status": "True", "type": "Ready",
        }),
        other => panic!("no sample of {other}"),
    }
}
