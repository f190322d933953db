//! Reading an entry of `images`.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, Place, Span, code};
use crate::yaml::Node;

use super::Tag;
use super::decode::{Map, Reader};
use super::enroll_settings::required;
use super::git::{Branch, GitUrl, Provider, RepoPath, RepoSlug, WorkflowFile};
use super::image::{
    About, Builder, Criticality, Image, Input, Kind, Local, Source, Update, UpdateKind, UpdateType,
    Verify, YamlKey,
};
use super::names::Name;
use super::parse::Parse;
use super::reference::{DOCKER_HUB, Registry, Repository};
use super::settings::{Providers, Settings};
use super::time::Duration;
use super::watch::{Strategy, TagFilter, VersionRange, Watch};

pub(super) const IMAGE: &[&str] = &[
    "name",
    "registry",
    "repository",
    "source",
    "repoURL",
    "allowTags",
    "constraint",
    "imageSelectionStrategy",
    "rebuildDelay",
    "autoRebuild",
    "updates",
    "platforms",
    "criticality",
    "build",
    "schedule",
    "maxAge",
    "verify",
    "local",
    "enrollment",
    "title",
    "description",
    "owner",
    "system",
    "lifecycle",
];
pub(super) const OLDER: &[&str] = &[
    "registry",
    "repository",
    "source",
    "rebuildDelay",
    "autoRebuild",
    "updates",
];
pub(super) const SOURCE: &[&str] = &[
    "provider",
    "repo",
    "url",
    "branch",
    "dockerfile",
    "context",
    "target",
    "buildArgs",
    "workflow",
    "pipeline",
    "job",
    "inputs",
];
pub(super) const UPDATE: &[&str] = &["repo", "branch", "path", "type", "key", "pullRequest"];
pub(super) const LOCAL: &[&str] = &["dir", "dockerfile", "patchFiles", "versionFile"];
pub(super) const VERIFY: &[&str] = &["key", "identity", "issuer"];

/// Reads an entry; `None` if anything in it that has no default is wrong.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    settings: &Settings,
    names: &mut Names,
    where_is: &dyn Fn(&Place) -> String,
) -> Option<Image> {
    reader.begin(Some(node.span));
    let mut map = reader.known_map(node, "an image", IMAGE)?;
    if let Some(older) = reader.submap(&map, "enrollment", OLDER) {
        older_spelling(reader, &map, &older);
        map = map.with_older(older);
    }
    let name = required::<Name>(reader, &map, "name", "every image has a name of its own");
    if let Some(name) = &name {
        names.add(name, reader, where_is);
    }
    let source = source(reader, &map, name.as_ref(), &settings.providers);
    let managed = !matches!(source, Given::Absent);
    let addresses = addresses(reader, &map, has_repo(&map));
    let watch = watch(reader, &map, managed);
    let provider = match &source {
        Given::Right(source) => source.provider,
        Given::Absent | Given::Wrong => Provider::GitHub,
    };
    let updates = updates(reader, &map, &settings.providers, provider);
    let local = local(reader, &map);
    let verify = verify(reader, &map);
    let about = about(reader, &map);
    let platforms = reader.values(&map, "platforms");
    let rebuild_delay = reader
        .value(&map, "rebuildDelay")
        .unwrap_or(Duration::from_days(7));
    let auto_rebuild = reader.bool(&map, "autoRebuild").unwrap_or(true);
    let criticality = reader
        .value(&map, "criticality")
        .unwrap_or(Criticality::Normal);
    let build = reader.value(&map, "build").unwrap_or(Builder::Workflow);
    let schedule = reader.value(&map, "schedule");
    let max_age = reader.value(&map, "maxAge");
    if !managed {
        let keys = ["platforms", "build", "schedule", "maxAge", "local"];
        ignored(reader, &keys, "only images with a `source` are built");
    }
    let (repository, repo_url) = addresses?;
    let kind = match source {
        Given::Right(source) => Kind::Managed(source),
        Given::Absent => Kind::External,
        Given::Wrong => return None,
    };
    Some(Image {
        name: name?,
        repository,
        repo_url,
        watch: watch?,
        kind,
        rebuild_delay,
        auto_rebuild,
        updates,
        platforms,
        criticality,
        build,
        schedule,
        max_age,
        verify,
        local,
        about,
        bases: Vec::new(),
        fields: reader.begin(None),
    })
}

/// Does the entry name a source repository, and so is managed?
fn has_repo(map: &Map<'_, '_>) -> bool {
    let repo = map.get("source").and_then(|source| source.get("repo"));
    repo.is_some_and(|repo| !repo.is_null() && repo.as_str() != Some(""))
}

