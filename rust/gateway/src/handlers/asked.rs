//! What a request for predictions asks for besides its rows; said in the query or in the body.

use crate::failure::{Failure, Kind};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Options of a prediction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Asked {
    pub version: Option<String>,
    /// Number of reasons; `Some(0)` gives contributions without reasons.
    pub explain: Option<usize>,
    /// Rows that are refused are answered by their error instead of failing the request.
    pub returns_errors: bool,
    /// Columns that are sent back beside the predictions, inputs or not.
    pub fields: Vec<String>,
    pub warnings: bool,
}

/// A body that is a batch: rows, and options beside them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch<'a> {
    #[serde(borrow)]
    pub rows: &'a RawValue,
    version: Option<String>,
    #[serde(default, deserialize_with = "count")]
    explain: Option<usize>,
    on_error: Option<String>,
    fields: Option<Vec<String>>,
    warnings: Option<bool>,
}

/// A whole number, also if it is written as `5.0`: to JSON these are the same.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let is_count = |x: &f64| x.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(x);
    let whole = || number.as_f64().filter(is_count).map(|x| x as usize);
    let count = number.as_u64().map(|count| count as usize).or_else(whole);
    count.map(Some).ok_or_else(|| D::Error::custom("`explain` takes a number of reasons"))
}

const OPTIONS: &str = "`version`, `explain`, `on_error`, `fields`, `warnings`";

impl Asked {
    /// Options from the parts of a query, percent-decoded.
    ///
    /// # Errors
    /// An option that there is not, or a value that it cannot have.
    pub fn from_query<'q>(
        entries: impl Iterator<Item = (Cow<'q, str>, Cow<'q, str>)>,
    ) -> Result<Self, Failure> {
        Self::default().with_query(entries)
    }

    /// The same with the options of a query, which count more.
    ///
    /// # Errors
    /// An option that there is not, or a value that it cannot have.
    pub fn with_query<'q>(
        self,
        entries: impl Iterator<Item = (Cow<'q, str>, Cow<'q, str>)>,
    ) -> Result<Self, Failure> {
        let mut asked = self;
        for (name, value) in entries {
            match name.as_ref() {
                "version" => asked.version = Some(value.into_owned()),
                "explain" => {
                    let count = value.parse().map_err(|_| wrong("explain", &value, "a number"))?;
                    asked.explain = Some(count);
                }
                "on_error" => asked.set_on_error(&value)?,
                "fields" => {
                    let names = value.split(',').filter(|name| !name.is_empty());
                    asked.fields.extend(names.map(str::to_owned));
                }
                "warnings" => {
                    asked.warnings = match value.as_ref() {
                        "" | "true" | "1" => true,
                        "false" | "0" => false,
                        _ => return Err(wrong("warnings", &value, "`true` or `false`")),
                    }
                }
                name => {
                    let detail = format!("there is no option `{name}`; options are {OPTIONS}");
                    return Err(Failure::new(Kind::Option, detail));
                }
            }
        }
        Ok(asked)
    }

    /// Options of the body count more than those of the query.
    ///
    /// # Errors
    /// A value that an option cannot have.
    pub fn take(&mut self, body: Batch<'_>) -> Result<(), Failure> {
        self.version = body.version.or(self.version.take());
        self.explain = body.explain.or(self.explain);
        self.warnings = body.warnings.unwrap_or(self.warnings);
        if let Some(fields) = body.fields {
            self.fields = fields;
        }
        body.on_error.map_or(Ok(()), |value| self.set_on_error(&value))
    }

    fn set_on_error(&mut self, value: &str) -> Result<(), Failure> {
        self.returns_errors = match value {
            "raise" => false,
            "return" => true,
            _ => return Err(wrong("on_error", value, "`raise` or `return`")),
        };
        Ok(())
    }
}

fn wrong(option: &str, value: &str, takes: &str) -> Failure {
    Failure::new(Kind::Option, format!("option `{option}` takes {takes}; got `{value}`"))
}
