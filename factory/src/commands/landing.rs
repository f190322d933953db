//! Where goes what a command changes in the tree: onto the disk, into a commit, to the
//! branch that all share.
//!
//! A command computes its change from a tree that it is given. Without `--commit` that
//! is the disk's; with it that of a commit, perhaps several times, of which the last
//! counts.

use std::cell::RefCell;

use factory::git::auth::Credentials;
use factory::git::publish::{Options, Patience, PublishError, Published, Target, publish};
use factory::git::pull_request::Host;
use factory::git::{Checkout, Git};
use image_factory::cli::run::{self, Said, Stopped};
use image_factory::cli::{Streams, Surroundings};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{self, Branch, Settings};
use image_factory::pipeline;
use image_factory::template::TemplateError;
use image_factory::tree::Tree;
use image_factory::workspace::{self, Hold, Layout};
use serde_json::{Value, json};

pub(crate) use factory::git::publish::Change;

/// Options of every command that writes state.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Landing {
    /// Commit the change, and dist/ with it where that follows
    #[arg(long)]
    commit: bool,
    /// Push the commit to settings.git.branch; where others were faster, it is computed
    /// anew on what they pushed
    #[arg(long, requires = "commit")]
    push: bool,
    /// Push to a branch of its own, and open a pull request
    #[arg(long, requires = "push")]
    pull_request: bool,
}

impl Landing {
    /// Is a commit made, rather than files written?
    pub(crate) const fn commits(&self) -> bool {
        self.commit
    }

    /// Who opens the pull request, if one is asked for.
    ///
    /// # Errors
    ///
    /// If the repository's host is none that knows them.
    pub(crate) fn host(
        &self,
        settings: &Settings,
        said: &mut Said,
    ) -> Result<Option<Host>, Stopped> {
        if !self.pull_request {
            return Ok(None);
        }
        let host = Host::of(settings, Surroundings::variable);
        host.map(Some).map_err(|error| said.stop([error]))
    }

    /// Where a commit goes.
    pub(crate) const fn target<'t>(
        &self,
        branch: &'t Branch,
        host: Option<&'t Host>,
    ) -> Target<'t> {
        match host {
            Some(host) => Target::PullRequest(branch, host),
            None if self.push => Target::Push(branch),
            None => Target::Here,
        }
    }

    /// Is it proposed in a pull request?
    pub(crate) const fn proposes(&self) -> bool {
        self.pull_request
    }

    /// Is it pushed?
    pub(crate) const fn pushes(&self) -> bool {
        self.push
    }
}

/// What became of the change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Landed {
    /// The files that changed, by path.
    files: Vec<String>,
    commit: Option<Published>,
}

impl Landed {
    /// The files that changed, by path.
    pub(crate) fn files(&self) -> &[String] {
        &self.files
    }

    /// What was committed.
    pub(crate) const fn published(&self) -> Option<&Published> {
        self.commit.as_ref()
    }

    /// As people are told.
    pub(crate) fn text(&self) -> String {
        let count = self.files.len();
        let files = if count == 1 { "file" } else { "files" };
        match &self.commit {
            None if count == 0 => String::new(),
            None => format!("{count} {files} written\n"),
            Some(published) => {
                let commit = &published.commit;
                let short = commit.get(..12).unwrap_or(commit);
                let again = match published.attempts {
                    0 | 1 => String::new(),
                    attempts => format!(", after {attempts} attempts"),
                };
                let request = match &published.pull_request {
                    None => String::new(),
                    Some(url) => format!(", proposed as {url}"),
                };
                format!("{count} {files} committed as {short}{again}{request}\n")
            }
        }
    }

    /// Several that came one after the other: each commit, and once what was written.
    pub(crate) fn all(several: &[Self]) -> String {
        let commits = several.iter().filter(|one| one.commit.is_some());
        let mut text: String = commits.map(Self::text).collect();
        let written = several.iter().filter(|one| one.commit.is_none());
        let mut files: Vec<String> = written.flat_map(|one| one.files.clone()).collect();
        files.sort_unstable();
        files.dedup();
        let whole = Self {
            files,
            commit: None,
        };
        text.push_str(&whole.text());
        text
    }

    /// As machines are told.
    pub(crate) fn add_to(&self, whole: &mut Value) {
        let commit = self.commit.as_ref();
        if let Some(object) = whole.as_object_mut() {
            object.insert("files".to_owned(), json!(self.files));
            object.insert(
                "commit".to_owned(),
                json!(commit.map(|published| &published.commit)),
            );
            object.insert(
                "pullRequest".to_owned(),
                json!(commit.and_then(|published| published.pull_request.as_ref())),
            );
        }
    }
}

/// What a command computes: from a tree its change, if there is one.
pub(crate) type Compute<'c> = dyn FnMut(&Tree, &mut Said) -> Result<Option<Change>, Stopped> + 'c;

