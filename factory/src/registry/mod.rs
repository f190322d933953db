//! Registries: which digest is behind a tag, and what an image says of itself.
//!
//! One question costs one `HEAD`, which no registry counts as a pull. Only for a
//! digest that is new the manifest is fetched and hashed, so that nothing is
//! recorded that a registry merely claims. What to ask and what to make of an
//! answer are pure functions; `exchange` sends, waits and carries credentials.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: asks registries, waits, reads Docker's configuration"
)]

mod challenge;
mod credentials;
mod document;
mod error;
mod exchange;
mod helper;
mod hosts;
mod judge;
mod many;
mod token;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use image_factory::diagnostics::Diagnostic;
use image_factory::model::{Digest, Parse, Reference, Repository, Settings};

use crate::http::{Answer, Client, Proxies, Timeouts};

pub use credentials::Credentials;
pub use document::Description;
pub use error::{Kind, RegistryError};
pub use exchange::Notice;
pub use hosts::Host;
pub use judge::Patience;
pub use many::{Concurrency, Wanted};

use document::Document;
use exchange::{Ask, Exchange};

/// The longest manifest or configuration that is read.
const LONGEST: usize = 8 << 20;
/// How many manifests are kept for who asks what they say.
const KEPT: usize = 16;

/// How registries are asked.
pub struct Options {
    /// How long one request may take.
    pub timeouts: Timeouts,
    /// How often, and how long we wait in between.
    pub patience: Patience,
    /// What leads out of here.
    pub proxies: Proxies,
    /// What is said of single registries, by host with an optional port.
    pub hosts: BTreeMap<String, Host>,
    /// Whom we are.
    pub credentials: Credentials,
    /// Who is told when a registry wants us to wait.
    pub notice: Notice,
}

impl Options {
    /// As `settings.registries` of the factory in `root` says, and the environment.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn of_factory(settings: &Settings, root: &Path) -> Result<Self, Diagnostic> {
        Ok(Self::from_environment(hosts::of_settings(settings, root)?))
    }

    /// As this process's environment says: proxies, and the credentials of Docker or Podman.
    #[must_use]
    pub fn from_environment(hosts: BTreeMap<String, Host>) -> Self {
        Self {
            timeouts: Timeouts::default(),
            patience: Patience::default(),
            proxies: Proxies::from_environment(),
            hosts,
            credentials: Credentials::from_files(
                |name| std::env::var_os(name).map(Into::into),
                |path| std::fs::read(path),
            )
            .with_environment(std::env::vars_os()),
            notice: Box::new(|_| {}),
        }
    }
}

/// Asks registries. May be shared by threads.
pub struct Registry {
    exchange: Exchange,
    /// Manifests whose digest was checked, the newest last.
    kept: Mutex<Vec<(Digest, Arc<[u8]>)>>,
}

/// What is behind a reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resolved {
    /// The digest of the manifest or index.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// What the image says of itself, if that was asked for.
    pub description: Option<Description>,
}

