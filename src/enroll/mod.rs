//! Edits of images.yaml that leave everything else as it is: its order, comments, quotes
//! and blank lines.
//!
//! Where an entry goes, and what belongs to one, the YAML reader's places say. What comes
//! out is read again: the other entries must be what they were, and the new one must be
//! one that [`model`] takes. What cannot be edited so is refused, with the text to paste.

mod add;
mod entry;
mod init;
mod lines;
mod origin;
mod propose;
mod remove;

use crate::diagnostics::{self, Diagnostic, Place, Span, code};
use crate::model::{self, InputFile, InputFiles, Model};
use crate::tree::Tree;
use crate::yaml::{Kind, Limits, Node};

pub use add::add;
pub use entry::{Entry, Source};
pub use init::{PLACEHOLDER, new_factory};
pub use origin::{repository_of, usual_registry};
pub use propose::{Found, Proposal, propose};
pub use remove::remove;

/// The enrolled images of a tree, whatever state says.
///
/// # Errors
///
/// All that is wrong with the enrollment.
pub fn enrolled(tree: &Tree) -> Result<Model, Vec<Diagnostic>> {
    let files = InputFiles {
        enrollment: tree.inputs.enrollment.clone(),
        ..InputFiles::default()
    };
    let (model, diagnostics) = model::load(&files);
    model.ok_or_else(|| {
        diagnostics
            .into_iter()
            .filter(Diagnostic::is_error)
            .collect()
    })
}

/// The node of a file and the list of images in it, if it has one.
struct Parsed<'t> {
    root: Option<Node<'t>>,
}

impl<'t> Parsed<'t> {
    /// A file that [`enrolled`] has found to be right.
    fn of(text: &'t str) -> Self {
        let (root, _) = crate::yaml::read(text, &Limits::default());
        Self {
            root: root.filter(|node| !node.is_null()),
        }
    }

    fn list(&self) -> Option<&Node<'t>> {
        let root = self.root.as_ref()?;
        match &root.kind {
            Kind::Sequence(_) => Some(root),
            Kind::Mapping(_) => root.get("images").filter(|list| !list.is_null()),
            Kind::Scalar(_) => None,
        }
    }

    fn items(&self) -> &[Node<'t>] {
        self.list().and_then(Node::as_sequence).unwrap_or(&[])
    }

    /// The value of `settings`.
    fn settings(&self) -> Option<&Node<'t>> {
        self.root.as_ref()?.get("settings")
    }
}

/// Do two nodes say the same, wherever they stand?
fn same(one: &Node<'_>, other: &Node<'_>) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Scalar(one), Kind::Scalar(other)) => one == other,
        (Kind::Sequence(one), Kind::Sequence(other)) => all_same(one.iter(), other.iter()),
        (Kind::Mapping(one), Kind::Mapping(other)) => {
            all_same(
                one.iter().map(|(key, _)| key),
                other.iter().map(|(key, _)| key),
            ) && all_same(one.iter().map(|(_, v)| v), other.iter().map(|(_, v)| v))
        }
        _ => false,
    }
}

fn all_same<'n, 't: 'n>(
    one: impl ExactSizeIterator<Item = &'n Node<'t>>,
    other: impl ExactSizeIterator<Item = &'n Node<'t>>,
) -> bool {
    one.len() == other.len() && one.zip(other).all(|(one, other)| same(one, other))
}

/// Do two texts have the same settings, and the same images but for those at these places?
fn only_differ_at(old: &str, new: &str, gone: Option<usize>, come: Option<usize>) -> bool {
    let (old, new) = (Parsed::of(old), Parsed::of(new));
    let without = |items: &[Node<'_>], place: Option<usize>| {
        items.len() - usize::from(place.is_some_and(|at| at < items.len()))
    };
    let settings = match (old.settings(), new.settings()) {
        (Some(old), Some(new)) => same(old, new),
        (None, None) => true,
        _ => false,
    };
    let left = |place: Option<usize>| move |(at, _): &(usize, &Node<'_>)| Some(*at) != place;
    settings
        && without(old.items(), gone) == without(new.items(), come)
        && old
            .items()
            .iter()
            .enumerate()
            .filter(left(gone))
            .zip(new.items().iter().enumerate().filter(left(come)))
            .all(|((_, old), (_, new))| same(old, new))
}

/// The refusal to edit what cannot be edited safely.
fn by_hand(file: &InputFile, span: Option<Span>, why: &str, help: String) -> Diagnostic {
    let place = match span {
        Some(span) => Place::new(file.path.clone(), span),
        None => Place::file(file.path.clone()),
    };
    Diagnostic::error(
        code::EDIT_BY_HAND,
        format!("`{}` {why}, which is not edited", file.path),
    )
    .help(help)
    .at(place)
}

/// What is wrong with the tree after an edit, with what the enrollment would be.
#[derive(Debug)]
pub struct Refused {
    /// All of it.
    pub diagnostics: Vec<Diagnostic>,
    /// The file that the places are in, if it is not the one on the disk.
    pub text: Option<InputFile>,
}

impl From<Diagnostic> for Refused {
    fn from(diagnostic: Diagnostic) -> Self {
        vec![diagnostic].into()
    }
}

impl From<Vec<Diagnostic>> for Refused {
    fn from(mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics::sort(&mut diagnostics);
        Self {
            diagnostics,
            text: None,
        }
    }
}

#[cfg(test)]
mod tests;
