//! Formulas of numbers: what Python computes of one or two of them, and choices between values.

use super::texts::choose_text;
use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{reads, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::functions::Function;
use crate::plan::pairs::{is_true, Pair};
use crate::plan::scalar::Scalar;
use crate::plan::Lowering;
use serde::Deserialize;

/// Digits up to which a power of ten is exact in f64.
const MOST_DIGITS: u32 = 22;

/// So many inputs, of the same width.
pub(super) fn alike<const COUNT: usize>(
    lowering: &Lowering<'_>,
    inputs: Vec<Vector>,
) -> Result<[Vector; COUNT], ArtifactError> {
    let inputs: [Vector; COUNT] =
        inputs.try_into().map_err(|_| lowering.error(&format!("takes exactly {COUNT} inputs")))?;
    if inputs.windows(2).any(|pair| pair[0].len() != pair[1].len()) {
        return Err(lowering.error("takes inputs of the same width"));
    }
    Ok(inputs)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combine {
    function: String,
}

impl Lower for Combine {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let pair = Pair::parse(&self.function).ok_or_else(|| {
            let (name, known) = (&self.function, Pair::NAMES.join("`, `"));
            lowering.error(&format!("unknown function `{name}`; known are `{known}`"))
        })?;
        let [left, right] = alike(lowering, inputs)?;
        let mut output = Vec::with_capacity(left.len());
        for elements in left.into_iter().zip(right) {
            let sources = [lowering.number(&elements.0)?, lowering.number(&elements.1)?];
            let target = lowering.output(&[elements.0, elements.1]);
            lowering.builder.push(CombineStep { pair, sources, target });
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

struct CombineStep {
    pair: Pair,
    sources: [Register; 2],
    target: Register,
}

impl Step for CombineStep {
    fn run(&self, block: &mut Block<'_>) {
        let (rows, target) = (block.rows, self.target as usize);
        let (before, after) = block.parts().0.split_at_mut(target * rows);
        let [left, right] = self.sources.map(|source| &before[source as usize * rows..][..rows]);
        self.pair.apply_all(left, right, &mut after[..rows]);
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("{} of two numbers", self.pair.name())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choose {}

impl Lower for Choose {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let [conditions, thens, otherwises] = alike(lowering, inputs)?;
        let mut output = Vec::with_capacity(conditions.len());
        for (condition, choices) in conditions.into_iter().zip(thens.into_iter().zip(otherwises)) {
            if matches!(choices.0, Element::Text(_) | Element::Made(_)) {
                output.push(choose_text(lowering, condition, choices)?);
                continue;
            }
            let condition_at = lowering.number(&condition)?;
            let sources = [lowering.number(&choices.0)?, lowering.number(&choices.1)?];
            let target = lowering.output(&[condition, choices.0, choices.1]);
            lowering.builder.push(ChooseStep { condition: condition_at, sources, target });
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

/// The first number where the condition is true, else the second.
struct ChooseStep {
    condition: Register,
    sources: [Register; 2],
    target: Register,
}

impl Step for ChooseStep {
    fn run(&self, block: &mut Block<'_>) {
        let (rows, target) = (block.rows, self.target as usize);
        let (before, after) = block.parts().0.split_at_mut(target * rows);
        let column = |source: Register| &before[source as usize * rows..][..rows];
        let [then, otherwise] = self.sources.map(column);
        let choices = column(self.condition).iter().zip(then.iter().zip(otherwise));
        for (to, (condition, (then, otherwise))) in after[..rows].iter_mut().zip(choices) {
            *to = if is_true(*condition) { *then } else { *otherwise };
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.condition));
        reads(visit, &mut self.sources);
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        "one of two numbers".to_owned()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Math {
    function: String,
}

impl Lower for Math {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let scalar = scalar(&self.function).ok_or_else(|| {
            lowering.error(&format!("unknown function `{}`; upgrade penstock", self.function))
        })?;
        let input = lowering.one(inputs)?;
        input.iter().map(|element| lowering.apply(element, scalar)).collect()
    }
}

/// A function as Python's `math` has it.
fn scalar(name: &str) -> Option<Scalar> {
    use Function::{
        Abs, Arccos, Arcsin, Arctan, Ceil, Cos, Cosh, Degrees, Exp, Exp2, Expm1, Floor, Log, Log10,
        Log1p, Log2, Negative, Radians, Sin, Sinh, Sqrt, Tan, Tanh, Trunc,
    };
    let function = match name {
        "not" => return Some(Scalar::Not),
        "abs" => Abs,
        "acos" => Arccos,
        "asin" => Arcsin,
        "atan" => Arctan,
        "ceil" => Ceil,
        "cos" => Cos,
        "cosh" => Cosh,
        "degrees" => Degrees,
        "exp" => Exp,
        "exp2" => Exp2,
        "expm1" => Expm1,
        "floor" => Floor,
        "log" => Log,
        "log10" => Log10,
        "log1p" => Log1p,
        "log2" => Log2,
        "negative" => Negative,
        "radians" => Radians,
        "sin" => Sin,
        "sinh" => Sinh,
        "sqrt" => Sqrt,
        "tan" => Tan,
        "tanh" => Tanh,
        "trunc" => Trunc,
        _ => return None,
    };
    let may_overflow =
        matches!(function, Cosh | Exp | Exp2 | Expm1 | Log | Log10 | Log1p | Log2 | Sinh);
    Some(if may_overflow { Scalar::Finite(function) } else { Scalar::Function(function) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    digits: u32,
}

impl Lower for Round {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        if self.digits > MOST_DIGITS {
            return Err(lowering.error(&format!("`digits` is more than {MOST_DIGITS}")));
        }
        let scalar = Scalar::Round(self.digits);
        let input = lowering.one(inputs)?;
        input.iter().map(|element| lowering.apply(element, scalar)).collect()
    }
}
