//! Predictions: what came in by its form, rows on threads, and what goes out by its form.

use super::asked::Asked;
use super::blocks::{Part, Room, Task, Written};
use super::lines::split_lines;
use super::rows::{malformed, read_row, split_list, too_many, unpack, Packing};
use super::tables;
use crate::answers::json::{self, Explained};
use crate::answers::table;
use crate::catalog::{Loaded, Route, Version};
use crate::crowd::Crowd;
use crate::failure::{Failure, Kind};
use crate::forms::Form;
use penstock_core::cell::{Cell, Column};
use penstock_core::error::Warning;
use penstock_core::explain::ExplainScratch;
use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
use penstock_core::rows::{RowSeed, Rows};
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    static SCRATCH: RefCell<(Scratch, ExplainScratch)> = RefCell::default();
}

/// What was asked to be predicted, before its rows are read.
pub struct Request<'a> {
    pub body: &'a [u8],
    /// The form of the body, and that of the answer.
    pub sent: Form,
    pub wanted: Form,
    pub asked: Asked,
    pub most_rows: usize,
}

/// An answer and what it is counted as.
pub struct Predicted {
    pub body: Vec<u8>,
    pub version: Arc<Version>,
    pub rows: usize,
    pub refused: usize,
}

/// Answers a body; `choose` tells which version answers, given the name that the request asks for.
///
/// # Errors
/// Why the request was refused; with `on_error=raise`, the first row that was.
pub fn predict(
    route: &Route,
    mut request: Request<'_>,
    crowd: &Crowd,
    choose: impl FnOnce(&Route, Option<&str>) -> Result<Arc<Version>, Failure>,
) -> Result<Predicted, Failure> {
    let packing = match request.sent {
        Form::Json => Some(unpack(route, request.body, &mut request.asked)?),
        Form::Lines | Form::Csv | Form::Arrow => None,
    };
    let version = choose(route, request.asked.version.as_deref())?;
    let most = request.most_rows;
    let rows = match (packing, request.sent) {
        (Some(Packing::Row), _) => match request.wanted {
            Form::Json | Form::Lines => return single(version, &request),
            Form::Csv | Form::Arrow => vec![request.body],
        },
        (Some(Packing::List(list)), _) => split_list(list, most)?,
        (None, Form::Lines) => split_lines(request.body).take(most.saturating_add(1)).collect(),
        (None, _) => return tables::predict(version, &request, crowd),
    };
    if rows.len() > most {
        return Err(too_many(most));
    }
    batch(version, &rows, &request, crowd)
}

/// Answers one object.
fn single(version: Arc<Version>, request: &Request<'_>) -> Result<Predicted, Failure> {
    let loaded = &version.loaded;
    let plan = &loaded.model.plan;
    let mut rows = Rows::new(plan, request.asked.fields.clone());
    let mut reader = serde_json::Deserializer::from_slice(request.body);
    let read = RowSeed { plan, rows: &mut rows }.deserialize(&mut reader);
    read.and_then(|()| reader.end()).map_err(|error| malformed(request.body, &error, None))?;
    if let Some(wrong) = rows.wrong.first() {
        return Err(Failure::columns(wrong, None));
    }
    let mut body = Vec::with_capacity(192);
    body.push(b'{');
    write_row(loaded, &rows, &request.asked, &mut body)?;
    body.push(b'}');
    if request.wanted == Form::Lines {
        body.push(b'\n');
    }
    Ok(Predicted { body, version, rows: 1, refused: 0 })
}

/// Writes the entries of the answer to the only row.
fn write_row(
    loaded: &Loaded,
    rows: &Rows<'_>,
    asked: &Asked,
    to: &mut Vec<u8>,
) -> Result<(), Failure> {
    let plan = &loaded.model.plan;
    let cells: Vec<Cell<'_>> = rows.cells(0).collect();
    let mut warnings: Option<Vec<Warning>> = asked.warnings.then(Vec::new);
    SCRATCH.with_borrow_mut(|(scratch, explaining)| {
        plan.predict_row(&cells, scratch, &mut warnings)
            .map_err(|fault| Failure::value(plan, &fault, None))?;
        for (key, value) in rows.kept(0) {
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
                .map_err(|fault| Failure::value(plan, &fault, None))?;
            to.push(b',');
            let cell = |field: usize, to: &mut Vec<u8>| json::cell(cells[field], to);
            let explained = Explained { explainer, explanation, row: 0, cell: &cell };
            json::explanation(&explained, top, to);
        }
        if let Some(warnings) = &warnings {
            to.push(b',');
            json::warnings(plan, warnings, to);
        }
        Ok(())
    })
}

