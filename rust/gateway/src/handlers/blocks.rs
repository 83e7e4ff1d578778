//! Answers to some rows of a request, in any form: predicted in blocks, explained, and written.

use super::asked::Asked;
use crate::answers::echo::Echo;
use crate::answers::json::{self, Explained};
use crate::answers::table::{Found, Names, Values};
use crate::catalog::Loaded;
use crate::failure::{Failure, Kind};
use crate::forms::Form;
use crate::seeing::observation::{self, Clock, Observation, Stage};
use arrow_array::RecordBatch;
use penstock_core::cell::Cell;
use penstock_core::error::{Fault, Warning};
use penstock_core::explain::ExplainScratch;
use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::{OutputPlan, Plan};
use penstock_core::predict::{Answer, Report, Target};
use std::ops::Range;

/// Rows from which on blocks are faster than one row after the other.
const FEW: usize = 32;

/// How the rows of one request are answered.
pub struct Task<'t> {
    pub loaded: &'t Loaded,
    /// What watches the version that answers.
    seen: &'t Observation,
    pub asked: &'t Asked,
    pub form: Form,
    /// The columns of the answer, if that is a table.
    pub names: Option<Names>,
}

/// Rows of a table that are to be answered.
pub struct Part<'a> {
    pub table: &'a Table<'a>,
    pub rows: Range<usize>,
    /// The number, for messages, of row 0 of the table.
    pub first: usize,
    /// Rows that could not be read, by row of the table, in order.
    pub unread: Vec<(usize, Failure)>,
    pub echo: &'a dyn Echo,
    /// Runs since the part was begun.
    pub clock: Clock,
}

/// Answers of a part.
pub enum Written {
    Text(Vec<u8>),
    Batch(RecordBatch),
}

/// Rows that were refused, in order, and warnings.
type Remarks = (Vec<(usize, Failure)>, Vec<Warning>);

/// Memory for answers, reused from part to part of one request; one per thread.
#[derive(Default)]
pub struct Room {
    values: Vec<Values>,
    /// The position of the first element of each output.
    firsts: Vec<usize>,
    scratch: Scratch,
    explaining: ExplainScratch,
    /// Explanations as columns.
    explained: Vec<Values>,
    /// Explanations as JSON, and where that of each row ends.
    explanations: Vec<u8>,
    ends: Vec<usize>,
}

impl<'t> Task<'t> {
    /// # Errors
    /// The model cannot do what is asked of it.
    pub fn new(seen: &'t Observation, asked: &'t Asked, form: Form) -> Result<Self, Failure> {
        let loaded = &*seen.version.loaded;
        if asked.explain.is_some() {
            loaded.explainer()?;
        }
        let names = match form {
            Form::Json | Form::Lines => {
                check_fields(loaded, asked)?;
                None
            }
            Form::Csv | Form::Arrow => Some(Names::new(loaded, asked)?),
        };
        Ok(Self { loaded, seen, asked, form, names })
    }

    /// The rows of parts: as many as keep a thread's memory small, however many inputs a model has.
    pub fn part_rows(&self) -> usize {
        let most = if self.asked.explain.is_some() { 256 } else { 4096 };
        ((1 << 18) / self.plan().fields.len().max(1)).clamp(64, most)
    }

