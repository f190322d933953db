//! GitHub: `workflow_dispatch`, and the runs that come of it.

use std::collections::BTreeSet;

use image_factory::diagnostics::code;
use image_factory::model::{Input, Parse as _, ProviderSettings, Source, Time};
use serde_json::{Map, Value, json};

use super::api::{Api, LIMIT, Posted, Refusal, Start, usual};
use super::run::{Run, State, is_id, link};
use crate::http::said::message;
use crate::http::url::encode;
use crate::http::{Answer, Request, Url};

/// The parameter that lets the answer name the run. Servers that do not know it refuse
/// it like an input.
pub(super) const DETAILS: &str = "return_run_details";

/// A workflow of a repository.
pub(super) struct Workflow<'a> {
    api: &'a str,
    web: String,
    source: &'a Source,
}

/// Does this API name the run in its answer, if it is asked to? Enterprise Server has
/// versions that do not.
pub(super) fn knows_details(api: &str) -> bool {
    Url::parse(api).is_some_and(|api| {
        api.authority() == "api.github.com" || api.authority().ends_with(".ghe.com")
    })
}

impl<'a> Workflow<'a> {
    pub(super) fn new(settings: &'a ProviderSettings, source: &'a Source) -> Self {
        Self {
            api: settings.api.as_str(),
            web: settings.web(),
            source,
        }
    }

    fn request(&self, method: &'static str, path: &str) -> Option<Request> {
        let url = format!("{}/repos/{}/actions/{path}", self.api, self.source.repo);
        Some(
            Request::new(method, Url::parse(&url)?, LIMIT)
                .header("accept", "application/vnd.github+json")
                .header("x-github-api-version", "2022-11-28"),
        )
    }

    fn link(&self, given: Option<&Value>, id: &str) -> String {
        let given = given.and_then(Value::as_str);
        let home = Url::parse(self.api);
        given
            .zip(home.as_ref())
            .and_then(|(text, home)| link(text, home))
            .unwrap_or_else(|| format!("{}/{}/actions/runs/{id}", self.web, self.source.repo))
    }

    fn one(&self, body: &Value) -> Option<Run> {
        let id = id(body.get("id")?)?;
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        Some(Run {
            link: self.link(body.get("html_url"), &id),
            id,
            title: text("display_title")
                .or_else(|| text("name"))
                .unwrap_or_default()
                .to_owned(),
            created: text("created_at").and_then(|text| Time::parse(text).ok()),
            state: state(text("status")?, text("conclusion")),
        })
    }

    /// Is a listed run one that was dispatched on our branch? Servers that do not know a
    /// filter list all runs.
    fn fits(&self, body: &Value) -> bool {
        let is = |key: &str, wanted: &str| {
            body.get(key)
                .and_then(Value::as_str)
                .is_none_or(|value| value == wanted)
        };
        is("event", "workflow_dispatch") && is("head_branch", self.source.branch.as_str())
    }

    fn refused(&self, answer: &Answer) -> Posted {
        let (repo, file, branch) = (
            &self.source.repo,
            &self.source.workflow,
            &self.source.branch,
        );
        let said = message(answer);
        let words = said.to_ascii_lowercase();
        let has = |part: &str| words.contains(part);
        let refusal = |code, help: String| Posted::Refused(Refusal::new(code, answer, help));
        match answer.status {
            401 => Posted::Unauthorized(Refusal::new(
                code::TRIGGER_TOKEN,
                answer,
                "the token has expired or was revoked: make a new one, and put it where the old one was",
            )),
            403 if answer.header("x-github-sso").is_some() || has("saml") => refusal(
                code::TRIGGER_FORBIDDEN,
                "authorize the token for the organization's single sign-on: Settings, Developer settings, the token, Configure SSO".to_owned(),
            ),
            403 if has("archived") => archived(answer, self.source),
            403 => {
                let wants = answer
                    .header("x-accepted-github-permissions")
                    .map_or_else(String::new, |wanted| {
                        format!(" (GitHub says: {})", crate::http::said::line(wanted, 80))
                    });
                refusal(
                    code::TRIGGER_FORBIDDEN,
                    format!(
                        "give the token `actions: write` for {repo}{wants}; a classic token needs the scope `repo`"
                    ),
                )
            }
            404 => refusal(
                code::TRIGGER_NOT_FOUND,
                format!(
                    "look whether `.github/workflows/{file}` is on the default branch of {repo}, and whether the token sees that repository; `source.workflow` names another file"
                ),
            ),
            400 | 422 if has("unexpected inputs") || has(DETAILS) => {
                Posted::Unexpected(names(&said))
            }
            422 if has("no ref found") => refusal(
                code::TRIGGER_NOT_FOUND,
                format!("{repo} has no branch `{branch}`; `source.branch` names another"),
            ),
            422 if has("does not have 'workflow_dispatch'") => refusal(
                code::NOT_STARTABLE,
                format!(
                    "add `workflow_dispatch:` below `on:` in `.github/workflows/{file}` on branch `{branch}`"
                ),
            ),
            422 if has("disabled") => refusal(
                code::NOT_STARTABLE,
                format!("enable it: gh workflow enable {file} --repo {repo}"),
            ),
            422 if has("archived") => archived(answer, self.source),
            422 if has("required input") => refusal(
                code::NOT_STARTABLE,
                format!(
                    "only image, base_image, base_digest, tag, reason and attempt are sent: give other inputs of `{file}` a default, or make them not required"
                ),
            ),
            _ => refusal(
                code::TRIGGER_REFUSED,
                format!("look at `.github/workflows/{file}` on branch `{branch}` of {repo}"),
            ),
        }
    }
}

