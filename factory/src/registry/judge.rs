//! What to do about an answer, as pure functions.

use std::time::Duration;

use serde::Deserialize;

use super::error::{Kind, RegistryError, excerpt, wait_text};
use crate::http::date::retry_after;
use crate::http::{Answer, Trouble, Url};

/// How patient we are.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How often a request is sent at most.
    pub attempts: u32,
    /// The pause after the first failure; it doubles.
    pub pause: Duration,
    /// The longest wait that a registry may ask for; beyond it we give up and say so.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 4,
            pause: Duration::from_millis(500),
            longest: Duration::from_secs(60),
        }
    }
}

/// What to do after an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// The answer is to be used.
    Use,
    /// Ask again after this pause.
    Again(Duration),
    /// Ask again after this wait, which holds for the whole host.
    Rest(Duration),
    /// Give up.
    Fail(RegistryError),
}

/// Judges an attempt, the `attempt`-th counted from 1. `jitter` is from 0 to 1,
/// `now` is Unix time.
pub(super) fn next(
    host: &str,
    outcome: &Result<Answer, Trouble>,
    attempt: u32,
    patience: &Patience,
    jitter: f64,
    now: u64,
) -> Next {
    let last = attempt >= patience.attempts;
    match outcome {
        Err(trouble) if !last && is_transient(trouble) => {
            Next::Again(backoff(patience, attempt, jitter))
        }
        Err(trouble) => Next::Fail(RegistryError::trouble(host, trouble)),
        Ok(answer) => match answer.status {
            429 => limited(
                host,
                answer,
                last,
                patience,
                backoff(patience, attempt, jitter),
                now,
            ),
            408 | 425 | 500 | 502..=504 if !last => {
                // 503 may say when to come back.
                let asked = retry_after(answer, now);
                match asked {
                    Some(wait) if wait > patience.longest => Next::Fail(broken(host, answer)),
                    Some(wait) => Next::Again(wait.max(backoff(patience, attempt, jitter))),
                    None => Next::Again(backoff(patience, attempt, jitter)),
                }
            }
            408 | 425 | 500..=599 => Next::Fail(broken(host, answer)),
            _ => Next::Use,
        },
    }
}

/// What may go away by itself. A name that is not known and a certificate that is
/// not trusted stay so.
const fn is_transient(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Connection(_) | Trouble::Timeout(_))
}

/// Doubles with each attempt, up to half a minute; between half and all of it.
fn backoff(patience: &Patience, attempt: u32, jitter: f64) -> Duration {
    let doubled = patience
        .pause
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    let whole = doubled.min(Duration::from_secs(30));
    whole.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

fn limited(
    host: &str,
    answer: &Answer,
    last: bool,
    patience: &Patience,
    backoff: Duration,
    now: u64,
) -> Next {
    let wait = retry_after(answer, now);
    match wait {
        Some(wait) if wait <= patience.longest && !last => {
            return Next::Rest(wait.max(backoff));
        }
        None if !last => return Next::Rest(backoff),
        _ => {}
    }
    let mut reason = format!("`{host}` has had too many requests from here");
    if let Some(limit) = limit_text(answer) {
        reason.push_str(&format!(" ({limit})"));
    }
    let mut help = match wait {
        Some(wait) => format!("try again in {}", wait_text(wait)),
        None => "try again later".to_owned(),
    };
    if host == "registry-1.docker.io" {
        help.push_str("; Docker Hub allows more to who is logged in: docker login");
    }
    Next::Fail(RegistryError::new(Kind::RateLimited { wait }, reason).help(help))
}

/// `RateLimit-Limit: 100;w=21600` as people say it.
fn limit_text(answer: &Answer) -> Option<String> {
    let (count, rest) = answer.header("ratelimit-limit")?.split_once(";w=")?;
    let (count, window): (u32, u64) = (count.parse().ok()?, rest.parse().ok()?);
    let window = wait_text(Duration::from_secs(window.min(31_536_000)));
    Some(format!("{count} in {window} are allowed"))
}

fn broken(host: &str, answer: &Answer) -> RegistryError {
    let said = said(answer).map_or_else(String::new, |said| format!(": {said}"));
    RegistryError::new(
        Kind::Unreachable,
        format!("`{host}` answers {}{said}", answer.status),
    )
    .help("the registry has a fault of its own; try again later")
}

#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<One>,
    details: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct One {
    code: Option<String>,
    message: Option<String>,
}

fn errors(answer: &Answer) -> Option<Errors> {
    serde_json::from_slice(&answer.body).ok()
}

/// The code of the first error that an answer names, such as `NAME_UNKNOWN`.
pub(super) fn code_of(answer: &Answer) -> Option<String> {
    errors(answer)?.errors.into_iter().next()?.code
}

/// What an answer says of its error, in a line.
pub(super) fn said(answer: &Answer) -> Option<String> {
    let errors = errors(answer)?;
    let first = errors.errors.into_iter().next();
    let text = match first {
        Some(One { code, message }) => message.filter(|text| !text.is_empty()).or(code),
        None => errors.details.or(errors.message),
    };
    text.map(|text| excerpt(&text))
        .filter(|text| !text.is_empty())
}

/// Where a redirect leads, and whether credentials may go along.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Redirect {
    /// To the same server.
    Within(Url),
    /// To another one, which gets no credentials.
    Away(Url),
}

