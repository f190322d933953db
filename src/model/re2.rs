//! Regular expressions that Go's RE2 (which Kargo runs) and Rust's regex crate
//! both take, with the same meaning for tags, which are ASCII.
//!
//! Kargo compiles a pattern only when it looks for tags, so a pattern that only
//! Rust knows would pass here and fail in the cluster. What is accepted is
//! therefore the common part; the rules are Go's `regexp/syntax` (1.25) and
//! `regex-syntax` (0.8), and what differs between them was tried with both.

use regex_syntax::ast::{
    AssertionKind, Ast, ClassSet, ClassSetItem, Flag, Flags, FlagsItemKind, GroupKind,
    HexLiteralKind, Literal, LiteralKind, RepetitionKind, RepetitionRange, parse::ParserBuilder,
};

use super::parse::Invalid;

/// Longest pattern in bytes; keeps what both engines build from it small.
const LONGEST: usize = 512;
/// Groups in each other; keeps the walk below from using much stack.
const DEEPEST: u32 = 50;
/// Go refuses counts, and products of nested counts, above this.
const HIGHEST_COUNT: u32 = 1000;

const HELP: &str = "use what Go and Rust have in common: literals, `.`, `[a-z]`, `\\d`, `(a|b)`, `*`, `+`, `?`, \
                    `{1,3}`, `^` and `$`";

/// Is the pattern one that both engines take with the same meaning?
pub(super) fn check(pattern: &str) -> Result<(), Invalid> {
    if pattern.is_empty() {
        return Err(Invalid::new(
            "is empty, so it would match every tag",
            "write `.*` if that is meant",
        ));
    }
    if pattern.len() > LONGEST {
        return Err(Invalid::new("is longer than 512 bytes", "shorten it"));
    }
    let parsed = ParserBuilder::new()
        .nest_limit(DEEPEST)
        .build()
        .parse(pattern);
    let why = match parsed {
        Ok(ast) => match walk(&ast, HIGHEST_COUNT) {
            Ok(()) => return Ok(()),
            Err(why) => why.to_owned(),
        },
        Err(error) => format!("does not compile: {}", error.kind()),
    };
    Err(Invalid::new(why, HELP))
}

/// `counts` is what a count may still be, given the counts around it.
fn walk(ast: &Ast, counts: u32) -> Result<(), &'static str> {
    match ast {
        Ast::Empty(_) | Ast::Dot(_) | Ast::ClassPerl(_) => Ok(()),
        Ast::Flags(set) => flags(&set.flags),
        Ast::Literal(found) => literal(found),
        Ast::Assertion(assertion) => match assertion.kind {
            AssertionKind::StartLine
            | AssertionKind::EndLine
            | AssertionKind::StartText
            | AssertionKind::EndText
            | AssertionKind::WordBoundary
            | AssertionKind::NotWordBoundary => Ok(()),
            _ => Err("has a word boundary that Go reads otherwise"),
        },
        Ast::ClassUnicode(_) => Err("has a Unicode class, whose names differ; tags are ASCII"),
        Ast::ClassBracketed(class) => class_set(&class.kind),
        Ast::Repetition(repetition) => {
            if matches!(&*repetition.ast, Ast::Repetition(_)) {
                return Err("repeats a repetition, which Go refuses");
            }
            let counts = match &repetition.op.kind {
                RepetitionKind::Range(range) => below(range, counts)?,
                _ => counts,
            };
            walk(&repetition.ast, counts)
        }
        Ast::Group(group) => {
            match &group.kind {
                GroupKind::CaptureIndex(_) => {}
                GroupKind::CaptureName { name, .. } => {
                    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
                    if !name.name.bytes().all(word) {
                        return Err("has a group name that Go refuses");
                    }
                }
                GroupKind::NonCapturing(set) => flags(set)?,
            }
            walk(&group.ast, counts)
        }
        Ast::Alternation(alternation) => alternation
            .asts
            .iter()
            .try_for_each(|ast| walk(ast, counts)),
        Ast::Concat(concat) => concat.asts.iter().try_for_each(|ast| walk(ast, counts)),
    }
}

/// What counts inside this one may be: Go bounds the product.
fn below(range: &RepetitionRange, counts: u32) -> Result<u32, &'static str> {
    let count = match *range {
        RepetitionRange::Exactly(count) | RepetitionRange::AtLeast(count) => count,
        RepetitionRange::Bounded(_, most) => most,
    };
    if count > counts {
        return Err("repeats more than 1000 times in all, which Go refuses");
    }
    Ok(counts.checked_div(count).unwrap_or(counts))
}

fn flags(set: &Flags) -> Result<(), &'static str> {
    let known = set.items.iter().all(|item| {
        matches!(
            item.kind,
            FlagsItemKind::Negation
                | FlagsItemKind::Flag(
                    Flag::CaseInsensitive
                        | Flag::MultiLine
                        | Flag::DotMatchesNewLine
                        | Flag::SwapGreed
                )
        )
    });
    if known {
        Ok(())
    } else {
        Err("has a flag that Go does not know")
    }
}

