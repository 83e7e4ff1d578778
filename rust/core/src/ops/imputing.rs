//! Missing values: replaced, indicated or refused.

use super::texts::imputed;
use super::{sparse, Lower};
use crate::error::{ArtifactError, Code};
use crate::manifest::Precision;
use crate::plan::access::{reads, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::bounds::Bounds;
use crate::plan::chain::{key, unkey, Chain, Fold};
use crate::plan::coding::Otherwise;
use crate::plan::element::{Element, Register, Vector};
use crate::plan::scalar::Scalar;
use crate::plan::{Lowering, TensorName, TextName};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impute {
    missing: Option<f64>,
    replacements: TensorName,
}

impl Lower for Impute {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let replacements = lowering.f64s(&self.replacements, input.len())?;
        let mut output = Vec::with_capacity(input.len());
        for (element, replacement) in input.iter().zip(replacements) {
            let scalar = match self.missing {
                None => Scalar::ReplaceMissing(replacement),
                Some(missing) => Scalar::ReplaceEqual(missing, replacement),
            };
            output.push(lowering.apply(element, scalar)?);
        }
        Ok(output)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImputeText {
    missing: Option<String>,
    replacements: TextName,
}

impl Lower for ImputeText {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let mut input = lowering.one(inputs)?;
        let replacements = lowering.texts(&self.replacements)?;
        lowering.check_length(&self.replacements.text, replacements.len(), input.len())?;
        let missing: Option<Arc<str>> = self.missing.as_deref().map(Arc::from);
        for (element, replacement) in input.iter_mut().zip(replacements) {
            let Element::Text(text) = element else {
                *element = imputed(lowering, element, missing.as_deref(), replacement)?;
                continue;
            };
            text.replacements.push((missing.clone(), Arc::from(replacement)));
        }
        Ok(input)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicateMissing {
    missing: Value,
}

impl IndicateMissing {
    fn element(
        &self,
        lowering: &mut Lowering<'_>,
        element: &Element,
    ) -> Result<Element, ArtifactError> {
        let (Element::Text(_) | Element::Made(_)) = element else {
            let scalar = match &self.missing {
                Value::Null => Scalar::IsMissing,
                Value::Number(number) => Scalar::IsEqual(number.as_f64().unwrap_or(f64::NAN)),
                _ => return Err(lowering.error("looks for a text in numbers")),
            };
            return lowering.apply(element, scalar);
        };
        let (levels, missing) = match &self.missing {
            Value::Null => (Vec::new(), 1),
            Value::String(level) => (vec![(level.clone(), 1)], 0),
            _ => return Err(lowering.error("looks for a number in texts")),
        };
        let (missing, unseen) = (Otherwise::Code(missing), Otherwise::Code(0));
        let code = lowering.text_code(element, &levels, missing, unseen)?;
        Ok(Element::Indicator { code, equals: 1, on: 1.0, off: 0.0 })
    }
}

impl Lower for IndicateMissing {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        input.iter().map(|element| self.element(lowering, element)).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Require {
    missing: bool,
    infinite: bool,
    precision: Precision,
}

impl Lower for Require {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let input = lowering.one(inputs)?;
        let allowed = Allowed {
            missing: self.missing,
            infinite: self.infinite,
            single: self.precision == Precision::F32,
        };
        let mut checks = Vec::new();
        for element in &input {
            match element {
                Element::Constant(value) if allowed.has(*value) => {}
                Element::Indicator { on, off, .. } if allowed.has(*on) && allowed.has(*off) => {}
                Element::Sparse { .. } => {}
                Element::Text(_) | Element::Made(_) if self.missing => {}
                Element::Text(_) | Element::Made(_) => {
                    // A coding that nothing reads, but that refuses rows.
                    let (missing, any) = (Otherwise::Refuse, Otherwise::Code(0));
                    lowering.text_code(element, &[], missing, any)?;
                }
                Element::Code(_) => return Err(lowering.error("takes numbers or texts")),
                _ => {
                    let register = lowering.number(element)?;
                    let fold = lowering.builder.fold(register);
                    let bounds = allowed.bounds(&fold);
                    if lowering.builder.narrow(fold.root, bounds) {
                        let fields = lowering.builder.origin(element);
                        checks.push(Check { source: fold.root, bounds, chain: fold.chain, fields });
                    } else {
                        lowering.builder.notes.known_checks += 1;
                    }
                }
            }
        }
        if !checks.is_empty() {
            lowering.builder.push(RequireStep { checks });
        }
        sparse::check(lowering, &input, move |x| allowed.has(x));
        Ok(input)
    }
}

/// Which numbers are not refused.
#[derive(Clone, Copy)]
struct Allowed {
    missing: bool,
    infinite: bool,
    single: bool,
}

impl Allowed {
    fn has(&self, x: f64) -> bool {
        if x.is_nan() {
            return self.missing;
        }
        self.infinite || if self.single { (x as f32).is_finite() } else { x.is_finite() }
    }

    /// The roots of the numbers that are not refused.
    fn bounds(&self, fold: &Fold) -> Bounds {
        let may_be_missing = fold.missing.is_some_and(|image| self.has(image));
        if self.infinite {
            return Bounds { may_be_missing, ..Bounds::ALL };
        }
        let rounded = fold.chain.then(Scalar::RoundF32);
        let chain = if self.single { &rounded } else { &fold.chain };
        // Without the root of the last number that is minus infinity, and up to that of the last finite one.
        let above = chain.last_key(f64::NEG_INFINITY).max(key(f64::NEG_INFINITY) - 1);
        let last = chain.last_key(f64::MAX);
        let low = if above >= key(f64::INFINITY) { f64::INFINITY } else { unkey(above + 1) };
        let high = if last == i64::MIN { f64::NEG_INFINITY } else { unkey(last) };
        Bounds { low, high, may_be_missing }
    }
}

/// The bounds of a number, and what is made of it before the number that the operator checks.
struct Check {
    source: Register,
    bounds: Bounds,
    chain: Chain,
    fields: Arc<[usize]>,
}

struct RequireStep {
    checks: Vec<Check>,
}

impl Step for RequireStep {
    fn run(&self, block: &mut Block<'_>) {
        for check in &self.checks {
            let hold = |holds, x: &f64| holds & check.bounds.hold(*x);
            if block.number(check.source).iter().fold(true, hold) {
                continue;
            }
            for row in 0..block.rows {
                let root = block.number(check.source)[row];
                if !check.bounds.hold(root) {
                    let x = check.chain.apply(root);
                    let code = if x.is_nan() { Code::Missing } else { Code::NotFinite };
                    block.refuse(row, code, &check.fields, x);
                }
            }
        }
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        reads(visit, self.checks.iter_mut().map(|check| &mut check.source));
    }

    fn refuses(&self) -> bool {
        true
    }

    fn describe(&self) -> String {
        format!("{} elements checked", self.checks.len())
    }
}
