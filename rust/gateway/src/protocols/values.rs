//! Values that came as lists, by rows or by columns, and their columns for the core.

use crate::failure::{Failure, Kind};
use crate::handlers::rows::after_text;
use penstock_core::cell::{Cell, Column, LARGEST_INTEGER};
use penstock_core::manifest::FieldType;
use penstock_core::rows::{is_huge_integer, may_be_huge_integer, Sent, ValueSeed};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Values one after the other; plain numbers as long as nothing else comes, for they take a third of the room.
#[derive(Debug)]
pub enum Values<'a> {
    /// Missing ones are NaN.
    Numbers(Vec<f64>),
    Mixed(Vec<Sent<'a>>),
}

impl Default for Values<'_> {
    fn default() -> Self {
        Values::Numbers(Vec::new())
    }
}

/// The number that a cell is, missing as NaN, if it is one that a float holds.
fn number(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Number(x) => Some(x),
        Cell::Integer(x) if x.unsigned_abs() <= LARGEST_INTEGER => Some(x as f64),
        Cell::Missing => Some(f64::NAN),
        _ => None,
    }
}

fn cell<'a>(x: f64) -> Cell<'a> {
    if x.is_nan() {
        Cell::Missing
    } else {
        Cell::Number(x)
    }
}

impl<'a> Values<'a> {
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(values) => values.len(),
            Values::Mixed(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push(&mut self, value: Sent<'a>) {
        match self {
            Values::Numbers(values) => match number(value.cell()) {
                Some(x) => values.push(x),
                None => {
                    let numbers = values.iter().map(|x| Sent::Cell(cell(*x)));
                    *self = Values::Mixed(numbers.chain([value]).collect());
                }
            },
            Values::Mixed(values) => values.push(value),
        }
    }

    /// Values from a JSON list, flat or of lists, or from a single value, and what lists at the bottom have in common:
    /// their length. Integers that fit no 64 bits are floats until [`Values::find_huge_integers`].
    ///
    /// # Errors
    /// It is something else.
    pub fn read(
        json: &'a str,
        r#type: FieldType,
    ) -> Result<(Self, Option<usize>), serde_json::Error> {
        let (mut values, mut width) = (Self::default(), None);
        ValuesSeed { values: &mut values, r#type, width: &mut width }
            .deserialize(&mut serde_json::Deserializer::from_str(json))?;
        Ok((values, width))
    }

    /// Adds the values of a row that is a list.
    ///
    /// # Errors
    /// It is none, or has another length than `types`.
    pub fn read_row(
        &mut self,
        json: &'a str,
        types: &[FieldType],
    ) -> Result<(), serde_json::Error> {
        let first = self.len();
        RowSeed { types, values: &mut *self }
            .deserialize(&mut serde_json::Deserializer::from_str(json))?;
        if self.may_have_huge_integers(first) {
            let items: Vec<&RawValue> = serde_json::from_str(json)?;
            self.put_huge_integers(first, items.iter().map(|item| item.get()));
        }
        Ok(())
    }

    /// Puts integers that fit no 64 bits in place of the floats that they were read as from `json`.
    pub fn find_huge_integers(&mut self, json: &str) {
        if self.may_have_huge_integers(0) {
            self.put_huge_integers(0, scalars(json));
        }
    }

    /// Whether one of the values from `first` on may be such an integer.
    fn may_have_huge_integers(&self, first: usize) -> bool {
        match self {
            Values::Numbers(values) => {
                values.iter().skip(first).any(|value| may_be_huge_integer(*value))
            }
            Values::Mixed(values) => values.iter().skip(first).any(Sent::may_be_huge_integer),
        }
    }

    /// `texts` are those of the values from `first` on.
    fn put_huge_integers<'t>(&mut self, first: usize, texts: impl Iterator<Item = &'t str>) {
        for (at, _) in texts.enumerate().filter(|(_, text)| is_huge_integer(text)) {
            if let Values::Numbers(values) = self {
                *self = Values::Mixed(values.iter().map(|x| Sent::Cell(cell(*x))).collect());
            }
            if let Values::Mixed(values) = self {
                let value = values.get_mut(first + at);
                value.into_iter().for_each(|value| *value = Sent::Cell(Cell::HugeInteger));
            }
        }
    }

    /// Makes one value missing; `false` if there is none at that place.
    #[must_use]
    pub fn forget(&mut self, at: usize) -> bool {
        let found = match self {
            Values::Numbers(values) => values.get_mut(at).map(|value| *value = f64::NAN),
            Values::Mixed(values) => {
                values.get_mut(at).map(|value| *value = Sent::Cell(Cell::Missing))
            }
        };
        found.is_some()
    }

    /// The value at a place; absent if there is none.
    fn cell(&self, at: usize) -> Cell<'_> {
        match self {
            Values::Numbers(values) => values.get(at).map_or(Cell::Absent, |x| cell(*x)),
            Values::Mixed(values) => values.get(at).map_or(Cell::Absent, Sent::cell),
        }
    }
}

