//! Predictions as Python objects: dictionaries for rows, buffers and an Arrow stream for tables.

use crate::errors::{data_error, raise_fault};
use crate::parallel::Values;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, RecordBatch,
    RecordBatchIterator, RecordBatchOptions, StringArray, UInt32Array,
};
use arrow_schema::{Field, Schema};
use penstock_core::cell::Cell;
use penstock_core::error::Warning;
use penstock_core::manifest::OutputKind;
use penstock_core::model::Model;
use penstock_core::plan::Plan;
use penstock_core::plan::block::Scratch;
use penstock_core::predict::{Answer, Report};
use pyo3::exceptions::{PyBufferError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList, PyString};
use serde_json::Value;
use std::ffi::c_int;
use std::sync::Arc;

/// The Python objects that answers are made of, built once per model.
pub struct Shapes {
    outputs: Vec<Shape>,
}

struct Shape {
    name: Py<PyString>,
    kind: OutputKind,
    /// Class labels of a `label`, keys of `numbers`, names of `features`.
    labels: Vec<Py<PyAny>>,
}

impl Shapes {
    pub fn new(py: Python<'_>, plan: &Plan) -> PyResult<Self> {
        let outputs = plan.outputs.iter().map(|output| {
            let labels = match output.kind {
                OutputKind::Label => &output.levels,
                _ => &output.names,
            };
            Ok(Shape {
                name: PyString::intern(py, &output.name).unbind(),
                kind: output.kind,
                labels: labels.iter().map(|label| python(py, label)).collect::<PyResult<_>>()?,
            })
        });
        Ok(Self { outputs: outputs.collect::<PyResult<_>>()? })
    }

    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        let outputs = self.outputs.iter().map(|shape| Shape {
            name: shape.name.clone_ref(py),
            kind: shape.kind,
            labels: shape.labels.iter().map(|label| label.clone_ref(py)).collect(),
        });
        Self { outputs: outputs.collect() }
    }

    /// The row that was predicted last as a dictionary.
    pub fn answer<'py>(
        &self,
        py: Python<'py>,
        plan: &Plan,
        cells: &[Cell<'_>],
        scratch: &Scratch,
    ) -> PyResult<Bound<'py, PyDict>> {
        let answer = PyDict::new(py);
        for (output, shape) in plan.outputs.iter().zip(&self.outputs) {
            let value = |at: usize| {
                let value = plan.answer(&output.elements[at], cells, scratch);
                shape.value(py, value)
            };
            match shape.kind {
                OutputKind::Label | OutputKind::Number => {
                    answer.set_item(&shape.name, value(0)?)?;
                }
                OutputKind::Numbers => {
                    let numbers = PyDict::new(py);
                    for (at, label) in shape.labels.iter().enumerate() {
                        numbers.set_item(label, value(at)?)?;
                    }
                    answer.set_item(&shape.name, numbers)?;
                }
                OutputKind::Features => {
                    for (at, label) in shape.labels.iter().enumerate() {
                        answer.set_item(label, value(at)?)?;
                    }
                }
            }
        }
        Ok(answer)
    }

    pub fn warnings<'py>(
        &self,
        py: Python<'py>,
        plan: &Plan,
        warnings: &[Warning],
    ) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for warning in warnings {
            let item = PyDict::new(py);
            item.set_item("field", &plan.fields[warning.field].name)?;
            item.set_item("code", warning.code.as_str())?;
            item.set_item("value", &warning.value)?;
            list.append(item)?;
        }
        Ok(list)
    }
}

impl Shape {
    fn value(&self, py: Python<'_>, answer: Answer<'_>) -> PyResult<Py<PyAny>> {
        Ok(match answer {
            Answer::Number(x) => x.into_pyobject(py)?.into_any().unbind(),
            Answer::Code(code) => match self.labels.get(code as usize) {
                Some(label) => label.clone_ref(py),
                None => py.None(),
            },
            Answer::Text(Some(text)) => PyString::new(py, text).into_any().unbind(),
            Answer::Text(None) => py.None(),
        })
    }
}

/// A label of the manifest as a Python object.
fn python(py: Python<'_>, value: &Value) -> PyResult<Py<PyAny>> {
    Ok(match value {
        Value::String(text) => PyString::intern(py, text).into_any().unbind(),
        Value::Bool(x) => x.into_pyobject(py)?.to_owned().into_any().unbind(),
        Value::Number(number) => match number.as_i64() {
            Some(x) => x.into_pyobject(py)?.into_any().unbind(),
            None => number.as_f64().into_pyobject(py)?.into_any().unbind(),
        },
        _ => py.None(),
    })
}

