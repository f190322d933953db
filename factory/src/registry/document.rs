//! What registries store: manifests, indices, configurations.

use std::collections::BTreeMap;

use image_factory::model::{Digest, Parse};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::error::{Kind, RegistryError};

/// What we take for a manifest, as `Accept` has it.
pub(super) const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// The name of these bytes.
pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::of_sha256(&Sha256::digest(bytes).into())
}

/// Refuses bytes that are not what they were asked for as.
pub(super) fn verify(bytes: &[u8], named: &Digest) -> Result<(), RegistryError> {
    let found = digest_of(bytes);
    if found == *named {
        return Ok(());
    }
    Err(RegistryError::new(
        Kind::WrongDigest,
        format!("the registry names it {named}, but what it serves is {found}"),
    )
    .help(
        "nothing was recorded. A registry or a proxy in between that changes what it serves is broken, \
         or somebody else's: ask those who run it",
    ))
}

/// A manifest, or an index of some.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Document {
    Manifest {
        config: Digest,
        /// Of the configuration and all layers, as they are sent.
        size: u64,
        annotations: BTreeMap<String, String>,
    },
    Index {
        entries: Vec<Entry>,
        annotations: BTreeMap<String, String>,
    },
}

/// A manifest of an index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) digest: Digest,
    pub(super) os: String,
    pub(super) architecture: String,
    pub(super) variant: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawManifest {
    schema_version: Option<u64>,
    media_type: Option<String>,
    config: Option<RawDescriptor>,
    layers: Option<Vec<RawDescriptor>>,
    manifests: Option<Vec<RawDescriptor>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct RawDescriptor {
    digest: String,
    #[serde(default)]
    size: u64,
    platform: Option<RawPlatform>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawPlatform {
    os: String,
    architecture: String,
    variant: String,
}

/// Reads a manifest or an index, whose digest was checked before. Also the media
/// type that it says to have.
pub(super) fn read(bytes: &[u8]) -> Result<(Document, Option<String>), RegistryError> {
    let raw: RawManifest = serde_json::from_slice(bytes).map_err(|error| {
        RegistryError::garbage(format!(
            "what it serves is no manifest of an image: {error}"
        ))
    })?;
    if raw.schema_version == Some(1) {
        return Err(RegistryError::new(
            Kind::Garbage,
            "it is kept in the first format of Docker, which registries gave up in 2017",
        )
        .help("push the image again with any program of today, or base on a newer one"));
    }
    let annotations = raw.annotations.unwrap_or_default();
    let digest = |text: &str| {
        Digest::parse(text).map_err(|_| {
            RegistryError::garbage(format!(
                "the manifest names `{}`, which is no digest by sha256",
                super::error::excerpt(text)
            ))
        })
    };
    let document = match (raw.manifests, raw.config) {
        (Some(manifests), _) => {
            let entry = |raw: RawDescriptor| {
                let platform = raw.platform.unwrap_or_default();
                Ok(Entry {
                    digest: digest(&raw.digest)?,
                    os: platform.os,
                    architecture: platform.architecture,
                    variant: platform.variant,
                })
            };
            Document::Index {
                entries: manifests.into_iter().map(entry).collect::<Result<_, _>>()?,
                annotations,
            }
        }
        (None, Some(config)) => Document::Manifest {
            size: raw
                .layers
                .unwrap_or_default()
                .iter()
                .fold(config.size, |sum, layer| sum.saturating_add(layer.size)),
            config: digest(&config.digest)?,
            annotations,
        },
        (None, None) => {
            return Err(RegistryError::garbage(
                "what it serves is no manifest of an image: it has neither `config` nor `manifests`",
            ));
        }
    };
    Ok((document, raw.media_type))
}

/// The entry of an index that speaks for all: that for linux/amd64, else the first
/// that is an image and no attestation of one.
pub(super) fn representative(entries: &[Entry]) -> Option<&Entry> {
    let is_image = |entry: &&Entry| entry.os != "unknown" && entry.architecture != "unknown";
    entries
        .iter()
        .find(|entry| {
            entry.os == "linux"
                && entry.architecture == "amd64"
                && matches!(entry.variant.as_str(), "" | "v1")
        })
        .or_else(|| entries.iter().find(is_image))
}

/// What an image says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Description {
    /// Such as `amd64`.
    pub architecture: Option<String>,
    /// Such as `linux`.
    pub os: Option<String>,
    /// When it was made, as the image says it.
    pub created: Option<String>,
    /// Bytes of the configuration and all layers, as they are sent.
    pub size: Option<u64>,
    /// The labels of its configuration.
    pub labels: BTreeMap<String, String>,
    /// The annotations of its manifest and index.
    pub annotations: BTreeMap<String, String>,
}

/// Annotation and label: the digest of the image that this one was built on.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
/// Annotation and label: the reference of that image.
const BASE_NAME: &str = "org.opencontainers.image.base.name";

impl Description {
    /// The digest of the image that this one says it was built on.
    #[must_use]
    pub fn base_digest(&self) -> Option<Digest> {
        Digest::parse(self.said(BASE_DIGEST)?).ok()
    }

    /// The reference of the image that this one says it was built on.
    #[must_use]
    pub fn base_name(&self) -> Option<&str> {
        self.said(BASE_NAME)
    }

    fn said(&self, key: &str) -> Option<&str> {
        let said = self.annotations.get(key).or_else(|| self.labels.get(key));
        said.map(String::as_str).filter(|text| !text.is_empty())
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawConfig {
    architecture: Option<String>,
    os: Option<String>,
    created: Option<String>,
    config: Option<RawRunning>,
}

#[derive(Deserialize)]
struct RawRunning {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

/// The most labels or annotations that are kept, and the most bytes of each.
const MOST: usize = 100;
const LONGEST: usize = 4096;

/// Puts a description together of a configuration, whose digest was checked
/// before, and the annotations beside it. What is no configuration of an image
/// (other things are kept in registries, too) says nothing.
pub(super) fn describe(
    config: &[u8],
    size: Option<u64>,
    annotations: BTreeMap<String, String>,
) -> Description {
    let raw: RawConfig = serde_json::from_slice(config).unwrap_or_default();
    let labels = raw.config.and_then(|running| running.labels);
    let word = |text: Option<String>| text.filter(|text| !text.is_empty() && text.len() <= 64);
    Description {
        architecture: word(raw.architecture),
        os: word(raw.os),
        created: word(raw.created),
        size,
        labels: bounded(labels.unwrap_or_default()),
        annotations: bounded(annotations),
    }
}

/// State is text in git: nobody's label may make it a data store.
fn bounded(all: BTreeMap<String, String>) -> BTreeMap<String, String> {
    all.into_iter()
        .filter(|(key, value)| key.len() + value.len() <= LONGEST)
        .take(MOST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(digit: &str) -> String {
        format!("sha256:{}", digit.repeat(64))
    }

    #[test]
    fn bytes_have_one_name() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest_of(b"").as_str(), empty);
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest_of(b"abc").as_str(), abc);
        assert!(verify(b"abc", &digest_of(b"abc")).is_ok());
        let error = verify(b"abd", &digest_of(b"abc")).unwrap_err();
        assert_eq!(error.kind, Kind::WrongDigest);
        assert!(error.reason.contains(abc), "{error}");
    }

    #[test]
    fn manifests_and_indices_are_told_apart() {
        let (a, b, c) = (hex("a"), hex("b"), hex("c"));
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"m","config":{{"digest":"{a}","size":7}},
               "layers":[{{"digest":"{b}","size":30}},{{"digest":"{c}","size":5}}],"annotations":{{"k":"v"}}}}"#
        );
        let (document, media) = read(manifest.as_bytes()).unwrap();
        assert_eq!(media.as_deref(), Some("m"));
        let Document::Manifest {
            config,
            size,
            annotations,
        } = document
        else {
            panic!("a manifest");
        };
        assert_eq!((config.as_str(), size), (a.as_str(), 42));
        assert_eq!(annotations["k"], "v");

        let index = format!(
            r#"{{"schemaVersion":2,"manifests":[
               {{"digest":"{a}","platform":{{"os":"unknown","architecture":"unknown"}}}},
               {{"digest":"{b}","platform":{{"os":"linux","architecture":"arm64"}}}},
               {{"digest":"{c}","platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#
        );
        let (Document::Index { mut entries, .. }, None) = read(index.as_bytes()).unwrap() else {
            panic!("an index");
        };
        assert_eq!(representative(&entries).unwrap().digest.as_str(), c);
        entries.pop();
        assert_eq!(representative(&entries).unwrap().digest.as_str(), b);
        entries.pop();
        assert_eq!(representative(&entries), None, "an attestation is no image");
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for text in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"schemaVersion":2}"#,
            r#"{"schemaVersion":2,"config":{"digest":"sha256:1"}}"#,
            r#"{"schemaVersion":2,"config":{"digest":"../../etc/passwd"}}"#,
            r#"{"schemaVersion":2,"manifests":[{"digest":"md5:1"}]}"#,
            r#"{"schemaVersion":1,"fsLayers":[]}"#,
            r#"{"schemaVersion":2,"manifests":{}}"#,
        ] {
            assert_eq!(
                read(text.as_bytes()).unwrap_err().kind,
                Kind::Garbage,
                "{text}"
            );
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read(deep.as_bytes()).unwrap_err().kind, Kind::Garbage);
    }

    #[test]
    fn a_description_is_bounded_and_names_its_base() {
        let base = hex("a");
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","created":"2026-01-02T03:04:05Z",
               "config":{{"Labels":{{"long":"{}","{BASE_DIGEST}":"{base}","{BASE_NAME}":"docker.io/library/node:22"}}}}}}"#,
            "x".repeat(5000)
        );
        let found = describe(config.as_bytes(), Some(9), BTreeMap::new());
        assert_eq!(found.architecture.as_deref(), Some("amd64"));
        assert_eq!(found.base_digest().unwrap().as_str(), base);
        assert_eq!(found.base_name(), Some("docker.io/library/node:22"));
        assert!(!found.labels.contains_key("long"));

        let said = BTreeMap::from([(BASE_DIGEST.to_owned(), hex("b"))]);
        let found = describe(config.as_bytes(), Some(9), said);
        assert_eq!(
            found.base_digest().unwrap().as_str(),
            hex("b"),
            "the manifest comes first"
        );

        let none = describe(
            br#"{"config":{"Labels":null},"os":""}"#,
            None,
            BTreeMap::new(),
        );
        assert_eq!((none.os.clone(), none.base_digest()), (None, None));
        assert_eq!(
            describe(b"[", None, BTreeMap::new()),
            Description::default()
        );
    }
}
