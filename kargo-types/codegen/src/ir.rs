//! What will be written: structs, enums and unions, between the facts and the text.

use serde_json::Value;

use crate::rules::Rule;

/// A value's type as Rust has it, with all that is checked of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) ty: Ty,
    pub(crate) limits: Limits,
    /// Our words; empty when the facts have none.
    pub(crate) doc: String,
    /// What the server writes when the value is absent.
    pub(crate) default: Option<Value>,
    pub(crate) deprecated: bool,
}

/// The Rust type of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ty {
    String,
    Bool,
    I32,
    I64,
    F64,
    IntOrString,
    Time,
    GoDuration,
    Quantity,
    Json,
    JsonMap,
    ObjectMeta,
    /// A type of another crate, by path.
    Core(String),
    /// A generated type.
    Named(String),
    List(Box<Node>),
    Map(Box<Node>),
    /// The type, or an expression that yields it when it runs.
    OrExpr(Box<Ty>),
}

/// Bounds of one value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Limits {
    pub(crate) pattern: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) min_length: Option<u64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) minimum: Option<serde_json::Number>,
    pub(crate) maximum: Option<serde_json::Number>,
    pub(crate) exclusive_minimum: bool,
    pub(crate) exclusive_maximum: bool,
    pub(crate) multiple_of: Option<serde_json::Number>,
    pub(crate) min_items: Option<u64>,
    pub(crate) max_items: Option<u64>,
    pub(crate) unique_items: bool,
    pub(crate) preserve_unknown_fields: bool,
    /// The value is a whole object of Kubernetes, of any kind.
    pub(crate) embedded_resource: bool,
    pub(crate) list_type: Option<String>,
    pub(crate) map_type: Option<String>,
    /// Keys that tell items apart (`x-kubernetes-list-map-keys`).
    pub(crate) map_keys: Vec<String>,
    pub(crate) min_properties: Option<u64>,
    pub(crate) max_properties: Option<u64>,
    /// Rules over the value itself, where it is no struct of ours.
    pub(crate) rules: Vec<Rule>,
    /// The value may hold an expression, which no bound applies to.
    pub(crate) expression: bool,
}

impl Limits {
    /// Nothing is checked.
    pub(crate) fn is_empty(&self) -> bool {
        let Limits {
            pattern,
            format,
            min_length,
            max_length,
            minimum,
            maximum,
            exclusive_minimum: _,
            exclusive_maximum: _,
            multiple_of,
            min_items,
            max_items,
            unique_items,
            preserve_unknown_fields: _,
            embedded_resource,
            list_type: _,
            map_type: _,
            map_keys,
            min_properties,
            max_properties,
            rules,
            expression: _,
        } = self;
        !matches!(format.as_deref(), Some("email" | "uri"))
            && pattern.is_none()
            && min_length.is_none()
            && max_length.is_none()
            && minimum.is_none()
            && maximum.is_none()
            && multiple_of.is_none()
            && min_items.is_none()
            && max_items.is_none()
            && !unique_items
            && !embedded_resource
            && map_keys.is_empty()
            && min_properties.is_none()
            && max_properties.is_none()
            && rules.is_empty()
    }
}

/// One property that is a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) json: String,
    pub(crate) rust: String,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    pub(crate) node: Node,
}

/// Several properties of which one (or at most one) is set: one field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    pub(crate) rust: String,
    /// Name of the union.
    pub(crate) ty: String,
    /// None of the properties may be set.
    pub(crate) optional: bool,
    pub(crate) doc: String,
    pub(crate) variants: Vec<ChoiceVariant>,
    /// The field has the tagged union's type itself: there is but one variant.
    pub(crate) bare: bool,
}

/// One alternative of a [`Choice`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChoiceVariant {
    pub(crate) rust: String,
    pub(crate) keys: Keys,
    pub(crate) node: Node,
}

/// Which properties an alternative stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Keys {
    /// One property of this name.
    One(String),
    /// A tag and the content it names; the node's type is a [`Tagged`].
    Tagged { tag: String, content: String },
}

/// A part of a struct, in the order of the facts.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a few hundred of them, once")]
pub(crate) enum Part {
    Field(Field),
    Choice(Choice),
}

/// An object with known properties.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Struct {
    pub(crate) parts: Vec<Part>,
    pub(crate) closed: bool,
    /// Unknown properties are kept in a field `other`.
    pub(crate) open: bool,
    /// Properties of the facts that no instance can have, with the rule that says so.
    pub(crate) never: Vec<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) limits: Limits,
}

/// A closed set of strings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Enum {
    /// Rust name and JSON value.
    pub(crate) values: Vec<(String, String)>,
    pub(crate) default: Option<String>,
}

/// An object with exactly one property, which says what it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Keyed {
    pub(crate) variants: Vec<ChoiceVariant>,
}

/// An object whose property `tag` says what `content` is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tagged {
    pub(crate) tag: String,
    pub(crate) content: String,
    /// Rust name, the tag's value, the content; `true` when the content may be absent.
    pub(crate) variants: Vec<TaggedVariant>,
}

/// One alternative of a [`Tagged`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaggedVariant {
    pub(crate) rust: String,
    pub(crate) value: String,
    pub(crate) node: Node,
    /// Every property of the content is optional, so the content may be absent.
    pub(crate) may_be_absent: bool,
}

/// The kind of a container.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a few hundred of them, once")]
pub(crate) enum Shape {
    Struct(Struct),
    Enum(Enum),
    Keyed(Keyed),
    Tagged(Tagged),
    Choice(Choice),
}

/// A type to write.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) shape: Shape,
    /// Where it was first found: facts name and pointer.
    pub(crate) origin: String,
    /// A Kubernetes kind, if the container is one (index into the facts).
    pub(crate) kind: Option<usize>,
    /// The spec of a kind (index into the facts).
    pub(crate) spec_of: Option<usize>,
}

impl Struct {
    /// The plain fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Choice(_) => None,
        })
    }

    /// The choices.
    pub(crate) fn choices(&self) -> impl Iterator<Item = &Choice> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(_) => None,
            Part::Choice(choice) => Some(choice),
        })
    }

    /// The JSON names this struct reads, in order.
    pub(crate) fn json_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for part in &self.parts {
            match part {
                Part::Field(field) => names.push(field.json.clone()),
                Part::Choice(choice) => {
                    for variant in &choice.variants {
                        match &variant.keys {
                            Keys::One(key) => names.push(key.clone()),
                            Keys::Tagged { tag, content } => {
                                names.push(tag.clone());
                                names.push(content.clone());
                            }
                        }
                    }
                }
            }
        }
        names
    }
}
