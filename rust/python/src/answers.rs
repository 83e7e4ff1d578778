//! Predictions of rows as dictionaries, from objects that are built once per model.

use penstock_core::cell::Cell;
use penstock_core::error::Warning;
use penstock_core::manifest::OutputKind;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use penstock_core::predict::Answer;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde_json::Value;

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

    /// Class labels, keys or names of an output.
    pub fn labels(&self, output: usize) -> &[Py<PyAny>] {
        &self.outputs[output].labels
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
pub fn python(py: Python<'_>, value: &Value) -> PyResult<Py<PyAny>> {
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
