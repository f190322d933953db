//! What the generator refuses, each with the facts' file and the pointer.

#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use crd_codegen::{Generator, TaggedUnion};

const HEAD: &str = "crd-facts 1 (written by crd-import from the source below; only the lines starting with / are ours)\n\
    name Thing\nsource test\nlicence Apache-2.0\n\n";

fn facts(body: &str) -> Generator {
    let facts = crd_codegen::format::parse("thing.facts", &format!("{HEAD}{body}")).unwrap();
    Generator::new().facts("thing.facts", facts)
}

fn error(generator: Generator) -> String {
    generator.generate().unwrap_err().to_string()
}

#[test]
fn a_schema_that_cannot_be_expressed_is_named() {
    for (body, expected) in [
        (
            "root: object\n  a: object\n    @rule \"self.b.matches('x')\"\n    b: string\n",
            "thing.facts: /a: the rule `self.b.matches('x')` cannot be expressed: it has the function `matches`",
        ),
        (
            "root: object\n  @rule \"has(self.c)\"\n  b: string\n",
            "thing.facts: the rule `has(self.c)` cannot be expressed: it has the property `c`, which the object does not have",
        ),
        (
            "root: object\n  @rule \"self.b.size() > 0\"\n  b: boolean\n",
            "thing.facts: the rule `self.b.size() > 0` cannot be expressed: it has the size of what has none",
        ),
        (
            "root: object\n  a: object\n    @oneOf {\"properties\":{\"b\":{\"format\":\"x\"}}}\n    b: string\n",
            "thing.facts: /a: `oneOf` cannot be expressed: it has `format` of `b` in an alternative",
        ),
        (
            "root: object\n  a: string\n    @anyOf {\"type\":\"object\"}\n",
            "thing.facts: /a: `oneOf`, `anyOf`, `allOf` or `not` of what is no object with known properties",
        ),
        (
            "root: object\n  a: list\n    items: integer enum=[1,2]\n",
            "thing.facts: /a/items: `enum` of what is no string",
        ),
        (
            "root: object\n  a: core batch/v1.JobSpec 0123456789abcdef\n",
            "thing.facts: /a: the core object `batch/v1.JobSpec` has no Rust type yet: call core(\"batch/v1.JobSpec\", …)",
        ),
        (
            "root: object\n  a: list\n    items: string nullable\n",
            "thing.facts: /a: items or values that may be null",
        ),
        (
            "root: object\n  a: object embeddedResource\n    b: string\n",
            "thing.facts: /a: an embedded resource that is no object, or one with known properties",
        ),
        (
            "root: object\n  a-b: string\n  aB: string\n",
            "thing.facts: two properties that would both be the field `a_b`",
        ),
        (
            "root: object\n  a: ref node\n\ndefine node: object\n  next: ref node\n",
            "thing.facts: #node/next: `node` contains itself, which cannot be expressed yet",
        ),
        (
            "root: object\n  a: integer format=\"int32\" minimum=2147483648\n",
            "thing.facts: a bound that no number of 32 bits can keep",
        ),
        (
            "root: object\n  a: integer minimum=0.5\n",
            "thing.facts: a bound with a fraction of a whole number cannot be expressed",
        ),
    ] {
        assert_eq!(error(facts(body)), expected, "{body}");
    }
}

