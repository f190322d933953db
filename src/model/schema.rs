//! The JSON Schema of images.yaml, which editors complete and check by.
//!
//! These structs mirror the file and exist for the schema only; that they have
//! the same keys as the decoder is tested below. The texts are what an editor
//! shows, and what docs/images-yaml.md lists.
#![allow(dead_code, reason = "only the shape of these types is used")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::Value;

use super::Provider;
use super::image::{Builder, Criticality, Input, UpdateType};
use super::settings::{NotificationKind, Severity, WebhookKind};
use super::watch::Strategy;

/// A text with a pattern that says what can be said by one.
macro_rules! text {
    ($($name:ident $pattern:literal;)*) => {$(
        struct $name;
        impl JsonSchema for $name {
            fn inline_schema() -> bool { true }
            fn schema_name() -> Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern})
            }
        }
    )*};
}

text! {
    NameText "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
    ObjectNameText r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$";
    RegistryText r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?$";
    RepositoryText r"^[a-z0-9]+((\.|_|__|-)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-)[a-z0-9]+)*)*$";
    AddressText "^[^@]+$";
    DurationText "^[0-9]+[dhm]$";
    PathText r"^[^/\\-]";
    SlugText r"^[A-Za-z0-9._][A-Za-z0-9._-]*(/[A-Za-z0-9._][A-Za-z0-9._-]*)+$";
    BranchText r"^[a-zA-Z0-9]([a-zA-Z0-9._/-]*[a-zA-Z0-9_-])?$";
    WorkflowText r"^[^/\\-][^/\\]*\.ya?ml$";
    UrlText "^https?://";
    PlatformText "^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$";
    TimeText r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d";
    VariableText "^[A-Za-z_][A-Za-z0-9_]*$";
    KeyText r"^[A-Za-z0-9_/-]+(\.[A-Za-z0-9_/-]+)*$";
    AnyText "";
}

macro_rules! words {
    ($($name:ident)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool { true }
            fn schema_name() -> Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"enum": $name::WORDS})
            }
        }
    )*};
}

words! { Provider Builder Criticality Input UpdateType NotificationKind WebhookKind Strategy Severity }

/// A build argument's value; numbers and booleans are taken as they are written.
struct ScalarText;
impl JsonSchema for ScalarText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "ScalarText".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// images.yaml with settings.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    /// What holds for all images.
    settings: Option<Settings>,
    /// The enrolled images.
    images: Option<Vec<Image>>,
}

/// An enrolled image: managed (built by us) if it has a `source`, else external (only watched).
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Image {
    /// The image's identity: the name of its state file and of its Kargo objects. A DNS label.
    name: NameText,
    /// The registry that holds the image, a host with an optional port. A managed image must name it.
    #[schemars(extend("default" = "docker.io"))]
    registry: Option<RegistryText>,
    /// The path of the image below its registry. On Docker Hub a path of one part gains `library/`. Needed unless `repoURL` is given.
    repository: Option<RepositoryText>,
    /// What the image is built from; makes it a managed image.
    source: Option<Source>,
    /// What Kargo subscribes to instead of `registry/repository`, such as a mirror.
    #[schemars(rename = "repoURL")]
    repo_url: Option<AddressText>,
    /// A regular expression for the tags that count. A pattern for one tag, such as `^16-alpine$`, makes Kargo follow that tag's digest. An external image needs this or `constraint`.
    allow_tags: Option<AnyText>,
    /// With the strategy `SemVer` the range of versions that count, such as `^1.2`; with `Digest` the one tag to follow.
    constraint: Option<AnyText>,
    /// How the newest of the tags is chosen. Default: `SemVer` for managed images and beside a `constraint`, else `Lexical`.
    image_selection_strategy: Option<Strategy>,
    /// How long after a change of a base image the image is rebuilt.
    #[schemars(extend("default" = "7d"))]
    rebuild_delay: Option<DurationText>,
    /// Whether it is rebuilt by itself; if `false`, only a person starts its rebuilds.
    #[schemars(extend("default" = true))]
    auto_rebuild: Option<bool>,
    /// Files elsewhere that name this image and are changed when there is a new version.
    updates: Option<Vec<Update>>,
    /// The platforms it is built for. Default: that of the builder.
    platforms: Option<Vec<PlatformText>>,
    /// What goes first when not everything can be rebuilt at once.
    #[schemars(extend("default" = "normal"))]
    criticality: Option<Criticality>,
    /// Who builds the image: the workflow or pipeline of its source, or the factory itself.
    #[schemars(extend("default" = "workflow"))]
    build: Option<Builder>,
    /// When the image is rebuilt in any case, as the five fields of cron in UTC. Default: never.
    schedule: Option<AnyText>,
    /// How old its newest build may become before it is rebuilt in any case. Default: any age.
    max_age: Option<DurationText>,
    /// What signatures the image must bear. Default: none.
    verify: Option<Verify>,
    /// Files in the state repository that belong to the image.
    local: Option<Local>,
    /// An older spelling: `registry`, `repository`, `source`, `rebuildDelay`, `autoRebuild` and `updates` below this key.
    #[schemars(extend("deprecated" = true))]
    enrollment: Option<Older>,
    /// A title for people.
    title: Option<AnyText>,
    /// What the image is, for people.
    description: Option<AnyText>,
    /// Who answers for the image, for people.
    owner: Option<AnyText>,
    /// The system that the image is part of, for people.
    system: Option<AnyText>,
    /// The image's stage of life, such as `production`, for people.
    lifecycle: Option<AnyText>,
}

