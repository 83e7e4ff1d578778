//! Rows of which most elements are 0: registers that hold the others, and the steps that read them.

use super::access::{Access, Visitor};
use super::block::{Block, Step};
use super::bounds::Bounds;
use super::builder::{Builder, Origin};
use super::element::{Register, SparseRegister};
use super::scalar::Scalar;
use crate::error::Code;
use std::sync::Arc;

/// For each row of a block its elements that may be other than 0, by ascending position. It only ever grows.
#[derive(Debug, Default)]
pub struct SparseColumn {
    entries: Vec<(u32, f64)>,
    ends: Vec<usize>,
}

impl SparseColumn {
    pub fn clear(&mut self) {
        self.entries.clear();
        self.ends.clear();
    }

    /// Adds an element to the row that comes after those that have ended.
    #[inline]
    pub fn push(&mut self, at: u32, value: f64) {
        self.entries.push((at, value));
    }

    pub fn end_row(&mut self) {
        self.ends.push(self.entries.len());
    }

    #[inline]
    pub fn row(&self, row: usize) -> &[(u32, f64)] {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(row).copied().unwrap_or(0);
        self.entries.get(start.copied().unwrap_or(0)..end).unwrap_or_default()
    }
}

/// What is known of a sparse row.
pub struct SparseRow {
    pub origin: Origin,
    width: usize,
    bounds: Bounds,
}

impl Builder {
    pub fn sparse_count(&self) -> usize {
        self.sparse.len()
    }

    /// A sparse row; `bounds` hold for each of its elements.
    pub fn new_sparse(&mut self, origin: Origin, width: usize, bounds: Bounds) -> SparseRegister {
        self.sparse.push(SparseRow { origin, width, bounds });
        (self.sparse.len() - 1) as SparseRegister
    }

    /// A sparse row of the same width and from the same inputs.
    pub fn like_sparse(&mut self, source: SparseRegister, bounds: Bounds) -> SparseRegister {
        let SparseRow { origin, width, .. } = &self.sparse[source as usize];
        let (origin, width) = (origin.clone(), *width);
        self.new_sparse(origin, width, bounds)
    }

    pub fn sparse_width(&self, source: SparseRegister) -> usize {
        self.sparse[source as usize].width
    }

    pub fn sparse_bounds(&self, source: SparseRegister) -> Bounds {
        self.sparse[source as usize].bounds
    }

    pub(super) fn gather(&mut self, source: SparseRegister, at: u32) -> Register {
        if let Some(known) = self.gathered.get(&(source, at)) {
            return *known;
        }
        let SparseRow { origin, bounds, .. } = &self.sparse[source as usize];
        let (origin, bounds) = (origin.clone(), *bounds);
        let target = self.new_number(origin);
        let bounds = Bounds { low: bounds.low.min(0.0), high: bounds.high.max(0.0), ..bounds };
        self.narrow(target, bounds);
        self.gathered.insert((source, at), target);
        self.push(Gather { source, at, target });
        target
    }
}

/// One element as a register of numbers, for what reads no sparse rows.
pub struct Gather {
    pub source: SparseRegister,
    pub at: u32,
    pub target: Register,
}

impl Step for Gather {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let entries = block.sparse(self.source).row(row);
            let found = entries.binary_search_by_key(&self.at, |(at, _)| *at);
            let value = found.ok().and_then(|at| entries.get(at)).map_or(0.0, |(_, value)| *value);
            block.number_mut(self.target)[row] = value;
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsSparse(&mut self.source));
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("element {} of a sparse row", self.at)
    }
}

/// What becomes of an element that is not left out.
pub enum Change {
    /// Times or by the number of its position.
    Multiply(Vec<f64>),
    Divide(Vec<f64>),
    /// A function that leaves 0 as it is.
    Apply(Scalar),
}

/// Changes elements one by one.
pub struct ChangeStep {
    pub source: SparseRegister,
    pub target: SparseRegister,
    pub change: Change,
    /// Which positions are read; others are left out.
    pub is_read: Vec<bool>,
    /// Round to f32.
    pub single: bool,
}

impl Step for ChangeStep {
    fn run(&self, block: &mut Block<'_>) {
        let rows = block.rows;
        block.write_sparse(self.target, |column, block| {
            for row in 0..rows {
                for (at, value) in block.sparse(self.source).row(row) {
                    let place = *at as usize;
                    if !self.is_read.get(place).is_some_and(|is_read| *is_read) {
                        continue;
                    }
                    let operand = |operands: &[f64]| operands.get(place).copied().unwrap_or(0.0);
                    let value = match &self.change {
                        Change::Multiply(operands) => value * operand(operands),
                        Change::Divide(operands) => value / operand(operands),
                        Change::Apply(scalar) => scalar.apply(*value),
                    };
                    column.push(*at, if self.single { f64::from(value as f32) } else { value });
                }
                column.end_row();
            }
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsSparse(&mut self.source));
        visit(Access::WritesSparse(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("sparse rows of {} elements, changed one by one", self.is_read.len())
    }

    fn memory(&self) -> usize {
        let operands = match &self.change {
            Change::Multiply(operands) | Change::Divide(operands) => operands.len(),
            Change::Apply(_) => 0,
        };
        operands * size_of::<f64>() + self.is_read.len()
    }
}

/// Refuses rows with numbers that are not allowed.
pub struct CheckStep<F> {
    pub source: SparseRegister,
    /// Which positions are read; others may be anything.
    pub is_read: Vec<bool>,
    pub is_allowed: F,
    pub fields: Arc<[usize]>,
}

impl<F: Fn(f64) -> bool + Send + Sync> Step for CheckStep<F> {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let is_wrong = |(at, value): &&(u32, f64)| {
                self.is_read.get(*at as usize).is_some_and(|is_read| *is_read)
                    && !(self.is_allowed)(*value)
            };
            let wrong = block.sparse(self.source).row(row).iter().find(is_wrong).copied();
            if let Some((_, value)) = wrong {
                let code = if value.is_nan() { Code::Missing } else { Code::NotFinite };
                block.refuse(row, code, &self.fields, value);
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsSparse(&mut self.source));
    }

    fn refuses(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        format!("sparse rows of {} elements checked", self.is_read.len())
    }

    fn memory(&self) -> usize {
        self.is_read.len()
    }
}

#[cfg(test)]
mod checks {
    use super::*;

    #[test]
    fn test_rows_hold_what_was_pushed_before_they_ended() {
        let mut column = SparseColumn::default();
        column.push(3, 1.5);
        column.end_row();
        column.end_row();
        column.push(0, 2.0);
        column.push(7, -1.0);
        column.end_row();
        assert_eq!(column.row(0), [(3, 1.5)]);
        assert_eq!(column.row(1), []);
        assert_eq!(column.row(2), [(0, 2.0), (7, -1.0)]);
        assert_eq!(column.row(3), []);
    }
}
