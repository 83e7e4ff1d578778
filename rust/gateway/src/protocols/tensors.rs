//! Input tensors and the columns that they are: one tensor per input, or one table of numbers.

use crate::failure::{Failure, Kind};
use crate::protocols::datatypes::Datatype;
use crate::protocols::payload::Payload;
use crate::protocols::values::{Slice, Values};
use penstock_core::cell::Cell;
use penstock_core::manifest::FieldType;
use penstock_core::plan::Plan;
use penstock_core::rows::Sent;

/// One input as it was sent.
#[derive(Debug)]
pub struct Tensor<'a> {
    pub name: &'a str,
    pub shape: Vec<i64>,
    pub values: Values<'a>,
}

/// What the parameters of a tensor say.
#[derive(Debug, Clone, Default)]
pub struct Hints<'a> {
    /// What the values stand for, if not for themselves.
    pub content_type: Option<&'a str>,
    /// Positions of missing values.
    pub missing: Option<&'a str>,
}

/// What a `content_type` may be; only `datetime` changes what is read.
const CONTENT_TYPES: [&str; 5] = ["str", "np", "pd", "pd_json", DATETIME];
const DATETIME: &str = "datetime";

impl<'a> Tensor<'a> {
    /// Checks the shape against the values and takes account of the hints.
    ///
    /// # Errors
    /// What is wrong with the tensor.
    pub fn new(
        name: &'a str,
        (datatype, shape): (Datatype, Vec<i64>),
        mut values: Values<'a>,
        hints: &Hints<'_>,
    ) -> Result<Self, Failure> {
        let fail = |what: String| wrong(name, &what);
        let size = shape.iter().try_fold(1_usize, |size, length| {
            usize::try_from(*length).ok().and_then(|length| size.checked_mul(length))
        });
        let size = size.ok_or_else(|| fail(format!("cannot have the shape {shape:?}")))?;
        if values.len() != size {
            let (count, is) = (values.len(), if values.len() == 1 { "value" } else { "values" });
            return Err(fail(format!("has {count} {is}; its shape {shape:?} needs {size}")));
        }
        match hints.content_type {
            Some(DATETIME) if datatype == Datatype::Int64 => values = instants(values),
            Some(other) if !CONTENT_TYPES.contains(&other) => {
                let known = CONTENT_TYPES.map(|known| format!("`{known}`")).join(", ");
                return Err(fail(format!("has the content_type `{other}`; known are {known}")));
            }
            _ => {}
        }
        for position in hints.missing.into_iter().flat_map(|text| text.split(',')) {
            let position = position.trim();
            let is_known = position.is_empty()
                || position.parse().is_ok_and(|position| values.forget(position));
            if !is_known {
                return Err(fail(format!(
                    "has `{position}` in the parameter `missing`, which lists positions from 0 to \
                     {}, as \"0,4,7\"",
                    size.saturating_sub(1)
                )));
            }
        }
        Ok(Self { name, shape, values })
    }

    /// Rows, if this is a column: its shape is `[n]` or `[n, 1]`.
    fn column_rows(&self) -> Option<usize> {
        match self.shape.as_slice() {
            [_] | [_, 1] => Some(self.values.len()),
            _ => None,
        }
    }
}

pub fn wrong(name: &str, what: &str) -> Failure {
    let mut failure = Failure::new(Kind::Value, format!("tensor `{name}` {what}"));
    failure.field = Some(name.to_owned());
    failure
}

/// Integers as microseconds since 1970 UTC.
fn instants(values: Values<'_>) -> Values<'_> {
    let instant = |sent: Sent<'_>| match sent.cell() {
        Cell::Integer(x) => Sent::Cell(Cell::Timestamp(x)),
        Cell::Number(x) if !x.is_nan() => Sent::Cell(Cell::Timestamp(x as i64)),
        _ => Sent::Cell(Cell::Missing),
    };
    Values::Mixed(match values {
        Values::Numbers(values) => {
            values.into_iter().map(|x| instant(Sent::Cell(Cell::Number(x)))).collect()
        }
        Values::Mixed(values) => values.into_iter().map(instant).collect(),
    })
}

