//! What each input brings to the sums of an ensemble of trees.

use super::program::{Compiler, Edge, Program, NONE};
use super::quadrature::Point;
use super::walk::{factors, walk_rows, Credits, Stack, Task};
use crate::plan::block::Block;
use crate::trees::{Bits, Collector, Ensemble, Input, Leaves, Outcomes, OutcomesRoom};
use std::collections::BTreeMap;

/// Factors of all edges up to this size are kept; those of larger forests are made for each tree and block again, which
/// takes a third longer for a whole block and twenty times as long for one row.
const MOST_KEPT_BYTES: usize = 256 << 20;

/// An ensemble that is explained.
pub struct TreesMethod {
    outcomes: Outcomes,
    programs: Vec<Program>,
    edges: Vec<Edge>,
    /// Points of each quadrature that some tree needs, by their number.
    points: BTreeMap<usize, Vec<Point>>,
    /// The factors of every tree, if they are kept.
    tables: Option<Vec<Vec<f64>>>,
    leaves: Leaves<f64>,
    pub base: Vec<f64>,
}

/// Memory for explanations of a block. It only ever grows.
#[derive(Default)]
pub struct Room {
    outcomes: OutcomesRoom,
    alive: Vec<Bits>,
    table: Vec<f64>,
    stack: Stack,
}

impl TreesMethod {
    /// The ensemble must have been checked; `slots`: where each tested element is credited.
    pub fn new(
        ensemble: &Ensemble,
        inputs: &[Input],
        cover: &[f64],
        slots: &[u32],
        leaves: Leaves<f64>,
    ) -> Self {
        let collector = Collector::new(ensemble, inputs);
        let mut compiler = Compiler::new(ensemble, cover, slots, collector);
        let mut base = leaves.start.clone();
        let programs: Vec<_> = (0..ensemble.tree_count())
            .map(|tree| {
                let mut sums = vec![0.0; leaves.width];
                let program = compiler.compile(tree, |row, share| {
                    let values = &leaves.values[row as usize * leaves.width..];
                    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * share);
                });
                let first = leaves.outputs[tree] as usize;
                base[first..].iter_mut().zip(sums).for_each(|(base, sum)| *base += sum);
                program
            })
            .collect();
        base.iter_mut().for_each(|base| *base /= leaves.divisor);
        let points = programs.iter().map(|program| (program.points().len(), program.points()));
        let mut method = Self {
            outcomes: compiler.collector.finish(),
            points: points.collect(),
            edges: compiler.edges,
            programs,
            tables: None,
            leaves,
            base,
        };
        method.keep();
        method
    }

    /// Makes the factors of all trees, if they are not too large.
    fn keep(&mut self) {
        let sizes = self.programs.iter().map(|program| {
            program.edges.len() * program.lanes * program.passes * size_of::<[f64; 4]>()
        });
        if sizes.sum::<usize>() <= MOST_KEPT_BYTES {
            let table = |program| {
                let mut table = Vec::new();
                self.tabulate(program, &mut table);
                table
            };
            self.tables = Some(self.programs.iter().map(table).collect());
        }
    }

    fn points(&self, program: &Program) -> &[Point] {
        &self.points[&(program.lanes * program.passes)]
    }

    /// The factors of every edge of a tree, for the points of one walk after those of another.
    fn tabulate(&self, program: &Program, table: &mut Vec<f64>) {
        let edges = &self.edges[program.edges.clone()];
        table.clear();
        table.reserve(edges.len() * program.lanes * program.passes * 4);
        for points in self.points(program).chunks_exact(program.lanes) {
            for edge in edges {
                let before = (edge.previous != NONE).then(|| edges[edge.previous as usize].product);
                factors(edge, before, points, table);
            }
        }
    }

    /// Adds what each slot brings to each output in each row; `stride`: numbers of one slot, `size`: of one output.
    pub fn run(&self, block: &Block<'_>, room: &mut Room, numbers: &mut [f64], stride: usize) {
        let size = numbers.len() / self.base.len();
        self.outcomes.run(block, &mut room.outcomes);
        for (tree, program) in self.programs.iter().enumerate() {
            let edges = &self.edges[program.edges.clone()];
            alive(edges, &room.outcomes.bits, &mut room.alive);
            let table = match &self.tables {
                Some(tables) => &tables[tree],
                None => {
                    self.tabulate(program, &mut room.table);
                    &room.table
                }
            };
            let passes = self.points(program).chunks_exact(program.lanes);
            let tables = table.chunks_exact((table.len() / program.passes).max(1));
            for (points, table) in passes.zip(tables) {
                let task = Task {
                    edges,
                    table,
                    points,
                    alive: &room.alive,
                    leaves: &self.leaves.values,
                    width: self.leaves.width,
                    depth: program.depth,
                    rows: block.rows,
                };
                let output = self.leaves.outputs[tree] as usize;
                let mut credits = Credits { numbers, stride, size, output };
                walk_rows(&task, &mut room.stack, &mut credits);
            }
        }
        if self.leaves.divisor != 1.0 {
            numbers.iter_mut().for_each(|number| *number /= self.leaves.divisor);
        }
    }
}

/// For each edge the rows that pass its test and all those above of the same element.
fn alive(edges: &[Edge], bits: &[Bits], alive: &mut Vec<Bits>) {
    alive.clear();
    for edge in edges {
        let above = match edge.previous {
            NONE => Bits::MAX,
            previous => alive[previous as usize],
        };
        let left = bits[edge.test as usize];
        alive.push(above & if edge.is_right { !left } else { left });
    }
}
