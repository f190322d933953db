//! Which tags of a repository count, and how the newest is chosen.

use crate::diagnostics::{Code, code};

use super::parse::{Invalid, Parse, choice_type, text_type};
use super::re2;
use super::reference::{Tag, is_tag};

choice_type! {
    /// `imageSelectionStrategy` as files spell it.
    Strategy("strategy") {
        /// The last tag in the order of its bytes.
        Lexical = "Lexical",
        /// The highest version.
        SemVer = "SemVer",
        /// The tag whose image was built last.
        NewestBuild = "NewestBuild",
        /// One tag whose image changes.
        Digest = "Digest",
    }
}

/// What to watch in a repository: each variant is one of Kargo's strategies
/// with exactly the fields that it heeds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Watch {
    /// One tag, whose digest changes (`Digest` with the tag as `constraint`).
    /// What `allowTags` with a pattern for a single tag becomes.
    Tag(Tag),
    /// The highest version, not strict (`SemVer`, `strictSemvers: false`).
    SemVer {
        /// Only versions in this range.
        constraint: Option<VersionRange>,
        /// Only tags that match.
        tags: Option<Pattern>,
    },
    /// The last tag in the order of its bytes (`Lexical`).
    Lexical {
        /// Only tags that match.
        tags: Option<Pattern>,
    },
    /// The image that was built last (`NewestBuild`); costs a request a tag.
    NewestBuild {
        /// Only tags that match.
        tags: Option<Pattern>,
    },
}

impl Watch {
    /// The watch of a managed image whose entry says nothing: any version.
    #[must_use]
    pub const fn any_version() -> Self {
        Self::SemVer {
            constraint: None,
            tags: None,
        }
    }

    /// The strategy that Kargo is told.
    #[must_use]
    pub const fn strategy(&self) -> Strategy {
        match self {
            Self::Tag(_) => Strategy::Digest,
            Self::SemVer { .. } => Strategy::SemVer,
            Self::Lexical { .. } => Strategy::Lexical,
            Self::NewestBuild { .. } => Strategy::NewestBuild,
        }
    }
}

text_type! {
    /// A regular expression for tags that Go's RE2 and Rust's regex crate both
    /// take, with the same meaning; it matches anywhere in a tag unless anchored.
    Pattern
}

impl Parse for Pattern {
    const CODE: Code = code::INVALID_PATTERN;
    const WHAT: &'static str = "pattern";
    fn parse(text: &str) -> Result<Self, Invalid> {
        re2::check(text)?;
        Ok(Self(text.into()))
    }
}

/// What `allowTags` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TagFilter {
    /// The pattern is anchored and matches this tag only: `^3\.12-slim$`.
    Literal(Tag),
    /// Any other pattern.
    Pattern(Pattern),
}

impl Parse for TagFilter {
    const CODE: Code = code::INVALID_PATTERN;
    const WHAT: &'static str = "pattern";
    fn parse(text: &str) -> Result<Self, Invalid> {
        match literal(text, "\\") {
            Some(tag) => Ok(Self::Literal(tag)),
            None => Pattern::parse(text).map(Self::Pattern),
        }
    }
}

/// The single tag that `^…$` matches, if every special character in it is
/// escaped by `escape`.
pub(super) fn literal(pattern: &str, escape: &str) -> Option<Tag> {
    let inner = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if inner.bytes().all(word) {
        return Tag::parse(inner).ok();
    }
    let mut tag = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        let (escaped, after) = match rest.strip_prefix(escape) {
            Some(after) => (true, after),
            None => (false, rest),
        };
        let c = if escaped { after.chars().next()? } else { c };
        let fits = match c {
            '.' => escaped,
            '-' | '_' => true,
            c => c.is_ascii_alphanumeric() && !escaped,
        };
        if !fits {
            return None;
        }
        tag.push(c);
        rest = after.get(c.len_utf8()..)?;
    }
    if is_tag(&tag) {
        Tag::parse(&tag).ok()
    } else {
        None
    }
}

impl Tag {
    /// The pattern that matches this tag only: `^3\.12-slim$`.
    #[must_use]
    pub fn pattern(&self) -> String {
        format!("^{}$", self.as_str().replace('.', "\\."))
    }
}

/// The pattern that was meant, if an older program wrote it with each backslash
/// doubled, so that it matched no tag: `^22\\.04$` for `^22\.04$`.
#[must_use]
pub fn mended_pattern(text: &str) -> Option<String> {
    if text.contains('\\') {
        literal(text, "\\\\").map(|tag| tag.pattern())
    } else {
        None
    }
}

text_type! {
    /// A range of versions as Masterminds/semver v3 reads it: `^1.2`, `>=1.4 <2`, `1.x || ~3.1`.
    VersionRange
}

