use proptest::prelude::*;

use super::*;
use crate::graph::tests::{any_graph, graph};

/// A point of a line's curve, `part` of the way.
fn point(line: &Line, part: f64) -> (f64, f64) {
    let (from, to) = ((line.bend, line.from.1), line.to);
    let middle = (from.0 + to.0) / 2.0;
    let rest = 1.0 - part;
    let at = |a: f64, b: f64, c: f64, d: f64| {
        rest.powi(3) * a
            + 3.0 * rest.powi(2) * part * b
            + 3.0 * rest * part.powi(2) * c
            + part.powi(3) * d
    };
    (
        at(from.0, middle, middle, to.0),
        at(from.1, from.1, to.1, to.1),
    )
}

/// What is wrong with a drawing.
fn faults(drawn: &Layout) -> Vec<String> {
    let mut faults = Vec::new();
    let boxes = &drawn.boxes;
    for (place, one) in boxes.iter().enumerate() {
        for other in &boxes[place + 1..] {
            let beside = one.x + one.width <= other.x || other.x + other.width <= one.x;
            let below = one.y + BOX + 5.0 <= other.y || other.y + BOX + 5.0 <= one.y;
            if !beside && !below {
                faults.push(format!("{one:?} on {other:?}"));
            }
        }
        if one.x < MARGIN
            || one.x + one.width > drawn.width - MARGIN + 0.5
            || one.y < MARGIN - 0.5
            || one.y + BOX > drawn.height - MARGIN + 0.5
        {
            faults.push(format!("{one:?} out of the picture"));
        }
    }
    for line in &drawn.lines {
        let straight =
            (0..=10).map(|step| line.from.0 + (line.bend - line.from.0) * f64::from(step) / 10.0);
        let mut points: Vec<(f64, f64)> = straight.map(|x| (x, line.from.1)).collect();
        points.extend((0..=20).map(|step| point(line, f64::from(step) / 20.0)));
        for found in boxes {
            let inside = |(x, y): &(f64, f64)| {
                *x > found.x + 0.5
                    && *x < found.x + found.width - 0.5
                    && *y > found.y + 0.5
                    && *y < found.y + BOX - 0.5
            };
            if points.iter().any(inside) {
                faults.push(format!("{line:?} through {found:?}"));
            }
        }
    }
    faults
}

#[test]
fn a_long_line_goes_round_what_is_between() {
    let graph = graph(&["b", "m", "z"], &[("b", "m"), ("m", "z"), ("b", "z")]);
    let drawn = layout(&graph, 40);
    assert_eq!(faults(&drawn), [] as [String; 0]);
    // b to m, m to z, b to its trunk beside m, and on to z.
    assert_eq!(drawn.lines.len(), 4);
    assert_eq!(drawn.lines.iter().filter(|line| line.arrow).count(), 3);
}

#[test]
fn names_that_are_long_lose_their_middle() {
    assert_eq!(shortened("short", 10), "short");
    assert_eq!(shortened("abcdefghijkl", 8), "abc…ijkl");
    assert_eq!(shortened("abcdefghijkl", 8).chars().count(), 8);
}

#[test]
fn what_hangs_on_nothing_stands_in_rows_below() {
    let names: Vec<String> = (0..40).map(|number| format!("m{number}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.extend(["b", "web"]);
    let drawn = layout(&graph(&names, &[("b", "web")]), 40);
    assert_eq!(faults(&drawn), [] as [String; 0]);
    assert_eq!(drawn.boxes.len(), 42);
    assert!(
        drawn.width < 900.0 && drawn.height < 400.0,
        "{} {}",
        drawn.width,
        drawn.height
    );
}

proptest! {
    #[test]
    fn nothing_lies_on_anything_else(graph in any_graph()) {
        let drawn = layout(&graph, 12);
        prop_assert_eq!(faults(&drawn), [] as [String; 0]);
        prop_assert_eq!(drawn.boxes.len(), graph.nodes().len());
        prop_assert_eq!(drawn.lines.iter().filter(|line| line.arrow).count(), graph.edges().count());
    }
}
