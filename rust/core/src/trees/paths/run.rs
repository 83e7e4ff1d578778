//! Runs a program over one row.

use super::super::blend::Tests;
use super::super::lanes::{Kernel, Lookup, RowBytes, RowJob, RowKernel, BIAS, MOST_LANES};
use super::super::nodes::{Node, Word};
use super::super::LANES;
use super::groups::{Group, LevelTree, ObliviousTrees, PathTree};
use super::program::Program;
use super::runs::{Form, Run};
use super::sets::MOST_COLUMNS;

/// A program and the kernel that runs it.
#[derive(Debug)]
pub struct Paths {
    program: Program,
    kernel: RowKernel,
}

impl Paths {
    /// For a forest whose trees begin at `roots`; `None` where all are to be walked.
    pub fn new<W: Word>(
        nodes: &[Node<W>],
        roots: &[u32],
        tests: &Tests<'_>,
        kernel: Kernel,
    ) -> Option<Self> {
        let kernel = RowKernel::of(kernel)?;
        Program::new(nodes, roots, tests, kernel).map(|program| Self { program, kernel })
    }

    pub fn memory(&self) -> usize {
        self.program.memory()
    }

    /// The name of the kernel.
    pub fn name(&self) -> &'static str {
        self.kernel.name()
    }

    /// All groups of the forest, in order; not to be asked for again.
    pub fn take_runs(&mut self) -> Vec<Run> {
        std::mem::take(&mut self.program.runs)
    }

    /// Makes bytes of the ranks of a row.
    #[inline(always)]
    pub fn read<W: Word>(&self, ranks: &[W], row: &mut Row) {
        let Program { lanes, sets, .. } = &self.program;
        if lanes.are_planes {
            for (byte, rank) in row.bytes.0[..lanes.count].iter_mut().zip(&ranks[1..]) {
                *byte = rank.index() as u8 ^ BIAS;
            }
        } else {
            for (byte, window) in row.bytes.0.iter_mut().zip(&lanes.windows) {
                *byte = window.one(ranks[window.plane as usize]) ^ BIAS;
            }
        }
        for (category, plane) in row.categories.iter_mut().zip(&sets.planes) {
            *category = ranks[*plane as usize].index() as u32;
        }
    }

    /// Finds the leaves that a row reaches in the trees of a run, which have these first leaves.
    #[inline(always)]
    pub fn run(&self, row: &Row, run: &Run, firsts: &[[u32; LANES]], found: &mut [[u32; LANES]]) {
        let Self { program, kernel } = self;
        let groups = run.start..run.start + run.groups.len();
        let job = Job { groups: &[], row, program, has_lows: run.has_lows, firsts, found };
        match run.form {
            Some(Form::Paths32) => kernel.run(job.of(&program.paths32[groups])),
            Some(Form::Paths64) => kernel.run(job.of(&program.paths64[groups])),
            Some(Form::Levels32) => kernel.run(job.of(&program.levels32[groups])),
            Some(Form::Levels64) => kernel.run(job.of(&program.levels64[groups])),
            Some(Form::Oblivious) => kernel.run(job.of(&program.oblivious[groups])),
            None => (),
        }
    }
}

/// What trees read of a row.
pub struct Row {
    bytes: RowBytes,
    categories: [u32; MOST_COLUMNS],
}

impl Default for Row {
    #[inline(always)]
    fn default() -> Self {
        Self { bytes: RowBytes([0; MOST_LANES]), categories: [0; MOST_COLUMNS] }
    }
}

/// Compares all nodes of each tree of some groups, then finds the ways of all of them.
struct Job<'a, T> {
    groups: &'a [Group<T>],
    row: &'a Row,
    program: &'a Program,
    has_lows: bool,
    firsts: &'a [[u32; LANES]],
    found: &'a mut [[u32; LANES]],
}

impl<'a> Job<'a, ()> {
    fn of<T>(self, groups: &'a [Group<T>]) -> Job<'a, T> {
        let Self { row, program, has_lows, firsts, found, .. } = self;
        Job { groups, row, program, has_lows, firsts, found }
    }
}

impl<W: Way> Job<'_, W> {
    #[inline(always)]
    unsafe fn find<T: Lookup, const PIECES: usize, const LOWS: bool>(self) {
        // SAFETY: as the caller promises.
        let bytes = unsafe { T::row::<PIECES>(&self.row.bytes) };
        let groups = self.groups.iter().zip(self.firsts).zip(self.found);
        for ((group, firsts), found) in groups {
            let mut flips = group.flips;
            for columns in &self.program.sets.columns[group.columns.clone()] {
                let outcomes = self.program.sets.outcomes(columns, &self.row.categories);
                flips.iter_mut().zip(outcomes).for_each(|(flips, outcomes)| *flips ^= outcomes);
            }
            // SAFETY: as above; `Group::is_sound` has been seen.
            unsafe { W::find::<T, PIECES, LOWS>(group, bytes, (&flips, firsts), found) };
        }
    }
}