impl Parse for VersionRange {
    const CODE: Code = code::INVALID_CONSTRAINT;
    const WHAT: &'static str = "constraint";
    fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() <= 512 && text.split("||").all(is_conjunction) {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new(
            "is no range of versions",
            "write a range such as `^1.2`, `~3.1`, `>=1.4.0 <2.0.0` or `1.x || 2.x`",
        ))
    }
}

/// Comparisons joined by blanks or commas, all of which must hold.
fn is_conjunction(text: &str) -> bool {
    let mut rest = text.trim_matches(' ');
    if rest.is_empty() {
        return false;
    }
    if let Some((from, to)) = rest.split_once(" - ") {
        return is_version(from.trim_matches(' ')) && is_version(to.trim_matches(' '));
    }
    loop {
        let operator = ["<=", "=<", ">=", "=>", "!=", "~>", "=", "<", ">", "~", "^"]
            .iter()
            .find_map(|operator| rest.strip_prefix(operator));
        rest = operator.unwrap_or(rest).trim_start_matches(' ');
        let end = rest.find([' ', ',']).unwrap_or(rest.len());
        let (version, after) = rest.split_at(end);
        if !is_version(version) {
            return false;
        }
        let after = after.trim_start_matches(' ');
        let after = after
            .strip_prefix(',')
            .unwrap_or(after)
            .trim_start_matches(' ');
        if after.is_empty() {
            // A comma needs something after it.
            return !rest.trim_end_matches(' ').ends_with(',');
        }
        rest = after;
    }
}

/// `v?N(.N(.N)?)?(-PRE)?(+BUILD)?`, where N is a number or one of `x X *`.
fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    let (core, pre) = match text.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (text, None),
    };
    let identifiers = |part: Option<&str>| {
        part.is_none_or(|part| {
            part.split('.').all(|id| {
                !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
        })
    };
    let number = |part: &str| {
        matches!(part, "x" | "X" | "*")
            || (!part.is_empty()
                && part.bytes().all(|b| b.is_ascii_digit())
                && (part == "0" || !part.starts_with('0'))
                && part.parse::<u64>().is_ok())
    };
    core.split('.').count() <= 3
        && core.split('.').all(number)
        && identifiers(pre)
        && identifiers(build)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_for_one_tag_are_recognised() {
        for (text, tag) in [
            ("^16-alpine$", "16-alpine"),
            (r"^3\.12-slim$", "3.12-slim"),
            (r"^3\.12\-slim\_x$", "3.12-slim_x"),
            ("^latest$", "latest"),
        ] {
            let tag = Tag::parse(tag).expect(tag);
            assert_eq!(
                TagFilter::parse(text),
                Ok(TagFilter::Literal(tag)),
                "{text}"
            );
        }
        for text in [
            "16-alpine",
            "^3.12-slim$",
            "^16",
            "16$",
            "^(a|b)$",
            r"^\d+$",
            "^a+$",
            r"^\.a$",
            "^-a$",
            "^.*$",
        ] {
            assert!(
                matches!(TagFilter::parse(text), Ok(TagFilter::Pattern(_))),
                "{text}"
            );
        }
        assert!(TagFilter::parse("^(?=a)$").is_err());
        assert_eq!(
            literal(r"^22\\.04$", r"\\").map(|tag| tag.to_string()),
            Some("22.04".to_owned())
        );
        assert_eq!(literal(r"^22\.04$", r"\\"), None);
    }

    #[test]
    fn constraints_are_version_ranges() {
        for good in [
            "1",
            "1.2",
            "^1.2",
            "~3.1",
            "~>3.1",
            ">=1.4.0 <2.0.0",
            ">=1.4, <2",
            "1.x || 2.x",
            "*",
            "v1.2.3",
            "=1.2.3-rc.1+b5",
            "1.2 - 1.4.5",
            ">= 1.2",
            "!=1.5",
            ">=0.1.0",
            "1.2.*",
            " ^1 ",
        ] {
            assert!(VersionRange::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "latest",
            "16-alpine..",
            "^",
            ">=",
            "1.2.3.4",
            "1..2",
            "||",
            "1 ||",
            "^1,",
            "a.b",
            "01.2",
            "1 -",
            "^^1",
            ">=1<2x",
            "1.2.3-",
            "1.2.3+",
            "99999999999999999999",
            "1\n2",
        ] {
            assert!(VersionRange::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_tag_has_a_pattern_that_is_literally_it(tag in "[A-Za-z0-9_][A-Za-z0-9._-]{0,40}") {
            let pattern = format!("^{}$", tag.replace('.', r"\."));
            prop_assert_eq!(TagFilter::parse(&pattern), Ok(TagFilter::Literal(Tag::parse(&tag).expect("a tag"))));
        }

        #[test]
        fn any_text_is_answered(text in r"[\^$.\\a-z0-9(){}|*+?\[\]<>=~, -]{0,20}|.{0,20}") {
            let _ = (TagFilter::parse(&text), VersionRange::parse(&text));
        }
    }
}
