//! A registry on loopback that keeps images in memory, with every way to let
//! people in, and with every fault that a registry can have.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use image_factory::model::Digest;
use sha2::{Digest as _, Sha256};

use super::http::{Answer, Request, Server};

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// How it lets people in.
#[derive(Clone, Debug, Default)]
pub(crate) enum Door {
    /// Everybody.
    #[default]
    Open,
    /// Who knows `user:password`.
    Basic(String),
    /// Who has a token of `realm`, this server's own `/token` if that is empty, which
    /// it gives to who knows `user:password`, or to everybody if that is empty, or for
    /// a refresh token that is the same text.
    Token { realm: String, user: String },
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Answers with this status and these headers and no more.
    Status(u16, Vec<(&'static str, String)>),
    /// Never answers.
    Hang,
    /// Hangs up in the middle of the answer.
    Cut,
    /// Answers with these bytes, which need be no HTTP.
    Raw(Vec<u8>),
    /// Answers 200 with this body, true headers but for the digest's.
    Body(Vec<u8>),
    /// Answers truly, but names this digest in the header; empty: none.
    Header(String),
    /// Leads to this address.
    Redirect(String),
}

struct Rule {
    method: &'static str,
    part: String,
    fault: Fault,
    left: usize,
}

#[derive(Default)]
struct Inside {
    door: Door,
    /// By `REPOSITORY` and tag.
    tags: BTreeMap<(String, String), Digest>,
    /// Media type and bytes, by digest.
    content: BTreeMap<String, (String, Vec<u8>)>,
    rules: Vec<Rule>,
    tokens: usize,
}

/// A registry.
pub(crate) struct Registry {
    inside: Arc<Mutex<Inside>>,
    server: Server,
}

pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest::of_sha256(&Sha256::digest(bytes).into())
}

impl Registry {
    /// An empty one, open to everybody.
    pub(crate) fn start() -> Self {
        let inside = Arc::new(Mutex::new(Inside::default()));
        let shared = Arc::clone(&inside);
        let server = Server::start(move |request| answer(&shared, request));
        Self { inside, server }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.server.url().trim_start_matches("http://").to_owned()
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn door(&self, door: Door) {
        self.inside.lock().unwrap().door = door;
    }

    /// Keeps bytes; their digest.
    pub(crate) fn keep(&self, media_type: &str, bytes: &[u8]) -> Digest {
        let digest = digest(bytes);
        let value = (media_type.to_owned(), bytes.to_vec());
        let mut inside = self.inside.lock().unwrap();
        inside.content.insert(digest.to_string(), value);
        digest
    }

    pub(crate) fn tag(&self, repository: &str, tag: &str, digest: &Digest) {
        let key = (repository.to_owned(), tag.to_owned());
        let mut inside = self.inside.lock().unwrap();
        inside.tags.insert(key, digest.clone());
    }

    /// An image of one platform with these labels, by no tag yet.
    pub(crate) fn image(&self, architecture: &str, labels: &[(&str, &str)]) -> Digest {
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        let config = serde_json::json!({
            "architecture": architecture, "os": "linux", "created": "2026-01-02T03:04:05Z",
            "config": {"Labels": labels}, "rootfs": {"type": "layers", "diff_ids": []},
        });
        let config = config.to_string();
        let of_config = self.keep(
            "application/vnd.oci.image.config.v1+json",
            config.as_bytes(),
        );
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": of_config.as_str(), "size": 100},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": of_config.as_str(), "size": 900}],
        });
        self.keep(MANIFEST, manifest.to_string().as_bytes())
    }

    /// An image pushed to a tag.
    pub(crate) fn push(&self, repository: &str, tag: &str, note: &str) -> Digest {
        let digest = self.image("amd64", &[("note", note)]);
        self.tag(repository, tag, &digest);
        digest
    }

    /// From now on the next `times` requests of this method (empty: any) whose path
    /// contains `part` go wrong like this. Rules are looked at in the order of their making.
    pub(crate) fn fault(&self, method: &'static str, part: &str, times: usize, fault: Fault) {
        self.inside.lock().unwrap().rules.push(Rule {
            method,
            part: part.to_owned(),
            fault,
            left: times,
        });
    }

    /// No more faults.
    pub(crate) fn heal(&self) {
        self.inside.lock().unwrap().rules.clear();
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// `METHOD PATH` of every request so far, which are then forgotten.
    pub(crate) fn asked(&self) -> Vec<String> {
        let requests = self.server.requests();
        self.server.forget();
        requests
            .iter()
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }
}

fn answer(inside: &Mutex<Inside>, request: &Request) -> Answer {
    let mut inside = inside.lock().unwrap();
    let fault = inside.rules.iter_mut().find(|rule| {
        rule.left > 0
            && (rule.method.is_empty() || rule.method == request.method)
            && request.path.contains(&rule.part)
    });
    let fault = fault.map(|rule| {
        rule.left -= 1;
        rule.fault.clone()
    });
    let answer = match fault {
        None => truth(&mut inside, request),
        Some(Fault::Status(status, headers)) => headers
            .iter()
            .fold(Answer::text(status, ""), |answer, (name, value)| {
                answer.with(name, value)
            }),
        Some(Fault::Hang) => return Answer::Hang(Vec::new()),
        Some(Fault::Raw(bytes)) => return Answer::Raw(bytes),
        Some(Fault::Redirect(to)) => Answer::text(307, "").with("location", &to),
        Some(Fault::Cut) => {
            let mut bytes = truth(&mut inside, request).bytes();
            bytes.truncate(bytes.len() - 20);
            return Answer::Raw(bytes);
        }
        Some(Fault::Body(bytes)) => change(truth(&mut inside, request), |_, body| *body = bytes),
        Some(Fault::Header(digest)) => change(truth(&mut inside, request), |headers, _| {
            headers.retain(|(name, _)| name != "docker-content-digest" && name != "etag");
            if !digest.is_empty() {
                headers.push(("docker-content-digest".to_owned(), digest));
            }
        }),
    };
    match (answer, request.method.as_str()) {
        (
            Answer::Full {
                status,
                headers,
                body,
            },
            "HEAD",
        ) => {
            // The head of the answer alone, with the length that the body would have.
            let bytes = Answer::Full {
                status,
                headers,
                body: body.clone(),
            }
            .bytes();
            Answer::Raw(bytes[..bytes.len() - body.len()].to_vec())
        }
        (answer, _) => answer,
    }
}

