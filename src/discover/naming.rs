//! What base images are called: a file, a Warehouse and a Stage each.
//!
//! Names never move, so what has a name keeps it, in the archive too. A new
//! reference is named after its text, as people would do it; where that is no
//! name, or is taken, a hash of what the reference means is appended.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::model::{ObjectName, Parse};

/// Most characters of a new name. Objects may have more, but the values of
/// labels, and names in a Backstage catalog, may not.
const LONGEST: usize = 63;
/// Hexadecimal digits of the hash, if they are enough to tell names apart.
const DIGITS: usize = 8;

/// Who has which name already.
#[derive(Debug, Default)]
pub(super) struct Naming {
    /// Names that are taken, with the identity that has them.
    taken: BTreeMap<String, Holder>,
    /// Identities that have a name.
    kept: BTreeMap<String, ObjectName>,
}

#[derive(Debug)]
enum Holder {
    /// This reference, in its canonical spelling.
    Reference(String),
    /// A file that cannot be read: whoever would be named so by the rule.
    Unreadable,
    /// Something that is no base image.
    Other,
}

impl Naming {
    /// A file has this name and is about the reference of this identity. Of
    /// several files of one identity the first one is its name.
    pub(super) fn keep(&mut self, name: &ObjectName, identity: &str) {
        self.taken
            .entry(name.as_str().to_owned())
            .or_insert_with(|| Holder::Reference(identity.to_owned()));
        self.kept
            .entry(identity.to_owned())
            .or_insert_with(|| name.clone());
    }

    /// A file has this name, but does not tell what it is about.
    pub(super) fn unreadable(&mut self, name: &str) {
        self.taken
            .entry(name.to_owned())
            .or_insert(Holder::Unreadable);
    }

    /// An enrolled image has this name, and may share it with `identity` only.
    pub(super) fn enrolled(&mut self, name: &str, identity: Option<String>) {
        self.taken
            .entry(name.to_owned())
            .or_insert_with(|| identity.map_or(Holder::Other, Holder::Reference));
    }

    /// The names of all references: by identity, the spellings that were seen.
    /// The order in which anything was seen does not matter.
    pub(super) fn assign(
        mut self,
        seen: &BTreeMap<String, BTreeSet<String>>,
    ) -> BTreeMap<String, ObjectName> {
        let mut names = BTreeMap::new();
        let mut others = Vec::new();
        // The smaller identity comes first, and so gets the bare name.
        for (identity, spellings) in seen {
            if let Some(name) = self.kept.get(identity) {
                names.insert(identity.clone(), name.clone());
                continue;
            }
            let spelling = spellings.iter().min_by_key(|text| text.len());
            let wanted = readable(spelling.map_or(identity.as_str(), String::as_str));
            match self.bare(identity, &wanted) {
                Some(name) => {
                    self.take(identity, &name);
                    names.insert(identity.clone(), name);
                }
                None => others.push((identity, wanted)),
            }
        }
        for (identity, wanted) in others {
            let name = self.hashed(identity, &wanted);
            self.take(identity, &name);
            names.insert(identity.clone(), name);
        }
        names
    }

    fn take(&mut self, identity: &str, name: &ObjectName) {
        let holder = Holder::Reference(identity.to_owned());
        self.taken.insert(name.as_str().to_owned(), holder);
    }

    fn is_free(&self, name: &str, identity: &str) -> bool {
        match self.taken.get(name) {
            None | Some(Holder::Unreadable) => true,
            Some(Holder::Reference(holder)) => holder == identity,
            Some(Holder::Other) => false,
        }
    }

    /// The readable name as it is, if it can be and nobody else has it.
    fn bare(&self, identity: &str, wanted: &str) -> Option<ObjectName> {
        // A digest is no part of the readable name.
        let fits = !identity.contains('@') && clean(wanted) == wanted && wanted.len() <= LONGEST;
        // No reader of state looks at files called like this.
        let seen = !wanted.ends_with(".example");
        if fits && seen && self.is_free(wanted, identity) {
            ObjectName::parse(wanted).ok()
        } else {
            None
        }
    }

