//! The zip around an artifact: reads and writes the strict subset of `docs/format.md`, and nothing else.

mod checksum;
mod header;
mod read;
mod reader;
mod write;

pub(crate) use checksum::checksum;
pub use read::read;
pub use write::write;

use crate::budgets::{
    MAX_CARD_BYTES, MAX_EXAMPLES_BYTES, MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES, MAX_TENSORS_BYTES,
};

/// The unpacked entries of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    pub manifest: Vec<u8>,
    pub tensors: Vec<u8>,
    pub examples: Vec<u8>,
    pub card: Vec<u8>,
    pub signature: Option<Vec<u8>>,
}

pub const MANIFEST: &str = "manifest.json";
pub const TENSORS: &str = "tensors.safetensors";
pub const EXAMPLES: &str = "examples.json";
pub const CARD: &str = "card.md";
pub const SIGNATURE: &str = "signature";

/// Names in their order, with the most bytes that each may have; the last one is optional.
const LAYOUT: [(&str, usize); 5] = [
    (MANIFEST, MAX_MANIFEST_BYTES),
    (TENSORS, MAX_TENSORS_BYTES),
    (EXAMPLES, MAX_EXAMPLES_BYTES),
    (CARD, MAX_CARD_BYTES),
    (SIGNATURE, MAX_SIGNATURE_BYTES),
];
const REQUIRED: usize = 4;

/// Numbers of the zip format: APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12, 4.3.16 and 4.4.
const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const LOCAL_SIZE: usize = 30;
const VERSION: u16 = 20;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// 1980-01-01 00:00 as date and time of MS-DOS.
const DATE: u16 = 0x21;
const TIME: u16 = 0;
