//! Input that is no schema at all: an error, never a crash or a hang.

use std::time::Instant;

use crd_codegen::format;
use crd_codegen::import::Options;
use proptest::prelude::*;

use crate::read;

#[test]
fn deep_nesting_is_refused() {
    let deep = 100_000;
    let inputs = [
        "{\"type\": \"object\", \"properties\": {\"a\": ".repeat(deep),
        "[".repeat(deep),
        "{a: ".repeat(deep),
        "- ".repeat(deep),
        (0..2000)
            .map(|level| format!("{}a:\n", " ".repeat(level)))
            .collect(),
        format!("type: object\nnot: {}", "{not: ".repeat(deep)),
    ];
    for input in inputs {
        let start = Instant::now();
        assert!(read(&input, &Options::default()).is_err());
        assert!(start.elapsed().as_secs() < 60, "{}…", &input[..20]);
    }
    let error = read(&"{a: ".repeat(deep), &Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.yaml:1:4001: more than 1000 brackets are open at once"
    );
}

#[test]
fn an_alias_bomb_is_refused_soon() {
    let mut text = String::from("type: object\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let alias = format!("*a{},", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    let start = Instant::now();
    let error = read(&text, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("repetition limit"), "{error}");
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
fn a_wide_schema_is_read_in_linear_time() {
    let wide = |count: usize| -> String {
        let properties: String = (0..count)
            .map(|index| format!("  p{index}: {{type: string}}\n"))
            .collect();
        format!("type: object\nproperties:\n{properties}")
    };
    let facts = read(&wide(20_000), &Options::default()).unwrap().facts;
    let text = format::write(&facts);
    assert_eq!(format::parse("x", &text).unwrap(), facts);
    assert_eq!(crd_codegen::diff::diff(&facts, &facts), vec![]);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = read(&text, &Options::default());
        let _ = format::parse("x", &text);
        let _ = format::parse("x", &format!("crd-facts 1\nname x\nsource x\nlicence x\nroot: {text}"));
    }

    /// A facts file with one stretch cut out or doubled.
    #[test]
    fn a_mangled_facts_file_is_read_or_refused(start in 0usize..4000, length in 0usize..200, twice: bool) {
        let text = include_str!("../../../schemas/stage.facts");
        let chars: Vec<char> = text.chars().collect();
        let start = start.min(chars.len());
        let end = (start + length).min(chars.len());
        let mut mangled: String = chars[..start].iter().collect();
        if twice {
            mangled.extend(&chars[start..end]);
            mangled.extend(&chars[start..end]);
        }
        mangled.extend(&chars[end..]);
        if let Ok(facts) = format::parse("x", &mangled) {
            // What is taken is taken for good.
            prop_assert_eq!(format::parse("x", &format::write(&facts)), Ok(facts));
        }
    }
}
