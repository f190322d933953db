//! Reading which tags of an image count.

use crate::diagnostics::{Diagnostic, Span, code};

use super::decode::{Map, Reader};
use super::parse::Parse;
use super::reference::Tag;
use super::watch::{Pattern, Strategy, TagFilter, VersionRange, Watch};

/// What the entry says about tags; see [`Watch`].
pub(super) fn watch(reader: &mut Reader<'_>, map: &Map<'_, '_>, managed: bool) -> Option<Watch> {
    let filter: Option<TagFilter> = reader.value(map, "allowTags");
    let strategy: Option<Strategy> = reader.value(map, "imageSelectionStrategy");
    let constraint = reader.text(map, "constraint");
    let wrong = (filter.is_none() && map.get("allowTags").is_some())
        || (strategy.is_none() && map.get("imageSelectionStrategy").is_some())
        || (constraint.is_none() && map.get("constraint").is_some());
    if wrong {
        return None;
    }
    if filter.is_none() && constraint.is_none() && (!managed || strategy == Some(Strategy::Digest))
    {
        let help = "write which tags count, such as `allowTags: ^16-alpine$` for one tag, \
                    `allowTags: ^16\\.\\d+$` for several, or `constraint: ^16` for versions";
        let message = "an external image needs `allowTags` or `constraint`";
        let message = if managed {
            "the strategy `Digest` needs a `constraint`, the tag to follow"
        } else {
            message
        };
        reader.report(
            Diagnostic::error(code::MISSING_SELECTION, message).help(help),
            map.span,
        );
        return None;
    }
    // Versions are what a constraint is about, and what we publish ourselves.
    let by_version = managed || constraint.is_some();
    let strategy = strategy.unwrap_or(if by_version {
        Strategy::SemVer
    } else {
        Strategy::Lexical
    });
    match (strategy, filter, constraint) {
        (Strategy::Digest, filter, Some((tag, span))) => one_tag(reader, filter, tag, span),
        (Strategy::Digest, Some(TagFilter::Pattern(_)), None) => {
            let help =
                "anchor the pattern to one tag, such as `^16-alpine$`, or choose another strategy";
            conflict(
                reader,
                "allowTags",
                "the strategy `Digest` follows one tag, but `allowTags` matches several",
                help,
            )
        }
        (_, Some(TagFilter::Literal(_)), Some(_)) => {
            let help = "remove one of them";
            conflict(
                reader,
                "constraint",
                "`allowTags` matches one tag only, so there is nothing to choose by `constraint`",
                help,
            )
        }
        (_, Some(TagFilter::Literal(tag)), None) => Some(Watch::Tag(tag)),
        (Strategy::Lexical | Strategy::NewestBuild, _, Some((_, span))) => {
            let message = format!("`constraint` has no effect with the strategy `{strategy}`");
            let help = "remove it, or write `imageSelectionStrategy: SemVer`";
            reader.report(
                Diagnostic::error(code::INVALID_CONSTRAINT, message).help(help),
                span,
            );
            None
        }
        (Strategy::SemVer, filter, Some((text, span))) => {
            let range: VersionRange =
                reader.checked(text, span, "constraint", VersionRange::CODE)?;
            Some(Watch::SemVer {
                constraint: Some(range),
                tags: pattern(filter),
            })
        }
        (Strategy::SemVer, filter, None) => Some(Watch::SemVer {
            constraint: None,
            tags: pattern(filter),
        }),
        (Strategy::Lexical, filter, None) => Some(Watch::Lexical {
            tags: pattern(filter),
        }),
        (Strategy::NewestBuild, filter, None) => Some(Watch::NewestBuild {
            tags: pattern(filter),
        }),
        (Strategy::Digest, None, None) => None,
    }
}

fn pattern(filter: Option<TagFilter>) -> Option<Pattern> {
    match filter {
        Some(TagFilter::Pattern(pattern)) => Some(pattern),
        Some(TagFilter::Literal(_)) | None => None,
    }
}

fn one_tag(
    reader: &mut Reader<'_>,
    filter: Option<TagFilter>,
    text: &str,
    span: Span,
) -> Option<Watch> {
    let tag: Tag = reader.checked(text, span, "constraint", code::INVALID_CONSTRAINT)?;
    match filter {
        None => Some(Watch::Tag(tag)),
        Some(TagFilter::Literal(same)) if same == tag => Some(Watch::Tag(tag)),
        Some(_) => {
            let help = "remove `allowTags`, or choose another strategy";
            conflict(
                reader,
                "allowTags",
                "the strategy `Digest` follows the tag in `constraint` and heeds no `allowTags`",
                help,
            )
        }
    }
}

pub(super) fn conflict<T>(
    reader: &mut Reader<'_>,
    key: &str,
    message: &str,
    help: &str,
) -> Option<T> {
    let place = reader.fields.of(key);
    reader.out.push(
        Diagnostic::error(code::CONFLICTING_KEYS, message)
            .help(help)
            .at(place),
    );
    None
}
