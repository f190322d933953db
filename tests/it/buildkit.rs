//! `dockerfile` against what BuildKit itself says.
//!
//! The truths come from `tests/e2e/buildkit`, a program around BuildKit's own
//! packages. Those of the samples and of a few generated files are kept in
//! `tests/dockerfiles`; `tests/e2e/buildkit.sh` makes many thousands more, and
//! runs the last test of this file on them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use image_factory::dockerfile::{Bases, Fault, Options, bases};
use serde::Deserialize;

/// What BuildKit says to a file; the fields are explained in truth.go.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Truth {
    id: String,
    #[serde(default)]
    dockerfile: String,
    #[serde(default)]
    build_args: BTreeMap<String, String>,
    target: Option<String>,
    verdict: Verdict,
    #[serde(default)]
    message: String,
    /// More than a missing value may be wrong.
    #[serde(default)]
    doubt: bool,
    uses: Vec<Use>,
    stages: Vec<Stage>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Unset,
    Refused,
    Dispatch,
    Error,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Use {
    reference: String,
    canonical: String,
    kind: String,
    first: usize,
    last: usize,
    stage: usize,
    reachable: bool,
    /// An ONBUILD names it, in an earlier stage than the one that fires it.
    #[serde(default)]
    fired: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    unset: Vec<String>,
    #[serde(default)]
    blank: bool,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Stage {
    name: Option<String>,
    line: usize,
    reachable: bool,
}

/// Where we knowingly answer otherwise; everything else is a disagreement.
/// The big run fails when no case needs a row any more.
const DEPARTURES: &[(&str, &str)] = &[
    (
        "unset",
        "BuildKit expands a variable without value to nothing, and pulls or refuses what is left; we name the variable, and go on",
    ),
    (
        "dispatch",
        "BuildKit refuses an instruction when it carries it out, with the environment that the base image gives; we do not carry it out",
    ),
];

#[derive(Default)]
struct Tally {
    cases: usize,
    agreed: usize,
    departed: BTreeMap<&'static str, usize>,
    verdicts: BTreeMap<Verdict, usize>,
    disagreements: Vec<String>,
}

impl Tally {
    fn take(&mut self, truth: &Truth, file: &[u8]) {
        self.cases += 1;
        *self.verdicts.entry(truth.verdict).or_default() += 1;
        match compare(truth, file) {
            Ok(None) => self.agreed += 1,
            Ok(Some(departure)) => *self.departed.entry(departure).or_default() += 1,
            Err(why) => {
                let mut text = format!("--- {}", truth.id);
                if let Some(target) = &truth.target {
                    let _ = write!(text, ", target {target:?}");
                }
                if !truth.build_args.is_empty() {
                    let _ = write!(text, ", build arguments {:?}", truth.build_args);
                }
                let shown: String = String::from_utf8_lossy(file).chars().take(1000).collect();
                let _ = write!(text, "\n{why}\n{shown:?}\n");
                self.disagreements.push(text);
            }
        }
    }

    fn report(&self) {
        eprintln!(
            "{} cases: {} agreed, {:?} known departures, {} disagreements; BuildKit's verdicts: {:?}",
            self.cases,
            self.agreed,
            self.departed,
            self.disagreements.len(),
            self.verdicts
        );
    }

    /// The simplest of the files are the ones to look at.
    fn shortest(&self, count: usize) -> String {
        let mut all: Vec<_> = self.disagreements.iter().map(String::as_str).collect();
        all.sort_by_key(|one| one.len());
        all.truncate(count);
        all.concat()
    }

    fn assert(&self) {
        assert!(self.cases > 0, "no cases");
        assert!(
            self.disagreements.is_empty(),
            "{} of {} disagree with BuildKit:\n{}",
            self.disagreements.len(),
            self.cases,
            self.shortest(20)
        );
    }
}

/// The departure that explains the difference, if there is one that does.
/// BuildKit takes two of Docker Hub's hosts for registries of their own; we know that
/// the same images are there.
fn one_hub(canonical: &str) -> String {
    let hosts = ["registry-1.docker.io/", "registry.hub.docker.com/"];
    match hosts.iter().find_map(|host| canonical.strip_prefix(host)) {
        Some(rest) if rest.contains('/') => format!("docker.io/{rest}"),
        Some(rest) => format!("docker.io/library/{rest}"),
        None => canonical.to_owned(),
    }
}

fn compare(truth: &Truth, file: &[u8]) -> Result<Option<&'static str>, String> {
    let options = Options {
        build_args: &truth.build_args,
        target: truth.target.as_deref(),
    };
    let ours = bases(file, &options);
    if let Err(faults) = &ours {
        sound(faults, file)?;
    }
    match (truth.verdict, ours) {
        (Verdict::Error, _) => Err(format!("the truth contradicts itself: {}", truth.message)),
        (Verdict::Refused, Err(_)) => Ok(None),
        (Verdict::Dispatch, Err(_)) => Ok(None),
        (Verdict::Refused, Ok(ours)) => Err(format!(
            "BuildKit refuses: {}\nwe say {ours:?}",
            truth.message
        )),
        (Verdict::Unset, Err(_)) if truth.doubt => Ok(None),
        (verdict, Err(faults)) => Err(format!(
            "BuildKit: {verdict:?} {}\nwe refuse: {:?}",
            truth.message,
            faults.iter().map(|one| &one.message).collect::<Vec<_>>()
        )),
        (verdict, Ok(ours)) => {
            let departed = same(truth, &ours, file)?;
            Ok(match verdict {
                Verdict::Dispatch => Some("dispatch"),
                _ if departed => Some("unset"),
                _ => None,
            })
        }
    }
}

