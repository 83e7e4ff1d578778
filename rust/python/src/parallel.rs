//! A batch on several threads: fixed ranges of rows, so that no bit depends on how many there are.

use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::{OutputElement, Plan};
use penstock_core::predict::{Report, Target};
use std::sync::{Mutex, PoisonError};

/// Rows that a thread takes at a time: large against the cost of taking, small against a batch.
const RANGE_ROWS: usize = 4096;

/// The answers of a whole table, one entry per output column.
pub enum Values {
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
    Texts(Vec<Option<String>>),
}

impl Values {
    fn new(element: &OutputElement, rows: usize) -> Self {
        match element {
            OutputElement::Number(_) => Values::Numbers(vec![0.0; rows]),
            OutputElement::Code(_) => Values::Codes(vec![0; rows]),
            OutputElement::Text(_) => Values::Texts(vec![None; rows]),
        }
    }

    fn chunks(&mut self) -> Vec<Target<'_>> {
        match self {
            Values::Numbers(values) => values.chunks_mut(RANGE_ROWS).map(Target::Numbers).collect(),
            Values::Codes(values) => values.chunks_mut(RANGE_ROWS).map(Target::Codes).collect(),
            Values::Texts(values) => values.chunks_mut(RANGE_ROWS).map(Target::Texts).collect(),
        }
    }
}

struct Work<'a> {
    start: usize,
    targets: Vec<Target<'a>>,
}

/// Predicts a table on at most `threads` threads, the calling one among them.
pub fn predict(
    plan: &Plan,
    table: &Table<'_>,
    threads: usize,
    with_warnings: bool,
) -> (Vec<Values>, Report) {
    let elements = plan.outputs.iter().flat_map(|output| &output.elements);
    let mut values: Vec<Values> =
        elements.map(|element| Values::new(element, table.rows)).collect();
    let mut work: Vec<Work<'_>> = (0..table.rows)
        .step_by(RANGE_ROWS)
        .map(|start| Work { start, targets: Vec::new() })
        .collect();
    for column in &mut values {
        for (work, target) in work.iter_mut().zip(column.chunks()) {
            work.targets.push(target);
        }
    }
    let threads = threads.clamp(1, work.len().max(1));
    let queue = Mutex::new(work.into_iter());
    let run = || run(plan, table, &queue, with_warnings);
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
    let report = merge(reports, with_warnings);
    (values, report)
}

fn run(
    plan: &Plan,
    table: &Table<'_>,
    queue: &Mutex<std::vec::IntoIter<Work<'_>>>,
    with_warnings: bool,
) -> Report {
    let mut scratch = Scratch::default();
    let mut report = Report { warnings: with_warnings.then(Vec::new), ..Report::default() };
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(mut work) = next else { return report };
        let range = work.start..table.rows.min(work.start + RANGE_ROWS);
        plan.predict_range(table, range, &mut work.targets, &mut scratch, &mut report);
    }
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
