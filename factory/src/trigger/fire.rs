//! Asking for a build, until it is known what became of it.

use std::collections::BTreeSet;
use std::time::Duration;

use image_factory::diagnostics::{Code, Diagnostic, code};
use image_factory::model::{Provider, Source};
use image_factory::record::Answer;

use super::api::{Posted, Refusal, Start, unanswered};
use super::exchange::Silence;
use super::look::{Found, find};
use super::{Talk, github};
use crate::http::said::wait_text;
use crate::tokens::Tokens;

/// So often a build is asked for whose answer was lost.
const ASKED: u32 = 2;
/// So often is tried what did not even leave, or was limited.
const TRIED: u32 = 3;
/// Between what did not leave and the next time.
const PAUSE: Duration = Duration::from_secs(5);
/// How long after a lost answer its run is looked for: runs appear after seconds.
const LOOKS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(15)];
/// What comes after an end of which nothing is known. By then whoever recorded the attempt
/// asks no more, see `record::TAKE_OVER_AFTER`.
const GOES_ON: &str =
    "the attempt stays open, and a run five minutes from now or later goes on with it";

/// Starts a build. `None`: nothing is known, and nothing more can be done now.
pub(super) fn fire(talk: &Talk<'_>, look_first: bool, out: &mut Vec<Diagnostic>) -> Option<Answer> {
    if look_first {
        match find(talk, out) {
            Found::Run(run) => return Some(run.answer()),
            Found::Nothing => {}
            Found::Unknown => return None,
        }
    }
    if !has_token(talk) {
        return Some(no_token(talk, out));
    }
    let mut start = Start {
        inputs: talk.inputs(),
        without: BTreeSet::new(),
        details: talk.provider() == Provider::GitHub
            && github::knows_details(talk.triggers.providers.github.api.as_str()),
    };
    let (mut asked, mut tried) = (0, 0);
    loop {
        match post(talk, &start, out)? {
            Posted::Started { run, link } => return Some(Answer::Accepted { run, link }),
            Posted::Unexpected(names) => {
                if !leave_out(talk, &mut start, names, out) {
                    return Some(still_unexpected(talk, out));
                }
            }
            Posted::Refused(refusal) | Posted::Unauthorized(refusal) => {
                return Some(refused(talk, &refusal, out));
            }
            Posted::Limited { wait, why } => {
                tried += 1;
                if tried >= TRIED || !talk.exchange.pause(wait) {
                    out.push(limited(talk, wait, &why));
                    return None;
                }
            }
            Posted::Unsent(why) => {
                tried += 1;
                if tried >= TRIED || !talk.exchange.pause(PAUSE) {
                    out.push(unreachable(talk, &why));
                    return None;
                }
            }
            Posted::Unknown { code, why } => {
                asked += 1;
                match after_silence(talk, out) {
                    Found::Run(run) => return Some(run.answer()),
                    Found::Unknown => {
                        out.push(unknown(talk, code, &why));
                        return None;
                    }
                    Found::Nothing if asked >= ASKED => {
                        return Some(lost(talk, code, &why, out));
                    }
                    Found::Nothing => {}
                }
            }
        }
    }
}

fn has_token(talk: &Talk<'_>) -> bool {
    !talk.api.starts_by_access_token() || talk.triggers.tokens.is_set(talk.provider())
}

/// Sends the request that starts a build. `None`: there is no way to, which was said.
fn post(talk: &Talk<'_>, start: &Start<'_>, out: &mut Vec<Diagnostic>) -> Option<Posted> {
    let Some(request) = talk.api.start(start) else {
        return Some(Posted::Unsent("the API has no address".to_owned()));
    };
    talk.triggers.note_asked(talk.attempt(), talk.now());
    let sent = if talk.api.starts_by_access_token() {
        talk.exchange.ask(&request)
    } else {
        talk.exchange.send(&request)
    };
    match sent {
        Ok(answer) => Some(talk.api.started(&answer, talk.now())),
        Err(Silence::Trouble(trouble)) => Some(unanswered(&trouble)),
        Err(Silence::Token(none)) if !none.passing => Some(Posted::Refused(Refusal {
            code: none.diagnostic.code,
            why: none.diagnostic.message,
            help: none.diagnostic.help.unwrap_or_default(),
        })),
        Err(silence) => {
            out.push(silence.diagnostic().unwrap_or_else(|| {
                Diagnostic::error(code::TRIGGER_RATE_LIMIT, not_started(talk, &silence.why()))
                    .help(GOES_ON)
            }));
            None
        }
    }
}

