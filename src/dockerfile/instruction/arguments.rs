//! The arguments of an instruction, taken apart, and the here-documents that it starts.

use std::ops::Range;

use super::super::heredoc;
use super::super::json::{Exec, exec};
use super::super::lines::Scanner;
use super::super::text::{self, decode, short};
use super::super::words::{self, Split, Word, list, quoted};
use super::{Body, Checked, Reader};

/// The arguments of an instruction, by its kind of list.
pub(super) enum Arguments {
    List(Vec<Range<usize>>),
    Strings(Vec<String>),
    Quoted(Vec<Word>),
    Pairs(Vec<(Word, Word)>),
    /// As a whole; empty if there is nothing.
    Whole(Range<usize>),
    Health {
        kind: Range<usize>,
        command: bool,
    },
    Child(Split, Box<Arguments>),
    Unknown,
}

impl Reader<'_, '_> {
    /// Takes the arguments apart.
    pub(super) fn arguments(&self, name: &str, split: &Split) -> Checked<Arguments> {
        let range = split.arguments.clone();
        let line = &self.line.text;
        let exec = |range: &Range<usize>| match exec(self.line.part(range.clone())) {
            Exec::Other => Err(self
                .fault(range, "an array in JSON form holds strings only")
                .help("Put each of its values in double quotes.")),
            Exec::Strings(strings) => Ok(Some(strings)),
            Exec::No => Ok(None),
        };
        Ok(match name {
            "add" | "copy" | "volume" => match exec(&range)? {
                Some(strings) => Arguments::Strings(strings),
                None => Arguments::List(list(line, range)),
            },
            "cmd" | "entrypoint" | "run" | "shell" => match exec(&range)? {
                Some(strings) => Arguments::Strings(strings),
                None => Arguments::Whole(range),
            },
            "expose" | "from" => Arguments::List(list(line, range)),
            "arg" => Arguments::Quoted(quoted(line, range, self.escape)),
            "env" | "label" => Arguments::Pairs(self.pairs(name, range)?),
            "maintainer" | "stopsignal" | "user" | "workdir" => Arguments::Whole(range),
            "healthcheck" => {
                let bytes = self.line.part(range.clone());
                let is_space = |byte: &u8| char::from(*byte).is_whitespace();
                let kind = bytes.iter().take_while(|byte| !is_space(byte)).count();
                let blanks = bytes
                    .iter()
                    .skip(kind)
                    .take_while(|byte| is_space(byte))
                    .count();
                let command = range.start + kind + blanks..range.end;
                let some = match exec(&command)? {
                    Some(strings) => !strings.is_empty(),
                    None => !command.is_empty(),
                };
                Arguments::Health {
                    kind: range.start..range.start + kind,
                    command: some,
                }
            }
            "onbuild" if range.is_empty() => Arguments::Whole(range),
            "onbuild" => {
                let child = words::split(line, range, self.escape);
                let name = self.name(&child);
                if name == "onbuild" {
                    return Err(self
                        .fault(&child.name, "ONBUILD cannot hold another ONBUILD")
                        .help("Remove one of the two."));
                }
                let arguments = self.arguments(&name, &child)?;
                Arguments::Child(child, Box::new(arguments))
            }
            _ => Arguments::Unknown,
        })
    }

    /// `key=value …`, or the older `key value`.
    pub(super) fn pairs(&self, name: &str, range: Range<usize>) -> Checked<Vec<(Word, Word)>> {
        let upper = name.to_ascii_uppercase();
        let words = quoted(&self.line.text, range.clone(), self.escape);
        let Some(first) = words.first() else {
            return Ok(Vec::new());
        };
        if !first.text.contains('=') {
            let key = list(&self.line.text, range.clone())
                .into_iter()
                .next()
                .unwrap_or_default();
            let rest = text::trim(&self.line.text, key.end..range.end);
            if rest.is_empty() {
                return Err(self
                    .fault(
                        &key,
                        format!(
                            "{upper} names `{}` and gives it no value",
                            short(&self.text(key.clone()))
                        ),
                    )
                    .help(format!("Write `{upper} name=value`.")));
            }
            let word = |range: Range<usize>| Word {
                text: self.text(range.clone()),
                range,
            };
            return Ok(vec![(word(key), word(rest))]);
        }
        let mut pairs = Vec::new();
        for Word { text, range } in words {
            let Some((key, value)) = text.split_once('=') else {
                return Err(self
                    .fault(&range, format!("`{}` has no `=`", short(&text)))
                    .help(format!(
                        "{upper} takes `name=value`; a value with blanks is put in quotes."
                    )));
            };
            let exact = range.len() == text.len();
            let word = |text: &str, from: usize| Word {
                text: text.to_owned(),
                range: if exact {
                    range.start + from..range.start + from + text.len()
                } else {
                    range.clone()
                },
            };
            pairs.push((word(key, 0), word(value, key.len() + 1)));
        }
        Ok(pairs)
    }

    /// Skips the here-documents that the line starts.
    pub(super) fn bodies(
        &mut self,
        name: &str,
        split: &Split,
        arguments: Option<&Arguments>,
        scanner: &mut Scanner<'_>,
    ) -> Checked {
        let (name, json) = match arguments {
            Some(Arguments::Child(child, arguments)) => (
                self.name(child),
                matches!(**arguments, Arguments::Strings(_)),
            ),
            arguments => (
                name.to_owned(),
                matches!(arguments, Some(Arguments::Strings(_))),
            ),
        };
        let may = matches!(name.as_str(), "add" | "copy" | "run") && !json;
        if !may || !self.line.text.windows(2).any(|two| two == b"<<") {
            return Ok(());
        }
        let line = decode(&self.line.text);
        let Some(found) = heredoc::of_line(&line, &mut self.context.budget) else {
            return Err(self.fault(
                &split.arguments,
                "the name of a here-document makes no sense",
            ));
        };
        for start in found {
            match scanner.body(start.name.as_bytes(), start.tabs) {
                Some((text, end)) => self.bodies.push(Body { start, text, end }),
                None => {
                    let name = short(&start.name);
                    return Err(self
                        .fault(&split.arguments, format!("no line `{name}` ends the here-document `<<{name}`"))
                        .help("The line that ends it holds the name and nothing else, no blanks either."));
                }
            }
        }
        Ok(())
    }
}
