//! Values that arrive as text without a type, as in CSV files.

use super::timestamp;
use crate::cell::Cell;
use crate::manifest::FieldType;

/// Spellings of a missing number, compared without case.
const MISSING: &[&str] = &["", "na", "n/a", "nan", "null", "none", "<na>", "nat"];

/// The text as a cell of this type; `None` if it cannot be one.
pub fn parse(text: &str, r#type: FieldType) -> Option<Cell<'_>> {
    if r#type == FieldType::Text {
        return Some(if text.is_empty() { Cell::Missing } else { Cell::Text(text) });
    }
    let text = text.trim();
    if MISSING.iter().any(|missing| missing.eq_ignore_ascii_case(text)) {
        return Some(Cell::Missing);
    }
    match r#type {
        FieldType::Boolean => match text {
            "true" | "True" | "TRUE" | "1" | "1.0" => Some(Cell::Boolean(true)),
            "false" | "False" | "FALSE" | "0" | "0.0" => Some(Cell::Boolean(false)),
            _ => None,
        },
        FieldType::Number => number(text),
        FieldType::Timestamp => timestamp::parse(text).map(Cell::Timestamp),
        _ => None,
    }
}

fn number(text: &str) -> Option<Cell<'_>> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Cell::HugeInteger, Cell::Integer));
    }
    text.parse().ok().map(Cell::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_missing_numbers_are_missing_and_texts_stay_texts() {
        for text in ["", " ", "NA", "NaN", "null"] {
            assert_eq!(parse(text, FieldType::Number), Some(Cell::Missing), "{text:?}");
        }
        assert_eq!(parse("NA", FieldType::Text), Some(Cell::Text("NA")));
        assert_eq!(parse("", FieldType::Text), Some(Cell::Missing));
    }

    #[test]
    fn integers_keep_every_digit_until_they_are_checked() {
        assert_eq!(
            parse("9007199254740993", FieldType::Number),
            Some(Cell::Integer(9007199254740993))
        );
        assert_eq!(parse("99999999999999999999", FieldType::Number), Some(Cell::HugeInteger));
        assert_eq!(parse("1e3", FieldType::Number), Some(Cell::Number(1000.0)));
        assert_eq!(parse("abc", FieldType::Number), None);
    }
}
