//! What is tracked, and how it stands: the rows of `status`.
//!
//! A state file that says what cannot be is a problem of its image, and no reason to
//! show nothing of the others; so this reads documents one by one, not the model.

mod attempts;
mod human;
mod json;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{Diagnostic, Place, code, nearest};
use crate::graph::Kind;
use crate::model::{self, Image, ObjectName, Parse as _, Reference, Repository, Tag, Time, Watch};
use crate::plan::{self, Decision, Order};
use crate::record::{self, On, Pending, Rule, Waiting};
use crate::state::{BaseDoc, ImageDoc};
use crate::tree::Tree;

pub use attempts::Attempts;
pub use human::human;
pub use json::json;

/// One image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What a Dockerfile calls it, or where it is pushed.
    pub reference: String,
    /// The base images it is built on, sorted.
    pub bases: Vec<String>,
    /// The images that are built on it, sorted.
    pub dependents: Vec<String>,
    /// Its version, if that is recorded.
    pub version: Option<String>,
    /// Its digest, if that is recorded.
    pub digest: Option<String>,
    /// When that was built, or first seen.
    pub since: Option<Time>,
    /// When it was last built.
    pub last_built: Option<Time>,
    /// How the last discovery ended, in the word of its state file.
    pub discovery: Option<&'static str>,
    /// The changes of its bases that it has to follow.
    pub pending: Option<Pending>,
    /// What the planner does about it, if it is ours to build.
    pub next: Option<Decision>,
    /// How the attempts to rebuild it stand, if there were any.
    pub attempts: Option<Attempts>,
    /// Is it rebuilt without anybody's order?
    pub auto: bool,
    /// What is not as it should be.
    pub problems: Vec<String>,
}

/// How everything stands.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The enrolled images in the order of images.yaml, then base images by name.
    pub rows: Vec<Row>,
    /// What is wrong, and is no row's problem.
    pub diagnostics: Vec<Diagnostic>,
    /// State says what cannot be, somewhere.
    pub damaged: bool,
}

/// Reads how everything stands. `unread` are the state files that could not be read at
/// all, and why; `now` is the time for which it is planned.
///
/// # Errors
///
/// What is wrong with the enrollment.
pub fn report(tree: &Tree, unread: &[Diagnostic], now: Time) -> Result<Report, Vec<Diagnostic>> {
    let (enrolled, said) = model::enrollment(&tree.inputs);
    let Some((settings, images)) = enrolled else {
        return Err(said);
    };
    let mut wrong = Vec::new();
    let mut docs = Docs::read(tree, &images, &mut wrong);
    let places = unread.iter().filter_map(|fault| fault.place.as_ref());
    docs.files
        .extend(places.map(|place| place.file.to_string()));
    let mut rows: Vec<Row> = images
        .iter()
        .map(|image| {
            let waiting = Waiting::of(&settings, image);
            docs.image(image, &waiting, &tree.image_path(image.name.as_str()))
        })
        .collect();
    // What is wrong with single files is told below.
    if let Ok((facts, _)) = plan::facts(tree) {
        let planned = plan::plan(&facts, &Order::Due, now).decisions.into_iter();
        let mut planned: BTreeMap<String, Decision> = planned
            .map(|decision| (decision.image.to_string(), decision))
            .collect();
        for row in &mut rows {
            row.next = planned.remove(&row.name);
        }
    }
    for row in &mut rows {
        let gave_up = row.decided_by() == Some(Rule::GaveUp);
        let failed = row.attempts.as_ref();
        row.problems.extend(failed.and_then(|a| a.problem(gave_up)));
    }
    let enrolled: BTreeSet<&str> = images.iter().map(|image| image.name.as_str()).collect();
    for (name, base) in &docs.bases {
        if !enrolled.contains(name.as_str()) {
            rows.push(docs.base(base));
        }
    }
    let mut report = Report {
        rows,
        ..Report::default()
    };
    let (_, all) = model::load(&tree.inputs);
    // Manifests need little of a file; what is wrong with the rest stops its image as well.
    let told: BTreeSet<&str> = all
        .iter()
        .filter(|fault| fault.is_error())
        .filter_map(|fault| Some(&*fault.place.as_ref()?.file))
        .collect();
    let untold = wrong.iter().filter(|fault| {
        let place = fault.place.as_ref();
        fault.is_error() && place.is_some_and(|place| !told.contains(&*place.file))
    });
    report.problems(tree, &images, all.iter().chain(untold).chain(unread));
    Ok(report)
}

impl Row {
    /// The rule that decided what is done about it.
    fn decided_by(&self) -> Option<Rule> {
        let first = self.next.as_ref()?.reasons.first();
        first.map(|reason| reason.rule)
    }
}

