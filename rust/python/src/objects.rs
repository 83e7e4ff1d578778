//! Columns of Python objects: their values are copied, because the interpreter is released.

use crate::cells;
use penstock_core::cell::{Cell, Column};
use pyo3::prelude::*;
use pyo3::types::PyList;

/// A cell that owns its text.
pub enum OwnedCell {
    Cell(Cell<'static>),
    Text(String),
}

impl OwnedCell {
    fn of(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Text(text) | Cell::Lexical(text) => Self::Text(text.to_owned()),
            Cell::Absent => Self::Cell(Cell::Absent),
            Cell::Missing => Self::Cell(Cell::Missing),
            Cell::Number(x) => Self::Cell(Cell::Number(x)),
            Cell::Integer(x) => Self::Cell(Cell::Integer(x)),
            Cell::HugeInteger => Self::Cell(Cell::HugeInteger),
            Cell::Boolean(x) => Self::Cell(Cell::Boolean(x)),
            Cell::Timestamp(x) => Self::Cell(Cell::Timestamp(x)),
            Cell::Other(kind) => Self::Cell(Cell::Other(kind)),
        }
    }

    /// The cells of a list of Python objects.
    pub fn list(values: &Bound<'_, PyList>) -> PyResult<Vec<Self>> {
        values.iter().map(|value| Ok(Self::of(cells::cell(&value)?))).collect()
    }

    pub fn borrow(&self) -> Cell<'_> {
        match self {
            Self::Cell(cell) => *cell,
            Self::Text(text) => Cell::Text(text),
        }
    }
}

/// A list of objects; all texts share one string.
#[derive(Default)]
pub struct Objects {
    cells: Vec<Object>,
    texts: String,
}

enum Object {
    Cell(Cell<'static>),
    /// Start and end in `texts`.
    Text(usize, usize),
}

impl Objects {
    pub fn new(values: &Bound<'_, PyList>) -> PyResult<Self> {
        let mut objects = Self::default();
        objects.cells.reserve(values.len());
        for value in values {
            match cells::cell(&value)? {
                Cell::Text(text) => {
                    let start = objects.texts.len();
                    objects.texts.push_str(text);
                    objects.cells.push(Object::Text(start, objects.texts.len()));
                }
                cell => {
                    if let OwnedCell::Cell(cell) = OwnedCell::of(cell) {
                        objects.cells.push(Object::Cell(cell));
                    }
                }
            }
        }
        Ok(objects)
    }
}

impl Column for Objects {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        for (cell, object) in cells.iter_mut().zip(&self.cells[start..]) {
            *cell = match object {
                Object::Cell(cell) => *cell,
                Object::Text(start, end) => Cell::Text(&self.texts[*start..*end]),
            };
        }
    }
}
