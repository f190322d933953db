//! From the texts of a tree to the texts of its manifests: all of `synth` that needs
//! no disk, network, clock or environment.

use std::collections::BTreeSet;

use crate::charts;
use crate::checks;
use crate::diagnostics::{self, Diagnostic, code};
use crate::model::{self, GitRepo, InputFiles, Model};
use crate::synth::{FileSpec, is_generated};
use crate::tree::{Edit, Tree};

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
    let files = model.and_then(|model| match manifests(&model, inputs) {
        Ok(files) => Some(files),
        Err(found) => {
            diagnostics.extend(found);
            None
        }
    });
    diagnostics::sort(&mut diagnostics);
    Outcome { files, diagnostics }
}

fn manifests(model: &Model, inputs: &InputFiles) -> Result<Vec<FileSpec>, Vec<Diagnostic>> {
    let origin = match &inputs.git_repo {
        GitRepo::Required { origin } => origin.as_deref(),
        GitRepo::Optional => None,
    };
    let repo = model.settings.git_repo(origin).map_err(|d| vec![d])?;
    let mut app = charts::app(model, repo)
        .map_err(|error| vec![Diagnostic::error(code::TEXT_FAILED, error.to_string())])?;
    app.validator(checks::Kargo);
    app.validator(checks::NoLoop::new(repo, &charts::written(model)));
    app.synth()
        .map_err(|problems| problems.into_iter().map(Diagnostic::from).collect())
}

/// What has to change in the out folder of a tree so that it is what `synth` renders:
/// nothing if it is in step, `None` if an error stood in the way.
#[must_use]
pub fn out_edit(tree: &Tree) -> (Option<Edit>, Vec<Diagnostic>) {
    let mut inputs = tree.inputs.clone();
    inputs.git_repo = GitRepo::Required { origin: None };
    let Outcome { files, diagnostics } = render(&inputs);
    let edit = files.map(|files| {
        let mut edit = Edit::default();
        let mut stale: BTreeSet<&str> = tree
            .out
            .iter()
            .filter(|(_, text)| is_generated(text))
            .map(|(path, _)| path.as_str())
            .collect();
        for file in files {
            let path = format!("{}/{}", tree.out_folder, file.path);
            stale.remove(path.as_str());
            if tree.out.get(&path) != Some(&file.text) {
                edit.write(path, file.text);
            }
        }
        stale.into_iter().for_each(|path| edit.delete(path));
        edit
    });
    (edit, diagnostics)
}
