//! The exec form: an array of strings, with the rules of Go's `encoding/json`.

use super::text::{decode, leading_space};

/// What arguments are that may be an array of strings.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exec {
    /// No JSON array: the shell form.
    No,
    /// An array of strings.
    Strings(Vec<String>),
    /// An array that holds something else, which is refused.
    Other,
}

/// As deep as Go goes.
const MAX_DEPTH: usize = 10_000;

/// Reads `arguments`.
pub(super) fn exec(arguments: &[u8]) -> Exec {
    let arguments = arguments
        .get(leading_space(arguments)..)
        .unwrap_or_default();
    if arguments.first() != Some(&b'[') {
        return Exec::No;
    }
    let text = decode(arguments);
    let mut reader = Reader {
        rest: &text,
        strings: Vec::new(),
        other: false,
        out_of_range: false,
    };
    match reader.array() {
        // A number too big for a float is an error of its own kind to Go, after
        // which the shell form is taken.
        Some(()) if reader.out_of_range => Exec::No,
        Some(()) if reader.other => Exec::Other,
        Some(()) => Exec::Strings(reader.strings),
        None => Exec::No,
    }
}

struct Reader<'t> {
    rest: &'t str,
    strings: Vec<String>,
    other: bool,
    out_of_range: bool,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn eat(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The whole text, one array; no recursion, so that depth costs no stack.
    fn array(&mut self) -> Option<()> {
        let mut open: Vec<u8> = Vec::new();
        let mut next = Next::Value;
        loop {
            self.space();
            let first = self.rest.bytes().next();
            first?;
            let may_end = matches!(next, Next::ValueOrEnd | Next::KeyOrEnd | Next::CommaOrEnd);
            if may_end && first.is_some() && first == open.last().copied() {
                self.rest = self.rest.get(1..)?;
                open.pop();
                if open.is_empty() {
                    self.space();
                    return self.rest.is_empty().then_some(());
                }
                next = Next::CommaOrEnd;
                continue;
            }
            match next {
                Next::CommaOrEnd => {
                    if !self.eat(',') {
                        return None;
                    }
                    let object = open.last() == Some(&b'}');
                    next = if object { Next::Key } else { Next::Value };
                }
                Next::Key | Next::KeyOrEnd => {
                    self.string()?;
                    self.space();
                    if !self.eat(':') {
                        return None;
                    }
                    next = Next::Value;
                }
                Next::Value | Next::ValueOrEnd => {
                    let top = open.len() == 1;
                    if self.eat('[') {
                        self.other |= !open.is_empty();
                        open.push(b']');
                        next = Next::ValueOrEnd;
                    } else if self.eat('{') {
                        self.other = true;
                        open.push(b'}');
                        next = Next::KeyOrEnd;
                    } else {
                        if first == Some(b'"') {
                            let string = self.string()?;
                            if top {
                                self.strings.push(string);
                            }
                        } else {
                            self.other |= top;
                            self.scalar()?;
                        }
                        next = Next::CommaOrEnd;
                    }
                    if open.len() > MAX_DEPTH {
                        return None;
                    }
                }
            }
        }
    }

    fn scalar(&mut self) -> Option<()> {
        for word in ["true", "false", "null"] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(());
            }
        }
        self.number()
    }

    fn digits(&mut self) -> Option<()> {
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some.then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let whole = self.rest;
        self.eat('-');
        if !self.eat('0') {
            self.digits()?;
        }
        if self.eat('.') {
            self.digits()?;
        }
        if self.eat('e') || self.eat('E') {
            if !self.eat('+') {
                self.eat('-');
            }
            self.digits()?;
        }
        let text = whole.get(..whole.len() - self.rest.len())?;
        self.out_of_range |= text.parse().is_ok_and(f64::is_infinite);
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.strip_prefix('"')?.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => match characters.next()? {
                    c @ ('"' | '\\' | '/') => text.push(c),
                    'b' => text.push('\u{8}'),
                    'f' => text.push('\u{c}'),
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'u' => text.push(unicode(&mut characters)?),
                    _ => return None,
                },
                c if u32::from(c) < 0x20 => return None,
                c => text.push(c),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }
}

/// The character of `\uXXXX`, or of two of them; half a pair is U+FFFD.
fn unicode(characters: &mut std::str::Chars<'_>) -> Option<char> {
    let hex = |characters: &mut std::str::Chars<'_>| {
        let digits = characters.as_str().get(..4)?;
        let code = digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16).ok())??;
        *characters = characters.as_str().get(4..)?.chars();
        Some(code)
    };
    let high = hex(characters)?;
    if !(0xd800..0xdc00).contains(&high) {
        return Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    let mut ahead = characters.clone();
    if ahead.next() == Some('\\')
        && ahead.next() == Some('u')
        && let Some(low @ 0xdc00..0xe000) = hex(&mut ahead)
    {
        *characters = ahead;
        return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
    }
    Some(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_strings_are_the_exec_form() {
        let strings = |texts: &[&str]| Exec::Strings(texts.iter().map(|t| (*t).into()).collect());
        for (text, expected) in [
            ("[]", strings(&[])),
            (
                " [ \"a\" , \"b\\n\\u00e9\\ud83d\\ude00\\ud800x\" ] ",
                strings(&["a", "b\né😀\u{fffd}x"]),
            ),
            ("[\"a\"", Exec::No),
            ("[\"a\",]", Exec::No),
            ("[,]", Exec::No),
            ("['a']", Exec::No),
            ("[\"a\"] x", Exec::No),
            ("[\"\t\"]", Exec::No),
            ("[\"\\x\"]", Exec::No),
            ("[01]", Exec::No),
            ("[1e999]", Exec::No),
            ("echo", Exec::No),
            ("", Exec::No),
            ("[1]", Exec::Other),
            ("[\"a\", null]", Exec::Other),
            ("[[\"a\"]]", Exec::Other),
            ("[{\"a\": [1, -0.5e+3], \"b\": {}}]", Exec::Other),
            ("[{\"a\" 1}]", Exec::No),
            ("[{]}", Exec::No),
        ] {
            assert_eq!(exec(text.as_bytes()), expected, "{text}");
        }
        let deep = format!("{}1{}", "[".repeat(9_999), "]".repeat(9_999));
        assert_eq!(exec(deep.as_bytes()), Exec::Other);
        let deeper = "[".repeat(1_000_000);
        assert_eq!(exec(deeper.as_bytes()), Exec::No);
    }
}
