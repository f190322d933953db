//! GitHub's and GitLab's APIs on loopback, as far as builds are started and followed by
//! them. A request that the real API would refuse, or that lacks what its documentation
//! wants, is noted, and fails the test at [`Host::check`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::http::{Answer, Request, Server};

/// What goes wrong with a request.
pub(crate) enum Fault {
    /// This is answered, and nothing is done.
    Instead(Answer),
    /// What was asked for is done, and this is answered.
    Afterwards(Answer),
}

/// A run or pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) created: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) branch: String,
    /// `workflow_dispatch`, `push`; of GitLab `trigger`, `api`.
    pub(crate) event: String,
    pub(crate) inputs: BTreeMap<String, String>,
}

/// What a host is, and what happened to it.
pub(crate) struct Inside {
    /// The access tokens that it knows.
    pub(crate) tokens: Vec<String>,
    /// GitLab: the trigger tokens that it knows.
    pub(crate) triggers: Vec<String>,
    /// GitHub: the inputs that the workflow declares. `None`: it has no `workflow_dispatch`.
    pub(crate) declared: Option<Vec<String>>,
    /// GitHub: whether it names runs in its answers when it is asked to.
    pub(crate) details: bool,
    /// Whether runs bear their attempt in their name.
    pub(crate) names_runs: bool,
    /// Whether the variables of pipelines may be read.
    pub(crate) readable: bool,
    /// The time that new runs are made at.
    pub(crate) now: String,
    pub(crate) runs: Vec<Run>,
    pub(crate) page: usize,
    /// Used up from the front, one for each request that fits: a part of `METHOD PATH`.
    pub(crate) faults: VecDeque<(&'static str, Fault)>,
    /// What the real API would not have liked.
    pub(crate) wrong: Vec<String>,
    /// How many tokens of the App were given.
    pub(crate) minted: usize,
    next: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    GitHub,
    GitLab,
}

/// A host.
pub(crate) struct Host {
    kind: Kind,
    pub(crate) inside: Arc<Mutex<Inside>>,
    server: Server,
}

/// What all examples build.
pub(crate) const REPO: &str = "acme/shop";
const INPUTS: [&str; 6] = [
    "image",
    "base_image",
    "base_digest",
    "tag",
    "reason",
    "attempt",
];

impl Host {
    /// GitHub with `acme/shop`, whose workflow `shop.yml` declares all inputs.
    pub(crate) fn github() -> Self {
        Self::start(Kind::GitHub)
    }

    /// GitLab with `acme/shop`.
    pub(crate) fn gitlab() -> Self {
        Self::start(Kind::GitLab)
    }

    fn start(kind: Kind) -> Self {
        let inside = Arc::new(Mutex::new(Inside {
            tokens: vec!["t0ken".into()],
            triggers: vec!["glptt-1".into()],
            declared: Some(INPUTS.map(str::to_owned).to_vec()),
            details: false,
            names_runs: true,
            readable: true,
            now: "2026-12-01T08:00:05Z".into(),
            runs: Vec::new(),
            page: 100,
            faults: VecDeque::new(),
            wrong: Vec::new(),
            minted: 0,
            next: 1000,
        }));
        let shared = Arc::clone(&inside);
        let server = Server::start(move |request| answer(kind, &shared, request));
        Self {
            kind,
            inside,
            server,
        }
    }

    /// The address of its API.
    pub(crate) fn api(&self) -> String {
        match self.kind {
            Kind::GitHub => format!("{}/api/v3", self.server.url()),
            Kind::GitLab => format!("{}/api/v4", self.server.url()),
        }
    }

    /// The next request whose `METHOD PATH` has this part goes wrong.
    pub(crate) fn fault(&self, part: &'static str, fault: Fault) {
        self.inside.lock().unwrap().faults.push_back((part, fault));
    }

