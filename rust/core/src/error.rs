//! The errors of the core: a wrong file, a wrong key, wrong columns and wrong values are different types.

use std::fmt;

/// The artifact cannot be trusted or understood: what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactError(pub String);

impl ArtifactError {
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ArtifactError {}

/// A key file cannot be used; the message goes on where the name of the file ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyError(pub String);

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

/// The columns of a request are not those of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError(pub String);

impl fmt::Display for SchemaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SchemaError {}

/// Why a value was refused or changed; the texts are stable and part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    Absent,
    Missing,
    Invalid,
    IntegerTooLarge,
    OutOfRange,
    Infinite,
    Pattern,
    UnseenLevel,
    NotFinite,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Absent => "absent",
            Code::Missing => "missing",
            Code::Invalid => "invalid",
            Code::IntegerTooLarge => "integer_too_large",
            Code::OutOfRange => "out_of_range",
            Code::Infinite => "infinite",
            Code::Pattern => "pattern",
            Code::UnseenLevel => "unseen_level",
            Code::NotFinite => "not_finite",
        }
    }
}

/// One row that was refused. `fields` are the positions of the inputs that the value came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub code: Code,
    pub fields: Vec<usize>,
    pub value: String,
}

/// A value that was accepted but changed or unknown to the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    pub row: usize,
    pub field: usize,
    pub code: Code,
    pub value: String,
}
