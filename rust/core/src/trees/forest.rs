//! A packed ensemble, sealed, and the step that runs it over a row or a block of rows.

use super::blend::Blend;
use super::nodes::{Node, Word};
use super::planes::{Planes, Registers};
use super::sets::Tables;
use super::sums::{Leaves, Sum};
use super::walk::{walk, Ranges, RangesAndSets, Test, UpperBounds};
use super::LANES;
use crate::plan::block::{Block, Step, BLOCK_ROWS};
use crate::plan::element::Register;
use std::marker::PhantomData;
use std::mem::take;
use std::ops::Range;

/// Which tests the nodes have; see [`Test`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Style {
    UpperBounds,
    Ranges,
    RangesAndSets,
}

/// The parts of a forest before they are sealed.
#[derive(Debug)]
pub struct Parts<W> {
    /// All trees, one after the other, with the children of a node side by side; then a leaf for idle walks.
    pub nodes: Vec<Node<W>>,
    /// First node of each tree.
    pub roots: Vec<u32>,
    /// First leaf of each tree, among the leaves of the ensemble.
    pub first_leaves: Vec<u32>,
    pub planes: Planes,
    pub tables: Tables,
    pub style: Style,
}

/// Trees that can be walked without any check, because all were made when it was sealed.
#[derive(Debug)]
pub struct Forest<W> {
    parts: Parts<W>,
    tree_count: usize,
    /// How whole blocks are run, where that beats walking.
    blend: Option<Blend<W>>,
}

impl<W: Word> Forest<W> {
    /// Checks what walks rely on. An error here is a mistake of `packing`, not of a file.
    pub fn seal(mut parts: Parts<W>) -> Result<Self, String> {
        let tree_count = parts.roots.len();
        let idle = parts.nodes.len().saturating_sub(1);
        let is_sound = parts.nodes.last().is_some_and(Node::is_leaf)
            && parts.first_leaves.len() == tree_count
            && parts.roots.iter().all(|root| (*root as usize) < idle)
            && parts.tables.are_sound()
            && (parts.style != Style::RangesAndSets || !parts.tables.tables.is_empty())
            && parts.nodes.iter().enumerate().all(|(at, node)| parts.is_sound(at, node));
        if !is_sound {
            return Err("was packed wrongly; report this to the makers of penstock".to_owned());
        }
        let has_low = parts.style != Style::UpperBounds;
        let blend = match parts.style {
            Style::RangesAndSets => None,
            _ => Blend::new(&parts.nodes[..idle], &parts.roots, has_low),
        };
        parts.roots.resize(tree_count.next_multiple_of(LANES), idle as u32);
        parts.first_leaves.resize(parts.roots.len(), 0);
        Ok(Self { parts, tree_count, blend })
    }

    fn memory(&self) -> usize {
        let Parts { nodes, roots, planes, tables, .. } = &self.parts;
        let trees = 2 * size_of_val(roots.as_slice());
        let blend = self.blend.as_ref().map_or(0, Blend::memory);
        size_of_val(nodes.as_slice()) + trees + planes.memory() + tables.memory() + blend
    }

    /// Walks all trees for one row, several at once, and hands over each tree with its leaf, in order.
    #[inline(always)]
    fn walk_row<T: Test<W>>(&self, test: T, ranks: &[W], mut found: impl FnMut(usize, usize)) {
        assert!(ranks.len() >= self.parts.planes.len());
        let firsts = self.parts.first_leaves.as_chunks::<LANES>().0;
        let groups = self.parts.roots.as_chunks::<LANES>().0.iter().zip(firsts);
        for (group, (roots, first_leaves)) in groups.enumerate() {
            // SAFETY: the forest is sealed; the roots are in it, and there is a rank for each plane.
            let leaves = unsafe { walk::<W, T, 1>(&self.parts.nodes, test, ranks, roots) };
            let trees = group * LANES..self.tree_count;
            for (tree, (leaf, first)) in trees.zip(leaves.iter().zip(first_leaves)) {
                found(tree, leaf + *first as usize);
            }
        }
    }

