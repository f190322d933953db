//! What is sent to whoever builds: of an attempt its inputs.

use crate::model::Input;
use crate::record::{Reason, Start};

/// As many characters has the text that says why.
const LONGEST: usize = 1000;
/// As many of them has what a person wrote.
const LONGEST_SAID: usize = 300;

/// The inputs of a workflow, or variables of a pipeline. All are texts that no shell,
/// template or log takes for anything else.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inputs {
    /// The image's name.
    pub image: String,
    /// The base image of the first reason that has one, by its name; or nothing.
    pub base_image: String,
    /// Its new digest; or nothing.
    pub base_digest: String,
    /// The tag to publish; nothing: whoever builds decides.
    pub tag: String,
    /// Why, in words, with all base images concerned: one line.
    pub reason: String,
    /// The number of the attempt.
    pub attempt: String,
}

impl Inputs {
    /// Of these inputs (all, if nothing is said) their names and values, in one order.
    #[must_use]
    pub fn chosen(&self, wanted: Option<&[Input]>) -> Vec<(Input, &str)> {
        [
            (Input::Image, &self.image),
            (Input::BaseImage, &self.base_image),
            (Input::BaseDigest, &self.base_digest),
            (Input::Tag, &self.tag),
            (Input::Reason, &self.reason),
            (Input::Attempt, &self.attempt),
        ]
        .into_iter()
        .filter(|(input, _)| wanted.is_none_or(|wanted| wanted.contains(input)))
        .map(|(input, value)| (input, value.as_str()))
        .collect()
    }
}

/// What is sent for an attempt: the request for a decision.
#[must_use]
pub fn attempt(start: &Start, number: u64) -> Inputs {
    let first = start.reasons.iter().find(|reason| reason.base.is_some());
    let text = |value: Option<String>| value.unwrap_or_default();
    Inputs {
        image: start.image.to_string(),
        base_image: text(first.and_then(|r| Some(r.base.as_ref()?.to_string()))),
        base_digest: text(first.and_then(|r| Some(r.to.as_ref()?.to_string()))),
        tag: String::new(),
        reason: why(start),
        attempt: number.to_string(),
    }
}

/// Why, on one line: the reasons in their order, then what a person said.
fn why(start: &Start) -> String {
    let said = said(start);
    let room = LONGEST.saturating_sub(said.chars().count() + ", and 1000 more, ".len());
    let mut line = String::new();
    for (at, reason) in start.reasons.iter().enumerate() {
        let words = harmless(&words(reason), LONGEST_SAID);
        if at > 0 && line.chars().count() + words.chars().count() + 2 > room {
            line.push_str(&format!(", and {} more", start.reasons.len() - at));
            break;
        }
        push(&mut line, &words);
    }
    push(&mut line, &said);
    if line.is_empty() {
        line.push_str(start.trigger.as_str());
    }
    line
}

fn push(line: &mut String, words: &str) {
    if !line.is_empty() && !words.is_empty() {
        line.push_str(", ");
    }
    line.push_str(words);
}

fn words(reason: &Reason) -> String {
    let mut words = String::new();
    if let Some(base) = &reason.base {
        words.push_str(base.as_str());
        if let Some(to) = &reason.to {
            words.push_str(" changed");
            if let Some(from) = &reason.from {
                words.push_str(&format!(" from {}", short(from.as_str())));
            }
            words.push_str(&format!(" to {}", short(to.as_str())));
        }
        words.push_str(", ");
    }
    words.push_str(reason.rule.as_str());
    if let Some(detail) = &reason.detail {
        words.push_str(&format!(" {detail}"));
    }
    words
}

/// Enough of a digest to tell it from others.
fn short(digest: &str) -> &str {
    let end = digest.find(':').map_or(0, |colon| colon + 1) + 12;
    digest.get(..end).unwrap_or(digest)
}

fn said(start: &Start) -> String {
    let of = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default(), LONGEST_SAID);
    match (of(&start.requested_by), of(&start.reason)) {
        (by, said) if by.is_empty() => said,
        (by, said) if said.is_empty() => format!("asked for by {by}"),
        (by, said) => format!("asked for by {by}: {said}"),
    }
}

