//! Why a row has no cells.

use crate::error::SchemaError;

/// A key that is none of the fields, or is there twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongKey {
    pub key: String,
    pub error: SchemaError,
}

/// A row that was refused before its values were looked at.
#[derive(Debug)]
pub enum WrongRow {
    /// It is no JSON object.
    Json(serde_json::Error),
    Key(WrongKey),
}

impl WrongRow {
    /// For hosts to whom all that is wrong with a row is a matter of the schema; `bytes` are the row.
    pub fn into_schema_error(self, bytes: &[u8]) -> SchemaError {
        match self {
            WrongRow::Key(wrong) => wrong.error,
            WrongRow::Json(error) => {
                let hint = hint(bytes, &error);
                SchemaError(format!("the row is not a JSON object: {error}{hint}"))
            }
        }
    }
}

/// What to send in place of a NaN or an infinity that is no text, if that is what an error is about; else nothing.
pub fn hint(bytes: &[u8], error: &serde_json::Error) -> &'static str {
    let Some(line) = bytes.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)) else {
        return "";
    };
    // The column is that of the first byte that does not fit, which may be within the word.
    let from = error.column().saturating_sub(3).min(line.len());
    let near = &line[from..(from + 10).min(line.len())];
    let has = |word: &&[u8]| near.windows(word.len()).any(|part| part == *word);
    match [&b"NaN"[..], b"nan", b"Infinity", b"-inf"].iter().any(has) {
        true => {
            "; JSON has no NaN and no Infinity: send null, or the texts \"NaN\" and \"Infinity\""
        }
        false => "",
    }
}
