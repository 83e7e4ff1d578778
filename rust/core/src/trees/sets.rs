//! Sets of categories as tests on ranks: a range where one will do, else a table of bits.

use super::nodes::LAST_RANK;
use super::rules::OtherCategory;

/// Rank of a missing category; category `c` has rank `c + 1`, negative ones and those beyond all sets the last rank.
pub const MISSING_RANK: u32 = 0;

/// Which ranks go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Membership {
    Always(bool),
    /// The ranks from `low` to `last`, past the largest and on from 0 if `last` is below `low`.
    Range {
        low: u32,
        last: u32,
    },
    Table(u32),
}

/// The bits of one test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Table {
    /// First word.
    pub start: u32,
    /// Position of the bit for all ranks from here on.
    pub limit: u32,
}

/// Bit `rank` of a table tells whether it goes left.
#[derive(Debug, Default)]
pub struct Tables {
    pub tables: Vec<Table>,
    pub words: Vec<u32>,
}

impl Tables {
    /// Whether every table has a word for its last bit.
    pub fn are_sound(&self) -> bool {
        let end = |table: &Table| table.start as usize + table.limit as usize / 32;
        self.tables.iter().all(|table| end(table) < self.words.len())
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.tables.as_slice()) + size_of_val(self.words.as_slice())
    }

    /// The test for a set; its bits are only kept if it needs a table.
    pub fn add(&mut self, set: &[u32], missing_left: bool, other: OtherCategory) -> Membership {
        let other_left = match other {
            OtherCategory::Left => true,
            OtherCategory::Right => false,
            OtherCategory::Missing => missing_left,
        };
        let start = self.words.len();
        let limit = append(&mut self.words, set, missing_left, other_left);
        let membership = as_range(&self.words[start..], limit, other_left);
        membership.map_or_else(
            || {
                self.tables.push(Table { start: start as u32, limit });
                Membership::Table((self.tables.len() - 1) as u32)
            },
            |membership| {
                self.words.truncate(start);
                membership
            },
        )
    }
}

/// Appends a bit for missing, one per category up to the last that differs from `other_left`, and one for others.
/// Returns the position of the last.
fn append(words: &mut Vec<u32>, set: &[u32], missing_left: bool, other_left: bool) -> u32 {
    let same = if other_left { u32::MAX } else { 0 };
    let categories = set
        .iter()
        .rposition(|word| *word != same)
        .map_or(0, |at| at as u32 * 32 + 32 - (set[at] ^ same).leading_zeros());
    let limit = categories + 1;
    let mut carry = u32::from(missing_left);
    for at in 0..limit / 32 + 1 {
        let word = set.get(at as usize).copied().unwrap_or(0);
        words.push(word << 1 | carry);
        carry = word >> 31;
    }
    if let Some(last) = words.last_mut() {
        *last &= (1 << (limit % 32)) - 1;
        *last |= u32::from(other_left) << (limit % 32);
    }
    limit
}

/// The bits as one run of ones; the first bit follows the last, as ranks wrap around.
fn as_range(words: &[u32], limit: u32, other_left: bool) -> Option<Membership> {
    let ones: u32 = words.iter().map(|word| word.count_ones()).sum();
    let mut previous = u32::from(other_left);
    let mut start = None;
    for (at, word) in words.iter().enumerate() {
        let starts = word & !(word << 1 | previous);
        previous = word >> 31;
        if starts == 0 {
            continue;
        }
        if start.is_some() || starts.count_ones() > 1 {
            return None;
        }
        start = Some(at as u32 * 32 + starts.trailing_zeros());
    }
    let Some(low) = start else { return Some(Membership::Always(other_left)) };
    let last = (low + ones - 1) % (limit + 1);
    Some(Membership::Range { low, last: if last == limit { LAST_RANK } else { last } })
}

#[cfg(test)]
mod checks {
    use super::*;
    use proptest::prelude::*;

    fn is_left(membership: Membership, tables: &Tables, rank: u32) -> bool {
        match membership {
            Membership::Always(left) => left,
            Membership::Range { low, last } => rank.wrapping_sub(low) <= last.wrapping_sub(low),
            Membership::Table(at) => {
                let table = tables.tables[at as usize];
                let bit = rank.min(table.limit);
                tables.words[(table.start + bit / 32) as usize] >> (bit % 32) & 1 != 0
            }
        }
    }

    fn word() -> impl Strategy<Value = u32> {
        let run =
            (0u32..32, 0u32..32).prop_map(|(low, high)| (u32::MAX << low) & (u32::MAX >> high));
        prop_oneof![Just(0), Just(u32::MAX), (0u32..32).prop_map(|at| 1 << at), run, any::<u32>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn test_every_rank_goes_where_the_set_says(
            sets in prop::collection::vec(prop::collection::vec(word(), 0..4), 1..4),
            missing_left: bool,
            other in prop::sample::select(vec![OtherCategory::Left, OtherCategory::Right, OtherCategory::Missing]),
        ) {
            let mut tables = Tables::default();
            let members: Vec<_> = sets.iter().map(|set| tables.add(set, missing_left, other)).collect();
            for (set, membership) in sets.iter().zip(members) {
                let beyond = match other {
                    OtherCategory::Left => true,
                    OtherCategory::Right => false,
                    OtherCategory::Missing => missing_left,
                };
                prop_assert_eq!(is_left(membership, &tables, MISSING_RANK), missing_left);
                prop_assert_eq!(is_left(membership, &tables, LAST_RANK), beyond);
                for category in 0..140u32 {
                    let word = set.get(category as usize / 32);
                    let expected = word.map_or(beyond, |word| word >> (category % 32) & 1 != 0);
                    prop_assert_eq!(is_left(membership, &tables, category + 1), expected);
                }
            }
        }
    }

    #[test]
    fn test_one_category_needs_no_table() {
        let mut tables = Tables::default();
        let membership = tables.add(&[1 << 5], false, OtherCategory::Right);
        assert_eq!(membership, Membership::Range { low: 6, last: 6 });
        assert!(tables.words.is_empty());
    }
}
