//! How far down items stand: near what they are linked with, in the order of their
//! column, and never on each other.

use std::collections::BTreeMap;

use super::{BOX, GAP, Item, Part, TRUNK};

/// As often as positions are drawn towards their neighbours.
const PASSES: usize = 8;

/// The middle of each item, counted from the middle of the highest.
pub(super) fn centres(part: &Part) -> BTreeMap<Item, f64> {
    let mut centres: BTreeMap<Item, f64> = BTreeMap::new();
    for column in &part.columns {
        let offsets = offsets(column);
        centres.extend(column.iter().copied().zip(offsets));
    }
    let mut near: [BTreeMap<Item, Vec<Item>>; 2] = Default::default();
    let [left, right] = &mut near;
    for &(from, to) in &part.links {
        left.entry(to).or_default().push(from);
        right.entry(from).or_default().push(to);
    }
    for pass in 0..PASSES {
        let rightwards = pass % 2 == 0;
        let near = if rightwards { &near[0] } else { &near[1] };
        let mut columns: Vec<&Vec<Item>> = part.columns.iter().collect();
        if !rightwards {
            columns.reverse();
        }
        for column in columns {
            let wanted: Vec<f64> = column
                .iter()
                .map(|item| {
                    let near = near.get(item).into_iter().flatten();
                    let near: Vec<f64> = near.filter_map(|n| centres.get(n).copied()).collect();
                    if near.is_empty() {
                        centres.get(item).copied().unwrap_or_default()
                    } else {
                        near.iter().sum::<f64>() / super::number(near.len())
                    }
                })
                .collect();
            let placed = spread(&wanted, &offsets(column));
            centres.extend(column.iter().copied().zip(placed));
        }
    }
    let highest = centres
        .iter()
        .map(|(item, centre)| centre - (if item.trunk { TRUNK } else { BOX } - BOX) / 2.0)
        .fold(f64::MAX, f64::min);
    for centre in centres.values_mut() {
        *centre = (*centre - highest + BOX / 2.0).round();
    }
    centres
}

/// How far each item of a column is from the first at least.
fn offsets(column: &[Item]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut before: Option<&Item> = None;
    let mut offsets = Vec::with_capacity(column.len());
    for item in column {
        if let Some(before) = before {
            let half = |item: &Item| if item.trunk { TRUNK } else { BOX } / 2.0;
            offset += half(before) + half(item) + GAP;
        }
        offsets.push(offset);
        before = Some(item);
    }
    offsets
}

/// The positions nearest to those wanted (by the squares of the distances) that keep the
/// order and the distances: what is in each other's way moves together, as one block.
fn spread(wanted: &[f64], offsets: &[f64]) -> Vec<f64> {
    // The sum of what the members of a block want, and how many they are.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (wanted, offset) in wanted.iter().zip(offsets) {
        let mut block = (wanted - offset, 1);
        let middle = |block: (f64, usize)| block.0 / super::number(block.1);
        while let Some(above) = blocks.pop_if(|above| middle(*above) >= middle(block)) {
            block = (block.0 + above.0, block.1 + above.1);
        }
        blocks.push(block);
    }
    let starts = blocks
        .into_iter()
        .flat_map(|(sum, count)| std::iter::repeat_n(sum / super::number(count), count));
    starts
        .zip(offsets)
        .map(|(start, offset)| start + offset)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_has_room_stays_where_it_wants() {
        assert_eq!(spread(&[0.0, 50.0], &[0.0, 10.0]), [0.0, 50.0]);
        assert_eq!(spread(&[20.0, 20.0], &[0.0, 10.0]), [15.0, 25.0]);
        assert_eq!(
            spread(&[30.0, 0.0, 90.0], &[0.0, 10.0, 20.0]),
            [10.0, 20.0, 90.0]
        );
        assert_eq!(spread(&[], &[]), [] as [f64; 0]);
    }

    proptest! {
        #[test]
        fn distances_are_kept(wanted in prop::collection::vec(-100.0..100.0f64, 1..20)) {
            let offsets: Vec<f64> = (0..wanted.len()).map(|at| crate::graph::layout::number(at) * 10.0).collect();
            let placed = spread(&wanted, &offsets);
            prop_assert_eq!(placed.len(), wanted.len());
            for pair in placed.windows(2) {
                prop_assert!(pair[1] - pair[0] > 9.999, "{placed:?}");
            }
        }
    }
}
