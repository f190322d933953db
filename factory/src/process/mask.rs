//! Secrets in what programs say.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What stands in the place of a secret.
const MASKED: &str = "***";

/// Secret values that must not be shown; it shows none itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Mask {
    /// Longest first, so that no secret is cut by one that it contains.
    secrets: Vec<String>,
}

impl Mask {
    /// Adds a secret, in the forms that it takes on its way: as it is, in a URL,
    /// and behind its user in an `Authorization` header.
    pub fn add(&mut self, user: Option<&str>, secret: &str) {
        if secret.trim().is_empty() {
            return;
        }
        self.keep(secret.to_owned());
        self.keep(percent(secret));
        self.keep(STANDARD.encode(format!("{}:{secret}", user.unwrap_or_default())));
        // Each line of what has several.
        for line in secret.lines().filter(|line| !line.trim().is_empty()) {
            self.keep(line.to_owned());
        }
        self.secrets
            .sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    }

    fn keep(&mut self, form: String) {
        if !self.secrets.contains(&form) {
            self.secrets.push(form);
        }
    }

    /// The text without the secrets.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) {
                text.replace(secret.as_str(), MASKED)
            } else {
                text
            }
        })
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({})", self.secrets.len())
    }
}

fn percent(text: &str) -> String {
    let mut all = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            all.push(char::from(byte));
        } else {
            all.push_str(&format!("%{byte:02X}"));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_gets_through() {
        let mut mask = Mask::default();
        mask.add(Some("me"), "s3/cret");
        mask.add(None, "s3");
        mask.add(None, "  ");
        for (text, masked) in [
            ("a s3/cret b", "a *** b"),
            ("https://me:s3%2Fcret@host", "https://me:***@host"),
            ("Basic bWU6czMvY3JldA==", "Basic ***"),
            ("s3 s3", "*** ***"),
            ("nothing  here", "nothing  here"),
        ] {
            assert_eq!(mask.apply(text), masked);
        }
        assert!(!format!("{mask:?}").contains("s3"));
    }
}