/// How the way to a leaf is found.
trait Way: Sized {
    /// Writes the leaves that the trees end at.
    ///
    /// # Safety
    /// The processor must have the instructions of the lookups, and the group must be sound.
    unsafe fn find<T: Lookup, const PIECES: usize, const LOWS: bool>(
        group: &Group<Self>,
        row: T::Row,
        numbers: (&[u64; LANES], &[u32; LANES]),
        found: &mut [u32; LANES],
    );
}

impl<W: Way> RowJob for Job<'_, W> {
    #[inline(always)]
    unsafe fn run<T: Lookup>(self) {
        // SAFETY: as the caller promises; so many lanes are in so many pieces.
        unsafe {
            match (self.program.lanes.count.div_ceil(16), self.has_lows) {
                (..=1, false) => self.find::<T, 1, false>(),
                (..=1, true) => self.find::<T, 1, true>(),
                (2, false) => self.find::<T, 2, false>(),
                (2, true) => self.find::<T, 2, true>(),
                (..=4, false) => self.find::<T, 4, false>(),
                (..=4, true) => self.find::<T, 4, true>(),
                (_, false) => self.find::<T, 8, false>(),
                (_, true) => self.find::<T, 8, true>(),
            }
        }
    }
}

impl<const NODES: usize> Way for [PathTree<NODES>; LANES] {
    /// From the end of a path to the next one, all trees interleaved; who has arrived stays.
    #[inline(always)]
    unsafe fn find<T: Lookup, const PIECES: usize, const LOWS: bool>(
        group: &Group<Self>,
        row: T::Row,
        (flips, firsts): (&[u64; LANES], &[u32; LANES]),
        found: &mut [u32; LANES],
    ) {
        // Bits of nodes where the walk leaves the path, and where it stops to see; the first is that of the root.
        let (mut exits, mut stops) = ([0; LANES], [0; LANES]);
        let mut positions = [0_usize; LANES];
        // SAFETY: as the caller promises. `Group::is_sound` has seen that there is a stop at the last node at most, and
        // that all ways lead on to nodes that exist.
        unsafe {
            for (at, tree) in group.trees.iter().enumerate() {
                let above = T::above::<PIECES, LOWS, NODES>(row, &tree.tests);
                exits[at] = (above << (64 - NODES)) ^ flips[at];
                stops[at] = exits[at] | group.ends[at];
                let stop = stops[at].leading_zeros() as usize;
                positions[at] = (*tree.next.get_unchecked(stop)).into();
            }
            for _ in 1..group.exits {
                for (at, tree) in group.trees.iter().enumerate() {
                    let position = positions[at];
                    let stop = position + (stops[at] << (position & 63)).leading_zeros() as usize;
                    positions[at] = (*tree.next.get_unchecked(stop)).into();
                }
            }
            for (at, tree) in group.trees.iter().enumerate() {
                let position = positions[at];
                let has_left = (exits[at] << (position & 63) >> 63) as usize;
                let leaf = *tree.leaves[has_left].get_unchecked(position);
                found[at] = firsts[at] + u32::from(leaf);
            }
        }
    }
}

impl<const NODES: usize> Way for [LevelTree<NODES>; LANES] {
    /// Down one level after the other, of which there is the same number in all trees, interleaved.
    #[inline(always)]
    unsafe fn find<T: Lookup, const PIECES: usize, const LOWS: bool>(
        group: &Group<Self>,
        row: T::Row,
        (flips, firsts): (&[u64; LANES], &[u32; LANES]),
        found: &mut [u32; LANES],
    ) {
        let mut outcomes_of = [0; LANES];
        for (at, tree) in group.trees.iter().enumerate() {
            // SAFETY: as the caller promises.
            let outcomes = unsafe { T::above::<PIECES, LOWS, NODES>(row, &tree.tests) };
            outcomes_of[at] = outcomes ^ flips[at];
        }
        let mut numbers = [1; LANES];
        for _ in 0..NODES.ilog2() {
            for (number, outcomes) in numbers.iter_mut().zip(outcomes_of) {
                // SAFETY: as above.
                *number = unsafe { T::child(outcomes, *number) };
            }
        }
        for (at, tree) in group.trees.iter().enumerate() {
            found[at] = firsts[at] + u32::from(tree.leaves[numbers[at] as usize % NODES]);
        }
    }
}

impl Way for ObliviousTrees {
    /// Eight levels of each tree are compared at once; the outcomes are the numbers of the leaves.
    #[inline(always)]
    unsafe fn find<T: Lookup, const PIECES: usize, const LOWS: bool>(
        group: &Group<Self>,
        row: T::Row,
        (flips, firsts): (&[u64; LANES], &[u32; LANES]),
        found: &mut [u32; LANES],
    ) {
        // SAFETY: as the caller promises.
        let outcomes = unsafe { T::above::<PIECES, LOWS, 64>(row, &group.trees.tests) };
        let leaves = flips.iter().fold(outcomes, |outcomes, flips| outcomes ^ flips).to_le_bytes();
        for (at, leaf) in leaves.iter().enumerate() {
            found[at] = firsts[at] + u32::from(*leaf);
        }
    }
}
