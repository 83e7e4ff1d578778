//! Runs a plan over one row or over the rows of a table.

use crate::cell::Cell;
use crate::error::{Fault, Warning};
use crate::load::{FieldPlan, Loaded, Table, Watch};
use crate::plan::block::{Block, Scratch, BLOCK_ROWS};
use crate::plan::element::{Text, NO_CODE};
use crate::plan::{OutputColumn, OutputElement, Plan};
use std::ops::Range;

/// Registers from which on blocks are smaller: those of a whole block take 8 MB.
const WIDE: usize = 4096;
/// Registers from which on a block is a few rows: those of the smaller blocks take 32 MB.
const WIDEST: usize = 32 * WIDE;

/// A text takes as much room as so many numbers.
const NUMBERS_PER_TEXT: usize = 16;

/// Where one column of the answers goes; as long as the range of rows that is predicted.
pub enum Target<'a> {
    Numbers(&'a mut [f64]),
    /// Positions in the levels of the output.
    Codes(&'a mut [u32]),
    Texts(&'a mut [Option<String>]),
}

/// What happened besides the answers. Rows are counted from the first row of the table.
#[derive(Debug, Default)]
pub struct Report {
    pub faults: Vec<(usize, Fault)>,
    /// `Some` collects warnings.
    pub warnings: Option<Vec<Warning>>,
}

/// One element of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<'a> {
    Number(f64),
    Code(u32),
    Text(Option<&'a str>),
}

impl Target<'_> {
    /// A row that was refused has no answer.
    pub fn blank(&mut self, row: usize) {
        match self {
            Target::Numbers(values) => values[row] = f64::NAN,
            Target::Codes(values) => values[row] = NO_CODE,
            Target::Texts(values) => values[row] = None,
        }
    }

    /// Writes a number, if the column is one of numbers.
    pub fn set_number(&mut self, row: usize, value: f64) {
        if let Target::Numbers(values) = self {
            values[row] = value;
        }
    }

    /// Writes a text, if the column is one of texts.
    pub fn set_text(&mut self, row: usize, value: Option<String>) {
        if let Target::Texts(values) = self {
            values[row] = value;
        }
    }
}

impl Plan {
    /// The columns of a table of answers.
    pub fn output_columns(&self) -> Vec<OutputColumn> {
        self.outputs.iter().enumerate().flat_map(|(at, output)| output.columns(at)).collect()
    }

    /// Predicts one row; read the answers with [`Plan::answer`] from the same scratch.
    ///
    /// # Errors
    /// The reason for which the row was refused.
    pub fn predict_row(
        &self,
        cells: &[Cell<'_>],
        scratch: &mut Scratch,
        warnings: &mut Option<Vec<Warning>>,
    ) -> Result<(), Fault> {
        let mut block = scratch.block(1, self.counts);
        self.load_row(cells, &mut block, warnings);
        self.run(&mut block);
        match scratch.faults.first() {
            None => Ok(()),
            Some((_, fault)) => Err(fault.clone()),
        }
    }

    /// One element of the answer to the row that was predicted last.
    pub fn answer<'a>(
        &'a self,
        element: &'a OutputElement,
        cells: &[Cell<'a>],
        scratch: &'a Scratch,
    ) -> Answer<'a> {
        match element {
            OutputElement::Number(register) => Answer::Number(scratch.numbers[*register as usize]),
            OutputElement::Code(register) => Answer::Code(scratch.codes[*register as usize]),
            OutputElement::Made(register) => {
                let column = scratch.texts.get(*register as usize);
                Answer::Text(column.and_then(|column| column.get(0)))
            }
            OutputElement::Text(text) => {
                let cell = cells.get(text.field).copied().unwrap_or(Cell::Absent);
                Answer::Text(self.text(text, cell))
            }
        }
    }

    /// Rows of a block: fewer where each needs many registers, so that a thread's memory stays in tens of megabytes.
    fn block_rows(&self) -> usize {
        let texts = self.counts.texts * NUMBERS_PER_TEXT;
        match self.counts.numbers + self.counts.codes + texts {
            count if count <= WIDE => BLOCK_ROWS,
            count if count <= WIDEST => BLOCK_ROWS / 8,
            _ => BLOCK_ROWS / 64,
        }
    }

    /// Predicts the rows of a range; `targets` are in the order of [`Plan::output_columns`].
    pub fn predict_range(
        &self,
        table: &Table<'_>,
        range: Range<usize>,
        targets: &mut [Target<'_>],
        scratch: &mut Scratch,
        report: &mut Report,
    ) {
        let mut start = range.start;
        while start < range.end {
            let rows = self.block_rows().min(range.end - start);
            let mut block = scratch.block(rows, self.counts);
            self.load_block(table, start, &mut block, &mut report.warnings);
            self.run(&mut block);
            self.write(table, start, start - range.start, &block, targets);
            for (row, _) in &scratch.faults {
                targets.iter_mut().for_each(|target| target.blank(start - range.start + row));
            }
            let faults = scratch.faults.drain(..).map(|(row, fault)| (row + start, fault));
            report.faults.extend(faults);
            start += rows;
        }
        report.faults.sort_by_key(|(row, _)| *row);
    }

    pub(crate) fn run(&self, block: &mut Block<'_>) {
        for step in &self.steps {
            step.run(block);
        }
    }

    fn write(
        &self,
        table: &Table<'_>,
        start: usize,
        offset: usize,
        block: &Block<'_>,
        targets: &mut [Target<'_>],
    ) {
        let rows = offset..offset + block.rows;
        let elements = self.outputs.iter().flat_map(|output| &output.elements);
        for (element, target) in elements.zip(targets) {
            match (element, target) {
                (OutputElement::Number(register), Target::Numbers(values)) => {
                    values[rows.clone()].copy_from_slice(block.number(*register));
                }
                (OutputElement::Code(register), Target::Codes(values)) => {
                    values[rows.clone()].copy_from_slice(block.code(*register));
                }
                (OutputElement::Made(register), Target::Texts(values)) => {
                    for (row, value) in values[rows.clone()].iter_mut().enumerate() {
                        *value = block.text(*register, row).map(str::to_owned);
                    }
                }
                (OutputElement::Text(text), Target::Texts(values)) => {
                    self.write_texts(text, table, start, &mut values[rows.clone()]);
                }
                _ => debug_assert!(false, "a target of the wrong kind"),
            }
        }
    }

    fn write_texts(
        &self,
        text: &Text,
        table: &Table<'_>,
        start: usize,
        values: &mut [Option<String>],
    ) {
        let mut cells = [Cell::Absent; BLOCK_ROWS];
        let cells = &mut cells[..values.len()];
        if let Some(Some(column)) = table.columns.get(text.field) {
            column.read(start, cells);
        }
        let is_kept = self.fields.get(text.field).is_some_and(FieldPlan::keeps_texts);
        for (value, cell) in values.iter_mut().zip(cells) {
            let found = match cell {
                // Those that are refused become blank.
                Cell::Text(found) if is_kept => text.resolve(Some(found)),
                _ => self.text(text, *cell),
            };
            *value = found.map(str::to_owned);
        }
    }

    /// A text output: the input text after its policies and replacements.
    fn text<'a>(&'a self, text: &'a Text, cell: Cell<'a>) -> Option<&'a str> {
        let field = self.fields.get(text.field)?;
        let mut watch = Watch { field: text.field, row: 0, warnings: &mut None };
        match field.check(cell, &self.text_codings, &mut watch) {
            Ok(Loaded::Text(value)) => text.resolve(Some(value)),
            _ => text.resolve(None),
        }
    }
}