fn literal(found: &Literal) -> Result<(), &'static str> {
    match &found.kind {
        LiteralKind::HexFixed(kind) | LiteralKind::HexBrace(kind)
            if !matches!(kind, HexLiteralKind::X) =>
        {
            Err("has `\\u` or `\\U`, which Go refuses")
        }
        LiteralKind::Octal => Err("has an octal escape, which Rust refuses"),
        _ => Ok(()),
    }
}

/// The content of brackets; iterative, since a class parsed by the other
/// engine's rules may nest.
fn class_set(set: &ClassSet) -> Result<(), &'static str> {
    let items = match set {
        ClassSet::BinaryOp(_) => {
            return Err("has a set operation in brackets, which Go reads as letters");
        }
        ClassSet::Item(ClassSetItem::Union(union)) => union.items.as_slice(),
        ClassSet::Item(item) => std::slice::from_ref(item),
    };
    items.iter().try_for_each(|item| match item {
        ClassSetItem::Empty(_) | ClassSetItem::Ascii(_) | ClassSetItem::Perl(_) => Ok(()),
        ClassSetItem::Literal(found) => literal(found),
        ClassSetItem::Range(range) => literal(&range.start).and_then(|()| literal(&range.end)),
        ClassSetItem::Unicode(_) => Err("has a Unicode class, whose names differ; tags are ASCII"),
        ClassSetItem::Bracketed(_) | ClassSetItem::Union(_) => {
            Err("has brackets in brackets, which Go reads as letters")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_common_part_is_taken() {
        for good in [
            "^16-alpine$",
            r"^3\.1[0-9]-slim$",
            "^(a|b)$",
            r"^v?\d+\.\d+(\.\d+)?$",
            "(?i)^rc",
            "(?i:a)b",
            "(?P<n>a)",
            "(?<n_1>a)",
            "a*?",
            "a{2,3}",
            "a{1000}",
            "(?:a*)*",
            "(a{10}){100}",
            "[[:alpha:]_-]",
            "[^a-z]",
            r"[\w.-]",
            r"\x41\x{42}",
            r"\t\a",
            ".*",
            "a|",
            "()",
            r"\A\bx\z",
            "[]a]",
            "[a-]",
            r"\-\_\.",
            "}",
            "]",
            "(?s-i).",
            "(?m)^a$",
            "(?U)a*",
        ] {
            assert!(check(good).is_ok(), "{good}: {:?}", check(good));
        }
    }

    #[test]
    fn what_only_rust_takes_is_refused() {
        for bad in [
            "a**",
            "a++",
            "a{2}{3}",
            "a*??",
            "a{1001}",
            "a{2,1001}",
            "a{1001,}",
            "(a{100}){100}",
            "((a{10}){11}){10}",
            "(?x)a",
            "(?R)a",
            "(?u)a",
            "(?-u)a",
            r"\u{41}",
            r"\u0041",
            r"\U00000041",
            "[a--b]",
            r"\p{Script=Greek}",
            "[[:foo:]]",
            "(?P<a.b>x)",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_only_go_takes_is_refused() {
        for bad in [
            "{",
            "a{",
            "a{,5}",
            "[[]",
            r"\Qa.b\E",
            r"\01",
            r"\123",
            r"[\d-x]",
            r"\p{^Greek}",
            "(?P<1a>x)",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_means_something_else_to_each_is_refused() {
        for bad in [
            "[a&&b]",
            "[a~~b]",
            "[a[b]]",
            r"\<a",
            r"a\>",
            r"\b{start}",
            r"\b{end-half}",
            r"\p{Greek}",
            r"[\pL]",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_neither_takes_is_refused() {
        for bad in [
            "",
            "(?=a)",
            "(?!a)",
            "(?<=a)",
            "(?<!a)",
            r"(a)\1",
            r"a\Z",
            r"\C",
            r"\e",
            r"\h",
            "(?P<a-b>x)",
            "(",
            ")",
            "[",
            "*",
            "+a",
            "a|*",
            r"\",
            "[b-a]",
            "(?P<n>a)(?P<n>b)",
            "(?P=n)",
            "a{3,2}",
            "(?z)",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&"(".repeat(200)).is_err());
        let deep = format!("{}a{}", "(".repeat(60), ")".repeat(60));
        assert!(check(&deep).is_err());
        assert!(check(&"a".repeat(513)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in r"[\[\](){}|*+?^$.\\a-z0-9&~:<>=!, -]{0,24}|.{0,24}") {
            let _ = check(&text);
        }

        #[test]
        fn what_passes_compiles(text in r"[\[\](){}|*+?^$.\\a-dwsdx0-3:, -]{0,16}") {
            if check(&text).is_ok() {
                prop_assert!(regex_syntax::parse(&text).is_ok(), "{}", text);
            }
        }
    }
}
