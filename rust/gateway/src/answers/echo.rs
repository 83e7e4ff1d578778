//! Columns of a request that are sent back beside the predictions, inputs or not.

use super::json;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType};
use penstock_batch::columns::Columns;
use penstock_core::cell::Cell;
use penstock_core::load::{instant, number};
use penstock_core::rows::Rows;
use serde_json::value::RawValue;
use std::ops::Range;
use std::sync::Arc;

/// Values that are sent back, by the position of their column among those that are asked for.
pub trait Echo: Sync {
    /// Writes a value as JSON.
    fn json(&self, column: usize, row: usize, to: &mut Vec<u8>);

    /// A value as it stands in a table of texts; `None` where it is missing.
    fn text(&self, column: usize, row: usize) -> Option<String>;

    /// The values of some rows; texts unless they came in another type.
    ///
    /// # Errors
    /// There is more than Arrow's offsets of 32 bits can tell.
    fn array(&self, column: usize, rows: Range<usize>) -> Result<ArrayRef, ArrowError> {
        let texts = rows.map(|row| self.text(column, row));
        Ok(Arc::new(texts.collect::<StringArray>()))
    }
}

/// Nothing is sent back.
impl Echo for () {
    fn json(&self, _: usize, _: usize, to: &mut Vec<u8>) {
        to.extend_from_slice(b"null");
    }

    fn text(&self, _: usize, _: usize) -> Option<String> {
        None
    }
}

/// Values of JSON rows, as they were sent.
impl Echo for Rows<'_> {
    fn json(&self, column: usize, row: usize, to: &mut Vec<u8>) {
        let value = self.kept(row).nth(column).and_then(|(_, value)| value);
        to.extend_from_slice(value.map_or("null", RawValue::get).as_bytes());
    }

    fn text(&self, column: usize, row: usize) -> Option<String> {
        let value = self.kept(row).nth(column).and_then(|(_, value)| value)?.get();
        match value {
            "null" => None,
            // A text stands for itself, without its quotes.
            value => Some(serde_json::from_str(value).unwrap_or_else(|_| value.to_owned())),
        }
    }
}

/// Values of the columns of a table.
pub struct TableEcho<'a> {
    pub columns: &'a Columns<'static>,
    /// Positions of the columns that are asked for.
    pub positions: Vec<usize>,
    /// The record batches that the table was made of, and the first row of each.
    pub batches: &'a [RecordBatch],
    pub starts: Vec<usize>,
}

impl TableEcho<'_> {
    fn cell(&self, column: usize, row: usize) -> Cell<'_> {
        let mut cell = [Cell::Absent];
        let position = self.positions.get(column).copied().unwrap_or(usize::MAX);
        if let Some(column) = self.columns.get(position) {
            column.read(row, &mut cell);
        }
        cell[0]
    }
}

impl Echo for TableEcho<'_> {
    fn json(&self, column: usize, row: usize, to: &mut Vec<u8>) {
        match self.cell(column, row) {
            Cell::Lexical("") => json::json(&(), to),
            cell => json::cell(cell, to),
        }
    }

    fn text(&self, column: usize, row: usize) -> Option<String> {
        match self.cell(column, row) {
            Cell::Number(x) if !x.is_nan() => Some(number(x)),
            Cell::Integer(x) => Some(x.to_string()),
            Cell::Boolean(x) => Some(x.to_string()),
            Cell::Text(text) => Some(text.to_owned()),
            Cell::Lexical(text) => (!text.is_empty()).then(|| text.to_owned()),
            Cell::Timestamp(x) => Some(instant(x)),
            _ => None,
        }
    }

    fn array(&self, column: usize, rows: Range<usize>) -> Result<ArrayRef, ArrowError> {
        if self.batches.is_empty() {
            let texts = rows.map(|row| self.text(column, row));
            return Ok(Arc::new(texts.collect::<StringArray>()));
        }
        let position = self.positions.get(column).copied().unwrap_or(usize::MAX);
        let mut slices = Vec::new();
        for (batch, start) in self.batches.iter().zip(&self.starts) {
            let (from, to) = (rows.start.max(*start), rows.end.min(start + batch.num_rows()));
            if let Some(array) = batch.columns().get(position).filter(|_| from < to) {
                slices.push(array.slice(from - start, to - from));
            }
        }
        match slices.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(ArrowError::InvalidArgumentError("there is no such column".to_owned())),
            several => {
                let several: Vec<&dyn Array> = several.iter().map(ArrayRef::as_ref).collect();
                arrow_select::concat::concat(&several)
            }
        }
    }
}

/// Whether the values of a type can be written as JSON or as texts without losing any of them.
pub fn has_texts(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => has_texts(values),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Boolean | DataType::Null => true,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => true,
        other => (other.is_integer() || other.is_floating()) && *other != DataType::UInt64,
    }
}
