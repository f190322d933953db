//! The fast reader against the full one: the same tree, the same spans, or nothing.

use proptest::prelude::*;

use crate::yaml::{Limits, places::strip_bom, read_fast, read_slowly};

const DEPTH: usize = 64;

/// Whether the fast reader took the text; fails when it gave another tree.
fn compare(text: &str, depth: usize) -> bool {
    let (body, offset) = strip_bom(text);
    let Some(fast) = read_fast::read(body, offset, depth) else {
        return false;
    };
    let limits = Limits {
        depth,
        ..Limits::default()
    };
    let (nodes, errors) = read_slowly(text, &limits, 1);
    assert_eq!(errors, [], "the full reader refuses {text:?}");
    assert_eq!(nodes, [Some(fast)], "{text:?}");
    true
}

#[test]
fn what_we_write_is_read_fast() {
    let taken = [
        "a: b\n",
        "a: b",
        "\u{feff}a: b\n",
        "# c\n\na: b   # c\n\n  # c\nc: d # e\n",
        "a:\n  b: c\n  d:\n    e: f\ng: h\n",
        "a:\n- b\n- c\nd:\n  - e\n  - f\n",
        "- a: b\n  c:\n  - d\n  - e: f\n-\n  g: h\n- - i\n  - j\n",
        "a:\n\n\nb: # nothing\n-: x\n".trim_end_matches("-: x\n"),
        "a: []\nb: {}   # c\nc: [a, b/c, 1.2]\n",
        "a: 'x: y # z'\nb: \"x: y # z\"\n'c': it''s\nd: 'it''s'\n",
        "a: http://x:80/#f\nb: a:b\nc: a#b\nd: a - b\n",
        "a: ^22-bookworm$\nb: sha256:abc\nc: $x\n",
        "é: 日本\nb: 😀 # é\n",
        "a b: c d\n",
        "- a\n-\n- b\n-",
        "key:\n- - a\n  - b\n- c\n",
    ];
    for text in taken {
        assert!(compare(text, DEPTH), "declined: {text:?}");
    }
}

#[test]
fn what_is_not_certain_is_declined() {
    let declined = [
        "",
        "\n",
        "# c\n",
        "a",
        "- a\nb: c\n",
        "a: b\n- c\n",
        "a: b\n  c\n",
        "a: b # c\n  d\n",
        "a: b\n  c: d\n",
        "a:\n   b: c\n  d: e\n",
        "a: b: c\n",
        "a: b:\n",
        "a:b\n",
        "a: [b,c]\n",
        "a: [b\n",
        "a: [b: c]\n",
        "a: {b: c}\n",
        "a: &x b\n",
        "a: *x\n",
        "a: !!str b\n",
        "a: |\n  b\n",
        "a: \"b\\n\"\n",
        "a: 'b\n",
        "a: 'b\n  c'\n",
        "a: 'b'c\n",
        "a: 'b'#c\n",
        "'a' : b\n",
        "'a':b\n",
        "a : b\n",
        "a #b: c\n",
        "? a\n: b\n",
        "<<: b\n",
        "a: b\na: c\n",
        "a: b\n'a': c\n",
        "a:\tb\n",
        "a: b\r\n",
        "a: b\u{feff}\n",
        "a: \u{85}\n",
        "a: \0\n",
        "---\na: b\n",
        "a: b\n---\n",
        "a: b\n...\n",
        "%YAML 1.2\n---\na: b\n",
        "- - a\n  b: c\n",
        "a:\n  - b\n  c: d\n",
        "a: - b\n",
        "a: ? b\n",
        "a: @b\n",
        "a: `b\n",
        "a: %b\n",
        " a: b\nc: d\n",
        "- a\n - b\n",
        "-a\n",
        "a: -b\n",
        "a:\n- b\n c: d\n",
    ];
    for text in declined {
        assert!(!compare(text, DEPTH), "taken: {text:?}");
    }
    assert!(!compare(&format!("{}: b\n", "k".repeat(1100)), DEPTH));
    assert!(!compare(&format!("- {}: b\n", "é".repeat(600)), DEPTH));
}

#[test]
fn depth_ends_both_at_the_same_place() {
    for (text, depth) in [
        ("a: b\n", 1),
        ("a: []\n", 2),
        ("a: [b]\n", 2),
        ("a:\n- b\n", 2),
        ("a:\n  b:\n    c: d\n", 3),
        ("- - - a\n", 3),
        ("- a: b\n", 2),
        ("- a:\n  - b: {}\n", 5),
    ] {
        assert!(compare(text, depth), "{text:?}");
        assert!(!compare(text, depth - 1), "{text:?}");
    }
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z]{1,3}",
        3 => "[ -~]{0,6}",
        1 => "[a-c:# \\-'\"\\[\\]{},é\t&*!|>%@?.]{0,7}",
        2 => prop::sample::select(vec![
            "''", "'it''s'", "\"x y\"", "'a: b'", "[]", "{}", "[a, b]", "a:b", "a#b", "a #b", "~", "-1", "...",
            "---", "<<", "http://x/#y", "a: b", "'x' ", "\"\\n\"", "$x", "a ", "- b", "? b", "\u{85}", "x\u{2028}y",
        ]).prop_map(str::to_owned),
    ]
}

