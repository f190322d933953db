//! What Kargo, its webhooks, the API server or a Promotion at three in the
//! morning would refuse, refused before anything is written.
//!
//! Kargo's admission checks little (unknown steps, missing objects, patterns and
//! expressions all pass), so most of these rules come from reading what its
//! controllers do: akuity/kargo v1.11 and argoproj/argo-rollouts v1.9.
//!
//! [`Kargo`] holds for any Kargo project, of ours or not:
//!
//! ```
//! use image_factory::checks::Kargo;
//! use image_factory::synth::{App, Chart};
//! use kargo_types::{FreightOrigin, RequestedFreight, Stage, StageSpec};
//!
//! let mut chart = Chart::new("shop").namespace("shop");
//! chart.add(Stage::new("test", StageSpec {
//!     requested_freight: vec![RequestedFreight {
//!         origin: FreightOrigin::warehouse("shop"),
//!         ..Default::default()
//!     }],
//!     ..Default::default()
//! }));
//! let mut app = App::new();
//! app.add(chart);
//! app.validator(Kargo);
//! let problems = app.synth().unwrap_err();
//! assert!(problems.iter().any(|p| p.message.contains("no Warehouse `shop`")));
//! ```

mod cycles;
mod expressions;
mod freight;
mod index;
mod loops;
mod metrics;
mod policies;
mod references;
mod schema;
mod steps;
mod subscriptions;
mod verification;

#[cfg(test)]
mod tests;

use crate::synth::{Objects, Problem, Validator};
use index::Index;

pub use loops::NoLoop;

/// One rule: looks at the objects and adds what is wrong.
type Rule = fn(&Index<'_>, &mut Vec<Problem>);

/// All rules that hold for any Kargo project.
const RULES: &[Rule] = &[
    references::check,
    freight::check,
    cycles::check,
    subscriptions::check,
    steps::check,
    verification::check,
    metrics::check,
    policies::check,
];

/// Checks Kargo and Argo Rollouts objects against their schemas, against each
/// other, and against what Kargo only finds out at run time.
///
/// What objects refer to must be part of the same app.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kargo;

impl Validator for Kargo {
    fn check(&self, objects: &Objects<'_>, problems: &mut Vec<Problem>) {
        schema::check(objects, problems);
        let index = Index::of(objects);
        for rule in RULES {
            rule(&index, problems);
        }
    }
}