fn change(
    mut answer: Answer,
    how: impl FnOnce(&mut Vec<(String, String)>, &mut Vec<u8>),
) -> Answer {
    if let Answer::Full { headers, body, .. } = &mut answer {
        how(headers, body);
    }
    answer
}

fn error(status: u16, code: &str) -> Answer {
    let body = serde_json::json!({"errors": [{"code": code, "message": code.to_lowercase()}]});
    Answer::text(status, &body.to_string())
}

fn truth(inside: &mut Inside, request: &Request) -> Answer {
    if request.path == "/token" {
        return token(inside, request);
    }
    if let Some(refusal) = refusal(inside, request) {
        return refusal;
    }
    let Some(path) = request.path.strip_prefix("/v2/") else {
        return error(404, "NOT_FOUND");
    };
    if let Some((repository, target)) = path.rsplit_once("/manifests/") {
        let known = inside.tags.keys().any(|(name, _)| name == repository);
        let key = (repository.to_owned(), target.to_owned());
        let digest = match inside.tags.get(&key) {
            Some(digest) => digest.to_string(),
            None if !known => return error(404, "NAME_UNKNOWN"),
            None => target.to_owned(),
        };
        let Some((media_type, bytes)) = inside.content.get(&digest) else {
            return error(404, "MANIFEST_UNKNOWN");
        };
        if !request
            .header("accept")
            .unwrap_or_default()
            .contains(media_type.as_str())
        {
            return error(404, "MANIFEST_UNKNOWN");
        }
        let etag = format!("\"{digest}\"");
        if request.header("if-none-match") == Some(&etag) {
            return Answer::text(304, "").with("etag", &etag);
        }
        return full(bytes, media_type, &digest);
    }
    if let Some((_, digest)) = path.rsplit_once("/blobs/") {
        return match inside.content.get(digest) {
            Some((_, bytes)) => full(bytes, "application/octet-stream", digest),
            None => error(404, "BLOB_UNKNOWN"),
        };
    }
    Answer::text(200, "{}")
}

fn full(bytes: &[u8], media_type: &str, digest: &str) -> Answer {
    Answer::Full {
        status: 200,
        headers: vec![
            ("content-type".to_owned(), media_type.to_owned()),
            ("docker-content-digest".to_owned(), digest.to_owned()),
            ("etag".to_owned(), format!("\"{digest}\"")),
        ],
        body: bytes.to_vec(),
    }
}

fn encoded(user: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(user))
}

fn refusal(inside: &Inside, request: &Request) -> Option<Answer> {
    let sent = request.header("authorization");
    let host = request.header("host").unwrap_or_default();
    match &inside.door {
        Door::Open => None,
        Door::Basic(user) => (sent != Some(&encoded(user)))
            .then(|| error(401, "UNAUTHORIZED").with("www-authenticate", "Basic realm=\"stub\"")),
        Door::Token { realm, .. } => {
            let repository = request
                .path
                .trim_start_matches("/v2/")
                .split("/manifests/")
                .next()?
                .split("/blobs/")
                .next()?;
            let good = format!("Bearer token-for-{repository}-");
            if sent.is_some_and(|sent| sent.starts_with(&good)) {
                return None;
            }
            let realm = if realm.is_empty() {
                format!("http://{host}/token")
            } else {
                realm.clone()
            };
            let challenge = format!(
                "Bearer realm=\"{realm}\",service=\"stub\",scope=\"repository:{repository}:pull\""
            );
            Some(error(401, "UNAUTHORIZED").with("www-authenticate", &challenge))
        }
    }
}

fn token(inside: &mut Inside, request: &Request) -> Answer {
    let Door::Token { user, .. } = &inside.door else {
        return error(404, "NOT_FOUND");
    };
    let form = String::from_utf8_lossy(&request.body).into_owned();
    let asked = format!("{}&{form}", request.query);
    let known = user.is_empty()
        || request.header("authorization") == Some(&encoded(user))
        || asked.contains(&format!("refresh_token={user}"));
    if !known {
        return Answer::text(401, r#"{"details":"incorrect username or password"}"#);
    }
    let scope = asked
        .split('&')
        .find_map(|pair| pair.strip_prefix("scope="))
        .unwrap_or_default()
        .replace("%3A", ":")
        .replace("%2F", "/");
    let repository = scope
        .trim_start_matches("repository:")
        .trim_end_matches(":pull");
    inside.tokens += 1;
    let text = format!("token-for-{repository}-{}", inside.tokens);
    let body = serde_json::json!({"token": text, "expires_in": 300});
    Answer::text(200, &body.to_string())
}
