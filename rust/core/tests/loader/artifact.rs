//! Opening an artifact: hashes, sizes, the card and the examples.

use crate::world::{entries, examples, manifest, tensors, valid, valid_entries};
use penstock_core::archive::{self, Entries};
use penstock_core::artifact::{hash, Artifact};
use serde_json::json;

#[track_caller]
fn assert_refused(entries: &Entries, message: &str) {
    let is = Artifact::open(&archive::write(entries)).expect_err("must be refused").0;
    assert!(is.contains(message), "{is:?} does not say {message:?}");
}

#[test]
fn a_valid_artifact_is_opened() {
    let (artifact, entries) = (Artifact::open(&valid()).expect("valid"), valid_entries());
    assert_eq!(artifact.digest, hash(&entries.manifest));
    assert_eq!(artifact.manifest_bytes, entries.manifest);
    assert_eq!(artifact.examples, entries.examples);
    assert_eq!(artifact.card, "# late\n");
    assert_eq!(artifact.tensors.f64s("coefficients"), Ok(vec![0.5, -1.0]));
    let sizes = [&entries.manifest, &entries.tensors, &entries.examples, &entries.card];
    assert_eq!(artifact.unpacked_size, sizes.map(|entry| entry.len() as u64).iter().sum::<u64>());
}

#[test]
fn the_hash_is_sha256() {
    // FIPS 180-4, example "abc".
    assert_eq!(hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn an_entry_that_differs_from_the_manifest_is_refused() {
    let mut changed = valid_entries();
    if let Some(last) = changed.tensors.last_mut() {
        *last ^= 1;
    }
    assert_refused(&changed, "`tensors.safetensors` has the hash");
    let longer = Entries { card: b"# late\n\n".to_vec(), ..valid_entries() };
    assert_refused(&longer, "`card.md` has 8 bytes; the manifest says 7");
}

#[test]
fn the_manifest_lists_exactly_the_other_entries() {
    let listing = |change: fn(&mut serde_json::Value)| {
        let mut listed: serde_json::Value =
            serde_json::from_slice(&valid_entries().manifest).expect("valid");
        change(&mut listed["entries"]);
        Entries { manifest: listed.to_string().into_bytes(), ..valid_entries() }
    };
    let absent = listing(|listed| {
        listed.as_object_mut().expect("an object").remove("card.md");
    });
    assert_refused(&absent, "does not list the entry `card.md`");
    let surplus = listing(|listed| listed["code.py"] = listed["card.md"].clone());
    assert_refused(&surplus, "lists the unknown entry `code.py`");
    let upper = listing(|listed| listed["card.md"]["sha256"] = json!("A".repeat(64)));
    assert_refused(&upper, "must be 64 lower-case hex digits");
    let negative = listing(|listed| listed["card.md"]["size"] = json!(-1));
    assert_refused(&negative, "invalid value");
}

#[test]
fn a_card_that_is_not_utf8_is_refused() {
    assert_refused(&entries(manifest(), tensors(), examples(), b"\xff"), "`card.md` is not UTF-8");
}

#[test]
fn examples_that_are_wrong_are_refused() {
    let cases: [(&[u8], &str); 6] = [
        (b"", "`examples.json`: EOF"),
        (br#"{"rows":[{}],"expected":[]}"#, "has 1 rows and 0 expected outputs"),
        (br#"{"rows":[{"a":1,"a":2}],"expected":[{}]}"#, "key `a` is there twice"),
        (br#"{"rows":[],"expected":[],"code":""}"#, "unknown field `code`"),
        (br#"{"rows":[]}"#, "missing field `expected`"),
        (br#"{"rows":[{"a":NaN}],"expected":[{}]}"#, "`examples.json`: expected value"),
    ];
    for (examples, message) in cases {
        assert_refused(&entries(manifest(), tensors(), examples.to_vec(), b""), message);
    }
}
