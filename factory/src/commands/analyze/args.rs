//! What `analyze` is told: texts that a Job passes on, some of them empty.

use std::path::PathBuf;

use image_factory::diagnostics::{Diagnostic, code};
use image_factory::discover::Scope;
use image_factory::model::{Branch, Digest, GitUrl, Image, Name, Parse, Settings, Source, Tag};

use crate::commands::landing::Landing;

/// Read the Dockerfile of one image that was built, and record the build
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The image, as it is enrolled
    #[arg(long, value_name = "NAME")]
    pub(super) image: String,
    /// The tag that was built; may be empty
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) tag: String,
    /// The digest that was built; empty: nothing was, only the source has changed
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) digest: String,
    /// Path of the Dockerfile in its repository
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) dockerfile: String,
    /// The repository of the Dockerfile, OWNER/REPO
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) source_repo: String,
    /// Where that repository is: github or gitlab
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) source_provider: String,
    /// The commit of that repository to read; empty: the newest of its branch
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(super) source_commit: String,
    /// The factory's repository, which is cloned if its folder is not there
    #[arg(
        long,
        value_name = "URL",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) git_repo: String,
    /// The branch of the factory's repository
    #[arg(
        long,
        value_name = "BRANCH",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) git_branch: String,
    /// The factory's folder, which holds images.yaml [default: the nearest one upwards]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(super) image_factory_dir: Option<PathBuf>,
    /// The Freight that asks for this, for the commit message
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) freight: String,
    #[command(flatten)]
    pub(super) landing: Landing,
}

/// The arguments, understood.
pub(super) struct Job {
    pub(super) image: Name,
    pub(super) tag: Option<Tag>,
    pub(super) digest: Option<Digest>,
    /// The commit of the source.
    pub(super) commit: Option<String>,
    pub(super) freight: Option<String>,
    pub(super) git_repo: Option<GitUrl>,
    pub(super) git_branch: Option<Branch>,
}

/// Longer is no name of a Freight.
const FREIGHT: usize = 100;

impl Args {
    /// Understands the arguments; all that is wrong with them.
    pub(super) fn job(&self) -> Result<Job, Vec<Diagnostic>> {
        let mut wrong = Vec::new();
        let image = value::<Name>("image", &self.image, &mut wrong);
        let tag = value("tag", &self.tag, &mut wrong);
        let digest = value("digest", &self.digest, &mut wrong);
        let git_repo = value("git-repo", &self.git_repo, &mut wrong);
        let git_branch = value("git-branch", &self.git_branch, &mut wrong);
        let commit = some(&self.source_commit).map(str::to_ascii_lowercase);
        if let Some(commit) = &commit
            && !(matches!(commit.len(), 40 | 64) && commit.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            let shown: String = commit.escape_default().take(80).collect();
            wrong.push(
                Diagnostic::error(
                    code::SOURCE_NO_BRANCH,
                    format!("`--source-commit={shown}` is no full id of a commit"),
                )
                .help("write all 40 (or 64) digits, as `git rev-parse` prints them"),
            );
        }
        let freight = some(&self.freight).map(|freight| {
            let visible = freight.chars().filter(|c| c.is_ascii_graphic());
            visible.take(FREIGHT).collect::<String>()
        });
        match image {
            Some(image) if wrong.is_empty() => Ok(Job {
                image,
                tag,
                digest,
                commit,
                freight,
                git_repo,
                git_branch,
            }),
            _ => {
                if self.image.trim().is_empty() {
                    wrong.push(Diagnostic::error(Name::CODE, "`--image` is empty"));
                }
                Err(wrong)
            }
        }
    }

    /// What images.yaml says otherwise, and what is missing. images.yaml is what counts:
    /// the manifests that this comes from may be older.
    pub(super) fn contradictions(&self, source: &Source, settings: &Settings) -> Vec<Diagnostic> {
        let repo = settings.git.repo.as_ref();
        let same_repo = |text: &str| {
            GitUrl::parse(text)
                .ok()
                .is_some_and(|url| repo.is_none_or(|repo| repo.identity() == url.identity()))
        };
        let said = [
            ("dockerfile", &self.dockerfile, source.dockerfile.as_str()),
            ("source-repo", &self.source_repo, source.repo.as_str()),
            (
                "source-provider",
                &self.source_provider,
                source.provider.as_str(),
            ),
            ("git-branch", &self.git_branch, settings.git.branch.as_str()),
        ];
        let mut found: Vec<Diagnostic> = said
            .into_iter()
            .filter(|(_, given, known)| {
                let given = given.trim();
                !given.is_empty() && given.strip_prefix("./").unwrap_or(given) != *known
            })
            .map(|(flag, given, known)| differs(flag, given, known))
            .collect();
        if let (Some(given), Some(repo)) = (some(&self.git_repo), repo)
            && !same_repo(given)
        {
            found.push(differs("git-repo", given, repo.as_str()));
        }
        if some(&self.tag).is_some() && some(&self.digest).is_none() {
            let message = "`--tag` is given without `--digest`, so no build is recorded";
            found.push(
                Diagnostic::warning(code::FLAG_MISSING, message)
                    .help("a tag can move: add the digest that it has now"),
            );
        }
        found
    }
}

impl Job {
    /// The image alone.
    pub(super) fn scope(&self) -> Scope {
        Scope::Only([self.image.clone()].into())
    }

    /// What people call the build: `shop 1.2`, or `shop` where no tag is known.
    pub(super) fn title(&self) -> String {
        match &self.tag {
            Some(tag) => format!("{} {tag}", self.image),
            None => self.image.to_string(),
        }
    }

    /// What tells this build from others, in every attempt to analyse it.
    pub(super) fn topic(&self) -> String {
        let digest = self.digest.as_ref().map(Digest::as_str);
        let what = digest.or(self.commit.as_deref()).unwrap_or_default();
        format!("analyze {} {what}", self.title())
    }

    /// The image as a registry knows it.
    pub(super) fn reference(&self, image: &Image) -> Option<String> {
        let digest = self.digest.as_ref()?;
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}"));
        Some(format!(
            "{}{}@{digest}",
            image.repository,
            tag.unwrap_or_default()
        ))
    }
}

fn differs(flag: &str, given: &str, known: &str) -> Diagnostic {
    let given: String = given.trim().escape_default().take(200).collect();
    Diagnostic::warning(
        code::ARGUMENT_DIFFERS,
        format!("`--{flag}={given}` is not what images.yaml says: `{known}`"),
    )
    .help("images.yaml counts; apply the manifests in dist/ if they are newer than the cluster's")
}

fn some(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// The value of an argument that may be empty.
fn value<T: Parse>(flag: &str, text: &str, wrong: &mut Vec<Diagnostic>) -> Option<T> {
    let text = some(text)?;
    match T::parse(text) {
        Ok(value) => Some(value),
        Err(invalid) => {
            let shown: String = text.escape_default().take(200).collect();
            let message = format!("`--{flag}={shown}` {}", invalid.why);
            wrong.push(Diagnostic::error(T::CODE, message).help(invalid.help));
            None
        }
    }
}
