//! `state/images/NAME.yaml`.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, Span, code};
use crate::model::{
    DiscoveryStatus, Image, InputFile, Name, ObjectName, Parse as _, Strategy, Time, Watch,
    mended_pattern,
};

use super::decode::{File, Map};
use super::encode;
use super::raw::{Entries, Raw};
use super::rebuild::{Attempt, RebuildState};
use super::values::{DigestText, Stamp};
use super::write;
use super::{Mending, Read, UpdateEntry};

/// What is remembered of an enrolled image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageDoc {
    /// Its name, which is the file's.
    pub name: Name,
    /// When it was first seen in images.yaml; set once.
    pub enrolled_at: Option<Stamp>,
    /// When discovery last learnt something.
    pub last_discovery: Option<Stamp>,
    /// How the last discovery ended.
    pub status: DiscoveryStatus,
    /// Why it failed, if it did.
    pub discovery_error: Option<DiscoveryError>,
    /// The copy of its configuration; see [`set_enrollment`](Self::set_enrollment).
    pub enrollment: Entries,
    /// What Kargo watches; only external images have any of it.
    pub warehouse: Warehouse,
    /// The names of its base images, sorted; `None` if nothing is known yet.
    pub bases: Option<Vec<ObjectName>>,
    /// The tag of its newest build.
    pub current_version: Option<String>,
    /// The digest of its newest build, or of an external image's tag.
    pub current_digest: Option<DigestText>,
    /// When that was built.
    pub last_built: Option<Stamp>,
    /// External images: when the digest last changed.
    pub last_updated: Option<Stamp>,
    /// External images: the digest before that.
    pub previous_digest: Option<DigestText>,
    /// External images: changes of the digest, newest last.
    pub update_history: Vec<UpdateEntry>,
    /// What the newest build was made from, by base image.
    pub built_from: BTreeMap<ObjectName, DigestText>,
    /// What becomes of it after its base images changed.
    pub rebuild_state: Option<RebuildState>,
    /// Attempts to rebuild it, newest last.
    pub rebuild_history: Vec<Attempt>,
    /// Other keys.
    pub unknown: Entries,
}

/// `discoveryError`: why the last discovery failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiscoveryError {
    /// What was wrong, for people.
    pub message: String,
    /// When it was found.
    pub at: Option<Stamp>,
    /// Other keys.
    pub unknown: Entries,
}

impl DiscoveryError {
    /// An error found at this time.
    #[must_use]
    pub fn new(message: impl Into<String>, at: Time) -> Self {
        Self {
            message: message.into(),
            at: Some(at.into()),
            unknown: Entries::new(),
        }
    }

    fn read(file: &mut File<'_>, map: &Map<'_, '_>) -> Option<Self> {
        let map = file.map(map, "discoveryError", "discoveryError.")?;
        Some(Self {
            message: file.owned(&map, "message").unwrap_or_default(),
            at: file.stamp(&map, "at"),
            unknown: file.unknown(&map, &["message", "at"]),
        })
    }

    fn to_raw(&self) -> Raw {
        let mut entries = Entries::new();
        entries.add("message", Raw::text(self.message.as_str()));
        entries.add_some("at", self.at.as_ref());
        entries.add_all(&self.unknown);
        Raw::Map(entries)
    }
}

/// What Kargo is to watch, as state files say it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Warehouse {
    /// Registry and repository.
    pub repo_url: Option<String>,
    /// A pattern for the tags.
    pub allow_tags: Option<String>,
    /// A range of versions.
    pub constraint: Option<String>,
    /// How the newest is chosen.
    pub strategy: Option<String>,
}

const REPO_URL: &str = "repoURL";
const ALLOW_TAGS: &str = "allowTags";
const CONSTRAINT: &str = "constraint";
const STRATEGY: &str = "imageSelectionStrategy";

impl Warehouse {
    /// What is watched of this repository. A single tag is written as older
    /// programs did: a pattern for it, and `Lexical`.
    #[must_use]
    pub fn new(repo_url: &str, watch: Option<&Watch>) -> Self {
        let pattern = |tags: &Option<crate::model::Pattern>| tags.as_ref().map(ToString::to_string);
        let (allow_tags, constraint, strategy) = match watch {
            None => (None, None, None),
            Some(Watch::Tag(tag)) => (Some(tag.pattern()), None, Some(Strategy::Lexical)),
            Some(Watch::SemVer { constraint, tags }) => (
                pattern(tags),
                constraint.as_ref().map(ToString::to_string),
                Some(Strategy::SemVer),
            ),
            Some(Watch::Lexical { tags }) => (pattern(tags), None, Some(Strategy::Lexical)),
            Some(Watch::NewestBuild { tags }) => (pattern(tags), None, Some(Strategy::NewestBuild)),
        };
        Self {
            repo_url: Some(repo_url.to_owned()),
            allow_tags,
            constraint,
            strategy: strategy.map(|strategy| strategy.to_string()),
        }
    }

