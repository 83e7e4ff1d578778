//! Dictionaries of Arrow as levels, so that each text is looked up once and not once per row.

use super::cells::read_array;
use super::validity::each_missing;
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray};
use arrow_schema::DataType;
use penstock_core::cell::{Cell, Levels};

/// The dictionaries of the chunks of a column, one after the other; chunks may share one.
pub(super) struct Dictionaries {
    keys: Vec<Chunk>,
    /// The first level of each dictionary.
    firsts: Vec<usize>,
    values: Vec<ArrayRef>,
    count: usize,
}

/// Keys, the first row, and the levels of their dictionary.
struct Chunk {
    keys: ArrayRef,
    start: usize,
    levels: std::ops::Range<usize>,
}

impl Dictionaries {
    /// `None` if the chunks have no dictionaries, or more levels than 32 bits can tell.
    pub(super) fn new(chunks: &[ArrayRef], starts: &[usize]) -> Option<Self> {
        let mut all = Self { keys: Vec::new(), firsts: Vec::new(), values: Vec::new(), count: 0 };
        for (chunk, start) in chunks.iter().zip(starts) {
            let dictionary = chunk.as_any_dictionary_opt()?;
            let values = dictionary.values();
            let is_same = |last: &ArrayRef| last.to_data().ptr_eq(&values.to_data());
            if !all.values.last().is_some_and(is_same) {
                all.firsts.push(all.count);
                all.values.push(values.clone());
                all.count += values.len();
            }
            let first = all.count - values.len();
            let keys = arrow_array::make_array(dictionary.keys().to_data());
            all.keys.push(Chunk { keys, start: *start, levels: first..all.count });
        }
        (!all.keys.is_empty() && all.count < u32::MAX as usize).then_some(all)
    }
}

impl Levels for Dictionaries {
    fn count(&self) -> usize {
        self.count
    }

    fn level(&self, at: usize) -> Cell<'_> {
        let mut cell = [Cell::Missing];
        let dictionary = self.firsts.partition_point(|first| *first <= at).saturating_sub(1);
        if let Some(values) = self.values.get(dictionary) {
            read_array(values.as_ref(), at - self.firsts[dictionary], &mut cell);
        }
        cell[0]
    }

    fn positions(&self, start: usize, positions: &mut [u32]) {
        let (mut row, mut rest) = (start, positions);
        let first = self.keys.partition_point(|chunk| chunk.start <= start).saturating_sub(1);
        for chunk in &self.keys[first.min(self.keys.len())..] {
            if rest.is_empty() {
                break;
            }
            let from = row - chunk.start;
            let count = (chunk.keys.len() - from).min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            chunk.positions(from, now);
            (row, rest) = (row + count, later);
        }
    }
}

impl Chunk {
    fn positions(&self, from: usize, positions: &mut [u32]) {
        let keys = self.keys.as_ref();
        match keys.data_type() {
            DataType::Int8 => self.of(keys.as_primitive::<Int8Type>(), from, positions),
            DataType::Int16 => self.of(keys.as_primitive::<Int16Type>(), from, positions),
            DataType::Int32 => self.of(keys.as_primitive::<Int32Type>(), from, positions),
            DataType::Int64 => self.of(keys.as_primitive::<Int64Type>(), from, positions),
            DataType::UInt8 => self.of(keys.as_primitive::<UInt8Type>(), from, positions),
            DataType::UInt16 => self.of(keys.as_primitive::<UInt16Type>(), from, positions),
            DataType::UInt32 => self.of(keys.as_primitive::<UInt32Type>(), from, positions),
            DataType::UInt64 => self.of(keys.as_primitive::<UInt64Type>(), from, positions),
            _ => positions.fill(u32::MAX),
        }
    }

    fn of<T: ArrowPrimitiveType>(
        &self,
        keys: &PrimitiveArray<T>,
        from: usize,
        positions: &mut [u32],
    ) where
        usize: TryFrom<T::Native>,
    {
        let values = &keys.values()[from..][..positions.len()];
        for (position, key) in positions.iter_mut().zip(values) {
            let key = usize::try_from(*key).unwrap_or(usize::MAX);
            let is_level = key < self.levels.len();
            *position = if is_level { (self.levels.start + key) as u32 } else { u32::MAX };
        }
        each_missing(keys.nulls(), from, positions.len(), |row| positions[row] = u32::MAX);
    }
}
