//! The columns of a batch as Python holds them: Arrow arrays, buffers, categories and lists of objects.

use crate::buffers::{self, Kind};
use crate::errors::schema_error;
use crate::objects::{Objects, OwnedCell};
use crate::streams;
use penstock_core::cell::Column;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};

/// Columns of equal length, in the order in which they were added.
#[pyclass]
#[derive(Default)]
pub struct Columns(pub penstock_batch::columns::Columns<'static>);

impl Columns {
    fn add(
        &mut self,
        py: Python<'_>,
        name: String,
        column: Box<dyn Column + Send>,
    ) -> PyResult<()> {
        self.0.add(name, column).map_err(|error| schema_error(py, &error))
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
        let added = streams::columns(capsule)?;
        self.0.append(added).map_err(|error| schema_error(py, &error))
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
        self.0.set_lexical();
    }

    /// Says how many rows there are, for tables without columns.
    fn set_rows(&mut self, rows: usize) {
        self.0.set_rows(rows);
    }
}
