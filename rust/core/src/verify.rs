//! Runs the examples of an artifact and compares the answers with those of the source library.

use crate::cell::Cell;
use crate::error::ArtifactError;
use crate::manifest::OutputKind;
use crate::plan::block::Scratch;
use crate::plan::{OutputElement, OutputPlan, Plan};
use crate::predict::Answer;
use crate::rows::{Rows, WrongRow};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// The key of the answer to a row that is refused.
const REFUSED: &str = "error";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Examples<'a> {
    #[serde(borrow)]
    rows: Vec<&'a RawValue>,
    expected: Vec<Object>,
}

/// Every difference between the answers and what the examples expect, in words.
///
/// # Errors
/// `ArtifactError` when the examples cannot be understood.
pub fn verify(plan: &Plan, examples: &str) -> Result<Vec<String>, ArtifactError> {
    let wrong = |what: String| ArtifactError::new(format!("entry `examples.json`: {what}"));
    let examples: Examples<'_> =
        serde_json::from_str(examples).map_err(|error| wrong(error.to_string()))?;
    if examples.rows.len() != examples.expected.len() {
        return Err(ArtifactError::new(format!(
            "entry `examples.json` has {} rows but {} expected outputs",
            examples.rows.len(),
            examples.expected.len()
        )));
    }
    let mut scratch = Scratch::default();
    let is_output = is_output(plan, REFUSED);
    let (mut rows, mut differences) = (Rows::new(plan, Vec::new()), Vec::new());
    for (at, (row, expected)) in examples.rows.iter().zip(&examples.expected).enumerate() {
        // An output of that name is answered; then no refused row is among the examples.
        let is_answer = is_output || !expected.contains_key(REFUSED);
        let wanted = is_answer.then_some(expected);
        rows.truncate(0);
        let difference = match rows.read(plan, row.get().as_bytes()) {
            Err(WrongRow::Json(error)) => return Err(wrong(format!("example {at}: {error}"))),
            Err(WrongRow::Key(wrong)) => wanted.map(|_| wrong.error.0),
            Ok(()) => {
                let cells: Vec<Cell<'_>> = rows.cells(0).collect();
                compare_row(plan, &cells, wanted, &mut scratch)
            }
        };
        differences.extend(difference.map(|difference| format!("example {at}: {difference}")));
    }
    Ok(differences)
}

/// Whether answers have a key of this name.
fn is_output(plan: &Plan, key: &str) -> bool {
    plan.outputs.iter().any(|output| match output.kind {
        OutputKind::Features => output.names.iter().any(|name| name == key),
        _ => output.name == key,
    })
}

/// The first difference of one example; a row without `expected` is to be refused.
fn compare_row(
    plan: &Plan,
    cells: &[Cell<'_>],
    expected: Option<&Object>,
    scratch: &mut Scratch,
) -> Option<String> {
    let result = plan.predict_row(cells, scratch, &mut None);
    let expected = match (result, expected) {
        (Err(_), None) => return None,
        (Ok(()), None) => return Some("is answered, but was refused in training".to_owned()),
        (Err(fault), Some(_)) => return Some(crate::load::fault_message(plan, &fault)),
        (Ok(()), Some(expected)) => expected,
    };
    plan.outputs.iter().find_map(|output| compare_output(plan, output, expected, cells, scratch))
}

fn compare_output(
    plan: &Plan,
    output: &OutputPlan,
    expected: &Object,
    cells: &[Cell<'_>],
    scratch: &Scratch,
) -> Option<String> {
    for (at, element) in output.elements.iter().enumerate() {
        let name = match output.kind {
            OutputKind::Features => output.names[at].as_str().unwrap_or_default(),
            _ => &output.name,
        };
        let wanted = match (output.kind, expected.get(name)) {
            (OutputKind::Numbers, Some(Value::Array(list))) => list.get(at),
            (_, wanted) => wanted,
        };
        let Some(wanted) = wanted else {
            return Some(format!("output `{name}` has no expected value"));
        };
        if let Some(is) = difference(plan, output, element, wanted, cells, scratch) {
            return Some(format!("output `{name}` is {is}, not {wanted}"));
        }
    }
    None
}

/// The answer in words where it differs from what is wanted.
fn difference(
    plan: &Plan,
    output: &OutputPlan,
    element: &OutputElement,
    wanted: &Value,
    cells: &[Cell<'_>],
    scratch: &Scratch,
) -> Option<String> {
    match plan.answer(element, cells, scratch) {
        Answer::Number(x) => {
            let close = is_close(x, number(wanted)?, output.tolerance);
            (!close).then(|| x.to_string())
        }
        Answer::Code(code) => match output.levels.get(code as usize) {
            Some(level) if same(level, wanted) => None,
            Some(level) => Some(level.to_string()),
            None => (!wanted.is_null()).then(|| "none of the levels".to_owned()),
        },
        Answer::Text(text) => (text != wanted.as_str()).then(|| format!("{text:?}")),
    }
}

/// Equal labels; 1 and 1.0 are equal.
fn same(left: &Value, right: &Value) -> bool {
    left == right || (left.is_number() && right.is_number() && left.as_f64() == right.as_f64())
}

fn number(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Null => f64::NAN,
        Value::String(text) if text == "Infinity" => f64::INFINITY,
        Value::String(text) if text == "-Infinity" => f64::NEG_INFINITY,
        other => other.as_f64().unwrap_or(f64::NAN),
    })
}

/// Equal, both missing, or within a relative difference of `tolerance`; absolute below 1.
pub fn is_close(left: f64, right: f64, tolerance: f64) -> bool {
    if left == right || (left.is_nan() && right.is_nan()) {
        return true;
    }
    let scale = left.abs().max(right.abs()).max(1.0);
    tolerance > 0.0 && (left - right).abs() <= tolerance * scale
}
