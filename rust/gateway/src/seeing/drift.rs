//! How far what is sent and answered has moved from the example data, for people and programs.

use super::bins::{Bins, Scale, STATES};
use super::seen::Seen;
use penstock_core::manifest::OutputKind;
use serde_json::{json, Map, Value};

/// What has no baseline, and what to do about it.
const LACKING: &str =
    "the artifact has no counts for it; convert the model again with a newer penstock to compare";

/// The population stability index of counts against expected ones: the sum of (q - p) ln(q / p) over all bins, where p
/// is the expected and q the found share. Below 0.1 is taken for no change, above 0.25 for a large one.
///
/// Source: N. Siddiqi, Credit Risk Scorecards (2006), chapter 9; B. Yurdakul, Statistical Properties of Population
/// Stability Index (2018), for what it is by chance.
///
/// No share may be 0. Expected counts get half a row more per bin (Jeffreys' prior). Found ones get one row more that is
/// spread as expected, so that few rows bring little. Bins that are empty both times are left out.
///
/// Without any rows there is none.
pub fn stability_index(expected: &[u64], found: &[u64]) -> Option<f64> {
    let (before, now) = (sum(expected), sum(found));
    if before == 0.0 || now == 0.0 {
        return None;
    }
    let used =
        || expected.iter().zip(found).filter(|(expected, found)| **expected > 0 || **found > 0);
    let bins = used().count() as f64;
    let parts = used().map(|(expected, found)| {
        let p = (*expected as f64 + 0.5) / (before + 0.5 * bins);
        let q = (*found as f64 + p) / (now + 1.0);
        (q - p) * (q / p).ln()
    });
    Some(parts.sum())
}

/// What the index is on average where nothing has changed: (bins - 1) (1 / n + 1 / m), after Yurdakul.
fn by_chance(expected: &[u64], found: &[u64]) -> f64 {
    let used = expected.iter().zip(found).filter(|(expected, found)| **expected > 0 || **found > 0);
    let bins = used.count().saturating_sub(1) as f64;
    bins * (1.0 / sum(expected) + 1.0 / sum(found))
}

fn sum(counts: &[u64]) -> f64 {
    counts.iter().map(|count| *count as f64).sum()
}

/// Everything that is known of a version, by window.
pub fn report(seen: &Seen) -> Value {
    seen.tick();
    let windows = seen.within().into_iter().map(|(name, seconds, counts)| {
        let inputs = seen.bins.inputs.iter().flatten();
        let inputs: Vec<Value> = inputs.map(|input| of_input(&input.bins, &counts)).collect();
        let outputs = seen.bins.outputs.iter().flat_map(|output| {
            output.elements.iter().map(|bins| of_output(bins, output.kind, &counts))
        });
        let outputs: Vec<Value> = outputs.collect();
        json!({"window": name, "seconds": seconds, "inputs": inputs, "outputs": outputs})
    });
    Value::Array(windows.collect())
}

fn of_input(bins: &Bins, counts: &[u64]) -> Value {
    let (states, found) = part(bins, STATES.len(), counts);
    let rows = states.iter().chain(found).sum::<u64>();
    let mut entry = Map::new();
    entry.insert("input".to_owned(), json!(bins.name));
    entry.insert("rows".to_owned(), json!(rows));
    for (name, count) in STATES.iter().zip(states) {
        entry.insert((*name).to_owned(), json!(share(*count, rows)));
    }
    // What is missing in one way or another is one bin of the index; the other states are further ones.
    let gone = states[0] + states[1] + states[2];
    let all: Vec<u64> = found.iter().copied().chain([gone, states[3], states[4]]).collect();
    compare(bins, &mut entry, &all, &[bins.missing, 0, 0]);
    entry.insert("histogram".to_owned(), histogram(bins, None, found));
    Value::Object(entry)
}