impl Registry {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let hosts = hosts::Hosts::new(options.hosts);
        Self {
            exchange: Exchange {
                client: Client::new(options.timeouts, options.proxies, hosts.authorities()),
                hosts,
                credentials: options.credentials,
                patience: options.patience,
                notice: options.notice,
                servers: Mutex::default(),
                tokens: Mutex::default(),
            },
            kept: Mutex::default(),
        }
    }

    /// The digest behind a reference: of its tag, or if it has none its digest,
    /// if it is there. `known` is what was seen last. Any other digest is
    /// fetched and its hash compared, so it is what it is called.
    ///
    /// # Errors
    /// Says why there is no answer.
    pub fn resolve(
        &self,
        reference: &Reference,
        known: Option<&Digest>,
    ) -> Result<Resolved, RegistryError> {
        let about = |error: RegistryError| {
            error.about(reference.repository.registry(), &reference.to_string())
        };
        self.digest_behind(reference, known).map_err(about)
    }

    fn digest_behind(
        &self,
        reference: &Reference,
        known: Option<&Digest>,
    ) -> Result<Resolved, RegistryError> {
        let repository = &reference.repository;
        let (target, known) = match (&reference.tag, &reference.digest) {
            (Some(tag), _) => (tag.as_str(), known),
            // A digest says what it is; asking shows whether it is there.
            (None, Some(digest)) => (digest.as_str(), Some(digest)),
            (None, None) => ("latest", known),
        };
        let head = self.manifest(repository, "HEAD", target, known)?;
        match (read_head(&head, known)?, known) {
            (Head::Unchanged, Some(known)) => Ok(resolved(known.clone(), &head)),
            (Head::Named(digest), known) => {
                if known != Some(&digest) {
                    self.fetch(repository, &digest)?;
                }
                Ok(resolved(digest, &head))
            }
            (Head::Missing, _) => {
                // An answer to HEAD has no body that says what is missing.
                let why = self.manifest(repository, "GET", target, None)?;
                match why.status {
                    200 => self.hashed(target, &why),
                    _ => Err(missing(repository, target, &why)),
                }
            }
            (Head::Unnamed | Head::Unchanged, _) => {
                let got = self.manifest(repository, "GET", target, None)?;
                match got.status {
                    200 => self.hashed(target, &got),
                    _ => Err(missing(repository, target, &got)),
                }
            }
        }
    }

    /// What an image says of itself; of an index, its image for linux/amd64 or, if
    /// there is none, the first. Everything is hashed before it is believed.
    ///
    /// # Errors
    /// Says why there is no answer.
    pub fn describe(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Description, RegistryError> {
        self.described(repository, digest)
            .map_err(|error| error.about(repository.registry(), &format!("{repository}@{digest}")))
    }

    fn described(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Description, RegistryError> {
        let mut all = BTreeMap::new();
        let (mut document, _) = document::read(&self.fetch(repository, digest)?)?;
        if let Document::Index {
            entries,
            annotations,
        } = &document
        {
            all.clone_from(annotations);
            if let Some(entry) = document::representative(entries) {
                (document, _) = document::read(&self.fetch(repository, &entry.digest)?)?;
            }
        }
        let Document::Manifest {
            config,
            size,
            annotations,
        } = document
        else {
            // An index of no image, or of indices, says what its annotations say.
            return Ok(document::describe(&[], None, all));
        };
        all.extend(annotations);
        let path = format!("blobs/{config}");
        let answer = self.exchange.ask(&Ask {
            repository,
            method: "GET",
            path,
            accept: "",
            known: None,
            limit: LONGEST,
        })?;
        if answer.status != 200 {
            return Err(missing(repository, config.as_str(), &answer));
        }
        document::verify(&answer.body, &config)?;
        Ok(document::describe(&answer.body, Some(size), all))
    }

    /// A manifest by its digest, checked; as it was sent.
    fn fetch(&self, repository: &Repository, digest: &Digest) -> Result<Arc<[u8]>, RegistryError> {
        {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, bytes)) = kept.iter().find(|(known, _)| known == digest) {
                return Ok(Arc::clone(bytes));
            }
        }
        let answer = self.manifest(repository, "GET", digest.as_str(), None)?;
        if answer.status != 200 {
            return Err(missing(repository, digest.as_str(), &answer));
        }
        document::verify(&answer.body, digest)?;
        document::read(&answer.body)?;
        Ok(self.keep(digest.clone(), answer.body))
    }

    fn keep(&self, digest: Digest, bytes: Vec<u8>) -> Arc<[u8]> {
        let bytes: Arc<[u8]> = bytes.into();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((digest, Arc::clone(&bytes)));
        bytes
    }

    /// What a registry served without naming it gets its name from its bytes.
    fn hashed(&self, target: &str, answer: &Answer) -> Result<Resolved, RegistryError> {
        let digest = document::digest_of(&answer.body);
        if let Some(named) = header_digest(answer)? {
            document::verify(&answer.body, &named)?;
        }
        if let Ok(wanted) = Digest::parse(target) {
            document::verify(&answer.body, &wanted)?;
        }
        let (_, media_type) = document::read(&answer.body)?;
        let mut resolved = resolved(digest.clone(), answer);
        if let Some(media_type) = media_type {
            resolved.media_type = error::excerpt(&media_type);
        }
        self.keep(digest, answer.body.clone());
        Ok(resolved)
    }

    fn manifest(
        &self,
        repository: &Repository,
        method: &'static str,
        target: &str,
        known: Option<&Digest>,
    ) -> Result<Answer, RegistryError> {
        self.exchange.ask(&Ask {
            repository,
            method,
            path: format!("manifests/{target}"),
            accept: document::MANIFESTS,
            known,
            limit: LONGEST,
        })
    }
}

fn resolved(digest: Digest, answer: &Answer) -> Resolved {
    let media_type = answer.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    Resolved {
        digest,
        media_type: error::excerpt(media_type),
        description: None,
    }
}

/// What the answer to a `HEAD` says.
#[derive(PartialEq, Eq, Debug)]
enum Head {
    /// It is what was known.
    Unchanged,
    /// The digest, which is to be believed only if it is known.
    Named(Digest),
    /// It is there, and nobody says what it is called.
    Unnamed,
    /// It is not there.
    Missing,
}

fn read_head(answer: &Answer, known: Option<&Digest>) -> Result<Head, RegistryError> {
    match answer.status {
        304 if known.is_some() => Ok(Head::Unchanged),
        200 => Ok(match header_digest(answer)? {
            Some(digest) => Head::Named(digest),
            None => Head::Unnamed,
        }),
        404 => Ok(Head::Missing),
        // Some know no HEAD.
        405 | 406 | 501 => Ok(Head::Unnamed),
        status => Err(RegistryError::garbage(format!(
            "it answers {status} to who asks for a manifest"
        ))),
    }
}

fn header_digest(answer: &Answer) -> Result<Option<Digest>, RegistryError> {
    let Some(text) = answer.header("docker-content-digest") else {
        return Ok(None);
    };
    Digest::parse(text).map(Some).map_err(|_| {
        RegistryError::garbage(format!(
            "it names the digest `{}`, which is none by sha256",
            error::excerpt(text)
        ))
    })
}

/// Why something is not there: the tag is gone, or all of the repository.
fn missing(repository: &Repository, target: &str, answer: &Answer) -> RegistryError {
    if answer.status != 404 {
        return RegistryError::garbage(format!(
            "it answers {} to who asks for `{target}`",
            answer.status
        ));
    }
    let registry = repository.registry();
    match judge::code_of(answer).as_deref() {
        Some("NAME_UNKNOWN" | "NAME_INVALID") => RegistryError::new(
            Kind::NoSuchRepository,
            format!("`{registry}` has no repository `{}`", repository.path()),
        )
        .help("is the path right? Some registries hide a repository from who may not read it"),
        _ => RegistryError::new(
            Kind::NoSuchTag,
            format!(
                "`{registry}` has no `{target}` in `{}`",
                repository.path()
            ),
        )
        .help("was the tag taken away, or never pushed? Some registries answer this for a repository that they do not have, too"),
    }
}

#[cfg(test)]
mod tests;
