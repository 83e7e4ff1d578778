//! Names of requests: those that clients give, or new ones; and the trace that a request belongs to.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::LazyLock;

/// Longest name that is taken from a client.
const MOST_BYTES: usize = 128;

/// Tells this process from all others.
static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(std::process::id()));
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Whether a client's name for a request can be logged and sent back: printable ASCII without spaces.
pub fn is_id(name: &[u8]) -> bool {
    (1..=MOST_BYTES).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic)
}

/// A name that no other request has: 16 digits for the process, and a count.
pub fn new_id() -> [u8; 25] {
    let mut id = [b'-'; 25];
    // Eight digits are enough to tell requests apart for 2^32 of them, and longer ones wrap around.
    hexadecimal(*PROCESS, &mut id[..16]);
    hexadecimal(NEXT.fetch_add(1, Ordering::Relaxed), &mut id[17..]);
    id
}

/// The lowest digits of a number.
fn hexadecimal(mut number: u64, to: &mut [u8]) {
    for digit in to.iter_mut().rev() {
        *digit = b"0123456789abcdef".get((number & 15) as usize).copied().unwrap_or(b'0');
        number >>= 4;
    }
}

/// Whether this is a `traceparent` of version 00 (W3C Trace Context, 3.2.2), or of a later one in the same form.
pub fn is_traceparent(text: &[u8]) -> bool {
    let parts: Vec<&[u8]> = text.splitn(5, |byte| *byte == b'-').collect();
    let [version, trace, parent, flags, rest @ ..] = parts.as_slice() else { return false };
    let is_hexadecimal = |part: &[u8], length: usize| {
        part.len() == length && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_set = |part: &[u8]| part.iter().any(|byte| *byte != b'0');
    is_hexadecimal(version, 2)
        && *version != b"ff"
        && (rest.is_empty() || (*version != b"00" && text.len() <= MOST_BYTES && is_id(text)))
        && is_hexadecimal(trace, 32)
        && is_set(trace)
        && is_hexadecimal(parent, 16)
        && is_set(parent)
        && is_hexadecimal(flags, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_id_is_another_and_may_be_sent_back() {
        let (first, second) = (new_id(), new_id());
        assert_ne!(first, second);
        assert!(is_id(&first));
    }

    #[test]
    fn ids_with_line_ends_spaces_or_no_end_are_not_taken() {
        for name in [&b""[..], b"a b", b"a\nb", "ä".as_bytes(), &[b'x'; 129]] {
            assert!(!is_id(name));
        }
        assert!(is_id(b"client-7/\"x\""));
    }

    #[test]
    fn a_traceparent_is_taken_only_as_the_standard_has_it() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(is_traceparent(trace.as_bytes()));
        for wrong in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more".to_owned(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01".to_owned(),
            trace.replace("00-", "ff-"),
            trace.to_uppercase(),
            trace[..54].to_owned(),
        ] {
            assert!(!is_traceparent(wrong.as_bytes()), "{wrong}");
        }
    }
}
