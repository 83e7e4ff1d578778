//! The columns of a batch as Python holds them: Arrow arrays, buffers, categories and lists of objects.

use crate::arrow::ArrowColumn;
use crate::cells;
use penstock_core::cell::{Cell, Column};
use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};

/// Columns of equal length, in the order in which they were added.
#[pyclass]
#[derive(Default)]
pub struct Columns {
    pub names: Vec<String>,
    pub columns: Vec<Box<dyn Column + Send>>,
    pub rows: Option<usize>,
}

impl Columns {
    fn add(&mut self, name: String, column: Box<dyn Column + Send>) -> PyResult<()> {
        let rows = *self.rows.get_or_insert(column.len());
        if rows != column.len() {
            let is = column.len();
            return Err(PyTypeError::new_err(format!(
                "column `{name}` has {is} rows, the columns before it have {rows}"
            )));
        }
        self.names.push(name);
        self.columns.push(column);
        Ok(())
    }
}

#[pymethods]
impl Columns {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Adds every column of an Arrow stream of record batches (a capsule `arrow_array_stream`).
    fn add_stream(&mut self, capsule: &Bound<'_, PyCapsule>) -> PyResult<()> {
        let (rows, columns) = ArrowColumn::read_table(capsule)?;
        self.rows.get_or_insert(rows);
        columns.into_iter().try_for_each(|(name, column)| self.add(name, Box::new(column)))
    }

    /// Adds a contiguous one-dimensional buffer of numbers or booleans; it is not copied.
    fn add_buffer(&mut self, name: String, buffer: &Bound<'_, PyAny>) -> PyResult<()> {
        let column = buffer_column(buffer)?;
        self.add(name, column)
    }

    /// Adds a column of positions into `levels`; a negative position is missing.
    fn add_codes(
        &mut self,
        name: String,
        codes: Vec<i64>,
        levels: &Bound<'_, PyList>,
    ) -> PyResult<()> {
        let levels = levels.iter().map(|level| owned(&level)).collect::<PyResult<_>>()?;
        self.add(name, Box::new(Codes { codes, levels }))
    }

    /// Adds a list of Python objects. `lexical` texts take the type of their field.
    #[pyo3(signature = (name, values, *, lexical = false))]
    fn add_objects(
        &mut self,
        name: String,
        values: &Bound<'_, PyList>,
        lexical: bool,
    ) -> PyResult<()> {
        let mut objects = Objects { lexical, ..Objects::default() };
        objects.cells.reserve(values.len());
        for value in values {
            objects.push(cells::cell(&value)?);
        }
        self.add(name, Box::new(objects))
    }

    /// Makes the texts of the columns added so far take the type of their field, as in CSV files.
    fn set_lexical(&mut self) {
        let columns = std::mem::take(&mut self.columns);
        let lexical = |column| Box::new(Lexical(column)) as Box<dyn Column + Send>;
        self.columns = columns.into_iter().map(lexical).collect();
    }

    /// Says how many rows there are, for tables without columns.
    fn set_rows(&mut self, rows: usize) {
        self.rows.get_or_insert(rows);
    }
}

/// A cell that owns its text.
enum OwnedCell {
    Cell(Cell<'static>),
    Text(String),
}

fn owned(value: &Bound<'_, PyAny>) -> PyResult<OwnedCell> {
    Ok(own(cells::cell(value)?))
}

fn own(cell: Cell<'_>) -> OwnedCell {
    match cell {
        Cell::Text(text) | Cell::Lexical(text) => OwnedCell::Text(text.to_owned()),
        Cell::Absent => OwnedCell::Cell(Cell::Absent),
        Cell::Missing => OwnedCell::Cell(Cell::Missing),
        Cell::Number(x) => OwnedCell::Cell(Cell::Number(x)),
        Cell::Integer(x) => OwnedCell::Cell(Cell::Integer(x)),
        Cell::HugeInteger => OwnedCell::Cell(Cell::HugeInteger),
        Cell::Boolean(x) => OwnedCell::Cell(Cell::Boolean(x)),
        Cell::Timestamp(x) => OwnedCell::Cell(Cell::Timestamp(x)),
        Cell::Other(kind) => OwnedCell::Cell(Cell::Other(kind)),
    }
}

impl OwnedCell {
    fn borrow(&self) -> Cell<'_> {
        match self {
            OwnedCell::Cell(cell) => *cell,
            OwnedCell::Text(text) => Cell::Text(text),
        }
    }
}

/// Positions into levels.
struct Codes {
    codes: Vec<i64>,
    levels: Vec<OwnedCell>,
}

