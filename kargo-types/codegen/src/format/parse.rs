//! From text to facts, strictly.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::{MAGIC, MAX_DEPTH, is_bare, is_bare_char, is_plain, modifiers};
use crate::facts::{Column, Facts, Origin, Property, Resource, Rule, Schema, Type};
use modifiers::SetError;

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

/// Reads the text of a facts file; `file` is its name for messages.
///
/// # Errors
/// The first thing that [`super::write`] would not have written: an unknown word
/// or modifier, a wrong value, wrong indentation, a tab, a duplicate, a `ref` to
/// nothing.
pub fn parse(file: &str, text: &str) -> Result<Facts, FormatError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser {
        lines: lines(file, text)?,
        at: 0,
        file,
        refs: Vec::new(),
    };
    let facts = parser.facts()?;
    parser.check_refs(&facts)?;
    Ok(facts)
}

type Result<T, E = FormatError> = std::result::Result<T, E>;

/// One line that is not blank.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    /// Levels of indentation, two blanks each.
    level: usize,
    /// The line without its indentation.
    text: &'a str,
}

fn lines<'a>(file: &str, text: &'a str) -> Result<Vec<Line<'a>>> {
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
struct Cursor<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn error(&self, message: impl Into<String>) -> FormatError {
        FormatError {
            file: self.file.to_owned(),
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let (head, tail) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.column += head.chars().count();
        self.rest = tail;
        head
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            self.skip(text.len());
        }
        found
    }

    fn expect(&mut self, text: &str, what: &str) -> Result<()> {
        if self.eat(text) {
            Ok(())
        } else {
            Err(self.error(format!("expected {what}")))
        }
    }

    /// A run of characters that names are made of; may be empty.
    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c| !is_bare_char(c))
            .unwrap_or(self.rest.len());
        self.skip(end)
    }

    /// A name, bare or as a JSON string; bare where it can be.
    fn name(&mut self, what: &str) -> Result<String> {
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

    fn json(&mut self, what: &str) -> Result<Value> {
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

    fn string(&mut self, what: &str) -> Result<String> {
        let start = self.error(format!("expected {what}, as a JSON string"));
        match self.json(what)? {
            Value::String(text) => Ok(text),
            _ => Err(start),
        }
    }

    /// The rest of the line as text, or one JSON string.
    fn text(&mut self, what: &str) -> Result<String> {
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

    fn end(&self) -> Result<()> {
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

struct Parser<'a> {
    file: &'a str,
    lines: Vec<Line<'a>>,
    at: usize,
    /// Names that `ref` used, with the place for the message.
    refs: Vec<(String, FormatError)>,
}

impl<'a> Parser<'a> {
    fn cursor(&self, line: Line<'a>) -> Cursor<'a> {
        Cursor {
            file: self.file,
            line: line.number,
            column: line.level * 2 + 1,
            rest: line.text,
        }
    }

    fn peek(&self) -> Option<Line<'a>> {
        self.lines.get(self.at).copied()
    }

    fn end_error(&self, message: &str) -> FormatError {
        let line = self.lines.last().map_or(1, |line| line.number + 1);
        FormatError {
            file: self.file.to_owned(),
            line,
            column: 1,
            message: message.to_owned(),
        }
    }

    fn facts(&mut self) -> Result<Facts> {
        self.first_line()?;
        let mut header = Header::default();
        while let Some(line) = self.peek().filter(|line| !is_root(line.text)) {
            self.at += 1;
            let mut cursor = self.cursor(line);
            if line.level > 0 {
                return Err(cursor.error("expected a header line or `root:`, without indentation"));
            }
            header.line(&mut cursor)?;
        }
        let Some(line) = self.peek() else {
            return Err(self.end_error("expected the line `root: …`"));
        };
        let (origin, name, resource) = header.finish(&self.cursor(line))?;
        let mut cursor = self.cursor(line);
        if line.level > 0 {
            return Err(cursor.error("`root:` is not indented"));
        }
        cursor.expect("root", "`root`")?;
        let root = self.schema(cursor, 0)?;
        let definitions = self.definitions()?;
        Ok(Facts {
            origin,
            name,
            resource,
            root,
            definitions,
        })
    }

    fn first_line(&mut self) -> Result<()> {
        let Some(line) = self.peek() else {
            return Err(self.end_error(&format!("an empty file: expected `{MAGIC}`")));
        };
        let cursor = self.cursor(line);
        let rest = line.text.strip_prefix(MAGIC);
        if line.level > 0 || !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" (")) {
            return Err(cursor.error(format!(
                "expected `{MAGIC}`: this is no facts file of that version"
            )));
        }
        self.at += 1;
        Ok(())
    }

    fn definitions(&mut self) -> Result<Vec<(String, Schema)>> {
        let mut definitions: Vec<(String, Schema)> = Vec::new();
        while let Some(line) = self.peek() {
            let mut cursor = self.cursor(line);
            if line.level > 0 {
                return Err(cursor.error("indented too deep"));
            }
            cursor.expect("define ", "`define NAME: …` or the end of the file")?;
            let start = cursor.error("");
            let name = cursor.name("a name")?;
            match definitions.last().map(|(last, _)| last.as_str().cmp(&name)) {
                Some(std::cmp::Ordering::Equal) => {
                    return Err(FormatError {
                        message: format!("`{name}` is defined twice"),
                        ..start
                    });
                }
                Some(std::cmp::Ordering::Greater) => {
                    let message =
                        format!("`{name}` is out of place: definitions are in order of name");
                    return Err(FormatError { message, ..start });
                }
                _ => {}
            }
            let schema = self.schema(cursor, 0)?;
            definitions.push((name, schema));
        }
        Ok(definitions)
    }

    /// A value: the rest of its line from the colon on, then the lines below it.
    fn schema(&mut self, mut cursor: Cursor<'a>, level: usize) -> Result<Schema> {
        self.at += 1;
        if level > MAX_DEPTH {
            return Err(cursor.error(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        cursor.expect(": ", "`: ` and a type")?;
        let mut schema = Schema::of(self.ty(&mut cursor)?);
        self.modifiers(&mut cursor, &mut schema)?;
        let line = cursor.line;
        self.doc(&mut schema, level + 1)?;
        self.constraints(&mut schema, level + 1)?;
        self.children(&mut schema, line, level + 1)?;
        if let Some(next) = self.peek().filter(|next| next.level > level) {
            return Err(self
                .cursor(next)
                .error("indented too deep: there is nothing it could belong to"));
        }
        Ok(schema)
    }

    fn ty(&mut self, cursor: &mut Cursor<'a>) -> Result<Type> {
        let start = cursor.error("");
        let any = || Box::new(Schema::of(Type::Any));
        Ok(match cursor.word() {
            "any" => Type::Any,
            "string" => Type::String,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "boolean" => Type::Boolean,
            "int-or-string" => Type::IntOrString,
            "object" => Type::Object(Vec::new()),
            "map" => Type::Map(any()),
            "list" => Type::List(any()),
            "ref" => {
                cursor.expect(" ", "a blank and the name of a definition")?;
                let place = cursor.error("");
                let name = cursor.name("the name of a definition")?;
                self.refs.push((name.clone(), place));
                Type::Ref(name)
            }
            "core" => {
                cursor.expect(
                    " ",
                    "a blank and the name of a core type, as `batch/v1.JobSpec`",
                )?;
                let name = cursor.name("the name of a core type, as `batch/v1.JobSpec`")?;
                cursor.expect(" ", "a blank and 16 hex digits")?;
                Type::Core {
                    name,
                    digest: digest(cursor)?,
                }
            }
            other => {
                let message = format!(
                    "`{other}` is no type: expected any, string, integer, number, boolean, \
                     int-or-string, object, map, list, ref or core"
                );
                return Err(FormatError { message, ..start });
            }
        })
    }

    fn modifiers(&self, cursor: &mut Cursor<'a>, schema: &mut Schema) -> Result<()> {
        let mut seen = BTreeSet::new();
        while !cursor.rest.is_empty() {
            cursor.expect(" ", "a blank before the next modifier")?;
            let start = cursor.error("");
            let name = cursor.word();
            let value = if cursor.eat("=") {
                Some(cursor.json("a JSON value")?)
            } else {
                None
            };
            let refuse = |message: String| {
                Err(FormatError {
                    message,
                    ..start.clone()
                })
            };
            if name.is_empty() {
                return refuse("expected a modifier, or the end of the line".into());
            }
            if !seen.insert(name) {
                return refuse(format!("the modifier `{name}` stands twice"));
            }
            match modifiers::set(schema, name, value) {
                Ok(()) => {}
                Err(SetError::Unknown) => return refuse(format!("no modifier is called `{name}`")),
                Err(SetError::Expected(what)) => {
                    return refuse(format!("the modifier `{name}` takes {what}"));
                }
            }
        }
        Ok(())
    }

    fn doc(&mut self, schema: &mut Schema, level: usize) -> Result<()> {
        let mut lines = Vec::new();
        while let Some(line) = self.below(level).filter(|line| line.text.starts_with('/')) {
            self.at += 1;
            let mut cursor = self.cursor(line);
            cursor.expect("/ ", "`/ ` and text")?;
            lines.push(cursor.text("text")?);
        }
        schema.doc = lines.join("\n");
        Ok(())
    }

    fn constraints(&mut self, schema: &mut Schema, level: usize) -> Result<()> {
        while let Some(line) = self.below(level).filter(|line| line.text.starts_with('@')) {
            self.at += 1;
            let mut cursor = self.cursor(line);
            cursor.eat("@");
            let start = cursor.error("");
            let word = cursor.word();
            cursor.expect(" ", "a blank")?;
            match word {
                "rule" => schema.rules.push(rule(&mut cursor)?),
                "oneOf" => schema.one_of.push(self.alternative(&mut cursor)?),
                "anyOf" => schema.any_of.push(self.alternative(&mut cursor)?),
                "allOf" => schema.all_of.push(self.alternative(&mut cursor)?),
                "not" if schema.not.is_none() => schema.not = Some(self.alternative(&mut cursor)?),
                "not" => {
                    return Err(FormatError {
                        message: "`@not` stands twice".into(),
                        ..start
                    });
                }
                _ => {
                    let message = "expected rule, oneOf, anyOf, allOf or not after `@`".into();
                    return Err(FormatError { message, ..start });
                }
            }
            cursor.end()?;
        }
        Ok(())
    }

    fn alternative(&mut self, cursor: &mut Cursor<'a>) -> Result<Value> {
        let start = cursor.error("expected a schema: a JSON object, true or false");
        let value = cursor.json("a schema as JSON")?;
        if !value.is_object() && !value.is_boolean() {
            return Err(start);
        }
        for name in references(&value) {
            self.refs.push((name, start.clone()));
        }
        Ok(value)
    }

    /// The next line if it stands at `level`.
    fn below(&self, level: usize) -> Option<Line<'a>> {
        self.peek().filter(|line| line.level == level)
    }

    fn children(&mut self, schema: &mut Schema, parent: usize, level: usize) -> Result<()> {
        match &mut schema.ty {
            Type::Object(properties) => self.properties(properties, level),
            Type::Map(inner) => self.inner(inner, "values", parent, level),
            Type::List(inner) => self.inner(inner, "items", parent, level),
            _ => match self.below(level) {
                Some(line) => Err(self.cursor(line).error(misplaced(
                    line.text,
                    "only an object, a map or a list has something below it",
                ))),
                None => Ok(()),
            },
        }
    }

    fn properties(&mut self, properties: &mut Vec<Property>, level: usize) -> Result<()> {
        let mut seen = BTreeSet::new();
        while let Some(line) = self.below(level) {
            let mut cursor = self.cursor(line);
            let start = cursor.error("");
            let name = cursor.name("a property's name").map_err(|e| FormatError {
                message: misplaced(line.text, &e.message),
                ..e
            })?;
            if !seen.insert(name.clone()) {
                let message = format!("the property `{name}` stands twice");
                return Err(FormatError { message, ..start });
            }
            let required = cursor.eat("!");
            let schema = self.schema(cursor, level)?;
            properties.push(Property {
                name,
                required,
                schema,
            });
        }
        Ok(())
    }

    fn inner(&mut self, inner: &mut Schema, name: &str, parent: usize, level: usize) -> Result<()> {
        let Some(line) = self.below(level) else {
            let message = format!("expected a line `{name}: …` below this one");
            let file = self.file.to_owned();
            return Err(FormatError {
                file,
                line: parent,
                column: level * 2 - 1,
                message,
            });
        };
        let mut cursor = self.cursor(line);
        let what = misplaced(line.text, &format!("expected `{name}: …`"));
        if cursor.word() != name {
            return Err(self.cursor(line).error(what));
        }
        *inner = self.schema(cursor, level)?;
        match self.below(level) {
            Some(line) => Err(self
                .cursor(line)
                .error(format!("expected nothing after `{name}`"))),
            None => Ok(()),
        }
    }

    /// Every `ref` points at a definition, and none only at itself.
    fn check_refs(self, facts: &Facts) -> Result<()> {
        for (name, place) in self.refs {
            if facts.definition(&name).is_none() {
                let message = format!("`{name}` is not defined in this file");
                return Err(FormatError { message, ..place });
            }
            if facts.resolve(&Type::Ref(name.clone())).is_none() {
                let message = format!("`{name}` is defined by nothing but itself");
                return Err(FormatError { message, ..place });
            }
        }
        Ok(())
    }
}

fn is_root(text: &str) -> bool {
    text.starts_with("root:")
}

/// `message`, unless the line is one of those that stand before others.
fn misplaced(text: &str, message: &str) -> String {
    match text.chars().next() {
        Some('/') => "our words stand right below their value, before rules and properties".into(),
        Some('@') => "rules and alternatives stand before properties".into(),
        _ => message.to_owned(),
    }
}

fn digest(cursor: &mut Cursor<'_>) -> Result<String> {
    let start = cursor.error("expected a digest of 16 hex digits in lower case");
    let word = cursor.word();
    let hex = word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    if hex && word.len() == 16 {
        Ok(word.to_owned())
    } else {
        Err(start)
    }
}

fn rule(cursor: &mut Cursor<'_>) -> Result<Rule> {
    let rule = cursor.string("a CEL expression")?;
    let mut extra: Vec<(String, String)> = Vec::new();
    while !cursor.rest.is_empty() {
        cursor.expect(" ", "a blank")?;
        let start = cursor.error("expected reason=, fieldPath= or optionalOldSelf=, each once");
        let key = cursor.word();
        let known = matches!(key, "reason" | "fieldPath" | "optionalOldSelf");
        if !known || extra.iter().any(|(other, _)| other == key) {
            return Err(start);
        }
        cursor.expect("=", "`=`")?;
        extra.push((key.to_owned(), cursor.string("a value")?));
    }
    Ok(Rule { rule, extra })
}

/// The definitions that `$ref`s within an alternative name.
fn references(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref") {
                    let name = target.strip_prefix("#/definitions/").unwrap_or(target);
                    found.push(name.to_owned());
                }
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    found
}

/// The lines before `root:`.
#[derive(Default)]
struct Header {
    seen: BTreeSet<String>,
    name: Option<String>,
    source: Option<String>,
    licence: Option<String>,
    group: Option<String>,
    version: Option<String>,
    plural: Option<String>,
    singular: Option<String>,
    scope: Option<bool>,
    short_names: Vec<String>,
    categories: Vec<String>,
    status: bool,
    columns: Vec<Column>,
}

impl Header {
    fn line(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        let start = cursor.error("");
        let key = cursor.word().to_owned();
        if key != "column" && !self.seen.insert(key.clone()) {
            return Err(FormatError {
                message: format!("`{key}` stands twice"),
                ..start
            });
        }
        cursor.expect(" ", "a header line, as `name …`, or `root: …`")?;
        match key.as_str() {
            "name" => self.name = Some(cursor.text("a name")?),
            "source" => self.source = Some(cursor.text("the source")?),
            "licence" => self.licence = Some(cursor.text("an SPDX identifier")?),
            "group" => self.group = Some(cursor.text("an API group")?),
            "version" => self.version = Some(cursor.text("a version")?),
            "plural" => self.plural = Some(cursor.text("a name")?),
            "singular" => self.singular = Some(cursor.text("a name")?),
            "scope" => {
                let place = cursor.error("expected Namespaced or Cluster");
                self.scope = match cursor.word() {
                    "Namespaced" => Some(true),
                    "Cluster" => Some(false),
                    _ => return Err(place),
                };
            }
            "shortNames" => self.short_names = list(cursor)?,
            "categories" => self.categories = list(cursor)?,
            "subresource" => {
                cursor.expect("status", "`status`")?;
                self.status = true;
            }
            "column" => self.columns.push(column(cursor)?),
            _ => {
                let message = format!("no header line is called `{key}`");
                return Err(FormatError { message, ..start });
            }
        }
        cursor.end()
    }

    fn finish(self, at: &Cursor<'_>) -> Result<(Origin, String, Option<Resource>)> {
        let need = |value: Option<String>, key: &str| {
            value.ok_or_else(|| at.error(format!("the header has no line `{key}`")))
        };
        let of_resource = [
            "version",
            "plural",
            "singular",
            "scope",
            "shortNames",
            "categories",
            "subresource",
        ];
        let has_resource_lines =
            of_resource.iter().any(|key| self.seen.contains(*key)) || !self.columns.is_empty();
        let resource = match self.group {
            None if has_resource_lines => {
                return Err(at.error("the header has no line `group`, which the others need"));
            }
            None => None,
            Some(group) => Some(Resource {
                group,
                version: need(self.version, "version")?,
                plural: need(self.plural, "plural")?,
                singular: need(self.singular, "singular")?,
                short_names: self.short_names,
                categories: self.categories,
                namespaced: self
                    .scope
                    .ok_or_else(|| at.error("the header has no line `scope`"))?,
                status_subresource: self.status,
                columns: self.columns,
            }),
        };
        let origin = Origin {
            source: need(self.source, "source")?,
            licence: need(self.licence, "licence")?,
        };
        Ok((origin, need(self.name, "name")?, resource))
    }
}

fn list(cursor: &mut Cursor<'_>) -> Result<Vec<String>> {
    let start = cursor.error("expected a list of JSON strings, at least one");
    let value = cursor.json("a list of JSON strings")?;
    modifiers::strings(Some(&value))
        .filter(|list| !list.is_empty())
        .ok_or(start)
}

fn column(cursor: &mut Cursor<'_>) -> Result<Column> {
    let name = cursor.string("the column's heading")?;
    cursor.expect(" type=", "` type=`")?;
    let ty = cursor.string("the column's type")?;
    cursor.expect(" jsonPath=", "` jsonPath=`")?;
    let json_path = cursor.string("the column's JSON path")?;
    let format = match cursor.eat(" format=") {
        true => Some(cursor.string("the column's format")?),
        false => None,
    };
    let mut priority = 0;
    if cursor.eat(" priority=") {
        let start = cursor.error("expected a whole number other than 0");
        let value = cursor.json("a whole number")?;
        priority = value.as_i64().filter(|number| *number != 0).ok_or(start)?;
    }
    Ok(Column {
        name,
        ty,
        format,
        json_path,
        priority,
    })
}
