//! Every instruction is checked.

use super::*;

#[test]
fn instructions_that_are_refused() {
    check(&[
        ("ENV with a name only", "", "FROM a\nENV A", "! 2 no value"),
        ("ENV without", "", "FROM a\nENV", "! 2 needs an argument"),
        ("ENV, mixed forms", "", "FROM a\nENV A=1 B", "! 2 no `=`"),
        ("ENV without a name", "", "FROM a\nENV =1", "! 2 no name"),
        (
            "ENV with a flag",
            "",
            "FROM a\nENV --x A=1",
            "! 2 has no flag",
        ),
        (
            "LABEL with a name only",
            "",
            "FROM a\nLABEL a",
            "! 2 no value",
        ),
        (
            "LABEL, quote left open",
            "",
            "FROM a\nLABEL a=\"b",
            "! 2 quote",
        ),
        (
            "SHELL without JSON",
            "",
            "FROM a\nSHELL bash -c",
            "! 2 JSON",
        ),
        ("SHELL with nothing", "", "FROM a\nSHELL []", "! 2 JSON"),
        (
            "COPY with one argument",
            "",
            "FROM a\nCOPY x",
            "! 2 destination",
        ),
        (
            "ADD with one argument",
            "",
            "FROM a\nADD x",
            "! 2 destination",
        ),
        ("COPY with none", "", "FROM a\nCOPY", "! 2 destination"),
        (
            "HEALTHCHECK of an unknown type",
            "",
            "FROM a\nHEALTHCHECK curl x",
            "! 2 knows no `curl`",
        ),
        (
            "HEALTHCHECK alone",
            "",
            "FROM a\nHEALTHCHECK",
            "! 2 needs an argument",
        ),
        (
            "HEALTHCHECK CMD alone",
            "",
            "FROM a\nHEALTHCHECK CMD",
            "! 2 no command",
        ),
        (
            "HEALTHCHECK NONE with more",
            "",
            "FROM a\nHEALTHCHECK NONE x",
            "! 2 no arguments",
        ),
        (
            "HEALTHCHECK, no duration",
            "",
            "FROM a\nHEALTHCHECK --interval=30 CMD x",
            "! 2 no duration",
        ),
        (
            "HEALTHCHECK, too short",
            "",
            "FROM a\nHEALTHCHECK --timeout=1us CMD x",
            "! 2 no duration",
        ),
        (
            "HEALTHCHECK, retries",
            "",
            "FROM a\nHEALTHCHECK --retries=-1 CMD x",
            "! 2 no number",
        ),
        (
            "HEALTHCHECK, unknown flag",
            "",
            "FROM a\nHEALTHCHECK --retry=1 CMD x",
            "! 2 no flag",
        ),
        (
            "EXPOSE alone",
            "",
            "FROM a\nEXPOSE",
            "! 2 needs an argument",
        ),
        ("EXPOSE, no port", "", "FROM a\nEXPOSE http", "! 2 no port"),
        (
            "EXPOSE, protocol",
            "",
            "FROM a\nEXPOSE 80/http",
            "! 2 no port",
        ),
        ("USER alone", "", "FROM a\nUSER", "! 2 needs an argument"),
        (
            "WORKDIR alone",
            "",
            "FROM a\nWORKDIR",
            "! 2 needs an argument",
        ),
        (
            "WORKDIR, bad variable",
            "",
            "FROM a\nWORKDIR ${A",
            "! 2 not closed",
        ),
        (
            "VOLUME alone",
            "",
            "FROM a\nVOLUME",
            "! 2 needs an argument",
        ),
        (
            "VOLUME, empty",
            "",
            "FROM a\nVOLUME [\"\"]",
            "! 2 empty path",
        ),
        (
            "VOLUME of numbers",
            "",
            "FROM a\nVOLUME [1]",
            "! 2 strings only",
        ),
        (
            "STOPSIGNAL alone",
            "",
            "FROM a\nSTOPSIGNAL",
            "! 2 needs an argument",
        ),
        (
            "STOPSIGNAL, unknown",
            "",
            "FROM a\nSTOPSIGNAL SIGNOPE",
            "! 2 no signal",
        ),
        (
            "MAINTAINER alone",
            "",
            "FROM a\nMAINTAINER",
            "! 2 needs an argument",
        ),
        ("CMD of numbers", "", "FROM a\nCMD [1]", "! 2 strings only"),
        (
            "CMD with a flag",
            "",
            "FROM a\nCMD --x y",
            "! 2 has no flag",
        ),
        (
            "RUN with an unknown flag",
            "",
            "FROM a\nRUN --mnt=from=b x",
            "! 2 no flag",
        ),
        (
            "RUN, unknown network",
            "",
            "FROM a\nRUN --network=x y",
            "! 2 not known",
        ),
        (
            "RUN, unknown security",
            "",
            "FROM a\nRUN --security=x y",
            "! 2 not known",
        ),
        (
            "COPY, no mode",
            "",
            "FROM a\nCOPY --chmod=rwx x /y",
            "! 2 no mode",
        ),
        (
            "ADD, checksum of two",
            "",
            "FROM a\nADD --checksum=sha256:x a b /c",
            "! 2 exactly one",
        ),
        (
            "a command without its instruction",
            "",
            "FROM a\nRUN x\n  && y",
            "! 3 no instruction `&&`",
        ),
    ]);
}

