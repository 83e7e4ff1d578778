//! Levels of an input: those that are declared, or those that its encoders know; the most frequent ones first.

use crate::catalog::Loaded;
use penstock_core::manifest::{Field, OnUnseen};
use penstock_core::plan::coding::Otherwise;
use serde_json::{json, Value};
use std::collections::{BTreeSet, HashMap};

/// More levels than this are not listed as examples.
const MOST_EXAMPLES: usize = 10_000;

pub struct Levels {
    /// In the order in which people look for them.
    levels: Vec<Value>,
    /// Whether any other level is refused.
    is_closed: bool,
}

impl Levels {
    /// Of an input of texts.
    pub fn texts(loaded: &Loaded, at: usize, field: &Field, is_nullable: bool) -> Self {
        let codings = || loaded.model.plan.codings(at);
        let mut known: Vec<String> = match &field.levels {
            Some(declared) => {
                declared.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            None => by_frequency(loaded, field, codings().flat_map(|coding| coding.index.texts())),
        };
        let mut is_closed = is_closed(field, is_nullable) && !known.is_empty();
        for coding in
            codings().filter(|coding| coding.unseen == Otherwise::Refuse && coding.is_read)
        {
            known.retain(|level| coding.index.get(level).is_some());
            is_closed = true;
        }
        Self { levels: known.into_iter().map(Value::String).collect(), is_closed }
    }

    /// Of an input of numbers: declared ones only.
    pub fn numbers(_loaded: &Loaded, field: &Field) -> Self {
        let levels = field.levels.clone().unwrap_or_default();
        let is_closed = !levels.is_empty() && field.on_unseen == OnUnseen::Refuse;
        Self { levels, is_closed }
    }

    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// Whether a number is taken.
    pub fn takes(&self, x: f64) -> bool {
        !self.is_closed || self.levels.iter().any(|level| level.as_f64() == Some(x))
    }

    /// All that is taken, if anything else is refused.
    pub fn closed(&self, is_nullable: bool) -> Option<Value> {
        let null = is_nullable.then_some(Value::Null);
        self.is_closed.then(|| self.levels.iter().cloned().chain(null).collect())
    }

    /// Examples.
    pub fn open(&self) -> Value {
        json!(self.levels.iter().take(MOST_EXAMPLES).collect::<Vec<_>>())
    }
}

fn is_closed(field: &Field, is_nullable: bool) -> bool {
    match field.on_unseen {
        OnUnseen::Allow => false,
        OnUnseen::Missing => !is_nullable,
        OnUnseen::Refuse => true,
    }
}

/// Each text once, the most frequent ones of the training data first, the others by the alphabet.
fn by_frequency(
    loaded: &Loaded,
    field: &Field,
    texts: impl Iterator<Item = String>,
) -> Vec<String> {
    let frequent = loaded.manifest.baseline[&field.name]["levels"].as_array();
    let frequent = frequent.into_iter().flatten().filter_map(|pair| pair[0].as_str());
    let ranks: HashMap<&str, usize> =
        frequent.enumerate().map(|(rank, level)| (level, rank)).collect();
    let mut levels: Vec<String> = texts.collect::<BTreeSet<_>>().into_iter().collect();
    levels.sort_by_key(|level| ranks.get(level.as_str()).copied().unwrap_or(usize::MAX));
    levels
}
