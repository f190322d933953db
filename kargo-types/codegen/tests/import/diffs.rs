//! What a change means for those who write objects.

use crd_codegen::diff::{Change, Class, diff, render};
use crd_codegen::facts::Type;
use crd_codegen::import::Options;

use crate::{read, schema};

/// Pointer, class and text of a change.
type Expected = (&'static str, &'static str, &'static str);

/// Old and new schema of the property `a`, and all that is found.
const TABLE: &[(&str, &str, &[Expected])] = &[
    ("{type: string}", "{type: string, description: other}", &[]),
    (
        "{type: string}",
        "{type: integer}",
        &[("/a", "changed", "type string → integer")],
    ),
    (
        "{type: integer}",
        "{type: number}",
        &[("/a", "loosened", "type integer → number")],
    ),
    (
        "{type: number}",
        "{type: integer}",
        &[("/a", "tightened", "type number → integer")],
    ),
    (
        "{type: string}",
        "{x-kubernetes-int-or-string: true}",
        &[("/a", "loosened", "type string → int-or-string")],
    ),
    (
        "{x-kubernetes-int-or-string: true}",
        "{type: integer}",
        &[("/a", "tightened", "type int-or-string → integer")],
    ),
    (
        "{type: string}",
        "{}",
        &[("/a", "loosened", "type string → any")],
    ),
    (
        "{}",
        "{type: string}",
        &[("/a", "tightened", "type any → string")],
    ),
    (
        "{type: object, properties: {}}",
        "{type: object, properties: {b: {type: string}}}",
        &[("/a/b", "added", "property: string")],
    ),
    (
        "{type: object, properties: {b: {type: string}}}",
        "{type: object}",
        &[("/a/b", "removed", "property")],
    ),
    (
        "{type: object}",
        "{type: object, required: [b], properties: {b: {type: string}}}",
        &[("/a/b", "tightened", "new required property: string")],
    ),
    (
        "{type: object, properties: {b: {}}}",
        "{type: object, required: [b], properties: {b: {}}}",
        &[("/a/b", "tightened", "required now")],
    ),
    (
        "{type: object, required: [b], properties: {b: {}}}",
        "{type: object, properties: {b: {}}}",
        &[("/a/b", "loosened", "optional now")],
    ),
    (
        "{type: object}",
        "{type: object, additionalProperties: {type: string}}",
        &[("/a", "changed", "type object → map")],
    ),
    (
        "{type: object, additionalProperties: {type: string}}",
        "{type: object, additionalProperties: {type: integer}}",
        &[("/a/values", "changed", "type string → integer")],
    ),
    (
        "{type: array, items: {type: string}}",
        "{type: array, items: {type: string, minLength: 1}}",
        &[("/a/items", "tightened", "minLength 1")],
    ),
    (
        "{type: object}",
        "{type: object, additionalProperties: false}",
        &[("/a", "tightened", "closed")],
    ),
    (
        "{type: object, additionalProperties: false}",
        "{type: object}",
        &[("/a", "loosened", "no more: closed")],
    ),
    (
        "{enum: [a]}",
        "{enum: [b, a]}",
        &[("/a", "loosened", "enum value \"b\" added")],
    ),
    (
        "{enum: [a, b]}",
        "{enum: [b]}",
        &[("/a", "tightened", "enum value \"a\" removed")],
    ),
    ("{enum: [a, b]}", "{enum: [b, a]}", &[]),
    (
        "{enum: [a]}",
        "{enum: [b]}",
        &[
            ("/a", "tightened", "enum value \"a\" removed"),
            ("/a", "loosened", "enum value \"b\" added"),
        ],
    ),
    ("{}", "{enum: [a]}", &[("/a", "tightened", "enum [\"a\"]")]),
    (
        "{enum: [a]}",
        "{}",
        &[("/a", "loosened", "no more: enum [\"a\"]")],
    ),
    ("{}", "{nullable: true}", &[("/a", "loosened", "nullable")]),
    (
        "{nullable: true}",
        "{}",
        &[("/a", "tightened", "no more: nullable")],
    ),
    (
        "{pattern: a}",
        "{pattern: b}",
        &[("/a", "changed", "pattern \"a\" → \"b\"")],
    ),
    (
        "{}",
        "{pattern: b}",
        &[("/a", "tightened", "pattern \"b\"")],
    ),
    (
        "{pattern: b}",
        "{}",
        &[("/a", "loosened", "no more: pattern \"b\"")],
    ),
    (
        "{default: 1}",
        "{default: 2}",
        &[("/a", "changed", "default 1 → 2")],
    ),
    (
        "{}",
        "{default: null}",
        &[("/a", "changed", "default null")],
    ),
    (
        "{default: 1}",
        "{}",
        &[("/a", "changed", "no more: default 1")],
    ),
    (
        "{}",
        "{format: date-time}",
        &[("/a", "tightened", "format \"date-time\"")],
    ),
    (
        "{format: int32}",
        "{format: int64}",
        &[("/a", "changed", "format \"int32\" → \"int64\"")],
    ),
    (
        "{minimum: 1}",
        "{minimum: 2}",
        &[("/a", "tightened", "minimum 1 → 2")],
    ),
    (
        "{minimum: 1}",
        "{minimum: 0.5}",
        &[("/a", "loosened", "minimum 1 → 0.5")],
    ),
    (
        "{maximum: 1}",
        "{maximum: 2}",
        &[("/a", "loosened", "maximum 1 → 2")],
    ),
    (
        "{maximum: 2}",
        "{maximum: 1}",
        &[("/a", "tightened", "maximum 2 → 1")],
    ),
    ("{}", "{maximum: 1}", &[("/a", "tightened", "maximum 1")]),
    (
        "{minimum: 1}",
        "{minimum: 1, exclusiveMinimum: true}",
        &[("/a", "tightened", "exclusiveMinimum")],
    ),
    (
        "{multipleOf: 2}",
        "{multipleOf: 3}",
        &[("/a", "changed", "multipleOf 2 → 3")],
    ),
    (
        "{minItems: 1}",
        "{minItems: 2}",
        &[("/a", "tightened", "minItems 1 → 2")],
    ),
    (
        "{maxLength: 5}",
        "{}",
        &[("/a", "loosened", "no more: maxLength 5")],
    ),
    (
        "{maxProperties: 5}",
        "{maxProperties: 4}",
        &[("/a", "tightened", "maxProperties 5 → 4")],
    ),
    (
        "{}",
        "{uniqueItems: true}",
        &[("/a", "tightened", "uniqueItems")],
    ),
    (
        "{}",
        "{deprecated: true}",
        &[("/a", "changed", "deprecated")],
    ),
    (
        "{x-kubernetes-list-type: atomic}",
        "{x-kubernetes-list-type: set}",
        &[("/a", "changed", "listType \"atomic\" → \"set\"")],
    ),
    (
        "{}",
        "{x-kubernetes-preserve-unknown-fields: true}",
        &[("/a", "loosened", "preserveUnknownFields")],
    ),
    (
        "{}",
        "{x-kubernetes-validations: [{rule: a}]}",
        &[("/a", "tightened", "rule \"a\"")],
    ),
    (
        "{x-kubernetes-validations: [{rule: a, message: m}]}",
        "{x-kubernetes-validations: [{rule: b}, {rule: a}]}",
        &[("/a", "tightened", "rule \"b\"")],
    ),
    (
        "{x-kubernetes-validations: [{rule: a}]}",
        "{}",
        &[("/a", "loosened", "no more: rule \"a\"")],
    ),
    (
        "{x-kubernetes-validations: [{rule: a}, {rule: b}]}",
        "{x-kubernetes-validations: [{rule: b}, {rule: a}]}",
        &[(
            "/a",
            "changed",
            "order or number: rule \"a\"; rule \"b\" → rule \"b\"; rule \"a\"",
        )],
    ),
    (
        "{}",
        "{oneOf: [{required: [x]}]}",
        &[("/a", "tightened", "oneOf with 1 alternatives")],
    ),
    (
        "{oneOf: [{required: [x]}]}",
        "{}",
        &[("/a", "loosened", "no more: oneOf")],
    ),
    (
        "{anyOf: [{minimum: 1}]}",
        "{anyOf: [{minimum: 1}, {maximum: 0}]}",
        &[("/a", "loosened", "anyOf {\"maximum\":0}")],
    ),
    (
        "{allOf: [{minimum: 1}]}",
        "{allOf: [{minimum: 1}, {maximum: 9}]}",
        &[("/a", "tightened", "allOf {\"maximum\":9}")],
    ),
    (
        "{oneOf: [{required: [x]}]}",
        "{oneOf: [{required: [y]}]}",
        &[
            ("/a", "changed", "no more: oneOf {\"required\":[\"x\"]}"),
            ("/a", "changed", "oneOf {\"required\":[\"y\"]}"),
        ],
    ),
    (
        "{}",
        "{not: {required: [x]}}",
        &[("/a", "tightened", "not {\"required\":[\"x\"]}")],
    ),
    (
        "{not: {required: [x]}}",
        "{not: {required: [y]}}",
        &[(
            "/a",
            "changed",
            "not {\"required\":[\"x\"]} → {\"required\":[\"y\"]}",
        )],
    ),
    (
        "{type: object, properties: {b/c: {type: string}}}",
        "{type: object}",
        &[("/a/b~1c", "removed", "property")],
    ),
];

fn found(changes: &[Change]) -> Vec<(String, String, String)> {
    let text = |change: &Change| {
        (
            change.pointer.clone(),
            change.class.to_string(),
            change.what.clone(),
        )
    };
    changes.iter().map(text).collect()
}

#[test]
fn each_change_has_its_class() {
    for (old, new, expected) in TABLE {
        let of = |a: &str| schema(&format!("{{type: object, properties: {{a: {a}}}}}"));
        let expected: Vec<_> = expected
            .iter()
            .map(|(pointer, class, what)| {
                (
                    (*pointer).to_owned(),
                    (*class).to_owned(),
                    (*what).to_owned(),
                )
            })
            .collect();
        assert_eq!(found(&diff(&of(old), &of(new))), expected, "{old} → {new}");
    }
}

#[test]
fn definitions_and_references_count() {
    let text = "{type: object, properties: {a: {$ref: '#/definitions/A'}}, definitions: {A: {type: string}, B: {}}}";
    let old = schema(text);
    let new = schema(
        &text
            .replace("#/definitions/A", "#/definitions/B")
            .replace("type: string", "type: integer"),
    );
    let changes = found(&diff(&old, &new));
    let expected = [
        ("#A", "changed", "type string → integer"),
        ("/a", "changed", "type ref A → ref B"),
    ];
    assert_eq!(
        changes,
        expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()))
    );
    let gone = schema(&text.replace(", B: {}", ""));
    assert_eq!(
        found(&diff(&old, &gone)),
        [("#B".into(), "removed".into(), "definition".into())]
    );
    assert_eq!(
        found(&diff(&gone, &old)),
        [("#B".into(), "added".into(), "definition".into())]
    );
}

