//! One instruction: what BuildKit would say to it, and what of it matters here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::expand::{Budget, Style, Variables, expand};
use super::flags::{self, Flag};
use super::heredoc::{self, Heredoc};
use super::json::{Exec, exec};
use super::lines::{Line, Scanner};
use super::mount;
use super::text::{decode, is_as, lower, short};
use super::values;
use super::words::{Split, Word, list, quoted, split};
use super::{Fault, UseKind, fault};
use crate::diagnostics::{Span, did_you_mean};

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

/// The arguments of an instruction, by its kind of list.
enum Arguments {
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

    /// Takes the arguments apart.
    fn arguments(&self, name: &str, split: &Split) -> Checked<Arguments> {
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
                let child = super::words::split(line, range, self.escape);
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
    fn pairs(&self, name: &str, range: Range<usize>) -> Checked<Vec<(Word, Word)>> {
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
            let rest = super::text::trim(&self.line.text, key.end..range.end);
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
    fn bodies(
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

    fn from(&mut self, split: &Split, words: &[Range<usize>]) -> Checked {
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

    fn stage_name(&self, range: &Range<usize>) -> Checked<String> {
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
    fn value_span(&self, flag: &Flag<'_>) -> Span {
        let range = flag.word.range.clone();
        self.span(self.within(&range, flag.value).unwrap_or(range))
    }

    /// Where in `range` `text` stands as a value.
    fn within(&self, range: &Range<usize>, text: &str) -> Option<Range<usize>> {
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

    fn arg(&mut self, words: &[Word]) -> Checked {
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

    fn env(&mut self, upper: &str, pairs: &[(Word, Word)]) -> Checked {
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
    fn whole(&mut self, name: &str, range: &Range<usize>) {
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
    fn list(&mut self, name: &str, words: &[Word]) -> Checked {
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

    fn healthcheck(&self, split: &Split, kind: &Range<usize>, command: bool) -> Checked {
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

    fn run(&mut self, split: &Split) -> Checked {
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

    fn mount(&mut self, flag: &Flag<'_>) -> Checked {
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
    fn copy(
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

    fn source(&mut self, upper: &str, source: &Word) {
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
    fn document(&mut self, start: &Heredoc, scanner: &Scanner<'_>) {
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

    fn copy_from(&mut self, flag: &Flag<'_>) -> Checked {
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

    fn onbuild(&mut self, split: &Split, child: &Split, scanner: &Scanner<'_>) -> Checked {
        let name = self.text(child.name.clone()).to_uppercase();
        if matches!(name.as_str(), "MAINTAINER" | "FROM") {
            return Err(self.fault(&child.name, format!("ONBUILD cannot hold {name}")));
        }
        if !self.context.in_trigger {
            self.parsed.kind = Kind::Onbuild(self.trigger(split, scanner));
        }
        Ok(())
    }

    /// The rest of the line, read as a file of its own, which is how it is fired.
    fn trigger(&mut self, split: &Split, scanner: &Scanner<'_>) -> Trigger {
        let end = self.line.text.len();
        let rest = self.line.part(split.name.end..end);
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' '));
        let start = split.name.end + blanks.count();
        let mut text = self.line.part(start..end).to_vec();
        let mut map = super::lines::SourceMap::default();
        for (at, source) in self.line.map.pieces(start..end) {
            map.piece(at - start, source);
        }
        for body in &self.bodies {
            map.piece(text.len(), body.text.start.saturating_sub(1));
            text.push(b'\n');
            map.piece(text.len(), body.text.start);
            text.extend_from_slice(scanner.slice(body.text.clone()));
            map.piece(text.len(), body.end.start);
            text.extend_from_slice(scanner.slice(body.end.clone()));
        }
        let whole = self.span(split.name.start..split.arguments.end);
        let place = |span: Span| map.span(span.start.min(text.len())..span.end.min(text.len()));
        let mut inner = Scanner::new(&text);
        let mut trigger = Trigger::default();
        let in_stage = std::mem::replace(&mut self.context.in_stage, true);
        self.context.in_trigger = true;
        let first = next(&mut inner, self.context);
        let second = next(&mut inner, self.context);
        self.context.in_trigger = false;
        self.context.in_stage = in_stage;
        if let Some((_, parsed)) = first.filter(|_| second.is_none()) {
            trigger.needs = parsed.needs;
            trigger.faults = parsed.faults;
            trigger.faults.extend(parsed.when_built);
        } else {
            trigger
                .faults
                .push(fault(whole, "ONBUILD holds exactly one instruction"));
        }
        trigger.faults.append(&mut inner.faults);
        for need in &mut trigger.needs {
            need.span = place(need.span);
            need.line = self.line.number;
        }
        for fault in &mut trigger.faults {
            fault.span = place(fault.span);
        }
        trigger
    }
}
