//! Levels to codes, and codes to indicators or numbers.

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::coding::Otherwise;
use crate::plan::element::{CodeRegister, Element, Register, Vector, NO_CODE};
use crate::plan::{Lowering, TensorName, TextName};
use serde::Deserialize;
use std::ops::Range;

/// Fields that both encoders share.
struct Codes {
    ranges: Vec<Range<usize>>,
    codes: Vec<i32>,
    missing: Vec<Otherwise>,
    unseen: Vec<Otherwise>,
}

fn otherwise(lowering: &Lowering<'_>, code: i32) -> Result<Otherwise, ArtifactError> {
    match code {
        -2 => Ok(Otherwise::Refuse),
        -1 => Ok(Otherwise::Code(NO_CODE)),
        0.. => Ok(Otherwise::Code(code as u32)),
        _ => Err(lowering.error(&format!("{code} is not a code"))),
    }
}

/// Levels of an element, each with its code.
fn coded<T: Clone>(
    lowering: &Lowering<'_>,
    levels: &[T],
    codes: &[i32],
) -> Result<Vec<(T, u32)>, ArtifactError> {
    levels
        .iter()
        .zip(codes)
        .map(|(level, code)| match code {
            -1 => Ok((level.clone(), NO_CODE)),
            0.. => Ok((level.clone(), *code as u32)),
            _ => Err(lowering.error(&format!("{code} is not a code of a level"))),
        })
        .collect()
}

macro_rules! encoder {
    ($name:ident, $levels:ty) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            levels: $levels,
            ends: TensorName,
            codes: TensorName,
            missing_codes: TensorName,
            unseen_codes: TensorName,
        }

        impl $name {
            fn codes(
                &self,
                lowering: &Lowering<'_>,
                width: usize,
                level_count: usize,
            ) -> Result<Codes, ArtifactError> {
                let ranges = lowering.ranges(&self.ends, width, level_count)?;
                let codes = lowering.i32s(&self.codes)?;
                lowering.check_length(&self.codes.tensor, codes.len(), level_count)?;
                let side = |name: &TensorName| -> Result<Vec<Otherwise>, ArtifactError> {
                    let codes = lowering.i32s(name)?;
                    lowering.check_length(&name.tensor, codes.len(), width)?;
                    codes.into_iter().map(|code| otherwise(lowering, code)).collect()
                };
                let (missing, unseen) = (side(&self.missing_codes)?, side(&self.unseen_codes)?);
                Ok(Codes { ranges, codes, missing, unseen })
            }
        }
    };
}

encoder!(EncodeText, TextName);
encoder!(EncodeNumber, TensorName);

impl Lower for EncodeText {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let levels = lowering.texts(&self.levels)?;
        let coding = self.codes(lowering, input.len(), levels.len())?;
        let mut output = Vec::with_capacity(input.len());
        for (at, element) in input.iter().enumerate() {
            let range = coding.ranges[at].clone();
            let levels = coded(lowering, &levels[range.clone()], &coding.codes[range])?;
            let (missing, unseen) = (coding.missing[at], coding.unseen[at]);
            let code = lowering.text_code(element, &levels, missing, unseen)?;
            output.push(Element::Code(code));
        }
        Ok(output)
    }
}

impl Lower for EncodeNumber {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let levels = lowering.tensors.f64s(&self.levels.tensor)?;
        lowering.check_not_nan(&self.levels.tensor, &levels)?;
        let coding = self.codes(lowering, input.len(), levels.len())?;
        let mut output = Vec::with_capacity(input.len());
        for (at, element) in input.iter().enumerate() {
            let range = coding.ranges[at].clone();
            let mut levels = coded(lowering, &levels[range.clone()], &coding.codes[range])?;
            levels.sort_by(|left, right| left.0.total_cmp(&right.0));
            let source = lowering.number(element)?;
            let (missing, unseen) = (coding.missing[at], coding.unseen[at]);
            let code = lowering.builder.number_coding(source, levels, missing, unseen);
            output.push(Element::Code(code));
        }
        Ok(output)
    }
}

/// The code register of an element.
fn code(lowering: &Lowering<'_>, element: &Element) -> Result<CodeRegister, ArtifactError> {
    match element {
        Element::Code(register) => Ok(*register),
        _ => Err(lowering.error("takes codes; its input has numbers or texts")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneHot {
    widths: TensorName,
}

impl Lower for OneHot {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let widths = lowering.i32s(&self.widths)?;
        lowering.check_length(&self.widths.tensor, widths.len(), input.len())?;
        let mut output = Vec::new();
        for (element, width) in input.iter().zip(widths) {
            let code = code(lowering, element)?;
            let width = u32::try_from(width).map_err(|_| lowering.error("has a negative width"))?;
            lowering.check_width(output.len() + width as usize)?;
            output.extend((0..width).map(|equals| Element::Indicator {
                code,
                equals,
                on: 1.0,
                off: 0.0,
            }));
        }
        Ok(output)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    values: TensorName,
    ends: TensorName,
    absent: TensorName,
}

impl Lower for Lookup {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let values = lowering.tensors.f64s(&self.values.tensor)?;
        let ranges = lowering.ranges(&self.ends, input.len(), values.len())?;
        let absent = lowering.f64s(&self.absent, input.len())?;
        let mut output = Vec::with_capacity(input.len());
        for ((element, range), absent) in input.iter().zip(ranges).zip(absent) {
            let source = code(lowering, element)?;
            let target = lowering.output(std::slice::from_ref(element));
            let values = values[range].to_vec();
            lowering.builder.note_lookup(target, source, &values, absent);
            lowering.builder.push(LookupStep { source, target, values, absent });
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

struct LookupStep {
    source: CodeRegister,
    target: Register,
    values: Vec<f64>,
    absent: f64,
}

impl Step for LookupStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let code = block.code(self.source)[row] as usize;
            block.number_mut(self.target)[row] = *self.values.get(code).unwrap_or(&self.absent);
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsCode(&mut self.source));
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("lookup of {} values", self.values.len())
    }

    fn memory(&self) -> usize {
        self.values.len() * size_of::<f64>()
    }
}
