#![allow(
    clippy::disallowed_methods,
    reason = "tests: reads the shared table of what readers make of scalars"
)]

use serde_json::{Value, json};

use crate::yaml::{Limits, read, to_value_as_kubectl};

fn typed(plain: &str) -> Option<Value> {
    let text = format!("k: {plain}\n");
    let (node, errors) = read(&text, &Limits::default());
    if !errors.is_empty() {
        return None;
    }
    to_value_as_kubectl(&node?).get("k").cloned()
}

#[test]
fn scalars_mean_what_they_mean_to_kubectl() {
    for (plain, value) in [
        ("0644", json!(420)),
        ("-0644", json!(-420)),
        ("0o17", json!(15)),
        ("08", json!(8.0)),
        ("0", json!(0)),
        ("+1", json!(1)),
        ("1_000", json!(1000)),
        ("0x_1F", json!(31)),
        ("-0x1f", json!(-31)),
        ("0b11", json!(3)),
        ("0B11", json!(3)),
        ("1e3", json!(1000.0)),
        ("1_0.5", json!(10.5)),
        (".5", json!(0.5)),
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("1e400", json!("1e400")),
        ("12:30", json!("12:30")),
        ("2024-01-15", json!("2024-01-15")),
        ("1.2.3", json!("1.2.3")),
        ("--1", json!("--1")),
        ("+-1", json!("+-1")),
        ("0x-1", json!("0x-1")),
        ("0x", json!("0x")),
        ("5m", json!("5m")),
        ("yes", json!(true)),
        ("On", json!(true)),
        ("y", json!(true)),
        ("no", json!(false)),
        ("OFF", json!(false)),
        ("n", json!(false)),
        ("yEs", json!("yEs")),
        ("~", json!(null)),
        ("'yes'", json!("yes")),
        ("\"0644\"", json!("0644")),
    ] {
        assert_eq!(typed(plain), Some(value), "{plain}");
    }
}

/// The shared table, where it is, has the answers of sigs.k8s.io/yaml itself.
#[test]
fn the_shared_table_agrees() {
    let root = std::env::var("IMAGE_FACTORY_UPSTREAM")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").to_owned());
    let Ok(table) = std::fs::read_to_string(format!("{root}/facts/yaml-hazards.tsv")) else {
        eprintln!("skipped: no {root}/facts/yaml-hazards.tsv");
        return;
    };
    let mut compared = 0;
    for line in table.lines().skip(1) {
        let [text, _, answer, _] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let text: String = serde_json::from_str(text).unwrap();
        let expected = match answer.split_once(':') {
            None if answer == "same" => json!(text),
            None if answer == "null" => json!(null),
            Some(("bool", flag)) => json!(flag == "true"),
            // The table has them as floats, and not all of their digits.
            Some(("float", number)) => json!(number.parse::<f64>().unwrap()),
            _ => continue,
        };
        // What is no plain scalar on one line is a matter of the reader.
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            continue;
        }
        let Some(found) = typed(&text) else { continue };
        let found = found.as_f64().map_or(found, |number| json!(number));
        assert_eq!(found, expected, "{text}");
        compared += 1;
    }
    assert!(compared > 150, "{compared}");
}
