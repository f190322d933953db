//! The full reader: structure, types, places, and what it refuses.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::diagnostics::Span;
use crate::yaml::{
    Kind, Limits, Node, ReadError, ReadErrorKind, read, read_all, read_slowly, to_value,
};

fn slowly(text: &str) -> (Option<Node<'_>>, Vec<ReadError>) {
    let (nodes, errors) = read_slowly(text, &Limits::default(), 1);
    (nodes.into_iter().flatten().next(), errors)
}

/// The value by both ways, which must agree.
fn value(text: &str) -> Value {
    let (node, errors) = read(text, &Limits::default());
    assert_eq!(errors, [], "{text}");
    assert_eq!(slowly(text).0, node, "{text}");
    node.as_ref().map_or(Value::Null, to_value)
}

fn errors(text: &str) -> Vec<(ReadErrorKind, String)> {
    let (_, errors) = read(text, &Limits::default());
    let shown = |span: Span| text.get(span.start..span.end).unwrap().to_owned();
    errors
        .iter()
        .map(|error| (error.kind, shown(error.span)))
        .collect()
}

#[test]
fn plain_scalars_have_the_types_of_the_core_schema() {
    let table = [
        ("~", json!(null)),
        ("null", json!(null)),
        ("nULL", json!("nULL")),
        ("true", json!(true)),
        ("False", json!(false)),
        ("yes", json!("yes")),
        ("on", json!("on")),
        ("0", json!(0)),
        ("-17", json!(-17)),
        ("+17", json!(17)),
        ("017", json!(17)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("1_000", json!("1_000")),
        ("0b1", json!("0b1")),
        ("9223372036854775807", json!(i64::MAX)),
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("1.", json!(1.0)),
        ("1e3", json!(1000.0)),
        ("1.5E-2", json!(0.015)),
        (".", json!(".")),
        ("1e", json!("1e")),
        ("1.2.3", json!("1.2.3")),
        (".inf", json!(".inf")),
        ("12:30:45", json!("12:30:45")),
        ("2024-01-15", json!("2024-01-15")),
        ("'17'", json!("17")),
        ("\"true\"", json!("true")),
        ("''", json!("")),
        ("!!str 17", json!("17")),
        ("! 17", json!("17")),
        ("!!int \"17\"", json!(17)),
        ("!!float 1", json!(1)),
        ("!!null ''", json!(null)),
        ("\"a\\n\\u00e9\\x41\"", json!("a\né\u{41}")),
        ("'it''s'", json!("it's")),
        ("http://x:80/#f # note", json!("http://x:80/#f")),
        ("[a, 'b', 3, {c: d}]", json!(["a", "b", 3, {"c": "d"}])),
        ("[]", json!([])),
        ("{}", json!({})),
    ];
    for (text, expected) in table {
        assert_eq!(
            value(&format!("k: {text}\n")),
            json!({"k": expected}),
            "{text}"
        );
    }
    let (node, _) = read("k: .NaN\n", &Limits::default());
    let Kind::Mapping(entries) = node.unwrap().kind else {
        panic!("no mapping")
    };
    let Kind::Scalar(nan) = &entries[0].1.kind else {
        panic!("no scalar")
    };
    assert!(nan.as_f64().unwrap().is_nan());
    assert!(!nan.is_string());
}

#[test]
fn documents_read_as_written() {
    let table = [
        ("", json!(null)),
        ("---\n", json!(null)),
        ("# only a comment\n", json!(null)),
        ("\u{feff}a: b\n", json!({"a": "b"})),
        ("---\na: b\n...\n", json!({"a": "b"})),
        (
            "a:\n- b\n- c: d\n  e: f\n-\n  - g\n",
            json!({"a": ["b", {"c": "d", "e": "f"}, ["g"]]}),
        ),
        (
            "a: |\n  x\n   y\n\nb: >-\n  x\n  y\n",
            json!({"a": "x\n y\n", "b": "x y"}),
        ),
        ("a: b\r\nc: d\r\n", json!({"a": "b", "c": "d"})),
        (
            "a: &x {b: c}\nd: *x\n",
            json!({"a": {"b": "c"}, "d": {"b": "c"}}),
        ),
        ("a: &x 1\nb: [*x, *x]\n", json!({"a": 1, "b": [1, 1]})),
        ("a: x\n  y\n", json!({"a": "x y"})),
        ("? a\n: b\n", json!({"a": "b"})),
        ("a:\nb:\n", json!({"a": null, "b": null})),
        ("- a\n-\n- b\n", json!(["a", null, "b"])),
        ("日本: 語 # é\nb: ü\n", json!({"日本": "語", "b": "ü"})),
    ];
    for (text, expected) in table {
        assert_eq!(value(text), expected, "{text}");
    }
}

/// All nodes of a tree with the text their spans cut out.
fn places(text: &str) -> Vec<String> {
    fn walk(node: &Node<'_>, text: &str, out: &mut Vec<String>) {
        out.push(text.get(node.span.start..node.span.end).unwrap().to_owned());
        match &node.kind {
            Kind::Scalar(_) => {}
            Kind::Sequence(items) => items.iter().for_each(|item| walk(item, text, out)),
            Kind::Mapping(entries) => {
                for (key, value) in entries {
                    walk(key, text, out);
                    walk(value, text, out);
                }
            }
        }
    }
    let mut out = Vec::new();
    let (node, errors) = slowly(text);
    assert_eq!(errors, []);
    walk(&node.unwrap(), text, &mut out);
    out
}

#[test]
fn spans_are_bytes_and_cut_out_the_value() {
    let cases: [(&str, &[&str]); 12] = [
        ("é: 日本 # ü\n", &["é: 日本", "é", "日本"]),
        ("\u{feff}a: b\n", &["a: b", "a", "b"]),
        ("a: 'x''y' # 'z'\n", &["a: 'x''y'", "a", "'x''y'"]),
        (
            "a: \"x\\\"y\"   \nb: 1",
            &["a: \"x\\\"y\"   \nb: 1", "a", "\"x\\\"y\"", "b", "1"],
        ),
        ("a: &x !!str  'v' # c\n", &["a: &x !!str  'v'", "a", "'v'"]),
        (
            "a: [b, {c: d}] # e\n",
            &[
                "a: [b, {c: d}]",
                "a",
                "[b, {c: d}]",
                "b",
                "{c: d}",
                "c",
                "d",
            ],
        ),
        ("a: []  \n", &["a: []", "a", "[]"]),
        ("a:\n\nb:\n", &["a:\n\nb:", "a", "", "b", ""]),
        ("- a\n-\n", &["- a\n-", "a", ""]),
        (
            "a:\n  - b: c\n    d: e\n\n# end\n",
            &[
                "a:\n  - b: c\n    d: e",
                "a",
                "- b: c\n    d: e",
                "b: c\n    d: e",
                "b",
                "c",
                "d",
                "e",
            ],
        ),
        (
            "a: &x # c\n  b: c\n",
            &["a: &x # c\n  b: c", "a", "b: c", "b", "c"],
        ),
        (
            "a: |\n  x\n  y\n\nb: c\n",
            &["a: |\n  x\n  y\n\nb: c", "a", "x\n  y", "b", "c"],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(places(text), expected, "{text}");
    }
    // A value left out stands right behind its indicator.
    let (node, _) = slowly("aé:  # nothing\n");
    assert_eq!(
        node.unwrap().get("aé").unwrap().span,
        Span { start: 4, end: 4 }
    );
}

#[test]
fn every_duplicate_is_reported_with_both_places() {
    let text = "a: 1\nb:\n  c: 1\n  c: 2\n'a': 3\na: 4\n";
    let (node, errors) = read(text, &Limits::default());
    assert_eq!(node.unwrap().as_mapping().unwrap().len(), 4);
    let cut = |span: Span| (span.start, text.get(span.start..span.end).unwrap());
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error.kind, cut(error.span), cut(error.related.unwrap())))
        .collect();
    let kind = ReadErrorKind::DuplicateKey;
    assert_eq!(
        found,
        [
            (kind, (17, "c"), (10, "c")),
            (kind, (22, "'a'"), (0, "a")),
            (kind, (29, "a"), (0, "a")),
        ]
    );
    assert!(
        errors[0].message.contains("first on line 3"),
        "{}",
        errors[0].message
    );
}

