//! Reading `state/images` and `state/base-images`.
//!
//! Keys that are missing or unknown are no trouble, so that files of older and
//! newer versions can be read; what a file does say must be possible.

use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Place, Span, code};
use crate::yaml::Node;

use super::decode::{Map, Reader};
use super::fields::Fields;
use super::git::RepoPath;
use super::image::Source;
use super::names::{Name, ObjectName};
use super::parse::Parse;
use super::reference::{DOCKER_HUB, Reference, Registry, Repository, Tag};
use super::state::{Base, DiscoveryStatus, ImageState, Link};
use super::watch::{Strategy, TagFilter, Watch, literal};
use super::{InputFile, Pattern};

/// The name that a state file has; `None` if it is none: an example, or
/// another extension.
#[must_use]
pub fn state_name(file: &InputFile) -> Option<&str> {
    let name = file
        .path
        .rsplit_once('/')
        .map_or(&*file.path, |(_, name)| name);
    name.strip_suffix(".yaml")
        .filter(|stem| !stem.ends_with(".example") && !stem.is_empty())
}

/// A state file of an image, and what only a comparison with its entry needs.
pub(super) struct ReadImage {
    pub(super) state: ImageState,
    /// Where each of `state.bases` is named first, in the order of the file.
    pub(super) base_places: Vec<(ObjectName, Span)>,
    /// Whether discovery read what the entry names now; `true` if the file does
    /// not say what it read.
    pub(super) fresh: bool,
}

/// Reads `state/images/NAME.yaml`. `source` is the source of the enrolled image
/// of this name, if that is managed.
pub(super) fn image(
    reader: &mut Reader<'_>,
    file: &InputFile,
    stem: &str,
    source: Option<&Source>,
) -> Option<ReadImage> {
    let Ok(name) = Name::parse(stem) else {
        let message = format!("`{stem}.yaml` is not named after an image");
        let help = "name it after the image, `NAME.yaml`, or delete it";
        let place = Place::file(Arc::clone(&file.path));
        reader.out.push(
            Diagnostic::error(code::STATE_MISPLACED, message)
                .help(help)
                .at(place),
        );
        return None;
    };
    let state = |status, bases, repository| ImageState {
        name,
        status,
        repository,
        bases,
        file: Arc::clone(&file.path),
    };
    let (map, broken) = content(reader, file);
    let Some(map) = map else {
        let empty = ReadImage {
            state: state(DiscoveryStatus::Pending, Vec::new(), None),
            base_places: Vec::new(),
            fresh: true,
        };
        return (!broken).then_some(empty);
    };
    let map = reader.map(&map, "a state file")?;
    if is_definition(reader, &map) || !has_name(reader, &map, stem) {
        return None;
    }
    if let Some(node) = map.get("fullImage") {
        let message = "the file describes a base image, but stands among the images";
        let help = format!("move it to `state/base-images/{stem}.yaml`, or delete it");
        reader.report(
            Diagnostic::error(code::STATE_MISPLACED, message).help(help),
            node.span,
        );
        return None;
    }
    let base_places = bases(reader, &map)?;
    let mut bases: Vec<ObjectName> = base_places.iter().map(|(name, _)| name.clone()).collect();
    bases.sort_unstable();
    bases.dedup();
    let status = match map.get("discoveryStatus").and_then(Node::as_str) {
        Some("success" | "discovered") => DiscoveryStatus::Success,
        Some("failed") => DiscoveryStatus::Failed,
        Some("external") => DiscoveryStatus::External,
        _ => DiscoveryStatus::Pending,
    };
    // A success always leaves a list, be it empty; without one nothing is known.
    let known = status != DiscoveryStatus::Success || given(&map, "baseImages").is_some();
    let status = if known {
        status
    } else {
        DiscoveryStatus::Pending
    };
    let copy = map
        .get("enrollment")
        .and_then(|node| node.get("source"))
        .filter(|node| !node.is_null());
    let fresh = match (copy, source) {
        (Some(copy), Some(source)) => is_copy(copy, source),
        _ => true,
    };
    let repository = map.get("enrollment").and_then(lived_in);
    Some(ReadImage {
        state: state(status, bases, repository),
        base_places,
        fresh,
    })
}

/// The repository that a copy of the enrollment names.
fn lived_in(copy: &Node<'_>) -> Option<Repository> {
    let text = |key| copy.get(key).and_then(Node::as_str);
    let registry = Registry::parse(text("registry").unwrap_or(DOCKER_HUB)).ok()?;
    Repository::new(&registry, text("repository")?).ok()
}

/// The root node if the file has one, and whether it is no YAML.
fn content<'t>(reader: &mut Reader<'_>, file: &'t InputFile) -> (Option<Node<'t>>, bool) {
    let before = reader.out.len();
    let node = reader.parse(&file.text).filter(|node| !node.is_null());
    let broken = reader.out.len() > before;
    (if broken { None } else { node }, broken)
}

