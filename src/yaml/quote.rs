//! How a string must be written so that every reader takes it for that string.
//!
//! YAML 1.1 readers (PyYAML, the Kubernetes API) and 1.2 readers disagree about
//! plain scalars such as `on`, `1e3`, `0644`, `12:30` and dates. So a string is
//! plain only if it is a word that none of them could mean otherwise; what has
//! backslashes or double quotes in it goes between single quotes; all else
//! between double quotes.

/// The three ways to write a string on one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
}

pub(super) fn style(text: &str) -> Style {
    let bytes = text.as_bytes();
    if is_plain(bytes) {
        return Style::Plain;
    }
    let wants_single = bytes.iter().any(|b| matches!(b, b'\\' | b'"'));
    if wants_single && text.chars().all(|c| c == ' ' || is_shown(c)) {
        return Style::Single;
    }
    Style::Double
}

/// Writes the string in its style.
pub(super) fn push(out: &mut String, text: &str) {
    match style(text) {
        Style::Plain => out.push_str(text),
        Style::Single => push_single(out, text),
        Style::Double => push_double(out, text),
    }
}

/// Writes the string between quotes even if it could be plain.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    match style(text) {
        Style::Single => push_single(out, text),
        Style::Plain | Style::Double => push_double(out, text),
    }
}

/// Plain: begins with a letter, holds letters, digits and `_./-:@+` only, does not
/// end in `:`, and is no word with a meaning. Or a Go duration such as `24h0m0s`,
/// which has a digit first but no reader takes for a number.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if first.is_ascii_digit() {
        return matches!(last, b'h' | b'm' | b's')
            && bytes
                .iter()
                .all(|b| matches!(b, b'0'..=b'9' | b'h' | b'm' | b's'));
    }
    first.is_ascii_alphabetic()
        && *last != b':'
        && bytes
            .iter()
            .all(|b| IN_PLAIN.get(usize::from(*b)) == Some(&true))
        && !is_word(bytes)
}

/// The bytes of a plain scalar.
const IN_PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut left: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-:@+";
    while let [b, rest @ ..] = left {
        #[expect(
            clippy::indexing_slicing,
            reason = "a byte is below 256, and this runs when compiled"
        )]
        {
            table[*b as usize] = true;
        }
        left = rest;
    }
    table
};

/// The words that some reader takes for a boolean or a null, in any case. `nan`
/// and `inf` are strings in YAML, but numbers in the expressions that Kargo reads
/// from it.
fn is_word(bytes: &[u8]) -> bool {
    let words: &[&[u8]] = match bytes.len() {
        1 => &[b"y", b"n"],
        2 => &[b"on", b"no"],
        3 => &[b"yes", b"off", b"nil", b"nan", b"inf"],
        4 => &[b"true", b"null", b"none"],
        5 => &[b"false"],
        8 => &[b"infinity"],
        _ => &[],
    };
    words.iter().any(|word| word.eq_ignore_ascii_case(bytes))
}

/// Whether people see the character, and every reader keeps it as it is.
pub(super) fn is_shown(c: char) -> bool {
    match c {
        '!'..='~' => true,
        '\0'..='\u{a0}' | '\u{ad}' => false,
        _ => !is_invisible(c),
    }
}

/// Characters above Latin-1 that show nothing, change the direction of the text,
/// end lines in YAML 1.1, or are none.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            | '\u{3000}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{e0fff}'
            | '\u{f0000}'..='\u{10ffff}'
    ) || (c as u32) & 0xfffe == 0xfffe
}

fn push_single(out: &mut String, text: &str) {
    out.push('\'');
    for (at, part) in text.split('\'').enumerate() {
        if at > 0 {
            out.push_str("''");
        }
        out.push_str(part);
    }
    out.push('\'');
}

/// Writes the string between double quotes, whatever it holds.
pub(super) fn push_double(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        // Most strings are ASCII without anything to escape, and so one run.
        let run = rest
            .bytes()
            .position(|b| !matches!(b, b' '..=b'~') || matches!(b, b'"' | b'\\'));
        let Some((run, behind)) = rest.split_at_checked(run.unwrap_or(rest.len())) else {
            break;
        };
        out.push_str(run);
        let mut chars = behind.chars();
        match chars.next() {
            None => break,
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\t') => out.push_str("\\t"),
            Some('\r') => out.push_str("\\r"),
            Some(c) if is_shown(c) => out.push(c),
            Some(c) => push_escape(out, c as u32),
        }
        rest = chars.as_str();
    }
    out.push('"');
}

/// `\u0007`, or `\U000E0001` above U+FFFF: no reader takes surrogate pairs.
fn push_escape(out: &mut String, code: u32) {
    let digits = if code > 0xffff {
        out.push_str("\\U");
        8
    } else {
        out.push_str("\\u");
        4
    };
    for at in (0..digits).rev() {
        let digit = char::from_digit((code >> (4 * at)) & 0xf, 16).unwrap_or('0');
        out.push(digit.to_ascii_uppercase());
    }
}

/// Whether the string can stand as a literal block (`|`): several lines, all of
/// it shown, and nothing that a reader would take for indentation or that an
/// editor would strip.
pub(super) fn is_literal(text: &str) -> bool {
    if !text.bytes().any(|b| b == b'\n') || text.starts_with(['\n', ' ', '\t']) {
        return false;
    }
    text.split('\n').all(|line| {
        line.is_empty()
            || (!line.ends_with([' ', '\t'])
                && line.chars().all(|c| matches!(c, ' ' | '\t') || is_shown(c)))
    })
}