/// Answers rows that are given as their bytes. Of lines each stands for itself; a list is JSON as a whole or not at all.
fn batch(
    version: Arc<Version>,
    list: &[&[u8]],
    request: &Request<'_>,
    crowd: &Crowd,
) -> Result<Predicted, Failure> {
    let task = Task::new(&version.loaded, &request.asked, request.wanted)?;
    let are_apart = request.sent == Form::Lines;
    let size = task.part_rows();
    let rows = || Rows::new(&task.loaded.model.plan, request.asked.fields.clone());
    let state = || (rows(), Room::default());
    let parts = crowd.each(list.len().div_ceil(size).max(1), state, |(rows, room), part| {
        let first = part * size;
        let items = &list[first..list.len().min(first + size)];
        task.answer_items(items, (first, are_apart), rows, room)
    })?;
    let (body, refused) = join(parts, &task)?;
    Ok(Predicted { body, rows: list.len(), refused, version })
}

impl Task<'_> {
    /// Reads rows, the first of which has a number, in place of those in `rows`, and answers them; returns as well how
    /// many were refused. If rows are `are_apart`, one that is not JSON is refused alone.
    ///
    /// # Errors
    /// Why the rows were refused; with `on_error=raise`, the first that was.
    pub fn answer_items<'a>(
        &self,
        items: &[&'a [u8]],
        (first, are_apart): (usize, bool),
        rows: &mut Rows<'a>,
        room: &mut Room,
    ) -> Result<(Written, usize), Failure> {
        let plan = &self.loaded.model.plan;
        rows.truncate(0);
        let mut unread = Vec::new();
        for (row, item) in items.iter().enumerate() {
            match read_row(plan, rows, item, Some(first + row)) {
                Err(failure) if failure.kind == Kind::Malformed && !are_apart => {
                    return Err(failure);
                }
                Err(failure) => unread.push((row, failure)),
                Ok(()) => {}
            }
        }
        let rows = &*rows;
        let columns: Vec<_> = (0..plan.fields.len()).map(|field| rows.column(field)).collect();
        let columns = columns.iter().map(|column| Some(column as &dyn Column));
        let table = Table::new(plan, columns.collect(), rows.len());
        let range = 0..rows.len();
        self.answer(Part { table: &table, rows: range, first, unread, echo: rows }, room)
    }
}

/// The parts of an answer as one body, and how many rows were refused.
///
/// # Errors
/// There is more than a table can hold.
pub fn join(parts: Vec<(Written, usize)>, task: &Task<'_>) -> Result<(Vec<u8>, usize), Failure> {
    let refused = parts.iter().map(|(_, refused)| refused).sum();
    let mut texts = Vec::new();
    let mut batches = Vec::new();
    for (written, _) in parts {
        match written {
            Written::Text(text) => texts.push(text),
            Written::Batch(batch) => batches.push(batch),
        }
    }
    let (start, between, end): (&[u8], &[u8], &[u8]) = match task.form {
        Form::Json => (b"{\"predictions\":[", b",", b"]}"),
        Form::Lines | Form::Csv => (b"", b"", b""),
        Form::Arrow => {
            let stream = table::stream(&batches);
            let stream = stream.map_err(|error| Failure::new(Kind::TooLarge, error.to_string()))?;
            return Ok((stream, refused));
        }
    };
    let length: usize = texts.iter().map(|text| text.len() + 1).sum();
    let mut body = Vec::with_capacity(start.len() + length + end.len());
    body.extend_from_slice(start);
    if let (Form::Csv, Some(names)) = (task.form, &task.names) {
        names.header(&mut body);
    }
    for (at, text) in texts.into_iter().enumerate() {
        if at > 0 {
            body.extend_from_slice(between);
        }
        body.extend_from_slice(&text);
    }
    body.extend_from_slice(end);
    Ok((body, refused))
}
