//! Nothing is lost on the way from YAML to a struct and back.

use kargo_types::Validate;
use serde_json::Value;

use crate::Kind;
use crate::sample::{Sampler, World};

const EACH: u64 = 60;

fn check<T: Kind>(name: &str) {
    let world = World::load();
    for seed in 0..EACH {
        let given = Sampler::new(&world, seed).kind(name);
        let yaml = serde_yaml::to_string(&given).unwrap();
        let typed: T = serde_yaml::from_str(&yaml)
            .unwrap_or_else(|error| panic!("{name} of seed {seed}: {error}\n{yaml}"));
        let back = serde_yaml::to_string(&typed).unwrap();
        let back: Value = serde_yaml::from_str(&back).unwrap();
        assert_eq!(back, given, "{name} of seed {seed}");
        assert_eq!(
            Validate::validate(&typed),
            [],
            "{name} of seed {seed}\n{yaml}"
        );
        assert_eq!(
            kargo_types::check_value(&given),
            Some(Vec::new()),
            "{name} of seed {seed}"
        );
        assert_eq!(T::kind(&()), name);
        assert_eq!(given["apiVersion"], T::api_version(&()).as_ref());
    }
}

#[test]
fn random_instances_survive_yaml_to_struct_to_yaml() {
    macro_rules! each {
        ($kind:ident) => {
            check::<kargo_types::$kind>(stringify!($kind));
        };
    }
    crate::every_kind!(each);
}

/// Every step occurs in the samples, so that each one's options are covered.
#[test]
fn samples_hold_every_step_and_every_subscription() {
    let world = World::load();
    let mut text = String::new();
    for seed in 0..EACH {
        text.push_str(&Sampler::new(&world, seed).kind("Stage").to_string());
        text.push_str(&Sampler::new(&world, seed).kind("PromotionTask").to_string());
        text.push_str(&Sampler::new(&world, seed).kind("Promotion").to_string());
        text.push_str(&Sampler::new(&world, seed).kind("Warehouse").to_string());
    }
    for (step, _) in crate::types::STEPS {
        assert!(text.contains(&format!("\"uses\":\"{step}\"")), "{step}");
    }
    for (key, _) in crate::types::SUBSCRIPTIONS {
        assert!(text.contains(&format!("{{\"{key}\":{{")), "{key}");
    }
}
