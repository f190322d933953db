//! One run, from the texts of a tree to what has to be written.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{self, Diagnostic, Place, code, did_you_mean};
use crate::dockerfile::ImageReference;
use crate::model::{self, Image, Name, ObjectName, Parse as _, Time, Watch};
use crate::state::{BaseDoc, ImageDoc};
use crate::tree::Tree;

use super::archive::{self, Mover};
use super::bases::{self, Links};
use super::dockerfiles::{Reading, Readings};
use super::images::{self, Learnt};
use super::naming::Naming;
use super::old::{self, File, Old};
use super::{Change, Found, ImageResult, Options, Outcome, Scope, Status};

/// Brings state up to date with images.yaml and the Dockerfiles that were found. An
/// image of the scope for which nothing was found, and nothing failed, keeps what is
/// known of it.
#[must_use]
pub fn run(tree: &Tree, found: &BTreeMap<Name, Found>, now: Time, options: &Options) -> Outcome {
    let (enrolled, mut said) = model::enrollment(&tree.inputs);
    let Some((_, images)) = enrolled else {
        return Outcome {
            diagnostics: said,
            refused: true,
            ..Outcome::default()
        };
    };
    let unknown = not_enrolled(&images, &options.scope);
    if !unknown.is_empty() {
        said.extend(unknown);
        return Outcome {
            diagnostics: said,
            refused: true,
            ..Outcome::default()
        };
    }
    let mut run = Run {
        tree,
        images: &images,
        now,
        options,
        old: Old::read(tree, options),
        mover: Mover::new(tree),
        outcome: Outcome {
            diagnostics: said,
            ..Outcome::default()
        },
        names: BTreeMap::new(),
        seen: BTreeMap::new(),
        lists: BTreeMap::new(),
        touched: BTreeSet::new(),
        reset_bases: BTreeSet::new(),
    };
    let learnt = run.read(found);
    run.images(learnt);
    run.bases();
    run.archive_images();
    run.finish()
}

/// Names of the scope that nobody enrolled, one error each.
#[must_use]
pub fn not_enrolled(images: &[Image], scope: &Scope) -> Vec<Diagnostic> {
    let Scope::Only(wanted) = scope else {
        return Vec::new();
    };
    let known: Vec<&str> = images.iter().map(|image| image.name.as_str()).collect();
    let missing = wanted.iter().filter(|name| !known.contains(&name.as_str()));
    missing
        .map(|name| {
            let message = format!("no image `{name}` is enrolled");
            let help = did_you_mean(name.as_str(), &known);
            Diagnostic::error(code::IMAGE_NOT_ENROLLED, message).help(help)
        })
        .collect()
}

struct Run<'r> {
    tree: &'r Tree,
    images: &'r [Image],
    now: Time,
    options: &'r Options,
    old: Old,
    mover: Mover<'r>,
    outcome: Outcome,
    /// The names of the references that were seen, by their canonical spelling.
    names: BTreeMap<String, ObjectName>,
    /// What was seen under a name, and its shortest spelling.
    seen: BTreeMap<ObjectName, (ImageReference, String)>,
    /// The base images of every enrolled managed image, as far as they are known.
    lists: BTreeMap<Name, Vec<ObjectName>>,
    /// Base images that images of the scope have or had.
    touched: BTreeSet<ObjectName>,
    /// Base images whose damaged files are made anew.
    reset_bases: BTreeSet<ObjectName>,
}

