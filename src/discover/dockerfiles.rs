//! What the Dockerfiles say, and what there is to say about them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Options};
use crate::diagnostics::{Diagnostic, Place, Sources, code};
use crate::dockerfile::{self, Fault, ImageReference, Use};
use crate::model::{Image, Name, Parse as _, Reference, Source};

/// What the Dockerfile of one image says.
pub(super) enum Reading {
    /// The references that it is built on, in their canonical spelling.
    Bases(BTreeSet<String>),
    /// Why it says nothing, in one line for the state file.
    Failed(String),
}

/// A reference, and how it was spelled.
pub(super) struct Seen {
    pub(super) image: ImageReference,
    pub(super) spellings: BTreeSet<String>,
}

/// What all Dockerfiles together say.
#[derive(Default)]
pub(super) struct Readings {
    pub(super) images: BTreeMap<Name, Reading>,
    /// Every reference, by its canonical spelling.
    pub(super) seen: BTreeMap<String, Seen>,
    pub(super) sources: Sources,
}

impl Readings {
    /// Reads what was found for an image.
    pub(super) fn read(
        &mut self,
        (image, source): (&Image, &Source),
        found: &Found,
        options: &Options,
        out: &mut Vec<Diagnostic>,
    ) {
        let shown = options.shown.get(&image.name);
        let shown = shown.cloned().unwrap_or_else(|| called(image, source));
        let reading = match found {
            Found::Failed { reason, help } => {
                let message = format!(
                    "the Dockerfile of `{}` cannot be read: {reason}",
                    image.name
                );
                let mut diagnostic = Diagnostic::error(code::DOCKERFILE_NOT_FOUND, message)
                    .at(image.fields.of("source.dockerfile"));
                diagnostic.help.clone_from(help);
                out.push(diagnostic);
                Reading::Failed(reason.clone())
            }
            Found::Read { bytes, .. } => self.parse((image, source), bytes, &shown, out),
        };
        self.images.insert(image.name.clone(), reading);
    }

    fn parse(
        &mut self,
        (image, source): (&Image, &Source),
        bytes: &[u8],
        shown: &str,
        out: &mut Vec<Diagnostic>,
    ) -> Reading {
        let build_args = source
            .build_args
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
            .collect();
        let target = source.target.as_ref().map(crate::model::StageName::as_str);
        let options = dockerfile::Options {
            build_args: &build_args,
            target,
        };
        let before = out.len();
        let reading = match dockerfile::bases(bytes, &options) {
            Err(faults) => {
                out.extend(faults.iter().map(|fault| fault.diagnostic(shown)));
                Reading::Failed(in_words(&faults, bytes, shown))
            }
            Ok(bases) => {
                let counts = |reachable: bool| reachable || target.is_none();
                for unresolved in bases.unresolved.iter().filter(|one| counts(one.reachable)) {
                    let message = format!(
                        "a base image of `{}` is not known: the variable `{}` has no value",
                        image.name, unresolved.variable
                    );
                    let help = format!(
                        "give it a default in the Dockerfile (`ARG {0}=…` before the first FROM), or a value in images.yaml under `source.buildArgs.{0}`",
                        unresolved.variable
                    );
                    out.push(
                        Diagnostic::warning(code::BASE_UNRESOLVED, message)
                            .help(help)
                            .at(Place::new(shown, unresolved.span)),
                    );
                }
                let mut identities = BTreeSet::new();
                for one in bases.uses.iter().filter(|one| counts(one.reachable)) {
                    let identity = one.image.to_string();
                    if identities.insert(identity.clone()) {
                        out.extend(unwatched(one, shown));
                    }
                    let seen = self.seen.entry(identity).or_insert_with(|| Seen {
                        image: one.image.clone(),
                        spellings: BTreeSet::new(),
                    });
                    seen.spellings.insert(one.reference.clone());
                }
                Reading::Bases(identities)
            }
        };
        if out.len() > before {
            self.sources.add(shown, dockerfile::readable(bytes));
        }
        reading
    }
}

/// How a Dockerfile is called where nothing better is known: a file of its repository.
pub(super) fn called(image: &Image, source: &Source) -> String {
    match image
        .local
        .as_ref()
        .and_then(|local| local.dockerfile.as_ref())
    {
        Some(local) => local.to_string(),
        None => format!("{}/{}", source.repo, source.dockerfile),
    }
}

/// Why nothing will follow this base image, if nothing will.
fn unwatched(one: &Use, shown: &str) -> Option<Diagnostic> {
    let place = Place::new(shown, one.span);
    if one.image.tag.is_none() {
        let message = format!(
            "`{}` is pinned by digest alone, so there is no tag to watch",
            one.reference
        );
        let help = "write the tag as well, `name:tag@sha256:…`, to hear of newer images";
        let warning = Diagnostic::warning(code::BASE_PINNED, message);
        return Some(warning.help(help).at(place));
    }
    let invalid = subscription(&one.image).err()?;
    let message = format!(
        "Kargo cannot subscribe to `{}`: it {}",
        one.reference, invalid.why
    );
    let help =
        "it is listed, but nothing tells when it changes; name it by another host, or use a mirror";
    let warning = Diagnostic::warning(code::BASE_NOT_WATCHED, message);
    Some(warning.help(help).at(place))
}

/// The reference as Kargo takes it, without the digest, which Kargo need not know.
pub(super) fn subscription(image: &ImageReference) -> Result<Reference, crate::model::Invalid> {
    let tagged = ImageReference {
        digest: None,
        ..image.clone()
    };
    Reference::parse(&tagged.to_string())
}

/// The first fault with its place, and how many more there are.
fn in_words(faults: &[Fault], bytes: &[u8], shown: &str) -> String {
    let Some(first) = faults.first() else {
        return format!("{shown} is refused");
    };
    let at = first.position(bytes);
    let more = match faults.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    format!("{shown}:{}:{}: {}{more}", at.line, at.column, first.message)
}
