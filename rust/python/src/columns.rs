//! The columns of a batch as Python holds them: Arrow arrays, buffers, categories and lists of objects.

use crate::arrow::ArrowColumn;
use crate::buffers::{self, Kind};
use crate::errors::schema_error;
use crate::objects::{Objects, OwnedCell};
use penstock_core::cell::{Cell, Column};
use penstock_core::error::SchemaError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};

/// Columns of equal length, in the order in which they were added.
#[pyclass]
#[derive(Default)]
pub struct Columns {
    pub names: Vec<String>,
    pub columns: Vec<Box<dyn Column + Send>>,
    pub rows: Option<usize>,
}

impl Columns {
    fn add(
        &mut self,
        py: Python<'_>,
        name: String,
        column: Box<dyn Column + Send>,
    ) -> PyResult<()> {
        let rows = *self.rows.get_or_insert(column.len());
        if rows != column.len() {
            let is = column.len();
            let message = format!("column `{name}` has {is} rows, not {rows}; send equal columns");
            return Err(schema_error(py, &SchemaError(message)));
        }
        self.names.push(name);
        self.columns.push(column);
        Ok(())
    }
}

#[pymethods]
impl Columns {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Adds every column of an Arrow stream of record batches (a capsule `arrow_array_stream`).
    fn add_stream(&mut self, py: Python<'_>, capsule: &Bound<'_, PyCapsule>) -> PyResult<()> {
        let (rows, columns) = ArrowColumn::read_table(capsule)?;
        self.rows.get_or_insert(rows);
        columns.into_iter().try_for_each(|(name, column)| self.add(py, name, Box::new(column)))
    }

    /// Adds a contiguous one-dimensional buffer of `number`, `boolean` (bytes) or `timestamp` items
    /// (microseconds UTC); it is not copied. `missing` is a buffer of bytes, 1 where a value is missing.
    #[pyo3(signature = (name, buffer, *, kind = "number", missing = None))]
    fn add_buffer(
        &mut self,
        py: Python<'_>,
        name: String,
        buffer: &Bound<'_, PyAny>,
        kind: &str,
        missing: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let column = buffers::numbers(buffer, Kind::parse(kind)?, missing)?;
        self.add(py, name, column)
    }

    /// Adds a buffer of positions into `levels`; a negative position is missing.
    fn add_codes(
        &mut self,
        py: Python<'_>,
        name: String,
        codes: &Bound<'_, PyAny>,
        levels: &Bound<'_, PyList>,
    ) -> PyResult<()> {
        let column = buffers::codes(codes, OwnedCell::list(levels)?)?;
        self.add(py, name, column)
    }

    /// Adds a list of Python objects.
    fn add_objects(&mut self, name: String, values: &Bound<'_, PyList>) -> PyResult<()> {
        self.add(values.py(), name, Box::new(Objects::new(values)?))
    }

    /// Makes the texts of the columns added so far take the type of their field, as in CSV files.
    fn set_lexical(&mut self) {
        let columns = std::mem::take(&mut self.columns);
        let lexical = |column| Box::new(Lexical(column)) as Box<dyn Column + Send>;
        self.columns = columns.into_iter().map(lexical).collect();
    }

    /// Says how many rows there are, for tables without columns.
    fn set_rows(&mut self, rows: usize) {
        self.rows.get_or_insert(rows);
    }
}

/// Texts that take the type of their field.
struct Lexical(Box<dyn Column + Send>);

impl Column for Lexical {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        self.0.read(start, cells);
        for cell in cells {
            if let Cell::Text(text) = cell {
                *cell = Cell::Lexical(text);
            }
        }
    }
}
