//! Reading `settings`.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, code};
use crate::yaml::Node;

use super::decode::{Map, Reader};
use super::enroll_source::ignored;
use super::fields::Fields;
use super::git::{Branch, RepoPath};
use super::names::{EnvName, Name, ObjectName};
use super::parse::Parse;
use super::reference::Registry;
use super::settings::{
    CveSettings, Freeze, GitSettings, Intervals, Limits, Notification, NotificationKind,
    ProviderSettings, Providers, RegistrySettings, RequestPath, Secrets, Settings, Severity,
    Webhook, WebhookKind,
};
use super::time::Duration;
use super::urls::ApiUrl;

pub(super) const SETTINGS: &[&str] = &[
    "project",
    "git",
    "intervals",
    "window",
    "maxDelay",
    "limits",
    "freeze",
    "cve",
    "providers",
    "registries",
    "secrets",
    "jobs",
    "webhooks",
    "notifications",
];
pub(super) const GIT: &[&str] = &["repo", "branch", "path"];
pub(super) const INTERVALS: &[&str] = &["base", "external", "managed"];
pub(super) const LIMITS: &[&str] = &["concurrent", "perRun", "perDay"];
pub(super) const FREEZE: &[&str] = &["from", "to", "reason"];
pub(super) const CVE: &[&str] = &["severity"];
pub(super) const PROVIDERS: &[&str] = &["github", "gitlab"];
pub(super) const GITHUB: &[&str] = &["api", "tokenEnv"];
pub(super) const GITLAB: &[&str] = &["api", "tokenEnv", "triggerTokenEnv"];
pub(super) const REGISTRY: &[&str] = &["insecure", "ca"];
pub(super) const SECRETS: &[&str] = &["git", "github", "gitlab", "registry"];
pub(super) const JOBS: &[&str] = &["image"];
pub(super) const WEBHOOK: &[&str] = &["name", "type", "secret", "repository"];
pub(super) const NOTIFICATION: &[&str] = &["type", "secret"];

/// What holds if nothing is said.
pub(super) fn defaults(fields: Fields) -> Settings {
    let days = Duration::from_days(1);
    Settings {
        project: Name::known("image-factory-kargo"),
        git: GitSettings {
            repo: None,
            branch: Branch::known("main"),
            path: RepoPath::top(),
        },
        intervals: Intervals {
            base: days,
            external: days,
            managed: Duration::from_minutes(5),
        },
        window: Duration::from_minutes(30),
        max_delay: None,
        limits: Limits {
            concurrent: 4,
            per_run: 20,
            per_day: 100,
        },
        freeze: Vec::new(),
        cve: CveSettings {
            severity: Severity::Critical,
        },
        providers: Providers {
            github: ProviderSettings {
                api: ApiUrl::known("https://api.github.com"),
                token_env: EnvName::known("GITHUB_TOKEN"),
            },
            gitlab: ProviderSettings {
                api: ApiUrl::known("https://gitlab.com/api/v4"),
                token_env: EnvName::known("GITLAB_TOKEN"),
            },
            trigger_token_env: EnvName::known("GITLAB_TRIGGER_TOKEN"),
        },
        registries: BTreeMap::new(),
        secrets: Secrets {
            git: ObjectName::known("image-factory-git"),
            github: ObjectName::known("image-factory-github"),
            gitlab: ObjectName::known("image-factory-gitlab"),
            registry: ObjectName::known("image-factory-registry"),
        },
        jobs_image: None,
        webhooks: Vec::new(),
        notifications: Vec::new(),
        fields,
    }
}

