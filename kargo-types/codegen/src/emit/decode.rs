//! `Decode`: from JSON with a pointer for everything that is wrong, not only
//! for the first thing, and with unknown keys refused.

use super::{Emitter, literal};
use crate::ir::{Choice, Container, Field, Keyed, Keys, Part, Struct, Tagged};

const SIGNATURE: &str =
    "fn decode(value: &Value, at: &At<'_>, out: &mut Vec<Violation>) -> Option<Self> {";

impl Emitter<'_> {
    pub(super) fn decode_struct(&mut self, container: &Container, fields: &Struct) {
        self.serialize_struct(container, fields);
        self.code.line("");
        self.code
            .open(format!("impl Decode for {} {{", container.name));
        self.code.open(SIGNATURE);
        let reader = reader_name(fields);
        let read = if fields.open { "read_open" } else { "read" };
        self.code.list(
            &format!("let mut {reader} = Object::{read}(value, at, out, &["),
            &fields
                .json_names()
                .iter()
                .map(|name| literal(name))
                .collect::<Vec<_>>(),
            "])?;",
        );
        for part in &fields.parts {
            self.read_part(part, reader);
        }
        if fields.open {
            self.code.line(format!("let other = {reader}.other();"));
        }
        let mut inits: Vec<String> = fields.parts.iter().map(init).collect();
        if fields.open {
            inits.push("other".to_string());
        }
        self.code.list("Some(Self { ", &inits, " })");
        self.code.close("}");
        self.code.close("}");
    }

    fn read_part(&mut self, part: &Part, reader: &str) {
        match part {
            Part::Field(field) => {
                let how = match (field.required, field.nullable) {
                    (true, false) => "required",
                    (true, true) => "required_or_null",
                    (false, false) => "optional",
                    (false, true) => "optional_or_null",
                };
                self.code.line(format!(
                    "let {} = {reader}.{how}({});",
                    field.rust,
                    literal(&field.json)
                ));
            }
            Part::Choice(choice) if choice.bare => {
                self.code.line(format!(
                    "let {} = {}::read(&mut {reader});",
                    choice.rust, choice.ty
                ));
            }
            Part::Choice(choice) => {
                let how = if choice.optional {
                    "read_optional"
                } else {
                    "read"
                };
                self.code.line(format!(
                    "let {} = {}::{how}(&mut {reader});",
                    choice.rust, choice.ty
                ));
            }
        }
    }

    pub(super) fn decode_kind(&mut self, container: &Container, fields: &Struct) {
        let Some(resource) = container
            .kind
            .and_then(|index| self.inputs.get(index))
            .and_then(|input| input.facts.resource.clone())
        else {
            return;
        };
        let mut names = vec![
            "apiVersion".to_string(),
            "kind".to_string(),
            "metadata".to_string(),
        ];
        names.extend(fields.json_names());
        self.code.line("");
        self.code
            .open(format!("impl Decode for {} {{", container.name));
        self.code.open(SIGNATURE);
        let reader = reader_name(fields);
        self.code.list(
            &format!("let mut {reader} = Object::read(value, at, out, &["),
            &names.iter().map(|name| literal(name)).collect::<Vec<_>>(),
            "])?;",
        );
        self.code.line(format!(
            "{reader}.constant(\"apiVersion\", \"{}/{}\");",
            resource.group, resource.version
        ));
        self.code.line(format!(
            "{reader}.constant(\"kind\", \"{}\");",
            container.name
        ));
        self.code
            .line(format!("let metadata = {reader}.or_default(\"metadata\");"));
        let mut inits = vec!["metadata: metadata?".to_string()];
        for part in &fields.parts {
            // The derive has no optional spec.
            if let Part::Field(Field {
                json,
                required: false,
                ..
            }) = part
                && json == "spec"
            {
                self.code
                    .line(format!("let spec = {reader}.or_default(\"spec\");"));
            } else {
                self.read_part(part, reader);
            }
            inits.push(init(part));
        }
        self.code.list("Some(Self { ", &inits, " })");
        self.code.close("}");
        self.code.close("}");
    }

    pub(super) fn decode_keyed(&mut self, container: &Container, keyed: &Keyed) {
        let keys: Vec<String> = keyed
            .variants
            .iter()
            .filter_map(|variant| match &variant.keys {
                Keys::One(key) => Some(literal(key)),
                Keys::Tagged { .. } => None,
            })
            .collect();
        self.code.line("");
        self.code
            .open(format!("impl Decode for {} {{", container.name));
        self.code.open(SIGNATURE);
        self.code.list(
            "let (key, value) = runtime::only_key(value, at, out, &[",
            &keys,
            "])?;",
        );
        self.code.line("let at = at.key(key);");
        self.code.open("match key {");
        for (variant, key) in keyed.variants.iter().zip(&keys) {
            self.code.line(format!(
                "{key} => Decode::decode(value, &at, out).map(Self::{}),",
                variant.rust
            ));
        }
        self.code.line("_ => None,");
        self.code.close("}");
        self.code.close("}");
        self.code.close("}");
    }

    pub(super) fn decode_tagged(&mut self, container: &Container, tagged: &Tagged) {
        let (tag, content) = (literal(&tagged.tag), literal(&tagged.content));
        self.code.line("");
        self.code.open(format!("impl {} {{", container.name));
        let values: Vec<String> = tagged.variants.iter().map(|v| literal(&v.value)).collect();
        self.code
            .doc(&format!("Every value `{}` can have.", tagged.tag));
        self.code
            .list("pub const TAGS: &[&str] = &[", &values, "];");
        self.code.line("");
        self.code
            .open("fn read(object: &mut Object<'_, '_>) -> Option<Self> {");
        self.code
            .open(format!("match object.tag({tag}, Self::TAGS)? {{"));
        for variant in &tagged.variants {
            self.code.line(format!(
                "{} => object.content({content}).map(Self::{}),",
                literal(&variant.value),
                variant.rust
            ));
        }
        self.code.line("_ => None,");
        self.code.close("}");
        self.code.close("}");
        self.code.close("}");
        self.code.line("");
        self.code
            .open(format!("impl Decode for {} {{", container.name));
        self.code.open(SIGNATURE);
        self.code.line(format!(
            "let mut object = Object::read(value, at, out, &[{tag}, {content}])?;"
        ));
        self.code.line("Self::read(&mut object)");
        self.code.close("}");
        self.code.close("}");
    }

    pub(super) fn decode_choice(&mut self, container: &Container, choice: &Choice) {
        let keys: Vec<String> = choice
            .variants
            .iter()
            .map(|variant| match &variant.keys {
                Keys::One(key) => literal(key),
                Keys::Tagged { tag, .. } => literal(tag),
            })
            .collect();
        // A choice that is a struct's own is only read through that struct.
        let used_as = |optional: bool| {
            self.containers.iter().any(|other| match &other.shape {
                crate::ir::Shape::Struct(fields) => fields
                    .choices()
                    .any(|used| used.ty == container.name && used.optional == optional),
                _ => false,
            })
        };
        let (required, optional) = (used_as(false), used_as(true));
        self.code.line("");
        self.code.open(format!("impl {} {{", container.name));
        if required {
            self.code
                .open("fn read(object: &mut Object<'_, '_>) -> Option<Self> {");
            self.code.list("let key = object.one_of(&[", &keys, "])?;");
            self.code.line("Self::read_key(object, key)");
            self.code.close("}");
            self.code.line("");
        }
        if optional {
            self.code
                .open("fn read_optional(object: &mut Object<'_, '_>) -> Option<Option<Self>> {");
            self.code
                .list("let key = object.at_most_one_of(&[", &keys, "])?;");
            self.code.open("match key {");
            self.code
                .line("Some(key) => Self::read_key(object, key).map(Some),");
            self.code.line("None => Some(None),");
            self.code.close("}");
            self.code.close("}");
            self.code.line("");
        }
        self.code
            .open("fn read_key(object: &mut Object<'_, '_>, key: &str) -> Option<Self> {");
        self.code.open("match key {");
        for (variant, key) in choice.variants.iter().zip(&keys) {
            let rust = &variant.rust;
            match &variant.keys {
                Keys::One(_) => self.code.line(format!(
                    "{key} => object.required({key}).map(Self::{rust}),"
                )),
                Keys::Tagged { .. } => {
                    let ty = self.ty(&variant.node.ty);
                    self.code
                        .line(format!("{key} => {ty}::read(object).map(Self::{rust}),"));
                }
            }
        }
        self.code.line("_ => None,");
        self.code.close("}");
        self.code.close("}");
        self.code.close("}");
    }
}

fn init(part: &Part) -> String {
    let rust = match part {
        Part::Field(field) => &field.rust,
        Part::Choice(choice) => &choice.rust,
    };
    format!("{rust}: {rust}?")
}

/// A name for the reader that no field has.
fn reader_name(fields: &Struct) -> &'static str {
    let taken = |name: &str| {
        fields.parts.iter().any(|part| match part {
            Part::Field(field) => field.rust == name,
            Part::Choice(choice) => choice.rust == name,
        })
    };
    ["object", "reader", "source_object"]
        .into_iter()
        .find(|name| !taken(name))
        .unwrap_or("object_")
}
