//! Which image is built on which: the graph of dependencies, and pictures of it.
//!
//! Edges lead from what is built on to what is built. A base that is one of our own
//! images stands between the image and what is built on it: `base-app` →
//! `owner-base-app-1.2` → `web`. A [`Model`] has no circle, so neither has its graph.

mod dot;
mod human;
mod json;
mod layout;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{Diagnostic, code, nearest};
use crate::model::{Duration, Image, Link, Model, Parse as _, Reference};

pub use dot::dot;
pub use human::{View, human};
pub use json::json;
pub use mermaid::{MOST_EDGES, mermaid};
pub use svg::svg;

/// What an image is to the factory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// We build it.
    Managed,
    /// Somebody else does; it was enrolled to be watched.
    External,
    /// Some Dockerfile names it.
    Base,
}

impl Kind {
    /// As machines read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::External => "external",
            Self::Base => "base",
        }
    }
}

/// One image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Its name, which no other has.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What a Dockerfile calls it, or where it is pushed.
    pub reference: String,
    /// How many steps the longest way to it has; 0 if it is built on nothing known.
    pub depth: usize,
    /// A managed image: how long it waits after a change, unless only a person
    /// starts its rebuilds.
    delay: Option<Duration>,
    bases: Vec<usize>,
    dependents: Vec<usize>,
}

/// The images of a factory, or some of them, sorted by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
}

/// A rebuild that a change causes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rebuild<'g> {
    /// Which image.
    pub image: &'g str,
    /// How long after the change at the earliest; `None` if a person has to start it,
    /// or one that it waits for.
    pub wait: Option<Duration>,
    /// The rebuilt images that it waits for and is built on, sorted.
    pub after: Vec<&'g str>,
}

