//! One instruction: what BuildKit would say to it, and what of it matters here.

mod arguments;
mod files;
mod onbuild;
mod simple;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::expand::{Budget, Style, Variables, expand};
use super::flags::{self, Flag};
use super::heredoc::Heredoc;
use super::lines::{Line, Scanner};
use super::text::{decode, lower, short};
use super::words::{Split, Word, split};
use super::{Fault, UseKind, fault};
use crate::diagnostics::{Span, did_you_mean};
use arguments::Arguments;

const NAMES: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// What instructions are read with.
#[derive(Debug)]
pub(super) struct Context<'c> {
    pub(super) build_args: &'c BTreeMap<String, String>,
    pub(super) budget: Budget,
    /// Has there been a FROM?
    pub(super) in_stage: bool,
    /// Is this the inside of an ONBUILD? One inside of that is not looked into.
    pub(super) in_trigger: bool,
}

/// A text of the file that is expanded later.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) span: Span,
}

impl Text {
    /// The place of a problem `at` bytes into the text, as exactly as it is known.
    pub(super) fn place(&self, at: usize) -> Span {
        if self.span.end - self.span.start == self.text.len() {
            Span::new((self.span.start + at).min(self.span.end), self.span.end)
        } else {
            self.span
        }
    }
}

/// Something that another stage, or an image, is needed for.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) kind: UseKind,
    /// A stage, an index, an image; empty for a mount that names none.
    pub(super) from: String,
    pub(super) span: Span,
    pub(super) line: usize,
    /// Is it only looked for among the stages before?
    pub(super) ordered: bool,
}

/// An instruction behind ONBUILD, as it is when it is fired.
#[derive(Clone, Debug, Default)]
pub(super) struct Trigger {
    pub(super) needs: Vec<Need>,
    pub(super) faults: Vec<Fault>,
}

/// What matters of an instruction.
#[derive(Debug, Default)]
pub(super) enum Kind {
    From {
        image: Text,
        platform: Option<Text>,
        name: Option<String>,
    },
    Arg(Vec<(String, Option<Text>)>),
    Onbuild(Trigger),
    #[default]
    Other,
}

/// An instruction that was read.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) kind: Kind,
    pub(super) span: Option<Span>,
    pub(super) needs: Vec<Need>,
    /// What every build refuses.
    pub(super) faults: Vec<Fault>,
    /// What a build that reaches this stage refuses.
    pub(super) when_built: Vec<Fault>,
}

/// A here-document of the instruction: what starts it, its text, the line that ends it.
struct Body {
    start: Heredoc,
    text: Range<usize>,
    end: Range<usize>,
}

/// Reads the next instruction, with its here-documents.
pub(super) fn next(
    scanner: &mut Scanner<'_>,
    context: &mut Context<'_>,
) -> Option<(usize, Parsed)> {
    let line = scanner.next()?;
    let split = split(&line.text, 0..line.text.len(), scanner.escape);
    let mut reader = Reader {
        line: &line,
        escape: scanner.escape,
        context,
        bodies: Vec::new(),
        parsed: Parsed::default(),
    };
    reader.parsed.span = Some(
        line.map
            .span(split.name.start..split.arguments.end.max(split.name.end)),
    );
    if let Err(fault) = reader.instruction(&split, scanner) {
        reader.parsed.faults.push(fault);
    }
    let parsed = reader.parsed;
    Some((line.number, parsed))
}

struct Reader<'r, 'c> {
    line: &'r Line<'r>,
    escape: u8,
    context: &'r mut Context<'c>,
    bodies: Vec<Body>,
    parsed: Parsed,
}

type Checked<T = ()> = Result<T, Fault>;

impl Reader<'_, '_> {
    fn text(&self, range: Range<usize>) -> String {
        decode(self.line.part(range)).into_owned()
    }

    fn span(&self, range: Range<usize>) -> Span {
        self.line.map.span(range)
    }

    fn name(&self, split: &Split) -> String {
        lower(&decode(self.line.part(split.name.clone())))
    }

    fn fault(&self, range: &Range<usize>, message: impl Into<String>) -> Fault {
        fault(self.span(range.clone()), message)
    }

    fn instruction(&mut self, split: &Split, scanner: &mut Scanner<'_>) -> Checked {
        let name = self.name(split);
        let arguments = self.arguments(&name, split);
        // Also behind a fault a body is no list of instructions.
        self.bodies(&name, split, arguments.as_ref().ok(), scanner)?;
        self.check(&name, split, &arguments?, scanner)
    }

