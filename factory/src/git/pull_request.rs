//! Asks a host to pull a branch: a pull request on GitHub, a merge request on GitLab.
//!
//! What is asked is made as data; the sending is a few lines below it. The token goes
//! to the API that images.yaml names, and nowhere else: nothing is followed.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{Provider, Settings};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::http::said::{line, message};
use crate::http::url::encode;
use crate::http::{Answer, Client, Proxies, Request, Timeouts, Url};
use crate::tokens::{Tokens, unix_now};

/// An answer is not larger than a page of requests.
const LIMIT: usize = 4 << 20;
/// So often a host is asked.
const ATTEMPTS: u32 = 4;
/// What all our branches begin with.
const PREFIX: &str = "image-factory/";

/// Where a pull request is opened, and with whose token.
#[derive(Clone)]
pub struct Host {
    provider: Provider,
    api: String,
    /// `owner/repository`
    repository: String,
    tokens: Arc<Tokens>,
    /// Of [`Host::ready`].
    token: String,
}

/// Without the token.
impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("api", &self.api)
            .field("repository", &self.repository)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// The host of the factory's repository; `variable` reads the environment.
    ///
    /// # Errors
    ///
    /// If `settings.providers` does not say which host that is, or there is no token.
    pub fn of(
        settings: &Settings,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Diagnostic> {
        let repo = settings.git_repo(None)?.as_str();
        let known = [Provider::GitHub, Provider::GitLab]
            .into_iter()
            .find_map(|provider| {
                let path = repo.strip_prefix(&settings.providers.get(provider).web())?;
                Some((provider, path.strip_prefix('/')?))
            });
        let Some((provider, path)) = known else {
            return Err(Diagnostic::error(
                code::PULL_REQUEST_FAILED,
                format!("`{repo}` is below none of the hosts that `settings.providers` names"),
            )
            .help("name the API of its host: `settings.providers.github.api` or `.gitlab.api`"));
        };
        let provided = settings.providers.get(provider);
        let tokens = Tokens::new(&settings.providers, variable);
        if !tokens.is_set(provider) {
            let name = tokens.source(provider);
            return Err(Diagnostic::error(
                code::PULL_REQUEST_FAILED,
                format!("a pull request needs a token, and the variable `{name}` is not set"),
            )
            .help(format!(
                "put a token that may write to `{path}` into `{name}`"
            )));
        }
        Ok(Self {
            provider,
            api: provided.api.as_str().to_owned(),
            repository: path.strip_suffix(".git").unwrap_or(path).to_owned(),
            tokens: Arc::new(tokens),
            token: String::new(),
        })
    }

    /// The same with a token, which an App has to be asked for.
    fn ready(&self, client: &Client) -> Result<Self, Failure> {
        let send = |request: &Request| client.send(request);
        let token = self.tokens.get(self.provider, unix_now(), &send);
        let token = token.map_err(|none| match none.passing {
            true => Failure::Passing(none.diagnostic.message),
            false => Failure::Final(none.diagnostic.message),
        })?;
        Ok(Self {
            token: token.unwrap_or_default(),
            ..self.clone()
        })
    }

    fn url(&self, path: &str) -> Option<Url> {
        Url::parse(&format!("{}/{path}", self.api))
    }

    fn request(&self, method: &'static str, url: Url) -> Request {
        let request = Request::new(method, url, LIMIT);
        match self.provider {
            Provider::GitHub => request
                .header("accept", "application/vnd.github+json")
                .header("x-github-api-version", "2022-11-28")
                .header("authorization", format!("Bearer {}", self.token)),
            Provider::GitLab => request
                .header("accept", "application/json")
                .header("private-token", self.token.clone()),
        }
    }

    /// The path of the repository's requests in the API.
    fn requests(&self) -> String {
        match self.provider {
            Provider::GitHub => format!("repos/{}/pulls", self.repository),
            Provider::GitLab => format!("projects/{}/merge_requests", encode(&self.repository)),
        }
    }

    /// Asks for the open requests of a branch.
    fn find(&self, branch: &str, into: &str) -> Option<Request> {
        let url = self.url(&self.requests())?;
        let url = match self.provider {
            Provider::GitHub => {
                let owner = self.repository.split('/').next().unwrap_or_default();
                url.with_query("state", "open")
                    .with_query("head", &format!("{owner}:{branch}"))
                    .with_query("base", into)
            }
            Provider::GitLab => url
                .with_query("state", "opened")
                .with_query("source_branch", branch)
                .with_query("target_branch", into),
        };
        Some(self.request("GET", url))
    }

    /// Opens a request.
    fn create(&self, proposal: &Proposal<'_>) -> Option<Request> {
        let body = match self.provider {
            Provider::GitHub => json!({
                "title": proposal.title,
                "body": proposal.body,
                "head": proposal.branch,
                "base": proposal.into,
            }),
            Provider::GitLab => json!({
                "title": proposal.title,
                "description": proposal.body,
                "source_branch": proposal.branch,
                "target_branch": proposal.into,
                "remove_source_branch": true,
            }),
        };
        let url = self.url(&self.requests())?;
        let mut request = self
            .request("POST", url)
            .header("content-type", "application/json");
        request.body = Some(body.to_string().into_bytes());
        Some(request)
    }

    /// Where people look at a request that the API describes.
    fn page(&self, request: &Value) -> Option<String> {
        let key = match self.provider {
            Provider::GitHub => "html_url",
            Provider::GitLab => "web_url",
        };
        let page = request.get(key)?.as_str()?;
        page.chars()
            .all(|c| c.is_ascii_graphic())
            .then(|| page.to_owned())
    }
}

