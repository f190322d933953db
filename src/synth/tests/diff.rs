//! Differences between what stands and what would be written.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::synth::diff::{
    ChangeKind, FieldChange, FileChange, MOST_FIELDS, files, in_sync, unified,
};
use crate::synth::{App, Chart, FileSpec, MARK};
use crate::yaml;

/// A file of objects of the kind `X` with these names and specs.
fn rendered(objects: &[(&str, Value)]) -> Vec<FileSpec> {
    let mut chart = Chart::new("c").namespace("ns");
    for (name, spec) in objects {
        chart
            .add_untyped(json!({"apiVersion": "x.io/v1", "kind": "X", "metadata": {"name": name}, "spec": spec}))
            .unwrap();
    }
    let mut app = App::new();
    app.add(chart);
    app.synth().unwrap()
}

fn snapshot(files: &[FileSpec]) -> BTreeMap<String, String> {
    files
        .iter()
        .map(|file| (file.path.clone(), file.text.clone()))
        .collect()
}

/// As the summary of `synth` shows it.
fn shown(changes: &[FileChange]) -> Vec<String> {
    let sign = |kind| match kind {
        ChangeKind::Added => '+',
        ChangeKind::Changed => '~',
        ChangeKind::Removed => '-',
    };
    let field = |field: &FieldChange| {
        let side = |side: &Option<String>| side.clone().unwrap_or("∅".to_owned());
        format!(
            " {} {} → {}",
            field.path,
            side(&field.from),
            side(&field.to)
        )
    };
    let mut lines = Vec::new();
    for change in changes {
        lines.push(format!("{} {}", sign(change.kind), change.path));
        for object in &change.objects {
            let fields: String = object.fields.iter().map(field).collect();
            let more = if object.more > 0 {
                format!(" … and {} more", object.more)
            } else {
                String::new()
            };
            lines.push(format!(
                "  {} {}{fields}{more}",
                sign(object.kind),
                object.id
            ));
        }
    }
    lines
}

fn fields(old: Value, new: Value) -> String {
    let (old, new) = (rendered(&[("x", old)]), rendered(&[("x", new)]));
    let lines = shown(&files(&snapshot(&old), &new));
    lines
        .get(1)
        .cloned()
        .unwrap_or_default()
        .trim_start_matches("  ~ X/x ")
        .to_owned()
}

#[test]
fn files_and_objects_are_added_changed_and_removed() {
    let old = rendered(&[
        ("a", json!({"i": "5m0s"})),
        ("b", json!(1)),
        ("c", json!(1)),
    ]);
    let new = rendered(&[
        ("a", json!({"i": "24h0m0s"})),
        ("b", json!(1)),
        ("d", json!(1)),
    ]);
    let mut snapshot = snapshot(&old);
    assert_eq!(files(&snapshot, &old), []);
    assert_eq!(in_sync(&old, &[]), 3);
    snapshot.insert(
        "b.k8s.yaml".into(),
        format!("{MARK}\napiVersion: v1\nkind: Y\nmetadata:\n  name: y\n"),
    );
    snapshot.insert("own.yaml".into(), "apiVersion: v1\n".into());
    snapshot.insert("z.k8s.yaml".into(), format!("{MARK}\n"));
    let changes = files(&snapshot, &new);
    assert_eq!(
        shown(&changes),
        [
            "- b.k8s.yaml",
            "  - Y/y",
            "~ c.k8s.yaml",
            "  ~ X/a spec.i 5m0s → 24h0m0s",
            "  + X/d",
            "  - X/c",
            "- z.k8s.yaml",
        ]
    );
    assert_eq!(in_sync(&new, &changes), 1);
    assert_eq!(
        shown(&files(&BTreeMap::new(), &new)),
        ["+ c.k8s.yaml", "  + X/a", "  + X/b", "  + X/d"]
    );
}

#[test]
fn files_with_the_mark_of_the_app_are_removed_too() {
    let mut chart = Chart::new("c");
    chart
        .include("{apiVersion: v1, kind: A, metadata: {name: a}}")
        .unwrap();
    let mut app = App::new().mark("# Made by us");
    app.add(chart);
    let new = app.synth().unwrap();
    let old = BTreeMap::from([
        ("ours.yaml".to_owned(), "# Made by us\n".to_owned()),
        ("theirs.yaml".to_owned(), "# Made by them\n".to_owned()),
    ]);
    assert_eq!(
        shown(&files(&old, &new)),
        ["+ c.k8s.yaml", "  + A/a", "- ours.yaml"]
    );
}

