//! Lines, comments, continuations, directives and here-documents.

use super::*;

#[test]
fn lines_and_blanks() {
    check(&[
        ("plain", "", "FROM node:22\n", "1 from node:22"),
        ("no final newline", "", "FROM node:22", "1 from node:22"),
        ("lower case", "", "from node:22", "1 from node:22"),
        ("mixed case", "", "fRoM node:22", "1 from node:22"),
        (
            "leading blanks",
            "",
            "\n  \t FROM node:22\n",
            "2 from node:22",
        ),
        (
            "tabs, form feeds and vertical tabs separate",
            "",
            "FROM\tnode:22\x0bAS\x0ca",
            "1 from node:22",
        ),
        (
            "trailing blanks",
            "",
            "FROM node:22 \t \n",
            "1 from node:22",
        ),
        (
            "a no-break space does not separate",
            "",
            "FROM\u{a0}node:22",
            "! 1 no instruction",
        ),
        (
            "a no-break space at the ends is trimmed",
            "",
            "\u{a0}FROM node:22\u{a0}",
            "1 from node:22",
        ),
        (
            "an ideographic space in a reference is refused",
            "",
            "FROM node\u{3000}x",
            "! 1 no image reference",
        ),
        (
            "CRLF",
            "",
            "FROM node:22\r\nCOPY --from=a:1 /x /y\r\n",
            "1 from node:22; 2 copy a:1",
        ),
        (
            "a lone CR is a blank",
            "",
            "FROM\rnode:22\rAS\ra",
            "1 from node:22",
        ),
        (
            "CR does not end a line",
            "",
            "FROM node:22\rRUN x",
            "! 1 FROM takes",
        ),
        (
            "byte order mark",
            "",
            "\u{feff}FROM node:22",
            "1 from node:22",
        ),
        (
            "byte order mark later",
            "",
            "FROM node:22\n\u{feff}RUN x",
            "! 2 no instruction",
        ),
        (
            "byte order mark in front of the image is dropped",
            "",
            "FROM \u{feff}node:22",
            "1 from node:22",
        ),
        ("empty", "", "", "! 1 empty"),
        ("only blank lines", "", "\n\n", "! 1 no instructions"),
        ("only comments", "", "# a\n#b", "! 1 no instructions"),
        ("only ARG", "", "ARG A=1", "! 1 no FROM"),
        ("RUN before FROM", "", "RUN x\nFROM a", "! 1 only ARG"),
        ("ENV before FROM", "", "ENV A=1\nFROM a", "! 1 only ARG"),
        (
            "unknown instruction",
            "",
            "FROM a\nFORM b",
            "! 2 no instruction `FORM`",
        ),
        (
            "unknown instruction before FROM",
            "",
            "FORM b",
            "! 1 no instruction `FORM`",
        ),
    ]);
}

#[test]
fn comments() {
    check(&[
        (
            "comment lines",
            "",
            "# FROM x\nFROM a\n  # FROM y\n",
            "2 from a",
        ),
        (
            "hash behind the image is words",
            "",
            "FROM a # base\n",
            "! 1 FROM takes",
        ),
        (
            "hash behind a name",
            "",
            "FROM a AS b # base\n",
            "! 1 FROM takes",
        ),
        (
            "hash in the image is refused",
            "",
            "FROM a#b\n",
            "! 1 no image reference",
        ),
        (
            "hash in RUN is the command's",
            "",
            "FROM a\nRUN x # \\\n  FROM y\n",
            "1 from a",
        ),
        (
            "an escape at the end of a comment continues nothing",
            "",
            "# a \\\nFROM b\n",
            "2 from b",
        ),
        ("comment with NUL", "", "# \0\nFROM a", "2 from a"),
    ]);
}

