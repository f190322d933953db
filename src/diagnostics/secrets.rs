//! Credentials in addresses, which no report may show.

use std::borrow::Cow;
use std::ops::Range;

/// What stands for user and password.
const MASK: &str = "***";

/// The text with `***` for user and password of every address in it.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    if text.contains("://") {
        replaced(text, &of_addresses(text)).map_or(Cow::Borrowed(text), Cow::Owned)
    } else {
        Cow::Borrowed(text)
    }
}

/// The same for a text that is meant to be one address, with or without its scheme.
pub(crate) fn masked_address(text: &str) -> Cow<'_, str> {
    let found = of_address(text).map_or_else(Vec::new, |secret| vec![secret]);
    replaced(text, &found).map_or_else(|| masked(text), Cow::Owned)
}

/// A line without the credentials in it, and where `marked` came to be. `address`
/// says that what is marked is meant to be one.
pub(super) fn masked_line(
    line: &str,
    marked: Range<usize>,
    address: bool,
) -> (Cow<'_, str>, Range<usize>) {
    let mut found = of_addresses(line);
    let whole = line.get(marked.clone()).filter(|_| address);
    if let Some(secret) = whole.and_then(of_address) {
        let secret = secret.start + marked.start..secret.end + marked.start;
        found.retain(|other| other.end <= secret.start || other.start >= secret.end);
        found.push(secret);
        found.sort_by_key(|range| range.start);
    }
    let Some(text) = replaced(line, &found) else {
        return (Cow::Borrowed(line), marked);
    };
    let moved = |at: usize, end: bool| {
        let mut now = at;
        for secret in found.iter().rev().filter(|secret| secret.start < at) {
            now = if at >= secret.end {
                now + MASK.len() - secret.len()
            } else if end {
                // A place inside of what is masked is all of the mask.
                secret.start + MASK.len() + (now - at)
            } else {
                secret.start + (now - at)
            };
        }
        now
    };
    let start = moved(marked.start, false);
    let end = moved(marked.end, true).max(start);
    (Cow::Owned(text), start..end)
}

fn replaced(text: &str, secrets: &[Range<usize>]) -> Option<String> {
    if secrets.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for secret in secrets {
        out.push_str(text.get(from..secret.start)?);
        out.push_str(MASK);
        from = secret.end;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

/// Where user and password stand behind a `://`. A password may hold what no URL
/// allows; rather too much is masked than too little.
fn of_addresses(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, scheme) in text.match_indices("://") {
        let start = at + scheme.len();
        if found.last().is_some_and(|before| start < before.end) {
            continue;
        }
        let rest = text.get(start..).unwrap_or("");
        let word = rest.split(char::is_whitespace).next().unwrap_or(rest);
        let Some((user, _)) = word.rsplit_once('@') else {
            continue;
        };
        let host = user.split('/').next().unwrap_or(user);
        // `https://host/image@sha256:…` names nobody.
        let named = host.len() == user.len() || host.contains([':', '@']);
        if named && !is_plain(user) {
            found.push(start..start + user.len());
        }
    }
    found
}

/// Where user and password stand in what is meant to be an address.
fn of_address(text: &str) -> Option<Range<usize>> {
    let start = text.find("://").map_or(0, |at| at + "://".len());
    let (user, _) = text.get(start..)?.rsplit_once('@')?;
    (!is_plain(user)).then(|| start..start + user.len())
}

/// A user that everybody knows, as in `git@github.com:acme/app`.
fn is_plain(user: &str) -> bool {
    matches!(user, "" | "git" | "***")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn users_and_passwords_are_masked_and_nothing_else() {
        for (text, shown) in [
            (
                "`https://u:p@h/o/a` names a user",
                "`https://***@h/o/a` names a user",
            ),
            ("https://token@h/o", "https://***@h/o"),
            ("https://u:p/q@r@h/o", "https://***@h/o"),
            ("https://a@h https://b@h", "https://***@h https://***@h"),
            ("https://x:y@a,https://z:w@b", "https://***@b"),
            ("ssh://git@h/o", "ssh://git@h/o"),
            ("https://h/o user@mail", "https://h/o user@mail"),
            ("https://ghcr.io/a@sha256:1", "https://ghcr.io/a@sha256:1"),
            ("node:22@sha256:1", "node:22@sha256:1"),
        ] {
            assert_eq!(masked(text), shown);
        }
        for (text, shown) in [
            ("u:p@h/o", "***@h/o"),
            ("https://u:p q@h/o", "https://***@h/o"),
            ("git@h:o/a", "git@h:o/a"),
            ("h/o", "h/o"),
        ] {
            assert_eq!(masked_address(text), shown);
        }
    }

    #[test]
    fn the_place_moves_with_the_text() {
        let line = "a: https://user:secret@h/o # x";
        let cases = [
            (3..26, false, "https://***@h/o"),
            (27..28, false, "#"),
            (0..1, true, "a"),
        ];
        for (range, address, marked) in cases {
            let (text, range) = masked_line(line, range, address);
            assert_eq!(text, "a: https://***@h/o # x");
            assert_eq!(text.get(range), Some(marked));
        }
        let (text, range) = masked_line("a: u:p q@h/o", 3..12, true);
        assert_eq!(text.get(range), Some("***@h/o"), "{text}");
    }

    proptest! {
        #[test]
        fn any_line_and_place_is_answered(line in "[a:/@ é]{0,30}|(https://a:b@c ){0,3}", start in 0usize..40, len in 0usize..20, address: bool) {
            let start = line.floor_char_boundary(start);
            let end = line.floor_char_boundary(start + len);
            let (text, range) = masked_line(&line, start..end, address);
            prop_assert!(text.get(range).is_some());
            let once = masked(&line);
            prop_assert_eq!(masked(&once), once.as_ref());
        }
    }
}
