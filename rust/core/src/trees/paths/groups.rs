//! Eight trees that are run together, in one of three forms.

use super::super::lanes::{NodeBytes, NodeTests, BIAS};
use super::super::nodes::{Node, Word};
use super::super::sets::Tables;
use super::super::LANES;
use super::order::{levels, paths, Step};
use super::sets::{Columns, SetTest};
use super::tests::ByteTest;
use std::ops::Range;

/// A tree whose nodes are numbered along paths; the last bytes are those of the first.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct PathTree<const NODES: usize> {
    pub tests: NodeTests<NODES>,
    /// Where a walk goes on that leaves a path at a node; the node itself where that is at a leaf.
    pub next: [u8; NODES],
    /// The leaf that a path ends with, and the one beside it.
    pub leaves: [[u8; NODES]; 2],
}

/// A tree whose nodes are numbered level by level, from 1 on.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct LevelTree<const NODES: usize> {
    pub tests: NodeTests<NODES>,
    /// For each way through all levels.
    pub leaves: [u8; NODES],
}

/// Eight trees whose nodes make the same test in all of a level. The outcomes of a tree are the number of its leaf, a byte
/// of those of all.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct ObliviousTrees {
    pub tests: NodeTests<64>,
}

/// What trees of all forms have.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Group<T> {
    pub trees: T,
    /// Bits of nodes where a path goes on with the second child.
    pub flips: [u64; LANES],
    /// Bits of nodes that paths end with, and all behind the last.
    pub ends: [u64; LANES],
    /// How often walks come to the end of a path or leave it, at most.
    pub exits: u32,
    /// Among those of all groups.
    pub columns: Range<usize>,
}

/// A tree, and what is tested in it.
pub struct Draft<'a, W> {
    pub nodes: &'a [Node<W>],
    /// Positions of the nodes whose tests count: one of each level of an oblivious tree, else all inner ones.
    pub tested: Vec<usize>,
    /// By position.
    pub bytes: Vec<ByteTest>,
    pub sets: Vec<SetTest>,
}