#[test]
fn continuations() {
    check(&[
        (
            "over two lines",
            "",
            "FROM \\\n node:22\n",
            "1 from node:22",
        ),
        (
            "blanks behind the escape",
            "",
            "FROM \\ \t\n node:22\n",
            "1 from node:22",
        ),
        (
            "in the middle of a word",
            "",
            "FROM no\\\nde:22\n",
            "1 from node:22",
        ),
        (
            "in the middle of the instruction's name",
            "",
            "FR\\\nOM node:22\n",
            "1 from node:22",
        ),
        (
            "comments and blank lines inside",
            "",
            "FROM a\nRUN x \\\n# c\n\n  # d\n  \nFROM y\n",
            "1 from a",
        ),
        (
            "comment inside FROM",
            "",
            "FROM \\\n# the base\nnode:22\n",
            "1 from node:22",
        ),
        (
            "two escapes do not continue",
            "",
            "FROM a\nRUN x \\\\\nFROM b\n",
            "-1 from a; 3 from b",
        ),
        (
            "three escapes do not either",
            "",
            "FROM a\nRUN x \\\\\\\nFROM b\n",
            "-1 from a; 3 from b",
        ),
        (
            "as the last character",
            "",
            "FROM node:22 \\",
            "1 from node:22",
        ),
        (
            "at the end, inside the word",
            "",
            "FROM node:22\\",
            "1 from node:22",
        ),
        (
            "a line of its own",
            "",
            "\\\nFROM node:22",
            "1 from node:22",
        ),
        (
            "nothing but an escape",
            "",
            "FROM a\n\\\n",
            "! 2 no instruction",
        ),
        (
            "CRLF behind the escape",
            "",
            "FROM \\\r\nnode:22\r\n",
            "1 from node:22",
        ),
        (
            "the line is that of the instruction",
            "",
            "FROM a\nRUN --mount=from=b:1,target=/b \\\n --mount=from=c:1,target=/c \\\n x",
            "1 from a; 2 mount b:1; 2 mount c:1",
        ),
        (
            "goes on to the end of the file",
            "",
            "FROM a\nRUN x \\\n  && y \\\n",
            "1 from a",
        ),
        (
            "a comment looks like an end",
            "",
            "FROM a\nRUN x \\\n# y \\\n z\nFROM b",
            "-1 from a; 5 from b",
        ),
        (
            "form feed behind the escape does not count as a blank",
            "",
            "FROM a\nRUN x \\\x0c\nFROM b",
            "-1 from a; 3 from b",
        ),
    ]);
}

#[test]
fn directives() {
    check(&[
        (
            "syntax names no base",
            "",
            "# syntax=docker/dockerfile:1\nFROM a",
            "2 from a",
        ),
        (
            "escape",
            "",
            "# escape=`\nFROM `\nnode:22",
            "2 from node:22",
        ),
        (
            "escape, any case, blanks",
            "",
            "#  EsCaPe  = ` \nFROM `\nnode:22",
            "2 from node:22",
        ),
        (
            "escape, indented",
            "",
            "  # escape=`\nFROM `\nnode:22",
            "2 from node:22",
        ),
        (
            "a backslash is then ordinary",
            "",
            "# escape=`\nFROM a\nRUN dir c:\\\nFROM b",
            "-2 from a; 4 from b",
        ),
        (
            "the usual one may be named",
            "",
            "# escape=\\\nFROM \\\nb",
            "2 from b",
        ),
        (
            "other values are refused",
            "",
            "# escape=x\nFROM a",
            "! 1 escape character",
        ),
        (
            "no value is a comment",
            "",
            "# escape=\nFROM a\\\n:1",
            "2 from a:1",
        ),
        (
            "a blank value is refused",
            "",
            "# escape= \nFROM a",
            "! 1 escape character",
        ),
        (
            "two of them",
            "",
            "# escape=`\n# escape=`\nFROM a",
            "! 2 second",
        ),
        (
            "two syntaxes",
            "",
            "# syntax=a\n# SYNTAX=b\nFROM a",
            "! 2 second",
        ),
        (
            "after a comment it is one",
            "",
            "# hello\n# escape=`\nFROM \\\nb",
            "3 from b",
        ),
        (
            "after a blank line it is a comment",
            "",
            "\n# escape=`\nFROM \\\nb",
            "3 from b",
        ),
        (
            "after an unknown directive it is a comment",
            "",
            "# foo=bar\n# escape=`\nFROM \\\nb",
            "3 from b",
        ),
        (
            "after syntax and check it counts",
            "",
            "# syntax=a\n# check=skip=all\n# escape=`\nFROM `\nb",
            "4 from b",
        ),
        (
            "after a byte order mark",
            "",
            "\u{feff}# escape=`\nFROM `\nb",
            "2 from b",
        ),
        (
            "after FROM it is a comment",
            "",
            "FROM a\n# escape=`\nRUN x \\\nFROM b",
            "1 from a",
        ),
        (
            "check with an unknown option",
            "",
            "# check=foo=1\nFROM a",
            "! 1 check",
        ),
        (
            "check without a value",
            "",
            "# check=skip\nFROM a",
            "! 1 check",
        ),
        (
            "check with all options",
            "",
            "# check=skip=A,B;error=true\nFROM a",
            "2 from a",
        ),
        (
            "check behind a shebang",
            "",
            "#!/usr/bin/env x\n# check=error=maybe\nFROM a",
            "! 2 check",
        ),
    ]);
}

