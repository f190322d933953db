//! Names that Kubernetes takes, made from names that it may not.
//!
//! A name that already fits is kept. Any other is cleaned, cut to the limit, and
//! gets ten characters of a hash of what it was made from, so that different
//! names stay different, and the same name comes out in every run and release.

use std::fmt::Write as _;

/// Most characters of a DNS label: names of namespaces and Services, label values.
pub const LABEL: usize = 63;
/// Most characters of a DNS subdomain: names of most other objects.
pub const SUBDOMAIN: usize = 253;

/// Characters of the hash, and the dash before it.
const SUFFIX: usize = 11;

/// A DNS label (RFC 1123): at most 63 of `a-z`, `0-9` and `-`.
///
/// ```
/// use image_factory::synth::name;
///
/// assert_eq!(name::label(&["shop", "web"]), "shop-web");
/// assert_eq!(name::label(&["Shop", "web"]), "shop-web-hfebpt95d9");
/// assert_eq!(name::label(&[&"x".repeat(100)]).len(), 63);
/// ```
#[must_use]
pub fn label(parts: &[&str]) -> String {
    derive(parts, LABEL, |c| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
    })
}

/// A DNS subdomain (RFC 1123): at most 253 of `a-z`, `0-9`, `-` and `.`.
#[must_use]
pub fn subdomain(parts: &[&str]) -> String {
    derive(parts, SUBDOMAIN, |c| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.')
    })
}

/// The value of a label: at most 63 letters, digits, `-`, `_` and `.`.
#[must_use]
pub fn label_value(parts: &[&str]) -> String {
    derive(parts, LABEL, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
    })
}

fn derive(parts: &[&str], limit: usize, fits: fn(char) -> bool) -> String {
    let whole = parts.join("-");
    // Most names fit as they are: words of what fits, one mark between two.
    let plain = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    if whole.len() <= limit && whole.chars().all(fits) && whole.split(['-', '.', '_']).all(plain) {
        return whole;
    }
    let mut clean = String::with_capacity(whole.len());
    for c in whole.chars() {
        let c = if fits(c) { c } else { c.to_ascii_lowercase() };
        let c = if fits(c) { c } else { '-' };
        // Labels around a dot have letters or digits at their ends, too.
        let after_mark = clean.ends_with(['.']) || clean.is_empty();
        if after_mark && !c.is_ascii_alphanumeric() {
            continue;
        }
        if c == '.' {
            clean.truncate(clean.trim_end_matches(['-', '_']).len());
        }
        clean.push(c);
    }
    trim_end(&mut clean);
    if clean == whole && clean.len() <= limit && !clean.is_empty() {
        return clean;
    }
    clean.truncate(limit - SUFFIX);
    trim_end(&mut clean);
    if !clean.is_empty() {
        clean.push('-');
    }
    // A letter first, so that the name of a Service fits, too (RFC 1035).
    clean.push('h');
    // The length of each part tells ["a", "b-c"] from ["a-b", "c"].
    let mut text = String::new();
    for part in parts {
        let _ = write!(text, "{}:{part}", part.len());
    }
    let mut hash = fnv(text.as_bytes());
    for _ in 1..SUFFIX - 1 {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghijkmnpqrstuvwx";
        let digit = DIGITS.get((hash & 31) as usize).copied().unwrap_or(b'0');
        clean.push(char::from(digit));
        hash >>= 5;
    }
    clean
}

fn trim_end(text: &mut String) {
    text.truncate(text.trim_end_matches(['-', '_', '.']).len());
}

/// FNV-1a, 64 bits, with a final mix; it decides names, so it never changes.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

/// Whether it is a DNS label.
#[must_use]
pub fn is_label(text: &str) -> bool {
    text.len() <= LABEL && is_label_of_any_length(text)
}

fn is_label_of_any_length(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether it is a DNS subdomain as Kubernetes checks it.
#[must_use]
pub fn is_subdomain(text: &str) -> bool {
    text.len() <= SUBDOMAIN && text.split('.').all(is_label_of_any_length)
}

/// Whether it can be the value of a label.
#[must_use]
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

/// Whether it can be the key of a label or annotation: `name` or `prefix/name`.
#[must_use]
pub fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_name_part(name),
        None => is_name_part(key),
    }
}

fn is_name_part(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= LABEL
        && ends(text.chars().next())
        && ends(text.chars().next_back())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
