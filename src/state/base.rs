//! `state/base-images/NAME.yaml`.

use crate::diagnostics::{Diagnostic, Span, code};
use crate::model::{InputFile, Name, ObjectName, Parse as _, Severity, Time};

use super::decode::{File, Map};
use super::encode;
use super::image::Warehouse;
use super::raw::{Entries, Raw};
use super::values::{DigestText, Stamp};
use super::write;
use super::{Read, UpdateEntry};

/// What is remembered of an image reference that some Dockerfile names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BaseDoc {
    /// Its name, which is the file's.
    pub name: ObjectName,
    /// The reference as the Dockerfile has it, variables expanded.
    pub full_image: String,
    /// Its canonical registry.
    pub registry: Option<String>,
    /// Its canonical path in the registry.
    pub repository: Option<String>,
    /// Its tag.
    pub tag: Option<String>,
    /// What Kargo watches.
    pub warehouse: Warehouse,
    /// When it was first found; set once.
    pub first_discovered: Option<Stamp>,
    /// When a registry was last asked.
    pub last_checked: Option<Stamp>,
    /// The images built on it, sorted.
    pub dependents: Vec<Name>,
    /// Our own image that it is.
    pub managed_image: Option<Name>,
    /// What the reference points to.
    pub current_digest: Option<DigestText>,
    /// When that last changed; `None` until it changes for the first time.
    pub last_updated: Option<Stamp>,
    /// What it pointed to before.
    pub previous_digest: Option<DigestText>,
    /// `architecture`, `os`, `size`, `created`, `labels`, and whatever else is there.
    pub metadata: Entries,
    /// Changes of the digest, newest last.
    pub update_history: Vec<UpdateEntry>,
    /// What scans found in digests of it.
    pub findings: Vec<Finding>,
    /// When discovery last learnt something.
    pub last_discovery: Option<Stamp>,
    /// Other keys.
    pub unknown: Entries,
}

/// An entry of `findings`: a weakness that a scan found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Finding {
    /// What it is called: `CVE-2026-1234`.
    pub id: Option<String>,
    /// How bad it is, in the scanner's word.
    pub severity: Option<String>,
    /// What has it.
    pub digest: Option<DigestText>,
    /// When it was found.
    pub at: Option<Stamp>,
    /// Other keys.
    pub unknown: Entries,
}

const FINDING: &[&str] = &["id", "severity", "digest", "at"];

impl Finding {
    /// How bad it is, as far as the word is known: `HIGH`, `moderate`.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        let word = self.severity.as_deref()?.to_ascii_lowercase();
        match word.as_str() {
            "moderate" => Some(Severity::Medium),
            "important" => Some(Severity::High),
            word => Severity::parse(word).ok(),
        }
    }

    fn read(file: &mut File<'_>, map: &Map<'_, '_>) -> Vec<Self> {
        let maps = file.maps(map, "findings", "findings.");
        let mut findings = Vec::with_capacity(maps.len());
        for map in &maps {
            findings.push(Self {
                id: file.owned(map, "id"),
                severity: file.owned(map, "severity"),
                digest: file.digest(map, "digest"),
                at: file.stamp(map, "at"),
                unknown: file.unknown(map, FINDING),
            });
        }
        findings
    }

    fn to_raw(&self) -> Raw {
        let mut entries = Entries::new();
        entries.add_text("id", self.id.as_ref());
        entries.add_text("severity", self.severity.as_ref());
        entries.add_text("digest", self.digest.as_ref());
        entries.add_text("at", self.at.as_ref());
        entries.add_all(&self.unknown);
        Raw::Map(entries)
    }
}

const KNOWN: &[&str] = &[
    "name",
    "fullImage",
    "registry",
    "repository",
    "tag",
    "repoURL",
    "allowTags",
    "constraint",
    "imageSelectionStrategy",
    "firstDiscovered",
    "lastChecked",
    "dependentImages",
    "managedImage",
    "currentDigest",
    "lastUpdated",
    "previousDigest",
    "metadata",
    "updateHistory",
    "findings",
    "lastDiscovery",
];

/// What a file of ours always has. More is written, but need not be there; what Kargo
/// cannot subscribe to has no `repoURL`.
const EXPECTED: &[&str] = &[
    "fullImage",
    "registry",
    "repository",
    "firstDiscovered",
    "dependentImages",
    "currentDigest",
    "lastUpdated",
];

/// Keys that only the state of an enrolled image has.
const OF_IMAGE: &[&str] = &["enrollment", "enrolledAt", "discoveryStatus", "baseImages"];

