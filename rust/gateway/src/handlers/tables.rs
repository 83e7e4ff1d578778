//! Rows as CSV or Arrow: their columns, answered range by range.

use super::blocks::{Part, Room};
use super::predict::{join, Predicted, Request};
use super::rows::check_count;
use super::shares::{Shares, Who};
use super::sticky;
use crate::answers::echo::{has_texts, TableEcho};
use crate::catalog::Route;
use crate::crowd::Crowd;
use crate::failure::{Failure, Kind};
use crate::forms::Form;
use crate::seeing::observation::{Clock, Stage};
use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{Schema, SchemaRef};
use penstock_batch::columns::Columns;
use penstock_batch::{arrow, csv};
use penstock_core::cell::Column;
use penstock_core::error::SchemaError;
use penstock_core::load::Table;
use penstock_core::plan::Plan;
use std::borrow::Cow;
use std::collections::HashSet;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::time::Instant;

/// Columns that a table may have beyond those of the model before its names are even looked at.
const SPARE_COLUMNS: usize = 1_000;

/// A table that was read.
struct Input {
    columns: Columns<'static>,
    /// The record batches that it was made of, if it came as Arrow.
    batches: Vec<RecordBatch>,
    schema: SchemaRef,
}

/// Answers a table.
///
/// # Errors
/// Why the request was refused; with `on_error=raise`, the first row that was.
pub fn predict(
    route: &Route,
    who: &Who,
    request: &Request<'_>,
    crowd: &Crowd,
    started: Instant,
) -> Result<Predicted, Failure> {
    let mut clock = Clock::start(started);
    let plans = route.versions.iter().map(|(version, _)| &version.loaded.model.plan);
    let widest = plans.map(|plan| plan.fields.len()).max().unwrap_or(0);
    let most_columns = widest + request.asked.fields.len() + SPARE_COLUMNS;
    let input = match request.sent {
        Form::Arrow => read_arrow(request.body, most_columns)?,
        _ => read_csv(request.body, most_columns)?,
    };
    let count = input.columns.rows();
    check_count(count, request)?;
    clock.lap(Stage::Parse);
    let shares = Shares::new(route, who, count, |row, name| input.key(route, row, name))?;
    let seen = shares.observe(route, request.chosen, Instant::now());
    seen.first().into_iter().for_each(|seen| seen.spent(&clock));
    let tasks = shares.tasks(&seen, &request.asked, request.wanted)?;
    let echo = input.echo(&request.asked.fields, request.wanted)?;
    let fields = &request.asked.fields;
    let tables = tasks.iter().map(|task| input.table(&task.loaded.model.plan, fields));
    let tables = tables.collect::<Result<Vec<_>, _>>()?;
    let parts = shares.parts(&tasks);
    let state = || tasks.iter().map(|_| Room::default()).collect::<Vec<_>>();
    let written = crowd.each(parts.len(), state, |rooms, part| {
        let (at, rows) = parts[part].clone();
        let (unread, clock) = (Vec::new(), Clock::start(Instant::now()));
        let part = Part { table: &tables[at], rows, first: 0, unread, echo: &echo, clock };
        tasks[at].answer(part, &mut rooms[at])
    })?;
    let body = join(written, &tasks, request)?;
    Ok(Predicted { body, answered: shares.finish(seen) })
}

impl Input {
    /// The value of an input in a row, for the choice of a version.
    fn key(&self, route: &Route, row: usize, name: &str) -> Cow<'_, [u8]> {
        let at = self.columns.names().iter().position(|other| other == name);
        let Some(column) = at.and_then(|at| self.columns.get(at)) else {
            return Cow::Borrowed(b"");
        };
        let mut plans = route.versions.iter().map(|(version, _)| &version.loaded.model.plan);
        let field = plans.find_map(|plan| plan.fields.get(plan.position(name)?));
        sticky::value_key(column, row, field.map(|field| field.r#type))
    }

    /// The columns that are inputs; those that are only sent back are left out.
    fn table(&self, plan: &Plan, kept: &[String]) -> Result<Table<'_>, SchemaError> {
        let names = self.columns.names().iter().enumerate();
        let inputs =
            names.filter(|(_, name)| plan.position(name).is_some() || !kept.contains(name));
        let (at, names): (Vec<usize>, Vec<&str>) =
            inputs.map(|(at, name)| (at, name.as_str())).unzip();
        let find = |position: usize| {
            let column = self.columns.get(*at.get(position)?)?;
            Some(column as &dyn Column)
        };
        let positions = plan.match_columns(&names)?.into_iter();
        let columns = positions.map(|position| position.and_then(find)).collect();
        Ok(Table::new(plan, columns, self.columns.rows()))
    }