#[test]
fn fields_are_named_by_their_paths() {
    let table = [
        (
            json!({"a": 1, "b": {"c": true}}),
            json!({"a": 2, "b": {"c": null}}),
            "spec.a 1 → 2 spec.b.c true → null",
        ),
        (
            json!({"a": 1}),
            json!({"b": [1]}),
            "spec.a 1 → ∅ spec.b ∅ → [1]",
        ),
        (json!({"a": "1"}), json!({"a": 1}), "spec.a 1 → 1"),
        (
            json!({"a": {"x": 1}}),
            json!({"a": "x"}),
            "spec.a {\"x\":1} → x",
        ),
        (
            json!({"a.b/c": 1, "": 2}),
            json!({"a.b/c": 2, "": 3}),
            "spec[\"a.b/c\"] 1 → 2 spec[\"\"] 2 → 3",
        ),
        (json!([1, 2, 3]), json!([1, 3]), "spec[1] 2 → ∅"),
        (json!([1, 3]), json!([1, 2, 3]), "spec[1] ∅ → 2"),
        (json!([1, 2]), json!([3, 4]), "spec[0] 1 → 3 spec[1] 2 → 4"),
        (json!([1, 1, 1]), json!([1, 1]), "spec[2] 1 → ∅"),
        (
            json!([{"name": "a", "v": 1}, {"name": "b", "v": 1}]),
            json!([{"name": "c"}, {"name": "b", "v": 2}]),
            "spec[a] {\"name\":\"a\",\"v\":1} → ∅ spec[b].v 1 → 2 spec[c] ∅ → {\"name\":\"c\"}",
        ),
        (
            json!([{"origin": {"name": "a"}, "s": 1}]),
            json!([{"origin": {"name": "a"}, "s": 2}]),
            "spec[a].s 1 → 2",
        ),
        (
            json!([{"name": "a", "v": 1}, {"name": "a", "v": 1}]),
            json!([{"name": "a", "v": 1}, {"name": "a", "v": 2}]),
            "spec[1].v 1 → 2",
        ),
    ];
    for (old, new, expected) in table {
        assert_eq!(fields(old.clone(), new.clone()), expected, "{old} {new}");
    }
    let many = |from: usize| -> Value {
        (0..20)
            .map(|at| (format!("k{at:02}"), json!(at + from)))
            .collect()
    };
    let found = fields(many(0), many(1));
    assert!(
        found.starts_with("spec.k00 0 → 1 ") && found.ends_with("spec.k11 11 → 12 … and 8 more"),
        "{found}"
    );
    assert_eq!(MOST_FIELDS, 12);
}

#[test]
fn texts_that_say_the_same_are_no_changed_objects() {
    let new = rendered(&[("a", json!({"i": 1})), ("b", json!(1))]);
    let body = "apiVersion: 'x.io/v1'\nkind: X\nmetadata: {name: b, namespace: ns}\nspec: 1 # one\n---\n\
                # by hand\napiVersion: x.io/v1\nkind: X\nmetadata:\n  name: \"a\"\n  namespace: ns\nspec:\n  i:   2\n---\n\
                broken: [\n---\njust text\n";
    let old = BTreeMap::from([("c.k8s.yaml".to_owned(), format!("{MARK}\n{body}"))]);
    assert_eq!(
        shown(&files(&old, &new)),
        ["~ c.k8s.yaml", "  ~ X/a spec.i 2 → 1"]
    );
}

