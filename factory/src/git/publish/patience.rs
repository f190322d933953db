//! How long to keep trying, and the pauses between.

use std::hash::{BuildHasher as _, RandomState};
use std::thread;
use std::time::{Duration, Instant};

/// How long to keep trying. The pauses are random, and grow: whoever meets others
/// again and again makes room.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The first pause is at most this long.
    pub first: Duration,
    /// No pause is longer.
    pub longest: Duration,
    /// After this there is no other attempt.
    pub all: Duration,
    /// So often in a row something may fail that should pass.
    pub failures: u32,
}

impl Default for Patience {
    /// Enough for fifty at once, and a third of the time that a Job has.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(250),
            longest: Duration::from_secs(10),
            all: Duration::from_secs(600),
            failures: 6,
        }
    }
}

/// Attempts, and the time that is left for them.
pub(super) struct Tries<'a> {
    patience: &'a Patience,
    pub(super) begin: Instant,
    pub(super) attempts: u32,
    /// In a row, of those that should have worked.
    pub(super) failures: u32,
    pauses: u32,
}

impl<'a> Tries<'a> {
    pub(super) fn new(patience: &'a Patience) -> Self {
        Self {
            patience,
            begin: Instant::now(),
            attempts: 0,
            failures: 0,
            pauses: 0,
        }
    }

    /// Pauses; `false` if there is no time left, or no hope.
    pub(super) fn again(&mut self) -> bool {
        let Patience {
            first,
            longest,
            all,
            failures,
        } = *self.patience;
        if self.failures >= failures {
            return false;
        }
        let pause = pause(first, longest, self.pauses, random());
        if self.begin.elapsed() + pause >= all {
            return false;
        }
        self.pauses += 1;
        thread::sleep(pause);
        true
    }
}

/// A pause of up to `first`, doubled `before` times, but no longer than `longest`;
/// `random` is from 0 to 1.
fn pause(first: Duration, longest: Duration, before: u32, random: f64) -> Duration {
    let most = first
        .saturating_mul(1_u32.checked_shl(before).unwrap_or(u32::MAX))
        .min(longest);
    most.mul_f64(random)
}

/// From 0 to 1, another one each time; the standard library seeds its hash maps so.
fn random() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or_default();
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_are_random() {
        let (first, longest) = (Duration::from_millis(100), Duration::from_secs(1));
        for (before, random, millis) in [
            (0, 1.0, 100),
            (0, 0.0, 0),
            (1, 1.0, 200),
            (2, 0.5, 200),
            (10, 1.0, 1000),
            (200, 1.0, 1000),
        ] {
            assert_eq!(
                pause(first, longest, before, random),
                Duration::from_millis(millis)
            );
        }
        let some: Vec<f64> = std::iter::repeat_with(random).take(8).collect();
        assert!(some.iter().all(|r| (0.0..=1.0).contains(r)), "{some:?}");
        let (least, most) = (
            some.iter().copied().fold(1.0, f64::min),
            some.iter().copied().fold(0.0, f64::max),
        );
        assert!(least < most, "{some:?}");
    }
}
