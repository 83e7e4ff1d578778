//! Python values as cells.

use penstock_core::cell::Cell;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDate, PyDateTime, PyDict, PyFloat, PyInt, PyList, PyString, PyTzInfo};

/// The cell of a Python value; texts are borrowed from it.
pub fn cell<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Cell<'a>> {
    if let Ok(number) = value.cast::<PyFloat>() {
        return Ok(Cell::Number(number.value()));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return text.to_str().map(Cell::Text).or(Ok(Cell::Other("text that is not valid Unicode")));
    }
    if value.is_none() {
        return Ok(Cell::Missing);
    }
    if let Ok(boolean) = value.cast::<PyBool>() {
        return Ok(Cell::Boolean(boolean.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(integer(value));
    }
    unusual(value)
}

/// The Python value of a cell that was sent as JSON; `None` for what no field takes.
pub fn value(py: Python<'_>, cell: Cell<'_>) -> PyResult<Py<PyAny>> {
    Ok(match cell {
        Cell::Number(x) => x.into_pyobject(py)?.into_any().unbind(),
        Cell::Integer(x) => x.into_pyobject(py)?.into_any().unbind(),
        Cell::Boolean(x) => x.into_pyobject(py)?.to_owned().into_any().unbind(),
        Cell::Text(text) => text.into_pyobject(py)?.into_any().unbind(),
        _ => py.None(),
    })
}

fn integer(value: &Bound<'_, PyAny>) -> Cell<'static> {
    value.extract::<i64>().map_or(Cell::HugeInteger, Cell::Integer)
}

/// Values of other libraries, recognized by the names of their types so that none is imported.
fn unusual(value: &Bound<'_, PyAny>) -> PyResult<Cell<'static>> {
    let class = value.get_type();
    let name = class.name()?;
    let name = name.to_str()?;
    Ok(match name {
        "NAType" | "NaTType" => Cell::Missing,
        "bool" | "bool_" => Cell::Boolean(value.is_truthy()?),
        "float16" | "float32" => Cell::Number(value.extract()?),
        "longdouble" => Cell::Other("a number of another precision"),
        "complex" | "complex64" | "complex128" => Cell::Other("a complex number"),
        "Decimal" => decimal(value)?,
        "datetime64" => numpy_time(value)?,
        "list" => Cell::Other("a list"),
        "tuple" => Cell::Other("a tuple"),
        "dict" => Cell::Other("a dict"),
        "bytes" | "bytearray" | "bytes_" | "memoryview" => Cell::Other("bytes"),
        "set" | "frozenset" => Cell::Other("a set"),
        "timedelta" | "timedelta64" | "Timedelta" => Cell::Other("a duration"),
        "time" => Cell::Other("a time of day"),
        "ndarray" => Cell::Other("an array"),
        _ if value.is_instance_of::<PyDateTime>() => timestamp(value)?,
        _ if value.is_instance_of::<PyDate>() => date(value)?,
        _ if value.hasattr("__index__")? => integer(&value.call_method0("__index__")?),
        _ if value.is_instance_of::<PyList>() => Cell::Other("a list"),
        _ if value.is_instance_of::<PyDict>() => Cell::Other("a dict"),
        _ => Cell::Other("an object of a type that no column takes"),
    })
}

/// A decimal with a fraction as the closest number, others as integers.
fn decimal(value: &Bound<'_, PyAny>) -> PyResult<Cell<'static>> {
    if value.call_method0("is_snan")?.is_truthy()? {
        return Ok(Cell::Missing);
    }
    let exponent = value.call_method0("as_tuple")?.getattr("exponent")?;
    match exponent.extract::<i64>() {
        Ok(0..=20) => Ok(integer(&value.call_method0("__int__")?)),
        Ok(21..) => Ok(Cell::HugeInteger),
        // `n` and `F` are the exponents of NaN and of infinities.
        _ => Ok(Cell::Number(value.call_method0("__float__")?.extract()?)),
    }
}

/// Microseconds since 1970 UTC of a numpy datetime64.
fn numpy_time(value: &Bound<'_, PyAny>) -> PyResult<Cell<'static>> {
    let microseconds = value.call_method1("astype", ("datetime64[us]",))?;
    let count: i64 = microseconds.call_method1("astype", ("int64",))?.extract()?;
    Ok(if count == i64::MIN { Cell::Missing } else { Cell::Timestamp(count) })
}

/// Midnight of a date, UTC.
fn date(value: &Bound<'_, PyAny>) -> PyResult<Cell<'static>> {
    let ordinal: i64 = value.call_method0("toordinal")?.extract()?;
    // `date(1970, 1, 1).toordinal()` is 719163.
    Ok(Cell::Timestamp((ordinal - 719_163) * 86_400_000_000))
}

/// Microseconds since 1970 UTC; a time without a zone counts as UTC.
fn timestamp(value: &Bound<'_, PyAny>) -> PyResult<Cell<'static>> {
    let py = value.py();
    let utc = PyTzInfo::utc(py)?;
    let mut time = value.clone();
    if time.getattr("tzinfo")?.is_none() {
        let zone = PyDict::new(py);
        zone.set_item("tzinfo", utc)?;
        time = time.call_method("replace", (), Some(&zone))?;
    }
    let epoch = py.import("datetime")?.getattr("datetime")?;
    let epoch = epoch.call1((1970, 1, 1, 0, 0, 0, 0, utc))?;
    let microsecond = py.import("datetime")?.getattr("timedelta")?.call1((0, 0, 1))?;
    let elapsed = time.sub(epoch)?.floor_div(microsecond)?;
    Ok(Cell::Timestamp(elapsed.extract()?))
}
