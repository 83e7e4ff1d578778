//! Finds tokens: a pattern as states, run over the sets of characters that each character is in.

/// What a state does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    /// The token ends here.
    Accept,
    /// Takes a character of a set.
    Take { set: u32, next: u32 },
    /// Tries the first; if that leads nowhere, the second.
    Either { first: u32, second: u32 },
    /// Goes on where one neighbor is in set 0 and the other is not, or else where they are alike.
    Boundary { is_one: bool, next: u32 },
}

/// Which sets a character is in: bit `n` for set `n`.
pub type Membership = u32;

/// States and the room to run them: which of them led nowhere at which place.
#[derive(Default)]
pub struct Seen {
    bits: Vec<u64>,
    pending: Vec<(u32, usize)>,
}

/// The tokens of a text, each as a range of its characters: leftmost first, as Python's `re.finditer`.
///
/// A state that led nowhere at a place never does, so that the time is at most characters times states.
pub fn find(
    states: &[State],
    characters: &[Membership],
    seen: &mut Seen,
    mut found: impl FnMut(usize, usize),
) {
    let Seen { bits, pending } = seen;
    bits.clear();
    bits.resize(((characters.len() + 1) * states.len()).div_ceil(64), 0);
    let mut start = 0;
    while start < characters.len() {
        match token(states, characters, start, bits, pending) {
            // A token is never empty, which is checked when the model is planned.
            Some(end) if end > start => {
                found(start, end);
                // What led to this end is no dead end there.
                for at in end * states.len()..(end + 1) * states.len() {
                    bits[at / 64] &= !(1 << (at % 64));
                }
                start = end;
            }
            _ => start += 1,
        }
    }
}

/// The end of the token that starts at a place.
fn token(
    states: &[State],
    characters: &[Membership],
    start: usize,
    bits: &mut [u64],
    pending: &mut Vec<(u32, usize)>,
) -> Option<usize> {
    pending.clear();
    pending.push((0, start));
    while let Some((state, at)) = pending.pop() {
        let place = at * states.len() + state as usize;
        let (word, bit) = (bits.get_mut(place / 64)?, 1 << (place % 64));
        if *word & bit != 0 {
            continue;
        }
        *word |= bit;
        match *states.get(state as usize)? {
            State::Accept => return Some(at),
            State::Take { set, next } => {
                if characters.get(at).is_some_and(|sets| sets >> set & 1 == 1) {
                    pending.push((next, at + 1));
                }
            }
            State::Either { first, second } => pending.extend([(second, at), (first, at)]),
            State::Boundary { is_one, next } => {
                let is_word = |at: Option<usize>| {
                    at.and_then(|at| characters.get(at)).is_some_and(|sets| sets & 1 == 1)
                };
                if (is_word(at.checked_sub(1)) != is_word(Some(at))) == is_one {
                    pending.push((next, at));
                }
            }
        }
    }
    None
}

/// Whether a token can be empty: whether the end can be reached without taking a character.
pub fn can_be_empty(states: &[State]) -> bool {
    let mut seen = vec![false; states.len()];
    let mut pending = vec![0u32];
    while let Some(state) = pending.pop() {
        match seen.get_mut(state as usize) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        match states[state as usize] {
            State::Accept => return true,
            State::Take { .. } => {}
            State::Either { first, second } => pending.extend([first, second]),
            State::Boundary { next, .. } => pending.push(next),
        }
    }
    false
}

#[cfg(test)]
mod checks {
    use super::*;

    fn tokens(states: &[State], text: &str) -> Vec<(usize, usize)> {
        let sets = |c: char| u32::from(c.is_alphanumeric()) | u32::from(c == 'b') << 1;
        let characters: Vec<Membership> = text.chars().map(sets).collect();
        let mut tokens = Vec::new();
        find(states, &characters, &mut Seen::default(), |start, end| tokens.push((start, end)));
        tokens
    }

    /// `\b\w\w+\b`
    const WORDS: [State; 7] = [
        State::Boundary { is_one: true, next: 1 },
        State::Take { set: 0, next: 2 },
        State::Take { set: 0, next: 3 },
        State::Either { first: 4, second: 5 },
        State::Take { set: 0, next: 3 },
        State::Boundary { is_one: true, next: 6 },
        State::Accept,
    ];

    #[test]
    fn test_words_of_two_characters_and_more_are_found() {
        assert_eq!(tokens(&WORDS, "I am, the one!"), [(2, 4), (6, 9), (10, 13)]);
        assert_eq!(tokens(&WORDS, ""), []);
        assert_eq!(tokens(&WORDS, "a b"), []);
    }

    #[test]
    fn test_a_long_text_without_a_token_takes_time_that_grows_with_it() {
        // `\w+b`, of which backtracking would try all ends from all starts.
        let states = [
            State::Take { set: 0, next: 1 },
            State::Either { first: 0, second: 2 },
            State::Take { set: 1, next: 3 },
            State::Accept,
        ];
        assert_eq!(tokens(&states, &"a".repeat(200_000)), []);
        assert_eq!(tokens(&states, "aab ab b"), [(0, 3), (4, 6)]);
        assert!(!can_be_empty(&states) && !can_be_empty(&WORDS));
        assert!(can_be_empty(
            &WORDS[5..6].iter().copied().map(|_| State::Accept).collect::<Vec<_>>()
        ));
    }
}
