//! Who is built on whom among our own images.

use super::{BaseFacts, Facts, ImageFacts};

/// The images in the order of their names, and what they are built on.
pub(super) struct Family<'f> {
    /// Sorted by name, each once.
    pub(super) images: Vec<&'f ImageFacts>,
    /// For each image the bases that are ours, with the places of these images.
    parents: Vec<Vec<(&'f BaseFacts, usize)>>,
    /// For each image how many steps the longest way to it has, over own images.
    depth: Vec<usize>,
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
        let mut parents: Vec<Vec<(&BaseFacts, usize)>> = Vec::with_capacity(images.len());
        for (at, image) in images.iter().enumerate() {
            let mut own: Vec<(&BaseFacts, usize)> = image
                .bases
                .iter()
                .filter_map(|base| {
                    let parent = base.parent.as_ref()?;
                    let found = images.binary_search_by(|image| image.name.cmp(parent));
                    Some((base, found.ok().filter(|found| *found != at)?))
                })
                .collect();
            own.sort_by(|one, other| one.0.name.cmp(&other.0.name));
            parents.push(own);
        }
        let mut family = Self {
            depth: vec![0; images.len()],
            order: Vec::with_capacity(images.len()),
            images,
            parents,
        };
        family.sort();
        family
    }

    /// Parents before children; what is in a circle, which the model refuses, comes last.
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
        if self.order.len() < self.images.len() {
            let circles = missing.iter().enumerate().filter(|(_, n)| **n > 0);
            self.order.extend(circles.map(|(at, _)| at));
        }
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
