//! What is behind the tags that are watched, as the registries say.

use std::collections::BTreeMap;
use std::path::Path;

use factory::registry::{
    Concurrency, Description, Notice, Options, Registry, RegistryError, Resolved, Wanted,
};
use image_factory::cli::run::Said;
use image_factory::diagnostics::{Diagnostic, Place};
use image_factory::discover::Scope;
use image_factory::model::{
    Digest, Image, Parse as _, Reference, Repository, Settings, Tag, Time, Watch,
};
use image_factory::record::{self, Metadata, Seen, SeenFacts};
use image_factory::state::{BaseDoc, ImageDoc};
use image_factory::tree::{Edit, Tree};

/// A base image or external image whose tag is asked for.
struct Question {
    /// Its name.
    name: String,
    /// Its state file.
    file: String,
    tag: Tag,
    wanted: Wanted,
}

/// What the registries said.
#[derive(Default)]
pub(in crate::commands) struct Answers {
    all: Vec<(Question, Result<Resolved, RegistryError>)>,
}

/// What of it is new.
pub(in crate::commands) struct Recorded {
    pub(in crate::commands) edit: Edit,
    pub(in crate::commands) seen: Vec<SeenFacts>,
}

/// Asks for all literal tags of a scope. `notice` is told when a registry wants a pause.
pub(in crate::commands) fn ask(
    tree: &Tree,
    (settings, images): (&Settings, &[Image]),
    scope: &Scope,
    root: &Path,
    progress: &(dyn Fn(usize, usize) + Sync),
    notice: Notice,
) -> Result<Answers, Diagnostic> {
    let questions = questions(tree, images, scope);
    if questions.is_empty() {
        return Ok(Answers::default());
    }
    let registry = Registry::new(Options {
        notice,
        ..Options::of_factory(settings, root)?
    });
    let wanted: Vec<Wanted> = questions.iter().map(|one| one.wanted.clone()).collect();
    let total = wanted.len();
    let tell = |done| progress(done, total);
    let answers = registry.resolve_all(&wanted, Concurrency::default(), &tell);
    Ok(Answers {
        all: questions.into_iter().zip(answers).collect(),
    })
}

fn questions(tree: &Tree, images: &[Image], scope: &Scope) -> Vec<Question> {
    let mut questions = BTreeMap::new();
    for file in &tree.inputs.bases {
        let Some(doc) = BaseDoc::read(file).doc else {
            continue;
        };
        let concerned = doc.dependents.iter().any(|name| scope.has(name));
        if let Some((repository, tag)) = watched(&doc).filter(|_| concerned) {
            let known = doc.current_digest.as_ref().and_then(|text| text.digest());
            let name = doc.name.to_string();
            let question = question(&name, &file.path, &repository, &tag, known);
            questions.insert(name, question);
        }
    }
    let external = images.iter().filter(|image| !image.is_managed());
    for image in external.filter(|image| scope.has(&image.name)) {
        let Watch::Tag(tag) = &image.watch else {
            continue;
        };
        let name = image.name.to_string();
        let path = tree.image_path(&name);
        let file = tree.inputs.images.iter().find(|file| *file.path == *path);
        let doc = file.and_then(|file| ImageDoc::read(file).doc);
        let known = doc.and_then(|doc| doc.current_digest?.digest());
        let question = question(&name, &path, &image.repo_url, tag, known);
        questions.entry(name).or_insert(question);
    }
    questions.into_values().collect()
}

fn question(
    name: &str,
    file: &str,
    repository: &Repository,
    tag: &Tag,
    known: Option<Digest>,
) -> Question {
    Question {
        name: name.to_owned(),
        file: file.to_owned(),
        tag: tag.clone(),
        wanted: Wanted {
            reference: Reference {
                repository: repository.clone(),
                tag: Some(tag.clone()),
                digest: None,
            },
            known,
            describe: true,
        },
    }
}

/// The tag of a base image that is watched, and where: in the mirror, if there is one.
fn watched(doc: &BaseDoc) -> Option<(Repository, Tag)> {
    let url = doc.warehouse.repo_url.as_ref()?;
    let tag = doc.tag.as_ref()?;
    Some((Repository::parse(url).ok()?, Tag::parse(tag).ok()?))
}

impl Answers {
    /// Records what is new. A registry that gave no answer is told, and stands in
    /// nobody's way.
    pub(in crate::commands) fn record(&self, tree: &Tree, now: Time, said: &mut Said) -> Recorded {
        let mut recorded = Recorded {
            edit: Edit::default(),
            seen: Vec::new(),
        };
        let mut news = Vec::new();
        for (question, answer) in &self.all {
            let resolved = match answer {
                Ok(resolved) => resolved,
                Err(error) => {
                    let place = Place::file(question.file.clone());
                    said.diagnostics.push(error.diagnostic().at(place));
                    continue;
                }
            };
            if question.wanted.known.as_ref() == Some(&resolved.digest) {
                continue;
            }
            news.push(Seen {
                name: question.name.clone(),
                digest: resolved.digest.clone(),
                tag: Some(question.tag.clone()),
                metadata: resolved.description.as_ref().map(metadata),
            });
        }
        if news.is_empty() {
            return recorded;
        }
        for mut outcome in record::digests(tree, &news, now) {
            said.diagnostics.append(&mut outcome.diagnostics);
            if !outcome.edit.is_empty() {
                recorded.edit = recorded.edit.then(outcome.edit);
                recorded.seen.extend(outcome.facts);
            }
        }
        recorded
    }
}

fn metadata(description: &Description) -> Metadata {
    let created = description.created.as_deref();
    Metadata {
        architecture: description.architecture.clone(),
        os: description.os.clone(),
        size: description.size,
        created: created.and_then(|text| Time::parse(text).ok()),
        labels: description.labels.clone(),
    }
}
