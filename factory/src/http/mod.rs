//! HTTP as our clients need it: one request, one bounded answer, nothing followed.
//!
//! Redirects, retries and credentials are the caller's to decide, because each
//! is a question of trust. What is here: TLS by the system's roots and own
//! authorities, proxies, timeouts, a bound on each answer, and one word for
//! each way to fail.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: reads the environment's proxies and authorities, asks other machines"
)]

pub mod date;
mod proxy;
pub mod said;
pub mod url;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

pub use proxy::Proxies;
pub use url::Url;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// To find the host, reach it and agree on TLS.
    pub connect: Duration,
    /// From the request to the head of the answer.
    pub answer: Duration,
    /// All of it, the body included.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            whole: Duration::from_secs(60),
        }
    }
}

/// A request.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `HEAD`, `POST` and so on.
    pub method: &'static str,
    /// Where to.
    pub url: Url,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body; `None` sends none.
    pub body: Option<Vec<u8>>,
    /// The most bytes of an answer that are taken.
    pub limit: usize,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub const fn new(method: &'static str, url: Url, limit: usize) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: None,
            limit,
        }
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Without headers and body, which may hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// An answer, whatever its status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status, such as 200.
    pub status: u16,
    /// The headers, names in lower case, in the order of the answer.
    pub headers: Vec<(String, String)>,
    /// The body, as it was sent; of a refusal without the secrets of the request.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// All headers of this name, which is in lower case.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The name of the host is not known.
    NoSuchHost,
    /// The host could not be reached, or broke off.
    Connection(String),
    /// It took longer than it may; what was waited for.
    Timeout(&'static str),
    /// The host could not show who it is, or speaks no TLS.
    Tls(String),
    /// There is no authority to check certificates by.
    NoRoots(String),
    /// The answer is longer than was asked for; that many bytes.
    TooLarge(usize),
    /// What came is no HTTP, or what was to be sent.
    Protocol(String),
    /// A file of certificates cannot be used.
    Authority(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchHost => f.write_str("no such host"),
            Self::Connection(why) | Self::Tls(why) | Self::NoRoots(why) | Self::Authority(why) => {
                f.write_str(why)
            }
            Self::Timeout(what) => write!(f, "no {what} in time"),
            Self::TooLarge(limit) => write!(f, "the answer is longer than {limit} bytes"),
            Self::Protocol(why) => write!(f, "no HTTP: {why}"),
        }
    }
}

/// Sends requests. Connections are kept and used again; it may be shared by threads.
pub struct Client {
    timeouts: Timeouts,
    proxies: Proxies,
    /// Own authorities (PEM) by host with port, beside the system's.
    authorities: BTreeMap<String, Vec<u8>>,
    system: OnceLock<Result<Vec<Certificate<'static>>, Trouble>>,
    plain: Agents,
    usual: Agents,
    own: BTreeMap<String, Agents>,
}

type Lazy = OnceLock<Result<ureq::Agent, Trouble>>;

/// One way to agree on TLS. Made when first needed: reading the system's
/// certificates takes longer than many a command.
#[derive(Default)]
struct Agents {
    direct: Lazy,
    by_proxy: Lazy,
}

impl Client {
    /// A client that trusts the system's authorities (`SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name others) and, for single hosts, one of their own, as PEM.
    #[must_use]
    pub fn new(
        timeouts: Timeouts,
        proxies: Proxies,
        authorities: BTreeMap<String, Vec<u8>>,
    ) -> Self {
        let own = authorities
            .keys()
            .map(|host| (host.clone(), Agents::default()))
            .collect();
        Self {
            timeouts,
            proxies,
            authorities,
            system: OnceLock::new(),
            plain: Agents::default(),
            usual: Agents::default(),
            own,
        }
    }

    /// Sends a request and reads its answer. Any status is an answer, a redirect too. What
    /// the body of a refusal repeats of the request's secrets is masked.
    ///
    /// # Errors
    /// Says why there is none.
    pub fn send(&self, request: &Request) -> Result<Answer, Trouble> {
        let agent = self.agent(&request.url)?;
        let mut built = ureq::http::Request::builder()
            .method(request.method)
            .uri(request.url.to_string());
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        let sent = match &request.body {
            Some(body) => agent.run(built.body(body.as_slice()).map_err(|e| protocol(&e))?),
            None => agent.run(built.body(()).map_err(|e| protocol(&e))?),
        };
        let (head, body) = sent.map_err(trouble)?.into_parts();
        let headers = head
            .headers
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect();
        let mut bytes = Vec::new();
        // One byte more than is allowed shows that there is more.
        body.into_reader()
            .take(
                u64::try_from(request.limit)
                    .unwrap_or(u64::MAX)
                    .saturating_add(1),
            )
            .read_to_end(&mut bytes)
            .map_err(|error| trouble(ureq::Error::from(error)))?;
        if bytes.len() > request.limit {
            return Err(Trouble::TooLarge(request.limit));
        }
        let mut answer = Answer {
            status: head.status.as_u16(),
            headers,
            body: bytes,
        };
        if answer.status >= 400 {
            said::mask_body(&mut answer, &said::secrets(request));
        }
        Ok(answer)
    }

