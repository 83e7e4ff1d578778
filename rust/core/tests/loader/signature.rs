//! Signatures: the vectors of RFC 8032, and every byte that a forger could change.

use crate::world::{valid, valid_entries};
use penstock_core::archive::{self, Entries};
use penstock_core::artifact::Artifact;
use penstock_core::error::{ArtifactError, KeyError};
use penstock_core::keys::{PrivateKey, PublicKey};
use penstock_core::model::Model;
use penstock_core::signature::{sign, verify};

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32])
}

fn signed(key: &PrivateKey) -> Entries {
    let bytes = sign(&valid(), key).expect("valid");
    archive::read(&bytes).expect("valid")
}

fn text(entries: &Entries) -> String {
    String::from_utf8(entries.signature.clone().expect("signed")).expect("text")
}

fn with_text(text: impl Into<Vec<u8>>) -> Entries {
    Entries { signature: Some(text.into()), ..valid_entries() }
}

#[track_caller]
fn assert_refused(entries: &Entries, key: &PublicKey, message: &str) {
    let is = verify(entries, key).expect_err("must be refused").0;
    assert!(is.contains(message), "{is:?} does not say {message:?}");
    let opened = Artifact::open_signed(&archive::write(entries), key).map(drop);
    assert_eq!(opened, Err(ArtifactError(is)));
}

#[test]
fn the_vectors_of_rfc_8032_are_made() {
    // RFC 8032, section 7.1, test 1: the empty message; the texts are those that OpenSSL 3 writes.
    let seed = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
        0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae,
        0x7f, 0x60,
    ];
    let private = PrivateKey::from_seed(&seed);
    let public = private.public();
    let pem = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
        -----END PRIVATE KEY-----\n";
    assert_eq!(private.to_pem().as_deref(), Ok(pem));
    let pem = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
        -----END PUBLIC KEY-----\n";
    assert_eq!(public.to_pem().as_deref(), Ok(pem));
    let line = format!(
        "ed25519 {} 5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVf\
         uIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw==\n",
        public.id()
    );
    let empty = Entries { manifest: Vec::new(), ..with_text(line) };
    assert_eq!(verify(&empty, &public), Ok(()));
}

#[test]
fn a_signed_artifact_is_the_same_model() {
    let (key, other) = (key(1), key(2));
    let bytes = sign(&valid(), &key).expect("valid");
    let artifact = Artifact::open_signed(&bytes, &key.public()).expect("signed");
    assert_eq!(Artifact::open(&valid()).expect("valid").digest, artifact.digest);
    assert_eq!(artifact.signatures[0].key, key.public().id());
    assert_eq!(artifact.unpacked_size, {
        let entries = archive::read(&bytes).expect("valid");
        let sizes = [&entries.manifest, &entries.tensors, &entries.examples, &entries.card];
        (sizes.map(Vec::len).iter().sum::<usize>() + text(&entries).len()) as u64
    });
    assert_eq!(sign(&bytes, &key), Ok(bytes.clone()), "signing again changes nothing");
    assert!(Model::open_signed(&bytes, false, &other.public()).is_err());
}

#[test]
fn several_keys_sign_in_any_order() {
    let keys = [key(1), key(2), key(3)];
    let by =
        |order: [usize; 3]| order.iter().try_fold(valid(), |bytes, at| sign(&bytes, &keys[*at]));
    let bytes = by([0, 1, 2]).expect("valid");
    assert_eq!(by([2, 0, 1]).as_deref(), Ok(&bytes[..]));
    let entries = archive::read(&bytes).expect("valid");
    assert!(keys.iter().all(|key| verify(&entries, &key.public()).is_ok()));
    assert_refused(&entries, &key(4).public(), "has no signature of key");
}

#[test]
fn what_nobody_or_another_has_signed_is_refused() {
    let (key, other) = (key(1).public(), key(2));
    assert_refused(&valid_entries(), &key, "the artifact is not signed, and a signature of key");
    let message =
        format!("has no signature of key `{}`, but one of key `{}`", key.id(), other.public().id());
    assert_refused(&signed(&other), &key, &message);
}

#[test]
fn every_flipped_byte_of_the_manifest_is_refused() {
    let (key, entries) = (key(1), signed(&key(1)));
    for at in 0..entries.manifest.len() {
        let mut altered = entries.clone();
        altered.manifest[at] ^= 1 << (at % 8);
        assert_refused(&altered, &key.public(), "was altered after it was signed");
    }
    let mut cut = entries;
    cut.manifest.pop();
    assert_refused(&cut, &key.public(), "was altered after it was signed");
}

#[test]
fn every_flipped_byte_of_the_signature_is_refused() {
    let (key, entries) = (key(1).public(), signed(&key(1)));
    let whole = text(&entries).into_bytes();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 7);
        assert_refused(&Entries { signature: Some(flipped), ..entries.clone() }, &key, "");
    }
    for end in 0..whole.len() {
        let cut = Entries { signature: Some(whole[..end].to_vec()), ..entries.clone() };
        assert_refused(&cut, &key, "`signature` is not UTF-8, or is truncated");
    }
}

