//! Names and schedules.

use proptest::prelude::*;

use crate::synth::{Cron, name};

#[test]
fn names_that_fit_are_kept_and_others_are_told_apart() {
    assert_eq!(name::label(&["a", "b-c"]), "a-b-c");
    assert_eq!(name::subdomain(&["a.b", "c"]), "a.b-c");
    assert_eq!(name::label_value(&["A_b.c"]), "A_b.c");
    // Names in clusters hang on these: they must never change.
    assert_eq!(name::label(&["Node", "22_slim"]), "node-22-slim-hpfx1ck4xe");
    assert_eq!(name::label(&["é"]), "hvc9ehnx2v");
    assert_eq!(name::label(&[]), "hj39q4x3a2");
    assert_eq!(name::subdomain(&["a.-b_.c"]), "a.b.c-hw6mq7g8v1");
    assert_eq!(name::label(&[&"a".repeat(63)]), "a".repeat(63));
    assert_eq!(name::label(&[&"a".repeat(64)]).len(), 63);
    assert_eq!(name::subdomain(&[&"a".repeat(300)]).len(), 253);
    let alike = [
        &["A"][..],
        &["a "],
        &[" a"],
        &["a", ""],
        &["", "a"],
        &["a_"],
        &["a-"],
    ];
    let all: std::collections::BTreeSet<String> =
        alike.iter().map(|parts| name::label(parts)).collect();
    assert_eq!(all.len(), alike.len());
}

proptest! {
    #[test]
    fn any_name_becomes_a_name(parts in prop::collection::vec("\\PC{0,80}|[a-z.-]{0,40}|[a-zA-Z0-9_.-]{0,90}", 0..5)) {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let label = name::label(&parts);
        prop_assert!(name::is_label(&label), "{label}");
        let subdomain = name::subdomain(&parts);
        prop_assert!(name::is_subdomain(&subdomain), "{subdomain}");
        let value = name::label_value(&parts);
        prop_assert!(name::is_label_value(&value) && !value.is_empty(), "{value}");
        let joined = parts.join("-");
        prop_assert_eq!(label == joined, name::is_label(&joined));
        prop_assert_eq!(subdomain == joined, name::is_subdomain(&joined));
    }
}

#[test]
fn qualified_keys() {
    for good in [
        "a",
        "A.b_c-d",
        "example.com/a",
        "image-factory.io/auto-promote",
    ] {
        assert!(name::is_qualified(good), "{good}");
    }
    for bad in [
        "",
        "/a",
        "a/",
        "a/b/c",
        "-a",
        "a b",
        "Example.com/a",
        &"a".repeat(64),
    ] {
        assert!(!name::is_qualified(bad), "{bad}");
    }
}

#[test]
fn schedules_are_those_of_kubernetes() {
    for good in [
        "5-5 * * * *",
        "* * * * *",
        "0 0 1 1 0",
        "59 23 31 12 6",
        "*/5 * * * *",
        "0-30/10 8-18 * * mon-FRI",
        "5/15 * ? * ?",
        "1,2,3-5 * * jan,Feb *",
        "  0   4 * * *  ",
    ] {
        let words: Vec<&str> = good.split_whitespace().collect();
        assert_eq!(
            Cron::parse(good).map(|cron| cron.to_string()),
            Ok(words.join(" ")),
            "{good}"
        );
    }
    for (macro_, expected) in [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
    ] {
        assert_eq!(Cron::parse(macro_).unwrap().to_string(), expected);
    }
    for bad in [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * 0 *",
        "* * * * 7",
        "*/0 * * * *",
        "5-1 * * * *",
        "a * * * *",
        "1, * * * *",
        "-1 * * * *",
        "1- * * * *",
        "+1 * * * *",
        "1//2 * * * *",
        "* * * mon *",
        "* * * * jan",
        "@every 5m",
        "TZ=UTC 0 0 * * *",
        "99999999999 * * * *",
        "1.5 * * * *",
    ] {
        assert!(Cron::parse(bad).is_err(), "{bad}");
    }
    let error = Cron::parse("0 25 * * *").unwrap_err().to_string();
    assert!(error.starts_with("`25` is no hour: 0 to 23"), "{error}");
    assert_eq!(Cron::weekly().at(4, 5).unwrap().to_string(), "5 4 * * 0");
    assert!(Cron::daily().at(24, 0).is_err() && Cron::daily().at(0, 60).is_err());
    assert_eq!(
        serde_json::to_value(Cron::every_minute()).unwrap(),
        "* * * * *"
    );
}
