//! Credentials as Docker and Podman keep them: `config.json` and `auth.json`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::error::{Kind, RegistryError, excerpt};
use super::helper;

/// What opens a registry. Shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Secret {
    /// A user and a password, or a token in its place.
    Password { user: String, password: String },
    /// A token that gets other tokens.
    Identity(String),
    /// A token as it is sent.
    Bearer(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What there is for one registry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    /// `None`: it is asked anonymously.
    pub(super) secret: Option<Secret>,
    /// Where it comes from, or where it was looked for, as in a message.
    pub(super) source: String,
}

/// One file of credentials.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Option<Entry>>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// What a file says about one image.
#[derive(PartialEq, Eq, Debug)]
enum Said {
    Nothing,
    Secret(Secret),
    /// A program has it, under this name.
    Helper {
        program: String,
        server: String,
    },
}

/// A file that was looked for.
struct File {
    path: PathBuf,
    /// `Ok(None)`: there is none.
    config: Result<Option<Config>, String>,
}

/// The credentials of whoever runs us.
#[derive(Default)]
pub struct Credentials {
    files: Vec<File>,
    /// What helpers run with: those of clouds find their own credentials by it.
    environment: Environment,
    /// What helpers said: they are asked once a registry.
    told: Mutex<BTreeMap<(String, String), Answered>>,
}

/// Variables and their values.
pub(super) type Environment = Vec<(OsString, OsString)>;

type Answered = Arc<Mutex<Option<Result<Option<Secret>, RegistryError>>>>;

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.files.iter().map(|file| &file.path);
        f.debug_list().entries(paths).finish()
    }
}

impl Credentials {
    /// None at all.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Reads the files that Docker and Podman would, by these variables.
    #[must_use]
    pub fn from_files(
        variable: impl Fn(&str) -> Option<PathBuf>,
        read: impl Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Self {
        let file = |path: PathBuf| {
            let config = match read(&path) {
                Ok(bytes) => serde_json::from_slice(&bytes)
                    .map(Some)
                    // The message of the reader may quote what it read.
                    .map_err(|error| format!("no JSON of credentials, in line {}", error.line())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error.to_string()),
            };
            File { path, config }
        };
        Self {
            files: paths(variable).into_iter().map(file).collect(),
            environment: Vec::new(),
            told: Mutex::default(),
        }
    }

    /// The same, whose helpers run with these variables, `PATH` among them.
    #[must_use]
    pub fn with_environment(
        mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        self.environment = variables.into_iter().collect();
        self
    }

    /// What there is for an image, by registry and path.
    pub(super) fn of(&self, registry: &str, path: &str) -> Result<Found, RegistryError> {
        for file in &self.files {
            let shown = file.path.display();
            let config = match &file.config {
                Ok(Some(config)) => config,
                Ok(None) => continue,
                Err(why) => {
                    return Err(RegistryError::new(
                        Kind::Credentials,
                        format!("the credentials in {shown} cannot be read: {why}"),
                    )
                    .help("mend the file, or name another folder in DOCKER_CONFIG"));
                }
            };
            let said = config.of(registry, path).map_err(|(key, why)| {
                RegistryError::new(
                    Kind::Credentials,
                    format!("the entry `{}` of {shown} {why}", excerpt(&key)),
                )
                .help(format!("write it anew: docker login {registry}"))
            })?;
            match said {
                Said::Nothing => {}
                Said::Secret(secret) => {
                    return Ok(Found {
                        secret: Some(secret),
                        source: shown.to_string(),
                    });
                }
                Said::Helper { program, server } => {
                    if let Some(secret) = self.ask(&program, &server)? {
                        return Ok(Found {
                            secret: Some(secret),
                            source: format!("docker-credential-{program}, which {shown} names"),
                        });
                    }
                }
            }
        }
        let looked: Vec<_> = self
            .files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        Ok(Found {
            secret: None,
            source: looked.join(", "),
        })
    }

    /// Asks a helper, once: two threads that want the same wait for one answer.
    fn ask(&self, program: &str, server: &str) -> Result<Option<Secret>, RegistryError> {
        let key = (program.to_owned(), server.to_owned());
        let cell = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(told.entry(key).or_default())
        };
        let mut cell = cell.lock().unwrap_or_else(PoisonError::into_inner);
        cell.get_or_insert_with(|| helper::get(program, server, &self.environment))
            .clone()
    }
}