/// What a managed image is built from.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Source {
    /// The kind of host.
    #[schemars(extend("default" = "github"))]
    provider: Option<Provider>,
    /// The repository on its host: `owner/repository`, on GitLab with any number of groups.
    repo: Option<SlugText>,
    /// The address that git clones. Default: the provider's host, `repo` and `.git`.
    url: Option<UrlText>,
    /// The branch that is watched and built.
    #[schemars(extend("default" = "main"))]
    branch: Option<BranchText>,
    /// The Dockerfile, from the top of the repository.
    #[schemars(extend("default" = "Dockerfile"))]
    dockerfile: Option<PathText>,
    /// The build context, from the top of the repository.
    #[schemars(extend("default" = "."))]
    context: Option<PathText>,
    /// The build stage that becomes the image. Default: the last.
    target: Option<AnyText>,
    /// Build arguments by name.
    build_args: Option<BTreeMap<String, ScalarText>>,
    /// GitHub: the workflow that builds the image, a file in `.github/workflows`. Default: `NAME.yml`.
    workflow: Option<WorkflowText>,
    /// GitLab: the pipeline's file.
    #[schemars(extend("default" = ".gitlab-ci.yml"))]
    pipeline: Option<PathText>,
    /// GitLab: the job that builds the image, as the pipeline's rules know it: a trigger sends it as the variable `JOB`.
    job: Option<AnyText>,
    /// The inputs (GitLab: variables) that a trigger sends. Default: all.
    inputs: Option<Vec<Input>>,
}

/// A file elsewhere that names the image.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Update {
    /// The repository that holds the file: `owner/repository` on the provider's host, or a URL.
    repo: AnyText,
    /// The branch that is changed, or that a pull request is for.
    #[schemars(extend("default" = "main"))]
    branch: Option<BranchText>,
    /// The file, or for `kustomize-set-image` the folder of the kustomization.
    path: PathText,
    /// How the file names the image. `helm-update-image` is read as `yaml-update`.
    r#type: UpdateType,
    /// For `yaml-update`: the key of the tag, with dots between its parts.
    #[schemars(extend("default" = "image.tag"))]
    key: Option<KeyText>,
    /// Whether the change is proposed as a pull request instead of pushed.
    #[schemars(extend("default" = false))]
    pull_request: Option<bool>,
}

/// Files in the state repository that belong to an image.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Local {
    /// The folder that holds them.
    dir: Option<PathText>,
    /// A Dockerfile that is used instead of the source's.
    dockerfile: Option<PathText>,
    /// Patches applied to the source before the build; names without a folder are in `dir`.
    patch_files: Option<Vec<PathText>>,
    /// The file with the version for tags.
    version_file: Option<PathText>,
}

/// What signatures an image must bear: one by a key, or one by an identity.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Verify {
    /// The file of a public key in the state repository.
    key: Option<PathText>,
    /// The identity in the signer's certificate.
    identity: Option<AnyText>,
    /// The issuer that vouches for the identity, a URL.
    issuer: Option<UrlText>,
}

/// An older spelling of the keys of an image.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Older {
    /// As in the entry.
    registry: Option<RegistryText>,
    /// As in the entry.
    repository: Option<RepositoryText>,
    /// As in the entry.
    source: Option<Source>,
    /// As in the entry.
    rebuild_delay: Option<DurationText>,
    /// As in the entry.
    auto_rebuild: Option<bool>,
    /// As in the entry.
    updates: Option<Vec<Update>>,
}

