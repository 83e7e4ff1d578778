//! Operators that only rearrange elements; they cost nothing at run time.

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::element::{Element, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concat {}

impl Lower for Concat {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        lowering.check_width(inputs.iter().map(Vec::len).sum())?;
        Ok(inputs.into_iter().flatten().collect())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    indices: TensorName,
}

impl Lower for Select {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let indices = lowering.i32s(&self.indices)?;
        lowering.check_width(indices.len())?;
        indices
            .into_iter()
            .map(|index| {
                usize::try_from(index).ok().and_then(|index| input.get(index)).cloned().ok_or_else(
                    || lowering.error(&format!("selects {index} of {} elements", input.len())),
                )
            })
            .collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    values: TensorName,
}

impl Lower for Constant {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        if !inputs.is_empty() {
            return Err(lowering.error("takes no input"));
        }
        let values = lowering.tensors.f64s(&self.values.tensor)?;
        lowering.check_width(values.len())?;
        Ok(values.into_iter().map(Element::Constant).collect())
    }
}