/// A branch to be pulled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proposal<'a> {
    pub(super) branch: &'a str,
    pub(super) into: &'a str,
    title: &'a str,
    body: &'a str,
}

impl<'a> Proposal<'a> {
    /// With the subject of a commit message as title, and the rest as text.
    pub(super) fn new(branch: &'a str, into: &'a str, message: &'a str) -> Self {
        let (title, body) = message.split_once('\n').unwrap_or((message, ""));
        Self {
            branch,
            into,
            title: title.trim(),
            body: body.trim(),
        }
    }
}

/// The branch that a topic is proposed on: readable, and another one for each topic.
/// `count` is from 1; from the second on it is told apart.
pub(super) fn branch(topic: &str, count: u32) -> String {
    let mut name = String::from(PREFIX);
    for c in topic.chars().take(60) {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.ends_with(['-', '/']) {
            name.push('-');
        }
    }
    let hash = Sha256::digest(topic.as_bytes());
    let hash: String = hash
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let end = if name.ends_with(['-', '/']) { "" } else { "-" };
    let count = match count {
        0 | 1 => String::new(),
        count => format!("-{count}"),
    };
    format!("{name}{end}{hash}{count}")
}

/// The page of the open request of a branch, if there is one.
pub(super) fn find(host: &Host, branch: &str, into: &str) -> Result<Option<String>, String> {
    retried(|client| found(&host.ready(client)?, client, branch, into))
}

/// Opens a request, or finds the open one; gives its page.
pub(super) fn open(host: &Host, proposal: &Proposal<'_>) -> Result<String, String> {
    retried(|client| {
        let host = &host.ready(client)?;
        if let Some(page) = found(host, client, proposal.branch, proposal.into)? {
            return Ok(page);
        }
        let request = host.create(proposal).ok_or_else(no_address)?;
        let answer = sent(client, &request)?;
        let text = body(&answer)?;
        match answer.status {
            200..=299 => host.page(&text).ok_or_else(|| no_page(&answer)),
            // Somebody else was faster; the next look finds theirs.
            409 | 422 if says_exists(&answer) => Err(Failure::Passing(reason(&answer))),
            _ => Err(refused(&answer)),
        }
    })
}

/// Why there is no answer that can be used.
enum Failure {
    /// It may be over when asked again.
    Passing(String),
    Final(String),
}

