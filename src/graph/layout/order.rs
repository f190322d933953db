//! In which order items stand in their columns, so that few lines cross.

use std::collections::BTreeMap;

use super::{Item, Part};

/// More passes rarely help.
const PASSES: usize = 12;

/// Orders the columns: each item goes where the middle of its neighbours is, in passes
/// from left to right and back; the order with the fewest crossings is kept.
pub(super) fn untangle(part: &mut Part) {
    begin(part);
    let mut best = part.columns.clone();
    let mut fewest = crossings(part);
    for pass in 0..PASSES {
        if fewest == 0 {
            break;
        }
        sweep(part, pass % 2 == 0);
        let count = crossings(part);
        if count < fewest {
            fewest = count;
            best.clone_from(&part.columns);
        }
    }
    part.columns = best;
}

/// The order in which a walk along the lines meets the items.
fn begin(part: &mut Part) {
    let mut next: BTreeMap<Item, Vec<Item>> = BTreeMap::new();
    for &(from, to) in &part.links {
        next.entry(from).or_default().push(to);
    }
    let mut met: BTreeMap<Item, usize> = BTreeMap::new();
    let roots = part.columns.iter().flatten().rev().copied();
    let mut open: Vec<Item> = roots.collect();
    while let Some(item) = open.pop() {
        let count = met.len();
        if *met.entry(item).or_insert(count) == count {
            open.extend(next.get(&item).into_iter().flatten().rev());
        }
    }
    for column in &mut part.columns {
        column.sort_by_key(|item| met.get(item).copied());
    }
}

/// Where each item stands in its column.
fn places(part: &Part) -> BTreeMap<Item, usize> {
    let columns = part.columns.iter();
    columns
        .flat_map(|column| column.iter().copied().zip(0..))
        .collect()
}

fn sweep(part: &mut Part, rightwards: bool) {
    let mut near: BTreeMap<Item, Vec<Item>> = BTreeMap::new();
    for &(from, to) in &part.links {
        let (item, other) = if rightwards { (to, from) } else { (from, to) };
        near.entry(item).or_default().push(other);
    }
    let mut places = places(part);
    let count = part.columns.len();
    for step in 0..count {
        let at = if rightwards { step } else { count - 1 - step };
        let Some(column) = part.columns.get_mut(at) else {
            continue;
        };
        let mut keyed: Vec<(f64, Item)> = column
            .iter()
            .map(|&item| {
                let own = places.get(&item).copied().unwrap_or_default();
                let near = near.get(&item).into_iter().flatten();
                let near: Vec<usize> = near.filter_map(|item| places.get(item).copied()).collect();
                let middle = if near.is_empty() {
                    super::number(own)
                } else {
                    super::number(near.iter().sum()) / super::number(near.len())
                };
                (middle, item)
            })
            .collect();
        keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (place, (slot, (_, item))) in column.iter_mut().zip(keyed).enumerate() {
            *slot = item;
            places.insert(item, place);
        }
    }
}

/// How many pairs of lines between neighbouring columns cross.
fn crossings(part: &Part) -> usize {
    let places = places(part);
    let mut gaps: Vec<Vec<(usize, usize)>> = vec![Vec::new(); part.columns.len()];
    for (from, to) in &part.links {
        if let (Some(gap), Some(&one), Some(&other)) =
            (gaps.get_mut(from.column), places.get(from), places.get(to))
        {
            gap.push((one, other));
        }
    }
    gaps.into_iter().map(inversions).sum()
}

/// How many pairs are in one order by their first and in the other by their second
/// number; counted with a tree of sums, since there may be many.
fn inversions(mut pairs: Vec<(usize, usize)>) -> usize {
    pairs.sort_unstable();
    let size = pairs.iter().map(|pair| pair.1 + 1).max().unwrap_or(0);
    let mut sums = vec![0usize; size + 1];
    let mut total = 0;
    for (before, &(_, place)) in pairs.iter().enumerate() {
        let mut not_above = 0;
        let mut at = place + 1;
        while at > 0 {
            not_above += sums.get(at).copied().unwrap_or(0);
            at &= at - 1;
        }
        total += before - not_above;
        let mut at = place + 1;
        while let Some(sum) = sums.get_mut(at) {
            *sum += 1;
            at += at & at.wrapping_neg();
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn crossings_are_counted_as_by_hand(pairs in prop::collection::vec((0usize..9, 0usize..9), 0..30)) {
            let mut by_hand = 0;
            for (at, a) in pairs.iter().enumerate() {
                for b in &pairs[at + 1..] {
                    by_hand += usize::from((a.0 < b.0 && a.1 > b.1) || (a.0 > b.0 && a.1 < b.1));
                }
            }
            prop_assert_eq!(inversions(pairs), by_hand);
        }
    }
}
