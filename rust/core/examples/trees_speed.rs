//! Times ensembles of trees, one row and blocks: `cargo run --release --example trees_speed`.
//!
//! Trees are grown on rows, so that walks are as long as those of trained trees, and split where a row lies at random.

#![allow(clippy::expect_used, clippy::panic, reason = "a bench may stop at the first surprise")]

#[path = "../tests/trees/random.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod random;
#[path = "../tests/trees/world.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod world;

use penstock_core::plan::block::Scratch;
use penstock_core::plan::Plan;
use random::{Random, Shape};
use std::hint::black_box;
use std::time::Instant;
use world::{columns, plan, predict_row, predict_table, Inputs, Trees};

const NUMBERS: usize = 30;
const TRAINING_ROWS: usize = 2_000;

/// What the trees of a bench are like.
struct Kind {
    name: &'static str,
    trees: usize,
    leaves: usize,
    /// Levels of inner nodes, at most.
    depth: usize,
    /// Different thresholds of a number.
    cuts: usize,
    missing_left: f64,
    /// Share of tests on a category of 30 in a set, and on one level of 200.
    categorical: f64,
    levels: f64,
    is_oblivious: bool,
}

const PLAIN: Kind = Kind {
    name: "numbers",
    trees: 500,
    leaves: 63,
    depth: usize::MAX,
    cuts: 250,
    missing_left: 0.0,
    categorical: 0.0,
    levels: 0.0,
    is_oblivious: false,
};

const KINDS: [Kind; 9] = [
    PLAIN,
    Kind { name: "few leaves", leaves: 31, ..PLAIN },
    Kind { name: "six levels", leaves: 64, depth: 6, ..PLAIN },
    Kind { name: "few trees", trees: 16, ..PLAIN },
    Kind { name: "missing values", missing_left: 0.5, ..PLAIN },
    Kind { name: "one-hot levels", levels: 0.3, ..PLAIN },
    Kind { name: "category sets", categorical: 0.3, ..PLAIN },
    Kind { name: "deep forest", trees: 100, leaves: 2_000, cuts: 2_000, ..PLAIN },
    Kind { name: "oblivious", leaves: 64, is_oblivious: true, ..PLAIN },
];

const LEVELS: usize = 200;
const CATEGORIES: usize = 30;

fn main() {
    let only = std::env::args().nth(1);
    for kind in KINDS.iter().filter(|kind| only.as_ref().is_none_or(|name| name == kind.name)) {
        let mut random = Random(7);
        let rows: Vec<_> = (0..TRAINING_ROWS).map(|_| row(kind, &mut random)).collect();
        let (trees, inputs) = grow(kind, &rows, &mut random);
        let start = Instant::now();
        let plan = plan(&trees, &inputs).expect("the ensemble is right");
        let planned = start.elapsed();
        println!("{}: planned in {planned:.1?}", kind.name);
        println!("  {}", plan.describe().last().expect("a step"));
        let rows: Vec<_> = (0..4_096).map(|_| row(kind, &mut random)).collect();
        time_rows(&plan, &rows);
        time_table(&plan, &rows);
    }
}

/// Numbers, of which the first tenth are categories where there are any, and a level at the end.
fn row(kind: &Kind, random: &mut Random) -> Vec<f64> {
    let mut row: Vec<f64> = (0..NUMBERS)
        .map(|at| match at {
            0..3 if kind.categorical > 0.0 => random.below(CATEGORIES) as f64,
            _ if random.happens(kind.missing_left / 5.0) => f64::NAN,
            _ => random.below(kind.cuts + 1) as f64 / 100.0,
        })
        .collect();
    if kind.levels > 0.0 {
        row.push(random.below(LEVELS) as f64);
    }
    row
}

fn grow(kind: &Kind, rows: &[Vec<f64>], random: &mut Random) -> (Trees, Inputs) {
    let levels = if kind.levels > 0.0 { LEVELS } else { 0 };
    let shape = Shape { trees: 0, numbers: NUMBERS, ..Shape::default() };
    let (mut trees, mut inputs) = shape.make();
    if kind.is_oblivious {
        (0..kind.trees).for_each(|_| grow_levels(kind, rows, &mut trees, random));
        return (trees, inputs);
    }
    inputs.levels = vec![(1.0, 0.0); levels];
    if kind.categorical > 0.0 {
        trees.set_words = (0..64).map(|_| random.bits() as u32).collect();
        trees.set_ends = Some((1..=64).collect());
    }
    let rows: Vec<_> = rows.iter().map(|row| inputs.elements(row)).collect();
    for _ in 0..kind.trees {
        grow_tree(kind, &rows, &mut trees, random);
        trees.ends.push(trees.features.len() as i32);
        trees.outputs.push(0);
    }
    (trees, inputs)
}

