//! The factory of this repository: its images.yaml and state/.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use image_factory::graph::{self, Graph, View};
use image_factory::model::{self, InputFile, InputFiles};
use image_factory::pipeline;

/// One file of the repository as a text.
fn file(path: &str) -> InputFile {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    InputFile {
        path: Arc::from(path),
        text,
    }
}

/// The files of a folder of the repository, in the order of their names.
fn folder(path: &str) -> Vec<InputFile> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
        .iter()
        .map(|name| file(&format!("{path}/{name}")))
        .collect()
}

/// Everything that `synth` reads of this repository.
fn inputs() -> InputFiles {
    InputFiles {
        enrollment: vec![file("images.yaml")],
        images: folder("state/images"),
        bases: folder("state/base-images"),
        ..InputFiles::default()
    }
}

#[test]
fn images_yaml_and_state_agree_and_nothing_is_wrong_with_them() {
    let inputs = inputs();
    let (model, diagnostics) = model::load(&inputs);
    assert_eq!(diagnostics, []);
    let model = model.unwrap();
    let managed: Vec<(&str, Vec<&str>)> = model
        .managed()
        .map(|(image, _)| {
            let bases = model.bases_of(image).map(|base| base.name.as_str());
            (image.name.as_str(), bases.collect())
        })
        .collect();
    assert_eq!(
        managed,
        [
            ("backstage", vec!["node-22-bookworm-slim"]),
            ("uv-service", vec!["python-3.12-slim"]),
        ]
    );
    let external: Vec<&str> = model.external().map(|image| image.name.as_str()).collect();
    assert_eq!(external, ["postgres", "redis"]);
    assert_eq!(model.image_states.len(), inputs.images.len());
    assert_eq!(model.bases.len(), inputs.bases.len());
}

#[test]
fn dist_is_what_they_say() {
    let rendered = pipeline::render(&inputs()).files.unwrap();
    let mut rendered: Vec<(String, String)> = rendered
        .into_iter()
        .map(|spec| (format!("dist/{}", spec.path), spec.text))
        .collect();
    rendered.sort();
    let stored = folder("dist");
    let stored = stored
        .into_iter()
        .map(|file| (file.path.to_string(), file.text));
    assert!(
        rendered == stored.collect::<Vec<_>>(),
        "dist/ is out of date; write it with: cargo run --bin synth"
    );
}

#[test]
fn the_graph_in_docs_is_theirs() {
    let model = model::load(&inputs()).0.unwrap();
    let graph = Graph::of(&model);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (page, picture) = (root.join("docs/graph.md"), root.join("docs/graph.svg"));
    let document = fs::read_to_string(&page).unwrap();
    let view = View {
        about: None,
        verbose: false,
        when: &|_| String::new(),
    };
    let mut updated = document.clone();
    for (fence, text) in [
        ("```mermaid\n", graph::mermaid(&graph)),
        (
            "```text\n$ image-factory graph\n",
            graph::human(&graph, &view),
        ),
    ] {
        let (before, rest) = updated.split_once(fence).unwrap();
        let (_, after) = rest.split_once("```\n").unwrap();
        updated = format!("{before}{fence}{text}```\n{after}");
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&page, &updated).unwrap();
        fs::write(&picture, graph::svg(&graph)).unwrap();
        return;
    }
    let help = "is old: run the tests with UPDATE_GOLDEN=1";
    assert!(updated == document, "docs/graph.md {help}");
    assert!(
        fs::read_to_string(&picture).unwrap() == graph::svg(&graph),
        "docs/graph.svg {help}"
    );
}
