//! Where each image and each line of a drawing goes: columns by depth, left to right.
//!
//! Parts that hang together are laid out one below the other. Lines to images more than
//! one column away share a trunk, which takes a place of its own in each column between,
//! so that no line ever passes through a box.

mod order;
mod place;

use super::Graph;

/// How high a box is.
pub(super) const BOX: f64 = 28.0;
/// How wide a letter is, in a font where all are as wide.
pub(super) const LETTER: f64 = 7.3;
/// What is left free around a drawing.
pub(super) const MARGIN: f64 = 24.0;
/// Free space at both ends of the text in a box.
const PADDING: f64 = 12.0;
/// Free space between boxes.
const GAP: f64 = 12.0;
/// As much as a trunk takes between two boxes.
const TRUNK: f64 = 8.0;
/// Free space between parts that have nothing to do with each other.
const PARTS: f64 = 20.0;
/// A drawing is made at least this wide if there are boxes to fill it.
const WIDTH: f64 = 720.0;
/// With more trunks than this, long lines go straight instead: they could be as many
/// as the square of the images.
const MOST_TRUNKS: usize = 50_000;

/// What stands in a column: an image, or the trunk of the lines from an image to others
/// further right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Item {
    column: usize,
    /// The image's place in the graph.
    at: usize,
    trunk: bool,
}

/// A box with an image's name in it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Boxed {
    /// The image's place in the graph.
    pub(super) at: usize,
    /// What is written in it.
    pub(super) text: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
}

/// A line: straight from the end of a box, or through the column as part of a trunk, to
/// `bend`, and from there in a curve to the next column.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Line {
    pub(super) from: (f64, f64),
    pub(super) bend: f64,
    pub(super) to: (f64, f64),
    /// It ends at an image, not in a trunk.
    pub(super) arrow: bool,
}

/// A drawing in numbers.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) boxes: Vec<Boxed>,
    pub(super) lines: Vec<Line>,
}

/// The columns of a part, and which item leads to which in the next column.
#[derive(Default)]
struct Part {
    columns: Vec<Vec<Item>>,
    links: Vec<(Item, Item)>,
}

/// Lays out a graph; `longest` letters of a name fit into a box.
pub(super) fn layout(graph: &Graph, longest: usize) -> Layout {
    let texts: Vec<String> = graph
        .nodes()
        .iter()
        .map(|node| shortened(&node.name, longest))
        .collect();
    let width = |at: usize| {
        let letters = texts.get(at).map_or(0, |text| text.chars().count());
        (number(letters) * LETTER).ceil() + 2.0 * PADDING
    };
    let (parts, alone) = parts(graph);
    let columns = Columns::of(graph, &parts, &width);
    let mut drawn = Layout::default();
    let mut top = MARGIN;
    for mut part in parts {
        order::untangle(&mut part);
        let centres = place::centres(&part);
        let lowest = centres.values().copied().fold(0.0, f64::max);
        for (item, &centre) in centres.iter().filter(|(item, _)| !item.trunk) {
            drawn.boxes.push(Boxed {
                at: item.at,
                text: texts.get(item.at).cloned().unwrap_or_default(),
                x: columns.left(item.column),
                y: top + centre - BOX / 2.0,
                width: width(item.at),
            });
        }
        let end = |item: &Item| {
            let y = top + centres.get(item).copied().unwrap_or_default();
            let own = if item.trunk { 0.0 } else { width(item.at) };
            (columns.left(item.column) + own, y)
        };
        for (from, to) in &part.links {
            let left = columns.left(to.column);
            drawn.lines.push(Line {
                from: end(from),
                bend: columns.ends(from.column),
                to: (left, end(to).1),
                arrow: !to.trunk,
            });
        }
        top += lowest + BOX / 2.0 + PARTS;
    }
    grid(&alone, &texts, &width, top, columns.right(), &mut drawn);
    drawn.boxes.sort_by_key(|found| found.at);
    let right = drawn.boxes.iter().map(|found| found.x + found.width);
    let bottom = drawn.boxes.iter().map(|found| found.y + BOX);
    drawn.width = right.fold(columns.right(), f64::max) + MARGIN;
    drawn.height = bottom.fold(MARGIN, f64::max) + MARGIN;
    drawn
}

fn column(graph: &Graph, at: usize) -> usize {
    graph.node(at).map_or(0, |node| node.depth)
}

/// What a number of things is worth in a drawing.
fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// A name of which the middle is left out if it is long.
fn shortened(name: &str, longest: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= longest {
        return name.to_owned();
    }
    let tail = longest / 2;
    let head = longest.saturating_sub(tail + 1);
    let begin = letters.iter().take(head);
    let end = letters.iter().skip(letters.len().saturating_sub(tail));
    begin.chain(&['…']).chain(end).collect()
}