impl<T> Group<T> {
    /// Nodes at positions have bits. `None` if there are too many categories.
    fn new<W: Word>(
        trees: T,
        drafts: &[Draft<'_, W>],
        bits: &[Vec<usize>],
        tables: &Tables,
        sets: &mut Columns,
    ) -> Option<Self> {
        let start = sets.words.len();
        let trees_and_bits = drafts.iter().zip(bits);
        let columns =
            trees_and_bits.map(|(draft, bits)| sets.add(tables, &draft.sets, bits, start));
        let columns = columns.collect::<Option<Vec<_>>>()?;
        let columns = sets.join(&columns);
        Some(Self { trees, flips: [0; LANES], ends: [0; LANES], exits: 0, columns })
    }
}

impl Group<ObliviousTrees> {
    pub fn oblivious<W: Word>(
        drafts: &[Draft<'_, W>],
        tables: &Tables,
        sets: &mut Columns,
    ) -> Option<Self> {
        let mut tests = Vec::new();
        let mut bits = Vec::new();
        for (tree, draft) in drafts.iter().enumerate() {
            let mut bit_of = vec![0; draft.nodes.len()];
            // The root decides about the highest bit of the number.
            for (bit, node) in draft.tested.iter().rev().enumerate() {
                bit_of[*node] = 8 * tree + bit;
                tests.push((8 * tree + bit, draft.bytes[*node]));
            }
            bits.push(bit_of);
        }
        let trees = ObliviousTrees { tests: node_tests(tests.into_iter()) };
        Self::new(trees, drafts, &bits, tables, sets)
    }
}

impl<const NODES: usize> Group<[LevelTree<NODES>; LANES]> {
    pub fn levels<W: Word>(
        drafts: &[Draft<'_, W>],
        tables: &Tables,
        sets: &mut Columns,
    ) -> Option<Self> {
        let mut bits = Vec::new();
        let mut trees = std::array::from_fn(|_| LevelTree {
            tests: node_tests(std::iter::empty()),
            leaves: [0; NODES],
        });
        for (draft, tree) in drafts.iter().zip(&mut trees) {
            let (numbers, leaves) = levels(draft.nodes, NODES.ilog2() as usize);
            tree.tests = node_tests(draft.tested.iter().map(|at| (numbers[*at], draft.bytes[*at])));
            tree.leaves.copy_from_slice(&leaves);
            bits.push(numbers);
        }
        Self::new(trees, drafts, &bits, tables, sets)
    }
}

impl<const NODES: usize> Group<[PathTree<NODES>; LANES]> {
    pub fn paths<W: Word>(
        drafts: &[Draft<'_, W>],
        tables: &Tables,
        sets: &mut Columns,
    ) -> Option<Self> {
        let ordered: Vec<_> = drafts.iter().map(|draft| paths(draft.nodes)).collect();
        let bits = drafts.iter().zip(&ordered).map(|(draft, (steps, _))| {
            let mut bits = vec![0; draft.nodes.len()];
            steps.iter().enumerate().for_each(|(at, step)| bits[step.node] = 63 - at);
            bits
        });
        let bits: Vec<_> = bits.collect();
        let trees = std::array::from_fn(|_| PathTree::new(&[], &[]));
        let mut group = Self::new(trees, drafts, &bits, tables, sets)?;
        group.ends = [u64::MAX; LANES];
        for (at, (draft, (steps, exits))) in drafts.iter().zip(&ordered).enumerate() {
            let bits = |is_set: fn(&Step) -> bool| {
                let set = steps.iter().enumerate().filter(|(_, step)| is_set(step));
                set.fold(0, |bits, (number, _)| bits | 1_u64 << (63 - number))
            };
            group.trees[at] = PathTree::new(steps, &draft.bytes);
            group.flips[at] = bits(|step| step.is_flipped);
            let behind = u64::MAX.checked_shr(steps.len() as u32).unwrap_or(0);
            group.ends[at] = bits(|step| step.is_last) | behind;
            group.exits = group.exits.max(*exits);
        }
        Some(group)
    }

    /// Whether every way ends at a node that exists.
    pub fn is_sound(&self) -> bool {
        let mut trees = self.trees.iter().zip(self.ends);
        trees.all(|(tree, ends)| {
            ends >> (64 - NODES) & 1 == 1 && tree.next.iter().all(|next| usize::from(*next) < NODES)
        })
    }
}

impl<const NODES: usize> PathTree<NODES> {
    fn new(steps: &[Step], bytes: &[ByteTest]) -> Self {
        let numbered = steps.iter().enumerate();
        let tests = numbered.clone().map(|(at, step)| (NODES - 1 - at, bytes[step.node]));
        let mut tree = Self {
            tests: node_tests(tests),
            next: std::array::from_fn(|at| at as u8),
            leaves: [[0; NODES]; 2],
        };
        for (at, step) in numbered {
            tree.next[at] = step.next;
            (tree.leaves[0][at], tree.leaves[1][at]) = (step.leaves[0], step.leaves[1]);
        }
        tree
    }
}

/// The tests of numbered nodes; all others pass all bytes.
fn node_tests<const NODES: usize>(
    tests: impl Iterator<Item = (usize, ByteTest)>,
) -> NodeTests<NODES> {
    let [lanes, lows] = [NodeBytes([0; NODES]); 2];
    let spans = NodeBytes([u8::MAX.wrapping_add(BIAS); NODES]);
    let mut all = NodeTests { lanes, spans, lows };
    for (number, test) in tests {
        all.lanes.0[number] = test.code;
        all.lows.0[number] = test.low;
        all.spans.0[number] = test.last.wrapping_sub(test.low).wrapping_add(BIAS);
    }
    all
}
