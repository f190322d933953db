//! Builds that are started on GitHub and GitLab, and followed: against stubs that hold
//! every request to the documented APIs. Nothing here really waits for a minute: the
//! clock is the test's.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use factory::http::Timeouts;
use factory::trigger::{Call, Pace, REQUESTS, Triggers, WINDOW};
use image_factory::diagnostics::{Code, Diagnostic, Sources, code, human};
use image_factory::model::{
    Image, InputFile, InputFiles, Name, Parse as _, Settings, Source, Time, enrollment,
};
use image_factory::plan::Inputs;
use image_factory::record::Answer;
use serde_json::{Value, json};

use crate::servers::hosts::{Fault, Host};
use crate::servers::http::{self, Server};

const APP_KEY: &str = include_str!("servers/app-key.pem");

/// A clock that only sleeping moves.
#[derive(Clone, Default)]
struct Clock(Arc<Mutex<Duration>>);

impl Clock {
    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }

    fn pace(&self) -> Pace {
        let (one, other) = (self.clone(), self.clone());
        Pace::new(move || one.elapsed(), move |time| other.pass(time))
    }

    fn now(&self) -> Time {
        let begin = Time::parse("2026-12-01T08:00:06Z").unwrap().unix_seconds();
        Time::from_unix_seconds(begin + i64::try_from(self.elapsed().as_secs()).unwrap())
    }
}

/// An image at a host, and what it takes to start its builds.
struct Scene {
    settings: Settings,
    image: Image,
    inputs: Inputs,
    variables: Vec<(&'static str, String)>,
    claimed: BTreeSet<String>,
    attempt: u64,
    at: Time,
    clock: Clock,
}

impl Scene {
    fn new(provider: &str, api: &str, more: &str) -> Self {
        let text = format!(
            "settings: {{providers: {{{provider}: {{api: '{api}'}}}}}}\nimages:\n  - name: shop\n    registry: ghcr.io\n    repository: acme/shop\n    source: {{provider: {provider}, repo: acme/shop{more}}}\n"
        );
        let files = InputFiles {
            enrollment: vec![InputFile {
                path: "images.yaml".into(),
                text,
            }],
            ..InputFiles::default()
        };
        let (settings, mut images) = enrollment(&files).0.unwrap();
        let token = if provider == "github" {
            "GITHUB_TOKEN"
        } else {
            "GITLAB_TOKEN"
        };
        Self {
            settings,
            image: images.remove(0),
            inputs: Inputs {
                image: "shop".into(),
                base_image: "node-22".into(),
                base_digest: format!("sha256:{}", "2".repeat(64)),
                tag: String::new(),
                reason: "node-22 moved".into(),
                attempt: "3".into(),
            },
            variables: vec![(token, "t0ken".into())],
            claimed: BTreeSet::new(),
            attempt: 3,
            at: Time::parse("2026-12-01T08:00:00Z").unwrap(),
            clock: Clock::default(),
        }
    }

    fn github(host: &Host) -> Self {
        Self::new("github", &host.api(), "")
    }

    fn gitlab(host: &Host) -> Self {
        Self::new("gitlab", &host.api(), "")
    }

    fn variables(mut self, variables: &[(&'static str, &str)]) -> Self {
        self.variables = variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        self
    }

    fn triggers(&self) -> Triggers {
        let short = Timeouts {
            connect: Duration::from_secs(5),
            answer: Duration::from_millis(400),
            whole: Duration::from_secs(5),
        };
        Triggers::new(&self.settings, |name| {
            let mut all = self.variables.iter();
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| value.clone())
        })
        .timeouts(short)
        .pace(self.clock.pace())
    }

    fn source(&self) -> &Source {
        self.image.source().unwrap()
    }

    fn call(&self) -> Call<'_> {
        Call {
            source: self.source(),
            inputs: &self.inputs,
            image: &self.image.name,
            attempt: self.attempt,
            at: self.at,
            claimed: &self.claimed,
        }
    }

    fn fire(&self) -> (Option<Answer>, Vec<Diagnostic>) {
        let fired = self.triggers().fire(&self.call(), &|| self.clock.now());
        quiet(&fired.answer, &fired.diagnostics);
        (fired.answer, fired.diagnostics)
    }

    fn again(&self) -> (Option<Answer>, Vec<Diagnostic>) {
        let fired = self.triggers().again(&self.call(), &|| self.clock.now());
        quiet(&fired.answer, &fired.diagnostics);
        (fired.answer, fired.diagnostics)
    }

