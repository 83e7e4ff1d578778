//! How many places of a text hold a word of a list; used by the operator `count_words`.
//!
//! Words of up to three bytes are in a table of all triples of the bytes that they use. Of longer ones filters of bits say at
//! which places one of four bytes, or the first five bytes of a longer one, may stand; only there the sorted list is searched.

use std::cmp::Ordering;
use std::ops::Range;

/// Bytes of a word by which it is found.
const HEAD: usize = 4;

/// Places that are looked at together, so that searches do not wait for each other.
const PLACES: usize = 64;

/// Bits of a filter for each different key: few places pass by mistake, and the filters stay in the second cache.
const FILTER_BITS: usize = 12;

/// A list of words, in which all places of a text are looked up.
pub struct Words {
    short: Short,
    long: Long,
    count: usize,
}

impl Words {
    /// Words that come twice count once; empty ones do not count.
    pub fn new(mut words: Vec<String>) -> Self {
        words.sort_unstable();
        words.dedup();
        let (long, short): (Vec<_>, Vec<_>) =
            words.into_iter().filter(|word| !word.is_empty()).partition(|word| word.len() >= HEAD);
        let count = long.len() + short.len();
        Self { short: Short::new(&short), long: Long::new(&long), count }
    }

    /// Number of different words.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn memory(&self) -> usize {
        self.short.counts.len() + self.long.memory()
    }

    /// How many words begin at all places of the text together.
    pub fn count_in(&self, text: &str) -> usize {
        let bytes = text.as_bytes();
        let mut count = self.short.count_at_end(bytes);
        let Some(last) = bytes.len().checked_sub(HEAD) else { return count };
        if let &[a, b, c, d] = &bytes[last..] {
            count += self.short.count(a, b, c);
            if self.long.may_be([a, b, c, d]) {
                count += self.long.count(&bytes[last..]);
            }
        }
        let mut places = [0usize; PLACES];
        for first in (0..last).step_by(PLACES) {
            let end = bytes.len().min(first + PLACES + HEAD);
            let mut found = 0;
            for (at, window) in bytes[first..end].windows(HEAD + 1).enumerate() {
                let &[a, b, c, d, e] = window else { continue };
                count += self.short.count(a, b, c);
                places[found % PLACES] = first + at;
                found += usize::from(self.long.may_begin([a, b, c, d], e));
            }
            count += places[..found].iter().map(|at| self.long.count(&bytes[*at..])).sum::<usize>();
        }
        count
    }
}

/// Words of one to three bytes.
struct Short {
    /// What each byte adds to the position of a triple that has it as its first, second, or third; bytes of no word add 0.
    steps: [[u32; 256]; 3],
    /// How many words are at the beginning of each triple: two bits each.
    counts: Vec<u8>,
}

impl Short {
    fn new(words: &[String]) -> Self {
        let mut classes = [0u32; 256];
        let mut size = 1;
        for byte in words.iter().flat_map(|word| word.bytes()) {
            let class = &mut classes[usize::from(byte)];
            if *class == 0 {
                *class = size;
                size += 1;
            }
        }
        let steps = [size * size, size, 1].map(|step| classes.map(|class| class * step));
        let mut short = Self { steps, counts: vec![0; (size as usize).pow(3).div_ceil(4)] };
        for word in words {
            let known = word.bytes().zip(&short.steps);
            let start: u32 = known.map(|(byte, steps)| steps[usize::from(byte)]).sum();
            // All triples that begin with the word are side by side.
            let span = size.pow(3u32.saturating_sub(word.len() as u32));
            (start..start + span).for_each(|at| short.counts[at as usize / 4] += 1 << (at % 4 * 2));
        }
        short
    }

    #[inline(always)]
    fn count(&self, a: u8, b: u8, c: u8) -> usize {
        let [first, second, third] = &self.steps;
        let at = first[usize::from(a)] + second[usize::from(b)] + third[usize::from(c)];
        let counts = self.counts.get(at as usize / 4).copied().unwrap_or(0);
        usize::from(counts >> (at % 4 * 2) & 3)
    }

    /// The words that begin at the last three places, where no longer one can.
    fn count_at_end(&self, bytes: &[u8]) -> usize {
        let end = bytes.len();
        let byte = |at: usize| bytes.get(at).copied();
        let starts = end.saturating_sub(HEAD - 1)..end;
        let [_, second, third] = &self.steps;
        starts
            .map(|at| {
                let [a, b, c] = [byte(at), byte(at + 1), byte(at + 2)];
                let first = self.steps[0][usize::from(a.unwrap_or(0))];
                let second = b.map_or(0, |b| second[usize::from(b)]);
                let at = first + second + c.map_or(0, |c| third[usize::from(c)]);
                usize::from(self.counts[at as usize / 4] >> (at % 4 * 2) & 3)
            })
            .sum()
    }
}