    /// Walks one tree, `LANES` rows at a time, and hands over each tile of rows with its leaves.
    #[inline(always)]
    fn walk_rows<T: Test<W>>(
        &self,
        test: T,
        tree: usize,
        ranks: &[W],
        mut found: impl FnMut(usize, [usize; LANES]),
    ) {
        let (root, first) = (self.parts.roots[tree], self.parts.first_leaves[tree] as usize);
        for (tile, ranks) in ranks.chunks_exact(self.parts.planes.len() * LANES).enumerate() {
            let roots = [root; LANES];
            // SAFETY: the forest is sealed; the root is in it, and there are `LANES` ranks for each plane.
            let leaves = unsafe { walk::<W, T, LANES>(&self.parts.nodes, test, ranks, &roots) };
            found(tile, leaves.map(|leaf| leaf + first));
        }
    }
}

impl<W: Word> Parts<W> {
    /// A node leads on to nodes that exist, or stays where it is whatever the rank.
    fn is_sound(&self, at: usize, node: &Node<W>) -> bool {
        let plane = node.plane.index();
        let is_set = self.style == Style::RangesAndSets && plane >= self.planes.first_set();
        let leads_on = at + node.offset.index() + 1 < self.nodes.len();
        let stays = node.span.index() == W::MAX as usize && !is_set;
        plane < self.planes.len()
            && if node.is_leaf() { stays } else { leads_on }
            && (!is_set || node.table() < self.tables.tables.len())
    }
}

/// The first `size` values of a vector, which grows if it has fewer.
fn room<T: Copy + Default>(values: &mut Vec<T>, size: usize) -> &mut [T] {
    if values.len() < size {
        values.resize(size, T::default());
    }
    &mut values[..size]
}

/// A forest, its leaves and where the sums go; `S` is the type that they are added in.
pub struct TreesStep<W, L, S> {
    forest: Forest<W>,
    leaves: Leaves<L>,
    targets: Vec<Register>,
    sum: PhantomData<S>,
}

impl<W: Word, L: Copy + Send + Sync, S: Sum + From<L>> TreesStep<W, L, S> {
    pub fn new(forest: Forest<W>, leaves: Leaves<L>, targets: Vec<Register>) -> Self {
        Self { forest, leaves, targets, sum: PhantomData }
    }

    /// A whole block, every node for every row.
    fn run_blended(&self, blend: &Blend<W>, block: &mut Block<'_>) {
        let (numbers, codes, workspace) = block.parts();
        let (mut ranks, mut sums) = (take(W::room(workspace)), take(S::room(workspace)));
        let mut slots = take(W::slots(workspace));
        let (parts, leaves) = (&self.forest.parts, &self.leaves);
        let lanes = room(&mut ranks, parts.planes.len() * BLOCK_ROWS);
        let registers = Registers { numbers, codes, rows: BLOCK_ROWS };
        parts.planes.rank_rows::<W, BLOCK_ROWS>(registers, lanes);
        leaves.begin(BLOCK_ROWS, &mut sums);
        blend.run(lanes.as_chunks().0, &mut slots, |tree, found| {
            let first = parts.first_leaves[tree] as usize;
            let found = found.iter().map(|leaf| first + leaf.index());
            if leaves.width == 1 {
                let sums = leaves.sums_of(tree, BLOCK_ROWS, &mut sums);
                sums.iter_mut().zip(found).for_each(|(sum, leaf)| *sum += leaves.value(leaf));
            } else {
                found.enumerate().for_each(|(row, leaf)| leaves.add(row, &[leaf], &mut sums));
            }
        });
        self.write(&sums, 0..BLOCK_ROWS, BLOCK_ROWS, numbers);
        *W::room(block.workspace) = ranks;
        *S::room(block.workspace) = sums;
        *W::slots(block.workspace) = slots;
    }

