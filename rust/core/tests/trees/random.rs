//! Random ensembles of every kind, and rows that look for trouble in them; the same for the same seed.

use crate::world::{Inputs, Trees};
use serde_json::{json, Map, Value};

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    pub fn below(&mut self, count: usize) -> usize {
        (self.bits() % count.max(1) as u64) as usize
    }

    /// From 0 to 1.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    pub fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

/// What an ensemble is like.
#[derive(Debug, Clone)]
pub struct Shape {
    pub seed: u64,
    pub trees: usize,
    pub most_leaves: usize,
    pub numbers: usize,
    pub levels: usize,
    pub constants: usize,
    pub outputs: usize,
    pub is_vector: bool,
    /// Rows of the leaves, if trees take any of them; else each leaf has a row of its own.
    pub shared_leaves: Option<usize>,
    /// Share of categorical tests.
    pub categorical: f64,
    /// Number of words of the longest set.
    pub set_words: usize,
    pub missing_kinds: Vec<u8>,
    pub missing_left: f64,
    /// Whether all nodes of a level make the same test.
    pub is_oblivious: bool,
    pub fields: Map<String, Value>,
}

/// Fields that are harmless.
pub fn fields() -> Map<String, Value> {
    let fields = json!({
        "comparison": "less_equal", "precision": "f64", "flush_zero": false, "accumulate": "f64",
        "divisor": 1, "other_category": "right",
    });
    fields.as_object().expect("an object").clone()
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            seed: 1,
            trees: 5,
            most_leaves: 20,
            numbers: 4,
            levels: 0,
            constants: 0,
            outputs: 1,
            is_vector: false,
            shared_leaves: None,
            categorical: 0.0,
            set_words: 1,
            missing_kinds: vec![2],
            missing_left: 0.5,
            is_oblivious: false,
            fields: fields(),
        }
    }
}

/// Values that comparisons and roundings get wrong.
pub const SPECIAL: [f64; 20] = [
    0.0,
    -0.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
    1e-35,
    -1e-35,
    1.0000000180025095e-35,
    1.401298464324817e-45,
    7.006492321624085e-46,
    3.4028234663852886e38,
    3.4028235677973366e38,
    16_777_217.0,
    -1.0,
    -0.5,
];

fn threshold(random: &mut Random) -> f64 {
    match random.below(8) {
        0 => neighbor(random, 0.0),
        1 => f64::from(random.uniform() as f32),
        2 => random.uniform(),
        3 => loop {
            let special = random.of(&SPECIAL);
            if !special.is_nan() {
                break neighbor(random, special);
            }
        },
        // Few values, so that trees share them and rows meet them.
        _ => random.below(9) as f64 / 4.0 - 1.0,
    }
}

/// The value, or one that is next to it in f64 or in f32.
pub fn neighbor(random: &mut Random, value: f64) -> f64 {
    match random.below(7) {
        0 => value.next_up(),
        1 => value.next_down(),
        2 => f64::from((value as f32).next_up()),
        3 => f64::from((value as f32).next_down()),
        // Half way between two f32: a tie.
        4 => f64::from(value as f32) / 2.0 + f64::from((value as f32).next_up()) / 2.0,
        _ => value,
    }
}

pub fn inputs(shape: &Shape, random: &mut Random) -> Inputs {
    let mut pair = || {
        let odd =
            [(1.0, 0.0), (-1.0, 1.0), (f64::NAN, 0.0), (2.5, -1.0), (1e-35, 0.0), (1e39, 0.5)];
        random.of(&odd)
    };
    Inputs {
        numbers: shape.numbers,
        levels: (0..shape.levels).map(|_| pair()).collect(),
        constants: (0..shape.constants).map(|at| [f64::NAN, 0.5, -3.0][at % 3]).collect(),
        are_codes: false,
    }
}

impl Shape {
    pub fn make(&self) -> (Trees, Inputs) {
        let mut random = Random(self.seed);
        let inputs = inputs(self, &mut random);
        let width = if self.is_vector { self.outputs } else { 1 };
        let mut trees = Trees {
            ends: vec![],
            features: vec![],
            thresholds: vec![],
            left: vec![],
            right: vec![],
            flags: vec![],
            leaves: vec![],
            leaf_width: width,
            leaves_are_f32: self.fields["accumulate"] == "f32" || random.happens(0.3),
            outputs: vec![],
            start: (0..self.outputs).map(|at| at as f64 / 4.0 - 0.25).collect(),
            set_ends: None,
            set_words: vec![],
            fields: self.fields.clone(),
        };
        if self.categorical > 0.0 {
            self.add_sets(&mut trees, &mut random);
        }
        let mut leaf_count = 0;
        for _ in 0..self.trees {
            let add = if self.is_oblivious && inputs.width() > 0 {
                Self::add_levels
            } else {
                Self::add_tree
            };
            leaf_count += add(self, &mut trees, &inputs, leaf_count, &mut random);
            trees.ends.push(trees.features.len() as i32);
            let outputs = if self.is_vector { 1 } else { self.outputs };
            trees.outputs.push(random.below(outputs) as i32);
        }
        let rows = self.shared_leaves.unwrap_or(leaf_count);
        trees.leaves = (0..rows * width).map(|_| random.uniform() - 0.5).collect();
        (trees, inputs)
    }

