//! Tests of sets, of all nodes of a tree and a plane together: a word of outcomes for each category.

use super::super::sets::Tables;
use super::super::LANES;

/// Words of a group, at most; the tests of its nodes take up to 2,000.
const MOST_WORDS: usize = 2_048;

/// Planes that are tested with sets, at most.
pub const MOST_COLUMNS: usize = 32;

/// A node that tests a set.
#[derive(Debug, Clone, Copy)]
pub struct SetTest {
    /// Position in the tree.
    pub node: usize,
    pub plane: u32,
    pub table: u32,
}

/// The nodes of a tree that test one plane with sets: which of them send a rank to the second child.
#[derive(Debug, Clone, Copy, Default)]
pub struct Column {
    /// Among those that are tested with sets.
    plane: u32,
    /// The word of rank 0.
    start: u32,
    /// Rank from which on all have the same word.
    limit: u32,
}

/// The columns of eight trees: one of each, then another of each, and so on.
#[derive(Debug)]
pub struct Columns {
    /// Those that are tested with sets.
    pub planes: Vec<u32>,
    pub columns: Vec<[Column; LANES]>,
    pub words: Vec<u64>,
}

impl Default for Columns {
    fn default() -> Self {
        // The first word is that of trees which have fewer columns than others.
        Self { planes: Vec::new(), columns: Vec::new(), words: vec![0] }
    }
}

impl Columns {
    /// The columns of a tree, whose nodes have bits by their position; `None` if the words of its group, which began at `start`,
    /// would be too many.
    pub fn add(
        &mut self,
        tables: &Tables,
        tests: &[SetTest],
        bits: &[usize],
        start: usize,
    ) -> Option<Vec<Column>> {
        let mut planes: Vec<u32> = tests.iter().map(|test| test.plane).collect();
        planes.sort_unstable();
        planes.dedup();
        let column = |plane: u32| {
            let tests = tests.iter().filter(|test| test.plane == plane);
            let limits = tests.clone().map(|test| tables.tables[test.table as usize].limit);
            let limit = limits.max().unwrap_or(0);
            let (first, count) = (self.words.len(), limit as usize + 1);
            if first - start + count > MOST_WORDS {
                return None;
            }
            self.words.resize(first + count, 0);
            for test in tests.clone() {
                let bit = bits[test.node];
                for (rank, word) in self.words[first..].iter_mut().enumerate() {
                    *word |= u64::from(!tables.bit(test.table, rank as u32)) << bit;
                }
            }
            let known = self.planes.iter().position(|known| *known == plane);
            let plane = known.unwrap_or(self.planes.len());
            if known.is_none() {
                self.planes.push(tests.clone().next()?.plane);
            }
            (plane < MOST_COLUMNS).then_some(Column {
                plane: plane as u32,
                start: first as u32,
                limit,
            })
        };
        planes.into_iter().map(column).collect()
    }

    /// Puts the columns of the trees of a group together; returns where they are.
    pub fn join(&mut self, trees: &[Vec<Column>]) -> std::ops::Range<usize> {
        let start = self.columns.len();
        let count = trees.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..count {
            let column = |tree: usize| trees.get(tree)?.get(at).copied();
            self.columns.push(std::array::from_fn(|tree| column(tree).unwrap_or_default()));
        }
        start..start + count
    }

    /// The nodes of eight trees that send a row to the second child, of those in one column each.
    #[inline(always)]
    pub fn outcomes(
        &self,
        columns: &[Column; LANES],
        categories: &[u32; MOST_COLUMNS],
    ) -> [u64; LANES] {
        columns.map(|column| {
            let rank = categories[column.plane as usize % MOST_COLUMNS].min(column.limit);
            self.words[(column.start + rank) as usize]
        })
    }
}
