//! Bytes in the 32 of a register of AVX2.

use super::bytes::{Bytes, Job};
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub struct Avx2(__m256i);

/// Runs a job with these vectors.
#[target_feature(enable = "avx2")]
pub fn run<J: Job>(job: J) {
    // SAFETY: the function is only called where there is AVX2.
    unsafe { job.run::<Avx2>() }
}

// SAFETY of all below: the callers promise AVX2, and pointers to 32 bytes.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one comment for all of them")]
impl Bytes for Avx2 {
    const WIDTH: usize = 32;

    /// The first and the second 16 bytes, each in both halves.
    type Table = (__m256i, __m256i);

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        Self(unsafe { _mm256_loadu_si256(from.cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8) {
        unsafe { _mm256_storeu_si256(to.cast(), self.0) }
    }

    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        Self(unsafe { _mm256_set1_epi8(byte as i8) })
    }

    #[inline(always)]
    unsafe fn choose(self, low: Self, span: Self, first: Self, second: Self) -> Self {
        unsafe {
            let is_second = _mm256_cmpgt_epi8(_mm256_sub_epi8(self.0, low.0), span.0);
            Self(_mm256_blendv_epi8(first.0, second.0, is_second))
        }
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        Self(unsafe { _mm256_add_epi8(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn table(bits: &[u8; 32]) -> Self::Table {
        unsafe {
            let first = _mm_loadu_si128(bits.as_ptr().cast());
            let second = _mm_loadu_si128(bits.as_ptr().add(16).cast());
            (_mm256_broadcastsi128_si256(first), _mm256_broadcastsi128_si256(second))
        }
    }

    #[inline(always)]
    unsafe fn absent(self, (first, second): Self::Table) -> Self {
        unsafe {
            let powers = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
            // The byte of the table, 0 to 31: shifted as words, so the neighbor's bits are masked out.
            let byte = _mm256_and_si256(_mm256_srli_epi16(self.0, 3), _mm256_set1_epi8(31));
            // Bit 4 of it as the sign, which chooses the half.
            let half = _mm256_slli_epi16(byte, 3);
            let byte = _mm256_blendv_epi8(
                _mm256_shuffle_epi8(first, byte),
                _mm256_shuffle_epi8(second, byte),
                half,
            );
            let bit = _mm256_and_si256(self.0, _mm256_set1_epi8(7));
            let bit = _mm256_shuffle_epi8(powers, bit);
            let is_clear = _mm256_cmpeq_epi8(_mm256_and_si256(byte, bit), _mm256_setzero_si256());
            Self(is_clear)
        }
    }
}
