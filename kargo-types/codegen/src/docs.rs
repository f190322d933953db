//! Our own words, kept when facts are imported anew.

use std::collections::BTreeMap;

use crate::facts::Facts;
use crate::pointer::{find_mut, walk};

/// Carries the words of `old` over to `new`, value by value. Words that `new`
/// has already are left alone. Gives the pointers of `old` that have words and
/// no value in `new` any more.
pub fn carry(old: &Facts, new: &mut Facts) -> Vec<String> {
    let mut words = BTreeMap::new();
    walk(old, &mut |pointer, schema| {
        if !schema.doc.is_empty() {
            words.insert(pointer.to_owned(), schema.doc.clone());
        }
    });
    let mut lost = Vec::new();
    for (pointer, doc) in words {
        match find_mut(new, &pointer) {
            Some(schema) if schema.doc.is_empty() => schema.doc = doc,
            Some(_) => {}
            None => lost.push(pointer),
        }
    }
    lost
}
