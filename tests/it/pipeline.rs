//! From texts in memory to texts in memory: what this file can call without a
//! disk, a clock or an environment has none. (The fourth guard of the import
//! rules; ARCHITECTURE.md.)

use std::collections::BTreeSet;
use std::sync::Arc;

use image_factory::model::{InputFile, InputFiles};
use image_factory::pipeline;
use image_factory::synth::FileSpec;

const IMAGES: &str = "\
settings:
  git: {repo: https://git.example.com/acme/factory}
images:
  - name: shop-api
    registry: ghcr.io
    repository: acme/shop-api
    source: {repo: acme/shop, dockerfile: api/Dockerfile}
  - name: postgres
    registry: docker.io
    repository: library/postgres
    allowTags: ^16-alpine$
";

const SHOP_API: &str = "\
name: shop-api
enrolledAt: \"2026-03-02T08:00:00Z\"
discoveryStatus: success
baseImages: [golang-1.24-alpine, static-debian12]
";

fn base(name: &str, image: &str, tag: &str) -> InputFile {
    let text = format!(
        "name: {name}\nfullImage: {image}:{tag}\nregistry: docker.io\nrepository: library/{image}\n\
         tag: \"{tag}\"\nrepoURL: docker.io/library/{image}\nallowTags: ^{}$\n\
         imageSelectionStrategy: Lexical\ndependentImages: [shop-api]\n",
        tag.replace('.', "\\."),
    );
    input(&format!("state/base-images/{name}.yaml"), &text)
}

fn input(path: &str, text: &str) -> InputFile {
    InputFile {
        path: Arc::from(path),
        text: text.to_owned(),
    }
}

fn inputs() -> InputFiles {
    InputFiles {
        enrollment: vec![input("images.yaml", IMAGES)],
        images: vec![input("state/images/shop-api.yaml", SHOP_API)],
        bases: vec![
            base("golang-1.24-alpine", "golang", "1.24-alpine"),
            base("static-debian12", "static", "debian12"),
        ],
        ..InputFiles::default()
    }
}

fn rendered(inputs: &InputFiles) -> Vec<FileSpec> {
    let outcome = pipeline::render(inputs);
    let errors = outcome.diagnostics.iter().filter(|one| one.is_error());
    assert_eq!(errors.collect::<Vec<_>>(), [] as [&_; 0]);
    outcome.files.unwrap()
}

fn texts(files: Vec<FileSpec>) -> Vec<(String, String)> {
    files.into_iter().map(|f| (f.path, f.text)).collect()
}

#[test]
fn each_image_and_each_base_has_its_warehouse() {
    let files = rendered(&inputs());
    let documents = files.iter().flat_map(|file| &file.documents);
    let warehouses: BTreeSet<&str> = documents
        .filter(|document| document.id.kind == "Warehouse")
        .map(|document| document.id.name.as_str())
        .collect();
    let expected = [
        "golang-1.24-alpine",
        "postgres",
        "shop-api",
        "static-debian12",
    ];
    assert_eq!(warehouses, BTreeSet::from(expected));
}

#[test]
fn the_order_in_which_files_come_changes_no_byte() {
    let mut other = inputs();
    other.bases.reverse();
    let files = texts(rendered(&inputs()));
    assert!(files.iter().any(|(path, _)| path == "kustomization.yaml"));
    assert_eq!(files, texts(rendered(&other)));
}

#[test]
fn an_error_leaves_nothing_to_write() {
    let mut broken = inputs();
    broken.enrollment[0].text += "    rebuildDelay: 7 dogs\n";
    let outcome = pipeline::render(&broken);
    assert!(outcome.files.is_none());
    let places: Vec<&str> = outcome
        .diagnostics
        .iter()
        .filter_map(|one| one.place.as_ref().map(|place| &*place.file))
        .collect();
    assert!(places.contains(&"images.yaml"), "{:?}", outcome.diagnostics);
}
