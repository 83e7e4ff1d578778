//! Tables inside a model: several codes to the code of a row, and codes to texts.

use super::Lower;
use crate::error::{ArtifactError, Code};
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{CodeRegister, Element, TextRegister, Vector, NO_CODE};
use crate::plan::{Lowering, TensorName, TextName};
use foldhash::HashMap;
use serde::Deserialize;
use std::sync::Arc;

/// The code of an element.
fn code(lowering: &Lowering<'_>, element: &Element) -> Result<CodeRegister, ArtifactError> {
    match element {
        Element::Code(register) => Ok(*register),
        _ => Err(lowering.error("takes codes; its input has numbers or texts")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairCodes {
    first: TensorName,
    second: TensorName,
    refuse: bool,
}

impl Lower for PairCodes {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let [left, right] = super::deriving::alike(lowering, inputs)?;
        let ([left], [right]) = (left.as_slice(), right.as_slice()) else {
            return Err(lowering.error("takes inputs of one element"));
        };
        let sources = [code(lowering, left)?, code(lowering, right)?];
        let first = lowering.i32s(&self.first)?;
        let second = lowering.i32s(&self.second)?;
        lowering.check_length(&self.second.tensor, second.len(), first.len())?;
        let pairs = first.into_iter().zip(second).enumerate();
        let codes: HashMap<u64, u32> =
            pairs.map(|(at, (left, right))| (key(left as u32, right as u32), at as u32)).collect();
        let fields = lowering.builder.origins([left, right]);
        let target = lowering.builder.new_code(fields.clone());
        lowering.builder.push(PairStep { codes, sources, target, refuse: self.refuse, fields });
        Ok(vec![Element::Code(target)])
    }
}

fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

struct PairStep {
    codes: HashMap<u64, u32>,
    sources: [CodeRegister; 2],
    target: CodeRegister,
    refuse: bool,
    fields: Arc<[usize]>,
}

impl Step for PairStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let [left, right] = self.sources.map(|source| block.code(source)[row]);
            let code = self.codes.get(&key(left, right)).copied();
            if code.is_none() && self.refuse {
                block.refuse(row, Code::UnseenLevel, &self.fields, f64::NAN);
            }
            block.code_mut(self.target)[row] = code.unwrap_or(NO_CODE);
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        self.sources.iter_mut().for_each(|source| visit(Access::ReadsCode(source)));
        visit(Access::WritesCode(&mut self.target));
    }

    fn refuses(&self) -> bool {
        self.refuse
    }

    fn describe(&self) -> String {
        format!("codes of {} pairs", self.codes.len())
    }

    fn memory(&self) -> usize {
        self.codes.len() * 16
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupText {
    values: TextName,
    present: TensorName,
    absent: Option<String>,
}

impl Lower for LookupText {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let values = lowering.texts(&self.values)?;
        let present = lowering.i32s(&self.present)?;
        lowering.check_length(&self.present.tensor, present.len(), values.len())?;
        let values = values.into_iter().zip(present);
        let values: Arc<[Option<Box<str>>]> =
            values.map(|(value, present)| (present != 0).then(|| value.into_boxed_str())).collect();
        let mut output = Vec::new();
        for element in &lowering.one(inputs)? {
            let source = code(lowering, element)?;
            let target = lowering.text_output(std::slice::from_ref(element))?;
            let (values, absent) = (values.clone(), self.absent.clone());
            lowering.builder.push(LookupTextStep { values, absent, source, target });
            output.push(Element::Made(target));
        }
        Ok(output)
    }
}

struct LookupTextStep {
    values: Arc<[Option<Box<str>>]>,
    absent: Option<String>,
    source: CodeRegister,
    target: TextRegister,
}

impl Step for LookupTextStep {
    fn run(&self, block: &mut Block<'_>) {
        let rows = block.rows;
        block.write_text(self.target, |column, block| {
            for (row, code) in block.code(self.source)[..rows].iter().enumerate() {
                let value = self.values.get(*code as usize);
                column.set(row, value.map_or(self.absent.as_deref(), |value| value.as_deref()));
            }
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsCode(&mut self.source));
        visit(Access::WritesText(&mut self.target));
    }

    fn describe(&self) -> String {
        format!("lookup of {} texts", self.values.len())
    }

    fn memory(&self) -> usize {
        self.values.iter().flatten().map(|value| value.len() + size_of::<Box<str>>()).sum()
    }
}
