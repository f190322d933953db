//! ARG, build arguments and expansion.

use super::*;

#[test]
fn scope_and_order() {
    check(&[
        ("a default", "", "ARG V=22\nFROM node:$V", "2 from node:22"),
        (
            "braces",
            "",
            "ARG V=22\nFROM node:${V}-slim",
            "2 from node:22-slim",
        ),
        (
            "the name ends where it can",
            "",
            "ARG V=22\nFROM node:$V-slim",
            "2 from node:22-slim",
        ),
        (
            "a letter goes on",
            "",
            "ARG V=22\nFROM node:$Vslim",
            "2 ? Vslim",
        ),
        (
            "several on a line",
            "",
            "ARG A=1 B=$A.2 C\nFROM x:$B",
            "2 from x:1.2",
        ),
        (
            "a default sees what was before",
            "",
            "ARG A=1\nARG B=${A}.2\nFROM x:$B",
            "3 from x:1.2",
        ),
        (
            "and not what comes after",
            "",
            "ARG B=${A}.2\nARG A=1\nFROM x:$B",
            "3 ? A",
        ),
        (
            "the later default wins",
            "",
            "ARG V=1\nARG V=2\nFROM x:$V",
            "3 from x:2",
        ),
        (
            "declared again, bare, it keeps its value",
            "",
            "ARG V=1\nARG V\nFROM x:$V",
            "3 from x:1",
        ),
        (
            "a default of itself",
            "",
            "ARG V=1\nARG V=$V.2\nFROM x:$V",
            "3 from x:1.2",
        ),
        (
            "the whole reference",
            "",
            "ARG BASE=node:22\nFROM $BASE",
            "2 from node:22",
        ),
        (
            "ENV is not seen",
            "",
            "FROM a AS b\nENV V=1\nFROM x:$V",
            "-1 from a; 3 ? V",
        ),
        (
            "ARG of a stage is not seen",
            "",
            "FROM a\nARG V=1\nFROM x:$V",
            "-1 from a; 3 ? V",
        ),
        (
            "lower case is another name",
            "",
            "ARG v=1\nFROM x:$V",
            "2 ? V",
        ),
        (
            "quoted default",
            "",
            "ARG V=\"22\"\nFROM node:$V",
            "2 from node:22",
        ),
        (
            "single quotes expand nothing",
            "",
            "ARG A=1\nARG V='$A'\nFROM $V",
            "! 3 no image reference",
        ),
        (
            "blanks in a value make no words",
            "",
            "ARG V=\"a AS b\"\nFROM $V",
            "! 2 no image reference",
        ),
        (
            "single quotes escape nothing",
            "",
            "ARG V='a\\' W=2\nFROM a:$W",
            "2 from a:2",
        ),
        (
            "an escaped blank",
            "",
            "ARG V=a\\ b\nFROM $V",
            "! 2 no image reference",
        ),
        (
            "a value with an equals sign",
            "",
            "ARG V=a=b\nFROM x:${V%=b}",
            "2 from x:a",
        ),
        ("an empty default", "", "ARG V=\nFROM node$V", "2 from node"),
        ("nothing is left", "", "ARG V=\nFROM $V", "! 2 empty"),
        (
            "what is left is no reference",
            "",
            "ARG V=\nFROM node:$V",
            "! 2 no tag",
        ),
        ("no name", "", "ARG =1\nFROM a", "! 1 no name"),
        ("no argument", "", "ARG\nFROM a", "! 1 needs an argument"),
        (
            "flags of ARG are not looked at",
            "",
            "ARG --x=y V=1\nFROM a:$V",
            "2 from a:1",
        ),
        (
            "a quote that is not closed",
            "",
            "ARG V=\"1\nFROM a:$V",
            "! 1 quote is not closed",
        ),
        (
            "a default nobody uses is read all the same",
            "",
            "ARG V=${\nFROM a",
            "! 1 not closed",
        ),
        (
            "an ARG that a comment documents",
            "",
            "# V the version\nARG V=1\nFROM a:$V",
            "3 from a:1",
        ),
        (
            "words go on over lines",
            "",
            "ARG A=1 \\\n    B=2\nFROM a:$A.$B",
            "3 from a:1.2",
        ),
        (
            "a key in quotes is another key",
            "",
            "ARG \"V\"=1\nFROM a:$V",
            "2 ? V",
        ),
    ]);
}

