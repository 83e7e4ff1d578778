//! What a model takes, found by asking it: an example row with one value changed.

use crate::catalog::Loaded;
use penstock_core::cell::Cell;
use penstock_core::manifest::{Field, FieldType, Infinite, OnMissing};
use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use penstock_core::row;
use serde::Deserialize;
use serde_json::{Map, Value};

/// More inputs than this are told by their policies alone; asking takes a prediction each.
const MOST_INPUTS: usize = 1_000;

/// Example rows that are shown.
const SHOWN: usize = 5;

pub type Row = Map<String, Value>;

#[derive(Deserialize)]
struct Examples {
    rows: Vec<Row>,
}

/// Rows of the artifact that the model answers, those with the fewest missing values first.
pub fn examples(loaded: &Loaded) -> Vec<Row> {
    let plan = &loaded.model.plan;
    let examples: Result<Examples, _> = serde_json::from_str(&loaded.model.examples);
    let mut rows = examples.map(|examples| examples.rows).unwrap_or_default();
    rows.sort_by_key(|row| row.values().filter(|value| value.is_null()).count());
    let mut scratch = Scratch::default();
    let mut answers = |row: &Row| {
        let cells = row::cells(plan, row);
        cells.is_ok_and(|cells| plan.predict_row(&cells, &mut scratch, &mut None).is_ok())
    };
    rows.into_iter().filter(|row| answers(row)).take(SHOWN).collect()
}

/// Asks a model about values.
pub struct Probe<'a> {
    plan: &'a Plan,
    /// A row that is answered; none if there is none to ask with.
    cells: Option<Vec<Cell<'a>>>,
    scratch: Scratch,
}

impl<'a> Probe<'a> {
    pub fn new(loaded: &'a Loaded, examples: &'a [Row]) -> Self {
        let plan = &loaded.model.plan;
        let row = examples.first().filter(|_| plan.fields.len() <= MOST_INPUTS);
        let cells = row.and_then(|row| row::cells(plan, row).ok());
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
