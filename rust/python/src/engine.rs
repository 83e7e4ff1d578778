//! A loaded model for Python: rows as dictionaries, tables as columns.

use crate::answers::Shapes;
use crate::cells::cell;
use crate::columns::Columns;
use crate::errors::{artifact_error, column_error, data_error, raise_fault, schema_error};
use crate::explainer::Explainer;
use crate::json;
use crate::keys::PublicKey;
use crate::tables::Answers;
use penstock_batch::answers;
use penstock_batch::parallel::{self, Wish};
use penstock_core::cell::Cell;
use penstock_core::error::{SchemaError, Warning};
use penstock_core::model::Model;
use penstock_core::plan::block::Scratch;
use penstock_core::trees::{Kernel, KERNEL_VARIABLE};
use penstock_core::verify;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyString};
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A model; immutable, so that any number of threads can use it at once.
#[pyclass(frozen)]
pub struct Engine {
    model: Arc<Model>,
    /// Names of the fields as interned Python strings: dictionary look-ups compare pointers.
    keys: Vec<Py<PyString>>,
    shapes: Arc<Shapes>,
}

#[pymethods]
impl Engine {
    /// Opens the bytes of an artifact; with a key, of one that it has signed.
    #[staticmethod]
    #[pyo3(signature = (data, verify, key = None))]
    fn open(
        py: Python<'_>,
        data: &[u8],
        verify: bool,
        key: Option<&Bound<'_, PublicKey>>,
    ) -> PyResult<Self> {
        let kernel = std::env::var(KERNEL_VARIABLE).unwrap_or_default();
        Kernel::force(&kernel).map_err(|error| artifact_error(py, &error))?;
        let key = key.map(|key| &key.get().0);
        let model = py.detach(|| match key {
            Some(key) => Model::open_signed(data, verify, key),
            None => Model::open(data, verify),
        });
        let model = model.map_err(|error| artifact_error(py, &error))?;
        let fields = &model.plan.fields;
        let keys = fields.iter().map(|field| PyString::intern(py, &field.name).unbind()).collect();
        let shapes = Arc::new(Shapes::new(py, &model.plan)?);
        Ok(Self { model: Arc::new(model), keys, shapes })
    }

    #[getter]
    fn manifest(&self) -> &str {
        &self.model.manifest
    }

    #[getter]
    fn examples(&self) -> &str {
        &self.model.examples
    }

    #[getter]
    fn card(&self) -> &str {
        &self.model.card
    }

    /// Algorithm and key id of each signature, unchecked.
    #[getter]
    fn signatures(&self) -> Vec<(&str, &str)> {
        let signatures = self.model.signatures.iter();
        signatures.map(|one| (one.algorithm.as_str(), one.key.as_str())).collect()
    }

    #[getter]
    fn digest(&self) -> &str {
        &self.model.digest
    }

    #[getter]
    fn unpacked_size(&self) -> u64 {
        self.model.unpacked_size
    }

    /// One line per step of the plan.
    fn plan(&self) -> Vec<String> {
        self.model.plan.describe()
    }

    /// Every difference between the answers to the examples and what they expect.
    fn verify(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let differences = py.detach(|| verify::verify(&self.model.plan, &self.model.examples));
        differences.map_err(|error| artifact_error(py, &error))
    }

    /// The answer to one row; with `return_errors`, a refused row is answered by its error.
    #[pyo3(signature = (row, *, return_errors = false, warnings = false))]
    fn predict_row<'py>(
        &self,
        row: &Bound<'py, PyDict>,
        return_errors: bool,
        warnings: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.answer(row, None, return_errors, warnings)
    }

    /// The answers to a list of rows; with `return_errors`, a refused row is answered by its error.
    #[pyo3(signature = (rows, *, return_errors = false, warnings = false))]
    fn predict_rows<'py>(
        &self,
        rows: &Bound<'py, PyList>,
        return_errors: bool,
        warnings: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = rows.py();
        let answers = PyList::empty(py);
        for (at, row) in rows.iter().enumerate() {
            let row = dictionary(row, at)?;
            answers.append(self.answer(&row, Some(at), return_errors, warnings)?)?;
        }
        Ok(answers)
    }

    /// The answer to one row that is written as a JSON object.
    fn predict_json<'py>(&self, py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
        let rows = json::read(py, &self.model.plan, text)?;
        let cells: Vec<Cell<'_>> = rows.cells(0).collect();
        self.run(py, &cells, None, false, false)
    }

    /// What explains the rows of this model; `data` are the bytes that it was opened with.
    fn explainer(slf: Py<Self>, py: Python<'_>, data: &[u8]) -> PyResult<Explainer> {
        Explainer::open(py, slf, data)
    }

    /// The answers to a table.
    #[pyo3(signature = (columns, *, threads, warnings = false))]
    fn predict_table(
        &self,
        py: Python<'_>,
        columns: &Bound<'_, Columns>,
        threads: usize,
        warnings: bool,
    ) -> PyResult<Answers> {
        let (columns, plan) = (columns.borrow(), &self.model.plan);
        let (columns, wish) = (&columns.0, Wish { threads, warnings });
        let predict = || Ok(parallel::predict(plan, &columns.table(plan)?, wish));
        let answers = py.detach(predict).map_err(|error| schema_error(py, &error))?;
        Ok(self.answers(answers))
    }
}

