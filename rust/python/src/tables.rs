//! Predictions of a table: columns behind Python's buffer protocol, and an Arrow stream.

use crate::answers::Shapes;
use crate::errors::{data_error, raise_fault};
use crate::parallel::Values;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, ListArray,
    RecordBatch, RecordBatchIterator, RecordBatchOptions, StringArray, StructArray, UInt32Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema};
use penstock_core::error::Warning;
use penstock_core::model::Model;
use penstock_core::plan::OutputColumn;
use penstock_core::predict::Report;
use pyo3::exceptions::{PyBufferError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};
use serde_json::Value;
use std::ffi::c_int;
use std::sync::Arc;

/// The answers to a table.
#[pyclass(frozen)]
pub struct Answers {
    model: Arc<Model>,
    shapes: Arc<Shapes>,
    rows: usize,
    names: Vec<OutputColumn>,
    columns: Vec<Column>,
    report: Arc<Report>,
    /// Whether the stream has a column `error`, and one `warnings`.
    with: (bool, bool),
}

/// Values of one column; a clone shares them.
#[derive(Clone)]
enum Column {
    Numbers(ScalarBuffer<f64>),
    Codes(ScalarBuffer<u32>),
    Texts(StringArray),
}

impl From<Values> for Column {
    fn from(values: Values) -> Self {
        match values {
            Values::Numbers(values) => Self::Numbers(values.into()),
            Values::Codes(values) => Self::Codes(values.into()),
            Values::Texts(values) => Self::Texts(values.into()),
        }
    }
}

impl Answers {
    pub fn new(
        model: Arc<Model>,
        shapes: Arc<Shapes>,
        rows: usize,
        names: Vec<OutputColumn>,
        values: Vec<Values>,
        report: Report,
    ) -> Self {
        let columns = values.into_iter().map(Column::from).collect();
        let report = Arc::new(report);
        Self { model, shapes, rows, names, columns, report, with: (false, false) }
    }

    fn stored_warnings(&self) -> &[Warning] {
        self.report.warnings.as_deref().unwrap_or_default()
    }
}

#[pymethods]
impl Answers {
    fn __len__(&self) -> usize {
        self.rows
    }

    /// Names of the columns.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.names.iter().map(|column| column.name.as_str()).collect()
    }

    /// A column: `("numbers", buffer of f64)`, `("codes", buffer of u32, levels)` or `("texts", list)`.
    fn column<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyAny>> {
        let (Some(name), Some(column)) = (self.names.get(at), self.columns.get(at)) else {
            return Err(PyValueError::new_err(format!("there is no column {at}")));
        };
        let buffer = || Bound::new(py, Buffer { column: column.clone() });
        Ok(match column {
            Column::Numbers(_) => ("numbers", buffer()?).into_pyobject(py)?.into_any(),
            Column::Codes(_) => {
                let labels = PyList::new(py, self.shapes.labels(name.output))?;
                ("codes", buffer()?, labels).into_pyobject(py)?.into_any()
            }
            Column::Texts(texts) => {
                let texts = PyList::new(py, texts)?;
                ("texts", texts).into_pyobject(py)?.into_any()
            }
        })
    }

    /// Raises the error of the first row that was refused, if there is one.
    fn raise_first(&self, py: Python<'_>) -> PyResult<()> {
        match self.report.faults.first() {
            None => Ok(()),
            Some((row, fault)) => Err(raise_fault(py, &self.model.plan, fault, Some(*row))),
        }
    }

    /// The rows that were refused and their errors.
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Vec<(usize, Bound<'py, PyAny>)>> {
        let plan = &self.model.plan;
        let faults = self.report.faults.iter();
        faults.map(|(row, fault)| Ok((*row, data_error(py, plan, fault, Some(*row))?))).collect()
    }

    /// Rows with warnings and the warnings of each.
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for warnings in self.stored_warnings().chunk_by(|a, b| a.row == b.row) {
            let items = self.shapes.warnings(py, &self.model.plan, warnings)?;
            list.append((warnings[0].row, items))?;
        }
        Ok(list)
    }

    /// The same answers, whose stream has a column `error` (text), and one `warnings` (a list).
    #[pyo3(signature = (*, errors, warnings))]
    fn extended(&self, errors: bool, warnings: bool) -> Self {
        Self {
            model: self.model.clone(),
            shapes: self.shapes.clone(),
            rows: self.rows,
            names: self.names.clone(),
            columns: self.columns.clone(),
            report: self.report.clone(),
            with: (errors, warnings),
        }
    }

    /// The answers as an Arrow stream of one record batch; numbers are not copied.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema; // The interface allows to ignore it.
        let batch =
            self.record_batch().map_err(|error| PyValueError::new_err(error.to_string()))?;
        let schema = batch.schema();
        let reader = RecordBatchIterator::new([Ok(batch)], schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

impl Answers {
    fn record_batch(&self) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
        for (column, values) in self.names.iter().zip(&self.columns) {
            let array = match values {
                Column::Numbers(values) => number_array(values),
                Column::Codes(codes) => {
                    label_array(codes, &self.model.plan.outputs[column.output].levels)?
                }
                Column::Texts(texts) => Arc::new(texts.clone()),
            };
            columns.push((&column.name, array));
        }
        if self.with.0 {
            columns.push(("error", self.error_array()));
        }
        if self.with.1 {
            columns.push(("warnings", self.warning_array()?));
        }
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
            .collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
    }

    /// The reason for which each row was refused.
    fn error_array(&self) -> ArrayRef {
        let mut messages = vec![None; self.rows];
        for (row, fault) in &self.report.faults {
            messages[*row] = Some(crate::errors::message(&self.model.plan, fault, Some(*row)));
        }
        Arc::new(StringArray::from(messages))
    }

    /// A list of field, code and value for each row.
    fn warning_array(&self) -> Result<ArrayRef, ArrowError> {
        let warnings = self.stored_warnings();
        let mut counts = vec![0; self.rows];
        warnings.iter().for_each(|warning| counts[warning.row] += 1);
        let field = |warning: &Warning| self.model.plan.fields[warning.field].name.clone();
        let texts: [ArrayRef; 3] = [
            Arc::new(StringArray::from_iter_values(warnings.iter().map(field))),
            Arc::new(StringArray::from_iter_values(warnings.iter().map(|w| w.code.as_str()))),
            Arc::new(StringArray::from_iter_values(warnings.iter().map(|w| &w.value))),
        ];
        let fields: Fields = ["field", "code", "value"]
            .map(|name| Field::new(name, DataType::Utf8, true))
            .to_vec()
            .into();
        let items = StructArray::try_new(fields, texts.to_vec(), None)?;
        let item = Arc::new(Field::new("item", items.data_type().clone(), true));
        let offsets = OffsetBuffer::<i32>::from_lengths(counts);
        Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(items), None)?))
    }
}

