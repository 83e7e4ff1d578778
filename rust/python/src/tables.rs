//! Predictions of a table: columns behind Python's buffer protocol, and an Arrow stream.

use crate::answers::Shapes;
use crate::errors::{data_error, raise_fault};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::RecordBatchIterator;
use penstock_batch::answers::{self, AnswerColumn, With};
use penstock_core::model::Model;
use penstock_core::plan::OutputColumn;
use penstock_core::predict::Report;
use pyo3::exceptions::{PyBufferError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};
use std::ffi::c_int;
use std::sync::Arc;

/// The answers to a table.
#[pyclass]
pub struct Answers {
    model: Arc<Model>,
    shapes: Arc<Shapes>,
    answers: Arc<answers::Answers>,
    /// What the stream has besides.
    with: With,
}

impl Answers {
    pub fn new(model: Arc<Model>, shapes: Arc<Shapes>, answers: answers::Answers) -> Self {
        Self { model, shapes, answers: Arc::new(answers), with: With::default() }
    }

    /// The numbers of a column, if it is one of numbers; they are copied if others share them.
    fn taken(&mut self, at: usize) -> Option<Vec<f64>> {
        let own = Arc::get_mut(&mut self.answers).and_then(|own| own.columns.get_mut(at));
        if let Some(AnswerColumn::Numbers(values)) = own {
            let values = std::mem::replace(values, Vec::new().into()).into_inner().into_vec();
            return Some(values.unwrap_or_else(|shared| shared.typed_data().to_vec()));
        }
        match self.answers.columns.get(at)? {
            AnswerColumn::Numbers(values) => Some(values.to_vec()),
            _ => None,
        }
    }
}

#[pymethods]
impl Answers {
    fn __len__(&self) -> usize {
        self.answers.rows
    }

    /// Names of the columns.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.answers.names.iter().map(|column| column.name.as_str()).collect()
    }

    /// A column: `("numbers", buffer of f64)`, `("codes", buffer of u32, levels)` or `("texts", list)`.
    fn column<'py>(&self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyAny>> {
        let (Some(name), Some(column)) = (self.answers.names.get(at), self.answers.columns.get(at))
        else {
            return Err(PyValueError::new_err(format!("there is no column {at}")));
        };
        let buffer = || Bound::new(py, Buffer { column: column.clone() });
        Ok(match column {
            AnswerColumn::Numbers(_) => ("numbers", buffer()?).into_pyobject(py)?.into_any(),
            AnswerColumn::Codes(_) => {
                let labels = PyList::new(py, self.shapes.labels(name.output))?;
                ("codes", buffer()?, labels).into_pyobject(py)?.into_any()
            }
            AnswerColumn::Texts(texts) => {
                let texts = PyList::new(py, texts)?;
                ("texts", texts).into_pyobject(py)?.into_any()
            }
        })
    }

    /// What a column holds: `numbers`, `codes` or `texts`.
    fn kind(&self, at: usize) -> Option<&'static str> {
        Some(match self.answers.columns.get(at)? {
            AnswerColumn::Numbers(_) => "numbers",
            AnswerColumn::Codes(_) => "codes",
            AnswerColumn::Texts(_) => "texts",
        })
    }

    /// One column alone, as answers whose stream has it under the name `column`.
    fn only(&self, at: usize) -> PyResult<Self> {
        let (Some(name), Some(column)) = (self.answers.names.get(at), self.answers.columns.get(at))
        else {
            return Err(PyValueError::new_err(format!("there is no column {at}")));
        };
        let names = vec![OutputColumn { name: "column".to_owned(), ..name.clone() }];
        let answers = answers::Answers {
            rows: self.answers.rows,
            names,
            columns: vec![column.clone()],
            report: Report::default(),
        };
        Ok(Self::new(self.model.clone(), self.shapes.clone(), answers))
    }

    /// The same, but numbers may be written to, and the answers do not have them any more.
    fn take_column<'py>(&mut self, py: Python<'py>, at: usize) -> PyResult<Bound<'py, PyAny>> {
        match self.taken(at) {
            None => self.column(py, at),
            Some(values) => {
                let owned = Bound::new(py, Owned { values })?;
                Ok(("numbers", owned).into_pyobject(py)?.into_any())
            }
        }
    }

    /// Raises the error of the first row that was refused, if there is one.
    fn raise_first(&self, py: Python<'_>) -> PyResult<()> {
        match self.answers.report.faults.first() {
            None => Ok(()),
            Some((row, fault)) => Err(raise_fault(py, &self.model.plan, fault, Some(*row))),
        }
    }

    /// The rows that were refused and their errors.
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Vec<(usize, Bound<'py, PyAny>)>> {
        let plan = &self.model.plan;
        let faults = self.answers.report.faults.iter();
        faults.map(|(row, fault)| Ok((*row, data_error(py, plan, fault, Some(*row))?))).collect()
    }

    /// Rows with warnings and the warnings of each.
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for warnings in self.answers.warnings().chunk_by(|a, b| a.row == b.row) {
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
            answers: self.answers.clone(),
            with: With { errors, warnings },
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
        let batch = self.answers.record_batch(&self.model.plan, self.with);
        let batch = batch.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let schema = batch.schema();
        let reader = RecordBatchIterator::new([Ok(batch)], schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }
}

/// Numbers that nobody else has, behind Python's buffer protocol.
#[pyclass]
pub struct Owned {
    values: Vec<f64>,
}

#[pymethods]
impl Owned {
    /// Fills a view of the numbers: writable, contiguous, bytes without a format.
    ///
    /// # Safety
    /// `view` is a pointer from the interpreter that is valid for writing.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let (start, length) = {
            let values = &mut slf.borrow_mut().values;
            (values.as_mut_ptr(), std::mem::size_of_val(values.as_slice()))
        };
        // SAFETY: nothing but views reaches the numbers, which are never moved; the view holds `slf`.
        let filled = unsafe {
            ffi::PyBuffer_FillInfo(
                view,
                slf.as_ptr(),
                start.cast(),
                length as ffi::Py_ssize_t,
                0,
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

/// A column of answers behind Python's buffer protocol; it is not copied.
#[pyclass(frozen)]
pub struct Buffer {
    column: AnswerColumn,
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
            AnswerColumn::Numbers(values) => (values.inner().as_ptr(), values.inner().len()),
            AnswerColumn::Codes(values) => (values.inner().as_ptr(), values.inner().len()),
            AnswerColumn::Texts(_) => return Err(PyBufferError::new_err("texts have no buffer")),
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
