//! Stages: names, indices, what is reachable, ONBUILD.

use super::*;

#[test]
fn names() {
    check(&[
        (
            "a stage is no base",
            "",
            "FROM a AS one\nFROM one",
            "1 from a",
        ),
        ("AS in any case", "", "FROM a as one\nFROM one", "1 from a"),
        (
            "names are kept in lower case",
            "",
            "FROM a AS One\nFROM one",
            "1 from a",
        ),
        (
            "FROM looks the name up as written",
            "",
            "FROM a AS One\nFROM One",
            "! 2 capital",
        ),
        (
            "COPY in any case",
            "",
            "FROM a AS one\nFROM b\nCOPY --from=ONE /x /y",
            "1 from a; 2 from b",
        ),
        (
            "mounts in any case",
            "",
            "FROM a AS one\nFROM b\nRUN --mount=from=ONE,target=/x y",
            "1 from a; 2 from b",
        ),
        (
            "a tag is no stage",
            "",
            "FROM a AS base\nFROM base:latest",
            "-1 from a; 2 from base:latest",
        ),
        (
            "a later stage is an image to FROM",
            "",
            "FROM later\nFROM a AS later",
            "-1 from later; 2 from a",
        ),
        ("its own name is an image", "", "FROM x AS x", "1 from x"),
        (
            "or an earlier stage",
            "",
            "FROM a AS x\nFROM x AS x\nFROM x",
            "1 from a",
        ),
        (
            "of equal names the last before it",
            "",
            "FROM a AS x\nFROM b AS x\nFROM x",
            "-1 from a; 2 from b",
        ),
        ("in quotes", "", "FROM a AS \"x\"", "! 1 name of a stage"),
        (
            "with a variable",
            "",
            "ARG N=x\nFROM a AS $N",
            "! 2 name of a stage",
        ),
        ("digits first", "", "FROM a AS 1x", "! 1 name of a stage"),
        (
            "all that is allowed",
            "",
            "FROM a AS a1.b-c_d\nFROM a1.b-c_d",
            "1 from a",
        ),
        (
            "without a name behind AS",
            "",
            "FROM a AS",
            "! 1 FROM takes",
        ),
        ("without AS", "", "FROM a b", "! 1 FROM takes"),
        ("another word than AS", "", "FROM a IS b", "! 1 FROM takes"),
        ("FROM alone", "", "FROM", "! 1 FROM takes"),
        (
            "a name from a variable is looked up",
            "",
            "ARG B=base\nFROM a AS base\nFROM $B",
            "2 from a",
        ),
        (
            "stage-0 is an image",
            "",
            "FROM a\nFROM stage-0",
            "-1 from a; 2 from stage-0",
        ),
        (
            "quotes around a stage",
            "",
            "FROM a AS base\nFROM \"base\"",
            "1 from a",
        ),
    ]);
}

#[test]
fn scratch() {
    check(&[
        ("is no base", "", "FROM scratch", ""),
        (
            "in COPY",
            "",
            "FROM a\nCOPY --from=scratch /x /y",
            "1 from a",
        ),
        (
            "in a mount",
            "",
            "FROM a\nRUN --mount=from=scratch,target=/x y",
            "1 from a",
        ),
        (
            "with a tag it is an image",
            "",
            "FROM scratch:1",
            "1 from scratch:1",
        ),
        ("in capitals", "", "FROM SCRATCH", "! 1 capital"),
        (
            "a stage of that name",
            "",
            "FROM a AS scratch\nFROM scratch",
            "1 from a",
        ),
        (
            "a mount without a source needs that stage",
            "",
            "FROM a AS scratch\nFROM b\nRUN --mount=type=cache,target=/x y",
            "1 from a; 2 from b",
        ),
        ("from a variable", "", "ARG B=scratch\nFROM $B", ""),
    ]);
}