/// Looks for the run of a request that nobody answered.
fn after_silence(talk: &Talk<'_>, out: &mut Vec<Diagnostic>) -> Found {
    for pause in LOOKS {
        if !talk.exchange.pause(pause) {
            return Found::Unknown;
        }
        match find(talk, out) {
            Found::Nothing => {}
            found => return found,
        }
    }
    Found::Nothing
}

/// Takes out what the host does not want, and says so. Is it another request then?
fn leave_out(
    talk: &Talk<'_>,
    start: &mut Start<'_>,
    names: BTreeSet<String>,
    out: &mut Vec<Diagnostic>,
) -> bool {
    let (again, left_out) = without_these(start, names);
    if !left_out.is_empty() {
        out.push(undeclared(talk, &left_out));
    }
    again
}

/// Takes out what the host does not want, inputs and the wish for details once each. Is
/// it another request then, and which inputs are gone?
fn without_these(start: &mut Start<'_>, mut names: BTreeSet<String>) -> (bool, BTreeSet<String>) {
    let details = start.details && names.remove(github::DETAILS);
    if details {
        start.details = false;
    }
    let sent: BTreeSet<&str> = start.sent().map(|(name, _)| name).collect();
    names.retain(|name| sent.contains(name.as_str()));
    if names.is_empty() || !start.without.is_empty() {
        return (details && names.is_empty(), BTreeSet::new());
    }
    start.without.clone_from(&names);
    (true, names)
}

/// What could not be done, for a message.
fn not_started(talk: &Talk<'_>, why: &str) -> String {
    format!(
        "{} was not asked to build `{}` (attempt {}): {why}",
        talk.host(),
        talk.call.image,
        talk.call.attempt
    )
}

fn undeclared(talk: &Talk<'_>, names: &BTreeSet<String>) -> Diagnostic {
    let file = &talk.call.source.workflow;
    let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "workflow `{file}` of {} does not declare {}; it was started without",
        talk.call.source.repo,
        listed.join(", ")
    );
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("      {name}: {{required: false, type: string}}"))
        .collect();
    let sent: Vec<&str> = talk
        .inputs()
        .iter()
        .map(|(input, _)| input.as_str())
        .filter(|name| !names.contains(*name))
        .collect();
    let help = format!(
        "declare them in `.github/workflows/{file}`:\non:\n  workflow_dispatch:\n    inputs:\n{}\nor send only the others: `source.inputs: [{}]`",
        lines.join("\n"),
        sent.join(", ")
    );
    Diagnostic::warning(code::INPUTS_UNDECLARED, message).help(help)
}

fn still_unexpected(talk: &Talk<'_>, out: &mut Vec<Diagnostic>) -> Answer {
    let refusal = Refusal {
        code: code::NOT_STARTABLE,
        why: "status 422: inputs are still unexpected after those named were left out".to_owned(),
        help: format!(
            "look at `on.workflow_dispatch.inputs` of `.github/workflows/{}`, and name those that it has in `source.inputs`",
            talk.call.source.workflow
        ),
    };
    refused(talk, &refusal, out)
}

fn refused(talk: &Talk<'_>, refusal: &Refusal, out: &mut Vec<Diagnostic>) -> Answer {
    let what = format!(
        "{} does not build `{}` (attempt {})",
        talk.host(),
        talk.call.image,
        talk.call.attempt
    );
    out.push(refusal.diagnostic(&what));
    Answer::Refused {
        why: refusal.why.clone(),
    }
}

