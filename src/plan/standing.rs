//! How the attempts to rebuild an image stand.

use super::{AttemptFacts, End, ImageFacts};
use crate::model::{Duration, Time};
use crate::record::{ANSWER_WITHIN, GIVE_UP_AFTER};

/// What the history of an image means now.
pub(super) struct Standing<'f> {
    /// The attempt that is under way.
    pub(super) open: Option<&'f AttemptFacts>,
    /// The newest attempt that ended well.
    pub(super) good: Option<&'f AttemptFacts>,
    /// Until when its image is awaited as a base of others.
    pub(super) awaited_until: Option<Time>,
    /// When the attempt before that failed, if it did.
    pub(super) failed_before: Option<Time>,
    /// So many attempts failed since then, or since there is a newer build.
    pub(super) failures: u32,
    /// When the last of them did.
    pub(super) last_failure: Option<Time>,
}

impl<'f> Standing<'f> {
    pub(super) fn of(image: &'f ImageFacts, window: Duration, now: Time) -> Self {
        let mut standing = Self {
            open: None,
            good: None,
            awaited_until: None,
            failed_before: None,
            failures: 0,
            last_failure: None,
        };
        let mut attempts: Vec<&AttemptFacts> = image.attempts.iter().collect();
        let order = |attempt: &&AttemptFacts| (attempt.number, attempt.at);
        if !attempts.is_sorted_by_key(order) {
            attempts.sort_by_key(order);
        }
        for attempt in attempts.into_iter().rev() {
            let ended = ended(attempt, now);
            if standing.good.is_some() {
                if let Some((End::Failed | End::Refused | End::Open, at)) = ended {
                    standing.failed_before = Some(at);
                }
                break;
            }
            match ended {
                None => standing.open = standing.open.or(Some(attempt)),
                Some((End::Failed | End::Refused | End::Open, at)) => {
                    // A build that came without us made good what failed.
                    if image.last_built.is_none_or(|built| built < at) {
                        standing.failures = standing.failures.saturating_add(1);
                        standing.last_failure = standing.last_failure.max(Some(at));
                    }
                }
                Some((End::Succeeded | End::Done, at)) => {
                    let awaited = if attempt.end == End::Succeeded {
                        ANSWER_WITHIN
                    } else {
                        window
                    };
                    standing.good = Some(attempt);
                    standing.awaited_until = Some(at.plus(awaited)).filter(|until| *until > now);
                }
            }
        }
        standing
    }

    /// Is an attempt under way, or did one succeed that was not analysed yet?
    pub(super) fn analysis_awaited(&self) -> Option<&'f AttemptFacts> {
        self.good
            .filter(|good| good.end == End::Succeeded && self.awaited_until.is_some())
    }

    /// When the next attempt may be started after those that failed.
    pub(super) fn next_try(&self) -> Option<Time> {
        let hours = 1_u32
            .checked_shl(self.failures.saturating_sub(1))
            .unwrap_or(u32::MAX)
            .min(24);
        Some(self.last_failure?.plus(Duration::from_minutes(hours * 60)))
    }

    /// Is there to be no further attempt? `newest` is the newest change that the image
    /// was not built with.
    pub(super) fn gave_up(&self, newest: Option<Time>) -> bool {
        self.failures >= GIVE_UP_AFTER && newest <= self.last_failure
    }
}

/// How an attempt ended and when; nothing if it did not. One without an answer has
/// failed, whether or not somebody noted it.
pub(super) fn ended(attempt: &AttemptFacts, now: Time) -> Option<(End, Time)> {
    if attempt.end == End::Open {
        let expires = attempt.at.plus(ANSWER_WITHIN);
        return (expires <= now).then_some((End::Open, expires));
    }
    Some((attempt.end, attempt.ended.unwrap_or(attempt.at)))
}
