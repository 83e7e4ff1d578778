//! From what a caller sends to registers: types, policies, ranges and levels of the input fields.

mod declared;
mod field;
mod levels;
mod lexical;
mod messages;
mod names;
mod settling;
mod timestamp;

pub use field::{FieldPlan, Loaded, Watch};
pub use lexical::parse as parse_text;
pub use messages::{fault_message, number};
pub use timestamp::instant;

use crate::cell::{Cell, Column};
use crate::error::{Code, Fault, Warning};
use crate::plan::block::{Block, BLOCK_ROWS};
use crate::plan::coding::Otherwise;
use crate::plan::element::NO_CODE;
use crate::plan::Plan;
use field::Refusal;
use levels::Mapped;

/// The columns of a batch in the order of the fields; `None` where the caller sent no such column.
pub struct Table<'a> {
    pub columns: Vec<Option<&'a dyn Column>>,
    pub rows: usize,
    mapped: Vec<Option<Mapped>>,
}

impl Plan {
    /// Reads one row, `cells` in the order of the fields, into a block of one row.
    pub(crate) fn load_row(
        &self,
        cells: &[Cell<'_>],
        block: &mut Block<'_>,
        warnings: &mut Option<Vec<Warning>>,
    ) {
        for (at, field) in self.fields.iter().enumerate() {
            let cell = cells.get(at).copied().unwrap_or(Cell::Absent);
            self.reset_texts(field, block);
            let is_done = match (field.number, field.takes_number(cell)) {
                (Some(register), Some(number)) => {
                    block.number_mut(register)[0] = number;
                    true
                }
                (None, None) if warnings.is_none() => {
                    self.load_texts(field, std::slice::from_ref(&cell), block)
                }
                (_, number) => number.is_some(),
            };
            if !is_done {
                self.load_cell(at, field, cell, (0, 0), block, warnings);
            }
        }
    }

    /// Reads rows `start..start + block.rows` of a table.
    pub(crate) fn load_block(
        &self,
        table: &Table<'_>,
        start: usize,
        block: &mut Block<'_>,
        warnings: &mut Option<Vec<Warning>>,
    ) {
        let mut cells = [Cell::Absent; BLOCK_ROWS];
        let fields = self.fields.iter().enumerate().filter(|(_, field)| !field.is_ignored());
        for (at, field) in fields {
            let column = table.columns.get(at).copied().flatten();
            self.reset_texts(field, block);
            if let Some(column) = column {
                let mapped = table.mapped.get(at).and_then(Option::as_ref);
                let is_done = match (mapped, column.levels()) {
                    (Some(mapped), Some(levels)) => {
                        mapped.load(self, field, levels, (start, warnings.is_some()), block)
                    }
                    _ => load_numbers(field, column, (start, warnings.is_some()), block),
                };
                if is_done {
                    continue;
                }
            }
            let cells = &mut cells[..block.rows];
            match column {
                Some(column) => column.read(start, cells),
                None => cells.fill(Cell::Absent),
            }
            if warnings.is_some() || !self.load_texts(field, cells, block) {
                for (row, cell) in cells.iter().enumerate() {
                    self.load_cell(at, field, *cell, (row, start), block, warnings);
                }
            }
        }
    }

    /// Codes of plain texts; `false` where a cell needs a closer look.
    fn load_texts(&self, field: &FieldPlan, cells: &[Cell<'_>], block: &mut Block<'_>) -> bool {
        let is_loaded = field.takes_texts(cells, &self.text_codings)
            && field.codings.iter().all(|coding| {
                let coding = &self.text_codings[*coding];
                !coding.is_read
                    || block.code_mut(coding.register).iter_mut().zip(cells).all(|(to, cell)| {
                        match coding.code(*cell) {
                            Otherwise::Code(code) => {
                                *to = code;
                                true
                            }
                            Otherwise::Refuse => false,
                        }
                    })
            });
        if is_loaded {
            for (row, cell) in cells.iter().enumerate() {
                let text = if let Cell::Text(text) = cell { Some(*text) } else { None };
                self.set_texts(field, row, text, block);
            }
        }
        is_loaded
    }

    /// The texts of a field that steps read, of no row yet.
    fn reset_texts(&self, field: &FieldPlan, block: &mut Block<'_>) {
        let rows = block.rows;
        for at in &field.texts {
            let input = &self.text_inputs[*at];
            if input.is_read {
                block.text_mut(input.register).reset(rows);
            }
        }
    }

    fn set_texts(&self, field: &FieldPlan, row: usize, text: Option<&str>, block: &mut Block<'_>) {
        for at in &field.texts {
            let input = &self.text_inputs[*at];
            if input.is_read {
                block.text_mut(input.register).set(row, input.text.resolve(text));
            }
        }
    }

    fn load_cell(
        &self,
        at: usize,
        field: &FieldPlan,
        cell: Cell<'_>,
        (row, start): (usize, usize),
        block: &mut Block<'_>,
        warnings: &mut Option<Vec<Warning>>,
    ) {
        let mut watch = Watch { field: at, row: row + start, warnings };
        let loaded = field.check(cell, &self.text_codings, &mut watch);
        let loaded = loaded.unwrap_or_else(|refusal| {
            refuse(block, row, at, refusal);
            Loaded::Missing
        });
        if let Some(register) = field.number {
            block.number_mut(register)[row] = match loaded {
                Loaded::Number(x) => x,
                _ => f64::NAN,
            };
        }
        if let Loaded::Text(_) | Loaded::Missing = loaded {
            let text = if let Loaded::Text(text) = loaded { Some(text) } else { None };
            self.set_texts(field, row, text, block);
        }
        for coding in &field.codings {
            let coding = &self.text_codings[*coding];
            if !coding.is_read {
                continue;
            }
            let (cell, code) = match loaded {
                Loaded::Text(text) => (Cell::Text(text), Code::UnseenLevel),
                _ => (Cell::Missing, Code::Missing),
            };
            block.code_mut(coding.register)[row] = match coding.code(cell) {
                Otherwise::Code(code) => code,
                Otherwise::Refuse => {
                    refuse(block, row, at, Refusal { code, value: loaded.to_string() });
                    NO_CODE
                }
            };
        }
    }
}

/// Reads numbers; `false` where a cell needs a closer look.
fn load_numbers(
    field: &FieldPlan,
    column: &dyn Column,
    (start, with_warnings): (usize, bool),
    block: &mut Block<'_>,
) -> bool {
    let mut unread = [0.0; BLOCK_ROWS];
    let rows = block.rows;
    let numbers = match field.number {
        Some(register) => block.number_mut(register),
        None => &mut unread[..rows],
    };
    column.read_numbers(start, numbers)
        && (field.takes_numbers(numbers) || (!with_warnings && field.settle(numbers)))
}

#[cold]
fn refuse(block: &mut Block<'_>, row: usize, field: usize, refusal: Refusal) {
    let Refusal { code, value } = refusal;
    block.refuse_with(row, Fault { code, fields: vec![field], value });
}
