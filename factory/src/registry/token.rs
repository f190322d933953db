//! Tokens: how they are asked for, and what comes back.

use std::time::Duration;

use serde::Deserialize;

use super::credentials::Secret;
use super::error::{Kind, RegistryError, excerpt};
use super::judge;
use crate::http::url::{Shown, encode};
use crate::http::{Answer, Request, Url};

/// More than any token needs.
const LIMIT: usize = 1 << 20;

/// Where tokens for one registry come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Service {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
}

/// The service that a registry's challenge names. Its word decides, so the address
/// has to be one where a password may be sent: TLS, or plain text on the way that
/// the registry itself is asked.
pub(super) fn service(
    registry: &Url,
    realm: &str,
    service: Option<String>,
    insecure: impl Fn(&Url) -> bool,
) -> Result<Service, RegistryError> {
    let Some(realm) = Url::parse(realm) else {
        return Err(RegistryError::new(
            Kind::Unsafe,
            format!(
                "it wants tokens to be had from `{}`, which is no address",
                excerpt(realm)
            ),
        )
        .help("nothing was sent there; ask those who run the registry"));
    };
    if !realm.same_server(registry) {
        judge::away(registry, &realm, insecure)?;
    }
    Ok(Service { realm, service })
}

/// The request for a token.
pub(super) fn request(service: &Service, scope: &str, secret: Option<&Secret>) -> Request {
    if let Some(Secret::Identity(token)) = secret {
        let mut form = String::from("grant_type=refresh_token&client_id=image-factory");
        let service_name = service.service.as_deref().unwrap_or_default();
        for (name, value) in [
            ("service", service_name),
            ("scope", scope),
            ("refresh_token", token),
        ] {
            form.push_str(&format!("&{name}={}", encode(value)));
        }
        let mut request = Request::new("POST", service.realm.clone(), LIMIT)
            .header("content-type", "application/x-www-form-urlencoded");
        request.body = Some(form.into_bytes());
        return request;
    }
    let mut url = service.realm.clone();
    if let Some(name) = &service.service {
        url = url.with_query("service", name);
    }
    let request = Request::new("GET", url.with_query("scope", scope), LIMIT);
    match secret.and_then(Secret::header) {
        Some(header) => request.header("authorization", header),
        None => request,
    }
}

/// A token, and how long it is good for.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) lifetime: Duration,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token for {:?}", self.lifetime)
    }
}

#[derive(Deserialize)]
struct Raw {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<f64>,
}

/// Reads the answer with status 200 to a request for a token.
pub(super) fn read(realm: &Url, answer: &Answer) -> Result<Token, RegistryError> {
    let garbage =
        |why: &str| RegistryError::garbage(format!("`{}` gives no token: {why}", Shown(realm)));
    let raw: Raw = serde_json::from_slice(&answer.body)
        .map_err(|error| garbage(&format!("line {} is not as it should be", error.line())))?;
    let text = [raw.token, raw.access_token]
        .into_iter()
        .flatten()
        .find(|text| !text.is_empty())
        .ok_or_else(|| garbage("there is none in the answer"))?;
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(garbage("what it gives cannot be sent"));
    }
    // A minute is what the specification says of those that say nothing.
    let seconds = raw
        .expires_in
        .filter(|seconds| *seconds >= 1.0)
        .unwrap_or(60.0);
    Ok(Token {
        text,
        // Rather too early a new one than one that ends on its way.
        lifetime: Duration::from_secs_f64(seconds.min(86_400.0) * 0.8),
    })
}

