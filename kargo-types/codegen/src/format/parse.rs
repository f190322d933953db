//! From text to facts, strictly.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cursor::{Cursor, FormatError, Line, Result, lines};
use super::header::Header;
use super::modifiers::{self, SetError};
use super::{MAGIC, MAX_DEPTH};
use crate::facts::{Facts, Property, Rule, Schema, Type};

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
