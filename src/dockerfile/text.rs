//! Bytes, blanks and letters, with Go's rules: BuildKit is written in it.

use std::borrow::Cow;
use std::ops::Range;

use crate::diagnostics::secrets::masked;

/// What separates words.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0b | 0x0c | b'\r' | b' ')
}

/// The first character and its length; a byte that is no UTF-8 counts as U+FFFD.
pub(super) fn first_char(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii() {
        return Some((char::from(first), 1));
    }
    let head = bytes.get(..bytes.len().min(4))?;
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(head.get(..error.valid_up_to())?).unwrap_or_default(),
    };
    Some(match valid.chars().next() {
        Some(c) => (c, c.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    })
}

/// The last character and its length, as [`first_char`].
fn last_char(bytes: &[u8]) -> Option<(char, usize)> {
    let last = *bytes.last()?;
    if last.is_ascii() {
        return Some((char::from(last), 1));
    }
    for length in 2..=bytes.len().min(4) {
        let tail = bytes.get(bytes.len() - length..)?;
        if let Ok(text) = std::str::from_utf8(tail) {
            return text.chars().next().map(|c| (c, length));
        }
    }
    Some((char::REPLACEMENT_CHARACTER, 1))
}

/// How many bytes of white space, of any script, stand at the start.
pub(super) fn leading_space(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some((c, length)) = bytes.get(at..).and_then(first_char) {
        if !c.is_whitespace() {
            break;
        }
        at += length;
    }
    at
}

/// The part of `range` without white space, of any script, at its ends.
pub(super) fn trim(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let Some(part) = bytes.get(range.clone()) else {
        return range;
    };
    let start = range.start + leading_space(part);
    let mut end = range.end;
    while end > start {
        match bytes.get(start..end).and_then(last_char) {
            Some((c, length)) if c.is_whitespace() => end -= length,
            _ => break,
        }
    }
    start..end
}

/// The text; each byte that is no UTF-8 becomes U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

/// In lower case, as far as names are concerned: two letters outside ASCII have
/// their small letter inside of it.
pub(super) fn lower(text: &str) -> String {
    let small = |c: char| match c {
        'İ' => 'i',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    text.chars().map(small).collect()
}

/// Is it `as`, in any case? Folding cases, `ſ` is an `s`.
pub(super) fn is_as(word: &[u8]) -> bool {
    matches!(word, [b'a' | b'A', b's' | b'S'] | [b'a' | b'A', 0xc5, 0xbf])
}

/// As much of it as a message can hold.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 80;
    // What is cut might be what tells a password.
    let text = masked(text);
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_count_one_by_one() {
        assert_eq!(decode(b"a\xe2\x82z"), "a\u{fffd}\u{fffd}z");
        assert_eq!(
            first_char(b"\xe2\x82"),
            Some((char::REPLACEMENT_CHARACTER, 1))
        );
        assert_eq!(first_char("é!".as_bytes()), Some(('é', 2)));
        assert_eq!(first_char(b"a\xff"), Some(('a', 1)));
    }

    #[test]
    fn white_space_of_any_script_is_trimmed() {
        let text = "\u{a0}\t a \u{3000}".as_bytes();
        assert_eq!(trim(text, 0..text.len()), 4..5);
        assert_eq!(trim(b"  ", 0..2), 2..2);
        assert_eq!(trim(b" a\xa0", 0..3), 1..3, "a lone byte is no character");
    }
}
