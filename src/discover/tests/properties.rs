//! What holds for every factory and every course of events.

use proptest::prelude::*;

use super::*;
use crate::diagnostics::code;
use crate::model;
use crate::tree::Edit;

const NAMES: &[&str] = &["app", "lib", "web", "node"];
const REFERENCES: &[&str] = &[
    "node:22",
    "docker.io/library/node:22",
    "node",
    "node:latest",
    "quay.io/acme/base:1",
    "ghcr.io/acme/base:1",
    "ghcr.io/acme/lib:1",
    "a/b-c:d",
    "a-b/c:d",
    "a/b:c-d",
    "minio/minio:RELEASE.1",
    "node:22@sha256:1111111111111111111111111111111111111111111111111111111111111111",
    "node@sha256:1111111111111111111111111111111111111111111111111111111111111111",
    "[::1]:5000/x:1",
    "scratch",
];

/// What people have to mend: circles, and an entry called like a base image of before.
const EXPECTED: &[Code] = &[code::DEPENDENCY_CYCLE, code::NAME_CLASH];

/// What is enrolled at one time, and what its Dockerfiles say.
#[derive(Clone, Debug)]
enum Entry {
    Gone,
    External,
    Managed(Vec<prop::sample::Index>),
    Fails,
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        1 => Just(Entry::Gone),
        1 => Just(Entry::External),
        4 => prop::collection::vec(any::<prop::sample::Index>(), 1..4).prop_map(Entry::Managed),
        1 => Just(Entry::Fails),
    ]
}

/// One entry a name.
fn moment() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::vec(entry(), NAMES.len())
}

fn at(mut factory: Factory, moment: &[Entry], reversed: bool) -> Factory {
    let mut entries = Vec::new();
    factory.found.clear();
    for (name, entry) in NAMES.iter().zip(moment) {
        match entry {
            Entry::Gone => continue,
            Entry::External => entries.push(external(name)),
            Entry::Fails => {
                entries.push(managed(name));
                factory = factory.fails(name, "no");
            }
            Entry::Managed(uses) => {
                entries.push(managed(name));
                let lines: Vec<String> = uses
                    .iter()
                    .map(|at| format!("FROM {}\n", at.get(REFERENCES)))
                    .collect();
                factory = factory.dockerfile(name, lines.concat());
            }
        }
    }
    if reversed {
        entries.reverse();
    }
    let text = if entries.is_empty() {
        "[]".to_owned()
    } else {
        entries.concat()
    };
    factory.enrollment(&text)
}

/// Puts a mark into every file of state that has none.
fn mark(mut factory: Factory, round: usize) -> Factory {
    let mut edit = Edit::default();
    let inputs = &factory.tree.inputs;
    for file in inputs.images.iter().chain(&inputs.bases) {
        if !file.text.contains("mark: ") {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            edit.write(
                &*file.path,
                format!("{}mark: {round}-{name}-1.10\n", file.text),
            );
        }
    }
    factory.tree = factory.tree.with(&edit);
    factory
}

fn marks(factory: &Factory) -> BTreeSet<String> {
    let inputs = &factory.tree.inputs;
    let files = inputs
        .images
        .iter()
        .chain(&inputs.bases)
        .chain(&factory.tree.archive);
    files
        .flat_map(|file| file.text.lines())
        .filter(|line| line.starts_with("mark: "))
        .map(str::to_owned)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// P1, P6, P13, P14: nothing recorded is ever lost, a second run changes nothing,
    /// each base counts once, and both sides of a dependency say the same.
    #[test]
    fn a_life_of_runs(life in prop::collection::vec(moment(), 1..5)) {
        let mut factory = Factory::default();
        for (round, moment) in life.iter().enumerate() {
            factory = at(factory, moment, false);
            let before = marks(&factory);
            factory = factory.then(NOON);
            prop_assert!(before.is_subset(&marks(&factory)), "lost a file");
            let again = factory.at(LATER);
            prop_assert_eq!(paths(&again), vec![""; 0]);
            let (_, said) = model::load(&factory.tree.inputs);
            let wrong: Vec<_> = said
                .iter()
                .filter(|d| d.is_error() && !EXPECTED.contains(&d.code))
                .collect();
            prop_assert!(wrong.is_empty(), "{:?}", wrong);
            for (name, entry) in NAMES.iter().zip(moment) {
                if matches!(entry, Entry::Gone | Entry::External) {
                    continue;
                }
                let bases = factory.bases(name);
                let once: BTreeSet<&String> = bases.iter().collect();
                prop_assert_eq!(once.len(), bases.len());
                for base in bases {
                    let path = factory.tree.base_path(&base);
                    let line = format!("  - {name}\n");
                    prop_assert!(factory.text(&path).contains(&line));
                }
            }
            factory = mark(factory, round);
        }
    }

    /// The order of images.yaml does not matter, nor whether images are looked at
    /// together or one by one when all have names already.
    #[test]
    fn the_order_does_not_matter(moment in moment()) {
        let one = at(Factory::default(), &moment, false).then(NOON);
        let other = at(Factory::default(), &moment, true).then(NOON);
        prop_assert_eq!(one.state(), other.state());
        for path in one.state() {
            prop_assert_eq!(one.text(&path), other.text(&path));
        }
        for (name, entry) in NAMES.iter().zip(&moment) {
            if !matches!(entry, Entry::Gone) {
                let only = one.clone().only(&[name]);
                prop_assert_eq!(paths(&only.at(LATER)), vec![""; 0]);
            }
        }
    }
}