fn archived(answer: &Answer, source: &Source) -> Posted {
    let help = format!(
        "{} is archived and builds nothing any more: retire the image, or name another `source.repo`",
        source.repo
    );
    Posted::Refused(Refusal::new(code::NOT_STARTABLE, answer, help))
}

/// The names in `Unexpected inputs provided: ["attempt", "tag"]`.
fn names(said: &str) -> BTreeSet<String> {
    let is_name = |text: &&str| Input::parse(text).is_ok() || *text == DETAILS;
    said.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(is_name)
        .map(str::to_owned)
        .collect()
}

impl Api for Workflow<'_> {
    fn start(&self, start: &Start<'_>) -> Option<Request> {
        let file = &self.source.workflow;
        let inputs: Map<String, Value> = start
            .sent()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let mut body = json!({"ref": self.source.branch.as_str(), "inputs": inputs});
        if start.details
            && let Some(body) = body.as_object_mut()
        {
            body.insert(DETAILS.to_owned(), true.into());
        }
        let mut request = self
            .request("POST", &format!("workflows/{file}/dispatches"))?
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
        if answer.body.is_empty() {
            return Posted::Started {
                run: None,
                link: None,
            };
        }
        let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
            return Posted::Unknown {
                code: code::TRIGGER_ANSWER,
                why: format!("the answer (status {}) is not the API's", answer.status),
            };
        };
        let run = body.get("workflow_run_id").and_then(id);
        let link = run.as_ref().map(|run| self.link(body.get("html_url"), run));
        Posted::Started { run, link }
    }

    fn runs(&self, since: Time) -> Option<Request> {
        let file = &self.source.workflow;
        let mut request = self.request("GET", &format!("workflows/{file}/runs"))?;
        request.url = request
            .url
            .with_query("event", "workflow_dispatch")
            .with_query("branch", self.source.branch.as_str())
            .with_query("created", &format!(">={since}"))
            .with_query("per_page", "100");
        Some(request)
    }

    fn listed(&self, answer: &Answer) -> Option<Vec<Run>> {
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        let all = body.get("workflow_runs")?.as_array()?;
        let fitting = all.iter().filter(|body| self.fits(body));
        Some(fitting.filter_map(|body| self.one(body)).collect())
    }

    fn run(&self, id: &str) -> Option<Request> {
        self.request("GET", &format!("runs/{}", encode(id)))
    }

    fn read(&self, answer: &Answer) -> Option<Run> {
        self.one(&serde_json::from_slice(&answer.body).ok()?)
    }

    fn variables(&self, _id: &str) -> Option<Request> {
        None
    }

    fn is_ours(&self, _answer: &Answer, _inputs: &[(Input, &str)]) -> Option<bool> {
        None
    }

    fn starts_by_access_token(&self) -> bool {
        true
    }
}

/// A number, or a text of digits.
pub(super) fn id(value: &Value) -> Option<String> {
    let id = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    is_id(&id).then_some(id)
}

