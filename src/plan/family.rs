//! Who is built on whom among our own images.

use super::{BaseFacts, Facts, ImageFacts};
use crate::model::cycles::components;

/// The images in the order of their names, and what they are built on.
pub(super) struct Family<'f> {
    /// Sorted by name, each once.
    pub(super) images: Vec<&'f ImageFacts>,
    /// For each image the bases that are ours, with the places of these images.
    parents: Vec<Vec<(&'f BaseFacts, usize)>>,
    /// For each image how many steps the longest way to it has, over own images.
    depth: Vec<usize>,
    /// For each image: is it built on itself, however long the way?
    circle: Vec<bool>,
    /// Places of all images, parents first.
    pub(super) order: Vec<usize>,
}

impl<'f> Family<'f> {
    pub(super) fn of(facts: &'f Facts) -> Self {
        let mut images: Vec<&ImageFacts> = facts.images.iter().collect();
        if !images.is_sorted_by(|one, other| one.name < other.name) {
            images.sort_by(|one, other| one.name.cmp(&other.name));
            images.dedup_by(|one, other| one.name == other.name);
        }
        let mut circle = vec![false; images.len()];
        let mut parents: Vec<Vec<(&BaseFacts, usize)>> = Vec::with_capacity(images.len());
        for (at, image) in images.iter().enumerate() {
            let mut own: Vec<(&BaseFacts, usize)> = image
                .bases
                .iter()
                .filter_map(|base| {
                    let parent = base.parent.as_ref()?;
                    let found = images.binary_search_by(|image| image.name.cmp(parent));
                    Some((base, found.ok()?))
                })
                .collect();
            own.sort_by(|one, other| one.0.name.cmp(&other.0.name));
            if own.iter().any(|(_, parent)| *parent == at)
                && let Some(circle) = circle.get_mut(at)
            {
                *circle = true;
                own.retain(|(_, parent)| *parent != at);
            }
            parents.push(own);
        }
        let mut family = Self {
            depth: vec![0; images.len()],
            order: Vec::with_capacity(images.len()),
            circle,
            images,
            parents,
        };
        family.sort();
        if family.order.len() < family.images.len() {
            family.open_circles();
            family.order.clear();
            family.sort();
        }
        family
    }

    /// Who is in a circle has no order among those; for all others there is one.
    fn open_circles(&mut self) {
        let edges = |of: &Vec<(&BaseFacts, usize)>| of.iter().map(|(_, to)| *to).collect();
        let edges: Vec<Vec<usize>> = self.parents.iter().map(edges).collect();
        let part = components(&edges);
        for (at, parents) in self.parents.iter_mut().enumerate() {
            let before = parents.len();
            parents.retain(|(_, parent)| part.get(*parent) != part.get(at));
            if parents.len() < before
                && let Some(circle) = self.circle.get_mut(at)
            {
                *circle = true;
            }
        }
    }

    /// Parents before children. What is in a circle is left.
    fn sort(&mut self) {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.images.len()];
        let mut missing: Vec<usize> = self.parents.iter().map(Vec::len).collect();
        for (at, parents) in self.parents.iter().enumerate() {
            for (_, parent) in parents {
                if let Some(children) = children.get_mut(*parent) {
                    children.push(at);
                }
            }
        }
        let free = |missing: &[usize]| -> Vec<usize> {
            let places = missing.iter().enumerate();
            places.filter(|(_, n)| **n == 0).map(|(at, _)| at).collect()
        };
        let mut ready = free(&missing);
        while let Some(at) = ready.pop() {
            self.order.push(at);
            let next = self.depth(at) + 1;
            for &child in children.get(at).into_iter().flatten() {
                if let (Some(depth), Some(missing)) =
                    (self.depth.get_mut(child), missing.get_mut(child))
                {
                    *depth = next.max(*depth);
                    *missing -= 1;
                    if *missing == 0 {
                        ready.push(child);
                    }
                }
            }
        }
    }

    /// Is an image built on itself, or in a circle with others?
    pub(super) fn in_circle(&self, at: usize) -> bool {
        self.circle.get(at).copied().unwrap_or(false)
    }

    /// How many steps the longest way to an image has.
    pub(super) fn depth(&self, at: usize) -> usize {
        self.depth.get(at).copied().unwrap_or(0)
    }

    /// The bases of an image that are ours, and where these images are.
    pub(super) fn parents(&self, at: usize) -> &[(&'f BaseFacts, usize)] {
        self.parents.get(at).map_or(&[], Vec::as_slice)
    }

    /// The image that a base of the image is.
    pub(super) fn parent(&self, at: usize, base: &str) -> Option<usize> {
        let mut parents = self.parents(at).iter();
        parents
            .find(|(own, _)| own.name.as_str() == base)
            .map(|(_, parent)| *parent)
    }
}
