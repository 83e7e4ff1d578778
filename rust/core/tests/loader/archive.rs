//! The zip subset: what is written is read, and everything else is refused in words.

use crate::world::{self, raw, stored, valid, valid_entries, zip, Raw};
use penstock_core::archive::{read, write};

/// The message with which a zip is refused.
fn refusal(bytes: &[u8]) -> String {
    read(bytes).expect_err("must be refused").0
}

#[track_caller]
fn assert_refused(bytes: &[u8], message: &str) {
    let is = refusal(bytes);
    assert!(is.contains(message), "{is:?} does not say {message:?}");
}

/// The valid artifact with one entry changed.
fn with(position: usize, change: impl Fn(&mut Raw)) -> Vec<u8> {
    let mut entries = raw();
    change(&mut entries[position]);
    zip(&entries)
}

#[test]
fn what_is_written_is_read() {
    let mut entries = valid_entries();
    assert_eq!(read(&write(&entries)), Ok(entries.clone()));
    entries.signature = Some(vec![7; 100]);
    entries.tensors = (0..300_000u32).flat_map(|i| (i ^ i << 3).to_le_bytes()).collect();
    entries.card = Vec::new();
    assert_eq!(read(&write(&entries)), Ok(entries));
}

#[test]
fn the_same_entries_give_the_same_bytes() {
    assert_eq!(write(&valid_entries()), write(&valid_entries()));
}

#[test]
fn an_honest_zip_of_another_writer_is_read() {
    assert_eq!(read(&zip(&raw())), Ok(valid_entries()));
    let entries = valid_entries();
    let deflated = vec![
        world::deflated("manifest.json", &entries.manifest),
        world::deflated("tensors.safetensors", &entries.tensors),
        stored("examples.json", &entries.examples),
        stored("card.md", &entries.card),
    ];
    assert_eq!(read(&zip(&deflated)), Ok(entries));
}

#[test]
fn what_shrinks_too_much_is_stored_so_that_it_can_be_read() {
    let entries = penstock_core::archive::Entries { tensors: vec![0; 2 << 20], ..valid_entries() };
    let bytes = write(&entries);
    assert!(bytes.len() > 2 << 20);
    assert!(read(&bytes).is_ok_and(|is| is == entries));
}

#[test]
fn truncation_at_every_byte_is_refused() {
    let bytes = valid();
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_err(), "truncated at {end}");
    }
    assert_refused(&bytes[..bytes.len() - 1], "truncated");
}

#[test]
fn bytes_around_the_zip_are_refused() {
    assert_refused(&[&valid()[..], b"x"].concat(), "bytes after its end");
    assert_refused(&[b"x", &valid()[..]].concat(), "does not begin as a zip");
    assert_refused(&[&valid()[..], &valid()[..]].concat(), "its directory is elsewhere");
    assert_refused(b"", "does not begin as a zip");
    assert_refused(b"not a zip at all, but long enough to be one", "does not begin as a zip");
}

#[test]
fn names_other_than_the_five_are_refused() {
    for name in ["../manifest.json", "/etc/passwd", "MANIFEST.JSON", "card.md\0", "", "c:\\x"] {
        let bytes = with(0, |entry| entry.name = name.to_owned());
        assert_refused(&bytes, "where `manifest.json` belongs");
    }
    let mut entries = raw();
    entries.push(stored("evil.py", b"print()"));
    assert_refused(&zip(&entries), "has `evil.py` where `signature` belongs");
}

#[test]
fn duplicate_missing_and_surplus_entries_are_refused() {
    let mut twice = raw();
    twice.insert(1, twice[0].clone());
    assert_refused(&zip(&twice), "has `manifest.json` where `tensors.safetensors` belongs");
    assert_refused(&zip(&raw()[..3]), "has no entry `card.md`");
    let mut surplus = raw();
    surplus.push(stored("signature", b"s"));
    surplus.push(stored("more", b"m"));
    assert_refused(&zip(&surplus), "has entries or bytes beyond");
    let mut swapped = raw();
    swapped.swap(2, 3);
    assert_refused(&zip(&swapped), "has `card.md` where `examples.json` belongs");
}

#[test]
fn features_of_zip_beyond_the_subset_are_refused() {
    type Change = fn(&mut Raw);
    let cases: [(&str, Change); 9] = [
        ("is encrypted", |entry| entry.flags = 1),
        ("has a data descriptor", |entry| entry.flags = 8),
        ("has the flags 0x0800", |entry| entry.flags = 0x800),
        ("has an extra field", |entry| entry.extra = vec![0; 4]),
        ("is zip64", |entry| entry.size = u32::MAX),
        ("is packed by method 12", |entry| entry.method = 12),
        ("has a time stamp", |entry| entry.time = [1, 0x21]),
        ("is stored with two sizes", |entry| entry.size += 1),
        ("the checksum of `tensors.safetensors`", |entry| entry.checksum ^= 1),
    ];
    for (message, change) in cases {
        assert_refused(&with(1, change), message);
    }
}

#[test]
fn directory_and_local_headers_must_agree() {
    let mut bytes = zip(&raw());
    bytes[14] ^= 1;
    assert_refused(&bytes, "`manifest.json` has a local header that differs");
    let mut bytes = zip(&raw());
    bytes[30] = b'M';
    assert_refused(&bytes, "`manifest.json` has a local header that differs");
}

#[test]
fn overlapping_and_separated_entries_are_refused() {
    let bytes = zip(&raw());
    let end = bytes.len() - 22;
    let start =
        u32::from_le_bytes(bytes[end + 16..end + 20].try_into().expect("four bytes")) as usize;
    let offset = start + 46 + "manifest.json".len() + 42;
    let mut overlapping = bytes.clone();
    overlapping[offset..offset + 4].fill(0);
    assert_refused(&overlapping, "`tensors.safetensors` begins at byte 0");
    let mut gap = bytes[..start].to_vec();
    gap.extend(b"gap");
    gap.extend(&bytes[start..end + 16]);
    gap.extend((start as u32 + 3).to_le_bytes());
    gap.extend([0, 0]);
    assert_refused(&gap, "bytes between its entries and its directory");
}

#[test]
fn deflated_data_must_fill_its_declared_size_exactly() {
    let data = valid_entries().tensors;
    for difference in [-1i32, 1, 100] {
        let mut entries = raw();
        let honest = world::deflated("tensors.safetensors", &data);
        entries[1] = Raw { size: honest.size.wrapping_add_signed(difference), ..honest };
        assert_refused(&zip(&entries), "`tensors.safetensors` does not unpack to the declared");
    }
    let mut entries = raw();
    let mut padded = world::deflated("tensors.safetensors", &data);
    padded.data.push(0);
    padded.compressed += 1;
    entries[1] = padded;
    assert_refused(&zip(&entries), "does not unpack to the declared");
}

#[test]
fn sizes_beyond_the_budgets_are_refused_before_they_are_unpacked() {
    let cases = [
        (1, 2_000_000_001, "the most is 2000000000"),
        (1, 1_999_999_999, "declares 1999999999 bytes in"),
        (0, 1 << 27, "the most is 67108864"),
        (3, 1 << 21, "the most is 1048576"),
    ];
    for (position, size, message) in cases {
        let bytes = with(position, |entry| (entry.method, entry.size) = (8, size));
        assert_refused(&bytes, message);
    }
}
