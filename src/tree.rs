//! What stands in a factory's folder, as texts, and changes to it.
//!
//! A [`Tree`] comes from the disk or from a commit; what is computed from it is an
//! [`Edit`]. So a change that met another one can be computed again on the newer
//! tree, and nothing has to be merged as text.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{InputFile, InputFiles};

/// What stands in a factory's folder. Paths are relative to the root, with `/`
/// between the parts; a state folder elsewhere has its absolute path.
#[derive(Clone, Debug)]
pub struct Tree {
    /// images.yaml, images.d/ and state/, each group in the order of the paths.
    pub inputs: InputFiles,
    /// The files of `state/_archive/images` and `state/_archive/base-images`.
    pub archive: Vec<InputFile>,
    /// The generated files of the out folder, by path. Only a tree read from a
    /// commit has them.
    pub out: BTreeMap<String, String>,
    /// Path of the enrollment file.
    pub enrollment: String,
    /// Path of the state folder.
    pub state: String,
    /// Path of the out folder.
    pub out_folder: String,
}

impl Default for Tree {
    /// Nothing, in the usual places.
    fn default() -> Self {
        Self {
            inputs: InputFiles::default(),
            archive: Vec::new(),
            out: BTreeMap::new(),
            enrollment: "images.yaml".to_owned(),
            state: "state".to_owned(),
            out_folder: "dist".to_owned(),
        }
    }
}

/// The groups that the files of a tree fall into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// The enrollment file, or one of `images.d`.
    Enrollment,
    /// State of an enrolled image.
    Image,
    /// State of a base image.
    Base,
    /// State that nothing needs any more.
    Archive,
    /// A file of the out folder.
    Out,
}

impl Tree {
    /// Path of the state of an enrolled image.
    #[must_use]
    pub fn image_path(&self, name: &str) -> String {
        format!("{}/images/{name}.yaml", self.state)
    }

    /// Path of the state of a base image.
    #[must_use]
    pub fn base_path(&self, name: &str) -> String {
        format!("{}/base-images/{name}.yaml", self.state)
    }

    /// Path of the archived state of an image.
    #[must_use]
    pub fn archived_image_path(&self, name: &str) -> String {
        format!("{}/_archive/images/{name}.yaml", self.state)
    }

    /// Path of the archived state of a base image.
    #[must_use]
    pub fn archived_base_path(&self, name: &str) -> String {
        format!("{}/_archive/base-images/{name}.yaml", self.state)
    }

    /// Where a path belongs; `None` for what is no part of a tree.
    #[must_use]
    pub fn group(&self, path: &str) -> Option<Group> {
        let in_folder = |folder: &str, deep: bool| {
            path.strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| is_read(rest) && (deep || !rest.contains('/')))
        };
        let state = |folder: &str| in_folder(&format!("{}/{folder}", self.state), false);
        if path == self.enrollment || in_folder("images.d", false) {
            Some(Group::Enrollment)
        } else if state("images") {
            Some(Group::Image)
        } else if state("base-images") {
            Some(Group::Base)
        } else if state("_archive/images") || state("_archive/base-images") {
            Some(Group::Archive)
        } else if in_folder(&self.out_folder, true) {
            Some(Group::Out)
        } else {
            None
        }
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        let files: &[InputFile] = match self.group(path)? {
            // Few, and not in the order of their paths.
            Group::Enrollment => {
                let mut files = self.inputs.enrollment.iter();
                return files
                    .find(|file| *file.path == *path)
                    .map(|file| file.text.as_str());
            }
            Group::Image => &self.inputs.images,
            Group::Base => &self.inputs.bases,
            Group::Archive => &self.archive,
            Group::Out => return self.out.get(path).map(String::as_str),
        };
        let at = files.binary_search_by(|file| (*file.path).cmp(path)).ok()?;
        files.get(at).map(|file| file.text.as_str())
    }

    /// The tree after an edit. Paths that are no part of a tree are left out.
    #[must_use]
    pub fn with(&self, edit: &Edit) -> Self {
        let mut tree = self.clone();
        tree.apply(edit);
        tree
    }

    /// Makes an edit. Paths that are no part of a tree are left out.
    pub fn apply(&mut self, edit: &Edit) {
        let mut changed: [BTreeMap<&str, Option<&str>>; 4] = Default::default();
        for (path, text) in &edit.files {
            let slot = match self.group(path) {
                Some(Group::Enrollment) => 0,
                Some(Group::Image) => 1,
                Some(Group::Base) => 2,
                Some(Group::Archive) => 3,
                Some(Group::Out) => {
                    match text {
                        Some(text) => self.out.insert(path.clone(), text.clone()),
                        None => self.out.remove(path),
                    };
                    continue;
                }
                None => continue,
            };
            if let Some(group) = changed.get_mut(slot) {
                group.insert(path, text.as_deref());
            }
        }
        let [enrollment, images, bases, archive] = changed;
        replace(&mut self.inputs.enrollment, enrollment);
        // images.yaml comes before images.d, whatever it is called.
        let main = &self.enrollment;
        self.inputs
            .enrollment
            .sort_by_key(|file| *file.path != **main);
        replace(&mut self.inputs.images, images);
        replace(&mut self.inputs.bases, bases);
        replace(&mut self.archive, archive);
    }
}

