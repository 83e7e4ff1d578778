//! The columns of a request against the fields of the model.

use super::messages::shorten;
use crate::error::SchemaError;
use crate::plan::Plan;
use std::collections::HashSet;

/// How many names a message lists before it says how many more there are.
const NAMES_SHOWN: usize = 30;

impl Plan {
    /// For each field the position of its column; unknown, double and absent columns are refused.
    ///
    /// # Errors
    /// `SchemaError` names the column and the closest field.
    pub fn match_columns(&self, names: &[&str]) -> Result<Vec<Option<usize>>, SchemaError> {
        let mut positions = vec![None; self.fields.len()];
        let mut seen = HashSet::new();
        for (column, name) in names.iter().enumerate() {
            if !seen.insert(*name) {
                return Err(SchemaError(format!(
                    "column `{}` comes twice; send each column once",
                    shorten(name)
                )));
            }
            let field = self.position(name).ok_or_else(|| self.unknown_column(name))?;
            positions[field] = Some(column);
        }
        for (field, position) in self.fields.iter().zip(&positions) {
            if position.is_none() && field.is_required() {
                return Err(self.absent_column(&field.name));
            }
        }
        Ok(positions)
    }

    /// The error for a column that no field has.
    pub fn unknown_column(&self, name: &str) -> SchemaError {
        // What is much longer than any name is no slip, and comparing would take long.
        let longest = self.fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
        let is_close = name.len() <= 2 * longest;
        let lower = if is_close { name.to_lowercase() } else { String::new() };
        let distance = |other: &str| strsim::damerau_levenshtein(&lower, &other.to_lowercase());
        let used = self.fields.iter().filter(|field| !field.is_ignored());
        let closest = used.map(|field| (distance(&field.name), &field.name)).min();
        // One wrong letter in three still looks like a slip.
        let limit = name.chars().count() / 3;
        let hint = match closest {
            Some((distance, close)) if is_close && distance <= limit => {
                format!("did you mean `{close}`?")
            }
            _ => format!("the model expects: {}", self.expected()),
        };
        let name = shorten(name);
        SchemaError(format!("column `{name}` is not an input of the model; {hint}"))
    }

    /// The error for a column that must be sent and was not.
    pub fn absent_column(&self, name: &str) -> SchemaError {
        SchemaError(format!(
            "column `{name}` is missing from the request; the model expects: {}",
            self.expected()
        ))
    }

    fn expected(&self) -> String {
        let used = self.fields.iter().filter(|field| !field.is_ignored());
        let names: Vec<String> = used.map(|field| format!("`{}`", field.name)).collect();
        let mut text = names.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
        if names.len() > NAMES_SHOWN {
            text.push_str(&format!(" and {} more", names.len() - NAMES_SHOWN));
        }
        text
    }
}