    fn look(&self, run: Option<&str>) -> (Option<Answer>, Vec<Diagnostic>) {
        let looked = self
            .triggers()
            .look(&self.call(), run, &|| self.clock.now());
        quiet(&looked.answer, &looked.diagnostics);
        (looked.answer, looked.diagnostics)
    }
}

/// No token is told, nor a control character.
fn quiet(answer: &Option<Answer>, diagnostics: &[Diagnostic]) {
    let mut text = format!("{answer:?}");
    for diagnostic in diagnostics {
        assert!(
            !diagnostic.message.contains(char::is_control),
            "{diagnostic:?}"
        );
        text.push_str(&format!("{diagnostic:?}"));
    }
    for secret in ["t0ken", "glptt-1", "ghs_", "PRIVATE KEY-"] {
        assert!(!text.contains(secret), "{text}");
    }
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<Code> {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect()
}

fn body(request: &http::Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn text(status: u16, body: &str) -> http::Answer {
    http::Answer::text(status, body)
}

const POST: &str = "POST /repos/acme/shop/actions/workflows/shop.yml/dispatches";
const LIST: &str = "GET /repos/acme/shop/actions/workflows/shop.yml/runs";

fn accepted() -> Option<Answer> {
    Some(Answer::Accepted {
        run: None,
        link: None,
    })
}

fn running(run: u64) -> Option<Answer> {
    Some(Answer::Running {
        run: run.to_string(),
        link: format!("https://github.com/acme/shop/actions/runs/{run}"),
    })
}

#[test]
fn github_is_asked_once_with_all_inputs() {
    let host = Host::github();
    let (answer, diagnostics) = Scene::github(&host).fire();
    assert_eq!((answer, diagnostics), (accepted(), Vec::new()));
    assert_eq!(host.asked(), [POST]);
    assert_eq!(
        body(&host.requests()[0]),
        json!({"ref": "main", "inputs": {"image": "shop", "base_image": "node-22",
            "base_digest": format!("sha256:{}", "2".repeat(64)), "tag": "", "reason": "node-22 moved",
            "attempt": "3"}})
    );
    host.check();
}

#[test]
fn only_the_wanted_inputs_are_sent() {
    let host = Host::github();
    let scene = Scene::new("github", &host.api(), ", inputs: [attempt, image]");
    assert_eq!(scene.fire().0, accepted());
    assert_eq!(
        body(&host.requests()[0])["inputs"],
        json!({"image": "shop", "attempt": "3"})
    );
    host.check();
}

#[test]
fn inputs_that_are_not_declared_are_left_out_once() {
    let host = Host::github();
    host.inside.lock().unwrap().declared = Some(vec!["image".into(), "tag".into()]);
    let (answer, diagnostics) = Scene::github(&host).fire();
    assert_eq!(answer, accepted());
    assert_eq!(host.asked(), [POST, POST]);
    assert_eq!(
        body(&host.requests()[1])["inputs"],
        json!({"image": "shop", "tag": ""})
    );
    assert_eq!(codes(&diagnostics), [code::INPUTS_UNDECLARED]);
    assert!(!diagnostics[0].is_error());
    let help = diagnostics[0].help.as_deref().unwrap();
    for line in [
        "\n    inputs:\n",
        "\n      attempt: {required: false, type: string}\n",
        "source.inputs: [image, tag]",
    ] {
        assert!(help.contains(line), "{help}");
    }
    host.check();
    // A host that goes on so is not asked for ever.
    let host = Host::github();
    for names in ["[\"attempt\"]", "[\"tag\"]", "[]"] {
        let said = format!(
            "{{\"message\":\"Unexpected inputs provided: {}\"}}",
            names.replace('"', "\\\"")
        );
        host.fault("POST", Fault::Instead(text(422, &said)));
    }
    let (answer, diagnostics) = Scene::github(&host).fire();
    assert!(matches!(answer, Some(Answer::Refused { .. })), "{answer:?}");
    assert_eq!(
        codes(&diagnostics),
        [code::INPUTS_UNDECLARED, code::NOT_STARTABLE]
    );
    assert_eq!(host.asked().len(), 2);
}

#[test]
fn refusals_are_told_by_their_kind_and_not_repeated() {
    let message = |text: &str| json!({"message": text}).to_string();
    for (status, header, said, kind, help) in [
        (401, None, "Bad credentials", code::TRIGGER_TOKEN, "expired"),
        (
            403,
            None,
            "Resource not accessible by personal access token",
            code::TRIGGER_FORBIDDEN,
            "actions: write",
        ),
        (
            403,
            Some(("x-accepted-github-permissions", "actions=write")),
            "Resource not accessible by integration",
            code::TRIGGER_FORBIDDEN,
            "GitHub says: actions=write",
        ),
        (
            403,
            Some((
                "x-github-sso",
                "required; url=https://github.com/orgs/acme/sso",
            )),
            "Resource protected by organization SAML enforcement.",
            code::TRIGGER_FORBIDDEN,
            "single sign-on",
        ),
        (
            403,
            None,
            "Repository was archived so is read-only.",
            code::NOT_STARTABLE,
            "archived",
        ),
        (
            404,
            None,
            "Not Found",
            code::TRIGGER_NOT_FOUND,
            ".github/workflows/shop.yml",
        ),
        (
            422,
            None,
            "Workflow does not have 'workflow_dispatch' trigger",
            code::NOT_STARTABLE,
            "add `workflow_dispatch:`",
        ),
        (
            422,
            None,
            "Cannot trigger a 'workflow_dispatch' on a disabled workflow",
            code::NOT_STARTABLE,
            "gh workflow enable shop.yml",
        ),
        (
            422,
            None,
            "No ref found for: main",
            code::TRIGGER_NOT_FOUND,
            "no branch `main`",
        ),
        (
            422,
            None,
            "Required input 'version' not provided",
            code::NOT_STARTABLE,
            "a default",
        ),
        (
            422,
            None,
            "Validation\nFailed \u{1b}[31m",
            code::TRIGGER_REFUSED,
            "branch `main`",
        ),
        (418, None, "teapot", code::TRIGGER_REFUSED, "branch `main`"),
        (
            307,
            Some(("location", "https://evil.example/")),
            "Moved",
            code::TRIGGER_ANSWER,
            "renamed",
        ),
    ] {
        let host = Host::github();
        let mut answer = text(status, &message(said));
        if let Some((name, value)) = header {
            answer = answer.with(name, value);
        }
        host.fault("POST", Fault::Instead(answer));
        let (answer, diagnostics) = Scene::github(&host).fire();
        let Some(Answer::Refused { why }) = answer else {
            panic!("{said}: {answer:?}");
        };
        assert!(why.starts_with(&format!("status {status}")), "{why}");
        assert_eq!(codes(&diagnostics), [kind], "{said}");
        assert!(diagnostics[0].is_error());
        assert!(
            diagnostics[0].help.as_deref().unwrap().contains(help),
            "{diagnostics:?}"
        );
        assert_eq!(host.asked(), [POST], "{said}");
        host.check();
    }
}

#[test]
fn what_a_refusal_says_is_bounded_and_shows_no_token() {
    let host = Host::github();
    let long = format!("t0ken {}", "x".repeat(100_000));
    host.fault("POST", Fault::Instead(text(400, &long)));
    let (Some(Answer::Refused { why }), _) = Scene::github(&host).fire() else {
        panic!("refused");
    };
    assert!(
        why.starts_with("status 400: *** xxx") && why.len() < 400,
        "{why}"
    );
    // Also one that stands where the message is cut, be it sent in the body.
    let cut = format!("{} s3cret-t0ken-of-mine", "x".repeat(290));
    for (variable, host) in [
        ("GITHUB_TOKEN", Host::github()),
        ("GITLAB_TRIGGER_TOKEN", Host::gitlab()),
    ] {
        let scene = match variable {
            "GITHUB_TOKEN" => Scene::github(&host),
            _ => Scene::gitlab(&host),
        };
        let scene = scene.variables(&[(variable, "s3cret-t0ken-of-mine")]);
        host.fault(
            "POST",
            Fault::Instead(text(422, &json!({"message": cut}).to_string())),
        );
        let (Some(Answer::Refused { why }), out) = scene.fire() else {
            panic!("refused");
        };
        assert!(why.ends_with("xxx ***"), "{why}");
        assert!(!format!("{out:?}").contains("s3cret"), "{out:?}");
    }
}

#[test]
fn without_a_token_nothing_is_sent() {
    for (provider, host, words) in [
        ("github", Host::github(), "GITHUB_TOKEN"),
        ("gitlab", Host::gitlab(), "GITLAB_TRIGGER_TOKEN"),
    ] {
        let scene = Scene::new(provider, &host.api(), "").variables(&[]);
        let (answer, diagnostics) = scene.fire();
        assert!(matches!(answer, Some(Answer::Refused { .. })), "{answer:?}");
        assert_eq!(codes(&diagnostics), [code::TRIGGER_TOKEN]);
        assert!(diagnostics[0].message.contains(words), "{diagnostics:?}");
        assert_eq!(scene.look(Some("1")).0, None);
        assert_eq!(host.asked(), [""; 0]);
    }
}

#[test]
fn a_short_limit_is_waited_for_and_a_long_one_is_reported() {
    let limit = |headers: &[(&str, &str)]| {
        let said = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        headers
            .iter()
            .fold(text(403, said), |answer, (name, value)| {
                answer.with(name, value)
            })
    };
    for (headers, waited) in [
        (&[("retry-after", "30")][..], 30),
        (
            &[
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "1796112015"),
            ],
            10,
        ),
        (&[], 60),
    ] {
        let host = Host::github();
        host.fault("POST", Fault::Instead(limit(headers)));
        let scene = Scene::github(&host);
        assert_eq!(scene.fire(), (accepted(), Vec::new()));
        assert_eq!(
            scene.clock.elapsed(),
            Duration::from_secs(waited),
            "{headers:?}"
        );
        assert_eq!(host.asked(), [POST, POST]);
        host.check();
    }
    for headers in [
        &[("retry-after", "121")][..],
        &[
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1796115600"),
        ],
    ] {
        let host = Host::github();
        host.fault("POST", Fault::Instead(limit(headers)));
        let scene = Scene::github(&host);
        let (answer, diagnostics) = scene.fire();
        assert_eq!(
            (answer, codes(&diagnostics)),
            (None, vec![code::TRIGGER_RATE_LIMIT])
        );
        assert_eq!(scene.clock.elapsed(), Duration::ZERO);
        assert_eq!(host.asked(), [POST]);
    }
}

#[test]
fn what_was_answered_with_a_fault_is_looked_for_before_it_is_sent_again() {
    for fault in [
        || text(500, r#"{"message":"Server Error"}"#),
        || text(502, "<html>"),
        || text(200, "<html>sign in</html>"),
        || http::Answer::Hang(Vec::new()),
        || http::Answer::Raw(Vec::new()),
        || http::Answer::Raw(b"HTTP/1.1 204 No".to_vec()),
    ] {
        // It was started all the same.
        let host = Host::github();
        host.fault("POST", Fault::Afterwards(fault()));
        let scene = Scene::github(&host);
        assert_eq!(scene.fire(), (running(1001), Vec::new()));
        assert_eq!(host.asked(), [POST, LIST]);
        host.check();
        // It was not.
        let host = Host::github();
        host.fault("POST", Fault::Instead(fault()));
        let scene = Scene::github(&host);
        assert_eq!(scene.fire(), (accepted(), Vec::new()));
        assert_eq!(host.asked(), [POST, LIST, LIST, POST]);
        host.check();
    }
}

#[test]
fn a_host_that_only_fails_loses_the_attempt() {
    let host = Host::github();
    for _ in 0..9 {
        host.fault("POST", Fault::Instead(text(503, "no")));
    }
    let scene = Scene::github(&host);
    let (answer, diagnostics) = scene.fire();
    assert!(matches!(answer, Some(Answer::Lost { .. })), "{answer:?}");
    assert_eq!(codes(&diagnostics), [code::TRIGGER_UNREACHABLE]);
    assert_eq!(host.asked(), [POST, LIST, LIST, POST, LIST, LIST]);
    assert!(scene.clock.elapsed() >= WINDOW, "the sixth request waits");
}

#[test]
fn what_cannot_be_looked_for_is_not_sent_again() {
    let host = Host::github();
    host.fault("POST", Fault::Afterwards(text(500, "{}")));
    for _ in 0..9 {
        host.fault("GET", Fault::Instead(text(500, "{}")));
    }
    let scene = Scene::github(&host);
    let (answer, diagnostics) = scene.fire();
    assert_eq!(answer, None);
    assert!(
        codes(&diagnostics).contains(&code::TRIGGER_UNREACHABLE),
        "{diagnostics:?}"
    );
    assert_eq!(host.asked(), [POST, LIST]);
    // The next run finds it.
    host.inside.lock().unwrap().faults.clear();
    assert_eq!(scene.again(), (running(1001), Vec::new()));
    assert_eq!(host.inside.lock().unwrap().runs.len(), 1);
}

#[test]
fn an_attempt_of_an_earlier_run_is_looked_for_first() {
    let host = Host::github();
    let scene = Scene::github(&host);
    assert_eq!(scene.again(), (accepted(), Vec::new()));
    assert_eq!(host.asked(), [LIST, POST]);
    assert_eq!(scene.again(), (running(1001), Vec::new()));
    assert_eq!(host.asked(), [LIST, POST, LIST]);
    host.check();
}

#[test]
fn a_host_that_is_not_there_is_reported_and_nothing_is_lost() {
    let server = Server::start(|_| text(204, ""));
    let gone = server.url();
    drop(server);
    let scene = Scene::new("github", &format!("{gone}/api/v3"), "");
    let (answer, diagnostics) = scene.fire();
    assert_eq!(
        (answer, codes(&diagnostics)),
        (None, vec![code::TRIGGER_UNREACHABLE])
    );
    assert!(diagnostics[0].is_error());
    let help = diagnostics[0].help.as_deref().unwrap();
    assert!(help.contains("nothing was sent"), "{help}");
    assert!(
        help.contains("a run five minutes from now or later"),
        "{help}"
    );
}

#[test]
fn an_answer_without_end_is_no_answer() {
    let host = Host::github();
    host.fault("GET", Fault::Instead(text(200, &"[".repeat(9 << 20))));
    let (answer, diagnostics) = Scene::github(&host).look(Some("1001"));
    assert_eq!(
        (answer, codes(&diagnostics)),
        (None, vec![code::TRIGGER_ANSWER])
    );
}

#[test]
fn a_token_does_not_follow_a_redirect() {
    let elsewhere = Server::start(|_| text(200, "{}"));
    let host = Host::github();
    for part in ["POST", "GET"] {
        let to = format!("{}/x", elsewhere.url());
        host.fault(part, Fault::Instead(text(307, "").with("location", &to)));
    }
    let scene = Scene::github(&host);
    assert!(matches!(scene.fire().0, Some(Answer::Refused { .. })));
    let (answer, diagnostics) = scene.look(Some("1001"));
    assert_eq!(
        (answer, codes(&diagnostics)),
        (None, vec![code::TRIGGER_ANSWER])
    );
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_run_is_found_by_its_name_on_any_page() {
    let host = Host::github();
    let ours = host.add("image-factory shop #3", "2026-12-01T08:00:10Z");
    for at in 0..5 {
        host.add("image-factory shop #4", &format!("2026-12-01T08:01:0{at}Z"));
    }
    host.inside.lock().unwrap().page = 2;
    let scene = Scene::github(&host);
    assert_eq!(scene.look(None), (running(ours), Vec::new()));
    assert_eq!(host.asked(), [LIST, LIST, LIST]);
    host.check();
    // More pages than are read: nothing is concluded.
    host.inside.lock().unwrap().page = 1;
    let (answer, diagnostics) = scene.look(None);
    assert_eq!((answer, codes(&diagnostics)), (None, vec![code::RUN_LOST]));
}

#[test]
fn a_page_elsewhere_is_not_read() {
    let elsewhere = Server::start(|_| text(200, "{}"));
    let host = Host::github();
    let link = format!(
        "<{}/api/v3/repos/acme/shop/actions/workflows/shop.yml/runs?page=2>; rel=\"next\"",
        elsewhere.url()
    );
    let page = text(200, r#"{"total_count":0,"workflow_runs":[]}"#).with("link", &link);
    host.fault("GET", Fault::Instead(page));
    assert_eq!(Scene::github(&host).look(None), (None, Vec::new()));
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn without_a_name_the_first_run_since_that_nobody_owns_counts() {
    let host = Host::github();
    host.add("Build", "2026-12-01T07:59:50Z");
    let other = host.add("Build", "2026-12-01T08:00:01Z");
    host.add("image-factory other #1", "2026-12-01T08:00:02Z");
    let ours = host.add("Build", "2026-12-01T08:00:03Z");
    host.add("Build", "2026-12-01T08:00:04Z");
    let mut scene = Scene::github(&host);
    scene.claimed.insert(other.to_string());
    assert_eq!(scene.look(None), (running(ours), Vec::new()));
    host.check();
}

#[test]
fn a_name_without_the_attempt_is_no_other_attempts() {
    let host = Host::github();
    host.add("image-factory api #", "2026-12-01T08:00:01Z");
    host.add("image-factory shop #2", "2026-12-01T08:00:02Z");
    let ours = host.add("image-factory shop #", "2026-12-01T08:00:03Z");
    assert_eq!(Scene::github(&host).look(None), (running(ours), Vec::new()));
    host.check();
}

#[test]
fn a_run_that_does_not_appear_is_lost_after_a_while() {
    let host = Host::github();
    let scene = Scene::github(&host);
    assert_eq!(scene.look(None), (None, Vec::new()));
    scene.clock.pass(Duration::from_secs(16 * 60));
    let (answer, diagnostics) = scene.look(None);
    assert!(matches!(answer, Some(Answer::Lost { .. })), "{answer:?}");
    assert_eq!(codes(&diagnostics), [code::RUN_LOST]);
    host.check();
    // The while begins when it was asked for, which may be long after it was recorded.
    let triggers = scene.triggers();
    let now = || scene.clock.now();
    let fired = triggers.again(&scene.call(), &now);
    assert_eq!(fired.answer, accepted());
    host.inside.lock().unwrap().runs.clear();
    assert_eq!(triggers.look(&scene.call(), None, &now).answer, None);
}

#[test]
fn a_run_is_followed_to_its_end() {
    let host = Host::github();
    let id = host.add("image-factory shop #3", "2026-12-01T08:00:10Z");
    let scene = Scene::github(&host);
    let link = Some(format!("https://github.com/acme/shop/actions/runs/{id}"));
    let run = Some(id.to_string());
    let failed = |why: &str| Answer::Failed {
        why: why.into(),
        run: run.clone(),
        link: link.clone(),
    };
    for (status, conclusion, is) in [
        ("queued", None, running(id)),
        ("in_progress", None, running(id)),
        ("requested", None, running(id)),
        ("waiting", None, running(id)),
        ("something new", None, running(id)),
        (
            "completed",
            Some("success"),
            Some(Answer::Succeeded {
                run: run.clone(),
                link: link.clone(),
            }),
        ),
        (
            "completed",
            Some("cancelled"),
            Some(Answer::Cancelled {
                run: run.clone(),
                link: link.clone(),
            }),
        ),
        ("completed", Some("failure"), Some(failed("the run failed"))),
        (
            "completed",
            Some("timed_out"),
            Some(failed("the run took too long")),
        ),
        (
            "completed",
            Some("startup_failure"),
            Some(failed(
                "the workflow could not be started: its file is wrong",
            )),
        ),
        (
            "completed",
            Some("skipped"),
            Some(failed("the run was skipped: no job of it ran")),
        ),
        (
            "completed",
            Some("neutral"),
            Some(failed("the run ended as `neutral`")),
        ),
        (
            "completed",
            Some("stale"),
            Some(failed("the run ended as `stale`")),
        ),
        (
            "completed",
            None,
            Some(failed("the run ended as `nothing`")),
        ),
        ("completed", Some("action_required"), running(id)),
    ] {
        host.set(id, status, conclusion);
        let (answer, diagnostics) = scene.look(Some(&id.to_string()));
        assert_eq!(answer, is, "{status} {conclusion:?}");
        let waits = status == "waiting" || conclusion == Some("action_required");
        assert_eq!(
            codes(&diagnostics) == [code::RUN_WAITS],
            waits,
            "{diagnostics:?}"
        );
        assert_eq!(scene.look(None).0, is, "found, {status}");
    }
    host.check();
}

#[test]
fn a_run_that_was_deleted_is_lost_and_one_that_may_not_be_seen_is_not() {
    let host = Host::github();
    let scene = Scene::github(&host);
    let (answer, diagnostics) = scene.look(Some("77"));
    assert!(matches!(answer, Some(Answer::Lost { .. })), "{answer:?}");
    assert_eq!(codes(&diagnostics), [code::RUN_LOST]);
    host.check();
    host.fault("runs/77", Fault::Instead(text(404, "{}")));
    host.fault("shop.yml/runs", Fault::Instead(text(404, "{}")));
    let (answer, diagnostics) = scene.look(Some("77"));
    assert_eq!(
        (answer, codes(&diagnostics)),
        (None, vec![code::TRIGGER_NOT_FOUND])
    );
    for (status, kind) in [
        (401, code::TRIGGER_TOKEN),
        (403, code::TRIGGER_FORBIDDEN),
        (429, code::TRIGGER_RATE_LIMIT),
        (500, code::TRIGGER_UNREACHABLE),
        (200, code::TRIGGER_ANSWER),
    ] {
        host.fault("runs/77", Fault::Instead(text(status, "no")));
        let (answer, diagnostics) = scene.look(Some("77"));
        assert_eq!(
            (answer, codes(&diagnostics)),
            (None, vec![kind]),
            "{status}"
        );
        assert!(!diagnostics[0].is_error());
    }
}

#[test]
fn a_link_that_leads_astray_is_replaced() {
    let host = Host::github();
    let evil = json!({"id": 5, "status": "queued", "html_url": "javascript:alert(1)"});
    host.fault("GET", Fault::Instead(text(200, &evil.to_string())));
    let scene = Scene::github(&host);
    let web = host.api().replace("/api/v3", "");
    let is = Answer::Running {
        run: "5".into(),
        link: format!("{web}/acme/shop/actions/runs/5"),
    };
    assert_eq!(scene.look(Some("5")).0, Some(is));
}

#[test]
fn no_minute_sees_more_than_five_requests_of_a_trigger() {
    let host = Host::github();
    let scene = Scene::github(&host);
    let times = Arc::new(Mutex::new(Vec::new()));
    let triggers = scene.triggers();
    for _ in 0..12 {
        let before = host.asked().len();
        triggers.look(&scene.call(), None, &|| scene.clock.now());
        let sent = host.asked().len() - before;
        times
            .lock()
            .unwrap()
            .extend(vec![scene.clock.elapsed(); sent]);
    }
    let times = times.lock().unwrap();
    assert_eq!(times.len(), 12);
    for window in times.windows(REQUESTS + 1) {
        assert!(window[REQUESTS] - window[0] >= WINDOW, "{times:?}");
    }
}

fn app(host: &Host) -> Scene {
    Scene::github(host).variables(&[
        ("GITHUB_APP_ID", "12"),
        ("GITHUB_APP_INSTALLATION_ID", "34"),
        ("GITHUB_APP_PRIVATE_KEY", APP_KEY),
    ])
}

#[test]
fn an_app_starts_builds_with_a_token_of_its_installation() {
    let host = Host::github();
    let scene = app(&host);
    let triggers = scene.triggers();
    let fired = triggers.fire(&scene.call(), &|| scene.clock.now());
    assert_eq!(fired.answer, accepted());
    let looked = triggers.look(&scene.call(), None, &|| scene.clock.now());
    assert_eq!(looked.answer, running(1001));
    let mint = "POST /app/installations/34/access_tokens";
    assert_eq!(host.asked(), [mint, POST, LIST]);
    host.check();
    // It ended before its time: another one is asked for, once.
    host.inside.lock().unwrap().tokens.clear();
    let looked = triggers.look(&scene.call(), None, &|| scene.clock.now());
    assert_eq!(looked.answer, running(1001));
    assert_eq!(host.inside.lock().unwrap().minted, 2);
    host.check();
}

#[test]
fn an_app_clones_and_pushes_with_a_token_of_its_installation() {
    use factory::git::{Git, auth::Credentials};
    use image_factory::model::GitUrl;
    let host = Host::github();
    let scene = app(&host);
    let env = scene
        .variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    let git = Git::new(env, std::path::Path::new("/nowhere"));
    let credentials = Credentials::new(&git, &scene.settings.providers, None);
    assert_eq!(host.asked(), [""; 0], "not before it is needed");
    let web = host.api().replace("/api/v3", "");
    let url = |text: &str| GitUrl::parse(text).unwrap();
    let access = credentials.access(&git, &url(&format!("{web}/acme/shop.git")));
    assert_eq!(access[0].variable(), Some("GITHUB_APP_PRIVATE_KEY"));
    assert_eq!(access[0].mask(&git).apply("ghs_1"), "***");
    let elsewhere = credentials.access(&git, &url("https://gitlab.com/acme/shop.git"));
    assert_eq!(elsewhere[0].variable(), None);
    host.check();
    // One that gives none says so, and the host is asked without.
    host.fault(
        "access_tokens",
        Fault::Instead(text(404, r#"{"message":"Integration not found"}"#)),
    );
    let shop = url(&format!("{web}/acme/shop.git"));
    let credentials = Credentials::new(&git, &scene.settings.providers, None);
    assert_eq!(credentials.access(&git, &shop)[0].variable(), None);
    let trouble = credentials.trouble(&shop).unwrap();
    assert!(trouble.contains("Integration not found"), "{trouble}");
}

#[test]
fn an_app_that_is_refused_is_told_and_one_that_is_not_answered_waits() {
    let host = Host::github();
    host.fault(
        "access_tokens",
        Fault::Instead(text(404, r#"{"message":"Integration not found"}"#)),
    );
    let (answer, diagnostics) = app(&host).fire();
    assert!(matches!(answer, Some(Answer::Refused { .. })), "{answer:?}");
    assert_eq!(codes(&diagnostics), [code::APP_TOKEN]);
    assert!(diagnostics[0].message.contains("Integration not found"));
    let host = Host::github();
    host.fault("access_tokens", Fault::Instead(text(500, "{}")));
    let (answer, diagnostics) = app(&host).fire();
    assert_eq!((answer, codes(&diagnostics)), (None, vec![code::APP_TOKEN]));
}

const PIPELINE: &str = "POST /projects/acme%2Fshop/pipeline";
const TRIGGER: &str = "POST /projects/acme%2Fshop/trigger/pipeline";
const PIPELINES: &str = "GET /projects/acme%2Fshop/pipelines";

fn pipeline(run: u64) -> String {
    format!("https://gitlab.com/acme/shop/-/pipelines/{run}")
}

fn started(run: u64) -> Option<Answer> {
    Some(Answer::Accepted {
        run: Some(run.to_string()),
        link: Some(pipeline(run)),
    })
}

#[test]
fn gitlab_is_asked_by_an_access_token() {
    let host = Host::gitlab();
    let scene = Scene::new("gitlab", &host.api(), ", job: image");
    assert_eq!(scene.fire(), (started(1001), Vec::new()));
    assert_eq!(host.asked(), [PIPELINE]);
    let sent = body(&host.requests()[0]);
    assert_eq!(sent["ref"], "main");
    assert_eq!(
        sent["variables"][0],
        json!({"key": "IMAGE", "value": "shop"})
    );
    assert_eq!(
        sent["variables"][5],
        json!({"key": "ATTEMPT", "value": "3"})
    );
    assert_eq!(
        sent["variables"][6],
        json!({"key": "JOB", "value": "image"})
    );
    host.check();
}

#[test]
fn gitlab_is_asked_by_a_trigger_token_which_sees_nothing() {
    for variables in [
        &[("GITLAB_TOKEN", "glptt-1")][..],
        &[("GITLAB_TRIGGER_TOKEN", "glptt-1")],
    ] {
        let host = Host::gitlab();
        let scene = Scene::gitlab(&host).variables(variables);
        assert_eq!(scene.fire(), (started(1001), Vec::new()));
        assert_eq!(host.asked(), [TRIGGER]);
        let sent = body(&host.requests()[0]);
        assert_eq!(sent["token"], "glptt-1");
        assert_eq!(sent["variables"]["BASE_IMAGE"], "node-22");
        let triggers = scene.triggers();
        let look = || triggers.look(&scene.call(), Some("1001"), &|| scene.clock.now());
        assert_eq!(codes(&look().diagnostics), [code::RUN_UNSEEN]);
        assert_eq!(look().diagnostics, []);
        assert_eq!(
            host.asked(),
            [TRIGGER],
            "nothing that can only fail is asked"
        );
        host.check();
    }
    // An access token beside it follows the pipeline.
    let host = Host::gitlab();
    let both = [
        ("GITLAB_TRIGGER_TOKEN", "glptt-1"),
        ("GITLAB_TOKEN", "t0ken"),
    ];
    let scene = Scene::gitlab(&host).variables(&both);
    assert_eq!(scene.fire().0, started(1001));
    host.set(1001, "success", None);
    let link = Some(pipeline(1001));
    assert_eq!(
        scene.look(Some("1001")),
        (
            Some(Answer::Succeeded {
                run: Some("1001".into()),
                link
            }),
            Vec::new()
        )
    );
    host.check();
}

#[test]
fn pipelines_are_followed_to_their_end() {
    let host = Host::gitlab();
    let scene = Scene::gitlab(&host);
    assert_eq!(scene.fire().0, started(1001));
    let link = Some(pipeline(1001));
    let run = || Some("1001".to_owned());
    let running = || Answer::Running {
        run: "1001".into(),
        link: pipeline(1001),
    };
    for (status, is) in [
        ("created", running()),
        ("waiting_for_resource", running()),
        ("preparing", running()),
        ("pending", running()),
        ("running", running()),
        ("scheduled", running()),
        ("canceling", running()),
        ("manual", running()),
        (
            "success",
            Answer::Succeeded {
                run: run(),
                link: link.clone(),
            },
        ),
        (
            "canceled",
            Answer::Cancelled {
                run: run(),
                link: link.clone(),
            },
        ),
        (
            "failed",
            Answer::Failed {
                why: "the pipeline failed".into(),
                run: run(),
                link: link.clone(),
            },
        ),
        (
            "skipped",
            Answer::Failed {
                why: "the pipeline was skipped: no job of it ran".into(),
                run: run(),
                link: link.clone(),
            },
        ),
    ] {
        host.set(1001, status, None);
        let (answer, diagnostics) = scene.look(Some("1001"));
        assert_eq!(answer, Some(is), "{status}");
        assert_eq!(codes(&diagnostics) == [code::RUN_WAITS], status == "manual");
    }
    host.check();
}

#[test]
fn a_pipeline_is_found_by_its_variables_or_its_name() {
    let host = Host::gitlab();
    host.add("", "2026-12-01T08:00:01Z");
    host.fault("POST", Fault::Afterwards(text(500, "{}")));
    let scene = Scene::gitlab(&host);
    let is = |run: u64| {
        Some(Answer::Running {
            run: run.to_string(),
            link: pipeline(run),
        })
    };
    assert_eq!(scene.fire(), (is(1002), Vec::new()));
    let variables = |run: u64| format!("GET /projects/acme%2Fshop/pipelines/{run}/variables");
    assert_eq!(
        host.asked(),
        [PIPELINE, PIPELINES, &variables(1001), &variables(1002)]
    );
    // Where there are too many to look into, nothing is concluded.
    for at in 10..14 {
        host.add("", &format!("2026-12-01T08:00:{at}Z"));
    }
    let mut other = Scene::gitlab(&host);
    other.inputs.attempt = "4".into();
    other.attempt = 4;
    let (answer, diagnostics) = other.look(None);
    assert_eq!((answer, codes(&diagnostics)), (None, vec![code::RUN_LOST]));
    // Where they cannot be read, the first since the attempt counts.
    host.inside.lock().unwrap().readable = false;
    assert_eq!(scene.look(None).0, is(1001));
    // A name decides without them.
    let named = host.add("image-factory shop #3", "2026-12-01T08:00:09Z");
    assert_eq!(scene.look(None).0, is(named));
    host.check();
}

#[test]
fn gitlabs_refusals_are_told_by_their_kind() {
    let base = |text: &str| json!({"message": {"base": [text]}}).to_string();
    let flat = |text: &str| json!({"message": text}).to_string();
    for (status, said, kind, help) in [
        (
            401,
            flat("401 Unauthorized"),
            code::TRIGGER_TOKEN,
            "expired",
        ),
        (
            403,
            flat("403 Forbidden"),
            code::TRIGGER_FORBIDDEN,
            "Developer",
        ),
        (
            403,
            json!({"error": "insufficient_scope", "error_description": "more"}).to_string(),
            code::TRIGGER_FORBIDDEN,
            "scope `api`",
        ),
        (
            400,
            base("Insufficient permissions to set pipeline variables"),
            code::TRIGGER_FORBIDDEN,
            "Minimum role",
        ),
        (
            404,
            flat("404 Project Not Found"),
            code::TRIGGER_NOT_FOUND,
            "source.repo",
        ),
        (
            400,
            base("Reference not found"),
            code::TRIGGER_NOT_FOUND,
            "no branch `main`",
        ),
        (
            400,
            base("Missing CI config file"),
            code::NOT_STARTABLE,
            ".gitlab-ci.yml",
        ),
        (
            400,
            base("Pipeline filtered out by workflow rules."),
            code::NOT_STARTABLE,
            "CI_PIPELINE_SOURCE == \"api\"",
        ),
        (
            400,
            base("Something else"),
            code::TRIGGER_REFUSED,
            ".gitlab-ci.yml",
        ),
    ] {
        let host = Host::gitlab();
        host.fault("POST", Fault::Instead(text(status, &said)));
        let (answer, diagnostics) = Scene::gitlab(&host).fire();
        assert!(
            matches!(answer, Some(Answer::Refused { .. })),
            "{said}: {answer:?}"
        );
        assert_eq!(codes(&diagnostics), [kind], "{said}");
        assert!(
            diagnostics[0].help.as_deref().unwrap().contains(help),
            "{diagnostics:?}"
        );
        assert_eq!(host.asked(), [PIPELINE]);
        host.check();
    }
}

#[test]
fn gitlabs_limits_are_waited_for() {
    let host = Host::gitlab();
    let busy = text(429, "Retry later\n").with("retry-after", "20");
    host.fault("POST", Fault::Instead(busy));
    let scene = Scene::gitlab(&host);
    assert_eq!(scene.fire(), (started(1001), Vec::new()));
    assert_eq!(scene.clock.elapsed(), Duration::from_secs(20));
    host.check();
}

#[test]
fn a_trigger_token_that_cannot_look_sends_nothing_twice() {
    let host = Host::gitlab();
    host.fault("POST", Fault::Afterwards(text(502, "no")));
    let scene = Scene::gitlab(&host).variables(&[("GITLAB_TRIGGER_TOKEN", "glptt-1")]);
    let (answer, diagnostics) = scene.fire();
    assert_eq!(answer, None);
    assert_eq!(
        codes(&diagnostics),
        [code::RUN_UNSEEN, code::TRIGGER_UNREACHABLE]
    );
    assert_eq!(host.asked(), [TRIGGER]);
    assert_eq!(scene.again().0, None);
    assert_eq!(host.asked(), [TRIGGER]);
}

#[test]
fn names_of_images_never_leave_their_place_in_an_address() {
    assert!(Name::parse("shop/../x").is_err());
    let host = Host::github();
    let scene = Scene::github(&host);
    for run in ["1/../../x", "../1", "%2e%2e", "", "1 2"] {
        let _ = scene.look(Some(run));
    }
    assert!(
        host.asked().iter().all(|asked| asked == LIST),
        "{:?}",
        host.asked()
    );
}

/// Both hosts, to be talked to by hand until the input ends:
/// `cargo test -p factory --test it -- --ignored --nocapture hosts_for_hands`
#[test]
#[ignore = "waits for the end of its input"]
fn hosts_for_hands() {
    let (github, gitlab) = (Host::github(), Host::gitlab());
    println!("{}\n{}", github.api(), gitlab.api());
    let _ = std::io::read_to_string(std::io::stdin());
    github.check();
    gitlab.check();
}

/// A refusal: its status, its headers, its body.
type Said<'a> = (u16, &'a [(&'a str, &'a str)], String);

/// A table of what is told when a host says so.
fn table(host: impl Fn() -> Host, scene: impl Fn(&Host) -> Scene, said: &[Said<'_>]) -> String {
    let mut text = String::from("| the host says | code | what to do |\n| --- | --- | --- |\n");
    for (status, headers, body) in said {
        let host = host();
        let answer = headers
            .iter()
            .fold(self::text(*status, body), |answer, (name, value)| {
                answer.with(name, value)
            });
        host.fault("POST", Fault::Instead(answer));
        let (_, diagnostics) = scene(&host).fire();
        let told = &diagnostics[0];
        let (_, why) = told.message.split_once("): ").unwrap();
        let help = told.help.as_deref().unwrap();
        text.push_str(&format!("| {why} | {} | {help} |\n", told.code));
    }
    text
}

#[test]
fn the_docs_have_the_messages_of_the_program() {
    let message = |text: &str| json!({"message": text}).to_string();
    let base = |text: &str| json!({"message": {"base": [text]}}).to_string();
    let github: Vec<Said<'_>> = vec![
        (401, &[], message("Bad credentials")),
        (
            403,
            &[("x-accepted-github-permissions", "actions=write")],
            message("Resource not accessible by personal access token"),
        ),
        (
            403,
            &[("x-github-sso", "required")],
            message("Resource protected by organization SAML enforcement."),
        ),
        (
            403,
            &[],
            message("Repository was archived so is read-only."),
        ),
        (404, &[], message("Not Found")),
        (
            422,
            &[],
            message("Workflow does not have 'workflow_dispatch' trigger"),
        ),
        (
            422,
            &[],
            message("Cannot trigger a 'workflow_dispatch' on a disabled workflow"),
        ),
        (422, &[], message("No ref found for: main")),
        (422, &[], message("Required input 'version' not provided")),
        (
            403,
            &[("retry-after", "600")],
            message("You have exceeded a secondary rate limit."),
        ),
        (307, &[], String::new()),
    ];
    let gitlab: Vec<Said<'_>> = vec![
        (401, &[], message("401 Unauthorized")),
        (403, &[], message("403 Forbidden")),
        (403, &[], r#"{"error":"insufficient_scope"}"#.to_owned()),
        (
            400,
            &[],
            base("Insufficient permissions to set pipeline variables"),
        ),
        (404, &[], message("404 Project Not Found")),
        (400, &[], base("Reference not found")),
        (400, &[], base("Missing CI config file")),
        (400, &[], base("Pipeline filtered out by workflow rules.")),
        (429, &[("retry-after", "600")], "Retry later".to_owned()),
    ];
    let undeclared = {
        let host = Host::github();
        host.inside.lock().unwrap().declared = Some(vec!["image".into(), "tag".into()]);
        let (_, diagnostics) = Scene::github(&host).fire();
        human::render(&diagnostics, &Sources::default(), false)
    };
    let made = format!(
        "\nGitHub:\n\n{}\nGitLab, by an access token:\n\n{}\nA workflow that declares `image` and `tag` only:\n\n```text\n{}```\n",
        table(Host::github, Scene::github, &github),
        table(Host::gitlab, Scene::gitlab, &gitlab),
        undeclared
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/triggers.md");
    let old = std::fs::read_to_string(path).unwrap();
    let (written, _) = old.split_once("rewrites it. -->\n").unwrap();
    let new = format!("{written}rewrites it. -->\n{made}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &new).unwrap();
    }
    let now = std::fs::read_to_string(path).unwrap();
    assert!(
        now == new,
        "docs/triggers.md is old: run the tests with UPDATE_GOLDEN=1"
    );
}
