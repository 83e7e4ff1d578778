//! Packs the entries of an artifact; the same entries give the same bytes.

use super::checksum::checksum;
use super::header::{saturate, shrinks_too_much, Header};
use super::{Entries, CENTRAL, DATE, DEFLATED, END, LAYOUT, LOCAL, STORED, TIME, VERSION};
use std::borrow::Cow;

/// On the arrays of trees, 6 takes four times as long as 3 for 8 percent less.
const LEVEL: u8 = 3;

/// Packs an artifact; the same entries give the same bytes.
///
/// Entries beyond the budgets give a file that `read` refuses.
pub fn write(entries: &Entries) -> Vec<u8> {
    let Entries { manifest, tensors, examples, card, signature } = entries;
    let required = [manifest, tensors, examples, card].map(Vec::as_slice);
    let (mut output, mut central, mut count) = (Vec::new(), Vec::new(), 0u16);
    for ((name, _), data) in
        LAYOUT.into_iter().zip(required.into_iter().chain(signature.as_deref()))
    {
        let start = saturate(output.len());
        let (header, packed) = pack(name, data);
        output.extend(LOCAL);
        header.write(&mut output);
        output.extend(name.as_bytes());
        output.extend(packed.as_ref());
        central.extend(CENTRAL);
        central.extend(VERSION.to_le_bytes());
        header.write(&mut central);
        // No comment, first volume, no attributes.
        central.extend([0; 10]);
        central.extend(start.to_le_bytes());
        central.extend(name.as_bytes());
        count += 1;
    }
    let start = saturate(output.len());
    output.extend(&central);
    output.extend(END);
    output.extend([[0, 0], [0, 0], count.to_le_bytes(), count.to_le_bytes()].concat());
    output.extend(saturate(central.len()).to_le_bytes());
    output.extend(start.to_le_bytes());
    output.extend([0, 0]);
    output
}

/// The header and the bytes of an entry, deflated where that makes it smaller and `read` would take it.
fn pack<'a>(name: &str, data: &'a [u8]) -> (Header, Cow<'a, [u8]>) {
    let deflated = miniz_oxide::deflate::compress_to_vec(data, LEVEL);
    let is_stored = deflated.len() >= data.len() || shrinks_too_much(data.len(), deflated.len());
    let packed = if is_stored { Cow::Borrowed(data) } else { Cow::Owned(deflated) };
    let header = Header {
        version: VERSION,
        flags: 0,
        method: if is_stored { STORED } else { DEFLATED },
        time: TIME,
        date: DATE,
        checksum: checksum(data),
        compressed: packed.len(),
        size: data.len(),
        name_length: name.len(),
        extra_length: 0,
    };
    (header, packed)
}
