//! Takes numbers from bytes that may end too early.

use crate::error::ArtifactError;

/// An error about the file as a whole.
pub(super) fn refuse(what: &str) -> ArtifactError {
    ArtifactError::new(format!(
        "the artifact {what}; copy the file again or convert the model again"
    ))
}

/// Walks over bytes; `what` is named where they end too early.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) what: &'static str,
}

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, size: usize) -> Result<&'a [u8], ArtifactError> {
        let Some((taken, rest)) = self.bytes.split_at_checked(size) else {
            return Err(refuse(&format!("is truncated: {} lies outside the file", self.what)));
        };
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ArtifactError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u16(&mut self) -> Result<u16, ArtifactError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Numbers of the zip are 32-bit, and so are the smallest hosts: on none is one lost.
    pub(super) fn u32(&mut self) -> Result<usize, ArtifactError> {
        self.array()
            .map(u32::from_le_bytes)
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    }
}
