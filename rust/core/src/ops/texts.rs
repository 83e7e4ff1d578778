//! Texts to texts: constants, edits, parts, joins and choices.

use super::deriving::alike;
use super::measuring::pattern;
use super::Lower;
use crate::error::ArtifactError;
use crate::plan::access::{Access, Visitor};
use crate::plan::block::{Block, Step};
use crate::plan::characters::{is_space, part, slice};
use crate::plan::element::{Element, Register, TextRegister, Vector};
use crate::plan::pairs::is_true;
use crate::plan::{Lowering, TensorName, TextName};
use regex_lite::Regex;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConstantText {
    values: TextName,
    present: TensorName,
}

impl Lower for ConstantText {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        if !inputs.is_empty() {
            return Err(lowering.error("takes no input"));
        }
        let mut output = Vec::new();
        let values = lowering.texts(&self.values)?;
        let present = lowering.i32s(&self.present)?;
        lowering.check_length(&self.present.tensor, present.len(), values.len())?;
        for (text, present) in values.into_iter().zip(present) {
            let text = (present != 0).then_some(text);
            let target = lowering.text_output(&[])?;
            lowering.builder.push(FillText { target, text });
            output.push(Element::Made(target));
        }
        Ok(output)
    }
}

struct FillText {
    target: TextRegister,
    text: Option<String>,
}

impl Step for FillText {
    fn run(&self, block: &mut Block<'_>) {
        let rows = block.rows;
        block.text_mut(self.target).fill(rows, self.text.as_deref());
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::WritesText(&mut self.target));
    }

    fn describe(&self) -> String {
        "constant text".to_owned()
    }
}

/// What a text becomes.
pub(super) enum Edit {
    Lower,
    Upper,
    /// At the start, at the end; of these characters, or of white space.
    Strip(bool, bool, Option<String>),
    Replace(String, String),
    Part(String, i32),
    Slice(Option<i32>, Option<i32>),
    Extract(Regex),
    /// Another text where it is missing, or where it equals a text.
    Impute(Option<String>, String),
}

impl Edit {
    /// Adds the new text to a buffer; `None`: it is missing.
    fn apply(&self, text: Option<&str>, to: &mut String) -> Option<()> {
        if let Edit::Impute(from, replacement) = self {
            let text = if text == from.as_deref() { Some(replacement.as_str()) } else { text };
            to.push_str(text?);
            return Some(());
        }
        let text = text?;
        match self {
            Edit::Lower | Edit::Upper if text.is_ascii() => {
                let start = to.len();
                to.push_str(text);
                match self {
                    Edit::Lower => to[start..].make_ascii_lowercase(),
                    _ => to[start..].make_ascii_uppercase(),
                }
            }
            Edit::Lower => to.push_str(&text.to_lowercase()),
            Edit::Upper => to.push_str(&text.to_uppercase()),
            Edit::Strip(start, end, characters) => {
                let is_off = |character: char| match characters {
                    Some(characters) => characters.contains(character),
                    None => is_space(character),
                };
                let text = if *start { text.trim_start_matches(is_off) } else { text };
                to.push_str(if *end { text.trim_end_matches(is_off) } else { text });
            }
            Edit::Replace(from, with) => {
                let mut parts = text.split(from.as_str());
                to.push_str(parts.next().unwrap_or_default());
                parts.for_each(|part| {
                    to.push_str(with);
                    to.push_str(part);
                });
            }
            Edit::Part(separator, index) => to.push_str(part(text, separator, *index)?),
            Edit::Slice(start, stop) => to.push_str(slice(text, *start, *stop)),
            Edit::Extract(pattern) => {
                let found = pattern.captures(text)?;
                to.push_str(found.get(1).or_else(|| found.get(0))?.as_str());
            }
            Edit::Impute(..) => return None,
        }
        Some(())
    }
}

struct EditStep {
    edit: Edit,
    source: TextRegister,
    target: TextRegister,
}

