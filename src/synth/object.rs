//! Objects of any type behind one face.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;

use kube::Resource;
use kube::core::{ClusterResourceScope, ObjectMeta};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::patch::{Patch, PatchError};
use crate::diagnostics::Place;
use crate::yaml::{EmitError, Emitter};

/// What names an object in a cluster.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectId {
    /// `group/version`, or the version alone for the core group.
    pub api_version: String,
    /// For instance `Warehouse`.
    pub kind: String,
    /// `None` for objects of the cluster.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectId {
    /// The API group; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }
}

impl fmt::Display for ObjectId {
    /// `Warehouse/node-22`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// Names an object of a chart, for patches, dependencies and origins. It holds
/// in all charts of an app.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectRef {
    /// Hash of the chart's name.
    pub(super) chart: u64,
    pub(super) index: usize,
}

/// What a chart gives to its objects unless they have it.
#[derive(Clone, Default, Debug)]
pub(super) struct Defaults {
    pub(super) namespace: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// An object as a chart holds it and validators see it.
pub struct ApiObject {
    chart: std::sync::Arc<str>,
    api_version: Cow<'static, str>,
    kind: Cow<'static, str>,
    cluster: bool,
    origin: Option<Place>,
    body: Body,
    value: OnceCell<Value>,
}

enum Body {
    Typed(Box<dyn Typed>),
    Value(Value),
}

/// The parts of a Kubernetes type that charts need, whatever the type.
trait Typed {
    fn meta(&self) -> &ObjectMeta;
    fn meta_mut(&mut self) -> &mut ObjectMeta;
    fn emit(&self, out: &mut String) -> Result<(), EmitError>;
    fn value(&self) -> Result<Value, serde_json::Error>;
    fn any(&self) -> &dyn Any;
}

impl<T: Resource<DynamicType = ()> + Serialize + 'static> Typed for T {
    fn meta(&self) -> &ObjectMeta {
        Resource::meta(self)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        Resource::meta_mut(self)
    }

    fn emit(&self, out: &mut String) -> Result<(), EmitError> {
        self.serialize(&mut Emitter::new(out))
    }

    fn value(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn any(&self) -> &dyn Any {
        self
    }
}

impl ApiObject {
    pub(super) fn typed<T>(chart: std::sync::Arc<str>, object: T) -> Self
    where
        T: Resource<DynamicType = ()> + Serialize + 'static,
    {
        Self {
            chart,
            api_version: Cow::Owned(T::api_version(&()).into_owned()),
            kind: Cow::Owned(T::kind(&()).into_owned()),
            cluster: TypeId::of::<T::Scope>() == TypeId::of::<ClusterResourceScope>(),
            origin: None,
            body: Body::Typed(Box::new(object)),
            value: OnceCell::new(),
        }
    }

    /// An object without a type; the caller has seen that these texts are in it.
    pub(super) fn untyped(
        chart: std::sync::Arc<str>,
        api_version: String,
        kind: String,
        cluster: bool,
        value: Value,
    ) -> Self {
        Self {
            chart,
            api_version: Cow::Owned(api_version),
            kind: Cow::Owned(kind),
            cluster,
            origin: None,
            body: Body::Value(value),
            value: OnceCell::new(),
        }
    }

