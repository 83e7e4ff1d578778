//! Answers to a table: one column for each element of an output, and all of them as an Arrow record batch.

use crate::parallel::Values;
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, ListArray,
    RecordBatch, RecordBatchOptions, StringArray, StructArray, UInt32Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema};
use penstock_core::error::{Fault, Warning};
use penstock_core::load::fault_message;
use penstock_core::plan::{OutputColumn, Plan};
use penstock_core::predict::Report;
use serde_json::Value;
use std::sync::Arc;

/// The answers to the rows of a table.
pub struct Answers {
    pub rows: usize,
    /// Names of the columns, and what they are elements of.
    pub names: Vec<OutputColumn>,
    pub columns: Vec<AnswerColumn>,
    pub report: Report,
}

/// Values of one column; a clone shares them.
#[derive(Debug, Clone)]
pub enum AnswerColumn {
    /// NaN is missing.
    Numbers(ScalarBuffer<f64>),
    /// Positions in the levels of the output; any that is no level is missing.
    Codes(ScalarBuffer<u32>),
    Texts(StringArray),
}

impl From<Values> for AnswerColumn {
    fn from(values: Values) -> Self {
        match values {
            Values::Numbers(values) => Self::Numbers(values.into()),
            Values::Codes(values) => Self::Codes(values.into()),
            Values::Texts(values) => Self::Texts(values.into()),
        }
    }
}

/// The columns of a record batch besides the answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct With {
    /// `error`: why a row was refused, as text.
    pub errors: bool,
    /// `warnings`: a list of `field`, `code` and `value`.
    pub warnings: bool,
}

impl Answers {
    pub fn new(rows: usize, names: Vec<OutputColumn>, values: Vec<Values>, report: Report) -> Self {
        let columns = values.into_iter().map(AnswerColumn::from).collect();
        Self { rows, names, columns, report }
    }

    /// The warnings in the order of the rows; none if they were not collected.
    pub fn warnings(&self) -> &[Warning] {
        self.report.warnings.as_deref().unwrap_or_default()
    }

    /// The answers as a record batch, with what the plan that gave them knows of labels and fields.
    ///
    /// # Errors
    /// `ArrowError` if there is more than Arrow's offsets of 32 bits can tell.
    pub fn record_batch(&self, plan: &Plan, with: With) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
        for (column, values) in self.names.iter().zip(&self.columns) {
            let array = match values {
                AnswerColumn::Numbers(values) => number_array(values),
                AnswerColumn::Codes(codes) => {
                    label_array(codes, &plan.outputs[column.output].levels)?
                }
                AnswerColumn::Texts(texts) => Arc::new(texts.clone()),
            };
            columns.push((&column.name, array));
        }
        if with.errors {
            columns.push(("error", self.error_array(plan)));
        }
        if with.warnings {
            columns.push(("warnings", self.warning_array(plan)?));
        }
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
            .collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
    }

    /// The reason for which each row was refused.
    fn error_array(&self, plan: &Plan) -> ArrayRef {
        let mut messages = vec![None; self.rows];
        for (row, fault) in &self.report.faults {
            messages[*row] = Some(message(plan, fault, Some(*row)));
        }
        Arc::new(StringArray::from(messages))
    }

    /// A list of field, code and value for each row.
    fn warning_array(&self, plan: &Plan) -> Result<ArrayRef, ArrowError> {
        let warnings = self.warnings();
        let mut counts = vec![0; self.rows];
        warnings.iter().for_each(|warning| counts[warning.row] += 1);
        let field = |warning: &Warning| plan.fields[warning.field].name.clone();
        let texts: [ArrayRef; 3] = [
            Arc::new(StringArray::from_iter_values(warnings.iter().map(field))),
            Arc::new(StringArray::from_iter_values(warnings.iter().map(|w| w.code.as_str()))),
            Arc::new(StringArray::from_iter_values(warnings.iter().map(|w| &w.value))),
        ];
        let fields: Fields = ["field", "code", "value"]
            .map(|name| Field::new(name, DataType::Utf8, true))
            .to_vec()
            .into();
        let items = StructArray::try_new(fields, texts.to_vec(), None)?;
        let item = Arc::new(Field::new("item", items.data_type().clone(), true));
        let offsets = OffsetBuffer::<i32>::from_lengths(counts);
        Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(items), None)?))
    }
}

/// The message of a fault; `row` is its position in a batch.
pub fn message(plan: &Plan, fault: &Fault, row: Option<usize>) -> String {
    placed(&fault_message(plan, fault), row)
}

/// A message about a row, if it is one of a batch.
pub fn placed(message: &str, row: Option<usize>) -> String {
    match row {
        Some(row) => format!("row {row}: {message}"),
        None => message.to_owned(),
    }
}

/// Numbers; missing is null, as everywhere in Arrow.
fn number_array(values: &ScalarBuffer<f64>) -> ArrayRef {
    let missing = values.iter().fold(0, |count, x| count + usize::from(x.is_nan()));
    let present = || BooleanBuffer::collect_bool(values.len(), |at| !values[at].is_nan());
    let present = (missing > 0).then(|| NullBuffer::new(present()));
    Arc::new(Float64Array::new(values.clone(), present))
}

/// Labels in their own type; texts as a dictionary.
fn label_array(codes: &[u32], levels: &[Value]) -> Result<ArrayRef, ArrowError> {
    let of = |code: &u32| levels.get(*code as usize);
    if levels.iter().all(Value::is_boolean) {
        let values = codes.iter().map(|code| of(code).and_then(Value::as_bool));
        return Ok(Arc::new(values.collect::<BooleanArray>()));
    }
    if levels.iter().all(Value::is_i64) {
        let values = codes.iter().map(|code| of(code).and_then(Value::as_i64));
        return Ok(Arc::new(values.collect::<Int64Array>()));
    }
    if levels.iter().all(Value::is_number) {
        let values = codes.iter().map(|code| of(code).and_then(Value::as_f64));
        return Ok(Arc::new(values.collect::<Float64Array>()));
    }
    let keys: UInt32Array =
        codes.iter().map(|code| (*code as usize).lt(&levels.len()).then_some(*code)).collect();
    let texts: StringArray = levels.iter().map(Value::as_str).collect();
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(texts))?))
}
