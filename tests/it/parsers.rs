//! `dockerfile` against a published parser, over the samples: every difference
//! has an explanation, and an explanation without a difference is stale.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use image_factory::dockerfile::{Options, UseKind, bases};
use parse_dockerfile::{Flag, Instruction};

/// Samples on which parse-dockerfile says otherwise, and who is right. It reads
/// a text; what BuildKit does with stages and values is not its business.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "byte-order-mark",
        "takes UTF-8 only; BuildKit takes any bytes in a RUN",
    ),
    (
        "heredocs",
        "misses a here-document behind another word of RUN; BuildKit sees it",
    ),
    (
        "onbuild-unfired",
        "lists what an ONBUILD names; no stage of the file fires this one",
    ),
    (
        "platforms",
        "takes a variable for an image; with its value it is a stage",
    ),
    (
        "quotes",
        "leaves quotes in the words; BuildKit takes them away",
    ),
    (
        "refused-capital",
        "does not look into references; BuildKit refuses a capital letter in a name",
    ),
    (
        "refused-later-stage",
        "does not know stages; BuildKit refuses one that comes later",
    ),
    (
        "refused-own-stage",
        "does not know stages; BuildKit refuses a stage that copies from itself",
    ),
    (
        "refused-variable-in-copy",
        "does not mind a variable in --from; BuildKit refuses it",
    ),
    (
        "stage-for-each-architecture",
        "takes a variable for an image; with its value it is a stage",
    ),
];

/// A place that names an image: what it is, and its text where no variable
/// or escape is in it.
type Named = (UseKind, Option<String>);

fn ours(file: &[u8]) -> Result<Vec<Named>, String> {
    let options = Options {
        build_args: &BTreeMap::new(),
        target: None,
    };
    let found = bases(file, &options).map_err(|faults| faults[0].message.clone())?;
    let mut all = BTreeMap::new();
    for one in &found.uses {
        let written = &file[one.span.start..one.span.end];
        let plain = !written.contains(&b'$');
        all.insert(
            one.span.start,
            (one.kind, plain.then(|| one.reference.clone())),
        );
    }
    for one in &found.unresolved {
        all.insert(one.span.start, (one.kind, None));
    }
    Ok(all.into_values().collect())
}

fn theirs(file: &[u8]) -> Result<Vec<Named>, String> {
    let text = std::str::from_utf8(file).map_err(|_| "no UTF-8".to_owned())?;
    let read = parse_dockerfile::parse(text).map_err(|error| error.to_string())?;
    let mut named = Vec::new();
    let mut stages = BTreeSet::from(["scratch".to_owned()]);
    let mut add = |kind, text: &str, stages: &BTreeSet<String>| {
        if !stages.contains(&text.to_lowercase())
            && (kind != UseKind::Copy || text.parse::<usize>().is_err())
        {
            named.push((kind, (!text.contains('$')).then(|| text.to_owned())));
        }
    };
    for instruction in &read.instructions {
        let instruction = match instruction {
            Instruction::Onbuild(onbuild) => &*onbuild.instruction,
            other => other,
        };
        match instruction {
            Instruction::From(from) => {
                add(UseKind::From, &from.image.value, &stages);
                if let Some((_, name)) = &from.as_ {
                    stages.insert(name.value.to_lowercase());
                }
            }
            Instruction::Copy(copy) => {
                for value in values(&copy.options, "from") {
                    add(UseKind::Copy, &value, &stages);
                }
            }
            Instruction::Run(run) => {
                for value in values(&run.options, "mount") {
                    for from in value
                        .split(',')
                        .filter_map(|pair| pair.strip_prefix("from="))
                    {
                        add(UseKind::Mount, from, &stages);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(named)
}

fn values(flags: &[Flag<'_>], name: &str) -> Vec<String> {
    flags
        .iter()
        .filter(|flag| flag.name.value == name)
        .filter_map(|flag| flag.value.as_ref().map(|value| value.value.to_string()))
        .collect()
}

#[test]
fn differences_from_parse_dockerfile_are_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dockerfiles/samples");
    let explained: BTreeMap<_, _> = DIFFERENCES.iter().copied().collect();
    assert_eq!(
        explained.len(),
        DIFFERENCES.len(),
        "a sample is explained twice"
    );
    let mut stale: BTreeSet<&str> = explained.keys().copied().collect();
    let mut unexplained = String::new();
    let mut agreed = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some() {
            continue;
        }
        let file = fs::read(&path).unwrap();
        let (ours, theirs) = (ours(&file), theirs(&file));
        let same = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            (Err(_), Err(_)) => true,
            _ => false,
        };
        if same {
            agreed += 1;
        } else if !stale.remove(name.as_str()) {
            unexplained += &format!("{name}\n  ours:   {ours:?}\n  theirs: {theirs:?}\n");
        }
    }
    assert!(unexplained.is_empty(), "not explained:\n{unexplained}");
    assert!(
        stale.is_empty(),
        "explained, and no difference any more: {stale:?}"
    );
    assert!(agreed > 40, "only {agreed} samples agree");
}
