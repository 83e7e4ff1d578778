//! A batch on several threads: fixed ranges of rows, so that no bit depends on how many there are.

use crate::answers::{text_array, Answers};
use crate::pages;
use arrow_array::StringArray;
use penstock_core::error::SchemaError;
use penstock_core::explain::{ColumnKind, ExplainScratch, Explainer, ExplanationColumn};
use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::text_column::TextColumn;
use penstock_core::plan::{OutputColumn, OutputElement, Plan};
use penstock_core::predict::{Report, Target};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Rows that a thread takes at a time: large against the cost of taking, small against a batch.
const RANGE_ROWS: usize = 4096;

/// Explaining takes a hundred times as long.
const EXPLAINED_ROWS: usize = 256;

/// The answers of a whole table, one entry per output column.
pub enum Values {
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
    /// Those of each range of rows.
    Texts(Vec<StringArray>),
}

impl Values {
    fn new(element: &OutputElement, rows: usize) -> Self {
        match element {
            OutputElement::Number(_) => Values::Numbers(numbers(rows)),
            OutputElement::Code(_) => Values::Codes(vec![0; rows]),
            OutputElement::Text(_) | OutputElement::Made(_) => Values::Texts(Vec::new()),
        }
    }

    /// Where the answers of ranges of `rows` rows each go, `count` ranges in all.
    fn slots(&mut self, rows: usize, count: usize) -> Vec<Slot<'_>> {
        match self {
            Values::Numbers(values) => values.chunks_mut(rows).map(Slot::Numbers).collect(),
            Values::Codes(values) => values.chunks_mut(rows).map(Slot::Codes).collect(),
            Values::Texts(parts) => {
                parts.resize_with(count, || StringArray::new_null(0));
                parts.iter_mut().map(Slot::Texts).collect()
            }
        }
    }
}

/// Where the answers of a range of rows go.
enum Slot<'a> {
    Numbers(&'a mut [f64]),
    Codes(&'a mut [u32]),
    Texts(&'a mut StringArray),
}

impl Slot<'_> {
    /// The same for the plan; texts are written into a column that the thread uses again and again.
    fn target<'a>(&'a mut self, texts: &'a mut TextColumn, rows: usize) -> Target<'a> {
        match self {
            Slot::Numbers(values) => Target::Numbers(values),
            Slot::Codes(values) => Target::Codes(values),
            Slot::Texts(_) => {
                texts.reset(rows);
                Target::Texts(texts)
            }
        }
    }
}

/// Room for so many numbers.
fn numbers(rows: usize) -> Vec<f64> {
    let numbers = vec![0.0; rows];
    pages::prefer_large(&numbers);
    numbers
}

/// A range of rows, and where its answers go.
struct Work<'a> {
    rows: Range<usize>,
    slots: Vec<Slot<'a>>,
}

/// How many threads there may be, the calling one among them, and whether warnings are collected.
#[derive(Clone, Copy)]
pub struct Wish {
    pub threads: usize,
    pub warnings: bool,
}

/// Predicts a table.
pub fn predict(plan: &Plan, table: &Table<'_>, wish: Wish) -> Answers {
    let elements = plan.outputs.iter().flat_map(|output| &output.elements);
    let values = elements.map(|element| Values::new(element, table.rows)).collect();
    let each = |rows, targets: &mut [Target<'_>], scratch: &mut Scratch, report: &mut Report| {
        plan.predict_range(table, rows, targets, scratch, report);
    };
    let (values, report) = fill(values, table.rows, RANGE_ROWS, wish, each);
    Answers::new(table.rows, plan.output_columns(), values, report)
}

/// Explains a table, with so many reasons for each row.
///
/// # Errors
/// `SchemaError` if two columns of the answers would have one name.
pub fn explain(
    explainer: &Explainer,
    table: &Table<'_>,
    top: usize,
    wish: Wish,
) -> Result<Answers, SchemaError> {
    let (columns, rows) = (explainer.columns(top), table.rows);
    if let Some(name) = twice(&columns) {
        return Err(SchemaError(format!(
            "two columns of the explanations would have the name `{name}`; send a list of rows"
        )));
    }
    let values = columns.iter().map(|column| match column.kind {
        ColumnKind::Numbers => Values::Numbers(vec![0.0; rows]),
        ColumnKind::Texts => Values::Texts(Vec::new()),
    });
    let each = |rows, targets: &mut [Target<'_>], scratch: &mut ExplainScratch, report: &mut _| {
        explainer.explain_into(table, rows, top, targets, scratch, report);
    };
    let (values, report) = fill(values.collect(), rows, EXPLAINED_ROWS, wish, each);
    let names = columns.into_iter();
    let names = names.map(|column| OutputColumn { name: column.name, output: 0, element: 0 });
    Ok(Answers::new(rows, names.collect(), values, report))
}

/// A name that comes a second time.
fn twice(columns: &[ExplanationColumn]) -> Option<&str> {
    let mut sorted: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    sorted.sort_unstable();
    sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// Fills the values range by range, each thread with a scratch of its own.
fn fill<S: Default>(
    mut values: Vec<Values>,
    rows: usize,
    range_rows: usize,
    wish: Wish,
    each: impl Fn(Range<usize>, &mut [Target<'_>], &mut S, &mut Report) + Sync,
) -> (Vec<Values>, Report) {
    let mut work: Vec<Work<'_>> = (0..rows)
        .step_by(range_rows)
        .map(|start| Work { rows: start..rows.min(start + range_rows), slots: Vec::new() })
        .collect();
    for column in &mut values {
        let slots = column.slots(range_rows, work.len());
        work.iter_mut().zip(slots).for_each(|(work, slot)| work.slots.push(slot));
    }
    let threads = wish.threads.clamp(1, work.len().max(1));
    let queue = Mutex::new(work.into_iter());
    let run = || {
        let mut scratch = S::default();
        let mut texts = Vec::new();
        let mut report = Report { warnings: wish.warnings.then(Vec::new), ..Report::default() };
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(Work { rows, mut slots }) = next else { return report };
            texts.resize_with(slots.len(), TextColumn::default);
            let targets = slots.iter_mut().zip(&mut texts);
            let targets = targets.map(|(slot, texts)| slot.target(texts, rows.len()));
            each(rows.clone(), &mut targets.collect::<Vec<_>>(), &mut scratch, &mut report);
            for (slot, texts) in slots.into_iter().zip(&texts) {
                if let Slot::Texts(array) = slot {
                    *array = text_array(texts);
                }
            }
        }
    };
    let mut reports = Vec::with_capacity(threads);
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        reports.push(run());
        for other in others {
            match other.join() {
                Ok(report) => reports.push(report),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    let report = merge(reports, wish.warnings);
    (values, report)
}

fn merge(reports: Vec<Report>, with_warnings: bool) -> Report {
    let mut merged = Report { warnings: with_warnings.then(Vec::new), ..Report::default() };
    for report in reports {
        merged.faults.extend(report.faults);
        if let (Some(all), Some(some)) = (&mut merged.warnings, report.warnings) {
            all.extend(some);
        }
    }
    merged.faults.sort_by_key(|(row, _)| *row);
    if let Some(warnings) = &mut merged.warnings {
        warnings.sort_by_key(|warning| (warning.row, warning.field));
    }
    merged
}
