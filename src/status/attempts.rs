//! How the attempts to rebuild an image stand.

use crate::model::Time;
use crate::state::{Attempt, ImageDoc, Stamp};

/// The newest attempt to rebuild an image, and how many failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempts {
    /// What it is called: a number, usually.
    pub attempt: String,
    /// When it was started.
    pub at: Option<Time>,
    /// The word for where it stands.
    pub outcome: String,
    /// Has it not ended?
    pub open: bool,
    /// Where people can look at it.
    pub link: Option<String>,
    /// More about a bad end.
    pub detail: Option<String>,
    /// So many failed in a row, the newest last.
    pub failures: u32,
}

impl Attempts {
    /// What the history of an image says; nothing without one.
    pub(super) fn of(doc: &ImageDoc) -> Option<Self> {
        let newest = doc.rebuild_history.last()?;
        let built = doc.last_built.as_ref().map(Stamp::time);
        let ended = |attempt: &Attempt| {
            let at = attempt.ended_at.as_ref().or(attempt.at.as_ref());
            at.map(Stamp::time)
        };
        let failures = (doc.rebuild_history.iter().rev())
            .filter(|attempt| !attempt.is_open())
            // A build that came by other ways made good what failed.
            .take_while(|attempt| {
                attempt.has_failed() && built.is_none_or(|built| ended(attempt) > Some(built))
            })
            .count();
        Some(Self {
            attempt: (newest.attempt.as_ref())
                .map_or("?", |text| text.as_str())
                .to_owned(),
            at: newest.at.as_ref().map(Stamp::time),
            outcome: newest.outcome.clone().unwrap_or_else(|| "open".to_owned()),
            open: newest.is_open(),
            link: newest.link.clone(),
            detail: newest.detail.clone(),
            failures: u32::try_from(failures).unwrap_or(u32::MAX),
        })
    }

    /// What is not as it should be. `gave_up`: there is to be no other attempt.
    pub(super) fn problem(&self, gave_up: bool) -> Option<String> {
        let failures = match self.failures {
            0 => return None,
            1 => "the last attempt to rebuild it failed".to_owned(),
            more => format!("the last {more} attempts to rebuild it failed"),
        };
        let mut text = failures;
        if gave_up && !self.open {
            text.push_str(", so no other is made until a base image changes or somebody asks");
        }
        if !self.open {
            let more = [
                Some(&self.outcome),
                self.detail.as_ref(),
                self.link.as_ref(),
            ];
            let more: Vec<&str> = more.into_iter().flatten().map(String::as_str).collect();
            text.push_str(&format!(": {}", more.join(", ")));
        }
        Some(text)
    }

    /// In a few words.
    pub(super) fn words(&self) -> String {
        format!("#{} {}", self.attempt, self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::InputFile;
    use crate::record::GIVE_UP_AFTER;

    fn of(history: &[(&str, &str)], built: &str) -> Option<Attempts> {
        let mut text = format!("name: shop\nlastBuilt: {built}\nrebuildHistory:\n");
        for (number, (day, outcome)) in history.iter().enumerate() {
            text.push_str(&format!(
                "  - {{at: \"2026-03-{day}T00:00:00Z\", attempt: {}, outcome: {outcome}, link: \"https://ci/{number}\"}}\n",
                number + 1
            ));
        }
        let file = InputFile {
            path: "state/images/shop.yaml".into(),
            text,
        };
        Attempts::of(&ImageDoc::read(&file).doc.unwrap())
    }

    #[test]
    fn failures_in_a_row_are_counted_and_told() {
        let five = ["01", "02", "03", "04", "05"].map(|day| (day, "failed"));
        for (history, built, failures, says) in [
            (&[("01", "built")][..], "null", 0, None),
            (&[("01", "running")], "null", 0, None),
            (
                &[("01", "failed"), ("02", "running")],
                "null",
                1,
                Some("the last attempt"),
            ),
            (
                &[("01", "failed"), ("02", "lost")],
                "null",
                2,
                Some("lost, https://ci/1"),
            ),
            (&five, "null", 5, Some("no other is made")),
            (
                &five,
                "\"2026-03-04T00:00:00Z\"",
                1,
                Some("failed, https://ci/4"),
            ),
            (
                &[("01", "failed"), ("02", "built"), ("03", "expired")],
                "null",
                1,
                Some("expired"),
            ),
        ] {
            let found = of(history, built).unwrap();
            assert_eq!(found.failures, failures, "{history:?}");
            let problem = found.problem(found.failures >= GIVE_UP_AFTER);
            assert_eq!(problem.is_some(), says.is_some(), "{history:?}");
            let problem = problem.unwrap_or_default();
            assert!(problem.contains(says.unwrap_or_default()), "{problem}");
        }
        assert_eq!(of(&[], "null"), None);
    }
}
