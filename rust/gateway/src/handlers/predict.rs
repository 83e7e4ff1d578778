//! Predictions: what came in by its form, rows on threads, and what goes out by its form.

use super::asked::Asked;
use super::blocks::{check_fields, Part, Room, Task, Written};
use super::lines::split_lines;
use super::rows::{check_count, read_row, split_list, unpack, Packing};
use super::shares::{Answered, Chosen, Shares, Who};
use super::{sticky, tables};
use crate::answers::json::{self, Explained};
use crate::answers::table;
use crate::catalog::{Route, Version};
use crate::crowd::Crowd;
use crate::failure::{Failure, Kind};
use crate::forms::Form;
use crate::seeing::observation::{Clock, Observation, Stage};
use penstock_core::cell::{Cell, Column};
use penstock_core::error::Warning;
use penstock_core::explain::ExplainScratch;
use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
use penstock_core::rows::Rows;
use serde_json::value::RawValue;
use std::cell::RefCell;
use std::time::Instant;

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
    pub most_explained: usize,
    /// The value of the header that a sticky route goes by.
    pub key: Option<&'a [u8]>,
    pub chosen: &'a Chosen,
}

/// An answer, and who has answered.
pub struct Predicted {
    pub body: Vec<u8>,
    pub answered: Answered,
}

/// Answers a body.
///
/// # Errors
/// Why the request was refused; with `on_error=raise`, the first row that was.
pub fn predict(
    route: &Route,
    mut request: Request<'_>,
    crowd: &Crowd,
) -> Result<Predicted, Failure> {
    let started = Instant::now();
    let packing = match request.sent {
        Form::Json => Some(unpack(route, request.body, &mut request.asked)?),
        Form::Lines | Form::Csv | Form::Arrow => None,
    };
    let who = Who::of(route, request.asked.version.as_deref(), request.key)?;
    if let Who::One(version) = &who {
        request.chosen.get_or_init(|| version.clone());
    }
    let most = request.most_rows;
    let list = match (packing, request.sent) {
        (Some(Packing::Row), _) => match request.wanted {
            Form::Json | Form::Lines => return single(route, &who, &request, started),
            Form::Csv | Form::Arrow => vec![request.body],
        },
        (Some(Packing::List(list)), _) => split_list(list, most)?,
        (None, Form::Lines) => split_lines(request.body).take(most.saturating_add(1)).collect(),
        (None, _) => return tables::predict(route, &who, &request, crowd, started),
    };
    check_count(list.len(), &request)?;
    let key = |row: usize, input: &str| sticky::key(list.get(row).copied().unwrap_or(b""), input);
    let shares = Shares::new(route, &who, list.len(), key)?;
    let seen = shares.observe(route, request.chosen, started);
    let tasks = shares.tasks(&seen, &request.asked, request.wanted)?;
    let parts = shares.parts(&tasks);
    let rows = |task: &Task<'_>| Rows::new(&task.loaded.model.plan, task.asked.fields.clone());
    let state = || tasks.iter().map(|task| (rows(task), Room::default())).collect::<Vec<_>>();
    let are_apart = request.sent == Form::Lines;
    let written = crowd.each(parts.len(), state, |state, part| {
        let (at, range) = &parts[part];
        let (rows, room) = &mut state[*at];
        tasks[*at].answer_items(&list[range.clone()], (range.start, are_apart), rows, room)
    })?;
    let body = join(written, &tasks, &request)?;
    Ok(Predicted { body, answered: shares.finish(seen) })
}