/// What holds for all images.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    /// The Kargo Project, which is also its namespace.
    #[schemars(extend("default" = "image-factory-kargo"))]
    project: Option<NameText>,
    /// The repository that holds images.yaml and state/.
    git: Option<Git>,
    /// How often Kargo looks for changes.
    intervals: Option<Intervals>,
    /// Changes of several base images within this time make one rebuild.
    #[schemars(extend("default" = "30m"))]
    window: Option<DurationText>,
    /// The longest a rebuild waits after the first change, however often a tag moves. Default: the image's own `rebuildDelay`.
    max_delay: Option<DurationText>,
    /// How many rebuilds are triggered; what is over waits.
    limits: Option<Limits>,
    /// Times in which nothing is triggered, emergencies excepted.
    freeze: Option<Vec<Freeze>>,
    /// What findings in base images mean.
    cve: Option<Cve>,
    /// The hosts of sources.
    providers: Option<Providers>,
    /// How single registries are reached, by host with an optional port; docs/registries.md says more.
    registries: Option<BTreeMap<String, RegistryHost>>,
    /// The names of Secrets in the project's namespace; docs/secrets.md says what they hold.
    secrets: Option<Secrets>,
    /// The Jobs that Kargo and Kubernetes start.
    jobs: Option<Jobs>,
    /// Receivers by which registries and git hosts tell Kargo of changes.
    webhooks: Option<Vec<Webhook>>,
    /// Who is told of what happens.
    notifications: Option<Vec<Notification>>,
}

/// The repository that holds images.yaml and state/.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Git {
    /// Its address, `https://…`. Whatever renders manifests needs it.
    repo: Option<UrlText>,
    /// The branch that is read and written.
    #[schemars(extend("default" = "main"))]
    branch: Option<BranchText>,
    /// The folder that holds images.yaml and state/.
    #[schemars(extend("default" = "."))]
    path: Option<PathText>,
}

/// How often Kargo looks for changes. Kargo itself looks no more often than every 5 minutes.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Intervals {
    /// For base images.
    #[schemars(extend("default" = "24h"))]
    base: Option<DurationText>,
    /// For external images.
    #[schemars(extend("default" = "24h"))]
    external: Option<DurationText>,
    /// For managed images.
    #[schemars(extend("default" = "5m"))]
    managed: Option<DurationText>,
}

/// How many rebuilds are triggered.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Limits {
    /// Running at the same time.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 4))]
    concurrent: Option<u32>,
    /// In one run of the planner.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 20))]
    per_run: Option<u32>,
    /// In 24 hours.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 100))]
    per_day: Option<u32>,
}

/// What findings in base images mean.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Cve {
    /// From this severity on a finding in what an image was built from, which the newer base image has not, makes an emergency.
    #[schemars(extend("default" = "critical"))]
    severity: Option<Severity>,
}

/// A time in which nothing is triggered.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Freeze {
    /// Its beginning, in RFC 3339.
    from: TimeText,
    /// Its end, in RFC 3339.
    to: TimeText,
    /// Why, for those who wait.
    reason: AnyText,
}

/// The hosts of sources.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Providers {
    /// GitHub; the API is `https://api.github.com` and the token in `GITHUB_TOKEN` unless said otherwise.
    github: Option<Host>,
    /// GitLab; the API is `https://gitlab.com/api/v4` and the token in `GITLAB_TOKEN` unless said otherwise.
    gitlab: Option<GitLabHost>,
}

/// GitHub, or GitHub Enterprise.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Host {
    /// The address of its API; that of its repositories follows from it.
    api: Option<UrlText>,
    /// The environment variable that holds the token.
    token_env: Option<VariableText>,
}

/// GitLab.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct GitLabHost {
    /// The address of its API; that of its repositories follows from it.
    api: Option<UrlText>,
    /// The environment variable that holds the access token.
    token_env: Option<VariableText>,
    /// The environment variable that holds a pipeline trigger token, if pipelines are started by one.
    #[schemars(extend("default" = "GITLAB_TRIGGER_TOKEN"))]
    trigger_token_env: Option<VariableText>,
}

/// How one registry is reached.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct RegistryHost {
    /// `true`: by plain http. Default: `false`, but on this machine (`localhost`, `127.0.0.1`).
    insecure: Option<bool>,
    /// The file, from the folder of images.yaml, with the certificates (PEM) of authorities that vouch for it, beside the system's.
    ca: Option<PathText>,
}

/// The names of Secrets in the project's namespace.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Secrets {
    /// To clone and push by git.
    #[schemars(extend("default" = "image-factory-git"))]
    git: Option<ObjectNameText>,
    /// To start workflows on GitHub.
    #[schemars(extend("default" = "image-factory-github"))]
    github: Option<ObjectNameText>,
    /// To start pipelines on GitLab.
    #[schemars(extend("default" = "image-factory-gitlab"))]
    gitlab: Option<ObjectNameText>,
    /// To pull images.
    #[schemars(extend("default" = "image-factory-registry"))]
    registry: Option<ObjectNameText>,
}

