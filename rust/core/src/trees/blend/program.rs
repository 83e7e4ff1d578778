//! A forest as straight lines of instructions, one for each inner node.

use super::super::lanes::BIAS;
use super::super::nodes::{Node, Word};
use super::super::windows::Window;
use super::oblivious::levels;
use super::tests::{Odd, Tests};
use super::MOST_LEAVES;
use foldhash::HashMap;

/// Takes the answer of the first child where the byte is within `span` of `low`, else that of the second.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Instruction {
    /// Lane of the bytes.
    pub lane: u32,
    /// Slot of the answer.
    pub target: u16,
    pub first: Operand,
    pub second: Operand,
    /// With the bias of [`Bytes::choose`](super::super::lanes::Bytes::choose).
    pub low: u8,
    pub span: u8,
}

/// A leaf, or the slot that an earlier instruction of the tree has answered in.
#[derive(Debug, Clone, Copy)]
pub struct Operand(u16);

impl Operand {
    fn leaf(row: usize) -> Self {
        debug_assert!(row < MOST_LEAVES);
        Self(row as u16)
    }

    fn slot(slot: u16) -> Self {
        Self(slot + MOST_LEAVES as u16)
    }

    #[inline(always)]
    pub fn is_leaf(self) -> bool {
        usize::from(self.0) < MOST_LEAVES
    }

    /// The number of the leaf.
    #[inline(always)]
    pub fn leaf_byte(self) -> u8 {
        self.0 as u8
    }

    /// The slot, where it is none of a leaf.
    #[inline(always)]
    pub fn slot_number(self) -> usize {
        usize::from(self.0).wrapping_sub(MOST_LEAVES)
    }
}

/// A tree: its odd tests, then its instructions. The first of them choose between leaves alone, the last add a bit to
/// the number of a leaf.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line {
    pub odd_end: usize,
    pub pairs_end: usize,
    pub rest_end: usize,
    pub end: usize,
    /// Slot of the answer.
    pub answer: u16,
}

/// The trees of a forest that have few enough leaves.
#[derive(Debug, Default)]
pub struct Program {
    pub windows: Vec<Window>,
    pub odd: Vec<Odd>,
    pub instructions: Vec<Instruction>,
    /// One for each tree; `None` for those that are walked.
    pub lines: Vec<Option<Line>>,
    /// Bits of the sets that are tested by bytes.
    pub bits: Vec<[u8; 32]>,
    pub slots: usize,
    /// Lanes of odd tests, at most, behind those of the windows.
    pub odd_lanes: usize,
}

impl Program {
    /// The program for a forest whose trees begin at `roots`; `None` where no tree has few enough leaves.
    pub fn new<W: Word>(nodes: &[Node<W>], roots: &[u32], tests: &Tests<'_>) -> Option<Self> {
        let mut compiler = Compiler {
            nodes,
            tests,
            program: Self::default(),
            places: HashMap::default(),
            sets: HashMap::default(),
            pairs: Vec::new(),
            rest: Vec::new(),
            odd: 0,
        };
        let ends = roots.iter().skip(1).map(|root| *root as usize).chain([nodes.len()]);
        for (root, end) in roots.iter().zip(ends) {
            let root = *root as usize;
            let tree = &nodes[root..end];
            let leaves = tree.iter().filter(|node| node.is_leaf());
            let is_small = leaves.clone().count() <= MOST_LEAVES
                && leaves.clone().all(|leaf| leaf.low.index() < MOST_LEAVES);
            let line = is_small.then(|| compiler.tree(root));
            compiler.program.lines.push(line);
        }
        let mut program = compiler.program;
        // Lanes of odd tests follow those of all windows, whose number is known only now.
        let windows = program.windows.len() as u32;
        for instruction in &mut program.instructions {
            if let Some(odd) = instruction.lane.checked_sub(ODD) {
                instruction.lane = windows + odd;
            }
        }
        program.lines.iter().any(Option::is_some).then_some(program)
    }

    /// Lanes of bytes that instructions read.
    pub fn lane_count(&self) -> usize {
        self.windows.len() + self.odd_lanes
    }

    pub fn memory(&self) -> usize {
        size_of_val(self.instructions.as_slice())
            + size_of_val(self.lines.as_slice())
            + size_of_val(self.odd.as_slice())
            + size_of_val(self.bits.as_slice())
    }
}

/// Marks the number of an odd test, until the number of windows is known.
const ODD: u32 = 1 << 31;

struct Compiler<'a, W> {
    nodes: &'a [Node<W>],
    tests: &'a Tests<'a>,
    program: Program,
    places: HashMap<Window, u32>,
    sets: HashMap<u32, u32>,
    /// Instructions of one tree: those between two leaves, and all others.
    pairs: Vec<Instruction>,
    rest: Vec<Instruction>,
    /// Odd tests of one tree.
    odd: u32,
}

/// What is still to do for a tree.
enum Task {
    Visit(usize),
    /// Both children of the node are done.
    Choose(usize),
}