    /// The readable name with as much of the hash as tells it apart.
    fn hashed(&self, identity: &str, wanted: &str) -> ObjectName {
        let hash = hex(identity);
        let clean = clean(wanted);
        let mut digits = DIGITS;
        loop {
            let end = hash.get(..digits).unwrap_or(&hash);
            let room = LONGEST.saturating_sub(digits + 1);
            // Clean text is ASCII, so that any cut is one between characters.
            let start = clean.get(..room).unwrap_or(&clean);
            let start = start.trim_end_matches(['-', '.']);
            let name = [start, if start.is_empty() { "" } else { "-" }, end].concat();
            if let Ok(name) = ObjectName::parse(&name)
                && (self.is_free(name.as_str(), identity) || digits >= hash.len())
            {
                return name;
            }
            digits += DIGITS;
        }
    }
}

/// The name that people would give: the text without digest; of three parts the
/// first, a registry mostly, is left away.
fn readable(spelling: &str) -> String {
    let text = spelling.split_once('@').map_or(spelling, |(text, _)| text);
    let text = match text.split_once('/') {
        Some((_, rest)) if rest.matches('/').count() == 1 => rest,
        _ => text,
    };
    text.replace([':', '/'], "-")
}

/// What of a text may stand in a name: lower case, other characters as dashes,
/// letters or digits at the ends and around dots.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        let c = if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '-'
        };
        if !c.is_ascii_alphanumeric() && (clean.is_empty() || clean.ends_with('.')) {
            continue;
        }
        if c == '.' {
            clean.truncate(clean.trim_end_matches('-').len());
        }
        clean.push(c);
    }
    clean.truncate(clean.trim_end_matches(['-', '.']).len());
    clean
}

