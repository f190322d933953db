//! How fast one trigger asks: never more than five requests in a minute, and never a
//! wait that is longer than a run lasts.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: the clock that does not jump, and sleeping"
)]

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

/// So many requests a trigger sends in [`WINDOW`].
pub const REQUESTS: usize = 5;
/// The time that requests are counted in.
pub const WINDOW: Duration = Duration::from_secs(60);
/// The longest that one trigger waits in one run.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A clock that does not jump, and a way to wait by it.
pub struct Pace {
    elapsed: Box<dyn Fn() -> Duration + Send + Sync>,
    sleep: Box<dyn Fn(Duration) + Send + Sync>,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pace")
    }
}

impl Default for Pace {
    /// By the machine's clock.
    fn default() -> Self {
        let begin = Instant::now();
        Self::new(move || begin.elapsed(), std::thread::sleep)
    }
}

impl Pace {
    /// A pace by this clock, which says how long something unspecified is ago, and by
    /// this way to wait.
    #[must_use]
    pub fn new(
        elapsed: impl Fn() -> Duration + Send + Sync + 'static,
        sleep: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Self {
        Self {
            elapsed: Box::new(elapsed),
            sleep: Box::new(sleep),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }

    pub(super) fn sleep(&self, time: Duration) {
        if !time.is_zero() {
            (self.sleep)(time);
        }
    }
}

/// When the last requests of a trigger were sent.
#[derive(Default, Debug)]
pub(super) struct Budget {
    sent: VecDeque<Duration>,
}

impl Budget {
    /// How long the next request has to wait.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        if self.sent.len() < REQUESTS {
            return Duration::ZERO;
        }
        let first = self.sent.front().copied().unwrap_or_default();
        (first + WINDOW).saturating_sub(now)
    }

    /// A request is sent.
    pub(super) fn spend(&mut self, now: Duration) {
        self.sent.push_back(now);
        while self.sent.len() > REQUESTS {
            self.sent.pop_front();
        }
    }

    /// Is nothing known that still counts?
    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.sent.back().is_none_or(|last| *last + WINDOW < now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sixth_request_waits_until_the_first_is_a_minute_old() {
        let mut budget = Budget::default();
        let seconds = Duration::from_secs;
        for now in [0, 1, 2, 3] {
            assert_eq!(budget.wait(seconds(now)), Duration::ZERO);
            budget.spend(seconds(now));
        }
        assert_eq!(budget.wait(seconds(4)), Duration::ZERO);
        budget.spend(seconds(4));
        assert_eq!(budget.wait(seconds(5)), seconds(55));
        assert_eq!(budget.wait(seconds(60)), Duration::ZERO);
        budget.spend(seconds(60));
        assert_eq!(budget.wait(seconds(60)), seconds(1));
        assert!(!budget.is_over(seconds(120)));
        assert!(budget.is_over(seconds(121)));
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_five(pauses in proptest::collection::vec(0u64..40, 1..60)) {
            let (mut budget, mut now, mut sent) = (Budget::default(), Duration::ZERO, Vec::new());
            for pause in pauses {
                now += Duration::from_secs(pause);
                now += budget.wait(now);
                budget.spend(now);
                sent.push(now);
            }
            for window in sent.windows(REQUESTS + 1) {
                prop_assert!(window[REQUESTS] - window[0] >= WINDOW);
            }
        }
    }
}