#[test]
fn what_is_not_supported_is_refused_at_its_place() {
    use ReadErrorKind as K;
    let table: [(&str, K, &str); 24] = [
        ("a: b\n---\nc: d\n", K::SecondDocument, "---"),
        ("a: b\n...\nc: d\n", K::SecondDocument, ""),
        ("a: b\n--- {}\n", K::SecondDocument, "---"),
        ("<<: {a: b}\n", K::MergeKey, "<<"),
        ("a: &x {b: c}\nd:\n  <<: *x\n", K::MergeKey, "<<"),
        ("{a: b}: c\n", K::ComplexKey, "{a: b}"),
        ("? [a]\n: c\n", K::ComplexKey, "[a]"),
        (": c\n", K::ComplexKey, ""),
        ("a: {{ x }}\n", K::ComplexKey, "{ x }"),
        ("a: !local b\n", K::Tag, "b"),
        ("a: !!binary aGk=\n", K::Tag, "aGk="),
        ("a: !!int x\n", K::Tag, "x"),
        ("a: !!set {b}\n", K::Tag, "!!set "),
        ("a: &x [*x]\n", K::AliasBomb, "*x"),
        ("a: *x\n", K::Syntax, "*"),
        ("a: b: c\n", K::Syntax, ":"),
        ("a: @b\n", K::Syntax, "@"),
        ("a: [b\n", K::Syntax, ""),
        ("a: 'b\n", K::Syntax, "'"),
        ("a: \"\\q\"\n", K::Syntax, "\""),
        ("a:\n\t- b\n", K::Syntax, "-"),
        ("a: b\0c\n", K::Syntax, "\0"),
        ("a: b\u{7}c\n", K::Syntax, "\u{7}"),
        ("é: \u{80}\n", K::Syntax, "\u{80}"),
    ];
    for (text, kind, place) in table {
        assert_eq!(errors(text), [(kind, place.to_owned())], "{text:?}");
        let with_mark = format!("\u{feff}{text}");
        assert_eq!(
            errors(&with_mark),
            [(kind, place.to_owned())],
            "{with_mark:?}"
        );
    }
}