    /// `METHOD PATH` of all requests so far, with `*` for ids and without the query.
    pub(crate) fn asked(&self) -> Vec<String> {
        let requests = self.server.requests();
        let all = requests.iter().map(|request| {
            let path = request.path.replace("/api/v3", "").replace("/api/v4", "");
            format!("{} {path}", request.method)
        });
        all.collect()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Fails if a request was not as the documentation has it.
    pub(crate) fn check(&self) {
        let wrong = &self.inside.lock().unwrap().wrong;
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// A run that somebody else has started.
    pub(crate) fn add(&self, title: &str, created: &str) -> u64 {
        let event = match self.kind {
            Kind::GitHub => "workflow_dispatch",
            Kind::GitLab => "api",
        };
        let mut inside = self.inside.lock().unwrap();
        inside.begin(title, created, event, BTreeMap::new())
    }

    /// A run goes on.
    pub(crate) fn set(&self, id: u64, status: &str, conclusion: Option<&str>) {
        let mut inside = self.inside.lock().unwrap();
        let run = inside.runs.iter_mut().find(|run| run.id == id).unwrap();
        run.status = status.into();
        run.conclusion = conclusion.map(str::to_owned);
    }
}

impl Inside {
    fn begin(
        &mut self,
        title: &str,
        created: &str,
        event: &str,
        inputs: BTreeMap<String, String>,
    ) -> u64 {
        self.next += 1;
        let status = if event == "workflow_dispatch" {
            "queued"
        } else {
            "pending"
        };
        self.runs.push(Run {
            id: self.next,
            title: title.into(),
            created: created.into(),
            status: status.into(),
            conclusion: None,
            branch: "main".into(),
            event: event.into(),
            inputs,
        });
        self.next
    }

    fn fail(&mut self, request: &Request, why: &str) {
        let line = format!("{} {}: {why}", request.method, request.target());
        self.wrong.push(line);
    }
}

fn json_answer(status: u16, body: &Value) -> Answer {
    Answer::Full {
        status,
        headers: vec![
            (
                "content-type".into(),
                "application/json; charset=utf-8".into(),
            ),
            ("date".into(), "Tue, 01 Dec 2026 08:00:06 GMT".into()),
            ("x-ratelimit-limit".into(), "5000".into()),
            ("x-ratelimit-remaining".into(), "4999".into()),
            ("x-ratelimit-reset".into(), "1796115600".into()),
        ],
        body: body.to_string().into_bytes(),
    }
}

fn says(status: u16, message: &str) -> Answer {
    json_answer(
        status,
        &json!({"message": message, "status": status.to_string()}),
    )
}

fn answer(kind: Kind, inside: &Mutex<Inside>, request: &Request) -> Answer {
    let mut inside = inside.lock().unwrap();
    let line = format!("{} {}", request.method, request.path);
    let due = inside
        .faults
        .iter()
        .position(|(part, _)| line.contains(part));
    let fault = due.and_then(|at| inside.faults.remove(at));
    match fault {
        Some((_, Fault::Instead(answer))) => {
            headers(kind, &mut inside, request);
            answer
        }
        Some((_, Fault::Afterwards(answer))) => {
            let _ = honest(kind, &mut inside, request);
            answer
        }
        None => honest(kind, &mut inside, request),
    }
}

fn honest(kind: Kind, inside: &mut Inside, request: &Request) -> Answer {
    headers(kind, inside, request);
    match kind {
        Kind::GitHub => github(inside, request),
        Kind::GitLab => gitlab(inside, request),
    }
}

/// What every request has to bear.
fn headers(kind: Kind, inside: &mut Inside, request: &Request) {
    let has = |name: &str| request.header(name).unwrap_or_default().to_owned();
    if !has("user-agent").starts_with("image-factory/") {
        inside.fail(request, "no User-Agent");
    }
    let accept = match kind {
        Kind::GitHub => "application/vnd.github+json",
        Kind::GitLab => "application/json",
    };
    if has("accept") != accept {
        inside.fail(request, "another Accept");
    }
    if kind == Kind::GitHub && has("x-github-api-version") != "2022-11-28" {
        inside.fail(request, "no X-GitHub-Api-Version");
    }
    if request.method == "POST" && has("content-type") != "application/json" {
        inside.fail(request, "no JSON");
    }
    if request.method == "GET" && !request.body.is_empty() {
        inside.fail(request, "a GET with a body");
    }
    if ["t0ken", "glptt", "ghs_"]
        .iter()
        .any(|part| request.target().contains(part))
    {
        inside.fail(request, "a token in the address");
    }
}

fn query(request: &Request) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            let byte = if byte == b'%' {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            } else {
                byte
            };
            bytes.push(byte);
        }
        String::from_utf8(bytes).unwrap()
    };
    request
        .query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), decode(value)))
        .collect()
}

