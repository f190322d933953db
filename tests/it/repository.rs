//! What the files around the code say of each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files in a folder of the repository whose names end so.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = paths
        .filter(|path| path.to_str().unwrap().ends_with(ending))
        .collect();
    found.sort();
    found
}

/// The targets of `[text](target)`, code blocks left out.
fn links(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, part) in markdown.split("```").enumerate() {
        if index % 2 == 0 {
            let targets = part.split("](").skip(1);
            found.extend(targets.map(|rest| rest.split([')', ' ']).next().unwrap().to_owned()));
        }
    }
    found
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut seen = 0;
    for folder in ["", "docs", "kargo-types", "kargo-types/codegen"] {
        for document in files(folder, ".md") {
            for link in links(&read(&document)) {
                if link.starts_with("http") || link.starts_with('#') {
                    continue;
                }
                seen += 1;
                let path = link.split('#').next().unwrap();
                let target = document.parent().unwrap().join(path);
                assert!(target.exists(), "{}: no {link}", document.display());
            }
        }
    }
    assert!(seen > 0, "no links found");
}

#[test]
fn tasks_and_workflows_call_steps_that_exist() {
    let script = read(".ci/run");
    let list = script
        .split("STEPS=(")
        .nth(1)
        .unwrap()
        .split("\n)")
        .next()
        .unwrap();
    let steps: BTreeSet<&str> = list
        .split('"')
        .skip(1)
        .step_by(2)
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert!(steps.contains("readme-synth"), "{steps:?}");
    for step in &steps {
        let function = format!("step_{}()", step.replace('-', "_"));
        assert!(script.contains(&function), ".ci/run has no {function}");
    }

    let mut callers = files(".github/workflows", ".yml");
    callers.extend([root().join("Taskfile.yaml"), root().join("CONTRIBUTING.md")]);
    let mut seen = 0;
    for caller in callers {
        let text = read(&caller);
        for line in text.lines() {
            let Some((before, call)) = line.split_once(".ci/run ") else {
                continue;
            };
            // A call, and no sentence about it.
            if !["", "cmd:", "run:", "- run:"].contains(&before.trim()) {
                continue;
            }
            let words = call.split('#').next().unwrap().split_whitespace();
            for word in words.filter(|word| !word.starts_with(['{', '-'])) {
                seen += 1;
                let file = caller.display();
                assert!(steps.contains(word), "{file}: .ci/run has no step {word}");
            }
        }
    }
    assert!(seen > 10, "{seen} calls found");
}

#[test]
fn what_the_readme_calls_first_is_what_ci_runs_first() {
    let readme = read("README.md");
    let block = readme.split("```sh\n").nth(1).unwrap();
    let commands: Vec<&str> = block.split("```").next().unwrap().lines().collect();
    let script = read(".ci/run");
    for (command, step) in commands
        .iter()
        .zip(["step_readme_synth", "step_readme_test"])
    {
        assert!(
            script.contains(&format!("{step}() {{ {command}; }}")),
            "{command}"
        );
    }
    assert_eq!(commands, ["cargo run --bin synth", "cargo test"]);
}

#[test]
fn the_secrets_that_are_named_by_default_are_documented() {
    let schema: serde_json::Value = serde_json::from_str(&read("images.schema.json")).unwrap();
    let document = read("docs/secrets.md");
    let secrets = schema["definitions"]["Secrets"]["properties"]
        .as_object()
        .unwrap();
    for (setting, property) in secrets {
        let name = property["default"].as_str().unwrap();
        let row = format!("| `{name}` (`settings.secrets.{setting}`) |");
        assert!(document.contains(&row), "docs/secrets.md lacks {row}");
    }
    assert!(!secrets.is_empty());
}
