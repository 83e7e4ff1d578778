//! A batch on several threads: fixed ranges of rows, so that no bit depends on how many there are.

use crate::answers::Answers;
use crate::pages;
use penstock_core::error::SchemaError;
use penstock_core::explain::{ColumnKind, ExplainScratch, Explainer, ExplanationColumn};
use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
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
    Texts(Vec<Option<String>>),
}

impl Values {
    fn new(element: &OutputElement, rows: usize) -> Self {
        match element {
            OutputElement::Number(_) => Values::Numbers(numbers(rows)),
            OutputElement::Code(_) => Values::Codes(vec![0; rows]),
            OutputElement::Text(_) | OutputElement::Made(_) => Values::Texts(vec![None; rows]),
        }
    }

    fn chunks(&mut self, rows: usize) -> Vec<Target<'_>> {
        match self {
            Values::Numbers(values) => values.chunks_mut(rows).map(Target::Numbers).collect(),
            Values::Codes(values) => values.chunks_mut(rows).map(Target::Codes).collect(),
            Values::Texts(values) => values.chunks_mut(rows).map(Target::Texts).collect(),
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
    targets: Vec<Target<'a>>,
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
    let each = |work: &mut Work<'_>, scratch: &mut Scratch, report: &mut Report| {
        plan.predict_range(table, work.rows.clone(), &mut work.targets, scratch, report);
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
        ColumnKind::Texts => Values::Texts(vec![None; rows]),
    });
    let each = |work: &mut Work<'_>, scratch: &mut ExplainScratch, report: &mut Report| {
        let rows = work.rows.clone();
        explainer.explain_into(table, rows, top, &mut work.targets, scratch, report);
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
    each: impl Fn(&mut Work<'_>, &mut S, &mut Report) + Sync,
) -> (Vec<Values>, Report) {
    let mut work: Vec<Work<'_>> = (0..rows)
        .step_by(range_rows)
        .map(|start| Work { rows: start..rows.min(start + range_rows), targets: Vec::new() })
        .collect();
    for column in &mut values {
        for (work, target) in work.iter_mut().zip(column.chunks(range_rows)) {
            work.targets.push(target);
        }
    }
    let threads = wish.threads.clamp(1, work.len().max(1));
    let queue = Mutex::new(work.into_iter());
    let run = || {
        let mut scratch = S::default();
        let mut report = Report { warnings: wish.warnings.then(Vec::new), ..Report::default() };
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(mut work) = next else { return report };
            each(&mut work, &mut scratch, &mut report);
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
