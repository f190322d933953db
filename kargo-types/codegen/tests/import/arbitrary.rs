//! Facts made at random, all that the model can hold.

use crd_codegen::facts::{Column, Facts, Origin, Property, Resource, Rule, Schema, Type};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Number, Value, json};

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[a-z][a-zA-Z0-9]{0,8}",
        1 => "[ -~]{0,12}",
        1 => any::<String>(),
        1 => prop::sample::select(vec!["", " ", "\"", "a\nb", "\t", "/", "@rule", "root", "root:", "é\u{85}", "\u{7f}"])
            .prop_map(str::to_owned),
    ]
    .boxed()
}

fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-4000i32..4000).prop_map(|n| json!(f64::from(n) / 8.0)),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ]
    .boxed()
}

fn json_value() -> BoxedStrategy<Value> {
    scalar()
        .prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                btree_map(text(), inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
        .prop_filter("a reference must be defined", |value| {
            !value.to_string().contains("$ref")
        })
        .boxed()
}

fn number() -> BoxedStrategy<Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        (-4000i32..4000).prop_map(|n| Number::from_f64(f64::from(n) / 8.0).unwrap()),
    ]
    .boxed()
}

fn rule() -> BoxedStrategy<Rule> {
    let extra = btree_map(
        prop::sample::select(vec!["reason", "fieldPath", "optionalOldSelf"])
            .prop_map(str::to_owned),
        text(),
        0..3,
    );
    (text(), extra)
        .prop_map(|(rule, extra)| Rule {
            rule,
            extra: extra.into_iter().collect(),
        })
        .boxed()
}

fn alternatives() -> BoxedStrategy<Vec<Value>> {
    let one = prop_oneof![
        any::<bool>().prop_map(Value::from),
        json_value().prop_map(|value| json!({ "enum": [value] })),
    ];
    prop_oneof![3 => Just(Vec::new()), 1 => vec(one, 1..3)].boxed()
}

/// A schema of this type with whatever else a schema may say.
fn decorated(ty: impl Strategy<Value = Type> + 'static) -> BoxedStrategy<Schema> {
    let rare = |strategy: BoxedStrategy<String>| option::weighted(0.2, strategy);
    let texts = (rare(text()), rare(text()), rare(text()), rare(text()));
    let values = (
        btree_map(scalar().prop_map(|v| v.to_string()), Just(()), 0..3),
        option::weighted(0.2, json_value()),
        vec(text(), 0..2),
        option::weighted(
            0.1,
            json_value().prop_map(|value| json!({ "const": value })),
        ),
    );
    let numbers = (
        option::of(number()),
        option::of(number()),
        option::weighted(0.1, number()),
    );
    let counts = vec(option::weighted(0.2, any::<u64>()), 6);
    let flags = vec(prop::bool::weighted(0.2), 8);
    let lists = (
        alternatives(),
        alternatives(),
        alternatives(),
        vec(rule(), 0..2),
    );
    let doc =
        prop_oneof![3 => Just(String::new()), 1 => text(), 1 => Just("One.\nTwo.".to_owned())];
    (ty, doc, texts, values, numbers, counts, flags, lists)
        .prop_map(
            |(ty, doc, texts, values, numbers, counts, flags, lists)| Schema {
                ty,
                doc,
                nullable: flags[0],
                format: texts.0,
                enumeration: values
                    .0
                    .keys()
                    .map(|v| serde_json::from_str(v).unwrap())
                    .collect(),
                default: values.1,
                pattern: texts.1,
                minimum: numbers.0,
                maximum: numbers.1,
                exclusive_minimum: flags[1],
                exclusive_maximum: flags[2],
                multiple_of: numbers.2,
                min_length: counts[0],
                max_length: counts[1],
                min_items: counts[2],
                max_items: counts[3],
                unique_items: flags[3],
                min_properties: counts[4],
                max_properties: counts[5],
                closed: flags[4],
                deprecated: flags[5],
                list_type: texts.2,
                list_map_keys: values.2,
                map_type: texts.3,
                preserve_unknown_fields: flags[6],
                embedded_resource: flags[7],
                rules: lists.3,
                one_of: lists.0,
                any_of: lists.1,
                all_of: lists.2,
                not: values.3,
            },
        )
        .boxed()
}

fn schema(definitions: Vec<String>) -> BoxedStrategy<Schema> {
    let mut leaves = vec![
        Just(Type::Any).boxed(),
        Just(Type::String).boxed(),
        Just(Type::Integer).boxed(),
        Just(Type::Number).boxed(),
        Just(Type::Boolean).boxed(),
        Just(Type::IntOrString).boxed(),
        ("[a-z]{1,5}/v[1-9][.][A-Z][a-z]{1,5}", "[0-9a-f]{16}")
            .prop_map(|(name, digest)| Type::Core { name, digest })
            .boxed(),
    ];
    if !definitions.is_empty() {
        leaves.push(
            prop::sample::select(definitions)
                .prop_map(Type::Ref)
                .boxed(),
        );
    }
    decorated(prop::strategy::Union::new(leaves))
        .prop_recursive(4, 24, 4, |inner| {
            let properties =
                btree_map(text(), (any::<bool>(), inner.clone()), 0..5).prop_map(|map| {
                    let property = |(name, (required, schema))| Property {
                        name,
                        required,
                        schema,
                    };
                    Type::Object(map.into_iter().map(property).collect())
                });
            decorated(prop_oneof![
                3 => properties,
                1 => inner.clone().prop_map(|schema| Type::Map(Box::new(schema))),
                1 => inner.prop_map(|schema| Type::List(Box::new(schema))),
            ])
        })
        .boxed()
}

fn resource() -> BoxedStrategy<Resource> {
    let column = (text(), text(), option::of(text()), text(), any::<i64>()).prop_map(
        |(name, ty, format, json_path, priority)| Column {
            name,
            ty,
            format,
            json_path,
            priority,
        },
    );
    let names = (text(), text(), text(), text());
    (
        names,
        vec(text(), 0..2),
        vec(text(), 0..2),
        any::<bool>(),
        any::<bool>(),
        vec(column, 0..3),
    )
        .prop_map(
            |(names, short_names, categories, namespaced, status_subresource, columns)| Resource {
                group: names.0,
                version: names.1,
                plural: names.2,
                singular: names.3,
                short_names,
                categories,
                namespaced,
                status_subresource,
                columns,
            },
        )
        .boxed()
}

/// Facts that a facts file can hold.
pub(crate) fn facts() -> BoxedStrategy<Facts> {
    let names = prop::collection::btree_set(text(), 0..3);
    names
        .prop_flat_map(|names| {
            let names: Vec<String> = names.into_iter().collect();
            // Definitions hold no references, so none leads only to itself.
            let definitions = names
                .clone()
                .into_iter()
                .map(|name| (Just(name), schema(Vec::new())));
            let definitions: Vec<_> = definitions.collect();
            (
                text(),
                text(),
                text(),
                option::of(resource()),
                schema(names),
                definitions,
            )
        })
        .prop_map(
            |(name, source, licence, resource, root, definitions)| Facts {
                origin: Origin { source, licence },
                name,
                resource,
                root,
                definitions,
            },
        )
        .boxed()
}