#[test]
fn a_call_that_does_not_apply_is_named() {
    let body = "root: object\n  a: object\n    b: string\n    c: string\n";
    for (generator, expected) in [
        (
            facts(body).rename("Thing/x", "X"),
            "rename(\"Thing/x\", \"X\"): no facts have a value there (any more); drop it or mend the pointer",
        ),
        (
            facts(body).duration("Thing/x"),
            "duration(\"Thing/x\"): no facts have a value there (any more); drop it or mend the pointer",
        ),
        (
            facts(body).expressions("Other"),
            "expressions(\"Other\"): there are no facts of this name",
        ),
        (
            facts(body).keyed_union("Thing/a", "U", &[("k", "Other")]),
            "thing.facts: /a: a union is grafted here, but the facts do have a type: drop the graft",
        ),
        (
            facts(body).choice("Thing/a", "one", "One", &["b", "c"]),
            "thing.facts: /a: a choice is grafted here, but no rule keeps `b` and `c` from being set together: drop the graft",
        ),
        (
            facts(body).choice("Thing/a", "one", "One", &["b", "d"]),
            "thing.facts: /a: a choice with `d` is grafted here, but there is no such property",
        ),
        (
            facts("root: object\n  a: object\n    b!: string\n    c: string\n").choice(
                "Thing/a",
                "one",
                "One",
                &["b", "c"],
            ),
            "thing.facts: /a: a choice with `b` is grafted here, but `b` is required",
        ),
        (
            facts(body).tagged_union(
                "Thing/a",
                "one",
                &TaggedUnion {
                    name: "U",
                    tag: "b",
                    content: "c",
                    variants: &[("x", "Other")],
                    or: None,
                },
            ),
            "thing.facts: /a: there are no free-standing facts named `Other` to graft",
        ),
        (
            facts("root: object\n  a: object\n    x: string\n  b: object\n    y: string\n")
                .rename("Thing/a", "Same")
                .rename("Thing/b", "Same"),
            "thing.facts: /b: its type would be `Same`, and so is that of Thing/a, which differs: rename(\"Thing/b\", …) one of them",
        ),
    ] {
        assert_eq!(error(generator), expected);
    }
}

#[test]
fn a_choice_is_taken_when_the_rules_bear_it_out() {
    let rule = "has(self.b) != has(self.c)";
    let body =
        format!("root: object\n  a: object\n    @rule \"{rule}\"\n    b: string\n    c: string\n");
    let types = facts(&body)
        .choice("Thing/a", "one", "One", &["b", "c"])
        .generate()
        .unwrap()
        .types;
    assert!(types.contains("pub one: One,"), "{types}");
    assert!(types.contains("by_construction: true"), "{types}");
    let weaker = body.replace(rule, "!has(self.b) || !has(self.c)");
    let types = facts(&weaker)
        .choice("Thing/a", "one", "One", &["b", "c"])
        .generate()
        .unwrap()
        .types;
    assert!(types.contains("pub one: Option<One>,"), "{types}");
}

/// What rules come to, as far as a choice between `b` and `c` is proved by them.
#[test]
fn a_choice_is_proved_from_each_form_of_rule() {
    let grafted = |rule: &str| {
        let body = format!("root: object\n  a: object\n    {rule}\n    b: string\n    c: string\n");
        let generated = facts(&body)
            .choice("Thing/a", "one", "One", &["b", "c"])
            .generate();
        generated.ok().map(|generated| {
            let optional = generated.types.contains("pub one: Option<One>,");
            assert!(
                optional || generated.types.contains("pub one: One,"),
                "{rule}"
            );
            optional
        })
    };
    let b = r#"@oneOf {"required":["b"]}"#;
    let c = r#"@oneOf {"required":["c"]}"#;
    for (rule, optional) in [
        (format!("{b}\n    {c}"), Some(false)),
        (format!("{b}\n    {c}").replace("oneOf", "anyOf"), None),
        (r#"@not {"required":["b","c"]}"#.to_owned(), Some(true)),
        (
            r#"@rule "has(self.b) ? !has(self.c) : true""#.to_owned(),
            Some(true),
        ),
        (
            r#"@rule "has(self.b) ? !has(self.c) : has(self.c)""#.to_owned(),
            Some(false),
        ),
        (
            r#"@rule "has(self.b) ? !has(self.c) : has(self.c) ? true : false""#.to_owned(),
            Some(false),
        ),
        (
            // An empty text counts as not set.
            r#"@rule "!has(self.b) || self.b == '' || !has(self.c)""#.to_owned(),
            Some(true),
        ),
        (r#"@rule "has(self.b) || has(self.c)""#.to_owned(), None),
    ] {
        assert_eq!(grafted(&rule), optional, "{rule}");
    }
}

#[test]
fn files_that_cannot_be_read_are_named_with_their_line() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    let error = Generator::new()
        .facts_dir(&folder)
        .generate()
        .unwrap_err()
        .to_string();
    let error = error.replace(&format!("{}/", folder.display()), "");
    assert!(error.starts_with("bad.facts:7:"), "{error}");
    let error = Generator::new()
        .facts_dir("no/such/folder")
        .generate()
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("no/such/folder: cannot be read: "),
        "{error}"
    );
}
