//! What a build script calls.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "shell: a build script reads facts, writes to OUT_DIR and talks to cargo"
)]

use std::path::{Path, PathBuf};

use crate::emit;
use crate::error::{Error, Errors};
use crate::facts::Facts;
use crate::format;
use crate::lower::{self, Config, Graft, Input};

/// The hand-written part of generated code, copied beside it.
const RUNTIME: &[&str] = &[
    include_str!("../runtime/core.rs"),
    include_str!("../runtime/decode.rs"),
    include_str!("../runtime/check.rs"),
    include_str!("../runtime/scalars.rs"),
    include_str!("../runtime/schema.rs"),
];

/// Generates Rust types from facts; see the crate's documentation for an example.
///
/// Pointers name the facts first: `Stage/spec/vars/items` is the items of the
/// list `vars` in the `spec` of the facts `Stage`; `values` stands for the
/// values of a map, and `Name#definition` for a definition.
#[derive(Debug, Clone, Default)]
pub struct Generator {
    config: Config,
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    inputs: Vec<Input>,
    out: Option<String>,
}

/// What was generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The types, as they go into the file named by [`Generator::out_dir_file`].
    pub types: String,
    /// What they need, as it goes into `crd_runtime.rs` beside it.
    pub runtime: String,
}

impl Generator {
    /// Nothing to generate yet.
    #[must_use]
    pub fn new() -> Generator {
        Generator::default()
    }

    /// Reads every `*.facts` file of a folder, and of the folders in it, in
    /// order of their paths.
    #[must_use]
    pub fn facts_dir(mut self, folder: impl Into<PathBuf>) -> Generator {
        self.folders.push(folder.into());
        self
    }

    /// Reads one facts file.
    #[must_use]
    pub fn facts_file(mut self, file: impl Into<PathBuf>) -> Generator {
        self.files.push(file.into());
        self
    }

    /// Takes facts that are already read; `file` is their name in messages.
    #[must_use]
    pub fn facts(mut self, file: impl Into<String>, facts: Facts) -> Generator {
        self.inputs.push(Input {
            file: file.into(),
            facts,
        });
        self
    }

    /// Maps a folded core object (`batch/v1.JobSpec`) to the Rust type at `path`,
    /// which must be `Serialize`, `Deserialize`, `JsonSchema`, `Clone`, `Debug`,
    /// `Default` and `PartialEq`.
    #[must_use]
    pub fn core(mut self, name: &str, path: &str) -> Generator {
        self.config.cores.push((name.to_string(), path.to_string()));
        self
    }

    /// Names the type at a pointer, in which `*` stands for any text. Two places may get one name when their facts
    /// are the same; then they share the type.
    #[must_use]
    pub fn rename(mut self, pointer: &str, name: &str) -> Generator {
        self.config
            .renames
            .push((pointer.to_string(), name.to_string()));
        self
    }

    /// The string at a pointer is a Go duration, though no pattern says so.
    #[must_use]
    pub fn duration(mut self, pointer: &str) -> Generator {
        self.config.durations.push(pointer.to_string());
        self
    }

    /// Booleans, numbers, enums and durations of these free-standing facts may
    /// be expressions (`${{ … }}`), and strings with one are not checked.
    #[must_use]
    pub fn expressions(mut self, facts: &str) -> Generator {
        self.config.expressions.push(facts.to_string());
        self
    }

    /// What the facts leave open at a pointer is an object with exactly one key,
    /// and the key says which free-standing facts hold for its value:
    /// `("image", "ImageSubscription")`.
    #[must_use]
    pub fn keyed_union(
        mut self,
        pointer: &str,
        name: &str,
        variants: &[(&str, &str)],
    ) -> Generator {
        let graft = Graft::Keyed {
            name: name.to_string(),
            variants: pairs(variants),
        };
        self.config.grafts.push((pointer.to_string(), graft));
        self
    }

    /// The object at a pointer has a property `tag` that says which free-standing
    /// facts hold for the property `content`; both become one field.
    ///
    /// With `or`, a union's name and another property, the rules must say that
    /// either the tag or that property is set. Without, properties that the rules
    /// forbid whenever the tag is set are left out.
    #[must_use]
    pub fn tagged_union(
        mut self,
        pointer: &str,
        field: &str,
        union: &TaggedUnion<'_>,
    ) -> Generator {
        let graft = Graft::Tagged {
            field: field.to_string(),
            name: union.name.to_string(),
            tag: union.tag.to_string(),
            content: union.content.to_string(),
            variants: pairs(union.variants),
            or: union
                .or
                .map(|(name, property)| (name.to_string(), property.to_string())),
        };
        self.config.grafts.push((pointer.to_string(), graft));
        self
    }

