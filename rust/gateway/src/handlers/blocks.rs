//! Answers to many rows as JSON objects: predicted in blocks, written one after the other.

use super::asked::Asked;
use crate::answers::json::{self, Explained};
use crate::catalog::Loaded;
use crate::failure::Failure;
use penstock_core::cell::Cell;
use penstock_core::error::{Fault, Warning};
use penstock_core::explain::ExplainScratch;
use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::{OutputElement, OutputPlan, Plan};
use penstock_core::predict::{Answer, Report, Target};
use std::ops::Range;

/// Rows from which on blocks are faster than one row after the other.
const FEW: usize = 32;

/// What stands between the answers of two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Items of a list.
    List,
    /// A line each.
    Lines,
}

/// Rows of a table that are to be answered.
pub struct Part<'a> {
    pub loaded: &'a Loaded,
    pub asked: &'a Asked,
    pub table: &'a Table<'a>,
    pub rows: Range<usize>,
    /// The number, for messages, of the first row of the table.
    pub first: usize,
    /// Rows that could not be read, counted as in the table, in order.
    pub unread: Vec<(usize, Failure)>,
    /// Writes the entries that are sent back with a row, each with a comma after it.
    pub echo: &'a (dyn Fn(usize, &mut Vec<u8>) + Sync),
}

/// Memory for answers, reused from part to part; one per thread.
#[derive(Default)]
pub struct Room {
    values: Vec<Values>,
    /// The position of the first element of each output.
    firsts: Vec<usize>,
    scratch: Scratch,
    explaining: ExplainScratch,
    /// Explanations as JSON, and where that of each row ends.
    explanations: Vec<u8>,
    ends: Vec<usize>,
}

/// The answers of a column.
enum Values {
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
    Texts(Vec<Option<String>>),
}

impl Values {
    fn new(element: &OutputElement) -> Self {
        match element {
            OutputElement::Number(_) => Values::Numbers(Vec::new()),
            OutputElement::Code(_) => Values::Codes(Vec::new()),
            OutputElement::Text(_) => Values::Texts(Vec::new()),
        }
    }

    fn target(&mut self, rows: usize) -> Target<'_> {
        match self {
            Values::Numbers(values) => {
                values.resize(rows, 0.0);
                Target::Numbers(values)
            }
            Values::Codes(values) => {
                values.resize(rows, 0);
                Target::Codes(values)
            }
            Values::Texts(values) => {
                values.resize(rows, None);
                Target::Texts(values)
            }
        }
    }

    fn answer(&self, row: usize) -> Answer<'_> {
        match self {
            Values::Numbers(values) => Answer::Number(values[row]),
            Values::Codes(values) => Answer::Code(values[row]),
            Values::Texts(values) => Answer::Text(values[row].as_deref()),
        }
    }
}

