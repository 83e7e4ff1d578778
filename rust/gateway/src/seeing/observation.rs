//! The hook of the handlers: one request for predictions, seen while it is answered.

use super::copied::Copied;
use super::seen::{Seen, STAGES};
use crate::catalog::{Route, Version};
use penstock_core::cell::Cell;
use penstock_core::load::Table;
use penstock_core::plan::block::{Scratch, BLOCK_ROWS};
use penstock_core::plan::Plan;
use penstock_core::predict::Answer;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Parse,
    Predict,
    Write,
}

/// How long each stage took; the time since the last one ended is counted for the next.
#[derive(Debug, Clone)]
pub struct Clock {
    last: Instant,
    stages: [Duration; STAGES.len()],
}

impl Clock {
    pub fn start(at: Instant) -> Self {
        Self { last: at, stages: Default::default() }
    }

    pub fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        if let Some(duration) = self.stages.get_mut(stage as usize) {
            *duration += now - self.last;
        }
        self.last = now;
    }
}

/// What is seen of one request. It counts when it is finished; of a request that is refused as a whole, no rows do.
pub struct Observation {
    pub version: Arc<Version>,
    pub clock: Clock,
    /// A row that comes alone needs none of its locks.
    batch: Mutex<Batch>,
}

#[derive(Default)]
struct Batch {
    rows: usize,
    refused: usize,
    /// Counts of values, which are added up before they are shared.
    counts: Vec<u32>,
    copied: Option<Copied>,
    stages: [Duration; STAGES.len()],
}

/// What is known of a request when its answer is written.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    pub rows: usize,
    pub refused: usize,
    /// For capture and shadows, if one of them wants this request.
    pub copied: Option<Copied>,
}

/// Rows that were predicted together, as the columns of their table.
pub struct Part<'a> {
    pub table: &'a Table<'a>,
    pub rows: Range<usize>,
    /// Position in the request of row 0 of the table.
    pub first: usize,
    /// Rows of the table that were refused, ascending, and why.
    pub refused: Vec<(usize, &'a str)>,
}

impl Observation {
    /// Begins with what is to be parsed; `started` is when it came.
    pub fn begin(route: &Route, version: Arc<Version>, started: Instant) -> Self {
        let batch = Batch { copied: Copied::of(route), ..Batch::default() };
        Self { version, clock: Clock::start(started), batch: Mutex::new(batch) }
    }

    /// There may be more than one row: none counts before all are answered.
    pub fn batched(&mut self) {
        let batch = self.batch.get_mut().unwrap_or_else(PoisonError::into_inner);
        batch.counts = vec![0; self.version.seen.bins.width];
    }

    /// A row was predicted; its answers are in the scratch.
    pub fn row(&mut self, row: usize, cells: &[Cell<'_>], scratch: &Scratch) {
        let (seen, plan) = (&*self.version.seen, &self.version.loaded.model.plan);
        let batch = self.batch.get_mut().unwrap_or_else(PoisonError::into_inner);
        batch.rows += 1;
        if batch.counts.is_empty() {
            let values = seen.values();
            count_row(seen, plan, cells, scratch, |at| values.add(at, 1));
        } else {
            let counts = &mut batch.counts;
            count_row(seen, plan, cells, scratch, |at| {
                if let Some(count) = counts.get_mut(at) {
                    *count += 1;
                }
            });
        }
        if let Some(copied) = &mut batch.copied {
            let elements = plan.outputs.iter().flat_map(|output| &output.elements);
            let answers = elements.map(|element| plan.answer(element, cells, scratch));
            copied.add(row, cells.iter().copied(), answers);
        }
    }

    /// A row was refused that came alone, or without cells.
    pub fn refused(&mut self, code: &str) {
        let batch = self.batch.get_mut().unwrap_or_else(PoisonError::into_inner);
        batch.rows += 1;
        batch.refused += 1;
        self.version.seen.tally.error(code);
    }

    /// Rows were predicted as a part of the request, on this thread or another. `answer` tells the answers by the
    /// position of the element among those of all outputs, and by the row counted from the first one of the part.
    pub fn part<'a>(&self, part: &Part<'_>, answer: impl Fn(usize, usize) -> Answer<'a>) {
        let (seen, plan) = (&*self.version.seen, &self.version.loaded.model.plan);
        let mut counts = vec![0; seen.bins.width];
        count_inputs(seen, plan, part, &mut counts);
        count_outputs(seen, plan, part, &answer, &mut counts);
        part.refused.iter().for_each(|(_, code)| seen.tally.error(code));
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        batch.rows += part.rows.len();
        batch.refused += part.refused.len();
        if batch.counts.is_empty() {
            batch.counts = counts;
        } else {
            batch.counts.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        }
        if let Some(copied) = &mut batch.copied {
            copy(copied, plan, part, &answer);
        }
    }

