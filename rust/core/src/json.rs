//! Strict JSON: no key twice, bounded depth and memory; every text of an artifact is checked here before it is parsed.

use crate::budgets::{MAX_JSON_DEPTH, MAX_JSON_MEMORY};
use crate::error::ArtifactError;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor,
};
use std::borrow::Cow;
use std::fmt;

/// Memory of `serde_json::Value` trees, measured with its default `BTreeMap` on 64 bits: a leaf of the map takes 560 bytes
/// and holds at least six entries; a list starts at 112 bytes and doubles; a text is one allocation.
const OBJECT_NODE: usize = 560;
const ENTRIES_IN_NODE: usize = 6;
const FIRST_ITEM: usize = 112;
const NEXT_ITEM: usize = 48;
const ALLOCATION: usize = 32;

/// Refuses what is not one JSON value, or is too deep, too large as a tree, or has a key twice in one object.
///
/// `entry` is the name of the document, for the message. Infinite numbers cannot be written in JSON and are refused.
pub fn check(bytes: &[u8], entry: &str) -> Result<(), ArtifactError> {
    let mut scan = Scan { depth: 0, memory: 0, keys: Vec::new() };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Scanned(&mut scan)
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|error| refuse(entry, &error))
}

/// Checks, then parses; whether unknown keys are refused is the business of the type.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], entry: &str) -> Result<T, ArtifactError> {
    check(bytes, entry)?;
    parse_checked(bytes, entry)
}

/// Parses what `check` has passed already.
pub fn parse_checked<T: DeserializeOwned>(bytes: &[u8], entry: &str) -> Result<T, ArtifactError> {
    serde_json::from_slice(bytes).map_err(|error| refuse(entry, &error))
}

fn refuse(entry: &str, error: &serde_json::Error) -> ArtifactError {
    ArtifactError::new(format!("`{entry}`: {error}; convert the model again"))
}

struct Scan<'de> {
    depth: usize,
    memory: usize,
    /// Keys of all objects that are open.
    keys: Vec<Cow<'de, str>>,
}

impl<'de> Scan<'de> {
    fn spend<E: Error>(&mut self, memory: usize) -> Result<(), E> {
        self.memory = self.memory.saturating_add(memory);
        if self.memory > MAX_JSON_MEMORY {
            return Err(E::custom(format!(
                "more values than fit {MAX_JSON_MEMORY} bytes of memory"
            )));
        }
        Ok(())
    }

    fn enter<E: Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > MAX_JSON_DEPTH {
            return Err(E::custom(format!("nested deeper than {MAX_JSON_DEPTH} levels")));
        }
        Ok(())
    }

    /// Forgets the keys of the innermost object, which begin at `first`; refuses if one is there twice.
    fn close<E: Error>(&mut self, first: usize) -> Result<(), E> {
        let keys = self.keys.get_mut(first..).unwrap_or_default();
        if !keys.is_sorted() {
            keys.sort_unstable();
        }
        let mut pairs = keys.iter().zip(keys.iter().skip(1));
        if let Some((key, _)) = pairs.find(|(key, next)| key == next) {
            return Err(E::custom(format!("key `{}` is there twice", shorten(key))));
        }
        self.keys.truncate(first);
        Ok(())
    }
}

/// A name from a file as it may stand in a message: without control characters, and not too long.
pub fn shorten(name: &str) -> String {
    const LENGTH: usize = 80;
    let mut short: String = name.chars().take(LENGTH).flat_map(char::escape_debug).collect();
    if name.chars().nth(LENGTH).is_some() {
        short.push('…');
    }
    short
}

struct Scanned<'a, 'de>(&'a mut Scan<'de>);

impl<'de> DeserializeSeed<'de> for Scanned<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scanned<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.spend(ALLOCATION + text.len())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.enter()?;
        let mut cost = FIRST_ITEM;
        while items.next_element_seed(Scanned(&mut *self.0))?.is_some() {
            self.0.spend(cost)?;
            cost = NEXT_ITEM;
        }
        self.0.depth -= 1;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.0.enter()?;
        let first = self.0.keys.len();
        let mut count = 0usize;
        while let Some(key) = entries.next_key_seed(Key)? {
            let node = if count.is_multiple_of(ENTRIES_IN_NODE) { OBJECT_NODE } else { 0 };
            self.0.spend(node + ALLOCATION + key.len())?;
            self.0.keys.push(key);
            count += 1;
            entries.next_value_seed(Scanned(&mut *self.0))?;
        }
        self.0.depth -= 1;
        self.0.close(first)
    }
}

/// A key, borrowed from the document where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