#[test]
fn what_makes_it_a_resource_counts() {
    let crd = crate::importer::crd("{type: object}");
    let options = Options::default();
    let old = read(&crd, &options).unwrap().facts;
    let table = [
        (
            "scope: Namespaced",
            "scope: Cluster",
            "scope",
            "changed",
            "Namespaced → Cluster",
        ),
        ("name: v1\n", "name: v2\n", "version", "changed", "v1 → v2"),
        (
            "kind: Greeting\n",
            "kind: Hello\n",
            "name",
            "changed",
            "Greeting → Hello",
        ),
        (
            "group: example.org",
            "group: example.com",
            "group",
            "changed",
            "example.org → example.com",
        ),
        (
            "shortNames: [gr]",
            "shortNames: [gr, hi]",
            "shortNames",
            "added",
            "hi",
        ),
        (
            "categories: [all]",
            "categories: []",
            "categories",
            "removed",
            "all",
        ),
        (
            "subresources: {status: {}}",
            "subresources: {}",
            "subresource",
            "removed",
            "status",
        ),
    ];
    for (from, to, pointer, class, what) in table {
        assert!(crd.contains(from), "{from}");
        let new = read(&crd.replacen(from, to, 1), &options).unwrap().facts;
        let changes = found(&diff(&old, &new));
        assert_eq!(
            changes,
            [(pointer.to_owned(), class.to_owned(), what.to_owned())]
        );
    }
    let new = read(&crd.replace("priority: 1", "priority: 2"), &options)
        .unwrap()
        .facts;
    let changes = diff(&old, &new);
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(
        changes.iter().all(|change| change.pointer == "column"),
        "{changes:?}"
    );
    let mut schema_only = old.clone();
    schema_only.resource = None;
    assert_eq!(diff(&old, &schema_only).len(), 1);
}