    fn check(
        &mut self,
        name: &str,
        split: &Split,
        arguments: &Arguments,
        scanner: &Scanner<'_>,
    ) -> Checked {
        let upper = name.to_ascii_uppercase();
        let none = |reader: &Self| {
            let message = format!("{upper} needs an argument");
            Err(reader.fault(&split.name, message))
        };
        match (name, arguments) {
            ("from", Arguments::List(words)) => self.from(split, words),
            ("arg", Arguments::Quoted(words)) if words.is_empty() => none(self),
            ("arg", Arguments::Quoted(words)) => self.arg(words),
            ("env" | "label", Arguments::Pairs(pairs)) => {
                self.flags(name, split)?;
                if pairs.is_empty() {
                    return none(self);
                }
                self.env(&upper, pairs)
            }
            ("copy" | "add", arguments) => self.copy(name, split, arguments, scanner),
            ("run", _) => self.run(split),
            ("cmd" | "entrypoint", _) => self.flags(name, split).map(|_| ()),
            ("shell", arguments) => {
                self.flags(name, split)?;
                match arguments {
                    Arguments::Strings(strings) if !strings.is_empty() => Ok(()),
                    _ => Err(self
                        .fault(&split.name, "SHELL takes an array of strings in JSON form")
                        .help("Such as `SHELL [\"/bin/bash\", \"-c\"]`.")),
                }
            }
            ("healthcheck", Arguments::Health { kind, command }) => {
                self.healthcheck(split, kind, *command)
            }
            ("onbuild", Arguments::Child(child, _)) => {
                self.flags(name, split)?;
                self.onbuild(split, child, scanner)
            }
            (
                "maintainer" | "user" | "workdir" | "stopsignal" | "onbuild",
                Arguments::Whole(range),
            ) => {
                if range.is_empty() {
                    return none(self);
                }
                // STOPSIGNAL alone does not look at its flags.
                if name != "stopsignal" {
                    self.flags(name, split)?;
                }
                self.whole(name, range);
                Ok(())
            }
            ("expose" | "volume", arguments) => {
                let words = self.plain(arguments);
                if words.is_empty() {
                    return none(self);
                }
                self.flags(name, split)?;
                self.list(name, &words)
            }
            _ => Err(self.unknown(split)),
        }
    }

    fn unknown(&self, split: &Split) -> Fault {
        let name = self.text(split.name.clone());
        self.fault(
            &split.name,
            format!("there is no instruction `{}`", short(&name)),
        )
        .help(did_you_mean(&name, &NAMES))
    }

    fn flags<'w>(&self, name: &str, split: &'w Split) -> Checked<Vec<Flag<'w>>> {
        flags::check(name, &split.flags).map_err(|(word, message, help)| Fault {
            help,
            ..self.fault(&word.range, message)
        })
    }

    /// Words as texts, with their places.
    fn plain(&self, arguments: &Arguments) -> Vec<Word> {
        match arguments {
            Arguments::List(ranges) => ranges
                .iter()
                .map(|range| Word {
                    text: self.text(range.clone()),
                    range: range.clone(),
                })
                .collect(),
            Arguments::Strings(strings) => strings
                .iter()
                .map(|text| Word {
                    text: text.clone(),
                    range: 0..self.line.text.len(),
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The value of a word where the stage is built, unless a variable hides it.
    /// What cannot be read is a fault there.
    fn when_built<'w>(&mut self, word: &'w Word) -> Option<Cow<'w, str>> {
        let text = word.text.as_str();
        if !text.contains(['$', '\'', '"', char::from(self.escape), '\u{feff}']) {
            return Some(Cow::Borrowed(text));
        }
        let style = Style::word(self.escape);
        match expand(
            &word.text,
            style,
            Variables::Unknown,
            &mut self.context.budget,
        ) {
            Ok(expanded) => expanded
                .value
                .lacks
                .is_empty()
                .then_some(expanded.value.text)
                .map(Cow::Owned),
            Err(problem) => {
                let text = Text {
                    text: word.text.clone(),
                    span: self.span(word.range.clone()),
                };
                let place = text.place(problem.at);
                self.parsed.when_built.push(fault(place, problem.message));
                None
            }
        }
    }

    fn refuse_when_built(&mut self, word: &Word, message: String) {
        let fault = self.fault(&word.range, message);
        self.parsed.when_built.push(fault);
    }
}
