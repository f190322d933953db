//! `update-kustomize-NAME`, `update-yaml-NAME`: the Stages that bump the files
//! which name an image once it was built anew.
//!
//! One Stage a format; the files of one repository and branch are changed in one
//! clone and one commit. Only the reference changes.

use std::collections::BTreeMap;

use kargo_types::{
    GitCloneConfig, GitCommitConfig, GitOpenPRConfig, GitProvider, GitPushConfig, GitPushTarget,
    KeyUpdate, KustomizeImage, KustomizeImageVersion, KustomizeSetImageConfig, OrExpr,
    PromotionStep, RequestedFreight, Stage, StageSpec, YAMLUpdateConfig,
};

use super::Context;
use super::stage::{Promotion, after, label};
use crate::model::{Image, Update, UpdateKind, YamlKey};
use crate::names;
use crate::synth::Chart;
use crate::template::{TemplateError, Text, Updates};

/// Folder of the one clone that is open at a time.
const CLONE: &str = "./repo";

/// The Stages of managed images: their Freight comes once it was analysed.
pub(super) fn add_managed(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    context.model.managed().try_for_each(|(image, _)| {
        let name = image.name.as_str();
        add(
            context,
            chart,
            image,
            &after(name, names::analyzed(name), None),
        )
    })
}

/// The Stages of external images: their Freight comes once it was recorded.
pub(super) fn add_external(context: &Context<'_>, chart: &mut Chart) -> Result<(), TemplateError> {
    context.model.external().try_for_each(|image| {
        let name = image.name.as_str();
        add(
            context,
            chart,
            image,
            &after(name, names::track(name), None),
        )
    })
}

fn add(
    context: &Context<'_>,
    chart: &mut Chart,
    image: &Image,
    freight: &RequestedFreight,
) -> Result<(), TemplateError> {
    for (prefix, format) in [
        (names::UPDATE_KUSTOMIZE, Format::Kustomize),
        (names::UPDATE_YAML, Format::Yaml),
    ] {
        let targets = targets(image, format);
        let Some(first) = image.updates.iter().find(|update| format.is_of(update)) else {
            continue;
        };
        let stage = names::prefixed(prefix, image.name.as_str());
        let mut promotion = Vec::new();
        for (index, (target, updates)) in targets.iter().enumerate() {
            let change = Change {
                context,
                image,
                stage: &stage,
                index,
                target: *target,
            };
            promotion.extend(change.steps(updates)?);
        }
        let mut object = Stage::new(&stage, StageSpec::of([freight.clone()], promotion));
        label(&mut object, Some(image.name.as_str()), Promotion::Automatic);
        let object = chart.add(object);
        chart.origin(object, first.fields.of("path"));
    }
    Ok(())
}

/// What a Stage can change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Kustomize,
    Yaml,
}

impl Format {
    fn is_of(self, update: &Update) -> bool {
        matches!(
            (self, &update.kind),
            (Format::Kustomize, UpdateKind::Kustomize) | (Format::Yaml, UpdateKind::Yaml { .. })
        )
    }
}

/// One commit: a repository, its branch, and whether it is proposed or pushed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target<'a> {
    repo: &'a str,
    branch: &'a str,
    pull_request: bool,
}

fn targets(image: &Image, format: Format) -> BTreeMap<Target<'_>, Vec<&Update>> {
    let mut targets: BTreeMap<Target<'_>, Vec<&Update>> = BTreeMap::new();
    for update in image.updates.iter().filter(|update| format.is_of(update)) {
        let target = Target {
            repo: update.repo.as_str(),
            branch: update.branch.as_str(),
            pull_request: update.pull_request,
        };
        targets.entry(target).or_default().push(update);
    }
    targets
}

/// The steps that change the files of one target.
struct Change<'a> {
    context: &'a Context<'a>,
    image: &'a Image,
    stage: &'a str,
    index: usize,
    target: Target<'a>,
}

