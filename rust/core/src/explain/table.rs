//! Explanations as the columns of a table, and the inputs that matter most in each row.

use super::explainer::{ExplainScratch, Explainer, Explanation};
use crate::cell::Cell;
use crate::load::{instant, number, Table};
use crate::plan::OutputPlan;
use crate::predict::{Report, Target};
use crate::trees::MOST_ROWS;
use std::ops::Range;

/// What a column holds, for each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    Numbers,
    Texts,
}

/// A column of explanations.
#[derive(Debug, Clone)]
pub struct ExplanationColumn {
    pub name: String,
    pub kind: ColumnKind,
}

impl Explanation<'_> {
    /// The fields that bring most to an output in a row, the most first, up or down; none that brings nothing.
    pub fn top(&self, output: usize, row: usize, most: usize, found: &mut Vec<(usize, f64)>) {
        found.clear();
        let all = (0..self.fields).map(|field| (field, self.contributions(output, field)[row]));
        found.extend(all.filter(|(_, brought)| brought.abs() > 0.0));
        found.sort_by(|(_, a), (_, b)| b.abs().total_cmp(&a.abs()));
        found.truncate(most);
    }
}

impl Explainer {
    /// The columns of a table of explanations, with so many reasons at most.
    pub fn columns(&self, top: usize) -> Vec<ExplanationColumn> {
        let mut columns = Vec::new();
        let mut add = |name, kind| columns.push(ExplanationColumn { name, kind });
        for output in 0..self.output_count() {
            let class = self.names.get(output).map(|name| format!("_{}", OutputPlan::plain(name)));
            let class = class.unwrap_or_default();
            add(format!("base{class}"), ColumnKind::Numbers);
            for field in &self.fields {
                let field = &self.plan().fields[*field].name;
                add(format!("contribution{class}_{field}"), ColumnKind::Numbers);
            }
            add(format!("raw{class}"), ColumnKind::Numbers);
            for place in 1..=top.min(self.fields.len()) {
                add(format!("reason{class}_{place}"), ColumnKind::Texts);
                add(format!("reason{class}_{place}_value"), ColumnKind::Texts);
                add(format!("reason{class}_{place}_contribution"), ColumnKind::Numbers);
            }
        }
        columns
    }

    /// Explains the rows of a range; `targets` are in the order of [`Explainer::columns`].
    pub fn explain_into(
        &self,
        table: &Table<'_>,
        range: Range<usize>,
        top: usize,
        targets: &mut [Target<'_>],
        scratch: &mut ExplainScratch,
        report: &mut Report,
    ) {
        let first = range.start;
        let top = top.min(self.fields.len());
        let per_output = targets.len() / self.output_count().max(1);
        self.explain_range(table, range, scratch, report, |rows, faults, explanation| {
            let at = rows.start - first..rows.end - first;
            for (output, targets) in targets.chunks_mut(per_output).enumerate() {
                let (plain, reasons) = targets.split_at_mut(self.fields.len() + 2);
                write(explanation, output, at.clone(), plain);
                self.write_reasons(explanation, output, (table, rows.start), at.clone(), reasons);
            }
            debug_assert_eq!(per_output, self.fields.len() + 2 + 3 * top);
            for (row, _) in faults {
                targets.iter_mut().for_each(|target| target.blank(at.start + row));
            }
        });
    }

    /// Writes reasons, three columns for each place.
    fn write_reasons(
        &self,
        explanation: Explanation<'_>,
        output: usize,
        (table, start): (&Table<'_>, usize),
        at: Range<usize>,
        targets: &mut [Target<'_>],
    ) {
        let top = targets.len() / 3;
        if top == 0 {
            return;
        }
        let mut found = Vec::new();
        for (row, to) in at.enumerate() {
            explanation.top(output, row, top, &mut found);
            for (place, targets) in targets.chunks_mut(3).enumerate() {
                let reason = found.get(place);
                let [name, value, contribution] = targets else { continue };
                let field = reason.map(|(field, _)| self.fields[*field]);
                name.set_text(to, field.map(|field| self.plan().fields[field].name.as_str()));
                let sent = field.and_then(|field| sent(table, field, start + row));
                value.set_text(to, sent.as_deref());
                contribution.set_number(to, reason.map_or(f64::NAN, |reason| reason.1));
            }
        }
    }
}

/// Writes the base, what each field brings, and the raw score.
fn write(
    explanation: Explanation<'_>,
    output: usize,
    at: Range<usize>,
    targets: &mut [Target<'_>],
) {
    let mut raw = [0.0; MOST_ROWS];
    let raw = &mut raw[..at.len()];
    for (row, raw) in raw.iter_mut().enumerate() {
        *raw = explanation.raw(output, row);
    }
    let base = [explanation.base[output]; MOST_ROWS];
    let last = explanation.fields + 1;
    for (column, target) in targets.iter_mut().enumerate() {
        let Target::Numbers(numbers) = target else { continue };
        let values = match column {
            0 => &base[..at.len()],
            _ if column == last => &*raw,
            _ => &explanation.contributions(output, column - 1)[..at.len()],
        };
        numbers[at.clone()].copy_from_slice(values);
    }
}

/// The value of a field in a row as a person would write it; `None` where it is missing.
fn sent(table: &Table<'_>, field: usize, row: usize) -> Option<String> {
    let mut cells = [Cell::Absent];
    let column = (*table.columns.get(field)?)?;
    column.read(row, &mut cells);
    match cells[0] {
        Cell::Number(x) if !x.is_nan() => Some(number(x)),
        Cell::Integer(x) => Some(x.to_string()),
        Cell::Boolean(x) => Some(x.to_string()),
        Cell::Text(text) => Some(text.to_owned()),
        Cell::Lexical(text) => (!text.is_empty()).then(|| text.to_owned()),
        Cell::Timestamp(micros) => Some(instant(micros)),
        Cell::Absent | Cell::Missing | Cell::Number(_) | Cell::HugeInteger | Cell::Other(_) => None,
    }
}