/// Numbers; missing is null, as everywhere in Arrow.
fn number_array(values: &ScalarBuffer<f64>) -> ArrayRef {
    let missing = values.iter().any(|x| x.is_nan());
    let present = missing.then(|| NullBuffer::from_iter(values.iter().map(|x| !x.is_nan())));
    Arc::new(Float64Array::new(values.clone(), present))
}

/// Labels in their own type; texts as a dictionary.
fn label_array(codes: &[u32], levels: &[Value]) -> Result<ArrayRef, ArrowError> {
    let of = |code: &u32| levels.get(*code as usize);
    if levels.iter().all(Value::is_boolean) {
        let values = codes.iter().map(|code| of(code).and_then(Value::as_bool));
        return Ok(Arc::new(values.collect::<BooleanArray>()));
    }
    if levels.iter().all(Value::is_i64) {
        let values = codes.iter().map(|code| of(code).and_then(Value::as_i64));
        return Ok(Arc::new(values.collect::<Int64Array>()));
    }
    if levels.iter().all(Value::is_number) {
        let values = codes.iter().map(|code| of(code).and_then(Value::as_f64));
        return Ok(Arc::new(values.collect::<Float64Array>()));
    }
    let keys: UInt32Array =
        codes.iter().map(|code| (*code as usize).lt(&levels.len()).then_some(*code)).collect();
    let texts: StringArray = levels.iter().map(Value::as_str).collect();
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(texts))?))
}

/// A column of answers behind Python's buffer protocol; it is not copied.
#[pyclass(frozen)]
pub struct Buffer {
    column: Column,
}

#[pymethods]
impl Buffer {
    /// Fills a view of the column: read-only, contiguous, bytes without a format.
    ///
    /// # Safety
    /// `view` is a pointer from the interpreter that is valid for writing.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let (start, length) = match &slf.get().column {
            Column::Numbers(values) => (values.inner().as_ptr(), values.inner().len()),
            Column::Codes(values) => (values.inner().as_ptr(), values.inner().len()),
            Column::Texts(_) => return Err(PyBufferError::new_err("texts have no buffer")),
        };
        // SAFETY: the memory is shared with `slf`, never changes, and the view holds `slf`.
        let filled = unsafe {
            ffi::PyBuffer_FillInfo(
                view,
                slf.as_ptr(),
                start.cast_mut().cast(),
                length as ffi::Py_ssize_t,
                1,
                flags,
            )
        };
        if filled == -1 {
            Err(PyErr::fetch(slf.py()))
        } else {
            Ok(())
        }
    }

    /// Nothing to release: the view holds the object.
    ///
    /// # Safety
    /// Called by the interpreter with a view that `__getbuffer__` filled.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {}
}
