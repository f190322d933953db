//! Finding the run of an attempt, and following it.

use std::time::Duration;

use image_factory::diagnostics::{Code, Diagnostic, code};
use image_factory::model::Time;
use image_factory::record::Answer;

use super::Talk;
use super::api::unusable;
use super::exchange::Silence;
use super::run::{self, Run, State, named, unclaimed};
use crate::http::date::http_date;
use crate::http::{Answer as HttpAnswer, Request, Url};

/// Clocks differ by no more, in seconds; runs with a name may be older by that.
const SKEW: i64 = 300;
/// Runs without a name may be older by so much than what the clocks say together.
const SLACK: i64 = 2;
/// So many pages of a hundred runs are read.
const PAGES: usize = 3;
/// Of so many pipelines the variables are read.
const CANDIDATES: usize = 3;
/// After so many seconds a run that nobody sees is lost.
const LOST_AFTER: i64 = 15 * 60;

/// What a search has found.
pub(super) enum Found {
    Run(Run),
    /// All was seen, and it is not there.
    Nothing,
    /// Not all could be seen; why was said.
    Unknown,
}

/// How the run of an attempt stands.
pub(super) fn look(
    talk: &Talk<'_>,
    run: Option<&str>,
    out: &mut Vec<Diagnostic>,
) -> Option<Answer> {
    if !talk.can_look() {
        if talk.api.starts_by_access_token() {
            out.push(unasked(talk, code::TRIGGER_TOKEN, "there is no token"));
        } else {
            talk.unseen(out);
        }
        return None;
    }
    match run.filter(|run| run::is_id(run)) {
        Some(id) => follow(talk, id, out),
        None => match find(talk, out) {
            Found::Run(run) => Some(told(talk, &run, out)),
            Found::Unknown => None,
            Found::Nothing => {
                // An attempt that had to wait was asked for later than it was recorded.
                let asked = talk.triggers.last_asked(&talk.attempt());
                let asked = asked.unwrap_or(talk.call.at).max(talk.call.at);
                let age = talk.now().unix_seconds() - asked.unix_seconds();
                (age > LOST_AFTER).then(|| {
                    let why = "a build was asked for, and no run of it is found";
                    lost(talk, why, out)
                })
            }
        },
    }
}

fn follow(talk: &Talk<'_>, id: &str, out: &mut Vec<Diagnostic>) -> Option<Answer> {
    let answer = asked(talk, talk.api.run(id)?, out)?;
    match answer.status {
        200 => match talk.api.read(&answer) {
            Some(run) => Some(told(talk, &run, out)),
            None => said(talk, &answer, out),
        },
        404 => {
            // To who may not look, runs are not there either; their list is the proof.
            let list = asked(talk, talk.api.runs(talk.call.at)?, out)?;
            if list.status == 200 && talk.api.listed(&list).is_some() {
                return Some(lost(talk, "its run was deleted", out));
            }
            said(talk, &list, out)
        }
        _ => said(talk, &answer, out),
    }
}

/// What is learnt of a run, and a word to people if it waits for one.
fn told(talk: &Talk<'_>, run: &Run, out: &mut Vec<Diagnostic>) -> Answer {
    if run.state == State::Waits {
        let message = format!(
            "the run of `{}` (attempt {}) waits for a person",
            talk.call.image, talk.call.attempt
        );
        out.push(
            Diagnostic::warning(code::RUN_WAITS, message)
                .help(format!("approve or start it: {}", run.link)),
        );
    }
    run.answer()
}

/// Looks for the run of an attempt that is known by no id.
pub(super) fn find(talk: &Talk<'_>, out: &mut Vec<Diagnostic>) -> Found {
    if !talk.can_look() {
        talk.unseen(out);
        return Found::Unknown;
    }
    let call = talk.call;
    let Some(listed) = list(talk, out) else {
        return Found::Unknown;
    };
    if let Some(run) = named(&listed.runs, call.image, call.attempt) {
        return Found::Run(run.clone());
    }
    if !listed.complete {
        out.push(unasked(
            talk,
            code::RUN_LOST,
            "there are more runs since than are looked through",
        ));
        return Found::Unknown;
    }
    let since = later(call.at, listed.ahead - SLACK);
    let candidates = unclaimed(
        &listed.runs,
        (call.image, call.attempt),
        since,
        call.claimed,
    );
    by_variables(talk, &candidates, out)
}

/// The first of the runs that were started with what is sent; of those whose variables
/// cannot be read, the first.
fn by_variables(talk: &Talk<'_>, candidates: &[&Run], out: &mut Vec<Diagnostic>) -> Found {
    let inputs = talk.inputs();
    let mut first = None;
    for (at, run) in candidates.iter().enumerate() {
        let Some(request) = talk.api.variables(&run.id) else {
            first = Some(*run);
            break;
        };
        if at >= CANDIDATES {
            if first.is_none() {
                let why = "there are more pipelines since than are looked into";
                out.push(unasked(talk, code::RUN_LOST, why));
                return Found::Unknown;
            }
            break;
        }
        let ours = match talk.exchange.ask(&request) {
            Ok(answer) if answer.status == 200 => talk.api.is_ours(&answer, &inputs),
            Ok(answer) if matches!(answer.status, 401 | 403 | 404) => None,
            Ok(answer) => {
                let _ = said(talk, &answer, out);
                return Found::Unknown;
            }
            Err(silence) => {
                out.push(silent(talk, &silence));
                return Found::Unknown;
            }
        };
        match ours {
            Some(true) => return Found::Run((*run).clone()),
            Some(false) => {}
            None => first = first.or(Some(*run)),
        }
    }
    first.map_or(Found::Nothing, |run| Found::Run(run.clone()))
}

