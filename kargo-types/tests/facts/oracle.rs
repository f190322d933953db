//! Rules judged by others than the generated code: CEL by kube-cel, `oneOf` and
//! its kin by a reading of JSON Schema on plain JSON.

use std::collections::BTreeMap;

use crd_codegen::facts::Schema;
use kube_cel::{KubeCelExt, cel};
use serde_json::Value;

/// Compiled CEL rules, by text.
#[derive(Default)]
pub(crate) struct Oracle {
    programs: BTreeMap<String, cel::Program>,
}

impl Oracle {
    /// True when the value keeps all rules of its schema (not of what is in it).
    pub(crate) fn keeps(&mut self, schema: &Schema, value: &Value) -> bool {
        schema.rules.iter().all(|rule| self.cel(&rule.rule, value))
            && count(&schema.one_of, value).is_none_or(|holding| holding == 1)
            && count(&schema.any_of, value).is_none_or(|holding| holding > 0)
            && schema.all_of.iter().all(|one| holds(one, value))
            && schema.not.as_ref().is_none_or(|not| !holds(not, value))
    }

    fn cel(&mut self, rule: &str, value: &Value) -> bool {
        let program = self
            .programs
            .entry(rule.to_string())
            .or_insert_with(|| cel::Program::compile(rule).unwrap());
        let mut context = cel::Context::default().with_all();
        context.add_variable("self", value).unwrap();
        // An error refuses the object, as it does in the API server.
        matches!(program.execute(&context), Ok(cel::Value::Bool(true)))
    }
}

fn count(alternatives: &[Value], value: &Value) -> Option<usize> {
    (!alternatives.is_empty()).then(|| alternatives.iter().filter(|one| holds(one, value)).count())
}

/// The keywords that alternatives use, on JSON.
fn holds(schema: &Value, value: &Value) -> bool {
    schema
        .as_object()
        .unwrap()
        .iter()
        .all(|(keyword, says)| match keyword.as_str() {
            "required" => says
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => says
                .as_object()
                .unwrap()
                .iter()
                .all(|(name, schema)| value.get(name).is_none_or(|value| holds(schema, value))),
            "enum" => says.as_array().unwrap().contains(value),
            "const" => says == value,
            "minLength" => text_len(value) >= says.as_u64().unwrap(),
            "minItems" => value
                .as_array()
                .is_none_or(|items| items.len() as u64 >= says.as_u64().unwrap()),
            "minProperties" => value
                .as_object()
                .is_none_or(|map| map.len() as u64 >= says.as_u64().unwrap()),
            other => panic!("the oracle does not know `{other}`"),
        })
}

fn text_len(value: &Value) -> u64 {
    value
        .as_str()
        .map_or(u64::MAX, |text| text.chars().count() as u64)
}