#[test]
fn here_documents() {
    check(&[
        (
            "RUN",
            "",
            "FROM a\nRUN <<EOF\nFROM b\nEOF\nFROM c",
            "-1 from a; 5 from c",
        ),
        ("COPY", "", "FROM a\nCOPY <<EOF /x\nFROM b\nEOF", "1 from a"),
        ("ADD", "", "FROM a\nADD <<EOF /x\nFROM b\nEOF", "1 from a"),
        (
            "ONBUILD",
            "",
            "FROM a\nONBUILD RUN <<EOF\nFROM b\nEOF",
            "1 from a",
        ),
        (
            "quoted",
            "",
            "FROM a\nRUN <<\"E F\"\nFROM b\nE F",
            "1 from a",
        ),
        (
            "single quoted",
            "",
            "FROM a\nRUN <<'EOF'\nFROM b\nEOF",
            "1 from a",
        ),
        (
            "with a blank",
            "",
            "FROM a\nRUN cat << EOF\nFROM b\nEOF",
            "1 from a",
        ),
        (
            "with a file descriptor",
            "",
            "FROM a\nRUN cat 3<<EOF\nFROM b\nEOF",
            "1 from a",
        ),
        (
            "two on one line",
            "",
            "FROM a\nRUN cat <<A <<B\nB\nA\nFROM b\nB",
            "1 from a",
        ),
        (
            "tabs in front of the end",
            "",
            "FROM a\nRUN <<-EOF\n\tFROM b\n\tEOF\nFROM c",
            "-1 from a; 5 from c",
        ),
        (
            "tabs count without the dash",
            "",
            "FROM a\nRUN <<EOF\n\tEOF\nFROM b",
            "! 2 ends the here-document",
        ),
        (
            "blanks count with the dash",
            "",
            "FROM a\nRUN <<-EOF\n EOF\nFROM b",
            "! 2 ends the here-document",
        ),
        (
            "the end is the whole line",
            "",
            "FROM a\nRUN <<EOF\nEOF x\nEOF",
            "1 from a",
        ),
        (
            "CRLF",
            "",
            "FROM a\r\nRUN <<EOF\r\nFROM b\r\nEOF\r\n",
            "1 from a",
        ),
        (
            "starts after the joined line",
            "",
            "FROM a\nRUN <<EOF \\\n  x\nFROM b\nEOF",
            "1 from a",
        ),
        (
            "not ended",
            "",
            "FROM a\nRUN <<EOF\nx",
            "! 2 ends the here-document",
        ),
        (
            "three angles are none",
            "",
            "FROM a\nRUN cat <<<EOF\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "an escaped angle is none",
            "",
            "FROM a\nRUN cat \\<<EOF\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "in quotes it is none",
            "",
            "FROM a\nRUN echo '<<EOF'\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "in double quotes it is none",
            "",
            "FROM a\nRUN echo \"<<EOF\"\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "in exec form it is none",
            "",
            "FROM a\nRUN [\"cat\", \"<<EOF\"]\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "in CMD it is none",
            "",
            "FROM a\nCMD cat <<EOF\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "in LABEL it is none",
            "",
            "FROM a\nLABEL x=<<EOF\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "in ENV it is none",
            "",
            "FROM a\nENV x <<EOF\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "in a comment line it is none",
            "",
            "FROM a\nRUN x \\\n# <<EOF\n y\nFROM b",
            "-1 from a; 5 from b",
        ),
        (
            "in a comment of the shell it is one",
            "",
            "FROM a\nRUN x # see <<EOF\nFROM b\nEOF",
            "1 from a",
        ),
        (
            "a quote left open turns it off",
            "",
            "FROM a\nRUN echo it's <<EOF\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "a shift with blanks is one that never ends",
            "",
            "FROM a\nRUN echo $((1 << 4))\nFROM b",
            "! 2 ends the here-document",
        ),
        (
            "a shift without blanks is none",
            "",
            "FROM a\nRUN echo $((1<<4))\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "an empty name is none",
            "",
            "FROM a\nRUN cat <<\"\"\nFROM b",
            "-1 from a; 3 from b",
        ),
        (
            "as the destination",
            "",
            "FROM a\nCOPY x <<EOF\nEOF",
            "! 2 here-document",
        ),
        (
            "a body may hold anything",
            "",
            "FROM a\nRUN <<EOF\n\0\"'${\nEOF\n",
            "1 from a",
        ),
        (
            "the escape directive does not matter",
            "",
            "# escape=`\nFROM a\nRUN cat \\<<EOF\nFROM b",
            "-2 from a; 4 from b",
        ),
        (
            "a variable in the name",
            "",
            "FROM a\nRUN <<E$V\nFROM b\nE$V",
            "1 from a",
        ),
        (
            "COPY expands what is in it",
            "",
            "FROM a\nCOPY <<EOF /x\n${a^^}\nEOF",
            "! 3 no substitution",
        ),
        (
            "quotes in it do not matter",
            "",
            "FROM a\nCOPY <<EOF /x\nit's \"\nEOF",
            "1 from a",
        ),
        (
            "a quoted name keeps it as it is",
            "",
            "FROM a\nCOPY <<'EOF' /x\n${a^^}\nEOF",
            "1 from a",
        ),
        (
            "RUN expands nothing",
            "",
            "FROM a\nRUN <<EOF\n${a^^}\nEOF",
            "1 from a",
        ),
    ]);
}

