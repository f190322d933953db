//! Every string that some reader might take for something else, written as a
//! value, a key and a list item, read back by our reader and by `serde_yaml`.
//! tests/e2e/yaml_readers.sh asks PyYAML and kubectl.

#![allow(
    clippy::disallowed_methods,
    reason = "tests: reads the shared list, writes files for other readers"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use crate::yaml::{Limits, read, read_slowly, to_string, to_value};

/// Strings of every kind that is known to be misread plain, made rather than
/// listed where they follow a rule.
fn hazards() -> Vec<String> {
    let mut all = Vec::new();
    for word in [
        "y",
        "n",
        "yes",
        "no",
        "on",
        "off",
        "true",
        "false",
        "null",
        "nil",
        "none",
        "nan",
        "inf",
        ".nan",
        ".inf",
        "-.inf",
        "+.inf",
        "infinity",
        "merge",
        "undefined",
    ] {
        let mut title = word.to_owned();
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        all.extend([word.to_owned(), word.to_uppercase(), title]);
    }
    let numbers = [
        "0",
        "1",
        "-0",
        "+1",
        "-17",
        "00",
        "017",
        "08",
        "0644",
        "0o17",
        "0O17",
        "0x1F",
        "0X1f",
        "0b101",
        "0B1",
        "1_000",
        "1__0",
        "_1",
        "1_",
        "0x_1",
        "1,000",
        "1.0",
        "1.",
        ".5",
        "-.5",
        ".",
        "1.2.3",
        "1e3",
        "1E3",
        "1e+3",
        "1.5E-7",
        "1e",
        "e1",
        "12e45",
        "1e400",
        "0e0",
        "7e12345",
        "20240115",
        "9223372036854775808",
        "123456789012345678901234567890",
        "1:30",
        "12:30:45",
        "1:60",
        "190:20:30.15",
        "2024-01-15",
        "2024-1-5",
        "2024-01-15T10:20:30Z",
        "2024-01-15 10:20:30.5 -5",
        "2024-13-45",
        "2024-01",
        "5m0s",
        "1h30m0s",
        "0s",
        "100m",
        "1Gi",
        "1d",
        "3h",
        "12s",
        "1m2",
        "m1",
        "v1.0",
        "deadbeef",
    ];
    all.extend(numbers.map(str::to_owned));
    // Every indicator: alone, at the start, in the middle, at the end, spaced.
    for c in ('!'..='/')
        .chain(':'..='@')
        .chain('['..='`')
        .chain('{'..='~')
    {
        all.extend([
            format!("{c}"),
            format!("{c}{c}"),
            format!("{c}a"),
            format!("{c} a"),
            format!("a{c}"),
            format!("a{c}b"),
            format!("a {c}b"),
            format!("a{c} b"),
            format!("a {c} b"),
            format!("{c}a{c}"),
        ]);
    }
    // Every character that is controlled, invisible or a break somewhere.
    let strange = (0_u32..0x21).chain(0x7f..0xa1).chain([
        0xad, 0x34f, 0x61c, 0x200b, 0x200e, 0x2028, 0x2029, 0x202e, 0x2060, 0x3000, 0xd7ff, 0xe000,
        0xfeff, 0xfff9, 0xfffd, 0xfffe, 0xffff, 0x1f600, 0x1fffe, 0xe0001, 0x10fffd, 0x10ffff,
        0xe9, 0x65e5, 0x301,
    ]);
    for c in strange.filter_map(char::from_u32) {
        all.extend([
            format!("{c}"),
            format!("{c}a"),
            format!("a{c}"),
            format!("a{c}b"),
        ]);
    }
    let others = [
        "",
        " lead",
        "trail ",
        "  both  ",
        "---",
        "--- a",
        "---a",
        "...",
        "... a",
        "a --- b",
        "%YAML 1.2",
        "!!str a",
        "!<tag> a",
        "<<",
        "=",
        "{}",
        "[]",
        "{a: b}",
        "[a, b]",
        "{{ x }}",
        "${{ x }}",
        "\\n",
        "C:\\temp",
        "\\u0041",
        "^[a-z]+\\.\\d{3}$",
        "it's",
        "say \"x\"",
        "'a' \"b\"",
        "a\\'b",
        "a\nb",
        "a\n",
        "\na",
        "\n\n",
        "a\n\nb\n\n",
        "a\n  b\n",
        "a\n\tb",
        "\ta\nb",
        " a\nb",
        "a \nb",
        "a\n \nb",
        "a\n  ",
        "a\r\nb",
        "a\nb\r",
        "# a\nb",
        "- a\n- b\n",
        "a: b\nc: d",
        "---\na\n",
        "a\n---\nb",
        "a\n...\n",
        "a\n#b\n",
        "\u{e9}\n\u{65e5}\n",
        "a\n\u{2028}b",
        "a\n\u{feff}b",
        "|",
        "|-\na",
        ">\n",
        "a\n'b'\n",
        "if x; then\n\techo \"$x\"\nfi\n",
        "ghcr.io/a/b:latest",
        "sha256:abc",
        "http://x:80/#f",
        "user@host",
        "~/x",
        "/abs",
        "a/b",
        "TRUE#",
        "null,",
    ];
    all.extend(others.map(str::to_owned));
    all.extend([200, 999, 1000, 1001, 1030, 5000].map(|length| "x".repeat(length)));
    all.extend([600, 2000].map(|length| "é".repeat(length)));
    all.push("w ".repeat(120));
    all
}

