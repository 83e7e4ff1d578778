//! What each input brings to the dot products of a linear model.

use super::request::{Method, Request};
use crate::ops::Weights;
use crate::plan::block::Block;
use crate::plan::builder::Builder;
use crate::plan::element::{CodeRegister, Element, Register, SparseRegister};
use foldhash::HashMap;

/// A linear model that is explained: each input against its mean over the example data.
pub struct LinearMethod {
    /// A register, where it is credited, and its coefficient for each output.
    numbers: Vec<(Register, u32, Vec<f64>)>,
    tables: Vec<Table>,
    /// Sparse rows, and where all of their elements are credited.
    sparse: Vec<(Weights, u32)>,
    /// What a slot is credited whatever the row: `[output * slots + slot]`.
    constants: Vec<f64>,
    /// Elements are rounded to f32, and missing ones add nothing.
    is_single: bool,
    pub base: Vec<f64>,
}

/// What the indicators of one code add to the outputs: `[level * outputs + output]`.
struct Table {
    code: CodeRegister,
    slot: u32,
    addends: Vec<f64>,
}

/// The arrays of a linear model; `coefficients` by output, `centers` by output and input field.
pub struct Coefficients {
    pub coefficients: Vec<f64>,
    pub intercepts: Vec<f64>,
    /// Not every artifact has them.
    pub centers: Option<Vec<f64>>,
    pub is_single: bool,
}

const NO_CENTERS: &str = "it was converted without `centers`, the means of what each input brings";

impl LinearMethod {
    /// The method of these elements, or why there is none.
    pub fn of(
        input: &[Element],
        request: &Request,
        builder: &Builder,
        mut arrays: Coefficients,
    ) -> Result<Method, String> {
        let outputs = arrays.intercepts.len();
        let is_used = |at: usize| {
            (0..outputs).any(|output| arrays.coefficients[output * input.len() + at] != 0.0)
        };
        let slots = request.credited(input, builder, true, is_used)?;
        let centers = request.of_slots(&arrays.centers.take().ok_or(NO_CENTERS)?);
        Ok(Method::Linear(Self::new(input, &slots, &centers, arrays)))
    }

    /// `centers` by output and slot; `slots`: where each element is credited that has a coefficient and is not constant.
    fn new(input: &[Element], slots: &[u32], centers: &[f64], arrays: Coefficients) -> Self {
        let Coefficients { coefficients, intercepts, is_single, .. } = arrays;
        let outputs = intercepts.len();
        let slot_count = centers.len() / outputs.max(1);
        let mut method = Self {
            numbers: Vec::new(),
            tables: Vec::new(),
            sparse: Vec::new(),
            constants: centers.iter().map(|center| 0.0 - center).collect(),
            is_single,
            base: intercepts,
        };
        for (output, base) in method.base.iter_mut().enumerate() {
            *base += centers[output * slot_count..][..slot_count].iter().sum::<f64>();
        }
        let mut tables: HashMap<(CodeRegister, u32), usize> = HashMap::default();
        for (at, element) in input.iter().enumerate() {
            let weights: Vec<f64> =
                (0..outputs).map(|output| coefficients[output * input.len() + at]).collect();
            if weights.iter().all(|weight| *weight == 0.0) {
                continue;
            }
            let slot = slots[at];
            match element {
                Element::Number(register) => method.numbers.push((*register, slot, weights)),
                Element::Sparse { source, at } => method.row(*source, slot).add(*at, &weights),
                Element::Constant(value) => {
                    let value = method.read(*value);
                    let bases = method.base.iter_mut().zip(weights);
                    bases.for_each(|(base, weight)| *base += value * weight);
                }
                Element::Indicator { code, equals, on, off } => {
                    let (on, off) = (method.read(*on), method.read(*off));
                    for (output, weight) in weights.iter().enumerate() {
                        method.constants[output * slot_count + slot as usize] += off * weight;
                    }
                    let next = method.tables.len();
                    let table = *tables.entry((*code, slot)).or_insert(next);
                    if table == next {
                        let addends = Vec::new();
                        method.tables.push(Table { code: *code, slot, addends });
                    }
                    method.tables[table].add(*equals, on - off, &weights);
                }
                // Refused when the model was planned.
                Element::Code(_) | Element::Text(_) | Element::Made(_) => {}
            }
        }
        method
    }

    /// What the elements of a sparse row add, all credited to the input that it comes from.
    fn row(&mut self, source: SparseRegister, slot: u32) -> &mut Weights {
        // There are few, and neighbors are mostly of the same.
        let found = self.sparse.iter().rposition(|(weights, _)| weights.source == source);
        let at = found.unwrap_or(self.sparse.len());
        if at == self.sparse.len() {
            self.sparse.push((Weights::new(source), slot));
        }
        &mut self.sparse[at].0
    }

    /// The number as the model adds it.
    fn read(&self, x: f64) -> f64 {
        match (self.is_single, x as f32) {
            (false, _) => x,
            (true, x) if x.is_nan() => 0.0,
            (true, x) => f64::from(x),
        }
    }

    /// Adds what each slot brings to each output in each row; `stride`: numbers of one slot.
    pub fn run(&self, block: &Block<'_>, numbers: &mut [f64], stride: usize) {
        let outputs = self.base.len();
        let slot_count = self.constants.len() / outputs;
        for output in 0..outputs {
            let start = |slot: u32| (output * slot_count + slot as usize) * stride;
            for (register, slot, weights) in &self.numbers {
                let sums = numbers[start(*slot)..].iter_mut();
                for (sum, x) in sums.zip(block.number(*register)) {
                    *sum += self.read(*x) * weights[output];
                }
            }
            for table in &self.tables {
                let sums = numbers[start(table.slot)..].iter_mut();
                for (sum, level) in sums.zip(block.code(table.code)) {
                    let at = (*level as usize).saturating_mul(outputs).saturating_add(output);
                    *sum += table.addends.get(at).copied().unwrap_or(0.0);
                }
            }
            for (weights, slot) in &self.sparse {
                let sums = numbers[start(*slot)..].iter_mut().take(block.rows);
                for (row, sum) in sums.enumerate() {
                    let entries = block.sparse(weights.source).row(row);
                    *sum += weights.sum(entries, output, outputs);
                }
            }
            for slot in 0..slot_count {
                let constant = self.constants[output * slot_count + slot];
                let sums = &mut numbers[start(slot as u32)..][..stride];
                sums.iter_mut().for_each(|sum| *sum += constant);
            }
        }
    }
}

impl Table {
    fn add(&mut self, level: u32, difference: f64, weights: &[f64]) {
        let start = level as usize * weights.len();
        if self.addends.len() < start + weights.len() {
            self.addends.resize(start + weights.len(), 0.0);
        }
        for (addend, weight) in self.addends[start..].iter_mut().zip(weights) {
            *addend += difference * weight;
        }
    }
}