/// Puts `value` into `slot` if there is one.
fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>, settings: &mut Settings) {
    reader.begin(Some(node.span));
    if let Some(map) = reader.known_map(node, "`settings`", SETTINGS) {
        set(&mut settings.project, project(reader, &map));
        if let Some(git) = reader.submap(&map, "git", GIT) {
            settings.git.repo = reader.value(&git, "git.repo");
            set(
                &mut settings.git.branch,
                reader.value::<Branch>(&git, "git.branch"),
            );
            set(
                &mut settings.git.path,
                reader.value::<RepoPath>(&git, "git.path"),
            );
        }
        times(reader, &map, settings);
        if let Some(limits) = reader.submap(&map, "limits", LIMITS) {
            set(
                &mut settings.limits.concurrent,
                reader.count(&limits, "limits.concurrent"),
            );
            set(
                &mut settings.limits.per_run,
                reader.count(&limits, "limits.perRun"),
            );
            set(
                &mut settings.limits.per_day,
                reader.count(&limits, "limits.perDay"),
            );
        }
        if let Some(cve) = reader.submap(&map, "cve", CVE) {
            set(
                &mut settings.cve.severity,
                reader.value(&cve, "cve.severity"),
            );
        }
        hosts(reader, &map, settings);
        settings.registries = registries(reader, &map);
        if let Some(secrets) = reader.submap(&map, "secrets", SECRETS) {
            set(
                &mut settings.secrets.git,
                reader.value(&secrets, "secrets.git"),
            );
            set(
                &mut settings.secrets.github,
                reader.value(&secrets, "secrets.github"),
            );
            set(
                &mut settings.secrets.gitlab,
                reader.value(&secrets, "secrets.gitlab"),
            );
            set(
                &mut settings.secrets.registry,
                reader.value(&secrets, "secrets.registry"),
            );
        }
        jobs(reader, &map, settings);
        settings.webhooks = webhooks(reader, &map);
        settings.notifications = notifications(reader, &map);
    }
    settings.fields = reader.begin(None);
}

