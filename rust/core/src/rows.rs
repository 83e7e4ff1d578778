//! Rows of JSON objects, read straight from bytes into cells by the fields of a plan; no tree of values is built.

use crate::cell::{Cell, Column};
use crate::error::SchemaError;
use crate::manifest::FieldType;
use crate::plan::Plan;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A value as it was sent. Texts are borrowed from the bytes unless they have escapes.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent<'a> {
    Cell(Cell<'a>),
    Text(Box<str>),
}

const ABSENT: Sent<'static> = Sent::Cell(Cell::Absent);

impl Sent<'_> {
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Sent::Cell(cell) => *cell,
            Sent::Text(text) => Cell::Text(text),
        }
    }
}

/// Why a row has no cells: a key is none of the fields, or is there twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongRow {
    pub row: usize,
    pub key: String,
    pub error: SchemaError,
}

/// Cells of rows, row after row, in the order of the fields.
#[derive(Debug, Default)]
pub struct Rows<'a> {
    values: Vec<Sent<'a>>,
    fields: usize,
    count: usize,
    /// Keys whose values are kept as they were sent, whether they are fields or not.
    kept_keys: Vec<String>,
    kept: Vec<Option<&'a RawValue>>,
    /// Rows whose keys are wrong, in order; their cells are all absent.
    pub wrong: Vec<WrongRow>,
}

impl<'a> Rows<'a> {
    /// No rows yet; of each that comes, the values of `kept_keys` are kept as they were sent.
    pub fn new(plan: &Plan, kept_keys: Vec<String>) -> Self {
        Self { fields: plan.fields.len(), kept_keys, ..Self::default() }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The cells of a row in the order of the fields.
    pub fn cells(&self, row: usize) -> impl Iterator<Item = Cell<'_>> {
        self.values[row * self.fields..][..self.fields].iter().map(Sent::cell)
    }

    /// The values of a field in all rows.
    pub fn column(&self, field: usize) -> RowsColumn<'_, 'a> {
        RowsColumn { rows: self, field }
    }

    /// The values of a row that were kept, by their keys.
    pub fn kept(&self, row: usize) -> impl Iterator<Item = (&str, Option<&'a RawValue>)> {
        let keys = self.kept_keys.iter().map(String::as_str);
        keys.zip(self.kept[row * self.kept_keys.len()..].iter().copied())
    }

    /// Adds a row whose cells are all absent.
    pub fn add_absent(&mut self) {
        self.begin();
    }

    /// Forgets all rows but the first `count`, and keeps their memory for others.
    pub fn truncate(&mut self, count: usize) {
        if count < self.count {
            self.count = count;
            self.values.truncate(count * self.fields);
            self.kept.truncate(count * self.kept_keys.len());
            self.wrong.retain(|wrong| wrong.row < count);
        }
    }

    /// Adds absent values for one more row; returns where they begin.
    fn begin(&mut self) -> usize {
        let first = self.values.len();
        self.values.resize(first + self.fields, ABSENT);
        self.kept.resize(self.kept.len() + self.kept_keys.len(), None);
        self.count += 1;
        first
    }

    /// Takes back what was read of the last row.
    fn refuse(&mut self, first: usize, key: String, error: SchemaError) {
        self.values[first..].fill(ABSENT);
        self.wrong.push(WrongRow { row: self.count - 1, key, error });
    }
}

/// A field of all rows.
pub struct RowsColumn<'r, 'a> {
    rows: &'r Rows<'a>,
    field: usize,
}

impl Column for RowsColumn<'_, '_> {
    fn len(&self) -> usize {
        self.rows.count
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        let values = self.rows.values[start * self.rows.fields..].chunks(self.rows.fields);
        for (cell, row) in cells.iter_mut().zip(values) {
            *cell = row[self.field].cell();
        }
    }

