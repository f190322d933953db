//! How long a run asks for what it recorded.
#![allow(
    clippy::disallowed_methods,
    reason = "shell: the clock that does not jump"
)]

use std::time::{Duration, Instant};

/// So long after they were recorded builds are asked for. What is left then, another run
/// takes over, which begins [`image_factory::record::TAKE_OVER_AFTER`] it was recorded;
/// one request may take two minutes.
const ASK_WITHIN: Duration = Duration::from_secs(120);

/// The time in which attempts are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    begun: Instant,
}

impl Window {
    /// It begins before the attempts are given their time, so that however long the commit
    /// and its push last, it is over before others take them over.
    pub(super) fn begin() -> Self {
        Self {
            begun: Instant::now(),
        }
    }

    /// Is it too late to ask?
    pub(super) fn is_over(self) -> bool {
        self.is_over_at(Instant::now())
    }

    fn is_over_at(self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) > ASK_WITHIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use factory::trigger::PATIENCE;
    use image_factory::record::TAKE_OVER_AFTER;

    #[test]
    fn what_was_recorded_too_long_ago_is_not_asked_for() {
        let begun = Instant::now();
        let window = Window { begun };
        for (seconds, over) in [(0, false), (120, false), (121, true), (280, true)] {
            let now = begun + Duration::from_secs(seconds);
            assert_eq!(window.is_over_at(now), over, "{seconds}");
        }
    }

    #[test]
    fn the_last_request_ends_before_others_take_over() {
        let taken = Duration::from_secs(u64::from(TAKE_OVER_AFTER.minutes()) * 60);
        assert!(ASK_WITHIN + PATIENCE < taken);
    }
}
