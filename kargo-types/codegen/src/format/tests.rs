use super::{parse, write};

const GREETING: &str = r##"crd-facts 1 (written by crd-import from the source below; only the lines starting with / are ours)
name Greeting
source example v1 greeting.yaml
licence Apache-2.0
group example.org
version v1
plural greetings
singular greeting
scope Namespaced
shortNames ["gr","grs"]
categories ["all"]
subresource status
column "Who" type="string" jsonPath=".spec.to"
column "Age" type="date" jsonPath=".metadata.creationTimestamp" format="date-time" priority=1

root: object
  / What to say.
  / And to whom.
  apiVersion: string
  kind: string
  metadata: object
  spec!: object closed
    @rule "self.to != ''" reason="FieldValueInvalid" fieldPath=".to"
    @oneOf {"required":["to"]}
    @oneOf {"required":["all"]}
    @not {"required":["to","all"]}
    to!: string enum=["me","you",null] default="you" pattern="^\\w+$" maxLength=63
      / "  odd\ttext"
    "odd name": any preserveUnknownFields
    job: core batch/v1.JobSpec 0123456789abcdef
    words: list minItems=1 listType="set"
      items: ref word
    more: map
      values: int-or-string

define word: string minLength=1
"##;

#[test]
fn a_file_reads_back_as_it_was_written() {
    let facts = parse("x.facts", GREETING).unwrap();
    assert_eq!(write(&facts), GREETING);
    assert_eq!(
        parse("x.facts", &GREETING.replace('\n', "\r\n")).unwrap(),
        facts
    );
}