/// Faults point into the file and say something.
fn sound(faults: &[Fault], file: &[u8]) -> Result<(), String> {
    if faults.is_empty() {
        return Err("refused without a reason".to_owned());
    }
    for fault in faults {
        if fault.message.is_empty()
            || fault.span.start > fault.span.end
            || fault.span.end > file.len()
        {
            return Err(format!("no good fault: {fault:?}"));
        }
    }
    Ok(())
}

/// Do both find the same? Says whether a variable without value was the reason
/// for a difference.
fn same(truth: &Truth, ours: &Bases, file: &[u8]) -> Result<bool, String> {
    let stages: Vec<Stage> = ours
        .stages
        .iter()
        .map(|one| Stage {
            name: one.name.clone(),
            line: one.line,
            reachable: one.reachable,
        })
        .collect();
    if stages != truth.stages {
        return Err(format!(
            "BuildKit's stages: {:?}\nours: {stages:?}",
            truth.stages
        ));
    }
    let mut found: Vec<_> = ours.uses.iter().collect();
    let mut unresolved: Vec<_> = ours.unresolved.iter().collect();
    for one in &found {
        if one.span.start >= one.span.end || one.span.end > file.len() {
            return Err(format!("no good span: {one:?}"));
        }
    }
    let mut missing = Vec::new();
    let mut departed = false;
    for wanted in &truth.uses {
        if let Some(at) = found.iter().position(|one| {
            one.reference == wanted.reference
                && one.image.to_string() == one_hub(&wanted.canonical)
                && one.kind.as_str() == wanted.kind
                && (wanted.first..=wanted.last).contains(&one.line)
                && one.stage == wanted.stage
                && (one.reachable == wanted.reachable || wanted.optional)
                && !wanted.blank
        }) {
            found.remove(at);
        } else if !wanted.unset.is_empty()
            && unresolved.iter().any(|one| {
                wanted.unset.contains(&one.variable)
                    && one.kind.as_str() == wanted.kind
                    && one.line == wanted.first
                    && one.stage == wanted.stage
                    && one.reachable == wanted.reachable
            })
        {
            unresolved.retain(|one| one.line != wanted.first);
            departed = true;
        } else if !wanted.optional {
            missing.push(format!(
                "{} {:?} = {:?} on line {} of stage {}{}{}{}",
                wanted.kind,
                wanted.reference,
                wanted.canonical,
                wanted.first,
                wanted.stage,
                if wanted.reachable { ", reachable" } else { "" },
                if wanted.fired { ", fired" } else { "" },
                if wanted.unset.is_empty() {
                    String::new()
                } else {
                    format!(", without value: {:?}", wanted.unset)
                },
            ));
        }
    }
    if missing.is_empty() && found.is_empty() && unresolved.is_empty() {
        return Ok(departed);
    }
    Err(format!(
        "only BuildKit has: {missing:#?}\nonly we have: {found:?} {unresolved:?}"
    ))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dockerfiles")
}

fn truths(file: &Path) -> Vec<Truth> {
    fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Base64, as Go's JSON writes bytes.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut value) = (0, 0_u32);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => panic!("no base64: {text}"),
        };
        value = (value << 6 | u32::from(six)) & 0x3f_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((value >> bits & 0xff) as u8);
        }
    }
    bytes
}

#[test]
fn samples_are_read_as_buildkit_reads_them() {
    let mut tally = Tally::default();
    for truth in truths(&folder().join("truth.jsonl")) {
        let file = fs::read(folder().join("samples").join(&truth.id)).unwrap();
        tally.take(&truth, &file);
    }
    let files = fs::read_dir(folder().join("samples")).unwrap();
    let samples = files
        .filter(|one| one.as_ref().unwrap().path().extension().is_none())
        .count();
    assert_eq!(
        tally.cases, samples,
        "tests/dockerfiles/truth.jsonl is stale"
    );
    tally.assert();
}

#[test]
fn generated_files_are_read_as_buildkit_reads_them() {
    let mut tally = Tally::default();
    for truth in truths(&folder().join("generated.jsonl")) {
        tally.take(&truth, &decode(&truth.dockerfile));
    }
    tally.assert();
}

/// `IMAGE_FACTORY_TRUTHS=FILE cargo test --test it buildkit -- --ignored`
#[test]
#[ignore = "needs truths of tests/e2e/buildkit.sh"]
fn truths_in_a_file_hold() {
    let file = std::env::var_os("IMAGE_FACTORY_TRUTHS").expect("IMAGE_FACTORY_TRUTHS names a file");
    let mut tally = Tally::default();
    for truth in truths(Path::new(&file)) {
        tally.take(&truth, &decode(&truth.dockerfile));
    }
    tally.report();
    tally.assert();
    if tally.cases > 10_000 {
        for (row, why) in DEPARTURES {
            assert!(
                tally.departed.contains_key(row),
                "no case needs the departure {row:?} any more: {why}"
            );
        }
    }
}
