//! Definitions of structs, enums and unions.

use super::{Emitter, by_hand, docs, json, keywords, literal};
use crate::facts::Resource;
use crate::ir::{
    Choice, ChoiceVariant, Container, Enum, Field, Keyed, Keys, Node, Part, Struct, Tagged, Ty,
};

impl Emitter<'_> {
    pub(super) fn structure(&mut self, container: &Container, fields: &Struct) {
        let doc = if container.doc.is_empty() {
            format!("The object at `{}`.", container.origin)
        } else {
            container.doc.clone()
        };
        self.code.doc(&doc);
        self.rule_docs(container, fields);
        let mut derives = vec!["Clone", "Debug"];
        if self.with_default.contains(&container.name) {
            derives.push("Default");
        }
        derives.push("PartialEq");
        if !by_hand(fields) {
            derives.push("Serialize");
        }
        derives.push("JsonSchema");
        if container.spec_of.is_some() {
            derives.insert(0, "kube::CustomResource");
        }
        self.code.line(format!("#[derive({})]", derives.join(", ")));
        if let Some(index) = container.spec_of {
            self.kube_attribute(index);
        }
        self.schema_attribute(fields);
        self.code.open(format!("pub struct {} {{", container.name));
        let by_hand = by_hand(fields);
        for part in &fields.parts {
            match part {
                Part::Field(field) => self.field(field, by_hand),
                Part::Choice(choice) => self.choice_field(choice),
            }
        }
        if fields.open {
            self.code.doc("All other properties.");
            self.code.line("#[serde(flatten)]");
            self.code
                .line("pub other: std::collections::BTreeMap<String, Value>,");
        }
        self.code.close("}");
    }

    fn rule_docs(&mut self, container: &Container, fields: &Struct) {
        for rule in &fields.rules {
            self.rules.push((
                container.name.clone(),
                rule.text.clone(),
                rule.by_construction,
            ));
        }
        if fields.rules.is_empty() {
            return;
        }
        self.code.line("///");
        for rule in &fields.rules {
            let how = if rule.by_construction {
                "holds by construction"
            } else {
                "checked"
            };
            let shown = match rule.text.as_str() {
                "oneOf" | "anyOf" | "allOf" | "not" => {
                    format!("`{}` of {}", rule.text, names_of(rule))
                }
                text => format!("`{text}`"),
            };
            self.code.doc(&format!("Rule ({how}): {shown}."));
        }
    }

    fn schema_attribute(&mut self, fields: &Struct) {
        if fields.closed {
            self.code.line("#[schemars(deny_unknown_fields)]");
        }
        let mut extend = Vec::new();
        if let Some(count) = fields.limits.min_properties {
            extend.push(format!("\"minProperties\" = {count}"));
        }
        if let Some(count) = fields.limits.max_properties {
            extend.push(format!("\"maxProperties\" = {count}"));
        }
        let of = |wanted: bool| {
            fields
                .rules
                .iter()
                .filter(move |rule| rule.schema.get("rule").is_some() == wanted)
                .filter(|rule| wanted || !rule.by_construction)
                .map(|rule| json(&rule.schema))
                .collect::<Vec<_>>()
        };
        let (cel, alternatives) = (of(true), of(false));
        if !cel.is_empty() {
            extend.push(format!(
                "\"x-kubernetes-validations\" = serde_json::json!([{}])",
                cel.join(", ")
            ));
        }
        if !alternatives.is_empty() {
            extend.push(format!(
                "\"allOf\" = serde_json::json!([{}])",
                alternatives.join(", ")
            ));
        }
        if !extend.is_empty() {
            self.code.list("#[schemars(extend(", &extend, "))]");
        }
        let optional = fields.parts.iter().any(|part| match part {
            Part::Field(field) => !field.required,
            Part::Choice(choice) => choice.optional,
        });
        if optional {
            self.code
                .line("#[schemars(transform = runtime::schema::absent_not_null)]");
        }
    }

    /// The attribute from which kube-derive makes the kind.
    fn kube_attribute(&mut self, index: usize) {
        let Some(input) = self.inputs.get(index) else {
            return;
        };
        let Some(resource) = input.facts.resource.clone() else {
            return;
        };
        let name = input.facts.name.clone();
        let status = self
            .by_name
            .get(name.as_str())
            .and_then(|kind| match &kind.shape {
                crate::ir::Shape::Struct(fields) => fields
                    .fields()
                    .find(|field| field.json == "status")
                    .map(|field| self.ty(&field.node.ty)),
                _ => None,
            });
        let doc = self
            .by_name
            .get(name.as_str())
            .map(|kind| kind.doc.clone())
            .filter(|doc| !doc.is_empty())
            .unwrap_or_else(|| format!("The kind `{name}`."));
        let Resource {
            group,
            version,
            plural,
            singular,
            short_names,
            categories,
            namespaced,
            columns,
            ..
        } = resource;
        let mut items = vec![
            format!("group = \"{group}\""),
            format!("version = \"{version}\""),
            format!("kind = \"{name}\""),
            format!("plural = \"{plural}\""),
            format!("singular = \"{singular}\""),
        ];
        if namespaced {
            items.push("namespaced".to_string());
        }
        if let Some(status) = status {
            items.push(format!("status = \"{status}\""));
        }
        items.extend(
            short_names
                .iter()
                .map(|name| format!("shortname = \"{name}\"")),
        );
        items.extend(
            categories
                .iter()
                .map(|name| format!("category = \"{name}\"")),
        );
        for column in columns {
            let column_json = serde_json::json!({
                "name": column.name, "type": column.ty, "jsonPath": column.json_path,
                "priority": column.priority,
            });
            let mut column_json = column_json;
            if let (Some(format), Some(object)) = (&column.format, column_json.as_object_mut()) {
                object.insert("format".to_string(), format.clone().into());
            }
            items.push(format!(
                "printcolumn = {}",
                literal(&column_json.to_string())
            ));
        }
        if self.with_default.contains(&format!("{name}Spec")) {
            items.push("derive = \"Default\"".to_string());
        }
        items.push("derive = \"PartialEq\"".to_string());
        items.push(format!("doc = {}", literal(&doc)));
        self.code.list("#[kube(", &items, ")]");
    }

    fn field(&mut self, field: &Field, by_hand: bool) {
        self.code
            .doc(&docs::field(&field.json, &field.node, field.required));
        let optional = !field.required || field.nullable;
        let plain = field.rust.trim_start_matches("r#");
        let mut serde = Vec::new();
        if plain != field.json {
            serde.push(format!("rename = {}", literal(&field.json)));
        }
        if !by_hand && !field.required {
            serde.push("skip_serializing_if = \"Option::is_none\"".to_string());
        }
        if !serde.is_empty() {
            let derive = if by_hand { "schemars" } else { "serde" };
            self.code.line(format!("#[{derive}({})]", serde.join(", ")));
        }
        if field.nullable && field.required {
            self.code.line("#[schemars(required)]");
        }
        self.field_schema(&field.node);
        let ty = self.ty(&field.node.ty);
        let ty = if optional {
            format!("Option<{ty}>")
        } else {
            ty
        };
        self.code.line(format!("pub {}: {ty},", field.rust));
    }

    /// Bounds of the value, and of what is in it.
    fn field_schema(&mut self, node: &Node) {
        let items: Vec<String> = keywords(node)
            .into_iter()
            .map(|(name, value)| format!("\"{name}\" = {value}"))
            .collect();
        if !items.is_empty() {
            self.code.list("#[schemars(extend(", &items, "))]");
        }
        let mut path = String::new();
        let mut inner = node;
        loop {
            inner = match &inner.ty {
                Ty::List(items) => {
                    path.push_str("/items");
                    items
                }
                Ty::Map(values) => {
                    path.push_str("/additionalProperties");
                    values
                }
                _ => return,
            };
            let items: Vec<String> = keywords(inner)
                .into_iter()
                .map(|(name, value)| format!("\"{name}\": {value}"))
                .collect();
            if !items.is_empty() {
                self.code.line(format!(
                    "#[schemars(transform = runtime::schema::extend_at(\"{path}\", serde_json::json!({{{}}})))]",
                    items.join(", ")
                ));
            }
        }
    }

    fn choice_field(&mut self, choice: &Choice) {
        let names = choice
            .variants
            .iter()
            .map(|variant| match &variant.keys {
                Keys::One(key) => format!("`{key}`"),
                Keys::Tagged { tag, content } => format!("`{tag}` with `{content}`"),
            })
            .collect::<Vec<_>>()
            .join(", ");
        let how = match (choice.variants.len(), choice.optional) {
            (1, _) => format!("{names}."),
            (_, true) => format!("At most one of {names}."),
            (_, false) => format!("One of {names}."),
        };
        self.code.doc(&how);
        self.code.line("#[schemars(flatten)]");
        let ty = if choice.optional {
            format!("Option<{}>", choice.ty)
        } else {
            choice.ty.clone()
        };
        self.code.line(format!("pub {}: {ty},", choice.rust));
    }

    pub(super) fn enumeration(&mut self, container: &Container, values: &Enum) {
        let doc = if container.doc.is_empty() {
            format!("The values at `{}`.", container.origin)
        } else {
            container.doc.clone()
        };
        self.code.doc(&doc);
        let single = values.values.len() == 1;
        let default = if single || values.default.is_some() {
            "Default, "
        } else {
            ""
        };
        self.code.line(format!(
            "#[derive(Clone, Copy, Debug, {default}PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]"
        ));
        self.code.open(format!("pub enum {} {{", container.name));
        for (rust, value) in &values.values {
            self.code.doc(&if value.is_empty() {
                "The empty text.".to_string()
            } else {
                format!("`{value}`.")
            });
            if values.default.as_deref() == Some(value) || single {
                self.code.line("#[default]");
            }
            if rust != value {
                self.code
                    .line(format!("#[serde(rename = {})]", literal(value)));
            }
            self.code.line(format!("{rust},"));
        }
        self.code.close("}");
        let pairs: Vec<String> = values
            .values
            .iter()
            .map(|(rust, value)| format!("{rust} = {}", literal(value)))
            .collect();
        self.code.line("");
        self.code.list(
            &format!("runtime::text_enum!({}: ", container.name),
            &pairs,
            ");",
        );
    }

    pub(super) fn keyed(&mut self, container: &Container, keyed: &Keyed) {
        self.code.doc(&union_doc(
            container,
            "An object with one key, which says what it is.",
        ));
        self.code
            .line("#[derive(Clone, Debug, PartialEq, JsonSchema)]");
        self.code.open(format!("pub enum {} {{", container.name));
        for variant in &keyed.variants {
            let Keys::One(key) = &variant.keys else {
                continue;
            };
            self.code.doc(&format!("Under the key `{key}`."));
            if variant.rust != *key {
                self.code
                    .line(format!("#[schemars(rename = {})]", literal(key)));
            }
            let ty = self.ty(&variant.node.ty);
            self.code.line(format!("{}({ty}),", variant.rust));
        }
        self.code.close("}");
        self.conversions(&container.name, &keyed.variants);
        self.serialize_keyed(container, keyed);
    }

    pub(super) fn tagged(&mut self, container: &Container, tagged: &Tagged) {
        let (tag, content) = (&tagged.tag, &tagged.content);
        self.code.doc(&union_doc(
            container,
            &format!("`{tag}` and the `{content}` that belongs to it."),
        ));
        self.code
            .line("#[derive(Clone, Debug, PartialEq, JsonSchema)]");
        self.code.line(format!(
            "#[schemars(tag = \"{tag}\", content = \"{content}\")]"
        ));
        self.code.open(format!("pub enum {} {{", container.name));
        for variant in &tagged.variants {
            self.code.doc(&format!("`{}`.", variant.value));
            self.code
                .line(format!("#[schemars(rename = {})]", literal(&variant.value)));
            let ty = self.ty(&variant.node.ty);
            let bounds: Vec<String> = keywords(&variant.node)
                .into_iter()
                .map(|(name, value)| format!("\"{name}\" = {value}"))
                .collect();
            let bounds = match bounds.is_empty() {
                true => String::new(),
                false => format!("#[schemars(extend({}))] ", bounds.join(", ")),
            };
            self.code.line(format!("{}({bounds}{ty}),", variant.rust));
        }
        self.code.close("}");
        for variant in &tagged.variants {
            self.conversion(&container.name, &variant.rust, &variant.node);
        }
    }

    pub(super) fn choice(&mut self, container: &Container, choice: &Choice) {
        self.code
            .doc(&union_doc(container, "Properties that exclude each other."));
        self.code.line("#[derive(Clone, Debug, PartialEq)]");
        self.code.open(format!("pub enum {} {{", container.name));
        for variant in &choice.variants {
            match &variant.keys {
                Keys::One(key) => self.code.doc(&docs::field(key, &variant.node, false)),
                Keys::Tagged { tag, content } => {
                    self.code.doc(&format!("`{tag}` with `{content}`."))
                }
            }
            let ty = self.ty(&variant.node.ty);
            self.code.line(format!("{}({ty}),", variant.rust));
        }
        self.code.close("}");
        self.conversions(&container.name, &choice.variants);
        self.choice_schema(container, choice);
    }

    fn choice_schema(&mut self, container: &Container, choice: &Choice) {
        let name = &container.name;
        self.code.line("");
        self.code.open(format!("impl JsonSchema for {name} {{"));
        self.code
            .open("fn schema_name() -> std::borrow::Cow<'static, str> {");
        self.code.line(format!("\"{name}\".into()"));
        self.code.close("}");
        self.code.line("");
        self.code.open(
            "fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {",
        );
        self.code.open("runtime::schema::one_of(vec![");
        for variant in &choice.variants {
            let ty = self.ty(&variant.node.ty);
            let schema = format!("generator.subschema_for::<{ty}>()");
            match &variant.keys {
                Keys::Tagged { .. } => self.code.line(format!("{schema},")),
                Keys::One(key) => {
                    let bounds: Vec<String> = keywords(&variant.node)
                        .into_iter()
                        .map(|(name, value)| format!("\"{name}\": {value}"))
                        .collect();
                    let mut items = String::from("Value::Null");
                    if let Ty::List(inner) = &variant.node.ty {
                        let inner: Vec<String> = keywords(inner)
                            .into_iter()
                            .map(|(name, value)| format!("\"{name}\": {value}"))
                            .collect();
                        if !inner.is_empty() {
                            items = format!("serde_json::json!({{{}}})", inner.join(", "));
                        }
                    }
                    self.code.open("runtime::schema::keyed(");
                    self.code.line(format!("{},", literal(key)));
                    self.code.line(format!("{schema},"));
                    self.code
                        .line(format!("serde_json::json!({{{}}}),", bounds.join(", ")));
                    self.code.line(format!("{items},"));
                    self.code.close("),");
                }
            }
        }
        self.code.close("])");
        self.code.close("}");
        self.code.close("}");
    }

    fn conversions(&mut self, name: &str, variants: &[ChoiceVariant]) {
        for variant in variants {
            let unique = variants
                .iter()
                .filter(|other| other.node.ty == variant.node.ty)
                .count()
                == 1;
            if unique {
                self.conversion(name, &variant.rust, &variant.node);
            }
        }
    }

    /// `From` the variant's own generated type.
    fn conversion(&mut self, name: &str, variant: &str, node: &Node) {
        let Ty::Named(ty) = &node.ty else { return };
        self.code.line("");
        self.code.open(format!("impl From<{ty}> for {name} {{"));
        self.code.open(format!("fn from(value: {ty}) -> Self {{"));
        self.code.line(format!("Self::{variant}(value)"));
        self.code.close("}");
        self.code.close("}");
    }

    /// A kind that kube-derive cannot make: its fields stand at the top level.
    pub(super) fn kind_without_spec(&mut self, container: &Container, fields: &Struct) {
        let Some(input) = container.kind.and_then(|index| self.inputs.get(index)) else {
            return;
        };
        let Some(resource) = input.facts.resource.clone() else {
            return;
        };
        let name = &container.name;
        let doc = if container.doc.is_empty() {
            format!("The kind `{name}`.")
        } else {
            container.doc.clone()
        };
        self.code.doc(&doc);
        self.rule_docs(container, fields);
        let default = if self.with_default.contains(name) {
            "Default, "
        } else {
            ""
        };
        self.code.line(format!(
            "#[derive(Clone, Debug, {default}PartialEq, JsonSchema)]"
        ));
        self.schema_attribute(fields);
        self.code.open(format!("pub struct {name} {{"));
        self.code.doc("Name, namespace, labels and annotations.");
        self.code.line("#[schemars(skip)]");
        self.code.line("pub metadata: ObjectMeta,");
        for field in fields.fields() {
            self.field(field, true);
        }
        self.code.close("}");
        self.serialize_kind(container, fields, &resource);
        self.code.line("");
        self.code.open(format!("impl kube::Resource for {name} {{"));
        self.code.line("type DynamicType = ();");
        let scope = if resource.namespaced {
            "Namespace"
        } else {
            "Cluster"
        };
        self.code
            .line(format!("type Scope = kube::core::{scope}ResourceScope;"));
        for (method, text) in [
            ("kind", name.as_str()),
            ("group", &resource.group),
            ("version", &resource.version),
            ("plural", &resource.plural),
        ] {
            self.code.line("");
            self.code.open(format!(
                "fn {method}(_: &()) -> std::borrow::Cow<'_, str> {{"
            ));
            self.code.line(format!("\"{text}\".into()"));
            self.code.close("}");
        }
        self.code.line("");
        self.code.open("fn meta(&self) -> &ObjectMeta {");
        self.code.line("&self.metadata");
        self.code.close("}");
        self.code.line("");
        self.code
            .open("fn meta_mut(&mut self) -> &mut ObjectMeta {");
        self.code.line("&mut self.metadata");
        self.code.close("}");
        self.code.close("}");
        if self.with_default.contains(name) {
            self.code.line("");
            self.code.open(format!("impl {name} {{"));
            self.code
                .doc("An object of this name, with nothing else set.");
            self.code.open("pub fn new(name: &str) -> Self {");
            self.code.line("let metadata = ObjectMeta { name: Some(name.to_string()), ..ObjectMeta::default() };");
            self.code.line("Self { metadata, ..Self::default() }");
            self.code.close("}");
            self.code.close("}");
        }
    }
}

fn union_doc(container: &Container, fallback: &str) -> String {
    if container.doc.is_empty() {
        format!("{fallback} At `{}`.", container.origin)
    } else {
        container.doc.clone()
    }
}

fn names_of(rule: &crate::rules::Rule) -> String {
    rule.cond
        .properties()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