/// Answers one object.
fn single(
    route: &Route,
    who: &Who,
    request: &Request<'_>,
    started: Instant,
) -> Result<Predicted, Failure> {
    let version = who.version(route, |input| sticky::key(request.body, input))?;
    request.chosen.get_or_init(|| version.clone());
    let plan = &version.loaded.model.plan;
    check_fields(&version.loaded, &request.asked)?;
    let mut seeing = Observation::begin(route, version.clone(), started);
    let mut rows = Rows::new(plan, request.asked.fields.clone());
    read_row(plan, &mut rows, request.body, None)?;
    seeing.clock.lap(Stage::Parse);
    let mut body = Vec::with_capacity(192);
    body.push(b'{');
    write_row(&version, &rows, &request.asked, &mut seeing, &mut body)?;
    body.push(b'}');
    if request.wanted == Form::Lines {
        body.push(b'\n');
    }
    Ok(Predicted { body, answered: vec![(version, seeing.finish())] })
}

/// Writes the entries of the answer to the only row.
fn write_row(
    version: &Version,
    rows: &Rows<'_>,
    asked: &Asked,
    seeing: &mut Observation,
    to: &mut Vec<u8>,
) -> Result<(), Failure> {
    let loaded = &version.loaded;
    let plan = &loaded.model.plan;
    let cells: Vec<Cell<'_>> = rows.cells(0).collect();
    let mut warnings: Option<Vec<Warning>> = asked.warnings.then(Vec::new);
    SCRATCH.with_borrow_mut(|(scratch, explaining)| {
        plan.predict_row(&cells, scratch, &mut warnings)
            .map_err(|fault| Failure::value(plan, &fault, None))?;
        seeing.clock.lap(Stage::Predict);
        seeing.row(0, &cells, scratch);
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
        seeing.clock.lap(Stage::Write);
        Ok(())
    })
}

impl Task<'_> {
    /// Reads rows, the first of which has a number, in place of those in `rows`, and answers them. If rows are
    /// `are_apart`, one that is not JSON is refused alone.
    ///
    /// # Errors
    /// Why the rows were refused; with `on_error=raise`, the first that was.
    pub fn answer_items<'a>(
        &self,
        items: &[&'a [u8]],
        (first, are_apart): (usize, bool),
        rows: &mut Rows<'a>,
        room: &mut Room,
    ) -> Result<Written, Failure> {
        let mut clock = Clock::start(Instant::now());
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
        clock.lap(Stage::Parse);
        let rows = &*rows;
        let columns: Vec<_> = (0..plan.fields.len()).map(|field| rows.column(field)).collect();
        let columns = columns.iter().map(|column| Some(column as &dyn Column));
        let table = Table::new(plan, columns.collect(), rows.len());
        let range = 0..rows.len();
        self.answer(Part { table: &table, rows: range, first, unread, echo: rows, clock }, room)
    }
}

/// The parts of an answer as one body.
///
/// # Errors
/// There is more than a table can hold.
pub fn join(
    parts: Vec<Written>,
    tasks: &[Task<'_>],
    request: &Request<'_>,
) -> Result<Vec<u8>, Failure> {
    let mut texts = Vec::new();
    let mut batches = Vec::new();
    for written in parts {
        match written {
            Written::Text(text) => texts.push(text),
            Written::Batch(batch) => batches.push(batch),
        }
    }
    let (start, between, end): (&[u8], &[u8], &[u8]) = match request.wanted {
        Form::Json => (b"{\"predictions\":[", b",", b"]}"),
        Form::Lines | Form::Csv => (b"", b"", b""),
        Form::Arrow => {
            let stream = table::stream(&batches);
            return stream.map_err(|error| Failure::new(Kind::TooLarge, error.to_string()));
        }
    };
    let length: usize = texts.iter().map(|text| text.len() + 1).sum();
    let mut body = Vec::with_capacity(start.len() + length + end.len());
    body.extend_from_slice(start);
    let names = tasks.first().and_then(|task| task.names.as_ref());
    if let (Form::Csv, Some(names)) = (request.wanted, names) {
        names.header(&mut body);
    }
    for (at, text) in texts.into_iter().enumerate() {
        if at > 0 {
            body.extend_from_slice(between);
        }
        body.extend_from_slice(&text);
    }
    body.extend_from_slice(end);
    Ok(body)
}