struct Listed {
    runs: Vec<Run>,
    /// Were these all?
    complete: bool,
    /// By how many seconds the host's clock is ahead of ours.
    ahead: i64,
}

/// The runs since the attempt.
fn list(talk: &Talk<'_>, out: &mut Vec<Diagnostic>) -> Option<Listed> {
    let mut next = Some(talk.api.runs(later(talk.call.at, -SKEW))?);
    let mut listed = Listed {
        runs: Vec::new(),
        complete: false,
        ahead: 0,
    };
    for page in 0..PAGES {
        let Some(request) = next.take() else { break };
        let url = request.url.clone();
        let answer = asked(talk, request.clone(), out)?;
        let runs = (answer.status == 200)
            .then(|| talk.api.listed(&answer))
            .flatten();
        let Some(runs) = runs else {
            let _ = said(talk, &answer, out);
            return None;
        };
        if page == 0 {
            listed.ahead = ahead(&answer, talk.now());
        }
        listed.runs.extend(runs);
        match following(&answer, &url) {
            Some(url) => next = Some(Request { url, ..request }),
            None => listed.complete = true,
        }
    }
    Some(listed)
}

/// The page after this one, if it is of the same list on the same server.
fn following(answer: &HttpAnswer, from: &Url) -> Option<Url> {
    let path = |url: &Url| url.path().split('?').next().unwrap_or_default().to_owned();
    let links = answer.headers("link").flat_map(|value| value.split(','));
    for one in links {
        let (address, rest) = one.trim().strip_prefix('<')?.split_once('>')?;
        if rest.split(';').any(|part| part.trim() == "rel=\"next\"") {
            let url = from.join(address)?;
            return (url.same_server(from) && same_list(&path(&url), &path(from))).then_some(url);
        }
    }
    None
}

/// GitHub's links name repositories by number.
fn same_list(to: &str, from: &str) -> bool {
    let end = |path: &str| path.rsplit('/').next().map(str::to_owned);
    to == from || (to.contains("/repositories/") && end(to) == end(from))
}

/// By how many seconds the clock of whoever answers is ahead.
fn ahead(answer: &HttpAnswer, now: Time) -> i64 {
    let theirs = answer
        .header("date")
        .and_then(http_date)
        .and_then(|seconds| i64::try_from(seconds).ok());
    theirs.map_or(0, |theirs| (theirs - now.unix_seconds()).clamp(-SKEW, SKEW))
}

fn later(time: Time, seconds: i64) -> Time {
    Time::from_unix_seconds(time.unix_seconds().saturating_add(seconds))
}

/// An answer of any status, or a word about why there is none.
fn asked(talk: &Talk<'_>, request: Request, out: &mut Vec<Diagnostic>) -> Option<HttpAnswer> {
    match talk.exchange.ask(&request) {
        Ok(answer) => Some(answer),
        Err(silence) => {
            out.push(silent(talk, &silence));
            None
        }
    }
}

fn silent(talk: &Talk<'_>, silence: &Silence) -> Diagnostic {
    let code = match silence {
        Silence::Impatient => code::TRIGGER_RATE_LIMIT,
        Silence::Trouble(crate::http::Trouble::TooLarge(_)) => code::TRIGGER_ANSWER,
        Silence::Trouble(crate::http::Trouble::Protocol(_)) => code::TRIGGER_ANSWER,
        Silence::Trouble(_) => code::TRIGGER_UNREACHABLE,
        Silence::Token(none) => none.diagnostic.code,
    };
    unasked(talk, code, &silence.why())
}

/// Says that an answer tells nothing.
fn said(talk: &Talk<'_>, answer: &HttpAnswer, out: &mut Vec<Diagnostic>) -> Option<Answer> {
    let (code, why) = unusable(answer, talk.now());
    out.push(unasked(talk, code, &why));
    None
}

fn unasked(talk: &Talk<'_>, code: Code, why: &str) -> Diagnostic {
    let message = format!(
        "how the build of `{}` (attempt {}) stands on {} cannot be seen: {why}",
        talk.call.image,
        talk.call.attempt,
        talk.host()
    );
    let help = match code {
        c if c == code::TRIGGER_TOKEN
            || c == code::TRIGGER_FORBIDDEN
            || c == code::TRIGGER_NOT_FOUND =>
        {
            format!(
                "look whether the token may read the runs of {}; the attempt stays open",
                talk.call.source.repo
            )
        }
        _ => "the attempt stays open, and the next run looks again".to_owned(),
    };
    Diagnostic::warning(code, message).help(help)
}

fn lost(talk: &Talk<'_>, why: &str, out: &mut Vec<Diagnostic>) -> Answer {
    let message = format!(
        "the build of `{}` (attempt {}) is lost on {}: {why}",
        talk.call.image,
        talk.call.attempt,
        talk.host()
    );
    out.push(
        Diagnostic::warning(code::RUN_LOST, message)
            .help("the attempt counts as failed, and is tried again later"),
    );
    Answer::Lost {
        why: why.to_owned(),
    }
}

/// How long to wait before a run is looked at again, while somebody waits for its end.
pub const LOOK_EVERY: Duration = Duration::from_secs(20);
