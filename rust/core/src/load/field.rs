//! One input field: its type, its policies, and the checks that a value passes on its way in.

use super::declared::Declared;
use super::messages::{describe, number, shorten, Sent};
use super::settling::Settling;
use super::{lexical, timestamp};
use crate::cell::{Cell, LARGEST_INTEGER};
use crate::error::{ArtifactError, Code, Warning};
use crate::manifest::{
    Field, FieldType, Infinite, OnInvalid, OnMissing, OnRange, OnUnseen, Precision,
};
use crate::plan::bounds::Bounds;
use crate::plan::builder::Builder;
use crate::plan::coding::TextCoding;
use crate::plan::element::Register;
use regex_lite::Regex;
use serde_json::Value;
use std::fmt;

/// A value that passed all checks of its field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loaded<'a> {
    Missing,
    Number(f64),
    Text(&'a str),
}

impl fmt::Display for Loaded<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loaded::Missing => formatter.write_str("a missing value"),
            Loaded::Number(x) => formatter.write_str(&number(*x)),
            Loaded::Text(text) => write!(formatter, "{:?}", shorten(text)),
        }
    }
}

/// Why a field refuses a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub code: Code,
    pub value: String,
}

/// Collects warnings when the caller wants them.
pub struct Watch<'a> {
    pub field: usize,
    pub row: usize,
    pub warnings: &'a mut Option<Vec<Warning>>,
}

impl Watch<'_> {
    fn note(&mut self, code: Code, value: impl fmt::Display) {
        if let Some(warnings) = self.warnings {
            let (row, field, value) = (self.row, self.field, value.to_string());
            warnings.push(Warning { row, field, code, value });
        }
    }
}

enum Replacement {
    Number(f64),
    Text(String),
}

/// An input field, ready to read values.
pub struct FieldPlan {
    pub name: String,
    pub r#type: FieldType,
    pub(super) number: Option<Register>,
    pub(super) codings: Vec<usize>,
    /// Those of the text inputs of the plan that steps read.
    pub(super) texts: Vec<usize>,
    precision: Precision,
    on_missing: OnMissing,
    replacement: Option<Replacement>,
    on_invalid: OnInvalid,
    range: (f64, f64),
    /// Of a field of numbers, which need neither a closer look nor a warning.
    plain: Option<Bounds>,
    /// The policies of a field of numbers.
    settling: Option<Settling>,
    pattern: Option<Regex>,
    infinite: Infinite,
    on_range: OnRange,
    levels: Option<Declared>,
    on_unseen: OnUnseen,
}

impl FieldPlan {
    pub(crate) fn all(fields: &[Field], builder: &Builder) -> Result<Vec<Self>, ArtifactError> {
        fields.iter().enumerate().map(|(at, field)| Self::new(at, field, builder)).collect()
    }

    fn new(at: usize, field: &Field, builder: &Builder) -> Result<Self, ArtifactError> {
        let codings = builder.text_codings.iter().enumerate();
        let texts = builder.text_inputs.iter().enumerate();
        let range =
            (field.minimum.unwrap_or(f64::NEG_INFINITY), field.maximum.unwrap_or(f64::INFINITY));
        let finite = match field.infinite {
            Infinite::Allow => Bounds::ALL,
            Infinite::Refuse => Bounds::FINITE,
        };
        let is_number = field.r#type == FieldType::Number && field.levels.is_none();
        let may_be_missing = field.on_missing == OnMissing::Allow;
        let replacement = field.replacement.as_ref().and_then(replacement);
        let other = match &replacement {
            Some(Replacement::Number(x)) => Some(*x),
            _ => None,
        };
        let settling = is_number.then(|| Settling::new(field, range, other));
        Ok(Self {
            name: field.name.clone(),
            r#type: field.r#type,
            number: builder.field_registers.get(&at).copied(),
            codings: codings.filter(|(_, coding)| coding.field == at).map(|(at, _)| at).collect(),
            texts: texts.filter(|(_, input)| input.text.field == at).map(|(at, _)| at).collect(),
            precision: field.precision,
            on_missing: field.on_missing,
            replacement,
            on_invalid: field.on_invalid,
            range,
            plain: is_number.then(|| finite.both(Bounds::new(range.0, range.1, may_be_missing))),
            settling,
            pattern: field.pattern.as_deref().map(|text| pattern(&field.name, text)).transpose()?,
            infinite: field.infinite,
            on_range: field.on_range,
            levels: field.levels.as_deref().map(Declared::new),
            on_unseen: field.on_unseen,
        })
    }

    /// Whether an absent column or key is refused.
    pub fn is_required(&self) -> bool {
        self.r#type != FieldType::Ignored && self.on_missing == OnMissing::Refuse
    }

    /// Whether something depends on its numbers.
    pub fn is_read(&self) -> bool {
        self.number.is_some()
    }

    pub fn is_ignored(&self) -> bool {
        self.r#type == FieldType::Ignored
    }

