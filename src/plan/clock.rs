//! Facts without times that cannot be: a clock was ahead when they were written.
//!
//! Such a time must not hold an image until it comes. An open attempt of it counts as
//! failed now, as which the next run records it. What has ended is as old as what came
//! before it, so that its pause does not begin anew each time somebody looks.

use std::borrow::Cow;

use super::{AttemptFacts, End, Facts, ImageFacts};
use crate::model::Time;
use crate::record::{ANSWER_WITHIN, is_ahead};

/// The facts as far as they can be true at that time.
pub(super) fn known(facts: &Facts, now: Time) -> Cow<'_, Facts> {
    let wrong = |time: Option<Time>| time.is_some_and(|time| is_ahead(time, now));
    let ahead = |one: &AttemptFacts| wrong(Some(one.at)) || wrong(one.ended);
    let times = |image: &ImageFacts| wrong(image.last_built) || wrong(image.enrolled_at);
    let mut images = facts.images.iter();
    if !images.any(|image| times(image) || image.attempts.iter().any(ahead))
        && !facts.others.iter().any(ahead)
    {
        return Cow::Borrowed(facts);
    }
    let mut facts = facts.clone();
    for image in &mut facts.images {
        image.last_built = image.last_built.filter(|at| !is_ahead(*at, now));
        image.enrolled_at = image.enrolled_at.filter(|at| !is_ahead(*at, now));
        if image.attempts.iter().any(ahead) {
            mend(&mut image.attempts, now);
        }
    }
    mend(&mut facts.others, now);
    Cow::Owned(facts)
}

fn mend(attempts: &mut [AttemptFacts], now: Time) {
    attempts.sort_by_key(|attempt| (attempt.number, attempt.at));
    let within = i64::from(ANSWER_WITHIN.minutes()) * 60;
    let expired = Time::from_unix_seconds(now.unix_seconds().saturating_sub(within));
    let mut before = Time::from_unix_seconds(0);
    for attempt in attempts {
        attempt.ended = attempt.ended.filter(|ended| !is_ahead(*ended, now));
        if is_ahead(attempt.at, now) {
            attempt.at = match attempt.ended {
                Some(ended) => ended,
                None if attempt.end == End::Open && attempt.followed => expired,
                None => before,
            };
        }
        before = before.max(attempt.ended.unwrap_or(attempt.at));
    }
}
