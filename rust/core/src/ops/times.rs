//! Times: from texts, in a time zone, their parts, their beginnings.

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::calendar::{floor, instant, part, Format, Part, Unit};
use crate::plan::element::{Element, Register, TextRegister, Vector};
use crate::plan::{Lowering, TensorName};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParseTime {
    format: String,
}

impl Lower for ParseTime {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let format = Format::parse(&self.format);
        let format = Arc::new(format.map_err(|what| lowering.error(&format!("`format` {what}")))?);
        let mut output = Vec::new();
        for element in &lowering.one(inputs)? {
            let source = lowering.text(element)?;
            let target = lowering.output(std::slice::from_ref(element));
            lowering.builder.push(ParseStep { format: format.clone(), source, target });
            output.push(Element::Number(target));
        }
        Ok(output)
    }
}

struct ParseStep {
    format: Arc<Format>,
    source: TextRegister,
    target: Register,
}

impl Step for ParseStep {
    fn run(&self, block: &mut Block<'_>) {
        for row in 0..block.rows {
            let time = block.text(self.source, row).and_then(|text| self.format.read(text));
            block.number_mut(self.target)[row] = time.map_or(f64::NAN, |time| time as f64);
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsText(&mut self.source));
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        "text read as a time".to_owned()
    }
}

/// What is made of a time.
#[derive(Clone)]
enum Made {
    Part(Part),
    Floor(Unit),
    /// The clock of a zone: seconds since 1970 at which its offset changes, and the offsets before, between and after.
    Clock(Arc<(Vec<f64>, Vec<i32>)>),
}

impl Made {
    fn apply(&self, x: f64) -> f64 {
        let Some(time) = instant(x) else { return f64::NAN };
        match self {
            Made::Part(what) => part(time, *what) as f64,
            Made::Floor(unit) => floor(time, *unit) as f64,
            Made::Clock(zone) => {
                let (transitions, offsets) = zone.as_ref();
                let at = transitions.partition_point(|second| second * 1e6 <= x);
                x + f64::from(*offsets.get(at).unwrap_or(&0)) * 1e6
            }
        }
    }
}

struct TimeStep {
    made: Made,
    source: Register,
    target: Register,
}

impl Step for TimeStep {
    fn run(&self, block: &mut Block<'_>) {
        let (from, to) = block.number_pair(self.source, self.target);
        to.iter_mut().zip(from).for_each(|(to, x)| *to = self.made.apply(*x));
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.source));
        visit(Access::Writes(&mut self.target));
    }

    fn describe(&self) -> String {
        match &self.made {
            Made::Part(part) => format!("time: {part:?}"),
            Made::Floor(unit) => format!("time: beginning of {unit:?}"),
            Made::Clock(zone) => format!("time: clock of a zone of {} changes", zone.0.len()),
        }
    }
}

fn made(
    lowering: &mut Lowering<'_>,
    inputs: Vec<Vector>,
    made: &Made,
) -> Result<Vector, ArtifactError> {
    let mut output = Vec::new();
    for element in &lowering.one(inputs)? {
        let source = lowering.number(element)?;
        let target = lowering.output(std::slice::from_ref(element));
        lowering.builder.push(TimeStep { made: made.clone(), source, target });
        output.push(Element::Number(target));
    }
    Ok(output)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimePart {
    part: Part,
}

impl Lower for TimePart {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        made(lowering, inputs, &Made::Part(self.part))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloorTime {
    unit: Unit,
}

impl Lower for FloorTime {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        made(lowering, inputs, &Made::Floor(self.unit))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneTime {
    transitions: TensorName,
    offsets: TensorName,
}

impl Lower for ZoneTime {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let offsets = lowering.i32s(&self.offsets)?;
        let count = offsets.len().checked_sub(1);
        let count = count.ok_or_else(|| lowering.error("`offsets` are empty"))?;
        let transitions = lowering.numbers(&self.transitions, count)?;
        if !transitions.is_sorted() {
            return Err(lowering.error("`transitions` do not ascend"));
        }
        made(lowering, inputs, &Made::Clock(Arc::new((transitions, offsets))))
    }
}