fn no_token(talk: &Talk<'_>, out: &mut Vec<Diagnostic>) -> Answer {
    let tokens = &talk.triggers.tokens;
    refused(talk, &missing(tokens, talk.call.source), out)
}

/// That there is no token for the host of this source.
pub(super) fn missing(tokens: &Tokens, source: &Source) -> Refusal {
    let variable = tokens.source(source.provider);
    let (why, help) = match source.provider {
        Provider::GitHub => (
            format!("there is no token: the variable `{variable}` is not set"),
            format!(
                "put a token with `actions: write` for {} into `{variable}`, or configure a GitHub App",
                source.repo
            ),
        ),
        Provider::GitLab => (
            format!(
                "there is no token: neither `{}` nor `{variable}` is set",
                tokens.trigger_source()
            ),
            format!(
                "put a trigger token of {} into `{}`, or an access token with the scope `api` into `{variable}`",
                source.repo,
                tokens.trigger_source()
            ),
        ),
    };
    Refusal {
        code: code::TRIGGER_TOKEN,
        why,
        help,
    }
}

fn limited(talk: &Talk<'_>, wait: Duration, why: &str) -> Diagnostic {
    Diagnostic::error(code::TRIGGER_RATE_LIMIT, not_started(talk, why)).help(format!(
        "it wants to be left alone for {}; {GOES_ON}",
        wait_text(wait)
    ))
}

fn unreachable(talk: &Talk<'_>, why: &str) -> Diagnostic {
    Diagnostic::error(code::TRIGGER_UNREACHABLE, not_started(talk, why))
        .help(format!("nothing was sent; {GOES_ON}"))
}

fn unknown(talk: &Talk<'_>, code: Code, why: &str) -> Diagnostic {
    let message = format!(
        "{} was asked to build `{}` (attempt {}), and it is not known whether it does: {why}",
        talk.host(),
        talk.call.image,
        talk.call.attempt
    );
    Diagnostic::error(code, message).help(format!(
        "nothing is sent again before its run was looked for; {GOES_ON}"
    ))
}

fn lost(talk: &Talk<'_>, code: Code, why: &str, out: &mut Vec<Diagnostic>) -> Answer {
    let message = format!(
        "{} was asked twice to build `{}` (attempt {}), and started no run: {why}",
        talk.host(),
        talk.call.image,
        talk.call.attempt
    );
    out.push(
        Diagnostic::error(code, message)
            .help("the attempt counts as failed, and is tried again later"),
    );
    Answer::Lost {
        why: format!("asked twice, no run was started: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image_factory::model::Input;

    /// What is sent after a refusal that names these, and whether it is sent.
    fn left(details: bool, without: &[&str], names: &[&str]) -> Option<(bool, Vec<&'static str>)> {
        let owned = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        let mut start = Start {
            inputs: vec![
                (Input::Image, "shop"),
                (Input::Tag, ""),
                (Input::Attempt, "3"),
            ],
            without: owned(without),
            details,
        };
        let (again, _) = without_these(&mut start, owned(names));
        again.then(|| (start.details, start.sent().map(|(name, _)| name).collect()))
    }

    #[test]
    fn each_kind_of_unwanted_input_is_left_out_once() {
        let all = vec!["image", "tag", "attempt"];
        for (details, without, names, is) in [
            (
                true,
                &[][..],
                &[github::DETAILS][..],
                Some((false, all.clone())),
            ),
            (false, &[], &[github::DETAILS], None),
            (
                false,
                &[],
                &["tag"],
                Some((false, vec!["image", "attempt"])),
            ),
            (true, &[], &["tag"], Some((true, vec!["image", "attempt"]))),
            (
                true,
                &["tag"],
                &[github::DETAILS],
                Some((false, vec!["image", "attempt"])),
            ),
            (false, &["tag"], &["image"], None),
            (false, &["tag"], &["tag"], None),
            (false, &[], &["reason"], None),
            (false, &[], &[], None),
        ] {
            assert_eq!(
                left(details, without, names),
                is,
                "{details} {without:?} {names:?}"
            );
        }
    }
}
