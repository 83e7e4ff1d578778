//! Codes by text: short texts are compared as integers, without following a pointer.

use foldhash::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

/// A text of up to 16 bytes: its first and its last ones, which overlap or meet, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Short {
    first: u64,
    last: u64,
    length: u8,
}

impl Short {
    #[inline(always)]
    fn new(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let length = bytes.len() as u8;
        if let (Some(first), Some(last), ..=16) =
            (bytes.first_chunk(), bytes.last_chunk(), bytes.len())
        {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            return Some(Self { first, last, length });
        }
        if let (Some(first), Some(last), ..=8) =
            (bytes.first_chunk(), bytes.last_chunk(), bytes.len())
        {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            return Some(Self { first: first.into(), last: last.into(), length });
        }
        match bytes {
            [] => Some(Self { first: 0, last: 0, length }),
            [only] => Some(Self { first: 0, last: u64::from(*only), length }),
            [first, last] => {
                Some(Self { first: u64::from(*first), last: u64::from(*last), length })
            }
            [first, middle, last] => {
                let first = u64::from(*first) | u64::from(*middle) << 8;
                Some(Self { first, last: u64::from(*last), length })
            }
            _ => None,
        }
    }

    /// The text that it was made of.
    fn text(self) -> String {
        let (first, last) = (self.first.to_le_bytes(), self.last.to_le_bytes());
        let length = usize::from(self.length);
        let mut bytes = match length {
            0..=3 => vec![first[0], first[1], last[0]],
            4..=7 => [&first[..4], &last[..4]].concat(),
            _ => [first, last].concat(),
        };
        match length {
            1 => bytes.drain(..2),
            2 => bytes.drain(1..2),
            3 => bytes.drain(..0),
            0 => bytes.drain(..),
            // The last bytes overlap the first ones.
            4..=7 => bytes.drain(4..4 + (8 - length)),
            _ => bytes.drain(8..8 + (16 - length)),
        };
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Hash for Short {
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The length only tells apart what is alike at both ends; equality compares it.
        state.write_u64(self.first);
        state.write_u64(self.last.wrapping_add(u64::from(self.length)));
    }
}

/// Texts and the code of each.
#[derive(Debug, Default, PartialEq)]
pub struct TextIndex {
    short: HashMap<Short, u32>,
    long: HashMap<Arc<str>, u32>,
}

impl TextIndex {
    #[inline]
    pub fn get(&self, text: &str) -> Option<u32> {
        match Short::new(text) {
            Some(short) => self.short.get(&short).copied(),
            None => self.long.get(text).copied(),
        }
    }

    pub fn insert(&mut self, text: &str, code: u32) {
        match Short::new(text) {
            Some(short) => self.short.insert(short, code),
            None => self.long.insert(Arc::from(text), code),
        };
    }

    pub fn remove(&mut self, text: &str) {
        match Short::new(text) {
            Some(short) => self.short.remove(&short),
            None => self.long.remove(text),
        };
    }

    pub fn codes(&self) -> impl Iterator<Item = u32> + '_ {
        self.short.values().chain(self.long.values()).copied()
    }

    /// All texts, in no order.
    pub fn texts(&self) -> impl Iterator<Item = String> + '_ {
        let short = self.short.keys().map(|text| text.text());
        short.chain(self.long.keys().map(|text| text.to_string()))
    }

    pub fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A hash of all texts and codes, whatever their order.
    pub fn hash(&self, state: &impl BuildHasher) -> u64 {
        let short = self.short.iter().map(|entry| state.hash_one(entry));
        short.chain(self.long.iter().map(|entry| state.hash_one(entry))).fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod checks {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn test_every_text_has_its_own_code(texts in prop::collection::hash_set("[ab\0é]{0,20}", 0..40)) {
            let mut index = TextIndex::default();
            for (code, text) in texts.iter().enumerate().skip(texts.len() / 4) {
                index.insert(text, code as u32);
            }
            let listed: std::collections::HashSet<String> = index.texts().collect();
            prop_assert_eq!(listed, texts.iter().skip(texts.len() / 4).cloned().collect());
            for (code, text) in texts.iter().enumerate() {
                let expected = (code >= texts.len() / 4).then_some(code as u32);
                prop_assert_eq!(index.get(text), expected, "{:?}", text);
            }
        }
    }
}
