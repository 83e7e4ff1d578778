//! Predictions for protocols of other servers: each row by its version, and watched as those of `/v1` are.

use crate::answers::table::Values;
use crate::catalog::{Route, Version};
use crate::crowd::Crowd;
use crate::failure::{Failure, Kind};
use crate::forms::Form;
use crate::handlers::asked::Asked;
use crate::handlers::blocks::{Part, Room};
use crate::handlers::shares::{names, Answered, Chosen, Shares, Who};
use crate::handlers::sticky;
use crate::protocols::outputs::{Element, OutputTensor};
use crate::protocols::payload::{Payload, Source};
use crate::seeing::observation::{Clock, Observation, Stage};
use penstock_core::cell::{Cell, Column};
use penstock_core::load::Table;
use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A call for predictions before its rows are read.
pub struct Call<'a> {
    pub route: &'a Route,
    pub who: &'a Who,
    pub chosen: &'a Chosen,
    pub most_rows: usize,
    pub crowd: &'a Crowd,
    /// When reading began.
    pub started: Instant,
}

/// Rows that were predicted, and are still to be written.
pub struct Predicted {
    pub rows: usize,
    shares: Shares,
    seen: Vec<Observation>,
    /// For each version the positions of the tensors that were asked for.
    picked: Vec<Vec<usize>>,
    runs: Vec<Run>,
    /// Runs since all was predicted.
    clock: Clock,
}

/// Rows that follow each other and were predicted together.
struct Run {
    /// The position of their version.
    at: usize,
    rows: usize,
    values: Vec<Values>,
}

/// A payload as a version reads it.
type Reading<'p> = (Arc<Version>, Payload<'p>);

