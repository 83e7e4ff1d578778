//! Products of elements.

use super::Lower;
use crate::error::ArtifactError;
use crate::manifest::Precision;
use crate::plan::access::{reads, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Products {
    factors: TensorName,
    ends: TensorName,
    absorbing: bool,
    precision: Precision,
}

impl Lower for Products {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let factors = lowering.i32s(&self.factors)?;
        let term_count = lowering.i32s(&self.ends)?.len();
        lowering.check_width(term_count)?;
        let ranges = lowering.ranges(&self.ends, term_count, factors.len())?;
        let mut terms = Vec::new();
        // Indicators are built once, however many terms they are part of.
        let mut registers: Vec<Option<Register>> = vec![None; input.len()];
        let mut output = Vec::with_capacity(term_count);
        for range in ranges {
            let factors = positions(lowering, &factors[range], input.len())?;
            output.push(match factors.as_slice() {
                [] => Element::Constant(1.0),
                [factor] => input[*factor].clone(),
                _ => {
                    let mut sources = Vec::with_capacity(factors.len());
                    for factor in &factors {
                        let known = registers[*factor];
                        let register =
                            known.map_or_else(|| lowering.number(&input[*factor]), Ok)?;
                        registers[*factor] = Some(register);
                        sources.push(register);
                    }
                    let origin =
                        lowering.builder.origins(factors.iter().map(|factor| &input[*factor]));
                    let target = lowering.builder.new_number(origin);
                    terms.push((sources, target));
                    Element::Number(target)
                }
            });
        }
        let single = self.precision == Precision::F32;
        lowering.builder.push(ProductsStep { terms, absorbing: self.absorbing, single });
        Ok(output)
    }
}

/// The factors of a term, each a position in the input.
fn positions(
    lowering: &Lowering<'_>,
    factors: &[i32],
    width: usize,
) -> Result<Vec<usize>, ArtifactError> {
    factors
        .iter()
        .map(|factor| {
            usize::try_from(*factor)
                .ok()
                .filter(|at| *at < width)
                .ok_or_else(|| lowering.error(&format!("multiplies {factor} of {width}")))
        })
        .collect()
}

struct ProductsStep {
    terms: Vec<(Vec<Register>, Register)>,
    absorbing: bool,
    single: bool,
}

impl ProductsStep {
    fn product(&self, block: &Block<'_>, factors: &[Register], row: usize) -> f64 {
        let mut product = 1.0;
        for factor in factors {
            let x = block.number(*factor)[row];
            if self.absorbing && x == 0.0 {
                return 0.0;
            }
            product *= x;
            if self.single {
                product = f64::from(product as f32);
            }
        }
        product
    }
}

impl Step for ProductsStep {
    fn run(&self, block: &mut Block<'_>) {
        for (factors, target) in &self.terms {
            for row in 0..block.rows {
                block.number_mut(*target)[row] = self.product(block, factors, row);
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        for (factors, target) in &mut self.terms {
            reads(visit, factors);
            visit(Access::Writes(target));
        }
    }

    fn describe(&self) -> String {
        format!("{} products", self.terms.len())
    }
}