/// Every `step`-th value from `first` on.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'v> {
    pub values: &'v Values<'v>,
    pub first: usize,
    pub step: usize,
    pub rows: usize,
}

impl Column for Slice<'_> {
    fn len(&self) -> usize {
        self.rows
    }

    fn read<'c>(&'c self, start: usize, cells: &mut [Cell<'c>]) {
        let places = (self.first + start * self.step..).step_by(self.step.max(1));
        for (cell, place) in cells.iter_mut().zip(places) {
            *cell = self.values.cell(place);
        }
    }

    fn read_numbers(&self, start: usize, numbers: &mut [f64]) -> bool {
        let first = self.first + start * self.step;
        match self.values {
            Values::Numbers(values) => {
                let values =
                    values.get(first..).unwrap_or_default().iter().step_by(self.step.max(1));
                numbers.iter_mut().zip(values).for_each(|(number, value)| *number = *value);
                true
            }
            Values::Mixed(values) => {
                let values =
                    values.get(first..).unwrap_or_default().iter().step_by(self.step.max(1));
                numbers.iter_mut().zip(values).all(|(to, value)| {
                    let number = number(value.cell());
                    *to = number.unwrap_or(f64::NAN);
                    number.is_some()
                })
            }
        }
    }
}

/// Reads JSON values into `values`: a list, flat or of lists, or a single value.
///
/// What lists at the bottom have in common is their length, which is kept in `width`.
struct ValuesSeed<'v, 'a> {
    values: &'v mut Values<'a>,
    r#type: FieldType,
    width: &'v mut Option<usize>,
}

impl<'de> DeserializeSeed<'de> for ValuesSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! scalars {
    ($($name:ident($($argument:ident: $type:ty)?)),*) => {$(
        fn $name<E: Error>(self $(, $argument: $type)?) -> Result<(), E> {
            let value: Result<_, E> = ValueSeed(self.r#type).$name($($argument)?);
            self.values.push(value?);
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for ValuesSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of values")
    }

    scalars!(
        visit_unit(),
        visit_bool(x: bool),
        visit_i64(x: i64),
        visit_u64(x: u64),
        visit_f64(x: f64),
        visit_borrowed_str(x: &'de str),
        visit_str(x: &str)
    );

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { values, r#type, width } = self;
        let (mut count, mut inner) = (0, None);
        while items
            .next_element_seed(ValuesSeed { values: &mut *values, r#type, width: &mut inner })?
            .is_some()
        {
            count += 1;
        }
        let length = inner.unwrap_or(count);
        match *width {
            Some(width) if width != length => Err(A::Error::custom(format!(
                "one list has {width} values and another {length}; they must have as many"
            ))),
            _ => {
                *width = Some(length);
                Ok(())
            }
        }
    }
}

/// Reads a row that is a list into `values`.
struct RowSeed<'s, 'a> {
    types: &'s [FieldType],
    values: &'s mut Values<'a>,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list of {} values", self.types.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for (at, r#type) in self.types.iter().enumerate() {
            match items.next_element_seed(ValueSeed(*r#type))? {
                Some(value) => self.values.push(value),
                None => return Err(A::Error::invalid_length(at, &self)),
            }
        }
        match items.next_element::<IgnoredAny>()? {
            Some(_) => Err(A::Error::invalid_length(self.types.len() + 1, &self)),
            None => Ok(()),
        }
    }
}

/// The texts of the scalars of a JSON value that is one, or a list, flat or of lists.
fn scalars(mut json: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let is_between = |letter: char| letter.is_ascii_whitespace() || "[],".contains(letter);
        json = json.trim_start_matches(is_between);
        let length = match json.strip_prefix('"') {
            Some(_) => after_text(json.as_bytes(), 1)?,
            None => json.find(is_between).unwrap_or(json.len()),
        };
        let (scalar, rest) = json.split_at_checked(length)?;
        json = rest;
        (!scalar.is_empty()).then_some(scalar)
    })
}

/// Why bytes are no JSON of the right form; `what` names them.
pub fn malformed(what: &str, bytes: &[u8], error: &serde_json::Error) -> Failure {
    let line = bytes.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1));
    // The column is that of the first letter for some errors and of a later one for others.
    let from = error.column().saturating_sub(2);
    let near = line.and_then(|line| line.get(from..)).unwrap_or_default();
    let near = near.get(..near.len().min(12)).unwrap_or_default();
    let is_there = |name: &&str| memchr::memmem::find(near, name.as_bytes()).is_some();
    let detail = match ["NaN", "Infinity"].iter().find(|name| error.is_syntax() && is_there(name)) {
        Some(&"NaN") => format!("{what} has `NaN`, which JSON does not know: {error}; send null"),
        Some(name) => format!(
            "{what} has `{name}`, which JSON does not know: {error}; send the text \"{name}\""
        ),
        None => format!("{what} is not as it should be: {error}"),
    };
    Failure::new(Kind::Malformed, detail)
}