impl Call<'_> {
    /// Predicts all rows. `read` gives them as the model of a plan takes them; `pick` finds the tensors that are asked
    /// for, by their positions among all.
    ///
    /// # Errors
    /// Why the request was refused: its rows cannot be read, a tensor is not there, or the first row that was refused.
    pub fn predict<'p>(
        &self,
        read: impl Fn(&Plan) -> Result<Payload<'p>, Failure>,
        pick: impl Fn(&[OutputTensor]) -> Result<Vec<usize>, Failure>,
    ) -> Result<Predicted, Failure> {
        let mut clock = Clock::start(self.started);
        let first = self.first(&read)?;
        let rows = first.1.rows();
        let shares = self.shares(&first)?;
        let mut seen = shares.observe(self.route, self.chosen, Instant::now());
        let readings = readings(first, &shares, &read)?;
        let picked = pick_alike(&shares, pick)?;
        let columns: Vec<_> = shares.versions.iter().map(|one| columns(&readings, one)).collect();
        let tables = shares.versions.iter().zip(&columns).map(|(version, columns)| {
            let columns = columns.iter().map(|source| source.as_ref().map(Source::column));
            Table::new(&version.loaded.model.plan, columns.collect(), rows)
        });
        let tables: Vec<_> = tables.collect();
        clock.lap(Stage::Parse);
        seen.first().into_iter().for_each(|seen| seen.spent(&clock));
        let runs = match (rows, seen.as_mut_slice(), tables.as_slice()) {
            (1, [seen], [table]) => vec![Run { at: 0, rows, values: single(seen, table)? }],
            _ => self.runs(&shares, &seen, &tables)?,
        };
        Ok(Predicted { rows, shares, seen, picked, runs, clock: Clock::start(Instant::now()) })
    }

    /// The rows as the first version has them that can read them: whose rows they are is not known yet.
    fn first<'p>(
        &self,
        read: impl Fn(&Plan) -> Result<Payload<'p>, Failure>,
    ) -> Result<Reading<'p>, Failure> {
        let mut refused = None;
        for version in self.who.versions(self.route) {
            match read(&version.loaded.model.plan) {
                Ok(payload) => return Ok((version.clone(), payload)),
                Err(failure) => {
                    refused.get_or_insert(failure);
                }
            }
        }
        Err(refused.unwrap_or_else(|| Failure::new(Kind::Internal, "the route has no version")))
    }

    fn shares(&self, (version, payload): &Reading<'_>) -> Result<Shares, Failure> {
        let plan = &version.loaded.model.plan;
        let Who::ByInput(input) = self.who else {
            return Shares::new(self.route, self.who, payload.rows(), |_, _| Cow::Borrowed(b""));
        };
        let place = plan.position(input);
        let columns = payload.columns(plan);
        let column = place.and_then(|at| columns.get(at)).and_then(Option::as_ref);
        let field = place.and_then(|at| plan.fields.get(at)).map(|field| field.r#type);
        Shares::new(self.route, self.who, payload.rows(), |row, _| match column {
            Some(source) => sticky::value_key(source.column(), row, field),
            None => Cow::Borrowed(b""),
        })
    }

    /// Predicts the rows of all versions in their order, in parts and on threads as `/v1` does.
    fn runs(
        &self,
        shares: &Shares,
        seen: &[Observation],
        tables: &[Table<'_>],
    ) -> Result<Vec<Run>, Failure> {
        let asked = Asked::default();
        let tasks = shares.tasks(seen, &asked, Form::Json)?;
        let parts = shares.parts(&tasks);
        let state = || tasks.iter().map(|_| Room::default()).collect::<Vec<_>>();
        self.crowd.each(parts.len(), state, |rooms, part| {
            let (at, rows) = parts[part].clone();
            let (count, clock) = (rows.len(), Clock::start(Instant::now()));
            let part =
                Part { table: &tables[at], rows, first: 0, unread: Vec::new(), echo: &(), clock };
            Ok(Run { at, rows: count, values: tasks[at].values(part, &mut rooms[at])? })
        })
    }
}

/// What each version reads; versions of the same artifact read it once.
fn readings<'p>(
    first: Reading<'p>,
    shares: &Shares,
    read: impl Fn(&Plan) -> Result<Payload<'p>, Failure>,
) -> Result<Vec<Reading<'p>>, Failure> {
    let rows = first.1.rows();
    let mut readings = vec![first];
    for version in &shares.versions {
        if find(&readings, version).is_none() {
            readings.push((version.clone(), read(&version.loaded.model.plan)?));
        }
    }
    match readings.iter().all(|(_, payload)| payload.rows() == rows) {
        true => Ok(readings),
        false => {
            let detail = "the versions of this model do not find the same rows in the body; send \
                the names of the inputs with them";
            Err(Failure::new(Kind::Unsupported, detail))
        }
    }
}

fn find<'r, 'p>(readings: &'r [Reading<'p>], version: &Version) -> Option<&'r Payload<'p>> {
    let mut readings = readings.iter();
    let found = readings.find(|(other, _)| Arc::ptr_eq(&other.loaded, &version.loaded));
    found.map(|(_, payload)| payload)
}

fn columns<'r>(readings: &'r [Reading<'_>], version: &Version) -> Vec<Option<Source<'r>>> {
    let payload = find(readings, version);
    payload.map(|payload| payload.columns(&version.loaded.model.plan)).unwrap_or_default()
}

/// The tensors of each version that were asked for, which must be alike: their values become one tensor or one column.
fn pick_alike(
    shares: &Shares,
    pick: impl Fn(&[OutputTensor]) -> Result<Vec<usize>, Failure>,
) -> Result<Vec<Vec<usize>>, Failure> {
    let picked = shares.versions.iter().map(|version| pick(&version.loaded.tensors));
    let picked = picked.collect::<Result<Vec<_>, _>>()?;
    let mut all = shares.versions.iter().zip(&picked).map(|(version, picked)| {
        picked.iter().filter_map(|at| version.loaded.tensors.get(*at)).collect::<Vec<_>>()
    });
    let first = all.next().unwrap_or_default();
    let is_like = |others: Vec<&OutputTensor>| {
        others.len() == first.len() && others.iter().zip(&first).all(|(a, b)| a.is_like(b))
    };
    match all.all(is_like) {
        true => Ok(picked),
        false => {
            let detail = "the rows are answered by several versions, whose outputs differ; name \
                one version or fewer outputs, or ask `/v1`";
            Err(Failure::new(Kind::Unsupported, detail))
        }
    }
}

/// Predicts the only row.
fn single(seen: &mut Observation, table: &Table<'_>) -> Result<Vec<Values>, Failure> {
    let version = seen.version.clone();
    let plan = &version.loaded.model.plan;
    let cells: Vec<Cell<'_>> = table.columns.iter().map(|column| only_cell(*column)).collect();
    SCRATCH.with_borrow_mut(|scratch| {
        plan.predict_row(&cells, scratch, &mut None)
            .map_err(|fault| Failure::value(plan, &fault, Some(0)))?;
        seen.clock.lap(Stage::Predict);
        seen.row(0, &cells, scratch);
        let elements = plan.outputs.iter().flat_map(|output| &output.elements);
        Ok(elements.map(|one| Values::of_one(plan.answer(one, &cells, scratch))).collect())
    })
}

fn only_cell(column: Option<&dyn Column>) -> Cell<'_> {
    let mut cell = [Cell::Absent];
    if let Some(column) = column {
        column.read(0, &mut cell);
    }
    cell[0]
}

