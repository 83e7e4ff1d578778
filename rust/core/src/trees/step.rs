//! The step that runs a forest over a row or a block of rows, and adds its leaves.

use super::forest::{Forest, Parts, Style};
use super::nodes::{Node, Word};
use super::planes::Registers;
use super::sums::{Leaves, Sum};
use super::walk::{Ranges, RangesAndSets, Test, UpperBounds};
use super::LANES;
use crate::plan::access::{writes, Visitor};
use crate::plan::block::{Block, Lane, Step, Workspace, BLOCK_ROWS};
use crate::plan::element::Register;
use std::marker::PhantomData;
use std::mem::take;
use std::ops::Range;

/// Rows from which on all nodes of small trees are run instead of walked.
const LEAST_ROWS: usize = 32;

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

impl<W: Word, L: Copy + Default + Send + Sync, S: Sum + From<L>> TreesStep<W, L, S> {
    pub fn new(forest: Forest<W>, mut leaves: Leaves<L>, targets: Vec<Register>) -> Self {
        leaves.pad();
        Self { forest, leaves, targets, sum: PhantomData }
    }

    fn run_with<T: Test<W>>(&self, test: T, block: &mut Block<'_>) {
        let rows = block.rows;
        let (numbers, codes, workspace) = block.parts();
        // Taken out so that all can be used at once; put back below, as it only ever grows.
        let mut sums = take(S::room(workspace));
        let registers = Registers { numbers, codes, rows };
        if rows < LANES {
            let mut ranks = take(W::room(workspace));
            let planes = &self.forest.parts.planes;
            let room = room(&mut ranks, planes.len());
            for row in 0..rows {
                planes.rank_row(Registers { numbers, codes, rows }, row, room);
                self.leaves.begin(1, &mut sums);
                self.add_row(test, room, &mut sums);
                self.write(&sums, row..row + 1, rows, numbers);
            }
            *W::room(workspace) = ranks;
        } else {
            self.leaves.begin(rows.next_multiple_of(LANES), &mut sums);
            self.add_rows(test, registers, workspace, &mut sums);
            self.write(&sums, 0..rows, rows, numbers);
        }
        *S::room(workspace) = sums;
    }

    #[inline(always)]
    fn add_row<T: Test<W>>(&self, test: T, ranks: &[W], sums: &mut [S]) {
        let Self { forest, leaves, .. } = self;
        if let [sum] = sums {
            let mut total = *sum;
            forest.run_row(test, ranks, |_, found| total = leaves.add_all(found, total));
            *sum = total;
        } else if leaves.width == 1 {
            forest.run_row(test, ranks, |tree, found| {
                for (leaf, output) in found.iter().zip(&leaves.outputs[tree..]) {
                    sums[*output as usize] += leaves.value(*leaf as usize);
                }
            });
        } else {
            forest.run_row(test, ranks, |_, found| {
                found.iter().for_each(|leaf| leaves.add(0, &[*leaf as usize], sums));
            });
        }
    }

    /// A block: every node for every row where trees are small, walks where they are not or where rows are few.
    fn add_rows<T: Test<W>>(
        &self,
        test: T,
        registers: Registers<'_>,
        workspace: &mut Workspace,
        sums: &mut [S],
    ) {
        let (forest, rows) = (&self.forest, registers.rows);
        let (mut ranks, mut bytes) = (take(W::lanes(workspace)), take(&mut workspace.bytes));
        let planes = &forest.parts.planes;
        if ranks.len() < planes.len() {
            ranks.resize(planes.len(), Lane([W::default(); BLOCK_ROWS]));
        }
        planes.rank_rows(registers, &mut ranks);
        let blend = forest.blend.as_ref().filter(|_| rows >= LEAST_ROWS);
        if let Some(blend) = blend {
            blend.begin(&ranks, &mut bytes, rows);
        }
        let mut tree = 0;
        while tree < forest.tree_count {
            match blend.filter(|blend| blend.has(tree)) {
                Some(blend) => {
                    let sources = (ranks.as_slice(), &forest.parts.tables);
                    let answers = blend.run(tree, sources, &mut bytes, rows);
                    let firsts = &forest.parts.first_leaves[tree..tree + answers.len()];
                    self.leaves.add_group(tree, (firsts, answers), rows, sums);
                    tree += answers.len();
                }
                None => {
                    self.walk_tree(test, tree, (&ranks, rows), sums);
                    tree += 1;
                }
            }
        }
        *W::lanes(workspace) = ranks;
        workspace.bytes = bytes;
    }

    #[inline(always)]
    fn walk_tree<T: Test<W>>(
        &self,
        test: T,
        tree: usize,
        ranks: (&[Lane<W>], usize),
        sums: &mut [S],
    ) {
        let Self { forest, leaves, .. } = self;
        if leaves.width == 1 {
            let sums = leaves.sums_of(tree, sums);
            forest.walk_rows(test, tree, ranks, |tile, found| {
                for (sum, leaf) in sums[tile..tile + LANES].iter_mut().zip(found) {
                    *sum += leaves.value(leaf);
                }
            });
        } else {
            forest.walk_rows(test, tree, ranks, |tile, found| leaves.add(tile, &found, sums));
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

impl<W: Word, L: Copy + Default + Send + Sync, S: Sum + From<L>> Step for TreesStep<W, L, S> {
    fn run(&self, block: &mut Block<'_>) {
        let Parts { style, planes, tables, .. } = &self.forest.parts;
        match style {
            Style::UpperBounds => self.run_with(UpperBounds, block),
            Style::Ranges => self.run_with(Ranges, block),
            Style::RangesAndSets => {
                self.run_with(RangesAndSets { first_set: planes.first_set(), tables }, block);
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        self.forest.parts.planes.registers(visit);
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        let Parts { nodes, planes, tables, style, .. } = &self.forest.parts;
        format!(
            "{} trees, {} nodes of {} bytes, {} planes of {}, {} cuts, {} sets, {}, rows: {}, blocks: {}",
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
            match &self.forest.paths {
                Some(paths) if self.forest.path_tree_count() == self.forest.tree_count =>
                    format!("compare and follow ({})", paths.name()),
                Some(paths) => format!(
                    "compare and follow ({}) for {} trees, {LANES} walks interleaved for the others",
                    paths.name(),
                    self.forest.path_tree_count(),
                ),
                None => format!("{LANES} walks interleaved"),
            },
            match &self.forest.blend {
                Some(blend) if blend.tree_count() == self.forest.tree_count =>
                    format!("compare and blend ({})", blend.kernel.name()),
                Some(blend) => format!(
                    "compare and blend ({}) for {} trees, the same for the others",
                    blend.kernel.name(),
                    blend.tree_count(),
                ),
                None => "the same".to_owned(),
            },
        )
    }

    fn memory(&self) -> usize {
        self.forest.memory() + self.leaves.memory()
    }
}
