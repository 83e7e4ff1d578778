//! The terms of a text: its characters mapped, cut into tokens, and those or the characters joined to n-grams.

use super::characters::is_space;
use super::machine::{find, Membership, Seen, State};
use foldhash::{HashMap, HashSet};

/// Sets of characters that a pattern may have, as many as a [`Membership`] has bits.
pub const MOST_SETS: usize = 32;

/// Ranges of code points, both ends included, in ascending order.
#[derive(Debug, Default)]
pub struct Ranges(pub Vec<(u32, u32)>);

impl Ranges {
    fn has(&self, character: char) -> bool {
        let code = u32::from(character);
        let after = self.0.partition_point(|(first, _)| *first <= code);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, last)| code <= *last)
    }
}

/// What becomes of the characters of a text before it is cut.
pub struct Mapping {
    /// Texts of characters that change, and the same for those of ASCII by their code.
    pub becomes: HashMap<char, Box<str>>,
    pub ascii: Vec<Option<Box<str>>>,
    /// Others beyond ASCII are left out.
    pub only_ascii: bool,
    /// Cased characters, and those that do not count when they are looked for, if a capital sigma at the end of a word
    /// becomes the final one.
    pub sigma: Option<(Ranges, Ranges)>,
}

impl Mapping {
    pub fn new(
        pairs: impl Iterator<Item = (char, String)>,
        only_ascii: bool,
        sigma: Option<(Ranges, Ranges)>,
    ) -> Self {
        let becomes: HashMap<char, Box<str>> =
            pairs.map(|(from, to)| (from, to.into_boxed_str())).collect();
        let ascii = (0..128u8).map(|code| becomes.get(&char::from(code)).cloned()).collect();
        Self { becomes, ascii, only_ascii, sigma }
    }

    fn apply(&self, text: &str, to: &mut String) {
        to.clear();
        for (at, character) in text.char_indices() {
            let becomes = match self.ascii.get(character as usize) {
                Some(becomes) => becomes.as_deref(),
                None => self.becomes.get(&character).map(|becomes| &**becomes),
            };
            match becomes {
                _ if character == 'Σ' && self.is_final(text, at) => to.push('ς'),
                Some(becomes) => to.push_str(becomes),
                None if self.only_ascii && !character.is_ascii() => {}
                None => to.push(character),
            }
        }
    }

    /// Whether a capital sigma ends a word (CPython's `handle_capital_sigma`).
    fn is_final(&self, text: &str, at: usize) -> bool {
        let Some((cased, ignored)) = &self.sigma else { return false };
        let is_cased = |mut characters: &mut dyn Iterator<Item = char>| {
            (&mut characters).find(|c| !ignored.has(*c)).is_some_and(|c| cased.has(c))
        };
        let (before, after) = text.split_at(at);
        is_cased(&mut before.chars().rev()) && !is_cased(&mut after.chars().skip(1))
    }
}

/// How a text is cut.
pub enum Analyzer {
    /// Into tokens: states of a pattern and its sets, and the tokens that do not count.
    Word { states: Vec<State>, sets: Vec<Ranges>, ascii: Vec<Membership>, stop: HashSet<Box<str>> },
    /// Into characters.
    Character,
    /// Into the characters of each word, with a space before and behind it.
    CharacterInWord,
}

impl Analyzer {
    /// The analyzer of words, with what is in the sets looked up for ASCII.
    pub fn word(states: Vec<State>, sets: Vec<Ranges>, stop: HashSet<Box<str>>) -> Self {
        let ascii = (0..128u8).map(|code| memberships(&sets, char::from(code))).collect();
        Self::Word { states, sets, ascii, stop }
    }
}

fn memberships(sets: &[Ranges], character: char) -> Membership {
    let bit = |(at, set): (usize, &Ranges)| Membership::from(set.has(character)) << at;
    sets.iter().enumerate().map(bit).fold(0, |all, bit| all | bit)
}

/// Room to take a text apart. It only ever grows.
#[derive(Default)]
pub struct TermRoom {
    mapped: String,
    spaced: String,
    joined: String,
    /// The name of an entry.
    pub name: String,
    seen: Seen,
    sets: Vec<Membership>,
    /// Where each character starts, and the end of the last.
    starts: Vec<usize>,
    tokens: Vec<(usize, usize)>,
    /// Positions of the terms that a row has.
    pub hits: Vec<(u32, f64)>,
}

/// How a text becomes terms.
pub struct Analysis {
    pub mapping: Mapping,
    pub analyzer: Analyzer,
    pub shortest: usize,
    pub longest: usize,
}

