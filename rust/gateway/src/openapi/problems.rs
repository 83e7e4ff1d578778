//! Failures in the document: `application/problem+json` with stable codes.

use crate::failure::Kind;
use crate::http::problem::status;
use penstock_core::error::Code;
use serde_json::{json, Map, Value};

/// Every kind, so that the document names every code.
const KINDS: [Kind; 20] = [
    Kind::Malformed,
    Kind::Option,
    Kind::Columns,
    Kind::Value,
    Kind::Unsupported,
    Kind::UnknownModel,
    Kind::UnknownVersion,
    Kind::UnknownPath,
    Kind::WrongMethod,
    Kind::MediaType,
    Kind::NotAcceptable,
    Kind::TooLarge,
    Kind::Unauthorized,
    Kind::Forbidden,
    Kind::TooMany,
    Kind::Overloaded,
    Kind::Timeout,
    Kind::Deadline,
    Kind::NotReady,
    Kind::Internal,
];

/// Codes of values that a model refuses.
const VALUES: [Code; 9] = [
    Code::Absent,
    Code::Missing,
    Code::Invalid,
    Code::IntegerTooLarge,
    Code::OutOfRange,
    Code::Infinite,
    Code::Pattern,
    Code::UnseenLevel,
    Code::NotFinite,
];

/// Statuses that a prediction may be refused with.
pub const PREDICTING: [u16; 13] = [400, 401, 403, 404, 406, 408, 413, 415, 422, 429, 500, 503, 504];

/// Statuses that anything else may be refused with.
pub const READING: [u16; 7] = [401, 403, 404, 429, 500, 503, 504];

pub fn schema() -> Value {
    let mut codes: Vec<&str> = KINDS.iter().map(|kind| kind.code()).collect();
    codes.extend(VALUES.iter().map(|code| code.as_str()));
    codes.push("unknown_column");
    codes.sort_unstable();
    codes.dedup();
    json!({
        "type": "object",
        "description": "Why a request was refused (RFC 9457).",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": codes, "description": "Stable, for programs."},
            "detail": {"type": "string", "description": "For people: what is wrong, where, and what to do."},
            "field": {"type": "string", "description": "The input that the value was meant for."},
            "row": {"type": "integer", "description": "The row, counted from 0."},
        },
        "required": ["type", "title", "status", "code", "detail"],
    })
}

/// One for each status, by its name among the components.
pub fn responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for number in PREDICTING {
        let codes: Vec<_> = KINDS
            .iter()
            .filter(|kind| status(**kind).as_u16() == number)
            .map(|kind| format!("`{}`", kind.code()))
            .collect();
        let description = match number {
            422 => "The rows were understood and refused: a value, a column, or what is asked of the model.".to_owned(),
            _ => format!("Refused: {}.", codes.join(", ")),
        };
        let content = json!({
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        });
        responses.insert(name(number), json!({"description": description, "content": content}));
    }
    responses
}

/// References to them, by status.
pub fn references(statuses: &[u16]) -> Map<String, Value> {
    let reference = |number: &u16| {
        let path = format!("#/components/responses/{}", name(*number));
        (number.to_string(), json!({"$ref": path}))
    };
    statuses.iter().map(reference).collect()
}

fn name(status: u16) -> String {
    format!("Refused{status}")
}