impl BaseDoc {
    /// A reference that was found now. The parts of it (`registry`, `warehouse` …)
    /// are to be filled in.
    #[must_use]
    pub fn new(name: ObjectName, full_image: impl Into<String>, now: Time) -> Self {
        Self {
            name,
            full_image: full_image.into(),
            registry: None,
            repository: None,
            tag: None,
            warehouse: Warehouse::default(),
            first_discovered: Some(now.into()),
            last_checked: Some(now.into()),
            dependents: Vec::new(),
            managed_image: None,
            current_digest: None,
            last_updated: None,
            previous_digest: None,
            metadata: Entries::new(),
            update_history: Vec::new(),
            findings: Vec::new(),
            last_discovery: None,
            unknown: Entries::new(),
        }
    }

    /// Reads a file.
    #[must_use]
    pub fn read(input: &InputFile) -> Read<Self> {
        let mut file = File::new(input, true);
        let doc = Self::decode(&mut file);
        file.finish(doc)
    }

    fn decode(file: &mut File<'_>) -> Option<Self> {
        let Some(node) = file.parse() else {
            if !file.failed() {
                unknown_image(file, Span::new(0, 0));
            }
            return None;
        };
        let map = file.top(&node)?;
        let name: ObjectName = file.name(Some(&map), "a base image")?;
        if map.get("fullImage").is_none()
            && let Some(node) = OF_IMAGE.iter().find_map(|key| map.get(key))
        {
            file.misplaced(node, "an enrolled image", "base images", "images");
            return None;
        }
        let full_image = file.owned(&map, "fullImage");
        file.expect(&map, EXPECTED);
        let mut doc = Self {
            name,
            full_image: String::new(),
            registry: file.owned(&map, "registry"),
            repository: file.owned(&map, "repository"),
            tag: file.owned(&map, "tag"),
            warehouse: Warehouse::read(file, &map),
            first_discovered: file.stamp(&map, "firstDiscovered"),
            last_checked: file.stamp(&map, "lastChecked"),
            dependents: file.names(&map, "dependentImages").unwrap_or_default(),
            managed_image: managed_image(file, &map),
            current_digest: file.digest(&map, "currentDigest"),
            last_updated: file.stamp(&map, "lastUpdated"),
            previous_digest: file.digest(&map, "previousDigest"),
            metadata: file.entries(&map, "metadata"),
            update_history: file.updates(&map),
            findings: Finding::read(file, &map),
            last_discovery: file.stamp(&map, "lastDiscovery"),
            unknown: file.unknown(&map, KNOWN),
        };
        let Some(full_image) = full_image.or_else(|| doc.spelled()) else {
            unknown_image(file, node.span);
            return None;
        };
        if full_image
            .chars()
            .any(|c| c.is_whitespace() || c.is_control())
        {
            unknown_image(
                file,
                map.get("fullImage").map_or(node.span, |node| node.span),
            );
            return None;
        }
        doc.full_image = full_image;
        Some(doc)
    }

    /// The reference by its parts.
    fn spelled(&self) -> Option<String> {
        let repository = self.repository.as_ref()?;
        let registry = self.registry.as_deref().unwrap_or("docker.io");
        let tag = self.tag.as_deref().unwrap_or("latest");
        Some(format!("{registry}/{repository}:{tag}"))
    }

    /// The whole file.
    #[must_use]
    pub fn write(&self) -> String {
        let mut entries = Entries::new();
        entries.add_text("name", Some(&self.name));
        entries.add_text("fullImage", Some(&self.full_image));
        entries.add_text("registry", self.registry.as_ref());
        entries.add_text("repository", self.repository.as_ref());
        entries.add_text("tag", self.tag.as_ref());
        self.warehouse.add_to(&mut entries);
        entries.add_text("firstDiscovered", self.first_discovered.as_ref());
        entries.add_text("lastChecked", self.last_checked.as_ref());
        entries.add("dependentImages", Raw::texts(&self.dependents));
        entries.add_some("managedImage", self.managed_image.as_ref());
        entries.add_text("currentDigest", self.current_digest.as_ref());
        entries.add_text("lastUpdated", self.last_updated.as_ref());
        entries.add_text("previousDigest", self.previous_digest.as_ref());
        entries.add("metadata", Raw::Map(self.metadata.clone()));
        entries.add("updateHistory", encode::updates(&self.update_history));
        if !self.findings.is_empty() {
            let findings = self.findings.iter().map(Finding::to_raw);
            entries.add("findings", Raw::List(findings.collect()));
        }
        entries.add_some("lastDiscovery", self.last_discovery.as_ref());
        entries.add_all(&self.unknown);
        let title = format!("Base image: {}", self.full_image);
        write::file(&title, &entries, self.warehouse.first_key())
    }
}

fn managed_image(file: &mut File<'_>, map: &Map<'_, '_>) -> Option<Name> {
    file.parsed(map, "managedImage")
}

fn unknown_image(file: &mut File<'_>, span: Span) {
    let message = "the file does not say which image it is about: `fullImage` is missing";
    let help = "delete the file and run `image-factory discover`, or restore it from git";
    file.report(
        Diagnostic::error(code::INVALID_REFERENCE, message).help(help),
        span,
    );
}
