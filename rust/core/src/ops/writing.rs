//! Numbers to texts.

use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::element::{Element, Register, TextRegister, Vector};
use crate::plan::Lowering;
use serde::Deserialize;
use std::fmt::Write;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteNumber {}

impl Lower for WriteNumber {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let mut output = Vec::new();
        for element in &lowering.one(inputs)? {
            let source = lowering.number(element)?;
            let target = lowering.text_output(std::slice::from_ref(element))?;
            lowering.builder.push(WriteStep { source, target });
            output.push(Element::Made(target));
        }
        Ok(output)
    }
}

struct WriteStep {
    source: Register,
    target: TextRegister,
}

impl Step for WriteStep {
    fn run(&self, block: &mut Block<'_>) {
        let (source, rows) = (self.source, block.rows);
        block.write_text(self.target, |column, block| {
            for row in 0..rows {
                column.write(row, |to| written(block.number(source)[row], to));
            }
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.source));
        visit(Access::WritesText(&mut self.target));
    }

    fn describe(&self) -> String {
        "number as text".to_owned()
    }
}

/// Python's `repr` of a float; nothing for a missing one.
fn written(x: f64, to: &mut String) -> Option<()> {
    if x.is_nan() {
        return None;
    }
    let start = to.len();
    // The shortest digits that read back, with an exponent below 1e-4 and from 1e16 on, as in Python.
    write!(to, "{x:?}").ok()?;
    if let Some(at) = to[start..].find('e') {
        let exponent: i32 = to[start + at + 1..].parse().ok()?;
        to.truncate(start + at);
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(to, "e{sign}{:02}", exponent.abs()).ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_python_does() {
        for (x, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (3.0, "3.0"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (9.999e-5, "9.999e-05"),
            (1e16, "1e+16"),
            (-1.5e300, "-1.5e+300"),
            (5e-324, "5e-324"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let mut to = "before ".to_owned();
            assert_eq!(written(x, &mut to), Some(()));
            assert_eq!(to, format!("before {expected}"));
        }
        assert_eq!(written(f64::NAN, &mut String::new()), None);
    }
}
