//! The files of a new factory.

use crate::diagnostics::Diagnostic;
use crate::tree::{Edit, Tree};

/// Stands for an address that nobody has said.
pub const PLACEHOLDER: &str = "https://github.com/OWNER/REPOSITORY";

/// The JSON schema of images.yaml, for editors.
const SCHEMA: &str = include_str!("../../images.schema.json");

/// images.yaml and its schema. `repo` is the address of the repository that holds them,
/// `path` the folder in it.
///
/// # Errors
///
/// If the address or the path cannot be one.
pub fn new_factory(repo: &str, path: &str) -> Result<Edit, Vec<Diagnostic>> {
    let quoted = |text: &str| {
        let text = crate::yaml::to_string(text).unwrap_or_default();
        text.trim_end().to_owned()
    };
    let mut text = format!(
        "\
# yaml-language-server: $schema=./images.schema.json
# Every image that is kept fresh. Edit this list, or let `image-factory enroll` and
# `image-factory retire` do it; then run `image-factory discover` and `image-factory synth`,
# and commit it together with state/ and dist/.
#
# An entry with `source.repo` is managed: we build it, and it is rebuilt when one of its
# base images changed and its rebuildDelay has passed. An entry without is external:
# somebody else builds it, and we only watch it.

settings:
  git:
    # The repository that holds this file, state/ and dist/.
    repo: {}
",
        quoted(repo)
    );
    if path != "." {
        text.push_str(&format!(
            "    # The folder in it.\n    path: {}\n",
            quoted(path)
        ));
    }
    text.push_str("\nimages: []\n");
    let mut edit = Edit::default();
    edit.write("images.yaml", text);
    edit.write("images.schema.json", SCHEMA);
    super::enrolled(&Tree::default().with(&edit))?;
    Ok(edit)
}