impl Part<'_> {
    /// Writes the answers; returns the number of rows that were refused and are answered by their error.
    ///
    /// # Errors
    /// The first row that was refused, if that is not to be answered; or the model cannot be explained.
    pub fn write(
        mut self,
        room: &mut Room,
        style: Style,
        to: &mut Vec<u8>,
    ) -> Result<usize, Failure> {
        let warnings = self.asked.warnings.then(Vec::new);
        let mut report = Report { faults: Vec::new(), warnings };
        self.predict(room, &mut report);
        self.explain(room, &mut report)?;
        let warnings = report.warnings.take().unwrap_or_default();
        let mut refused = self.refused(report.faults).into_iter().peekable();
        let mut warnings = warnings.chunk_by(|a, b| a.row == b.row).peekable();
        let mut count = 0;
        for row in self.rows.clone() {
            if style == Style::List && row > self.rows.start {
                to.push(b',');
            }
            to.push(b'{');
            let warned = warnings.next_if(|some| some[0].row == row).unwrap_or_default();
            match refused.next_if(|(refused, _)| *refused == row) {
                Some((_, failure)) if self.asked.returns_errors => {
                    count += 1;
                    json::error(&failure, to);
                }
                Some((_, failure)) => return Err(failure),
                None => self.write_row(room, row, warned, to),
            }
            to.extend_from_slice(if style == Style::Lines { b"}\n" } else { b"}" });
        }
        Ok(count)
    }

    fn plan(&self) -> &Plan {
        &self.loaded.model.plan
    }

    fn predict(&self, room: &mut Room, report: &mut Report) {
        let plan = self.plan();
        let elements = plan.outputs.iter().flat_map(|output| &output.elements);
        if room.values.is_empty() {
            room.values = elements.clone().map(Values::new).collect();
            room.firsts = plan.outputs.iter().scan(0, after).collect();
        }
        let count = self.rows.len();
        let mut targets: Vec<_> =
            room.values.iter_mut().map(|values| values.target(count)).collect();
        if count >= FEW {
            let rows = self.rows.clone();
            plan.predict_range(self.table, rows, &mut targets, &mut room.scratch, report);
        } else {
            for (at, row) in self.rows.clone().enumerate() {
                self.predict_row(row, at, &mut targets, &mut room.scratch, report);
            }
        }
        if let Some(warnings) = &mut report.warnings {
            warnings.sort_by_key(|warning| warning.row);
        }
    }

    fn predict_row(
        &self,
        row: usize,
        at: usize,
        targets: &mut [Target<'_>],
        scratch: &mut Scratch,
        report: &mut Report,
    ) {
        let plan = self.plan();
        let cells: Vec<_> = (0..plan.fields.len()).map(|field| self.cell(field, row)).collect();
        let mut warnings = report.warnings.is_some().then(Vec::new);
        if let Err(fault) = plan.predict_row(&cells, scratch, &mut warnings) {
            report.faults.push((row, fault));
            return;
        }
        if let (Some(all), Some(some)) = (&mut report.warnings, warnings) {
            all.extend(some.into_iter().map(|warning| Warning { row, ..warning }));
        }
        let elements = plan.outputs.iter().flat_map(|output| &output.elements);
        for (element, target) in elements.zip(targets) {
            match (plan.answer(element, &cells, scratch), target) {
                (Answer::Code(code), Target::Codes(values)) => values[at] = code,
                (Answer::Number(number), target) => target.set_number(at, number),
                (Answer::Text(text), target) => target.set_text(at, text.map(str::to_owned)),
                _ => {}
            }
        }
    }

    /// A value as it was sent.
    fn cell(&self, field: usize, row: usize) -> Cell<'_> {
        let mut cell = [Cell::Absent];
        if let Some(Some(column)) = self.table.columns.get(field) {
            column.read(row, &mut cell);
        }
        cell[0]
    }

    fn explain(&self, room: &mut Room, report: &mut Report) -> Result<(), Failure> {
        room.explanations.clear();
        room.ends.clear();
        let Some(top) = self.asked.explain else { return Ok(()) };
        let explainer = self.loaded.explainer()?;
        let Room { explaining, explanations, ends, .. } = room;
        let mut found = Report::default();
        explainer.explain_range(
            self.table,
            self.rows.clone(),
            explaining,
            &mut found,
            |rows, _, explanation| {
                for (row, position) in rows.enumerate() {
                    let cell = |field: usize, to: &mut Vec<u8>| {
                        json::cell(self.cell(field, position), to);
                    };
                    let explained = Explained { explainer, explanation, row, cell: &cell };
                    explanations.push(b',');
                    json::explanation(&explained, top, explanations);
                    ends.push(explanations.len());
                }
            },
        );
        report.faults.extend(found.faults);
        Ok(())
    }

    /// Why rows are refused, in order, one reason each: those that could not be read have no other.
    fn refused(&mut self, faults: Vec<(usize, Fault)>) -> Vec<(usize, Failure)> {
        let mut refused = std::mem::take(&mut self.unread);
        for (row, fault) in faults {
            let at = Some(self.first + row);
            refused.push((row, Failure::value(self.plan(), &fault, at)));
        }
        refused.sort_by_key(|(row, _)| *row);
        refused.dedup_by_key(|(row, _)| *row);
        refused
    }

    fn write_row(&self, room: &Room, row: usize, warnings: &[Warning], to: &mut Vec<u8>) {
        let at = row - self.rows.start;
        (self.echo)(row, to);
        let answer =
            |output: usize, element: usize| room.values[room.firsts[output] + element].answer(at);
        self.loaded.shapes.write_each(answer, to);
        if let Some(end) = room.ends.get(at) {
            let start = at.checked_sub(1).and_then(|before| room.ends.get(before)).copied();
            to.extend_from_slice(&room.explanations[start.unwrap_or(0)..*end]);
        }
        if self.asked.warnings {
            to.push(b',');
            json::warnings(self.plan(), warnings, to);
        }
    }
}

/// Where an output begins, and where the next one does.
fn after(next: &mut usize, output: &OutputPlan) -> Option<usize> {
    let first = *next;
    *next += output.elements.len();
    Some(first)
}

/// The rows of parts: as many as keep a thread's memory small, however many inputs a model has.
pub fn part_rows(loaded: &Loaded, asked: &Asked) -> usize {
    let most = if asked.explain.is_some() { 256 } else { 4096 };
    ((1 << 18) / loaded.model.plan.fields.len().max(1)).clamp(64, most)
}

/// A model that cannot be explained is refused before any row is.
///
/// # Errors
/// There is no way to explain this model.
pub fn check_explain(loaded: &Loaded, asked: &Asked) -> Result<(), Failure> {
    match asked.explain {
        Some(_) => loaded.explainer().map(|_| ()),
        None => Ok(()),
    }
}
