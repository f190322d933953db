//! A GitHub App's installation: a token for an hour against a signed question.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use image_factory::diagnostics::{Diagnostic, code};
use image_factory::model::{Parse as _, Time};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey;
use rustls::{SignatureAlgorithm, SignatureScheme};
use serde_json::{Value, json};

use super::{NoToken, Send};
use crate::http::said::{line, message};
use crate::http::{Answer, Request, Url};

/// The App's number, or its client id.
pub const APP_ID: &str = "GITHUB_APP_ID";
/// The number of its installation.
pub const INSTALLATION_ID: &str = "GITHUB_APP_INSTALLATION_ID";
/// The App's private key, PEM.
pub const PRIVATE_KEY: &str = "GITHUB_APP_PRIVATE_KEY";

/// A token, and until when it lasts.
pub(super) struct Minted {
    pub(super) token: String,
    pub(super) until: Time,
}

/// An App that is installed somewhere.
pub(super) struct App {
    id: String,
    installation: String,
    key: Arc<dyn SigningKey>,
    pem: String,
}

impl App {
    /// The App of the environment, if one is named.
    pub(super) fn read(
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, Diagnostic> {
        let all = [APP_ID, INSTALLATION_ID, PRIVATE_KEY].map(|name| (name, variable(name)));
        if all.iter().all(|(_, value)| value.is_none()) {
            return Ok(None);
        }
        if let Some((name, _)) = all.iter().find(|(_, value)| value.is_none()) {
            return Err(wrong(format!(
                "a GitHub App is configured, but the variable `{name}` is not set"
            )));
        }
        let [id, installation, pem] = all.map(|(_, value)| value.unwrap_or_default());
        if !id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        {
            return Err(wrong(format!(
                "what `{APP_ID}` holds is no number of an App and no client id"
            )));
        }
        if !installation.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong(format!(
                "what `{INSTALLATION_ID}` holds is no number"
            )));
        }
        // Files of variables have no line breaks.
        let pem = pem.replace("\\n", "\n");
        let key = key(&pem).ok_or_else(|| {
            wrong(format!(
                "what `{PRIVATE_KEY}` holds is no private RSA key as PEM"
            ))
        })?;
        Ok(Some(Self {
            id,
            installation,
            key,
            pem,
        }))
    }

    /// The key, which no message may show.
    pub(super) fn key(&self) -> &str {
        &self.pem
    }

    /// Asks for a token.
    pub(super) fn mint(&self, api: &str, now: Time, send: Send<'_>) -> Result<Minted, NoToken> {
        let refused = |passing: bool, why: String| NoToken {
            passing,
            diagnostic: wrong(format!(
                "GitHub gives no token to installation {} of App {}: {why}",
                self.installation, self.id
            )),
        };
        let request = self
            .question(api, now)
            .ok_or_else(|| refused(false, "the key does not sign".to_owned()))?;
        let answer = send(&request).map_err(|trouble| refused(true, trouble.to_string()))?;
        let status = answer.status;
        match status {
            200 | 201 => read(&answer).ok_or_else(|| {
                refused(
                    true,
                    format!("the answer (status {status}) is not the API's"),
                )
            }),
            300..=399 => Err(refused(
                false,
                format!("the API answers with a redirect (status {status}), which is not followed"),
            )),
            _ => Err(refused(
                matches!(status, 403 | 408 | 429 | 500..=599),
                format!("status {status}: {}", line(&message(&answer), 300)),
            )),
        }
    }

    fn question(&self, api: &str, now: Time) -> Option<Request> {
        let url = format!(
            "{api}/app/installations/{}/access_tokens",
            self.installation
        );
        let mut request = Request::new("POST", Url::parse(&url)?, 1 << 20)
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.signed(now)?));
        request.body = Some(b"{}".to_vec());
        Some(request)
    }

    /// A JSON web token, RS256: issued a minute ago, as clocks differ, and good for less
    /// than the ten minutes that GitHub allows.
    fn signed(&self, now: Time) -> Option<String> {
        let now = now.unix_seconds();
        let head = json!({"alg": "RS256", "typ": "JWT"});
        let claims = json!({"iat": now - 60, "exp": now + 540, "iss": self.id});
        let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = format!("{}.{}", encode(head), encode(claims));
        let signer = self
            .key
            .choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256])?;
        let signature = signer.sign(text.as_bytes()).ok()?;
        Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// An RSA key in either of its forms (PKCS #1, PKCS #8).
fn key(pem: &str) -> Option<Arc<dyn SigningKey>> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()?;
    let key = rustls::crypto::ring::sign::any_supported_type(&der).ok()?;
    (key.algorithm() == SignatureAlgorithm::RSA).then_some(key)
}

fn read(answer: &Answer) -> Option<Minted> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let token = body.get("token")?.as_str()?;
    let until = Time::parse(body.get("expires_at")?.as_str()?).ok()?;
    let fits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| Minted {
        token: token.to_owned(),
        until,
    })
}

fn wrong(message: String) -> Diagnostic {
    Diagnostic::error(code::APP_TOKEN, message).help(format!(
        "set `{APP_ID}`, `{INSTALLATION_ID}` and `{PRIVATE_KEY}`, all three of one App, or none of them"
    ))
}
