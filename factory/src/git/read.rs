//! Files of one commit, all at once: a few questions to `git cat-file`, whatever the
//! number of files.

use std::collections::{BTreeMap, BTreeSet};

use super::objects::{self, Object};
use super::resolve::{self, Known, PathFault, Step};

/// Rounds of questions; each folder and each link on the way takes one.
const ROUNDS: usize = 4096;
/// All trees that are asked for at once.
const TREES: u64 = 1 << 30;

/// Where objects come from.
pub(super) trait Store {
    /// Why it cannot give what it has.
    type Error;

    /// What is known about objects, with their content if `content` says how much of
    /// that may come at most. What is not there is `None`, and is not fetched.
    fn ask<'n>(
        &self,
        names: &[&'n str],
        content: Option<u64>,
    ) -> Result<BTreeMap<&'n str, Option<Object>>, Self::Error>;

    /// Fetches files of the commit that are not there yet, by their ids.
    fn bring(&self, ids: &[&str]) -> Result<(), Self::Error>;

    /// What was there is not, or is not what it has to be.
    fn damaged(&self, what: &str) -> Self::Error;
}

/// Why one file cannot be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileFault {
    /// The path leads to no file.
    Path(PathFault),
    /// The file has more bytes than anybody needs.
    TooLarge {
        /// Its size.
        size: u64,
        /// What it may have.
        limit: u64,
    },
}

type File = Result<Vec<u8>, FileFault>;

/// What stands at each of the paths in a commit.
pub(super) fn files<S: Store>(
    store: &S,
    commit: &str,
    paths: &[&str],
    limit: u64,
) -> Result<Vec<File>, S::Error> {
    let ends = ends(store, commit, paths)?;
    let ids: BTreeSet<&str> = ends.iter().filter_map(|end| end.as_deref().ok()).collect();
    let contents = contents(store, &ids, limit)?;
    let file = |end: Result<String, PathFault>| match end {
        Err(fault) => Ok(Err(FileFault::Path(fault))),
        Ok(id) => match contents.get(id.as_str()) {
            Some(file) => Ok(file.clone()),
            None => Err(store.damaged("a file is missing")),
        },
    };
    ends.iter().cloned().map(file).collect()
}

/// The object that each path leads to.
fn ends<S: Store>(
    store: &S,
    commit: &str,
    paths: &[&str],
) -> Result<Vec<Result<String, PathFault>>, S::Error> {
    let mut known = Known::default();
    let top = format!("{commit}^{{tree}}");
    learn_trees(store, &mut known, &[&top], commit.len())?;
    for _ in 0..ROUNDS {
        let steps: Vec<Step> = paths
            .iter()
            .map(|path| resolve::walk(&top, path, &known))
            .collect();
        let (mut trees, mut links) = (BTreeSet::new(), BTreeSet::new());
        for step in &steps {
            match step {
                Step::NeedTree(id) => drop(trees.insert(id.as_str())),
                Step::NeedLink(id) => drop(links.insert(id.as_str())),
                Step::File(_) | Step::Fault(_) => {}
            }
        }
        if trees.is_empty() && links.is_empty() {
            let end = |step| match step {
                Step::File(id) => Some(Ok(id)),
                Step::Fault(fault) => Some(Err(fault)),
                Step::NeedTree(_) | Step::NeedLink(_) => None,
            };
            return Ok(steps.into_iter().filter_map(end).collect());
        }
        let trees: Vec<&str> = trees.into_iter().collect();
        learn_trees(store, &mut known, &trees, commit.len())?;
        for (id, text) in contents(store, &links, resolve::LINK_SIZE)? {
            // A text that is too long for a link leads nowhere.
            known.links.insert(id.to_owned(), text.unwrap_or_default());
        }
    }
    Err(store.damaged("its folders have no end"))
}

fn learn_trees<S: Store>(
    store: &S,
    known: &mut Known,
    names: &[&str],
    id_length: usize,
) -> Result<(), S::Error> {
    if names.is_empty() {
        return Ok(());
    }
    for (name, object) in store.ask(names, Some(TREES))? {
        let tree = object.filter(|object| object.kind == "tree");
        let entries = tree.and_then(|tree| objects::entries(&tree.content, id_length / 2));
        let Some(entries) = entries else {
            return Err(store.damaged("a folder is missing"));
        };
        known.trees.insert(name.to_owned(), entries);
    }
    Ok(())
}

/// The contents of files, fetched where they are not there.
fn contents<'i, S: Store>(
    store: &S,
    ids: &BTreeSet<&'i str>,
    limit: u64,
) -> Result<BTreeMap<&'i str, File>, S::Error> {
    let mut all = BTreeMap::new();
    let ids: Vec<&str> = ids.iter().copied().collect();
    if ids.is_empty() {
        return Ok(all);
    }
    let mut there = store.ask(&ids, None)?;
    let absent: Vec<&str> = there
        .iter()
        .filter_map(|(id, object)| object.is_none().then_some(*id))
        .collect();
    if !absent.is_empty() {
        store.bring(&absent)?;
        there.extend(store.ask(&absent, None)?);
    }
    let (mut fitting, mut bytes) = (Vec::new(), 0);
    for (id, object) in there {
        match object {
            Some(object) if object.kind != "blob" => {
                return Err(store.damaged("a file is something else"));
            }
            Some(Object { size, .. }) if size > limit => {
                all.insert(id, Err(FileFault::TooLarge { size, limit }));
            }
            Some(object) => {
                bytes += object.size;
                fitting.push(id);
            }
            None => return Err(store.damaged("a file is missing")),
        }
    }
    for (id, object) in store.ask(&fitting, Some(bytes))? {
        let Some(object) = object else {
            return Err(store.damaged("a file is missing"));
        };
        all.insert(id, Ok(object.content));
    }
    Ok(all)
}