    fn run_with<T: Test<W>>(&self, test: T, block: &mut Block<'_>) {
        let rows = block.rows;
        let (numbers, codes, workspace) = block.parts();
        // Taken out so that all can be used at once; put back below, as they only ever grow.
        let (mut ranks, mut sums) = (take(W::room(workspace)), take(S::room(workspace)));
        let planes = &self.forest.parts.planes;
        if rows < LANES {
            let ranks = room(&mut ranks, planes.len());
            for row in 0..rows {
                planes.rank_row(Registers { numbers, codes, rows }, row, ranks);
                self.leaves.begin(1, &mut sums);
                self.add_row(test, ranks, &mut sums);
                self.write(&sums, row..row + 1, rows, numbers);
            }
        } else {
            let stride = rows.next_multiple_of(LANES);
            let ranks = room(&mut ranks, planes.len() * stride);
            planes.rank_rows::<W, LANES>(Registers { numbers, codes, rows }, ranks);
            self.leaves.begin(stride, &mut sums);
            self.add_rows(test, ranks, stride, &mut sums);
            self.write(&sums, 0..rows, rows, numbers);
        }
        *W::room(block.workspace) = ranks;
        *S::room(block.workspace) = sums;
    }

    #[inline(always)]
    fn add_row<T: Test<W>>(&self, test: T, ranks: &[W], sums: &mut [S]) {
        let Self { forest, leaves, .. } = self;
        if let [sum] = sums {
            // Not in memory, where each addition would wait for the one before to be stored.
            let mut total = *sum;
            forest.walk_row(test, ranks, |_, leaf| total += leaves.value(leaf));
            *sum = total;
        } else if leaves.width == 1 {
            forest.walk_row(test, ranks, |tree, leaf| {
                sums[leaves.outputs[tree] as usize] += leaves.value(leaf);
            });
        } else {
            forest.walk_row(test, ranks, |_, leaf| leaves.add(0, &[leaf], sums));
        }
    }

    #[inline(always)]
    fn add_rows<T: Test<W>>(&self, test: T, ranks: &[W], stride: usize, sums: &mut [S]) {
        let Self { forest, leaves, .. } = self;
        for tree in 0..forest.tree_count {
            if leaves.width == 1 {
                let sums = leaves.sums_of(tree, stride, sums).as_chunks_mut::<LANES>().0;
                forest.walk_rows(test, tree, ranks, |tile, found| {
                    for (sum, leaf) in sums[tile].iter_mut().zip(found) {
                        *sum += leaves.value(leaf);
                    }
                });
            } else {
                forest.walk_rows(test, tree, ranks, |tile, found| {
                    leaves.add(tile * LANES, &found, sums);
                });
            }
        }
    }

    /// Writes the answers of `rows`, for which the first sums are; a register has `row_count` numbers.
    fn write(&self, sums: &[S], rows: Range<usize>, row_count: usize, numbers: &mut [f64]) {
        for (output, target) in self.targets.iter().enumerate() {
            let answers = &mut numbers[*target as usize * row_count..][rows.clone()];
            for (row, answer) in answers.iter_mut().enumerate() {
                *answer = self.leaves.answer(sums, output, row);
            }
        }
    }
}

impl<W: Word, L: Copy + Send + Sync, S: Sum + From<L>> Step for TreesStep<W, L, S> {
    fn run(&self, block: &mut Block<'_>) {
        let Parts { style, planes, tables, .. } = &self.forest.parts;
        if let (Some(blend), BLOCK_ROWS) = (&self.forest.blend, block.rows) {
            return self.run_blended(blend, block);
        }
        match style {
            Style::UpperBounds => self.run_with(UpperBounds, block),
            Style::Ranges => self.run_with(Ranges, block),
            Style::RangesAndSets => {
                self.run_with(RangesAndSets { first_set: planes.first_set(), tables }, block);
            }
        }
    }

    fn describe(&self) -> String {
        let Parts { nodes, planes, tables, style, .. } = &self.forest.parts;
        format!(
            "{} trees, {} nodes of {} bytes, {} planes of {}, {} cuts, {} sets, {}, rows: {LANES} walks interleaved, \
             blocks: {}",
            self.forest.tree_count,
            nodes.len() - 1,
            size_of::<Node<W>>(),
            planes.len() - 1,
            W::NAME,
            planes.cut_count(),
            tables.tables.len(),
            match style {
                Style::UpperBounds => "upper bounds",
                Style::Ranges => "ranges",
                Style::RangesAndSets => "ranges and sets",
            },
            if self.forest.blend.is_some() { "compare and blend" } else { "the same" },
        )
    }

    fn memory(&self) -> usize {
        self.forest.memory() + self.leaves.memory()
    }
}