    fn plan(&self) -> &'t Plan {
        &self.loaded.model.plan
    }

    /// Answers a part, rows that were refused by their error.
    ///
    /// # Errors
    /// The first row that was refused, if that is not to be answered.
    pub fn answer(&self, mut part: Part<'_>, room: &mut Room) -> Result<Written, Failure> {
        let (refused, warnings) = self.find(&mut part, room)?;
        let written = match &self.names {
            None => Written::Text(self.write_json(&part, room, &refused, &warnings)),
            Some(names) => {
                let (values, explained) = (&mut room.values, &mut room.explained);
                let (plan, rows) = (self.plan(), part.rows.clone());
                let echo = part.echo;
                let found = Found { plan, names, echo, rows, values, explained, refused, warnings };
                self.write_table(found)?
            }
        };
        part.clock.lap(Stage::Write);
        self.seen.spent(&part.clock);
        Ok(written)
    }

    /// Answers a part by its values, which others write; an element of the outputs after the other.
    ///
    /// # Errors
    /// The first row that was refused.
    pub fn values(&self, mut part: Part<'_>, room: &mut Room) -> Result<Vec<Values>, Failure> {
        self.find(&mut part, room)?;
        self.seen.spent(&part.clock);
        Ok(std::mem::take(&mut room.values))
    }

    /// Fills the room; tells which rows are refused, and the warnings.
    fn find(&self, part: &mut Part<'_>, room: &mut Room) -> Result<Remarks, Failure> {
        let warnings = self.asked.warnings.then(Vec::new);
        let mut report = Report { faults: Vec::new(), warnings };
        self.predict(part, room, &mut report);
        self.explain(part, room, &mut report)?;
        let refused = self.refused(part, report.faults);
        if let Some((_, failure)) = refused.first().filter(|_| !self.asked.returns_errors) {
            return Err(failure.clone());
        }
        part.clock.lap(Stage::Predict);
        self.tell(part, room, &refused);
        Ok((refused, report.warnings.unwrap_or_default()))
    }

    /// Tells who watches what came in and what goes out.
    fn tell(&self, part: &Part<'_>, room: &Room, refused: &[(usize, Failure)]) {
        let refused = refused.iter().map(|(row, failure)| (*row, failure.code.as_ref())).collect();
        let (table, rows, first) = (part.table, part.rows.clone(), part.first);
        let seen = observation::Part { table, rows, first, refused };
        self.seen.part(&seen, |element, at| room.values[element].answer(at));
    }

    fn predict(&self, part: &Part<'_>, room: &mut Room, report: &mut Report) {
        let plan = self.plan();
        let elements = plan.outputs.iter().flat_map(|output| &output.elements);
        if room.values.is_empty() {
            room.values = elements.map(Values::new).collect();
            room.firsts = plan.outputs.iter().scan(0, after).collect();
        }
        let count = part.rows.len();
        let mut targets: Vec<_> =
            room.values.iter_mut().map(|values| values.target(count)).collect();
        if count >= FEW {
            let rows = part.rows.clone();
            plan.predict_range(part.table, rows, &mut targets, &mut room.scratch, report);
        } else {
            for (at, row) in part.rows.clone().enumerate() {
                predict_row(plan, part, (row, at), &mut targets, &mut room.scratch, report);
            }
        }
        if let Some(warnings) = &mut report.warnings {
            warnings.sort_by_key(|warning| warning.row);
        }
    }

    fn explain(
        &self,
        part: &Part<'_>,
        room: &mut Room,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let Some(top) = self.asked.explain else { return Ok(()) };
        let explainer = self.loaded.explainer()?;
        let mut found = Report::default();
        let rows = part.rows.clone();
        if let Some(names) = &self.names {
            let kinds = names.explained.iter().map(|column| column.kind);
            if room.explained.is_empty() {
                room.explained = kinds.map(Values::of_kind).collect();
            }
            let targets = room.explained.iter_mut().map(|values| values.target(rows.len()));
            let mut targets: Vec<_> = targets.collect();
            let scratch = &mut room.explaining;
            explainer.explain_into(part.table, rows, top, &mut targets, scratch, &mut found);
        } else {
            let Room { explaining, explanations, ends, .. } = room;
            explanations.clear();
            ends.clear();
            explainer.explain_range(part.table, rows, explaining, &mut found, |rows, _, these| {
                for (row, position) in rows.enumerate() {
                    let cell = |field: usize, to: &mut Vec<u8>| {
                        json::cell(part.cell(field, position), to);
                    };
                    let explained = Explained { explainer, explanation: these, row, cell: &cell };
                    explanations.push(b',');
                    json::explanation(&explained, top, explanations);
                    ends.push(explanations.len());
                }
            });
        }
        report.faults.extend(found.faults);
        Ok(())
    }

    /// Why rows are refused, in order, one reason each: those that could not be read have no other.
    fn refused(&self, part: &Part<'_>, faults: Vec<(usize, Fault)>) -> Vec<(usize, Failure)> {
        let mut refused = part.unread.clone();
        for (row, fault) in faults {
            let at = Some(part.first + row);
            refused.push((row, Failure::value(self.plan(), &fault, at)));
        }
        refused.sort_by_key(|(row, _)| *row);
        refused.dedup_by_key(|(row, _)| *row);
        refused
    }

    fn write_json(
        &self,
        part: &Part<'_>,
        room: &Room,
        refused: &[(usize, Failure)],
        warnings: &[Warning],
    ) -> Vec<u8> {
        let mut to = Vec::with_capacity(96 * part.rows.len());
        let mut refused = refused.iter().peekable();
        let mut warnings = warnings.chunk_by(|a, b| a.row == b.row).peekable();
        for row in part.rows.clone() {
            if self.form == Form::Json && row > part.rows.start {
                to.push(b',');
            }
            to.push(b'{');
            let some = warnings.next_if(|some| some[0].row == row).unwrap_or_default();
            match refused.next_if(|(refused, _)| *refused == row) {
                Some((_, failure)) => json::error(failure, &mut to),
                None => self.write_row(part, room, row, some, &mut to),
            }
            to.extend_from_slice(if self.form == Form::Lines { b"}\n" } else { b"}" });
        }
        // Parts wait for each other; what they do not need is given back.
        to.shrink_to_fit();
        to
    }

    fn write_row(
        &self,
        part: &Part<'_>,
        room: &Room,
        row: usize,
        warnings: &[Warning],
        to: &mut Vec<u8>,
    ) {
        for (column, name) in self.asked.fields.iter().enumerate() {
            json::json(name, to);
            to.push(b':');
            part.echo.json(column, row, to);
            to.push(b',');
        }
        let at = row - part.rows.start;
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

    fn write_table(&self, mut found: Found<'_>) -> Result<Written, Failure> {
        if self.form == Form::Arrow {
            let batch = found.batch();
            return batch
                .map(Written::Batch)
                .map_err(|error| Failure::new(Kind::TooLarge, error.to_string()));
        }
        let mut text = Vec::with_capacity(64 * found.rows.len());
        found.csv(&mut text);
        text.shrink_to_fit();
        Ok(Written::Text(text))
    }
}