#[test]
fn limits_hold() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
         c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
         e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    assert_eq!(errors(bomb)[0].0, ReadErrorKind::AliasBomb);

    // No anchor inside another: only the copies count.
    let copies = |count: usize| {
        format!(
            "a: &a [{}]\nb: [{}]\n",
            "x,".repeat(999),
            "*a,".repeat(count)
        )
    };
    assert_eq!(errors(&copies(99)), []);
    assert_eq!(errors(&copies(100))[0].0, ReadErrorKind::AliasBomb);

    // One value only, but a long one.
    let long = |count: usize| {
        format!(
            "a: &a '{}'\nb: [{}]\n",
            "x".repeat(6399),
            "*a,".repeat(count)
        )
    };
    assert_eq!(errors(&long(900)), []);
    assert_eq!(errors(&long(1000))[0].0, ReadErrorKind::AliasBomb);

    // Each anchor wraps the one before: copies that grow without any list.
    let mut chain = "a0: &a0 x\n".to_owned();
    for at in 1..2000 {
        chain += &format!("a{at}: &a{at} [*a{}]\n", at - 1);
    }
    assert_eq!(errors(&chain)[0].0, ReadErrorKind::TooDeep);

    let nested = |open: &str, close: &str, count: usize| {
        format!("{}x{}", open.repeat(count), close.repeat(count))
    };
    assert_eq!(errors(&nested("[", "]", 64)), []);
    assert_eq!(errors(&nested("- ", "", 64)), []);
    for text in [
        nested("[", "]", 65),
        nested("- ", "", 65),
        nested("[", "", 100_000),
        nested("{a: ", "", 100_000),
        nested("- ", "", 100_000),
        (0..5000).fold(String::new(), |text, at| text + &" ".repeat(at) + "a:\n"),
    ] {
        assert_eq!(errors(&text)[0].0, ReadErrorKind::TooDeep);
    }

    let limits = Limits {
        bytes: 10,
        ..Limits::default()
    };
    assert!(read("a: 345678\n", &limits).1.is_empty());
    assert_eq!(
        read("a: 3456789\n", &limits).1[0].kind,
        ReadErrorKind::TooLarge
    );
}

#[test]
fn many_documents_are_read_one_by_one() {
    let text = "# Generated\na: b\n---\n---\nc: d\n";
    let (nodes, errors) = read_all(text, &Limits::default());
    assert_eq!(errors, []);
    let values: Vec<_> = nodes
        .iter()
        .map(|node| node.as_ref().map(to_value))
        .collect();
    assert_eq!(
        values,
        [Some(json!({"a": "b"})), None, Some(json!({"c": "d"}))]
    );
}

/// Pieces that mean something in YAML, to be strung together at random.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "b: ",
        "- ",
        "? ",
        ": ",
        "&x ",
        "*x",
        "!!str ",
        "!t ",
        "|\n",
        ">-\n",
        "\n",
        "  ",
        "\t",
        "'",
        "\"",
        "\\",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "#",
        " # c",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "<<: ",
        "é",
        "\u{feff}",
        "\r\n",
        "\u{85}",
        "\u{2028}",
        "~",
        "0x1",
        "|2+\n",
        "`",
        "@",
        "\0",
        "%TAG ! x\n",
        "!<x> ",
        "- - ",
        "a:\n",
        "😀",
        "!!",
    ];
    prop::sample::select(pieces.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_text_panics(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        let (nodes, errors) = read_all(&text, &Limits::default());
        for error in &errors {
            prop_assert!(text.get(error.span.start..error.span.end).is_some(), "{error:?}");
        }
        for node in nodes.iter().flatten() {
            prop_assert!(text.get(node.span.start..node.span.end).is_some(), "{node:?}");
            let _ = to_value(node);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_all(&String::from_utf8_lossy(&bytes), &Limits::default());
    }

    #[test]
    fn no_string_panics(text in "\\PC*") {
        let _ = read_all(&text, &Limits::default());
    }
}

/// Found by the property above: the parser places this list behind its only dash.
#[test]
fn a_list_of_nothing_as_a_key_has_a_place() {
    let (_, errors) = read_all("? #\n- ", &Limits::default());
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].kind, ReadErrorKind::ComplexKey);
    assert_eq!((errors[0].span.start, errors[0].span.end), (5, 5));
}
