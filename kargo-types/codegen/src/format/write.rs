//! From facts to text.

use serde_json::Value;

use super::{MAGIC, is_bare, is_plain, modifiers};
use crate::facts::{Column, Facts, Resource, Rule, Schema, Type};

/// Writes `facts` as the text of a facts file; [`super::parse`] reads it back as
/// the same facts.
pub fn write(facts: &Facts) -> String {
    let mut out = Writer {
        text: String::new(),
    };
    out.text(MAGIC);
    out.text(
        " (written by crd-import from the source below; only the lines starting with / are ours)\n",
    );
    out.header("name", &facts.name);
    out.header("source", &facts.origin.source);
    out.header("licence", &facts.origin.licence);
    if let Some(resource) = &facts.resource {
        out.resource(resource);
    }
    out.text("\n");
    out.schema("root", &facts.root, 0);
    for (name, schema) in &facts.definitions {
        out.text("\n");
        out.schema(&format!("define {}", name_text(name)), schema, 0);
    }
    out.text
}

/// The text of one schema without our words and with properties and enum values
/// in order of name: what a digest is taken of.
#[cfg(feature = "import")]
pub(crate) fn canonical(schema: &Schema) -> String {
    let mut schema = schema.clone();
    normalise(&mut schema);
    let mut out = Writer {
        text: String::new(),
    };
    out.schema("root", &schema, 0);
    out.text
}

#[cfg(feature = "import")]
fn normalise(schema: &mut Schema) {
    schema.doc.clear();
    schema.enumeration.sort_by_key(Value::to_string);
    match &mut schema.ty {
        Type::Object(properties) => {
            properties.sort_by(|a, b| a.name.cmp(&b.name));
            properties
                .iter_mut()
                .for_each(|property| normalise(&mut property.schema));
        }
        Type::Map(inner) | Type::List(inner) => normalise(inner),
        _ => {}
    }
}

/// A name as it stands on a line: bare where it can be, else a JSON string.
pub(super) fn name_text(name: &str) -> String {
    if is_bare(name) {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

/// Text that ends its line: as it is where it can be, else a JSON string.
fn rest_text(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

struct Writer {
    text: String,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn header(&mut self, key: &str, value: &str) {
        self.text(&format!("{key} {}\n", rest_text(value)));
    }

    fn resource(&mut self, resource: &Resource) {
        self.header("group", &resource.group);
        self.header("version", &resource.version);
        self.header("plural", &resource.plural);
        self.header("singular", &resource.singular);
        self.header(
            "scope",
            if resource.namespaced {
                "Namespaced"
            } else {
                "Cluster"
            },
        );
        if !resource.short_names.is_empty() {
            let names = Value::from(resource.short_names.clone());
            self.text(&format!("shortNames {names}\n"));
        }
        if !resource.categories.is_empty() {
            let names = Value::from(resource.categories.clone());
            self.text(&format!("categories {names}\n"));
        }
        if resource.status_subresource {
            self.text("subresource status\n");
        }
        for column in &resource.columns {
            self.text(&format!("column {}\n", column_text(column)));
        }
    }

    fn indent(&mut self, level: usize) {
        for _ in 0..level {
            self.text("  ");
        }
    }

    /// One value: its line (`head` is all before the colon), then what is below it.
    fn schema(&mut self, head: &str, schema: &Schema, level: usize) {
        self.indent(level);
        self.text(&format!("{head}: {}", type_text(&schema.ty)));
        for (name, value) in modifiers::of(schema) {
            match value {
                None => self.text(&format!(" {name}")),
                Some(value) => self.text(&format!(" {name}={value}")),
            }
        }
        self.text("\n");
        self.doc(&schema.doc, level + 1);
        self.constraints(schema, level + 1);
        match &schema.ty {
            Type::Object(properties) => {
                for property in properties {
                    let mark = if property.required { "!" } else { "" };
                    let head = format!("{}{mark}", name_text(&property.name));
                    self.schema(&head, &property.schema, level + 1);
                }
            }
            Type::Map(values) => self.schema("values", values, level + 1),
            Type::List(items) => self.schema("items", items, level + 1),
            _ => {}
        }
    }

    /// Our own words: one line a line, or one JSON string where lines would not
    /// read back the same.
    fn doc(&mut self, doc: &str, level: usize) {
        if doc.is_empty() {
            return;
        }
        let whole = [doc];
        let plain = doc.split('\n').all(is_plain);
        let lines: Vec<&str> = if plain {
            doc.split('\n').collect()
        } else {
            whole.to_vec()
        };
        for line in lines {
            self.indent(level);
            self.text(&format!("/ {}\n", rest_text(line)));
        }
    }

    fn constraints(&mut self, schema: &Schema, level: usize) {
        for rule in &schema.rules {
            self.indent(level);
            self.text(&format!("@{}\n", rule_text(rule)));
        }
        let lists = [
            ("oneOf", &schema.one_of),
            ("anyOf", &schema.any_of),
            ("allOf", &schema.all_of),
        ];
        for (keyword, alternatives) in lists {
            for alternative in alternatives {
                self.indent(level);
                self.text(&format!("@{keyword} {alternative}\n"));
            }
        }
        if let Some(not) = &schema.not {
            self.indent(level);
            self.text(&format!("@not {not}\n"));
        }
    }
}

/// A printer column as it stands after its key.
pub(crate) fn column_text(column: &Column) -> String {
    let json = |text: &str| Value::from(text).to_string();
    let (name, ty) = (json(&column.name), json(&column.ty));
    let mut text = format!("{name} type={ty} jsonPath={}", json(&column.json_path));
    if let Some(format) = &column.format {
        text.push_str(&format!(" format={}", json(format)));
    }
    if column.priority != 0 {
        text.push_str(&format!(" priority={}", column.priority));
    }
    text
}

/// A CEL rule as it stands after the `@`.
pub(crate) fn rule_text(rule: &Rule) -> String {
    let json = |text: &str| Value::from(text).to_string();
    let extra: String = rule
        .extra
        .iter()
        .map(|(key, value)| format!(" {key}={}", json(value)))
        .collect();
    format!("rule {}{extra}", json(&rule.rule))
}

/// The type as it stands after the colon.
pub(crate) fn type_text(ty: &Type) -> String {
    match ty {
        Type::Any => "any".to_owned(),
        Type::String => "string".to_owned(),
        Type::Integer => "integer".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::IntOrString => "int-or-string".to_owned(),
        Type::Object(_) => "object".to_owned(),
        Type::Map(_) => "map".to_owned(),
        Type::List(_) => "list".to_owned(),
        Type::Ref(name) => format!("ref {}", name_text(name)),
        Type::Core { name, digest } => format!("core {} {}", name_text(name), digest),
    }
}
