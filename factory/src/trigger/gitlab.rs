//! GitLab: pipelines, started by a trigger token or by an access token.

use image_factory::diagnostics::code;
use image_factory::model::{Input, Parse as _, ProviderSettings, Source, Time};
use serde_json::{Map, Value, json};

use super::api::{Api, LIMIT, Posted, Refusal, Start, usual};
use super::github::id;
use super::run::{Run, State, link};
use crate::http::said::message;
use crate::http::url::encode;
use crate::http::{Answer, Request, Url};

/// The variable that names the job of `source.job`.
const JOB: &str = "JOB";

/// A project and its pipelines.
pub(super) struct Project<'a> {
    api: &'a str,
    web: String,
    source: &'a Source,
    /// The trigger token, if pipelines are started by one.
    trigger: Option<&'a str>,
}

impl<'a> Project<'a> {
    pub(super) fn new(
        settings: &'a ProviderSettings,
        source: &'a Source,
        trigger: Option<&'a str>,
    ) -> Self {
        Self {
            api: settings.api.as_str(),
            web: settings.web(),
            source,
            trigger,
        }
    }

    fn request(&self, method: &'static str, path: &str) -> Option<Request> {
        let project = encode(self.source.repo.as_str());
        let url = format!("{}/projects/{project}/{path}", self.api);
        Some(Request::new(method, Url::parse(&url)?, LIMIT).header("accept", "application/json"))
    }

    fn link(&self, given: Option<&Value>, id: &str) -> String {
        let given = given.and_then(Value::as_str);
        let home = Url::parse(self.api);
        given
            .zip(home.as_ref())
            .and_then(|(text, home)| link(text, home))
            .unwrap_or_else(|| format!("{}/{}/-/pipelines/{id}", self.web, self.source.repo))
    }

    /// What GitLab says of pipelines that were started our way.
    const fn kind(&self) -> &'static str {
        match self.trigger {
            Some(_) => "trigger",
            None => "api",
        }
    }

    fn one(&self, body: &Value) -> Option<Run> {
        let id = id(body.get("id")?)?;
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        Some(Run {
            link: self.link(body.get("web_url"), &id),
            id,
            title: text("name").unwrap_or_default().to_owned(),
            created: text("created_at").and_then(|text| Time::parse(text).ok()),
            state: state(text("status")?),
        })
    }

    /// Is a listed pipeline one that was started our way, on our branch?
    fn fits(&self, body: &Value) -> bool {
        let is = |key: &str, wanted: &str| {
            body.get(key)
                .and_then(Value::as_str)
                .is_none_or(|value| value == wanted)
        };
        is("source", self.kind()) && is("ref", self.source.branch.as_str())
    }

    fn refused(&self, answer: &Answer) -> Posted {
        let (repo, branch) = (&self.source.repo, &self.source.branch);
        let words = message(answer).to_ascii_lowercase();
        let has = |part: &str| words.contains(part);
        let refusal = |code, help: String| Posted::Refused(Refusal::new(code, answer, help));
        match answer.status {
            401 => Posted::Unauthorized(Refusal::new(
                code::TRIGGER_TOKEN,
                answer,
                "the token has expired or was revoked: make a new one, and put it where the old one was",
            )),
            400 | 403 if has("set pipeline variables") => refusal(
                code::TRIGGER_FORBIDDEN,
                format!(
                    "let the token's role use pipeline variables: in {repo}, Settings, CI/CD, Variables, Minimum role to use pipeline variables"
                ),
            ),
            403 if has("insufficient_scope") => refusal(
                code::TRIGGER_FORBIDDEN,
                "give the access token the scope `api`, or set a trigger token".to_owned(),
            ),
            403 => refusal(
                code::TRIGGER_FORBIDDEN,
                format!(
                    "the token's user needs the role Developer in {repo}, and to be allowed to merge to `{branch}` where that is protected; an archived project runs nothing"
                ),
            ),
            404 if self.trigger.is_some() => refusal(
                code::TRIGGER_NOT_FOUND,
                format!(
                    "a trigger token is for one project: look whether it is one of {repo}, and whether `source.repo` is right"
                ),
            ),
            404 => refusal(
                code::TRIGGER_NOT_FOUND,
                format!("look whether `source.repo` is right, and whether the token sees {repo}"),
            ),
            400 | 422 if has("reference not found") => refusal(
                code::TRIGGER_NOT_FOUND,
                format!("{repo} has no branch `{branch}`; `source.branch` names another"),
            ),
            400 | 422 if has("ci config") || has("yaml") => refusal(
                code::NOT_STARTABLE,
                format!(
                    "look at `{}` on branch `{branch}` of {repo}: GitLab does not find it, or cannot read it",
                    self.source.pipeline
                ),
            ),
            400 | 422 if has("rules") || has("no stages") || has("filtered out") => refusal(
                code::NOT_STARTABLE,
                format!(
                    "let a job of `{}` run where `$CI_PIPELINE_SOURCE == \"{}\"`",
                    self.source.pipeline,
                    self.kind()
                ),
            ),
            _ => refusal(
                code::TRIGGER_REFUSED,
                format!(
                    "look at `{}` on branch `{branch}` of {repo}",
                    self.source.pipeline
                ),
            ),
        }
    }
}

