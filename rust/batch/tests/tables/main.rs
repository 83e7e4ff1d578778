//! Tests of tables: what arrays and CSV mean to the core, and what becomes of its answers.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "clippy allows it in tests, but not in the functions that they share"
)]

mod answers;
mod arrow;
mod columns;
mod csv;
mod dictionaries;
mod explanations;

use penstock_core::cell::{Cell, Column};

/// All cells of a column, read from each start on.
fn cells(column: &(dyn Column + Send)) -> Vec<Cell<'_>> {
    let mut all = vec![Cell::Absent; column.len()];
    column.read(0, &mut all);
    for start in 0..all.len() {
        let mut rest = vec![Cell::Absent; all.len() - start];
        column.read(start, &mut rest);
        assert_eq!(rest, all[start..], "from row {start}");
    }
    all
}

/// All numbers of a column; `None` where it says that they are no plain numbers.
fn numbers(column: &(dyn Column + Send)) -> Option<Vec<f64>> {
    let mut numbers = vec![0.0; column.len()];
    column.read_numbers(0, &mut numbers).then_some(numbers)
}