    /// A part of the request took its time.
    pub fn spent(&self, clock: &Clock) {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        let stages = batch.stages.iter_mut().zip(clock.stages);
        stages.for_each(|(all, duration)| *all += duration);
    }

    /// The answer is written.
    pub fn finish(self) -> Observed {
        let seen = &*self.version.seen;
        let batch = self.batch.into_inner().unwrap_or_else(PoisonError::into_inner);
        let values = seen.values();
        let counted = batch.counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
        counted.for_each(|(at, count)| values.add(at, u64::from(count)));
        let (rows, refused) = (batch.rows, batch.refused);
        seen.tally.rows(rows, refused);
        let mut stages = self.clock.stages;
        stages.iter_mut().zip(batch.stages).for_each(|(all, duration)| *all += duration);
        seen.tally.stages(stages);
        Observed { rows, refused, copied: batch.copied.filter(|copied| !copied.is_empty()) }
    }
}

impl Part<'_> {
    fn is_refused(&self, row: usize) -> bool {
        !self.refused.is_empty() && self.refused.binary_search_by_key(&row, |(row, _)| *row).is_ok()
    }

    /// Tells rows and cells of a field, in blocks.
    fn each_cell(&self, field: usize, mut tell: impl FnMut(usize, Cell<'_>)) {
        let column = self.table.columns.get(field).copied().flatten();
        let mut start = self.rows.start;
        while start < self.rows.end {
            let count = BLOCK_ROWS.min(self.rows.end - start);
            let mut cells = [Cell::Absent; BLOCK_ROWS];
            if let (Some(column), Some(cells)) = (column, cells.get_mut(..count)) {
                column.read(start, cells);
            }
            let rows = (start..).zip(cells.iter().take(count));
            rows.filter(|(row, _)| !self.is_refused(*row)).for_each(|(row, cell)| tell(row, *cell));
            start += count;
        }
    }
}

/// Tells the counter of each value of a row and its answer.
#[inline]
pub fn count_row(
    seen: &Seen,
    plan: &Plan,
    cells: &[Cell<'_>],
    scratch: &Scratch,
    mut add: impl FnMut(usize),
) {
    for (field, cell) in cells.iter().enumerate() {
        if let Some(at) = seen.bins.input(plan, field, *cell) {
            add(at);
        }
    }
    for bins in &seen.bins.outputs {
        let Some(output) = plan.outputs.get(bins.at) else { continue };
        let elements = output.elements.iter().take(bins.elements.len());
        for (at, element) in elements.enumerate() {
            if let Some(place) = bins.place(at, &plan.answer(element, cells, scratch)) {
                add(place);
            }
        }
    }
}

fn count_inputs(seen: &Seen, plan: &Plan, part: &Part<'_>, counts: &mut [u32]) {
    let watched = seen.bins.inputs.iter().enumerate();
    for (field, _) in watched.filter(|(_, input)| input.is_some()) {
        part.each_cell(field, |_, cell| {
            let at = seen.bins.input(plan, field, cell);
            if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        });
    }
}

fn count_outputs<'a>(
    seen: &Seen,
    plan: &Plan,
    part: &Part<'_>,
    answer: &impl Fn(usize, usize) -> Answer<'a>,
    counts: &mut [u32],
) {
    for bins in &seen.bins.outputs {
        let before = plan.outputs.iter().take(bins.at);
        let first = before.map(|output| output.elements.len()).sum::<usize>();
        for element in 0..bins.elements.len() {
            let rows = part.rows.clone().enumerate();
            for (at, _) in rows.filter(|(_, row)| !part.is_refused(*row)) {
                let place = bins.place(element, &answer(first + element, at));
                if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                    *count += 1;
                }
            }
        }
    }
}

fn copy<'a>(
    copied: &mut Copied,
    plan: &Plan,
    part: &Part<'_>,
    answer: &impl Fn(usize, usize) -> Answer<'a>,
) {
    let elements = plan.outputs.iter().map(|output| output.elements.len()).sum();
    for (at, row) in part.rows.clone().enumerate() {
        if copied.is_full() {
            return;
        }
        if part.is_refused(row) {
            continue;
        }
        let mut cells = vec![Cell::Absent; part.table.columns.len()];
        for (cell, column) in cells.iter_mut().zip(&part.table.columns) {
            if let Some(column) = column {
                column.read(row, std::slice::from_mut(cell));
            }
        }
        let answers = (0..elements).map(|element| answer(element, at));
        copied.add(part.first + row, cells.into_iter(), answers);
    }
}
