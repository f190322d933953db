//! The pure pipeline from texts to texts, by number of images: no disk, network or
//! process in what is measured.
//!
//! The factories come from `benches/generate.py`, so Python 3 must be here.
//! `cargo bench --bench synth -- read/1000` runs one.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a program that only measures"
)]

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use image_factory::model::{self, InputFile, InputFiles};
use image_factory::pipeline;
use image_factory::synth::{FileSpec, diff};
use image_factory::yaml::{self, Limits};

/// Numbers of images.
const SIZES: [usize; 3] = [100, 1_000, 10_000];

fn factory(images: usize) -> InputFiles {
    let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/generate.py");
    let root = env::temp_dir().join(format!("image-factory-bench-{images}"));
    let _ = fs::remove_dir_all(&root);
    let status = Command::new("python3")
        .args([
            generator.as_os_str(),
            images.to_string().as_ref(),
            root.as_os_str(),
        ])
        .status()
        .unwrap();
    assert!(status.success(), "generate.py failed");
    let inputs = InputFiles {
        enrollment: vec![file(&root, "images.yaml")],
        images: folder(&root, "state/images"),
        bases: folder(&root, "state/base-images"),
        ..InputFiles::default()
    };
    fs::remove_dir_all(&root).unwrap();
    inputs
}

fn file(root: &Path, path: &str) -> InputFile {
    let text = fs::read_to_string(root.join(path)).unwrap();
    InputFile {
        path: path.into(),
        text,
    }
}

fn folder(root: &Path, folder: &str) -> Vec<InputFile> {
    let mut names: Vec<String> = fs::read_dir(root.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
        .iter()
        .map(|name| file(root, &format!("{folder}/{name}")))
        .collect()
}

fn texts(inputs: &InputFiles) -> impl Iterator<Item = &str> {
    let InputFiles {
        enrollment,
        images,
        bases,
        ..
    } = inputs;
    enrollment
        .iter()
        .chain(images)
        .chain(bases)
        .map(|file| file.text.as_str())
}

/// Reading YAML, by the size of its texts.
fn read(group: &mut Group<'_>, id: BenchmarkId, inputs: &InputFiles) {
    let bytes = texts(inputs).map(str::len).sum::<usize>();
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(id, |bencher| {
        bencher.iter(|| {
            for text in texts(inputs) {
                black_box(yaml::read(text, &Limits::default()));
            }
        });
    });
}

/// The checked model of all texts, reading included.
fn load(group: &mut Group<'_>, id: BenchmarkId, inputs: &InputFiles) {
    let (model, found) = model::load(inputs);
    assert!(
        model.is_some() && found.is_empty(),
        "the generated factory is not sound: {found:#?}"
    );
    group.bench_function(id, |bencher| {
        bencher.iter(|| model::load(black_box(inputs)))
    });
}

/// The manifests of all texts: reading, charts, validation, writing YAML.
fn render(group: &mut Group<'_>, id: BenchmarkId, inputs: &InputFiles) {
    let bytes: usize = rendered(inputs).iter().map(|file| file.text.len()).sum();
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(id, |bencher| {
        bencher.iter(|| pipeline::render(black_box(inputs)))
    });
}

/// What one edited rebuildDelay changes, object by object.
fn diff(group: &mut Group<'_>, id: BenchmarkId, inputs: &InputFiles) {
    let old = rendered(inputs)
        .into_iter()
        .map(|file| (file.path, file.text))
        .collect();
    let mut edited = inputs.clone();
    let text = &mut edited.enrollment.first_mut().unwrap().text;
    *text = text.replacen("rebuildDelay: 12h", "rebuildDelay: 36h", 1);
    let new = rendered(&edited);
    assert_eq!(diff::files(&old, &new).len(), 1, "one delay is in one file");
    group.bench_function(id, |bencher| {
        bencher.iter(|| diff::files(black_box(&old), &new))
    });
}

fn rendered(inputs: &InputFiles) -> Vec<FileSpec> {
    let outcome = pipeline::render(inputs);
    assert!(outcome.diagnostics.is_empty(), "{:#?}", outcome.diagnostics);
    outcome.files.unwrap()
}

type Group<'c> = BenchmarkGroup<'c, WallTime>;
type Part = fn(&mut Group<'_>, BenchmarkId, &InputFiles);

fn all(criterion: &mut Criterion) {
    let factories = SIZES.map(|size| (size, factory(size)));
    let parts: [(&str, Part); 4] = [
        ("read", read),
        ("load", load),
        ("render", render),
        ("diff", diff),
    ];
    for (name, part) in parts {
        let mut group = criterion.benchmark_group(name);
        for (size, inputs) in &factories {
            part(&mut group, BenchmarkId::from_parameter(size), inputs);
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = all
}
criterion_main!(benches);
