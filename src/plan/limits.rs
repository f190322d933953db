//! How much is triggered at once, and in a day. What is over waits, and says so.

use super::standing::ended;
use super::{Action, Decision, End, Facts};
use crate::model::{Duration, Time};
use crate::record::{Reason, Rule};

const DAY: Duration = Duration::from_days(1);

/// The places that are free.
pub(super) struct Places {
    now: Time,
    concurrent: u32,
    per_run: u32,
    per_day: u32,
    /// What was started within a day, and what is now, oldest first.
    started: Vec<Time>,
    open: u32,
    goes: u32,
    /// So many wait for a place in the day already.
    wait: usize,
}

impl Places {
    pub(super) fn of(facts: &Facts, now: Time) -> Self {
        let images = facts.images.iter().flat_map(|image| &image.attempts);
        let mut open = 0;
        let mut started = Vec::new();
        for attempt in images.chain(&facts.others) {
            if ended(attempt, now).is_none() {
                open += 1;
            }
            // Of one that was refused nothing ran.
            if attempt.end != End::Refused && attempt.at.plus(DAY) > now {
                started.push(attempt.at);
            }
        }
        started.sort_unstable();
        let limits = facts.policy.limits;
        Self {
            now,
            concurrent: limits.concurrent,
            per_run: limits.per_run,
            per_day: limits.per_day,
            started,
            open,
            goes: 0,
            wait: 0,
        }
    }

    /// Gives a place to a rebuild, or makes it wait.
    pub(super) fn take(&mut self, decision: &mut Decision) {
        let day = usize::try_from(self.per_day).unwrap_or(usize::MAX);
        let over = if self.open >= self.concurrent {
            Some(format!("{} at once", self.concurrent))
        } else if self.goes >= self.per_run {
            Some(format!("{} in one run", self.per_run))
        } else {
            None
        };
        let (at, detail) = match over {
            Some(detail) => (None, detail),
            None if decision.emergency || self.started.len() < day => {
                self.open = self.open.saturating_add(1);
                self.goes = self.goes.saturating_add(1);
                self.started.push(self.now);
                return;
            }
            None => {
                // Emergencies may have taken more than there is.
                let surplus = self.started.len().saturating_sub(day);
                let place = self.started.get(surplus.saturating_add(self.wait));
                self.wait = self.wait.saturating_add(1);
                (
                    place.map(|at| at.plus(DAY)),
                    format!("{} in 24 hours", self.per_day),
                )
            }
        };
        decision.action = Action::Wait;
        decision.at = at;
        let reason = Reason {
            detail: Some(detail),
            ..Reason::new(Rule::Limit)
        };
        decision.reasons.insert(0, reason);
    }
}
