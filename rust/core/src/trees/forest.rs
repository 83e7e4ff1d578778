//! A packed ensemble, sealed: all that walks rely on has been checked.

use super::blend::{Blend, Program, Tests};
use super::lanes::Kernel;
use super::nodes::{Node, Word};
use super::paths::{Paths, Row, Run, RUN_GROUPS};
use super::planes::Planes;
use super::sets::Tables;
use super::walk::{walk, Test};
use super::LANES;
use crate::plan::block::{Lane, BLOCK_ROWS};

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
    pub(super) parts: Parts<W>,
    pub(super) tree_count: usize,
    /// How blocks are run, where that beats walking.
    pub(super) blend: Option<Blend>,
    /// How a row alone is run, likewise.
    pub(super) paths: Option<Paths>,
    runs: Vec<Run>,
}

impl<W: Word> Forest<W> {
    /// Checks what walks rely on. An error here is a mistake of `packing`, not of a file.
    pub fn seal(mut parts: Parts<W>, kernel: Kernel) -> Result<Self, String> {
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
        let tests = Tests {
            tables: &parts.tables,
            plane_count: parts.planes.len(),
            first_set: match parts.style {
                Style::RangesAndSets => parts.planes.first_set(),
                _ => usize::MAX,
            },
            has_low: parts.style != Style::UpperBounds,
        };
        let program = Program::new(&parts.nodes[..idle], &parts.roots, &tests);
        let blend = program.map(|program| Blend::new(program, kernel));
        let mut paths = Paths::new(&parts.nodes[..idle], &parts.roots, &tests, kernel);
        parts.roots.resize(tree_count.next_multiple_of(LANES), idle as u32);
        parts.first_leaves.resize(parts.roots.len(), 0);
        let walks = || Run::walks(tree_count.div_ceil(LANES));
        let runs = paths.as_mut().map_or_else(walks, Paths::take_runs);
        Ok(Self { parts, tree_count, blend, paths, runs })
    }

    /// Number of trees that are not walked for a row alone.
    pub(super) fn path_tree_count(&self) -> usize {
        let runs = self.runs.iter().filter(|run| run.form.is_some());
        let end = |group: usize| self.tree_count.min(group * LANES);
        runs.map(|run| end(run.groups.end) - end(run.groups.start)).sum()
    }

    pub(super) fn memory(&self) -> usize {
        let Parts { nodes, roots, planes, tables, .. } = &self.parts;
        let trees = 2 * size_of_val(roots.as_slice());
        let blend = self.blend.as_ref().map_or(0, Blend::memory);
        let paths = self.paths.as_ref().map_or(0, Paths::memory);
        size_of_val(nodes.as_slice()) + trees + planes.memory() + tables.memory() + blend + paths
    }

    /// Runs all trees for one row and hands over the first of some with their leaves, in order.
    #[inline(always)]
    pub(super) fn run_row<T: Test<W>>(
        &self,
        test: T,
        ranks: &[W],
        mut found: impl FnMut(usize, &[u32]),
    ) {
        assert!(ranks.len() >= self.parts.planes.len());
        let firsts = self.parts.first_leaves.as_chunks::<LANES>().0;
        let mut row = Row::default();
        if let Some(paths) = &self.paths {
            paths.read(ranks, &mut row);
        }
        let mut leaves = [[0; LANES]; RUN_GROUPS];
        for run in &self.runs {
            let (start, end) = (run.groups.start * LANES, run.groups.end * LANES);
            let (leaves, firsts) = (&mut leaves[..run.groups.len()], &firsts[run.groups.clone()]);
            match &self.paths {
                Some(paths) if run.form.is_some() => paths.run(&row, run, firsts, leaves),
                _ => self.walk_groups(test, ranks, run.groups.start, (firsts, leaves)),
            }
            found(start, &leaves.as_flattened()[..end.min(self.tree_count) - start]);
        }
    }

    /// Walks the trees of groups, whose first leaves these are.
    #[inline(always)]
    fn walk_groups<T: Test<W>>(
        &self,
        test: T,
        ranks: &[W],
        start: usize,
        (firsts, leaves): (&[[u32; LANES]], &mut [[u32; LANES]]),
    ) {
        let roots = &self.parts.roots.as_chunks::<LANES>().0[start..];
        for ((roots, firsts), leaves) in roots.iter().zip(firsts).zip(leaves) {
            // SAFETY: the forest is sealed; the roots are in it, and there is a rank for each plane.
            let found = unsafe { walk::<W, T, 1>(&self.parts.nodes, test, ranks, roots) };
            for (at, leaf) in found.iter().enumerate() {
                leaves[at] = firsts[at] + *leaf as u32;
            }
        }
    }

    /// Walks one tree, `LANES` rows at a time, and hands over the first row of each tile with their leaves.
    #[inline(always)]
    pub(super) fn walk_rows<T: Test<W>>(
        &self,
        test: T,
        tree: usize,
        (ranks, rows): (&[Lane<W>], usize),
        mut found: impl FnMut(usize, [usize; LANES]),
    ) {
        assert!(ranks.len() >= self.parts.planes.len() && rows <= BLOCK_ROWS);
        let (root, first) = (self.parts.roots[tree], self.parts.first_leaves[tree] as usize);
        let ranks = Lane::flatten(ranks);
        for tile in (0..rows).step_by(LANES) {
            let roots = [root; LANES];
            // SAFETY: the forest is sealed; the root is in it, and each plane has a lane, in which `LANES` rows begin
            // at the tile, as there is a whole number of tiles in a lane.
            let leaves = unsafe {
                let ranks = ranks.get_unchecked(tile..);
                walk::<W, T, BLOCK_ROWS>(&self.parts.nodes, test, ranks, &roots)
            };
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