    fn read_numbers(&self, start: usize, numbers: &mut [f64]) -> bool {
        let values = self.rows.values[start * self.rows.fields..].chunks(self.rows.fields);
        numbers.iter_mut().zip(values).all(|(number, row)| match row[self.field] {
            Sent::Cell(Cell::Number(x)) => {
                *number = x;
                true
            }
            Sent::Cell(Cell::Missing) => {
                *number = f64::NAN;
                true
            }
            Sent::Cell(Cell::Integer(x)) if x.unsigned_abs() <= crate::cell::LARGEST_INTEGER => {
                *number = x as f64;
                true
            }
            _ => false,
        })
    }
}

/// Adds one JSON object to `rows`. A row with a wrong key is noted there; what is no object is an error.
pub struct RowSeed<'r, 'a> {
    pub plan: &'r Plan,
    pub rows: &'r mut Rows<'a>,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { plan, rows } = self;
        let mut row = Row { plan, first: rows.begin(), rows, is_wrong: false };
        let mut expected = 0;
        while let Some(key) = entries.next_key_seed(KeySeed { plan, expected })? {
            if let RowKey::Field(at) = key {
                expected = at + 1;
            }
            row.take(key, &mut entries)?;
        }
        Ok(())
    }
}

/// The row that is being read.
struct Row<'r, 'a> {
    plan: &'r Plan,
    rows: &'r mut Rows<'a>,
    first: usize,
    is_wrong: bool,
}

impl<'de> Row<'_, 'de> {
    /// Reads the value of a key. Once a key was wrong, the others are passed over.
    fn take<A: MapAccess<'de>>(&mut self, key: RowKey, entries: &mut A) -> Result<(), A::Error> {
        let (plan, first) = (self.plan, self.first);
        let keeper = self.rows.kept_keys.iter().position(|kept| key.is(plan, kept));
        match (key, keeper) {
            _ if self.is_wrong => drop(entries.next_value::<IgnoredAny>()?),
            (RowKey::Field(at), _) if self.rows.values[first + at] != ABSENT => {
                let name = plan.fields[at].name.clone();
                let error = SchemaError(format!("key `{name}` is there twice; send it once"));
                self.refuse(name, error);
                entries.next_value::<IgnoredAny>()?;
            }
            (RowKey::Field(at), None) => {
                let seed = ValueSeed(plan.fields[at].r#type);
                self.rows.values[first + at] = entries.next_value_seed(seed)?;
            }
            (RowKey::Field(at), Some(keeper)) => {
                let raw = entries.next_value::<&'de RawValue>()?;
                keep(self.rows, keeper, raw);
                let mut value = serde_json::Deserializer::from_str(raw.get());
                let seed = ValueSeed(plan.fields[at].r#type);
                let value = seed.deserialize(&mut value).map_err(A::Error::custom)?;
                self.rows.values[first + at] = value;
            }
            (RowKey::Other(_), Some(keeper)) => {
                let raw = entries.next_value::<&'de RawValue>()?;
                keep(self.rows, keeper, raw);
            }
            (RowKey::Other(name), None) => {
                let error = plan.unknown_column(&name);
                self.refuse(name, error);
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, key: String, error: SchemaError) {
        self.rows.refuse(self.first, key, error);
        self.is_wrong = true;
    }
}

/// Keeps a value of the last row as it was sent.
fn keep<'a>(rows: &mut Rows<'a>, keeper: usize, raw: &'a RawValue) {
    let first = rows.kept.len() - rows.kept_keys.len();
    rows.kept[first + keeper] = Some(raw);
}

/// A key of a row.
enum RowKey {
    /// The position of a field.
    Field(usize),
    Other(String),
}

impl RowKey {
    fn is(&self, plan: &Plan, name: &str) -> bool {
        match self {
            RowKey::Field(at) => plan.fields[*at].name == name,
            RowKey::Other(other) => other == name,
        }
    }
}

/// Finds the field of a key; most clients send the fields in their order, so the next one is tried first.
struct KeySeed<'p> {
    plan: &'p Plan,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = RowKey;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<RowKey, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = RowKey;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<RowKey, E> {
        let is_expected =
            self.plan.fields.get(self.expected).is_some_and(|field| field.name == key);
        Ok(match if is_expected { Some(self.expected) } else { self.plan.position(key) } {
            Some(at) => RowKey::Field(at),
            None => RowKey::Other(key.to_owned()),
        })
    }
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
