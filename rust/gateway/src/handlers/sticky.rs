//! Sticky routes: the value of an input in a row decides which version answers it.

use penstock_core::cell::{Cell, Column};
use penstock_core::load::instant;
use penstock_core::manifest::FieldType;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The value of an input in a row of JSON, as bytes that are the same for all ways to write it; none if it is missing.
pub fn key<'a>(row: &'a [u8], input: &str) -> Cow<'a, [u8]> {
    let mut reader = serde_json::Deserializer::from_slice(row);
    // What is no row is refused by whoever reads it.
    let value = Value { input }.deserialize(&mut reader).ok().flatten();
    let Some(value) = value.map(RawValue::get) else { return Cow::Borrowed(b"") };
    if value == "null" {
        return Cow::Borrowed(b"");
    }
    if let Ok(text) = serde_json::from_str::<Cow<'a, str>>(value) {
        return Cow::Owned(text.into_owned().into_bytes());
    }
    match value.parse::<f64>() {
        Ok(number) => number_key(number),
        Err(_) => Cow::Borrowed(value.as_bytes()),
    }
}

/// The same for a row of a table: it has the key that it has as JSON.
pub fn value_key(column: &dyn Column, row: usize, field: Option<FieldType>) -> Cow<'_, [u8]> {
    let mut cell = [Cell::Absent];
    column.read(row, &mut cell);
    cell_key(cell[0], field)
}

fn cell_key<'a>(cell: Cell<'a>, field: Option<FieldType>) -> Cow<'a, [u8]> {
    match cell {
        Cell::Number(x) => number_key(x),
        Cell::Integer(x) => number_key(x as f64),
        Cell::Boolean(x) => Cow::Borrowed(if x { b"true" } else { b"false" }),
        Cell::Lexical(text) if field == Some(FieldType::Number) => {
            let number = text.trim().parse::<f64>().ok();
            number.map_or(Cow::Borrowed(text.as_bytes()), number_key)
        }
        Cell::Text(text) | Cell::Lexical(text) => Cow::Borrowed(text.as_bytes()),
        Cell::Timestamp(x) => Cow::Owned(instant(x).into_bytes()),
        Cell::Absent | Cell::Missing | Cell::HugeInteger | Cell::Other(_) => Cow::Borrowed(b""),
    }
}

fn number_key<'a>(number: f64) -> Cow<'a, [u8]> {
    match number {
        x if x.is_nan() => Cow::Borrowed(b""),
        // As they are written in JSON.
        f64::INFINITY => Cow::Borrowed(b"Infinity"),
        f64::NEG_INFINITY => Cow::Borrowed(b"-Infinity"),
        x => Cow::Owned(x.to_string().into_bytes()),
    }
}

/// One value of an object.
struct Value<'i> {
    input: &'i str,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            if key == self.input {
                found = Some(entries.next_value()?);
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_same_key_however_it_is_written() {
        let same = |one: &str, other: &str| {
            assert_eq!(key(one.as_bytes(), "id"), key(other.as_bytes(), "id"), "{one} {other}");
        };
        same(r#"{"a":[{"id":2}],"id":1}"#, r#"{"id":1.0,"b":null}"#);
        same(r#"{"id":"é"}"#, r#"{"id":"\u00e9"}"#);
        same(r#"{"id":null}"#, r#"{"a":1}"#);
        assert_ne!(key(br#"{"id":1}"#, "id"), key(br#"{"id":2}"#, "id"));
        assert!(key(b"[", "id").is_empty());
    }

    #[test]
    fn a_value_of_a_table_has_the_key_that_it_has_as_json() {
        let number = Some(FieldType::Number);
        let same = |cell: Cell<'_>, field, json: &str| {
            assert_eq!(cell_key(cell, field), key(json.as_bytes(), "id"), "{cell:?}");
        };
        same(Cell::Integer(7), number, r#"{"id":7}"#);
        same(Cell::Lexical("7.0"), number, r#"{"id":7}"#);
        same(Cell::Lexical(""), number, r#"{"id":null}"#);
        same(Cell::Number(f64::NAN), number, "{}");
        same(Cell::Number(f64::INFINITY), number, r#"{"id":"Infinity"}"#);
        same(Cell::Lexical("7.0"), Some(FieldType::Text), r#"{"id":"7.0"}"#);
        same(Cell::Boolean(true), Some(FieldType::Boolean), r#"{"id":true}"#);
    }
}