fn hex(identity: &str) -> String {
    Sha256::digest(identity.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reference;
    use proptest::prelude::*;

    /// The identity of a reference as Kargo takes them, which is all that these tests need.
    fn identity(text: &str) -> String {
        Reference::parse(text).map_or_else(|_| text.to_owned(), |r| r.to_string())
    }

    fn hash(text: &str, digits: usize) -> String {
        hex(&identity(text)).chars().take(digits).collect()
    }

    fn seen<'t>(texts: impl IntoIterator<Item = &'t str>) -> BTreeMap<String, BTreeSet<String>> {
        let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for text in texts {
            seen.entry(identity(text)).or_default().insert(text.into());
        }
        seen
    }

    fn names(texts: &[&str]) -> Vec<String> {
        let names = Naming::default().assign(&seen(texts.iter().copied()));
        let name = |text: &&str| names[&identity(text)].to_string();
        texts.iter().map(name).collect()
    }

    #[test]
    fn a_reference_alone_is_named_as_people_would() {
        for (text, name) in [
            ("node:22-bookworm-slim", "node-22-bookworm-slim"),
            ("docker.io/library/node:22", "library-node-22"),
            ("ghcr.io/owner/image:v1.0", "owner-image-v1.0"),
            ("python:3.12-slim", "python-3.12-slim"),
            (
                "gcr.io/distroless/python3-debian12:latest",
                "distroless-python3-debian12-latest",
            ),
            (
                "mcr.microsoft.com/playwright:v1.40.0-focal",
                "mcr.microsoft.com-playwright-v1.40.0-focal",
            ),
            (
                "registry.access.redhat.com/ubi9/ubi:latest",
                "ubi9-ubi-latest",
            ),
            ("bitnami/postgresql:16", "bitnami-postgresql-16"),
            ("nginx", "nginx"),
            ("nginx:latest", "nginx-latest"),
            (
                "public.ecr.aws/docker/library/node:22",
                "public.ecr.aws-docker-library-node-22",
            ),
            ("docker.io/node:22", "docker.io-node-22"),
            ("registry.example.com:5000/team/app:1.2", "team-app-1.2"),
            ("localhost:5000/app:1", "localhost-5000-app-1"),
        ] {
            assert_eq!(names(&[text]), [name], "{text}");
        }
    }

    #[test]
    fn what_is_no_name_gets_a_hash_of_what_it_means() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let long = "a".repeat(128);
        for (text, name) in [
            (
                "minio/minio:RELEASE.2024-01-01T00-00-00Z",
                "minio-minio-release.2024-01-01t00-00-00z-",
            ),
            ("acme/app:1.0_rc1", "acme-app-1.0-rc1-"),
            (&format!("node@{digest}"), "node-"),
            (&format!("node:22@{digest}"), "node-22-"),
            ("app:1.", "app-1-"),
            ("app:1..2", "app-1.2-"),
            ("app:1.-2", "app-1.2-"),
            ("app:1-.2", "app-1.2-"),
            ("app:1.example", "app-1.example-"),
            (
                &format!("app:{long}"),
                &format!("app-{}-", "a".repeat(LONGEST - 13)),
            ),
        ] {
            let suffix = hash(text, 8);
            assert_eq!(names(&[text]), [format!("{name}{suffix}")], "{text}");
        }
        let suffix = hash("[::1]:5000/app:1", 8);
        assert_eq!(
            names(&["[::1]:5000/app:1"]),
            [format!("1--5000-app-1-{suffix}")]
        );
    }

    #[test]
    fn the_hash_never_changes() {
        assert_eq!(
            names(&["acme/app:1.0_rc1"]),
            ["acme-app-1.0-rc1-2bc98fdd"],
            "names are kept in files and in clusters"
        );
    }

    #[test]
    fn of_two_the_smaller_identity_keeps_the_bare_name() {
        for (texts, bare) in [
            (&["ghcr.io/acme/base:1", "quay.io/acme/base:1"][..], 0),
            (&["a/b-c:d", "a-b/c:d", "a/b:c-d"], 1),
            (&["quay.io/a/b:1", "a/b:1"], 1),
        ] {
            let got = names(texts);
            for (at, (name, text)) in got.iter().zip(texts).enumerate() {
                let wanted = readable(text);
                if at == bare {
                    assert_eq!(*name, wanted, "{texts:?}");
                } else {
                    assert_eq!(*name, format!("{wanted}-{}", hash(text, 8)));
                }
            }
        }
    }

    #[test]
    fn the_spellings_of_one_image_share_a_name() {
        assert_eq!(
            names(&["docker.io/library/node:22", "node:22", "docker.io/node:22"]),
            ["node-22"; 3]
        );
        assert_eq!(names(&["nginx:latest", "nginx"]), ["nginx"; 2]);
    }

    #[test]
    fn what_has_a_name_keeps_it() {
        let name = |text: &str| ObjectName::parse(text).unwrap();
        let assign = |naming: Naming, text: &str| {
            let names = naming.assign(&seen([text]));
            names[&identity(text)].to_string()
        };
        let kept = |name_: &str, text: &str| {
            let mut naming = Naming::default();
            naming.keep(&name(name_), &identity(text));
            naming
        };
        assert_eq!(
            assign(kept("library-node-22", "node:22"), "node:22"),
            "library-node-22"
        );
        let second = assign(
            kept("acme-base-1", "quay.io/acme/base:1"),
            "ghcr.io/acme/base:1",
        );
        assert!(second.starts_with("acme-base-1-"), "{second}");

        let mut naming = kept("node-22", "node:22");
        naming.keep(&name("library-node-22"), &identity("node:22"));
        assert_eq!(assign(naming, "docker.io/library/node:22"), "node-22");

        let mut naming = Naming::default();
        naming.unreadable("node-22");
        assert_eq!(assign(naming, "node:22"), "node-22");

        let mut naming = Naming::default();
        naming.enrolled("nginx", None);
        let suffix = hash("nginx", 8);
        assert_eq!(assign(naming, "nginx"), format!("nginx-{suffix}"));
        let mut naming = Naming::default();
        naming.enrolled("nginx", Some(identity("nginx")));
        assert_eq!(assign(naming, "nginx"), "nginx");

        // Somebody else has the name with the hash, too.
        let mut naming = Naming::default();
        let taken = format!("acme-app-1.0-rc1-{}", hash("acme/app:1.0_rc1", 8));
        naming.keep(&name(&taken), &identity("other:1"));
        let longer = hash("acme/app:1.0_rc1", 16);
        assert_eq!(
            assign(naming, "acme/app:1.0_rc1"),
            format!("acme-app-1.0-rc1-{longer}")
        );
    }

    fn reference() -> impl Strategy<Value = String> {
        let part = "[ab]([-.]|__?)?[ab]?[0-9]?";
        let part = || part.prop_filter("a path", |p| !p.ends_with(['-', '.', '_']));
        let registry = prop_oneof![
            Just(""),
            Just("docker.io/"),
            Just("docker.io/library/"),
            Just("ghcr.io/"),
            Just("[::1]:5000/"),
            Just("REGISTRY/"),
            Just("localhost:5000/"),
        ];
        let tag = prop_oneof![
            3 => Just(String::new()),
            3 => ":[ab12]([-._]{0,2}[aAbB12]){0,2}",
            1 => ":[ab]{60,128}",
            1 => Just(":latest".to_owned()),
        ];
        let digest = prop_oneof![
            6 => Just(String::new()),
            1 => Just(format!("@sha256:{}", "1".repeat(64))),
            1 => Just(format!("@sha256:{}", "2".repeat(64))),
        ];
        let path = prop::collection::vec(part(), 1..4);
        (registry, path, tag, digest).prop_map(|(registry, path, tag, digest)| {
            [registry, &path.join("/"), &tag, &digest].concat()
        })
    }

    proptest! {
        #[test]
        fn names_are_valid_different_and_stable(
            texts in prop::collection::vec(reference(), 1..12),
            cut in any::<prop::sample::Index>(),
        ) {
            let all = seen(texts.iter().map(String::as_str));
            let names = Naming::default().assign(&all);
            let different: BTreeSet<&str> = names.values().map(ObjectName::as_str).collect();
            prop_assert_eq!(different.len(), all.len());
            for name in names.values() {
                prop_assert!(name.as_str().len() <= LONGEST);
                prop_assert!(ObjectName::parse(name.as_str()).is_ok());
                prop_assert!(!name.as_str().ends_with(".example"));
            }
            let back = seen(texts.iter().rev().map(String::as_str));
            prop_assert_eq!(&Naming::default().assign(&back), &names);

            // Found one after the other: nobody is renamed by who comes later.
            let first = seen(texts[..cut.index(texts.len())].iter().map(String::as_str));
            let first = Naming::default().assign(&first);
            let mut naming = Naming::default();
            for (identity, name) in &first {
                naming.keep(name, identity);
            }
            let later = naming.assign(&all);
            for (identity, name) in &first {
                prop_assert_eq!(&later[identity], name);
            }
            let different: BTreeSet<&ObjectName> = later.values().collect();
            prop_assert_eq!(different.len(), all.len());
        }

        #[test]
        fn any_text_gets_a_valid_name(text in ".{1,80}", kept in "[a-z.]{1,5}") {
            let seen = BTreeMap::from([(text.clone(), BTreeSet::from([text.clone()]))]);
            let mut naming = Naming::default();
            if let Ok(kept) = ObjectName::parse(&kept) {
                naming.keep(&kept, "other");
            }
            let name = &naming.assign(&seen)[&text];
            prop_assert!(ObjectName::parse(name.as_str()).is_ok());
        }
    }
}
