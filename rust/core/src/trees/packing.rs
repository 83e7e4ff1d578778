//! Lays the nodes of checked trees out for walks, in the narrowest words that hold every test exactly.

use super::decisions::{Decider, Decision, Input, Settled};
use super::ensemble::Ensemble;
use super::folds::Folds;
use super::forest::{Forest, Parts, Style};
use super::lanes::Kernel;
use super::nodes::{Node, Word, LAST_RANK};
use super::planes::Planes;
use super::survey::{Places, Survey};

/// A forest in words of some size.
pub enum Packed {
    U8(Forest<u8>),
    U16(Forest<u16>),
    U32(Forest<u32>),
}

/// Packs an ensemble whose elements are these inputs; an error says what is wrong with the ensemble.
pub fn pack(
    ensemble: &Ensemble,
    inputs: &[Input],
    folds: &Folds,
    kernel: Kernel,
) -> Result<Packed, String> {
    ensemble.check(inputs.len())?;
    let decider = Decider::new(ensemble, inputs);
    let (needs, survey) = Needs::of(ensemble, &decider);
    let (planes, places) = survey.finish(&ensemble.rules, folds);
    let longest = places.longest();
    let packing = Packing { ensemble, decider, needs, places };
    if packing.fits::<u8>(planes.len(), longest) {
        packing.pack(planes, kernel).map(Packed::U8)
    } else if packing.fits::<u16>(planes.len(), longest) {
        packing.pack(planes, kernel).map(Packed::U16)
    } else {
        packing.pack(planes, kernel).map(Packed::U32)
    }
}

/// What becomes of a node.
enum Place {
    Leaf { row: u32 },
    Split { decision: Decision, offset: u32 },
}

/// Hands over the nodes of the tree at `root` with their positions, the first of which is `first`; returns the end.
///
/// Children are side by side, and the trees below them follow depth first, so that the last steps of a walk stay in
/// one cache line: forests of deep trees took half as long again in breadth-first order.
fn lay_out(
    decider: &Decider<'_>,
    root: usize,
    first: usize,
    mut place: impl FnMut(usize, Place),
) -> usize {
    let mut end = first + 1;
    let mut pending = vec![(root, first)];
    while let Some((node, position)) = pending.pop() {
        match decider.settle(root, node) {
            Settled::Leaf { row } => place(position, Place::Leaf { row }),
            Settled::Split { decision, left, right } => {
                let offset = (end - position) as u32;
                place(position, Place::Split { decision, offset });
                pending.push((right, end + 1));
                pending.push((left, end));
                end += 2;
            }
        }
    }
    end
}

/// What words must be able to hold.
struct Needs {
    node_count: usize,
    style: Style,
    /// The first leaf of each tree, from which its leaves are counted.
    first_leaves: Vec<u32>,
    /// The largest offset of a child, and of a leaf from the first one of its tree.
    offset: u32,
    /// The largest rank that a range or a set asks for.
    rank: u32,
}

impl Needs {
    fn of(ensemble: &Ensemble, decider: &Decider<'_>) -> (Self, Survey) {
        let mut survey = Survey::default();
        let limits = decider.tables.tables.iter().map(|table| table.limit);
        let mut needs = Self {
            node_count: 0,
            style: Style::UpperBounds,
            first_leaves: Vec::with_capacity(ensemble.tree_count()),
            offset: 0,
            rank: limits.max().unwrap_or(0),
        };
        for tree in 0..ensemble.tree_count() {
            let (mut least, mut most) = (u32::MAX, 0);
            let root = ensemble.tree(tree).start;
            needs.node_count = lay_out(decider, root, needs.node_count, |_, place| match place {
                Place::Leaf { row } => (least, most) = (least.min(row), most.max(row)),
                Place::Split { decision, offset } => {
                    needs.offset = needs.offset.max(offset);
                    needs.rank = needs.rank.max(add(&mut survey, decision));
                    needs.style = needs.style.max(style(decision));
                }
            });
            needs.offset = needs.offset.max(most - least);
            needs.first_leaves.push(least);
        }
        (needs, survey)
    }
}

/// Notes what a decision asks of its plane; returns the largest rank that it names.
fn add(survey: &mut Survey, decision: Decision) -> u32 {
    match decision {
        Decision::Always(_) => 0,
        Decision::Cut { source, cut, .. } => {
            survey.add_cut(source, cut);
            0
        }
        Decision::Range { source, low, last } => {
            survey.add(source);
            // The last rank is the last one of any word.
            [low, last].into_iter().filter(|rank| *rank != LAST_RANK).max().unwrap_or(0)
        }
        Decision::Set { source, .. } => {
            survey.add(source);
            0
        }
    }
}

fn style(decision: Decision) -> Style {
    match decision {
        Decision::Always(_)
        | Decision::Cut { missing_left: false, .. }
        | Decision::Range { low: 0, .. } => Style::UpperBounds,
        Decision::Cut { .. } | Decision::Range { .. } => Style::Ranges,
        Decision::Set { .. } => Style::RangesAndSets,
    }
}

struct Packing<'a> {
    ensemble: &'a Ensemble,
    decider: Decider<'a>,
    needs: Needs,
    places: Places,
}

impl Packing<'_> {
    fn fits<W: Word>(&self, planes: usize, longest: u32) -> bool {
        let most = W::MAX;
        let tables = self.decider.tables.tables.len() as u64;
        // The last rank is that of what is missing.
        self.needs.rank.max(longest) < most
            && self.needs.offset <= most
            && planes <= most as usize
            && tables <= u64::from(most) * u64::from(most)
    }

    fn pack<W: Word>(self, planes: Planes, kernel: Kernel) -> Result<Forest<W>, String> {
        let Self { ensemble, mut decider, needs, places } = self;
        let idle = Node::leaf(0);
        let mut nodes = vec![idle; needs.node_count + 1];
        let mut roots = Vec::with_capacity(ensemble.tree_count());
        let mut end = 0;
        for (tree, first_leaf) in needs.first_leaves.iter().enumerate() {
            roots.push(end as u32);
            end = lay_out(&decider, ensemble.tree(tree).start, end, |position, place| {
                nodes[position] = match place {
                    Place::Leaf { row } => Node::leaf(row - first_leaf),
                    Place::Split { decision, offset } => node(&places, decision, offset),
                };
            });
        }
        let parts = Parts {
            nodes,
            roots,
            first_leaves: needs.first_leaves,
            planes,
            tables: std::mem::take(&mut decider.tables),
            style: needs.style,
        };
        Forest::seal(parts, kernel)
    }
}

fn node<W: Word>(places: &Places, decision: Decision, offset: u32) -> Node<W> {
    match decision {
        // `settle` has followed these.
        Decision::Always(_) => Node::leaf(0),
        Decision::Cut { source, cut, missing_left } => {
            let (plane, rank) = places.cut(source, cut);
            // Missing numbers have the last rank, from which ranges go on at 0.
            Node::range(plane, if missing_left { LAST_RANK } else { 0 }, rank, offset)
        }
        Decision::Range { source, low, last } => {
            Node::range(places.plane(source), low, last, offset)
        }
        Decision::Set { source, table } => Node::set(places.plane(source), table, offset),
    }
}
