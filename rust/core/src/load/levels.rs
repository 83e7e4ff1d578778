//! Columns of texts that are positions among levels: each level is checked and coded once, not once per row.

use super::field::{FieldPlan, Loaded, Watch};
use super::Table;
use crate::cell::{Cell, Column, Levels};
use crate::manifest::FieldType;
use crate::plan::block::{Block, BLOCK_ROWS};
use crate::plan::coding::{Otherwise, TextCoding};
use crate::plan::Plan;

/// More levels than this must come with as many rows: otherwise most would be checked in vain.
const FREE_LEVELS: usize = 1 << 10;

/// What a row with some level needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    /// Its code.
    Code,
    /// Its code, and a closer look if warnings are wanted.
    Warning,
    /// A closer look: it is refused.
    Refusal,
}

/// The levels of a column after all checks; missing comes last.
pub struct Mapped {
    looks: Vec<Look>,
    /// For each coding of the field the code of each level.
    codes: Vec<Vec<u32>>,
}

impl Mapped {
    /// The levels of each column of a table, for the fields that take texts.
    pub(super) fn all(
        plan: &Plan,
        columns: &[Option<&dyn Column>],
        rows: usize,
    ) -> Vec<Option<Self>> {
        let fields = plan.fields.iter().enumerate().zip(columns);
        fields
            .map(|((at, field), column)| {
                let levels = column.and_then(Column::levels)?;
                let most = rows.max(FREE_LEVELS);
                let is_mapped = field.r#type == FieldType::Text && levels.count() <= most;
                is_mapped.then(|| Self::new(at, field, levels, &plan.text_codings))
            })
            .collect()
    }

    fn new(at: usize, field: &FieldPlan, levels: &dyn Levels, codings: &[TextCoding]) -> Self {
        let count = levels.count() + 1;
        let mut mapped = Self {
            looks: Vec::with_capacity(count),
            codes: field.codings.iter().map(|_| Vec::with_capacity(count)).collect(),
        };
        let mut warnings = Some(Vec::new());
        let cells = (0..levels.count()).map(|level| levels.level(level)).chain([Cell::Missing]);
        for cell in cells {
            let mut watch = Watch { field: at, row: 0, warnings: &mut warnings };
            let cell = match field.check(cell, codings, &mut watch) {
                Ok(Loaded::Text(text)) => Some(Cell::Text(text)),
                Ok(_) => Some(Cell::Missing),
                Err(_) => None,
            };
            let warned = warnings.as_mut().is_some_and(|warnings| warnings.drain(..).count() > 0);
            let mut look = if warned { Look::Warning } else { Look::Code };
            for (codes, coding) in mapped.codes.iter_mut().zip(&field.codings) {
                let coding = &codings[*coding];
                codes.push(match cell.map(|cell| coding.code(cell)) {
                    Some(Otherwise::Code(code)) => code,
                    Some(Otherwise::Refuse) => {
                        look = Look::Refusal;
                        0
                    }
                    None => 0,
                });
            }
            mapped.looks.push(if cell.is_some() { look } else { Look::Refusal });
        }
        mapped
    }

    /// Writes the codes of a block; `false` where a row needs a closer look.
    pub(super) fn load(
        &self,
        plan: &Plan,
        field: &FieldPlan,
        levels: &dyn Levels,
        (start, with_warnings): (usize, bool),
        block: &mut Block<'_>,
    ) -> bool {
        if !field.texts.is_empty() {
            return false;
        }
        let mut positions = [0; BLOCK_ROWS];
        let positions = &mut positions[..block.rows];
        levels.positions(start, positions);
        let last = self.looks.len() - 1;
        let most = if with_warnings { Look::Code } else { Look::Warning };
        let mut is_plain = true;
        for position in positions.iter_mut() {
            *position = (*position).min(last as u32);
            is_plain &= self.looks[*position as usize] <= most;
        }
        if !is_plain {
            return false;
        }
        for (codes, coding) in self.codes.iter().zip(&field.codings) {
            let coding = &plan.text_codings[*coding];
            if coding.is_read {
                let targets = block.code_mut(coding.register).iter_mut();
                targets.zip(&*positions).for_each(|(to, at)| *to = codes[*at as usize]);
            }
        }
        true
    }
}

impl<'a> Table<'a> {
    /// `columns` in the order of the fields of the plan.
    pub fn new(plan: &Plan, columns: Vec<Option<&'a dyn Column>>, rows: usize) -> Self {
        let mapped = Mapped::all(plan, &columns, rows);
        Self { columns, rows, mapped }
    }
}