impl Report {
    /// The image that somebody means, alone.
    ///
    /// # Errors
    ///
    /// If there is none, with the nearest name.
    pub fn only(&mut self, wanted: &str) -> Result<(), Diagnostic> {
        let named = |row: &Row| row.name == wanted;
        let same = |row: &Row| row.reference == wanted;
        let mut rows = self.rows.iter();
        let found = rows
            .position(named)
            .or_else(|| self.rows.iter().position(same));
        let Some(at) = found else {
            let names: Vec<&str> = self.rows.iter().map(|row| &*row.name).collect();
            let help = match nearest(wanted, &names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "`image-factory status` shows all images".to_owned(),
            };
            let message = format!("there is no image `{wanted}`");
            return Err(Diagnostic::error(code::UNKNOWN_IMAGE, message).help(help));
        };
        self.rows = vec![self.rows.swap_remove(at)];
        Ok(())
    }

    /// Gives each diagnostic to the image that it is about.
    fn problems<'d>(
        &mut self,
        tree: &Tree,
        images: &[Image],
        all: impl Iterator<Item = &'d Diagnostic>,
    ) {
        let mut owners: BTreeMap<Place, &str> = BTreeMap::new();
        let mut files: BTreeMap<String, usize> = BTreeMap::new();
        for image in images {
            for key in ["name", "source", "repository"] {
                owners.insert(image.fields.of(key), image.name.as_str());
            }
        }
        let at: BTreeMap<String, usize> =
            self.rows.iter().map(|r| r.name.clone()).zip(0..).collect();
        for (name, &row) in &at {
            files.insert(tree.image_path(name), row);
            files.insert(tree.base_path(name), row);
        }
        for diagnostic in all {
            let place = diagnostic.place.as_ref();
            let owner = place.and_then(|place| {
                let named = owners.get(place).and_then(|name| at.get(*name));
                named.or_else(|| files.get(&*place.file)).copied()
            });
            let in_state = place.is_some_and(|place| {
                tree.group(&place.file)
                    .is_some_and(|group| group != crate::tree::Group::Enrollment)
            });
            self.damaged |= diagnostic.is_error() && in_state;
            match owner.and_then(|at| self.rows.get_mut(at)) {
                // Told with what was recorded.
                Some(_) if diagnostic.code == code::DISCOVERY_FAILED => {}
                Some(row) => {
                    if !row.problems.contains(&diagnostic.message) {
                        row.problems.push(diagnostic.message.clone());
                    }
                }
                None => self.diagnostics.push(diagnostic.clone()),
            }
        }
    }
}

/// The documents of state, and who is whose base.
struct Docs<'i> {
    images: BTreeMap<String, ImageDoc>,
    bases: BTreeMap<String, BaseDoc>,
    managed: BTreeMap<&'i Repository, &'i str>,
    external: BTreeMap<(&'i Repository, &'i Tag), &'i str>,
    /// The images that name a base, by its name.
    users: BTreeMap<String, BTreeSet<String>>,
    /// Every state file of an image, also those that say what cannot be.
    files: BTreeSet<String>,
}

impl<'i> Docs<'i> {
    /// Reads them; `wrong` gets what stands in the way of it.
    fn read(tree: &Tree, images: &'i [Image], wrong: &mut Vec<Diagnostic>) -> Self {
        let mut docs = Self {
            images: BTreeMap::new(),
            bases: BTreeMap::new(),
            managed: BTreeMap::new(),
            external: BTreeMap::new(),
            users: BTreeMap::new(),
            files: BTreeSet::new(),
        };
        for file in &tree.inputs.images {
            docs.files.insert(file.path.to_string());
            let read = ImageDoc::read(file);
            wrong.extend(read.diagnostics);
            if let Some(doc) = read.doc {
                docs.images.insert(doc.name.to_string(), doc);
            }
        }
        for file in &tree.inputs.bases {
            let read = BaseDoc::read(file);
            wrong.extend(read.diagnostics);
            if let Some(doc) = read.doc {
                docs.bases.insert(doc.name.to_string(), doc);
            }
        }
        for image in images {
            let name = image.name.as_str();
            if image.is_managed() {
                docs.managed.entry(&image.repository).or_insert(name);
            } else if let Watch::Tag(tag) = &image.watch {
                docs.external
                    .entry((&image.repository, tag))
                    .or_insert(name);
            }
            let found = docs.images.get(name).filter(|_| image.is_managed());
            for base in found
                .and_then(|doc| doc.bases.as_ref())
                .into_iter()
                .flatten()
            {
                let users = docs.users.entry(base.to_string()).or_default();
                users.insert(name.to_owned());
            }
        }
        docs
    }