    /// Is nothing watched?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn read(file: &mut File<'_>, map: &Map<'_, '_>) -> Self {
        let allow_tags = file
            .owned(map, ALLOW_TAGS)
            .map(|text| match mended_pattern(&text) {
                Some(meant) => {
                    file.mend(Mending::DoubleEscape);
                    meant
                }
                None => text,
            });
        Self {
            repo_url: file.owned(map, REPO_URL),
            allow_tags,
            constraint: file.owned(map, CONSTRAINT),
            strategy: file.owned(map, STRATEGY),
        }
    }

    pub(super) fn add_to(&self, entries: &mut Entries) {
        entries.add_some(REPO_URL, self.repo_url.as_ref());
        entries.add_some(ALLOW_TAGS, self.allow_tags.as_ref());
        entries.add_some(CONSTRAINT, self.constraint.as_ref());
        entries.add_some(STRATEGY, self.strategy.as_ref());
    }

    /// The key before which the block of this title stands.
    pub(super) fn first_key(&self) -> Option<&'static str> {
        let keys = [
            (REPO_URL, &self.repo_url),
            (ALLOW_TAGS, &self.allow_tags),
            (CONSTRAINT, &self.constraint),
            (STRATEGY, &self.strategy),
        ];
        keys.iter()
            .find(|(_, value)| value.is_some())
            .map(|(key, _)| *key)
    }
}

const KNOWN: &[&str] = &[
    "name",
    "enrolledAt",
    "lastDiscovery",
    "discoveryStatus",
    "discoveryError",
    "enrollment",
    REPO_URL,
    ALLOW_TAGS,
    CONSTRAINT,
    STRATEGY,
    "baseImages",
    "currentVersion",
    "currentDigest",
    "lastBuilt",
    "lastUpdated",
    "previousDigest",
    "updateHistory",
    "builtFrom",
    "rebuildState",
    "rebuildHistory",
];

const STATUSES: &[(&str, DiscoveryStatus)] = &[
    ("pending", DiscoveryStatus::Pending),
    ("success", DiscoveryStatus::Success),
    ("failed", DiscoveryStatus::Failed),
    ("external", DiscoveryStatus::External),
];
const OLDER_STATUSES: &[(&str, DiscoveryStatus)] = &[("discovered", DiscoveryStatus::Success)];

/// What a file of ours always has. More is written, but need not be there.
const EXPECTED: &[&str] = &["enrolledAt", "discoveryStatus", "enrollment", "baseImages"];
const EXPECTED_MANAGED: &[&str] = &[
    "lastDiscovery",
    "currentVersion",
    "currentDigest",
    "lastBuilt",
    "rebuildState",
];

impl ImageDoc {
    /// An image that was enrolled now, without any history.
    #[must_use]
    pub fn new(image: &Image, now: Time) -> Self {
        let mut doc = Self::empty(image.name.clone());
        doc.enrolled_at = Some(now.into());
        doc.set_enrollment(image);
        doc
    }

    fn empty(name: Name) -> Self {
        Self {
            name,
            enrolled_at: None,
            last_discovery: None,
            status: DiscoveryStatus::Pending,
            discovery_error: None,
            enrollment: Entries::new(),
            warehouse: Warehouse::default(),
            bases: None,
            current_version: None,
            current_digest: None,
            last_built: None,
            last_updated: None,
            previous_digest: None,
            update_history: Vec::new(),
            built_from: BTreeMap::new(),
            rebuild_state: None,
            rebuild_history: Vec::new(),
            unknown: Entries::new(),
        }
    }

    /// Does the file say that we build the image?
    #[must_use]
    pub fn is_managed(&self) -> bool {
        self.enrollment
            .map("source")
            .is_some_and(|source| source.text("repo").is_some())
    }

    /// Notes since when there is a change of a base image to follow, and when it is due.
    pub fn note(&mut self, pending: Option<(Time, Time)>) {
        match (pending, &mut self.rebuild_state) {
            (Some((since, due)), state) => {
                state.get_or_insert_default().wait(since, due);
            }
            (None, Some(state)) => state.rest(),
            (None, None) => {}
        }
    }

    /// Reads a file.
    #[must_use]
    pub fn read(input: &InputFile) -> Read<Self> {
        let mut file = File::new(input, false);
        let doc = Self::decode(&mut file);
        file.finish(doc)
    }