    /// Optional properties of the object at a pointer, of which its rules let at
    /// most one be set, become one field whose type is an enum. That the rules
    /// say so is proved; if they do not, generation fails.
    #[must_use]
    pub fn choice(
        mut self,
        pointer: &str,
        field: &str,
        name: &str,
        properties: &[&str],
    ) -> Generator {
        let graft = Graft::Choice {
            field: field.to_string(),
            name: name.to_string(),
            properties: properties.iter().map(|name| (*name).to_string()).collect(),
        };
        self.config.grafts.push((pointer.to_string(), graft));
        self
    }

    /// Name of the file in `OUT_DIR` that [`Generator::run`] writes.
    #[must_use]
    pub fn out_dir_file(mut self, file: &str) -> Generator {
        self.out = Some(file.to_string());
        self
    }

    /// Generates, writes to `OUT_DIR` only, and tells cargo which files matter.
    ///
    /// # Errors
    ///
    /// Everything [`Generator::generate`] refuses, and files that cannot be read
    /// or written.
    pub fn run(self) -> Result<(), Errors> {
        for path in self.folders.iter().chain(&self.files) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
        let (Some(out), Some(file)) = (std::env::var_os("OUT_DIR"), self.out.clone()) else {
            let message = "run() is for build scripts: it needs OUT_DIR and out_dir_file(…)";
            return Err(whole("build.rs", message));
        };
        let out = PathBuf::from(out);
        let generated = self.generate()?;
        for (file, text) in [
            (file.as_str(), &generated.types),
            ("crd_runtime.rs", &generated.runtime),
        ] {
            let path = out.join(file);
            std::fs::write(&path, text)
                .map_err(|error| whole(&path.display().to_string(), &error.to_string()))?;
        }
        Ok(())
    }

    /// Generates without writing anything.
    ///
    /// # Errors
    ///
    /// Facts that cannot be read (file and line), a schema that cannot be
    /// expressed (file and pointer), and calls that no longer apply.
    pub fn generate(self) -> Result<Generated, Errors> {
        let mut inputs = self.inputs;
        let mut errors = Vec::new();
        let mut files = Vec::new();
        for folder in &self.folders {
            if let Err(error) = list(folder, &mut files) {
                errors.push(error);
            }
        }
        files.extend(self.files.iter().cloned());
        for file in &files {
            match read(file) {
                Ok(input) => inputs.push(input),
                Err(error) => errors.push(error),
            }
        }
        for (index, input) in inputs.iter().enumerate() {
            let first = inputs
                .iter()
                .position(|other| other.facts.name == input.facts.name);
            if first != Some(index) {
                errors.push(Error {
                    file: input.file.clone(),
                    pointer: String::new(),
                    message: format!("facts named `{}` were read before", input.facts.name),
                });
            }
        }
        if !errors.is_empty() {
            return Err(Errors(errors));
        }
        let containers = lower::lower(&inputs, &self.config).map_err(Errors)?;
        let types = emit::emit(&inputs, &containers).map_err(Errors)?;
        Ok(Generated {
            types,
            runtime: RUNTIME.concat(),
        })
    }
}

/// A union for [`Generator::tagged_union`].
#[derive(Debug, Clone, Copy)]
pub struct TaggedUnion<'a> {
    /// Name of the enum.
    pub name: &'a str,
    /// The property that says what it is.
    pub tag: &'a str,
    /// The property that holds it.
    pub content: &'a str,
    /// Values of the tag, each with the name of the facts of its content.
    pub variants: &'a [(&'a str, &'a str)],
    /// Name of the enum of this union and one other property, and that property.
    pub or: Option<(&'a str, &'a str)>,
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(left, right)| ((*left).to_string(), (*right).to_string()))
        .collect()
}

fn whole(file: &str, message: &str) -> Errors {
    Errors(vec![Error {
        file: file.to_string(),
        pointer: String::new(),
        message: message.to_string(),
    }])
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error {
        file: path.display().to_string(),
        pointer: String::new(),
        message: format!("cannot be read: {error}"),
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let mut entries = std::fs::read_dir(folder)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(|error| unreadable(folder, &error))?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "facts")
        {
            files.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Input, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    // Forward slashes, so that what is generated is the same everywhere.
    let file = path.display().to_string().replace('\\', "/");
    match format::parse(&file, &text) {
        Ok(facts) => Ok(Input { file, facts }),
        Err(error) => Err(Error {
            file: format!("{}:{}:{}", error.file, error.line, error.column),
            pointer: String::new(),
            message: error.message,
        }),
    }
}
