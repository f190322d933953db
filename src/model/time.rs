//! Durations, points in time, schedules.

use std::fmt;

use crate::diagnostics::{Code, code};

use super::parse::{Invalid, Parse, text_type};

/// A length of time in whole minutes, at most ten years: `30m`, `24h`, `7d`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Duration {
    minutes: u32,
}

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;
const LONGEST: u32 = 3650 * DAY;

impl Duration {
    /// This many minutes.
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Self {
        Self { minutes }
    }

    /// This many days of 24 hours.
    #[must_use]
    pub const fn from_days(days: u32) -> Self {
        Self {
            minutes: days.saturating_mul(DAY),
        }
    }

    /// Its whole length in minutes.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.minutes
    }

    /// Is there nothing to wait?
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minutes == 0
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minutes {
            minutes if minutes % DAY == 0 && minutes > 0 => write!(f, "{}d", minutes / DAY),
            minutes if minutes % HOUR == 0 && minutes > 0 => write!(f, "{}h", minutes / HOUR),
            minutes => write!(f, "{minutes}m"),
        }
    }
}

impl Parse for Duration {
    const CODE: Code = code::INVALID_DURATION;
    const WHAT: &'static str = "duration";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write a whole number and a unit, such as `30m`, `24h` or `7d`";
        let not_a_duration =
            || Invalid::new("is not a whole number followed by `d`, `h` or `m`", help);
        if text.starts_with('-') {
            return Err(Invalid::new("is negative", help));
        }
        let (digits, unit) = if let Some(digits) = text.strip_suffix('d') {
            (digits, DAY)
        } else if let Some(digits) = text.strip_suffix('h') {
            (digits, HOUR)
        } else {
            (text.strip_suffix('m').ok_or_else(not_a_duration)?, 1)
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(not_a_duration());
        }
        let minutes = digits
            .parse::<u32>()
            .ok()
            .and_then(|count| count.checked_mul(unit));
        match minutes {
            Some(minutes) if minutes <= LONGEST => Ok(Self { minutes }),
            _ => Err(Invalid::new(
                "is longer than ten years",
                "nothing here waits that long: write at most `3650d`",
            )),
        }
    }
}

/// A point in time in UTC, to the second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time {
    seconds: i64,
}

impl Time {
    /// This many seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self { seconds }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.seconds
    }

    /// So much later.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self {
            seconds: self.seconds.saturating_add(duration.minutes as i64 * 60),
        }
    }
}

/// RFC 3339 in UTC: `2026-12-20T08:00:00Z`. What lies before the year 0 or after
/// 9999, which that form cannot say, is shown as the nearest time that it can.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = days_since_1970(0, 1, 1) * 86_400;
        let last = days_since_1970(10_000, 1, 1) * 86_400 - 1;
        let seconds = self.seconds.clamp(first, last);
        let (year, month, day) = date(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }
}

/// RFC 3339, section 5.6, with an offset and without leap seconds.
impl Parse for Time {
    const CODE: Code = code::INVALID_TIME;
    const WHAT: &'static str = "time";
    fn parse(text: &str) -> Result<Self, Invalid> {
        rfc3339(text).map(|seconds| Self { seconds }).ok_or_else(|| {
            Invalid::new(
                "is not a time of RFC 3339",
                "write date, time and offset, such as `2026-12-20T00:00:00Z` or `2026-12-20T00:00:00+01:00`",
            )
        })
    }
}

fn rfc3339(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = text.get(from..to)?;
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse().ok())?
    };
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let marks = byte(4)? == b'-' && byte(7)? == b'-' && byte(13)? == b':' && byte(16)? == b':';
    let divided = matches!(byte(10)?, b'T' | b't' | b' ');
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(marks && divided && (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60) {
        return None;
    }
    let mut rest = text.get(19..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(fraction.len());
        if end == 0 {
            return None;
        }
        rest = fraction.get(end..)?;
    }
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let two = |a: &u8, b: &u8| {
                (a.is_ascii_digit() && b.is_ascii_digit())
                    .then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
            };
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = (hours * 60 + minutes) * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    Some(days_since_1970(year, month, day) * 86_400 + (hour * 60 + minute) * 60 + second - offset)
}

/// Days of the Gregorian calendar; counts years from March, so that the leap
/// day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

/// The other way round: year, month and day of a day counted from 1970-01-01.
pub(super) fn date(days_since_1970: i64) -> (i64, i64, i64) {
    // Days in 400, 100 and 4 years from a March on; the last century of four and
    // the last year of four are one day longer, hence `min`.
    const ERA: i64 = 146_097;
    let days = days_since_1970 + 719_468;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let century = (day / 36_524).min(3);
    let day = day - century * 36_524;
    let (four, day) = (day / 1_461, day % 1_461);
    let single = (day / 365).min(3);
    let day = day - single * 365;
    let from_march = (5 * day + 2) / 153;
    let month = (from_march + 2) % 12 + 1;
    let year = era * 400 + century * 100 + four * 4 + single + i64::from(month <= 2);
    (year, month, day - (153 * from_march + 2) / 5 + 1)
}

text_type! {
    /// A schedule with the five fields of cron, in UTC, as Kubernetes takes it.
    Schedule
}