    /// The enrolled image that a base is, and whether we build it.
    fn enrolled(&self, base: &BaseDoc) -> Option<(&'i str, bool)> {
        let reference = Reference::parse(&base.full_image).ok()?;
        if let Some(name) = self.managed.get(&reference.repository) {
            return Some((name, true));
        }
        let tag = reference.tag.as_ref()?;
        let name = self.external.get(&(&reference.repository, tag))?;
        Some((name, false))
    }

    fn users(&self, base: &str) -> impl Iterator<Item = &String> {
        self.users.get(base).into_iter().flatten()
    }

    fn image(&self, image: &Image, waiting: &Waiting, path: &str) -> Row {
        let name = image.name.as_str();
        let doc = self.images.get(name);
        let bases: &[ObjectName] = match doc.and_then(|doc| doc.bases.as_deref()) {
            Some(bases) if image.is_managed() => bases,
            _ => &[],
        };
        let mut dependents: BTreeSet<String> = self.users(name).cloned().collect();
        for (base, doc) in &self.bases {
            if self.enrolled(doc).is_some_and(|(of, _)| of == name) {
                dependents.extend(self.users(base).cloned());
            }
        }
        let known = bases.iter().filter_map(|base| {
            let base = self.bases.get(base.as_str())?;
            let own = self.enrolled(base).is_some_and(|(_, own)| own);
            Some(On { base, own })
        });
        let mut row = Row {
            name: name.to_owned(),
            kind: if image.is_managed() {
                Kind::Managed
            } else {
                Kind::External
            },
            reference: image.repository.to_string(),
            bases: bases.iter().map(ObjectName::to_string).collect(),
            dependents: dependents.into_iter().collect(),
            version: None,
            digest: None,
            since: None,
            last_built: None,
            discovery: None,
            pending: doc.and_then(|doc| record::pending(doc, waiting, known)),
            next: None,
            attempts: doc.and_then(Attempts::of),
            auto: image.auto_rebuild,
            problems: Vec::new(),
        };
        if let Some(doc) = doc {
            row.version.clone_from(&doc.current_version);
            row.digest = doc.current_digest.as_ref().map(|d| d.as_str().to_owned());
            row.last_built = doc.last_built.as_ref().map(|at| at.time());
            let seen = doc.last_updated.as_ref().map(|at| at.time());
            row.since = row.last_built.or(seen).filter(|_| row.digest.is_some());
            row.discovery = Some(word(doc.status));
            if let Some(error) = &doc.discovery_error {
                let at = error.at.as_ref();
                let at = at.map_or_else(String::new, |at| format!(" at {at}"));
                row.problems
                    .push(format!("discovery failed{at}: {}", error.message));
            } else if doc.status == model::DiscoveryStatus::Failed {
                row.problems.push("the last discovery failed".to_owned());
            }
        } else if !image.is_managed() && !self.files.contains(path) {
            row.problems
                .push("there is no state of it yet: run `image-factory discover`".to_owned());
        }
        row
    }

    fn base(&self, base: &BaseDoc) -> Row {
        let digest = base.current_digest.as_ref();
        let seen = base
            .last_updated
            .as_ref()
            .or(base.first_discovered.as_ref());
        let mut row = Row {
            name: base.name.to_string(),
            kind: Kind::Base,
            reference: base.full_image.clone(),
            bases: Vec::new(),
            dependents: self.users(base.name.as_str()).cloned().collect(),
            version: base.tag.clone(),
            digest: digest.map(|digest| digest.as_str().to_owned()),
            since: seen.map(|at| at.time()).filter(|_| digest.is_some()),
            last_built: None,
            discovery: None,
            pending: None,
            next: None,
            attempts: None,
            auto: true,
            problems: Vec::new(),
        };
        let pin = Reference::parse(&base.full_image).ok();
        let pin = pin.and_then(|pinned| pinned.tag.is_some().then_some(pinned.digest?));
        if let (Some(pin), Some(digest)) = (pin, digest)
            && !digest.is(&pin)
        {
            row.problems.push(format!(
                "the Dockerfile pins a digest that its tag has left; the tag is at {}",
                digest.as_str()
            ));
        }
        row
    }
}

const fn word(status: model::DiscoveryStatus) -> &'static str {
    match status {
        model::DiscoveryStatus::Pending => "pending",
        model::DiscoveryStatus::Success => "success",
        model::DiscoveryStatus::Failed => "failed",
        model::DiscoveryStatus::External => "external",
    }
}

#[cfg(test)]
mod tests;
