//! The charts: a checked model in, typed Kargo objects out.
//!
//! One file of `dist/` is one [`Chart`]; one part of a chart is one file here.
//! Charts decide nothing about time: no digest, version, date or history of
//! state reaches a manifest, so `dist/` changes when enrollment or dependencies
//! change and not with each new digest.

mod analysis;
mod argocd;
mod automation;
mod project;
mod rebuild;
mod runner;
mod stage;
mod templates;
mod topology;
mod track;
mod updates;
mod warehouses;

use crate::model::{GitUrl, Model};
use crate::names;
use crate::synth::{App, Chart};
use crate::template::{TemplateError, Templates, Text};

/// What the parts of a chart are made from.
struct Context<'a> {
    model: &'a Model,
    /// The repository of images.yaml and state/.
    repo: &'a GitUrl,
    texts: Templates,
}

impl Context<'_> {
    fn text(&self, text: &Text<'_>) -> Result<String, TemplateError> {
        self.texts.render(text)
    }
}

/// Adds the objects of one part.
type Part = fn(&Context<'_>, &mut Chart) -> Result<(), TemplateError>;

/// The files and their parts, in the order they are read.
const CHARTS: &[(&str, &[Part])] = &[
    (
        names::FILE_FACTORY,
        &[
            project::add,
            warehouses::add_watched,
            track::add_watched,
            rebuild::add,
            updates::add_external,
        ],
    ),
    (
        names::FILE_MANAGED,
        &[
            warehouses::add_managed,
            warehouses::add_own,
            track::add_own,
            analysis::add,
            updates::add_managed,
        ],
    ),
    (names::FILE_AUTOMATION, &[templates::add, automation::add]),
];

/// The folders that our own commits change, from the top of the repository: to
/// watch them would make each analysis cause the next.
#[must_use]
pub fn written(model: &Model) -> Vec<String> {
    vec![inside(model, "dist/"), inside(model, "state/")]
}

/// A path of the factory's folder, from the top of its repository.
fn inside(model: &Model, path: &str) -> String {
    let factory = &model.settings.git.path;
    if factory.is_top() {
        path.to_owned()
    } else {
        [factory.as_str(), "/", path].concat()
    }
}

/// The complete Kargo project of `model`, whose files are in `repo`.
///
/// # Errors
/// A text of `templates/` that cannot be filled in: a fault of the product.
pub fn app(model: &Model, repo: &GitUrl) -> Result<App, TemplateError> {
    let context = Context {
        model,
        repo,
        texts: Templates::new()?,
    };
    let mut app = App::new().kustomization();
    for (file, parts) in CHARTS {
        let mut chart = Chart::new(*file)
            .namespace(model.settings.project.as_str())
            .label(names::MANAGED_BY.0, names::MANAGED_BY.1);
        for part in *parts {
            part(&context, &mut chart)?;
        }
        app.add(chart);
    }
    Ok(app)
}
