//! Promotion policies: each matches a Stage, and each Stage that asks to be
//! promoted is. The first policy that matches a Stage decides, so a typing error
//! in a selector shows as a Stage that stands still.

use kargo_types::{PolicyStages, ProjectConfig, PromotionPolicy, PromotionPolicySelector, Stage};
use regex::bytes::Regex;

use super::freight::is_control_flow;
use super::index::{Index, Typed};
use crate::diagnostics::code;
use crate::model::{Parse, Pattern};
use crate::names;
use crate::synth::Problem;

pub(super) fn check(index: &Index<'_>, problems: &mut Vec<Problem>) {
    for config in index.configs.values() {
        policies(index, config, problems);
    }
}

fn policies(index: &Index<'_>, config: &Typed<'_, ProjectConfig>, problems: &mut Vec<Problem>) {
    let policies = config
        .get()
        .spec
        .promotion_policies
        .as_deref()
        .unwrap_or_default();
    let mut selectors = Vec::new();
    for (at, policy) in policies.iter().enumerate() {
        let pointer = format!("/spec/promotionPolicies/{at}");
        match Selector::of(policy) {
            Ok(selector) => selectors.push((pointer, policy, selector, false)),
            Err(message) => {
                problems.push(
                    config
                        .problem(code::POLICY_INVALID, message)
                        .pointer(pointer),
                );
                return;
            }
        }
    }
    let namespace = config.object.namespace().unwrap_or_default();
    for ((name, _), stage) in index.stages.iter().filter(|((_, of), _)| *of == namespace) {
        let decides = selectors
            .iter_mut()
            .find(|(_, _, selector, _)| selector.matches(name, stage));
        let promoted = decides.is_some_and(|(_, policy, _, used)| {
            *used = true;
            policy.auto_promotion_enabled == Some(true)
        });
        let labels = stage.get().metadata.labels.as_ref();
        let asks = labels
            .and_then(|labels| labels.get(names::AUTO_PROMOTE))
            .is_some();
        if asks && (!promoted || is_control_flow(&stage.get().spec)) {
            let message =
                "the Stage asks to be promoted by itself, but no promotion policy does that";
            problems.push(
                stage
                    .problem(code::POLICY_INVALID, message)
                    .pointer("/metadata/labels"),
            );
        }
    }
    for (pointer, _, _, _) in selectors.iter().filter(|(_, _, _, used)| !used) {
        let message = "the policy decides about no Stage: none matches, or an earlier policy does";
        problems.push(
            config
                .problem(code::POLICY_INVALID, message)
                .pointer(pointer),
        );
    }
}

/// Which Stages a policy is for.
struct Selector<'a> {
    name: Name<'a>,
    labels: Option<&'a PromotionPolicySelector>,
}

enum Name<'a> {
    Any,
    Exactly(&'a str),
    Matches(Regex),
}

impl<'a> Selector<'a> {
    fn of(policy: &'a PromotionPolicy) -> Result<Selector<'a>, String> {
        match &policy.stages {
            PolicyStages::Stage(name) => Ok(Selector {
                name: Name::Exactly(name),
                labels: None,
            }),
            PolicyStages::StageSelector(selector) => {
                let name = match selector.name.as_deref() {
                    None | Some("") => Name::Any,
                    Some(name) => Name::of(name)?,
                };
                Ok(Selector {
                    name,
                    labels: Some(selector),
                })
            }
        }
    }

    fn matches(&self, name: &str, stage: &Typed<'_, Stage>) -> bool {
        let named = match &self.name {
            Name::Any => true,
            Name::Exactly(exactly) => *exactly == name,
            Name::Matches(regex) => regex.is_match(name.as_bytes()),
        };
        named
            && self
                .labels
                .is_none_or(|selector| has_labels(selector, stage.get()))
    }
}

impl<'a> Name<'a> {
    /// `pkg/pattern/matcher.go`: no prefix is the name itself.
    fn of(text: &'a str) -> Result<Name<'a>, String> {
        let regex = match text.split_once(':') {
            None => return Ok(Name::Exactly(text)),
            Some(("regex" | "regexp", pattern)) => {
                Pattern::parse(pattern)
                    .map_err(|invalid| format!("the pattern `{pattern}` {}", invalid.why))?;
                pattern.to_owned()
            }
            Some(("glob", pattern)) => glob(pattern),
            Some((prefix, _)) => return Err(format!("`{prefix}:` is no kind of pattern")),
        };
        Regex::new(&format!("(?-u){regex}"))
            .map(Name::Matches)
            .map_err(|_| format!("the pattern `{text}` cannot be read"))
    }
}

/// A glob over names of Stages, which hold no `/`, as a regular expression.
fn glob(pattern: &str) -> String {
    let mut regex = String::from("^");
    let mut depth = 0_u32;
    for c in pattern.chars() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '{' => {
                depth += 1;
                regex.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                regex.push(')');
            }
            ',' if depth > 0 => regex.push('|'),
            '[' | ']' | '-' | '^' => regex.push(c),
            c if c.is_ascii_alphanumeric() => regex.push(c),
            c => {
                regex.push('\\');
                regex.push(c);
            }
        }
    }
    regex.push('$');
    regex
}

fn has_labels(selector: &PromotionPolicySelector, stage: &Stage) -> bool {
    let value = |key: &str| {
        stage
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(key))
    };
    let equal = selector
        .match_labels
        .iter()
        .flatten()
        .all(|(key, want)| value(key) == Some(want));
    equal
        && selector
            .match_expressions
            .iter()
            .flatten()
            .all(|requirement| {
                let has = value(&requirement.key);
                let among =
                    || has.is_some_and(|has| requirement.values.iter().flatten().any(|v| v == has));
                match requirement.operator.as_str() {
                    "In" => among(),
                    "NotIn" => !among(),
                    "Exists" => has.is_some(),
                    "DoesNotExist" => has.is_none(),
                    _ => false,
                }
            })
}
