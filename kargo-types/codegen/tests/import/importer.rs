//! Every keyword of a schema, every key of a CRD, and every refusal.

use std::collections::BTreeMap;

use crd_codegen::import::{self, Options};

use crate::{read, schema, tree};

/// A CRD with this schema.
pub(crate) fn crd(schema: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: greetings.example.org}}
spec:
  group: example.org
  names: {{plural: greetings, singular: greeting, shortNames: [gr], categories: [all], listKind: GreetingList,
    kind: Greeting
  }}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {{status: {{}}}}
    additionalPrinterColumns:
    - {{name: Who, type: string, format: date, jsonPath: .spec.to, priority: 1, description: prose}}
    schema:
      openAPIV3Schema: {schema}
"
    )
}

/// A schema, and the facts it becomes.
const KEYWORDS: &[(&str, &str)] = &[
    ("{type: string}", "root: string\n"),
    ("{type: integer}", "root: integer\n"),
    ("{type: number}", "root: number\n"),
    ("{type: boolean}", "root: boolean\n"),
    (
        "{type: array, items: {type: string}}",
        "root: list\n  items: string\n",
    ),
    ("{type: array}", "root: list\n  items: any\n"),
    ("{type: object}", "root: object\n"),
    ("{type: object, properties: {}}", "root: object\n"),
    (
        "{properties: {a: {type: string}, b: true}, type: object, required: [b]}",
        "root: object\n  a: string\n  b!: any\n",
    ),
    (
        "{type: object, additionalProperties: {type: string}}",
        "root: map\n  values: string\n",
    ),
    (
        "{type: object, additionalProperties: true}",
        "root: map\n  values: any\n",
    ),
    (
        "{type: object, additionalProperties: false}",
        "root: object closed\n",
    ),
    (
        "{type: array, additionalProperties: false, items: {}}",
        "root: list closed\n  items: any\n",
    ),
    (
        "{type: object, properties: {a: {}}, additionalProperties: true}",
        "root: object\n  a: any\n",
    ),
    (
        "{type: object, required: [b, a], properties: {b: {}}}",
        "root: object\n  @allOf {\"required\":[\"a\"]}\n  b!: any\n",
    ),
    ("{type: [string, 'null']}", "root: string nullable\n"),
    ("{type: ['null', string]}", "root: string nullable\n"),
    ("{type: string, nullable: true}", "root: string nullable\n"),
    ("{type: string, nullable: false}", "root: string\n"),
    (
        "{type: string, format: date-time}",
        "root: string format=\"date-time\"\n",
    ),
    (
        "{type: string, enum: [a, '', null]}",
        "root: string enum=[\"a\",\"\",null]\n",
    ),
    ("{type: string, const: a}", "root: string enum=[\"a\"]\n"),
    (
        "{type: string, default: 5m0s}",
        "root: string default=\"5m0s\"\n",
    ),
    (
        "{type: object, default: {a: [1, {b: null}]}}",
        "root: object default={\"a\":[1,{\"b\":null}]}\n",
    ),
    (
        "{type: string, pattern: '^\\w\"$'}",
        "root: string pattern=\"^\\\\w\\\"$\"\n",
    ),
    (
        "{type: string, minLength: 1, maxLength: 2}",
        "root: string minLength=1 maxLength=2\n",
    ),
    (
        "{type: integer, minimum: -1, maximum: 2.5, multipleOf: 2}",
        "root: integer minimum=-1 maximum=2.5 multipleOf=2\n",
    ),
    (
        "{type: integer, minimum: 1, exclusiveMinimum: true}",
        "root: integer minimum=1 exclusiveMinimum\n",
    ),
    (
        "{type: integer, exclusiveMaximum: true, maximum: 1}",
        "root: integer maximum=1 exclusiveMaximum\n",
    ),
    (
        "{type: integer, minimum: 1, exclusiveMinimum: false}",
        "root: integer minimum=1\n",
    ),
    (
        "{type: integer, exclusiveMinimum: 1, exclusiveMaximum: 9}",
        "root: integer minimum=1 exclusiveMinimum maximum=9 exclusiveMaximum\n",
    ),
    (
        "{type: array, items: {}, minItems: 1, maxItems: 2, uniqueItems: true}",
        "root: list minItems=1 maxItems=2 uniqueItems\n  items: any\n",
    ),
    (
        "{type: object, minProperties: 1, maxProperties: 2}",
        "root: object minProperties=1 maxProperties=2\n",
    ),
    (
        "{type: string, deprecated: true}",
        "root: string deprecated\n",
    ),
    (
        "{type: array, items: {}, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [a, b]}",
        "root: list listType=\"map\" listMapKeys=[\"a\",\"b\"]\n  items: any\n",
    ),
    (
        "{type: object, x-kubernetes-map-type: atomic}",
        "root: object mapType=\"atomic\"\n",
    ),
    (
        "{type: object, x-kubernetes-preserve-unknown-fields: true}",
        "root: object preserveUnknownFields\n",
    ),
    (
        "{type: object, x-kubernetes-embedded-resource: true}",
        "root: object embeddedResource\n",
    ),
    (
        "{type: object, properties: {a: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}], pattern: x}}}",
        "root: object\n  a: int-or-string pattern=\"x\"\n",
    ),
    (
        "{type: object, properties: {a: {x-kubernetes-int-or-string: true}}}",
        "root: object\n  a: int-or-string\n",
    ),
    (
        "{type: object, properties: {a: {x-kubernetes-int-or-string: true, anyOf: [{minLength: 1}]}}}",
        "root: object\n  a: int-or-string\n    @anyOf {\"minLength\":1}\n",
    ),
    (
        "{type: object, x-kubernetes-validations: [{rule: 'self.a', message: prose, messageExpression: prose, reason: R, fieldPath: .a, optionalOldSelf: true}]}",
        "root: object\n  @rule \"self.a\" fieldPath=\".a\" optionalOldSelf=\"true\" reason=\"R\"\n",
    ),
    (
        "{type: object, oneOf: [{required: [a], title: x, properties: {title: {description: y, minLength: 1}}}, true]}",
        "root: object\n  @oneOf {\"required\":[\"a\"],\"properties\":{\"title\":{\"minLength\":1}}}\n  @oneOf true\n",
    ),
    (
        "{type: object, anyOf: [{items: {const: 1}}], allOf: [{not: {enum: [null]}}], not: {type: string}}",
        "root: object\n  @anyOf {\"items\":{\"const\":1}}\n  @allOf {\"not\":{\"enum\":[null]}}\n  @not {\"type\":\"string\"}\n",
    ),
    (
        "{type: string, title: t, description: d, $comment: c, example: e, examples: [e], externalDocs: {url: u}}",
        "root: string\n",
    ),
    (
        "{type: object, properties: {title: {type: string}, description: {type: string}}}",
        "root: object\n  title: string\n  description: string\n",
    ),
    (
        "{$ref: '#/definitions/B', definitions: {B: {type: array, items: {$ref: '#/definitions/A'}}, A: {type: string}}}",
        "root: ref B\n\ndefine A: string\n\ndefine B: list\n  items: ref A\n",
    ),
    (
        "{type: object, properties: {a: {$ref: '#/$defs/A', description: x}}, $defs: {A: {type: object, properties: {again: {$ref: '#/$defs/A'}}}}}",
        "root: object\n  a: ref A\n\ndefine A: object\n  again: ref A\n",
    ),
    (
        "{type: object, oneOf: [{$ref: '#/$defs/A'}], $defs: {A: {type: string}}}",
        "root: object\n  @oneOf {\"$ref\":\"#/definitions/A\"}\n\ndefine A: string\n",
    ),
    (
        "{$schema: 'https://json-schema.org/draft/2020-12/schema', $id: 'x:y', type: string}",
        "root: string\n",
    ),
    (
        "{type: object, properties: {\"odd name\": {}, \"a/b\": {}, \"1\": {}, é: {}}}",
        "root: object\n  \"odd name\": any\n  a/b: any\n  \"1\": any\n  \"é\": any\n",
    ),
];

