//! The graph for people, as trees.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;

use crate::model::Duration;

use super::{Graph, Kind};

/// So many images without dependents of their own have a line each; more are run on.
const LINES: usize = 10;
/// A tree is not drawn deeper; it goes on further down the page.
const DEEPEST: usize = 16;
/// Where running text ends.
const WIDTH: usize = 100;

/// How to show it.
pub struct View<'a> {
    /// The image that is asked for, by its place; `None`: all.
    pub about: Option<usize>,
    /// A line for each image, however many.
    pub verbose: bool,
    /// The time that is so long after a change now.
    pub when: &'a dyn Fn(Duration) -> String,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("about", &self.about)
            .field("verbose", &self.verbose)
            .finish_non_exhaustive()
    }
}

/// Where to go from an image: to its bases or to its dependents.
type Next = fn(&Graph, usize) -> &[usize];

/// Trees from what is built on to what is built, and a summary; or all about one image.
#[must_use]
pub fn human(graph: &Graph, view: &View<'_>) -> String {
    let mut page = Page {
        graph,
        verbose: view.verbose,
        text: String::new(),
        again: false,
        later: false,
    };
    match view.about {
        Some(at) => about(&mut page, at, view),
        None => all(&mut page),
    }
    page.notes();
    page.text
}

fn all(page: &mut Page<'_>) {
    let graph = page.graph;
    let alone = |&at: &usize| graph.bases(at).is_empty() && graph.dependents(at).is_empty();
    let roots: Vec<usize> = (0..graph.nodes().len())
        .filter(|&at| graph.bases(at).is_empty())
        .collect();
    let trees: Vec<usize> = roots.iter().copied().filter(|at| !alone(at)).collect();
    page.trees(&trees, Graph::dependents, true);
    let lonely: Vec<usize> = roots.into_iter().filter(alone).collect();
    if !lonely.is_empty() {
        let names: Vec<String> = lonely.iter().map(|&at| page.titled(at)).collect();
        page.blank();
        page.text
            .push_str("neither built on a known image nor built upon\n");
        page.run_on("  ", "  ", &names);
    }
    page.blank();
    let counts = [Kind::Managed, Kind::External, Kind::Base].map(|kind| graph.count(kind));
    let [managed, external, bases] = counts;
    let _ = writeln!(
        page.text,
        "{managed} managed, {external} external, {bases} base, {} edges, depth {}",
        graph.edges().count(),
        graph.depth()
    );
}

fn about(page: &mut Page<'_>, at: usize, view: &View<'_>) {
    let graph = page.graph;
    let Some(node) = graph.node(at) else { return };
    let _ = writeln!(page.text, "{}  {}", page.titled(at), node.reference);
    for (title, none, next) in [
        ("built on", "nothing known", Graph::bases as Next),
        ("built on it", "nothing", Graph::dependents),
    ] {
        page.blank();
        if next(graph, at).is_empty() {
            let _ = writeln!(page.text, "{title}: {none}");
        } else {
            let _ = writeln!(page.text, "{title}");
            page.trees(&[at], next, false);
        }
    }
    let rebuilds = graph.cascade(at);
    if rebuilds.is_empty() {
        return;
    }
    page.blank();
    page.text
        .push_str("if it changed now, these would be rebuilt, in this order, at the earliest\n");
    for rebuild in rebuilds {
        let when = match rebuild.wait {
            Some(wait) => (view.when)(wait),
            None => "when started by hand".to_owned(),
        };
        let after = if rebuild.after.is_empty() {
            String::new()
        } else {
            format!("  after {}", rebuild.after.join(", "))
        };
        let _ = writeln!(page.text, "  {when:<20}  {}{after}", rebuild.image);
    }
}

struct Page<'g> {
    graph: &'g Graph,
    verbose: bool,
    text: String,
    /// Some tree stands further up and was not drawn again.
    again: bool,
    /// Some tree goes on further down.
    later: bool,
}