#[test]
fn build_arguments() {
    check(&[
        (
            "replaces the default",
            "V=20",
            "ARG V=22\nFROM node:$V",
            "2 from node:20",
        ),
        (
            "gives the value",
            "V=20",
            "ARG V\nFROM node:$V",
            "2 from node:20",
        ),
        (
            "does nothing for what is not declared",
            "V=20",
            "FROM node:$V",
            "1 ? V",
        ),
        (
            "is taken literally",
            "V=$W W=1",
            "ARG W\nARG V\nFROM a:$V",
            "! 3 no tag",
        ),
        (
            "also its quotes",
            "V=\"1\"",
            "ARG V\nFROM a:$V",
            "! 2 no tag",
        ),
        ("an empty one", "V=", "ARG V=22\nFROM node$V", "2 from node"),
        (
            "a default sees it",
            "A=9",
            "ARG A=1\nARG B=$A\nFROM a:$B",
            "3 from a:9",
        ),
        (
            "what it replaces is not read",
            "V=1",
            "ARG V=${\nFROM a:$V",
            "2 from a:1",
        ),
        (
            "replaces every declaration",
            "V=3",
            "ARG V=1\nARG V=2\nFROM a:$V",
            "3 from a:3",
        ),
        (
            "a built-in needs no declaration",
            "TARGETARCH=arm64",
            "FROM a:$TARGETARCH",
            "1 from a:arm64",
        ),
        (
            "in a stage it replaces what is not read",
            "V=1",
            "FROM a\nARG V=${",
            "1 from a",
        ),
    ]);
}

#[test]
fn built_in() {
    check(&[
        (
            "TARGETPLATFORM",
            "",
            "FROM --platform=$TARGETPLATFORM a",
            "1 from a",
        ),
        (
            "BUILDPLATFORM",
            "",
            "FROM --platform=$BUILDPLATFORM a",
            "1 from a",
        ),
        ("TARGETARCH", "", "FROM a:$TARGETARCH", "1 from a:amd64"),
        (
            "TARGETOS",
            "",
            "FROM a:$TARGETOS-$BUILDOS-$BUILDARCH",
            "1 from a:linux-linux-amd64",
        ),
        (
            "TARGETVARIANT is set and empty",
            "",
            "FROM a:1$TARGETVARIANT",
            "1 from a:1",
        ),
        (
            "and so has no default",
            "",
            "FROM a:1${TARGETVARIANT-x}",
            "1 from a:1",
        ),
        (
            "TARGETSTAGE, of the last stage",
            "",
            "FROM a:$TARGETSTAGE AS Last",
            "1 from a:last",
        ),
        (
            "TARGETSTAGE without a name",
            "",
            "FROM a:$TARGETSTAGE",
            "1 from a:default",
        ),
        (
            "TARGETSTAGE is the target as given",
            "target:ONE",
            "FROM a:$TARGETSTAGE AS one\nFROM b",
            "1 from a:ONE; -2 from b",
        ),
        (
            "ARG replaces it",
            "",
            "ARG TARGETARCH=x\nFROM a:$TARGETARCH",
            "2 from a:x",
        ),
        (
            "bare ARG keeps it",
            "",
            "ARG TARGETARCH\nFROM a:$TARGETARCH",
            "2 from a:amd64",
        ),
        (
            "other names are not built in",
            "",
            "FROM a:$HTTP_PROXY",
            "1 ? HTTP_PROXY",
        ),
    ]);
}