#[test]
fn every_keyword_becomes_a_fact() {
    for (text, expected) in KEYWORDS {
        let facts = schema(text);
        assert_eq!(tree(&facts), *expected, "{text}");
        let again = crd_codegen::format::parse("x", &crd_codegen::format::write(&facts));
        assert_eq!(again.as_ref(), Ok(&facts), "{text}");
    }
}

#[test]
fn json_and_yaml_say_the_same() {
    let json = r#"{"title": "T", "type": "object", "properties": {"a": {"type": "string", "pattern": "\/"}}}"#;
    let yaml = "title: T\ntype: object\nproperties:\n  a:\n    type: string\n    pattern: /\n";
    assert_eq!(schema(json), schema(yaml));
    assert_eq!(schema(json).name, "T");
    assert_eq!(
        schema("{type: string}").name,
        "x",
        "the file's name stands in for a title"
    );
    assert_eq!(schema(&format!("\u{feff}{json}")), schema(json));
}

/// A schema, and why it is refused.
const REFUSED: &[(&str, &str)] = &[
    (
        "{type: object, colour: red}",
        "x.yaml: /colour: facts know nothing of the keyword `colour`",
    ),
    (
        "{type: object, properties: {a: {patternProperties: {}}}}",
        "x.yaml: /properties/a/patternProperties: facts know nothing of the keyword `patternProperties`",
    ),
    (
        "{type: object, properties: {a: {if: {}}}}",
        "x.yaml: /properties/a/if: facts know nothing of the keyword `if`",
    ),
    (
        "{type: object, properties: {a/b: {$id: x}}}",
        "x.yaml: /properties/a~1b/$id: facts know nothing of the keyword `$id`",
    ),
    (
        "{type: object, oneOf: [{shape: round}]}",
        "x.yaml: /oneOf/0/shape: facts know nothing of the keyword `shape`",
    ),
    (
        "{type: object, oneOf: [{properties: {a: {shape: round}}}]}",
        "x.yaml: /oneOf/0/properties/a/shape: facts know nothing of the keyword `shape`",
    ),
    (
        "{type: object, oneOf: [5]}",
        "x.yaml: /oneOf/0: expected a schema: an object",
    ),
    (
        "{type: object, oneOf: []}",
        "x.yaml: /oneOf: expected a list, not empty",
    ),
    (
        "{type: thing}",
        "x.yaml: `thing` is no type that facts know",
    ),
    (
        "{type: [string, integer]}",
        "x.yaml: /type: expected one type, besides null",
    ),
    (
        "{type: 5}",
        "x.yaml: /type: expected one type, besides null",
    ),
    (
        "{type: object, properties: [a]}",
        "x.yaml: /properties: expected an object",
    ),
    (
        "{type: object, properties: {a: 5}}",
        "x.yaml: /properties/a: expected a schema: an object",
    ),
    (
        "{type: object, properties: {a: false}}",
        "x.yaml: /properties/a: expected a schema: an object",
    ),
    (
        "{type: object, properties: {a: {}}, additionalProperties: {type: string}}",
        "x.yaml: facts cannot express `properties` beside `additionalProperties` of a type",
    ),
    (
        "{properties: {a: {}}}",
        "x.yaml: `properties` without `type: object`",
    ),
    (
        "{type: string, items: {}}",
        "x.yaml: `items` without `type: array`",
    ),
    (
        "{type: array, items: [{}]}",
        "x.yaml: /items: expected a schema: an object",
    ),
    (
        "{type: string, additionalProperties: {type: string}}",
        "x.yaml: `additionalProperties` without `type: object`",
    ),
    (
        "{type: object, required: a}",
        "x.yaml: /required: expected a list of strings",
    ),
    (
        "{type: string, enum: []}",
        "x.yaml: /enum: expected a list of JSON scalars, at least one, no two equal",
    ),
    (
        "{type: string, enum: [{}]}",
        "x.yaml: /enum: expected a list of JSON scalars, at least one, no two equal",
    ),
    (
        "{type: string, enum: [a], const: a}",
        "x.yaml: /const: `const` beside `enum`",
    ),
    (
        "{type: string, const: a, enum: [a]}",
        "x.yaml: /enum: `enum` beside `const`",
    ),
    (
        "{type: string, minLength: x}",
        "x.yaml: /minLength: expected a whole number, zero or more",
    ),
    (
        "{type: string, minimum: x}",
        "x.yaml: /minimum: expected a number",
    ),
    (
        "{type: string, pattern: 5}",
        "x.yaml: /pattern: expected a JSON string",
    ),
    (
        "{type: string, nullable: 5}",
        "x.yaml: /nullable: expected true or false",
    ),
    (
        "{type: integer, exclusiveMinimum: true}",
        "x.yaml: /exclusiveMinimum: there is no `minimum` to exclude",
    ),
    (
        "{type: integer, minimum: 1, exclusiveMinimum: 1}",
        "x.yaml: /exclusiveMinimum: a second bound beside `minimum`",
    ),
    (
        "{type: object, properties: {a: {type: string, x-kubernetes-int-or-string: true}}}",
        "x.yaml: /properties/a: a type beside x-kubernetes-int-or-string",
    ),
    (
        "{type: object, x-kubernetes-validations: [{message: m}]}",
        "x.yaml: /x-kubernetes-validations/0: there is no `rule`",
    ),
    (
        "{type: object, x-kubernetes-validations: [{rule: m, colour: red}]}",
        "x.yaml: /x-kubernetes-validations/0/colour: facts know nothing of this key or value",
    ),
    (
        "{type: object, x-kubernetes-group-version-kind: []}",
        "x.yaml: /x-kubernetes-group-version-kind: facts know nothing of the keyword `x-kubernetes-group-version-kind`",
    ),
    (
        "{type: string, $ref: '#/definitions/A', definitions: {A: {}}}",
        "x.yaml: a type beside `$ref`",
    ),
    (
        "{$ref: '#/definitions/A'}",
        "x.yaml: /$ref: there is no definition `A` in x.yaml",
    ),
    (
        "{$ref: '#'}",
        "x.yaml: /$ref: expected #/definitions/NAME, here or in a file beside this one, as other.json#/definitions/NAME",
    ),
    (
        "{$ref: '../up.json#/definitions/A'}",
        "x.yaml: /$ref: only files beside this one are read",
    ),
    (
        "{$ref: 'https://x/y#/definitions/A'}",
        "x.yaml: /$ref: only files beside this one are read",
    ),
    (
        "{$ref: 'other.json#/definitions/A'}",
        "x.yaml: /$ref: cannot read other.json: no such file",
    ),
    (
        "{$ref: '#/definitions/A', definitions: {A: {$ref: '#/definitions/A'}}}",
        "x.yaml: /definitions/A: this definition leads only to itself",
    ),
    (
        "{type: object, definitions: {A: {}}, $defs: {A: {}}}",
        "x.yaml: two definitions are called `A`",
    ),
    (
        "{type: object, definitions: {A: {shape: 1}}}",
        "x.yaml: /definitions/A/shape: facts know nothing of the keyword `shape`",
    ),
    (
        "{$schema: 'http://json-schema.org/draft-04/schema#', type: string}",
        "x.yaml: /$schema: this dialect of JSON Schema is not read",
    ),
    (
        "{apiVersion: v1, kind: ConfigMap}",
        "x.yaml: this is neither a CustomResourceDefinition nor a JSON Schema",
    ),
    (
        "[a]",
        "x.yaml: expected a CustomResourceDefinition or a JSON Schema, an object",
    ),
    (
        "{type: object, type: string}",
        "x.yaml:1:1: the key `type` stands twice",
    ),
    (
        "type: object\nproperties:\n  a: {}\n  a: {}\n",
        "x.yaml:3:3: properties: the key `a` stands twice",
    ),
    (
        "{\"type\": \"object\", \"type\": \"string\"}",
        "x.yaml:1:36: the key `type` stands twice",
    ),
    ("{\"type\": ", "x.yaml:1:9: EOF while parsing a value"),
    ("", "x.yaml:1:1: there is no document in this file"),
    (
        "a: !tag b",
        "x.yaml:1:4: a: invalid type: enum, expected a value as in JSON, without tags",
    ),
    ("type: [", "x.yaml:2:1: did not find expected node content"),
    (
        "type: number\nminimum: .inf",
        "x.yaml:2:10: minimum: a number that JSON has not",
    ),
];

