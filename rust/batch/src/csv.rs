//! CSV (RFC 4180, UTF-8, a line of names first) as columns of texts that take the type of their field.
//!
//! Whether a field had quotes makes no difference, as where the command line reads CSV: an empty one is missing, `NA`
//! is what the type of the field makes of it. Blank lines are skipped.

use crate::columns::Columns;
use csv_core::{ReadFieldResult, Reader};
use penstock_core::cell::{Cell, Column};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Why a text is no CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvError {
    /// From 1 on, where the wrong record begins.
    pub line: usize,
    /// Its position among the rows, if it is one.
    pub row: Option<usize>,
    pub problem: String,
}

impl fmt::Display for CsvError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} of the CSV: {}", self.line, self.problem)
    }
}

impl std::error::Error for CsvError {}

/// The columns of a CSV text, in its order.
///
/// # Errors
/// What is wrong on which line: a row of another length than the header, a name that comes twice, a quote that is never
/// closed, no header, no UTF-8.
pub fn columns(data: &[u8]) -> Result<Columns<'static>, CsvError> {
    let mut records = Records::new(data)?;
    let names = records.names()?;
    let (width, rows) = (names.len(), records.rows(names.len())?);
    let (texts, ends) = (records.texts()?, std::mem::take(&mut records.ends));
    let fields = Arc::new(Fields { texts, ends, width, rows });
    let mut columns = Columns::default();
    for (at, name) in names.into_iter().enumerate() {
        let column = CsvColumn { fields: fields.clone(), at };
        let added = columns.add(name, Box::new(column));
        added.map_err(|error| records.error(0, None, error.0))?;
    }
    Ok(columns)
}

const NOT_UTF8: &str = "the text is not UTF-8; convert it";

/// The records of a text, and the fields of those that were read.
struct Records<'a> {
    data: &'a [u8],
    reader: Reader,
    /// What comes next; the end of the data is followed by a line break of our own, and that by nothing.
    at: usize,
    /// Where the record that was read last begins.
    start: usize,
    /// All fields, one after the other, and where each ends.
    texts: Vec<u8>,
    ends: Vec<u32>,
}

impl<'a> Records<'a> {
    fn new(data: &'a [u8]) -> Result<Self, CsvError> {
        let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
        let (reader, texts, ends) = (Reader::new(), Vec::new(), Vec::new());
        let records = Self { data, reader, at: 0, start: 0, texts, ends };
        if let Err(error) = std::str::from_utf8(data) {
            return Err(records.error(error.valid_up_to(), None, NOT_UTF8.to_owned()));
        }
        if u32::try_from(data.len()).is_err() {
            let problem = "the text is larger than 4 GiB; send it in parts".to_owned();
            return Err(records.error(0, None, problem));
        }
        Ok(records)
    }

    /// Reads the header.
    fn names(&mut self) -> Result<Vec<String>, CsvError> {
        let (width, mut first) = (self.next()?, 0);
        if width == 0 {
            let problem = "the header is missing; the first line must name the columns";
            return Err(self.error(0, None, problem.to_owned()));
        }
        let mut names = Vec::with_capacity(width);
        let mut seen = HashSet::new();
        for end in &self.ends {
            let name = String::from_utf8_lossy(&self.texts[first..*end as usize]);
            if !seen.insert(name.clone()) {
                let name: String = name.chars().take(60).collect();
                let problem = format!("column `{name}` comes twice; send each column once");
                return Err(self.error(self.start, None, problem));
            }
            names.push(name.into_owned());
            first = *end as usize;
        }
        Ok(names)
    }

    /// Reads all rows, and counts them.
    fn rows(&mut self, width: usize) -> Result<usize, CsvError> {
        let mut rows = 0;
        loop {
            match self.next()? {
                0 => return Ok(rows),
                fields if fields == width => rows += 1,
                fields => {
                    let problem = format!(
                        "the row has {fields} fields, the header {width}; \
                         a field with a comma or a line break needs quotes"
                    );
                    return Err(self.error(self.start, Some(rows), problem));
                }
            }
        }
    }

    /// What was read; it is UTF-8 as all of the data is.
    fn texts(&mut self) -> Result<String, CsvError> {
        let texts = String::from_utf8(std::mem::take(&mut self.texts));
        texts.map_err(|_| self.error(0, None, NOT_UTF8.to_owned()))
    }

    /// Reads the next record that is not blank; returns the number of its fields, 0 at the end.
    fn next(&mut self) -> Result<usize, CsvError> {
        while let Some(b'\r' | b'\n') = self.data.get(self.at) {
            self.at += 1;
        }
        self.start = self.at;
        let mut buffer = [0; 512];
        let mut fields = 0;
        loop {
            let is_over = self.at > self.data.len();
            let rest = match self.data.get(self.at..) {
                Some([]) => b"\n",
                Some(rest) => rest,
                None => b"",
            };
            let (result, read, written) = self.reader.read_field(rest, &mut buffer);
            self.at += read;
            self.texts.extend_from_slice(&buffer[..written]);
            match result {
                ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
                ReadFieldResult::End => return Ok(fields),
                // A line break ends every record, unless it is in quotes.
                ReadFieldResult::Field { .. } if is_over => return Err(self.unclosed()),
                ReadFieldResult::Field { record_end } => {
                    self.ends.push(self.texts.len() as u32);
                    fields += 1;
                    if record_end {
                        return Ok(fields);
                    }
                }
            }
        }
    }

    fn unclosed(&self) -> CsvError {
        let problem = "a quote is opened and never closed; close it; in quotes, `\"\"` is a quote";
        self.error(self.start, None, problem.to_owned())
    }

    /// The error for what begins at some position.
    fn error(&self, at: usize, row: Option<usize>, problem: String) -> CsvError {
        let before = &self.data[..at.min(self.data.len())];
        let feeds = before.iter().filter(|byte| **byte == b'\n').count();
        let returns = before.windows(2).filter(|pair| pair[0] == b'\r' && pair[1] != b'\n').count();
        let last = usize::from(before.ends_with(b"\r"));
        CsvError { line: 1 + feeds + returns + last, row, problem }
    }
}

/// The fields of all records, the header first.
struct Fields {
    texts: String,
    ends: Vec<u32>,
    width: usize,
    rows: usize,
}

impl Fields {
    fn get(&self, at: usize) -> &str {
        let first = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.texts.get(first as usize..self.ends[at] as usize).unwrap_or_default()
    }
}

/// One column of a CSV text.
struct CsvColumn {
    fields: Arc<Fields>,
    at: usize,
}

impl Column for CsvColumn {
    fn len(&self) -> usize {
        self.fields.rows
    }

    fn read<'a>(&'a self, start: usize, cells: &mut [Cell<'a>]) {
        let rows = (start + 1..).map(|record| record * self.fields.width + self.at);
        for (cell, at) in cells.iter_mut().zip(rows) {
            *cell = Cell::Lexical(self.fields.get(at));
        }
    }
}