/// The Project, which Kargo makes a namespace for: none that Kubernetes keeps for itself.
fn project(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> Option<Name> {
    let name: Name = reader.value(map, "project")?;
    if name.as_str() != "default" && !name.as_str().starts_with("kube-") {
        return Some(name);
    }
    let message = format!("`project` is `{name}`, a namespace that Kubernetes has for itself");
    let help = "write a name that nothing else uses: the Project gets a namespace of that name";
    let place = reader.fields.of("project");
    reader.out.push(
        Diagnostic::error(code::INVALID_NAME, message)
            .help(help)
            .at(place),
    );
    None
}

fn times(reader: &mut Reader<'_>, map: &Map<'_, '_>, settings: &mut Settings) {
    if let Some(intervals) = reader.submap(map, "intervals", INTERVALS) {
        set(
            &mut settings.intervals.base,
            interval(reader, &intervals, "intervals.base"),
        );
        set(
            &mut settings.intervals.external,
            interval(reader, &intervals, "intervals.external"),
        );
        set(
            &mut settings.intervals.managed,
            interval(reader, &intervals, "intervals.managed"),
        );
    }
    set(&mut settings.window, reader.value(map, "window"));
    settings.max_delay = reader.value(map, "maxDelay");
    let items = reader.list(map, "freeze");
    settings.freeze = items
        .iter()
        .filter_map(|item| freeze(reader, item))
        .collect();
}

/// A duration that is not zero.
fn interval(reader: &mut Reader<'_>, map: &Map<'_, '_>, path: &'static str) -> Option<Duration> {
    let interval: Duration = reader.value(map, path)?;
    if interval.is_zero() {
        let message = format!("`{path}` is zero, so it would never rest");
        let place = reader.fields.of(path);
        let help = "write at least `5m`: Kargo itself looks no more often";
        reader.out.push(
            Diagnostic::error(code::INVALID_DURATION, message)
                .help(help)
                .at(place),
        );
        return None;
    }
    if interval < Duration::from_minutes(5) {
        let message = format!("`{path}` is `{interval}`, but Kargo looks every `5m` at most");
        let help = "write at least `5m`, unless Kargo's `minReconciliationInterval` was lowered";
        let place = reader.fields.of(path);
        reader.out.push(
            Diagnostic::warning(code::SHORT_INTERVAL, message)
                .help(help)
                .at(place),
        );
    }
    Some(interval)
}

fn freeze(reader: &mut Reader<'_>, item: &Node<'_>) -> Option<Freeze> {
    let map = reader.known_map(item, "an item of `freeze`", FREEZE)?;
    let from = required(reader, &map, "freeze.from", "write when it begins");
    let to = required(reader, &map, "freeze.to", "write when it ends");
    let reason = required(
        reader,
        &map,
        "freeze.reason",
        "write why, for those who wait",
    );
    let freeze = Freeze {
        from: from?,
        to: to?,
        reason: reason?,
    };
    if freeze.to <= freeze.from {
        let message = "a freeze ends before it begins";
        let diagnostic =
            Diagnostic::error(code::INVALID_TIME, message).help("make `to` later than `from`");
        reader.report(diagnostic, item.span);
        return None;
    }
    Some(freeze)
}

/// A value that has no default.
pub(super) fn required<T: Parse>(
    reader: &mut Reader<'_>,
    map: &Map<'_, '_>,
    path: &'static str,
    help: &str,
) -> Option<T> {
    let key = path.rsplit_once('.').map_or(path, |(_, key)| key);
    if map.get(key).is_none() {
        reader.missing(path, map.span, help);
        return None;
    }
    reader.value(map, path)
}

fn hosts(reader: &mut Reader<'_>, map: &Map<'_, '_>, settings: &mut Settings) {
    let Some(providers) = reader.submap(map, "providers", PROVIDERS) else {
        return;
    };
    let Providers {
        github,
        gitlab,
        trigger_token_env,
    } = &mut settings.providers;
    let [for_github, for_gitlab, for_trigger] = [
        "providers.github.tokenEnv",
        "providers.gitlab.tokenEnv",
        "providers.gitlab.triggerTokenEnv",
    ];
    if let Some(host) = reader.submap(&providers, "providers.github", GITHUB) {
        set(&mut github.api, reader.value(&host, "providers.github.api"));
        set(&mut github.token_env, token_env(reader, &host, for_github));
    }
    if let Some(host) = reader.submap(&providers, "providers.gitlab", GITLAB) {
        set(&mut gitlab.api, reader.value(&host, "providers.gitlab.api"));
        set(&mut gitlab.token_env, token_env(reader, &host, for_gitlab));
        set(trigger_token_env, token_env(reader, &host, for_trigger));
    }
    if github.token_env == gitlab.token_env {
        let given = if reader.fields.has(for_gitlab) {
            for_gitlab
        } else {
            for_github
        };
        let message = format!(
            "both providers read their token from `{}`",
            github.token_env
        );
        let place = reader.fields.of(given);
        reader.out.push(
            Diagnostic::error(code::CONFLICTING_KEYS, message)
                .help("give each its own variable: a Job may need both tokens")
                .at(place),
        );
    }
    let same = [&github.token_env, &gitlab.token_env].contains(&&*trigger_token_env);
    if same {
        let message = format!(
            "`providers.gitlab.triggerTokenEnv` is `{trigger_token_env}`, which holds an access token"
        );
        let all = [for_trigger, for_gitlab, for_github];
        let given = all.into_iter().find(|path| reader.fields.has(path));
        let place = reader.fields.of(given.unwrap_or(for_trigger));
        reader.out.push(
            Diagnostic::error(code::CONFLICTING_KEYS, message)
                .help("give the trigger token a variable of its own")
                .at(place),
        );
    }
}

fn registries(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> BTreeMap<Registry, RegistrySettings> {
    let mut all = BTreeMap::new();
    let Some(node) = map.get("registries") else {
        return all;
    };
    reader.fields.add("registries", node.span);
    let Some(inner) = reader.map(node, "registries") else {
        return all;
    };
    for (key, value) in inner.entries() {
        let Some(text) = key.as_str() else { continue };
        let host = reader.checked(text, key.span, "a key of `registries`", Registry::CODE);
        let said = registry(reader, value);
        let (Some(host), Some(said)) = (host, said) else {
            continue;
        };
        if all.contains_key(&host) {
            let message = format!("two keys of `registries` mean `{host}`");
            let diagnostic = Diagnostic::error(code::DUPLICATE_NAME, message).help("keep one");
            reader.report(diagnostic, key.span);
            continue;
        }
        all.insert(host, said);
    }
    all
}

fn registry(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<RegistrySettings> {
    let map = reader.known_map(node, "a value of `registries`", REGISTRY)?;
    let said = RegistrySettings {
        insecure: reader.bool(&map, "registries.insecure"),
        ca: reader.value(&map, "registries.ca"),
    };
    if said.insecure == Some(true) && said.ca.is_some() {
        let diagnostic = Diagnostic::error(
            code::CONFLICTING_KEYS,
            "a registry has `insecure: true`, which is plain http, and certificates in `ca`",
        )
        .help("drop `insecure: true`, unless the registry has no TLS");
        reader.report(diagnostic, node.span);
        return None;
    }
    Some(said)
}

/// The variable that holds a token, which may be none that a Job needs for something else.
fn token_env(reader: &mut Reader<'_>, map: &Map<'_, '_>, path: &'static str) -> Option<EnvName> {
    let name: EnvName = reader.value(map, path)?;
    let taken = [
        "HOME",
        "PATH",
        "DOCKER_CONFIG",
        "GITHUB_APP_ID",
        "GITHUB_APP_INSTALLATION_ID",
        "GITHUB_APP_PRIVATE_KEY",
    ]
    .contains(&name.as_str())
        || ["GIT_", "LD_", "KUBERNETES_"]
            .iter()
            .any(|prefix| name.as_str().starts_with(prefix));
    if !taken {
        return Some(name);
    }
    let message = format!("`{path}` is `{name}`, which has another meaning in our Jobs");
    let help = "write a name of its own, such as `GITHUB_TOKEN`";
    let place = reader.fields.of(path);
    reader.out.push(
        Diagnostic::error(code::INVALID_SETTING, message)
            .help(help)
            .at(place),
    );
    None
}

fn jobs(reader: &mut Reader<'_>, map: &Map<'_, '_>, settings: &mut Settings) {
    let Some(jobs) = reader.submap(map, "jobs", JOBS) else {
        return;
    };
    let Some(image) = reader.value::<super::Reference>(&jobs, "jobs.image") else {
        return;
    };
    let latest = image
        .tag
        .as_ref()
        .is_some_and(|tag| tag.as_str() == "latest");
    if latest && image.digest.is_none() {
        let message = format!("`jobs.image` is `{image}`, which is not pinned");
        let place = reader.fields.of("jobs.image");
        let help = "name a version or a digest, so that the Jobs change only when this file does";
        reader.out.push(
            Diagnostic::error(code::INVALID_IMAGE, message)
                .help(help)
                .at(place),
        );
        return;
    }
    settings.jobs_image = Some(image);
}

fn webhooks(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> Vec<Webhook> {
    let mut webhooks: Vec<Webhook> = Vec::new();
    for item in reader.list(map, "webhooks") {
        let Some(entry) = reader.known_map(item, "an item of `webhooks`", WEBHOOK) else {
            continue;
        };
        let kind = webhook_kind(reader, &entry);
        let secret = required(
            reader,
            &entry,
            "webhooks.secret",
            "name the Secret that events are checked by",
        );
        let name = reader.value::<ObjectName>(&entry, "webhooks.name");
        let repository = reader.value::<RequestPath>(&entry, "webhooks.repository");
        if kind.is_some_and(|kind| kind != WebhookKind::Generic) {
            ignored(
                reader,
                &["webhooks.repository"],
                "it is for `type: generic`",
            );
        }
        let (Some(kind), Some(secret)) = (kind, secret) else {
            continue;
        };
        let name = name.unwrap_or_else(|| ObjectName::known(kind.as_str()));
        if webhooks.iter().any(|known| known.name == name) {
            let message = format!("two webhooks are called `{name}`");
            let help = "give each a `name` of its own";
            reader.report(
                Diagnostic::error(code::DUPLICATE_NAME, message).help(help),
                item.span,
            );
            continue;
        }
        webhooks.push(Webhook {
            name,
            kind,
            secret,
            repository,
        });
    }
    webhooks
}

/// Who sends. A registry that does so under another name is told which.
fn webhook_kind(reader: &mut Reader<'_>, entry: &Map<'_, '_>) -> Option<WebhookKind> {
    if entry.get("type").and_then(Node::as_str) == Some("ghcr") {
        let (_, span) = reader.text(entry, "webhooks.type")?;
        let wrong = Diagnostic::error(
            code::INVALID_CHOICE,
            "`webhooks.type` is `ghcr`, which sends nothing itself",
        )
        .help("write `type: github`: GitHub sends the events of GHCR, as `packages`, from the repository that the image belongs to");
        reader.report(wrong, span);
        return None;
    }
    let help = "write who sends, such as `github`";
    required(reader, entry, "webhooks.type", help)
}

fn notifications(reader: &mut Reader<'_>, map: &Map<'_, '_>) -> Vec<Notification> {
    let items = reader.list(map, "notifications");
    let one = |item| {
        let entry = reader.known_map(item, "an item of `notifications`", NOTIFICATION)?;
        let kind: Option<NotificationKind> = required(
            reader,
            &entry,
            "notifications.type",
            "write the way, such as `slack`",
        );
        let secret = required(
            reader,
            &entry,
            "notifications.secret",
            "name the Secret that holds the address",
        );
        Some(Notification {
            kind: kind?,
            secret: secret?,
        })
    };
    items.iter().filter_map(one).collect()
}
