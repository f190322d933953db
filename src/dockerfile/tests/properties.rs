//! What holds for any file.

use super::*;
use proptest::prelude::*;

/// Pieces of Dockerfiles, good and bad.
fn piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "FROM ",
        "from ",
        "AS ",
        "as x",
        " AS y",
        "node:22",
        "x",
        "y",
        "0",
        "scratch",
        "ghcr.io/a/b",
        "[::1]:5/a",
        "A",
        "ARG ",
        "V=1",
        "V",
        "W=$V",
        "$V",
        "${V:-a}",
        "${V",
        "${V#*.}",
        "${V//a/b}",
        "}",
        "'",
        "\"",
        "\\",
        "`",
        "$",
        "COPY ",
        "--from=",
        "x /y",
        "RUN ",
        "--mount=",
        "from=",
        "type=cache,",
        "target=/x",
        ",",
        "ONBUILD ",
        "<<E",
        "<<-\"E\"",
        "E",
        "\nE\n",
        "\n",
        "\r\n",
        "\\\n",
        "`\n",
        "# ",
        "# escape=`\n",
        "#escape=\\\n",
        "# syntax=a\n",
        " ",
        "\t",
        "\u{a0}",
        "\u{feff}",
        "é",
        "[\"a\", \"b\"]",
        "[",
        "ENV A=1",
        "HEALTHCHECK ",
        "CMD ",
        "--platform=",
        "linux/amd64 ",
        "--",
        "@sha256:",
        ":",
        "/",
        "0123456789abcdef",
    ]);
    fixed.prop_map(str::to_owned)
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let pieces =
        prop::collection::vec(piece(), 0..60).prop_map(|parts| parts.concat().into_bytes());
    let stages = prop::collection::vec(piece(), 0..40)
        .prop_map(|parts| format!("ARG V=1\nFROM a AS x\n{}", parts.concat()).into_bytes());
    prop_oneof![
        2 => pieces,
        2 => stages,
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
}

fn on_boundaries(bytes: &[u8], span: Span) -> bool {
    let boundary = |at: usize| match std::str::from_utf8(bytes) {
        Ok(text) => text.is_char_boundary(at),
        Err(_) => at <= bytes.len(),
    };
    span.start <= span.end && boundary(span.start) && boundary(span.end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_file_gets_an_answer_with_true_places(bytes in file(), target in "x?") {
        let build_args = BTreeMap::from([("W".to_owned(), "2".to_owned())]);
        let target = (!target.is_empty()).then_some(target.as_str());
        let options = Options { build_args: &build_args, target };
        match bases(&bytes, &options) {
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    prop_assert!(on_boundaries(&bytes, fault.span), "{fault:?}");
                    prop_assert!(!fault.message.is_empty());
                    let _ = fault.position(&bytes);
                }
            }
            Ok(found) => {
                prop_assert!(!found.stages.is_empty());
                prop_assert!(found.stages.iter().any(|stage| stage.reachable));
                prop_assert!(found.uses.is_sorted_by_key(|one| one.span.start));
                for one in &found.uses {
                    prop_assert!(on_boundaries(&bytes, one.span));
                    prop_assert_eq!(&ImageReference::parse(&one.reference).unwrap(), &one.image);
                    let canonical = one.image.to_string();
                    let again = ImageReference::parse(&canonical).unwrap();
                    prop_assert_eq!(again.to_string(), canonical);
                    prop_assert_eq!(position(&bytes, found.stages[one.stage].span).line, found.stages[one.stage].line);
                    prop_assert_eq!(one.reachable, found.stages[one.stage].reachable);
                }
                for one in &found.unresolved {
                    prop_assert!(on_boundaries(&bytes, one.span));
                }
            }
        }
    }

    #[test]
    fn comments_blank_lines_and_line_ends_change_nothing(lines in prop::collection::vec("(RUN|ENV A=|LABEL b=)[a-z ]{1,9}[a-z]", 0..6)) {
        let mut plain = String::from("FROM a:1 AS x\n");
        let mut other = String::from("\u{feff}\r\n# c\r\nFROM \\\r\n# d\r\n\r\na:1 AS X\r\n");
        for line in &lines {
            plain.push_str(&format!("{line}\n"));
            other.push_str(&format!("\t{line} \\\r\n  # e\r\n\r\n\r\n#\r\n").replace(" \\\r\n  # e", "\r\n  # e"));
        }
        plain.push_str("COPY --from=b:2 /x /y\n");
        other.push_str("copy --from=b:2 /x /y");
        let references = |text: &str| {
            read(text.as_bytes(), "").map(|found| found.uses.into_iter().map(|one| (one.reference, one.kind, one.stage)).collect::<Vec<_>>())
                .map_err(|faults| faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>())
        };
        prop_assert_eq!(references(&plain), references(&other));
    }

    #[test]
    fn what_is_printed_is_read_again(bytes in file()) {
        if let Ok(found) = read(&bytes, "") {
            // A file made of what was found has the same bases.
            let mut text = String::new();
            for one in &found.uses {
                text.push_str(&format!("FROM {}\n", one.reference));
            }
            if !found.uses.is_empty() {
                let again = read(text.as_bytes(), "").unwrap();
                let images = |found: &Bases| found.uses.iter().map(|one| one.image.clone()).collect::<Vec<_>>();
                prop_assert_eq!(images(&again), images(&found));
            }
        }
    }

    #[test]
    fn any_text_is_a_reference_or_none(text in "[a-zA-Z0-9./:@_\\[\\]-]{0,30}|.{0,20}") {
        if let Ok(image) = ImageReference::parse(&text) {
            let canonical = image.to_string();
            prop_assert_eq!(ImageReference::parse(&canonical).map(|again| again.to_string()), Ok(canonical));
        }
    }
}