/// One line: an indent, dashes, perhaps a key, perhaps a value, perhaps a comment.
fn line() -> impl Strategy<Value = String> {
    (
        prop::sample::select(vec![0_usize, 0, 1, 2, 2, 3, 4, 4, 6]),
        prop::sample::select(vec!["", "", "", "- ", "- - ", "-", "-   "]),
        prop::option::weighted(
            0.8,
            (
                scalar(),
                prop::sample::select(vec![":", ":", ": ", ": ", " :"]),
            ),
        ),
        prop::option::weighted(0.6, scalar()),
        prop::sample::select(vec!["", "", "", " # c", "#", "  ", " #\u{e9}"]),
    )
        .prop_map(|(indent, dash, key, value, end)| {
            let key = key.map_or(String::new(), |(key, colon)| key + colon);
            format!(
                "{}{dash}{key}{}{end}",
                " ".repeat(indent),
                value.unwrap_or_default()
            )
        })
}

/// Lines that make a block structure more often than not: distinct keys, and an
/// indent that changes by little.
fn tidy_line() -> impl Strategy<Value = (i8, bool, bool, String)> {
    (-2_i8..3, any::<bool>(), prop::bool::weighted(0.6), scalar())
}

fn tidy_text(lines: &[(i8, bool, bool, String)]) -> String {
    let mut text = String::new();
    let mut depth: i8 = 0;
    let mut may_nest = false;
    for (at, (step, dash, has_value, value)) in lines.iter().enumerate() {
        let step = if may_nest { *step } else { (*step).min(0) };
        depth = (depth + step.min(1)).max(0);
        text.push_str(&"  ".repeat(usize::try_from(depth).unwrap()));
        if *dash {
            text.push_str("- ");
        }
        text.push_str(&format!("k{at}:"));
        may_nest = !has_value;
        if *has_value {
            text.push(' ');
            text.push_str(value);
        }
        depth += i8::from(*dash);
        text.push('\n');
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn any_lines_read_alike(lines in prop::collection::vec(line(), 1..9), last in any::<bool>()) {
        let mut text = lines.join("\n");
        if last {
            text.push('\n');
        }
        compare(&text, DEPTH);
        compare(&text, 2);
    }

    #[test]
    fn tidy_lines_read_alike(lines in prop::collection::vec(tidy_line(), 1..14)) {
        compare(&tidy_text(&lines), DEPTH);
    }

    /// A sound text with one byte changed, put in or taken out.
    #[test]
    fn damaged_texts_read_alike(at in 0_usize..400, how in 0_u8..3, with in "[\\x00-\\x7fé:#\\-'\" \n]") {
        let mut chars: Vec<char> = SAMPLE.chars().collect();
        let at = at % chars.len();
        let with = with.chars().next().unwrap();
        match how {
            0 => chars[at] = with,
            1 => chars.insert(at, with),
            _ => { chars.remove(at); }
        }
        compare(&chars.into_iter().collect::<String>(), DEPTH);
    }
}

const SAMPLE: &str = "# Enrolment\nimages:\n  - name: backstage\n    registry: ghcr.io\n    \
    repository: owner/backstage # ours\n    source:\n      provider: github\n      repo: 'owner/backstage'\n    \
    rebuildDelay: 7d\n    platforms: [linux/amd64, linux/arm64]\n  - name: postgres\n    labels: {}\n    \
    allowTags: \"^16-.*$\"\n    list:\n    - a\n    -\n    - c: d\n      e:\n    - - f\n      - é\n\nsettings:\n";

/// The comparison must not be won by declining.
#[test]
fn the_generators_reach_the_fast_reader() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    assert!(compare(SAMPLE, DEPTH));
    let mut runner = TestRunner::deterministic();
    let mut taken = [0_usize; 2];
    for _ in 0..2000 {
        let lines = prop::collection::vec(line(), 1..9);
        let text = lines.new_tree(&mut runner).unwrap().current().join("\n");
        taken[0] += usize::from(compare(&text, DEPTH));
        let lines = prop::collection::vec(tidy_line(), 1..14);
        let text = tidy_text(&lines.new_tree(&mut runner).unwrap().current());
        taken[1] += usize::from(compare(&text, DEPTH));
    }
    assert!(taken[0] > 50 && taken[1] > 300, "{taken:?} of 2000");
}