pub(super) const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
pub(super) const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Parse for Schedule {
    const CODE: Code = code::INVALID_SCHEDULE;
    const WHAT: &'static str = "schedule";
    fn parse(text: &str) -> Result<Self, Invalid> {
        let help = "write minute, hour, day of month, month and day of week, such as `0 4 * * mon`";
        if matches!(
            text,
            "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily" | "@midnight" | "@hourly"
        ) {
            return Ok(Self(text.into()));
        }
        let fields: Vec<&str> = text.split(' ').filter(|field| !field.is_empty()).collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(Invalid::new("has not the five fields of cron", help));
        };
        for (field, low, high, names, what) in [
            (minute, 0, 59, &[][..], "minute"),
            (hour, 0, 23, &[][..], "hour"),
            (day, 1, 31, &[][..], "day of month"),
            (month, 1, 12, MONTHS, "month"),
            (weekday, 0, 6, WEEKDAYS, "day of week"),
        ] {
            if !field
                .split(',')
                .all(|item| cron_item(item, low, high, names))
            {
                return Err(Invalid::new(
                    format!("has no valid {what}, `{}`", super::parse::shorten(field)),
                    help,
                ));
            }
        }
        Ok(Self(fields.join(" ").into()))
    }
}

fn cron_item(item: &str, low: u32, high: u32, names: &[&str]) -> bool {
    let value = |text: &str| -> Option<u32> {
        if let Some(at) = names
            .iter()
            .position(|name| text.eq_ignore_ascii_case(name))
        {
            return Some(low + u32::try_from(at).ok()?);
        }
        let number: u32 = text
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())??;
        (low..=high).contains(&number).then_some(number)
    };
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let step_fits = step.is_none_or(|step| {
        step.bytes().all(|b| b.is_ascii_digit())
            && step.parse::<u32>().is_ok_and(|s| s > 0 && s <= high)
    });
    let range_fits = match range.split_once('-') {
        _ if range == "*" => true,
        None => value(range).is_some(),
        Some((from, to)) => {
            matches!((value(from), value(to)), (Some(from), Some(to)) if from <= to)
        }
    };
    step_fits && range_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations() {
        for (text, minutes, shown) in [
            ("7d", 10_080, "7d"),
            ("24h", 1_440, "1d"),
            ("30m", 30, "30m"),
            ("90m", 90, "90m"),
            ("36h", 2_160, "36h"),
            ("0d", 0, "0m"),
            ("3650d", LONGEST, "3650d"),
        ] {
            let got = Duration::parse(text).expect(text);
            assert_eq!((got.minutes(), got.to_string().as_str()), (minutes, shown));
        }
        for bad in [
            "",
            "7",
            "d",
            "7 d",
            "7 dogs",
            "-7d",
            "+7d",
            "1.5h",
            "7D",
            "7days",
            "1h30m",
            "٧d",
            "3651d",
            "99999999999999999999d",
            "4294967295d",
            "7s",
            "7d\n",
        ] {
            assert!(Duration::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-21T08:00:00Z", 1_795_248_000),
            ("2000-02-29T12:00:00.5+01:00", 951_822_000),
            ("1969-12-31T23:59:59Z", -1),
            ("2024-12-20t00:00:00-05:30", 1_734_672_600),
        ] {
            assert_eq!(
                Time::parse(text).map(Time::unix_seconds),
                Ok(seconds),
                "{text}"
            );
        }
        for bad in [
            "",
            "2026-12-20",
            "2026-12-20T00:00:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-12-20T24:00:00Z",
            "2026-12-20T00:60:00Z",
            "2026-12-20T00:00:60Z",
            "2026-12-20T00:00:00.Z",
            "2026-12-20T00:00:00+1:00",
            "2026-12-20T00:00:00+24:00",
            "+026-12-20T00:00:00Z",
            "2026/12/20T00:00:00Z",
            "2026-12-20T00:00:00Zx",
            "ä026-12-20T00:00:00Z",
        ] {
            assert!(Time::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn times_are_shown_in_utc() {
        for (text, shown) in [
            ("2024-12-20t00:00:00-05:30", "2024-12-20T05:30:00Z"),
            ("2000-02-29T23:59:59.9+00:00", "2000-02-29T23:59:59Z"),
            ("1900-03-01T00:00:00+00:01", "1900-02-28T23:59:00Z"),
            ("0000-01-01T00:00:00+23:59", "0000-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z"),
        ] {
            let time = Time::parse(text).expect(text);
            assert_eq!(time.to_string(), shown, "{text}");
        }
        let start = Time::parse("2024-02-28T12:00:00Z").expect("a time");
        let later = start.plus(Duration::from_days(2));
        assert_eq!(later.to_string(), "2024-03-01T12:00:00Z");
        assert!(start < later);
        let end = Time::from_unix_seconds(i64::MAX);
        assert_eq!(end.plus(Duration::from_days(1)), end);
    }

    #[test]
    fn schedules() {
        for good in [
            "0 4 * * *",
            "*/15 0-6,22 1,15 jan-MAR mon",
            "@daily",
            "0 0 1 1 0",
            "5/10 * * * *",
        ] {
            assert!(Schedule::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 7",
            "a * * * *",
            "*/0 * * * *",
            "5-1 * * * *",
            "1,, * * * *",
            "@often",
            "-1 * * * *",
            "+1 * * * *",
            "* * * mon *",
        ] {
            assert!(Schedule::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_parses_to_the_same(count in 0u32..3650, unit in "[dhm]") {
            let first = Duration::parse(&format!("{count}{unit}")).expect("in bounds");
            prop_assert_eq!(Duration::parse(&first.to_string()), Ok(first));
        }

        #[test]
        fn a_time_that_is_shown_parses_to_the_same(seconds in -62_167_219_200i64..253_402_300_800) {
            let time = Time::from_unix_seconds(seconds);
            prop_assert_eq!(Time::parse(&time.to_string()), Ok(time));
        }

        #[test]
        fn any_text_is_answered(text in "[0-9dhmTZ:+.,*/ -]{0,26}|.{0,26}") {
            let _ = (Duration::parse(&text), Time::parse(&text), Schedule::parse(&text));
        }
    }
}
