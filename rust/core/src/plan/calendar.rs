//! Times as microseconds since 1970 UTC: their parts, their beginnings, and texts that are times.

/// Microseconds of a second and of a day.
pub const SECOND: i64 = 1_000_000;
pub const DAY: i64 = 86_400 * SECOND;

/// The times of Python: from year 1 to year 9999.
const FIRST: f64 = -62_135_596_800e6;
const BEYOND: f64 = 253_402_300_800e6;

/// A time as a whole number of microseconds, if a `datetime` can be it.
pub fn instant(x: f64) -> Option<i64> {
    (FIRST..BEYOND).contains(&x).then(|| x.floor() as i64)
}

/// Days since 1970 of a date of the Gregorian calendar: Howard Hinnant, `days_from_civil`.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day: Howard Hinnant, `civil_from_days`.
pub fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Monday is 0.
fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

/// Week of ISO 8601: the one that holds the Thursday.
fn week(of: i64) -> i64 {
    let thursday = of - weekday(of) + 3;
    let (year, _, _) = date(thursday);
    (thursday - days(year, 1, 1)) / 7 + 1
}

/// What is asked of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    DayOfYear,
    Weekday,
    Hour,
    Minute,
    Second,
    Microsecond,
}

pub fn part(time: i64, part: Part) -> i64 {
    let (days_since, of_day) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let (year, month, day) = date(days_since);
    match part {
        Part::Year => year,
        Part::Quarter => (month + 2) / 3,
        Part::Month => month,
        Part::Week => week(days_since),
        Part::Day => day,
        Part::DayOfYear => days_since - days(year, 1, 1) + 1,
        Part::Weekday => weekday(days_since),
        Part::Hour => of_day / (3_600 * SECOND),
        Part::Minute => of_day / (60 * SECOND) % 60,
        Part::Second => of_day / SECOND % 60,
        Part::Microsecond => of_day % SECOND,
    }
}

/// What a time is rounded down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

pub fn floor(time: i64, unit: Unit) -> i64 {
    let of = |length: i64| time - time.rem_euclid(length);
    let since = time.div_euclid(DAY);
    let (year, month, _) = date(since);
    match unit {
        Unit::Second => of(SECOND),
        Unit::Minute => of(60 * SECOND),
        Unit::Hour => of(3_600 * SECOND),
        Unit::Day => of(DAY),
        Unit::Week => (since - weekday(since)) * DAY,
        Unit::Month => days(year, month, 1) * DAY,
        Unit::Quarter => days(year, (month - 1) / 3 * 3 + 1, 1) * DAY,
        Unit::Year => days(year, 1, 1) * DAY,
    }
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A format of Python's `strptime`, of the directives `%Y %m %d %H %M %S %f %y %b %z %%`.
pub struct Format {
    tokens: Vec<Token>,
}

#[derive(Clone, Copy)]
enum Token {
    /// A field by its directive.
    Field(u8),
    /// A letter, whatever its case.
    Literal(char),
    Space,
}

/// What was read so far.
#[derive(Clone, Copy)]
struct Fields {
    date: [i64; 3],
    of_day: [i64; 4],
    offset: i64,
}

impl Format {
    /// Understands a format; the error says what it lacks.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            tokens.push(match character {
                '%' => match characters.next() {
                    Some('%') => Token::Literal('%'),
                    Some(field) if "YmdHMSfybz".contains(field) => Token::Field(field as u8),
                    Some(field) => return Err(format!("`%{field}` is not supported")),
                    None => return Err("ends with `%`".to_owned()),
                },
                character if character.is_whitespace() => match tokens.last() {
                    Some(Token::Space) => continue,
                    _ => Token::Space,
                },
                character => Token::Literal(character),
            });
        }
        Ok(Self { tokens })
    }

    /// The time that a text is, if it is one.
    pub fn read(&self, text: &str) -> Option<i64> {
        let fields = Fields { date: [1900, 1, 1], of_day: [0; 4], offset: 0 };
        let Fields { date: [year, month, day], of_day, offset } = read(&self.tokens, text, fields)?;
        let at = days(year, month, day);
        let is_real = year > 0 && date(at) == (year, month, day) && of_day[2] < 60;
        let [hour, minute, second, microsecond] = of_day;
        let seconds = hour * 3_600 + minute * 60 + second - offset;
        is_real.then_some(at * DAY + seconds * SECOND + microsecond)
    }
}

