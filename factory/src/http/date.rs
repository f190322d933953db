//! Times as HTTP says them.

use std::time::Duration;

use super::Answer;

/// How long an answer wants us to wait: seconds, a date, or (Docker Hub's other
/// API) the second of Unix time.
#[must_use]
pub fn retry_after(answer: &Answer, now: u64) -> Option<Duration> {
    let text = answer
        .header("retry-after")
        .or_else(|| answer.header("x-retry-after"))?
        .trim();
    let seconds = match text.parse::<u64>() {
        Ok(at) if at > 1_000_000_000 => at.saturating_sub(now),
        Ok(seconds) => seconds,
        Err(_) => http_date(text)?.saturating_sub(now),
    };
    Some(Duration::from_secs(seconds))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` as Unix time; the only form that is still sent.
#[must_use]
pub fn http_date(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day: u64 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let year: u64 = parts.next()?.parse().ok()?;
    let mut time = parts.next()?.split(':');
    let mut number = || time.next()?.parse::<u64>().ok();
    let (hour, minute, second) = (number()?, number()?, number()?);
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = 1 + u64::try_from(months.iter().position(|known| *known == month)?).ok()?;
    let fits = (1970..=9999).contains(&year)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !fits || parts.next() != Some("GMT") || parts.next().is_some() {
        return None;
    }
    // Days by Howard Hinnant's civil calendar, years beginning in March.
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some(days.checked_sub(719_468)? * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_793_000_000;

    #[test]
    fn waits_are_read_in_every_form() {
        for (value, is) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("1793000030", Some(30)),
            ("1000000001", Some(0)),
            ("Mon, 26 Oct 2026 07:33:30 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Foo 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let limited = Answer {
                status: 429,
                headers: vec![("retry-after".into(), value.into())],
                body: Vec::new(),
            };
            let got = retry_after(&limited, NOW);
            assert_eq!(got.map(|wait| wait.as_secs()), is, "{value}");
        }
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
        assert_eq!(
            http_date("Thu, 29 Feb 2024 00:00:00 GMT"),
            Some(1_709_164_800)
        );
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
    }
}