/// Sorted words that begin with the same four bytes.
#[derive(Clone, Copy, Default)]
struct Group {
    head: u32,
    start: u32,
    end: u32,
}

/// Some bits for each of many keys, those of a key in one number.
struct Filter {
    bits: Vec<u64>,
}

impl Filter {
    fn new(keys: &[u64]) -> Self {
        let size = (keys.len() * FILTER_BITS).div_ceil(64).next_power_of_two();
        let mut filter = Self { bits: vec![0; size] };
        for key in keys {
            let (at, mask) = filter.place(*key);
            filter.bits[at] |= mask;
        }
        filter
    }

    /// Two bits, of which neither says anything of the other, nor of where they are.
    #[inline(always)]
    fn place(&self, key: u64) -> (usize, u64) {
        let hash = hash(key);
        let at = (hash >> 44) as usize & (self.bits.len() - 1);
        (at, 1 << (hash >> 38 & 63) | 1 << (hash >> 32 & 63))
    }

    #[inline(always)]
    fn may_have(&self, key: u64) -> bool {
        let (at, mask) = self.place(key);
        self.bits.get(at).is_some_and(|bits| bits & mask == mask)
    }
}

/// Words of four bytes and more.
struct Long {
    /// Of the words of four bytes, and of the first five bytes of the others.
    exact: Filter,
    longer: Filter,
    /// By the hash of their heads, or as near behind it as is free; those that are free are empty.
    groups: Vec<Group>,
    /// What comes after the heads, one after the other, and where each ends.
    tails: Vec<u8>,
    ends: Vec<u32>,
    /// The first bytes of each tail, as numbers in the same order.
    keys: Vec<u64>,
    /// The next shorter word with which each begins, if any, and how many there are with itself.
    parents: Vec<u32>,
    depths: Vec<u32>,
}

const NO_PARENT: u32 = u32::MAX;

impl Long {
    /// The words are sorted and different.
    fn new(words: &[String]) -> Self {
        let exact: Vec<u64> = words.iter().filter_map(|word| exact_key(word.as_bytes())).collect();
        let mut longer: Vec<u64> =
            words.iter().filter_map(|word| longer_key(word.as_bytes())).collect();
        longer.dedup();
        let mut long = Self {
            exact: Filter::new(&exact),
            longer: Filter::new(&longer),
            groups: Vec::new(),
            tails: Vec::new(),
            ends: Vec::with_capacity(words.len()),
            keys: Vec::with_capacity(words.len()),
            parents: Vec::with_capacity(words.len()),
            depths: Vec::with_capacity(words.len()),
        };
        let mut groups: Vec<Group> = Vec::new();
        let mut open: Vec<(usize, &str)> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let Some((head, tail)) = word.as_bytes().split_first_chunk() else { continue };
            let (head, at32) = (u32::from_le_bytes(*head), at as u32);
            match groups.last_mut() {
                Some(group) if group.head == head => group.end += 1,
                _ => groups.push(Group { head, start: at32, end: at32 + 1 }),
            }
            while open.pop_if(|(_, shorter)| !word.starts_with(*shorter)).is_some() {}
            long.parents.push(open.last().map_or(NO_PARENT, |(parent, _)| *parent as u32));
            open.push((at, word));
            long.depths.push(open.len() as u32);
            long.tails.extend_from_slice(tail);
            long.ends.push(long.tails.len() as u32);
            long.keys.push(key(tail));
        }
        long.place(&groups);
        long
    }

    fn place(&mut self, groups: &[Group]) {
        self.groups = vec![Group::default(); (groups.len() * 2).next_power_of_two()];
        for group in groups {
            let mut at = self.slot(group.head);
            while self.groups[at].end > 0 {
                at = (at + 1) % self.groups.len();
            }
            self.groups[at] = *group;
        }
    }

    #[inline(always)]
    fn slot(&self, head: u32) -> usize {
        (hash(head.into()) >> 32) as usize & (self.groups.len() - 1)
    }

    /// Whether a word may begin with a head, or be the head alone, if this byte comes next.
    #[inline(always)]
    fn may_begin(&self, head: [u8; HEAD], next: u8) -> bool {
        let head = u64::from(u32::from_le_bytes(head));
        self.exact.may_have(head) | self.longer.may_have(head | u64::from(next) << 32)
    }

    /// Whether a head alone may be a word.
    #[inline(always)]
    fn may_be(&self, head: [u8; HEAD]) -> bool {
        self.exact.may_have(u32::from_le_bytes(head).into())
    }

    /// How many words the bytes begin with.
    fn count(&self, bytes: &[u8]) -> usize {
        let Some((head, tail)) = bytes.split_first_chunk() else { return 0 };
        let head = u32::from_le_bytes(*head);
        let mut slot = self.slot(head);
        let group = loop {
            let group = self.groups[slot];
            if group.end == 0 {
                return 0;
            }
            if group.head == head {
                break group;
            }
            slot = (slot + 1) % self.groups.len();
        };
        self.count_in(group, tail)
    }

    /// All words that the bytes begin with are among the last one that is not after them in the order, and its parents.
    fn count_in(&self, group: Group, bytes: &[u8]) -> usize {
        let key = key(bytes);
        let is_before = |at: usize| match self.keys[at].cmp(&key) {
            Ordering::Less => true,
            Ordering::Equal => self.tail(at) <= bytes,
            Ordering::Greater => false,
        };
        let after = first_after(group.start as usize..group.end as usize, is_before);
        if after == group.start as usize {
            return 0;
        }
        let mut at = after - 1;
        let common =
            self.tail(at).iter().zip(bytes).take_while(|(one, other)| one == other).count();
        while self.tail(at).len() > common {
            match self.parents[at] {
                NO_PARENT => return 0,
                parent => at = parent as usize,
            }
        }
        self.depths[at] as usize
    }

    fn tail(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.tails[start as usize..self.ends[at] as usize]
    }

    fn memory(&self) -> usize {
        let words = self.ends.len() * (size_of::<u64>() + 3 * size_of::<u32>());
        (self.exact.bits.len() + self.longer.bits.len()) * 8
            + self.groups.len() * size_of::<Group>()
            + self.tails.len()
            + words
    }
}