/// The Jobs that Kargo and Kubernetes start.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Jobs {
    /// The image that they run, pinned by a tag other than `latest` or by a digest. Default: the product's own, at this version.
    image: Option<AnyText>,
}

/// A receiver of Kargo's for events.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Webhook {
    /// Its name. Default: that of its type.
    name: Option<ObjectNameText>,
    /// Who sends; GHCR is `github`, and what is not here `generic`.
    r#type: WebhookKind,
    /// The Secret that Kargo checks events by; docs/webhooks.md says what it holds.
    secret: ObjectNameText,
    /// For `generic`: where in a request the image's repository is, by keys. Default: `request.body.repository`.
    repository: Option<AnyText>,
}

/// Somebody who is told of what happens.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Notification {
    /// By which way.
    r#type: NotificationKind,
    /// The Secret that holds the address and what it takes to use it.
    secret: ObjectNameText,
}

/// The schema of images.yaml in both its forms.
fn schema() -> Value {
    let mut generator = SchemaSettings::draft07().into_generator();
    let list = generator.subschema_for::<Vec<Image>>();
    let file = generator.subschema_for::<File>();
    let definitions = generator.take_definitions(true);
    serde_json::json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Generated from src/model/schema.rs; `UPDATE_GOLDEN=1 cargo test` rewrites it.",
        "title": "images.yaml",
        "description": "The images that are kept fresh: a list of them, or a map with `settings` and `images`.",
        "anyOf": [list, file, {"type": "null"}],
        "definitions": definitions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{enroll_image as image, enroll_settings as settings, enrollment};
    use std::collections::BTreeSet;

    const ROOT: &str = env!("CARGO_MANIFEST_DIR");

    #[allow(
        clippy::disallowed_methods,
        reason = "golden files are read and rewritten here"
    )]
    fn golden(path: &str, expected: &str) {
        let path = format!("{ROOT}/{path}");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, expected).expect("the golden file is written");
        }
        let found = std::fs::read_to_string(&path).expect("the golden file is there");
        assert!(
            found == expected,
            "{path} is old: run the tests with UPDATE_GOLDEN=1"
        );
    }

    #[test]
    fn the_committed_schema_is_current() {
        let text = serde_json::to_string_pretty(&schema()).expect("JSON");
        golden("images.schema.json", &format!("{text}\n"));
    }

    /// Names of the structs and the keys that the decoder knows there.
    const KEYS: &[(&str, &[&str])] = &[
        ("File", enrollment::TOP),
        ("Image", image::IMAGE),
        ("Older", image::OLDER),
        ("Source", crate::model::enroll_source::SOURCE_KEYS),
        ("Update", image::UPDATE),
        ("Local", image::LOCAL),
        ("Verify", image::VERIFY),
        ("Settings", settings::SETTINGS),
        ("Git", settings::GIT),
        ("Intervals", settings::INTERVALS),
        ("Limits", settings::LIMITS),
        ("Freeze", settings::FREEZE),
        ("Cve", settings::CVE),
        ("Providers", settings::PROVIDERS),
        ("Host", settings::GITHUB),
        ("GitLabHost", settings::GITLAB),
        ("RegistryHost", settings::REGISTRY),
        ("Secrets", settings::SECRETS),
        ("Jobs", settings::JOBS),
        ("Webhook", settings::WEBHOOK),
        ("Notification", settings::NOTIFICATION),
    ];

    #[test]
    fn schema_and_decoder_know_the_same_keys() {
        let schema = schema();
        let definitions = schema["definitions"].as_object().expect("definitions");
        let mut names: BTreeSet<&str> = definitions.keys().map(String::as_str).collect();
        for (name, keys) in KEYS {
            assert!(names.remove(name), "no definition {name}");
            let definition = &definitions[*name];
            assert_eq!(
                definition["additionalProperties"],
                Value::Bool(false),
                "{name}"
            );
            let properties = definition["properties"].as_object().expect("properties");
            let found: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
            let known: BTreeSet<&str> = keys.iter().copied().collect();
            assert_eq!(found, known, "{name}");
            for (key, property) in properties {
                assert!(
                    property["description"].is_string(),
                    "{name}.{key} has no text"
                );
            }
        }
        assert!(names.is_empty(), "the decoder has no keys for {names:?}");
    }

    const MARK: &str = "<!-- Below: generated from src/model/schema.rs; `UPDATE_GOLDEN=1 cargo test` rewrites it. -->\n";

    #[test]
    fn the_reference_lists_every_key() {
        let guide = include_str!("../../docs/images-yaml.md");
        let (written, _) = guide.split_once(MARK).expect("the mark");
        let schema = schema();
        let mut text = format!("{written}{MARK}");
        for (name, heading) in [
            ("Image", "An image"),
            ("Source", "`source`"),
            ("Update", "An item of `updates`"),
            ("Local", "`local`"),
            ("Verify", "`verify`"),
            ("Settings", "`settings`"),
            ("Git", "`settings.git`"),
            ("Intervals", "`settings.intervals`"),
            ("Limits", "`settings.limits`"),
            ("Freeze", "An item of `settings.freeze`"),
            ("Cve", "`settings.cve`"),
            ("Providers", "`settings.providers`"),
            ("Host", "`settings.providers.github`"),
            ("GitLabHost", "`settings.providers.gitlab`"),
            ("RegistryHost", "A value of `settings.registries`"),
            ("Secrets", "`settings.secrets`"),
            ("Jobs", "`settings.jobs`"),
            ("Webhook", "An item of `settings.webhooks`"),
            ("Notification", "An item of `settings.notifications`"),
        ] {
            text.push_str(&table(heading, &schema["definitions"][name]));
        }
        golden("docs/images-yaml.md", &text);
    }

    fn table(heading: &str, definition: &Value) -> String {
        let mut text = format!(
            "\n### {heading}\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
        );
        let required = |key: &str| {
            definition["required"]
                .as_array()
                .is_some_and(|all| all.iter().any(|k| k == key))
        };
        for (key, property) in definition["properties"].as_object().expect("properties") {
            let default = match &property["default"] {
                Value::Null if required(key) => "needed".to_owned(),
                Value::Null => String::new(),
                Value::String(default) => format!("`{default}`"),
                other => format!("`{other}`"),
            };
            let meaning = property["description"].as_str().expect("a text");
            text.push_str(&format!(
                "| `{key}` | {} | {default} | {meaning} |\n",
                value(property)
            ));
        }
        text
    }

    /// What kind of value a key takes, in a word or two.
    fn value(property: &Value) -> String {
        let words = property["enum"]
            .as_array()
            .or_else(|| property["items"]["enum"].as_array());
        if let Some(words) = words {
            let words: Vec<String> = words
                .iter()
                .filter_map(Value::as_str)
                .map(|word| format!("`{word}`"))
                .collect();
            let list = if property["items"].is_object() {
                "list of "
            } else {
                ""
            };
            return format!("{list}{}", words.join(", "));
        }
        let types = match &property["type"] {
            Value::String(one) => one.clone(),
            Value::Array(all) => all
                .iter()
                .filter_map(Value::as_str)
                .find(|&one| one != "null")
                .unwrap_or("")
                .to_owned(),
            _ => "object".to_owned(),
        };
        match types.as_str() {
            "array" if property["items"]["type"] == "string" => "list of texts",
            "array" => "list of maps",
            "object" if property["additionalProperties"]["$ref"].is_string() => "map of maps",
            "object" if property["additionalProperties"].is_object() => "map of texts",
            "object" => "map",
            "boolean" => "`true`, `false`",
            "integer" => "number",
            _ => match property["pattern"].as_str() {
                Some("^[0-9]+[dhm]$") => "duration",
                Some(r"^[^/\\-]") => "path",
                Some("^https?://") => "URL",
                Some(pattern) if pattern.starts_with(r"^\d{4}") => "time",
                _ => "text",
            },
        }
        .to_owned()
    }

    #[test]
    fn every_example_of_the_reference_is_right() {
        let guide = include_str!("../../docs/images-yaml.md");
        let examples: Vec<&str> = guide
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split_once("```").map(|(example, _)| example))
            .collect();
        assert!(examples.len() >= 5, "the reference has examples");
        for example in examples {
            let files = crate::model::InputFiles {
                enrollment: vec![crate::model::InputFile {
                    path: "images.yaml".into(),
                    text: example.to_owned(),
                }],
                ..crate::model::InputFiles::default()
            };
            let (model, diagnostics) = crate::model::load(&files);
            let wrong: Vec<_> = diagnostics
                .iter()
                .filter(|d| d.code != crate::diagnostics::code::NEVER_DISCOVERED)
                .collect();
            assert!(wrong.is_empty(), "{example}\n{wrong:#?}");
            assert!(
                model.is_some_and(|model| !model.images.is_empty()),
                "{example}"
            );
        }
    }
}
