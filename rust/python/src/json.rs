//! One row that is written as a JSON object.

use crate::errors::schema_error;
use penstock_core::plan::Plan;
use penstock_core::rows::Rows;
use pyo3::prelude::*;

/// The row as the only one of its rows.
pub fn read<'a>(py: Python<'_>, plan: &Plan, text: &'a str) -> PyResult<Rows<'a>> {
    let mut rows = Rows::new(plan, Vec::new());
    let read = rows.read(plan, text.as_bytes());
    read.map_err(|wrong| schema_error(py, &wrong.into_schema_error(text.as_bytes())))?;
    Ok(rows)
}