/// What became of a part that need not be there.
enum Given<T> {
    Absent,
    Wrong,
    Right(T),
}

fn older_spelling(reader: &mut Reader<'_>, map: &Map<'_, '_>, older: &Map<'_, '_>) {
    let help = "move the keys below `enrollment` to the top of the entry";
    let warning =
        Diagnostic::warning(code::OLD_SPELLING, "`enrollment` is an older spelling").help(help);
    reader.report(warning, older.span);
    for (key, _) in older.entries() {
        let Some(text) = key.as_str() else { continue };
        if map.get(text).is_some() {
            let message = format!("`{text}` stands both in the entry and below `enrollment`");
            let error = Diagnostic::error(code::CONFLICTING_KEYS, message)
                .help("keep the one at the top of the entry");
            reader.report(error, key.span);
        }
    }
}

fn ignored(reader: &mut Reader<'_>, keys: &[&'static str], why: &str) {
    for &key in keys.iter().filter(|key| reader.fields.has(key)) {
        let message = format!("`{key}` has no effect: {why}");
        let place = reader.fields.of(key);
        reader.out.push(
            Diagnostic::warning(code::IGNORED_KEY, message)
                .help("remove it")
                .at(place),
        );
    }
}

/// Where the image is, and what is subscribed to.
fn addresses(
    reader: &mut Reader<'_>,
    map: &Map<'_, '_>,
    managed: bool,
) -> Option<(Repository, Repository)> {
    let override_given = map.get("repoURL").is_some();
    let repo_url: Option<Repository> = reader.value(map, "repoURL");
    let registry_given = map.get("registry").is_some();
    let registry: Option<Registry> = reader.value(map, "registry");
    let path = reader.text(map, "repository");
    let repository = match path {
        None => {
            if map.get("repository").is_none() && !override_given {
                reader.missing(
                    "repository",
                    map.span,
                    "write the path below the registry, such as `repository: owner/app`",
                );
            }
            if map.get("repository").is_none() {
                repo_url.clone()
            } else {
                None
            }
        }
        Some((path, span)) => {
            if managed && !registry_given && !override_given {
                let help = "write where the built image is pushed, such as `registry: ghcr.io`";
                reader.missing("registry", map.span, help);
            }
            let registry = match (registry, &repo_url) {
                (Some(registry), _) => Some(registry),
                (None, _) if registry_given => None,
                (None, Some(url)) => Some(Registry::known(url.registry())),
                (None, None) => Some(Registry::known(DOCKER_HUB)),
            };
            repository(reader, registry, path, span)
        }
    };
    if override_given && repo_url.is_none() {
        return None;
    }
    let repository = repository?;
    let repo_url = repo_url.unwrap_or_else(|| repository.clone());
    Some((repository, repo_url))
}

fn repository(
    reader: &mut Reader<'_>,
    registry: Option<Registry>,
    path: &str,
    span: Span,
) -> Option<Repository> {
    // A path can be checked below any registry.
    let checked_below = registry
        .clone()
        .unwrap_or_else(|| Registry::known(DOCKER_HUB));
    let host = path
        .split('/')
        .next()
        .filter(|&host| host == checked_below.as_str());
    let result = match host {
        Some(host) => Err(super::Invalid::new(
            format!("begins with the registry `{host}` again"),
            "write the path below the registry only",
        )),
        None => Repository::new(&checked_below, path),
    };
    match result {
        Ok(repository) => registry.map(|_| repository),
        Err(invalid) => {
            let message = format!(
                "`repository` is `{}`, which {}",
                super::parse::shorten(path),
                invalid.why
            );
            reader.report(
                Diagnostic::error(code::INVALID_REPOSITORY, message).help(invalid.help),
                span,
            );
            None
        }
    }
}