#[inline(always)]
fn hash(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn exact_key(word: &[u8]) -> Option<u64> {
    <[u8; HEAD]>::try_from(word).ok().map(|head| u32::from_le_bytes(head).into())
}

fn longer_key(word: &[u8]) -> Option<u64> {
    let (head, rest) = word.split_first_chunk()?;
    Some(u64::from(u32::from_le_bytes(*head)) | u64::from(*rest.first()?) << 32)
}

/// The first place of a range that is not before something; those before come first.
#[inline(always)]
fn first_after(range: Range<usize>, is_before: impl Fn(usize) -> bool) -> usize {
    let Range { mut start, mut end } = range;
    while start < end {
        let middle = start.midpoint(end);
        if is_before(middle) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    start
}

/// Up to eight bytes as a number of their order; those that are not there are 0.
fn key(bytes: &[u8]) -> u64 {
    let mut key = [0; 8];
    let length = bytes.len().min(8);
    key[..length].copy_from_slice(&bytes[..length]);
    u64::from_be_bytes(key)
}

#[cfg(test)]
mod checks {
    use super::*;
    use proptest::prelude::*;

    fn plainly(text: &str, words: &[String]) -> usize {
        let starts = (0..text.len()).filter(|at| text.is_char_boundary(*at));
        let mut words: Vec<&String> = words.iter().filter(|word| !word.is_empty()).collect();
        words.sort();
        words.dedup();
        starts.map(|at| words.iter().filter(|word| text[at..].starts_with(**word)).count()).sum()
    }

    proptest! {
        #[test]
        fn test_every_place_of_every_word_counts(
            words in prop::collection::vec("[ab\0é]{0,14}|[a-d]{0,5}", 0..60),
            text in "[ab\0é]{0,40}|[a-d]{0,200}",
        ) {
            prop_assert_eq!(Words::new(words.clone()).count_in(&text), plainly(&text, &words));
        }
    }

    #[test]
    fn test_a_word_that_begins_with_others_brings_them_along() {
        let words = ["exam", "example", "examples", "exampleses", "ample", "a", "am", "amp", "xyz"];
        let words = Words::new(words.map(str::to_owned).to_vec());
        assert_eq!(words.count_in("examples"), 3 + 4);
        assert_eq!(words.count_in("examplesest"), 4 + 4);
        assert_eq!(words.count_in("ax"), 1);
        assert_eq!(words.count_in(""), 0);
    }
}