/// What is asked for: to read one repository.
pub(super) fn scope(path: &str) -> String {
    format!("repository:{path}:pull")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn tokens_are_asked_for_where_a_password_may_go() {
        let hub = url("https://registry-1.docker.io/v2/");
        let local = url("http://127.0.0.1:5000/v2/");
        let plain = url("http://plain.example.com/v2/");
        let is_plain = |to: &Url| to.authority() == "plain.example.com";
        for (registry, realm, fine) in [
            (&hub, "https://auth.docker.io/token", true),
            (&hub, "https://registry-1.docker.io/token", true),
            (&hub, "http://auth.docker.io/token", false),
            (&hub, "http://127.0.0.1/token", false),
            (&hub, "https://127.0.0.1/token", false),
            (&hub, "https://me@auth.docker.io/token", false),
            (&hub, "//auth.docker.io/token", false),
            (&hub, "/token", false),
            (&hub, "file:///etc/passwd", false),
            (&hub, "", false),
            (&local, "http://127.0.0.1:5000/token", true),
            (&local, "http://127.0.0.1:5001/token", true),
            (&local, "http://auth.example.com/token", false),
            (&local, "https://auth.example.com/token", true),
            (&plain, "http://plain.example.com/token", true),
            (&plain, "http://other.example.com/token", false),
        ] {
            let got = service(registry, realm, None, is_plain);
            assert_eq!(got.is_ok(), fine, "{registry} {realm}");
            if let Err(error) = got {
                assert_eq!(error.kind, Kind::Unsafe, "{realm}");
            }
        }
    }

    #[test]
    fn requests_carry_what_there_is() {
        let service = Service {
            realm: url("https://auth.docker.io/token?x=y"),
            service: Some("registry.docker.io".to_owned()),
        };
        let scope = scope("library/node");
        let anonymous = request(&service, &scope, None);
        assert_eq!(
            anonymous.url.to_string(),
            "https://auth.docker.io/token?x=y&service=registry.docker.io&scope=repository%3Alibrary%2Fnode%3Apull"
        );
        assert_eq!((anonymous.method, anonymous.headers.len()), ("GET", 0));

        let me = Secret::of("me".to_owned(), "secret".to_owned());
        let known = request(&service, &scope, Some(&me));
        assert_eq!(
            known.headers,
            [("authorization", "Basic bWU6c2VjcmV0".to_owned())]
        );
        assert!(!format!("{known:?}").contains("bWU6"), "{known:?}");

        let identity = request(&service, &scope, Some(&Secret::Identity("a&b".to_owned())));
        assert_eq!(
            (identity.method, identity.url.to_string().as_str()),
            ("POST", "https://auth.docker.io/token?x=y")
        );
        assert_eq!(
            String::from_utf8(identity.body.unwrap()).unwrap(),
            "grant_type=refresh_token&client_id=image-factory&service=registry.docker.io\
             &scope=repository%3Alibrary%2Fnode%3Apull&refresh_token=a%26b"
        );
    }

    #[test]
    fn tokens_are_read_in_both_spellings() {
        let realm = url("https://a.io/token?account=me");
        let got = |body: &str| {
            let answer = Answer {
                status: 200,
                headers: Vec::new(),
                body: body.into(),
            };
            read(&realm, &answer).map(|token| (token.text, token.lifetime.as_secs()))
        };
        let token = |text: &str, seconds| Ok((text.to_owned(), seconds));
        assert_eq!(got(r#"{"token":"t","expires_in":300}"#), token("t", 240));
        assert_eq!(got(r#"{"access_token":"t"}"#), token("t", 48));
        assert_eq!(
            got(r#"{"token":"","access_token":"t","expires_in":0}"#),
            token("t", 48)
        );
        assert_eq!(
            got(r#"{"token":"t","expires_in":1e300}"#),
            token("t", 69_120)
        );
        for body in [
            "",
            "<html>secret",
            "{}",
            r#"{"token":"a\r\nX: y"}"#,
            r#"{"token":1}"#,
        ] {
            let error = got(body).unwrap_err();
            assert_eq!(error.kind, Kind::Garbage, "{body}");
            assert!(!error.reason.contains("secret"), "{error}");
            assert!(!error.reason.contains("account"), "{error}");
        }
    }
}
