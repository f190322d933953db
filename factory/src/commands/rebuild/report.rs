//! What people and machines are told of rebuilds.

use image_factory::model::{Image, Name, Provider, Time};
use image_factory::plan::{self, Action, Inputs, Plan};
use image_factory::record;
use image_factory::tree::Tree;
use serde_json::{Map, Value, json};

use super::super::landing::Landed;
use super::Done;
use super::ask::Ask;

/// What would be sent, and where to.
pub(super) struct Request {
    image: Name,
    attempt: u64,
    provider: Provider,
    repo: String,
    /// The workflow of GitHub; a pipeline of GitLab needs none.
    workflow: Option<String>,
    branch: String,
    inputs: Vec<(&'static str, String)>,
}

/// What the rebuilds of a plan would send.
pub(super) fn requests(plan: &Plan, ask: &Ask, tree: &Tree, images: &[Image]) -> Vec<Request> {
    let due = plan.decisions.iter();
    let due = due.filter(|decision| decision.action == Action::Rebuild);
    let starts: Vec<record::Start> = due.map(|decision| ask.start(decision)).collect();
    let started = record::start(tree, &starts, plan.now).facts;
    let started = started.unwrap_or_default().into_iter();
    started
        .filter_map(|started| {
            let start = starts.iter().find(|start| start.image == started.image)?;
            let image = images.iter().find(|image| image.name == started.image)?;
            let source = image.source()?;
            let inputs: Inputs = plan::attempt(start, started.attempt);
            let chosen = inputs.chosen(source.inputs.as_deref()).into_iter();
            let github = source.provider == Provider::GitHub;
            Some(Request {
                image: started.image,
                attempt: started.attempt,
                provider: source.provider,
                repo: source.repo.to_string(),
                workflow: github.then(|| source.workflow.to_string()),
                branch: source.branch.to_string(),
                inputs: chosen
                    .map(|(input, value)| (input.as_str(), value.to_owned()))
                    .collect(),
            })
        })
        .collect()
}

/// As people are told.
pub(super) fn text(done: &Done, all: bool) -> String {
    let mut text = String::new();
    for one in &done.followed {
        text.push_str(&format!("{} #{}: {}", one.image, one.attempt, one.outcome));
        for more in [&one.detail, &one.link].into_iter().flatten() {
            text.push_str(&format!(", {more}"));
        }
        text.push('\n');
    }
    if done.requests.is_some() {
        text.push_str(&plan::human(&done.plan, all || done.named));
    } else {
        text.push_str(&rest(done, all));
    }
    for request in done.requests.iter().flatten() {
        text.push_str(&request.text());
    }
    if let Some([]) = done.requests.as_deref() {
        text.push_str("nothing would be triggered\n");
    }
    text.push_str(&Landed::all(&done.landed));
    text
}

/// What was not started: for images that were named why, else how many.
fn rest(done: &Done, all: bool) -> String {
    let mut plan = done.plan.clone();
    plan.decisions
        .retain(|decision| decision.action != Action::Rebuild);
    if all || done.named {
        if plan.decisions.is_empty() {
            return String::new();
        }
        return plan::human(&plan, true);
    }
    let count = |action: Action| {
        let all = done.plan.decisions.iter();
        all.filter(|decision| decision.action == action).count()
    };
    format!(
        "{} due, {} waiting, {} held, {} with nothing to do\n",
        count(Action::Rebuild),
        count(Action::Wait),
        count(Action::Hold),
        count(Action::None)
    )
}

impl Request {
    fn text(&self) -> String {
        let Self {
            image,
            attempt,
            provider,
            repo,
            branch,
            ..
        } = self;
        let workflow = self.workflow.as_ref();
        let workflow = workflow.map_or(String::new(), |file| format!(" {file}"));
        let mut text = format!(
            "\nwould trigger {image} #{attempt}: {provider} {repo}{workflow} on {branch}\n"
        );
        for (name, value) in &self.inputs {
            let line = format!("  {:<13}{value}", format!("{name}:"));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn object(&self) -> Value {
        let inputs: Map<String, Value> = self
            .inputs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        json!({
            "image": self.image.as_str(),
            "attempt": self.attempt,
            "provider": self.provider.as_str(),
            "repository": self.repo,
            "workflow": self.workflow,
            "branch": self.branch,
            "inputs": inputs,
        })
    }
}

/// As machines are told.
pub(super) fn object(done: Option<&Done>, now: Time) -> Value {
    let Some(done) = done else {
        return json!({"now": now.to_string(), "decisions": [], "attempts": []});
    };
    let mut whole = plan::json(&done.plan);
    let attempts = done.followed.iter().map(|one| {
        json!({
            "image": one.image.as_str(),
            "attempt": one.attempt,
            "at": one.at.to_string(),
            "outcome": one.outcome,
            "detail": one.detail,
            "run": one.run,
            "link": one.link,
        })
    });
    if let Some(object) = whole.as_object_mut() {
        object.insert("attempts".to_owned(), attempts.collect());
        if let Some(requests) = &done.requests {
            let requests: Vec<Value> = requests.iter().map(Request::object).collect();
            object.insert("requests".to_owned(), json!(requests));
        }
        let commits = done.landed.iter().filter_map(|landed| landed.published());
        let commits: Vec<&str> = commits.map(|published| &*published.commit).collect();
        object.insert("commits".to_owned(), json!(commits));
    }
    whole
}
