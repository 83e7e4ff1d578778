//! Runs a program over a block of rows.

use super::super::lanes::{Bytes, Job, Kernel};
use super::super::nodes::Word;
use super::super::sets::Tables;
use super::program::{Instruction, Line, Operand, Program};
use super::MOST_LEAVES;
use crate::plan::block::{Lane, BLOCK_ROWS};

/// Trees whose answers are handed over together.
pub const GROUP: usize = 8;

/// Rows are run in whole vectors of the widest kernel.
const ROWS: usize = 64;
/// Bytes that each leaf has in the constants, and lanes of all constants.
const LEAF_BYTES: usize = 64;
const CONSTANT_LANES: usize = MOST_LEAVES * LEAF_BYTES / BLOCK_ROWS;
const LANES_START: usize = CONSTANT_LANES * BLOCK_ROWS;

/// A program and the kernel that runs it.
#[derive(Debug)]
pub struct Blend {
    program: Program,
    pub kernel: Kernel,
}

impl Blend {
    pub fn new(program: Program, kernel: Kernel) -> Self {
        Self { program, kernel }
    }

    pub fn memory(&self) -> usize {
        self.program.memory()
    }

    /// Whether the tree has a program; else it must be walked.
    pub fn has(&self, tree: usize) -> bool {
        self.program.lines[tree].is_some()
    }

    /// Number of trees that are run here.
    pub fn tree_count(&self) -> usize {
        self.program.lines.iter().flatten().count()
    }

    /// Makes bytes of the ranks of a block; `room` is kept from block to block.
    pub fn begin<W: Word>(&self, ranks: &[Lane<W>], room: &mut Vec<Lane<u8>>, rows: usize) {
        let program = &self.program;
        let lanes = CONSTANT_LANES + program.lane_count() + program.slots + GROUP;
        if room.len() < lanes {
            room.resize(lanes, Lane([0; BLOCK_ROWS]));
            let constants = room[..CONSTANT_LANES].iter_mut().flat_map(|lane| &mut lane.0);
            for (at, byte) in constants.enumerate() {
                *byte = (at / LEAF_BYTES) as u8;
            }
        }
        let lanes = &mut room[CONSTANT_LANES..];
        for (lane, window) in lanes.iter_mut().zip(&program.windows) {
            window.fill(&ranks[window.plane as usize], lane, rows);
        }
    }

    /// For each row the leaf that it reaches in the trees from `first` on, up to `GROUP`; ends before one without a
    /// program. `begin` has filled `room` for these ranks.
    pub fn run<'a, W: Word>(
        &self,
        first: usize,
        (ranks, tables): (&[Lane<W>], &Tables),
        room: &'a mut [Lane<u8>],
        rows: usize,
    ) -> &'a [Lane<u8>] {
        let program = &self.program;
        let rows = rows.next_multiple_of(ROWS);
        let slots = CONSTANT_LANES + program.lane_count();
        let answers = slots + program.slots;
        let lines = program.lines[first..].iter().map_while(Option::as_ref).take(GROUP);
        let mut before = self.before(first);
        let mut count = 0;
        for line in lines {
            let odd = &program.odd[before.odd_end..line.odd_end];
            if !odd.is_empty() {
                let (windows, lanes) =
                    room[CONSTANT_LANES..slots].split_at_mut(program.windows.len());
                for (odd, lane) in odd.iter().zip(lanes) {
                    let sources = (ranks, tables, program.bits.as_slice());
                    odd.run(self.kernel, sources, (windows, lane), rows);
                }
            }
            let pairs = &program.instructions[before.end..line.pairs_end];
            let rest = &program.instructions[line.pairs_end..line.rest_end];
            let bits = &program.instructions[line.rest_end..line.end];
            let memory = room[..answers].as_mut_ptr().cast::<u8>();
            let slots = slots * BLOCK_ROWS;
            self.kernel.run(Tree { pairs, rest, bits, memory, slots, rows });
            let answer = slots / BLOCK_ROWS + usize::from(line.answer);
            let (slots, answers) = room.split_at_mut(answers);
            answers[count].0[..rows].copy_from_slice(&slots[answer].0[..rows]);
            before = *line;
            count += 1;
        }
        &room[answers..answers + count]
    }

    /// The line before that of a tree.
    fn before(&self, tree: usize) -> Line {
        self.program.lines[..tree].iter().rev().flatten().next().copied().unwrap_or_default()
    }
}

