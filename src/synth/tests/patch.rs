//! JSON patches: the examples of the RFCs, and the edges between them.

use serde_json::{Value, json};

use crate::synth::Patch;

fn apply(mut value: Value, patch: Patch) -> Result<Value, String> {
    let before = value.clone();
    match patch.apply(&mut value) {
        Ok(()) => Ok(value),
        Err(error) => {
            assert_eq!(value, before, "a failed patch changes nothing");
            Err(error.to_string())
        }
    }
}

#[test]
fn rfc_6902() {
    let p = Patch::new;
    let table = [
        (
            json!({"foo": "bar"}),
            p().add("/baz", json!("qux")),
            Ok(json!({"foo": "bar", "baz": "qux"})),
        ),
        (
            json!({"foo": ["bar", "baz"]}),
            p().add("/foo/1", json!("qux")),
            Ok(json!({"foo": ["bar", "qux", "baz"]})),
        ),
        (
            json!({"a": 1, "b": 2, "c": 3}),
            p().remove("/a"),
            Ok(json!({"b": 2, "c": 3})),
        ),
        (
            json!({"a": [1, 2, 3]}),
            p().remove("/a/1"),
            Ok(json!({"a": [1, 3]})),
        ),
        (
            json!({"a": 1}),
            p().replace("/a", json!(2)),
            Ok(json!({"a": 2})),
        ),
        (
            json!({"a": {"b": 1}, "c": {}}),
            p().moving("/a/b", "/c/d"),
            Ok(json!({"a": {}, "c": {"d": 1}})),
        ),
        (
            json!({"a": [1, 2, 3]}),
            p().moving("/a/0", "/a/2"),
            Ok(json!({"a": [2, 3, 1]})),
        ),
        (
            json!({"a": [1]}),
            p().copying("/a", "/a/-"),
            Ok(json!({"a": [1, [1]]})),
        ),
        (
            json!({"a": null}),
            p().test("/a", json!(null)).replace("", json!(1)),
            Ok(json!(1)),
        ),
        (
            json!({"a/b": 1, "m~n": 2, "": 3}),
            p().remove("/a~1b").remove("/m~0n").remove("/"),
            Ok(json!({})),
        ),
        (json!({"~1": 1}), p().remove("/~01"), Ok(json!({}))),
        (
            json!({"0": 1}),
            p().replace("/0", json!(2)),
            Ok(json!({"0": 2})),
        ),
        (
            json!({}),
            p().add("/a/b", json!(1)),
            Err("/a/b: is not there"),
        ),
        (
            json!({"a": 1}),
            p().add("/b", json!(1)).remove("/c"),
            Err("/c: is not there"),
        ),
        (
            json!({"a": 1}),
            p().replace("/b", json!(1)),
            Err("/b: is not there"),
        ),
        (
            json!([1]),
            p().add("/2", json!(1)),
            Err("/2: is beyond the list's end"),
        ),
        (
            json!([1]),
            p().add("/01", json!(1)),
            Err("/01: is beyond the list's end"),
        ),
        (
            json!([1]),
            p().add("/+1", json!(1)),
            Err("/+1: is beyond the list's end"),
        ),
        (json!([1]), p().remove("/-"), Err("/-: is not there")),
        (json!([1]), p().remove("/1"), Err("/1: is not there")),
        (
            json!({"a": 1}),
            p().add("/a/b", json!(1)),
            Err("/a/b: is inside of what is no collection"),
        ),
        (
            json!({"a": 1}),
            p().add("a", json!(1)),
            Err("a: a path begins with `/`"),
        ),
        (
            json!({"a": {}}),
            p().moving("/a", "/a/b"),
            Err("/a/b: cannot be moved into itself"),
        ),
        (
            json!({"a": 1}),
            p().test("/a", json!("1")),
            Err("/a: is 1, not \"1\""),
        ),
    ];
    for (value, patch, expected) in table {
        assert_eq!(
            apply(value, patch.clone()),
            expected.map_err(str::to_owned),
            "{patch:?}"
        );
    }
}

#[test]
fn keys_keep_their_order() {
    let value = apply(
        json!({"a": 1, "b": 2, "c": 3}),
        Patch::new().remove("/a").replace("/b", json!(0)),
    );
    assert_eq!(value.unwrap().to_string(), r#"{"b":0,"c":3}"#);
}

#[test]
fn rfc_7396() {
    let table = [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (
            json!({"a": "b"}),
            json!({"b": "c"}),
            json!({"a": "b", "b": "c"}),
        ),
        (
            json!({"a": "b", "b": "c"}),
            json!({"a": null}),
            json!({"b": "c"}),
        ),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (
            json!({"a": {"b": "c"}}),
            json!({"a": {"b": "d", "c": null}}),
            json!({"a": {"b": "d"}}),
        ),
        (
            json!({"a": [{"b": "c"}]}),
            json!({"a": [1]}),
            json!({"a": [1]}),
        ),
        (
            json!({"e": null}),
            json!({"a": 1}),
            json!({"e": null, "a": 1}),
        ),
        (
            json!([1, 2]),
            json!({"a": "b", "c": null}),
            json!({"a": "b"}),
        ),
        (
            json!({}),
            json!({"a": {"bb": {"ccc": null}}}),
            json!({"a": {"bb": {}}}),
        ),
        (json!({"a": "foo"}), json!(null), json!(null)),
    ];
    for (value, patch, expected) in table {
        assert_eq!(apply(value, Patch::merge(patch)), Ok(expected));
    }
}