#[test]
fn modifiers() {
    check(&[
        (":- of nothing", "", "FROM a:${V:-1}", "1 from a:1"),
        (":- of empty", "", "ARG V=\nFROM a:${V:-1}", "2 from a:1"),
        (":- of a value", "", "ARG V=2\nFROM a:${V:-1}", "2 from a:2"),
        ("- of nothing", "", "FROM a:${V-1}", "1 from a:1"),
        ("- of empty", "", "ARG V=\nFROM a${V-1}", "2 from a"),
        (":+ of a value", "", "ARG V=2\nFROM a${V:+:x}", "2 from a:x"),
        (":+ of empty", "", "ARG V=\nFROM a${V:+:x}", "2 from a"),
        (":+ of nothing", "", "FROM a${V:+:x}", "1 from a"),
        ("+ of empty", "", "ARG V=\nFROM a${V+:x}", "2 from a:x"),
        ("+ of nothing", "", "FROM a${V+:x}", "1 from a"),
        (
            ":? of a value",
            "",
            "ARG V=2\nFROM a:${V:?no}",
            "2 from a:2",
        ),
        (
            ":? of empty",
            "",
            "ARG V=\nFROM a:${V:?version}",
            "! 2 version",
        ),
        ("? of empty", "", "ARG V=\nFROM a${V?no}", "2 from a"),
        ("? of nothing is unresolved", "", "FROM a:${V?no}", "1 ? V"),
        (
            ":? of nothing in a default that is used",
            "",
            "ARG A=${V:?no}\nFROM a:$A",
            "2 ? V",
        ),
        (
            "# shortest",
            "",
            "ARG V=1.22.3\nFROM a:${V#*.}",
            "2 from a:22.3",
        ),
        (
            "## longest",
            "",
            "ARG V=1.22.3\nFROM a:${V##*.}",
            "2 from a:3",
        ),
        (
            "% shortest",
            "",
            "ARG V=1.22.3\nFROM a:${V%.*}",
            "2 from a:1.22",
        ),
        (
            "%% longest",
            "",
            "ARG V=1.22.3\nFROM a:${V%%.*}",
            "2 from a:1",
        ),
        (
            "? in a pattern",
            "",
            "ARG V=v1.2\nFROM a:${V#?}",
            "2 from a:1.2",
        ),
        (
            "/ first",
            "",
            "ARG V=1.2.3\nFROM a:${V/./-}",
            "2 from a:1-2.3",
        ),
        (
            "// all",
            "",
            "ARG V=1.2.3\nFROM a:${V//./-}",
            "2 from a:1-2-3",
        ),
        (
            "/ with an escaped slash",
            "",
            "ARG V=o/a\nFROM ${V/\\//-}",
            "2 from o-a",
        ),
        (
            "a pattern from a variable",
            "",
            "ARG P=v*.\nARG V=v1.2\nFROM a:${V#$P}",
            "3 from a:2",
        ),
        (
            "a bad escape in a pattern",
            "",
            "ARG V=1\nFROM a:${V#\\a}",
            "! 2 escape",
        ),
        ("nested", "", "ARG C=3\nFROM a:${A:-${B:-$C}}", "2 from a:3"),
        ("nested, nothing", "", "FROM a:${A:-${B:-$C}}", "1 ? C"),
        ("quotes in the word", "", "FROM a:${A:-\"1\"}", "1 from a:1"),
        ("a brace in quotes", "", "FROM a:${A:-'}'}1", "! 1 no tag"),
        (
            "modifiers in a default",
            "",
            "ARG V=1.2\nARG W=${V%.*}\nFROM a:$W",
            "3 from a:1",
        ),
        (
            "in double quotes",
            "",
            "ARG V=1\nFROM \"a:${V}\"",
            "2 from a:1",
        ),
        (
            "in single quotes",
            "",
            "ARG V=1\nFROM 'a:${V}'",
            "! 2 no tag",
        ),
        ("escaped", "", "ARG V=1\nFROM a:\\$V", "! 2 no tag"),
        (
            "escaped by a backtick",
            "",
            "# escape=`\nARG V=1\nFROM a:`$V",
            "! 3 no tag",
        ),
        (
            ":= is refused",
            "",
            "ARG V=1\nFROM a:${V:=2}",
            "! 2 no substitution",
        ),
        (
            "= is refused",
            "",
            "ARG V=1\nFROM a:${V=2}",
            "! 2 no substitution",
        ),
        (
            "^^ is refused",
            "",
            "ARG V=1\nFROM a:${V^^}",
            "! 2 no substitution",
        ),
        (
            ":# is refused",
            "",
            "ARG V=1\nFROM a:${V:#1}",
            "! 2 no substitution",
        ),
        (
            "a substring is refused",
            "",
            "ARG V=1\nFROM a:${V:0:1}",
            "! 2 no substitution",
        ),
        ("no name", "", "FROM a:${}", "! 1 name of a variable"),
        (
            "no closing brace",
            "",
            "ARG V=1\nFROM a:${V",
            "! 2 not closed",
        ),
        (
            "no closing brace behind a modifier",
            "",
            "ARG V=1\nFROM a:${V:-x",
            "! 2 not closed",
        ),
        (
            "no second slash",
            "",
            "ARG V=1\nFROM a:${V/x}",
            "! 2 second",
        ),
        ("an open quote", "", "FROM \"a", "! 1 double quote"),
        ("an open single quote", "", "FROM 'a", "! 1 single quote"),
        ("a dollar alone", "", "FROM a:$", "! 1 no tag"),
        ("a positional parameter", "", "FROM a:$1", "1 ? 1"),
        ("digits end its name", "", "FROM a:$1x", "1 ? 1"),
        ("a special parameter", "", "FROM a:$@", "1 ? @"),
        (
            "$ and a brace, backtick mode",
            "",
            "# escape=`\nARG V=a\\b\nFROM x:${V%\\\\*}",
            "3 from x:a",
        ),
    ]);
}

