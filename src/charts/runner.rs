//! The pod that every Job of ours is: one clone of the factory's repository,
//! then one command of our program in it.
//!
//! The pods fit the restricted Pod Security profile, need no right on the
//! Kubernetes API, and see the Secrets only where a command uses them. The git
//! credentials reach git through a credential helper for that one host: they
//! stand in no URL, argument, config file or log.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{
    JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, EmptyDirVolumeSource, EnvVar, EnvVarSource, KeyToPath,
    PodSecurityContext, PodSpec, PodTemplateSpec, ResourceRequirements, SeccompProfile,
    SecretKeySelector, SecretVolumeSource, SecurityContext, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::model::{GitUrl, Model, Provider, Settings};
use crate::names;

/// Where the factory's repository is cloned to.
pub(super) const CHECKOUT: &str = "/workspace/repo";

/// Answers git's question for a user name and password from the environment.
/// It is a constant: nothing a user wrote is ever part of it.
const CREDENTIAL_HELPER: &str =
    r#"!f() { printf 'username=%s\npassword=%s\n' "$GIT_USERNAME" "$GIT_PASSWORD"; }; f"#;

/// After this long a Job is ended: a hanging pod must not hold a Stage for ever.
const DEADLINE_SECONDS: i64 = 1800;

/// The container that runs the program.
const PROGRAM: &str = "image-factory";

/// User and group of the product's image.
const USER: i64 = 1000;

/// Makes the Jobs of one factory.
pub(super) struct Runner<'a> {
    settings: &'a Settings,
    repo: &'a GitUrl,
    image: String,
    /// What reads a provider's repositories.
    tokens: Vec<EnvVar>,
    /// What else may start a provider's builds.
    triggers: Vec<EnvVar>,
}

/// What a command is for: no Job holds a credential that it does not use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// To learn something, and to record it.
    Record,
    /// To have images built.
    Trigger,
}

/// The keys of a provider's Secret that open its repositories, and the variables that
/// the program reads them from.
fn token_keys(settings: &Settings, provider: Provider) -> Vec<(&str, &'static str)> {
    let token = settings.providers.get(provider).token_env.as_str();
    match provider {
        Provider::GitHub => vec![
            (token, "token"),
            ("GITHUB_APP_ID", "appId"),
            ("GITHUB_APP_INSTALLATION_ID", "installationId"),
            ("GITHUB_APP_PRIVATE_KEY", "privateKey"),
        ],
        Provider::GitLab => vec![(token, "token")],
    }
}

/// Those that start builds and can do nothing else.
fn trigger_keys(settings: &Settings, provider: Provider) -> Vec<(&str, &'static str)> {
    match provider {
        Provider::GitHub => Vec::new(),
        Provider::GitLab => {
            let variable = settings.providers.trigger_token_env.as_str();
            vec![(variable, "triggerToken")]
        }
    }
}