#[test]
fn indices() {
    check(&[
        (
            "by index",
            "",
            "FROM a\nFROM b\nCOPY --from=0 /x /y",
            "1 from a; 2 from b",
        ),
        (
            "with zeros",
            "",
            "FROM a\nFROM b\nCOPY --from=00 /x /y",
            "1 from a; 2 from b",
        ),
        (
            "with a plus",
            "",
            "FROM a\nFROM b\nCOPY --from=+0 /x /y",
            "1 from a; 2 from b",
        ),
        (
            "out of range",
            "",
            "FROM a\nCOPY --from=3 /x /y",
            "! 2 no stage 3",
        ),
        (
            "negative",
            "",
            "FROM a\nCOPY --from=-1 /x /y",
            "! 2 no stage -1",
        ),
        ("its own", "", "FROM a\nCOPY --from=0 /x /y", "! 2 itself"),
        (
            "a later one",
            "",
            "FROM a\nCOPY --from=1 /x /y\nFROM b\nCOPY --from=0 /x /y",
            "! 4 circle",
        ),
        (
            "a later one, reached",
            "target:t",
            "FROM a AS t\nCOPY --from=1 /x /y\nFROM b",
            "! 2 comes after",
        ),
        (
            "a later one, not reached",
            "",
            "FROM a\nCOPY --from=1 /x /y\nFROM b",
            "-1 from a; 3 from b",
        ),
        ("FROM 0 is an image", "", "FROM 0", "1 from 0"),
        (
            "a mount from 0 is an image",
            "",
            "FROM a\nRUN --mount=from=0,target=/x y",
            "1 from a; 2 mount 0",
        ),
        (
            "too long for a number",
            "",
            "FROM a\nCOPY --from=99999999999999999999 /x /y",
            "1 from a; 2 copy 99999999999999999999",
        ),
        (
            "images count on behind the stages",
            "",
            "FROM a\nCOPY --from=b /x /y\nCOPY --from=1 /z /z",
            "1 from a; 2 copy b",
        ),
    ]);
}

#[test]
fn order_and_circles() {
    check(&[
        (
            "a later name",
            "",
            "FROM a AS one\nCOPY --from=two /x /y\nFROM one AS two",
            "! 2 comes after",
        ),
        (
            "itself by name",
            "",
            "FROM a AS one\nCOPY --from=one /x /y",
            "! 2 itself",
        ),
        (
            "itself by a mount",
            "",
            "FROM a AS one\nRUN --mount=from=one,target=/x y",
            "! 2 itself",
        ),
        (
            "each other",
            "",
            "FROM a AS one\nCOPY --from=two /x /y\nFROM b AS two\nCOPY --from=one /x /y",
            "! 4 circle",
        ),
        (
            "a circle nobody needs",
            "",
            "FROM a AS one\nCOPY --from=two /x /y\nFROM b AS two\nCOPY --from=one /x /y\nFROM c",
            "! 4 circle",
        ),
        (
            "three in a circle",
            "",
            "FROM a AS one\nCOPY --from=three /x /y\nFROM b AS two\nCOPY --from=one /x /y\nFROM c AS three\nCOPY --from=two /x /y",
            "! 4 circle",
        ),
        (
            "of equal names COPY means the last",
            "target:t",
            "FROM a AS x\nFROM b AS t\nCOPY --from=x /x /y\nFROM c AS x",
            "! 3 comes after",
        ),
        (
            "a diamond is no circle",
            "",
            "FROM a AS a1\nFROM a1 AS b1\nFROM a1 AS c1\nCOPY --from=b1 /x /y\nFROM c1\nCOPY --from=a1 /x /y\nCOPY --from=b1 /x /y",
            "1 from a",
        ),
    ]);
}

#[test]
fn what_is_reachable() {
    check(&[
        (
            "the last stage and its bases",
            "",
            "FROM a AS one\nFROM b AS two\nFROM one",
            "1 from a; -2 from b",
        ),
        (
            "through COPY",
            "",
            "FROM a AS one\nFROM b\nCOPY --from=one /x /y",
            "1 from a; 2 from b",
        ),
        (
            "through mounts",
            "",
            "FROM a AS one\nFROM b\nRUN --mount=from=one,target=/x y",
            "1 from a; 2 from b",
        ),
        (
            "through several",
            "",
            "FROM a AS one\nCOPY --from=i:1 /x /y\nFROM b AS two\nCOPY --from=one /x /y\nFROM c\nRUN --mount=from=two,target=/x y",
            "1 from a; 2 copy i:1; 3 from b; 5 from c",
        ),
        (
            "target",
            "target:one",
            "FROM a AS one\nFROM b",
            "1 from a; -2 from b",
        ),
        (
            "target in any case",
            "target:ONE",
            "FROM a AS one\nFROM b",
            "1 from a; -2 from b",
        ),
        (
            "unknown target",
            "target:x",
            "FROM a AS one",
            "! 1 no stage `x`",
        ),
        (
            "an index is no target",
            "target:0",
            "FROM a AS one",
            "! 1 no stage `0`",
        ),
        (
            "of equal names the last is the target",
            "target:x",
            "FROM a AS x\nFROM b AS x\nFROM c",
            "-1 from a; 2 from b; -3 from c",
        ),
        (
            "an invalid reference that nobody needs",
            "",
            "FROM A\nFROM b",
            "! 1 capital",
        ),
        (
            "an invalid COPY that nobody needs",
            "",
            "FROM a\nCOPY --from=B /x /y\nFROM b",
            "! 2 capital",
        ),
        (
            "a mount key that nobody needs",
            "",
            "FROM a\nRUN --mount=foo=bar y\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "a mount key that is needed",
            "",
            "FROM a\nRUN --mount=foo=bar y",
            "! 2 no `foo`",
        ),
        (
            "an expansion that nobody needs",
            "",
            "FROM a\nENV A=${B^^}\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "an expansion that is needed",
            "",
            "FROM a\nENV A=${B^^}",
            "! 2 no substitution",
        ),
    ]);
}

