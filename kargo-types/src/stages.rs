//! Warehouses and Stages without the fields that most of them leave out.

use crate::{
    AutoPromotionOptions, CheckoutRevision, FreightOrigin, FreightSources, GitCheckout,
    GitCloneConfig, GitPushConfig, GitPushTarget, GoDuration, PromotionStep, PromotionTemplate,
    PromotionTemplateSpec, RequestedFreight, SelectionPolicy, StageSpec, Subscription,
    WarehouseSpec,
};

impl WarehouseSpec {
    /// A Warehouse that looks at these repositories this often.
    pub fn of<S: Into<Subscription>>(
        interval: GoDuration,
        subscriptions: impl IntoIterator<Item = S>,
    ) -> WarehouseSpec {
        WarehouseSpec {
            interval,
            subscriptions: subscriptions.into_iter().map(Into::into).collect(),
            ..WarehouseSpec::default()
        }
    }
}

impl RequestedFreight {
    /// Freight straight from its Warehouse.
    pub fn direct(warehouse: impl Into<String>) -> RequestedFreight {
        RequestedFreight {
            origin: FreightOrigin::warehouse(warehouse),
            sources: FreightSources {
                direct: Some(true),
                ..FreightSources::default()
            },
        }
    }

    /// Freight of a Warehouse that has passed a Stage.
    pub fn after(warehouse: impl Into<String>, stage: impl Into<String>) -> RequestedFreight {
        RequestedFreight {
            origin: FreightOrigin::warehouse(warehouse),
            sources: FreightSources {
                stages: Some(vec![stage.into()]),
                ..FreightSources::default()
            },
        }
    }

    /// Only once it has stayed there this long. The Stage then takes what its
    /// upstream holds now (`MatchUpstream`): Kargo's two notions of soak disagree
    /// otherwise as soon as Stages with different soaks share an upstream, and the
    /// Stage wedges.
    #[must_use]
    pub fn soaking(mut self, time: GoDuration) -> RequestedFreight {
        self.sources.required_soak_time = Some(time);
        self.sources.auto_promotion_options = Some(AutoPromotionOptions {
            selection_policy: Some(SelectionPolicy::MatchUpstream),
        });
        self
    }
}

impl PromotionTemplate {
    /// A promotion of these steps.
    pub fn of(steps: impl IntoIterator<Item = PromotionStep>) -> PromotionTemplate {
        PromotionTemplate {
            spec: PromotionTemplateSpec {
                steps: Some(steps.into_iter().collect()),
                vars: None,
            },
        }
    }
}

impl StageSpec {
    /// A Stage that takes this Freight and promotes it by these steps.
    pub fn of(
        freight: impl IntoIterator<Item = RequestedFreight>,
        steps: impl IntoIterator<Item = PromotionStep>,
    ) -> StageSpec {
        StageSpec {
            requested_freight: freight.into_iter().collect(),
            promotion_template: Some(PromotionTemplate::of(steps)),
            ..StageSpec::default()
        }
    }
}

impl GitCloneConfig {
    /// A clone of one branch of a repository, at this path.
    pub fn branch(
        repository: impl Into<String>,
        branch: impl Into<String>,
        path: impl Into<String>,
    ) -> GitCloneConfig {
        GitCloneConfig {
            repo_url: repository.into(),
            checkout: vec![GitCheckout {
                revision: Some(CheckoutRevision::Branch(branch.into())),
                path: path.into(),
                ..GitCheckout::default()
            }],
            ..GitCloneConfig::default()
        }
    }
}

impl GitPushConfig {
    /// A push of what is checked out at this path to this branch.
    pub fn branch(path: impl Into<String>, branch: impl Into<String>) -> GitPushConfig {
        GitPushConfig {
            path: path.into(),
            target: Some(GitPushTarget::TargetBranch(branch.into())),
            ..GitPushConfig::default()
        }
    }
}