    fn decode(file: &mut File<'_>) -> Option<Self> {
        let Some(node) = file.parse() else {
            if !file.failed() {
                file.empty(Span::new(0, 0));
            }
            return None;
        };
        let map = file.top(&node)?;
        let name: Name = file.name(Some(&map), "an image")?;
        if let Some(node) = map.get("fullImage") {
            file.misplaced(node, "a base image", "images", "base-images");
            return None;
        }
        if !KNOWN.iter().any(|key| map.has(key)) {
            file.empty(node.span);
            return None;
        }
        file.expect(&map, EXPECTED);
        let doc = Self {
            name,
            enrolled_at: file.stamp(&map, "enrolledAt"),
            last_discovery: file.stamp(&map, "lastDiscovery"),
            status: file
                .word(&map, "discoveryStatus", STATUSES, OLDER_STATUSES)
                .unwrap_or(DiscoveryStatus::Pending),
            discovery_error: DiscoveryError::read(file, &map),
            enrollment: super::enrollment::read(file, &map),
            warehouse: Warehouse::read(file, &map),
            bases: file.names(&map, "baseImages"),
            current_version: file.owned(&map, "currentVersion"),
            current_digest: file.digest(&map, "currentDigest"),
            last_built: file.stamp(&map, "lastBuilt"),
            last_updated: file.stamp(&map, "lastUpdated"),
            previous_digest: file.digest(&map, "previousDigest"),
            update_history: file.updates(&map),
            built_from: built_from(file, &map),
            rebuild_state: RebuildState::read(file, &map),
            rebuild_history: Attempt::read(file, &map),
            unknown: file.unknown(&map, KNOWN),
        };
        if doc.is_managed() {
            file.expect(&map, EXPECTED_MANAGED);
        }
        Some(doc)
    }

    /// The whole file.
    #[must_use]
    pub fn write(&self) -> String {
        let mut entries = Entries::new();
        entries.add_text("name", Some(&self.name));
        entries.add_text("enrolledAt", self.enrolled_at.as_ref());
        entries.add_text("lastDiscovery", self.last_discovery.as_ref());
        let status = STATUSES.iter().find(|(_, status)| *status == self.status);
        entries.add_text("discoveryStatus", status.map(|(word, _)| word));
        if let Some(error) = &self.discovery_error {
            entries.add("discoveryError", error.to_raw());
        }
        entries.add("enrollment", Raw::Map(self.enrollment.clone()));
        self.warehouse.add_to(&mut entries);
        let bases = self.bases.as_ref();
        entries.add("baseImages", bases.map_or_else(Raw::null, Raw::texts));
        entries.add_text("currentVersion", self.current_version.as_ref());
        entries.add_text("currentDigest", self.current_digest.as_ref());
        entries.add_text("lastBuilt", self.last_built.as_ref());
        entries.add_some("lastUpdated", self.last_updated.as_ref());
        entries.add_some("previousDigest", self.previous_digest.as_ref());
        if !self.update_history.is_empty() {
            entries.add("updateHistory", encode::updates(&self.update_history));
        }
        if !self.built_from.is_empty() {
            entries.add("builtFrom", digests(&self.built_from));
        }
        let managed = self.is_managed().then(RebuildState::default);
        if let Some(state) = self.rebuild_state.as_ref().or(managed.as_ref()) {
            entries.add("rebuildState", state.to_raw());
        }
        if !self.rebuild_history.is_empty() {
            let attempts = self.rebuild_history.iter().map(Attempt::to_raw);
            entries.add("rebuildHistory", Raw::List(attempts.collect()));
        }
        entries.add_all(&self.unknown);
        let title = format!("Image: {}", self.name);
        write::file(&title, &entries, self.warehouse.first_key())
    }
}

fn digests(map: &BTreeMap<ObjectName, DigestText>) -> Raw {
    let mut entries = Entries::new();
    for (name, digest) in map {
        entries.put(name.as_str(), Raw::text(digest.as_str()));
    }
    Raw::Map(entries)
}

fn built_from(file: &mut File<'_>, map: &Map<'_, '_>) -> BTreeMap<ObjectName, DigestText> {
    let mut digests = BTreeMap::new();
    for (name, node) in file.pairs(map, "builtFrom", "builtFrom.") {
        if node.is_null() {
            continue;
        }
        let digest = node.as_str().and_then(DigestText::read);
        match (ObjectName::parse(name), digest) {
            (Ok(name), Some(digest)) => {
                digests.insert(name, digest);
            }
            _ => {
                let message = format!(
                    "`builtFrom` has `{}`, which is no base image with its digest",
                    super::decode::shorten(name)
                );
                let help = "restore the file from git, or remove the line";
                file.report(
                    Diagnostic::error(code::INVALID_REFERENCE, message).help(help),
                    node.span,
                );
            }
        }
    }
    digests
}