fn retried<T>(mut ask: impl FnMut(&Client) -> Result<T, Failure>) -> Result<T, String> {
    let client = Client::new(
        Timeouts::default(),
        Proxies::from_environment(),
        Default::default(),
    );
    let mut pause = Duration::from_millis(250);
    let mut attempt = 1;
    loop {
        match ask(&client) {
            Ok(answer) => return Ok(answer),
            Err(Failure::Passing(_)) if attempt < ATTEMPTS => {
                thread::sleep(pause);
                pause *= 3;
                attempt += 1;
            }
            Err(Failure::Passing(why) | Failure::Final(why)) => return Err(why),
        }
    }
}

fn found(
    host: &Host,
    client: &Client,
    branch: &str,
    into: &str,
) -> Result<Option<String>, Failure> {
    let request = host.find(branch, into).ok_or_else(no_address)?;
    let answer = sent(client, &request)?;
    if answer.status != 200 {
        return Err(refused(&answer));
    }
    let all = body(&answer)?;
    let all = all.as_array().ok_or_else(|| no_page(&answer))?;
    // A host that does not know the filter sends all requests that there are.
    let of = |request: &&Value| {
        let named = match host.provider {
            Provider::GitHub => request.pointer("/head/ref"),
            Provider::GitLab => request.get("source_branch"),
        };
        named.and_then(Value::as_str) == Some(branch)
    };
    Ok(all.iter().find(of).and_then(|request| host.page(request)))
}

fn sent(client: &Client, request: &Request) -> Result<Answer, Failure> {
    client
        .send(request)
        .map_err(|trouble| Failure::Passing(format!("{}: {trouble}", request.url.authority())))
}

fn body(answer: &Answer) -> Result<Value, Failure> {
    serde_json::from_slice(&answer.body).or_else(|_| match answer.status {
        200..=299 => Err(no_page(answer)),
        _ => Ok(Value::Null),
    })
}

fn no_address() -> Failure {
    Failure::Final("the API has no address that can be asked".to_owned())
}

fn no_page(answer: &Answer) -> Failure {
    Failure::Final(format!(
        "the answer (status {}) is not the API's",
        answer.status
    ))
}

fn refused(answer: &Answer) -> Failure {
    match answer.status {
        429 | 500..=599 => Failure::Passing(reason(answer)),
        300..=399 => Failure::Final(format!(
            "the API answers with a redirect (status {}), which is not followed with a token; `settings.providers` names its address",
            answer.status
        )),
        _ => Failure::Final(reason(answer)),
    }
}

/// What the API says, shortened.
fn reason(answer: &Answer) -> String {
    let words = line(&message(answer), 300);
    let hint = match answer.status {
        401 => "; the token is not accepted",
        403 => "; the token may not do this",
        404 => "; there is no such repository, or the token does not see it",
        _ => "",
    };
    if words.is_empty() {
        format!("status {}{hint}", answer.status)
    } else {
        format!("status {}: {words}{hint}", answer.status)
    }
}