#[test]
fn onbuild() {
    check(&[
        (
            "nobody fires it",
            "",
            "FROM a\nONBUILD COPY --from=b /x /y",
            "1 from a",
        ),
        (
            "the next stage fires it",
            "",
            "FROM a AS one\nONBUILD COPY --from=b /x /y\nFROM one",
            "1 from a; 2 copy b",
        ),
        (
            "a mount",
            "",
            "FROM a AS one\nONBUILD RUN --mount=from=b,target=/b x\nFROM one",
            "1 from a; 2 mount b",
        ),
        (
            "COPY from the stage does not fire it",
            "",
            "FROM a AS one\nONBUILD COPY --from=b /x /y\nFROM c\nCOPY --from=one /x /y",
            "1 from a; 3 from c",
        ),
        (
            "it is fired once",
            "",
            "FROM a AS one\nONBUILD COPY --from=b /x /y\nFROM one AS two\nFROM two",
            "1 from a; 2 copy b",
        ),
        (
            "two stages fire it",
            "",
            "FROM a AS one\nONBUILD COPY --from=b /x /y\nFROM one AS two\nFROM one\nCOPY --from=two /x /y",
            "1 from a; 2 copy b; 2 copy b",
        ),
        (
            "a stage nobody needs fires it",
            "",
            "FROM a AS one\nONBUILD COPY --from=b /x /y\nFROM one\nFROM c",
            "-1 from a; -2 copy b; 4 from c",
        ),
        (
            "it makes a stage reachable",
            "",
            "FROM a AS one\nONBUILD COPY --from=two /x /y\nFROM b AS two\nFROM one",
            "1 from a; 3 from b",
        ),
        (
            "a stage that comes later",
            "target:t",
            "FROM a AS one\nONBUILD COPY --from=two /x /y\nFROM one AS t\nFROM b AS two",
            "! 2 comes after",
        ),
        (
            "a stage may fire a copy from itself",
            "",
            "FROM a AS one\nONBUILD COPY --from=two /x /y\nFROM one AS two",
            "1 from a",
        ),
        (
            "an invalid reference in it",
            "",
            "FROM a AS one\nONBUILD COPY --from=B /x /y\nFROM one",
            "! 2 capital",
        ),
        (
            "that nobody fires",
            "",
            "FROM a AS one\nONBUILD COPY --from=B /x /y",
            "1 from a",
        ),
        (
            "an unknown instruction in it",
            "",
            "FROM a AS one\nONBUILD FOO\nFROM one",
            "! 2 no instruction",
        ),
        (
            "unknown, and nobody fires it",
            "",
            "FROM a AS one\nONBUILD FOO",
            "1 from a",
        ),
        (
            "ONBUILD FROM",
            "",
            "FROM a\nONBUILD FROM b",
            "! 2 cannot hold FROM",
        ),
        (
            "ONBUILD ONBUILD",
            "",
            "FROM a\nONBUILD ONBUILD RUN x",
            "! 2 another ONBUILD",
        ),
        (
            "ONBUILD MAINTAINER",
            "",
            "FROM a\nONBUILD MAINTAINER x",
            "! 2 cannot hold MAINTAINER",
        ),
        (
            "ONBUILD alone",
            "",
            "FROM a\nONBUILD",
            "! 2 needs an argument",
        ),
        (
            "a flag of ONBUILD",
            "",
            "FROM a\nONBUILD --x RUN y",
            "! 2 has no flag",
        ),
        (
            "ENV without a value in it",
            "",
            "FROM a\nONBUILD ENV A",
            "! 2 no value",
        ),
        (
            "over several lines",
            "",
            "FROM a AS one\nONBUILD COPY \\\n  --from=b \\\n  /x /y\nFROM one",
            "1 from a; 2 copy b",
        ),
        (
            "with the usual escape, whatever the directive",
            "",
            "# escape=`\nFROM a AS one\nONBUILD COPY --from=\\b /x /y\nFROM one",
            "2 from a; 3 copy b",
        ),
    ]);
}
