//! One JSON value as a cell.

use crate::cell::Cell;
use crate::manifest::FieldType;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Integers from here on fit no `i64`; 2^63.
const HUGE: f64 = 9_223_372_036_854_775_808.0;

/// A value as it was sent. Texts are borrowed from the bytes unless they have escapes.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent<'a> {
    Cell(Cell<'a>),
    Text(Box<str>),
}

impl Sent<'_> {
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Sent::Cell(cell) => *cell,
            Sent::Text(text) => Cell::Text(text),
        }
    }

    /// Whether a seed may have read this number from an integer that fits no 64 bits: serde_json hands over the closest
    /// float. The text tells, by [`is_huge_integer`].
    pub fn may_be_huge_integer(&self) -> bool {
        matches!(self, Sent::Cell(Cell::Number(x)) if may_be_huge_integer(*x))
    }
}

/// The same of a plain number.
pub fn may_be_huge_integer(x: f64) -> bool {
    x.abs() >= HUGE && x.is_finite()
}

/// Whether the text of a JSON value is an integer that does not fit `i64`.
pub fn is_huge_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // 10^18 fits.
    digits.len() > 18
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<i64>().is_err()
}

/// A value that stands alone, for a field of this type.
///
/// # Errors
/// It is not JSON.
pub fn read_value(text: &str, r#type: FieldType) -> Result<Sent<'_>, serde_json::Error> {
    if is_huge_integer(text) {
        return Ok(Sent::Cell(Cell::HugeInteger));
    }
    ValueSeed(r#type).deserialize(&mut serde_json::Deserializer::from_str(text))
}

/// Reads a value. In fields of numbers the texts `Infinity`, `-Infinity` and `NaN` stand for what JSON cannot write.
pub struct ValueSeed(pub FieldType);

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Sent<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Sent<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl ValueSeed {
    /// What a text stands for, if it is not itself.
    fn spelled(&self, text: &str) -> Option<Sent<'static>> {
        let cell = match (self.0, text) {
            (FieldType::Number, "Infinity") => Cell::Number(f64::INFINITY),
            (FieldType::Number, "-Infinity") => Cell::Number(f64::NEG_INFINITY),
            (FieldType::Number, "NaN") => Cell::Missing,
            _ => return None,
        };
        Some(Sent::Cell(cell))
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Sent<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Sent<'de>, E> {
        Ok(Sent::Cell(Cell::Missing))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Sent<'de>, E> {
        Ok(Sent::Cell(Cell::Boolean(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Sent<'de>, E> {
        Ok(Sent::Cell(Cell::Integer(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Sent<'de>, E> {
        Ok(Sent::Cell(i64::try_from(value).map_or(Cell::HugeInteger, Cell::Integer)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Sent<'de>, E> {
        Ok(Sent::Cell(Cell::Number(value)))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Sent<'de>, E> {
        Ok(self.spelled(text).unwrap_or(Sent::Cell(Cell::Text(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Sent<'de>, E> {
        Ok(self.spelled(text).unwrap_or_else(|| Sent::Text(text.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sent<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Sent::Cell(Cell::Other("a list")))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Sent<'de>, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Sent::Cell(Cell::Other("an object")))
    }
}