#[test]
fn unified_diffs_are_those_of_diff() {
    assert_eq!(unified("p", "a\n", "a\n"), "");
    assert_eq!(
        unified("p", "", "a\nb"),
        "--- /dev/null\n+++ p\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n"
    );
    assert_eq!(
        unified("p", "a\n", ""),
        "--- p\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
    );
    let old = rendered(&[
        ("a", json!({"i": "5m0s"})),
        ("b", json!(1)),
        ("c", json!(1)),
    ]);
    let new = rendered(&[
        ("a", json!({"i": "24h0m0s"})),
        ("b", json!(1)),
        ("d", json!(1)),
    ]);
    let expected = "\
--- dist/c.k8s.yaml
+++ dist/c.k8s.yaml
@@ -5,7 +5,7 @@
   name: a
   namespace: ns
 spec:
-  i: 5m0s
+  i: 24h0m0s
 ---
 apiVersion: x.io/v1
 kind: X
@@ -17,6 +17,6 @@
 apiVersion: x.io/v1
 kind: X
 metadata:
-  name: c
+  name: d
   namespace: ns
 spec: 1
";
    let found = unified("dist/c.k8s.yaml", &old[0].text, &new[0].text);
    // Another object is another document: all its lines change.
    let expected = expected.replace(
        "@@ -17,6 +17,6 @@\n apiVersion: x.io/v1\n kind: X\n metadata:\n-  name: c\n+  name: d\n   namespace: ns\n spec: 1\n",
        "@@ -13,10 +13,10 @@\n   name: b\n   namespace: ns\n spec: 1\n----\n-apiVersion: x.io/v1\n-kind: X\n-metadata:\n-  name: c\n\
         -  namespace: ns\n-spec: 1\n+---\n+apiVersion: x.io/v1\n+kind: X\n+metadata:\n+  name: d\n+  namespace: ns\n+spec: 1\n",
    );
    assert_eq!(found, expected);
}

/// Applies a unified diff without context checks beyond its own lines.
fn apply(old: &str, diff: &str) -> String {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let mut out = String::new();
    let mut at = 0;
    let mut lines = diff.split_inclusive('\n').skip(2).peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("@@ -") {
            let from = rest
                .split([',', ' '])
                .next()
                .unwrap()
                .parse::<usize>()
                .unwrap();
            let counts_none = rest.split(' ').next().unwrap().ends_with(",0");
            let to = if counts_none { from } else { from - 1 };
            out.extend(old[at..to].iter().copied());
            at = to;
            continue;
        }
        let mut text: String = line.chars().skip(1).collect();
        if lines.peek().is_some_and(|next| next.starts_with('\\')) {
            lines.next();
            text.pop();
        }
        match line.as_bytes()[0] {
            b'+' => out.push_str(&text),
            sign => {
                assert_eq!(old[at], text, "{diff}");
                at += 1;
                if sign == b' ' {
                    out.push_str(&text);
                }
            }
        }
    }
    out.extend(old[at..].iter().copied());
    out
}

fn any_file() -> impl Strategy<Value = String> {
    let document = prop_oneof![
        4 => ("[a-f]", 0_u8..3, prop::collection::vec(0_u8..4, 0..12)).prop_map(|(name, value, list)| {
            yaml::to_string(&json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": name}, "v": value, "l": list})).unwrap()
        }),
        1 => "[a-c\n: -]{0,12}\n?",
        1 => Just("# c\n".to_owned()),
    ];
    (
        prop::collection::vec(document, 0..8),
        prop::sample::select(vec!["---\n", "", "---\n---\n"]),
    )
        .prop_map(|(documents, separator)| documents.join(separator))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_diff_turns_one_text_into_the_other(old in any_file(), new in any_file()) {
        let diff = unified("p", &old, &new);
        if old == new {
            prop_assert_eq!(diff, "");
        } else {
            prop_assert_eq!(apply(&old, &diff), new, "{}", diff);
        }
    }

    #[test]
    fn an_object_is_changed_when_its_value_is(
        old in prop::collection::btree_map("[a-d]", 0_u8..3, 1..4),
        new in prop::collection::btree_map("[a-d]", 0_u8..3, 1..4),
    ) {
        let file = |objects: &BTreeMap<String, u8>| {
            let objects: Vec<(&str, Value)> = objects.iter().map(|(name, value)| (name.as_str(), json!(value))).collect();
            rendered(&objects)
        };
        let (before, after) = (file(&old), file(&new));
        let changes = files(&snapshot(&before), &after);
        let mut expected = Vec::new();
        for (name, value) in &new {
            match old.get(name) {
                Some(was) if was == value => {}
                Some(was) => expected.push(format!("  ~ X/{name} spec {was} → {value}")),
                None => expected.push(format!("  + X/{name}")),
            }
        }
        expected.extend(old.keys().filter(|name| !new.contains_key(*name)).map(|name| format!("  - X/{name}")));
        prop_assert_eq!(in_sync(&after, &changes), new.iter().filter(|(name, value)| old.get(*name) == Some(*value)).count());
        let found: Vec<String> = shown(&changes).into_iter().skip(1).collect();
        prop_assert_eq!(found, expected);
    }
}
