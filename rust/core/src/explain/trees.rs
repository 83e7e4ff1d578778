//! What each input brings to the sums of an ensemble of trees.

use super::program::{Compiler, Edge, Program, NONE};
use super::quadrature::{self, Point};
use super::walk::{factors, walk_rows, Credits, Stack, Task};
use crate::plan::block::Block;
use crate::trees::{Bits, Collector, Ensemble, Input, Leaves, Outcomes, OutcomesRoom};
use std::collections::BTreeMap;

/// Factors of all edges up to this size are kept; those of larger forests are made for each tree and block again: a block
/// then takes 1.8 times as long, and one row 11 times.
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
        let mut points = BTreeMap::new();
        for program in &programs {
            let count = program.lanes * program.passes;
            points.entry(count).or_insert_with(|| quadrature::points(count));
        }
        let mut method = Self {
            outcomes: compiler.collector.finish(),
            points,
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
            let tables = self.programs.iter().map(|program| {
                let mut table = Vec::new();
                for points in self.points(program).chunks_exact(program.lanes) {
                    self.tabulate(program, points, &mut table);
                }
                table
            });
            self.tables = Some(tables.collect());
        }
    }

    fn points(&self, program: &Program) -> &[Point] {
        &self.points[&(program.lanes * program.passes)]
    }

    /// Appends the factors of every edge of a tree at some points.
    fn tabulate(&self, program: &Program, points: &[Point], table: &mut Vec<f64>) {
        let edges = &self.edges[program.edges.clone()];
        table.reserve(edges.len() * points.len() * 4);
        for edge in edges {
            let before = (edge.previous != NONE).then(|| edges[edge.previous as usize].product);
            factors(edge, before, points, table);
        }
    }

    /// Adds what each slot brings to each output in each row; `stride`: numbers of one slot, `size`: of one output.
    pub fn run(&self, block: &Block<'_>, room: &mut Room, numbers: &mut [f64], stride: usize) {
        let size = numbers.len() / self.base.len();
        self.outcomes.run(block, &mut room.outcomes);
        for (tree, program) in self.programs.iter().enumerate() {
            let edges = &self.edges[program.edges.clone()];
            alive(edges, &room.outcomes.bits, &mut room.alive);
            for (pass, points) in self.points(program).chunks_exact(program.lanes).enumerate() {
                let length = edges.len() * program.lanes * 4;
                let table = match &self.tables {
                    Some(tables) => &tables[tree][pass * length..][..length],
                    None => {
                        room.table.clear();
                        self.tabulate(program, points, &mut room.table);
                        &room.table
                    }
                };
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

#[cfg(test)]
mod checks {
    use super::*;
    use crate::plan::block::{Counts, Scratch};
    use crate::trees::{Comparison, OtherCategory, Rules};

    const ROWS: usize = 19;

    /// Tests of so many elements by turns, each below the left side of the one before; the other side is a leaf.
    fn chain(tests: usize, elements: usize) -> TreesMethod {
        let nodes = 2 * tests + 1;
        let by_node = |test: &dyn Fn(i32) -> i32, leaf: &dyn Fn(i32) -> i32| -> Vec<i32> {
            let pairs = (0..tests as i32).flat_map(|at| [test(at), leaf(at)]);
            pairs.chain([leaf(tests as i32)]).collect()
        };
        let ensemble = Ensemble {
            rules: Rules {
                comparison: Comparison::LessEqual,
                is_single: false,
                flush_zero: false,
                other_category: OtherCategory::Right,
            },
            ends: vec![nodes as i32],
            features: by_node(&|at| at % elements as i32, &|_| -1),
            thresholds: (0..nodes).map(|at| 1.0 - at as f64 / nodes as f64).collect(),
            left: by_node(&|at| 2 * at + 2, &|at| at),
            right: by_node(&|at| 2 * at + 1, &|_| 0),
            flags: vec![8; nodes],
            leaf_count: tests + 1,
            set_ends: Vec::new(),
            set_words: Vec::new(),
        };
        assert_eq!(ensemble.check(elements), Ok(()));
        let inputs: Vec<_> = (0..elements as u32)
            .map(|register| Input::Number { register, may_be_missing: true })
            .collect();
        let cover: Vec<f64> = (0..nodes).map(|at| (nodes - at / 2) as f64).collect();
        let slots: Vec<_> = (0..elements as u32).collect();
        let leaves = Leaves {
            values: (0..=tests).map(|leaf| (leaf as f64).sin()).collect(),
            width: 1,
            outputs: vec![0],
            start: vec![0.5],
            divisor: 2.0,
        };
        TreesMethod::new(&ensemble, &inputs, &cover, &slots, leaves)
    }

    /// What each element brings to each of so many rows, by element.
    fn run(method: &TreesMethod, elements: usize, rows: std::ops::Range<usize>) -> Vec<Vec<f64>> {
        let (mut scratch, mut room) = (Scratch::default(), Room::default());
        let count = rows.len();
        let mut block = scratch.block(count, Counts { numbers: elements, ..Counts::default() });
        for element in 0..elements {
            for (at, row) in rows.clone().enumerate() {
                block.number_mut(element as u32)[at] = ((row * 7 + element * 3) % 11) as f64 / 11.0;
            }
        }
        let stride = if count == 1 { 1 } else { count.next_multiple_of(8) };
        let mut numbers = vec![0.0; elements * stride];
        method.run(&block, &mut room, &mut numbers, stride);
        numbers.chunks(stride).map(|numbers| numbers[..count].to_vec()).collect()
    }

    #[test]
    fn test_rows_alone_and_factors_that_are_not_kept_give_the_same_bits() {
        for (tests, elements) in [(1, 1), (5, 3), (40, 9), (60, 40)] {
            let mut method = chain(tests, elements);
            let together = run(&method, elements, 0..ROWS);
            for row in 0..ROWS {
                let alone = run(&method, elements, row..row + 1);
                let same = together
                    .iter()
                    .zip(alone)
                    .all(|(together, alone)| together[row].to_bits() == alone[0].to_bits());
                assert!(same, "{tests} tests, row {row}");
            }
            method.tables = None;
            assert_eq!(run(&method, elements, 0..ROWS), together);
        }
    }

    #[test]
    fn test_the_deepest_trees_are_explained_without_a_deep_stack() {
        let method = chain(4096, 30);
        let brought = run(&method, 30, 0..ROWS);
        for row in 0..ROWS {
            let sum: f64 = brought.iter().map(|brought| brought[row]).sum();
            assert!((method.base[0] + sum).is_finite());
        }
    }
}
