//! Times that are written as text: ISO 8601, as JSON and CSV have them.

use crate::plan::calendar::{date, days, DAY, SECOND};

/// Microseconds since 1970 UTC of `YYYY-MM-DD`, with `HH:MM`, `:SS`, a fraction and a zone if they are there.
///
/// Without a zone it is UTC; digits beyond microseconds are cut.
pub fn parse(text: &str) -> Option<i64> {
    let (of_year, time) = match text.split_once(['T', 't', ' ']) {
        Some((of_year, time)) => (of_year, Some(time)),
        None => (text, None),
    };
    let mut parts = of_year.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    let since = days(year, month, day);
    if parts.next().is_some() || date(since) != (year, month, day) {
        return None;
    }
    let (micros, offset) = match time {
        Some(time) => time_and_offset(time)?,
        None => (0, 0),
    };
    Some(since * DAY - offset * SECOND + micros)
}

/// A time in microseconds since 1970 UTC as text, as short as it goes: a date, or a date with hours, minutes and so on.
pub fn instant(micros: i64) -> String {
    let (year, month, day) = date(micros.div_euclid(DAY));
    let (clock, fraction) = (micros.rem_euclid(DAY) / SECOND, micros.rem_euclid(SECOND));
    let date = format!("{year:04}-{month:02}-{day:02}");
    let time = format!("{:02}:{:02}:{:02}", clock / 3600, clock / 60 % 60, clock % 60);
    match (clock, fraction) {
        (0, 0) => date,
        (_, 0) => format!("{date}T{time}Z"),
        _ => format!("{date}T{time}.{fraction:06}Z"),
    }
}

/// Microseconds of the day, and the seconds by which the zone is ahead of UTC.
fn time_and_offset(text: &str) -> Option<(i64, i64)> {
    let zone = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, fraction) = match text[..zone].split_once('.') {
        Some((clock, fraction)) => (clock, micros_of(fraction)?),
        None => (&text[..zone], 0),
    };
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |second| digits(second, 2))?;
    let within = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    let seconds = hour * 3600 + minute * 60 + second;
    within.then_some((seconds * SECOND + fraction, offset(&text[zone..])?))
}

fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first() {
        None => return Some(0),
        Some(b'Z' | b'z') => return (zone.len() == 1).then_some(0),
        Some(b'-') => -1,
        Some(_) => 1,
    };
    let plain = zone[1..].replace(':', "");
    let hours = digits(plain.get(..2)?, 2)?;
    let minutes = if plain.len() == 2 { 0 } else { digits(plain.get(2..)?, 2)? };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        text.parse().ok()
    } else {
        None
    }
}

fn micros_of(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(6)
        .try_fold(0, |sum, byte| Some(sum * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_zone_and_fraction() {
        assert_eq!(parse("1970-01-01"), Some(0));
        assert_eq!(parse("1970-01-01T00:00:01Z"), Some(1_000_000));
        assert_eq!(parse("1969-12-31 23:59:59.999999"), Some(-1));
        assert_eq!(parse("2000-03-01T01:00+01:00"), Some(951_868_800_000_000));
        assert_eq!(parse("2024-02-29T12:00:00.1234567-0530"), Some(1_709_227_800_123_456));
    }

    #[test]
    fn times_are_written_as_they_are_read() {
        for text in [
            "1970-01-01",
            "2024-02-29T12:00:00Z",
            "1969-12-31T23:59:59.999999Z",
            "0001-01-01",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(parse(text).map(instant).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2024",
            "2024-1-1",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-01-01T",
            "2024-01-01T25:00",
            "2024-01-01T10",
            "2024-01-01T10:00:60",
            "2024-01-01T10:00:00.",
            "2024-01-01T10:00+1",
            "2024-01-01T10:00Zx",
            "2024-01-01-01",
            "+024-01-01",
            "2024-01-01T10:00:00.5é",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
