//! The import rules: which module may use which, and where effects live.
//!
//! ARCHITECTURE.md shows the same table and says why. A module that is missing
//! here fails the test: adding one is a decision about its layer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What one module of `src/` may use.
struct Module {
    name: &'static str,
    /// Sibling modules it may name.
    imports: &'static [&'static str],
    /// Whether it may name the crates of typed Kubernetes objects.
    kubernetes: bool,
    /// Whether it may have effects: files, environment, processes, clock.
    shell: bool,
}

const fn pure(name: &'static str, imports: &'static [&'static str]) -> Module {
    Module {
        name,
        imports,
        kubernetes: false,
        shell: false,
    }
}

const fn manifests(name: &'static str, imports: &'static [&'static str]) -> Module {
    Module {
        name,
        imports,
        kubernetes: true,
        shell: false,
    }
}

const fn shell(name: &'static str, imports: &'static [&'static str]) -> Module {
    Module {
        name,
        imports,
        kubernetes: false,
        shell: true,
    }
}

const CORE: &[&str] = &[
    "charts",
    "checks",
    "diagnostics",
    "model",
    "names",
    "synth",
    "template",
    "yaml",
];

/// What stands above the manifests: they, and the tree they come from and go to.
const RENDERS: &[&str] = &[
    "charts",
    "checks",
    "diagnostics",
    "model",
    "names",
    "synth",
    "template",
    "tree",
    "yaml",
];

const MODULES: &[Module] = &[
    // 0: values
    pure("diagnostics", &[]),
    pure("template", &[]),
    // 1: what files say
    pure("yaml", &["diagnostics"]),
    pure("model", &["diagnostics", "yaml"]),
    pure("dockerfile", &["diagnostics"]),
    // 2: a factory's folder as texts, and changes to it
    pure("tree", &["model"]),
    // 2: state files as documents
    pure("state", &["diagnostics", "model", "yaml"]),
    // 3: which image is built on which
    pure("graph", &["diagnostics", "model"]),
    // 3: edits of images.yaml
    pure("enroll", &["diagnostics", "model", "tree", "yaml"]),
    // 2: manifests in general; knows no image
    manifests("synth", &["diagnostics", "yaml"]),
    // 3: what happens to state
    pure("record", &["diagnostics", "model", "state", "tree"]),
    pure(
        "discover",
        &["diagnostics", "dockerfile", "model", "state", "tree"],
    ),
    // 4: when what is rebuilt, and what is sent for it
    pure("plan", &["diagnostics", "model", "record", "state", "tree"]),
    // 4: what is tracked, and how it stands
    pure(
        "status",
        &[
            "diagnostics",
            "graph",
            "model",
            "plan",
            "record",
            "state",
            "tree",
        ],
    ),
    // 4: our manifests; what they are called, and what is in them
    pure("names", &["synth"]),
    // 4: workflows that people take into their repositories
    pure("workflows", &["model", "names", "template", "yaml"]),
    manifests("charts", CORE),
    manifests("checks", CORE),
    // 5: texts in, texts out
    pure("pipeline", RENDERS),
    // 6: effects
    shell("workspace", RENDERS),
    shell(
        "cli",
        &[
            "charts",
            "checks",
            "diagnostics",
            "graph",
            "model",
            "names",
            "pipeline",
            "synth",
            "template",
            "tree",
            "workspace",
            "yaml",
        ],
    ),
];

const KUBERNETES_CRATES: &[&str] = &["k8s_openapi", "kargo_types", "kube"];

/// Crates that have no place under `synth`: async runtimes, HTTP clients, TLS.
const FORBIDDEN_CRATES: &[&str] = &[
    "async-std",
    "curl",
    "hyper",
    "isahc",
    "native-tls",
    "openssl",
    "openssl-sys",
    "reqwest",
    "ring",
    "rustls",
    "smol",
    "tokio",
    "ureq",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A source file of the library: the path of its module and its code.
struct Source {
    file: String,
    /// `["yaml", "emit"]` for `src/yaml/emit.rs`.
    module: Vec<String>,
    code: String,
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    rust_files(&root().join("src"), &mut paths);
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let relative = path
            .strip_prefix(root().join("src"))
            .unwrap()
            .with_extension("");
        let mut module: Vec<String> = relative
            .iter()
            .map(|part| part.to_str().unwrap().to_owned())
            .collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        // The binary and the list of modules stand outside the layers, and
        // tests may look at whatever they need.
        if module[0] == "bin" || module == ["lib"] || module.iter().any(|part| part == "tests") {
            continue;
        }
        sources.push(Source {
            file: format!("src/{}.rs", relative.display()),
            module,
            code: without_comments_and_tests(&fs::read_to_string(&path).unwrap()),
        });
    }
    assert!(!sources.is_empty(), "no sources below {}", root().display());
    sources
}

/// The code without line comments (docs link to anything) and without the
/// inline test module at its end.
fn without_comments_and_tests(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        if line.starts_with("mod tests {") {
            break;
        }
        let line = if line.trim_start().starts_with("//") {
            ""
        } else {
            line.split(" // ").next().unwrap()
        };
        code.push_str(line);
        code.push('\n');
    }
    code
}

/// The sibling modules that `code`, which stands in `module`, names by
/// `crate::…` or by as many `super::` as lead to the crate.
fn siblings(module: &[String], code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let to_root = "super::".repeat(module.len());
    for prefix in ["crate::", to_root.as_str()] {
        for (at, _) in code.match_indices(prefix) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            first_segments(&code[at + prefix.len()..], &mut found);
        }
    }
    found.remove(&module[0]);
    found
}

/// The first path segment, or those of a group: `{a, b::{c, d}}` has a and b.
fn first_segments(rest: &str, found: &mut BTreeSet<String>) {
    let word = |text: &str| -> String {
        text.trim_start()
            .trim_start_matches("r#")
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '*')
            .collect()
    };
    let Some(group) = rest.strip_prefix('{') else {
        found.insert(word(rest));
        return;
    };
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                let name = word(&group[start..at]);
                if !name.is_empty() {
                    found.insert(name);
                }
                if c == '}' {
                    return;
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

fn names_crate(code: &str, name: &str) -> bool {
    [format!("{name}::"), format!("use {name}")]
        .iter()
        .any(|path| {
            code.match_indices(path.as_str()).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                let after = code[at + path.len()..].chars().next();
                let inside = |c: char| c.is_alphanumeric() || c == '_';
                // `synth::kube::…` would be a module of ours.
                !before.is_some_and(|c| inside(c) || c == ':')
                    && (path.ends_with(':') || !after.is_some_and(inside))
            })
        })
}