/// A page of the runs that fit, newest first, with the link to the next.
fn page(inside: &Inside, request: &Request, fitting: Vec<Value>, key: Option<&str>) -> Answer {
    let asked = query(request);
    let number: usize = asked.get("page").map_or(1, |page| page.parse().unwrap());
    let part: Vec<Value> = fitting
        .iter()
        .skip((number - 1) * inside.page)
        .take(inside.page)
        .cloned()
        .collect();
    let body = match key {
        Some(key) => json!({"total_count": fitting.len(), key: part}),
        None => part.into(),
    };
    let answer = json_answer(200, &body);
    if fitting.len() <= number * inside.page {
        return answer;
    }
    let host = request.header("host").unwrap();
    let rest = asked.iter().filter(|(key, _)| *key != "page");
    let rest: Vec<String> = rest
        .map(|(key, value)| format!("{key}={}", value.replace('>', "%3E").replace('=', "%3D")))
        .collect();
    let url = format!(
        "http://{host}{}?{}&page={}",
        request.path,
        rest.join("&"),
        number + 1
    );
    answer.with(
        "link",
        &format!("<{url}>; rel=\"next\", <{url}>; rel=\"last\""),
    )
}

fn may(inside: &mut Inside, request: &Request, given: Option<&str>) -> bool {
    let known = given.is_some_and(|token| inside.tokens.iter().any(|known| known == token));
    if given.is_none() {
        inside.fail(request, "no token");
    }
    known
}

fn github(inside: &mut Inside, request: &Request) -> Answer {
    let bearer = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::to_owned);
    let path = request.path.strip_prefix("/api/v3").unwrap_or_default();
    if path.starts_with("/app/installations/") {
        return app(inside, request, path, bearer.as_deref());
    }
    if !may(inside, request, bearer.as_deref()) {
        return says(401, "Bad credentials");
    }
    let Some(path) = path.strip_prefix(&format!("/repos/{REPO}/actions/")) else {
        return says(404, "Not Found");
    };
    match (request.method.as_str(), path) {
        ("POST", "workflows/shop.yml/dispatches") => dispatch(inside, request),
        ("GET", "workflows/shop.yml/runs") => github_runs(inside, request),
        ("GET", path) if path.starts_with("runs/") => {
            let id = path.trim_start_matches("runs/");
            match inside.runs.iter().find(|run| run.id.to_string() == id) {
                Some(run) => json_answer(200, &github_run(run)),
                None => says(404, "Not Found"),
            }
        }
        _ => says(404, "Not Found"),
    }
}

