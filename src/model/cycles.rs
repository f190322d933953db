//! Circles among our own images.

use std::collections::VecDeque;

use crate::diagnostics::{Diagnostic, code};

use super::{Image, Model};

/// Reports each group of images that depend on each other, by one circle in full.
pub(super) fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let edges: Vec<Vec<usize>> = model
        .images
        .iter()
        .map(|image| parents(model, image))
        .collect();
    for circle in circles(&edges) {
        let images: Vec<&Image> = circle
            .iter()
            .filter_map(|&at| model.images.get(at))
            .collect();
        let from = |image: &Image, parent: &Image| {
            let mut bases = model.bases_of(image);
            let base = bases.find(|base| base.managed_image() == Some(&parent.name));
            base.map(|base| base.full_image.to_string())
        };
        out.extend(told(&images, from));
    }
}

/// The error about a circle, each image of which is built on the next; `from` says what an
/// image calls the one that it is built on.
pub(crate) fn told(
    circle: &[&Image],
    from: impl Fn(&Image, &Image) -> Option<String>,
) -> Option<Diagnostic> {
    let first = circle.first()?;
    let mut path = String::new();
    let mut links = String::from("break the circle in one of the Dockerfiles:");
    let next = circle.iter().skip(1).chain([first]);
    for (image, parent) in circle.iter().zip(next) {
        path.push_str(&format!("`{}` → ", image.name));
        let from = from(image, parent);
        let from = from.map_or_else(String::new, |base| format!(" (`FROM {base}`)"));
        let dockerfile = image.source().map_or_else(String::new, |source| {
            format!(" in {} of {}", source.dockerfile, source.repo)
        });
        links.push_str(&format!(
            "\n`{}` is built on `{}`{from}{dockerfile}",
            image.name, parent.name
        ));
    }
    let message = match circle.len() {
        1 => format!("`{}` is built on itself", first.name),
        _ => format!(
            "images are built on each other in a circle: {path}`{}`",
            first.name
        ),
    };
    let error = Diagnostic::error(code::DEPENDENCY_CYCLE, message);
    Some(error.help(links).at(first.place()))
}

/// The managed images that an image is built on.
fn parents(model: &Model, image: &Image) -> Vec<usize> {
    model
        .bases_of(image)
        .filter_map(|base| model.by_name.get(base.managed_image()?).copied())
        .collect()
}

/// For each strongly connected part that has a circle, a shortest circle through
/// its first node, beginning there. `edges[a]` holds what `a` points to.
pub(crate) fn circles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let component = components(edges);
    let mut seen = vec![false; edges.len()];
    let mut found = Vec::new();
    for start in 0..edges.len() {
        let Some(&part) = component.get(start) else {
            continue;
        };
        let Some(done) = seen.get_mut(part) else {
            continue;
        };
        if !std::mem::replace(done, true) {
            found.extend(shortest(edges, &component, start));
        }
    }
    found
}

/// Breadth first from `start` back to it, within its part.
fn shortest(edges: &[Vec<usize>], component: &[usize], start: usize) -> Option<Vec<usize>> {
    let part = component.get(start)?;
    let mut from: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for &next in edges.get(node).into_iter().flatten() {
            if next == start {
                let mut path = vec![node];
                let mut at = node;
                while at != start {
                    at = *from.get(&at)?;
                    path.push(at);
                }
                path.reverse();
                return Some(path);
            }
            if component.get(next) == Some(part) && !from.contains_key(&next) {
                from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    None
}

/// The strongly connected part of each node, by number; Tarjan's algorithm with
/// a stack of its own, since a chain of images may be long.
pub(crate) fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const UNSEEN: usize = usize::MAX;
    let count = edges.len();
    let mut order = vec![UNSEEN; count];
    let mut low = vec![UNSEEN; count];
    let mut part = vec![UNSEEN; count];
    let mut open: Vec<usize> = Vec::new();
    let mut calls: Vec<(usize, usize)> = Vec::new();
    let mut next_order = 0;
    let mut next_part = 0;
    let get = |list: &[usize], at: usize| list.get(at).copied().unwrap_or(UNSEEN);
    let set = |list: &mut [usize], at: usize, value: usize| {
        if let Some(slot) = list.get_mut(at) {
            *slot = value;
        }
    };
    for root in 0..count {
        if get(&order, root) != UNSEEN {
            continue;
        }
        calls.push((root, 0));
        while let Some((node, edge)) = calls.pop() {
            if edge == 0 {
                set(&mut order, node, next_order);
                set(&mut low, node, next_order);
                next_order += 1;
                open.push(node);
            }
            let target = edges
                .get(node)
                .and_then(|targets| targets.get(edge))
                .copied();
            if let Some(target) = target {
                calls.push((node, edge + 1));
                if get(&order, target) == UNSEEN {
                    calls.push((target, 0));
                } else if get(&part, target) == UNSEEN {
                    let lowest = get(&low, node).min(get(&order, target));
                    set(&mut low, node, lowest);
                }
                continue;
            }
            if get(&low, node) == get(&order, node) {
                while let Some(member) = open.pop() {
                    set(&mut part, member, next_part);
                    if member == node {
                        break;
                    }
                }
                next_part += 1;
            }
            if let Some(&(caller, _)) = calls.last() {
                let lowest = get(&low, caller).min(get(&low, node));
                set(&mut low, caller, lowest);
            }
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn circles_are_found_whole() {
        for (edges, expected) in [
            (vec![vec![1], vec![]], vec![]),
            (vec![vec![0]], vec![vec![0]]),
            (vec![vec![1], vec![0]], vec![vec![0, 1]]),
            (vec![vec![1], vec![2], vec![0]], vec![vec![0, 1, 2]]),
            (vec![vec![1], vec![2], vec![1]], vec![vec![1, 2]]),
            (
                vec![vec![1, 2], vec![2], vec![3], vec![0]],
                vec![vec![0, 2, 3]],
            ),
            (
                vec![vec![1], vec![0], vec![3], vec![2, 0]],
                vec![vec![0, 1], vec![2, 3]],
            ),
        ] {
            assert_eq!(circles(&edges), expected, "{edges:?}");
        }
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let mut edges: Vec<Vec<usize>> = (1..200_000).map(|next| vec![next]).collect();
        edges.push(vec![]);
        assert!(circles(&edges).is_empty());
        edges[199_999].push(0);
        assert_eq!(circles(&edges).first().map(Vec::len), Some(200_000));
    }

    proptest! {
        #[test]
        fn a_graph_without_found_circles_can_be_ordered(pairs in prop::collection::vec((0usize..8, 0usize..8), 0..16)) {
            let mut edges = vec![Vec::new(); 8];
            for &(from, to) in &pairs {
                edges[from].push(to);
            }
            let found = circles(&edges);
            for circle in &found {
                for (at, &node) in circle.iter().enumerate() {
                    let next = circle[(at + 1) % circle.len()];
                    prop_assert!(edges[node].contains(&next), "{circle:?} is no circle");
                }
            }
            // Take away nodes that point to nothing left, until none can go.
            let mut left: Vec<bool> = vec![true; 8];
            while let Some(leaf) = (0..8).find(|&n| left[n] && edges[n].iter().all(|&to| !left[to])) {
                left[leaf] = false;
            }
            prop_assert_eq!(found.is_empty(), left.iter().all(|&l| !l));
        }
    }
}
