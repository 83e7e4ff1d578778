//! Functions of texts, as Python's `str` has them; used by the operators of texts.

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

/// Shannon entropy of the characters in bits: terms are added in the order in which characters come first.
pub fn entropy(text: &str) -> f64 {
    if text.is_ascii() {
        let mut counts = [0u32; 128];
        let mut order = [0u8; 128];
        let mut distinct = 0;
        for byte in text.bytes() {
            let count = &mut counts[usize::from(byte & 127)];
            if *count == 0 {
                order[distinct] = byte;
                distinct += 1;
            }
            *count += 1;
        }
        let counts = order[..distinct].iter().map(|byte| counts[usize::from(*byte)]);
        return entropy_of(counts, text.len());
    }
    let mut counts: Vec<(char, u32)> = Vec::new();
    let mut total = 0;
    for character in text.chars() {
        total += 1;
        match counts.iter_mut().find(|(known, _)| *known == character) {
            Some((_, count)) => *count += 1,
            None => counts.push((character, 1)),
        }
    }
    entropy_of(counts.into_iter().map(|(_, count)| count), total)
}

fn entropy_of(counts: impl Iterator<Item = u32>, total: usize) -> f64 {
    let mut last = (0, 0.0);
    let terms = counts.map(|count| {
        // Most characters of short texts come as often as the one before.
        if count != last.0 {
            let share = f64::from(count) / total as f64;
            last = (count, share * share.log2());
        }
        last.1
    });
    // Not `-`: the entropy of one character is 0, not -0.
    0.0 - terms.sum::<f64>()
}

/// The share of characters that are among these; of no characters there is none.
pub fn share(text: &str, characters: &str) -> Option<f64> {
    if text.is_empty() {
        return None;
    }
    let is_within = |character: &char| characters.contains(*character);
    if text.is_ascii() && characters.is_ascii() {
        let mut set = 0u128;
        characters.bytes().for_each(|byte| set |= 1 << (byte & 127));
        let found = text.bytes().filter(|byte| set >> (byte & 127) & 1 == 1).count();
        return Some(found as f64 / text.len() as f64);
    }
    let found = text.chars().filter(is_within).count();
    Some(found as f64 / text.chars().count() as f64)
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
        return text.split(separator).nth(index as usize);
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