fn dispatch(inside: &mut Inside, request: &Request) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        return says(400, "Problems parsing JSON");
    };
    for key in body.as_object().unwrap().keys() {
        if !["ref", "inputs", "return_run_details"].contains(&key.as_str()) {
            inside.fail(request, "an unknown key");
        }
    }
    let details = body.get("return_run_details").is_some();
    if details && !inside.details {
        return says(
            422,
            "Invalid request.\n\n\"return_run_details\" is not a permitted key.",
        );
    }
    let Some(declared) = inside.declared.clone() else {
        return says(422, "Workflow does not have 'workflow_dispatch' trigger");
    };
    if body["ref"] != "main" {
        return says(
            422,
            &format!("No ref found for: {}", body["ref"].as_str().unwrap()),
        );
    }
    let inputs: BTreeMap<String, String> = serde_json::from_value(body["inputs"].clone()).unwrap();
    let unknown: Vec<&String> = inputs
        .keys()
        .filter(|key| !declared.contains(key))
        .collect();
    if !unknown.is_empty() {
        return says(
            422,
            &format!("Unexpected inputs provided: {}", json!(unknown)),
        );
    }
    let title = match (
        inside.names_runs,
        inputs.get("image"),
        inputs.get("attempt"),
    ) {
        (true, Some(image), Some(attempt)) => format!("image-factory {image} #{attempt}"),
        _ => "Build".to_owned(),
    };
    let now = inside.now.clone();
    let id = inside.begin(&title, &now, "workflow_dispatch", inputs);
    if details {
        let link = format!("https://github.com/{REPO}/actions/runs/{id}");
        return json_answer(
            200,
            &json!({"workflow_run_id": id, "run_url": link, "html_url": link}),
        );
    }
    Answer::Full {
        status: 204,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

fn github_run(run: &Run) -> Value {
    json!({
        "id": run.id, "name": "Build", "display_title": run.title, "event": run.event,
        "head_branch": run.branch, "status": run.status, "conclusion": run.conclusion,
        "created_at": run.created, "html_url": format!("https://github.com/{REPO}/actions/runs/{}", run.id),
    })
}

fn github_runs(inside: &mut Inside, request: &Request) -> Answer {
    let asked = query(request);
    let known = ["event", "branch", "created", "per_page", "page"];
    if asked.keys().any(|key| !known.contains(&key.as_str())) {
        inside.fail(request, "an unknown parameter");
    }
    let since = asked
        .get("created")
        .and_then(|text| text.strip_prefix(">="));
    let Some(since) = since.filter(|text| text.len() == 20 && text.ends_with('Z')) else {
        inside.fail(request, "no time");
        return says(422, "Validation Failed");
    };
    let per_page: usize = asked["per_page"].parse().unwrap();
    if !(1..=100).contains(&per_page) {
        inside.fail(request, "too long a page");
    }
    let fits = |run: &&Run| {
        asked.get("event").is_none_or(|event| *event == run.event)
            && asked
                .get("branch")
                .is_none_or(|branch| *branch == run.branch)
            && run.created.as_str() >= since
    };
    let fitting = inside
        .runs
        .iter()
        .rev()
        .filter(fits)
        .map(github_run)
        .collect();
    page(inside, request, fitting, Some("workflow_runs"))
}

/// Gives tokens of an installation to who signs right.
fn app(inside: &mut Inside, request: &Request, path: &str, bearer: Option<&str>) -> Answer {
    if request.method != "POST" || path != "/app/installations/34/access_tokens" {
        return says(404, "Not Found");
    }
    if !bearer.is_some_and(is_signed) {
        inside.fail(request, "not signed right");
        return says(401, "A JSON web token could not be decoded");
    }
    inside.minted += 1;
    let token = format!("ghs_{}", inside.minted);
    inside.tokens.push(token.clone());
    json_answer(
        201,
        &json!({"token": token, "expires_at": "2026-12-01T09:00:00Z",
        "permissions": {"actions": "write"}, "repository_selection": "selected"}),
    )
}

/// Is this a token of App 12, signed with its key (RS256), for ten minutes at most?
fn is_signed(token: &str) -> bool {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts[..] else {
        return false;
    };
    let read = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let (header, claims_read) = (read(head), read(claims));
    let from = claims_read["iat"].as_i64().unwrap();
    let to = claims_read["exp"].as_i64().unwrap();
    let key = STANDARD
        .decode(include_str!("app-key.pub.b64").trim())
        .unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let algorithms = provider.signature_verification_algorithms.mapping;
    let rsa = algorithms
        .iter()
        .find(|(scheme, _)| *scheme == rustls::SignatureScheme::RSA_PKCS1_SHA256)
        .unwrap();
    let text = format!("{head}.{claims}");
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    header["alg"] == "RS256"
        && claims_read["iss"] == "12"
        && to - from <= 600
        && rsa.1.iter().any(|algorithm| {
            algorithm
                .verify_signature(&key, text.as_bytes(), &signature)
                .is_ok()
        })
}

fn gitlab(inside: &mut Inside, request: &Request) -> Answer {
    let given = request.header("private-token").map(str::to_owned);
    let path = request
        .path
        .strip_prefix("/api/v4/projects/")
        .unwrap_or_default();
    let Some(path) = path.strip_prefix("acme%2Fshop/") else {
        return says(404, "404 Project Not Found");
    };
    if (request.method.as_str(), path) == ("POST", "trigger/pipeline") {
        if given.is_some() {
            inside.fail(request, "an access token where a trigger token goes");
        }
        return gitlab_trigger(inside, request);
    }
    if !may(inside, request, given.as_deref()) {
        return says(401, "401 Unauthorized");
    }
    match (request.method.as_str(), path) {
        ("POST", "pipeline") => gitlab_pipeline(inside, request),
        ("GET", "pipelines") => gitlab_pipelines(inside, request),
        ("GET", path) if path.starts_with("pipelines/") => gitlab_one(inside, path),
        _ => says(404, "404 Not Found"),
    }
}

fn gitlab_trigger(inside: &mut Inside, request: &Request) -> Answer {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let token = body["token"].as_str().unwrap_or_default();
    if !inside.triggers.iter().any(|known| known == token) {
        return says(404, "404 Not Found");
    }
    // A map of texts, unlike that of the other way.
    let Ok(inputs) = serde_json::from_value(body["variables"].clone()) else {
        return says(400, "variables needs to be a map of key-valued strings");
    };
    gitlab_begin(inside, &body, inputs, "trigger")
}

fn gitlab_pipeline(inside: &mut Inside, request: &Request) -> Answer {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let mut inputs = BTreeMap::new();
    for one in body["variables"].as_array().unwrap() {
        let (key, value) = (one["key"].as_str().unwrap(), one["value"].as_str().unwrap());
        inputs.insert(key.to_owned(), value.to_owned());
    }
    gitlab_begin(inside, &body, inputs, "api")
}

fn gitlab_begin(
    inside: &mut Inside,
    body: &Value,
    inputs: BTreeMap<String, String>,
    source: &str,
) -> Answer {
    if body["ref"] != "main" {
        return json_answer(400, &json!({"message": {"base": ["Reference not found"]}}));
    }
    let now = inside.now.clone();
    let id = inside.begin("", &now, source, inputs);
    let run = inside.runs.iter().find(|run| run.id == id).unwrap();
    json_answer(201, &gitlab_run(run))
}

fn gitlab_run(run: &Run) -> Value {
    let name = (!run.title.is_empty()).then_some(&run.title);
    json!({
        "id": run.id, "iid": 1, "project_id": 7, "sha": "0".repeat(40), "ref": run.branch,
        "status": run.status, "source": run.event, "name": name, "created_at": run.created.replace('Z', ".123Z"),
        "updated_at": run.created, "web_url": format!("https://gitlab.com/{REPO}/-/pipelines/{}", run.id),
    })
}

fn gitlab_pipelines(inside: &mut Inside, request: &Request) -> Answer {
    let asked = query(request);
    let known = [
        "ref",
        "source",
        "updated_after",
        "order_by",
        "sort",
        "per_page",
        "page",
    ];
    if asked.keys().any(|key| !known.contains(&key.as_str())) {
        inside.fail(request, "an unknown parameter");
    }
    let since = asked["updated_after"].clone();
    let fits = |run: &&Run| {
        asked["source"] == run.event && asked["ref"] == run.branch && run.created >= since
    };
    let fitting = inside
        .runs
        .iter()
        .rev()
        .filter(fits)
        .map(gitlab_run)
        .collect();
    page(inside, request, fitting, None)
}

fn gitlab_one(inside: &Inside, path: &str) -> Answer {
    let rest = path.trim_start_matches("pipelines/");
    let id = rest.split('/').next().unwrap();
    let Some(run) = inside.runs.iter().find(|run| run.id.to_string() == id) else {
        return says(404, "404 Not found");
    };
    if !rest.ends_with("/variables") {
        return json_answer(200, &gitlab_run(run));
    }
    if !inside.readable {
        return says(403, "403 Forbidden");
    }
    let all: Vec<Value> = run
        .inputs
        .iter()
        .map(|(key, value)| json!({"key": key, "value": value, "variable_type": "env_var"}))
        .collect();
    json_answer(200, &all.into())
}