/// `status` and `conclusion` of a run.
fn state(status: &str, conclusion: Option<&str>) -> State {
    match (status, conclusion) {
        ("waiting" | "action_required", _) | ("completed", Some("action_required")) => State::Waits,
        ("completed", Some("success")) => State::Succeeded,
        ("completed", Some("cancelled")) => State::Cancelled,
        ("completed", Some("failure")) => State::Failed("the run failed".to_owned()),
        ("completed", Some("timed_out")) => State::Failed("the run took too long".to_owned()),
        ("completed", Some("startup_failure")) => {
            State::Failed("the workflow could not be started: its file is wrong".to_owned())
        }
        ("completed", Some("skipped")) => {
            State::Failed("the run was skipped: no job of it ran".to_owned())
        }
        ("completed", other) => State::Failed(format!(
            "the run ended as `{}`",
            crate::http::said::line(other.unwrap_or("nothing"), 40)
        )),
        // queued, in_progress, requested, pending, and what may come.
        _ => State::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image_factory::model::{InputFile, InputFiles, Settings, enrollment};

    fn scene() -> (Settings, Source) {
        let text = "images:\n  - name: shop\n    registry: ghcr.io\n    repository: acme/shop\n    source: {repo: acme/shop, branch: release/1.2, workflow: build.yml}\n";
        let files = InputFiles {
            enrollment: vec![InputFile {
                path: "images.yaml".into(),
                text: text.into(),
            }],
            ..InputFiles::default()
        };
        let (settings, images) = enrollment(&files).0.unwrap();
        let source = images[0].source().unwrap().clone();
        (settings, source)
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    #[test]
    fn only_hosts_that_know_it_are_asked_to_name_the_run() {
        for (api, is) in [
            ("https://api.github.com", true),
            ("https://api.acme.ghe.com", true),
            ("https://ghe.example.com/api/v3", false),
            ("https://api.github.com.evil.example", false),
            ("https://evil-ghe.com", false),
        ] {
            assert_eq!(knows_details(api), is, "{api}");
        }
    }

    #[test]
    fn requests_are_as_documented() {
        let (settings, source) = scene();
        let workflow = Workflow::new(&settings.providers.github, &source);
        let mut start = Start {
            inputs: vec![(Input::Image, "shop"), (Input::Attempt, "3")],
            without: BTreeSet::new(),
            details: true,
        };
        let base = "https://api.github.com/repos/acme/shop/actions";
        let request = workflow.start(&start).unwrap();
        assert_eq!(
            request.url.to_string(),
            format!("{base}/workflows/build.yml/dispatches")
        );
        let body =
            |request: Request| -> Value { serde_json::from_slice(&request.body.unwrap()).unwrap() };
        let inputs = json!({"image": "shop", "attempt": "3"});
        assert_eq!(
            body(request),
            json!({"ref": "release/1.2", "inputs": inputs, "return_run_details": true})
        );
        start.details = false;
        start.without.insert("attempt".to_owned());
        assert_eq!(
            body(workflow.start(&start).unwrap()),
            json!({"ref": "release/1.2", "inputs": {"image": "shop"}})
        );
        let since = Time::parse("2026-12-01T08:00:00Z").unwrap();
        assert_eq!(
            workflow.runs(since).unwrap().url.to_string(),
            format!(
                "{base}/workflows/build.yml/runs?event=workflow_dispatch&branch=release%2F1.2&created=%3E%3D2026-12-01T08%3A00%3A00Z&per_page=100"
            )
        );
        assert_eq!(
            workflow.run("12").unwrap().url.to_string(),
            format!("{base}/runs/12")
        );
    }

    #[test]
    fn what_was_started_is_read_from_any_answer() {
        let (settings, source) = scene();
        let workflow = Workflow::new(&settings.providers.github, &source);
        let home = "https://github.com/acme/shop/actions/runs/12";
        let started = |run: Option<&str>, link: Option<&str>| Posted::Started {
            run: run.map(str::to_owned),
            link: link.map(str::to_owned),
        };
        let named =
            r#"{"workflow_run_id":12,"html_url":"https://github.com/acme/shop/actions/runs/12"}"#;
        let astray = r#"{"workflow_run_id":12,"html_url":"http://evil.example/"}"#;
        for (status, body, is) in [
            (204, "", started(None, None)),
            (200, named, started(Some("12"), Some(home))),
            (200, astray, started(Some("12"), Some(home))),
            (200, r#"{"workflow_run_id":"../1"}"#, started(None, None)),
            (201, "{}", started(None, None)),
        ] {
            let got = workflow.started(&answer(status, body), Time::from_unix_seconds(0));
            assert_eq!(got, is, "{body}");
        }
        let page = workflow.started(&answer(200, "<html>"), Time::from_unix_seconds(0));
        assert!(matches!(page, Posted::Unknown { .. }), "{page:?}");
    }

    #[test]
    fn the_names_of_unexpected_inputs_are_read() {
        for (said, is) in [
            (
                r#"Unexpected inputs provided: ["attempt", "base_image"]"#,
                &["attempt", "base_image"][..],
            ),
            (r#"Unexpected inputs provided: ["other"]"#, &[]),
            (
                "Invalid request.\n\n\"return_run_details\" is not a permitted key.",
                &[DETAILS],
            ),
            ("Unexpected inputs provided: []", &[]),
        ] {
            let names = names(said);
            assert_eq!(names.iter().collect::<Vec<_>>(), is, "{said}");
        }
    }
}
