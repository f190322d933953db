//! What GitHub and GitLab have in common: requests as data, and answers read into the
//! same words. Nothing in here sends.

use std::collections::BTreeSet;
use std::time::Duration;

use image_factory::diagnostics::{Code, Diagnostic, code};
use image_factory::model::{Input, Provider, Time};

use super::run::Run;
use crate::http::date::retry_after;
use crate::http::said::{line, message};
use crate::http::{Answer, Request, Trouble};

/// No answer of use is larger: a page of a hundred runs has less than two megabytes.
pub(super) const LIMIT: usize = 8 << 20;
/// So long a host wants to be left alone if it does not say how long (GitHub's
/// documentation: at least one minute).
const REST: Duration = Duration::from_secs(60);

/// A host that builds are started on: which requests are sent, and what their answers
/// mean. Requests bear no access token.
pub(super) trait Api {
    /// Starts a build; `None` if no address can be made.
    fn start(&self, start: &Start<'_>) -> Option<Request>;
    /// What the answer to that means.
    fn started(&self, answer: &Answer, now: Time) -> Posted;
    /// Lists runs made since; the first page.
    fn runs(&self, since: Time) -> Option<Request>;
    /// The runs of a page; `None` if it is none.
    fn listed(&self, answer: &Answer) -> Option<Vec<Run>>;
    /// Looks at one run, which [`super::run::is_id`].
    fn run(&self, id: &str) -> Option<Request>;
    /// A run; `None` if the answer is none.
    fn read(&self, answer: &Answer) -> Option<Run>;
    /// Asks for what a run was started with, where that can be read.
    fn variables(&self, id: &str) -> Option<Request>;
    /// Was a run started with the inputs that are sent? `None`: the answer does not say.
    fn is_ours(&self, answer: &Answer, inputs: &[(Input, &str)]) -> Option<bool>;
    /// Does an access token go with the request that starts a build?
    fn starts_by_access_token(&self) -> bool;
}

/// What a build is started with.
pub(super) struct Start<'a> {
    /// In the order in which they are sent.
    pub(super) inputs: Vec<(Input, &'a str)>,
    /// Those that the workflow does not want.
    pub(super) without: BTreeSet<String>,
    /// Whether the answer is to name the run.
    pub(super) details: bool,
}

impl Start<'_> {
    /// The inputs that are sent.
    pub(super) fn sent(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.inputs
            .iter()
            .map(|(input, value)| (input.as_str(), *value))
            .filter(|(name, _)| !self.without.contains(*name))
    }
}

/// What became of a request that starts a build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Posted {
    /// It was taken.
    Started {
        run: Option<String>,
        link: Option<String>,
    },
    /// Nothing was started, because of inputs of these names.
    Unexpected(BTreeSet<String>),
    /// Nothing was started, and would not be another time.
    Refused(Refusal),
    /// Nothing was started; the token is not accepted.
    Unauthorized(Refusal),
    /// Nothing was started; there were too many requests.
    Limited { wait: Duration, why: String },
    /// It was not sent at all.
    Unsent(String),
    /// It was sent, and nobody knows.
    Unknown { code: Code, why: String },
}

/// The host as people call it.
pub(super) const fn host(provider: Provider) -> &'static str {
    match provider {
        Provider::GitHub => "GitHub",
        Provider::GitLab => "GitLab",
    }
}

/// A no.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) code: Code,
    /// In the host's words, with its status.
    pub(super) why: String,
    /// What to do.
    pub(super) help: String,
}

impl Refusal {
    pub(super) fn new(code: Code, answer: &Answer, help: impl Into<String>) -> Self {
        Self {
            code,
            why: why(answer),
            help: help.into(),
        }
    }

    pub(super) fn diagnostic(&self, what: &str) -> Diagnostic {
        Diagnostic::error(self.code, format!("{what}: {}", self.why)).help(self.help.clone())
    }
}

/// What a host says, in a line: `status 404: Not Found`.
pub(super) fn why(answer: &Answer) -> String {
    let words = line(&message(answer), 300);
    if words.is_empty() {
        format!("status {}", answer.status)
    } else {
        format!("status {}: {words}", answer.status)
    }
}

/// How long a host wants to be left alone, if that is why it refuses.
pub(super) fn limited(answer: &Answer, now: Time) -> Option<Duration> {
    let header = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| answer.header(name)?.trim().parse::<i64>().ok())
    };
    let used_up = header(["x-ratelimit-remaining", "ratelimit-remaining"]) == Some(0);
    let words = message(answer).to_ascii_lowercase();
    let said = ["rate limit", "abuse detection", "too many pipelines"]
        .iter()
        .any(|part| words.contains(part));
    let is = match answer.status {
        429 => true,
        403 => said || used_up || answer.header("retry-after").is_some(),
        // GitLab's limit on new pipelines comes as an error of validation.
        400 => words.contains("too many pipelines"),
        _ => false,
    };
    if !is {
        return None;
    }
    let seconds = now.unix_seconds();
    let unix = u64::try_from(seconds).unwrap_or(0);
    let reset = header(["x-ratelimit-reset", "ratelimit-reset"])
        .filter(|_| used_up)
        .map(|reset| {
            let left = reset.saturating_sub(seconds).max(0);
            Duration::from_secs(u64::try_from(left).unwrap_or(0) + 1)
        });
    Some(retry_after(answer, unix).or(reset).unwrap_or(REST))
}

/// What an answer means that says the same on every host; `None`: it depends.
pub(super) fn usual(answer: &Answer, now: Time) -> Option<Posted> {
    if let Some(wait) = limited(answer, now) {
        let why = why(answer);
        return Some(Posted::Limited { wait, why });
    }
    match answer.status {
        300..=399 => Some(Posted::Refused(moved(answer))),
        408 | 425 | 500..=599 => Some(Posted::Unknown {
            code: code::TRIGGER_UNREACHABLE,
            why: why(answer),
        }),
        _ => None,
    }
}

