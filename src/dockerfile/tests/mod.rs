//! Dockerfiles and what they are built on, case by case.
//!
//! A case is its name, its options, the file, and what is expected of it. Options
//! are build arguments, `NAME=value`, and `target:STAGE`. Expected are, by `; `:
//!
//! - `2 from node:22`: line, kind and reference; `-` in front if it is not reachable;
//! - `2 ? V`: a reference on line 2 depends on V, which has no value;
//! - `! 2 word`: refused on line 2, with this word in the message.
#![allow(clippy::string_slice, reason = "a test fails by panicking")]

mod arguments;
mod instructions;
mod limits;
mod lines;
mod places;
mod properties;
mod references;
mod stages;

use std::collections::BTreeMap;

use super::*;

type Case = (&'static str, &'static str, &'static str, &'static str);

fn build_args(options: &str) -> BTreeMap<String, String> {
    let pairs = options
        .split_whitespace()
        .filter_map(|word| word.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn read(bytes: &[u8], options: &str) -> Result<Bases, Vec<Fault>> {
    let build_args = build_args(options);
    let target = options
        .split_whitespace()
        .find_map(|word| word.strip_prefix("target:"));
    let options = Options {
        build_args: &build_args,
        target,
    };
    bases(bytes, &options)
}

/// The bases as cases write them.
fn shown(bases: &Bases) -> String {
    let mut parts: Vec<(Span, String)> = Vec::new();
    let unreached = |reachable: bool| if reachable { "" } else { "-" };
    for one in &bases.uses {
        let text = format!(
            "{}{} {} {}",
            unreached(one.reachable),
            one.line,
            one.kind.as_str(),
            one.reference
        );
        parts.push((one.span, text));
    }
    for one in &bases.unresolved {
        let text = format!(
            "{}{} ? {}",
            unreached(one.reachable),
            one.line,
            one.variable
        );
        parts.push((one.span, text));
    }
    parts.sort_by_key(|(span, _)| span.start);
    parts
        .into_iter()
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join("; ")
}

fn check_bytes(name: &str, options: &str, bytes: &[u8], expected: &str) -> Result<(), String> {
    let found = read(bytes, options);
    let Some(refused) = expected.strip_prefix("! ") else {
        let found = match found {
            Ok(bases) => shown(&bases),
            Err(faults) => format!("{faults:?}"),
        };
        return match found == expected {
            true => Ok(()),
            false => Err(format!("{name}: {found}\n    expected: {expected}")),
        };
    };
    let (line, word) = refused.split_once(' ').unwrap();
    match found {
        Ok(bases) => Err(format!("{name}: taken: {}", shown(&bases))),
        Err(faults) => {
            let at: usize = line.parse().unwrap();
            let fits =
                |fault: &Fault| fault.position(bytes).line == at && fault.message.contains(word);
            match faults.iter().any(fits) {
                true => Ok(()),
                false => Err(format!("{name}: {faults:?}\n    expected: {expected}")),
            }
        }
    }
}

/// Runs cases, telling of all that fail.
fn check(cases: &[Case]) {
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|(name, options, text, expected)| {
            check_bytes(name, options, text.as_bytes(), expected).err()
        })
        .collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
    let mut names: Vec<&str> = cases.iter().map(|case| case.0).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
}