impl Step for EditStep {
    fn run(&self, block: &mut Block<'_>) {
        let (source, rows) = (self.source, block.rows);
        block.write_text(self.target, |column, block| {
            for row in 0..rows {
                column.write(row, |to| self.edit.apply(block.text(source, row), to));
            }
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::ReadsText(&mut self.source));
        visit(Access::WritesText(&mut self.target));
    }

    fn describe(&self) -> String {
        let what = match self.edit {
            Edit::Lower => "lower case",
            Edit::Upper => "upper case",
            Edit::Strip(..) => "stripped",
            Edit::Replace(..) => "with replacements",
            Edit::Part(..) | Edit::Slice(..) => "part",
            Edit::Extract(_) => "match",
            Edit::Impute(..) => "imputed",
        };
        format!("text, {what}")
    }
}

fn edited(
    lowering: &mut Lowering<'_>,
    element: &Element,
    edit: Edit,
) -> Result<Element, ArtifactError> {
    let source = lowering.text(element)?;
    let target = lowering.text_output(std::slice::from_ref(element))?;
    lowering.builder.push(EditStep { edit, source, target });
    Ok(Element::Made(target))
}

/// A computed text, where it is missing or equals a text another one.
pub(super) fn imputed(
    lowering: &mut Lowering<'_>,
    element: &Element,
    missing: Option<&str>,
    replacement: String,
) -> Result<Element, ArtifactError> {
    edited(lowering, element, Edit::Impute(missing.map(str::to_owned), replacement))
}

macro_rules! edits {
    ($($name:ident { $($field:ident: $type:ty),* } => |$lowering:ident| $edit:expr;)*) => {$(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($field: $type),*
        }

        impl Lower for $name {
            fn lower(
                self,
                $lowering: &mut Lowering<'_>,
                inputs: Vec<Vector>,
            ) -> Result<Vector, ArtifactError> {
                let Self { $($field),* } = self;
                let mut output = Vec::new();
                for element in &$lowering.one(inputs)? {
                    $(let $field = $field.clone();)*
                    let edit = $edit;
                    output.push(edited($lowering, element, edit)?);
                }
                Ok(output)
            }
        }
    )*};
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "snake_case")]
enum Case {
    Lower,
    Upper,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "snake_case")]
enum Side {
    Both,
    Start,
    End,
}

edits! {
    ChangeCase { to: Case } => |lowering| match to {
        Case::Lower => Edit::Lower,
        Case::Upper => Edit::Upper,
    };
    ExtractText { pattern: String } => |lowering| Edit::Extract(self::pattern(lowering, &pattern)?);
    PartText { separator: String, index: i32 } => |lowering| {
        check_text(lowering, "separator", &separator)?;
        Edit::Part(separator, index)
    };
    ReplaceText { old: String, new: String } => |lowering| {
        check_text(lowering, "old", &old)?;
        Edit::Replace(old, new)
    };
    SliceText { start: Option<i32>, stop: Option<i32> } => |lowering| Edit::Slice(start, stop);
    StripText { side: Side, characters: Option<String> } => |lowering| {
        Edit::Strip(!matches!(side, Side::End), !matches!(side, Side::Start), characters)
    };
}

pub(super) fn check_text(
    lowering: &Lowering<'_>,
    field: &str,
    text: &str,
) -> Result<(), ArtifactError> {
    if text.is_empty() {
        return Err(lowering.error(&format!("`{field}` is empty")));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinText {}

impl Lower for JoinText {
    fn lower(
        self,
        lowering: &mut Lowering<'_>,
        inputs: Vec<Vector>,
    ) -> Result<Vector, ArtifactError> {
        let [left, right] = alike(lowering, inputs)?;
        let mut output = Vec::with_capacity(left.len());
        for pair in left.into_iter().zip(right) {
            let sources = [lowering.text(&pair.0)?, lowering.text(&pair.1)?];
            let target = lowering.text_output(&[pair.0, pair.1])?;
            lowering.builder.push(JoinStep { sources, target });
            output.push(Element::Made(target));
        }
        Ok(output)
    }
}

struct JoinStep {
    sources: [TextRegister; 2],
    target: TextRegister,
}

impl Step for JoinStep {
    fn run(&self, block: &mut Block<'_>) {
        let ([left, right], rows) = (self.sources, block.rows);
        block.write_text(self.target, |column, block| {
            for row in 0..rows {
                column.write(row, |to| {
                    to.push_str(block.text(left, row)?);
                    to.push_str(block.text(right, row)?);
                    Some(())
                });
            }
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        self.sources.iter_mut().for_each(|source| visit(Access::ReadsText(source)));
        visit(Access::WritesText(&mut self.target));
    }

    fn describe(&self) -> String {
        "two texts joined".to_owned()
    }
}

/// One of two texts, as `choose` has it.
pub(super) fn choose_text(
    lowering: &mut Lowering<'_>,
    condition: Element,
    choices: (Element, Element),
) -> Result<Element, ArtifactError> {
    let at = lowering.number(&condition)?;
    let sources = [lowering.text(&choices.0)?, lowering.text(&choices.1)?];
    let target = lowering.text_output(&[condition, choices.0, choices.1])?;
    lowering.builder.push(ChooseTextStep { condition: at, sources, target });
    Ok(Element::Made(target))
}

struct ChooseTextStep {
    condition: Register,
    sources: [TextRegister; 2],
    target: TextRegister,
}

impl Step for ChooseTextStep {
    fn run(&self, block: &mut Block<'_>) {
        let ([then, otherwise], rows) = (self.sources, block.rows);
        block.write_text(self.target, |column, block| {
            for row in 0..rows {
                let is_true = is_true(block.number(self.condition)[row]);
                column.set(row, block.text(if is_true { then } else { otherwise }, row));
            }
        });
    }

    fn registers(&mut self, visit: &mut Visitor<'_>) {
        visit(Access::Reads(&mut self.condition));
        self.sources.iter_mut().for_each(|source| visit(Access::ReadsText(source)));
        visit(Access::WritesText(&mut self.target));
    }

    fn describe(&self) -> String {
        "one of two texts".to_owned()
    }
}