/// A redirect, which nothing was done for.
pub(super) fn moved(answer: &Answer) -> Refusal {
    Refusal {
        code: code::TRIGGER_ANSWER,
        why: format!("status {}: a redirect, which is not followed with a token", answer.status),
        help: "if the repository was renamed or moved, correct `source.repo`; if the API is elsewhere, `settings.providers` names its address".to_owned(),
    }
}

/// What it means that there is no answer.
pub(super) fn unanswered(trouble: &Trouble) -> Posted {
    let why = trouble.to_string();
    match trouble {
        Trouble::NoSuchHost
        | Trouble::Timeout("connection")
        | Trouble::Tls(_)
        | Trouble::NoRoots(_)
        | Trouble::Authority(_) => Posted::Unsent(why),
        // Nobody was there to take anything.
        Trouble::Connection(why) if why.contains("onnection refused") => {
            Posted::Unsent(why.clone())
        }
        Trouble::Connection(_) | Trouble::Timeout(_) => Posted::Unknown {
            code: code::TRIGGER_UNREACHABLE,
            why,
        },
        Trouble::TooLarge(_) | Trouble::Protocol(_) => Posted::Unknown {
            code: code::TRIGGER_ANSWER,
            why,
        },
    }
}

/// Why a lookup has no result that can be used.
pub(super) fn unusable(answer: &Answer, now: Time) -> (Code, String) {
    if limited(answer, now).is_some() {
        return (code::TRIGGER_RATE_LIMIT, why(answer));
    }
    let code = match answer.status {
        401 => code::TRIGGER_TOKEN,
        403 => code::TRIGGER_FORBIDDEN,
        404 => code::TRIGGER_NOT_FOUND,
        300..=399 => return (code::TRIGGER_ANSWER, moved(answer).why),
        408 | 425 | 500..=599 => code::TRIGGER_UNREACHABLE,
        200..=299 => {
            let why = format!("the answer (status {}) is not the API's", answer.status);
            return (code::TRIGGER_ANSWER, why);
        }
        _ => code::TRIGGER_REFUSED,
    };
    (code, why(answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        Answer {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            body: body.into(),
        }
    }

    #[test]
    fn limits_are_told_from_refusals_and_say_how_long() {
        let now = Time::from_unix_seconds(1_793_000_000);
        let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait"}"#;
        for (answer, wait) in [
            (answer(429, &[("retry-after", "7")], ""), Some(7)),
            (answer(403, &[("retry-after", "7")], "{}"), Some(7)),
            (answer(403, &[], secondary), Some(60)),
            (
                answer(
                    403,
                    &[
                        ("x-ratelimit-remaining", "0"),
                        ("x-ratelimit-reset", "1793000030"),
                    ],
                    "{}",
                ),
                Some(31),
            ),
            (
                answer(
                    429,
                    &[
                        ("ratelimit-remaining", "0"),
                        ("ratelimit-reset", "1793000030"),
                    ],
                    "Retry later",
                ),
                Some(31),
            ),
            (
                answer(
                    429,
                    &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")],
                    "",
                ),
                Some(1),
            ),
            // The hour's requests are not used up, so its end is none of our business.
            (
                answer(
                    403,
                    &[
                        ("x-ratelimit-remaining", "4000"),
                        ("x-ratelimit-reset", "1793003600"),
                    ],
                    secondary,
                ),
                Some(60),
            ),
            (
                answer(
                    400,
                    &[],
                    r#"{"message":{"base":["Too many pipelines created in the last minute. Try again later."]}}"#,
                ),
                Some(60),
            ),
            (
                answer(
                    403,
                    &[("x-ratelimit-remaining", "4999")],
                    r#"{"message":"Resource not accessible by integration"}"#,
                ),
                None,
            ),
            (
                answer(400, &[], r#"{"message":{"base":["Reference not found"]}}"#),
                None,
            ),
            (answer(503, &[("retry-after", "7")], ""), None),
            (answer(204, &[("x-ratelimit-remaining", "0")], ""), None),
        ] {
            let got = limited(&answer, now).map(|wait| wait.as_secs());
            assert_eq!(got, wait, "{answer:?}");
        }
    }

    #[test]
    fn what_was_not_sent_is_told_from_what_nobody_knows() {
        for (trouble, unsent) in [
            (Trouble::NoSuchHost, true),
            (Trouble::Timeout("connection"), true),
            (Trouble::Tls("x".into()), true),
            (Trouble::NoRoots("x".into()), true),
            (Trouble::Authority("x".into()), true),
            (Trouble::Timeout("answer"), false),
            (
                Trouble::Connection("Connection refused (os error 111)".into()),
                true,
            ),
            (
                Trouble::Connection("Connection reset by peer".into()),
                false,
            ),
            (Trouble::TooLarge(1), false),
            (Trouble::Protocol("x".into()), false),
        ] {
            let posted = unanswered(&trouble);
            assert_eq!(matches!(posted, Posted::Unsent(_)), unsent, "{posted:?}");
        }
    }

    #[test]
    fn what_a_host_says_is_one_short_line() {
        let evil = answer(422, &[], "{\"message\":\"a\\n\\u001b[31mb\\u202e\"}");
        assert_eq!(why(&evil), "status 422: a [31mb");
        assert_eq!(why(&answer(502, &[], "<html>x</html>")), "status 502");
        let long = why(&answer(400, &[], &"x".repeat(5000)));
        assert!(long.chars().count() < 320, "{long}");
    }
}
