//! The trees of a forest that have few nodes, eight at a time.

use super::super::blend::{levels, Tests};
use super::super::lanes::RowKernel;
use super::super::nodes::{Node, Word};
use super::super::LANES;
use super::groups::{Draft, Group, LevelTree, ObliviousTrees, PathTree};
use super::order::depth;
use super::runs::{Form, Run};
use super::sets::Columns;
use super::tests::Lanes;
use super::MOST_NODES;

/// Levels of an oblivious tree, at most: bits of a byte.
const MOST_LEVELS: usize = 8;

#[derive(Debug)]
pub struct Program {
    pub lanes: Lanes,
    pub paths32: Vec<Group<[PathTree<32>; LANES]>>,
    pub paths64: Vec<Group<[PathTree<64>; LANES]>>,
    pub levels32: Vec<Group<[LevelTree<32>; LANES]>>,
    pub levels64: Vec<Group<[LevelTree<64>; LANES]>>,
    pub oblivious: Vec<Group<ObliviousTrees>>,
    pub runs: Vec<Run>,
    pub sets: Columns,
}

impl Program {
    /// The program for a forest whose trees begin at `roots`; `None` where no eight of them can be run here.
    pub fn new<W: Word>(
        nodes: &[Node<W>],
        roots: &[u32],
        tests: &Tests<'_>,
        kernel: RowKernel,
    ) -> Option<Self> {
        let mut program = Self {
            lanes: Lanes::new::<W>(tests, kernel),
            paths32: Vec::new(),
            paths64: Vec::new(),
            levels32: Vec::new(),
            levels64: Vec::new(),
            oblivious: Vec::new(),
            runs: Vec::new(),
            sets: Columns::default(),
        };
        let end_of = |tree| roots.get(tree).map_or(nodes.len(), |root| *root as usize);
        let trees: Vec<_> =
            (0..roots.len()).map(|tree| &nodes[end_of(tree)..end_of(tree + 1)]).collect();
        for group in trees.chunks(LANES) {
            let (lanes, words) = (program.lanes.windows.len(), program.sets.words.len());
            let placed = program.group(group, tests);
            if placed.is_none() {
                program.lanes.truncate(lanes);
                program.sets.words.truncate(words);
            }
            Run::push(&mut program.runs, placed);
        }
        let is_sound = program.paths32.iter().all(Group::<[PathTree<32>; LANES]>::is_sound)
            && program.paths64.iter().all(Group::<[PathTree<64>; LANES]>::is_sound);
        (is_sound && program.runs.iter().any(|run| run.form.is_some())).then_some(program)
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.paths32.as_slice())
            + size_of_val(self.paths64.as_slice())
            + size_of_val(self.levels32.as_slice())
            + size_of_val(self.levels64.as_slice())
            + size_of_val(self.oblivious.as_slice())
            + size_of_val(self.sets.columns.as_slice())
            + size_of_val(self.sets.words.as_slice())
    }

    /// Adds a group, if it can be run here, in the form that takes the fewest steps; returns that form, whether tests have
    /// lower bounds, and the place.
    fn group<W: Word>(
        &mut self,
        trees: &[&[Node<W>]],
        tests: &Tests<'_>,
    ) -> Option<(Form, bool, usize)> {
        let form = form(trees)?;
        let drafts = trees.iter().map(|tree| self.draft(tree, form, tests));
        let drafts = drafts.collect::<Option<Vec<_>>>()?;
        let has_lows = drafts.iter().flat_map(|draft| &draft.bytes).any(|test| test.low != 0);
        let (drafts, tables, sets) = (drafts.as_slice(), tests.tables, &mut self.sets);
        let place = match form {
            Form::Paths32 => add(&mut self.paths32, Group::paths(drafts, tables, sets)?),
            Form::Paths64 => add(&mut self.paths64, Group::paths(drafts, tables, sets)?),
            Form::Levels32 => add(&mut self.levels32, Group::levels(drafts, tables, sets)?),
            Form::Levels64 => add(&mut self.levels64, Group::levels(drafts, tables, sets)?),
            Form::Oblivious => add(&mut self.oblivious, Group::oblivious(drafts, tables, sets)?),
        };
        Some((form, has_lows, place))
    }

    /// The tests of a tree; `None` if its leaves or they are no bytes.
    fn draft<'a, W: Word>(
        &mut self,
        nodes: &'a [Node<W>],
        form: Form,
        tests: &Tests<'_>,
    ) -> Option<Draft<'a, W>> {
        // The leaf of a tree without nodes is named nowhere.
        let is_named = !nodes[0].is_leaf() || nodes[0].low.index() == 0;
        let mut leaves = nodes.iter().filter(|node| node.is_leaf());
        if !is_named || leaves.any(|leaf| leaf.low.index() > usize::from(u8::MAX)) {
            return None;
        }
        let tested = match form {
            Form::Oblivious => levels(nodes, 0)?,
            _ => (0..nodes.len()).filter(|at| !nodes[*at].is_leaf()).collect(),
        };
        let (bytes, sets) = self.lanes.tests(nodes, &tested, tests)?;
        Some(Draft { nodes, tested, bytes, sets })
    }
}

fn add<T>(all: &mut Vec<T>, one: T) -> usize {
    all.push(one);
    all.len() - 1
}

/// The form of a group; `None` if there are too many nodes.
fn form<W: Word>(trees: &[&[Node<W>]]) -> Option<Form> {
    let is_oblivious =
        |tree: &&[Node<W>]| levels(tree, 0).is_some_and(|levels| levels.len() <= MOST_LEVELS);
    if trees.iter().all(is_oblivious) {
        return Some(Form::Oblivious);
    }
    let nodes = trees.iter().map(|tree| tree.len() / 2).max()?;
    if nodes > MOST_NODES {
        return None;
    }
    let depth = trees.iter().map(|tree| depth(tree)).max()?;
    Some(match (depth, nodes) {
        (..=5, _) => Form::Levels32,
        (_, ..=32) => Form::Paths32,
        (6, _) => Form::Levels64,
        _ => Form::Paths64,
    })
}
