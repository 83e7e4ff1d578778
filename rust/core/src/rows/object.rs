//! One JSON object as the cells of a row.

use super::value::{read_value, Sent, ValueSeed};
use super::wrong::WrongKey;
use super::{Rows, ABSENT};
use crate::error::SchemaError;
use crate::json::shorten;
use crate::plan::Plan;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Reads a JSON object into the last row of `rows`, whose cells are absent.
pub struct ObjectSeed<'r, 'a> {
    pub plan: &'r Plan,
    pub rows: &'r mut Rows<'a>,
}

/// What a seed has found beside cells.
#[derive(Default)]
pub struct Found {
    /// The first key that is wrong.
    pub wrong: Option<WrongKey>,
    /// Whether a number may be an integer that fits no 64 bits.
    pub may_have_huge: bool,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, 'de> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_, 'de> {
    type Value = Found;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Found, A::Error> {
        let Self { plan, rows } = self;
        let mut row = Row { plan, rows, found: Found::default() };
        let mut expected = 0;
        while let Some(key) = entries.next_key_seed(KeySeed { plan, expected })? {
            if let RowKey::Field(at) = key {
                expected = at + 1;
            }
            row.take(key, &mut entries)?;
        }
        Ok(row.found)
    }
}

/// The row that is being read.
struct Row<'r, 'a> {
    plan: &'r Plan,
    rows: &'r mut Rows<'a>,
    found: Found,
}

impl<'de> Row<'_, 'de> {
    /// Reads the value of a key. Once a key was wrong, the others are passed over, but for those that are kept.
    fn take<A: MapAccess<'de>>(&mut self, key: RowKey, entries: &mut A) -> Result<(), A::Error> {
        let plan = self.plan;
        let keeper = self.rows.kept_keys.iter().position(|kept| key.is(plan, kept));
        let field = self.place(key, keeper);
        match (field, keeper) {
            (Some(at), None) => {
                let seed = ValueSeed(plan.fields[at].r#type);
                self.put(at, entries.next_value_seed(seed)?);
            }
            (None, None) => drop(entries.next_value::<IgnoredAny>()?),
            (field, Some(keeper)) => {
                let raw = entries.next_value::<&'de RawValue>()?;
                self.rows.last_kept()[keeper] = Some(raw);
                if let Some(at) = field {
                    let value = read_value(raw.get(), plan.fields[at].r#type);
                    self.put(at, value.map_err(A::Error::custom)?);
                }
            }
        }
        Ok(())
    }

    /// The field that the value of a key is for; `None` if the key is wrong, or one was before, or it is only kept.
    fn place(&mut self, key: RowKey, keeper: Option<usize>) -> Option<usize> {
        let is_twice = match (&key, keeper) {
            (RowKey::Field(at), _) => self.rows.last()[*at] != ABSENT,
            (RowKey::Other(_), Some(keeper)) => self.rows.last_kept()[keeper].is_some(),
            (RowKey::Other(_), None) => false,
        };
        match (key, keeper) {
            _ if self.found.wrong.is_some() => None,
            (RowKey::Field(at), _) if !is_twice => Some(at),
            (RowKey::Other(_), Some(_)) if !is_twice => None,
            (RowKey::Other(key), None) => {
                let error = self.plan.unknown_column(&key);
                self.refuse(WrongKey { key, error })
            }
            (key, _) => {
                let key = key.name(self.plan);
                let error = format!("key `{}` is there twice; send it once", shorten(&key));
                self.refuse(WrongKey { key, error: SchemaError(error) })
            }
        }
    }

    fn put(&mut self, at: usize, value: Sent<'de>) {
        self.found.may_have_huge |= value.may_be_huge_integer();
        self.rows.last()[at] = value;
    }

    /// Takes back what was read of the row; the answer of `place` to a wrong key.
    fn refuse(&mut self, wrong: WrongKey) -> Option<usize> {
        self.rows.last().fill(ABSENT);
        self.found.wrong = Some(wrong);
        None
    }
}

/// A key of a row.
enum RowKey {
    /// The position of a field.
    Field(usize),
    Other(String),
}

impl RowKey {
    fn is(&self, plan: &Plan, name: &str) -> bool {
        match self {
            RowKey::Field(at) => plan.fields[*at].name == name,
            RowKey::Other(other) => other == name,
        }
    }

    fn name(self, plan: &Plan) -> String {
        match self {
            RowKey::Field(at) => plan.fields[at].name.clone(),
            RowKey::Other(other) => other,
        }
    }
}

/// Finds the field of a key; most clients send the fields in their order, so the next one is tried first.
struct KeySeed<'p> {
    plan: &'p Plan,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = RowKey;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<RowKey, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = RowKey;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<RowKey, E> {
        let is_expected =
            self.plan.fields.get(self.expected).is_some_and(|field| field.name == key);
        Ok(match if is_expected { Some(self.expected) } else { self.plan.position(key) } {
            Some(at) => RowKey::Field(at),
            None => RowKey::Other(key.to_owned()),
        })
    }
}