/// The answers to a table.
#[pyclass(frozen)]
pub struct Answers {
    model: Arc<Model>,
    shapes: Shapes,
    rows: usize,
    values: Arc<Vec<Values>>,
    report: Report,
}

impl Answers {
    pub fn new(
        model: Arc<Model>,
        shapes: Shapes,
        rows: usize,
        values: Vec<Values>,
        report: Report,
    ) -> Self {
        Self { model, shapes, rows, values: Arc::new(values), report }
    }
}

#[pymethods]
impl Answers {
    fn __len__(&self) -> usize {
        self.rows
    }

    /// Names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.model.plan.output_columns().into_iter().map(|column| column.name).collect()
    }

    /// A column: `("numbers", buffer of f64)`, `("codes", buffer of u32, levels)` or `("texts", list)`.
    fn column<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyAny>> {
        let columns = self.model.plan.output_columns();
        let (Some(column), Some(values)) = (columns.get(at), self.values.get(at)) else {
            return Err(PyValueError::new_err(format!("there is no column {at}")));
        };
        let buffer = || Bound::new(py, Buffer { values: self.values.clone(), at });
        Ok(match values {
            Values::Numbers(_) => ("numbers", buffer()?).into_pyobject(py)?.into_any(),
            Values::Codes(_) => {
                let labels = PyList::new(py, &self.shapes.outputs[column.output].labels)?;
                ("codes", buffer()?, labels).into_pyobject(py)?.into_any()
            }
            Values::Texts(texts) => ("texts", texts.clone()).into_pyobject(py)?.into_any(),
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
        for warnings in
            self.report.warnings.as_deref().unwrap_or_default().chunk_by(|a, b| a.row == b.row)
        {
            let items = self.shapes.warnings(py, &self.model.plan, warnings)?;
            list.append((warnings[0].row, items))?;
        }
        Ok(list)
    }

    /// The answers as an Arrow stream of one record batch.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema; // The interface allows to ignore it.
        let batch = self.record_batch().map_err(|error| PyValueError::new_err(error.to_string()))?;
        let schema = batch.schema();
        let reader = RecordBatchIterator::new([Ok(batch)], schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

impl Answers {
    fn record_batch(&self) -> Result<RecordBatch, arrow_schema::ArrowError> {
        let mut fields = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for (column, values) in self.model.plan.output_columns().iter().zip(self.values.iter()) {
            let array = match values {
                Values::Numbers(values) => number_array(values),
                Values::Codes(codes) => {
                    label_array(codes, &self.model.plan.outputs[column.output].levels)?
                }
                Values::Texts(texts) => Arc::new(StringArray::from(texts.clone())),
            };
            fields.push(Field::new(&column.name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
    }
}

/// Numbers; missing is null, as everywhere in Arrow.
fn number_array(values: &[f64]) -> ArrayRef {
    if values.iter().any(|x| x.is_nan()) {
        let nullable = values.iter().map(|x| (!x.is_nan()).then_some(*x));
        return Arc::new(nullable.collect::<Float64Array>());
    }
    Arc::new(Float64Array::from(values.to_vec()))
}

/// Labels in their own type; texts as a dictionary.
fn label_array(codes: &[u32], levels: &[Value]) -> Result<ArrayRef, arrow_schema::ArrowError> {
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
    values: Arc<Vec<Values>>,
    at: usize,
}

#[pymethods]
impl Buffer {
    /// Fills a view of the column: read-only, contiguous, one byte format for numpy.
    ///
    /// # Safety
    /// `view` is a pointer from the interpreter that is valid for writing.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let this = slf.get();
        let (start, length) = match &this.values[this.at] {
            Values::Numbers(values) => (values.as_ptr().cast::<u8>(), size_of_val(&values[..])),
            Values::Codes(values) => (values.as_ptr().cast::<u8>(), size_of_val(&values[..])),
            Values::Texts(_) => return Err(PyBufferError::new_err("texts have no buffer")),
        };
        // SAFETY: the memory is owned by an Arc in `slf`, never changes, and the view holds `slf`.
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
        if filled == -1 { Err(PyErr::fetch(slf.py())) } else { Ok(()) }
    }

    /// Nothing to release: the view holds the object.
    ///
    /// # Safety
    /// Called by the interpreter with a view that `__getbuffer__` filled.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {}
}
