//! Functions of texts, as Python's `str` has them; used by the operators of texts.

use foldhash::HashMap;
use std::ops::Range;

/// Whether Python's `str.strip` takes the character off: `str.isspace`.
pub fn is_space(character: char) -> bool {
    // Unicode's White_Space, and four separators that Python counts by their bidirectional class.
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// `len(text)`.
pub fn length(text: &str) -> f64 {
    let count = if text.is_ascii() { text.len() } else { text.chars().count() };
    count as f64
}

/// Texts up to so many characters find the terms of their entropy in a table.
const TERMS: usize = 64;

/// Shannon entropy of the characters of texts, in bits.
pub struct Entropy {
    /// What a character adds that comes so many times, for each length of a text.
    terms: Vec<[f64; TERMS + 1]>,
}

impl Default for Entropy {
    fn default() -> Self {
        let term = |count: usize, total: usize| if count == 0 { 0.0 } else { term(count, total) };
        let row = |total: usize| std::array::from_fn(|count| term(count, total));
        Self { terms: (0..=TERMS).map(row).collect() }
    }
}

impl Entropy {
    pub fn memory(&self) -> usize {
        self.terms.len() * size_of::<[f64; TERMS + 1]>()
    }

    /// The entropy: terms are added in the order in which characters come first.
    pub fn of(&self, text: &str) -> f64 {
        let bytes = text.as_bytes();
        let Some(terms) = self.terms.get(bytes.len()).filter(|_| text.is_ascii()) else {
            return entropy(text);
        };
        let mut counts = [0u8; 128];
        bytes.iter().for_each(|byte| counts[usize::from(byte & 127)] += 1);
        let mut sum = 0.0;
        for byte in bytes {
            // Where a character comes again, its count is 0, which adds 0.
            let count = std::mem::take(&mut counts[usize::from(byte & 127)]);
            sum += terms[usize::from(count) % (TERMS + 1)];
        }
        // Not `-`: the entropy of one character is 0, not -0.
        0.0 - sum
    }
}

fn term(count: usize, total: usize) -> f64 {
    let share = count as f64 / total as f64;
    share * share.log2()
}

/// The entropy of a text of any characters and length.
fn entropy(text: &str) -> f64 {
    let mut places: HashMap<char, usize> = HashMap::default();
    let mut counts = Vec::new();
    let mut total = 0;
    for character in text.chars() {
        total += 1;
        let place = *places.entry(character).or_insert(counts.len());
        match counts.get_mut(place) {
            Some(count) => *count += 1,
            None => counts.push(1),
        }
    }
    0.0 - counts.into_iter().map(|count| term(count, total)).sum::<f64>()
}

/// Characters of which a text may have a share.
pub struct Characters {
    all: String,
    /// Whether each of ASCII is among them, as 0 or 1.
    ascii: [u8; 128],
}

impl Characters {
    pub fn new(characters: &str) -> Self {
        let mut ascii = [0; 128];
        let bytes = characters.bytes().filter(u8::is_ascii);
        bytes.for_each(|byte| ascii[usize::from(byte)] = 1);
        Self { all: characters.to_owned(), ascii }
    }

    /// The share of the characters of a text that are among these; of no characters there is none.
    pub fn share(&self, text: &str) -> Option<f64> {
        if text.is_empty() {
            return None;
        }
        if text.is_ascii() {
            let is_among = |byte: u8| usize::from(self.ascii[usize::from(byte & 127)]);
            let found: usize = text.bytes().map(is_among).sum();
            return Some(found as f64 / text.len() as f64);
        }
        let found = text.chars().filter(|character| self.all.contains(*character)).count();
        Some(found as f64 / text.chars().count() as f64)
    }
}

/// `float(text)`, of ASCII digits.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    if !text.contains('_') {
        return text.parse().ok();
    }
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let between = |at: usize| at > 0 && is_digit(at - 1) && is_digit(at + 1);
    let are_between = text.match_indices('_').all(|(at, _)| between(at));
    are_between.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// `text.split(separator)[index]`, if there are so many.
pub fn part<'a>(text: &'a str, separator: &str, index: i32) -> Option<&'a str> {
    if index >= 0 {
        // One character is found without preparing a search.
        let mut characters = separator.chars();
        return match (characters.next(), characters.next()) {
            (Some(only), None) => text.split(only).nth(index as usize),
            _ => text.split(separator).nth(index as usize),
        };
    }
    let back = index.unsigned_abs() as usize;
    let count = text.split(separator).count();
    text.split(separator).nth(count.checked_sub(back)?)
}

/// `text[start:stop]`, in characters.
pub fn slice(text: &str, start: Option<i32>, stop: Option<i32>) -> &str {
    let is_ascii = text.is_ascii();
    let length = if is_ascii { text.len() } else { text.chars().count() };
    let Range { start, end } = positions(length, start, stop);
    if start >= end {
        return "";
    }
    if is_ascii {
        return &text[start..end];
    }
    let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let first = ends.nth(start).unwrap_or(text.len());
    let last = ends.nth(end - start - 1).unwrap_or(text.len());
    &text[first..last]
}

/// CPython's `PySlice_AdjustIndices` with a step of 1.
fn positions(length: usize, start: Option<i32>, stop: Option<i32>) -> Range<usize> {
    let at = |index: i32| {
        if index < 0 {
            length.saturating_sub(index.unsigned_abs() as usize)
        } else {
            (index as usize).min(length)
        }
    };
    start.map_or(0, at)..stop.map_or(length, at)
}

#[cfg(test)]
mod checks {
    use super::*;

    #[test]
    fn test_slices_are_those_of_python() {
        assert_eq!(slice("Straße", Some(4), None), "ße");
        assert_eq!(slice("Straße", Some(-2), Some(-1)), "ß");
        assert_eq!(slice("東京", Some(1), Some(9)), "京");
        assert_eq!(slice("abc", Some(2), Some(1)), "");
        assert_eq!(part("a.b.c", ".", -1), Some("c"));
        assert_eq!(part("a.b.c", ".", -4), None);
    }

    #[test]
    fn test_underscores_of_a_number_stand_between_digits() {
        assert_eq!(number(" 1_000.5\n"), Some(1000.5));
        assert_eq!(number("_1"), None);
        assert_eq!(number("1__0"), None);
        assert_eq!(number(""), None);
    }
}
