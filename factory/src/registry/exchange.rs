//! Asking a registry: credentials, redirects, retries, and patience with hosts.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use image_factory::model::{Digest, Repository};

use super::challenge::{self, Challenge};
use super::credentials::{Credentials, Found, Secret};
use super::error::{Kind, RegistryError, wait_text};
use super::hosts::Hosts;
use super::judge::{self, Next, Patience, Redirect};
use super::token::{self, Service};
use crate::http::{Answer, Client, Request, Trouble, Url};

/// More hops than any registry makes.
const HOPS: usize = 5;
/// How long a host that failed is not asked again.
const REST: Duration = Duration::from_secs(60);

/// A question about a repository.
pub(super) struct Ask<'a> {
    pub(super) repository: &'a Repository,
    pub(super) method: &'static str,
    /// Below the repository: `manifests/22`, `blobs/sha256:…`.
    pub(super) path: String,
    pub(super) accept: &'static str,
    /// What is known already, and need not be sent again.
    pub(super) known: Option<&'a Digest>,
    pub(super) limit: usize,
}

/// Who is told of waits.
pub type Notice = Box<dyn Fn(&str) + Send + Sync>;

/// What asks.
pub(super) struct Exchange {
    pub(super) client: Client,
    pub(super) hosts: Hosts,
    pub(super) credentials: Credentials,
    pub(super) patience: Patience,
    pub(super) notice: Notice,
    /// What is known of servers, by host with port.
    pub(super) servers: Mutex<BTreeMap<String, Server>>,
    /// `Authorization` by registry and path, until when.
    pub(super) tokens: Mutex<BTreeMap<(String, String), (String, Instant)>>,
}

/// What is known of a server.
#[derive(Default)]
pub(super) struct Server {
    /// How it lets people in, once it has said so.
    way: Option<Way>,
    /// Nothing is sent to it before.
    rest_until: Option<Instant>,
    /// Why it is given up, until when.
    given_up: Option<(RegistryError, Instant)>,
    /// Requests in a row without any answer.
    silent: u32,
    /// Has it ever answered?
    answered: bool,
}

#[derive(Clone)]
enum Way {
    Basic,
    Tokens(Service),
}