/// The files in the order of their weight: what is named comes before what is usual.
fn paths(variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|path| !path.as_os_str().is_empty());
    if let Some(file) = set("REGISTRY_AUTH_FILE") {
        return vec![file];
    }
    if let Some(folder) = set("DOCKER_CONFIG") {
        return vec![folder.join("config.json")];
    }
    let home = set("HOME");
    let below = |folder: &Option<PathBuf>, rest: &str| folder.as_ref().map(|path| path.join(rest));
    let configuration = set("XDG_CONFIG_HOME").or_else(|| below(&home, ".config"));
    [
        below(&set("XDG_RUNTIME_DIR"), "containers/auth.json"),
        below(&configuration, "containers/auth.json"),
        below(&home, ".docker/config.json"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Config {
    /// Helpers of this registry, then entries, the longest path first, then the
    /// helper of all.
    fn of(&self, registry: &str, path: &str) -> Result<Said, (String, &'static str)> {
        let server = server_of(registry);
        let helper = |program: &String| Said::Helper {
            program: program.clone(),
            server: server.to_owned(),
        };
        let own = self.cred_helpers.iter().find(|(key, program)| {
            !program.is_empty() && matches!(host_and_path(key), (host, "") if host == registry)
        });
        if let Some((_, program)) = own {
            return Ok(helper(program));
        }
        let mut best: Option<(usize, &String, &Entry)> = None;
        for (key, entry) in &self.auths {
            let Some(entry) = entry else { continue };
            let (host, below) = host_and_path(key);
            let fits = host == registry
                && (below.is_empty()
                    || path
                        .strip_prefix(below)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
            if fits && !entry.is_empty() && best.is_none_or(|(length, ..)| below.len() >= length) {
                best = Some((below.len(), key, entry));
            }
        }
        if let Some((_, key, entry)) = best {
            let secret = entry.secret().map_err(|why| (key.clone(), why))?;
            return Ok(Said::Secret(secret));
        }
        Ok(match &self.creds_store {
            Some(program) if !program.is_empty() => helper(program),
            _ => Said::Nothing,
        })
    }
}

impl Entry {
    /// Docker leaves an empty entry where a helper has the secret.
    fn is_empty(&self) -> bool {
        [
            &self.auth,
            &self.username,
            &self.identitytoken,
            &self.registrytoken,
        ]
        .iter()
        .all(|text| text.as_deref().is_none_or(str::is_empty))
    }

    fn secret(&self) -> Result<Secret, &'static str> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let secret = if let Some(token) = given(&self.registrytoken) {
            Secret::Bearer(token)
        } else if let Some(token) = given(&self.identitytoken) {
            Secret::Identity(token)
        } else if let Some(auth) = given(&self.auth) {
            let (user, password) = decode(&auth)?;
            Secret::of(user, password)
        } else {
            let password = given(&self.password).ok_or("has a user and no password")?;
            Secret::of(self.username.clone().unwrap_or_default(), password)
        };
        if secret.can_be_sent() {
            Ok(secret)
        } else {
            Err("has characters that no credentials have")
        }
    }
}

impl Secret {
    /// A user `<token>` says that the password is a token that gets tokens.
    pub(super) fn of(user: String, password: String) -> Self {
        if user == "<token>" {
            Self::Identity(password)
        } else {
            Self::Password { user, password }
        }
    }

    pub(super) fn can_be_sent(&self) -> bool {
        let token = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
        match self {
            Self::Password { user, password } => {
                let fits = |text: &str| !text.chars().any(char::is_control);
                !user.contains(':') && fits(user) && fits(password)
            }
            Self::Identity(text) | Self::Bearer(text) => token(text),
        }
    }

    /// The value of `Authorization`, if the secret can be sent as it is.
    pub(super) fn header(&self) -> Option<String> {
        match self {
            Self::Password { user, password } => {
                let pair = format!("{user}:{password}");
                Some(format!("Basic {}", BASE64.encode(pair)))
            }
            Self::Bearer(token) => Some(format!("Bearer {token}")),
            Self::Identity(_) => None,
        }
    }
}

/// With or without padding, as found in the wild.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn decode(auth: &str) -> Result<(String, String), &'static str> {
    let bytes = BASE64
        .decode(auth.trim())
        .map_err(|_| "has an `auth` that is no base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "has an `auth` that holds no text")?;
    let (user, password) = text
        .split_once(':')
        .ok_or("has an `auth` that is no USER:PASSWORD")?;
    // Docker pads with zero bytes.
    let password = password.trim_end_matches('\0');
    Ok((user.to_owned(), password.to_owned()))
}

/// What a key of `auths` means: a registry, and a path below it for Podman.
/// Docker writes addresses such as `https://index.docker.io/v1/`.
fn host_and_path(key: &str) -> (&str, &str) {
    let bare = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"));
    let (host, path) = match (bare, bare.unwrap_or(key).split_once('/')) {
        (_, None) => (bare.unwrap_or(key), ""),
        (Some(_), Some((host, _))) => (host, ""),
        (None, Some((host, path))) => match path.trim_end_matches('/') {
            "v1" | "v2" => (host, ""),
            path => (host, path),
        },
    };
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => "docker.io",
        other => other,
    };
    (host, path)
}

