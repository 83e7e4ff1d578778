//! Predictions of JSON rows: one object, a list of objects, or an object with `rows` and options.

use super::asked::{Asked, Batch};
use crate::answers::json;
use crate::catalog::{Loaded, Route, Version};
use crate::failure::{Failure, Kind};
use crate::seeing::observation::{Observation, Observed, Stage};
use penstock_core::cell::Cell;
use penstock_core::error::Warning;
use penstock_core::explain::ExplainScratch;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use penstock_core::rows::{ListSeed, RowSeed, Rows};
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

thread_local! {
    static SCRATCH: RefCell<(Scratch, ExplainScratch)> = RefCell::default();
}

/// What was asked to be predicted, before its rows are read.
pub struct Request<'a> {
    pub body: &'a [u8],
    pub asked: Asked,
    pub most_rows: usize,
}

/// An answer and what it is counted as.
pub struct Predicted {
    pub body: Vec<u8>,
    pub version: Arc<Version>,
    pub observed: Observed,
}

/// How the rows of a body are packed.
enum Packing<'a> {
    Row,
    List,
    Rows(&'a RawValue),
}

/// Answers a JSON body; `choose` tells which version answers, given the name that the request asks for.
///
/// # Errors
/// Why the request was refused; with `on_error=raise`, the first row that was.
pub fn json_body(
    route: &Route,
    mut request: Request<'_>,
    choose: impl FnOnce(&Route, Option<&str>) -> Result<Arc<Version>, Failure>,
) -> Result<Predicted, Failure> {
    let started = Instant::now();
    let packing = unpack(route, request.body, &mut request.asked)?;
    let version = choose(route, request.asked.version.as_deref())?;
    let loaded = version.loaded.clone();
    let plan = &loaded.model.plan;
    let mut seeing = Observation::begin(route, version.clone(), started);
    let mut rows = Rows::new(plan, request.asked.fields.clone());
    let is_single = matches!(packing, Packing::Row);
    let bytes = match packing {
        Packing::Row | Packing::List => request.body,
        Packing::Rows(rows) => rows.get().as_bytes(),
    };
    read_rows(plan, bytes, (is_single, request.most_rows), &mut rows)?;
    seeing.clock.lap(Stage::Parse);
    let mut body = Vec::with_capacity(64 + 128 * rows.len());
    if !is_single {
        seeing.batched();
        body.extend_from_slice(b"{\"predictions\":[");
    }
    let mut wrong = rows.wrong.iter().peekable();
    for row in 0..rows.len() {
        if row > 0 {
            body.push(b',');
        }
        body.push(b'{');
        let at = (!is_single).then_some(row);
        let answered = match wrong.next_if(|wrong| wrong.row == row) {
            Some(wrong) => Err(Failure::columns(wrong, at)),
            None => write_row(&loaded, (&rows, row, at), &request.asked, &mut seeing, &mut body),
        };
        if let Err(failure) = answered {
            if is_single || !request.asked.returns_errors || failure.kind == Kind::Unsupported {
                return Err(failure);
            }
            seeing.refused(&failure.code);
            json::error(&failure, &mut body);
        }
        body.push(b'}');
    }
    if !is_single {
        body.extend_from_slice(b"]}");
    }
    Ok(Predicted { body, version, observed: seeing.finish() })
}

/// Reads one row, or a list of at most so many.
fn read_rows<'a>(
    plan: &Plan,
    bytes: &'a [u8],
    (is_single, most): (bool, usize),
    rows: &mut Rows<'a>,
) -> Result<(), Failure> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = match is_single {
        true => RowSeed { plan, rows: &mut *rows }.deserialize(&mut reader),
        false => ListSeed { plan, rows: &mut *rows, most }.deserialize(&mut reader),
    };
    if rows.len() > most {
        let detail = format!("the request has more than {most} rows; send them in parts");
        return Err(Failure::new(Kind::TooLarge, detail));
    }
    read.and_then(|()| reader.end()).map_err(|error| malformed(&error))
}

/// Writes the entries of one row's answer; nothing of it if the row is refused.
fn write_row(
    loaded: &Loaded,
    (rows, row, at): (&Rows<'_>, usize, Option<usize>),
    asked: &Asked,
    seeing: &mut Observation,
    to: &mut Vec<u8>,
) -> Result<(), Failure> {
    let plan = &loaded.model.plan;
    let cells: Vec<Cell<'_>> = rows.cells(row).collect();
    let mut warnings: Option<Vec<Warning>> = asked.warnings.then(Vec::new);
    SCRATCH.with_borrow_mut(|(scratch, explaining)| {
        plan.predict_row(&cells, scratch, &mut warnings)
            .map_err(|fault| Failure::value(plan, &fault, at))?;
        seeing.clock.lap(Stage::Predict);
        seeing.row(row, &cells, scratch);
        for (key, value) in rows.kept(row) {
            json::json(&key, to);
            to.push(b':');
            to.extend_from_slice(value.map_or("null", RawValue::get).as_bytes());
            to.push(b',');
        }
        loaded.shapes.write(plan, &cells, scratch, to);
        if let Some(top) = asked.explain {
            let explainer = loaded.explainer()?;
            let explanation = explainer
                .explain_row(&cells, explaining, &mut None)
                .map_err(|fault| Failure::value(plan, &fault, at))?;
            to.push(b',');
            json::explanation(explainer, &cells, explanation, top, to);
        }
        if let Some(warnings) = &warnings {
            to.push(b',');
            json::warnings(plan, warnings, to);
        }
        seeing.clock.lap(Stage::Write);
        Ok(())
    })
}

/// Tells how the rows are packed, and takes the options that stand beside them. An object whose key `rows` is a list is
/// a batch, unless the model has an input of that name.
fn unpack<'a>(route: &Route, body: &'a [u8], asked: &mut Asked) -> Result<Packing<'a>, Failure> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        return Ok(Packing::List);
    }
    let has_input = route
        .versions
        .iter()
        .any(|(version, _)| version.loaded.model.plan.position("rows").is_some());
    if has_input || !has_rows(body) {
        return Ok(Packing::Row);
    }
    let batch: Batch<'a> = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
    let rows = batch.rows;
    asked.take(batch)?;
    Ok(Packing::Rows(rows))
}

/// Whether the body is an object with a key `rows`. Most rows do not even mention the word, and are not read twice.
fn has_rows(body: &[u8]) -> bool {
    type Keys<'a> = std::collections::HashMap<&'a str, serde::de::IgnoredAny>;
    memchr::memmem::find(body, b"\"rows\"").is_some()
        && serde_json::from_slice::<Keys<'_>>(body).is_ok_and(|keys| keys.contains_key("rows"))
}

fn malformed(error: &serde_json::Error) -> Failure {
    Failure::new(Kind::Malformed, format!("the body is not JSON rows: {error}"))
}
