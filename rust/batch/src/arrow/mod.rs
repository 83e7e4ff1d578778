//! Arrow arrays of every type that has values for a field, as columns.

mod cells;
mod levels;
mod numbers;
mod validity;

use crate::columns::Columns;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::Schema;
use cells::read_array;
use levels::Dictionaries;
use penstock_core::cell::{Cell, Column, Levels};
use penstock_core::error::SchemaError;
use std::ops::Range;

/// The columns of record batches that have one schema, in its order; the values are not copied.
///
/// # Errors
/// `SchemaError` for a batch of another schema.
pub fn columns(schema: &Schema, batches: &[RecordBatch]) -> Result<Columns<'static>, SchemaError> {
    let is_same = |batch: &RecordBatch| {
        let mut fields = batch.schema_ref().fields().iter().zip(schema.fields());
        batch.num_columns() == schema.fields().len()
            && fields.all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type())
    };
    if let Some(at) = batches.iter().position(|batch| !is_same(batch)) {
        let message = format!("record batch {at} has another schema than the table; send one");
        return Err(SchemaError(message));
    }
    let mut columns = Columns::default();
    columns.set_rows(batches.iter().map(RecordBatch::num_rows).sum());
    for (at, field) in schema.fields().iter().enumerate() {
        let chunks = batches.iter().map(|batch| batch.column(at).clone()).collect();
        columns.add(field.name().clone(), Box::new(ArrowColumn::new(chunks)))?;
    }
    Ok(columns)
}

/// One column in one or more chunks.
pub struct ArrowColumn {
    dictionaries: Option<Dictionaries>,
    chunks: Vec<ArrayRef>,
    /// First row of each chunk, and the number of rows at the end.
    starts: Vec<usize>,
}

impl ArrowColumn {
    /// A column of arrays of one type.
    pub fn new(chunks: Vec<ArrayRef>) -> Self {
        let mut starts = vec![0];
        let mut rows = 0;
        for chunk in &chunks {
            rows += chunk.len();
            starts.push(rows);
        }
        let dictionaries = Dictionaries::new(&chunks, &starts);
        Self { dictionaries, chunks, starts }
    }

    /// Calls `each` with the arrays that hold `count` rows from `start` on, the first row of each that is meant, and
    /// the rows, counted from `start`; stops where it says `false`.
    fn each_chunk<'a>(
        &'a self,
        start: usize,
        count: usize,
        mut each: impl FnMut(&'a dyn Array, usize, Range<usize>) -> bool,
    ) -> bool {
        let mut done = 0;
        let mut chunk = self.starts.partition_point(|first| *first <= start).saturating_sub(1);
        while done < count && chunk < self.chunks.len() {
            let row = start + done;
            let rows = (self.starts[chunk + 1] - row).min(count - done);
            if !each(self.chunks[chunk].as_ref(), row - self.starts[chunk], done..done + rows) {
                return false;
            }
            (done, chunk) = (done + rows, chunk + 1);
        }
        true
    }
}

impl Column for ArrowColumn {
    fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        self.each_chunk(start, cells.len(), |array, from, rows| {
            read_array(array, from, &mut cells[rows]);
            true
        });
    }

    fn read_numbers(&self, start: usize, numbers: &mut [f64]) -> bool {
        self.each_chunk(start, numbers.len(), |array, from, rows| {
            numbers::read(array, from, &mut numbers[rows])
        })
    }

    fn levels(&self) -> Option<&dyn Levels> {
        self.dictionaries.as_ref().map(|dictionaries| dictionaries as &dyn Levels)
    }
}