/// The name that helpers know a registry by.
fn server_of(registry: &str) -> &str {
    match registry {
        "docker.io" => "https://index.docker.io/v1/",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str, registry: &str, path: &str) -> Result<Said, &'static str> {
        let config: Config = serde_json::from_str(json).unwrap();
        config.of(registry, path).map_err(|(_, why)| why)
    }

    fn password(user: &str, password: &str) -> Said {
        Said::Secret(Secret::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }

    fn helper(program: &str, server: &str) -> Said {
        Said::Helper {
            program: program.to_owned(),
            server: server.to_owned(),
        }
    }

    #[test]
    fn every_form_of_docker_and_podman_is_read() {
        // me:secret, other:word
        let (me, other) = ("bWU6c2VjcmV0", "b3RoZXI6d29yZA==");
        let one = |key: &str| format!(r#"{{"auths": {{"{key}": {{"auth": "{me}"}}}}}}"#);
        let is_me = || Ok(password("me", "secret"));
        for (json, registry, path, is) in [
            (one("ghcr.io"), "ghcr.io", "a/b", is_me()),
            (one("ghcr.io"), "quay.io", "a/b", Ok(Said::Nothing)),
            (one("https://ghcr.io"), "ghcr.io", "a/b", is_me()),
            (one("https://ghcr.io/v2/"), "ghcr.io", "a/b", is_me()),
            (one("ghcr.io/v1/"), "ghcr.io", "a/b", is_me()),
            (one("http://localhost:5000"), "localhost:5000", "a", is_me()),
            (one("localhost:5000"), "localhost", "a", Ok(Said::Nothing)),
            (
                one("https://index.docker.io/v1/"),
                "docker.io",
                "library/node",
                is_me(),
            ),
            (one("index.docker.io"), "docker.io", "library/node", is_me()),
            (one("docker.io"), "docker.io", "library/node", is_me()),
            (one("quay.io/team"), "quay.io", "team/app", is_me()),
            (one("quay.io/team"), "quay.io", "team", is_me()),
            (
                one("quay.io/team"),
                "quay.io",
                "teams/app",
                Ok(Said::Nothing),
            ),
            (
                format!(
                    r#"{{"auths": {{"quay.io": {{"auth": "{other}"}}, "quay.io/team/app": {{"auth": "{me}"}}, "quay.io/team": {{"auth": "{other}"}}}}}}"#
                ),
                "quay.io",
                "team/app",
                is_me(),
            ),
            (
                r#"{"auths": {"a.io": {"username": "me", "password": "secret"}}}"#.to_owned(),
                "a.io",
                "x",
                is_me(),
            ),
            (
                format!(r#"{{"auths": {{"a.io": {{"auth": "{me}", "identitytoken": "t"}}}}}}"#),
                "a.io",
                "x",
                Ok(Said::Secret(Secret::Identity("t".to_owned()))),
            ),
            (
                r#"{"auths": {"a.io": {"registrytoken": "t"}}}"#.to_owned(),
                "a.io",
                "x",
                Ok(Said::Secret(Secret::Bearer("t".to_owned()))),
            ),
            (
                r#"{"auths": {"a.io": {}}}"#.to_owned(),
                "a.io",
                "x",
                Ok(Said::Nothing),
            ),
            (
                r#"{"auths": {"a.io": null}}"#.to_owned(),
                "a.io",
                "x",
                Ok(Said::Nothing),
            ),
            ("{}".to_owned(), "a.io", "x", Ok(Said::Nothing)),
            (
                r#"{"auths": {"a.io": {}}, "credsStore": "pass"}"#.to_owned(),
                "a.io",
                "x",
                Ok(helper("pass", "a.io")),
            ),
            (
                r#"{"credsStore": "desktop"}"#.to_owned(),
                "docker.io",
                "library/node",
                Ok(helper("desktop", "https://index.docker.io/v1/")),
            ),
            (
                format!(r#"{{"credsStore": "pass", "auths": {{"a.io": {{"auth": "{me}"}}}}}}"#),
                "a.io",
                "x",
                is_me(),
            ),
            (
                format!(
                    r#"{{"credHelpers": {{"a.io": "ecr-login", "b.io": "gcr"}}, "auths": {{"a.io": {{"auth": "{me}"}}}}}}"#
                ),
                "a.io",
                "x",
                Ok(helper("ecr-login", "a.io")),
            ),
            (
                r#"{"credHelpers": {"a.io": ""}}"#.to_owned(),
                "a.io",
                "x",
                Ok(Said::Nothing),
            ),
            (
                r#"{"auths": {"a.io": {"auth": "%%"}}}"#.to_owned(),
                "a.io",
                "x",
                Err("has an `auth` that is no base64"),
            ),
            (
                r#"{"auths": {"a.io": {"auth": "bWU"}}}"#.to_owned(),
                "a.io",
                "x",
                Err("has an `auth` that is no USER:PASSWORD"),
            ),
            (
                // me:\r\nX: y
                r#"{"auths": {"a.io": {"auth": "bWU6DQpYOiB5"}}}"#.to_owned(),
                "a.io",
                "x",
                Err("has characters that no credentials have"),
            ),
            (
                r#"{"auths": {"a.io": {"identitytoken": "a\nb"}}}"#.to_owned(),
                "a.io",
                "x",
                Err("has characters that no credentials have"),
            ),
            (
                r#"{"auths": {"a.io": {"username": "me"}}}"#.to_owned(),
                "a.io",
                "x",
                Err("has a user and no password"),
            ),
        ] {
            assert_eq!(
                said(&json, registry, path),
                is,
                "{registry}/{path} by {json}"
            );
        }
    }

    #[test]
    fn files_are_looked_for_where_docker_and_podman_do() {
        let find = |set: &[(&str, &str)]| {
            let found = paths(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| PathBuf::from(value))
            });
            found
                .iter()
                .map(|path| path.display().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            find(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "/run/1")]),
            [
                "/run/1/containers/auth.json",
                "/h/.config/containers/auth.json",
                "/h/.docker/config.json"
            ]
        );
        assert_eq!(
            find(&[("HOME", "/h"), ("DOCKER_CONFIG", "/d")]),
            ["/d/config.json"]
        );
        let both = [("DOCKER_CONFIG", "/d"), ("REGISTRY_AUTH_FILE", "/r.json")];
        assert_eq!(find(&both), ["/r.json"]);
        assert_eq!(find(&[("DOCKER_CONFIG", ""), ("HOME", "/h")]).len(), 2);
        assert!(find(&[]).is_empty());
    }

    #[test]
    fn a_broken_file_is_named_and_quoted_nowhere() {
        let read = |_: &Path| Ok(br#"{"auths": {"a.io": {"auth": 123secret}}}"#.to_vec());
        let home = |name: &str| (name == "DOCKER_CONFIG").then(|| PathBuf::from("/d"));
        let error = Credentials::from_files(home, read)
            .of("a.io", "x")
            .unwrap_err();
        assert_eq!(error.kind, Kind::Credentials);
        assert!(error.reason.contains("/d/config.json"), "{error}");
        assert!(!error.reason.contains("secret"), "{error}");

        let read = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
        let error = Credentials::from_files(home, read)
            .of("a.io", "x")
            .unwrap_err();
        assert_eq!(error.kind, Kind::Credentials);

        let read = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        let found = Credentials::from_files(home, read).of("a.io", "x").unwrap();
        assert_eq!(
            (found.secret, found.source.as_str()),
            (None, "/d/config.json")
        );
    }

    #[test]
    fn no_secret_is_shown_by_accident() {
        let secret = Secret::of("me".to_owned(), "hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret");
        assert_eq!(secret.header().as_deref(), Some("Basic bWU6aHVudGVyMg=="));
        let token = Secret::of("<token>".to_owned(), "t".to_owned());
        assert_eq!(
            (token.header(), token),
            (None, Secret::Identity("t".to_owned()))
        );
    }
}
