//! What a model takes, found by asking it: an example row with one value changed.

use crate::catalog::Loaded;
use penstock_core::cell::Cell;
use penstock_core::manifest::{Field, FieldType, Infinite, OnMissing};
use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use penstock_core::row;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::cell::RefCell;

/// More inputs than this are told by their policies alone; asking takes a prediction each.
const MOST_INPUTS: usize = 2_000;

/// Example rows that are shown.
const SHOWN: usize = 5;

type Object = Map<String, Value>;

pub struct Probe<'a> {
    plan: &'a Plan,
    /// Rows that the model answers, those with the fewest missing values first.
    rows: Vec<Object>,
    scratch: RefCell<Scratch>,
}

#[derive(Deserialize)]
struct Examples {
    rows: Vec<Object>,
}

impl<'a> Probe<'a> {
    pub fn new(loaded: &'a Loaded) -> Self {
        let plan = &loaded.model.plan;
        let examples: Result<Examples, _> = serde_json::from_str(&loaded.model.examples);
        let mut probe = Self { plan, rows: Vec::new(), scratch: RefCell::default() };
        let rows = examples.map(|examples| examples.rows).unwrap_or_default();
        let mut rows: Vec<_> = rows.into_iter().filter(|row| probe.answers(row)).collect();
        rows.sort_by_key(|row| row.values().filter(|value| value.is_null()).count());
        rows.truncate(SHOWN);
        probe.rows = rows;
        probe
    }

    fn answers(&self, row: &Object) -> bool {
        let cells = row::cells(self.plan, row);
        let mut scratch = self.scratch.borrow_mut();
        cells.is_ok_and(|cells| self.plan.predict_row(&cells, &mut scratch, &mut None).is_ok())
    }

    pub fn examples(&self) -> &[Object] {
        &self.rows
    }

    /// Whether an input may be missing.
    pub fn takes_missing(&self, at: usize, field: &Field) -> bool {
        field.r#type == FieldType::Ignored
            || (field.on_missing != OnMissing::Refuse && self.takes(at, Cell::Missing))
    }

    pub fn takes_number(&self, at: usize, field: &Field, x: f64) -> bool {
        let is_refused = x.is_infinite() && field.infinite == Infinite::Refuse;
        !is_refused && self.takes(at, Cell::Number(x))
    }

    /// Whether the first example is answered with this value in place of its own; also if there is none to ask with.
    fn takes(&self, at: usize, cell: Cell<'_>) -> bool {
        let Some(row) = self.rows.first().filter(|_| self.plan.fields.len() <= MOST_INPUTS) else {
            return true;
        };
        let Ok(mut cells) = row::cells(self.plan, row) else { return true };
        if let Some(place) = cells.get_mut(at) {
            *place = cell;
        }
        self.plan.predict_row(&cells, &mut self.scratch.borrow_mut(), &mut None).is_ok()
    }
}
