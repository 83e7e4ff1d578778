//! How operators treat the elements of sparse rows: together where that is exact, else one by one as numbers.

use crate::error::ArtifactError;
use crate::plan::bounds::Bounds;
use crate::plan::element::{Element, SparseRegister, Vector};
use crate::plan::functions::Function;
use crate::plan::scalar::Scalar;
use crate::plan::sparse::{Change, ChangeStep, CheckStep};
use crate::plan::Lowering;
use foldhash::HashMap;

/// Operators that take elements of sparse rows as they are.
pub const AWARE: &[&str] = &[
    "arithmetic",
    "binarize",
    "concat",
    "linear",
    "map",
    "normalize",
    "require",
    "select",
    "topics",
];

/// Larger numbers could overflow, in f32 as well; they are treated one by one.
const MOST: f64 = 1e30;

/// The elements of one sparse row: their positions there, and in the input.
pub struct Part {
    pub source: SparseRegister,
    pub places: Vec<(u32, usize)>,
}

/// The elements of sparse rows, row by row; `None` if one of them comes twice.
pub fn parts(lowering: &Lowering<'_>, input: &[Element]) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut seen: Vec<Vec<bool>> = Vec::new();
    for (position, element) in input.iter().enumerate() {
        let Element::Sparse { source, at } = element else { continue };
        // There are few rows, and neighbors are mostly of the same.
        let number = parts.iter().rposition(|part| part.source == *source).unwrap_or_else(|| {
            parts.push(Part { source: *source, places: Vec::new() });
            seen.push(vec![false; lowering.builder.sparse_width(*source)]);
            parts.len() - 1
        });
        let seen = seen.get_mut(number)?.get_mut(*at as usize)?;
        if std::mem::replace(seen, true) {
            return None;
        }
        parts[number].places.push((*at, position));
    }
    Some(parts)
}

/// All elements as such that every operator takes.
pub fn dense(lowering: &mut Lowering<'_>, input: Vector) -> Result<Vector, ArtifactError> {
    let number = |element: Element| match element {
        Element::Sparse { .. } => Ok(Element::Number(lowering.number(&element)?)),
        element => Ok(element),
    };
    input.into_iter().map(number).collect()
}

/// What happens to all elements.
pub enum Operation<'a> {
    Multiply(&'a [f64]),
    Divide(&'a [f64]),
    Apply(Scalar),
}

impl Operation<'_> {
    /// What holds of the results, if 0 stays 0 and all are finite.
    fn bounds(&self, places: &[(u32, usize)], of: Bounds) -> Option<Bounds> {
        let size = of.low.abs().max(of.high.abs());
        let scaled = |operands: &[f64], inverse: bool| {
            let operands = places.iter().map(|(_, position)| operands[*position]);
            let mut factors = operands.map(|x| if inverse { 1.0 / x } else { x });
            let range = |(least, most): (f64, f64), x: f64| {
                (x.is_finite() && least <= most).then(|| (least.min(x), most.max(x)))
            };
            let (least, most) = factors.try_fold((0.0, 0.0), range)?;
            let size = size * least.abs().max(most);
            let low = if of.low >= 0.0 && least >= 0.0 { 0.0 } else { -size };
            (size < MOST).then(|| Bounds::new(low, size, false))
        };
        let is_positive = of.low >= 0.0;
        match self {
            Operation::Multiply(operands) => scaled(operands, false),
            Operation::Divide(operands) => scaled(operands, true),
            Operation::Apply(Scalar::Above(threshold)) if *threshold >= 0.0 => {
                Some(Bounds::new(0.0, 1.0, false))
            }
            Operation::Apply(Scalar::Function(function)) => match function {
                Function::Identity => Some(of),
                Function::Abs => Some(Bounds::new(0.0, size, false)),
                Function::Sign => Some(Bounds::new(-1.0, 1.0, false)),
                Function::Sqrt | Function::Log1p if is_positive => {
                    Some(Bounds::new(0.0, size.max(1.0), false))
                }
                Function::OnePlusLog if is_positive => Some(Bounds::new(-800.0, 800.0, false)),
                _ => None,
            },
            Operation::Apply(_) => None,
        }
    }

    fn change(&self, places: &[(u32, usize)], width: usize) -> Change {
        let scattered = |operands: &[f64]| {
            let mut all = vec![1.0; width];
            places.iter().for_each(|(at, position)| all[*at as usize] = operands[*position]);
            all
        };
        match self {
            Operation::Multiply(operands) => Change::Multiply(scattered(operands)),
            Operation::Divide(operands) => Change::Divide(scattered(operands)),
            Operation::Apply(scalar) => Change::Apply(*scalar),
        }
    }
}

