//! The style of what is written, and the edges of its types.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use crate::yaml::{EmitError, to_string};

#[test]
fn the_style_is_the_one_of_kubectl() {
    let value = json!({
        "apiVersion": "kargo.akuity.io/v1alpha1",
        "metadata": {"name": "node-22-bookworm-slim", "labels": {}, "annotations": {"a.b/c": "x y"}},
        "spec": {
            "interval": "24h0m0s",
            "items": [{"a": 1, "b": ["x", []]}, [["deep"], {}], "last"],
            "pattern": "^\\d+\\.\\d+$",
            "quoted": "say \"x\"",
            "flag": "on",
            "image": "ghcr.io/owner/app:1.2",
            "script": "#!/bin/sh\nset -e\n\nif true; then\n  echo \"$1\"\nfi\n",
            "list": ["a\nb", {"text": "a\nb\n\n"}],
            "nothing": null,
        },
    });
    let expected = "\
apiVersion: kargo.akuity.io/v1alpha1
metadata:
  name: node-22-bookworm-slim
  labels: {}
  annotations:
    a.b/c: \"x y\"
spec:
  interval: 24h0m0s
  items:
  - a: 1
    b:
    - x
    - []
  - - - deep
    - {}
  - last
  pattern: '^\\d+\\.\\d+$'
  quoted: 'say \"x\"'
  flag: \"on\"
  image: ghcr.io/owner/app:1.2
  script: |
    #!/bin/sh
    set -e

    if true; then
      echo \"$1\"
    fi
  list:
  - |-
    a
    b
  - text: |+
      a
      b

  nothing: null
";
    assert_eq!(to_string(&value).unwrap(), expected);
}

/// kubectl alone takes `y` and `n` for booleans, and no reader in these tests does
/// so; so the decision itself is held here.
#[test]
fn words_with_a_meaning_are_quoted_in_any_case() {
    for word in [
        "y", "n", "on", "no", "yes", "off", "true", "false", "null", "nil", "none", "nan", "inf",
        "infinity",
    ] {
        for word in [word.to_owned(), word.to_uppercase()] {
            assert_eq!(to_string(&word), Ok(format!("\"{word}\"\n")));
            assert_eq!(
                to_string(&BTreeMap::from([(&word, 1)])),
                Ok(format!("\"{word}\": 1\n"))
            );
        }
    }
    for plain in [
        "yy",
        "x",
        "only",
        "nullable",
        "e1",
        "a:b",
        "v1.0",
        "5m0s",
        "24h0m0s",
        "a@b",
        "x-y_z/w+1",
    ] {
        assert_eq!(to_string(plain), Ok(format!("{plain}\n")));
    }
    for quoted in [
        "1",
        "1e3",
        "0x1f",
        "12:30",
        "2024-01-15",
        "a:",
        "a b",
        "-a",
        ".a",
        "/a",
        "~",
        "",
        "1d",
        "a#b",
    ] {
        assert_eq!(to_string(quoted), Ok(format!("\"{quoted}\"\n")));
    }
}

#[test]
fn numbers_are_exact_and_floats_in_every_reader() {
    let table = [
        (to_string(&i64::MIN), "-9223372036854775808\n"),
        (to_string(&u64::MAX), "18446744073709551615\n"),
        (to_string(&0_u8), "0\n"),
        (to_string(&-1_i8), "-1\n"),
        (to_string(&100_u32), "100\n"),
        (to_string(&i128::from(u64::MAX)), "18446744073709551615\n"),
        (to_string(&1.0_f64), "1.0\n"),
        (to_string(&0.1_f32), "0.1\n"),
        (to_string(&1e300_f64), "1.0e+300\n"),
        (to_string(&1.5e-9_f64), "1.5e-9\n"),
        (to_string(&-0.0_f64), "-0.0\n"),
        (to_string(&f64::MIN_POSITIVE), "2.2250738585072014e-308\n"),
    ];
    for (written, expected) in table {
        assert_eq!(written.as_deref(), Ok(expected));
    }
    assert_eq!(to_string(&f64::NAN), Err(EmitError::NotFinite));
    assert_eq!(to_string(&[f64::INFINITY]), Err(EmitError::NotFinite));
    assert_eq!(to_string(&u128::MAX), Err(EmitError::TooWide));
    assert_eq!(to_string(&i128::MIN), Err(EmitError::TooWide));
}

#[test]
fn keys_are_scalars() {
    assert_eq!(
        to_string(&BTreeMap::from([(1, 'x')])).as_deref(),
        Ok("\"1\": x\n")
    );
    assert_eq!(
        to_string(&BTreeMap::from([(true, ())])).as_deref(),
        Ok("\"true\": null\n")
    );
    assert_eq!(to_string(&BTreeMap::from([([1], ())])), Err(EmitError::Key));
    assert_eq!(to_string(&BTreeMap::from([((), ())])), Err(EmitError::Key));
}

#[derive(Serialize)]
enum Choice {
    Unit,
    Newtype(Vec<u8>),
    Tuple(u8, Vec<u8>),
    Struct { a: u8, b: Option<u8> },
    Empty {},
}

#[derive(Serialize)]
struct Outer {
    choices: Vec<Choice>,
    inline: Choice,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
    wrapped: Wrapped,
    unit: (),
    pair: (u8, char),
}

#[derive(Serialize)]
struct Wrapped(Option<Option<&'static str>>);

#[test]
fn all_of_serdes_shapes_are_written() {
    let value = Outer {
        choices: vec![
            Choice::Unit,
            Choice::Newtype(vec![1]),
            Choice::Newtype(vec![]),
            Choice::Tuple(1, vec![2]),
            Choice::Struct { a: 1, b: None },
            Choice::Empty {},
        ],
        inline: Choice::Tuple(3, vec![]),
        rest: BTreeMap::from([("x".to_owned(), 1)]),
        wrapped: Wrapped(Some(Some("w"))),
        unit: (),
        pair: (1, ':'),
    };
    let expected = "\
choices:
- Unit
- Newtype:
  - 1
- Newtype: []
- Tuple:
  - 1
  - - 2
- Struct:
    a: 1
    b: null
- Empty: {}
inline:
  Tuple:
  - 3
  - []
x: 1
wrapped: w
unit: null
pair:
- 1
- \":\"
";
    let text = to_string(&value).unwrap();
    assert_eq!(text, expected);
    let tree: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(tree, serde_json::to_value(&value).unwrap());
}
