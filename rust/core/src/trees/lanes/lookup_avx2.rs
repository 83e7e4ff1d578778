//! Lookups by shuffles of 16 bytes, with AVX2.

use super::lookup::{Lookup, NodeTests, RowBytes, RowJob};
use std::arch::asm;
use std::arch::x86_64::*;

pub struct Shuffles;

/// Runs a job with these lookups.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
pub fn run<J: RowJob>(job: J) {
    // SAFETY: the function is only called where there is AVX2, BMI1, BMI2 and LZCNT.
    unsafe { job.run::<Shuffles>() }
}

/// The number of a lane as it is written for shuffles: bit 7, which makes one answer 0, tells odd pieces from even ones,
/// bits 6 and 5 choose among pairs of them.
pub fn code(lane: u8) -> u8 {
    lane & 15 | (lane & 16) << 3 | (lane & 32) << 1 | (lane & 64) >> 1
}

// SAFETY of all below: the callers promise AVX2.
#[allow(clippy::undocumented_unsafe_blocks, reason = "one comment for all of them")]
impl Lookup for Shuffles {
    /// Each 16 bytes in both halves of a register.
    type Row = [__m256i; 8];

    #[inline(always)]
    unsafe fn row<const PIECES: usize>(bytes: &RowBytes) -> Self::Row {
        unsafe {
            let mut row = [_mm256_setzero_si256(); 8];
            let pieces = bytes.0.as_chunks::<16>().0;
            for (register, piece) in row.iter_mut().zip(pieces).take(PIECES) {
                *register = _mm256_broadcastsi128_si256(_mm_load_si128(piece.as_ptr().cast()));
            }
            row
        }
    }

    #[inline(always)]
    unsafe fn above<const PIECES: usize, const LOWS: bool, const NODES: usize>(
        row: Self::Row,
        tests: &NodeTests<NODES>,
    ) -> u64 {
        let load =
            |bytes: &[u8; NODES], at| unsafe { _mm256_load_si256(bytes.as_ptr().add(at).cast()) };
        let mut outcomes = 0;
        for at in (0..NODES).step_by(32) {
            unsafe {
                let mut found = look_up::<PIECES>(row, load(&tests.lanes.0, at));
                if LOWS {
                    found = _mm256_sub_epi8(found, load(&tests.lows.0, at));
                }
                let is_above = _mm256_cmpgt_epi8(found, load(&tests.spans.0, at));
                outcomes |= u64::from(_mm256_movemask_epi8(is_above) as u32) << at;
            }
        }
        outcomes
    }

    #[inline(always)]
    unsafe fn child(outcomes: u64, number: u64) -> u64 {
        child(outcomes, number)
    }
}

/// [`Lookup::child`] in two instructions. In Rust it is three, and compilers make slow vectors of eight of them: with
/// this, a row took 20 % less (500 trees of six levels, Zen 3).
#[inline(always)]
pub fn child(outcomes: u64, number: u64) -> u64 {
    let mut child = number;
    // SAFETY: it reads and writes these registers and the flags, nothing else; a bit number is taken modulo 64.
    unsafe {
        asm!(
            "bt {outcomes}, {child}",
            "adc {child}, {child}",
            outcomes = in(reg) outcomes,
            child = inout(reg) child,
            options(pure, nomem, nostack),
        );
    }
    child
}

#[inline(always)]
unsafe fn look_up<const PIECES: usize>(row: [__m256i; 8], lanes: __m256i) -> __m256i {
    // SAFETY: the caller has AVX2.
    unsafe {
        if PIECES == 1 {
            return _mm256_shuffle_epi8(row[0], lanes);
        }
        let odd_lanes = _mm256_xor_si256(lanes, _mm256_set1_epi8(i8::MIN));
        let pair = |at: usize| {
            let even = _mm256_shuffle_epi8(row[2 * at], lanes);
            _mm256_or_si256(even, _mm256_shuffle_epi8(row[2 * at + 1], odd_lanes))
        };
        // The sign of a byte chooses; bits that come from its neighbor are below it.
        let four = |at: usize| {
            let is_second = _mm256_slli_epi16(lanes, 1);
            _mm256_blendv_epi8(pair(2 * at), pair(2 * at + 1), is_second)
        };
        match PIECES {
            2 => pair(0),
            4 => four(0),
            _ => _mm256_blendv_epi8(four(0), four(1), _mm256_slli_epi16(lanes, 2)),
        }
    }
}