impl<'a> Runner<'a> {
    /// A runner whose Jobs clone `repo` and get the tokens of the providers that
    /// `model` uses.
    pub(super) fn new(model: &'a Model, repo: &'a GitUrl) -> Runner<'a> {
        let settings = &model.settings;
        let secrets = &settings.secrets;
        let providers: Vec<_> = [
            (Provider::GitHub, secrets.github.as_str()),
            (Provider::GitLab, secrets.gitlab.as_str()),
        ]
        .into_iter()
        .filter(|(provider, _)| model.managed().any(|(_, s)| s.provider == *provider))
        .collect();
        let keys = |keys: fn(&'a Settings, Provider) -> Vec<(&'a str, &'static str)>| {
            let all = providers.iter().flat_map(|&(provider, secret)| {
                let keys = keys(settings, provider).into_iter();
                keys.map(move |(env, key)| secret_env(env, secret, key, true))
            });
            all.collect::<Vec<EnvVar>>()
        };
        let (tokens, triggers) = (keys(token_keys), keys(trigger_keys));
        let image = match &settings.jobs_image {
            Some(reference) => reference.to_string(),
            None => names::JOBS_IMAGE.to_owned(),
        };
        Runner {
            settings,
            repo,
            image,
            tokens,
            triggers,
        }
    }

    /// The folder of the factory (images.yaml, state/) inside the clone.
    pub(super) fn root(&self) -> String {
        let path = &self.settings.git.path;
        if path.is_top() {
            CHECKOUT.to_owned()
        } else {
            format!("{CHECKOUT}/{path}")
        }
    }

    /// A Job that runs `image-factory ARGUMENTS` in a fresh clone.
    pub(super) fn job(&self, purpose: Purpose, arguments: Vec<String>) -> JobSpec {
        JobSpec {
            active_deadline_seconds: Some(DEADLINE_SECONDS),
            backoff_limit: Some(1),
            pod_failure_policy: Some(failures(purpose)),
            template: PodTemplateSpec {
                metadata: None,
                spec: Some(self.pod(purpose, arguments)),
            },
            ..JobSpec::default()
        }
    }

    fn pod(&self, purpose: Purpose, arguments: Vec<String>) -> PodSpec {
        PodSpec {
            automount_service_account_token: Some(false),
            containers: vec![self.program(purpose, arguments)],
            init_containers: Some(vec![self.clone_repository()]),
            restart_policy: Some("Never".to_owned()),
            security_context: Some(PodSecurityContext {
                fs_group: Some(USER),
                run_as_group: Some(USER),
                run_as_non_root: Some(true),
                run_as_user: Some(USER),
                seccomp_profile: Some(SeccompProfile {
                    type_: "RuntimeDefault".to_owned(),
                    localhost_profile: None,
                }),
                ..PodSecurityContext::default()
            }),
            service_account_name: Some(names::SERVICE_ACCOUNT.to_owned()),
            volumes: Some(self.volumes()),
            ..PodSpec::default()
        }
    }

    fn clone_repository(&self) -> Container {
        let git = &self.settings.git;
        let words = [
            "clone",
            "--depth=1",
            "--no-tags",
            "--single-branch",
            "--branch",
        ];
        let mut args: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        args.extend([git.branch.to_string(), "--".to_owned()]);
        args.extend([self.repo.to_string(), CHECKOUT.to_owned()]);
        Container {
            name: "clone".to_owned(),
            command: Some(vec!["git".to_owned()]),
            args: Some(args),
            env: Some(self.git_environment()),
            volume_mounts: Some(mounts(false)),
            ..self.container()
        }
    }

    fn program(&self, purpose: Purpose, arguments: Vec<String>) -> Container {
        let mut env = self.git_environment();
        env.push(plain_env(
            "DOCKER_CONFIG",
            "/var/run/secrets/image-factory/registry",
        ));
        env.extend(self.tokens.iter().cloned());
        if purpose == Purpose::Trigger {
            env.extend(self.triggers.iter().cloned());
        }
        Container {
            name: PROGRAM.to_owned(),
            command: Some(vec!["image-factory".to_owned()]),
            args: Some(arguments),
            env: Some(env),
            volume_mounts: Some(mounts(true)),
            working_dir: Some(self.root()),
            ..self.container()
        }
    }

    /// What all our containers have in common.
    fn container(&self) -> Container {
        Container {
            image: Some(self.image.clone()),
            resources: Some(ResourceRequirements {
                limits: Some(quantities(&[("cpu", "1"), ("memory", "512Mi")])),
                requests: Some(quantities(&[("cpu", "100m"), ("memory", "128Mi")])),
                claims: None,
            }),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                capabilities: Some(Capabilities {
                    add: None,
                    drop: Some(vec!["ALL".to_owned()]),
                }),
                read_only_root_filesystem: Some(true),
                ..SecurityContext::default()
            }),
            ..Container::default()
        }
    }

    fn git_environment(&self) -> Vec<EnvVar> {
        let secret = self.settings.secrets.git.as_str();
        let scope = format!("credential.{}.helper", origin(self.repo.as_str()));
        vec![
            plain_env("HOME", "/workspace"),
            plain_env("GIT_TERMINAL_PROMPT", "0"),
            plain_env("GIT_CONFIG_COUNT", "1"),
            plain_env("GIT_CONFIG_KEY_0", &scope),
            plain_env("GIT_CONFIG_VALUE_0", CREDENTIAL_HELPER),
            secret_env("GIT_USERNAME", secret, "username", false),
            secret_env("GIT_PASSWORD", secret, "password", false),
        ]
    }

    fn volumes(&self) -> Vec<Volume> {
        let scratch = |name: &str, limit: &str| Volume {
            name: name.to_owned(),
            empty_dir: Some(EmptyDirVolumeSource {
                medium: None,
                size_limit: Some(Quantity(limit.to_owned())),
            }),
            ..Volume::default()
        };
        let registry = Volume {
            name: "registry".to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(self.settings.secrets.registry.to_string()),
                items: Some(vec![KeyToPath {
                    key: ".dockerconfigjson".to_owned(),
                    path: "config.json".to_owned(),
                    mode: None,
                }]),
                optional: Some(true),
                default_mode: None,
            }),
            ..Volume::default()
        };
        vec![
            scratch("workspace", "2Gi"),
            scratch("tmp", "256Mi"),
            registry,
        ]
    }
}

/// Which ends of a pod are tried again. A node that is drained says nothing of the
/// command. A trigger's exit code 1 is an answer, recorded as such: a second pod
/// would only find that the next try is later, end well, and hide it.
fn failures(purpose: Purpose) -> PodFailurePolicy {
    let evicted = PodFailurePolicyRule {
        action: "Ignore".to_owned(),
        on_exit_codes: None,
        on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
            status: "True".to_owned(),
            type_: "DisruptionTarget".to_owned(),
        }]),
    };
    let answered = PodFailurePolicyRule {
        action: "FailJob".to_owned(),
        on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
            container_name: Some(PROGRAM.to_owned()),
            operator: "In".to_owned(),
            values: vec![1],
        }),
        on_pod_conditions: None,
    };
    let mut rules = vec![evicted];
    if purpose == Purpose::Trigger {
        rules.push(answered);
    }
    PodFailurePolicy { rules }
}

/// Scheme and host of an address: what git's credentials are bound to.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(host..).unwrap_or_default();
    let end = rest.find('/').map_or(url.len(), |at| host + at);
    url.get(..end).unwrap_or(url)
}

fn mounts(registry: bool) -> Vec<VolumeMount> {
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    };
    let mut mounts = vec![mount("workspace", "/workspace"), mount("tmp", "/tmp")];
    if registry {
        mounts.push(VolumeMount {
            read_only: Some(true),
            ..mount("registry", "/var/run/secrets/image-factory/registry")
        });
    }
    mounts
}

fn quantities(pairs: &[(&str, &str)]) -> BTreeMap<String, Quantity> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), Quantity((*v).to_owned())))
        .collect()
}

fn plain_env(name: &str, value: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        value_from: None,
    }
}

fn secret_env(name: &str, secret: &str, key: &str, optional: bool) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: secret.to_owned(),
                key: key.to_owned(),
                optional: optional.then_some(true),
            }),
            ..EnvVarSource::default()
        }),
    }
}