/// The results of elements of sparse rows, where they stay sparse; operands are by position in the input.
pub fn changed(
    lowering: &mut Lowering<'_>,
    input: &[Element],
    operation: &Operation<'_>,
    single: bool,
) -> Vec<Option<Element>> {
    let mut output = vec![None; input.len()];
    for Part { source, places } in parts(lowering, input).unwrap_or_default() {
        let width = lowering.builder.sparse_width(source);
        let bounds = lowering.builder.sparse_bounds(source);
        let Some(bounds) = operation.bounds(&places, bounds) else { continue };
        let target = lowering.builder.like_sparse(source, bounds);
        let (change, is_read) = (operation.change(&places, width), read(&places, width));
        lowering.builder.push(ChangeStep { source, target, change, is_read, single });
        for (at, position) in places {
            output[position] = Some(Element::Sparse { source: target, at });
        }
    }
    output
}

/// Refuses rows in which one of these elements is a number that is not allowed.
pub fn check(
    lowering: &mut Lowering<'_>,
    input: &[Element],
    is_allowed: impl Fn(f64) -> bool + Copy + Send + Sync + 'static,
) {
    let mut places: HashMap<SparseRegister, Vec<(u32, usize)>> = HashMap::default();
    for element in input {
        if let Element::Sparse { source, at } = element {
            places.entry(*source).or_default().push((*at, 0));
        }
    }
    let mut sources: Vec<_> = places.into_iter().collect();
    sources.sort_unstable_by_key(|(source, _)| *source);
    for (source, places) in sources {
        let bounds = lowering.builder.sparse_bounds(source);
        let is_open = bounds.may_be_missing && !is_allowed(f64::NAN);
        if is_open || !is_allowed(bounds.low) || !is_allowed(bounds.high) {
            let is_read = read(&places, lowering.builder.sparse_width(source));
            let fields = lowering.builder.origin(&Element::Sparse { source, at: 0 });
            lowering.builder.push(CheckStep { source, is_read, is_allowed, fields });
        }
    }
}

/// Which positions of a sparse row are read.
pub fn read(places: &[(u32, usize)], width: usize) -> Vec<bool> {
    let mut is_read = vec![false; width];
    places.iter().for_each(|(at, _)| is_read[*at as usize] = true);
    is_read
}

/// The sparse row that is the whole input, in the order of its positions, if there is one.
pub fn only(lowering: &Lowering<'_>, input: &[Element]) -> Option<Part> {
    let mut parts = parts(lowering, input)?;
    let part = parts.pop().filter(|_| parts.is_empty())?;
    let is_whole = part.places.len() == input.len();
    (is_whole && part.places.is_sorted()).then_some(part)
}

/// What elements of a sparse row add to sums: `addends[at * outputs + output]`.
pub struct Weights {
    pub source: SparseRegister,
    pub addends: Vec<f64>,
}

impl Weights {
    pub fn new(source: SparseRegister) -> Self {
        Self { source, addends: Vec::new() }
    }

    pub fn add(&mut self, at: u32, weights: &[f64]) {
        let start = at as usize * weights.len();
        if self.addends.len() < start + weights.len() {
            self.addends.resize(start + weights.len(), 0.0);
        }
        let addends = &mut self.addends[start..];
        addends.iter_mut().zip(weights).for_each(|(addend, weight)| *addend += weight);
    }

    /// The sum of a row for one of so many outputs.
    pub fn sum(&self, row: &[(u32, f64)], output: usize, outputs: usize) -> f64 {
        let addend = |(at, value): &(u32, f64)| {
            value * self.addends.get(*at as usize * outputs + output).copied().unwrap_or(0.0)
        };
        row.iter().map(addend).sum()
    }
}