#[test]
fn a_folded_type_that_changed_is_noticed() {
    let fold = |text: &str| {
        let folds = vec!["/a=core/v1.Thing".parse().unwrap()];
        read(
            text,
            &Options {
                folds,
                ..Options::default()
            },
        )
        .unwrap()
        .facts
    };
    let text = "{type: object, properties: {a: {type: object, nullable: true, default: {}, properties: {b: {type: string}, c: {enum: [1, 2]}}}}}";
    let old = fold(text);
    let Type::Object(properties) = &old.root.ty else {
        panic!()
    };
    let a = &properties[0].schema;
    assert!(matches!(&a.ty, Type::Core { name, .. } if name == "core/v1.Thing"));
    assert!(
        a.nullable && a.default.is_some(),
        "what belongs to the place stays"
    );
    // Order and prose do not count, a bound does.
    let same = text.replace(
        "b: {type: string}, c: {enum: [1, 2]}",
        "c: {enum: [2, 1]}, b: {type: string, description: x}",
    );
    assert_eq!(diff(&old, &fold(&same)), vec![]);
    let changes = diff(
        &old,
        &fold(&text.replace("type: string", "type: string, minLength: 1")),
    );
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].pointer.as_str(), changes[0].class),
        ("/a", Class::Changed)
    );
}

#[test]
fn the_report_is_aligned_sorted_and_counted() {
    let old = schema("{type: object, properties: {b: {}, long: {type: string}}}");
    let new = schema(
        "{type: object, minProperties: 1, required: [b], properties: {b: {}, c: {}, long: {}}}",
    );
    let report = "\
tightened  /      minProperties 1
tightened  /b     required now
added      /c     property: any
loosened   /long  type string → any
4 changes: 1 added, 2 tightened, 1 loosened
";
    assert_eq!(render(&diff(&old, &new)), report);
    assert_eq!(render(&[]), "");
}
