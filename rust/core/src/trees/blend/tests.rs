//! Tests that no range of bytes can say: sets, and ranges of more ranks than a byte has.

use super::super::lanes::{Kernel, Member};
use super::super::nodes::{Node, Word};
use super::super::sets::Tables;
use crate::plan::block::Lane;

/// A test that makes a lane of its own: 0 where rows go to the first child.
#[derive(Debug, Clone, Copy)]
pub enum Odd {
    /// The bit of a byte, of 256.
    Bits {
        lane: u32,
        bits: u32,
    },
    /// The bit of a rank, of many.
    Table {
        plane: u32,
        table: u32,
    },
    Range {
        plane: u32,
        low: u32,
        span: u32,
    },
}

/// How the nodes of a forest are to be read.
pub struct Tests<'a> {
    pub tables: &'a Tables,
    pub plane_count: usize,
    /// Planes from here on are tested with sets.
    pub first_set: usize,
    /// Whether nodes have lower bounds.
    pub has_low: bool,
}

impl Tests<'_> {
    /// The table that a node tests with.
    pub fn table<W: Word>(&self, node: &Node<W>) -> Option<u32> {
        (node.plane.index() >= self.first_set).then(|| node.table() as u32)
    }

    /// The rank from which on all go the same way.
    pub fn limit(&self, table: u32) -> u32 {
        self.tables.tables[table as usize].limit
    }

    /// The bit of every byte, `added` being its distance from the rank.
    pub fn bits(&self, table: u32, added: u32) -> [u8; 32] {
        let mut bits = [0; 32];
        for byte in 0..=u32::from(u8::MAX) {
            let rank = byte.saturating_sub(added);
            let bit = self.tables.bit(table, rank);
            bits[byte as usize / 8] |= u8::from(bit) << (byte % 8);
        }
        bits
    }
}

impl Tables {
    /// Whether a rank goes to the first child.
    #[inline(always)]
    pub fn bit(&self, table: u32, rank: u32) -> bool {
        let table = self.tables[table as usize];
        let bit = rank.min(table.limit);
        self.words[table.start as usize + bit as usize / 32] >> (bit % 32) & 1 != 0
    }
}

impl Odd {
    /// Writes the answers of so many rows, in whole vectors of all kernels.
    pub fn run<W: Word>(
        &self,
        kernel: Kernel,
        (ranks, tables, bits): (&[Lane<W>], &Tables, &[[u8; 32]]),
        (lanes, answers): (&[Lane<u8>], &mut Lane<u8>),
        rows: usize,
    ) {
        let answers = &mut answers.0[..rows];
        match *self {
            Self::Bits { lane, bits: at } => {
                let ranks = &lanes[lane as usize].0[..rows];
                kernel.run(Member { ranks, bits: &bits[at as usize], answers });
            }
            Self::Table { plane, table } => {
                for (answer, rank) in answers.iter_mut().zip(&ranks[plane as usize].0) {
                    *answer = u8::from(!tables.bit(table, rank.index() as u32));
                }
            }
            Self::Range { plane, low, span } => {
                let (low, span) = (W::truncate(low), W::truncate(span));
                for (answer, rank) in answers.iter_mut().zip(&ranks[plane as usize].0) {
                    *answer = u8::from(rank.above(low) > span);
                }
            }
        }
    }
}
