//! The module `penstock._core`: the core for Python, and nothing that decides anything.

mod answers;
mod buffers;
mod cells;
mod columns;
mod engine;
mod errors;
mod explainer;
mod json;
mod keys;
mod objects;
mod streams;
mod tables;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::OsString;

/// The zip of an artifact from the bytes of its entries.
#[pyfunction]
fn pack<'py>(
    py: Python<'py>,
    manifest: Vec<u8>,
    tensors: Vec<u8>,
    examples: Vec<u8>,
    card: Vec<u8>,
) -> Bound<'py, PyBytes> {
    let entries =
        penstock_core::archive::Entries { manifest, tensors, examples, card, signature: None };
    PyBytes::new(py, &py.detach(|| penstock_core::archive::write(&entries)))
}

/// Name and version of every operator that the engine knows.
#[pyfunction]
fn operators() -> Vec<(&'static str, u32)> {
    penstock_core::ops::OPERATORS.to_vec()
}

/// Names of the functions of the `map` and `link` operators.
#[pyfunction]
fn functions() -> Vec<&'static str> {
    penstock_core::plan::functions::Function::NAMES.to_vec()
}

/// Runs the gateway until it is told to stop; its exit code. The first argument is the name of the program.
#[pyfunction]
fn serve(py: Python<'_>, arguments: Vec<OsString>) -> i32 {
    py.detach(|| penstock_gateway::run(arguments))
}

/// The help page of the gateway.
#[pyfunction]
fn serve_help() -> String {
    penstock_gateway::settings::Settings::help()
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<engine::Engine>()?;
    module.add_class::<columns::Columns>()?;
    module.add_class::<explainer::Explainer>()?;
    module.add_class::<keys::PrivateKey>()?;
    module.add_class::<keys::PublicKey>()?;
    module.add_class::<tables::Answers>()?;
    module.add_class::<tables::Buffer>()?;
    module.add_function(wrap_pyfunction!(pack, module)?)?;
    module.add_function(wrap_pyfunction!(operators, module)?)?;
    module.add_function(wrap_pyfunction!(functions, module)?)?;
    module.add_function(wrap_pyfunction!(serve, module)?)?;
    module.add_function(wrap_pyfunction!(serve_help, module)?)
}
