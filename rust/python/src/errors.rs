//! The errors of the core as the exceptions of `penstock.errors`.

use penstock_batch::answers::{message, placed};
use penstock_core::error::{ArtifactError, Code, Fault, KeyError, SchemaError};
use penstock_core::explain::NoMethod;
use penstock_core::plan::Plan;
use pyo3::prelude::*;

fn exception<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("penstock.errors")?.getattr(name)
}

fn raise(py: Python<'_>, name: &str, message: &str) -> PyErr {
    match exception(py, name).and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

pub fn artifact_error(py: Python<'_>, error: &ArtifactError) -> PyErr {
    raise(py, "ArtifactError", &error.0)
}

pub fn key_error(py: Python<'_>, error: &KeyError) -> PyErr {
    raise(py, "PenstockError", &error.0)
}

/// The error for a model that cannot be explained.
pub fn no_method(py: Python<'_>, error: &NoMethod) -> PyErr {
    raise(py, "PenstockError", &error.0)
}

pub fn schema_error(py: Python<'_>, error: &SchemaError) -> PyErr {
    raise(py, "SchemaError", &error.0)
}

/// The exception for a refused row: a `DataError` with row, field and code.
pub fn data_error<'py>(
    py: Python<'py>,
    plan: &Plan,
    fault: &Fault,
    row: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let field = match fault.fields.as_slice() {
        [field] => plan.fields.get(*field).map(|field| field.name.as_str()),
        _ => None,
    };
    let message = message(plan, fault, row);
    exception(py, "DataError")?.call1((message, row, field, fault.code.as_str()))
}

/// The `DataError` that answers a row of a list whose columns are wrong.
pub fn column_error<'py>(
    py: Python<'py>,
    error: &SchemaError,
    column: &str,
    row: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    exception(py, "DataError")?.call1((placed(&error.0, row), row, column, "unknown_column"))
}

/// What to raise for a refused row: an absent column is a matter of the schema.
pub fn raise_fault(py: Python<'_>, plan: &Plan, fault: &Fault, row: Option<usize>) -> PyErr {
    if let (Code::Absent, Some(field)) =
        (fault.code, fault.fields.first().and_then(|at| plan.fields.get(*at)))
    {
        return schema_error(py, &plan.absent_column(&field.name));
    }
    match data_error(py, plan, fault, row) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
