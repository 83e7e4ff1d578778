//! Keys for Python: what signs artifacts, and what checks signatures.

use crate::errors::{artifact_error, key_error};
use penstock_core::keys;
use penstock_core::signature;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Checks signatures.
#[pyclass(frozen)]
pub struct PublicKey(pub keys::PublicKey);

#[pymethods]
impl PublicKey {
    /// The key in the bytes of a PEM file.
    #[new]
    fn new(py: Python<'_>, file: &[u8]) -> PyResult<Self> {
        keys::PublicKey::from_pem(file).map(Self).map_err(|error| key_error(py, &error))
    }

    #[getter]
    fn id(&self) -> &str {
        self.0.id()
    }

    fn to_pem(&self, py: Python<'_>) -> PyResult<String> {
        self.0.to_pem().map_err(|error| key_error(py, &error))
    }
}

/// Signs.
#[pyclass(frozen)]
pub struct PrivateKey(keys::PrivateKey);

#[pymethods]
impl PrivateKey {
    /// The key in the bytes of a PEM file.
    #[new]
    fn new(py: Python<'_>, file: &[u8]) -> PyResult<Self> {
        keys::PrivateKey::from_pem(file).map(Self).map_err(|error| key_error(py, &error))
    }

    /// The key of 32 random bytes.
    #[staticmethod]
    fn from_seed(seed: [u8; 32]) -> Self {
        Self(keys::PrivateKey::from_seed(&seed))
    }

    fn public(&self) -> PublicKey {
        PublicKey(self.0.public())
    }

    fn to_pem(&self, py: Python<'_>) -> PyResult<String> {
        self.0.to_pem().map_err(|error| key_error(py, &error))
    }

    /// The bytes of an artifact with the signature of this key added.
    fn sign<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let signed = py.detach(|| signature::sign(data, &self.0));
        signed.map(|data| PyBytes::new(py, &data)).map_err(|error| artifact_error(py, &error))
    }
}