impl Run<'_> {
    /// Reads the Dockerfiles and names what they are built on.
    fn read(&mut self, found: &BTreeMap<Name, Found>) -> BTreeMap<Name, Learnt> {
        let mut readings = Readings::default();
        for (image, source) in super::wanted(self.images, &self.options.scope) {
            if let Some(found) = found.get(&image.name) {
                let out = &mut self.outcome.diagnostics;
                readings.read((image, source), found, self.options, out);
            }
        }
        self.outcome.sources = readings.sources;
        let spellings = readings
            .seen
            .iter()
            .map(|(identity, seen)| (identity.clone(), seen.spellings.clone()))
            .collect();
        self.names = self.naming().assign(&spellings);
        for (identity, seen) in readings.seen {
            let shortest = seen.spellings.into_iter().min_by_key(String::len);
            if let (Some(name), Some(spelling)) = (self.names.get(&identity), shortest) {
                self.seen.insert(name.clone(), (seen.image, spelling));
            }
        }
        let named = |identity: &String| self.names.get(identity).cloned();
        let learnt = |reading| match reading {
            Reading::Failed(message) => Learnt::Failed(message),
            Reading::Bases(identities) => {
                let mut names: Vec<ObjectName> = identities.iter().filter_map(named).collect();
                names.sort_unstable();
                names.dedup();
                Learnt::Bases(names)
            }
        };
        let images = readings.images.into_iter();
        images
            .map(|(name, reading)| (name, learnt(reading)))
            .collect()
    }

    fn naming(&self) -> Naming {
        let mut naming = Naming::default();
        // Of two files for one reference the shorter name stays.
        let mut files: Vec<(&String, &File<BaseDoc>)> = self.old.bases.iter().collect();
        files.sort_by_key(|(name, _)| name.len());
        for (name, file) in files {
            match file.doc().map(|doc| (doc, old::identity(doc))) {
                Some((doc, Some(identity))) => naming.keep(&doc.name, &identity.to_string()),
                Some((_, None)) | None => naming.unreadable(name),
            }
        }
        for file in &self.old.archived_bases {
            if let Some(identity) = old::identity(&file.doc) {
                naming.keep(&file.doc.name, &identity.to_string());
            }
        }
        for image in self.images {
            let identity = match &image.watch {
                Watch::Tag(tag) if !image.is_managed() => {
                    Some(format!("{}:{tag}", image.repository))
                }
                _ => None,
            };
            naming.enrolled(image.name.as_str(), identity);
        }
        naming
    }

    /// Brings the files of enrolled images up to date.
    fn images(&mut self, mut learnt: BTreeMap<Name, Learnt>) {
        for image in self.images {
            let learnt = learnt.remove(&image.name).unwrap_or(Learnt::Nothing);
            if self.options.scope.has(&image.name) {
                self.image(image, learnt);
            } else if image.is_managed() {
                let bases = match self.old.images.get(image.name.as_str()) {
                    Some(File::Good(good)) => good.doc.bases.clone(),
                    Some(File::Damaged) | None => None,
                };
                self.list(&image.name, bases);
            }
        }
    }

    /// Notes which base images an image has; where its own file does not say, those
    /// that say it of themselves.
    fn list(&mut self, name: &Name, bases: Option<Vec<ObjectName>>) {
        let bases = bases.unwrap_or_else(|| {
            let docs = self.old.bases.values().filter_map(File::doc);
            docs.filter(|doc| doc.dependents.contains(name))
                .map(|doc| doc.name.clone())
                .collect()
        });
        self.lists.insert(name.clone(), bases);
    }

    fn image(&mut self, image: &Image, learnt: Learnt) {
        let name = &image.name;
        let path = self.tree.image_path(name.as_str());
        let reset = self.options.reset_state && matches!(self.options.scope, Scope::Only(_));
        let file = self.old.images.get(name.as_str());
        if matches!(file, Some(File::Damaged)) && !reset {
            self.damaged(&path, name);
            if image.is_managed() {
                self.list(name, None);
            }
            self.outcome.images.push(ImageResult {
                name: name.clone(),
                status: Status::Damaged,
                bases: self.lists.get(name).cloned().unwrap_or_default(),
                added: Vec::new(),
                removed: Vec::new(),
                change: Change::None,
            });
            return;
        }
        let good = match file {
            Some(File::Good(good)) => Some(good),
            Some(File::Damaged) | None => None,
        };
        // An entry that was changed to another image is as one taken out and one added.
        // As long as nothing is learnt of a managed image, its copy is of the old one.
        let known = !(image.is_managed() && matches!(learnt, Learnt::Nothing));
        let other = good.filter(|good| known && !reset && !archive::is_of(&good.doc, image));
        let good = good.filter(|_| other.is_none());
        let archived = match (file, other) {
            (None, _) if !reset => {
                let out = &mut self.outcome.diagnostics;
                archive::of_image(image, &self.old.archived_images, out)
            }
            (_, Some(_)) => archive::of_image(image, &self.old.archived_images, &mut Vec::new()),
            _ => None,
        };
        let old = good
            .map(|good| &good.doc)
            .or(archived.map(|file| &file.doc));
        let before = other.map(|good| &good.doc).or(old);
        let bases_before = before.and_then(|old| old.bases.clone()).unwrap_or_default();
        let failed = !matches!(learnt, Learnt::Bases(_));
        let mut new = images::merge(image, old.filter(|_| !reset), learnt, self.now);
        if reset && failed && image.is_managed() {
            // It is not known that it is built on something else now.
            new.bases = old.and_then(|old| old.bases.clone());
        }
        let change = images::change(old, &new, archived.is_some());
        let notice = good.and_then(|good| good.notice.clone());
        if let Some(archived) = archived {
            let same = archived.doc == new;
            self.mover
                .bring_back(&archived.path, path.clone(), (!same).then(|| new.write()));
        } else if change != Change::None || notice.is_some() {
            self.mover.edit.write(path.clone(), new.write());
            self.outcome.diagnostics.extend(notice.filter(|_| !reset));
        }
        if let Some(other) = other {
            let to = self.tree.archived_image_path(name.as_str());
            self.mover.keep(&path, &to);
            let told = archive::replaced(image, &other.doc, to);
            self.outcome.diagnostics.push(told);
        }
        let bases = new.bases.clone().unwrap_or_default();
        self.touched
            .extend(bases_before.iter().chain(&bases).cloned());
        if reset {
            self.reset_bases.extend(bases.iter().cloned());
        }
        if image.is_managed() {
            self.list(name, new.bases.clone());
        }
        let without = |these: &[ObjectName], those: &[ObjectName]| -> Vec<ObjectName> {
            let missing = these.iter().filter(|base| !those.contains(base));
            missing.cloned().collect()
        };
        self.outcome.images.push(ImageResult {
            name: name.clone(),
            status: images::status(&new),
            added: without(&bases, &bases_before),
            removed: without(&bases_before, &bases),
            bases,
            change,
        });
    }

    /// Tells what is wrong with a file that is left as it is.
    fn damaged(&mut self, path: &str, name: &Name) {
        for mut diagnostic in self.old.damage.remove(path).unwrap_or_default() {
            diagnostic.help = Some(format!(
                "the file is left as it is: restore it from git, or make it anew with `image-factory discover {name} --reset-state`"
            ));
            self.outcome.diagnostics.push(diagnostic);
        }
    }

    /// Brings the files of base images up to date, and moves away what nobody needs.
    fn bases(&mut self) {
        let mut links = Links::new(self.images);
        for (image, bases) in &self.lists {
            links.add(image, bases);
        }
        let own: BTreeSet<&str> = self
            .images
            .iter()
            .filter(|image| self.options.scope.has(&image.name))
            .map(|image| image.repository.url())
            .collect();
        let concerned = |name: &str, image: Option<&ImageReference>| {
            let ours = |image: &ImageReference| {
                own.contains(format!("{}/{}", image.registry, image.path).as_str())
            };
            self.options.scope == Scope::All
                || ObjectName::parse(name).is_ok_and(|name| self.touched.contains(&name))
                || image.is_some_and(ours)
        };
        let needed: BTreeSet<ObjectName> = links.needed().cloned().collect();
        let mut unneeded = Vec::new();
        let mut there = BTreeSet::new();
        for (name, file) in &self.old.bases {
            let identity = file.doc().and_then(old::identity);
            if !concerned(name, identity.as_ref()) {
                there.insert(name.clone());
            } else if !links.is_needed(name) && file.doc().is_some() {
                unneeded.push(name.clone());
            }
        }
        for name in needed {
            if !there.contains(name.as_str()) {
                self.base(&name, &links);
            }
        }
        for name in unneeded {
            let from = self.tree.base_path(&name);
            let to = self.tree.archived_base_path(&name);
            self.mover.put_away(&from, &to);
            self.outcome
                .archived_bases
                .extend(ObjectName::parse(&name).ok());
        }
        if self.options.scope == Scope::All {
            self.damaged_bases();
        }
    }

    fn base(&mut self, name: &ObjectName, links: &Links) {
        let path = self.tree.base_path(name.as_str());
        let file = self.old.bases.get(name.as_str());
        if matches!(file, Some(File::Damaged)) && !self.reset_bases.contains(name) {
            self.damaged_base(name.as_str());
            return;
        }
        let archived = match file {
            None => {
                let mut archive = self.old.archived_bases.iter();
                let path = self.tree.archived_base_path(name.as_str());
                archive.find(|file| file.doc.name == *name && file.path == path)
            }
            Some(_) => None,
        };
        let good = match file {
            Some(File::Good(good)) => Some(good),
            Some(File::Damaged) | None => None,
        };
        let old = good
            .map(|good| &good.doc)
            .or(archived.map(|file| &file.doc));
        let (image, spelling) = match (self.seen.get(name), old) {
            (Some(seen), _) => seen.clone(),
            (None, Some(old)) => match old::identity(old) {
                Some(image) => (image, old.full_image.clone()),
                None => return,
            },
            // Named by an image that was not looked at; the model says what to do.
            (None, None) => return,
        };
        let new = bases::merge(name, &image, &spelling, old, links, self.now);
        let notice = good.and_then(|good| good.notice.clone());
        self.outcome
            .diagnostics
            .extend(bases::outdated(&new, &path));
        if let Some(archived) = archived {
            let same = archived.doc == new;
            self.mover
                .bring_back(&archived.path, path, (!same).then(|| new.write()));
            self.outcome.restored_bases.push(name.clone());
        } else if old != Some(&new) || notice.is_some() {
            self.mover.edit.write(path, new.write());
            self.outcome.diagnostics.extend(notice);
            if old.is_none() {
                self.outcome.new_bases.push(name.clone());
            }
        }
    }

    fn damaged_bases(&mut self) {
        let damaged = self.old.bases.iter();
        let damaged = damaged.filter(|(_, file)| matches!(file, File::Damaged));
        let names: Vec<String> = damaged.map(|(name, _)| name.clone()).collect();
        for name in names {
            if ObjectName::parse(&name).is_ok_and(|name| self.reset_bases.contains(&name)) {
                continue;
            }
            self.damaged_base(&name);
        }
    }

    fn damaged_base(&mut self, name: &str) {
        let path = self.tree.base_path(name);
        for mut diagnostic in self.old.damage.remove(&path).unwrap_or_default() {
            diagnostic.help = Some(
                "the file is left as it is: restore it from git, or delete it and run `image-factory discover`, which makes it anew"
                    .to_owned(),
            );
            self.outcome.diagnostics.push(diagnostic);
        }
    }

    /// Moves the files of images away that are enrolled no more, unless an enrolled
    /// image is still built on them.
    fn archive_images(&mut self) {
        if self.options.scope != Scope::All {
            return;
        }
        let enrolled: BTreeSet<&str> = self
            .images
            .iter()
            .map(|image| image.name.as_str())
            .collect();
        let mut gone: Vec<Name> = Vec::new();
        let mut damaged = Vec::new();
        for (name, file) in &self.old.images {
            if enrolled.contains(name.as_str()) {
                continue;
            }
            match file.doc() {
                Some(doc) if !self.is_base(doc) => gone.push(doc.name.clone()),
                Some(_) => {}
                None => damaged.push(self.tree.image_path(name)),
            }
        }
        for name in gone {
            let from = self.tree.image_path(name.as_str());
            let to = self.tree.archived_image_path(name.as_str());
            self.mover.put_away(&from, &to);
            self.outcome.archived_images.push(name);
        }
        for path in damaged {
            for mut diagnostic in self.old.damage.remove(&path).unwrap_or_default() {
                diagnostic.help = Some(format!(
                    "no such image is enrolled, and the file is left as it is: delete it, or restore it from git and run `image-factory discover`, which moves it to the archive as `{}`",
                    path.replacen("/images/", "/_archive/images/", 1)
                ));
                self.outcome.diagnostics.push(diagnostic);
            }
        }
    }

    /// Is an enrolled image built on this one?
    fn is_base(&self, doc: &ImageDoc) -> bool {
        let Some(repository) = archive::repository(doc) else {
            return false;
        };
        let is = |image: &ImageReference| {
            format!("{}/{}", image.registry, image.path) == repository.url()
        };
        self.lists.values().flatten().any(|name| {
            let file = self.old.bases.get(name.as_str()).and_then(File::doc);
            let known = file.and_then(old::identity);
            match self.seen.get(name) {
                Some((image, _)) => is(image),
                None => known.is_some_and(|image| is(&image)),
            }
        })
    }

    /// Looks at the whole as `synth` will: at circles among our own images above all.
    fn finish(mut self) -> Outcome {
        self.outcome.edit = self.mover.edit;
        let after = self.tree.with(&self.outcome.edit);
        let (_, found) = model::load(&after.inputs);
        let known: BTreeSet<(diagnostics::Code, Option<Place>)> = self
            .outcome
            .diagnostics
            .iter()
            .map(|d| (d.code, d.place.clone()))
            .collect();
        let damaged: BTreeSet<&str> = self
            .outcome
            .diagnostics
            .iter()
            .filter_map(|d| Some(&*d.place.as_ref()?.file))
            .collect();
        let of_state = |d: &Diagnostic| {
            let file = d.place.as_ref().map(|place| &*place.file);
            file.is_some_and(|file| file.starts_with(&self.tree.state))
        };
        let whole = [code::DEPENDENCY_CYCLE, code::NAME_CLASH];
        let concerns = |d: &Diagnostic| match (of_state(d), &self.options.scope) {
            (true, Scope::All) => {
                let file = d.place.as_ref().map(|place| &*place.file);
                !file.is_some_and(|file| damaged.contains(file))
            }
            _ => whole.contains(&d.code),
        };
        let more: Vec<Diagnostic> = found
            .into_iter()
            .filter(|d| d.is_error() && concerns(d) && !known.contains(&(d.code, d.place.clone())))
            .collect();
        self.outcome.diagnostics.extend(more);
        diagnostics::sort(&mut self.outcome.diagnostics);
        self.outcome
    }
}
