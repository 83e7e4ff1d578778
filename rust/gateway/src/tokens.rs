//! Tokens: who may ask. Only their hashes are kept, in a file of lines `name sha256-hex`.

use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use subtle::{ConditionallySelectable, ConstantTimeEq};

/// So that a token can be recognized where it should not be.
const PREFIX: &str = "penstock_";
const SECRET_BYTES: usize = 32;

/// The tokens of a file.
#[derive(Debug, Default)]
pub struct Tokens {
    entries: Vec<(Arc<str>, [u8; 32])>,
}

impl Tokens {
    /// # Errors
    /// Which line is wrong.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("`{shown}` cannot be read: {error}; check the path"))?;
        Self::parse(&text).map_err(|what| format!("`{shown}`: {what}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Self::default();
        let mut names = HashSet::new();
        for (line, at) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let parts: Vec<_> = line.split_whitespace().collect();
            let (name, hash) = match parts.as_slice() {
                [name, hash] => (*name, hash_of_hex(hash)),
                _ => (line, None),
            };
            let Some(hash) = hash else {
                return Err(format!(
                    "line {at} is not a name and the SHA-256 of a token in 64 hex digits; `penstock token NAME` writes one"
                ));
            };
            if !names.insert(name) {
                return Err(format!("line {at}: token `{name}` is there twice; name it once"));
            }
            tokens.entries.push((name.into(), hash));
        }
        match tokens.entries.is_empty() {
            false => Ok(tokens),
            true => {
                Err("has no token, so that nobody could ask; add one, or leave out --tokens"
                    .to_owned())
            }
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(other, _)| **other == *name)
    }

    /// The name of a token. Takes as long whichever token it is, and whether it is one or not.
    pub fn name(&self, token: &[u8]) -> Option<&Arc<str>> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let mut found = u32::MAX;
        for ((_, other), at) in self.entries.iter().zip(0..) {
            found.conditional_assign(&at, hash.ct_eq(other));
        }
        self.entries.get(found as usize).map(|(name, _)| name)
    }
}

fn hash_of_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, at) in hash.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(hash)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A new token, and the line of a file that knows it.
///
/// # Errors
/// The name cannot stand in such a file, or the system gives no random bytes.
pub fn create(name: &str) -> Result<(String, String), String> {
    if name.is_empty() || name.starts_with('#') || name.chars().any(char::is_whitespace) {
        return Err(format!("`{name}` cannot name a token; use letters and digits"));
    }
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret)
        .map_err(|error| format!("the system gives no random bytes: {error}"))?;
    let token = format!("{PREFIX}{}", hex(&secret));
    let line = format!("{name} {}", hex(&Sha256::digest(token.as_bytes())));
    Ok((token, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_is_known_by_its_line_and_no_other_is() {
        let (token, line) = create("shop").unwrap();
        let (other, second) = create("bank").unwrap();
        let tokens = Tokens::parse(&format!("# who\n\n{line}\n{second}\n")).unwrap();
        assert_eq!(tokens.name(token.as_bytes()), Some(&"shop".into()));
        assert_eq!(tokens.name(other.as_bytes()), Some(&"bank".into()));
        assert_eq!(tokens.name(&token.as_bytes()[..token.len() - 1]), None);
        assert!(!line.contains(&token));
    }

    #[test]
    fn a_file_that_would_let_nobody_in_or_lies_is_refused_with_its_line() {
        let (_, line) = create("shop").unwrap();
        assert!(Tokens::parse("# nothing\n").unwrap_err().contains("has no token"));
        assert!(Tokens::parse(&format!("{line}\nshop abc")).unwrap_err().contains("line 2"));
        assert!(Tokens::parse(&format!("{line}\n{line}")).unwrap_err().contains("twice"));
    }
}