/// Splits one leaf after the other, those of many rows sooner.
fn grow_tree(kind: &Kind, rows: &[Vec<f64>], trees: &mut Trees, random: &mut Random) {
    let root = trees.features.len();
    let mut leaves = vec![(add_leaf(trees), (0..rows.len()).collect::<Vec<_>>(), 0)];
    let mut tries = 0;
    while leaves.len() < kind.leaves && tries < 20 * kind.leaves {
        tries += 1;
        let at = (0..3).map(|_| random.below(leaves.len())).max_by_key(|at| leaves[*at].1.len());
        let (node, members, depth) = leaves.swap_remove(at.unwrap_or(0));
        let (feature, threshold, flags) =
            test(kind, &rows[members[random.below(members.len())]], random);
        let is_left = |row: &usize| match flags & 1 {
            0 if rows[*row][feature].is_nan() => flags & 2 != 0,
            0 => rows[*row][feature] <= threshold,
            _ => trees.set_words[threshold as usize] >> rows[*row][feature] as u32 & 1 != 0,
        };
        let (left, right): (Vec<_>, Vec<_>) = members.iter().copied().partition(is_left);
        if left.is_empty() || right.is_empty() || depth == kind.depth {
            leaves.push((node, members, depth));
            continue;
        }
        trees.features[node] = feature as i32;
        (trees.thresholds[node], trees.flags[node]) = (threshold, flags);
        let children = [left, right].map(|members| (add_leaf(trees), members, depth + 1));
        trees.left[node] = (children[0].0 - root) as i32;
        trees.right[node] = (children[1].0 - root) as i32;
        leaves.extend(children);
    }
    for (node, ..) in leaves {
        trees.left[node] = trees.leaves.len() as i32;
        trees.leaves.push(random.uniform() - 0.5);
    }
}

/// The same test in all nodes of a level.
fn grow_levels(kind: &Kind, rows: &[Vec<f64>], trees: &mut Trees, random: &mut Random) {
    let root = trees.features.len();
    for level in 0..kind.leaves.ilog2() {
        let (feature, threshold, flags) = test(kind, &rows[random.below(rows.len())], random);
        for _ in 0..1 << level {
            let left = 2 * (trees.features.len() - root) as i32 + 1;
            trees.features.push(feature as i32);
            trees.thresholds.push(threshold);
            trees.flags.push(flags);
            trees.left.push(left);
            trees.right.push(left + 1);
        }
    }
    for _ in 0..kind.leaves {
        let leaf = add_leaf(trees);
        trees.left[leaf] = trees.leaves.len() as i32;
        trees.leaves.push(random.uniform() - 0.5);
    }
    trees.ends.push(trees.features.len() as i32);
    trees.outputs.push(0);
}

fn add_leaf(trees: &mut Trees) -> usize {
    trees.features.push(-1);
    trees.thresholds.push(0.0);
    trees.left.push(0);
    trees.right.push(-1);
    trees.flags.push(0);
    trees.features.len() - 1
}

/// A test that this row just passes: element, threshold or set, flags.
fn test(kind: &Kind, row: &[f64], random: &mut Random) -> (usize, f64, u8) {
    if random.happens(kind.categorical) {
        return (random.below(3), random.below(64) as f64, 1);
    }
    if random.happens(kind.levels) {
        let level = (NUMBERS..row.len()).find(|at| row[*at] == 1.0);
        return (level.expect("each row has a level"), 0.5, 0);
    }
    let first = if kind.categorical > 0.0 { 3 } else { 0 };
    let feature = first + random.below(NUMBERS - first);
    let threshold = if row[feature].is_nan() { 1.0 } else { row[feature] };
    let is_missing_left = random.happens(kind.missing_left);
    let flags = if kind.missing_left == 0.0 { 0 } else { 8 | u8::from(is_missing_left) << 1 };
    (feature, threshold, flags)
}

/// The least and the median time of a row, in nanoseconds.
fn report(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    println!(
        "  {name:<6} {:6.0} ns a row at best, {:6.0} at the median",
        times[0],
        times[times.len() / 2]
    );
}

fn time_rows(plan: &Plan, rows: &[Vec<f64>]) {
    let mut scratch = Scratch::default();
    let times = rows.chunks(16).cycle().take(1_000).map(|rows| {
        let start = Instant::now();
        for row in rows {
            black_box(predict_row(plan, row, &mut scratch));
        }
        start.elapsed().as_nanos() as f64 / rows.len() as f64
    });
    report("row", times.collect());
}

fn time_table(plan: &Plan, rows: &[Vec<f64>]) {
    let mut scratch = Scratch::default();
    let tables: Vec<_> = rows.chunks(512).map(columns).collect();
    let times = tables.iter().cycle().take(100).map(|table| {
        let start = Instant::now();
        black_box(predict_table(plan, table, &mut scratch));
        start.elapsed().as_nanos() as f64 / table[0].0.len() as f64
    });
    report("block", times.collect());
}
