//! The hook of the handlers: one request for predictions, seen while it is answered.

use super::copied::Copied;
use super::seen::{Seen, STAGES};
use crate::catalog::{Route, Version};
use penstock_core::cell::Cell;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::{OutputElement, Plan};
use penstock_core::predict::Answer;
use std::time::{Duration, Instant};

/// A part of the work; the time since the last one ended is counted for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Parse,
    Predict,
    Write,
}

/// What is seen of one request. It counts when it is finished; of a request that is refused as a whole, no rows do.
pub struct Observation<'a> {
    seen: &'a Seen,
    last: Instant,
    stages: [Duration; STAGES.len()],
    /// Counts of the values of several rows, which are added up before they are shared.
    batch: Option<Vec<u32>>,
    copied: Option<Copied>,
    rows: usize,
    refused: usize,
}

/// What is known of a request when its answer is written.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    pub rows: usize,
    pub refused: usize,
    /// For capture and shadows, if one of them wants this request.
    pub copied: Option<Copied>,
}

impl<'a> Observation<'a> {
    /// Begins with what is to be parsed; `started` is when it came.
    pub fn begin(route: &Route, version: &'a Version, started: Instant) -> Self {
        Self {
            seen: &version.seen,
            last: started,
            stages: Default::default(),
            batch: None,
            copied: Copied::of(route),
            rows: 0,
            refused: 0,
        }
    }

    /// All rows were read.
    pub fn parsed(&mut self, rows: usize) {
        self.rows = rows;
        if rows > 1 {
            self.batch = Some(vec![0; self.seen.bins.width]);
        }
        self.lap(Stage::Parse);
    }

    /// Counts the time since the last call for a stage.
    pub fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        if let Some(duration) = self.stages.get_mut(stage as usize) {
            *duration += now - self.last;
        }
        self.last = now;
    }

    /// A row was predicted; its answers are in the scratch.
    pub fn predicted(&mut self, row: usize, plan: &Plan, cells: &[Cell<'_>], scratch: &Scratch) {
        match &mut self.batch {
            None => {
                let values = self.seen.values();
                count(self.seen, plan, cells, scratch, |at| values.add(at, 1));
            }
            Some(counts) => count(self.seen, plan, cells, scratch, |at| {
                if let Some(count) = counts.get_mut(at) {
                    *count += 1;
                }
            }),
        }
        if let Some(copied) = &mut self.copied {
            copied.add(row, plan, cells, scratch);
        }
    }

    /// A row was refused; the others of its request are not.
    pub fn refused(&mut self, code: &str) {
        self.refused += 1;
        self.seen.tally.error(code);
    }

    /// The answer is written.
    pub fn finish(mut self) -> Observed {
        self.lap(Stage::Write);
        if let Some(counts) = self.batch.take() {
            let values = self.seen.values();
            let counted = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
            counted.for_each(|(at, count)| values.add(at, u64::from(count)));
        }
        self.seen.tally.rows(self.rows, self.refused);
        self.seen.tally.stages(self.stages);
        let copied = self.copied.filter(|copied| !copied.is_empty());
        Observed { rows: self.rows, refused: self.refused, copied }
    }
}

/// Tells the counter of each value of a row and its answer.
#[inline]
pub fn count(
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
        for (at, element) in output.elements.iter().enumerate().take(bins.elements.len()) {
            if matches!(element, OutputElement::Text(_)) {
                continue;
            }
            let place = match plan.answer(element, cells, scratch) {
                Answer::Number(x) => bins.number(at, x),
                Answer::Code(code) => bins.code(code),
                Answer::Text(_) => None,
            };
            if let Some(place) = place {
                add(place);
            }
        }
    }
}