    /// The declared range in words.
    pub(super) fn range_text(&self) -> String {
        let (low, high) = (number(self.range.0), number(self.range.1));
        match self.range {
            (minimum, _) if minimum.is_infinite() => format!("the range up to {high}"),
            (_, maximum) if maximum.is_infinite() => format!("the range from {low}"),
            _ => format!("the range {low} to {high}"),
        }
    }

    /// Whether these numbers pass all checks; they are rounded as the field says.
    pub(super) fn takes_numbers(&self, numbers: &mut [f64]) -> bool {
        let Some(bounds) = self.plain else { return false };
        if self.precision == Precision::F32 {
            numbers.iter_mut().for_each(|x| *x = f64::from(*x as f32));
        }
        numbers.iter().fold(true, |hold, x| hold & bounds.hold(*x))
    }

    /// What the policies make of rounded numbers; `false` where they need a closer look, or warnings are wanted.
    pub(super) fn settle(&self, numbers: &mut [f64]) -> bool {
        self.settling.as_ref().is_some_and(|settling| settling.apply(numbers))
    }

    /// The number of a cell that passes all checks; `None` where it needs a closer look.
    pub(super) fn takes_number(&self, cell: Cell<'_>) -> Option<f64> {
        let mut number = [match cell {
            Cell::Number(x) => x,
            Cell::Integer(x) if x.unsigned_abs() <= LARGEST_INTEGER => x as f64,
            Cell::Missing => f64::NAN,
            _ => return None,
        }];
        self.takes_numbers(&mut number).then_some(number[0])
    }

    /// Whether these texts pass all checks as they are.
    pub(super) fn takes_texts(&self, cells: &[Cell<'_>], codings: &[TextCoding]) -> bool {
        let may_be_missing = self.on_missing == OnMissing::Allow;
        let is_taken = |cell: &Cell<'_>| match cell {
            Cell::Text(text) => {
                self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
                    && (self.on_unseen == OnUnseen::Allow || self.is_known(text, codings))
            }
            _ => may_be_missing && *cell == Cell::Missing,
        };
        self.r#type == FieldType::Text && cells.iter().all(is_taken)
    }

    /// Whether policies leave each text as it is that they do not refuse.
    pub fn keeps_texts(&self) -> bool {
        self.on_missing != OnMissing::Replace
            && self.on_unseen != OnUnseen::Missing
            && (self.pattern.is_none() || self.on_range == OnRange::Refuse)
    }

