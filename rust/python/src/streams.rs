//! Arrow's C stream interface (the PyCapsule protocol of Arrow) as columns.

use crate::errors::schema_error;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::RecordBatchReader;
use penstock_batch::arrow;
use penstock_batch::columns::Columns;
use penstock_core::error::SchemaError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods};

/// Every column of a stream of record batches.
pub fn columns(capsule: &Bound<'_, PyCapsule>) -> PyResult<Columns<'static>> {
    let py = capsule.py();
    let reader = reader(capsule)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|error| broken(py, &error))?;
    arrow::columns(&schema, &batches).map_err(|error| schema_error(py, &error))
}

fn reader(capsule: &Bound<'_, PyCapsule>) -> PyResult<RecordBatchStreamReader> {
    let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
    // SAFETY: a capsule of this name holds an ArrowArrayStream (Arrow's PyCapsule interface);
    // `from_raw` moves it out and leaves a released stream behind.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr().cast()) };
    RecordBatchStreamReader::try_new(stream).map_err(|error| broken(capsule.py(), &error))
}

fn broken(py: Python<'_>, error: &arrow_schema::ArrowError) -> PyErr {
    let message = format!("the Arrow stream cannot be read as a table: {error}");
    schema_error(py, &SchemaError(message))
}
