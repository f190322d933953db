//! The annotations by which Argo CD applies things in order.

use std::collections::BTreeMap;

/// Options for how Argo CD syncs one object.
pub(super) const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";

/// The namespace comes first: the Project adopts it.
pub(super) const NAMESPACE: &str = "-3";
/// Kargo refuses what arrives in a namespace that is no Project's yet.
pub(super) const PROJECT: &str = "-2";
/// What Stages refer to. Warehouses and Stages are in wave 0, which needs no
/// annotation.
pub(super) const CONFIG: &str = "-1";

/// The annotations of an object of this wave.
pub(super) fn wave(wave: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(SYNC_WAVE.to_owned(), wave.to_owned())])
}
