//! The wildcards of `${V#…}`, `${V%…}` and `${V/…/…}`: `?` is any character, `*` any number of them.

use regex::Regex;

use super::text::short;

/// A pattern longer than this, or a value, is not matched: nobody writes one,
/// and the time it takes is their product.
const MAX_PATTERN: usize = 1_000;
const MAX_VALUE: usize = 1 << 20;

/// The value without the shortest or longest start that matches.
pub(super) fn trim_start(pattern: &str, value: &str, longest: bool) -> Result<String, String> {
    let regex = regex(pattern, value, longest, true)?;
    let rest = regex.find(value).and_then(|found| value.get(found.end()..));
    Ok(rest.unwrap_or(value).to_owned())
}

/// The value without the shortest or longest end that matches.
pub(super) fn trim_end(pattern: &str, value: &str, longest: bool) -> Result<String, String> {
    // Matching finds what is leftmost, so both are turned around.
    let turned: String = value.chars().rev().collect();
    let kept = trim_start(&reversed(pattern), &turned, longest)?;
    Ok(kept.chars().rev().collect())
}

/// The value with the first match, or all, replaced.
pub(super) fn replace(
    pattern: &str,
    value: &str,
    replacement: &str,
    all: bool,
) -> Result<String, String> {
    let regex = regex(pattern, value, true, false)?;
    if all {
        // Only here `$` in the replacement names groups, of which there are none.
        return Ok(regex.replace_all(value, replacement).into_owned());
    }
    let found = regex
        .find(value)
        .and_then(|found| Some((value.get(..found.start())?, value.get(found.end()..)?)));
    Ok(match found {
        Some((before, after)) => format!("{before}{replacement}{after}"),
        None => value.to_owned(),
    })
}

/// The pattern from its end to its start, an escape staying before what it escapes.
fn reversed(pattern: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        let mut part = String::from(c);
        if c == '\\' {
            part.extend(characters.next());
        }
        parts.push(part);
    }
    parts.into_iter().rev().collect()
}

fn regex(pattern: &str, value: &str, longest: bool, anchored: bool) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN || value.len() > MAX_VALUE {
        return Err(format!(
            "a pattern longer than {MAX_PATTERN} bytes, or a value longer than {MAX_VALUE}, is not matched"
        ));
    }
    let mut text = String::from(if anchored { "^" } else { "" });
    let mut characters = pattern.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '*' => text.push_str(if longest { ".*" } else { ".*?" }),
            '?' => text.push('.'),
            '\\' => match characters.peek() {
                // These end `${…}` and its parts unless escaped; the escape is not the pattern's.
                Some('}' | '/') => {}
                Some(c @ ('*' | '?' | '\\')) => {
                    text.push('\\');
                    text.push(*c);
                    characters.next();
                }
                Some(c) => {
                    return Err(format!(
                        "`\\{c}` is no escape in the pattern `{}`",
                        short(pattern)
                    ));
                }
                None => {
                    return Err(format!(
                        "the pattern `{}` ends in an escape",
                        short(pattern)
                    ));
                }
            },
            c => {
                let mut buffer = [0; 4];
                text.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
            }
        }
    }
    Regex::new(&text).map_err(|_| format!("the pattern `{}` is too long", short(pattern)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_a_shell() {
        let value = "1.22.3-alpine";
        for (pattern, longest, start, end) in [
            ("*.", false, "22.3-alpine", value),
            ("*.", true, "3-alpine", value),
            (".*", false, value, "1.22"),
            (".*", true, value, "1"),
            ("?", false, ".22.3-alpine", "1.22.3-alpin"),
            ("", true, value, value),
            ("*", true, "", ""),
            ("*", false, value, value),
            ("-alpine", false, value, "1.22.3"),
            ("1.", false, "22.3-alpine", value),
        ] {
            assert_eq!(
                trim_start(pattern, value, longest).unwrap(),
                start,
                "{pattern}"
            );
            assert_eq!(trim_end(pattern, value, longest).unwrap(), end, "{pattern}");
        }
        assert_eq!(trim_end("\\*", "a*", true).unwrap(), "a");
        assert!(trim_start("\\a", "a", true).is_err());
        assert!(trim_start("a\\", "a", true).is_err());
        assert!(trim_start(&"a".repeat(1_001), "a", true).is_err());
    }

    #[test]
    fn the_first_match_is_replaced_or_all() {
        assert_eq!(replace(".", "1.2.3", "-", false).unwrap(), "1-2.3");
        assert_eq!(replace(".", "1.2.3", "-", true).unwrap(), "1-2-3");
        assert_eq!(replace("1*2", "x1.2.2y", "", false).unwrap(), "xy");
        assert_eq!(replace("\\/", "a/b", "_", true).unwrap(), "a_b");
        assert_eq!(replace("b", "abc", "$0$$", false).unwrap(), "a$0$$c");
        assert_eq!(replace("b", "abc", "<$0$1$$>", true).unwrap(), "a<b$>c");
        assert_eq!(replace("*", "abc", "x", true).unwrap(), "x");
        assert_eq!(replace("", "ab", "-", true).unwrap(), "-a-b-");
    }
}
