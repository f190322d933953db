//! Typed Kargo and Argo Rollouts API objects, generated at build time from the
//! facts of their CRDs in `schemas/`.
//!
//! ```
//! use kargo_types::{ImageSelectionStrategy, ImageSubscription, Validate, Warehouse, WarehouseSpec};
//!
//! let image = ImageSubscription {
//!     repo_url: "docker.io/library/node".to_string(),
//!     image_selection_strategy: Some(ImageSelectionStrategy::Digest),
//!     constraint: Some("22-bookworm-slim".to_string()),
//!     ..Default::default()
//! };
//! let warehouse = Warehouse::new(
//!     "node-22-bookworm-slim",
//!     WarehouseSpec {
//!         interval: "24h".parse()?,
//!         subscriptions: vec![image.into()],
//!         ..Default::default()
//!     },
//! );
//! assert_eq!(warehouse.validate(), []);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A step, with one of several options that exclude each other:
//!
//! ```
//! use kargo_types::{CheckoutRevision, GitCheckout, GitCloneConfig, PromotionStep, Validate};
//!
//! let clone = GitCloneConfig {
//!     repo_url: "https://github.com/example/app".into(),
//!     checkout: vec![GitCheckout {
//!         path: "./src".into(),
//!         revision: Some(CheckoutRevision::Branch("main".into())),
//!         ..Default::default()
//!     }],
//!     ..Default::default()
//! };
//! let step = PromotionStep::uses(clone).named("clone").only_if("vars.active == 'yes'");
//! assert_eq!(step.validate(), []);
//! ```
//!
//! A misspelt step option does not compile:
//!
//! ```compile_fail,E0560
//! let _ = kargo_types::GitClearConfig { pth: "./src".to_string() };
//! ```
//!
//! - [`Validate::validate`] finds what the types do not hold by construction.
//! - [`check_value`] checks JSON of any of these kinds, unknown keys included.
//! - [`RULES`] lists every CEL rule and says which the types hold by construction.

mod generated {
    #![allow(
        clippy::all,
        clippy::indexing_slicing,
        reason = "the generator's output"
    )]
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}
mod stages;
mod steps;

pub use generated::runtime::{
    At, Decode, Expr, GoDuration, GoDurationError, OrExpr, Quantity, QuantityError, RuleFact,
    Validate, Violation, is_expression,
};
pub use generated::*;
