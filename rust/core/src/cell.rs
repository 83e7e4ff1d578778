//! One value as a caller sends it, and columns of such values; hosts implement `Column` for what they hold.

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

    /// The values when they are f64 without a validity mask, for the fast path.
    fn as_f64s(&self) -> Option<&[f64]> {
        None
    }
}