fn source(
    reader: &mut Reader<'_>,
    map: &Map<'_, '_>,
    name: Option<&Name>,
    providers: &Providers,
) -> Given<Box<Source>> {
    let Some(node) = map.get("source") else {
        return Given::Absent;
    };
    let Some(map) = reader.submap(map, "source", SOURCE) else {
        return Given::Wrong;
    };
    let nothing = map.get("repo").is_none_or(|repo| repo.as_str() == Some(""));
    if nothing {
        if map.entries().all(|(key, _)| key.as_str() == Some("repo")) {
            return Given::Absent;
        }
        let help = "write `owner/repository`; an image without source repository is external, and has no `source`";
        reader.missing("source.repo", node.span, help);
        return Given::Wrong;
    }
    let provider = reader.value(&map, "source.provider");
    let provider_wrong = provider.is_none() && map.get("provider").is_some();
    let provider = provider.unwrap_or(Provider::GitHub);
    let repo = slug(reader, &map, provider);
    let url: Option<GitUrl> = reader.value(&map, "source.url");
    let url_wrong = url.is_none() && map.get("url").is_some();
    let branch = reader
        .value(&map, "source.branch")
        .unwrap_or_else(|| Branch::known("main"));
    let dockerfile =
        file(reader, &map, "source.dockerfile").unwrap_or_else(|| RepoPath::known("Dockerfile"));
    let context = reader
        .value(&map, "source.context")
        .unwrap_or_else(RepoPath::top);
    let target = reader.value(&map, "source.target");
    let build_args = reader.texts(&map, "source.buildArgs");
    let workflow = reader
        .value(&map, "source.workflow")
        .or_else(|| name.map(WorkflowFile::of));
    let pipeline = pipeline(reader, &map).unwrap_or_else(|| RepoPath::known(".gitlab-ci.yml"));
    let job = reader.value(&map, "source.job");
    let inputs = map
        .get("inputs")
        .map(|_| reader.values::<Input>(&map, "source.inputs"));
    match provider {
        _ if provider_wrong => {}
        Provider::GitHub => ignored(
            reader,
            &["source.pipeline", "source.job"],
            "they are for `provider: gitlab`",
        ),
        Provider::GitLab => ignored(reader, &["source.workflow"], "it is for `provider: github`"),
    }
    let (Some(repo), Some(workflow), false, false) = (repo, workflow, provider_wrong, url_wrong)
    else {
        return Given::Wrong;
    };
    let git_url = url.unwrap_or_else(|| clone_address(providers, provider, &repo));
    Given::Right(Box::new(Source {
        provider,
        repo,
        git_url,
        branch,
        dockerfile,
        context,
        target,
        build_args,
        workflow,
        pipeline,
        job,
        inputs,
    }))
}

/// What git clones when nothing else is said.
fn clone_address(providers: &Providers, provider: Provider, repo: &RepoSlug) -> GitUrl {
    let mut url = providers.get(provider).web();
    for part in ["/", repo.as_str(), ".git"] {
        url.push_str(part);
    }
    GitUrl::known(&url)
}

fn slug(reader: &mut Reader<'_>, map: &Map<'_, '_>, provider: Provider) -> Option<RepoSlug> {
    let repo: RepoSlug = reader.value(map, "source.repo")?;
    if provider == Provider::GitHub && repo.parts() != 2 {
        let message = format!("`source.repo` is `{repo}`, but GitHub has no groups in groups");
        let place = reader.fields.of("source.repo");
        let help = "write `owner/repository`, or `provider: gitlab`";
        reader.out.push(
            Diagnostic::error(code::INVALID_SOURCE_REPO, message)
                .help(help)
                .at(place),
        );
        return None;
    }
    Some(repo)
}

/// A path that must be a file's.
fn file(reader: &mut Reader<'_>, map: &Map<'_, '_>, path: &'static str) -> Option<RepoPath> {
    let (text, span) = reader.text(map, path)?;
    let file: RepoPath = reader.checked(text, span, path, RepoPath::CODE)?;
    if file.is_top() || text.ends_with('/') {
        let message = format!("`{path}` is `{text}`, which is a folder");
        let help = "write the path of the file, such as `apps/shop/Dockerfile`";
        reader.report(
            Diagnostic::error(code::INVALID_PATH, message).help(help),
            span,
        );
        return None;
    }
    Some(file)
}

