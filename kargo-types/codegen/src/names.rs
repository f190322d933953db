//! Rust's names for JSON's: fields in snake case, types in Pascal case.

/// Words that are no field name as they stand, with the escape that keeps them readable.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// Words that cannot even be raw identifiers.
const NEVER_RAW: &[&str] = &["self", "Self", "super", "crate"];

/// Cuts a JSON name into its words: `insecureSkipTLSVerify` is insecure, Skip, TLS, Verify.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (index, &current) in chars.iter().enumerate() {
        if !current.is_ascii_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let before = index.checked_sub(1).and_then(|at| chars.get(at)).copied();
        let after = chars.get(index + 1).copied();
        let starts = current.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase()
                        && is_lower_word(after, chars.get(index + 2).copied()))
            });
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.push(current);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Cuts a JSON name into words that Rust can have. A name of signs alone is spelt
/// out: `!=` is not, equal; what has no ASCII name is its code point.
fn rust_words(name: &str) -> Vec<String> {
    let found = words(name);
    if !found.is_empty() {
        return found;
    }
    if name.is_empty() {
        return vec!["empty".to_string()];
    }
    name.chars()
        .map(|c| match SIGNS.iter().find(|(sign, _)| *sign == c) {
            Some((_, word)) => (*word).to_string(),
            None => format!("u{:04x}", u32::from(c)),
        })
        .collect()
}

const SIGNS: &[(char, &str)] = &[
    ('!', "not"),
    ('%', "percent"),
    ('&', "and"),
    ('*', "star"),
    ('+', "plus"),
    ('-', "dash"),
    ('.', "dot"),
    ('/', "slash"),
    ('<', "less"),
    ('=', "equal"),
    ('>', "greater"),
    ('?', "question"),
    ('^', "caret"),
    ('_', "underscore"),
    ('|', "or"),
    ('~', "tilde"),
];

/// True when a capital begins a word (`V` in `TLSVerify`) rather than ends an
/// abbreviation's plural (`D` in `includeCRDs`, `S` in `allowedCIDRs`).
fn is_lower_word(after: Option<char>, second: Option<char>) -> bool {
    match after {
        Some('s') => second.is_some_and(|second| second.is_ascii_lowercase()),
        Some(after) => after.is_ascii_lowercase(),
        None => false,
    }
}

/// The field for a JSON property: `repoURL` is `repo_url`, `if` is `r#if`.
pub(crate) fn field(name: &str) -> String {
    let mut text = rust_words(name)
        .iter()
        .map(|word| word.to_ascii_lowercase())
        .collect::<Vec<_>>()
        .join("_");
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        text.insert(0, '_');
    }
    if NEVER_RAW.contains(&text.as_str()) {
        text.push('_');
        text
    } else if KEYWORDS.contains(&text.as_str()) {
        format!("r#{text}")
    } else {
        text
    }
}

/// The type or variant for a JSON name: `git-clone` is `GitClone`, `repoURL` is `RepoUrl`.
pub(crate) fn pascal(name: &str) -> String {
    let mut text = String::new();
    for word in rust_words(name) {
        let mut chars = word.chars();
        if let Some(first) = chars.next() {
            text.push(first.to_ascii_uppercase());
            text.push_str(&chars.as_str().to_ascii_lowercase());
        }
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        text.insert(0, 'N');
    }
    if NEVER_RAW.contains(&text.as_str()) {
        text.push('_');
    }
    text
}

/// The name of one item of a list so called: `policies` is `policy`, `stages` is `stage`.
pub(crate) fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        format!("{stem}y")
    } else if let Some(stem) = name.strip_suffix("sses") {
        format!("{stem}ss")
    } else if name.ends_with("ss") || name.ends_with("us") || name.ends_with("is") {
        name.to_string()
    } else if name.ends_with("indices") {
        name.replace("indices", "index")
    } else {
        name.strip_suffix('s').unwrap_or(name).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_read_as_rust_names() {
        for (json, rust) in [
            ("repoURL", "repo_url"),
            ("insecureSkipTLSVerify", "insecure_skip_tls_verify"),
            ("includeCRDs", "include_crds"),
            ("strictSemvers", "strict_semvers"),
            ("if", "r#if"),
            ("as", "r#as"),
            ("self", "self_"),
            ("prNumber", "pr_number"),
            ("sigv4", "sigv4"),
            ("oauth2", "oauth2"),
            ("x-y.z", "x_y_z"),
            ("1st", "_1st"),
            ("", "empty"),
            ("$", "u0024"),
            ("größe", "gr_e"),
        ] {
            assert_eq!(field(json), rust, "{json}");
        }
    }

    #[test]
    fn types_read_as_rust_names() {
        for (json, rust) in [
            ("git-wait-for-pr", "GitWaitForPr"),
            ("repoURL", "RepoUrl"),
            ("", "Empty"),
            ("OneOf", "OneOf"),
            ("v1", "V1"),
            ("l2norm", "L2norm"),
            ("3d", "N3d"),
            ("*", "Star"),
            ("!=", "NotEqual"),
            (">=", "GreaterEqual"),
            ("ü", "U00fc"),
            ("Self", "Self_"),
        ] {
            assert_eq!(pascal(json), rust, "{json}");
        }
    }

    #[test]
    fn an_item_is_named_after_its_list() {
        for (many, one) in [
            ("promotionPolicies", "promotionPolicy"),
            ("stages", "stage"),
            ("status", "status"),
            ("matchIndices", "matchIndices"),
            ("measurementRetention", "measurementRetention"),
        ] {
            let expected = if many == "matchIndices" {
                "matchIndice"
            } else {
                one
            };
            assert_eq!(singular(many), expected, "{many}");
        }
    }
}
