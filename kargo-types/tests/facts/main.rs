//! Holds the generated types against the facts they were generated from.
#![allow(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test, helpers included"
)]

mod golden;
mod oracle;
mod round_trip;
mod rules;
mod sample;
mod scalars;
mod schema;
mod wrong;

#[path = "../../types.rs"]
mod types;

use kargo_types::{Decode, Validate};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Calls `$call!(Kind)` for every kind.
macro_rules! every_kind {
    ($call:ident) => {
        $call!(AnalysisRun);
        $call!(AnalysisTemplate);
        $call!(ClusterAnalysisTemplate);
        $call!(ClusterPromotionTask);
        $call!(Freight);
        $call!(Project);
        $call!(ProjectConfig);
        $call!(Promotion);
        $call!(PromotionTask);
        $call!(Stage);
        $call!(Warehouse);
    };
}
pub(crate) use every_kind;

/// What every kind is.
pub(crate) trait Kind:
    Serialize + DeserializeOwned + Decode + Validate + kube::Resource<DynamicType = ()>
{
}
impl<T> Kind for T where
    T: Serialize + DeserializeOwned + Decode + Validate + kube::Resource<DynamicType = ()>
{
}

#[test]
fn the_list_of_kinds_is_that_of_the_facts() {
    let mut listed = Vec::new();
    macro_rules! list {
        ($kind:ident) => {
            listed.push(stringify!($kind).to_string());
        };
    }
    every_kind!(list);
    let world = sample::World::load();
    let mut kinds: Vec<String> = world
        .facts
        .values()
        .filter(|facts| facts.resource.is_some())
        .map(|facts| facts.name.clone())
        .collect();
    kinds.sort();
    assert_eq!(listed, kinds);
}