impl<W: Word> Compiler<'_, W> {
    fn tree(&mut self, root: usize) -> Line {
        (self.pairs, self.rest, self.odd) = (Vec::new(), Vec::new(), 0);
        let levels = levels(self.nodes, root).filter(|levels| levels.len() > 1);
        let mut bits = Vec::new();
        let mut answer = match &levels {
            None => self.answer(root),
            Some(levels) => {
                for level in levels {
                    let test = self.test(&self.nodes[*level]);
                    bits.push(self.instruction(test, (Operand::leaf(0), Operand::leaf(1)), 0));
                }
                self.pairs.push(bits.remove(0));
                Operand::slot(0)
            }
        };
        if answer.is_leaf() {
            // A tree of one leaf: a choice between it and itself.
            let window = Window::holding(0, W::default(), W::default());
            let lane = window.map_or(0, |(window, ..)| self.place(window));
            answer = self.choose((lane, 0, 0), answer, answer);
        }
        let program = &mut self.program;
        program.slots = program.slots.max(self.pairs.len());
        program.odd_lanes = program.odd_lanes.max(self.odd as usize);
        program.instructions.append(&mut self.pairs);
        let pairs_end = program.instructions.len();
        program.instructions.append(&mut self.rest);
        let rest_end = program.instructions.len();
        program.instructions.append(&mut bits);
        Line {
            odd_end: program.odd.len(),
            pairs_end,
            rest_end,
            end: program.instructions.len(),
            answer: answer.slot_number() as u16,
        }
    }

    /// Adds the instructions of a tree, children first. No recursion: a chain of 255 nodes is a tree, too.
    fn answer(&mut self, root: usize) -> Operand {
        let mut tasks = vec![Task::Visit(root)];
        let mut answers: Vec<Operand> = Vec::new();
        while let Some(task) = tasks.pop() {
            match task {
                Task::Visit(at) => {
                    let node = self.nodes[at];
                    if node.is_leaf() {
                        answers.push(Operand::leaf(node.low.index()));
                    } else {
                        let child = at + node.offset.index();
                        tasks.extend([
                            Task::Choose(at),
                            Task::Visit(child + 1),
                            Task::Visit(child),
                        ]);
                    }
                }
                Task::Choose(at) => {
                    let test = self.test(&self.nodes[at]);
                    if let (Some(second), Some(first)) = (answers.pop(), answers.pop()) {
                        let answer = self.choose(test, first, second);
                        answers.push(answer);
                    }
                }
            }
        }
        answers.pop().unwrap_or(Operand::leaf(0))
    }

    fn choose(&mut self, test: (u32, u8, u8), first: Operand, second: Operand) -> Operand {
        // The answer takes the place of a child's, which nobody else asks for.
        let slot = [first, second].into_iter().find(|operand| !operand.is_leaf());
        let number = slot.map_or(self.pairs.len(), Operand::slot_number) as u16;
        let instruction = self.instruction(test, (first, second), number);
        match slot {
            Some(_) => self.rest.push(instruction),
            None => self.pairs.push(instruction),
        }
        Operand::slot(number)
    }

    fn instruction(
        &self,
        (lane, low, last): (u32, u8, u8),
        (first, second): (Operand, Operand),
        target: u16,
    ) -> Instruction {
        let span = last.wrapping_sub(low).wrapping_add(BIAS);
        Instruction { lane, target, first, second, low: low.wrapping_add(BIAS), span }
    }

    /// Where the bytes of a test are, and which of them go first: from one to another.
    fn test(&mut self, node: &Node<W>) -> (u32, u8, u8) {
        let plane = node.plane.index() as u32;
        if let Some(table) = self.tests.table(node) {
            let odd = match Window::first::<W>(plane, self.tests.limit(table)) {
                Some((window, added)) => {
                    let lane = self.place(window);
                    Odd::Bits { lane, bits: self.set(table, added) }
                }
                None => Odd::Table { plane, table },
            };
            return self.odd(odd);
        }
        let low = if self.tests.has_low { node.low } else { W::default() };
        match Window::holding(plane, low, node.span) {
            Some((window, low, last)) => (self.place(window), low, last),
            None => {
                let (low, span) = (low.index() as u32, node.span.index() as u32);
                self.odd(Odd::Range { plane, low, span })
            }
        }
    }

    /// The bits of a table for bytes of ranks, to which something was added; each once.
    fn set(&mut self, table: u32, added: u32) -> u32 {
        let (bits, tests) = (&mut self.program.bits, self.tests);
        *self.sets.entry(table).or_insert_with(|| {
            bits.push(tests.bits(table, added));
            (bits.len() - 1) as u32
        })
    }

    /// A lane of its own, in which 0 goes to the first child.
    fn odd(&mut self, odd: Odd) -> (u32, u8, u8) {
        self.program.odd.push(odd);
        self.odd += 1;
        (ODD + self.odd - 1, 0, 0)
    }

    fn place(&mut self, window: Window) -> u32 {
        let windows = &mut self.program.windows;
        *self.places.entry(window).or_insert_with(|| {
            windows.push(window);
            (windows.len() - 1) as u32
        })
    }
}
