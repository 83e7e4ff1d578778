//! One tree as the list of its edges, in the order in which a walk through all of it meets them.
//!
//! Path-dependent SHAP values as sums over quadrature points: B. Li and others, "Quadrature-TreeSHAP" (2026),
//! arXiv 2605.04497. Let each element be known with probability `t`. On an edge below a test of cover ratio `r`, a row
//! goes on with `r (1 - t) + t` where it passes the test, and with `r (1 - t)` where it does not; of several tests of
//! one element, ratios multiply and all must be passed. The product over the elements of a path, without that of one,
//! times what that one makes the difference, integrated over `t`, is what the leaf credits to it.

use crate::trees::{Collector, Ensemble, Node};
use std::ops::Range;

/// No edge, or no leaf.
pub const NONE: u32 = u32::MAX;

/// Points that are carried at a time; more take several walks.
const MOST_LANES: usize = 8;

/// What leads to a node that is not the root.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// Number of the test above.
    pub test: u32,
    pub is_right: bool,
    /// Edges from the root, this one included.
    pub depth: u16,
    /// Edges that end with this leaf, beside its own.
    pub closes: u16,
    /// The last edge above that tests the same element, counted from the first of the tree.
    pub previous: u32,
    /// Where the element is credited.
    pub slot: u32,
    /// Its row of the leaves, if the node is one.
    pub leaf: u32,
    /// Part of the training rows above that come along.
    pub ratio: f64,
    /// The product of the ratios of the element down to here.
    pub product: f64,
}

/// A tree without its root; one that is a leaf alone has no edges.
#[derive(Debug)]
pub struct Program {
    pub edges: Range<usize>,
    pub depth: usize,
    /// Points of the quadrature: `lanes` in each of `passes` walks. More than are needed are as exact.
    pub lanes: usize,
    pub passes: usize,
}

/// Reads trees; what a tree adds whatever the row is goes to a caller's function.
pub struct Compiler<'a> {
    pub ensemble: &'a Ensemble,
    pub cover: &'a [f64],
    /// Where each element is credited; those that no tree tests are not asked for.
    pub slots: &'a [u32],
    pub collector: Collector<'a>,
    pub edges: Vec<Edge>,
    /// For each element the last edge on the path that tests it.
    latest: Vec<u32>,
    /// The edges down to where the reading is, with their elements and shares of the training rows.
    path: Vec<(u32, u32, f64)>,
    distinct: usize,
}

/// A node to read, and the edge that leads to it.
struct Pending {
    node: usize,
    depth: usize,
    edge: Option<(u32, u32, bool, f64)>,
}

impl<'a> Compiler<'a> {
    pub fn new(
        ensemble: &'a Ensemble,
        cover: &'a [f64],
        slots: &'a [u32],
        collector: Collector<'a>,
    ) -> Self {
        let latest = vec![NONE; slots.len()];
        let (edges, path) = (Vec::new(), Vec::new());
        Self { ensemble, cover, slots, collector, edges, latest, path, distinct: 0 }
    }

    /// Reads a tree; hands over each row of the leaves with its share of the training rows.
    pub fn compile(&mut self, tree: usize, mut expected: impl FnMut(u32, f64)) -> Program {
        let root = self.ensemble.tree(tree).start;
        let start = self.edges.len();
        let (mut deepest, mut most) = (0, 1);
        let mut pending = vec![Pending { node: root, depth: 0, edge: None }];
        while let Some(Pending { node, depth, edge }) = pending.pop() {
            self.climb(depth.saturating_sub(1));
            let read = self.ensemble.node(root, node);
            if let Some((feature, test, is_right, ratio)) = edge {
                let leaf = if let Node::Leaf { row } = read { row } else { NONE };
                self.descend(feature, test, is_right, ratio, leaf);
            }
            (deepest, most) = (deepest.max(depth), most.max(self.distinct));
            match read {
                Node::Leaf { row } => expected(row, self.path.last().map_or(1.0, |last| last.2)),
                Node::Split { feature, test, left, right } => {
                    let test = self.collector.add(feature, test);
                    for (child, is_right) in [(right, true), (left, false)] {
                        let ratio = self.ratio(node, child as usize);
                        let edge = Some((feature, test, is_right, ratio));
                        pending.push(Pending { node: child as usize, depth: depth + 1, edge });
                    }
                }
            }
        }
        self.climb(0);
        for edge in &mut self.edges[start..] {
            if edge.previous != NONE {
                edge.previous -= start as u32;
            }
        }
        let points = most.div_ceil(2);
        let passes = points.div_ceil(MOST_LANES);
        let lanes = points.div_ceil(passes).next_multiple_of(2);
        Program { edges: start..self.edges.len(), depth: deepest, lanes, passes }
    }

    /// Where no training rows came, both sides count the same.
    fn ratio(&self, parent: usize, child: usize) -> f64 {
        if self.cover[parent] > 0.0 {
            self.cover[child] / self.cover[parent]
        } else {
            0.5
        }
    }

    /// Goes up until so many edges are on the path.
    fn climb(&mut self, depth: usize) {
        while self.path.len() > depth {
            let Some((edge, feature, _)) = self.path.pop() else { return };
            let previous = self.edges[edge as usize].previous;
            self.latest[feature as usize] = previous;
            self.distinct -= usize::from(previous == NONE);
        }
    }

    /// Adds the edge below those on the path.
    fn descend(&mut self, feature: u32, test: u32, is_right: bool, ratio: f64, leaf: u32) {
        let at = self.edges.len() as u32;
        let previous = std::mem::replace(&mut self.latest[feature as usize], at);
        let before = if previous == NONE { 1.0 } else { self.edges[previous as usize].product };
        let share = self.path.last().map_or(1.0, |last| last.2);
        self.distinct += usize::from(previous == NONE);
        let rights = self.path.iter().rev().take_while(|(edge, ..)| {
            let edge = &self.edges[*edge as usize];
            edge.is_right
        });
        // A right leaf ends its parent, which ends its own parent if it is a right child, and so on.
        let closes = if leaf == NONE || !is_right { 0 } else { rights.count() + 1 };
        let closes = closes.min(self.path.len()) as u16;
        self.path.push((at, feature, share * ratio));
        self.edges.push(Edge {
            test,
            is_right,
            depth: self.path.len() as u16,
            closes,
            previous,
            slot: self.slots[feature as usize],
            leaf,
            ratio,
            product: before * ratio,
        });
    }
}
