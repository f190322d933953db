//! What images.yaml, `images.d/*.yaml` and `state/` say, checked.
//!
//! Files come in as texts; out come types that cannot hold what is wrong, and
//! all that is wrong, with places. images.yaml wins over state for
//! configuration; what state alone knows is which base images a managed image
//! has, and where it is too old to be trusted a diagnostic says so.

mod cron;
pub(crate) mod cycles;
mod decode;
mod enroll_image;
mod enroll_settings;
mod enroll_source;
mod enroll_watch;
mod enrollment;
mod fields;
mod git;
mod image;
mod names;
mod parse;
mod re2;
mod read_state;
mod reference;
pub(crate) mod resolve;
#[cfg(test)]
mod schema;
mod settings;
mod state;
mod time;
mod urls;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostics::{self, Diagnostic};

pub use enroll_source::SOURCE_KEYS;
pub use fields::Fields;
pub use git::{Branch, Provider, RepoPath, RepoSlug, WorkflowFile};
pub use image::{
    About, Builder, Criticality, Image, Input, Kind, Local, OneLine, Platform, Source, StageName,
    Update, UpdateKind, UpdateType, Verify, YamlKey,
};
pub use names::{EnvName, Name, ObjectName};
pub use parse::{Invalid, Parse};
pub use read_state::state_name;
pub use reference::{Digest, Reference, Registry, Repository, Tag};
pub use settings::{
    CveSettings, Freeze, GitSettings, Intervals, Limits, Notification, NotificationKind,
    ProviderSettings, Providers, RegistrySettings, RequestPath, Secrets, Settings, Severity,
    Webhook, WebhookKind, usable_origin,
};
pub use state::{Base, DiscoveryStatus, ImageState, Link};
pub use time::{Duration, Schedule, Time};
pub use urls::{ApiUrl, GitUrl};
pub use watch::{Pattern, Strategy, TagFilter, VersionRange, Watch, mended_pattern};

/// The files that a model is made of, as texts.
#[derive(Clone, Debug, Default)]
pub struct InputFiles {
    /// images.yaml, then the files of `images.d/` in the order of their names.
    pub enrollment: Vec<InputFile>,
    /// The files of `state/images`.
    pub images: Vec<InputFile>,
    /// The files of `state/base-images`.
    pub bases: Vec<InputFile>,
    /// Whether `settings.git.repo` is needed.
    pub git_repo: GitRepo,
}

/// Whether `settings.git.repo` is needed for what is going to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GitRepo {
    /// It may be missing.
    #[default]
    Optional,
    /// It is an error if it is missing.
    Required {
        /// What git says `origin` is, to put it into the help.
        origin: Option<String>,
    },
}

/// One file.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// Its path relative to the root, with `/` between the parts.
    pub path: Arc<str>,
    /// Its content.
    pub text: String,
}

/// All enrolled images and what is known of their bases.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Model {
    /// What holds for all images.
    pub settings: Settings,
    /// The enrolled images in the order of the files.
    pub images: Vec<Image>,
    /// What state remembers of enrolled images, by name.
    pub image_states: BTreeMap<String, ImageState>,
    /// The base images that state knows, by name.
    pub bases: BTreeMap<String, Base>,
    /// Where in `images` a name is.
    by_name: BTreeMap<Name, usize>,
}

impl Model {
    /// The enrolled image of this name.
    #[must_use]
    pub fn image(&self, name: &str) -> Option<&Image> {
        self.by_name.get(name).and_then(|&at| self.images.get(at))
    }

    /// The managed images with their sources, in the order of the files.
    pub fn managed(&self) -> impl Iterator<Item = (&Image, &Source)> {
        self.images
            .iter()
            .filter_map(|image| Some((image, image.source()?)))
    }

    /// The external images, in the order of the files.
    pub fn external(&self) -> impl Iterator<Item = &Image> {
        self.images.iter().filter(|image| !image.is_managed())
    }

    /// The base images of an image, in the order of their names.
    pub fn bases_of<'m>(&'m self, image: &'m Image) -> impl Iterator<Item = &'m Base> {
        image
            .bases
            .iter()
            .filter_map(|name| self.bases.get(name.as_str()))
    }
}

/// Reads and checks what people enrolled, and no state: for those who write state
/// and must get past what is wrong in it. `None` if a diagnostic is an error.
#[must_use]
pub fn enrollment(files: &InputFiles) -> (Option<(Settings, Vec<Image>)>, Vec<Diagnostic>) {
    let mut out = Vec::new();
    let read = enrollment::read(files, &mut out);
    diagnostics::sort(&mut out);
    let right = !diagnostics::any_error(&out);
    (right.then_some(read), out)
}

/// Reads and checks all files. The diagnostics are in the order of a report;
/// the model is `None` if one of them is an error.
#[must_use]
pub fn load(files: &InputFiles) -> (Option<Model>, Vec<Diagnostic>) {
    let mut out = Vec::new();
    let (settings, images) = enrollment::read(files, &mut out);
    let mut model = Model {
        settings,
        by_name: images
            .iter()
            .enumerate()
            .rev()
            .map(|(at, image)| (image.name.clone(), at))
            .collect(),
        images,
        image_states: BTreeMap::new(),
        bases: BTreeMap::new(),
    };
    resolve::state(files, &mut model, &mut out);
    diagnostics::sort(&mut out);
    (
        if diagnostics::any_error(&out) {
            None
        } else {
            Some(model)
        },
        out,
    )
}

#[cfg(test)]
mod tests;
