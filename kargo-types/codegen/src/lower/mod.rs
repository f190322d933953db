//! From facts to what will be written: types named, shared, grafted and proved.

mod graft;
mod naming;

use crate::cel;
use crate::error::Error;
use crate::facts::{Facts, Property, Schema, Type};
use crate::ir::{Container, Enum, Field, Limits, Node, Part, Shape, Struct, Ty};
use crate::names;
use crate::pointer::escape;
use crate::rules::{self, Cond, Rule};

pub(crate) use naming::Naming;

/// What the caller of the generator asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// Folded core object and the Rust path of its type.
    pub(crate) cores: Vec<(String, String)>,
    /// Pointer (with the facts' name in front) and type name.
    pub(crate) renames: Vec<(String, String)>,
    /// Pointer of a string that holds a Go duration.
    pub(crate) durations: Vec<String>,
    /// Names of facts whose scalars may be expressions.
    pub(crate) expressions: Vec<String>,
    pub(crate) grafts: Vec<(String, Graft)>,
}

/// What stands at a pointer instead of what the facts say.
#[derive(Debug, Clone)]
pub(crate) enum Graft {
    /// An object with one property, whose name selects other facts.
    Keyed {
        name: String,
        variants: Vec<(String, String)>,
    },
    /// Properties `tag` and `content`, where the tag selects other facts.
    Tagged {
        field: String,
        name: String,
        tag: String,
        content: String,
        variants: Vec<(String, String)>,
        /// Name of the union with another property, and that property.
        or: Option<(String, String)>,
    },
    /// Optional properties of which at most one can be set.
    Choice {
        field: String,
        name: String,
        properties: Vec<String>,
    },
}

/// Facts and the file they come from.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) file: String,
    pub(crate) facts: Facts,
}

/// Where in the facts a schema stands.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) input: usize,
    /// Facts name and pointer: `Stage/spec/vars/items`.
    pub(crate) path: String,
    /// Name of the struct around it.
    pub(crate) parent: String,
    /// The property (or what an item of it is called).
    pub(crate) name: String,
    /// Scalars may be expressions.
    pub(crate) expression: bool,
}

impl Place {
    pub(crate) fn enter(&self, segment: &str, name: &str) -> Place {
        Place {
            path: format!("{}/{segment}", self.path),
            name: name.to_string(),
            ..self.clone()
        }
    }
}

/// Go durations as CRDs spell them: anchored with `s`, `m`, `h`, or the loose
/// form of JSON Schemas.
const DURATION_PATTERNS: &[&str] = &[
    r"^([0-9]+(\.[0-9]+)?(s|m|h))+$",
    r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$",
    r"(?:\d+(ns|us|µs|ms|s|m|h))+",
];

/// How apimachinery spells a quantity.
const QUANTITY_PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

pub(crate) struct Lower<'a> {
    pub(crate) inputs: &'a [Input],
    pub(crate) config: &'a Config,
    pub(crate) naming: Naming,
    pub(crate) containers: Vec<Container>,
    pub(crate) errors: Vec<Error>,
    /// Renames, grafts and durations that found their place.
    used: Vec<String>,
    /// Types being built, for recursion.
    open: Vec<String>,
}

/// Lowers all facts.
pub(crate) fn lower(inputs: &[Input], config: &Config) -> Result<Vec<Container>, Vec<Error>> {
    let naming = Naming::plan(inputs, config);
    let mut lower = Lower {
        inputs,
        config,
        naming,
        containers: Vec::new(),
        errors: Vec::new(),
        used: Vec::new(),
        open: Vec::new(),
    };
    for (index, input) in inputs.iter().enumerate() {
        if input.facts.resource.is_some() {
            lower.kind(index);
        } else {
            lower.free(index);
        }
    }
    lower.unused();
    if lower.errors.is_empty() {
        Ok(lower.containers)
    } else {
        let mut errors = lower.errors;
        errors.sort_by(|a, b| (&a.file, &a.pointer).cmp(&(&b.file, &b.pointer)));
        errors.dedup();
        Err(errors)
    }
}

