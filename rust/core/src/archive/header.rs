//! The part of a zip that says what an entry is; used to read and to write.

use super::reader::Reader;
use super::{DATE, DEFLATED, STORED, TIME, VERSION};
use crate::budgets::{FREE_BYTES, MAX_DEFLATE_RATIO, MAX_RATIO};
use crate::error::ArtifactError;

/// The part that a local header and its central header have in common.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) version: u16,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: u16,
    pub(super) date: u16,
    pub(super) checksum: u32,
    pub(super) compressed: usize,
    pub(super) size: usize,
    pub(super) name_length: usize,
    pub(super) extra_length: u16,
}

impl Header {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ArtifactError> {
        Ok(Self {
            version: reader.u16()?,
            flags: reader.u16()?,
            method: reader.u16()?,
            time: reader.u16()?,
            date: reader.u16()?,
            checksum: reader.array().map(u32::from_le_bytes)?,
            compressed: reader.u32()?,
            size: reader.u32()?,
            name_length: usize::from(reader.u16()?),
            extra_length: reader.u16()?,
        })
    }

    pub(super) fn write(&self, output: &mut Vec<u8>) {
        let [version, flags, method, time, date] =
            [self.version, self.flags, self.method, self.time, self.date].map(u16::to_le_bytes);
        output.extend([version, flags, method, time, date].concat());
        output.extend(self.checksum.to_le_bytes());
        output
            .extend([self.compressed, self.size].map(|size| saturate(size).to_le_bytes()).concat());
        output.extend(u16::try_from(self.name_length).unwrap_or(u16::MAX).to_le_bytes());
        output.extend(self.extra_length.to_le_bytes());
    }

    /// What is wrong with the header of an entry that may have at most `most` bytes.
    pub(super) fn fault(&self, most: usize) -> Option<String> {
        let Self { method, compressed, size, .. } = *self;
        let saturated = saturate(usize::MAX) as usize;
        let faults = [
            (self.flags & 1 != 0, "is encrypted".to_owned()),
            (self.flags & 8 != 0, "has a data descriptor".to_owned()),
            (self.flags & !9 != 0, format!("has the flags {:#06x}", self.flags)),
            (self.extra_length != 0, "has an extra field".to_owned()),
            (compressed == saturated || size == saturated, "is zip64".to_owned()),
            (self.version > VERSION, format!("needs zip version {}", self.version)),
            (method != STORED && method != DEFLATED, format!("is packed by method {method}")),
            ((self.date, self.time) != (DATE, TIME), "has a time stamp".to_owned()),
            (size > most, format!("declares {size} bytes; the most is {most}")),
            (method == STORED && compressed != size, "is stored with two sizes".to_owned()),
            (shrinks_too_much(size, compressed), format!("declares {size} bytes in {compressed}")),
        ];
        faults.into_iter().find_map(|(is_wrong, what)| is_wrong.then_some(what))
    }
}

/// Whether `read` refuses the sizes, which is why `write` stores such entries.
pub(super) fn shrinks_too_much(size: usize, compressed: usize) -> bool {
    let ratio = if size > FREE_BYTES { MAX_RATIO } else { MAX_DEFLATE_RATIO };
    size > compressed.saturating_mul(ratio)
}

pub(super) fn saturate(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
