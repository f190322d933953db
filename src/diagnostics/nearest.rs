//! Finding the word that was probably meant.

/// The candidate nearest to `word`, if one is near enough to be a slip of the
/// pen: at most a third of its letters differ (letters swapped count once,
/// case does not count).
///
/// ```
/// use image_factory::diagnostics::nearest;
/// assert_eq!(nearest("rebuildDely", &["name", "rebuildDelay"]), Some("rebuildDelay"));
/// assert_eq!(nearest("colour", &["name", "rebuildDelay"]), None);
/// ```
#[must_use]
pub fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    // A very long word is no slip of the pen, and the distance costs its square.
    if word.len() > 64 {
        return None;
    }
    let word: Vec<char> = word.to_lowercase().chars().collect();
    candidates
        .iter()
        .filter_map(|&candidate| {
            let letters: Vec<char> = candidate.to_lowercase().chars().collect();
            let far = distance(&word, &letters);
            (far <= letters.len().max(word.len()).div_ceil(3)).then_some((far, candidate))
        })
        .min_by_key(|&(far, _)| far)
        .filter(|&(far, candidate)| far < candidate.chars().count())
        .map(|(_, candidate)| candidate)
}

/// A help text: the nearest candidate, or else all of them.
#[must_use]
pub fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if candidates.is_empty() => "there is none yet".to_owned(),
        None => format!("known are `{}`", candidates.join("`, `")),
    }
}

/// Optimal string alignment distance: insert, delete, replace, swap neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, &y) in b.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (at(&previous, j) + usize::from(x != y))
                .min(at(&previous, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(&y) && b.get(j - 1) == Some(&x);
            if swapped {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut previous, row);
    }
    previous.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["name", "registry", "repository", "repoURL", "rebuildDelay"];
        for (word, meant) in [
            ("nmae", Some("name")),
            ("registri", Some("registry")),
            ("RepoUrl", Some("repoURL")),
            ("rebuild_delay", Some("rebuildDelay")),
            ("x", None),
            ("", None),
            ("colour", None),
        ] {
            assert_eq!(nearest(word, &known), meant, "{word}");
        }
        assert_eq!(nearest("a", &[]), None);
        assert_eq!(did_you_mean("nmae", &known), "did you mean `name`?");
        assert_eq!(did_you_mean("?", &["a1", "b1"]), "known are `a1`, `b1`");
        assert_eq!(did_you_mean("?", &[]), "there is none yet");
    }

    proptest! {
        #[test]
        fn a_distance_is_symmetric_and_zero_only_for_equals(a in ".{0,9}", b in ".{0,9}") {
            let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(distance(&x, &y), distance(&y, &x));
            prop_assert_eq!(distance(&x, &y) == 0, x == y);
            prop_assert!(distance(&x, &y) <= x.len().max(y.len()));
        }
    }
}
