//! What is huge is read or refused, and in no time.

use super::*;

#[test]
fn a_line_has_at_most_65535_bytes() {
    for (length, taken) in [(65_535, true), (65_536, false)] {
        let line = format!("RUN {}", "x".repeat(length - 4));
        for text in [
            format!("FROM a\n{line}\n"),
            format!("FROM a\n{line}"),
            format!("{line}\nFROM a\n"),
        ] {
            let faults = read(text.as_bytes(), "").err().unwrap_or_default();
            let long = faults
                .iter()
                .any(|fault| fault.message.contains("longer than 65535 bytes"));
            assert_eq!(long, !taken, "{length}");
        }
    }
    let body = format!("FROM a\nRUN <<E\n{}\nE\n", "x".repeat(70_000));
    assert!(read(body.as_bytes(), "").is_err());
}

#[test]
fn an_instruction_may_be_as_long_as_it_likes() {
    let line = format!("  {} \\\n", "x".repeat(60_000));
    let text = format!(
        "FROM a\nRUN y \\\n{}  z\nCOPY --from=b /x /y\n",
        line.repeat(100)
    );
    check_bytes("long", "", text.as_bytes(), "1 from a; 104 copy b").unwrap();
}

#[test]
fn nesting_is_bounded() {
    let nested = |deep: usize| format!("FROM {}a{}", "${V:-".repeat(deep), "}".repeat(deep));
    check_bytes("100 deep", "", nested(100).as_bytes(), "1 from a").unwrap();
    check_bytes("deeper", "", nested(101).as_bytes(), "! 1 nested").unwrap();
    let onbuild = format!("FROM a\n{}RUN x", "ONBUILD \u{feff}".repeat(5_000));
    assert!(read(onbuild.as_bytes(), "").is_ok());
    let chain: String = (1..3_000)
        .map(|n| format!("FROM s{} AS s{n}\n", n - 1))
        .collect();
    check_bytes("chain", "", chain.as_bytes(), "1 from s0").unwrap();
    let copies: String = (1..3_000)
        .map(|n| format!("FROM a AS s{n}\nCOPY --from=s{} x y\n", n + 1))
        .collect();
    assert!(read(format!("{copies}FROM a AS s3000\n").as_bytes(), "").is_ok());
}

#[test]
fn variables_that_double_are_stopped() {
    let mut text = String::from("ARG A0=xxxxxxxxxxxxxxxx\n");
    for n in 1..60 {
        text.push_str(&format!("ARG A{n}=$A{}$A{}\n", n - 1, n - 1));
    }
    text.push_str("FROM a\n");
    let faults = read(text.as_bytes(), "").unwrap_err();
    assert!(
        faults[0].message.contains("64 MiB"),
        "{}",
        faults[0].message
    );
    let patterns = "ARG B=${A#x}\n".repeat(2_001);
    let faults = read(format!("ARG A=1\n{patterns}FROM a").as_bytes(), "").unwrap_err();
    assert!(
        faults[0].message.contains("2000 patterns"),
        "{}",
        faults[0].message
    );
}

#[test]
fn what_only_fills_the_memory_is_refused() {
    let onbuilds = format!(
        "FROM a AS s\n{}{}",
        "ONBUILD COPY --from=b x y\n".repeat(1_000),
        "FROM s\n".repeat(1_000)
    );
    let copies = format!(
        "ARG V={}\nFROM a:${{V//x/{}}}",
        "x".repeat(60_000),
        "y".repeat(2_000)
    );
    for (text, word) in [
        ("FROM a\n".repeat(100_001), "more than 100000"),
        ("ARG A\n".repeat(100_001), "more than 100000"),
        (
            format!("FROM a\n{}", "RUN --mount=typo=x y\n".repeat(10_001)),
            "no `typo`",
        ),
        (
            format!("FROM a\nENV {}", "a=${ ".repeat(10_001)),
            "more than 100000",
        ),
        (onbuilds, "more than 100000"),
        (copies, "64 MiB"),
        ("# syntax=a\n".repeat(100_000), "a second"),
    ] {
        let faults = read(text.as_bytes(), "").unwrap_err();
        let told = faults.iter().any(|fault| fault.message.contains(word));
        assert!(told, "{word}: {:?}", faults.last());
        assert!(faults.len() <= 101, "{}", faults.len());
    }
}

#[test]
fn looking_for_a_place_takes_no_time() {
    let part = "=a".repeat(30_000);
    let line = format!("{part}\\\n");
    let text = format!(
        "FROM a\nRUN --mount=from={},x={}",
        line.repeat(20),
        line.repeat(100)
    );
    assert!(read(text.as_bytes(), "").is_err());
}