/// Refuses to send back what would have the name of something else in the answer.
///
/// # Errors
/// A field that is asked for twice, or is an output too.
pub fn check_fields(loaded: &Loaded, asked: &Asked) -> Result<(), Failure> {
    for (at, name) in asked.fields.iter().enumerate() {
        let is_other = loaded.shapes.has(name)
            || (asked.explain.is_some() && name == "explanation")
            || (asked.warnings && name == "warnings")
            || (asked.returns_errors && name == "error");
        let why = match is_other {
            true => "is in the answer already; leave it out of `fields`",
            false if asked.fields.iter().take(at).any(|other| other == name) => {
                "is asked for twice by `fields`; ask for it once"
            }
            false => continue,
        };
        let name: String = name.chars().take(60).collect();
        return Err(Failure::new(Kind::Unsupported, format!("`{name}` {why}")));
    }
    Ok(())
}

impl Part<'_> {
    /// A value as it was sent.
    fn cell(&self, field: usize, row: usize) -> Cell<'_> {
        let mut cell = [Cell::Absent];
        if let Some(Some(column)) = self.table.columns.get(field) {
            column.read(row, &mut cell);
        }
        cell[0]
    }
}

/// Predicts a row of the table; `at` is its place in the targets.
fn predict_row(
    plan: &Plan,
    part: &Part<'_>,
    (row, at): (usize, usize),
    targets: &mut [Target<'_>],
    scratch: &mut Scratch,
    report: &mut Report,
) {
    let cells: Vec<_> = (0..plan.fields.len()).map(|field| part.cell(field, row)).collect();
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
            (Answer::Text(text), target) => target.set_text(at, text),
            _ => {}
        }
    }
}

/// Where an output begins, and where the next one does.
fn after(next: &mut usize, output: &OutputPlan) -> Option<usize> {
    let first = *next;
    *next += output.elements.len();
    Some(first)
}
