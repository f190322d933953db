//! Instructions that take names and values: FROM, ARG, ENV, LABEL and those alike.

use std::ops::Range;

use super::super::expand::{Style, Variables, expand};
use super::super::flags::Flag;
use super::super::text::{is_as, lower, short};
use super::super::values;
use super::super::words::{Split, Word};
use super::{Checked, Kind, Reader, Text};
use crate::diagnostics::Span;

impl Reader<'_, '_> {
    pub(super) fn from(&mut self, split: &Split, words: &[Range<usize>]) -> Checked {
        let (image, name) = match words {
            [image] => (image, None),
            [image, word, name] if is_as(self.line.part(word.clone())) => (image, Some(name)),
            _ => {
                let place = if words.is_empty() {
                    &split.name
                } else {
                    &split.arguments
                };
                return Err(self
                    .fault(place, "FROM takes an image, or an image, `AS` and a name")
                    .help("A comment has a line of its own. Flags stand before the image."));
            }
        };
        let name = match name {
            None => None,
            Some(range) => Some(self.stage_name(range)?),
        };
        let flags = self.flags("from", split)?;
        let platform = flags.first().filter(|flag| !flag.value.is_empty());
        self.parsed.kind = Kind::From {
            platform: platform.map(|flag| Text {
                text: flag.value.to_owned(),
                span: self.value_span(flag),
            }),
            image: Text {
                text: self.text(image.clone()),
                span: self.span(image.clone()),
            },
            name,
        };
        Ok(())
    }

    pub(super) fn stage_name(&self, range: &Range<usize>) -> Checked<String> {
        let written = self.text(range.clone());
        let name = lower(&written);
        let inside = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
        };
        if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(inside) {
            return Ok(name);
        }
        Err(self
            .fault(range, format!("`{}` cannot be the name of a stage", short(&written)))
            .help("A name starts with a letter and goes on with letters, digits, `.`, `-` and `_`, without quotes or variables."))
    }

    /// Where the value of a flag stands, if it stands there as it is.
    pub(super) fn value_span(&self, flag: &Flag<'_>) -> Span {
        let range = flag.word.range.clone();
        self.span(self.within(&range, flag.value).unwrap_or(range))
    }

    /// Where in `range` `text` stands as a value.
    pub(super) fn within(&self, range: &Range<usize>, text: &str) -> Option<Range<usize>> {
        // Only so often, as a text can nearly match at each of its characters.
        const TRIES: usize = 100;
        if text.is_empty() {
            return None;
        }
        let bytes = self.line.part(range.clone());
        let starts = bytes.iter().enumerate();
        let starts = starts.filter(|(_, byte)| matches!(byte, b'=' | b'"' | b'\''));
        let at = starts.map(|(at, _)| at + 1).take(TRIES).find(|at| {
            let rest = bytes.get(*at..);
            rest.is_some_and(|rest| rest.starts_with(text.as_bytes()))
        })?;
        Some(range.start + at..range.start + at + text.len())
    }

    pub(super) fn arg(&mut self, words: &[Word]) -> Checked {
        let mut arguments = Vec::new();
        for word in words {
            let (name, value) = match word.text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.text.as_str(), None),
            };
            if name.is_empty() {
                return Err(self
                    .fault(&word.range, "ARG has a value and no name")
                    .help("Write `ARG name=value`, without blanks around the `=`."));
            }
            let mut range = word.range.clone();
            if range.len() == word.text.len() {
                range.start += name.len() + usize::from(value.is_some());
            }
            if let Some(value) = value.filter(|_| self.context.in_stage)
                && !self.context.build_args.contains_key(name)
            {
                self.when_built(&Word {
                    text: value.to_owned(),
                    range: range.clone(),
                });
            }
            let value = value.map(|value| Text {
                text: value.to_owned(),
                span: self.span(range),
            });
            arguments.push((name.to_owned(), value));
        }
        self.parsed.kind = Kind::Arg(arguments);
        Ok(())
    }

    pub(super) fn env(&mut self, upper: &str, pairs: &[(Word, Word)]) -> Checked {
        for (key, value) in pairs {
            if key.text.is_empty() {
                return Err(self
                    .fault(&key.range, format!("{upper} has a value and no name"))
                    .help(format!(
                        "Write `{upper} name=value`, without blanks around the `=`."
                    )));
            }
            self.when_built(key);
            self.when_built(value);
        }
        Ok(())
    }

    /// Instructions with one argument, the rest of the line.
    pub(super) fn whole(&mut self, name: &str, range: &Range<usize>) {
        if name == "maintainer" {
            return;
        }
        let word = Word {
            text: self.text(range.clone()),
            range: range.clone(),
        };
        let value = self.when_built(&word);
        if let Some(signal) =
            value.filter(|value| name == "stopsignal" && !values::is_signal(value))
        {
            self.refuse_when_built(&word, format!("there is no signal `{}`", short(&signal)));
        }
    }

    /// EXPOSE and VOLUME.
    pub(super) fn list(&mut self, name: &str, words: &[Word]) -> Checked {
        for word in words {
            if name == "volume" {
                if word.text.trim().is_empty() {
                    return Err(self.fault(&word.range, "VOLUME holds an empty path"));
                }
                if self.when_built(word).is_some_and(|value| value.is_empty()) {
                    self.refuse_when_built(word, "VOLUME holds an empty path".to_owned());
                }
                continue;
            }
            if self.when_built(word).is_none() {
                continue;
            }
            let style = Style {
                words: true,
                ..Style::word(self.escape)
            };
            let expanded = expand(
                &word.text,
                style,
                Variables::Unknown,
                &mut self.context.budget,
            );
            for port in expanded.map(|expanded| expanded.words).unwrap_or_default() {
                if !values::is_port(&port) {
                    self.refuse_when_built(word, format!("`{}` is no port", short(&port)));
                }
            }
        }
        Ok(())
    }

    pub(super) fn healthcheck(&self, split: &Split, kind: &Range<usize>, command: bool) -> Checked {
        if kind.is_empty() {
            return Err(self.fault(&split.name, "HEALTHCHECK needs an argument"));
        }
        let written = self.text(kind.clone());
        match written.to_uppercase().as_str() {
            "NONE" if command => {
                Err(self.fault(&split.arguments, "HEALTHCHECK NONE takes no arguments"))
            }
            "NONE" => Ok(()),
            upper => {
                let flags = self.flags("healthcheck", split)?;
                if upper != "CMD" {
                    return Err(self
                        .fault(kind, format!("HEALTHCHECK knows no `{}`", short(&written)))
                        .help("It is followed by `CMD` and a command, or by `NONE`."));
                }
                if !command {
                    return Err(self.fault(kind, "HEALTHCHECK CMD has no command"));
                }
                for flag in flags {
                    let valid = match flag.name {
                        "retries" => values::is_retries(flag.value),
                        _ => values::is_interval(flag.value),
                    };
                    if !valid {
                        let what = if flag.name == "retries" {
                            "number"
                        } else {
                            "duration"
                        };
                        let message =
                            format!("`--{}={}` is no {what}", flag.name, short(flag.value));
                        return Err(self.fault(&flag.word.range, message));
                    }
                }
                Ok(())
            }
        }
    }
}
