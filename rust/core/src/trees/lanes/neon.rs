//! Bytes in the 16 of a register of NEON.

use super::bytes::{Bytes, Job};
use std::arch::aarch64::*;

#[derive(Clone, Copy)]
pub struct Neon(uint8x16_t);

/// Runs a job with these vectors.
#[target_feature(enable = "neon")]
pub fn run<J: Job>(job: J) {
    // SAFETY: the function is only called where there is NEON.
    unsafe { job.run::<Neon>() }
}

// SAFETY of all below: the callers promise NEON, and pointers to 16 bytes.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one comment for all of them")]
impl Bytes for Neon {
    const WIDTH: usize = 16;

    type Table = uint8x16x2_t;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        Self(unsafe { vld1q_u8(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8) {
        unsafe { vst1q_u8(to, self.0) }
    }

    #[inline(always)]
    unsafe fn splat(byte: u8) -> Self {
        Self(unsafe { vdupq_n_u8(byte) })
    }

    #[inline(always)]
    unsafe fn choose(self, low: Self, span: Self, first: Self, second: Self) -> Self {
        unsafe {
            let above = vreinterpretq_s8_u8(vsubq_u8(self.0, low.0));
            let is_second = vcgtq_s8(above, vreinterpretq_s8_u8(span.0));
            Self(vbslq_u8(is_second, second.0, first.0))
        }
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        Self(unsafe { vaddq_u8(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn table(bits: &[u8; 32]) -> Self::Table {
        unsafe { uint8x16x2_t(vld1q_u8(bits.as_ptr()), vld1q_u8(bits.as_ptr().add(16))) }
    }

    #[inline(always)]
    unsafe fn absent(self, table: Self::Table) -> Self {
        unsafe {
            let byte = vqtbl2q_u8(table, vshrq_n_u8::<3>(self.0));
            let bit = vshlq_u8(vdupq_n_u8(1), vreinterpretq_s8_u8(vandq_u8(self.0, vdupq_n_u8(7))));
            Self(vceqzq_u8(vandq_u8(byte, bit)))
        }
    }
}