/// The redirect of an answer from `from`; `None`: it is none.
pub(super) fn redirect(
    from: &Url,
    answer: &Answer,
    insecure: impl Fn(&Url) -> bool,
) -> Option<Result<Redirect, RegistryError>> {
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = answer.header("location").unwrap_or_default();
    let Some(to) = from.join(location) else {
        return Some(Err(RegistryError::garbage(
            "it answers with a redirect to no address",
        )));
    };
    if to.same_server(from) {
        return Some(Ok(Redirect::Within(to)));
    }
    Some(away(from, &to, insecure).map(|()| Redirect::Away(to)))
}

/// May a server send us there? Not from TLS to plain text, nor from elsewhere to
/// this machine, where others trust who knocks.
pub(super) fn away(
    from: &Url,
    to: &Url,
    insecure: impl Fn(&Url) -> bool,
) -> Result<(), RegistryError> {
    let refuse = |why: &str| {
        Err(RegistryError::new(
            Kind::Unsafe,
            format!(
                "`{}` sends us to `{}`, {why}",
                from.authority(),
                excerpt(&crate::http::url::Shown(to).to_string())
            ),
        )
        .help("nothing was sent there; ask those who run the registry"))
    };
    if to.is_loopback() && !from.is_loopback() {
        return refuse("which is this machine");
    }
    if !to.is_tls() && (from.is_tls() || !(to.is_loopback() || insecure(to))) {
        return refuse("which is not encrypted");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        Answer {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.into(),
        }
    }

    const NOW: u64 = 1_793_000_000;

    fn judged(outcome: Result<Answer, Trouble>, attempt: u32) -> Next {
        next("a.io", &outcome, attempt, &Patience::default(), 1.0, NOW)
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        let after = |millis| Next::Again(Duration::from_millis(millis));
        for status in [200, 304, 307, 401, 403, 404, 405, 418] {
            assert_eq!(
                judged(Ok(answer(status, &[], "")), 1),
                Next::Use,
                "{status}"
            );
        }
        for status in [408, 425, 500, 502, 503, 504] {
            let got = judged(Ok(answer(status, &[], "")), 2);
            assert_eq!(got, after(1000), "{status}");
            let Next::Fail(error) = judged(Ok(answer(status, &[], "")), 4) else {
                panic!("{status} for ever");
            };
            assert_eq!(error.kind, Kind::Unreachable);
        }
        let Next::Fail(error) = judged(Ok(answer(501, &[], "")), 1) else {
            panic!("501 is no passing fault");
        };
        assert!(error.reason.contains("501"), "{error}");
        for (trouble, again) in [
            (Trouble::Connection("reset".into()), true),
            (Trouble::Timeout("answer"), true),
            (Trouble::NoSuchHost, false),
            (Trouble::Tls("unknown issuer".into()), false),
            (Trouble::TooLarge(7), false),
            (Trouble::Protocol("x".into()), false),
        ] {
            let got = judged(Err(trouble.clone()), 1);
            assert_eq!(got == after(500), again, "{trouble:?} {got:?}");
            assert!(matches!(judged(Err(trouble), 4), Next::Fail(_)));
        }
        let busy = answer(503, &[("retry-after", "7")], "");
        assert_eq!(judged(Ok(busy), 1), after(7000));
        let long = answer(503, &[("retry-after", "7000")], "");
        assert!(matches!(judged(Ok(long), 1), Next::Fail(_)));
    }

    #[test]
    fn limits_are_kept() {
        let rest = |seconds| Next::Rest(Duration::from_secs(seconds));
        let limited = |value: &str| answer(429, &[("retry-after", value)], "");
        assert_eq!(judged(Ok(limited("5")), 1), rest(5));
        assert_eq!(judged(Ok(limited("60")), 1), rest(60));
        let unsaid = judged(Ok(answer(429, &[], "")), 1);
        assert_eq!(unsaid, Next::Rest(Duration::from_millis(500)));
        for (answer, attempt, wait, words) in [
            (limited("61"), 1, Some(61), "in 61 s"),
            (limited("5"), 4, Some(5), "in 5 s"),
            (limited("1793003600"), 1, Some(3600), "in 1 h"),
            (answer(429, &[], ""), 4, None, "later"),
        ] {
            let Next::Fail(error) = judged(Ok(answer), attempt) else {
                panic!("{words}");
            };
            let wait = wait.map(Duration::from_secs);
            assert_eq!(error.kind, Kind::RateLimited { wait });
            assert!(error.help.as_deref().unwrap().contains(words), "{error:?}");
        }
        let hub = answer(
            429,
            &[("retry-after", "900"), ("ratelimit-limit", "100;w=21600")],
            "",
        );
        let Next::Fail(error) = next(
            "registry-1.docker.io",
            &Ok(hub),
            1,
            &Patience::default(),
            0.0,
            NOW,
        ) else {
            panic!("too long");
        };
        assert!(error.reason.contains("100 in 6 h"), "{error}");
        assert!(error.help.unwrap().contains("docker login"));
    }

    #[test]
    fn pauses_grow_and_vary() {
        let patience = Patience::default();
        let millis = |attempt, jitter| backoff(&patience, attempt, jitter).as_millis();
        assert_eq!((millis(1, 0.0), millis(1, 1.0)), (250, 500));
        assert_eq!((millis(3, 0.0), millis(3, 1.0)), (1000, 2000));
        assert_eq!(millis(99, 1.0), 30_000);
    }

    #[test]
    fn redirects_lead_nowhere_unsafe() {
        let url = |text: &str| Url::parse(text).unwrap();
        let insecure = |to: &Url| to.authority() == "plain.example.com";
        let judge = |from: &str, location: &str| {
            let answer = answer(307, &[("location", location)], "");
            match redirect(&url(from), &answer, insecure).unwrap() {
                Ok(Redirect::Within(to)) => format!("within {to}"),
                Ok(Redirect::Away(to)) => format!("away {to}"),
                Err(error) => format!("{:?}", error.kind),
            }
        };
        for (from, location, is) in [
            ("https://a.io/v2/x", "/v2/y", "within https://a.io/v2/y"),
            (
                "https://a.io/v2/x",
                "https://A.io:443/y",
                "within https://a.io/y",
            ),
            (
                "https://a.io/v2/x",
                "https://cdn.io/y",
                "away https://cdn.io/y",
            ),
            (
                "https://a.io/v2/x",
                "https://a.io:5000/y",
                "away https://a.io:5000/y",
            ),
            ("https://a.io/v2/x", "http://a.io/y", "Unsafe"),
            ("https://a.io/v2/x", "http://plain.example.com/y", "Unsafe"),
            ("https://a.io/v2/x", "https://127.0.0.1/y", "Unsafe"),
            ("https://a.io/v2/x", "https://localhost:8443/y", "Unsafe"),
            (
                "http://127.0.0.1:5000/x",
                "http://127.0.0.1:5001/y",
                "away http://127.0.0.1:5001/y",
            ),
            ("http://127.0.0.1:5000/x", "http://b.io/y", "Unsafe"),
            (
                "http://127.0.0.1:5000/x",
                "https://b.io/y",
                "away https://b.io/y",
            ),
            (
                "http://127.0.0.1:5000/x",
                "http://plain.example.com/y",
                "away http://plain.example.com/y",
            ),
            ("https://a.io/v2/x", "https://me:pw@a.io/y", "Garbage"),
            ("https://a.io/v2/x", "", "Garbage"),
            ("https://a.io/v2/x", "gopher://a.io/", "Garbage"),
        ] {
            assert_eq!(judge(from, location), is, "{from} to {location}");
        }
        assert_eq!(
            redirect(
                &url("https://a.io/"),
                &answer(200, &[("location", "/x")], ""),
                insecure
            ),
            None
        );
    }

    #[test]
    fn errors_are_read_as_registries_write_them() {
        let unknown = answer(
            404,
            &[],
            r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known\nto registry"}]}"#,
        );
        assert_eq!(code_of(&unknown).as_deref(), Some("NAME_UNKNOWN"));
        assert_eq!(
            said(&unknown).as_deref(),
            Some("repository name not known to registry")
        );
        let hub = answer(401, &[], r#"{"details":"incorrect username or password"}"#);
        assert_eq!(
            said(&hub).as_deref(),
            Some("incorrect username or password")
        );
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"errors":[]}"#,
            r#"{"errors":[{}]}"#,
        ] {
            let answer = answer(404, &[], body);
            assert_eq!((code_of(&answer), said(&answer)), (None, None), "{body}");
        }
    }
}