/// An output that was asked for, and its values in all rows.
#[derive(Clone, Copy)]
pub struct Output<'a> {
    pub tensor: &'a OutputTensor,
    predicted: &'a Predicted,
    /// Position among those that were asked for.
    at: usize,
}

/// A row of the answer.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    tensors: &'a [OutputTensor],
    picked: &'a [usize],
    values: &'a [Values],
    at: usize,
}

impl Predicted {
    /// The names of the versions that have answered.
    pub fn versions(&self) -> String {
        names(self.shares.versions.iter())
    }

    /// All outputs that were asked for, in that order.
    pub fn outputs(&self) -> impl Iterator<Item = Output<'_>> {
        let version = self.shares.versions.first();
        let tensors = version.map_or(&[][..], |version| &version.loaded.tensors);
        let picked = self.picked.first().map_or(&[][..], Vec::as_slice).iter().enumerate();
        picked.filter_map(move |(at, place)| {
            tensors.get(*place).map(|tensor| Output { tensor, predicted: self, at })
        })
    }

    /// All rows, in the order in which they were sent.
    pub fn each(&self) -> impl Iterator<Item = Row<'_>> {
        self.runs.iter().flat_map(move |run| {
            let tensors = self.shares.versions.get(run.at);
            let tensors = tensors.map_or(&[][..], |version| &version.loaded.tensors);
            let picked = self.picked.get(run.at).map_or(&[][..], Vec::as_slice);
            (0..run.rows).map(move |at| Row { tensors, picked, values: &run.values, at })
        })
    }

    /// Everything is written.
    pub fn finish(mut self) -> Answered {
        self.clock.lap(Stage::Write);
        self.seen.first().into_iter().for_each(|seen| seen.spent(&self.clock));
        self.shares.finish(self.seen)
    }
}

impl<'a> Output<'a> {
    /// The shape of its tensor.
    pub fn shape(self) -> Vec<i64> {
        self.tensor.shape(i64::try_from(self.predicted.rows).unwrap_or(i64::MAX))
    }

    /// All values, row after row.
    pub fn elements(self) -> impl Iterator<Item = Element<'a>> {
        self.predicted.each().flat_map(move |row| {
            let place = row.picked.get(self.at);
            let tensor = place.and_then(|place| row.tensors.get(*place));
            tensor.into_iter().flat_map(move |tensor| tensor.row(row.values, row.at))
        })
    }
}

impl<'a> Row<'a> {
    /// The outputs that were asked for, each with its values.
    pub fn outputs(
        self,
    ) -> impl Iterator<Item = (&'a OutputTensor, impl Iterator<Item = Element<'a>>)> {
        let tensors = self.picked.iter().filter_map(move |place| self.tensors.get(*place));
        tensors.map(move |tensor| (tensor, tensor.row(self.values, self.at)))
    }
}
