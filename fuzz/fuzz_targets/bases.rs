//! Any bytes as a Dockerfile: no panic, every place inside of the file, and every
//! reference that is printed reads as what it was.
#![no_main]

use std::collections::BTreeMap;

use image_factory::diagnostics::Span;
use image_factory::dockerfile::{ImageReference, Options, bases};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    check(file, &BTreeMap::new(), None);
    let given = BTreeMap::from([("A".to_owned(), "alpine".to_owned())]);
    check(file, &given, Some("a"));
});

fn check(file: &[u8], build_args: &BTreeMap<String, String>, target: Option<&str>) {
    let within = |span: Span| assert!(span.start <= span.end && span.end <= file.len(), "{span:?}");
    let lines = file.iter().filter(|byte| **byte == b'\n').count() + 1;
    let found = match bases(file, &Options { build_args, target }) {
        Ok(found) => found,
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                within(fault.span);
                assert!(!fault.message.is_empty());
                assert!(fault.position(file).line <= lines);
            }
            return;
        }
    };
    for stage in &found.stages {
        within(stage.span);
        assert!((1..=lines).contains(&stage.line));
    }
    for one in &found.unresolved {
        within(one.span);
        assert!(one.stage < found.stages.len());
        assert!((1..=lines).contains(&one.line));
    }
    for one in &found.uses {
        within(one.span);
        assert!(one.stage < found.stages.len());
        assert!((1..=lines).contains(&one.line));
        assert_eq!(
            ImageReference::parse(&one.reference).ok().as_ref(),
            Some(&one.image)
        );
        // What was found can be written down, and is found again.
        let plain = format!("FROM {}\n", one.image);
        let again = bases(
            plain.as_bytes(),
            &Options {
                build_args: &BTreeMap::new(),
                target: None,
            },
        );
        let again = again.expect("a canonical reference is one");
        assert_eq!(again.uses.len(), 1);
        assert_eq!(again.uses[0].image.to_string(), one.image.to_string());
    }
}
