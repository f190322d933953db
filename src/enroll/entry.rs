//! An entry of images.yaml to be.

use crate::model::{Duration, Parse as _};
use crate::yaml;

/// What is said of an image; what is `None` has its default and is not written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// `name`.
    pub name: String,
    /// `registry`.
    pub registry: Option<String>,
    /// `repository`.
    pub repository: String,
    /// `source`, of a managed image.
    pub source: Option<Source>,
    /// `allowTags`.
    pub allow_tags: Option<String>,
    /// `constraint`.
    pub constraint: Option<String>,
    /// `imageSelectionStrategy`.
    pub strategy: Option<String>,
    /// `rebuildDelay`.
    pub rebuild_delay: Option<String>,
    /// `autoRebuild: false`.
    pub by_hand: bool,
}

/// `source` of an entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Source {
    /// `provider`.
    pub provider: Option<String>,
    /// `repo`.
    pub repo: String,
    /// `branch`.
    pub branch: Option<String>,
    /// `dockerfile`.
    pub dockerfile: Option<String>,
    /// `target`.
    pub target: Option<String>,
    /// `workflow`.
    pub workflow: Option<String>,
}

impl Entry {
    /// The lines of the entry as an item of a list that is not indented.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from("-");
        put(&mut text, 0, "name", Some(&self.name));
        put(&mut text, 2, "registry", self.registry.as_deref());
        put(&mut text, 2, "repository", Some(&self.repository));
        if let Some(source) = &self.source {
            text.push_str("  source:\n");
            for (key, value) in [
                ("provider", source.provider.as_deref()),
                ("repo", Some(source.repo.as_str())),
                ("branch", source.branch.as_deref()),
                ("dockerfile", source.dockerfile.as_deref()),
                ("target", source.target.as_deref()),
                ("workflow", source.workflow.as_deref()),
            ] {
                put(&mut text, 4, key, value);
            }
        }
        for (key, value) in [
            ("allowTags", self.allow_tags.as_deref()),
            ("constraint", self.constraint.as_deref()),
            ("imageSelectionStrategy", self.strategy.as_deref()),
            ("rebuildDelay", self.rebuild_delay.as_deref()),
        ] {
            put(&mut text, 2, key, value);
        }
        if self.by_hand {
            text.push_str("  autoRebuild: false\n");
        }
        text
    }
}

fn put(text: &mut String, indent: usize, key: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    let indent = if indent == 0 { 1 } else { indent };
    text.push_str(&format!("{:indent$}{key}: {}\n", "", scalar(value)));
}

/// A text on one line. What people write without quotes in this file has none, though
/// careful programs would quote it: patterns and durations.
fn scalar(value: &str) -> String {
    let pattern = value.starts_with('^')
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "^$.\\+*-_".contains(c));
    if pattern || Duration::parse(value).is_ok() {
        return value.to_owned();
    }
    // As JSON, which is YAML too, if it has several lines; such a value is refused later.
    match yaml::to_string(value) {
        Ok(text) if text.trim_end().lines().count() == 1 => text.trim_end().to_owned(),
        _ => serde_json::Value::from(value).to_string(),
    }
}