#[test]
fn entries_that_the_manifest_does_not_have_are_refused_though_it_is_signed() {
    let key = key(1);
    let mut entries = signed(&key);
    entries.card = b"# bate\n".to_vec();
    assert!(verify(&entries, &key.public()).is_ok());
    let bytes = archive::write(&entries);
    for refused in
        [Artifact::open_signed(&bytes, &key.public()).map(drop), sign(&bytes, &key).map(drop)]
    {
        assert!(refused.is_err_and(|error| error.0.contains("`card.md` has the hash")));
    }
}

#[test]
fn signatures_of_unknown_algorithms_are_kept_and_count_for_nothing() {
    let key = key(1);
    let future = format!("ml-dsa-65 {} AAAA\n", key.public().id());
    let entries = with_text(future.clone());
    let bytes = archive::write(&entries);
    assert_eq!(Artifact::open(&bytes).expect("valid").signatures[0].algorithm, "ml-dsa-65");
    let message = "with the algorithm `ml-dsa-65`, which this version does not know";
    assert_refused(&entries, &key.public(), message);
    let both = archive::read(&sign(&bytes, &key).expect("valid")).expect("valid");
    assert!(text(&both).starts_with("ed25519 ") && text(&both).ends_with(&future));
    assert!(verify(&both, &key.public()).is_ok());
}

#[test]
fn lines_of_another_form_are_refused_by_whoever_opens() {
    let line = text(&signed(&key(1)));
    let (id, value) = (&line[8..24], &line[25..113]);
    let cases = [
        (String::new(), "does not end as a line does"),
        ("\n".to_owned(), "in line 1 other than an algorithm"),
        (line.replace('\n', "\r\n"), "in line 1 a signature that is no Base64"),
        (format!("{line}\n"), "in line 2 other than an algorithm"),
        (format!("{line}{line}"), "in line 2 a signature that is out of order"),
        (format!("ED25519 {id} {value}\n"), "the algorithm `ED25519`, which is no name"),
        (format!(" {id} {value}\n"), "the algorithm ``, which is no name"),
        (format!("ed25519  {id} {value}\n"), "other than an algorithm"),
        (format!("ed25519 {} {value}\n", id.to_uppercase()), "not 16 hex digits"),
        (format!("ed25519 {} {value}\n", &id[1..]), "not 16 hex digits"),
        (format!("ed25519 {id} AAAA\n"), "a signature of 3 bytes, not 64"),
        (format!("ml-dsa-65 {id} \n"), "in line 1 no signature"),
        (format!("ed25519 {id} {}\n", &value[..86]), "is no Base64"),
    ];
    for (text, message) in cases {
        let opened = Artifact::open(&archive::write(&with_text(text.clone())));
        let is = opened.expect_err("must be refused").0;
        assert!(is.contains(message), "{text:?} gives {is:?}, not {message:?}");
        assert!(is.starts_with("`signature` ") && is.ends_with("; sign the artifact again"));
    }
}

#[test]
fn there_is_an_end_to_the_room_for_signatures() {
    let id = "0123456789abcdef";
    let full = format!("ml-dsa-65 {id} {}\n", "A".repeat(65_508));
    assert_eq!(full.len(), 65_536);
    let refused = sign(&archive::write(&with_text(full)), &key(1)).expect_err("too many").0;
    assert!(refused.contains("has 1 signatures, and there is no room for more"), "{refused}");
}

#[test]
fn keys_come_back_from_their_files() {
    let private = key(7);
    let text = private.to_pem().expect("text").replace('\n', "\r\n");
    let again = PrivateKey::from_pem(text.as_bytes()).expect("a key");
    assert_eq!(again.public(), private.public());
    let text = private.public().to_pem().expect("text");
    assert_eq!(PublicKey::from_pem(text.as_bytes()), Ok(private.public()));
    assert_eq!(format!("{private:?}"), format!("PrivateKey({})", private.public().id()));
}

#[test]
fn files_that_hold_no_such_key_are_refused() {
    let (private, public) =
        (key(1).to_pem().expect("text"), key(1).public().to_pem().expect("text"));
    // The neutral element: everything has its signature.
    let weak = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\
                -----END PUBLIC KEY-----\n";
    let x25519 = public.replace("K2VwAyE", "K2VuAyE");
    let cases: [(&[u8], &str); 7] = [
        (b"", "is no key file: it has no `-----BEGIN PUBLIC KEY-----`"),
        (b"\xff\xfe", "is no key file"),
        (private.as_bytes(), "is a private key where the public one is wanted"),
        (weak.as_bytes(), "is a weak key"),
        (x25519.as_bytes(), "OID: 1.3.101.110"),
        (&public.as_bytes()[..60], "is no key file"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "holds a `CERTIFICATE`",
        ),
    ];
    for (file, message) in cases {
        let KeyError(is) = PublicKey::from_pem(file).expect_err("must be refused");
        assert!(is.contains(message), "{is:?} does not say {message:?}");
    }
    let encrypted = private.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for (file, message) in [
        (public, "is a public key where the private one is wanted"),
        (encrypted, "is an encrypted private key; decrypt it with `openssl pkey`"),
        (private.replace("MC4C", "MC4D"), "is no Ed25519 key"),
    ] {
        let KeyError(is) = PrivateKey::from_pem(file.as_bytes()).expect_err("must be refused");
        assert!(is.contains(message), "{is:?} does not say {message:?}");
    }
}
