//! Linear models: dot products with one-hot columns as table lookups.

use super::sparse::Weights;
use super::Lower;
use crate::error::ArtifactError;
use crate::explain::{Coefficients, LinearMethod};
use crate::plan::access::{reads, writes, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{CodeRegister, Element, Register, SparseRegister, Vector};
use crate::plan::{Lowering, TensorName};
use foldhash::HashMap;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    coefficients: TensorName,
    intercepts: TensorName,
    #[serde(default)]
    centers: Option<TensorName>,
}

impl Lower for Linear {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let intercepts = lowering.tensors.f64s(&self.intercepts.tensor)?;
        let count = intercepts.len();
        lowering.check_width(count)?;
        let coefficients = lowering.f64s(&self.coefficients, count * input.len())?;
        let centers = centers(lowering, &self.centers, count)?;
        let mut step = LinearStep {
            intercepts: intercepts.clone(),
            numbers: Vec::new(),
            tables: Vec::new(),
            sparse: Vec::new(),
            targets: Vec::with_capacity(count),
        };
        let mut tables: HashMap<CodeRegister, usize> = HashMap::default();
        let mut rows: HashMap<SparseRegister, usize> = HashMap::default();
        for (at, element) in input.iter().enumerate() {
            let weights: Vec<f64> =
                (0..count).map(|output| coefficients[output * input.len() + at]).collect();
            match element {
                Element::Number(register) => step.numbers.push((*register, weights)),
                Element::Sparse { source, at } => {
                    let row = *rows.entry(*source).or_insert_with(|| step.new_row(*source));
                    step.sparse[row].add(*at, &weights);
                }
                Element::Constant(value) => step.add_constant(*value, &weights),
                // A table adds differences, and of an infinity they are NaN.
                Element::Indicator { on, off, .. } if !(on.is_finite() && off.is_finite()) => {
                    step.numbers.push((lowering.number(element)?, weights));
                }
                Element::Indicator { code, equals, on, off } => {
                    step.add_constant(*off, &weights);
                    let table = *tables.entry(*code).or_insert_with(|| step.new_table(*code));
                    step.add_level(table, *equals, on - off, &weights);
                }
                Element::Code(_) | Element::Text(_) | Element::Made(_) => {
                    return Err(lowering.error("takes numbers; its input has texts or codes"));
                }
            }
        }
        step.targets = lowering.outputs(&input, count);
        lowering.explain(&step.targets, false, |request, builder| {
            let arrays = Coefficients { coefficients, intercepts, centers, is_single: false };
            LinearMethod::of(&input, request, builder, arrays)
        });
        let output = step.targets.iter().map(|target| Element::Number(*target)).collect();
        lowering.builder.push(step);
        Ok(output)
    }
}

/// For each output and each input of the model the mean of what it brings, if the artifact has it.
fn centers(
    lowering: &Lowering<'_>,
    name: &Option<TensorName>,
    outputs: usize,
) -> Result<Option<Vec<f64>>, ArtifactError> {
    let Some(name) = name else { return Ok(None) };
    let centers = lowering.f64s(name, outputs.saturating_mul(lowering.field_count))?;
    match centers.iter().position(|center| !center.is_finite()) {
        Some(at) => {
            Err(lowering.error(&format!("tensor `{}` is not finite at position {at}", name.tensor)))
        }
        None => Ok(Some(centers)),
    }
}

/// What the indicators of one code add to the outputs.
struct Table {
    code: CodeRegister,
    /// `addends[level * outputs + output]`
    addends: Vec<f64>,
}

struct LinearStep {
    intercepts: Vec<f64>,
    /// A register and its coefficient for each output.
    numbers: Vec<(Register, Vec<f64>)>,
    tables: Vec<Table>,
    sparse: Vec<Weights>,
    targets: Vec<Register>,
}

impl LinearStep {
    fn add_constant(&mut self, value: f64, weights: &[f64]) {
        if value != 0.0 {
            for (intercept, weight) in self.intercepts.iter_mut().zip(weights) {
                *intercept += value * weight;
            }
        }
    }

    fn new_table(&mut self, code: CodeRegister) -> usize {
        self.tables.push(Table { code, addends: Vec::new() });
        self.tables.len() - 1
    }

    fn new_row(&mut self, source: SparseRegister) -> usize {
        self.sparse.push(Weights::new(source));
        self.sparse.len() - 1
    }

    fn add_level(&mut self, table: usize, level: u32, difference: f64, weights: &[f64]) {
        let addends = &mut self.tables[table].addends;
        let start = level as usize * weights.len();
        if addends.len() < start + weights.len() {
            addends.resize(start + weights.len(), 0.0);
        }
        for (addend, weight) in addends[start..].iter_mut().zip(weights) {
            *addend += difference * weight;
        }
    }
}

/// Numbers that are added in one pass over the rows, one after the other.
const LANES: usize = 4;

