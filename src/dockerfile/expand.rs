//! Quotes, escapes and `$variables` of one word.
//!
//! A value is text and, beside it, the names of the variables it depends on
//! that have none: `node:$V` without V is `node:`, lacking V.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::pattern;
use super::text::short;

/// How deep `${A:-${B:-…}}` may go: each level takes a piece of the stack.
const MAX_DEPTH: usize = 100;

/// What expansion may cost in one file, so that eight lines cannot fill the memory.
#[derive(Debug)]
pub(super) struct Budget {
    /// Bytes that may still come out of variables.
    bytes: usize,
    /// Patterns that may still be matched.
    patterns: usize,
    /// How long that may take, in bytes of patterns times bytes of values.
    work: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            patterns: 2_000,
            work: 1 << 28,
        }
    }
}

/// A text, and the variables without value that it depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) lacks: Vec<String>,
}

impl Value {
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            lacks: Vec::new(),
        }
    }

    fn lacking(name: &str) -> Self {
        Self {
            text: String::new(),
            lacks: vec![name.to_owned()],
        }
    }

    fn add(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.lack(&other.lacks);
    }

    fn lack(&mut self, names: &[String]) {
        for name in names {
            // Hundreds of them tell no more than the first few.
            if self.lacks.len() < 16 && !self.lacks.contains(name) {
                self.lacks.push(name.clone());
            }
        }
    }

    /// The same, lacking what these lack.
    fn depending(mut self, others: &[&Self]) -> Self {
        for other in others {
            self.lack(&other.lacks);
        }
        self
    }
}

/// What variables there are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Variables<'v> {
    /// These and no others.
    Known(&'v BTreeMap<String, Value>),
    /// Those of an image that nobody has looked at: every value lacks.
    Unknown,
}

/// How a text is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) escape: char,
    /// Quotes and escapes stay in the text.
    pub(super) raw_quotes: bool,
    pub(super) raw_escapes: bool,
    /// Quotes are ordinary characters.
    pub(super) ignore_quotes: bool,
    /// A variable without value stays as it is written.
    pub(super) keep_unset: bool,
    /// The text is split into words.
    pub(super) words: bool,
}

impl Style {
    /// Of a word of an instruction.
    pub(super) fn word(escape: u8) -> Self {
        Self {
            escape: char::from(escape),
            raw_quotes: false,
            raw_escapes: false,
            ignore_quotes: false,
            keep_unset: false,
            words: false,
        }
    }
}

/// Why a word cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    /// Bytes into the text.
    pub(super) at: usize,
}

/// A word after expansion.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    pub(super) value: Value,
    /// The text split at blanks outside of quotes, if that is asked for.
    pub(super) words: Vec<String>,
}

/// Expands `text`.
pub(super) fn expand(
    text: &str,
    style: Style,
    variables: Variables<'_>,
    budget: &mut Budget,
) -> Result<Expanded, Problem> {
    // The scanner that BuildKit uses drops a byte order mark.
    let skipped = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut reader = Reader {
        text,
        at: skipped,
        style,
        raw_escapes: style.raw_escapes,
        variables,
        budget,
        depth: 0,
        word: String::new(),
        demanded: Vec::new(),
    };
    let (mut value, words) = reader.until(None, style.raw_escapes)?;
    let demanded = std::mem::take(&mut reader.demanded);
    value.lack(&demanded);
    Ok(Expanded { value, words })
}

struct Reader<'r> {
    text: &'r str,
    at: usize,
    style: Style,
    raw_escapes: bool,
    variables: Variables<'r>,
    budget: &'r mut Budget,
    depth: usize,
    /// The word that is being split off. There is one for all levels: what is
    /// read inside `${…}` begins it anew.
    word: String,
    /// Variables that `?` demands, whether or not their value is used.
    demanded: Vec<String>,
}

type Read<T> = Result<T, Problem>;

/// The words of one level.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    inside: bool,
}