/// One edit of the sample each, and what the parser says of it.
#[test]
fn what_the_writer_would_not_write_is_refused() {
    let table: &[(&str, &str, &str)] = &[
        (
            "crd-facts 1",
            "crd-facts 2",
            "x.facts:1:1: expected `crd-facts 1`: this is no facts file of that version",
        ),
        (
            "name Greeting\n",
            "",
            "x.facts:15:1: the header has no line `name`",
        ),
        (
            "name Greeting\n",
            "name Greeting\nname Greeting\n",
            "x.facts:3:1: `name` stands twice",
        ),
        (
            "group example.org\n",
            "",
            "x.facts:15:1: the header has no line `group`, which the others need",
        ),
        (
            "scope Namespaced",
            "scope Local",
            "x.facts:9:7: expected Namespaced or Cluster",
        ),
        (
            "scope Namespaced",
            "colour red",
            "x.facts:9:1: no header line is called `colour`",
        ),
        (
            "name Greeting",
            "name \"Greeting\"",
            "x.facts:2:6: this text needs no quotes",
        ),
        (
            "[\"all\"]",
            "[]",
            "x.facts:11:12: expected a list of JSON strings, at least one",
        ),
        (
            "subresource status",
            "subresource scale",
            "x.facts:12:13: expected `status`",
        ),
        (
            " priority=1",
            " priority=0",
            "x.facts:14:93: expected a whole number other than 0",
        ),
        (
            " priority=1",
            " priority=1 width=2",
            "x.facts:14:94: expected the end of the line",
        ),
        (
            "root: object",
            "root: thing",
            "x.facts:16:7: `thing` is no type: expected any, string, integer, number, boolean, int-or-string, object, map, list, ref or core",
        ),
        (
            "root: object",
            "root object",
            "x.facts:16:1: no header line is called `root`",
        ),
        (
            "  apiVersion: string",
            "   apiVersion: string",
            "x.facts:19:4: an odd number of blanks: a level is two blanks",
        ),
        (
            "  apiVersion: string",
            "    apiVersion: string",
            "x.facts:19:5: indented too deep: there is nothing it could belong to",
        ),
        (
            "  apiVersion: string",
            "\tapiVersion: string",
            "x.facts:19:1: a tab or control character: indent with two blanks a level, and escape such characters in JSON strings",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string ",
            "x.facts:19:21: blanks at the end of the line",
        ),
        (
            "  apiVersion: string",
            "  apiVersion string",
            "x.facts:19:13: expected `: ` and a type",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string  minLength=1",
            "x.facts:19:22: expected a modifier, or the end of the line",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string shiny",
            "x.facts:19:22: no modifier is called `shiny`",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string minLength",
            "x.facts:19:22: the modifier `minLength` takes a whole number, zero or more",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string minLength=-1",
            "x.facts:19:22: the modifier `minLength` takes a whole number, zero or more",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string minLength=1 minLength=1",
            "x.facts:19:34: the modifier `minLength` stands twice",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string nullable=true",
            "x.facts:19:22: the modifier `nullable` takes no value",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string enum=[1,1]",
            "x.facts:19:22: the modifier `enum` takes a list of JSON scalars, at least one, no two equal",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string enum=[]",
            "x.facts:19:22: the modifier `enum` takes a list of JSON scalars, at least one, no two equal",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string pattern=a",
            "x.facts:19:30: expected a JSON value: expected value",
        ),
        (
            "  apiVersion: string",
            "  apiVersion: string pattern= \"a\"",
            "x.facts:19:30: expected a JSON value",
        ),
        (
            "  kind: string",
            "  apiVersion: string",
            "x.facts:20:3: the property `apiVersion` stands twice",
        ),
        (
            "  kind: string",
            "  \"kind\": string",
            "x.facts:20:3: `kind` needs no quotes",
        ),
        (
            "  kind: string",
            "  kind: string\n    deep: string",
            "x.facts:21:5: only an object, a map or a list has something below it",
        ),
        (
            "  kind: string",
            "  kind: string\n  / late",
            "x.facts:21:3: our words stand right below their value, before rules and properties",
        ),
        (
            "    to!:",
            "    @rule \"late\"\n    @shrug true\n    to!:",
            "x.facts:28:6: expected rule, oneOf, anyOf, allOf or not after `@`",
        ),
        (
            "    job:",
            "    @rule \"late\"\n    job:",
            "x.facts:30:5: rules and alternatives stand before properties",
        ),
        (
            "    @not",
            "    @not true\n    @not",
            "x.facts:27:6: `@not` stands twice",
        ),
        (
            "@oneOf {\"required\":[\"to\"]}",
            "@oneOf 5",
            "x.facts:24:12: expected a schema: a JSON object, true or false",
        ),
        (
            "@oneOf {\"required\":[\"to\"]}",
            "@oneOf {\"$ref\":\"#/definitions/gone\"}",
            "x.facts:24:12: `gone` is not defined in this file",
        ),
        (
            "reason=",
            "why=",
            "x.facts:23:27: expected reason=, fieldPath= or optionalOldSelf=, each once",
        ),
        (
            "0123456789abcdef",
            "0123",
            "x.facts:30:32: expected a digest of 16 hex digits in lower case",
        ),
        (
            "      items: ref word\n",
            "",
            "x.facts:31:5: expected a line `items: …` below this one",
        ),
        (
            "      items: ref word\n",
            "      item: ref word\n",
            "x.facts:32:7: expected `items: …`",
        ),
        (
            "      items: ref word\n",
            "      items: ref word\n      items: ref word\n",
            "x.facts:33:7: expected nothing after `items`",
        ),
        (
            "ref word",
            "ref words",
            "x.facts:32:18: `words` is not defined in this file",
        ),
        (
            "define word: string minLength=1",
            "define word: ref word",
            "x.facts:32:18: `word` is defined by nothing but itself",
        ),
        (
            "define word: string minLength=1",
            "define word: any\n\ndefine word: any",
            "x.facts:38:8: `word` is defined twice",
        ),
        (
            "define word: string minLength=1",
            "define word: any\n\ndefine wood: any",
            "x.facts:38:8: `wood` is out of place: definitions are in order of name",
        ),
        (
            "define word: string minLength=1",
            "defined word: any",
            "x.facts:36:1: expected `define NAME: …` or the end of the file",
        ),
    ];
    let mut wrong = Vec::new();
    for (old, new, message) in table {
        assert!(GREETING.contains(old), "{old}");
        let text = GREETING.replacen(old, new, 1);
        let error = parse("x.facts", &text).expect_err(new);
        if error.to_string() != *message {
            wrong.push(format!(
                "{old:?} → {new:?}:
{error}
{message}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(
        parse("x", "").unwrap_err().to_string(),
        "x:1:1: an empty file: expected `crd-facts 1`"
    );
    let cut = "crd-facts 1\nname X\n";
    assert_eq!(
        parse("x", cut).unwrap_err().to_string(),
        "x:3:1: expected the line `root: …`"
    );
}

#[test]
fn nesting_is_bounded() {
    let mut text = String::from("crd-facts 1\nname X\nsource x\nlicence x\n\nroot: object\n");
    for level in 1..400 {
        text.push_str(&format!("{}a: object\n", "  ".repeat(level)));
    }
    let error = parse("x", &text).unwrap_err();
    assert!(
        error.message.contains("nested deeper than 100 levels"),
        "{error}"
    );
}
