//! Instructions that take files from elsewhere: RUN with its mounts, COPY and ADD.

use std::collections::BTreeMap;

use super::super::expand::{Style, Variables, expand};
use super::super::flags::Flag;
use super::super::heredoc::{self, Heredoc};
use super::super::lines::Scanner;
use super::super::mount;
use super::super::text::{decode, short};
use super::super::values;
use super::super::words::{Split, Word};
use super::super::{Fault, UseKind, fault};
use super::arguments::Arguments;
use super::{Checked, Need, Reader, Text};
use crate::diagnostics::{Span, did_you_mean};

impl Reader<'_, '_> {
    pub(super) fn run(&mut self, split: &Split) -> Checked {
        for flag in self.flags("run", split)? {
            let known: &[&str] = match flag.name {
                "network" => &["default", "none", "host"],
                "security" => &["sandbox", "insecure"],
                "mount" => {
                    self.mount(&flag)?;
                    continue;
                }
                _ => continue,
            };
            if !known.contains(&flag.value) {
                let message = format!("`--{}={}` is not known", flag.name, short(flag.value));
                return Err(self
                    .fault(&flag.word.range, message)
                    .help(did_you_mean(flag.value, known)));
            }
        }
        Ok(())
    }

    pub(super) fn mount(&mut self, flag: &Flag<'_>) -> Checked {
        let range = &flag.word.range;
        let (source, wrong) = mount::mount(flag.value, self.escape, &mut self.context.budget)
            .map_err(|(message, help)| Fault {
                help,
                ..self.fault(range, message)
            })?;
        if let Some((message, help)) = wrong {
            let fault = Fault {
                help,
                ..self.fault(range, message)
            };
            self.parsed.when_built.push(fault);
        }
        let place = self
            .within(range, &source.from)
            .unwrap_or_else(|| range.clone());
        self.parsed.needs.push(Need {
            kind: UseKind::Mount,
            from: source.from,
            span: self.span(place),
            line: self.line.number,
            ordered: source.ordered,
        });
        Ok(())
    }

    /// COPY and ADD.
    pub(super) fn copy(
        &mut self,
        name: &str,
        split: &Split,
        arguments: &Arguments,
        scanner: &Scanner<'_>,
    ) -> Checked {
        let upper = name.to_ascii_uppercase();
        let words = self.plain(arguments);
        let Some((target, sources)) = words
            .split_last()
            .filter(|(_, sources)| !sources.is_empty())
        else {
            let place = if words.is_empty() {
                &split.name
            } else {
                &split.arguments
            };
            return Err(self
                .fault(place, format!("{upper} needs a source and a destination"))
                .help(format!("Write `{upper} source destination`.")));
        };
        let flags = self.flags(name, split)?;
        if heredoc::of_word(&target.text, &mut self.context.budget)
            .flatten()
            .is_some()
        {
            return Err(self.fault(
                &target.range,
                format!("{upper} cannot write to a here-document"),
            ));
        }
        let mut plain_sources = 0;
        for source in sources {
            match heredoc::of_word(&source.text, &mut self.context.budget).flatten() {
                Some(start) => self.document(&start, scanner),
                None => {
                    plain_sources += 1;
                    self.source(&upper, source);
                }
            }
        }
        self.when_built(target);
        for flag in &flags {
            if flag.name == "from" {
                self.copy_from(flag)?;
                continue;
            }
            let word = Word {
                text: flag.value.to_owned(),
                range: flag.word.range.clone(),
            };
            let value = match flag.name {
                "chown" | "chmod" | "checksum" => self.when_built(&word),
                _ => continue,
            };
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                continue;
            };
            if flag.name == "chmod" && !values::is_mode(&value) {
                self.refuse_when_built(&word, format!("`{}` is no mode", short(&value)));
            }
            if flag.name == "checksum" && plain_sources != 1 {
                self.refuse_when_built(&word, "`--checksum` needs exactly one source".to_owned());
            }
        }
        Ok(())
    }

    pub(super) fn source(&mut self, upper: &str, source: &Word) {
        let value = self.when_built(source);
        if upper == "COPY" && value.as_deref().is_some_and(values::is_remote) {
            let fault = self
                .fault(
                    &source.range,
                    format!("COPY does not fetch `{}`", short(&source.text)),
                )
                .help("ADD does.");
            self.parsed.when_built.push(fault);
        }
    }

    /// A here-document as a source: its variables are expanded, quotes are not looked at.
    pub(super) fn document(&mut self, start: &Heredoc, scanner: &Scanner<'_>) {
        let body = self
            .bodies
            .iter()
            .rfind(|body| body.start.name == start.name);
        let Some(text) = body.filter(|_| start.expands).map(|body| body.text.clone()) else {
            return;
        };
        let style = Style {
            ignore_quotes: true,
            ..Style::word(b'\\')
        };
        let content = decode(scanner.slice(text.clone()));
        if let Err(problem) = expand(
            &content,
            style,
            Variables::Unknown,
            &mut self.context.budget,
        ) {
            let place = Text {
                text: content.into_owned(),
                span: Span::new(text.start, text.end),
            };
            self.parsed.when_built.push(
                fault(place.place(problem.at), problem.message)
                    .help("Variables in a here-document are expanded unless its name is quoted, `<<\"NAME\"`."),
            );
        }
    }

    pub(super) fn copy_from(&mut self, flag: &Flag<'_>) -> Checked {
        if flag.value.is_empty() {
            return Ok(());
        }
        let none = BTreeMap::new();
        let style = Style::word(self.escape);
        let expanded = expand(
            flag.value,
            style,
            Variables::Known(&none),
            &mut self.context.budget,
        );
        let span = self.value_span(flag);
        match expanded {
            Ok(expanded)
                if expanded.value.text == flag.value && expanded.value.lacks.is_empty() => {}
            Ok(_) => {
                let message = format!(
                    "`--from={}` holds a variable or an escape, which is not expanded there",
                    short(flag.value)
                );
                return Err(fault(span, message)
                    .help("Give the image a stage of its own, `FROM $VARIABLE AS name`, and copy from that."));
            }
            Err(problem) => return Err(fault(span, problem.message)),
        }
        self.parsed.needs.push(Need {
            kind: UseKind::Copy,
            from: flag.value.to_owned(),
            span,
            line: self.line.number,
            ordered: true,
        });
        Ok(())
    }
}
