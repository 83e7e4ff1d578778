//! Bytes in the 64 of a register of AVX-512 (F and BW).

use super::bytes::{Bytes, Job};
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub struct Avx512(__m512i);

/// Runs a job with these vectors.
#[target_feature(enable = "avx512f,avx512bw")]
pub fn run<J: Job>(job: J) {
    // SAFETY: the function is only called where there is AVX-512 F and BW.
    unsafe { job.run::<Avx512>() }
}

// SAFETY of all below: the callers promise AVX-512 F and BW, and pointers to 64 bytes.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one comment for all of them")]
impl Bytes for Avx512 {
    const WIDTH: usize = 64;

    /// The first and the second 16 bytes, each in all four quarters.
    type Table = (__m512i, __m512i);

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        Self(unsafe { _mm512_loadu_si512(from.cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8) {
        unsafe { _mm512_storeu_si512(to.cast(), self.0) }
    }

    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        Self(unsafe { _mm512_set1_epi8(byte as i8) })
    }

    #[inline(always)]
    unsafe fn choose(self, low: Self, span: Self, first: Self, second: Self) -> Self {
        unsafe {
            let is_second = _mm512_cmpgt_epi8_mask(_mm512_sub_epi8(self.0, low.0), span.0);
            Self(_mm512_mask_blend_epi8(is_second, first.0, second.0))
        }
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_epi8(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn table(bits: &[u8; 32]) -> Self::Table {
        unsafe {
            let first = _mm_loadu_si128(bits.as_ptr().cast());
            let second = _mm_loadu_si128(bits.as_ptr().add(16).cast());
            (_mm512_broadcast_i32x4(first), _mm512_broadcast_i32x4(second))
        }
    }

    #[inline(always)]
    unsafe fn absent(self, (first, second): Self::Table) -> Self {
        unsafe {
            let powers = _mm512_set1_epi64(0x8040_2010_0804_0201_u64 as i64);
            // The byte of the table, 0 to 31: shifted as words, so the neighbor's bits are masked out.
            let byte = _mm512_and_si512(_mm512_srli_epi16(self.0, 3), _mm512_set1_epi8(31));
            let is_second = _mm512_test_epi8_mask(byte, _mm512_set1_epi8(16));
            let byte = _mm512_mask_blend_epi8(
                is_second,
                _mm512_shuffle_epi8(first, byte),
                _mm512_shuffle_epi8(second, byte),
            );
            let bit = _mm512_and_si512(self.0, _mm512_set1_epi8(7));
            let bit = _mm512_shuffle_epi8(powers, bit);
            let is_clear = _mm512_testn_epi8_mask(byte, bit);
            Self(_mm512_maskz_set1_epi8(is_clear, 1))
        }
    }
}
