//! What generated code says of rules is what kube-cel (for CEL) and JSON Schema
//! (for `oneOf` and `anyOf`) say of them.

use crd_codegen::facts::{Schema, Type};
use serde_json::Value;

use crate::oracle::Oracle;
use crate::sample::{Sampler, World, below};

/// True when the value and all that is in it keep their rules.
fn keeps(world: &World, oracle: &mut Oracle, path: &str, schema: &Schema, value: &Value) -> bool {
    let special = world.special(path);
    let effective = world.effective(path, schema, value);
    if !oracle.keeps(&effective, value) {
        return false;
    }
    match (&effective.ty, value) {
        (Type::Object(properties), Value::Object(map)) => {
            let uses = value
                .get("uses")
                .and_then(Value::as_str)
                .unwrap_or_default();
            properties.iter().all(|property| {
                let below = below(path, special.as_ref(), &property.name, uses);
                map.get(&property.name)
                    .is_none_or(|value| keeps(world, oracle, &below, &property.schema, value))
            })
        }
        (Type::Map(inner), Value::Object(map)) => map
            .values()
            .all(|value| keeps(world, oracle, &format!("{path}/values"), inner, value)),
        (Type::List(inner), Value::Array(items)) => items
            .iter()
            .all(|value| keeps(world, oracle, &format!("{path}/items"), inner, value)),
        _ => true,
    }
}

#[test]
fn verdicts_agree_with_kube_cel_and_json_schema() {
    let world = World::load();
    let mut oracle = Oracle::default();
    let (mut kept, mut broken) = (0, 0);
    for name in [
        "Stage",
        "Promotion",
        "PromotionTask",
        "ClusterPromotionTask",
        "ProjectConfig",
    ] {
        for seed in 0..120 {
            let mut sampler = Sampler::new(&world, seed);
            sampler.lawful = false;
            let object = sampler.kind(name);
            let root = &world.facts[name].root;
            let expected = keeps(&world, &mut oracle, name, root, &object);
            let found = kargo_types::check_value(&object).unwrap();
            assert_eq!(
                found.is_empty(),
                expected,
                "{name} of seed {seed}: {found:?}\n{object:#}"
            );
            if expected { kept += 1 } else { broken += 1 }
        }
    }
    assert!(
        kept > 100 && broken > 100,
        "{kept} kept, {broken} broke a rule"
    );
}

/// The proofs in the generated list, one by one.
#[test]
fn every_rule_is_listed_with_how_it_is_held() {
    let by_construction = |rule: &str| {
        let found: Vec<bool> = kargo_types::RULES
            .iter()
            .filter(|fact| fact.rule == rule)
            .map(|fact| fact.by_construction)
            .collect();
        assert!(!found.is_empty(), "{rule} is not listed");
        assert!(found.iter().all(|one| *one == found[0]), "{rule}");
        found[0]
    };
    assert!(by_construction(
        "(has(self.uses) ? !has(self.task) : has(self.task))"
    ));
    assert!(by_construction("has(self.uses) && !has(self.task)"));
    assert!(by_construction("has(self.freight) != has(self.origin)"));
    assert!(by_construction(
        "has(self.stage) ? !has(self.stageSelector) : has(self.stageSelector)"
    ));
    assert!(!by_construction("!has(self.task) || !has(self.retry)"));
    assert!(!by_construction(
        "self.size() <= 1 || self[1] == 'Failed' || self[1] == 'Errored'"
    ));
    let world = World::load();
    let mut rules = 0;
    for facts in world.facts.values() {
        crd_codegen::pointer::walk(facts, &mut |_, schema| {
            for rule in &schema.rules {
                by_construction(&rule.rule);
                rules += 1;
            }
        });
    }
    assert!(rules >= 10, "{rules}");
}