impl<'r> Reader<'r> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn problem<T>(&self, message: impl Into<String>) -> Read<T> {
        Err(Problem {
            message: message.into(),
            at: self.at.min(self.text.len()),
        })
    }

    fn spend(&mut self, bytes: usize) -> Read<()> {
        match self.budget.bytes.checked_sub(bytes) {
            Some(left) => {
                self.budget.bytes = left;
                Ok(())
            }
            None => self.problem("the variables of this file expand to more than 64 MiB"),
        }
    }

    /// Takes as much as has no meaning but itself.
    fn ordinary(&mut self, stop: Option<char>) -> &'r str {
        let special = |byte: &u8| {
            let c = char::from(*byte);
            matches!(c, '$' | '<' | '\'' | '"') || c == self.style.escape || Some(c) == stop
        };
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.as_bytes().iter().position(special);
        let part = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        self.at += part.len();
        part
    }

    fn split(&mut self, words: &mut Words, text: &str) {
        if !self.style.words {
            return;
        }
        for c in text.chars() {
            if !c.is_whitespace() {
                self.word.push(c);
                words.inside = true;
            } else if words.inside && !self.word.is_empty() {
                words.done.push(std::mem::take(&mut self.word));
                words.inside = false;
            }
        }
    }

    fn whole(&mut self, words: &mut Words, text: &str) {
        if !self.style.words {
            return;
        }
        self.word.push_str(text);
        words.inside = true;
    }

    /// Reads up to `stop`, or to the end.
    fn until(&mut self, stop: Option<char>, raw_escapes: bool) -> Read<(Value, Vec<String>)> {
        let outer = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        let start = self.at;
        let mut value = Value::default();
        let mut words = Words::default();
        self.word.clear();
        let mut stopped = stop.is_none();
        let mut buffer = [0; 4];
        loop {
            let part = self.ordinary(stop);
            if !part.is_empty() {
                value.text.push_str(part);
                self.split(&mut words, part);
            }
            let Some(c) = self.peek() else {
                break;
            };
            if Some(c) == stop {
                self.next();
                stopped = true;
                break;
            }
            let (special, splits) = match c {
                '$' => (Some(self.dollar()?), true),
                '<' => (Some(self.angle()), false),
                '\'' if !self.style.ignore_quotes => (Some(self.single()?), false),
                '"' if !self.style.ignore_quotes => (Some(self.double()?), false),
                _ => (None, true),
            };
            if let Some(special) = special {
                value.add(&special);
                if splits {
                    self.split(&mut words, &special.text);
                } else {
                    self.whole(&mut words, &special.text);
                }
                continue;
            }
            self.next();
            if c != self.style.escape {
                value.text.push(c);
                self.split(&mut words, c.encode_utf8(&mut buffer));
                continue;
            }
            if self.raw_escapes {
                value.text.push(c);
                self.whole(&mut words, c.encode_utf8(&mut buffer));
            }
            if let Some(escaped) = self.next() {
                value.text.push(escaped);
                self.whole(&mut words, escaped.encode_utf8(&mut buffer));
            }
        }
        if !stopped {
            self.at = start;
            return self.problem(match stop {
                Some('}') => "`${` is not closed by `}`".to_owned(),
                other => format!("no second `{}` follows in `${{…}}`", other.unwrap_or('/')),
            });
        }
        if !self.word.is_empty() {
            words.done.push(std::mem::take(&mut self.word));
        }
        self.raw_escapes = outer;
        Ok((value, words.done))
    }

    /// `'…'`, taken as it is.
    fn single(&mut self) -> Read<Value> {
        let start = self.at;
        self.next();
        let rest = self.rest();
        let Some(length) = rest.find('\'') else {
            self.at = start;
            return self.problem("a single quote is not closed");
        };
        let inside = rest.get(..length).unwrap_or_default();
        let value = Value::of(if self.style.raw_quotes {
            format!("'{inside}'")
        } else {
            inside.to_owned()
        });
        self.at += length + 1;
        Ok(value)
    }

    /// `"…"`: variables are expanded, `"`, `$` and the escape character can be escaped.
    fn double(&mut self) -> Read<Value> {
        let start = self.at;
        let mut value = Value::default();
        self.next();
        if self.style.raw_quotes {
            value.text.push('"');
        }
        loop {
            value.text.push_str(self.ordinary(None));
            match self.peek() {
                None => {
                    self.at = start;
                    return self.problem("a double quote is not closed");
                }
                Some('"') => {
                    self.next();
                    if self.style.raw_quotes {
                        value.text.push('"');
                    }
                    return Ok(value);
                }
                Some('$') => {
                    let inner = self.dollar()?;
                    value.add(&inner);
                }
                Some(mut c) => {
                    self.next();
                    if c == self.style.escape {
                        if self.raw_escapes {
                            value.text.push(c);
                        }
                        match self.peek() {
                            None => continue,
                            Some(next) if next == '"' || next == '$' || next == c => {
                                self.next();
                                c = next;
                            }
                            Some(_) => {}
                        }
                    }
                    value.text.push(c);
                }
            }
        }
    }

    /// `<`, or `<<` with the blanks behind it: they belong to the word.
    fn angle(&mut self) -> Value {
        self.next();
        if self.peek() != Some('<') {
            return Value::of("<");
        }
        self.next();
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches(['\t', '\r', ' ']).len();
        let value = Value::of(format!("<<{}", rest.get(..blanks).unwrap_or_default()));
        self.at += blanks;
        value
    }

    /// The name of a variable: letters, digits and `_`; digits only; or one
    /// character that the shell has a meaning for.
    fn name(&mut self) -> String {
        let rest = self.rest();
        let length = match rest.chars().next() {
            Some(c) if c.is_ascii_digit() => {
                rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len()
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
            _ => {
                let inside = |c: char| c.is_alphanumeric() || c == '_';
                rest.len() - rest.trim_start_matches(inside).len()
            }
        };
        let name = rest.get(..length).unwrap_or_default().to_owned();
        self.at += length;
        name
    }

    /// What `name` stands for, and whether it is set.
    fn look(&mut self, name: &str) -> Read<(Cow<'static, Value>, bool)> {
        let Variables::Known(all) = self.variables else {
            return Ok((Cow::Owned(Value::lacking(name)), false));
        };
        match all.get(name) {
            None => Ok((Cow::Owned(Value::lacking(name)), false)),
            Some(value) => {
                self.spend(value.text.len() + 1)?;
                Ok((Cow::Owned(value.clone()), true))
            }
        }
    }

    /// `$NAME` or `${…}`.
    fn dollar(&mut self) -> Read<Value> {
        let start = self.at;
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok(Value::of("$"));
            }
            let (value, set) = self.look(&name)?;
            if !set && self.style.keep_unset {
                return Ok(Value::of(format!("${name}")));
            }
            return Ok(value.into_owned());
        }
        self.next();
        if self.depth >= MAX_DEPTH {
            self.at = start;
            return self.problem(format!("variables are nested more than {MAX_DEPTH} deep"));
        }
        self.depth += 1;
        let result = self.braces();
        self.depth -= 1;
        result.map_err(|problem| Problem {
            at: problem.at.max(start),
            ..problem
        })
    }

    /// What follows `${`.
    fn braces(&mut self) -> Read<Value> {
        let start = self.at.saturating_sub(2);
        match self.peek() {
            None => return self.not_closed(start),
            Some('{' | '}' | ':') => {
                self.at = start;
                return self.problem("`${` is not followed by the name of a variable");
            }
            Some(_) => {}
        }
        let name = self.name();
        let Some(operator) = self.next() else {
            return self.not_closed(start);
        };
        match operator {
            '}' => {
                let (value, set) = self.look(&name)?;
                if !set && self.style.keep_unset {
                    return Ok(Value::of(format!("${{{name}}}")));
                }
                Ok(value.into_owned())
            }
            ':' => match self.next() {
                None => self.not_closed(start),
                Some(operator) => self.modified(start, &name, operator, true),
            },
            '+' | '-' | '?' | '#' | '%' => self.modified(start, &name, operator, false),
            '/' => self.replaced(&name),
            other => self.unsupported(start, &name, &other.to_string()),
        }
    }

    fn not_closed<T>(&mut self, start: usize) -> Read<T> {
        self.at = start;
        self.problem("`${` is not closed by `}`")
    }

    fn unsupported<T>(&mut self, start: usize, name: &str, operator: &str) -> Read<T> {
        self.at = start;
        let name = short(name);
        self.problem(format!(
            "`${{{name}{operator}…}}` is no substitution that a Dockerfile knows"
        ))
    }

    /// `${NAME-word}` and its kin; with `colon`, an empty value counts as none.
    fn modified(&mut self, start: usize, name: &str, operator: char, colon: bool) -> Read<Value> {
        let trims = matches!(operator, '#' | '%');
        let written = if colon {
            format!(":{operator}")
        } else {
            operator.to_string()
        };
        if colon && trims {
            return self.unsupported(start, name, &written);
        }
        let (word, _) = self.until(Some('}'), trims)?;
        let (value, set) = self.look(name)?;
        if self.style.keep_unset && !set {
            return Ok(Value::of(format!("${{{name}{written}{}}}", word.text)));
        }
        if matches!(self.variables, Variables::Unknown) && matches!(operator, '-' | '+' | '?') {
            return Ok(Value::lacking(name));
        }
        let empty = !set || (colon && value.text.is_empty());
        match operator {
            '-' if empty => Ok(word),
            '-' => Ok(value.into_owned()),
            '+' if empty => Ok(Value::default()),
            '+' => Ok(word),
            '?' if !empty => Ok(value.into_owned()),
            '?' => {
                if set && value.lacks.is_empty() {
                    self.at = start;
                    let why = if word.text.is_empty() {
                        "it may not be empty"
                    } else {
                        &word.text
                    };
                    return self.problem(format!("`{}` is empty: {}", short(name), short(why)));
                }
                self.demanded.extend(value.lacks.iter().cloned());
                Ok(value.into_owned())
            }
            '#' | '%' => {
                let (pattern, longest) = match word.text.strip_prefix(operator) {
                    Some(rest) => (rest, true),
                    None => (word.text.as_str(), false),
                };
                let text = self.matched(start, pattern, &value.text, |pattern, value| {
                    if operator == '#' {
                        pattern::trim_start(pattern, value, longest)
                    } else {
                        pattern::trim_end(pattern, value, longest)
                    }
                })?;
                Ok(Value::of(text).depending(&[&value, &word]))
            }
            _ => self.unsupported(start, name, &written),
        }
    }

    /// `${NAME/pattern/replacement}`, with a second slash all of them.
    fn replaced(&mut self, name: &str) -> Read<Value> {
        let start = self.at;
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let (pattern, _) = self.until(Some('/'), true)?;
        let (replacement, _) = self.until(Some('}'), true)?;
        let (value, set) = self.look(name)?;
        if self.style.keep_unset && !set {
            return Ok(Value::of(format!(
                "${{{name}/{}/{}}}",
                pattern.text, replacement.text
            )));
        }
        // What comes out is at most this long.
        let most = replacement.text.len().saturating_mul(value.text.len() + 1);
        if all && most > self.budget.bytes {
            return self.problem("the variables of this file expand to more than 64 MiB");
        }
        let text = self.matched(start, &pattern.text, &value.text, |pattern, value| {
            pattern::replace(pattern, value, &replacement.text, all)
        })?;
        Ok(Value::of(text).depending(&[&value, &pattern, &replacement]))
    }

    fn matched(
        &mut self,
        start: usize,
        pattern: &str,
        value: &str,
        apply: impl FnOnce(&str, &str) -> Result<String, String>,
    ) -> Read<String> {
        let end = std::mem::replace(&mut self.at, start);
        let work = (pattern.len() + 1).saturating_mul(value.len() + 1);
        match (
            self.budget.patterns.checked_sub(1),
            self.budget.work.checked_sub(work),
        ) {
            (Some(patterns), Some(work)) => {
                self.budget.patterns = patterns;
                self.budget.work = work;
            }
            (None, _) => {
                return self.problem("the variables of this file hold more than 2000 patterns");
            }
            (_, None) => return self.problem("patterns and values of this file are too long"),
        }
        let text = match apply(pattern, value) {
            Ok(text) => text,
            Err(reason) => return self.problem(reason),
        };
        self.spend(text.len())?;
        self.at = end;
        Ok(text)
    }
}
