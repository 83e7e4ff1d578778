//! Columns that share memory with their owner: buffers of numbers, booleans, times and category codes.

use crate::objects::OwnedCell;
use penstock_core::cell::{Cell, Column, Levels, LARGEST_INTEGER};
use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// A numpy `NaT`.
const NOT_A_TIME: i64 = i64::MIN;

/// What the items of a buffer are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Number,
    /// One byte each, 0 or 1.
    Boolean,
    /// Microseconds since 1970 UTC, 64 bits each.
    Timestamp,
}

impl Kind {
    pub fn parse(name: &str) -> PyResult<Self> {
        match name {
            "number" => Ok(Self::Number),
            "boolean" => Ok(Self::Boolean),
            "timestamp" => Ok(Self::Timestamp),
            _ => Err(PyTypeError::new_err(format!("there are no buffers of kind `{name}`"))),
        }
    }
}

/// The items of a contiguous one-dimensional buffer.
struct Items<T: Element> {
    buffer: PyBuffer<T>,
}

impl<T: Element> Items<T> {
    fn get(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let buffer = PyBuffer::<T>::get(object)?;
        if buffer.dimensions() != 1 || !buffer.is_c_contiguous() {
            return Err(PyTypeError::new_err("the buffer is not contiguous and one-dimensional"));
        }
        Ok(Self { buffer })
    }

    fn values(&self) -> &[T] {
        let (start, count) = (self.buffer.buf_ptr().cast::<T>(), self.buffer.item_count());
        if count == 0 {
            return &[];
        }
        // SAFETY: `get` checked that the buffer is contiguous; PyBuffer checked its type and keeps it
        // exported. As with every numpy call without the interpreter, the caller must not write to the
        // array while it is read.
        unsafe { std::slice::from_raw_parts(start, count) }
    }
}

/// A type of items that stand for numbers, codes or times.
pub trait Item: Element + Sync + Send {
    fn cell(self) -> Cell<'static>;

    /// The position that a code stands for; `None` for one below zero.
    fn position(self) -> Option<usize> {
        match self.cell() {
            Cell::Integer(code) => usize::try_from(code).ok(),
            _ => None,
        }
    }

    /// The number, if an f64 holds it.
    fn number(self) -> Option<f64>;
}

impl Item for f64 {
    fn cell(self) -> Cell<'static> {
        Cell::Number(self)
    }

    fn number(self) -> Option<f64> {
        Some(self)
    }
}

impl Item for f32 {
    fn cell(self) -> Cell<'static> {
        Cell::Number(f64::from(self))
    }

    fn number(self) -> Option<f64> {
        Some(f64::from(self))
    }
}

macro_rules! integers {
    ($($type:ty),*) => {
        $(impl Item for $type {
            fn cell(self) -> Cell<'static> {
                i64::try_from(self).map_or(Cell::HugeInteger, Cell::Integer)
            }

            fn number(self) -> Option<f64> {
                let integer = i64::try_from(self).ok()?;
                (integer.unsigned_abs() <= LARGEST_INTEGER).then_some(integer as f64)
            }
        })*
    };
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

/// Numbers with an optional mask, where other than 0 means missing.
struct Numbers<T: Item> {
    items: Items<T>,
    missing: Option<Items<u8>>,
    kind: Kind,
}

impl<T: Item> Numbers<T> {
    fn cell(&self, value: T) -> Cell<'static> {
        match (self.kind, value.cell()) {
            (Kind::Boolean, Cell::Integer(x)) => Cell::Boolean(x != 0),
            (Kind::Timestamp, Cell::Integer(NOT_A_TIME)) => Cell::Missing,
            (Kind::Timestamp, Cell::Integer(x)) => Cell::Timestamp(x),
            (_, cell) => cell,
        }
    }
}

impl<T: Item> Column for Numbers<T> {
    fn len(&self) -> usize {
        self.items.values().len()
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        for (cell, value) in cells.iter_mut().zip(&self.items.values()[start..]) {
            *cell = self.cell(*value);
        }
        if let Some(missing) = &self.missing {
            for (cell, missing) in cells.iter_mut().zip(&missing.values()[start..]) {
                if *missing != 0 {
                    *cell = Cell::Missing;
                }
            }
        }
    }

    fn read_numbers(&self, start: usize, numbers: &mut [f64]) -> bool {
        let mut holds = self.kind == Kind::Number;
        for (to, value) in numbers.iter_mut().zip(&self.items.values()[start..]) {
            let number = value.number();
            holds &= number.is_some();
            *to = number.unwrap_or(f64::NAN);
        }
        if let Some(missing) = &self.missing {
            for (to, missing) in numbers.iter_mut().zip(&missing.values()[start..]) {
                if *missing != 0 {
                    *to = f64::NAN;
                }
            }
        }
        holds
    }
}

/// Positions into levels; a negative position is missing.
struct Codes<T: Item> {
    codes: Items<T>,
    levels: Vec<OwnedCell>,
}

impl<T: Item> Column for Codes<T> {
    fn len(&self) -> usize {
        self.codes.values().len()
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        for (cell, code) in cells.iter_mut().zip(&self.codes.values()[start..]) {
            *cell = self.level(code.position().unwrap_or(usize::MAX));
        }
    }

    fn levels(&self) -> Option<&dyn Levels> {
        (self.levels.len() < u32::MAX as usize).then_some(self)
    }
}

impl<T: Item> Levels for Codes<T> {
    fn count(&self) -> usize {
        self.levels.len()
    }

    fn level(&self, at: usize) -> Cell<'_> {
        self.levels.get(at).map_or(Cell::Missing, OwnedCell::borrow)
    }

    fn positions(&self, start: usize, positions: &mut [u32]) {
        for (position, code) in positions.iter_mut().zip(&self.codes.values()[start..]) {
            let at = code.position().and_then(|at| u32::try_from(at).ok());
            *position = at.unwrap_or(u32::MAX);
        }
    }
}

/// Calls `$make::<T>` with the first of the types that the items of the buffer have.
macro_rules! by_type {
    ($buffer:expr, $make:expr; $($type:ty),*) => {
        $(if PyBuffer::<$type>::get($buffer).is_ok() {
            let items = Items::<$type>::get($buffer)?;
            return Ok(Box::new($make(items)));
        })*
    };
}

/// A buffer as a column, by the type of its items.
pub fn numbers(
    buffer: &Bound<'_, PyAny>,
    kind: Kind,
    missing: Option<&Bound<'_, PyAny>>,
) -> PyResult<Box<dyn Column + Send>> {
    let missing = missing.map(Items::<u8>::get).transpose()?;
    by_type!(buffer, |items| Numbers { items, missing, kind };
        f64, f32, i64, i32, i16, i8, u64, u32, u16, u8);
    Err(PyTypeError::new_err("the buffer holds no numbers"))
}

/// A buffer of positions into levels as a column.
pub fn codes(
    buffer: &Bound<'_, PyAny>,
    levels: Vec<OwnedCell>,
) -> PyResult<Box<dyn Column + Send>> {
    by_type!(buffer, |codes| Codes { codes, levels }; i8, i16, i32, i64);
    Err(PyTypeError::new_err("the buffer holds no codes"))
}