impl Column for Codes {
    fn len(&self) -> usize {
        self.codes.len()
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        for (cell, code) in cells.iter_mut().zip(&self.codes[start..]) {
            let level = usize::try_from(*code).ok().and_then(|code| self.levels.get(code));
            *cell = level.map_or(Cell::Missing, OwnedCell::borrow);
        }
    }
}

/// A list of objects: texts are copied into one string, because the interpreter is released.
#[derive(Default)]
struct Objects {
    cells: Vec<Object>,
    texts: String,
    lexical: bool,
}

enum Object {
    Cell(Cell<'static>),
    /// Start and end in `texts`.
    Text(usize, usize),
}

impl Objects {
    fn push(&mut self, cell: Cell<'_>) {
        self.cells.push(match own(cell) {
            OwnedCell::Cell(cell) => Object::Cell(cell),
            OwnedCell::Text(text) => {
                let start = self.texts.len();
                self.texts.push_str(&text);
                Object::Text(start, self.texts.len())
            }
        });
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
                Object::Text(start, end) if self.lexical => {
                    Cell::Lexical(&self.texts[*start..*end])
                }
                Object::Text(start, end) => Cell::Text(&self.texts[*start..*end]),
            };
        }
    }
}

/// Texts that take the type of their field.
struct Lexical(Box<dyn Column + Send>);

impl Column for Lexical {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        self.0.read(start, cells);
        for cell in cells {
            if let Cell::Text(text) = cell {
                *cell = Cell::Lexical(text);
            }
        }
    }
}

/// A buffer of numbers, shared with its owner.
struct Numbers<T: Element> {
    buffer: PyBuffer<T>,
}

impl<T: Element> Numbers<T> {
    fn no_doubles(&self) -> Option<&[f64]> {
        None
    }

    fn values(&self) -> &[T] {
        let (start, count) = (self.buffer.buf_ptr().cast::<T>(), self.buffer.item_count());
        if count == 0 {
            return &[];
        }
        // SAFETY: `buffer_column` checked that the buffer is contiguous; PyBuffer checked its type and
        // keeps it exported. As with every numpy call without the interpreter, the caller must not write
        // to the array while it is read.
        unsafe { std::slice::from_raw_parts(start, count) }
    }
}

impl Numbers<f64> {
    fn doubles(&self) -> Option<&[f64]> {
        Some(self.values())
    }
}

macro_rules! buffers {
    ($($type:ty, $cell:expr, $f64s:expr;)*) => {
        $(impl Column for Numbers<$type> {
            fn len(&self) -> usize {
                self.buffer.item_count()
            }

            fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
                for (cell, value) in cells.iter_mut().zip(&self.values()[start..]) {
                    *cell = $cell(*value);
                }
            }

            fn as_f64s(&self) -> Option<&[f64]> {
                $f64s(self)
            }
        })*

        /// The buffer as a column, by the type of its items.
        fn buffer_column(buffer: &Bound<'_, PyAny>) -> PyResult<Box<dyn Column + Send>> {
            $(if let Ok(buffer) = PyBuffer::<$type>::get(buffer) {
                return contiguous(Numbers { buffer });
            })*
            Err(PyTypeError::new_err("the buffer holds neither numbers nor booleans"))
        }
    };
}

buffers! {
    f64, Cell::Number, Numbers::doubles;
    f32, |x| Cell::Number(f64::from(x)), Numbers::no_doubles;
    i64, Cell::Integer, Numbers::no_doubles;
    i32, |x| Cell::Integer(i64::from(x)), Numbers::no_doubles;
    i16, |x| Cell::Integer(i64::from(x)), Numbers::no_doubles;
    i8, |x| Cell::Integer(i64::from(x)), Numbers::no_doubles;
    u64, |x| i64::try_from(x).map_or(Cell::HugeInteger, Cell::Integer), Numbers::no_doubles;
    u32, |x| Cell::Integer(i64::from(x)), Numbers::no_doubles;
    u16, |x| Cell::Integer(i64::from(x)), Numbers::no_doubles;
    u8, |x| Cell::Integer(i64::from(x)), Numbers::no_doubles;
}

fn contiguous<T: Element>(column: Numbers<T>) -> PyResult<Box<dyn Column + Send>>
where
    Numbers<T>: Column + Send + 'static,
{
    if column.buffer.dimensions() != 1 || !column.buffer.is_c_contiguous() {
        return Err(PyTypeError::new_err("the buffer is not contiguous and one-dimensional"));
    }
    Ok(Box::new(column))
}
