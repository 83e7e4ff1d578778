//! Why a request was refused, in words that know no HTTP; `http::problem` tells statuses.

use penstock_core::error::{Fault, SchemaError};
use penstock_core::load::fault_message;
use penstock_core::plan::Plan;
use penstock_core::rows::WrongKey;
use std::borrow::Cow;

/// What kind of failure; every code is stable and part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The bytes are not what their type says.
    Malformed,
    /// An option of the request is unknown or has a value that it cannot have.
    Option,
    /// A column is not an input of the model, is there twice, or is not there.
    Columns,
    /// A value that the model refuses.
    Value,
    /// The model cannot do what is asked of it.
    Unsupported,
    UnknownModel,
    UnknownVersion,
    UnknownPath,
    WrongMethod,
    /// The form of the body is none that is read.
    MediaType,
    /// No form of answers is accepted that can be written.
    NotAcceptable,
    TooLarge,
    Unauthorized,
    Forbidden,
    TooMany,
    Overloaded,
    /// The request did not come in in time.
    Timeout,
    /// The answer was not there in time.
    Deadline,
    NotReady,
    /// A mistake of this program.
    Internal,
}

/// Characters of a key that are told back.
const LONGEST_KEY: usize = 200;

/// A request or a row that was refused: what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub kind: Kind,
    /// A stable word: that of the value's fault, or that of the kind.
    pub code: Cow<'static, str>,
    pub detail: String,
    pub field: Option<String>,
    pub row: Option<usize>,
}

impl Kind {
    /// The stable word for a failure of which nothing closer is known.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Malformed => "malformed",
            Kind::Option => "invalid_option",
            Kind::Columns => "wrong_columns",
            Kind::Value => "invalid",
            Kind::Unsupported => "unsupported",
            Kind::UnknownModel => "unknown_model",
            Kind::UnknownVersion => "unknown_version",
            Kind::UnknownPath => "unknown_path",
            Kind::WrongMethod => "wrong_method",
            Kind::MediaType => "unsupported_media_type",
            Kind::NotAcceptable => "not_acceptable",
            Kind::TooLarge => "too_large",
            Kind::Unauthorized => "unauthorized",
            Kind::Forbidden => "forbidden",
            Kind::TooMany => "too_many_requests",
            Kind::Overloaded => "overloaded",
            Kind::Timeout => "timeout",
            Kind::Deadline => "deadline",
            Kind::NotReady => "not_ready",
            Kind::Internal => "internal",
        }
    }
}

impl Failure {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let code = Cow::Borrowed(kind.code());
        Self { kind, code, detail: detail.into(), field: None, row: None }
    }

    pub fn at_row(mut self, row: Option<usize>) -> Self {
        self.row = row;
        self
    }

    /// All of it as one text, for protocols that have no more room.
    pub fn text(&self) -> String {
        match self.row {
            Some(row) => format!("row {row}: {}", self.detail),
            None => self.detail.clone(),
        }
    }

    /// A value that the model refused.
    pub fn value(plan: &Plan, fault: &Fault, row: Option<usize>) -> Self {
        let field = match fault.fields.as_slice() {
            [at] => plan.fields.get(*at).map(|field| field.name.clone()),
            _ => None,
        };
        let code = Cow::Borrowed(fault.code.as_str());
        Self { kind: Kind::Value, code, detail: fault_message(plan, fault), field, row }
    }

    /// A row with a key that is no input, or there twice.
    pub fn columns(wrong: &WrongKey, row: Option<usize>) -> Self {
        let field = Some(wrong.key.chars().take(LONGEST_KEY).collect());
        let code = Cow::Borrowed("unknown_column");
        Self { kind: Kind::Columns, code, detail: wrong.error.0.clone(), field, row }
    }
}

impl From<SchemaError> for Failure {
    fn from(error: SchemaError) -> Self {
        Self::new(Kind::Columns, error.0)
    }
}