#[test]
fn instructions_that_are_taken() {
    check(&[
        ("ENV, old form", "", "FROM a\nENV A b c", "1 from a"),
        (
            "ENV, several",
            "",
            "FROM a\nENV A=1 B=\"2 3\" C=d\\ e",
            "1 from a",
        ),
        ("RUN alone", "", "FROM a\nRUN", "1 from a"),
        ("CMD alone", "", "FROM a\nCMD", "1 from a"),
        (
            "CMD, broken JSON is a command",
            "",
            "FROM a\nCMD [\"x\", ]",
            "1 from a",
        ),
        (
            "ENTRYPOINT, empty array",
            "",
            "FROM a\nENTRYPOINT []",
            "1 from a",
        ),
        (
            "HEALTHCHECK",
            "",
            "FROM a\nHEALTHCHECK --interval=1m30s --timeout=3s --retries=3 CMD curl x || exit 1",
            "1 from a",
        ),
        (
            "HEALTHCHECK, exec form",
            "",
            "FROM a\nHEALTHCHECK CMD [\"curl\"]",
            "1 from a",
        ),
        (
            "HEALTHCHECK NONE",
            "",
            "FROM a\nHEALTHCHECK NONE",
            "1 from a",
        ),
        (
            "HEALTHCHECK in lower case",
            "",
            "FROM a\nhealthcheck none",
            "1 from a",
        ),
        (
            "EXPOSE",
            "",
            "FROM a\nEXPOSE 80 443/tcp 8000-8010/udp $PORT",
            "1 from a",
        ),
        ("STOPSIGNAL", "", "FROM a\nSTOPSIGNAL SIGQUIT", "1 from a"),
        (
            "STOPSIGNAL of a variable",
            "",
            "FROM a\nSTOPSIGNAL $SIGNAL",
            "1 from a",
        ),
        (
            "STOPSIGNAL of a default",
            "",
            "FROM a\nSTOPSIGNAL ${SIGNAL:-nope}",
            "1 from a",
        ),
        ("USER with blanks", "", "FROM a\nUSER a b", "1 from a"),
        (
            "MAINTAINER",
            "",
            "FROM a\nMAINTAINER Jo <jo@example.com>",
            "1 from a",
        ),
        (
            "VOLUME",
            "",
            "FROM a\nVOLUME /x /y\nVOLUME [\"/z\"]",
            "1 from a",
        ),
        (
            "SHELL",
            "",
            "FROM a\nSHELL [\"/bin/bash\", \"-c\"]",
            "1 from a",
        ),
        (
            "ADD",
            "",
            "FROM a\nADD --keep-git-dir=true --checksum=sha256:x https://x/y /z",
            "1 from a",
        ),
        (
            "COPY, symbolic mode",
            "",
            "FROM a\nCOPY --chmod=u=rwX,go=rX x /y",
            "1 from a",
        ),
        (
            "RUN with all flags",
            "",
            "FROM a\nRUN --network=none --security=sandbox x",
            "1 from a",
        ),
        (
            "a demanded variable of a stage may come from its base",
            "",
            "FROM a\nWORKDIR ${DIR:?no}",
            "1 from a",
        ),
    ]);
}

#[test]
fn all_faults_are_told_in_order() {
    let text = "FROM A\nRNU x\nCOPY y\nFROM b:1:2 AS 1\n";
    let faults = read(text.as_bytes(), "").unwrap_err();
    let lines: Vec<usize> = faults
        .iter()
        .map(|fault| fault.position(text.as_bytes()).line)
        .collect();
    assert_eq!(lines, [1, 2, 3, 4]);
    assert_eq!(faults[1].help.as_deref(), Some("did you mean `RUN`?"));
    let many = format!("FROM a\n{}", "FOO\n".repeat(5_000));
    assert!(read(many.as_bytes(), "").unwrap_err().len() <= 101);
}
