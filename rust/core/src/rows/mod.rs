//! Rows of JSON objects, read straight from bytes into cells by the fields of a plan; no tree of values is built.

mod object;
mod value;
mod wrong;

pub use value::{is_huge_integer, may_be_huge_integer, read_value, Sent, ValueSeed};
pub use wrong::{hint, WrongKey, WrongRow};

use crate::cell::{Cell, Column, LARGEST_INTEGER};
use crate::plan::Plan;
use object::ObjectSeed;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

const ABSENT: Sent<'static> = Sent::Cell(Cell::Absent);

/// Cells of rows, row after row, in the order of the fields.
#[derive(Debug, Default)]
pub struct Rows<'a> {
    values: Vec<Sent<'a>>,
    fields: usize,
    count: usize,
    /// Keys whose values are kept as they were sent, whether they are fields or not.
    kept_keys: Vec<String>,
    kept: Vec<Option<&'a RawValue>>,
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

    /// Adds a row that is written as a JSON object, in any case; the cells of one that is refused are all absent.
    ///
    /// # Errors
    /// It is no JSON object, or has a key that is none of the fields and not kept, or has one twice.
    pub fn read(&mut self, plan: &Plan, bytes: &'a [u8]) -> Result<(), WrongRow> {
        self.begin();
        match self.read_object(plan, bytes) {
            Ok(None) => Ok(()),
            Ok(Some(wrong)) => Err(WrongRow::Key(wrong)),
            Err(error) => {
                self.truncate(self.count - 1);
                self.begin();
                Err(WrongRow::Json(error))
            }
        }
    }

    /// Reads the last row; tells its first wrong key.
    fn read_object(
        &mut self,
        plan: &Plan,
        bytes: &'a [u8],
    ) -> Result<Option<WrongKey>, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let found = ObjectSeed { plan, rows: &mut *self }.deserialize(&mut reader)?;
        reader.end()?;
        if found.may_have_huge && found.wrong.is_none() {
            self.find_huge_integers(plan, bytes)?;
        }
        Ok(found.wrong)
    }

    /// Puts integers that fit no 64 bits in place of the floats that they were read as. Such rows are few.
    fn find_huge_integers(&mut self, plan: &Plan, bytes: &[u8]) -> Result<(), serde_json::Error> {
        for (key, raw) in serde_json::from_slice::<BTreeMap<String, &RawValue>>(bytes)? {
            if let Some(at) = plan.position(&key).filter(|_| is_huge_integer(raw.get())) {
                self.last()[at] = Sent::Cell(Cell::HugeInteger);
            }
        }
        Ok(())
    }

    /// Forgets all rows but the first `count`, and keeps their memory for others.
    pub fn truncate(&mut self, count: usize) {
        if count < self.count {
            self.count = count;
            self.values.truncate(count * self.fields);
            self.kept.truncate(count * self.kept_keys.len());
        }
    }

    /// Adds absent values for one more row.
    fn begin(&mut self) {
        self.values.resize(self.values.len() + self.fields, ABSENT);
        self.kept.resize(self.kept.len() + self.kept_keys.len(), None);
        self.count += 1;
    }

    /// The values of the last row.
    fn last(&mut self) -> &mut [Sent<'a>] {
        let first = self.values.len() - self.fields;
        &mut self.values[first..]
    }

    /// What is kept of the last row.
    fn last_kept(&mut self) -> &mut [Option<&'a RawValue>] {
        let first = self.kept.len() - self.kept_keys.len();
        &mut self.kept[first..]
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
            Sent::Cell(Cell::Integer(x)) if x.unsigned_abs() <= LARGEST_INTEGER => {
                *number = x as f64;
                true
            }
            _ => false,
        })
    }
}
