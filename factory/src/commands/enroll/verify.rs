//! Whether what an entry names is there: its Dockerfile, and its registry.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: looks for the Dockerfile in the checkout"
)]

use std::path::Path;

use factory::git::Git;
use factory::git::auth::Credentials;
use factory::git::cache::Cache;
use factory::git::own;
use factory::git::sources::{self, Sources, Wanted};
use factory::registry::{Kind, Options, Registry};
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{Image, Model, Parse as _, Reference, Settings, Source, Watch};

const SKIP: &str = "mend the entry, or add it as it is: `--no-verify`";

/// Everything that is not there, of an image that was added to the model.
pub(super) fn verify(image: &Image, model: &Model, root: &Path) -> Vec<Diagnostic> {
    let settings = &model.settings;
    let dockerfile = image
        .source()
        .and_then(|source| dockerfile(source, settings, root).err());
    let registry = registry(image, settings, root).err();
    let mut missing: Vec<Diagnostic> = dockerfile.into_iter().chain(registry).collect();
    for diagnostic in &mut missing {
        let help = diagnostic.help.take();
        let help = help.map_or_else(|| SKIP.to_owned(), |help| format!("{help}\n{SKIP}"));
        diagnostic.help = Some(help);
    }
    missing
}

fn dockerfile(source: &Source, settings: &Settings, root: &Path) -> Result<(), Diagnostic> {
    let git = Git::of_process();
    let own = settings.git.repo.as_ref();
    let here = own.is_some_and(|own| own.identity() == source.git_url.identity());
    if here && settings.git.branch == source.branch {
        let top = own::top_level(&git, root).ok().flatten();
        let path = top
            .as_deref()
            .unwrap_or(root)
            .join(source.dockerfile.as_str());
        return if path.is_file() {
            Ok(())
        } else {
            let message = format!("there is no `{}` in this repository", source.dockerfile);
            Err(Diagnostic::error(code::ENROLLED_MISSING, message))
        };
    }
    let unusable = |error: &dyn std::fmt::Display| {
        let message = format!("the folder for clones cannot be used: {error}");
        Diagnostic::error(code::ENROLLED_MISSING, message)
    };
    let cache = Cache::of_environment(&git).map_err(|error| unusable(&error))?;
    let credentials = Credentials::new(&git, &settings.providers, own);
    let sources = Sources {
        git: &git,
        credentials: &credentials,
        cache: &cache,
        limits: sources::Limits::default(),
    };
    let wanted = Wanted {
        url: source.git_url.clone(),
        branch: source.branch.clone(),
        commit: None,
        path: source.dockerfile.clone(),
    };
    let answers = sources::fetch(&[wanted], &sources, &|_| {});
    match answers.into_iter().next() {
        Some(Err(error)) => Err(error.diagnostic()),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Asks for the tag that is watched. Of an image that we build there may be none yet, and
/// of a pattern it is not known which there are: then any answer will do.
fn registry(image: &Image, settings: &Settings, root: &Path) -> Result<(), Diagnostic> {
    let tag = match &image.watch {
        Watch::Tag(tag) => Some(tag.as_str()),
        _ => None,
    };
    let text = format!("{}:{}", image.repo_url, tag.unwrap_or("latest"));
    let Ok(reference) = Reference::parse(&text) else {
        return Ok(());
    };
    let registry = Registry::new(Options::of_factory(settings, root)?);
    match registry.resolve(&reference, None) {
        Ok(_) => Ok(()),
        Err(error) => match error.kind {
            Kind::NoSuchTag if image.is_managed() || tag.is_none() => Ok(()),
            // Registries hide what does not exist from who may not see it.
            Kind::NoSuchRepository | Kind::Denied if image.is_managed() => Ok(()),
            _ => Err(error.diagnostic()),
        },
    }
}
