//! The last stage of planning: what is constant is computed, what nobody needs is dropped, registers close ranks.

use super::access::Access;
use super::block::{Counts, Scratch, Step};
use super::builder::{Builder, Item};
use super::columns::Fill;
use super::element::Register;
use super::output::{OutputElement, OutputPlan};
use foldhash::HashMap;

/// Steps that are ready to run, and the room that they need.
pub struct Program {
    pub steps: Vec<Box<dyn Step>>,
    pub counts: Counts,
}

impl Item {
    fn step(&mut self) -> &mut dyn Step {
        match self {
            Item::Elementwise(step) => step,
            Item::Step(step) => step.as_mut(),
        }
    }
}

/// Which registers are needed; each becomes its new number.
struct Live {
    numbers: Vec<bool>,
    codes: Vec<bool>,
    texts: Vec<bool>,
    sparse: Vec<bool>,
}

impl Builder {
    /// The program behind these outputs. `keep_all` leaves every step as it was added.
    pub fn finish(&mut self, outputs: &mut [OutputPlan], keep_all: bool) -> Program {
        self.flush();
        if !keep_all {
            self.settle();
            let mut live = self.prune(outputs);
            self.join(outputs, &mut live);
            self.rename(outputs, &live);
            let count = |live: &[bool]| live.iter().filter(|live| **live).count();
            return Program {
                counts: Counts {
                    numbers: count(&live.numbers),
                    codes: count(&live.codes),
                    texts: count(&live.texts),
                    sparse: count(&live.sparse),
                },
                steps: self.take_steps(),
            };
        }
        Program { counts: self.counts(), steps: self.take_steps() }
    }

    fn counts(&self) -> Counts {
        Counts {
            numbers: self.number_count(),
            codes: self.code_count(),
            texts: self.text_count(),
            sparse: self.sparse_count(),
        }
    }

    fn take_steps(&mut self) -> Vec<Box<dyn Step>> {
        let items = std::mem::take(&mut self.steps).into_iter();
        items
            .map(|item| match item {
                Item::Elementwise(step) => Box::new(step) as Box<dyn Step>,
                Item::Step(step) => step,
            })
            .collect()
    }

    /// Runs the steps that read nothing but constants, and keeps what they write.
    fn settle(&mut self) {
        let counts = self.counts();
        let mut constants: HashMap<Register, f64> = HashMap::default();
        let mut scratch = Scratch::default();
        for item in &mut self.steps {
            let (mut is_constant, mut reads) = (!item.step().refuses(), Vec::new());
            let mut written = Fill::default();
            item.step().registers(&mut |access| match access {
                Access::Reads(register) => match constants.get(register) {
                    Some(value) => reads.push((*register, *value)),
                    None => is_constant = false,
                },
                Access::ReadsCode(_)
                | Access::ReadsText(_)
                | Access::WritesText(_)
                | Access::ReadsSparse(_)
                | Access::WritesSparse(_) => is_constant = false,
                Access::Writes(register) => written.numbers.push((*register, 0.0)),
                Access::WritesCode(register) => written.codes.push((*register, 0)),
            });
            if !is_constant {
                continue;
            }
            let mut block = scratch.block(1, counts);
            reads.iter().for_each(|(register, value)| block.number_mut(*register)[0] = *value);
            item.step().run(&mut block);
            for (register, value) in &mut written.numbers {
                *value = block.number(*register)[0];
                constants.insert(*register, *value);
            }
            written.codes.iter_mut().for_each(|(code, value)| *value = block.code(*code)[0]);
            *item = Item::Step(Box::new(written));
        }
    }

    /// Drops steps and codings that neither an output nor a check needs.
    fn prune(&mut self, outputs: &[OutputPlan]) -> Live {
        let mut live = Live {
            numbers: vec![false; self.number_count()],
            codes: vec![false; self.code_count()],
            texts: vec![false; self.text_count()],
            sparse: vec![false; self.sparse_count()],
        };
        for element in outputs.iter().flat_map(|output| &output.elements) {
            match element {
                OutputElement::Number(register) => live.numbers[*register as usize] = true,
                OutputElement::Code(register) => live.codes[*register as usize] = true,
                OutputElement::Made(register) => live.texts[*register as usize] = true,
                OutputElement::Text(_) => {}
            }
        }
        let mut kept = Vec::with_capacity(self.steps.len());
        for mut item in std::mem::take(&mut self.steps).into_iter().rev() {
            if live.takes(&mut item) {
                kept.push(item);
            }
        }
        kept.reverse();
        self.steps = kept;
        for coding in &mut self.text_codings {
            coding.is_read = live.codes[coding.register as usize] || coding.refuses();
            live.codes[coding.register as usize] = coding.is_read;
        }
        for input in &mut self.text_inputs {
            input.is_read = live.texts[input.register as usize];
        }
        self.field_registers.retain(|_, register| live.numbers[*register as usize]);
        self.notes.dropped = live.numbers.iter().filter(|is_live| !**is_live).count();
        live
    }

