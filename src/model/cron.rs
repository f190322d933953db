//! When a schedule comes round, as Kubernetes reckons it, in UTC.

use super::time::{MONTHS, Schedule, Time, WEEKDAYS, date};

const DAY: i64 = 86_400;
/// A 29th of February may be eight years away (1896 to 1904); what does not come within
/// that time never does.
const FARTHEST_DAYS: i64 = 8 * 366 + 1;

/// The values that each field lets through, a bit a value.
struct Fields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// If both name some, either kind of day will do.
    either_day: bool,
}

impl Schedule {
    /// The first time after this one; nothing if there is none, as for a 30th of February.
    #[must_use]
    pub fn next(&self, after: Time) -> Option<Time> {
        let fields = Fields::of(self)?;
        let from = after.unix_seconds().div_euclid(60).saturating_add(1);
        let today = from.div_euclid(24 * 60);
        for day in today..today.saturating_add(FARTHEST_DAYS) {
            if !fields.has_day(day) {
                continue;
            }
            let first = if day == today {
                from.rem_euclid(24 * 60)
            } else {
                0
            };
            let minute = (first..24 * 60)
                .find(|minute| has(fields.hours, minute / 60) && has(fields.minutes, minute % 60));
            if let Some(minute) = minute {
                return Some(Time::from_unix_seconds(day * DAY + minute * 60));
            }
        }
        None
    }
}

fn has(bits: u64, value: i64) -> bool {
    u32::try_from(value).is_ok_and(|value| bits.checked_shr(value).unwrap_or(0) & 1 == 1)
}

impl Fields {
    fn of(schedule: &Schedule) -> Option<Self> {
        let text = match schedule.as_str() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split(' ').collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return None;
        };
        Some(Self {
            minutes: bits(minutes, 0, 59, &[])?,
            hours: bits(hours, 0, 23, &[])?,
            days: bits(days, 1, 31, &[])?,
            months: bits(months, 1, 12, MONTHS)?,
            weekdays: bits(weekdays, 0, 6, WEEKDAYS)?,
            either_day: !is_star(days) && !is_star(weekdays),
        })
    }

    fn has_day(&self, since_1970: i64) -> bool {
        let (_, month, day) = date(since_1970);
        // The first of January 1970 was a Thursday.
        let weekday = (since_1970 + 4).rem_euclid(7);
        let (by_date, by_weekday) = (has(self.days, day), has(self.weekdays, weekday));
        let day_fits = if self.either_day {
            by_date || by_weekday
        } else {
            by_date && by_weekday
        };
        has(self.months, month) && day_fits
    }
}

/// Does the field stand for any value? Kubernetes takes `*/2` for a choice.
fn is_star(field: &str) -> bool {
    field.split(',').any(|item| matches!(item, "*" | "*/1"))
}

