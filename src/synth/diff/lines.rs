//! Unified diffs of files with many documents.
//!
//! Documents are matched by what names them, in the longest order that both files
//! share; only the lines of matched documents that differ are compared. A general
//! line diff takes time in proportion to lines times changes instead.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use similar::udiff::UnifiedHunkHeader;
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

use super::documents::{self, Document};

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// Above this product of lines a document is shown as replaced, not compared.
const LARGEST: usize = 30_000_000;

/// The difference as `diff -u` shows it, with `/dev/null` for an empty side; empty
/// for equal texts.
#[must_use]
pub fn unified(path: &str, old: &str, new: &str) -> String {
    let mut out = String::new();
    if old == new {
        return out;
    }
    let (old_documents, new_documents) = (documents::split(old), documents::split(new));
    let sides = Sides {
        old: old.split_inclusive('\n').collect(),
        new: new.split_inclusive('\n').collect(),
    };
    let ops = sides.ops(&old_documents, &new_documents);
    let side = |text: &str| {
        if text.is_empty() {
            "/dev/null".to_owned()
        } else {
            path.to_owned()
        }
    };
    let _ = write!(out, "--- {}\n+++ {}\n", side(old), side(new));
    for hunk in group_diff_ops(ops, CONTEXT) {
        let _ = writeln!(out, "{}", UnifiedHunkHeader::new(&hunk));
        for op in &hunk {
            sides.write(op, &mut out);
        }
    }
    out
}

/// The lines of both texts.
struct Sides<'t> {
    old: Vec<&'t str>,
    new: Vec<&'t str>,
}

impl Sides<'_> {
    fn ops(&self, old: &[Document<'_>], new: &[Document<'_>]) -> Vec<DiffOp> {
        let lines = |document: &Document<'_>| document.text.split_inclusive('\n').count();
        let mut ops = Ops::default();
        let (mut old_at, mut new_at) = (0, 0);
        for (old_to, new_to) in matched(old, new) {
            let deleted = old.get(old_at..old_to).unwrap_or_default();
            let inserted = new.get(new_at..new_to).unwrap_or_default();
            ops.delete(deleted.iter().map(lines).sum());
            ops.insert(inserted.iter().map(lines).sum());
            if let (Some(one), Some(other)) = (old.get(old_to), new.get(new_to)) {
                self.pair(one, other, &mut ops);
            }
            (old_at, new_at) = (old_to + 1, new_to + 1);
        }
        ops.delete(self.old.len() - ops.old);
        ops.insert(self.new.len() - ops.new);
        ops.all
    }

    /// Compares two documents of one object.
    fn pair(&self, old: &Document<'_>, new: &Document<'_>, ops: &mut Ops) {
        let (old_lines, new_lines) = (
            old.text.split_inclusive('\n').count(),
            new.text.split_inclusive('\n').count(),
        );
        if old.text == new.text {
            ops.equal(old_lines);
            return;
        }
        let (old_from, new_from) = (ops.old, ops.new);
        let part = |lines: &[_], from: usize, count: usize| -> Vec<_> {
            lines.get(from..from + count).unwrap_or_default().to_vec()
        };
        let (a, b) = (
            part(&self.old, old_from, old_lines),
            part(&self.new, new_from, new_lines),
        );
        let same = |pair: &(&&str, &&str)| pair.0 == pair.1;
        let start = a.iter().zip(&b).take_while(same).count();
        let end = a
            .iter()
            .skip(start)
            .rev()
            .zip(b.iter().skip(start).rev())
            .take_while(same)
            .count();
        ops.equal(start);
        let a = a.get(start..a.len() - end).unwrap_or_default();
        let b = b.get(start..b.len() - end).unwrap_or_default();
        if a.len().saturating_mul(b.len()) > LARGEST {
            ops.delete(a.len());
            ops.insert(b.len());
        } else {
            for op in capture_diff_slices(Algorithm::Myers, a, b) {
                match op {
                    DiffOp::Equal { len, .. } => ops.equal(len),
                    DiffOp::Delete { old_len, .. } => ops.delete(old_len),
                    DiffOp::Insert { new_len, .. } => ops.insert(new_len),
                    DiffOp::Replace {
                        old_len, new_len, ..
                    } => {
                        ops.delete(old_len);
                        ops.insert(new_len);
                    }
                }
            }
        }
        ops.equal(end);
    }

    fn write(&self, op: &DiffOp, out: &mut String) {
        let (old, new) = (op.old_range(), op.new_range());
        let part = |lines: &[_], range: std::ops::Range<usize>| -> Vec<_> {
            lines.get(range).unwrap_or_default().to_vec()
        };
        match op {
            DiffOp::Equal { .. } => write_lines(' ', &part(&self.new, new), out),
            DiffOp::Delete { .. } => write_lines('-', &part(&self.old, old), out),
            DiffOp::Insert { .. } => write_lines('+', &part(&self.new, new), out),
            DiffOp::Replace { .. } => {
                write_lines('-', &part(&self.old, old), out);
                write_lines('+', &part(&self.new, new), out);
            }
        }
    }
}

