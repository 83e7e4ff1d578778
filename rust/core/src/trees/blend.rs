//! A whole block of rows through every node of a tree, without walks: compare, then blend the answers of the children.
//!
//! The cost grows with the nodes and not with the depth, so this is for trees of few leaves; each operation is a plain
//! loop over a block, which compilers turn into vector instructions.

use super::nodes::{Node, Word};
use crate::plan::block::BLOCK_ROWS;

/// Leaves of one tree up to which every node is evaluated: with 63 leaves it takes 6 ns a row and tree where walks
/// take 10, so they meet at about twice as many (Zen 3, AVX2, `examples/trees_speed.rs`).
const MOST_LEAVES: usize = 128;

/// A word for each row of a block.
pub type Lane<W> = [W; BLOCK_ROWS];

/// Takes the answer of the first child where the rank is within `span` of `low`, else that of the second.
#[derive(Debug)]
struct Instruction<W> {
    plane: u32,
    first: u16,
    second: u16,
    target: u16,
    low: W,
    span: W,
}

/// The trees of a forest as straight lines of instructions over slots.
///
/// The slots up to `constants` hold their own number: the leaves. Those behind hold what inner nodes answer.
#[derive(Debug)]
pub struct Blend<W> {
    instructions: Vec<Instruction<W>>,
    /// For each tree the end of its instructions and the slot of its answer.
    trees: Vec<(usize, u16)>,
    constants: usize,
    slots: usize,
}

impl<W: Word> Blend<W> {
    /// The program of a forest without sets; `None` where walks are the better way. `has_low` as in [`Node::low`].
    pub fn new(nodes: &[Node<W>], roots: &[u32], has_low: bool) -> Option<Self> {
        let ends = roots.iter().skip(1).map(|root| *root as usize).chain([nodes.len()]);
        let trees = roots.iter().zip(ends).map(|(root, end)| &nodes[*root as usize..end]);
        let leaves = |tree: &[Node<W>]| tree.iter().filter(|node| node.is_leaf()).count();
        if trees.clone().any(|tree| leaves(tree) > MOST_LEAVES) {
            return None;
        }
        let rows = trees.flat_map(|tree| tree.iter().filter(|node| node.is_leaf()));
        let constants = rows.map(|leaf| leaf.low.index() + 1).max()?;
        if constants > MOST_LEAVES {
            return None;
        }
        let mut blend = Self { instructions: Vec::new(), trees: Vec::new(), constants, slots: 0 };
        for root in roots {
            let slot = blend.compile(nodes, *root as usize, 0, has_low);
            blend.trees.push((blend.instructions.len(), slot));
        }
        Some(blend)
    }

    /// Adds the instructions of a node, `depth` answers being kept; returns the slot of its answer.
    ///
    /// It calls itself less often than a tree has leaves.
    fn compile(&mut self, nodes: &[Node<W>], at: usize, depth: usize, has_low: bool) -> u16 {
        let node = nodes[at];
        if node.is_leaf() {
            return node.low.index() as u16;
        }
        let child = at + node.offset.index();
        let first = self.compile(nodes, child, depth, has_low);
        let second = self.compile(nodes, child + 1, depth + 1, has_low);
        let target = self.constants + depth;
        self.slots = self.slots.max(target + 1);
        self.instructions.push(Instruction {
            plane: node.plane.index() as u32,
            first,
            second,
            target: target as u16,
            low: if has_low { node.low } else { W::default() },
            span: node.span,
        });
        target as u16
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.instructions.as_slice()) + size_of_val(self.trees.as_slice())
    }

    /// Hands over each tree, in order, with the row of its leaves that each row of the block reaches.
    ///
    /// `ranks` has a lane for each plane; `slots` is room that is kept from block to block.
    pub fn run(
        &self,
        ranks: &[Lane<W>],
        slots: &mut Vec<Lane<W>>,
        found: impl FnMut(usize, &Lane<W>),
    ) {
        let count = self.slots.max(self.constants);
        slots.resize(count.max(slots.len()), [W::default(); BLOCK_ROWS]);
        for (number, slot) in slots[..self.constants].iter_mut().enumerate() {
            *slot = [W::truncate(number as u32); BLOCK_ROWS];
        }
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the instructions.
            return unsafe { self.run_avx2(ranks, slots, found) };
        }
        self.run_anywhere(ranks, slots, found);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2(
        &self,
        ranks: &[Lane<W>],
        slots: &mut [Lane<W>],
        found: impl FnMut(usize, &Lane<W>),
    ) {
        self.run_anywhere(ranks, slots, found);
    }

    #[inline(always)]
    fn run_anywhere(
        &self,
        ranks: &[Lane<W>],
        slots: &mut [Lane<W>],
        mut found: impl FnMut(usize, &Lane<W>),
    ) {
        let mut start = 0;
        for (tree, (end, answer)) in self.trees.iter().enumerate() {
            for instruction in &self.instructions[start..*end] {
                let rank = &ranks[instruction.plane as usize];
                // Copies, so that the compiler knows that the target is none of them.
                let first = slots[instruction.first as usize];
                let second = slots[instruction.second as usize];
                let target = &mut slots[instruction.target as usize];
                for row in 0..BLOCK_ROWS {
                    let is_second = rank[row].above(instruction.low) > instruction.span;
                    target[row] = first[row].or(second[row], is_second);
                }
            }
            start = *end;
            found(tree, &slots[*answer as usize]);
        }
    }
}
