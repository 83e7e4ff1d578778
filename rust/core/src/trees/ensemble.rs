//! The arrays of an ensemble as the artifact has them, and the proof that they are trees.

use super::rules::{Missing, Rules};
use super::{MAX_SET_WORDS, MAX_TREE_DEPTH};
use std::ops::Range;

const CATEGORICAL: u8 = 1;
const MISSING_LEFT: u8 = 2;
const MISSING_SHIFT: u32 = 2;
const LAST_MISSING: u8 = 2;

/// Trees whose nodes are numbered through; children and leaves are counted as in the format.
pub struct Ensemble {
    pub rules: Rules,
    /// End of each tree's nodes.
    pub ends: Vec<i32>,
    /// Element tested; -1 for a leaf.
    pub features: Vec<i32>,
    /// For categorical tests the number of the set.
    pub thresholds: Vec<f64>,
    /// For a leaf, its row of the leaves.
    pub left: Vec<i32>,
    pub right: Vec<i32>,
    pub flags: Vec<u8>,
    /// Number of rows of the leaves.
    pub leaf_count: usize,
    /// End of each set's words.
    pub set_ends: Vec<i32>,
    pub set_words: Vec<u32>,
}

/// A node, by its position among the nodes of all trees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node {
    Leaf { row: u32 },
    Split { feature: u32, test: Test, left: u32, right: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Test {
    Number { threshold: f64, missing: Missing, missing_left: bool },
    Category { set: u32, missing_left: bool },
}

impl Ensemble {
    pub fn tree_count(&self) -> usize {
        self.ends.len()
    }

    /// Positions of the nodes of a tree.
    pub fn tree(&self, tree: usize) -> Range<usize> {
        let start = if tree == 0 { 0 } else { self.ends[tree - 1] as usize };
        start..self.ends[tree] as usize
    }

    /// Words of a set.
    pub fn set(&self, set: usize) -> &[u32] {
        let start = if set == 0 { 0 } else { self.set_ends[set - 1] as usize };
        &self.set_words[start..self.set_ends[set] as usize]
    }

    /// A node of an ensemble that was checked; `root` is the first node of its tree.
    #[inline]
    pub fn node(&self, root: usize, at: usize) -> Node {
        let left = self.left[at] as u32;
        if self.features[at] < 0 {
            return Node::Leaf { row: left };
        }
        let (threshold, flags) = (self.thresholds[at], self.flags[at]);
        let missing_left = flags & MISSING_LEFT != 0;
        let test = if flags & CATEGORICAL != 0 {
            Test::Category { set: threshold as u32, missing_left }
        } else {
            let missing = match flags >> MISSING_SHIFT {
                0 => Missing::Nothing,
                1 => Missing::ZeroOrNan,
                _ => Missing::Nan,
            };
            Test::Number { threshold, missing, missing_left }
        };
        let (feature, root) = (self.features[at] as u32, root as u32);
        Node::Split { feature, test, left: root + left, right: root + self.right[at] as u32 }
    }

    /// Checks everything that [`Ensemble::node`] and walks rely on, in linear time; `width` is that of the input.
    pub fn check(&self, width: usize) -> Result<(), String> {
        let count = self.features.len();
        let lengths = [
            ("thresholds", self.thresholds.len()),
            ("left", self.left.len()),
            ("right", self.right.len()),
            ("flags", self.flags.len()),
        ];
        if let Some((name, length)) = lengths.into_iter().find(|(_, length)| *length != count) {
            return Err(format!("`{name}` has {length} values and `features` has {count}"));
        }
        check_ends("ends", &self.ends, count, 1)?;
        check_ends("set_ends", &self.set_ends, self.set_words.len(), 0)?;
        let words = (0..self.set_ends.len()).map(|set| self.set(set).len());
        if let Some((set, words)) = words.enumerate().find(|(_, words)| *words > MAX_SET_WORDS) {
            return Err(format!("set {set} has {words} words; the most is {MAX_SET_WORDS}"));
        }
        let mut visit = Visit::default();
        for tree in 0..self.tree_count() {
            let nodes = self.tree(tree);
            visit.tree(self, nodes.clone(), width).map_err(|(node, what)| {
                format!("node {} of tree {tree} {what}", node - nodes.start)
            })?;
        }
        Ok(())
    }

    /// What is wrong with a node of a tree of `count` nodes, apart from its place in the tree.
    fn check_node(&self, at: usize, count: usize, width: usize) -> Result<(), String> {
        let (feature, threshold, flags) = (self.features[at], self.thresholds[at], self.flags[at]);
        if flags >> MISSING_SHIFT > LAST_MISSING {
            return Err(format!("has the unknown flags {flags}"));
        }
        if feature == -1 {
            let (row, rows) = (self.left[at], self.leaf_count);
            return if row >= 0 && (row as usize) < rows {
                Ok(())
            } else {
                Err(format!("is leaf {row}, of {rows}"))
            };
        }
        if feature < 0 || feature as usize >= width {
            return Err(format!("tests element {feature}, of {width}"));
        }
        if threshold.is_nan() {
            return Err("has the threshold NaN".to_owned());
        }
        let sets = self.set_ends.len();
        let is_set = threshold >= 0.0 && threshold < sets as f64 && threshold.fract() == 0.0;
        if flags & CATEGORICAL != 0 && !is_set {
            return Err(format!("tests with set {threshold}, of {sets}"));
        }
        for child in [self.left[at], self.right[at]] {
            if child <= 0 || child as usize >= count {
                return Err(format!("has node {child} as a child, of {count} nodes"));
            }
        }
        Ok(())
    }
}

/// Ends ascend, by at least `least` each, to the number of values.
fn check_ends(name: &str, ends: &[i32], count: usize, least: i64) -> Result<(), String> {
    let mut start = 0;
    for (at, end) in ends.iter().enumerate() {
        let end = i64::from(*end);
        if end - start < least || end > count as i64 {
            return Err(format!("`{name}` has {end} at {at}, after {start} and of {count}"));
        }
        start = end;
    }
    if start != count as i64 {
        return Err(format!("`{name}` ends at {start}, of {count}"));
    }
    Ok(())
}

/// Where a check of one tree is; reused from tree to tree.
#[derive(Default)]
struct Visit {
    /// Whether each node of the tree has a parent.
    has_parent: Vec<bool>,
    /// Nodes to look at, with their depth. No recursion: a file chooses the depth.
    pending: Vec<(usize, u32)>,
}

impl Visit {
    /// Sees every node exactly once, or says which node is wrong.
    fn tree(
        &mut self,
        ensemble: &Ensemble,
        nodes: Range<usize>,
        width: usize,
    ) -> Result<(), (usize, String)> {
        self.has_parent.clear();
        self.has_parent.resize(nodes.len(), false);
        // The root has none, but must not be reached again.
        self.has_parent[0] = true;
        self.pending.clear();
        self.pending.push((nodes.start, 0));
        while let Some((at, depth)) = self.pending.pop() {
            ensemble.check_node(at, nodes.len(), width).map_err(|what| (at, what))?;
            if depth > MAX_TREE_DEPTH {
                return Err((at, format!("is deeper than {MAX_TREE_DEPTH} levels")));
            }
            let Node::Split { left, right, .. } = ensemble.node(nodes.start, at) else {
                continue;
            };
            for child in [right as usize, left as usize] {
                if std::mem::replace(&mut self.has_parent[child - nodes.start], true) {
                    return Err((child, "has two parents".to_owned()));
                }
                self.pending.push((child, depth + 1));
            }
        }
        match self.has_parent.iter().position(|has_parent| !has_parent) {
            Some(node) => Err((nodes.start + node, "cannot be reached".to_owned())),
            None => Ok(()),
        }
    }
}
