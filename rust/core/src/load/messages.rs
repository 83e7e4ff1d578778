//! What a refused row is told: what is wrong, where, and what to do; and what warnings say.

use crate::cell::Cell;
use crate::error::{Code, Fault};
use crate::manifest::FieldType;
use crate::plan::Plan;
use std::fmt;

/// The message of a fault, without the number of the row.
pub fn fault_message(plan: &Plan, fault: &Fault) -> String {
    let names: Vec<String> = fault
        .fields
        .iter()
        .filter_map(|at| plan.fields.get(*at))
        .map(|field| format!("`{}`", field.name))
        .collect();
    let columns = match names.len() {
        0 => "the row".to_owned(),
        1 => format!("column {}", names[0]),
        _ => format!("columns {}", names.join(", ")),
    };
    let value = &fault.value;
    let field = fault.fields.first().and_then(|at| plan.fields.get(*at));
    let takes = field.map_or("another type", |field| noun(field.r#type));
    match fault.code {
        Code::Absent => format!("{columns} is missing from the row; send a value"),
        Code::Missing => format!("{columns} must not be missing; send a value"),
        Code::Invalid => format!("{columns} takes {takes}; got {value}"),
        Code::IntegerTooLarge => format!(
            "{columns} got {value}, which a 64-bit float cannot hold exactly; \
             send at most 2^53, or a float"
        ),
        Code::OutOfRange => {
            let range = field.map(|field| field.range_text()).unwrap_or_default();
            format!("{columns} got {value}, which is outside {range}")
        }
        Code::Infinite => format!("{columns} got {value}; the model takes finite numbers only"),
        Code::Pattern => format!("{columns} got {value}, which does not match its pattern"),
        Code::UnseenLevel => format!(
            "{columns} got {value}, a level that was not seen in training; \
             convert with handle_unknown=\"ignore\" or on_unseen=\"missing\" to accept it"
        ),
        Code::NotFinite => {
            format!("{columns} led to {value} inside the model, which takes finite numbers only")
        }
    }
}

fn noun(r#type: FieldType) -> &'static str {
    match r#type {
        FieldType::Number => "a number",
        FieldType::Text => "a text",
        FieldType::Boolean => "a boolean",
        FieldType::Timestamp => "a time, as 2024-05-01T12:30:00Z",
        FieldType::Ignored => "anything",
    }
}

/// A value as the caller sent it, for warnings; nothing where it is missing.
pub(super) struct Sent<'a>(pub Cell<'a>);

impl fmt::Display for Sent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Cell::Absent | Cell::Missing => Ok(()),
            Cell::Number(x) if x.is_nan() => Ok(()),
            Cell::Number(x) => formatter.write_str(&number(x)),
            Cell::Integer(x) => write!(formatter, "{x}"),
            Cell::Boolean(x) => write!(formatter, "{x}"),
            Cell::Text(text) | Cell::Lexical(text) => formatter.write_str(&shorten(text)),
            other => formatter.write_str(&describe(other)),
        }
    }
}

/// A cell in words, for messages.
pub(super) fn describe(cell: Cell<'_>) -> String {
    match cell {
        Cell::Absent | Cell::Missing => "a missing value".to_owned(),
        Cell::Number(x) => format!("the number {}", number(x)),
        Cell::Integer(x) => format!("the number {x}"),
        Cell::HugeInteger => "an integer beyond 64 bits".to_owned(),
        Cell::Boolean(x) => format!("the boolean {x}"),
        Cell::Text(text) | Cell::Lexical(text) => format!("the text {:?}", shorten(text)),
        Cell::Timestamp(_) => "a date or a time".to_owned(),
        Cell::Other(kind) => kind.to_owned(),
    }
}

/// At most 60 characters of a text.
pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The shortest text that stands for a number, with an exponent where that is shorter to read.
pub fn number(x: f64) -> String {
    if x.is_finite() && x != 0.0 && !(1e-5..1e16).contains(&x.abs()) {
        return format!("{x:e}");
    }
    x.to_string()
}