impl Lower<'_> {
    pub(crate) fn fail(&mut self, place: &Place, message: impl Into<String>) {
        let name = self
            .inputs
            .get(place.input)
            .map_or("", |i| i.facts.name.as_str());
        self.errors.push(Error {
            file: self
                .inputs
                .get(place.input)
                .map_or(String::new(), |i| i.file.clone()),
            pointer: place
                .path
                .strip_prefix(name)
                .unwrap_or(&place.path)
                .to_string(),
            message: message.into(),
        });
    }

    fn unused(&mut self) {
        let config = self.config;
        let all = config
            .renames
            .iter()
            .map(|(path, to)| (path, format!("rename(\"{path}\", \"{to}\")")))
            .chain(
                config
                    .durations
                    .iter()
                    .map(|path| (path, format!("duration(\"{path}\")"))),
            )
            .chain(
                config
                    .grafts
                    .iter()
                    .map(|(path, _)| (path, format!("the graft at \"{path}\""))),
            );
        let mut errors = Vec::new();
        for (path, call) in all {
            if !self.used.contains(path) {
                errors.push(Error {
                    file: call,
                    pointer: String::new(),
                    message: "no facts have a value there (any more); drop it or mend the pointer"
                        .to_string(),
                });
            }
        }
        for name in &config.expressions {
            if !self.inputs.iter().any(|input| input.facts.name == *name) {
                errors.push(Error {
                    file: format!("expressions(\"{name}\")"),
                    pointer: String::new(),
                    message: "there are no facts of this name".to_string(),
                });
            }
        }
        self.errors.extend(errors);
    }

    fn place(&self, input: usize) -> Place {
        let name = self
            .inputs
            .get(input)
            .map_or(String::new(), |i| i.facts.name.clone());
        Place {
            input,
            parent: String::new(),
            expression: self.config.expressions.contains(&name),
            path: name.clone(),
            name,
        }
    }

    /// A Kubernetes kind.
    fn kind(&mut self, index: usize) {
        let Some(input) = self.inputs.get(index) else {
            return;
        };
        let place = self.place(index);
        let schema = &input.facts.root;
        let Type::Object(properties) = &schema.ty else {
            return self.fail(&place, "a kind whose schema is no object with properties");
        };
        let name = input.facts.name.clone();
        let mut inner = place.clone();
        inner.parent.clone_from(&name);
        let slot = self.reserve(&name, &place, schema);
        let mut parts = Vec::new();
        for property in properties {
            if matches!(property.name.as_str(), "apiVersion" | "kind" | "metadata") {
                continue;
            }
            if let Some(field) = self.field(property, &inner) {
                parts.push(Part::Field(field));
            }
        }
        // The status comes last, as everywhere in Kubernetes.
        parts.sort_by_key(|part| matches!(part, Part::Field(field) if field.json == "status"));
        let rules = self.rules(schema, &place);
        let fields = Struct {
            parts,
            closed: schema.closed,
            open: false,
            never: Vec::new(),
            rules,
            limits: Limits::default(),
        };
        if let Some(spec) = fields.fields().find(|field| field.json == "spec") {
            match &spec.node.ty {
                Ty::Named(spec) => {
                    let spec = spec.clone();
                    if let Some(spec) = self.containers.iter_mut().find(|c| c.name == spec) {
                        spec.spec_of = Some(index);
                    }
                }
                _ => self.fail(
                    &place.enter("spec", "spec"),
                    "a spec without known properties",
                ),
            }
        }
        self.fill(slot, Shape::Struct(fields), Some(index));
    }

    /// A free-standing schema.
    fn free(&mut self, index: usize) {
        let Some(input) = self.inputs.get(index) else {
            return;
        };
        let place = self.place(index);
        self.node(&input.facts.root, &place);
    }

    pub(crate) fn reserve(&mut self, name: &str, place: &Place, schema: &Schema) -> usize {
        self.containers.push(Container {
            name: name.to_string(),
            doc: schema.doc.clone(),
            shape: Shape::Struct(Struct {
                parts: Vec::new(),
                closed: false,
                open: false,
                never: Vec::new(),
                rules: Vec::new(),
                limits: Limits::default(),
            }),
            origin: place.path.clone(),
            kind: None,
            spec_of: None,
        });
        self.containers.len() - 1
    }

    pub(crate) fn fill(&mut self, slot: usize, shape: Shape, kind: Option<usize>) {
        if let Some(container) = self.containers.get_mut(slot) {
            container.shape = shape;
            container.kind = kind;
        }
    }

    /// One property as a field.
    pub(crate) fn field(&mut self, property: &Property, place: &Place) -> Option<Field> {
        let place = place.enter(&escape(&property.name), &property.name);
        let node = self.node(&property.schema, &place)?;
        Some(Field {
            json: property.name.clone(),
            rust: names::field(&property.name),
            required: property.required,
            nullable: property.schema.nullable,
            node,
        })
    }

    /// The Rust type of a value; containers on the way are added.
    pub(crate) fn node(&mut self, schema: &Schema, place: &Place) -> Option<Node> {
        let graft = self
            .config
            .grafts
            .iter()
            .find(|(path, _)| *path == place.path)
            .cloned();
        if let Some((path, graft)) = graft {
            self.used.push(path);
            return self.graft(schema, place, &graft);
        }
        let object = matches!(&schema.ty, Type::Object(properties) if !properties.is_empty());
        let alternatives = schema.one_of.len()
            + schema.any_of.len()
            + schema.all_of.len()
            + usize::from(schema.not.is_some());
        if !object && alternatives > 0 {
            self.fail(
                place,
                "`oneOf`, `anyOf`, `allOf` or `not` of what is no object with known properties",
            );
            return None;
        }
        let mut limits = limits(schema, place);
        if !object {
            limits.rules = self.rules(schema, place);
        }
        if let Type::List(inner) | Type::Map(inner) = &schema.ty
            && inner.nullable
        {
            self.fail(place, "items or values that may be null");
            return None;
        }
        let ty = match &schema.ty {
            Type::Any => Ty::Json,
            Type::String => self.string(schema, place, &mut limits)?,
            Type::Integer => self.scalar(place, integer(schema)),
            Type::Number => self.scalar(place, Ty::F64),
            Type::Boolean => self.scalar(place, Ty::Bool),
            Type::IntOrString if schema.pattern.as_deref() == Some(QUANTITY_PATTERN) => {
                limits.pattern = None;
                Ty::Quantity
            }
            Type::IntOrString => Ty::IntOrString,
            Type::Object(properties) if properties.is_empty() => {
                if place.name == "metadata" && place.parent == self.root_name(place) {
                    Ty::ObjectMeta
                } else {
                    Ty::JsonMap
                }
            }
            Type::Object(properties) => self.object(schema, properties, place)?,
            Type::Map(values) => {
                let inner = place.enter("values", &names::singular(&place.name));
                Ty::Map(Box::new(self.node(values, &inner)?))
            }
            Type::List(items) => {
                let inner = place.enter("items", &names::singular(&place.name));
                if let Some("set") = schema.list_type.as_deref() {
                    limits.unique_items = true;
                }
                Ty::List(Box::new(self.node(items, &inner)?))
            }
            Type::Ref(name) => return self.reference(schema, name, place),
            Type::Core { name, .. } => {
                let Some((_, path)) = self.config.cores.iter().find(|(core, _)| core == name)
                else {
                    self.fail(
                        place,
                        format!("the core object `{name}` has no Rust type yet: call core(\"{name}\", …)"),
                    );
                    return None;
                };
                Ty::Core(path.clone())
            }
        };
        if !schema.enumeration.is_empty() && schema.ty != Type::String {
            self.fail(place, "`enum` of what is no string");
            return None;
        }
        if schema.embedded_resource && ty != Ty::JsonMap {
            self.fail(
                place,
                "an embedded resource that is no object, or one with known properties",
            );
            return None;
        }
        Some(Node {
            ty,
            limits,
            doc: schema.doc.clone(),
            default: schema.default.clone(),
            deprecated: schema.deprecated,
        })
    }

    fn root_name(&self, place: &Place) -> String {
        self.inputs
            .get(place.input)
            .filter(|input| input.facts.resource.is_some())
            .map_or(String::new(), |input| input.facts.name.clone())
    }

    fn scalar(&self, place: &Place, ty: Ty) -> Ty {
        if place.expression {
            Ty::OrExpr(Box::new(ty))
        } else {
            ty
        }
    }

    fn string(&mut self, schema: &Schema, place: &Place, limits: &mut Limits) -> Option<Ty> {
        if !schema.enumeration.is_empty() {
            let ty = self.enumeration(schema, place)?;
            return Some(self.scalar(place, ty));
        }
        if schema.format.as_deref() == Some("date-time") {
            return Some(Ty::Time);
        }
        let asked = self
            .config
            .durations
            .iter()
            .find(|path| matches(path, &place.path));
        self.used.extend(asked.cloned());
        let asked = asked.is_some();
        let pattern = schema.pattern.as_deref();
        if asked || pattern.is_some_and(|pattern| DURATION_PATTERNS.contains(&pattern)) {
            return Some(self.scalar(place, Ty::GoDuration));
        }
        if pattern == Some(QUANTITY_PATTERN) {
            limits.pattern = None;
            return Some(Ty::Quantity);
        }
        limits.expression = place.expression;
        Some(Ty::String)
    }

    fn enumeration(&mut self, schema: &Schema, place: &Place) -> Option<Ty> {
        let mut values: Vec<(String, String)> = Vec::new();
        for value in &schema.enumeration {
            let Some(text) = value.as_str() else {
                self.fail(place, format!("`enum` with `{value}`, which is no string"));
                return None;
            };
            let mut rust = names::pascal(text);
            while values.iter().any(|(taken, _)| *taken == rust) {
                rust.push('_');
            }
            values.push((rust, text.to_string()));
        }
        let name = self.name_of(place);
        let default = schema
            .default
            .as_ref()
            .and_then(|value| value.as_str())
            .filter(|text| values.iter().any(|(_, value)| value == text))
            .map(str::to_string);
        let slot = self.reserve(&name, place, schema);
        self.fill(slot, Shape::Enum(Enum { values, default }), None);
        self.share(slot, place)
    }

    fn object(&mut self, schema: &Schema, properties: &[Property], place: &Place) -> Option<Ty> {
        let name = self.name_of(place);
        let mut inner = place.clone();
        inner.parent.clone_from(&name);
        let slot = self.reserve(&name, place, schema);
        let mut parts = Vec::new();
        let mut whole = true;
        for property in properties {
            match self.field(property, &inner) {
                Some(field) => parts.push(Part::Field(field)),
                None => whole = false,
            }
        }
        self.distinct(&parts, place);
        let rules = self.rules(schema, place);
        let fields = Struct {
            parts,
            closed: schema.closed,
            open: schema.preserve_unknown_fields,
            never: Vec::new(),
            rules,
            limits: Limits {
                min_properties: schema.min_properties,
                max_properties: schema.max_properties,
                ..Limits::default()
            },
        };
        if !whole {
            return None;
        }
        self.fill(slot, Shape::Struct(fields), None);
        self.share(slot, place)
    }

    /// Two properties must not come to the same field.
    pub(crate) fn distinct(&mut self, parts: &[Part], place: &Place) {
        let mut seen: Vec<&str> = Vec::new();
        for part in parts {
            let rust = match part {
                Part::Field(field) => field.rust.as_str(),
                Part::Choice(choice) => choice.rust.as_str(),
            };
            if seen.contains(&rust) {
                self.fail(
                    place,
                    format!("two properties that would both be the field `{rust}`"),
                );
            }
            seen.push(rust);
        }
    }

    fn reference(&mut self, schema: &Schema, name: &str, place: &Place) -> Option<Node> {
        let facts = self.inputs.get(place.input).map(|input| &input.facts)?;
        let Some((_, target)) = facts.definitions.iter().find(|(other, _)| other == name) else {
            self.fail(
                place,
                format!("a reference to `{name}`, which is not defined"),
            );
            return None;
        };
        let path = format!("{}#{}", facts.name, escape(name));
        if self.open.contains(&path) {
            self.fail(
                place,
                format!("`{name}` contains itself, which cannot be expressed yet"),
            );
            return None;
        }
        let inner = Place {
            path: path.clone(),
            name: name.to_string(),
            ..place.clone()
        };
        self.open.push(path);
        let mut node = self.node(target, &inner);
        self.open.pop();
        if let Some(node) = &mut node {
            if !schema.doc.is_empty() {
                node.doc.clone_from(&schema.doc);
            }
            if schema.default.is_some() {
                node.default.clone_from(&schema.default);
            }
        }
        node
    }

    fn name_of(&mut self, place: &Place) -> String {
        if let Some((path, name)) = self
            .config
            .renames
            .iter()
            .find(|(path, _)| matches(path, &place.path))
        {
            self.used.push(path.clone());
            return name.clone();
        }
        self.naming.name(place)
    }

    /// Keeps one of two equal types; refuses two different ones of one name.
    pub(crate) fn share(&mut self, slot: usize, place: &Place) -> Option<Ty> {
        let new = self.containers.get(slot)?;
        let name = new.name.clone();
        let earlier = self
            .containers
            .iter()
            .take(slot)
            .position(|container| container.name == name);
        let Some(earlier) = earlier else {
            return Some(Ty::Named(name));
        };
        let old = self.containers.get(earlier)?;
        if without_docs(&old.shape) != without_docs(&new.shape) {
            let message = format!(
                "its type would be `{name}`, and so is that of {}, which differs: rename(\"{}\", …) one of them",
                old.origin, place.path,
            );
            self.fail(place, message);
            return None;
        }
        let new = self.containers.remove(slot);
        if let Some(old) = self.containers.get_mut(earlier) {
            adopt_docs(old, &new);
        }
        Some(Ty::Named(name))
    }

    /// The rules of an object (or scalar), from CEL and JSON Schema.
    pub(crate) fn rules(&mut self, schema: &Schema, place: &Place) -> Vec<Rule> {
        let mut found = Vec::new();
        for rule in &schema.rules {
            match cel::parse(&rule.rule) {
                Ok(cond) => found.push(Rule {
                    text: rule.rule.clone(),
                    schema: serde_json::json!({ "rule": rule.rule }),
                    message: format!("breaks the rule `{}`", rule.rule),
                    cond,
                    by_construction: false,
                }),
                Err(what) => self.fail(
                    place,
                    format!(
                        "the rule `{}` cannot be expressed: it has {what}",
                        rule.rule
                    ),
                ),
            }
        }
        let groups = [
            ("oneOf", &schema.one_of, Cond::One as fn(Vec<Cond>) -> Cond),
            ("anyOf", &schema.any_of, Cond::Any),
            ("allOf", &schema.all_of, Cond::All),
        ];
        for (keyword, alternatives, make) in groups {
            if alternatives.is_empty() {
                continue;
            }
            let conds: Result<Vec<_>, _> = alternatives.iter().map(rules::alternative).collect();
            match conds {
                Ok(conds) => {
                    let cond = make(conds);
                    found.push(Rule {
                        text: keyword.to_string(),
                        schema: serde_json::json!({ keyword: alternatives }),
                        message: broken(keyword, &cond),
                        cond,
                        by_construction: false,
                    });
                }
                Err(what) => self.fail(
                    place,
                    format!("`{keyword}` cannot be expressed: it has {what}"),
                ),
            }
        }
        if let Some(not) = &schema.not {
            match rules::alternative(not) {
                Ok(cond) => found.push(Rule {
                    text: "not".to_string(),
                    schema: serde_json::json!({ "not": not }),
                    message: broken("not", &cond),
                    cond: Cond::Not(Box::new(cond)),
                    by_construction: false,
                }),
                Err(what) => self.fail(place, format!("`not` cannot be expressed: it has {what}")),
            }
        }
        found
    }
}

