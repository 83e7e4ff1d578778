//! Predictions of JSON rows: one object, a list of objects, or an object with `rows` and options.

use super::asked::Asked;
use super::blocks::{check_explain, part_rows, Part, Room, Style};
use super::lines::split_lines;
use super::rows::{malformed, read_row, split_list, too_many, unpack, Packing};
use crate::answers::json::{self, Explained};
use crate::catalog::{Loaded, Route, Version};
use crate::crowd::Crowd;
use crate::failure::{Failure, Kind};
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

/// Answers a JSON body by JSON; `choose` tells which version answers, given the name that the request asks for.
///
/// # Errors
/// Why the request was refused; with `on_error=raise`, the first row that was.
pub fn json_body(
    route: &Route,
    mut request: Request<'_>,
    style: Style,
    crowd: &Crowd,
    choose: impl FnOnce(&Route, Option<&str>) -> Result<Arc<Version>, Failure>,
) -> Result<Predicted, Failure> {
    let packing = unpack(route, request.body, &mut request.asked)?;
    let version = choose(route, request.asked.version.as_deref())?;
    let list = match packing {
        Packing::Row => return single(version, &request, style),
        Packing::List(list) => split_list(list, request.most_rows)?,
    };
    batch(version, &list, (&request.asked, style, false), crowd)
}

/// Answers a body of JSON lines that was read whole.
///
/// # Errors
/// Why the request was refused; with `on_error=raise`, the first row that was.
pub fn lines_body(
    route: &Route,
    request: Request<'_>,
    style: Style,
    crowd: &Crowd,
    choose: impl FnOnce(&Route, Option<&str>) -> Result<Arc<Version>, Failure>,
) -> Result<Predicted, Failure> {
    let version = choose(route, request.asked.version.as_deref())?;
    let list: Vec<_> = split_lines(request.body).take(request.most_rows + 1).collect();
    if list.len() > request.most_rows {
        return Err(too_many(request.most_rows));
    }
    batch(version, &list, (&request.asked, style, true), crowd)
}

/// Answers one object.
fn single(
    version: Arc<Version>,
    request: &Request<'_>,
    style: Style,
) -> Result<Predicted, Failure> {
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
    if style == Style::Lines {
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
        write_kept(rows, 0, to);
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

/// Writes the values that are sent back with a row.
fn write_kept(rows: &Rows<'_>, row: usize, to: &mut Vec<u8>) {
    for (key, value) in rows.kept(row) {
        json::json(&key, to);
        to.push(b':');
        to.extend_from_slice(value.map_or("null", RawValue::get).as_bytes());
        to.push(b',');
    }
}

/// How rows that are given as their bytes are answered.
pub struct Task<'t> {
    pub loaded: &'t Loaded,
    pub asked: &'t Asked,
    pub style: Style,
    /// Rows that are no JSON are refused alone; else the whole request is.
    pub are_apart: bool,
}

/// Answers rows that are given as their bytes.
///
/// # Errors
/// Why the rows were refused; with `on_error=raise`, the first that was.
pub fn batch(
    version: Arc<Version>,
    list: &[&[u8]],
    (asked, style, are_apart): (&Asked, Style, bool),
    crowd: &Crowd,
) -> Result<Predicted, Failure> {
    let loaded = &version.loaded;
    check_explain(loaded, asked)?;
    let task = Task { loaded, asked, style, are_apart };
    let size = part_rows(loaded, asked);
    let state = || (Rows::new(&loaded.model.plan, asked.fields.clone()), Room::default());
    let parts = crowd.each(list.len().div_ceil(size), state, |(rows, room), part| {
        let first = part * size;
        task.answer(&list[first..list.len().min(first + size)], first, rows, room)
    })?;
    let (body, refused) = join(parts, style);
    Ok(Predicted { body, rows: list.len(), refused, version })
}

impl Task<'_> {
    /// Reads rows, the first of which has a number, in place of those in `rows`, and answers them; returns as well how
    /// many were refused.
    ///
    /// # Errors
    /// Why the rows were refused; with `on_error=raise`, the first that was.
    pub fn answer<'a>(
        &self,
        items: &[&'a [u8]],
        first: usize,
        rows: &mut Rows<'a>,
        room: &mut Room,
    ) -> Result<(Vec<u8>, usize), Failure> {
        let Self { loaded, asked, style, are_apart } = *self;
        let plan = &loaded.model.plan;
        rows.truncate(0);
        let mut unread = Vec::new();
        for (row, item) in items.iter().enumerate() {
            match read_row(plan, rows, item, Some(first + row)) {
                Err(failure) if failure.kind == Kind::Malformed && !are_apart => {
                    return Err(failure)
                }
                Err(failure) => unread.push((row, failure)),
                Ok(()) => {}
            }
        }
        let rows = &*rows;
        let columns: Vec<_> = (0..plan.fields.len()).map(|field| rows.column(field)).collect();
        let columns = columns.iter().map(|column| Some(column as &dyn Column));
        let table = Table::new(plan, columns.collect(), rows.len());
        let echo = |row: usize, to: &mut Vec<u8>| write_kept(rows, row, to);
        let rows = 0..rows.len();
        let part = Part { loaded, asked, table: &table, rows, first, unread, echo: &echo };
        let mut to = Vec::with_capacity(96 * items.len());
        part.write(room, style, &mut to).map(|refused| (to, refused))
    }
}

/// The parts of an answer as one body.
fn join(parts: Vec<(Vec<u8>, usize)>, style: Style) -> (Vec<u8>, usize) {
    let (start, between, end): (&[u8], &[u8], &[u8]) = match style {
        Style::List => (b"{\"predictions\":[", b",", b"]}"),
        Style::Lines => (b"", b"", b""),
    };
    let length: usize = parts.iter().map(|(part, _)| part.len() + 1).sum();
    let mut body = Vec::with_capacity(start.len() + length + end.len());
    body.extend_from_slice(start);
    let mut refused = 0;
    for (at, (part, count)) in parts.into_iter().enumerate() {
        if at > 0 {
            body.extend_from_slice(between);
        }
        body.extend_from_slice(&part);
        refused += count;
    }
    body.extend_from_slice(end);
    (body, refused)
}
