//! Unpacks the entries of an artifact, after everything that the zip declares was checked.

use super::checksum::checksum;
use super::header::Header;
use super::reader::{refuse, Reader};
use super::{Entries, CENTRAL, END, END_SIZE, LAYOUT, LOCAL, LOCAL_SIZE, REQUIRED, STORED};
use crate::budgets::MAX_ARTIFACT_BYTES;
use crate::error::ArtifactError;
use crate::json::shorten;
use miniz_oxide::inflate::core::{decompress, inflate_flags, DecompressorOxide};
use miniz_oxide::inflate::TINFLStatus;

/// Unpacks an artifact; everything that the zip declares is checked before anything is allocated.
pub fn read(bytes: &[u8]) -> Result<Entries, ArtifactError> {
    if bytes.len() > MAX_ARTIFACT_BYTES {
        let size = bytes.len();
        return Err(refuse(&format!("has {size} bytes; the most is {MAX_ARTIFACT_BYTES}")));
    }
    if !bytes.starts_with(LOCAL) {
        return Err(refuse("is not a `.penstock` file: it does not begin as a zip"));
    }
    let packed = locate(bytes)?;
    let mut unpacked = Vec::with_capacity(packed.len());
    for entry in &packed {
        unpacked.push(entry.unpack()?);
    }
    let mut unpacked = unpacked.into_iter();
    // `locate` has refused fewer than four.
    let mut next = || unpacked.next().unwrap_or_default();
    let (manifest, tensors, examples, card) = (next(), next(), next(), next());
    Ok(Entries { manifest, tensors, examples, card, signature: unpacked.next() })
}

struct Packed<'a> {
    name: &'static str,
    header: Header,
    data: &'a [u8],
}

/// The entries in order; refuses gaps, overlaps, repetitions, and headers that differ.
fn locate(bytes: &[u8]) -> Result<Vec<Packed<'_>>, ArtifactError> {
    let (entries, count, mut central) = directory(bytes)?;
    let mut local = Reader { bytes: entries, what: "an entry" };
    let mut packed = Vec::with_capacity(LAYOUT.len());
    for (name, most) in LAYOUT.into_iter().take(count.max(REQUIRED)) {
        let start = entries.len() - local.bytes.len();
        packed.push(locate_entry(name, most, start, &mut central, &mut local)?);
    }
    if count > LAYOUT.len() || !central.bytes.is_empty() {
        return Err(refuse(&format!("has entries or bytes beyond {}", names())));
    }
    if !local.bytes.is_empty() {
        return Err(refuse("has bytes between its entries and its directory"));
    }
    Ok(packed)
}

fn names() -> String {
    format!("`{}`", LAYOUT.map(|(name, _)| name).join("`, `"))
}

/// The part with the entries, the number of entries, and the central directory.
fn directory(bytes: &[u8]) -> Result<(&[u8], usize, Reader<'_>), ArtifactError> {
    let truncated = "is truncated, or has bytes after its end: the end of the zip is not there";
    let Some((rest, end)) = bytes.split_last_chunk::<END_SIZE>() else {
        return Err(refuse(truncated));
    };
    let mut reader = Reader { bytes: end, what: "the end of the zip" };
    if reader.take(END.len())? != END {
        return Err(refuse(truncated));
    }
    let disks = [reader.u16()?, reader.u16()?];
    let [count_here, count] = [reader.u16()?, reader.u16()?];
    let [size, start] = [reader.u32()?, reader.u32()?];
    if disks != [0, 0] || count_here != count {
        return Err(refuse("is one of several volumes"));
    }
    if reader.u16()? != 0 {
        return Err(refuse("has a comment"));
    }
    if start.checked_add(size) != Some(rest.len()) {
        return Err(refuse(
            "is truncated, has bytes in front, or is zip64: its directory is elsewhere",
        ));
    }
    let mut reader = Reader { bytes: rest, what: "the directory" };
    let entries = reader.take(start)?;
    Ok((entries, usize::from(count), reader))
}

fn locate_entry<'a>(
    name: &'static str,
    most: usize,
    start: usize,
    central: &mut Reader<'_>,
    local: &mut Reader<'a>,
) -> Result<Packed<'a>, ArtifactError> {
    if central.bytes.is_empty() {
        return Err(refuse(&format!("has no entry `{name}`")));
    }
    if central.take(CENTRAL.len())? != CENTRAL {
        return Err(refuse(&format!("has no directory header for `{name}`")));
    }
    central.u16()?; // Who made it: only tells how to read file attributes, which we never do.
    let header = Header::read(central)?;
    let [comment_length, disk, _attributes] = [central.u16()?, central.u16()?, central.u16()?];
    let [_attributes, offset] = [central.u32()?, central.u32()?];
    let is_name = central.take(header.name_length)?;
    if is_name != name.as_bytes() {
        let is_name = shorten(&String::from_utf8_lossy(is_name));
        let (names, place) = (names(), "in this order, each once, the last one optional");
        return Err(refuse(&format!(
            "has `{is_name}` where `{name}` belongs: it holds {names} {place}"
        )));
    }
    let wrong = |what: &str| refuse(&format!("has a wrong entry: `{name}` {what}"));
    if let Some(fault) = header.fault(most) {
        return Err(wrong(&fault));
    }
    if comment_length != 0 || disk != 0 {
        return Err(wrong("has a comment or is on another volume"));
    }
    if offset != start {
        return Err(wrong(&format!("begins at byte {offset}, not at {start}")));
    }
    let mut expected = LOCAL.to_vec();
    header.write(&mut expected);
    expected.extend(name.as_bytes());
    if local.take(LOCAL_SIZE + name.len())? != expected {
        return Err(wrong("has a local header that differs from the directory"));
    }
    Ok(Packed { name, header, data: local.take(header.compressed)? })
}

impl Packed<'_> {
    fn unpack(&self) -> Result<Vec<u8>, ArtifactError> {
        let name = self.name;
        let unpacked = match self.header.method {
            STORED => self.data.to_vec(),
            _ => inflate(self.data, self.header.size).ok_or_else(|| {
                let size = self.header.size;
                refuse(&format!(
                    "is damaged: `{name}` does not unpack to the declared {size} bytes"
                ))
            })?,
        };
        if checksum(&unpacked) != self.header.checksum {
            return Err(refuse(&format!("is damaged: the checksum of `{name}` does not match")));
        }
        Ok(unpacked)
    }
}

/// None unless all of `data` unpacks to exactly `size` bytes.
fn inflate(data: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut output = vec![0; size];
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut decompressor = Box::new(DecompressorOxide::new());
    let result = decompress(&mut decompressor, data, &mut output, 0, flags);
    (result == (TINFLStatus::Done, data.len(), size)).then_some(output)
}