/// The name of an input as a variable: in capitals.
fn variable(name: &str) -> String {
    name.to_ascii_uppercase()
}

impl Api for Project<'_> {
    fn start(&self, start: &Start<'_>) -> Option<Request> {
        let mut variables: Vec<(String, &str)> = start
            .sent()
            .map(|(name, value)| (variable(name), value))
            .collect();
        if let Some(job) = &self.source.job {
            variables.push((JOB.to_owned(), job.as_str()));
        }
        let branch = self.source.branch.as_str();
        let (path, body) = match self.trigger {
            Some(token) => {
                let variables: Map<String, Value> = variables
                    .into_iter()
                    .map(|(name, value)| (name, value.into()))
                    .collect();
                // In the body, where no log of addresses keeps it.
                let body = json!({"token": token, "ref": branch, "variables": variables});
                ("trigger/pipeline", body)
            }
            None => {
                let variables: Vec<Value> = variables
                    .into_iter()
                    .map(|(name, value)| json!({"key": name, "value": value}))
                    .collect();
                ("pipeline", json!({"ref": branch, "variables": variables}))
            }
        };
        let mut request = self
            .request("POST", path)?
            .header("content-type", "application/json");
        request.body = Some(body.to_string().into_bytes());
        Some(request)
    }

    fn started(&self, answer: &Answer, now: Time) -> Posted {
        if let Some(posted) = usual(answer, now) {
            return posted;
        }
        if !(200..=299).contains(&answer.status) {
            return self.refused(answer);
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match body.get("id").and_then(id) {
            Some(run) => Posted::Started {
                link: Some(self.link(body.get("web_url"), &run)),
                run: Some(run),
            },
            None => Posted::Unknown {
                code: code::TRIGGER_ANSWER,
                why: format!("the answer (status {}) is not the API's", answer.status),
            },
        }
    }

    fn runs(&self, since: Time) -> Option<Request> {
        let mut request = self.request("GET", "pipelines")?;
        // What was made since was also updated since, and every version knows this filter.
        request.url = request
            .url
            .with_query("ref", self.source.branch.as_str())
            .with_query("source", self.kind())
            .with_query("updated_after", &since.to_string())
            .with_query("order_by", "id")
            .with_query("sort", "desc")
            .with_query("per_page", "100");
        Some(request)
    }

    fn listed(&self, answer: &Answer) -> Option<Vec<Run>> {
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        let fitting = body.as_array()?.iter().filter(|body| self.fits(body));
        Some(fitting.filter_map(|body| self.one(body)).collect())
    }

    fn run(&self, id: &str) -> Option<Request> {
        self.request("GET", &format!("pipelines/{}", encode(id)))
    }

    fn read(&self, answer: &Answer) -> Option<Run> {
        self.one(&serde_json::from_slice(&answer.body).ok()?)
    }

    fn variables(&self, id: &str) -> Option<Request> {
        self.request("GET", &format!("pipelines/{}/variables", encode(id)))
    }

    fn is_ours(&self, answer: &Answer, inputs: &[(Input, &str)]) -> Option<bool> {
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        let all = body.as_array()?;
        let telling: Vec<_> = inputs
            .iter()
            .filter(|(input, _)| matches!(input, Input::Image | Input::Attempt))
            .collect();
        if telling.is_empty() {
            return None;
        }
        let has = |name: &str, value: &str| {
            all.iter().any(|one| {
                one.get("key").and_then(Value::as_str) == Some(name)
                    && one.get("value").and_then(Value::as_str) == Some(value)
            })
        };
        Some(
            telling
                .iter()
                .all(|(input, value)| has(&variable(input.as_str()), value)),
        )
    }

    fn starts_by_access_token(&self) -> bool {
        self.trigger.is_none()
    }
}

/// The status of a pipeline.
fn state(status: &str) -> State {
    match status {
        "success" => State::Succeeded,
        "failed" => State::Failed("the pipeline failed".to_owned()),
        "canceled" => State::Cancelled,
        "skipped" => State::Failed("the pipeline was skipped: no job of it ran".to_owned()),
        "manual" => State::Waits,
        // created, waiting_for_resource, preparing, pending, running, scheduled, canceling,
        // and what may come.
        _ => State::Open,
    }
}
