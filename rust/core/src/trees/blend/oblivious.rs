//! Oblivious trees: all nodes of a level make the same test, so that its outcomes are the bits of the leaf's number.

use super::super::nodes::{Node, Word};
use super::MOST_LEAVES;

/// One node of each level, from the root on, if the tree is oblivious and its leaves are in order.
pub fn levels<W: Word>(nodes: &[Node<W>], root: usize) -> Option<Vec<usize>> {
    let mut levels = Vec::new();
    let mut level = vec![root];
    loop {
        let one = nodes[level[0]];
        if one.is_leaf() {
            let is_in_order = |(number, at): (usize, &usize)| {
                nodes[*at].is_leaf() && nodes[*at].low.index() == number
            };
            return level.iter().enumerate().all(is_in_order).then_some(levels);
        }
        let is_same = |at: &usize| {
            let Node { plane, low, span, .. } = nodes[*at];
            (plane == one.plane) & (low == one.low) & (span == one.span) & !nodes[*at].is_leaf()
        };
        if 2 * level.len() > MOST_LEAVES || !level.iter().all(is_same) {
            return None;
        }
        levels.push(level[0]);
        let children = |at: &usize| {
            let first = at + nodes[*at].offset.index();
            [first, first + 1]
        };
        level = level.iter().flat_map(children).collect();
    }
}