    /// The value after all policies, or why it is refused. `codings` are those of the plan.
    pub fn check<'a>(
        &'a self,
        cell: Cell<'a>,
        codings: &'a [TextCoding],
        watch: &mut Watch<'_>,
    ) -> Result<Loaded<'a>, Refusal> {
        if self.r#type == FieldType::Ignored {
            return Ok(Loaded::Missing);
        }
        let loaded = match self.typed(cell) {
            Ok(Loaded::Missing) => return self.missing(cell, watch),
            Ok(loaded) => loaded,
            Err(refusal) if self.on_invalid == OnInvalid::Refuse => return Err(refusal),
            Err(refusal) => {
                watch.note(refusal.code, Sent(cell));
                return self.missing(Cell::Missing, watch);
            }
        };
        let loaded = match self.ranged(loaded) {
            Ok(loaded) => loaded,
            Err(refusal) => match (self.on_range, loaded) {
                (OnRange::Refuse, _) => return Err(refusal),
                (OnRange::Clip, Loaded::Number(x)) if self.clip(x).is_finite() => {
                    watch.note(refusal.code, Sent(cell));
                    Loaded::Number(self.clip(x))
                }
                (OnRange::Clip, _) => return Err(refusal),
                (OnRange::Missing, _) => {
                    watch.note(refusal.code, Sent(cell));
                    return self.missing(Cell::Missing, watch);
                }
            },
        };
        self.leveled(loaded, cell, codings, watch)
    }

    fn clip(&self, x: f64) -> f64 {
        x.max(self.range.0).min(self.range.1)
    }

    fn missing(&self, cell: Cell<'_>, watch: &mut Watch<'_>) -> Result<Loaded<'_>, Refusal> {
        let code = if cell == Cell::Absent { Code::Absent } else { Code::Missing };
        match (self.on_missing, &self.replacement) {
            (OnMissing::Refuse, _) => Err(Refusal { code, value: Loaded::Missing.to_string() }),
            (OnMissing::Replace, Some(replacement)) => {
                watch.note(code, Sent(cell));
                Ok(match replacement {
                    Replacement::Number(x) => Loaded::Number(*x),
                    Replacement::Text(text) => Loaded::Text(text),
                })
            }
            _ => {
                if code == Code::Absent {
                    watch.note(code, Sent(cell));
                }
                Ok(Loaded::Missing)
            }
        }
    }

    /// The value as the type of the field.
    fn typed<'a>(&self, cell: Cell<'a>) -> Result<Loaded<'a>, Refusal> {
        let invalid = || Refusal { code: Code::Invalid, value: describe(cell) };
        if let Cell::Lexical(text) = cell {
            return match lexical::parse(text, self.r#type) {
                Some(Cell::Lexical(_)) | None => Err(invalid()),
                Some(parsed) => self.typed(parsed),
            };
        }
        match (self.r#type, cell) {
            (_, Cell::Absent | Cell::Missing) => Ok(Loaded::Missing),
            (_, Cell::Number(x)) if x.is_nan() => Ok(Loaded::Missing),
            (FieldType::Number, Cell::Number(x)) => Ok(self.rounded(x)),
            (FieldType::Number | FieldType::Timestamp, Cell::Integer(x))
                if x.unsigned_abs() > LARGEST_INTEGER =>
            {
                Err(Refusal { code: Code::IntegerTooLarge, value: format!("the integer {x}") })
            }
            (FieldType::Number, Cell::HugeInteger) => {
                Err(Refusal { code: Code::IntegerTooLarge, value: describe(cell) })
            }
            (FieldType::Number, Cell::Integer(x)) => Ok(self.rounded(x as f64)),
            (FieldType::Number | FieldType::Boolean, Cell::Boolean(x)) => {
                Ok(Loaded::Number(f64::from(u8::from(x))))
            }
            (FieldType::Boolean, Cell::Number(x)) if x == 0.0 || x == 1.0 => Ok(Loaded::Number(x)),
            (FieldType::Boolean, Cell::Integer(x @ (0 | 1))) => Ok(Loaded::Number(x as f64)),
            (FieldType::Text, Cell::Text(text)) => Ok(Loaded::Text(text)),
            (FieldType::Timestamp, Cell::Timestamp(x)) => exact(x),
            (FieldType::Timestamp, Cell::Text(text)) => {
                timestamp::parse(text).ok_or_else(invalid).and_then(exact)
            }
            _ => Err(invalid()),
        }
    }

    fn rounded<'a>(&self, x: f64) -> Loaded<'a> {
        match self.precision {
            Precision::F64 => Loaded::Number(x),
            Precision::F32 => Loaded::Number(f64::from(x as f32)),
        }
    }

    fn ranged<'a>(&self, loaded: Loaded<'a>) -> Result<Loaded<'a>, Refusal> {
        let code = match loaded {
            Loaded::Number(x) if x.is_infinite() && self.infinite == Infinite::Refuse => {
                Code::Infinite
            }
            Loaded::Number(x) if x < self.range.0 || x > self.range.1 => Code::OutOfRange,
            Loaded::Text(text) if self.pattern.as_ref().is_some_and(|p| !p.is_match(text)) => {
                Code::Pattern
            }
            loaded => return Ok(loaded),
        };
        Err(Refusal { code, value: loaded.to_string() })
    }

    /// Whether the text is a level that was declared or seen in training; any is where nobody knows levels.
    pub fn is_known(&self, text: &str, codings: &[TextCoding]) -> bool {
        match &self.levels {
            Some(levels) => levels.has_text(text),
            None => self.is_coded(text, codings),
        }
    }

    fn is_coded(&self, text: &str, codings: &[TextCoding]) -> bool {
        // Codings without levels only ask whether the text is missing.
        let mut leveled = self.codings.iter().filter(|at| !codings[**at].index.is_empty());
        let known = leveled.clone().any(|at| codings[*at].index.get(text).is_some());
        known || leveled.next().is_none()
    }

    fn leveled<'a>(
        &'a self,
        loaded: Loaded<'a>,
        cell: Cell<'a>,
        codings: &[TextCoding],
        watch: &mut Watch<'_>,
    ) -> Result<Loaded<'a>, Refusal> {
        if self.on_unseen == OnUnseen::Allow && watch.warnings.is_none() {
            return Ok(loaded);
        }
        let seen = match (loaded, &self.levels) {
            (Loaded::Number(x), Some(levels)) => levels.has_number(x),
            (Loaded::Text(text), _) => self.is_known(text, codings),
            _ => true,
        };
        if seen {
            return Ok(loaded);
        }
        if self.on_unseen == OnUnseen::Refuse {
            return Err(Refusal { code: Code::UnseenLevel, value: loaded.to_string() });
        }
        watch.note(Code::UnseenLevel, Sent(cell));
        match self.on_unseen {
            OnUnseen::Missing => self.missing(Cell::Missing, watch),
            _ => Ok(loaded),
        }
    }
}

/// A time as a number that stands for it alone; all are until the year 2255.
fn exact<'a>(microseconds: i64) -> Result<Loaded<'a>, Refusal> {
    let number = microseconds as f64;
    if number as i64 == microseconds {
        return Ok(Loaded::Number(number));
    }
    let value = format!("a time of {microseconds} microseconds since 1970");
    Err(Refusal { code: Code::IntegerTooLarge, value })
}

fn replacement(value: &Value) -> Option<Replacement> {
    match value {
        Value::String(text) => Some(Replacement::Text(text.clone())),
        Value::Bool(x) => Some(Replacement::Number(f64::from(u8::from(*x)))),
        other => other.as_f64().map(Replacement::Number),
    }
}

fn pattern(field: &str, text: &str) -> Result<Regex, ArtifactError> {
    // The whole text must match, and `$` alone would allow a trailing newline.
    Regex::new(&format!(r"\A(?:{text})\z")).map_err(|error| {
        ArtifactError::new(format!("pattern of field `{field}` is not understood: {error}"))
    })
}
