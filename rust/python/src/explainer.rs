//! Explanations for Python: what each input brings to the raw score of a row.

use crate::answers::python;
use crate::cells::value;
use crate::columns::Columns;
use crate::engine::{dictionary, Engine};
use crate::errors::{data_error, no_method, raise_fault, schema_error};
use crate::json;
use crate::tables::Answers;
use penstock_batch::parallel::{self, Wish};
use penstock_core::cell::Cell;
use penstock_core::error::Warning;
use penstock_core::explain::{self, ExplainScratch, Explanation};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use std::cell::RefCell;

thread_local! {
    static SCRATCH: RefCell<ExplainScratch> = RefCell::default();
}

/// Explains the rows of a model; immutable, so that any number of threads can use it at once.
#[pyclass(frozen)]
pub struct Explainer {
    engine: Py<Engine>,
    explainer: explain::Explainer,
    /// Names of the inputs that are credited.
    fields: Vec<Py<PyString>>,
    /// Keys of several raw scores.
    names: Vec<Py<PyAny>>,
}

/// How one row is answered.
#[derive(Clone, Copy)]
struct Asked {
    /// Its position in a list.
    at: Option<usize>,
    top: Option<usize>,
    return_errors: bool,
    warnings: bool,
}

#[pymethods]
impl Explainer {
    /// The explanation of one row; with `return_errors`, a refused row is answered by its error.
    #[pyo3(signature = (row, *, top = None, return_errors = false, warnings = false))]
    fn explain_row<'py>(
        &self,
        row: &Bound<'py, PyDict>,
        top: Option<usize>,
        return_errors: bool,
        warnings: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.answer(row, Asked { at: None, top, return_errors, warnings })
    }

    /// The explanations of a list of rows; with `return_errors`, a refused row is answered by its error.
    #[pyo3(signature = (rows, *, top = None, return_errors = false, warnings = false))]
    fn explain_rows<'py>(
        &self,
        rows: &Bound<'py, PyList>,
        top: Option<usize>,
        return_errors: bool,
        warnings: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let answers = PyList::empty(rows.py());
        for (at, row) in rows.iter().enumerate() {
            let row = dictionary(row, at)?;
            let asked = Asked { at: Some(at), top, return_errors, warnings };
            answers.append(self.answer(&row, asked)?)?;
        }
        Ok(answers)
    }

    /// The explanation of one row that is written as a JSON object.
    #[pyo3(signature = (text, *, top = None))]
    fn explain_json<'py>(
        &self,
        py: Python<'py>,
        text: &str,
        top: Option<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let plan = self.explainer.plan();
        let rows = json::read(py, plan, text)?;
        let cells: Vec<Cell<'_>> = rows.cells(0).collect();
        let value = |field: usize| value(py, cells[field]);
        let asked = Asked { at: None, top, return_errors: false, warnings: false };
        self.run(py, &cells, value, asked)
    }

    /// The explanations of a table.
    #[pyo3(signature = (columns, *, top = None, threads, warnings = false))]
    fn explain_table(
        &self,
        py: Python<'_>,
        columns: &Bound<'_, Columns>,
        top: Option<usize>,
        threads: usize,
        warnings: bool,
    ) -> PyResult<Answers> {
        let (columns, top, explainer) = (columns.borrow(), top.unwrap_or(0), &self.explainer);
        let (columns, wish) = (&columns.0, Wish { threads, warnings });
        let explain = || {
            let table = columns.table(explainer.plan())?;
            parallel::explain(explainer, &table, top, wish)
        };
        let answers = py.detach(explain).map_err(|error| schema_error(py, &error))?;
        Ok(self.engine.get().answers(answers))
    }
}