#[test]
fn variables_without_value() {
    check(&[
        ("not declared", "", "FROM node:$V", "1 ? V"),
        ("declared bare", "", "ARG V\nFROM node:$V", "2 ? V"),
        (
            "the others stay",
            "",
            "FROM node:$V AS a\nFROM b:1\nCOPY --from=c:2 /x /y",
            "-1 ? V; 2 from b:1; 3 copy c:2",
        ),
        (
            "what is left is the name of a stage",
            "",
            "FROM a AS base\nFROM ${V}base",
            "-1 from a; 2 ? V",
        ),
        ("two in one reference", "", "FROM $A/$B:1", "1 ? A; 1 ? B"),
        ("one of them twice", "", "FROM $A/$A:1", "1 ? A"),
        ("through a default", "", "ARG A=$B\nFROM x:$A", "2 ? B"),
        (
            "through two defaults",
            "",
            "ARG A=x$C\nARG B=$A\nFROM x:$B",
            "3 ? C",
        ),
        (
            "a default covers it",
            "",
            "ARG V\nFROM node:${V:-22}",
            "2 from node:22",
        ),
        (
            "a default covers what a default lacks",
            "",
            "ARG A=$B\nFROM x:${A:-1}",
            "2 from x:1",
        ),
        (
            "but not a part of it",
            "",
            "ARG A=1$B\nFROM x:${A:-1}",
            "2 ? B",
        ),
        (
            "a branch that is not taken",
            "",
            "ARG A=1\nFROM x:${A:-$B}",
            "2 from x:1",
        ),
        ("cut by a pattern", "", "FROM x:${V%.*}", "1 ? V"),
        ("in a pattern", "", "ARG V=1\nFROM x:${V%$W}", "2 ? W"),
        (
            "given a value later",
            "",
            "ARG A=$B\nARG B=2\nFROM x:$A",
            "3 ? B",
        ),
        (
            "replaced by a later default",
            "",
            "ARG A=$B\nARG A=2\nFROM x:$A",
            "3 from x:2",
        ),
        ("nobody uses it", "", "ARG A=$B\nFROM x:1", "2 from x:1"),
        (
            "what is built on it is a stage",
            "",
            "FROM $V AS base\nFROM base\nCOPY --from=base /x /y",
            "1 ? V",
        ),
        ("unreachable", "", "FROM a:$V\nFROM b", "-1 ? V; 2 from b"),
        (
            "the platform needs a value",
            "",
            "ARG P\nFROM --platform=$P a",
            "! 2 depends on `P`",
        ),
        (
            "an error elsewhere is one",
            "",
            "FROM $V\nFROM B",
            "! 2 capital",
        ),
    ]);
}