fn write_lines(sign: char, lines: &[&str], out: &mut String) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// Steps from one text to the other; neighbours of one sort are joined.
#[derive(Default)]
struct Ops {
    all: Vec<DiffOp>,
    old: usize,
    new: usize,
}

impl Ops {
    fn equal(&mut self, count: usize) {
        if let Some(DiffOp::Equal { len, .. }) = self.all.last_mut() {
            *len += count;
        } else if count > 0 {
            self.all.push(DiffOp::Equal {
                old_index: self.old,
                new_index: self.new,
                len: count,
            });
        }
        self.old += count;
        self.new += count;
    }

    fn delete(&mut self, count: usize) {
        if count > 0 {
            self.all.push(DiffOp::Delete {
                old_index: self.old,
                old_len: count,
                new_index: self.new,
            });
        }
        self.old += count;
    }

    fn insert(&mut self, count: usize) {
        if count > 0 {
            self.all.push(DiffOp::Insert {
                old_index: self.old,
                new_index: self.new,
                new_len: count,
            });
        }
        self.new += count;
    }
}

/// Pairs of documents of one object, in the longest order that both files share.
/// Documents without a name are paired when their texts are equal.
fn matched(old: &[Document<'_>], new: &[Document<'_>]) -> Vec<(usize, usize)> {
    let key = |document: &Document<'_>| {
        let text = document.id.is_none().then(|| document.text.to_owned());
        (document.id.clone(), text)
    };
    let mut places: BTreeMap<_, usize> = BTreeMap::new();
    for (at, document) in old.iter().enumerate() {
        places.entry(key(document)).or_insert(at);
    }
    let pairs: Vec<(usize, usize)> = new
        .iter()
        .enumerate()
        .filter_map(|(at, document)| Some((places.remove(&key(document))?, at)))
        .collect();
    longest_rising(&pairs)
}

/// The longest subsequence whose first members rise; patience sorting.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The index of the last pair of the best run of each length, and what stands
    // before each pair in its run.
    let mut tops: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let first = |at: usize| pairs.get(at).map_or(0, |pair| pair.0);
    for (at, (old, _)) in pairs.iter().enumerate() {
        let pile = tops.partition_point(|top| first(*top) < *old);
        before.push(
            pile.checked_sub(1)
                .and_then(|under| tops.get(under).copied()),
        );
        match tops.get_mut(pile) {
            Some(top) => *top = at,
            None => tops.push(at),
        }
    }
    let mut run = Vec::with_capacity(tops.len());
    let mut next = tops.last().copied();
    while let Some(at) = next {
        run.extend(pairs.get(at).copied());
        next = before.get(at).copied().flatten();
    }
    run.reverse();
    run
}
