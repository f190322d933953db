//! Decisions for people.

use super::Plan;

/// A table. Images about which nothing is to be done are counted, or with `all` have a
/// line each.
#[must_use]
pub fn human(plan: &Plan, all: bool) -> String {
    let _ = (plan, all);
    String::new()
}
