//! The objects that the rules look at, by kind and name.

use std::collections::BTreeMap;

use kargo_types::{
    AnalysisArg, AnalysisTemplate, AnalysisTemplateKind, ClusterAnalysisTemplate,
    ClusterPromotionTask, ProjectConfig, PromotionTask, PromotionTaskKind, Stage, StageSpec,
    Warehouse, WarehouseSpec,
};
use serde::de::DeserializeOwned;

use crate::diagnostics::Code;
use crate::synth::{ApiObject, Objects, Problem};

/// An object with its type, whether it was added with one or included.
pub(super) struct Typed<'a, T> {
    pub(super) object: &'a ApiObject,
    value: Value<'a, T>,
}

/// Boxed, because a Stage is some kilobytes and an index holds thousands.
enum Value<'a, T> {
    Added(&'a T),
    Read(Box<T>),
}

impl<T> Typed<'_, T> {
    /// Its typed form.
    pub(super) fn get(&self) -> &T {
        match &self.value {
            Value::Added(value) => value,
            Value::Read(value) => value,
        }
    }

    /// A problem with it.
    pub(super) fn problem(&self, code: Code, message: impl Into<String>) -> Problem {
        Problem::new(code, message).object(self.object.id())
    }
}

/// Name and namespace; the name first, because it tells objects apart sooner.
type Key<'a> = (&'a str, &'a str);
/// Objects by kind and API version.
type Kinds<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a ApiObject>>;
type Map<'a, T> = BTreeMap<Key<'a>, Typed<'a, T>>;

/// The API versions whose kinds are looked at.
const KARGO: &str = "kargo.akuity.io/v1alpha1";
const ROLLOUTS: &str = "argoproj.io/v1alpha1";

/// The objects of each kind; what cannot be read as its kind is left to the
/// schema check.
pub(super) struct Index<'a> {
    pub(super) warehouses: Map<'a, Warehouse>,
    pub(super) stages: Map<'a, Stage>,
    pub(super) templates: Map<'a, AnalysisTemplate>,
    pub(super) cluster_templates: Map<'a, ClusterAnalysisTemplate>,
    pub(super) tasks: Map<'a, PromotionTask>,
    pub(super) cluster_tasks: Map<'a, ClusterPromotionTask>,
    pub(super) configs: Map<'a, ProjectConfig>,
}

impl<'a> Index<'a> {
    pub(super) fn of(objects: &Objects<'a>) -> Index<'a> {
        let mut kinds = Kinds::new();
        for object in objects.iter() {
            let kind = (object.kind(), object.api_version());
            kinds.entry(kind).or_default().push(object);
        }
        Index {
            warehouses: all(&kinds, KARGO, "Warehouse"),
            stages: all(&kinds, KARGO, "Stage"),
            templates: all(&kinds, ROLLOUTS, "AnalysisTemplate"),
            cluster_templates: all(&kinds, ROLLOUTS, "ClusterAnalysisTemplate"),
            tasks: all(&kinds, KARGO, "PromotionTask"),
            cluster_tasks: all(&kinds, KARGO, "ClusterPromotionTask"),
            configs: all(&kinds, KARGO, "ProjectConfig"),
        }
    }

    /// The Warehouse of this name in the Stage's project.
    pub(super) fn warehouse<'s>(
        &'s self,
        near: &'s ApiObject,
        name: &'s str,
    ) -> Option<&'s WarehouseSpec> {
        let namespace = near.namespace().unwrap_or_default();
        self.warehouses
            .get(&(name, namespace))
            .map(|found| &found.get().spec)
    }

    /// The Stage of this name in the same project.
    pub(super) fn stage<'s>(&'s self, near: &'s ApiObject, name: &'s str) -> Option<&'s StageSpec> {
        let namespace = near.namespace().unwrap_or_default();
        self.stages
            .get(&(name, namespace))
            .map(|found| &found.get().spec)
    }

    /// What the analysis template takes that a verification in the project names.
    pub(super) fn arguments<'s>(
        &'s self,
        near: &'s ApiObject,
        kind: Option<AnalysisTemplateKind>,
        name: &'s str,
    ) -> Option<&'s [AnalysisArg]> {
        let args = if kind == Some(AnalysisTemplateKind::ClusterAnalysisTemplate) {
            &self.cluster_templates.get(&(name, ""))?.get().spec.args
        } else {
            let namespace = near.namespace().unwrap_or_default();
            &self.templates.get(&(name, namespace))?.get().spec.args
        };
        Some(args.as_deref().unwrap_or_default())
    }

    /// Is there a promotion task of this name for the project?
    pub(super) fn has_task(
        &self,
        near: &ApiObject,
        kind: Option<PromotionTaskKind>,
        name: &str,
    ) -> bool {
        if kind == Some(PromotionTaskKind::ClusterPromotionTask) {
            return self.cluster_tasks.contains_key(&(name, ""));
        }
        let namespace = near.namespace().unwrap_or_default();
        self.tasks.contains_key(&(name, namespace))
    }
}

/// The objects of a kind by name. They come sorted, chart by chart, so that to
/// build the map at once costs little more than to walk them.
fn all<'a, T: DeserializeOwned + 'static>(
    kinds: &Kinds<'a>,
    api_version: &str,
    kind: &str,
) -> Map<'a, T> {
    let keyed = |object: &&'a ApiObject| {
        let key = (object.name(), object.namespace().unwrap_or_default());
        Some((key, typed(object)?))
    };
    let objects = kinds.get(&(kind, api_version)).into_iter().flatten();
    objects.filter_map(keyed).collect()
}

/// An object in its type, if it can be read as that.
fn typed<T: DeserializeOwned + 'static>(object: &ApiObject) -> Option<Typed<'_, T>> {
    let value = match object.downcast::<T>() {
        Some(typed) => Value::Added(typed),
        None => Value::Read(Box::new(
            serde_json::from_value(object.value().clone()).ok()?,
        )),
    };
    Some(Typed { object, value })
}

/// The Warehouses among the objects.
pub(super) fn warehouses<'a>(objects: &Objects<'a>) -> impl Iterator<Item = Typed<'a, Warehouse>> {
    objects
        .iter()
        .filter(|object| object.kind() == "Warehouse" && object.api_version() == KARGO)
        .filter_map(typed)
}

/// What Kargo takes for one git repository: without case, `.git` and `/` at the end.
pub(super) fn git_identity(url: &str) -> String {
    let lower = url.trim_end_matches('/').to_ascii_lowercase();
    lower.strip_suffix(".git").unwrap_or(&lower).to_owned()
}
