//! Rows as a protocol has read them for a model, and their columns for the core.

use crate::protocols::values::{Slice, Values};
use penstock_batch::columns::Columns;
use penstock_core::cell::Column;
use penstock_core::plan::Plan;
use penstock_core::rows::{Rows, RowsColumn};

/// Rows as they were sent.
pub enum Payload<'a> {
    Objects(Rows<'a>),
    /// For each field its position in every row.
    Lists {
        values: Values<'a>,
        width: usize,
        places: Vec<Option<usize>>,
        rows: usize,
    },
    /// For each field the position of its column.
    Csv {
        columns: Columns<'static>,
        places: Vec<Option<usize>>,
    },
    /// The same.
    Columns {
        columns: Vec<Values<'a>>,
        places: Vec<Option<usize>>,
        rows: usize,
    },
    /// For each field its values among those of tensors.
    Tensors {
        columns: Vec<Option<Slice<'a>>>,
        rows: usize,
    },
}

/// The column of a field, whatever it is made of.
pub enum Source<'p> {
    Row(RowsColumn<'p, 'p>),
    Slice(Slice<'p>),
    Csv(&'p dyn Column),
}

impl Payload<'_> {
    pub fn rows(&self) -> usize {
        match self {
            Payload::Objects(rows) => rows.len(),
            Payload::Csv { columns, .. } => columns.rows(),
            Payload::Lists { rows, .. }
            | Payload::Columns { rows, .. }
            | Payload::Tensors { rows, .. } => *rows,
        }
    }

    /// The columns of the fields of the plan that it was read for; `None` for those that were not sent.
    pub fn columns(&self, plan: &Plan) -> Vec<Option<Source<'_>>> {
        match self {
            Payload::Objects(rows) => {
                let fields = 0..plan.fields.len();
                fields.map(|at| Some(Source::Row(rows.column(at)))).collect()
            }
            Payload::Csv { columns, places } => {
                let find = |place: usize| columns.get(place).map(|column| column as &dyn Column);
                places.iter().map(|place| place.and_then(find).map(Source::Csv)).collect()
            }
            Payload::Lists { values, width, places, rows } => {
                let slice = |first: usize| Slice { values, first, step: *width, rows: *rows };
                places.iter().map(|place| place.map(slice).map(Source::Slice)).collect()
            }
            Payload::Columns { columns, places, rows } => {
                let slice = |place: usize| {
                    let values = columns.get(place)?;
                    Some(Slice { values, first: 0, step: 1, rows: *rows })
                };
                places.iter().map(|place| place.and_then(slice).map(Source::Slice)).collect()
            }
            Payload::Tensors { columns, .. } => {
                columns.iter().map(|slice| slice.map(Source::Slice)).collect()
            }
        }
    }
}

impl Source<'_> {
    pub fn column(&self) -> &dyn Column {
        match self {
            Source::Row(column) => column,
            Source::Slice(column) => column,
            Source::Csv(column) => *column,
        }
    }
}
