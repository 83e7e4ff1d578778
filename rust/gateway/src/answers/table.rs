//! Predictions as tables: CSV and Arrow, with the columns that Python's tables have.

use super::echo::Echo;
use super::json;
use crate::catalog::Loaded;
use crate::failure::{Failure, Kind};
use crate::handlers::asked::Asked;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Field, Schema};
use arrow_select::concat::concat_batches;
use penstock_batch::answers::{placed, AnswerColumn, Answers, With};
use penstock_core::error::Warning;
use penstock_core::explain::{ColumnKind, ExplanationColumn};
use penstock_core::plan::{OutputColumn, OutputElement, Plan};
use penstock_core::predict::{Answer, Report, Target};
use serde_json::Value;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Rows that parts are joined to, at most.
const BATCH_ROWS: usize = 4096;

/// The columns of a table of answers.
pub struct Names {
    echo: Vec<String>,
    outputs: Vec<OutputColumn>,
    pub explained: Vec<ExplanationColumn>,
    errors: bool,
    warnings: bool,
}

impl Names {
    /// # Errors
    /// The model cannot be explained, or two columns would have one name.
    pub fn new(loaded: &Loaded, asked: &Asked) -> Result<Self, Failure> {
        let outputs = loaded.model.plan.output_columns();
        let mut explained = match asked.explain {
            Some(top) => loaded.explainer()?.columns(top),
            None => Vec::new(),
        };
        for column in &mut explained {
            if outputs.iter().any(|output| output.name == column.name) {
                // Many models have an output `raw`, as explanations have.
                column.name.insert_str(0, "explanation_");
            }
        }
        let names = Self {
            echo: asked.fields.clone(),
            outputs,
            explained,
            errors: asked.returns_errors,
            warnings: asked.warnings,
        };
        let mut seen = HashSet::new();
        if let Some(name) = names.all().find(|name| !seen.insert(*name)) {
            let detail = format!(
                "two columns of the answer would have the name `{name}`; accept `application/json`"
            );
            return Err(Failure::new(Kind::Unsupported, detail));
        }
        Ok(names)
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        let echo = self.echo.iter().map(String::as_str);
        let outputs = self.outputs.iter().map(|column| column.name.as_str());
        let explained = self.explained.iter().map(|column| column.name.as_str());
        let errors = self.errors.then_some("error").into_iter();
        let warnings = self.warnings.then_some("warnings").into_iter();
        echo.chain(outputs).chain(explained).chain(errors).chain(warnings)
    }

    /// The names of all columns, in order.
    pub fn columns(&self) -> Vec<&str> {
        self.all().collect()
    }

    /// The first line of a CSV.
    pub fn header(&self, to: &mut Vec<u8>) {
        for (at, name) in self.all().enumerate() {
            separate(at, to);
            quote(name, to);
        }
        to.extend_from_slice(b"\r\n");
    }
}

/// The answers of one column.
pub enum Values {
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
    Texts(Vec<Option<String>>),
}

impl Values {
    pub fn new(element: &OutputElement) -> Self {
        match element {
            OutputElement::Number(_) => Values::Numbers(Vec::new()),
            OutputElement::Code(_) => Values::Codes(Vec::new()),
            OutputElement::Text(_) | OutputElement::Made(_) => Values::Texts(Vec::new()),
        }
    }

    pub fn of_kind(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Numbers => Values::Numbers(Vec::new()),
            ColumnKind::Texts => Values::Texts(Vec::new()),
        }
    }

    pub fn target(&mut self, rows: usize) -> Target<'_> {
        match self {
            Values::Numbers(values) => {
                values.resize(rows, 0.0);
                Target::Numbers(values)
            }
            Values::Codes(values) => {
                values.resize(rows, 0);
                Target::Codes(values)
            }
            Values::Texts(values) => {
                values.resize(rows, None);
                Target::Texts(values)
            }
        }
    }

    /// The answer to one row.
    pub fn of_one(answer: Answer<'_>) -> Self {
        match answer {
            Answer::Number(number) => Values::Numbers(vec![number]),
            Answer::Code(code) => Values::Codes(vec![code]),
            Answer::Text(text) => Values::Texts(vec![text.map(str::to_owned)]),
        }
    }

    pub fn answer(&self, row: usize) -> Answer<'_> {
        match self {
            Values::Numbers(values) => Answer::Number(values[row]),
            Values::Codes(values) => Answer::Code(values[row]),
            Values::Texts(values) => Answer::Text(values[row].as_deref()),
        }
    }

    fn take(&mut self) -> AnswerColumn {
        match self {
            Values::Numbers(values) => AnswerColumn::Numbers(std::mem::take(values).into()),
            Values::Codes(values) => AnswerColumn::Codes(std::mem::take(values).into()),
            Values::Texts(values) => AnswerColumn::Texts(std::mem::take(values).into()),
        }
    }
}

/// What was found for some rows of a request.
pub struct Found<'a> {
    pub plan: &'a Plan,
    pub names: &'a Names,
    pub echo: &'a dyn Echo,
    pub rows: Range<usize>,
    pub values: &'a mut [Values],
    pub explained: &'a mut [Values],
    /// Rows that were refused, and warnings, by row of the table.
    pub refused: Vec<(usize, Failure)>,
    pub warnings: Vec<Warning>,
}

