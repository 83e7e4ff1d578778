//! A packed ensemble, sealed, and the step that runs it over a row or a block of rows.

use super::blend::{Blend, Lane};
use super::nodes::{Node, Word};
use super::planes::Planes;
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

    /// The leaf that a walk of a tree ended in, among the leaves of the ensemble.
    #[inline(always)]
    fn leaf(&self, tree: usize, position: usize) -> usize {
        self.parts.first_leaves[tree] as usize + self.parts.nodes[position].low.index()
    }

    /// Walks all trees for one row, several trees at once, and hands over each tree with its leaf, in order.
    #[inline(always)]
    fn walk_row<T: Test<W>>(&self, test: T, ranks: &[W], mut found: impl FnMut(usize, usize)) {
        assert!(ranks.len() >= self.parts.planes.len());
        for (group, roots) in self.parts.roots.as_chunks::<LANES>().0.iter().enumerate() {
            let mut positions = roots.map(|root| root as usize);
            // SAFETY: the forest is sealed; the roots are in it, and there is a rank for each plane.
            unsafe { walk::<W, T, 1>(&self.parts.nodes, test, ranks, &mut positions) };
            let trees = group * LANES..self.tree_count;
            for (tree, position) in trees.zip(positions) {
                found(tree, self.leaf(tree, position));
            }
        }
    }

    /// Walks all trees for `LANES` rows at a time and hands over each tree, the first row and their leaves.
    #[inline(always)]
    fn walk_rows<T: Test<W>>(
        &self,
        test: T,
        ranks: &[W],
        mut found: impl FnMut(usize, usize, [usize; LANES]),
    ) {
        let count = self.parts.planes.len() * LANES;
        for tree in 0..self.tree_count {
            for (tile, ranks) in ranks.chunks_exact(count).enumerate() {
                let mut positions = [self.parts.roots[tree] as usize; LANES];
                // SAFETY: the forest is sealed; the root is in it, and there are `LANES` ranks for each plane.
                unsafe { walk::<W, T, LANES>(&self.parts.nodes, test, ranks, &mut positions) };
                found(tree, tile * LANES, positions.map(|position| self.leaf(tree, position)));
            }
        }
    }
}

impl<W: Word> Parts<W> {
    /// A node leads on to nodes that exist, or stays where it is whatever the rank.
    fn is_sound(&self, at: usize, node: &Node<W>) -> bool {
        let plane = node.plane.index();
        let is_set = self.style == Style::RangesAndSets && plane >= self.planes.first_set;
        let leads_on = at + node.offset.index() + 1 < self.nodes.len();
        let stays = node.span.index() == W::MAX as usize && !is_set;
        plane < self.planes.len()
            && if node.is_leaf() { stays } else { leads_on }
            && (!is_set || node.table() < self.tables.tables.len())
    }
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
        let (planes, parts) = (self.forest.parts.planes.len(), &self.forest.parts);
        ranks.resize((planes * BLOCK_ROWS).max(ranks.len()), W::default());
        let lanes = &mut ranks[..planes * BLOCK_ROWS];
        parts.planes.rank::<W, BLOCK_ROWS>((numbers, codes), BLOCK_ROWS, 0, lanes);
        self.leaves.begin(BLOCK_ROWS, &mut sums);
        let lanes: &[Lane<W>] = lanes.as_chunks().0;
        blend.run(lanes, &mut slots, |tree, rows| {
            let first = parts.first_leaves[tree] as usize;
            let leaves = rows.map(|row| first + row.index());
            self.leaves.add(tree, leaves, 0, BLOCK_ROWS, &mut sums);
        });
        self.write(&sums, BLOCK_ROWS, 0..BLOCK_ROWS, BLOCK_ROWS, numbers);
        *W::room(block.workspace) = ranks;
        *S::room(block.workspace) = sums;
        *W::slots(block.workspace) = slots;
    }

    fn run_with<T: Test<W>>(&self, test: T, block: &mut Block<'_>) {
        let rows = block.rows;
        let (numbers, codes, workspace) = block.parts();
        // Taken out so that both can be used at once; put back below, as they only ever grow.
        let (mut ranks, mut sums) = (take(W::room(workspace)), take(S::room(workspace)));
        let planes = self.forest.parts.planes.len();
        if rows < LANES {
            ranks.resize(planes.max(ranks.len()), W::default());
            for row in 0..rows {
                let ranks = &mut ranks[..planes];
                self.forest.parts.planes.rank::<W, 1>((numbers, codes), rows, row, ranks);
                self.run_row(test, ranks, &mut sums);
                self.write(&sums, 1, row..row + 1, rows, numbers);
            }
        } else {
            let (tiles, size) = (rows.div_ceil(LANES), planes * LANES);
            ranks.resize((tiles * size).max(ranks.len()), W::default());
            let ranks = &mut ranks[..tiles * size];
            for (tile, ranks) in ranks.chunks_exact_mut(size).enumerate() {
                let first = tile * LANES;
                self.forest.parts.planes.rank::<W, LANES>((numbers, codes), rows, first, ranks);
            }
            self.leaves.begin(tiles * LANES, &mut sums);
            self.forest.walk_rows(test, ranks, |tree, first, leaves| {
                self.leaves.add(tree, leaves, first, tiles * LANES, &mut sums);
            });
            self.write(&sums, tiles * LANES, 0..rows, rows, numbers);
        }
        *W::room(block.workspace) = ranks;
        *S::room(block.workspace) = sums;
    }

    fn run_row<T: Test<W>>(&self, test: T, ranks: &[W], sums: &mut Vec<S>) {
        self.leaves.begin(1, sums);
        if self.leaves.is_single() {
            // A sum in a register: in memory each addition would wait for the one before to be stored.
            let mut sum = sums[0];
            self.forest.walk_row(test, ranks, |_, leaf| sum += S::from(self.leaves.values[leaf]));
            sums[0] = sum;
        } else {
            self.forest.walk_row(test, ranks, |tree, leaf| {
                self.leaves.add(tree, [leaf], 0, 1, sums);
            });
        }
    }

    /// Writes the answers of `rows`; `stride` is the number of rows that there are sums for.
    fn write(
        &self,
        sums: &[S],
        stride: usize,
        rows: Range<usize>,
        row_count: usize,
        numbers: &mut [f64],
    ) {
        for (output, target) in self.targets.iter().enumerate() {
            let start = *target as usize * row_count;
            let answers = &mut numbers[start + rows.start..start + rows.end];
            for (row, answer) in answers.iter_mut().enumerate() {
                *answer = sums[self.leaves.at(output, row, stride)].over(self.leaves.divisor);
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
                self.run_with(RangesAndSets { first_set: planes.first_set, tables }, block);
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