impl Explainer {
    /// What explains the rows of the engine; `data` are the bytes that it was opened with.
    pub fn open(py: Python<'_>, engine: Py<Engine>, data: &[u8]) -> PyResult<Self> {
        let explainer = py.detach(|| explain::Explainer::open(data));
        let explainer = explainer.map_err(|error| no_method(py, &error))?;
        let name = |at: &usize| &explainer.plan().fields[*at].name;
        let fields = explainer.fields.iter().map(|at| PyString::intern(py, name(at)).unbind());
        let names = explainer.names.iter().map(|name| python(py, name));
        let (fields, names) = (fields.collect(), names.collect::<PyResult<_>>()?);
        Ok(Self { engine, explainer, fields, names })
    }

    fn answer<'py>(&self, row: &Bound<'py, PyDict>, asked: Asked) -> PyResult<Bound<'py, PyAny>> {
        let py = row.py();
        self.engine.get().read(row, asked.at, asked.return_errors, |cells, values| {
            let value = |field: usize| {
                Ok(values[field].as_ref().map_or_else(|| py.None(), |value| value.clone().unbind()))
            };
            self.run(py, cells, value, asked)
        })
    }

    fn run<'py>(
        &self,
        py: Python<'py>,
        cells: &[Cell<'_>],
        value: impl Fn(usize) -> PyResult<Py<PyAny>>,
        asked: Asked,
    ) -> PyResult<Bound<'py, PyAny>> {
        let plan = self.explainer.plan();
        let mut warnings: Option<Vec<Warning>> = asked.warnings.then(Vec::new);
        // Taken, not borrowed: making the answer may run a finalizer that explains as well.
        let mut scratch = SCRATCH.take();
        let result = self.explainer.explain_row(cells, &mut scratch, &mut warnings);
        let answer = result.map(|explanation| self.dictionary(py, explanation, value, asked.top));
        SCRATCH.set(scratch);
        match answer {
            Ok(answer) => {
                let answer = answer?;
                if let Some(warnings) = warnings {
                    answer.set_item("warnings", self.engine.get().warnings(py, &warnings)?)?;
                }
                Ok(answer.into_any())
            }
            Err(fault) if asked.return_errors => data_error(py, plan, &fault, asked.at),
            Err(fault) => Err(raise_fault(py, plan, &fault, asked.at)),
        }
    }

    fn dictionary<'py>(
        &self,
        py: Python<'py>,
        explanation: Explanation<'_>,
        value: impl Fn(usize) -> PyResult<Py<PyAny>>,
        top: Option<usize>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let answer = PyDict::new(py);
        answer.set_item("base", self.each(py, |output| number(py, explanation.base[output]))?)?;
        let contributions = |output: usize| {
            let contributions = PyDict::new(py);
            for (at, field) in self.fields.iter().enumerate() {
                contributions.set_item(field, explanation.contributions(output, at)[0])?;
            }
            Ok(contributions.into_any())
        };
        answer.set_item("contributions", self.each(py, contributions)?)?;
        answer.set_item("raw", self.each(py, |output| number(py, explanation.raw(output, 0)))?)?;
        let Some(top) = top else { return Ok(answer) };
        let reasons = |output: usize| {
            let (reasons, mut found) = (PyList::empty(py), Vec::new());
            explanation.top(output, 0, top, &mut found);
            for (field, contribution) in found {
                let reason = PyDict::new(py);
                reason.set_item("input", &self.fields[field])?;
                reason.set_item("value", value(self.explainer.fields[field])?)?;
                reason.set_item("contribution", contribution)?;
                reasons.append(reason)?;
            }
            Ok(reasons.into_any())
        };
        answer.set_item("reasons", self.each(py, reasons)?)?;
        Ok(answer)
    }

    /// Something for the raw score, or by name for each of several.
    fn each<'py>(
        &self,
        py: Python<'py>,
        of: impl Fn(usize) -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if self.names.is_empty() {
            return of(0);
        }
        let all = PyDict::new(py);
        for (output, name) in self.names.iter().enumerate() {
            all.set_item(name, of(output)?)?;
        }
        Ok(all.into_any())
    }
}

fn number(py: Python<'_>, x: f64) -> PyResult<Bound<'_, PyAny>> {
    Ok(x.into_pyobject(py)?.into_any())
}
