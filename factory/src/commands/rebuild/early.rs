//! A Job of Kargo's that comes a moment too early.
//!
//! Kargo's soak begins when the `track-` Stage takes a Freight, the delay that state
//! counts when its Job has recorded the digest, a pod's start later. So the Job of a
//! `rebuild-` Stage may find that its image is due in a few seconds; if it did not wait for
//! that, the next to look would be the hourly run.
#![allow(clippy::disallowed_methods, reason = "shell: sleeping")]

use std::thread;
use std::time::Duration;

use image_factory::cli::Streams;
use image_factory::cli::run::{Said, Stopped};
use image_factory::model::Time;
use image_factory::plan::{Action, Decision};
use image_factory::tree::Tree;

use super::Run;
use crate::commands::plan::decide;

/// A Job waits so many seconds at most.
const SOON: i64 = 5 * 60;

impl Run<'_> {
    /// Waits until what Kargo's Job was started for is due, if that is soon.
    pub(super) fn until_due(
        &self,
        tree: &Tree,
        streams: &mut Streams<'_>,
        said: &mut Said,
    ) -> Result<(), Stopped> {
        // A clock that is fixed does not reach it.
        if !self.ask.is_kargos() || self.common.now.is_some() {
            return Ok(());
        }
        let mut plan = decide(tree, &self.ask.order(), self.common, said)?;
        self.ask.only(&mut plan);
        let pauses = plan.decisions.iter().filter_map(|d| pause(d, plan.now));
        if let Some(seconds) = pauses.max() {
            if !self.common.quiet {
                streams.tell(&format!("due in {seconds} s; waiting for it\n"));
            }
            thread::sleep(Duration::from_secs(seconds));
        }
        Ok(())
    }
}

/// How many seconds until an image is due that only waits for time to pass.
fn pause(decision: &Decision, now: Time) -> Option<u64> {
    let by_itself = decision.action == Action::Wait && decision.after.is_empty();
    let seconds = decision.at?.unix_seconds() - now.unix_seconds();
    (by_itself && (1..=SOON).contains(&seconds))
        .then(|| u64::try_from(seconds).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image_factory::model::{Name, Parse as _};
    use image_factory::record::Trigger;

    #[test]
    fn only_what_is_due_soon_by_itself_is_waited_for() {
        let now = Time::from_unix_seconds(1_000);
        let name = |text| Name::parse(text).unwrap();
        for (action, at, after, expected) in [
            (Action::Wait, Some(1_001), None, Some(1)),
            (Action::Wait, Some(1_300), None, Some(300)),
            (Action::Wait, Some(1_301), None, None),
            (Action::Wait, Some(1_000), None, None),
            (Action::Wait, Some(900), None, None),
            (Action::Wait, None, None, None),
            (Action::Wait, Some(1_001), Some("parent"), None),
            (Action::Hold, Some(1_001), None, None),
            (Action::Rebuild, Some(1_001), None, None),
        ] {
            let decision = Decision {
                image: name("app"),
                action,
                at: at.map(Time::from_unix_seconds),
                emergency: false,
                after: after.map(name).into_iter().collect(),
                reasons: Vec::new(),
                trigger: Trigger::Change,
            };
            assert_eq!(pause(&decision, now), expected, "{action:?} {at:?}");
        }
    }
}