/// Is a file of this name one that is read as state or enrollment?
#[must_use]
pub fn is_read(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".yaml") && !name.ends_with(".example.yaml") && !name.starts_with('.')
}

/// Replaces, adds and removes files, keeping the order of the paths.
fn replace(files: &mut Vec<InputFile>, mut changed: BTreeMap<&str, Option<&str>>) {
    if changed.is_empty() {
        return;
    }
    files.retain_mut(|file| match changed.remove(&*file.path) {
        Some(Some(text)) => {
            text.clone_into(&mut file.text);
            true
        }
        Some(None) => false,
        None => true,
    });
    let before = files.len();
    files.extend(changed.into_iter().filter_map(|(path, text)| {
        Some(InputFile {
            path: Arc::from(path),
            text: text?.to_owned(),
        })
    }));
    if files.len() > before {
        files.sort_by(|one, other| one.path.cmp(&other.path));
    }
}

/// Files to be written (`Some`, with the whole text) or deleted (`None`), by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// What becomes of each path.
    pub files: BTreeMap<String, Option<String>>,
}

impl Edit {
    /// Is there nothing to do?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes a file.
    pub fn write(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.files.insert(path.into(), Some(text.into()));
    }

    /// Deletes a file.
    pub fn delete(&mut self, path: impl Into<String>) {
        self.files.insert(path.into(), None);
    }

    /// This edit, and then another one on what it leaves.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        self.files.extend(later.files);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> InputFile {
        InputFile {
            path: path.into(),
            text: text.to_owned(),
        }
    }

    fn tree() -> Tree {
        Tree {
            inputs: InputFiles {
                enrollment: vec![file("images.yaml", "i"), file("images.d/a.yaml", "d")],
                images: vec![file("state/images/b.yaml", "b")],
                bases: vec![file("state/base-images/n.yaml", "n")],
                ..InputFiles::default()
            },
            archive: vec![file("state/_archive/images/old.yaml", "o")],
            out: BTreeMap::from([("dist/a.k8s.yaml".to_owned(), "m".to_owned())]),
            ..Tree::default()
        }
    }

    #[test]
    fn paths_fall_into_groups() {
        for (path, group) in [
            ("images.yaml", Some(Group::Enrollment)),
            ("images.d/team.yaml", Some(Group::Enrollment)),
            ("images.d/more/team.yaml", None),
            ("state/images/a.yaml", Some(Group::Image)),
            ("state/images/a.example.yaml", None),
            ("state/images/.a.yaml", None),
            ("state/images/a.yml", None),
            ("state/base-images/a.yaml", Some(Group::Base)),
            ("state/_archive/images/a.yaml", Some(Group::Archive)),
            ("state/_archive/base-images/a.yaml", Some(Group::Archive)),
            ("state/a.yaml", None),
            ("states/images/a.yaml", None),
            ("dist/backstage/catalog.yaml", Some(Group::Out)),
            ("README.md", None),
        ] {
            assert_eq!(tree().group(path), group, "{path}");
        }
    }

    #[test]
    fn an_edit_replaces_adds_and_removes_in_order() {
        let mut edit = Edit::default();
        edit.write("state/images/a.yaml", "a");
        edit.write("state/images/b.yaml", "b2");
        edit.delete("state/base-images/n.yaml");
        edit.delete("state/_archive/images/old.yaml");
        edit.write("images.d/0.yaml", "zero");
        edit.write("dist/b.k8s.yaml", "new");
        edit.delete("dist/a.k8s.yaml");
        edit.write("README.md", "no part of a tree");
        let after = tree().with(&edit);
        let paths = |files: &[InputFile]| -> Vec<String> {
            files.iter().map(|f| f.path.to_string()).collect()
        };
        assert_eq!(
            paths(&after.inputs.enrollment),
            ["images.yaml", "images.d/0.yaml", "images.d/a.yaml"]
        );
        assert_eq!(
            paths(&after.inputs.images),
            ["state/images/a.yaml", "state/images/b.yaml"]
        );
        assert_eq!(after.text("state/images/b.yaml"), Some("b2"));
        assert_eq!(after.text("state/base-images/n.yaml"), None);
        assert!(after.archive.is_empty());
        assert_eq!(after.text("dist/a.k8s.yaml"), None);
        assert_eq!(after.text("dist/b.k8s.yaml"), Some("new"));
        assert_eq!(after.text("README.md"), None);
        assert_eq!(tree().text("images.yaml"), Some("i"));
    }

    #[test]
    fn of_two_edits_the_later_counts() {
        let mut first = Edit::default();
        assert!(first.is_empty());
        first.write("a", "1");
        first.write("b", "1");
        let mut later = Edit::default();
        later.delete("a");
        later.write("c", "2");
        let both = first.then(later);
        assert_eq!(
            both.files,
            BTreeMap::from([
                ("a".to_owned(), None),
                ("b".to_owned(), Some("1".to_owned())),
                ("c".to_owned(), Some("2".to_owned())),
            ])
        );
    }
}
