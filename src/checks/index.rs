//! The objects that the rules look at, by kind and name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kargo_types::{
    AnalysisArg, AnalysisTemplate, AnalysisTemplateKind, ClusterAnalysisTemplate,
    ClusterPromotionTask, ProjectConfig, PromotionTask, PromotionTaskKind, Stage, StageSpec,
    Warehouse, WarehouseSpec,
};
use kube::Resource;
use serde::de::DeserializeOwned;

use crate::diagnostics::Code;
use crate::synth::{ApiObject, Objects, Problem};

/// An object with its type, whether it was added with one or included.
pub(super) struct Typed<'a, T: Clone> {
    pub(super) object: &'a ApiObject,
    value: Cow<'a, T>,
}

impl<T: Clone> Typed<'_, T> {
    /// Its typed form.
    pub(super) fn get(&self) -> &T {
        &self.value
    }

    /// A problem with it.
    pub(super) fn problem(&self, code: Code, message: impl Into<String>) -> Problem {
        Problem::new(code, message).object(self.object.id())
    }
}

/// Namespace and name.
type Key<'a> = (&'a str, &'a str);
type Map<'a, T> = BTreeMap<Key<'a>, Typed<'a, T>>;

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
        Index {
            warehouses: all(objects),
            stages: all(objects),
            templates: all(objects),
            cluster_templates: all(objects),
            tasks: all(objects),
            cluster_tasks: all(objects),
            configs: all(objects),
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
            .get(&(namespace, name))
            .map(|found| &found.get().spec)
    }

    /// The Stage of this name in the same project.
    pub(super) fn stage<'s>(&'s self, near: &'s ApiObject, name: &'s str) -> Option<&'s StageSpec> {
        let namespace = near.namespace().unwrap_or_default();
        self.stages
            .get(&(namespace, name))
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
            &self.cluster_templates.get(&("", name))?.get().spec.args
        } else {
            let namespace = near.namespace().unwrap_or_default();
            &self.templates.get(&(namespace, name))?.get().spec.args
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
            return self.cluster_tasks.contains_key(&("", name));
        }
        let namespace = near.namespace().unwrap_or_default();
        self.tasks.contains_key(&(namespace, name))
    }
}

/// The objects of one kind.
pub(super) fn all<'a, T>(objects: &Objects<'a>) -> Map<'a, T>
where
    T: Resource<DynamicType = ()> + DeserializeOwned + Clone + 'static,
{
    let kind = T::kind(&());
    let api_version = T::api_version(&());
    let typed = |object: &'a ApiObject| {
        if object.kind() != kind || object.api_version() != api_version {
            return None;
        }
        let value = match object.downcast::<T>() {
            Some(typed) => Cow::Borrowed(typed),
            None => Cow::Owned(serde_json::from_value(object.value().clone()).ok()?),
        };
        let key = (object.namespace().unwrap_or_default(), object.name());
        Some((key, Typed { object, value }))
    };
    objects.iter().filter_map(typed).collect()
}

/// What Kargo takes for one git repository: without case, `.git` and `/` at the end.
pub(super) fn git_identity(url: &str) -> String {
    let lower = url.trim_end_matches('/').to_ascii_lowercase();
    lower.strip_suffix(".git").unwrap_or(&lower).to_owned()
}
