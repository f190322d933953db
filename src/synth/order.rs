//! The order of objects and charts: dependencies first, then kinds, then names.
//!
//! The order is total, and by kind and name before anything else, so adding or
//! removing an object moves no other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::object::ApiObject;

/// Kinds in the order in which a cluster can take them; others come behind, by
/// name. Groups are left out: kinds of one name are alike enough.
const KINDS: [&str; 44] = [
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "Project",
    "ProjectConfig",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Service",
    "ClusterAnalysisTemplate",
    "AnalysisTemplate",
    "ClusterPromotionTask",
    "PromotionTask",
    "Warehouse",
    "Freight",
    "Stage",
    "Promotion",
    "AnalysisRun",
    "DaemonSet",
    "Pod",
    "ReplicaSet",
    "Deployment",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "AppProject",
    "Application",
];

type Key<'a> = (usize, &'a str, &'a str, &'a str, &'a str);

/// Rank of a kind; kinds without one come last.
fn rank(kind: &str) -> usize {
    KINDS
        .iter()
        .position(|known| *known == kind)
        .unwrap_or(KINDS.len())
}

fn key(object: &ApiObject, rank: usize) -> Key<'_> {
    (
        rank,
        object.kind(),
        object.namespace().unwrap_or_default(),
        object.name(),
        object.api_version(),
    )
}

/// The objects in order of kind and name.
pub(super) fn by_kind<'a>(objects: impl Iterator<Item = (usize, &'a ApiObject)>) -> Vec<usize> {
    // Objects of one kind mostly follow each other.
    let mut last = ("", rank(""));
    let mut keyed: Vec<(Key<'a>, usize)> = objects
        .map(|(index, object)| {
            if object.kind() != last.0 {
                last = (object.kind(), rank(object.kind()));
            }
            (key(object, last.1), index)
        })
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, index)| index).collect()
}

/// Moves what others depend on in front of them and changes nothing else: of all
/// that may come next, the first in the given order comes next.
///
/// # Errors
/// One circle, each behind the one it depends on; its first is its last as well.
pub(super) fn by_dependency(
    order: Vec<usize>,
    edges: &BTreeSet<(usize, usize)>,
) -> Result<Vec<usize>, Vec<usize>> {
    if edges.is_empty() {
        return Ok(order);
    }
    let place: BTreeMap<usize, usize> = order
        .iter()
        .enumerate()
        .map(|(at, index)| (*index, at))
        .collect();
    let mut waits: BTreeMap<usize, usize> = BTreeMap::new();
    let mut frees: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (after, before) in edges {
        *waits.entry(*after).or_default() += 1;
        frees.entry(*before).or_default().push(*after);
    }
    let at = |index: usize| Reverse((place.get(&index).copied().unwrap_or(usize::MAX), index));
    let mut ready: BinaryHeap<_> = order
        .iter()
        .filter(|index| !waits.contains_key(index))
        .map(|index| at(*index))
        .collect();
    let mut sorted = Vec::with_capacity(order.len());
    while let Some(Reverse((_, index))) = ready.pop() {
        sorted.push(index);
        for after in frees.get(&index).into_iter().flatten() {
            if let Some(count) = waits.get_mut(after) {
                *count -= 1;
                if *count == 0 {
                    waits.remove(after);
                    ready.push(at(*after));
                }
            }
        }
    }
    if waits.is_empty() {
        Ok(sorted)
    } else {
        Err(circle(edges, &waits))
    }
}

/// Every one that still waits waits for another that does, so following them
/// comes round.
fn circle(edges: &BTreeSet<(usize, usize)>, waits: &BTreeMap<usize, usize>) -> Vec<usize> {
    let mut path: Vec<usize> = Vec::new();
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    let mut next = waits.keys().next().copied();
    while let Some(index) = next {
        if let Some(at) = seen.insert(index, path.len()) {
            path.push(index);
            return path.split_off(at);
        }
        path.push(index);
        next = edges
            .range((index, 0)..=(index, usize::MAX))
            .map(|(_, before)| *before)
            .find(|before| waits.contains_key(before));
    }
    path
}
