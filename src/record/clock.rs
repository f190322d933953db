//! Times in the order in which things happened.

use crate::diagnostics::{Diagnostic, Place, code};
use crate::model::{Duration, Time};
use crate::state::Stamp;

/// The clocks of those who write state differ by so much at most; 10 minutes.
const APART: Duration = Duration::from_minutes(10);

/// Is a recorded time one that cannot be yet? A clock was ahead when it was written, or
/// is behind now.
#[must_use]
pub fn is_ahead(recorded: Time, now: Time) -> bool {
    recorded > now.plus(APART)
}

/// Tells of recorded times that cannot be yet, where the time of now is written all the same.
pub(super) fn ahead<'s>(
    now: Time,
    recorded: impl IntoIterator<Item = Option<&'s Stamp>>,
    path: &str,
    out: &mut Vec<Diagnostic>,
) {
    let newest = recorded.into_iter().flatten().map(Stamp::time).max();
    if let Some(newest) = newest.filter(|newest| is_ahead(*newest, now)) {
        let message = format!("it is {now} by the clock, but {newest} was recorded before");
        let help = "nothing waits for that time; set the clock if it is wrong";
        let warning = Diagnostic::warning(code::CLOCK_BEHIND, message).help(help);
        out.push(warning.at(Place::file(path)));
    }
}

/// The time to write: `now`, or the newest of the recorded times that it must not
/// come before, with a warning: a clock was wrong then, or is now.
pub(super) fn after<'s>(
    now: Time,
    recorded: impl IntoIterator<Item = Option<&'s Stamp>>,
    path: &str,
    out: &mut Vec<Diagnostic>,
) -> Time {
    let newest = recorded.into_iter().flatten().map(Stamp::time).max();
    match newest {
        Some(newest) if newest > now => {
            let message = format!("it is {now} by the clock, but {newest} was recorded before");
            let help = "the later time is written; set the clock, or mend the time in the file";
            out.push(
                Diagnostic::warning(code::CLOCK_BEHIND, message)
                    .help(help)
                    .at(Place::file(path)),
            );
            newest
        }
        _ => now,
    }
}