    fn add_sets(&self, trees: &mut Trees, random: &mut Random) {
        let mut ends = vec![];
        for _ in 0..8 {
            for _ in 0..random.below(self.set_words + 1) {
                let bits = random.bits() as u32;
                trees.set_words.push(random.of(&[0, u32::MAX, 1 << (bits % 32), bits]));
            }
            ends.push(trees.set_words.len() as i32);
        }
        trees.set_ends = Some(ends);
    }

    /// Adds a tree whose nodes are in any order; returns its number of leaves.
    fn add_tree(
        &self,
        trees: &mut Trees,
        inputs: &Inputs,
        first_leaf: usize,
        random: &mut Random,
    ) -> usize {
        // Children of each node; none for leaves.
        let mut children: Vec<Option<[usize; 2]>> = vec![None];
        let mut leaves = vec![0];
        let count = 1 + random.below(self.most_leaves);
        let is_chain = count < 2_000 && random.happens(0.2);
        while leaves.len() < count && inputs.width() > 0 {
            let at = if is_chain { leaves.len() - 1 } else { random.below(leaves.len()) };
            let node = leaves.swap_remove(at);
            let next = children.len();
            children[node] = Some([next, next + 1]);
            children.extend([None, None]);
            leaves.extend([next, next + 1]);
        }
        let mut places: Vec<usize> = (0..children.len()).collect();
        for at in 2..places.len() {
            places.swap(at, 1 + random.below(at));
        }
        let start = trees.features.len();
        let end = start + children.len();
        for values in [&mut trees.features, &mut trees.left, &mut trees.right] {
            values.resize(end, -1);
        }
        trees.thresholds.resize(end, 0.0);
        trees.flags.resize(end, 0);
        let mut leaf = 0;
        for (node, children) in children.iter().enumerate() {
            let at = start + places[node];
            match children {
                Some(children) => {
                    trees.left[at] = places[children[0]] as i32;
                    trees.right[at] = places[children[1]] as i32;
                    self.add_test(trees, at, inputs, random);
                }
                None => {
                    let row = self.shared_leaves.map(|rows| random.below(rows));
                    trees.left[at] = row.unwrap_or(first_leaf + leaf) as i32;
                    leaf += 1;
                }
            }
        }
        leaf
    }

    /// Adds a tree that makes the same test in all nodes of a level; returns its number of leaves.
    fn add_levels(
        &self,
        trees: &mut Trees,
        inputs: &Inputs,
        first_leaf: usize,
        random: &mut Random,
    ) -> usize {
        let start = trees.features.len();
        let depth = random.below(self.most_leaves.ilog2() as usize + 1);
        for level in 0..depth {
            let first = trees.features.len();
            for at in first..first + (1 << level) {
                trees.features.push(-1);
                trees.thresholds.push(0.0);
                trees.flags.push(0);
                let left = 2 * (at - start) + 1;
                trees.left.push(left as i32);
                trees.right.push(left as i32 + 1);
            }
            self.add_test(trees, first, inputs, random);
            for at in first + 1..trees.features.len() {
                trees.features[at] = trees.features[first];
                trees.thresholds[at] = trees.thresholds[first];
                trees.flags[at] = trees.flags[first];
            }
        }
        for leaf in 0..1 << depth {
            trees.features.push(-1);
            trees.thresholds.push(0.0);
            trees.flags.push(0);
            let row = self.shared_leaves.map(|rows| random.below(rows));
            trees.left.push(row.unwrap_or(first_leaf + leaf) as i32);
            trees.right.push(-1);
        }
        1 << depth
    }

    fn add_test(&self, trees: &mut Trees, at: usize, inputs: &Inputs, random: &mut Random) {
        trees.features[at] = random.below(inputs.width()) as i32;
        let missing_left = u8::from(random.happens(self.missing_left)) << 1;
        if random.happens(self.categorical) {
            trees.flags[at] = 1 | missing_left;
            trees.thresholds[at] = random.below(8) as f64;
        } else {
            trees.flags[at] = missing_left | random.of(&self.missing_kinds) << 2;
            trees.thresholds[at] = threshold(random);
        }
    }
}

/// A row that is near the thresholds, the sets or the levels, or strange.
pub fn row(trees: &Trees, inputs: &Inputs, random: &mut Random) -> Vec<f64> {
    let value = |random: &mut Random| match random.below(6) {
        0 => {
            let special = random.of(&SPECIAL);
            neighbor(random, special)
        }
        1 => random.below(300) as f64 + random.of(&[0.0, 0.5]),
        2 => random.uniform() * 4.0 - 2.0,
        3 => random.of(&SPECIAL),
        _ if trees.thresholds.is_empty() => 0.0,
        _ => {
            let threshold = random.of(&trees.thresholds);
            neighbor(random, threshold)
        }
    };
    let mut row: Vec<f64> = (0..inputs.numbers).map(|_| value(random)).collect();
    if !inputs.levels.is_empty() {
        let level = random.below(inputs.levels.len() + 2) as f64 - 1.0;
        row.push(if random.happens(0.1) { f64::NAN } else { level });
    }
    row
}