/// The text as one line of at most so many characters, in which nothing is left that a
/// shell, an expression, Markdown, HTML or a log of CI would take for a command: letters,
/// digits, and a few marks. What else there is becomes a blank.
#[must_use]
pub fn harmless(text: &str, longest: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    let mut blank = false;
    let mut last = ' ';
    for c in text.chars() {
        let kept = c.is_alphanumeric() || matches!(c, '.' | ',' | ':' | '_' | '-' | '/' | '+');
        // `::` begins a command in the log of a workflow; `..` leads upwards in paths.
        let twice = c == last && matches!(c, ':' | '.');
        if !kept || twice {
            blank = true;
            continue;
        }
        let more = 1 + usize::from(blank && count > 0);
        if count + more > longest {
            break;
        }
        // A text that begins with `-` is an option to many a program.
        if count == 0 && !c.is_alphanumeric() {
            continue;
        }
        if more == 2 {
            line.push(' ');
        }
        line.push(c);
        (count, blank, last) = (count + more, false, c);
    }
    line.truncate(line.trim_end_matches(|c: char| !c.is_alphanumeric()).len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Name, ObjectName, Parse as _, Time};
    use crate::record::{Rule, Trigger};
    use crate::state::DigestText;
    use proptest::prelude::*;

    fn digest(c: char) -> DigestText {
        DigestText::read(&format!("sha256:{}", String::from(c).repeat(64))).unwrap()
    }

    fn reason(base: &str) -> Reason {
        Reason {
            base: ObjectName::parse(base).ok(),
            from: Some(digest('1')),
            to: Some(digest('2')),
            since: Time::parse("2026-12-20T00:00:00Z").ok(),
            ..Reason::new(Rule::Delay)
        }
    }

    fn start(reasons: Vec<Reason>) -> Start {
        Start {
            image: Name::parse("shop").unwrap(),
            trigger: Trigger::Change,
            reasons,
            requested_by: None,
            reason: None,
        }
    }

    #[test]
    fn a_change_names_all_bases_and_sends_the_first() {
        let parent = Reason::new(Rule::Schedule);
        let inputs = attempt(
            &start(vec![parent, reason("node-22"), reason("golang-1.24")]),
            7,
        );
        assert_eq!(inputs.image, "shop");
        assert_eq!(inputs.base_image, "node-22");
        assert_eq!(inputs.base_digest, digest('2').as_str());
        assert_eq!((&*inputs.tag, &*inputs.attempt), ("", "7"));
        assert_eq!(
            inputs.reason,
            "schedule, node-22 changed from sha256:111111111111 to sha256:222222222222, delay, \
             golang-1.24 changed from sha256:111111111111 to sha256:222222222222, delay"
        );
    }

    #[test]
    fn an_order_says_who_and_why() {
        let mut start = start(vec![Reason::new(Rule::Emergency)]);
        start.requested_by = Some("Ada <ada@example.com>".to_owned());
        start.reason = Some("CVE-2026-1: $(rm -rf /)\n::error::x ${{ secrets.A }}".to_owned());
        let inputs = attempt(&start, 1);
        assert_eq!(
            inputs.reason,
            "emergency, asked for by Ada ada example.com: CVE-2026-1: rm -rf / : error: x secrets.A"
        );
        assert_eq!((&*inputs.base_image, &*inputs.base_digest), ("", ""));
        start.reason = None;
        assert_eq!(
            attempt(&start, 1).reason,
            "emergency, asked for by Ada ada example.com"
        );
    }

    #[test]
    fn without_a_reason_the_trigger_is_one() {
        assert_eq!(attempt(&start(Vec::new()), 1).reason, "change");
    }

    #[test]
    fn what_is_too_long_is_counted() {
        let bases = (0..200).map(|n| reason(&format!("base-{n}"))).collect();
        let mut start = start(bases);
        start.reason = Some("x".repeat(10_000));
        let line = attempt(&start, 1).reason;
        assert!(line.chars().count() <= LONGEST, "{}", line.len());
        let numbers: String = line
            .split(", and ")
            .nth(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
            .unwrap();
        let named = line.matches("delay").count();
        assert_eq!(named + numbers.parse::<usize>().unwrap(), 200);
        assert!(line.ends_with(&"x".repeat(LONGEST_SAID)));
    }

    #[test]
    fn only_inputs_that_are_wanted_are_sent() {
        let inputs = attempt(&start(vec![reason("node-22")]), 3);
        let wanted = [Input::Attempt, Input::Image];
        assert_eq!(
            inputs.chosen(Some(&wanted)),
            [(Input::Image, "shop"), (Input::Attempt, "3")]
        );
        assert_eq!(inputs.chosen(None).len(), Input::WORDS.len());
        assert!(inputs.chosen(Some(&[])).is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_said_becomes_one_harmless_bounded_line(
            by in proptest::option::of(any::<String>()),
            said in proptest::option::of("(?s).{0,400}|[$`{}<>;&|\"'\\\\\n\r:.#@*-]{0,60}"),
            detail in proptest::option::of(any::<String>()),
        ) {
            let mut start = start(vec![Reason { detail, ..reason("node-22") }]);
            start.requested_by = by;
            start.reason = said;
            let line = attempt(&start, 1).reason;
            prop_assert!(line.chars().count() <= LONGEST);
            prop_assert!(!line.contains("::") && !line.contains("..") && !line.contains("  "));
            prop_assert!(line.starts_with("node-22 changed"));
            let fine = |c: char| c.is_alphanumeric() || " .,:_-/+".contains(c);
            prop_assert!(line.chars().all(fine), "{line:?}");
        }

        #[test]
        fn a_harmless_text_stays(text in "[A-Za-z0-9]([A-Za-z0-9: ]?[A-Za-z0-9]){0,20}") {
            prop_assume!(!text.contains("::"));
            prop_assert_eq!(harmless(&text, 100), text);
        }
    }
}