/// Reads what is left of a text by what is left of a format: the longest numbers first, as a pattern would.
fn read(tokens: &[Token], text: &str, fields: Fields) -> Option<Fields> {
    let Some((token, tokens)) = tokens.split_first() else {
        return text.is_empty().then_some(fields);
    };
    match *token {
        Token::Literal(literal) => {
            let character = text.chars().next()?;
            let is_same =
                character == literal || character.to_lowercase().eq(literal.to_lowercase());
            read(tokens, is_same.then(|| &text[character.len_utf8()..])?, fields)
        }
        Token::Space => {
            let rest = text.trim_start_matches(char::is_whitespace);
            (rest.len() < text.len()).then(|| read(tokens, rest, fields))?
        }
        Token::Field(b'z') => {
            let (offset, rest) = zone(text)?;
            read(tokens, rest, Fields { offset, ..fields })
        }
        Token::Field(b'b') => {
            let name = text.get(..3)?.to_ascii_lowercase();
            let month = MONTHS.iter().position(|known| **known == name)? as i64 + 1;
            let date = [fields.date[0], month, fields.date[2]];
            read(tokens, &text[3..], Fields { date, ..fields })
        }
        Token::Field(directive) => {
            let (least, most, range) = digits(directive);
            let text = if directive == b'd' {
                text.strip_prefix(' ').filter(|rest| is_one(rest)).unwrap_or(text)
            } else {
                text
            };
            (least..=most).rev().find_map(|count| {
                let digits = text.get(..count).filter(|digits| is_number(digits))?;
                let value: i64 = digits.parse().ok()?;
                let fields =
                    range.contains(&value).then(|| with(fields, directive, value, count))?;
                read(tokens, &text[count..], fields)
            })
        }
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it begins with one digit that is not 0, and no more.
fn is_one(text: &str) -> bool {
    let mut bytes = text.bytes();
    let is_first = bytes.next().is_some_and(|byte| (b'1'..=b'9').contains(&byte));
    is_first && !bytes.next().is_some_and(|byte| byte.is_ascii_digit())
}

/// Least and most digits, and the values.
fn digits(directive: u8) -> (usize, usize, std::ops::RangeInclusive<i64>) {
    match directive {
        b'Y' => (4, 4, 0..=9999),
        b'y' => (2, 2, 0..=99),
        b'm' => (1, 2, 1..=12),
        b'd' => (1, 2, 1..=31),
        b'H' => (1, 2, 0..=23),
        b'M' => (1, 2, 0..=59),
        b'S' => (1, 2, 0..=61),
        _ => (1, 6, 0..=999_999),
    }
}

fn with(mut fields: Fields, directive: u8, value: i64, count: usize) -> Fields {
    match directive {
        b'Y' => fields.date[0] = value,
        b'y' => fields.date[0] = if value < 69 { 2000 + value } else { 1900 + value },
        b'm' => fields.date[1] = value,
        b'd' => fields.date[2] = value,
        b'H' => fields.of_day[0] = value,
        b'M' => fields.of_day[1] = value,
        b'S' => fields.of_day[2] = value,
        _ => fields.of_day[3] = value * 10i64.pow(6 - count as u32),
    }
    fields
}

/// Seconds east of UTC: `Z`, `+0130`, `+01:30`, and what comes after.
fn zone(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let number = |digits: Option<&str>| digits.filter(|digits| is_number(digits))?.parse().ok();
    let hours: i64 = number(text.get(1..3))?;
    let rest = text.get(3..)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes: i64 = number(rest.get(..2)).filter(|minutes| *minutes < 60)?;
    (hours < 24).then(|| (sign * (hours * 3_600 + minutes * 60), &rest[2..]))
}

#[cfg(test)]
mod checks {
    use super::*;

    #[test]
    fn test_days_count_as_the_calendar_does() {
        let mut expected = days(1899, 12, 31);
        for year in 1900..2101 {
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let lengths =
                [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(lengths) {
                for day in 1..=length {
                    expected += 1;
                    assert_eq!(days(year, month, day), expected);
                    assert_eq!(date(expected), (year, month, day));
                }
            }
        }
        assert_eq!(days(2000, 1, 1), 10_957);
    }

    #[test]
    fn test_what_is_no_day_is_another_one() {
        for (year, month, day) in
            [(2023, 2, 29), (2024, 4, 31), (2024, 13, 1), (2024, 0, 9), (1, 1, 0)]
        {
            assert_ne!(date(days(year, month, day)), (year, month, day));
        }
    }
}
