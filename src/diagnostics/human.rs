//! Diagnostics for people.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::secrets::masked_line;
use super::{Diagnostic, Position, Severity, Sources, code};

/// Of a longer line only this many characters around the place are shown.
const MAX_LINE: usize = 160;

/// The diagnostics in the given order, each with its file, line, column and
/// source line, separated by empty lines; `""` for none.
///
/// Whatever stands in a file cannot reach the terminal as a control sequence:
/// invisible and control characters are shown as escapes.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for diagnostic in diagnostics {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&one(diagnostic, sources, &renderer));
        text.push('\n');
    }
    text
}

fn one(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(visible(&diagnostic.message, false))
        .id(diagnostic.code.id());
    let mut group = Group::with_title(title);
    if let Some(place) = &diagnostic.place {
        let path = visible(&place.file, false);
        group = match sources.excerpt(place) {
            None => group.element(Origin::path(path)),
            Some(excerpt) => {
                let Position { line, column } = excerpt.position;
                let address = diagnostic.code == code::INVALID_URL;
                let (line_text, range) = masked_line(excerpt.text, excerpt.range, address);
                let (text, range) = window(&line_text, range);
                let shown = text.get(..range.start).unwrap_or("").chars().count() + 1;
                let snippet = Snippet::source(text)
                    .line_start(line)
                    .annotation(AnnotationKind::Primary.span(range));
                // The renderer counts the column in what it shows; where that
                // is cut or escaped, we say it ourselves.
                if shown == column {
                    group.element(snippet.path(path))
                } else {
                    let origin = Origin::path(path).line(line).char_column(column);
                    group.element(origin).element(snippet)
                }
            }
        };
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(visible(help, true)));
    }
    renderer.render(&[group])
}

/// The line with what is invisible escaped, cut around `range` if it is long,
/// and where `range` came to be in it.
fn window(line: &str, range: Range<usize>) -> (String, Range<usize>) {
    let part = |from: usize, to: usize| line.get(from..to).unwrap_or("");
    let (before, marked, after) = (
        part(0, range.start),
        part(range.start, range.end),
        part(range.end, line.len()),
    );
    let (head, cut_head) = last(before, MAX_LINE / 2);
    let (marked, cut_marked) = first(marked, MAX_LINE / 2);
    let (tail, cut_tail) = first(if cut_marked { "" } else { after }, MAX_LINE / 2);
    let mut text = String::from(if cut_head { "…" } else { "" });
    text.push_str(&visible(head, false));
    let start = text.len();
    text.push_str(&visible(marked, false));
    let end = text.len();
    text.push_str(&visible(tail, false));
    if cut_marked || cut_tail {
        text.push('…');
    }
    (text, start..end)
}

/// The first `count` characters, and whether there are more.
fn first(text: &str, count: usize) -> (&str, bool) {
    match text.char_indices().nth(count) {
        Some((at, _)) => (text.get(..at).unwrap_or(text), true),
        None => (text, false),
    }
}

/// The last `count` characters, and whether there are more.
fn last(text: &str, count: usize) -> (&str, bool) {
    match text.char_indices().rev().nth(count) {
        Some((at, c)) => (text.get(at + c.len_utf8()..).unwrap_or(text), true),
        None => (text, false),
    }
}

/// The text with control, bidirectional and other invisible characters as
/// `\u{…}`, so that a file can neither steer the terminal nor hide something.
fn visible(text: &str, keep_lines: bool) -> Cow<'_, str> {
    let hidden = |c: char| (c.is_control() && !(keep_lines && c == '\n')) || invisible(c);
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Zero-width, bidirectional and tag characters, and line separators.
pub(crate) fn invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Place, Span, code};
    use proptest::prelude::*;

    fn rendered(text: &str, span: Option<Span>, message: &str, help: Option<&str>) -> String {
        let mut sources = Sources::new();
        sources.add("images.yaml", text);
        let place = Place {
            file: "images.yaml".into(),
            span,
        };
        let mut diagnostic = Diagnostic::error(code::UNKNOWN_KEY, message).at(place);
        diagnostic.help = help.map(Into::into);
        render(&[diagnostic], &sources, false)
    }

    #[test]
    fn the_source_line_is_shown_with_a_caret() {
        let text = "- name: a\n  rebuildDely: 7d\n";
        let span = Some(Span::new(12, 23));
        let shown = rendered(
            text,
            span,
            "unknown key `rebuildDely`",
            Some("did you mean `rebuildDelay`?"),
        );
        let expected = format!(
            "error[{}]: unknown key `rebuildDely`\n \
             --> images.yaml:2:3\n  |\n\
             2 |   rebuildDely: 7d\n  |   ^^^^^^^^^^^\n  |\n  \
             = help: did you mean `rebuildDelay`?\n",
            code::UNKNOWN_KEY.id()
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_file_without_span_or_text_is_named() {
        let shown = rendered("", None, "m", Some("first\nsecond"));
        assert!(shown.contains("--> images.yaml\n"), "{shown}");
        assert!(shown.contains("help: first\n"), "{shown}");
        assert!(shown.contains("second\n"), "{shown}");
        let bare = render(
            &[Diagnostic::warning(code::UNKNOWN_KEY, "m")],
            &Sources::new(),
            false,
        );
        assert_eq!(bare, format!("warning[{}]: m\n", code::UNKNOWN_KEY.id()));
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_and_the_column_stays_true() {
        let text = format!("{}bad{}", "x".repeat(5000), "y".repeat(5000));
        let shown = rendered(&text, Some(Span::new(5000, 5003)), "m", None);
        assert!(shown.contains("images.yaml:1:5001"), "{shown}");
        assert!(shown.len() < 1000, "{shown}");
        assert!(shown.contains("xbady"), "{shown}");
    }

    #[test]
    fn nothing_in_a_file_steers_the_terminal() {
        let evil = "a\u{1b}[31m\u{202e}b\u{7}";
        let shown = rendered(evil, Some(Span::new(0, 3)), evil, Some(evil));
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{shown}");
        assert!(shown.contains("\\u{1b}"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_text_and_span_render(text in "(.|\n|\r|\t){0,60}", start in 0usize..80, len in 0usize..40, color: bool) {
            let mut sources = Sources::new();
            sources.add("f", text.as_str());
            let place = Place::new("f", Span::new(start, start + len));
            let shown = render(&[Diagnostic::error(code::UNKNOWN_KEY, text).at(place)], &sources, color);
            prop_assert!(shown.contains("f:"));
        }
    }
}