    /// What names it.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        ObjectId {
            api_version: self.api_version.to_string(),
            kind: self.kind.to_string(),
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
        }
    }

    /// `group/version`, or the version alone for the core group.
    #[must_use]
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// For instance `Warehouse`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// `metadata.name`; empty when the object has none, which is a [`Problem`](super::Problem).
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.body {
            Body::Typed(object) => object.meta().name.as_deref(),
            Body::Value(value) => metadata_text(value, "name"),
        }
        .unwrap_or_default()
    }

    /// `metadata.namespace`.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        match &self.body {
            Body::Typed(object) => object.meta().namespace.as_deref(),
            Body::Value(value) => metadata_text(value, "namespace"),
        }
    }

    /// What two objects of one cluster may not share; the version is not part of it.
    /// The name comes first, since that is where most differ.
    pub(super) fn identity(&self) -> (&str, &str, Option<&str>, &str) {
        let group = self
            .api_version
            .split_once('/')
            .map_or("", |(group, _)| group);
        (self.name(), &self.kind, self.namespace(), group)
    }

    /// The labels; `None` for a value that is no text.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        match &self.body {
            Body::Typed(object) => entries(object.meta().labels.as_ref(), None),
            Body::Value(value) => entries(None, value.pointer("/metadata/labels")),
        }
    }

    /// The annotations, as for [`labels`](Self::labels).
    pub(super) fn annotations(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        match &self.body {
            Body::Typed(object) => entries(object.meta().annotations.as_ref(), None),
            Body::Value(value) => entries(None, value.pointer("/metadata/annotations")),
        }
    }

    /// Whether the object belongs to the cluster and has no namespace.
    #[must_use]
    pub fn is_cluster_scoped(&self) -> bool {
        self.cluster
    }

    /// Name of the chart it is in.
    #[must_use]
    pub fn chart(&self) -> &str {
        &self.chart
    }

    /// The line of the input that led to it, where the chart told.
    #[must_use]
    pub fn origin(&self) -> Option<&Place> {
        self.origin.as_ref()
    }

    /// The object in its type; `None` for another type, and for objects that were
    /// added without a type, included or patched.
    #[must_use]
    pub fn downcast<T: 'static>(&self) -> Option<&T> {
        match &self.body {
            Body::Typed(object) => object.any().downcast_ref(),
            Body::Value(_) => None,
        }
    }

    /// The object as JSON, made when first asked for; null if its type cannot be
    /// serialised, which [`App::synth`](super::App::synth) reports.
    #[must_use]
    pub fn value(&self) -> &Value {
        match &self.body {
            Body::Typed(object) => self
                .value
                .get_or_init(|| object.value().unwrap_or_default()),
            Body::Value(value) => value,
        }
    }

    /// Writes the object as one YAML document without `---`.
    pub(super) fn emit(&self, out: &mut String) -> Result<(), EmitError> {
        match &self.body {
            Body::Typed(object) => {
                let start = out.len();
                object.emit(out)?;
                lift_metadata(out, start);
                Ok(())
            }
            Body::Value(Value::Object(map)) => Ordered(map).serialize(&mut Emitter::new(out)),
            Body::Value(value) => value.serialize(&mut Emitter::new(out)),
        }
    }

    pub(super) fn set_origin(&mut self, origin: Place) {
        self.origin = Some(origin);
    }

    /// Changes the object by a patch; from then on it has no type.
    pub(super) fn patch(&mut self, patch: &Patch) -> Result<(), PatchError> {
        let mut value = match &self.body {
            Body::Typed(object) => object
                .value()
                .map_err(|error| PatchError::new("", error.to_string()))?,
            Body::Value(value) => value.clone(),
        };
        patch.apply(&mut value)?;
        for (key, slot) in [
            ("apiVersion", &mut self.api_version),
            ("kind", &mut self.kind),
        ] {
            match value.get(key).and_then(Value::as_str) {
                Some(text) => *slot = Cow::Owned(text.to_owned()),
                None => return Err(PatchError::new(&format!("/{key}"), "the patch removes it")),
            }
        }
        self.body = Body::Value(value);
        self.value = OnceCell::new();
        Ok(())
    }

    /// Gives the object what its chart has for all.
    pub(super) fn inherit(&mut self, defaults: &Defaults) {
        let namespace = defaults.namespace.as_ref().filter(|_| !self.cluster);
        match &mut self.body {
            Body::Typed(object) => {
                let meta = object.meta_mut();
                if meta.namespace.is_none() {
                    meta.namespace = namespace.cloned();
                }
                add_missing(&mut meta.labels, &defaults.labels);
                add_missing(&mut meta.annotations, &defaults.annotations);
            }
            Body::Value(value) => {
                let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) else {
                    return;
                };
                if let Some(namespace) = namespace
                    && meta.get("namespace").is_none_or(Value::is_null)
                {
                    meta.insert("namespace".to_owned(), Value::from(namespace.as_str()));
                }
                add_missing_values(meta, "labels", &defaults.labels);
                add_missing_values(meta, "annotations", &defaults.annotations);
            }
        }
        self.value = OnceCell::new();
    }
}

impl fmt::Debug for ApiObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiObject")
            .field("id", &self.id())
            .field("chart", &self.chart)
            .finish_non_exhaustive()
    }
}

/// The entries of whichever is given.
fn entries<'v>(
    typed: Option<&'v BTreeMap<String, String>>,
    value: Option<&'v Value>,
) -> impl Iterator<Item = (&'v str, Option<&'v str>)> {
    let typed = typed.into_iter().flatten();
    let value = value.and_then(Value::as_object).into_iter().flatten();
    typed
        .map(|(key, value)| (key.as_str(), Some(value.as_str())))
        .chain(value.map(|(key, value)| (key.as_str(), value.as_str())))
}

fn metadata_text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get("metadata")?.get(key)?.as_str()
}

fn add_missing(slot: &mut Option<BTreeMap<String, String>>, defaults: &BTreeMap<String, String>) {
    if defaults.is_empty() {
        return;
    }
    let map = slot.get_or_insert_default();
    for (key, value) in defaults {
        if !map.contains_key(key) {
            map.insert(key.clone(), value.clone());
        }
    }
}

fn add_missing_values(
    meta: &mut Map<String, Value>,
    key: &str,
    defaults: &BTreeMap<String, String>,
) {
    if defaults.is_empty() {
        return;
    }
    let slot = meta.entry(key).or_insert(Value::Null);
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(map) = slot {
        for (key, value) in defaults {
            map.entry(key.clone())
                .or_insert_with(|| Value::from(value.as_str()));
        }
    }
}

/// Moves `metadata` up behind `kind`: k8s-openapi writes its fields by the alphabet,
/// so a ConfigMap's name would stand behind its data. What begins in the first
/// column is a key of the object, since literal blocks are indented.
fn lift_metadata(out: &mut String, start: usize) {
    let document = out.get(start..).unwrap_or_default();
    let Some(kind) = document.find("\nkind: ") else {
        return;
    };
    let Some(behind_kind) = document.get(kind + 1..).and_then(|rest| rest.find('\n')) else {
        return;
    };
    let target = kind + 1 + behind_kind + 1;
    let rest = document.get(target..).unwrap_or_default();
    if rest.starts_with("metadata:") {
        return;
    }
    let Some(before) = rest.find("\nmetadata:") else {
        return;
    };
    let from = target + before + 1;
    let mut length = 0;
    for (number, line) in document
        .get(from..)
        .unwrap_or_default()
        .split_inclusive('\n')
        .enumerate()
    {
        if number > 0 && !line.starts_with([' ', '-', '\n']) {
            break;
        }
        length += line.len();
    }
    let metadata: String = out.drain(start + from..start + from + length).collect();
    out.insert_str(start + target, &metadata);
}

/// An object without a type, written with the keys that name it first.
struct Ordered<'v>(&'v Map<String, Value>);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const FIRST: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for key in FIRST {
            if let Some(value) = self.0.get(key) {
                map.serialize_entry(key, value)?;
            }
        }
        for (key, value) in self.0 {
            if !FIRST.contains(&key.as_str()) {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}
