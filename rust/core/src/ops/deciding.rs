//! From scores to the code of a label.

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{reads, Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{CodeRegister, Element, Register, Vector};
use crate::plan::Lowering;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argmax {}

impl Lower for Argmax {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let sources =
            input.iter().map(|element| lowering.number(element)).collect::<Result<Vec<_>, _>>()?;
        let origin = lowering.builder.origins(&input);
        let target = lowering.builder.new_code(origin);
        lowering.builder.push(ArgmaxStep { sources, target });
        Ok(vec![Element::Code(target)])
    }
}

/// The first largest element wins, and the first NaN before all, as in numpy.argmax.
struct ArgmaxStep {
    sources: Vec<Register>,
    target: CodeRegister,
}

impl Step for ArgmaxStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let mut best = 0;
            let mut most = f64::NEG_INFINITY;
            for (at, source) in self.sources.iter().enumerate() {
                let x = block.number(*source)[row];
                if x > most || (x.is_nan() && !most.is_nan()) {
                    (best, most) = (at, x);
                }
            }
            block.code_mut(self.target)[row] = best as u32;
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, &mut self.sources);
        visit(Access::WritesCode(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("largest of {} elements", self.sources.len())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Above {
    threshold: f64,
}

impl Lower for Above {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let mut output = Vec::with_capacity(input.len());
        for element in &input {
            let source = lowering.number(element)?;
            let origin = lowering.builder.origin(element);
            let target = lowering.builder.new_code(origin);
            lowering.builder.push(AboveStep { source, target, threshold: self.threshold });
            output.push(Element::Code(target));
        }
        Ok(output)
    }
}

struct AboveStep {
    source: Register,
    target: CodeRegister,
    threshold: f64,
}

impl Step for AboveStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let above = block.number(self.source)[row] > self.threshold;
            block.code_mut(self.target)[row] = u32::from(above);
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.source));
        visit(Access::WritesCode(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("above {}", self.threshold)
    }
}
