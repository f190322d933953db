//! What a schema says, and nothing else: the model between an imported CRD or
//! JSON Schema and the Rust that is written from it.
//!
//! Prose never enters this model. The only text people wrote is [`Schema::doc`],
//! which is ours and lives in the facts file.

use serde_json::Value;

/// The facts of one kind (a CRD version) or of one free-standing JSON Schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Where the facts were read from.
    pub origin: Origin,
    /// The name of the root type: the kind, or the schema's title.
    pub name: String,
    /// What makes it a Kubernetes resource; `None` for a free-standing schema.
    pub resource: Option<Resource>,
    /// The schema of the whole object.
    pub root: Schema,
    /// Named schemas that [`Type::Ref`] points at, in order of name.
    pub definitions: Vec<(String, Schema)>,
}

/// Where facts come from; needed to refresh them and to keep the licence notice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Project, version and path, as `akuity/kargo v1.11.2 charts/…/x.yaml`.
    pub source: String,
    /// SPDX identifier of the source's licence.
    pub licence: String,
}

/// The part of a CRD that is not its schema.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resource {
    /// API group, as `kargo.akuity.io`.
    pub group: String,
    /// Version these facts describe, as `v1alpha1`.
    pub version: String,
    /// Plural, lower-case name.
    pub plural: String,
    /// Singular, lower-case name.
    pub singular: String,
    /// Short names for `kubectl`.
    pub short_names: Vec<String>,
    /// Categories for `kubectl`.
    pub categories: Vec<String>,
    /// True for `Namespaced`, false for `Cluster`.
    pub namespaced: bool,
    /// True when the status is a subresource.
    pub status_subresource: bool,
    /// Columns that `kubectl get` prints.
    pub columns: Vec<Column>,
}

/// One printer column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// OpenAPI type of the value.
    pub ty: String,
    /// Format of the value, if any.
    pub format: Option<String>,
    /// JSON path of the value.
    pub json_path: String,
    /// Zero is shown always, more only with `-o wide`.
    pub priority: i64,
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Anything: no type is stated.
    Any,
    /// A string.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// `x-kubernetes-int-or-string`.
    IntOrString,
    /// An object with known properties (none: an object of unknown content).
    Object(Vec<Property>),
    /// An object with free keys, all values of one schema.
    Map(Box<Schema>),
    /// A list.
    List(Box<Schema>),
    /// A named schema of [`Facts::definitions`].
    Ref(String),
    /// A core Kubernetes object, folded: the Rust path of k8s-openapi's type,
    /// and a digest of what the schema said of it, so that a change is noticed.
    Core {
        /// As `batch/v1.JobSpec`.
        name: String,
        /// `sha`-like digest (16 hex digits) of the folded facts.
        digest: String,
    },
}

/// One property of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Name as in JSON.
    pub name: String,
    /// Listed in `required`.
    pub required: bool,
    /// What the value must be.
    pub schema: Schema,
}

/// The facts of one value. Lengths and counts are as in JSON Schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Type and structure.
    pub ty: Type,
    /// Our own words for people who read the generated type; may be empty.
    pub doc: String,
    /// `null` is allowed besides the type.
    pub nullable: bool,
    /// OpenAPI format, as `date-time` or `int64`.
    pub format: Option<String>,
    /// The values allowed, if listed; JSON scalars or null.
    pub enumeration: Vec<Value>,
    /// What the API server or controller writes when the value is absent.
    pub default: Option<Value>,
    /// Regular expression a string must match somewhere (unanchored, RE2).
    pub pattern: Option<String>,
    /// Smallest number.
    pub minimum: Option<serde_json::Number>,
    /// Largest number.
    pub maximum: Option<serde_json::Number>,
    /// `minimum` itself is not allowed.
    pub exclusive_minimum: bool,
    /// `maximum` itself is not allowed.
    pub exclusive_maximum: bool,
    /// The number must be a multiple of this.
    pub multiple_of: Option<serde_json::Number>,
    /// Fewest characters.
    pub min_length: Option<u64>,
    /// Most characters.
    pub max_length: Option<u64>,
    /// Fewest items.
    pub min_items: Option<u64>,
    /// Most items.
    pub max_items: Option<u64>,
    /// Items are all different.
    pub unique_items: bool,
    /// Fewest properties.
    pub min_properties: Option<u64>,
    /// Most properties.
    pub max_properties: Option<u64>,
    /// No properties but those listed (`additionalProperties: false`).
    pub closed: bool,
    /// Deprecated upstream.
    pub deprecated: bool,
    /// `x-kubernetes-list-type`.
    pub list_type: Option<String>,
    /// `x-kubernetes-list-map-keys`.
    pub list_map_keys: Vec<String>,
    /// `x-kubernetes-map-type`.
    pub map_type: Option<String>,
    /// `x-kubernetes-preserve-unknown-fields`.
    pub preserve_unknown_fields: bool,
    /// `x-kubernetes-embedded-resource`.
    pub embedded_resource: bool,
    /// CEL rules (`x-kubernetes-validations`), expressions only.
    pub rules: Vec<Rule>,
    /// `oneOf`, alternatives as JSON without prose.
    pub one_of: Vec<Value>,
    /// `anyOf`, alternatives as JSON without prose.
    pub any_of: Vec<Value>,
    /// `allOf`, alternatives as JSON without prose.
    pub all_of: Vec<Value>,
    /// `not`, as JSON without prose.
    pub not: Option<Value>,
}

/// One CEL rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The expression over `self` (and `oldSelf`).
    pub rule: String,
    /// `optionalOldSelf`, `reason` and `fieldPath` where upstream states them.
    pub extra: Vec<(String, String)>,
}

impl Schema {
    /// A schema of this type that says nothing more.
    pub fn of(ty: Type) -> Schema {
        Schema {
            ty,
            doc: String::new(),
            nullable: false,
            format: None,
            enumeration: Vec::new(),
            default: None,
            pattern: None,
            minimum: None,
            maximum: None,
            exclusive_minimum: false,
            exclusive_maximum: false,
            multiple_of: None,
            min_length: None,
            max_length: None,
            min_items: None,
            max_items: None,
            unique_items: false,
            min_properties: None,
            max_properties: None,
            closed: false,
            deprecated: false,
            list_type: None,
            list_map_keys: Vec::new(),
            map_type: None,
            preserve_unknown_fields: false,
            embedded_resource: false,
            rules: Vec::new(),
            one_of: Vec::new(),
            any_of: Vec::new(),
            all_of: Vec::new(),
            not: None,
        }
    }
}

impl Facts {
    /// The definition of that name.
    pub fn definition(&self, name: &str) -> Option<&Schema> {
        self.definitions
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, schema)| schema)
    }

    /// Follows [`Type::Ref`] to the type behind it; `None` when a definition is
    /// missing or leads only to itself.
    pub fn resolve<'a>(&'a self, mut ty: &'a Type) -> Option<&'a Type> {
        for _ in 0..=self.definitions.len() {
            match ty {
                Type::Ref(name) => ty = &self.definition(name)?.ty,
                other => return Some(other),
            }
        }
        None
    }
}