fn broken(keyword: &str, cond: &Cond) -> String {
    let names = cond
        .properties()
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match keyword {
        "oneOf" => {
            format!("{names} are set in a way that fits none or several of the allowed ones")
        }
        "anyOf" => format!("{names} are set in a way that fits none of the allowed ones"),
        _ => format!("{names} are set in a way that is not allowed"),
    }
}

fn integer(schema: &Schema) -> Ty {
    if schema.format.as_deref() == Some("int32") {
        Ty::I32
    } else {
        Ty::I64
    }
}

fn limits(schema: &Schema, place: &Place) -> Limits {
    Limits {
        pattern: schema.pattern.clone(),
        format: schema.format.clone(),
        min_length: schema.min_length,
        max_length: schema.max_length,
        minimum: schema.minimum.clone(),
        maximum: schema.maximum.clone(),
        exclusive_minimum: schema.exclusive_minimum,
        exclusive_maximum: schema.exclusive_maximum,
        multiple_of: schema.multiple_of.clone(),
        min_items: schema.min_items,
        max_items: schema.max_items,
        unique_items: schema.unique_items,
        preserve_unknown_fields: schema.preserve_unknown_fields,
        embedded_resource: schema.embedded_resource,
        list_type: schema.list_type.clone(),
        map_type: schema.map_type.clone(),
        map_keys: schema.list_map_keys.clone(),
        min_properties: schema.min_properties,
        max_properties: schema.max_properties,
        rules: Vec::new(),
        expression: place.expression,
    }
}