    /// The columns that are sent back.
    fn echo(&self, kept: &[String], wanted: Form) -> Result<TableEcho<'_>, Failure> {
        let mut positions = Vec::with_capacity(kept.len());
        for name in kept {
            let at = self.columns.names().iter().position(|other| other == name);
            let at = at.ok_or_else(|| {
                let detail =
                    format!("column `{name}`, which `fields` asks for, is not in the table");
                Failure::new(Kind::Columns, detail)
            })?;
            let data_type = self.schema.fields().get(at).map(|field| field.data_type());
            if let Some(data_type) =
                data_type.filter(|data_type| wanted != Form::Arrow && !has_texts(data_type))
            {
                let detail = format!(
                    "column `{name}` of type {data_type} can be sent back as Arrow only; accept `{}`",
                    Form::Arrow.media_type()
                );
                return Err(Failure::new(Kind::Unsupported, detail));
            }
            positions.push(at);
        }
        let mut next = 0;
        let starts = self.batches.iter().map(|batch| {
            next += batch.num_rows();
            next - batch.num_rows()
        });
        let starts = starts.collect();
        Ok(TableEcho { columns: &self.columns, positions, batches: &self.batches, starts })
    }
}

fn read_csv(body: &[u8], most_columns: usize) -> Result<Input, Failure> {
    if header_width(body) > most_columns {
        return Err(too_wide(most_columns));
    }
    let columns = csv::columns(body)
        .map_err(|error| Failure::new(Kind::Malformed, error.to_string()).at_row(error.row))?;
    Ok(Input { columns, batches: Vec::new(), schema: Arc::new(Schema::empty()) })
}

/// Number of names in the first line of a CSV.
fn header_width(body: &[u8]) -> usize {
    let mut is_quoted = false;
    let mut width = 1;
    for byte in body.trim_ascii_start() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => width += 1,
            b'\n' | b'\r' if !is_quoted => break,
            _ => {}
        }
    }
    width
}

fn read_arrow(body: &[u8], most_columns: usize) -> Result<Input, Failure> {
    let wrong = |what: String| {
        let detail = format!("the body is not a stream of Arrow record batches: {what}");
        Failure::new(Kind::Malformed, detail)
    };
    // The library may stop at bytes that no writer of it makes.
    let decoded = catch_unwind(|| decode(body)).map_err(|_| wrong("it contradicts itself".into()));
    let (schema, batches) = decoded?.map_err(wrong)?;
    if schema.fields().len() > most_columns {
        return Err(too_wide(most_columns));
    }
    let names = schema.fields().iter().map(|field| field.name());
    let mut seen = HashSet::new();
    if let Some(name) = names.into_iter().find(|name| !seen.insert(*name)) {
        let detail = format!("column `{name}` comes twice; send each column once");
        return Err(Failure::new(Kind::Columns, detail));
    }
    let columns = arrow::columns(&schema, &batches)?;
    Ok(Input { columns, batches, schema })
}

fn decode(body: &[u8]) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
    let mut decoder = StreamDecoder::new();
    let mut bytes = Buffer::from_slice_ref(body);
    let mut batches = Vec::new();
    let mut rows = 0usize;
    // What comes after the end is not looked at.
    while let Some(batch) = decoder.decode(&mut bytes).map_err(|error| error.to_string())? {
        rows = rows.checked_add(batch.num_rows()).ok_or("there are too many rows")?;
        batches.push(batch);
    }
    decoder.finish().map_err(|error| error.to_string())?;
    let schema = decoder.schema().ok_or("it has no schema")?;
    Ok((schema, batches))
}

fn too_wide(most: usize) -> Failure {
    let detail = format!("the table has more than {most} columns; send those of the model");
    Failure::new(Kind::Columns, detail)
}
