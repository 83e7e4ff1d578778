//! One value as a caller sends it, and columns of such values; hosts implement `Column` for what they hold.

/// The largest integer below which every integer has an f64 of its own.
pub const LARGEST_INTEGER: u64 = 1 << 53;

/// One value of one row before any check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// The caller did not send the column.
    Absent,
    Missing,
    Number(f64),
    Integer(i64),
    /// An integer that does not fit `i64`.
    HugeInteger,
    Boolean(bool),
    Text(&'a str),
    /// Microseconds since 1970-01-01 UTC.
    Timestamp(i64),
    /// A text whose type is that of the field, as in a CSV file.
    Lexical(&'a str),
    /// A value of a kind that no field takes; the text names the kind, as in "a list".
    Other(&'static str),
}

/// A column of a batch.
pub trait Column: Sync {
    /// Number of rows.
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the cells of rows `start..start + cells.len()`.
    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]);

    /// The same for numbers, missing ones as NaN; `false` if a cell may be anything but missing, a number, or an
    /// integer that an f64 holds.
    fn read_numbers(&self, start: usize, numbers: &mut [f64]) -> bool {
        let _ = (start, numbers);
        false
    }

    /// The levels, if each row is a position among them.
    fn levels(&self) -> Option<&dyn Levels> {
        None
    }
}

/// A column whose values are few and come again and again.
pub trait Levels {
    /// Number of levels.
    fn count(&self) -> usize;

    fn level(&self, at: usize) -> Cell<'_>;

    /// Writes the positions of the levels of rows `start..start + positions.len()`; any that is no level is missing.
    fn positions(&self, start: usize, positions: &mut [u32]);
}
