//! Names that files, objects and processes are found by.

use crate::diagnostics::{Code, code};

use super::parse::{Invalid, Parse, text_type};

text_type! {
    /// The name of an enrolled image: a DNS label (RFC 1123), 1 to 63 of `a-z`,
    /// `0-9`, `-`, beginning and ending with a letter or digit.
    Name
}

impl Parse for Name {
    const CODE: Code = code::INVALID_NAME;
    const WHAT: &'static str = "name";
    fn parse(text: &str) -> Result<Self, Invalid> {
        dns_label(text).map(|()| Self(text.into()))
    }
}

text_type! {
    /// The name of a Kubernetes object, as base images have it: a DNS subdomain
    /// (RFC 1123), 1 to 253 of `a-z`, `0-9`, `-`, `.`; each part between dots
    /// begins and ends with a letter or digit.
    ObjectName
}

impl Parse for ObjectName {
    const CODE: Code = code::INVALID_SETTING;
    const WHAT: &'static str = "object name";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "a name has 1 to 253 of `a-z`, `0-9`, `-` and `.`, and begins and ends with a \
                    letter or digit";
        if text.is_empty() || text.len() > 253 {
            return Err(Invalid::new("is empty or longer than 253 characters", help));
        }
        if text.split('.').all(is_label_part) {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("is no name of a Kubernetes object", help))
        }
    }
}

impl From<&Name> for ObjectName {
    fn from(name: &Name) -> Self {
        Self(name.as_str().into())
    }
}

text_type! {
    /// The name of an environment variable or build argument:
    /// `[A-Za-z_][A-Za-z0-9_]*`.
    EnvName
}

impl Parse for EnvName {
    const CODE: Code = code::INVALID_SETTING;
    const WHAT: &'static str = "variable name";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let fits = text.len() <= 128
            && text.bytes().all(word)
            && text.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if fits {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new(
            "is no name of a variable",
            "a variable has letters, digits and `_`, and does not begin with a digit",
        ))
    }
}

fn dns_label(text: &str) -> Result<(), Invalid> {
    let help = "a name has 1 to 63 of `a-z`, `0-9` and `-`, and begins and ends with a letter or \
                digit";
    let why = if text.is_empty() {
        "is empty"
    } else if text.len() > 63 {
        "is longer than 63 characters"
    } else if text.contains(['/', '\\']) || text.contains("..") {
        "is a path, not a name"
    } else if text.bytes().any(|b| b.is_ascii_uppercase()) {
        "has capital letters"
    } else if !is_label_part(text) {
        "is no DNS label"
    } else {
        return Ok(());
    };
    Err(Invalid::new(why, help))
}

fn is_label_part(text: &str) -> bool {
    let end = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    end(text.bytes().next())
        && end(text.bytes().next_back())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_dns_labels() {
        let long = "a".repeat(63);
        for good in ["a", "9", "a-b", "uv-service", "track-x", "a--b", &long] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in [
            "", "-a", "a-", "A", "a_b", "a.b", "ä", "a b", "../../x", "a/b", "..", "a\n", &too_long,
        ] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn object_names_may_have_dots() {
        for good in [
            "python-3.12-slim",
            "mcr.microsoft.com-playwright-v1.40.0-focal",
        ] {
            assert!(ObjectName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".a",
            "a.",
            "a..b",
            "a.-b",
            "A",
            "a_b",
            "a@b",
            &"a".repeat(254),
        ] {
            assert!(ObjectName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn variables_are_words() {
        assert!(EnvName::parse("GITHUB_TOKEN").is_ok());
        for bad in ["", "1A", "A-B", "A=B", "A B", "Ä"] {
            assert!(EnvName::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_valid_name_is_kept_as_it_is(name in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?") {
            prop_assert_eq!(Name::parse(&name).map(|n| n.to_string()), Ok(name));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,80}") {
            let _ = (Name::parse(&text), ObjectName::parse(&text), EnvName::parse(&text));
        }
    }
}