/// The bits of a field that the model let through.
fn bits(field: &str, low: u32, high: u32, names: &[&str]) -> Option<u64> {
    let value = |text: &str| -> Option<u32> {
        let named = names
            .iter()
            .position(|name| text.eq_ignore_ascii_case(name));
        match named {
            Some(at) => Some(low + u32::try_from(at).ok()?),
            None => text.parse().ok(),
        }
    };
    let mut bits = 0;
    for item in field.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok()?),
            None => (item, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((from, to)) => (value(from)?, value(to)?),
            // `5/10` goes on from 5 to the end.
            None if item.contains('/') => (value(range)?, high),
            None => (value(range)?, value(range)?),
        };
        for value in (from..=to).step_by(Some(step).filter(|step| *step > 0)?) {
            bits |= 1_u64.checked_shl(value)?;
        }
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Parse as _;

    fn next(schedule: &str, after: &str) -> String {
        let schedule = Schedule::parse(schedule).expect(schedule);
        let next = schedule.next(Time::parse(after).expect(after));
        next.map_or_else(|| "never".to_owned(), |time| time.to_string())
    }

    #[test]
    fn the_next_time_of_a_schedule() {
        for (schedule, after, expected) in [
            ("* * * * *", "2026-11-21T08:00:00Z", "2026-11-21T08:01:00Z"),
            ("* * * * *", "2026-11-21T08:00:59Z", "2026-11-21T08:01:00Z"),
            ("0 4 * * *", "2026-11-21T03:59:59Z", "2026-11-21T04:00:00Z"),
            ("0 4 * * *", "2026-11-21T04:00:00Z", "2026-11-22T04:00:00Z"),
            (
                "0 4 * * mon",
                "2026-11-21T00:00:00Z",
                "2026-11-23T04:00:00Z",
            ),
            ("0 4 * * 0", "2026-11-21T00:00:00Z", "2026-11-22T04:00:00Z"),
            ("0 0 1 1 *", "2026-11-21T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("@monthly", "2026-11-21T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("@weekly", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
            ("@daily", "2026-12-31T12:00:00Z", "2027-01-01T00:00:00Z"),
            ("@hourly", "2026-11-21T08:30:00Z", "2026-11-21T09:00:00Z"),
            // Either kind of day, if both are named.
            (
                "0 0 13 * fri",
                "2026-11-21T00:00:00Z",
                "2026-11-27T00:00:00Z",
            ),
            (
                "0 0 13 * fri",
                "2026-12-11T00:00:00Z",
                "2026-12-13T00:00:00Z",
            ),
            // Both, if one is a star, and a star with a step is none.
            (
                "0 0 */1 * fri",
                "2026-11-21T00:00:00Z",
                "2026-11-27T00:00:00Z",
            ),
            (
                "0 0 */2 * fri",
                "2026-11-21T00:00:00Z",
                "2026-11-23T00:00:00Z",
            ),
            (
                "*/15 8-18/5 * * *",
                "2026-11-21T08:46:00Z",
                "2026-11-21T13:00:00Z",
            ),
            (
                "50/4 23 * * *",
                "2026-11-21T23:54:00Z",
                "2026-11-21T23:58:00Z",
            ),
            ("0 0 29 2 *", "2026-11-21T00:00:00Z", "2028-02-29T00:00:00Z"),
            (
                "0 0 29 FEB *",
                "2096-03-01T00:00:00Z",
                "2104-02-29T00:00:00Z",
            ),
            ("0 0 30 2 *", "2026-11-21T00:00:00Z", "never"),
            ("0 0 31 apr,jun *", "2026-11-21T00:00:00Z", "never"),
        ] {
            assert_eq!(next(schedule, after), expected, "{schedule} after {after}");
        }
    }

    fn field(low: u32, high: u32) -> impl Strategy<Value = String> {
        let item = prop_oneof![
            3 => Just("*".to_owned()),
            2 => (low..=high).prop_map(|value| value.to_string()),
            1 => (low..=high, low..=high).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
            1 => (1..=high).prop_map(|step| format!("*/{step}")),
            1 => (low..=high, 1..=high).prop_map(|(from, step)| format!("{from}/{step}")),
        ];
        prop::collection::vec(item, 1..3).prop_map(|items| items.join(","))
    }

    proptest! {
        /// Whatever the model takes is understood, the next time lies behind, and asked
        /// from anywhere between it is the same.
        #[test]
        fn every_schedule_of_the_model_comes_round(
            fields in (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)),
            after in 0i64..4_102_444_800,
            between in 0i64..1_000_000,
        ) {
            let (minute, hour, day, month, weekday) = fields;
            let schedule = Schedule::parse(&format!("{minute} {hour} {day} {month} {weekday}")).expect("a schedule");
            prop_assert!(Fields::of(&schedule).is_some());
            if let Some(next) = schedule.next(Time::from_unix_seconds(after)) {
                prop_assert!(next.unix_seconds() > after && next.unix_seconds() % 60 == 0);
                let earlier = after + between % (next.unix_seconds() - after);
                prop_assert_eq!(schedule.next(Time::from_unix_seconds(earlier)), Some(next));
            }
        }

        #[test]
        fn nothing_that_the_model_takes_is_not_understood(text in "[0-9a-z*/, @-]{1,24}") {
            if let Ok(schedule) = Schedule::parse(&text) {
                prop_assert!(Fields::of(&schedule).is_some());
            }
        }
    }
}
