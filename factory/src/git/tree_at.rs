//! The texts of a factory's folder as a commit has them, whatever stands on the disk.

use std::collections::{BTreeMap, BTreeSet};

use image_factory::diagnostics::{Diagnostic, Place, Span, code};
use image_factory::model::{InputFile, InputFiles};
use image_factory::tree::{Group, Tree};

use super::checkout::Checkout;
use super::listing::{self, Kind};
use super::program::Trouble;

/// As for files on the disk.
const ENROLLMENT_LIMIT: u64 = 16 << 20;
const STATE_LIMIT: u64 = 1 << 20;
const OUT_LIMIT: u64 = 1 << 30;
/// Files lie in the out folder and one folder below.
const OUT_PARTS: usize = 3;

/// Why there is no tree.
#[derive(Debug)]
pub(super) enum NoTree {
    Git(Trouble),
    /// What in the commit cannot be read.
    Files(Vec<Diagnostic>),
}

impl From<Trouble> for NoTree {
    fn from(trouble: Trouble) -> Self {
        Self::Git(trouble)
    }
}

/// Reads what stands at a commit in the places that `places` names.
pub(super) fn tree_at(
    checkout: &Checkout<'_>,
    commit: &str,
    places: &Tree,
) -> Result<Tree, NoTree> {
    let mut faults = Vec::new();
    let mut wanted = list(checkout, commit, places, &mut faults)?;
    checkout.bring(commit, wanted.iter().map(|file| file.id.as_str()))?;
    let ids: Vec<&str> = wanted.iter().map(|file| file.id.as_str()).collect();
    let sizes = listing::sizes(&checkout.git, &ids)?;
    wanted.retain(|file| {
        let size = sizes.get(&file.id).copied().unwrap_or_default();
        let fits = size <= file.limit();
        if !fits {
            faults.push(too_large(file, size));
        }
        fits
    });
    let ids: Vec<&str> = wanted.iter().map(|file| file.id.as_str()).collect();
    let contents = listing::contents(&checkout.git, &ids)?;
    let mut tree = Tree {
        inputs: InputFiles::default(),
        archive: Vec::new(),
        out: BTreeMap::new(),
        ..places.clone()
    };
    for (file, bytes) in wanted.into_iter().zip(contents) {
        match text(&file, bytes) {
            Ok(text) => add(&mut tree, file, text),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(NoTree::Files(faults));
    }
    // images.yaml comes before images.d, and an archive sorts by its folders.
    let main = tree.enrollment.clone();
    tree.inputs
        .enrollment
        .sort_by_key(|file| *file.path != *main);
    tree.archive.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(tree)
}

/// A file that is part of a factory.
struct Wanted {
    path: String,
    id: String,
    group: Group,
}

impl Wanted {
    fn limit(&self) -> u64 {
        match self.group {
            Group::Enrollment => ENROLLMENT_LIMIT,
            Group::Out => OUT_LIMIT,
            Group::Image | Group::Base | Group::Archive => STATE_LIMIT,
        }
    }
}

/// The files of a commit that are part of a factory. A missing folder is an empty one.
fn list(
    checkout: &Checkout<'_>,
    commit: &str,
    places: &Tree,
    faults: &mut Vec<Diagnostic>,
) -> Result<Vec<Wanted>, Trouble> {
    let parts = [
        places.enrollment.as_str(),
        "images.d",
        &places.state,
        &places.out_folder,
    ];
    let paths: Vec<String> = parts.iter().map(|path| checkout.top_path(path)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let mut wanted = Vec::new();
    let mut folders: Vec<String> = parts
        .iter()
        .skip(1)
        .map(|path| (*path).to_owned())
        .collect();
    folders.extend(
        ["images", "base-images", "_archive"].map(|name| format!("{}/{name}", places.state)),
    );
    for entry in listing::below(&checkout.git, commit, &paths)? {
        let whole = String::from_utf8_lossy(&entry.name);
        let Some(path) = whole.strip_prefix(checkout.prefix.as_str()) else {
            continue;
        };
        let group = places.group(path);
        let is_text = std::str::from_utf8(&entry.name).is_ok();
        match (entry.kind(), group) {
            (Kind::Folder, Some(Group::Out)) => {}
            (Kind::File, Some(Group::Out)) if path.split('/').count() > OUT_PARTS => {}
            (Kind::File, Some(group)) if is_text => wanted.push(Wanted {
                path: path.to_owned(),
                id: entry.id,
                group,
            }),
            // What is in the way of a generated file is found when it is written.
            (_, Some(Group::Out)) => {}
            (Kind::File, Some(_)) => faults.push(unusable(path, "has a name that is not UTF-8")),
            (_, Some(_)) => faults.push(unusable(path, "is no regular file")),
            (Kind::Folder, None) => {}
            (_, None) if folders.iter().any(|folder| folder == path) => {
                faults.push(unusable(path, "is no folder"));
            }
            (_, None) => {}
        }
    }
    let main = &places.enrollment;
    if faults.is_empty() && !wanted.iter().any(|file| file.path == *main) {
        faults.push(
            Diagnostic::error(
                code::ENROLLMENT_MISSING,
                format!("there is no `{main}` in the commit that this starts from"),
            )
            .help(format!("commit it first: `git add {main} && git commit`")),
        );
    }
    Ok(wanted)
}

fn unusable(path: &str, what: &str) -> Diagnostic {
    Diagnostic::error(
        code::UNREADABLE,
        format!("`{path}` {what} in the commit that this starts from"),
    )
    .at(Place::file(path))
    .help("commit a file or folder in its place; links are not followed inside a commit")
}

fn too_large(file: &Wanted, size: u64) -> Diagnostic {
    let path = file.path.as_str();
    let message = format!(
        "`{path}` has {size} bytes; at most {} are read",
        file.limit()
    );
    Diagnostic::error(code::YAML_LIMIT, message)
        .at(Place::file(path))
        .help("remove what does not belong in it, or see what wrote it")
}

fn text(file: &Wanted, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    let path = file.path.as_str();
    String::from_utf8(bytes).or_else(|error| {
        if file.group == Group::Out {
            // It differs from what would be rendered, and is written anew.
            return Ok(String::from_utf8_lossy(error.as_bytes()).into_owned());
        }
        let at = error.utf8_error().valid_up_to();
        Err(Diagnostic::error(
            code::NOT_TEXT,
            format!("`{path}` is not UTF-8 text from here on"),
        )
        .at(Place::new(path, Span::new(at, at + 1)))
        .help("save the file as UTF-8, and commit it"))
    })
}

fn add(tree: &mut Tree, file: Wanted, text: String) {
    let input = |text| InputFile {
        path: file.path.as_str().into(),
        text,
    };
    match file.group {
        Group::Enrollment => tree.inputs.enrollment.push(input(text)),
        Group::Image => tree.inputs.images.push(input(text)),
        Group::Base => tree.inputs.bases.push(input(text)),
        Group::Archive => tree.archive.push(input(text)),
        Group::Out => drop(tree.out.insert(file.path, text)),
    }
}

/// The ids that a partial clone lacks, of those that are wanted.
pub(super) fn missing<'a>(
    listed: &str,
    wanted: impl Iterator<Item = &'a str>,
) -> BTreeSet<&'a str> {
    let lacking: BTreeSet<&str> = listed
        .lines()
        .filter_map(|line| line.strip_prefix('?'))
        .collect();
    wanted.filter(|id| lacking.contains(id)).collect()
}
