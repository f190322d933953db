//! Times in the order in which things happened.

use crate::diagnostics::{Diagnostic, Place, code};
use crate::model::Time;
use crate::state::Stamp;

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
