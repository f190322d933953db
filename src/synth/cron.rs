//! Schedules as Kubernetes CronJobs take them.

use std::fmt;

use serde::{Serialize, Serializer};

/// A checked schedule: minute, hour, day of the month, month, day of the week.
///
/// ```
/// use image_factory::synth::Cron;
///
/// assert_eq!(Cron::daily().to_string(), "0 0 * * *");
/// assert_eq!(Cron::daily().at(4, 30).unwrap().to_string(), "30 4 * * *");
/// assert_eq!(Cron::parse("*/15 8-18 * * mon-fri").unwrap().to_string(), "*/15 8-18 * * mon-fri");
/// assert!(Cron::parse("61 * * * *").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cron {
    fields: [String; 5],
}

/// Why a text is no schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronError(String);

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CronError {}

struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        words: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        words: &[],
    },
    Field {
        name: "day of the month",
        least: 1,
        most: 31,
        words: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        words: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "day of the week",
        least: 0,
        most: 6,
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

impl Cron {
    fn of(fields: [&str; 5]) -> Self {
        Self {
            fields: fields.map(str::to_owned),
        }
    }

    /// At the start of every minute.
    #[must_use]
    pub fn every_minute() -> Self {
        Self::of(["*"; 5])
    }

    /// At the start of every hour.
    #[must_use]
    pub fn hourly() -> Self {
        Self::of(["0", "*", "*", "*", "*"])
    }

    /// Every day at midnight.
    #[must_use]
    pub fn daily() -> Self {
        Self::of(["0", "0", "*", "*", "*"])
    }

    /// Every Sunday at midnight.
    #[must_use]
    pub fn weekly() -> Self {
        Self::of(["0", "0", "*", "*", "0"])
    }

    /// The first day of every month at midnight.
    #[must_use]
    pub fn monthly() -> Self {
        Self::of(["0", "0", "1", "*", "*"])
    }

    /// The first of January at midnight.
    #[must_use]
    pub fn yearly() -> Self {
        Self::of(["0", "0", "1", "1", "*"])
    }

    /// The same days at another time of the day.
    ///
    /// # Errors
    /// Hours go to 23, minutes to 59.
    pub fn at(mut self, hour: u32, minute: u32) -> Result<Self, CronError> {
        let [minutes, hours, ..] = &mut self.fields;
        *minutes = minute.to_string();
        *hours = hour.to_string();
        Self::parse(&self.to_string())
    }

    /// Reads a schedule as the API server does (robfig/cron's standard parser, which
    /// `batch/v1` CronJobs are checked with): five fields, or `@daily` and its like,
    /// which are written out. `@every` and a time zone within are refused: the first
    /// drifts with each restart, the second belongs in `spec.timeZone`.
    ///
    /// # Errors
    /// Says which field is wrong and what it may be.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        match text.trim() {
            "@hourly" => return Ok(Self::hourly()),
            "@daily" | "@midnight" => return Ok(Self::daily()),
            "@weekly" => return Ok(Self::weekly()),
            "@monthly" => return Ok(Self::monthly()),
            "@yearly" | "@annually" => return Ok(Self::yearly()),
            _ => {}
        }
        let parts: Vec<&str> = text.split_ascii_whitespace().collect();
        let Ok(fields) = <[&str; 5]>::try_from(parts) else {
            return Err(CronError(format!(
                "`{text}` is no schedule: five fields, such as `30 4 * * *`, or @hourly, @daily, @weekly, @monthly, @yearly"
            )));
        };
        for (field, part) in FIELDS.iter().zip(fields) {
            field.check(part)?;
        }
        Ok(Self::of(fields))
    }
}

impl Field {
    fn check(&self, text: &str) -> Result<(), CronError> {
        let fits = text.split(',').all(|part| self.is_part(part));
        if fits {
            return Ok(());
        }
        Err(CronError(format!(
            "`{text}` is no {}: {} to {}, `a-b`, `*`, each perhaps with `/step`, and lists of them",
            self.name, self.least, self.most
        )))
    }

    fn is_part(&self, part: &str) -> bool {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let step_fits = step.is_none_or(|step| digits(step).is_some_and(|step| step > 0));
        let range_fits = match range.split_once('-') {
            _ if range == "*" || range == "?" => true,
            Some((from, to)) => match (self.number(from), self.number(to)) {
                (Some(from), Some(to)) => from <= to,
                _ => false,
            },
            None => self.number(range).is_some(),
        };
        step_fits && range_fits
    }

    fn number(&self, text: &str) -> Option<u32> {
        let word = self
            .words
            .iter()
            .position(|word| word.eq_ignore_ascii_case(text));
        let number = match word {
            Some(at) => self.least + u32::try_from(at).ok()?,
            None => digits(text)?,
        };
        (self.least..=self.most).contains(&number).then_some(number)
    }
}

fn digits(text: &str) -> Option<u32> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fields.join(" "))
    }
}

impl Serialize for Cron {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.to_string()
    }
}
