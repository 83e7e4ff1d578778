//! CSV as bodies of `/invocations` have it: with a header, as MLflow sends it, or without one, as SageMaker does.

use crate::failure::{Failure, Kind};
use crate::protocols::payload::Payload;
use crate::protocols::payloads::{Asked, Options, Reader};
use csv_core::ReadFieldResult;
use penstock_batch::csv::columns;
use std::borrow::Cow;

impl Reader<'_> {
    /// A whole body; the first line is a header if the media type says so, or else if one of its cells is the name of an
    /// input. Without header the columns are in the order of the schema.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn csv<'a>(&self, body: &[u8], has_header: Option<bool>) -> Result<Asked<'a>, Failure> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let first = first_record(body);
        let is_name = |cell: &String| self.plan.position(cell).is_some();
        let has_header = has_header.unwrap_or_else(|| first.iter().any(is_name));
        let body = match has_header || first.is_empty() {
            true => Cow::Borrowed(body),
            false => Cow::Owned([self.header(first.len())?.as_bytes(), body].concat()),
        };
        let added = usize::from(matches!(body, Cow::Owned(_)));
        let columns = columns(&body).map_err(|mut error| {
            error.line = error.line.saturating_sub(added);
            Failure::new(Kind::Malformed, error.to_string()).at_row(error.row)
        })?;
        self.check(columns.rows())?;
        let names: Vec<_> = columns.names().iter().map(String::as_str).collect();
        let places = self.plan.match_columns(&names)?;
        Ok(Asked { payload: Payload::Csv { columns, places }, options: Options::default() })
    }

    /// The names of so many columns as a line.
    fn header(&self, width: usize) -> Result<String, Failure> {
        let places = self.order(width)?;
        let fields = self.plan.fields.iter().zip(places).filter(|(_, place)| place.is_some());
        let names: Vec<_> =
            fields.map(|(field, _)| format!("\"{}\"", field.name.replace('"', "\"\""))).collect();
        Ok(names.join(",") + "\n")
    }
}

/// The cells of the first record; where it is no CSV, those that could be read.
fn first_record(mut body: &[u8]) -> Vec<String> {
    let mut reader = csv_core::Reader::new();
    let (mut cells, mut cell, mut buffer) = (Vec::new(), Vec::new(), [0; 512]);
    loop {
        let (result, read, written) = reader.read_field(body, &mut buffer);
        body = body.get(read..).unwrap_or_default();
        cell.extend_from_slice(buffer.get(..written).unwrap_or_default());
        match result {
            ReadFieldResult::Field { record_end } => {
                cells.push(String::from_utf8_lossy(&cell).into_owned());
                cell.clear();
                if record_end {
                    return cells;
                }
            }
            ReadFieldResult::End => return cells,
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
        }
    }
}