/// Adds up to `LANES` numbers with their weights to the sums of all rows.
fn add_numbers(sums: &mut [f64], numbers: &[f64], sources: &[(Register, Vec<f64>)], output: usize) {
    let rows = sums.len();
    let column = |(register, weights): &(Register, Vec<f64>)| {
        (&numbers[*register as usize * rows..][..rows], weights[output])
    };
    let Some(sources) = sources.first_chunk::<LANES>() else {
        for source in sources {
            let (column, weight) = column(source);
            sums.iter_mut().zip(column).for_each(|(sum, x)| *sum += x * weight);
        }
        return;
    };
    let [a, b, c, d] = sources.each_ref().map(column);
    let columns = a.0.iter().zip(b.0).zip(c.0.iter().zip(d.0));
    for (sum, ((first, second), (third, fourth))) in sums.iter_mut().zip(columns) {
        *sum = *sum + first * a.1 + second * b.1 + third * c.1 + fourth * d.1;
    }
}

impl Step for LinearStep {
    fn run(&self, block: &mut Block<'_>) {
        let count = self.targets.len();
        for (output, target) in self.targets.iter().enumerate() {
            let rows = block.rows;
            let (numbers, codes, _) = block.parts();
            let (numbers, sums) = numbers.split_at_mut(*target as usize * rows);
            let sums = &mut sums[..rows];
            sums.fill(0.0);
            for sources in self.numbers.chunks(LANES) {
                add_numbers(sums, numbers, sources, output);
            }
            for table in &self.tables {
                let codes = &codes[table.code as usize * rows..][..rows];
                for (sum, code) in sums.iter_mut().zip(codes) {
                    let at = (*code as usize).saturating_mul(count).saturating_add(output);
                    *sum += table.addends.get(at).copied().unwrap_or(0.0);
                }
            }
            sums.iter_mut().for_each(|sum| *sum += self.intercepts[output]);
            for weights in &self.sparse {
                for row in 0..rows {
                    let sum = weights.sum(block.sparse(weights.source).row(row), output, count);
                    block.number_mut(*target)[row] += sum;
                }
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, self.numbers.iter_mut().map(|(register, _)| register));
        self.tables.iter_mut().for_each(|table| visit(Access::ReadsCode(&mut table.code)));
        self.sparse.iter_mut().for_each(|row| visit(Access::ReadsSparse(&mut row.source)));
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        format!(
            "{} outputs of {} numbers and {} codes",
            self.targets.len(),
            self.numbers.len(),
            self.tables.len()
        )
    }

    fn memory(&self) -> usize {
        let tables: usize = self.tables.iter().map(|table| table.addends.len()).sum();
        let sparse: usize = self.sparse.iter().map(|row| row.addends.len()).sum();
        (tables + sparse + self.numbers.len() * self.targets.len()) * size_of::<f64>()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearF32 {
    coefficients: TensorName,
    start: TensorName,
    #[serde(default)]
    centers: Option<TensorName>,
}

impl Lower for LinearF32 {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let start = lowering.tensors.f32s(&self.start.tensor)?;
        lowering.check_width(start.len())?;
        let coefficients = lowering.tensors.f32s(&self.coefficients.tensor)?;
        let wanted = start.len() * input.len();
        lowering.check_length(&self.coefficients.tensor, coefficients.len(), wanted)?;
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let targets = lowering.outputs(&input, start.len());
        let centers = centers(lowering, &self.centers, start.len())?;
        lowering.explain(&targets, true, |request, builder| {
            let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect();
            let (coefficients, intercepts) = (wide(&coefficients), wide(&start));
            let arrays = Coefficients { coefficients, intercepts, centers, is_single: true };
            LinearMethod::of(&input, request, builder, arrays)
        });
        let output = targets.iter().map(|target| Element::Number(*target)).collect();
        lowering.builder.push(LinearF32Step { sources, targets, coefficients, start });
        Ok(output)
    }
}

/// XGBoost `src/gbm/gblinear.cc`, `GBLinear::Pred`: bias first, then each present element in f32.
struct LinearF32Step {
    sources: Vec<Register>,
    targets: Vec<Register>,
    coefficients: Vec<f32>,
    start: Vec<f32>,
}

impl Step for LinearF32Step {
    fn run(&self, block: &mut Block<'_>) {
        let width = self.sources.len();
        for (output, target) in self.targets.iter().enumerate() {
            let weights = &self.coefficients[output * width..(output + 1) * width];
            for row in 0..block.rows {
                let mut sum = self.start[output];
                for (source, weight) in self.sources.iter().zip(weights) {
                    let x = block.number(*source)[row] as f32;
                    if !x.is_nan() {
                        sum += x * weight;
                    }
                }
                block.number_mut(*target)[row] = f64::from(sum);
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        writes(visit, &mut self.targets);
    }

    fn describe(&self) -> String {
        format!("{} outputs of {} numbers in f32", self.targets.len(), self.sources.len())
    }
}
