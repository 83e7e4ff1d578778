//! The keys that sign artifacts and check signatures: Ed25519, in the PEM files that OpenSSL reads and writes.

use crate::artifact::hash;
use crate::error::KeyError;
use ed25519_dalek::pkcs8::spki::der::pem::{decode_label, LineEnding};
use ed25519_dalek::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes,
};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey, SIGNATURE_LENGTH};
use std::fmt;

/// Labels of PEM: RFC 7468, sections 13 and 10.
const PUBLIC: &str = "PUBLIC KEY";
const PRIVATE: &str = "PRIVATE KEY";
/// Hex digits of a key id.
pub const ID_LENGTH: usize = 16;

/// Checks signatures; everybody may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: String,
}

impl PublicKey {
    /// The key in the bytes of a PEM file (SubjectPublicKeyInfo, RFC 8410).
    pub fn from_pem(file: &[u8]) -> Result<Self, KeyError> {
        let text = pem(file, PUBLIC)?;
        let key = VerifyingKey::from_public_key_pem(text).map_err(|error| broken(&error))?;
        if key.is_weak() {
            return Err(KeyError("is a weak key, with which anybody can sign; use another".into()));
        }
        Ok(Self::new(key))
    }

    fn new(key: VerifyingKey) -> Self {
        let mut id = hash(key.as_bytes());
        id.truncate(ID_LENGTH);
        Self { key, id }
    }

    pub fn to_pem(&self) -> Result<String, KeyError> {
        self.key.to_public_key_pem(LineEnding::LF).map_err(|error| broken(&error))
    }

    /// What people call the key: the first 16 hex digits of the SHA-256 of its 32 bytes.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the key has signed these bytes; takes no signature that another reader might not take.
    pub(crate) fn has_signed(&self, bytes: &[u8], signature: &[u8; SIGNATURE_LENGTH]) -> bool {
        self.key.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok()
    }
}

/// Signs; its memory is overwritten when it is dropped.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// The key in the bytes of a PEM file (PKCS #8, RFC 8410).
    pub fn from_pem(file: &[u8]) -> Result<Self, KeyError> {
        let text = pem(file, PRIVATE)?;
        SigningKey::from_pkcs8_pem(text).map(Self).map_err(|error| broken(&error))
    }

    /// The key of a seed, which the host takes from its source of randomness.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    pub fn to_pem(&self) -> Result<String, KeyError> {
        // Without the public key, which makes it version 2: OpenSSL 3.0 reads version 1 only.
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let text = pair.to_pkcs8_pem(LineEnding::LF).map_err(|error| broken(&error))?;
        Ok(text.as_str().to_owned())
    }

    pub fn public(&self) -> PublicKey {
        PublicKey::new(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        self.0.sign(bytes).to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey({})", self.public().id)
    }
}

/// The text of a file whose first block has this label.
fn pem<'a>(file: &'a [u8], label: &str) -> Result<&'a str, KeyError> {
    let text = std::str::from_utf8(file).ok();
    let found = text.and_then(|text| Some((text, decode_label(text.as_bytes()).ok()?)));
    let Some((text, is)) = found else {
        return Err(KeyError(format!(
            "is no key file: it has no `-----BEGIN {label}-----`; `penstock keygen` makes keys"
        )));
    };
    let what = match is {
        _ if is == label => return Ok(text),
        PRIVATE => "is a private key where the public one is wanted; name the `.pub` file".into(),
        PUBLIC => "is a public key where the private one is wanted; name the `.key` file".into(),
        "ENCRYPTED PRIVATE KEY" if label == PRIVATE => {
            "is an encrypted private key; decrypt it with `openssl pkey`".into()
        }
        _ => format!("holds a `{is}` where a `{label}` is wanted; `penstock keygen` makes keys"),
    };
    Err(KeyError(what))
}

/// The libraries' errors name positions and algorithms, never bytes of a key.
fn broken(error: &dyn fmt::Display) -> KeyError {
    KeyError(format!("is no Ed25519 key: {error}; use a key that `penstock keygen` has made"))
}