/// The strings of the shared list, where it is; nothing is copied from it.
fn shared() -> Vec<String> {
    let root = std::env::var("IMAGE_FACTORY_UPSTREAM")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").to_owned());
    match std::fs::read_to_string(format!("{root}/facts/yaml-hazards.txt")) {
        Ok(text) => text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        Err(_) => {
            eprintln!("skipped: no {root}/facts/yaml-hazards.txt");
            Vec::new()
        }
    }
}

/// The string in every position, several levels deep.
fn everywhere(text: &str) -> Value {
    serde_json::json!({
        "value": text,
        "item": [text, [text, [text]], {"first": text, "second": text}],
        "key": {text: text, "z": {text: {"nested": text}}, "list": [{text: [text]}, {text: {text: "x"}}]},
        "after": "x",
    })
}

fn check(value: &Value) {
    let text = to_string(value).unwrap();
    let (node, errors) = read(&text, &Limits::default());
    assert_eq!(errors, [], "{text}");
    assert_eq!(&to_value(&node.unwrap()), value, "{text}");
    let (nodes, _) = read_slowly(&text, &Limits::default(), 1);
    assert_eq!(&to_value(nodes[0].as_ref().unwrap()), value, "{text}");
    let other: Value =
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(&other, value, "{text}");
    assert!(
        !text
            .lines()
            .any(|line| line.starts_with("---") || line.starts_with("...")),
        "{text}"
    );
}

#[test]
fn hazards_survive_everywhere() {
    let all = hazards();
    assert!(all.len() > 700);
    for text in all.iter().chain(&shared()) {
        check(&everywhere(text));
        // A scalar document, which has no column to stand in.
        let alone = to_string(text.as_str()).unwrap();
        let (node, errors) = read(&alone, &Limits::default());
        assert_eq!(
            (node.unwrap().as_str(), &errors[..]),
            (Some(text.as_str()), &[][..]),
            "{alone}"
        );
    }
}

/// Writes what the end-to-end check feeds to PyYAML and kubectl, when asked to.
#[test]
fn hazard_files_for_other_readers() {
    let Ok(folder) = std::env::var("YAML_READERS_DIR") else {
        eprintln!("skipped: YAML_READERS_DIR is not set; tests/e2e/yaml_readers.sh sets it");
        return;
    };
    let all: Vec<String> = hazards().into_iter().chain(shared()).collect();
    // ConfigMaps, since kubectl reads objects only; annotations take any key.
    let items: Vec<Value> = all
        .iter()
        .enumerate()
        .map(|(at, text)| {
            serde_json::json!({
                "apiVersion": "example.com/v1", "kind": "Hazard", "metadata": {"name": format!("h{at}")},
                "spec": everywhere(text),
            })
        })
        .collect();
    let mut stream = String::new();
    for item in &items {
        stream += &to_string(item).unwrap();
        stream += "---\n";
    }
    std::fs::write(
        format!("{folder}/hazards.yaml"),
        stream.trim_end_matches("---\n"),
    )
    .unwrap();
    std::fs::write(
        format!("{folder}/hazards.json"),
        serde_json::to_string(&items).unwrap(),
    )
    .unwrap();
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~\n]{0,12}".prop_map(Value::from),
        "[a-c \n\t:#'\"\\\\-]{0,9}".prop_map(Value::from),
        prop::sample::select(hazards()).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let key = prop_oneof![
            "[a-z]{1,4}",
            "[ -~\n]{0,6}",
            prop::sample::select(hazards())
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5)
                .prop_map(|map: BTreeMap<String, Value>| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_value_survives(value in any_value()) {
        let text = to_string(&value).unwrap();
        let (node, errors) = read(&text, &Limits::default());
        prop_assert_eq!(errors, [], "{}", text);
        let back = to_value(&node.unwrap_or_else(|| panic!("empty: {text}")));
        prop_assert_eq!(&back, &value, "{}", text);
    }
}
