//! The rows that are being predicted: registers of numbers and codes, and the steps that fill them.

use super::access::Visitor;
use super::element::{CodeRegister, Register, SparseRegister, TextRegister};
use super::sparse::SparseColumn;
use super::terms::TermRoom;
use super::text_column::TextColumn;
use crate::error::{Code, Fault};

/// Rows that a batch takes at a time, so that all registers stay in the fast caches.
pub const BLOCK_ROWS: usize = 256;

/// A value for each row of a block, in whole lines of the caches.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub struct Lane<T>(pub [T; BLOCK_ROWS]);

impl<T> Lane<T> {
    /// All values, lane after lane.
    pub fn flatten(lanes: &[Self]) -> &[T] {
        const { assert!(size_of::<Self>() == BLOCK_ROWS * size_of::<T>()) };
        // SAFETY: a lane is its values and nothing more, as asserted.
        unsafe { std::slice::from_raw_parts(lanes.as_ptr().cast(), lanes.len() * BLOCK_ROWS) }
    }
}

/// Memory for predictions, reused from row to row; one per thread.
#[derive(Default)]
pub struct Scratch {
    pub(crate) numbers: Vec<f64>,
    pub(crate) codes: Vec<u32>,
    pub(crate) texts: Vec<TextColumn>,
    pub(crate) sparse: Vec<SparseColumn>,
    pub(crate) faults: Vec<(usize, Fault)>,
    pub(crate) workspace: Workspace,
}

/// Room for steps that need more than registers. It only ever grows.
#[derive(Default)]
pub struct Workspace {
    pub ranks8: Vec<u8>,
    pub ranks16: Vec<u16>,
    pub ranks32: Vec<u32>,
    pub lanes8: Vec<Lane<u8>>,
    pub lanes16: Vec<Lane<u16>>,
    pub lanes32: Vec<Lane<u32>>,
    pub bytes: Vec<Lane<u8>>,
    pub indices: Vec<u32>,
    pub doubles: Vec<f64>,
    pub singles: Vec<f32>,
    pub terms: TermRoom,
}

/// Numbers of registers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub numbers: usize,
    pub codes: usize,
    pub texts: usize,
    pub sparse: usize,
}

/// A view of the scratch for `rows` rows; register `r` of row `i` is at `r * rows + i`.
pub struct Block<'a> {
    pub rows: usize,
    numbers: &'a mut [f64],
    codes: &'a mut [u32],
    texts: &'a mut [TextColumn],
    sparse: &'a mut [SparseColumn],
    faults: &'a mut Vec<(usize, Fault)>,
    pub workspace: &'a mut Workspace,
}

impl Scratch {
    /// A block of `rows` rows with room for these registers. Register contents are unspecified.
    pub(crate) fn block(&mut self, rows: usize, counts: Counts) -> Block<'_> {
        let Counts { numbers, codes, texts, sparse } = counts;
        let (numbers, codes) = (numbers * rows, codes * rows);
        if self.texts.len() < texts {
            self.texts.resize_with(texts, TextColumn::default);
        }
        if self.sparse.len() < sparse {
            self.sparse.resize_with(sparse, SparseColumn::default);
        }
        if self.numbers.len() < numbers {
            self.numbers.resize(numbers, 0.0);
        }
        if self.codes.len() < codes {
            self.codes.resize(codes, 0);
        }
        self.faults.clear();
        Block {
            rows,
            numbers: &mut self.numbers[..numbers],
            codes: &mut self.codes[..codes],
            texts: &mut self.texts[..texts],
            sparse: &mut self.sparse[..sparse],
            faults: &mut self.faults,
            workspace: &mut self.workspace,
        }
    }
}

impl Block<'_> {
    pub fn number(&self, register: Register) -> &[f64] {
        let start = register as usize * self.rows;
        &self.numbers[start..start + self.rows]
    }

    pub fn number_mut(&mut self, register: Register) -> &mut [f64] {
        let start = register as usize * self.rows;
        &mut self.numbers[start..start + self.rows]
    }

    pub fn code(&self, register: CodeRegister) -> &[u32] {
        let start = register as usize * self.rows;
        &self.codes[start..start + self.rows]
    }

    pub fn code_mut(&mut self, register: CodeRegister) -> &mut [u32] {
        let start = register as usize * self.rows;
        &mut self.codes[start..start + self.rows]
    }

    pub fn text(&self, register: TextRegister, row: usize) -> Option<&str> {
        self.texts[register as usize].get(row)
    }

    pub fn text_mut(&mut self, register: TextRegister) -> &mut TextColumn {
        &mut self.texts[register as usize]
    }

    /// Writes a column of texts, which the function is given with room for all rows, while others are read.
    pub fn write_text(
        &mut self,
        register: TextRegister,
        write: impl FnOnce(&mut TextColumn, &Self),
    ) {
        let mut column = std::mem::take(self.text_mut(register));
        column.reset(self.rows);
        write(&mut column, self);
        *self.text_mut(register) = column;
    }

    pub fn sparse(&self, register: SparseRegister) -> &SparseColumn {
        &self.sparse[register as usize]
    }

    /// Writes sparse rows, which the function is given empty, while others are read.
    pub fn write_sparse(
        &mut self,
        register: SparseRegister,
        write: impl FnOnce(&mut SparseColumn, &Self),
    ) {
        let mut column = std::mem::take(&mut self.sparse[register as usize]);
        column.clear();
        write(&mut column, self);
        self.sparse[register as usize] = column;
    }

    /// A register to read and a later one to write.
    pub fn number_pair(&mut self, source: Register, target: Register) -> (&[f64], &mut [f64]) {
        debug_assert!(source < target);
        let (before, after) = self.numbers.split_at_mut(target as usize * self.rows);
        let start = source as usize * self.rows;
        (&before[start..start + self.rows], &mut after[..self.rows])
    }

    /// Everything at once, for steps that read numbers while they write into the workspace.
    pub fn parts(&mut self) -> (&mut [f64], &mut [u32], &mut Workspace) {
        (self.numbers, self.codes, self.workspace)
    }

    /// Refuses a row. The first reason that a row is given is the one that is reported.
    #[cold]
    pub fn refuse(&mut self, row: usize, code: Code, fields: &[usize], value: f64) {
        if !self.faults.iter().any(|(other, _)| *other == row) {
            self.faults
                .push((row, Fault { code, fields: fields.to_vec(), value: value.to_string() }));
        }
    }

    #[cold]
    pub(crate) fn refuse_with(&mut self, row: usize, fault: Fault) {
        if !self.faults.iter().any(|(other, _)| *other == row) {
            self.faults.push((row, fault));
        }
    }
}

/// A part of a plan that reads registers and writes later ones. It cannot fail, but it can refuse rows.
pub trait Step: Send + Sync {
    fn run(&self, block: &mut Block<'_>);

    /// Shows every register that the step reads or writes; the visitor may rename them.
    fn registers(&mut self, visit: &mut Visitor<'_>);

    /// Whether the step refuses rows, so that it runs even if nobody reads what it writes.
    fn refuses(&self) -> bool {
        false
    }

    /// One line for people: what the step does and which kernel it got.
    fn describe(&self) -> String;

    /// Bytes that the step keeps in memory.
    fn memory(&self) -> usize {
        0
    }
}