impl Found<'_> {
    /// Writes the rows as lines of CSV.
    pub fn csv(&self, to: &mut Vec<u8>) {
        let mut refused = self.refused.iter().peekable();
        let mut warnings = self.warnings.chunk_by(|a, b| a.row == b.row).peekable();
        for row in self.rows.clone() {
            let at = row - self.rows.start;
            for column in 0..self.names.echo.len() {
                separate(column, to);
                quote(&self.echo.text(column, row).unwrap_or_default(), to);
            }
            let mut place = self.names.echo.len();
            let failure = refused.next_if(|(refused, _)| *refused == row);
            let levels = |column: &OutputColumn| self.plan.outputs[column.output].levels.as_slice();
            let outputs = self.values.iter().zip(self.names.outputs.iter().map(levels));
            for (values, levels) in outputs.chain(self.explained.iter().map(|x| (x, &[][..]))) {
                separate(place, to);
                place += 1;
                if failure.is_none() {
                    write(values.answer(at), levels, to);
                }
            }
            if self.names.errors {
                separate(place, to);
                place += 1;
                quote(&failure.map_or(String::new(), |(_, failure)| self.message(failure)), to);
            }
            let some = warnings.next_if(|some| some[0].row == row).unwrap_or_default();
            if self.names.warnings {
                separate(place, to);
                let mut list = Vec::new();
                json::warning_list(self.plan, some, &mut list);
                quote(&String::from_utf8_lossy(&list), to);
            }
            to.extend_from_slice(b"\r\n");
        }
    }

    fn message(&self, failure: &Failure) -> String {
        placed(&failure.detail, failure.row)
    }

    /// The rows as a record batch.
    ///
    /// # Errors
    /// There is more than Arrow's offsets of 32 bits can tell.
    pub fn batch(&mut self) -> Result<RecordBatch, ArrowError> {
        let count = self.rows.len();
        for (row, _) in &self.refused {
            let at = row - self.rows.start;
            let all = self.values.iter_mut().chain(self.explained.iter_mut());
            all.for_each(|values| values.blank(at));
        }
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        for (at, name) in self.names.echo.iter().enumerate() {
            columns.push((name.clone(), self.echo.array(at, self.rows.clone())?));
        }
        let explained = self.names.explained.iter();
        let explained = explained.map(|column| OutputColumn {
            name: column.name.clone(),
            output: 0,
            element: 0,
        });
        let tables = [
            (self.names.outputs.clone(), &mut *self.values),
            (explained.collect(), &mut *self.explained),
        ];
        for (names, values) in tables {
            let values = values.iter_mut().map(Values::take).collect();
            let report = Report::default();
            let answers = Answers { rows: count, names, columns: values, report };
            columns.extend(named(&answers.record_batch(self.plan, With::default())?));
        }
        if self.names.errors {
            let mut messages = vec![None; count];
            for (row, failure) in &self.refused {
                messages[row - self.rows.start] = Some(self.message(failure));
            }
            columns.push(("error".to_owned(), Arc::new(StringArray::from(messages))));
        }
        if self.names.warnings {
            let start = self.rows.start;
            let warnings = std::mem::take(&mut self.warnings).into_iter();
            let warnings = warnings.map(|w| Warning { row: w.row - start, ..w }).collect();
            let report = Report { warnings: Some(warnings), ..Report::default() };
            let answers = Answers { rows: count, names: Vec::new(), columns: Vec::new(), report };
            let with = With { errors: false, warnings: true };
            columns.extend(named(&answers.record_batch(self.plan, with)?));
        }
        let fields =
            columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(schema, arrays, &options)
    }
}

fn named(batch: &RecordBatch) -> Vec<(String, ArrayRef)> {
    let schema = batch.schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    names.zip(batch.columns().iter().cloned()).collect()
}

impl Values {
    /// A row that was refused has no answer.
    fn blank(&mut self, row: usize) {
        match self {
            Values::Numbers(values) => values[row] = f64::NAN,
            Values::Codes(values) => values[row] = u32::MAX,
            Values::Texts(values) => values[row] = None,
        }
    }
}

/// Record batches as an Arrow stream.
///
/// # Errors
/// There is more than Arrow's offsets can tell.
pub fn stream(batches: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let schema = first.schema();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    let mut rest = batches;
    while !rest.is_empty() {
        // Where versions take turns, parts have few rows; readers like batches that are worth their name.
        let mut rows = 0;
        let small = rest.iter().take_while(|batch| {
            rows += batch.num_rows();
            rows <= BATCH_ROWS
        });
        let (some, others) = rest.split_at(small.count().max(1));
        match some {
            [only] => writer.write(only)?,
            several => writer.write(&concat_batches(&schema, several)?)?,
        }
        rest = others;
    }
    writer.into_inner()
}

fn separate(column: usize, to: &mut Vec<u8>) {
    if column > 0 {
        to.push(b',');
    }
}

/// A field of a CSV (RFC 4180).
fn quote(text: &str, to: &mut Vec<u8>) {
    if !text.contains(['"', ',', '\r', '\n']) {
        to.extend_from_slice(text.as_bytes());
        return;
    }
    to.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            to.push(b'"');
        }
        to.push(byte);
    }
    to.push(b'"');
}

/// An answer as a field of a CSV; nothing where it is missing.
fn write(answer: Answer<'_>, levels: &[Value], to: &mut Vec<u8>) {
    match answer {
        Answer::Number(x) if x.is_nan() => {}
        Answer::Number(x) if x.is_infinite() => {
            to.extend_from_slice(if x > 0.0 { b"Infinity" } else { b"-Infinity" });
        }
        Answer::Number(x) => json::json(&x, to),
        Answer::Code(code) => match levels.get(code as usize) {
            Some(Value::String(text)) => quote(text, to),
            Some(label) => json::json(label, to),
            None => {}
        },
        Answer::Text(text) => quote(text.unwrap_or_default(), to),
    }
}
