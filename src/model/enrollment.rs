//! Reading images.yaml and `images.d/*.yaml`.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Place, Sources, code};
use crate::yaml::{Kind, Node};

use super::decode::Reader;
use super::enroll_image::{self, Names};
use super::enroll_settings;
use super::fields::Fields;
use super::image::Image;
use super::settings::Settings;
use super::{GitRepo, InputFile, InputFiles};

/// The keys of images.yaml if it is no bare list.
pub(super) const TOP: &[&str] = &["settings", "images"];

/// Reads all enrollment files, and gives what is right in them.
pub(super) fn read(files: &InputFiles, out: &mut Vec<Diagnostic>) -> (Settings, Vec<Image>) {
    let mut unreadable = false;
    let mut parsed: Vec<(&InputFile, Option<Node<'_>>)> =
        Vec::with_capacity(files.enrollment.len());
    for file in &files.enrollment {
        let before = out.len();
        let node = Reader::new(&file.path, out).parse(&file.text);
        // The settings may stand in what could not be read.
        unreadable |= node.is_none() && out.len() > before && !is_part(file);
        parsed.push((file, node));
    }
    // What is missing in the settings is said of images.yaml.
    let main = files.enrollment.iter().find(|file| !is_part(file));
    let path = main.map_or_else(|| Arc::from("images.yaml"), |file| Arc::clone(&file.path));
    let mut settings = enroll_settings::defaults(Fields::new(path, None));
    for (file, node) in &parsed {
        let settings_node = node.as_ref().and_then(|node| node.get("settings"));
        if let Some(node) = settings_node.filter(|node| !is_part(file) && !node.is_null()) {
            enroll_settings::read(&mut Reader::new(&file.path, out), node, &mut settings);
        }
    }
    if let GitRepo::Required { origin } = &files.git_repo
        && !unreadable
        && !settings.fields.has("git.repo")
        && let Err(diagnostic) = settings.git_repo(origin.as_deref())
    {
        out.push(diagnostic);
    }
    let mut images = Vec::new();
    let mut names = Names::default();
    let sources = OnceCell::new();
    let where_is = |place: &Place| where_is(sources.get_or_init(|| texts(files)), place);
    for (file, node) in &parsed {
        let Some(node) = node else { continue };
        let mut reader = Reader::new(&file.path, out);
        let entries = entries(&mut reader, node, is_part(file));
        images.reserve(entries.len());
        for entry in entries {
            images.extend(enroll_image::read(
                &mut reader,
                entry,
                &settings,
                &mut names,
                &where_is,
            ));
        }
    }
    (settings, images)
}

/// Is this a file of `images.d/`, which holds images only?
fn is_part(file: &InputFile) -> bool {
    file.path
        .split('/')
        .rev()
        .skip(1)
        .any(|folder| folder == "images.d")
}

/// The list of images in a file of either form.
fn entries<'n, 't>(reader: &mut Reader<'_>, node: &'n Node<'t>, part: bool) -> &'n [Node<'t>] {
    if node.is_null() {
        return &[];
    }
    match &node.kind {
        Kind::Sequence(items) => items,
        Kind::Mapping(_) if part => {
            let help = "settings stand in images.yaml; begin each image with `- name:`";
            let message = "a file in images.d is a list of images, not a map";
            reader.report(
                Diagnostic::error(code::WRONG_TYPE, message).help(help),
                node.span,
            );
            &[]
        }
        Kind::Mapping(_) => match reader.known_map(node, "images.yaml", TOP) {
            Some(map) => reader.list(&map, "images"),
            None => &[],
        },
        Kind::Scalar(_) => {
            reader.wrong_type(
                node,
                "the enrollment",
                "a list of images, or a map with `settings` and `images`",
            );
            &[]
        }
    }
}

/// The texts of the enrollment files, for places in them.
fn texts(files: &InputFiles) -> Sources {
    let mut sources = Sources::new();
    for file in &files.enrollment {
        sources.add(Arc::clone(&file.path), file.text.as_str());
    }
    sources
}

/// `file:line:column` of a place in one of the files.
fn where_is(sources: &Sources, place: &Place) -> String {
    match sources.position(place) {
        Some(at) => format!("{}:{}:{}", place.file, at.line, at.column),
        None => place.file.to_string(),
    }
}
