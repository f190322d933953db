//! An instruction's line as words: its name, its flags, and three kinds of lists.

use std::ops::Range;

use super::text::{first_char, is_blank, trim};

/// A word after its line was taken apart, and where it stands in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

/// An instruction: `NAME --flag=value … arguments`, as ranges of its line.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) name: Range<usize>,
    pub(super) flags: Vec<Word>,
    pub(super) arguments: Range<usize>,
}

/// Takes the part `range` of a line apart.
pub(super) fn split(line: &[u8], range: Range<usize>, escape: u8) -> Split {
    let Range { start, end } = trim(line, range);
    let part = line.get(start..end).unwrap_or_default();
    let name = part.iter().take_while(|byte| !is_blank(**byte)).count();
    let name = start..start + name;
    let blanks = part
        .iter()
        .skip(name.len())
        .take_while(|byte| is_blank(**byte));
    let rest = name.end + blanks.count();
    let (flags, rest) = flags(line, rest..end, escape);
    Split {
        name,
        flags,
        arguments: trim(line, rest..end),
    }
}

/// The words that start with `--`, and where the rest begins.
///
/// They are read byte by byte: a byte outside ASCII is the character of that
/// number, of which two are blanks.
fn flags(line: &[u8], range: Range<usize>, escape: u8) -> (Vec<Word>, usize) {
    const fn is_space(byte: u8) -> bool {
        is_blank(byte) || matches!(byte, b'\n' | 0x85 | 0xa0)
    }
    let byte = |at: usize| line.get(at).copied().filter(|_| at < range.end);
    let mut words = Vec::new();
    let mut at = range.start;
    loop {
        while byte(at).is_some_and(is_space) {
            at += 1;
        }
        if byte(at) != Some(b'-') || byte(at + 1) != Some(b'-') {
            return (words, at);
        }
        let start = at;
        let mut text = String::new();
        let mut quote = None;
        while let Some(one) = byte(at) {
            match quote {
                None if is_space(one) => break,
                None if matches!(one, b'\'' | b'"') => quote = Some(one),
                Some(open) if one == open => quote = None,
                _ if one == escape => match byte(at + 1) {
                    Some(next) => {
                        at += 1;
                        text.push(char::from(next));
                    }
                    None => quote = None,
                },
                _ => text.push(char::from(one)),
            }
            at += 1;
        }
        if text == "--" {
            return (words, at);
        }
        words.push(Word {
            text,
            range: start..at,
        });
    }
}

/// The words between blanks, as they stand.
pub(super) fn list(line: &[u8], range: Range<usize>) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let part = line.get(at..range.end).unwrap_or_default();
        let length = part.iter().take_while(|byte| !is_blank(**byte)).count();
        let blanks = part.iter().skip(length).take_while(|byte| is_blank(**byte));
        words.push(at..at + length);
        at += length + blanks.count();
    }
    words
}

/// The words of ARG, ENV and LABEL: blanks inside quotes or behind the escape
/// character do not separate. Quotes and escapes stay where they are.
pub(super) fn quoted(line: &[u8], range: Range<usize>, escape: u8) -> Vec<Word> {
    let escape = char::from(escape);
    let mut rest = Characters {
        line,
        at: range.start,
        end: range.end,
    };
    let mut words = Vec::new();
    loop {
        while rest.peek().is_some_and(char::is_whitespace) {
            rest.next();
        }
        let start = rest.at;
        let mut end = start;
        let mut text = String::new();
        let mut any = false;
        let mut quote = None;
        while let Some(c) = rest.peek() {
            if quote.is_none() && c.is_whitespace() {
                break;
            }
            rest.next();
            end = rest.at;
            match quote {
                None if matches!(c, '\'' | '"') => {
                    any = true;
                    quote = Some(c);
                }
                Some(open) if c == open => quote = None,
                _ => {}
            }
            if c == escape && quote != Some('\'') {
                match rest.next() {
                    // One that ends the line is dropped.
                    None => break,
                    Some(next) => {
                        end = rest.at;
                        text.push(c);
                        text.push(next);
                    }
                }
            } else {
                text.push(c);
            }
        }
        if any || !text.is_empty() {
            words.push(Word {
                text,
                range: start..end,
            });
        } else if rest.peek().is_none() {
            return words;
        }
    }
}

struct Characters<'l> {
    line: &'l [u8],
    at: usize,
    end: usize,
}

impl Characters<'_> {
    fn first(&self) -> Option<(char, usize)> {
        first_char(self.line.get(self.at..self.end)?)
    }

    fn peek(&self) -> Option<char> {
        self.first().map(|(c, _)| c)
    }

    fn next(&mut self) -> Option<char> {
        let (c, length) = self.first()?;
        self.at += length;
        Some(c)
    }
}