fn pipeline(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> Option<RepoPath> {
    let (text, span) = reader.text(map, "source.pipeline")?;
    let file: RepoPath = reader.checked(text, span, "source.pipeline", code::INVALID_WORKFLOW)?;
    if text.ends_with(".yml") || text.ends_with(".yaml") {
        return Some(file);
    }
    let message = format!("`source.pipeline` is `{file}`, which does not end in `.yml` or `.yaml`");
    let help = "write the path of the pipeline's file, such as `.gitlab-ci.yml`";
    reader.report(
        Diagnostic::error(code::INVALID_WORKFLOW, message).help(help),
        span,
    );
    None
}

/// What the entry says about tags; see [`Watch`].
fn watch(reader: &mut Reader<'_>, map: &Map<'_, '_>, managed: bool) -> Option<Watch> {
    let filter: Option<TagFilter> = reader.value(map, "allowTags");
    let strategy: Option<Strategy> = reader.value(map, "imageSelectionStrategy");
    let constraint = reader.text(map, "constraint");
    let wrong = (filter.is_none() && map.get("allowTags").is_some())
        || (strategy.is_none() && map.get("imageSelectionStrategy").is_some())
        || (constraint.is_none() && map.get("constraint").is_some());
    if wrong {
        return None;
    }
    if filter.is_none() && constraint.is_none() && (!managed || strategy == Some(Strategy::Digest))
    {
        let help = "write which tags count, such as `allowTags: ^16-alpine$` for one tag, \
                    `allowTags: ^16\\.\\d+$` for several, or `constraint: ^16` for versions";
        let message = "an external image needs `allowTags` or `constraint`";
        let message = if managed {
            "the strategy `Digest` needs a `constraint`, the tag to follow"
        } else {
            message
        };
        reader.report(
            Diagnostic::error(code::MISSING_SELECTION, message).help(help),
            map.span,
        );
        return None;
    }
    // Versions are what a constraint is about, and what we publish ourselves.
    let by_version = managed || constraint.is_some();
    let strategy = strategy.unwrap_or(if by_version {
        Strategy::SemVer
    } else {
        Strategy::Lexical
    });
    match (strategy, filter, constraint) {
        (Strategy::Digest, filter, Some((tag, span))) => one_tag(reader, filter, tag, span),
        (Strategy::Digest, Some(TagFilter::Pattern(_)), None) => {
            let help =
                "anchor the pattern to one tag, such as `^16-alpine$`, or choose another strategy";
            conflict(
                reader,
                "allowTags",
                "the strategy `Digest` follows one tag, but `allowTags` matches several",
                help,
            )
        }
        (_, Some(TagFilter::Literal(_)), Some(_)) => {
            let help = "remove one of them";
            conflict(
                reader,
                "constraint",
                "`allowTags` matches one tag only, so there is nothing to choose by `constraint`",
                help,
            )
        }
        (_, Some(TagFilter::Literal(tag)), None) => Some(Watch::Tag(tag)),
        (Strategy::Lexical | Strategy::NewestBuild, _, Some((_, span))) => {
            let message = format!("`constraint` has no effect with the strategy `{strategy}`");
            let help = "remove it, or write `imageSelectionStrategy: SemVer`";
            reader.report(
                Diagnostic::error(code::INVALID_CONSTRAINT, message).help(help),
                span,
            );
            None
        }
        (Strategy::SemVer, filter, Some((text, span))) => {
            let range: VersionRange =
                reader.checked(text, span, "constraint", VersionRange::CODE)?;
            Some(Watch::SemVer {
                constraint: Some(range),
                tags: pattern(filter),
            })
        }
        (Strategy::SemVer, filter, None) => Some(Watch::SemVer {
            constraint: None,
            tags: pattern(filter),
        }),
        (Strategy::Lexical, filter, None) => Some(Watch::Lexical {
            tags: pattern(filter),
        }),
        (Strategy::NewestBuild, filter, None) => Some(Watch::NewestBuild {
            tags: pattern(filter),
        }),
        (Strategy::Digest, None, None) => None,
    }
}

fn pattern(filter: Option<TagFilter>) -> Option<super::Pattern> {
    match filter {
        Some(TagFilter::Pattern(pattern)) => Some(pattern),
        Some(TagFilter::Literal(_)) | None => None,
    }
}

fn one_tag(
    reader: &mut Reader<'_>,
    filter: Option<TagFilter>,
    text: &str,
    span: Span,
) -> Option<Watch> {
    let tag: Tag = reader.checked(text, span, "constraint", code::INVALID_CONSTRAINT)?;
    match filter {
        None => Some(Watch::Tag(tag)),
        Some(TagFilter::Literal(same)) if same == tag => Some(Watch::Tag(tag)),
        Some(_) => {
            let help = "remove `allowTags`, or choose another strategy";
            conflict(
                reader,
                "allowTags",
                "the strategy `Digest` follows the tag in `constraint` and heeds no `allowTags`",
                help,
            )
        }
    }
}

fn conflict<T>(reader: &mut Reader<'_>, key: &str, message: &str, help: &str) -> Option<T> {
    let place = reader.fields.of(key);
    reader.out.push(
        Diagnostic::error(code::CONFLICTING_KEYS, message)
            .help(help)
            .at(place),
    );
    None
}

fn updates(
    reader: &mut Reader<'_>,
    map: &Map<'_, '_>,
    providers: &Providers,
    provider: Provider,
) -> Vec<Update> {
    let items = reader.list(map, "updates");
    let mut updates = Vec::with_capacity(items.len());
    for item in items {
        let image = reader.begin(Some(item.span));
        let update = update(reader, item, providers, provider);
        let fields = std::mem::replace(&mut reader.fields, image);
        updates.extend(update.map(|update| Update { fields, ..update }));
    }
    updates
}

fn update(
    reader: &mut Reader<'_>,
    item: &Node<'_>,
    providers: &Providers,
    provider: Provider,
) -> Option<Update> {
    let map = reader.known_map(item, "an item of `updates`", UPDATE)?;
    let repo = match reader.text(&map, "repo") {
        Some((text, span)) if text.contains("://") || text.starts_with("git@") => {
            reader.checked::<GitUrl>(text, span, "repo", GitUrl::CODE)
        }
        Some((text, span)) => reader
            .checked::<RepoSlug>(text, span, "repo", RepoSlug::CODE)
            .map(|slug| clone_address(providers, provider, &slug)),
        None => {
            if map.get("repo").is_none() {
                reader.missing(
                    "repo",
                    map.span,
                    "write the repository that holds the file, `owner/repository` or a URL",
                );
            }
            None
        }
    };
    let branch = reader
        .value(&map, "branch")
        .unwrap_or_else(|| Branch::known("main"));
    let path = required::<RepoPath>(
        reader,
        &map,
        "path",
        "write the path of the file, or the folder of the kustomization",
    );
    let kind = required::<UpdateType>(
        reader,
        &map,
        "type",
        "write `kustomize-set-image` or `yaml-update`",
    );
    let key = reader.value::<YamlKey>(&map, "key");
    let pull_request = reader.bool(&map, "pullRequest").unwrap_or(false);
    let kind = match kind? {
        UpdateType::Kustomize => {
            ignored(
                reader,
                &["key"],
                "a kustomization has its images in one place",
            );
            UpdateKind::Kustomize
        }
        UpdateType::Yaml | UpdateType::Helm => UpdateKind::Yaml {
            key: key.unwrap_or_else(|| YamlKey::known("image.tag")),
        },
    };
    Some(Update {
        repo: repo?,
        branch,
        path: path?,
        kind,
        pull_request,
        fields: reader.fields.clone(),
    })
}

fn local(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> Option<Local> {
    let map = reader.submap(map, "local", LOCAL)?;
    let dir: Option<RepoPath> = reader.value(&map, "local.dir");
    let patches: Vec<RepoPath> = reader.values(&map, "local.patchFiles");
    let inside = |patch: RepoPath| match &dir {
        Some(dir) if !patch.as_str().contains('/') && !dir.is_top() => {
            RepoPath::known(&format!("{dir}/{patch}"))
        }
        _ => patch,
    };
    Some(Local {
        patch_files: patches.into_iter().map(inside).collect(),
        dockerfile: file(reader, &map, "local.dockerfile"),
        version_file: file(reader, &map, "local.versionFile"),
        dir,
    })
}

fn verify(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> Option<Verify> {
    let map = reader.submap(map, "verify", VERIFY)?;
    let key = file(reader, &map, "verify.key");
    let identity = reader.value(&map, "verify.identity");
    let issuer = reader.value(&map, "verify.issuer");
    let given = |key: &str| map.get(key).is_some();
    match (given("key"), given("identity"), given("issuer")) {
        (true, false, false) => key.map(Verify::Key),
        (false, true, true) => Some(Verify::Keyless {
            identity: identity?,
            issuer: issuer?,
        }),
        _ => {
            let message = "`verify` takes either `key`, or `identity` and `issuer`";
            let help =
                "name the file of a public key, or who must have signed and who vouches for that";
            conflict(reader, "verify", message, help)
        }
    }
}

fn about(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> About {
    let description = reader
        .text(map, "description")
        .map(|(text, _)| text.to_owned());
    About {
        title: reader.value(map, "title"),
        description,
        owner: reader.value(map, "owner"),
        system: reader.value(map, "system"),
        lifecycle: reader.value(map, "lifecycle"),
    }
}

/// The names given so far, with their places.
#[derive(Default)]
pub(super) struct Names {
    seen: BTreeMap<Name, Place>,
}

impl Names {
    /// Notes a name; one that comes again is reported with the place of the
    /// first, which `where_is` puts into words.
    fn add(&mut self, name: &Name, reader: &mut Reader<'_>, where_is: &dyn Fn(&Place) -> String) {
        let place = reader.fields.of("name");
        if let Some(first) = self.seen.get(name) {
            let message = format!("the name `{name}` is used twice");
            let help = format!(
                "it is used first at {}: rename one of them",
                where_is(first)
            );
            reader.out.push(
                Diagnostic::error(code::DUPLICATE_NAME, message)
                    .help(help)
                    .at(place),
            );
        } else {
            self.seen.insert(name.clone(), place);
        }
    }
}
