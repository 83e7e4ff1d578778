//! Products of elements.

use super::Lower;
use crate::error::ArtifactError;
use crate::manifest::Precision;
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Products {
    factors: TensorName,
    ends: TensorName,
    precision: Precision,
}

impl Lower for Products {
    fn lower(self, lowering: &mut Lowering<'_>, inputs: Vec<Vector>) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let factors = lowering.i32s(&self.factors)?;
        let term_count = lowering.i32s(&self.ends)?.len();
        lowering.check_width(term_count)?;
        let ranges = lowering.ranges(&self.ends, term_count, factors.len())?;
        let mut step =
            ProductsStep { terms: Vec::new(), single: self.precision == Precision::F32 };
        let mut output = Vec::with_capacity(term_count);
        for range in ranges {
            let factors: Vec<Element> = factors[range]
                .iter()
                .map(|factor| {
                    usize::try_from(*factor).ok().and_then(|at| input.get(at)).cloned().ok_or_else(
                        || lowering.error(&format!("multiplies {factor} of {}", input.len())),
                    )
                })
                .collect::<Result<_, _>>()?;
            output.push(match factors.as_slice() {
                [] => Element::Constant(1.0),
                [factor] => factor.clone(),
                _ => Element::Number(step.term(lowering, &factors)?),
            });
        }
        lowering.builder.push(step);
        Ok(output)
    }
}

struct ProductsStep {
    terms: Vec<(Vec<Register>, Register)>,
    single: bool,
}

impl ProductsStep {
    fn term(
        &mut self,
        lowering: &mut Lowering<'_>,
        factors: &[Element],
    ) -> Result<Register, ArtifactError> {
        let registers =
            factors.iter().map(|factor| lowering.number(factor)).collect::<Result<Vec<_>, _>>()?;
        let target = lowering.output(factors);
        self.terms.push((registers, target));
        Ok(target)
    }
}

impl Step for ProductsStep {
    fn run(&self, block: &mut Block<'_>) {
        for (factors, target) in &self.terms {
            for row in 0..block.rows {
                let product = factors.iter().fold(1.0, |product, factor| {
                    let product = product * block.number(*factor)[row];
                    if self.single { f64::from(product as f32) } else { product }
                });
                block.number_mut(*target)[row] = product;
            }
        }
    }

    fn describe(&self) -> String {
        format!("{} products", self.terms.len())
    }
}
