//! A chart: objects that belong together, and by default one file of them.

use std::sync::Arc;

use kube::Resource;
use serde::Serialize;
use serde_json::Value;

use super::include;
use super::object::{ApiObject, Defaults, ObjectRef};
use super::patch::Patch;
use super::problem::Problem;
use crate::diagnostics::{Place, code};

/// Objects that belong together.
pub struct Chart {
    pub(super) name: Arc<str>,
    pub(super) defaults: Defaults,
    pub(super) objects: Vec<ApiObject>,
    /// `(after, before)`, of any charts.
    pub(super) edges: Vec<(ObjectRef, ObjectRef)>,
    /// What went wrong while the chart was built; [`App::synth`](super::App::synth) tells.
    pub(super) problems: Vec<Problem>,
    cluster_kinds: Vec<(String, String)>,
}

impl Chart {
    /// An empty chart. Its name is unique in the app and names its file:
    /// `shop` is written to `shop.k8s.yaml`.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            defaults: Defaults::default(),
            objects: Vec::new(),
            edges: Vec::new(),
            problems: Vec::new(),
            cluster_kinds: Vec::new(),
        }
    }

    /// The namespace of all objects that name none and belong to one.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.defaults.namespace = Some(namespace.into());
        self.inherit_all()
    }

    /// A label for all objects that do not have it.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.defaults.labels.insert(key.into(), value.into());
        self.inherit_all()
    }

    /// An annotation for all objects that do not have it.
    #[must_use]
    pub fn annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.defaults.annotations.insert(key.into(), value.into());
        self.inherit_all()
    }

    /// Says that objects of this kind belong to the cluster. Only needed for untyped
    /// and included objects of kinds that Kubernetes and Kargo do not bring.
    #[must_use]
    pub fn cluster_kind(mut self, group: impl Into<String>, kind: impl Into<String>) -> Self {
        self.cluster_kinds.push((group.into(), kind.into()));
        self
    }

    /// The chart's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds an object of any type that Kubernetes knows.
    pub fn add<T>(&mut self, object: T) -> ObjectRef
    where
        T: Resource<DynamicType = ()> + Serialize + 'static,
    {
        let object = ApiObject::typed(self.name.clone(), object);
        self.push(object)
    }

    /// Adds an object that has no type here.
    ///
    /// # Errors
    /// Without `apiVersion`, `kind` or `metadata` it is no object.
    pub fn add_untyped(&mut self, object: Value) -> Result<ObjectRef, Box<Problem>> {
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let missing = |key: &str| {
            let message = format!("an object in chart `{}` has no {key}", self.name);
            Box::new(Problem::new(code::OBJECT_INCOMPLETE, message).pointer(format!("/{key}")))
        };
        let api_version = text("apiVersion").ok_or_else(|| missing("apiVersion"))?;
        let kind = text("kind").ok_or_else(|| missing("kind"))?;
        if !object.get("metadata").is_some_and(Value::is_object) {
            return Err(missing("metadata"));
        }
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let cluster = is_cluster_kind(group, &kind)
            || self
                .cluster_kinds
                .iter()
                .any(|(g, k)| g == group && *k == kind);
        let object = ApiObject::untyped(self.name.clone(), api_version, kind, cluster, object);
        Ok(self.push(object))
    }

    /// Adds the objects of a YAML text of any number of documents; a `List` gives
    /// its items. They get the chart's namespace, labels and annotations like all.
    /// Plain scalars mean what they mean to `kubectl`: `0644` is 420, `yes` is true.
    ///
    /// # Errors
    /// All that is wrong with the text; nothing is added then.
    pub fn include(&mut self, yaml: &str) -> Result<Vec<ObjectRef>, Vec<Problem>> {
        let values = include::objects(yaml)?;
        let before = self.objects.len();
        let (added, problems): (Vec<_>, Vec<_>) = values
            .into_iter()
            .map(|value| self.add_untyped(value))
            .partition(Result::is_ok);
        if problems.is_empty() {
            return Ok(added.into_iter().flatten().collect());
        }
        self.objects.truncate(before);
        Err(problems
            .into_iter()
            .filter_map(Result::err)
            .map(|problem| *problem)
            .collect())
    }

    /// Changes an object of this chart. What cannot be applied is reported by
    /// [`App::synth`](super::App::synth).
    pub fn patch(&mut self, object: ObjectRef, patch: Patch) {
        let Some(target) = self.get_mut(object) else {
            let message = format!(
                "a patch in chart `{}` is meant for an object of another",
                self.name
            );
            self.problems
                .push(Problem::new(code::PATCH_FAILED, message));
            return;
        };
        if let Err(error) = target.patch(&patch) {
            let problem = Problem::new(code::PATCH_FAILED, error.message)
                .object(target.id())
                .origin(target.origin().cloned())
                .pointer(error.pointer);
            self.problems.push(problem);
        }
    }

    /// Writes `after` behind `before`. Both may be of any chart of the app; across
    /// charts, the whole chart of `after` comes behind that of `before`.
    pub fn depends(&mut self, after: ObjectRef, before: ObjectRef) {
        self.edges.push((after, before));
    }

    /// Notes where in the input an object comes from, for messages about it.
    pub fn origin(&mut self, object: ObjectRef, place: Place) {
        if let Some(target) = self.get_mut(object) {
            target.set_origin(place);
        }
    }

    /// The objects in the order they were added.
    pub fn objects(&self) -> impl Iterator<Item = &ApiObject> {
        self.objects.iter()
    }

    pub(super) fn key(&self) -> u64 {
        super::name::fnv(self.name.as_bytes())
    }

    fn get_mut(&mut self, object: ObjectRef) -> Option<&mut ApiObject> {
        if object.chart != self.key() {
            return None;
        }
        self.objects.get_mut(object.index)
    }

    fn push(&mut self, mut object: ApiObject) -> ObjectRef {
        object.inherit(&self.defaults);
        let index = self.objects.len();
        self.objects.push(object);
        ObjectRef {
            chart: self.key(),
            index,
        }
    }

    fn inherit_all(mut self) -> Self {
        for object in &mut self.objects {
            object.inherit(&self.defaults);
        }
        self
    }
}

/// The kinds of Kubernetes 1.33, Kargo 1.11 and Argo Rollouts 1.9 that belong to no
/// namespace, for objects without a type that would say so.
fn is_cluster_kind(group: &str, kind: &str) -> bool {
    let kinds: &[&str] = match group {
        "" => &["Namespace", "Node", "PersistentVolume"],
        "admissionregistration.k8s.io" => &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
        "apiextensions.k8s.io" => &["CustomResourceDefinition"],
        "apiregistration.k8s.io" => &["APIService"],
        "certificates.k8s.io" => &["CertificateSigningRequest", "ClusterTrustBundle"],
        "flowcontrol.apiserver.k8s.io" => &["FlowSchema", "PriorityLevelConfiguration"],
        "networking.k8s.io" => &["IngressClass", "IPAddress", "ServiceCIDR"],
        "node.k8s.io" => &["RuntimeClass"],
        "rbac.authorization.k8s.io" => &["ClusterRole", "ClusterRoleBinding"],
        "resource.k8s.io" => &["DeviceClass", "ResourceSlice"],
        "scheduling.k8s.io" => &["PriorityClass"],
        "storage.k8s.io" => &[
            "CSIDriver",
            "CSINode",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
        "kargo.akuity.io" => &["ClusterConfig", "ClusterPromotionTask", "Project"],
        "argoproj.io" => &["ClusterAnalysisTemplate"],
        _ => &[],
    };
    kinds.contains(&kind)
}