/// The instructions of one tree, for rows in whole vectors.
///
/// `Program::new` has seen to it that instructions name no lane, slot or leaf beyond those that `Blend::begin` makes
/// room for.
struct Tree<'a> {
    pairs: &'a [Instruction],
    rest: &'a [Instruction],
    bits: &'a [Instruction],
    /// Constants, lanes and slots.
    memory: *mut u8,
    /// Where the slots begin.
    slots: usize,
    rows: usize,
}

impl Job for Tree<'_> {
    #[inline(always)]
    unsafe fn run<B: Bytes>(self) {
        // SAFETY: as the caller promises; a full block has its own loops, of known length.
        unsafe {
            if self.rows == BLOCK_ROWS {
                self.run_vectors::<B>(BLOCK_ROWS / B::WIDTH);
            } else {
                self.run_vectors::<B>(self.rows / B::WIDTH);
            }
        }
    }
}

impl Tree<'_> {
    #[inline(always)]
    unsafe fn run_vectors<B: Bytes>(&self, vectors: usize) {
        // SAFETY: the lanes and slots exist and are `vectors` vectors long at least, see above.
        unsafe {
            for instruction in self.pairs {
                let (low, span) = (B::splat(instruction.low), B::splat(instruction.span));
                let first = B::splat(instruction.first.leaf_byte());
                let second = B::splat(instruction.second.leaf_byte());
                let lane = self.lane(instruction);
                let target = self.target(instruction);
                for at in 0..vectors {
                    let bytes = B::load(lane.add(at * B::WIDTH));
                    bytes.choose(low, span, first, second).store(target.add(at * B::WIDTH));
                }
            }
            for instruction in self.rest {
                let (low, span) = (B::splat(instruction.low), B::splat(instruction.span));
                let lane = self.lane(instruction);
                let target = self.target(instruction);
                // Leaves stay at one vector, slots go on: no branch, as their order follows no pattern.
                let (first, first_step) = self.operand::<B>(instruction.first);
                let (second, second_step) = self.operand::<B>(instruction.second);
                for at in 0..vectors {
                    let bytes = B::load(lane.add(at * B::WIDTH));
                    let first = B::load(first.add(at * first_step));
                    let second = B::load(second.add(at * second_step));
                    bytes.choose(low, span, first, second).store(target.add(at * B::WIDTH));
                }
            }
            for instruction in self.bits {
                let (low, span) = (B::splat(instruction.low), B::splat(instruction.span));
                let (zero, one) = (B::splat(0), B::splat(1));
                let lane = self.lane(instruction);
                let target = self.target(instruction);
                for at in 0..vectors {
                    let bytes = B::load(lane.add(at * B::WIDTH));
                    let bit = bytes.choose(low, span, zero, one);
                    let number = B::load(target.add(at * B::WIDTH));
                    number.plus(number).plus(bit).store(target.add(at * B::WIDTH));
                }
            }
        }
    }

    #[inline(always)]
    fn lane(&self, instruction: &Instruction) -> *const u8 {
        let lane = LANES_START + instruction.lane as usize * BLOCK_ROWS;
        self.memory.cast_const().wrapping_add(lane)
    }

    #[inline(always)]
    fn target(&self, instruction: &Instruction) -> *mut u8 {
        self.memory.wrapping_add(self.slots + usize::from(instruction.target) * BLOCK_ROWS)
    }

    /// Where an operand is, and how far its vectors are apart.
    #[inline(always)]
    fn operand<B: Bytes>(&self, operand: Operand) -> (*const u8, usize) {
        let leaf = usize::from(operand.leaf_byte()) * LEAF_BYTES;
        let slot = self.slots.wrapping_add(operand.slot_number().wrapping_mul(BLOCK_ROWS));
        let (start, step) = if operand.is_leaf() { (leaf, 0) } else { (slot, B::WIDTH) };
        (self.memory.cast_const().wrapping_add(start), step)
    }
}
