//! From the texts of a tree to the texts of its manifests: all of `synth` that needs
//! no disk, network, clock or environment.

use crate::diagnostics::{self, Diagnostic};
use crate::model::{self, InputFiles};
use crate::synth::{App, FileSpec};

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The manifests, sorted by path; `None` if an error stood in the way.
    pub files: Option<Vec<FileSpec>>,
    /// All that there is to say, in the order of a report.
    pub diagnostics: Vec<Diagnostic>,
}

/// Renders the manifests of a tree.
#[must_use]
pub fn render(inputs: &InputFiles) -> Outcome {
    let (model, mut diagnostics) = model::load(inputs);
    let files = model.and_then(|_model| {
        let app = App::new().kustomization();
        match app.synth() {
            Ok(files) => Some(files),
            Err(problems) => {
                diagnostics.extend(problems.into_iter().map(Diagnostic::from));
                None
            }
        }
    });
    diagnostics::sort(&mut diagnostics);
    Outcome { files, diagnostics }
}