impl Engine {
    /// A table of answers.
    pub fn answers(&self, answers: answers::Answers) -> Answers {
        Answers::new(self.model.clone(), self.shapes.clone(), answers)
    }

    /// A list of warnings.
    pub fn warnings<'py>(
        &self,
        py: Python<'py>,
        warnings: &[Warning],
    ) -> PyResult<Bound<'py, PyList>> {
        self.shapes.warnings(py, &self.model.plan, warnings)
    }

    fn answer<'py>(
        &self,
        row: &Bound<'py, PyDict>,
        at: Option<usize>,
        return_errors: bool,
        warnings: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.read(row, at, return_errors, |cells, _| {
            self.run(row.py(), cells, at, return_errors, warnings)
        })
    }

    /// Hands over the cells of a row, and its values; with `return_errors`, wrong columns are answered by their error.
    pub fn read<'py>(
        &self,
        row: &Bound<'py, PyDict>,
        at: Option<usize>,
        return_errors: bool,
        then: impl FnOnce(&[Cell<'_>], &[Option<Bound<'py, PyAny>>]) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = row.py();
        let mut values = Vec::with_capacity(self.keys.len());
        let mut found = 0;
        for key in &self.keys {
            let value = row.get_item(key.bind(py))?;
            found += usize::from(value.is_some());
            values.push(value);
        }
        let unknown = if found < row.len() { self.unknown_key(row)? } else { None };
        match unknown {
            Some((error, key)) if return_errors => return column_error(py, &error, &key, at),
            Some((error, _)) => return Err(schema_error(py, &error)),
            None => {}
        }
        let mut cells = Vec::with_capacity(values.len());
        for value in &values {
            cells.push(match value {
                Some(value) => cell(value)?,
                None => Cell::Absent,
            });
        }
        then(&cells, &values)
    }

    /// The error for the first key that no field has.
    #[cold]
    fn unknown_key(&self, row: &Bound<'_, PyDict>) -> PyResult<Option<(SchemaError, String)>> {
        let plan = &self.model.plan;
        for key in row.keys() {
            let name = key.str()?.to_string();
            if !key.is_instance_of::<PyString>() || plan.position(&name).is_none() {
                return Ok(Some((plan.unknown_column(&name), name)));
            }
        }
        Ok(None)
    }

    fn run<'py>(
        &self,
        py: Python<'py>,
        cells: &[Cell<'_>],
        at: Option<usize>,
        return_errors: bool,
        with_warnings: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let plan = &self.model.plan;
        let mut warnings: Option<Vec<Warning>> = with_warnings.then(Vec::new);
        // Taken, not borrowed: making the answer may run a finalizer that predicts as well.
        let mut scratch = SCRATCH.take();
        let result = plan.predict_row(cells, &mut scratch, &mut warnings);
        let answer = result.map(|()| self.shapes.answer(py, plan, cells, &scratch));
        SCRATCH.set(scratch);
        match answer {
            Ok(answer) => {
                let answer = answer?;
                if let Some(warnings) = warnings {
                    answer.set_item("warnings", self.shapes.warnings(py, plan, &warnings)?)?;
                }
                Ok(answer.into_any())
            }
            Err(fault) if return_errors => data_error(py, plan, &fault, at),
            Err(fault) => Err(raise_fault(py, plan, &fault, at)),
        }
    }
}

/// A row of a list as a dictionary.
pub fn dictionary<'py>(row: Bound<'py, PyAny>, at: usize) -> PyResult<Bound<'py, PyDict>> {
    let py = row.py();
    match row.cast_into::<PyDict>() {
        Ok(row) => Ok(row),
        Err(error) => {
            let row = error.into_inner();
            if row.cast::<PyMapping>().is_ok() {
                return py.get_type::<PyDict>().call1((row,))?.cast_into().map_err(PyErr::from);
            }
            let class = row.get_type().name()?;
            let message = format!("row {at} is a `{class}`; each row of a list is a dict");
            Err(schema_error(py, &SchemaError(message)))
        }
    }
}