impl Analysis {
    /// Hands over every term of a text, as often as it comes.
    pub fn terms(&self, text: &str, room: &mut TermRoom, mut term: impl FnMut(&str)) {
        let mut mapped = std::mem::take(&mut room.mapped);
        self.mapping.apply(text, &mut mapped);
        match &self.analyzer {
            Analyzer::Word { states, sets, ascii, stop } => {
                room.read(&mapped, sets, ascii);
                room.cut(&mapped, states, stop);
                self.words(&mapped, room, &mut term);
            }
            Analyzer::Character => {
                collapse(&mapped, &mut room.spaced);
                let spaced = std::mem::take(&mut room.spaced);
                self.characters(&spaced, room, &mut term);
                room.spaced = spaced;
            }
            Analyzer::CharacterInWord => {
                let mut word = std::mem::take(&mut room.spaced);
                for found in mapped.split(is_space).filter(|found| !found.is_empty()) {
                    word.clear();
                    word.extend([" ", found, " "]);
                    self.characters_in_word(&word, room, &mut term);
                }
                room.spaced = word;
            }
        }
        room.mapped = mapped;
    }

    fn words(&self, text: &str, room: &mut TermRoom, term: &mut impl FnMut(&str)) {
        let TermRoom { tokens, joined, .. } = room;
        for count in self.shortest..=self.longest.min(tokens.len()) {
            for tokens in tokens.windows(count) {
                if let [(start, end)] = tokens {
                    term(&text[*start..*end]);
                    continue;
                }
                joined.clear();
                for (at, (start, end)) in tokens.iter().enumerate() {
                    joined.push_str(if at == 0 { "" } else { " " });
                    joined.push_str(&text[*start..*end]);
                }
                term(joined);
            }
        }
    }

    fn characters(&self, text: &str, room: &mut TermRoom, term: &mut impl FnMut(&str)) {
        room.place(text);
        let count = room.starts.len() - 1;
        for length in self.shortest..=self.longest.min(count) {
            for (start, end) in room.starts.iter().zip(&room.starts[length..]) {
                term(&text[*start..*end]);
            }
        }
    }

    /// A word that is shorter than the shortest n-gram counts once (`_char_wb_ngrams` of scikit-learn).
    fn characters_in_word(&self, word: &str, room: &mut TermRoom, term: &mut impl FnMut(&str)) {
        room.place(word);
        let count = room.starts.len() - 1;
        if self.shortest >= count {
            term(word);
            return;
        }
        for length in self.shortest..=self.longest.min(count) {
            for (start, end) in room.starts.iter().zip(&room.starts[length..]) {
                term(&word[*start..*end]);
            }
        }
    }

    pub fn memory(&self) -> usize {
        self.mapping.becomes.len() * size_of::<(char, Box<str>)>() * 2
    }
}

impl TermRoom {
    fn place(&mut self, text: &str) {
        self.starts.clear();
        self.starts.extend(text.char_indices().map(|(at, _)| at).chain([text.len()]));
    }

    fn read(&mut self, text: &str, sets: &[Ranges], ascii: &[Membership]) {
        self.place(text);
        self.sets.clear();
        self.sets.extend(text.chars().map(|character| {
            let known = ascii.get(character as usize).copied();
            known.unwrap_or_else(|| memberships(sets, character))
        }));
    }

    fn cut(&mut self, text: &str, states: &[State], stop: &HashSet<Box<str>>) {
        let Self { sets, starts, tokens, seen, .. } = self;
        tokens.clear();
        find(states, sets, seen, |start, end| {
            let (start, end) = (starts[start], starts[end]);
            if !stop.contains(&text[start..end]) {
                tokens.push((start, end));
            }
        });
    }
}

/// Two and more spaces of any kind become one plain one.
fn collapse(text: &str, to: &mut String) {
    to.clear();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_run = is_space(character) && characters.next_if(|c| is_space(*c)).is_some();
        if is_run {
            while characters.next_if(|c| is_space(*c)).is_some() {}
        }
        to.push(if is_run { ' ' } else { character });
    }
}

/// `MurmurHash3_x86_32` of Austin Appleby, which is in the public domain, with a seed of 0.
pub fn murmur(bytes: &[u8]) -> i32 {
    let mut hash = 0u32;
    let mix = |word: u32| word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let word = word.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = (hash ^ mix(word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let tail = words.remainder();
    if !tail.is_empty() {
        hash ^= mix(tail.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)));
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    (hash ^ hash >> 16) as i32
}

#[cfg(test)]
mod checks {
    use super::*;

    #[test]
    fn test_hashes_are_those_of_murmur() {
        // scikit-learn's murmurhash3_32 of these.
        assert_eq!(murmur(b""), 0);
        assert_eq!(murmur(b"foo"), -156_908_512);
        assert_eq!(murmur("éa".as_bytes()), murmur(&[0xc3, 0xa9, 0x61]));
    }

    #[test]
    fn test_runs_of_spaces_become_one_and_single_ones_stay() {
        let mut to = String::new();
        collapse("a \t b\nc\u{3000}\u{1c}d ", &mut to);
        assert_eq!(to, "a b\nc d ");
    }
}