fn row(source: &Source) -> Option<&'static Module> {
    MODULES
        .iter()
        .find(|module| module.name == source.module[0])
}

#[test]
fn modules_use_only_what_their_layer_may() {
    let mut faults = Vec::new();
    for source in sources() {
        let Some(row) = row(&source) else {
            faults.push(format!(
                "{}: the table has no module {}",
                source.file, source.module[0]
            ));
            continue;
        };
        for sibling in siblings(&source.module, &source.code) {
            if !row.imports.contains(&sibling.as_str()) {
                faults.push(format!(
                    "{}: {} may not use {sibling}",
                    source.file, row.name
                ));
            }
        }
        for name in KUBERNETES_CRATES {
            if !row.kubernetes && names_crate(&source.code, name) {
                faults.push(format!(
                    "{}: {} may not use the crate {name}",
                    source.file, row.name
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn only_the_shell_switches_the_fence_against_effects_off() {
    let mut faults = Vec::new();
    for source in sources() {
        let fence = ["clippy::disallowed_methods", "clippy::disallowed_types"];
        let off = fence.iter().any(|lint| source.code.contains(lint));
        if off && !row(&source).is_some_and(|row| row.shell) {
            faults.push(source.file);
        }
    }
    let mut paths = Vec::new();
    rust_files(&root().join("kargo-types/src"), &mut paths);
    for path in paths {
        if fs::read_to_string(&path)
            .unwrap()
            .contains("clippy::disallowed_")
        {
            faults.push(path.display().to_string());
        }
    }
    assert!(
        faults.is_empty(),
        "only modules of the shell may have effects: {faults:?}"
    );
}

#[test]
fn layers_have_no_cycle() {
    // A module may use what stands above it in the table, so that a reader can
    // take the modules in its order; charts and checks see each other's types.
    let peers = [["charts", "checks"], ["checks", "charts"]];
    for (at, module) in MODULES.iter().enumerate() {
        for import in module.imports {
            let known = MODULES.iter().position(|other| other.name == *import);
            let earlier = known.is_some_and(|other| other < at);
            let peer = peers.contains(&[module.name, import]) || *import == module.name;
            assert!(
                earlier || peer,
                "{} uses {import}, which comes after it",
                module.name
            );
        }
    }
}

/// Name and version of each package of the lock file, with the names of what
/// it depends on. Read by hand: it needs no network, unlike `cargo metadata`
/// with dependencies, which wants the sources for every platform.
fn lock_file() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for block in text.split("[[package]]").skip(1) {
        let name = block
            .split("name = \"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let listed = block.split("dependencies = [").nth(1).unwrap_or("");
        let dependencies = listed.split('"').skip(1).step_by(2);
        // `name`, or `name version` where several versions are in use.
        let names = dependencies.map(|entry| entry.split(' ').next().unwrap().to_owned());
        packages.entry(name.to_owned()).or_default().extend(names);
    }
    packages
}

/// The packages that a workspace member names as normal dependencies.
fn normal_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut members = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let normal = package["dependencies"].as_array().unwrap().iter();
        let names = normal
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap().to_owned());
        members.insert(
            package["name"].as_str().unwrap().to_owned(),
            names.collect(),
        );
    }
    members
}

#[test]
fn synth_stands_on_no_async_runtime_http_client_or_tls() {
    let (members, locked) = (normal_dependencies(), lock_file());
    let mut reached: BTreeMap<String, String> = BTreeMap::new();
    let mut open = vec![("image-factory".to_owned(), String::new())];
    while let Some((name, through)) = open.pop() {
        let path = format!("{through}/{name}");
        let next = members.get(&name).or_else(|| locked.get(&name));
        let next = next.unwrap_or_else(|| panic!("{name} is not in Cargo.lock"));
        if reached.contains_key(&name) {
            continue;
        }
        open.extend(next.iter().map(|name| (name.clone(), path.clone())));
        reached.insert(name, path);
    }
    assert!(
        reached.contains_key("serde"),
        "the walk went wrong: {reached:?}"
    );
    for name in FORBIDDEN_CRATES {
        assert!(
            !reached.contains_key(*name),
            "{} is under synth",
            reached[*name]
        );
    }
}

#[test]
fn paths_are_found_in_code() {
    let module = ["yaml".to_owned(), "emit".to_owned()];
    let code = without_comments_and_tests(
        "use crate::{diagnostics::{Span, Place}, names as n};\n\
         // crate::comment\n\
         use super::super::graph; // crate::trailing\n\
         fn f() { crate::model::load(crate::yaml::read(x)); mycrate::no(); }\n\
         #[cfg(test)]\n\
         mod tests {\n    use crate::cli;\n}\n",
    );
    let found: Vec<String> = siblings(&module, &code).into_iter().collect();
    assert_eq!(found, ["diagnostics", "graph", "model", "names"]);
    assert!(names_crate("use kube::Resource;", "kube"));
    assert!(names_crate("fn f(x: kube::Client) {}", "kube"));
    assert!(!names_crate(
        "use kubernetes::X; let a = crate::kube::y;",
        "kube"
    ));
}
