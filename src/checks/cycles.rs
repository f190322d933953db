//! Stages that wait for each other in a circle never get any Freight.

use std::collections::BTreeMap;

use super::index::Index;
use crate::diagnostics::code;
use crate::synth::Problem;

/// How far the walk has come with a Stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Open,
    Done,
}

/// Reports each circle once, named in full. The walk keeps its own stack: a
/// chain may be as long as there are Stages.
pub(super) fn check(index: &Index<'_>, problems: &mut Vec<Problem>) {
    let mut marks = BTreeMap::new();
    for key in index.stages.keys() {
        if !marks.contains_key(key) {
            walk(index, *key, &mut marks, problems);
        }
    }
}

fn walk<'a>(
    index: &'a Index<'_>,
    start: (&'a str, &'a str),
    marks: &mut BTreeMap<(&'a str, &'a str), Mark>,
    problems: &mut Vec<Problem>,
) {
    let mut path = vec![(start, upstream(index, start))];
    marks.insert(start, Mark::Open);
    while let Some((key, rest)) = path.last_mut() {
        let key = *key;
        let Some(next) = rest.pop() else {
            marks.insert(key, Mark::Done);
            path.pop();
            continue;
        };
        match marks.get(&next) {
            Some(Mark::Done) => {}
            Some(Mark::Open) => {
                let circle = path
                    .iter()
                    .map(|(key, _)| *key)
                    .skip_while(|key| *key != next);
                let mut names: Vec<&str> = circle.map(|(name, _)| name).collect();
                names.push(next.0);
                problems.extend(problem(index, next, &names));
            }
            None => {
                marks.insert(next, Mark::Open);
                path.push((next, upstream(index, next)));
            }
        }
    }
}

fn problem(index: &Index<'_>, key: (&str, &str), names: &[&str]) -> Option<Problem> {
    let stage = index.stages.get(&key)?;
    let circle = names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" ← ");
    Some(
        stage
            .problem(
                code::STAGE_CYCLE,
                format!("Stages wait for each other in a circle: {circle}"),
            )
            .pointer("/spec/requestedFreight"),
    )
}

/// The Stages that a Stage takes Freight from, as far as they exist.
fn upstream<'a>(index: &'a Index<'_>, key: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    let Some(stage) = index.stages.get(&key) else {
        return Vec::new();
    };
    let requested = stage.get().spec.requested_freight.iter();
    let names = requested.flat_map(|requested| requested.sources.stages.iter().flatten());
    names
        .map(|name| (name.as_str(), key.1))
        .filter(|key| index.stages.contains_key(key))
        .collect()
}