#[test]
fn what_facts_cannot_express_is_refused_with_its_place() {
    let mut wrong = Vec::new();
    for (text, expected) in REFUSED {
        match read(text, &Options::default()) {
            Err(error) if error.to_string() == *expected => {}
            Err(error) => wrong.push(format!("{text}\n  is      {error}\n  expected {expected}")),
            Ok(imported) => wrong.push(format!("{text}\n  taken: {}", tree(&imported.facts))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn definitions_of_files_beside_it_come_along() {
    let files = BTreeMap::from([
        (
            "b.json",
            r##"{"definitions": {"B": {"type": "object", "properties": {"c": {"$ref": "#/definitions/C"}}}, "C": {"$ref": "c.json#/definitions/D"}, "Unused": {}}}"##,
        ),
        ("c.json", r#"{"definitions": {"D": {"type": "string"}}}"#),
        (
            "clash.json",
            r##"{"definitions": {"B": {"type": "string"}}}"##,
        ),
        ("bad.json", "{"),
        ("odd.json", r#"{"definitions": {"B": {"shape": "round"}}}"#),
    ]);
    let mut reads = Vec::new();
    let mut siblings = |name: &str| {
        reads.push(name.to_owned());
        files
            .get(name)
            .map(|text| (*text).to_owned())
            .ok_or_else(|| "no such file".to_owned())
    };
    let text = "{type: object, properties: {a: {$ref: 'b.json#/definitions/B'}, b: {$ref: 'b.json#/definitions/B'}}}";
    let facts = import::read("a.json", text, &Options::default(), &mut siblings)
        .unwrap()
        .facts;
    let expected = "root: object\n  a: ref B\n  b: ref B\n\ndefine B: object\n  c: ref C\n\ndefine C: ref D\n\ndefine D: string\n";
    assert_eq!(tree(&facts), expected);
    let refused = [
        (
            "clash.json",
            "a.json: /properties/b/$ref: two definitions are called `B`",
        ),
        ("bad.json", "bad.json:1:1: EOF while parsing an object"),
        (
            "odd.json",
            "odd.json: /definitions/B/shape: facts know nothing of the keyword `shape`",
        ),
    ];
    for (file, expected) in refused {
        let mut text = text.replace("b: {$ref: 'b.json", &format!("b: {{$ref: '{file}"));
        if file != "clash.json" {
            text = text.replace("'b.json", &format!("'{file}"));
        }
        let error = import::read("a.json", &text, &Options::default(), &mut siblings).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(&reads[..2], ["b.json", "c.json"], "no file is read twice");
}

#[test]
fn a_crd_says_more_than_its_schema() {
    let text = crd("{type: object, required: [spec], properties: {spec: {type: object}}}");
    let imported = read(&text, &Options::default()).unwrap();
    let expected = "crd-facts 1 (written by crd-import from the source below; only the lines starting with / are ours)
name Greeting
source s
licence MIT
group example.org
version v1
plural greetings
singular greeting
scope Namespaced
shortNames [\"gr\"]
categories [\"all\"]
subresource status
column \"Who\" type=\"string\" jsonPath=\".spec.to\" format=\"date\" priority=1

root: object
  spec!: object
";
    let mut facts = imported.facts;
    facts.origin.source = "s".into();
    facts.origin.licence = "MIT".into();
    assert_eq!(crd_codegen::format::write(&facts), expected);
    assert_eq!(imported.notes, Vec::<String>::new());
}

#[test]
fn what_a_crd_says_besides_is_noted() {
    let text = crd("{type: object}")
        .replace("listKind: GreetingList", "listKind: Greetings")
        .replace(
            "subresources: {status: {}}",
            "subresources: {scale: {specReplicasPath: .spec.replicas}}\n    deprecated: true",
        )
        .replace("scope:", "conversion: {strategy: None}\n  scope:");
    let notes = read(&text, &Options::default()).unwrap().notes;
    assert_eq!(
        notes,
        [
            "/spec/conversion: left out",
            "/spec/names/listKind: left out, though it is not `GreetingList`",
            "/spec/versions/0/deprecated: left out",
            "/spec/versions/0/subresources/scale: left out",
        ]
    );
}

#[test]
fn versions_and_kinds_are_chosen() {
    let second = "  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object, properties: {a: {}}}}}
  - {name: v0, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
";
    let text = crd("{type: object}") + second;
    let version = |wanted: Option<&str>| {
        let options = Options {
            version: wanted.map(str::to_owned),
            ..Options::default()
        };
        read(&text, &options).map(|imported| imported.facts.resource.unwrap().version)
    };
    assert_eq!(version(None).unwrap(), "v1");
    assert_eq!(version(Some("v2")).unwrap(), "v2");
    for unserved in ["v0", "v9"] {
        let error = version(Some(unserved)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("x.yaml: /spec/versions: {unserved} is not served; served: v1, v2")
        );
    }
    let two = format!(
        "{text}---\n---\nkind: ConfigMap\n---\n{}",
        text.replace("kind: Greeting\n", "kind: Parting\n")
    );
    let error = read(&two, &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.yaml: expected one CustomResourceDefinition; found: Greeting, Parting (choose by kind)"
    );
    let options = Options {
        kind: Some("Parting".into()),
        ..Options::default()
    };
    assert_eq!(read(&two, &options).unwrap().facts.name, "Parting");
    let options = Options {
        kind: Some("Nobody".into()),
        ..Options::default()
    };
    assert!(read(&two, &options).is_err());
}

#[test]
fn an_odd_crd_is_refused_with_its_place() {
    let table = [
        (
            "apiextensions.k8s.io/v1\n",
            "apiextensions.k8s.io/v1beta1\n",
            "/apiVersion: only apiextensions.k8s.io/v1 is read",
        ),
        (
            "scope: Namespaced",
            "scope: Elsewhere",
            "/spec/scope: expected Namespaced or Cluster",
        ),
        (
            "scope:",
            "colour: red\n  scope:",
            "/spec/colour: facts know nothing of this key",
        ),
        (
            "scope:",
            "preserveUnknownFields: true\n  scope:",
            "/spec/preserveUnknownFields: the whole object keeps unknown fields, which facts cannot express",
        ),
        (
            "group: example.org",
            "group: 5",
            "/spec/group: expected a string here",
        ),
        (
            "plural: greetings, ",
            "",
            "/spec/names/plural: expected a string here",
        ),
        (
            "shortNames: [gr]",
            "shortNames: gr",
            "/spec/names/shortNames: expected a list of strings",
        ),
        (
            "storage: true",
            "storage: true\n    colour: red",
            "/spec/versions/0/colour: facts know nothing of this key",
        ),
        (
            "served: true",
            "served: false",
            "/spec/versions: the storage version is not served; served: ",
        ),
        (
            "jsonPath: .spec.to, ",
            "",
            "/spec/versions/0/additionalPrinterColumns/0/jsonPath: expected a string here",
        ),
        (
            "priority: 1",
            "priority: high",
            "/spec/versions/0/additionalPrinterColumns/0/priority: expected a whole number",
        ),
        (
            "openAPIV3Schema: {type: object}",
            "openAPIV3Schema: {type: object, properties: {a: {colour: red}}}",
            "/spec/versions/0/schema/openAPIV3Schema/properties/a/colour: facts know nothing of the keyword `colour`",
        ),
        (
            "openAPIV3Schema: {type: object}",
            "openAPIV3Schema: {$ref: '#/definitions/A'}",
            "/spec/versions/0/schema/openAPIV3Schema/$ref: a CRD has no `$ref`",
        ),
        (
            "    schema:\n      openAPIV3Schema: {type: object}\n",
            "",
            "/spec/versions/0/schema: expected an object here",
        ),
    ];
    let crd = crd("{type: object}");
    for (from, to, expected) in table {
        assert!(crd.contains(from), "{from}");
        let error = read(&crd.replacen(from, to, 1), &Options::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("x.yaml: {expected}"));
    }
}

#[test]
fn folds_need_something_to_fold() {
    let text = "{type: object, properties: {a: {type: object, additionalProperties: {type: array, items: {type: object}}}}}";
    let fold = |fold: &str| {
        let folds = vec![fold.parse().unwrap()];
        read(
            text,
            &Options {
                folds,
                ..Options::default()
            },
        )
    };
    let facts = fold("/a/values/items=core/v1.Thing").unwrap().facts;
    assert!(
        tree(&facts).starts_with(
            "root: object\n  a: map\n    values: list\n      items: core core/v1.Thing "
        )
    );
    for pointer in [
        "/b",
        "/a/items",
        "/a/values/values",
        "/a/values/items/c",
        "#A/b",
    ] {
        let error = fold(&format!("{pointer}=core/v1.Thing")).unwrap_err();
        let expected = format!("x.yaml: {pointer}: there is nothing here to fold as core/v1.Thing");
        assert_eq!(error.to_string(), expected);
    }
    for wrong in ["/a", "a=b", "/a=", "/a=b c"] {
        assert!(wrong.parse::<import::Fold>().is_err(), "{wrong}");
    }
}

#[test]
fn words_are_kept_where_their_value_is() {
    let old = "{type: object, properties: {a: {type: string}, b: {type: array, items: {type: string}}, c: {$ref: '#/$defs/C'}, gone: {}}, $defs: {C: {type: string}}}";
    let mut old = schema(old);
    for pointer in ["", "/a", "/b/items", "#C", "/gone"] {
        crd_codegen::pointer::find_mut(&mut old, pointer)
            .unwrap()
            .doc = format!("Words of {pointer}.");
    }
    let mut new = schema(
        "{type: object, properties: {b: {type: array, items: {type: integer}}, c: {$ref: '#/$defs/C'}, a: {type: string}}, $defs: {C: {type: string}}}",
    );
    crd_codegen::pointer::find_mut(&mut new, "/a").unwrap().doc = "Newer words.".into();
    assert_eq!(crd_codegen::docs::carry(&old, &mut new), ["/gone"]);
    let expected = "root: object\n  / Words of .\n  b: list\n    items: integer\n      / Words of /b/items.\n  c: ref C\n  a: string\n    / Newer words.\n\ndefine C: string\n  / Words of #C.\n";
    assert_eq!(tree(&new), expected);
}
