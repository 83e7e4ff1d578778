//! Damage of every kind to a small valid artifact: never a panic, and nothing damaged is taken for the original.
//!
//! `fuzz_open` is the entry of a fuzzer. The loop runs for a second with a fixed seed; for longer:
//! `PENSTOCK_FUZZ_SECONDS=600 cargo test --release -p penstock-core --test loader fuzz -- --nocapture`.

use crate::world::{self, raw, stored, valid, zip};
use penstock_core::archive::{self, Entries};
use penstock_core::artifact::Artifact;
use penstock_core::json;
use penstock_core::manifest::Manifest;
use penstock_core::tensors::Tensors;
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// Everything that the loader does with bytes from strangers.
pub fn fuzz_open(data: &[u8]) {
    if let Ok(artifact) = Artifact::open(data) {
        read_all(&artifact.tensors);
    }
    if let Ok(entries) = archive::read(data) {
        assert_eq!(archive::read(&archive::write(&entries)), Ok(entries));
    }
    let _ = Manifest::parse(data);
    let _ = json::check(data, "data");
    if let Ok(tensors) = Tensors::parse(data.to_vec()) {
        read_all(&tensors);
        assert!(safetensors::SafeTensors::deserialize(data).is_ok());
    }
}

fn read_all(tensors: &Tensors) {
    for name in tensors.unused() {
        assert!(tensors.shape(&name).is_ok() && tensors.dtype(&name).is_ok());
        let _ = (tensors.f64s(&name), tensors.f32s(&name), tensors.i32s(&name));
        let _ = (tensors.u32s(&name), tensors.u8s(&name));
        let _ = tensors.texts(name.trim_end_matches(".bytes").trim_end_matches(".ends"));
    }
    assert!(tensors.unused().is_empty());
}

/// A small generator of numbers (xorshift64*, Vigna 2016), so that a failure can be run again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

const INTERESTING: [u64; 8] =
    [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0xffff_ffff_ffff_ffff];

fn mutate(data: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(data.len() + 1);
    let end = (at + random.below(16)).min(data.len());
    match random.below(7) {
        0 => data.truncate(at),
        1 => data.insert(at, random.next() as u8),
        2 => drop(data.drain(at..end)),
        3 => data.splice(at..at, data[at..end].to_vec()).for_each(drop),
        4 => {
            let number = INTERESTING[random.below(INTERESTING.len())].to_le_bytes();
            data[at..end].iter_mut().zip(number).for_each(|(byte, new)| *byte = new);
        }
        _ => {
            if let Some(byte) = data.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
    }
}

/// Mutates the entries and packs them again, so that damage reaches behind the zip and the hashes.
fn mutate_inside(random: &mut Random) -> Vec<u8> {
    let mut entries = world::valid_entries();
    let inside = [&mut entries.tensors, &mut entries.examples, &mut entries.card];
    for part in inside {
        for _ in 0..random.below(3) {
            mutate(part, random);
        }
    }
    let Entries { tensors, examples, card, .. } = entries;
    let mut entries = world::entries(world::manifest(), tensors, examples, &card);
    for _ in 0..random.below(3) {
        mutate(&mut entries.manifest, random);
    }
    archive::write(&entries)
}

#[test]
fn fuzz_the_loader() {
    let seconds = std::env::var("PENSTOCK_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(1));
    let entries = world::valid_entries();
    let seeds = [valid(), zip(&raw()), entries.tensors, entries.manifest, entries.examples];
    let (mut random, mut count) = (Random(0x5EED), 0u64);
    while Instant::now() < end {
        let mut data = match random.below(seeds.len() + 1) {
            seed if seed < seeds.len() => seeds[seed].clone(),
            _ => mutate_inside(&mut random),
        };
        for _ in 0..random.below(6) {
            mutate(&mut data, &mut random);
        }
        fuzz_open(&data);
        count += 1;
    }
    println!("{count} mutations");
}

#[test]
fn a_flipped_bit_is_refused_or_changes_nothing() {
    let (bytes, entries) = (valid(), world::valid_entries());
    let mut accepted = 0;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        if let Ok(artifact) = Artifact::open(&flipped) {
            assert_eq!(archive::read(&flipped), Ok(entries.clone()));
            assert_eq!(artifact.manifest_bytes, entries.manifest);
            accepted += 1;
        }
    }
    // Who made the zip, the attributes of files, and a few bits of deflate.
    assert!(accepted <= 4 * (2 + 2 + 4 + 1), "{accepted} flips are accepted");
}

#[test]
fn truncated_entries_inside_a_valid_zip_are_refused() {
    let names = ["manifest.json", "tensors.safetensors", "examples.json", "card.md"];
    for (position, name) in names.into_iter().enumerate() {
        let whole = raw()[position].data.clone();
        for end in 0..whole.len() - 1 {
            let mut entries = raw();
            entries[position] = stored(name, &whole[..end]);
            assert!(Artifact::open(&zip(&entries)).is_err(), "`{name}` truncated at {end}");
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_are_refused(data in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Artifact::open(&data).is_err());
        fuzz_open(&data);
    }

    #[test]
    fn insertions_are_refused(at in any::<prop::sample::Index>(), new in prop::collection::vec(any::<u8>(), 1..40)) {
        let mut data = valid();
        let at = at.index(data.len() + 1);
        data.splice(at..at, new).for_each(drop);
        prop_assert!(Artifact::open(&data).is_err());
    }
}