#[test]
fn bytes_that_are_no_text() {
    for (name, bytes, expected) in [
        ("in a comment", &b"# \xff\xfe\nFROM a"[..], "2 from a"),
        (
            "in a command",
            b"FROM a\nRUN echo \xff\0\nCOPY --from=b:1 \xff /x",
            "1 from a; 3 copy b:1",
        ),
        (
            "in a here-document",
            b"FROM a\nRUN <<E\n\xff\nE\n",
            "1 from a",
        ),
        ("in a reference", b"FROM a\xff", "! 1 no image reference"),
        ("NUL in a reference", b"FROM a\0", "! 1 no image reference"),
        (
            "in a name of a stage",
            b"FROM a AS b\xff",
            "! 1 name of a stage",
        ),
        (
            "as the end of a here-document",
            b"FROM a\nRUN <<E\xff\nE\xff\n",
            "! 2 ends the here-document",
        ),
        (
            "UTF-16",
            b"\xff\xfeF\0R\0O\0M\0 \0a\0",
            "! 1 no instruction",
        ),
        // The flag ends in the middle of the letter.
        (
            "a byte that is a blank in flags",
            b"FROM a\nCOPY --chown=\xc3\xa0 x /y",
            "1 from a",
        ),
    ] {
        check_bytes(name, "", bytes, expected).unwrap();
    }
}