fn says_exists(answer: &Answer) -> bool {
    message(answer)
        .to_ascii_lowercase()
        .contains("already exists")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers() -> image_factory::model::Providers {
        let inputs = image_factory::model::InputFiles::default();
        image_factory::model::enrollment(&inputs)
            .0
            .unwrap()
            .0
            .providers
    }

    fn host(provider: Provider, api: &str, repository: &str) -> Host {
        Host {
            provider,
            api: api.to_owned(),
            repository: repository.to_owned(),
            tokens: Arc::new(Tokens::new(&providers(), |_| None)),
            token: "t0ken".to_owned(),
        }
    }

    fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
        let mut headers = request.headers.iter();
        headers
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    const MESSAGE: &str = "Record shop 1.2\n\nBuilt from node.\n";

    #[test]
    fn a_pull_request_on_github_is_asked_for() {
        let host = host(Provider::GitHub, "https://api.github.com", "acme/factory");
        let proposal = Proposal::new("image-factory/x-1", "main", MESSAGE);
        let find = host.find(proposal.branch, proposal.into).unwrap();
        assert_eq!(
            find.url.to_string(),
            "https://api.github.com/repos/acme/factory/pulls?state=open&head=acme%3Aimage-factory%2Fx-1&base=main"
        );
        let create = host.create(&proposal).unwrap();
        assert_eq!(create.method, "POST");
        assert_eq!(
            create.url.to_string(),
            "https://api.github.com/repos/acme/factory/pulls"
        );
        assert_eq!(header(&create, "authorization"), Some("Bearer t0ken"));
        let body: Value = serde_json::from_slice(&create.body.unwrap()).unwrap();
        let expected = json!({"title": "Record shop 1.2", "body": "Built from node.",
            "head": "image-factory/x-1", "base": "main"});
        assert_eq!(body, expected);
    }

    #[test]
    fn a_merge_request_on_gitlab_is_asked_for() {
        let host = host(
            Provider::GitLab,
            "https://git.example.com/api/v4",
            "a/b/factory",
        );
        let proposal = Proposal::new("image-factory/x-1", "main", "Only a subject");
        let find = host.find(proposal.branch, proposal.into).unwrap();
        assert_eq!(
            find.url.to_string(),
            "https://git.example.com/api/v4/projects/a%2Fb%2Ffactory/merge_requests?state=opened&source_branch=image-factory%2Fx-1&target_branch=main"
        );
        let create = host.create(&proposal).unwrap();
        assert_eq!(header(&create, "private-token"), Some("t0ken"));
        let body: Value = serde_json::from_slice(&create.body.unwrap()).unwrap();
        let expected = json!({"title": "Only a subject", "description": "",
            "source_branch": "image-factory/x-1", "target_branch": "main", "remove_source_branch": true});
        assert_eq!(body, expected);
    }

    #[test]
    fn no_token_is_shown() {
        let host = host(Provider::GitHub, "https://api.github.com", "acme/factory");
        let find = host.find("b", "main").unwrap();
        assert!(!format!("{host:?} {find:?}").contains("t0ken"));
    }

    #[test]
    fn branches_are_readable_valid_and_apart() {
        let all = [
            branch("analyze shop 1.2", 1),
            branch("analyze shop 1.2", 2),
            branch("analyze shop 1-2", 1),
            branch("", 1),
            branch("../../x.lock ~^:?*[\\ ä", 1),
            branch(&"x".repeat(300), 1),
        ];
        assert!(
            all[0].starts_with("image-factory/analyze-shop-1-2-"),
            "{all:?}"
        );
        assert_eq!(all[1], format!("{}-2", all[0]));
        for (at, one) in all.iter().enumerate() {
            use image_factory::model::{Branch, Parse as _};
            assert!(Branch::parse(one).is_ok(), "{one}");
            assert!(!all[..at].contains(one), "{one}");
        }
    }

    #[test]
    fn what_the_api_says_is_told() {
        let answer = |status, body: &str| Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        };
        for (status, body, told) in [
            (
                401,
                r#"{"message":"Bad credentials"}"#,
                "status 401: Bad credentials; the token is not accepted",
            ),
            (
                422,
                r#"{"message":"Validation Failed","errors":[{"message":"No commits between main and x"}]}"#,
                "status 422: Validation Failed; No commits between main and x",
            ),
            (
                400,
                r#"{"message":{"base":["is wrong"]}}"#,
                "status 400: is wrong",
            ),
            (502, "<html>", "status 502"),
        ] {
            assert_eq!(reason(&answer(status, body)), told);
        }
        let exists = r#"{"message":"Validation Failed","errors":[{"message":"A pull request already exists for acme:x."}]}"#;
        assert!(says_exists(&answer(422, exists)));
        let exists = r#"{"message":["Another open merge request already exists for this source branch: !1"]}"#;
        assert!(says_exists(&answer(422, exists)));
    }
}
