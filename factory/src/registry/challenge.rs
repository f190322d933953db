//! `WWW-Authenticate`: how a registry wants to be asked.

use crate::http::Answer;

/// One way to be let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Challenge {
    /// A token of another service.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
    /// User and password with each request.
    Basic,
}

/// The way that an answer asks for and that we can go: a token before a password.
pub(super) fn of(answer: &Answer) -> Option<Challenge> {
    let all: Vec<_> = answer.headers("www-authenticate").flat_map(parse).collect();
    let bearer = all
        .iter()
        .find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
    bearer.or_else(|| all.first()).cloned()
}

/// The challenges of one header that we know; RFC 9110, section 11.6.1.
pub(super) fn parse(header: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut current: Option<(String, Vec<(String, String)>)> = None;
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let word = token(rest);
        if word.is_empty() {
            break;
        }
        rest = rest.get(word.len()..).unwrap_or_default();
        let value = rest.trim_start_matches([' ', '\t']).strip_prefix('=');
        match (value, &mut current) {
            (Some(text), Some((_, parameters))) => {
                let text = text.trim_start_matches([' ', '\t']);
                let Some((value, after)) = value_of(text) else {
                    break;
                };
                parameters.push((word.to_ascii_lowercase(), value));
                rest = after;
            }
            // A parameter of nothing.
            (Some(_), None) => break,
            (None, _) => {
                found.extend(current.take().and_then(finish));
                current = Some((word.to_ascii_lowercase(), Vec::new()));
                rest = rest.trim_start_matches([' ', '\t']);
                rest = skip_token68(rest);
            }
        }
    }
    found.extend(current.and_then(finish));
    found
}

fn finish((scheme, parameters): (String, Vec<(String, String)>)) -> Option<Challenge> {
    let get = |name: &str| {
        let found = parameters.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    };
    match scheme.as_str() {
        "bearer" => Some(Challenge::Bearer {
            realm: get("realm")?,
            service: get("service"),
            scope: get("scope"),
        }),
        "basic" => Some(Challenge::Basic),
        _ => None,
    }
}

fn token(text: &str) -> &str {
    let end = text
        .bytes()
        .position(|b| !(b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// A quoted or bare value, and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // Bare values with characters that want quotes are common enough.
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, after) = text.split_at_checked(end)?;
        return Some((value.to_owned(), after));
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, quoted.get(at + 1..)?)),
            _ => value.push(c),
        }
    }
    None
}

/// Schemes that we do not speak may carry one opaque word, such as `Negotiate YII=`.
fn skip_token68(text: &str) -> &str {
    let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
    let word = text.get(..end).unwrap_or_default();
    let bare = word.trim_end_matches('=');
    let opaque = !bare.is_empty()
        && bare
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
    // `realm=x` is a parameter; `YII=` and `abc` are words.
    let after = text.get(end..).unwrap_or_default();
    let parameter = after.trim_start_matches([' ', '\t']).starts_with('=');
    if opaque && !parameter { after } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn challenges_are_read() {
        let hub = bearer(
            "https://auth.docker.io/token",
            Some("registry.docker.io"),
            Some("repository:library/node:pull"),
        );
        for (header, is) in [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/node:pull""#,
                vec![hub.clone()],
            ),
            (
                r#"bearer  service="registry.docker.io" , realm = "https://auth.docker.io/token", error="invalid_token", scope="repository:library/node:pull""#,
                vec![hub],
            ),
            (r#"Basic realm="Registry Realm""#, vec![Challenge::Basic]),
            ("Basic", vec![Challenge::Basic]),
            ("basic realm=x", vec![Challenge::Basic]),
            (
                r#"Bearer realm="https://a.io/t", scope="repository:a:pull,push""#,
                vec![bearer(
                    "https://a.io/t",
                    None,
                    Some("repository:a:pull,push"),
                )],
            ),
            (
                r"Bearer realm=https://a.io/t,service=a.io",
                vec![bearer("https://a.io/t", Some("a.io"), None)],
            ),
            (
                r#"Basic realm="x", Bearer realm="https://a.io/t""#,
                vec![Challenge::Basic, bearer("https://a.io/t", None, None)],
            ),
            (
                r#"Negotiate YII=, Digest realm="d", nonce="n", Basic realm="x""#,
                vec![Challenge::Basic],
            ),
            (
                r#"Bearer realm="https://a.io/\"q\"\\t""#,
                vec![bearer("https://a.io/\"q\"\\t", None, None)],
            ),
            ("Bearer", vec![]),
            (r#"Bearer service="x""#, vec![]),
            (r#"Bearer realm="""#, vec![]),
            (r#"Bearer realm="open"#, vec![]),
            (r#"realm="x""#, vec![]),
            ("", vec![]),
            (",,, ,", vec![]),
            ("\u{fc}", vec![]),
        ] {
            assert_eq!(parse(header), is, "{header}");
        }
    }

    #[test]
    fn a_token_comes_before_a_password() {
        let answer = |values: &[&str]| Answer {
            status: 401,
            headers: values
                .iter()
                .map(|value| ("www-authenticate".to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
        };
        let token = bearer("https://a.io/t", None, None);
        assert_eq!(
            of(&answer(&[
                "Basic realm=\"x\"",
                "Bearer realm=\"https://a.io/t\""
            ])),
            Some(token)
        );
        assert_eq!(of(&answer(&["Basic realm=\"x\""])), Some(Challenge::Basic));
        assert_eq!(of(&answer(&["Digest realm=\"x\""])), None);
        assert_eq!(of(&answer(&[])), None);
    }

    proptest! {
        #[test]
        fn any_header_is_answered(header in "((Bearer|Basic|X) ?)?([a-z]{0,5}[= ,\"\\\\]{0,3}){0,9}|\\PC{0,40}") {
            let _ = parse(&header);
        }

        #[test]
        fn what_is_quoted_comes_back(realm in "[ -~]{1,30}", scope in "[ -~]{1,30}") {
            let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
            let header = format!("Bearer realm=\"{}\",scope=\"{}\"", quote(&realm), quote(&scope));
            prop_assert_eq!(parse(&header), vec![bearer(&realm, None, Some(&scope))]);
        }
    }
}
