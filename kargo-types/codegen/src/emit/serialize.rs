//! `Serialize` where serde's derive cannot write it: structs with a choice,
//! tagged unions, kinds without spec.

use super::{Emitter, by_hand, literal};
use crate::facts::Resource;
use crate::ir::{Choice, Container, Field, Keyed, Keys, Part, Struct, Tagged};

const SIGNATURE: &str =
    "fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {";

impl Emitter<'_> {
    /// `Serialize` of a struct with a choice; nothing for others.
    pub(super) fn serialize_struct(&mut self, container: &Container, fields: &Struct) {
        if !by_hand(fields) {
            return;
        }
        self.code.line("");
        self.code
            .open(format!("impl Serialize for {} {{", container.name));
        self.code.open(SIGNATURE);
        self.code
            .line("let mut map = serializer.serialize_map(None)?;");
        for part in &fields.parts {
            match part {
                Part::Field(field) => self.entry(field),
                Part::Choice(choice) if choice.optional => {
                    self.code
                        .open(format!("if let Some(choice) = &self.{} {{", choice.rust));
                    self.code.line("choice.write(&mut map)?;");
                    self.code.close("}");
                }
                Part::Choice(choice) => {
                    self.code
                        .line(format!("self.{}.write(&mut map)?;", choice.rust));
                }
            }
        }
        if fields.open {
            self.code.open("for (key, value) in &self.other {");
            self.code.line("map.serialize_entry(key, value)?;");
            self.code.close("}");
        }
        self.code.line("map.end()");
        self.code.close("}");
        self.code.close("}");
    }

    fn entry(&mut self, field: &Field) {
        let key = literal(&field.json);
        if field.required {
            self.code.line(format!(
                "map.serialize_entry({key}, &self.{})?;",
                field.rust
            ));
        } else {
            self.code
                .open(format!("if let Some(value) = &self.{} {{", field.rust));
            self.code
                .line(format!("map.serialize_entry({key}, value)?;"));
            self.code.close("}");
        }
    }

    pub(super) fn serialize_kind(
        &mut self,
        container: &Container,
        fields: &Struct,
        resource: &Resource,
    ) {
        self.code.line("");
        self.code
            .open(format!("impl Serialize for {} {{", container.name));
        self.code.open(SIGNATURE);
        self.code
            .line("let mut map = serializer.serialize_map(None)?;");
        self.code.line(format!(
            "map.serialize_entry(\"apiVersion\", \"{}/{}\")?;",
            resource.group, resource.version
        ));
        self.code.line(format!(
            "map.serialize_entry(\"kind\", \"{}\")?;",
            container.name
        ));
        self.code
            .line("map.serialize_entry(\"metadata\", &self.metadata)?;");
        for field in fields.fields() {
            self.entry(field);
        }
        self.code.line("map.end()");
        self.code.close("}");
        self.code.close("}");
    }

    pub(super) fn serialize_tagged(&mut self, container: &Container, tagged: &Tagged) {
        let (tag, content) = (literal(&tagged.tag), literal(&tagged.content));
        self.code.line("");
        self.code.open(format!("impl {} {{", container.name));
        self.code.doc(&format!("The value of `{}`.", tagged.tag));
        self.code.open("pub fn tag(&self) -> &'static str {");
        self.code.open("match self {");
        for variant in &tagged.variants {
            self.code.line(format!(
                "Self::{}(_) => {},",
                variant.rust,
                literal(&variant.value)
            ));
        }
        self.code.close("}");
        self.code.close("}");
        self.code.line("");
        self.code.open(
            "fn write<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {",
        );
        self.code
            .line(format!("map.serialize_entry({tag}, self.tag())?;"));
        self.code.open("match self {");
        for variant in &tagged.variants {
            let rust = &variant.rust;
            if variant.may_be_absent && self.node_has_default(&variant.node) {
                self.code.line(format!(
                    "Self::{rust}(value) if *value == Default::default() => Ok(()),"
                ));
            }
            self.code.line(format!(
                "Self::{rust}(value) => map.serialize_entry({content}, value),"
            ));
        }
        self.code.close("}");
        self.code.close("}");
        self.code.close("}");
        self.code.line("");
        self.code
            .open(format!("impl Serialize for {} {{", container.name));
        self.code.open(SIGNATURE);
        self.code
            .line("let mut map = serializer.serialize_map(None)?;");
        self.code.line("self.write(&mut map)?;");
        self.code.line("map.end()");
        self.code.close("}");
        self.code.close("}");
    }

    /// As a map: serde's own way would come out of some YAML writers as a tag.
    pub(super) fn serialize_keyed(&mut self, container: &Container, keyed: &Keyed) {
        self.code.line("");
        self.code
            .open(format!("impl Serialize for {} {{", container.name));
        self.code.open(SIGNATURE);
        self.code
            .line("let mut map = serializer.serialize_map(Some(1))?;");
        self.code.open("match self {");
        for variant in &keyed.variants {
            if let Keys::One(key) = &variant.keys {
                self.code.line(format!(
                    "Self::{}(value) => map.serialize_entry({}, value)?,",
                    variant.rust,
                    literal(key)
                ));
            }
        }
        self.code.close("}");
        self.code.line("map.end()");
        self.code.close("}");
        self.code.close("}");
    }

    pub(super) fn serialize_choice(&mut self, container: &Container, choice: &Choice) {
        self.code.line("");
        self.code.open(format!("impl {} {{", container.name));
        self.code.open(
            "fn write<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {",
        );
        self.code.open("match self {");
        for variant in &choice.variants {
            let rust = &variant.rust;
            match &variant.keys {
                Keys::One(key) => self.code.line(format!(
                    "Self::{rust}(value) => map.serialize_entry({}, value),",
                    literal(key)
                )),
                Keys::Tagged { .. } => self
                    .code
                    .line(format!("Self::{rust}(value) => value.write(map),")),
            }
        }
        self.code.close("}");
        self.code.close("}");
        self.code.close("}");
    }
}
