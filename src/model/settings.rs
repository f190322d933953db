//! `settings` of images.yaml.

use std::collections::BTreeMap;

use crate::diagnostics::{Code, Diagnostic, code};

use super::fields::Fields;
use super::git::{Branch, Provider, RepoPath};
use super::image::OneLine;
use super::names::{EnvName, Name, ObjectName};
use super::parse::{Invalid, Parse, choice_type, text_type};
use super::reference::{Reference, Registry};
use super::time::{Duration, Time};
use super::urls::{ApiUrl, GitUrl};

/// What holds for all images. Everything has a default but `git.repo`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The Kargo Project, which is also its namespace.
    pub project: Name,
    /// The repository of images.yaml and state/.
    pub git: GitSettings,
    /// How often Kargo looks for changes.
    pub intervals: Intervals,
    /// Changes of several bases within this time make one rebuild; 30 minutes.
    pub window: Duration,
    /// The longest a rebuild waits after the first change, however often the
    /// tag moves; `None`: the image's own delay.
    pub max_delay: Option<Duration>,
    /// How much is triggered at once.
    pub limits: Limits,
    /// When nothing is triggered, emergencies excepted.
    pub freeze: Vec<Freeze>,
    /// What findings in base images mean.
    pub cve: CveSettings,
    /// The hosts of sources.
    pub providers: Providers,
    /// How single registries are reached, where they are unlike others.
    pub registries: BTreeMap<Registry, RegistrySettings>,
    /// The names of Secrets in the project's namespace.
    pub secrets: Secrets,
    /// What the Jobs run; `None`: this program's own image, at its version.
    pub jobs_image: Option<Reference>,
    /// What tells Kargo of changes without being asked.
    pub webhooks: Vec<Webhook>,
    /// Who is told of what happens.
    pub notifications: Vec<Notification>,
    /// Where the keys stand.
    pub fields: Fields,
}

impl Settings {
    /// The repository of images.yaml and state/, which whoever renders needs.
    ///
    /// # Errors
    /// [`code::MISSING_GIT_REPO`] with the lines to add. `origin` is the address
    /// that the checkout was cloned from, if that is known.
    pub fn git_repo(&self, origin: Option<&str>) -> Result<&GitUrl, Diagnostic> {
        self.git
            .repo
            .as_ref()
            .ok_or_else(|| missing_git_repo(origin).at(self.fields.of("git")))
    }
}

/// An address that stands in the help, if what git says can be used as it is.
fn missing_git_repo(origin: Option<&str>) -> Diagnostic {
    let address = origin.and_then(usable_origin);
    let address = address
        .as_deref()
        .unwrap_or("https://github.com/OWNER/REPOSITORY");
    Diagnostic::error(
        code::MISSING_GIT_REPO,
        "`settings.git.repo` is missing: the repository that holds images.yaml and state/",
    )
    .help(format!(
        "add these lines, with the list of images below `images:`\nsettings:\n  git:\n    repo: {address}\nimages:"
    ))
}

/// The https form of what `git remote get-url origin` says.
#[must_use]
pub fn usable_origin(origin: &str) -> Option<String> {
    let origin = origin.trim();
    let https = if let Some(rest) = origin.strip_prefix("git@") {
        let (host, path) = rest.split_once(':')?;
        format!("https://{host}/{path}")
    } else if let Some(rest) = origin.strip_prefix("ssh://") {
        let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
        let (authority, path) = rest.split_once('/')?;
        let host = authority.split(':').next()?;
        format!("https://{host}/{path}")
    } else if let Some((user, rest)) = origin
        .strip_prefix("https://")
        .and_then(|rest| rest.split_once('@'))
        && !user.contains('/')
    {
        format!("https://{rest}")
    } else {
        origin.to_owned()
    };
    GitUrl::parse(&https).ok().map(|url| url.to_string())
}

/// The repository of images.yaml and state/.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GitSettings {
    /// Its address; see [`Settings::git_repo`].
    pub repo: Option<GitUrl>,
    /// The branch that is read and written; `main`.
    pub branch: Branch,
    /// The folder that holds images.yaml and state/; the top.
    pub path: RepoPath,
}

/// How often Kargo looks for changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Intervals {
    /// For base images; 24 hours.
    pub base: Duration,
    /// For external images; 24 hours.
    pub external: Duration,
    /// For our own images; 5 minutes.
    pub managed: Duration,
}

/// How many rebuilds are triggered; what is over waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Running at the same time; 4.
    pub concurrent: u32,
    /// In one run of the planner; 20.
    pub per_run: u32,
    /// In 24 hours; 100.
    pub per_day: u32,
}

/// A time in which nothing is triggered, emergencies excepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Freeze {
    /// Its beginning.
    pub from: Time,
    /// Its end, later than its beginning.
    pub to: Time,
    /// Why.
    pub reason: OneLine,
}

/// What findings in base images mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CveSettings {
    /// From this severity on a finding that a newer base image has not makes an
    /// emergency; critical.
    pub severity: Severity,
}

choice_type! {
    /// How bad a finding is.
    Severity("severity") {
        /// Hardly.
        Low = "low",
        /// Somewhat.
        Medium = "medium",
        /// Bad.
        High = "high",
        /// As bad as can be.
        Critical = "critical",
    }
}

