//! Entries for the Dockerfiles of a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::origin::{host_of, repository_of};
use super::{Entry, Source};
use crate::model::{Model, Name, Parse as _, Provider};

/// A Dockerfile that was found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Found {
    /// Its path from the top of the repository, with `/` between the parts.
    pub path: String,
    /// What it is built on, for people.
    pub bases: Vec<String>,
}

/// An entry that somebody may want.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// The entry.
    pub entry: Entry,
    /// What its Dockerfile is built on.
    pub bases: Vec<String>,
}

impl Proposal {
    /// The entry with a comment that says what it is built on.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        if !self.bases.is_empty() {
            text.push_str(&format!("# built on {}\n", self.bases.join(", ")));
        }
        text + &self.entry.text()
    }
}

/// An entry for each Dockerfile that no entry names yet. `source` holds what they have in
/// common; names come from folders and file names, and none is used twice.
#[must_use]
pub fn propose(found: &[Found], source: &Source, registry: &str, model: &Model) -> Vec<Proposal> {
    let enrolled = enrolled(source, model);
    let mut taken: BTreeSet<String> = model.images.iter().map(|i| i.name.to_string()).collect();
    let mut repositories: BTreeSet<String> = model
        .images
        .iter()
        .map(|i| i.repository.to_string())
        .collect();
    let mut wanted: Vec<&Found> = found
        .iter()
        .filter(|found| !enrolled.contains(found.path.as_str()))
        .collect();
    wanted.sort();
    wanted.dedup();
    // A short name that two would have goes to neither.
    let mut short: BTreeMap<String, usize> = BTreeMap::new();
    for found in &wanted {
        let first = names(&found.path, &source.repo).into_iter().next();
        *short.entry(first.unwrap_or_default()).or_default() += 1;
    }
    let place = |name: &str| place(name, source, registry, model);
    let mut proposals = Vec::new();
    for found in wanted {
        let candidates = names(&found.path, &source.repo);
        let alone = |name: &&String| short.get(*name).is_none_or(|&count| count < 2);
        let mut name = candidates
            .iter()
            .filter(alone)
            .find(|name| {
                !taken.contains(*name)
                    && !repositories.contains(&format!("{registry}/{}", place(name)))
            })
            .or(candidates.last())
            .cloned()
            .unwrap_or_else(|| "image".to_owned());
        let base = name.clone();
        let mut number = 2;
        while taken.contains(&name)
            || repositories.contains(&format!("{registry}/{}", place(&name)))
        {
            name = format!("{}-{number}", cut(&base, 58));
            number += 1;
        }
        taken.insert(name.clone());
        repositories.insert(format!("{registry}/{}", place(&name)));
        proposals.push(Proposal {
            entry: Entry {
                registry: Some(registry.to_owned()),
                repository: place(&name),
                name,
                source: Some(Source {
                    dockerfile: (found.path != "Dockerfile").then(|| found.path.clone()),
                    ..source.clone()
                }),
                ..Entry::default()
            },
            bases: found.bases.clone(),
        });
    }
    proposals
}

/// The Dockerfiles of the repository that an image is built from already.
fn enrolled(source: &Source, model: &Model) -> BTreeSet<String> {
    let here = |repo: &str| repo.eq_ignore_ascii_case(&source.repo);
    let settings = &model.settings;
    let own = settings.git.repo.as_ref();
    let own = own
        .and_then(|own| repository_of(own.as_str(), &settings.providers))
        .is_some_and(|(_, own)| here(own.as_str()));
    let mut paths = BTreeSet::new();
    for (image, known) in model.managed() {
        if here(known.repo.as_str()) {
            paths.insert(known.dockerfile.to_string());
        }
        let local = image.local.as_ref().filter(|_| own);
        if let Some((local, path)) =
            local.and_then(|local| Some((local, local.dockerfile.as_ref()?)))
        {
            paths.insert(path.to_string());
            paths.extend(local.dir.as_ref().map(|dir| format!("{dir}/{path}")));
        }
    }
    paths
}

/// The path of an image below its registry: beside its repository, but GitLab's own
/// registry takes only what is below the path of the project.
fn place(name: &str, source: &Source, registry: &str, model: &Model) -> String {
    let repo = source.repo.to_lowercase();
    let (owner, own) = repo.rsplit_once('/').unwrap_or((&repo, ""));
    let gitlab = model.settings.providers.gitlab.web();
    let below = source.provider.as_deref() == Some(Provider::GitLab.as_str())
        && registry.strip_prefix("registry.") == Some(host_of(&gitlab));
    match below {
        true if name == own => repo,
        true => format!("{repo}/{name}"),
        false => format!("{owner}/{name}"),
    }
}

/// Is a file of this name a Dockerfile: `Dockerfile`, `Containerfile`, `Dockerfile.api`,
/// `api.Dockerfile`?
#[must_use]
pub(crate) fn variant(file: &str) -> Option<&str> {
    for word in ["Dockerfile", "Containerfile"] {
        if file == word {
            return Some("");
        }
        let part = file
            .strip_prefix(word)
            .and_then(|rest| rest.strip_prefix('.'))
            .or_else(|| file.strip_suffix(word)?.strip_suffix('.'));
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            // Texts that go with a Dockerfile, and drafts of one.
            let other = [
                "dockerignore",
                "md",
                "txt",
                "orig",
                "bak",
                "swp",
                "j2",
                "tmpl",
                "template",
            ];
            return (!other.iter().any(|end| part.rsplit('.').next() == Some(end))).then_some(part);
        }
    }
    None
}

impl Found {
    /// Is this the name of a Dockerfile?
    #[must_use]
    pub fn is_dockerfile(file: &str) -> bool {
        variant(file).is_some()
    }
}

/// Names for a Dockerfile, the shortest first: by its folder, then by the folders above.
fn names(path: &str, repo: &str) -> Vec<String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let own = repo.rsplit('/').next().unwrap_or(repo);
    let mut parts: Vec<&str> = vec![own];
    parts.extend(folder.split('/').filter(|part| !part.is_empty()));
    // Folders that say no more than that a Dockerfile is in them.
    while parts.len() > 1
        && matches!(
            parts.last(),
            Some(&("docker" | "build" | "container" | "." | ".docker"))
        )
    {
        parts.pop();
    }
    let end = variant(file).unwrap_or_default();
    let mut names = Vec::new();
    for from in (0..parts.len()).rev() {
        let mut words: Vec<&str> = parts.iter().skip(from).copied().collect();
        words.extend(Some(end).filter(|end| !end.is_empty()));
        names.extend(label(&words.join("-")));
    }
    names
}

/// A text as a DNS label.
fn label(text: &str) -> Option<String> {
    let mut label = String::new();
    for c in text.to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            label.push(c);
        } else if !label.ends_with('-') {
            label.push('-');
        }
    }
    let label = cut(label.trim_matches('-'), 63);
    Name::parse(&label).ok().map(|name| name.to_string())
}

fn cut(label: &str, longest: usize) -> String {
    let cut: String = label.chars().take(longest).collect();
    cut.trim_end_matches('-').to_owned()
}
