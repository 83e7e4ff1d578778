//! Rows as JSON objects.

use crate::cell::Cell;
use crate::error::SchemaError;
use crate::manifest::FieldType;
use crate::plan::Plan;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Reads a row that is written as a JSON object.
///
/// # Errors
/// `SchemaError` for what is no JSON object, or has a key twice: nobody can tell which value is meant.
pub fn parse(text: &str) -> Result<Map<String, Value>, SchemaError> {
    let row: Row = serde_json::from_str(text)
        .map_err(|error| SchemaError(format!("the row is not a JSON object: {error}")))?;
    Ok(row.0)
}

struct Row(Map<String, Value>);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries).map(Row)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut row = Map::new();
        while let Some((key, value)) = entries.next_entry::<String, Value>()? {
            if row.contains_key(&key) {
                return Err(Error::custom(format!("key `{key}` is there twice")));
            }
            row.insert(key, value);
        }
        Ok(row)
    }
}

/// The cells of a JSON object in the order of the fields.
///
/// In fields of numbers the texts `Infinity`, `-Infinity` and `NaN` stand for what JSON cannot write.
///
/// # Errors
/// `SchemaError` for a key that is no field.
pub fn cells<'a>(plan: &Plan, row: &'a Map<String, Value>) -> Result<Vec<Cell<'a>>, SchemaError> {
    let mut cells = vec![Cell::Absent; plan.fields.len()];
    for (key, value) in row {
        let field = plan.position(key).ok_or_else(|| plan.unknown_column(key))?;
        cells[field] = cell(value, plan.fields[field].r#type);
    }
    for (field, cell) in plan.fields.iter().zip(&cells) {
        if *cell == Cell::Absent && field.is_required() {
            return Err(plan.absent_column(&field.name));
        }
    }
    Ok(cells)
}

fn cell(value: &Value, r#type: FieldType) -> Cell<'_> {
    match value {
        Value::Null => Cell::Missing,
        Value::Bool(x) => Cell::Boolean(*x),
        Value::Number(number) => match (number.as_i64(), number.is_u64(), number.as_f64()) {
            (Some(x), _, _) => Cell::Integer(x),
            (None, true, _) => Cell::HugeInteger,
            (None, false, Some(x)) => Cell::Number(x),
            (None, false, None) => Cell::Other("a number that is no float"),
        },
        Value::String(text) => match (text.as_str(), r#type) {
            ("Infinity", FieldType::Number) => Cell::Number(f64::INFINITY),
            ("-Infinity", FieldType::Number) => Cell::Number(f64::NEG_INFINITY),
            ("NaN", FieldType::Number) => Cell::Missing,
            (text, _) => Cell::Text(text),
        },
        Value::Array(_) => Cell::Other("a list"),
        Value::Object(_) => Cell::Other("an object"),
    }
}
