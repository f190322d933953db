//! A place within a line of a facts file, and what can stand there.

use std::fmt;

use serde_json::Value;

use super::{is_bare, is_bare_char, is_plain};

/// Why a facts file could not be read, and where. Shown as
/// `file:line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )
    }
}

impl std::error::Error for FormatError {}

pub(super) type Result<T, E = FormatError> = std::result::Result<T, E>;

/// One line that is not blank.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    /// Levels of indentation, two blanks each.
    pub(super) level: usize,
    /// The line without its indentation.
    pub(super) text: &'a str,
}

pub(super) fn lines<'a>(file: &str, text: &'a str) -> Result<Vec<Line<'a>>> {
    let mut lines = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let number = index + 1;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let fail = |column: usize, message: &str| {
            Err(FormatError {
                file: file.to_owned(),
                line: number,
                column,
                message: message.to_owned(),
            })
        };
        let control = line.chars().position(|c| c < ' ');
        if let Some(position) = control {
            let message = "a tab or control character: indent with two blanks a level, \
                           and escape such characters in JSON strings";
            return fail(position + 1, message);
        }
        if line.is_empty() {
            continue;
        }
        let text = line.trim_start_matches(' ');
        let blanks = line.len() - text.len();
        if line.ends_with(' ') {
            return fail(
                line.trim_end().chars().count() + 1,
                "blanks at the end of the line",
            );
        }
        if blanks % 2 != 0 {
            return fail(blanks + 1, "an odd number of blanks: a level is two blanks");
        }
        lines.push(Line {
            number,
            level: blanks / 2,
            text,
        });
    }
    Ok(lines)
}

/// A place within a line, and what is left of it.
pub(super) struct Cursor<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) fn error(&self, message: impl Into<String>) -> FormatError {
        FormatError {
            file: self.file.to_owned(),
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }

    pub(super) fn skip(&mut self, bytes: usize) -> &'a str {
        let (head, tail) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.column += head.chars().count();
        self.rest = tail;
        head
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            self.skip(text.len());
        }
        found
    }

    pub(super) fn expect(&mut self, text: &str, what: &str) -> Result<()> {
        if self.eat(text) {
            Ok(())
        } else {
            Err(self.error(format!("expected {what}")))
        }
    }

    /// A run of characters that names are made of; may be empty.
    pub(super) fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c| !is_bare_char(c))
            .unwrap_or(self.rest.len());
        self.skip(end)
    }

    /// A name, bare or as a JSON string; bare where it can be.
    pub(super) fn name(&mut self, what: &str) -> Result<String> {
        if self.rest.starts_with('"') {
            let start = self.error("");
            let name = self.string(what)?;
            if is_bare(&name) {
                let message = format!("`{name}` needs no quotes");
                return Err(FormatError { message, ..start });
            }
            return Ok(name);
        }
        let start = self.error(format!("expected {what}"));
        let word = self.word();
        if is_bare(word) {
            Ok(word.to_owned())
        } else {
            Err(start)
        }
    }

    pub(super) fn json(&mut self, what: &str) -> Result<Value> {
        if self.rest.is_empty() || self.rest.starts_with(' ') {
            return Err(self.error(format!("expected {what}")));
        }
        let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => {
                let end = stream.byte_offset();
                self.skip(end);
                Ok(value)
            }
            Some(Err(error)) => {
                let column = self.column + error.column().saturating_sub(1);
                let message = format!("expected {what}: {}", reason(&error));
                Err(FormatError {
                    column,
                    ..self.error(message)
                })
            }
            None => Err(self.error(format!("expected {what}"))),
        }
    }

    pub(super) fn string(&mut self, what: &str) -> Result<String> {
        let start = self.error(format!("expected {what}, as a JSON string"));
        match self.json(what)? {
            Value::String(text) => Ok(text),
            _ => Err(start),
        }
    }

    /// The rest of the line as text, or one JSON string.
    pub(super) fn text(&mut self, what: &str) -> Result<String> {
        if self.rest.starts_with('"') {
            let start = self.error("");
            let text = self.string(what)?;
            self.end()?;
            if is_plain(&text) {
                return Err(FormatError {
                    message: "this text needs no quotes".into(),
                    ..start
                });
            }
            return Ok(text);
        }
        if !is_plain(self.rest) {
            return Err(self.error(format!("expected {what}")));
        }
        Ok(self.skip(self.rest.len()).to_owned())
    }

    pub(super) fn end(&self) -> Result<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error("expected the end of the line"))
        }
    }
}

/// serde_json's message without its own line and column.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}