/// Computes a change and lets it land. `topic` tells one proposal from another.
///
/// # Errors
///
/// What stood in the way; nothing has changed then.
pub(crate) fn land(
    landing: &Landing,
    layout: &Layout,
    topic: &str,
    streams: &mut Streams<'_>,
    said: &mut Said,
    compute: &mut Compute<'_>,
) -> Result<Landed, Stopped> {
    let _lock = run::lock(layout, &layout.root, Hold::Alone, streams, said)?;
    let tree = load(layout, said)?;
    if landing.commit {
        committed(landing, layout, &tree, topic, streams, said, compute)
    } else {
        written(layout, &tree, said, compute)
    }
}

/// The tree of the disk. A state file that cannot be read is told, and stands in nobody's
/// way; anything else that cannot be does.
pub(crate) fn load(layout: &Layout, said: &mut Said) -> Result<Tree, Stopped> {
    let tree = run::load(layout, said)?;
    let state = format!("{}/", tree.state);
    let of_state = |d: &Diagnostic| {
        let place = d.place.as_ref();
        place.is_some_and(|place| place.file.starts_with(&state))
    };
    let mut errors = said.diagnostics.iter().filter(|d| d.is_error());
    if errors.any(|d| !of_state(d)) {
        return Err(said.stop([]));
    }
    Ok(tree)
}

fn written(
    layout: &Layout,
    tree: &Tree,
    said: &mut Said,
    compute: &mut Compute<'_>,
) -> Result<Landed, Stopped> {
    let Some(change) = compute(tree, said)? else {
        return Ok(Landed::default());
    };
    workspace::apply(layout, &change.edit).map_err(|faults| said.stop(faults))?;
    Ok(Landed {
        files: change.edit.files.into_keys().collect(),
        commit: None,
    })
}

fn committed(
    landing: &Landing,
    layout: &Layout,
    places: &Tree,
    topic: &str,
    streams: &mut Streams<'_>,
    said: &mut Said,
    compute: &mut Compute<'_>,
) -> Result<Landed, Stopped> {
    let (enrolled, diagnostics) = model::enrollment(&places.inputs);
    let (settings, _) = enrolled.ok_or_else(|| said.stop(diagnostics))?;
    let git = Git::of_process();
    let own = settings.git_repo(None).ok();
    let credentials = Credentials::new(&git, &settings.providers, own);
    let checkout = Checkout::around(&git, &layout.root)
        .map_err(|error| said.stop([error]))?
        .with(credentials);
    let host = landing.host(&settings, said)?;
    let branch = &settings.git.branch;
    let target = landing.target(branch, host.as_ref());
    let streams = RefCell::new(streams);
    let tell = |line: &str| {
        if let Ok(mut streams) = streams.try_borrow_mut() {
            streams.tell(&format!("{line}\n"));
        }
    };
    let options = Options {
        places,
        target,
        topic,
        patience: Patience::default(),
        tell: &tell,
    };
    let mut files = Vec::new();
    let published = publish(&checkout, &options, &mut |tree| {
        // What was said of an older tree is said of it no more.
        *said = Said::default();
        said.know(tree);
        let change = compute(tree, said)?.map(|change| rendered(tree, change, said));
        files = change.as_ref().map_or_else(Vec::new, |change| {
            change.edit.files.keys().cloned().collect()
        });
        Ok(change)
    });
    match published {
        Ok(commit) => {
            let warnings = commit.iter().flat_map(|published| &published.warnings);
            said.diagnostics.extend(warnings.cloned());
            if commit.is_none() {
                files.clear();
            }
            Ok(Landed { files, commit })
        }
        Err(PublishError::Compute(Stopped)) => Err(Stopped),
        Err(PublishError::Stopped(errors)) => Err(said.stop(errors)),
    }
}

/// The change and what `synth` makes of it. Manifests that cannot be rendered keep no
/// state from being recorded.
fn rendered(tree: &Tree, change: Change, said: &mut Said) -> Change {
    let Change { edit, message } = change;
    let (out, diagnostics) = pipeline::out_edit(&tree.with(&edit));
    let edit = match out {
        Some(out) => edit.then(out),
        None => {
            let errors = diagnostics.iter().filter(|d| d.is_error()).count();
            let what = if errors == 1 { "error" } else { "errors" };
            let message = format!("the manifests are not rendered, because of {errors} {what}");
            said.diagnostics.push(
                Diagnostic::warning(code::NOT_RENDERED, message)
                    .help("run `image-factory synth`, which tells them"),
            );
            edit
        }
    };
    Change { edit, message }
}

/// A text of ours that could not be filled in.
pub(crate) fn fault(error: &TemplateError) -> Diagnostic {
    Diagnostic::error(code::TEXT_FAILED, error.to_string())
}
