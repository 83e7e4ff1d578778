//! Numbers for the nodes of a tree, so that the bits of their outcomes lead to a leaf in few steps.

use super::super::nodes::{Node, Word};
use super::MOST_NODES;

/// An inner node on a path. A walk goes on at the following one, unless it leaves the path here.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Position in the tree.
    pub node: usize,
    /// Whether the path goes on with the second child.
    pub is_flipped: bool,
    /// Whether the path ends here: both children are leaves.
    pub is_last: bool,
    /// Where the walk goes on that leaves the path here; this step if that is at a leaf.
    pub next: u8,
    /// The leaf that the path ends with, if it does, and the one beside the path.
    pub leaves: [u8; 2],
}

/// Paths through all inner nodes, and how often a walk comes to the end of one or leaves it, at most.
///
/// A path goes on with the child below which walks leave paths more often, so that the most is the least possible: the
/// number of Strahler, 6 for 63 nodes in full levels, 4 or so for 62 that were split one by one.
pub fn paths<W: Word>(tree: &[Node<W>]) -> (Vec<Step>, u32) {
    let exits = exits(tree);
    let mut steps: Vec<Step> = Vec::with_capacity(MOST_NODES);
    // Where paths begin, and the step that leads there.
    let mut pending = vec![(0, None)];
    while let Some((start, from)) = pending.pop() {
        if let Some(from) = from {
            let next = steps.len() as u8;
            let from: &mut Step = &mut steps[from];
            from.next = next;
        }
        let mut at = start;
        while !tree[at].is_leaf() {
            let first = at + tree[at].offset.index();
            let is_flipped = exits[first + 1] > exits[first];
            let (ahead, beside) = if is_flipped { (first + 1, first) } else { (first, first + 1) };
            if !tree[beside].is_leaf() {
                pending.push((beside, Some(steps.len())));
            }
            steps.push(Step {
                node: at,
                is_flipped,
                is_last: tree[ahead].is_leaf(),
                next: steps.len() as u8,
                leaves: [ahead, beside].map(|child| tree[child].low.index() as u8),
            });
            at = ahead;
        }
    }
    (steps, exits[0])
}

fn exits<W: Word>(tree: &[Node<W>]) -> Vec<u32> {
    let mut exits = vec![0; tree.len()];
    // Children follow their parents.
    for (at, node) in tree.iter().enumerate().rev().filter(|(_, node)| !node.is_leaf()) {
        let first = at + node.offset.index();
        let (one, other) = (exits[first], exits[first + 1]);
        exits[at] = one.max(other).max(1 + one.min(other));
    }
    exits
}

/// Levels of inner nodes.
pub fn depth<W: Word>(tree: &[Node<W>]) -> usize {
    let mut depths = vec![0; tree.len()];
    for (at, node) in tree.iter().enumerate().rev().filter(|(_, node)| !node.is_leaf()) {
        let first = at + node.offset.index();
        depths[at] = 1 + depths[first].max(depths[first + 1]);
    }
    depths[0]
}

/// The number of each inner node, the root being 1 and the children of a node twice its number and one more; and the leaf
/// that each way of so many levels ends at, in their order.
pub fn levels<W: Word>(tree: &[Node<W>], depth: usize) -> (Vec<usize>, Vec<u8>) {
    let (mut numbers, mut leaves) = (vec![0; tree.len()], vec![0; 1 << depth]);
    let mut pending = vec![(0, 1, depth)];
    while let Some((at, number, below)) = pending.pop() {
        if tree[at].is_leaf() {
            let first = (number << below) - (1 << depth);
            leaves[first..first + (1 << below)].fill(tree[at].low.index() as u8);
        } else {
            numbers[at] = number;
            let first = at + tree[at].offset.index();
            pending.push((first, 2 * number, below - 1));
            pending.push((first + 1, 2 * number + 1, below - 1));
        }
    }
    (numbers, leaves)
}
