//! Which templates there are, which variables each may name, and the check that
//! holds a template to that. `build.rs` compiles this file too, so a template at
//! fault stops the build; it therefore uses std and minijinja only.

use std::fmt;

use minijinja::Value;

use super::environment::environment;

/// A variable that a template may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    /// One piece of text.
    Text(&'static str),
    /// Several pieces of text, for a `for` loop.
    List(&'static str),
}

impl Variable {
    /// The name as templates write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text(name) | Self::List(name) => name,
        }
    }
}

/// One template: its file under `templates/` and all that it may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declaration {
    /// Path under `templates/`, with `/`.
    pub(crate) path: &'static str,
    /// Every variable of the context that it is rendered with.
    pub(crate) variables: &'static [Variable],
}

/// Every template. A file that is not listed, or a listed file that is not there,
/// stops the build.
pub(crate) const TEMPLATES: &[Declaration] = &[
    Declaration {
        path: "commits/discover.txt",
        variables: &[
            Variable::Text("subject"),
            Variable::List("news"),
            Variable::Text("by"),
        ],
    },
    Declaration {
        path: "commits/record.txt",
        variables: &[
            Variable::Text("name"),
            Variable::Text("reference"),
            Variable::Text("tag"),
            Variable::Text("from"),
            Variable::Text("digest"),
            Variable::Text("short"),
            Variable::Text("at"),
            Variable::Text("freight"),
            Variable::List("dependents"),
            Variable::Text("by"),
        ],
    },
    Declaration {
        path: "commits/analyze.txt",
        variables: &[
            Variable::Text("subject"),
            Variable::Text("why"),
            Variable::List("facts"),
            Variable::Text("by"),
        ],
    },
    Declaration {
        path: "commits/rebuild.txt",
        variables: &[
            Variable::Text("subject"),
            Variable::List("lines"),
            Variable::Text("run"),
            Variable::Text("by"),
        ],
    },
    Declaration {
        path: "updates/commit-message.txt",
        variables: UPDATES,
    },
    Declaration {
        path: "updates/pull-request-body.md",
        variables: UPDATES,
    },
    Declaration {
        path: "updates/pull-request-title.txt",
        variables: UPDATES,
    },
    Declaration {
        path: "workflows/github-build.yml",
        variables: BUILD,
    },
    Declaration {
        path: "workflows/github-schedule.yml",
        variables: SCHEDULE,
    },
    Declaration {
        path: "workflows/gitlab-build.yml",
        variables: BUILD,
    },
    Declaration {
        path: "workflows/gitlab-schedule.yml",
        variables: SCHEDULE,
    },
    Declaration {
        path: "workflows/gitlab-root.yml",
        variables: &[],
    },
];

const BUILD: &[Variable] = &[
    Variable::Text("image"),
    Variable::Text("name"),
    Variable::Text("repository"),
    Variable::Text("registry"),
    Variable::Text("registry_text"),
    Variable::Text("dockerfile"),
    Variable::Text("context"),
    Variable::Text("target"),
    Variable::Text("platforms"),
    Variable::Text("args"),
    Variable::Text("bases"),
    Variable::Text("job"),
    Variable::Text("program"),
    Variable::Text("factory"),
    Variable::Text("branch"),
    Variable::Text("folder"),
    Variable::Text("token_env"),
];

const SCHEDULE: &[Variable] = &[
    Variable::Text("program"),
    Variable::Text("folder"),
    Variable::Text("branch"),
    Variable::Text("github_env"),
    Variable::Text("gitlab_env"),
    Variable::Text("trigger_env"),
];

const UPDATES: &[Variable] = &[
    Variable::Text("image"),
    Variable::Text("repository"),
    Variable::Text("version"),
    Variable::Text("stage"),
    Variable::List("paths"),
];

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Path under `templates/`.
    pub(crate) path: String,
    /// 1-based; the first line where the place is not known.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            message,
        } = self;
        write!(f, "templates/{path}:{line}: {message}")
    }
}

/// Holds the text of a template to its declaration: it parses, it names declared
/// variables only, and it renders with each of them given (which finds a filter
/// that does not exist).
pub(crate) fn check(declaration: &Declaration, source: &str) -> Result<(), Fault> {
    let fault = |line: Option<usize>, message: String| Fault {
        path: declaration.path.to_owned(),
        line: line.unwrap_or(1),
        message,
    };
    let from_engine = |error: &minijinja::Error| {
        let message = error.detail().map_or_else(
            || error.kind().to_string(),
            |detail| format!("{}: {detail}", error.kind()),
        );
        fault(error.line(), message)
    };
    let environment = environment();
    let template = environment
        .template_from_named_str(declaration.path, source)
        .map_err(|error| from_engine(&error))?;

    let known = |name: &str| declaration.variables.iter().any(|v| v.name() == name);
    let mut unknown: Vec<(usize, String)> = template
        .undeclared_variables(false)
        .into_iter()
        // Functions of the engine (`range`, `dict`, …) are globals, not variables.
        .filter(|name| !known(name) && !environment.globals().any(|(global, _)| global == name))
        .map(|name| (line_of(source, &name), name))
        .collect();
    unknown.sort();
    if let Some((line, name)) = unknown.into_iter().next() {
        let declared: Vec<_> = declaration.variables.iter().map(|v| v.name()).collect();
        return Err(fault(
            Some(line),
            format!(
                "unknown variable `{name}`; declared are {}",
                declared.join(", ")
            ),
        ));
    }

    let sample = declaration.variables.iter().map(|variable| match variable {
        Variable::Text(name) => (*name, Value::from("text")),
        Variable::List(name) => (*name, Value::from(vec!["text"])),
    });
    match template.render(Value::from_pairs(sample)) {
        Ok(_) => Ok(()),
        Err(error) => Err(from_engine(&error)),
    }
}

/// The first line (1-based) on which a tag names `variable`; the engine tells which
/// variables are free, not where they stand.
fn line_of(source: &str, variable: &str) -> usize {
    let mut inside = false;
    for (number, line) in source.lines().enumerate() {
        let mut rest = line;
        loop {
            let marks: [&str; 2] = if inside { ["}}", "%}"] } else { ["{{", "{%"] };
            let end = marks.iter().filter_map(|mark| rest.find(mark)).min();
            let (part, after) = match end.and_then(|at| rest.split_at_checked(at)) {
                Some((part, after)) => (part, after.get(2..)),
                None => (rest, None),
            };
            if inside && names(part, variable) {
                return number + 1;
            }
            match after {
                Some(after) => {
                    inside = !inside;
                    rest = after;
                }
                None => break,
            }
        }
    }
    1
}

/// Whether `variable` is a word of `part`.
fn names(part: &str, variable: &str) -> bool {
    part.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|word| word == variable)
}
