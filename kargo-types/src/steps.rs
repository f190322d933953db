//! Steps without the fields that most of them leave out.

use crate::{
    BuiltinStep, Expr, FreightOrigin, FreightOriginKind, GoDuration, PromotionStep,
    PromotionTaskKind, PromotionTaskReference, StepAction, StepRetry, TaskStep, Variable,
};

impl FreightOrigin {
    /// The Warehouse of this name.
    pub fn warehouse(name: impl Into<String>) -> FreightOrigin {
        FreightOrigin {
            kind: FreightOriginKind::Warehouse,
            name: name.into(),
        }
    }
}

impl Variable {
    /// A variable with its value, which may hold expressions.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Variable {
        Variable {
            name: name.into(),
            value: Some(value.into()),
        }
    }
}

impl PromotionStep {
    /// A built-in step, from its configuration.
    pub fn uses(step: impl Into<BuiltinStep>) -> PromotionStep {
        PromotionStep::of(StepAction::Uses(step.into()))
    }

    /// A step that stands for the steps of a PromotionTask of this name.
    pub fn task(name: impl Into<String>) -> PromotionStep {
        PromotionStep::of(StepAction::Task(PromotionTaskReference {
            kind: Some(PromotionTaskKind::PromotionTask),
            name: name.into(),
        }))
    }

    fn of(action: StepAction) -> PromotionStep {
        PromotionStep {
            action,
            r#as: None,
            continue_on_error: None,
            r#if: None,
            retry: None,
            vars: None,
        }
    }
}

impl TaskStep {
    /// A built-in step, from its configuration.
    pub fn uses(step: impl Into<BuiltinStep>) -> TaskStep {
        TaskStep {
            action: step.into(),
            r#as: None,
            continue_on_error: None,
            r#if: None,
            retry: None,
            vars: None,
        }
    }
}

/// What both kinds of steps can be given.
macro_rules! options {
    ($($step:ty),*) => {
        $(
            impl $step {
                /// The alias under which later steps find the outputs.
                #[must_use]
                pub fn named(mut self, alias: impl Into<String>) -> Self {
                    self.r#as = Some(alias.into());
                    self
                }

                /// Only run when the expression (without its `${{ }}`) is true.
                #[must_use]
                pub fn only_if(mut self, condition: &str) -> Self {
                    self.r#if = Some(Expr::of(condition).as_str().to_string());
                    self
                }

                /// Gives up after this time, or this many failures in a row.
                #[must_use]
                pub fn retry(mut self, timeout: Option<GoDuration>, error_threshold: Option<i32>) -> Self {
                    self.retry = Some(StepRetry { timeout, error_threshold });
                    self
                }

                /// A variable for this step only.
                #[must_use]
                pub fn var(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
                    self.vars.get_or_insert_default().push(Variable::new(name, value));
                    self
                }
            }
        )*
    };
}
options!(PromotionStep, TaskStep);