/// True when the pointer is as the pattern says, in which `*` stands for any text.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    true
}

fn without_docs(shape: &Shape) -> Shape {
    let mut shape = shape.clone();
    match &mut shape {
        Shape::Struct(fields) => {
            for part in &mut fields.parts {
                match part {
                    Part::Field(field) => strip(&mut field.node),
                    Part::Choice(choice) => choice.doc.clear(),
                }
            }
        }
        Shape::Choice(choice) => choice.doc.clear(),
        Shape::Enum(_) | Shape::Keyed(_) | Shape::Tagged(_) => {}
    }
    shape
}

fn strip(node: &mut Node) {
    node.doc.clear();
    match &mut node.ty {
        Ty::List(inner) | Ty::Map(inner) => strip(inner),
        _ => {}
    }
}

/// Where the first of two equal types has no words, those of the second serve.
fn adopt_docs(old: &mut Container, new: &Container) {
    if old.doc.is_empty() {
        old.doc.clone_from(&new.doc);
    }
    if let (Shape::Struct(old), Shape::Struct(new)) = (&mut old.shape, &new.shape) {
        for (old, new) in old.parts.iter_mut().zip(&new.parts) {
            if let (Part::Field(old), Part::Field(new)) = (old, new)
                && old.node.doc.is_empty()
            {
                old.node.doc.clone_from(&new.node.doc);
            }
        }
    }
}
