//! An enrolled image: one entry of images.yaml.

use std::collections::BTreeMap;

use crate::diagnostics::{Code, Place, code};

use super::fields::Fields;
use super::git::{Branch, Provider, RepoPath, RepoSlug, WorkflowFile};
use super::names::{EnvName, Name, ObjectName};
use super::parse::{Invalid, Parse, choice_type, text_type};
use super::reference::Repository;
use super::time::{Duration, Schedule};
use super::urls::GitUrl;
use super::watch::Watch;

/// An image that somebody enrolled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Its identity: the name of its state file and of its Kargo objects.
    pub name: Name,
    /// Where it is pushed, or for an external image pulled from; canonical.
    pub repository: Repository,
    /// What Kargo subscribes to: `repository`, unless the entry's `repoURL`
    /// says otherwise (a mirror).
    pub repo_url: Repository,
    /// Which of its tags count.
    pub watch: Watch,
    /// Whether we build it.
    pub kind: Kind,
    /// How long after a change of a base image it is rebuilt; 7 days if not given.
    pub rebuild_delay: Duration,
    /// Is it rebuilt without anybody's order? True if not given.
    pub auto_rebuild: bool,
    /// Files elsewhere that name this image and follow it.
    pub updates: Vec<Update>,
    /// What it is built for; empty means the builder's own platform.
    pub platforms: Vec<Platform>,
    /// What goes first when not everything can.
    pub criticality: Criticality,
    /// Who builds it.
    pub build: Builder,
    /// When it is rebuilt in any case.
    pub schedule: Option<Schedule>,
    /// How old its newest build may become before it is rebuilt in any case.
    pub max_age: Option<Duration>,
    /// What signatures it must bear.
    pub verify: Option<Verify>,
    /// Files in the state repository that belong to it.
    pub local: Option<Local>,
    /// What people are told of it.
    pub about: About,
    /// The names of its base images, sorted; all have an entry in
    /// [`Model::bases`](super::Model::bases). Empty for an external image, and
    /// until it was discovered.
    pub bases: Vec<ObjectName>,
    /// Where its keys stand.
    pub fields: Fields,
}

impl Image {
    /// Its source, if it is managed.
    #[must_use]
    pub const fn source(&self) -> Option<&Source> {
        match &self.kind {
            Kind::Managed(source) => Some(source),
            Kind::External => None,
        }
    }

    /// Do we build it?
    #[must_use]
    pub const fn is_managed(&self) -> bool {
        self.source().is_some()
    }

    /// Where its entry stands.
    #[must_use]
    pub fn place(&self) -> Place {
        self.fields.of("name")
    }
}

/// Whether we build an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// We do, from this source.
    Managed(Box<Source>),
    /// Somebody else does; we watch it.
    External,
}

/// What a managed image is built from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The kind of host.
    pub provider: Provider,
    /// The repository on its host.
    pub repo: RepoSlug,
    /// What git clones: `source.url`, else put together from the provider's
    /// host and `repo`, ending in `.git`.
    pub git_url: GitUrl,
    /// The branch that is watched and built; `main` if not given.
    pub branch: Branch,
    /// The Dockerfile, from the top of the repository; `Dockerfile` if not given.
    pub dockerfile: RepoPath,
    /// The build context; the top of the repository if not given.
    pub context: RepoPath,
    /// The build stage that becomes the image; the last one if not given.
    pub target: Option<StageName>,
    /// Build arguments, by name.
    pub build_args: BTreeMap<EnvName, String>,
    /// GitHub: the workflow that builds the image; `NAME.yml` if not given.
    pub workflow: WorkflowFile,
    /// GitLab: the pipeline's file; `.gitlab-ci.yml` if not given.
    pub pipeline: RepoPath,
    /// GitLab: the job that builds the image.
    pub job: Option<OneLine>,
    /// The inputs (GitLab: variables) that a trigger sends; all if not given.
    pub inputs: Option<Vec<Input>>,
}

text_type! {
    /// The name or number of a build stage.
    StageName
}

impl Parse for StageName {
    const CODE: Code = code::INVALID_SETTING;
    const WHAT: &'static str = "build stage";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        let begins = text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        if begins && text.len() <= 128 && text.bytes().all(word) {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new(
            "is no name of a build stage",
            "write the name that stands after `AS` in the Dockerfile",
        ))
    }
}

text_type! {
    /// Any text on one line, 1 to 500 characters, that no tool evaluates.
    OneLine
}

