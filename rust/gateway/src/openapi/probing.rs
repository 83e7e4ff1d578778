//! What a model takes, found by asking it: an example row with one value changed.

use crate::catalog::Loaded;
use penstock_core::cell::Cell;
use penstock_core::manifest::{Field, FieldType, Infinite, OnMissing};
use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use penstock_core::rows::Rows;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// More inputs than this are told by their policies alone; asking takes a prediction each.
const MOST_INPUTS: usize = 1_000;

/// Example rows that are shown.
const SHOWN: usize = 5;

#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    rows: Vec<&'a RawValue>,
}

/// Rows of an artifact that its model answers.
pub struct Examples<'a> {
    /// As they were written.
    pub shown: Vec<&'a RawValue>,
    rows: Rows<'a>,
}

impl<'a> Examples<'a> {
    /// Those with the fewest missing values come first.
    pub fn new(loaded: &'a Loaded) -> Self {
        let plan = &loaded.model.plan;
        let sent: Result<Sent<'a>, _> = serde_json::from_str(&loaded.model.examples);
        let mut sent = sent.map(|sent| sent.rows).unwrap_or_default();
        sent.sort_by_cached_key(|row| missing_count(row));
        let mut scratch = Scratch::default();
        let (mut shown, mut rows) = (Vec::new(), Rows::new(plan, Vec::new()));
        for row in sent {
            let is_read = rows.read(plan, row.get().as_bytes()).is_ok();
            let cells: Vec<Cell<'_>> = rows.cells(shown.len()).collect();
            if is_read && plan.predict_row(&cells, &mut scratch, &mut None).is_ok() {
                shown.push(row);
            } else {
                rows.truncate(shown.len());
            }
            if shown.len() == SHOWN {
                break;
            }
        }
        Self { shown, rows }
    }
}

/// Number of nulls in a row.
fn missing_count(row: &RawValue) -> usize {
    let values: Result<BTreeMap<String, &RawValue>, _> = serde_json::from_str(row.get());
    values.map_or(0, |values| values.values().filter(|value| value.get() == "null").count())
}

/// Asks a model about values.
pub struct Probe<'a> {
    plan: &'a Plan,
    /// A row that is answered; none if there is none to ask with.
    cells: Option<Vec<Cell<'a>>>,
    scratch: Scratch,
}

impl<'a> Probe<'a> {
    pub fn new(loaded: &'a Loaded, examples: &'a Examples<'a>) -> Self {
        let plan = &loaded.model.plan;
        let can_ask = !examples.rows.is_empty() && plan.fields.len() <= MOST_INPUTS;
        let cells = can_ask.then(|| examples.rows.cells(0).collect());
        Self { plan, cells, scratch: Scratch::default() }
    }

    /// Whether an input may be missing.
    pub fn takes_missing(&mut self, at: usize, field: &Field) -> bool {
        field.r#type == FieldType::Ignored
            || (field.on_missing != OnMissing::Refuse && self.takes(at, Cell::Missing))
    }

    pub fn takes_number(&mut self, at: usize, field: &Field, x: f64) -> bool {
        let is_refused = x.is_infinite() && field.infinite == Infinite::Refuse;
        !is_refused && self.takes(at, Cell::Number(x))
    }

    /// Whether the example is answered with this value in place of its own; also if there is none to ask with.
    fn takes(&mut self, at: usize, cell: Cell<'a>) -> bool {
        let Some(cells) = &mut self.cells else { return true };
        let Some(place) = cells.get_mut(at) else { return true };
        let before = std::mem::replace(place, cell);
        let is_taken = self.plan.predict_row(cells, &mut self.scratch, &mut None).is_ok();
        if let Some(place) = cells.get_mut(at) {
            *place = before;
        }
        is_taken
    }
}