    fn agent(&self, url: &Url) -> Result<&ureq::Agent, Trouble> {
        let proxy = self.proxies.of(url)?;
        let agents = match self.own.get(url.authority()) {
            _ if !url.is_tls() => &self.plain,
            Some(own) => own,
            None => &self.usual,
        };
        let lazy = if proxy.is_some() {
            &agents.by_proxy
        } else {
            &agents.direct
        };
        lazy.get_or_init(|| self.build(url, proxy))
            .as_ref()
            .map_err(Clone::clone)
    }

    fn build(&self, url: &Url, proxy: Option<ureq::Proxy>) -> Result<ureq::Agent, Trouble> {
        let tls = if url.is_tls() {
            TlsConfig::builder()
                .root_certs(RootCerts::Specific(Arc::new(self.roots(url.authority())?)))
                .unversioned_rustls_crypto_provider(Arc::new(
                    rustls::crypto::ring::default_provider(),
                ))
                .build()
        } else {
            TlsConfig::builder().build()
        };
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(proxy)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(self.timeouts.connect))
            .timeout_recv_response(Some(self.timeouts.answer))
            .timeout_global(Some(self.timeouts.whole))
            .user_agent(concat!("image-factory/", env!("CARGO_PKG_VERSION")));
        Ok(config.build().new_agent())
    }

    /// What certificates of this host are checked by.
    fn roots(&self, host: &str) -> Result<Vec<Certificate<'static>>, Trouble> {
        let Some(pem) = self.authorities.get(host) else {
            return self.system().map(<[_]>::to_vec).map_err(Clone::clone);
        };
        let own = certificates(pem).map_err(|why| {
            Trouble::Authority(format!(
                "the certificates for `{host}` cannot be used: {why}"
            ))
        })?;
        let system = self.system().map(<[_]>::to_vec).unwrap_or_default();
        Ok([system, own].concat())
    }

    /// The authorities that this system trusts.
    fn system(&self) -> Result<&[Certificate<'static>], &Trouble> {
        let roots = self.system.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            let named = std::env::var_os("SSL_CERT_FILE").or_else(|| std::env::var_os("SSL_CERT_DIR"));
            match (found.certs.is_empty(), found.errors.first()) {
                // Whoever names a file wants to know that it is not used.
                (_, Some(error)) if named.is_some() => Err(Trouble::NoRoots(format!(
                    "the certificates that SSL_CERT_FILE or SSL_CERT_DIR name cannot be read: {error}"
                ))),
                (true, _) => Err(Trouble::NoRoots(
                    "this system has no certificates of authorities".to_owned(),
                )),
                _ => Ok(found
                    .certs
                    .iter()
                    .map(|certificate| Certificate::from_der(certificate).to_owned())
                    .collect()),
            }
        });
        roots.as_deref()
    }
}

/// Refuses what holds no certificates as PEM.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_certificates(pem: &[u8]) -> Result<(), String> {
    certificates(pem).map(|_| ())
}

/// The certificates of a PEM text, of which there has to be one at least.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    if found.is_empty() {
        return Err("there is no `-----BEGIN CERTIFICATE-----` in it".to_owned());
    }
    Ok(found)
}

fn protocol(error: &dyn std::error::Error) -> Trouble {
    Trouble::Protocol(error.to_string())
}

fn trouble(error: ureq::Error) -> Trouble {
    match error {
        ureq::Error::HostNotFound => Trouble::NoSuchHost,
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            Trouble::Timeout("connection")
        }
        ureq::Error::Timeout(_) => Trouble::Timeout("answer"),
        ureq::Error::Rustls(error) => Trouble::Tls(error.to_string()),
        ureq::Error::Tls(why) => Trouble::Tls(why.to_owned()),
        ureq::Error::Io(error) => io_trouble(&error),
        ureq::Error::ConnectionFailed => Trouble::Connection("no connection".to_owned()),
        ureq::Error::ConnectProxyFailed(why) => {
            Trouble::Connection(format!("the proxy refuses: {why}"))
        }
        ureq::Error::LargeResponseHeader(_, limit) => Trouble::TooLarge(limit),
        other => Trouble::Protocol(other.to_string()),
    }
}

/// TLS reports its failures as failures of input and output.
fn io_trouble(error: &std::io::Error) -> Trouble {
    if let Some(error) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        return Trouble::Tls(error.to_string());
    }
    let text = error.to_string();
    if text.contains("failed to lookup address") && !text.contains("emporary failure") {
        return Trouble::NoSuchHost;
    }
    match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => Trouble::Timeout("answer"),
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => {
            Trouble::Protocol(error.to_string())
        }
        _ => Trouble::Connection(error.to_string()),
    }
}
