//! Trying again what may be over: with growing pauses of random length, so that
//! many who failed at once do not come back at once.

use std::hash::{BuildHasher as _, RandomState};
use std::thread;
use std::time::Duration;

/// How often, and with which pauses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    /// Tries in all.
    pub(super) tries: u32,
    /// The first pause is up to this long, each later one up to twice as long.
    pub(super) pause: Duration,
}

/// What to do after a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Again {
    Never,
    /// Once more and no further: each try costs minutes.
    Once,
    /// As often as there are tries.
    Often,
}

impl Retry {
    /// Does it until it succeeds or there is no point in going on. Gives the number of
    /// tries besides.
    pub(super) fn run<T, E>(
        self,
        again: impl Fn(&E) -> Again,
        mut attempt: impl FnMut() -> Result<T, E>,
    ) -> (Result<T, E>, u32) {
        let mut tries = 1;
        loop {
            let result = attempt();
            let limit = match result.as_ref().err().map(&again) {
                None | Some(Again::Never) => 1,
                Some(Again::Once) => self.tries.min(2),
                Some(Again::Often) => self.tries,
            };
            if tries >= limit {
                return (result, tries);
            }
            thread::sleep(self.before(tries));
            tries += 1;
        }
    }

    /// The pause after the try of this number: half of it fixed, half of it random.
    fn before(self, tries: u32) -> Duration {
        let most = self.pause.saturating_mul(1 << (tries - 1).min(6));
        let part = u32::try_from(RandomState::new().hash_one(tries) & 0xff).unwrap_or(0);
        most / 2 + most / 512 * part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_counted_and_pauses_grow() {
        let retry = Retry {
            tries: 4,
            pause: Duration::from_millis(1),
        };
        for (again, good_at, expected, tries) in [
            (Again::Often, 3, Ok(3), 3),
            (Again::Often, 9, Err(4), 4),
            (Again::Once, 9, Err(2), 2),
            (Again::Never, 9, Err(1), 1),
            (Again::Never, 1, Ok(1), 1),
        ] {
            let mut count = 0;
            let result = retry.run(
                |_| again,
                || {
                    count += 1;
                    if count >= good_at {
                        Ok(count)
                    } else {
                        Err(count)
                    }
                },
            );
            assert_eq!(result, (expected, tries));
        }
        let slow = Retry {
            tries: 9,
            pause: Duration::from_secs(1),
        };
        for (tries, least, most) in [(1, 500, 1000), (2, 1000, 2000), (3, 2000, 4000)] {
            let pause = slow.before(tries).as_millis();
            assert!((least..=most).contains(&pause), "{tries}: {pause}");
        }
    }
}