/// The hosts of sources.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Providers {
    /// GitHub, or GitHub Enterprise.
    pub github: ProviderSettings,
    /// GitLab.
    pub gitlab: ProviderSettings,
    /// GitLab: the environment variable that holds a pipeline trigger token, if there
    /// is one; `GITLAB_TRIGGER_TOKEN`.
    pub trigger_token_env: EnvName,
}

impl Providers {
    /// The settings of a provider.
    #[must_use]
    pub const fn get(&self, provider: Provider) -> &ProviderSettings {
        match provider {
            Provider::GitHub => &self.github,
            Provider::GitLab => &self.gitlab,
        }
    }
}

/// One kind of host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderSettings {
    /// Its API; `https://api.github.com`, `https://gitlab.com/api/v4`.
    pub api: ApiUrl,
    /// The environment variable that holds the token; `GITHUB_TOKEN`, `GITLAB_TOKEN`.
    pub token_env: EnvName,
}

impl ProviderSettings {
    /// The address that repositories are below of: what follows from the API's
    /// (`https://api.github.com` → `https://github.com`,
    /// `https://git.example.com/api/v4` → `https://git.example.com`).
    #[must_use]
    pub fn web(&self) -> String {
        let api = self.api.as_str();
        let web = ["/api/v3", "/api/v4"]
            .iter()
            .find_map(|suffix| api.strip_suffix(suffix))
            .unwrap_or(api);
        match web.strip_prefix("https://api.") {
            Some(host) if web.len() == api.len() => format!("https://{host}"),
            _ => web.to_owned(),
        }
    }
}

/// How one registry is reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RegistrySettings {
    /// `true`: by plain http. `false`: by TLS, which only for this machine has to be said.
    pub insecure: Option<bool>,
    /// The file, below the folder of images.yaml, with the certificates (PEM) of
    /// authorities that vouch for it.
    pub ca: Option<RepoPath>,
}

/// The names of Secrets in the project's namespace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Secrets {
    /// To clone and push by git; `image-factory-git`.
    pub git: ObjectName,
    /// To start workflows on GitHub; `image-factory-github`.
    pub github: ObjectName,
    /// To start pipelines on GitLab; `image-factory-gitlab`.
    pub gitlab: ObjectName,
    /// To pull images; `image-factory-registry`.
    pub registry: ObjectName,
}

/// A receiver of Kargo's for events of a registry or git host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Its name; that of its kind if not given.
    pub name: ObjectName,
    /// Who sends.
    pub kind: WebhookKind,
    /// The Secret that Kargo checks events by.
    pub secret: ObjectName,
    /// For `generic`: where in a request the image's repository is.
    pub repository: Option<RequestPath>,
}

text_type! {
    /// The place of a text in a request, as the expression that finds it:
    /// `request.body.repository.name`.
    RequestPath
}

impl Parse for RequestPath {
    const CODE: Code = code::INVALID_SETTING;
    const WHAT: &'static str = "place in a request";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write the keys that lead to it, such as `request.body.repository`";
        let key = |key: &str| {
            let begins = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            begins && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let Some(keys) = text.strip_prefix("request.body.") else {
            return Err(Invalid::new("does not begin with `request.body.`", help));
        };
        if text.len() > 255 || !keys.split('.').all(key) {
            return Err(Invalid::new(
                "is no list of keys with dots between them",
                help,
            ));
        }
        Ok(Self(text.into()))
    }
}

choice_type! {
    /// Who sends events. GHCR is `github`.
    WebhookKind("webhook type") {
        /// JFrog Artifactory.
        Artifactory = "artifactory",
        /// Azure Container Registry and Azure DevOps.
        Azure = "azure",
        /// Bitbucket.
        Bitbucket = "bitbucket",
        /// Docker Hub.
        DockerHub = "dockerhub",
        /// Anything that can send a POST of JSON.
        Generic = "generic",
        /// Gitea.
        Gitea = "gitea",
        /// GitHub and GHCR.
        GitHub = "github",
        /// GitLab and its registry.
        GitLab = "gitlab",
        /// Harbor.
        Harbor = "harbor",
        /// Quay.
        Quay = "quay",
    }
}

/// Somebody who is told of what happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    /// By which way.
    pub kind: NotificationKind,
    /// The Secret that holds the address and what it takes to use it.
    pub secret: ObjectName,
}

choice_type! {
    /// The way in which somebody is told.
    NotificationKind("notification type") {
        /// A POST of JSON.
        Webhook = "webhook",
        /// A message in Slack.
        Slack = "slack",
        /// An e-mail.
        Email = "email",
    }
}

/// A whole number from 1 to 100,000.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Count(pub(super) u32);

impl Parse for Count {
    const CODE: Code = code::INVALID_NUMBER;
    const WHAT: &'static str = "number";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let number = text
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse::<u32>().ok());
        match number.flatten() {
            Some(number) if (1..=100_000).contains(&number) => Ok(Self(number)),
            _ => Err(Invalid::new(
                "is no whole number from 1 to 100000",
                "write a number such as `20`",
            )),
        }
    }
}
