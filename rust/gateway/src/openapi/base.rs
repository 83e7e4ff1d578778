//! Schemas that all models share.

use serde_json::{json, Map, Value};

/// By the names of the components.
pub fn schemas() -> Map<String, Value> {
    let number = json!({
        "description": "A number; what JSON cannot write is null (NaN) or a text.",
        "anyOf": [{"type": ["number", "null"]}, {"enum": ["Infinity", "-Infinity"]}],
    });
    let warning = json!({
        "type": "object",
        "description": "A value that was accepted, but was changed or is unknown to the model.",
        "properties": {
            "field": {"type": "string"},
            "code": {"type": "string", "enum": [
                "absent", "missing", "invalid", "integer_too_large", "out_of_range", "infinite", "pattern",
                "unseen_level", "not_finite",
            ]},
            "value": {"type": "string"},
        },
        "required": ["field", "code", "value"],
    });
    let error = json!({
        "type": "object",
        "description": "Why a row was refused.",
        "properties": {
            "code": {"type": "string"},
            "detail": {"type": "string"},
            "field": {"type": "string"},
            "row": {"type": "integer"},
        },
        "required": ["code", "detail"],
    });
    let explanation = json!({
        "type": "object",
        "description": "What each input brings to the raw score, beside a base that is the same for all rows; by \
                        class where there are several raw scores.",
        "properties": {
            "base": {}, "raw": {},
            "contributions": {"type": "object"},
            "reasons": {"type": ["array", "object"]},
        },
        "required": ["base", "raw", "contributions"],
    });
    let schemas =
        [("Number", number), ("Warning", warning), ("Error", error), ("Explanation", explanation)];
    schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}
