//! Ensembles of trees.

use super::Lower;
use crate::budgets::{MAX_TREES, MAX_TREE_NODES};
use crate::error::ArtifactError;
use crate::explain::{Method, TreesMethod};
use crate::manifest::Precision;
use crate::plan::element::{CodeRegister, Element, Register, Vector};
use crate::plan::notes::Folded;
use crate::plan::{Lowering, TensorName};
use crate::tensors::Dtype;
use crate::trees::{
    pack, Comparison, Ensemble, Folds, Forest, Input, Kernel, Leaves, OtherCategory, Packed, Rules,
    TreesStep, Word,
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trees {
    ends: TensorName,
    features: TensorName,
    thresholds: TensorName,
    left: TensorName,
    right: TensorName,
    flags: TensorName,
    leaves: TensorName,
    outputs: TensorName,
    start: TensorName,
    comparison: Comparison,
    precision: Precision,
    flush_zero: bool,
    accumulate: Precision,
    divisor: f64,
    set_ends: Option<TensorName>,
    set_words: Option<TensorName>,
    other_category: OtherCategory,
    /// Training rows of each node, or their weight; not every artifact has it.
    #[serde(default)]
    cover: Option<TensorName>,
}

impl Lower for Trees {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let ensemble = self.ensemble(lowering)?;
        let folds = Folds::new(&ensemble.features, &input, &lowering.builder);
        let elements = input
            .iter()
            .map(|element| {
                Input::new(element, &folds)
                    .ok_or_else(|| lowering.error("takes numbers; its input has texts or codes"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let sums = self.sums(lowering, ensemble.tree_count())?;
        let kernel = Kernel::choose();
        let refuse = |what| lowering.error(&format!("{what}; convert the model again"));
        let forest = pack(&ensemble, &elements, &folds, kernel).map_err(refuse)?;
        note(lowering, &folds, &tested(&ensemble, &input));
        let targets = lowering.outputs(&tested(&ensemble, &input), sums.output_count());
        let cover = self.cover(lowering, ensemble.features.len())?;
        let is_single = matches!(sums, Sums::F32(_));
        lowering.explain(&targets, is_single, |request, builder| {
            let is_tested = is_tested(&ensemble, input.len());
            let slots = request.credited(&input, builder, false, |at| is_tested[at])?;
            let cover = cover.ok_or(NO_COVER)?;
            let method = TreesMethod::new(&ensemble, &elements, &cover, &slots, sums.widened());
            Ok(Method::Trees(Box::new(method)))
        });
        let output = targets.iter().map(|target| Element::Number(*target)).collect();
        match forest {
            Packed::U8(forest) => push(lowering, forest, sums, targets),
            Packed::U16(forest) => push(lowering, forest, sums, targets),
            Packed::U32(forest) => push(lowering, forest, sums, targets),
        }
        Ok(output)
    }
}

const NO_COVER: &str =
    "it was converted without `cover`, the training rows of each node of its trees";

/// Which elements some node tests.
fn is_tested(ensemble: &Ensemble, width: usize) -> Vec<bool> {
    let mut is_tested = vec![false; width];
    for feature in ensemble.features.iter().filter(|feature| **feature >= 0) {
        is_tested[*feature as usize] = true;
    }
    is_tested
}

/// The elements that a node tests.
fn tested(ensemble: &Ensemble, input: &Vector) -> Vec<Element> {
    let is_tested = is_tested(ensemble, input.len());
    let elements = input.iter().zip(is_tested).filter(|(_, is_tested)| *is_tested);
    elements.map(|(element, _)| element.clone()).collect()
}

/// Tells what became part of the tests.
fn note(lowering: &mut Lowering<'_>, folds: &Folds, tested: &[Element]) {
    let mut columns: BTreeMap<CodeRegister, usize> = BTreeMap::new();
    for element in tested {
        match element {
            Element::Number(register) if folds.ordinals.contains_key(register) => {
                lowering.note(element, Folded::Ordinals);
            }
            Element::Number(register) => {
                let fold = folds.numbers.get(register).filter(|fold| !fold.chain.is_empty());
                if let Some(fold) = fold {
                    lowering.note(element, Folded::Cuts(fold.chain.clone()));
                }
            }
            Element::Indicator { code, .. } => *columns.entry(*code).or_default() += 1,
            _ => {}
        }
    }
    for (code, columns) in columns {
        lowering.note(&Element::Code(code), Folded::Tests(columns));
    }
}

/// Leaves, and the type that they are added in.
enum Sums {
    F64(Leaves<f64>),
    F32InF64(Leaves<f32>),
    F32(Leaves<f32>),
}

impl Sums {
    fn output_count(&self) -> usize {
        match self {
            Sums::F64(leaves) => leaves.output_count(),
            Sums::F32InF64(leaves) | Sums::F32(leaves) => leaves.output_count(),
        }
    }

    /// The leaves as f64.
    fn widened(&self) -> Leaves<f64> {
        match self {
            Sums::F64(leaves) => leaves.widened(),
            Sums::F32InF64(leaves) | Sums::F32(leaves) => leaves.widened(),
        }
    }
}

fn push<W: Word>(
    lowering: &mut Lowering<'_>,
    forest: Forest<W>,
    sums: Sums,
    targets: Vec<Register>,
) {
    match sums {
        Sums::F64(leaves) => {
            lowering.builder.push(TreesStep::<W, f64, f64>::new(forest, leaves, targets))
        }
        Sums::F32InF64(leaves) => {
            lowering.builder.push(TreesStep::<W, f32, f64>::new(forest, leaves, targets));
        }
        Sums::F32(leaves) => {
            lowering.builder.push(TreesStep::<W, f32, f32>::new(forest, leaves, targets))
        }
    }
}

impl Trees {
    /// The trees as the tensors have them; `pack` checks them.
    fn ensemble(&self, lowering: &Lowering<'_>) -> Result<Ensemble, ArtifactError> {
        let tensors = lowering.tensors;
        let (set_ends, set_words) = match (&self.set_ends, &self.set_words) {
            (Some(ends), Some(words)) => (lowering.i32s(ends)?, tensors.u32s(&words.tensor)),
            (None, None) => (Vec::new(), Ok(Vec::new())),
            _ => return Err(lowering.error("has only one of `set_ends` and `set_words`")),
        };
        let wrong = |error: ArtifactError| lowering.error(&error.0);
        let ensemble = Ensemble {
            rules: Rules {
                comparison: self.comparison,
                is_single: self.precision == Precision::F32,
                flush_zero: self.flush_zero,
                other_category: self.other_category,
            },
            ends: lowering.i32s(&self.ends)?,
            features: lowering.i32s(&self.features)?,
            thresholds: tensors.f64s(&self.thresholds.tensor).map_err(wrong)?,
            left: lowering.i32s(&self.left)?,
            right: lowering.i32s(&self.right)?,
            flags: tensors.u8s(&self.flags.tensor).map_err(wrong)?,
            leaf_count: self.leaf_shape(lowering)?.0,
            set_ends,
            set_words: set_words.map_err(wrong)?,
        };
        let sizes = [
            ("trees", ensemble.ends.len(), MAX_TREES),
            ("nodes", ensemble.features.len(), MAX_TREE_NODES),
        ];
        for (name, size, most) in sizes {
            if size > most {
                return Err(lowering.error(&format!("has {size} {name}; the most is {most}")));
            }
        }
        Ok(ensemble)
    }

    /// Number of leaves, and of values of each.
    fn leaf_shape(&self, lowering: &Lowering<'_>) -> Result<(usize, usize), ArtifactError> {
        let shape = lowering.tensors.shape(&self.leaves.tensor);
        match shape.map_err(|error| lowering.error(&error.0))?.as_slice() {
            [count, width] if *width > 0 => Ok((*count, *width)),
            shape => Err(lowering.error(&format!(
                "tensor `{}` has the shape {shape:?}; it must be leaves by values",
                self.leaves.tensor
            ))),
        }
    }

    fn sums(&self, lowering: &Lowering<'_>, trees: usize) -> Result<Sums, ArtifactError> {
        let name = &self.leaves.tensor;
        let wrong = |error: ArtifactError| lowering.error(&error.0);
        let is_single = lowering.tensors.dtype(name).map_err(wrong)? == Dtype::F32;
        match (self.accumulate, is_single) {
            (Precision::F64, false) => {
                let values = lowering.tensors.f64s(name).map_err(wrong)?;
                self.leaves(lowering, trees, values).map(Sums::F64)
            }
            (Precision::F64, true) => {
                let values = lowering.tensors.f32s(name).map_err(wrong)?;
                self.leaves(lowering, trees, values).map(Sums::F32InF64)
            }
            (Precision::F32, true) => {
                let values = lowering.tensors.f32s(name).map_err(wrong)?;
                let leaves = self.leaves(lowering, trees, values)?;
                match leaves.start.iter().find(|x| f64::from(**x as f32) != **x && !x.is_nan()) {
                    Some(x) => {
                        Err(lowering.error(&format!("starts an f32 sum at {x}, which is no f32")))
                    }
                    None => Ok(Sums::F32(leaves)),
                }
            }
            (Precision::F32, false) => {
                Err(lowering.error(&format!("adds f32; tensor `{name}` must have the type F32")))
            }
        }
    }

    /// Training rows of each node.
    fn cover(
        &self,
        lowering: &Lowering<'_>,
        nodes: usize,
    ) -> Result<Option<Vec<f64>>, ArtifactError> {
        let Some(name) = &self.cover else { return Ok(None) };
        let cover = lowering.f64s(name, nodes)?;
        match cover.iter().position(|rows| !(rows.is_finite() && *rows >= 0.0)) {
            Some(at) => Err(lowering.error(&format!(
                "tensor `{}` has {} at position {at}; numbers of training rows are not negative",
                name.tensor, cover[at]
            ))),
            None => Ok(Some(cover)),
        }
    }

    /// Checks what the leaves are used for.
    fn leaves<L>(
        &self,
        lowering: &Lowering<'_>,
        trees: usize,
        values: Vec<L>,
    ) -> Result<Leaves<L>, ArtifactError> {
        let (_, width) = self.leaf_shape(lowering)?;
        let start =
            lowering.tensors.f64s(&self.start.tensor).map_err(|error| lowering.error(&error.0))?;
        let outputs = lowering.i32s(&self.outputs)?;
        lowering.check_length(&self.outputs.tensor, outputs.len(), trees)?;
        lowering.check_width(start.len())?;
        if start.is_empty() || (width > 1 && width != start.len()) {
            return Err(
                lowering.error(&format!("has leaves of {width} values and {} starts", start.len()))
            );
        }
        let most = if width > 1 { 0 } else { start.len() - 1 };
        if let Some(output) = outputs.iter().find(|output| **output < 0 || **output as usize > most)
        {
            return Err(lowering
                .error(&format!("has a tree that adds to output {output}, of {}", most + 1)));
        }
        if !(self.divisor.is_finite() && self.divisor > 0.0) {
            return Err(lowering
                .error(&format!("divides by {}; it must be a positive number", self.divisor)));
        }
        let outputs = outputs.into_iter().map(|output| output as u32).collect();
        Ok(Leaves { values, width, outputs, start, divisor: self.divisor })
    }
}