    /// Joins chains of functions, so that what is between them needs no room.
    fn join(&mut self, outputs: &[OutputPlan], live: &mut Live) {
        let mut readers = vec![0u32; live.numbers.len()];
        for item in &mut self.steps {
            item.step().registers(&mut |access| {
                if let Access::Reads(register) = access {
                    readers[*register as usize] += 1;
                }
            });
        }
        for element in outputs.iter().flat_map(|output| &output.elements) {
            if let OutputElement::Number(register) = element {
                readers[*register as usize] += 1;
            }
        }
        for item in &mut self.steps {
            if let Item::Elementwise(step) = item {
                step.join(&readers, &mut live.numbers);
            }
        }
    }

    fn rename(&mut self, outputs: &mut [OutputPlan], live: &Live) {
        let numbers = ranks(&live.numbers);
        let codes = ranks(&live.codes);
        let texts = ranks(&live.texts);
        let sparse = ranks(&live.sparse);
        for item in &mut self.steps {
            item.step().registers(&mut |access| match access {
                Access::Reads(register) | Access::Writes(register) => {
                    *register = numbers[*register as usize];
                }
                Access::ReadsCode(register) | Access::WritesCode(register) => {
                    *register = codes[*register as usize];
                }
                Access::ReadsText(register) | Access::WritesText(register) => {
                    *register = texts[*register as usize];
                }
                Access::ReadsSparse(register) | Access::WritesSparse(register) => {
                    *register = sparse[*register as usize];
                }
            });
        }
        for element in outputs.iter_mut().flat_map(|output| &mut output.elements) {
            match element {
                OutputElement::Number(register) => *register = numbers[*register as usize],
                OutputElement::Code(register) => *register = codes[*register as usize],
                OutputElement::Made(register) => *register = texts[*register as usize],
                OutputElement::Text(_) => {}
            }
        }
        for coding in &mut self.text_codings {
            coding.register = codes[coding.register as usize];
        }
        for input in &mut self.text_inputs {
            input.register = texts[input.register as usize];
        }
        for register in self.field_registers.values_mut() {
            *register = numbers[*register as usize];
        }
    }
}

/// How many are live before each.
fn ranks(live: &[bool]) -> Vec<u32> {
    let count = |before: &mut u32, is_live: &bool| {
        let rank = *before;
        *before += u32::from(*is_live);
        Some(rank)
    };
    live.iter().scan(0, count).collect()
}

impl Live {
    /// Whether an item is needed; what it reads and writes then becomes live.
    fn takes(&mut self, item: &mut Item) -> bool {
        if let Item::Elementwise(step) = item {
            step.prune(&mut self.numbers);
            return !step.is_empty();
        }
        let mut is_needed = item.step().refuses();
        item.step().registers(&mut |access| match access {
            Access::Writes(register) => is_needed |= self.numbers[*register as usize],
            Access::WritesCode(register) => is_needed |= self.codes[*register as usize],
            Access::WritesText(register) => is_needed |= self.texts[*register as usize],
            Access::WritesSparse(register) => is_needed |= self.sparse[*register as usize],
            _ => {}
        });
        if is_needed {
            item.step().registers(&mut |access| match access {
                Access::Reads(register) | Access::Writes(register) => {
                    self.numbers[*register as usize] = true;
                }
                Access::ReadsCode(register) | Access::WritesCode(register) => {
                    self.codes[*register as usize] = true;
                }
                Access::ReadsText(register) | Access::WritesText(register) => {
                    self.texts[*register as usize] = true;
                }
                Access::ReadsSparse(register) | Access::WritesSparse(register) => {
                    self.sparse[*register as usize] = true;
                }
            });
        }
        is_needed
    }
}