/// Finds the column of each field.
///
/// # Errors
/// Names that are no inputs, come twice or are not there; lengths that differ.
pub fn bind<'v>(
    plan: &Plan,
    tensors: &'v [Tensor<'v>],
    most_rows: usize,
) -> Result<Payload<'v>, Failure> {
    let payload = match tensors {
        [table] if plan.position(table.name).is_none() && table.shape.len() == 2 => {
            bind_table(plan, table)?
        }
        tensors => bind_columns(plan, tensors)?,
    };
    if payload.rows() > most_rows {
        let detail = format!("the request has more than {most_rows} rows; send them in parts");
        return Err(Failure::new(Kind::TooLarge, detail));
    }
    Ok(payload)
}

fn bind_columns<'v>(plan: &Plan, tensors: &'v [Tensor<'v>]) -> Result<Payload<'v>, Failure> {
    let names: Vec<_> = tensors.iter().map(|tensor| tensor.name).collect();
    let places = plan.match_columns(&names)?;
    for (field, place) in plan.fields.iter().zip(&places) {
        if place.is_none() && !field.is_ignored() {
            return Err(plan.absent_column(&field.name).into());
        }
    }
    let rows = tensors.first().and_then(Tensor::column_rows).unwrap_or(0);
    for tensor in tensors {
        match tensor.column_rows() {
            Some(count) if count == rows => {}
            Some(count) => {
                let other = names.first().copied().unwrap_or_default();
                let what = format!("has {count} rows and tensor `{other}` has {rows}");
                return Err(wrong(tensor.name, &format!("{what}; they must have as many")));
            }
            None => {
                let shape = &tensor.shape;
                let what = format!("has the shape {shape:?}; a column has [n] or [n, 1]");
                return Err(wrong(tensor.name, &what));
            }
        }
    }
    let column = |place: usize| {
        tensors.get(place).map(|tensor| Slice { values: &tensor.values, first: 0, step: 1, rows })
    };
    let columns = places.into_iter().map(|place| place.and_then(column)).collect();
    Ok(Payload::Tensors { columns, rows })
}

/// One tensor with all columns side by side, in the order of the schema; inputs that the model ignores may be left out.
fn bind_table<'v>(plan: &Plan, table: &'v Tensor<'v>) -> Result<Payload<'v>, Failure> {
    let used = plan.fields.iter().filter(|field| !field.is_ignored());
    let others: Vec<_> = used
        .clone()
        .filter(|field| field.r#type != FieldType::Number)
        .map(|field| format!("`{}`", field.name))
        .collect();
    let (width, used) = (table.shape.last().copied().unwrap_or_default(), used.count());
    if !others.is_empty() {
        // Most likely a misspelt name; if not, the message says the rule.
        let unknown = plan.unknown_column(table.name).0;
        let names = others.join(", ");
        let detail = format!(
            "{unknown}; a table of all columns is read only if all inputs are numbers, \
             which {names} are not: send one tensor per input"
        );
        return Err(Failure::new(Kind::Columns, detail));
    }
    let width = usize::try_from(width).unwrap_or_default();
    let is_whole = width == plan.fields.len();
    if !is_whole && width != used {
        let expected = plan.fields.len();
        let what = format!("has {width} columns; the model has {expected} inputs");
        let mut failure = Failure::new(Kind::Columns, format!("tensor `{}` {what}", table.name));
        failure.field = Some(table.name.to_owned());
        return Err(failure);
    }
    let rows = table.values.len().checked_div(width).unwrap_or_default();
    let mut first = 0..width;
    let columns = plan.fields.iter().map(|field| {
        let first = if is_whole || !field.is_ignored() { first.next() } else { None };
        first.map(|first| Slice { values: &table.values, first, step: width, rows })
    });
    Ok(Payload::Tensors { columns: columns.collect(), rows })
}
