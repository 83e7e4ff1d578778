//! Columns of single values, one after the other, for hosts that read rows of their own kinds.

use penstock_core::cell::{Cell, Column, LARGEST_INTEGER};

/// The values of one column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells<'a>(pub Vec<Cell<'a>>);

impl Column for Cells<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        cells.copy_from_slice(&self.0[start..][..cells.len()]);
    }

    fn read_numbers(&self, start: usize, numbers: &mut [f64]) -> bool {
        numbers.iter_mut().zip(&self.0[start..]).all(|(to, cell)| {
            *to = match *cell {
                Cell::Number(x) => x,
                Cell::Missing => f64::NAN,
                Cell::Integer(x) if x.unsigned_abs() <= LARGEST_INTEGER => x as f64,
                _ => return false,
            };
            true
        })
    }
}