/// The parts that hang together, in the order of their first names, and the images that
/// hang on nothing.
fn parts(graph: &Graph) -> (Vec<Part>, Vec<usize>) {
    let count = graph.nodes().len();
    let long = |at: usize| {
        let far = graph.dependents(at).iter().map(|&to| column(graph, to));
        far.max()
            .map_or(0, |far| far.saturating_sub(column(graph, at) + 1))
    };
    let mut budget = MOST_TRUNKS;
    let with_trunks = (0..count).all(|at| match budget.checked_sub(long(at)) {
        Some(left) => {
            budget = left;
            true
        }
        None => false,
    });
    let mut seen = vec![false; count];
    let mut see = |at: usize| {
        seen.get_mut(at)
            .is_some_and(|seen| !std::mem::replace(seen, true))
    };
    let (mut parts, mut alone) = (Vec::new(), Vec::new());
    for start in 0..count {
        if !see(start) {
            continue;
        }
        let mut members = vec![start];
        let mut next = 0;
        while let Some(&at) = members.get(next) {
            next += 1;
            let near = graph.dependents(at).iter().chain(graph.bases(at));
            members.extend(near.copied().filter(|&to| see(to)));
        }
        if members.len() == 1 {
            alone.push(start);
        } else {
            members.sort_unstable();
            parts.push(part(graph, &members, with_trunks));
        }
    }
    (parts, alone)
}

fn part(graph: &Graph, members: &[usize], with_trunks: bool) -> Part {
    let mut part = Part::default();
    let mut columns: Vec<Vec<Item>> = Vec::new();
    let mut put = |item: Item| {
        if columns.len() <= item.column {
            columns.resize_with(item.column + 1, Vec::new);
        }
        if let Some(column) = columns.get_mut(item.column) {
            column.push(item);
        }
    };
    for &at in members {
        let own = column(graph, at);
        put(Item {
            column: own,
            at,
            trunk: false,
        });
        let mut trunk = own;
        let mut targets: Vec<(usize, usize)> = graph
            .dependents(at)
            .iter()
            .map(|&to| (column(graph, to), to))
            .collect();
        targets.sort_unstable();
        let item = |column: usize| Item {
            column,
            at,
            trunk: column != own,
        };
        for (column, to) in targets {
            let target = Item {
                column,
                at: to,
                trunk: false,
            };
            while with_trunks && trunk + 1 < column {
                part.links.push((item(trunk), item(trunk + 1)));
                trunk += 1;
                put(item(trunk));
            }
            part.links.push((item(trunk), target));
        }
    }
    part.columns = columns;
    part
}

/// Where the columns are, as wide as their widest boxes.
struct Columns {
    /// Where each begins and ends.
    sides: Vec<(f64, f64)>,
}

impl Columns {
    fn of(graph: &Graph, parts: &[Part], width: &impl Fn(usize) -> f64) -> Self {
        let mut wide: Vec<f64> = vec![0.0; graph.depth() + 1];
        let mut busy: Vec<usize> = vec![0; graph.depth() + 1];
        for part in parts {
            for item in part.columns.iter().flatten().filter(|item| !item.trunk) {
                if let Some(wide) = wide.get_mut(item.column) {
                    *wide = wide.max(width(item.at));
                }
            }
            let mut here = vec![0; busy.len()];
            for (from, _) in &part.links {
                if let Some(here) = here.get_mut(from.column) {
                    *here += 1;
                }
            }
            for (busy, here) in busy.iter_mut().zip(here) {
                *busy = here.max(*busy);
            }
        }
        let mut left = MARGIN;
        let mut sides = Vec::with_capacity(wide.len());
        for (wide, busy) in wide.into_iter().zip(busy) {
            sides.push((left, left + wide));
            // Many lines need room to part.
            left += wide + (48.0 + 2.0 * number(busy)).min(200.0);
        }
        Self { sides }
    }

    fn left(&self, column: usize) -> f64 {
        self.sides.get(column).map_or(MARGIN, |side| side.0)
    }

    fn ends(&self, column: usize) -> f64 {
        self.sides.get(column).map_or(MARGIN, |side| side.1)
    }

    fn right(&self) -> f64 {
        self.sides.last().map_or(MARGIN, |side| side.1)
    }
}

/// Boxes that no line leads to or from, in rows below everything else.
fn grid(
    alone: &[usize],
    texts: &[String],
    width: &impl Fn(usize) -> f64,
    top: f64,
    right: f64,
    drawn: &mut Layout,
) {
    let right = right.max(MARGIN + WIDTH);
    let (mut x, mut y) = (MARGIN, top);
    for &at in alone {
        let width = width(at);
        if x > MARGIN && x + width > right {
            (x, y) = (MARGIN, y + BOX + GAP);
        }
        let text = texts.get(at).cloned().unwrap_or_default();
        drawn.boxes.push(Boxed {
            at,
            text,
            x,
            y,
            width,
        });
        x += width + GAP;
    }
}

#[cfg(test)]
mod tests;
