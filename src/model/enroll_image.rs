//! Reading an entry of `images`.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, Place, Span, code};
use crate::yaml::Node;

use super::decode::{Map, Reader};
use super::enroll_settings::required;
use super::enroll_source::{Given, clone_address, file, ignored, source};
use super::enroll_watch::{conflict, watch};
use super::git::{Branch, Provider, RepoPath, RepoSlug};
use super::image::{
    About, Builder, Criticality, Image, Kind, Local, Update, UpdateKind, UpdateType, Verify,
    YamlKey,
};
use super::names::Name;
use super::parse::Parse;
use super::reference::{DOCKER_HUB, Registry, Repository};
use super::settings::{Providers, Settings};
use super::time::Duration;
use super::urls::GitUrl;

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
    let max_age = max_age(&mut *reader, &map);
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
    let kind = required::<UpdateType>(
        reader,
        &map,
        "type",
        "write `kustomize-set-image` or `yaml-update`",
    );
    let path: Option<RepoPath> = match kind {
        Some(UpdateType::Yaml | UpdateType::Helm) if map.get("path").is_some() => {
            file(reader, &map, "path")
        }
        _ => required(
            reader,
            &map,
            "path",
            "write the path of the file, or the folder of the kustomization",
        ),
    };
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

/// The age at which a build is too old; none may be too old from the start.
fn max_age(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> Option<Duration> {
    let age: Duration = reader.value(map, "maxAge")?;
    if !age.is_zero() {
        return Some(age);
    }
    let message = "`maxAge` is zero, so the image would be rebuilt without end";
    let place = reader.fields.of("maxAge");
    reader.out.push(
        Diagnostic::error(code::INVALID_DURATION, message)
            .help("write how old a build may become, such as `90d`, or remove the key")
            .at(place),
    );
    None
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