fn is_definition(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> bool {
    let Some(kind) = map
        .get("kind")
        .filter(|_| map.get("apiVersion").is_some() || map.get("spec").is_some())
    else {
        return false;
    };
    let message = format!(
        "a Kubernetes object, `{}`, stands among the state files",
        super::parse::shorten(kind.as_str().unwrap_or("?"))
    );
    let help = "enroll the image in images.yaml and delete this file; what the cluster should hold belongs elsewhere";
    reader.report(
        Diagnostic::error(code::STATE_IS_DEFINITION, message).help(help),
        kind.span,
    );
    true
}

fn has_name(reader: &mut Reader<'_>, map: &Map<'_, '_>, stem: &str) -> bool {
    let Some(node) = map.get("name") else {
        return true;
    };
    if node.as_str() == Some(stem) {
        return true;
    }
    let name = super::parse::shorten(node.as_str().unwrap_or("?"));
    let message = format!("the file is called `{stem}.yaml`, but holds the state of `{name}`");
    let help =
        "rename the file or mend `name`; `image-factory discover` writes a deleted file anew";
    reader.report(
        Diagnostic::error(code::STATE_MISPLACED, message).help(help),
        node.span,
    );
    false
}

fn bases(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> Option<Vec<(ObjectName, Span)>> {
    let Some(node) = given(map, "baseImages") else {
        return Some(Vec::new());
    };
    let Some(items) = node.as_sequence() else {
        reader.wrong_type(node, "baseImages", "a list");
        return None;
    };
    let mut names = Vec::with_capacity(items.len());
    for item in items {
        let Some(text) = item.as_str() else {
            reader.wrong_type(item, "baseImages", "a list of names");
            continue;
        };
        let name: Option<ObjectName> =
            reader.checked(text, item.span, "baseImages", code::INVALID_REFERENCE);
        names.extend(name.map(|name| (name, item.span)));
    }
    Some(names)
}

/// A value that is there, not null, and not the word `None`, which an older
/// program wrote for null.
fn given<'n, 't>(map: &Map<'n, 't>, key: &str) -> Option<&'n Node<'t>> {
    map.get(key)
        .filter(|node| !matches!(node.as_str(), Some("None" | "")))
}

/// Was this what the entry says now? What a copy leaves out had its default.
fn is_copy(copy: &Node<'_>, source: &Source) -> bool {
    let text = |key: &str| {
        let node = copy.get(key).filter(|node| !node.is_null())?;
        node.as_str().filter(|text| !matches!(*text, "None" | ""))
    };
    let path = |key: &str, default: &str, now: &RepoPath| match text(key) {
        None => now.as_str() == default,
        Some(then) => then == now.as_str() || RepoPath::parse(then).is_ok_and(|then| then == *now),
    };
    let arguments = || {
        let then = copy
            .get("buildArgs")
            .and_then(Node::as_mapping)
            .unwrap_or_default();
        let same = |(key, value): &(Node<'_>, Node<'_>)| {
            let now = key.as_str().and_then(|key| source.build_args.get(key));
            now.map(String::as_str) == value.as_str()
        };
        then.len() == source.build_args.len() && then.iter().all(same)
    };
    text("provider").unwrap_or("github") == source.provider.as_str()
        && text("repo").is_none_or(|then| then == source.repo.as_str())
        && text("branch").unwrap_or("main") == source.branch.as_str()
        && text("url").is_none_or(|then| then == source.git_url.as_str())
        && path("dockerfile", "Dockerfile", &source.dockerfile)
        && text("target") == source.target.as_ref().map(super::StageName::as_str)
        && arguments()
}

/// Reads `state/base-images/NAME.yaml`.
pub(super) fn base(reader: &mut Reader<'_>, file: &InputFile, stem: &str) -> Option<Base> {
    let Ok(name) = ObjectName::parse(stem) else {
        let message = format!("`{stem}.yaml` is not named after a base image");
        let help = "delete the file and run `image-factory discover`, which names it by its rule";
        let place = Place::file(Arc::clone(&file.path));
        reader.out.push(
            Diagnostic::error(code::STATE_MISPLACED, message)
                .help(help)
                .at(place),
        );
        return None;
    };
    let (node, broken) = content(reader, file);
    let Some(node) = node else {
        if !broken {
            unknown_image(reader, Span::new(0, 0));
        }
        return None;
    };
    let map = reader.map(&node, "a state file")?;
    if is_definition(reader, &map) || !has_name(reader, &map, stem) {
        return None;
    }
    let of_image = ["enrollment", "enrolledAt", "discoveryStatus", "baseImages"];
    if map.get("fullImage").is_none()
        && let Some(node) = of_image.iter().find_map(|key| map.get(key))
    {
        let message = "the file describes an enrolled image, but stands among the base images";
        let help = format!("move it to `state/images/{stem}.yaml`, or delete it");
        reader.report(
            Diagnostic::error(code::STATE_MISPLACED, message).help(help),
            node.span,
        );
        return None;
    }
    let mut fields = Fields::new(Arc::clone(&file.path), None);
    let watched = ["repoURL", "allowTags"].map(|key| given(&map, key).is_some());
    let lenient = watched == [false, false];
    let (full_image, reference, watchable) = reference(reader, &map, &mut fields, lenient)?;
    let repo_url = match given(&map, "repoURL") {
        Some(node) => parsed::<Repository>(reader, node, "repoURL")?,
        None => reference.repository.clone(),
    };
    let watch = match &reference.tag {
        Some(tag) if watchable => Some(base_watch(reader, &map, tag)?),
        Some(_) | None => None,
    };
    Some(Base {
        name,
        full_image,
        repository: reference.repository,
        repo_url,
        tag: reference.tag,
        digest: reference.digest,
        watch,
        link: Link::Upstream,
        dependents: Vec::new(),
        fields,
    })
}

fn unknown_image(reader: &mut Reader<'_>, span: Span) {
    let message = "the file does not say which image it is about: `fullImage` is missing";
    let help = "delete the file and run `image-factory discover`, or restore it from git";
    reader.report(
        Diagnostic::error(code::INVALID_REFERENCE, message).help(help),
        span,
    );
}

fn parsed<T: Parse>(reader: &mut Reader<'_>, node: &Node<'_>, key: &str) -> Option<T> {
    let Some(text) = node.as_str() else {
        reader.wrong_type(node, key, "a text");
        return None;
    };
    reader.checked(text, node.span, key, code::INVALID_REFERENCE)
}

/// The image that the file is about, and whether Kargo can watch it: `fullImage`,
/// else what registry, repository and tag say. `lenient`: the file does not ask for it
/// to be watched, so it may be one that only builds take.
fn reference(
    reader: &mut Reader<'_>,
    map: &Map<'_, '_>,
    fields: &mut Fields,
    lenient: bool,
) -> Option<(String, Reference, bool)> {
    if let Some(node) = given(map, "fullImage") {
        fields.add("fullImage", node.span);
        let text = node.as_str().unwrap_or_default();
        if lenient
            && Reference::parse(text).is_err()
            && let Some(reference) = Reference::for_builds(text)
        {
            return Some((text.to_owned(), reference, false));
        }
        let reference: Reference = parsed(reader, node, "fullImage")?;
        return Some((text.to_owned(), reference, true));
    }
    let Some(node) = given(map, "repository") else {
        unknown_image(reader, map.span);
        return None;
    };
    fields.add("fullImage", node.span);
    let registry = match given(map, "registry") {
        Some(node) => parsed::<Registry>(reader, node, "registry")?,
        None => Registry::known(DOCKER_HUB),
    };
    let path = node.as_str().unwrap_or_default();
    let repository = match Repository::new(&registry, path) {
        Ok(repository) => repository,
        Err(invalid) => {
            let message = format!(
                "`repository` is `{}`, which {}",
                super::parse::shorten(path),
                invalid.why
            );
            reader.report(
                Diagnostic::error(code::INVALID_REFERENCE, message).help(invalid.help),
                node.span,
            );
            return None;
        }
    };
    let tag = match given(map, "tag") {
        Some(node) => parsed::<Tag>(reader, node, "tag")?,
        None => Tag::known("latest"),
    };
    let reference = Reference {
        repository,
        tag: Some(tag),
        digest: None,
    };
    Some((reference.to_string(), reference, true))
}

/// What to watch of a base image: its tag, unless the file has a pattern of its own.
fn base_watch(reader: &mut Reader<'_>, map: &Map<'_, '_>, tag: &Tag) -> Option<Watch> {
    let Some(node) = given(map, "allowTags") else {
        return Some(Watch::Tag(tag.clone()));
    };
    let text = node.as_str().unwrap_or_default();
    // An older program escaped twice, so that its patterns matched no tag.
    let literal_tag = literal(text, "\\").or_else(|| literal(text, "\\\\"));
    if literal_tag.as_ref() == Some(tag) {
        return Some(Watch::Tag(tag.clone()));
    }
    let tags: Pattern = match parsed(reader, node, "allowTags")? {
        TagFilter::Literal(other) => return Some(Watch::Tag(other)),
        TagFilter::Pattern(pattern) => pattern,
    };
    let strategy = given(map, "imageSelectionStrategy").and_then(Node::as_str);
    Some(match strategy.and_then(|text| Strategy::parse(text).ok()) {
        Some(Strategy::SemVer) => Watch::SemVer {
            constraint: None,
            tags: Some(tags),
        },
        Some(Strategy::NewestBuild) => Watch::NewestBuild { tags: Some(tags) },
        Some(Strategy::Digest) => Watch::Tag(tag.clone()),
        Some(Strategy::Lexical) | None => Watch::Lexical { tags: Some(tags) },
    })
}