impl Parse for OneLine {
    const CODE: Code = code::INVALID_SETTING;
    const WHAT: &'static str = "text";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let why = if text.trim().is_empty() {
            "is empty"
        } else if text.chars().count() > 500 {
            "is longer than 500 characters"
        } else if text.chars().any(char::is_control) {
            "has a line break or control character"
        } else if text.contains("${{") {
            "has `${{`, which Kargo would evaluate"
        } else {
            return Ok(Self(text.into()));
        };
        Err(Invalid::new(why, "write one line of text"))
    }
}

choice_type! {
    /// What a trigger can tell the build.
    Input("input") {
        /// The image's name.
        Image = "image",
        /// The base image that changed first.
        BaseImage = "base_image",
        /// Its new digest.
        BaseDigest = "base_digest",
        /// The tag to publish.
        Tag = "tag",
        /// Why, in words, with all base images concerned.
        Reason = "reason",
        /// The number of the attempt.
        Attempt = "attempt",
    }
}

choice_type! {
    /// What goes first when not everything can.
    Criticality("criticality") {
        /// After everything else.
        Low = "low",
        /// As most images.
        Normal = "normal",
        /// Before most images.
        High = "high",
        /// First.
        Critical = "critical",
    }
}

choice_type! {
    /// Who builds an image.
    Builder("builder") {
        /// The workflow or pipeline of its source.
        Workflow = "workflow",
        /// We ourselves.
        Factory = "factory",
    }
}

text_type! {
    /// A platform: `linux/amd64`, `linux/arm/v7`.
    Platform
}

impl Parse for Platform {
    const CODE: Code = code::INVALID_PLATFORM;
    const WHAT: &'static str = "platform";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if matches!(text.split('/').count(), 2 | 3) && text.len() <= 64 && text.split('/').all(part)
        {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new(
            "is no platform",
            "write `linux/amd64` or `linux/arm64`",
        ))
    }
}

/// A file elsewhere that names an image and follows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update {
    /// The repository that holds the file.
    pub repo: GitUrl,
    /// The branch that is changed, or that a pull request is for; `main` if not given.
    pub branch: Branch,
    /// The file, or for kustomize the folder of the kustomization.
    pub path: RepoPath,
    /// How the file names the image.
    pub kind: UpdateKind,
    /// Is the change proposed as a pull request instead of pushed? False if not given.
    pub pull_request: bool,
    /// Where its keys stand.
    pub fields: Fields,
}

/// How a file names an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UpdateKind {
    /// `images:` of a kustomization.
    Kustomize,
    /// The tag under a key of a YAML file; also what `helm-update-image` becomes.
    Yaml {
        /// The key, with dots between its parts; `image.tag` if not given.
        key: YamlKey,
    },
}

choice_type! {
    /// `updates[].type` as files spell it.
    UpdateType("type") {
        /// A kustomization.
        Kustomize = "kustomize-set-image",
        /// A YAML file.
        Yaml = "yaml-update",
        /// A Helm values file; read as `yaml-update`.
        Helm = "helm-update-image",
    }
}

text_type! {
    /// A key in a YAML file, with dots between its parts: `image.tag`,
    /// `containers.0.image`.
    YamlKey
}

impl Parse for YamlKey {
    const CODE: Code = code::INVALID_SETTING;
    const WHAT: &'static str = "key";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/'))
        };
        if text.len() <= 255 && text.split('.').all(part) {
            return Ok(Self(text.into()));
        }
        Err(Invalid::new(
            "is no key of a YAML file",
            "write the names on the way to the value with dots between them, such as `image.tag`",
        ))
    }
}

/// What signatures an image must bear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verify {
    /// One by the key in this file of the state repository.
    Key(RepoPath),
    /// One by this identity, vouched for by this issuer.
    Keyless {
        /// The identity in the certificate.
        identity: OneLine,
        /// The issuer of the identity token.
        issuer: super::urls::ApiUrl,
    },
}

/// Files in the state repository that belong to an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Local {
    /// The folder that holds them.
    pub dir: Option<RepoPath>,
    /// A Dockerfile that is used instead of the source's.
    pub dockerfile: Option<RepoPath>,
    /// Patches applied to the source before the build, in this order; names
    /// without a folder are in `dir`.
    pub patch_files: Vec<RepoPath>,
    /// The file with the version for tags.
    pub version_file: Option<RepoPath>,
}

/// What people are told of an image; no manifest depends on it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About {
    /// Its title.
    pub title: Option<OneLine>,
    /// What it is, on any number of lines.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<OneLine>,
    /// The system it is part of.
    pub system: Option<OneLine>,
    /// Its stage of life, such as `production`.
    pub lifecycle: Option<OneLine>,
}