impl Graph {
    /// The graph of everything.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        let mut nodes: BTreeMap<&str, Node> = BTreeMap::new();
        for base in model.bases.values() {
            let node = Node::new(base.name.as_str(), Kind::Base, base.full_image.clone());
            nodes.insert(base.name.as_str(), node);
        }
        // An external image whose base has its name is that base: one node.
        for image in &model.images {
            nodes.insert(image.name.as_str(), Node::enrolled(image));
        }
        let mut edges: BTreeSet<(&str, &str)> = BTreeSet::new();
        for image in &model.images {
            for base in model.bases_of(image) {
                edges.insert((base.name.as_str(), image.name.as_str()));
            }
        }
        for base in model.bases.values() {
            if let Link::Managed(name) | Link::External(name) = &base.link
                && name.as_str() != base.name.as_str()
            {
                edges.insert((name.as_str(), base.name.as_str()));
            }
        }
        let at: BTreeMap<&str, usize> = nodes.keys().copied().zip(0..).collect();
        let edges: Vec<(usize, usize)> = edges
            .into_iter()
            .filter_map(|(from, to)| Some((*at.get(from)?, *at.get(to)?)))
            .collect();
        Self::joined(nodes.into_values().collect(), &edges)
    }

    /// The nodes with these edges; the nodes are sorted by name.
    fn joined(nodes: Vec<Node>, edges: &[(usize, usize)]) -> Self {
        let mut graph = Self { nodes };
        for &(from, to) in edges {
            if let Some(node) = graph.nodes.get_mut(from) {
                node.dependents.push(to);
            }
            if let Some(node) = graph.nodes.get_mut(to) {
                node.bases.push(from);
            }
        }
        for node in &mut graph.nodes {
            node.bases.sort_unstable();
            node.dependents.sort_unstable();
        }
        graph.measure();
        graph
    }

    /// Gives each node its depth.
    fn measure(&mut self) {
        let mut missing: Vec<usize> = self.nodes.iter().map(|node| node.bases.len()).collect();
        let mut depth = vec![0; self.nodes.len()];
        let mut ready: Vec<usize> = (0..self.nodes.len())
            .filter(|&at| missing.get(at) == Some(&0))
            .collect();
        while let Some(at) = ready.pop() {
            let next = depth.get(at).map_or(0, |depth: &usize| depth + 1);
            for &to in self.node(at).map_or(&[][..], |node| &node.dependents) {
                if let (Some(depth), Some(missing)) = (depth.get_mut(to), missing.get_mut(to)) {
                    *depth = next.max(*depth);
                    *missing -= 1;
                    if *missing == 0 {
                        ready.push(to);
                    }
                }
            }
        }
        for (node, depth) in self.nodes.iter_mut().zip(depth) {
            node.depth = depth;
        }
    }

    /// All nodes, sorted by name; what [`bases`](Self::bases) and the like give are
    /// places in this list.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at)
    }

    /// The nodes at these places.
    fn at<'g>(&'g self, places: &'g [usize]) -> impl Iterator<Item = &'g Node> {
        places.iter().filter_map(|&at| self.node(at))
    }

    /// Where the image of this name is.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.nodes
            .binary_search_by(|node| node.name.as_str().cmp(name))
            .ok()
    }

    /// Where the image is that somebody means: by its name, by the reference to it in a
    /// Dockerfile, or by where it is pushed.
    ///
    /// # Errors
    ///
    /// If there is none, with the nearest name.
    pub fn look_up(&self, wanted: &str) -> Result<usize, Diagnostic> {
        if let Some(at) = self.find(wanted) {
            return Ok(at);
        }
        let canonical = Reference::parse(wanted).ok();
        let same = |node: &Node| {
            node.reference == wanted
                || (canonical.is_some() && Reference::parse(&node.reference).ok() == canonical)
        };
        if let Some(at) = self.nodes.iter().position(same) {
            return Ok(at);
        }
        let names: Vec<&str> = self.nodes.iter().map(|node| &*node.name).collect();
        let help = match nearest(wanted, &names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "`image-factory graph` shows all images".to_owned(),
        };
        let message = format!("there is no image `{wanted}`");
        Err(Diagnostic::error(code::UNKNOWN_IMAGE, message).help(help))
    }

    /// What the image at a place is built on, directly.
    #[must_use]
    pub fn bases(&self, at: usize) -> &[usize] {
        self.node(at).map_or(&[], |node| &node.bases)
    }

    /// What is built on the image at a place, directly.
    #[must_use]
    pub fn dependents(&self, at: usize) -> &[usize] {
        self.node(at).map_or(&[], |node| &node.dependents)
    }

    /// All edges, from what is built on to what is built, sorted by these names.
    pub fn edges(&self) -> impl Iterator<Item = (&Node, &Node)> {
        self.nodes
            .iter()
            .flat_map(|from| self.at(&from.dependents).map(move |to| (from, to)))
    }

    /// How many steps the longest way has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.nodes.iter().map(|node| node.depth).max().unwrap_or(0)
    }

    /// What an image is built on, however far away, sorted; itself not.
    #[must_use]
    pub fn all_bases(&self, at: usize) -> Vec<usize> {
        reached(at, |at| self.bases(at))
    }

    /// What is built on an image, however far away, sorted; itself not.
    #[must_use]
    pub fn all_dependents(&self, at: usize) -> Vec<usize> {
        reached(at, |at| self.dependents(at))
    }

    /// The part that concerns one image: what it is built on and what is built on it.
    #[must_use]
    pub fn around(&self, at: usize) -> Self {
        let mut kept = self.all_bases(at);
        kept.push(at);
        kept.extend(self.all_dependents(at));
        kept.sort_unstable();
        let nodes = self.at(&kept).map(Node::alone).collect();
        let mut edges = Vec::new();
        for (from, &old) in kept.iter().enumerate() {
            for to in self.dependents(old) {
                edges.extend(kept.binary_search(to).ok().map(|to| (from, to)));
            }
        }
        Self::joined(nodes, &edges)
    }

    /// The managed images, each after all that it is built on.
    #[must_use]
    pub fn order(&self) -> Vec<&Node> {
        let mut order: Vec<&Node> = self
            .nodes
            .iter()
            .filter(|node| node.kind == Kind::Managed)
            .collect();
        order.sort_by_key(|node| node.depth);
        order
    }

    /// The rebuilds that a change of the image at a place causes, each after those that
    /// it waits for: an image waits its own delay, and not at all for one of ours that
    /// was rebuilt, but then as long as that does.
    #[must_use]
    pub fn cascade(&self, at: usize) -> Vec<Rebuild<'_>> {
        let mut concerned = self.all_dependents(at);
        concerned.sort_by_key(|&at| self.node(at).map_or(0, |node| node.depth));
        // A new build of ours, under its name or as somebody's base, is waited for by none.
        let managed = |node: &Node| node.kind == Kind::Managed;
        let own = self
            .node(at)
            .is_some_and(|node| managed(node) || self.at(&node.bases).any(managed));
        // What brings the change on: the rebuilt images behind a node, and their wait.
        let mut carried: BTreeMap<usize, (BTreeSet<usize>, Wait)> = BTreeMap::new();
        let begins = if own { Wait::Follows(0) } else { Wait::Own };
        carried.insert(at, (BTreeSet::new(), begins));
        let mut rebuilds = Vec::new();
        for at in concerned {
            let Some(node) = self.node(at) else { continue };
            let mut after = BTreeSet::new();
            let mut wait = Wait::Own;
            for (images, longest) in node.bases.iter().filter_map(|base| carried.get(base)) {
                after.extend(images.iter().copied());
                wait = wait.max(*longest);
            }
            if node.kind != Kind::Managed {
                carried.insert(at, (after, wait));
                continue;
            }
            wait = match (wait, node.delay) {
                (Wait::Never, _) | (_, None) => Wait::Never,
                (Wait::Follows(minutes), _) => Wait::Follows(minutes),
                (Wait::Own, Some(delay)) => Wait::Follows(delay.minutes()),
            };
            rebuilds.push(Rebuild {
                image: &node.name,
                wait: match wait {
                    Wait::Follows(minutes) => Some(Duration::from_minutes(minutes)),
                    Wait::Own | Wait::Never => None,
                },
                after: after
                    .iter()
                    .filter_map(|&at| self.node(at))
                    .map(|node| node.name.as_str())
                    .collect(),
            });
            carried.insert(at, (BTreeSet::from([at]), wait));
        }
        rebuilds
    }

    /// How many nodes are of a kind.
    fn count(&self, kind: Kind) -> usize {
        self.nodes.iter().filter(|node| node.kind == kind).count()
    }
}

/// How long something waits for a change to arrive; in the order of who decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wait {
    /// As long as it says itself.
    Own,
    /// So many minutes, since what it is built on does.
    Follows(u32),
    /// Until a person comes.
    Never,
}

/// All that can be reached from a node, sorted, the node itself left out.
fn reached<'g>(start: usize, next: impl Fn(usize) -> &'g [usize]) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for &to in next(at) {
            if seen.insert(to) {
                open.push(to);
            }
        }
    }
    seen.remove(&start);
    seen.into_iter().collect()
}

impl Node {
    fn new(name: &str, kind: Kind, reference: String) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            reference,
            depth: 0,
            delay: None,
            bases: Vec::new(),
            dependents: Vec::new(),
        }
    }

    fn enrolled(image: &Image) -> Self {
        let kind = if image.is_managed() {
            Kind::Managed
        } else {
            Kind::External
        };
        Self {
            delay: image.auto_rebuild.then_some(image.rebuild_delay),
            ..Self::new(image.name.as_str(), kind, image.repository.to_string())
        }
    }

    /// The same without edges.
    fn alone(&self) -> Self {
        Self {
            bases: Vec::new(),
            dependents: Vec::new(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests;