impl Exchange {
    /// Asks, with credentials if they are wanted and there are some. Any status but
    /// 401, 403, 429 and those of servers at fault is an answer.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> Result<Answer, RegistryError> {
        let registry = ask.repository.registry();
        let url = self.hosts.url(
            registry,
            &format!("/v2/{}/{}", ask.repository.path(), ask.path),
        );
        let remembered = self.remembered(ask.repository, &url)?;
        let (mut answer, mut at_home) = self.follow(ask, &url, remembered.as_deref())?;
        if answer.status == 401 && at_home {
            let header = self.let_in(ask.repository, &url, &answer)?;
            (answer, at_home) = self.follow(ask, &url, Some(&header))?;
        }
        match answer.status {
            401 | 403 if at_home => Err(self.denied(ask.repository, &answer)),
            401 | 403 => Err(RegistryError::new(
                Kind::Denied,
                format!("`{registry}` leads to another server, which refuses access"),
            )
            .help("no credentials are sent to servers that a registry leads to")),
            400 if at_home && !url.is_tls() => Err(RegistryError::garbage(
                "it answers 400 to who asks it by plain http",
            )
            .help(format!(
                "if it speaks TLS, say so in images.yaml:\nsettings:\n  registries:\n    {registry}: {{insecure: false}}"
            ))),
            _ => Ok(answer),
        }
    }

    /// What is sent without being asked for, as the server has said before what it wants.
    fn remembered(
        &self,
        repository: &Repository,
        url: &Url,
    ) -> Result<Option<String>, RegistryError> {
        let way = self.server(url.authority(), |server| server.way.clone());
        match way {
            None => Ok(None),
            Some(Way::Basic) => {
                let found = self.found(repository)?;
                Ok(found.secret.as_ref().and_then(Secret::header))
            }
            Some(Way::Tokens(service)) => {
                let scope = token::scope(repository.path());
                self.token(repository, &service, &scope, false).map(Some)
            }
        }
    }

    /// What the server wants to see, after it refused.
    fn let_in(
        &self,
        repository: &Repository,
        url: &Url,
        refusal: &Answer,
    ) -> Result<String, RegistryError> {
        let remember = |way: Way| self.server(url.authority(), |server| server.way = Some(way));
        match challenge::of(refusal) {
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => {
                let found = self.found(repository)?;
                if let Some(header @ Secret::Bearer(_)) = &found.secret {
                    return header
                        .header()
                        .ok_or_else(|| self.denied(repository, refusal));
                }
                let insecure = |to: &Url| self.hosts.is_insecure(to);
                let service = token::service(url, &realm, service, insecure)?;
                let own = token::scope(repository.path());
                let scope = scope.unwrap_or(own.clone());
                if scope == own {
                    remember(Way::Tokens(service.clone()));
                }
                self.token(repository, &service, &scope, true)
            }
            Some(Challenge::Basic) => {
                remember(Way::Basic);
                let found = self.found(repository)?;
                let header = found.secret.as_ref().and_then(Secret::header);
                header.ok_or_else(|| self.denied(repository, refusal))
            }
            None => Err(RegistryError::garbage(
                "it refuses access, and does not say what it wants to see",
            )),
        }
    }

    /// A token for a repository: the one at hand, unless it was refused, or a new one.
    fn token(
        &self,
        repository: &Repository,
        service: &Service,
        scope: &str,
        refused: bool,
    ) -> Result<String, RegistryError> {
        let key = (
            repository.registry().to_owned(),
            repository.path().to_owned(),
        );
        if !refused {
            let tokens = lock(&self.tokens);
            if let Some((header, until)) = tokens.get(&key)
                && Instant::now() < *until
            {
                return Ok(header.clone());
            }
        }
        let found = self.found(repository)?;
        let mut request = token::request(service, scope, found.secret.as_ref());
        let mut answer = self.send(&request)?;
        for _ in 0..HOPS {
            let insecure = |to: &Url| self.hosts.is_insecure(to);
            match judge::redirect(&request.url, &answer, insecure).transpose()? {
                Some(Redirect::Within(to)) => request.url = to,
                // A password goes to whom the registry named, and to nobody else.
                Some(Redirect::Away(to)) if found.secret.is_none() => request.url = to,
                _ => break,
            }
            answer = self.send(&request)?;
        }
        match answer.status {
            200 => {
                let token = token::read(&service.realm, &answer)?;
                let header = format!("Bearer {}", token.text);
                let until = Instant::now() + token.lifetime;
                lock(&self.tokens).insert(key, (header.clone(), until));
                Ok(header)
            }
            400 | 401 | 403 | 404 => Err(self.denied(repository, &answer)),
            status => Err(RegistryError::garbage(format!(
                "`{}` answers {status} to who wants a token",
                service.realm.authority()
            ))),
        }
    }

    fn found(&self, repository: &Repository) -> Result<Found, RegistryError> {
        self.credentials
            .of(repository.registry(), repository.path())
    }

    fn denied(&self, repository: &Repository, answer: &Answer) -> RegistryError {
        let registry = repository.registry();
        let found = match self.found(repository) {
            Ok(found) => found,
            Err(error) => return error,
        };
        let said = judge::said(answer).map_or_else(String::new, |said| format!(": {said}"));
        let hub = if registry == "docker.io" {
            "; Docker Hub refuses in the same way what does not exist"
        } else {
            ""
        };
        match (&found.secret, found.source.is_empty()) {
            (Some(_), _) => RegistryError::new(
                Kind::Denied,
                format!(
                    "`{registry}` does not let the credentials of {} read it{said}",
                    found.source
                ),
            )
            .help(format!(
                "they may have ended, or lack the right to pull: docker login {registry}{hub}"
            )),
            (None, false) => RegistryError::new(
                Kind::Denied,
                format!(
                    "`{registry}` wants credentials, and there are none for it in {}{said}",
                    found.source
                ),
            )
            .help(format!(
                "log in (docker login {registry}), or name the folder of a config.json in DOCKER_CONFIG{hub}"
            )),
            (None, true) => RegistryError::new(
                Kind::Denied,
                format!("`{registry}` wants credentials, and there are none{said}"),
            )
            .help(format!(
                "name the folder of a config.json in DOCKER_CONFIG{hub}"
            )),
        }
    }

    /// Sends the question and goes where it is led to; whether that is the registry itself.
    fn follow(
        &self,
        ask: &Ask<'_>,
        url: &Url,
        authorization: Option<&str>,
    ) -> Result<(Answer, bool), RegistryError> {
        let mut url = url.clone();
        let mut at_home = true;
        for _ in 0..=HOPS {
            let mut request = Request::new(ask.method, url.clone(), ask.limit);
            if !ask.accept.is_empty() {
                request = request.header("accept", ask.accept);
            }
            if let Some(known) = ask.known {
                request = request.header("if-none-match", format!("\"{known}\""));
            }
            if let Some(value) = authorization
                && at_home
            {
                request = request.header("authorization", value);
            }
            let answer = self.send(&request)?;
            let insecure = |to: &Url| self.hosts.is_insecure(to);
            match judge::redirect(&url, &answer, insecure).transpose()? {
                None => return Ok((answer, at_home)),
                Some(Redirect::Within(to)) => url = to,
                Some(Redirect::Away(to)) => {
                    url = to;
                    at_home = false;
                }
            }
        }
        Err(RegistryError::garbage(
            "it leads from one address to the next without end",
        ))
    }

    /// Sends one request, again if its failure may pass.
    fn send(&self, request: &Request) -> Result<Answer, RegistryError> {
        let host = request.url.authority();
        let mut attempt = 1;
        loop {
            self.wait_for(host)?;
            let outcome = self.client.send(request);
            let next = judge::next(
                host,
                &outcome,
                attempt,
                &self.patience,
                jitter(),
                unix_now(),
            );
            self.heard(host, &outcome);
            match (next, outcome) {
                (Next::Use, Ok(answer)) => return Ok(answer),
                (Next::Use, Err(trouble)) => return Err(RegistryError::trouble(host, &trouble)),
                (Next::Again(pause), _) => thread::sleep(pause),
                (Next::Rest(wait), _) => {
                    if wait >= Duration::from_secs(5) {
                        (self.notice)(&format!("`{host}` wants a pause of {}", wait_text(wait)));
                    }
                    let until = Instant::now() + wait;
                    self.server(host, |server| {
                        server.rest_until = server.rest_until.max(Some(until));
                    });
                }
                (Next::Fail(error), outcome) => {
                    self.give_up(host, &error, &outcome);
                    return Err(error);
                }
            }
            attempt += 1;
        }
    }

    /// Waits for as long as a host wants, or says why it is not asked at all.
    fn wait_for(&self, host: &str) -> Result<(), RegistryError> {
        loop {
            let now = Instant::now();
            let (given_up, rest) = self.server(host, |server| {
                let given_up = server.given_up.clone();
                (given_up, server.rest_until.filter(|until| *until > now))
            });
            match (given_up, rest) {
                (Some((error, until)), _) if until > now => return Err(error),
                (_, Some(until)) => thread::sleep(until - now),
                _ => return Ok(()),
            }
        }
    }

    fn heard(&self, host: &str, outcome: &Result<Answer, Trouble>) {
        let answered = outcome.is_ok();
        self.server(host, |server| {
            server.answered |= answered;
            server.silent = if answered { 0 } else { server.silent + 1 };
        });
    }

    /// Remembers a failure that all others would have too, so that a thousand images
    /// of a host that is down take no thousand times its timeout.
    fn give_up(&self, host: &str, error: &RegistryError, outcome: &Result<Answer, Trouble>) {
        let rest = match (error.kind, outcome) {
            (Kind::RateLimited { wait }, _) => wait.unwrap_or(REST),
            (_, Err(Trouble::NoSuchHost | Trouble::Tls(_) | Trouble::NoRoots(_))) => REST,
            (_, Err(Trouble::Timeout(_) | Trouble::Connection(_))) => {
                // One image may be slow; a host that never spoke is down.
                let patience = self.patience.attempts.saturating_mul(2);
                let down =
                    self.server(host, |server| !server.answered || server.silent >= patience);
                if !down {
                    return;
                }
                REST
            }
            _ => return,
        };
        let until = Instant::now() + rest;
        self.server(host, |server| {
            server.given_up = Some((error.clone(), until));
        });
    }

    fn server<T>(&self, host: &str, look: impl FnOnce(&mut Server) -> T) -> T {
        let mut servers = lock(&self.servers);
        look(servers.entry(host.to_owned()).or_default())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// A number from 0 to 1 that is another one each time; nothing depends on its quality.
#[allow(clippy::cast_precision_loss, reason = "any number will do")]
fn jitter() -> f64 {
    let hash = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}
