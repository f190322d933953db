//! Places: spans, lines and columns.

use super::*;

#[test]
fn a_use_points_at_its_reference() {
    let text = "ARG V=22\nFROM --platform=linux/amd64 node:${V} AS base\nRUN --mount=type=bind,from=tools:1,target=/t \\\n  x\nCOPY --from=\"busy\\\nbox\" /x /y\n";
    let found = read(text.as_bytes(), "").unwrap();
    let places: Vec<&str> = found
        .uses
        .iter()
        .map(|one| &text[one.span.start..one.span.end])
        .collect();
    assert_eq!(places, ["node:${V}", "tools:1", "busy\\\nbox"]);
    assert_eq!(found.uses[2].reference, "busybox");
    let stage = &found.stages[0];
    assert_eq!(
        (stage.name.as_deref(), stage.line, stage.reachable),
        (Some("base"), 2, true)
    );
    assert_eq!(
        &text[stage.span.start..stage.span.end],
        "FROM --platform=linux/amd64 node:${V} AS base"
    );
}

#[test]
fn an_onbuild_points_at_its_reference_also_over_lines() {
    let text =
        "FROM a AS one\nONBUILD \\\n# c\nRUN --mount=from=b:1,target=/b <<E\nx\nE\nFROM one\n";
    let found = read(text.as_bytes(), "").unwrap();
    let one = &found.uses[1];
    assert_eq!(
        (&text[one.span.start..one.span.end], one.line, one.stage),
        ("b:1", 2, 1)
    );
}

#[test]
fn a_variable_without_value_says_whether_it_is_declared() {
    let text = "ARG A\nFROM x:$A\nFROM y:${B}1\n";
    let found = read(text.as_bytes(), "").unwrap();
    let told: Vec<(&str, bool, usize)> = found
        .unresolved
        .iter()
        .map(|one| (one.variable.as_str(), one.declared, one.stage))
        .collect();
    assert_eq!(told, [("A", true, 0), ("B", false, 1)]);
    let span = found.unresolved[1].span;
    assert_eq!(&text[span.start..span.end], "y:${B}1");
}

#[test]
fn faults_point_at_what_is_wrong() {
    for (text, place) in [
        (
            "FROM a\nRUN \\\n  --mount=from=b,type=bnd,target=/b x",
            "--mount=from=b,type=bnd,target=/b",
        ),
        ("FROM a\nFROMM b", "FROMM"),
        ("FROM node:22 AS 1st", "1st"),
        ("ARG A=1\nFROM x:${A", "${A"),
        ("ARG LONG=abc${\nFROM x", "${"),
        ("FROM a\nCOPY --from=B:$ x y", "B:$"),
        ("FROM a\nENV A=1 \\\n B", "B"),
        ("FROM a\nENV A=\"${B^^}\"", "${B^^}\""),
        ("FROM a\nRUN <<EOF", "<<EOF"),
        ("é", "é"),
    ] {
        let faults = read(text.as_bytes(), "").unwrap_err();
        let span = faults[0].span;
        assert_eq!(&text[span.start..span.end], place, "{faults:?}");
    }
}

#[test]
fn positions_count_characters_and_bad_bytes() {
    let text = b"FROM a\n# \xff\nLABEL x=\xc3\xa4\xff${y\n";
    let faults = read(text, "").unwrap_err();
    let at = faults[0].position(text);
    assert_eq!((at.line, at.column), (3, 11), "{faults:?}");
    assert_eq!(readable(text).len(), text.len());
    assert_eq!(readable(text), "FROM a\n# ?\nLABEL x=ä?${y\n");
    let diagnostic = faults[0].diagnostic("Dockerfile");
    assert_eq!(diagnostic.code.id(), "IF200");
    assert_eq!(diagnostic.place.unwrap().span, Some(faults[0].span));
}