/// One line of a tree to come.
enum Line {
    /// A node, with what stands before it and before what hangs on it.
    Node(usize, usize, String, String),
    /// Several that nothing hangs on.
    Leaves(Vec<usize>, String, String),
}

impl Page<'_> {
    fn blank(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// A name, with what it is unless we build it.
    fn titled(&self, at: usize) -> String {
        self.graph
            .node(at)
            .map_or_else(String::new, |node| match node.kind {
                Kind::Managed => node.name.clone(),
                kind => format!("{} ({})", node.name, kind.as_str()),
            })
    }

    /// One tree for each root; a part that would come again is drawn once.
    fn trees(&mut self, roots: &[usize], next: Next, with_roots: bool) {
        let mut drawn: BTreeSet<usize> = BTreeSet::new();
        let mut open: VecDeque<(usize, bool)> = roots.iter().map(|&at| (at, with_roots)).collect();
        while let Some((root, with_root)) = open.pop_front() {
            let mut lines = Vec::new();
            if with_root {
                lines.push(Line::Node(root, 0, String::new(), String::new()));
            } else {
                lines = self.below(root, 0, "", next);
            }
            while let Some(line) = lines.pop() {
                match line {
                    Line::Leaves(leaves, first, rest) => {
                        let names: Vec<String> = leaves.iter().map(|&at| self.titled(at)).collect();
                        self.run_on(&first, &rest, &names);
                    }
                    Line::Node(at, level, before, under) => {
                        let mark = if next(self.graph, at).is_empty() {
                            ""
                        } else if drawn.contains(&at) {
                            self.again = true;
                            " ↑"
                        } else if level >= DEEPEST {
                            self.later = true;
                            open.push_back((at, true));
                            " ↓"
                        } else {
                            drawn.insert(at);
                            lines.extend(self.below(at, level, &under, next));
                            ""
                        };
                        let _ = writeln!(self.text, "{before}{}{mark}", self.titled(at));
                    }
                }
            }
        }
    }

    /// The lines for what hangs on a node, the last first.
    fn below(&self, at: usize, level: usize, under: &str, next: Next) -> Vec<Line> {
        let (mut leaves, branches): (Vec<usize>, Vec<usize>) = next(self.graph, at)
            .iter()
            .partition(|&&to| next(self.graph, to).is_empty());
        let mut single = branches;
        if self.verbose || leaves.len() <= LINES {
            single.append(&mut leaves);
            single.sort_unstable();
        }
        let mut lines = Vec::new();
        let mut last = true;
        let mut before = |text: &str| {
            let (branch, bar) = if std::mem::take(&mut last) {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            (format!("{text}{branch}"), format!("{text}{bar}"))
        };
        if !leaves.is_empty() {
            let (first, rest) = before(under);
            lines.push(Line::Leaves(leaves, first, rest));
        }
        for &to in single.iter().rev() {
            let (first, rest) = before(under);
            lines.push(Line::Node(to, level + 1, first, rest));
        }
        lines
    }

    /// Words one after the other, on as many lines as they need.
    fn run_on(&mut self, first: &str, rest: &str, words: &[String]) {
        let mut line = first.to_owned();
        let mut begun = false;
        for (at, word) in words.iter().enumerate() {
            let comma = if at + 1 < words.len() { "," } else { "" };
            if begun && line.chars().count() + word.chars().count() + 2 > WIDTH {
                let _ = writeln!(self.text, "{}", line.trim_end());
                rest.clone_into(&mut line);
            }
            let _ = write!(line, "{word}{comma} ");
            begun = true;
        }
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    fn notes(&mut self) {
        let mut notes = Vec::new();
        if self.again {
            notes.push("↑ what hangs on it is shown above");
        }
        if self.later {
            notes.push("↓ goes on below");
        }
        if !notes.is_empty() {
            let _ = writeln!(self.text, "{}", notes.join("; "));
        }
    }
}