fn of_output(bins: &Bins, kind: OutputKind, counts: &[u64]) -> Value {
    let (states, found) = part(bins, 1, counts);
    let rows = states[0] + found.iter().sum::<u64>();
    let mut entry = Map::new();
    entry.insert("output".to_owned(), json!(bins.name));
    if let Some(element) = &bins.element {
        entry.insert("element".to_owned(), json!(element));
    }
    entry.insert("rows".to_owned(), json!(rows));
    entry.insert("missing".to_owned(), json!(share(states[0], rows)));
    let all: Vec<u64> = found.iter().copied().chain([states[0]]).collect();
    compare(bins, &mut entry, &all, &[bins.missing]);
    entry.insert("histogram".to_owned(), histogram(bins, Some(kind), found));
    Value::Object(entry)
}

/// The counters of one input or output: its states, and its bins.
fn part<'a>(bins: &Bins, states: usize, counts: &'a [u64]) -> (&'a [u64], &'a [u64]) {
    let end = bins.first + states + bins.scale.bin_count();
    counts.get(bins.first..end).unwrap_or(&[]).split_at(states)
}

fn compare(bins: &Bins, entry: &mut Map<String, Value>, found: &[u64], states: &[u64]) {
    let Some(expected) = &bins.expected else {
        entry.insert("psi".to_owned(), Value::Null);
        entry.insert("lacks".to_owned(), json!(LACKING));
        return;
    };
    let expected: Vec<u64> = expected.iter().chain(states).copied().collect();
    let index = stability_index(&expected, found);
    let chance = index.map(|_| by_chance(&expected, found));
    let rows = sum(&expected);
    let missing = (rows > 0.0).then(|| bins.missing as f64 / rows);
    entry.insert("psi".to_owned(), json!(index));
    entry.insert("psi_by_chance".to_owned(), json!(chance));
    entry.insert("baseline_missing".to_owned(), json!(missing));
}

fn share(count: u64, rows: u64) -> Option<f64> {
    (rows > 0).then(|| count as f64 / rows as f64)
}

/// Both histograms side by side, in rows.
fn histogram(bins: &Bins, kind: Option<OutputKind>, found: &[u64]) -> Value {
    let names: Vec<Value> = match &bins.scale {
        Scale::Numbers(edges) => {
            let ends = edges.iter().map(|edge| json!(edge)).chain([Value::Null]);
            let starts = [Value::Null].into_iter().chain(edges.iter().map(|edge| json!(edge)));
            starts.zip(ends).map(|(from, below)| json!({"from": from, "below": below})).collect()
        }
        Scale::Texts(_, levels) | Scale::Values(_, levels) => {
            // A label is one of its classes.
            let rest = (kind != Some(OutputKind::Label)).then(|| json!({"others": true}));
            levels.iter().map(|level| json!({"level": level})).chain(rest).collect()
        }
    };
    let expected = |at: usize| bins.expected.as_ref().and_then(|counts| counts.get(at));
    let rows = names.into_iter().zip(found).enumerate().map(|(at, (mut name, count))| {
        name["baseline"] = json!(expected(at));
        name["found"] = json!(count);
        name
    });
    Value::Array(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_that_of_the_formula_where_there_are_many_rows() {
        let found = stability_index(&[50_000_000, 50_000_000], &[40_000_000, 60_000_000]);
        let formula = (0.4 - 0.5) * (0.4f64 / 0.5).ln() + (0.6 - 0.5) * (0.6f64 / 0.5).ln();
        assert!((found.unwrap_or(0.0) - formula).abs() < 1e-6);
    }

    #[test]
    fn the_same_shares_have_no_index_whatever_bins_are_empty() {
        let index = stability_index(&[900, 100, 0], &[9, 1, 0]).unwrap_or(1.0);
        assert!(index < 1e-3, "{index}");
        assert_eq!(stability_index(&[900, 100], &[0, 0]), None);
    }

    #[test]
    fn a_value_that_was_never_there_before_moves_the_index() {
        let index = stability_index(&[1000, 0], &[500, 500]).unwrap_or(0.0);
        assert!(index > 0.25, "{index}");
    }
}
