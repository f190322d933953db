//! How each registry is reached.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::Settings;

use crate::http::Url;
use crate::http::url::{host_of, is_loopback};

/// What is said of a registry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Host {
    /// `Some(true)`: plain http. `Some(false)`: TLS, on this machine too.
    pub insecure: Option<bool>,
    /// Certificates (PEM) of authorities to trust for it, beside the system's.
    pub authorities: Option<Vec<u8>>,
}

/// What `settings.registries` says, with the files that it names in `root`.
pub(super) fn of_settings(
    settings: &Settings,
    root: &Path,
) -> Result<BTreeMap<String, Host>, Diagnostic> {
    let mut hosts = BTreeMap::new();
    for (registry, said) in &settings.registries {
        let authorities = match &said.ca {
            None => None,
            Some(path) => Some(certificates(root, path.as_str()).map_err(|why| {
                Diagnostic::error(
                    code::REGISTRY_TLS,
                    format!("the certificates for `{registry}` in `{path}` cannot be used: {why}"),
                )
                .help("`ca` names a file of certificates (PEM) from the folder of images.yaml on")
                .at(settings.fields.of("registries"))
            })?),
        };
        let host = Host {
            insecure: said.insecure,
            authorities,
        };
        hosts.insert(registry.as_str().to_owned(), host);
    }
    Ok(hosts)
}

/// More than all authorities of the world together.
const LONGEST: u64 = 4 << 20;

fn certificates(root: &Path, path: &str) -> Result<Vec<u8>, String> {
    let said = |error: std::io::Error| error.to_string();
    let root = root.canonicalize().map_err(said)?;
    let file = root.join(path).canonicalize().map_err(said)?;
    if !file.starts_with(&root) {
        return Err("it leads out of the folder of images.yaml".to_owned());
    }
    if !file.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(file).map_err(said)?;
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(said)?;
    if bytes.len() as u64 > LONGEST {
        return Err("it is far too long".to_owned());
    }
    crate::http::check_certificates(&bytes)?;
    Ok(bytes)
}

/// What is said of registries, by host with an optional port.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Hosts(BTreeMap<String, Host>);

impl Hosts {
    pub(super) fn new(hosts: BTreeMap<String, Host>) -> Self {
        Self(hosts)
    }

    /// The address of a path on a registry.
    pub(super) fn url(&self, registry: &str, path: &str) -> Url {
        Url::of(!self.is_plain(registry), server_of(registry), path)
    }

    /// Plain http: where a setting says so, and on this machine unless one says otherwise.
    fn is_plain(&self, registry: &str) -> bool {
        match self.0.get(registry) {
            Some(Host {
                insecure: Some(insecure),
                ..
            }) => *insecure,
            Some(Host {
                authorities: Some(_),
                ..
            }) => false,
            _ => is_loopback(host_of(registry)),
        }
    }

    /// Does a setting say that this server may be asked by plain http?
    pub(super) fn is_insecure(&self, url: &Url) -> bool {
        self.0.iter().any(|(registry, host)| {
            host.insecure == Some(true) && self.url(registry, "/").authority() == url.authority()
        })
    }

    /// The authorities of single servers.
    pub(super) fn authorities(&self) -> BTreeMap<String, Vec<u8>> {
        self.0
            .iter()
            .filter_map(|(registry, host)| {
                let server = self.url(registry, "/").authority().to_owned();
                Some((server, host.authorities.clone()?))
            })
            .collect()
    }
}

/// The server of a registry, which has another name for one of them.
fn server_of(registry: &str) -> &str {
    match registry {
        "docker.io" => "registry-1.docker.io",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_read_from_the_root_only() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("folder")).unwrap();
        let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        std::fs::write(root.join("good.pem"), pem).unwrap();
        std::fs::write(root.join("text.pem"), "hello").unwrap();
        std::fs::write(folder.path().join("outside.pem"), pem).unwrap();
        std::os::unix::fs::symlink("../outside.pem", root.join("link.pem")).unwrap();
        for (path, fine) in [
            ("good.pem", true),
            ("text.pem", false),
            ("link.pem", false),
            ("folder", false),
            ("missing.pem", false),
        ] {
            let settings = {
                let text =
                    format!("settings: {{registries: {{a.io: {{ca: {path}}}}}}}\nimages: []\n");
                let files = image_factory::model::InputFiles {
                    enrollment: vec![image_factory::model::InputFile {
                        path: "images.yaml".into(),
                        text,
                    }],
                    ..Default::default()
                };
                image_factory::model::load(&files).0.unwrap().settings
            };
            match of_settings(&settings, &root) {
                Ok(hosts) => {
                    assert!(fine, "{path}");
                    assert_eq!(hosts["a.io"].authorities.as_deref(), Some(pem.as_bytes()));
                }
                Err(diagnostic) => {
                    assert!(!fine, "{path}: {diagnostic:?}");
                    assert!(diagnostic.place.unwrap().span.is_some());
                }
            }
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_or_by_a_setting() {
        let host = |insecure, pem: Option<&str>| Host {
            insecure,
            authorities: pem.map(|pem| pem.as_bytes().to_vec()),
        };
        let hosts = Hosts::new(BTreeMap::from([
            ("plain.example.com:5000".to_owned(), host(Some(true), None)),
            ("127.0.0.1:5001".to_owned(), host(Some(false), None)),
            ("localhost:5002".to_owned(), host(None, Some("pem"))),
            ("own.example.com".to_owned(), host(None, Some("pem"))),
        ]));
        for (registry, is) in [
            ("docker.io", "https://registry-1.docker.io/v2/"),
            ("ghcr.io", "https://ghcr.io/v2/"),
            ("a.io:443", "https://a.io/v2/"),
            ("a.io:80", "https://a.io:80/v2/"),
            ("localhost:5000", "http://localhost:5000/v2/"),
            ("127.0.0.1:5000", "http://127.0.0.1:5000/v2/"),
            ("127.0.0.1:5001", "https://127.0.0.1:5001/v2/"),
            ("localhost:5002", "https://localhost:5002/v2/"),
            ("own.example.com", "https://own.example.com/v2/"),
            (
                "plain.example.com:5000",
                "http://plain.example.com:5000/v2/",
            ),
            ("plain.example.com", "https://plain.example.com/v2/"),
        ] {
            assert_eq!(hosts.url(registry, "/v2/").to_string(), is);
        }
        let insecure = |text: &str| hosts.is_insecure(&Url::parse(text).unwrap());
        assert!(insecure("http://plain.example.com:5000/x"));
        assert!(!insecure("http://plain.example.com/x"));
        assert!(!insecure("http://own.example.com/x"));
        let with_own: Vec<_> = hosts.authorities().into_keys().collect();
        assert_eq!(with_own, ["localhost:5002", "own.example.com"]);
    }
}