impl Change<'_> {
    fn steps(&self, updates: &[&Update]) -> Result<Vec<PromotionStep>, TemplateError> {
        let path = self.folder();
        let clone = GitCloneConfig::branch(self.target.repo, self.target.branch, path.clone());
        let mut steps = vec![self.first(PromotionStep::uses(clone))];
        for update in updates {
            steps.push(self.next(self.edit(update), steps.len()));
        }
        let commit = PromotionStep::uses(GitCommitConfig {
            path: path.clone(),
            message: self.text(updates, |updates| Text::UpdatesCommit(updates))?,
            author: None,
        });
        let commit = self.next(commit, steps.len());
        steps.push(commit.named(self.alias("commit")));
        if self.target.pull_request {
            steps.extend(self.pull_request(updates, path)?);
        } else {
            let push = GitPushConfig::branch(path, self.target.branch);
            steps.push(after_success(
                PromotionStep::uses(push),
                &self.alias("commit"),
            ));
        }
        Ok(steps)
    }

    /// The name of a step, unlike those of other targets.
    fn alias(&self, step: &str) -> String {
        format!("{step}-{}", self.index + 1)
    }

    /// The first step of a target runs whatever became of the targets before: one
    /// that is broken fails the Promotion and holds up no other.
    fn first(&self, step: PromotionStep) -> PromotionStep {
        if self.index == 0 {
            return step;
        }
        step.only_if("always()").named(self.alias("clone"))
    }

    /// A further one needs the one before it in its own target, of which there are
    /// `done` so far. The first target needs no words for that: Kargo goes on while
    /// nothing has failed.
    fn next(&self, step: PromotionStep, done: usize) -> PromotionStep {
        if self.index == 0 {
            return step;
        }
        let before = match done {
            0 | 1 => self.alias("clone"),
            done => format!("{}-{}", self.alias("edit"), done - 1),
        };
        after_success(step, &before).named(format!("{}-{done}", self.alias("edit")))
    }

    /// Kargo knows the big hosts by name; a host of one's own it must be told of.
    fn provider(&self) -> Option<GitProvider> {
        let providers = &self.context.model.settings.providers;
        let is_at = |web: String| {
            let rest = self.target.repo.strip_prefix(&web);
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        if is_at(providers.github.web()) {
            Some(GitProvider::Github)
        } else if is_at(providers.gitlab.web()) {
            Some(GitProvider::Gitlab)
        } else {
            None
        }
    }

    /// The clones of one Promotion lie side by side.
    fn folder(&self) -> String {
        if self.index == 0 {
            CLONE.to_owned()
        } else {
            format!("{CLONE}-{}", self.index + 1)
        }
    }

    fn edit(&self, update: &Update) -> PromotionStep {
        let repository = self.image.repo_url.url();
        let path = [&self.folder(), "/", update.path.as_str()].concat();
        match &update.kind {
            UpdateKind::Kustomize => PromotionStep::uses(KustomizeSetImageConfig {
                path: kustomization_folder(path),
                images: Some(vec![KustomizeImage {
                    to: KustomizeImageVersion::Tag(built(repository, "Tag")),
                    image: repository.to_owned(),
                    name: None,
                    new_name: None,
                }]),
            }),
            UpdateKind::Yaml { key } => PromotionStep::uses(YAMLUpdateConfig {
                path,
                updates: vec![KeyUpdate {
                    key: key.to_string(),
                    value: value_at(key, repository).into(),
                }],
            }),
        }
    }

    fn pull_request(
        &self,
        updates: &[&Update],
        path: String,
    ) -> Result<[PromotionStep; 2], TemplateError> {
        let push = self.alias("push");
        let open = PromotionStep::uses(GitOpenPRConfig {
            repo_url: self.target.repo.to_owned(),
            source_branch: format!("${{{{ outputs['{push}'].branch }}}}"),
            target_branch: self.target.branch.to_owned(),
            provider: self.provider().map(OrExpr::from),
            title: Some(self.text(updates, |updates| Text::UpdatesPullRequestTitle(updates))?),
            description: Some(self.text(updates, |updates| Text::UpdatesPullRequestBody(updates))?),
            ..GitOpenPRConfig::default()
        });
        let open = after_success(open, &push);
        let push = PromotionStep::uses(GitPushConfig {
            path,
            target: Some(GitPushTarget::GenerateTargetBranch(OrExpr::from(true))),
            ..GitPushConfig::default()
        })
        .named(push);
        Ok([after_success(push, &self.alias("commit")), open])
    }

    fn text(
        &self,
        updates: &[&Update],
        text: for<'t> fn(&'t Updates<'t>) -> Text<'t>,
    ) -> Result<String, TemplateError> {
        let version = ["${{ imageFrom(\"", self.image.repo_url.url(), "\").Tag }}"].concat();
        let paths: Vec<String> = updates
            .iter()
            .map(|update| update.path.to_string())
            .collect();
        self.context.text(&text(&Updates {
            image: self.image.name.as_str(),
            repository: self.image.repo_url.url(),
            version: &version,
            stage: self.stage,
            paths: &paths,
        }))
    }
}

/// A step that needs another one to have done something. A commit without a change
/// is skipped: there is nothing to push then, and a branch of it would be litter.
fn after_success(step: PromotionStep, alias: &str) -> PromotionStep {
    step.only_if(&format!("status('{alias}') == 'Succeeded'"))
}

/// The folder of a kustomization, whether it or its file is named.
fn kustomization_folder(path: String) -> String {
    for file in [
        "/kustomization.yaml",
        "/kustomization.yml",
        "/Kustomization",
    ] {
        if let Some(folder) = path.strip_suffix(file) {
            return folder.to_owned();
        }
    }
    path
}

/// A field of the image that the Freight brings. There always is one; if there
/// were none, the step had better fail than write an empty reference.
fn built(repository: &str, field: &str) -> String {
    ["${{ quote(imageFrom(\"", repository, "\").", field, ") }}"].concat()
}

/// What belongs at a key: its last part says whether that is a tag, a digest or
/// a whole reference.
fn value_at(key: &YamlKey, repository: &str) -> String {
    match key.as_str().rsplit('.').next() {
        Some("digest") => built(repository, "Digest"),
        Some("image") => [
            "${{ quote(\"",
            repository,
            ":\" + imageFrom(\"",
            repository,
            "\").Tag) }}",
        ]
        .concat(),
        _ => built(repository, "Tag"),
    }
}
