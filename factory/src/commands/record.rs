//! `record NAME --digest D`: a digest that was seen behind a base or external image.

use image_factory::cli::run::{self, Root, Said, Stopped};
use image_factory::cli::{Common, Exit, Streams, Surroundings};
use image_factory::diagnostics::any_error;
use image_factory::model::{Digest, Parse, Tag};
use image_factory::record::{self, Outcome, Seen, SeenFacts};
use image_factory::template::{RecordCommit, TemplateError, Templates, Text};
use image_factory::tree::Tree;
use serde_json::{Value, json};

use super::landing::{self, Change, Landed, Landing};

/// Record what a base image or an external image points to now
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// The base image or external image, by its name
    name: String,
    /// The digest, sha256:…
    #[arg(long, value_name = "DIGEST", value_parser = parsed::<Digest>)]
    digest: Digest,
    /// The tag that it was found behind
    #[arg(long, value_name = "TAG", value_parser = perhaps::<Tag>)]
    tag: Option<Perhaps<Tag>>,
    /// The Kargo Freight that brought it, for the commit message
    #[arg(long, value_name = "FREIGHT", value_parser = freight)]
    freight: Option<String>,
    #[command(flatten)]
    landing: Landing,
    #[command(flatten)]
    root: Root,
}

/// A value that may be an empty text: a Stage fills in what it knows.
#[derive(Clone, Debug)]
struct Perhaps<T>(Option<T>);

fn parsed<T: Parse>(text: &str) -> Result<T, String> {
    T::parse(text).map_err(|invalid| format!("it {}; {}", invalid.why, invalid.help))
}

fn perhaps<T: Parse>(text: &str) -> Result<Perhaps<T>, String> {
    if text.is_empty() {
        return Ok(Perhaps(None));
    }
    parsed(text).map(|value| Perhaps(Some(value)))
}

/// Freight is named by Kargo; it stands in a commit message, on one line.
fn freight(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if text.len() <= 253 && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("it is no name of a Freight, which has letters, digits, `-` and `.`".to_owned())
    }
}

/// Records the digest.
pub(crate) fn run(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
) -> Exit {
    let mut said = Said::default();
    let done = record(args, common, around, streams, &mut said);
    let exit = match &done {
        Err(Stopped) => Exit::Wrong,
        // A file that is wrong is told. It is no reason for a Job to say that the
        // digest was not recorded.
        Ok(_) if said.any_error() && !args.landing.commits() => Exit::No,
        Ok(_) => Exit::Done,
    };
    said.end(
        common,
        streams,
        exit,
        || {
            let shown = |done: &Done| format!("{}{}\n", text(done), object(done));
            done.as_ref().map_or_else(|_| String::new(), shown)
        },
        || done.as_ref().map_or_else(|_| json!({}), object),
    )
}

/// What was done.
struct Done {
    facts: SeenFacts,
    tag: Option<Tag>,
    learned: bool,
    landed: Landed,
}

fn record(
    args: &Args,
    common: &Common,
    around: &Surroundings,
    streams: &mut Streams<'_>,
    said: &mut Said,
) -> Result<Done, Stopped> {
    let layout =
        run::layout(args.root.root.as_deref(), None, around).map_err(|error| said.stop([error]))?;
    let seen = Seen {
        name: args.name.clone(),
        digest: args.digest.clone(),
        tag: args.tag.clone().and_then(|tag| tag.0),
        metadata: None,
    };
    let now = common.now();
    let mut done = None;
    let topic = format!("record-{}", args.name);
    let mut compute = |tree: &Tree, said: &mut Said| {
        let outcome = record::digest(tree, &seen, now);
        let message = message(&outcome, &seen, args.freight.as_deref());
        let Outcome {
            edit,
            learned,
            facts,
            diagnostics,
        } = outcome;
        let wrong = any_error(&diagnostics);
        said.diagnostics.extend(diagnostics);
        let Some(facts) = facts else {
            debug_assert!(wrong, "without facts there is an error");
            return Err(said.stop([]));
        };
        done = Some((facts, learned));
        let message = message.map_err(|error| said.stop([landing::fault(&error)]))?;
        Ok((!edit.is_empty()).then_some(Change { edit, message }))
    };
    let landed = landing::land(&args.landing, &layout, &topic, streams, said, &mut compute)?;
    let (facts, learned) = done.ok_or_else(|| said.stop([]))?;
    Ok(Done {
        facts,
        tag: seen.tag,
        learned,
        landed,
    })
}

fn message(
    outcome: &Outcome<SeenFacts>,
    seen: &Seen,
    freight: Option<&str>,
) -> Result<String, TemplateError> {
    let Some(facts) = &outcome.facts else {
        return Ok(String::new());
    };
    let dependents: Vec<String> = facts
        .dependents
        .iter()
        .map(|follower| {
            let how = if follower.auto { "" } else { ", by hand" };
            format!("{}, due {}{how}", follower.name, follower.due)
        })
        .collect();
    let digest = facts.to.as_str();
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    let from = facts.from.as_ref().map_or("", |from| from.as_str());
    Templates::new()?.render(&Text::RecordCommit(&RecordCommit {
        name: &facts.name,
        reference: &facts.reference,
        tag: seen.tag.as_ref().map_or("", Tag::as_str),
        from,
        digest,
        short: hex.get(..12).unwrap_or(hex),
        at: &facts.at.to_string(),
        freight: freight.unwrap_or_default(),
        dependents: &dependents,
        by: concat!("image-factory ", env!("CARGO_PKG_VERSION")),
    }))
}

fn text(done: &Done) -> String {
    let facts = &done.facts;
    if !done.learned {
        return format!("{} still points to {}\n", facts.reference, facts.to);
    }
    let mut text = match &facts.from {
        Some(from) if !from.is(&facts.to) => {
            format!(
                "{} points to {}, before to {from}\n",
                facts.reference, facts.to
            )
        }
        _ => format!("{} points to {}\n", facts.reference, facts.to),
    };
    for follower in &facts.dependents {
        let how = if follower.auto {
            ""
        } else {
            ", by hand: autoRebuild is false"
        };
        text.push_str(&format!(
            "  {} has to follow, due {}{how}\n",
            follower.name, follower.due
        ));
    }
    text.push_str(&done.landed.text());
    text
}

fn object(done: &Done) -> Value {
    let facts = &done.facts;
    let followers = facts.dependents.iter();
    let mut whole = json!({
        "name": facts.name,
        "kind": if facts.base { "base" } else { "external" },
        "reference": facts.reference,
        "tag": done.tag.as_ref().map(Tag::as_str),
        "from": facts.from.as_ref().map(ToString::to_string),
        "digest": facts.to.as_str(),
        "learned": done.learned,
        "at": done.learned.then(|| facts.at.to_string()),
        "dependents": followers.map(|follower| json!({
            "name": follower.name.as_str(),
            "dueAt": follower.due.to_string(),
            "autoRebuild": follower.auto,
        })).collect::<Vec<_>>(),
    });
    done.landed.add_to(&mut whole);
    whole
}
